"""L1: row g of M is the resolvent (I - gamma D_g P_g)^(-1) applied to the rewards r_g."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from proofs_checks import instances
from proofs_checks.statement import Check, Counterexample, Statement, Tally
from tabular_inversion import Goals, bellman, environments, exact, policies
from tabular_inversion._typing import FloatArray

Resolvent = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]


def resolvent_defect(
    rewards: FloatArray, continuation: FloatArray, discounted_kernel: FloatArray, test_functions: FloatArray
) -> FloatArray:
    """Return (I - gamma D_g P_g) m_g - r_g for each goal: zero by L1.

    Parameters
    ----------
    rewards, continuation, test_functions : numpy.ndarray, shape (G, S)
        R, C and M; floats or Fractions.
    discounted_kernel : numpy.ndarray, shape (G, S, S)
        gamma P_g, the kernel under each goal's policy.
    """
    expected = (discounted_kernel * test_functions[:, None, :]).sum(axis=2)
    defect: FloatArray = test_functions - continuation * expected - rewards
    return defect


def check_exact(rng: np.random.Generator, instances_wanted: int, defect: Resolvent = resolvent_defect) -> Tally:
    """Rational worlds, goal-conditioned policies and continuations in {0, 1/2, 1}: the defect is exactly zero."""
    tally = Tally()
    for _ in range(instances_wanted):
        n, m = instances.sizes(rng, largest=4)
        world = instances.world(rng, n, m)
        halves = np.array([[Fraction(int(i), 2) for i in row] for row in rng.integers(0, 3, (2, n))])
        goals = exact.ExactGoals(instances.generic_rewards(rng, 2, n), halves)
        policy = instances.policy(rng, n, m, n_goals=2)
        agent = exact.evaluate(world, goals, policy)
        under_policy = (policy[:, :, :, None] * world.kernel[None]).sum(axis=2)
        gaps = defect(goals.rewards, goals.continuation, world.discount * under_policy, agent.test_matrix)
        worst = max(abs(gap) for gap in gaps.ravel())
        tally.add(worst == 0, float(worst), f"n={n}, m={m}: defect {worst}")
    return tally


def check_numeric(rng: np.random.Generator, instances_wanted: int, defect: Resolvent = resolvent_defect) -> Tally:
    """Random worlds with 30 states, 12 goals: defect below 1e-10 of the largest value."""
    tally = Tally()
    for _ in range(instances_wanted):
        mdp = environments.random_mdp(30, 3, discount=float(rng.uniform(0.1, 0.99)), seed=rng)
        drawn = Goals.generic(30, 12, seed=rng)
        goals = Goals(drawn.rewards, rng.choice([0.0, 0.5, 1.0], drawn.rewards.shape))
        policy = policies.random(mdp.available, seed=rng, n_goals=12)
        m = bellman.evaluate(mdp, goals, policy).test_matrix
        under_policy = np.einsum("gsa,sat->gst", policy, mdp.kernel)
        gaps = defect(goals.rewards, goals.continuation, mdp.discount * under_policy, m)
        worst = float(np.abs(gaps).max() / np.abs(m).max())
        tally.add(worst < 1e-10, worst, f"defect {worst:.1e}")
    return tally


def optimal_values_are_not_additive() -> bool:
    """Two goals at the two ends of a choice: the optimal agent for the sum of rewards is not the sum of the agents."""
    half = Fraction(1, 2)
    world = exact.ExactMDP(np.array([[[1, 0], [0, 1]], [[1, 0], [0, 1]]]), half)
    rewards = np.array([[1, 0], [0, 1], [1, 1]])
    m = exact.solve(world, exact.ExactGoals(rewards)).test_matrix
    return bool((m[0] + m[1] != m[2]).any())


STATEMENT = Statement(
    id="L1",
    title="Resolvent form of the test functions",
    latex=r"m_g = (I - \gamma D_g P_g)^{-1} r_g, \qquad D_g = \mathrm{diag}(C_g), "
    r"\quad P_g = \textstyle\sum_a \pi_g P_a",
    plain="Each row of M solves a linear system in the goal's own rewards, so that for a fixed policy the map from "
    "rewards to test functions is a linear bijection.",
    source="Lemma 1 of arXiv 2606.21173, finite form",
    hypotheses=("0 <= gamma < 1", "the policy of each goal is fixed while its rewards vary (for linearity)"),
    checks=(
        Check("exact", "rational worlds, policies and continuations", check_exact, 40),
        Check("numeric", "worlds with 30 states and 12 goals", check_numeric, 20),
    ),
    counterexamples=(
        Counterexample(
            "the policy is fixed",
            "two states, each action leads to one of them: optimal test functions do not add up when rewards do",
            optimal_values_are_not_additive,
        ),
    ),
)
