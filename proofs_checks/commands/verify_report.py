"""``tabular-inversion verify``: the main job on public environments, then every statement, in two tables."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.table import Table

from proofs_checks import statements
from proofs_checks.conjecture import load_statements
from proofs_checks.formal_level import formal_evidence, why_not_run
from proofs_checks.running import assemble, jobs_of, run_job
from proofs_checks.statement import LEVELS, Effort, Statement
from proofs_checks.worlds import CASES, WorldCase, recover_world
from tabular_inversion.cli.console import ANSWERS, COLOURS, MESSAGES, as_json, check_choice, print_json
from tabular_inversion.cli.files import check_folder, save_text
from tabular_inversion.errors import InputError, SpecificationError
from tabular_inversion.parallel import Task, run_tasks, usable_cores

WORLDS = "worlds"
"""The name that selects the table of environments."""


@dataclass(frozen=True)
class Request:
    """What `verify` was asked for.

    Attributes
    ----------
    ids : tuple of str
        Statement ids, and ``"worlds"`` for the environments; everything if empty. A text that ends in ``.py`` is a file
        of the user's own sentences, all of which are meant.
    effort : {"quick", "standard", "full"}
        How much each check does.
    seed : int
        Of every random instance.
    workers : int, optional
        How many processes; as many as there are cores when omitted.
    """

    ids: tuple[str, ...] = ()
    effort: Effort = "quick"
    seed: int = 0
    workers: int | None = None

    def __post_init__(self) -> None:
        check_choice("effort", self.effort, Effort)
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; expected an integer of at least 0.")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"workers is {self.workers}; expected an integer of at least 1.")

    def chosen(self) -> tuple[tuple[WorldCase, ...], tuple[tuple[Statement, str | None], ...]]:
        """Return the environments and the statements that are meant, in the order of the theory; each with its file."""
        known = {statement.id.lower(): statement for statement in statements()}
        files = [text for text in self.ids if text.lower().endswith(".py")]
        names = [text for text in self.ids if text not in files]
        wanted = {text.lower() for text in names} or (set() if files else {WORLDS, *known})
        unknown = [text for text in names if text.lower() not in {WORLDS, *known}]
        if unknown:
            options = ", ".join([WORLDS, *(statement.id for statement in known.values())])
            raise SpecificationError(
                f"unknown statement {unknown[0]!r}; expected one of {options}, or a file that ends in .py."
            )
        own = [(statement, file) for file in dict.fromkeys(files) for statement in load_statements(file)]
        taken = list(known) + [statement.id.lower() for statement, _ in own]
        twice = [statement.id for statement, _ in own if taken.count(statement.id.lower()) > 1]
        if twice:
            raise SpecificationError(f"two statements are called {twice[0]!r}; rename yours.")
        chosen = [(known[name], None) for name in known if name in wanted]
        return CASES if WORLDS in wanted else (), (*chosen, *own)


def run(request: Request, *, json_file: Path | None, html_file: Path | None) -> int:
    """Run what is asked for, print or write it, and return the exit status: 1 if something failed."""
    if str(json_file).lower() in {WORLDS, *(statement.id.lower() for statement in statements())}:
        raise SpecificationError(
            f"--json {json_file} would write a file called {json_file}; put the statement before --json."
        )
    on_screen = json_file is not None and str(json_file) == "-"
    if not on_screen:
        check_folder(json_file)
    check_folder(html_file)
    if html_file is not None:
        # Asked for first, so that a missing extra does not cost a whole run.
        from proofs_checks.page import render
    report = collect(request)
    if on_screen:
        print_json(report)
    else:
        show(report)
    if json_file is not None and not on_screen:
        save_text(as_json(report), json_file)
    if html_file is not None:
        save_text(render(report), html_file)
    return 0 if report["summary"]["failed"] == 0 else 1


def collect(request: Request) -> dict[str, Any]:
    """Return the whole report as plain numbers and texts."""
    start = time.perf_counter()
    cases, wanted = request.chosen()
    chosen = [statement for statement, _ in wanted]
    jobs = [job for statement, file in wanted for job in jobs_of(statement, request.effort, request.seed, file)]
    tasks: list[Task] = [*((recover_world, case) for case in cases), *((run_job, job) for job in jobs)]
    owners = [WORLDS] * len(cases) + [job.statement_id for job in jobs]
    workers = min(request.workers or usable_cores(), max(1, len(tasks)))
    with _live_table(owners) as note:
        results = run_tasks(tasks, workers=workers, progress=note)
    worlds = results[: len(cases)]
    done = list(zip(jobs, results[len(cases) :], strict=True))
    formal = formal_evidence([statement.id for statement in chosen], request.effort, workers=workers)
    checked = [assemble(statement, done, request.effort, formal) for statement in chosen]
    held = sum(row["held"] for row in checked)
    failed = len(checked) - held + sum(not row["held"] for row in worlds)
    return {
        "summary": {"statements": len(checked), "held": held, "failed": failed, "worlds": len(worlds)},
        "statements": checked,
        "worlds": worlds,
        "effort": request.effort,
        "seed": request.seed,
        "workers": workers,
        "seconds": time.perf_counter() - start,
        "versions": {name: version(name) for name in ("tabular-inversion", "numpy", "scipy", "sympy", "python-flint")}
        | {"python": platform.python_version()},
    }


@contextmanager
def _live_table(owners: list[str]) -> Iterator[Callable[[int, Any], None]]:
    """Show on a terminal, while things run, how far each statement is; yields ``note(place, result)``."""
    done = dict.fromkeys(owners, 0)
    failed = dict.fromkeys(owners, 0)

    def table() -> Table:
        shown = Table(title="verifying", box=SIMPLE_HEAD, pad_edge=False)
        for name in ("id", "done", "failed"):
            shown.add_column(name, justify="left" if name == "id" else "right")
        for owner in done:
            total = owners.count(owner)
            style = "red" if failed[owner] else "green" if done[owner] == total else "dim" if not done[owner] else None
            shown.add_row(owner, f"{done[owner]}/{total}", str(failed[owner]), style=style)
        return shown

    if not MESSAGES.is_terminal:
        yield lambda _place, _result: None
        return
    with Live(table(), console=MESSAGES, transient=True) as live:

        def note(place: int, result: dict[str, Any]) -> None:
            done[owners[place]] += 1
            failed[owners[place]] += not all(result[key] for key in ("held", "shown", "caught") if key in result)
            live.update(table())

        yield note


def show(report: dict[str, Any]) -> None:
    """Print the report for people."""
    if report["worlds"]:
        ANSWERS.print(_worlds_table(report["worlds"]))
    if report["statements"]:
        ANSWERS.print(_statements_table(report["statements"]))
    summary = report["summary"]
    colour = "green" if summary["failed"] == 0 else "red"
    ANSWERS.print(
        f"[bold {colour}]{summary['failed']} failed[/]: {summary['worlds']} recoveries and {summary['statements']} "
        f"statements checked in {report['seconds']:.0f} s (effort {report['effort']}, seed {report['seed']})"
    )
    reason = why_not_run(report["effort"])
    if report["statements"] and reason is not None:
        ANSWERS.print(f"Level formal, theorems that Coq accepts: {reason}.", style="dim", highlight=False)
    for statement in report["statements"]:
        for failure in failures_of(statement):
            MESSAGES.print(
                f"{statement['id']}, {failure}", style="red", markup=False, highlight=False, emoji=False, soft_wrap=True
            )


def failures_of(statement: dict[str, Any]) -> list[str]:
    """Return a line for everything in a statement's report that did not go as it should."""
    lines = [f"{check['level']}: {line}" for check in statement["evidence"] for line in check["failures"]]
    lines += [f"{c['level']}: {c['title']}: no instances" for c in statement["evidence"] if not c["instances"]]
    lines += [f"counterexample not shown: {c['text']}" for c in statement["counterexamples"] if not c["shown"]]
    return lines + [f"wrong variant not caught: {m['changes']}" for m in statement["mutations"] if not m["caught"]]


def _worlds_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(
        title="Worlds recovered from Q-values alone",
        caption="max error: against the true kernel, which the inversion never saw. "
        "Not identified: the witness, two kernels, was solved again; its gap is how far their Q-values differ.",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("environment, goals", overflow="fold", min_width=28)
    for name in ("|S|", "|A|", "|G|", "class", "status", "rank", "condition", "max error", "s"):
        table.add_column(name, justify="left" if name in {"class", "status"} else "right", no_wrap=True)
    for row in rows:
        colour = COLOURS[row["status"]] if row["held"] else "red"
        status = row["status"] if row["held"] else f"{row['status']} (expected {row['expected']})"
        if row["witness_gap"] is not None:
            status = f"{status}\nwitness gap {row['witness_gap']:.0e}"
        table.add_row(
            f"{row['environment']}\n  {row['goals']}", str(row["n_states"]), str(row["n_actions"]), str(row["n_goals"]),
            row["class"], f"[{colour}]{status}[/]", str(row["rank"]), f"{row['condition']:.1e}",
            f"{row['max_error']:.1e}", f"{row['seconds']:.1f}",
        )  # fmt: skip
    return table


def _statements_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(
        title="Statements checked",
        caption="Evidence by level, with numbers of instances. Without: counterexamples shown when a hypothesis is "
        "dropped. Wrong: mutated statements that their checks refuted.",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("id")
    table.add_column("statement", overflow="fold", ratio=1)
    for level in LEVELS:
        table.add_column(level, justify="right")
    for name in ("without", "wrong", "s"):
        table.add_column(name, justify="right")
    for row in rows:
        cells = [_level_cell(level, row) for level in LEVELS]
        examples, mutations = row["counterexamples"], row["mutations"]
        seconds = sum(part["seconds"] for part in (*row["evidence"], *examples, *mutations))
        table.add_row(
            row["id"], row["title"], *cells,
            _share(sum(c["shown"] for c in examples), len(examples)),
            _share(sum(m["caught"] for m in mutations), len(mutations)), f"{seconds:.1f}",
        )  # fmt: skip
    return table


def _level_cell(level: str, row: dict[str, Any]) -> str:
    checks = [check for check in row["evidence"] if check["level"] == level]
    if not checks:
        waiting = level == "formal" and level not in row["open_levels"]
        return "[dim]not run[/]" if waiting else "[dim]open[/]"
    count = sum(check["instances"] for check in checks)
    return f"[green]{count}[/]" if all(check["held"] for check in checks) else f"[bold red]FAILED {count}[/]"


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}" if part == whole else f"[bold red]{part}/{whole}[/]"
