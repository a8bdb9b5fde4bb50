"""Batches of small polytopes {x : equations x = values, x >= 0}, one for each row of a kernel.

A row of R keeps only the coordinates on its own face, so that known supports cost no more than their size and every
coordinate that is left can be positive. Coordinates are padded to one length; polytopes on the same face share their
equations, which are orthonormal: what the original equations say, free of repetitions and of scale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.recovery.system import UNCERTAIN

_CHUNK = 2**22
"""Numbers in one block of decompositions."""


@dataclass(frozen=True, eq=False)
class Polytopes:
    """R polytopes on D different faces, with N coordinates each at most.

    Attributes
    ----------
    matrix : numpy.ndarray, shape (equations, coordinates)
        The equations on all coordinates. The first `n_free` coordinates have no sign, all others are at least 0.
    columns : numpy.ndarray of int, shape (D, N)
        Which coordinates each face keeps, ascending; beyond them, the number of coordinates as a filler.
    equations : numpy.ndarray, shape (D, E, N)
        Orthonormal rows that span the equations on the face, then zero rows. Directions along which the equations
        change by less than 1e-10 of their size count as free: the sets are then too large rather than too small.
    rank : numpy.ndarray of int, shape (D,)
        How many rows are not zero.
    face : numpy.ndarray of int, shape (R,)
        Which face each polytope lies on.
    members : numpy.ndarray, shape (R, N)
        One point of each; ``equations @ member`` are the values.
    n_loose : int
        How many equations are intervals, ``low <= t.x <= high``. The last ``2 * n_loose`` coordinates are what is left
        to their lower ends, then to their upper ends, and the last ``2 * n_loose`` equations define these.
    n_free : int
        How many leading coordinates may be negative.
    independent : bool
        Whether the columns of the equations are proved to be independent, so that each polytope is a point.
    """

    matrix: FloatArray
    columns: IntArray
    equations: FloatArray
    rank: IntArray
    face: IntArray
    members: FloatArray
    n_loose: int
    n_free: int
    independent: bool = False

    @classmethod
    def of(
        cls,
        matrix: FloatArray,
        columns: IntArray,
        members: FloatArray,
        *,
        n_loose: int = 0,
        n_free: int = 0,
        independent: bool = False,
    ) -> Polytopes:
        """Build from members (R, N) and their coordinates: (R, N), or (1, N) where all rows share them."""
        different, face = np.unique(columns, axis=0, return_inverse=True)
        face = np.broadcast_to(face.ravel(), len(members))
        inside = different < matrix.shape[1]
        if independent:  # the equations say what each coordinate is: they need no decomposition
            equations, rank = np.eye(different.shape[1]) * inside[:, :, None], inside.sum(axis=1)
        else:
            equations, rank = _orthonormal_equations(matrix, different)
        members = np.where(inside[face], members, 0.0)
        return cls(matrix, different, equations, rank, face, members, n_loose, n_free, independent)

    @property
    def n_coordinates(self) -> int:
        """How many coordinates there are off all faces."""
        return int(self.matrix.shape[1])

    @property
    def n_entries(self) -> int:
        """How many of them are the unknowns themselves, and not what an interval has left."""
        return self.n_coordinates - 2 * self.n_loose

    @property
    def n_exact(self) -> int:
        """How many equations are no intervals."""
        return len(self.matrix) - 2 * self.n_loose

    @property
    def loose_tests(self) -> FloatArray:
        """The functions of the entries that lie in intervals, shape (n_loose, n_entries)."""
        return self.matrix[self.n_exact : self.n_exact + self.n_loose, : self.n_entries]

    @property
    def is_box(self) -> bool:
        """Whether intervals of as many independent functions as there are entries, without signs, are all there is."""
        return self.n_exact == 0 and 0 < self.n_loose == self.n_free == self.n_entries and bool(self.kept.all())

    @cached_property
    def entries(self) -> BoolArray:
        """Which places of a face are unknowns, shape (D, N)."""
        return self.columns < self.n_entries

    @cached_property
    def kept(self) -> BoolArray:
        """Which places of a face are coordinates and no filler, shape (D, N)."""
        return self.columns < self.n_coordinates

    @cached_property
    def signed(self) -> BoolArray:
        """Which places of a face are coordinates that are at least 0, shape (D, N)."""
        return self.kept & (self.columns >= self.n_free)

    @cached_property
    def dimension(self) -> IntArray:
        """Affine dimension of each polytope, if its face is the smallest one that holds it, shape (R,)."""
        return np.asarray((self.kept.sum(axis=1) - self.rank)[self.face])

    def select(self, rows: IntArray) -> Polytopes:
        """Return the polytopes with these numbers, which may repeat."""
        return replace(self, face=self.face[rows], members=self.members[rows])

    def restrict(self, kept: BoolArray) -> Polytopes:
        """Return the polytopes on smaller faces, given which places (R, N) to keep."""
        columns = np.where(kept & self.kept[self.face], self.columns[self.face], self.n_coordinates)
        order = np.argsort(columns, axis=1, kind="stable")[:, : max(1, int(kept.sum(axis=1).max()))]
        members = np.take_along_axis(self.members, order, axis=1)
        columns = np.take_along_axis(columns, order, axis=1)
        shared = {"n_loose": self.n_loose, "n_free": self.n_free, "independent": self.independent}
        return Polytopes.of(self.matrix, columns, members, **shared)  # type: ignore[arg-type]

    def as_points(self, alone: BoolArray) -> Polytopes:
        """Return the polytopes, those (R,) that are known to hold one point as points: on the faces of their members.

        On its face such a point is what the equations say of each coordinate, whatever size they are of.
        """
        smaller = self.restrict(self.kept[self.face] & (~alone[:, None] | (self.members > 0)))
        own, size = np.unique(smaller.face[alone]), smaller.columns.shape[1]
        equations = np.zeros((len(smaller.columns), size, size))
        equations[:, : smaller.equations.shape[1]] = smaller.equations
        equations[own] = np.eye(size) * smaller.kept[own][:, :, None]
        rank = smaller.rank.copy()
        rank[own] = smaller.kept[own].sum(axis=1)
        return replace(smaller, equations=equations, rank=rank)

    def gather(self, functions: FloatArray, rows: IntArray) -> FloatArray:
        """Return the places that rows keep, out of functions on all coordinates: (B, coordinates) to (B, N)."""
        padded = np.concatenate([functions, np.zeros((len(functions), 1))], axis=1)
        return np.asarray(np.take_along_axis(padded, self.columns[self.face[rows]], axis=1))

    def scatter(self, points: FloatArray, rows: IntArray) -> FloatArray:
        """Put points (B, N) of these rows back among all coordinates: (B, coordinates), 0 off the face."""
        full = np.zeros((len(rows), self.n_coordinates + 1))
        np.put_along_axis(full, self.columns[self.face[rows]], points, axis=1)
        return full[:, :-1]

    def onto_equations(self, points: FloatArray, rows: IntArray) -> FloatArray:
        """Remove from points (B, N) of these rows what rounding left in their equations; at least 0 where signed."""
        faces = self.face[rows]
        missing = np.einsum("ben,bn->be", self.equations[faces], self.members[rows] - points)
        moved = points + np.einsum("ben,be->bn", self.equations[faces], missing)
        return np.asarray(np.where(self.signed[faces], np.maximum(moved, 0.0), moved))

    def distance_to_equations(self, functions: FloatArray) -> FloatArray:
        """Return how far functions (F, coordinates) are from the span of each face's equations, 2-norm, (F, D)."""
        padded = np.concatenate([functions, np.zeros((len(functions), 1))], axis=1)
        distance = np.empty((len(functions), len(self.columns)))
        block = max(1, _CHUNK // (len(functions) * self.columns.shape[1]))
        for start in range(0, len(self.columns), block):
            part = slice(start, start + block)
            given = padded[:, self.columns[part]]
            inside = np.einsum("den,fdn->fde", self.equations[part], given)
            distance[:, part] = np.linalg.norm(given - np.einsum("den,fde->fdn", self.equations[part], inside), axis=2)
        return distance


def _orthonormal_equations(matrix: FloatArray, columns: IntArray) -> tuple[FloatArray, IntArray]:
    """Decompose the equations on each face, in blocks of faces."""
    if not len(matrix) or not columns.shape[1]:
        return np.zeros((len(columns), 1, columns.shape[1])), np.zeros(len(columns), np.intp)
    padded = np.concatenate([matrix, np.zeros((len(matrix), 1))], axis=1)
    length = min(len(matrix), columns.shape[1])
    equations = np.empty((len(columns), length, columns.shape[1]))
    rank = np.empty(len(columns), np.intp)
    block = max(1, _CHUNK // (len(matrix) * columns.shape[1]))
    for start in range(0, len(columns), block):
        part = slice(start, start + block)
        stacked = np.moveaxis(padded[:, columns[part]], 0, 1)
        _, sigma, right = np.linalg.svd(stacked, full_matrices=False)
        rank[part] = (sigma > UNCERTAIN * sigma[:, :1]).sum(axis=1)
        equations[part] = right * (np.arange(length) < rank[part, None])[:, :, None]
    return equations[:, : max(1, int(rank.max()))], rank
