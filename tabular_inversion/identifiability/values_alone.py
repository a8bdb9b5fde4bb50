"""What the values V of optimal agents show: in each state the hull of its rows, and not which action is which (PA)."""

from __future__ import annotations

import numpy as np

from tabular_inversion import exact
from tabular_inversion._typing import BoolArray
from tabular_inversion.exact import ExactMDP
from tabular_inversion.exact.rationals import FractionArray


def other_world_with_hulls(world: ExactMDP, known: BoolArray) -> tuple[int, ExactMDP | None]:
    """Return how many parameters are free where V alone is seen, and another world with the same hulls, if any.

    A row that lies in the hull of the others may be anywhere in it. Vertices stay, but their actions may be exchanged.
    """
    free, other = 0, None
    for state in range(world.n_states):
        actions = np.flatnonzero(world.available[state])
        rows = world.kernel[state, actions]
        unknown = np.flatnonzero(~known[state, actions])
        spare = _spare(rows, unknown)
        size = int(exact.rank(rows - rows[0]).rank)
        free += len(spare) * size
        if other is None and size:
            moved = _moved(rows, unknown, spare)
            if moved is not None:
                kernel = world.kernel.copy()
                kernel[state, actions] = moved
                other = ExactMDP(kernel, world.discount, world.available)
    return free, other


def same_hulls(first: ExactMDP, second: ExactMDP) -> bool:
    """Tell whether in each state the rows of both worlds have the same hull."""
    worlds = ((first, second), (second, first))
    return all(
        _inside(row, there.kernel[state, there.available[state]])
        for here, there in worlds
        for state in range(here.n_states)
        for row in here.kernel[state, here.available[state]]
    )


def _inside(row: FractionArray, others: FractionArray) -> bool:
    """Tell whether a row is a mixture of others."""
    if not len(others):
        return False
    ones = exact.fraction_array(np.ones((1, len(others)), dtype=int))
    target = np.concatenate([row, exact.fraction_array([1])])
    return exact.find_nonnegative_solution(np.concatenate([others.T, ones]), target).solution is not None


def _spare(rows: FractionArray, unknown: np.ndarray) -> list[int]:
    """Return as many unknown rows as can be left out, together, without a change of the hull."""
    kept = list(range(len(rows)))
    for place in unknown.tolist():
        others = [i for i in kept if i != place]
        if _inside(rows[place], rows[others]):
            kept = others
    return [i for i in range(len(rows)) if i not in kept]


def _moved(rows: FractionArray, unknown: np.ndarray, spare: list[int]) -> FractionArray | None:
    """Return other rows with the same hull, of more than one point: a spare one moves, or two are exchanged."""
    moved = rows.copy()
    if spare:
        place = spare[0]
        target = next(row for row in rows if (row != rows[place]).any())
        moved[place] = (rows[place] + target) / 2
        return moved
    pair = next(((i, j) for i in unknown for j in unknown if (rows[i] != rows[j]).any()), None)
    if pair is None:
        return None
    moved[list(pair)] = rows[list(pair[::-1])]
    return moved
