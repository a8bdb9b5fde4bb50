"""The fewest goals that meet all demands: integer programs, to which violated demands are added until there is none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import Bounds, LinearConstraint

from tabular_inversion._typing import BoolArray
from tabular_inversion.highs import integer_program
from tabular_inversion.sufficiency.smallest.spanning import Violation

_ROUNDING = 1e-6  # HiGHS bounds are floats: a bound this little above an integer is that integer


class Demand(Protocol):
    """What a goal set must do; answers modulo a prime."""

    @property
    def largest_gain(self) -> int | None:
        """How much the most useful goal does at once; None if that is not counted and greedy choices are slow."""

    @property
    def floor(self) -> int:
        """How many goals are needed whatever they are."""

    def violations(self, goals: list[int]) -> list[Violation]:
        """Return demands that these goals do not meet; none if they suffice."""

    def completed(self, goals: list[int]) -> list[int]:
        """Return these goals and enough others, chosen greedily; fewer than enough if all do not suffice."""


@dataclass(frozen=True, eq=False)
class Cover:
    """Goals that suffice, and a bound on how many any sufficient set holds.

    Attributes
    ----------
    goals : list of int
        The fewest found, those that are given first.
    lower_bound : int
        No sufficient set that holds the given goals is smaller, if the integer programs were solved rightly.
    violations : list of Violation
        From which the bound follows.
    greedy_size : int or None
        How many goals the greedy choice took; None if it was not tried.
    """

    goals: list[int]
    lower_bound: int
    violations: list[Violation]
    greedy_size: int | None


def cover(demand: Demand, given: list[int], *, seconds: float) -> Cover:
    """Find the smallest sufficient set that holds the given goals; all goals together must suffice.

    Parameters
    ----------
    demand : Demand
        What is asked.
    given : list of int
        Goals that are there already.
    seconds : float
        After so long the best set so far is returned, with the bound so far.
    """
    end = time.monotonic() + seconds
    best = None if demand.largest_gain is None else demand.completed(given)
    greedy_size = None if best is None else len(best)
    known: dict[tuple[bytes, int], Violation] = {}
    chosen, lower_bound = given, len(given)
    while violations := demand.violations(chosen):
        known.update({(v.outside.tobytes(), v.at_least): v for v in violations})
        asked = [(violation.outside, violation.at_least) for violation in known.values()]
        outside, at_least = program(asked, len(violations[0].outside), demand.floor)
        found, bound = fewest(outside, at_least, given, seconds=end - time.monotonic())
        chosen, lower_bound = found or chosen, max(lower_bound, bound)
        if time.monotonic() > end or (best is not None and lower_bound >= len(best)):
            completed = demand.completed(chosen)
            best = completed if best is None else min(best, completed, key=len)
            return Cover(best, min(lower_bound, len(best)), list(known.values()), greedy_size)
    return Cover(chosen, len(chosen), list(known.values()), greedy_size)


def program(demands: Iterable[tuple[BoolArray, int]], n_goals: int, floor: int) -> tuple[BoolArray, list[int]]:
    """Return the demands as rows: which goals each is about, and how many it asks for; the last is the floor.

    Parameters
    ----------
    demands : iterable of (numpy.ndarray of bool, int)
        At least so many of these goals.
    n_goals : int
        k.
    floor : int
        How many goals are needed whatever they are.
    """
    listed = list(demands)
    everything = np.ones((1, n_goals), bool)
    outside = np.concatenate([*(goals[None] for goals, _ in listed), everything])
    return outside, [*(at_least for _, at_least in listed), floor]


def fewest(
    outside: BoolArray, at_least: Sequence[int], given: list[int], *, seconds: float = np.inf
) -> tuple[list[int] | None, int]:
    """Return a smallest set that holds the given goals and meets the demands, and a bound on the size of all such sets.

    Parameters
    ----------
    outside : numpy.ndarray of bool, shape (demands, k)
        The goals that each demand is about.
    at_least : sequence of int
        How many of them it asks for.
    given : list of int
        Goals that are there already.
    seconds : float
        After so long the set may be None, and the bound is the one reached.

    Examples
    --------
    >>> fewest(np.array([[True, True, False], [False, True, True]]), [1, 1], [])
    ([1], 1)
    """
    n_goals = outside.shape[1]
    low = np.zeros(n_goals)
    low[given] = 1.0
    found = integer_program(
        np.ones(n_goals), integrality=np.ones(n_goals), bounds=Bounds(low, 1.0),
        constraints=LinearConstraint(outside.astype(float), at_least, np.inf),
        options={"time_limit": max(seconds, 0.1)},
    )  # fmt: skip
    reached = -np.inf if found.mip_dual_bound is None else found.mip_dual_bound
    bound = max(len(given), int(np.ceil(max(reached, 0.0) - _ROUNDING)))
    if found.x is None:
        return None, bound
    return given + [goal for goal in np.flatnonzero(found.x > 0.5).tolist() if goal not in given], bound
