"""A set of kernels as a world of intervals."""

import numpy as np
import pytest

from tabular_inversion import AgentValues, Goals, Stochastic, Supported, Unconstrained, solve, value_equivalence
from tabular_inversion.environments import random_mdp
from tabular_inversion.equivalence import IntervalMDP
from tabular_inversion.errors import AgentValuesError, KernelClassError, KernelError


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("known", [False, True])
def test_the_truth_and_every_sample_lie_between_the_ends(seed: int, known: bool) -> None:
    world = random_mdp(5, 2, branching=3, seed=seed)
    kernel_class = Supported.of(world) if known else Stochastic()
    sets = value_equivalence(solve(world, Goals.generic(5, 1, seed=seed)), kernel_class)
    found = sets.to_interval_mdp()
    assert found.discount == world.discount
    assert found.contains(world).all()
    for kernel in sets.sample(3, seed=0):
        assert found.contains(kernel).all()
    outside = np.roll(world.dense().kernel, 1, axis=2)
    assert not found.contains(outside).all()


def test_what_has_no_world_of_intervals_is_refused() -> None:
    world = random_mdp(4, 1, seed=0)
    agent = solve(world, Goals.generic(4, 2, seed=0))
    with pytest.raises(KernelClassError, match="no world of intervals"):
        value_equivalence(agent, Unconstrained()).to_interval_mdp()
    two = AgentValues(agent.q, agent.goals, [0.95, 0.9], v=agent.v, noise=10.0)
    with pytest.raises(AgentValuesError, match="a world has one"):
        value_equivalence(two, Stochastic()).to_interval_mdp()


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [
        (
            [[[0.6, 0.6]], [[0.0, 1.0]]],
            [[[0.7, 0.7]], [[0.0, 1.0]]],
            "no distribution lies between the ends of state",
        ),
        ([[[0.1, 0.1]], [[0.0, 1.0]]], [[[0.3, 0.3]], [[0.0, 1.0]]], "no distribution"),
        ([[[0.5, 0.1]], [[0.0, 1.0]]], [[[0.3, 0.9]], [[0.0, 1.0]]], "expected 0 <= lower <= upper <= 1"),
    ],
)
def test_ends_that_hold_nothing_are_refused(lower: list[object], upper: list[object], words: str) -> None:
    with pytest.raises(KernelError, match=words):
        IntervalMDP(lower, upper, 0.9)
