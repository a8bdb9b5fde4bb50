"""How far rows are from explaining their values, beside what their uncertainty allows."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray, Kernel
from tabular_inversion.kernel_rows import absolute, rows_times
from tabular_inversion.recovery.equations import TINY, UNIT, largest, rescaled, rounding
from tabular_inversion.recovery.system import RowSystem

SOLVED = 16.0
"""Units of rounding, for each row and column, that a recovered row may miss its values by: it is no exact solution."""


def misfit(system: RowSystem, rows: Kernel) -> FloatArray:
    """Return ``M p - q`` in the scale of the system, shape (k, R).

    Parameters
    ----------
    system : RowSystem
        With R right-hand sides.
    rows : numpy.ndarray or csr_array, shape (R, n)
        Recovered rows.
    """
    k = len(system.test_matrix)
    tests = system.matrix[:k]
    missed: FloatArray = np.asarray(rows @ tests.T).T if issparse(rows) else tests @ rows.T
    missed -= system.values[:k]
    return missed


def misfits(system: RowSystem, rows: Kernel) -> tuple[FloatArray, FloatArray]:
    """Return `misfit`, and how large it may be for rows that have the values: both (k, R).

    What is allowed covers the uncertainty of M and q, and the rounding of a recovery.
    """
    return misfit(system, rows), _allowed(system, rows)


def misfit_bound(system: RowSystem, n_successors: int) -> FloatArray:
    """Bound ``|A p - b|`` of a true distribution p on so many states, A and b as given and scaled, shape (E, R).

    The uncertainty of M and q bounds it, and so does the residual that a solver reports of them, with what else was
    rounded on the way.
    """
    k, exponents = len(system.test_matrix), system.equations.exponents
    # Correct rounding moves a number by half a unit in its last place, which is up to twice as sharp as u times it.
    own, size = system.right_hand_error, np.abs(system.right_hand_sides)
    spared = np.where(own <= UNIT * size, own - 0.5 * np.spacing(size), 0.0)
    doubt = system.value_uncertainty[:k] - rescaled(spared, exponents)
    bound = (1.0 + rounding(4)) * (system.uncertainty[:k].max(axis=1, keepdims=True) + doubt)
    if system.residual is not None:
        # Beside it stands the rounding of an expectation, and of M, where it is rounded, at both ends of the loop.
        # A sure successor's value is passed on as it is.
        whole = np.abs(system.test_matrix).max(axis=1, keepdims=True)
        ends = np.where(system.matrix_error.any(axis=1, keepdims=True), rounding(8), 0.0)
        computed = (rounding(n_successors if n_successors > 1 else 0) + ends) * whole
        bound = np.minimum(bound, rescaled(system.residual[:, None] + computed, exponents))
    return system.with_ones(bound, 0.0)


def _allowed(system: RowSystem, rows: Kernel) -> FloatArray:
    k = len(system.test_matrix)
    slack = SOLVED * sum(system.matrix.shape) * UNIT
    doubt = 1.01 * system.uncertainty[:k] + slack * np.abs(system.matrix[:k])
    own = 1.01 * system.value_uncertainty[:k] + slack * np.abs(system.values[:k])
    return np.asarray(rows_times(absolute(rows), doubt.T).T + own + TINY)


def explains(system: RowSystem, rows: Kernel) -> BoolArray:
    """Tell which rows have their values, as far as can be told, shape (R,)."""
    missed, allowed = misfits(system, rows)
    return np.asarray((np.abs(missed) <= allowed).all(axis=0))


def is_solved(system: RowSystem, rows: Kernel, missed: FloatArray) -> BoolArray:
    """Tell which rows have their values, or miss them only by what the rounding of a row's entries can do, shape (R,).

    An entry that should be zero is computed as some units of rounding, and an equation may weigh it as its largest.

    Parameters
    ----------
    system : RowSystem
        With R right-hand sides.
    rows : numpy.ndarray or csr_array, shape (R, n)
        Recovered rows.
    missed : numpy.ndarray, shape (k, R)
        Their `misfit`.
    """
    rounded = SOLVED * sum(system.matrix.shape) * UNIT
    solved = largest(missed, 0)[0] <= rounded  # the others' entries, and what their values allow, are looked at
    left = np.flatnonzero(~solved)
    if left.size:
        weight = np.maximum(np.asarray(absolute(rows[left]).sum(axis=1)).ravel(), 1.0)
        allowed = _allowed(system.select(left), rows[left]) + rounded * weight
        solved[left] = (np.abs(missed[:, left]) <= allowed).all(axis=0)
    return np.asarray(solved)
