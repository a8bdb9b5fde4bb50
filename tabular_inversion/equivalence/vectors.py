"""Value-equivalence classes of `Unconstrained`: affine spaces, and slabs around them under noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.equivalence.diameter import farthest_pairs
from tabular_inversion.equivalence.interface import (
    DETERMINED,
    Interval,
    Norm,
    ValueEquivalence,
    check_norm,
)
from tabular_inversion.equivalence.nearest import Divergence, check_divergence, nearest_points
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.equivalence.programs import maximise
from tabular_inversion.errors import KernelClassError
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.equations import rounding
from tabular_inversion.recovery.linear_programs import Constraints, block_size, solve_blocks
from tabular_inversion.recovery.system import UNCERTAIN


@checked
@dataclass(frozen=True, eq=False, repr=False)
class VectorSets(ValueEquivalence):
    """{p : B p in a polytope} for each row, where the rows of B span those of M and the rest of p is free.

    Attributes
    ----------
    basis : numpy.ndarray, shape (rank, S)
        B, with orthonormal rows.
    polytopes : Polytopes
        The sets of B p: points where values are exact.
    constraints : Constraints
        What the values say of each p: what bounds are made of.
    shared : numpy.ndarray of int, shape (rows,)
        Which of them belongs to each available row.
    """

    basis: FloatArray
    polytopes: Polytopes
    constraints: Constraints
    shared: IntArray

    _remedy = "its members are any real vectors, without vertices or bounds in all directions; choose Stochastic()"

    @property
    def dimension(self) -> IntArray:
        """Affine dimension of each E(q), shape (S, A); see `ValueEquivalence`."""
        free = self.agent.n_states - len(self.basis)
        return np.asarray(self._place(self.polytopes.dimension[self.shared] + free, -1))

    def _bounds(self, rows: ArrayLike | None) -> Interval:
        asked = self._asked(rows)[:, :, None]
        lower, upper = self._function_bounds(np.eye(self.agent.n_states))
        ends = (self._place_rows(end[self.shared], np.nan) for end in (lower, upper))
        return Interval(*(np.where(asked, end, np.nan) for end in ends))

    def diameter(self, norm: Norm = "max", *, seconds: float = 0.0) -> Interval:  # noqa: ARG002
        """Return bounds on how far apart two members can be; see `ValueEquivalence`. Integer programs are not used."""
        check_norm(norm)
        lower, upper = self._function_bounds(np.eye(self.agent.n_states))
        width = upper - lower
        if norm == "max" or not np.isfinite(width).all():
            ends = (width.max(axis=1) if norm == "max" else width.sum(axis=1),) * 2
        else:
            ends = (self._farthest(width), width.sum(axis=1))
        least, largest = (self._place(end[self.shared], np.nan) for end in ends)
        return Interval(least, largest)

    def _farthest(self, width: FloatArray) -> FloatArray:
        def extremes(rows: IntArray, weights: FloatArray) -> FloatArray:
            full = np.concatenate([weights @ self.basis.T, np.zeros((len(rows), 2 * self.polytopes.n_loose))], axis=1)
            points = maximise(self.polytopes, rows, self.polytopes.gather(full, rows))
            return self._vectors(points, rows)

        rows = np.arange(len(width))
        widest = np.eye(self.agent.n_states)[width.argmax(axis=1)]
        return farthest_pairs(extremes, extremes(rows, widest), extremes(rows, -widest))

    def nearest(self, prior: ArrayLike, divergence: Divergence = "euclidean") -> FloatArray:
        """Return the member nearest to a prior in the Euclidean distance; see `ValueEquivalence`."""
        check_divergence(divergence)
        if divergence == "kl":
            raise KernelClassError(
                "the Kullback-Leibler divergence compares distributions, and rows of class 'unconstrained' are any "
                "vectors; choose Stochastic(), or divergence 'euclidean'."
            )
        given = np.broadcast_to(self._prior(prior), (len(self.shared), self.agent.n_states))
        polytopes, rows = self.polytopes.select(self.shared), np.arange(len(self.shared))
        seen = np.concatenate([given @ self.basis.T, np.zeros((len(rows), 2 * polytopes.n_loose))], axis=1)
        points = nearest_points(polytopes, polytopes.gather(seen, rows), "euclidean")
        unseen = given - given @ self.basis.T @ self.basis
        return self._place_rows(unseen + polytopes.scatter(points, rows)[:, : len(self.basis)] @ self.basis, 0.0)

    def functional_bounds(self, weights: ArrayLike) -> Interval:
        """Return the least and largest w.p, infinite where w is not determined up to noise."""
        functions = self._weights(weights)
        ends = (self._place(end[self.shared].T, np.nan) for end in self._function_bounds(functions))
        return Interval(*(end[0] if np.ndim(weights) == 1 else end for end in ends))

    def determined_functionals(self, weights: ArrayLike) -> BoolArray:
        """Tell which w.p have one value: w in the row space of M, and no noise (unless w = 0)."""
        functions = self._weights(weights)
        zero = ~functions.any(axis=1, keepdims=True)
        points = (self.polytopes.dimension == 0)[self.shared]
        known = zero | (self._held(functions)[:, None] & points)
        result = self._place(known, True)
        return np.asarray(result[0] if np.ndim(weights) == 1 else result)

    def _held(self, functions: FloatArray) -> BoolArray:
        """Tell which functions (F, S) lie in the row space of M, so that the values hold them."""
        size = np.abs(functions).max(axis=1, keepdims=True)
        unit = functions / np.where(size > 0, size, 1.0)
        outside = unit - unit @ self.basis.T @ self.basis
        return np.asarray(np.linalg.norm(outside, axis=1) <= DETERMINED)

    def _function_bounds(self, functions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends for each of the U sets and each function, shape (U, F)."""
        held = self._held(functions)
        lower = np.full((len(self.polytopes.face), len(functions)), -np.inf)
        upper = -lower
        if held.any():
            n_rows = len(lower)
            rows = np.repeat(np.arange(n_rows), int(held.sum()))
            wanted = np.tile(functions[held], (n_rows, 1))
            lower[:, held] = self._least(rows, wanted).reshape(n_rows, -1)
            upper[:, held] = -self._least(rows, -wanted).reshape(n_rows, -1)
        return lower, upper

    def _least(self, rows: IntArray, functions: FloatArray) -> FloatArray:
        """Bound w.p from below by ``y.middle - |y|.half_width``, for multipliers y with ``y.tests = w``.

        They are unique where the tests are independent; elsewhere a linear program chooses the best. What they leave
        of w weighs as much as p can be large in the row space.
        """
        tests, middle, half, _ = self.constraints
        inverse = np.linalg.pinv(tests, rcond=UNCERTAIN)
        y = functions @ inverse
        if len(tests) > len(self.basis) and self.is_noisy:
            y = self._best(rows, functions, y)
            y = y + (functions - y @ tests) @ inverse
        size, slack = np.abs(y), rounding(sum(tests.shape) + 8)
        reach = 2.0 * ((np.abs(middle) + half) @ np.abs(inverse).T)[rows]
        rest = np.abs(functions - y @ tests) + slack * (size @ np.abs(tests) + np.abs(functions))
        missed = (size * (half[rows] + slack * np.abs(middle[rows]))).sum(axis=1) + (rest * reach).sum(axis=1)
        return np.asarray((y * middle[rows]).sum(axis=1) - 1.01 * missed + 0.01 * (size * half[rows]).sum(axis=1))

    def _best(self, rows: IntArray, functions: FloatArray, start: FloatArray) -> FloatArray:
        """Return the multipliers of linear programs over B p and what each test is missed by; `start` where none."""
        tests, middle, half, _ = self.constraints
        k, rank = len(tests), len(self.basis)
        seen = functions @ self.basis.T
        size = np.abs(seen).max(axis=1, keepdims=True)
        costs = np.concatenate([seen / np.where(size > 0, size, 1.0), np.zeros((len(rows), k))], axis=1)
        equations = np.concatenate([tests @ self.basis.T, np.eye(k)], axis=1)
        result, block = start.copy(), block_size(rank + k)
        for begin in range(0, len(rows), block):
            part = slice(begin, begin + block)
            free = np.full((len(rows[part]), rank), np.inf)
            found = solve_blocks(
                costs[part],
                np.broadcast_to(equations, (len(free), *equations.shape)),
                middle[rows[part]],
                np.concatenate([-free, -half[rows[part]]], axis=1),
                np.concatenate([free, half[rows[part]]], axis=1),
            )
            result[part] = np.where(found.solved[:, None], found.multipliers * size[part], result[part])
        return result

    def _vectors(self, points: FloatArray, rows: IntArray) -> FloatArray:
        """Return the shortest p with these B p, shape (B, S)."""
        return self.polytopes.scatter(points, rows)[:, : len(self.basis)] @ self.basis
