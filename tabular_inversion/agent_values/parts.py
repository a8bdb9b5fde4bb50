"""An agent as several whose rows share their equations: the same goals known, and the same test functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import hstack

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.agent_values.changes import of_goals
from tabular_inversion.agent_values.values import AgentValues
from tabular_inversion.errors import InputError
from tabular_inversion.goals import Goals
from tabular_inversion.validation import shortened

_UNIT = float(np.finfo(np.float64).eps) / 2.0


class Part(NamedTuple):
    """Some rows of an agent, seen through the goals that know them.

    Attributes
    ----------
    places : numpy.ndarray of int, shape (rows,)
        Where these rows are among `AgentValues.row_index`.
    agent : AgentValues
        With an equation for each of these rows from each of its goals, and one test matrix.
    """

    places: IntArray
    agent: AgentValues


def parts_of(agent: AgentValues, rows: BoolArray | None = None) -> list[Part]:
    """Split an agent by what its rows have in common; one part, the agent itself, where they share everything.

    Parameters
    ----------
    agent : AgentValues
        Any.
    rows : numpy.ndarray of bool, shape (S, A), optional
        The rows asked about; all when omitted.

    Notes
    -----
    A row without any equation is one with a single equation 0 = 0.

    Examples
    --------
    >>> goals = Goals.indicator(2)
    >>> agent = AgentValues.episodic([[[0.0], [1.0]], [[1.0], [0.0]]], goals, 0.9)
    >>> [(part.places.tolist(), part.agent.n_goals) for part in parts_of(agent)]
    [([0], 1), ([1], 1)]
    """
    everyone = np.arange(len(agent.row_index))
    asked = everyone if rows is None else np.flatnonzero(rows.ravel()[agent.row_index])
    if agent.is_complete and agent.transition_rewards is None:
        whole = agent if len(asked) == len(everyone) else agent.seen_as(asked=_mask(agent, asked))
        return [Part(asked, whole)]
    keys: list[NDArray[Any]] = [agent.known.reshape(agent.n_goals, -1)[:, agent.row_index[asked]]]
    if agent.transition_rewards is not None:
        keys.append(_groups_of_rewards(agent)[None, agent.row_index[asked]])
    _, first, group = np.unique(np.concatenate(keys), axis=1, return_index=True, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(group.ravel()))[:-1]
    own = asked[first]
    return [Part(asked[rows], _part(agent, asked[rows], int(own[i]))) for i, rows in enumerate(np.split(order, ends))]


def _mask(agent: AgentValues, places: IntArray) -> BoolArray:
    mask = np.zeros(agent.available.size, bool)
    mask[agent.row_index[places]] = True
    return mask.reshape(agent.available.shape)


def _groups_of_rewards(agent: AgentValues) -> IntArray:
    """Return which rows have the same rewards of transitions, shape (S*A,)."""
    own = agent.transition_rewards
    if isinstance(own, tuple):
        joined = hstack(own, format="csr")
        joined.eliminate_zeros()
        joined.sort_indices()
        texts = [
            joined.indices[start:end].tobytes() + joined.data[start:end].tobytes()
            for start, end in zip(joined.indptr, joined.indptr[1:], strict=False)
        ]
        return np.unique(np.array(texts, dtype=object), return_inverse=True)[1].ravel()
    table = np.moveaxis(np.asarray(own), 0, 2).reshape(agent.available.size, -1)
    return np.unique(table, axis=0, return_inverse=True)[1].ravel()


def _part(agent: AgentValues, places: IntArray, first: int) -> AgentValues:
    """Return the agent of rows that know the same goals, and have the same test functions as the row `first`."""
    state, action = divmod(int(agent.row_index[first]), agent.n_actions)
    goals = np.flatnonzero(agent.known[:, state, action])
    if not goals.size:
        blank = Goals(np.zeros((1, agent.n_states)))
        return AgentValues(
            np.zeros((1, *agent.available.shape)), blank, 0.0, available=agent.available, noise=0.0,
            state_names=agent.state_names, action_names=agent.action_names, asked=_mask(agent, places),
        )  # fmt: skip
    changed = of_goals(agent, goals)
    if agent.transition_rewards is not None:
        given: Goals = changed["goals"]
        own = agent.rewards_of(state, action)[goals]
        changed["goals"] = Goals(given.rewards + own, given.continuation, given.action_rewards, given.names)
        changed["transition_rewards"] = None
        # The sum of two rewards is rounded.
        rounded = np.where((given.rewards != 0) & (own != 0), _UNIT * np.abs(given.rewards + own), 0.0)
        changed["test_noise"] = changed["test_noise"] + rounded if rounded.any() else changed["test_noise"]
    return replace(agent, **changed, asked=_mask(agent, places))


def read_rows(rows: ArrayLike, available: BoolArray) -> BoolArray:
    """Return the rows that are meant, shape (S, A): given as bool (S, A), or as numbers s*A + a.

    Raises
    ------
    InputError
        If there are none, or one is unavailable or does not exist.
    """
    shape = available.shape
    given = np.asarray(rows)
    mask = np.zeros(shape, bool)
    if given.dtype == bool and given.shape == shape:
        mask = given.copy()
    elif given.ndim == 1 and np.issubdtype(given.dtype, np.integer) and given.size:
        if given.min() < 0 or given.max() >= available.size:
            raise InputError(f"rows holds {shortened(rows)}; expected numbers s*A + a from 0 to {available.size - 1}.")
        mask.ravel()[given] = True
    else:
        raise InputError(f"rows is {shortened(rows)}; expected bool of shape {shape}, or numbers s*A + a of rows.")
    wrong = mask & ~available
    if wrong.any() or not mask.any():
        where = "none is True" if not mask.any() else f"row {int(np.flatnonzero(wrong)[0])} is unavailable"
        raise InputError(f"rows asks for no row that can be decided: {where}; name rows of available actions.")
    return mask
