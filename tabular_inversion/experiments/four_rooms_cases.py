"""What is run: variants, numbers of goals and seeds; what is known of the kernel; the tasks that no agent saw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.environments.rooms import Variant, four_rooms
from tabular_inversion.errors import InputError
from tabular_inversion.experiments import four_rooms_published as published
from tabular_inversion.experiments.four_rooms_published import Cell, UnseenTask
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Stochastic, Supported
from tabular_inversion.learning import LearningSettings
from tabular_inversion.mdp import MDP

PENALTY = 0.25
"""What arriving in an unsafe cell costs; arriving at the goal pays 1."""

DETERMINISTIC_SETTINGS = LearningSettings(step_scale=0.0, averaging=50.0)
"""Nothing has to be averaged out where every move goes where it points: each visit replaces the value."""

Configuration = tuple[Variant, int]
"""A variant and a number of goals."""

PUBLISHED_CONFIGURATIONS: tuple[Configuration, ...] = tuple(
    (variant, n_goals) for variant, curves in published.MSE.items() for n_goals in curves
)


@dataclass(frozen=True)
class Effort:
    """How much is run.

    Attributes
    ----------
    name : str
        What it is called.
    seeds : int
        How many agents are trained for each configuration; each has goals of its own.
    steps : tuple of int
        After how many transitions the kernel is recovered, ascending; training ends with the last.
    configurations : tuple of (variant, number of goals)
        Those of the paper when omitted.

    Examples
    --------
    >>> Effort("tiny", 1, (1000,), (("windy", 2),)).steps[-1]
    1000
    """

    name: str
    seeds: int
    steps: tuple[int, ...]
    configurations: tuple[Configuration, ...] = PUBLISHED_CONFIGURATIONS


_TO_ONE_MILLION = (100_000, 200_000, 500_000, 1_000_000)
_TO_TEN_MILLION = (*_TO_ONE_MILLION, 2_000_000, 3_000_000, 4_000_000, 6_000_000, 8_000_000, 10_000_000)
EFFORTS = {
    "quick": Effort("quick", 2, _TO_ONE_MILLION),
    "standard": Effort("standard", 5, _TO_TEN_MILLION),
    "full": Effort("full", 10, _TO_TEN_MILLION),
}


def effort_named(effort: str | Effort) -> Effort:
    """Return the effort of that name; raises `InputError` if there is none.

    Examples
    --------
    >>> effort_named("quick").seeds
    2
    """
    if isinstance(effort, Effort):
        return effort
    if effort not in EFFORTS:
        raise InputError(f"effort is {effort!r}; expected one of {', '.join(EFFORTS)}.")
    return EFFORTS[effort]


@dataclass(frozen=True)
class Case:
    """One agent: its world, its goals and its seed.

    Examples
    --------
    >>> case = Case("windy", 2, 0)
    >>> case.name, case.goals.n_goals, list(case.knowledge)
    ('windy-2-goals-seed-0', 2, ['successors known', 'neighbours only', 'stochastic'])
    """

    variant: Variant
    n_goals: int
    seed: int

    @property
    def name(self) -> str:
        """A word that can be a file name."""
        return f"{self.variant}-{self.n_goals}-goals-seed-{self.seed}"

    @cached_property
    def world(self) -> MDP:
        """The true world."""
        return four_rooms(self.variant, discount=published.DISCOUNT)

    @cached_property
    def goals(self) -> Goals:
        """Rewards from independent standard normals; more goals of one seed contain the fewer."""
        return Goals.generic(self.world.n_states, self.n_goals, seed=np.random.default_rng([self.seed, 1]))

    @property
    def settings(self) -> LearningSettings:
        """How the agent learns."""
        return DETERMINISTIC_SETTINGS if self.variant == "deterministic" else LearningSettings()

    @cached_property
    def knowledge(self) -> dict[str, KernelClass]:
        """What may be known of the kernel, the most first; every one of them is true of the variant."""
        neighbours = {"neighbours only": neighbours_only(self.world)}
        anything = {"stochastic": Stochastic()}
        if self.variant == "deterministic":
            return {"deterministic": Deterministic(), **neighbours, **anything}
        known = {"successors known": Supported.of(self.world)}
        return {**known, **(neighbours if self.variant == "windy" else {}), **anything}

    @property
    def unseen(self) -> tuple[UnseenTask, ...]:
        """The tasks that are planned for afterwards."""
        return published.UNSEEN[self.variant]

    @cached_property
    def unseen_goals(self) -> Goals:
        """Those tasks as goals."""
        return unseen_goals(self.world, self.unseen)


def neighbours_only(world: MDP) -> Supported:
    """Return the kernels whose moves lead to the same or a neighbouring cell, whatever the action.

    Examples
    --------
    >>> int(neighbours_only(four_rooms("windy")).sizes.max())
    5
    """
    places = _places(world)
    near = np.abs(places[:, None, :] - places[None, :, :]).sum(axis=2) <= 1
    return Supported(np.repeat(near[:, None, :], world.n_actions, axis=1))


def states_of(world: MDP, cells: tuple[Cell, ...]) -> IntArray:
    """Return the numbers of the states that are these cells; raises `InputError` for a wall.

    Examples
    --------
    >>> states_of(four_rooms(), ((1, 1), (9, 9)))
    array([ 0, 67])
    """
    same = (_places(world)[None] == np.array(cells).reshape(-1, 1, 2)).all(axis=2)
    if not same.any(axis=1).all():
        raise InputError(f"cell {cells[int(same.any(axis=1).argmin())]} is a wall or outside of the grid.")
    return np.asarray(same.argmax(axis=1))


def unseen_goals(world: MDP, tasks: tuple[UnseenTask, ...]) -> Goals:
    """Return tasks as goals: 1 at the goal, which ends the episode, and a penalty in unsafe cells, which does not.

    The penalty is such that an optimal agent goes around an unsafe cell where it can, and crosses one where it must.

    Examples
    --------
    >>> goals = unseen_goals(four_rooms(), (UnseenTask((9, 9), ((5, 3),)),))
    >>> goals.rewards.min().item(), goals.rewards.max().item(), (goals.continuation == 0).sum().item()
    (-0.25, 1.0, 1)
    """
    rewards = np.zeros((len(tasks), world.n_states))
    continuation = np.ones_like(rewards)
    for g, task in enumerate(tasks):
        rewards[g, states_of(world, task.unsafe)] = -PENALTY
        rewards[g, states_of(world, (task.goal,))] = 1.0
        continuation[g, states_of(world, (task.goal,))] = 0.0
    return Goals(rewards, continuation)


def _places(world: MDP) -> FloatArray:
    if world.coordinates is None:
        raise InputError("the world has no coordinates to find cells by; give an MDP with coordinates.")
    return world.coordinates
