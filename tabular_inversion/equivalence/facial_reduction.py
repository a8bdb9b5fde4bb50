"""The smallest face of the orthant that holds a polytope: the coordinates that are positive somewhere in it.

From a member x with support T, coordinate j can become positive iff a direction v exists with ``equations @ v = 0``,
v >= 0 off T and v_j > 0 (S1). With t <= v, 0 <= t <= 1 the program max sum t finds all of them at once: each t is 0
or 1 at its optimum, which leaves no threshold to choose. It depends on T and the face alone, so rows share it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.equivalence.polytopes import Polytopes
from tabular_inversion.recovery.linear_programs import block_size, solve_blocks
from tabular_inversion.recovery.system import UNCERTAIN

_BATCH = 1024


def reduce_to_faces(polytopes: Polytopes, positive: BoolArray) -> Polytopes:
    """Return the same polytopes, each on the smallest face that holds it.

    Parameters
    ----------
    polytopes : Polytopes
        On any faces.
    positive : numpy.ndarray of bool, shape (R, N)
        Where the members are positive beyond doubt.
    """
    kept = polytopes.kept[polytopes.face]
    points = (polytopes.dimension == 0)[:, None]
    positive = kept & (positive | points | ~polytopes.signed[polytopes.face])
    if (positive == kept).all():
        return polytopes
    keys = np.concatenate([polytopes.face[:, None], np.packbits(positive, axis=1)], axis=1)
    _, first, shared = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    reached = positive[first]
    open_cases = np.flatnonzero((kept & ~positive)[first].any(axis=1))
    block = block_size(2 * kept.shape[1])
    for start in range(0, len(open_cases), block):
        part = open_cases[start : start + block]
        reached[part] |= _reachable(polytopes, polytopes.face[first[part]], positive[first[part]])
    return _restricted(polytopes, reached[shared.ravel()])


def _restricted(polytopes: Polytopes, kept: BoolArray) -> Polytopes:
    """Keep some places; give the values of tiny entries at the others back to the members, in the least change."""
    reduced = polytopes.restrict(kept)
    lost = np.where(kept, 0.0, polytopes.members)
    changed = np.flatnonzero(lost.any(axis=1))
    padded = np.concatenate([reduced.matrix, np.zeros((len(reduced.matrix), 1))], axis=1)
    members = reduced.members.copy()
    for start in range(0, len(changed), _BATCH):
        part = changed[start : start + _BATCH]
        faces = reduced.face[part]
        stacked = np.moveaxis(padded[:, reduced.columns[faces]], 0, 1)
        inverse = np.linalg.pinv(stacked, rcond=UNCERTAIN)
        missing = np.einsum("ebn,bn->be", padded[:, polytopes.columns[polytopes.face[part]]], lost[part])
        moved = members[part] + np.einsum("bne,be->bn", inverse, missing)
        members[part] = np.where(reduced.signed[faces], np.maximum(moved, 0.0), moved)
    return replace(reduced, members=members)


def _reachable(polytopes: Polytopes, faces: IntArray, positive: BoolArray) -> BoolArray:
    """Solve the program for B pairs of a face and a support T; the variables are v - t and t."""
    equations = polytopes.equations[faces]
    outside = polytopes.kept[faces] & ~positive
    zero = np.zeros(outside.shape)
    lower = np.concatenate([np.where(positive, -np.inf, 0.0), zero], axis=1)
    upper = np.concatenate([np.where(positive | outside, np.inf, 0.0), outside.astype(float)], axis=1)
    costs = np.concatenate([zero, -outside.astype(float)], axis=1)
    doubled = np.concatenate([equations, equations], axis=2)
    found = solve_blocks(costs, doubled, np.zeros(equations.shape[:2]), lower, upper)
    # What no method settles is taken to be reachable: the sets are then too large rather than too small.
    reached: BoolArray = outside & ((found.points[:, outside.shape[1] :] > 0.5) | ~found.solved[:, None])
    return reached
