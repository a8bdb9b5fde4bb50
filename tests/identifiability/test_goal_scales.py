"""The unit in which a goal is paid says nothing about kernels: no verdict depends on it, however goals differ in it."""

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    AgentValues,
    Deterministic,
    Evidence,
    Goals,
    SolverReport,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    environments,
    evaluate,
    identify,
    solve,
)
from tabular_inversion.errors import ShapeError
from tabular_inversion.policies import uniform


def drawn_world(rng):
    n, m = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    kernel = rng.dirichlet(np.full(n, 0.3), (n, m)) * (rng.random((n, m, n)) < 0.6)
    kernel[..., 0] += kernel.sum(axis=2) < 1e-3
    if rng.random() < 0.3:
        kernel = np.eye(n)[rng.integers(n, size=(n, m))]
    kernel = kernel / kernel.sum(axis=2, keepdims=True)
    return MDP(kernel, discount=float(rng.choice([0.0, 0.5, 0.95, 0.999])))


def drawn_goals(rng, n):
    k = int(rng.integers(1, n + 2))
    rewards = rng.integers(-3, 4, (k, n)) * 10.0 ** rng.integers(-3, 4, (1, n))
    rewards[:, 0] += 1.0  # no goal pays nothing
    continuation = 1.0 - 0.5 * rng.integers(0, 3, (k, n)) if rng.random() < 0.5 else None
    return Goals(rewards, continuation)


CLASSES = [Unconstrained(), Stochastic(), Deterministic(), Sparse(2), "support"]


@pytest.mark.parametrize("draw", range(40))
def test_the_unit_of_a_goal_changes_no_status(draw):
    rng = np.random.default_rng([17, draw])
    mdp = drawn_world(rng)
    goals = drawn_goals(rng, mdp.n_states)
    factors = 2.0 ** rng.integers(-60, 61, (goals.n_goals, 1))
    scaled = Goals(goals.rewards * factors, goals.continuation)
    given = rng.random() < 0.5

    def agent_of(goals):
        return evaluate(mdp, goals, uniform(mdp.available)) if given else solve(mdp, goals)

    first, second = agent_of(goals), agent_of(scaled)
    for kernel_class in CLASSES:
        asked = Supported.of(mdp) if kernel_class == "support" else kernel_class
        one, other = identify(first, asked), identify(second, asked)
        np.testing.assert_array_equal(one.row_status, other.row_status, err_msg=repr(asked))
        assert one.evidence == other.evidence


@pytest.mark.parametrize("paid", [(1e9, 1.0), (1e200, 1e-200), (1e-200, 1e200)])
def test_one_goal_in_another_unit_leaves_the_others_their_digits(paid):
    mdp = environments.four_rooms("windy")
    n = mdp.n_states
    goals = Goals(np.diag([paid[0]] + [paid[1]] * (n - 1)), 1.0 - np.eye(n))
    verdict = identify(solve(mdp, goals), Stochastic())
    assert (verdict.status, verdict.evidence) == (Status.IDENTIFIED, Evidence.CERTIFIED)


def test_a_report_keeps_what_it_says_of_each_goal():
    mdp = environments.four_rooms("windy")
    rewards = np.eye(mdp.n_states)[:4] * np.array([[1e9], [1.0], [1e-9], [1.0]])
    agent = solve(mdp, Goals(rewards))
    errors = agent.report.goal_errors
    assert agent.report.value_error == max(errors) == errors[0] > 1e6 * errors[1] > 1e12 * errors[2] > 0
    part = agent.select_goals([2, 1])
    assert part.report.goal_errors == (errors[2], errors[1])
    assert part.report.residual == max(part.report.goal_residuals) < 1e-6 * agent.report.residual
    renamed = agent.permute_states(np.roll(np.arange(mdp.n_states), 1))
    assert renamed.report == agent.report


def test_a_report_on_other_goals_is_refused():
    report = SolverReport("dense", 1, 0.0, True, goal_errors=(0.0, 0.0))
    with pytest.raises(ShapeError, match="the report speaks of 2 goals; expected 1"):
        AgentValues([[[1.0]]], Goals([[1.0]]), 0.5, report=report)
