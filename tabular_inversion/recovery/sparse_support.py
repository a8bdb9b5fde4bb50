"""Rows with few successors, it is unknown which: an exact search over supports."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, islice
from math import comb

import numpy as np
from scipy.optimize import Bounds, LinearConstraint
from scipy.sparse import block_array, coo_array, csr_array, eye_array

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import ConvergenceError
from tabular_inversion.highs import integer_program
from tabular_inversion.kernel_rows import dense_rows
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.residual import largest_residual
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.spectrum import (
    EPSILON,
    append_ones,
    power_of_two_scale,
    rank_tolerance,
    singular_values,
)
from tabular_inversion.recovery.supported import supported_rows

MAX_SUPPORTS = 300_000
"""Up to this many supports are tried one by one, in batches; beyond, each row is an integer program."""

_WORK = 2**22
"""Numbers in one work array, 32 MB."""
_SHARPNESS = 2.0**10
"""Residuals are multiplied by this in an integer program: HiGHS stops at a gap of 1e-6 in what it minimises."""


@checked
def sparse_rows(
    matrix: FloatArray,
    values: FloatArray,
    max_successors: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Recovery:
    """Return, for each row, the distribution on at most N states that explains the values best.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M.
    values : numpy.ndarray, shape (k, R)
        A right-hand side for each row.
    max_successors : int
        N, at least 1.
    progress : callable, optional
        ``progress(done, total)`` over supports, or over rows that differ.

    Returns
    -------
    Recovery
        Sparse rows (R, n). By enumeration (up to 300,000 supports) the residual is least in the 2-norm; by integer
        programming (HiGHS) the support is one of least residual in the maximum norm, and the weights are then least
        squares on it. HiGHS cannot tell supports apart whose residuals differ by about 1e-6 of the largest entry of
        M or less. `rank` and `condition` are those of [M;1].

    Raises
    ------
    ConvergenceError
        If HiGHS does not solve a row's program to optimality.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.array([[0.0, 1.0, 4.0, 9.0], [0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, 5.0]])
    >>> sparse_rows(matrix, matrix @ np.array([[0.0], [0.25], [0.0], [0.75]]), 2).rows.toarray().round(12)
    array([[0.  , 0.25, 0.  , 0.75]])
    """
    scale = power_of_two_scale(matrix)
    scaled = matrix / scale
    different, inverse = np.unique(values.T / scale, axis=0, return_inverse=True)
    n, size = matrix.shape[1], min(max_successors, matrix.shape[1])
    count = sum(comb(n, i) for i in range(1, size + 1))
    search = _enumerate if count <= MAX_SUPPORTS else _integer_programs
    dense = search(scaled, different.T, size, progress)[inverse.ravel()]
    rows = csr_array(dense)
    system = append_ones(scaled)
    spectrum = singular_values(system)
    rank = int((spectrum > rank_tolerance(system.shape, spectrum[0])).sum())
    how = f"{count} supports tried" if search is _enumerate else "integer programming (HiGHS)"
    condition = float(spectrum[0] / spectrum[rank - 1])
    return Recovery(rows, largest_residual(matrix, rows, values), rank, condition, f"sparse support search: {how}")


def _enumerate(
    matrix: FloatArray, values: FloatArray, largest: int, progress: Callable[[int, int], None] | None
) -> FloatArray:
    """Try all supports. A minimiser is positive on its support: so it is the affine least-squares solution there."""
    n, n_rows = matrix.shape[1], values.shape[1]
    best, rows = np.full(n_rows, np.inf), np.zeros((n_rows, n))
    total = sum(comb(n, size) for size in range(1, largest + 1))
    rounding = 64.0 * EPSILON * (1.0 + np.abs(values).max(axis=0))
    done = 0
    for size in range(1, largest + 1):
        supports = combinations(range(n), size)
        batch = max(1, _WORK // (n_rows * (len(matrix) + size)))
        while chunk := list(islice(supports, batch)):
            states = np.array(chunk, dtype=np.intp)
            weights, errors = _affine_solutions(matrix, values, states)
            winner = errors.argmin(axis=0)
            least = errors[winner, np.arange(n_rows)]
            # A larger support must gain more than rounding: the fewest successors win ties.
            better = np.flatnonzero(least < best - rounding)
            rows[better] = 0.0
            rows[better[:, None], states[winner[better]]] = weights[winner[better], :, better]
            best[better] = least[better]
            done += len(states)
            if progress is not None:
                progress(done, total)
    return rows


def _affine_solutions(matrix: FloatArray, values: FloatArray, states: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (b, size, R) on each support and their residuals (b, R), infinite where a weight is negative."""
    columns = matrix[:, states].transpose(1, 0, 2)  # (b, k, size)
    directions = columns[:, :, 1:] - columns[:, :, :1]
    targets = values[None] - columns[:, :, :1]
    # Where directions are dependent, a smaller support does as well: which solution is taken does not matter.
    free = np.linalg.pinv(directions) @ targets if states.shape[1] > 1 else np.zeros((len(states), 0, values.shape[1]))
    weights = np.concatenate([1.0 - free.sum(axis=1, keepdims=True), free], axis=1)
    errors = np.sqrt(((directions @ free - targets) ** 2).sum(axis=1))
    # One that rounding makes negative belongs to a smaller support too, so the bound can be strict.
    return weights, np.where((weights >= 0.0).all(axis=1), errors, np.inf)


def _integer_programs(
    matrix: FloatArray, values: FloatArray, largest: int, progress: Callable[[int, int], None] | None
) -> FloatArray:
    """Minimise the largest residual over weights p <= z with at most N of the switches z on; one call for each row."""
    k, n = matrix.shape
    cost = np.append(np.zeros(2 * n), 1.0)
    integrality = np.concatenate([np.zeros(n), np.ones(n), [0.0]])
    upper = np.append(np.ones(2 * n), np.inf)
    sharp, bound, ones = coo_array(_SHARPNESS * matrix), coo_array(-np.ones((k, 1))), coo_array(np.ones((1, n)))
    left = block_array(
        [
            [sharp, None, bound],  # M p - q <= t
            [-sharp, None, bound],  # q - M p <= t
            [eye_array(n), -eye_array(n), None],  # p <= z
            [ones, None, None],  # the weights sum to one
            [None, ones, None],  # at most N switches
        ],
        format="csr",
        dtype=np.float64,
    )
    supports = np.zeros((values.shape[1], n), bool)
    for row, target in enumerate(values.T):
        least = np.concatenate([np.full(2 * k + n, -np.inf), [1.0, 0.0]])
        most = np.concatenate([_SHARPNESS * target, -_SHARPNESS * target, np.zeros(n), [1.0, largest]])
        found = integer_program(
            cost,
            integrality=integrality,
            bounds=Bounds(0.0, upper),
            constraints=LinearConstraint(left, least, most),
            options={"mip_rel_gap": 0.0},
        )
        if found.status != 0:
            raise ConvergenceError(
                f"the integer program of row {row} of {len(supports)} was not solved: {found.message} "
                "Allow fewer successors, or use class stochastic."
            )
        weights = found.x[:n]  # switches are whole to 1e-6 only: more than N weights may be just above zero
        heaviest = np.argsort(-weights, kind="stable")[:largest]
        supports[row, heaviest] = weights[heaviest] > 0.0  # what is rounding, least squares decides
        if progress is not None:
            progress(row + 1, len(supports))
    return dense_rows(supported_rows(matrix, values, csr_array(supports, shape=supports.shape)).rows)
