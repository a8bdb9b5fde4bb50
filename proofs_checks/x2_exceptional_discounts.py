"""X2: for fixed policies the rank of M falls at finitely many discounts, the roots of a polynomial, found exactly."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks import instances
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

Let $\rho$ be the largest rank over $[0, 1)$. Some minor of $N$ of size $\rho$ is not the zero polynomial, so that the
rank is $\rho$ at all but finitely many discounts, and less exactly at the common roots of all minors of size $\rho$:
the roots of their greatest common divisor. For $k = n = \rho$ there is one such minor, $\det N$; after multiplication
by denominators it is an integer polynomial. Its roots in $(0, 1)$ are isolated by Descartes' rule of signs, in rational
intervals that hold one root each, together with the irreducible factor whose root it is: so each is known exactly. The
same holds for $[M;1]$, whose last row is constant.

For an unconditional policy and one continuation $M = R N^\top$ with $N$ invertible (T3b), so that the rank is that of
$R$ at every discount, and there are no exceptional ones.
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
    """M is the matrix of rational functions at rational discounts, and the rank is less just at the roots found."""
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
        text = f"planted {instance.world.discount}, found {[str(x.discount) for x in found.discounts]}"
        tally.add(always or instance.world.discount in seen, 0.0, text)
    return tally


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
    r"[0,1): \quad \operatorname{rank} M(\gamma) < \max_\gamma \operatorname{rank} M \iff "
    r"\gcd(\text{maximal minors of } N)(\gamma) = 0",
    plain="For fixed policies the test functions are rational functions of the discount. Their rank is the same at all "
    "discounts but finitely many, the roots in (0, 1) of an integer polynomial, which are found exactly.",
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
        Check("certified", "every root, rational or not, lies in an interval of 3 / 2^40 at whose ends det M has the "
              "signs that its multiplicity says; no sign changes elsewhere",
              exact_check(draw, HYPOTHESES, conclude_with_signs, size=4), (40, 400, 3000)),
    ),
    counterexamples=(
        Counterexample(POLICY, "an optimal agent, whose policy changes with the discount", stored("X2", POLICY)),
    ),
    mutations=(
        Mutation("rational roots are forgotten",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, forget=True), size=4)), 100),
        Mutation("one policy for all goals",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, one_policy=True), size=4)), 100),
        Mutation("no root explains a change of sign",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude_with_signs, forget=True), size=4)), 200),
    ),
    open_levels={
        "symbolic": "the determinants are polynomials in the discount alone, for each instance",
        "universal": "rational worlds of one size are infinitely many; the proof covers all",
    },
    api=("tabular_inversion.discounts.exceptional_discounts",),
)  # fmt: skip
