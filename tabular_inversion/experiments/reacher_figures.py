"""Figures of the Reacher experiment: four dimensions, two at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.experiments.continuous_report import figure
from tabular_inversion.experiments.continuous_worlds import Experiment
from tabular_inversion.experiments.run_folder import Arrays

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IDENTIFIED = (
    "The share of rows that four position goals leave open when the grid points around each arrival are known: by both "
    "angles, over all velocities and actions, and by both velocities, over all angles and actions. Most open rows have "
    "two pairs of successors that mirror each other in the line through two opposite goals."
)
COARSE = (
    "The error of the recovered world against the error of the agent's Q-values, for agents that are wrong on purpose: "
    "value iteration stopped early, and uniform noise. The dotted line uses no values at all: it knows the grid points "
    "around each arrival and gives them equal weights."
)
UNSEEN = (
    "Returns for goals that the agent was not trained on, in the continuous system from the published starts. Bars are "
    "one standard deviation: ours over starts."
)
ROBUST = (
    "What the values leave open of the optimal value of each unseen goal: the width of the interval over all worlds on "
    "the known grid points in which the agent has the same Q-values, by both angles, the largest over all velocities. "
    "Black is settled."
)


def identified_rows(experiment: Experiment, identified: BoolArray) -> Figure:
    """Draw the share of open rows by angles and by velocities."""
    drawn = figure(9.0, 3.9)
    share = (~identified).mean(axis=1).reshape(experiment.grid.shape)
    total = int((~identified).sum())
    for axes, names, kept, rest in zip(
        drawn.subplots(1, 2), ("theta", "omega"), ((0, 1), (2, 3)), ((2, 3), (0, 1)), strict=True
    ):
        image = _map(axes, experiment, kept, 100.0 * share.mean(axis=rest), cmap="YlOrBr", vmin=0.0)
        axes.set(xlabel=f"{names} 1", ylabel=f"{names} 2")
        drawn.colorbar(image, ax=axes, label="open rows, per cent", shrink=0.9)
    drawn.suptitle(f"{identified.size - total:,} of {identified.size:,} rows identified", fontsize=10)
    return drawn


def robust_widths(experiment: Experiment, found: Arrays) -> Figure:
    """Draw the width of the robust interval by angles, one map for each unseen task."""
    names = experiment.unseen
    drawn = figure(3.5 * len(names), 3.5)
    panels = drawn.subplots(1, len(names), sharey=True)
    for i, (axes, name) in enumerate(zip(panels, names, strict=True)):
        width = (found["upper"][i] - found["lower"][i]).reshape(experiment.grid.shape).max(axis=(2, 3))
        image = _map(axes, experiment, (0, 1), np.log10(np.maximum(width, 1e-9)), cmap="magma", vmin=-9, vmax=0)
        axes.set_title(f"{name}\nlargest width {width.max():.1g}", fontsize=9)
        axes.set_xlabel("theta 1")
    panels[0].set_ylabel("theta 2")
    drawn.colorbar(image, ax=panels.tolist(), label="log10 of the width, from -9", shrink=0.8)
    return drawn


def _map(axes: Axes, experiment: Experiment, kept: tuple[int, int], values: FloatArray, **style: Any) -> Any:
    """Draw one number for each pair of two coordinates, its cell around the grid point."""
    ends = []
    for axis in (experiment.grid.axes[i] for i in kept):
        points = axis.points
        ends += [points[0] - axis.spacing / 2, points[-1] + axis.spacing / 2]
    return axes.imshow(values.T, origin="lower", extent=tuple(ends), aspect="auto", interpolation="nearest", **style)
