"""How fast minimal goal sets are found and proved, beside the agents' exact values, which no way round avoids."""

import numpy as np
import pytest

from tabular_inversion import Deterministic, Goals, Sparse, Stochastic, Supported, solve
from tabular_inversion.environments import four_rooms
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact import solve as solve_exactly
from tabular_inversion.sufficiency import minimal, order_goals

pytestmark = pytest.mark.benchmark

CLASSES = {"supported": Supported.of, "deterministic": lambda _: Deterministic(), "stochastic": lambda _: Stochastic()}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("variant", ["deterministic", "windy", "teleport"])
def test_four_rooms_with_68_indicator_goals(race, variant, name):
    """Aim: under 60 seconds, proved in fractions. The baseline computes the exact optimal values of all goals."""
    world, goals = four_rooms(variant), Goals.indicator(68)
    kernel_class = CLASSES[name](world)
    found = minimal(world, goals, kernel_class)
    exact_world = ExactMDP.from_float(world, limit_denominator=1000)
    race(
        lambda: minimal(world, goals, kernel_class),
        lambda: solve_exactly(exact_world, ExactGoals.from_float(goals)),
        rounds=3,
        variant=variant,
        kernel_class=name,
        size=found.size,
        gap=found.gap,
        evidence=found.evidence.name,
        seconds_hoped_for=60,
    )


@pytest.mark.parametrize(
    ("variant", "n_successors"), [("deterministic", 2), ("windy", 2), ("teleport", 2), ("windy", 3)]
)
def test_four_rooms_with_unknown_supports(race, variant, n_successors):
    """Aim: under 60 seconds, or the gap stated. The baseline is the re-check of the proof that was found."""
    world, goals = four_rooms(variant), Goals.indicator(68)
    found = minimal(world, goals, Sparse(n_successors), seconds=45)
    race(
        lambda: minimal(world, goals, Sparse(n_successors), seconds=45),
        found.verify,
        rounds=1,
        variant=variant,
        n_successors=n_successors,
        size=found.size,
        gap=found.gap,
        evidence=found.evidence.name,
        seconds_hoped_for=60,
    )


@pytest.mark.parametrize("criterion", ["error", "sigma_min"])
def test_order_of_68_goals_for_windy_four_rooms(race, criterion):
    """Aim: under 10 seconds. The baseline decomposes every row's full system once for each goal that is added."""
    world = four_rooms("windy")
    agent = solve(world, Goals.indicator(68))
    kernel_class = Supported.of(world)
    columns = np.flatnonzero(kernel_class.sizes == 3)
    stacked = np.moveaxis(agent.test_matrix[:, kernel_class.support[columns].indices.reshape(-1, 3)], 0, 1)
    race(
        lambda: order_goals(agent, kernel_class, criterion=criterion),
        lambda: [np.linalg.svd(stacked, compute_uv=False) for _ in range(68)],
        rounds=3,
        criterion=criterion,
        seconds_hoped_for=10,
    )
