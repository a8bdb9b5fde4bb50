"""Exact decisions for each kernel class but `Sparse` (T2a, T3a, T5a, S1)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.exact import null_space, rank
from tabular_inversion.exact.linear_programs import find_recession_vector
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.rational.arrays import groups, split_exactly
from tabular_inversion.identifiability.rational.points import affine_points, stochastic_points
from tabular_inversion.identifiability.rational.proofs import ColumnProof, FaceProof, RankProof, ValueProof
from tabular_inversion.identifiability.rational.system import ExactSystem
from tabular_inversion.identifiability.verdict import Status


def unconstrained(system: ExactSystem, *, uniform: bool) -> Decision:
    """Decide by the rank of M; at instance scope also whether the equations can be solved at all."""
    codes = np.full(system.n_rows, Status.UNDECIDED, np.int8)
    proofs: list[ValueProof] = []
    points = np.full((system.n_rows, system.n_states), Fraction(1, system.n_states), dtype=object)
    if not uniform:
        points, codes, proofs = affine_points(system)
    found = rank(system.matrix)
    consistent = np.flatnonzero(codes != Status.INCONSISTENT)
    reason = f"M has rank {found.rank} of {system.n_states} ({found.proof})"
    if found.rank == system.n_states:
        codes[consistent] = Status.IDENTIFIED
        proofs += [RankProof(consistent, found)] if consistent.size else []
        return Decision.proved(codes, proofs, None, reason)
    codes[consistent] = Status.NOT_IDENTIFIED
    pair = None
    if consistent.size:
        row = int(consistent[0])
        pair = Pair(row, points[row], points[row] + null_space(system.matrix)[:, 0])
    return Decision.proved(codes, proofs, pair, reason)


def stochastic_uniform(system: ExactSystem) -> Decision:
    """Decide, for each different set of allowed states, whether its columns of [M;1] are independent."""
    codes = np.full(system.n_rows, Status.UNDECIDED, np.int8)
    proofs: list[ValueProof] = []
    pair = None
    least = None
    for mask, rows in groups(system.allowed):
        matrix = system.matrix[:, mask]
        found = rank(matrix)
        least = found if least is None or found.rank - mask.sum() < least.rank - system.n_states else least
        if found.rank == mask.sum():
            codes[rows] = Status.IDENTIFIED
            proofs.append(RankProof(rows, found))
            continue
        codes[rows] = Status.NOT_IDENTIFIED
        if pair is None:
            vector = np.full(system.n_states, Fraction(0), dtype=object)
            vector[mask] = null_space(matrix)[:, 0]
            pair = Pair(int(rows[0]), *split_exactly(vector))
    full = int((codes == Status.IDENTIFIED).sum())
    reason = f"[M;1] on the states allowed has independent columns for {full} of {system.n_rows} rows"
    if bool(system.allowed.all()) and least is not None:
        reason = f"[M;1] has rank {least.rank} of {system.n_states} ({least.proof})"
    return Decision.proved(codes, proofs, pair, reason)


def stochastic_instance(system: ExactSystem, guess: FloatArray) -> Decision:
    """Find a member for each row, then ask whether another one exists: by rank, or by directions off its face (S1)."""
    points, codes, proofs = stochastic_points(system, guess)
    everywhere = stochastic_uniform(system)
    open_rows = codes == Status.UNDECIDED
    unique = open_rows & (everywhere.codes == Status.IDENTIFIED)
    codes[unique] = Status.IDENTIFIED
    for proof in everywhere.proofs:
        own = np.intersect1d(proof.rows, np.flatnonzero(unique))
        proofs += [replace(proof, rows=own)] if own.size else []
    left = np.flatnonzero(open_rows & ~unique)
    pair = None
    reason = everywhere.reason
    if left.size:
        pair = _decide_on_faces(system, points, left, codes, proofs)
        found = int((codes[left] == Status.IDENTIFIED).sum())
        reason = f"{reason}; of the {left.size} rows left, {found} are unique on the faces where they lie"
    return Decision.proved(codes, proofs, pair, reason)


def _decide_on_faces(
    system: ExactSystem,
    points: FractionArray,
    left: NDArray[np.intp],
    codes: NDArray[np.int8],
    proofs: list[ValueProof],
) -> Pair | None:
    """Fill in `codes` and `proofs` for the rows `left`; rows with one support and one allowed set share the program."""
    pair = None
    keys: BoolArray = np.concatenate([points[left] > 0, system.allowed[left]], axis=1)
    for key, members in groups(keys):
        rows = left[members]
        support, free = key[: system.n_states], key[system.n_states :]
        matrix, off = system.matrix[:, free], ~support[free]
        found = find_recession_vector(matrix, off)
        if found.vector is None:
            codes[rows] = Status.IDENTIFIED
            proofs.append(FaceProof(rows, off, found))
            continue
        codes[rows] = Status.NOT_IDENTIFIED
        if pair is None:
            vector = np.full(system.n_states, Fraction(0), dtype=object)
            vector[free] = found.vector
            pair = Pair(int(rows[0]), points[rows[0]], _end_of_segment(points[rows[0]], vector))
    return pair


def _end_of_segment(point: FractionArray, vector: FractionArray) -> FractionArray:
    """Go from `point` along `vector`, whose entries sum to zero, as far as no entry turns negative."""
    falling = np.flatnonzero(vector < 0)
    step = min(point[i] / -vector[i] for i in falling)
    end: FractionArray = point + step * vector
    return end


def deterministic(system: ExactSystem, *, uniform: bool) -> Decision:
    """Compare columns of M as tuples of fractions."""
    columns = [tuple(column) for column in system.matrix.T.tolist()]
    states_of: dict[tuple[Fraction, ...], list[int]] = {}
    for state, column in enumerate(columns):
        states_of.setdefault(column, []).append(state)
    unit = np.array([[Fraction(int(i == j)) for j in range(len(columns))] for i in range(len(columns))], dtype=object)
    if uniform:
        shared = [states for states in states_of.values() if len(states) > 1]
        reason = f"M has {len(states_of)} different columns among {len(columns)}"
        everything = np.arange(system.n_rows)
        if not shared:
            proof = ColumnProof(everything, np.arange(len(columns)))
            return Decision.proved(np.full(system.n_rows, Status.IDENTIFIED, np.int8), (proof,), None, reason)
        pair = Pair(0, unit[shared[0][0]], unit[shared[0][1]])
        return Decision.proved(np.full(system.n_rows, Status.NOT_IDENTIFIED, np.int8), (), pair, reason)
    codes = np.empty(system.n_rows, np.int8)
    several: Pair | None = None
    successors: dict[int, int] = {}
    for row, values in enumerate(system.values.T.tolist()):
        states = states_of.get(tuple(values), [])
        codes[row] = (Status.INCONSISTENT, Status.IDENTIFIED, Status.NOT_IDENTIFIED)[min(len(states), 2)]
        if len(states) == 1:
            successors[row] = states[0]
        elif states and several is None:
            several = Pair(row, unit[states[0]], unit[states[1]])
    proof = ColumnProof(np.array(list(successors), np.intp), np.array(list(successors.values()), np.intp))
    counts = [int((codes == status).sum()) for status in Status]
    reason = (
        f"{counts[Status.IDENTIFIED]} rows match one column of M, {counts[Status.NOT_IDENTIFIED]} several, "
        f"{counts[Status.INCONSISTENT]} none"
    )
    return Decision.proved(codes, (proof,) if successors else (), several, reason)
