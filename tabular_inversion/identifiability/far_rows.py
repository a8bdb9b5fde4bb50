"""A row far from another one with the same values, and with few entries: the witness that is easiest to read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError
from tabular_inversion.highs import linear_program
from tabular_inversion.kernel_classes import KernelClass, Stochastic, Supported
from tabular_inversion.recovery.system import CONSISTENT

_MOST_NUMBERS = 10**6
_AS_FAR = 0.99
"""A vertex with few entries is preferred to a row that is farther by less than this."""
_LEAST = 1e-9
"""Entries of a vertex below this are rounding of the linear program."""


POLYTOPES: dict[type[KernelClass], bool] = {Stochastic: False, Supported: True}
"""Classes whose rows are all distributions on some states, and whether these are known row by row."""


def goal_tests(agent: Any, witness: Any) -> NDArray[Any] | None:
    """Return the test functions of a witness's row, shape (G, S), NaN where a goal has no equation; None if unknown."""
    if agent is None:
        return None
    if not isinstance(agent, AgentValues):
        return np.asarray(agent.test_matrix)
    try:
        tests = agent.tests_of(witness.state, witness.action)
    except AgentValuesError:  # a state value is missing: the equations that remain are not those of all states
        return None
    known = agent.known[:, witness.state, witness.action]
    return np.where(known[:, None], tests, np.nan)


def have_same_values(tests: NDArray[Any] | None, first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Tell whether every goal values two rows alike, up to 1e-9 of the size of its test functions."""
    if tests is None or object in (tests.dtype, first.dtype, second.dtype):
        return False
    used = tests[~np.isnan(tests).any(axis=1)]
    return bool((np.abs(used @ (first - second)) <= CONSISTENT * np.abs(used).max(axis=1, initial=0.0)).all())


def farthest_row(tests: NDArray[Any], kernel_class: KernelClass, witness: Any, row: NDArray[Any]) -> NDArray[Any]:
    """Return a vertex of the value-equivalence class of a row that puts least weight where the row has its own.

    Parameters
    ----------
    tests : numpy.ndarray, shape (G, S)
        The goals, who may not notice.
    kernel_class : Stochastic or Supported
        For other classes there is no polytope, and the second row of the witness is returned.
    witness : Witness
        Which row of the kernel, and what to return where the linear program finds nothing that survives a check.
    row : numpy.ndarray, shape (S,)
        From where.
    """
    fallback: NDArray[Any] = witness.second if witness.second is not row else witness.first
    if type(kernel_class) not in POLYTOPES or not have_same_values(tests, row, fallback):
        return fallback
    allowed = np.ones(len(row), bool)
    if POLYTOPES[type(kernel_class)]:
        support: Any = kernel_class.support  # type: ignore[attr-defined]
        n_actions = support.shape[0] // len(row)
        allowed = support[[witness.state * n_actions + witness.action]].toarray()[0]
    columns = np.flatnonzero(allowed)
    used = tests[~np.isnan(tests).any(axis=1)][:, columns]
    if used.size > _MOST_NUMBERS:
        return fallback
    best = fallback
    for cost in (row[columns], (row - fallback)[columns]):  # away from its support; on beyond the other row
        found = _vertex(used, row[columns], cost)
        if found is None:
            continue
        whole = np.zeros(len(row))
        whole[columns] = found
        farther = np.abs(whole - row).sum() >= _AS_FAR * np.abs(best - row).sum()
        if farther and have_same_values(tests, whole, row):
            best = whole
    return best


def _vertex(tests: FloatArray, row: FloatArray, cost: FloatArray) -> FloatArray | None:
    centred = tests - tests.mean(axis=1, keepdims=True)
    size = np.abs(centred).max(axis=1, keepdims=True)
    equations = np.concatenate([centred / np.where(size > 0, size, 1.0), np.ones((1, len(row)))])
    found = linear_program(cost, A_eq=equations, b_eq=equations @ row, bounds=(0, None), method="highs-ds")
    if found.x is None:
        return None
    places = np.flatnonzero(found.x > _LEAST)
    entries = np.linalg.lstsq(equations[:, places], equations @ row, rcond=None)[0]
    if (entries < 0).any():
        return None
    polished = np.zeros(len(row))
    polished[places] = entries / entries.sum()
    return polished
