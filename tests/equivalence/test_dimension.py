"""`identify` and `value_equivalence` speak of one set of rows: what is identified is a point, what is not is none."""

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    Evidence,
    Goals,
    Status,
    Stochastic,
    Supported,
    TabularInversionError,
    Unconstrained,
    evaluate,
    identify,
    solve,
    value_equivalence,
)


def drawn(seed):
    """A world and goals: even, in other units per goal, uneven within a row, or with a large constant; any discount."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 7)), int(rng.integers(1, 3))
    k = int(rng.integers(1, n + 2))
    kernel = np.zeros((n, m, n))
    for row in np.ndindex(n, m):
        states = rng.choice(n, int(rng.integers(1, min(n, 4) + 1)), replace=False)
        weights = rng.integers(1, 8, len(states)).astype(float)
        kernel[*row, states] = weights / weights.sum()
    kernel /= kernel.sum(axis=-1, keepdims=True)
    rewards = rng.integers(-9, 10, (k, n)).astype(float)
    if seed % 4 == 1:
        rewards *= 2.0 ** rng.integers(-40, 41, (k, 1))
    elif seed % 4 == 2:
        rewards *= 2.0 ** rng.integers(-30, 31, (k, n))
    elif seed % 4 == 3:
        rewards += rng.choice([1e6, 1e8])
    world = MDP(kernel, float(rng.choice([0, 0.5, 0.9, 0.999, 1 - 1e-6])))
    goals = Goals(rewards)
    agent = evaluate(world, goals, rng.dirichlet(np.ones(m), n)) if seed % 3 == 0 else solve(world, goals)
    wider = (kernel > 0) | (rng.random(kernel.shape) < 0.4)
    return world, agent, (Stochastic(), Supported(kernel > 0), Supported(wider), Unconstrained())


def compare(seeds):
    """Return how many rows were identified, of how many that were compared."""
    found = np.zeros(2, int)
    for seed in seeds:
        world, agent, classes = drawn(seed)
        for kernel_class in classes:
            verdict = identify(agent, kernel_class)
            try:
                sets = value_equivalence(agent, kernel_class)
            except TabularInversionError:  # nothing explains the values; not what is asked here
                continue
            alone, open_ = (verdict.row_status == each for each in (Status.IDENTIFIED, Status.NOT_IDENTIFIED))
            assert (sets.dimension[alone] == 0).all(), (seed, kernel_class)
            assert (sets.dimension[open_] > 0).all(), (seed, kernel_class)
            found += alone.sum(), alone.size
            if kernel_class.sums_to_one:
                lower, upper = sets.bounds()
                sure = alone & (verdict.row_evidence >= Evidence.CERTIFIED)
                assert (lower[sure] <= world.kernel[sure]).all()
                assert (upper[sure] >= world.kernel[sure]).all()
                for state, action in np.argwhere(alone)[:2]:
                    assert len(sets.vertices(state, action)) == 1
                    assert sets.diameter().upper[state, action] >= 0
    return found


@pytest.mark.parametrize("part", range(4))
def test_identified_rows_are_points_and_others_are_none(part):
    alone, compared = compare(range(part * 15, part * 15 + 15))
    assert 0 < alone < compared


@pytest.mark.slow
def test_identified_rows_are_points_in_many_worlds():
    alone, compared = compare(range(1000, 2500))
    assert 0 < alone < compared
