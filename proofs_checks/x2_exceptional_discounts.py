"""X2: for fixed policies the rank of M falls at finitely many discounts, the roots of a polynomial, found exactly."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks import instances
from proofs_checks.digraphs import two_ways
from proofs_checks.instance import Instance
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
from tabular_inversion import exact
from tabular_inversion.discounts import ExceptionalDiscounts, exceptional_discounts
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.roots import at
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.policies import deterministic

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
By L1 row $g$ of $M$ is $m_g(\gamma) = (I - \gamma A_g)^{-1}(r_g + \gamma b_g)$ with $A_g = D_g P_g$ and $b_g$ (which
holds action rewards) rational and independent of $\gamma$, because the policies are. By Cramer's rule $m_g =
n_g(\gamma) / d_g(\gamma)$ with $d_g(\gamma) = \det(I - \gamma A_g)$ and polynomials $n_g$ with rational coefficients.
$A_g$ is nonnegative with row sums at most 1, so that its spectral radius is at most 1, and $d_g$ has no root in $[0,
1)$. Hence $M(\gamma) = \operatorname{diag}(1/d_g(\gamma))\, N(\gamma)$ has the rank of the matrix $N$ of polynomials at
every $\gamma \in [0, 1)$.

Let $\rho$ be the generic rank, the largest over $[0, 1)$. Some minor of $N$ of size $\rho$ is not the zero polynomial,
so that the rank is $\rho$ at all but finitely many discounts, and less exactly at the common roots in $[0, 1)$ of all
minors of size $\rho$: the roots of their greatest common divisor. (Of the size of the generic rank, whatever $k$ and
$n$ are: larger minors all vanish.) After multiplication by denominators it is an integer polynomial. Its roots in $(0,
1)$ are isolated by Descartes' rule of signs, in rational intervals that hold one root each, together with the
irreducible factor whose root it is: so each is known exactly. The same holds for $[M;1]$, whose last row is constant.

*Discount 0* is a root iff $\operatorname{rank} R < \rho$ ($[R;1]$ for $[M;1]$), because $M(0) = R$. It can be one: two
goals with the same reward under two policies have equal rows at 0, and not elsewhere.

*One policy, one continuation.* Then $M = R N^\top$ with $N$ invertible (T3b), so that the rank of $M$ is that of $R$ at
every discount. With $C = 1$, $\mathbf 1^\top = (1-\gamma) \mathbf 1^\top N^\top$, so that the rank of $[M;1]$ is that
of $[R;1]$: no discount is exceptional. Columns $X$ of $M$ may well have exceptional discounts, by G1, at most $n -
\rho_X$ of them.
"""

POLICY = "the policies do not depend on the discount"
GRID = tuple(Fraction(i, 8) for i in range(1, 8))


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world, a policy for each goal, and as many goals as states; half of the time with a root planted.

    It is planted at the instance's own discount: the last goal's rewards are chosen so that its row of M there is that
    of the first.
    """
    n, m = instances.sizes(rng, largest=size)
    world = instances.world(rng, n, m)
    goals = ExactGoals(rng.integers(-3, 4, (n, n)), exact.fraction_array(rng.integers(0, 2, (n, n))))
    policy = instances.policy(rng, n, m, n_goals=n)
    if rng.integers(2):
        row = exact.evaluate(world, goals, policy).test_matrix[0]
        later = world.discount * goals.continuation[-1] * np.einsum("sa,sat,t->s", policy[-1], world.kernel, row)
        goals = ExactGoals(np.concatenate([goals.rewards[:-1], (row - later)[None]]), goals.continuation)
    return Instance(world, goals, policy, "unconstrained")


def agent_at(instance: Instance, discount: Fraction) -> FractionArray:
    """Return M at another discount, by the forward code."""
    world = ExactMDP(instance.world.kernel, discount, instance.world.available)
    return Instance(world, instance.goals, instance.policy).agent.test_matrix


def fixed_policy(instance: Instance) -> FractionArray:
    """Return the policy; for optimal agents the one that is optimal at the instance's own discount."""
    if instance.policy is not None:
        return instance.policy
    least = min(x for x in instance.agent.q.ravel() if x is not None)
    best = np.where(instance.world.available, instance.agent.q, least - 1).argmax(axis=2)
    return exact.fraction_array(deterministic(best, instance.world.available).astype(int))


def _fraction(x: Any) -> Fraction:
    return Fraction(int(x.numerator), int(x.denominator))


def found_roots(instance: Instance, *, one_policy: bool = False) -> ExceptionalDiscounts:
    """Return what the package finds; `one_policy` is the wrong variant in which the first goal's policy serves all."""
    policy = fixed_policy(instance)
    return exceptional_discounts(instance.world, instance.goals, policy=policy[0] if one_policy else policy)


def conclude(instance: Instance, *, one_policy: bool = False, forget: bool = False) -> Outcome:
    """M is the matrix of rational functions at rational discounts, and the rank is less just at the roots found.

    The package looks for roots in (0, 1); at 0 the rank is that of R.
    """
    found = found_roots(instance, one_policy=one_policy)
    usual = found.ranks[0][0]
    roots = {x.discount.value: x for x in found.discounts if x.discount.value is not None and not forget}
    problems = []
    for point in sorted({*GRID, instance.world.discount, *roots}):
        matrix = agent_at(instance, point)
        shown = [
            [at(entry, point) / at(row.denominator, point) for entry in row.numerators] for row in found.pieces[0].rows
        ]
        values = [[Fraction(int(x.numerator), int(x.denominator)) for x in row] for row in shown]
        rank = exact.rank(matrix).rank
        claimed = roots[point].rank if point in roots else usual
        if point == 0:
            claimed = min(usual, exact.rank(instance.goals.rewards).rank)
        if matrix.tolist() != values or rank != claimed:
            problems.append(f"at {point}: rank {rank}, claimed {claimed}; M as claimed: {matrix.tolist() == values}")
    text = f"usual rank {usual}, {len(found.discounts)} exceptional discounts, {len(roots)} of them rational"
    return Outcome(not problems, "; ".join(problems) or text)


def conclude_with_signs(instance: Instance, *, forget: bool = False) -> Outcome:
    """Between neighbouring rational points det M changes its sign iff it has an odd number of roots there."""
    found = found_roots(instance)
    if found.ranks[0][0] < instance.world.n_states:
        return Outcome(True, "det M is the zero polynomial")
    small = Fraction(1, 2**40)
    below = [x for x in found.discounts if x.rank < found.n_states and not forget]
    roots = [(x.discount.refine(small), x.multiplicity) for x in below]
    points = {*GRID}
    for root, _ in roots:
        points |= {root.lower - small, root.upper + small}
    signs = [(point, exact.determinant(agent_at(instance, point))) for point in sorted(points) if 0 < point < 1]
    signs = [(point, det) for point, det in signs if det != 0]
    problems = []
    for (left, before), (right, after) in pairwise(signs):
        inside = sum(times for root, times in roots if left < root.lower and root.upper < right)
        if (before * after < 0) != (inside % 2 == 1):
            problems.append(
                f"between {left} and {right}: {inside} roots, det from {float(before):.2g} to {float(after):.2g}"
            )
    return Outcome(not problems, "; ".join(problems) or f"{len(roots)} roots, {len(signs)} signs")


def check_planted(rng: np.random.Generator, amount: int) -> Tally:
    """Worlds with a planted rational root: it is found, and the package's own re-check from scratch holds."""
    tally = Tally()
    while tally.instances < amount:
        instance = draw(rng, 4)
        if exact.rank(instance.agent.test_matrix).rank == instance.world.n_states:
            continue
        found = found_roots(instance)
        found.verify()
        seen = [x.discount.value for x in found.discounts]
        always = found.ranks[0][0] < instance.world.n_states
        planted = instance.world.discount
        at_zero = exact.rank(instance.goals.rewards).rank < found.ranks[0][0] and planted not in seen  # by R alone
        text = f"planted {planted}, found {[str(x.discount) for x in found.discounts]}"
        tally.add(always or (at_zero if planted == 0 else planted in seen), 0.0, text)
    return tally


def draw_any_size(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world and 1 to n + 1 goals, each with its own policy, whose rewards often repeat or depend."""
    n, m = instances.sizes(rng, largest=size)
    k = int(rng.integers(1, n + 2))
    rewards = rng.integers(-2, 3, (k, n))
    rewards[1:] = np.where(rng.random((k - 1, 1)) < 0.4, rewards[:1], rewards[1:])
    goals = ExactGoals(rewards, exact.fraction_array(rng.integers(0, 2, (k, n))))
    world = instances.world(rng, n, m, branching=int(rng.integers(1, n + 1)))
    return Instance(world, goals, instances.policy(rng, n, m, n_goals=k), "unconstrained")


def conclude_for_both(instance: Instance, *, from_zero: bool = True, largest: bool = False) -> Outcome:
    """K != n and [M;1] too: both ranks at a grid, at 0, and at each rational root, are as the package claims.

    At 0, which the package leaves out, the rank is that of R, and 0 is exceptional iff it is below the generic rank.
    Without `from_zero` no rank falls at 0; with `largest` minors have the size min(k, n): both are wrong.
    """
    found = found_roots(instance)
    usual = (min(instance.goals.n_goals, instance.world.n_states),) * 2 if largest else found.ranks[0]
    roots = {x.discount.value: (x.rank, x.rank_with_ones) for x in found.discounts if x.discount.value is not None}
    problems = []
    for point in sorted({*GRID, Fraction(0), *roots}):
        matrix = agent_at(instance, point)
        ones = np.concatenate([matrix, exact.fraction_array(np.ones((1, matrix.shape[1]), int))])
        ranks = exact.rank(matrix).rank, exact.rank(ones).rank
        claimed = roots.get(point, usual)
        if point == 0 and from_zero:
            rewards = instance.goals.rewards
            with_ones = np.concatenate([rewards, ones[-1:]])
            claimed = exact.rank(rewards).rank, exact.rank(with_ones).rank
            claimed = claimed if claimed[0] <= usual[0] and claimed[1] <= usual[1] else (-1, -1)
        if ranks != claimed:
            problems.append(f"at {point}: ranks {ranks}, claimed {claimed}")
    sizes = f"{instance.goals.n_goals} goals, {instance.world.n_states} states"
    return Outcome(not problems, "; ".join(problems) or f"{sizes}: ranks {usual}, {len(roots)} rational roots")


def check_one_policy(rng: np.random.Generator, amount: int, *, columns: bool = False) -> Tally:
    """One policy, C = 1, rewards of any rank: the package finds no exceptional discount, of M or of [M;1].

    With `columns` the wrong claim is that the columns X of M have none either, on the graph of G1's counterexample.
    """
    tally = Tally()
    for _ in range(amount):
        if columns:
            discounts = (Fraction(1, 12), Fraction(1, 2))
            ranks = {exact.rank(two_ways(["1/2", "1/4", "1/4"], ["1/12", "1/2", "5/12"], x).agent.test_matrix[:, :2])
                     .rank for x in discounts}  # fmt: skip
            tally.add(len(ranks) == 1, 0.0, f"ranks {ranks} of two columns at {discounts}")
            continue
        drawn = draw_any_size(rng, 4)
        goals = ExactGoals(drawn.goals.rewards)
        found = exceptional_discounts(drawn.world, goals, policy=fixed_policy(drawn)[0])
        usual = exact.rank(goals.rewards).rank
        holds = not found.discounts and found.ranks[0][0] == usual
        tally.add(holds, 0.0, f"rank R {usual}, ranks {found.ranks}, {len(found.discounts)} exceptional discounts")
    return tally


def zero_is_exceptional() -> bool:
    """Tell whether one reward under two policies has rank 1 at discount 0, and 2 elsewhere."""
    kernel = exact.fraction_array(np.eye(2, dtype=int)[[[0, 1], [0, 1]]])
    policies = exact.fraction_array([[[1, 0], [1, 0]], [[0, 1], [0, 1]]])
    instance = Instance(ExactMDP(kernel, Fraction(1, 2)), ExactGoals(np.array([[0, 1], [0, 1]])), policies)
    ranks = [exact.rank(agent_at(instance, point)).rank for point in (Fraction(0), *GRID)]
    return ranks[0] == 1 and set(ranks[1:]) == {2} and not found_roots(instance).discounts


def optimal_agents() -> SearchStrategy[Instance]:
    """Three states with one choice, in the first of them, and an optimal agent for one goal."""
    from hypothesis import strategies as st

    successor, reward = st.integers(0, 2), st.integers(0, 3)
    available = np.array([[True, True], [True, False], [True, False]])

    def made(successors: list[int], rewards: list[int]) -> Instance:
        kernel = np.zeros((3, 2, 3), int)
        kernel[[0, 0, 1, 2], [0, 1, 0, 0], successors] = 1
        world = ExactMDP(exact.fraction_array(kernel), Fraction(1, 2), available)
        return Instance(world, ExactGoals(exact.fraction_array([rewards])), None, "unconstrained")

    return st.builds(made, st.lists(successor, min_size=4, max_size=4), st.lists(reward, min_size=3, max_size=3))


# That the numbers are rational is a convention: floats are rational, and other fields need other arithmetic only.
HYPOTHESES = (Hypothesis(POLICY, lambda i: i.policy is not None, optimal_agents),)

STATEMENT = Statement(
    id="X2",
    title="Exceptional discounts of fixed policies",
    latex=r"M(\gamma) = \operatorname{diag}(1/d_g(\gamma))\, N(\gamma), \ N \text{ polynomial}, \ d_g > 0 \text{ on } "
    r"[0,1), \ \rho = \max_\gamma \operatorname{rank} M: \quad \operatorname{rank} M(\gamma) < \rho \iff "
    r"\gcd(\text{minors of } N \text{ of size } \rho)(\gamma) = 0",
    plain="For fixed policies the test functions are rational functions of the discount. Their rank is the same at all "
    "discounts but finitely many, the roots in [0, 1) of an integer polynomial, which are found exactly; 0 is one iff "
    "the rank of the rewards is less. The same is true with a row of ones. Under one policy for goals that never end "
    "there are none.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with up to 4 states, roots planted in half of them: M and its rank at 7 "
              "discounts, at the instance's own, and at each rational root",
              exact_check(draw, HYPOTHESES, conclude, size=4), (50, 500, 4000)),
        Check("exact", "planted rational roots are found, and the package's re-check holds", check_planted,
              (25, 250, 2000)),
        Check("exact", "up to 4 states, fewer and more goals than states, rewards that repeat: the ranks of M and of "
              "[M;1] at 7 discounts, at 0 and at each rational root",
              exact_check(draw_any_size, HYPOTHESES, conclude_for_both, size=4), (40, 400, 3000)),
        Check("exact", "one policy for goals that never end, rewards of any rank: none", check_one_policy,
              (15, 150, 1000)),
        Check("certified", "every root, rational or not, lies in an interval of 3 / 2^40 at whose ends det M has the "
              "signs that its multiplicity says; no sign changes elsewhere",
              exact_check(draw, HYPOTHESES, conclude_with_signs, size=4), (40, 400, 3000)),
    ),
    counterexamples=(
        Counterexample(POLICY, "an optimal agent, whose policy changes with the discount", stored("X2", POLICY)),
        Counterexample("the discount is above 0", "one reward under two policies: rank 1 at discount 0, and 2 at all "
                       "others", show=zero_is_exceptional),
    ),
    mutations=(
        Mutation("rational roots are forgotten",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, forget=True), size=4)), 100),
        Mutation("one policy for all goals",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, one_policy=True), size=4)), 100),
        Mutation("no rank falls at discount 0", first_failure(exact_check(
            draw_any_size, HYPOTHESES, partial(conclude_for_both, from_zero=False), size=4)), 200),
        Mutation("minors of size min(k, n)", first_failure(exact_check(
            draw_any_size, HYPOTHESES, partial(conclude_for_both, largest=True), size=4)), 200),
        Mutation("some columns of M under one policy have no exceptional discount either",
                 partial(check_one_policy, columns=True), 1),
        Mutation("no root explains a change of sign",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude_with_signs, forget=True), size=4)), 200),
    ),
    open_levels={
        "symbolic": "the determinants are polynomials in the discount alone, for each instance",
        "universal": "rational worlds of one size are infinitely many; the proof covers all",
    },
    api=("tabular_inversion.discounts.exceptional_discounts",),
)  # fmt: skip
