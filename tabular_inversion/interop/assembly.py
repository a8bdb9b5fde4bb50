"""A world and its own task, put together from one entry for each outcome: what every reader of a format ends with."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import GoalsError, KernelError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised

ROUNDED = 1e-9
"""How far the sum of a row of outcomes, often sums of products, may be from one, unless a reader is told otherwise."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Numbers for names, in a stated order.

    Attributes
    ----------
    names : tuple of str or None
        None where the labels are 0, 1, 2, ... themselves.
    numbers : numpy.ndarray of int
        The number of each label that was given.
    """

    names: tuple[str, ...] | None
    numbers: IntArray


def number(labels: Iterable[Hashable], order: Sequence[Hashable] | None = None) -> Labels:
    """Give numbers to labels: whole numbers by size, others by appearance, or all in the order that is given.

    Examples
    --------
    >>> number(["b", "a", "b"])
    Labels(names=('b', 'a'), numbers=array([0, 1, 0]))
    >>> number([2, 0, 1, 2]).numbers
    array([2, 0, 1, 2])
    """
    given: list[Any] = list(labels)
    whole = all(isinstance(label, int | np.integer) and not isinstance(label, bool) for label in given)
    if order is None:
        order = range(int(max(given, default=-1)) + 1) if whole else list(dict.fromkeys(given))
    place = {label: i for i, label in enumerate(order)}
    if len(place) != len(order):
        raise KernelError("a label stands twice in the order of states or actions; give each once.")
    unknown = next((label for label in given if label not in place), None)
    if unknown is not None:
        raise KernelError(f"{unknown!r} is not among the {len(place)} labels that are known; add it, or correct it.")
    plain = all(label == i for i, label in enumerate(order))
    names = None if plain else tuple(str(label) for label in order)
    return Labels(names, np.array([place[label] for label in given], dtype=np.intp))


@dataclass(frozen=True, eq=False)
class Entries:
    """The outcomes of a world, one entry each, shape (outcomes,); `reward` and `terminated` where a task is known."""

    state: IntArray
    action: IntArray
    arrival: IntArray
    probability: FloatArray
    reward: FloatArray | None = None
    terminated: BoolArray | None = None


def assemble(
    name: str,
    entries: Entries,
    *,
    discount: float,
    n_states: int,
    n_actions: int,
    state_names: Sequence[str] | None = None,
    action_names: Sequence[str] | None = None,
    coordinates: ArrayLike | None = None,
    within: float = ROUNDED,
) -> Environment:
    """Build the world, sparse, and the one goal that its rewards and ends make.

    Parameters
    ----------
    name : str
        Of the environment.
    entries : Entries
        Outcomes of probability 0 are left out; those of one (s, a) with one arrival are summed.
    discount : float
        In [0, 1].
    n_states, n_actions : int
        Sizes; an action without an outcome is unavailable.
    state_names, action_names, coordinates
        As `MDP` takes them.
    within : float
        Rows that miss one by more than rounding, and by no more than this, are divided by their sums
        (`tabular_inversion.normalised`); raise it for probabilities written with few digits.

    Returns
    -------
    Environment
        The native goal pays ``action_rewards[0, s, a] = sum p * reward``, as in `from_gymnasium`.

    Raises
    ------
    KernelError
        If a row is no distribution.
    GoalsError
        If a state is entered both with and without an end.
    """
    kept = entries.probability != 0
    state, action, arrival, probability = (
        part[kept] for part in (entries.state, entries.action, entries.arrival, entries.probability)
    )
    rows = state * n_actions + action
    shape = (n_states * n_actions, n_states)
    kernel = csr_array((probability, (rows, arrival)), shape=shape)
    available = np.bincount(rows, minlength=shape[0]).reshape(n_states, n_actions) > 0
    rows_given = normalised(kernel, within=within).kernel
    mdp = MDP(rows_given, discount, available, state_names, action_names, coordinates)  # type: ignore[arg-type]
    if entries.reward is None:
        return Environment(name, mdp)
    means = np.bincount(rows, weights=probability * entries.reward[kept], minlength=shape[0])
    ended = np.zeros(n_states, bool)
    if entries.terminated is not None:
        flags = entries.terminated[kept]
        ended[arrival[flags]] = True
        both = np.flatnonzero(ended[arrival] & ~flags)
        if both.size:
            at = int(arrival[both[0]])
            raise GoalsError(
                f"state {mdp.state_name(at)} is entered with and without an end of the episode; a goal ends it by "
                "state: split the state in two."
            )
    goals = Goals(
        np.zeros((1, n_states)), np.where(ended, 0.0, 1.0)[None], means.astype(float).reshape(1, n_states, n_actions)
    )
    return Environment(name, mdp, goals)


def task_of(mdp: MDP, goals: Goals | None, goal: int) -> tuple[FloatArray, FloatArray]:
    """Return what a format that pays for (s, a) needs of a goal: mean rewards (S, A), and continuation (S,).

    Parameters
    ----------
    mdp : MDP
        The world.
    goals : Goals, optional
        Nothing is paid and nothing ends when omitted.
    goal : int
        Which of them.

    Raises
    ------
    ShapeError
        If the goals do not fit the world.
    """
    if goals is None:
        return np.zeros((mdp.n_states, mdp.n_actions)), np.ones(mdp.n_states)
    if goals.n_states != mdp.n_states:
        raise ShapeError(f"the goals are on {goals.n_states} states and the world has {mdp.n_states}.")
    one = goals.select(goal)
    means = mdp.expectation(one.rewards)[0]
    if one.action_rewards is not None:
        if one.action_rewards.shape[2] != mdp.n_actions:
            raise ShapeError(
                f"the goals' action_rewards are for {one.action_rewards.shape[2]} actions and the world has "
                f"{mdp.n_actions}."
            )
        means = means + one.action_rewards[0]
    return means, one.continuation[0]


def refuse_ends(continuation: FloatArray, mdp: MDP, package: str) -> None:
    """Raise `GoalsError` where a format has no end of an episode and the goal has one."""
    ends = np.flatnonzero(continuation != 1)
    if ends.size:
        raise GoalsError(
            f"the goal ends at state {mdp.state_name(int(ends[0]))} (continuation {continuation[ends[0]]:g}), and "
            f"{package} has no ends: give a goal with continuation 1, or make the state absorbing."
        )
