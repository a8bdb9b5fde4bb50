"""The linear system for a distribution, M p = q with 1.p = 1, factored once for one M or for a stack of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.recovery.independence import independent_columns
from tabular_inversion.recovery.spectrum import EPSILON


@dataclass(frozen=True, eq=False)
class AffineSystem:
    """M seen from the mean of its columns, which removes the sum-to-one row without weighing it against the others.

    With c the mean of the columns and L = M - c 1^T, every p that sums to one has M p - q = L p - (q - c). The
    singular vectors of L then span the differences of distributions that the values see: the restriction of M to
    the vectors of sum zero, whose rank is rank [M;1] - 1.

    Attributes
    ----------
    centre : numpy.ndarray, shape (B, k)
        c, for each of B systems. B is 1 where one M serves all rows.
    columns : numpy.ndarray, shape (B, k, n)
        L.
    left : numpy.ndarray, shape (B, k, d)
        Left singular vectors of L; d = min(k, n).
    inverse : numpy.ndarray, shape (B, d)
        Reciprocal singular values of L; 0 for those that count as zero.
    basis : numpy.ndarray, shape (B, n, d + 1)
        Orthonormal basis of the row space of [M;1]: the constant vector, then the right singular vectors of L
        (zero vectors beyond the rank).
    rank : numpy.ndarray of int, shape (B,)
        Numerical rank of [M;1].
    condition : numpy.ndarray, shape (B,)
        Largest singular value of [M;1] (within a factor sqrt 2) over the smallest nonzero one of L; 1 where L = 0.
    """

    centre: FloatArray
    columns: FloatArray
    left: FloatArray
    inverse: FloatArray
    basis: FloatArray
    rank: IntArray
    condition: FloatArray

    @property
    def n_states(self) -> int:
        """n, the number of unknowns."""
        return int(self.columns.shape[2])

    @property
    def is_shared(self) -> bool:
        """Whether one M serves all rows."""
        return len(self.columns) == 1

    def select(self, rows: IntArray) -> AffineSystem:
        """Return the systems of these rows: itself where one M serves all."""
        parts: dict[str, Any] = {field.name: own(getattr(self, field.name), rows) for field in fields(self)}
        return AffineSystem(**parts)

    def coordinates(self, targets: FloatArray) -> FloatArray:
        """Return the inner products with `basis` that the values fix, shape (R, d + 1), for centred values (R, k)."""
        seen = apply(transposed(self.left), targets) * self.inverse
        total = np.full((len(targets), 1), self.n_states**-0.5)
        return np.concatenate([total, seen], axis=1)

    def uncertainty(self) -> FloatArray:
        """Return the rounding error to expect in `coordinates`, shape (B, d + 1), for values as large as M."""
        size = np.abs(self.columns).max(axis=(1, 2)) + np.abs(self.centre).max(axis=1)
        errors = 16.0 * EPSILON * (1.0 + np.sqrt(self.columns.shape[1]) * size[:, None] * self.inverse)
        return np.concatenate([np.full((len(errors), 1), 8.0 * EPSILON), errors], axis=1)


def own(stack: FloatArray, rows: IntArray) -> FloatArray:
    """Return the members of a stack that belong to these rows: the one that serves all, or one for each."""
    return stack if len(stack) == 1 else stack[rows]


def transposed(matrices: FloatArray) -> FloatArray:
    """Return the transposes of a stack of matrices (B, k, n), shape (B, n, k)."""
    return matrices.transpose(0, 2, 1)


def apply(matrices: FloatArray, vectors: NDArray[np.floating[Any]]) -> FloatArray:
    """Multiply each vector (R, n) by its matrix (R, k, n), or all by the one matrix (1, k, n); result (R, k)."""
    if len(matrices) == 1:
        return np.asarray(vectors @ matrices[0].T)
    return np.asarray(np.matmul(matrices, vectors[:, :, None])[:, :, 0])


def solve_stack(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Solve a square system for each vector (R, d), by the pseudo-inverse where a matrix (R, d, d) is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:  # one exactly singular matrix stops the whole stack
        return apply(np.asarray(np.linalg.pinv(matrices), dtype=np.float64), vectors)


def affine_system(matrices: FloatArray, uncertainty: FloatArray | None = None) -> AffineSystem:
    """Factor a stack of test matrices.

    Parameters
    ----------
    matrices : numpy.ndarray, shape (B, k, n)
        Finite, with entries of moderate size (see `power_of_two_scale`).
    uncertainty : numpy.ndarray, shape (B, k, n), optional
        A bound on the error of each entry, where it is more than the rounding of the decomposition.

    Returns
    -------
    AffineSystem

    Notes
    -----
    A singular value of L counts as zero up to ``max(k + 1, n) * eps * s``, where s bounds the largest singular
    value of [M;1] from above within a factor sqrt 2: ``s**2 = s_1(L)**2 + n * (|c|**2 + 1)``. The 2-norm (Frobenius)
    of the uncertainty is added: a direction that a matrix within it does not see (Weyl) holds no row, unless the
    columns are proved independent for every such matrix.

    Examples
    --------
    >>> import numpy as np
    >>> affine_system(np.array([[[1.0, 2.0, 3.0]]])).rank
    array([2])
    """
    _, k, n = matrices.shape
    centre = matrices.mean(axis=2)
    columns = matrices - centre[:, :, None]
    left, singular, right = np.linalg.svd(columns, full_matrices=False)
    norm = np.sqrt(singular[:, 0] ** 2 + n * ((centre**2).sum(axis=1) + 1.0))
    level = max(k + 1, n) * EPSILON * norm[:, None]
    kept = singular > level
    if uncertainty is not None:
        sure = singular > level + np.sqrt((uncertainty**2).sum(axis=(1, 2)))[:, None]
        doubtful = np.flatnonzero((kept & ~sure)[:, : n - 1].any(axis=1))
        if doubtful.size:
            full = independent_columns(matrices[doubtful], uncertainty[doubtful], sums_to_one=True)
            kept[doubtful[~full]] &= sure[doubtful[~full]]
    kept[:, n - 1 :] = False  # L 1 = 0, so at most n - 1 are true; the last one is rounding
    right -= right.mean(axis=2, keepdims=True)  # the right vector of a small one strays towards 1
    inverse = np.where(kept, 1.0 / np.where(kept, singular, 1.0), 0.0)
    basis = np.concatenate([np.full((len(matrices), 1, n), n**-0.5), right * kept[:, :, None]], axis=1)
    condition = np.maximum(norm * inverse.max(axis=1), 1.0)
    return AffineSystem(centre, columns, left, inverse, transposed(basis), kept.sum(axis=1) + 1, condition)
