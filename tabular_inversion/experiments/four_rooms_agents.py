"""One agent of FourRooms: it learns, its world is recovered on the way, and unseen tasks are planned at the end.

Everything is kept as it is made, so that an interrupted run goes on from the last measurement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tabular_inversion import storage
from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import solve
from tabular_inversion.experiments.four_rooms_cases import Case
from tabular_inversion.experiments.run_folder import Arrays, RunFolder
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.learning import QLearner, Simulator, learning_curve
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised
from tabular_inversion.planning import plan
from tabular_inversion.recovery import recover
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE

CURVE_KIND = "learning-curve"
Q_ERROR = "error of Q"
AgentTask = tuple[RunFolder, Case, tuple[int, ...]]


def run_agent(task: AgentTask) -> Arrays:
    """Train one agent and measure it, unless the folder has it already.

    Parameters
    ----------
    task : (RunFolder, Case, tuple of int)
        Where to keep it, which agent, and after how many steps to measure.

    Returns
    -------
    dict of str to numpy.ndarray
        ``steps`` as taken, ``error of Q`` and ``mse K`` for each state of knowledge K at these steps; ``exact mse K``,
        what the same estimator makes of exact values; ``optimal`` values (tasks, S) of the unseen tasks, and what plans
        made in the recovered worlds are worth in the true one, ``value K`` (tasks, S), by ``policy K`` (tasks, S).
    """
    folder, case, steps = task
    kept = folder.stage(case.name, lambda: _train(folder, case, steps))
    for name in _checkpoints(case):
        folder.checkpoint(name).unlink(missing_ok=True)
    return kept


def recovered_world(agent: AgentValues, kernel_class: KernelClass) -> MDP:
    """Return the world that explains the values best, and among equals the one nearest to uniform rows.

    Without the verdict that `invert` brings: it is asked once, for exact values, and not after every measurement.

    Examples
    --------
    >>> case = Case("deterministic", 1, 0)
    >>> mse(recovered_world(solve(case.world, case.goals), case.knowledge["deterministic"]), case.world)
    0.0
    """
    found = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index)
    rows = normalised(found.kernel(agent.row_index, agent.available), within=MEMBERSHIP_TOLERANCE).kernel
    return MDP(rows, agent.discount, agent.available).dense()


def mse(world: MDP, truth: MDP) -> float:
    """Return the mean of the squared error over all (s, a, s').

    Examples
    --------
    >>> mse(Case("windy", 1, 0).world, Case("deterministic", 1, 0).world) > 0.005
    True
    """
    return float(((world.kernel - truth.kernel) ** 2).mean())


def _train(folder: RunFolder, case: Case, steps: Sequence[int]) -> Arrays:
    exact = solve(case.world, case.goals)
    learner, rows = _resume(folder, case)
    measures = {Q_ERROR: lambda agent: float(np.abs(agent.q - exact.q).max())} | {
        f"mse {name}": lambda agent, kernel_class=kernel_class: mse(recovered_world(agent, kernel_class), case.world)
        for name, kernel_class in case.knowledge.items()
    }
    learner_file, curve_file = (folder.checkpoint(name) for name in _checkpoints(case))
    for target in steps[len(rows) :]:
        measured = learning_curve(learner, [target], measures)
        rows = np.concatenate([rows, np.stack(list(measured.values()), axis=1)])
        # The curve first: if the learner's file is older, the rows beyond it are measured again.
        storage.write(curve_file, CURVE_KIND, {"rows": rows}, {})
        learner.save(learner_file)
    curve = dict(zip(("steps", *measures), rows.T, strict=True))
    return curve | _exact_errors(case, exact) | _plans(case, learner.agent)


def _checkpoints(case: Case) -> tuple[str, str]:
    return f"{case.name}-learner", f"{case.name}-curve"


def _resume(folder: RunFolder, case: Case) -> tuple[QLearner, FloatArray]:
    """Return the learner as it was last kept, or a new one, and what was measured of it so far (times, measures)."""
    simulator = Simulator(case.world)
    learner_file, curve_file = (folder.checkpoint(name) for name in _checkpoints(case))
    if not learner_file.is_file():
        fresh = QLearner(simulator, case.goals, case.world.discount, settings=case.settings, seed=case.seed)
        return fresh, np.zeros((0, 2 + len(case.knowledge)))
    learner = QLearner.load(learner_file, simulator, case.goals)
    rows = storage.read(curve_file, CURVE_KIND)[0]["rows"]
    return learner, rows[rows[:, 0] <= learner.steps]


def _exact_errors(case: Case, exact: AgentValues) -> Arrays:
    """Return what each estimator makes of the values that the agent would have at last."""
    return {
        f"exact mse {name}": np.array(mse(recovered_world(exact, kernel_class), case.world))
        for name, kernel_class in case.knowledge.items()
    }


def _plans(case: Case, agent: AgentValues) -> Arrays:
    """Plan the unseen tasks in the recovered worlds, and evaluate the plans in the true one."""
    best = plan(case.world, case.unseen_goals)
    found: Arrays = {"optimal": best.values, "optimal policy": best.policy.argmax(axis=2)}
    for name, kernel_class in case.knowledge.items():
        made = plan(recovered_world(agent, kernel_class), case.unseen_goals)
        found[f"value {name}"] = made.values_in(case.world)
        found[f"policy {name}"] = made.policy.argmax(axis=2)
    return found
