"""Uniqueness inside the simplex (S1): a row on a face can be unique although [M;1] has a null space.

A row p with support T, allowed to move within A, is unique iff the system's columns on T are independent and no null
vector on A is nonnegative off T and positive somewhere there. The second question is a linear program that is
homogeneous, so that its optimum is zero or not; rows that share T and A share the program, and many programs are solved
as one. T is a guess from the recovered row: an answer counts only after a check that takes all uncertainty in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel, SparseMask
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.face_bounds import off_weight_is_zero, on_face, solutions_inside
from tabular_inversion.identifiability.uniform import restricted_codes
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.recovery.linear_programs import block_size, solve_blocks
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.system import RowSystem, rounding_level

_GUESSES = (1e-9, 1e-14)
"""Entries of a recovered row above these are tried as its support, in this order."""
_NUMBERS = 2**21
"""In one stack of systems, 16 MB."""
_SHARE = 2.0**-20
"""Of an entry, that uncertainty may move, where a refutation is not proved."""


def rows_on_faces(system: RowSystem, rows: Kernel, allowed: SparseMask | None) -> Decision:
    """Decide which rows are unique among the stochastic rows on their allowed states.

    Parameters
    ----------
    system : RowSystem
        [M;1], with a right-hand side for each row.
    rows : numpy.ndarray or csr_array, shape (rows, n)
        Members of the class with these values.
    allowed : bool csr_array, shape (rows, n), optional
        Where each row may be positive; everywhere when omitted.

    Returns
    -------
    Decision
        IDENTIFIED is numeric: the values are those of the face to their last digit, and weight off it, which they
        bound by 7e-12, is taken as zero. NOT_IDENTIFIED is certified
        where positive solutions on more states than there are equations are proved for all numbers in question.
    """
    count = rows.shape[0]
    codes, evidence = np.full(count, Status.UNDECIDED, np.int8), np.full(count, Evidence.NUMERIC, np.int8)
    pair: Pair | None = None
    for guess in _GUESSES:
        left = np.flatnonzero(codes == Status.UNDECIDED)
        if not left.size:
            break
        part = _on_guess(system.select(left), rows[left], guess, None if allowed is None else allowed[left])
        codes[left], evidence[left] = part.codes, part.evidence
        if pair is None and part.pair is not None:
            pair = Pair(int(left[part.pair.row]), part.pair.first, part.pair.second)
    unique = int((codes == Status.IDENTIFIED).sum())
    reason = f"{unique} of {count} rows left are unique in the simplex, on the faces where they lie"
    if unique:
        reason = f"{reason} (weight that the values bound by 7e-12 is taken as zero)"
    return Decision(codes, evidence, pair, reason)


def _on_guess(system: RowSystem, rows: Kernel, guess: float, allowed: SparseMask | None) -> Decision:
    """Decide with the entries above a level as supports."""
    supports = csr_array(rows > guess)
    codes, _, null_vector = restricted_codes(system, supports)
    evidence = np.full(len(codes), Evidence.NUMERIC, np.int8)
    pairs: list[Pair] = []
    dependent = np.flatnonzero(codes == Status.NOT_IDENTIFIED)
    if dependent.size:
        refuted, proved = _refuted(system.select(dependent), rows[dependent], supports[dependent])
        codes[dependent[~refuted]] = Status.UNDECIDED
        evidence[dependent[refuted & proved]] = Evidence.CERTIFIED
        if refuted.any():
            row = int(dependent[refuted][0])
            pairs.append(Pair(row, *_move(_dense_row(rows, row), null_vector(row))))
    independent = np.flatnonzero(codes == Status.IDENTIFIED)
    if independent.size:
        chosen = None if allowed is None else allowed[independent]
        found = _off_faces(system.select(independent), rows[independent], supports[independent], chosen)
        codes[independent], evidence[independent] = found.codes, found.evidence
        if found.pair is not None:
            pairs.append(Pair(int(independent[found.pair.row]), found.pair.first, found.pair.second))
    return Decision(codes, evidence, min(pairs, key=lambda pair: pair.row) if pairs else None, "")


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


def _refuted(system: RowSystem, rows: Kernel, supports: SparseMask) -> tuple[BoolArray, BoolArray]:
    """Tell which rows, with values on dependent columns, surely lie inside these faces, and where that is proved."""
    sizes = np.diff(supports.indptr)
    refuted, proved = np.zeros(len(sizes), bool), np.zeros(len(sizes), bool)
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        step = max(1, _NUMBERS // (len(system.matrix) * int(size)))
        for start in range(0, len(members), step):
            part = members[start : start + step]
            columns = _columns(supports, part, int(size))
            points = _entries(rows[part], columns)
            chosen = system.select(part)
            refuted[part], proved[part] = _inside(chosen, points, columns)
    return refuted, proved


def _inside(system: RowSystem, points: FloatArray, columns: IntArray) -> tuple[BoolArray, BoolArray]:
    """Tell which points on dependent columns have solutions beside them, and where that is proved."""
    more = columns.shape[1] > len(system.matrix)
    proved = solutions_inside(system, points, columns) if more else np.zeros(len(points), bool)
    refuted = proved.copy()
    left = np.flatnonzero(~proved)
    if left.size and (system.trusts_coincidence or not system.matrix_error.any()):
        part = system.select(left)
        matrix, doubt = (np.moveaxis(array[:, columns[left]], 0, 1) for array in (part.matrix, part.uncertainty))
        error = (doubt @ points[left][:, :, None])[:, :, 0] + part.value_uncertainty.T
        # An estimate: directions that the equations repeat are left out of the pseudo-inverse, none that differ.
        first, singular, second = np.linalg.svd(matrix, full_matrices=False)
        level = np.linalg.norm(doubt, axis=(1, 2)) + rounding_level(matrix.shape[1:]) * singular[:, 0]
        seen = singular > level[:, None]
        clear = (~seen | (singular > level[:, None] / _SHARE)).all(axis=1)
        inverse = np.where(seen, 1.0 / np.where(seen, singular, 1.0), 0.0)
        pseudo = np.swapaxes(second, 1, 2) @ (inverse[:, :, None] * np.swapaxes(first, 1, 2))
        reach = np.abs(pseudo) @ error[:, :, None]
        clear &= (reach[:, :, 0] <= _SHARE * points[left]).all(axis=1)
        for at in np.flatnonzero(clear):
            refuted[left[at]] = system.restrict(columns[left[at]]).rank_decision.status is RankStatus.DEFICIENT
    return refuted, proved & system.rigorous


def _off_faces(system: RowSystem, rows: Kernel, supports: SparseMask, allowed: SparseMask | None) -> Decision:
    """Decide rows whose columns on T are independent."""
    count = rows.shape[0]
    codes, evidence = np.full(count, Status.UNDECIDED, np.int8), np.full(count, Evidence.NUMERIC, np.int8)
    shown: dict[int, FloatArray] = {}
    beyond = None if allowed is None else csr_array(allowed.astype(np.int8) - supports.astype(np.int8) > 0)
    sizes = np.diff(supports.indptr)
    others = system.n_states - sizes if beyond is None else np.diff(beyond.indptr)
    for size, n_off in np.unique(np.stack([sizes, others], axis=1), axis=0):
        members = np.flatnonzero((sizes == size) & (others == n_off))
        keys = _columns(supports, members, size)
        if beyond is not None:
            keys = np.concatenate([keys, _columns(beyond, members, n_off)], axis=1)
        different, inverse = np.unique(keys, axis=0, return_inverse=True)
        block = block_size(max(1, n_off))
        for start in range(0, len(different), block):
            inside = (inverse.ravel() >= start) & (inverse.ravel() < start + block)
            own, which = members[inside], inverse.ravel()[inside] - start
            states = different[start : start + block, :size]
            off = _complement(states, system.n_states) if beyond is None else different[start : start + block, size:]
            found = _decide_block(system.select(own), _entries(rows[own], states[which]), states, off, which)
            codes[own], evidence[own] = found[:2]
            shown |= {int(own[row]): vector for row, vector in found[2].items()}
    pair = None
    if shown:
        row = min(shown)
        pair = Pair(row, *_move(_dense_row(rows, row), shown[row]))
    return Decision(codes, evidence, pair, "")


def _decide_block(
    system: RowSystem, points: FloatArray, states: IntArray, off: IntArray, which: IntArray
) -> tuple[NDArray[np.int8], NDArray[np.int8], dict[int, FloatArray]]:
    """Decide rows with points on the states of these programs; `which` says whose program is whose."""
    codes, evidence = (np.full(len(points), code, np.int8) for code in (Status.UNDECIDED, Evidence.NUMERIC))
    if off.shape[1] == 0:
        # The face is all that is allowed, and its columns are independent, which is proved.
        codes[:], evidence[:] = Status.IDENTIFIED, Evidence.CERTIFIED if system.rigorous else Evidence.NUMERIC
        return codes, evidence, {}
    moved, vectors, combinations = recession_directions(system, states, off)
    unique = np.flatnonzero(~moved[which])
    if unique.size:
        place = which[unique]
        chosen = system.select(unique)
        zero = off_weight_is_zero(chosen, combinations[place], states[place], off[place])
        zero &= on_face(chosen, points[unique], states[place])
        codes[unique[zero]] = Status.IDENTIFIED
    shown: dict[int, FloatArray] = {}
    loose = np.flatnonzero(moved[which])
    if loose.size:
        place = which[loose]
        own = np.concatenate([np.zeros((len(loose), off.shape[1])), points[loose]], axis=1)
        ends, columns = vectors[place], np.concatenate([off, states], axis=1)[place]
        falls = np.where(ends < 0, own / np.where(ends < 0, -ends, 1.0), np.inf).min(axis=1, keepdims=True)
        middle = np.maximum(own + 0.5 * falls * ends, 0.0)
        padded = np.zeros((len(loose), system.n_states))
        np.put_along_axis(padded, columns, np.where(np.isfinite(middle), middle, 0.0), axis=1)
        refuted, proved = _refuted(system.select(loose), padded, csr_array(padded > _GUESSES[0]))
        codes[loose[refuted]] = Status.NOT_IDENTIFIED
        evidence[loose[refuted & proved]] = Evidence.CERTIFIED
        if refuted.any():
            first = int(np.flatnonzero(refuted)[0])
            vector = np.zeros(system.n_states)
            vector[columns[first]] = ends[first]
            shown[int(loose[first])] = vector
    return codes, evidence, shown


def _columns(matrix: SparseMask, rows: IntArray, size: int) -> IntArray:
    """Return the columns stored in rows that all hold `size` of them, ascending, shape (len(rows), size)."""
    return np.sort(matrix.indices[matrix.indptr[rows][:, None] + np.arange(size)], axis=1).astype(np.intp)


def _entries(rows: Kernel, columns: IntArray) -> FloatArray:
    """Return the entries of rows (b, n) at columns (b, N)."""
    if isinstance(rows, np.ndarray):
        return np.take_along_axis(rows, columns, axis=1)
    taken: Any = rows[np.arange(len(columns))[:, None], columns]  # the stubs know numbers of one axis only
    return np.asarray(taken.toarray().reshape(columns.shape))


def _complement(states: IntArray, n_states: int) -> IntArray:
    """Return, for each set of states (b, t), all others in ascending order, shape (b, n - t)."""
    mask = np.ones((len(states), n_states), bool)
    np.put_along_axis(mask, states, False, axis=1)
    return np.nonzero(mask)[1].reshape(len(states), n_states - states.shape[1])


def recession_directions(
    system: RowSystem, states: IntArray, off: IntArray
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Look for v != 0 with ``matrix @ v = 0`` and v >= 0 at `off`, zero beyond `off` and `states`; or for its opposite.

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
    moved : numpy.ndarray of bool, shape (b,)
        Whether the solver found such a vector.
    vectors : numpy.ndarray, shape (b, o + t)
        v at `off`, then at `states`, in the null space to the solver's tolerance.
    combinations : numpy.ndarray, shape (b, E)
        y with ``y.matrix`` zero on `states` and at least 1 on `off`, to the same tolerance, where there is no v.

    Notes
    -----
    Multiplying the equations by the complement of the columns on `states` leaves those of `off` alone. Their solutions
    u >= 0 form a cone, and ``max sum(u)`` over u <= 1 is zero iff it is a point, at least 1 otherwise; the multipliers
    then make y (Gordan). Nothing of this is believed unchecked.
    """
    count, (size, n_off) = len(states), (states.shape[1], off.shape[1])
    own, others = (np.moveaxis(system.matrix[:, part], 0, 1) for part in (states, off))
    complement = np.linalg.qr(own, mode="complete").Q[:, :, size:]
    equations = np.swapaxes(complement, 1, 2) @ others
    # Units of the columns do not change the signs of their multiples.
    unit = np.abs(equations).max(axis=1, keepdims=True, initial=0.0)
    unit = np.ldexp(1.0, np.frexp(np.where(unit > 0, unit, 0.5))[1])
    one = np.ones((count, n_off))
    found = solve_blocks(-one, equations / unit, np.zeros(equations.shape[:2]), np.zeros(one.shape), one)
    if not found.solved.any():
        if count == 1:
            return np.zeros(1, bool), np.zeros((1, n_off + size)), np.zeros((1, len(system.matrix)))
        halves = [recession_directions(system, states[part], off[part]) for part in np.array_split(np.arange(count), 2)]
        return tuple(np.concatenate(parts) for parts in zip(*halves, strict=True))  # type: ignore[return-value]
    weights, multipliers = np.maximum(found.points, 0.0) / unit[:, 0], -found.multipliers
    moved = found.points.sum(axis=1) >= 0.5
    inside = -np.linalg.pinv(own) @ (others @ weights[:, :, None])
    combinations = (complement @ multipliers[:, :, None])[:, :, 0]
    return moved, np.concatenate([weights, inside[:, :, 0]], axis=1), combinations
