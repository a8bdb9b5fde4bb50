"""What the values say of each row: an interval for each test function, in the scale in which rows are computed.

``|Mhat p - qhat| <= |(M - Mhat) p| + |q - qhat|``, and p sums to one: so each interval is as wide as the largest
uncertainty of an entry of M and that of the right-hand side, both of which `RowSystem` bounds. Exact values have
intervals as wide as their rounding; noise eps of the Q-values widens them by (1 + discount) eps, since state values are
averages, maxima or soft maxima of Q-values and a continuation is at most 1. An equation that lost its digits to a large
constant (a discount next to 1) has an interval as wide as what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.recovery.equations import TINY, rounding
from tabular_inversion.recovery.linear_programs import (
    LINEAR_PROGRAM_TOLERANCE,
    Constraints,
    block_size,
    least_values,
    solve_blocks,
)
from tabular_inversion.recovery.system import RowSystem

ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
"""Relative rounding error of computed values, M and right-hand sides."""

LOOSE = 10.0 * LINEAR_PROGRAM_TOLERANCE
"""Half as wide, in unit scale, as intervals that a linear program can tell from equations; narrower ones are those."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """``|tests @ p - middle| <= half_width`` for each row p, scaled and centred as in `RowSystem`.

    Attributes
    ----------
    tests : numpy.ndarray, shape (k, n)
        Test functions of unit size; a row of zeros for a constant one.
    middle, half_width : numpy.ndarray, shape (k, R)
        The values and how far they may be missed.
    """

    tests: FloatArray
    middle: FloatArray
    half_width: FloatArray

    @classmethod
    def of(cls, system: RowSystem, rows: IntArray) -> Intervals:
        """Build for some of the right-hand sides of a system."""
        k = len(system.test_matrix)
        tests, middle = system.matrix[:k], system.values[:k, rows]
        doubt = system.uncertainty[:k].max(axis=1, keepdims=True) + system.value_uncertainty[:k, rows]
        half_width = (1.0 + rounding(4)) * doubt + TINY
        blank = ~tests.any(axis=1, keepdims=True)
        size = np.maximum(np.abs(middle), half_width).max(axis=1, keepdims=True)
        exponents = np.where(blank, -np.frexp(size)[1], 0)  # a power of two: no digit is lost
        return cls(tests, np.ldexp(middle, exponents), np.ldexp(half_width, exponents))

    @property
    def loose(self) -> BoolArray:
        """Which tests leave a row more than a linear program's rounding, shape (k,)."""
        return np.asarray(self.half_width.max(axis=1) > LOOSE)

    def constraints(self, columns: IntArray) -> Constraints:
        """Return what is known of the rows, given the states (R, N) that each may reach."""
        return Constraints(self.tests, self.middle.T, self.half_width.T, columns)

    @property
    def informative(self) -> BoolArray:
        """Which test functions are not constant, shape (k,)."""
        return np.asarray(self.tests.any(axis=1))

    def least_misses(
        self, columns: IntArray, rows: IntArray, *, signed: bool
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
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
            Where it is attained, up to what the solver may err.
        impossible : numpy.ndarray of bool, shape (B,)
            Proved for distributions, by a combination of tests: no row on these columns has values in the intervals.
        """
        misses, points, impossible = np.empty(len(rows)), np.empty(columns.shape), np.zeros(len(rows), bool)
        block = block_size(columns.shape[1] + 2 * len(self.tests) + 1)
        for start in range(0, len(rows), block):
            part = slice(start, start + block)
            misses[part], points[part], combinations = self._least_misses(columns[part], rows[part], signed=signed)
            if signed:
                known = Constraints(self.tests, self.middle[:, rows[part]].T, self.half_width[:, rows[part]].T,
                                    columns[part])  # fmt: skip
                everyone, nothing = np.arange(len(combinations)), np.zeros(columns[part].shape)
                impossible[part] = least_values(known, everyone, nothing, combinations) > 0.0
        return misses, points, impossible

    def _least_misses(
        self, columns: IntArray, rows: IntArray, *, signed: bool
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
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
        combinations = found.multipliers[:, :k] + found.multipliers[:, k : 2 * k]
        misses = np.where(found.solved, found.points[:, n_places] / unit[:, 0, 0], np.inf)
        return misses, found.points[:, :n_places], combinations


def refusal(
    agent: AgentValues, kernel_class: KernelClass, system: RowSystem, row: int, n_bad: int, point: FloatArray
) -> AgentValuesError:
    """Return the error for values that no row of the class explains: where, how far off at best, and what helps.

    Parameters
    ----------
    agent, kernel_class
        What was asked.
    system : RowSystem
        Of the agent, with its noise.
    row : int
        Number of an available row that has no member.
    n_bad : int
        How many rows have none.
    point : numpy.ndarray, shape (S,)
        The row of the class that comes nearest to the values.
    """
    state, action = divmod(int(agent.row_index[row]), agent.n_actions)
    gap = np.abs(agent.test_matrix @ point - agent.right_hand_sides[:, row])
    allowed = system.matrix_error.max(axis=1) + system.right_hand_error[:, row] + TINY
    goal = int((gap / allowed).argmax())
    return AgentValuesError(
        f"no row of class {kernel_class.name!r} has the values of {agent.name_of(state, action)} ({n_bad} of "
        f"{len(agent.row_index)} rows have none): at best |M p - Q| is {gap[goal]:.4g}, under "
        f"{agent.name_of_goal(goal)}, where "
        f"{allowed[goal]:.4g} would be allowed. Check rewards, discount and policy, widen the class, or state the "
        "noise of the values."
    )
