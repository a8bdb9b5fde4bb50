"""Random worlds on a digraph, with numbers large enough to be generic, and all small digraphs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of
from tabular_inversion import exact
from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray

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


def goals_going_on_alike(rng: np.random.Generator, n: int, targets: IntArray) -> ExactGoals:
    """Return indicator goals with one continuation, 1 or drawn, but for the states paid in, where any goes."""
    shared = np.array([Fraction(int(x), 8) for x in rng.integers(1, 9, n)], dtype=object)
    if rng.integers(2):
        shared = shared * 0 + 1
    continuation = np.tile(shared, (len(targets), 1))
    own = rng.integers(0, 2, len(targets)).tolist()
    continuation[range(len(targets)), targets] *= np.array(own, dtype=object)
    return ExactGoals(exact.fraction_array(np.eye(n, dtype=int))[targets], continuation)


def two_ways(first: list[Any], second: list[Any], discount: Fraction) -> Instance:
    """Return six states: 0 to 2, 3, 5 and 1 to 2, 4, 5, with these weights, and 4 to 3; goals in 2, 3."""
    kernel = np.full((6, 1, 6), Fraction(0), dtype=object)
    kernel[0, 0, [2, 3, 5]] = exact.fraction_array(first)
    kernel[1, 0, [2, 4, 5]] = exact.fraction_array(second)
    kernel[[2, 3, 4, 5], 0, [2, 3, 3, 5]] = Fraction(1)
    goals = ExactGoals(np.eye(6, dtype=int)[[2, 3]])
    return Instance(ExactMDP(kernel, discount), goals, exact.fraction_array(np.ones((6, 1), int)))


def no_repeats(probabilities: FractionArray) -> bool:
    """Tell whether no probability but 0 and 1 occurs twice."""
    values = [p for p in probabilities.ravel() if p not in {0, 1}]
    return len(values) == len(set(values))


def sure_actions(successors: list[int]) -> IntArray:
    """Return the kernel in which states 0 and 1 have two sure actions, and 2 and 3 stay."""
    kernel = np.zeros((4, 2, 4), int)
    kernel[:, :, :] = np.eye(4, dtype=int)[:, None]
    kernel[[0, 0, 1, 1], [0, 1, 0, 1]] = np.eye(4, dtype=int)[successors]
    return kernel


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
