"""The three norms that error bounds are stated in, and how much a matrix can lengthen a vector from one to another."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError

NORMS = (1.0, 2.0, float(np.inf))
_DUAL = {1.0: float(np.inf), 2.0: 2.0, float(np.inf): 1.0}

SIMPLEX_DIAMETER = {1.0: 2.0, 2.0: float(np.sqrt(2.0)), float(np.inf): 1.0}
"""The largest distance between two distributions in each norm."""


def check_norm(name: str, norm: float) -> float:
    """Return `norm` as one of 1.0, 2.0 and infinity, or raise `InputError`."""
    if norm not in NORMS:
        raise InputError(f"{name} is {norm!r}; expected 1, 2 or numpy.inf.")
    return float(norm)


def vector_norms(vectors: FloatArray, norm: float, axis: int) -> FloatArray:
    """Return the 1-, 2- or infinity-norm along one axis of an array."""
    result: FloatArray = np.linalg.norm(vectors, ord=norm, axis=axis)
    return result


def operator_norms(matrices: FloatArray, source: float, target: float) -> FloatArray:
    """Bound ``max ||A x||_target / ||x||_source``, for each matrix A of a stack.

    Parameters
    ----------
    matrices : numpy.ndarray, shape (..., n, k)
        One or more matrices.
    source, target : float
        1, 2 or infinity.

    Returns
    -------
    numpy.ndarray, shape (...)
        The operator norm where it can be computed fast: from the 1-norm, to the infinity-norm, and from 2 to 2. The
        other three are NP-hard in general; for them the least of three upper bounds.

    Notes
    -----
    By Hoelder's inequality, entry i of A x is at most the dual norm of row i times ||x||, and A x is a combination of
    columns; both give a bound, and the spectral norm with the constants of equivalence of norms a third.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.array([[1.0, 2.0], [0.0, -1.0]])
    >>> [float(operator_norms(matrix, p, p).round(3)) for p in (1, 2, np.inf)]
    [3.0, 2.414, 3.0]
    """
    if source == 1.0:
        return vector_norms(vector_norms(matrices, target, -2), np.inf, -1)
    by_rows = vector_norms(vector_norms(matrices, _DUAL[source], -1), target, -1)
    if target == np.inf:
        return by_rows
    spectral: FloatArray = np.linalg.norm(matrices, ord=2, axis=(-2, -1))
    if source == target == 2.0:
        return spectral
    by_columns = vector_norms(vector_norms(matrices, target, -2), _DUAL[source], -1)
    n, k = matrices.shape[-2:]
    spread = (np.sqrt(n) if target == 1.0 else 1.0) * (np.sqrt(k) if source == np.inf else 1.0)
    least: FloatArray = np.minimum(np.minimum(by_rows, by_columns), spread * spectral)
    return least
