"""Grids too fine for everything at once: forward, all rows from a stream, and plans; what is kept lies on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tabular_inversion._typing import BoolArray, SparseMatrix
from tabular_inversion.experiments.continuous_stages import plan_unseen, solve_task
from tabular_inversion.experiments.continuous_worlds import Experiment
from tabular_inversion.experiments.run_folder import Arrays, RunFolder
from tabular_inversion.identifiability import Status
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.recovery.certified_rows import can_certify
from tabular_inversion.streaming import invert_stream

LARGE = 100_000
"""From so many states on, robust plans and agents that are wrong on purpose are left out."""

DIFFERENCE = (
    "This grid is large: each row is proved by compiled code or stays open, with the nearest row to equal weights in "
    "its place; agents that are wrong on purpose, robust plans and figures are left out."
)


class Streamed(NamedTuple):
    """A world recovered row by row, which rows are proved to be the only ones, and what the run says of itself."""

    kernel: SparseMatrix
    identified: BoolArray
    facts: dict[str, float]


def is_large(n_states: int) -> bool:
    """Tell whether so many states ask for a stream, and numba is there to compile it."""
    return n_states >= LARGE and can_certify()


def stages_of(training: Sequence[str]) -> int:
    """Return how many stages `recover_large` has."""
    return 2 * len(training) + 1


def recover_large(
    folder: RunFolder, experiment: Experiment, training: Sequence[str], tell: Callable[[], None]
) -> tuple[dict[str, Streamed], Arrays]:
    """Solve each training task, recover the world from its values, and plan for the unseen tasks in it.

    Parameters
    ----------
    folder : RunFolder
        Where stages are kept; rows are written below its ``data``, block by block, and go on after an interruption.
    experiment : Experiment
        The world.
    training : sequence of str
        What agents were trained for.
    tell : callable
        Called after each stage.
    """
    streamed = {}
    for task in training:
        solved = folder.stage(f"agent-{task}", partial(solve_task, experiment, task))
        tell()
        streamed[task] = _rows(folder, experiment, task, solved)
        tell()
    kernels = {"true": sparse_rows(experiment.world.rows)} | {task: one.kernel for task, one in streamed.items()}
    unseen = folder.stage("unseen", lambda: plan_unseen(experiment, kernels))
    tell()
    return streamed, unseen


def _rows(folder: RunFolder, experiment: Experiment, task: str, solved: Arrays) -> Streamed:
    known, goals = experiment.known_cells, experiment.goals(task)
    place = folder.path / "data" / f"rows-{task}"
    options: dict[str, Any] = {"discount": experiment.world.discount, "decide_rest": False}
    found = invert_stream(solved["q"], goals, known, place, noise=solved["errors"], **options)
    identified = np.asarray(found.status == Status.IDENTIFIED)
    facts = {
        f"share of rows identified, {task} goals": float(identified.mean()),
        f"seconds for the rows in this run, {task} goals": found.seconds,
        f"bytes of values read in this run, {task} goals": float(found.bytes_read),
        f"Bellman residual of the {task} agent": float(solved["residual"]),
    }
    return Streamed(found.kernel(known.support), identified, facts)
