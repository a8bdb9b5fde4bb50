"""Which rows no member of the class explains: proved, beyond rounding and beyond what noise allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel, SparseMask
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.identifiability.pieces import RowNames
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.recovery.column_matching import two_nearest, value_scale
from tabular_inversion.recovery.equations import TINY, left_inverse, rounding
from tabular_inversion.recovery.linear_programs import block_size, solve_blocks
from tabular_inversion.recovery.misfits import explains, misfits
from tabular_inversion.recovery.system import RowSystem

_NUMBERS = 2**21
"""In one block, 16 MB."""


@dataclass(frozen=True, eq=False)
class Consistency:
    """Which available rows have a member of the class with their values.

    Attributes
    ----------
    impossible : numpy.ndarray of bool, shape (rows,)
        Proved: no member comes near enough to the values.
    unknown : numpy.ndarray of bool, shape (rows,)
        The recovered row does not, and whether another one does was not found out.
    residuals : numpy.ndarray, shape (rows,)
        ``max_g |M p - q|`` of the recovered rows, in the units of Q.
    """

    impossible: BoolArray
    unknown: BoolArray
    residuals: FloatArray

    @property
    def possible(self) -> IntArray:
        """Numbers of the rows that some member may explain."""
        return np.flatnonzero(~self.impossible)

    def reason(self, agent: AgentValues | RowNames) -> str:
        """Say how many rows are impossible, and where the values are missed most."""
        bad = np.flatnonzero(self.impossible)
        worst = int(bad[self.residuals[bad].argmax()])
        state, action = divmod(int(agent.row_index[worst]), agent.n_actions)
        return (
            f"no member of the class explains {bad.size} of {len(self.residuals)} rows; the worst is "
            f"{agent.name_of(state, action)}, where the nearest row leaves |M p - Q| = {self.residuals[worst]:.3g}"
        )


def consistency(
    system: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel, residuals: FloatArray
) -> Consistency:
    """Compare the values with those of recovered rows, and where these do not fit, look for a proof that none do.

    Parameters
    ----------
    system : RowSystem
        Of the agent.
    kernel_class : KernelClass
        K.
    row_index : numpy.ndarray of int, shape (rows,)
        Numbers s*A + a of the available rows.
    rows : numpy.ndarray or csr_array, shape (rows, S)
        Members of the class that come near to the values, in any sense.
    residuals : numpy.ndarray, shape (rows,)
        Of these rows, in the units of Q.

    Notes
    -----
    A distribution p has the values q only if no combination y of goals has ``y.M > y.q`` at every state (Farkas); that
    is checked with the uncertainty of M and q and with the rounding of the check. The misfit of the recovered row is
    tried as y first: for the nearest point of a polytope it separates. Then the multipliers of a linear program are.
    """
    impossible, unknown = CONSISTENCY.of(kernel_class)(system, kernel_class, row_index, rows)
    return Consistency(impossible, unknown, residuals)


_Found = tuple[BoolArray, BoolArray]
"""Which rows no member of the class explains, and for which that is open."""


def _suspects(system: RowSystem, rows: Kernel, judge: Callable[[RowSystem, IntArray, FloatArray], _Found]) -> _Found:
    """Ask ``judge(part, suspects, misfit)``, which rows are proved impossible and which possible, where rows misfit."""
    misfit, within = misfits(system, rows)
    suspects = np.flatnonzero((np.abs(misfit) > within).any(axis=0))
    impossible, unknown = np.zeros((2, misfit.shape[1]), bool)
    if suspects.size:
        proved, possible = judge(system.select(suspects), suspects, misfit[:, suspects])
        impossible[suspects] = proved
        unknown[suspects] = ~proved & ~possible
    return impossible, unknown


def _vectors(system: RowSystem, _class: KernelClass, row_index: IntArray, rows: Kernel) -> _Found:
    if system.equations_independent:
        nothing = np.zeros(len(row_index), bool)
        return nothing, nothing

    def judge(part: RowSystem, suspects: IntArray, missed: FloatArray) -> _Found:
        return _unsolvable(part, rows[suspects], missed), np.zeros(len(suspects), bool)

    return _suspects(system, rows, judge)


def _distributions(system: RowSystem, kernel_class: KernelClass, row_index: IntArray, rows: Kernel) -> _Found:
    def judge(part: RowSystem, suspects: IntArray, missed: FloatArray) -> _Found:
        return _separated(part, kernel_class.known_supports(row_index[suspects]), missed)

    return _suspects(system, rows, judge)


def _few_successors(system: RowSystem, kernel_class: Sparse, row_index: IntArray, rows: Kernel) -> _Found:
    if kernel_class.max_successors == 1:
        return _vertices(system, kernel_class, row_index, rows)

    def judge(part: RowSystem, suspects: IntArray, missed: FloatArray) -> _Found:
        # That a distribution fits is no answer: it may have more successors than allowed.
        proved, _ = _separated(part, None, missed)
        return proved, np.zeros(len(suspects), bool)

    return _suspects(system, rows, judge)


def _vertices(system: RowSystem, _class: KernelClass, row_index: IntArray, _rows: Kernel) -> _Found:
    columns, values = value_scale(system)
    return np.asarray(two_nearest(columns, values)[1] > 1.0), np.zeros(len(row_index), bool)


CONSISTENCY: ClassTable[Callable[[RowSystem, Any, IntArray, Kernel], _Found]] = ClassTable(
    "the proof that no row of the class has given values",
    {
        Unconstrained: _vectors,
        Stochastic: _distributions,
        Supported: _distributions,
        Sparse: _few_successors,
        Deterministic: _vertices,
    },
)
"""By class, ``judge(system, kernel_class, row_index, rows)``: which rows nothing explains, and where that is open."""


def _separated(system: RowSystem, allowed: SparseMask | None, misfit: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Tell for which rows a combination of goals separates the values from all distributions, or one fits them.

    The rows were sought with equations weighed by their certainty: in that scale their misfit separates.
    """
    weights = 2 * system.certainty
    proved = _separates(system, allowed, misfit.T) | _separates(system, allowed, np.ldexp(misfit, weights).T)
    fits = np.zeros(len(proved), bool)
    for part, columns in _blocks(np.flatnonzero(~proved), allowed, system.n_states, 2 * len(misfit) + 1):
        found = _least_miss(system.select(part), columns)
        if found is not None:
            points, multipliers = found
            fits[part] = explains(system.select(part), points)
            own = None if allowed is None else allowed[part]
            proved[part] = _separates(system.select(part), own, multipliers)
    return proved & ~fits, fits


def _blocks(
    rows: IntArray, allowed: SparseMask | None, n_states: int, more: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows whose programs are solved as one, and the states that each may reach, equally many, shape (b, N)."""
    everyone = np.full(len(rows), n_states) if allowed is None else np.diff(allowed.indptr)[rows]
    for size in np.unique(everyone).tolist():
        chosen, block = rows[everyone == size], block_size(size + more)
        for start in range(0, len(chosen), block):
            part = chosen[start : start + block]
            if allowed is None:
                yield part, np.broadcast_to(np.arange(n_states), (len(part), n_states))
            else:
                yield part, allowed.indices[allowed.indptr[part][:, None] + np.arange(size)]


def _separates(system: RowSystem, allowed: SparseMask | None, combinations: FloatArray) -> BoolArray:
    """Check ``y.(M p - q) > 0`` for all distributions p on the allowed states, shape (rows,), or < 0 for all."""
    k = len(system.test_matrix)
    largest = np.abs(combinations).max(axis=1, keepdims=True)
    y = combinations / np.where(largest > 0, largest, 1.0)
    size, margin = np.abs(y), rounding(k + 4)
    tests, values = system.matrix[:k], system.values[:k].T
    doubt = 1.01 * (system.uncertainty[:k] + margin * np.abs(tests))
    own = (y * values).sum(axis=1)
    own_doubt = (size * (system.value_uncertainty[:k].T + margin * np.abs(values))).sum(axis=1)
    above = least_over_states(y, size, tests, doubt, allowed) - own
    below = least_over_states(-y, size, tests, doubt, allowed) + own
    return np.asarray(np.maximum(above, below) > 1.01 * own_doubt + TINY)


def least_over_states(
    y: FloatArray, size: FloatArray, tests: FloatArray, doubt: FloatArray, allowed: SparseMask | None
) -> FloatArray:
    """Return the least entry of ``y.M - size.doubt`` over the states that each row may reach, shape (rows,).

    Parameters
    ----------
    y, size : numpy.ndarray, shape (rows, k)
        Combinations of test functions, and what their doubt is multiplied by.
    tests, doubt : numpy.ndarray, shape (k, n)
        Test functions, and how far each may be off.
    allowed : bool csr_array, shape (rows, n), or None
        The states; all when None. No table of rows by states is made.

    Examples
    --------
    >>> import numpy as np
    >>> least_over_states(np.array([[2.0]]), np.array([[2.0]]), np.array([[1.0, 3.0]]), np.array([[0.0, 2.5]]), None)
    array([1.])
    """
    if allowed is None:
        step = max(1, _NUMBERS // tests.shape[1])
        parts = [slice(start, start + step) for start in range(0, len(y), step)]
        return np.concatenate([(y[part] @ tests - size[part] @ doubt).min(axis=1) for part in parts])
    support = csr_array(allowed)
    owner = np.repeat(np.arange(len(y)), np.diff(support.indptr))
    ends = np.empty(len(owner))
    step = max(1, _NUMBERS // len(tests))
    for start in range(0, len(owner), step):
        part = slice(start, start + step)
        columns = support.indices[part]
        ends[part] = np.einsum("eg,ge->e", y[owner[part]], tests[:, columns])
        ends[part] -= np.einsum("eg,ge->e", size[owner[part]], doubt[:, columns])
    return np.asarray(np.minimum.reduceat(ends, support.indptr[:-1]))


def _least_miss(system: RowSystem, columns: IntArray) -> tuple[Kernel, FloatArray] | None:
    """Find distributions on these states (rows, N) whose largest miss, in units of what is allowed, is least.

    The goals' multipliers come with them.
    """
    k, (count, n) = len(system.test_matrix), columns.shape
    doubt = system.uncertainty[:k].max(axis=1)[:, None] + system.value_uncertainty[:k]
    unit = np.where(doubt.max(axis=0) > 0, doubt.max(axis=0), 1.0)
    width = (doubt / unit).T[:, :, None]
    tests = np.moveaxis(system.matrix[:k][:, columns], 0, 1)
    eye, zero = np.broadcast_to(np.eye(k), (count, k, k)), np.zeros((count, k, k))
    total = np.concatenate([np.ones((count, 1, n)), np.zeros((count, 1, 2 * k + 1))], axis=2)
    equations = np.concatenate(
        [
            np.concatenate([tests, width, -eye, zero], axis=2),
            np.concatenate([tests, -width, zero, eye], axis=2),
            total,
        ],
        axis=1,
    )
    values = np.concatenate([system.values[:k].T, system.values[:k].T, np.ones((count, 1))], axis=1)
    cost = np.zeros((count, n + 2 * k + 1))
    cost[:, n] = 1.0
    found = solve_blocks(cost, equations, values, np.zeros(cost.shape), np.full(cost.shape, np.inf))
    if not found.solved.any():
        return None
    points = np.maximum(found.points[:, :n], 0.0)
    points /= np.where(points.sum(axis=1, keepdims=True) > 0, points.sum(axis=1, keepdims=True), 1.0)
    rows = csr_array((points.ravel(), columns.ravel(), np.arange(count + 1) * n), shape=(count, system.n_states))
    return rows, -(found.multipliers[:, :k] + found.multipliers[:, k : 2 * k])


def _unsolvable(system: RowSystem, rows: Kernel, misfit: FloatArray) -> BoolArray:
    """Prove, where columns are independent, that no vector at all has the values, shape (rows,).

    With X a left inverse and ``|X M* - I| <= rho < 1`` (row sums), a true row is within ``|X| h / (1 - rho)`` of the
    recovered one, where h bounds what that misses. So a combination y with ``y.M`` about 0 has ``y.q`` about 0.
    """
    matrix, doubt = system.matrix, system.uncertainty
    if len(matrix) <= system.n_states:
        return np.zeros(misfit.shape[1], bool)
    inverse, slack = left_inverse(matrix), rounding(sum(matrix.shape))
    size = np.abs(inverse)
    gap = np.abs(inverse @ matrix - np.eye(system.n_states)) + size @ (doubt + slack * np.abs(matrix)) + slack
    rho = float(gap.sum(axis=1).max())
    if not rho < 0.5:
        return np.zeros(misfit.shape[1], bool)
    points = np.abs(np.asarray(rows)).T
    error = system.value_uncertainty + slack * np.abs(system.values)
    missed = np.abs(misfit) + (doubt + slack * np.abs(matrix)) @ points + error
    reach = points + (size @ missed).max(axis=0) / (1.0 - rho)
    y = misfit - matrix @ (inverse @ misfit)
    y_size = np.abs(y)
    seen = np.abs(matrix.T @ y) + (doubt + slack * np.abs(matrix)).T @ y_size
    allowed = (seen * reach).sum(axis=0) + (y_size * error).sum(axis=0)
    return np.asarray(np.abs((y * system.values).sum(axis=0)) > 1.01 * allowed + TINY)
