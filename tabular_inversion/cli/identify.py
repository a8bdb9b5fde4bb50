"""What ``identify`` does between reading the texts and printing the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tabular_inversion.cli.cases import Case, Question, prepare, prepare_exactly
from tabular_inversion.cli.console import COLOURS, check_choice, progress, say
from tabular_inversion.diagnosis import diagnose
from tabular_inversion.errors import SpecificationError
from tabular_inversion.identifiability import Scope, Status, Verdict
from tabular_inversion.identifiability import identify as decide
from tabular_inversion.mdp import MDP


def answer(
    question: Question, scope: str, noise: float | str | None, exactly: bool, executor: Any = None
) -> tuple[dict[str, Any], Callable[[], Any], Verdict]:
    """Answer ``tabular-inversion identify``, and say how to draw it; the verdict is re-checked before it is shown."""
    chosen: Scope = check_choice("scope", scope, Scope)
    if exactly:
        if noise:
            raise SpecificationError(f"--noise is {noise}, and --exact takes the values as they are; drop one.")
        if executor is not None:
            raise SpecificationError("--exact decides in one process; leave out --workers and --cluster.")
        case: Case[Any] = prepare_exactly(question)
        verdict = decide(case.agent, case.kernel_class, scope=chosen)
    else:
        case = prepare(question)
        with progress("deciding every row") as advance:
            # A callback alone would cut the rows by the clock: without helpers the bar only shows the time.
            told = None if executor is None else advance
            verdict = decide(case.agent, case.kernel_class, scope=chosen, noise=noise, executor=executor, progress=told)
    verdict.verify()
    line = None
    if verdict.status is Status.INCONSISTENT and not exactly:
        line = diagnose(case.agent, case.kernel_class, noise=noise).line
    found = verdict.to_dict() | {
        "policy": case.policy,
        "row_status": row_status(verdict),
        "explanation": verdict.explain(case.truth).to_dict(),
        "diagnosis": line,
    }
    return found, partial(_draw, verdict, case.truth), verdict


def row_status(verdict: Verdict) -> list[list[str | None]]:
    """Return the status of every row by state and action; null where the action is unavailable."""
    names = {int(status): status.name for status in Status}
    return [[names.get(int(code)) for code in row] for row in verdict.row_status]


def _draw(verdict: Verdict, world: MDP | None) -> Any:
    from tabular_inversion.plotting import plot_witness

    if verdict.witness is None:
        raise SpecificationError(f"the verdict is {verdict.status.name}: there are no two worlds to draw; drop --plot.")
    return plot_witness(verdict, world)


def show(found: dict[str, Any]) -> None:
    """Print a verdict for people."""
    told = found["explanation"]
    status, rest = told["headline"].split(" ", 1)
    say((status, f"bold {COLOURS[found['status']]}"), f" {rest}; policy {found['policy']}")
    if found["diagnosis"] is not None:
        told = told | {"next": [f"diagnosis: {found['diagnosis']}", *told["next"]]}
    show_explanation(told)


def show_explanation(told: dict[str, Any]) -> None:
    """Print why, the story of two worlds, and what to do next."""
    for title, key in (("because", "because"), ("two worlds, one agent", "story"), ("what next", "next")):
        if told[key]:
            say((f"{title}:", "bold"))
        for line in told[key]:
            say(f"  {line}")
