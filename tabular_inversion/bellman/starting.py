"""A first guess of optimal values where the uniform policy's are too small to point anywhere: by distances."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from tabular_inversion._typing import FloatArray
from tabular_inversion.bellman.problem import Problem

MANY_STATES = 20_000
"""From here on distances are worth their time: in smaller mazes the policy settles in as many updates without."""

FAR = 300
"""Steps to a goal from which on the same is true of smaller worlds, such as long chains."""


def with_distances(problem: Problem, m: FloatArray) -> FloatArray:
    """Raise values of M to what a goal would be worth if each action led where one wants, shape (G, S).

    A random walk forgets a goal within some hundred steps, and policy updates then spread from it by a few steps each:
    a maze of 100,000 cells is not solved within 100 of them, and with distances in 20. Policy iteration is right from
    any start. Where a goal costs something, or the world is small and no goal far, or dense, nothing is done.

    Parameters
    ----------
    problem : Problem
        World and goals.
    m : numpy.ndarray, shape (G, S)
        M of the uniform policy.
    """
    paying = np.flatnonzero((problem.rewards > 0).any(axis=1) & (problem.rewards >= 0).all(axis=1))
    if not problem.world.is_sparse or paying.size == 0:
        return m
    edges = _edges_backwards(problem)
    small = len(problem.world.available) < MANY_STATES
    result = m.copy()
    for goal in paying.tolist():
        sources = np.flatnonzero(problem.rewards[goal])
        steps = dijkstra(edges, indices=sources, unweighted=True, min_only=True)
        if small and goal == paying[0] and steps[np.isfinite(steps)].max() < FAR:
            return m
        worth = problem.rewards[goal].max() * problem.factors.max() ** steps  # 0 where no path leads there
        result[goal] = np.maximum(result[goal], np.where(np.isfinite(steps), worth, 0.0))
    return result


def _edges_backwards(problem: Problem) -> csr_array:
    """Return who can be followed by whom."""
    rows = problem.world.sparse().kernel
    n_rows, n_states = rows.shape
    pick = csr_array((np.ones(n_rows), (np.arange(n_rows) * n_states // n_rows, np.arange(n_rows))), (n_states, n_rows))
    return csr_array((pick @ (rows > 0).astype(float)).T)
