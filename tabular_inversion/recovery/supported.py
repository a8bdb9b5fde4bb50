"""Rows with known supports: the simplex method on each row's own columns, all rows of one support size at once."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, SparseMatrix
from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.simplex import solve_on_simplex
from tabular_inversion.recovery.spectrum import EPSILON, append_ones, numerical_rank, power_of_two_scale

_SMALL = 8
"""Supports up to this size are solved by elimination across the batch; larger ones by stacked LAPACK calls."""
_BATCH = 2**13
"""Rows in one batch of small supports: its arrays stay in the cache."""
_CHUNK = 2**21
"""Numbers in one stack of larger systems, 16 MB."""
_WELL_CONDITIONED = 1e7
"""Small systems above this condition are left to the singular value decomposition."""


def supported_rows(
    matrix: FloatArray, values: FloatArray, support: SparseMatrix, *, prior: FloatArray | None = None
) -> Recovery:
    """Return the distributions on given supports that explain the values best, nearest to the prior among equals.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M.
    values : numpy.ndarray, shape (k, R)
        A right-hand side for each row.
    support : bool csr_array, shape (R, n)
        Where each row may be positive; no row empty.
    prior : numpy.ndarray, shape (R, n) or (n,), optional
        P0; uniform on each support when omitted.

    Returns
    -------
    Recovery
        Sparse rows (R, n). `rank` is that of [M;1]; `condition` is the largest among the rows' own systems (an upper
        bound from Frobenius norms where a support has at most 8 states).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> support = csr_array(np.array([[True, False, True]]))
    >>> supported_rows(np.array([[0.0, 1.0, 2.0]]), np.array([[0.5]]), support).rows.toarray()
    array([[0.75, 0.  , 0.25]])
    """
    scale = power_of_two_scale(matrix)
    scaled, targets = matrix / scale, values / scale
    data, residual = np.empty(len(support.indices)), np.empty(values.shape[1])
    condition = 1.0
    sizes = np.diff(support.indptr)
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        length = _BATCH if size <= _SMALL else max(1, _CHUNK // (len(matrix) * int(size)))
        for start in range(0, len(rows), length):
            part = rows[start : start + length]
            entries = support.indptr[part] + np.arange(size)[:, None]  # (size, batch)
            states = support.indices[entries]
            given = None if prior is None else _prior_on(prior, part, states)
            weights, worst = _solve_batch(scaled, targets[:, part], states, given)
            data[entries] = weights
            residual[part] = _residual(scaled, targets[:, part], states, weights)
            condition = max(condition, worst)
    found = csr_array((data, support.indices, support.indptr), shape=support.shape)
    found.eliminate_zeros()
    rank = numerical_rank(append_ones(scaled))
    return Recovery(found, residual * scale, rank, condition, "simplex least squares on known supports")


def _prior_on(prior: FloatArray, rows: IntArray, states: IntArray) -> FloatArray:
    """Return the prior on each row's support, (batch, size)."""
    on_support = prior[states] if prior.ndim == 1 else prior[rows, states]
    return np.ascontiguousarray(on_support.T)


def _residual(matrix: FloatArray, values: FloatArray, states: IntArray, weights: FloatArray) -> FloatArray:
    worst: FloatArray = np.abs((matrix[:, states] * weights).sum(axis=1) - values).max(axis=0)
    return worst


def _solve_batch(
    matrix: FloatArray, values: FloatArray, states: IntArray, prior: FloatArray | None
) -> tuple[FloatArray, float]:
    """Solve for rows of one support size: weights (size, batch), and the largest condition."""
    size = len(states)
    if size == 1:
        return np.ones(states.shape), 1.0
    if size > _SMALL or len(matrix) < size - 1:
        return _solve_stack(matrix, values, states, prior)
    weights, done, condition = _eliminate(matrix[:, states], values)
    worst = float(condition[done].max(initial=1.0))
    left = np.flatnonzero(~done)
    if left.size:
        rest = None if prior is None else prior[left]
        weights[:, left], other = _solve_stack(matrix, values[:, left], states[:, left], rest)
        worst = max(worst, other)
    return weights, worst


def _solve_stack(
    matrix: FloatArray, values: FloatArray, states: IntArray, prior: FloatArray | None
) -> tuple[FloatArray, float]:
    size = len(states)
    system = affine_system(np.ascontiguousarray(matrix[:, states.T].transpose(1, 0, 2)))
    start = np.full((states.shape[1], size), 1.0 / size) if prior is None else prior
    rows = solve_on_simplex(system, values.T - system.centre, start)
    return rows.T, float(system.condition.max())


def _eliminate(columns: FloatArray, values: FloatArray) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Least squares on the affine hull of each row's columns, by Gram-Schmidt across the batch.

    Differences to the first column make the sum-to-one constraint exact; the right-hand side is orthogonalised with
    the columns, which makes modified Gram-Schmidt backward stable for least squares (Björck 1967).

    Parameters
    ----------
    columns : numpy.ndarray, shape (k, size, batch)
        Overwritten.
    values : numpy.ndarray, shape (k, batch)
        The right-hand sides.

    Returns
    -------
    weights : numpy.ndarray, shape (size, batch)
    done : numpy.ndarray of bool, shape (batch,)
        Rows that are well conditioned and nonnegative to rounding: their weights are the answer.
    condition : numpy.ndarray, shape (batch,)
        The product of the Frobenius norms of the triangular factor and its inverse.
    """
    count = columns.shape[1] - 1
    target = values - columns[:, 0]
    directions = columns[:, 1:]
    directions -= columns[:, :1]
    upper = np.zeros((count, count, columns.shape[2]))
    projected = np.empty((count, columns.shape[2]))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for j in range(count):
            unit = directions[:, j]
            upper[j, j] = np.sqrt((unit * unit).sum(axis=0))
            unit /= upper[j, j]
            for other in range(j + 1, count):
                upper[j, other] = (unit * directions[:, other]).sum(axis=0)
                directions[:, other] -= upper[j, other] * unit
            projected[j] = (unit * target).sum(axis=0)
            target -= projected[j] * unit
        inverse = _invert_triangle(upper)
        condition = np.sqrt((upper * upper).sum(axis=(0, 1)) * (inverse * inverse).sum(axis=(0, 1)))
        weights = np.empty((count + 1, columns.shape[2]))
        weights[1:] = (inverse * projected).sum(axis=1)
        weights[0] = 1.0 - weights[1:].sum(axis=0)
        slack = 16.0 * EPSILON * (1.0 + np.sqrt((inverse * inverse).sum(axis=(0, 1))))
        done = (condition < _WELL_CONDITIONED) & (weights >= -slack).all(axis=0)
    np.maximum(weights, 0.0, out=weights)
    return weights, done, condition


def _invert_triangle(upper: FloatArray) -> FloatArray:
    """Invert upper triangular matrices (d, d, batch)."""
    count = len(upper)
    inverse = np.zeros_like(upper)
    for column in range(count):
        inverse[column, column] = 1.0 / upper[column, column]
        for row in range(column - 1, -1, -1):
            known = slice(row + 1, column + 1)
            inverse[row, column] = -(upper[row, known] * inverse[known, column]).sum(axis=0) / upper[row, row]
    return inverse
