"""Linear programs over many small polytopes at once: HiGHS solves blocks of them as one program.

One call costs about a millisecond before any arithmetic, and a small program a tenth of that; blocks share the cost.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import ConvergenceError
from tabular_inversion.identifiability.value_equivalence.polytopes import Polytopes

LINEAR_PROGRAM_TOLERANCE = 1e-10
"""How far HiGHS lets a variable pass its bound, and a reduced cost zero; equations are in unit scale."""

BLOCK_VARIABLES = 6000
"""Variables in one program: longer ones make each pivot dearer, shorter ones waste the cost of a call."""


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
        Points with entries at least 0 where signed.

    Raises
    ------
    ConvergenceError
        If HiGHS does not solve a program.
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
        points[part] = solve_blocks(-_unit_scale(objectives[part], kept), equations, values, lower, upper)
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


def block_size(n_variables: int) -> int:
    """Return how many programs with this many variables to solve as one."""
    return max(1, BLOCK_VARIABLES // n_variables)


def _unit_scale(objectives: FloatArray, kept: BoolArray) -> FloatArray:
    """Bring the largest coefficient of each objective to 1: HiGHS's tolerances are absolute."""
    size = np.abs(np.where(kept, objectives, 0.0)).max(axis=1, keepdims=True)
    return np.asarray(np.where(kept, objectives, 0.0) / np.where(size > 0, size, 1.0))


def solve_blocks(
    costs: FloatArray, equations: FloatArray, values: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Minimise B linear functions, each over its own ``equations @ x = values``, ``lower <= x <= upper``.

    Parameters
    ----------
    costs, lower, upper : numpy.ndarray, shape (B, N)
        Coefficients and bounds.
    equations : numpy.ndarray, shape (B, E, N)
        Rows of zeros are allowed.
    values : numpy.ndarray, shape (B, E)
        Right-hand sides.

    Returns
    -------
    numpy.ndarray, shape (B, N)
        Optimal points, moved within their bounds.

    Raises
    ------
    ConvergenceError
        If HiGHS finds no optimum.
    """
    n_blocks, n_equations, n_variables = equations.shape
    places = np.broadcast_to(
        (np.arange(n_blocks) * n_variables)[:, None, None] + np.arange(n_variables), equations.shape
    )
    ends = np.arange(n_blocks * n_equations + 1) * n_variables
    size = (n_blocks * n_equations, n_blocks * n_variables)
    diagonal = csr_array((equations.flatten(), places.flatten(), ends), shape=size)
    diagonal.eliminate_zeros()
    bounds = np.stack([lower.ravel(), upper.ravel()], axis=1)
    tolerances = {f"{side}_feasibility_tolerance": LINEAR_PROGRAM_TOLERANCE for side in ("primal", "dual")}
    # Presolve finds little in dense blocks and costs more than it saves; it is the second try where simplex gets stuck.
    for method, options in (("highs-ds", tolerances | {"presolve": False}), ("highs", {})):
        found = linprog(
            costs.ravel(), A_eq=diagonal, b_eq=values.ravel(), bounds=bounds, method=method, options=options
        )
        if found.status == 0:
            return np.asarray(np.clip(found.x.reshape(lower.shape), lower, upper))
    raise ConvergenceError(
        f"HiGHS solved none of {n_blocks} linear programs with {n_variables} variables ({found.message}); "
        "give goals of a more even scale, or a larger noise."
    )
