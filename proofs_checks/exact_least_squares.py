"""Least squares in rational numbers, for matrices of a few columns."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations
from math import isqrt

import numpy as np

from tabular_inversion import exact
from tabular_inversion.exact.rationals import FractionArray


def root(number: Fraction) -> Fraction:
    """Return the square root where it is rational; otherwise a number below it, by 1e-15 at most.

    Examples
    --------
    >>> str(root(Fraction(4, 9))), root(Fraction(2)) ** 2 < 2
    ('2/3', True)
    """
    exactly = Fraction(isqrt(number.numerator), isqrt(number.denominator))
    return exactly if exactly**2 == number else Fraction(isqrt(number.numerator * 10**30 // number.denominator), 10**15)


def pseudo_inverse(matrix: FractionArray) -> FractionArray:
    """Return the Moore-Penrose inverse, through independent rows G: matrix = F G.

    Examples
    --------
    >>> pseudo_inverse(exact.fraction_array([[1, 1]])).astype(str).tolist()
    [['1/2'], ['1/2']]
    """
    rows: list[int] = []
    for i in range(len(matrix)):
        rows = [*rows, i] if exact.rank(matrix[[*rows, i]]).rank > len(rows) else rows
    if not rows:
        return 0 * matrix.T
    g = matrix[rows]
    f = exact.solve_linear(g @ g.T, g @ matrix.T).T
    inverse: FractionArray = g.T @ exact.solve_linear(g @ g.T, exact.solve_linear(f.T @ f, f.T))
    return inverse


def nearest_in_simplex(matrix: FractionArray, values: FractionArray) -> FractionArray:
    """Return the distribution x that minimises |matrix x - values|_2.

    The conditions: on the support of x the gradient is constant, and off it no less. Supports are tried one by one.

    Examples
    --------
    >>> matrix = exact.fraction_array([[0, 1, 3]])
    >>> [str(x) for x in nearest_in_simplex(matrix, exact.fraction_array(["5"]))]
    ['0', '0', '1']
    """
    n = matrix.shape[1]
    for support in map(list, chain.from_iterable(combinations(range(n), size) for size in range(1, n + 1))):
        some = matrix[:, support]
        ones = np.ones((1, len(support)), dtype=object)
        optimality = np.block([[some.T @ some, ones.T], [ones, np.zeros((1, 1), dtype=object)]])
        if exact.determinant(optimality) == 0:
            continue
        solved = exact.solve_linear(optimality, np.append(some.T @ values, 1)[:, None])[:, 0]
        row = np.zeros(n, dtype=object)
        row[support] = solved[:-1]
        if (row >= 0).all() and (matrix.T @ (matrix @ row - values) >= -solved[-1]).all():
            return row
    raise ArithmeticError("no support satisfies the optimality conditions")


def positive_definite(matrix: FractionArray) -> bool:
    """Tell it by the leading minors.

    Examples
    --------
    >>> positive_definite(exact.fraction_array([[1, 2], [2, 4]]))
    False
    """
    return all(exact.determinant(matrix[:size, :size]) > 0 for size in range(1, len(matrix) + 1))


def length(vectors: FractionArray, over: Fraction) -> FractionArray:
    """The norm along the first axis; its square for the 2-norm."""
    sizes = abs(vectors)
    result: FractionArray = sizes.max(axis=0) if over == 0 else (sizes ** int(1 / over)).sum(axis=0)
    return result
