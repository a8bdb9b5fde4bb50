"""Reacher: an agent trained on four fingertip positions holds a world that plans for angles and velocities too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tabular_inversion.environments import REACHER, Axis, ContinuousSystem, Grid
from tabular_inversion.experiments import continuous, published_tables
from tabular_inversion.experiments import reacher_figures as figures
from tabular_inversion.experiments.continuous import Found, Study
from tabular_inversion.experiments.continuous_worlds import Experiment
from tabular_inversion.experiments.run_folder import RunFolder
from tabular_inversion.kinds import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DIFFERENCES = (
    (
        "The agent is an exact table on the grid; the published one is a neural network trained by interaction. An "
        "exact agent errs only where its goals leave rows open; agents that are wrong on purpose are shown beside it."
    ),
    (
        "The world is Reacher interpolated on the grid, at most five successors for each row, and not deterministic. A "
        "step moves an angle by less than the spacing of 24 points, so the grid blurs the motion. Plans, the optimal "
        "one too, are optimal on this grid and run in the continuous system; the published optimum comes from a table "
        "with 50 points for each coordinate."
    ),
    "Velocities are clipped to [-2, 2] in the world itself; the source does not bound them, its tables span [-2, 2].",
    (
        "Rows are recovered in closed form and no network is trained. The grid points around each arrival are taken as "
        "known, and their weights are read out of the values; rows that the values leave open are the nearest to equal "
        "weights. That knowledge alone is worth a small model NMSE, which is listed too: compare with it."
    ),
    (
        "Model NMSE here: mean squared error of the expected next state, the shorter way round for angles, over the "
        "variance of the next state, over all rows of the grid, averaged over the four coordinates. The published "
        "tables do not say how theirs is normalised, nor over which states; Q-value NMSE likewise is the mean squared "
        "error over the variance of the exact values."
    ),
    (
        "Returns are those of greedy actions in interpolated Q-values, in the continuous system from 512 starts "
        "(angles uniform, velocities uniform in [-1, 1]), at most 100 steps: 0.99 to the power of the number of the "
        "step that arrives, counted from 0. Our spread is over starts; the published tables do not say what theirs is."
    ),
    "The radius of the unseen goals is that of training, 0.2; the source states it for training only.",
)


@checked
def reproduce(
    folder_path: str | os.PathLike[str],
    *,
    effort: str = "quick",
    seed: int = 0,
    points: int | tuple[int, int] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RunFolder:
    """Recover Reacher from four position goals, and plan for a far position, for angles and for velocities in it.

    Parameters
    ----------
    folder_path : path-like
        Where to write. What an interrupted run with the same settings left there is used.
    effort : {"quick", "standard", "full"}
        12 grid points for each angle and 6 for each velocity, 12 for each, or 24 for each.
    seed : int
        Of the starts and the noise, at least 0.
    points : int or tuple of int, optional
        Another number of grid points, or one for each angle and one for each velocity. Multiples of 12 for the angles
        put grid points into the regions of all goals.
    progress : callable
        Called with the number of finished stages, and the number of all.

    Returns
    -------
    RunFolder
        With ``results.json``, ``report.html``, ``figures`` and ``data``.

    Raises
    ------
    InputError
        If the effort is unknown, the seed negative, or the folder belongs to other settings.
    GoalsError
        If the grid is too coarse for a goal.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = reproduce(f"{place}/run", points=(12, 2))
    ...     sorted(path.name for path in folder.path.iterdir())
    ['data', 'figures', 'report.html', 'results.json', 'settings.json', 'stages']
    """
    return continuous.reproduce(STUDY, folder_path, effort=effort, seed=seed, points=points, progress=progress)


def on_grid(points: tuple[int, ...]) -> tuple[ContinuousSystem, int]:
    """Return Reacher with these numbers of points for each angle and for each velocity, and the first of them."""
    angles, velocities = points
    by_coordinate = zip(REACHER.grid(2).axes, (angles, angles, velocities, velocities), strict=True)
    grid = Grid([Axis(axis.low, axis.high, count, axis.beyond) for axis, count in by_coordinate])
    return replace(REACHER, grid=lambda _points: grid), angles


def _figures(experiment: Experiment, found: Found) -> Iterable[tuple[str, Figure, str]]:
    identified, robust = found.inverted["position"].identified, found.robust["position"]
    yield "identified", figures.identified_rows(experiment, identified), figures.IDENTIFIED
    yield "robust", figures.robust_widths(experiment, robust), figures.ROBUST


def _tables(folder: RunFolder, experiment: Experiment, found: Found) -> None:
    inverted, robust = found.inverted["position"], found.robust["position"]
    names = ("stopped_early", "setting", "q_nmse", "model_nmse", "variation")
    folder.table("coarse", {name: found.coarse[name] for name in names})
    columns = {name: experiment.starts[:, i] for i, name in enumerate(("theta1", "theta2", "omega1", "omega2"))}
    for i, world in enumerate(("true", "position")):
        columns |= {f"{name} in {world}": found.unseen["returns"][i, j] for j, name in enumerate(STUDY.unseen)}
    folder.table("returns", columns)
    # Not a line for each of the states, which are too many for a table: the open rows, and a summary of intervals.
    states, actions = np.nonzero(~inverted.identified)
    places = experiment.grid.coordinates[states].T
    coordinates = dict(zip(("theta1", "theta2", "omega1", "omega2"), places, strict=True))
    folder.table("open_rows", {**coordinates, "action": actions, "status": inverted.status[states, actions]})
    widths = robust["upper"] - robust["lower"]
    summary = {"task": list(STUDY.unseen), "largest width": widths.max(axis=1), "mean width": widths.mean(axis=1)}
    quantiles = {f"quantile {share}": np.quantile(widths, share, axis=1) for share in (0.5, 0.9, 0.99, 0.999)}
    folder.table("robust", {**summary, **quantiles})


STUDY = Study(
    name="Reacher",
    system=on_grid,
    points={"quick": (12, 6), "standard": (12, 12), "full": (24, 24)},
    coordinates=("points of an angle", "points of a velocity"),
    training=("position",),
    unseen={"far": "far fingertip", "angle": "target angle", "velocity": "target velocity"},
    steps=100,
    n_starts=512,
    sweeps=(30, 60, 80, 100, 130),
    noise=(1e-8, 1e-4),
    plans_of_coarse=False,
    published=published_tables.REACHER,
    differences=_DIFFERENCES,
    figures=_figures,
    captions={"coarse": figures.COARSE, "unseen": figures.UNSEEN},
    tables=_tables,
)
"""Four fingertip positions, and three tasks that the agent did not see."""
