"""What ``goals`` does between reading the texts and printing the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, Literal

import numpy as np
from rich.table import Table

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.cli.cases import (
    Question,
    check_same,
    check_size,
    exact_agent,
    kernel_class_of,
    load_values,
    policy_word,
    read_goals,
    read_world,
)
from tabular_inversion.cli.console import ANSWERS, COLOURS, Policy, cells, check_choice, say
from tabular_inversion.environments.specification import select_goals
from tabular_inversion.errors import KernelClassError, SpecificationError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Status, Verdict
from tabular_inversion.identifiability import identify as decide
from tabular_inversion.kernel_classes import (
    Deterministic,
    KernelClass,
    Sparse,
    Supported,
    Unconstrained,
)
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency import InsufficientGoalsError, MinimalGoals
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
    """A world, an agent with every goal that is looked at, those that are there already, and what each is called."""

    world: MDP | None
    agent: ExactAgentValues
    kernel_class: KernelClass
    policy: str
    given: tuple[int, ...]
    names: tuple[str, ...]
    states: tuple[int | None, ...]

    def name_of(self, state: int) -> str:
        """Return what a state is called."""
        return str(state) if self.world is None else self.world.state_name(state)


def answer(question: GoalsQuestion) -> tuple[dict[str, Any], Callable[[], Any], MinimalGoals | Verdict]:
    """Answer ``tabular-inversion goals``, say how to draw it, and what proves it; all is re-checked before."""
    start = time.perf_counter()
    case = _prepare(question)
    judged = case.given or tuple(range(case.agent.n_goals))
    verdict = decide(_select(case.agent, judged), case.kernel_class, scope="uniform")
    verdict.verify()
    minimal, reason = _smallest(case, question.seconds)
    judgement = _judgement(verdict, minimal)
    known = judgement["status"] == Status.IDENTIFIED.name
    unknown = np.flatnonzero((verdict.row_status > Status.IDENTIFIED).any(axis=1) & (not known))
    found = {
        "environment": question.environment,
        "rewards": question.rewards or ("indicator" if case.world is not None else "the agent's"),
        "policy": case.policy,
        "discount": str(case.agent.discount),
        "goals": [case.names[goal] for goal in judged],
        **judgement,
        "unknown_states": [case.name_of(int(state)) for state in unknown],
        "minimal": None if minimal is None else _summary(minimal, case),
        "no_minimal_because": reason,
        "seconds": time.perf_counter() - start,
    }
    return found, partial(_draw, case, minimal, unknown.tolist()), verdict if minimal is None else minimal


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
    agent = exact_agent(world, candidates, discount, policy)
    return Case(world, agent, kernel_class, policy, given, tuple(names), tuple(states))


def _of_agent(shown: AgentValues, question: GoalsQuestion) -> Case:
    """Judge the goals of an agent that exists: those named are there already, all of its goals are candidates."""
    if question.rewards is not None:
        raise SpecificationError(
            f"--rewards is {question.rewards}, and {question.environment} brings its goals as candidates; leave it out."
        )
    policy = policy_word(shown)
    check_same(question.environment, shown, question.policy, question.discount)
    names = shown.goals.names or tuple(str(goal) for goal in range(shown.n_goals))
    given = () if question.goals is None else tuple(select_goals(question.goals, shown.goals))
    order = [*given, *(goal for goal in range(shown.n_goals) if goal not in set(given))]
    agent = ExactAgentValues.from_float(shown.select_goals(order))
    states = [_rewarded(goal) for goal in shown.goals.rewards[order]]
    kernel_class = kernel_class_of(question.kernel_class, None)
    ordered = tuple(names[goal] for goal in order)
    return Case(None, agent, kernel_class, policy, tuple(range(len(given))), ordered, tuple(states))


def _rewarded(rewards: Any) -> int | None:
    """Return the one state where a goal pays, or None if it pays in several."""
    paid = np.flatnonzero(rewards)
    return int(paid[0]) if len(paid) == 1 else None


def _enough(kernel_class: KernelClass, world: MDP) -> int:
    """Return how many goals with generic rewards suffice (T2a, T3a, T5), at least one."""
    n = world.n_states
    if isinstance(kernel_class, Supported):
        return max(int(kernel_class.sizes.max()) - 1, 1)
    if isinstance(kernel_class, Deterministic):
        return 1
    if isinstance(kernel_class, Sparse):
        return max(min(2 * kernel_class.max_successors - 1, n - 1), 1)
    return n if isinstance(kernel_class, Unconstrained) else max(n - 1, 1)


def _select(agent: ExactAgentValues, goals: tuple[int, ...]) -> ExactAgentValues:
    chosen = list(goals)
    return ExactAgentValues(agent.q[chosen], agent.goals.select(chosen), agent.discount, agent.policy, agent.available)


def _smallest(case: Case, seconds: float) -> tuple[MinimalGoals | None, str | None]:
    try:
        found = smallest(case.agent, case.kernel_class, given=case.given, seconds=seconds)
    except (InsufficientGoalsError, KernelClassError) as problem:
        return None, str(problem)
    found.verify()
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
        "evidence": found.evidence.name.lower(),
        "proof": found.text,
        "greedy_size": found.greedy_size,
        "greedy_guarantee": found.greedy_guarantee,
    }


def _draw(case: Case, minimal: MinimalGoals | None, unknown: list[int]) -> Any:
    """Draw the set judged where it leaves states unknown, else the smallest one."""
    if case.world is None:
        raise SpecificationError("values have no places to draw states at; leave out --plot, or name a world.")
    from tabular_inversion.plotting import plot_goals

    shown = case.given if unknown or minimal is None else minimal.goals
    states = [state for goal in shown if (state := case.states[goal]) is not None]
    axes = plot_goals(case.world, states, unknown=unknown)
    if minimal is not None and not unknown:
        axes.set_title(f"{minimal.size} goals suffice ({case.kernel_class.name})")
    return axes.figure


def show(found: dict[str, Any]) -> None:
    """Print verdict and smallest set for people."""
    say((found["status"], f"bold {COLOURS[found['status']]}"), f" ({found['evidence']} evidence, uniform scope)")
    say(found["reason"])
    say(
        f"{found['rows_identified']} of {found['rows']} rows identified by {found['n_goals']} "
        f"goal{'s' * (found['n_goals'] != 1)}, policy {found['policy']}; class {found['class']}"
    )
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
