"""Whether columns are independent whatever their uncertainty, and how much noise leaves them so."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.recovery.equations import (
    TINY,
    UNIT,
    build_equations,
    contracts,
    equilibrate,
    left_inverse,
    rounding,
)


def independent_columns(matrix: FloatArray, uncertainty: FloatArray, *, sums_to_one: bool) -> BoolArray:
    """Tell for which stacks of test functions the columns (with the ones below) are surely independent.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (..., k, N)
        Test functions, neither centred nor scaled: each member of the stack gets its own scaling.
    uncertainty : numpy.ndarray, shape (..., k, N)
        Bound on each entry's error.
    sums_to_one : bool
        Whether a row of ones belongs to the system.

    Returns
    -------
    numpy.ndarray of bool, shape (...)
        True is a proof, as good as the uncertainty; False says nothing.

    Examples
    --------
    >>> independent_columns(np.eye(2), np.full((2, 2), 0.1), sums_to_one=False)
    array(True)
    >>> independent_columns(np.eye(2), np.full((2, 2), 0.6), sums_to_one=False)
    array(False)
    """
    equations = build_equations(matrix, uncertainty, sums_to_one=sums_to_one)
    if equations.matrix.shape[-2] < matrix.shape[-1] or not np.isfinite(equations.matrix).all():
        return np.zeros(matrix.shape[:-2], bool)
    scaled, error, _, _ = equilibrate(equations)
    proved = contracts(left_inverse(scaled), scaled, error)
    if not proved.all():
        scaled, error, _, _ = equilibrate(equations, balanced=True)
        proved |= contracts(left_inverse(scaled), scaled, error)
    if not np.all(proved):
        proved |= noise_room(matrix, uncertainty, sums_to_one=sums_to_one) > 0
    return proved


def noise_room(matrix: FloatArray, uncertainty: FloatArray, *, sums_to_one: bool) -> FloatArray:
    """Return by how much the Frobenius norm of the uncertainty may grow before columns may be dependent (Weyl).

    Parameters
    ----------
    matrix, uncertainty : numpy.ndarray, shape (..., k, N)
        Test functions, and a bound on each entry's error.
    sums_to_one : bool
        Whether only vectors that sum to zero matter.

    Returns
    -------
    numpy.ndarray, shape (...)
        The least singular value, less rounding and the norm of the uncertainty; negative where nothing is proved.

    Examples
    --------
    >>> round(float(noise_room(np.diag([3.0, 4.0]), np.zeros((2, 2)), sums_to_one=False)), 12)
    3.0
    """
    k, size = matrix.shape[-2:]
    rank = size - sums_to_one
    if rank == 0:
        return np.full(matrix.shape[:-2], np.inf)
    if k < rank or not np.isfinite(matrix).all():
        return np.full(matrix.shape[:-2], -np.inf)
    largest = np.abs(matrix).max(axis=(-2, -1), keepdims=True)
    unit = np.frexp(np.where(largest > 0, largest, 0.5))[1]
    matrix, uncertainty = np.ldexp(matrix, -unit), np.ldexp(np.broadcast_to(uncertainty, matrix.shape), -unit) + TINY
    shown = matrix - matrix.mean(axis=-1, keepdims=True) if sums_to_one else matrix
    singular = np.linalg.svd(shown, compute_uv=False)[..., rank - 1]
    level = 16.0 * (k + size) * UNIT * np.linalg.norm(matrix, axis=(-2, -1))
    moved = np.linalg.norm(uncertainty, axis=(-2, -1))
    room = singular - level - (1.0 + rounding(k * size + 4)) * moved
    with np.errstate(over="ignore"):  # an uncertainty beyond all floats leaves no room
        return np.asarray(np.ldexp(room, unit[..., 0, 0]))
