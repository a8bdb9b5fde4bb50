"""Chains in which every state has one successor: follow 1, 2, 4, 8 ... steps at a time."""

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.linear_systems.systems import LinearSystems

_NEGLIGIBLE = 2.0**-60
"""What is left of the weight of a walk when its end no longer moves a float."""

_MAX_ROUNDS = 64
"""Enough for any float below one; rows that sum to a little more than one could otherwise go on for ever."""


def solve_by_doubling(systems: LinearSystems, right_hand_sides: FloatArray) -> FloatArray:
    """Solve x(s) = b(s) + w(s) x(next(s)) by squaring: substitute the equation into itself.

    After j rounds ``x* = x + w x*[next]`` holds with w a product of 2^j factors below one, so about
    log2(40 / (1 - discount)) rounds reach rounding error, whatever the chains look like.

    Parameters
    ----------
    systems : LinearSystems
        With deterministic loops.
    right_hand_sides : numpy.ndarray, shape (G, S)
        b.

    Returns
    -------
    numpy.ndarray, shape (G, S)
        x.
    """
    rows = sparse_rows(systems.loops.transitions.rows)
    shape = right_hand_sides.shape
    entries = rows.indptr[systems.loops.row_numbers()]
    weights = systems.factors * rows.data[entries]
    offsets = np.arange(shape[0])[:, None] * shape[1]
    successors = np.broadcast_to(rows.indices[entries], shape) + offsets
    solution = right_hand_sides.copy()
    for _ in range(_MAX_ROUNDS):
        if weights.max() <= _NEGLIGIBLE:
            break
        solution += weights * solution.take(successors)
        weights *= weights.take(successors)
        successors = successors.take(successors)
    return solution
