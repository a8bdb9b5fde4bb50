"""``tabular-inversion reproduce``: a published experiment, its numbers beside ours, and a folder with everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tabular_inversion.cli.console import ANSWERS, MESSAGES, progress
from tabular_inversion.errors import MissingDependencyError, SpecificationError

EXPERIMENTS = {
    "fourrooms": "four_rooms",
    "mountaincar": "mountain_car",
    "reacher": "reacher",
    "errors": "error_study",
}
"""Modules of `tabular_inversion.experiments`, loaded when they are asked for, each with a function `reproduce`."""

GRIDS = ("mountaincar", "reacher")
"""Experiments whose grids may have another number of points."""

EFFORTS = ("quick", "standard", "full")


def run(name: str, *, out: Path | None, effort: str, seed: int, points: int | None = None) -> int:
    """Run an experiment, print its numbers beside the published ones, and return the exit status.

    Raises
    ------
    SpecificationError
        If the experiment or the effort is unknown, or grid points are given to an experiment without a grid.
    MissingDependencyError
        If there is nothing to draw or to write the report with.
    """
    for what, value, known in (("experiment", name, (*EXPERIMENTS,)), ("effort", effort, EFFORTS)):
        if value not in known:
            raise SpecificationError(f"unknown {what} {value!r}; expected one of {', '.join(known)}.")
    if points is not None and name not in GRIDS:
        raise SpecificationError(f"{name} has no grid, and --points is {points}; leave it out.")
    # Asked for first, so that a missing extra does not cost a whole run.
    for library, extra in (("matplotlib", "plot"), ("jinja2", "report")):
        if find_spec(library) is None:
            raise MissingDependencyError(
                f"figures and reports need {library}, which is not installed; pip install 'tabular-inversion[{extra}]'."
            )
    module = import_module(f"tabular_inversion.experiments.{EXPERIMENTS[name]}")
    experiment: Callable[..., Any] = module.reproduce
    with progress(name) as advance:
        size = {} if points is None else {"points": points}
        place = out or Path(f"{name}-{effort if points is None else points}")
        folder = experiment(place, effort=effort, seed=seed, progress=advance, **size)
    show(folder.path)
    return 0


def show(path: Path) -> None:
    """Print the table of a finished run."""
    results = json.loads((path / "results.json").read_text(encoding="utf-8"))
    table = Table(box=SIMPLE_HEAD, title=f"{results['experiment']}: published and ours")
    table.add_column("what", overflow="fold")
    for heading in ("published", "ours", "spread"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in results["comparisons"]:
        table.add_row(row["what"], *(_number(row[key]) for key in ("published", "ours", "spread")))
    ANSWERS.print(table)
    seconds, memory = results["seconds"]["this run"], results["peak_memory_bytes"] / 2**30
    ANSWERS.print(
        f"{seconds:.0f} s, at most {memory:.2f} GiB in one process; more in {path / 'report.html'}", soft_wrap=True
    )
    for line in results["differences"]:
        MESSAGES.print(f"- {line}", style="dim", markup=False, highlight=False, soft_wrap=True)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
