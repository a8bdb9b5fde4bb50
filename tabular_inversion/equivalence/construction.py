"""From an agent's values to the polytopes of rows that have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from tabular_inversion._typing import FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise, is_noisy
from tabular_inversion.equivalence.facial_reduction import reduce_to_faces
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.identifiability.instance import POSITIVE, decide_instance
from tabular_inversion.identifiability.verdict import Status
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kernel_rows import dense_rows, rows_times
from tabular_inversion.recovery import recover_rows
from tabular_inversion.recovery.intervals import Intervals, refusal
from tabular_inversion.recovery.linear_programs import LINEAR_PROGRAM_TOLERANCE, Constraints
from tabular_inversion.recovery.misfits import explains
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.system import UNCERTAIN, RowSystem

_CENTRAL = 0.9
"""Rows that miss their values by less than this part of what is allowed are far enough inside."""

_INSIDE = 1e-6
"""Points that keep away from both ends of every interval by this part of its width are inside beyond rounding."""

_CONTRADICTED = 1.0 + 1e-3
"""Vectors that miss the intervals of all tests by this factor at least show that no vector lies in them."""

_BEYOND = 4.0
"""Test functions of unit size never reach this value: wider intervals say nothing more."""


@dataclass(frozen=True, eq=False)
class DistinctRows:
    """Available rows that differ in support or values; all others share the work of one of these.

    Attributes
    ----------
    first : numpy.ndarray of int, shape (U,)
        Which available row stands for each.
    shared : numpy.ndarray of int, shape (rows,)
        Which of the U stands for each available row.
    columns : numpy.ndarray of int, shape (U, N)
        States that may be positive; n as a filler.
    """

    first: IntArray
    shared: IntArray
    columns: IntArray

    @classmethod
    def of(cls, agent: AgentValues, kernel_class: KernelClass) -> DistinctRows:
        """Compare the rows of an agent."""
        keys = agent.right_hand_sides.T
        columns = np.arange(agent.n_states)[None]
        kernel_class.check_fits(agent.available.size, agent.n_states)
        support: Any = kernel_class.known_supports(agent.row_index)
        if support is not None:
            support.sort_indices()
            sizes = np.diff(support.indptr)
            columns = np.full((len(sizes), int(sizes.max())), agent.n_states)
            columns[np.arange(columns.shape[1]) < sizes[:, None]] = support.indices
            keys = np.concatenate([keys, columns], axis=1)
        _, first, shared = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return cls(first, shared.ravel(), columns[first] if len(columns) > 1 else columns)

    def places(self) -> IntArray:
        """Return the columns of each distinct row, also where all rows share them, shape (U, N)."""
        return np.broadcast_to(self.columns, (len(self.first), self.columns.shape[1]))


def distribution_polytopes(
    agent: AgentValues, kernel_class: KernelClass, noise: Noise, distinct: DistinctRows
) -> tuple[Polytopes, Constraints]:
    """Return {p on its support : p >= 0, 1.p = 1, M p = q} for each distinct row, or the relaxed sets under noise.

    The polytopes are those that questions of geometry are answered in. What bounds are proved from is the constraints:
    the numbers given with all their uncertainty, on all states that the class allows.
    """
    system = RowSystem.of_agent(agent, sums_to_one=True, noise=noise)
    intervals = Intervals.of(system, distinct.first)
    noisy = is_noisy(noise) or bool(np.any(np.asarray(agent.test_noise) > 0))
    rows = _fitted_rows(system, kernel_class, agent.row_index, distinct.first)
    if noisy:
        members = _central_rows(agent, kernel_class, system, intervals, distinct, rows)
        loose = np.ones(agent.n_goals, bool)
    else:
        rows = _explained(agent, kernel_class, system, intervals, distinct, rows)
        members = _take(rows, distinct.places())
        loose = intervals.loose
    constraints = intervals.constraints(distinct.places())
    miss = np.abs(intervals.tests @ rows.T - intervals.middle)
    half_width = np.maximum(intervals.half_width, 2.0 * miss) if not noisy else intervals.half_width
    low = np.maximum(intervals.middle - half_width, -_BEYOND)
    high = np.minimum(intervals.middle + half_width, _BEYOND)
    informative = intervals.tests.any(axis=1)
    exact, loose = informative & ~loose, informative & loose
    polytopes = _assemble(
        np.concatenate([intervals.tests[exact], np.ones((1, agent.n_states))]),
        intervals.tests[loose],
        (low[loose], high[loose]),
        distinct.columns,
        members,
        n_free=0,
        independent=not noisy and system.rank_decision.status is RankStatus.FULL,
    )
    return polytopes if noisy else _points(
        polytopes, system, kernel_class, agent.row_index, distinct, rows
    ), constraints


def _points(
    polytopes: Polytopes,
    system: RowSystem,
    kernel_class: KernelClass,
    row_index: IntArray,
    distinct: DistinctRows,
    rows: Kernel,
) -> Polytopes:
    """Make the sets of rows that are identified the points that they are.

    An equation can be as small, beside others of its row, as what a decomposition takes for rounding; and the intervals
    of values that lost digits hold more rows than the one that the true values have.
    """
    wide = np.flatnonzero(polytopes.dimension > 0)
    if not wide.size:
        return polytopes
    first = distinct.first[wide]
    found = decide_instance(system.select(first), kernel_class, row_index[first], rows[wide])
    alone = np.zeros(len(polytopes.face), bool)
    alone[wide] = found.codes == Status.IDENTIFIED
    return polytopes.as_points(alone) if alone.any() else polytopes


def vector_polytopes(
    agent: AgentValues, kernel_class: KernelClass, noise: Noise, distinct: DistinctRows
) -> tuple[Polytopes, Constraints, FloatArray]:
    """Return {B p : M p = q} over all real vectors p, or the relaxed sets; what is known of each row; and B.

    The rows of B span those of M.
    The values say nothing of the part of p across the rows of M, and B leaves it out.
    """
    system = RowSystem.of_agent(agent, sums_to_one=False, noise=noise)
    intervals = Intervals.of(system, distinct.first)
    noisy = is_noisy(noise) or bool(np.any(np.asarray(agent.test_noise) > 0))
    full = system.rank_decision.status is RankStatus.FULL
    basis = np.eye(agent.n_states) if full else row_space(intervals.tests)
    rows = _fitted_rows(system, kernel_class, agent.row_index, distinct.first)
    if noisy:
        rows = _central_rows(agent, kernel_class, system, intervals, distinct, rows)
    else:
        rows = _explained(agent, kernel_class, system, intervals, distinct, rows)
    low, high = intervals.middle - intervals.half_width, intervals.middle + intervals.half_width
    informative = intervals.tests.any(axis=1)
    loose = informative & noisy
    polytopes = _assemble(
        intervals.tests[informative & ~loose] @ basis.T,
        intervals.tests[loose] @ basis.T,
        (low[loose], high[loose]),
        np.arange(len(basis))[None],
        rows_times(rows, basis.T),
        n_free=len(basis),
        independent=full and not noisy,
    )
    return polytopes, intervals.constraints(distinct.places()), basis


def nearest_rows(agent: AgentValues, kernel_class: KernelClass, prior: FloatArray) -> FloatArray:
    """Return the rows (rows, n) with exact values that are nearest (Euclidean) to a prior, (1, n) or (rows, n).

    A combination of goals that the uncertainty of M cannot tell from nothing holds no row: see `affine_system`.
    """
    system = RowSystem.of_agent(agent, sums_to_one=True, noise=0.0)
    start = np.broadcast_to(prior, (len(agent.row_index), prior.shape[1]))
    return dense_rows(recover_rows(system, kernel_class, row_index=agent.row_index, prior=start).rows)


def row_space(tests: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the row space of tests of unit size, shape (rank, n)."""
    _, sigma, right = np.linalg.svd(tests, full_matrices=False)
    return np.asarray(right[sigma > UNCERTAIN * sigma[0]])


def _assemble(
    exact: FloatArray,
    loose: FloatArray,
    ends: tuple[FloatArray, FloatArray],
    columns: IntArray,
    members: FloatArray,
    *,
    n_free: int,
    independent: bool,
) -> Polytopes:
    """Turn each interval ``low <= t.x <= high`` into t.x - a = low and a + b = high - low with a, b >= 0."""
    n_loose, n_unknowns = loose.shape
    eye, zero = np.eye(n_loose), np.zeros((n_loose, n_loose))
    matrix = np.concatenate(
        [
            np.concatenate([exact, np.zeros((len(exact), 2 * n_loose))], axis=1),
            np.concatenate([loose, -eye, zero], axis=1),
            np.concatenate([np.zeros(loose.shape), eye, eye], axis=1),
        ]
    )
    slack_columns = np.arange(n_unknowns, n_unknowns + 2 * n_loose)[None]
    columns = np.where(columns < n_unknowns, columns, n_unknowns + 2 * n_loose)
    values = _combine(loose, np.broadcast_to(columns, members.shape), members)
    low, high = ends[0].T, ends[1].T
    slack = np.maximum(np.concatenate([values - low, high - values], axis=1), 0.0)
    # The filler stands for a coordinate beyond all others, so the slack goes before it.
    columns = np.concatenate([columns, np.broadcast_to(slack_columns, (len(columns), 2 * n_loose))], axis=1)
    order = np.argsort(columns, axis=1, kind="stable")
    if len(order) == 1:
        order = np.broadcast_to(order, (len(members), order.shape[1]))
    polytopes = Polytopes.of(
        matrix,
        np.sort(columns, axis=1),
        np.take_along_axis(np.concatenate([members, slack], axis=1), order, axis=1),
        n_loose=n_loose,
        n_free=n_free,
        independent=independent,
    )
    far = np.maximum(POSITIVE * np.tile(high - low, 2), LINEAR_PROGRAM_TOLERANCE)
    positive = np.take_along_axis(np.concatenate([members > POSITIVE, slack > far], axis=1), order, axis=1)
    # A point inside all intervals has a neighbourhood there, which reaches every state: no face is smaller.
    inside = n_loose > 0 and (slack > _INSIDE * np.tile(high - low, 2)).all(axis=1, keepdims=True)
    return reduce_to_faces(polytopes, positive | inside)


def _combine(functions: FloatArray, columns: IntArray, members: FloatArray) -> FloatArray:
    """Return the values of functions (F, n) at points given on their columns (U, N), shape (U, F)."""
    padded = np.concatenate([functions, np.zeros((len(functions), 1))], axis=1)
    return np.asarray(np.einsum("fun,un->uf", padded[:, np.minimum(columns, functions.shape[1])], members))


def _fitted_rows(system: RowSystem, kernel_class: KernelClass, row_index: IntArray, first: IntArray) -> Kernel:
    """Return the rows of the class that fit best."""
    return recover_rows(system.select(first), kernel_class, row_index=row_index[first]).rows


def _explained(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    intervals: Intervals,
    distinct: DistinctRows,
    rows: Kernel,
) -> Kernel:
    """Return the rows, those that miss exact values replaced by the best a linear program finds; raise if none can fit.

    What is not proved impossible stays: its set is one around the row that comes nearest.
    """
    bad = np.flatnonzero(~explains(system.select(distinct.first), rows))
    if not bad.size:
        return rows
    signed, places = kernel_class.sums_to_one, distinct.places()[bad]
    misses, points, impossible = intervals.least_misses(places, bad, signed=signed)
    if not signed:
        impossible = misses > _CONTRADICTED
    if impossible.any():
        _refuse(agent, kernel_class, system, distinct, bad[impossible], misses[impossible],
                _spread(points, places, agent.n_states)[impossible])  # fmt: skip
    return rows


def _central_rows(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    intervals: Intervals,
    distinct: DistinctRows,
    rows: Kernel,
) -> FloatArray:
    """Return points well inside the relaxed sets (U, N), or say which set is empty, where that is proved.

    The rows that fit best mostly are; a linear program finds the most central point for the others.
    """
    members = _take(rows, distinct.places())
    width = intervals.half_width
    off = np.flatnonzero((np.abs(intervals.tests @ rows.T - intervals.middle) / width).max(axis=0) > _CENTRAL)
    signed, places = kernel_class.sums_to_one, distinct.places()[off]
    misses, points, impossible = intervals.least_misses(places, off, signed=signed)
    if not signed:
        impossible = misses > _CONTRADICTED
    if impossible.any():
        _refuse(agent, kernel_class, system, distinct, off[impossible], misses[impossible],
                _spread(points, places, agent.n_states)[impossible])  # fmt: skip
    found = np.isfinite(misses)
    members[off[found]] = points[found]
    return members


def _refuse(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    distinct: DistinctRows,
    bad: IntArray,
    misses: FloatArray,
    points: FloatArray,
) -> None:
    """Raise the error for the worst of the distinct rows that are impossible."""
    worst, n_bad = int(misses.argmax()), int(np.isin(distinct.shared, bad).sum())
    raise refusal(agent, kernel_class, system, int(distinct.first[bad[worst]]), n_bad, points[worst])


def _spread(points: FloatArray, columns: IntArray, n_states: int) -> FloatArray:
    """Put points given on their columns (B, N) back among all states, shape (B, S)."""
    full = np.zeros((len(points), n_states + 1))
    np.put_along_axis(full, columns, points, axis=1)
    return full[:, :-1]


def _take(rows: Kernel, columns: IntArray) -> FloatArray:
    """Return the entries of rows (U, n), dense or CSR, at the given columns (U, N); 0 at fillers."""
    n_states = rows.shape[1]
    if not issparse(rows):
        padded = np.concatenate([rows, np.zeros((len(rows), 1))], axis=1)
        return np.take_along_axis(padded, columns, axis=1)
    entries = rows.tocoo()
    keys = (np.arange(len(columns))[:, None] * (n_states + 1) + columns).ravel()
    taken = np.zeros(columns.size)
    taken[np.searchsorted(keys, entries.row.astype(np.intp) * (n_states + 1) + entries.col)] = entries.data
    return taken.reshape(columns.shape)
