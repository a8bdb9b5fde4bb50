"""MountainCar: agents trained on positions, or on velocities, hold the same world, and it plans for other goals."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tabular_inversion.environments import MOUNTAIN_CAR
from tabular_inversion.experiments import continuous, published_tables
from tabular_inversion.experiments import mountain_car_figures as figures
from tabular_inversion.experiments.continuous import Found, Study
from tabular_inversion.experiments.continuous_worlds import Experiment
from tabular_inversion.experiments.run_folder import RunFolder
from tabular_inversion.kinds import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DIFFERENCES = (
    (
        "The agents are exact tables on the grid; the published ones are neural networks trained by interaction. An "
        "exact agent errs only where its goals leave rows open; agents that are wrong on purpose are shown beside it."
    ),
    (
        "The world is MountainCar interpolated on the grid. It is not deterministic: an arrival between grid points is "
        "a lottery over the corners of its triangle, at most three. Plans, the optimal one too, are optimal on this "
        "grid and run in the continuous system."
    ),
    (
        "Rows are recovered in closed form and no network is trained. The grid points around each arrival are taken as "
        "known, and their weights are read out of the values; rows that the values leave open are the nearest to equal "
        "weights. That knowledge alone is worth a small model NMSE, which is listed too: compare with it."
    ),
    (
        "Model NMSE here: mean squared error of the expected next state over the variance of the next state, over all "
        "rows of the grid, averaged over both coordinates. The published tables do not say how theirs is normalised, "
        "nor over which states; Q-value NMSE likewise is the mean squared error over the variance of the exact values."
    ),
    (
        "Returns are those of greedy actions in interpolated Q-values, in the continuous system from 512 starts "
        "(position uniform in [-0.6, -0.4], at rest), at most 200 steps: 0.99 to the power of the number of the step "
        "that arrives, counted from 0. Our spread is over starts; the published tables do not say "
        "what theirs is over, and those of optimal plans are like ours."
    ),
    "Radii of the unseen goals are those of training, 0.1 and 0.01; the source states them for training only.",
)


@checked
def reproduce(
    folder_path: str | os.PathLike[str],
    *,
    effort: str = "quick",
    seed: int = 0,
    points: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RunFolder:
    """Recover MountainCar from position goals and from velocity goals, and plan for three others in it.

    Parameters
    ----------
    folder_path : path-like
        Where to write. What an interrupted run with the same settings left there is used.
    effort : {"quick", "standard", "full"}
        40, 100 or 200 grid points for each of position and velocity.
    seed : int
        Of the starts and the noise, at least 0.
    points : int, optional
        Another number of grid points; from 15 on, every goal's region holds some.
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
    ...     folder = reproduce(f"{place}/run", points=16)
    ...     sorted(path.name for path in folder.path.iterdir())
    ['data', 'figures', 'report.html', 'results.json', 'settings.json', 'stages']
    """
    return continuous.reproduce(STUDY, folder_path, effort=effort, seed=seed, points=points, progress=progress)


def _figures(experiment: Experiment, found: Found) -> Iterable[tuple[str, Figure, str]]:
    identified = {task: one.identified for task, one in found.inverted.items()}
    yield "identified", figures.identified_rows(experiment, identified), figures.IDENTIFIED
    yield "motion", figures.motion(experiment, found.inverted["position"].kernel), figures.MOTION
    yield "robust", figures.robust_widths(experiment, found.robust), figures.ROBUST


def _tables(folder: RunFolder, experiment: Experiment, found: Found) -> None:
    position, velocity = experiment.grid.coordinates.T
    by_state = {f"rows identified from {task}": one.identified.sum(axis=1) for task, one in found.inverted.items()}
    for task, ranges in found.robust.items():
        for i, name in enumerate(STUDY.unseen):
            by_state |= {f"{name} from {task}, {end}": ranges[end][i] for end in ("lower", "upper")}
    folder.table("states", {"position": position, "velocity": velocity, **by_state})
    coarse = {name: found.coarse[name] for name in ("stopped_early", "setting", "q_nmse", "model_nmse", "variation")}
    means = found.coarse["returns"].mean(axis=2)
    folder.table("coarse", {**coarse, **{f"return {name}": means[:, i] for i, name in enumerate(STUDY.unseen)}})
    episodes = {"start position": experiment.starts[:, 0]}
    for i, world in enumerate(("true", *STUDY.training)):
        episodes |= {f"{name} in {world}": found.unseen["returns"][i, j] for j, name in enumerate(STUDY.unseen)}
    folder.table("returns", episodes)


STUDY = Study(
    name="MountainCar",
    system=lambda points: (MOUNTAIN_CAR, points[0]),
    points={"quick": (40,), "standard": (100,), "full": (200,)},  # 200 is what the published tables use
    coordinates=("points",),
    training=("position", "velocity"),
    unseen={"fast": "fast car", "gentle": "gentle car", "shortest": "shortest path"},
    steps=200,
    n_starts=512,
    sweeps=(10, 30, 50, 75, 100, 150, 200, 300),
    noise=(1e-12, 1e-8, 1e-4, 1e-2),
    plans_of_coarse=True,
    published=published_tables.MOUNTAIN_CAR,
    differences=_DIFFERENCES,
    figures=_figures,
    captions={"coarse": figures.COARSE, "unseen": figures.UNSEEN},
    tables=_tables,
)
"""Four position goals, or four velocity goals, and three that no agent saw."""
