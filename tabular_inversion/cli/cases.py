"""From the words of a call to an agent, the class to look in, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from tabular_inversion import exact
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.cli.console import Policy, check_choice, progress
from tabular_inversion.environments.specification import parse_environment, parse_goals, select_goals
from tabular_inversion.errors import FileKindError, SpecificationError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.goals import Goals
from tabular_inversion.interop import exact_kernel
from tabular_inversion.kernel_classes import KernelClass, Supported, parse_kernel_class
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import uniform

_MOST_VALUES = 2**27
"""1 GiB of float64: more Q-values than that are refused before they are allocated."""

Agent = TypeVar("Agent", AgentValues, ExactAgentValues)


@dataclass(frozen=True)
class Question:
    """The texts of a call; None where an option was not given."""

    environment: str
    goals: str | None
    kernel_class: str
    policy: str | None
    discount: Fraction | None


@dataclass(frozen=True)
class Case(Generic[Agent]):
    """An agent to look at, its policy in a word, the class to look in, and the truth where it is known."""

    agent: Agent
    policy: str
    kernel_class: KernelClass
    truth: MDP | None

    def name_of(self, state: Any) -> str:
        """Return a state's number, and its name where it has another one."""
        number = str(state)
        name = number if self.truth is None else self.truth.state_name(int(state))
        return number if name == number else f"{number} {name}"


def prepare(question: Question) -> Case[AgentValues]:
    """Turn texts into an agent: solve the environment, or load values that someone saved."""
    loaded = _load_values(question.environment)
    if loaded is not None:
        return _narrowed(loaded, question)
    world, kernel_class, goals, policy = _parse(question)
    if policy == "uniform":
        return Case(evaluate(world, goals, uniform(world.available)), policy, kernel_class, world)
    with progress("solving for every goal") as advance:
        return Case(solve(world, goals, progress=advance), policy, kernel_class, world)


def prepare_exactly(question: Question) -> Case[ExactAgentValues]:
    """Turn texts into an agent in fractions: thirds are thirds, and 0.99 is 99/100."""
    loaded = _load_values(question.environment)
    if loaded is not None:
        case = _narrowed(loaded, question)
        return Case(ExactAgentValues.from_float(case.agent), case.policy, case.kernel_class, None)
    world, kernel_class, goals, policy = _parse(question)
    discount = Fraction(str(world.discount)) if question.discount is None else question.discount
    return Case(exact_agent(world, goals, discount, policy), policy, kernel_class, world)


def exact_agent(world: MDP, goals: Goals, discount: Fraction, policy: Policy) -> ExactAgentValues:
    """Return the agent of a world with exact numbers, under the policy that a word names."""
    exact_world = ExactMDP(exact_kernel(world), discount, world.available)
    exact_goals = ExactGoals.from_float(goals)
    if policy == "optimal":
        return exact.solve(exact_world, exact_goals)
    return exact.evaluate(exact_world, exact_goals, exact_uniform(world.available))


def exact_uniform(available: Any) -> FractionArray:
    """Return the policy that takes each available action equally often, in fractions (S, A)."""
    weights = exact.fraction_array(available.astype(int))
    return weights / weights.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def check_size(n_goals: int, world: MDP) -> None:
    """Refuse goals whose values on a world would not fit into a usual memory; raises `SpecificationError`."""
    if n_goals * world.n_states * world.n_actions > _MOST_VALUES:
        raise SpecificationError(
            f"{n_goals} goals on {world.n_states} states with {world.n_actions} actions have over 1 GiB of values; "
            "choose fewer goals."
        )


def kernel_class_of(text: str, world: MDP | None) -> KernelClass:
    """Read a class; ``supported:ENV`` takes the support of another world, for values that come without theirs."""
    word, colon, rest = text.partition(":")
    if word == "supported" and colon:
        return Supported.of(parse_environment(rest).mdp)
    return parse_kernel_class(text, world)


def _parse(question: Question) -> tuple[MDP, KernelClass, Goals, Policy]:
    policy: Policy = check_choice("policy", question.policy or "optimal", Policy)
    discount = None if question.discount is None else float(question.discount)
    world = parse_environment(question.environment, discount=discount).mdp
    goals = parse_goals(question.goals or "indicator", world)
    check_size(len(goals), world)
    return world, kernel_class_of(question.kernel_class, world), goals, policy


def _load_values(text: str) -> AgentValues | None:
    """Read a file of values; None if the text names a world (a file may also hold that)."""
    if Path(text).suffix not in {".npz", ".json"}:
        return None
    try:
        return AgentValues.load(text)
    except FileKindError as problem:
        if problem.found == "mdp":
            return None
        raise


def _narrowed(agent: AgentValues, question: Question) -> Case[AgentValues]:
    """Take the options with values that exist already: goals are selected, the others must say what the file says."""
    file = question.environment
    policy = _policy_word(agent)
    if question.policy is not None and check_choice("policy", question.policy, Policy) != policy:
        raise SpecificationError(
            f"the values in {file} are those of policy {policy}, and --policy is {question.policy}; leave it out."
        )
    if question.discount is not None and float(question.discount) != agent.discount:
        raise SpecificationError(
            f"the values in {file} have discount {agent.discount}, and --discount is {question.discount}; leave it out."
        )
    if question.goals is not None:
        agent = agent.select_goals(select_goals(question.goals, agent.goals))
    return Case(agent, policy, kernel_class_of(question.kernel_class, None), None)


def _policy_word(agent: AgentValues) -> str:
    """Say in a word whose values these are: optimal, uniform, softmax (maximum entropy) or given."""
    if agent.temperature is not None:
        return "softmax"
    if agent.policy is None:
        return "optimal"
    return "uniform" if (np.asarray(agent.policy) == uniform(agent.available)).all() else "given"
