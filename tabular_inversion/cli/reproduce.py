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

from tabular_inversion.cli.console import ANSWERS, MESSAGES, cells, print_json, progress, say
from tabular_inversion.cli.names import EFFORTS, EXPERIMENTS, GRIDS
from tabular_inversion.errors import MissingDependencyError, SpecificationError


def run(
    name: str, *, out: Path | None, effort: str | None, seed: int, points: int | None = None, as_json: bool = False
) -> int:
    """Run an experiment, print its numbers beside the published ones, and return the exit status.

    Raises
    ------
    SpecificationError
        If the experiment or the effort is unknown, grid points are given to an experiment without a grid, or beside
        an effort, which is a number of grid points too.
    MissingDependencyError
        If there is nothing to draw or to write the report with.
    """
    for what, value, known in (("experiment", name, (*EXPERIMENTS,)), ("effort", effort, (None, *EFFORTS))):
        if value not in known:
            raise SpecificationError(f"unknown {what} {value!r}; expected one of {', '.join(filter(None, known))}.")
    if points is not None and name not in GRIDS:
        raise SpecificationError(f"{name} has no grid, and --points is {points}; leave it out.")
    if points is not None and effort is not None:
        raise SpecificationError(f"--points is {points} and --effort {effort}, which is a number of points; drop one.")
    # Asked for first, so that a missing extra does not cost a whole run.
    for library, extra in (("matplotlib", "plot"), ("jinja2", "report")):
        if find_spec(library) is None:
            raise MissingDependencyError.of("figures and reports need", library, extra)
    module = import_module(f"tabular_inversion.experiments.{EXPERIMENTS[name]}")
    experiment: Callable[..., Any] = module.reproduce
    with progress(name) as advance:
        size: dict[str, Any] = {"effort": effort or EFFORTS[0]} if points is None else {"points": points}
        place = out or Path(f"{name}-{effort or EFFORTS[0] if points is None else points}")
        folder = experiment(place, seed=seed, progress=advance, **size)
    results = json.loads((folder.path / "results.json").read_text(encoding="utf-8"))
    print_json(results | {"folder": str(folder.path)}) if as_json else show(results, folder.path)
    return 0


def show(results: dict[str, Any], path: Path) -> None:
    """Print the table of a finished run."""
    table = Table(box=SIMPLE_HEAD, title=f"{results['experiment']}: published and ours")
    table.add_column("what", overflow="fold")
    for heading in ("published", "ours", "spread"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in results["comparisons"]:
        table.add_row(*cells(row["what"], *(_number(row[key]) for key in ("published", "ours", "spread"))))
    ANSWERS.print(table)
    seconds, memory = results["seconds"]["this run"], results["peak_memory_bytes"] / 2**30
    say(f"{seconds:.0f} s, at most {memory:.2f} GiB in one process; more in {path / 'report.html'}")
    for line in results["differences"]:
        MESSAGES.print(f"- {line}", style="dim", markup=False, highlight=False, emoji=False, soft_wrap=True)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
