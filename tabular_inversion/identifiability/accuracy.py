"""How far the entries of recovered rows can be from the true ones, where these are said to be the only ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel, SparseMask
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.identifiability.face_bounds import TAKEN_AS_ZERO
from tabular_inversion.identifiability.uniform import restricted_codes
from tabular_inversion.identifiability.verdict import Status
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kernel_rows import absolute, rows_times, sparse_rows
from tabular_inversion.recovery import seek_rows
from tabular_inversion.recovery.column_matching import matched, two_nearest, value_scale
from tabular_inversion.recovery.equations import TINY, Equations, equilibrate, left_inverse, rounding, solution_error
from tabular_inversion.recovery.independence import independent_columns
from tabular_inversion.recovery.misfits import misfit_bound
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.system import RowSystem

_LEVELS = (0.0, 1e-14, 1e-9)
"""Entries of a recovered row above these are tried as its support, in this order."""
_NUMBERS = 2**21
"""In one stack of systems, 16 MB."""
_DIRECT = 256
"""Up to so many unknowns all equations together, by singular values, bound the errors; beyond, those that LU takes."""


def entry_errors(
    system: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel, known: IntArray
) -> FloatArray:
    """Bound how far the entries of identified rows are from those of the true rows.

    Parameters
    ----------
    system : RowSystem
        With a right-hand side for each row.
    kernel_class : KernelClass
        K.
    row_index : numpy.ndarray of int, shape (R,)
        Numbers s*A + a of the available rows.
    rows : numpy.ndarray or csr_array, shape (R, n)
        Any members of the class; the bound is small where they explain their values.
    known : numpy.ndarray of int, shape (b,)
        Which of them `decide_instance` calls identified.

    Returns
    -------
    numpy.ndarray, shape (b,)
        A bound on ``max |p - p*|`` of each of these; infinite where none is known.

    Notes
    -----
    With A the columns that the row's class, or its face, leaves, the error e solves ``A* e = q* - A* p``, of which the
    right side is bounded by what p misses and by the uncertainty; a left inverse bounds e (`solution_error`). Off the
    face the true row has at most the weight that the verdict takes as zero, which is counted.
    """
    return ACCURACY.of(kernel_class)(system, kernel_class, row_index, rows, known)


def _vertices(
    system: RowSystem, _class: KernelClass, _row_index: IntArray, rows: Kernel, known: IntArray
) -> FloatArray:
    true = matched(two_nearest(*value_scale(system.select(known)))[0], system.n_states).rows
    away = abs(sparse_rows(rows[known]) - sparse_rows(true)).max(axis=1).toarray().ravel()
    return np.asarray((1.0 + rounding(4)) * away, np.float64)


def _few_successors(
    system: RowSystem, kernel_class: Sparse, row_index: IntArray, rows: Kernel, known: IntArray
) -> FloatArray:
    if kernel_class.max_successors == 1:
        return _vertices(system, kernel_class, row_index, rows, known)
    return _solutions(system, kernel_class, row_index, rows, known, most=kernel_class.most(system.n_states))


def _solutions(
    whole: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel, known: IntArray, *, most: int = 1
) -> FloatArray:
    """Bound errors where all columns are independent, else on known supports, else on those of the decided rows."""
    system, rows = whole.select(known), rows[known]
    if system.rank_decision.status is RankStatus.FULL:
        errors = _all_unknowns(system, rows)
        return np.minimum(errors, _widest(rows)) if system.sums_to_one else errors
    count = rows.shape[0]
    errors, left = np.full(count, np.inf), np.arange(count)
    support = kernel_class.known_supports(row_index[known])
    if support is not None:
        full = restricted_codes(system, support)[0] == Status.IDENTIFIED
        errors[full] = _on_supports(system.select(left[full]), rows[left[full]], support[left[full]], 0.0)[0]
        left = left[~full]
    decided = seek_rows(whole, kernel_class, row_index=row_index).rows[known] if left.size else rows
    for level in _LEVELS:
        if not left.size:
            break
        part = system.select(left)
        found, independent = _on_supports(part, rows[left], csr_array(decided[left] > level), most * TAKEN_AS_ZERO)
        errors[left] = found
        # What was decided was decided on a smaller support only where the columns of this one are not independent.
        left = left[~independent]
    return np.minimum(errors, _widest(rows))


ACCURACY: ClassTable[Callable[[RowSystem, Any, IntArray, Kernel, IntArray], FloatArray]] = ClassTable(
    "a bound on the errors of entries",
    {
        Unconstrained: _solutions,
        Stochastic: _solutions,
        Supported: _solutions,
        Sparse: _few_successors,
        Deterministic: _vertices,
    },
)
"""By class, ``bound(system, kernel_class, row_index, rows, known)``, as `entry_errors`."""


def _widest(rows: Kernel) -> FloatArray:
    """Bound how far entries can be from those of any distribution; a computed one may pass 1 by some rounding."""
    most = rows.max(axis=1) if isinstance(rows, np.ndarray) else rows.max(axis=1).toarray().ravel()
    return np.asarray(np.maximum(1.0, most))


def _missed(system: RowSystem, rows: Kernel) -> Iterator[tuple[FloatArray, bool]]:
    """Yield bounds (E, R) on ``A e``: for the A in truth (with its uncertainty), and for the one given."""
    size, slack = np.abs(system.matrix), rounding(system.n_states + 4)
    weights = absolute(rows)
    seen = rows_times(rows, system.matrix.T).T - system.values
    rounded = slack * (rows_times(weights, size.T).T + np.abs(system.values)) + TINY
    yield (
        1.01 * (np.abs(seen) + rounded + rows_times(weights, system.uncertainty.T).T + system.value_uncertainty),
        True,
    )
    if system.sums_to_one:
        yield 1.01 * (np.abs(seen) + rounded + misfit_bound(system, system.n_states)), False


def _all_unknowns(system: RowSystem, rows: Kernel) -> FloatArray:
    """Bound errors where all columns are independent, shape (R,)."""
    best = np.full(rows.shape[0], np.inf)
    if system.n_states <= _DIRECT or system.factors is None:
        choices = [equilibrate(system.equations, balanced=balanced) for balanced in (False, True)]
        pairs = [(scaled, left_inverse(scaled.matrix)) for scaled in choices]
    else:
        pairs = [(system.equilibrated, system.factors.inverse)]
    for missed, uncertain in _missed(system, rows):
        for scaled, inverse in pairs:
            doubt = scaled.uncertainty * uncertain
            found = solution_error(inverse, scaled.matrix, doubt, np.ldexp(missed, scaled.rows))
            best = np.minimum(best, np.ldexp(found, scaled.columns.T).max(axis=0))
    return best


def _on_supports(system: RowSystem, rows: Kernel, supports: SparseMask, beyond: float) -> tuple[FloatArray, BoolArray]:
    """Bound errors of rows, off whose supports the true ones have at most the weight `beyond`; and tell where it holds.

    Returns
    -------
    errors : numpy.ndarray, shape (R,)
        Infinite where the columns are not proved to be independent.
    independent : numpy.ndarray of bool, shape (R,)
        Whether they are, with all uncertainty.
    """
    sizes = np.diff(supports.indptr)
    errors, independent = np.full(len(sizes), np.inf), np.zeros(len(sizes), bool)
    inside = rows.multiply(supports) if issparse(rows) else np.where(supports.toarray(), rows, 0.0)
    away = abs(csr_array(rows) - csr_array(inside))
    stray = np.asarray(away.sum(axis=1)).ravel() + beyond
    largest = np.abs(system.matrix).max(axis=1, keepdims=True) + system.uncertainty.max(axis=1, keepdims=True)
    bounds = [(missed + 1.01 * largest * stray, uncertain) for missed, uncertain in _missed(system, rows)]
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        step = max(1, _NUMBERS // (len(system.matrix) * int(size)))
        for start in range(0, len(members), step):
            part = members[start : start + step]
            columns = supports.indices[supports.indptr[part][:, None] + np.arange(size)]
            different, which = np.unique(np.sort(columns, axis=1), axis=0, return_inverse=True)
            found, full = _on_columns(system, different, which.ravel(), [(m[:, part], doubt) for m, doubt in bounds])
            errors[part], independent[part] = np.maximum(found, stray[part]), full[which.ravel()]
    return errors, independent


def _on_columns(
    system: RowSystem, columns: IntArray, which: IntArray, bounds: list[tuple[FloatArray, bool]]
) -> tuple[FloatArray, BoolArray]:
    """Bound errors of rows, each on one of these sets of columns (b, N), and tell which sets are independent."""
    parts = [np.moveaxis(part[:, columns], 0, 1) for part in (system.test_matrix, system.matrix_error)]
    independent = independent_columns(*parts, sums_to_one=system.sums_to_one)
    matrix, doubt = (np.moveaxis(part[:, columns], 0, 1) for part in (system.matrix, system.uncertainty))
    own = Equations(matrix, doubt, system.equations.centre, system.equations.exponents)
    errors = np.full(len(which), np.inf)
    if columns.shape[1] > matrix.shape[1]:
        return errors, independent
    for balanced in (False, True):
        scaled = equilibrate(own, balanced=balanced)
        inverse = left_inverse(scaled.matrix)
        chosen = [part[which] for part in (inverse, scaled.matrix, scaled.uncertainty)]
        for missed, uncertain in bounds:
            right = np.ldexp(missed.T[:, :, None], scaled.rows[which])
            found = solution_error(chosen[0], chosen[1], chosen[2] * uncertain, right)
            errors = np.minimum(errors, np.ldexp(found, np.swapaxes(scaled.columns, 1, 2)[which]).max(axis=(1, 2)))
    return errors, independent
