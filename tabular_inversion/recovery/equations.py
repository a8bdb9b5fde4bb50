"""Equations centred and scaled without a rounding that is not accounted for: single systems and stacks alike.

A distribution sums to one, so a constant may be subtracted from an equation: it is the median of the row, which is an
entry of it, and what the subtraction rounds off is known exactly (Knuth's two-sum). Scaling is by powers of two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, FloatArray

UNIT = float(np.finfo(np.float64).eps) / 2.0
"""u, the unit roundoff."""

TINY = float(np.finfo(np.float64).tiny)
"""Added wherever a product may have underflowed: relative bounds say nothing there."""

_SWEEPS = 8
"""Turns of scaling rows and columns."""

_FAR = 1e5
"""Beyond the logarithm of every float, and of every one after scaling."""

_CONTRACTS = 0.99
"""Bounds on a spectral radius up to this prove that it is below one."""

_SMALL_ENOUGH = 0.1
"""Bounds up to this are not made sharper: nothing that follows would be."""

_FULLY_WEIGHTED = 2.0**26
"""Equations are weighed by their certainty up to this ratio: more would cost the decomposition its own digits."""


def rounding(count: int) -> float:
    """Return Higham's gamma_n = n u / (1 - n u), with a margin for evaluating the bound itself in floats."""
    return 1.01 * count * UNIT / (1.0 - count * UNIT)


class Equations(NamedTuple):
    """Equations ``matrix @ p = ldexp(values - centre, exponents)`` in unit scale, the sum to one last where it holds.

    Attributes
    ----------
    matrix : numpy.ndarray, shape (..., E, N)
        What varies in each equation, its largest entry in [1/2, 1); zeros for one that does not vary.
    uncertainty : numpy.ndarray, shape (..., E, N)
        A bound on each entry's error.
    centre : numpy.ndarray, shape (..., k, 1)
        The constant subtracted; zero where rows need not sum to one.
    exponents : numpy.ndarray of int, shape (..., k, 1)
        The power of two that each equation was multiplied by.
    """

    matrix: FloatArray
    uncertainty: FloatArray
    centre: FloatArray
    exponents: NDArray[np.int32]


class Equilibrated(NamedTuple):
    """Equations with rows and columns scaled: ``matrix @ ldexp(p, -columns) = ldexp(values, rows)``.

    Attributes
    ----------
    matrix, uncertainty : numpy.ndarray, shape (..., E, N)
        The system, and a bound on each entry's error.
    rows : numpy.ndarray of int, shape (..., E, 1)
        Exponents of the equations.
    columns : numpy.ndarray of int, shape (..., 1, N)
        Exponents of the columns.
    """

    matrix: FloatArray
    uncertainty: FloatArray
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]


def subtract(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``left - right`` rounded, and the size of what was rounded off (exact, by two-sum)."""
    result = left - right
    back = result - left
    return result, np.abs((left - (result - back)) - (right + back))


def build_equations(matrix: FloatArray, uncertainty: FloatArray, *, sums_to_one: bool) -> Equations:
    """Centre and scale test functions.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (..., k, N)
        Test functions on N states.
    uncertainty : numpy.ndarray, broadcastable to `matrix`
        Bound on each entry's error, in the same units.
    sums_to_one : bool
        Whether unknown rows are distributions: then equations are centred, and a row of ones comes last.

    Examples
    --------
    >>> import numpy as np
    >>> build_equations(np.array([[1e8, 1e8 + 2.0]]), np.zeros((1, 2)), sums_to_one=True).matrix
    array([[-0.5,  0. ],
           [ 1. ,  1. ]])
    """
    first = -np.frexp(np.abs(matrix).max(axis=-1, keepdims=True))[1]
    scaled = np.ldexp(matrix, first)
    error = np.ldexp(uncertainty, first)
    if (np.abs(scaled) < TINY).any():
        error = error + TINY * (np.ldexp(scaled, -first) != matrix)
    centre = np.zeros(first.shape)
    if sums_to_one:
        place = matrix.shape[-1] // 2
        middle = np.partition(scaled, place, axis=-1)[..., place, None]
        centre = np.ldexp(middle, -first)
        scaled, lost = subtract(scaled, middle)
        error = error + lost
        constant = (np.abs(scaled) <= error).all(axis=-1, keepdims=True)
        scaled, error = np.where(constant, 0.0, scaled), error + np.where(constant, np.abs(scaled), 0.0)
    second = -np.frexp(np.abs(scaled).max(axis=-1, keepdims=True))[1]
    scaled, error = np.ldexp(scaled, second), np.ldexp(error, second)
    if sums_to_one:
        ones = (*matrix.shape[:-2], 1, matrix.shape[-1])
        scaled = np.concatenate([scaled, np.ones(ones)], axis=-2)
        error = np.concatenate([np.broadcast_to(error, (*scaled.shape[:-2], scaled.shape[-2] - 1, ones[-1])),
                                np.zeros(ones)], axis=-2)  # fmt: skip
    return Equations(scaled, np.broadcast_to(error, scaled.shape), centre, first + second)


def equilibrate(equations: Equations, *, balanced: bool = False) -> Equilibrated:
    """Scale columns as well, and weigh equations by their certainty, all by powers of two.

    Parameters
    ----------
    equations : Equations
        Or a stack of them.
    balanced : bool
        Whether to bring the largest and the smallest entries of each row and column together first: needed where one
        equation holds numbers of very different size.

    Notes
    -----
    No decision depends on either scaling in exact arithmetic; the approximate inverse that proves it is better for it.
    """
    matrix, uncertainty = equations.matrix, equations.uncertainty
    first, columns = _balance(matrix) if balanced else (0, _unit(np.abs(matrix).max(axis=-2, keepdims=True)))
    matrix, uncertainty = (np.ldexp(np.ldexp(part, first), columns) for part in (matrix, uncertainty))
    size = np.abs(matrix).max(axis=-1, keepdims=True)
    doubt = uncertainty.max(axis=-1, keepdims=True) / np.where(size > 0, size, 1.0)
    doubt = np.clip(doubt / (matrix.shape[-1] * UNIT), 1.0, _FULLY_WEIGHTED)
    rows = _unit(size * doubt)
    matrix, uncertainty = np.ldexp(matrix, rows), np.ldexp(uncertainty, rows)
    again = _unit(np.abs(matrix).max(axis=-2, keepdims=True))
    return Equilibrated(np.ldexp(matrix, again), np.ldexp(uncertainty, again), rows + first, columns + again)


def _balance(matrix: FloatArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return exponents of rows and columns that bring the middle of each one's magnitudes to 1, by turns."""
    size = np.abs(matrix)
    some = size > 0
    magnitude = np.log2(np.where(some, size, 1.0))
    shifts = [np.zeros((*matrix.shape[:-1], 1)), np.zeros((*matrix.shape[:-2], 1, matrix.shape[-1]))]
    for sweep in range(_SWEEPS):
        axis = sweep % 2
        moved = magnitude + shifts[0] + shifts[1]
        most = np.where(some, moved, -_FAR).max(axis=-1 - axis, keepdims=True)
        least = np.where(some, moved, _FAR).min(axis=-1 - axis, keepdims=True)
        shifts[axis] = shifts[axis] - 0.5 * (most + least)  # zero where nothing is shown
    return np.rint(shifts[0]).astype(np.int32), np.rint(shifts[1]).astype(np.int32)


def _unit(size: FloatArray) -> NDArray[np.int32]:
    """Return the exponents that bring positive sizes into [1/2, 1)."""
    return np.asarray(-np.frexp(np.where(size > 0, size, 0.5))[1])


def contracts(inverse: FloatArray, matrix: FloatArray, uncertainty: FloatArray) -> BoolArray:
    """Tell for which stacks ``X A`` is nonsingular for every A within the uncertainty.

    Parameters
    ----------
    inverse : numpy.ndarray, shape (..., N, E)
        X, an approximate left inverse of A, of any origin.
    matrix, uncertainty : numpy.ndarray, shape (..., E, N)
        A and its bound.

    Returns
    -------
    numpy.ndarray of bool, shape (...)
        True is a proof that the columns of A are independent; False says nothing.
    """
    return np.asarray(contraction(inverse, matrix, uncertainty)[0] < _CONTRACTS)


def contraction(inverse: FloatArray, matrix: FloatArray, uncertainty: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bound ``|X A* - I| w <= theta w`` for a positive vector w, for every A* within the uncertainty of A.

    Parameters
    ----------
    inverse, matrix, uncertainty : numpy.ndarray
        As for `contracts`.

    Returns
    -------
    theta : numpy.ndarray, shape (...)
        NaN or infinite where nothing is known.
    vector : numpy.ndarray, shape (..., N, 1)
        w.

    Notes
    -----
    With ``E = |X A - I| + |X| (U + gamma_m |A|)``, a bound on ``|X A* - I|`` for every A* in question, a positive
    vector w with ``E w < w`` bounds the spectral radius of ``X A* - I`` below one (Collatz and Wielandt). The vector
    starts as ones and takes two steps of the power method, so the proof does not depend on the scaling of columns.
    """
    n_equations, n_unknowns = matrix.shape[-2:]
    size, whole = np.abs(inverse), np.abs(matrix)
    product = inverse @ matrix
    product[..., range(n_unknowns), range(n_unknowns)] -= 1.0
    np.abs(product, out=product)
    vector = np.ones((*matrix.shape[:-2], n_unknowns, 1))
    best, chosen = np.full(matrix.shape[:-2], np.inf), vector
    slack = rounding(n_equations + 4)
    # The bound is itself evaluated in floats: two products of nonnegative numbers, so relatively to a few n u.
    margin = 1.0 + rounding(n_equations + 2 * n_unknowns + 16)
    for _ in range(3):
        spread = uncertainty @ vector + slack * (whole @ vector)
        image = margin * (product @ vector + size @ spread + slack * vector) + (n_equations + n_unknowns) * TINY
        ratio = (image / vector).max(axis=(-2, -1))
        better = ratio < best  # false where a number is not finite
        best = np.where(better, ratio, best)
        chosen = np.where(better[..., None, None], vector, chosen)
        if (best < _SMALL_ENOUGH).all() or not np.isfinite(ratio).any():
            break
        image = image / image.max(axis=-2, keepdims=True)
        vector = np.where(np.isfinite(image), np.maximum(image, 1e-30), 1.0)
    return np.asarray(best), np.asarray(chosen)


def solution_error(inverse: FloatArray, matrix: FloatArray, uncertainty: FloatArray, missed: FloatArray) -> FloatArray:
    """Bound ``|x|`` for all x with ``|A* x| <= missed``, for every A* within the uncertainty of A.

    Parameters
    ----------
    inverse, matrix, uncertainty : numpy.ndarray
        As for `contracts`.
    missed : numpy.ndarray, shape (..., E, R)
        Bounds for R vectors.

    Returns
    -------
    numpy.ndarray, shape (..., N, R)
        Infinite where the columns are not proved to be independent.

    Notes
    -----
    ``x = X A* x - (X A* - I) x``, so ``|x| <= g + E |x|`` with ``g = |X| missed``; with w and theta of `contraction`
    that is at most ``g + w theta / (1 - theta) max(g / w)``.

    Examples
    --------
    >>> solution_error(np.eye(2), np.eye(2), np.zeros((2, 2)), np.array([[0.5], [0.25]])).round(9)
    array([[0.5 ],
           [0.25]])
    """
    theta, vector = contraction(inverse, matrix, uncertainty)
    proved = (theta < _CONTRACTS)[..., None, None]
    reach = (1.0 + rounding(2 * sum(matrix.shape[-2:]) + 16)) * (np.abs(inverse) @ missed) + TINY
    share = np.where(proved, 1.01 * theta[..., None, None] / (1.0 - np.where(proved, theta[..., None, None], 0.0)), 0.0)
    return np.where(proved, reach + share * vector * (reach / vector).max(axis=-2, keepdims=True), np.inf)


def left_inverse(matrices: FloatArray) -> FloatArray:
    """Return pseudo-inverses (..., N, E) of stacks (..., E, N), with no cut at small singular values."""
    left, singular, right = np.linalg.svd(matrices, full_matrices=False)
    reciprocal = np.divide(1.0, singular, out=np.zeros_like(singular), where=singular > TINY)
    return np.asarray(np.swapaxes(right, -1, -2) @ (reciprocal[..., :, None] * np.swapaxes(left, -1, -2)))


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
