"""The checks that exact constructors share: the twins of those in `tabular_inversion.validation`, without tolerance."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import DiscountError, InputError, PolicyError, ShapeError
from tabular_inversion.exact.rationals import FractionArray, as_fraction, fraction_array, object_array
from tabular_inversion.validation import frozen_array, locate


def exact_array(
    name: str, values: ArrayLike, shape: tuple[int | None, ...], axes: str, error: type[InputError]
) -> FractionArray:
    """Return `values` as a frozen array of fractions of the asked shape, or raise; see `finite_array`."""
    try:
        array = fraction_array(values)
    except InputError as problem:
        raise error(f"{name} {axes}: {problem}") from problem
    fits = array.ndim == len(shape) and all(
        size > 0 and asked in {None, size} for size, asked in zip(array.shape, shape, strict=True)
    )
    if not fits:
        expected = "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"
        raise ShapeError(f"{name} has shape {array.shape}; expected {axes} = {expected}, no axis empty.")
    result: FractionArray = frozen_array(array, object)
    return result


def check_exact_distributions(name: str, rows: FractionArray, totals: Any, axes: str, error: type[InputError]) -> None:
    """Raise `error` unless the rows along the last axis are nonnegative and sum to exactly these totals, 0 or 1."""
    negative = rows < 0
    if negative.any():
        raise error(f"{name} has a negative probability, {locate(negative, rows, axes)}; the least allowed is 0.")
    sums = rows.sum(axis=-1)
    off = sums != totals
    if off.any():
        row_axes = axes.rsplit(",", 1)[0] + ")"
        expected = np.broadcast_to(totals, sums.shape)[off][0]
        raise error(
            f"{name} does not sum to exactly {expected}: sum {locate(off, sums, row_axes)}. Correct it; where floats "
            "stood for fractions, such as 0.333 for 1/3, convert them with limit_denominator, for example 1000."
        )


def exact_discount(discount: Any) -> Fraction:
    """Return `discount` as a fraction in [0, 1], or raise `DiscountError`."""
    try:
        value = as_fraction(discount)
    except InputError as problem:
        raise DiscountError(f"discount: {problem}") from problem
    if not 0 <= value <= 1:
        raise DiscountError(f"discount is {value}; expected 0 <= discount <= 1, so that values are finite.")
    return value


def exact_policy(policy: ArrayLike, available: BoolArray, n_goals: int) -> FractionArray:
    """Return `policy` as a read-only array of fractions, shape (S, A) or (G, S, A), or raise.

    Raises
    ------
    PolicyError
        If an entry is no rational number, or a row is no distribution over the available actions.
    ShapeError
        If the shape is neither (S, A) nor (G, S, A).
    """
    conditional = object_array(policy).ndim == 3
    shape = (n_goals, *available.shape) if conditional else available.shape
    axes = "(g, s, a)" if conditional else "(s, a)"
    array = exact_array("policy", policy, shape, axes, PolicyError)
    misplaced = (array > 0) & ~available
    if misplaced.any():
        raise PolicyError(
            f"policy gives probability to an unavailable action, {locate(misplaced, array, axes)}; set it to 0."
        )
    check_exact_distributions("policy", array, 1, axes, PolicyError)
    return array


def without_unavailable(values: FractionArray, available: BoolArray) -> FractionArray:
    """Return a copy of values (G, S, A) with None where the action (S, A) is unavailable."""
    result = values.copy()
    result[:, ~available] = None
    return result
