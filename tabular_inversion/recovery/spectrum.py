"""Numerical rank, null space and scale of a matrix, by singular values and with one stated tolerance."""

import numpy as np

from tabular_inversion._typing import FloatArray

EPSILON = float(np.finfo(np.float64).eps)


def rank_tolerance(shape: tuple[int, ...], largest: float) -> float:
    """Return the level at or below which a singular value counts as zero: ``max(shape) * eps * largest``.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the matrix.
    largest : float
        Its largest singular value.

    Returns
    -------
    float
    """
    return max(shape) * EPSILON * largest


def append_ones(matrix: FloatArray) -> FloatArray:
    """Return ``[M;1]``, the test matrix (k, n) with a row of ones below it, shape (k + 1, n)."""
    return np.concatenate([matrix, np.ones((1, matrix.shape[1]))])


def power_of_two_scale(matrix: FloatArray) -> float:
    """Return the power of two that brings the largest entry into [1, 2); 1 for a zero matrix.

    Dividing by a power of two is exact, so results do not depend on the unit of reward.
    """
    largest = float(np.abs(matrix).max())
    return 1.0 if largest == 0.0 else float(2.0 ** np.floor(np.log2(largest)))


def singular_values(matrix: FloatArray) -> FloatArray:
    """Return the singular values of a matrix (k, n), descending, shape (min(k, n),)."""
    k, n = matrix.shape
    if max(k, n) > 2 * min(k, n):  # a triangular factor has the same singular values and few rows
        matrix = np.asarray(np.linalg.qr(matrix if k > n else matrix.T, mode="r"))
    values: FloatArray = np.linalg.svd(matrix, compute_uv=False).astype(np.float64, copy=False)
    return values


def numerical_rank(matrix: FloatArray) -> int:
    """Return how many singular values of a matrix (k, n) exceed `rank_tolerance`.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_rank(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-15]]))
    1
    """
    values = singular_values(matrix)
    return int((values > rank_tolerance(matrix.shape, values[0])).sum())


def null_space(matrix: FloatArray) -> FloatArray:
    """Return orthonormal columns that span the numerical null space of a matrix (k, n).

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)

    Returns
    -------
    numpy.ndarray, shape (n, n - rank)
        With the rank of `numerical_rank`.

    Examples
    --------
    >>> import numpy as np
    >>> null_space(np.array([[1.0, 1.0]])).round(3)
    array([[-0.707],
           [ 0.707]])
    """
    _, values, right = np.linalg.svd(matrix, full_matrices=True)
    rank = int((values > rank_tolerance(matrix.shape, values[0])).sum())
    return np.ascontiguousarray(right[rank:].T)
