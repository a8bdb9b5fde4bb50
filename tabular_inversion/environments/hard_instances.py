"""Worlds on which questions about goals are as hard as exact cover and set cover (CX)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked

if TYPE_CHECKING:
    from tabular_inversion.exact import ExactGoals, ExactMDP


@checked
def exact_cover(sets: Sequence[Iterable[int]]) -> tuple[ExactMDP, ExactGoals]:
    """Return a world in which a row is identified in `Sparse` (t) iff 3 t elements have no exact cover by these sets.

    Parameters
    ----------
    sets : sequence of sets of three different ints
        Triples of the elements 0 .. 3 t - 1, each of which is in some triple.

    Returns
    -------
    ExactMDP, ExactGoals
        Discount 0. All states lead to state 0, whose column of M is 1/t everywhere; state j + 1 stands for the j-th
        triple, and there is one goal for each element. The question is about any row, at instance scope.

    Raises
    ------
    InputError
        If a set has not three elements, or the elements are not 0 .. 3 t - 1.

    Notes
    -----
    Exact cover by 3-sets is NP-complete, so that the question is coNP-complete with N in the input. Source: CX.

    Examples
    --------
    >>> from tabular_inversion import Sparse, exact, identify
    >>> for triples in ([[0, 1, 2], [3, 4, 5]], [[0, 1, 2], [2, 3, 4], [3, 4, 5], [0, 1, 5]]):
    ...     world, goals = exact_cover(triples)
    ...     print(identify(exact.solve(world, goals), Sparse(2)).status.name)
    NOT_IDENTIFIED
    NOT_IDENTIFIED
    >>> world, goals = exact_cover([[0, 1, 2], [2, 3, 4], [1, 4, 5]])
    >>> identify(exact.solve(world, goals), Sparse(2)).status.name
    'IDENTIFIED'
    """
    triples = [frozenset(given) for given in sets]
    elements = sorted(frozenset().union(*triples))
    if any(len(t) != 3 for t in triples) or elements != list(range(len(elements))) or len(elements) % 3 or not triples:
        raise InputError(f"sets are {[sorted(t) for t in triples]}; expected triples of all of 0 .. 3 t - 1.")
    n, k = len(triples) + 1, len(elements)
    rewards = np.array([[Fraction(3, k), *(Fraction(int(u in t)) for t in triples)] for u in elements], dtype=object)
    kernel = np.zeros((n, 1, n), dtype=int)
    kernel[:, 0, 0] = 1
    return _in_fractions(kernel, Fraction(0), None, rewards)


@checked
def set_cover(sets: Sequence[Iterable[int]]) -> tuple[ExactMDP, ExactGoals]:
    """Return a world whose smallest goal set on its known support is the smallest cover of the elements by these sets.

    Parameters
    ----------
    sets : sequence of sets of int
        Sets of the elements 0 .. e - 1, each of which is in some set.

    Returns
    -------
    ExactMDP, ExactGoals
        Discount 1/2. For each element there is a row with two successors, x and y: in x actions lead to the sets that
        hold the element, y stays. Goal j pays in the state of set j, which stays, too.

    Raises
    ------
    InputError
        If the elements are not 0 .. e - 1.

    Notes
    -----
    The goals of some sets tell x from y for each element iff the sets cover: a smallest goal set in `Supported` is
    NP-hard, also up to a factor below the logarithm of e. Source: CX.

    Examples
    --------
    >>> from tabular_inversion import Supported
    >>> from tabular_inversion.sufficiency import minimal
    >>> world, goals = set_cover([[0, 1], [1, 2], [2, 3], [0, 3]])
    >>> minimal(world, goals, Supported.of(world.to_float())).size
    2
    """
    families = [frozenset(given) for given in sets]
    elements = sorted(frozenset().union(*families))
    if elements != list(range(len(elements))) or not elements:
        raise InputError(f"sets are {[sorted(f) for f in families]}; expected sets of all of 0 .. e - 1.")
    holders = [[j for j, family in enumerate(families) if u in family] for u in elements]
    e, k = len(elements), len(families)
    n = 3 * e + k  # the element's row, x and y, then the sets
    kernel = np.zeros((n, max(map(len, holders)), n), dtype=object) + Fraction(0)
    for u in elements:
        kernel[u, 0, [e + u, 2 * e + u]] = Fraction(1, 2)
        kernel[e + u, range(len(holders[u])), [3 * e + j for j in holders[u]]] = Fraction(1)
    stays = np.arange(2 * e, n)
    kernel[stays, 0, stays] = Fraction(1)
    rewards = np.zeros((k, n), dtype=int)
    rewards[range(k), range(3 * e, n)] = 1
    return _in_fractions(kernel, Fraction(1, 2), (kernel != 0).any(axis=2), rewards)


def _in_fractions(kernel: Any, discount: Fraction, available: Any, rewards: Any) -> tuple[ExactMDP, ExactGoals]:
    from tabular_inversion.exact import ExactGoals, ExactMDP  # which loads python-flint

    return ExactMDP(kernel.astype(object), discount, available), ExactGoals(rewards.astype(object))
