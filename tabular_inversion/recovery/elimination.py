"""Least squares with weights that sum to one, for many small systems at once: elimination across the batch."""

import numpy as np

from tabular_inversion._typing import FloatArray


def affine_weights(columns: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Minimise ``|sum_i w_i a_i - q|`` over weights of sum one, by modified Gram-Schmidt on all systems together.

    Parameters
    ----------
    columns : numpy.ndarray, shape (size, k, batch)
        The columns a_i of each system; the batch comes last, so that each step is one pass over contiguous numbers.
    values : numpy.ndarray, shape (k, batch)
        q.

    Returns
    -------
    weights : numpy.ndarray, shape (size, batch)
        Not finite where the differences of the columns are exactly dependent.
    inverse : numpy.ndarray, shape (batch,)
        Frobenius norm of the inverse triangular factor of those differences: ``1 / (sqrt(size) * inverse)`` bounds
        the smallest singular value of the columns on the vectors of sum zero from below.

    Notes
    -----
    The unknowns are the weights of the differences to the first column, which makes the sum exact. The right-hand
    side is orthogonalised along with the columns: so the method is backward stable (Björck, 1967).

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[[0.0], [0.0]], [[2.0], [0.0]], [[0.0], [4.0]]])
    >>> affine_weights(columns, np.array([[1.0], [1.0]]))[0].ravel()
    array([0.25, 0.5 , 0.25])
    """
    size, _, batch = columns.shape
    count = size - 1
    work = np.empty_like(columns)
    np.subtract(columns[1:], columns[0], out=work[:count])
    np.subtract(values, columns[0], out=work[count])
    upper = np.empty((count, size, batch))
    reciprocal = np.empty((count, batch))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        for j in range(count):
            unit = work[j]
            reciprocal[j] = 1.0 / np.sqrt(np.einsum("kb,kb->b", unit, unit))
            unit *= reciprocal[j]
            for other in range(j + 1, size):
                upper[j, other] = np.einsum("kb,kb->b", unit, work[other])
                work[other] -= upper[j, other] * unit
        weights = np.empty((size, batch))
        for j in reversed(range(count)):
            weights[j + 1] = reciprocal[j] * (upper[j, count] - _inner(upper[j, j + 1 : count], weights[j + 2 :]))
        weights[0] = 1.0 - weights[1:].sum(axis=0)
        return weights, np.sqrt(_inverse_square(upper, reciprocal))


def _inner(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the inner product over the first axis."""
    result: FloatArray = np.einsum("jb,jb->b", first, second)
    return result


def _inverse_square(upper: FloatArray, reciprocal: FloatArray) -> FloatArray:
    """Return the sum of squares of the inverse of each upper triangular factor, shape (batch,)."""
    count, batch = reciprocal.shape
    total = np.zeros(batch)
    for column in range(count):
        entries = np.empty((column + 1, batch))
        entries[column] = reciprocal[column]
        for row in reversed(range(column)):
            entries[row] = -reciprocal[row] * _inner(upper[row, row + 1 : column + 1], entries[row + 1 :])
        total += _inner(entries, entries)
    return total
