"""Roots, determinants and null vectors of polynomials against sympy, and laws."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from flint import fmpq_poly, fmpz_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion.discounts import AlgebraicNumber
from tabular_inversion.exact.polynomials.matrices import (
    determinant,
    generic_rank,
    null_vector,
    rank_at,
    rank_drops,
    values_at,
    vanishes,
)
from tabular_inversion.exact.polynomials.roots import at, divides, isolate, show_polynomial, sign_variations

X = sympy.symbols("x")
COEFFICIENTS = st.lists(st.integers(-9, 9), min_size=1, max_size=6)
POLYNOMIALS = COEFFICIENTS.map(fmpz_poly)


def to_sympy(polynomial: fmpz_poly) -> sympy.Expr:
    return sympy.Poly([int(c) for c in polynomial.coeffs()[::-1]] or [0], X).as_expr()


@settings(deadline=None)
@given(st.lists(POLYNOMIALS.filter(bool), min_size=1, max_size=3))
def test_roots_are_those_of_sympy(factors):
    product = fmpz_poly([1])
    for factor in factors:
        product *= factor
    found = isolate(product)
    expected = sympy.Poly(to_sympy(product), X)
    roots = [] if expected.degree() < 1 else [r for r in sympy.real_roots(expected) if 0 < r < 1]
    assert sum(multiplicity for _, multiplicity in found) == len(roots)
    assert sorted({float(root) for root, _ in found}) == pytest.approx(sorted({float(r) for r in roots}), abs=1e-12)
    for number, _ in found:
        assert divides(number.polynomial, product)
        assert sign_variations(product) >= len(roots)


@settings(deadline=None)
@given(POLYNOMIALS.filter(bool), POLYNOMIALS.filter(bool))
def test_numbers_are_ordered_as_floats_are_and_equal_across_polynomials(first, second):
    numbers = [root for p in (first, second, first * second) for root, _ in isolate(p)]
    for one in numbers:
        for other in numbers:
            near = abs(float(one) - float(other)) < 1e-12
            assert (one == other) == near
            if near:
                assert hash(one) == hash(other)
            else:
                assert (one < other) == (float(one) < float(other))


@settings(deadline=None)
@given(POLYNOMIALS.filter(bool), POLYNOMIALS)
def test_signs_are_exact(polynomial, other):
    for number, _ in isolate(polynomial):
        sign = number.sign(other)
        value = float(at(other, (number.refine(Fraction(1, 2**200)).lower)))
        assert sign == (0 if abs(value) < 1e-30 else np.sign(value))


def test_roots_that_are_close_are_told_apart():
    # Mignotte: two roots near 1/1000, about 10^-10 apart, and a third polynomial with a root between them.
    close = fmpz_poly([-2, 4000, -2 * 10**6, 0, 0, 0, 0, 1])
    roots = [root for root, _ in isolate(close)]
    assert len(roots) == 2
    middle = AlgebraicNumber.rational(Fraction(1, 1000))
    assert roots[0] < middle < roots[1]
    assert sympy.Poly(to_sympy(close), X).count_roots(0, 1) == 2


def test_refining_keeps_the_root():
    root = isolate(fmpz_poly([-1, 0, 2]))[0][0]
    fine = root.refine(Fraction(1, 10**30))
    assert fine.upper - fine.lower <= Fraction(1, 10**30)
    assert fine == root
    assert float(root) == pytest.approx(0.5**0.5, abs=1e-16)
    assert str(root) == "0.7071067812, root of 2x^2 - 1"


@pytest.mark.parametrize(
    ("coefficients", "text"),
    [([], "0"), ([0, 0], "0"), ([-1], "-1"), ([0, -1], "-x"), ([1, 0, -3], "-3x^2 + 1"), ([0, 5, 1], "x^2 + 5x")],
)
def test_polynomials_are_written_as_people_write_them(coefficients, text):
    assert show_polynomial(coefficients) == text


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(POLYNOMIALS, min_size=n, max_size=n), min_size=n, max_size=n))
)
def test_determinants_and_ranks_are_those_of_sympy(matrix):
    expected = sympy.Matrix([[to_sympy(p) for p in row] for row in matrix])
    polynomial = determinant(matrix)
    by_sympy = expected.to_DM(domain=sympy.ZZ[X])
    assert by_sympy.domain.to_sympy(by_sympy.det()) == sympy.expand(to_sympy(polynomial))
    assert generic_rank(matrix) == by_sympy.to_field().rank()
    for number, _ in isolate(polynomial) if polynomial else []:
        vector = null_vector(matrix, number)
        assert rank_at(matrix, number) < len(matrix)
        assert vanishes(matrix, vector, number)
        wrong = [*vector]
        wrong[0] += fmpq_poly([1])
        column = [[row[0]] for row in matrix]
        assert vanishes(matrix, wrong, number) == vanishes(column, [fmpq_poly([1])], number)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
        lambda shape: st.lists(
            st.lists(POLYNOMIALS, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
        )
    )
)
def test_ranks_fall_at_roots_of_what_is_returned_and_nowhere_else(matrix):
    usual = generic_rank(matrix)
    drops = rank_drops(matrix, usual)
    assert drops
    for point in (Fraction(1, 2), Fraction(1, 3), Fraction(2, 3)):
        if sympy.Matrix(values_at(matrix, point).tolist()).rank() < usual:
            assert at(drops, point) == 0


def test_a_regular_matrix_has_no_null_vector():
    half = AlgebraicNumber.rational(Fraction(1, 2))
    assert null_vector([[fmpz_poly([1])]], half) is None
    assert null_vector([[fmpz_poly()]], half) == [fmpq_poly([1])]
