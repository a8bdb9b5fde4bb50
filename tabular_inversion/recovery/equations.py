"""Equations centred and scaled without a rounding that is not accounted for: single systems and stacks alike.

A distribution sums to one, so a constant may be subtracted from an equation: it is the median of the row, which is an
entry of it, and what the subtraction rounds off is known exactly (Knuth's two-sum). Scaling is by powers of two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, FloatArray

UNIT = float(np.finfo(np.float64).eps) / 2.0
"""u, the unit roundoff."""

TINY = float(np.finfo(np.float64).tiny)
"""Added wherever a product may have underflowed: relative bounds say nothing there."""

_BLOCK = 2**15
"""Numbers that are looked at together: 256 kB."""

_SWEEPS = 8
"""Turns of scaling rows and columns."""

_FAR = 1e5
"""Beyond the logarithm of every float, and of every one after scaling."""

_EVEN = 3
"""Rows and columns whose sizes are within so many powers of two of each other are left as they are."""

_PRODUCTS = 1000
"""Powers of two below this one are floats, and so are their reciprocals."""

CONTRACTS = 0.99
"""Bounds on a spectral radius up to this prove that it is below one."""

_HALF_UNIT = 2.0**-24
"""The unit roundoff of 32-bit floats."""

_MODERATE, _MODERATE_COUNT = 2.0**60, 2**16
"""Sizes of entries and numbers of equations up to which sums of products of 32-bit floats neither overflow nor lose."""

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


def rescaled(
    array: FloatArray, exponents: NDArray[np.integer[Any]] | int, *, out: FloatArray | None = None
) -> FloatArray:
    """Return ``np.ldexp(array, exponents)``, or the array where these are zero: by products, as exact and faster."""
    most = np.abs(exponents).max(initial=0)
    if most == 0:
        return array
    if most < _PRODUCTS:
        return np.asarray(np.multiply(array, np.ldexp(1.0, exponents), out=out))
    return np.asarray(np.ldexp(array, exponents, out=out))


def largest(array: FloatArray, axis: int) -> FloatArray:
    """Return the largest sizes along an axis, which is kept; without an array of all sizes."""
    return np.asarray(np.maximum(array.max(axis=axis, keepdims=True), -array.min(axis=axis, keepdims=True)))


def least(array: FloatArray) -> float:
    """Return the least size of an entry, block by block: without an array of all sizes."""
    rows = array.reshape(-1, array.shape[-1])
    step = max(1, _BLOCK // array.shape[-1])
    return min((float(np.abs(rows[at : at + step]).min()) for at in range(0, len(rows), step)), default=np.inf)


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
    first = -np.frexp(largest(matrix, -1))[1]
    scaled = rescaled(matrix, first)
    error = rescaled(uncertainty, first)
    if least(scaled) < TINY:
        error = error + TINY * (rescaled(scaled, -first) != matrix)
    centre = np.zeros(first.shape)
    if sums_to_one:
        place = matrix.shape[-1] // 2
        middle = np.partition(scaled, place, axis=-1)[..., place, None]
        centre = rescaled(middle, -first)
        scaled, lost = subtract(scaled, middle)
        error = error + lost
        constant = (np.abs(scaled) <= error).all(axis=-1, keepdims=True)
        scaled, error = np.where(constant, 0.0, scaled), error + np.where(constant, np.abs(scaled), 0.0)
    second = -np.frexp(largest(scaled, -1))[1]
    scaled, error = rescaled(scaled, second), rescaled(error, second)
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
    first: Any = 0
    if balanced:
        first, columns = _balance(matrix)
    else:
        columns = _uneven(_unit(largest(matrix, -2)))
    matrix, uncertainty = (rescaled(rescaled(part, first), columns) for part in (matrix, uncertainty))
    size = largest(matrix, -1)
    doubt = uncertainty.max(axis=-1, keepdims=True) / np.where(size > 0, size, 1.0)
    doubt = np.clip(doubt / (matrix.shape[-1] * UNIT), 1.0, _FULLY_WEIGHTED)
    rows = _unit(size * doubt)
    middle = (rows.max(axis=-2, keepdims=True) + rows.min(axis=-2, keepdims=True)) // 2
    rows = _uneven(rows - middle)
    matrix, uncertainty = rescaled(matrix, rows), rescaled(uncertainty, rows)
    again = _uneven(_unit(largest(matrix, -2)))
    return Equilibrated(rescaled(matrix, again), rescaled(uncertainty, again), rows + first, columns + again)


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


def _uneven(exponents: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the exponents, or zeros where scaling by them would hardly help: two large arrays fewer are made."""
    return exponents if np.abs(exponents).max() > _EVEN else np.zeros_like(exponents)


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
    return np.asarray(contraction(inverse, matrix, uncertainty)[0] < CONTRACTS)


def contracts_at_half_precision(inverse: FloatArray, matrix: FloatArray, uncertainty: FloatArray) -> bool:
    """Prove what `contracts` does of one system, with the one large product in 32 bits: False says nothing.

    Notes
    -----
    Numbers are rounded to 24 bits first, so ``|X A - I|`` is that of the product but for ``gamma_(E + 4) |X| |A|`` in
    units of 32-bit rounding, and for underflow, which entries below 2^60 keep below 2^-60 in each product.
    """
    n_equations, n_unknowns = matrix.shape
    extremes = [inverse.max(), -inverse.min(), matrix.max(), -matrix.min()]
    if not (max(extremes) < _MODERATE and n_equations < _MODERATE_COUNT):
        return False
    left, right = inverse.astype(np.float32), matrix.astype(np.float32)
    product = left @ right
    product[range(n_unknowns), range(n_unknowns)] -= np.float32(1.0)
    unit = (n_equations + 4) * _HALF_UNIT
    slack = 1.01 * unit / (1.0 - unit) + rounding(n_equations + 4)
    # In place: sizes of the 24 bits are those of the numbers but for half a unit of each, which the slack covers twice.
    size, whole, product = (np.abs(part, out=part) for part in (left, right, product))
    vector = np.ones(n_unknowns)
    near = product.sum(axis=1, dtype=np.float64) * (1.0 + 4.0 * _HALF_UNIT)
    doubt = uncertainty @ vector + slack * (whole.sum(axis=1, dtype=np.float64))
    # Sums of products of 32-bit floats, all of one sign: relatively to the same slack; what is summed is rounded up.
    far = (size @ np.nextafter(doubt.astype(np.float32), np.float32(np.inf))).astype(np.float64)
    far = (1.0 + 2.0 * slack) * far + slack + n_equations * n_unknowns / _MODERATE
    bound = (1.0 + rounding(n_equations + 2 * n_unknowns + 16)) * (near + far)
    return bool((bound < CONTRACTS).all())


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
    proved = (theta < CONTRACTS)[..., None, None]
    reach = (1.0 + rounding(2 * sum(matrix.shape[-2:]) + 16)) * (np.abs(inverse) @ missed) + TINY
    share = np.where(proved, 1.01 * theta[..., None, None] / (1.0 - np.where(proved, theta[..., None, None], 0.0)), 0.0)
    return np.where(proved, reach + share * vector * (reach / vector).max(axis=-2, keepdims=True), np.inf)


def left_inverse(matrices: FloatArray) -> FloatArray:
    """Return pseudo-inverses (..., N, E) of stacks (..., E, N), with no cut at small singular values."""
    left, singular, right = np.linalg.svd(matrices, full_matrices=False)
    reciprocal = np.divide(1.0, singular, out=np.zeros_like(singular), where=singular > TINY)
    return np.asarray(np.swapaxes(right, -1, -2) @ (reciprocal[..., :, None] * np.swapaxes(left, -1, -2)))
