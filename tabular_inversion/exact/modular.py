"""Arithmetic modulo a prime: the fast half of every exact question.

A minor that is not zero modulo p is not zero: the rank of a rational matrix is never less than its rank modulo a prime
that divides none of its denominators.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flint import fmpq, fmpz, fmpz_mat, nmod_mat

from tabular_inversion.errors import InputError
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.kinds import checked
from tabular_inversion.validation import shortened

LARGEST_PRIME = 2**61 - 1
"""The modulus that is tried first."""


@checked
def primes() -> Iterator[int]:
    """Yield the primes below 2**61 in descending order.

    Examples
    --------
    >>> from itertools import islice
    >>> [2**61 - prime for prime in islice(primes(), 3)]
    [1, 31, 45]
    """
    return (number for number in range(LARGEST_PRIME, 1, -2) if fmpz(number).is_prime())


def residues(matrix: FractionArray, prime: int) -> nmod_mat:
    """Return a matrix of fractions modulo a prime.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (rows, columns)
        Fractions, or integers of a numpy type.
    prime : int
        Below 2**64.

    Returns
    -------
    flint.nmod_mat, shape (rows, columns)

    Raises
    ------
    InputError
        If the modulus is no such prime, or divides a denominator.

    Examples
    --------
    >>> import numpy as np
    >>> from fractions import Fraction
    >>> residues(np.array([[Fraction(1, 2), Fraction(3)]]), 7)
    [4, 3]
    """
    if not (type(prime) is int and 1 < prime < 2**64 and fmpz(prime).is_prime()):
        raise InputError(f"{shortened(prime)} is no prime below 2**64; take one from `primes()`.")
    entries: list[Any] = matrix.ravel().tolist()
    rows, columns = matrix.shape
    if matrix.dtype.kind in "iu":
        return nmod_mat(fmpz_mat(rows, columns, entries), prime)
    try:
        return nmod_mat(rows, columns, [fmpq(x.numerator, x.denominator) for x in entries], prime)
    except ZeroDivisionError as problem:
        raise InputError(f"the prime {prime} divides a denominator; take another from `primes()`.") from problem


def reduce(matrix: FractionArray) -> tuple[int, nmod_mat]:
    """Return the largest prime below 2**61 that divides no denominator, and the residues modulo it."""
    denominators = {x.denominator for x in matrix.ravel().tolist()}
    prime = next(prime for prime in primes() if all(denominator % prime for denominator in denominators))
    return prime, residues(matrix, prime)


def pivot_columns(reduced: nmod_mat, rank: int) -> list[int]:
    """Return the pivot columns of a matrix in reduced row echelon form."""
    pivots: list[int] = []
    for row in range(rank):
        column = pivots[-1] + 1 if pivots else 0
        while int(reduced[row, column]) == 0:
            column += 1
        pivots.append(column)
    return pivots


def reconstruct(residue: int, prime: int) -> tuple[int, int] | None:
    """Return the fraction n/d = residue modulo the prime with 2 n^2, 2 d^2 < prime, or None if there is none.

    There is at most one (Wang, Guy and Davenport 1982); this finds it by the Euclidean algorithm, stopped half-way.

    Examples
    --------
    >>> reconstruct(pow(3, -1, 101) * 2 % 101, 101)
    (2, 3)
    """
    previous, current = (prime, 0), (residue, 1)
    while 2 * current[0] ** 2 >= prime:
        quotient = previous[0] // current[0]
        previous, current = current, (previous[0] - quotient * current[0], previous[1] - quotient * current[1])
    numerator, denominator = current if current[1] > 0 else (-current[0], -current[1])
    return (numerator, denominator) if 2 * denominator**2 < prime else None
