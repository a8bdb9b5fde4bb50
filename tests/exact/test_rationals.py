"""Reading exact numbers: what is taken, what is refused, and that nothing is lost on the way to flint and back."""

from decimal import Decimal
from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.exact import as_fraction, fraction_array
from tabular_inversion.exact.rationals import integer_rows, matrix_from_flint, matrix_to_flint, to_floats

FRACTIONS = st.fractions(-(10**6), 10**6, max_denominator=10**4)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, Fraction(3)),
        (True, Fraction(1)),
        (np.int8(-2), Fraction(-2)),
        (np.uint64(2**64 - 1), Fraction(2**64 - 1)),
        (Fraction(2, 6), Fraction(1, 3)),
        ("1/3", Fraction(1, 3)),
        (" -0.25 ", Fraction(-1, 4)),
        ("1e-3", Fraction(1, 1000)),
        ("12E+2", Fraction(1200)),
        (np.str_("7/2"), Fraction(7, 2)),
        (sympy.Rational(-5, 3), Fraction(-5, 3)),
        (sympy.Integer(4), Fraction(4)),
        (flint.fmpq(3, 9), Fraction(1, 3)),
        (flint.fmpz(10**30), Fraction(10**30)),
    ],
    ids=repr,
)
def test_rational_numbers_are_read(value: object, expected: Fraction) -> None:
    found = as_fraction(value)
    assert found == expected
    assert type(found) is Fraction
    assert type(found.numerator) is int


@pytest.mark.parametrize(
    "value",
    [
        "", "one", "1/0", "nan", "inf", "1//3", "0x10", "1e99999", "1e-999999999", "9" * 5000,
        None, 1j, [1], np.bool_(True), object(), Decimal("0.5"),
        sympy.sqrt(2), sympy.oo, sympy.nan, sympy.zoo, sympy.Float("0.5"), sympy.Symbol("x"),
    ],
    ids=lambda value: f"{type(value).__name__}:{str(value)[:12]}",
)  # fmt: skip
def test_what_is_no_rational_number_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        as_fraction(value, allow_float=True)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(1.0), np.longdouble(0.25)], ids=repr)
def test_floats_only_by_request(value: float) -> None:
    with pytest.raises(InputError, match="allow_float=True"):
        as_fraction(value)
    assert as_fraction(value, allow_float=True) == Fraction(*value.as_integer_ratio())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf, np.float32("nan")], ids=repr)
def test_floats_that_are_not_finite_are_refused_even_by_request(value: float) -> None:
    with pytest.raises(InputError, match="not finite"):
        as_fraction(value, allow_float=True)


@given(FLOATS)
def test_a_float_is_the_dyadic_rational_that_it_is(value: float) -> None:
    found = as_fraction(value, allow_float=True)
    assert float(found) == value
    assert found.denominator & (found.denominator - 1) == 0


@given(FRACTIONS)
def test_a_fraction_survives_every_notation(value: Fraction) -> None:
    written = (str(value), sympy.Rational(value.numerator, value.denominator))
    assert as_fraction(written[0]) == as_fraction(written[1]) == value
    assert as_fraction(flint.fmpq(value.numerator, value.denominator)) == value


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (5, ()),
        ([], (0,)),
        ([["1/2", 1], [2, "3"]], (2, 2)),
        (np.zeros((2, 0, 3), int), (2, 0, 3)),
        (np.array([True, False]), (2,)),
        (sympy.Matrix([[1, 2, 3]]), (1, 3)),
        ([np.array([1, 2]), np.array([3, 4])], (2, 2)),
    ],
)
def test_arrays_keep_their_shape(values: object, shape: tuple[int, ...]) -> None:
    found = fraction_array(values)
    assert found.shape == shape
    assert found.dtype == object
    assert all(type(entry) is Fraction for entry in found.ravel())


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([[1, 2], [3]], "regular array"),
        ([np.zeros((2, 2), int), np.zeros((2, 3), int)], "regular array"),
        ([[1, 2], [3, "x"]], r"entry \(1, 1\).*'x'"),
        ([1, 0.5], r"entry \(1,\).*allow_float"),
        (np.array([1j]), "no rational number"),
        (np.array([0.5]), "allow_float"),
        (None, "expected an array"),
    ],
)
def test_arrays_that_cannot_be_read_are_refused_with_the_place(values: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        fraction_array(values)


def test_float_arrays_by_request() -> None:
    values = np.array([[0.1, 0.1], [0.5, -0.0]])
    assert fraction_array(values, allow_float=True).tolist() == [[Fraction(0.1)] * 2, [Fraction(1, 2), Fraction(0)]]
    assert fraction_array(np.array(0.1), allow_float=True, limit_denominator=10).item() == Fraction(1, 10)
    with pytest.raises(InputError, match="not finite"):
        fraction_array([np.nan], allow_float=True)


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_on_denominators_is_positive(limit: int) -> None:
    with pytest.raises(InputError, match="limit_denominator"):
        fraction_array([1], limit_denominator=limit)


@given(st.lists(FLOATS.filter(lambda x: abs(x) < 1e9), min_size=1, max_size=6), st.integers(1, 1000))
def test_the_nearest_fraction_is_near(values: list[float], limit: int) -> None:
    found = fraction_array(values, allow_float=True, limit_denominator=limit)
    assert all(x.denominator <= limit for x in found)
    # Some fraction with denominator `limit` lies within half of 1 / limit.
    assert all(abs(x - Fraction(value)) <= Fraction(1, 2 * limit) for x, value in zip(found, values, strict=True))


def test_a_new_array_is_returned() -> None:
    given_array = fraction_array([1, 2])
    again = fraction_array(given_array)
    again[0] = Fraction(9)
    assert given_array[0] == 1


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 4), st.integers(0, 4), st.data())
def test_matrices_go_to_flint_and_back(rows: int, columns: int, data: st.DataObject) -> None:
    entries = data.draw(st.lists(FRACTIONS, min_size=rows * columns, max_size=rows * columns))
    matrix = np.array(entries, dtype=object).reshape(rows, columns)
    assert np.array_equal(matrix_from_flint(matrix_to_flint(matrix)), matrix)
    integers, denominators = integer_rows(matrix)
    assert (integers.nrows(), integers.ncols(), len(denominators)) == (rows, columns, rows)
    cleared = matrix_from_flint(integers) / np.array(denominators, dtype=object).reshape(rows, 1)
    assert np.array_equal(cleared, matrix)
    assert all(
        d == np.lcm.reduce([x.denominator for x in row] + [1]) for d, row in zip(denominators, matrix, strict=True)
    )


def test_integer_arrays_are_read_alike_on_both_ways() -> None:
    values = np.array([[2**62, -1], [0, 7]])
    assert integer_rows(values) == integer_rows(values.astype(object))
    assert integer_rows(values.astype(np.uint8))[0] == integer_rows(values.astype(np.uint8).tolist())[0]


@pytest.mark.parametrize("matrix", [3, [1, 2], np.zeros((1, 1, 1), int), np.zeros(3, int)])
def test_integer_rows_wants_two_axes(matrix: object) -> None:
    with pytest.raises(ShapeError, match="rows, columns"):
        integer_rows(matrix)


def test_rounding_to_floats_is_to_the_nearest() -> None:
    assert to_floats(fraction_array(["1/3", 2, "-1/10"])).tolist() == [1 / 3, 2.0, -0.1]
