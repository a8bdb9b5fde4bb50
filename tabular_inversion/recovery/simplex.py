"""Stochastic rows: least squares over the simplex, and the point nearest to the prior where several are as good."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.active_set import simplex_active_set
from tabular_inversion.recovery.affine_system import AffineSystem, affine_system, apply, own, transposed
from tabular_inversion.recovery.nearest_point import nearest_with_same_values
from tabular_inversion.recovery.residual import largest_residual
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.spectrum import EPSILON, power_of_two_scale

_ROUNDING = 1e-9
"""Largest negative entry that may be rounding; it is set to 0 only if the row then fits as well."""


@checked
def simplex_rows(
    matrix: FloatArray,
    values: FloatArray,
    *,
    prior: FloatArray | None = None,
    uncertainty: FloatArray | None = None,
    factored: AffineSystem | None = None,
) -> Recovery:
    """Return the distributions that explain the values best, nearest to the prior among equals.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M.
    values : numpy.ndarray, shape (k, R)
        A right-hand side for each row.
    prior : numpy.ndarray, shape (R, n) or (n,), optional
        P0, distributions; uniform when omitted.
    uncertainty : numpy.ndarray, shape (k, n), optional
        A bound on the error of each entry of M: combinations of goals that it may have made hold no row.
    factored : AffineSystem, optional
        What `factored_for_simplex` says of M, where it was asked before.

    Returns
    -------
    Recovery
        Dense rows (R, n) that minimise ``|M p - q|`` in the 2-norm; among the minimisers, the one nearest to the prior
        (Euclidean). `rank` is that of [M;1]; for `condition` see `AffineSystem`.

    Raises
    ------
    ConvergenceError
        If the least squares of a row cannot be settled in floating point.

    Notes
    -----
    One factorisation serves all rows whose affine solution, nearest to the prior, is non-negative. The others go to an
    active-set method where the fit is unique, and to the nearest-point method where it is not. Source: T1 (the version
    inside the simplex), T3(d).

    Examples
    --------
    >>> import numpy as np
    >>> simplex_rows(np.array([[0.0, 1.0, 2.0]]), np.array([[0.5, 3.0]])).rows.round(6)
    array([[0.583333, 0.333333, 0.083333],
           [0.      , 0.      , 1.      ]])
    """
    system = factored_for_simplex(matrix, uncertainty) if factored is None else factored
    targets = values.T / power_of_two_scale(matrix) - system.centre
    start = np.full(system.n_states, 1.0 / system.n_states) if prior is None else prior
    rows = solve_on_simplex(system, targets, np.broadcast_to(start, (len(targets), system.n_states)))
    residual = largest_residual(matrix, rows, values)
    return Recovery(rows, residual, int(system.rank[0]), float(system.condition[0]), "simplex least squares")


def factored_for_simplex(matrix: FloatArray, uncertainty: FloatArray | None = None) -> AffineSystem:
    """Decompose M (k, n) for `simplex_rows`, in units of its largest entry."""
    scale = power_of_two_scale(matrix)
    return affine_system(matrix[None] / scale, None if uncertainty is None else uncertainty[None] / scale)


def solve_on_simplex(system: AffineSystem, targets: FloatArray, prior: FloatArray) -> FloatArray:
    """Return the minimiser of ``|L p - t|`` over the simplex that is nearest to the prior, for each row.

    Parameters
    ----------
    system : AffineSystem
        L for all rows, or one for each.
    targets : numpy.ndarray, shape (R, k)
        t, the values less the centre.
    prior : numpy.ndarray, shape (R, n)
        P0.

    Returns
    -------
    numpy.ndarray, shape (R, n)
    """
    coordinates = system.coordinates(targets)
    rows: FloatArray = prior + apply(system.basis, coordinates - apply(transposed(system.basis), prior))
    unsettled = ~_settle(system, targets, rows)
    unique = system.rank == system.n_states
    strict = np.flatnonzero(unsettled & unique)
    if strict.size:
        rows[strict] = simplex_active_set(system.select(strict), targets[strict])
    loose = np.flatnonzero(unsettled & ~unique)
    if loose.size:
        chosen = system.select(loose)  # all minimisers share their values, so one of them tells which to look among
        rows[loose] = nearest_with_same_values(chosen, simplex_active_set(chosen, targets[loose]), prior[loose])
    return rows


def _settle(system: AffineSystem, targets: FloatArray, rows: FloatArray) -> BoolArray:
    """Set negative entries of rounding size to 0, in place, and tell which rows are the answer already."""
    least = rows.min(axis=1)
    settled: BoolArray = least >= 0.0
    small = np.flatnonzero(~settled & (least >= -_ROUNDING))
    if small.size:
        columns = own(system.columns, small)
        clipped = np.maximum(rows[small], 0.0)
        clipped /= clipped.sum(axis=1, keepdims=True)
        misfit = [np.linalg.norm(apply(columns, point) - targets[small], axis=1) for point in (rows[small], clipped)]
        size = np.abs(columns).max() + np.abs(targets[small]).max(axis=1)
        fits = misfit[1] <= misfit[0] + system.n_states * EPSILON * size
        rows[small[fits]], settled[small[fits]] = clipped[fits], True
    return settled
