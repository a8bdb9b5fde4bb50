"""One reading of an agent's values, and how far the nearest rows of a class are from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kernel_rows import stacked_rows
from tabular_inversion.recovery import recover_rows
from tabular_inversion.recovery.system import CONSISTENT, RowSystem


@dataclass(frozen=True, eq=False)
class Trial:
    """Values read in one way.

    Attributes
    ----------
    text : str
        The reading in words.
    change : str
        The call that reads the values so.
    agent : AgentValues
        The values so read.
    kernel_class : KernelClass
        Where rows are sought.
    noise : numpy.ndarray, shape (G,), optional
        How far Q-values are from the truth in this reading, beyond what is assumed in all of them.
    """

    text: str
    change: str
    agent: AgentValues
    kernel_class: KernelClass
    noise: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Fit:
    """The nearest rows of a trial's class.

    Attributes
    ----------
    rows : numpy.ndarray or csr_array, shape (rows, S)
        The nearest rows.
    misfit : numpy.ndarray, shape (G, rows)
        ``M p - q``, in the units of Q; 0 where there is no equation.
    allowed : numpy.ndarray, shape (G, rows)
        How large it may be for values as near to the truth as is assumed.
    """

    rows: Kernel
    misfit: FloatArray
    allowed: FloatArray

    @cached_property
    def residual(self) -> float:
        """``max |M p - q|``, in the units of Q."""
        return float(np.abs(self.misfit).max(initial=0.0))

    @cached_property
    def size(self) -> float:
        """The misfit of all rows together, in the 2-norm."""
        return float(np.linalg.norm(self.misfit))

    @cached_property
    def row_fits(self) -> BoolArray:
        """Which rows are explained. Rows are nearest in the 2-norm over goals, so that is where they are judged."""
        return np.asarray(np.linalg.norm(self.misfit, axis=0) <= np.linalg.norm(self.allowed, axis=0))

    @property
    def fits(self) -> bool:
        """Whether every row is explained."""
        return bool(self.row_fits.all())


def fit(trial: Trial, noise: FloatArray, rows: IntArray | None = None) -> Fit:
    """Find the nearest rows of the class.

    Parameters
    ----------
    trial : Trial
        The reading.
    noise : numpy.ndarray, shape (G,)
        How far the Q-values of each goal may be from the truth; 1e-9 of the size of its test functions is allowed
        besides.
    rows : numpy.ndarray of int, optional
        Which rows to look at, as places in ``agent.row_index``; all when omitted.
    """
    agent, tests = trial.agent, trial.agent.test_matrix
    chosen = np.arange(len(agent.row_index)) if rows is None else rows
    values = agent.right_hand_sides[:, chosen]
    equations = ~np.isnan(values)
    found = nearest_rows(tests, values, equations, trial.kernel_class, agent.row_index[chosen])
    misfit = np.where(equations, np.asarray(found @ tests.T).T - values, 0.0)
    allowed = allowed_misfit(trial, noise)
    return Fit(found, misfit, np.where(equations, allowed[:, None], 0.0))


def allowed_misfit(trial: Trial, noise: FloatArray) -> FloatArray:
    """Return how far ``M p - q`` may be from zero for each goal, shape (G,), for values that are within the noise."""
    agent = trial.agent
    values = np.where(np.isnan(agent.right_hand_sides), 0.0, agent.right_hand_sides)
    scale = np.abs(agent.test_matrix).max(axis=1) + np.abs(values).max(axis=1)
    doubt = noise if trial.noise is None else noise + trial.noise
    return np.asarray(CONSISTENT * scale + (1.0 + agent.weights.max(axis=1)) * doubt)


def nearest_rows(
    tests: FloatArray, values: FloatArray, equations: BoolArray, kernel_class: KernelClass, row_index: IntArray
) -> Kernel:
    """Return the members of the class nearest to values in the 2-norm, shape (rows, S).

    Parameters
    ----------
    tests : numpy.ndarray, shape (G, S)
        M.
    values : numpy.ndarray, shape (G, rows)
        What M should give.
    equations : numpy.ndarray of bool, shape (G, rows)
        Which of the values count; rows with the same ones are found together.
    kernel_class : KernelClass
        Where rows are sought.
    row_index : numpy.ndarray of int, shape (rows,)
        By which `Supported` knows them.
    """
    patterns, of = np.unique(equations, axis=1, return_inverse=True)
    parts, places = [], []
    for number in range(patterns.shape[1]):
        where, goals = np.flatnonzero(of.ravel() == number), np.flatnonzero(patterns[:, number])
        if not goals.size:  # no equation: any row will do; one of one dull goal is a member of the class
            tests, goals = np.concatenate([tests, np.zeros((1, tests.shape[1]))]), np.array([len(tests)])
            values = np.concatenate([values, np.zeros((1, values.shape[1]))])
        system = RowSystem.of(tests[goals], values[np.ix_(goals, where)], sums_to_one=kernel_class.sums_to_one)
        parts.append(recover_rows(system, kernel_class, row_index=row_index[where]).rows)
        places.append(where)
    order = np.argsort(np.concatenate(places))
    return stacked_rows(parts, order)
