"""Deterministic rows by matching: the successor is the state whose column of M is nearest to the values (T2a, T2b)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from tabular_inversion._typing import FloatArray, IntArray, SparseMatrix
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.equations import rounding
from tabular_inversion.recovery.residual import largest_residual
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.spectrum import append_ones, numerical_rank, power_of_two_scale
from tabular_inversion.recovery.system import RowSystem

_METRICS: dict[float, Any] = {1: "cityblock", 2: "euclidean", np.inf: "chebyshev"}
BELOW = 2.0**-900
"""Less than two floats in unit scale can differ by, away from underflow."""
_BLOCK = 2**22
"""Distances in one block, 32 MB."""
_TREE_GOALS = 8
"""Up to this many goals a k-d tree finds neighbours faster than all distances are computed, in large worlds."""
_TREE_STATES = 4096


@checked
def column_matching(matrix: FloatArray, values: FloatArray, *, norm: float = np.inf) -> Recovery:
    """Return, for each row, the vertex of the simplex whose column of M is nearest to the values.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M.
    values : numpy.ndarray, shape (k, R)
        A right-hand side for each row.
    norm : float
        Of the distance over goals: 1, 2 or infinity.

    Returns
    -------
    Recovery
        Sparse rows (R, n) with one entry each; the first state where several columns are equal. `rank` is that of
        [M;1], and `condition` is 1: nothing is solved.

    Raises
    ------
    InputError
        If the norm is none of the three.

    Examples
    --------
    >>> import numpy as np
    >>> column_matching(np.array([[0.0, 1.0, 3.0]]), np.array([[2.9, 0.1]])).rows.toarray()
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    _check_norm(norm)
    found = matched(_nearest(matrix.T, values.T, norm), matrix.shape[1], norm)
    rank = numerical_rank(append_ones(matrix / power_of_two_scale(matrix)))
    return replace(found, rank=rank, residual=largest_residual(matrix, found.rows, values))


def matched(states: IntArray, n_states: int, norm: float = np.inf) -> Recovery:
    """Return rows whose successors these are; their residual and the rank of the system are not looked at."""
    ends = np.arange(len(states) + 1)
    rows: SparseMatrix = csr_array((np.ones(len(states)), states, ends), shape=(len(states), n_states))
    return Recovery(rows, np.zeros(len(states)), 0, 1.0, f"column matching in the {norm}-norm")


@checked
def column_separation(matrix: FloatArray, norm: float = np.inf) -> FloatArray:
    """Return the distance from each column of a matrix to the nearest other one, shape (n,); infinity when n = 1.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M, or any matrix.
    norm : float
        1, 2 or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> column_separation(np.array([[0.0, 1.0, 3.0]]))
    array([1., 1., 2.])
    """
    _check_norm(norm)
    columns = np.ascontiguousarray(matrix.T)
    n = len(columns)
    if n == 1:
        return np.array([np.inf])
    if _prefers_tree(columns):
        return np.asarray(cKDTree(columns).query(columns, k=2, p=norm)[0])[:, 1]
    separation = np.empty(n)
    block = max(1, _BLOCK // n)
    for start in range(0, n, block):
        part = np.arange(start, min(start + block, n))
        distance = cdist(columns[part], columns, _METRICS[norm])
        distance[np.arange(len(part)), part] = np.inf
        separation[part] = distance.min(axis=1)
    return separation


def matching_scale(system: RowSystem) -> tuple[FloatArray, FloatArray]:
    """Bring the columns of M, and the right-hand sides, to units of their uncertainty.

    Parameters
    ----------
    system : RowSystem
        Of an agent.

    Returns
    -------
    columns : numpy.ndarray, shape (k, n)
        Two of which surely differ if their largest difference over goals exceeds 1.
    half : numpy.ndarray, shape (k, 1)
        The uncertainty of a difference of two columns: columns are ``matrix / half``.

    Notes
    -----
    Exact numbers differ where they differ at all, so their uncertainty is below every difference of floats in unit
    scale.
    """
    k = len(system.test_matrix)
    half = np.maximum(2.02 * system.uncertainty[:k].max(axis=1, keepdims=True), BELOW)
    return system.matrix[:k] * (1.0 - rounding(4)) / half, half


def value_scale(system: RowSystem) -> tuple[FloatArray, FloatArray]:
    """Bring columns (k, n) and right-hand sides (k, R) to units of the uncertainty of their difference.

    A row's true successor is within distance 1, in the maximum norm.
    """
    k = len(system.test_matrix)
    half = system.uncertainty[:k].max(axis=1, keepdims=True) + system.value_uncertainty[:k].max(axis=1, keepdims=True)
    half = np.maximum(1.01 * half, BELOW)
    return system.matrix[:k] / half, system.values[:k] / half


def _check_norm(norm: float) -> None:
    if norm not in _METRICS:
        raise InputError(f"norm is {norm}; expected 1, 2 or infinity.")


def _prefers_tree(columns: FloatArray) -> bool:
    return columns.shape[1] <= _TREE_GOALS and len(columns) > _TREE_STATES


def two_nearest(columns: FloatArray, targets: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Find the column (k, n) nearest to each target (k, R) in the maximum norm, and how far the two nearest are.

    Returns
    -------
    nearest : numpy.ndarray of int, shape (R,)
        Its number.
    first, second : numpy.ndarray, shape (R,)
        Their distances; `second` is infinite where there is one column only.
    """
    points, sought = np.ascontiguousarray(columns.T), np.ascontiguousarray(targets.T)
    if _prefers_tree(points):
        distance, index = (np.asarray(part) for part in cKDTree(points).query(sought, k=2, p=np.inf))
        return index[:, 0], distance[:, 0], distance[:, 1]
    nearest, first, second = np.empty(len(sought), np.intp), np.empty(len(sought)), np.empty(len(sought))
    block = max(1, _BLOCK // len(points))
    for start in range(0, len(sought), block):
        part = slice(start, start + block)
        distance = cdist(sought[part], points, "chebyshev")
        nearest[part] = distance.argmin(axis=1)
        ordered = np.partition(distance, min(1, len(points) - 1), axis=1)
        first[part] = ordered[:, 0]
        second[part] = ordered[:, 1] if len(points) > 1 else np.inf
    return nearest, first, second


def _nearest(columns: FloatArray, targets: FloatArray, norm: float) -> Any:
    if _prefers_tree(columns):
        different, first = np.unique(columns, axis=0, return_index=True)
        return first[cKDTree(different).query(targets, p=norm)[1]]
    nearest = np.empty(len(targets), dtype=np.intp)
    block = max(1, _BLOCK // len(columns))
    for start in range(0, len(targets), block):
        nearest[start : start + block] = cdist(targets[start : start + block], columns, _METRICS[norm]).argmin(axis=1)
    return nearest
