"""The largest residual of each row over the goals, in blocks of rows."""

import numpy as np

from tabular_inversion._typing import FloatArray, Kernel

_BLOCK = 2**22
"""Numbers in one block, 32 MB. Smaller ones make the matrix product slow: each reads all of M again."""


def largest_residual(matrix: FloatArray, rows: Kernel, values: FloatArray) -> FloatArray:
    """Return ``max_g |M p - q|`` of each row.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M.
    rows : numpy.ndarray or scipy.sparse.csr_array, shape (R, n)
        A row p for each right-hand side.
    values : numpy.ndarray, shape (k, R)
        The right-hand sides q.

    Returns
    -------
    numpy.ndarray, shape (R,)
    """
    residual = np.empty(values.shape[1])
    block = max(1, _BLOCK // len(matrix))
    for start in range(0, len(residual), block):
        part = slice(start, start + block)
        difference = matrix @ rows[part].T
        difference -= values[:, part]
        residual[part] = np.maximum(difference.max(axis=0), -difference.min(axis=0))
    return residual
