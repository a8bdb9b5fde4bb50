"""Unconstrained rows by the closed form P = M^+ Q + (I - M^+ M) P0 (T1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import lapack

from tabular_inversion._typing import FloatArray
from tabular_inversion.kernel_rows import dense_rows
from tabular_inversion.kinds import checked
from tabular_inversion.records import sealed
from tabular_inversion.recovery.equations import largest, left_inverse
from tabular_inversion.recovery.factors import SMALL
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.residual import largest_residual
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.spectrum import EPSILON, rank_tolerance
from tabular_inversion.recovery.system import RowSystem, rounding_level

_TILE = (64, 512)

_DUST = 1e-9
"""Entries of a distribution that are computed as negative numbers of at most this size may be zero."""


def _at_once(_name: str, decompose: Callable[[], Any]) -> Any:
    return decompose()


@checked
def closed_form(matrix: FloatArray, values: FloatArray, *, prior: FloatArray | None = None) -> Recovery:
    """Return the least-squares rows nearest to the prior, in no constraint: the limit of gradient descent (T1).

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M, the Bellman test functions.
    values : numpy.ndarray, shape (k, R)
        A right-hand side for each row.
    prior : numpy.ndarray, shape (R, n) or (n,), optional
        P0, where gradient descent starts; uniform rows when omitted. It has no influence when rank M = n.

    Returns
    -------
    Recovery
        Dense rows (R, n), which need not be distributions. `rank` is that of M. `condition` is LAPACK's estimate
        of the condition number in the 1-norm for the method ``"LU"``, and the exact ratio of the extreme nonzero
        singular values for the method ``"SVD"``.

    Notes
    -----
    A square M is factored by LU. The singular value decomposition is used where k != n or where the condition
    estimate leaves room for a rank below n, that is when ``estimate * n**2 * eps >= 1``: the condition number in
    the 2-norm is at most n times that in the 1-norm. Source: T1.

    Examples
    --------
    >>> import numpy as np
    >>> closed_form(np.array([[2.0, 0.0]]), np.array([[1.0]]), prior=np.array([0.0, 0.25])).rows
    array([[0.5 , 0.25]])
    """
    n_goals, n_states = matrix.shape
    recovery = _by_lu(matrix, values) if n_goals == n_states else None
    if recovery is not None:
        return recovery
    return _by_svd(matrix, values, np.full(n_states, 1.0 / n_states) if prior is None else prior)


def unconstrained_rows(
    system: RowSystem,
    tests: FloatArray,
    values: FloatArray,
    *,
    prior: FloatArray | None = None,
    once: Callable[[str, Callable[[], Any]], Any] = _at_once,
) -> Recovery:
    """Return what `closed_form` does of the tests and values of a system, with the factors and the rank it has already.

    Parameters
    ----------
    system : RowSystem
        Of M itself, without the sum to one.
    tests, values : numpy.ndarray, shape (k, n) and (k, R)
        Its equations in the scale in which they are least squares.
    prior : numpy.ndarray, shape (R, n) or (n,), optional
        P0.
    once : callable, optional
        ``once(name, decompose)`` returns the decomposition of `tests` of that name, which may exist already.
    """
    n_goals, n_states = tests.shape
    full, only = system.rank_decision.status is RankStatus.FULL, only_rows(system)
    if only is not None:
        return only
    start = np.full(n_states, 1.0 / n_states) if prior is None else prior
    found = _by_svd(tests, values, start, rank=system.rank, parts=once("svd", lambda: _thin_svd(tests)))
    if full and n_goals > n_states:
        inverse = once("left inverse", lambda: _in_units_of_columns(tests))
        return replace(found, rows=_improved(tests, values, dense_rows(found.rows), *inverse))
    if n_goals < n_states and system.equations_independent:
        inverse = system.right_inverse, np.ones(n_states)
        return replace(found, rows=_improved(system.matrix, system.values, dense_rows(found.rows), *inverse))
    return found


def only_rows(system: RowSystem) -> Recovery | None:
    """Return the rows of a square system of full rank: they are the same in every scale. None for other systems."""
    n_goals, n_states = system.test_matrix.shape
    if n_goals != n_states or system.rank_decision.status is not RankStatus.FULL or system.factors is None:
        return None
    count = system.right_hand_sides.shape[1]
    return Recovery(sealed(system.solve()), np.zeros(count), n_states, system.condition_estimate, "LU")


def only_distributions(system: RowSystem) -> Recovery | None:
    """Return the distributions that have the values of a system of full rank: None where some row has no such one.

    The factors that decide the rank give them. What they miss is looked at: too much, and there is another way.
    """
    if system.n_states <= SMALL or system.rank_decision.status is not RankStatus.FULL or system.inverse is None:
        return None
    square = len(system.matrix) == system.n_states
    rows = system.solve() if square else np.asarray(system.values.T @ system.inverse.T)
    if not rows.min() >= -_DUST:  # or there are numbers that are none
        return None
    np.maximum(rows, 0.0, out=rows)
    rows /= rows.sum(axis=1, keepdims=True)
    # An entry that should be zero comes out as rounding: what clipping it changes may show in no equation.
    missed = system.matrix @ rows.T
    missed -= system.values
    if not largest(missed, 0).max() <= rounding_level(system.matrix.shape):
        return None
    return Recovery(sealed(rows), np.zeros(len(rows)), system.n_states, system.condition_estimate, "LU")


def _improved(
    matrix: FloatArray, values: FloatArray, rows: FloatArray, inverse: FloatArray, unit: FloatArray
) -> FloatArray:
    """Move rows by what they miss, seen through an inverse in units of the columns.

    With a right inverse of independent equations each goal counts in its own unit; with a left inverse of independent
    columns the rows stay least squares.
    """
    for _ in range(2):
        rows = rows + ((values - matrix @ rows.T).T @ inverse.T) / unit
    return rows


def _in_units_of_columns(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a left inverse of a matrix whose columns are in units of their size, and these units."""
    unit = np.ldexp(1.0, np.frexp(np.abs(matrix).max(axis=0))[1])
    return left_inverse(matrix / unit), unit


def _by_lu(matrix: FloatArray, values: FloatArray) -> Recovery | None:
    """Solve the square system, or return None where the condition estimate does not vouch for full rank."""
    size = len(matrix)
    # LAPACK stores columns first: the transpose of a row-major M is in its layout already, and so are transposed rows.
    factors, pivots, info = lapack.dgetrf(matrix.T)
    if info > 0:
        return None
    reciprocal, _ = lapack.dgecon(factors, np.abs(matrix).sum(axis=0).max(), norm="I")
    if reciprocal <= size**2 * EPSILON:
        return None
    rows = _transposed_copy(values)
    solution, _ = lapack.dgetrs(factors, pivots, rows.T, trans=1, overwrite_b=1)
    rows = solution.T
    return Recovery(rows, largest_residual(matrix, rows, values), size, float(1.0 / reciprocal), "LU")


def _transposed_copy(values: FloatArray) -> FloatArray:
    """Copy a matrix (k, R) into row-major (R, k), tile by tile: twice as fast as all at once for large ones."""
    rows = np.empty(values.shape[::-1])
    for start in range(0, len(rows), _TILE[0]):
        for left in range(0, len(values), _TILE[1]):
            tile = slice(start, start + _TILE[0]), slice(left, left + _TILE[1])
            rows[tile] = values[tile[::-1]].T
    return rows


def _thin_svd(matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.linalg.svd(matrix, full_matrices=False)


def _by_svd(
    matrix: FloatArray,
    values: FloatArray,
    prior: FloatArray,
    *,
    rank: int | None = None,
    parts: tuple[FloatArray, FloatArray, FloatArray] | None = None,
) -> Recovery:
    left, singular, right = _thin_svd(matrix) if parts is None else parts
    visible = int((singular > rank_tolerance(matrix.shape, singular[0])).sum())
    rank = visible if rank is None else min(rank, int((singular > 0).sum()))
    left, singular, right = left[:, :rank], singular[:rank], right[:rank]
    rows = ((values.T @ left) / singular) @ right
    if rank < matrix.shape[1]:
        rows += prior - (prior @ right.T) @ right
    condition = float(singular[0] / singular[-1]) if rank else 1.0
    return Recovery(rows, largest_residual(matrix, rows, values), rank, condition, "SVD")
