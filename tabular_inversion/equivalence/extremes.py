"""Least and largest values of linear functions over polytopes, as a solver finds them."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray
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
