"""What MountainCar and Reacher have in common: agents on a grid, the worlds read out of their values, plans for others.

An experiment is a `Study`, a table of what its system asks for; stages and report, and the order of both, stand here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tabular_inversion._typing import SparseMatrix
from tabular_inversion.environments import ContinuousSystem
from tabular_inversion.errors import InputError
from tabular_inversion.experiments import large_grids
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
from tabular_inversion.experiments.large_grids import Streamed
from tabular_inversion.experiments.published_tables import PublishedTable
from tabular_inversion.experiments.run_folder import Arrays, Comparison, RunFolder
from tabular_inversion.kernel_rows import sparse_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Found:
    """What the stages found; `inverted` and `robust` by training task."""

    inverted: Mapping[str, Inverted]
    unseen: Arrays
    coarse: Arrays
    robust: Mapping[str, Arrays]


@dataclass(frozen=True, eq=False)
class Study:
    """All that one experiment does not share with the other.

    Attributes
    ----------
    name : str
        Of the system.
    system : callable
        ``system(points)`` is the system on its grid, and the number of points that this grid is asked for with.
    points : mapping from str to tuple of int
        Grid points for each effort.
    coordinates : tuple of str
        What the points of the grid belong to, in the settings of a run.
    training : tuple of str
        The tasks that agents are trained for; the first one's agent is also made wrong on purpose.
    unseen : mapping from str to str
        Tasks to plan for, and what they are called.
    steps, n_starts : int
        The longest episode, and how many there are.
    sweeps, noise : tuple
        How agents are made wrong: value iteration stopped early, and uniform noise.
    plans_of_coarse : bool
        Whether plans in their worlds are run as well.
    published : PublishedTable
        What to stand beside.
    differences : tuple of str
        Between this experiment and the published one.
    figures : callable
        ``figures(experiment, found)`` yields (name, figure, caption) of what only this system draws.
    captions : mapping from str to str
        Of the figures ``"coarse"`` and ``"unseen"``.
    tables : callable
        ``tables(folder, experiment, found)`` writes the data.
    """

    name: str
    system: Callable[[tuple[int, ...]], tuple[ContinuousSystem, int]]
    points: Mapping[str, tuple[int, ...]]
    coordinates: tuple[str, ...]
    training: tuple[str, ...]
    unseen: Mapping[str, str]
    steps: int
    n_starts: int
    sweeps: tuple[int, ...]
    noise: tuple[float, ...]
    plans_of_coarse: bool
    published: PublishedTable
    differences: tuple[str, ...]
    figures: Callable[[Experiment, Found], Iterable[tuple[str, Figure, str]]]
    captions: Mapping[str, str]
    tables: Callable[[RunFolder, Experiment, Found], None]

    @property
    def n_stages(self) -> int:
        """How many stages a run has: three and a robust plan for each agent, two more for all."""
        return 4 * len(self.training) + 2


def reproduce(
    study: Study,
    folder_path: str | os.PathLike[str],
    *,
    effort: str,
    seed: int,
    points: int | tuple[int, ...] | None,
    progress: Callable[[int, int], None],
) -> RunFolder:
    """Run a study in a folder; what an interrupted run with the same settings left there is used.

    Parameters
    ----------
    study : Study
        Which one.
    folder_path : path-like
        Where to write.
    effort : str
        One of ``study.points``.
    seed : int
        Of the starts and the noise, at least 0.
    points : int or tuple of int, optional
        Another number of grid points: one for all coordinates, or one for each of ``study.coordinates``.
    progress : callable
        Called with the number of finished stages, and the number of all.

    Returns
    -------
    RunFolder

    Raises
    ------
    InputError
        If the effort is unknown, the seed negative, or the folder belongs to other settings.
    GoalsError
        If the grid is too coarse for a goal.
    """
    if effort not in study.points:
        raise InputError(f"effort is {effort!r}; expected one of {', '.join(study.points)}.")
    asked = study.points[effort] if points is None else points
    counts = (asked,) * len(study.coordinates) if isinstance(asked, int) else tuple(asked)
    if len(counts) != len(study.coordinates):
        raise InputError(
            f"points are {counts}; expected one number, or one for each of {', '.join(study.coordinates)}."
        )
    system, size = study.system(counts)
    experiment = Experiment.of(system, size, tuple(study.unseen), steps=study.steps, n_starts=study.n_starts, seed=seed)
    settings = dict(zip(study.coordinates, counts, strict=True)) | {"seed": seed, "starts": study.n_starts}
    folder = RunFolder(folder_path, study.name, settings)
    if large_grids.is_large(experiment.world.n_states):
        _reproduce_large(study, folder, experiment, progress)
        return folder
    _report(study, folder, experiment, _run(study, folder, experiment, seed, steps_done(progress, study.n_stages)))
    return folder


def _reproduce_large(
    study: Study, folder: RunFolder, experiment: Experiment, progress: Callable[[int, int], None]
) -> None:
    tell = steps_done(progress, large_grids.stages_of(study.training))
    streamed, unseen = large_grids.recover_large(folder, experiment, study.training, tell)
    facts: dict[str, Any] = {"states": experiment.world.n_states, "rows": experiment.world.available.size}
    for one in streamed.values():
        facts |= one.facts
    comparisons = [
        *model_errors(experiment, streamed, study.published),
        *return_comparisons(unseen, study.published, study.unseen, study.training),
    ]
    folder.finish(comparisons, differences=(*study.differences, large_grids.DIFFERENCE), facts=facts)


def _run(study: Study, folder: RunFolder, experiment: Experiment, seed: int, tell: Callable[[], None]) -> Found:
    inverted = {task: invert_task(folder, experiment, task, tell) for task in study.training}
    kernels: dict[str, SparseMatrix] = {"true": sparse_rows(experiment.world.rows)}
    kernels |= {task: one.kernel for task, one in inverted.items()}
    unseen = folder.stage("unseen", lambda: plan_unseen(experiment, kernels))
    tell()
    agent = inverted[study.training[0]].agent
    coarse = folder.stage(
        "coarse",
        lambda: coarse_agents(experiment, agent, study.sweeps, study.noise, seed=seed, planned=study.plans_of_coarse),
    )
    tell()
    robust = {}
    for task, one in inverted.items():
        robust[task] = folder.stage(f"robust-{task}", partial(robust_ranges, one.agent, experiment))
        tell()
    return Found(inverted, unseen, coarse, robust)


def _report(study: Study, folder: RunFolder, experiment: Experiment, found: Found) -> None:
    study.tables(folder, experiment, found)
    for name, drawn, caption in study.figures(experiment, found):
        folder.figure(name, drawn, caption)
    folder.figure("coarse", coarse_figure(found.coarse, study.published), study.captions["coarse"])
    drawn = returns_figure(found.unseen, study.published, study.unseen, study.training)
    folder.figure("unseen", drawn, study.captions["unseen"])
    facts: dict[str, Any] = {"states": experiment.world.n_states, "rows": experiment.world.available.size}
    for number, (task, one) in enumerate(found.inverted.items(), start=1):
        facts |= facts_of(task, one, found.unseen, found.robust[task], experiment.unseen, number)
    comparisons = [
        *model_errors(experiment, found.inverted, study.published),
        *coarse_comparisons(found.coarse, study.published, study.unseen, f"{study.training[0]} agent"),
        *return_comparisons(found.unseen, study.published, study.unseen, study.training),
    ]
    folder.finish(comparisons, differences=study.differences, facts=facts)


def model_errors(
    experiment: Experiment, inverted: Mapping[str, Inverted] | Mapping[str, Streamed], published: PublishedTable
) -> list[Comparison]:
    """Put the errors of the recovered worlds, against each other and against the truth, beside the published ones."""
    truth, grid = sparse_rows(experiment.world.rows), experiment.grid
    tasks = list(inverted)
    rows = []
    for task, other in pairwise(tasks):
        pair = kernel_error(inverted[task].kernel, inverted[other].kernel, grid)
        what = f"model NMSE, {task} goals against {other} goals"
        rows.append(Comparison(what, pair.nmse, 0.0, published.between[task, other]))

    def note(error: Any) -> str:
        return f"mean total variation {error.variation:.2g}; over the variance of the motion {error.motion_nmse:.2g}"

    for task, one in inverted.items():
        error, sure = (kernel_error(one.kernel, truth, grid, which) for which in (None, one.identified))
        what = f"model NMSE, {task} goals against the truth"
        beside = published.between.get((task, "true"), published.model_nmse)
        rows += [
            Comparison(what, error.nmse, 0.0, beside, note(error)),
            Comparison(f"{what}, identified rows", sure.nmse, note=f"largest entry wrong by {sure.largest:.1g}"),
        ]
    prior = kernel_error(prior_kernel(experiment.known_cells), truth, grid)
    return [*rows, Comparison("model NMSE of known cells without any values", prior.nmse, note=note(prior))]
