"""Reacher: its published motion, one joint at a time, and its tasks."""

import numpy as np
import pytest

from tabular_inversion.environments import REACHER, reacher


def test_one_step_by_hand() -> None:
    """Torque first, then the new velocity moves the angle; velocities stop at 2 and angles go round."""
    points = np.array([[0.0, 1.0, 0.5, -0.5], [np.pi - 0.01, -np.pi + 0.01, 1.99, -2.0]])
    down_up = REACHER.action_names.index("torque (-1, 1)")
    found = np.asarray(REACHER.step(points, down_up))
    np.testing.assert_allclose(found[0], [0.45 * 0.05, 1.0 - 0.45 * 0.05, 0.45, -0.45], rtol=0, atol=1e-15)
    up_down = REACHER.action_names.index("torque (1, -1)")
    found = np.asarray(REACHER.step(points, up_down))
    np.testing.assert_allclose(found[1], [-np.pi + 0.09, np.pi - 0.09, 2.0, -2.0], rtol=0, atol=1e-14)


def test_actions_are_all_pairs_of_torques() -> None:
    still = np.zeros((1, 4))
    speeds = np.concatenate([np.asarray(REACHER.step(still, action))[:, 2:] for action in range(9)])
    expected = [[i, j] for i in (-0.05, 0.0, 0.05) for j in (-0.05, 0.0, 0.05)]
    np.testing.assert_allclose(speeds, expected, rtol=0, atol=1e-15)
    assert len(set(REACHER.action_names)) == 9


def test_joints_do_not_touch_each_other() -> None:
    """Exchanging the joints exchanges their torques: a law of the whole world, tested on the kernel."""
    n = 5
    mdp = reacher(n)
    states = np.arange(n**4).reshape(n, n, n, n).transpose(1, 0, 3, 2).ravel()
    actions = np.arange(9).reshape(3, 3).T.ravel()
    rows = (states[:, None] * 9 + actions).ravel()
    # Kuhn rows depend on the order of the axes only where fractions tie, and there the weight between them is zero.
    assert abs(mdp.kernel[rows][:, states] - mdp.kernel).max() < 1e-10


def test_turning_the_whole_arm_changes_nothing() -> None:
    n = 6
    mdp = reacher(n)
    states = np.roll(np.arange(n**4).reshape(n, n, n, n), (1, 1), axis=(0, 1)).ravel()
    rows = (states[:, None] * 9 + np.arange(9)).ravel()
    assert abs(mdp.kernel[rows][:, states] - mdp.kernel).max() < 1e-10


@pytest.mark.parametrize(
    ("task", "point", "reached"),
    [
        ("position", [np.pi / 3, -np.pi / 3, 2, -1], [True, False, False, False]),
        ("position", [np.pi / 2 + 1.0, np.pi / 2 - 1.0, 0, 0], [False, True, False, False]),
        ("position", [2 * np.pi / 3, -2 * np.pi / 3, 0, 0], [False, False, True, False]),
        ("position", [-np.pi / 6, -5 * np.pi / 6, 0, 0], [False, False, False, True]),
        ("position", [0.0, 0.0, 0, 0], [False, False, False, False]),
        ("far", [np.pi / 4, np.pi / 4, 1, 1], [True]),
        ("far", [np.pi / 4 + 0.12, np.pi / 4, 1, 1], [True]),
        ("far", [np.pi / 4 + 0.25, np.pi / 4, 1, 1], [False]),
        ("angle", [0.1, np.pi - 0.1, 0, 0], [True]),
        ("angle", [-0.1, -np.pi + 0.1, 0, 0], [True]),
        ("angle", [0.15, np.pi - 0.15, 0, 0], [False]),
        ("angle", [np.pi, 0.0, 0, 0], [False]),
        ("velocity", [0, 0, 2, 1.8], [True]),
        ("velocity", [0, 0, 1.85, 1.85], [False]),
    ],
)
def test_published_tasks(task: str, point: list[float], reached: list[bool]) -> None:
    found = REACHER.tasks[task].reached(np.array([point], dtype=float))
    np.testing.assert_array_equal(found[:, 0], reached)


def test_starts_fill_their_box() -> None:
    starts = REACHER.starts(4000, seed=0)
    half = np.array([np.pi, np.pi, 1.0, 1.0])
    assert (np.abs(starts) <= half).all()
    # The variance of a uniform coordinate is half^2 / 3; its sample mean keeps within five standard errors.
    assert (np.abs(starts.mean(axis=0)) < 5 * half / np.sqrt(3 * 4000)).all()
