"""The point of a polytope nearest to a prior, for many polytopes at once: a barrier method on the dual.

Where values are exact and the distance is Euclidean, `recovery.nearest_point` finds the nearest member to rounding: it
identifies the entries that are 0 and solves for the others. Neither intervals (noise), nor logarithms, nor a point
that keeps away from all sides (where a random walk starts) fit that method. This one takes them all, for a point that
is less sharp: an entry that is 0 with a zero multiplier comes out at 1e-8.

Minimise sum f_j(x_j) subject to A x = b, |T x - m| <= w and x >= 0 where signed. With a barrier of size mu for the
signs and the intervals, x depends on v = A'y + T'u alone, where (y, u) maximises a smooth concave dual:

    f = x log(x / t) - x + t     x = t exp(v)
    f = (x - t)^2 / 2, x >= 0    x = (z + sqrt(z^2 + 4 mu)) / 2   with z = t + v
    f = (x - t)^2 / 2            x = t + v                        (a coordinate without sign)
    an interval                  T x = m - w r / (mu + sqrt(mu^2 + r^2))  with r = u w

mu is lowered step by step. A Newton step factors one small matrix for each row; a step that overshoots along the
convex dual is halved.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.errors import ConvergenceError, InputError
from tabular_inversion.recovery.intervals import ROUNDING

Divergence = Literal["euclidean", "kl"]

NEAREST_TOLERANCE = 1e-11
"""Largest residual of the equations, in unit scale."""

LEAST_BARRIER = 1e-16
"""The mu at which the iteration ends: x_j is off by about mu over its multiplier, by 1e-8 where that is 0."""

_ITERATIONS = 400
_LOWER = 0.1
_HALVINGS = 60
_PROJECTIONS = 3
_RIDGE = 1e-14  # relative; keeps repeated tests from making the curvature singular
_CHUNK = 2**21


def check_divergence(divergence: str) -> None:
    """Raise `InputError` unless `divergence` names one that is known."""
    if divergence not in get_args(Divergence):
        raise InputError(f"divergence is {divergence!r}; expected 'euclidean' or 'kl'.")


def nearest_points(
    polytopes: Polytopes, targets: FloatArray, divergence: Divergence, *, barrier: float = LEAST_BARRIER
) -> FloatArray:
    """Return the nearest point of each polytope to its target.

    Parameters
    ----------
    polytopes : Polytopes
        Each on the smallest face that holds it.
    targets : numpy.ndarray, shape (R, N)
        Priors t at the entries; positive for "kl".
    divergence : {"euclidean", "kl"}
        Which f.
    barrier : float
        The last mu.

    Returns
    -------
    numpy.ndarray, shape (R, N)

    Raises
    ------
    ConvergenceError
        If a row misses the tolerance after 400 steps.
    """
    points = polytopes.members.copy()
    rows = np.flatnonzero(polytopes.dimension > 0)
    block = max(1, _CHUNK // max(1, polytopes.equations[0].size))
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        found = _Dual.of(polytopes, part, targets[part], divergence).solve(barrier)
        found = _complete(polytopes, part, found)
        # Large multipliers round: a few projections, onto the equations and back to x >= 0, take that out again.
        for _ in range(0 if polytopes.n_free else _PROJECTIONS):
            found = polytopes.onto_equations(found, part)
        points[part] = found
    return points


def _complete(polytopes: Polytopes, rows: IntArray, points: FloatArray) -> FloatArray:
    """Add what is left to the ends of the intervals to points that hold the entries only."""
    moved = polytopes.scatter(points, rows) - polytopes.scatter(polytopes.members[rows], rows)
    change = moved[:, : polytopes.n_entries] @ polytopes.loose_tests.T
    full = np.concatenate([np.zeros((len(rows), polytopes.n_entries)), change, -change], axis=1)
    entries = polytopes.entries[polytopes.face[rows]]
    return np.where(entries, points, np.maximum(polytopes.members[rows] + polytopes.gather(full, rows), 0.0))


@dataclass(frozen=True, eq=False)
class _Dual:
    """The dual of b rows: A above T in `equations`, b above m in `values`, 0 above w in `half_width`.

    Attributes
    ----------
    equations : numpy.ndarray, shape (b, E, N)
    values, half_width : numpy.ndarray, shape (b, E)
    targets : numpy.ndarray, shape (b, N)
    entries, signed : numpy.ndarray of bool, shape (b, N)
        Which places are unknowns, and which are at least 0.
    divergence : {"euclidean", "kl"}
    """

    equations: FloatArray
    values: FloatArray
    half_width: FloatArray
    targets: FloatArray
    entries: BoolArray
    signed: BoolArray
    divergence: Divergence

    @classmethod
    def of(cls, polytopes: Polytopes, rows: IntArray, targets: FloatArray, divergence: Divergence) -> _Dual:
        faces, n_loose = polytopes.face[rows], polytopes.n_loose
        entries, members = polytopes.entries[faces], polytopes.members[rows]
        if n_loose == 0:
            equations = polytopes.equations[faces]
            values = np.einsum("ben,bn->be", equations, members)
            width = np.zeros(values.shape)
        else:
            n_exact = polytopes.n_exact
            padded = np.concatenate([polytopes.matrix[: n_exact + n_loose], np.zeros((n_exact + n_loose, 1))], axis=1)
            equations = np.moveaxis(padded[:, polytopes.columns[faces]], 0, 1) * entries[:, None, :]
            left = polytopes.scatter(members, rows)[:, polytopes.n_entries :]
            kept = polytopes.scatter(polytopes.kept[faces].astype(float), rows)[:, polytopes.n_entries :] > 0
            below, above = left[:, :n_loose], left[:, n_loose:]
            both = kept[:, :n_loose] & kept[:, n_loose:]  # an interval that is always at one end is an equation
            none = np.zeros((len(rows), n_exact))
            width = np.concatenate([none, np.where(both, below + above, 0.0) / 2.0], axis=1)
            shift = np.concatenate([none, np.where(both, above - below, 0.0) / 2.0], axis=1)
            values = np.einsum("ben,bn->be", equations, members) + shift
        return cls(equations, values, width, targets, entries, polytopes.signed[faces] & entries, divergence)

    def respond(self, v: FloatArray, u: FloatArray, barrier: FloatArray) -> tuple[FloatArray, ...]:
        """Return x and dx/dv, then the distance of each test from its middle and its rate."""
        with np.errstate(over="ignore"):  # a far step, or an interval so wide that it says nothing
            if self.divergence == "kl":
                x = rate = np.where(self.entries, self.targets * np.exp(v), 0.0)
            else:
                z = self.targets + v
                root = np.sqrt(z * z + 4.0 * barrier)
                smooth = np.where(z > 0, (z + root) / 2.0, 2.0 * barrier / (root - np.minimum(z, 0.0)))
                x = np.where(self.signed, smooth, np.where(self.entries, z, 0.0))
                rate = np.where(self.signed, smooth / root, self.entries)
            pull = u * self.half_width
            root = np.hypot(barrier, pull)
            off = self.half_width * (pull / (barrier + root))
            return x, rate, off, (self.half_width / root) * (self.half_width * barrier / (barrier + root))

    def select(self, rows: IntArray | BoolArray) -> _Dual:
        """Return the dual of some of the rows."""
        names = [field.name for field in fields(self) if field.name != "divergence"]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def solve(self, last: float) -> FloatArray:
        """Lower mu from 1 to `last` for each row and return the last x."""
        result = np.empty(self.targets.shape)
        rows, dual, y, barrier = np.arange(len(result)), self, np.zeros(self.values.shape), np.ones((len(result), 1))
        for _ in range(_ITERATIONS):
            v = np.einsum("ben,be->bn", dual.equations, y)
            x, rate, off, off_rate = dual.respond(v, y, barrier)
            gap = dual.values - np.einsum("ben,bn->be", dual.equations, x) - off
            worst = np.abs(gap).max(axis=1, keepdims=True)
            # v is a sum whose terms may be large and cancel; x cannot be better than their rounding.
            terms = np.einsum("ben,be->bn", np.abs(dual.equations), np.abs(y))
            floor = NEAREST_TOLERANCE + ROUNDING * terms.max(axis=1, keepdims=True)
            solved = worst <= np.maximum(floor, _LOWER * barrier * (barrier > last))
            done = (solved & (barrier <= last)).ravel()
            result[rows[done]] = x[done]
            if done.all():
                return result
            # A row that is ready for a smaller mu steps from its new residual in the next iteration.
            step = np.where(solved, 0.0, dual.newton_step(v, y, gap, rate, off_rate, barrier))
            barrier = np.where(solved, np.maximum(_LOWER * barrier, last), barrier)
            rows, dual, y, barrier = rows[~done], dual.select(~done), (y + step)[~done], barrier[~done]
        raise ConvergenceError(
            f"the nearest points of {len(rows)} rows miss the tolerance {NEAREST_TOLERANCE} after {_ITERATIONS} "
            f"steps (worst {worst.max():.2e}); choose a prior that is not so far from every member."
        )

    def newton_step(
        self, v: FloatArray, y: FloatArray, gap: FloatArray, rate: FloatArray, off_rate: FloatArray, barrier: FloatArray
    ) -> FloatArray:
        """Return the Newton step, cut back to where the convex dual no longer falls much beyond it."""
        curvature = np.matmul(self.equations * rate[:, None, :], np.moveaxis(self.equations, 1, 2))
        diagonal = range(curvature.shape[1])
        # To unit diagonal first: an interval far from both ends weighs up to 1 / mu times as much as an equation.
        size = np.sqrt(curvature[:, diagonal, diagonal] + off_rate)
        size = np.where(size > 0, size, 1.0)
        curvature = curvature / size[:, :, None] / size[:, None, :]
        curvature[:, diagonal, diagonal] = 1.0 + _RIDGE
        step = np.asarray(np.linalg.solve(curvature, (gap / size)[:, :, None])[:, :, 0] / size)
        along = np.einsum("ben,be->bn", self.equations, step)
        start, over = (gap * step).sum(axis=1), np.arange(len(step))
        for _ in range(_HALVINGS):
            ahead = self.select(over).slope(v[over], y[over], along[over], step[over], barrier[over])
            over = over[~(ahead >= -0.5 * start[over])]
            if not over.size:
                break
            along[over] *= 0.5
            step[over] *= 0.5
            start[over] *= 0.5
        return step

    def slope(
        self, v: FloatArray, y: FloatArray, along: FloatArray, step: FloatArray, barrier: FloatArray
    ) -> FloatArray:
        """Return how fast the dual falls at the end of a step, rounded upwards."""
        x, _, off, _ = self.respond(v + along, y + step, barrier)
        with np.errstate(invalid="ignore", over="ignore"):
            terms = np.concatenate([(self.values - off) * step, -x * along], axis=1)
            return np.asarray(terms.sum(axis=1) + ROUNDING * np.abs(terms).sum(axis=1))
