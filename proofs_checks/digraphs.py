"""Random worlds on a digraph, with numbers large enough to be generic, and all small digraphs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product

import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of
from tabular_inversion import exact
from tabular_inversion._typing import BoolArray
from tabular_inversion.exact import ExactGoals, ExactMDP

LARGE = 10**6
"""Weights and discounts are drawn from so many numbers: a polynomial of small degree vanishes with chance 1e-5."""


def random_edges(rng: np.random.Generator, n_states: int, chance: float) -> BoolArray:
    """Draw which states can follow which, shape (n, n); each has a successor."""
    edges: BoolArray = rng.random((n_states, n_states)) < chance
    edges[range(n_states), rng.integers(0, n_states, n_states)] = True
    return edges


def generic_instance(rng: np.random.Generator, edges: BoolArray, targets: list[int], *, ending: bool) -> Instance:
    """Draw a world with one action on a digraph, and indicator goals of the targets, which end on arrival or never."""
    n = len(edges)
    weights = np.where(edges, rng.integers(1, LARGE, (n, n)), 0)
    world = ExactMDP(fractions_of(weights[:, None]), Fraction(int(rng.integers(1, LARGE)), LARGE + 3))
    unit = exact.fraction_array(np.eye(n, dtype=int))[targets]
    goals = ExactGoals(unit, 1 - unit) if ending else ExactGoals(unit)
    return Instance(world, goals, exact.fraction_array(np.ones((n, 1), int)))


def subsets(n_states: int) -> Iterator[list[int]]:
    """Yield every set of states that is not empty."""
    for mask in product((False, True), repeat=n_states):
        if any(mask):
            yield np.flatnonzero(mask).tolist()


def all_digraphs(n_states: int) -> Iterator[BoolArray]:
    """Yield all digraphs in which each node has a successor, loops allowed, one of each isomorphism class."""
    orders = [np.ix_(order, order) for order in permutations(range(n_states))]
    rows = [row for row in product((False, True), repeat=n_states) if any(row)]
    for chosen in product(rows, repeat=n_states):
        edges = np.array(chosen)
        if all(edges.tobytes() <= edges[order].tobytes() for order in orders):
            yield edges
