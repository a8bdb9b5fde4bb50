"""QuantEcon's `DiscreteDP`, both ways, in its product form (R (n, m), Q (n, m, n)) and its state-action form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, MissingDependencyError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import Entries, assemble, refuse_ends, task_of
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
def from_quantecon(program: Any) -> Environment:
    """Read a `quantecon.markov.DiscreteDP`, which does not check that its rows are distributions; we do.

    Parameters
    ----------
    program : quantecon.markov.DiscreteDP
        Of either form, dense or sparse. An action with reward -inf is unavailable. `beta` is the discount.

    Returns
    -------
    Environment
        The native goal pays R(s, a) for the action.

    Raises
    ------
    InputError
        If this is no DiscreteDP.
    KernelError
        If a row does not sum to one.

    Examples
    --------
    >>> from quantecon.markov import DiscreteDP
    >>> program = DiscreteDP([[1.0, -np.inf], [0.0, 2.0]], [[[0.5, 0.5], [0, 0]], [[1, 0], [0, 1]]], 0.9)
    >>> from_quantecon(program).mdp.available
    array([[ True, False],
           [ True,  True]])
    """
    missing = [name for name in ("R", "Q", "beta", "num_states") if not hasattr(program, name)]
    if missing:
        raise InputError(f"{type(program).__name__} has no {missing[0]}; expected a quantecon.markov.DiscreteDP.")
    rewards, transitions, n = np.asarray(program.R, dtype=float), program.Q, int(program.num_states)
    if rewards.ndim == 2:
        states, actions = np.nonzero(rewards > -np.inf)
        rows = np.asarray(transitions, dtype=float)[states, actions]
        n_actions = rewards.shape[1]
        paid = rewards[states, actions]
    else:
        states, actions = (np.asarray(part, dtype=np.intp) for part in (program.s_indices, program.a_indices))
        kept = rewards > -np.inf
        rows, states, actions, paid = transitions[kept], states[kept], actions[kept], rewards[kept]
        n_actions = int(np.asarray(program.a_indices).max()) + 1
    entries = csr_array(rows).tocoo()
    given = Entries(states[entries.row], actions[entries.row], entries.col, entries.data, paid[entries.row])
    found = assemble("DiscreteDP", given, discount=float(program.beta), n_states=n, n_actions=n_actions)
    # The reward of an action is not a mean: rounding in the sum of a row's probabilities must not reach it.
    exact = np.zeros((1, n, n_actions))
    exact[0, states, actions] = paid
    return Environment(found.name, found.mdp, Goals(np.zeros((1, n)), action_rewards=exact))


@checked
def to_quantecon(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> Any:
    """Return a world and one of its goals as a `DiscreteDP`, in product form if dense, else in state-action form.

    Parameters
    ----------
    mdp : MDP
        The world; an unavailable action gets reward -inf (product form) or no entry (state-action form).
    goals : Goals, optional
        Rewards are 0 when omitted.
    goal : int
        Which of the goals; its continuation must be 1 everywhere.

    Raises
    ------
    GoalsError
        If the goal ends episodes: a DiscreteDP never does.
    MissingDependencyError
        If quantecon is not installed.

    Examples
    --------
    >>> program = to_quantecon(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9), Goals([[0.0, 1.0]]))
    >>> program.R
    array([[0.5],
           [1. ]])
    """
    try:
        from quantecon.markov import DiscreteDP
    except ImportError as problem:
        raise MissingDependencyError("quantecon is not installed; install it with: pip install quantecon.") from problem
    rewards, continuation = task_of(mdp, goals, goal)
    refuse_ends(continuation, mdp, "QuantEcon's DiscreteDP")
    if issparse(mdp.kernel):
        states, actions = np.divmod(mdp.row_index, mdp.n_actions)
        return DiscreteDP(rewards[states, actions], sparse_rows(mdp.rows)[mdp.row_index], mdp.discount, states, actions)
    return DiscreteDP(np.where(mdp.available, rewards, -np.inf), np.array(mdp.kernel), mdp.discount)
