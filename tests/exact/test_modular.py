"""Arithmetic modulo primes."""

from fractions import Fraction
from itertools import islice
from math import gcd

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from tabular_inversion.errors import InputError
from tabular_inversion.exact import primes
from tabular_inversion.exact.modular import LARGEST_PRIME, pivot_columns, reconstruct, reduce, residues


def test_primes_are_the_largest_ones_below_two_to_the_61() -> None:
    found = list(islice(primes(), 6))
    assert found[0] == LARGEST_PRIME == sympy.prevprime(2**61)
    assert [sympy.prevprime(p) for p in found[:-1]] == found[1:]


@given(st.fractions(max_denominator=10**6))
def test_a_residue_times_its_denominator_is_the_numerator(value: Fraction) -> None:
    prime = LARGEST_PRIME
    found = int(residues(np.array([[value]], dtype=object), prime)[0, 0])
    assert (found * value.denominator - value.numerator) % prime == 0


def test_integer_arrays_and_fractions_have_the_same_residues() -> None:
    values = np.array([[-1, 2**62], [5, 0]])
    assert residues(values, 97) == residues(values.astype(object), 97)


@pytest.mark.parametrize("modulus", [-7, 0, 1, 4, 2**61 + 1, 2**64 + 13])
def test_a_modulus_that_is_no_prime_is_refused(modulus: int) -> None:
    with pytest.raises(InputError, match="no prime"):
        residues(np.array([[1]]), modulus)


def test_a_prime_that_divides_a_denominator_is_refused_or_passed_over() -> None:
    matrix = np.array([[Fraction(1, LARGEST_PRIME), Fraction(1, 3)]], dtype=object)
    with pytest.raises(InputError, match="divides a denominator"):
        residues(matrix, LARGEST_PRIME)
    prime, reduced = reduce(matrix)
    assert prime == 2**61 - 31
    assert reduced == residues(matrix, prime)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_short_fractions_are_reconstructed(numerator: int, denominator: int) -> None:
    assume(gcd(numerator, denominator) == 1)
    residue = numerator * pow(denominator, -1, LARGEST_PRIME) % LARGEST_PRIME
    assert reconstruct(residue, LARGEST_PRIME) == (numerator, denominator)


@pytest.mark.parametrize("prime", [2, 3, 5, 7, 11, 13, 101])
def test_reconstruction_finds_all_short_fractions_and_no_other(prime: int) -> None:
    bound = next(b for b in range(prime, -1, -1) if 2 * b * b < prime)
    short = {
        n * pow(d, -1, prime) % prime: (n, d)
        for n in range(-bound, bound + 1)
        for d in range(1, bound + 1)
        if gcd(n, d) == 1
    }
    assert {residue: reconstruct(residue, prime) for residue in range(prime)} == {
        residue: short.get(residue) for residue in range(prime)
    }


def test_pivots() -> None:
    matrix = residues(np.array([[0, 1, 2, 0], [0, 2, 4, 1], [0, 0, 0, 0]]), 7)
    assert pivot_columns(*matrix.rref()) == [1, 3]
