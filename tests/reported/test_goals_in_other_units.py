"""Kind: one goal is paid in another unit than the others, and a true world is called inconsistent or badly recovered.

A unit changes nothing: M's rows are multiplied, and so are the values. The right answer is that of the goal paid 1.
"""

import pytest

from tabular_inversion import (
    Evidence,
    Goals,
    Status,
    Stochastic,
    Unconstrained,
    environments,
    invert,
    solve,
    value_equivalence,
)


@pytest.mark.parametrize("paid", [1.0, 1e5, 1e6, 1e9, 1e-9])
def test_one_of_68_goals_of_windy_four_rooms(paid):
    world = environments.four_rooms("windy")
    goals = Goals.indicator(world.n_states, terminating=False)
    rewards = goals.rewards.copy()
    rewards[7] *= paid
    found = invert(solve(world, Goals(rewards, goals.continuation)), Stochastic())
    assert (found.verdict.status, found.verdict.evidence) == (Status.IDENTIFIED, Evidence.CERTIFIED)
    assert found.max_error(world) < 1e-12
    found.verdict.verify()


@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained()])
@pytest.mark.parametrize("exponent", range(-12, 13, 3))
def test_one_generic_goal_of_a_random_world(exponent, kernel_class):
    world = environments.random_mdp(6, 2, branching=3, seed=3, discount=0.9)
    n_goals = 5 if kernel_class.sums_to_one else 6
    rewards = Goals.generic(6, n_goals, seed=0).rewards.copy()
    rewards[0] *= 10.0**exponent
    agent = solve(world, Goals(rewards))
    found = invert(agent, kernel_class)
    assert found.verdict.status is Status.IDENTIFIED
    assert found.max_error(world) < 1e-11
    assert value_equivalence(agent, kernel_class).contains(world.kernel).all()


def test_a_world_in_another_unit_is_another_world_where_it_is_wrong():
    """The tests above can fail: values of one unit beside rewards of another are explained by no kernel."""
    world = environments.random_mdp(6, 2, branching=3, seed=3, discount=0.9)
    goals = Goals.generic(6, 5, seed=0)
    agent = solve(world, goals)
    rewards = goals.rewards.copy()
    rewards[0] *= 1e-9
    wrong = type(agent)(agent.q, Goals(rewards), agent.discount)
    assert invert(wrong, Stochastic()).verdict.status is Status.INCONSISTENT
