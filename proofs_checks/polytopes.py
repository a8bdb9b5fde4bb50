"""Value-equivalence classes in fractions, by brute force: the second method against which verdicts are checked."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
from flint import fmpq_mat

from proofs_checks.instance import Instance
from tabular_inversion import exact
from tabular_inversion.exact.rationals import FractionArray, matrix_to_flint


def extreme_points(matrix: FractionArray, values: FractionArray) -> FractionArray:
    """Return the extreme points of ``{p >= 0: matrix @ p = values}``, shape (count, n): every set of columns is tried.

    A point is extreme iff the columns where it is positive are independent, so that they determine it.

    Examples
    --------
    >>> points = extreme_points(exact.fraction_array([[0, 1, 2], [1, 1, 1]]), exact.fraction_array([1, 1]))
    >>> [[str(x) for x in point] for point in points]
    [['0', '1', '0'], ['1/2', '0', '1/2']]
    """
    n_rows, n = matrix.shape
    table = matrix_to_flint(np.column_stack([matrix, values])).tolist()
    found = [np.empty((0, n), dtype=object)]
    for size in range(1, min(n_rows, n) + 1):
        for columns in combinations(range(n), size):
            system = fmpq_mat(n_rows, size + 1, [row[j] for row in table for j in (*columns, n)])
            reduced, rank = system.rref()
            if rank != size or any(reduced[i, i] != 1 for i in range(size)):
                continue  # the columns depend on each other, or the equations contradict each other
            weights = [reduced[i, size] for i in range(size)]
            if min(weights) > 0:
                point = np.full((1, n), Fraction(0), dtype=object)
                point[0, list(columns)] = [Fraction(int(x.numerator), int(x.denominator)) for x in weights]
                found.append(point)
    return np.concatenate(found)


def equivalent_rows(instance: Instance, row: int) -> FractionArray:
    """Return the extreme points of E(q) among all distributions, for available row number s*A + a."""
    place = int(np.flatnonzero(instance.world.row_index == row)[0])
    one = np.array([Fraction(1)], dtype=object)
    return extreme_points(instance.system, np.concatenate([instance.agent.right_hand_sides[:, place], one]))


def with_row(world: exact.ExactMDP, row: int, distribution: FractionArray) -> exact.ExactMDP:
    """Return the world in which row number s*A + a is replaced."""
    rows = np.array(world.rows)
    rows[row] = distribution
    return exact.ExactMDP(rows.reshape(world.kernel.shape), world.discount, world.available)


def q_in(instance: Instance, world: exact.ExactMDP) -> FractionArray:
    """Return what the same agent shows in another world: for the same goals, with the same policy if it is given."""
    if instance.policy is None:
        return exact.solve(world, instance.goals).q
    return exact.evaluate(world, instance.goals, instance.policy).q
