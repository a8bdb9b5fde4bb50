"""FourRooms: four rooms of 4 x 4 cells joined by four doors, in three variants."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

Variant = Literal["deterministic", "windy", "teleport"]

_LAYOUT = (
    "###########",
    "#....#....#",
    "#....#....#",
    "#.........#",
    "#....#....#",
    "###.####.##",
    "#....#....#",
    "#.........#",
    "#....#....#",
    "#....#....#",
    "###########",
)
_WALL_LINE = 5
# Clockwise, so that a rotation by 90 degrees is a step to a neighbouring action.
_ACTION_NAMES = ("up", "right", "down", "left")
_MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
_TELEPORTERS = ((4, 4), (4, 6), (6, 4), (6, 6))


@checked
def four_rooms(variant: Variant = "deterministic", *, discount: float = 0.99) -> MDP:
    """Return a FourRooms gridworld of 68 cells.

    The grid is 11 x 11 with its outer wall; row 5 and column 5 are walls with doors at (3, 5), (7, 5), (5, 3) and
    (5, 8). The four moves are up, right, down and left; a blocked move stays.

    Parameters
    ----------
    variant : {"deterministic", "windy", "teleport"}
        ``"deterministic"``: each move goes where it points. ``"windy"``: with probability 1/2 it does, and with 1/4
        each it goes 90 degrees to the left or right of that. ``"teleport"``: deterministic, except that in the cells
        (4, 4), (4, 6), (6, 4) and (6, 6) every action leads to a uniformly random one of the 16 cells of the
        diagonally opposite room.
    discount : float
        In [0, 1].

    Returns
    -------
    MDP
        68 states in reading order, named ``"(row,column)"``, with coordinates (row, column); 4 actions; dense.

    Raises
    ------
    InputError
        If the variant is unknown.

    References
    ----------
    Letcher et al., "Inverting the Bellman Equation: From Q-Values to World Models", arXiv 2606.21173 (2026).

    Examples
    --------
    >>> rooms = four_rooms("windy")
    >>> rooms
    MDP(n_states=68, n_actions=4, discount=0.99, dense)
    >>> corner = rooms.state_names.index("(1,1)")
    >>> {rooms.state_name(t): float(rooms.kernel[corner, 0, t]) for t in rooms.kernel[corner, 0].nonzero()[0]}
    {'(1,1)': 0.75, '(1,2)': 0.25}
    """
    if variant not in get_args(Variant):
        raise InputError(f"variant is {variant!r}; expected one of {', '.join(get_args(Variant))}.")
    cells = np.argwhere(np.array([list(line) for line in _LAYOUT]) != "#")
    kernel = _steps(cells)
    if variant == "windy":
        kernel = 0.5 * kernel + 0.25 * np.roll(kernel, 1, axis=1) + 0.25 * np.roll(kernel, -1, axis=1)
    elif variant == "teleport":
        _add_teleporters(kernel, cells)
    names = tuple(f"({row},{column})" for row, column in cells.tolist())
    return MDP(kernel, discount, state_names=names, action_names=_ACTION_NAMES, coordinates=cells.astype(np.float64))


def _steps(cells: IntArray) -> FloatArray:
    """Return the deterministic kernel (S, 4, S), in which a blocked move stays."""
    number = np.full((len(_LAYOUT), len(_LAYOUT[0])), -1)
    number[tuple(cells.T)] = np.arange(len(cells))
    ahead = cells[:, None, :] + _MOVES
    arrival = number[ahead[..., 0], ahead[..., 1]]
    arrival = np.where(arrival < 0, np.arange(len(cells))[:, None], arrival)
    kernel = np.zeros((len(cells), len(_MOVES), len(cells)))
    np.put_along_axis(kernel, arrival[..., None], 1.0, axis=2)
    return kernel


def _add_teleporters(kernel: FloatArray, cells: IntArray) -> None:
    """Send every action of the four teleporting cells to a uniform cell of the diagonally opposite room, in place."""
    side = np.sign(cells - _WALL_LINE)
    for teleporter in _TELEPORTERS:
        here = (cells == teleporter).all(axis=1)
        opposite = (side == -side[here]).all(axis=1)
        kernel[here] = opposite / opposite.sum()
