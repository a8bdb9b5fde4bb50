"""The checks that constructors share."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabular_inversion.errors import DiscountError, GoalsError, InputError, KernelError, ShapeError
from tabular_inversion.validation import (
    check_available,
    check_discount,
    check_distributions,
    check_indices,
    check_names,
    check_order,
    check_positive,
    finite_array,
    frozen_array,
    locate,
    refuse_masked,
    row_sum_limit,
    shape_of,
)


def read(values: Any, shape: tuple[int | None, ...] = (None, None)) -> Any:
    return finite_array("numbers", values, shape, "(a, b)", GoalsError)


def test_arrays_are_copied_and_frozen() -> None:
    given_array = np.arange(6.0).reshape(2, 3).T
    found = read(given_array)
    assert found.flags.c_contiguous
    assert found.dtype == np.float64
    given_array[0, 0] = 9
    assert found[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


@pytest.mark.parametrize(
    "values", [[[1, 2]], [[True, False]], [[Fraction(1, 2), 1]], np.float32([[1, 2]]), [["1", "2"]]]
)
def test_numbers_of_every_kind_are_read(values: Any) -> None:
    assert read(values).shape == (1, 2)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([[1.0], [1.0, 2.0]], "regular array"),
        ([[1.0, None]], "real numbers|not finite"),
        ([["one"]], "real numbers"),
        ([[object()]], "real numbers"),
        ([[10**400]], "real numbers"),
        ([[1j]], "complex"),
        (np.array([[1j]]), "complex"),
        ([[np.nan, 1.0]], r"1 entries that are not finite, nan at \(a, b\) = \(0, 0\)"),
        ([[1.0, np.inf], [-np.inf, 1.0]], r"2 entries.*first inf at \(a, b\) = \(0, 1\), -inf at \(a, b\) = \(1, 0\)"),
        ({"a": 1}, "real numbers"),
    ],
)
def test_what_is_no_array_of_finite_reals_is_refused(values: Any, match: str) -> None:
    with pytest.raises(GoalsError, match=match):
        read(values)


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (1.0, (None, None)),
        ([1.0], (None, None)),
        ([[[1.0]]], (None, None)),
        ([[]], (None, None)),
        ([], (None,)),
        ([[1.0, 2.0]], (None, 3)),
        ([[1.0, 2.0]], (2, None)),
    ],
)
def test_wrong_shapes_are_refused(values: Any, shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ShapeError, match=r"numbers has shape .*; expected \(a, b\) = "):
        read(values, shape)


def test_shape_of_a_ragged_array() -> None:
    assert shape_of("numbers", [[1, 2]], GoalsError) == (1, 2)
    with pytest.raises(GoalsError, match="same length"):
        shape_of("numbers", [[1], [1, 2]], GoalsError)


def test_locate_names_the_first_few_places() -> None:
    values = np.arange(5)
    assert locate(values == 4, values, "(i)") == "4 at (i) = (4,)"
    assert locate(values > 0, values, "(i)") == "first 1 at (i) = (1,), 2 at (i) = (2,), 3 at (i) = (3,)"


@pytest.mark.parametrize(
    "value", [0, 0.0, 0.5, np.float32(0.25), Fraction(1, 3), 1 - 1e-12, np.nextafter(1, 0), 1, 1.0]
)
def test_discounts(value: Any) -> None:
    found = check_discount(value)
    assert type(found) is float
    assert found == float(value)


@pytest.mark.parametrize(
    "value", [np.nextafter(1, 2), -1e-300, 2, np.nan, np.inf, -np.inf, 10**400, None, "x", 0.5j, [0.1, 0.2]]
)
def test_discounts_outside_the_range(value: Any) -> None:
    with pytest.raises(DiscountError, match=r"expected"):
        check_discount(value)


@pytest.mark.parametrize("value", [5e-324, 1, 1e308, np.float32(2)])
def test_positive_numbers(value: Any) -> None:
    assert check_positive("width", value, GoalsError) == float(value)


@pytest.mark.parametrize("value", [0, -1, -0.0, np.nan, np.inf, 10**400, None, "x", 1j, [1.0, 2.0]])
def test_numbers_that_are_not_positive(value: Any) -> None:
    with pytest.raises(GoalsError, match=r"width is .*; expected a positive number"):
        check_positive("width", value, GoalsError)


def distributions(rows: Any, available: Any = None) -> None:
    check_distributions("rows", np.array(rows, float), available, "(s, a)", KernelError)


def test_distributions_within_the_tolerance() -> None:
    distributions([[0.5, 0.5], [1.0, 0.0]])
    distributions([[0.5, 0.5 + 0.9 * row_sum_limit(2)]])
    distributions([[1.0, 0.0]], np.array([[True, False]]))


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([[0.5, 0.5], [1.5, -0.5]], r"negative probability, -0.5 at \(s, a\) = \(1, 1\)"),
        ([[0.5, 0.5], [0.5, 0.25]], r"sum 0.75 at \(s\) = \(1,\)"),
        ([[0.5, 0.5 + 1.2 * row_sum_limit(2)]], r"does not sum to 1"),
        ([[0.0, 0.0]], r"sum 0.0 at \(s\)"),
    ],
)
def test_rows_that_are_no_distributions(rows: Any, match: str) -> None:
    with pytest.raises(KernelError, match=match):
        distributions(rows)


def test_weights_divided_by_their_sum_pass_and_a_part_in_a_billion_does_not() -> None:
    rng = np.random.default_rng(0)
    for size in [2, 3, 10, 1000]:
        weights = rng.standard_exponential((200, size)) ** rng.integers(1, 9)
        rows = weights / weights.sum(axis=1, keepdims=True)
        distributions(rows)
        with pytest.raises(KernelError, match=r"up to rounding .*normalised\(\.\.\., within=\.\.\.\)"):
            distributions(rows * (1 + 2 * row_sum_limit(size)))


MASKED = np.ma.array([[1.0, 2.0]], mask=[[False, True]])


@pytest.mark.parametrize("values", [MASKED, [MASKED[0]]])
def test_masked_entries_are_refused_and_a_mask_that_hides_nothing_is_not(values: Any) -> None:
    with pytest.raises(GoalsError, match=r"1 masked entries, the first at \(0, 1\)"):
        read(values)
    assert read(np.ma.array([[1.0, 2.0]], mask=False)).tolist() == [[1.0, 2.0]]
    with pytest.raises(KernelError, match="masked"):
        check_available(np.ma.array([[True, True]], mask=[[False, True]]), (1, 2), KernelError)
    with pytest.raises(GoalsError, match="masked"):
        check_indices("goals", np.ma.array([0, 1], mask=[True, False]), 3, GoalsError)
    refuse_masked("anything", object(), GoalsError)


def test_probability_of_an_unavailable_action() -> None:
    with pytest.raises(KernelError, match=r"unavailable action, 0.5 at \(s, a\) = \(0, 1\)"):
        distributions([[0.5, 0.5]], np.array([[True, False]]))


def test_masks() -> None:
    assert check_available(None, (2, 3), KernelError).all()
    mask = np.array([[True, False]])
    found = check_available(mask, (1, 2), KernelError)
    mask[0, 0] = False
    assert found.tolist() == [[True, False]]
    assert not found.flags.writeable


@pytest.mark.parametrize("mask", [[[1, 0]], [[1.0, 0.0]], [True, False], [[True]], [[True], [True, False]], "x", True])
def test_masks_of_the_wrong_kind_or_shape(mask: Any) -> None:
    with pytest.raises(ShapeError, match="available"):
        check_available(mask, (1, 2), KernelError)


def test_a_state_without_actions() -> None:
    with pytest.raises(KernelError, match="state 1 has no available action"):
        check_available([[True, False], [False, False]], (2, 2), KernelError)


def test_names() -> None:
    assert check_names("names", None, 2, GoalsError) is None
    assert check_names("names", ["a", 1], 2, GoalsError) == ("a", "1")
    with pytest.raises(GoalsError, match="3 entries; expected 2"):
        check_names("names", ["a", "b", "c"], 2, GoalsError)
    for wrong in ["ab", b"ab", 2]:
        with pytest.raises(GoalsError, match="expected a list of 2 strings"):
            check_names("names", wrong, 2, GoalsError)  # type: ignore[arg-type]
    with pytest.raises(GoalsError, match="repeats 'a'"):
        check_names("names", ["a", "a"], 2, GoalsError)


@pytest.mark.parametrize(
    ("indices", "expected"), [(2, [2]), ([0, 2, 2], [0, 2, 2]), (np.uint8([1]), [1]), (range(3), [0, 1, 2])]
)
def test_indices(indices: Any, expected: list[int]) -> None:
    found = check_indices("goals", indices, 3, GoalsError)
    assert found.dtype == np.intp
    assert found.tolist() == expected


@pytest.mark.parametrize("indices", [[], [3], [-1], [0.0], [True], "x", None, [[0]], [2**63], [[0], [1, 2]]])
def test_indices_that_are_none(indices: Any) -> None:
    with pytest.raises(GoalsError, match=r"expected|regular"):
        check_indices("goals", indices, 3, GoalsError)


@given(st.permutations(range(5)))
def test_orders(order: list[int]) -> None:
    assert check_order(order, 5, KernelError).tolist() == order


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [0, 1, 2, 2], [0, 1, 3], [[0, 1, 2]], []])
def test_orders_that_are_none(order: Any) -> None:
    with pytest.raises(KernelError, match="expected"):
        check_order(order, 3, KernelError)


def test_frozen_arrays_and_errors_are_what_numpy_users_expect() -> None:
    assert not frozen_array([1]).flags.writeable
    assert issubclass(InputError, ValueError)
