"""Chains: a row of states with the actions left and right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion.environments._checks import MOST_STATES, check_count
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

_ACTION_NAMES = ("left", "right")


@checked
def chain(n: int, *, discount: float = 0.95) -> MDP:
    """Return a deterministic chain: left and right move by one state, and stay at the ends.

    Parameters
    ----------
    n : int
        Number of states, from 1 to 2^24.
    discount : float
        In [0, 1].

    Returns
    -------
    MDP
        n states at coordinates (0,), (1,), ..., 2 actions; sparse.

    Raises
    ------
    InputError
        If n is no integer from 1 to 2^24.

    Examples
    --------
    >>> chain(3).toarray()[:, 1]
    array([[0., 1., 0.],
           [0., 0., 1.],
           [0., 0., 1.]])
    """
    states = np.arange(check_count("n", n, least=1, most=MOST_STATES))
    left, right = np.maximum(states - 1, 0), np.minimum(states + 1, n - 1)
    return _chain_mdp(n, discount, states, [(left, 0, 1.0), (right, 1, 1.0)])


@checked
def river_swim(n: int = 6, *, discount: float = 0.95) -> MDP:
    """Return RiverSwim: left goes with the current and always succeeds, right goes against it.

    Right moves on with probability 0.3. Otherwise the swimmer stays (0.6) or drifts back (0.1) in the middle of the
    river, stays (0.7) at the left bank, and drifts back (0.7) at the right bank, where 0.3 is the chance to stay.

    Parameters
    ----------
    n : int
        Number of states, from 2 to 2^24; 6 in the source.
    discount : float
        In [0, 1].

    Returns
    -------
    MDP
        n states at coordinates (0,), (1,), ..., 2 actions; sparse. The rewards of the source (5 for left at the left
        bank, 10000 for staying at the right bank) are goals and no part of the world.

    Raises
    ------
    InputError
        If n is no integer from 2 to 2^24.

    References
    ----------
    A. L. Strehl and M. L. Littman, "An analysis of model-based interval estimation for Markov decision processes",
    Journal of Computer and System Sciences 74 (2008) 1309-1331.

    Examples
    --------
    >>> river_swim().toarray()[[0, 1, 5], 1]
    array([[0.7, 0.3, 0. , 0. , 0. , 0. ],
           [0.1, 0.6, 0.3, 0. , 0. , 0. ],
           [0. , 0. , 0. , 0. , 0.7, 0.3]])
    """
    states = np.arange(check_count("n", n, least=2, most=MOST_STATES))
    first, last = states == 0, states == n - 1
    left, right = np.maximum(states - 1, 0), np.minimum(states + 1, n - 1)
    stay = np.select([first, last], [0.7, 0.0], 0.6)
    back = np.select([first, last], [0.0, 0.7], 0.1)
    return _chain_mdp(n, discount, states, [(left, 0, 1.0), (right, 1, 0.3), (states, 1, stay), (left, 1, back)])


def _chain_mdp(n: int, discount: float, states: ArrayLike, moves: list[tuple[ArrayLike, int, ArrayLike]]) -> MDP:
    """Build the world in which action a of every state reaches the targets of its moves (targets, a, probability)."""
    base = 2 * np.asarray(states)
    rows = np.concatenate([base + action for _, action, _ in moves])
    columns = np.concatenate([np.asarray(targets) for targets, _, _ in moves])
    probabilities = np.concatenate([np.broadcast_to(np.asarray(p, float), (n,)) for _, _, p in moves])
    kernel = csr_array((probabilities, (rows, columns)), shape=(2 * n, n))
    kernel.eliminate_zeros()
    return MDP(kernel, discount, action_names=_ACTION_NAMES, coordinates=np.arange(n, dtype=float)[:, None])
