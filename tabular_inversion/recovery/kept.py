"""Properties that follow from the test functions alone, which systems with the same ones compute once between them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar, overload

T = TypeVar("T")


class SharesTests(Protocol):
    """An object with test functions that others have as well."""

    @property
    def kept(self) -> dict[Hashable, Any]:
        """What was computed of the test functions so far: the same dictionary in all that share them."""


def once(kept: dict[Hashable, Any], key: Hashable, compute: Callable[[], T]) -> T:
    """Return what is kept under a key, computed first where there is nothing.

    Examples
    --------
    >>> kept = {}
    >>> once(kept, "sum", lambda: 1 + 2), once(kept, "sum", lambda: 0)
    (3, 3)
    """
    if key not in kept:
        kept[key] = compute()
    found: T = kept[key]
    return found


class Kept(Generic[T]):
    """A property computed when it is first asked for, and kept for all objects that share their test functions.

    Examples
    --------
    >>> class System:
    ...     def __init__(self, kept):
    ...         self.kept = kept
    ...     @Kept
    ...     def rank(self):
    ...         print("decomposed")
    ...         return 3
    >>> both = {}
    >>> System(both).rank + System(both).rank
    decomposed
    6
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Kept[T]: ...
    @overload
    def __get__(self, instance: SharesTests, owner: type | None = None) -> T: ...
    def __get__(self, instance: SharesTests | None, owner: type | None = None) -> T | Kept[T]:
        if instance is None:
            return self
        return once(instance.kept, self._name, lambda: self._compute(instance))
