"""What ``plan`` does between reading the texts and printing the answer."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.cli.bounds import sets_of
from tabular_inversion.cli.cases import Case, Question, prepare, read_goals
from tabular_inversion.cli.console import ANSWERS, cells, say
from tabular_inversion.cli.own_files import is_own
from tabular_inversion.environments.specification import goals_on
from tabular_inversion.goals import Goals
from tabular_inversion.planning import robust

_SHOWN = 20


def answer(question: Question, to: str, *, noise: float | str | None) -> dict[str, Any]:
    """Answer ``tabular-inversion plan``: for each goal a policy, and ends of its value in all worlds that remain."""
    case = prepare(question)
    goals = _goals_to(case, to)
    sets = sets_of(case, noise)
    plans = []
    for number in range(len(goals)):
        found = robust(sets, goals.select([number]))
        names = [case.state(state) for state in range(case.agent.n_states)]
        actions = found.policy.argmax(axis=1)
        plans.append(
            {
                "goal": str(number) if goals.names is None else goals.names[number],
                "gap": float(found.gap.max()),
                "lower": dict(zip(names, found.lower.tolist(), strict=True)),
                "upper": dict(zip(names, found.upper.tolist(), strict=True)),
                "policy": {name: case.action(int(a)) for name, a in zip(names, actions, strict=True)},
            }
        )
    return {"class": case.kernel_class.name, "n_goals": case.agent.n_goals, "plans": plans}


def _goals_to(case: Case[AgentValues], to: str) -> Goals:
    if case.truth is not None or is_own(to, "rewards"):
        return read_goals(to, case.truth)  # type: ignore[arg-type]  # a file needs no world
    return goals_on(to, case.agent.n_states, case.agent.state_names)


def show(found: dict[str, Any]) -> None:
    """Print plans for people: the first states of each."""
    for plan in found["plans"]:
        say((f"goal {plan['goal']}", "bold"), f": its value is known within {plan['gap']:.3g}")
        table = Table(title="in every world that these values leave open")
        for column in ("state", "action", "worth at least", "at most"):
            table.add_column(column, justify="right")
        for state in list(plan["policy"])[:_SHOWN]:
            ends = (f"{plan[end][state]:.6g}" for end in ("lower", "upper"))
            table.add_row(*cells(state, plan["policy"][state], *ends))
        if len(plan["policy"]) > _SHOWN:
            table.caption = f"and {len(plan['policy']) - _SHOWN} more states; --json lists them all"
        ANSWERS.print(table)
