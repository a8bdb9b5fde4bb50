"""Numbers that are exact: reading them, and moving arrays of them in and out of python-flint."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any, TypeAlias

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import ArrayLike, NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.kinds import checked
from tabular_inversion.validation import shortened

FractionArray: TypeAlias = NDArray[Any]
"""An ndarray of dtype object whose entries are `fractions.Fraction`."""

_LONGEST_EXPONENT = 4
"""Digits of the exponent in a text such as "1e-3": "1e999999999" would fill the memory before it failed."""


@checked
def as_fraction(value: Any, *, allow_float: bool = False) -> Fraction:
    """Return `value` as the rational number that it is.

    Parameters
    ----------
    value : int, Fraction, str, sympy Rational, flint fmpq or fmpz, or float
        A text is an integer, a quotient or a decimal: ``"3"``, ``"1/3"``, ``"0.25"``, ``"1e-3"``.
    allow_float : bool
        Whether a float is accepted. It is then taken as the dyadic rational that it is: 0.1 becomes
        3602879701896397/36028797018963968, and not 1/10.

    Returns
    -------
    fractions.Fraction

    Raises
    ------
    InputError
        If the value is no rational number, or a float that was not asked for.

    Examples
    --------
    >>> as_fraction("0.25"), as_fraction(0.375, allow_float=True)
    (Fraction(1, 4), Fraction(3, 8))
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, (float, np.floating)):
        if not allow_float:
            raise InputError(
                f"{value!r} is a float, which is seldom the number that was meant; give a fraction or a text such as "
                "'1/3', or pass allow_float=True to take floats as the dyadic rationals that they are."
            )
        if not np.isfinite(value):
            raise InputError(f"{value!r} is not finite; expected a rational number.")
        return Fraction(*value.as_integer_ratio())
    # Rationals of other libraries are known by what they have, so that none of them is imported here.
    numerator, denominator = getattr(value, "numerator", None), getattr(value, "denominator", None)
    if numerator is None or denominator is None:
        kind = type(value).__name__
        raise InputError(
            f"{shortened(value)} of type {kind} is no rational number; give fractions, in a regular array."
        )
    return Fraction(int(numerator), int(denominator))


@checked
def fraction_array(
    values: ArrayLike, *, allow_float: bool = False, limit_denominator: int | None = None
) -> FractionArray:
    """Return `values` as an array of fractions, of the same shape.

    Parameters
    ----------
    values : array_like
        Entries as `as_fraction` reads them, in a regular array.
    allow_float : bool
        Whether floats are accepted, as the dyadic rationals that they are.
    limit_denominator : int, optional
        Replace each entry by the nearest fraction whose denominator is at most this; as they are when omitted.

    Returns
    -------
    numpy.ndarray of object
        A new array of `fractions.Fraction`.

    Raises
    ------
    InputError
        If an entry is no rational number, the array is not regular, or the limit is not positive.

    Examples
    --------
    >>> fraction_array([1, "1/3"])
    array([Fraction(1, 1), Fraction(1, 3)], dtype=object)
    >>> fraction_array([0.1], allow_float=True, limit_denominator=100)
    array([Fraction(1, 10)], dtype=object)
    """
    if limit_denominator is not None and (
        isinstance(limit_denominator, bool)
        or not isinstance(limit_denominator, int | np.integer)
        or limit_denominator < 1
    ):
        raise InputError(f"limit_denominator is {shortened(limit_denominator)}; expected an integer of at least 1.")
    array = object_array(values)
    if array.dtype.kind == "f" and allow_float:
        # Few different numbers fill most kernels: each is converted once.
        distinct, places = np.unique(array.ravel(), return_inverse=True)
        return _convert(distinct, True, limit_denominator)[places].reshape(array.shape)
    return _convert(array, allow_float, limit_denominator)


def object_array(values: ArrayLike) -> NDArray[Any]:
    """Return an ndarray as it is, and anything else as an array of objects; raises `InputError` if that fails."""
    try:
        return values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    except Exception as problem:
        # Whatever has an __array__ may raise anything.
        raise InputError(f"the values form no regular array ({problem}); give rows of equal length.") from problem


def to_floats(values: FractionArray) -> FloatArray:
    """Return fractions rounded to the nearest floats, of the same shape.

    Examples
    --------
    >>> to_floats(fraction_array(["1/3"]))
    array([0.33333333])
    """
    return values.astype(np.float64)


def _convert(array: NDArray[Any], allow_float: bool, limit_denominator: int | None) -> FractionArray:
    entries = []
    for place, value in enumerate(array.ravel().tolist()):
        try:
            entry = as_fraction(value, allow_float=allow_float)
        except InputError as problem:
            index = tuple(int(i) for i in np.unravel_index(place, array.shape))
            raise InputError(f"entry {index}: {problem}") from problem
        entries.append(entry if limit_denominator is None else entry.limit_denominator(limit_denominator))
    result = np.empty(len(entries), dtype=object)
    result[:] = entries
    return result.reshape(array.shape)


def _read_text(text: str) -> Fraction:
    exponent = text.lower().partition("e")[2].strip().lstrip("+-")
    if len(exponent) > _LONGEST_EXPONENT:
        raise InputError(f"{text!r} has an exponent of more than {_LONGEST_EXPONENT} digits; write a smaller one.")
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as problem:
        raise InputError(
            f"{text!r} is no rational number ({problem}); write an integer, a quotient '1/3' or a decimal '0.25'."
        ) from problem


def matrix_to_flint(matrix: FractionArray) -> fmpq_mat:
    """Return a matrix of fractions, shape (rows, columns), as a flint matrix over the rationals."""
    rows, columns = matrix.shape
    return fmpq_mat(rows, columns, [fmpq(x.numerator, x.denominator) for x in matrix.ravel().tolist()])


def matrix_from_flint(matrix: fmpq_mat | fmpz_mat) -> FractionArray:
    """Return a flint matrix over the rationals or the integers as an array of fractions, shape (rows, columns).

    Examples
    --------
    >>> matrix_from_flint(fmpq_mat(1, 1, [fmpq(2, 6)]))
    array([[Fraction(1, 3)]], dtype=object)
    """
    result = np.empty(matrix.nrows() * matrix.ncols(), dtype=object)
    result[:] = [Fraction(int(x.numerator), int(x.denominator)) for x in matrix.entries()]
    return result.reshape(matrix.nrows(), matrix.ncols())


def integer_rows(matrix: ArrayLike) -> tuple[fmpz_mat, list[int]]:
    """Clear the denominators of each row.

    Parameters
    ----------
    matrix : array_like, shape (rows, columns)
        Rational entries.

    Returns
    -------
    integers : flint.fmpz_mat, shape (rows, columns)
        Row i is row i of `matrix` times ``denominators[i]``; it has the same null space and rank.
    denominators : list of int
        The least common denominator of each row.

    Raises
    ------
    ShapeError
        If `matrix` has not two axes.
    InputError
        If an entry is no rational number.

    Examples
    --------
    >>> integer_rows([["1/2", "1/3"], [1, 2]])
    ([3, 2]
    [1, 2], [6, 1])
    """
    array = matrix if isinstance(matrix, np.ndarray) and matrix.dtype.kind in "iu" else fraction_array(matrix)
    if array.ndim != 2:
        raise ShapeError(f"the matrix has shape {array.shape}; expected (rows, columns).")
    rows, columns = array.shape
    if array.dtype.kind in "iu":
        return fmpz_mat(rows, columns, array.ravel().tolist()), [1] * rows
    values: list[int] = []
    denominators = []
    for row in array.tolist():
        denominator = lcm(*(x.denominator for x in row))
        denominators.append(denominator)
        values += [x.numerator * (denominator // x.denominator) for x in row]
    return fmpz_mat(rows, columns, values), denominators
