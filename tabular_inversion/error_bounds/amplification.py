"""How much longer than the values that show it a difference of rows can be: norms of inverses."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray, SparseMatrix
from tabular_inversion.error_bounds.norms import operator_norms
from tabular_inversion.recovery.factors import SMALL
from tabular_inversion.recovery.kept import once
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.system import RowSystem, rounding_level

_BLOCK = 2**22
_FEW = 8
"""Goals beyond those that determine the rows may be one for so many states: more are dearer than singular values."""


def times(factors: FloatArray, misfit: float) -> FloatArray:
    """Return the factors times a misfit; infinite ones stay so."""
    finite = np.isfinite(factors)
    bounds: FloatArray = np.multiply(factors, misfit, where=finite, out=np.full(factors.shape, np.inf))
    return bounds


def amplification(system: RowSystem, scale: float, source: float, target: float) -> FloatArray:
    """Bound ``||x||_target / ||M x||_source`` over the x that may be differences of rows, M in units of `scale`.

    Parameters
    ----------
    system : RowSystem
        Of M; rows that sum to one differ by vectors that sum to zero.
    scale : float
        A power of two.
    source, target : float
        1, 2 or infinity.

    Returns
    -------
    numpy.ndarray, shape (1,)
        Infinite where M is not injective, to rounding.

    Notes
    -----
    The factors that decide the rank give the inverse, and no norm of it needs another decomposition, but for those that
    go through its largest singular value; these are kept with the system.
    """
    if len(system.matrix) < system.n_states:
        return np.full(1, np.inf)
    if source == 1.0 or target == np.inf:
        inverse = _inverse(system, scale)
        if inverse is not None:
            moved = rounding_level(system.test_matrix.shape) * _growth(system)
            if moved < 1.0:
                return np.asarray(operator_norms(inverse[None], source, target) / (1.0 - moved))
    shown, centred = system.test_matrix[None] / scale, system.sums_to_one
    parts = once(system.kept, ("error bound", scale), lambda: _decomposed(shown, centred=centred))
    return _amplification(shown, source, target, centred=centred, parts=parts)


def _growth(system: RowSystem) -> float:
    """Return the larger norm, 1 or infinity, of ``|X| |A|``: by how much rounding, relative to A, moves X A."""
    if system.inverse is None:
        return float("inf")
    size, whole = np.abs(system.inverse), np.abs(system.matrix)
    return float(max((size @ whole.sum(axis=1)).max(), (size.sum(axis=0) @ whole).max()))


def _inverse(system: RowSystem, scale: float) -> FloatArray | None:
    """Return the pseudo-inverse (n, k) of M, or of M on vectors that sum to zero, from the factors of a large system.

    A left inverse X of all equations is one of the goals' on vectors that sum to zero; what it does off the values that
    M can take is removed: those are what each equation beyond the first n, a combination of these, is orthogonal to.
    """
    k, n = system.test_matrix.shape
    rows, beyond = len(system.matrix), len(system.matrix) - n
    large = n > SMALL and beyond >= 0 and beyond * _FEW <= n and (system.sums_to_one or beyond == 0)
    if not large or system.rank_decision.status is not RankStatus.FULL or system.inverse is None:
        return None
    unit = np.asarray(np.ldexp(scale, system.equations.exponents))
    inverse = np.asarray(system.inverse[:, :k] * unit.T)
    if not beyond:
        return inverse
    others = np.flatnonzero(~system.inverse.any(axis=0))
    if len(others) != beyond:
        return None
    orthogonal = -(system.matrix[others] @ system.inverse)
    orthogonal[:, others] = np.eye(beyond)
    across = np.linalg.qr((orthogonal[:, :k] * unit.T).T)[0] if k < rows else None
    return inverse if across is None else inverse - (inverse @ across) @ across.T


def _decomposed(matrices: FloatArray, *, centred: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    shown = matrices - matrices.mean(axis=-1, keepdims=True) if centred else matrices
    return np.linalg.svd(shown, full_matrices=False)


def _amplification(
    matrices: FloatArray,
    source: float,
    target: float,
    *,
    centred: bool,
    parts: tuple[FloatArray, FloatArray, FloatArray] | None = None,
) -> FloatArray:
    """Bound ``||x||_target / ||A x||_source`` for each A of a stack (b, k, N), over x that sum to zero if `centred`.

    Returns
    -------
    numpy.ndarray, shape (b,)
        Infinity where A is not injective, to rounding.
    """
    k, size = matrices.shape[-2:]
    rank = size - int(centred)
    if rank == 0:
        return np.zeros(len(matrices))
    if k < rank:
        return np.full(len(matrices), np.inf)
    # Rounding of M is relative to M itself, however small its variation over states is.
    tolerance = rounding_level((k, size)) * np.linalg.norm(matrices, axis=(-2, -1))
    left, singular, right = _decomposed(matrices, centred=centred) if parts is None else parts
    sigma = singular[:, rank - 1]
    clear = sigma > tolerance
    result = np.full(len(matrices), np.inf)
    values = singular[clear, :rank]
    if source == target == 2.0:
        norms = 1.0 / values[:, -1]
    else:
        inverse = np.swapaxes(right[clear, :rank], 1, 2) / values[:, None, :] @ np.swapaxes(left[clear, :, :rank], 1, 2)
        norms = operator_norms(inverse, source, target)
    # Rounding in A changes the norm of its inverse by no more than this factor, in each norm (Neumann series).
    result[clear] = norms / (1.0 - tolerance[clear] / values[:, -1])
    return result


def on_supports(matrix: FloatArray, support: SparseMatrix, target: float) -> FloatArray:
    """Return the amplification on each row's support, shape (rows,); supports of one size are decomposed together."""
    sizes = np.diff(support.indptr)
    result = np.empty(len(sizes))
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        columns: IntArray = support.indices[support.indptr[rows][:, None] + np.arange(size)]
        different, inverse = np.unique(np.sort(columns, axis=1), axis=0, return_inverse=True)
        chunk = max(1, _BLOCK // (size * len(matrix)))
        factors = [
            _amplification(np.moveaxis(matrix[:, different[start : start + chunk]], 0, 1), 2.0, target, centred=True)
            for start in range(0, len(different), chunk)
        ]
        result[rows] = np.concatenate(factors)[inverse.ravel()]
    return result
