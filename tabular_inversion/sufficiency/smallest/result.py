"""What `minimal` returns: a set of goals with its states and names, what proves it, and how well it is conditioned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tabular_inversion.errors import GoalsError, InputError, WitnessError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Evidence
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record, promise
from tabular_inversion.sufficiency.conditioning.best import BestSet, Contest, best_conditioned
from tabular_inversion.sufficiency.conditioning.predicted import conditioning
from tabular_inversion.sufficiency.conditioning.spans import Scenario
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.sufficiency.question import ChosenGoals
from tabular_inversion.sufficiency.scenarios import scenario_of
from tabular_inversion.sufficiency.smallest.asked import Asked
from tabular_inversion.sufficiency.smallest.minimality import Claim, MinimalityProof, greedy_guarantee, rules_of
from tabular_inversion.sufficiency.smallest.option_proofs import OptionsProof


@checked
@dataclass(frozen=True, eq=False, repr=False)
class MinimalGoals(Record, ChosenGoals):
    """The smallest or cheapest sufficient set of goals, or the best found and how far it may be from that.

    Attributes
    ----------
    goals : tuple of int
        Numbers of the goals among the candidates, ascending; those given are among them. See `states`, `names` and
        `chosen` for what they are: every function that takes goals takes the result as it is.
    given : tuple of int
        The goals that were there already.
    lower_bound : int or float
        No sufficient set that holds the given goals is smaller (cheaper, where costs were given).
    greedy_size : int or None
        How many goals the greedy choice took; None where it was not tried (`Sparse`).
    greedy_guarantee : float or None
        The greedy choice adds at most so many times as many goals as the best one: the harmonic number of the number
        of systems in which one goal can add a dimension. 1 where there is one system: there, greedy is optimal. None
        where the systems are not counted (`Sparse`, or more was asked than ranks), or there is none.
    kernel_class : KernelClass
        K.
    agent : ExactAgentValues or None
        The agent with all candidates, in fractions; None where the set was found in floats.
    proof : MinimalityProof or OptionsProof or None
        What proves both in fractions, of which `verify` re-checks everything; None where the set was found in floats.
    alternatives : tuple of tuple of int
        Other sets that cost the same, by how well they are conditioned: some, not all.
    best_conditioned : bool
        Whether all sets of this price were compared, so that none is conditioned better (up to 1e-6).
    state_names : tuple of str or None
        What the world calls its states.
    asked : Asked or None
        What else was asked, where it was.
    notes : tuple of str
        What a reader has to know of how it was found: rows that were normalised, candidates that nobody looked at.

    Examples
    --------
    >>> from tabular_inversion import Deterministic
    >>> from tabular_inversion.environments import chain
    >>> from tabular_inversion.sufficiency import minimal
    >>> found = minimal(chain(4), Goals.indicator(4), Deterministic())
    >>> found, found.states, found.names
    (<MinimalGoals: 1 goal, proved minimal>, (0,), ('0',))
    """

    goals: tuple[int, ...]
    given: tuple[int, ...]
    lower_bound: float
    greedy_size: int | None
    greedy_guarantee: float | None
    kernel_class: KernelClass
    agent: ExactAgentValues | None
    proof: MinimalityProof | OptionsProof | None
    alternatives: tuple[tuple[int, ...], ...] = ()
    best_conditioned: bool = False
    state_names: tuple[str, ...] | None = None
    asked: Asked | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        cost = "" if self.cost == self.size else f" for {self.cost:g}"
        exactly = self.evidence is self.sufficiency_evidence is Evidence.EXACT
        proved = "proved minimal" if exactly else "minimal in floats"
        known = proved if self.optimal else f"at least {self.lower_bound:g} needed"
        return f"<MinimalGoals: {self.size} goal{'s' * (self.size != 1)}{cost}, {known}>"

    @property
    def candidates(self) -> Goals:
        """The goals chosen from."""
        if self.asked is not None:
            return self.asked.goals
        assert self.agent is not None  # noqa: S101  one of the two is there
        return self.agent.goals.to_float()

    @property
    def chosen(self) -> Goals:
        """The goals of the set; raises `GoalsError` where it is empty."""
        if not self.goals:
            raise GoalsError("the smallest set is empty: every row is known without a goal.")
        return self.candidates.select(list(self.goals))

    @property
    def states(self) -> tuple[int | None, ...]:
        """The state in which each goal pays; None where it pays in several."""
        rewards = self.candidates.rewards[list(self.goals)]
        return tuple(int(row.nonzero()[0][0]) if (row != 0).sum() == 1 else None for row in rewards)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each goal: its own, or that of the state where it pays, or its number among the candidates."""
        own = self.candidates.names
        words = []
        for goal, state in zip(self.goals, self.states, strict=True):
            if own is not None:
                words.append(own[goal])
            elif state is None:
                words.append(f"goal {goal}")
            else:
                words.append(str(state) if self.state_names is None else self.state_names[state])
        return tuple(words)

    @property
    def evidence(self) -> Evidence:
        """How strong the lower bound is: EXACT (in fractions, or by counting unknowns), or NUMERIC.

        That the goals suffice is `sufficiency_evidence`.
        """
        trivial = self._cost_of(self.given) if self.asked is None else self.asked.counted(self.given)
        if self.lower_bound <= trivial + 1e-9 or (self.proof is not None and self.proof.tree is not None):
            return Evidence.EXACT
        return Evidence.NUMERIC

    @cached_property
    def sufficiency_evidence(self) -> Evidence:
        """How strong it is that the goals suffice: EXACT, CERTIFIED by bounds on all errors of floats, or NUMERIC."""
        if self.proof is not None:
            return Evidence.EXACT
        asked = self.asked
        assert asked is not None  # noqa: S101  without a proof there is this
        if asked.requirement.floor == 0:
            return Evidence.EXACT  # each row has one possible successor: there is nothing to know
        return Evidence.CERTIFIED if asked.is_certain(list(self.goals)) else Evidence.NUMERIC

    @property
    def size(self) -> int:
        """How many goals, those given included."""
        return len(self.goals)

    @property
    def cost(self) -> float:
        """What they cost: their number, where no costs were given."""
        return self._cost_of(self.goals)

    def _cost_of(self, goals: tuple[int, ...]) -> float:
        return len(goals) if self.asked is None else self.asked.prices.of(list(goals))

    @property
    def added(self) -> tuple[int, ...]:
        """The goals to add to those given."""
        return tuple(goal for goal in self.goals if goal not in self.given)

    @property
    def gap(self) -> float:
        """By how much the set may be too large, or too expensive."""
        return max(self.cost - self.lower_bound, 0)

    @property
    def optimal(self) -> bool:
        """Whether no sufficient set is smaller, or cheaper."""
        return self.gap <= 1e-5 * max(self.cost, 1)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """Where the set has to suffice, in floats."""
        return self._scenarios

    @cached_property
    def _scenarios(self) -> tuple[Scenario, ...]:
        if self.asked is not None:
            return self.asked.scenarios
        assert self.agent is not None  # noqa: S101  one of the two is there
        return exact_scenarios(self.agent, self.kernel_class)

    @cached_property
    def sigma_min(self) -> float:
        """The smallest singular value of the set's equations in any row, each goal in units of its largest value.

        Of the rows that count, where a coverage was asked for; NaN for `Sparse` with two or more successors.
        """
        if not self.scenarios:
            return float("nan")
        contest = Contest(self.scenarios, self.coverage, (), (), len, bool, np.inf)
        return contest.sigma(self.goals)

    @cached_property
    def predicted_error(self) -> float:
        """The 2-norm error that no row exceeds with probability 0.95, at the noise asked about; 0 without noise.

        Raises
        ------
        InputError
            For `Sparse` with two or more successors.
        """
        noise = 0.0 if self.asked is None else self.asked.limits.noise
        return self.predicted(noise)

    def predicted(self, noise: float) -> float:
        """Return the error that no row exceeds with probability 0.95, at any noise; see `predicted_error`."""
        if not self.scenarios:
            raise InputError(f"no error is predicted for class {self.kernel_class.name}; give supported or stochastic.")
        if not noise >= 0:
            raise InputError(f"noise is {noise}; expected at least 0.")
        worst = 0.0
        for scenario in self.scenarios:
            found = conditioning(scenario.matrix[list(self.goals)], scenario.sets)
            rows = found.predicted(scenario.sets, noise=noise, discount=scenario.discount)
            left_out = int(np.floor((1.0 - self.coverage) * len(rows) + 1e-9))
            worst = max(worst, float(np.sort(rows)[len(rows) - 1 - left_out]))
        return worst

    @property
    def text(self) -> str:
        """What proves it, in words, and what is not proved."""
        asked = self.asked
        if asked is None:
            assert isinstance(self.proof, MinimalityProof)  # noqa: S101  of a plain question
            words = self.proof.text(self._claim)
        else:
            words = asked.text(self)
        return "; ".join([words, *self.notes])

    @property
    def _claim(self) -> Claim:
        assert self.agent is not None  # noqa: S101  a claim is about an agent in fractions
        return Claim(self.agent, self.kernel_class, self.goals, self.given, self.lower_bound)  # type: ignore[arg-type]

    @promise
    def verify(self) -> None:
        """Re-check from scratch that the goals suffice, that the lower bound holds, and what the greedy choice does.

        A lower bound is the largest that its proof proves; at numeric evidence it may be smaller than what another
        run of the integer program would reach.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        if self.state_names is not None and len(set(map(str.__str__, self.state_names))) != len(self.state_names):
            raise WitnessError("state_names: two states share a name.")
        if type(self.best_conditioned) is not bool:
            raise WitnessError(f"best_conditioned is {self.best_conditioned!r}; expected True or False.")
        if self.asked is None:
            self._verify_proof()
        else:
            self._verify_options(self.asked)

    def _verify_proof(self) -> None:
        if not isinstance(self.proof, MinimalityProof):
            raise WitnessError("proof: there is none.")
        self.proof.verify(self._claim)
        demand = self.proof.demand(self._claim)
        greedy = None if demand.largest_gain is None else len(demand.completed(list(self.given)))
        guarantee = greedy_guarantee(demand)
        if (type(self.greedy_size), self.greedy_size) != (type(greedy), greedy):
            raise WitnessError(f"greedy_size: it is {greedy}; {self.greedy_size} was stated.")
        if (type(self.greedy_guarantee), self.greedy_guarantee) != (type(guarantee), guarantee):
            raise WitnessError(f"greedy_guarantee: it is {guarantee}; {self.greedy_guarantee} was stated.")
        self._verify_sets(lambda goals: not demand.violations(goals))

    def _verify_options(self, asked: Asked) -> None:
        if self.agent is not None or isinstance(self.proof, MinimalityProof):
            raise WitnessError("proof: it is that of another question.")
        if not asked.requirement.met(list(self.goals)):
            raise WitnessError(f"goals: {self.goals} do not meet what was asked.")
        if not asked.allowed[list(set(self.goals) - set(self.given))].all():
            raise WitnessError("goals: one of them is forbidden.")
        if self.greedy_guarantee is not None:
            raise WitnessError("greedy_guarantee: there is none where more than ranks is asked.")
        if self.proof is not None:
            self.proof.verify(asked, self.goals, self.given, self.lower_bound)
        if self.proof is not None and self.proof.tree is not None:
            if asked.cuts:
                raise WitnessError("cuts: the bound has a proof in fractions, and rests on none in floats.")
        else:
            asked.check_bound(self.given, min(self.lower_bound, self.cost))
            if self.lower_bound > self.cost * (1 + 1e-9):
                raise WitnessError(f"lower_bound: {self.lower_bound} is more than the set's own cost {self.cost}.")
        self._verify_sets(asked.requirement.met)

    def _verify_sets(self, met: Callable[[list[int]], bool]) -> None:
        for other in self.alternatives:
            if list(other) != sorted(set(other)) or not set(self.given) <= set(other) or tuple(other) == self.goals:
                raise WitnessError(f"alternatives: {other} is no other set with the given goals.")
            if self._cost_of(other) > self.cost * (1 + 1e-9) or not met(list(other)):
                raise WitnessError(f"alternatives: {other} does not do the same for the same price.")
        if self.best_conditioned and self.scenarios:
            again = choose(self, met)
            if again.goals != self.goals and Contest(self.scenarios, self.coverage, (), (), len, bool, np.inf).sigma(
                again.goals
            ) > self.sigma_min * (1 + 1e-5):
                raise WitnessError(f"best_conditioned: {again.goals} is conditioned better.")

    @property
    def coverage(self) -> float:
        """The share of rows that count."""
        return 1.0 if self.asked is None else self.asked.limits.coverage


def choose(found: MinimalGoals, met: Callable[[list[int]], bool], *, end: float = np.inf) -> BestSet:
    """Return the best conditioned set of the price of the one found."""
    allowed = range(found.candidates.n_goals) if found.asked is None else np.flatnonzero(found.asked.allowed).tolist()
    free = tuple(goal for goal in allowed if goal not in found.given)
    price = len if found.asked is None else found.asked.prices.of
    contest = Contest(found.scenarios, found.coverage, found.given, free, price, met, end)
    return best_conditioned(contest, list(found.goals))


def exact_scenarios(agent: ExactAgentValues, kernel_class: KernelClass) -> tuple[Scenario, ...]:
    """Return an agent's values in floats; none for `Sparse`, whose sets of successors are too many."""
    simplest, rules = rules_of(kernel_class, agent.n_states)
    if not rules.uses_prime:
        return ()
    sets = SuccessorSets.of(simplest, agent.row_index, agent.n_states)
    return (scenario_of(agent.to_float(), sets, relative=True, name="this world"),)
