"""Kind: near discount 1 a solver says that it has converged, and values or the policy are wrong; 1 itself is refused.

The bound on the values in the report holds against fractions, and the actions that it calls proved are optimal.
"""

from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Status, Stochastic, TabularInversionError, exact, identify, solve
from tabular_inversion.exact import ExactGoals, ExactMDP

NEAR = [1.0 - 2.0**-7, 1.0 - 2.0**-20, 1.0 - 2.0**-30, 1.0 - 2.0**-40]


def drawn(seed):
    """A world whose probabilities are eighths, rewards of uneven scale, several actions, and ties."""
    rng = np.random.default_rng([9, seed])
    n, m = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    kernel = rng.multinomial(8, np.full(n, 1 / n), (n, m)) / 8.0
    if m > 1 and rng.random() < 0.5:
        kernel[0, 1] = kernel[0, 0]
    rewards = rng.integers(-9, 10, (2, n)) * 2.0 ** rng.integers(-20, 21, (2, 1))
    return kernel, rewards


@pytest.mark.parametrize("discount", NEAR)
@pytest.mark.parametrize("seed", range(6))
def test_values_are_within_their_bound_and_proved_actions_are_the_best(seed, discount):
    kernel, rewards = drawn(seed)
    agent = solve(MDP(kernel, discount), Goals(rewards))
    world = ExactMDP(exact.fraction_array(kernel, allow_float=True), Fraction(discount))
    truth = exact.solve(world, ExactGoals(exact.fraction_array(rewards, allow_float=True)))
    errors = np.abs(exact.fraction_array(agent.q, allow_float=True) - truth.q).reshape(len(rewards), -1).max(axis=1)
    assert agent.report.converged
    for goal, error in enumerate(errors):
        assert error <= Fraction(agent.report.goal_errors[goal])
        largest = max(abs(value) for value in truth.q[goal].flat)
        assert error <= Fraction(1, 10**12) * largest
    if agent.report.policy_proved:
        best = truth.q == truth.q.max(axis=2, keepdims=True)
        assert np.take_along_axis(best, agent.q.argmax(axis=2)[:, :, None], axis=2).all()


def test_the_better_action_is_found_where_its_gain_is_small_beside_the_values():
    """Waiting pays 1 for ever; going round by state 1 pays as much, and 2^-20 more every second step."""
    gain, discount = 2.0**-20, 1.0 - 2.0**-30
    kernel = np.zeros((2, 2, 2))
    kernel[0, 0, 0] = kernel[0, 1, 1] = kernel[1, :, 0] = 1.0
    agent = solve(MDP(kernel, discount), Goals([[1.0, 1.0 + gain]]))
    g = Fraction(discount)
    truth = (1 + Fraction(gain) + g) / (1 - g * g)
    assert agent.q[0, 0].argmax() == 1
    assert abs(Fraction(agent.q[0, 0, 1]) - truth) <= Fraction(agent.report.goal_errors[0])


def test_values_that_are_nearly_converged_are_not_called_so():
    """A bound that left out 1 / (1 - discount) would be broken by these values, whose residual is tiny."""
    agent = solve(MDP([[[1.0]]], 1.0 - 2.0**-30), Goals([[1.0]]))
    wrong = agent.q * (1.0 + 2.0**-25)
    residual = abs(float(wrong[0, 0, 0] - (1.0 + (1.0 - 2.0**-30) * wrong[0, 0, 0])))
    assert residual / wrong[0, 0, 0] < 1e-15
    assert abs(wrong - agent.q).max() > agent.report.value_error


def test_discount_one_is_solved_where_every_policy_ends_every_episode():
    """The gambler who stops at 0 or 4 wins from s with probability s / 4, or (1 - r^s) / (1 - r^4) at other odds."""
    for p in (Fraction(1, 2), Fraction(1, 4)):
        kernel = np.zeros((5, 1, 5))
        kernel[0, 0, 0] = kernel[4, 0, 4] = 1.0
        for s in (1, 2, 3):
            kernel[s, 0, s + 1], kernel[s, 0, s - 1] = float(p), float(1 - p)
        goals = Goals([[0.0, 0.0, 0.0, 0.0, 1.0]], [[0.0, 1.0, 1.0, 1.0, 0.0]])
        agent = solve(MDP(kernel, 1.0), goals)
        r = (1 - p) / p
        for s in (1, 2, 3):
            truth = Fraction(s, 4) if r == 1 else (1 - r**s) / (1 - r**4)
            assert abs(Fraction(agent.v[0, s]) - truth) <= Fraction(agent.report.goal_errors[0])
        assert Status.INCONSISTENT not in identify(agent, Stochastic()).row_status


def test_discount_one_is_refused_in_one_line_where_an_episode_may_go_on():
    with pytest.raises(TabularInversionError, match="may go on for ever") as caught:
        solve(MDP([[[1.0]]], 1.0), Goals([[1.0]]))
    assert "\n" not in str(caught.value)
