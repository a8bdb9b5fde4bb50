"""Checks that hold for all values within the uncertainty: how much weight a row can have off a face, or inside one."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.recovery.equations import TINY, left_inverse, rounding, solution_error
from tabular_inversion.recovery.misfits import misfit_bound
from tabular_inversion.recovery.system import RowSystem

TAKEN_AS_ZERO = 2.0**-37
"""Weight off a face that a numeric verdict leaves open, at most: where the values are those of the face to their last
digit, and bound it by this. It decides no support: `on_face` does."""

_LONG = float(np.finfo(np.longdouble).eps)
"""Rounding of the longest floats there are: 2^-63 on most machines, that of doubles at worst."""


def off_weight_is_zero(system: RowSystem, combinations: FloatArray, states: IntArray, off: IntArray) -> BoolArray:
    """Tell for which rows the values bound the weight off a face by almost nothing.

    Parameters
    ----------
    system : RowSystem
        [M;1], with a right-hand side for each of b rows.
    combinations : numpy.ndarray, shape (b, E)
        y for each row: ``y.matrix`` is about zero on the face and at least 1/2 off it.
    states, off : numpy.ndarray of int, shape (b, t) and (b, o)
        The face, and the other states that the row may reach.

    Returns
    -------
    numpy.ndarray of bool, shape (b,)
        Whether y is of that kind for every matrix in question, so that the row's columns off the face cannot replace
        any on it, and the weight off the face is below `TAKEN_AS_ZERO`, zero not excluded.

    Notes
    -----
    With w = y.M for M as given, the weight m off the face satisfies ``min_off w * m <= y.q + |y|.|M p - q| + max_face
    |w|``, all bounded outwards; and w stays positive there for every M in question.
    """
    size, slack = np.abs(combinations), rounding(combinations.shape[1] + 4)
    seen = combinations @ system.matrix
    rounded = 1.01 * slack * (size @ np.abs(system.matrix))
    doubt = rounded + 1.01 * (size @ system.uncertainty)
    kept = (np.take_along_axis(seen - doubt, off, axis=1) > 0).all(axis=1)
    stray = np.take_along_axis(np.abs(seen) + rounded, states, axis=1).max(axis=1)
    least = np.take_along_axis(seen - rounded, off, axis=1).min(axis=1)
    value = (combinations * system.values.T).sum(axis=1)
    missed = 1.01 * (size * (misfit_bound(system, system.n_states) + slack * np.abs(system.values)).T).sum(axis=1)
    bound = (np.abs(value) + missed + stray) / np.where(least > 0, least, 1.0)
    shown = value - missed - stray > 0.0
    return np.asarray(kept & ~shown & (bound <= TAKEN_AS_ZERO))


def on_face(system: RowSystem, points: FloatArray, states: IntArray) -> BoolArray:
    """Tell which rows can lie on a face: False is a proof that they have weight elsewhere.

    Parameters
    ----------
    system : RowSystem
        [M;1], with a right-hand side for each of b rows.
    points : numpy.ndarray, shape (b, t)
        The rows, to rounding, if they lie there.
    states : numpy.ndarray of int, shape (b, t)
        The faces.

    Notes
    -----
    A row p* on the face T has ``y.(q - A p) = y.(q - A p*) + y.A (p* - p)`` for every y and p; y is taken orthogonal to
    the columns on T, to rounding, so that the last term is the product of two small numbers, and the residual of p is
    computed in long floats. What is left of the bound is the uncertainty of the values: half a unit in their last place
    where they are correctly rounded, the rounding of an expectation over t states where a solver computed them.
    """
    own, doubt = (np.moveaxis(part[:, states], 0, 1) for part in (system.matrix, system.uncertainty))
    n_equations, size = own.shape[1:]
    if n_equations <= size:
        return np.ones(len(points), bool)
    given, right = own.astype(np.longdouble), system.values.T.astype(np.longdouble)
    left = (right - (given * points[:, None, :]).sum(axis=2)).astype(np.float64)
    computed = (size + 3) * _LONG * ((np.abs(own) * np.abs(points)[:, None, :]).sum(axis=2) + np.abs(system.values.T))
    allowed = misfit_bound(system, size).T + computed + rounding(1) * np.abs(left) + TINY
    error = solution_error(left_inverse(own), own, doubt, (np.abs(left) + allowed)[:, :, None])
    across = np.swapaxes(np.linalg.qr(own, mode="complete").Q[:, :, size:], 1, 2)
    weight, slack = np.abs(across), rounding(n_equations + 4)
    stray = np.abs(across @ own) + slack * (weight @ np.abs(own))
    seen = np.abs(across @ left[:, :, None])
    limit = weight @ (allowed + slack * np.abs(left))[:, :, None] + stray @ error
    return np.asarray((seen <= (1.0 + slack) * limit).all(axis=(1, 2)))


def solutions_inside(system: RowSystem, points: FloatArray, columns: IntArray) -> BoolArray:
    """Tell near which points there is a positive solution on these columns, for all numbers within the uncertainty.

    Parameters
    ----------
    system : RowSystem
        [M;1], with a right-hand side for each of b rows.
    points : numpy.ndarray, shape (b, N)
        Approximate solutions on the columns.
    columns : numpy.ndarray of int, shape (b, N)
        More than there are equations for the answer to refute anything.

    Notes
    -----
    With R a right inverse of A, a solution p + R c has ``(A* R) c = b* - A* p``, so ``|c| <= h + G |c|`` with h a bound
    on the right side and ``G >= |A* R - I|``. A vector w > 0 with ``h + G w < w`` bounds |c|; the solution is positive
    where ``|R| w < p``.
    """
    matrix, doubt = (np.moveaxis(part[:, columns], 0, 1) for part in (system.matrix, system.uncertainty))
    n_equations, size = matrix.shape[1:]
    if n_equations > size:
        return np.zeros(len(points), bool)
    inverse = np.linalg.pinv(matrix)
    slack = rounding(size + n_equations + 8)
    doubt = doubt + slack * np.abs(matrix)
    own, reach = points[:, :, None], np.abs(inverse)
    missed = np.abs(matrix @ own - system.values.T[:, :, None]) + slack * np.abs(system.values.T[:, :, None])
    missed = 1.01 * (missed + doubt @ np.abs(own) + system.value_uncertainty.T[:, :, None]) + TINY
    gap = 1.01 * (np.abs(matrix @ inverse - np.eye(n_equations)) + doubt @ reach) + slack
    bound = missed
    for _ in range(3):
        bound = missed + gap @ bound
    bound = 2.0 * bound
    settled = (missed + 1.01 * (gap @ bound) < bound).all(axis=(1, 2))
    return np.asarray(settled & (1.01 * (reach @ bound) < own).all(axis=(1, 2)))
