"""Rows on supports that are likely: guessed where nothing is known, found by least squares, and to be checked."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, SparseMatrix
from tabular_inversion.recovery.equations import UNIT

_MOST = 16
"""Successors of a row that is looked for."""
_NUMBERS = 2**21
"""In one block, 16 MB."""
_ABOVE = 8.0
"""A probability counts as one where it is so many times as large as the most negative entry, which is none."""


def guessed_supports(rows: FloatArray) -> BoolArray:
    """Return where rows (R, n) that were computed without regard to signs seem to be positive.

    Examples
    --------
    >>> import numpy as np
    >>> guessed_supports(np.array([[0.5, 0.5, -1e-13, 1e-14]]))
    array([[ True,  True, False, False]])
    """
    wrong = np.maximum(-rows.min(axis=1, keepdims=True), 4.0 * UNIT * rows.shape[1])
    return np.asarray(rows > _ABOVE * wrong)


def rows_on_supports(matrix: FloatArray, values: FloatArray, known: BoolArray, support: SparseMatrix) -> FloatArray:
    """Fit rows on supports of at most 16 states by least squares.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (E, n)
        The equations.
    values : numpy.ndarray, shape (E, R)
        Of each row.
    known : numpy.ndarray of bool, shape (E, R)
        The equations that each row has.
    support : bool csr_array, shape (R, n)
        Where rows may be positive.

    Returns
    -------
    rows : numpy.ndarray, shape (R, n)
        Zero where no row without negative entries was found. Whether the others have their values is to be checked.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> known = np.ones((2, 1), bool)
    >>> rows_on_supports(np.eye(2), np.array([[0.25], [0.75]]), known, csr_array(np.ones((1, 2), bool)))
    array([[0.25, 0.75]])
    """
    count, n = len(values.T), matrix.shape[1]
    rows = np.zeros((count, n))
    sizes = np.diff(support.indptr)
    columns = np.ascontiguousarray(matrix.T)
    for size in np.unique(sizes[(sizes > 0) & (sizes <= min(_MOST, len(matrix)))]).tolist():
        chosen = np.flatnonzero(sizes == size)
        step = max(1, _NUMBERS // (size * len(matrix)))
        for start in range(0, len(chosen), step):
            part = chosen[start : start + step]
            states = support.indices[support.indptr[part][:, None] + np.arange(size)]
            there = known[:, part].T
            own = columns[states].transpose(0, 2, 1) * there[:, :, None]
            entries = _least_squares(own, np.where(there, values[:, part].T, 0.0))
            good = (entries >= 0.0).all(axis=1)
            rows[part[good][:, None], states[good]] = entries[good]
    return rows


def _least_squares(matrices: FloatArray, values: FloatArray) -> FloatArray:
    """Return least-squares solutions (b, N) of stacks (b, E, N), refined once; negative where columns are dependent."""
    left, upper = np.linalg.qr(matrices)
    pivots = np.abs(np.diagonal(upper, axis1=1, axis2=2))
    regular = pivots.min(axis=1) > UNIT * pivots.max(axis=1)
    upper[~regular] = np.eye(upper.shape[-1])

    def project(missed: FloatArray) -> FloatArray:
        seen = np.matmul(left.transpose(0, 2, 1), missed[:, :, None])
        return np.asarray(np.linalg.solve(upper, seen)[:, :, 0])

    entries = project(values)
    entries = entries + project(values - np.matmul(matrices, entries[:, :, None])[:, :, 0])
    return np.where(regular[:, None], entries, -1.0)
