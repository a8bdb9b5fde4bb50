"""What ``diagnose`` does between reading the texts and printing the answer."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tabular_inversion.cli.cases import Question, prepare
from tabular_inversion.cli.console import ANSWERS, cells, say
from tabular_inversion.diagnosis import diagnose


def answer(question: Question, *, noise: float | str | None) -> dict[str, Any]:
    """Answer ``tabular-inversion diagnose``."""
    case = prepare(question)
    return diagnose(case.agent, case.kernel_class, noise=noise).to_dict()


def show(found: dict[str, Any]) -> None:
    """Print a diagnosis for people: the best line, and each explanation with what it leaves."""
    say((found["line"], "bold"))
    if found["doubt"] is not None:
        say(found["doubt"])
    table = Table(title="explanations, by what they leave of |M p - Q|")
    for column, justify in (("residual", "right"), ("explanation", "left"), ("the call to make", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for each in found["explanations"]:
        left = "-" if each["residual"] is None else f"{each['residual']:.2g}"
        table.add_row(*cells(left, f"{each['name']}: {each['text']}", each["change"] if each["fits"] else ""))
    ANSWERS.print(table)
