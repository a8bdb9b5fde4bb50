"""Worlds, in rational numbers, on which the error bounds are attained (T2b, T3d)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Literal, TypeAlias, get_args

import numpy as np

from tabular_inversion.error_bounds.norms import check_norm
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP, as_fraction, evaluate, fraction_array, solve
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.records import Record

MatchingOperator: TypeAlias = Literal["max", "conditional", "unconditional"]

DECOY, TRUTH, START, SINK = range(4)
"""The states of a `MatchingInstance`; every action leads from START to TRUTH, and from the others to SINK."""


@dataclass(frozen=True, eq=False, repr=False)
class MatchingInstance(Record):
    """A deterministic world and noise under which matching columns takes row (START, 0) to DECOY, not to TRUTH.

    Attributes
    ----------
    world : ExactMDP
        Four states.
    exact : ExactAgentValues
        The world's own values.
    noisy : ExactAgentValues
        The same plus noise of norm `eps` in some rows and less in the others.
    eps : Fraction
        The noise.
    radius : Fraction
        ``D / (2 (1 + discount * c))`` of the exact values, and of the noisy ones.
    norm : float
        The norm over goals of the noise and of the matching.
    """

    world: ExactMDP
    exact: ExactAgentValues
    noisy: ExactAgentValues
    eps: Fraction
    radius: Fraction
    norm: float


def tight_matching_instance(
    *,
    norm: float = np.inf,
    discount: Fraction | int | str = Fraction(1, 2),
    width: int = 1,
    operator: MatchingOperator = "max",
    excess: Fraction | int | str = 0,
) -> MatchingInstance:
    """Return a world in which noise at the separation radius defeats the matching of columns.

    Parameters
    ----------
    norm : float
        1, 2 or infinity.
    discount : Fraction, int or str
        In [0, 1).
    width : int
        The number of goals and of actions, at least 1. For the 2-norm a perfect square, so that its root is rational.
    operator : {"max", "conditional", "unconditional"}
        An optimal agent; a policy by which goal g takes action g; or action 0 for all goals.
    excess : Fraction, int or str
        The noise is ``(1 + excess)`` times the radius: at 0 the wrong column is as near as the true one (and first in
        order), above 0 it is nearer, below 0 the true column is nearer.

    Returns
    -------
    MatchingInstance
        With radius ``width^(1/p)``.

    Raises
    ------
    InputError
        If the norm, width, operator or excess is out of range.

    Notes
    -----
    Source: T2b, equality.

    Examples
    --------
    >>> found = tight_matching_instance(discount="1/2")
    >>> found.radius, found.eps
    (Fraction(1, 1), Fraction(1, 1))
    >>> [int(x) for x in found.exact.test_matrix[0]], str(found.noisy.q[0, START, 0])
    ([3, 6, 21, 12], '5')
    """
    root = _rational_root(width, check_norm("norm", norm))
    share = as_fraction(excess)
    if operator not in get_args(MatchingOperator):
        raise InputError(f"operator is {operator!r}; expected 'max', 'conditional' or 'unconditional'.")
    if share < -1:
        raise InputError(f"excess is {share}; expected at least -1, as noise is not negative.")
    world = ExactMDP(_to_next_states(width), as_fraction(discount))
    constant = Fraction(1) if operator == "unconditional" else root
    gap = 2 * (1 + world.discount * constant)
    goals = ExactGoals(np.outer(np.full(width, gap), [-1, 0, 6, 2]))
    exact = _values(world, goals, operator)
    eps = (1 + share) * root
    noisy_q = exact.q.copy()
    # Both columns move up, away from the row's values, as far as noise of this size can move them.
    noisy_q[:, [DECOY, TRUTH]] += _noise_of_states(width, eps, root, operator)[:, None]
    noisy_q[:, START, 0] -= eps / root
    noisy = ExactAgentValues(noisy_q, goals, world.discount, exact.policy)
    return MatchingInstance(world, exact, noisy, eps, root, float(norm))


def _rational_root(width: int, norm: float) -> Fraction:
    """Return ``width^(1/norm)``, or raise if it is irrational."""
    if width < 1:
        raise InputError(f"width is {width}; expected at least 1.")
    if norm == 2.0 and isqrt(width) ** 2 != width:
        raise InputError(f"width is {width}; for the 2-norm it must be a perfect square, as its root enters the world.")
    return Fraction({1.0: width, 2.0: isqrt(width)}.get(norm, 1))


def _to_next_states(width: int) -> FractionArray:
    next_states = {DECOY: SINK, TRUTH: SINK, START: TRUTH, SINK: SINK}
    kernel = np.zeros((4, width, 4), dtype=int)
    kernel[list(next_states), :, list(next_states.values())] = 1
    return kernel.astype(object)


def _noise_of_states(width: int, eps: Fraction, root: Fraction, operator: MatchingOperator) -> FractionArray:
    """Return noise (G, A) of norm `eps` for each action: a share for every goal, or all of it for one goal each."""
    shares = np.full((width, width), 1 / root) if operator == "unconditional" else np.eye(width, dtype=int)
    result: FractionArray = fraction_array(shares) * eps
    return result


def _values(world: ExactMDP, goals: ExactGoals, operator: MatchingOperator) -> ExactAgentValues:
    if operator == "max":
        return solve(world, goals)
    width = world.n_actions
    actions = np.arange(width)[:, None] if operator == "conditional" else np.array(0)
    policy = np.eye(width, dtype=int)[np.broadcast_to(actions, (*actions.shape[:1], world.n_states))]
    return evaluate(world, goals, policy.astype(object))


@dataclass(frozen=True, eq=False, repr=False)
class LowerBoundInstance(Record):
    """Two worlds with one and the same noisy agent: no method can be nearer than `error` to both.

    Attributes
    ----------
    worlds : tuple of two ExactMDP
        Two states and two actions; their rows of action 0 are ``2 * error`` apart in each entry.
    agents : tuple of two ExactAgentValues
        The exact values in each world.
    shown : ExactAgentValues
        Noisy values of either: no entry is more than `eps` from those of `agents`, and each is that far in some.
    eps : Fraction
        The noise in each value.
    error : Fraction
        ``(1 + discount) eps``: whatever kernel is made of `shown`, an entry of it is this far from one of the worlds.
    """

    worlds: tuple[ExactMDP, ExactMDP]
    agents: tuple[ExactAgentValues, ExactAgentValues]
    shown: ExactAgentValues
    eps: Fraction
    error: Fraction


def lower_bound_instance(
    eps: Fraction | int | str,
    *,
    discount: Fraction | int | str = Fraction(1, 2),
    operator: Literal["policy", "max"] = "policy",
) -> LowerBoundInstance:
    """Return two worlds that noisy values cannot tell apart, as far from each other as the error bound allows.

    Parameters
    ----------
    eps : Fraction, int or str
        The noise, positive and at most 1/8; rewards are 0 and 1.
    discount : Fraction, int or str
        In [0, 1).
    operator : {"policy", "max"}
        One policy for two goals, whose rewards are the two states' indicators; or an optimal agent for the first of
        them alone.

    Returns
    -------
    LowerBoundInstance

    Raises
    ------
    InputError
        If eps or the operator is out of range.

    Notes
    -----
    `error_bound` gives ``error`` in the infinity-norm for `Stochastic` and both operators, and with two goals for
    `Unconstrained`: it is attained, with its constant ``1 + discount``, and no method does better. Source: T3d.

    Examples
    --------
    >>> found = lower_bound_instance("1/100", discount="1/2")
    >>> [str(world.kernel[0, 0, 0]) for world in found.worlds], str(found.error)
    (['47/200', '53/200'], '3/200')
    """
    noise, gamma = as_fraction(eps), as_fraction(discount)
    if not 0 < noise <= Fraction(1, 8):
        raise InputError(f"eps is {noise}; expected a positive number of at most 1/8.")
    if operator not in ("policy", "max"):
        raise InputError(f"operator is {operator!r}; expected 'policy' or 'max'.")
    goals = ExactGoals(np.eye(2, dtype=int)[: 2 if operator == "policy" else 1].astype(object))
    error = (1 + gamma) * noise
    # Action 1 is the one taken. More of the first state by it raises every value by eps; action 0 pays that back twice.
    worlds = [_one_row_for_all_states(Fraction(1, 4) - sign * error, Fraction(1, 2) + sign * (1 - gamma) * noise, gamma)
              for sign in (1, -1, 0)]  # fmt: skip
    agents = [
        solve(world, goals) if operator == "max" else evaluate(world, goals, [[0, 1], [0, 1]]) for world in worlds
    ]
    return LowerBoundInstance((worlds[0], worlds[1]), (agents[0], agents[1]), agents[2], noise, error)


def _one_row_for_all_states(first: Fraction, second: Fraction, discount: Fraction) -> ExactMDP:
    rows = [[first, 1 - first], [second, 1 - second]]
    return ExactMDP(np.array([rows, rows], dtype=object), discount)
