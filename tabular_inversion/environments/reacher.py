"""Reacher on a grid: an arm of two joints that turn freely."""

from __future__ import annotations

from itertools import product

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.environments.continuous_systems import ContinuousSystem, Task, within
from tabular_inversion.environments.interpolation import Axis, Grid, Interpolation
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

_FASTEST = 2.0
_TIME_STEP = 0.05
_RADIUS = 0.2
_FASTEST_START = 1.0
_TORQUES = np.array(list(product((-1.0, 0.0, 1.0), repeat=2)))


@checked
def reacher(n: int = 24, *, discount: float = 0.99, method: Interpolation = "kuhn") -> MDP:
    """Return Reacher on a grid of n^4 states.

    The state is (theta1, theta2, omega1, omega2). The fingertip is at (cos theta1 + cos theta2, sin theta1 + sin
    theta2), so both angles are measured from the same axis. A torque in {-1, 0, 1} for each joint adds 0.05 times
    itself to the joint's angular velocity, which is clipped to [-2, 2], and the angle then moves by 0.05 times the new
    velocity, round the circle.

    Parameters
    ----------
    n : int
        Grid points for each coordinate, at least 2. Memory and time grow with n^4.
    discount : float
        In [0, 1].
    method : {"kuhn", "multilinear"}
        Rows have at most 5, or at most 16 successors; see `interpolated_mdp`.

    Returns
    -------
    MDP
        n^4 states with those coordinates, the last running fastest; 9 actions, the second torque running fastest;
        sparse.

    Raises
    ------
    InputError
        If n is out of range or the method unknown.

    Notes
    -----
    Tasks, for `REACHER.goals`. For training: ``"position"``, four fingertip positions at radius 1. Unseen: ``"far"``
    (fingertip at (sqrt 2, sqrt 2)), ``"angle"`` ((0, pi), measured round both circles) and ``"velocity"`` ((2, 2)).
    Each is reached within Euclidean distance 0.2, inclusive; the source gives that radius for training only.

    The source does not bound velocities; its own tables span [-2, 2]. Here they are clipped there, in the world
    itself. It tabulates 50 points for each coordinate; the default here is 24. In one step an angle moves by at most
    0.1, less than half the spacing of 24 points, so interpolation blurs its motion considerably.

    References
    ----------
    Letcher et al., "Inverting the Bellman Equation: From Q-Values to World Models", arXiv 2606.21173 (2026).

    Examples
    --------
    >>> arm = reacher(6)
    >>> arm
    MDP(n_states=1296, n_actions=9, discount=0.99, sparse)
    >>> int(arm.n_successors.max())
    5
    >>> REACHER.goals("velocity", arm).names
    ('velocity (2, 2)',)
    """
    return REACHER.mdp(n, discount=discount, method=method)


def _grid(n: int) -> Grid:
    angle, velocity = Axis(-np.pi, np.pi, n, "wrap"), Axis(-_FASTEST, _FASTEST, n, "clip")
    return Grid((angle, angle, velocity, velocity))


def _round_the_circle(angles: FloatArray) -> FloatArray:
    return np.mod(angles + np.pi, 2 * np.pi) - np.pi


def _step(points: FloatArray, action: int) -> FloatArray:
    velocities = np.clip(points[:, 2:] + _TIME_STEP * _TORQUES[action], -_FASTEST, _FASTEST)
    return np.concatenate([_round_the_circle(points[:, :2] + _TIME_STEP * velocities), velocities], axis=1)


def _fingertip_at(points: FloatArray, centres: FloatArray) -> BoolArray:
    angles = points[:, :2]
    return within(np.stack([np.cos(angles).sum(axis=1), np.sin(angles).sum(axis=1)], axis=1), centres, _RADIUS)


def _angles_at(points: FloatArray) -> BoolArray:
    return within(_round_the_circle(points[:, :2] - np.array([0.0, np.pi])), np.zeros((1, 2)), _RADIUS)


def _velocities_at(points: FloatArray) -> BoolArray:
    return within(points[:, 2:], np.array([[2.0, 2.0]]), _RADIUS)


def _starts(rng: np.random.Generator, count: int) -> FloatArray:
    angles = rng.uniform(-np.pi, np.pi, (count, 2))
    return np.concatenate([angles, rng.uniform(-_FASTEST_START, _FASTEST_START, (count, 2))], axis=1)


_QUARTERS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
_FAR = np.array([[np.sqrt(2.0), np.sqrt(2.0)]])

REACHER = ContinuousSystem(
    name="Reacher",
    grid=_grid,
    step=_step,
    action_names=tuple(f"torque ({first:g}, {second:g})" for first, second in _TORQUES.tolist()),
    tasks={
        "position": Task(
            tuple(f"fingertip ({x:g}, {y:g})" for x, y in _QUARTERS.tolist()),
            lambda points: _fingertip_at(points, _QUARTERS),
        ),
        "far": Task(("fingertip (sqrt 2, sqrt 2)",), lambda points: _fingertip_at(points, _FAR)),
        "angle": Task(("angles (0, pi)",), _angles_at),
        "velocity": Task(("velocity (2, 2)",), _velocities_at),
    },
    draw=_starts,
)
"""Reacher itself: its step, grids, tasks and starts (angles uniform, velocities uniform in [-1, 1])."""
