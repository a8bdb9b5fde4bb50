"""MountainCar: agents trained on positions, or on velocities, hold the same world, and it plans for other goals."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tabular_inversion.environments import MOUNTAIN_CAR
from tabular_inversion.errors import InputError
from tabular_inversion.experiments import mountain_car_figures as figures
from tabular_inversion.experiments import published_tables
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

POINTS = {"quick": 40, "standard": 100, "full": 200}
"""Grid points for each of position and velocity; 200 is what the published tables use."""

TRAINING = ("position", "velocity")
UNSEEN = {"fast": "fast car", "gentle": "gentle car", "shortest": "shortest path"}
STEPS, N_STARTS = 200, 512
SWEEPS = (10, 30, 50, 75, 100, 150, 200, 300)
NOISE = (1e-12, 1e-8, 1e-4, 1e-2)
_PUBLISHED = published_tables.MOUNTAIN_CAR
_N_STAGES = 3 * len(TRAINING) + 4

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


@dataclass(frozen=True, eq=False)
class _Found:
    """What the stages found; `inverted` and `robust` by training task."""

    inverted: Mapping[str, Inverted]
    unseen: Arrays
    coarse: Arrays
    robust: Mapping[str, Arrays]


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
    if effort not in POINTS:
        raise InputError(f"effort is {effort!r}; expected one of {', '.join(POINTS)}.")
    n = POINTS[effort] if points is None else points
    experiment = Experiment.of(MOUNTAIN_CAR, n, tuple(UNSEEN), steps=STEPS, n_starts=N_STARTS, seed=seed)
    folder = RunFolder(folder_path, "MountainCar", {"points": n, "seed": seed, "starts": N_STARTS})
    _report(folder, experiment, _run(folder, experiment, seed, steps_done(progress, _N_STAGES)))
    return folder


def _run(folder: RunFolder, experiment: Experiment, seed: int, tell: Callable[[], None]) -> _Found:
    inverted = {task: invert_task(folder, experiment, task, tell) for task in TRAINING}
    kernels = {"true": experiment.world.kernel, **{task: one.kernel for task, one in inverted.items()}}
    unseen = folder.stage("unseen", lambda: plan_unseen(experiment, kernels))
    tell()
    agent = inverted["position"].agent
    coarse = folder.stage("coarse", lambda: coarse_agents(experiment, agent, SWEEPS, NOISE, seed=seed, planned=True))
    tell()
    robust = {}
    for task, one in inverted.items():
        robust[task] = folder.stage(f"robust-{task}", lambda one=one: robust_ranges(one.agent, experiment))  # type: ignore[misc]
        tell()
    return _Found(inverted, unseen, coarse, robust)


def _report(folder: RunFolder, experiment: Experiment, found: _Found) -> None:
    identified = {task: one.identified for task, one in found.inverted.items()}
    _tables(folder, experiment, found)
    folder.figure("identified", figures.identified_rows(experiment, identified), figures.IDENTIFIED)
    folder.figure("motion", figures.motion(experiment, found.inverted["position"].kernel), figures.MOTION)
    folder.figure("coarse", coarse_figure(found.coarse, _PUBLISHED), figures.COARSE)
    folder.figure("unseen", returns_figure(found.unseen, _PUBLISHED, UNSEEN, TRAINING), figures.UNSEEN)
    folder.figure("robust", figures.robust_widths(experiment, found.robust), figures.ROBUST)
    facts = {"states": experiment.world.n_states, "rows": experiment.world.available.size}
    for number, (task, one) in enumerate(found.inverted.items(), start=1):
        facts |= facts_of(task, one, found.unseen, found.robust[task], experiment.unseen, number)
    comparisons = [
        *_model_errors(experiment, found.inverted),
        *coarse_comparisons(found.coarse, _PUBLISHED, UNSEEN, "position agent"),
        *return_comparisons(found.unseen, _PUBLISHED, UNSEEN, TRAINING),
    ]
    folder.finish(comparisons, differences=_DIFFERENCES, facts=facts)


def _tables(folder: RunFolder, experiment: Experiment, found: _Found) -> None:
    position, velocity = experiment.grid.coordinates.T
    by_state = {f"rows identified from {task}": one.identified.sum(axis=1) for task, one in found.inverted.items()}
    for task, ranges in found.robust.items():
        for i, name in enumerate(UNSEEN):
            by_state |= {f"{name} from {task}, {end}": ranges[end][i] for end in ("lower", "upper")}
    folder.table("states", {"position": position, "velocity": velocity, **by_state})
    coarse = {name: found.coarse[name] for name in ("stopped_early", "setting", "q_nmse", "model_nmse", "variation")}
    means = found.coarse["returns"].mean(axis=2)
    folder.table("coarse", {**coarse, **{f"return {name}": means[:, i] for i, name in enumerate(UNSEEN)}})
    episodes = {"start position": experiment.starts[:, 0]}
    for i, world in enumerate(("true", *TRAINING)):
        episodes |= {f"{name} in {world}": found.unseen["returns"][i, j] for j, name in enumerate(UNSEEN)}
    folder.table("returns", episodes)


def _model_errors(experiment: Experiment, inverted: Mapping[str, Inverted]) -> list[Comparison]:
    truth, grid, between = experiment.world.kernel, experiment.grid, _PUBLISHED.between
    pair = kernel_error(inverted["position"].kernel, inverted["velocity"].kernel, grid)
    rows = [
        Comparison("model NMSE, position goals against velocity goals", pair.nmse, 0.0, between["position", "velocity"])
    ]
    for task, one in inverted.items():
        error, sure = (kernel_error(one.kernel, truth, grid, which) for which in (None, one.identified))
        note = f"mean total variation {error.variation:.2g}; over the variance of the motion {error.motion_nmse:.2g}"
        what = f"model NMSE, {task} goals against the truth"
        rows += [
            Comparison(what, error.nmse, 0.0, between[task, "true"], note),
            Comparison(f"{what}, identified rows", sure.nmse, note=f"largest entry wrong by {sure.largest:.1g}"),
        ]
    prior = kernel_error(prior_kernel(experiment.known_cells), truth, grid)
    note = f"mean total variation {prior.variation:.2g}; over the variance of the motion {prior.motion_nmse:.2g}"
    return [*rows, Comparison("model NMSE of known cells without any values", prior.nmse, note=note)]
