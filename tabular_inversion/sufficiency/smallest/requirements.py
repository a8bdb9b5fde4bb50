"""What a practitioner asks of a goal set: every row, or most, in several worlds, with goals to spare, under noise.

All of it is monotone: more goals never do worse. So a set that fails is extended until no goal can be added without
meeting the demand; any set that meets it holds a goal outside that extension. Where only ranks matter, the cut is
stronger: as many goals outside the span as dimensions are missing, and as many more as may fail.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.stats import norm

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.sufficiency.conditioning.predicted import CONFIDENCE, conditioning
from tabular_inversion.sufficiency.conditioning.spans import Scenario, Spanned, after_failures, spanned, surely_spanned
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.sufficiency.smallest.spanning import Violation

_AT_ONCE = 200  # violations returned together
_LOOKED_AT = 20 * _AT_ONCE  # of the hardest sets, of which many ask for the same
_PATTERNS = 20  # of failures looked at together
_HARDEST = 20  # sets of successors whose error is cut at once


@dataclass(frozen=True, eq=False)
class Limits:
    """How much is asked.

    Attributes
    ----------
    spare : int
        How many of the goals may fail.
    coverage : float
        The share of rows to determine, in each scenario.
    noise : float
        Of the values, in the units of the scenarios.
    error : float or None
        The largest predicted error allowed in a row; None asks for determined rows only.
    certain : bool
        Whether ranks have to be certified by the bounds on errors: then they hold in every world that those cover.
    """

    spare: int = 0
    coverage: float = 1.0
    noise: float = 0.0
    error: float | None = None
    certain: bool = False

    def covered(self, share: float) -> bool:
        """Tell whether a share of the rows is enough."""
        return share >= self.coverage - 1e-12

    def needed(self, sets: SuccessorSets) -> int:
        """Return how many goals any set needs, whatever they are: as many as the rows that count have unknowns."""
        if sets.n_sets == 0:
            return 0
        unknowns = sets.of_rows(sets.needed.astype(float), 0.0)
        left_out = int(np.floor((1.0 - self.coverage) * len(unknowns) + 1e-9))
        most = int(np.sort(unknowns)[len(unknowns) - 1 - left_out])
        return most + self.spare if most else 0


@dataclass(eq=False)
class Requirement:
    """A demand on goal sets over several scenarios; see `tabular_inversion.sufficiency.smallest.cover.Demand`.

    Attributes
    ----------
    scenarios : tuple of Scenario
        Where the goals have to suffice.
    limits : Limits
        How much is asked.
    allowed : numpy.ndarray of bool, shape (k,)
        Which candidates may be chosen.
    costs : numpy.ndarray, shape (k,)
        What each candidate costs.
    deadline : float
        Of `time.monotonic`: from then on greedy choices take everything.
    """

    scenarios: tuple[Scenario, ...]
    limits: Limits
    allowed: BoolArray
    costs: FloatArray
    deadline: float = np.inf

    @cached_property
    def floor(self) -> int:
        """How many goals are needed whatever they are."""
        return max((self.limits.needed(scenario.sets) for scenario in self.scenarios), default=0)

    @property
    def largest_gain(self) -> int | None:
        """Not None: greedy choices are quick."""
        return 1

    def met(self, goals: list[int]) -> bool:
        """Tell whether goals meet the demand."""
        limits = self.limits
        return (
            len(goals) >= self.floor
            and all(limits.covered(self._share_known(scenario, goals)) for scenario in self.scenarios)
            and all(limits.covered(self._share_exact(scenario, goals)) for scenario in self.scenarios)
        )

    def _share_known(self, scenario: Scenario, goals: list[int]) -> float:
        """Return the share of rows determined whichever goals fail."""
        if not self.limits.certain:
            part = _restricted(scenario, goals)
            lost = after_failures(part, list(range(len(goals))), self.limits.spare)[0]
            share = share_known(scenario.sets, lost)
            # Below, rows may be lost by different failures, of which only one happens.
            if self.limits.coverage >= 1 or self.limits.spare == 0 or self.limits.covered(share):
                return share
        lowest = 1.0
        for left in left_after(goals, self.limits.spare):
            part = _restricted(scenario, left)
            everyone = list(range(len(left)))
            bad = ~surely_spanned(part, everyone) if self.limits.certain else spanned(part, everyone).missing > 0
            lowest = min(lowest, share_known(scenario.sets, bad))
            if not self.limits.covered(lowest):
                break
        return lowest

    def _share_exact(self, scenario: Scenario, goals: list[int]) -> float:
        """Return the share of rows whose predicted error is small enough."""
        if self.limits.error is None:
            return 1.0
        trace = conditioning(scenario.matrix[goals], scenario.sets).trace
        return share_known(scenario.sets, ~(trace <= self._largest_trace(scenario)))

    def _largest_trace(self, scenario: Scenario) -> FloatArray:
        return largest_trace(scenario.sets, scenario.discount, self.limits)

    def violations(self, goals: list[int]) -> list[Violation]:
        """Return cuts that these goals miss; none if they meet the demand."""
        if self.limits.coverage < 1 or self.limits.certain:
            return [] if self.met(goals) else [self._extended(goals, seed) for seed in range(3)]
        cuts = [cut for scenario in self.scenarios for cut in self._rank_cuts(scenario, goals)]
        if cuts or self.limits.error is None:
            return cuts
        return [cut for scenario in self.scenarios for cut in self._error_cuts(scenario, goals)]

    def _rank_cuts(self, scenario: Scenario, goals: list[int]) -> list[Violation]:
        """Ask for as many goals outside the span of those left as dimensions are missing, and for the spare ones."""
        if not self.limits.spare:
            found = spanned(scenario, goals)
            return self._cuts_of(scenario, found, np.flatnonzero(found.missing))
        lost, left = after_failures(scenario, goals, self.limits.spare)
        # One pattern of failures after the other, the commonest first.
        patterns, place, count = np.unique(left[lost], axis=0, return_inverse=True, return_counts=True)
        cuts: list[Violation] = []
        for number in np.argsort(-count, kind="stable")[:_PATTERNS].tolist():
            found = spanned(scenario, np.flatnonzero(patterns[number]).tolist())
            open_sets = np.zeros(len(lost), bool)
            open_sets[np.flatnonzero(lost)[place.ravel() == number]] = True
            cuts += self._cuts_of(scenario, found, np.flatnonzero(open_sets & (found.missing > 0)))
        return cuts[:_AT_ONCE]

    def _cuts_of(self, scenario: Scenario, found: Spanned, lacking: IntArray) -> list[Violation]:
        if lacking.size == 0:
            return []
        hard = lacking[np.argsort(found.outside[lacking].sum(axis=1) - found.missing[lacking], kind="stable")]
        hard = hard[:_LOOKED_AT]
        keys = np.column_stack([np.packbits(found.outside[hard], axis=1), found.missing[hard]])
        hard = hard[np.sort(np.unique(keys, axis=0, return_index=True)[1])]
        return [
            Violation(found.outside[i], int(found.missing[i]) + self.limits.spare, scenario.sets.states_of(int(i)))
            for i in hard[:_AT_ONCE].tolist()
        ]

    def _error_cuts(self, scenario: Scenario, goals: list[int]) -> list[Violation]:
        """Extend the goals, for each of the worst sets alone, while its error stays too large."""
        most = self._largest_trace(scenario)
        trace = conditioning(scenario.matrix[goals], scenario.sets).trace
        bad = np.flatnonzero(~(trace <= most))
        worst = bad[np.argsort(-(trace[bad] / most[bad]), kind="stable")][:_HARDEST]
        cuts = []
        for part, equations in scenario.sets.equations(scenario.matrix):
            for number in worst[(worst >= part.start) & (worst < part.stop)].tolist():
                outside = _outside_of(equations[number - part.start], goals, float(most[number]))
                cuts.append(Violation(outside, 1, scenario.sets.states_of(number)))
        return cuts

    def _extended(self, goals: list[int], seed: int) -> Violation:
        """Add goals in random order as long as the demand is not met."""
        grown = list(goals)
        for goal in np.random.default_rng(seed).permutation(len(self.allowed)).tolist():
            if goal not in grown and time.monotonic() < self.deadline and not self.met([*grown, goal]):
                grown.append(goal)
        outside = np.ones(len(self.allowed), bool)
        outside[grown] = False
        return Violation(outside, 1, np.arange(self.scenarios[0].matrix.shape[1]))

    def completed(self, goals: list[int]) -> list[int]:
        """Add goals greedily by what they do for their cost, then drop those that others make needless."""
        current = self._grown(list(goals))
        if not self.met(current):
            return goals + [g for g in np.flatnonzero(self.allowed).tolist() if g not in goals]
        added = current[len(goals) :]
        for goal in sorted(added, key=lambda g: -self.costs[g]):
            fewer = [other for other in current if other != goal]
            if time.monotonic() < self.deadline and self.met(fewer):
                current = fewer
        return current

    def _grown(self, current: list[int]) -> list[int]:
        """Add the goal that helps most, first to determine rows, then to lower errors, until the demand is met."""
        closing = self.limits.coverage >= 1  # sets that are determined once need no second look
        for scenario in self.scenarios:
            here, gains = scenario, np.ones(1)
            while gains.any() and time.monotonic() < self.deadline and (closing or not self.met(current)):
                here, gains = self._gains(here, current, closing=closing)
                if gains.any():
                    current = [*current, int((gains * (self.allowed / self.costs)).argmax())]
        while self.limits.error is not None and time.monotonic() < self.deadline and not self.met(current):
            falls = self._falls(current) * (self.allowed / self.costs)
            falls[current] = 0.0
            if not falls.any():
                break
            current = [*current, int(falls.argmax())]
        if self.limits.certain and not self.met(current):
            return self._until_certain(current)
        return current

    def _until_certain(self, current: list[int]) -> list[int]:
        """Add the goals whose values are known best until all ranks are certified."""
        size = np.min([np.abs(s.matrix).max(axis=1) / np.maximum(s.error, 1e-300) for s in self.scenarios], axis=0)
        for goal in np.argsort(-size, kind="stable").tolist():
            if self.allowed[goal] and goal not in current:
                current = [*current, goal]
                if time.monotonic() > self.deadline or self.met(current):
                    break
        return current

    def _gains(self, scenario: Scenario, goals: list[int], *, closing: bool) -> tuple[Scenario, FloatArray]:
        """Return in how many rows each goal adds a dimension, after failures; and the scenario of the sets still open.

        `closing` leaves out the sets that are determined already.
        """
        for left in self._hard_failures(scenario, goals):
            found = spanned(scenario, left)
            said = np.flatnonzero(found.outside.any(axis=0) & self.allowed)
            gains = np.zeros(len(self.allowed))
            rows = _rows_of(scenario)
            equal = len(rows) > 0 and (rows == rows[0]).all()
            counts = np.count_nonzero(found.outside[:, said], axis=0)
            gains[said] = counts * rows[0] if equal else rows @ found.outside[:, said]
            gains[goals] = 0
            if closing and self.limits.spare == 0:
                scenario = _with_sets(scenario, scenario.sets.only(found.missing > 0))
            if gains.any():
                return scenario, gains
        return scenario, np.zeros(len(self.allowed))

    def _falls(self, goals: list[int]) -> FloatArray:
        """Return by how much each goal lowers errors that are too large."""
        total = np.zeros(len(self.allowed))
        for scenario in self.scenarios:
            most = self._largest_trace(scenario)
            for part, equations in scenario.sets.equations(scenario.matrix):
                total += _falls(equations, goals, most[part]).sum(axis=0)
        return total

    def _hard_failures(self, scenario: Scenario, goals: list[int]) -> Iterator[list[int]]:
        """Yield what is left of goals after failures that leave rows open, the failures that hurt most rows first."""
        if self.limits.coverage < 1 or self.limits.spare == 0:
            yield from left_after(goals, self.limits.spare)
            return
        lost, left = after_failures(scenario, goals, self.limits.spare)
        patterns, count = np.unique(left[lost], axis=0, return_counts=True)
        for number in np.argsort(-count, kind="stable").tolist():
            yield np.flatnonzero(patterns[number]).tolist()


def _restricted(scenario: Scenario, goals: list[int]) -> Scenario:
    return Scenario(scenario.name, scenario.matrix[goals], scenario.error[goals], scenario.sets, scenario.discount)


def _with_sets(scenario: Scenario, sets: SuccessorSets) -> Scenario:
    return Scenario(scenario.name, scenario.matrix, scenario.error, sets, scenario.discount)


def _rows_of(scenario: Scenario) -> FloatArray:
    """Count the rows of each set."""
    sets = scenario.sets
    if sets.set_of_row is None:
        return np.full(sets.n_sets, float(sets.n_rows))
    return np.bincount(sets.set_of_row[sets.set_of_row >= 0], minlength=sets.n_sets).astype(float)


def left_after(goals: list[int], spare: int) -> Iterator[list[int]]:
    """Yield what is left of goals, whichever of them fail."""
    for failed in combinations(goals, min(spare, len(goals))):
        yield [goal for goal in goals if goal not in failed]


def share_known(sets: SuccessorSets, failing: BoolArray) -> float:
    """Return the share of rows whose set does not fail."""
    bad = sets.of_rows(failing.astype(float), 0.0)
    return 1.0 - float(bad.mean()) if len(bad) else 1.0


def largest_trace(sets: SuccessorSets, discount: float, limits: Limits) -> FloatArray:
    """Return the trace of each set at which the predicted error is the one allowed: its formula, turned round."""
    assert limits.error is not None  # noqa: S101  callers ask only then
    z = float(norm.isf((1.0 - CONFIDENCE) / max(sets.n_rows, 1) / 2.0))
    slope = z * (1.0 + discount) + limits.error * discount * np.sqrt(sets.needed)
    return np.asarray((limits.error / (limits.noise * slope)) ** 2)


def _outside_of(equations: FloatArray, goals: list[int], most: float) -> BoolArray:
    """Return the goals that a largest extension with too large an error leaves out, shape (k,)."""
    inside = np.zeros(len(equations), bool)
    inside[goals] = True
    while True:
        information = equations[inside].T @ equations[inside]
        covariance = np.linalg.inv(information)
        moved = equations @ covariance
        after = np.trace(covariance) - (moved**2).sum(axis=1) / (1.0 + (moved * equations).sum(axis=1))
        # A margin: the update is a difference of floats, and only a set that surely fails may be cut off.
        free = np.flatnonzero(~inside & (after > most * (1.0 + 1e-6)))
        if free.size == 0:
            return ~inside
        inside[free[after[free].argmax()]] = True


def _falls(equations: FloatArray, goals: list[int], most: FloatArray) -> FloatArray:
    """Return by how much each goal lowers the trace of the sets above their limit, as shares of it, (b, k)."""
    seen = equations[:, goals]
    covariance = np.linalg.pinv(seen.mT @ seen, hermitian=True)
    trace = np.trace(covariance, axis1=1, axis2=2)
    moved = equations @ covariance
    falls = (moved**2).sum(axis=2) / (1.0 + (moved * equations).sum(axis=2)) / most[:, None]
    return np.where((trace > most)[:, None], falls, 0.0)
