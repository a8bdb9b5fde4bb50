"""LU factors of a square or tall matrix, and the left inverse that they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from tabular_inversion._typing import FloatArray, IntArray

SMALL = 32
"""Systems of up to so many unknowns go straight to the pseudo-inverse."""

_BLOCKED = 64
"""Columns in a block of LAPACK's inverse: the default workspace has room for one."""


@dataclass(frozen=True, eq=False)
class Factors:
    """Of n of the equations ``A p = b``.

    Attributes
    ----------
    packed : numpy.ndarray, shape (n, n)
        L and U of these equations, as LAPACK packs them.
    order : numpy.ndarray of int, shape (n,)
        Which equations they are, in the order of the factors.
    inverse : numpy.ndarray, shape (n, E)
        X with ``X A`` near the identity; zero at other equations.
    """

    packed: FloatArray
    order: IntArray
    inverse: FloatArray

    def solve(self, values: FloatArray) -> FloatArray:
        """Return the solutions for the right-hand sides (E, R) of all equations, shape (n, R)."""
        right = np.asfortranarray(values[self.order])
        solution, _ = lapack.dgetrs(self.packed, np.arange(len(self.order), dtype=np.int32), right, overwrite_b=1)
        return np.asarray(solution)


def factorise(matrix: FloatArray) -> Factors | None:
    """Factor a matrix (E, n), or return None where it has no n equations that are seen to be independent.

    Examples
    --------
    >>> import numpy as np
    >>> factorise(np.array([[1.0, 0.0], [2.0, 4.0], [0.0, 1.0]])).inverse
    array([[ 0.  ,  0.5 , -2.  ],
           [ 0.  ,  0.  ,  1.  ]])
    """
    n_equations, n = matrix.shape
    if n_equations < n or not np.isfinite(matrix).all():
        return None
    # LAPACK stores columns first; in a tall matrix partial pivoting puts the n equations that it takes on top.
    packed, pivots, info = lapack.dgetrf(matrix)
    if info != 0:
        return None
    places = lapack.dlaswp(np.arange(n_equations, dtype=np.float64)[:, None], pivots)
    order = places[:n, 0].astype(np.intp)
    square = np.asfortranarray(packed[:n])
    inner, info = lapack.dgetri(square, np.arange(n, dtype=np.int32), lwork=_BLOCKED * n)
    if info != 0:
        return None
    inverse = np.zeros((n, n_equations), order="F")
    inverse[:, order] = inner
    return Factors(square, order, inverse)
