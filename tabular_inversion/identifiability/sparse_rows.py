"""The search for another row with at most N successors and the same values (T5b).

"No other row" is believed only where all supports were tried and each was refuted, by independent columns or by an
entry or an equation that is wrong beyond all uncertainty. Another row is believed only where it solves the equations as
given and nothing in the data is as small as rounding could hide. An integer program only finds candidates.
"""

from __future__ import annotations

from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.highs import integer_program
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.face_bounds import TAKEN_AS_ZERO, on_face
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.recovery.equations import TINY, left_inverse, rounding
from tabular_inversion.recovery.independence import independent_columns
from tabular_inversion.recovery.rank import RankStatus, split_into_rows
from tabular_inversion.recovery.system import RowSystem, rounding_level

MAX_SUPPORTS = 300_000
"""Up to this many supports are tried one by one (in batches); beyond, an integer program looks for another row."""

MILP_LIMITS = {"node_limit": 5000, "time_limit": 600.0}
"""How far one integer program is searched: nodes, so that a busy machine finds what an idle one finds. The time is for
loops of HiGHS that no limit counts; it is far above what that many nodes take."""

_CHUNK = 2**20
_NUMBERS = 1e-7
"""Weights of an integer program's answer that count when a candidate is made of it; no verdict depends on it."""


def two_sparse_rows(
    system: RowSystem, n_successors: int
) -> tuple[Status, Evidence, tuple[FloatArray, FloatArray] | None, str]:
    """Look for v != 0 in the null space with at most N positive and at most N negative entries (T5b).

    Returns
    -------
    status, evidence, rows, reason
        IDENTIFIED if any 2 N columns (or all n) are surely independent; NOT_IDENTIFIED with two rows that share their
        values; else UNDECIDED.
    """
    n = system.n_states
    size = min(2 * n_successors, n)
    if comb(n, size) <= MAX_SUPPORTS and size <= len(system.matrix):
        supports = combinations(range(n), size)
        if all(
            _independent(system, np.array(chunk, dtype=np.intp)).all()
            for chunk in iter(lambda: list(islice(supports, _batch(system, size))), [])
        ):
            evidence = Evidence.CERTIFIED if system.rigorous else Evidence.NUMERIC
            return Status.IDENTIFIED, evidence, None, f"any {size} columns of [M;1] are independent"
    vector = _sparse_null_vector(system, n_successors)
    if vector is None:
        reason = "the integer program found no two rows that survive a re-check, which proves nothing"
        return Status.UNDECIDED, Evidence.NUMERIC, None, reason
    rows = split_into_rows(vector)
    sizes = f"{np.count_nonzero(rows[0])} and {np.count_nonzero(rows[1])}"
    reason = f"two rows with {sizes} successors share their values"
    return Status.NOT_IDENTIFIED, Evidence.NUMERIC, rows, reason


def other_sparse_rows(system: RowSystem, values: FloatArray, rows: FloatArray, n_successors: int) -> Decision:
    """Search, for each row, another one with at most N successors and the same values.

    Parameters
    ----------
    system : RowSystem
        [M;1], with the right-hand sides of these rows.
    values : numpy.ndarray, shape (equations, rows)
        These right-hand sides in the scale of the system.
    rows : numpy.ndarray, shape (rows, n)
        The rows known.
    n_successors : int
        N.
    """
    # Rows with the same values are the hull of those with independent columns, so of as many entries as equations.
    size = min(n_successors, len(system.matrix))
    n_supports = comb(system.n_states, size)
    if n_supports <= MAX_SUPPORTS:
        codes, others = _enumerate(system, rows, size)
        how = f"all {n_supports} supports tried; weight that the values bound by 7e-12 is taken as zero"
    else:
        codes, others = _integer_programs(system, values, rows, n_successors)
        how = "candidates by integer programming"
    unique = int((codes == Status.IDENTIFIED).sum())
    reason = f"{unique} of {len(codes)} rows left have no other row with at most {n_successors} successors ({how})"
    pair = None
    if others:
        row = min(others)
        pair = Pair(row, rows[row], others[row])
    evidence = np.full(len(codes), Evidence.NUMERIC, np.int8)
    return Decision(codes, evidence, pair, reason)


def _batch(system: RowSystem, size: int) -> int:
    return max(1, _CHUNK // (len(system.matrix) * size))


def _independent(system: RowSystem, supports: IntArray) -> BoolArray:
    """Tell for which supports (b, N) the columns are surely independent."""
    parts = (np.moveaxis(part[:, supports], 0, 1) for part in (system.test_matrix, system.matrix_error))
    return independent_columns(*parts, sums_to_one=system.sums_to_one)


def _enumerate(system: RowSystem, rows: FloatArray, size: int) -> tuple[NDArray[np.int8], dict[int, FloatArray]]:
    """Try each support of so many states: every sparser row lies on one of them."""
    codes = np.full(len(rows), Status.IDENTIFIED, np.int8)
    others: dict[int, FloatArray] = {}
    supports = combinations(range(system.n_states), size)
    batch = max(1, _batch(system, size) // len(rows))
    own = rows > 0.0
    sure = _on_own_face(system, rows)
    while chunk := list(islice(supports, batch)):
        columns = np.array(chunk, dtype=np.intp)
        solved, reach, refuted, independent = _on_supports(system, columns)
        # The own row is the only one on every support that holds it whose columns are independent.
        outside = own.sum(axis=1)[None] - own[:, columns].sum(axis=2).T
        # There its weight off its own states must be almost nothing: another row may have taken it from a third state.
        off = np.where(np.moveaxis(own[:, columns], 0, 2), 0.0, np.abs(solved) + reach).max(axis=1)
        harmless = refuted | (independent[:, None] & (outside == 0) & (off <= TAKEN_AS_ZERO) & sure)
        for which, row in np.argwhere(~harmless):
            other = np.zeros(system.n_states)
            other[columns[which]] = np.maximum(solved[which, :, row], 0.0)
            if codes[row] == Status.NOT_IDENTIFIED:
                continue
            exact = _solves_as_given(system, int(row), other) and _may_depend(system, (other > 0) | own[row])
            # Where columns depend the error is that of one solution among many, and coincidences are trusted.
            apart = _differ(other, rows[row], float(reach[which, :, row].max()) if independent[which] else 0.0)
            codes[row] = Status.NOT_IDENTIFIED if exact and apart else Status.UNDECIDED
            if codes[row] == Status.NOT_IDENTIFIED:
                others[int(row)] = other
    return codes, others


def _on_own_face(system: RowSystem, rows: FloatArray) -> BoolArray:
    """Tell which rows have their values to the last digit on their own states, shape (R,)."""
    sizes = (rows > 0.0).sum(axis=1)
    sure = np.zeros(len(rows), bool)
    for size in np.unique(sizes):
        part = np.flatnonzero(sizes == size)
        states = np.nonzero(rows[part] > 0.0)[1].reshape(len(part), size)
        sure[part] = on_face(system.select(part), np.take_along_axis(rows[part], states, axis=1), states)
    return sure


def _on_supports(system: RowSystem, columns: IntArray) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
    """Solve on supports (b, N): solutions (b, N, R), their errors, which are refuted (b, R), independent columns (b,).

    With X a left inverse, a row p on the support has ``|p - X q| <= |X| (h + (U + rounding) |p|)``, with ``|p| <= 1``;
    an entry that is negative beyond that refutes it, and so does an equation that is missed beyond it.
    """
    matrix, doubt = (np.moveaxis(part[:, columns], 0, 1) for part in (system.matrix, system.uncertainty))
    independent = _independent(system, columns)
    inverse = left_inverse(matrix)
    size, slack = np.abs(inverse), rounding(sum(matrix.shape[1:]) + 8)
    solved = inverse @ system.values
    # Entries sum to one, so the largest uncertainty of an equation bounds what a row on the support can miss.
    wide = (doubt + slack * np.abs(matrix)).max(axis=2)[:, :, None]
    h = 1.01 * (wide + (system.value_uncertainty + slack * np.abs(system.values))[None]) + TINY
    identity = np.abs(inverse @ matrix - np.eye(matrix.shape[2])).max(axis=2)[:, :, None] + slack
    reach = 1.01 * (size @ h) + 1.01 * identity + slack * (size @ np.abs(system.values))
    negative = (solved + reach < 0.0).any(axis=1)
    missed = np.abs(matrix @ solved - system.values) > h + np.abs(matrix) @ reach
    return solved, reach, np.asarray(negative | missed.any(axis=1)), independent


def _solves_as_given(system: RowSystem, row: int, other: FloatArray) -> bool:
    """Whether a candidate has the values to the digits given, its entries being computed."""
    limit = system.uncertainty @ other + system.value_uncertainty[:, row]
    slack = rounding(2 * system.n_states + 8) * (np.abs(system.matrix) @ other + np.abs(system.values[:, row]))
    gap = np.abs(system.matrix @ other - system.values[:, row])
    return system.trusts_coincidence and bool((gap <= limit + slack).all())


def _may_depend(system: RowSystem, states: BoolArray) -> bool:
    """Whether the columns on the states of two rows can be dependent, as they are if the rows share their values.

    Where M is exact so is the answer, and values that agree to their rounding prove nothing against it.
    """
    if system.matrix_error.any():
        return True
    return system.restrict(np.flatnonzero(states)).rank_decision.status is RankStatus.DEFICIENT


def _differ(other: FloatArray, row: FloatArray, error: float = 0.0) -> bool:
    """Whether two rows differ beyond what computing them can do: they have different states, none of tiny weight."""
    apart = np.abs(other - row).max()
    return bool(apart > max(np.sqrt(rounding(len(row))), 4.0 * error))


def _integer_programs(
    system: RowSystem, values: FloatArray, rows: FloatArray, n_successors: int
) -> tuple[NDArray[np.int8], dict[int, FloatArray]]:
    """Put as much weight as possible off the known row's support; what is found is solved again and checked."""
    n = system.n_states
    codes = np.full(len(rows), Status.UNDECIDED, np.int8)
    others: dict[int, FloatArray] = {}
    wide = np.hstack([system.matrix, np.zeros_like(system.matrix)])
    below = LinearConstraint(np.hstack([np.eye(n), -np.eye(n)]), -np.inf, 0.0)
    few = LinearConstraint(np.repeat([[0.0, 1.0]], n, axis=1), 0.0, n_successors)
    for row in range(len(rows)):  # one HiGHS call each: there is no batched integer programming
        off = rows[row] <= _NUMBERS
        found = integer_program(
            -np.concatenate([off, np.zeros(n)]), integrality=np.repeat([0, 1], n), bounds=(0, 1),
            constraints=[LinearConstraint(wide, values[:, row], values[:, row]), below, few],
            options=MILP_LIMITS,
        )  # fmt: skip
        if found.x is None:
            continue
        states = np.argsort(-found.x[:n], kind="stable")[:n_successors]
        states = np.sort(states[found.x[states] > _NUMBERS])
        other = np.zeros(n)
        other[states] = np.maximum(np.linalg.lstsq(system.matrix[:, states], values[:, row])[0], 0.0)
        alike = _solves_as_given(system, row, other) and _may_depend(system, (other > 0) | (rows[row] > 0))
        if alike and _differ(other, rows[row]):
            codes[row] = Status.NOT_IDENTIFIED
            others[row] = other
    return codes, others


def _sparse_null_vector(system: RowSystem, n_successors: int) -> FloatArray | None:
    """Return such a vector, checked, or None."""
    n, unit = system.n_states, np.eye(system.n_states)
    zero, ones, none = np.zeros((n, n)), np.ones((1, n)), np.zeros((1, n))
    tests = system.matrix[:-1]  # unknowns: positive part, negative part, and a switch for each of their entries
    pad = np.zeros((len(tests), 2 * n))
    constraints = [
        LinearConstraint(np.hstack([tests, -tests, pad]), 0.0, 0.0),
        LinearConstraint(np.hstack([ones, none, none, none]), 1.0, 1.0),
        LinearConstraint(np.hstack([none, ones, none, none]), 1.0, 1.0),
        LinearConstraint(np.hstack([unit, zero, -unit, zero]), -np.inf, 0.0),
        LinearConstraint(np.hstack([zero, unit, zero, -unit]), -np.inf, 0.0),
        LinearConstraint(np.hstack([zero, zero, unit, unit]), -np.inf, 1.0),
        LinearConstraint(np.hstack([none, none, ones, none]), 0.0, n_successors),
        LinearConstraint(np.hstack([none, none, none, ones]), 0.0, n_successors),
    ]
    found = integer_program(
        np.zeros(4 * n), integrality=np.repeat([0, 1], 2 * n), bounds=(0, 1), constraints=constraints,
        options=MILP_LIMITS,
    )  # fmt: skip
    if found.x is None:
        return None
    states = np.flatnonzero((found.x[:n] > _NUMBERS) | (found.x[n : 2 * n] > _NUMBERS))
    restricted = system.restrict(states)
    if restricted.rank_decision.status is not RankStatus.DEFICIENT or not restricted.trusts_coincidence:
        return None  # the signs of the null vector would be those of rounding
    # Back into the null space: the program's own vector satisfies the equations to 1e-6 only.
    basis = restricted.null_basis
    vector = np.zeros(n)
    vector[states] = basis @ (basis.T @ (found.x[:n] - found.x[n : 2 * n])[states])
    vector[np.abs(vector) <= rounding_level((n,)) * np.abs(vector).max()] = 0.0
    fits = max((vector > 0).sum(), (vector < 0).sum()) <= n_successors
    return vector if fits and vector.any() else None
