"""BiCGSTAB for all goals at once: each goal a row with its own scalars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.linear_systems.systems import LinearSystems, largest

_CHUNK_ENTRIES = 2**15
"""Goals are cut into runs whose vectors stay in the processor's cache."""

_SEED = 0
_MAX_ITERATIONS = 500

_SLACK = 2.0
"""The residual that the iteration carries along and the true one may differ by this factor."""

_ROUNDS = 3
"""How often the iteration starts again, from what it found, on goals that broke down or lost digits on the way."""


def solve_by_bicgstab(
    systems: LinearSystems, right_hand_sides: FloatArray, tolerances: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Solve every system iteratively, starting from zero.

    The shadow residual is a dense random vector (from a fixed seed). The usual choice, the first residual, breaks
    down on right-hand sides with few entries, such as an indicator goal's: the products it is multiplied with live
    on other states, and the method divides zero by zero.

    Parameters
    ----------
    systems : LinearSystems
        The systems.
    right_hand_sides : numpy.ndarray, shape (G, S)
        b.
    tolerances : numpy.ndarray, shape (G,)
        The largest entry allowed in b - A x.

    Returns
    -------
    solution : numpy.ndarray, shape (G, S)
        x.
    residuals : numpy.ndarray, shape (G,)
        The largest entry of b - A x, computed from x.

    Notes
    -----
    H. A. van der Vorst, Bi-CGSTAB, SIAM J. Sci. Stat. Comput. 13 (1992), 631-644.
    """
    solution = np.zeros_like(right_hand_sides)
    residuals = np.empty(len(right_hand_sides))
    shadows = np.random.default_rng(_SEED).standard_normal((_ROUNDS, systems.n_states))
    for goals in systems.chunks(_CHUNK_ENTRIES / systems.n_states):
        apply = systems.select(goals).operator()
        found, missing = solution[goals], right_hand_sides[goals]
        for shadow in shadows:
            with np.errstate(all="ignore"):  # a breakdown shows in the residual
                trial = found + _bicgstab(apply, missing, tolerances[goals], shadow)
                left = right_hand_sides[goals] - apply(trial)
            better = largest(left) < largest(missing)
            found[better] = trial[better]
            missing = np.where(better[:, None], left, missing)
            residuals[goals] = largest(missing)
            if (residuals[goals] <= _SLACK * tolerances[goals]).all():
                break
    return solution, residuals


def _bicgstab(
    apply: Callable[[FloatArray], FloatArray], right_hand_sides: FloatArray, tolerances: FloatArray, shadow: FloatArray
) -> FloatArray:
    """Iterate until each row has converged or broken down; such rows stand still while the others go on."""
    solution = np.zeros_like(right_hand_sides)
    residual = right_hand_sides.copy()
    direction = residual.copy()
    scaled = np.empty_like(residual)  # written over and over: fresh arrays would cost more than the sums
    projection = _products(residual, shadow)
    moving = largest(residual) > tolerances
    for _ in range(_MAX_ITERATIONS):
        if not moving.any():
            break
        image = apply(direction)
        step = _ratio(projection, _products(image, shadow), moving)
        solution += np.multiply(step, direction, out=scaled)
        residual -= np.multiply(step, image, out=scaled)
        second_image = apply(residual)
        squares = _products(second_image, second_image)
        smoothing = _ratio(_products(second_image, residual), squares, moving)
        solution += np.multiply(smoothing, residual, out=scaled)
        residual -= np.multiply(smoothing, second_image, out=scaled)
        size = largest(residual)
        moving &= np.isfinite(size) & (size > tolerances)
        next_projection = _products(residual, shadow)
        turn = _ratio(next_projection, projection, moving) * _ratio(step[:, 0], smoothing[:, 0], moving)
        projection = next_projection
        direction -= np.multiply(smoothing, image, out=scaled)
        direction *= turn
        direction += residual
    return solution


def _products(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the inner product of each row of `first` with a vector or with the same row of `second`."""
    # einsum and not BLAS, which starts threads for vectors so short that waiting for them costs more than the work.
    result: FloatArray = np.einsum("gs,s->g" if second.ndim == 1 else "gs,gs->g", first, second)
    return result


def _ratio(numerators: FloatArray, denominators: FloatArray, moving: BoolArray) -> FloatArray:
    """Divide row by row, as a column (G, 1); 0 for rows that stand still and where there is nothing to divide by."""
    where = moving & (denominators != 0)
    return np.divide(numerators, denominators, out=np.zeros_like(numerators), where=where)[:, None]
