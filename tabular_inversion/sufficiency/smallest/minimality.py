"""G4: the proof that some goals suffice, and that no fewer do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpz

from tabular_inversion._typing import IntArray
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.sufficiency.smallest.cover import Demand, fewest, program
from tabular_inversion.sufficiency.smallest.lower_bounds import Shortage, Tree, bound_of
from tabular_inversion.sufficiency.smallest.spanning import Spanning
from tabular_inversion.sufficiency.smallest.sparse_rows import SparseRows


@dataclass(frozen=True, eq=False)
class Claim:
    """That some of an agent's goals suffice, and that no set with the given goals is smaller than a bound."""

    agent: ExactAgentValues
    kernel_class: KernelClass
    goals: tuple[int, ...]
    given: tuple[int, ...]
    lower_bound: int


@dataclass(frozen=True, eq=False)
class MinimalityProof(Record):
    """What proves a claim; it says nothing by itself, and holds nothing that the claim says.

    Attributes
    ----------
    cuts : tuple of Shortage
        How many goals of which kinds any sufficient set holds.
    tree : Leaf or Branch or None
        How the bound follows from the cuts and, as a last one, from how many goals any set needs; None if that rests
        on an integer program solved in floats, or no bound was needed.
    prime : int or None
        Modulo this prime the chosen goals have full rank, and so have they in fractions. None for `Sparse`, which is
        searched in fractions.
    """

    cuts: tuple[Shortage, ...]
    tree: Tree | None
    prime: int | None

    def text(self, claim: Claim) -> str:
        """Return the proof in words."""
        where = "in fractions" if self.prime is None else f"modulo {self.prime}"
        enough = f"{where} any two rows of the class have different values for these {len(claim.goals)} goals"
        if claim.lower_bound <= len(claim.given):
            return f"{enough}; no bound from below was needed"
        how = "an integer program" if self.tree is None else "weights in fractions"
        cuts = f"{len(self.cuts)} set{'s' * (len(self.cuts) != 1)} of null vectors"
        cuts = cuts if self.cuts else "the theorem of van Kampen and Flores"
        return f"{enough}; {cuts} and {how} show that no fewer than {claim.lower_bound} suffice"

    def verify(self, claim: Claim) -> None:
        """Re-check everything from scratch, in fractions and modulo a prime.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        for name, numbers in (("goals", claim.goals), ("given", claim.given)):
            if list(numbers) != sorted(set(numbers)) or not set(numbers) <= set(range(claim.agent.n_goals)):
                raise WitnessError(f"{name}: expected different numbers of goals, ascending, got {numbers}.")
        if not set(claim.given) <= set(claim.goals):
            raise WitnessError(f"given: {claim.given} are not among the goals {claim.goals}.")
        self._check_prime(claim)
        demand = self.demand(claim)
        if demand.violations(list(claim.goals)):
            raise WitnessError(f"goals: {claim.goals} do not suffice.")
        for cut in self.cuts:
            cut.verify(claim.agent.n_states, sums_to_one=claim.kernel_class.sums_to_one)
            self._check_allowed(cut, claim)
        proved = self.lower_bound(claim)
        exact = self.tree is not None or not self.cuts
        if claim.lower_bound != proved and not (not exact and len(claim.given) < claim.lower_bound < proved):
            raise WitnessError(f"lower_bound: {proved} is proved; {claim.lower_bound} was stated.")

    def lower_bound(self, claim: Claim) -> int:
        """Return the size that the cuts and the tree prove that no sufficient set falls below."""
        given, matrix = list(claim.given), claim.agent.test_matrix
        if self.tree is None and not self.cuts:
            return len(given)
        asked = [(cut.outside(matrix), cut.at_least) for cut in self.cuts]
        outside, at_least = program(asked, len(matrix), self.demand(claim).floor)
        if self.tree is None:
            return int(fewest(outside, at_least, given)[1])
        return bound_of(self.tree, outside, at_least, given)

    def demand(self, claim: Claim) -> Demand:
        """Return what the class demands of the claim's goals."""
        return demand_of(claim.agent.test_matrix, claim.kernel_class, claim.agent.row_index, self.prime or 0)

    def _check_prime(self, claim: Claim) -> None:
        """Raise unless residues modulo the prime are safe: products of those of larger ones overflow."""
        if not rules_of(claim.kernel_class, claim.agent.n_states)[1].uses_prime:
            if self.prime is not None:
                raise WitnessError(f"prime: `Sparse` is searched without one; {self.prime} was stated.")
            return
        if type(self.prime) is not int or not 1 < self.prime < 2**31 or not fmpz(self.prime).is_prime():
            raise WitnessError(f"prime: {self.prime} is no prime below 2**31.")
        if any(x.denominator % self.prime == 0 for x in claim.agent.test_matrix.ravel().tolist()):
            raise WitnessError(f"prime: {self.prime} divides a denominator of M.")

    def _check_allowed(self, cut: Shortage, claim: Claim) -> None:
        """Raise unless two rows of the class can differ along each of the cut's vectors."""
        kernel_class, rules = rules_of(claim.kernel_class, claim.agent.n_states)
        if not rules.allows(kernel_class, claim.agent.row_index, cut):
            raise WitnessError("vectors: no two rows of the class differ by one of them.")


def demand_of(matrix: FractionArray, kernel_class: KernelClass, row_index: IntArray, prime: int) -> Demand:
    """Return what a class asks of a goal set, in the arithmetic of a prime below 2**31."""
    kernel_class, rules = rules_of(kernel_class, matrix.shape[1])
    return rules.demand(matrix, kernel_class, row_index, prime)


@dataclass(frozen=True)
class GoalRules:
    """What a class asks of a set of goals.

    Attributes
    ----------
    demand : callable
        ``demand(matrix, kernel_class, row_index, prime)`` returns a `Demand`.
    allows : callable
        ``allows(kernel_class, row_index, cut)``: whether two rows can differ along each vector of a `Shortage`.
    same_as : callable
        ``same_as(kernel_class, n_states)``: a simpler class that asks the same of goals, or this one.
    uses_prime : bool
        Whether ranks modulo a prime are computed.
    """

    demand: Callable[[FractionArray, Any, IntArray, int], Demand]
    allows: Callable[[Any, IntArray, Shortage], bool]
    same_as: Callable[[Any, int], KernelClass]
    uses_prime: bool


def rules_of(kernel_class: KernelClass, n_states: int) -> tuple[KernelClass, GoalRules]:
    """Return the simplest class that asks the same of goals, and its rules: any number of successors is no search."""
    simplest = GOAL_RULES.of(kernel_class).same_as(kernel_class, n_states)
    return simplest, GOAL_RULES.of(simplest)


def _span(matrix: FractionArray, kernel_class: KernelClass, row_index: IntArray, prime: int) -> Demand:
    supports = SuccessorSets.of(kernel_class, row_index, matrix.shape[1]).masks(matrix.shape[1])
    return Spanning(matrix, supports, sums_to_one=kernel_class.sums_to_one, prime=prime)


def _inside_support(kernel_class: KernelClass, row_index: IntArray, cut: Shortage) -> bool:
    supports = SuccessorSets.of(kernel_class, row_index, len(cut.vectors)).masks(len(cut.vectors))
    return bool((supports | ~(cut.vectors != 0).any(axis=1)).all(axis=1).any())


def _itself(kernel_class: KernelClass, _n_states: int) -> KernelClass:
    return kernel_class


def _search(matrix: FractionArray, kernel_class: Sparse, _row_index: IntArray, _prime: int) -> Demand:
    return SparseRows(matrix, kernel_class.max_successors)


def _few_of_each_sign(kernel_class: Sparse, _row_index: IntArray, cut: Shortage) -> bool:
    signs = np.stack([(cut.vectors > 0).sum(axis=0), (cut.vectors < 0).sum(axis=0)])
    return cut.at_least == 1 and bool((signs <= kernel_class.max_successors).all())


def _simplest(kernel_class: Sparse, n_states: int) -> KernelClass:
    if kernel_class.max_successors >= n_states - 1:
        return Stochastic()
    return Deterministic() if kernel_class.max_successors == 1 else kernel_class


_RANK = GoalRules(_span, _inside_support, _itself, uses_prime=True)
GOAL_RULES = ClassTable(
    "a smallest goal set",
    {
        Unconstrained: _RANK,
        Stochastic: _RANK,
        Supported: _RANK,
        Sparse: GoalRules(_search, _few_of_each_sign, _simplest, uses_prime=False),
        Deterministic: _RANK,
    },
)
"""By class, its `GoalRules`."""


def greedy_guarantee(demand: Demand) -> float | None:
    """Return the harmonic number of what one goal can do at once (Wolsey 1982), None where that is not counted."""
    gain = demand.largest_gain
    return float((1.0 / np.arange(1, gain + 1)).sum()) if gain else None
