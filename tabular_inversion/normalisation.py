"""Rounded tables made into distributions: only when asked, within a stated distance, and saying what was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import FloatArray, Kernel
from tabular_inversion.errors import KernelError, ShapeError
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.validation import check_positive, real_array, refuse_masked, row_sum_limit


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Normalised(Record):
    """A table whose rows are distributions, and what had to be changed for that.

    Attributes
    ----------
    kernel : numpy.ndarray or csr_array
        Of the shape given, read-only. Rows that were distributions already are as they were, to the last bit.
    rows_changed : int
        How many rows are not as they were.
    negatives : int
        How many entries were negative, and are zero now.
    largest_change : float
        How far an entry moved, at most.

    Examples
    --------
    >>> str(normalised([[[0.333, 0.333, 0.333]]] * 3, within=2e-3))
    'normalised 3 rows: entries moved by up to 0.00033, 0 negative ones became 0'
    """

    kernel: Kernel
    rows_changed: int
    negatives: int
    largest_change: float

    def __str__(self) -> str:
        moved = f"entries moved by up to {self.largest_change:.2g}, {self.negatives} negative ones became 0"
        return f"normalised {self.rows_changed} rows: {moved}"


@checked
def normalised(kernel: Kernel | ArrayLike, *, within: float) -> Normalised:
    """Divide rows that almost sum to one by their sums, and set entries that are hardly negative to zero.

    `MDP` refuses rounded tables (1/3 written as 0.333, numbers that went through float32, solvers' answers): values
    near discount 1 would be those of another world. Whoever knows that a table was rounded says so here.

    Parameters
    ----------
    kernel : array_like, shape (..., S), or scipy sparse matrix, shape (rows, S)
        Probabilities along the last axis: a kernel (S, A, S) or (S*A, S), or a policy. Rows of zeros (unavailable
        actions) stay.
    within : float
        How far a row's sum may be from one, and how far below zero an entry may be; positive, below 1.

    Returns
    -------
    Normalised
        The table and what was changed.

    Raises
    ------
    KernelError
        If a number is missing or not finite, an entry is more negative than `within`, or a sum further from one.
    ShapeError
        If there is no row.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import MDP
    >>> table = np.float32([[[0.1, 0.9]], [[0.3, 0.7]]])
    >>> found = normalised(table, within=1e-6)
    >>> MDP(found.kernel, discount=0.9), found.rows_changed
    (MDP(n_states=2, n_actions=1, discount=0.9, dense), 1)
    """
    limit = check_positive("within", within, KernelError)
    if limit >= 1:
        raise KernelError(f"within is {within}; expected a number below 1.")
    given: Any = kernel
    if issparse(given):
        return _of_sparse(given, limit)
    array = np.array(real_array("kernel", given, "(..., S)", KernelError))
    if array.ndim == 0 or array.size == 0:
        raise ShapeError(f"kernel has shape {array.shape}; expected rows along the last axis, no axis empty.")
    rows = array.reshape(-1, array.shape[-1])
    where = _names_of_rows(array.shape)
    _check_entries(rows, np.arange(len(rows)).repeat(rows.shape[1]), limit, where)
    negative = rows < 0
    divisors = _divisors(np.where(negative, 0.0, rows), limit, where)
    moved = rows.copy()
    rows[negative] = 0.0
    rows /= divisors[:, None]
    change = np.abs(rows - moved)
    array.flags.writeable = False
    return Normalised(array, int(change.any(axis=1).sum()), int(negative.sum()), float(change.max()))


def _of_sparse(kernel: Any, limit: float) -> Normalised:
    if kernel.ndim != 2 or 0 in kernel.shape:
        raise ShapeError(f"kernel has shape {kernel.shape}; expected (rows, S), no axis empty.")
    refuse_masked("kernel", kernel.data, KernelError)
    rows: Any = csr_array(kernel, dtype=np.float64, copy=True)
    rows.sum_duplicates()
    row_of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    where = _names_of_rows(rows.shape)
    _check_entries(rows.data, row_of, limit, where)
    before = rows.data.copy()
    negative = before < 0
    rows.data[negative] = 0.0
    rows.data /= _divisors(rows, limit, where)[row_of]
    change = np.abs(rows.data - before)
    for part in (rows.data, rows.indices, rows.indptr):
        part.flags.writeable = False
    changed = len(np.unique(row_of[change > 0]))
    return Normalised(rows, changed, int(negative.sum()), float(change.max(initial=0.0)))


def _names_of_rows(shape: tuple[int, ...]) -> Callable[[int], str]:
    """Return what a row is called, given its number: kernels are told by their shape."""
    if len(shape) == 3 and shape[0] == shape[2]:
        n_actions = shape[1]
    elif len(shape) == 2 and shape[0] % shape[1] == 0:
        n_actions = shape[0] // shape[1]
    else:
        return lambda row: f"row {tuple(int(i) for i in np.unravel_index(row, shape[:-1]))}"
    return lambda row: f"the row of state {row // n_actions}, action {row % n_actions}"


def _check_entries(entries: FloatArray, row_of: Any, limit: float, where: Callable[[int], str]) -> None:
    bad = np.flatnonzero(~np.isfinite(entries) | (entries < -limit))
    if bad.size:
        value, row = float(entries.ravel()[bad[0]]), int(row_of[bad[0]])
        raise KernelError(
            f"{where(row)} has the entry {value!r} ({bad.size} such entries); the least allowed is {-limit:g}, and "
            "none may be missing: correct it, or raise within if it is rounding."
        )


def _divisors(rows: Any, limit: float, where: Callable[[int], str]) -> FloatArray:
    """Return what to divide each row by: its sum, or 1 where it is a distribution already, or zero throughout."""
    sums = np.asarray(rows.sum(axis=1), dtype=np.float64).ravel()
    counts = np.asarray((rows > 0).sum(axis=1)).ravel()
    off = np.flatnonzero((np.abs(sums - 1.0) > limit) & (counts > 0))
    if off.size:
        raise KernelError(
            f"{where(int(off[0]))} sums to {float(sums[off[0]])!r} ({off.size} such rows); expected 1 within "
            f"{limit:g}: correct it, or raise within if it is rounding."
        )
    keep = (np.abs(sums - 1.0) <= row_sum_limit(counts)) | (counts == 0)
    return np.where(keep, 1.0, sums)
