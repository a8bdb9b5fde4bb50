"""MountainCar against gymnasium's own step, and its published tasks."""

import gymnasium
import numpy as np
import pytest

from tabular_inversion import MDP, solve
from tabular_inversion._typing import FloatArray
from tabular_inversion.environments import MOUNTAIN_CAR, mountain_car


def sampled_points(count: int) -> FloatArray:
    rng = np.random.default_rng(0)
    points = rng.uniform([-1.2, -0.07], [0.6, 0.07], (count, 2))
    points[:40, 0] = rng.uniform(-1.2, -1.15, 40)  # the left wall
    points[40:80, 0] = rng.uniform(0.55, 0.6, 40)  # the right end
    points[80:120, 1] = rng.choice([-0.07, 0.07], 40)  # full speed
    return points


def test_step_is_that_of_gymnasium() -> None:
    environment = gymnasium.make("MountainCar-v0").unwrapped
    points = sampled_points(400)
    for action in range(3):
        found = np.asarray(MOUNTAIN_CAR.step(points, action))
        for point, arrival in zip(points, found, strict=True):
            environment.state = tuple(point.tolist())  # type: ignore[attr-defined]
            environment.step(action)
            # Both count in float64; only the order of two sums may differ.
            np.testing.assert_allclose(arrival, environment.state, rtol=0, atol=1e-15)  # type: ignore[attr-defined]
        hit = (found[:, 0] == -1.2) & (found[:, 1] == 0.0)
        assert hit.any()  # the wall was among the points


def test_grid_and_actions() -> None:
    mdp = mountain_car(5, discount=0.5)
    assert isinstance(mdp, MDP)
    assert mdp.action_names == ("left", "none", "right")
    assert mdp.discount == 0.5
    assert mdp.coordinates is not None
    np.testing.assert_allclose(np.unique(mdp.coordinates[:, 0]), np.linspace(-1.2, 0.6, 5), rtol=0, atol=1e-15)
    np.testing.assert_allclose(np.unique(mdp.coordinates[:, 1]), np.linspace(-0.07, 0.07, 5), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("task", "point", "reached"),
    [
        ("position", [-1.1, 0.0], [True, False, False, False]),
        ("position", [-0.69, 0.03], [False, True, False, False]),
        ("position", [0.1, 0.03], [False, False, True, False]),
        ("position", [0.49, 0.0], [False, False, False, False]),
        ("velocity", [0.0, -0.0601], [True, False, False, False]),
        ("velocity", [0.0, -0.0233], [False, True, False, False]),
        ("velocity", [0.0, 0.0332], [False, False, True, False]),
        ("velocity", [0.0, 0.07], [False, False, False, True]),
        ("fast", [0.0, 0.05], [True]),
        ("fast", [0.0, -0.06], [False]),
        ("gentle", [0.55, -0.05], [True]),
        ("gentle", [0.55, 0.0501], [False]),
        ("gentle", [0.4, 0.0], [False]),
        ("shortest", [-1.0, 0.0], [True]),
        ("shortest", [0.31, 0.0], [True]),
        ("shortest", [-0.5, 0.0], [False]),
    ],
)
def test_published_tasks(task: str, point: list[float], reached: list[bool]) -> None:
    found = MOUNTAIN_CAR.tasks[task].reached(np.array([point]))
    np.testing.assert_array_equal(found[:, 0], reached)


def test_goals_sit_where_they_were_published() -> None:
    assert MOUNTAIN_CAR.tasks["position"].names == ("position -1.2", "position -0.6", "position 0", "position 0.6")
    assert MOUNTAIN_CAR.tasks["velocity"].names == (
        "velocity -0.07",
        "velocity -0.0233",
        "velocity 0.0233",
        "velocity 0.07",
    )


def test_starts_are_the_valley_at_rest() -> None:
    starts = MOUNTAIN_CAR.starts(1000, seed=0)
    assert (starts[:, 1] == 0).all()
    assert -0.6 <= starts[:, 0].min() < -0.59
    assert -0.41 < starts[:, 0].max() <= -0.4


def test_the_car_gets_up_the_hill_only_by_swinging() -> None:
    """From the valley, always pushing right fails; the optimal policy arrives."""
    start = np.array([[-0.5, 0.0]])
    point = start
    for _ in range(200):
        point = np.asarray(MOUNTAIN_CAR.step(point, 2))
        assert point[0, 0] < 0.5
    mdp, grid = mountain_car(60), MOUNTAIN_CAR.grid(60)
    agent = solve(mdp, MOUNTAIN_CAR.goals("position", mdp))
    point, steps = start, 0
    while point[0, 0] < 0.5:
        values = grid.interpolation(point) @ agent.q[3]
        point = np.asarray(MOUNTAIN_CAR.step(point, int(values.argmax())))
        steps += 1
        assert steps < 200
