"""The smallest set of goals that identifies every row of the kernel, chosen from candidates, with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import exact
from tabular_inversion.class_tables import check_known
from tabular_inversion.errors import GoalsError, InputError, KernelClassError, PolicyError, WitnessError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.policies import uniform_policy
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Evidence
from tabular_inversion.identifiability.asked import agents_in_words
from tabular_inversion.kernel_classes import KernelClass, Sparse, Supported
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, promise
from tabular_inversion.sufficiency.question import LIMIT_DENOMINATOR, read_exact_world
from tabular_inversion.sufficiency.smallest.cover import Cover, cover, program
from tabular_inversion.sufficiency.smallest.lower_bounds import Shortage, prove, renumber, used_cuts
from tabular_inversion.sufficiency.smallest.minimality import (
    Claim,
    MinimalityProof,
    demand_of,
    greedy_guarantee,
    same_demand,
)
from tabular_inversion.sufficiency.smallest.spanning import Violation, word_primes
from tabular_inversion.validation import check_indices


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


@checked
@dataclass(frozen=True, eq=False, repr=False)
class MinimalGoals(Record):
    """The smallest sufficient set of goals, or the smallest found and how far it may be from that.

    Attributes
    ----------
    goals : tuple of int
        Numbers of the goals among the candidates, ascending; those given are among them.
    given : tuple of int
        The goals that were there already.
    lower_bound : int
        No sufficient set that holds the given goals is smaller.
    greedy_size : int or None
        How many goals the greedy choice took; None where it was not tried (`Sparse`).
    greedy_guarantee : float or None
        The greedy choice adds at most so many times as many goals as the best one: the harmonic number of the number
        of systems in which one goal can add a dimension. 1 where there is one system: there, greedy is optimal. None
        where the systems are not counted (`Sparse`), or there is none.
    kernel_class : KernelClass
        K.
    agent : ExactAgentValues
        The agent with all candidates.
    proof : MinimalityProof
        What proves both.

    Examples
    --------
    >>> from tabular_inversion import Deterministic
    >>> from tabular_inversion.environments import chain
    >>> found = minimal(chain(4), Goals.indicator(4), Deterministic())
    >>> found, found.added
    (<MinimalGoals: 1 goal, proved minimal, optimal agents>, (0,))
    """

    goals: tuple[int, ...]
    given: tuple[int, ...]
    lower_bound: int
    greedy_size: int | None
    greedy_guarantee: float | None
    kernel_class: KernelClass
    agent: ExactAgentValues
    proof: MinimalityProof

    def __repr__(self) -> str:
        known = "proved minimal" if self.optimal else f"at least {self.lower_bound} needed"
        return f"<MinimalGoals: {self.size} goal{'s' * (self.size != 1)}, {known}, {agents_in_words(self.agent)}>"

    @property
    def evidence(self) -> Evidence:
        """How strong the lower bound is: EXACT, or NUMERIC where it rests on an integer program solved in floats.

        That the goals suffice is always exact.
        """
        numeric = self.proof.tree is None and self.lower_bound > len(self.given)
        return Evidence.NUMERIC if numeric else Evidence.EXACT

    @property
    def size(self) -> int:
        """How many goals, those given included."""
        return len(self.goals)

    @property
    def added(self) -> tuple[int, ...]:
        """The goals to add to those given."""
        return tuple(goal for goal in self.goals if goal not in self.given)

    @property
    def gap(self) -> int:
        """By how many goals the set may be too large."""
        return self.size - self.lower_bound

    @property
    def optimal(self) -> bool:
        """Whether no sufficient set is smaller."""
        return self.gap == 0

    @property
    def text(self) -> str:
        """What proves it, in words."""
        return self.proof.text(self._claim)

    @property
    def _claim(self) -> Claim:
        return Claim(self.agent, self.kernel_class, self.goals, self.given, self.lower_bound)

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
        demand = self.proof.verify(self._claim)
        greedy = None if demand.largest_gain is None else len(demand.completed(list(self.given)))
        guarantee = greedy_guarantee(demand)
        if (type(self.greedy_size), self.greedy_size) != (type(greedy), greedy):
            raise WitnessError(f"greedy_size: it is {greedy}; {self.greedy_size} was stated.")
        if (type(self.greedy_guarantee), self.greedy_guarantee) != (type(guarantee), guarantee):
            raise WitnessError(f"greedy_guarantee: it is {guarantee}; {self.greedy_guarantee} was stated.")


@checked
def minimal(
    mdp: MDP | ExactMDP,
    candidates: Goals | ExactGoals,
    kernel_class: KernelClass,
    *,
    policy: Literal["optimal", "uniform"] | ArrayLike = "optimal",
    given: Sequence[int] = (),
    seconds: float = 60.0,
    limit_denominator: int | None = LIMIT_DENOMINATOR,
) -> MinimalGoals:
    """Return the smallest set of candidate goals that identifies every row, whatever it is within the class.

    Parameters
    ----------
    mdp : ExactMDP or MDP
        The world that the agent is trained in.
    candidates : ExactGoals or Goals
        The goals to choose from; rewards and continuations in floats are taken as they are.
    kernel_class : KernelClass
        What is known of the rows. `Sparse` is searched exhaustively, see Notes.
    policy : {"optimal", "uniform"} or array_like, shape (S, A) or (G, S, A)
        What the agents do.
    given : sequence of int
        Numbers of candidates that are there already: which goals to add to them?
    seconds : float
        After so long, the best set so far is returned with its gap.
    limit_denominator : int or None
        Floats in world and policy stand for the nearest fractions with denominators up to this: 0.99 for 99/100, and
        1/3 for itself. None takes them as the dyadic rationals that they are.

    Returns
    -------
    MinimalGoals

    Raises
    ------
    InsufficientGoalsError
        If all candidates together leave rows unknown; it names them.
    GoalsError
        If a given goal is no candidate.
    KernelClassError
        If a support does not fit, or there are too many sets of columns to search for `Sparse`.
    InputError
        If another input is wrong, or too large.

    Notes
    -----
    Row g of M depends on goal g alone, so that M is computed once, in fractions. Then each set T of successors asks
    for ``rank [M;1] = |T|`` on its columns (`Deterministic`: each pair of states; `Stochastic`, `Unconstrained`: all
    states): bases of matroids, of which a common spanning set is sought. For one matroid the greedy choice is
    optimal. For several, an integer program is solved again and again with the violated demand "of the goals outside
    the span of those chosen, at least as many as dimensions are missing". Ranks are computed modulo a prime of 31
    bits, where full rank is a proof; the demands behind the lower bound are proved by null vectors in fractions.

    `Sparse`: two rows differ by a vector with at most N positive and N negative entries, and such vectors are sums of
    circuits of at most 2N columns, all of which are tried. Where n > 2N, no 2N - 2 goals suffice, whatever they are
    (van Kampen and Flores).

    On a graph whose actions choose a neighbour, M of indicator goals that end on arrival is gamma^distance: the
    smallest set for `Deterministic` is a metric basis of the graph, and its size the metric dimension.

    The smallest set is NP-hard for several supports (set cover) and for `Deterministic` on graphs (metric dimension),
    and verdicts in `Sparse` are coNP-hard in N: hence bounds, and `seconds`.

    Source: G4, T5, CX, and Wolsey (1982) for the guarantee of the greedy choice.

    Examples
    --------
    >>> from tabular_inversion import Stochastic
    >>> from tabular_inversion.environments import chain
    >>> found = minimal(chain(4), Goals.indicator(4), Stochastic(), given=[2])
    >>> found.goals, found.size, found.optimal
    ((0, 1, 2), 3, True)
    >>> found.verify()
    """
    check_known(kernel_class, "a smallest goal set")
    return smallest(_agent(mdp, candidates, policy, limit_denominator), kernel_class, given=given, seconds=seconds)


def smallest(
    agent: ExactAgentValues, kernel_class: KernelClass, *, given: Sequence[int] = (), seconds: float = 60.0
) -> MinimalGoals:
    """Return the smallest set of an agent's own goals that identifies every row; see `minimal`.

    Examples
    --------
    >>> from tabular_inversion import Stochastic
    >>> agent = exact.evaluate(ExactMDP([[[0, 1]], [[1, 0]]], "1/2"), ExactGoals([[1, 0], [2, 0]]), [[1], [1]])
    >>> smallest(agent, Stochastic()).goals
    (0,)
    """
    chosen = _read_given(given, agent.n_goals)
    if not seconds >= 0:
        raise InputError(f"seconds is {seconds}; expected at least 0.")
    if isinstance(kernel_class, Supported) and kernel_class.support.shape != (agent.available.size, agent.n_states):
        raise KernelClassError(
            f"the class has a support of shape {kernel_class.support.shape}; expected "
            f"{(agent.available.size, agent.n_states)}, as the world."
        )
    # A prime may divide a denominator or make numbers equal that are not; fractions notice, and the next one is tried.
    results = (_attempt(agent, kernel_class, chosen, seconds, prime) for prime in word_primes())
    return next(result for result in results if result is not None)


def _attempt(
    agent: ExactAgentValues, kernel_class: KernelClass, given: list[int], seconds: float, prime: int
) -> MinimalGoals | None:
    matrix = agent.test_matrix
    if any(x.denominator % prime == 0 for x in matrix.ravel().tolist()):
        return None
    demand = demand_of(matrix, kernel_class, agent.row_index, prime)
    unmet = demand.violations(list(range(agent.n_goals)))
    if unmet:
        cut = Shortage.of(unmet[0], matrix, sums_to_one=kernel_class.sums_to_one)
        if cut is None:
            return None
        raise _insufficient(agent, kernel_class, unmet)
    found = cover(demand, given, seconds=seconds)
    goals = tuple(sorted(found.goals))
    claim = Claim(agent, kernel_class, goals, tuple(given), found.lower_bound)
    proof = _proved(found, claim, demand.floor, prime)
    if proof is None:
        return None
    # Of a tree the bound is what it proves, which may be more than was asked; without one, what the program reached.
    bound = proof.lower_bound(claim) if proof.tree is not None or not proof.cuts else found.lower_bound
    greedy = greedy_guarantee(demand)
    return MinimalGoals(goals, tuple(given), bound, found.greedy_size, greedy, kernel_class, agent, proof)


def _proved(found: Cover, claim: Claim, floor: int, prime: int) -> MinimalityProof | None:
    """Prove the lower bound in fractions; None if a shortage holds modulo the prime only."""
    used_prime = None if isinstance(same_demand(claim.kernel_class, claim.agent.n_states), Sparse) else prime
    given = list(claim.given)
    if found.lower_bound <= len(given):
        return MinimalityProof((), None, used_prime)
    count, matrix = len(found.violations), claim.agent.test_matrix
    # Where the floor is not the bound itself, its row would only make the linear programs harder to branch on.
    asked = [(violation.outside, violation.at_least) for violation in found.violations]
    outside, at_least = program(asked, len(matrix), floor if found.lower_bound <= floor else 0)
    tree = prove(outside, at_least, found.lower_bound, given)
    used = range(count) if tree is None else sorted(used_cuts(tree) - {count})
    sums_to_one = claim.kernel_class.sums_to_one
    cuts = [Shortage.of(found.violations[i], matrix, sums_to_one=sums_to_one) for i in used]
    if any(cut is None for cut in cuts):
        return None
    numbers = {cut: i for i, cut in enumerate([*used, count])}
    renumbered = None if tree is None else renumber(tree, numbers)
    return MinimalityProof(tuple(cut for cut in cuts if cut is not None), renumbered, used_prime)


def _agent(
    mdp: MDP | ExactMDP, candidates: Goals | ExactGoals, policy: ArrayLike, limit_denominator: int | None
) -> ExactAgentValues:
    """Compute the exact values of agents for all candidates."""
    world = read_exact_world(mdp, limit_denominator)
    goals = candidates if isinstance(candidates, ExactGoals) else ExactGoals.from_float(candidates)
    if isinstance(policy, str) and policy == "optimal":
        return exact.solve(world, goals)
    if isinstance(policy, str) and policy != "uniform":
        raise PolicyError(f"the policy is {policy!r}; expected 'optimal', 'uniform', or probabilities.")
    if isinstance(policy, str):
        return exact.evaluate(world, goals, uniform_policy(world.available))
    weights = exact.fraction_array(policy, allow_float=True, limit_denominator=limit_denominator)
    return exact.evaluate(world, goals, weights)


def _read_given(given: Sequence[int], n_goals: int) -> list[int]:
    if len(given) == 0:
        return []
    return sorted(set(check_indices("given", given, n_goals, GoalsError).tolist()))


def _insufficient(agent: ExactAgentValues, kernel_class: KernelClass, unmet: list[Violation]) -> InsufficientGoalsError:
    """Say which rows stay unknown, and between which next states."""
    states = tuple(np.unique(np.concatenate([violation.states for violation in unmet])).tolist())
    index = agent.row_index
    if isinstance(kernel_class, Supported):
        unknown = np.zeros((len(unmet), agent.n_states), bool)
        for row, violation in zip(unknown, unmet, strict=True):
            row[violation.states] = True
        supports = kernel_class.rows(index).toarray()
        index = index[(supports[:, None, :] == unknown).all(axis=2).any(axis=1)]
    rows = tuple((int(row) // agent.n_actions, int(row) % agent.n_actions) for row in index)
    places = ", ".join(str(row) for row in rows[:3]) + (", ..." if len(rows) > 3 else "")
    named = ", ".join(str(state) for state in states[:10]) + (", ..." if len(states) > 10 else "")
    return InsufficientGoalsError(
        f"all {agent.n_goals} candidates together leave {len(rows)} of {len(agent.row_index)} rows unknown, "
        f"(state, action) = {places}: nothing tells apart where they lead among states {named}; add candidates that "
        "reward some of these states more than others.",
        rows,
        states,
    )
