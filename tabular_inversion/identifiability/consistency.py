"""Which rows no member of the class explains: beyond rounding, and beyond what noise allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Supported
from tabular_inversion.recovery.intervals import Intervals, allowance
from tabular_inversion.recovery.system import CONSISTENT


@dataclass(frozen=True, eq=False)
class Consistency:
    """Which available rows have a member of the class with their values.

    Attributes
    ----------
    impossible : numpy.ndarray of bool, shape (rows,)
        No member comes near enough to the values.
    unknown : numpy.ndarray of bool, shape (rows,)
        The recovered row does not, and whether another one does was not found out (`Sparse` under noise only).
    residuals : numpy.ndarray, shape (rows,)
        ``max_g |M p - q|`` of the recovered rows, relative to the size of M's row g.
    """

    impossible: BoolArray
    unknown: BoolArray
    residuals: FloatArray

    @property
    def possible(self) -> IntArray:
        """Numbers of the rows that some member may explain."""
        return np.flatnonzero(~self.impossible)

    def reason(self, agent: AgentValues) -> str:
        """Say how many rows are impossible, and where the values are missed most."""
        bad = np.flatnonzero(self.impossible)
        worst = int(bad[self.residuals[bad].argmax()])
        state, action = divmod(int(agent.row_index[worst]), agent.n_actions)
        return (
            f"no member of the class explains {bad.size} of {len(self.residuals)} rows; the worst is state {state}, "
            f"action {action}, where the nearest row leaves |M p - Q| = {self.residuals[worst]:.3g}, relative to the "
            "size of M"
        )


def consistency(agent: AgentValues, kernel_class: KernelClass, rows: Kernel, noise: float) -> Consistency:
    """Compare the values with those of recovered rows, and where these do not fit, with those of all others.

    Parameters
    ----------
    agent : AgentValues
        The values.
    kernel_class : KernelClass
        K.
    rows : numpy.ndarray or csr_array, shape (rows, S)
        Members of the class that come near to the values, in any sense.
    noise : float
        How far each Q-value may be from the truth.

    Notes
    -----
    Rows that are nearest in least squares can miss a value by more than the noise although others miss none, so under
    noise the least largest miss decides: a linear program for each row, or the columns one by one.
    """
    size = np.abs(agent.test_matrix).max(axis=1, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    gap = np.abs((rows @ agent.test_matrix.T).T - agent.right_hand_sides)
    residuals = (gap / size).max(axis=0)
    impossible = (gap > CONSISTENT * size + (1.0 + agent.discount) * noise).any(axis=0)
    unknown = np.zeros(len(residuals), bool)
    suspects = np.flatnonzero(impossible)
    if noise > 0 and suspects.size:
        impossible[suspects] = _least_misses(agent, kernel_class, suspects, noise) > 1.0 + CONSISTENT
        if isinstance(kernel_class, Sparse):
            unknown[suspects] = ~impossible[suspects]
    return Consistency(impossible, unknown, residuals)


def _least_misses(agent: AgentValues, kernel_class: KernelClass, rows: IntArray, noise: float) -> FloatArray:
    """Return ``min_p max_g |M p - q|`` over the class (`Sparse`: over all distributions), in units of the allowance."""
    allowed = allowance(agent, noise)
    if isinstance(kernel_class, Deterministic):
        columns, values = agent.test_matrix / allowed, agent.right_hand_sides[:, rows] / allowed
        return np.asarray(cdist(values.T, columns.T, "chebyshev").min(axis=1))
    intervals = Intervals.of(agent, rows, allowed, sums_to_one=kernel_class.sums_to_one)
    places = np.broadcast_to(np.arange(agent.n_states), (len(rows), agent.n_states))
    if isinstance(kernel_class, Supported):
        support = csr_array(kernel_class.rows(agent.row_index[rows]))
        support.sort_indices()
        sizes = np.diff(support.indptr)
        places = np.full((len(sizes), int(sizes.max())), agent.n_states)
        places[np.arange(places.shape[1]) < sizes[:, None]] = support.indices
    return intervals.least_misses(places, np.arange(len(rows)), signed=kernel_class.sums_to_one)[0]
