"""Matrices of integer polynomials: determinants, ranks, and null vectors at algebraic numbers.

A determinant of polynomials is one determinant of integers, unless it is very long: each polynomial is evaluated at a
power of two so large that the coefficients of the answer do not overlap in its binary digits (Kronecker substitution).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq_poly, fmpz_mat, fmpz_poly, nmod_mat, nmod_poly

from tabular_inversion import exact
from tabular_inversion.errors import InputError
from tabular_inversion.exact.modular import LARGEST_PRIME, pivot_columns, primes
from tabular_inversion.exact.polynomials.determinants import interpolated_determinant
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber, at
from tabular_inversion.exact.rationals import FractionArray


class LongDeterminantError(InputError):
    """A determinant may be too long to compute."""


PolynomialMatrix = Sequence[Sequence[fmpz_poly]]
"""Rows of integer polynomials in the discount."""

_GENERIC_POINT = 0x9E3779B97F4A7C1 % LARGEST_PRIME
_MIXING = 2**16
_MANY_DIGITS = 2**19  # of one determinant of integers: its time grows with their square


def determinant(matrix: PolynomialMatrix) -> fmpz_poly:
    """Return the determinant of a square matrix of polynomials.

    Examples
    --------
    >>> x = fmpz_poly([0, 1])
    >>> determinant([[fmpz_poly([2]), x], [x, fmpz_poly([1])]])
    (-1)*x^2 + 2
    """
    degree, bits = _degree_bound(matrix), _coefficient_bits(matrix)
    if degree * bits > _MANY_DIGITS:
        return interpolated_determinant(matrix, degree, bits)
    return _unpack(int(_substitute(matrix, bits).det()), bits)


def n_digits(matrix: PolynomialMatrix) -> int:
    """Return how many binary digits the coefficients of a largest minor may have, all together."""
    return _degree_bound(matrix) * _coefficient_bits(matrix)


def is_long(matrix: PolynomialMatrix) -> bool:
    """Tell whether the largest minors are so long that it takes minutes to compute one."""
    return n_digits(matrix) > _MANY_DIGITS


def check_length(matrix: PolynomialMatrix, max_digits: int) -> None:
    """Raise `LongDeterminantError` if a largest minor may be longer than this."""
    digits = n_digits(matrix)
    if digits > max_digits:
        raise LongDeterminantError(
            f"a determinant may have {digits} binary digits, and max_digits is {max_digits}: raise it and wait, or ask "
            "certified_discounts, or about a smaller world, fewer goals, or probabilities with smaller denominators."
        )


def values_at(matrix: PolynomialMatrix, point: Fraction) -> FractionArray:
    """Return a matrix of polynomials at a rational point."""
    values = [[at(entry, point) for entry in row] for row in matrix]
    return np.array([[Fraction(int(x.numerator), int(x.denominator)) for x in row] for row in values], dtype=object)


def values_modulo(matrix: PolynomialMatrix, point: int, prime: int) -> nmod_mat:
    """Return a matrix of polynomials at a point modulo a prime."""
    entries = [nmod_poly(entry, prime)(point) for row in matrix for entry in row]
    return nmod_mat(len(matrix), len(matrix[0]), entries, prime)


def generic_rank(matrix: PolynomialMatrix) -> int:
    """Return the rank at all but finitely many points.

    It is the rank at one point modulo a prime of 61 bits: never more than the generic rank, and less only if that point
    is a root of every largest minor, which has a chance below degree / 2^60.
    """
    return int(values_modulo(matrix, _GENERIC_POINT, LARGEST_PRIME).rank())


def rank_drops(matrix: PolynomialMatrix, rank: int) -> fmpz_poly:
    """Return a polynomial, not zero, that vanishes wherever the rank is less than the generic one.

    For a square matrix of full rank it is the determinant. Otherwise it is the greatest common divisor of two random
    combinations of the largest minors, and may have roots besides.
    """
    if rank == 0:
        return fmpz_poly([1])
    if (len(matrix), len(matrix[0])) == (rank, rank):
        return determinant(matrix)
    rng = np.random.default_rng(0)
    first, second = (determinant(_combined(_combined(matrix, rank, rng), rank, rng)) for _ in range(2))
    return first.gcd(second)


def _combined(matrix: PolynomialMatrix, size: int, rng: np.random.Generator) -> PolynomialMatrix:
    """Return the transpose of `size` random combinations of the rows; all rows where there are no more."""
    if len(matrix) > size:
        weights = rng.integers(1, _MIXING, (size, len(matrix))).tolist()
        columns = list(zip(*matrix, strict=True))
        matrix = [[dot(row, column) for column in columns] for row in weights]
    return [list(column) for column in zip(*matrix, strict=True)]


def dot(weights: Sequence[Any], polynomials: Sequence[fmpz_poly]) -> fmpz_poly:
    """Return a combination of polynomials."""
    return sum((w * p for w, p in zip(weights, polynomials, strict=True)), fmpz_poly())


def rank_at(matrix: PolynomialMatrix, number: AlgebraicNumber) -> int:
    """Return the rank at an algebraic number.

    Where the number is rational, this is the proved rank of `exact.rank`. Elsewhere it is the rank at a root of the
    minimal polynomial modulo a prime of 61 bits: never more than the true rank, and less only if the prime divides the
    norm of every largest minor.
    """
    if number.value is not None:
        return exact.rank(values_at(matrix, number.value)).rank
    prime, root = next(_reductions(number))
    return int(values_modulo(matrix, root, prime).rank())


def null_vector(matrix: PolynomialMatrix, number: AlgebraicNumber) -> list[fmpq_poly] | None:
    """Return a vector that the matrix sends to zero at an algebraic number, or None if there is none: both proved.

    Returns
    -------
    list of flint.fmpq_poly or None
        One polynomial for each column, of lower degree than the minimal polynomial; their values at the number form the
        vector, and one of them is 1. It was multiplied out, see `vanishes`.
    """
    n_columns = len(matrix[0])
    modulus = fmpq_poly(number.polynomial)
    for prime, root in _reductions(number):
        reduced = values_modulo(matrix, root, prime)
        pivots = pivot_columns(*reduced.rref())
        if len(pivots) == n_columns:
            return None
        rows = pivot_columns(*reduced.transpose().rref())
        free = next(j for j in range(n_columns) if j not in pivots)
        vector = [entry % modulus for entry in _cofactors([matrix[i] for i in rows], pivots, free, n_columns)]
        unit, inverse, _ = vector[free].xgcd(modulus)
        vector = [entry * inverse / unit[0] % modulus for entry in vector]
        if vanishes(matrix, vector, number):
            return vector
    raise AssertionError  # unreachable: there are infinitely many primes, and only finitely many hide a pivot


def null_vectors(matrix: PolynomialMatrix, number: AlgebraicNumber) -> list[list[fmpq_poly]]:
    """Return a basis of the vectors that the matrix sends to zero at an algebraic number, proved to be complete.

    Each is one of `null_vector`, and zero where an earlier one is 1.

    Examples
    --------
    >>> x = fmpz_poly([0, 1])
    >>> half = AlgebraicNumber.rational(Fraction(1, 2))
    >>> len(null_vectors([[2 * x, fmpz_poly([1]), x]], half)), len(null_vectors([[2 * x - 1]], half))
    (2, 1)
    """
    found: list[list[fmpq_poly]] = []
    rows = list(matrix)
    while (vector := null_vector(rows, number)) is not None:
        free = next(j for j, entry in enumerate(vector) if entry == fmpq_poly([1]))
        rows.append([fmpz_poly([int(j == free)]) for j in range(len(vector))])
        found.append(vector)
    return found


def vanishes(matrix: PolynomialMatrix, vector: Sequence[fmpq_poly], number: AlgebraicNumber) -> bool:
    """Tell whether every product of a row with the vector is a multiple of the minimal polynomial."""
    modulus = fmpq_poly(number.polynomial)
    products = (sum((fmpq_poly(p) * v for p, v in zip(row, vector, strict=True)), fmpq_poly()) for row in matrix)
    return all(not product % modulus for product in products)


def _cofactors(rows: PolynomialMatrix, pivots: list[int], free: int, n_columns: int) -> list[fmpq_poly]:
    """Return a vector orthogonal to independent rows by Cramer's rule: minors at the pivots and at one more column."""
    vector = [fmpq_poly() for _ in range(n_columns)]
    if not rows:
        vector[free] = fmpq_poly([1])
        return vector
    bits = _coefficient_bits(rows)
    core = _substitute([[row[j] for j in pivots] for row in rows], bits)
    scale = core.det()
    solution: Any = core.solve(_substitute([[row[free]] for row in rows], bits))
    for pivot, entry in zip(pivots, solution.entries(), strict=True):
        vector[pivot] = fmpq_poly(_unpack(int(scale * entry.numerator // entry.denominator), bits))
    vector[free] = -fmpq_poly(_unpack(int(scale), bits))
    return vector


def _reductions(number: AlgebraicNumber) -> Iterator[tuple[int, int]]:
    """Yield primes, each with a root of the minimal polynomial modulo it."""
    for prime in primes():
        polynomial = nmod_poly(number.polynomial, prime)
        if polynomial.degree() == number.degree:
            roots = polynomial.roots()
            if roots:
                yield prime, int(roots[0][0])


def _degree_bound(matrix: PolynomialMatrix) -> int:
    """Return a number that the degree of the determinant does not exceed."""
    degrees = np.array([[max(entry.degree(), 0) for entry in row] for row in matrix])
    return int(min(degrees.max(axis=0).sum(), degrees.max(axis=1).sum()))


def _coefficient_bits(matrix: PolynomialMatrix) -> int:
    """Return a number of bits that hold every coefficient of every minor, with its sign."""
    # Hadamard's inequality bounds a minor on the unit circle, and its coefficients are averages over that circle.
    squares = [sum(sum(abs(int(c)) for c in entry.coeffs()) ** 2 for entry in row) for row in matrix]
    return sum((max(square, 1).bit_length() + 1) // 2 for square in squares) + 2


def _substitute(matrix: PolynomialMatrix, bits: int) -> fmpz_mat:
    """Return the matrix at 2**bits."""
    entries = [sum(int(c) << (bits * i) for i, c in enumerate(p.coeffs())) for row in matrix for p in row]
    return fmpz_mat(len(matrix), len(matrix[0]), entries)


def _unpack(number: int, bits: int) -> fmpz_poly:
    """Return the polynomial of coefficients below 2**(bits - 1) in size whose value at 2**bits is `number`."""
    coefficients, rest = [], number
    while rest:
        digit = rest & ((1 << bits) - 1)
        digit -= (digit >> (bits - 1)) << bits
        coefficients.append(digit)
        rest = (rest - digit) >> bits
    return fmpz_poly(coefficients)
