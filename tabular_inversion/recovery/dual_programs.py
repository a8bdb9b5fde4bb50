"""Linear programs solved for their multipliers: what a solver says of them is checked by whoever asks."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray
from tabular_inversion.recovery.linear_programs import LINEAR_PROGRAM_TOLERANCE


def solve_for_multipliers(
    costs: FloatArray, equations: FloatArray, values: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Minimise B linear functions over ``equations @ x = values``, ``0 <= x <= upper``, all as one program.

    Parameters
    ----------
    costs, upper : numpy.ndarray, shape (B, N)
        Coefficients and upper bounds.
    equations : numpy.ndarray, shape (B, E, N)
        Left-hand sides, in unit scale.
    values : numpy.ndarray, shape (B, E)
        Right-hand sides.

    Returns
    -------
    points : numpy.ndarray, shape (B, N)
        Where the solver stopped.
    multipliers : numpy.ndarray, shape (B, E)
        Of the equations. Neither is proved to be anything. None in place of both where the solver gave up.
    """
    n_blocks, n_equations, n_variables = equations.shape
    places = np.broadcast_to(
        (np.arange(n_blocks) * n_variables)[:, None, None] + np.arange(n_variables), equations.shape
    )
    ends = np.arange(n_blocks * n_equations + 1) * n_variables
    size = (n_blocks * n_equations, n_blocks * n_variables)
    diagonal = csr_array((equations.flatten(), places.flatten(), ends), shape=size)
    diagonal.eliminate_zeros()
    bounds = np.stack([np.zeros(upper.size), upper.ravel()], axis=1)
    tolerances = {f"{side}_feasibility_tolerance": LINEAR_PROGRAM_TOLERANCE for side in ("primal", "dual")}
    for method, options in (("highs-ds", tolerances | {"presolve": False}), ("highs", {})):
        found = linprog(
            costs.ravel(), A_eq=diagonal, b_eq=values.ravel(), bounds=bounds, method=method, options=options
        )
        if found.status == 0:
            return found.x.reshape(upper.shape), found.eqlin.marginals.reshape(values.shape)
    return None
