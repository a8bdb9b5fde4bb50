"""Linear functions over many polytopes at once."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.recovery.linear_programs import block_size, solve_blocks


def maximise(polytopes: Polytopes, rows: IntArray, objectives: FloatArray) -> FloatArray:
    """Return, for each of B rows, a vertex where a linear function is largest.

    Parameters
    ----------
    polytopes : Polytopes
        Bounded along every objective.
    rows : numpy.ndarray of int, shape (B,)
        Numbers of polytopes; they may repeat.
    objectives : numpy.ndarray, shape (B, N)
        Functions on the places of each row's face.

    Returns
    -------
    numpy.ndarray, shape (B, N)
        Points with entries at least 0 where signed; the member that is known where HiGHS does not solve a program.
    """
    if polytopes.is_box:
        return _corners(polytopes, rows, objectives)
    points = polytopes.members[rows].copy()
    open_rows = np.flatnonzero(polytopes.dimension[rows] > 0)
    block = block_size(points.shape[1])
    for start in range(0, len(open_rows), block):
        part = open_rows[start : start + block]
        faces = polytopes.face[rows[part]]
        equations, kept = polytopes.equations[faces], polytopes.kept[faces]
        values = np.einsum("ben,bn->be", equations, polytopes.members[rows[part]])
        lower = np.where(polytopes.signed[faces], 0.0, np.where(kept, -np.inf, 0.0))
        upper = np.where(kept, np.inf, 0.0)
        found = solve_blocks(-_unit_scale(objectives[part], kept), equations, values, lower, upper)
        points[part] = np.where(found.solved[:, None], found.points, points[part])
    return points


def _corners(polytopes: Polytopes, rows: IntArray, objectives: FloatArray) -> FloatArray:
    """Return where linear functions are largest in a box: each test at the end that its weight points to."""
    n = polytopes.n_entries
    inverse = np.linalg.inv(polytopes.loose_tests)
    weights = objectives[:, :n] @ inverse
    points = polytopes.members[rows].copy()
    below, above = points[:, n : 2 * n], points[:, 2 * n :]
    change = np.where(weights > 0, above, np.where(weights < 0, -below, 0.0))
    return np.asarray(points + np.concatenate([change @ inverse.T, change, -change], axis=1))


def _unit_scale(objectives: FloatArray, kept: BoolArray) -> FloatArray:
    """Bring the largest coefficient of each objective to 1: HiGHS's tolerances are absolute."""
    size = np.abs(np.where(kept, objectives, 0.0)).max(axis=1, keepdims=True)
    return np.asarray(np.where(kept, objectives, 0.0) / np.where(size > 0, size, 1.0))
