"""What the paper shows for FourRooms, read off its figures (the reading error is about 2 % of each axis)."""

from typing import NamedTuple

from tabular_inversion.environments.rooms import Variant

Cell = tuple[int, int]
"""(row, column) in the 11 x 11 grid with its outer wall, as in the names of the states."""


class UnseenTask(NamedTuple):
    """A goal that no agent was trained for, and cells to keep out of."""

    goal: Cell
    unsafe: tuple[Cell, ...]


SOURCE = "Letcher et al., arXiv 2606.21173 (2026), FourRooms figures of the project page"
DISCOUNT = 0.99
"""Inferred from the optimal values that are drawn; it is not stated."""

MSE: dict[Variant, dict[int, dict[int, float]]] = {
    "deterministic": {
        1: {500_000: 0.0120, 1_000_000: 0.0085, 2_000_000: 0.0042, 4_000_000: 0.0008, 8_000_000: 0.0},
        3: {500_000: 0.0014, 1_000_000: 0.0004, 3_000_000: 0.0},
        5: {500_000: 0.0001, 1_000_000: 0.0},
    },
    "windy": {
        1: {10_000_000: 0.0061},
        2: {10_000_000: 0.0024},
        3: {10_000_000: 0.0019},
        4: {1_000_000: 0.0028, 10_000_000: 0.00126},
    },
    "teleport": {
        5: {10_000_000: 0.0083},
        10: {10_000_000: 0.0044},
        20: {2_000_000: 0.0021, 10_000_000: 0.00166},
        68: {2_000_000: 0.0006, 10_000_000: 0.00015},
    },
}
"""Mean over (s, a, s') of the squared error of the recovered kernel, by variant, number of goals and steps."""

_CORNER = UnseenTask((9, 1), ((5, 3),))
_TWO_DOORS = UnseenTask((9, 9), ((5, 3), (3, 5)))
_TELEPORTERS = UnseenTask((9, 9), ((4, 4), (4, 6), (6, 4), (6, 6)))
UNSEEN: dict[Variant, tuple[UnseenTask, UnseenTask]] = {
    "deterministic": (_CORNER, _TWO_DOORS),
    "windy": (_CORNER, _TWO_DOORS),
    "teleport": (_CORNER, _TELEPORTERS),
}
"""The two tasks planned in each recovered world."""

STARTS: tuple[Cell, ...] = ((1, 1), (7, 2))
"""Where the trajectories that are drawn start."""
