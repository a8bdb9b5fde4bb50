"""From a system to a finite world: rows, coordinates, identification by d generic goals, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tabular_inversion import Goals, Status, Supported, identify, invert, solve
from tabular_inversion._typing import FloatArray
from tabular_inversion.environments import MOUNTAIN_CAR, REACHER, Axis, ContinuousSystem, Grid, interpolated_mdp
from tabular_inversion.environments import continuous_grids as room
from tabular_inversion.environments.interpolation import Interpolation
from tabular_inversion.errors import DiscountError, GoalsError, InputError, ShapeError
from tabular_inversion.mdp import MDP

SQUARE = Grid([Axis(0.0, 1.0, 4, "clip"), Axis(0.0, 1.0, 5, "wrap")])
SYSTEMS = [(MOUNTAIN_CAR, 9), (REACHER, 4)]


def drift(points: FloatArray, action: int) -> FloatArray:
    return points + np.array([0.11, 0.07]) * (action + 1) + 0.05 * np.sin(5 * points[:, ::-1])


@pytest.mark.parametrize("method", ["kuhn", "multilinear"])
@pytest.mark.parametrize(("system", "n"), SYSTEMS)
def test_rows_interpolate_at_the_arrival_of_each_state(
    system: ContinuousSystem, n: int, method: Interpolation, monkeypatch: Any
) -> None:
    monkeypatch.setattr(room, "_CHUNK", 7)  # more than one chunk, and a last one that is not full
    mdp, grid = system.mdp(n, method=method), system.grid(n)
    np.testing.assert_array_equal(mdp.coordinates, grid.coordinates)
    assert mdp.action_names == system.action_names
    for action in range(mdp.n_actions):
        arrivals = np.asarray(system.step(grid.coordinates, action))
        expected = grid.interpolation(arrivals, method=method)
        assert abs(mdp.kernel[action :: mdp.n_actions] - expected).max() == 0
    most = len(grid.axes) + 1 if method == "kuhn" else 2 ** len(grid.axes)
    assert mdp.n_successors.max() == most


@pytest.mark.parametrize(("method", "goals"), [("kuhn", 2), ("multilinear", 3)])
def test_as_many_generic_goals_as_theory_asks_for_identify_every_row(method: Interpolation, goals: int) -> None:
    """T5(a): N - 1 goals for N known successors, N = d + 1 or 2^d; and one goal less does not suffice."""
    mdp = interpolated_mdp(drift, SQUARE, 3, discount=0.9, method=method)
    agent = solve(mdp, Goals.generic(mdp.n_states, goals, seed=1))
    verdict = identify(agent, Supported.of(mdp))
    assert verdict.status is Status.IDENTIFIED
    assert invert(agent, Supported.of(mdp)).max_error(mdp) < 1e-9
    fewer = identify(solve(mdp, Goals.generic(mdp.n_states, goals - 1, seed=1)), Supported.of(mdp))
    assert fewer.status is Status.NOT_IDENTIFIED
    largest = mdp.n_successors == mdp.n_successors.max()
    assert (fewer.row_status[largest] == Status.NOT_IDENTIFIED).all()


def test_four_generic_goals_identify_reacher() -> None:
    mdp = REACHER.mdp(4)
    verdict = identify(solve(mdp, Goals.generic(mdp.n_states, 4, seed=0)), Supported.of(mdp))
    assert verdict.status is Status.IDENTIFIED


def test_a_step_that_works_in_place_does_no_harm() -> None:
    def in_place(points: FloatArray, action: int) -> FloatArray:
        points += 0.1 * action
        return points

    found = interpolated_mdp(in_place, SQUARE, 2, discount=0.9)
    assert found == interpolated_mdp(lambda x, a: x + 0.1 * a, SQUARE, 2, discount=0.9)


def test_names_and_discount() -> None:
    mdp = interpolated_mdp(drift, SQUARE, 2, discount=0.25, action_names=["stay", "go"])
    assert mdp.action_names == ("stay", "go")
    assert mdp.discount == 0.25


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"step": lambda x, _: x[:, :1]}, ShapeError, r"shape \(20, 1\) for points of shape \(20, 2\)"),
        ({"step": lambda *_: 0.5}, ShapeError, r"shape \(\) for points"),
        ({"step": lambda x, _: [["a", "b"]] * len(x)}, InputError, "step cannot be read as real numbers"),
        (
            {"step": lambda x, a: np.where((x == 0.4) & (a == 1), np.nan, x)},
            InputError,
            r"step from state 2 at \[0.0, 0.4\] by action 1: coordinate 1 is nan; coordinates are finite",
        ),
        ({"n_actions": 0}, InputError, "n_actions is 0"),
        ({"n_actions": 2.0}, InputError, "n_actions is 2.0"),
        ({"discount": 1.5}, DiscountError, "discount is 1.5"),
        ({"method": "cubic"}, InputError, "method is 'cubic'"),
        ({"action_names": ["a"]}, InputError, "action_names has 1 entries; expected 2"),
        ({"action_names": ["a", "a"]}, InputError, "action_names repeats 'a'"),
    ],
)
def test_bad_arguments(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"step": drift, "grid": SQUARE, "n_actions": 2, "discount": 0.9} | changes
    with pytest.raises(error, match=message):
        interpolated_mdp(**arguments)


def test_a_step_that_leaves_the_grid_is_refused_with_its_place() -> None:
    grid = Grid([Axis(0.0, 1.0, 3), Axis(0.0, 1.0, 2, "clip")])
    message = (
        r"step from state 4 at \[1.0, 0.0\] by action 1: coordinate 0 is 1.25, outside of \[0, 1\]; widen the axis"
    )
    with pytest.raises(InputError, match=message):
        interpolated_mdp(lambda x, a: x + 0.25 * a * (x == 1.0), grid, 2, discount=0.9)


def test_worlds_too_large_are_refused_before_they_are_built() -> None:
    with pytest.raises(InputError, match="100000000 states with 9 actions and 5 successors"):
        REACHER.mdp(100)
    with pytest.raises(InputError, match=r"points is too large; give fewer points"):
        REACHER.mdp(8000)


@pytest.mark.parametrize(("system", "n"), [(MOUNTAIN_CAR, 20), (REACHER, 12)])
def test_goals_pay_one_where_they_end(system: ContinuousSystem, n: int) -> None:
    mdp = system.mdp(n)
    for name, task in system.tasks.items():
        goals = system.goals(name, mdp)
        assert goals.names == task.names
        np.testing.assert_array_equal(goals.rewards, task.reached(system.grid(n).coordinates))
        np.testing.assert_array_equal(goals.continuation, 1 - goals.rewards)


def test_goals_need_their_coordinates_and_a_state() -> None:
    car = MOUNTAIN_CAR.mdp(3)
    with pytest.raises(InputError, match="task is 'speed'; MountainCar has position, velocity, fast"):
        MOUNTAIN_CAR.goals("speed", car)
    with pytest.raises(InputError, match="does not have the 4 coordinates of Reacher"):
        REACHER.goals("position", car)
    with pytest.raises(InputError, match="does not have the 2 coordinates of MountainCar"):
        MOUNTAIN_CAR.goals("position", MDP([[[1.0]]], 0.9))
    with pytest.raises(GoalsError, match=r"no state lies in the region of goal 'velocity -0\.0233'"):
        MOUNTAIN_CAR.goals("velocity", car)


@pytest.mark.parametrize("system", [MOUNTAIN_CAR, REACHER])
def test_starts(system: ContinuousSystem) -> None:
    points = system.starts(2000, seed=3)
    np.testing.assert_array_equal(points, system.starts(2000, seed=np.random.default_rng(3)))
    assert (points != system.starts(2000, seed=4)).any()
    system.grid(5).interpolation(points)  # all lie on the grid
    with pytest.raises(InputError, match="count is 0"):
        system.starts(0, seed=0)
    with pytest.raises(InputError, match="seed is None"):
        system.starts(1, seed=None)  # type: ignore[arg-type]


def test_returns_against_an_episode_run_by_hand() -> None:
    mdp, grid = MOUNTAIN_CAR.mdp(40), MOUNTAIN_CAR.grid(40)
    agent = solve(mdp, MOUNTAIN_CAR.goals("velocity", mdp))
    starts = MOUNTAIN_CAR.starts(4, seed=0)
    found = MOUNTAIN_CAR.returns("velocity", agent.q, starts, discount=0.9, steps=120)
    expected = np.zeros((4, 4))
    for goal, centre in enumerate(np.linspace(-0.07, 0.07, 4)):
        for number, start in enumerate(starts):
            point = start[None]
            for t in range(120):
                action = int((grid.interpolation(point) @ agent.q[goal]).argmax())
                point = np.asarray(MOUNTAIN_CAR.step(point, action))
                if abs(point[0, 1] - centre) <= 0.01:
                    expected[goal, number] = 0.9**t
                    break
    assert 0 < (expected == 0).sum() < 8  # both outcomes are there
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_system_that_leaves_its_grid_on_the_way_is_stopped() -> None:
    strict = replace(MOUNTAIN_CAR, grid=lambda n: Grid((Axis(-0.6, -0.4, n), Axis(-0.07, 0.07, n))))
    with pytest.raises(InputError, match=r"MountainCar leaves its grid: coordinate 0 is -0.*outside of \[-0.6, -0.4\]"):
        strict.returns("fast", np.zeros((1, 81, 3)), [[-0.42, 0.0]])


def test_returns_are_zero_where_time_runs_out() -> None:
    nothing = np.zeros((1, 81, 3))
    assert (MOUNTAIN_CAR.returns("fast", nothing, MOUNTAIN_CAR.starts(5, seed=0), steps=3) == 0).all()


@pytest.mark.parametrize(
    ("task", "published", "spread"), [("fast", 0.436, 0.019), ("gentle", 0.377, 0.028), ("shortest", 0.625, 0.045)]
)
def test_optimal_returns_of_mountain_car_are_the_published_ones(task: str, published: float, spread: float) -> None:
    """Mean and spread over 512 starts, 200 x 200 states: the radii of the unseen tasks were read correctly.

    The published starts are another sample (standard error of a mean: 0.002), and so, where two actions are equally
    good, are their policies. Half or twice the radius moves the means of "fast" and "shortest" by 0.04 or more.
    """
    mdp = MOUNTAIN_CAR.mdp(200)
    agent = solve(mdp, MOUNTAIN_CAR.goals(task, mdp))
    found = MOUNTAIN_CAR.returns(task, agent.q, MOUNTAIN_CAR.starts(512, seed=0))
    np.testing.assert_allclose(found.mean(), published, rtol=0, atol=0.012)
    np.testing.assert_allclose(found.std(), spread, rtol=0, atol=0.012)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"task": "speed"}, InputError, "task is 'speed'; MountainCar has"),
        ({"q": np.zeros((1, 80, 3))}, ShapeError, r"q is on 80 states; a grid of MountainCar has n\^2"),
        ({"q": np.zeros((1, 1, 3))}, ShapeError, "q is on 1 states"),
        ({"q": np.zeros((2, 81, 3))}, ShapeError, r"q has shape \(2, 81, 3\)"),
        ({"q": np.full((1, 81, 3), np.nan)}, InputError, "q has 243 entries that are not finite"),
        ({"starts": [[0.0]]}, ShapeError, r"starts has shape \(1, 1\)"),
        ({"starts": [[0.0, np.inf]]}, InputError, "starts has 1 entries that are not finite"),
        ({"discount": 1.5}, DiscountError, "discount is 1.5"),
        ({"steps": 0}, InputError, "steps is 0"),
    ],
)
def test_bad_returns(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"task": "fast", "q": np.zeros((1, 81, 3)), "starts": [[-0.5, 0.0]]} | changes
    with pytest.raises(error, match=message):
        MOUNTAIN_CAR.returns(**arguments)
