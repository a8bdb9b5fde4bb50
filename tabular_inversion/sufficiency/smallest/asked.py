"""What was asked of a goal set beyond "every row of this world, with the fewest goals"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import GoalsError, WitnessError
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Evidence
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.spans import Scenario, spanned
from tabular_inversion.sufficiency.smallest.cover import Prices, fewest, program
from tabular_inversion.sufficiency.smallest.requirements import Limits, Requirement


class InsufficientGoalsError(GoalsError):
    """All candidates together leave rows unknown.

    Attributes
    ----------
    rows : tuple of (int, int)
        The rows (state, action) that stay unknown.
    states : tuple of int
        The next states whose probabilities cannot be told apart.
    """

    def __init__(self, message: str, rows: tuple[tuple[int, int], ...], states: tuple[int, ...]) -> None:
        super().__init__(message)
        self.rows = rows
        self.states = states


class Found(Protocol):
    """What is said of a set that was found; see `MinimalGoals`."""

    @property
    def given(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def lower_bound(self) -> float: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def gap(self) -> float: ...  # noqa: D102
    @property
    def optimal(self) -> bool: ...  # noqa: D102
    @property
    def evidence(self) -> Evidence: ...  # noqa: D102
    @property
    def sufficiency_evidence(self) -> Evidence: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Asked(Record):
    """What was asked beyond "every row of this world, with the fewest goals".

    Attributes
    ----------
    scenarios : tuple of Scenario
        Worlds, policies and discounts in which the set has to suffice.
    limits : Limits
        Spare goals, coverage, noise and error.
    costs : numpy.ndarray, shape (k,)
        What each candidate costs.
    allowed : numpy.ndarray of bool, shape (k,)
        Which candidates may be chosen.
    goals : Goals
        The candidates.
    cuts : tuple of (numpy.ndarray of bool, int)
        From which the bound follows: of these goals any such set holds at least so many.
    relative : bool
        Whether noise is in units of each goal's largest value.
    unsolved : tuple of int
        Candidates that there was no time to look at: none is chosen, and no cut may then be used for the bound.
    """

    scenarios: tuple[Scenario, ...]
    limits: Limits
    costs: FloatArray
    allowed: BoolArray
    goals: Goals
    cuts: tuple[tuple[BoolArray, int], ...]
    relative: bool = True
    unsolved: tuple[int, ...] = ()

    @property
    def requirement(self) -> Requirement:
        """The demand."""
        return Requirement(self.scenarios, self.limits, self.allowed, self.costs)

    @property
    def prices(self) -> Prices:
        """What candidates cost, and which may be chosen."""
        return Prices(self.costs, self.allowed)

    def counted(self, given: tuple[int, ...]) -> float:
        """Return what any set costs that holds as many goals as there are unknowns, and the given ones.

        Nothing but the class and the costs is used: no rank, and no value of any agent.
        """
        free = self.allowed.copy()
        free[list(self.unsolved)] = True
        free[list(given)] = False
        more = max(self.requirement.floor - len(given), 0)
        return self.prices.of(list(given)) + float(np.sort(self.costs[free])[:more].sum())

    def holds(self, cut: tuple[BoolArray, int]) -> bool:
        """Tell whether every set that meets the demand holds at least so many of the goals of a cut."""
        outside, at_least = cut
        inside = np.flatnonzero(~outside).tolist()
        if self.unsolved:
            return False
        if at_least == 1 and not self.requirement.met(inside):
            return True
        lacking = max(int(spanned(scenario, inside).missing.max(initial=0)) for scenario in self.scenarios)
        return self.limits.coverage >= 1 and lacking + self.limits.spare >= at_least and lacking > 0

    def is_certain(self, goals: list[int]) -> bool:
        """Tell whether bounds on all errors of floats prove that goals do what is asked; a limit on errors is none."""
        if self.limits.error is not None or len(goals) < self.requirement.floor:
            return False
        certain = Requirement(self.scenarios, replace(self.limits, certain=True), self.allowed, self.costs)
        return certain.met(goals)

    def check_bound(self, given: tuple[int, ...], stated: float) -> None:
        """Re-check a bound from below in floats.

        Raises
        ------
        WitnessError
            If a cut is none, or the bound is not reached.
        """
        if not all(self.holds(cut) for cut in self.cuts):
            raise WitnessError("cuts: a set that meets what was asked can do without one of them.")
        bound = self.counted(given)
        if self.cuts:
            outside, at_least = program(self.cuts, len(self.costs), self.requirement.floor)
            bound = max(bound, fewest(outside, at_least, list(given), prices=self.prices)[1])
        if stated > bound + 1e-6:
            raise WitnessError(f"lower_bound: {bound:g} is reached; {stated:g} was stated.")

    def text(self, found: Found) -> str:
        """Return in words what proves that goals do what is asked, and the bound."""
        how = {
            Evidence.EXACT: "in fractions",
            Evidence.CERTIFIED: "certified in floats",
            Evidence.NUMERIC: "in floats, which is no proof,",
        }[found.sufficiency_evidence]
        count = len(self.scenarios)
        where = "; ".join(scenario.name for scenario in self.scenarios[:3]) + ("; ..." * (count > 3))
        words = f"{how} the {found.size} goals meet what was asked in {count} world{'s' * (count != 1)} ({where})"
        bound = f"no such set costs less than {found.lower_bound:g}: "
        if found.lower_bound <= self.counted(found.given) + 1e-9:
            return f"{words}; {bound}proved by counting unknowns" + self._gap(found)
        if found.evidence is Evidence.EXACT:
            return f"{words}; {bound}proved in fractions by cuts and weights" + self._gap(found)
        return f"{words}; {bound}{len(self.cuts)} cuts and an integer program in floats, no proof" + self._gap(found)

    def _gap(self, found: Found) -> str:
        return "" if found.optimal else f"; the set may cost {found.gap:g} too much"
