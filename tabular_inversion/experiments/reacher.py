"""Reacher: an agent trained on four fingertip positions holds a world that plans for angles and velocities too."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tabular_inversion.environments import REACHER, Axis, ContinuousSystem, Grid
from tabular_inversion.errors import InputError
from tabular_inversion.experiments import published_tables
from tabular_inversion.experiments import reacher_figures as figures
from tabular_inversion.experiments.continuous_report import (
    coarse_comparisons,
    coarse_figure,
    facts_of,
    return_comparisons,
    returns_figure,
)
from tabular_inversion.experiments.continuous_stages import (
    Inverted,
    coarse_agents,
    invert_task,
    plan_unseen,
    robust_ranges,
    steps_done,
)
from tabular_inversion.experiments.continuous_worlds import Experiment, kernel_error, prior_kernel
from tabular_inversion.experiments.run_folder import Arrays, Comparison, RunFolder

POINTS = {"quick": (12, 6), "standard": (12, 12), "full": (24, 24)}
"""Grid points for each angle, and for each velocity."""

TRAINING = "position"
UNSEEN = {"far": "far fingertip", "angle": "target angle", "velocity": "target velocity"}
STEPS, N_STARTS = 100, 512
SWEEPS = (30, 60, 80, 100, 130)
NOISE = (1e-8, 1e-4)
_PUBLISHED = published_tables.REACHER
_N_STAGES = 6

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


@dataclass(frozen=True, eq=False)
class _Found:
    """What the stages found."""

    inverted: Inverted
    unseen: Arrays
    coarse: Arrays
    robust: Arrays


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
    if effort not in POINTS:
        raise InputError(f"effort is {effort!r}; expected one of {', '.join(POINTS)}.")
    asked = POINTS[effort] if points is None else points
    angles, velocities = (asked, asked) if isinstance(asked, int) else asked
    arm = _on_grid(angles, velocities)
    experiment = Experiment.of(arm, angles, tuple(UNSEEN), steps=STEPS, n_starts=N_STARTS, seed=seed)
    settings = {"points of an angle": angles, "points of a velocity": velocities, "seed": seed, "starts": N_STARTS}
    folder = RunFolder(folder_path, "Reacher", settings)
    _report(folder, experiment, _run(folder, experiment, seed, steps_done(progress, _N_STAGES)))
    return folder


def _on_grid(angles: int, velocities: int) -> ContinuousSystem:
    """Return Reacher with another grid: angles and velocities need not have the same number of points."""
    by_coordinate = zip(REACHER.grid(2).axes, (angles, angles, velocities, velocities), strict=True)
    grid = Grid([Axis(axis.low, axis.high, count, axis.beyond) for axis, count in by_coordinate])
    return replace(REACHER, grid=lambda _points: grid)


def _run(folder: RunFolder, experiment: Experiment, seed: int, tell: Callable[[], None]) -> _Found:
    inverted = invert_task(folder, experiment, TRAINING, tell)
    kernels = {"true": experiment.world.kernel, TRAINING: inverted.kernel}
    unseen = folder.stage("unseen", lambda: plan_unseen(experiment, kernels))
    tell()
    coarse = folder.stage(
        "coarse", lambda: coarse_agents(experiment, inverted.agent, SWEEPS, NOISE, seed=seed, planned=False)
    )
    tell()
    robust = folder.stage("robust", lambda: robust_ranges(inverted.agent, experiment))
    tell()
    return _Found(inverted, unseen, coarse, robust)


def _report(folder: RunFolder, experiment: Experiment, found: _Found) -> None:
    _tables(folder, experiment, found)
    folder.figure("identified", figures.identified_rows(experiment, found.inverted.identified), figures.IDENTIFIED)
    folder.figure("coarse", coarse_figure(found.coarse, _PUBLISHED), figures.COARSE)
    folder.figure("unseen", returns_figure(found.unseen, _PUBLISHED, UNSEEN, [TRAINING]), figures.UNSEEN)
    folder.figure("robust", figures.robust_widths(experiment, found.robust), figures.ROBUST)
    facts: dict[str, Any] = {"states": experiment.world.n_states, "rows": experiment.world.available.size}
    facts |= facts_of(TRAINING, found.inverted, found.unseen, found.robust, experiment.unseen, 1)
    comparisons = [
        *_model_errors(experiment, found.inverted),
        *coarse_comparisons(found.coarse, _PUBLISHED, UNSEEN, "agent"),
        *return_comparisons(found.unseen, _PUBLISHED, UNSEEN, [TRAINING]),
    ]
    folder.finish(comparisons, differences=_DIFFERENCES, facts=facts)


def _tables(folder: RunFolder, experiment: Experiment, found: _Found) -> None:
    names = ("stopped_early", "setting", "q_nmse", "model_nmse", "variation")
    folder.table("coarse", {name: found.coarse[name] for name in names})
    columns = {name: experiment.starts[:, i] for i, name in enumerate(("theta1", "theta2", "omega1", "omega2"))}
    for i, world in enumerate(("true", TRAINING)):
        columns |= {f"{name} in {world}": found.unseen["returns"][i, j] for j, name in enumerate(UNSEEN)}
    folder.table("returns", columns)
    # Not a line for each of the states, which are too many for a table: the open rows, and a summary of intervals.
    states, actions = np.nonzero(~found.inverted.identified)
    places = experiment.grid.coordinates[states].T
    coordinates = dict(zip(("theta1", "theta2", "omega1", "omega2"), places, strict=True))
    folder.table("open_rows", {**coordinates, "action": actions, "status": found.inverted.status[states, actions]})
    widths = found.robust["upper"] - found.robust["lower"]
    summary = {"task": list(UNSEEN), "largest width": widths.max(axis=1), "mean width": widths.mean(axis=1)}
    quantiles = {f"quantile {share}": np.quantile(widths, share, axis=1) for share in (0.5, 0.9, 0.99, 0.999)}
    folder.table("robust", {**summary, **quantiles})


def _model_errors(experiment: Experiment, inverted: Inverted) -> list[Comparison]:
    truth, grid = experiment.world.kernel, experiment.grid
    prior = prior_kernel(experiment.known_cells)
    error, sure, unused = (
        kernel_error(kernel, truth, grid, rows)
        for kernel, rows in ((inverted.kernel, None), (inverted.kernel, inverted.identified), (prior, None))
    )

    def note(found: Any) -> str:
        return f"mean total variation {found.variation:.2g}; over the variance of the motion {found.motion_nmse:.2g}"

    return [
        Comparison("model NMSE against the truth", error.nmse, 0.0, _PUBLISHED.model_nmse, note(error)),
        Comparison(
            "model NMSE against the truth, identified rows",
            sure.nmse,
            note=f"largest entry wrong by {sure.largest:.1g}",
        ),
        Comparison("model NMSE of known cells without any values", unused.nmse, note=note(unused)),
    ]
