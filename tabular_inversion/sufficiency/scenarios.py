"""From worlds, policies and discounts to the test functions of all candidate goals, in bounded floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion import bellman
from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import InputError, PolicyError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import uniform
from tabular_inversion.sufficiency.agent_policies import WORDS
from tabular_inversion.sufficiency.conditioning.predicted import scales_of
from tabular_inversion.sufficiency.conditioning.spans import Scenario
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.validation import check_indices, real_array

Rows: TypeAlias = ArrayLike | Sequence[tuple[int, int]] | None
"""Rows asked about: states (all of their actions), a mask bool (S,) or (S, A), or pairs (state, action); None: all."""

FloatPolicy: TypeAlias = Literal["optimal", "uniform", "generic"] | ArrayLike
"""What the agents do: "generic" draws one unconditional policy."""

_ROUNDING = 8 * float(np.finfo(np.float64).eps)
_UNKNOWN_ERROR = 1e-9  # relative, of values without a bound


def read_region(rows: Rows, available: BoolArray) -> BoolArray:
    """Return which rows are asked about, bool (S, A); raises `InputError` where there is none.

    Examples
    --------
    >>> read_region([1], np.ones((2, 2), bool)).tolist()
    [[False, False], [True, True]]
    """
    if rows is None:
        return available
    try:
        given = np.asarray(rows)
    except ValueError as problem:
        raise InputError("rows: expected states, a mask (S,) or (S, A), or pairs (state, action).") from problem
    asked = np.zeros(available.shape, bool)
    if given.dtype == bool and given.shape == (len(available),):
        asked |= given[:, None]
    elif given.dtype == bool and given.shape == available.shape:
        asked |= given
    elif given.dtype != bool and given.ndim == 1:
        asked[check_indices("rows", given, len(available), InputError)] = True
    elif given.dtype != bool and given.ndim == 2 and given.shape[1] == 2:
        states = check_indices("rows", given[:, 0], available.shape[0], InputError)
        asked[states, check_indices("rows", given[:, 1], available.shape[1], InputError)] = True
    else:
        raise InputError(
            f"rows has shape {given.shape}; expected states, a mask of shape ({len(available)},) or {available.shape}, "
            "or pairs (state, action)."
        )
    asked &= available
    if not asked.any():
        raise InputError("rows: none of them is available; name states or rows that exist.")
    return asked


def policy_is(policy: Any, word: str) -> bool:
    """Tell whether a policy is given by this word."""
    return isinstance(policy, str) and policy == word


def drawn_policy(available: BoolArray, *, seed: int = 0) -> FloatArray:
    """Return an unconditional policy with drawn probabilities, quotients of small numbers, of these actions (S, A).

    Examples
    --------
    >>> drawn_policy(np.array([[True, True], [True, False]])).round(3)
    array([[0.56, 0.44],
           [1.  , 0.  ]])
    """
    weights = np.where(available, np.random.default_rng(seed).integers(2, 17, available.shape), 0).astype(float)
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny))


def agent_of(
    world: MDP, goals: Goals, policy: FloatPolicy, *, progress: Callable[[int, int], None] | None = None
) -> AgentValues:
    """Return the values of agents in a world, with a bound on their error.

    `progress` is called after each policy update of optimal agents, and may raise to stop.
    """
    if isinstance(policy, str):
        if policy == "optimal":
            return bellman.solve(world, goals, progress=progress)
        if policy not in WORDS:
            raise PolicyError(f"the policy is {policy!r}; expected {', '.join(map(repr, WORDS))}, or probabilities.")
        chosen = drawn_policy(world.available) if policy == "generic" else uniform(world.available)
        return bellman.evaluate(world, goals, chosen)
    given = np.asarray(policy)
    if given.dtype == bool:
        if given.shape != world.available.shape:
            raise ShapeError(f"the policy's actions have shape {given.shape}; expected {world.available.shape}.")
        given = drawn_policy(given)
    return bellman.evaluate(world, goals, given)


def name_of_policy(policy: Any) -> str:
    """Say in words what agents do."""
    if isinstance(policy, str):
        words = {"optimal": "optimal agents", "uniform": "the uniform policy", "generic": "almost every policy"}
        return words.get(policy, policy)
    return "the given policies of the goals" if np.ndim(policy) == 3 else "the given policy"


def scenario_of(agent: AgentValues, sets: SuccessorSets, *, relative: bool, name: str) -> Scenario:
    """Return what an agent's goals say about sets of successors, in units of their own noise."""
    scale = scales_of(agent.q, relative=relative)
    matrix = agent.test_matrix
    size = np.abs(matrix).max(axis=1)
    bounds = None if agent.report is None else agent.report.goal_errors
    errors = _UNKNOWN_ERROR * size if bounds is None else np.asarray(bounds)
    moved = agent.discount * agent.goals.continuation.max(axis=1) * errors + _ROUNDING * size
    return Scenario(name, matrix / scale[:, None], moved / scale, sets, agent.discount)


def kernel_radii(counts: ArrayLike, *, confidence: float = 0.95) -> FloatArray:
    """Return how far the true rows may be from relative frequencies, all at once with some probability.

    Parameters
    ----------
    counts : array_like, shape (S, A, S)
        How often (s, a) led to t.
    confidence : float
        In (0, 1).

    Returns
    -------
    numpy.ndarray, shape (S, A)
        A bound on ``sum |P(s,a) - frequencies|``: ``sqrt(2 log((2^N - 2) rows / (1 - confidence)) / visits)`` on the N
        states that were seen to follow, never above 2; 2 without a visit, and 0 where one state alone followed (its
        row is taken to be sure).

    Raises
    ------
    ShapeError
        If the counts are not (S, A, S).
    InputError
        If a count is negative, or the confidence no probability.

    Notes
    -----
    Weissman et al. (2003). The support is taken as known: transitions that were never seen are not in the region.

    Examples
    --------
    >>> kernel_radii([[[50, 50]], [[0, 0]]]).round(2).tolist()
    [[0.27], [2.0]]
    """
    seen = real_array("counts", counts, "(S, A, S)", ShapeError)
    if seen.ndim != 3 or seen.shape[0] != seen.shape[2]:
        raise ShapeError(f"counts have shape {seen.shape}; expected (S, A, S).")
    if not (seen >= 0).all() or not 0 < confidence < 1:
        raise InputError(f"counts below 0, or confidence {confidence} outside (0, 1).")
    visits, sizes = seen.sum(axis=2), (seen > 0).sum(axis=2)
    subsets = np.maximum(sizes * np.log(2.0) + np.log1p(-(2.0 ** (1.0 - np.maximum(sizes, 2)))), 0.0)
    rows = max(int((visits > 0).sum()), 1)
    bound = np.sqrt(2.0 * (subsets + np.log(rows / (1.0 - confidence))) / np.maximum(visits, 1.0))
    return np.where(visits == 0, 2.0, np.where(sizes == 1, 0.0, np.minimum(bound, 2.0)))


def widened(scenario: Scenario, agent: AgentValues, radii: FloatArray, *, relative: bool) -> Scenario:
    """Return a scenario whose errors cover all kernels within radii: what is certified there holds for each of them.

    The values of such a kernel differ by at most ``max radii * span(M_g) / 2 / (1 - discount)``: the Bellman operator
    of one kernel moves the fixed point of the other by no more than the difference of two rows allows, and contracts.
    """
    if agent.discount >= 1:
        raise InputError("at discount 1 no bound on values holds for all kernels near one; give a discount below 1.")
    matrix = agent.test_matrix
    moved = float(radii[agent.available].max()) * np.ptp(matrix, axis=1) / 2.0 / (1.0 - agent.discount)
    scale = scales_of(agent.q, relative=relative)
    error = scenario.error + agent.discount * agent.goals.continuation.max(axis=1) * moved / scale
    return Scenario(scenario.name, scenario.matrix, error, scenario.sets, scenario.discount)


def drawn_world(world: MDP, seed: int) -> MDP:
    """Return a world with the same possible transitions and drawn probabilities, almost uniform on each simplex.

    They are quotients of whole numbers, so that fractions stay short.

    Examples
    --------
    >>> first = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)
    >>> drawn = drawn_world(first, 0)
    >>> bool((drawn.dense().support == first.support).all()), bool(drawn == first)
    (True, False)
    """
    rows = csr_array(world.sparse().kernel, copy=True)
    rows.eliminate_zeros()
    # Away from zero: where a probability is tiny, a rank that floats prove is one in name only.
    weights = 1.0 + np.floor(20.0 * np.random.default_rng(seed).exponential(size=rows.nnz))
    sums = np.add.reduceat(weights, rows.indptr[:-1][np.diff(rows.indptr) > 0])
    filled = np.repeat(sums, np.diff(rows.indptr)[np.diff(rows.indptr) > 0])
    kernel = csr_array((weights / filled, rows.indices, rows.indptr), shape=rows.shape)
    names = (world.state_names, world.action_names)
    return MDP(kernel, world.discount, world.available, *names, coordinates=world.coordinates)


def world_on(support: Supported, discount: float, seed: int) -> MDP:
    """Return a drawn world on a known support."""
    pattern = support.support
    n_actions = pattern.shape[0] // pattern.shape[1]
    sizes = np.diff(pattern.indptr)
    flat = np.repeat(1.0 / np.maximum(sizes, 1), sizes)
    kernel = csr_array((flat, pattern.indices, pattern.indptr), shape=pattern.shape)
    return drawn_world(MDP(kernel, discount, (sizes > 0).reshape(-1, n_actions)), seed)


def sets_of(kernel_class: KernelClass, asked: BoolArray) -> SuccessorSets:
    """Return the sets of successors of the rows asked about."""
    return SuccessorSets.of(kernel_class, np.flatnonzero(asked), len(asked))
