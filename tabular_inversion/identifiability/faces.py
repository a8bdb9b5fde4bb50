"""Uniqueness inside the simplex (S1): a row on a face can be unique although [M;1] has a null space.

A row p with support T, allowed to move within A, is unique iff the system's columns on T are independent and no null
vector on A is nonnegative off T and positive somewhere there. The second question is a linear program that is
homogeneous, so that its optimum is zero or not; rows that share T and A share the program, and many programs are solved
as one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel, SparseMatrix
from tabular_inversion.errors import ConvergenceError
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.uniform import restricted_codes
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.recovery.linear_programs import block_size, solve_blocks
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.system import RowSystem, rounding_level


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
    codes[independent], directions = _decide_off_faces(system, supports, allowed, independent)
    if pair is None and directions:
        row = min(directions)
        pair = Pair(row, *_move(_dense_row(rows, row), directions[row]))
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


def _decide_off_faces(
    system: RowSystem, supports: SparseMatrix, allowed: SparseMatrix | None, rows: IntArray
) -> tuple[NDArray[np.int8], dict[int, FloatArray]]:
    """Decide rows whose columns on T are independent; return their codes, and for some rows a direction (n,) off T."""
    codes = np.empty(len(rows), np.int8)
    directions: dict[int, FloatArray] = {}
    inside = csr_array(supports[rows])
    beyond = None if allowed is None else csr_array(allowed[rows].astype(np.int8) - inside.astype(np.int8) > 0)
    sizes = np.diff(inside.indptr)
    others = system.n_states - sizes if beyond is None else np.diff(beyond.indptr)
    for size, n_off in np.unique(np.stack([sizes, others], axis=1), axis=0):
        members = np.flatnonzero((sizes == size) & (others == n_off))
        keys = _columns(inside, members, size)
        if beyond is not None:
            keys = np.concatenate([keys, _columns(beyond, members, n_off)], axis=1)
        different, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        found = np.empty(len(different), np.int8)
        block = block_size(max(1, n_off))
        for start in range(0, len(different), block):
            part = slice(start, start + block)
            states = different[part, :size]
            off = _complement(states, system.n_states) if beyond is None else different[part, size:]
            found[part], vectors = recession_directions(system, states, off)
            refuted = np.flatnonzero(found[part] == Status.NOT_IDENTIFIED)
            if refuted.size:
                at = int(refuted[first[part][refuted].argmin()])
                vector = np.zeros(system.n_states)
                vector[np.concatenate([off[at], states[at]])] = vectors[at]
                directions[int(rows[members[first[part][at]]])] = vector
        codes[members] = found[inverse.ravel()]
    return codes, directions


def _columns(matrix: SparseMatrix, rows: IntArray, size: int) -> IntArray:
    """Return the columns stored in rows that all hold `size` of them, ascending, shape (len(rows), size)."""
    return np.sort(matrix.indices[matrix.indptr[rows][:, None] + np.arange(size)], axis=1).astype(np.intp)


def _complement(states: IntArray, n_states: int) -> IntArray:
    """Return, for each set of states (b, t), all others in ascending order, shape (b, n - t)."""
    mask = np.ones((len(states), n_states), bool)
    np.put_along_axis(mask, states, False, axis=1)
    return np.nonzero(mask)[1].reshape(len(states), n_states - states.shape[1])


def recession_directions(system: RowSystem, states: IntArray, off: IntArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Look for v != 0 with ``matrix @ v = 0`` and v >= 0 at `off`, zero beyond `off` and `states`.

    Parameters
    ----------
    system : RowSystem
        [M;1].
    states : numpy.ndarray of int, shape (b, t)
        Where v may have either sign; these columns are independent.
    off : numpy.ndarray of int, shape (b, o)
        Where it may not be negative.

    Returns
    -------
    codes : numpy.ndarray of int8, shape (b,)
        IDENTIFIED if there is none, NOT_IDENTIFIED if there is, UNDECIDED if floats do not settle it.
    vectors : numpy.ndarray, shape (b, o + t)
        v at `off`, then at `states`, in the null space to rounding, where there is one.

    Notes
    -----
    Multiplying the equations by the complement of the columns on `states` leaves those of `off` alone. Their solutions
    u >= 0 form a cone, and ``max sum(u)`` over u <= 1 is zero iff it is a point, at least 1 otherwise.
    """
    count, (size, n_off) = len(states), (states.shape[1], off.shape[1])
    if n_off == 0:
        return np.full(count, Status.IDENTIFIED, np.int8), np.zeros((count, size))
    own, others = (np.moveaxis(system.matrix[:, part], 0, 1) for part in (states, off))
    complement = np.linalg.qr(own, mode="complete").Q[:, :, size:]
    equations = np.swapaxes(complement, 1, 2) @ others
    zero, one = np.zeros((count, n_off)), np.ones((count, n_off))
    try:
        found = solve_blocks(-one, equations, np.zeros(equations.shape[:2]), zero, one)
    except ConvergenceError:
        if count == 1:
            return np.full(1, Status.UNDECIDED, np.int8), np.zeros((1, n_off + size))
        halves = [recession_directions(system, states[part], off[part]) for part in np.array_split(np.arange(count), 2)]
        return np.concatenate([half[0] for half in halves]), np.concatenate([half[1] for half in halves])
    codes = np.full(count, Status.IDENTIFIED, np.int8)
    vectors = np.zeros((count, n_off + size))
    moved = np.flatnonzero(found.sum(axis=1) >= 0.5)
    if moved.size:
        columns = np.concatenate([off, states], axis=1)[moved]
        proved, vectors[moved] = _into_null_space(system, columns, found[moved])
        codes[moved] = np.where(proved, Status.NOT_IDENTIFIED, Status.UNDECIDED)
    return codes, vectors


def _into_null_space(system: RowSystem, columns: IntArray, found: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Move the programs' answers, exact to 1e-10, into the null spaces of the columns that they use.

    Parameters
    ----------
    system : RowSystem
        [M;1].
    columns : numpy.ndarray of int, shape (b, o + t)
        Those where v must be nonnegative first.
    found : numpy.ndarray, shape (b, o)
        v there.

    Returns
    -------
    proved : numpy.ndarray of bool, shape (b,)
        Whether the columns used are surely dependent, and the vector's signs survive.
    vectors : numpy.ndarray, shape (b, o + t)
        v.
    """
    n_off = found.shape[1]
    used = np.concatenate([found > 1e-6, np.ones((len(columns), columns.shape[1] - n_off), bool)], axis=1)
    part = np.moveaxis(system.matrix[:, columns], 0, 1) * used[:, None, :]
    inverse = np.linalg.pinv(part[:, :, n_off:])
    inside = -inverse @ (part[:, :, :n_off] @ found[:, :, None])
    vectors = np.concatenate([found, inside[:, :, 0]], axis=1) * used
    gram = part @ np.swapaxes(part, 1, 2)
    shift = np.linalg.pinv(gram, hermitian=True) @ (part @ vectors[:, :, None])
    vectors = vectors - (np.swapaxes(part, 1, 2) @ shift)[:, :, 0]
    limit = rounding_level((columns.shape[1],)) * np.abs(vectors).max(axis=1, keepdims=True)
    vectors[np.abs(vectors) <= limit] = 0.0
    gap = np.abs((part @ vectors[:, :, None])[:, :, 0]).max(axis=1)
    fits = (vectors[:, :n_off] >= 0).all(axis=1) & vectors.any(axis=1) & (gap <= columns.shape[1] * limit[:, 0])
    proved = fits & (used.sum(axis=1) > len(system.matrix))
    for at in np.flatnonzero(fits & ~proved):  # as many equations as columns or more: counting proves nothing
        proved[at] = system.restrict(columns[at][used[at]]).rank_decision.status is RankStatus.DEFICIENT
    return proved, vectors
