"""MountainCar on a grid."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.environments.continuous_systems import ContinuousSystem, Task, within
from tabular_inversion.environments.interpolation import Axis, Grid, Interpolation
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

_LEFT, _RIGHT = -1.2, 0.6
_FASTEST = 0.07
_FORCE, _GRAVITY = 0.001, 0.0025
_POSITION_RADIUS, _VELOCITY_RADIUS = 0.1, 0.01
_GENTLE = 0.05


@checked
def mountain_car(n: int = 200, *, discount: float = 0.99, method: Interpolation = "kuhn") -> MDP:
    """Return MountainCar on a grid of n x n states.

    The car's position lies in [-1.2, 0.6] and its velocity in [-0.07, 0.07]. Action a changes the velocity by
    ``0.001 (a - 1) - 0.0025 cos(3 position)``, then the position by the new velocity; both are clipped, and the car
    stops at the left wall. This is the step of gymnasium's MountainCar-v0; its goal is no part of the world.

    Parameters
    ----------
    n : int
        Grid points for each of position and velocity, at least 2.
    discount : float
        In [0, 1].
    method : {"kuhn", "multilinear"}
        Rows have at most 3, or at most 4 successors; see `interpolated_mdp`.

    Returns
    -------
    MDP
        n^2 states with coordinates (position, velocity), the velocity running fastest; 3 actions; sparse.

    Raises
    ------
    InputError
        If n is out of range or the method unknown.

    Notes
    -----
    Tasks, for `MOUNTAIN_CAR.goals`. For training: ``"position"`` and ``"velocity"``, four evenly spaced goals each,
    within 0.1 and 0.01. Unseen: ``"fast"`` (velocity 0.06), ``"gentle"`` (position 0.6 with a speed of at most 0.05)
    and ``"shortest"`` (position -1 or 0.4), with the same radii, which the source gives for training only. Radii are
    inclusive.

    References
    ----------
    A. W. Moore, "Efficient memory-based learning for robot control", Cambridge (1990). Tasks: Letcher et al.,
    "Inverting the Bellman Equation: From Q-Values to World Models", arXiv 2606.21173 (2026).

    Examples
    --------
    >>> hill = mountain_car(20)
    >>> hill
    MDP(n_states=400, n_actions=3, discount=0.99, sparse)
    >>> int(hill.n_successors.max())
    3
    >>> MOUNTAIN_CAR.goals("position", hill).names
    ('position -1.2', 'position -0.6', 'position 0', 'position 0.6')
    """
    return MOUNTAIN_CAR.mdp(n, discount=discount, method=method)


def _grid(n: int) -> Grid:
    return Grid((Axis(_LEFT, _RIGHT, n, "clip"), Axis(-_FASTEST, _FASTEST, n, "clip")))


def _step(points: FloatArray, action: int) -> FloatArray:
    position, velocity = points.T
    velocity = velocity + (action - 1) * _FORCE - np.cos(3 * position) * _GRAVITY
    velocity = np.clip(velocity, -_FASTEST, _FASTEST)
    position = np.clip(position + velocity, _LEFT, _RIGHT)
    velocity = np.where((position == _LEFT) & (velocity < 0), 0.0, velocity)
    return np.stack([position, velocity], axis=1)


def _at_position(points: FloatArray, *positions: float) -> BoolArray:
    return within(points[:, :1], np.array(positions)[:, None], _POSITION_RADIUS)


def _at_velocity(points: FloatArray, *velocities: float) -> BoolArray:
    return within(points[:, 1:], np.array(velocities)[:, None], _VELOCITY_RADIUS)


def _gently_right(points: FloatArray) -> BoolArray:
    return _at_position(points, _RIGHT) & within(points[:, 1:], np.zeros((1, 1)), _GENTLE)


def _at_either_side(points: FloatArray) -> BoolArray:
    return np.asarray(_at_position(points, -1.0, 0.4).any(axis=0, keepdims=True))


def _starts(rng: np.random.Generator, count: int) -> FloatArray:
    return np.stack([rng.uniform(-0.6, -0.4, count), np.zeros(count)], axis=1)


_POSITIONS = np.linspace(_LEFT, _RIGHT, 4).round(12).tolist()
_VELOCITIES = np.linspace(-_FASTEST, _FASTEST, 4).tolist()

MOUNTAIN_CAR = ContinuousSystem(
    name="MountainCar",
    grid=_grid,
    step=_step,
    action_names=("left", "none", "right"),
    tasks={
        "position": Task(
            tuple(f"position {place:g}" for place in _POSITIONS), lambda points: _at_position(points, *_POSITIONS)
        ),
        "velocity": Task(
            tuple(f"velocity {speed:.3g}" for speed in _VELOCITIES), lambda points: _at_velocity(points, *_VELOCITIES)
        ),
        "fast": Task(("velocity 0.06",), lambda points: _at_velocity(points, 0.06)),
        "gentle": Task(("position 0.6, speed at most 0.05",), _gently_right),
        "shortest": Task(("position -1 or 0.4",), _at_either_side),
    },
    draw=_starts,
)
"""MountainCar itself: its step, grids, tasks and starts (position uniform in [-0.6, -0.4], at rest)."""
