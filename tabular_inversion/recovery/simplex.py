"""Stochastic rows: least squares over the simplex, and the point nearest to the prior where several are as good."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.recovery.active_set import simplex_active_set
from tabular_inversion.recovery.affine_system import AffineSystem, affine_system, apply
from tabular_inversion.recovery.nearest_point import nearest_distributions
from tabular_inversion.recovery.residual import largest_residual
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.spectrum import power_of_two_scale


def simplex_rows(matrix: FloatArray, values: FloatArray, *, prior: FloatArray | None = None) -> Recovery:
    """Return the distributions that explain the values best, nearest to the prior among equals.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M.
    values : numpy.ndarray, shape (k, R)
        A right-hand side for each row.
    prior : numpy.ndarray, shape (R, n) or (n,), optional
        P0, distributions; uniform when omitted.

    Returns
    -------
    Recovery
        Dense rows (R, n) that minimise ``|M p - q|`` in the 2-norm; among the minimisers, the one nearest to the prior
        (Euclidean). `rank` and `condition` are those of [M;1].

    Examples
    --------
    >>> import numpy as np
    >>> simplex_rows(np.array([[0.0, 1.0, 2.0]]), np.array([[0.5, 3.0]])).rows.round(6)
    array([[0.583333, 0.333333, 0.083333],
           [0.      , 0.      , 1.      ]])
    """
    scale = power_of_two_scale(matrix)
    system = affine_system(matrix[None] / scale)
    targets = values.T / scale - system.centre
    start = np.full(system.n_states, 1.0 / system.n_states) if prior is None else prior
    rows = solve_on_simplex(system, targets, np.broadcast_to(start, (len(targets), system.n_states)))
    residual = largest_residual(matrix, rows, values)
    return Recovery(rows, residual, int(system.rank[0]), float(system.condition[0]), "simplex least squares")


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
    change = coordinates - apply(system.basis.transpose(0, 2, 1), prior)
    rows: FloatArray = prior + apply(system.basis, change)
    # What rounding in the coordinates can do to an entry: the basis is orthonormal.
    slack = np.sqrt((system.uncertainty() ** 2).sum(axis=1, keepdims=True))
    outside = np.flatnonzero((rows < -slack).any(axis=1))
    rows = np.maximum(rows, 0.0)
    rows /= rows.sum(axis=1, keepdims=True)
    if outside.size:
        rows[outside] = _constrained(system.select(outside), targets[outside], coordinates[outside], prior[outside])
    return rows


def _constrained(system: AffineSystem, targets: FloatArray, coordinates: FloatArray, prior: FloatArray) -> FloatArray:
    """Solve for rows whose affine solution leaves the simplex."""
    rows = np.empty_like(prior)
    open_rows = np.ones(len(rows), bool)
    several = np.broadcast_to(system.rank < system.n_states, len(rows))
    loose = np.flatnonzero(several)
    if loose.size:  # there may be members of the value-equivalence class all the same: ask for the nearest
        points, reached = nearest_distributions(system.select(loose), coordinates[loose], prior[loose])
        rows[loose[reached]] = points[reached]
        open_rows[loose[reached]] = False
    left = np.flatnonzero(open_rows)
    if left.size == 0:
        return rows
    rows[left] = simplex_active_set(system.select(left), targets[left])
    loose = left[several[left]]
    if loose.size:  # minimisers share their values: the nearest to the prior among those with the values found
        chosen = system.select(loose)
        found = apply(chosen.basis.transpose(0, 2, 1), rows[loose])
        points, reached = nearest_distributions(chosen, found, prior[loose])
        rows[loose[reached]] = points[reached]
    return rows
