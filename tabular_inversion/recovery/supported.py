"""Rows with known supports: elimination across the batch, and the simplex method where that leaves the simplex."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray, IntArray, SparseMask
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.elimination import affine_weights
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.simplex import solve_on_simplex
from tabular_inversion.recovery.spectrum import (
    append_ones,
    numerical_rank,
    power_of_two_scale,
    rank_tolerance,
)

_SMALL = 8
"""Supports up to this size are solved by elimination across the batch; larger ones by stacked LAPACK calls."""
_CACHE = 2**16
"""Numbers in one batch of small systems: its arrays stay in the cache."""
_LEAST_BATCH = 256
_CHUNK = 2**21
"""Numbers in one stack of larger systems, 16 MB."""


@checked
def supported_rows(
    matrix: FloatArray,
    values: FloatArray,
    support: SparseMask,
    *,
    prior: FloatArray | None = None,
    uncertainty: FloatArray | None = None,
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
        P0; uniform on each support when omitted. Only its entries on the support matter.
    uncertainty : numpy.ndarray, shape (k, n), optional
        A bound on the error of each entry of M: combinations of goals that it may have made hold no row.

    Returns
    -------
    Recovery
        Sparse rows (R, n). `rank` is that of [M;1]. `condition` is that of a row's own system, as `AffineSystem`
        defines it: the largest where elimination was not enough, and otherwise that of the row for which a cheap
        bound on it is largest.

    Notes
    -----
    Rows are batched by the size of their supports. A row of at most 8 states whose affine least-squares solution is
    unique and non-negative is settled by elimination across the batch; the others go to `solve_on_simplex` with
    their own columns. Source: T5(a).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> support = csr_array(np.array([[True, False, True]]))
    >>> supported_rows(np.array([[0.0, 1.0, 2.0]]), np.array([[0.5]]), support).rows.toarray()
    array([[0.75, 0.  , 0.25]])
    """
    scale = power_of_two_scale(matrix)
    scaled, right = matrix / scale, np.divide(values, scale, order="C")
    by_state = np.ascontiguousarray(scaled.T)
    doubt = None if uncertainty is None else np.ascontiguousarray(uncertainty.T / scale)
    # Of the entries of one column at most: the 2-norm of a support of n columns is below sqrt(n) times this.
    widest = 0.0 if doubt is None else float(np.linalg.norm(doubt, axis=1).max())
    data, residual = np.empty(len(support.indices)), np.empty(values.shape[1])
    hardest: IntArray = np.zeros((1, 0), np.intp)
    condition, inverse = 1.0, 0.0
    for rows, entries in _batches(support, len(matrix)):
        states = support.indices.take(entries)
        targets = right.take(rows, axis=1)
        columns = np.ascontiguousarray(by_state.take(states.T, axis=0).transpose(0, 2, 1))  # (size, k, batch)
        weights, bounds = _eliminate(columns, targets, widest)
        if bounds.max(initial=0.0) > inverse:
            inverse, hardest = bounds.max(), states[[bounds.argmax()]]
        left = np.flatnonzero(bounds < 0.0)
        if left.size:
            chosen = states[left]
            own_doubt = None if doubt is None else doubt[chosen].transpose(0, 2, 1)
            system = affine_system(by_state[chosen].transpose(0, 2, 1), own_doubt)
            start = np.full(chosen.shape, 1.0 / chosen.shape[1])
            if prior is not None:
                start = prior[chosen] if prior.ndim == 1 else prior[rows[left, None], chosen]
            weights[:, left] = solve_on_simplex(system, targets[:, left].T - system.centre, start).T
            condition = max(condition, float(system.condition.max()))
        data[entries] = weights.T
        columns *= weights[:, None]
        misfit = columns.sum(axis=0)
        misfit -= targets
        residual[rows] = np.abs(misfit, out=misfit).max(axis=0)
    if hardest.size:
        condition = max(condition, float(affine_system(by_state[hardest].transpose(0, 2, 1)).condition[0]))
    # A copy: dropping zeros in place would otherwise shrink the caller's support.
    found = csr_array((data, support.indices, support.indptr), shape=support.shape, copy=True)
    found.eliminate_zeros()
    rank = numerical_rank(append_ones(scaled))
    return Recovery(found, residual * scale, rank, condition, "simplex least squares on known supports")


def restricted_spectrum(matrix: FloatArray, support: SparseMask) -> tuple[IntArray, FloatArray]:
    """Return the rank and the smallest singular value of [M;1] restricted to each row's support.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M, taken as it is: scale it first (`power_of_two_scale`) if its entries are far from 1.
    support : bool csr_array, shape (R, n)
        The columns of each row; no row empty.

    Returns
    -------
    rank : numpy.ndarray of int, shape (R,)
        Numerical rank by the tolerance of `rank_tolerance`. The row is identified among the distributions on its
        support, whatever the values, if and only if this is the size of the support (T5(a)).
    smallest : numpy.ndarray, shape (R,)
        The smallest singular value: 0 where a support has more than k + 1 states.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> support = csr_array(np.array([[True, True, False], [True, True, True]]))
    >>> restricted_spectrum(np.array([[0.0, 1.0, 2.0]]), support)[0]
    array([2, 2])
    """
    by_state = np.ascontiguousarray(append_ones(matrix).T)
    rank, smallest = np.empty(support.shape[0], np.intp), np.empty(support.shape[0])
    for rows, entries in _batches(support, len(matrix)):
        different, where = np.unique(support.indices[entries], axis=0, return_inverse=True)
        systems = by_state[different]
        singular = np.linalg.svd(systems, compute_uv=False)
        level = rank_tolerance(systems.shape[1:], 1.0) * singular[:, :1]
        rank[rows] = (singular > level).sum(axis=1)[where.ravel()]
        full = systems.shape[1] <= systems.shape[2]
        smallest[rows] = singular[where.ravel(), -1] if full else 0.0
    return rank, smallest


def _batches(support: SparseMask, n_goals: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows with supports of one size in batches: their numbers (b,), the places of their entries (b, size)."""
    sizes = np.diff(support.indptr)
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        numbers = size * (n_goals + 1)
        batch = max(_LEAST_BATCH, _CACHE // numbers) if size <= _SMALL else max(1, _CHUNK // numbers)
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            yield part, support.indptr[part][:, None] + np.arange(size)


def _eliminate(columns: FloatArray, targets: FloatArray, doubt: float) -> tuple[FloatArray, FloatArray]:
    """Return weights (size, batch), and a bound on each inverse (batch,): -1 where the weights are not the answer."""
    size, n_goals, batch = columns.shape
    if size > _SMALL or n_goals < size - 1:
        return np.empty((size, batch)), np.full(batch, -1.0)
    weights, inverse = affine_weights(columns, targets)
    # Entries of the scaled M are below 2, which bounds the largest singular value of [M;1] on the support; with that,
    # full rank by the tolerance of `affine_system` follows from the bound that the inverse gives on the smallest.
    tolerance = rank_tolerance((n_goals + 1, size), float(np.sqrt(size * (8 * n_goals + 1))))
    tolerance += float(np.sqrt(size)) * doubt
    with np.errstate(invalid="ignore"):
        settled = (np.sqrt(size) * inverse * tolerance < 1.0) & (weights.min(axis=0) >= 0.0)
    return weights, np.where(settled, inverse, -1.0)
