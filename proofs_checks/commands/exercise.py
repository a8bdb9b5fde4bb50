"""What ``exercise`` does: answers from the laboratory are marked by the predicates of the statements."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

from rich.table import Table

from proofs_checks.marking import Handed, leaderboard, mark_files
from tabular_inversion.cli.console import ANSWERS, cells, say
from tabular_inversion.errors import SpecificationError

COLUMNS = ("file", "name", "statement", "drops", "accepted", "off", "fails", "reason")


def answer(statement_id: str | None, places: list[Path], ranked: Path | None) -> dict[str, Any]:
    """Mark files and folders; with `ranked` a folder whose accepted answers are put in order."""
    if ranked is not None:
        if places:
            raise SpecificationError(f"--leaderboard reads the answers in {ranked}; give no other files.")
        marked = mark_files([ranked], statement_id)
        return _summary(marked) | {"leaderboard": [one.to_dict() for one in leaderboard(marked)]}
    if statement_id is None or not places:
        raise SpecificationError("give a statement and its answers, as in `tabular-inversion exercise X1 answer.json`.")
    return _summary(mark_files(places, statement_id))


def _summary(marked: list[Handed]) -> dict[str, Any]:
    accepted = sum(one.mark is not None and one.mark.accepted for one in marked)
    malformed = sum(one.mark is None for one in marked)
    return {
        "summary": {"answers": len(marked), "accepted": accepted, "malformed": malformed},
        "answers": [one.to_dict() for one in marked],
    }


def status(found: dict[str, Any]) -> int:
    """Return 0 if all answers were accepted, 1 if some were not, and 2 if some could not be read."""
    summary = found["summary"]
    if summary["malformed"]:
        return 2
    return int("leaderboard" not in found and summary["accepted"] < summary["answers"])


def show(found: dict[str, Any]) -> None:
    """Print a table, and a line for each file that could not be read."""
    ranked = found.get("leaderboard")
    table = Table(show_edge=False)
    if ranked is None:
        for title in ("answer", "name", "accepted", "lamps that are off", "verdict"):
            table.add_column(title, overflow="fold")
        for one in found["answers"]:
            if one["mark"] is not None:
                mark = one["mark"]
                table.add_row(*cells(Path(one["file"]).name, one["name"], "yes" if mark["accepted"] else "no",
                                     "; ".join(mark["off"]) or "none", _verdict(mark)))  # fmt: skip
    else:
        for title in ("statement", "without", "name", "states", "rows", "goals", "letters"):
            table.add_column(title, overflow="fold")
        for one in ranked:
            mark = one["mark"]
            name = one["name"] or Path(one["file"]).name
            table.add_row(*cells(mark["statement"], mark["off"][0], name, *mark["size"]))
    if table.row_count:
        ANSWERS.print(table)
    for one in found["answers"]:
        if one["problem"] is not None:
            say((Path(one["file"]).name, "bold red"), f": {one['problem']}")
    summary = found["summary"]
    say(f"{summary['accepted']} of {summary['answers']} accepted, {summary['malformed']} malformed")


def _verdict(mark: dict[str, Any]) -> str:
    return mark["reason"] if mark["accepted"] else f"{mark['reason']}; {mark['conclusion']}"


def print_csv(found: dict[str, Any]) -> None:
    """Print a line for each file, for a spreadsheet; what is malformed has its problem as the reason."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in found["answers"]:
        mark = one["mark"] or {
            "statement": "",
            "drops": "",
            "accepted": False,
            "off": (),
            "fails": "",
            "reason": one["problem"],
        }
        values = {"file": one["file"], "name": one["name"]} | {key: mark[key] for key in COLUMNS[2:]}
        writer.writerow([_plain("; ".join(v) if isinstance(v, tuple | list) else str(v)) for v in values.values()])


def _plain(text: str) -> str:
    """Keep a spreadsheet from reading somebody's name as a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t"} else text
