"""The stages of an experiment on a grid of a continuous system, each from arrays to arrays, so that runs resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, SparseMatrix
from tabular_inversion.agent_values import AgentValues, SolverReport
from tabular_inversion.bellman import solve
from tabular_inversion.equivalence import value_equivalence
from tabular_inversion.experiments.continuous_worlds import (
    Experiment,
    early_values,
    kernel_error,
    prior_kernel,
    value_error,
)
from tabular_inversion.experiments.run_folder import Arrays, RunFolder
from tabular_inversion.identifiability import Status, identify
from tabular_inversion.kernel_classes import Supported
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.planning import plan, robust
from tabular_inversion.recovery import recover


@dataclass(frozen=True, eq=False)
class Inverted:
    """An exact agent, the world recovered from its values, and which rows these determine.

    Attributes
    ----------
    agent : AgentValues
        Its Q-values.
    kernel : csr_array, shape (S*A, S)
        The recovered world.
    status : numpy.ndarray of int8, shape (S, A)
        A `Status` for each row.
    facts : mapping from str to float
        The solver's Bellman residual; the largest residual of a recovered row and the condition of the systems; whether
        two worlds with the same values were found and checked.
    """

    agent: AgentValues
    kernel: SparseMatrix
    status: BoolArray
    facts: Mapping[str, float]

    @property
    def identified(self) -> BoolArray:
        """Which rows are identified, bool array (S, A)."""
        return np.asarray(self.status == Status.IDENTIFIED)


def invert_task(folder: RunFolder, experiment: Experiment, task: str, tell: Callable[[], None]) -> Inverted:
    """Solve a task exactly, recover the world from its values alone, and judge each row: three stages.

    Parameters
    ----------
    folder : RunFolder
        Where the stages are kept.
    experiment : Experiment
        The world.
    task : str
        What the agent was trained for.
    tell : callable
        Called after each stage.
    """
    solved = folder.stage(f"agent-{task}", lambda: solve_task(experiment, task))
    tell()
    # Without the errors that the solver states, values that differ by them alone would tell mirrored states apart.
    residual, stated = float(solved["residual"]), solved["errors"].tolist()
    report = SolverReport("stored", iterations=0, residual=residual, converged=True, goal_errors=stated or None)
    agent = experiment.agent(task, solved["q"], report)
    found = folder.stage(f"inversion-{task}", lambda: recover_rows(agent, experiment.known_cells))
    tell()
    judged = folder.stage(f"identifiability-{task}", lambda: judge_rows(agent, experiment.known_cells))
    tell()
    facts = {
        "Bellman residual of the agent": float(solved["residual"]),
        "largest residual of a recovered row": float(found["residual"]),
        "largest condition number": float(found["condition"]),
        "two worlds with the same values were found and checked": bool(judged["witness"]),
    }
    return Inverted(agent, kernel_of(found, experiment.world.n_states), judged["status"], facts)


def solve_task(experiment: Experiment, task: str) -> Arrays:
    """Return the exact Q-values of a task, the solver's Bellman residual, and a bound on each goal's error."""
    agent = solve(experiment.world, experiment.goals(task))
    report: Any = agent.report
    return {"q": agent.q, "residual": np.array(report.residual), "errors": np.array(report.goal_errors or ())}


def recover_rows(agent: AgentValues, kernel_class: Supported) -> Arrays:
    """Return the recovered kernel as the parts of a CSR matrix, with the largest residual and condition."""
    found = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index)
    rows = sparse_rows(found.rows)
    return {
        "data": np.asarray(rows.data),
        "indices": rows.indices,
        "indptr": rows.indptr,
        "residual": np.array(found.residual.max()),
        "condition": np.array(found.condition),
    }


def kernel_of(rows: Arrays, n_states: int) -> SparseMatrix:
    """Return the kernel that `recover_rows` found, CSR (S*A, S)."""
    shape = (len(rows["indptr"]) - 1, n_states)
    return csr_array((rows["data"], rows["indices"], rows["indptr"]), shape=shape)


def judge_rows(agent: AgentValues, kernel_class: Supported) -> Arrays:
    """Return the `Status` of each row, shape (S, A), and whether a witness was found and checked."""
    verdict = identify(agent, kernel_class)
    return {"status": verdict.row_status, "witness": np.array(verdict.witness is not None)}


def coarse_agents(
    experiment: Experiment,
    exact: AgentValues,
    sweeps: Sequence[int],
    noise: Sequence[float],
    *,
    seed: int,
    planned: bool,
) -> Arrays:
    """Recover the world from agents that are wrong on purpose.

    Parameters
    ----------
    experiment : Experiment
        The world.
    exact : AgentValues
        The exact agent of the same goals.
    sweeps : sequence of int
        After how many sweeps value iteration stops, ascending.
    noise : sequence of float
        Half the width of the uniform noise that is added to the exact values.
    seed : int
        Of the noise.
    planned : bool
        Whether to plan for the unseen tasks in each of the worlds.

    Returns
    -------
    mapping
        For each of the W agents ``q_nmse``, ``model_nmse``, mean total ``variation`` of the rows, ``setting`` (how many
        sweeps, or the noise) and ``stopped_early``; where planned, ``returns`` (W, T, B). Also ``prior_nmse``, of the
        kernel that uses no values.
    """
    rng = np.random.default_rng(seed)
    early = early_values(experiment.world, exact.goals, sweeps)
    noisy = [exact.q + rng.uniform(-scale, scale, exact.q.shape) for scale in noise]
    errors, returns = [], []
    for q in early + noisy:
        agent = AgentValues(q, exact.goals, exact.discount)
        kernel = kernel_of(recover_rows(agent, experiment.known_cells), agent.n_states)
        errors.append(kernel_error(kernel, sparse_rows(experiment.world.rows), experiment.grid))
        if planned:
            plans = [
                (task, plan(kernel, experiment.goals(task), discount=exact.discount)) for task in experiment.unseen
            ]
            returns.append([experiment.returns(task, found.agent.q) for task, found in plans])
    found = {
        "q_nmse": np.array([value_error(q, exact.q) for q in early + noisy]),
        "model_nmse": np.array([error.nmse for error in errors]),
        "variation": np.array([error.variation for error in errors]),
        "setting": np.array([*sweeps, *noise], dtype=np.float64),
        "stopped_early": np.arange(len(errors)) < len(early),
        "prior_nmse": np.array(
            kernel_error(prior_kernel(experiment.known_cells), sparse_rows(experiment.world.rows), experiment.grid).nmse
        ),
    }
    return found | {"returns": np.array(returns)} if planned else found


def plan_unseen(experiment: Experiment, worlds: Mapping[str, SparseMatrix]) -> Arrays:
    """Plan for the unseen tasks in W kernels; run the plans off the grid, and evaluate them in the true grid world.

    Parameters
    ----------
    experiment : Experiment
        The true world, the tasks and the starts.
    worlds : mapping from str to csr_array
        Where to plan; what is called ``"true"`` is taken to be the true world.

    Returns
    -------
    mapping
        ``returns`` (W, T, B), one for each start. In the true grid world, each (W, T): ``value``, the mean over states
        of what the plan is worth there; ``shortfall``, the largest value that it loses in any state; ``believed``, the
        largest error of a value that the kernel promises.
    """
    exact = {task: plan(experiment.world, experiment.goals(task)) for task in experiment.unseen}
    shape = (len(worlds), len(experiment.unseen))
    returns = np.empty((*shape, len(experiment.starts)))
    value, shortfall, believed = np.empty(shape), np.empty(shape), np.empty(shape)
    for i, (name, kernel) in enumerate(worlds.items()):
        for j, task in enumerate(experiment.unseen):
            best = exact[task]
            found = best if name == "true" else plan(kernel, best.agent.goals, discount=experiment.world.discount)
            worth = best.values if name == "true" else found.values_in(experiment.world)
            returns[i, j] = experiment.returns(task, found.agent.q)
            value[i, j], shortfall[i, j] = worth.mean(), (best.values - worth).max()
            believed[i, j] = np.abs(best.values - found.values).max()
    return {"returns": returns, "value": value, "shortfall": shortfall, "believed": believed}


def robust_ranges(agent: AgentValues, experiment: Experiment) -> Arrays:
    """Bound the optimal values of the unseen tasks over all worlds on the known cells with the agent's values (S3).

    Returns
    -------
    mapping
        ``lower`` and ``upper`` (T, S), the ends of each state's interval; ``error`` (T,), how far these may be off.
    """
    sets = value_equivalence(agent, experiment.known_cells)
    found = [robust(sets, experiment.goals(task)) for task in experiment.unseen]
    return {
        "lower": np.stack([one.lower for one in found]),
        "upper": np.stack([one.upper for one in found]),
        "error": np.array([one.error for one in found]),
    }


def steps_done(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    """Return a function to call after each stage, which tells ``progress(done, total)``."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return step
