"""The least singular value of a matrix whose left inverse is at hand, by Lanczos' method: no second decomposition."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from tabular_inversion._typing import FloatArray

_FEW = 8
"""Equations beyond n may be one for so many unknowns: more are dearer than singular values."""
_MODERATE = 1e15
"""Inverses larger than this leave the range of 32-bit floats, squared."""
_RESIDUAL = 3e-4
"""Relative residual of the eigenvector: the eigenvalue errs by its square, over its distance to the others."""
_VECTORS = 12
"""Of Lanczos' method between two looks at the residual."""


def least_singular_value(matrix: FloatArray, inverse: FloatArray) -> float | None:
    """Return the n-th singular value of a matrix of n columns, to some 6 digits, or None where this is no way to it.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (E, n)
        A, of full column rank.
    inverse : numpy.ndarray, shape (n, E)
        X with ``X A`` near the identity, zero but for n of its columns.

    Notes
    -----
    With B the n equations that X inverts and C the others, ``A^T A = B^T (I + G^T G) B`` with ``G = C X``; its inverse
    is ``X (I - G^T (I + G G^T)^-1 G) X^T``, whose largest eigenvalue is that of A^T A to the power -1.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.diag(np.arange(1.0, 41.0))
    >>> round(least_singular_value(2.0 * matrix, np.linalg.inv(2.0 * matrix)), 5)
    2.0
    """
    n_equations, n = matrix.shape
    others = np.flatnonzero(~inverse.any(axis=0))
    if len(others) * _FEW > n or len(others) != n_equations - n or not np.abs(inverse).max() < _MODERATE:
        return None
    beyond = matrix[others] @ inverse
    beyond[:, others] = 0.0
    factor = cho_factor(np.eye(len(others)) + beyond @ beyond.T) if len(others) else None

    def apply(vector: FloatArray) -> FloatArray:
        inner = (vector.astype(np.float32) @ short).astype(np.float64)
        if factor is not None:
            inner -= beyond.T @ cho_solve(factor, beyond @ inner)
        return np.asarray(short @ inner.astype(np.float32), np.float64)

    # Each step reads all of X: in 32 bits, whose rounding moves its norm by no more than the digits promised.
    short = inverse.astype(np.float32)
    start = np.random.default_rng(0).standard_normal((n,))
    operator: LinearOperator[np.float64] = LinearOperator((n, n), matvec=apply, dtype=np.float64)
    try:
        found = eigsh(operator, k=1, which="LA", v0=start, ncv=_VECTORS, tol=_RESIDUAL, return_eigenvectors=False)
    except ArpackNoConvergence:
        return None
    return float(1.0 / np.sqrt(found[0])) if found[0] > 0 else None
