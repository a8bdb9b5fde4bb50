"""One scenario in fractions: what goals span on each set of successors, and the error that they predict."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np
from flint import fmpq_mat

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.exact.rationals import FractionArray, matrix_to_flint, to_floats
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.spans import Scenario
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.sufficiency.smallest.requirements import Limits, largest_trace, share_known
from tabular_inversion.sufficiency.smallest.spanning import Spans, word_primes


@dataclass(frozen=True, eq=False)
class ExactScenario:
    """An agent in fractions, and the sets of successors asked about.

    Attributes
    ----------
    agent : ExactAgentValues
        With all candidates.
    sets : SuccessorSets
        Of the rows asked about.
    relative : bool
        Whether noise is in units of each goal's largest value.
    """

    agent: ExactAgentValues
    sets: SuccessorSets
    relative: bool

    @cached_property
    def scaled(self) -> FractionArray:
        """M, each goal in units of its own noise, shape (k, n)."""
        matrix = self.agent.test_matrix
        if not self.relative:
            return matrix
        values = [[abs(x) for x in goal.ravel().tolist() if x is not None] for goal in self.agent.q]
        scales = np.array([max(goal) or Fraction(1) for goal in values], dtype=object)
        return np.asarray(matrix / scales[:, None])

    @cached_property
    def _spans(self) -> Spans:
        matrix = self.agent.test_matrix
        denominators = {x.denominator for x in matrix.ravel().tolist()}
        prime = next(p for p in word_primes() if all(d % p for d in denominators))
        masks = self.sets.masks(self.agent.n_states)
        return Spans.start(matrix, masks, sums_to_one=self.sets.sums_to_one, prime=prime)

    def check_is(self, scenario: Scenario) -> None:
        """Raise `WitnessError` unless a scenario in floats is this one, up to its stated errors."""
        shown = to_floats(self.scaled)
        if shown.shape != scenario.matrix.shape or float(self.agent.discount) != scenario.discount:
            raise WitnessError(f"agents: the one of {scenario.name!r} has other goals, states or discount.")
        room = 2.0 * scenario.error + 1e-12 * np.abs(shown).max(axis=1, initial=0.0)
        looked_at = scenario.matrix.any(axis=1)  # the others were forbidden, and have zeros there
        if (np.abs(shown - scenario.matrix) > room[:, None])[looked_at].any():
            raise WitnessError(f"agents: the one of {scenario.name!r} has other values.")

    def missing(self, number: int, goals: list[int]) -> int:
        """Return how many dimensions goals leave open on one set of successors."""
        needed = int(self.sets.needed[number])
        if not goals or needed == 0:
            return needed
        return needed - int(matrix_to_flint(self._equations(self.agent.test_matrix, number, goals)).rank())

    def trace(self, number: int, goals: list[int]) -> Fraction | None:
        """Return ``trace (A^T A)^-1`` of the equations in an orthonormal basis; None where it is infinite."""
        if self.missing(number, goals):
            return None
        equations = matrix_to_flint(self._equations(self.scaled, number, goals))
        if equations.ncols() == 0:
            return Fraction(0)
        inverse = (equations.transpose() * equations).inv()
        size = inverse.ncols()
        # In the basis e_j - e_0 of sum-zero vectors, whose inner products are 1 + [i = j].
        inner = [[1 * self.sets.sums_to_one + (i == j) for j in range(size)] for i in range(size)]
        product = inverse * fmpq_mat(size, size, [entry for row in inner for entry in row])
        total = sum((product[i, i] for i in range(size)), start=product[0, 0] * 0)
        return Fraction(int(total.p), int(total.q))

    def _equations(self, matrix: FractionArray, number: int, goals: list[int]) -> FractionArray:
        values = matrix[goals][:, self.sets.states_of(number)]
        return values[:, 1:] - values[:, :1] if self.sets.sums_to_one else values

    def open_sets(self, goals: list[int]) -> BoolArray:
        """Tell on which sets goals leave something open: full rank modulo a prime proves that nothing is."""
        result = self._spans.extended(goals).missing > 0
        for number in np.flatnonzero(result).tolist():
            result[number] = self.missing(number, goals) > 0
        return np.asarray(result)

    def rough_sets(self, goals: list[int], most: FloatArray) -> BoolArray:
        """Tell of which sets the trace exceeds what is allowed."""
        traces = [self.trace(number, goals) for number in range(self.sets.n_sets)]
        return np.array([t is None or t > Fraction(m) for t, m in zip(traces, most.tolist(), strict=True)], bool)


def meet(scenarios: tuple[ExactScenario, ...], limits: Limits, goals: list[int]) -> bool:
    """Tell, in fractions, whether goals do what is asked."""
    spare = min(limits.spare, len(goals))
    lefts = [[g for g in goals if g not in failed] for failed in combinations(goals, spare)]
    return all(
        limits.covered(share_known(scenario.sets, scenario.open_sets(left))) for scenario in scenarios for left in lefts
    ) and all(_accurate(scenario, limits, goals) for scenario in scenarios)


def _accurate(scenario: ExactScenario, limits: Limits, goals: list[int]) -> bool:
    if limits.error is None:
        return True
    most = largest_trace(scenario.sets, float(scenario.agent.discount), limits)
    return limits.covered(share_known(scenario.sets, scenario.rough_sets(goals, most)))


@dataclass(frozen=True, eq=False)
class Lack(Record):
    """Goals that together do not do what is asked: any set that does holds others.

    Attributes
    ----------
    scenario : int
        Where.
    inside : tuple of int
        These goals.
    number : int or None
        Of the set of successors on which they leave something open, or predict too large an error; None where it is
        the share of rows that is too small.
    """

    scenario: int
    inside: tuple[int, ...]
    number: int | None

    def at_least(self, scenarios: tuple[ExactScenario, ...], limits: Limits) -> int:
        """Return, in fractions, how many other goals any set that does what is asked holds; 0 if these do it.

        As many as dimensions are missing on the set, and the spare ones: if that many fail, the rest is to do.
        """
        here, goals = scenarios[self.scenario], list(self.inside)
        if self.number is None:
            if not limits.covered(share_known(here.sets, here.open_sets(goals))):
                return 1 + limits.spare
            return int(not _accurate(here, limits, goals))
        if limits.coverage < 1:
            return 0
        missing = here.missing(self.number, goals)
        if missing:
            return missing + limits.spare
        if limits.error is None:
            return 0
        most = largest_trace(here.sets, float(here.agent.discount), limits)[self.number]
        trace = here.trace(self.number, goals)
        return int(trace is None or trace > Fraction(float(most)))
