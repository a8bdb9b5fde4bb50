"""``tabular-inversion verify``: the main job on public environments, then every statement, in two tables."""

from __future__ import annotations

import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from proofs_checks import statements
from proofs_checks.statement import Effort, run_statement
from proofs_checks.worlds import CASES, recover_world
from tabular_inversion.cli.console import ANSWERS, MESSAGES, print_json, progress, without_nan
from tabular_inversion.cli.questions import COLOURS, check_choice
from tabular_inversion.errors import SpecificationError

WORLDS = "worlds"
"""The name that selects the table of environments."""


def run(ids: list[str], *, effort: str, seed: int, json_file: Path | None) -> int:
    """Run what `ids` names (everything if empty), print it, and return the exit status: 1 if something failed."""
    check_choice("effort", effort, Effort)
    if json_file is not None and str(json_file) != "-" and not json_file.absolute().parent.is_dir():
        raise SpecificationError(f"cannot write {json_file}: its folder does not exist; create it first.")
    report = collect(ids, effort=effort, seed=seed)  # type: ignore[arg-type]
    if json_file is None or str(json_file) != "-":
        show(report)
    if json_file is not None and str(json_file) == "-":
        print_json(report)
    elif json_file is not None:
        json_file.write_text(json.dumps(without_nan(report), indent=2, allow_nan=False) + "\n")
    return 0 if report["summary"]["failed"] == 0 else 1


def collect(ids: list[str], *, effort: Effort, seed: int) -> dict[str, Any]:
    """Return the whole report as plain numbers and texts.

    Parameters
    ----------
    ids : list of str
        Statement ids, and ``"worlds"`` for the environments; everything if empty.
    effort : {"quick", "standard", "full"}
        How many instances each check draws.
    seed : int
        Of every random instance.
    """
    known = {statement.id.lower(): statement for statement in statements()}
    wanted = [text.lower() for text in ids] or [WORLDS, *known]
    unknown = [text for text in wanted if text not in {WORLDS, *known}]
    if unknown:
        options = ", ".join([WORLDS, *(statement.id for statement in known.values())])
        raise SpecificationError(f"unknown statement {unknown[0]!r}; expected one of {options}.")
    start = time.perf_counter()
    cases = CASES if WORLDS in wanted else ()
    chosen = [known[text] for text in wanted if text != WORLDS]
    worlds: list[dict[str, Any]] = []
    checked: list[dict[str, Any]] = []
    total = len(cases) + sum(len(statement.checks) for statement in chosen)
    with progress("verifying") as advance:
        for case in cases:
            worlds.append(recover_world(case))
            advance(len(worlds), total)
        done = len(worlds)

        def tick() -> None:
            nonlocal done
            done += 1
            advance(done, total)

        for statement in chosen:
            checked += [run_statement(statement, effort=effort, seed=seed, progress=tick)]
    held = sum(row["held"] for row in checked)
    failed = len(checked) - held + sum(not row["held"] for row in worlds)
    return {
        "summary": {"statements": len(checked), "held": held, "failed": failed, "worlds": len(worlds)},
        "statements": checked,
        "worlds": worlds,
        "effort": effort,
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "versions": {name: version(name) for name in ("tabular-inversion", "numpy", "scipy", "python-flint")}
        | {"python": platform.python_version()},
    }


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
    for statement in report["statements"]:
        for check in statement["evidence"]:
            for failure in check["failures"]:
                MESSAGES.print(f"{statement['id']}, {check['level']}: {failure}", style="red", markup=False)


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
    table = Table(title="Statements checked", box=SIMPLE_HEAD)
    for name in ("id", "statement", "level", "instances", "worst", "held", "seconds", "counterexamples"):
        table.add_column(
            name, justify="right" if name in {"instances", "worst", "seconds"} else "left", no_wrap=name != "statement"
        )
    for row in rows:
        shown = sum(c["shown"] for c in row["counterexamples"])
        for i, check in enumerate(row["evidence"]):
            held = "[green]held[/]" if check["held"] else "[bold red]FAILED[/]"
            ending = f"{shown} of {len(row['counterexamples'])} shown" if i == 0 else ""
            head = (row["id"], row["title"]) if i == 0 else ("", "")
            table.add_row(
                *head, check["level"], str(check["instances"]), f"{check['worst']:.0e}" if check["worst"] else "0",
                held, f"{check['seconds']:.1f}", ending,
            )  # fmt: skip
    return table
