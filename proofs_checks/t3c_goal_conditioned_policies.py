"""T3c: spanning rewards suffice for agents with a policy for each goal too, at all discounts but finitely many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement, permutations, product
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.generic_minors import general_agent, scaled_test_matrix
from proofs_checks.instance import Instance
from proofs_checks.polynomials import determinant
from proofs_checks.statement import (
    Check,
    Counterexample,
    Hypothesis,
    Mutation,
    Outcome,
    Statement,
    Tally,
    exact_check,
    first_failure,
)
from proofs_checks.stored import stored
from tabular_inversion import Unconstrained, exact
from tabular_inversion.discounts import ExceptionalDiscounts, exceptional_discounts
from tabular_inversion.exact.rationals import FractionArray

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let world, rewards and continuation be given, $\operatorname{rank} R = n$, and $k = n$ (choose $n$ independent rows of
$R$; more goals do not lower the rank). The agent is optimal at each discount, or has a given policy for each goal.

*One piece.* Let $\pi = (\pi_1, \dots, \pi_n)$ be policies that do not depend on $\gamma$, one for each goal. By L1(a)
row $g$ of $M$ is $m_g(\gamma) = (I - \gamma D_g P_g)^{-1} r_g$. By Cramer's rule its entries are polynomials in
$\gamma$ over $\det(I - \gamma D_g P_g)$, which has no zero in $[0,1)$, because $\|\gamma D_g P_g\|_\infty \le \gamma <
1$. So $d_\pi(\gamma) = \det M(\gamma)$ is a rational function without poles in $[0,1)$. At $\gamma = 0$ all matrices $I
- \gamma D_g P_g$ are $I$, hence $M(0) = R$ and $d_\pi(0) = \det R \ne 0$. So its numerator is not the zero polynomial
and has finitely many zeros; $M(\gamma)$ has rank $n$ at all other discounts.

*Optimal agents.* At each discount an optimal agent has, for each goal, the values of some deterministic policy. There
are finitely many tuples $\pi$ of $n$ deterministic policies. If $M(\gamma)$ has rank below $n$, then $d_\pi(\gamma) =
0$ for one of them, by the above. So the exceptional discounts are among the finitely many zeros of finitely many
functions $d_\pi$, none of which is zero everywhere. $\square$

*Remarks.* (1) The zeros need not be on the piece on which $\pi$ is optimal; those that are there are the exceptional
discounts. They are algebraic numbers if world and rewards are rational. (2) Each is exceptional for the class
`Unconstrained`; for `Stochastic` it is if $[M;\mathbf 1]$ has rank below $n$ too. (3) A maximum-entropy agent changes
its policy with every discount. Its values solve $V_g(s) = \tau\log\sum_a \exp\bigl(\sum_{s'}
P(s'|s,a)\,m_g(s')/\tau\bigr)$, $m_g = r_g + \gamma D_g V_g$, an analytic system whose Jacobian $I - \gamma P_\pi D_g$
is invertible; so $M$ is an analytic function of $\gamma$ in $[0,1)$, again with $M(0) = R$, and $\det M$ is zero on no
interval. Its zeros do not accumulate at 1 either: the solution of the system is unique, so that the graph of $\gamma
\mapsto M(\gamma)$ is defined by equations in sums, products and exponentials, and so is the set of zeros in $[0, 1)$.
The real numbers with the exponential function are o-minimal (Wilkie 1996): a set so defined is a finite union of points
and intervals. So maximum-entropy agents, too, have finitely many exceptional discounts. (4) No deterministic world
with up to 4 states and two actions has an exceptional discount for all indicator goals (an enumeration below).
$K_{3,2}$ and $K_{3,3}$ have one, and so have two states with other rewards.
"""

BIPARTITE = "K_{3,3}"
SPAN = "the rewards span: rank R = n"
ORDINARY = "the discount is none of the finitely many exceptional ones"


def exceptions(instance: Instance) -> ExceptionalDiscounts:
    """All exceptional discounts of the instance's world, as algebraic numbers; its own discount plays no part."""
    return exceptional_discounts(instance.world, instance.goals, policy=instance.policy)


def is_ordinary(instance: Instance) -> bool:
    """Tell whether the instance's own discount is not exceptional, from the zeros of determinants alone."""
    found = exceptions(instance).for_class(Unconstrained())
    return instance.world.discount not in [number.discount.value for number in found]


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states and n goals, generic or indicators; optimal agents, or a policy for each."""
    n, m = instances.sizes(rng, largest=size)
    branching = (None, 1, 2)[rng.integers(3)]
    unit, kind = indicators(n), int(rng.integers(4))
    rewards = instances.generic_rewards(rng, n, n) if kind < 2 else unit
    goals = exact.ExactGoals(rewards, 1 - unit if kind == 3 else 0 * unit + 1)
    policy = None if rng.integers(3) else instances.policy(rng, n, m, n_goals=n)
    drawn = Instance(instances.world(rng, n, m, branching=branching), goals, policy, "unconstrained")
    return drawn if is_ordinary(drawn) and spans(drawn) else draw(rng, size)


def spans(instance: Instance) -> bool:
    """Tell whether the rewards span all functions of the state."""
    return exact.rank(instance.goals.rewards).rank == instance.world.n_states


def conclude(instance: Instance) -> Outcome:
    """Rank M = n, at the instance's own discount."""
    rank = exact.rank(instance.agent.test_matrix).rank
    n = instance.world.n_states
    return Outcome(rank == n, f"rank M is {rank} with {n} states at discount {instance.world.discount}")


def small_worlds(*, span: bool) -> SearchStrategy[Instance]:
    """Deterministic worlds with two states and two actions, optimal agents and two goals, at discount 1/2."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    half, one = st.just(Fraction(1, 2)), st.just(Fraction(1))
    worlds = exact_mdps(n_states=2, n_actions=2, discounts=half, max_successors=1, all_available=True)
    rewards = st.integers(-3, 3).map(Fraction)
    goals = exact_goals(2, n_goals=2, rewards=rewards if span else st.integers(1, 2).map(Fraction), continuations=one)
    return st.builds(Instance, worlds, goals, st.none(), st.just("unconstrained"))


HYPOTHESES = (
    Hypothesis(SPAN, spans, partial(small_worlds, span=False)),
    Hypothesis(ORDINARY, is_ordinary, partial(small_worlds, span=True)),
)
# That policies are optimal, or given, is a convention: what is used of them is that they are finitely many.


def check_zeros(rng: np.random.Generator, amount: int, *, exceptional: bool = True) -> Tally:
    """Worlds with exceptional discounts among others: rank n at eleven discounts beside the zeros, less at the zeros.

    M as rational functions must be R at discount 0 on every piece; the zeros are checked by null vectors in their
    fields, and where they are rational by the forward code. Without `exceptional`, there must be no zeros.
    """
    tally = Tally()
    for _ in range(amount):
        instance = special_world(rng)
        found = exceptions(instance)
        found.verify()
        zeros = [number.discount.value for number in found.for_class(Unconstrained())]
        beside = [Fraction(i, 12) for i in range(12) if Fraction(i, 12) not in zeros]
        ranks = {exact.rank(found.agent(discount).test_matrix).rank for discount in beside}
        low = {exact.rank(found.agent(discount).test_matrix).rank for discount in zeros if discount is not None}
        n = instance.world.n_states
        holds = ranks == {n} and all(rank < n for rank in low) and found.suffices_elsewhere(Unconstrained())
        holds = holds and (exceptional or not zeros)
        tally.add(holds and starts_at_rewards(found), 0.0, f"{found}: ranks {ranks} beside the zeros, {low} there")
    return tally


def special_world(rng: np.random.Generator) -> Instance:
    """Draw a deterministic world with three states and integer rewards: some have exceptional discounts."""
    world = instances.world(rng, 3, 2, branching=1)
    rewards = rng.integers(-2, 3, (3, 3)).astype(object)
    drawn = Instance(world, exact.ExactGoals(rewards), None, "unconstrained")
    return drawn if spans(drawn) else special_world(rng)


def starts_at_rewards(found: ExceptionalDiscounts) -> bool:
    """Tell whether M(0) = R on every piece, for the rational functions that M consists of there."""
    return all(
        int(entry(0)) == reward * int(row.denominator(0))
        for piece in found.pieces
        for row, rewards in zip(piece.rows, found.goals.rewards.tolist(), strict=True)
        for entry, reward in zip(row.numerators, rewards, strict=True)
    )


def check_symbolic(_rng: np.random.Generator, largest: int, *, order: int = 0) -> Tally:
    """With all entries symbols: det M times all det(I - discount D_g P_g) is det R plus terms with the discount."""
    tally = Tally()
    for n in range(2, largest + 1):
        rewards, resolvents = general_agent(n, n)
        rest = determinant(scaled_test_matrix(rewards, resolvents)) - determinant(rewards)
        place = [symbol.name for symbol in rest.ring.symbols].index("discount_0")
        least = min(powers[place] for powers in rest)
        tally.add(least > order, 0.0, f"n={n}: the rest starts at order {least} of the discount")
    return tally


def deterministic_worlds(n_states: int) -> Iterator[exact.ExactMDP]:
    """All deterministic worlds with two actions in each state, up to the names of states and actions."""
    pairs = list(combinations_with_replacement(range(n_states), 2))
    orders = list(permutations(range(n_states)))
    for chosen in product(pairs, repeat=n_states):
        renamed = (tuple(tuple(sorted(order[t] for t in chosen[s])) for s in np.argsort(order)) for order in orders)
        if all(chosen <= other for other in renamed):
            kernel = np.eye(n_states, dtype=int)[np.array(chosen)]
            yield exact.ExactMDP(kernel.astype(object), Fraction(1, 2))


def indicators(n_states: int) -> FractionArray:
    """Return the rewards of all indicator goals."""
    return exact.fraction_array(np.eye(n_states, dtype=int))


def check_universal(
    _rng: np.random.Generator, largest: int, *, rewards: Callable[[int], FractionArray] = indicators
) -> Tally:
    """All deterministic worlds, n = 2 to `largest`, two actions, all indicator goals, ending or not: no exception."""
    tally = Tally()
    for n in range(2, largest + 1):
        for world, ends in product(deterministic_worlds(n), (False, True)):
            goals = exact.ExactGoals(rewards(n), 1 - indicators(n) if ends else 0 * indicators(n) + 1)
            found = exceptional_discounts(world, goals)
            exceptional = [str(number.discount) for number in found.for_class(Unconstrained())]
            holds = not exceptional and found.suffices_elsewhere(Unconstrained())
            tally.add(holds, 0.0, f"{world.kernel.argmax(axis=2).tolist()}, goals end: {ends}: {exceptional}")
    return tally


def check_every_discount(rng: np.random.Generator, amount: int) -> Tally:
    """The variant without an exception, on K_{3,3} at 1/2 after some random worlds."""
    tally = exact_check(draw, (), conclude, size=3)(rng, amount)
    last = conclude(stored("T3c", BIPARTITE)())
    tally.add(last.holds, last.error, last.text)
    return tally


STATEMENT = Statement(
    id="T3c",
    title="Spanning rewards under a policy for each goal",
    latex=r"\operatorname{rank} R = n: \quad M(0) = R, \quad \operatorname{rank} M(\gamma) = n "
    r"\text{ for all but finitely many } \gamma \in [0,1)",
    plain="For optimal and maximum-entropy agents, which have a policy for each goal, rewards that span the functions "
    "of the state suffice at all discounts but finitely many. In a given world the exceptional discounts of optimal "
    "agents are zeros of determinants, and can be computed exactly. They exist: spanning rewards do not suffice at "
    "every discount.",
    source="ours; it completes Theorem 3 of arXiv 2606.21173",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with up to 4 states, optimal agents or a policy for each goal: rank M = n",
              exact_check(draw, HYPOTHESES, conclude, size=4), (40, 400, 4000)),
        Check("exact", "deterministic worlds, integer rewards: rank n beside the zeros of det M, less at each of them",
              check_zeros, (15, 150, 1500)),
        Check("symbolic", "det M is det R + O(discount) over a positive number, all entries symbols, n = 2 and 3",
              check_symbolic, (3, 3, 3)),
        Check("universal", "all deterministic worlds with n <= 3 (quick) or 4 and two actions, all indicator goals: no "
              "exceptional discount",
              check_universal, (3, 4, 4)),
    ),
    counterexamples=(
        Counterexample(ORDINARY, "two states and actions, discount 1/2: the least found", stored("T3c", ORDINARY)),
        Counterexample(ORDINARY, "K_{3,3} at discount 1/2, six indicator goals: rank 5", stored("T3c", BIPARTITE)),
        Counterexample(SPAN, "rewards that do not span", stored("T3c", SPAN)),
    ),
    mutations=(
        Mutation("every discount", check_every_discount, 5),
        Mutation("no zeros", first_failure(partial(check_zeros, exceptional=False)), 60),
        Mutation("det M is det R + O(discount^2)", partial(check_symbolic, order=1), 2),
        Mutation("spanning rewards in place of indicators, no exceptional discount",
                 partial(check_universal, rewards=lambda _n: exact.fraction_array([[1, 0], [-2, -1]])), 2),
    ),
    open_levels={
        "certified": "finiteness for maximum-entropy agents rests on o-minimality; nothing was computed for them",
    },
    api=("tabular_inversion.discounts.exceptional_discounts", "tabular_inversion.exact.rank"),
)  # fmt: skip
