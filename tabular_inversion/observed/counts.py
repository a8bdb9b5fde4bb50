"""Counts of observed transitions, and the relative frequencies that they are."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import InputError, ShapeError

Unvisited = Literal["refuse", "unavailable"]
"""What a row without any count is."""


def read_counts(counts: ArrayLike) -> FloatArray:
    """Return counts (S, A, S), given so or as scipy sparse (S*A, S).

    Raises
    ------
    InputError
        If a count is negative or not finite.
    ShapeError
        If the shape does not fit.

    Examples
    --------
    >>> read_counts([[[3, 1]], [[0, 5]]]).shape
    (2, 1, 2)
    """
    given: Any = counts
    array = np.asarray(given.toarray() if issparse(given) else given)
    if issparse(given) and array.ndim == 2 and array.shape[1] and array.shape[0] % array.shape[1] == 0:
        array = array.reshape(array.shape[1], -1, array.shape[1])
    if array.ndim != 3 or array.shape[0] != array.shape[2] or 0 in array.shape:
        raise ShapeError(f"counts have shape {np.shape(counts)}; expected (S, A, S), or sparse (S*A, S).")
    if array.dtype.kind not in "iufb" or not np.isfinite(array).all() or (array < 0).any():
        raise InputError(
            "counts hold something that is no number of transitions; expected finite numbers of at least 0."
        )
    return array.astype(np.float64)


def frequencies(counts: ArrayLike, unvisited: Unvisited) -> tuple[Any, BoolArray]:
    """Return the rows of relative frequencies, sparse (S*A, S), and which rows have any.

    Raises
    ------
    InputError, ShapeError
        As `read_counts`; or a row has no count, and `unvisited` says to refuse it.

    Examples
    --------
    >>> frequencies([[[3, 1]], [[0, 5]]], "refuse")[0].toarray()
    array([[0.75, 0.25],
           [0.  , 1.  ]])
    """
    array = read_counts(counts)
    if unvisited not in ("refuse", "unavailable"):
        raise InputError(f"unvisited is {unvisited!r}; expected 'refuse' or 'unavailable'.")
    totals = array.sum(axis=2)
    empty = np.argwhere(totals == 0)
    if len(empty) and unvisited == "refuse":
        state, action = empty[0].tolist()
        raise InputError(
            f"state {state}, action {action} was never seen ({len(empty)} such rows); give it counts, or say "
            "unvisited='unavailable'."
        )
    n, m = totals.shape
    rows = (array / np.where(totals > 0, totals, 1.0)[:, :, None]).reshape(n * m, n)
    # The largest entry takes up the rounding, so that the row sums to one.
    largest = rows.argmax(axis=1)
    rows[np.arange(n * m), largest] += np.where(totals.ravel() > 0, 1.0 - rows.sum(axis=1), 0.0)
    return csr_array(rows), totals > 0
