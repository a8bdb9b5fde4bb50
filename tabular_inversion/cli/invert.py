"""What ``invert`` does between reading the texts and printing the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.cli.cases import Case, Question, prepare
from tabular_inversion.cli.console import ANSWERS, COLOURS, cells, progress
from tabular_inversion.cli.files import check_folder
from tabular_inversion.cli.identify import row_status, show_explanation
from tabular_inversion.errors import FileFormatError
from tabular_inversion.identifiability import Status, check_forward
from tabular_inversion.inversion import Inversion
from tabular_inversion.inversion import invert as recover

_SHOWN = (
    "class",
    "rows",
    "rows_identified",
    "rank",
    "condition",
    "max_residual",
    "accuracy",
    "max_error",
    "mse",
    "seconds",
)


def check_output(path: Path | None) -> None:
    """Refuse a place where no world can be written, before the work."""
    if path is not None and path.suffix not in {".npz", ".json"}:
        raise FileFormatError(f"{path} ends in {path.suffix!r}; use .npz, or .json for small worlds.")
    check_folder(path)


def answer(
    question: Question, *, noise: float | str | None, executor: Any = None
) -> tuple[dict[str, Any], Callable[[], Any], Inversion]:
    """Answer ``tabular-inversion invert``, say how to draw it, and return what was recovered."""
    case = prepare(question)
    start = time.perf_counter()
    with progress("recovering the kernel") as advance:
        result = recover(case.agent, case.kernel_class, noise=noise, executor=executor, progress=advance)
    seconds = time.perf_counter() - start
    return summarise(case, result, seconds), partial(_draw, case, result), result


def _draw(case: Case[AgentValues], result: Inversion) -> Any:
    """Draw the truth beside what was recovered where it is known, else what was recovered."""
    from tabular_inversion.plotting import plot_kernel, plot_recovery

    if case.truth is not None:
        return plot_recovery(case.truth, result)
    return plot_kernel(result.kernel, result.agent.coordinates).figure


def summarise(case: Case[AgentValues], result: Inversion, seconds: float) -> dict[str, Any]:
    """Return what is known of an inversion as plain numbers; errors are null where the truth is not known."""
    agent, truth = case.agent, case.truth
    verdict = result.verdict.to_dict()
    accuracy = float(result.accuracy[agent.available].max())
    return {
        "status": verdict["status"],
        "evidence": verdict["evidence"],
        "class": case.kernel_class.name,
        "policy": case.policy,
        "n_states": agent.n_states,
        "n_actions": agent.n_actions,
        "n_goals": agent.n_goals,
        "rows": verdict["rows"],
        "rows_identified": verdict["rows_identified"],
        "rank": result.rank,
        "condition": result.condition,
        "max_residual": float(result.residual[agent.available].max()),
        "accuracy": accuracy if np.isfinite(accuracy) else None,
        "max_error": None if truth is None else result.max_error(truth),
        "mse": None if truth is None else result.mse(truth),
        "method": result.method,
        "reason": verdict["reason"],
        "row_status": row_status(result.verdict),
        "explanation": result.verdict.explain(truth).to_dict(),
        "witness": verdict["witness"],
        "witness_gap": witness_gap(case, result),
        "seconds": seconds,
    }


def witness_gap(case: Case[AgentValues], result: Inversion) -> float | None:
    """Replay the witness by the forward code: the largest relative difference of the two kernels' Q-values."""
    if result.verdict.witness is None or result.verdict.status is not Status.NOT_IDENTIFIED:
        return None
    return check_forward(case.agent, result.kernel, result.verdict.witness, case.kernel_class)


def show(found: dict[str, Any]) -> None:
    """Print an inversion for people."""
    table = Table(show_header=False)
    table.add_row("status", f"[bold {COLOURS[found['status']]}]{found['status']}[/]")
    for key in _SHOWN:
        value = found[key]
        text = "unknown" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
        table.add_row(*cells(key.replace("_", " "), text))
    table.add_row(*cells("method", found["method"]))
    ANSWERS.print(table)
    show_explanation(found["explanation"])
