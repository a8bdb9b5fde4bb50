"""What each operation does for each kernel class, and the refusal of classes and options that it has no answer for."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np

from tabular_inversion.errors import InputError, KernelClassError
from tabular_inversion.kernel_classes import (
    Deterministic,
    KernelClass,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
)
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
        if not isinstance(kernel_class, KernelClass):
            raise KernelClassError(
                f"kernel_class is {describe(kernel_class)}; expected an instance such as Stochastic() or "
                "Deterministic(), with parentheses."
            )
        if type(kernel_class) not in self._entries:
            known = ", ".join(cls.__name__ for cls in self._entries)
            raise KernelClassError(
                f"{self.operation} is not implemented for the class {type(kernel_class).__name__}; use {known}, or "
                "register an entry."
            )
        return self._entries[type(kernel_class)]


def check_known(kernel_class: KernelClass, operation: str) -> None:
    """Raise `KernelClassError` unless the class is one of the five that every operation of this package knows.

    Parameters
    ----------
    kernel_class : KernelClass
        The class.
    operation : str
        What is asked of it, for the message.

    Examples
    --------
    >>> check_known(Stochastic(), "identification")
    """
    known: dict[type[KernelClass], None] = dict.fromkeys((Unconstrained, Stochastic, Supported, Sparse, Deterministic))
    ClassTable(operation, known).of(kernel_class)


def check_options(kernel_class: KernelClass, *, prior: Any, norm: float) -> None:
    """Raise `InputError` for an option that recovery in this class has no use for.

    Parameters
    ----------
    kernel_class : KernelClass
        One of the five.
    prior : array_like or None
        Of use where values leave freedom to choose the nearest row.
    norm : float
        Of use where columns are matched; infinity says nothing.

    Examples
    --------
    >>> check_options(Deterministic(), prior=None, norm=2.0)
    """
    name = type(kernel_class).__name__
    if norm != np.inf and not isinstance(kernel_class, Deterministic):
        raise InputError(
            f"norm is {norm}, which {name} has no use for: only Deterministic matches columns; leave it out."
        )
    if prior is not None and isinstance(kernel_class, Deterministic | Sparse):
        raise InputError(f"a prior is given, which {name} has no use for: no row is averaged there; leave it out.")
