"""The checks that constructors share: finite arrays, shapes, discounts, distributions, names."""

from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import DiscountError, InputError, ShapeError

MEMBERSHIP_TOLERANCE = 1e-9
"""How far recovered rows may be, for each entry, from a class or a set that is asked whether it contains them."""

_ULPS = 8
_EPS = float(np.finfo(np.float64).eps)

_SHOWN = 3


@overload
def frozen_array(values: ArrayLike) -> FloatArray: ...
@overload
def frozen_array(values: ArrayLike, dtype: type[bool]) -> BoolArray: ...
@overload
def frozen_array(values: ArrayLike, dtype: type[np.intp]) -> IntArray: ...
@overload
def frozen_array(values: ArrayLike, dtype: type[Any]) -> Any: ...
def frozen_array(values: ArrayLike, dtype: type[Any] = np.float64) -> Any:
    """Return `values` as a C-contiguous array that cannot be written to: a copy, unless it is one already."""
    given: Any = values
    is_own = type(given) is np.ndarray and given.dtype == dtype and given.base is None
    if is_own and given.flags.c_contiguous and not given.flags.writeable:
        return given
    array = np.array(given, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def refuse_masked(name: str, values: Any, error: type[InputError]) -> None:
    """Raise `error` if `values` is, or is a list of, masked arrays with masked entries: numpy would drop the mask.

    A masked array without a masked entry is an array like any other.
    """
    masked = values if isinstance(values, np.ma.MaskedArray) else None
    if isinstance(values, list | tuple) and any(isinstance(item, np.ma.MaskedArray) for item in values):
        masked = np.ma.array(values)
    if masked is None or not np.ma.is_masked(masked):
        return
    places = np.argwhere(np.ma.getmaskarray(masked))
    raise error(
        f"{name} has {len(places)} masked entries, the first at {tuple(places[0].tolist())}; a number is missing "
        "there: fill it in, or leave out its row."
    )


def real_array(name: str, values: ArrayLike, axes: str, error: type[InputError]) -> FloatArray:
    """Return `values` as a frozen float64 array of any shape, not necessarily finite; or raise, see `finite_array`."""
    refuse_masked(name, values, error)
    kind = getattr(values, "dtype", None)  # that of a tensor is no type of numpy
    if isinstance(values, str | bytes) or (isinstance(kind, np.dtype) and np.issubdtype(kind, np.datetime64)):
        raise error(f"{name} is {shortened(values)}; give a real array {axes}.")
    try:
        complex_numbers = np.iscomplexobj(values)  # numpy would only warn, and drop the imaginary parts
        array: FloatArray = frozen_array(np.real(values) if complex_numbers else values)
    except Exception as problem:
        # Whatever has an __array__ may raise anything.
        raise error(f"{name} cannot be read as real numbers ({problem}); give a regular array {axes}.") from problem
    if complex_numbers:
        raise error(f"{name} holds complex numbers; give a real array {axes}.")
    return array


def finite_array(
    name: str, values: ArrayLike, shape: tuple[int | None, ...], axes: str, error: type[InputError]
) -> FloatArray:
    """Return `values` as a frozen float64 array of the asked shape, or raise.

    Parameters
    ----------
    name : str
        What the array is, for the message.
    values : array_like
        Real numbers.
    shape : tuple of int or None
        The size of each axis; None allows any size of at least one.
    axes : str
        The axes in words, for the message, for example ``"(G, S)"``.
    error : type of InputError
        What to raise when an entry is not finite.

    Returns
    -------
    numpy.ndarray
        Read-only, float64.

    Raises
    ------
    ShapeError
        If the shape differs or an axis is empty.
    InputError
        Of the given type, if an entry is NaN or infinite, or is no real number.
    """
    array = real_array(name, values, axes, error)
    wrong = array.ndim != len(shape) or any(
        size == 0 or (asked is not None and size != asked) for size, asked in zip(array.shape, shape, strict=True)
    )
    if wrong:
        expected = "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"
        raise ShapeError(f"{name} has shape {array.shape}; expected {axes} = {expected}, no axis empty.")
    finite = np.isfinite(array)
    if not finite.all():
        bad = ~finite
        raise error(f"{name} has {bad.sum()} entries that are not finite, {locate(bad, array, axes)}; replace them.")
    return array


def read_functions(functions: ArrayLike, n_states: int) -> FloatArray:
    """Return functions of the state, finite, (G, S), without a copy of an array that is right already."""
    plain = type(functions) is np.ndarray and functions.dtype == np.float64
    values: FloatArray = functions if plain else real_array("functions", functions, "(G, S)", InputError)  # type: ignore[assignment]
    if values.ndim != 2 or values.shape[1] != n_states:
        raise ShapeError(f"functions has shape {values.shape}; expected (G, S) = (any, {n_states}).")
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()  # finite unless an entry is not, or the sum overflows
    if not np.isfinite(total):
        finite_array("functions", values, (None, n_states), "(G, S)", InputError)
    return values


def shape_of(name: str, values: ArrayLike, error: type[InputError]) -> tuple[int, ...]:
    """Return the shape of `values`, or raise `error` if they form no regular array."""
    try:
        shape = tuple(int(size) for size in np.shape(values))
    except Exception as problem:
        # Whatever has an __array__ may raise anything.
        raise error(f"{name} is no regular array ({problem}); give all of its rows the same length.") from problem
    return shape


def locate(bad: BoolArray, values: Any, axes: str) -> str:
    """Say where the first few True entries of `bad` are, and the values there."""
    places = np.argwhere(bad)[:_SHOWN]
    shown = ", ".join(f"{values[tuple(place)]} at {axes} = {tuple(place.tolist())}" for place in places)
    return f"first {shown}" if len(places) > 1 else shown


def check_positive(name: str, value: float, error: type[InputError]) -> float:
    """Return `value` as a finite float above 0, or raise `error`."""
    try:
        number = float(_number(value))
    except Exception as problem:
        # Whatever has a __float__ or an __array__ may raise anything.
        raise error(f"{name} is {shortened(value)}; expected a positive number.") from problem
    if not 0.0 < number < np.inf:
        raise error(f"{name} is {value}; expected a positive number.")
    return number


def check_kind(name: str, value: Any, kind: type[Any], error: type[InputError], remedy: str) -> None:
    """Raise `error` unless `value` is of a kind; the remedy says how to write what was meant."""
    if not isinstance(value, kind):
        found = f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"
        raise error(f"{name} is {found}; expected {kind.__name__}: {remedy}.")


def check_size(name: str, value: Any, error: type[InputError], *, most: int = 2**31) -> int:
    """Return `value` as an integer from 1 to `most`, or raise `error`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
        raise error(f"{name} is {shortened(value)}; expected an integer from 1 to {most}.")
    return int(value)


def check_seed(seed: Any, error: type[InputError]) -> np.random.Generator:
    """Return the generator that `seed` means, or raise `error`: no seed means no repeatable result."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise error(f"seed is {shortened(seed)}; expected an integer of at least 0 or a numpy Generator.")
    return np.random.default_rng(seed)


def _number(value: Any) -> Any:
    """Return a scalar; texts are none, and arrays only if they have no axis."""
    if isinstance(value, str | bytes | bool) or np.ndim(value) != 0:
        raise TypeError("not a number")
    return value


def shortened(value: Any) -> str:
    """Return what `repr` shows, in one line of at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = "a very long integer"
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_discount(discount: float) -> float:
    """Return `discount` as a float in [0, 1], or raise `DiscountError`.

    At 1, values exist only where every policy ends: `tabular_inversion.bellman` checks that of a world and its goals.
    """
    try:
        value = float(_number(discount))
    except Exception as problem:
        # Whatever has a __float__ or an __array__ may raise anything.
        raise DiscountError(f"discount is {shortened(discount)}; expected a number in [0, 1].") from problem
    if not 0.0 <= value <= 1.0:
        raise DiscountError(f"discount is {value}; expected 0 <= discount <= 1, so that values are finite.")
    return value


def row_sum_limit(n_positive: Any) -> Any:
    """Return how far the float sum of a distribution with so many positive entries may be from one.

    Weights w divided by their sum have a true sum within k u of one, u = eps/2 and k entries, because the sum that
    divides them is wrong by (k - 1) u at most and each quotient by u; the sum by which a row is checked is wrong by
    another (k - 1) u. That is k eps. The 8 eps more allow for a few operations (a product of policies, an
    interpolation) before the row was written down.

    Examples
    --------
    >>> bool(row_sum_limit(2) < 2.3e-15)
    True
    """
    return _EPS * (_ULPS + np.asarray(n_positive))


def check_distributions(
    name: str, rows: FloatArray, available: BoolArray | None, axes: str, error: type[InputError]
) -> None:
    """Raise `error` unless each row along the last axis is a distribution over its available entries.

    Parameters
    ----------
    name : str
        What a row is, for the message.
    rows : numpy.ndarray, shape (..., A)
        Finite numbers.
    available : numpy.ndarray of bool, broadcastable to `rows`, optional
        Entries that may be positive; all when omitted.
    axes : str
        The axes in words.
    error : type of InputError
        What to raise.
    """
    negative = rows < 0
    if negative.any():
        raise error(f"{name} has a negative probability, {locate(negative, rows, axes)}; the least allowed is 0.")
    if available is not None:
        misplaced = (rows > 0) & ~available
        if misplaced.any():
            raise error(
                f"{name} gives probability to an unavailable action, {locate(misplaced, rows, axes)}; set it to 0."
            )
    sums = rows.sum(axis=-1)
    limits = row_sum_limit(np.count_nonzero(rows, axis=-1))
    off = np.abs(sums - 1.0) > limits
    if off.any():
        row_axes = axes.rsplit(",", 1)[0] + ")"
        raise error(
            f"{name} does not sum to 1 up to rounding ({float(limits[off].min()):.1e}): sum "
            f"{locate(off, sums, row_axes)}; divide it by its sum, or call normalised(..., within=...)."
        )


def check_available(available: ArrayLike | None, shape: tuple[int, int], error: type[InputError]) -> BoolArray:
    """Return a mask of actions as a frozen bool array (S, A); all True when omitted.

    Raises
    ------
    ShapeError
        If it is not of type bool, or of another shape.
    InputError
        Of the given type, if a state has no available action.
    """
    refuse_masked("available", available, error)
    try:
        mask = np.ones(shape, bool) if available is None else np.asarray(available)
    except Exception as problem:
        # Whatever has an __array__ may raise anything.
        raise ShapeError(f"available is no regular array; expected bool of shape {shape}.") from problem
    if mask.shape != shape or mask.dtype != bool:
        raise ShapeError(f"available is {mask.dtype} of shape {mask.shape}; expected bool of shape {shape}.")
    stuck = np.flatnonzero(~mask.any(axis=1))
    if stuck.size:
        raise error(f"state {stuck[0]} has no available action; give it one that stays (probability 1).")
    return frozen_array(mask, bool)


def check_names(name: str, names: Sequence[str] | None, size: int, error: type[InputError]) -> tuple[str, ...] | None:
    """Return `names` as a tuple of `size` different strings, or None when omitted."""
    if names is None:
        return None
    if isinstance(names, str | bytes) or not isinstance(names, Iterable) or getattr(names, "ndim", 1) != 1:
        raise error(f"{name} is {shortened(names)}; expected a list of {size} strings.")
    result = tuple(str(item) for item in names)
    if len(result) != size:
        raise error(f"{name} has {len(result)} entries; expected {size}.")
    if len(set(result)) != size:
        repeated = next(item for item in result if result.count(item) > 1)
        raise error(f"{name} repeats {repeated!r}; give each its own name.")
    return result


def check_indices(name: str, indices: ArrayLike, size: int, error: type[InputError]) -> Any:
    """Return `indices` as a one-dimensional integer array within ``range(size)``, not empty, or raise."""
    refuse_masked(name, indices, error)
    shape_of(name, indices, error)
    array = np.atleast_1d(np.asarray(indices))
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise error(f"{name} is {shortened(indices)}; expected a non-empty list of integers from 0 to {size - 1}.")
    outside = (array < 0) | (array >= size)
    if outside.any():
        raise error(f"{name} contains {int(array[outside][0])}; expected integers from 0 to {size - 1}.")
    return array.astype(np.intp)


def check_order(order: ArrayLike, n_states: int, error: type[InputError]) -> IntArray:
    """Return `order` as an integer array that lists each of the states exactly once, or raise `error`."""
    new: IntArray = check_indices("order", order, n_states, error)
    distinct = len(np.unique(new))
    if distinct != n_states or len(new) != n_states:
        raise error(f"order lists {distinct} different states in {len(new)} entries; expected each of {n_states} once.")
    return new
