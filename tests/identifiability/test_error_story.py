"""Unusual input has a stated answer: the docs' page "Conventions" lists them."""

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    evaluate,
    identify,
    invert,
    solve,
)
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import AgentValuesError, KernelClassError, ShapeError
from tabular_inversion.identifiability import Status
from tabular_inversion.policies import uniform

CLASSES = [Unconstrained(), Stochastic(), Sparse(2), Deterministic()]


def test_contradictory_values_are_inconsistent_in_every_class():
    mdp = random_mdp(4, 2, discount=0.5, seed=0)
    agent = solve(mdp, Goals.generic(4, 6, seed=0))
    q = np.array(agent.q)
    q[:, 0, 0] += [9.0, -9.0, 9.0, -9.0, 9.0, -9.0]
    for kernel_class in [*CLASSES, Supported.of(mdp)]:
        verdict = identify(AgentValues(q, agent.goals, 0.5), kernel_class)
        assert verdict.status is Status.INCONSISTENT
        assert "state" in verdict.reason
        assert verdict.largest_residual > 0.1


def test_a_goal_that_pays_nothing_adds_nothing():
    mdp = random_mdp(3, 2, discount=0.9, seed=1)
    rewards = Goals.generic(3, 2, seed=1).rewards
    with_zero = solve(mdp, Goals(np.vstack([rewards, np.zeros(3)])))
    assert identify(with_zero, Stochastic()).rank == identify(solve(mdp, Goals(rewards)), Stochastic()).rank == 3
    nothing = solve(mdp, Goals(np.zeros((2, 3))))
    assert identify(nothing, Unconstrained()).rank == 0
    assert all(identify(nothing, kernel_class).status is Status.NOT_IDENTIFIED for kernel_class in CLASSES)


def test_equal_goals_count_once():
    mdp = random_mdp(4, 2, discount=0.9, seed=2)
    goals = Goals(np.repeat(Goals.generic(4, 1, seed=2).rewards, 5, axis=0))
    verdict = identify(solve(mdp, goals), Stochastic())
    assert verdict.rank == 2
    assert verdict.rows_identified == 0


@pytest.mark.parametrize("kernel_class", [Stochastic(), Sparse(1), Deterministic()])
def test_one_state_has_one_kernel(kernel_class):
    agent = solve(MDP([[[1.0], [1.0]]], 0.9), Goals([[1.0]]))
    result = invert(agent, kernel_class)
    assert result.verdict.status is Status.IDENTIFIED
    assert result.to_mdp().kernel.sum() == 2.0


def test_one_action():
    mdp = random_mdp(4, 1, discount=0.9, seed=3)
    assert invert(solve(mdp, Goals.generic(4, 4, seed=3)), Stochastic()).max_error(mdp) < 1e-12


def test_zero_goals_are_refused_where_goals_are_made():
    with pytest.raises(ShapeError, match="no axis empty"):
        Goals(np.zeros((0, 3)))


def test_without_a_future_the_rewards_are_the_test_functions():
    mdp = random_mdp(4, 2, discount=0.0, seed=4)
    agent = solve(mdp, Goals.generic(4, 4, seed=4))
    np.testing.assert_array_equal(agent.test_matrix, agent.goals.rewards)
    assert invert(agent, Stochastic()).max_error(mdp) < 1e-12


def test_a_discount_next_to_one_is_solved_and_never_wrongly_judged():
    """Values of 1e12 share a constant that costs twelve digits: what is left proves nothing, and says so."""
    mdp = random_mdp(4, 2, discount=1 - 1e-12, seed=5)
    agent = evaluate(mdp, Goals.generic(4, 4, seed=5), uniform(mdp.available), tolerance=1e-3)
    verdict = identify(agent, Stochastic())
    assert verdict.status is not Status.NOT_IDENTIFIED
    assert verdict.status is not Status.IDENTIFIED or invert(agent, Stochastic()).max_error(mdp) < 0.1


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_huge_and_tiny_rewards_change_nothing(scale):
    mdp = random_mdp(4, 2, discount=0.5, seed=6)
    rewards = Goals.generic(4, 4, seed=6).rewards
    plain, scaled = (invert(solve(mdp, Goals(rewards * s)), Stochastic()) for s in (1.0, scale))
    assert scaled.verdict.status is plain.verdict.status is Status.IDENTIFIED
    np.testing.assert_allclose(scaled.kernel, plain.kernel, atol=1e-10)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_place(value):
    q = np.zeros((1, 2, 2))
    q[0, 1, 0] = value
    with pytest.raises(AgentValuesError, match=r"\(0, 1, 0\)"):
        AgentValues(q, Goals([[0.0, 1.0]]), 0.5)


def test_an_empty_support_is_refused_and_a_wrong_one_is_inconsistent():
    mdp = random_mdp(5, 2, branching=2, discount=0.9, seed=7)
    agent = solve(mdp, Goals.generic(5, 5, seed=7))
    support = mdp.support.toarray().reshape(5, 2, 5)
    support[3, 1] = False
    with pytest.raises(KernelClassError, match="state 3, action 1"):
        identify(agent, Supported(support))
    support[3, 1, np.flatnonzero(mdp.dense().kernel[3, 1] == 0)[0]] = True
    verdict = identify(agent, Supported(support))
    assert verdict.row(3, 1) is Status.INCONSISTENT
    assert verdict.row(0, 0) is Status.IDENTIFIED
