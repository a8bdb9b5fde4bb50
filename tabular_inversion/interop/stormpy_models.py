"""Storm's sparse MDPs through stormpy (2.0 or later), both ways."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, MissingDependencyError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import Entries, assemble, refuse_ends, task_of
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
def from_stormpy(model: Any, *, discount: float, reward_model: str | None = None) -> Environment:
    """Read a sparse MDP or DTMC of Storm.

    Parameters
    ----------
    model : stormpy SparseMdp or SparseDtmc
        Choice i of a state is action i.
    discount : float
        In [0, 1].
    reward_model : str, optional
        Which one makes the native goal: its rewards for states and for choices. None when omitted.

    Returns
    -------
    Environment

    Raises
    ------
    InputError
        If the model is of another kind (a CTMC, Markov automaton, POMDP or game would lose what makes it one), or has
        no such reward model, or one on transitions.

    Examples
    --------
    >>> from_stormpy(to_stormpy(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)), discount=0.9).mdp
    MDP(n_states=2, n_actions=1, discount=0.9, sparse)
    """
    kind = getattr(getattr(model, "model_type", None), "name", type(model).__name__)
    if kind not in ("MDP", "DTMC"):
        raise InputError(f"the model is a {kind}; expected Storm's sparse MDP or DTMC.")
    columns: list[tuple[int, int, int, float]] = []
    for state in model.states:
        for action in state.actions:
            columns += [(state.id, action.id, entry.column, float(_value(entry))) for entry in action.transitions]
    state, action, arrival = (np.array([entry[i] for entry in columns], dtype=np.intp) for i in range(3))
    probability = np.array([entry[3] for entry in columns])
    n_actions = int(action.max(initial=0)) + 1
    paid = None
    if reward_model is not None:
        means = _means(model, reward_model, n_actions)
        paid = means[state, action]
    entries = Entries(state, action, arrival, probability, paid)
    return assemble("storm", entries, discount=discount, n_states=int(model.nr_states), n_actions=n_actions)


def _value(entry: Any) -> Any:
    return entry.value() if callable(entry.value) else entry.value


def _means(model: Any, name: str, n_actions: int) -> Any:
    known = list(model.reward_models)
    if name not in known:
        raise InputError(f"the model has no reward model {name!r}; it has {', '.join(known) or 'none'}.")
    rewards = model.reward_models[name]
    if rewards.has_transition_rewards:
        raise InputError(f"reward model {name!r} pays for transitions; reduce it to choices in Storm first.")
    means = np.zeros((int(model.nr_states), n_actions))
    if rewards.has_state_rewards:
        means += np.array(list(rewards.state_rewards), dtype=float)[:, None]
    if rewards.has_state_action_rewards:
        by_choice = list(rewards.state_action_rewards)
        for state in model.states:
            for action in state.actions:
                means[state.id, action.id] += float(by_choice[model.get_choice_index(state.id, action.id)])
    return means


@checked
def to_stormpy(mdp: MDP, goals: Goals | None = None, goal: int = 0, *, reward_model: str = "goal") -> Any:
    """Return a world, and optionally one of its goals as rewards of choices, as Storm's sparse MDP.

    Parameters
    ----------
    mdp : MDP
        The world; unavailable actions come last in each state, since Storm numbers choices without gaps. State 0 is
        labelled ``init``.
    goals : Goals, optional
        Its continuation must be 1 everywhere.
    goal : int
        Which of the goals.
    reward_model : str
        What its rewards are called.

    Raises
    ------
    InputError
        If an unavailable action comes before an available one.
    GoalsError
        If the goal ends episodes.
    MissingDependencyError
        If stormpy is not installed.

    Examples
    --------
    >>> to_stormpy(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)).nr_transitions
    3
    """
    try:
        from stormpy import datastructures, models
    except ImportError as problem:
        raise MissingDependencyError("stormpy 2 is not installed; install it with: pip install stormpy.") from problem
    gaps = np.argwhere(np.diff(mdp.available.astype(int), axis=1) > 0)
    if len(gaps):
        raise InputError(
            f"state {mdp.state_name(int(gaps[0][0]))} lacks an action before one that it has; Storm numbers choices "
            "without gaps: put unavailable actions last."
        )
    builder = datastructures.SparseMatrixBuilder(
        rows=0, columns=0, entries=0, force_dimensions=False, has_custom_row_grouping=True, row_groups=0
    )
    rows = csr_array(mdp.rows, copy=True)
    rows.eliminate_zeros()
    rows.sort_indices()
    choices = mdp.row_index.tolist()
    for number, row in enumerate(choices):
        if row % mdp.n_actions == 0:
            builder.new_row_group(number)
        for place in range(rows.indptr[row], rows.indptr[row + 1]):
            builder.add_next_value(number, int(rows.indices[place]), float(rows.data[place]))
    labels = models.StateLabeling(mdp.n_states)
    labels.add_label("init")
    labels.add_label_to_state("init", 0)
    parts = models.SparseModelComponents(transition_matrix=builder.build(), state_labeling=labels)
    if goals is not None:
        means, continuation = task_of(mdp, goals, goal)
        refuse_ends(continuation, mdp, "Storm's MDP")
        paid = means.ravel()[mdp.row_index].tolist()
        parts.reward_models = {reward_model: models.SparseRewardModel(optional_state_action_reward_vector=paid)}
    return models.SparseMdp(parts)
