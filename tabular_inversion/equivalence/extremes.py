"""Least and largest values of linear functions over polytopes."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.equivalence.programs import maximise
from tabular_inversion.recovery.linear_programs import block_size


def function_bounds(polytopes: Polytopes, functions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the least and largest values of functions on the coordinates.

    Parameters
    ----------
    polytopes : Polytopes
        R polytopes, bounded along the functions.
    functions : numpy.ndarray, shape (F, coordinates)
        Coefficients.

    Returns
    -------
    lower, upper : numpy.ndarray, shape (R, F)
    """
    n_rows, n_functions = len(polytopes.face), len(functions)
    rows = np.repeat(np.arange(n_rows), n_functions)
    which = np.tile(np.arange(n_functions), n_rows)
    ends = [np.empty(len(rows)), np.empty(len(rows))]
    for start in range(0, len(rows), block_size(1)):
        part = slice(start, start + block_size(1))
        objectives = polytopes.gather(functions[which[part]], rows[part])
        for end, sign in zip(ends, (-1.0, 1.0), strict=True):
            points = maximise(polytopes, rows[part], sign * objectives)
            end[part] = (points * objectives).sum(axis=1)
    return ends[0].reshape(n_rows, n_functions), ends[1].reshape(n_rows, n_functions)


def entry_bounds(polytopes: Polytopes) -> tuple[FloatArray, FloatArray]:
    """Return the least and largest value of each entry.

    A vertex has few positive entries. Each program for a largest value ends at one, so nearly every entry has been
    seen at 0 before any least value is asked for; programs are solved for the rest alone.

    Parameters
    ----------
    polytopes : Polytopes
        R polytopes without free coordinates.

    Returns
    -------
    lower, upper : numpy.ndarray, shape (R, N)
        At the places of each row's face; what intervals have left is not pushed to its ends.
    """
    lower, upper = polytopes.members.copy(), polytopes.members.copy()
    asked = polytopes.entries[polytopes.face] & (polytopes.dimension > 0)[:, None]
    _push(polytopes, np.argwhere(asked), 1.0, lower, upper)
    _push(polytopes, np.argwhere(asked & (lower > 0.0)), -1.0, lower, upper)
    return lower, upper


def _push(polytopes: Polytopes, places: IntArray, sign: float, lower: FloatArray, upper: FloatArray) -> None:
    """Move entries (row, place) as far up or down as they go, and note what all entries were seen at, in place."""
    block = block_size(1)
    for start in range(0, len(places), block):
        rows, entries = places[start : start + block].T
        objectives = np.zeros((len(rows), lower.shape[1]))
        objectives[np.arange(len(rows)), entries] = sign
        points = maximise(polytopes, rows, objectives)
        np.minimum.at(lower, rows, points)
        np.maximum.at(upper, rows, points)
