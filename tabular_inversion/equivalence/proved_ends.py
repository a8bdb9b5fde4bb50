"""Least and largest values of linear functions over E(q), proved: no solver's tolerance can exclude the truth.

Multipliers may come from anywhere; `least_values` makes a bound of them that holds for every row whose values lie
within the uncertainty of the numbers given. Where the columns on a row's face are independent, multipliers come from
their pseudo-inverse, and those of one linear program for each row keep the states off the face near zero. Elsewhere
each end is a linear program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.recovery.linear_programs import Constraints, least_values, sharpen
from tabular_inversion.recovery.system import UNCERTAIN

_CHUNK = 2**22
_MARGIN = 1.0 + 1e-6


@dataclass(frozen=True)
class ProvedEnds:
    """What is known of U rows, and where each is thought to lie.

    Attributes
    ----------
    polytopes : Polytopes
        The set of each row, on its face: a guess, on which sharpness depends and truth does not.
    constraints : Constraints
        What the values say of each row.
    """

    polytopes: Polytopes
    constraints: Constraints

    def select(self, rows: IntArray) -> ProvedEnds:
        """Return what is known of some of the rows."""
        known = self.constraints
        part = Constraints(known.tests, known.middle[rows], known.half_width[rows], known.columns[rows])
        return ProvedEnds(self.polytopes.select(rows), part)

    @cached_property
    def face(self) -> BoolArray:
        """Which places of the constraints are on each row's face, shape (U, N): all where they are independent."""
        rows = np.arange(len(self.polytopes.face))
        spread = self.polytopes.scatter(self.polytopes.kept[self.polytopes.face].astype(float), rows)
        kept = np.concatenate([spread[:, : self.polytopes.n_entries], np.zeros((len(rows), 1))], axis=1) > 0
        on_face = np.take_along_axis(kept, self.constraints.columns, axis=1)
        allowed = self.constraints.allowed(rows)
        return np.where(self._independent(allowed)[:, None], allowed, on_face & allowed)

    @cached_property
    def single(self) -> BoolArray:
        """Which rows are single points of their face, shape (U,)."""
        return np.asarray((self.polytopes.n_loose == 0) & ((self.polytopes.dimension == 0) | self._whole))

    @property
    def _whole(self) -> BoolArray:
        return self._independent(self.constraints.allowed(np.arange(len(self.polytopes.face))))

    def _independent(self, mask: BoolArray) -> BoolArray:
        if self.constraints.shared:
            first = self._columns(mask[:1], np.zeros(1, np.intp))
            return np.repeat(_independent(first, mask[:1]), len(mask))
        return np.concatenate(
            [
                _independent(self._columns(mask[part], np.arange(len(mask))[part]), mask[part])
                for part in self._parts(len(mask))
            ]
        )

    def _parts(self, count: int) -> list[slice]:
        block = max(1, _CHUNK // ((len(self.constraints.tests) + 1) * self.constraints.columns.shape[1]))
        return [slice(start, start + block) for start in range(0, count, block)]

    def _columns(self, mask: BoolArray, rows: IntArray) -> FloatArray:
        """Return [tests; 1] of some rows on some of their places, 0 elsewhere, shape (B, k + 1, N)."""
        tests = self.constraints.at_places(rows)
        return np.concatenate([tests, np.ones((len(tests), 1, tests.shape[2]))], axis=1) * mask[:, None, :]

    @cached_property
    def _off(self) -> FloatArray:
        """Multipliers (U, k) of ``-m``, m the weight of each row off its face; 0 where nothing is off."""
        off = self.constraints.allowed(np.arange(len(self.face))) & ~self.face
        found = np.zeros((len(off), len(self.constraints.tests)))
        rows = np.flatnonzero(off.any(axis=1))
        found[rows] = sharpen(self.constraints, rows, -off[rows].astype(float)).multipliers
        return found

    def functions(self, rows: IntArray, objectives: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bound c.p from both sides for B rows, which may repeat, and their c (B, N) on the constraints' columns."""
        ends = [sign * self._least(rows, sign * objectives) for sign in (1.0, -1.0)]
        return self._within(rows, objectives, *ends)

    def entries(self) -> tuple[FloatArray, FloatArray]:
        """Bound each entry of each row, both of shape (U, N); 0 at fillers.

        Vertices have few positive entries: once every entry has been pushed up, nearly all have been seen at 0, and no
        program is needed to know that their least value is 0.
        """
        allowed = self.constraints.allowed(np.arange(len(self.face)))
        lower, upper = np.zeros(allowed.shape), np.zeros(allowed.shape)
        reached = np.where(allowed, self.face & ~self.single[:, None], False)
        seen = np.full(allowed.shape, np.inf)
        rows, places = np.nonzero(allowed)
        unit = np.zeros((len(rows), allowed.shape[1]))
        unit[np.arange(len(rows)), places] = 1.0
        below, above = np.zeros(len(rows)), np.ones(len(rows))
        single = self.single[rows]
        known = np.flatnonzero(single)
        below[known], above[known] = self.functions(rows[known], unit[known])
        beyond = np.flatnonzero(~single & ~reached[rows, places])
        above[beyond] = -least_values(self.constraints, rows[beyond], -unit[beyond], self._off[rows[beyond]])
        inside = np.flatnonzero(~single & reached[rows, places])
        found = sharpen(self.constraints, rows[inside], -unit[inside])
        above[inside] = -least_values(self.constraints, rows[inside], -unit[inside], found.multipliers)
        np.minimum.at(seen, rows[inside][found.solved], found.points[found.solved])
        held = inside[seen[rows[inside], places[inside]] > 0.0]
        found = sharpen(self.constraints, rows[held], unit[held])
        below[held] = least_values(self.constraints, rows[held], unit[held], found.multipliers)
        lower[rows, places], upper[rows, places] = np.clip(below, 0.0, 1.0), np.clip(above, 0.0, 1.0)
        return lower, upper

    def _within(
        self, rows: IntArray, objectives: FloatArray, below: FloatArray, above: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Cut ends at what any distribution on the allowed states reaches."""
        allowed = self.constraints.allowed(rows)
        least = np.where(allowed, objectives, np.inf).min(axis=1, initial=np.inf)
        most = np.where(allowed, objectives, -np.inf).max(axis=1, initial=-np.inf)
        return np.maximum(below, least), np.minimum(above, most)

    def _least(self, rows: IntArray, objectives: FloatArray) -> FloatArray:
        combinations = np.zeros((len(rows), len(self.constraints.tests)))
        single = np.flatnonzero(self.single[rows])
        combinations[single] = self._by_inverse(rows[single], objectives[single])
        others = np.flatnonzero(~self.single[rows])
        combinations[others] = sharpen(self.constraints, rows[others], objectives[others]).multipliers
        return least_values(self.constraints, rows, objectives, combinations)

    def _by_inverse(self, rows: IntArray, objectives: FloatArray) -> FloatArray:
        """Return multipliers y with ``y.tests`` equal to c on the face, up to a constant, and no greater off it."""
        result = np.zeros((len(rows), len(self.constraints.tests)))
        if self.constraints.shared and self._whole.all():
            whole = self._columns(self.face[:1], np.zeros(1, np.intp))
            return np.asarray((objectives @ np.linalg.pinv(whole)[0])[:, :-1])
        different, which = np.unique(rows, return_inverse=True)
        for part in self._parts(len(different)):
            chosen = different[part]
            taken = np.flatnonzero((which >= part.start) & (which < part.start + len(chosen)))
            mine = which[taken] - part.start
            matrix, on_face = self._columns(self.face[chosen], chosen), self.face[chosen]
            inverse = np.linalg.pinv(matrix, rcond=UNCERTAIN)
            own = np.where(on_face[mine], objectives[taken], 0.0)
            y = np.einsum("bn,bnk->bk", own, inverse[mine])
            tests = self.constraints.at_places(chosen)
            rest = objectives[taken] - np.einsum("bk,bkn->bn", y[:, :-1], tests[mine]) - y[:, -1:]
            off = self.constraints.allowed(chosen)[mine] & ~on_face[mine]
            weight = np.maximum(-np.where(off, rest, 0.0).min(axis=1), 0.0) * _MARGIN
            result[taken] = y[:, :-1] + weight[:, None] * self._off[rows[taken]]
        return result


def _independent(columns: FloatArray, mask: BoolArray) -> BoolArray:
    """Tell for which stacks (B, E, N) the columns under the mask are independent to the digits of a pseudo-inverse."""
    sigma = np.linalg.svd(columns, compute_uv=False)
    rank = (sigma > UNCERTAIN * sigma[:, :1]).sum(axis=1)
    return np.asarray(rank == mask.sum(axis=1))
