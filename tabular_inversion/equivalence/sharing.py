"""Bounds on entries found by whoever is there, a piece of the rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.identifiability.pieces import grain
from tabular_inversion.parallel import run_pieces


def bounds_elsewhere(
    parts: Sequence[Any], asked: BoolArray, executor: Any, progress: Callable[[int, int], None] | None
) -> FloatArray:
    """Return both ends (2, S, A, S) of the rows asked for, piece by piece; each part knows which rows are its own."""
    agent = parts[0].agent
    step = grain(int(asked.sum()))
    pieces = []
    for place, part in enumerate(parts):
        own = np.flatnonzero((part.asked_rows & asked).ravel())
        pieces += [(place, own[start : start + step]) for start in range(0, len(own), step)]
    found = run_pieces(_bounds, list(parts), pieces, executor, progress, [len(rows) for _, rows in pieces])
    ends = np.full((2, agent.available.size, agent.n_states), np.nan)
    for (_, rows), both in zip(pieces, found, strict=True):
        ends[:, rows] = both
    return ends.reshape(2, *agent.available.shape, agent.n_states)


def _bounds(parts: list[Any], piece: tuple[int, Any]) -> Any:
    place, rows = piece
    return np.stack([end.reshape(-1, end.shape[-1])[rows] for end in parts[place].bounds(rows)])
