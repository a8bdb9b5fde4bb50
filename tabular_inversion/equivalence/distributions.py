"""Value-equivalence classes of `Stochastic` and `Supported`: a polytope for each row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.equivalence.construction import nearest_rows
from tabular_inversion.equivalence.diameter import close_gaps, farthest_pairs
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
from tabular_inversion.equivalence.proved_ends import ProvedEnds
from tabular_inversion.equivalence.sampling import hit_and_run
from tabular_inversion.equivalence.vertices import vertices_of
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.equations import rounding
from tabular_inversion.recovery.intervals import ROUNDING
from tabular_inversion.recovery.linear_programs import Constraints


@checked
@dataclass(frozen=True, eq=False, repr=False)
class DistributionSets(ValueEquivalence):
    """A polytope of distributions for each row; rows with the same support and values share it.

    Attributes
    ----------
    polytopes : Polytopes
        U different ones.
    constraints : Constraints
        What the values say of each: what bounds are proved from.
    shared : numpy.ndarray of int, shape (rows,)
        Which of them belongs to each available row.
    """

    polytopes: Polytopes
    constraints: Constraints
    shared: IntArray

    _remedy = "only Deterministic() has a finite list; use vertices or bounds"

    @property
    def dimension(self) -> IntArray:
        """Affine dimension of each E(q), shape (S, A); see `ValueEquivalence`."""
        return np.asarray(self._place(self.polytopes.dimension[self.shared], -1))

    @cached_property
    def _proved(self) -> ProvedEnds:
        return ProvedEnds(self.polytopes, self.constraints)

    @cached_property
    def _entry_bounds(self) -> tuple[FloatArray, FloatArray]:
        """The ends of each entry of each different row, at the places of the constraints, shape (U, N)."""
        return self._proved.entries()

    def _bounds(self, rows: ArrayLike | None) -> Interval:
        asked = self._asked(rows).ravel()[self.agent.row_index]
        different, where = np.unique(self.shared[asked], return_inverse=True)
        all_of_them = len(different) == len(self.constraints.columns)
        ends = self._entry_bounds if all_of_them else self._proved.select(different).entries()
        found = []
        for end in ends:
            placed = np.full((len(asked), self.agent.n_states), np.nan)
            placed[asked] = self._over_states(end, different)[where.ravel()]
            found.append(self._place_rows(placed, np.nan))
        return Interval(*found)

    def _over_states(self, ends: FloatArray, rows: IntArray | None = None) -> FloatArray:
        """Spread numbers at the places of the constraints over all states, shape (U, S)."""
        columns = self.constraints.columns if rows is None else self.constraints.columns[rows]
        full = np.zeros((len(ends), self.agent.n_states + 1))
        np.put_along_axis(full, columns, ends, axis=1)
        return full[:, :-1]

    def diameter(self, norm: Norm = "max", *, seconds: float = 0.0) -> Interval:
        """Return bounds on how far apart two members can be; see `ValueEquivalence`."""
        check_norm(norm)
        lower, upper = self._entry_bounds
        width = upper - lower
        if norm == "max":
            ends = (width.max(axis=1),) * 2
        else:
            # p and p' both hold at least the lower bounds, so they differ by twice the rest at most.
            most = np.minimum(width.sum(axis=1), 2.0 * np.maximum(1.0 - lower.sum(axis=1), 0.0))
            ends = self._l1_ends(most, seconds)
        least, largest = (self._place(end[self.shared], np.nan) for end in ends)
        return Interval(least, largest)

    def _l1_ends(self, most: FloatArray, seconds: float) -> tuple[FloatArray, FloatArray]:
        rows = np.flatnonzero(self.polytopes.dimension > 0)
        everywhere = np.arange(len(self.polytopes.face))
        entries = self.polytopes.entries[self.polytopes.face]
        faces = [
            np.where(entries, self.polytopes.gather(self._with_slack(self._over_states(end)), everywhere), 0.0)
            for end in self._entry_bounds
        ]
        width = faces[1] - faces[0]
        open_sets = self.polytopes.select(rows)
        widest = np.zeros(open_sets.members.shape)
        np.put_along_axis(widest, width[rows].argmax(axis=1)[:, None], 1.0, axis=1)
        inside = open_sets.entries[open_sets.face]

        def extremes(which: IntArray, weights: FloatArray) -> FloatArray:
            return np.where(inside[which], maximise(open_sets, which, weights), 0.0)

        everyone = np.arange(len(rows))
        attained = farthest_pairs(extremes, extremes(everyone, widest), extremes(everyone, -widest))
        bounds = (faces[0][rows], faces[1][rows])
        closed = close_gaps(open_sets, bounds, (attained, np.maximum(most[rows], attained)), seconds)
        lower, upper = np.zeros(len(width)), most.copy()
        lower[rows], upper[rows] = closed
        return lower, upper

    def nearest(self, prior: ArrayLike, divergence: Divergence = "euclidean") -> FloatArray:
        """Return the member nearest to a prior; see `ValueEquivalence`."""
        check_divergence(divergence)
        given = self._prior(prior)
        if divergence == "euclidean" and self.polytopes.n_loose == 0:
            return self._place_rows(_normalised(nearest_rows(self.agent, self.kernel_class, given)), 0.0)
        one = len(given) == 1
        polytopes = self.polytopes if one else self.polytopes.select(self.shared)
        everyone = np.arange(len(polytopes.face))
        slack = np.zeros((len(everyone), 2 * polytopes.n_loose))
        targets = polytopes.gather(
            np.concatenate([np.broadcast_to(given, (len(everyone), given.shape[1])), slack], axis=1), everyone
        )
        if divergence == "kl":
            unreached = polytopes.entries[polytopes.face] & (targets <= 0) & (polytopes.dimension > 0)[:, None]
            if unreached.any():
                row, place = np.argwhere(unreached)[0]
                state = int(polytopes.columns[polytopes.face[row], place])
                raise InputError(
                    f"prior is {targets[row, place]} at next state {state}, which a member of E(q) reaches; the "
                    "Kullback-Leibler divergence needs a positive prior there."
                )
        points = self._entries(nearest_points(polytopes, targets, divergence), polytopes)
        return self._place_rows(_normalised(points[self.shared] if one else points), 0.0)

    def vertices(self, state: int, action: int) -> FloatArray:
        """Return the extreme points of one E(q); see `ValueEquivalence`."""
        row = int(self.shared[self._available_row(state, action)])
        points = vertices_of(self.polytopes, row)
        return _normalised(self._entries(points, self.polytopes.select(np.full(len(points), row))))

    def sample(self, n_samples: int, *, seed: int | np.random.Generator, thinning: int | None = None) -> FloatArray:
        """Draw members by hit and run; see `ValueEquivalence`."""
        largest = int(self.polytopes.dimension.max())
        steps = max(10, largest) if thinning is None else thinning
        if n_samples < 1 or steps < 1:
            raise InputError(f"n_samples is {n_samples} and thinning {steps}; expected integers of at least 1.")
        polytopes = self.polytopes.select(self.shared)
        drawn = hit_and_run(polytopes, n_samples, steps, np.random.default_rng(seed))
        rows = np.stack([self._entries(points, polytopes) for points in drawn])
        return self._place_rows(_normalised(rows), 0.0)

    def functional_bounds(self, weights: ArrayLike) -> Interval:
        """Return the least and largest w.p; see `ValueEquivalence`."""
        given = self._weights(weights)
        functions, constant = _centred(given)
        padded = np.concatenate([functions, np.zeros((len(functions), 1))], axis=1)
        n_rows, doubt = len(self.constraints.columns), rounding(4) * np.abs(given).max(axis=1, keepdims=True)
        rows = np.repeat(np.arange(n_rows), len(functions))
        which = np.tile(np.arange(len(functions)), n_rows)
        found = self._proved.functions(rows, padded[which[:, None], self.constraints.columns[rows]])
        # Centring rounds: outwards, by as much as it may.
        ends = (
            self._place(end.reshape(n_rows, -1)[self.shared].T + constant + sign * doubt, np.nan)
            for end, sign in zip(found, (-1.0, 1.0), strict=True)
        )
        return Interval(*(end[0] if np.ndim(weights) == 1 else end for end in ends))

    def extreme_kernel(self, weights: ArrayLike, *, largest: bool) -> Kernel:
        """Return a member that is extreme in every row; see `ValueEquivalence`."""
        function = self._with_slack(_centred(self._weights(weights))[0])[0]
        places = self.polytopes.columns[self.polytopes.face]
        # Not by `gather`, which wants a function for each row: known supports leave no room for anything dense.
        objectives = np.append(function, 0.0)[places]
        points = maximise(self.polytopes, np.arange(len(places)), objectives if largest else -objectives)
        if self.kernel_class.known_supports(self.agent.row_index) is None:
            return self._place_rows(_normalised(self._entries(points))[self.shared], 0.0)
        inside = places < self.polytopes.n_entries
        rows = _normalised(np.where(inside, points, 0.0))[self.shared]
        owners = np.broadcast_to(self.agent.row_index[:, None], rows.shape)
        kept = rows > 0.0
        shape = (self.agent.available.size, self.agent.n_states)
        return csr_array((rows[kept], (owners[kept], places[self.shared][kept])), shape=shape)

    def determined_functionals(self, weights: ArrayLike) -> BoolArray:
        """Tell which w.p have one value; see `ValueEquivalence`."""
        functions, constant = _centred(self._weights(weights))
        size = np.abs(functions).max(axis=1, keepdims=True)
        # What is left of a constant function after centring is rounding.
        small = size <= ROUNDING * np.abs(constant)
        distance = self.polytopes.distance_to_equations(self._with_slack(functions / np.where(small, 1.0, size)))
        known = small | (distance <= DETERMINED)
        result = self._place(known[:, self.polytopes.face[self.shared]], True)
        return np.asarray(result[0] if np.ndim(weights) == 1 else result)

    def _entries(self, points: FloatArray, polytopes: Polytopes | None = None) -> FloatArray:
        """Return points at places as rows over the states, without what intervals have left."""
        sets = self.polytopes if polytopes is None else polytopes
        return sets.scatter(points, np.arange(len(points)))[:, : sets.n_entries]

    def _with_slack(self, functions: FloatArray) -> FloatArray:
        return np.concatenate([functions, np.zeros((len(functions), 2 * self.polytopes.n_loose))], axis=1)


def _normalised(rows: FloatArray) -> FloatArray:
    """Remove what rounding left in the sums of distributions."""
    return np.asarray(rows / rows.sum(axis=-1, keepdims=True))


def _centred(functions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split functions (F, S) into what varies and a constant (F, 1), which all distributions see alike."""
    constant = functions.max(axis=1, keepdims=True) / 2.0 + functions.min(axis=1, keepdims=True) / 2.0
    return functions - constant, constant
