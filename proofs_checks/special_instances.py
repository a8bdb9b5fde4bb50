"""Instances where things go wrong: dependent columns, equal columns, ties, exceptional discounts, given policies.

The trick is to draw M and to compute the rewards: for any M, kernel, continuation and value operator the rewards
``R = M - gamma C V`` with ``V = T(P M)`` make M the agent's (L1). So columns that depend, or that are equal, at just
this discount are as easy to draw as any.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of, generic_rewards
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array
from tabular_inversion.exact.rationals import FractionArray

DISCOUNTS = tuple(map(Fraction, ("0", "1/2", "1/3", "2/3", "1/4", "3/4", "1/10", "9/10", "99/100")))


def draw_any(rng: np.random.Generator, size: int) -> Instance:
    """Draw an instance of some kind with up to `size` states: plain or special."""
    kinds: tuple[Callable[[np.random.Generator, int], Instance], ...] = (
        draw_plain,
        draw_plain,
        draw_from_m,
        draw_graph,
        draw_given,
    )
    return kinds[rng.integers(len(kinds))](rng, size)


def draw_plain(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with small weights, and goals with small, generic or indicator rewards."""
    world = draw_world(rng, size)
    n, k = world.n_states, int(rng.integers(1, size + 1))
    kind = rng.integers(4)
    if kind == 0:
        goals = ExactGoals(generic_rewards(rng, k, n))
    elif kind == 1:
        goals = ExactGoals(fraction_array(rng.integers(-2, 3, (k, n))))
    else:
        k = min(k, n)
        paid = np.zeros((k, n), int)
        paid[range(k), rng.permutation(n)[:k]] = 1
        goals = ExactGoals(fraction_array(paid), fraction_array(1 - paid) if kind == 2 else None)
    return Instance(world, goals, draw_policy(rng, world, goals.n_goals))


def draw_world(rng: np.random.Generator, size: int) -> ExactMDP:
    """Draw a world: sure, sparse or full rows, sometimes with equal actions, an unreached state, missing actions."""
    n, m = int(rng.integers(1, size + 1)), int(rng.integers(1, 4))
    branching = int(rng.integers(1, n + 1))
    ranks = rng.random((n, m, n)).argsort(axis=2).argsort(axis=2)
    weights = np.where(ranks < branching, rng.integers(1, 4, (n, m, n)), 0)
    if n > 1 and rng.random() < 0.2:
        weights[:, :, rng.integers(n)] = 0
        weights[:, :, 0] += weights.sum(axis=2) == 0
        weights[:, :, 1] += weights.sum(axis=2) == 0
    if m > 1 and rng.random() < 0.3:
        weights[:, 1] = weights[:, 0]
    available = np.ones((n, m), bool)
    if m > 1 and rng.random() < 0.2:
        available = rng.random((n, m)) < 0.7
        available[:, 0] = True
    kernel = fractions_of(weights)
    kernel[~available] = Fraction(0)
    return ExactMDP(kernel, DISCOUNTS[rng.integers(len(DISCOUNTS))], available)


def draw_policy(rng: np.random.Generator, world: ExactMDP, n_goals: int) -> FractionArray | None:
    """Draw nothing (optimal), one even or uneven policy, or one for each goal."""
    kind = rng.integers(5)
    if kind < 2:
        return None
    shape = (*((n_goals,) if kind == 4 else ()), *world.available.shape)
    weights = np.ones(shape, int) if kind == 2 else rng.integers(0, 3, shape)
    weights = np.where(world.available, weights, 0)
    weights[..., 0] += (weights.sum(axis=-1) == 0) & world.available[..., 0]
    return fractions_of(weights)


def draw_from_m(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world and an M whose columns are equal or depend, or nearly so; the rewards are what makes it so."""
    world = draw_world(rng, size)
    n, k = world.n_states, int(rng.integers(1, size + 1))
    m = fraction_array(rng.integers(-3, 4, (k, n)))
    if n > 1:
        first, second, third = (int(i) for i in rng.choice(n, 3, replace=n < 3))
        half = Fraction(1, 2)
        kind = rng.integers(4)
        if kind == 0:
            m[:, first] = m[:, second]
        elif kind == 1:
            m[:, first] = half * m[:, second] + half * m[:, third]
        elif kind == 2:
            m[:, first] = m[:, second] + Fraction(1, 1009) * (m[:, third] - m[:, second])
    continuation = fraction_array(rng.integers(0, 2, (k, n))) if rng.random() < 0.3 else None
    policy = draw_policy(rng, world, k)
    return Instance(world, ExactGoals(rewards_of(world, m, continuation, policy), continuation), policy)


def rewards_of(
    world: ExactMDP, m: FractionArray, continuation: FractionArray | None, policy: FractionArray | None
) -> FractionArray:
    """Return the rewards (G, S) under which an agent of this world has the test matrix `m` (G, S).

    Parameters
    ----------
    world : ExactMDP
        The world.
    m : numpy.ndarray of Fraction, shape (G, S)
        Anything.
    continuation : numpy.ndarray of Fraction, shape (G, S), optional
        1 when omitted.
    policy : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), optional
        The agent is optimal when omitted: these values solve the optimality equations, which have one solution.

    Examples
    --------
    >>> world = ExactMDP([[[0, 1]], [[1, 0]]], "1/2")
    >>> rewards_of(world, fraction_array([[1, 3]]), None, None)[0].tolist()
    [Fraction(-1, 2), Fraction(5, 2)]
    """
    q = np.einsum("sat,gt->gsa", world.kernel, m)
    values = np.where(world.available, q, q.min() - 1).max(axis=2) if policy is None else (policy * q).sum(axis=2)
    kept: Any = 1 if continuation is None else continuation
    return np.asarray(m - world.discount * kept * values)


def draw_graph(rng: np.random.Generator, size: int) -> Instance:
    """Draw the moves on a connected graph, a complete bipartite one half the time, with indicator goals that end."""
    import networkx as nx

    n = int(rng.integers(2, max(3, size + 3)))
    if rng.random() < 0.5:
        graph = nx.complete_bipartite_graph(n // 2, n - n // 2)
    else:
        graph = nx.gnp_random_graph(n, 0.4, seed=int(rng.integers(2**31)))
        graph.add_edges_from(nx.path_graph(n).edges)
    kernel = np.zeros((n, n, n), int)
    available = np.zeros((n, n), bool)
    for s in range(n):
        for a, t in enumerate(sorted(graph[s])):
            kernel[s, a, t], available[s, a] = 1, True
    most = int(available.sum(axis=1).max())
    world = ExactMDP(fraction_array(kernel[:, :most]), DISCOUNTS[rng.integers(1, len(DISCOUNTS))], available[:, :most])
    chosen = rng.permutation(n)[: n if rng.random() < 0.5 else int(rng.integers(1, n + 1))]
    paid = np.zeros((len(chosen), n), int)
    paid[range(len(chosen)), chosen] = 1
    goals = ExactGoals(fraction_array(paid), fraction_array(1 - paid))
    return Instance(world, goals, draw_policy(rng, world, len(chosen)) if rng.random() < 0.3 else None)


def draw_given(rng: np.random.Generator, size: int) -> Instance:
    """Draw sure or sparse actions under an even policy, and indicator goals: what a policy mixes may coincide."""
    n, m = int(rng.integers(2, size + 1)), int(rng.integers(2, 4))
    ranks = rng.random((n, m, n)).argsort(axis=2).argsort(axis=2)
    weights = np.where(ranks < rng.integers(1, 3), rng.integers(1, 1000, (n, m, n)), 0)
    world = ExactMDP(fractions_of(weights), DISCOUNTS[rng.integers(1, len(DISCOUNTS))])
    k = int(rng.integers(1, n + 1))
    paid = np.zeros((k, n), int)
    paid[range(k), rng.permutation(n)[:k]] = 1
    goals = ExactGoals(fraction_array(paid), fraction_array(1 - paid) if rng.random() < 0.5 else None)
    return Instance(world, goals, fractions_of(np.ones((n, m), int)))


SPECIAL = (draw_from_m, draw_graph, draw_given)
