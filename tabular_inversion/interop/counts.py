"""Worlds and supports estimated from counts of observed transitions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.kernel_classes import Supported
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

Unvisited = Literal["refuse", "unavailable"]


def _read(counts: Any) -> FloatArray:
    is_sparse = issparse(counts)
    array = np.asarray(counts.toarray() if is_sparse else counts)
    if is_sparse and array.ndim == 2 and array.shape[1] and array.shape[0] % array.shape[1] == 0:
        array = array.reshape(array.shape[1], -1, array.shape[1])
    if array.ndim != 3 or array.shape[0] != array.shape[2] or 0 in array.shape:
        raise ShapeError(f"counts have shape {np.shape(counts)}; expected (S, A, S), or sparse (S*A, S).")
    if array.dtype.kind not in "iufb" or not np.isfinite(array).all() or (array < 0).any():
        raise InputError(
            "counts hold something that is no number of transitions; expected finite numbers of at least 0."
        )
    return array.astype(np.float64)


@checked
def from_counts(counts: ArrayLike, *, discount: float, unvisited: Unvisited = "refuse") -> MDP:
    """Return the world of relative frequencies.

    Parameters
    ----------
    counts : array_like, shape (S, A, S), or scipy sparse, shape (S*A, S)
        How often (s, a) led to t, at least 0.
    discount : float
        In [0, 1].
    unvisited : {"refuse", "unavailable"}
        What a row without any count is.

    Returns
    -------
    MDP
        Sparse. Frequencies are estimates: with N visits an entry p is off by about sqrt(p (1 - p) / N).

    Raises
    ------
    InputError
        If a count is negative or not finite, or a row has none and `unvisited` says to refuse it.
    ShapeError
        If the shape does not fit.

    Examples
    --------
    >>> from_counts([[[3, 1]], [[0, 5]]], discount=0.9).toarray()[0]
    array([[0.75, 0.25]])
    """
    array = _read(counts)
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
    # The largest entry takes up the rounding, so that the row sums to one.
    shares = array / np.where(totals > 0, totals, 1.0)[:, :, None]
    rows = shares.reshape(n * m, n)
    largest = rows.argmax(axis=1)
    rows[np.arange(n * m), largest] += np.where(totals.ravel() > 0, 1.0 - rows.sum(axis=1), 0.0)
    return MDP(csr_array(rows), discount, totals > 0)


@checked
def support_from_counts(counts: ArrayLike) -> Supported:
    """Return the class of kernels on the transitions that were seen.

    Parameters
    ----------
    counts : array_like, shape (S, A, S), or scipy sparse, shape (S*A, S)
        How often (s, a) led to t. A rare successor that was never seen is ruled out by this class: values that need it
        are INCONSISTENT.

    Raises
    ------
    InputError, ShapeError
        As `from_counts`.
    KernelClassError
        If a row has no count at all and others of its state have.

    Examples
    --------
    >>> support_from_counts([[[3, 1]], [[0, 5]]]).sizes
    array([2, 1])
    """
    return Supported(_read(counts) > 0)
