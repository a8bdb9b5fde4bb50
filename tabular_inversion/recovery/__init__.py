"""Recovery of transition rows from values: one file for each kernel class, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, diags_array, issparse

from tabular_inversion._typing import FloatArray, IntArray, Kernel
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kernel_rows import stacked_rows
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.by_class import METHODS, Wanted, check_options
from tabular_inversion.recovery.closed_form import closed_form
from tabular_inversion.recovery.column_matching import column_matching, column_separation
from tabular_inversion.recovery.equations import largest, rescaled
from tabular_inversion.recovery.misfits import is_solved, misfit
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.simplex import simplex_rows
from tabular_inversion.recovery.sparse_support import sparse_rows
from tabular_inversion.recovery.supported import supported_rows
from tabular_inversion.recovery.system import RowSystem
from tabular_inversion.validation import check_distributions, finite_array, locate, row_sum_limit

__all__ = [
    "Recovery",
    "closed_form",
    "column_matching",
    "column_separation",
    "recover",
    "recover_rows",
    "simplex_rows",
    "sparse_rows",
    "supported_rows",
]


@checked
def recover(
    matrix: FloatArray,
    values: FloatArray,
    kernel_class: KernelClass,
    *,
    row_index: IntArray,
    prior: ArrayLike | None = None,
    norm: float = np.inf,
    progress: Callable[[int, int], None] | None = None,
) -> Recovery:
    """Find the rows of a class that explain the values best.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M, `AgentValues.test_matrix`.
    values : numpy.ndarray, shape (k, R)
        `AgentValues.right_hand_sides`.
    kernel_class : KernelClass
        Where to look.
    row_index : numpy.ndarray of int, shape (R,)
        Numbers s*A + a of the rows, by which `Supported` knows their supports.
    prior : array_like, shape (n,) or (R, n), optional
        Which rows to prefer where the values leave freedom; uniform when omitted. `Deterministic` and `Sparse` have no
        use for it.
    norm : float
        For `Deterministic`: 1, 2 or infinity.
    progress : callable, optional
        For `Sparse`: ``progress(done, total)``.

    Returns
    -------
    Recovery

    Raises
    ------
    ShapeError
        If the arrays do not fit each other.
    InputError
        If a number is not finite, or the prior or the norm is out of range.
    KernelClassError
        If the class does not fit the number of states.
    ConvergenceError
        If floating point, or an integer program, does not settle a row.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import Stochastic
    >>> recover(np.eye(2), np.array([[0.25], [0.75]]), Stochastic(), row_index=np.array([0])).rows
    array([[0.25, 0.75]])
    """
    check_options(kernel_class, prior=prior, norm=norm)
    _check_system(matrix, values, row_index)
    system = RowSystem.of(matrix, values, sums_to_one=kernel_class.sums_to_one)
    return recover_rows(system, kernel_class, row_index=row_index, prior=prior, norm=norm, progress=progress)


def recover_rows(
    system: RowSystem,
    kernel_class: KernelClass,
    *,
    row_index: IntArray,
    prior: ArrayLike | None = None,
    norm: float = np.inf,
    progress: Callable[[int, int], None] | None = None,
    sought: Recovery | None = None,
) -> Recovery:
    """Do what `recover` does, for a system that exists already.

    Parameters
    ----------
    system : RowSystem
        Of an agent.
    kernel_class, row_index, prior, norm, progress
        As for `recover`.
    sought : Recovery, optional
        What `seek_rows` found, where it was asked before, without a prior.

    Notes
    -----
    Rows that explain their values are sought first: `seek_rows`. The others are least squares in the units of Q, all
    goals together.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import Stochastic
    >>> system = RowSystem.of(np.diag([1.0, 2.0**60]), np.array([[0.25], [0.75 * 2.0**60]]), sums_to_one=True)
    >>> recover_rows(system, Stochastic(), row_index=np.array([0])).rows
    array([[0.25, 0.75]])
    """
    n_rows = system.right_hand_sides.shape[1]
    start = None if prior is None else _check_prior(prior, system.n_states, n_rows, kernel_class)
    if sought is None:
        sought = seek_rows(system, kernel_class, row_index=row_index, prior=start, progress=progress)
    found, missed = sought, misfit(system, sought.rows)
    # Matching in another norm than the largest is asked for because of noise in that norm.
    loose = np.arange(n_rows) if norm != np.inf else np.flatnonzero(~is_solved(system, found.rows, missed))
    # The nearest column in units of its uncertainty need not be the nearest in those of Q, which T2b is about.
    other_unit = METHODS.of(kernel_class).exact is not None
    if loose.size and (other_unit or not _proportional(system.weighed[0], system.in_one_unit[0])):
        part = start if start is None or start.ndim == 1 else start[loose]
        chosen, options = system.select(loose), (kernel_class, row_index[loose], part, norm, progress)
        again = _in_units_of_values(chosen, *options)
        missed[:, loose] = misfit(chosen, again.rows)
        found = replace(found, rows=_put(found.rows, loose, again.rows), method=again.method)
    in_units_of_q = rescaled(missed, -system.equations.exponents, out=missed)
    return replace(found, residual=largest(in_units_of_q, 0)[0])


def seek_rows(
    system: RowSystem,
    kernel_class: KernelClass,
    *,
    row_index: IntArray,
    prior: FloatArray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Recovery:
    """Find rows that explain their values, if there are any, whatever units goals are paid in.

    Parameters
    ----------
    system : RowSystem
        Of an agent.
    kernel_class, row_index, prior, progress
        As for `recover`.

    Notes
    -----
    Each equation counts by its certainty, in its own unit, so that no goal is lost in the rounding of another. Powers
    of two in the rewards of a goal change no bit of the rows.
    """
    method = METHODS.of(kernel_class)
    if method.direct is not None and (only := method.direct(system)) is not None:
        return only
    found = method.seek(
        Wanted(system, system.certainty, *system.weighed, kernel_class, row_index, prior, progress=progress)
    )
    rows = summing_to_one(found.rows) if kernel_class.sums_to_one else found.rows
    return replace(found, rows=rows, rank=system.rank)


def _in_units_of_values(system: RowSystem, kernel_class: KernelClass, *options: Any) -> Recovery:
    tests, values, unit = system.in_one_unit
    weights = np.asarray(unit - system.equations.exponents, np.int64)
    doubt = rescaled(system.uncertainty[: len(tests)], weights)
    found = METHODS.of(kernel_class).find(Wanted(system, weights, tests, values, doubt, kernel_class, *options))
    return replace(found, rows=summing_to_one(found.rows)) if kernel_class.sums_to_one else found


def _proportional(tests: FloatArray, others: FloatArray) -> bool:
    """Tell whether two systems of the same equations in other units are least squares alike."""
    sizes = np.abs(tests).max(axis=1), np.abs(others).max(axis=1)
    ratio = sizes[0][sizes[1] > 0] / sizes[1][sizes[1] > 0]
    return bool(not ratio.size or (ratio == ratio[0]).all())


def summing_to_one(rows: Kernel) -> Kernel:
    """Return the rows; where rounding leaves a sum further from one than a kernel allows, divided by it."""
    sums = np.asarray(rows.sum(axis=1), float).ravel()
    positive = np.asarray((rows > 0).sum(axis=1)).ravel()
    off = (np.abs(sums - 1.0) > row_sum_limit(positive)) & (sums > 0)
    if not off.any():
        return rows
    divisors = np.where(off, sums, 1.0)
    if issparse(rows):
        return csr_array(diags_array(1.0 / divisors) @ rows)
    return np.asarray(rows / divisors[:, None])


def _put(rows: Kernel, places: IntArray, others: Kernel) -> Kernel:
    """Return the rows with those at `places` replaced."""
    order = np.arange(rows.shape[0])
    order[places] = rows.shape[0] + np.arange(len(places))
    return stacked_rows([rows, others], order)


def _check_system(matrix: FloatArray, values: FloatArray, row_index: IntArray) -> None:
    """Raise unless the arrays fit each other and are finite. They are large, so they are not copied."""
    shapes = np.shape(matrix), np.shape(values), np.shape(row_index)
    fit = (
        [len(shape) for shape in shapes] == [2, 2, 1] and shapes[0][0] == shapes[1][0] and shapes[1][1] == shapes[2][0]
    )
    if not fit or 0 in (*shapes[0], *shapes[1]):
        raise ShapeError(
            f"matrix, values and row_index have shapes {shapes[0]}, {shapes[1]} and {shapes[2]}; expected (G, S), "
            "(G, rows) and (rows,), no axis empty."
        )
    for name, array, axes in (("matrix", matrix, "(g, s)"), ("values", values, "(g, row)")):
        bad = ~np.isfinite(array)
        if bad.any():
            raise InputError(f"{name} is not finite, {locate(bad, array, axes)}; replace it.")


def _check_prior(prior: ArrayLike, n_states: int, n_rows: int, kernel_class: KernelClass) -> FloatArray:
    shape: tuple[int, ...] = (n_states,) if np.ndim(prior) == 1 else (n_rows, n_states)
    array = finite_array("prior", prior, shape, "(S,) or (rows, S)", InputError)
    if kernel_class.sums_to_one:
        check_distributions("prior", np.atleast_2d(array), None, "(row, s)", InputError)
    return array
