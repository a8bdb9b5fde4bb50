"""Agents in fractions, where those are short enough and there is time for them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import exact
from tabular_inversion.errors import PolicyError, TabularInversionError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.policies import uniform_policy
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.question import exact_seconds, is_normalised, read_exact_world, stands_for_fractions
from tabular_inversion.sufficiency.scenarios import drawn_policy, policy_is

MAX_EXACT_STATES = 200
"""Larger worlds are searched in floats, whose errors are bounded: fractions of so many digits take minutes."""

MAX_DYADIC_STATES = 30
"""The same for worlds in floats that stand for no small fractions: each of their numbers has 53 bits."""

MAX_EXACT_VALUES = 10_000
"""The most values, candidates times states, that are computed in fractions."""

NORMALISED = (
    "the floats of a world stand for no small fractions: they are taken as the dyadic rationals that they are, and "
    "each row is normalised exactly, its largest entry taking up the rounding"
)


def in_fractions(mdp: MDP | ExactMDP, n_goals: int, limit_denominator: int | None, seconds: float) -> str | None:
    """Return why values are not computed in fractions; None if they are: short enough, and in time.

    Parameters
    ----------
    mdp : MDP or ExactMDP
        The world.
    n_goals : int
        How many candidates.
    limit_denominator : int or None
        Of the fractions that floats stand for.
    seconds : float
        How much time there is.
    """
    if isinstance(mdp, ExactMDP):
        return None
    small = stands_for_fractions(mdp, limit_denominator)
    most = MAX_EXACT_STATES if small else MAX_DYADIC_STATES
    if mdp.n_states > most:
        kind = "" if small else " of 53 bits each"
        return f"{mdp.n_states} states are too many for fractions{kind} (limit {most})"
    if mdp.n_states * n_goals > MAX_EXACT_VALUES:
        return f"{mdp.n_states} states and {n_goals} candidates are too many values for fractions"
    expected = exact_seconds(mdp.n_states, n_goals, dyadic=not small)
    if expected > max(seconds, 1.0):
        return f"fractions would take about {expected:.0f} seconds, and {max(seconds, 0.0):.0f} are left"
    return None


def exact_agent(
    mdp: MDP | ExactMDP, candidates: Goals | ExactGoals, policy: ArrayLike, limit_denominator: int | None
) -> ExactAgentValues:
    """Compute the exact values of agents for all candidates."""
    world = read_exact_world(mdp, limit_denominator)
    goals = candidates if isinstance(candidates, ExactGoals) else ExactGoals.from_float(candidates)
    if policy_is(policy, "optimal"):
        return exact.solve(world, goals)
    if policy_is(policy, "uniform"):
        return exact.evaluate(world, goals, uniform_policy(world.available))
    if policy_is(policy, "generic"):
        policy = drawn_policy(world.available)
    elif isinstance(policy, str):
        raise PolicyError(f"the policy is {policy!r}; expected 'optimal', 'uniform', 'generic', or probabilities.")
    weights = exact.fraction_array(policy, allow_float=True, limit_denominator=limit_denominator)
    return exact.evaluate(world, goals, weights)


def exact_agents(
    cases: list[tuple[MDP, Any]], candidates: Goals, limit_denominator: int | None, *, end: float
) -> tuple[tuple[ExactAgentValues, ...] | None, str]:
    """Compute the exact values of agents in several worlds, by several policies.

    Returns
    -------
    tuple of ExactAgentValues, or None
        None where one of them is out of reach.
    str
        Why; or what was done to floats; or nothing.
    """
    share = max(end - time.monotonic(), 0.0) / max(len(cases), 1)
    for world, _ in cases:
        problem = in_fractions(world, candidates.n_goals, limit_denominator, share)
        if problem is None and len(cases) > 1 and share < exact_seconds(world.n_states, candidates.n_goals):
            problem = f"fractions for {len(cases)} worlds would take longer than there is time"
        if problem is not None:
            return None, f"no proof in fractions was tried: {problem}"
    agents = []
    for world, policy in cases:
        if np.asarray(policy).dtype == bool:
            policy = drawn_policy(np.asarray(policy))
        try:
            agents.append(exact_agent(world, candidates, policy, limit_denominator))
        except TabularInversionError as problem:
            return None, f"no proof in fractions was possible: {problem}"
    normalised = not all(is_normalised(world, limit_denominator) for world, _ in cases)
    return tuple(agents), NORMALISED if normalised else ""
