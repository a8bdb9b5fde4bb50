"""The vertices of one polytope, by trying all bases."""

from __future__ import annotations

from itertools import combinations, islice
from math import comb

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.errors import InputError
from tabular_inversion.recovery.system import UNCERTAIN

MAX_BASES = 200_000
"""More sets of columns than this are refused."""

_ZERO = 1e-9
_BATCH = 20_000


def vertices_of(polytopes: Polytopes, row: int) -> FloatArray:
    """Return the vertices of polytope number `row` at the places of its face, shape (count, N).

    A vertex is the only solution on the columns where it is positive, which are independent: so every vertex shows
    up in one of the C(N, rank) bases, and its support tells it from all others.

    Parameters
    ----------
    polytopes : Polytopes
        Without free coordinates.
    row : int
        Which one.

    Raises
    ------
    InputError
        If there are more than 200,000 bases.
    """
    face = polytopes.face[row]
    size, rank = int(polytopes.kept[face].sum()), int(polytopes.rank[face])
    member = polytopes.members[row]
    if size == rank:
        return np.array([member])
    n_bases = comb(size, rank)
    if n_bases > MAX_BASES:
        raise InputError(
            f"this row has {n_bases} bases, {rank} out of {size} states; vertices are listed up to {MAX_BASES}. "
            "Use bounds, functional_bounds or sample instead."
        )
    equations = polytopes.equations[face][:rank]
    values = equations @ member
    bases = combinations(range(size), rank)
    found = [np.empty((0, len(member)))]
    while batch := list(islice(bases, _BATCH)):
        chosen = np.array(batch)
        stacked = np.moveaxis(equations[:, chosen], 0, 1)
        sigma = np.linalg.svd(stacked, compute_uv=False)
        independent = sigma[:, -1] > UNCERTAIN * sigma[:, 0]
        chosen, stacked = chosen[independent], stacked[independent]
        solved = np.linalg.solve(stacked, np.broadcast_to(values[:, None], (len(chosen), rank, 1)))[:, :, 0]
        inside = (solved >= -_ZERO).all(axis=1)
        points = np.zeros((int(inside.sum()), len(member)))
        np.put_along_axis(points, chosen[inside], np.where(solved[inside] > _ZERO, solved[inside], 0.0), axis=1)
        found.append(points)
    points = np.concatenate(found)
    _, first = np.unique(points > 0, axis=0, return_index=True)
    return points[np.sort(first)]
