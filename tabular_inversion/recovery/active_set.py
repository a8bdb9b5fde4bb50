"""Least squares over the simplex for many rows at once, by a primal active-set method."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.optimize import nnls

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import ConvergenceError
from tabular_inversion.recovery.affine_system import AffineSystem, apply, own, solve_stack, transposed
from tabular_inversion.recovery.spectrum import EPSILON

_CHUNK = 2**21
"""Numbers in one work array of a chunk of rows, 16 MB."""
_RESOLVED = 6e-8
"""Smallest misfit that is not zero for which slopes of rounding size prove a minimum: four times sqrt(eps)."""
_UNEVEN = 64.0
"""Slopes of the columns taken in that differ by more units of rounding show a system too ill conditioned to solve."""


def simplex_active_set(system: AffineSystem, targets: FloatArray) -> FloatArray:
    """Minimise ``|L p - t|`` (2-norm) over the simplex for each row.

    Parameters
    ----------
    system : AffineSystem
        L for all rows, or one for each.
    targets : numpy.ndarray, shape (R, k)
        t, the values less the centre.

    Returns
    -------
    numpy.ndarray, shape (R, n)
        A minimiser for each row; its positive entries belong to affinely independent columns.

    Raises
    ------
    ConvergenceError
        If neither the batched method nor `scipy.optimize.nnls` settles a row.

    Notes
    -----
    Wolfe's method: from the nearest column, take in the column along which the residual falls fastest, move to the
    minimiser on the affine hull of those taken in, and let go of a column whose weight reaches zero on the way. The
    residual falls at every step, so no set of columns comes back. All rows step together, and each step solves one
    stack of small systems. Rows that rounding keeps from settling are left to `scipy.optimize.nnls`.
    """
    rows = np.empty((len(targets), system.n_states))
    gram = np.matmul(transposed(system.columns), system.columns)
    chunk = max(1, _CHUNK // (system.n_states if system.is_shared else system.columns[0].size))
    for start in range(0, len(targets), chunk):
        part = np.arange(start, min(start + chunk, len(targets)))
        rows[part], settled = _search(own(system.columns, part), own(gram, part), targets[part])
        for row in part[~settled]:
            rows[row] = nonnegative_least_squares(own(system.columns, np.array([row]))[0], targets[row])
    return rows


def nonnegative_least_squares(columns: FloatArray, target: FloatArray) -> FloatArray:
    """Minimise ``|L p - t|`` over the simplex for one row by `scipy.optimize.nnls`.

    Parameters
    ----------
    columns : numpy.ndarray, shape (k, n)
        L.
    target : numpy.ndarray, shape (k,)
        t.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    ConvergenceError
        If scipy reaches its limit of iterations.

    Notes
    -----
    On the simplex ``|L p - t| = |(L - t 1^T) p|``. Let y >= 0 minimise ``|(L - t 1^T) y|^2 + (1.y - 1)^2``. On the
    ray through p the least value is ``r^2 / (1 + r^2)`` with r = |L p - t|, which grows with r: so ``y / sum(y)``
    is the minimiser over the simplex.
    """
    k, n = columns.shape
    system = np.concatenate([columns - target[:, None], np.ones((1, n))])
    try:
        solution, _ = nnls(system, np.append(np.zeros(k), 1.0))
    except RuntimeError as problem:
        raise ConvergenceError(
            f"least squares over the simplex with {n} unknowns and {k} goals did not converge ({problem}); "
            "check the values for entries of very different size."
        ) from problem
    result: FloatArray = solution / solution.sum()
    return result


@dataclass
class _Walk:
    """Where the rows that are still under way stand.

    Attributes
    ----------
    row : numpy.ndarray of int, shape (b,)
        Their numbers in the chunk.
    weights : numpy.ndarray, shape (b, n)
        The present point of the simplex.
    free : numpy.ndarray of bool, shape (b, n)
        The columns taken in.
    refused : numpy.ndarray of bool, shape (b, n)
        Columns that only rounding made look useful at the present point.
    fitted : numpy.ndarray of bool, shape (b,)
        Whether the point is the minimiser on the affine hull of the columns taken in.
    """

    row: IntArray
    weights: FloatArray
    free: BoolArray
    refused: BoolArray
    fitted: BoolArray

    def keep(self, mask: BoolArray) -> _Walk:
        """Return the rows under this mask."""
        return _Walk(*(getattr(self, field.name)[mask] for field in fields(self)))


def _search(columns: FloatArray, gram: FloatArray, targets: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the minimisers of a chunk of rows, and which rows settled."""
    n_rows, n = len(targets), gram.shape[2]
    result, settled = np.empty((n_rows, n)), np.zeros(n_rows, bool)
    squares = np.diagonal(gram, axis1=1, axis2=2)
    size = np.broadcast_to(np.sqrt(squares.max(axis=1)), n_rows)
    rounding = EPSILON * (size + np.abs(targets).max(axis=1))
    weights = np.zeros((n_rows, n))
    nearest = (squares - 2.0 * apply(transposed(columns), targets)).argmin(axis=1)
    weights[np.arange(n_rows), nearest] = 1.0
    walk = _Walk(np.arange(n_rows), weights, weights > 0, np.zeros((n_rows, n), bool), np.ones(n_rows, bool))
    for _ in range(3 * n + 10):
        misfit = targets[walk.row] - apply(own(columns, walk.row), walk.weights)
        slope = apply(transposed(own(columns, walk.row)), misfit)
        gain = slope - (slope * walk.weights).sum(axis=1, keepdims=True)
        uneven = np.abs(np.where(walk.free, gain, 0.0)).max(axis=1)
        gain[walk.free] = -np.inf
        most = gain.max(axis=1)
        gain[walk.refused] = -np.inf
        left, unit = np.linalg.norm(misfit, axis=1), rounding[walk.row]
        tolerance, perfect = size[walk.row] * unit, left <= 4.0 * (unit + EPSILON * np.sqrt(misfit.shape[1]))
        done = walk.fitted & ((gain.max(axis=1) <= tolerance) | perfect)
        # The gain still to be had is the square of a small misfit, and the Gram matrix squares what it resolves.
        clear = (left > _RESOLVED * size[walk.row]) & (most <= tolerance) & (uneven <= _UNEVEN * tolerance)
        result[walk.row[done]], settled[walk.row[done]] = walk.weights[done], (clear | perfect)[done]
        walk, slope, entering = walk.keep(~done), slope[~done], gain[~done].argmax(axis=1)
        if not len(walk.row):
            break
        walk.free[walk.fitted, entering[walk.fitted]] = True
        best = _minimiser(own(columns, walk.row), own(gram, walk.row), targets[walk.row], walk, slope)
        _advance(walk, best, entering)
    return result, settled


def _minimiser(
    columns: FloatArray, gram: FloatArray, targets: FloatArray, walk: _Walk, slope: FloatArray
) -> FloatArray:
    """Return the minimiser on the affine hull of the free columns, shape (b, n).

    The Gram matrix squares the condition number: so it gets a ridge of rounding size, which keeps it regular, and a
    step of refinement follows with the residual of L itself. The slope is that at the present point.
    """
    count = walk.free.sum(axis=1)
    row, column = np.nonzero(walk.free)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    index = np.zeros((len(count), count.max()), np.intp)
    index[row, place] = column
    used = np.arange(index.shape[1]) < count[:, None]
    size = index.shape[1]
    system = np.zeros((len(count), size + 1, size + 1))
    member = np.arange(len(gram))  # one Gram matrix for all, or one for each row
    block = gram[member[:, None, None], index[:, :, None], index[:, None, :]]
    system[:, :size, :size] = np.where(used[:, :, None] & used[:, None, :], block, 0.0)
    ridge = EPSILON * np.diagonal(gram, axis1=1, axis2=2).max(axis=1, keepdims=True)
    system[:, range(size), range(size)] += np.where(used, ridge, 1.0)
    system[:, :size, size] = system[:, size, :size] = used
    point = walk.weights.copy()
    for step in range(2):
        if step:
            slope = apply(transposed(columns), targets - apply(columns, point))
        right = np.concatenate(
            [np.take_along_axis(slope, index, axis=1) * used, 1.0 - point.sum(axis=1, keepdims=True)], axis=1
        )
        change = solve_stack(system, right)
        point[row, column] += change[row, place]
    return point


def _advance(walk: _Walk, best: FloatArray, entering: IntArray) -> None:
    """Go to the minimiser, or as far towards it as the simplex reaches, in place."""
    shrinking = walk.free & (best <= 0.0)
    inside = ~shrinking.any(axis=1)
    reach = np.full(best.shape, np.inf)
    np.divide(walk.weights, walk.weights - best, out=reach, where=shrinking & (walk.weights > 0.0))
    reach[shrinking & (walk.weights == 0.0)] = 0.0
    step = np.minimum(reach.min(axis=1), 1.0)
    walk.weights += step[:, None] * (best - walk.weights)
    outside = np.flatnonzero(~inside)
    walk.weights[outside, reach[outside].argmin(axis=1)] = 0.0
    np.maximum(walk.weights, 0.0, out=walk.weights)
    walk.free[outside] = walk.weights[outside] > 0.0
    stuck = ~inside & (step == 0.0)
    walk.refused[inside] = False
    walk.refused[stuck, entering[stuck]] = True
    walk.fitted[:] = inside | stuck
