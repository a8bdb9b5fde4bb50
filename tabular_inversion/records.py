"""Results that cannot be changed: frozen dataclasses whose arrays are read-only, compared entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from html import escape
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, issparse

from tabular_inversion.errors import TabularInversionError, WitnessError

_Entry = TypeVar("_Entry", bound=np.number[Any] | np.bool_)

_SHOWN, _WIDTH = 8, 120
_COMPRESSED = (csr_array, csc_array)


class ReadOnly:
    """Base of frozen dataclasses whose constructors take care of their arrays: read-only after copies and pickles too.

    Examples
    --------
    >>> import pickle
    >>> from tabular_inversion import Goals
    >>> pickle.loads(pickle.dumps(Goals([[0.0, 1.0]]))).rewards.flags.writeable
    False
    >>> Goals([[0.0, 1.0]])._repr_html_()[:42]
    '<p>Goals(n_goals=1, n_states=2)</p><table>'
    """

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        _freeze(vars(self), set())

    def __repr__(self) -> str:
        shown = ", ".join(f"{field.name}={_short(getattr(self, field.name))}" for field in _fields(self))
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(field.name)}</th><td>{escape(_short(getattr(self, field.name)))}</td></tr>"
            for field in _fields(self)
        )
        return f"<p>{escape(repr(self))}</p><table>{rows}</table>"


class Record(ReadOnly):
    """Base of frozen dataclasses (``eq=False``) that hold arrays: deeply read-only, with equality.

    Arrays given to the constructor are copied unless they are read-only already. Whatever comes out of
    `copy.deepcopy` or out of a pickle is read-only again.

    Examples
    --------
    >>> import copy
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, eq=False)
    ... class Point(Record):
    ...     place: np.ndarray
    >>> point = Point(np.array([1.0, np.nan]))
    >>> copy.deepcopy(point) == point, copy.deepcopy(point).place.flags.writeable
    (True, False)
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, _frozen(value))

    def __eq__(self, other: object) -> bool:
        return same(self, other) if type(other) is type(self) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash


def _fields(value: Any) -> tuple[Any, ...]:
    return fields(value)


def _short(value: Any) -> str:
    """Return a value in a few words: arrays and matrices of more than eight entries by their shape alone."""
    if isinstance(value, _COMPRESSED):
        return f"<sparse {value.dtype} {value.shape}, {value.nnz} entries>"
    if isinstance(value, np.ndarray):
        return str(value.tolist()) if value.size <= _SHOWN else f"<{value.dtype} {value.shape}>"
    text = repr(value)
    return text if len(text) <= _WIDTH else f"<{type(value).__name__}>"


def _entries_that_differ(first: Any, second: Any) -> int:
    return int((first != second).nnz)


def sealed(value: Any) -> Any:
    """Return an array that its maker gives away: read-only now, with all that it is a view of.

    Examples
    --------
    >>> whole = np.zeros(4)
    >>> sealed(whole.reshape(2, 2)).flags.writeable, whole.flags.writeable
    (False, False)
    """
    if isinstance(value, _COMPRESSED):
        for part in (value.data, value.indices, value.indptr):
            part.flags.writeable = False
        return value
    array = value
    while isinstance(array, np.ndarray):
        array.flags.writeable = False
        array = array.base
    return value


def promise(verify: Callable[[Any], None]) -> Callable[[Any], None]:
    """Make a method `verify` raise `WitnessError` and nothing else, also where a field is not what it should be.

    A result that was tampered with may hold anything: None in place of an array, numbers out of range. Whatever error
    that leads to says that the result does not survive.

    Examples
    --------
    >>> class Claim:
    ...     rows = None
    ...     @promise
    ...     def verify(self):
    ...         return self.rows[0]
    >>> Claim().verify()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    tabular_inversion.errors.WitnessError: a field of Claim is not what it should be: 'NoneType' object is not ...
    """

    @wraps(verify)
    def kept(self: Any) -> None:
        try:
            verify(self)
        except WitnessError:
            raise
        except (TabularInversionError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
            name = type(self).__name__
            raise WitnessError(f"a field of {name} is not what it should be: {problem}") from problem

    return kept


def same(first: Any, second: Any) -> bool:
    """Tell whether two values are of one type and equal in every entry; NaN equals NaN.

    Parameters
    ----------
    first, second : object
        Numbers, texts, None, arrays, sparse matrices, dataclasses, and tuples, lists or dicts of such.

    Examples
    --------
    >>> same((np.array([1, 2]), float("nan")), (np.array([1, 2]), float("nan")))
    True
    >>> same(1, 1.0), same(np.array([1, 2]), np.array([1, 3]))
    (False, False)
    """
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        return _same_arrays(first, second)
    if isinstance(first, _COMPRESSED):
        return bool(
            first.shape == second.shape and first.dtype == second.dtype and _entries_that_differ(first, second) == 0
        )
    if isinstance(first, tuple | list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(value, second[key]) for key, value in first.items())
    if is_dataclass(first) and not isinstance(first, type):
        return all(same(getattr(first, field.name), getattr(second, field.name)) for field in fields(first))
    return bool(first == second or (first != first and second != second))


def same_if_given(first: NDArray[Any] | None, second: NDArray[Any] | None) -> bool:
    """Tell whether two arrays are equal, or neither is given."""
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(first, second))


def _same_arrays(first: Any, second: Any) -> bool:
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.dtype == object:
        return all(map(same, first.ravel().tolist(), second.ravel().tolist()))
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind in "fc"))


def _frozen(value: Any) -> Any:
    """Return the value with read-only arrays, which nobody else holds a writeable name of."""
    if isinstance(value, np.ndarray):
        if _is_sealed(value):
            return value
        copied = np.array(value, order="C")
        copied.flags.writeable = False
        return copied
    is_sparse = issparse(value)
    if is_sparse:
        return value if _is_read_only(value) else read_only_rows(value)
    if isinstance(value, tuple | list):
        return tuple(_frozen(item) for item in value)
    return value


def read_only_rows(matrix: csr_array[_Entry, tuple[int, int]]) -> csr_array[_Entry, tuple[int, int]]:
    """Return a sparse matrix as a read-only csr_array with sorted indices and no entry twice.

    Examples
    --------
    >>> read_only_rows(csr_array([[0, 1]])).data.flags.writeable
    False
    """
    result = csr_array(matrix, copy=True)
    result.sum_duplicates()
    for part in (result.data, result.indices, result.indptr):
        part.flags.writeable = False
    return result


def _is_sealed(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def _is_read_only(matrix: Any) -> bool:
    parts = (getattr(matrix, name, None) for name in ("data", "indices", "indptr"))
    return isinstance(matrix, csr_array) and not any(part is None or part.flags.writeable for part in parts)


def _freeze(value: Any, seen: set[int]) -> None:
    """Make every array that can be reached read-only, in place: for values that nobody else holds."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, _COMPRESSED):
        for part in (value.data, value.indices, value.indptr):
            part.flags.writeable = False
    elif isinstance(value, tuple | list):
        for item in value:
            _freeze(item, seen)
    elif isinstance(value, dict):
        for item in value.values():
            _freeze(item, seen)
    elif is_dataclass(value) and not isinstance(value, type):
        _freeze(vars(value), seen)
