"""From an agent's values to the polytopes of rows that have them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.equivalence.facial_reduction import reduce_to_faces
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.errors import KernelClassError
from tabular_inversion.identifiability.instance import POSITIVE
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.recovery import recover
from tabular_inversion.recovery.intervals import Intervals, allowance, refusal
from tabular_inversion.recovery.linear_programs import LINEAR_PROGRAM_TOLERANCE
from tabular_inversion.recovery.system import CONSISTENT, UNCERTAIN

_CENTRAL = 0.9
"""Rows that miss their values by less than this part of what is allowed are far enough inside."""

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
        if isinstance(kernel_class, Supported):
            expected = (agent.available.size, agent.n_states)
            if kernel_class.support.shape != expected:
                raise KernelClassError(f"the support has shape {kernel_class.support.shape}; expected {expected}.")
            support = kernel_class.rows(agent.row_index)
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
    agent: AgentValues, kernel_class: KernelClass, noise: float, distinct: DistinctRows
) -> Polytopes:
    """Return {p on its support : p >= 0, 1.p = 1, M p = q} for each distinct row, or the relaxed sets under noise."""
    intervals = Intervals.relaxed(agent, distinct.first, noise, sums_to_one=True)
    rows = _fitted_rows(kernel_class, intervals, agent.row_index[distinct.first])
    if noise > 0:
        members = _central_rows(agent, kernel_class, noise, intervals, distinct, rows)
        loose = np.ones(agent.n_goals, bool)
    else:
        _check_fit(agent, kernel_class, distinct, rows)
        members = _take(rows, distinct.places())
        loose = ~intervals.trusted
        miss = np.abs(intervals.tests @ rows.T - intervals.middle)
        intervals = replace(intervals, half_width=np.maximum(intervals.half_width, 2.0 * miss))
    low = np.maximum(intervals.middle - intervals.half_width, -_BEYOND)
    high = np.minimum(intervals.middle + intervals.half_width, _BEYOND)
    exact, loose = intervals.informative & ~loose, intervals.informative & loose
    return _assemble(
        np.concatenate([intervals.tests[exact], np.ones((1, agent.n_states))]),
        intervals.tests[loose],
        (low[loose], high[loose]),
        distinct.columns,
        members,
        n_free=0,
    )


def vector_polytopes(agent: AgentValues, kernel_class: KernelClass, noise: float, distinct: DistinctRows) -> Polytopes:
    """Return {B p : M p = q} over all real vectors p, or the relaxed sets, where the rows of B span those of M.

    The values say nothing of the part of p across the rows of M, and ``B = row_space(agent)`` leaves it out.
    """
    basis = row_space(agent)
    intervals = Intervals.relaxed(agent, distinct.first, noise, sums_to_one=False)
    rows = _fitted_rows(kernel_class, intervals, agent.row_index[distinct.first])
    if noise > 0:
        rows = _central_rows(agent, kernel_class, noise, intervals, distinct, rows)
    else:
        _check_fit(agent, kernel_class, distinct, rows)
    low, high = intervals.middle - intervals.half_width, intervals.middle + intervals.half_width
    loose = intervals.informative & (noise > 0)
    return _assemble(
        intervals.tests[intervals.informative & ~loose] @ basis.T,
        intervals.tests[loose] @ basis.T,
        (low[loose], high[loose]),
        np.arange(len(basis))[None],
        rows @ basis.T,
        n_free=len(basis),
    )


def nearest_rows(agent: AgentValues, kernel_class: KernelClass, prior: FloatArray) -> FloatArray:
    """Return the rows (rows, n) with exact values that are nearest (Euclidean) to a prior, (1, n) or (rows, n)."""
    everyone = np.arange(len(agent.row_index))
    intervals = Intervals.relaxed(agent, everyone, 0.0, sums_to_one=True)
    start = np.broadcast_to(prior, (len(everyone), prior.shape[1]))
    rows: Any = _fitted_rows(kernel_class, intervals, agent.row_index, start)
    return np.asarray(rows.toarray() if issparse(rows) else rows)


def row_space(agent: AgentValues) -> FloatArray:
    """Return an orthonormal basis of the row space of M, its rows brought to one scale, shape (rank, n)."""
    tests = Intervals.of(agent, np.zeros(1, np.intp), np.zeros((agent.n_goals, 1)), sums_to_one=False).tests
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
    far = np.maximum(POSITIVE * np.tile(high - low, 2), LINEAR_PROGRAM_TOLERANCE)
    positive = np.concatenate([members > POSITIVE, slack > far], axis=1)
    polytopes = Polytopes.of(
        matrix,
        np.sort(columns, axis=1),
        np.take_along_axis(np.concatenate([members, slack], axis=1), order, axis=1),
        n_loose=n_loose,
        n_free=n_free,
    )
    return reduce_to_faces(polytopes, np.take_along_axis(positive, order, axis=1))


def _combine(functions: FloatArray, columns: IntArray, members: FloatArray) -> FloatArray:
    """Return the values of functions (F, n) at points given on their columns (U, N), shape (U, F)."""
    padded = np.concatenate([functions, np.zeros((len(functions), 1))], axis=1)
    return np.asarray(np.einsum("fun,un->uf", padded[:, np.minimum(columns, functions.shape[1])], members))


def _fitted_rows(
    kernel_class: KernelClass, intervals: Intervals, row_index: IntArray, prior: FloatArray | None = None
) -> Kernel:
    """Return the rows of the class that fit best, near a prior; in the intervals' scale every goal counts alike."""
    informative = intervals.informative
    if not informative.any():
        informative = np.arange(len(informative)) == 0
    tests, middle = intervals.tests[informative], intervals.middle[informative]
    middle = middle * tests.any(axis=1, keepdims=True)
    return recover(tests, middle, kernel_class, row_index=row_index, prior=prior).rows


def _check_fit(agent: AgentValues, kernel_class: KernelClass, distinct: DistinctRows, rows: Kernel) -> None:
    """Raise unless the rows explain exact values, up to what counts as rounding."""
    allowed = allowance(agent, 0.0)
    gap = np.abs(agent.test_matrix @ rows.T - agent.right_hand_sides[:, distinct.first])
    misses = (gap / np.where(allowed > 0, allowed, CONSISTENT)).max(axis=0)
    if (misses > 1.0).any():
        worst = int(misses.argmax())
        limit = Intervals.of(agent, distinct.first[[worst]], allowed, sums_to_one=kernel_class.sums_to_one)
        places = distinct.places()[[worst]]
        _, points = limit.least_misses(places, np.zeros(1, np.intp), signed=kernel_class.sums_to_one)
        n_bad, point = int((misses > 1.0)[distinct.shared].sum()), _spread(points, places, agent.n_states)[0]
        raise refusal(agent, kernel_class, 0.0, int(distinct.first[worst]), n_bad, point)


def _central_rows(
    agent: AgentValues,
    kernel_class: KernelClass,
    noise: float,
    intervals: Intervals,
    distinct: DistinctRows,
    rows: Kernel,
) -> FloatArray:
    """Return points well inside the relaxed sets (U, N), or say which set is empty.

    The rows that fit best mostly are; a linear program finds the most central point for the others.
    """
    members = _take(rows, distinct.places())
    width = np.where(intervals.half_width > 0, intervals.half_width, 1.0)
    off = np.flatnonzero((np.abs(intervals.tests @ rows.T - intervals.middle) / width).max(axis=0) > _CENTRAL)
    misses, members[off] = intervals.least_misses(distinct.places()[off], off, signed=kernel_class.sums_to_one)
    # Linear programs err by their tolerance in unit scale, which is much next to a narrow interval.
    excess = (misses - 1.0) * width[:, off].max(axis=0)
    bad: BoolArray = excess > CONSISTENT * width[:, off].max(axis=0) + 10.0 * LINEAR_PROGRAM_TOLERANCE
    if bad.any():
        worst, n_bad = off[misses.argmax()], int(np.isin(distinct.shared, off[bad]).sum())
        point = _spread(members[[worst]], distinct.places()[[worst]], agent.n_states)[0]
        raise refusal(agent, kernel_class, noise, int(distinct.first[worst]), n_bad, point)
    return members


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
