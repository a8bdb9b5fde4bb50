"""The test functions of candidates, a portion at a time, until all are there or time runs out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import ConvergenceError
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.conditioning.spans import Scenario
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.sufficiency.scenarios import agent_of, scenario_of, widened

_PORTION = 100_000  # states times candidates solved at once: about a second of a large maze, with interruptions
_AT_LEAST = 0.8  # seconds for the first portion of each case, whatever the budget
_SHARE = 0.6  # of the time is for solving, the rest for the search


class _OutOfTimeError(Exception):
    """Raised inside of a solver's progress."""


@dataclass(frozen=True, eq=False)
class Solving:
    """What is to be solved.

    Attributes
    ----------
    cases : list of (str, MDP, policy)
        Names, worlds and policies of the scenarios.
    goals : Goals
        The candidates.
    sets : SuccessorSets
        Of the rows asked about.
    relative : bool
        Whether noise is in units of each goal's largest value.
    radii : numpy.ndarray, shape (S, A), or None
        How far true rows may be.
    """

    cases: list[tuple[str, MDP, Any]]
    goals: Goals
    sets: SuccessorSets
    relative: bool
    radii: FloatArray | None = None

    def run(
        self,
        given: list[int],
        allowed: BoolArray,
        *,
        seconds: float,
        end: float,
        enough: Callable[[tuple[Scenario, ...], tuple[int, ...]], bool],
    ) -> tuple[tuple[Scenario, ...], tuple[int, ...]]:
        """Solve the given candidates first, then the allowed ones in an order spread over all of them.

        Parameters
        ----------
        given, allowed : list of int and numpy.ndarray of bool, shape (k,)
            Which candidates.
        seconds, end : float
            How much time there is, and until when, of `time.monotonic`.
        enough : callable
            Whether candidates that were solved suffice: if not, the time for the search is used as well.

        Returns
        -------
        tuple of Scenario
            With zeros for candidates that were not solved, which say nothing.
        tuple of int
            Those candidates.

        Raises
        ------
        ConvergenceError
            If time runs out before one candidate is solved.
        """
        k, n = self.goals.n_goals, self.goals.n_states
        rest = [g for g in np.random.default_rng(0).permutation(k).tolist() if allowed[g] and g not in given]
        order = [*given, *rest]
        matrices = [np.zeros((k, n)) for _ in self.cases]
        errors = [np.zeros(k) for _ in self.cases]
        step = max(1, _PORTION // n)
        until, done = end - (1.0 - _SHARE) * seconds, 0

        def so_far() -> tuple[tuple[Scenario, ...], tuple[int, ...]]:
            shown = zip(self.cases, matrices, errors, strict=True)
            scenarios = [
                Scenario(name, matrix, error, self.sets, world.discount) for (name, world, _), matrix, error in shown
            ]
            return tuple(scenarios), tuple(sorted(order[done:]))

        while done < len(order):
            if done and time.monotonic() > until:
                if time.monotonic() > end or enough(*so_far()):
                    break
                until = end
            portion = order[done : done + step]
            try:
                found = [
                    self._solve(case, portion, until if done else max(end, time.monotonic() + _AT_LEAST))
                    for case in self.cases
                ]
            except _OutOfTimeError:
                if done and until < end:
                    continue  # do those that are there suffice? if not, once more with all the time
                break
            for part, matrix, error in zip(found, matrices, errors, strict=True):
                matrix[portion], error[portion] = part.matrix, part.error
            done += len(portion)
        if done == 0 and order:
            raise ConvergenceError(
                f"no candidate was solved within {seconds:.3g} seconds, on {n} states; give more seconds, or a smaller "
                "discount."
            )
        return so_far()

    def _solve(self, case: tuple[str, MDP, Any], portion: list[int], until: float) -> Scenario:
        name, world, policy = case
        own = policy[portion] if not isinstance(policy, str) and np.ndim(policy) == 3 else policy
        agent = agent_of(world, self.goals.select(portion), own, progress=_watch(until))
        found = scenario_of(agent, self.sets, relative=self.relative, name=name)
        return found if self.radii is None else widened(found, agent, self.radii, relative=self.relative)


def _watch(until: float) -> Callable[[int, int], None]:
    def watch(_done: int, _total: int) -> None:
        if time.monotonic() > until:
            raise _OutOfTimeError

    return watch
