"""Gymnasium's transition tables, both ways: `from_gymnasium` reads one as a world, `to_gymnasium_table` writes one."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.environments.gymnasium_worlds import from_gymnasium
from tabular_inversion.errors import GoalsError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

__all__ = ["Table", "from_gymnasium", "to_gymnasium_table"]

Table: TypeAlias = dict[int, dict[int, list[tuple[float, int, float, bool]]]]
"""State to action to a list of (probability, next_state, reward, terminated)."""


@checked
def to_gymnasium_table(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> Table:
    """Return a world, and optionally one of its goals, as a table that gymnasium's own code steps through.

    Parameters
    ----------
    mdp : MDP
        The world.
    goals : Goals, optional
        Where rewards and ``terminated`` come from; without goals, rewards are 0 and nothing terminates.
    goal : int
        Which of the goals.

    Returns
    -------
    dict
        ``table[s][a]`` lists (probability, next_state, reward, terminated) over the successors of (s, a), with
        reward R[g, t] + rho[g, s, a] and terminated where C[g, t] = 0. Unavailable actions are left out.

    Raises
    ------
    GoalsError
        If there is no such goal, or its continuation is neither 0 nor 1 somewhere.
    ShapeError
        If the goals do not fit the world.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP
    >>> to_gymnasium_table(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9), Goals.indicator(2, [1]))[0]
    {0: [(0.5, 0, 0.0, False), (0.5, 1, 1.0, True)]}
    """
    entries = csr_array(mdp.rows).tocoo()
    states, actions = np.divmod(entries.row, mdp.n_actions)
    rewards, ends = _rewards_and_ends(mdp, goals, goal, states, actions, entries.col)
    table: Table = {s: {a: [] for a in np.flatnonzero(row).tolist()} for s, row in enumerate(mdp.available)}
    columns = (states, actions, entries.data, entries.col, rewards, ends)
    for s, a, p, t, reward, end in zip(*(column.tolist() for column in columns), strict=True):
        if p > 0:
            table[s][a].append((p, t, reward, end))
    return table


def _rewards_and_ends(
    mdp: MDP, goals: Goals | None, goal: int, states: IntArray, actions: IntArray, arrivals: IntArray
) -> tuple[FloatArray, BoolArray]:
    """Return the reward and the end flag of each transition."""
    if goals is None:
        return np.zeros(len(states)), np.zeros(len(states), dtype=bool)
    if goals.n_states != mdp.n_states:
        raise ShapeError(f"the goals are on {goals.n_states} states and the world has {mdp.n_states}.")
    one = goals.select(goal)
    continuation = one.continuation[0]
    partial = np.flatnonzero((continuation != 0) & (continuation != 1))
    if partial.size:
        raise GoalsError(
            f"goal {goal} has continuation {continuation[partial[0]]} at state {partial[0]}; "
            "gymnasium's terminated is yes or no: use 0 or 1."
        )
    rewards = one.rewards[0, arrivals]
    if one.action_rewards is not None:
        if one.action_rewards.shape[2] != mdp.n_actions:
            raise ShapeError(
                f"the goals' action_rewards are for {one.action_rewards.shape[2]} actions "
                f"and the world has {mdp.n_actions}."
            )
        rewards = rewards + one.action_rewards[0, states, actions]
    return rewards, continuation[arrivals] == 0
