"""The smallest set of goals that identifies every row of the kernel, chosen from candidates, with its proof."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion.errors import GoalsError, InputError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.question import (
    LIMIT_DENOMINATOR,
    is_normalised,
    read_goals,
)
from tabular_inversion.sufficiency.scenarios import Rows
from tabular_inversion.sufficiency.smallest.asked import InsufficientGoalsError
from tabular_inversion.sufficiency.smallest.cover import Cover, cover, program
from tabular_inversion.sufficiency.smallest.exact_agents import NORMALISED, exact_agent, in_fractions
from tabular_inversion.sufficiency.smallest.lower_bounds import Shortage, prove, renumber, used_cuts
from tabular_inversion.sufficiency.smallest.minimality import (
    GOAL_RULES,
    Claim,
    MinimalityProof,
    demand_of,
    greedy_guarantee,
    rules_of,
)
from tabular_inversion.sufficiency.smallest.requested import Request, found_with_options
from tabular_inversion.sufficiency.smallest.result import MinimalGoals, choose
from tabular_inversion.sufficiency.smallest.spanning import Violation, word_primes
from tabular_inversion.validation import check_indices

_AFTERWARDS = 1.0  # seconds for the best conditioned set, where the search for the smallest has taken all the time


@checked
def minimal(
    mdp: MDP | ExactMDP | Supported,
    candidates: Goals | ExactGoals | ArrayLike,
    kernel_class: KernelClass,
    *,
    policy: Literal["optimal", "uniform", "generic"] | ArrayLike = "optimal",
    given: Sequence[int] = (),
    forbidden: Sequence[int] = (),
    costs: Sequence[float] | None = None,
    spare: int = 0,
    rows: Rows = None,
    coverage: float = 1.0,
    noise: float = 0.0,
    error: float | None = None,
    relative: bool = True,
    worlds: Sequence[MDP] = (),
    policies: Sequence[Any] = (),
    discounts: Sequence[float] = (),
    generic: bool = False,
    radii: ArrayLike | None = None,
    seconds: float = 60.0,
    progress: Callable[[int, int], None] | None = None,
    limit_denominator: int | None = LIMIT_DENOMINATOR,
) -> MinimalGoals:
    """Return the smallest or cheapest set of candidate goals that meets all that is asked, the best conditioned one.

    Parameters
    ----------
    mdp : MDP, ExactMDP or Supported
        The world that the agent is trained in. Of a `Supported` class the transitions are known and no probability:
        `generic` has to be True, and `discounts` to be given.
    candidates : Goals, ExactGoals or array_like of int
        The goals to choose from, or the states of indicator goals; rewards in floats are taken as they are.
    kernel_class : KernelClass
        What is known of the rows. `Sparse` is searched exhaustively, see Notes.
    policy : {"optimal", "uniform", "generic"} or array_like, shape (S, A) or (G, S, A)
        What the agents do; "generic": one drawn unconditional policy, hence almost every one.
    given : sequence of int
        Numbers of candidates that are there already: which goals to add to them?
    forbidden : sequence of int
        Numbers of candidates that must not be chosen.
    costs : sequence of float, shape (k,), optional
        What each candidate costs, above 0; the cheapest set is wanted, and the smallest when omitted.
    spare : int
        How many goals of the set, whichever they are, may fail without a loss.
    rows : array_like, optional
        The region that matters: states, a mask (S,) or (S, A), or pairs (state, action); all rows when omitted.
    coverage : float
        The share of these rows that has to be determined, in (0, 1].
    noise : float
        The standard deviation of the errors of values, or the most that they can be.
    error : float, optional
        The largest error allowed in a row: see `MinimalGoals.predicted_error`. Needs `noise`.
    relative : bool
        Whether `noise` is in units of each goal's largest value, or of Q.
    worlds, policies, discounts : sequence, optional
        Further worlds (on the same states and actions) in which the set has to do, policies and discounts in place of
        the one: in all combinations.
    generic : bool
        Whether the set has to suffice for unknown probabilities on the known support: in sixteen drawn worlds, hence
        for almost every kernel of which the same actions are optimal as in one of them.
    radii : array_like, shape (S, A), optional
        Of a kernel from counts: how far the true rows may be from it, such as `kernel_radii`. Then the goals have to
        determine the rows in every kernel within.
    seconds : float
        After so long, the best set so far is returned with its gap.
    progress : callable, optional
        ``progress(bound, best)``: the bound from below, and the best size or cost so far.
    limit_denominator : int or None
        Floats in world and policy stand for the nearest fractions with denominators up to this: 0.99 for 99/100, and
        1/3 for itself. Worlds that are far from all of those are taken as the dyadic rationals that they are.

    Returns
    -------
    MinimalGoals
        Among the sets of that price the one whose worst row is conditioned best (each goal in units of its largest
        value).

    Raises
    ------
    InsufficientGoalsError
        If all candidates together leave rows unknown, or do not meet what is asked; it names the rows.
    GoalsError
        If a given or forbidden goal is no candidate, or one is both.
    KernelClassError
        If a support does not fit, or there are too many sets of columns to search for `Sparse`.
    InputError
        If another input is wrong, or too large.
    ConvergenceError
        If time runs out before candidates that suffice together are solved.

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

    Where more is asked, the set is searched in floats with a bound on their errors, and then proved in fractions: that
    the goals do all of it, and cuts "these goals together do not do it", of which weights give the bound. Where there
    are no fractions (more than 200 states or 10,000 values, radii, no time) the bounds on errors certify that the goals
    suffice, and the bound from below is numeric; `evidence`, `sufficiency_evidence`, `text` and `notes` say which. All
    demands are monotone: see `tabular_inversion.sufficiency.smallest.requirements`. On large worlds candidates are
    solved one after the other as long as there is time, and others are left out, which is said.

    On a graph whose actions choose a neighbour, M of indicator goals that end on arrival is gamma^distance: the
    smallest set for `Deterministic` is a metric basis of the graph, and its size the metric dimension.

    The smallest set is NP-hard for several supports (set cover) and for `Deterministic` on graphs (metric dimension),
    and verdicts in `Sparse` are coNP-hard in N: hence bounds, and `seconds`.

    Source: G4, T5, CX, and Wolsey (1982) for the guarantee of the greedy choice.

    Examples
    --------
    >>> from tabular_inversion import Deterministic, Stochastic
    >>> from tabular_inversion.environments import chain
    >>> found = minimal(chain(4), Goals.indicator(4), Stochastic(), given=[2])
    >>> found.size, found.optimal, 2 in found.goals
    (3, True, True)
    >>> found.verify()
    >>> minimal(chain(4), Goals.indicator(4), Deterministic(), spare=1).size
    2
    """
    GOAL_RULES.of(kernel_class)
    start = time.monotonic()
    floats = mdp.to_float() if isinstance(mdp, ExactMDP) else mdp
    n_states = floats.support.shape[1] if isinstance(floats, Supported) else floats.n_states
    if not isinstance(candidates, ExactGoals):
        candidates = read_goals(candidates, n_states)
    _check_seconds(seconds)
    request = Request(
        floats, candidates if isinstance(candidates, Goals) else candidates.to_float(), kernel_class, policy,
        tuple(given), tuple(forbidden), costs, spare, rows, coverage, noise, error, relative, tuple(worlds),
        tuple(policies), tuple(discounts), generic, radii,
    )  # fmt: skip
    names = None if isinstance(floats, Supported) else floats.state_names
    plain = request.is_plain
    if (
        plain
        and not isinstance(mdp, Supported)
        and in_fractions(mdp, candidates.n_goals, limit_denominator, seconds) is None
    ):
        agent = exact_agent(mdp, candidates, policy, limit_denominator)
        left = max(seconds - (time.monotonic() - start), 0.0)
        found = smallest(agent, kernel_class, given=given, seconds=left, progress=progress)
        notes = () if is_normalised(mdp, limit_denominator) else (NORMALISED,)
        return replace(found, state_names=names, notes=notes)
    return found_with_options(request, end=start + seconds, progress=progress, limit_denominator=limit_denominator)


def _check_seconds(seconds: float) -> None:
    if not seconds >= 0:
        raise InputError(f"seconds is {seconds}; expected at least 0.")


def smallest(
    agent: ExactAgentValues,
    kernel_class: KernelClass,
    *,
    given: Sequence[int] = (),
    seconds: float = 60.0,
    progress: Callable[[int, int], None] | None = None,
) -> MinimalGoals:
    """Return the smallest set of an agent's own goals that identifies every row; see `minimal`.

    Examples
    --------
    >>> from tabular_inversion import Stochastic, exact
    >>> agent = exact.evaluate(ExactMDP([[[0, 1]], [[1, 0]]], "1/2"), ExactGoals([[1, 0], [2, 0]]), [[1], [1]])
    >>> smallest(agent, Stochastic()).size
    1
    """
    chosen = _read_given(given, agent.n_goals)
    _check_seconds(seconds)
    kernel_class.check_fits(agent.available.size, agent.n_states)
    end = time.monotonic() + seconds
    # A prime may divide a denominator or make numbers equal that are not; fractions notice, and the next one is tried.
    results = (_attempt(agent, kernel_class, chosen, end, prime, progress) for prime in word_primes())
    return next(result for result in results if result is not None)


def _attempt(
    agent: ExactAgentValues,
    kernel_class: KernelClass,
    given: list[int],
    end: float,
    prime: int,
    progress: Callable[[int, int], None] | None,
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
    found = cover(demand, given, seconds=max(end - time.monotonic(), 0.0), progress=progress)
    goals = tuple(sorted(found.goals))
    claim = Claim(agent, kernel_class, goals, tuple(given), found.lower_bound)
    proof = _proved(found, claim, demand.floor, prime)
    if proof is None:
        return None
    # Of a tree the bound is what it proves, which may be more than was asked; without one, what the program reached.
    bound = proof.lower_bound(claim) if proof.tree is not None or not proof.cuts else found.lower_bound
    greedy = greedy_guarantee(demand)
    result = MinimalGoals(goals, tuple(given), bound, found.greedy_size, greedy, kernel_class, agent, proof)
    if not result.scenarios or not goals:
        return result
    best = choose(result, lambda chosen: not demand.violations(chosen), end=max(end, time.monotonic() + _AFTERWARDS))
    return replace(result, goals=best.goals, alternatives=best.alternatives, best_conditioned=best.proved)


def _proved(found: Cover, claim: Claim, floor: int, prime: int) -> MinimalityProof | None:
    """Prove the lower bound in fractions; None if a shortage holds modulo the prime only."""
    used_prime = prime if rules_of(claim.kernel_class, claim.agent.n_states)[1].uses_prime else None
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


def _read_given(given: Sequence[int], n_goals: int) -> list[int]:
    if len(given) == 0:
        return []
    return sorted(set(check_indices("given", given, n_goals, GoalsError).tolist()))


def _insufficient(agent: ExactAgentValues, kernel_class: KernelClass, unmet: list[Violation]) -> InsufficientGoalsError:
    """Say which rows stay unknown, and between which next states."""
    states = tuple(np.unique(np.concatenate([violation.states for violation in unmet])).tolist())
    index = agent.row_index
    supports = kernel_class.known_supports(index)
    if supports is not None:
        unknown = np.zeros((len(unmet), agent.n_states), bool)
        for row, violation in zip(unknown, unmet, strict=True):
            row[violation.states] = True
        index = index[(supports.toarray()[:, None, :] == unknown).all(axis=2).any(axis=1)]
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
