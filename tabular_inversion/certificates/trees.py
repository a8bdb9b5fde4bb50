"""Proofs about rows of few successors: a tree over which states are reached, with proofs about known supports.

Where at most N states are reached, N reached ones settle the others. At each node exact linear programming either
proves the end, or its solution shows which state to branch on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray
from tabular_inversion.certificates.numbers import integer_functional, left_inverse
from tabular_inversion.errors import InputError
from tabular_inversion.exact.linear_programs import find_nonnegative_solution, find_recession_vector
from tabular_inversion.exact.rationals import FractionArray

MAX_NODES = 20_000
"""A proof with more nodes is given up."""

Cell = tuple[BoolArray, BoolArray]
"""Which states may be reached, and which are."""

End = Callable[[Sequence[Cell]], "dict[str, Any] | tuple[int, int]"]


def no_row_but(
    point: FractionArray | None, matrix: FractionArray, values: FractionArray, scale: Sequence[int], few: int
) -> dict[str, Any]:
    """Prove that no distribution on few states has these values, or none but a point.

    Parameters
    ----------
    point : numpy.ndarray of Fraction, shape (n,), or None
        The only one; None if there is none.
    matrix, values : numpy.ndarray of Fraction, shapes (k, n) and (k,)
        The equations, the row of ones among them.
    scale : sequence of int
        What the checker multiplies each equation by.
    few : int
        How many states a distribution may reach.

    Raises
    ------
    InputError
        If the tree grows beyond `MAX_NODES` nodes.

    Examples
    --------
    Between 0 and 2 lies 1, but only a mixture of two states has the value 1/2 of two goals.

    >>> half = Fraction(1, 2)
    >>> matrix = np.array([[Fraction(x) for x in (0, 1, 2)], [Fraction(1)] * 3])
    >>> no_row_but(None, matrix, np.array([half, Fraction(1)]), [2, 1], 1)["kind"]
    'branch'
    """
    whole = scaled_rows(matrix, scale)

    def end(cells: Sequence[Cell]) -> dict[str, Any] | tuple[int, int]:
        [(within, reached)] = cells
        if point is not None and (within | (point == 0)).all():
            found = find_recession_vector(matrix[:, within], (point == 0)[within])
            if found.certificate is not None:
                states = np.flatnonzero(point)
                dual = integer_functional(found.certificate, scale)
                return {"kind": "unique", **left_inverse(whole, states), "dual": dual}
            leads = np.zeros(len(within), bool)
            leads[within] = np.asarray(found.vector) != 0
            return _unsettled(leads | (point != 0), reached), 0
        answer = find_nonnegative_solution(matrix[:, within], values)
        if answer.certificate is not None:
            return {"kind": "farkas", "dual": integer_functional(answer.certificate, scale)}
        leads = np.zeros(len(within), bool)
        leads[within] = np.asarray(answer.solution) != 0
        return _unsettled(leads, reached), 0

    n = matrix.shape[1]
    return _grow([(np.ones(n, bool), np.zeros(n, bool))], end, few, iter(range(MAX_NODES)))


def no_difference(matrix: FractionArray, scale: Sequence[int], few: int) -> dict[str, Any]:
    """Prove that no two distributions on few states have the same values.

    Parameters
    ----------
    matrix : numpy.ndarray of Fraction, shape (k, n)
        The equations, the row of ones among them.
    scale, few
        As `no_row_but`.

    Raises
    ------
    InputError
        If the tree grows beyond `MAX_NODES` nodes.

    Examples
    --------
    >>> matrix = np.array([[Fraction(x) for x in (0, 1, 2)], [Fraction(1)] * 3])
    >>> no_difference(matrix, [1, 1], 1)["kind"]
    'branch'
    """

    def end(cells: Sequence[Cell]) -> dict[str, Any] | tuple[int, int]:
        (positive, up), (negative, down) = cells
        ones = np.concatenate([np.full(positive.sum(), Fraction(1)), np.full(negative.sum(), Fraction(0))])
        table = np.vstack([np.hstack([matrix[:, positive], -matrix[:, negative]]), ones])
        answer = find_nonnegative_solution(table, [0] * len(matrix) + [1])
        if answer.certificate is not None:
            return {"kind": "apart", "dual": integer_functional(answer.certificate[:-1], scale)}
        solution: Any = answer.solution
        first, second = np.zeros(len(positive), bool), np.zeros(len(positive), bool)
        first[positive] = solution[: positive.sum()] != 0
        second[negative] = solution[positive.sum() :] != 0
        if (first & ~up).any():
            return _unsettled(first, up), 0
        return _unsettled(second, down), 1

    n = matrix.shape[1]
    cells = [(np.ones(n, bool), np.zeros(n, bool)) for _ in range(2)]
    return _grow(cells, end, few, iter(range(MAX_NODES)))


def scaled_rows(matrix: FractionArray, scale: Sequence[int]) -> list[list[int]]:
    """Return equations times their scales, in integers."""
    return [[int(x * factor) for x in row] for row, factor in zip(matrix.tolist(), scale, strict=True)]


def _unsettled(states: BoolArray, reached: BoolArray) -> int:
    return int(np.flatnonzero(states & ~reached)[0])


def _grow(cells: Sequence[Cell], end: End, few: int, nodes: Any) -> dict[str, Any]:
    """Prove the end, or branch on a state that one cell has not settled."""
    if next(nodes, None) is None:
        raise InputError(f"the proof has more than {MAX_NODES} branches; ask with fewer states, or fewer successors.")
    found = end(cells)
    if isinstance(found, dict):
        return found
    state, part = found
    here = np.arange(len(cells[0][0])) == state
    without = [
        (within & ~here, reached) if j == part else (within, reached) for j, (within, reached) in enumerate(cells)
    ]
    reached = cells[part][1] | here
    mine = (reached if reached.sum() >= few else cells[part][0], reached)
    with_it = [mine if j == part else (within & ~here, other) for j, (within, other) in enumerate(cells)]
    return {
        "kind": "branch",
        "state": state,
        "part": part,
        "without": _grow(without, end, few, nodes),
        "with": _grow(with_it, end, few, nodes),
    }
