"""What ``identify`` does between reading the texts and printing the answer."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tabular_inversion.cli.cases import Question, prepare, prepare_exactly
from tabular_inversion.cli.console import ANSWERS, COLOURS, cells, check_choice, say
from tabular_inversion.errors import SpecificationError
from tabular_inversion.identifiability import Scope
from tabular_inversion.identifiability import identify as decide

_SHOWN = 20


def answer(question: Question, *, scope: str, noise: float, exactly: bool) -> dict[str, Any]:
    """Answer ``tabular-inversion identify``; the verdict is re-checked before it is shown."""
    chosen: Scope = check_choice("scope", scope, Scope)
    if exactly:
        if noise:
            raise SpecificationError(f"--noise is {noise:g}, and --exact takes the values as they are; drop one.")
        case = prepare_exactly(question)
        verdict = decide(case.agent, case.kernel_class, scope=chosen)
    else:
        case = prepare(question)  # type: ignore[assignment]
        verdict = decide(case.agent, case.kernel_class, scope=chosen, noise=noise)
    verdict.verify()
    return verdict.to_dict() | {"policy": case.policy}


def show(found: dict[str, Any]) -> None:
    """Print a verdict for people."""
    colour = COLOURS[found["status"]]
    say((found["status"], f"bold {colour}"), f" ({found['evidence']} evidence, {found['scope']} scope)")
    say(found["reason"])
    say(
        f"{found['rows_identified']} of {found['rows']} rows identified; rank {found['rank']} of "
        f"{found['n_states']}; {found['n_goals']} goals, policy {found['policy']}; class {found['class']}"
    )
    show_witness(found["witness"])


def show_witness(witness: dict[str, Any] | None) -> None:
    """Print the two rows of a witness side by side."""
    if witness is None:
        return
    table = Table(title=f"two rows with the same values: state {witness['state']}, action {witness['action']}")
    for column in ("next state", "first", "second"):
        table.add_column(column, justify="right")
    states = sorted({*witness["first"], *witness["second"]}, key=int)
    for state in states[:_SHOWN]:
        entries = (witness[row].get(state, 0) for row in ("first", "second"))
        table.add_row(*cells(state, *(entry if isinstance(entry, str) else f"{entry:.6g}" for entry in entries)))
    if len(states) > _SHOWN:
        table.caption = f"and {len(states) - _SHOWN} more next states; --json lists them all"
    ANSWERS.print(table)
    say(f"largest difference of their values, relative: {witness['value_gap']:.1e}")
