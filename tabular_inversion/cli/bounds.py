"""What ``bounds`` does between reading the texts and printing the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.table import Table

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.cli.cases import Case, Question, prepare
from tabular_inversion.cli.console import ANSWERS, cells, progress, say
from tabular_inversion.equivalence import ValueEquivalence, value_equivalence

_SHOWN = 12
_LEAST = 1e-9


def sets_of(case: Case[AgentValues], noise: float | str | None, executor: Any = None) -> ValueEquivalence:
    """Return all kernels that a case leaves open."""
    return value_equivalence(case.agent, case.kernel_class, noise=noise, executor=executor)


def answer(question: Question, *, noise: float | str | None, executor: Any = None) -> dict[str, Any]:
    """Answer ``tabular-inversion bounds``: the ends of every probability that may be positive."""
    case = prepare(question)
    sets = sets_of(case, noise, executor)
    with progress("bounding every row") as advance:
        low, high = sets.bounds(executor=executor, progress=advance)
    rows: list[dict[str, Any]] = []
    for row in case.agent.row_index:
        state, action = divmod(int(row), case.agent.n_actions)
        below, above = (np.asarray(end).reshape(-1, case.agent.n_states)[row] for end in (low, high))
        places = np.flatnonzero((above > _LEAST) | (np.abs(below) > _LEAST))
        rows.append(
            {
                "state": case.state(state),
                "action": case.action(action),
                "bounds": {case.state(int(i)): [float(below[i]), float(above[i])] for i in places},
                "width": float((above - below).max()),
            }
        )
    return {
        "class": case.kernel_class.name,
        "n_states": case.agent.n_states,
        "n_goals": case.agent.n_goals,
        "rows": rows,
        "widest": max(row["width"] for row in rows),
    }


def show(found: dict[str, Any]) -> None:
    """Print the widest rows for people."""
    say(f"every probability is known within {found['widest']:.3g}; class {found['class']}, {found['n_goals']} goals")
    table = Table(title="the rows that are known least; --json lists all")
    for column in ("state", "action", "next state: from, to"):
        table.add_column(column)
    widest = sorted(found["rows"], key=lambda row: -row["width"])[:_SHOWN]
    for row in widest:
        ends = sorted(row["bounds"].items(), key=lambda item: -item[1][1])
        told = ", ".join(f"{name}: {low:.3g}, {high:.3g}" for name, (low, high) in ends[:4])
        more = f" and {len(ends) - 4} more" if len(ends) > 4 else ""
        table.add_row(*cells(row["state"], row["action"], told + more))
    ANSWERS.print(table)
