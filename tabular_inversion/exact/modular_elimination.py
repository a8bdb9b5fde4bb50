"""Sparse linear systems modulo the prime: levels of a breadth-first search make them block tridiagonal.

On a grid of s x s cells the blocks have s rows, so that a system of s^2 unknowns costs s^4 multiplications instead of
s^6. A system without structure has one or two blocks, and costs as much as dense elimination.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import nmod_mat
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from tabular_inversion._typing import IntArray, SparseMask, SparseMatrix
from tabular_inversion.errors import InputError
from tabular_inversion.exact.finite_field import PRIME, Residues, SparseResidues, from_flint, to_flint

MAX_WORK = 3e11
"""Largest sum of the cubes of the block sizes: some minutes."""


@dataclass(frozen=True, eq=False)
class Levels:
    """An order of the unknowns in which every equation couples neighbouring blocks only.

    Attributes
    ----------
    order : numpy.ndarray of int, shape (n,)
        The unknowns, block after block.
    starts : numpy.ndarray of int
        Where each block begins in `order`, and n.
    """

    order: IntArray
    starts: IntArray

    @property
    def work(self) -> float:
        """The sum of the cubes of the block sizes."""
        return float((np.diff(self.starts).astype(float) ** 3).sum())

    @classmethod
    def of(cls, pattern: SparseMask) -> Levels:
        """Search breadth first, in both directions of every edge, from an end of each component.

        Parameters
        ----------
        pattern : bool csr_array, shape (n, n)
            Which unknowns each equation couples.
        """
        weights = csr_array((np.ones(len(pattern.indices)), pattern.indices, pattern.indptr), shape=pattern.shape)
        both = csr_array(weights + weights.T)
        count, component = connected_components(both, directed=False)
        first = np.unique(component, return_index=True)[1]
        depth = _depths(both, first)
        # The deepest state of each component is nearly as far from all others as any.
        by_depth = np.lexsort((depth, component))
        deepest = by_depth[np.searchsorted(component[by_depth], np.arange(count), side="right") - 1]
        depth = _depths(both, deepest)
        sizes = np.zeros(count, np.intp)
        np.maximum.at(sizes, component, depth + 1)
        level = depth + np.concatenate([[0], np.cumsum(sizes)[:-1]])[component]
        order = np.argsort(level, kind="stable")
        return cls(order, np.concatenate([[0], np.cumsum(np.bincount(level))]))


def _depths(graph: SparseMatrix, starts: IntArray) -> IntArray:
    return dijkstra(graph, indices=starts, unweighted=True, min_only=True).astype(np.intp)


def solve_sparse(matrix: SparseResidues, right_hand_sides: Residues, levels: Levels) -> Residues:
    """Solve ``matrix @ X = right_hand_sides`` modulo the prime, block by block.

    Parameters
    ----------
    matrix : csr_array of uint64 residues, shape (n, n)
        The system.
    right_hand_sides : numpy.ndarray of residues, shape (n, c)
        One column for each system.
    levels : Levels
        Of the pattern of `matrix`, or of one that contains it.

    Returns
    -------
    numpy.ndarray of residues, shape (n, c)

    Raises
    ------
    ZeroDivisionError
        If a leading block is singular modulo the prime; random matrices seldom are.
    InputError
        If the blocks are too large for elimination.

    Examples
    --------
    >>> matrix = csr_array(np.array([[2, 1], [0, 3]], np.uint64))
    >>> solve_sparse(matrix, np.array([[5], [3]], np.uint64), Levels.of(matrix.astype(bool)))
    array([[2],
           [1]], dtype=uint64)
    """
    if levels.work > MAX_WORK:
        raise InputError(
            f"the graph's widest level has {np.diff(levels.starts).max()} of {matrix.shape[0]} states, too many to "
            "eliminate modulo a prime; ask `structural`, which needs flows only."
        )
    rows = matrix[levels.order][:, levels.order]
    values = right_hand_sides[levels.order]
    bounds = list(zip(levels.starts[:-1].tolist(), levels.starts[1:].tolist(), strict=True))
    after: list[nmod_mat] = []  # x_i = partial_i - after_i x_(i+1)
    partial: list[nmod_mat] = []
    for i, (start, stop) in enumerate(bounds):
        low, high = bounds[max(i - 1, 0)][0], bounds[min(i + 1, len(bounds) - 1)][1]
        block = rows[start:stop, low:high].toarray()
        diagonal = to_flint(block[:, start - low : stop - low])
        right = to_flint(values[start:stop])
        if i:
            below = to_flint(block[:, : start - low])
            diagonal -= below * after[-1]
            right -= below * partial[-1]
        partial.append(diagonal.solve(right))
        after.append(diagonal.solve(to_flint(block[:, stop - low :])) if stop < high else nmod_mat(0, 0, PRIME))
    found = [partial[-1]]
    for coupling, part in zip(after[-2::-1], partial[-2::-1], strict=True):
        found.append(part - coupling * found[-1])
    solution = np.empty_like(right_hand_sides)
    solution[levels.order] = np.concatenate([from_flint(part) for part in reversed(found)])
    return solution
