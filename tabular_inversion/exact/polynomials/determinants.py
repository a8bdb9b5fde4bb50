"""Determinants of large matrices of polynomials: at many points modulo many primes, put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from flint import fmpz_poly, nmod_mat, nmod_poly

from tabular_inversion.exact.modular import primes

_POINTS_AT_ONCE = 64


def interpolated_determinant(matrix: Sequence[Sequence[fmpz_poly]], degree: int, bits: int) -> fmpz_poly:
    """Return the determinant of a square matrix of polynomials.

    Parameters
    ----------
    matrix : sequence of rows of flint.fmpz_poly
        Of equal numbers of rows and columns.
    degree, bits : int
        At least the degree of the determinant, and the binary digits of each of its coefficients with its sign.

    Examples
    --------
    >>> x = fmpz_poly([0, 1])
    >>> interpolated_determinant([[fmpz_poly([2]), x], [x, fmpz_poly([1])]], degree=2, bits=3)
    (-1)*x^2 + 2
    """
    modulus, coefficients = 1, [0] * (degree + 1)
    for prime in primes():
        values = list(_values(matrix, degree + 1, prime))
        found = _interpolate(values, prime).coeffs()
        inverse = pow(modulus, -1, prime)
        for i in range(degree + 1):
            residue = int(found[i]) if i < len(found) else 0
            coefficients[i] += modulus * ((residue - coefficients[i]) * inverse % prime)
        modulus *= prime
        if modulus.bit_length() > bits:
            break
    return fmpz_poly([c - modulus if 2 * c > modulus else c for c in coefficients])


def _values(matrix: Sequence[Sequence[fmpz_poly]], count: int, prime: int) -> Iterator[int]:
    """Yield the determinant at 1, 2, ..., count modulo a prime."""
    n = len(matrix)
    entries = [entry for row in matrix for entry in row]
    length = max(1, *(entry.length() for entry in entries))
    padded: list[int] = []
    for entry in entries:
        padded += [int(c) % prime for c in entry.coeffs()] + [0] * (length - entry.length())
    table = nmod_mat(n * n, length, padded, prime)
    for start in range(1, count + 1, _POINTS_AT_ONCE):
        points = range(start, min(start + _POINTS_AT_ONCE, count + 1))
        powers = [1] * len(points)
        rows = []
        for _ in range(length):
            rows += powers
            powers = [power * point % prime for power, point in zip(powers, points, strict=True)]
        columns: Any = (table * nmod_mat(length, len(points), rows, prime)).transpose().entries()
        for j in range(len(points)):
            yield int(nmod_mat(n, n, columns[j * n * n : (j + 1) * n * n], prime).det())


def _interpolate(values: Sequence[int], prime: int) -> nmod_poly:
    """Return the polynomial of least degree that has these values at 1, 2, ... modulo a prime (Lagrange)."""
    count = len(values)
    factorials = list(accumulate(range(1, count), lambda product, i: product * i % prime, initial=1))
    parts = []
    for i, value in enumerate(values):
        sign = -1 if (count - 1 - i) % 2 else 1
        weight = sign * value * pow(factorials[i] * factorials[count - 1 - i], -1, prime) % prime
        parts.append((nmod_poly([weight], prime), nmod_poly([-(i + 1), 1], prime)))
    while len(parts) > 1:  # a sum of weight / (x - point), added pair by pair with common denominators
        last = [] if len(parts) % 2 == 0 else [parts[-1]]
        pairs = zip(parts[0::2], parts[1::2], strict=False)
        parts = [(a * d + c * b, b * d) for (a, b), (c, d) in pairs] + last
    return parts[0][0]
