"""Hypothesis strategies: worlds, goals, policies and agents for property tests, in floats and in fractions.

Everything is drawn in fractions with small denominators, so that failing examples shrink to readable ones; the float
strategies round what the exact ones draw. Needs the extra ``testing``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from tabular_inversion import exact
from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP

Size: TypeAlias = int | st.SearchStrategy[int]
"""A number, or a strategy for one."""

Fractions: TypeAlias = st.SearchStrategy[Fraction]

STATES = st.integers(1, 4)
TWO_STATES_OR_MORE = st.integers(2, 4)
ACTIONS = st.integers(1, 3)
GOALS = st.integers(1, 3)


def _simplest_first(numbers: Iterable[Fraction]) -> Fractions:
    """Draw one of these numbers; small denominators, then small numerators, then positive ones are the simplest."""
    return st.sampled_from(sorted(set(numbers), key=lambda x: (x.denominator, abs(x), x < 0)))


DISCOUNTS: Fractions = _simplest_first(map(Fraction, ("0", "1/2", "1/3", "2/3", "1/4", "3/4", "9/10", "99/100")))
"""Discounts from 0 to 99/100; the simplest is 0, the next is 1/2."""

REWARDS: Fractions = _simplest_first(Fraction(i, d) for d in range(1, 5) for i in range(-3 * d, 3 * d + 1))
"""Rewards from -3 to 3; the simplest is 0, the next is 1."""

CONTINUATIONS: Fractions = st.sampled_from([Fraction(1), Fraction(0), Fraction(1, 2)])
"""Whether an episode goes on: mostly yes or no; the simplest is 1. Give ``st.just(Fraction(1))`` for always."""


@st.composite
def exact_stochastic_rows(
    draw: st.DrawFn, size: Size, *, max_weight: int = 4, max_successors: int | None = None
) -> FractionArray:
    """Draw a distribution: small nonnegative integers over their sum.

    Parameters
    ----------
    size : int or strategy
        How many entries.
    max_weight : int
        The largest of the integers; a large one, such as 10**12, gives probabilities near 0.
    max_successors : int, optional
        The most positive entries; any number when omitted.

    Returns
    -------
    strategy for numpy.ndarray of Fraction, shape (size,)
        The simplest example is (1, 0, ..., 0).

    Examples
    --------
    >>> from hypothesis import find
    >>> [str(p) for p in find(exact_stochastic_rows(3), lambda row: 0 < row[1] < 1)]
    ['0', '1/2', '1/2']
    """
    row: FractionArray = _over_sums(_weights(draw, 1, draw(_sized(size)), max_weight, max_successors))[0]
    return row


def stochastic_rows(
    size: Size, *, max_weight: int = 4, max_successors: int | None = None
) -> st.SearchStrategy[FloatArray]:
    """Draw a distribution in floats; see `exact_stochastic_rows`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(stochastic_rows(2), lambda row: row[1] > 0)
    array([0., 1.])
    """
    return exact_stochastic_rows(size, max_weight=max_weight, max_successors=max_successors).map(to_floats)


@st.composite
def exact_mdps(
    draw: st.DrawFn,
    *,
    n_states: Size = STATES,
    n_actions: Size = ACTIONS,
    discounts: Fractions = DISCOUNTS,
    max_weight: int = 4,
    max_successors: int | None = None,
    all_available: bool = False,
) -> ExactMDP:
    """Draw a world in fractions.

    Parameters
    ----------
    n_states, n_actions : int or strategy
        The sizes.
    discounts : strategy for Fraction
        From 0 to below 1.
    max_weight, max_successors : int
        As for `exact_stochastic_rows`; ``max_successors=1`` draws deterministic worlds.
    all_available : bool
        Whether every action is available in every state; otherwise some may not be.

    Returns
    -------
    strategy for ExactMDP
        The simplest example has one state, one action and discount 0.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(exact_mdps(), lambda mdp: mdp.discount > 0)
    ExactMDP(n_states=1, n_actions=1, discount=1/2)
    """
    n, m = draw(_sized(n_states)), draw(_sized(n_actions))
    available = np.ones((n, m), bool) if all_available else _mask(draw, n, m)
    kernel = _over_sums(_weights(draw, n * m, n, max_weight, max_successors)).reshape(n, m, n)
    kernel[~available] = Fraction(0)
    return ExactMDP(kernel, draw(discounts), available)


@st.composite
def mdps(
    draw: st.DrawFn,
    *,
    n_states: Size = STATES,
    n_actions: Size = ACTIONS,
    discounts: Fractions = DISCOUNTS,
    max_weight: int = 4,
    max_successors: int | None = None,
    all_available: bool = False,
    sparse: bool | None = None,
) -> MDP:
    """Draw a world in floats.

    Parameters
    ----------
    n_states, n_actions, discounts, max_weight, max_successors, all_available
        As for `exact_mdps`.
    sparse : bool, optional
        Whether the kernel is stored as CSR; either when omitted.

    Returns
    -------
    strategy for MDP

    Examples
    --------
    >>> from hypothesis import find
    >>> find(mdps(sparse=True), lambda mdp: mdp.n_actions > 1)
    MDP(n_states=1, n_actions=2, discount=0, sparse)
    """
    world = exact_mdps(
        n_states=n_states,
        n_actions=n_actions,
        discounts=discounts,
        max_weight=max_weight,
        max_successors=max_successors,
        all_available=all_available,
    )
    mdp = draw(world).to_float()
    return mdp.sparse() if (draw(st.booleans()) if sparse is None else sparse) else mdp


@st.composite
def exact_goals(
    draw: st.DrawFn,
    n_states: Size,
    *,
    n_goals: Size = GOALS,
    rewards: Fractions = REWARDS,
    continuations: Fractions = CONTINUATIONS,
    n_actions: int | None = None,
) -> ExactGoals:
    """Draw goals in fractions.

    Parameters
    ----------
    n_states : int or strategy
        Of the world.
    n_goals : int or strategy
        How many goals.
    rewards : strategy for Fraction
        Each reward.
    continuations : strategy for Fraction
        Each continuation, from 0 to 1.
    n_actions : int, optional
        Draw rewards of actions too, for so many; none when omitted.

    Returns
    -------
    strategy for ExactGoals
        The simplest example is one goal without rewards that never ends.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(exact_goals(2), lambda goals: goals.rewards[0, 1] > 0).rewards
    array([[Fraction(0, 1), Fraction(1, 1)]], dtype=object)
    """
    k, n = draw(_sized(n_goals)), draw(_sized(n_states))
    extra = None if n_actions is None else _table(draw, rewards, (k, n, n_actions))
    return ExactGoals(_table(draw, rewards, (k, n)), _table(draw, continuations, (k, n)), extra)


def goals(
    n_states: Size,
    *,
    n_goals: Size = GOALS,
    rewards: Fractions = REWARDS,
    continuations: Fractions = CONTINUATIONS,
    n_actions: int | None = None,
) -> st.SearchStrategy[Goals]:
    """Draw goals in floats; see `exact_goals`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(goals(2), lambda goals: len(goals) > 1)
    Goals(n_goals=2, n_states=2)
    """
    drawn = exact_goals(n_states, n_goals=n_goals, rewards=rewards, continuations=continuations, n_actions=n_actions)
    return drawn.map(lambda found: found.to_float())


@st.composite
def exact_policies(
    draw: st.DrawFn, available: BoolArray, *, n_goals: int | None = None, max_weight: int = 4
) -> FractionArray:
    """Draw a policy in fractions.

    Parameters
    ----------
    available : numpy.ndarray of bool, shape (S, A)
        Which actions exist, for example ``mdp.available``.
    n_goals : int, optional
        Draw a policy for each of so many goals; one for all when omitted.
    max_weight : int
        As for `exact_stochastic_rows`.

    Returns
    -------
    strategy for numpy.ndarray of Fraction, shape (S, A) or (G, S, A)
        The simplest example takes the first available action of each state.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(exact_policies(np.ones((1, 2), bool)), lambda policy: policy[0, 1] > 0).astype(str)
    array([['0', '1']], dtype='<U1')
    """
    shape = available.shape if n_goals is None else (n_goals, *available.shape)
    mask = np.broadcast_to(available, shape).reshape(-1, shape[-1])
    weights = _weights(draw, len(mask), shape[-1], max_weight, None)
    return _over_sums(weights, mask).reshape(shape)


def policies(available: BoolArray, *, n_goals: int | None = None, max_weight: int = 4) -> st.SearchStrategy[FloatArray]:
    """Draw a policy in floats; see `exact_policies`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(policies(np.ones((1, 2), bool)), lambda policy: True)
    array([[1., 0.]])
    """
    return exact_policies(available, n_goals=n_goals, max_weight=max_weight).map(to_floats)


@st.composite
def exact_rank_deficient_agents(
    draw: st.DrawFn,
    *,
    n_states: Size = TWO_STATES_OR_MORE,
    n_actions: Size = ACTIONS,
    discounts: Fractions = DISCOUNTS,
) -> ExactAgentValues:
    """Draw an agent whose test matrix M has rank below n, by one of three constructions.

    Too few goals; goals that repeat; or two states that are alike in every way, so that their columns of M are equal.

    Parameters
    ----------
    n_states : int or strategy
        At least 2.
    n_actions : int or strategy
        The number of actions.
    discounts : strategy for Fraction
        From 0 to below 1.

    Returns
    -------
    strategy for ExactAgentValues
        Optimal, or of one drawn policy for all goals.

    Examples
    --------
    >>> from hypothesis import find
    >>> agent = find(exact_rank_deficient_agents(), lambda agent: agent.n_states > 2)
    >>> agent, exact.rank(agent.test_matrix).rank < agent.n_states
    (ExactAgentValues(n_goals=1, n_states=3, n_actions=1, discount=0, operator='max'), True)
    """
    construction = draw(st.sampled_from(["few goals", "repeated goals", "twin states"]))
    n, m = draw(_sized(n_states)), draw(_sized(n_actions))
    n_goals = draw(st.integers(1, n + 1 if construction == "twin states" else n - 1))
    drawn = draw(exact_goals(n, n_goals=n_goals))
    mdp = draw(exact_mdps(n_states=n, n_actions=m, discounts=discounts))
    policy = draw(exact_policies(mdp.available)) if draw(st.booleans()) else None
    if construction == "repeated goals":
        drawn = drawn.select(draw(st.lists(st.integers(0, drawn.n_goals - 1), min_size=n, max_size=n + 2)))
    if construction == "twin states":
        twin = np.minimum(np.arange(n), n - 2)  # the last state is a copy of the one before
        mdp = ExactMDP(mdp.kernel[twin], mdp.discount, mdp.available[twin])
        drawn = ExactGoals(drawn.rewards[:, twin], drawn.continuation[:, twin])
        policy = None if policy is None else policy[twin]
    return exact.solve(mdp, drawn) if policy is None else exact.evaluate(mdp, drawn, policy)


def rank_deficient_agents(
    *,
    n_states: Size = TWO_STATES_OR_MORE,
    n_actions: Size = ACTIONS,
    discounts: Fractions = DISCOUNTS,
) -> st.SearchStrategy[AgentValues]:
    """Draw an agent in floats whose M, before rounding, has rank below n; see `exact_rank_deficient_agents`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(rank_deficient_agents(), lambda agent: True)
    AgentValues(n_goals=1, n_states=2, n_actions=1, discount=0, operator='max')
    """
    drawn = exact_rank_deficient_agents(n_states=n_states, n_actions=n_actions, discounts=discounts)
    return drawn.map(lambda agent: agent.to_float())


def _sized(size: Size) -> st.SearchStrategy[int]:
    return st.just(size) if isinstance(size, int) else size


def _table(draw: st.DrawFn, entries: Fractions, shape: tuple[int, ...]) -> FractionArray:
    count = int(np.prod(shape))
    values = draw(st.lists(entries, min_size=count, max_size=count))
    return exact.fraction_array(np.array(values, dtype=object)).reshape(shape)


def _weights(draw: st.DrawFn, n_rows: int, size: int, max_weight: int, max_successors: int | None) -> Any:
    """Draw nonnegative Python integers, shape (n_rows, size), with at most `max_successors` positive in each row."""
    count = n_rows * (size if max_successors is None else max_successors)
    drawn = draw(st.lists(st.integers(0, max_weight), min_size=count, max_size=count))
    if max_successors is None:
        return np.array(drawn, dtype=object).reshape(n_rows, size)
    places = np.array(draw(st.lists(st.integers(0, size - 1), min_size=count, max_size=count)))
    weights = np.zeros((n_rows, size), dtype=object)
    np.add.at(weights, (np.repeat(np.arange(n_rows), max_successors), places), np.array(drawn, dtype=object))
    return weights


def _over_sums(weights: Any, mask: BoolArray | None = None) -> FractionArray:
    """Return each row over its sum; a row of zeros stands for the first entry that the mask allows."""
    allowed = np.ones(weights.shape, bool) if mask is None else mask
    kept = np.where(allowed, weights, 0)
    empty = np.flatnonzero(kept.sum(axis=1) == 0)
    kept[empty, allowed[empty].argmax(axis=1)] = 1
    rows: FractionArray = exact.fraction_array(kept) / kept.sum(axis=1)[:, None]
    return rows


def _mask(draw: st.DrawFn, n_states: int, n_actions: int) -> BoolArray:
    """Draw which actions exist; the simplest mask has all of them, and the first one stands in where none is left."""
    n_rows = n_states * n_actions
    available = np.ones((n_states, n_actions), bool)
    available.flat[draw(st.lists(st.integers(0, n_rows - 1), max_size=n_rows))] = False
    available[~available.any(axis=1), 0] = True
    return available
