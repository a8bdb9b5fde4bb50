"""Transitions as columns: arrays of states, actions, next states and probabilities, or a data frame that has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, KernelError, MissingDependencyError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import ROUNDED, Entries, Labels, assemble, number, task_of
from tabular_inversion.kinds import checked, describe
from tabular_inversion.mdp import MDP

COLUMNS = ("state", "action", "next_state", "probability")
"""What the columns of a data frame are called unless told otherwise; ``reward`` and ``terminated`` may follow."""


@checked
def from_transitions(
    state: ArrayLike,
    action: ArrayLike,
    next_state: ArrayLike,
    probability: ArrayLike,
    *,
    discount: float,
    within: float = ROUNDED,
    reward: ArrayLike | None = None,
    terminated: ArrayLike | None = None,
    states: Sequence[Any] | None = None,
    actions: Sequence[Any] | None = None,
) -> Environment:
    """Read a world from one entry for each outcome.

    Parameters
    ----------
    state, action, next_state : array_like, shape (outcomes,)
        Labels: whole numbers from 0, or anything hashable (then they become names, ordered by appearance).
    probability : array_like, shape (outcomes,)
        In [0, 1]; outcomes of one (state, action) sum to one.
    discount : float
        In [0, 1].
    within : float
        Rows that miss one by more than rounding, and by no more than this, are divided by their sums
        (`tabular_inversion.normalised`); raise it for probabilities written with few digits.
    reward, terminated : array_like, shape (outcomes,), optional
        What an outcome pays, and whether it ends the episode; then the environment has a native goal.
    states, actions : sequence, optional
        All labels, in the order that is wanted.

    Returns
    -------
    Environment
        An action without an outcome in a state is unavailable there.

    Raises
    ------
    ShapeError
        If the columns have different lengths, or none has an entry.
    KernelError
        If a row is no distribution, or a label unknown.

    Examples
    --------
    >>> world = from_transitions(["a", "a", "b"], [0, 0, 0], ["a", "b", "b"], [0.25, 0.75, 1.0], discount=0.9).mdp
    >>> world.state_names, world.toarray()[0, 0]
    (('a', 'b'), array([0.25, 0.75]))
    """
    columns = {"state": state, "action": action, "next_state": next_state, "probability": probability}
    optional = {"reward": reward, "terminated": terminated}
    columns |= {name: column for name, column in optional.items() if column is not None}
    lists = {name: np.asarray(column, dtype=object).tolist() for name, column in _plain(columns).items()}
    lengths = {name: len(column) for name, column in lists.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ShapeError(f"the columns have lengths: {shown}; expected one entry of each for every outcome.")
    size = lengths["state"]
    places = number([*lists["state"], *lists["next_state"]], states)
    moves = number(lists["action"], actions)
    weights = _probabilities(lists)
    entries = Entries(
        places.numbers[:size],
        moves.numbers,
        places.numbers[size:],
        weights,
        None if reward is None and terminated is None else _floats("reward", lists.get("reward", [0.0] * size)),
        None if terminated is None else np.array(lists["terminated"], dtype=bool),
    )
    return assemble(
        "transitions",
        entries,
        discount=discount,
        within=within,
        n_states=_count(states, places),
        n_actions=_count(actions, moves),
        state_names=places.names,
        action_names=moves.names,
    )


def _count(known: Sequence[Any] | None, labels: Labels) -> int:
    """Return how many states or actions there are: those that are known, or named, or numbered."""
    if known is not None:
        return len(known)
    return len(labels.names) if labels.names else int(labels.numbers.max()) + 1


def _probabilities(lists: dict[str, list[Any]]) -> Any:
    weights = _floats("probability", lists["probability"])
    outside = np.flatnonzero(~((weights >= 0) & (weights <= 1)))
    if outside.size:
        i = int(outside[0])
        raise KernelError(
            f"outcome {i} (state {lists['state'][i]!r}, action {lists['action'][i]!r}) has probability {weights[i]}; "
            "expected a number in [0, 1]."
        )
    return weights


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    """Keep labels that are tuples whole: numpy would take them for a second axis."""
    listed = {name: isinstance(column, list | tuple) or np.ndim(column) > 0 for name, column in columns.items()}
    scalar = [name for name, is_list in listed.items() if not is_list]
    if scalar:
        raise ShapeError(f"the column {scalar[0]} is no list; expected one entry for each outcome.")
    plain = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            if column.ndim != 1:
                raise ShapeError(f"{name} has shape {column.shape}; expected (outcomes,).")
            plain[name] = column
            continue
        entries = list(column)
        held = np.empty(len(entries), dtype=object)
        held[:] = entries
        plain[name] = held
    return plain


def _floats(name: str, column: list[Any]) -> Any:
    try:
        values = np.array([float(entry) for entry in column])
    except (TypeError, ValueError) as problem:
        raise InputError(f"{name} cannot be read as numbers ({problem}); give real ones.") from problem
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError(f"{name} of outcome {bad[0]} is {values[bad[0]]}; give finite numbers.")
    return values


@checked
def from_dataframe(frame: Any, *, discount: float, columns: Sequence[str] = COLUMNS, **options: Any) -> Environment:
    """Read a world from a data frame (pandas, polars, or any mapping from column names to arrays).

    Parameters
    ----------
    frame : mapping of columns
        With the four `columns`; ``reward`` and ``terminated`` are read where they exist.
    discount : float
        In [0, 1].
    columns : sequence of 4 str
        What state, action, next state and probability are called.
    **options
        ``states`` and ``actions`` of `from_transitions`.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> table = {"state": [0, 1], "action": [0, 0], "next_state": [1, 1], "probability": [1.0, 1.0]}
    >>> from_dataframe(table, discount=0.5).mdp
    MDP(n_states=2, n_actions=1, discount=0.5, sparse)
    """
    if not hasattr(frame, "columns") and not isinstance(frame, Mapping):
        raise InputError(f"frame is {describe(frame)}; expected a data frame, or a mapping of its columns.")
    known = [str(name) for name in (frame.columns if hasattr(frame, "columns") else frame)]
    missing = [name for name in columns if name not in known]
    if missing or len(columns) != len(COLUMNS):
        raise InputError(
            f"the frame has the columns {', '.join(known)}; {', '.join(missing) or 'four names'} expected: name state, "
            "action, next state and probability by columns=(...)."
        )
    extra: dict[str, Any] = {name: list(frame[name]) for name in ("reward", "terminated") if name in known}
    state, action, following, probability = (list(frame[name]) for name in columns)
    return from_transitions(state, action, following, probability, discount=discount, **extra, **options)


@checked
def to_transitions(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> dict[str, list[Any]]:
    """Return a world as columns that `from_transitions` reads back.

    Parameters
    ----------
    mdp : MDP
        The world; names where it has some, else numbers.
    goals : Goals, optional
        Then there are columns ``reward`` (the mean under (state, action)) and ``terminated``.
    goal : int
        Which of the goals.

    Returns
    -------
    dict from str to list
        ``state``, ``action``, ``next_state``, ``probability``, one entry for each outcome.

    Raises
    ------
    GoalsError, ShapeError
        If the goal does not fit, or ends episodes in part.

    Examples
    --------
    >>> to_transitions(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9))["probability"]
    [0.5, 0.5, 1.0]
    """
    rows = csr_array(mdp.rows, copy=True)
    rows.eliminate_zeros()
    entries = rows.tocoo()
    states, actions = np.divmod(entries.row, mdp.n_actions)
    state_names: Sequence[Any] = mdp.state_names or range(mdp.n_states)
    action_names: Sequence[Any] = mdp.action_names or range(mdp.n_actions)
    found: dict[str, list[Any]] = {
        "state": [state_names[s] for s in states.tolist()],
        "action": [action_names[a] for a in actions.tolist()],
        "next_state": [state_names[t] for t in entries.col.tolist()],
        "probability": entries.data.tolist(),
    }
    if goals is not None:
        rewards, continuation = task_of(mdp, goals, goal)
        partial = np.flatnonzero((continuation != 0) & (continuation != 1))
        if partial.size:
            raise InputError(
                f"the goal has continuation {continuation[partial[0]]} at state {mdp.state_name(int(partial[0]))}; an "
                "outcome ends an episode or not: use 0 or 1."
            )
        found["reward"] = rewards[states, actions].tolist()
        found["terminated"] = (continuation[entries.col] == 0).tolist()
    return found


@checked
def to_dataframe(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> Any:
    """Return `to_transitions` as a pandas data frame.

    Raises
    ------
    MissingDependencyError
        If pandas is not installed.

    Examples
    --------
    >>> to_dataframe(MDP([[[1.0]]], discount=0.5))
       state  action  next_state  probability
    0      0       0           0          1.0
    """
    try:
        import pandas as pd
    except ImportError as problem:
        raise MissingDependencyError("pandas is not installed; install it with: pip install pandas.") from problem
    return pd.DataFrame(to_transitions(mdp, goals, goal))
