"""Kinds of arguments: a public function that gets the wrong kind of thing says what it expected and how to write it."""

from __future__ import annotations

import ast
import inspect
import numbers
import os
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from tabular_inversion.errors import (
    DiscountError,
    GoalsError,
    InputError,
    KernelClassError,
    PolicyError,
)

_T = TypeVar("_T")
_PACKAGE = "tabular_inversion"

_HOW_TO_WRITE = {
    "AgentValues": "such as solve(mdp, goals)",
    "ExactAgentValues": "such as exact.solve(mdp, goals)",
    "ExactGoals": "such as ExactGoals.indicator(3)",
    "ExactMDP": "such as ExactMDP(kernel, discount)",
    "Goals": "such as Goals(rewards)",
    "KernelClass": "an instance such as Stochastic() or Deterministic(), with parentheses",
    "MDP": "such as MDP(kernel, discount=0.9)",
    "Supported": "such as Supported.of(mdp)",
}
_ERRORS: dict[str, type[InputError]] = {
    "discount": DiscountError,
    "goals": GoalsError,
    "kernel_class": KernelClassError,
    "policy": PolicyError,
}
_UNCHECKED = {"ArrayLike", "NDArray", "FloatArray", "BoolArray", "IntArray", "FractionArray", "Kernel", "SparseMatrix"}


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


_PLAIN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "None": ("None", lambda value: value is None),
    "bool": ("True or False", lambda value: isinstance(value, (bool, np.bool_))),
    "int": ("an integer", lambda value: isinstance(value, numbers.Integral)),
    "float": ("a number", _is_real),
    "str": ("a string", lambda value: isinstance(value, str)),
    "PathLike": ("a path", lambda value: isinstance(value, os.PathLike)),
    "Path": ("a path", lambda value: isinstance(value, (str, os.PathLike))),
    "Callable": ("a function", lambda value: callable(value) and not inspect.isclass(value)),
    "Generator": ("a numpy.random.Generator", lambda value: isinstance(value, np.random.Generator)),
}


def _heads(annotation: ast.expr) -> list[ast.expr]:
    """List the options of a union."""
    if isinstance(annotation, ast.BinOp):
        return [*_heads(annotation.left), *_heads(annotation.right)]
    return [annotation]


def _name(head: ast.expr) -> str:
    head = head.value if isinstance(head, ast.Subscript) else head
    if isinstance(head, ast.Attribute):
        return head.attr
    return str(head.value) if isinstance(head, ast.Constant) else head.id if isinstance(head, ast.Name) else ""


class _Kind:
    """What one parameter takes; read off its annotation as a text, so that no module is loaded for it."""

    def __init__(self, parameter: str, annotation: str, names: dict[str, Any]) -> None:
        self.parameter = parameter
        self.tests: list[Callable[[Any], bool]] = []
        self.classes: set[str] = set()
        self.words: list[str] = []
        self.checked = True
        for head in _heads(ast.parse(annotation, mode="eval").body):
            name = _name(head)
            if name in _PLAIN:
                words, test = _PLAIN[name]
                self.words.append(words)
                self.tests.append(test)
            elif name[:1].isupper() and name not in _UNCHECKED and _of_package(names.get(name), name in names):
                self.words.append(f"{name}, {_HOW_TO_WRITE[name]}" if name in _HOW_TO_WRITE else name)
                self.classes.add(name)
            else:
                self.checked = False

    def fits(self, value: Any) -> bool:
        """Tell whether a value is of this kind."""
        if any(test(value) for test in self.tests):
            return True
        return any(
            base.__name__ in self.classes and base.__module__.partition(".")[0] == _PACKAGE
            for base in type(value).__mro__
        )

    def check(self, value: Any) -> None:
        """Raise unless `value` is of this kind, and a seed at least 0."""
        if not self.fits(value):
            error = _ERRORS.get(self.parameter, InputError)
            raise error(f"{self.parameter} is {describe(value)}; expected {' or '.join(self.words)}.")
        if self.parameter == "seed" and isinstance(value, numbers.Integral) and value < 0:
            raise InputError(f"seed is {value}; expected an integer of at least 0.")


def _of_package(found: Any, known: bool) -> bool:
    """Tell whether an annotation names a class of this package; names that only type checkers see do."""
    if not known:
        return True
    return inspect.isclass(found) and found.__module__.partition(".")[0] == _PACKAGE


def describe(value: Any) -> str:
    """Say in a few words what a value is.

    Examples
    --------
    >>> describe(int), describe("x"), describe([1, 2])
    ('the class int', "'x'", 'a list')
    """
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if value is None or isinstance(value, (str, numbers.Number)):
        shown = repr(value)
        return shown if len(shown) <= 60 else f"{shown[:57]}..."
    article = "an" if type(value).__name__[:1] in "AEIOUaeiou" else "a"
    return f"{article} {type(value).__name__}"


def _kinds(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, _Kind]]:
    """Return the names of the positional parameters, and the kinds of those that are checked."""
    parameters = inspect.signature(function).parameters.values()
    kinds = {}
    for parameter in parameters:
        named = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and isinstance(parameter.annotation, str):
            kind = _Kind(parameter.name, parameter.annotation, function.__globals__)  # type: ignore[attr-defined]
            if kind.checked and parameter.annotation != "bool":
                kinds[parameter.name] = kind
    positional = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return positional, kinds


def _checked_function(function: Any) -> Any:
    """Return the function with a check of each argument whose annotation names a kind, before it is called."""
    known: list[Any] = []

    def checked_call(*args, **kwargs):  # type: ignore[no-untyped-def]
        if not known:
            known[:] = read(function)
        positional, kinds = known
        for name, value in zip(positional, args):
            if name in kinds:
                kinds[name].check(value)
        for name, value in kwargs.items():
            if name in kinds:
                kinds[name].check(value)
        return function(*args, **kwargs)

    read = _kinds
    # With the globals of the function, doctest and inspect take the check for what it stands for.
    same = FunctionType(checked_call.__code__, function.__globals__, closure=checked_call.__closure__)
    return wraps(function)(same)


def checked(thing: _T) -> _T:
    """Let a public function, or the constructor and public methods of a class, refuse arguments of a wrong kind.

    What is expected is what the annotations say, where they name numbers, strings, paths, functions or classes of this
    package; arrays are checked where they are read, since anything may be an array.

    Parameters
    ----------
    thing : function or class
        With string annotations (``from __future__ import annotations``).

    Returns
    -------
    function or class
        With the same name, signature and documentation.

    Examples
    --------
    >>> @checked
    ... def twice(number: "int") -> "int":
    ...     return 2 * number
    >>> twice("a")
    Traceback (most recent call last):
        ...
    tabular_inversion.errors.InputError: number is 'a'; expected an integer.
    """
    if not inspect.isclass(thing):
        return _checked_function(thing)  # type: ignore[no-any-return]
    for name, member in list(vars(thing).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(member, FunctionType):
            setattr(thing, name, _checked_function(member))
        elif isinstance(member, (classmethod, staticmethod)):
            setattr(thing, name, type(member)(_checked_function(member.__func__)))
    return thing
