"""How fast exact arithmetic is, beside the calls of python-flint that no way round avoids."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq_mat, fmpz_mat, nmod_mat

from tabular_inversion import Goals, policies
from tabular_inversion.environments import four_rooms
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array, modular_test_matrix, rank, solve
from tabular_inversion.exact.modular import LARGEST_PRIME
from tabular_inversion.exact.rationals import matrix_to_flint

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("kind", ["integers", "fractions", "short null vectors", "long null vectors"])
def test_rank_of_a_matrix_of_1000_by_1000(race, kind):
    """Aim: under 2 seconds. The baseline is the rank modulo one prime, from integers: half of the proof."""
    rng = np.random.default_rng(0)
    integers = rng.integers(-999, 1000, (1000, 1000))
    matrix = integers
    if kind == "fractions":
        matrix = fraction_array(integers) / fraction_array(rng.integers(1, 1000, 1000))
    elif kind == "short null vectors":
        matrix = np.concatenate([integers[:, :990], integers[:, :10]], axis=1)
    elif kind == "long null vectors":
        matrix = rng.integers(-9, 10, (1000, 999)) @ rng.integers(-9, 10, (999, 1000))
    flat = integers.ravel().tolist()
    race(
        lambda: rank(matrix),
        lambda: nmod_mat(fmpz_mat(1000, 1000, flat), LARGEST_PRIME).rank(),
        rounds=3,
        seconds_hoped_for=2,
    )


def test_windy_four_rooms_with_all_68_goals(race):
    """Aim: exact optimal values, M and its rank in under 5 seconds. The baseline solves the final linear systems."""
    floats = four_rooms("windy", discount=0.99)
    world = ExactMDP.from_float(floats, limit_denominator=1000)
    goals = ExactGoals.from_float(Goals.indicator(68))
    best = policies.greedy(solve(world, goals).to_float().q, world.available).astype(int)
    identity = np.eye(68, dtype=int)
    systems = []
    for goal in range(68):
        chain = (best[goal][:, :, None] * world.kernel).sum(axis=1)
        weighted = world.discount * goals.continuation[goal][:, None] * chain
        systems.append((matrix_to_flint(identity - weighted), fmpq_mat(68, 1, [int(s == goal) for s in range(68)])))
    race(
        lambda: rank(solve(world, goals).test_matrix),
        lambda: [left.solve(right) for left, right in systems],
        seconds_hoped_for=5,
    )


def test_full_rank_of_300_dense_states(race):
    """Aim: under 30 seconds, from fractions to proof. The baseline is the one solve modulo a prime, prepared."""
    rng = np.random.default_rng(0)
    n, m = 300, 4

    def distributions(rows, columns):
        totals = rng.integers(500, 1001, rows)
        counts = np.stack([rng.multinomial(total, np.full(columns, 1 / columns)) for total in totals])
        return fraction_array(counts) / fraction_array(totals)[:, None]

    kernel = distributions(n * m, n).reshape(n, m, n)
    policy = distributions(n, m)
    rewards = fraction_array(rng.integers(-100, 101, (n, n))) / fraction_array(rng.integers(1, 100, (n, n)))
    left = nmod_mat(n, n, rng.integers(0, 2**60, n * n).tolist(), LARGEST_PRIME)
    right = nmod_mat(n, n, rng.integers(0, 2**60, n * n).tolist(), LARGEST_PRIME)

    def ours():
        world, goals = ExactMDP(kernel, Fraction(99, 100)), ExactGoals(rewards)
        assert modular_test_matrix(world, goals, policy).rank() == n

    race(ours, lambda: left.solve(right).rank(), rounds=3, seconds_hoped_for=30)
