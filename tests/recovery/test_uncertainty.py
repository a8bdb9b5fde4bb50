"""What noise beside rounding allows: values moved by exactly the noise, and rounded again, are explained."""

from dataclasses import replace

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Stochastic, solve, value_equivalence
from tabular_inversion.errors import AgentValuesError

NOISE = 1e-4


def moved(seed, by):
    """Return an agent of three actions in one state, each Q-value moved up or down by exactly so much."""
    rng = np.random.default_rng(seed)
    rewards = rng.integers(0, 5, (3, 1)) / rng.integers(1, 4, (3, 1))
    actions = rng.integers(-5, 5, (3, 1, 3)) / rng.integers(1, 4, (3, 1, 3))
    agent = solve(MDP(np.ones((1, 3, 1)), 0.0), Goals(rewards, action_rewards=actions))
    return replace(agent, q=agent.q + by * rng.choice([-1.0, 1.0], agent.q.shape), report=None)


@pytest.mark.parametrize("first", [0, 100, 200])
def test_values_at_the_limit_of_the_noise_are_explained(first):
    for seed in range(first, first + 100):
        sets = value_equivalence(moved(seed, NOISE), Stochastic(), noise=NOISE)
        assert sets.contains(np.ones((1, 3, 1))).all()


def test_values_beyond_the_noise_are_not():
    for seed in range(20):
        with pytest.raises(AgentValuesError, match="no row of class 'stochastic'"):
            value_equivalence(moved(seed, NOISE * (1 + 1e-9)), Stochastic(), noise=NOISE)
