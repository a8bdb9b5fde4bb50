"""Kind: two functions rank the same system by rules of their own, and their answers contradict each other."""

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    Evidence,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    evaluate,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.policies import uniform


def drawn(seed):
    """Goals that nearly depend, constants, units from 2^-40 to 2^40, discounts from 0 to next to 1, two policies."""
    rng = np.random.default_rng([12, seed])
    n, m, k = (int(rng.integers(*ends)) for ends in ((2, 6), (1, 3), (1, 7)))
    kernel = rng.dirichlet(np.full(n, 0.5), (n, m))
    world = MDP(kernel / kernel.sum(axis=2, keepdims=True), float(rng.choice([0.0, 0.5, 0.99, 1 - 1e-7])))
    rewards = rng.integers(-3, 4, (k, n)).astype(float)
    if k > 1:
        rewards[-1] = rewards[0] + rng.choice([0.0, 2.0**-20, 2.0**-40, 1.0]) * rng.standard_normal(n)
    rewards = (rewards + rng.choice([0.0, 1e3, 1e9], (k, 1))) * 2.0 ** rng.integers(-40, 41, (k, 1))
    goals = Goals(rewards)
    return world, evaluate(world, goals, uniform(world.available)) if seed % 2 else solve(world, goals)


@pytest.mark.parametrize("seed", range(12))
def test_the_rank_of_a_recovery_is_that_of_the_verdict(seed):
    world, agent = drawn(seed)
    for kernel_class in (Unconstrained(), Stochastic(), Sparse(world.n_states), Supported(world.kernel > 0)):
        found = invert(agent, kernel_class)
        asked = identify(agent, kernel_class)
        assert found.rank == found.verdict.rank == asked.rank
        np.testing.assert_array_equal(found.verdict.row_status, asked.row_status)


@pytest.mark.parametrize("seed", range(12))
def test_a_set_of_one_point_is_never_refuted_and_every_set_holds_the_truth(seed):
    world, agent = drawn(seed)
    for kernel_class in (Stochastic(), Unconstrained(), Supported(world.kernel > 0)):
        asked = identify(agent, kernel_class)
        sets = value_equivalence(agent, kernel_class)
        refuted = asked.row_status == Status.NOT_IDENTIFIED
        assert (np.asarray(sets.dimension)[refuted] > 0).all()
        assert sets.contains(world.kernel).all()
        lower, upper = sets.bounds()
        assert (lower <= world.kernel).all() or isinstance(kernel_class, Unconstrained)
        assert (upper >= world.kernel).all() or isinstance(kernel_class, Unconstrained)
        if asked.status is Status.IDENTIFIED and asked.evidence is Evidence.CERTIFIED:
            found = invert(agent, kernel_class)
            assert found.max_error(world) <= (upper - lower).max() + 1e-9
