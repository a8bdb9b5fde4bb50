"""Windy grids of any size: half of a move's probability goes where it points, a quarter each to its left and right."""

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion import MDP

MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])


def windy_grid(side: int, discount: float = 0.75) -> MDP:
    """A square of `side` times `side` cells; a blocked move stays."""
    cells = np.argwhere(np.ones((side, side), bool))
    ahead = np.clip(cells[:, None, :] + MOVES, 0, side - 1)
    arrival = ahead[..., 0] * side + ahead[..., 1]
    reached = np.stack([arrival, np.roll(arrival, 1, axis=1), np.roll(arrival, -1, axis=1)], axis=2)
    weights = np.broadcast_to([0.5, 0.25, 0.25], reached.shape).ravel()
    rows = np.repeat(np.arange(arrival.size), 3)
    kernel = csr_array((weights, (rows, reached.ravel())), shape=(arrival.size, len(cells)))
    return MDP(kernel, discount, coordinates=cells)
