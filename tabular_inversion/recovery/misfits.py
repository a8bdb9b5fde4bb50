"""How far rows are from explaining their values, beside what their uncertainty allows."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray, Kernel
from tabular_inversion.recovery.equations import TINY, UNIT, largest
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


def _allowed(system: RowSystem, rows: Kernel) -> FloatArray:
    k = len(system.test_matrix)
    slack = SOLVED * sum(system.matrix.shape) * UNIT
    doubt = 1.01 * system.uncertainty[:k] + slack * np.abs(system.matrix[:k])
    own = 1.01 * system.value_uncertainty[:k] + slack * np.abs(system.values[:k])
    return np.asarray(np.asarray(abs(rows) @ doubt.T).T + own + TINY)


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
        weight = np.maximum(np.asarray(abs(rows[left]).sum(axis=1)).ravel(), 1.0)
        allowed = _allowed(system.select(left), rows[left]) + rounded * weight
        solved[left] = (np.abs(missed[:, left]) <= allowed).all(axis=0)
    return np.asarray(solved)
