"""Many small linear programs at once: HiGHS solves blocks of them as one program.

One call costs about a millisecond before any arithmetic, and a small program a tenth of that; blocks share the cost.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import ConvergenceError

LINEAR_PROGRAM_TOLERANCE = 1e-10
"""How far HiGHS lets a variable pass its bound, and a reduced cost zero; equations are in unit scale."""

BLOCK_VARIABLES = 6000
"""Variables in one program: longer ones make each pivot dearer, shorter ones waste the cost of a call."""


def block_size(n_variables: int) -> int:
    """Return how many programs with this many variables to solve as one."""
    return max(1, BLOCK_VARIABLES // n_variables)


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
