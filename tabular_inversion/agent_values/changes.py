"""What of an agent changes with a choice of goals, or another order of states: what `dataclasses.replace` is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import IntArray

if TYPE_CHECKING:
    from tabular_inversion.agent_values.derived import Derived


def of_goals(agent: Derived, goals: IntArray) -> dict[str, Any]:
    """Return what is different where the agent is seen through the goals with these numbers."""
    own = agent.transition_rewards
    return {
        "q": agent.q[goals],
        "goals": agent.goals.select(goals),
        "discount": agent.discount if agent.goal_discounts is None else agent.goal_discounts[goals],
        "goal_discounts": None,
        "policy": agent.policy[goals] if agent.policy is not None and agent.policy.ndim == 3 else agent.policy,
        "report": None if agent.report is None else agent.report.select_goals(goals),
        "own_v": _taken(agent.own_v, goals),
        "noise": _taken(agent.noise, goals),
        "test_noise": _taken(agent.test_noise, goals),
        "transition_rewards": tuple(own[goal] for goal in goals) if isinstance(own, tuple) else _taken(own, goals),
    }


def of_order(agent: Derived, order: IntArray) -> dict[str, Any]:
    """Return what is different where state i is the one that was ``order[i]``."""
    states = (slice(None), order)
    own: Any = agent.transition_rewards
    if isinstance(own, tuple):
        rows = (order[:, None] * agent.n_actions + np.arange(agent.n_actions)).ravel()
        own = tuple(each[rows][:, order] for each in own)
    elif own is not None:
        own = own[:, order][..., order]
    return {
        "q": agent.q[:, order],
        "goals": agent.goals.permute_states(order),
        "policy": None if agent.policy is None else agent.policy[..., order, :],
        "available": agent.available[order],
        "own_v": _taken(agent.own_v, states),
        "asked": _taken(agent.asked, order),
        "noise": _taken(agent.noise, states),
        "test_noise": _taken(agent.test_noise, states),
        "transition_rewards": own,
        "state_names": None if agent.state_names is None else tuple(agent.state_names[state] for state in order),
        "coordinates": _taken(agent.coordinates, order),
    }


def _taken(thing: Any, index: Any) -> Any:
    """Return the entries of an array; numbers, texts and None are as they were."""
    return thing[index] if isinstance(thing, np.ndarray) else thing
