"""Uniqueness inside the simplex (S1): a row on a face can be unique although [M;1] has a null space.

A row p with support T, allowed to move within A, is unique iff the system's columns on T are independent and no null
vector on A is nonnegative off T and positive somewhere there. The second question is a linear program that is
homogeneous, so that its optimum is 0 or 1; rows that share T and A share the program.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import issparse

from tabular_inversion._typing import FloatArray, IntArray, Kernel, SparseMatrix
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.system import RowSystem, rounding_level
from tabular_inversion.identifiability.uniform import restricted_codes
from tabular_inversion.identifiability.verdict import Evidence, Status


def rows_on_faces(system: RowSystem, rows: Kernel, supports: SparseMatrix, allowed: SparseMatrix | None) -> Decision:
    """Decide which rows are unique among the stochastic rows on their allowed states.

    Parameters
    ----------
    system : RowSystem
        [M;1].
    rows : numpy.ndarray or csr_array, shape (rows, n)
        Members of the class.
    supports : bool csr_array, shape (rows, n)
        Where each row is positive.
    allowed : bool csr_array, shape (rows, n), optional
        Where each row may be positive; everywhere when omitted.
    """
    codes, _, null_vector = restricted_codes(system, supports)
    pair = None
    dependent = np.flatnonzero(codes == Status.NOT_IDENTIFIED)
    if dependent.size:
        row = int(dependent[0])
        pair = Pair(row, *_move(_dense_row(rows, row), null_vector(row)))
    independent = np.flatnonzero(codes == Status.IDENTIFIED)
    directions = _programs(system, supports, allowed, independent)
    for row, (code, vector) in directions.items():
        codes[row] = code
        if pair is None and vector is not None:
            pair = Pair(row, *_move(_dense_row(rows, row), vector))
    unique = int((codes == Status.IDENTIFIED).sum())
    reason = f"{unique} of {len(codes)} rows left are unique in the simplex, on the faces where they lie"
    # Which states a row reaches is itself read off floats, so that nothing here is more than numeric.
    return Decision(codes, np.full(len(codes), Evidence.NUMERIC, np.int8), pair, reason)


def _dense_row(rows: Kernel, row: int) -> FloatArray:
    # Of sparse rows only the one that is shown as a witness is ever written out.
    dense: FloatArray = rows[[row]].toarray()[0] if issparse(rows) else rows[row]
    return dense


def _move(row: FloatArray, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return `row` and the end of the segment from it along `vector` (or against it) inside the simplex."""
    falls = vector < 0
    if not (vector[row <= 0] < 0).any() and falls.any():
        step = float((row[falls] / -vector[falls]).min())
        return row, np.maximum(row + step * vector, 0.0)
    return row, row  # the caller's re-check refuses a pair of equal rows


def _programs(
    system: RowSystem, supports: SparseMatrix, allowed: SparseMatrix | None, independent: IntArray
) -> dict[int, tuple[Status, FloatArray | None]]:
    """Solve one program for each different (T, A) and hand its answer to all rows that share it."""
    answers: dict[bytes, tuple[Status, FloatArray | None]] = {}
    result = {}
    for row in independent.tolist():
        states = _states(supports, row)
        free = np.arange(system.n_states) if allowed is None else _states(allowed, row)
        key = states.tobytes() + b"|" + free.tobytes()
        if key not in answers:
            answers[key] = recession_direction(system, states, free)
        result[row] = answers[key]
    return result


def _states(matrix: SparseMatrix, row: int) -> NDArray[np.intp]:
    return np.sort(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]).astype(np.intp)


def recession_direction(
    system: RowSystem, states: NDArray[np.intp], free: NDArray[np.intp]
) -> tuple[Status, FloatArray | None]:
    """Look for v != 0 on `free` with ``matrix @ v = 0`` and v >= 0 off `states`, whose columns are independent.

    Returns
    -------
    status : Status
        IDENTIFIED if there is none, NOT_IDENTIFIED if there is, UNDECIDED if floats do not settle it.
    vector : numpy.ndarray, shape (n,), or None
        v, in the null space to rounding.
    """
    outside = np.setdiff1d(free, states, assume_unique=True)
    if outside.size == 0:
        return Status.IDENTIFIED, None
    order = np.concatenate([outside, states])
    basis = system.restrict(order).null_basis
    if basis.shape[1] == 0:
        return (Status.IDENTIFIED if system.restrict(order).surely_full else Status.UNDECIDED), None
    off = basis[: len(outside)]
    found = linprog(
        -off.sum(axis=0), A_ub=np.vstack([-off, off.sum(axis=0)]),
        b_ub=np.append(np.zeros(len(outside)), 1.0), bounds=(None, None), method="highs",
    )  # fmt: skip
    if found.status != 0:
        return Status.UNDECIDED, None
    if -found.fun < 0.5:
        return Status.IDENTIFIED, None
    vector = _exact_face(system, order, basis @ found.x, len(outside))
    return (Status.UNDECIDED, None) if vector is None else (Status.NOT_IDENTIFIED, vector)


def _exact_face(system: RowSystem, order: IntArray, approximate: FloatArray, n_outside: int) -> FloatArray | None:
    """Move the program's answer, exact to 1e-7, into the null space of the columns that it uses."""
    used = (np.arange(len(order)) >= n_outside) | (approximate > 1e-6)
    restricted = system.restrict(order[used])
    if not restricted.surely_deficient:
        return None
    basis = restricted.null_basis
    inside = basis @ (basis.T @ approximate[used])
    vector = np.zeros(system.n_states)
    vector[order[used]] = inside
    vector[np.abs(vector) <= rounding_level((len(vector),)) * np.abs(vector).max()] = 0.0
    return vector if (vector[order[:n_outside]] >= 0).all() and vector.any() else None
