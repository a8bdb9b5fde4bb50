"""Discount 1: values exist where every episode ends, and that is a question about graphs alone.

At discount 1 the matrix I - diag(C) P_pi is singular exactly if some states are never left: a set X in which arriving
ends no episode (C = 1), and in each state of which the policy takes actions that stay in X. X is found by removing
states, from those where C < 1 backwards; no probability is looked at except for being positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import DiscountError
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP


def endless_states(support: Any, taken: BoolArray, continues: BoolArray, *, mixed: bool) -> BoolArray:
    """Return the states from which an episode may go on for ever.

    Parameters
    ----------
    support : bool csr_array, shape (S*A, S)
        Where a kernel is positive.
    taken : numpy.ndarray of bool, shape (S, A) or (G, S, A)
        The actions that may be taken: those available, or those with positive probability.
    continues : numpy.ndarray of bool, shape (G, S)
        Where arriving surely ends nothing: C = 1.
    mixed : bool
        False: in each state one of the actions is taken, any. True: each is, with positive probability.

    Returns
    -------
    numpy.ndarray of bool, shape (G, S)

    Examples
    --------
    >>> stay_or_go = csr_array(np.array([[1, 0], [0, 1], [0, 1], [0, 1]], bool))
    >>> endless_states(stay_or_go, np.ones((2, 2), bool), np.array([[True, False]]), mixed=False)
    array([[ True, False]])
    >>> endless_states(stay_or_go, np.ones((2, 2), bool), np.array([[True, False]]), mixed=True)
    array([[False, False]])
    """
    n_states = continues.shape[1]
    n_actions = taken.shape[-1]
    staying = np.broadcast_to(taken, (len(continues), n_states, n_actions)).reshape(len(continues), -1).copy()
    choices = staying.reshape(len(continues), n_states, n_actions).sum(axis=2)
    inside = continues.copy()
    entering = csr_array(support.T)  # for each state, the rows that may lead there
    goals, states = np.nonzero(~inside)
    while goals.size:
        which, rows = _rows_into(entering, states)
        hit = np.unique(goals[which] * staying.shape[1] + rows)
        hit = hit[staying.ravel()[hit]]
        staying.ravel()[hit] = False
        losers = hit // n_actions  # goal * S + state
        np.subtract.at(choices.ravel(), losers, 1)
        losers = np.unique(losers)
        lost = inside.ravel()[losers] & (mixed | (choices.ravel()[losers] == 0))
        inside.ravel()[losers[lost]] = False
        goals, states = np.divmod(losers[lost], n_states)
    return inside


def _rows_into(entering: Any, states: IntArray) -> tuple[IntArray, IntArray]:
    """Return, for all rows that may lead to the states given, the place of the state in the list, and the row."""
    starts, counts = entering.indptr[states], np.diff(entering.indptr)[states]
    which = np.repeat(np.arange(len(states)), counts)
    offsets = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, entering.indices[starts[which] + offsets]


def check_ends(mdp: MDP, goals: Goals, policy: FloatArray | None = None) -> None:
    """Raise `DiscountError` if the discount is 1 and an episode may go on for ever.

    Parameters
    ----------
    mdp : MDP
        The world; nothing is checked below discount 1.
    goals : Goals
        Their continuation says where episodes end.
    policy : numpy.ndarray, shape (S, A) or (G, S, A), optional
        Only this policy is asked about; when omitted, every policy.

    Raises
    ------
    DiscountError
        Naming a goal, and a state from which its episodes may never end.
    """
    if mdp.discount < 1.0:
        return
    support = mdp.support
    if isinstance(support, np.ndarray):
        support = csr_array(support.reshape(-1, mdp.n_states))
    refuse_endless(support, mdp.available, goals.continuation == 1, policy, goals.names, mdp.state_name)


def refuse_endless(
    support: Any,
    available: BoolArray,
    continues: BoolArray,
    policy: Any = None,
    goal_names: tuple[str, ...] | None = None,
    state_name: Any = str,
) -> None:
    """Raise `DiscountError` if `endless_states` finds one; goals that share their ends are asked once."""
    conditional = policy is not None and policy.ndim == 3
    firsts = np.arange(len(continues)) if conditional else np.unique(continues, axis=0, return_index=True)[1]
    taken = available if policy is None else np.asarray(policy > 0, dtype=bool)
    endless = endless_states(support, taken, continues[firsts], mixed=policy is not None)
    if endless.any():
        place, state = (int(i) for i in np.argwhere(endless)[0])
        goal = int(firsts[place])
        named = str(goal) if goal_names is None else repr(goal_names[goal])
        whose = "some policy" if policy is None else "this policy"
        raise DiscountError(
            f"discount is 1 and, under goal {named}, an episode in state {state_name(state)} may go on for ever by "
            f"{whose}, so that values are not finite: let the goal end it (continuation below 1 on arrival in a "
            "state that every policy reaches), or take a discount below 1."
        )
