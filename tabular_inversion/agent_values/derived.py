"""What follows from the fields of an agent: sizes, names, weights, equations."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import AgentValuesError
from tabular_inversion.kinds import checked
from tabular_inversion.validation import frozen_array

if TYPE_CHECKING:
    from tabular_inversion.agent_values.noise import Noise
    from tabular_inversion.agent_values.reading import TransitionRewards
    from tabular_inversion.agent_values.report import SolverReport
    from tabular_inversion.goals import Goals

_KEPT = 4
"""Kinds of systems (with the sum to one or without, levels of noise) whose decompositions an agent keeps."""


@checked
class Derived:
    """What follows from the fields of `AgentValues`, which is the only class of this kind.

    Examples
    --------
    >>> from tabular_inversion import AgentValues, Goals
    >>> agent = AgentValues([[[1.0], [np.nan]]], Goals.indicator(2, [1]), 0.5, state_names=["here", "there"])
    >>> agent.known.tolist(), agent.name_of(1, 0)
    ([[[True], [False]]], 'state there, action 0')
    """

    if TYPE_CHECKING:
        q: FloatArray
        goals: Goals
        discount: float
        available: BoolArray
        policy: FloatArray | None
        report: SolverReport | None
        own_v: FloatArray | None
        test_noise: float | FloatArray
        coordinates: FloatArray | None
        asked: BoolArray | None
        noise: Noise | None
        goal_discounts: FloatArray | None
        transition_rewards: TransitionRewards | None
        state_names: tuple[str, ...] | None
        action_names: tuple[str, ...] | None

        @property
        def v(self) -> FloatArray:
            """The state values."""

    @property
    def n_goals(self) -> int:
        """k, the number of goals."""
        return int(self.q.shape[0])

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.q.shape[1])

    @property
    def n_actions(self) -> int:
        """m, the number of actions."""
        return int(self.q.shape[2])

    @property
    def discounts(self) -> FloatArray:
        """The discount of each goal, shape (G,)."""
        return np.full(self.n_goals, self.discount) if self.goal_discounts is None else self.goal_discounts

    @property
    def one_discount(self) -> float:
        """The discount that all goals share; raises `AgentValuesError` where they do not: a world has one."""
        if self.goal_discounts is not None and np.ptp(self.goal_discounts) > 0:
            raise AgentValuesError(
                f"goals have discounts from {self.goal_discounts.min():g} to {self.goal_discounts.max():g}, and a "
                "world has one; select goals that share theirs."
            )
        return self.discount

    @cached_property
    def weights(self) -> FloatArray:
        """``discount * C``, by which state values enter the test functions, shape (G, S)."""
        factor = self.discount if self.goal_discounts is None else self.goal_discounts[:, None]
        return frozen_array(factor * self.goals.continuation)

    @cached_property
    def known(self) -> BoolArray:
        """Which rows have an equation from which goal, shape (G, S, A)."""
        return frozen_array(~np.isnan(self.q), bool)

    @cached_property
    def is_complete(self) -> bool:
        """Whether every goal has an equation for every available row."""
        return bool((self.known | ~self.available).all())

    @cached_property
    def shared_tests(self) -> FloatArray:
        """R + discount * C * V, shape (G, S): M, but for rewards that differ from row to row.

        Raises
        ------
        AgentValuesError
            If a state value is missing where an episode goes on.
        """
        tests = self.goals.rewards + np.where(self.weights > 0, self.weights * self.v, 0.0)
        lost = np.isnan(tests)
        if lost.any():
            goal, state = np.argwhere(lost)[0].tolist()
            raise AgentValuesError(
                f"the value of {self.name_of(state)} under {self.name_of_goal(goal)} is unknown ({int(lost.sum())} in "
                "all), because values of its actions are missing, and episodes go on from there: give v, mark actions "
                "that nobody takes as unavailable, or leave out the goal."
            )
        return frozen_array(tests)

    def tests_of(self, state: int, action: int) -> FloatArray:
        """Return the test functions of one row, shape (G, S): M, with the rewards of that row's transitions."""
        if self.transition_rewards is None:
            return self.shared_tests
        return self.shared_tests + self.rewards_of(state, action)

    def rewards_of(self, state: int, action: int) -> FloatArray:
        """Return the rewards of one row's transitions, shape (G, S); zeros where there are none."""
        own = self.transition_rewards
        if own is None:
            return np.zeros(self.q.shape[:2])
        if isinstance(own, tuple):
            return np.concatenate([each[[state * self.n_actions + action]].toarray() for each in own])
        return np.asarray(own[:, state, action])

    def name_of(self, state: int, action: int | None = None) -> str:
        """Say which state, and which action of it, is meant: by names where they have any."""
        names = (self.state_names, self.action_names)
        shown = f"state {state if names[0] is None else names[0][state]}"
        if action is None:
            return shown
        return f"{shown}, action {action if names[1] is None else names[1][action]}"

    def name_of_goal(self, goal: int) -> str:
        """Say which goal is meant: by its name where it has one."""
        return f"goal {self.goal_name(goal)}"

    def goal_name(self, goal: int) -> str:
        """Return the name of a goal, as ``--goals`` takes it; its number where neither it nor its state has a name.

        Examples
        --------
        >>> from tabular_inversion import AgentValues, Goals
        >>> agent = AgentValues([[[1.0], [1.0]]], Goals.indicator(2, [1]), 0.5, state_names=["(1,1)", "(1,2)"])
        >>> agent.goal_name(0)
        'indicator:(1,2)'
        """
        names, rewards = self.goals.names, self.goals.rewards[goal]
        if names is not None:
            return names[goal]
        paid = np.flatnonzero(rewards)
        if self.state_names is None or len(paid) != 1 or rewards[paid[0]] != 1.0:
            return str(goal)
        return f"indicator:{self.state_names[paid[0]]}"

    @cached_property
    def row_index(self) -> IntArray:
        """Numbers s*A + a of the rows of available actions, ascending, shape (rows,)."""
        return np.flatnonzero(self.available if self.asked is None else self.asked)

    @cached_property
    def right_hand_sides(self) -> FloatArray:
        """Q - rho at available rows, shape (G, rows): column i belongs to row ``row_index[i]``."""
        values = self.q if self.goals.action_rewards is None else self.q - self.goals.action_rewards
        return self.of_rows(values.reshape(self.n_goals, -1))

    @cached_property
    def decompositions(self) -> dict[Hashable, dict[Hashable, Any]]:
        """What was decomposed of the test functions, by how they were looked at; in no copy, pickle or file."""
        return {}

    def kept_for(self, *, sums_to_one: bool, noise: float | FloatArray | str) -> dict[Hashable, Any]:
        """Return where decompositions of [M;1], or of M, under some noise are kept: four of them, the latest."""
        shown = sha256(np.ascontiguousarray(noise).data).hexdigest() if isinstance(noise, np.ndarray) else noise
        key = (sums_to_one, shown, self.noise if isinstance(self.noise, str) else None)
        found = self.decompositions.pop(key, None)
        for oldest in list(self.decompositions)[: 1 - _KEPT]:
            self.decompositions.pop(oldest, None)
        return self.decompositions.setdefault(key, {} if found is None else found)

    def of_rows(self, flat: FloatArray) -> FloatArray:
        """Return the columns of a table (G, S*A) that belong to `row_index`."""
        if len(self.row_index) == flat.shape[1]:
            return flat
        return np.ascontiguousarray(flat[:, self.row_index])
