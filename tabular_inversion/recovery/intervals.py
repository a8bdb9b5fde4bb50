"""What the values say of each row: an interval for each test function, in the scale in which rows are computed.

With exact values the interval is a point. With noise, |Qhat - Q| <= eps, the true row satisfies
``|Mhat p - qhat| <= |q - qhat| + |(M - Mhat) p| <= eps + gamma eps``: state values are averages, maxima or soft maxima
of the Q-values, so they err by eps at most; a continuation is at most 1, and p sums to one. An equation that lost
its digits to a large constant (a discount next to 1) is an interval too, as wide as its rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.recovery.linear_programs import block_size, solve_blocks
from tabular_inversion.recovery.system import CONSISTENT, RowSystem

ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
"""Relative rounding error of computed values, M and right-hand sides."""

_CANCELLED = 1e-5
"""Test functions that vary by less than this part of what they were computed from have lost digits."""


def allowance(agent: AgentValues, noise: float) -> FloatArray:
    """Return how far ``M p`` may be from the right-hand side for each goal, shape (k, 1), in the units of Q."""
    return np.asarray((1.0 + agent.discount) * noise + CONSISTENT * goal_sizes(agent))


def goal_sizes(agent: AgentValues) -> FloatArray:
    """Return the largest number that each goal's equations were computed from, shape (k, 1)."""
    parts = [agent.test_matrix, np.nan_to_num(agent.q)]
    if agent.goals.action_rewards is not None:
        parts.append(agent.goals.action_rewards)
    sizes: FloatArray = np.max([np.abs(part).reshape(agent.n_goals, -1).max(axis=1) for part in parts], axis=0)
    return sizes[:, None]


@dataclass(frozen=True, eq=False)
class Intervals:
    """``|tests @ p - middle| <= half_width`` for each row p, scaled and centred as in `RowSystem`.

    Attributes
    ----------
    tests : numpy.ndarray, shape (k, n)
        Test functions of unit size; a row of zeros for a constant one.
    middle, half_width : numpy.ndarray, shape (k, R)
        The values and how far they may be missed.
    trusted : numpy.ndarray of bool, shape (k,)
        Equations that lost no digits to a constant.
    """

    tests: FloatArray
    middle: FloatArray
    half_width: FloatArray
    trusted: BoolArray

    @classmethod
    def of(cls, agent: AgentValues, rows: IntArray, allowed: FloatArray, *, sums_to_one: bool) -> Intervals:
        """Build for these available rows, with a half width (k, 1) in the units of Q for each goal."""
        values = agent.right_hand_sides[:, rows]
        stacked = np.concatenate([values - allowed, values, values + allowed], axis=1)
        system = RowSystem.of(agent.test_matrix, stacked, sums_to_one=sums_to_one)
        k = agent.n_goals
        low, middle, high = np.split(system.values[:k], 3, axis=1)
        half_width = (high - low) / 2.0
        # Rewards may cancel continuation: what M varies by is then to be compared with what it was computed from.
        spread = np.ptp(agent.test_matrix, axis=1) if sums_to_one else np.abs(agent.test_matrix).max(axis=1)
        whole = goal_sizes(agent)[:, 0]
        tests = np.where((spread > ROUNDING * whole)[:, None], system.matrix[:k], 0.0)
        blank = ~tests.any(axis=1, keepdims=True)
        size = np.maximum(np.abs(middle), half_width).max(axis=1, keepdims=True)
        unit = np.where(blank & (size > 0), size, 1.0)
        return cls(tests, middle / unit, half_width / unit, spread > _CANCELLED * whole)

    @classmethod
    def relaxed(cls, agent: AgentValues, rows: IntArray, noise: float, *, sums_to_one: bool) -> Intervals:
        """Build the relaxed equations that the true row satisfies, rounding included."""
        allowed = (1.0 + agent.discount) * noise + ROUNDING * goal_sizes(agent)
        return cls.of(agent, rows, allowed, sums_to_one=sums_to_one)

    @property
    def informative(self) -> BoolArray:
        """Which test functions are not constant, shape (k,)."""
        return np.asarray(self.tests.any(axis=1))

    def least_misses(self, columns: IntArray, rows: IntArray, *, signed: bool) -> tuple[FloatArray, FloatArray]:
        """Find the points that miss their values least, in multiples of the half widths.

        Parameters
        ----------
        columns : numpy.ndarray of int, shape (B, N)
            Which states each point may use; n as a filler.
        rows : numpy.ndarray of int, shape (B,)
            Numbers of rows.
        signed : bool
            Whether points are distributions, or any vectors.

        Returns
        -------
        misses : numpy.ndarray, shape (B,)
            ``min_p max_g |tests p - middle| / half_width``.
        points : numpy.ndarray, shape (B, N)
            Where it is attained.
        """
        misses, points = np.empty(len(rows)), np.empty(columns.shape)
        block = block_size(columns.shape[1] + 2 * len(self.tests) + 1)
        for start in range(0, len(rows), block):
            part = slice(start, start + block)
            misses[part], points[part] = self._least_misses(columns[part], rows[part], signed=signed)
        return misses, points

    def _least_misses(self, columns: IntArray, rows: IntArray, *, signed: bool) -> tuple[FloatArray, FloatArray]:
        """Solve one block; the variables are p, the miss, and what is left to either end of each interval."""
        k, (n_blocks, n_places) = len(self.tests), columns.shape
        padded = np.concatenate([self.tests, np.zeros((k, 1))], axis=1)
        tests = np.moveaxis(padded[:, columns], 0, 1)
        width = self.half_width[:, rows].T[:, :, None]
        unit = np.where(width.max(axis=1) > 0, width.max(axis=1), 1.0)[:, :, None]
        eye, zero = np.broadcast_to(np.eye(k), (n_blocks, k, k)), np.zeros((n_blocks, k, k))
        kept = columns < self.tests.shape[1]
        total = np.concatenate([kept & signed, np.zeros((n_blocks, 2 * k + 1))], axis=1)[:, None, :]
        equations = np.concatenate(
            [
                np.concatenate([tests, width / unit, -eye, zero], axis=2),
                np.concatenate([tests, -width / unit, zero, eye], axis=2),
                total,
            ],
            axis=1,
        )
        middle = self.middle[:, rows].T
        values = np.concatenate([middle, middle, np.full((n_blocks, 1), float(signed))], axis=1)
        rest = np.zeros((n_blocks, 2 * k + 1))
        lower = np.concatenate([np.where(kept, 0.0 if signed else -np.inf, 0.0), rest], axis=1)
        upper = np.concatenate([np.where(kept, np.inf, 0.0), rest + np.inf], axis=1)
        cost = np.zeros(lower.shape)
        cost[:, n_places] = 1.0
        found = solve_blocks(cost, equations, values, lower, upper)
        return found[:, n_places] / unit[:, 0, 0], found[:, :n_places]


def refusal(
    agent: AgentValues, kernel_class: KernelClass, noise: float, row: int, n_bad: int, point: FloatArray
) -> AgentValuesError:
    """Return the error for values that no row of the class explains: where, how far off at best, and what helps.

    Parameters
    ----------
    agent, kernel_class, noise
        What was asked.
    row : int
        Number of an available row that has no member.
    n_bad : int
        How many rows have none.
    point : numpy.ndarray, shape (S,)
        The row of the class that comes nearest to the values.
    """
    state, action = divmod(int(agent.row_index[row]), agent.n_actions)
    gap, allowed = np.abs(agent.test_matrix @ point - agent.right_hand_sides[:, row]), allowance(agent, noise)[:, 0]
    goal = int((gap / np.where(allowed > 0, allowed, 1.0)).argmax())
    return AgentValuesError(
        f"no row of class {kernel_class.name!r} has the values of state {state}, action {action} ({n_bad} of "
        f"{len(agent.row_index)} rows have none): at best |M p - Q| is {gap[goal]:.4g}, under goal {goal}, where "
        f"{allowed[goal]:.4g} would be allowed. Check rewards, discount and policy, widen the class, or state the "
        "noise of the values."
    )
