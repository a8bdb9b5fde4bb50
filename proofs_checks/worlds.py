"""The main job: solve an agent on a public environment, forget the kernel, and recover it from Q-values alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular_inversion import AgentValues, KernelClass, bellman, invert
from tabular_inversion.environments import parse_environment, parse_goals
from tabular_inversion.identifiability import Status, check_forward
from tabular_inversion.kernel_classes import parse_kernel_class

TOLERANCE = 1e-8
"""Largest error of a kernel entry that counts as recovered."""


@dataclass(frozen=True)
class WorldCase:
    """An environment, a goal set and a kernel class, as the command line names them, and what theory expects."""

    environment: str
    goals: str
    kernel_class: str
    expected: Status = Status.IDENTIFIED


CASES = (
    WorldCase("fourrooms:deterministic", "generic:1", "deterministic"),
    WorldCase("fourrooms:deterministic", "indicator", "stochastic"),
    WorldCase("fourrooms:windy", "generic:2", "supported"),
    WorldCase("fourrooms:windy", "indicator", "stochastic"),
    WorldCase("fourrooms:windy", "generic:1", "stochastic", Status.NOT_IDENTIFIED),
    WorldCase("fourrooms:teleport", "generic:15", "supported"),
    WorldCase("fourrooms:teleport", "indicator", "stochastic"),
    WorldCase("gym:FrozenLake-v1", "indicator", "stochastic"),
    WorldCase("gym:FrozenLake-v1,is_slippery=false", "generic:1", "deterministic"),
    WorldCase("gym:FrozenLake-v1,map_name=8x8", "indicator", "stochastic"),
    WorldCase("gym:FrozenLake-v1,map_name=8x8", "generic:1", "stochastic", Status.NOT_IDENTIFIED),
    WorldCase("gym:CliffWalking-v1", "indicator", "stochastic"),
    WorldCase("gym:CliffWalking-v1", "generic:1", "deterministic"),
    WorldCase("gym:Taxi-v4", "indicator", "stochastic"),
    WorldCase("gym:Taxi-v4", "generic:1", "deterministic"),
)
"""Rows of the table that ``tabular-inversion verify`` prints."""


def recover_world(case: WorldCase) -> dict[str, Any]:
    """Solve, forget, invert, compare.

    Parameters
    ----------
    case : WorldCase
        What to do.

    Returns
    -------
    dict
        The case's texts, sizes, ``status``, ``expected``, ``rank``, ``condition``, ``max_error`` against the true
        kernel, ``witness_gap`` (the largest relative difference of the two witness kernels' Q-values, by the forward
        code; None where there is no witness), ``seconds`` and ``held``: the status is the expected one, an identified
        kernel is right within 1e-8, and one that is not identified carries a witness that passes its check.
    """
    start = time.perf_counter()
    world = parse_environment(case.environment).mdp
    kernel_class = parse_kernel_class(case.kernel_class, world)
    agent = bellman.solve(world, parse_goals(case.goals, world))
    result = invert(agent, kernel_class)
    gap = _witness_gap(agent, kernel_class, result)
    error = result.max_error(world)
    status = result.verdict.status
    right = error <= TOLERANCE if status is Status.IDENTIFIED else gap is not None
    return {
        "environment": case.environment,
        "n_states": world.n_states,
        "n_actions": world.n_actions,
        "n_goals": agent.n_goals,
        "goals": case.goals,
        "class": case.kernel_class,
        "status": status.name,
        "expected": case.expected.name,
        "rank": result.rank,
        "condition": result.condition,
        "max_residual": float(np.nanmax(result.residual)),
        "max_error": error,
        "witness_gap": gap,
        "seconds": time.perf_counter() - start,
        "held": status is case.expected and right,
    }


def _witness_gap(agent: AgentValues, kernel_class: KernelClass, result: Any) -> float | None:
    witness = result.verdict.witness
    return None if witness is None else check_forward(agent, result.kernel, witness, kernel_class)
