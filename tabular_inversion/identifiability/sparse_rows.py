"""The search for another row with at most N successors and the same values: exhaustive, or by integer programs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.highs import integer_program
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.uniform import MILP_SECONDS
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.recovery.rank import RankStatus
from tabular_inversion.recovery.system import UNCERTAIN, RowSystem, rounding_level

MAX_SUPPORTS = 300_000
"""Up to this many supports are tried one by one (in batches); beyond, an integer program is solved for each row."""

_SAME = 1e-6  # rows closer than this (largest difference) are one row
_FITS = 1e-9  # largest residual, in goals scaled to unit size, of a row that explains its values


def other_sparse_rows(system: RowSystem, values: FloatArray, rows: FloatArray, n_successors: int) -> Decision:
    """Search, for each row, another one with at most N successors and the same values.

    Parameters
    ----------
    system : RowSystem
        [M;1].
    values : numpy.ndarray, shape (equations, rows)
        The right-hand sides of these rows.
    rows : numpy.ndarray, shape (rows, n)
        The rows known.
    n_successors : int
        N.
    """
    n_supports = sum(comb(system.n_states, size) for size in range(1, n_successors + 1))
    if n_supports <= MAX_SUPPORTS:
        codes, others = _enumerate(system, values, rows, n_successors)
        how = f"all {n_supports} supports tried"
    else:
        codes, others = _integer_programs(system, values, rows, n_successors)
        how = "by integer programming"
    unique = int((codes == Status.IDENTIFIED).sum())
    reason = f"{unique} of {len(codes)} rows left have no other row with at most {n_successors} successors ({how})"
    pair = None
    if others:
        row = min(others)
        pair = Pair(row, rows[row], others[row])
    return Decision(codes, np.full(len(codes), Evidence.NUMERIC, np.int8), pair, reason)


def _batches(n_states: int, size: int, batch: int) -> Iterator[IntArray]:
    supports = combinations(range(n_states), size)
    while chosen := list(islice(supports, batch)):
        yield np.array(chosen, dtype=np.intp)


def _enumerate(
    system: RowSystem, values: FloatArray, rows: FloatArray, n_successors: int
) -> tuple[NDArray[np.int8], dict[int, FloatArray]]:
    """Try each support whose columns are independent: the vertices of every N-sparse solution set lie on those."""
    codes = np.full(len(rows), Status.IDENTIFIED, np.int8)
    others: dict[int, FloatArray] = {}
    doubtful = False
    for size in range(1, n_successors + 1):
        batch = max(1, 4_000_000 // (len(rows) * (len(system.matrix) + size)))
        for supports in _batches(system.n_states, size, batch):
            stacked = np.moveaxis(system.matrix[:, supports], 0, 1)  # (b, equations, size)
            if stacked.shape[1] < size:
                continue
            sigma = np.linalg.svd(stacked, compute_uv=False)
            independent = sigma[:, -1] > UNCERTAIN * sigma[:, 0]
            doubtful |= bool((~independent & (sigma[:, -1] > rounding_level(stacked.shape[1:]) * sigma[:, 0])).any())
            supports, stacked = supports[independent], stacked[independent]
            solved = np.linalg.pinv(stacked) @ values  # (b, size, rows)
            gap = np.abs(stacked @ solved - values).max(axis=1)
            fits = (gap <= _FITS) & (solved >= -_FITS).all(axis=1)
            for which, row in np.argwhere(fits):
                other = np.zeros(system.n_states)
                other[supports[which]] = np.maximum(solved[which, :, row], 0.0)
                if np.abs(other - rows[row]).max() > _SAME:
                    codes[row] = Status.NOT_IDENTIFIED
                    others.setdefault(int(row), other)
    if doubtful:  # a support whose columns may or may not be independent was not searched
        codes[codes == Status.IDENTIFIED] = Status.UNDECIDED
    return codes, others


def _integer_programs(
    system: RowSystem, values: FloatArray, rows: FloatArray, n_successors: int
) -> tuple[NDArray[np.int8], dict[int, FloatArray]]:
    """Put as much weight as possible off the known row's support; no weight means that no other row exists."""
    n = system.n_states
    codes = np.empty(len(rows), np.int8)
    others: dict[int, FloatArray] = {}
    wide = np.hstack([system.matrix, np.zeros_like(system.matrix)])
    below = LinearConstraint(np.hstack([np.eye(n), -np.eye(n)]), -np.inf, 0.0)
    few = LinearConstraint(np.repeat([[0.0, 1.0]], n, axis=1), 0.0, n_successors)
    for row in range(len(rows)):  # one HiGHS call each: there is no batched integer programming
        off = rows[row] <= _SAME
        found = integer_program(
            -np.concatenate([off, np.zeros(n)]), integrality=np.repeat([0, 1], n), bounds=(0, 1),
            constraints=[LinearConstraint(wide, values[:, row], values[:, row]), below, few],
            options={"time_limit": MILP_SECONDS},
        )  # fmt: skip
        codes[row], other = _judge(system, values[:, row], rows[row], found)
        if other is not None:
            others[row] = other
    return codes, others


def _judge(system: RowSystem, values: FloatArray, row: FloatArray, found: object) -> tuple[Status, FloatArray | None]:
    """Accept "none" from a solved program, and "another row" only after solving exactly on its support."""
    own = system.restrict(np.flatnonzero(row > _SAME))
    solution = getattr(found, "x", None)
    if solution is None or getattr(found, "status", 1) != 0:
        return Status.UNDECIDED, None
    weights = solution[: system.n_states]
    if weights[row <= _SAME].sum() <= _SAME:
        return (Status.IDENTIFIED if own.rank_decision.status is RankStatus.FULL else Status.UNDECIDED), None
    states = np.flatnonzero(weights > _SAME)
    solved = np.linalg.lstsq(system.matrix[:, states], values)[0]
    gap = float(np.abs(system.matrix[:, states] @ solved - values).max())
    other = np.zeros(system.n_states)
    other[states] = np.maximum(solved, 0.0)
    if gap > _FITS or (solved < -_FITS).any() or np.abs(other - row).max() <= _SAME:
        return Status.UNDECIDED, None
    return Status.NOT_IDENTIFIED, other
