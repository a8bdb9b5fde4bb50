"""From the words of a call to an agent, the class to look in, and the truth where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from tabular_inversion import exact
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.cli.console import Policy, check_choice, progress
from tabular_inversion.cli.own_files import VALUES, goals_from, is_own, read_arrays
from tabular_inversion.environments import Environment
from tabular_inversion.environments.specification import goals_on, parse_environment, parse_goals, select_goals
from tabular_inversion.errors import FileKindError, SpecificationError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.goals import Goals
from tabular_inversion.interop import exact_kernel, read_prism, read_umb
from tabular_inversion.kernel_classes import KernelClass, Supported, parse_kernel_class
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import uniform

_DISCOUNT = 0.95
"""Of worlds from files that have none."""
_GOAL_PARTS = {"rewards", "continuation", "action_rewards", "goal_names"}
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

    def state(self, state: int) -> str:
        """Return what a state is called; its number where it has no name."""
        return _named(state, self._names("state_names"))

    def action(self, action: int) -> str:
        """Return what an action is called; its number where it has no name."""
        return _named(action, self._names("action_names"))

    def _names(self, which: str) -> Sequence[str] | None:
        of_agent: Sequence[str] | None = getattr(self.agent, which, None)
        return of_agent or (None if self.truth is None else getattr(self.truth, which))


def _named(number: int, names: Sequence[str] | None) -> str:
    return str(number) if names is None else names[number]


def prepare(question: Question) -> Case[AgentValues]:
    """Turn texts into an agent: solve the environment, or load values that someone saved."""
    loaded = load_values(question)
    if loaded is not None:
        return _narrowed(loaded, question)
    world, kernel_class, goals, policy = _parse(question)
    if policy == "uniform":
        return Case(evaluate(world, goals, uniform(world.available)), policy, kernel_class, world)
    with progress("solving for every goal") as advance:
        return Case(solve(world, goals, progress=advance), policy, kernel_class, world)


def prepare_exactly(question: Question) -> Case[ExactAgentValues]:
    """Turn texts into an agent in fractions: thirds are thirds, and 0.99 is 99/100."""
    loaded = load_values(question)
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
    result: FractionArray = weights / weights.sum(axis=1, keepdims=True)
    return result


def check_size(n_goals: int, world: MDP) -> None:
    """Refuse goals whose values on a world would not fit into a usual memory; raises `SpecificationError`."""
    if n_goals * world.n_states * world.n_actions > _MOST_VALUES:
        raise SpecificationError(
            f"{n_goals} goals on {world.n_states} states with {world.n_actions} actions have over 1 GiB of values; "
            "choose fewer goals."
        )


def read_world(text: str, discount: float | None = None) -> Environment:
    """Return the environment that a text names: one of the package's, or ``prism:FILE.tra``, or ``umb:FILE``."""
    word, colon, rest = text.partition(":")
    if colon and word in {"prism", "umb"}:
        own = _DISCOUNT if discount is None else discount
        return read_prism(rest, discount=own).environment if word == "prism" else read_umb(rest, discount=own)
    return parse_environment(text, discount=discount)


def read_goals(text: str, world: MDP) -> Goals:
    """Return the goals that a text names on a world, or that a file of rewards holds."""
    return goals_from(text) if Path(text).suffix in {".npy", ".npz"} else parse_goals(text, world)


def kernel_class_of(text: str, world: MDP | None) -> KernelClass:
    """Read a class; ``supported:ENV`` takes the support of another world, for values that come without theirs.

    What follows the colon may also be a .npy of a mask (S, A, S), or of a kernel.
    """
    word, colon, rest = text.partition(":")
    if word == "supported" and colon:
        if is_own(rest, "support"):
            return Supported(read_arrays(rest, "support", {"support"})["support"])
        return Supported.of(read_world(rest).mdp)
    return parse_kernel_class(text, world)


def _parse(question: Question) -> tuple[MDP, KernelClass, Goals, Policy]:
    policy: Policy = check_choice("policy", question.policy or "optimal", Policy)
    discount = None if question.discount is None else float(question.discount)
    world = read_world(question.environment, discount).mdp
    goals = read_goals(question.goals or "indicator", world)
    check_size(len(goals), world)
    return world, kernel_class_of(question.kernel_class, world), goals, policy


def load_values(question: Question) -> AgentValues | None:
    """Read a file of values; None if the text names a world (a file may also hold that)."""
    text = question.environment
    if is_own(text, "q"):
        return own_agent(question)
    if Path(text).suffix not in {".npz", ".json"}:
        return None
    try:
        return AgentValues.load(text)
    except FileKindError as problem:
        if problem.found == "mdp":
            return None
        raise


def own_agent(question: Question) -> AgentValues:
    """Build an agent from arrays of one's own, and from the options for what their file does not say."""
    file = question.environment
    read = read_arrays(file, "q", VALUES)
    goal_parts = {"names" if name == "goal_names" else name: read.pop(name) for name in _GOAL_PARTS & read.keys()}
    shape = np.shape(read["q"])
    if question.goals is not None and "rewards" not in goal_parts:
        named = Path(question.goals).suffix in {".npy", ".npz"}
        goals = goals_from(question.goals) if named else goals_on(question.goals, shape[1], read.get("state_names"))
        if goal_parts:
            raise SpecificationError(f"{file} has {sorted(goal_parts)[0]} without rewards; put them where these are.")
    elif "rewards" in goal_parts:
        goals = Goals(**goal_parts)
    else:
        raise SpecificationError(f"{file} has no rewards; say what the goals pay: --goals goals.npz, or indicator.")
    if "discount" not in read:
        if question.discount is None:
            raise SpecificationError(f"{file} has no discount; give --discount, a number in [0, 1].")
        read["discount"] = float(question.discount)
    if question.policy == "uniform" and not {"policy", "temperature", "v"} & read.keys():
        available = read.get("available", np.ones(shape[1:], bool))
        read["policy"] = uniform(np.asarray(available, bool))
    return AgentValues(goals=goals, **read)


def _narrowed(agent: AgentValues, question: Question) -> Case[AgentValues]:
    """Take the options with values that exist already: goals are selected, the others must say what the file says."""
    check_same(question.environment, agent, question.policy, question.discount)
    policy = policy_word(agent)
    if question.goals is not None and not _are_goals_of(question):
        agent = agent.select_goals(select_goals(question.goals, agent.goals, agent.state_names))
    return Case(agent, policy, kernel_class_of(question.kernel_class, None), None)


def check_same(file: str, agent: AgentValues, policy: str | None, discount: Fraction | None) -> None:
    """Refuse options that contradict the file of an agent; raises `SpecificationError`."""
    own = policy_word(agent)
    if policy is not None and check_choice("policy", policy, Policy) != own:
        raise SpecificationError(
            f"the values in {file} are those of policy {own}, and --policy is {policy}; leave it out."
        )
    if discount is not None and float(discount) != agent.discount:
        raise SpecificationError(
            f"the values in {file} have discount {agent.discount}, and --discount is {discount}; leave it out."
        )


def _are_goals_of(question: Question) -> bool:
    """Whether --goals says what the goals of the values are, not which of them to look at."""
    file = question.environment
    return is_own(file, "q") and "rewards" not in read_arrays(file, "q", VALUES)


def policy_word(agent: AgentValues) -> str:
    """Say in a word whose values these are: optimal, uniform, softmax (maximum entropy) or given."""
    if agent.operator == "given":
        return "given"
    if agent.temperature is not None:
        return "softmax"
    if agent.policy is None:
        return "optimal"
    return "uniform" if (np.asarray(agent.policy) == uniform(agent.available)).all() else "given"
