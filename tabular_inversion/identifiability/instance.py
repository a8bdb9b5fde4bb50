"""Instance scope (S1, T2c): whether this agent's own row is the only one of the class with its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from tabular_inversion._typing import FloatArray, IntArray, Kernel
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.faces import rows_on_faces
from tabular_inversion.identifiability.sparse_rows import other_sparse_rows
from tabular_inversion.identifiability.uniform import (
    COINCIDENCE,
    decide_uniform,
    equal_columns,
    repeated,
)
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.recovery.column_matching import two_nearest, value_scale
from tabular_inversion.recovery.system import RowSystem

POSITIVE = 1e-9
"""Entries of a recovered row up to this size count as zero."""


def decide_instance(system: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel) -> Decision:
    """Decide each row of an agent, given one row of the class that explains its values.

    Parameters
    ----------
    system : RowSystem
        M or [M;1], with the agent's right-hand sides.
    kernel_class : KernelClass
        K.
    row_index : numpy.ndarray of int
        Numbers s*A + a of the available rows.
    rows : numpy.ndarray or csr_array, shape (rows, S)
        Members of the class with the agent's values.
    """
    return INSTANCE.of(kernel_class)(system, kernel_class, row_index, rows)


def _distributions(system: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel) -> Decision:
    """Rows that are unique among all of the class are unique here; the others are looked for on their faces."""

    def on_faces(open_rows: IntArray) -> Decision:
        allowed = kernel_class.known_supports(row_index[open_rows])
        return rows_on_faces(system.select(open_rows), rows[open_rows], allowed)

    return _settled_first(decide_uniform(system, kernel_class, row_index), on_faces)


def _settled_first(everywhere: Decision, decide: Callable[[IntArray], Decision]) -> Decision:
    """Take rows that are identified at uniform scope from there, and ask for the others."""
    settled = everywhere.codes == Status.IDENTIFIED
    if settled.all():
        return everywhere
    open_rows = np.flatnonzero(~settled)
    found = decide(open_rows)
    codes, evidence = everywhere.codes.copy(), everywhere.evidence.copy()
    codes[open_rows], evidence[open_rows] = found.codes, found.evidence
    pair = None if found.pair is None else Pair(int(open_rows[found.pair.row]), found.pair.first, found.pair.second)
    return Decision(codes, evidence, pair, f"{everywhere.reason}; {found.reason}")


def _dense(rows: Kernel) -> FloatArray:
    dense: FloatArray = rows.toarray() if issparse(rows) else np.asarray(rows)
    return dense


def _unconstrained(system: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel) -> Decision:
    """One rank decides all rows; the witness is moved onto the agent's own first row."""
    decision = decide_uniform(system, kernel_class, row_index)
    if decision.pair is None:
        return decision
    own = _dense(rows[[0]])[0]
    step = decision.pair.second - decision.pair.first
    return replace(decision, pair=Pair(0, own, own + step))


def _deterministic(system: RowSystem, _class: KernelClass, _row_index: IntArray, _rows: Kernel) -> Decision:
    """Count the columns that could be the true one: within the uncertainty of the row's values."""
    kind, copies = repeated(system.test_matrix)
    columns, values = value_scale(system)
    first = np.unique(kind, return_index=True)[1]
    near, _, second = two_nearest(columns[:, first], values)
    states = first[near]
    lone, single = second > 1.0, copies[states] == 1
    codes = np.full(len(states), Status.UNDECIDED, np.int8)
    codes[lone & single] = Status.IDENTIFIED
    exact = not system.matrix_error.any()
    if system.hides_nothing or exact:
        codes[lone & ~single] = Status.NOT_IDENTIFIED
    proved = system.rigorous & ((codes == Status.IDENTIFIED) | ((codes == Status.NOT_IDENTIFIED) & exact))
    evidence = np.where(proved, Evidence.CERTIFIED, Evidence.NUMERIC).astype(np.int8)
    reason = f"the second nearest column is {float(second.min()):.2e} times its uncertainty away from the values"
    wrong = np.flatnonzero(codes == Status.NOT_IDENTIFIED)
    if wrong.size == 0:
        return Decision(codes, evidence, None, reason)
    row = int(wrong[0])
    return Decision(codes, evidence, Pair(row, *equal_columns(system, int(states[row]))), f"{reason}; {COINCIDENCE}")


def _sparse(system: RowSystem, kernel_class: Sparse, row_index: IntArray, rows: Kernel) -> Decision:
    if kernel_class.max_successors == 1:
        return _deterministic(system, kernel_class, row_index, rows)

    def search(open_rows: IntArray) -> Decision:
        return _searched(system, kernel_class.most(system.n_states), _dense(rows[open_rows]), open_rows)

    return _settled_first(decide_uniform(system, kernel_class, row_index), search)


def _searched(system: RowSystem, n_successors: int, rows: FloatArray, open_rows: IntArray) -> Decision:
    """Sparse rows are stochastic rows: what is unique in the simplex is unique here. The rest is searched."""
    among_all = rows_on_faces(system.select(open_rows), rows, None)
    codes, evidence = among_all.codes.copy(), among_all.evidence.copy()
    left = np.flatnonzero(codes != Status.IDENTIFIED)
    if left.size == 0:
        return among_all
    values: Any = system.values[:, open_rows[left]]
    found = other_sparse_rows(system.select(open_rows[left]), values, rows[left], n_successors)
    codes[left], evidence[left] = found.codes, found.evidence
    pair = None if found.pair is None else Pair(int(left[found.pair.row]), found.pair.first, found.pair.second)
    return Decision(codes, evidence, pair, found.reason)


INSTANCE: ClassTable[Callable[[RowSystem, Any, IntArray, Kernel], Decision]] = ClassTable(
    "the instance question",
    {
        Unconstrained: _unconstrained,
        Stochastic: _distributions,
        Supported: _distributions,
        Sparse: _sparse,
        Deterministic: _deterministic,
    },
)
"""By class, ``decide(system, kernel_class, row_index, rows)``, given members that have the agent's values."""
