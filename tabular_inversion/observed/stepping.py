"""Environments without a table, read by stepping copies of them from every state that is met."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import describe


class Walk(NamedTuple):
    """What was met.

    Attributes
    ----------
    labels : list
        Of the states, in the order in which they were met.
    ended : set of int
        States that were entered by an end, and not left again.
    outcomes : list of tuple
        State, action, next state, reward and whether the episode ended, for each step.
    n_actions : int
        Of every state.
    """

    labels: list[Hashable]
    ended: set[int]
    outcomes: list[tuple[int, int, int, float, bool]]
    n_actions: int

    @property
    def names(self) -> tuple[str, ...] | None:
        """What states are called; None where their labels are their numbers."""
        numbered = self.labels == list(range(len(self.labels)))
        return None if numbered else tuple(str(name) for name in self.labels)

    @property
    def steps(self) -> tuple[IntArray, IntArray, IntArray]:
        """State, action and next state of every step."""
        state, action, arrival = (np.array([each[i] for each in self.outcomes], dtype=np.intp) for i in range(3))
        return state, action, arrival

    def counts(self, *, staying: bool) -> FloatArray:
        """Return how often (s, a) led to t, shape (S, A, S); staying once in states that end, where this is asked."""
        n = len(self.labels)
        counts = np.zeros((n, self.n_actions, n))
        np.add.at(counts, self.steps, 1.0)
        last = sorted(self.ended)
        counts[last, :, last] = float(staying)
        return counts


def walk(
    environment: Any,
    *,
    key: Callable[[Any], Hashable] | None,
    samples: int,
    max_states: int,
    starts: int,
    seed: int,
) -> Walk:
    """Try every action in every state that can be reached; see `tabular_inversion.MDP.enumerate`.

    Raises
    ------
    InputError
        If the action space is not discrete, a number is out of range, or there are more states than allowed.
    """
    if not hasattr(environment, "action_space"):
        raise InputError(f"environment is {describe(environment)}; expected one of gymnasium, as gymnasium.make gives.")
    n_actions = getattr(environment.action_space, "n", None)
    if n_actions is None:
        raise InputError(f"the action space is {environment.action_space}; expected a discrete one.")
    for name, value in (("samples", samples), ("max_states", max_states), ("starts", starts)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} is {value!r}; expected a whole number of at least 1.")
    label = _label if key is None else key
    n_actions = int(n_actions)
    found: dict[Hashable, int] = {}
    waiting: deque[tuple[int, Any]] = deque()

    def meet(observation: Any, copied: Any) -> int:
        name = label(observation)
        if name not in found:
            if len(found) == max_states:
                raise InputError(f"more than {max_states} states were met; raise max_states, or give a coarser key.")
            found[name] = len(found)
            waiting.append((found[name], copied))
        return found[name]

    for i in range(starts):
        fresh = copy.deepcopy(environment)
        meet(fresh.reset(seed=seed + i)[0], fresh)
    outcomes, ended = _walk(waiting, meet, n_actions, samples, seed)
    return Walk(list(found), ended, [each for each in outcomes if each[0] not in ended], n_actions)


def _label(observation: Any) -> Hashable:
    if isinstance(observation, np.ndarray):
        return tuple(observation.ravel().tolist()) if observation.ndim else observation.item()
    label: Hashable = observation.item() if isinstance(observation, np.generic) else observation
    return label


def _walk(
    waiting: deque[tuple[int, Any]], meet: Callable[[Any, Any], int], n_actions: int, samples: int, seed: int
) -> tuple[list[tuple[int, int, int, float, bool]], set[int]]:
    """Try every action in every state that is met; states that were entered by an end are not left again."""
    outcomes: list[tuple[int, int, int, float, bool]] = []
    ended: set[int] = set()
    draws = np.random.default_rng(seed)
    while waiting:
        state, here = waiting.popleft()
        if state in ended:
            continue
        for action in range(n_actions):
            for _ in range(samples):
                copied = copy.deepcopy(here)
                # A copy has the generator of its original: without new ones all samples would be the same.
                copied.unwrapped.np_random = np.random.default_rng(draws.integers(2**63))
                observation, reward, terminated, _, _ = copied.step(action)
                known = meet(observation, copied)
                if terminated:
                    ended.add(known)
                outcomes.append((state, action, known, float(reward), bool(terminated)))
    return outcomes, ended
