"""What the experiments on grids of continuous systems share: the world, its agents, and how errors are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, SparseMatrix
from tabular_inversion.agent_values import AgentValues, SolverReport
from tabular_inversion.environments.continuous_systems import ContinuousSystem
from tabular_inversion.environments.interpolation import Grid
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import Supported
from tabular_inversion.mdp import MDP


@dataclass(frozen=True)
class Experiment:
    """A system on a grid, with all that the stages need of it.

    Attributes
    ----------
    system : ContinuousSystem
        MountainCar or Reacher.
    points : int
        Grid points for each coordinate.
    unseen : tuple of str
        Tasks to plan for.
    steps : int
        The longest episode.
    starts : numpy.ndarray, shape (B, d)
        Where episodes start.
    world : MDP
        The true world on the grid.

    Examples
    --------
    >>> from tabular_inversion.environments import MOUNTAIN_CAR
    >>> Experiment.of(MOUNTAIN_CAR, 20, ("fast",), steps=200, n_starts=3, seed=0).world
    MDP(n_states=400, n_actions=3, discount=0.99, sparse)
    """

    system: ContinuousSystem
    points: int
    unseen: tuple[str, ...]
    steps: int
    starts: FloatArray
    world: MDP

    @classmethod
    def of(
        cls, system: ContinuousSystem, points: int, unseen: tuple[str, ...], *, steps: int, n_starts: int, seed: int
    ) -> Experiment:
        """Build the world and draw the starts."""
        return cls(system, points, unseen, steps, system.starts(n_starts, seed=seed), system.mdp(points))

    @property
    def grid(self) -> Grid:
        """The states."""
        return self.system.grid(self.points)

    @cached_property
    def known_cells(self) -> Supported:
        """What is known of the world: for each row the grid points around its arrival, and not how near each is."""
        return Supported.of(self.world)

    def goals(self, task: str) -> Goals:
        """Return the goals of a task on the grid."""
        return self.system.goals(task, self.world)

    def agent(self, task: str, q: FloatArray, report: SolverReport | None = None) -> AgentValues:
        """Return an agent for a task that shows these Q-values and acts greedily; `report` says how wrong they are."""
        return AgentValues(q, self.goals(task), self.world.discount, report=report)

    def returns(self, task: str, q: FloatArray) -> FloatArray:
        """Return what Q-values of a task with one goal earn off the grid, one number for each start."""
        found = self.system.returns(task, q, self.starts, discount=self.world.discount, steps=self.steps)
        return np.asarray(found[0])


def prior_kernel(kernel_class: Supported) -> SparseMatrix:
    """Return the kernel that knows the supports and nothing else: uniform on each."""
    support = kernel_class.support
    weights = np.repeat(1.0 / np.maximum(kernel_class.sizes, 1), kernel_class.sizes)
    return csr_array((weights, support.indices, support.indptr), shape=support.shape)


def displacements(kernel: SparseMatrix, grid: Grid) -> FloatArray:
    """Return how far each row moves the state on average.

    Parameters
    ----------
    kernel : csr_array, shape (S*A, S)
        Rows are distributions, none empty.
    grid : Grid
        The states; along an axis that wraps, the shorter way round counts.

    Returns
    -------
    numpy.ndarray, shape (S, A, d)

    Examples
    --------
    >>> from tabular_inversion.environments import Axis
    >>> turn = csr_array(np.array([[0.0, 0.0, 0.0, 1.0], [0.5, 0.5, 0.0, 0.0]] * 4))
    >>> displacements(turn, Grid([Axis(0.0, 4.0, 4, "wrap")]))[0, :, 0]
    array([-1. ,  0.5])
    """
    coordinates = grid.coordinates
    n_states, n_actions = kernel.shape[1], kernel.shape[0] // kernel.shape[1]
    states = np.repeat(np.repeat(np.arange(n_states), n_actions), np.diff(kernel.indptr))
    moved = np.empty((kernel.shape[0], len(grid.axes)))
    for i, axis in enumerate(grid.axes):
        steps = coordinates[kernel.indices, i] - coordinates[states, i]
        if axis.wraps:
            length = axis.high - axis.low
            steps = np.mod(steps + length / 2, length) - length / 2
        moved[:, i] = np.add.reduceat(kernel.data * steps, kernel.indptr[:-1])
    return moved.reshape(n_states, n_actions, -1)


@dataclass(frozen=True)
class KernelError:
    """How far one kernel is from another.

    Attributes
    ----------
    nmse : float
        Mean squared difference of the expected next states, over the variance of the next state: for each coordinate,
        over all rows, then averaged over coordinates. Comparable to the published world-model NMSE.
    motion_nmse : float
        The same over the variance of the displacement, which is much smaller: the stricter measure.
    variation : float
        Mean total variation distance of the rows.
    largest : float
        The largest difference of two entries.
    """

    nmse: float
    motion_nmse: float
    variation: float
    largest: float


def kernel_error(
    kernel: SparseMatrix, reference: SparseMatrix, grid: Grid, rows: BoolArray | None = None
) -> KernelError:
    """Measure a kernel against another one.

    Parameters
    ----------
    kernel, reference : csr_array, shape (S*A, S)
        Normalised by the variances of the second.
    grid : Grid
        The states.
    rows : numpy.ndarray of bool, shape (S, A), optional
        Which rows to count; all when omitted. Variances are over all rows.
    """
    moved = displacements(reference, grid)
    chosen = np.ones(moved.shape[:2], bool) if rows is None else rows
    if not chosen.any():
        return KernelError(*(float("nan"),) * 4)
    error = ((displacements(kernel, grid) - moved)[chosen] ** 2).mean(axis=0)
    arrival = (grid.coordinates[:, None, :] + moved).var(axis=(0, 1))
    gaps = abs(kernel - reference)
    return KernelError(
        nmse=float((error / arrival).mean()),
        motion_nmse=float((error / moved.var(axis=(0, 1))).mean()),
        variation=float(np.asarray(gaps.sum(axis=1)).reshape(chosen.shape)[chosen].mean() / 2),
        largest=float(gaps.max(axis=1).toarray().reshape(chosen.shape)[chosen].max()),
    )


def value_error(q: FloatArray, exact: FloatArray) -> float:
    """Return the mean squared error of Q-values over the variance of the exact ones, over all goals and rows.

    Examples
    --------
    >>> value_error(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
    0.5
    """
    return float(((q - exact) ** 2).mean() / exact.var())


def early_values(world: MDP, goals: Goals, sweeps: Sequence[int]) -> list[FloatArray]:
    """Return the Q-values of value iteration from zero, stopped after these numbers of sweeps, ascending.

    Examples
    --------
    >>> from tabular_inversion import solve
    >>> from tabular_inversion.environments import chain
    >>> first, later = early_values(chain(3), Goals.indicator(3, [2]), [1, 50])
    >>> exact = solve(chain(3), Goals.indicator(3, [2])).q
    >>> value_error(later, exact) < 1e-6 < value_error(first, exact)
    True
    """
    m, kept = goals.rewards, []
    for sweep in range(1, sweeps[-1] + 1):
        q = world.expectation(m)
        m = goals.rewards + world.discount * goals.continuation * q.max(axis=2)
        if sweep in sweeps:
            kept.append(q)
    return kept
