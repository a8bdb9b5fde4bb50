"""The smallest set of goals that identifies every row of the kernel, chosen from candidates, with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz
from numpy.typing import ArrayLike

from tabular_inversion import exact
from tabular_inversion._typing import IntArray
from tabular_inversion.errors import GoalsError, InputError, KernelClassError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Evidence
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.question import LIMIT_DENOMINATOR, read_exact_world
from tabular_inversion.sufficiency.smallest.cover import Cover, Demand, cover, fewest, program
from tabular_inversion.sufficiency.smallest.lower_bounds import Cut, Tree, prove, proves, renumber, used_cuts
from tabular_inversion.sufficiency.smallest.spanning import Spanning, Violation, supports_of, word_primes
from tabular_inversion.sufficiency.smallest.sparse_rows import SparseRows
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


@dataclass(frozen=True, eq=False)
class MinimalityProof:
    """That some goals suffice, and that no fewer do.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (k, n)
        M, a row for each candidate.
    kernel_class : KernelClass
        K.
    row_index : numpy.ndarray of int
        Numbers s*A + a of the available rows.
    goals, given : tuple of int
        The goals that suffice, and those among them that are there in any case.
    lower_bound : int
        The size that no sufficient set falls below.
    cuts : tuple of Cut
        How many goals of which kinds any sufficient set holds.
    tree : Leaf or Branch or None
        How the bound follows from the cuts and, as a last one, from how many goals any set needs; None if that rests
        on an integer program solved in floats.
    prime : int
        Modulo this prime the chosen goals have full rank, and so have they in fractions.
    """

    matrix: FractionArray
    kernel_class: KernelClass
    row_index: IntArray
    goals: tuple[int, ...]
    given: tuple[int, ...]
    lower_bound: int
    cuts: tuple[Cut, ...]
    tree: Tree | None
    prime: int

    @property
    def text(self) -> str:
        """The proof in words."""
        enough = (
            f"modulo {self.prime} any two rows of the class have different values for these {len(self.goals)} goals"
        )
        if self.lower_bound <= len(self.given):
            return f"{enough}; no bound from below was needed"
        how = "an integer program" if self.tree is None else "weights in fractions"
        cuts = f"{len(self.cuts)} set{'s' * (len(self.cuts) != 1)} of null vectors"
        cuts = cuts if self.cuts else "the theorem of van Kampen and Flores"
        return f"{enough}; {cuts} and {how} show that no fewer than {self.lower_bound} suffice"

    def verify(self) -> bool:
        """Re-check everything from scratch, in fractions and modulo a prime; without a tree, solve the program."""
        chosen, given = list(self.goals), list(self.given)
        if self.prime >= 2**31 or not fmpz(self.prime).is_prime():  # products of larger residues overflow
            return False
        demand = demand_of(self.matrix, self.kernel_class, self.row_index, self.prime)
        if demand.violations(chosen) or not set(given) <= set(chosen) or len(set(chosen)) < len(chosen):
            return False
        if self.lower_bound <= len(given):
            return True
        sums_to_one = self.kernel_class.sums_to_one
        sound = all(cut.verify(self.matrix, sums_to_one=sums_to_one) and self._allows(cut) for cut in self.cuts)
        if not sound:
            return False
        outside, at_least = program(self.cuts, len(self.matrix), demand.floor)
        if self.tree is None:
            return fewest(outside, at_least, given)[1] >= self.lower_bound
        return proves(self.tree, outside, at_least, self.lower_bound, given)

    def _allows(self, cut: Cut) -> bool:
        """Tell whether two rows of the class can differ along each of the cut's vectors."""
        kernel_class = same_demand(self.kernel_class, self.matrix.shape[1])
        if isinstance(kernel_class, Sparse):
            signs = np.stack([(cut.vectors > 0).sum(axis=0), (cut.vectors < 0).sum(axis=0)])
            return cut.at_least == 1 and bool((signs <= kernel_class.max_successors).all())
        supports = supports_of(kernel_class, self.row_index, self.matrix.shape[1])
        used = (cut.vectors != 0).any(axis=1)
        return bool((supports | ~used).all(axis=1).any())


@dataclass(frozen=True, eq=False, repr=False)
class MinimalGoals:
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
    evidence : Evidence
        That the goals suffice is always exact. EXACT: so is the lower bound; NUMERIC: it rests on an integer program
        solved in floats.
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
    (<MinimalGoals: 1 goal, proved minimal>, (0,))
    """

    goals: tuple[int, ...]
    given: tuple[int, ...]
    lower_bound: int
    greedy_size: int | None
    greedy_guarantee: float | None
    kernel_class: KernelClass
    evidence: Evidence
    agent: ExactAgentValues
    proof: MinimalityProof

    def __repr__(self) -> str:
        known = "proved minimal" if self.optimal else f"at least {self.lower_bound} needed"
        return f"<MinimalGoals: {self.size} goal{'s' * (self.size != 1)}, {known}>"

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

    def verify(self) -> bool:
        """Re-check from scratch that the goals suffice, and that the lower bound holds."""
        proof = self.proof
        same = (proof.goals, proof.given, proof.lower_bound) == (self.goals, self.given, self.lower_bound)
        return same and np.array_equal(proof.matrix, self.agent.test_matrix) and proof.verify()


def minimal(
    mdp: MDP | ExactMDP,
    candidates: Goals | ExactGoals,
    kernel_class: KernelClass,
    *,
    policy: ArrayLike | None = None,
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
    policy : array_like, shape (S, A) or (G, S, A), optional
        The agents' policy; they are optimal when omitted.
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

    Source: G4, T5, and Wolsey (1982) for the guarantee of the greedy choice.

    Examples
    --------
    >>> from tabular_inversion import Stochastic
    >>> from tabular_inversion.environments import chain
    >>> found = minimal(chain(4), Goals.indicator(4), Stochastic(), given=[2])
    >>> found.goals, found.size, found.optimal, found.verify()
    ((0, 1, 2), 3, True, True)
    """
    return smallest(_agent(mdp, candidates, policy, limit_denominator), kernel_class, given=given, seconds=seconds)


def smallest(
    agent: ExactAgentValues, kernel_class: KernelClass, *, given: Sequence[int] = (), seconds: float = 60.0
) -> MinimalGoals:
    """Return the smallest set of an agent's own goals that identifies every row; see `minimal`.

    Examples
    --------
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
        cut = Cut.of(unmet[0], matrix, sums_to_one=kernel_class.sums_to_one)
        if cut is None:
            return None
        raise _insufficient(agent, kernel_class, unmet)
    found = cover(demand, given, seconds=seconds)
    proved = _proved(found, matrix, kernel_class, given, demand.floor)
    if proved is None:
        return None
    cuts, tree = proved
    goals, bound = tuple(sorted(found.goals)), found.lower_bound
    evidence = Evidence.NUMERIC if tree is None and bound > len(given) else Evidence.EXACT
    proof = MinimalityProof(matrix, kernel_class, agent.row_index, goals, tuple(given), bound, cuts, tree, prime)
    gain = demand.largest_gain
    guarantee = float((1.0 / np.arange(1, gain + 1)).sum()) if gain else None
    return MinimalGoals(goals, tuple(given), bound, found.greedy_size, guarantee, kernel_class, evidence, agent, proof)


def demand_of(matrix: FractionArray, kernel_class: KernelClass, row_index: IntArray, prime: int) -> Demand:
    """Return what a class asks of a goal set, in the arithmetic of a prime below 2**31."""
    kernel_class = same_demand(kernel_class, matrix.shape[1])
    if isinstance(kernel_class, Sparse):
        return SparseRows(matrix, kernel_class.max_successors)
    supports = supports_of(kernel_class, row_index, matrix.shape[1])
    return Spanning(matrix, supports, sums_to_one=kernel_class.sums_to_one, prime=prime)


def same_demand(kernel_class: KernelClass, n_states: int) -> KernelClass:
    """Return the class of simplest form that asks the same of goals: one successor, or any number, is no search."""
    if not isinstance(kernel_class, Sparse):
        return kernel_class
    if kernel_class.max_successors >= n_states - 1:
        return Stochastic()
    return Deterministic() if kernel_class.max_successors == 1 else kernel_class


def _proved(
    found: Cover, matrix: FractionArray, kernel_class: KernelClass, given: list[int], floor: int
) -> tuple[tuple[Cut, ...], Tree | None] | None:
    """Prove the lower bound in fractions; None if a cut holds modulo the prime only."""
    if found.lower_bound <= len(given):
        return (), None
    count = len(found.violations)
    # Where the floor is not the bound itself, its row would only make the linear programs harder to branch on.
    outside, at_least = program(found.violations, len(matrix), floor if found.lower_bound <= floor else 0)
    tree = prove(outside, at_least, found.lower_bound, given)
    used = range(count) if tree is None else sorted(used_cuts(tree) - {count})
    cuts = [Cut.of(found.violations[i], matrix, sums_to_one=kernel_class.sums_to_one) for i in used]
    if any(cut is None for cut in cuts):
        return None
    numbers = {cut: i for i, cut in enumerate([*used, count])}
    renumbered = None if tree is None else renumber(tree, numbers)
    return tuple(cut for cut in cuts if cut is not None), renumbered


def _agent(
    mdp: MDP | ExactMDP, candidates: Goals | ExactGoals, policy: ArrayLike | None, limit_denominator: int | None
) -> ExactAgentValues:
    """Compute the exact values of agents for all candidates."""
    world = read_exact_world(mdp, limit_denominator)
    goals = candidates if isinstance(candidates, ExactGoals) else ExactGoals.from_float(candidates)
    if policy is None:
        return exact.solve(world, goals)
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
