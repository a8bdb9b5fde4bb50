"""What exact values leave open in FourRooms: errors that such kernels can have, returns that tasks can have."""

from __future__ import annotations

import numpy as np

from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.equivalence import ValueEquivalence, value_equivalence
from tabular_inversion.experiments.four_rooms_agents import mse
from tabular_inversion.experiments.four_rooms_cases import Case
from tabular_inversion.experiments.run_folder import Arrays, RunFolder
from tabular_inversion.identifiability import identify
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.mdp import MDP
from tabular_inversion.planning import robust


def run_classes(task: tuple[RunFolder, Case]) -> Arrays:
    """Describe the value-equivalence classes of the exact agent, unless the folder has that already.

    Parameters
    ----------
    task : (RunFolder, Case)
        Where to keep it, and for whose goals.

    Returns
    -------
    dict of str to numpy.ndarray
        For each state of knowledge K: ``rows K``, how many rows are identified; ``attained mse K``, the largest
        error among four members, and ``largest mse K``, which no member exceeds; ``lower K`` and ``upper K``
        (tasks, S), the range of optimal values of the unseen tasks over the class; ``guaranteed K`` (tasks, S), what
        the policy with the best guarantee is worth in the true world.
    """
    folder, case = task
    return folder.stage(f"classes-{case.name}", lambda: _describe_all(case))


def _describe_all(case: Case) -> Arrays:
    found: Arrays = {}
    for name, kernel_class in case.knowledge.items():
        found |= {f"{what} {name}": values for what, values in _describe(case, kernel_class).items()}
    return found


def _describe(case: Case, kernel_class: KernelClass) -> Arrays:
    agent = solve(case.world, case.goals)
    sets = value_equivalence(agent, kernel_class)
    tasks = [case.unseen_goals.select([g]) for g in range(case.unseen_goals.n_goals)]
    plans = [robust(sets, task) for task in tasks]
    members = [world.dense() for found in plans for world in (found.lower_world, found.upper_world)]
    return {
        "rows": np.array(identify(agent, kernel_class).rows_identified),
        "attained mse": np.array(max(mse(member, case.world) for member in members)),
        "largest mse": np.array(largest_mse(sets, case.world)),
        "lower": np.stack([found.lower for found in plans]),
        "upper": np.stack([found.upper for found in plans]),
        "guaranteed": np.stack(
            [evaluate(case.world, task, found.policy).v[0] for task, found in zip(tasks, plans, strict=True)]
        ),
    }


def largest_mse(sets: ValueEquivalence, truth: MDP) -> float:
    """Return a bound on the mean squared error of any member: every entry at its end that is further from the truth.

    Examples
    --------
    >>> from tabular_inversion import Deterministic, Goals
    >>> from tabular_inversion.environments import chain
    >>> world = chain(3)
    >>> largest_mse(value_equivalence(solve(world, Goals.generic(3, 1, seed=0)), Deterministic()), world)
    0.0
    """
    ends, true = sets.bounds(), truth.toarray()
    return float((np.maximum(ends.upper - true, true - ends.lower) ** 2).mean())
