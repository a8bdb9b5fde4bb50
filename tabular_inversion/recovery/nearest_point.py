"""The distribution nearest to a prior among those with given values, for many rows at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.recovery.affine_system import AffineSystem, apply, own, solve_stack, transposed
from tabular_inversion.recovery.spectrum import EPSILON

_CHUNK = 2**21
"""Numbers in one work array of a chunk of rows, 16 MB."""
_ITERATIONS = 100
_PROXIMAL = (1e-5, 1e-11)
"""Weight of the proximal term at first, and the least it falls to (by a factor 10 at each outer step)."""
_LEAST_WEIGHT = 1e-4
"""Of a coordinate in the proximal term, relative to the most uncertain one; keeps the Newton matrix regular."""
_PATIENCE = 15
_HALVINGS = 12
_ASTRAY = 1e-3
"""Misfit above which an unfinished iterate says nothing about the nearest point."""


def nearest_with_same_values(system: AffineSystem, fitted: FloatArray, prior: FloatArray) -> FloatArray:
    """Return the point nearest (Euclidean) to the prior in ``{p >= 0 : V^T p = V^T p'}``, for each row.

    Parameters
    ----------
    system : AffineSystem
        Whose `basis` is V, for all rows, or one for each: the set is the value-equivalence class of p'.
    fitted : numpy.ndarray, shape (R, n)
        A distribution p' for each row.
    prior : numpy.ndarray, shape (R, n)
        The prior p0.

    Returns
    -------
    numpy.ndarray, shape (R, n)
        With the values of `fitted` to rounding. Where the set is thinner than floats resolve (weights of 1e-12 that
        are not quite zero), the point is as near to the prior as the iteration came, `fitted` itself at worst.

    Notes
    -----
    With ``c = V^T p'``, the point is ``max(0, p0 + V y)`` where y maximises the concave dual
    ``c.y - |max(0, p0 + V y)|^2 / 2``. Each iteration is a Newton step on the dual, whose gradient is piecewise
    linear, with a line search. Rows on a face of the simplex, the usual case, have a flat dual with far solutions:
    a proximal term keeps each step well posed (the method of multipliers), and it weighs the coordinates by their
    uncertainty, so that rounding in the ill-conditioned ones does not push the others about. The last step solves on
    the support found, which removes the rounding of a large y.
    """
    coordinates = apply(transposed(system.basis), fitted)
    points = np.empty(prior.shape)
    chunk = max(1, _CHUNK // system.basis[0].size)
    for start in range(0, len(prior), chunk):
        part = np.arange(start, min(start + chunk, len(prior)))
        points[part], reached = _search(system.select(part), coordinates[part], prior[part])
        for row in part[~reached]:
            basis = own(system.basis, np.array([row]))[0]
            points[row] = _fit(basis, coordinates[row], points[row], fitted[row])
    return points


def _fit(basis: FloatArray, coordinates: FloatArray, point: FloatArray, fitted: FloatArray) -> FloatArray:
    """Move an unfinished point as little as needed to fit c, and on towards `fitted`, which does, until it is >= 0."""
    if np.abs(basis.T @ point - coordinates).max() > _ASTRAY:
        return fitted
    free = (point > 0.0) | (fitted > 0.0)
    while True:
        moved = np.where(free, point, 0.0)
        moved[free] += np.linalg.lstsq(basis[free].T, coordinates - basis.T @ moved, rcond=None)[0]
        lost = (moved < 0.0) & (fitted <= 0.0)
        if not lost.any():
            break
        free &= ~lost
    below = moved < 0.0
    share = float((moved[below] / (moved[below] - fitted[below])).max(initial=0.0))
    mixed: FloatArray = fitted if share > 0.5 else np.maximum(moved + share * (fitted - moved), 0.0)
    return mixed


@dataclass
class _Dual:
    """Where the rows that are still under way stand.

    Attributes
    ----------
    row : numpy.ndarray of int, shape (b,)
        Their numbers in the chunk.
    multipliers, anchor : numpy.ndarray, shape (b, d + 1)
        y, and the y at which the proximal term is zero.
    proximal : numpy.ndarray, shape (b,)
        The weight of the proximal term.
    coordinates, tolerance, weights : numpy.ndarray, shape (b, d + 1)
        c, its rounding error, and that error relative to the largest.
    prior : numpy.ndarray, shape (b, n)
        p0.
    """

    row: IntArray
    multipliers: FloatArray
    anchor: FloatArray
    proximal: FloatArray
    coordinates: FloatArray
    tolerance: FloatArray
    weights: FloatArray
    prior: FloatArray

    @property
    def penalty(self) -> FloatArray:
        """The diagonal of the proximal term, shape (b, d + 1)."""
        return self.proximal[:, None] * self.weights

    def keep(self, mask: BoolArray | IntArray) -> _Dual:
        """Return the rows under this mask."""
        return _Dual(*(getattr(self, field.name)[mask] for field in fields(self)))


def _start(system: AffineSystem, coordinates: FloatArray, prior: FloatArray) -> _Dual:
    tolerance = np.broadcast_to(system.uncertainty(), coordinates.shape)
    multipliers = coordinates - apply(transposed(system.basis), prior)
    weights = np.maximum(tolerance / tolerance.max(axis=1, keepdims=True), _LEAST_WEIGHT)
    proximal = np.full(len(prior), _PROXIMAL[0])
    rows = np.arange(len(prior))
    return _Dual(rows, multipliers, multipliers.copy(), proximal, coordinates, tolerance, weights, prior)


def _search(system: AffineSystem, coordinates: FloatArray, prior: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the nearest points of a chunk of rows, and which were reached."""
    points, reached = np.empty(prior.shape), np.zeros(len(prior), bool)
    dual = _start(system, coordinates, prior)
    for iteration in range(_ITERATIONS):
        basis = own(system.basis, dual.row)
        primal = dual.prior + apply(basis, dual.multipliers)
        gap = apply(transposed(basis), np.maximum(primal, 0.0)) - dual.coordinates
        # The multipliers may be large: what they round off is mended by the polish, or the row goes on.
        floor = dual.tolerance + 4.0 * EPSILON * np.maximum(1.0, np.abs(primal).max(axis=1, keepdims=True))
        near = np.flatnonzero((np.abs(gap) <= floor).all(axis=1))
        points[dual.row] = np.maximum(primal, 0.0)
        points[dual.row[near]], exact = _polish(own(basis, near), dual.keep(near), points[dual.row[near]])
        reached[dual.row[near[exact]]] = True
        going = np.flatnonzero(~reached[dual.row])
        if not len(going):
            break
        dual, primal, gap, floor, basis = dual.keep(going), primal[going], gap[going], floor[going], own(basis, going)
        _move_anchor(dual, gap, floor, force=iteration % _PATIENCE == _PATIENCE - 1)
        _newton_step(basis, dual, primal, gap)
    return points, reached


def _move_anchor(dual: _Dual, gap: FloatArray, floor: FloatArray, *, force: bool) -> None:
    """Move the anchor of the proximal term to y where the present subproblem is solved well enough, in place."""
    pull = dual.penalty * (dual.multipliers - dual.anchor)
    accuracy = np.maximum(0.1 * np.abs(pull).max(axis=1, keepdims=True), floor)
    solved = (np.abs(gap + pull) <= accuracy).all(axis=1) | force
    dual.anchor[solved] = dual.multipliers[solved]
    dual.proximal[solved] = np.maximum(0.1 * dual.proximal[solved], _PROXIMAL[1])


def _curvature(basis: FloatArray, positive: BoolArray, diagonal: FloatArray) -> FloatArray:
    """Return V^T D V plus a diagonal, where D selects the positive entries, shape (b, d + 1, d + 1)."""
    matrix: FloatArray = np.matmul(transposed(basis) * positive[:, None, :], basis)
    matrix[:, range(matrix.shape[1]), range(matrix.shape[1])] += diagonal
    return matrix


def _newton_step(basis: FloatArray, dual: _Dual, primal: FloatArray, gap: FloatArray) -> None:
    """Take a Newton step on the proximal dual, cut back where it overshoots, in place."""
    pull = dual.penalty * (dual.multipliers - dual.anchor)
    curvature = _curvature(basis, primal > 0.0, dual.penalty)
    step = -solve_stack(curvature, gap + pull)
    along = apply(basis, step)
    constant = ((pull - dual.coordinates) * step).sum(axis=1)
    linear = (dual.penalty * step**2).sum(axis=1)

    def slope(length: FloatArray, rows: IntArray) -> FloatArray:
        """Return the derivative of the proximal dual along the step: it rises with the length."""
        moved = np.maximum(primal[rows] + length[:, None] * along[rows], 0.0)
        result: FloatArray = (moved * along[rows]).sum(axis=1) + constant[rows] + length * linear[rows]
        return result

    everyone, length = np.arange(len(dual.row)), np.ones(len(dual.row))
    over = np.flatnonzero(slope(length, everyone) > 0.5 * np.abs(slope(0.0 * length, everyone)))
    low, high = np.zeros(len(over)), np.ones(len(over))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        rising = slope(middle, over) > 0.0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    length[over] = 0.5 * (low + high)
    dual.multipliers += length[:, None] * step


def _polish(basis: FloatArray, dual: _Dual, points: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Solve ``V^T p = c`` once more on the support found, without going through y, and tell whether p fits c."""
    if not len(points):
        return points, np.zeros(0, bool)
    gap = apply(transposed(basis), points) - dual.coordinates
    curvature = _curvature(basis, points > 0.0, _PROXIMAL[1] * dual.weights)
    change = apply(basis, solve_stack(curvature, gap))
    polished = np.maximum(points - change * (points > 0.0), 0.0)
    left = np.abs(apply(transposed(basis), polished) - dual.coordinates)
    fits: BoolArray = np.asarray((left <= 2.0 * dual.tolerance).all(axis=1))
    return np.asarray(polished, dtype=np.float64), fits
