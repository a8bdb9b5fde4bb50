"""What ``identify`` and ``invert`` do between reading the texts and printing the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
from rich.table import Table

from tabular_inversion import exact
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.cli.console import ANSWERS, progress
from tabular_inversion.environments.specification import parse_environment, parse_goals
from tabular_inversion.errors import FileFormatError, SpecificationError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Scope, Status, check_forward
from tabular_inversion.identifiability import identify as decide
from tabular_inversion.interop import exact_kernel
from tabular_inversion.inversion import Inversion
from tabular_inversion.inversion import invert as recover
from tabular_inversion.kernel_classes import KernelClass, parse_kernel_class
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import uniform

COLOURS = {
    Status.IDENTIFIED.name: "green",
    Status.NOT_IDENTIFIED.name: "yellow",
    Status.UNDECIDED.name: "cyan",
    Status.INCONSISTENT.name: "red",
}


@dataclass(frozen=True)
class Question:
    """The texts of a call."""

    environment: str
    goals: str
    kernel_class: str
    policy: str
    discount: Fraction | None


@dataclass(frozen=True)
class Case:
    """An agent to look at, the class to look in, and the truth where it is known."""

    agent: AgentValues
    kernel_class: KernelClass
    truth: MDP | None


def check_choice(name: str, value: str, options: Any) -> Any:
    """Return `value` if it is one of a Literal's words, or raise `SpecificationError`."""
    if value not in get_args(options):
        raise SpecificationError(f"{name} is {value!r}; expected {' or '.join(get_args(options))}.")
    return value


def prepare(question: Question) -> Case:
    """Turn texts into an agent: solve the environment, or load values that someone saved."""
    loaded = _load_values(question.environment)
    if loaded is not None:
        if question.discount is not None and float(question.discount) != loaded.discount:
            raise SpecificationError(
                f"the values in {question.environment} have discount {loaded.discount}; drop --discount."
            )
        return Case(loaded, parse_kernel_class(question.kernel_class), None)
    world, kernel_class, goals = _parse(question)
    if question.policy == "optimal":
        with progress("solving for every goal") as advance:
            agent = solve(world, goals, progress=advance)
    elif question.policy == "uniform":
        agent = evaluate(world, goals, uniform(world.available))
    else:
        raise _unknown_policy(question.policy)
    return Case(agent, kernel_class, world)


def _parse(question: Question) -> tuple[MDP, KernelClass, Goals]:
    discount = None if question.discount is None else float(question.discount)
    world = parse_environment(question.environment, discount=discount).mdp
    return world, parse_kernel_class(question.kernel_class, world), parse_goals(question.goals, world)


def prepare_exactly(question: Question) -> tuple[ExactAgentValues, KernelClass]:
    """Turn texts into an agent in fractions: thirds are thirds, and 0.99 is 99/100."""
    loaded = _load_values(question.environment)
    if loaded is not None:
        return ExactAgentValues.from_float(loaded), parse_kernel_class(question.kernel_class)
    world, kernel_class, goals = _parse(question)
    discount = Fraction(str(world.discount)) if question.discount is None else question.discount
    exact_world = ExactMDP(exact_kernel(world), discount, world.available)
    exact_goals = ExactGoals.from_float(goals)
    if question.policy == "optimal":
        return exact.solve(exact_world, exact_goals), kernel_class
    if question.policy == "uniform":
        counts = world.available.sum(axis=1)
        policy = [[Fraction(int(there), int(count)) for there in row]
                  for row, count in zip(world.available, counts, strict=True)]  # fmt: skip
        return exact.evaluate(exact_world, exact_goals, np.array(policy, dtype=object)), kernel_class
    raise _unknown_policy(question.policy)


def _unknown_policy(policy: str) -> SpecificationError:
    return SpecificationError(f"policy is {policy!r}; expected optimal or uniform.")


def _load_values(text: str) -> AgentValues | None:
    """Read a file of values; None if the text names a world (a file may also hold that)."""
    if Path(text).suffix not in {".npz", ".json"}:
        return None
    try:
        return AgentValues.load(text)
    except FileFormatError as problem:
        if "'mdp'" in str(problem):
            return None
        raise


def identify(question: Question, scope: Scope, *, exactly: bool) -> dict[str, Any]:
    """Answer ``tabular-inversion identify``; the verdict is re-checked before it is shown."""
    if exactly:
        agent, kernel_class = prepare_exactly(question)
        verdict = decide(agent, kernel_class, scope=scope)
    else:
        case = prepare(question)
        verdict = decide(case.agent, case.kernel_class, scope=scope)
    verdict.verify()
    return verdict.to_dict()


def invert(question: Question, *, noise: float, output: Path | None) -> dict[str, Any]:
    """Answer ``tabular-inversion invert``, and write the recovered world where that is asked."""
    case = prepare(question)
    start = time.perf_counter()
    with progress("recovering the kernel") as advance:
        result = recover(case.agent, case.kernel_class, noise=noise, progress=advance)
    seconds = time.perf_counter() - start
    if output is not None:
        result.to_mdp().save(output)
    return summarise(case, result, seconds)


def summarise(case: Case, result: Inversion, seconds: float) -> dict[str, Any]:
    """Return what is known of an inversion as plain numbers; errors are null where the truth is not known."""
    agent, truth = case.agent, case.truth
    verdict = result.verdict.to_dict()
    return {
        "status": verdict["status"],
        "evidence": verdict["evidence"],
        "class": case.kernel_class.name,
        "n_states": agent.n_states,
        "n_actions": agent.n_actions,
        "n_goals": agent.n_goals,
        "rows": verdict["rows"],
        "rows_identified": verdict["rows_identified"],
        "rank": result.rank,
        "condition": result.condition,
        "max_residual": float(result.residual[agent.available].max()),
        "max_error": None if truth is None else result.max_error(truth),
        "mse": None if truth is None else result.mse(truth),
        "method": result.method,
        "reason": verdict["reason"],
        "witness": verdict["witness"],
        "witness_gap": witness_gap(case, result),
        "seconds": seconds,
    }


def witness_gap(case: Case, result: Inversion) -> float | None:
    """Replay the witness by the forward code: the largest relative difference of the two kernels' Q-values."""
    if result.verdict.witness is None or result.verdict.status is not Status.NOT_IDENTIFIED:
        return None
    return check_forward(case.agent, result.kernel, result.verdict.witness, case.kernel_class)


def show_verdict(answer: dict[str, Any]) -> None:
    """Print a verdict for people."""
    colour = COLOURS[answer["status"]]
    ANSWERS.print(f"[bold {colour}]{answer['status']}[/] ({answer['evidence']} evidence, {answer['scope']} scope)")
    ANSWERS.print(answer["reason"], highlight=False)
    ANSWERS.print(
        f"{answer['rows_identified']} of {answer['rows']} rows identified; rank {answer['rank']} of "
        f"{answer['n_states']}; {answer['n_goals']} goals; class {answer['class']}",
        highlight=False,
    )
    show_witness(answer["witness"])


def show_witness(witness: dict[str, Any] | None) -> None:
    """Print the two rows of a witness side by side."""
    if witness is None:
        return
    table = Table(title=f"two rows with the same values: state {witness['state']}, action {witness['action']}")
    for column in ("next state", "first", "second"):
        table.add_column(column, justify="right")
    states = sorted({*witness["first"], *witness["second"]}, key=int)
    for state in states[:20]:
        entries = (witness[row].get(state, 0) for row in ("first", "second"))
        table.add_row(state, *(entry if isinstance(entry, str) else f"{entry:.6g}" for entry in entries))
    if len(states) > 20:
        table.caption = f"and {len(states) - 20} more next states; --json lists them all"
    ANSWERS.print(table)
    ANSWERS.print(f"largest difference of their values, relative: {witness['value_gap']:.1e}", highlight=False)


def show_inversion(answer: dict[str, Any]) -> None:
    """Print an inversion for people."""
    colour = COLOURS[answer["status"]]
    table = Table(show_header=False)
    table.add_row("status", f"[bold {colour}]{answer['status']}[/]")
    for key in ("class", "rows", "rows_identified", "rank", "condition", "max_residual", "max_error", "mse", "seconds"):
        value = answer[key]
        text = "unknown" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
        table.add_row(key.replace("_", " "), text)
    table.add_row("method", answer["method"])
    ANSWERS.print(table)
    ANSWERS.print(answer["reason"], highlight=False)
    show_witness(answer["witness"])
