"""The loop of `certified_rows`, compiled: imported where numba is, and nowhere else."""
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: D103

from __future__ import annotations

import math

import numpy as np
from numba import njit

from tabular_inversion.recovery.equations import TINY, UNIT

MOST = 16
"""Larger supports are left to others."""
_ROUNDING = 1.01 * UNIT
"""Of one operation, with a margin for the evaluation of bounds."""


@njit(cache=True, nogil=True)
def _miss(equations, errors, sides, side_errors, goal, size, weights, rounding):
    """Bound by how much the true row may miss an equation as computed: its errors count once, as its sum is 1."""
    missed, length, doubt = -sides[goal], abs(sides[goal]), 0.0
    for j in range(size):
        missed += equations[goal, j] * weights[j + 1]
        length += abs(equations[goal, j] * weights[j + 1])
        doubt = max(doubt, errors[goal, j])
    return abs(missed) + rounding * length + doubt + side_errors[goal]


@njit(cache=True, nogil=True)
def _contraction(equations, errors, inverse, order, size, rounding):
    """Bound the largest sum of a row of ``|1 - X A| + |X| E``."""
    rho = 0.0
    for i in range(size):
        total = 0.0
        for j in range(size):
            product, length, doubt = 0.0, 0.0, 0.0
            for g in range(size):
                product += inverse[i, g] * equations[order[g], j]
                length += abs(inverse[i, g] * equations[order[g], j])
                doubt += abs(inverse[i, g]) * errors[order[g], j]
            total += abs(product - (1.0 if i == j else 0.0)) + rounding * (length + 1.0) + doubt
        rho = max(rho, total * (1.0 + rounding))
    return rho


@njit(cache=True, nogil=True)
def _agrees(equations, errors, sides, side_errors, order, size, weights, rounding, accuracy):
    """Tell whether a solution is a distribution that the goals which were not taken allow too."""
    for i in range(size + 1):
        slack = accuracy if i > 0 else size * accuracy + rounding
        if weights[i] < -slack:
            return False
    for place in range(size, len(sides)):
        goal, length, doubt = order[place], 0.0, 0.0
        missed = -sides[goal]
        for j in range(size):
            missed += equations[goal, j] * weights[j + 1]
            length += abs(equations[goal, j]) * (1.0 + abs(weights[j + 1]))
            doubt = max(doubt, errors[goal, j])
        if abs(missed) > length * (accuracy + rounding) + abs(sides[goal]) * rounding + doubt + side_errors[goal]:
            return False
    return True


@njit(cache=True, nogil=True)
def _proof(equations, errors, sides, side_errors, inverse, order, size, weights):
    """Write a distribution to `weights` and return how far it may be from the true one; infinite without a proof."""
    rounding = (size + 4.0) * _ROUNDING
    rho = _contraction(equations, errors, inverse, order, size, rounding)
    if not rho < 1.0:
        return np.inf
    rest = 1.0
    for i in range(size):
        found = 0.0
        for g in range(size):
            found += inverse[i, g] * sides[order[g]]
        weights[i + 1] = found
        rest -= found
    weights[0] = rest
    reach = 0.0
    for i in range(size):
        total = 0.0
        for g in range(size):
            miss = _miss(equations, errors, sides, side_errors, order[g], size, weights, rounding)
            total += abs(inverse[i, g]) * miss
        reach = max(reach, total * (1.0 + rounding))
    accuracy = reach / (1.0 - rho) * (1.0 + 4.0 * rounding)
    if not _agrees(equations, errors, sides, side_errors, order, size, weights, rounding, accuracy):
        return np.inf
    sums = 0.0
    for i in range(size + 1):
        weights[i] = max(weights[i], 0.0)
        sums += weights[i]
    for i in range(size + 1):
        weights[i] /= sums
    # Negative entries were at most that far off, and so are the sum and the first entry, which is what is left.
    return (3.0 * size + 1.0) * accuracy + 8.0 * rounding


@njit(cache=True, nogil=True)
def _chosen(equations, work, order, size, n_goals):
    """Put the goals first that elimination with complete pivoting takes; False where there are too few."""
    for goal in range(n_goals):
        order[goal] = goal
        for j in range(size):
            work[goal, j] = equations[goal, j]
    columns = np.arange(size)
    for step in range(size):  # elimination on a copy decides which goals to take
        best, row, column = 0.0, step, step
        for i in range(step, n_goals):
            for j in range(step, size):
                if abs(work[order[i], columns[j]]) > best:
                    best, row, column = abs(work[order[i], columns[j]]), i, j
        if best == 0.0:
            return False
        order[step], order[row] = order[row], order[step]
        columns[step], columns[column] = columns[column], columns[step]
        for i in range(step + 1, n_goals):
            factor = work[order[i], columns[step]] / work[order[step], columns[step]]
            for j in range(step, size):
                work[order[i], columns[j]] -= factor * work[order[step], columns[j]]
    return True


@njit(cache=True, nogil=True)
def _eliminate(work, step, row, size):
    """Swap a row of Gauss-Jordan's scheme into its place, scale it, and clear its column elsewhere."""
    pivot = work[row, step]
    for j in range(2 * size):
        held = work[row, j]
        work[row, j] = work[step, j]
        work[step, j] = held / pivot
    for i in range(size):
        if i != step and work[i, step] != 0.0:
            factor = work[i, step]
            for j in range(2 * size):
                work[i, j] -= factor * work[step, j]


@njit(cache=True, nogil=True)
def _inverse(equations, work, inverse, order, size, n_goals):
    """Put the best goals first in `order`, and the inverse of their equations into `inverse`; False where singular."""
    if not _chosen(equations, work, order, size, n_goals):
        return False
    for i in range(size):
        for j in range(size):
            work[i, j] = equations[order[i], j]
            work[i, size + j] = 1.0 if i == j else 0.0
    for step in range(size):
        row = step
        for i in range(step, size):
            if abs(work[i, step]) > abs(work[row, step]):
                row = i
        if work[row, step] == 0.0:
            return False
        _eliminate(work, step, row, size)
    for i in range(size):
        for j in range(size):
            inverse[i, j] = work[i, size + j]
    return True


@njit(cache=True, nogil=True)
def _one_row(given, scratch, weights):
    tests, test_error, values, value_error, states = given
    equations, errors, work, inverse, sides, side_errors, order = scratch
    size, n_goals, base = len(states) - 1, len(values), states[0]
    for goal in range(n_goals):
        largest = 0.0
        for j in range(size):
            largest = max(largest, abs(tests[states[j + 1], goal] - tests[base, goal]))
        exponent = -math.frexp(largest)[1] if largest > 0.0 else 0
        for j in range(size):
            state = states[j + 1]
            entry = tests[state, goal] - tests[base, goal]
            bound = test_error[state, goal] + test_error[base, goal] + _ROUNDING * abs(entry)
            equations[goal, j] = math.ldexp(entry, exponent)
            errors[goal, j] = math.ldexp(bound, exponent) * (1.0 + 4.0 * _ROUNDING) + TINY
        side = values[goal] - tests[base, goal]
        bound = value_error[goal] + test_error[base, goal] + _ROUNDING * abs(side)
        sides[goal] = math.ldexp(side, exponent)
        side_errors[goal] = math.ldexp(bound, exponent) * (1.0 + 4.0 * _ROUNDING) + TINY
    if not _inverse(equations, work, inverse, order, size, n_goals):
        return np.inf
    return _proof(equations, errors, sides, side_errors, inverse, order, size, weights)


@njit(cache=True, nogil=True)
def loop(tests, test_error, values, value_error, indptr, indices, weights, accuracy):
    n_goals = tests.shape[1]
    equations, errors = np.empty((n_goals, MOST)), np.empty((n_goals, MOST))
    work, inverse = np.empty((n_goals, 2 * MOST)), np.empty((MOST, MOST))
    sides, side_errors, order = np.empty(n_goals), np.empty(n_goals), np.empty(n_goals, np.int64)
    scratch = (equations, errors, work, inverse, sides, side_errors, order)
    for row in range(values.shape[0]):
        start, end = indptr[row] - indptr[0], indptr[row + 1] - indptr[0]
        if 0 < end - start <= MOST and end - start <= n_goals + 1:
            given = (tests, test_error, values[row], value_error[row], indices[start:end])
            accuracy[row] = _one_row(given, scratch, weights[start:end])
