"""What the constructor of `AgentValues` makes of its arguments: one check for each, what and where in its message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, SparseMatrix
from tabular_inversion.agent_values.noise import Noise, float_name
from tabular_inversion.agent_values.report import SolverReport
from tabular_inversion.errors import AgentValuesError, DiscountError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.records import read_only_rows
from tabular_inversion.validation import (
    check_discount,
    check_kind,
    check_positive,
    finite_array,
    frozen_array,
    locate,
    real_array,
    shape_of,
    shortened,
)

TransitionRewards = FloatArray | tuple[SparseMatrix, ...]


def read_shape(q: Any, goals: Goals) -> tuple[int, ...]:
    """Return (G, S, A), the shape of q, or raise unless it fits the goals."""
    check_kind("goals", goals, Goals, AgentValuesError, "build them with Goals(rewards)")
    shape = shape_of("q", q, AgentValuesError)
    expected = (goals.n_goals, goals.n_states)
    if len(shape) != 3 or shape[:2] != expected or shape[2] == 0:
        raise ShapeError(f"q has shape {shape}; expected (G, S, A) = ({expected[0]}, {expected[1]}, any).")
    return shape


def read_q(q: ArrayLike, shape: tuple[int, ...], mask: BoolArray) -> FloatArray:
    """Return Q as a frozen array with NaN where an action is unavailable, and where no value is known.

    Raises
    ------
    AgentValuesError
        If a value is infinite or no number, or none is known at all.
    """
    # Large arrays: with all actions available, one copy is enough.
    array = real_array("q", q, "(g, s, a)", AgentValuesError)
    if array.shape != shape or 0 in shape:
        raise ShapeError(f"q has shape {array.shape}; expected (G, S, A) = {shape}, no axis empty.")
    masked = not mask.all()
    shown = frozen_array(np.where(mask, array, np.nan)) if masked else array
    infinite = np.isinf(shown)
    if infinite.any():
        count = int(infinite.sum())
        raise AgentValuesError(
            f"q has {count} entries that are not finite, {locate(infinite, shown, '(g, s, a)')}; replace them, or "
            "write NaN where nothing is known."
        )
    if np.isnan(shown).all():
        raise AgentValuesError("q holds no value at all: every entry is NaN; give what the agent knows.")
    return shown


def read_discounts(discount: Any, kept: Any, n_goals: int) -> tuple[float, FloatArray | None]:
    """Return the largest discount, and one for each goal where several are given, or are kept from another agent.

    Raises
    ------
    DiscountError
        If one lies outside [0, 1].
    ShapeError
        If they are no scalar and not as many as the goals.
    AgentValuesError
        If the largest is not the largest of those that are kept.
    """
    one = shape_of("discount", discount, DiscountError) == ()
    several = kept if one else discount
    if several is None:
        return check_discount(discount), None
    if np.shape(several) != (n_goals,):
        raise ShapeError(f"discount has shape {np.shape(several)}; expected a number, or (G,) = ({n_goals},).")
    table: FloatArray = frozen_array([check_discount(each) for each in np.asarray(several).tolist()])
    if one and table.max() != check_discount(discount):
        raise AgentValuesError(f"discount is {discount}, and that of the goals up to {table.max()}; give one of them.")
    return float(table.max()), table


def check_one_way(**ways: Any) -> None:
    """Raise `AgentValuesError` if the agent values states in more than one way."""
    given = [name for name, way in ways.items() if way is not None]
    if len(given) > 1:
        raise AgentValuesError(f"both {given[0]} and {given[1]} are given; an agent values states one way.")


def read_asked(asked: Any, mask: BoolArray) -> BoolArray:
    """Return which rows are looked at, some of the available ones, shape (S, A)."""
    rows = np.asarray(asked)
    if rows.shape != mask.shape or rows.dtype != bool or not (rows & mask).any() or (rows & ~mask).any():
        raise AgentValuesError(f"asked is {shortened(asked)}; expected bool, shape {mask.shape}, of available rows.")
    return frozen_array(rows, bool)


def read_temperature(temperature: Any) -> float:
    """Return a temperature above 0."""
    return check_positive("temperature", temperature, AgentValuesError)


def read_coordinates(coordinates: Any, n_states: int) -> FloatArray:
    """Return where states lie, shape (S, d)."""
    return finite_array("coordinates", coordinates, (n_states, None), "(S, d)", AgentValuesError)


def read_noise(noise: Any, q: Any, shape: tuple[int, ...]) -> Noise | None:
    """Return the noise as given; without one, the name of the float type of q where that is not float64.

    Raises
    ------
    AgentValuesError
        If a number is negative or not finite, or a name is none of the two.
    ShapeError
        If an array has another shape than q.
    """
    if noise is None:
        return float_name(getattr(q, "dtype", None))
    return check_noise(noise, shape, AgentValuesError)


def check_noise(noise: Any, shape: tuple[int, ...], error: type[InputError], *, name: str = "noise") -> Noise:
    """Return the noise as a float, a frozen array of this shape, or the name of a float type; or raise."""
    if isinstance(noise, str):
        if noise not in {"float16", "float32"}:
            raise error(f"{name} is {noise!r}; expected a number of at least 0, an array, 'float32' or 'float16'.")
        return noise
    if np.ndim(noise) == 0:
        try:
            number = float(noise)
        except (TypeError, ValueError) as problem:
            raise error(f"{name} is {shortened(noise)}; expected a finite number of at least 0.") from problem
        if isinstance(noise, bool) or not (np.isfinite(number) and number >= 0):
            raise error(f"{name} is {noise}; expected a finite number of at least 0.")
        return number
    array = real_array(name, noise, str(shape), error)
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}; expected a number, or one for each value: {shape}.")
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        raise error(f"{name} is finite and at least 0; found {locate(bad, array, '(g, s, ...)')}.")
    return array


def read_test_noise(noise: Any, shape: tuple[int, int]) -> float | FloatArray:
    """Return how far test functions may be from the truth: a float, or a frozen array (G, S); or raise."""
    found = check_noise(noise, shape, AgentValuesError, name="test_noise")
    if isinstance(found, str):
        raise AgentValuesError(f"test_noise is {noise!r}; expected a number of at least 0, or an array (G, S).")
    return found


def read_own_values(v: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """Return the agent's own state values, NaN where they are unknown, shape (G, S)."""
    array = real_array("v", v, "(g, s)", AgentValuesError)
    if array.shape != shape:
        raise ShapeError(f"v has shape {array.shape}; expected (G, S) = {shape}.")
    infinite = np.isinf(array)
    if infinite.any():
        raise AgentValuesError(
            f"v is not finite, {locate(infinite, array, '(g, s)')}; replace it, or write NaN where it is unknown."
        )
    return array


def read_transition_rewards(
    given: ArrayLike | Sequence[SparseMatrix] | Callable[..., ArrayLike], shape: tuple[int, ...]
) -> TransitionRewards:
    """Return rewards r(g, s, a, t) as a frozen array (G, S, A, S), or as G csr_arrays (S*A, S).

    Raises
    ------
    AgentValuesError
        If a number is not finite.
    ShapeError
        If the shapes do not fit.
    """
    n_goals, n_states, n_actions = shape
    full = (n_goals, n_states, n_actions, n_states)
    if callable(given):
        places = np.indices(full, sparse=True)
        given = np.broadcast_to(np.asarray(given(*places), dtype=float), full)
    if isinstance(given, list | tuple) and given and all(issparse(each) for each in given):
        expected = (n_states * n_actions, n_states)
        if len(given) != n_goals or any(each.shape != expected for each in given):
            raise ShapeError(
                f"transition_rewards are {len(given)} sparse matrices, the first of shape {given[0].shape}; expected "
                f"one of shape (S*A, S) = {expected} for each of {n_goals} goals."
            )
        for goal, each in enumerate(given):
            if not np.isfinite(csr_array(each).data).all():
                raise AgentValuesError(f"transition_rewards of goal {goal} hold a number that is not finite.")
        return tuple(read_only_rows(each) for each in given)
    rest: Any = given  # an array, or what one can be made of
    return finite_array("transition_rewards", rest, full, "(G, S, A, S)", AgentValuesError)


def check_beside(goals: Goals, report: SolverReport | None, shape: tuple[int, ...]) -> None:
    """Raise unless action rewards and the report fit the shape of q."""
    extra = goals.action_rewards
    if extra is not None and extra.shape != shape:
        raise ShapeError(f"the goals' action_rewards have shape {extra.shape}; expected that of q, {shape}.")
    if report is None:
        return
    check_kind("report", report, SolverReport, AgentValuesError, "leave it out")
    for each in (report.goal_errors, report.goal_residuals):
        if each is not None and len(each) != shape[0]:
            raise ShapeError(f"the report speaks of {len(each)} goals; expected {shape[0]}, as many as q has.")


def optional(read: Callable[..., Any], thing: Any, *arguments: Any) -> Any:
    """Return what `read` makes of a thing that may be left out."""
    return None if thing is None else read(thing, *arguments)
