"""The linear system that each row satisfies, with its equations brought to one scale, and three-valued rank decisions.

Neither centring an equation (subtracting a multiple of the row of ones, which the system contains) nor scaling it
changes the null space, but both move singular values away from zero that were small only because a goal's rewards are
small, or because its values share a large constant. Scaling is by powers of two, so it rounds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.recovery.certificates import proves_full_column_rank, rounding

UNCERTAIN = 1e-10
"""Singular values (relative to the largest) from the rounding level up to this are neither zero nor nonzero."""

CONSISTENT = 1e-9
"""Largest ``|M p - q|`` of a row that explains exact values, relative to the size of the goal's row of M."""

_EPS = float(np.finfo(np.float64).eps)
_CONSTANT = 64.0 * _EPS  # a goal whose test function varies by less than this part of its size is constant
_CANCELLED = 1e-5  # one that varies by less than this part lost digits to the constant: it proves nothing


def rounding_level(shape: tuple[int, ...]) -> float:
    """Return the relative size below which a singular value of a computed system is indistinguishable from zero."""
    return 8.0 * max(shape) * _EPS


@dataclass(frozen=True, eq=False)
class RowSystem:
    """``matrix @ p = values`` for every row p: M, or [M;1] with M centred, each equation scaled to unit size.

    Attributes
    ----------
    matrix : numpy.ndarray, shape (k, n) or (k + 1, n)
        The test functions, and the row of ones last where the class sums to one.
    values : numpy.ndarray, shape (k, R) or (k + 1, R)
        What they give on each row.
    trusted : numpy.ndarray of bool, shape (k,) or (k + 1,)
        Equations that kept enough digits to prove that a rank is full.
    given : numpy.ndarray, shape of `matrix`
        The same equations, neither centred nor scaled.
    uncertainty : numpy.ndarray, shape of `matrix`, or None
        A rigorous bound on the error of each entry, where one is known.
    """

    matrix: FloatArray
    values: FloatArray
    trusted: BoolArray
    given: FloatArray
    uncertainty: FloatArray | None = None

    @classmethod
    def of(
        cls,
        test_matrix: FloatArray,
        right_hand_sides: FloatArray,
        *,
        sums_to_one: bool,
        uncertainty: FloatArray | None = None,
    ) -> RowSystem:
        """Build the system from M (k, n), the right-hand sides (k, R) and a bound on the error of M (k, n)."""
        matrix, values, given = test_matrix, right_hand_sides, test_matrix
        size = whole = np.abs(matrix).max(axis=1, keepdims=True)
        if sums_to_one:
            middle = matrix.max(axis=1, keepdims=True) / 2.0 + matrix.min(axis=1, keepdims=True) / 2.0
            matrix, values = matrix - middle, values - middle
            size = np.abs(matrix).max(axis=1, keepdims=True)
            matrix = np.where(size <= _CONSTANT * whole, 0.0, matrix)
        trusted = (size > _CANCELLED * whole).ravel()
        exponent = -np.frexp(np.where(size > _CONSTANT * whole, size, np.where(whole > 0, whole, 1.0)))[1]
        if uncertainty is not None:
            uncertainty = np.ldexp(uncertainty + rounding(2) * np.abs(matrix), exponent)
        matrix, values = np.ldexp(matrix, exponent), np.ldexp(values, exponent)
        if sums_to_one:
            matrix, given = (np.concatenate([part, np.ones((1, part.shape[1]))]) for part in (matrix, test_matrix))
            values = np.concatenate([values, np.ones((1, values.shape[1]))])
            trusted = np.append(trusted, True)
            if uncertainty is not None:
                uncertainty = np.concatenate([uncertainty, np.zeros((1, matrix.shape[1]))])
        return cls(matrix, values, trusted, given, uncertainty)

    @property
    def n_states(self) -> int:
        """n, the number of unknowns of each row."""
        return int(self.matrix.shape[1])

    @cached_property
    def singular_values(self) -> FloatArray:
        """All n of them, descending; zero beyond the number of equations."""
        padded = np.zeros(self.n_states)
        padded[: min(self.matrix.shape)] = np.linalg.svd(self.matrix, compute_uv=False)
        return padded

    @property
    def sigma_min(self) -> float:
        """The n-th singular value."""
        return float(self.singular_values[-1])

    @property
    def rank(self) -> int:
        """How many singular values exceed the rounding level."""
        limit = rounding_level(self.matrix.shape) * self.singular_values[0]
        return int((self.singular_values > limit).sum())

    @cached_property
    def surely_deficient(self) -> bool:
        """Whether the columns are dependent: too few equations, or exactly so in the given numbers.

        A singular value at the rounding level is not enough: it cannot tell zero from 1e-16.
        """
        return self.has_fewer_equations or (self.rank < self.n_states and exactly_dependent(self.given))

    @cached_property
    def surely_full(self) -> bool:
        """Whether the n-th singular value, of the trusted equations alone, is clearly above zero."""
        if self.trusted.all():
            return self.sigma_min > UNCERTAIN * float(self.singular_values[0])
        kept = self.matrix[self.trusted]
        if len(kept) < self.n_states:
            return False
        sigma = np.linalg.svd(kept, compute_uv=False)
        return bool(sigma[-1] > UNCERTAIN * sigma[0])

    @cached_property
    def certified_full(self) -> bool:
        """Whether a rigorous bound proves that the columns of the trusted equations are independent."""
        if self.uncertainty is None or not self.surely_full:
            return False
        return bool(proves_full_column_rank(self.matrix[self.trusted], self.uncertainty[self.trusted]))

    @property
    def has_fewer_equations(self) -> bool:
        """Whether there are fewer equations than unknowns: a null vector exists, whatever the rounding."""
        return len(self.matrix) < self.n_states

    @cached_property
    def null_basis(self) -> FloatArray:
        """Orthonormal vectors v with ``matrix @ v = 0``, as columns, shape (n, n - rank)."""
        # The full decomposition, n x n: only those who ask for a null space pay for it.
        vt = np.linalg.svd(self.matrix, full_matrices=True)[2]
        return np.ascontiguousarray(vt[self.rank :].T)

    def restrict(self, states: Any) -> RowSystem:
        """Return the system whose unknowns are these states only."""
        uncertainty = None if self.uncertainty is None else self.uncertainty[:, states]
        return RowSystem(self.matrix[:, states], self.values, self.trusted, self.given[:, states], uncertainty)


def exactly_dependent(matrix: FloatArray) -> bool:
    """Tell whether the columns of a matrix of floats, taken as the dyadic rationals that they are, are dependent.

    Examples
    --------
    >>> import numpy as np
    >>> exactly_dependent(np.array([[1.0, 2.0], [2.0, 4.0]])), exactly_dependent(np.array([[0.1, 0.3], [1.0, 3.0]]))
    (True, False)
    """
    from tabular_inversion.exact import fraction_array, rank  # python-flint is not needed by most calls

    return bool(rank(fraction_array(matrix, allow_float=True)).rank < matrix.shape[1])


def split_into_rows(vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn v != 0 whose entries sum to zero into two distributions p and p' with p - p' parallel to v.

    Examples
    --------
    >>> import numpy as np
    >>> split_into_rows(np.array([2.0, -1.0, -1.0]))
    (array([1., 0., 0.]), array([0. , 0.5, 0.5]))
    """
    first, second = np.maximum(vector, 0.0), np.maximum(-vector, 0.0)
    return first / first.sum(), second / second.sum()
