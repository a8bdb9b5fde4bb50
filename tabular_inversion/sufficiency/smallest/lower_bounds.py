"""Why no smaller goal set suffices: rational null vectors, and a tree of linear bounds in fractions.

A shortage names goals of which any sufficient set holds at least so many: all others together leave independent null
vectors on one support, each of which needs one more goal. Nonnegative weights on shortages bound the size of every set
from below; where one choice of weights is not enough, the tree splits on whether a goal is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from math import ceil
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import rank
from tabular_inversion.exact.linear_algebra import null_space
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.highs import linear_program
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.smallest.spanning import Violation

MAX_NODES = 2000
"""So many linear programs are solved for a proof before it is given up."""

_GRID = 2**24  # weights are rounded to multiples of 1 / _GRID: any nonnegative weights give a true bound


@dataclass(frozen=True, eq=False)
class Shortage(Record):
    """At least so many of the goals that see any of these vectors belong to any sufficient set.

    Attributes
    ----------
    vectors : numpy.ndarray of Fraction, shape (n, at_least)
        Independent differences of kernel rows.
    """

    vectors: FractionArray

    @property
    def at_least(self) -> int:
        """How many of them."""
        return int(self.vectors.shape[1])

    def outside(self, matrix: FractionArray) -> BoolArray:
        """Tell which goals, rows of M, see any of the vectors, shape (k,)."""
        used = (self.vectors != 0).any(axis=1)
        seen: BoolArray = (matrix[:, used] @ self.vectors[used] != 0).any(axis=1)
        return seen

    @classmethod
    def of(cls, violation: Violation, matrix: FractionArray, *, sums_to_one: bool) -> Shortage | None:
        """Find the null vectors in fractions; None if there are fewer than the prime made believe."""
        system = matrix[~violation.outside][:, violation.states]
        if sums_to_one:
            system = np.vstack([system, np.full((1, len(violation.states)), Fraction(1), dtype=object)])
        basis = null_space(system)
        if basis.shape[1] < violation.at_least:
            return None
        vectors = np.full((matrix.shape[1], violation.at_least), Fraction(0), dtype=object)
        vectors[violation.states] = basis[:, : violation.at_least]
        return cls(vectors)

    def verify(self, n_states: int, *, sums_to_one: bool) -> None:
        """Check that the vectors are independent, and keep sums where rows have one.

        Raises
        ------
        WitnessError
            If not.
        """
        if self.vectors.ndim != 2 or len(self.vectors) != n_states:
            raise WitnessError(f"vectors: expected shape ({n_states}, any), got {self.vectors.shape}.")
        if sums_to_one and (self.vectors.sum(axis=0) != 0).any():
            raise WitnessError("vectors: one does not sum to zero, so that no two distributions differ by it.")
        if rank(self.vectors).rank < self.at_least:
            raise WitnessError("vectors: they depend on one another.")


@dataclass(frozen=True)
class Leaf:
    """Weights on cuts, by their numbers."""

    weights: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True)
class Branch:
    """Either the goal is not chosen, or it is."""

    goal: int
    without: Leaf | Branch
    chosen: Leaf | Branch


Tree = Leaf | Branch


@dataclass(frozen=True)
class Costs:
    """What goals cost, in whole numbers of a unit, and which must not be chosen.

    Attributes
    ----------
    each : tuple of int
        Above 0, for each goal.
    forbidden : tuple of int
        Numbers of goals.
    """

    each: tuple[int, ...]
    forbidden: tuple[int, ...] = ()

    @classmethod
    def equal(cls, n_goals: int) -> Costs:
        """Return that each goal costs one: then bounds are about sizes."""
        return cls((1,) * n_goals)


def prove(
    outside: BoolArray,
    at_least: Any,
    size: int,
    given: list[int],
    costs: Costs | None = None,
    *,
    end: float = np.inf,
) -> Tree | None:
    """Prove that no cheaper choice of goals meets all cuts, by branch and bound; None if that is not found.

    Parameters
    ----------
    outside : numpy.ndarray of bool, shape (cuts, k)
        A row for each cut.
    at_least : numpy.ndarray of int, shape (cuts,)
        How many of its goals are needed.
    size : int
        The bound to prove: on sizes, or on costs.
    given : list of int
        Goals that are chosen anyway; they count.
    costs : Costs, optional
        One for each goal when omitted.
    end : float
        Of `time.monotonic`: from then on nothing more is tried.
    """
    costs = Costs.equal(outside.shape[1]) if costs is None else costs
    return _grow(
        outside,
        np.asarray(at_least),
        size,
        costs,
        _root(costs, given),
        takewhile(lambda _: time.monotonic() < end, range(MAX_NODES)),
    )


def _root(costs: Costs, given: list[int]) -> Any:
    state = np.full(len(costs.each), -1)
    state[list(costs.forbidden)] = 0
    state[given] = 1
    return state


def _grow(outside: BoolArray, at_least: Any, size: int, costs: Costs, state: Any, budget: Iterator[int]) -> Tree | None:
    """Prove the bound where goals with state 1 are chosen, those with state 0 are not, and the others are free."""
    if next(budget, None) is None:
        return None
    share, weights = _relaxed(outside, at_least, size, costs, state)
    leaf = Leaf(tuple((int(i), weight) for i, weight in enumerate(weights) if weight))
    if _bound(leaf, outside, at_least, costs, state) > size - 1:
        return leaf
    free = np.flatnonzero(state < 0)
    if free.size == 0:
        return None
    # Undecided goals of many cuts: on FourRooms such trees are less than half the size of others.
    goal = int(free[(outside[:, free].sum(axis=0) * np.minimum(share, 1.0 - share)).argmax()])
    children = []
    for value in (0, 1):
        child = state.copy()
        child[goal] = value
        grown = _grow(outside, at_least, size, costs, child, budget)
        if grown is None:
            return None
        children.append(grown)
    return Branch(goal, *children)


def _relaxed(
    outside: BoolArray, at_least: Any, size: int, costs: Costs, state: Any
) -> tuple[FloatArray, list[Fraction]]:
    """Solve the linear program, in which a cut may be missed at the price of `size`: it is never infeasible."""
    free = state < 0
    left = at_least - outside[:, state == 1].sum(axis=1)
    n_cuts, n_free = len(outside), int(free.sum())
    matrix = np.hstack([outside[:, free], np.eye(n_cuts)])
    cost = np.concatenate([np.array(costs.each, float)[free], np.full(n_cuts, float(size))])
    limits = [(0, 1)] * n_free + [(0, None)] * n_cuts
    found = linear_program(cost, A_ub=-matrix, b_ub=-left, bounds=limits, method="highs")
    weights = np.rint(np.maximum(-found.ineqlin.marginals, 0.0) * _GRID).astype(int)
    return found.x[:n_free], [Fraction(int(weight), _GRID) for weight in weights]


def _bound(leaf: Leaf, outside: BoolArray, at_least: Any, costs: Costs, state: Any) -> Fraction:
    """Bound from below the cost of every choice that meets the cuts and agrees with the state, exactly.

    Weighing the cuts gives ``sum_g price_g x_g >= sum_c weight_c at_least_c``, and a goal costs
    ``cost_g x_g >= price_g x_g - (price_g - cost_g)`` where its price exceeds its cost.
    """
    price = [Fraction(0)] * outside.shape[1]
    total = Fraction(0)
    for cut, weight in leaf.weights:
        total += weight * int(at_least[cut])
        for goal in np.flatnonzero(outside[cut]).tolist():
            price[goal] += weight
    for goal, fixed in enumerate(state.tolist()):
        if fixed == 1:
            total += costs.each[goal] - price[goal]
        elif fixed < 0:
            total -= max(price[goal] - costs.each[goal], Fraction(0))
    return total


def bound_of(tree: Tree, outside: BoolArray, at_least: Any, given: list[int], costs: Costs | None = None) -> int:
    """Return the least size (cost) of a set of goals that a tree allows: the weights at each leaf bound every choice.

    Raises
    ------
    WitnessError
        If a weight is negative, or belongs to no cut.

    Examples
    --------
    >>> pairs = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], bool)
    >>> bound_of(prove(pairs, [1, 1, 1], 2, []), pairs, [1, 1, 1], [])
    2
    """
    costs = Costs.equal(outside.shape[1]) if costs is None else costs
    bounds = []
    for leaf, state in _leaves(tree, _root(costs, given)):
        if not all(0 <= cut < len(outside) and weight >= 0 for cut, weight in leaf.weights):
            raise WitnessError("tree: a weight is negative, or belongs to no set of null vectors.")
        bounds.append(ceil(_bound(leaf, outside, at_least, costs, state)))
    return min(bounds)


def _leaves(tree: Tree, state: Any) -> Iterator[tuple[Leaf, Any]]:
    if isinstance(tree, Leaf):
        yield tree, state
        return
    if not 0 <= tree.goal < len(state) or state[tree.goal] >= 0:
        raise WitnessError(f"tree: it branches on goal {tree.goal}, which does not exist or is settled already.")
    for value, child in ((0, tree.without), (1, tree.chosen)):
        below = state.copy()
        below[tree.goal] = value
        yield from _leaves(child, below)


def used_cuts(tree: Tree) -> set[int]:
    """Return the numbers of the cuts with a weight at some leaf."""
    if isinstance(tree, Leaf):
        return {cut for cut, _ in tree.weights}
    return used_cuts(tree.without) | used_cuts(tree.chosen)


def renumber(tree: Tree, numbers: dict[int, int]) -> Tree:
    """Return the tree with its cuts numbered anew."""
    if isinstance(tree, Leaf):
        return Leaf(tuple((numbers[cut], weight) for cut, weight in tree.weights))
    return Branch(tree.goal, renumber(tree.without, numbers), renumber(tree.chosen, numbers))
