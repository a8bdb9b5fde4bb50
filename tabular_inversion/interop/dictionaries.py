"""Worlds as dictionaries or lists, in every spelling that is met: states of any kind, outcomes of any length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import KernelError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import ROUNDED
from tabular_inversion.interop.transitions import from_transitions, to_transitions
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

_OUTCOME = "{next_state: probability}, or a list of (p, next_state[, reward[, terminated]])"


@checked
def from_dict(table: Mapping[Any, Any] | Sequence[Any], *, discount: float, within: float = ROUNDED) -> Environment:
    """Read a world from a table of states and actions.

    Parameters
    ----------
    table : mapping or sequence
        ``table[state][action]``, or ``table[state, action]`` with pairs as keys. Each action has its outcomes:
        ``{next_state: probability}``, or a list of tuples (probability, next_state), with reward as a third entry and
        terminated as a fourth (gymnasium's order). Sequences in place of mappings are numbered from 0. States and
        actions may be anything hashable; a state that is only entered has no action and is refused.
    discount : float
        In [0, 1].
    within : float
        Rows that miss one by more than rounding, and by no more than this, are divided by their sums
        (`tabular_inversion.normalised`); raise it for probabilities written with few digits.

    Returns
    -------
    Environment
        With a native goal where outcomes have rewards.

    Raises
    ------
    KernelError
        If an outcome cannot be read, with its place, or a row is no distribution.

    Examples
    --------
    >>> table = {(0, 0): {"east": {(0, 1): 1.0}}, (0, 1): {"stay": [(1.0, (0, 1), 2.0, False)]}}
    >>> world = from_dict(table, discount=0.9)
    >>> world.mdp.state_names, world.mdp.action_names
    (('(0, 0)', '(0, 1)'), ('east', 'stay'))
    >>> world.native_goals.action_rewards[0]
    array([[0., 0.],
           [0., 2.]])
    """
    columns: dict[str, list[Any]] = {name: [] for name in ("state", "action", "next_state", "probability")}
    rewards: list[float] = []
    ends: list[bool] = []
    lengths = set()
    states = list(dict.fromkeys(state for state, _, _ in _rows(table)))
    for state, action, outcomes in _rows(table):
        for p, arrival, *rest in _outcomes(state, action, outcomes):
            for name, entry in zip(columns, (state, action, arrival, p), strict=True):
                columns[name].append(entry)
            lengths.add(len(rest))
            rewards.append(rest[0] if rest else 0.0)
            ends.append(_flag(state, action, rest[1]) if len(rest) > 1 else False)
    if not rewards:
        raise KernelError("the table has no outcome; give each action at least one.")
    unknown = next((t for t in columns["next_state"] if t not in set(states)), None)
    if unknown is not None:
        raise KernelError(f"state {unknown!r} is entered and has no action of its own; add it to the table.")
    whole = all(isinstance(state, int) and not isinstance(state, bool) for state in states)
    found = from_transitions(
        **columns,
        discount=discount,
        within=within,
        reward=rewards if max(lengths) > 0 else None,
        terminated=ends if max(lengths) > 1 else None,
        states=sorted(states) if whole else states,
    )
    return Environment("dictionary", found.mdp, found.native_goals)


def _rows(table: Mapping[Any, Any] | Sequence[Any]) -> list[tuple[Any, Any, Any]]:
    """List (state, action, outcomes) of either layout."""
    outer = _items(table, "the table")
    if outer and all(isinstance(key, tuple) and len(key) == 2 and _is_row(value) for key, value in outer):
        return [(*key, value) for key, value in outer]
    rows = []
    for state, actions in outer:
        rows += [(state, action, outcomes) for action, outcomes in _items(actions, f"state {state!r}")]
    return rows


def _is_row(value: Any) -> bool:
    """Whether this is a list of outcomes, or a distribution, and no further level of actions."""
    if isinstance(value, Mapping):
        return all(isinstance(p, int | float) for p in value.values())
    return isinstance(value, Sequence) and all(isinstance(entry, tuple | list) and len(entry) > 1 for entry in value)


def _items(table: Any, what: str) -> list[tuple[Any, Any]]:
    if isinstance(table, Mapping):
        return list(table.items())
    if isinstance(table, Sequence) and not isinstance(table, str):
        return list(enumerate(table))
    raise KernelError(
        f"{what} holds {type(table).__name__}; expected a dictionary or list of actions, each {_OUTCOME}."
    )


def _outcomes(state: Any, action: Any, outcomes: Any) -> list[tuple[Any, ...]]:
    if isinstance(outcomes, Mapping):
        return [(p, arrival) for arrival, p in outcomes.items()]
    listed = isinstance(outcomes, Sequence) and not isinstance(outcomes, str)
    if listed and all(isinstance(entry, tuple | list) and 2 <= len(entry) <= 4 for entry in outcomes):
        return [tuple(entry) for entry in outcomes]
    raise KernelError(f"state {state!r}, action {action!r} has {outcomes!r}; expected {_OUTCOME}.")


def _flag(state: Any, action: Any, value: Any) -> bool:
    if value not in (True, False):
        raise KernelError(f"state {state!r}, action {action!r}: terminated is {value!r}; expected True or False.")
    return bool(value)


@checked
def to_dict(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> dict[Any, dict[Any, list[tuple[Any, ...]]]]:
    """Return a world as ``table[state][action]``, a list of tuples that `from_dict` reads back.

    Parameters
    ----------
    mdp : MDP
        The world.
    goals : Goals, optional
        Then each outcome has a reward and a flag: (p, next_state, reward, terminated), else (p, next_state).
    goal : int
        Which of the goals.

    Examples
    --------
    >>> to_dict(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9))
    {0: {0: [(0.5, 0), (0.5, 1)]}, 1: {0: [(1.0, 1)]}}
    """
    columns = to_transitions(mdp, goals, goal)
    table: dict[Any, dict[Any, list[tuple[Any, ...]]]] = {}
    fields = ["probability", "next_state", *(name for name in ("reward", "terminated") if name in columns)]
    for i, (state, action) in enumerate(zip(columns["state"], columns["action"], strict=True)):
        table.setdefault(state, {}).setdefault(action, []).append(tuple(columns[name][i] for name in fields))
    return table
