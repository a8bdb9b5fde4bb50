"""mdpsolver's nested lists, both ways: by state, then by action, with zeros or element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, KernelError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import Entries, assemble, refuse_ends, task_of
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
def from_mdpsolver(
    *,
    discount: float,
    rewards: Any = None,
    tran_mat_with_zeros: Any = None,
    tran_mat_probs: Any = None,
    tran_mat_columns: Any = None,
) -> Environment:
    """Read the lists that ``mdpsolver.model().mdp(...)`` takes.

    Parameters
    ----------
    discount : float
        In [0, 1].
    rewards : nested list, optional
        ``rewards[s][a]``; states may have different numbers of actions.
    tran_mat_with_zeros : nested list, optional
        ``[s][a][t]``, every probability.
    tran_mat_probs, tran_mat_columns : nested lists, optional
        ``[s][a]``, the positive probabilities and their next states, in place of the former.

    Returns
    -------
    Environment

    Raises
    ------
    InputError
        If not exactly one of the two forms is given.
    KernelError
        If lists do not fit each other, or a row is no distribution.

    Examples
    --------
    >>> world = from_mdpsolver(discount=0.9, tran_mat_probs=[[[1.0]], [[0.5, 0.5]]], tran_mat_columns=[[[1]], [[0, 1]]])
    >>> world.mdp.toarray()[:, 0]
    array([[0. , 1. ],
           [0.5, 0.5]])
    """
    sparse = tran_mat_probs is not None and tran_mat_columns is not None
    if sparse == (tran_mat_with_zeros is not None):
        raise InputError(
            "give tran_mat_with_zeros, or both tran_mat_probs and tran_mat_columns; not neither, not both."
        )
    probabilities = tran_mat_probs if sparse else tran_mat_with_zeros
    columns: dict[str, list[Any]] = {name: [] for name in ("state", "action", "arrival", "probability", "reward")}
    for s, actions in enumerate(probabilities):
        for a, weights in enumerate(actions):
            try:
                arrivals = list(tran_mat_columns[s][a]) if sparse else list(range(len(weights)))
                paid = 0.0 if rewards is None else float(rewards[s][a])
            except (IndexError, TypeError, ValueError) as problem:
                raise KernelError(f"state {s}, action {a} has no columns or no reward ({problem}).") from problem
            if len(arrivals) != len(weights):
                raise KernelError(f"state {s}, action {a} has {len(weights)} probabilities for {len(arrivals)} states.")
            for name, values in zip(
                columns, ([s] * len(weights), [a] * len(weights), arrivals, weights, [paid] * len(weights)), strict=True
            ):
                columns[name] += list(values)
    n = len(probabilities)
    state, action, arrival = (np.array(columns[name], dtype=np.intp) for name in ("state", "action", "arrival"))
    wrong = np.flatnonzero((arrival < 0) | (arrival >= n))
    if wrong.size:
        i = int(wrong[0])
        raise KernelError(f"state {state[i]}, action {action[i]} leads to {arrival[i]}; states are 0 to {n - 1}.")
    weights = np.array(columns["probability"], dtype=float)
    reward = None if rewards is None else np.array(columns["reward"])
    entries = Entries(state, action, arrival, weights, reward)
    return assemble("mdpsolver", entries, discount=discount, n_states=n, n_actions=int(action.max()) + 1)


@checked
def to_mdpsolver(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> dict[str, Any]:
    """Return the keyword arguments of ``mdpsolver.model().mdp(...)`` for a world and one of its goals.

    Parameters
    ----------
    mdp : MDP
        The world. mdpsolver numbers the actions of a state without gaps, so unavailable ones must come last.
    goals : Goals, optional
        Rewards are 0 when omitted.
    goal : int
        Which of the goals; its continuation must be 1 everywhere.

    Raises
    ------
    InputError
        If an unavailable action comes before an available one.
    GoalsError
        If the goal ends episodes.

    Examples
    --------
    >>> to_mdpsolver(MDP([[[0.0, 1.0]], [[0.5, 0.5]]], discount=0.9))["tranMatColumns"]
    [[[1]], [[0, 1]]]
    """
    gaps = np.argwhere(np.diff(mdp.available.astype(int), axis=1) > 0)
    if len(gaps):
        state, action = gaps[0].tolist()
        raise InputError(
            f"state {mdp.state_name(state)} lacks action {action} and has action {action + 1}; mdpsolver numbers the "
            "actions of a state without gaps: put unavailable ones last."
        )
    rewards, continuation = task_of(mdp, goals, goal)
    refuse_ends(continuation, mdp, "mdpsolver")
    rows = csr_array(mdp.rows, copy=True)
    rows.eliminate_zeros()
    found: dict[str, Any] = {"discount": mdp.discount, "rewards": [], "tranMatProbs": [], "tranMatColumns": []}
    for s, actions in enumerate(mdp.available.sum(axis=1).tolist()):
        parts = [slice(*rows.indptr[s * mdp.n_actions + a :][:2]) for a in range(actions)]
        found["rewards"].append(rewards[s, :actions].tolist())
        found["tranMatProbs"].append([rows.data[part].tolist() for part in parts])
        found["tranMatColumns"].append([rows.indices[part].tolist() for part in parts])
    return found
