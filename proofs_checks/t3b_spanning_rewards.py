"""T3b: under one unconditional policy M = R N^T, so that rewards which span suffice: all n indicator goals do."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import networkx as nx
import numpy as np

from proofs_checks import instances
from proofs_checks.statement import Check, Counterexample, Statement, Tally
from tabular_inversion import Goals, Stochastic, Unconstrained, bellman, environments, exact, identify, invert, policies
from tabular_inversion.identifiability import Status

Act = Callable[[np.random.Generator, exact.ExactMDP, exact.ExactGoals], exact.ExactAgentValues]


def follow_one_policy(
    rng: np.random.Generator, world: exact.ExactMDP, goals: exact.ExactGoals
) -> exact.ExactAgentValues:
    """Evaluate one unconditional policy for every goal: the statement's hypothesis."""
    return exact.evaluate(world, goals, instances.policy(rng, world.n_states, world.n_actions))


def indicators(n: int, *, terminating: bool) -> exact.ExactGoals:
    """Return all n indicator goals, exactly."""
    unit = np.array([[Fraction(int(i == j)) for j in range(n)] for i in range(n)])
    return exact.ExactGoals(unit, 1 - unit if terminating else np.ones((n, n), int))


def check_exact(rng: np.random.Generator, instances_wanted: int, act: Act = follow_one_policy) -> Tally:
    """Rational worlds: rank M = n for indicator goals, with and without termination, and rank M = rank R for any R.

    The worlds include the bipartite graph K_{3,3} at gamma = 1/2, where goal-conditioned policies fail.
    """
    tally = Tally()
    for i in range(instances_wanted):
        n, m = instances.sizes(rng, largest=6)
        world = instances.world(rng, n, m)
        if i == 0:
            world = exact.ExactMDP.from_float(environments.graph(nx.complete_bipartite_graph(3, 3), discount=0.5))
            n = 6
        rewards = instances.generic_rewards(rng, n, n)
        rewards[-1] = rewards[0]
        plain = exact.ExactGoals(rewards)
        ranks = [exact.rank(act(rng, world, g).test_matrix).rank for g in
                 (indicators(n, terminating=False), indicators(n, terminating=True), plain)]  # fmt: skip
        holds = ranks == [n, n, exact.rank(rewards).rank]
        tally.add(holds, 0.0, f"n={n}: ranks {ranks}")
    return tally


def check_numeric(rng: np.random.Generator, instances_wanted: int) -> Tally:
    """Random worlds with 50 states, a random policy, all indicator goals, ending or not: P comes back."""
    tally = Tally()
    for i in range(instances_wanted):
        mdp = environments.random_mdp(50, 2, discount=0.9, seed=rng)
        goals = Goals.indicator(50, terminating=i % 2 == 0)
        agent = bellman.evaluate(mdp, goals, policies.random(mdp.available, seed=rng))
        result = invert(agent, Unconstrained())
        error = result.max_error(mdp)
        tally.add(
            result.verdict.status is Status.IDENTIFIED and error < 1e-11,
            error,
            f"{result}, {error:.1e}",
        )
    return tally


def goal_conditioned_policies() -> bool:
    """K_{3,3} at gamma = 1/2, optimal goal-conditioned agents, all six terminating indicator goals: rank 5 (X1)."""
    world = environments.graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    agent = exact.solve(exact.ExactMDP.from_float(world), indicators(6, terminating=True))
    ones = np.full((1, 6), Fraction(1))
    verdict = identify(agent.to_float(), Stochastic(), scope="uniform")
    exact_rank = exact.rank(np.concatenate([agent.test_matrix, ones])).rank
    return exact_rank == 5 and verdict.status is Status.NOT_IDENTIFIED


def rewards_that_do_not_span() -> bool:
    """All indicator goals but two: two states cannot be told apart in some mixture."""
    mdp = environments.random_mdp(5, 2, discount=0.9, seed=3)
    agent = bellman.evaluate(mdp, Goals.indicator(5, [0, 1, 2]), policies.uniform(mdp.available))
    return identify(agent, Stochastic(), scope="uniform").status is Status.NOT_IDENTIFIED


STATEMENT = Statement(
    id="T3b",
    title="Spanning rewards under an unconditional policy",
    latex=r"\pi_g = \pi, \ C_g = C: \quad M = R\,N^\top, \ N = (I - \gamma D P_\pi)^{-1}, \quad "
    r"\operatorname{rank} R = n \Rightarrow \operatorname{rank} M = n",
    plain="If the agent acts the same way whatever the goal, rewards that span the functions of the state suffice, for "
    "instance all n indicator goals, also when arrival ends the episode.",
    source="Theorem 3 of arXiv 2606.21173, finite form",
    hypotheses=(
        "one unconditional policy",
        "rank R = n",
        "one continuation for all goals, or indicator goals that end",
    ),
    checks=(
        Check("exact", "rational worlds with up to 6 states, K_{3,3} at 1/2 among them", check_exact, 25),
        Check("numeric", "random worlds with 50 states", check_numeric, 10),
    ),
    counterexamples=(
        Counterexample(
            "one unconditional policy",
            "K_{3,3} at gamma = 1/2 with optimal agents: rank 5 of 6",
            goal_conditioned_policies,
        ),
        Counterexample("rank R = n", "three indicator goals on five states", rewards_that_do_not_span),
    ),
)
