"""How far rows are from explaining their values, beside what their uncertainty allows."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, Kernel
from tabular_inversion.recovery.equations import TINY, UNIT
from tabular_inversion.recovery.system import RowSystem

_SOLVED = 16.0
"""Units of rounding, for each row and column, that a recovered row may miss its values by: it is no exact solution."""


def misfits(system: RowSystem, rows: Kernel) -> tuple[FloatArray, FloatArray]:
    """Return ``M p - q`` in the scale of the system, and how large it may be for rows that have the values.

    Parameters
    ----------
    system : RowSystem
        With R right-hand sides.
    rows : numpy.ndarray or csr_array, shape (R, n)
        Recovered rows.

    Returns
    -------
    misfit, allowed : numpy.ndarray, shape (k, R)
        What is allowed covers the uncertainty of M and q, and the rounding of a recovery.
    """
    k = len(system.test_matrix)
    matrix, values = system.matrix[:k], system.values[:k]
    slack = _SOLVED * sum(system.matrix.shape) * UNIT
    doubt = 1.01 * system.uncertainty[:k] + slack * np.abs(matrix)
    allowed = np.asarray(abs(rows) @ doubt.T).T + 1.01 * system.value_uncertainty[:k] + slack * np.abs(values) + TINY
    return np.asarray(rows @ matrix.T).T - values, allowed


def explains(system: RowSystem, rows: Kernel) -> BoolArray:
    """Tell which rows have their values, as far as can be told, shape (R,)."""
    misfit, allowed = misfits(system, rows)
    return np.asarray((np.abs(misfit) <= allowed).all(axis=0))


def is_solved(system: RowSystem, rows: Kernel) -> BoolArray:
    """Tell which rows have their values, or miss them only by what the rounding of a row's entries can do, shape (R,).

    An entry that should be zero is computed as some units of rounding, and an equation may weigh it as its largest.
    """
    misfit, allowed = misfits(system, rows)
    rounded = _SOLVED * sum(system.matrix.shape) * UNIT * np.maximum(np.asarray(abs(rows).sum(axis=1)).ravel(), 1.0)
    return np.asarray((np.abs(misfit) <= allowed + rounded).all(axis=0))
