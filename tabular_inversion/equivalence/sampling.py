"""Hit and run: a random walk inside many polytopes at once, whose stationary law is uniform on each."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.equivalence.nearest import nearest_points
from tabular_inversion.equivalence.polytopes import Polytopes

_BURN_IN = 10
"""Multiples of the thinning that pass before the first sample."""

_CENTRAL = 1e-3
"""The barrier that keeps the start away from all sides: each entry is then about this size or larger, where it can."""


def hit_and_run(polytopes: Polytopes, n_samples: int, thinning: int, rng: np.random.Generator) -> FloatArray:
    """Return points of each polytope, shape (n_samples, R, N).

    Each step draws a direction and moves to a uniform point of the chord through the present point. The directions
    are those of an ellipsoid fitted to the starting point, the same throughout: that keeps the walk reversible with
    respect to the uniform distribution, and lets it use the whole width of thin polytopes.

    Parameters
    ----------
    polytopes : Polytopes
        Bounded, each on the smallest face that holds it.
    n_samples : int
        How many points.
    thinning : int
        Steps between two of them.
    rng : numpy.random.Generator
        Draws directions and places.
    """
    moves = np.flatnonzero(polytopes.dimension > 0)
    moving = polytopes.select(moves)
    equations = moving.equations[moving.face]
    point = nearest_points(moving, np.zeros(moving.members.shape), "euclidean", barrier=_CENTRAL)
    point = moving.onto_equations(point, np.arange(len(point)))
    axes = np.where(moving.kept[moving.face], point, 0.0)
    _, sigma, fixed = np.linalg.svd(equations * axes[:, None, :], full_matrices=False)
    fixed *= (np.arange(sigma.shape[1]) < moving.rank[moving.face][:, None])[:, :, None]
    samples = np.broadcast_to(polytopes.members, (n_samples, *polytopes.members.shape)).copy()
    for step in range((n_samples + _BURN_IN) * thinning if moves.size else 0):
        drawn = rng.standard_normal(point.shape)
        drawn -= _onto(fixed, drawn)
        direction = axes * drawn
        direction -= _onto(equations, direction)  # narrow axes amplify the rounding of the line before
        ahead, behind = _reach(point, direction), _reach(point, -direction)
        length = rng.random(len(point)) * (ahead + behind) - behind
        point = np.maximum(point + length[:, None] * direction, 0.0)
        number, rest = divmod(step + 1, thinning)
        if rest == 0 and number > _BURN_IN:
            samples[number - _BURN_IN - 1, moves] = point
    return samples


def _onto(rows: FloatArray, vectors: FloatArray) -> FloatArray:
    """Project vectors (R, N) onto the span of orthonormal rows (R, E, N)."""
    return np.asarray(np.einsum("ren,re->rn", rows, np.einsum("ren,rn->re", rows, vectors)))


def _reach(point: FloatArray, direction: FloatArray) -> FloatArray:
    """Return how far each row can go along a direction before an entry is 0, shape (R,)."""
    falls = direction < 0
    ratio = np.where(falls, point / np.where(falls, -direction, 1.0), np.inf)
    farthest = ratio.min(axis=1)
    return np.where(np.isfinite(farthest), farthest, 0.0)
