"""LU factors of a square or tall matrix, and the left inverse that they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from tabular_inversion._typing import FloatArray, IntArray

SMALL = 32
"""Systems of up to so many unknowns go straight to the pseudo-inverse."""

_BLOCKED = 64
"""Columns in a block of LAPACK's inverse: the default workspace has room for one."""

_norm_of: Callable[..., float] = lapack.dlange  # the stubs leave the matrix out


@dataclass(frozen=True, eq=False)
class Factors:
    """Of n of the equations ``A p = b``.

    Attributes
    ----------
    packed : numpy.ndarray, shape (n, n)
        L and U as LAPACK packs them: of the transpose of a square matrix, of the n equations in `order` of a tall one.
    pivots : numpy.ndarray of int, shape (n,)
        As LAPACK counts them.
    order : numpy.ndarray of int, shape (n,)
        Which equations they are.
    inverse : numpy.ndarray, shape (n, E)
        X with ``X A`` near the identity; zero at other equations.
    """

    packed: FloatArray
    pivots: IntArray
    order: IntArray
    inverse: FloatArray

    def solve(self, values: FloatArray) -> FloatArray:
        """Return the solutions for the right-hand sides (E, R) of all equations, shape (n, R)."""
        square = len(values) == len(self.order)
        right = np.array(values if square else values[self.order], order="F")
        solution, _ = lapack.dgetrs(self.packed, self.pivots, right, trans=int(square), overwrite_b=1)
        return np.asarray(solution)


def factorise(matrix: FloatArray) -> Factors | None:
    """Factor a matrix (E, n), or return None where it has no n equations that are seen to be independent.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.array([[1.0, 0.0], [2.0, 4.0], [0.0, 1.0]])
    >>> factorise(matrix).inverse @ matrix
    array([[1., 0.],
           [0., 1.]])
    """
    n_equations, n = matrix.shape
    if n_equations < n or not np.isfinite(matrix).all():
        return None
    # LAPACK stores columns first: the transpose of a square matrix is in its layout already. In a tall one partial
    # pivoting puts the n equations that it takes on top.
    tall = n_equations > n
    packed, pivots, info = lapack.dgetrf(matrix if tall else matrix.T)
    if info != 0:
        return None
    order = np.arange(n)
    if tall:
        places = lapack.dlaswp(np.arange(n_equations, dtype=np.float64)[:, None], pivots)
        packed, pivots, order = (
            np.asfortranarray(packed[:n]),
            np.arange(n, dtype=np.int32),
            places[:n, 0].astype(np.intp),
        )
    inner, info = lapack.dgetri(packed, pivots, lwork=_BLOCKED * n)
    if info != 0:
        return None
    if not tall:
        return Factors(packed, pivots, order, inner.T)
    inverse = np.zeros((n, n_equations), order="F")
    inverse[:, order] = inner
    return Factors(packed, pivots, order, inverse)


def one_norm(matrix: FloatArray) -> float:
    """Return the 1-norm of a matrix in any layout, without a copy."""
    if matrix.flags.c_contiguous:
        return float(_norm_of("I", matrix.T))
    return float(_norm_of("1", matrix))
