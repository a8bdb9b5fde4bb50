"""T3b: under one unconditional policy M = R N^T, so that rewards which span suffice: all n indicator goals do."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Goals, Unconstrained, bellman, environments, exact, identify, invert, policies
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
(a) *One continuation.* By L1 $m_g = N r_g$ with one matrix $N = (I - \gamma D P_\pi)^{-1}$ for all goals; as rows, $M =
R N^\top$. An invertible factor keeps the rank, and with rank $n$ the system $Mp=q$ has at most one solution.

(b) *Indicator goals that end.* Goal $g$ has $D_g = I - e_g e_g^\top$. By L1 $(I - \gamma P_\pi + \gamma\, e_g e_g^\top
P_\pi)\, m_g = e_g$, that is $(I - \gamma P_\pi)\, m_g = c_g\, e_g$ with the number $c_g = 1 - \gamma\,(P_\pi m_g)_g$.
So $m_g = c_g N e_g$, where now $N = (I - \gamma P_\pi)^{-1}$. Entry $g$ of $m_g = e_g + \gamma D_g P_\pi m_g$ is 1,
because row $g$ of $D_g$ is zero; so $c_g N_{gg} = 1$. Here $N_{gg} \ge 1$, since $N = \sum_t \gamma^t P_\pi^t$. As
rows, $m_g^\top = c_g\, e_g^\top N^\top$, which is the claim, with $\operatorname{diag}(c)$ and $N$ invertible.

(c) *Some of the indicator goals.* Let $T$ be the states that are goals, which end or never. With $C = 1$, $N\mathbf 1 =
\mathbf 1/(1-\gamma)$, since $P_\pi\mathbf 1 = \mathbf 1$. So $\mathbf 1^\top = (1-\gamma)\,\mathbf 1^\top N^\top$, and

$$
\begin{bmatrix} M \\ \mathbf 1^\top \end{bmatrix}
= \begin{bmatrix} I & \\ & 1-\gamma \end{bmatrix}
\begin{bmatrix} R \\ \mathbf 1^\top \end{bmatrix} N^\top ,
$$

with invertible matrices on both sides; in the case of (b), put $\operatorname{diag}(c)$ for $I$ and $R_T$ for $R$. The
rows $e_g$, $g \in T$, and $\mathbf 1$ are independent unless $T$ holds all $n$ states, so that the rank is $\min(|T|+1,
n)$. By T3a (c) all stochastic kernels are identified exactly if $|T| \ge n - 1$.
"""


def ends_on_arrival(goals: exact.ExactGoals) -> bool:
    """Tell whether all goals are indicator goals of one state each, which end there."""
    unit = goals.rewards * goals.rewards == goals.rewards
    return bool(
        unit.all() and (goals.rewards.sum(axis=1) == 1).all() and (goals.continuation == 1 - goals.rewards).all()
    )


BIPARTITE = "K_{3,3}"
POLICY = "one unconditional policy"
SPAN = "the rewards span: rank R = n"
CONTINUATION = "one continuation for all goals, or indicator goals that end"


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw 2 to `size` states, one policy, and rewards that span: generic ones, or indicators, ending or not."""
    n, m = instances.sizes(rng, largest=size)
    kind = int(rng.integers(3))
    unit = exact.fraction_array(np.eye(n, dtype=int))
    rewards = instances.generic_rewards(rng, n, n) if kind == 0 else unit
    goals = exact.ExactGoals(rewards, 1 - unit if kind == 2 else 0 * unit + 1)
    return Instance(instances.world(rng, n, m), goals, instances.policy(rng, n, m), "unconstrained")


def conclude(instance: Instance) -> Outcome:
    """Rank M = n: identified in every class."""
    rank = exact.rank(instance.agent.test_matrix).rank
    n = instance.world.n_states
    return Outcome(rank == n, f"rank M is {rank} with {n} states")


def agents_of_their_own() -> SearchStrategy[Instance]:
    """Worlds with an optimal agent for as many goals as states: the policy depends on the goal."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=2, n_actions=2, discounts=half, max_successors=1, all_available=True))
        rewards = st.integers(-3, 3).map(Fraction)
        goals = draw(exact_goals(2, n_goals=2, rewards=rewards, continuations=st.just(Fraction(1))))
        return Instance(world, goals, None, "unconstrained")

    return made()


def any_rewards() -> SearchStrategy[Instance]:
    """Worlds with one policy and as many goals as states, whatever their rewards; they never end."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half, ever, paid = st.just(Fraction(1, 2)), st.just(Fraction(1)), st.integers(1, 3).map(Fraction)
        world = draw(exact_mdps(n_states=st.integers(2, 3), n_actions=1, discounts=half, all_available=True))
        goals = draw(exact_goals(world.n_states, n_goals=world.n_states, rewards=paid, continuations=ever))
        return Instance(world, goals, draw(exact_policies(world.available)), "unconstrained")

    return made()


def continuations_of_their_own() -> SearchStrategy[Instance]:
    """Worlds with two states, one action and two goals, each of which may end in either state."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    half, ends = st.just(Fraction(1, 2)), st.sampled_from([Fraction(1), Fraction(0)])
    worlds = exact_mdps(n_states=2, n_actions=1, discounts=half, max_successors=1, all_available=True)
    goals = exact_goals(2, n_goals=2, rewards=st.integers(-3, 3).map(Fraction), continuations=ends)
    always = st.just(exact.fraction_array([[1], [1]]))
    return st.builds(Instance, worlds, goals, always, st.just("unconstrained"))


HYPOTHESES = (
    Hypothesis(POLICY, lambda i: i.policy is not None and i.policy.ndim == 2, agents_of_their_own),
    Hypothesis(SPAN, lambda i: exact.rank(i.goals.rewards).rank == i.world.n_states, any_rewards),
    Hypothesis(
        CONTINUATION,
        lambda i: bool((i.goals.continuation == i.goals.continuation[:1]).all()) or ends_on_arrival(i.goals),
        continuations_of_their_own,
    ),
)


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random worlds with 50 states, a random policy, all indicator goals, ending or not: P comes back."""
    tally = Tally()
    for i in range(amount):
        mdp = environments.random_mdp(50, 2, discount=0.9, seed=rng)
        goals = Goals.indicator(50, terminating=i % 2 == 0)
        agent = bellman.evaluate(mdp, goals, policies.random(mdp.available, seed=rng))
        result = invert(agent, Unconstrained())
        error = result.max_error(mdp)
        identified = result.verdict.status is Status.IDENTIFIED
        tally.add(identified and error < 1e-11, error, f"{result}, error {error:.1e}")
    return tally


def check_subsets(rng: np.random.Generator, amount: int, *, more: int = 1) -> Tally:
    """(c) Indicator goals of drawn sets T of states: rank [M;1] = min(|T| + `more`, n), more = 1, and the verdict."""
    tally = Tally()
    for _ in range(amount):
        n, m = instances.sizes(rng, largest=6)
        unit = exact.fraction_array(np.eye(n, dtype=int))[np.sort(rng.permutation(n)[: rng.integers(1, n + 1)])]
        goals = exact.ExactGoals(unit, 1 - unit) if rng.integers(2) else exact.ExactGoals(unit)
        instance = Instance(instances.world(rng, n, m), goals, instances.policy(rng, n, m), "stochastic")
        rank, wanted = exact.rank(instance.system).rank, min(len(unit) + more, n)
        verdict = identify(instance.agent, instance.row_class, scope="uniform").status
        holds = rank == wanted and (verdict is Status.IDENTIFIED) is (wanted == n)
        tally.add(holds, 0.0, f"{len(unit)} of {n} indicator goals: rank {rank}, claimed {wanted}, {verdict.name}")
    return tally


def check_optimal_agents(rng: np.random.Generator, amount: int) -> Tally:
    """The variant without the policy hypothesis, on K_{3,3} at 1/2 after some random worlds."""
    tally = exact_check(lambda r, size: _optimal(draw(r, size)), (), conclude, size=5)(rng, amount)
    last = conclude(stored("T3b", BIPARTITE)())
    tally.add(last.holds, last.error, last.text)
    return tally


def check_symbolic(_rng: np.random.Generator, largest: int, *, scaled: bool = True) -> Tally:
    """Whether R N^T solves Bellman's equation for M, all entries symbols, n = 2 up to `largest` and two actions.

    First for goals with one continuation, then for indicator goals that end, where row g is N e_g over N_gg (without
    `scaled`, N e_g alone). Everything is multiplied by determinants, so that identities are between polynomials.
    """
    tally = Tally()
    for n in range(2, largest + 1):
        made = symbol_arrays(P=(n, 2, n), policy=(n, 2), discount=(), C=(n,), R=(n, n))
        unit, kernel = identity(n), (made["policy"][:, :, None] * made["P"]).sum(axis=1)
        later = (made["C"] * made["discount"])[:, None] * kernel
        inverse, scale = adjugate(unit - later), determinant(unit - later)
        matrix = made["R"] @ inverse.T
        defect = matrix - made["R"] * scale - matrix @ later.T
        tally.add(vanishes(defect), 0.0, f"n={n}, one continuation: {defect[0, 0]}")
        inverse = adjugate(unit - kernel * made["discount"])
        own = inverse.diagonal() if scaled else [determinant(unit - kernel * made["discount"])] * n
        next_values = (1 - unit) * (inverse.T @ (kernel * made["discount"]).T)
        defect = inverse.T - unit * own - next_values
        tally.add(vanishes(defect), 0.0, f"n={n}, indicator goals that end: {defect[0, 0]}")
    return tally


def _optimal(instance: Instance) -> Instance:
    return Instance(instance.world, instance.goals, None, instance.kernel_class)


STATEMENT = Statement(
    id="T3b",
    title="Spanning rewards under an unconditional policy",
    latex=r"\pi_g = \pi, \ C_g = C: \quad M = R\,N^\top, \ N = (I - \gamma D P_\pi)^{-1}, \quad "
    r"\operatorname{rank} R = n \Rightarrow \operatorname{rank} M = n; \qquad "
    r"\text{indicator goals } T: \ \operatorname{rank} \begin{bmatrix} M \\ \mathbf 1^\top \end{bmatrix} = "
    r"\min(|T|+1, n)",
    plain="If the agent acts the same way whatever the goal, (a) rewards that span the functions of the state suffice, "
    "for instance all n indicator goals, (b) also when arrival ends the episode. (c) With indicator goals in some of "
    "the states, [M;1] has as many independent rows as there are goals and one, up to n: n - 1 of them identify all "
    "stochastic kernels, and fewer do not.",
    source="Theorem 3 of arXiv 2606.21173, finite form",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with up to 6 states: rank M = n",
              exact_check(draw, HYPOTHESES, conclude, size=6), (40, 400, 4000)),
        Check("exact", "(c) some of the indicator goals: rank [M;1] = min(|T| + 1, n), and the verdict", check_subsets,
              (40, 400, 4000)),
        Check("symbolic", "M = R N^T and M = diag(c) N^T solve Bellman's equation, all entries symbols, n = 2 and 3",
              check_symbolic, (3, 3, 3)),
        Check("numeric", "random worlds with 50 states: P comes back", check_numeric, (10, 50, 200)),
    ),
    counterexamples=(
        Counterexample(POLICY, "an optimal agent for each goal: the least world found", stored("T3b", POLICY)),
        Counterexample(POLICY, "K_{3,3} at discount 1/2, optimal agents, all six indicator goals: rank 5",
                       stored("T3b", BIPARTITE)),
        Counterexample(SPAN, "rewards of one kind, for two goals", stored("T3b", SPAN)),
        Counterexample(CONTINUATION, "two goals that end in different states", stored("T3b", CONTINUATION)),
    ),
    mutations=(
        Mutation("without the policy hypothesis", check_optimal_agents, 10),
        Mutation("(c) without the row of ones: min(|T|, n)", partial(check_subsets, more=0), 5),
        Mutation("M = N^T for indicator goals that end", partial(check_symbolic, scaled=False), 2),
    ),
    open_levels={
        "universal": "the proof covers all sizes; no enumeration adds to it",
    },
    api=("tabular_inversion.bellman.evaluate", "tabular_inversion.exact.rank"),
)  # fmt: skip
