"""Noise levels of a verdict: below the least no kernel explains the values, up to the largest only one does.

Both are proved, from one decomposition or one least-squares fit of each row: no search, no bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from tabular_inversion._typing import FloatArray, IntArray, Kernel, SparseMask
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.identifiability.asked import ValuesQuestion
from tabular_inversion.identifiability.consistency import least_over_states
from tabular_inversion.identifiability.limits import NoiseLimits, limits_of
from tabular_inversion.identifiability.pieces import Ready, ready
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.recovery import recover_rows
from tabular_inversion.recovery.column_matching import column_separation
from tabular_inversion.recovery.equations import TINY, rounding
from tabular_inversion.recovery.independence import noise_room
from tabular_inversion.recovery.misfits import is_solved, misfit

_NUMBERS = 2**21
"""In one block, 16 MB."""
_ABOVE = 1.0 + 1e-12
"""What the noise of a test function may be above its weight times that of the values, for roundings."""

_MATCHED = 1.0101
"""What a column is taken to miss above its uncertainty before it is out of reach: see `value_scale`."""


@limits_of.register
def limits_of_values(question: ValuesQuestion) -> NoiseLimits:
    """Return the noise levels of the rows of a question about values."""
    given: Any = question.agent
    agent: AgentValues = given if isinstance(given, AgentValues) else given.to_float()
    least, largest = (np.full(agent.available.size, np.nan) for _ in range(2))
    # A tiny noise lets roundings count as they do where there is some.
    for each in ready(replace(agent, noise=TINY), question.kernel_class, question.decided):
        rows = each.part.agent.row_index
        largest[rows] = _largest(each, question)
        if question.scope == "instance":
            least[rows] = _least(each, question.kernel_class)
    shape = agent.available.shape
    return NoiseLimits(least.reshape(shape), largest.reshape(shape))


def _weights(each: Ready) -> FloatArray:
    """Return how far an equation may be missed if each value has noise of size 1, shape (k,)."""
    return np.asarray(1.0 + each.part.agent.weights.max(axis=1))


def _largest(each: Ready, question: ValuesQuestion) -> FloatArray:
    """Return for each row a noise level up to which it is certified to be the only one."""
    return LIMITS.of(question.kernel_class)[0](each, question)


def _largest_of_solutions(each: Ready, question: ValuesQuestion) -> FloatArray:
    system, agent = each.system, each.part.agent
    weights, count = agent.weights, len(agent.row_index)
    support = question.kernel_class.known_supports(agent.row_index)
    if support is None:
        room = noise_room(system.test_matrix, system.matrix_error, sums_to_one=system.sums_to_one)
        return np.full(count, _level(room, np.linalg.norm(weights)))
    sizes = np.diff(support.indptr)
    result = np.empty(count)
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        states = np.sort(support.indices[support.indptr[rows][:, None] + np.arange(size)], axis=1)
        different, where = np.unique(states, axis=0, return_inverse=True)
        step = max(1, _NUMBERS // (int(size) * len(weights)))
        found = []
        for start in range(0, len(different), step):
            part = different[start : start + step]
            tests, error, own = (
                np.moveaxis(table[:, part], 0, 1) for table in (system.test_matrix, system.matrix_error, weights)
            )
            found.append(_level(noise_room(tests, error, sums_to_one=True), np.linalg.norm(own, axis=(1, 2))))
        result[rows] = np.concatenate(found)[where.ravel()]
    return result


def _level(room: FloatArray, norm: Any) -> FloatArray:
    """Return the noise whose effect on M, ``noise * norm`` at most, fills the room; infinite where it has none."""
    size = np.asarray(norm) * _ABOVE
    some = np.maximum(np.divide(room, size, out=np.zeros(np.shape(room)), where=size > 0), 0.0)
    return np.where(room <= 0, 0.0, np.where(size > 0, some, np.inf))


def _largest_of_columns(each: Ready, question: ValuesQuestion) -> FloatArray:
    """Return how far the second nearest column of M is from each row's values; for all rows, half the separation."""
    system, agent = each.system, each.part.agent
    count, n = len(agent.row_index), system.n_states
    if n == 1:
        return np.full(count, np.inf)
    if question.scope == "uniform":
        doubt = 2.0 * float(system.matrix_error.max())
        room = float(column_separation(system.test_matrix, np.inf).min()) - 1.01 * doubt
        return np.full(count, _level(np.asarray(room), 2.0 * float(agent.weights.max())))
    distance = _distances(each)
    second = np.partition(distance, 1, axis=1)[:, 1] if n > 1 else distance[:, 0]
    return np.asarray(np.maximum(second / _MATCHED - _doubt(each), 0.0))


def _distances(each: Ready) -> FloatArray:
    """Return how far each column of M is from each row's values, in units of their noise, shape (rows, n)."""
    unit = _weights(each)[:, None]
    columns, values = each.system.test_matrix / unit, each.system.right_hand_sides / unit
    return np.asarray(cdist(values.T, columns.T, "chebyshev"))


def _doubt(each: Ready) -> float:
    """Bound what rounding of M and of the values does to such a distance."""
    system = each.system
    size = float(np.abs(system.test_matrix).max() + np.abs(system.right_hand_sides).max())
    return float(system.matrix_error.max() + system.right_hand_error.max()) * 1.01 + rounding(8) * size


def _least(each: Ready, kernel_class: KernelClass) -> FloatArray:
    """Return for each row a noise level below which no member of the class has the values."""
    return LIMITS.of(kernel_class)[1](each, kernel_class)


def _least_unknown(each: Ready, _class: KernelClass) -> FloatArray:
    return np.full(len(each.part.agent.row_index), np.nan)  # what errs in M is multiplied by rows of any size


def _least_of_columns(each: Ready, _class: KernelClass) -> FloatArray:
    return np.maximum(np.asarray(_distances(each).min(axis=1)) / _ABOVE - _doubt(each), 0.0)


def _least_of_distributions(each: Ready, kernel_class: KernelClass) -> FloatArray:
    system, row_index = each.system, each.part.agent.row_index
    rows = recover_rows(system, kernel_class, row_index=row_index).rows
    bound = np.zeros(len(row_index))
    left = np.flatnonzero(~is_solved(system, rows, misfit(system, rows)))
    if left.size:
        bound[left] = _separation(each, left, rows[left], kernel_class.known_supports(row_index[left]))
    return bound


def _largest_of_few(each: Ready, question: ValuesQuestion) -> FloatArray:
    kernel_class: Any = question.kernel_class
    return (
        _largest_of_columns(each, question)
        if kernel_class.max_successors == 1
        else _largest_of_solutions(each, question)
    )


def _least_of_few(each: Ready, kernel_class: Sparse) -> FloatArray:
    one = kernel_class.max_successors == 1
    return _least_of_columns(each, kernel_class) if one else _least_of_distributions(each, kernel_class)


def _separation(each: Ready, places: IntArray, rows: Kernel, allowed: SparseMask | None) -> FloatArray:
    """Return how much noise closes the gap that a combination of goals leaves between the values and the class.

    The combination is the misfit y of the nearest row. For all distributions p on the allowed states,
    ``y.(M p - q) >= min_s (y.M)_s - y.q``, and noise eps moves it by ``|y|.(1 + weight) eps`` at most.
    """
    system = each.system.select(places)
    tests, values = system.test_matrix, system.right_hand_sides
    k = len(tests)
    y = np.asarray(rows @ tests.T) - values.T
    # A constant subtracted from a test function and its values costs no digit of what distributions see.
    centre = np.median(tests, axis=1, keepdims=True)
    middle, shifted = tests - centre, values - centre
    size = np.abs(y)
    largest = np.where(size.max(axis=1, keepdims=True) > 0, size.max(axis=1, keepdims=True), 1.0)
    y, size = y / largest, size / largest
    slack = rounding(k + 6)
    doubt = system.matrix_error + slack * (np.abs(middle) + np.abs(centre))
    least = least_over_states(y, size, middle, 1.01 * doubt, allowed)
    own = (y * shifted.T).sum(axis=1)
    own_doubt = (size * (system.right_hand_error + slack * (np.abs(shifted) + np.abs(centre))).T).sum(axis=1)
    gap = least - own - 1.01 * own_doubt
    return np.asarray(np.maximum(gap / (size @ _weights(each)) / _ABOVE, 0.0))


LIMITS: ClassTable[tuple[Callable[[Ready, ValuesQuestion], FloatArray], Callable[[Ready, Any], FloatArray]]] = (
    ClassTable(
        "limits of noise",
        {
            Unconstrained: (_largest_of_solutions, _least_unknown),
            Stochastic: (_largest_of_solutions, _least_of_distributions),
            Supported: (_largest_of_solutions, _least_of_distributions),
            Sparse: (_largest_of_few, _least_of_few),
            Deterministic: (_largest_of_columns, _least_of_columns),
        },
    )
)
"""By class, ``largest(ready, question)`` and ``least(ready, kernel_class)``: a noise level for each row."""
