"""What each operation does for each kernel class, and the refusal of classes that it has no answer for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from tabular_inversion.errors import KernelClassError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import describe

_Entry = TypeVar("_Entry")


class ClassTable(Generic[_Entry]):
    """What one operation does for each kernel class; a class without an entry is refused, never taken for another.

    Parameters
    ----------
    operation : str
        What is done, for the message.
    entries : dict of type to any
        By class; a subclass of a class has no entry of its own, since it may be a smaller set of rows.

    Examples
    --------
    >>> from tabular_inversion.kernel_classes import Deterministic, Stochastic
    >>> table = ClassTable("the number of unknowns", {Deterministic: 1})
    >>> table.of(Deterministic())
    1
    >>> table.of(Stochastic())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    tabular_inversion.errors.KernelClassError: the number of unknowns is not implemented for the class Stochastic; ...
    """

    def __init__(self, operation: str, entries: dict[type[KernelClass], _Entry]) -> None:
        self.operation = operation
        self._entries = dict(entries)

    def register(self, kernel_class: type[KernelClass], entry: _Entry) -> None:
        """Say what the operation does for a class."""
        self._entries[kernel_class] = entry

    def of(self, kernel_class: KernelClass) -> _Entry:
        """Return the entry of the class of `kernel_class`; raises `KernelClassError` where there is none."""
        check_class(kernel_class)
        if type(kernel_class) not in self._entries:
            known = ", ".join(cls.__name__ for cls in self._entries)
            raise KernelClassError(
                f"{self.operation} is not implemented for the class {type(kernel_class).__name__}; use {known}, or "
                "register an entry."
            )
        return self._entries[type(kernel_class)]


def check_class(kernel_class: Any) -> None:
    """Raise `KernelClassError` unless this is an instance of a kernel class.

    Examples
    --------
    >>> check_class("stochastic")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    tabular_inversion.errors.KernelClassError: kernel_class is 'stochastic'; expected an instance such as ...
    """
    if not isinstance(kernel_class, KernelClass):
        raise KernelClassError(
            f"kernel_class is {describe(kernel_class)}; expected an instance such as Stochastic() or "
            "Deterministic(), with parentheses."
        )


ENOUGH_GOALS: ClassTable[Callable[[Any, int], int]] = ClassTable(
    "the number of generic goals that suffice",
    {
        Unconstrained: lambda _, n: n,
        Stochastic: lambda _, n: n - 1,
        Supported: lambda kernel_class, _: int(kernel_class.sizes.max()) - 1,
        Sparse: lambda kernel_class, n: min(2 * kernel_class.most(n) - 1, n - 1),
        Deterministic: lambda *_: 1,
    },
)
"""By class, ``enough(kernel_class, n_states)``: T2a, T3a and T5."""
