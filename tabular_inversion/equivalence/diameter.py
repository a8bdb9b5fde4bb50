"""The largest L1 distance of two points of a polytope, between a distance that is attained and a certified bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import LinearConstraint

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.highs import integer_program

SMALL = 16
"""Polytopes with up to this many entries get an integer program without being asked."""

_ROUNDS = 10
_CLOSED = 1e-7
_SMALL_LIMITS = {"node_limit": 5000, "time_limit": 600.0}
"""Of an integer program that nobody asked for: nodes, so that answers repeat; the time is for loops of HiGHS alone."""

Extremes = Callable[[IntArray, FloatArray], FloatArray]
"""``points = extremes(rows, weights)``: where each row (B,) makes its own weights (B, n) largest, (B, n)."""


def farthest_pairs(extremes: Extremes, first: FloatArray, second: FloatArray) -> FloatArray:
    """Return L1 distances that pairs of members have, shape (R,), by climbing from the pairs given (R, n).

    For fixed signs, ``s.(p - p')`` is largest at two vertices; their own signs can only raise it.
    """
    distance: FloatArray = np.abs(first - second).sum(axis=1)
    rows = np.arange(len(distance))
    signs = np.sign(first - second)
    for _ in range(_ROUNDS):
        gap = extremes(rows, signs) - extremes(rows, -signs)
        farther = np.abs(gap).sum(axis=1)
        better = farther > distance[rows] + _CLOSED
        distance[rows] = np.maximum(distance[rows], farther)
        rows, signs = rows[better], np.sign(gap[better])
        if not rows.size:
            break
    return distance


def close_gaps(
    polytopes: Polytopes, bounds: tuple[FloatArray, FloatArray], ends: tuple[FloatArray, FloatArray], seconds: float
) -> tuple[FloatArray, FloatArray]:
    """Narrow bounds on the L1 diameters by integer programs, one for each row whose gap is open.

    Parameters
    ----------
    polytopes : Polytopes
        R polytopes without free coordinates.
    bounds : tuple of numpy.ndarray, shape (R, N)
        Least and largest value at each place.
    ends : tuple of numpy.ndarray, shape (R,)
        Lower and upper bounds on the diameters.
    seconds : float
        The time for each row with more than 16 entries; 0 leaves those as they are.
    """
    lower, upper = ends[0].copy(), ends[1].copy()
    for row in np.flatnonzero(upper - lower > _CLOSED).tolist():
        small = int(polytopes.entries[polytopes.face[row]].sum()) <= SMALL
        limits = {"time_limit": seconds} if seconds > 0 else _SMALL_LIMITS if small else None
        if limits is not None:
            attained, bound = _integer_program(polytopes, row, bounds[1][row] - bounds[0][row], limits)
            lower[row], upper[row] = max(lower[row], attained), min(upper[row], bound)
    return lower, np.maximum(lower, upper)


def _integer_program(
    polytopes: Polytopes, row: int, width: FloatArray, limits: Mapping[str, float]
) -> tuple[float, float]:
    """Maximise ``2 sum d`` with d <= p - p' where a switch is on and d <= 0 where it is off.

    Since p - p' sums to zero over the entries, twice its positive part is the L1 distance.
    """
    face = polytopes.face[row]
    equations = polytopes.equations[face][: polytopes.rank[face]]
    values = equations @ polytopes.members[row]
    n = equations.shape[1]
    inside = polytopes.entries[face]
    width = np.where(inside, width, 0.0)
    eye, none, switch = np.eye(n)[inside], np.zeros(equations.shape), np.diag(width)[inside]
    constraints = [
        LinearConstraint(np.hstack([equations, none, none, none]), values, values),
        LinearConstraint(np.hstack([none, equations, none, none]), values, values),
        LinearConstraint(np.hstack([-eye, eye, eye, switch]), -np.inf, width[inside]),
        LinearConstraint(np.hstack([0.0 * eye, 0.0 * eye, eye, -switch]), -np.inf, 0.0),
    ]
    top = np.concatenate([np.tile(np.where(polytopes.kept[face], np.inf, 0.0), 2), width, np.ones(n)])
    found = integer_program(
        np.concatenate([np.zeros(2 * n), np.full(n, -2.0), np.zeros(n)]),
        integrality=np.repeat([0, 0, 0, 1], n), bounds=(np.zeros(4 * n), top), constraints=constraints,
        options={**limits, "mip_rel_gap": 1e-9},
    )  # fmt: skip
    bound = float("inf") if found.mip_dual_bound is None else -float(found.mip_dual_bound)
    if found.x is None:
        return 0.0, bound
    pair = np.where(inside, found.x[:n] - found.x[n : 2 * n], 0.0)
    return float(np.abs(pair).sum()), bound
