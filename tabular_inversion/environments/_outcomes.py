"""A gymnasium transition table as flat arrays: one entry for each outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import KernelError


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The outcomes of positive probability, each array of shape (outcomes,)."""

    n_states: int
    n_actions: int
    state: IntArray
    action: IntArray
    probability: FloatArray
    arrival: IntArray
    reward: FloatArray
    terminated: BoolArray

    @property
    def row(self) -> IntArray:
        """Row number s*A + a of each outcome."""
        return self.state * self.n_actions + self.action

    @property
    def terminal(self) -> BoolArray:
        """Whether some outcome enters a state with the flag, shape (S,)."""
        entered = np.zeros(self.n_states, dtype=bool)
        entered[self.arrival[self.terminated]] = True
        return entered

    def acting(self, start: BoolArray) -> BoolArray:
        """Tell in which states an episode takes a step, shape (S,): from `start` until the flag."""
        going = ~self.terminated
        shape = (self.n_states, self.n_states)
        entries = (np.ones(int(going.sum())), (self.arrival[going], self.state[going]))
        onwards = csr_array(entries, shape=shape)
        visited = start
        while True:
            further = visited | (onwards @ visited > 0)
            if (further == visited).all():
                return visited
            visited = further

    def absorb(self, states: BoolArray) -> Outcomes:
        """Replace the outcomes of `states`: every action stays, pays nothing and carries the flag."""
        kept = ~states[self.state]
        staying = np.repeat(np.flatnonzero(states), self.n_actions)
        size = len(staying)
        return Outcomes(
            self.n_states,
            self.n_actions,
            np.append(self.state[kept], staying),
            np.append(self.action[kept], np.arange(size) % self.n_actions),
            np.append(self.probability[kept], np.ones(size)),
            np.append(self.arrival[kept], staying),
            np.append(self.reward[kept], np.zeros(size)),
            np.append(self.terminated[kept], np.ones(size, dtype=bool)),
        )


def read_outcomes(table: Mapping[Any, Any]) -> Outcomes:
    """Flatten a table, or raise `KernelError` saying where it is malformed."""
    n_states = len(table)
    if n_states == 0 or set(table) != set(range(n_states)):
        raise KernelError(f"the table's states are {_shown(table)}; expected 0, 1, 2, ... without a gap.")
    entries = []
    for state in range(n_states):
        try:
            entries += [
                (state, index(action), float(p), index(arrival), float(reward), _flag(terminated))
                for action, outcomes in table[state].items()
                for p, arrival, reward, terminated in outcomes
            ]
        except (AttributeError, TypeError, ValueError, OverflowError) as problem:
            raise KernelError(
                f"the table of state {state} cannot be read ({problem}); expected a dictionary from action to "
                "a list of (probability, next_state, reward, terminated)."
            ) from problem
    if not entries:
        raise KernelError("the table has no outcome; give each action at least one.")
    columns = [np.array(column) for column in zip(*entries, strict=True)]
    _, action, probability, arrival, reward, _ = columns
    wrong = (arrival < 0) | (arrival >= n_states) | (action < 0) | ~np.isfinite(reward)
    wrong |= ~((probability >= 0) & (probability <= 1))  # also catches NaN
    if wrong.any():
        first = entries[int(np.flatnonzero(wrong)[0])]
        raise KernelError(
            f"the table of state {first[0]}, action {first[1]} has the outcome {first[2:]}; expected a probability "
            f"in [0, 1], a next state from 0 to {n_states - 1}, a finite reward, and actions numbered from 0."
        )
    likely = probability > 0
    return Outcomes(n_states, int(action.max()) + 1, *(column[likely] for column in columns))


def _flag(value: Any) -> bool:
    if value not in (True, False):
        raise ValueError(f"terminated is {value!r}")
    return bool(value)


def _shown(table: Mapping[Any, Any]) -> str:
    keys = [repr(key) for key in table]
    return ", ".join(keys[:5]) + (", ..." if len(keys) > 5 else "") if keys else "none"
