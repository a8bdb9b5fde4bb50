"""AG: "almost every reward" may be goals drawn from any analytic family that spans, such as one with one parameter."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.k1_discounts_for_goals import with_ones
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Deterministic, Goals, Unconstrained, bellman, environments, exact, identify
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $\theta \mapsto r_\theta \in \mathbb R^n$ be analytic on a connected domain, with values that span $\mathbb R^n$,
and let $\theta_1, \dots, \theta_k$ be drawn independently from laws with densities. Policies are fixed or optimal,
and continuations take finitely many values, whatever the parameters.

*Finitely many pieces.* By L1 $m_g = N_g\, r_{\theta_g}$, where $N_g = (I - \gamma D_g P_{\pi_g})^{-1}$ is one of
finitely many invertible matrices: deterministic policies and continuations are finitely many. It is enough that for
each choice of $(N_1, \dots, N_k)$ the rows $N_g r_{\theta_g}$ have the property for almost every
$(\theta_1, \dots, \theta_k)$: then so has $M$, by Fact 3.

*A minor does not vanish.* Consider a minor $F$ of $[M;\mathbf 1]$, of goals' rows and perhaps the row of ones, or a
difference of two entries of one row. It is linear in the row of each goal, as a function of arbitrary rows
$m_1, \dots, m_j$, and not zero everywhere. Replace the first argument: as $r_\theta$ spans, so does $N_1 r_\theta$;
were $F(N_1 r_\theta, m_2, \dots) = 0$ for all $\theta$ and all $m_2, \dots$, then $F$ would vanish everywhere by
linearity. So it does not vanish at some $\theta_1$ and some $m_2, \dots$; go on with the next argument. In the end
$F$ is not zero at some $(\theta_1, \dots, \theta_j)$. It is an analytic function on a connected domain, so its zeros
are a null set.

*So the statements hold with such goals:* T2a (differences of two columns, $k \ge 1$), T3a (maximal minors of $M$ and
$[M;\mathbf 1]$), T5a (minors on the columns of a known support), T5b (minors on any $2N$ columns): finitely many
minors each.

*Families.* One parameter suffices: the powers $r_\theta(s) = x_s^\theta$ or $\theta^{s}$, or
$1/(1 + (x_s - \theta)^2)$ with different $x_s$, whose poles differ, so that they are independent. Gaussians with
random centres (P1) are another.
"""

SPANS = "the family spans"
DRAWN = "the goals' parameters differ (so for almost every draw)"
FINITE = "continuations do not move with the parameter"

Family = Callable[[FractionArray, int], FractionArray]


def powers(parameters: FractionArray, n: int) -> FractionArray:
    """Return r(s) = theta^s, shape (parameters, n)."""
    return np.array([[x**s for s in range(n)] for x in parameters], dtype=object)


def bumps(parameters: FractionArray, n: int) -> FractionArray:
    """Return r(s) = 1 / (1 + (s - theta)^2), shape (parameters, n)."""
    return np.array([[1 / (1 + (s - x) ** 2) for s in range(n)] for x in parameters], dtype=object)


FAMILIES: tuple[Family, ...] = (powers, bumps)


def drawn_parameters(rng: np.random.Generator, count: int) -> FractionArray:
    """Draw numbers in (0, 3) with large denominators, all different."""
    return exact.fraction_array(rng.choice(3 * 10**6, count, replace=False) + 1) / 10**6


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world, goals of one family with a parameter each, ending in drawn states or never, perhaps a policy."""
    n, m = instances.sizes(rng, largest=size)
    k = int(rng.integers(1, n + 1))
    family = FAMILIES[rng.integers(len(FAMILIES))]
    world = instances.world(rng, n, m, branching=(None, 1)[rng.integers(2)])
    ends = rng.integers(0, 2, (k, n)) if rng.integers(2) else np.ones((k, n), int)
    parameters = drawn_parameters(rng, k)
    chosen = instances.policy(rng, n, m, n_goals=k) if rng.integers(2) else None
    extra = {"parameters": parameters, "family": family(exact.fraction_array(np.arange(1, n + 1)), n)}
    return Instance(world, ExactGoals(family(parameters, n), exact.fraction_array(ends)), chosen, extra=extra)


def conclude(instance: Instance, *, ones: int = 1) -> Outcome:
    """Rank [M;1] = min(k + `ones`, n) with ones = 1, rank M = min(k, n), and different columns."""
    matrix, n = instance.agent.test_matrix, instance.world.n_states
    k = len(matrix)
    found = exact.rank(matrix).rank, exact.rank(with_ones(matrix)).rank
    wanted = min(k, n), min(k + ones, n)
    columns = len({tuple(c) for c in matrix.T.tolist()}) == n
    sure = identify(instance.agent, Deterministic(), scope="uniform").status is Status.IDENTIFIED
    return Outcome(found == wanted and columns and sure, f"{k} goals: ranks {found}, claimed {wanted}; {columns}")


def small(*, spans: bool = True) -> SearchStrategy[Instance]:
    """Two states and goals of the powers at parameters of which some agree, or of the multiples of one reward."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=2, n_actions=1, discounts=half, max_successors=1, all_available=True))
        parameters = exact.fraction_array([2 if spans else draw(st.integers(1, 2)), 2 if spans else 3])
        one, several = exact.fraction_array([[1, draw(st.integers(0, 1))]]), exact.fraction_array([1, 2])
        rewards = powers(parameters, 2) if spans else parameters[:, None] * one
        family = powers(several, 2) if spans else several[:, None] * one
        return Instance(world, ExactGoals(rewards), None, extra={"parameters": parameters, "family": family})

    return made()


HYPOTHESES = (
    Hypothesis(SPANS, lambda i: exact.rank(i.extra["family"]).rank == i.world.n_states, partial(small, spans=False)),
    Hypothesis(DRAWN, lambda i: instances.all_different(i.extra["parameters"]), small),
)


def moving_continuation() -> bool:
    """R = (1, 1 + theta), C = (2 theta / (1 + theta), 0), two states that swap: M = (1 + theta, 1 + theta) at 1/2."""
    seen = []
    for theta in exact.fraction_array(["1/3", "1/2", "3/4"]):
        goals = ExactGoals(*(exact.fraction_array(x) for x in ([[1, 1 + theta]], [[2 * theta / (1 + theta), 0]])))
        world = ExactMDP(exact.fraction_array([[[0, 1]], [[1, 0]]]), Fraction(1, 2))
        row = exact.evaluate(world, goals, [[1], [1]]).test_matrix[0]
        seen.append(bool(row[0] == row[1] == 1 + theta))
    return all(seen)


def check_symbolic(_rng: np.random.Generator, largest: int, *, distinct: bool = True) -> Tally:
    """One policy, n powers: det M is det N times the product of differences (Vandermonde), all entries symbols."""
    tally = Tally()
    for n in range(2, largest + 1):
        made = symbol_arrays(P=(n, n), theta=(n,), discount=())
        factor = identity(n) - made["P"] * made["discount"]
        rewards = np.array([[x**s for s in range(n)] for x in made["theta"]], dtype=object)
        product = made["theta"][0] ** 0
        for i in range(n):
            for j in range(i):
                product *= made["theta"][i] - made["theta"][j] if distinct else made["theta"][i] + made["theta"][j]
        # M = R N^T with N = adj / det: det(R adj^T) = det R det(factor)^(n - 1)
        defect = determinant(rewards) - product
        again = determinant(adjugate(factor)) - determinant(factor) ** (n - 1)
        tally.add(vanishes([defect, again]), 0.0, f"n = {n}: {defect}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random worlds with 6 states, optimal agents, bumps with drawn centres in floats: P is identified."""
    tally = Tally()
    for _ in range(amount):
        n = 6
        mdp = environments.random_mdp(n, 2, discount=0.5, seed=rng)
        goals = Goals(1 / (1 + 4 * (np.arange(n) - rng.uniform(-1, n, (n, 1))) ** 2))
        verdict = identify(bellman.solve(mdp, goals), Unconstrained(), scope="uniform")
        tally.add(verdict.status is not Status.NOT_IDENTIFIED, 0.0, f"{verdict}")
    return tally


STATEMENT = Statement(
    id="AG",
    title="Goals from a family with few parameters",
    latex=r"\theta \mapsto r_\theta \text{ analytic, spanning } \mathbb R^n, \ \theta_1, \dots, \theta_k \text{ "
    r"independent with "
    r"densities}: \quad \operatorname{rank} M = \min(k, n), \ \operatorname{rank}[M;\mathbf 1] = \min(k+1, n) "
    r"\text{ a.s.}",
    plain="Where a statement speaks of almost every reward (T2a, T3a, T5a, T5b), goals drawn independently from any "
    "analytic family of rewards that spans do as well, such as bumps with random centres; one parameter suffices. "
    "This holds for optimal agents, too, and for continuations that take finitely many values.",
    source="this package; the finite form of Theorems 6 to 9 of arXiv 2606.21173",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "worlds with up to 6 states, two families of one parameter, optimal agents and policies of each "
              "goal: ranks, columns and verdict", exact_check(draw, HYPOTHESES, conclude, size=6), (40, 400, 4000)),
        Check("symbolic", "powers under one policy: det M is Vandermonde's product", check_symbolic, (3, 3, 3)),
        Check("numeric", "bumps on random worlds with 6 states", check_numeric, (5, 50, 500)),
    ),
    counterexamples=(
        Counterexample(SPANS, "multiples of one reward", stored("AG", SPANS)),
        Counterexample(DRAWN, "one parameter twice", stored("AG", DRAWN)),
        Counterexample(FINITE, "a continuation that moves with the parameter: equal columns always",
                       show=moving_continuation),
    ),
    mutations=(
        Mutation("[M;1] has no more rank than M", exact_check(draw, HYPOTHESES, partial(conclude, ones=0), size=5), 10),
        Mutation("sums in place of differences of parameters", partial(check_symbolic, distinct=False), 2),
    ),
    open_levels={"universal": "families and parameters fill a continuum"},
    api=("tabular_inversion.identify", "tabular_inversion.exact.solve"),
)  # fmt: skip
