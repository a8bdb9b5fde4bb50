"""The fewest goals that meet all demands: integer programs, to which violated demands are added until there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import Bounds, LinearConstraint

from tabular_inversion._typing import BoolArray, FloatArray
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
    lower_bound : int or float
        No sufficient set that holds the given goals is smaller, or cheaper, if the programs were solved rightly.
    violations : list of Violation
        From which the bound follows.
    greedy_size : int or None
        How many goals the greedy choice took; None if it was not tried.
    """

    goals: list[int]
    lower_bound: Any
    violations: list[Violation]
    greedy_size: int | None


@dataclass(frozen=True, eq=False)
class Prices:
    """What goals cost, and which may be chosen.

    Attributes
    ----------
    costs : numpy.ndarray, shape (k,)
        At least 0; where all are 1, the fewest goals are the cheapest.
    allowed : numpy.ndarray of bool, shape (k,)
        The others are never chosen.
    """

    costs: FloatArray
    allowed: BoolArray

    @property
    def counted(self) -> bool:
        """Whether costs are whole numbers, so that a bound may be rounded up."""
        return bool((self.costs == np.rint(self.costs)).all())

    def of(self, goals: list[int]) -> float:
        """Return what goals cost together."""
        return float(self.costs[goals].sum())


def cover(
    demand: Demand,
    given: list[int],
    *,
    seconds: float,
    prices: Prices | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Cover:
    """Find the smallest or cheapest sufficient set that holds the given goals; all goals together must suffice.

    Parameters
    ----------
    demand : Demand
        What is asked.
    given : list of int
        Goals that are there already.
    seconds : float
        After so long the best set so far is returned, with the bound so far.
    prices : Prices, optional
        What goals cost; each 1 when omitted.
    progress : callable, optional
        ``progress(bound, best)`` in each round: the bound from below, and the size or cost of the best set so far.
    """
    end = time.monotonic() + seconds
    best = None if demand.largest_gain is None else demand.completed(given)
    greedy_size = None if best is None else len(best)
    known: dict[tuple[bytes, int], Violation] = {}
    price = len if prices is None else prices.of
    chosen, lower_bound = given, price(given)
    while violations := demand.violations(chosen):
        if progress is not None and best is not None:
            progress(int(lower_bound), int(np.ceil(price(best))))
        known.update({(v.outside.tobytes(), v.at_least): v for v in violations})
        asked = [(violation.outside, violation.at_least) for violation in known.values()]
        outside, at_least = program(asked, len(violations[0].outside), demand.floor)
        found, bound = fewest(outside, at_least, given, seconds=end - time.monotonic(), prices=prices)
        chosen, lower_bound = found or chosen, max(lower_bound, bound)
        if time.monotonic() > end or (best is not None and lower_bound >= price(best) - _ROUNDING):
            completed = demand.completed(chosen)
            best = completed if best is None else min(best, completed, key=price)
            return Cover(best, min(lower_bound, price(best)), list(known.values()), greedy_size)
    return Cover(chosen, max(price(chosen), lower_bound), list(known.values()), greedy_size)


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
    outside: BoolArray,
    at_least: Sequence[int],
    given: list[int],
    *,
    seconds: float = np.inf,
    prices: Prices | None = None,
) -> tuple[list[int] | None, Any]:
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
    prices : Prices, optional
        What goals cost, and which may be chosen; each costs 1 when omitted.

    Examples
    --------
    >>> fewest(np.array([[True, True, False], [False, True, True]]), [1, 1], [])
    ([1], 1)
    """
    n_goals = outside.shape[1]
    low, high = np.zeros(n_goals), np.ones(n_goals)
    low[given] = 1.0
    if prices is not None:
        high = np.maximum(low, prices.allowed)
    found = integer_program(
        np.ones(n_goals) if prices is None else prices.costs, integrality=np.ones(n_goals), bounds=Bounds(low, high),
        constraints=LinearConstraint(outside.astype(float), at_least, np.inf),
        options={"time_limit": max(seconds, 0.1), "mip_rel_gap": 0.0},
    )  # fmt: skip
    reached = max(0.0 if found.mip_dual_bound is None else found.mip_dual_bound, 0.0)
    if prices is None or prices.counted:
        bound: Any = int(np.ceil(reached - _ROUNDING))
    else:
        bound = reached - _ROUNDING  # of costs that are no whole numbers nothing is rounded up
    bound = max(len(given) if prices is None else prices.of(given), bound)
    if found.x is None:
        return None, bound
    return given + [goal for goal in np.flatnonzero(found.x > 0.5).tolist() if goal not in given], bound
