"""How long practitioners wait: large grids, drawn worlds, budgets; the baseline solves for all candidates once."""

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from tabular_inversion import Deterministic, Goals, Supported, solve
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.sufficiency import assess, minimal, order_goals

sys.path.insert(0, str(Path(__file__).parent.parent / "sufficiency"))
from windy_grids import windy_grid

pytestmark = pytest.mark.benchmark


def candidates(n_states: int, k: int = 64) -> Goals:
    return Goals.indicator(n_states, np.sort(np.random.default_rng(0).choice(n_states, k, replace=False)))


def test_smallest_set_of_64_candidates_on_1936_cells(race):
    """Aim: under 60 seconds."""
    world = windy_grid(44, 0.99)
    goals, known = candidates(1936), Supported.of(world)
    found = minimal(world, goals, known)
    race(
        lambda: minimal(world, goals, known), lambda: solve(world, goals), rounds=1, size=found.size, gap=found.gap,
        best_conditioned=found.best_conditioned, seconds_hoped_for=60,
    )  # fmt: skip


def test_smallest_set_of_64_candidates_on_100000_cells(race):
    """Aim: an answer within the 120 seconds asked for, in less than 2 GiB; the baseline solves for two candidates."""
    world = windy_grid(316, 0.99)
    goals, known = candidates(316**2), Supported.of(world)
    found = minimal(world, goals, known, seconds=120)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    race(
        lambda: minimal(world, goals, known, seconds=120), lambda: solve(world, goals.select([0, 1])), rounds=1,
        size=found.size, lower_bound=found.lower_bound, gibibytes=round(memory, 2), notes=found.notes,
        seconds_hoped_for=120,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["supported", "deterministic"])
def test_budget_of_ten_seconds_for_500_candidates_on_500_states(race, name):
    """Aim: at most 11 seconds and one step below a second; the size of Taxi."""
    world = random_mdp(500, 6, branching=3, discount=0.9, seed=0)
    known = Supported.of(world) if name == "supported" else Deterministic()
    goals = Goals.indicator(500)
    found = minimal(world, goals, known, seconds=10)
    race(
        lambda: minimal(world, goals, known, seconds=10), lambda: solve(world, goals), rounds=1, size=found.size,
        gap=found.gap, seconds_hoped_for=11,
    )  # fmt: skip


def test_proof_in_fractions_of_a_set_with_options(race):
    """What the proof costs beside the search in floats: four rooms, one goal to spare, two discounts."""
    world = four_rooms("windy")
    options = {"spare": 1, "discounts": [0.9, 0.75]}
    found = minimal(world, range(68), Supported.of(world), **options)
    race(
        lambda: minimal(world, range(68), Supported.of(world), **options),
        lambda: minimal(world, range(68), Supported.of(world), seconds=1, **options), rounds=1,
        evidence=found.evidence.name, size=found.size,
    )  # fmt: skip


def test_assessment_of_a_drawn_sparse_world_of_10000_states(race):
    """Aim: some judge answers within 60 seconds."""
    world = random_mdp(10_000, 2, branching=4, discount=0.9, seed=0)
    goals, known = candidates(10_000, 16), Supported.of(world)
    found = assess(world, goals, known, seconds=30)
    race(
        lambda: assess(world, goals, known, seconds=30), lambda: solve(world, goals), rounds=1,
        status=found.status.name, judge=found.verdict.judge, seconds_hoped_for=60,
    )  # fmt: skip


def test_order_of_64_goals_on_10000_cells(race):
    """Aim: under 60 seconds."""
    world = windy_grid(100, 0.99)
    agent, known = solve(world, candidates(10_000)), Supported.of(world)
    race(
        lambda: order_goals(agent, known, n_goals=8), lambda: solve(world, candidates(10_000)), rounds=1,
        seconds_hoped_for=60,
    )  # fmt: skip
