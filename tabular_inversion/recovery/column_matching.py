"""Deterministic rows by matching: the successor is the state whose column of M is nearest to the values (T2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.residual import largest_residual
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.spectrum import append_ones, numerical_rank, power_of_two_scale

_METRICS: dict[float, Any] = {1: "cityblock", 2: "euclidean", np.inf: "chebyshev"}
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
    states = _nearest(matrix.T, values.T, norm)
    rows = csr_array((np.ones(len(states)), states, np.arange(len(states) + 1)), shape=(len(states), matrix.shape[1]))
    rank = numerical_rank(append_ones(matrix / power_of_two_scale(matrix)))
    return Recovery(rows, largest_residual(matrix, rows, values), rank, 1.0, f"column matching in the {norm}-norm")


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
        return np.asarray(cKDTree(columns).query(columns, k=2, p=norm)[0][:, 1])
    separation = np.empty(n)
    block = max(1, _BLOCK // n)
    for start in range(0, n, block):
        part = np.arange(start, min(start + block, n))
        distance = cdist(columns[part], columns, _METRICS[norm])
        distance[np.arange(len(part)), part] = np.inf
        separation[part] = distance.min(axis=1)
    return separation


def _check_norm(norm: float) -> None:
    if norm not in _METRICS:
        raise InputError(f"norm is {norm}; expected 1, 2 or infinity.")


def _prefers_tree(columns: FloatArray) -> bool:
    return columns.shape[1] <= _TREE_GOALS and len(columns) > _TREE_STATES


def _nearest(columns: FloatArray, targets: FloatArray, norm: float) -> Any:
    if _prefers_tree(columns):
        different, first = np.unique(columns, axis=0, return_index=True)
        return first[cKDTree(different).query(targets, p=norm)[1]]
    nearest = np.empty(len(targets), dtype=np.intp)
    block = max(1, _BLOCK // len(columns))
    for start in range(0, len(targets), block):
        nearest[start : start + block] = cdist(targets[start : start + block], columns, _METRICS[norm]).argmin(axis=1)
    return nearest
