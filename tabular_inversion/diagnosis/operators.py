"""Another discount, or another way to value states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import state_values
from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.trials import Trial
from tabular_inversion.policies import epsilon_greedy, softmax
from tabular_inversion.recovery.system import CONSISTENT

_EPSILONS = np.array([0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
_TEMPERATURES = np.logspace(-4.0, 1.0, 11)
"""In units of the largest range of values of one goal."""


def other_discounts(case: Case) -> list[Trial]:
    """Read the values with the discount that explains them best."""
    own = case.agent.discount

    def read(discount: float) -> Trial:
        text = f"the discount is {discount:.10g}, not {own:g}"
        if 0 < discount < own:
            share = 1.0 - discount / own
            text += f" (or a share of {share:.3g} of steps, whatever they are, was learnt as their episode's end)"
        change = f"AgentValues(q, goals, discount={discount:.10g})"
        return case.trial(text, change, discount=discount, goal_discounts=None)

    found = case.best_discount
    return [] if found == own else [read(found)]


def other_operators(case: Case) -> list[Trial]:
    """Read the values as those of agents that value states in other ways."""
    agent = case.agent
    q = np.where(agent.available, agent.q, np.nan)
    span = float((np.nanmax(q, axis=(1, 2)) - np.nanmin(q, axis=(1, 2))).max()) or 1.0
    trials = []
    if agent.operator != "max":
        trials.append(case.trial("states are valued by their best action", _call(""), policy=None, temperature=None))
    least = -state_values(-agent.q, agent.available)
    trials.append(case.trial("states are valued by their worst action: values are costs", _costs(), v=least))
    trials.append(_fitted(case, _epsilon_greedy(case), _EPSILONS))
    trials.append(_fitted(case, _soft(case), span * _TEMPERATURES))
    trials.append(_fitted(case, _boltzmann(case), span * _TEMPERATURES))
    own = agent.v
    return [trial for trial in trials if np.abs(trial.agent.v - own).max() > CONSISTENT * np.abs(own).max()]


def _fitted(case: Case, read: Callable[[float], Trial], grid: FloatArray) -> Trial:
    return read(case.best(read, grid))


def _call(argument: str) -> str:
    return f"AgentValues(q, goals, discount{', ' * bool(argument)}{argument})"


def _costs() -> str:
    return "AgentValues(-q, Goals(-rewards, continuation), discount)"


def _epsilon_greedy(case: Case) -> Callable[[float], Trial]:
    """Read values as those of SARSA, or expected SARSA, by a policy that explores with a share epsilon."""
    agent = case.agent

    def read(epsilon: float) -> Trial:
        policy = epsilon_greedy(agent.q, agent.available, epsilon=epsilon)
        text = f"states are valued by the epsilon-greedy policy with epsilon {epsilon:.10g}"
        change = _call(f"policy=epsilon_greedy(q, available, epsilon={epsilon:.10g})")
        return case.trial(text, change, policy=policy, temperature=None)

    return read


def _soft(case: Case) -> Callable[[float], Trial]:
    def read(temperature: float) -> Trial:
        text = f"states are valued softly, with temperature {temperature:.6g}"
        return case.trial(text, _call(f"temperature={temperature:.10g}"), policy=None, temperature=temperature)

    return read


def _boltzmann(case: Case) -> Callable[[float], Trial]:
    """SARSA on its own policy, where that draws actions with weights exp(Q / temperature)."""
    agent = case.agent

    def read(temperature: float) -> Trial:
        policy = softmax(agent.q, agent.available, temperature=temperature)
        text = f"states are valued by the agent's own softmax policy (SARSA) of temperature {temperature:.6g}"
        change = _call(f"policy=softmax(q, available, temperature={temperature:.10g})")
        return case.trial(text, change, policy=policy, temperature=None)

    return read
