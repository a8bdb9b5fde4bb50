"""A row far from another one with the same values, and with few entries: the witness that is easiest to read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.kernel_classes import KernelClass, Stochastic, Supported
from tabular_inversion.recovery.system import CONSISTENT

_MOST_NUMBERS = 10**6
_LEAST = 1e-9
"""Entries of a vertex below this are rounding of the linear program."""


def have_same_values(agent: Any, first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Tell whether every goal values two rows alike, up to 1e-9 of the size of its test functions."""
    if agent is None or first.dtype == object or second.dtype == object:
        return False
    tests = agent.test_matrix
    return bool((np.abs(tests @ (first - second)) <= CONSISTENT * np.abs(tests).max(axis=1)).all())


def farthest_row(agent: Any, kernel_class: KernelClass, witness: Any, row: FloatArray) -> NDArray[Any]:
    """Return a vertex of the value-equivalence class of a row that puts least weight where the row has its own.

    Parameters
    ----------
    agent : AgentValues or None
        Whose goals may not notice.
    kernel_class : Stochastic or Supported
        For other classes there is no polytope, and the second row of the witness is returned.
    witness : Witness
        Which row of the kernel, and what to return where the linear program finds nothing that survives a check.
    row : numpy.ndarray, shape (S,)
        From where.
    """
    fallback: NDArray[Any] = witness.second if witness.second is not row else witness.first
    if not isinstance(kernel_class, Stochastic | Supported) or not have_same_values(agent, row, fallback):
        return fallback
    allowed = np.ones(len(row), bool)
    if isinstance(kernel_class, Supported):
        allowed = kernel_class.rows([witness.state * agent.n_actions + witness.action]).toarray()[0]
    columns = np.flatnonzero(allowed)
    tests = np.asarray(agent.test_matrix)[:, columns]
    if tests.size > _MOST_NUMBERS:
        return fallback
    found = _vertex(tests, row[columns])
    if found is None:
        return fallback
    whole = np.zeros(len(row))
    whole[columns] = found
    return whole if have_same_values(agent, whole, row) else fallback


def _vertex(tests: FloatArray, row: FloatArray) -> FloatArray | None:
    from scipy.optimize import linprog

    centred = tests - tests.mean(axis=1, keepdims=True)
    size = np.abs(centred).max(axis=1, keepdims=True)
    equations = np.concatenate([centred / np.where(size > 0, size, 1.0), np.ones((1, len(row)))])
    found = linprog(row, A_eq=equations, b_eq=equations @ row, bounds=(0, None), method="highs-ds")
    if found.x is None:
        return None
    places = np.flatnonzero(found.x > _LEAST)
    entries = np.linalg.lstsq(equations[:, places], equations @ row, rcond=None)[0]
    if (entries < 0).any():
        return None
    polished = np.zeros(len(row))
    polished[places] = entries / entries.sum()
    return polished
