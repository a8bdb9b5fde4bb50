"""G4 with options: a proof in fractions that a set does what is asked, and that none is cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.smallest.asked import Asked
from tabular_inversion.sufficiency.smallest.cover import Cover, program
from tabular_inversion.sufficiency.smallest.exact_scenarios import ExactScenario, Lack, meet
from tabular_inversion.sufficiency.smallest.lower_bounds import Costs, Tree, bound_of, prove, renumber, used_cuts


@dataclass(frozen=True, eq=False)
class OptionsProof(Record):
    """What proves that goals do all that was asked, and a bound from below on what such goals cost.

    Attributes
    ----------
    agents : tuple of ExactAgentValues
        In fractions, with all candidates, one for each scenario.
    cuts : tuple of Lack
        How many other goals any set needs beside these.
    tree : Leaf or Branch or None
        How the bound follows from the cuts and, as a last one, from how many goals any set needs; None if it rests on
        an integer program in floats, or no bound was needed.
    """

    agents: tuple[ExactAgentValues, ...]
    cuts: tuple[Lack, ...]
    tree: Tree | None

    def scenarios(self, asked: Asked) -> tuple[ExactScenario, ...]:
        """Return the scenarios in fractions."""
        return tuple(
            ExactScenario(agent, scenario.sets, asked.relative)
            for agent, scenario in zip(self.agents, asked.scenarios, strict=True)
        )

    def lower_bound(self, asked: Asked, given: Sequence[int]) -> Fraction:
        """Return the cost that the cuts and the tree prove that no set that does what is asked falls below.

        Raises
        ------
        WitnessError
            If a cut is none, or the tree is wrong.
        """
        costs, unit = whole_costs(asked)
        if self.tree is None:
            return sum((costs.each[g] for g in given), start=0) * unit
        scenarios = self.scenarios(asked)
        rows = []
        for cut in self.cuts:
            needed = cut.at_least(scenarios, asked.limits)
            if needed == 0:
                raise WitnessError(f"cuts: goals {cut.inside} do what was asked of them.")
            rows.append((outside_of(cut, len(asked.costs)), needed))
        outside, at_least = program(rows, len(asked.costs), asked.requirement.floor)
        return bound_of(self.tree, outside, at_least, list(given), costs) * unit

    def verify(self, asked: Asked, goals: Sequence[int], given: Sequence[int], stated: float) -> None:
        """Re-check everything in fractions.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        scenarios = self.scenarios(asked)
        for exactly, scenario in zip(scenarios, asked.scenarios, strict=True):
            exactly.check_is(scenario)
        if not meet(scenarios, asked.limits, list(goals)):
            raise WitnessError(f"goals: {tuple(goals)} do not do what was asked, in fractions.")
        bound = float(self.lower_bound(asked, given))
        if self.tree is not None and stated > bound + 1e-9 * max(bound, 1.0):
            raise WitnessError(f"lower_bound: {bound:g} is proved; {stated:g} was stated.")


def outside_of(cut: Lack, n_goals: int) -> BoolArray:
    """Return the goals that a cut is about, bool (k,)."""
    outside = np.ones(n_goals, bool)
    outside[list(cut.inside)] = False
    return outside


def whole_costs(asked: Asked) -> tuple[Costs, Fraction]:
    """Return what goals cost in whole numbers of a unit, and the unit: 0.1 is the fraction that it is written as."""
    written = [Fraction(repr(cost)) for cost in asked.costs.tolist()]
    below = lcm(*(cost.denominator for cost in written))
    whole = [int(cost * below) for cost in written]
    largest = gcd(*whole)
    banned = tuple(np.flatnonzero(~asked.allowed).tolist())
    return Costs(tuple(cost // largest for cost in whole), banned), Fraction(largest, below)


def prove_options(
    asked: Asked,
    agents: tuple[ExactAgentValues, ...],
    found: Cover,
    goals: list[int],
    given: list[int],
    *,
    end: float = np.inf,
) -> OptionsProof | None:
    """Prove in fractions what was found in floats; None if the goals do not do what is asked.

    Without a tree the bound is not proved.
    """
    proof = OptionsProof(agents, (), None)
    scenarios = proof.scenarios(asked)
    if not meet(scenarios, asked.limits, goals):
        return None
    costs, unit = whole_costs(asked)
    bound = int(np.ceil(float(found.lower_bound) / float(unit) - 1e-5))
    if bound <= sum(costs.each[g] for g in given):
        return proof
    listed = [(violation.outside, violation.at_least) for violation in found.violations]
    outside, at_least = program(listed, len(asked.costs), asked.requirement.floor)
    tree = prove(outside, at_least, bound, given, costs, end=end)
    if tree is None:
        return proof
    used = sorted(used_cuts(tree) - {len(listed)})
    cuts = [_exact_cut(asked, scenarios, *listed[i], found.violations[i].states) for i in used]
    if any(cut is None for cut in cuts):
        return proof
    numbers = {cut: i for i, cut in enumerate([*used, len(listed)])}
    return OptionsProof(agents, tuple(cut for cut in cuts if cut is not None), renumber(tree, numbers))


def _exact_cut(
    asked: Asked, scenarios: tuple[ExactScenario, ...], outside: BoolArray, needed: int, states: object
) -> Lack | None:
    """Find the scenario in which a cut found in floats holds in fractions; None if there is none."""
    inside = tuple(np.flatnonzero(~outside & asked.allowed).tolist())
    for i, scenario in enumerate(scenarios):
        number = scenario.sets.number_of(np.asarray(states)) if asked.limits.coverage >= 1 else None
        if number is None and asked.limits.coverage >= 1:
            continue
        cut = Lack(i, inside, number)
        if cut.at_least(scenarios, asked.limits) >= needed:
            return cut
    return None
