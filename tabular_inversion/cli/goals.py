"""What ``goals`` does between reading the texts and printing the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.table import Table

from tabular_inversion import exact
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import ENOUGH_GOALS
from tabular_inversion.cli.cases import (
    Question,
    check_same,
    check_size,
    exact_agent,
    exact_uniform,
    kernel_class_of,
    load_values,
    policy_word,
    read_goals,
    read_world,
)
from tabular_inversion.cli.console import ANSWERS, COLOURS, Policy, cells, check_choice, say
from tabular_inversion.environments.specification import select_goals
from tabular_inversion.errors import KernelClassError, SpecificationError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Status, Verdict
from tabular_inversion.identifiability import identify as decide
from tabular_inversion.kernel_classes import (
    KernelClass,
)
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency import Comparison, InsufficientGoalsError, MinimalGoals, assess, compare
from tabular_inversion.sufficiency import minimal as minimal_of
from tabular_inversion.sufficiency.question import (
    LIMIT_DENOMINATOR,
    is_normalised,
    read_exact_world,
    stands_for_fractions,
)
from tabular_inversion.sufficiency.smallest.exact_agents import NORMALISED, in_fractions
from tabular_inversion.sufficiency.smallest.minimal import smallest

Rewards = Literal["indicator", "generic"]
_SHOWN = 12


@dataclass(frozen=True)
class GoalsQuestion:
    """The texts of a call."""

    environment: str
    goals: str | None
    kernel_class: str
    rewards: str | None
    policy: str | None
    discount: Fraction | None
    seconds: float


@dataclass(frozen=True)
class Case:
    """A world, every goal that is looked at, those that are there already, and what each is called.

    The agent of all goals is in fractions, or None where those would be too long.
    """

    world: MDP | None
    candidates: Goals
    policy: str
    discount: Fraction
    agent: ExactAgentValues | None
    kernel_class: KernelClass
    given: tuple[int, ...]
    names: tuple[str, ...]
    states: tuple[int | None, ...]

    def name_of(self, state: int) -> str:
        """Return what a state is called."""
        return str(state) if self.world is None else self.world.state_name(state)

    @property
    def place(self) -> MDP:
        """The world, which values in a file come without; raises `SpecificationError`."""
        if self.world is None:
            raise SpecificationError("values in a file come without their world; name a world to draw or to assess.")
        return self.world


def answer(
    question: GoalsQuestion, announce: Callable[[dict[str, Any]], None] | None = None, *, drawn: bool = False
) -> tuple[dict[str, Any], Callable[[], Any], MinimalGoals | Verdict | None]:
    """Answer ``tabular-inversion goals``, say how to draw it, and what proves it; all is re-checked before.

    Parameters
    ----------
    question : GoalsQuestion
        The texts of the call.
    announce : callable, optional
        Is given the verdict before the search for a smallest set begins.
    drawn : bool
        Whether the answer will be drawn: what has no world is refused first.
    """
    start = time.perf_counter()
    if not question.seconds >= 0:
        raise SpecificationError(f"--seconds is {question.seconds:g}; expected at least 0.")
    case = _prepare(question)
    if drawn:
        _ = case.place
    judged = case.given or tuple(range(case.candidates.n_goals))
    verdict, judgement, row_status = _judged(case, judged, question)
    if announce is not None:
        announce({**judgement, "policy": case.policy})
    minimal, reason = _smallest(case, question.seconds - (time.perf_counter() - start))
    if verdict is not None:
        judgement = _judgement(verdict, minimal)
    known = judgement["status"] == Status.IDENTIFIED.name
    unknown = np.flatnonzero((row_status > Status.IDENTIFIED).any(axis=1) & (not known))
    found = {
        "environment": question.environment,
        "rewards": question.rewards or ("indicator" if case.world is not None else "the agent's"),
        "policy": case.policy,
        "discount": str(case.discount),
        "goals": [case.names[goal] for goal in judged],
        **judgement,
        "unknown_states": [case.name_of(int(state)) for state in unknown],
        "minimal": None if minimal is None else _summary(minimal, case),
        "no_minimal_because": reason,
        "seconds": time.perf_counter() - start,
    }
    return found, partial(_draw, case, minimal, unknown.tolist()), verdict if minimal is None else minimal


def _judged(case: Case, judged: tuple[int, ...], question: GoalsQuestion) -> tuple[Verdict | None, dict[str, Any], Any]:
    """Return the verdict, in fractions where those are short, what is printed of it, and the status of each row."""
    if case.agent is not None:
        verdict = decide(_select(case.agent, judged), case.kernel_class, scope="uniform")
        verdict.verify()
        return verdict, _judgement(verdict, None), verdict.row_status
    found = assess(
        case.place, case.candidates.select(list(judged)), case.kernel_class, policy=case.policy,
        seconds=question.seconds,
    )  # fmt: skip
    shown = found.to_dict() | {"rank": None, "n_states": case.place.n_states, "reason": found.verdict.reason}
    return None, shown, found.row_status


def check_alone(question: GoalsQuestion, certificate: Path | None) -> None:
    """Refuse options that a comparison would drop."""
    given = {
        "--goals": question.goals is not None,
        "--rewards": question.rewards is not None,
        "--certificate": certificate is not None,
    }
    for option in (option for option, there in given.items() if there):
        raise SpecificationError(f"{option} has no meaning beside --compare, which lists its own sets; drop one.")


def compare_sets(question: GoalsQuestion, sets: tuple[str, ...], noise: float) -> tuple[dict[str, Any], Comparison]:
    """Answer ``tabular-inversion goals ENV --compare SET SET``: the answer as JSON, and the table.

    Raises
    ------
    SpecificationError
        If no set is named.
    """
    if not sets:
        raise SpecificationError("--compare needs goal sets after it, such as indicator:0,8 indicator:3.")
    policy: Policy = check_choice("policy", question.policy or "optimal", Policy)
    world = read_world(question.environment).mdp
    if question.discount is not None:
        world = world.with_discount(float(question.discount))
    kernel_class = kernel_class_of(question.kernel_class, world)
    named = {text: read_goals(text, world) for text in sets}
    found = compare(named, world, kernel_class, eps=noise, policy=policy, seconds=question.seconds)
    return {"environment": question.environment, "best": found.best, "sets": found.to_dict()}, found


def _prepare(question: GoalsQuestion) -> Case:
    asked = Question(question.environment, question.goals, question.kernel_class, question.policy, question.discount)
    shown = load_values(asked)
    if shown is not None:
        return _of_agent(shown, question)
    rewards = check_choice("rewards", question.rewards or "indicator", Rewards)
    policy: Policy = check_choice("policy", question.policy or "optimal", Policy)
    found = read_world(question.environment)
    world = found.mdp if question.discount is None else found.mdp.with_discount(float(question.discount))
    kernel_class = kernel_class_of(question.kernel_class, world)
    discount = Fraction(str(world.discount)) if question.discount is None else question.discount
    size = _enough(kernel_class, world) if rewards == "generic" else world.n_states
    check_size(size, world)
    states: list[int | None]
    if rewards == "generic":
        candidates = Goals.generic(world.n_states, size, seed=0)
        names, states = [f"generic {i}" for i in range(size)], [None] * size
    else:
        candidates = Goals.indicator(world.n_states)
        names, states = [world.state_name(state) for state in range(size)], list(range(size))
    given: tuple[int, ...] = ()
    if question.goals is not None:
        there = read_goals(question.goals, world)
        own = [_rewarded(goal) for goal in there.rewards]
        names = [question.goals if s is None else world.state_name(s) for s in own] + names
        candidates, states, given = there.join(candidates), own + states, tuple(range(len(there)))
    check_size(len(candidates), world)
    agent = _agent_in_fractions(world, candidates, discount, policy, question.seconds)
    return Case(world, candidates, policy, discount, agent, kernel_class, given, tuple(names), tuple(states))


def _agent_in_fractions(
    world: MDP, goals: Goals, discount: Fraction, policy: Policy, seconds: float
) -> ExactAgentValues | None:
    """Return the exact values of all goals; None where they would be, or take, too long: floats have to do."""
    if in_fractions(world, goals.n_goals, LIMIT_DENOMINATOR, seconds) is not None:
        return None
    if stands_for_fractions(world, LIMIT_DENOMINATOR):
        return exact_agent(world, goals, discount, policy)
    drawn = read_exact_world(world, LIMIT_DENOMINATOR)
    drawn = ExactMDP(drawn.kernel, discount, drawn.available)
    exact_goals = ExactGoals.from_float(goals)
    if policy == "optimal":
        return exact.solve(drawn, exact_goals)
    return exact.evaluate(drawn, exact_goals, exact_uniform(world.available))


def _of_agent(shown: AgentValues, question: GoalsQuestion) -> Case:
    """Judge the goals of an agent that exists: those named are there already, all of its goals are candidates."""
    if question.rewards is not None:
        raise SpecificationError(
            f"--rewards is {question.rewards}, and {question.environment} brings its goals as candidates; leave it out."
        )
    policy = policy_word(shown)
    check_same(question.environment, shown, question.policy, question.discount)
    names = shown.goals.names or tuple(str(goal) for goal in range(shown.n_goals))
    given = () if question.goals is None else tuple(select_goals(question.goals, shown.goals, shown.state_names))
    order = [*given, *(goal for goal in range(shown.n_goals) if goal not in set(given))]
    agent = ExactAgentValues.from_float(shown.select_goals(order))
    states = [_rewarded(goal) for goal in shown.goals.rewards[order]]
    kernel_class = kernel_class_of(question.kernel_class, None)
    ordered = tuple(names[goal] for goal in order)
    own = shown.goals.select(order)
    there = tuple(range(len(given)))
    return Case(None, own, policy, agent.discount, agent, kernel_class, there, ordered, tuple(states))


def _rewarded(rewards: Any) -> int | None:
    """Return the one state where a goal pays, or None if it pays in several."""
    paid = np.flatnonzero(rewards)
    return int(paid[0]) if len(paid) == 1 else None


def _enough(kernel_class: KernelClass, world: MDP) -> int:
    """Return how many goals with generic rewards suffice (T2a, T3a, T5), at least one."""
    return max(ENOUGH_GOALS.of(kernel_class)(kernel_class, world.n_states), 1)


def _select(agent: ExactAgentValues, goals: tuple[int, ...]) -> ExactAgentValues:
    chosen = list(goals)
    return ExactAgentValues(agent.q[chosen], agent.goals.select(chosen), agent.discount, agent.policy, agent.available)


def _smallest(case: Case, seconds: float) -> tuple[MinimalGoals | None, str | None]:
    left = max(seconds, 0.0)
    try:
        if case.agent is not None:
            found = smallest(case.agent, case.kernel_class, given=case.given, seconds=left)
        else:
            found = minimal_of(
                case.place, case.candidates, case.kernel_class, policy=case.policy, given=case.given, seconds=left
            )
    except (InsufficientGoalsError, KernelClassError) as problem:
        return None, str(problem)
    if case.agent is not None:
        found.verify()
        if case.world is not None and not is_normalised(case.world, LIMIT_DENOMINATOR):
            found = replace(found, notes=(*found.notes, NORMALISED))
    return found, None


def _judgement(verdict: Verdict, minimal: MinimalGoals | None) -> dict[str, Any]:
    shown = verdict.to_dict()
    dropped = {"scope", "sigma_min"}  # of exact verdicts the second says nothing
    judged = {key: value for key, value in shown.items() if key not in dropped}
    if verdict.status is Status.UNDECIDED and minimal is not None and (not minimal.given or not minimal.added):
        # The search for a smallest set tries more sets of columns than a verdict does.
        judged |= {"status": Status.IDENTIFIED.name, "evidence": "exact", "rows_identified": verdict.rows}
        judged["reason"] = minimal.text
    return judged


def _summary(found: MinimalGoals, case: Case) -> dict[str, Any]:
    return {
        "size": found.size,
        "goals": [case.names[goal] for goal in found.goals],
        "states": [case.states[goal] for goal in found.goals],
        "added": [case.names[goal] for goal in found.added],
        "lower_bound": found.lower_bound,
        "gap": found.gap,
        "optimal": found.optimal,
        "evidence": min(found.evidence, found.sufficiency_evidence).name.lower(),
        "proof": found.text,
        "greedy_size": found.greedy_size,
        "greedy_guarantee": found.greedy_guarantee,
        "sigma_min": None if np.isnan(found.sigma_min) else found.sigma_min,
        "best_conditioned": found.best_conditioned,
    }


def _draw(case: Case, minimal: MinimalGoals | None, unknown: list[int]) -> Any:
    """Draw the set judged where it leaves states unknown, else the smallest one."""
    from tabular_inversion.plotting import plot_goals

    shown = case.given if unknown or minimal is None else minimal.goals
    states = [state for goal in shown if (state := case.states[goal]) is not None]
    axes = plot_goals(case.place, states, unknown=unknown)
    if minimal is not None and not unknown:
        axes.set_title(f"{minimal.size} goals suffice ({case.kernel_class.name})")
    return axes.figure


def show_verdict(found: dict[str, Any]) -> None:
    """Print the verdict for people."""
    say((found["status"], f"bold {COLOURS[found['status']]}"), f" ({found['evidence']} evidence, uniform scope)")
    say(found["reason"])
    say(
        f"{found['rows_identified']} of {found['rows']} rows identified by {found['n_goals']} "
        f"goal{'s' * (found['n_goals'] != 1)}, policy {found['policy']}; class {found['class']}"
    )
    for words in found.get("warnings", ()):
        say(f"warning: {words}")


def show(found: dict[str, Any]) -> None:
    """Print the smallest set for people, after the verdict."""
    if found["unknown_states"]:
        say(f"dynamics unknown in {_listed(found['unknown_states'])}")
    minimal = found["minimal"]
    if minimal is None:
        say(found["no_minimal_because"])
        return
    table = Table(title="smallest set of goals", show_header=False)
    least = "" if minimal["optimal"] else f"; at least {minimal['lower_bound']} are needed"
    table.add_row(*cells("size", f"{minimal['size']}{least}"))
    table.add_row(*cells("goals", _listed(minimal["goals"])))
    if len(minimal["added"]) < minimal["size"]:
        table.add_row(*cells("to be added", _listed(minimal["added"])))
    table.add_row(*cells("proof", f"{minimal['proof']} ({minimal['evidence']})"))
    ANSWERS.print(table)


def _listed(names: list[str]) -> str:
    """List the first few names.

    Examples
    --------
    >>> _listed(["3", "5"]), _listed([])
    ('3, 5', 'none')
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more
