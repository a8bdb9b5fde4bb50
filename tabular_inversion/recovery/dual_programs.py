"""Linear programs over ``0 <= x <= upper``, solved for their multipliers: see `solve_blocks`."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.recovery.linear_programs import solve_blocks


def solve_for_multipliers(
    costs: FloatArray, equations: FloatArray, values: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Minimise B linear functions over ``equations @ x = values``, ``0 <= x <= upper``.

    Returns
    -------
    points : numpy.ndarray, shape (B, N)
        Where the solver stopped.
    multipliers : numpy.ndarray, shape (B, E)
        Of the equations. Neither is proved to be anything. None in place of both where no program was solved.
    """
    found = solve_blocks(costs, equations, values, np.zeros(upper.shape), upper)
    return (found.points, found.multipliers) if found.solved.any() else None
