"""Figures of the MountainCar experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, SparseMatrix
from tabular_inversion.experiments.continuous_report import BLUE, GREY, figure
from tabular_inversion.experiments.continuous_worlds import Experiment, displacements
from tabular_inversion.experiments.run_folder import Arrays
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.plotting.canvas import matplotlib_module

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IDENTIFIED = (
    "Of how many of the three actions the row is identified, state by state, when the grid points around each arrival "
    "are known: from four position goals, and from four velocity goals. Most rows that stay open lead "
    "into a wall or to the greatest speeds, where neighbouring grid points have nearly the same future for every goal."
)
MOTION = (
    "Where each action moves the car on average, in the true world and in the one recovered from position goals, at "
    "every few grid points. Arrows of all panels have one scale, in units of the box."
)
COARSE = (
    "The error of the recovered world against the error of the agent's Q-values, for position agents that are wrong on "
    "purpose: value iteration stopped early, and uniform noise. The dotted line uses no values at all: it knows the "
    "grid points around each arrival and gives them equal weights."
)
UNSEEN = (
    "Returns for goals that no agent was trained on, in the continuous system from the published starts. Bars are one "
    "standard deviation: ours over starts."
)
ROBUST = (
    "What the values leave open of the optimal value of each unseen goal: the width of the interval over all worlds on "
    "the known grid points in which the agent has the same Q-values. Black is settled."
)


def identified_rows(experiment: Experiment, identified: Mapping[str, BoolArray]) -> Figure:
    """Draw maps over the state space, one for each training task."""
    drawn = figure(4.4 * len(identified), 3.6)
    colours = matplotlib_module("colors").ListedColormap(["#8c2d19", "#d9822b", "#e8cf9a", "#e6edf3"])
    panels = drawn.subplots(1, len(identified), sharey=True, squeeze=False)[0]
    for axes, (task, rows) in zip(panels, identified.items(), strict=True):
        image = _map(axes, experiment, rows.sum(axis=1).astype(float), cmap=colours, vmin=-0.5, vmax=3.5)
        axes.set_title(f"{task} goals: {rows.sum():,} of {rows.size:,} rows", fontsize=10)
        axes.set_xlabel("position")
    panels[0].set_ylabel("velocity")
    drawn.colorbar(image, ax=panels.tolist(), ticks=range(4), label="actions with an identified row", shrink=0.9)
    return drawn


def motion(experiment: Experiment, kernel: SparseMatrix) -> Figure:
    """Draw the mean displacement of each action, true above recovered."""
    drawn = figure(10.0, 5.6)
    panels = drawn.subplots(2, 3, sharex=True, sharey=True)
    shape, axes_of_grid = experiment.grid.shape, experiment.grid.axes
    every = tuple(slice(None, None, max(1, size // 16)) for size in shape)
    places = experiment.grid.coordinates.reshape(*shape, 2)[every]
    ranges = np.array([axis.high - axis.low for axis in axes_of_grid])
    for row, (name, world) in enumerate((("true", sparse_rows(experiment.world.rows)), ("recovered", kernel))):
        moved = displacements(world, experiment.grid).reshape(*shape, 3, 2)[every] / ranges
        for action, axes in enumerate(panels[row]):
            axes.quiver(
                places[..., 0], places[..., 1], moved[:, :, action, 0], moved[:, :, action, 1], angles="uv",
                scale_units="width", scale=0.6, width=0.004, color=(GREY, BLUE)[row],
            )  # fmt: skip
            axes.set_title(f"{name}, action {experiment.system.action_names[action]}", fontsize=10)
    for axes in panels[:, 0]:
        axes.set_ylabel("velocity")
    for axes in panels[1]:
        axes.set_xlabel("position")
    return drawn


def robust_widths(experiment: Experiment, ranges: Mapping[str, Arrays]) -> Figure:
    """Draw the width of the robust interval over the state space, a row of maps for each training task."""
    names = experiment.unseen
    drawn = figure(3.3 * len(names), 2.8 * len(ranges))
    panels = drawn.subplots(len(ranges), len(names), sharex=True, sharey=True, squeeze=False)
    for row, (task, found) in enumerate(ranges.items()):
        for i, name in enumerate(names):
            width = found["upper"][i] - found["lower"][i]
            image = _map(panels[row, i], experiment, np.log10(np.maximum(width, 1e-9)), cmap="magma", vmin=-9, vmax=0)
            panels[row, i].set_title(f"{name}, from {task} goals\nlargest width {width.max():.1g}", fontsize=9)
        panels[row, 0].set_ylabel("velocity")
    for axes in panels[-1]:
        axes.set_xlabel("position")
    drawn.colorbar(image, ax=panels.ravel().tolist(), label="log10 of the width, from -9", shrink=0.8)
    return drawn


def _map(axes: Axes, experiment: Experiment, values: FloatArray, **style: Any) -> Any:
    """Draw one number for each state over position and velocity."""
    position, velocity = experiment.grid.axes
    extent = (position.low, position.high, velocity.low, velocity.high)
    table = values.reshape(experiment.grid.shape).T
    return axes.imshow(table, origin="lower", extent=extent, aspect="auto", interpolation="nearest", **style)
