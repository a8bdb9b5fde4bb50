"""Kinds of arguments: a public function that gets the wrong kind of thing says what it expected and how to write it."""

from __future__ import annotations

import ast
import collections.abc
import inspect
import numbers
import os
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import wraps
from types import FunctionType
from typing import Any, Literal, TypeVar, get_args, get_origin

import numpy as np

from tabular_inversion.errors import (
    AgentValuesError,
    DiscountError,
    GoalsError,
    InputError,
    KernelClassError,
    KernelError,
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
    "kernel": KernelError,
    "max_successors": KernelClassError,
    "policy": PolicyError,
    "q": AgentValuesError,
    "rewards": GoalsError,
    "support": KernelClassError,
}
_CHECKED_INSIDE = {"graph", "temperature", "width"}  # where the error depends on whose it is


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _is_list(value: Any) -> bool:
    is_scalar = isinstance(value, np.ndarray) and value.ndim == 0
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)) and not is_scalar


def _is_sparse(value: Any) -> bool:
    return hasattr(value, "tocsr") and not inspect.isclass(value)


def _is_like_an_array(value: Any) -> bool:
    if inspect.isclass(value):
        return False
    return (
        _is_list(value) or _is_sparse(value) or hasattr(value, "__array__") or isinstance(value, (str, numbers.Number))
    )


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"


_PLAIN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "None": ("None", lambda value: value is None),
    "bool": ("True or False", lambda value: isinstance(value, (bool, np.bool_))),
    "int": ("an integer", lambda value: isinstance(value, numbers.Integral)),
    "float": ("a number", _is_real),
    "str": ("a string", lambda value: isinstance(value, str)),
    "PathLike": ("a path", lambda value: isinstance(value, os.PathLike)),
    "Path": ("a path", lambda value: isinstance(value, (str, os.PathLike))),
    "Fraction": ("a fraction", lambda value: isinstance(value, (Fraction, numbers.Rational))),
    "ArrayLike": ("an array", _is_like_an_array),
    "FloatArray": ("a numpy array of numbers", _is_array),
    "BoolArray": ("a numpy array of bool", _is_array),
    "IntArray": ("a numpy array of integers", _is_array),
    "Kernel": ("an array or a sparse matrix", lambda value: _is_array(value) or _is_sparse(value)),
    "SparseMatrix": ("a scipy sparse matrix", _is_sparse),
    "SparseMask": ("a scipy sparse matrix", _is_sparse),
    "FractionArray": ("a numpy array of fractions", lambda value: isinstance(value, np.ndarray)),
    "Mapping": ("a mapping", lambda value: isinstance(value, Mapping)),
    "dict": ("a dict", lambda value: isinstance(value, Mapping)),
    "slice": ("a slice", lambda value: isinstance(value, slice)),
    "Callable": ("a function", lambda value: callable(value) and not inspect.isclass(value)),
    "Generator": ("a numpy.random.Generator", lambda value: isinstance(value, np.random.Generator)),
}


def _heads(annotation: ast.expr) -> list[ast.expr]:
    """List the options of a union."""
    if isinstance(annotation, ast.BinOp):
        return [*_heads(annotation.left), *_heads(annotation.right)]
    return [annotation]


def _bare(head: ast.expr) -> ast.expr:
    return head.value if isinstance(head, ast.Subscript) else head


def _name(head: ast.expr) -> str:
    head = _bare(head)
    if isinstance(head, ast.Attribute):
        return head.attr
    return str(head.value) if isinstance(head, ast.Constant) else head.id if isinstance(head, ast.Name) else ""


_ARRAYS = {"FloatArray", "BoolArray", "IntArray", "Kernel", "SparseMatrix", "SparseMask", "FractionArray"}
_LISTS = {"Sequence", "Iterable", "Collection", "list", "tuple"}
_UNREADABLE = {"NDArray", "Any", "TypeVar", "Hashable"}  # names that say nothing which could be checked


class _Kind:
    """What one parameter takes; read off its annotation as a text, so that no module is loaded for it."""

    def __init__(self, parameter: str, annotation: str, names: dict[str, Any], *, stored: bool = False) -> None:
        self.parameter = parameter
        self.tests: list[Callable[[Any], bool]] = []
        self.classes: set[str] = set()
        self.foreign: set[str] = set()
        self.words: list[str] = []
        self.element: _Kind | None = None
        self.checked = True
        for head in _heads(ast.parse(annotation, mode="eval").body):
            name = _name(head)
            name = "ArrayLike" if stored and name in _ARRAYS else "Any" if stored and name == "Fraction" else name
            if name in _PLAIN:
                words, test = _PLAIN[name]
                self.words.append(words)
                self.tests.append(test)
            elif name in _LISTS:
                self._take_list(head, names)
            elif name in names and (alias := _read_alias(names[name])) is not None:
                words, test = alias
                self.words.append(words)
                self.tests.append(test)
            elif name[:1].isupper() and name not in _UNREADABLE and _of_package(names.get(name), name in names):
                self.words.append(f"{name}, {_HOW_TO_WRITE[name]}" if name in _HOW_TO_WRITE else name)
                # Names that only type checkers see may be of other libraries.
                foreign = isinstance(_bare(head), ast.Attribute) or name not in names
                (self.foreign if foreign else self.classes).add(name)
            else:
                self.checked = False

    def _take_list(self, head: ast.expr, names: dict[str, Any]) -> None:
        """Take a list whose elements are of one kind, where that is known."""
        inner = head.slice if isinstance(head, ast.Subscript) else None
        if isinstance(inner, ast.Tuple):
            inner = inner.elts[0] if ast.unparse(inner.elts[-1]) == "..." else None
        element = None if inner is None else _Kind("", ast.unparse(inner), names)
        if element is None or not element.checked:
            self.words.append("a list")
            self.tests.append(_is_list)
            return
        self.element = element
        self.words.append(f"a list, each entry {' or '.join(element.words)}")
        # What can be gone through only once is not looked into: it would be empty afterwards.
        self.tests.append(
            lambda value: _is_list(value) and (not hasattr(value, "__len__") or all(map(element.fits, value)))
        )

    def fits(self, value: Any) -> bool:
        """Tell whether a value is of this kind."""
        if any(test(value) for test in self.tests):
            return True
        return any(
            (base.__name__ in self.classes and base.__module__.partition(".")[0] == _PACKAGE)
            or base.__name__ in self.foreign
            for base in type(value).__mro__
        )

    def check(self, value: Any) -> None:
        """Raise unless `value` is of this kind, and a seed at least 0."""
        if not self.fits(value):
            error = _ERRORS.get(self.parameter, InputError)
            if self.element is not None and _is_list(value):
                place, entry = next((i, entry) for i, entry in enumerate(value) if not self.element.fits(entry))
                expected = " or ".join(self.element.words)
                raise error(f"{self.parameter}[{place}] is {describe(entry)}; expected {expected}.")
            raise error(f"{self.parameter} is {describe(value)}; expected {' or '.join(self.words)}.")
        if self.parameter == "seed" and isinstance(value, numbers.Integral) and value < 0:
            raise InputError(f"seed is {value}; expected an integer of at least 0.")


def _read_alias(found: Any) -> tuple[str, Callable[[Any], bool]] | None:
    """Read an alias of words to choose from, or of functions."""
    options = get_args(found) if get_origin(found) is Literal else ()
    if options and all(isinstance(option, str) for option in options):
        return " or ".join(map(repr, options)), lambda value: isinstance(value, str)
    return _PLAIN["Callable"] if get_origin(found) is collections.abc.Callable else None


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
    name = type(value).__name__
    return f"an {name}" if name[0] in "AEIOUaeiou" or name == "MDP" else f"a {name}"


def _kinds(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, _Kind]]:
    """Return the names of the positional parameters, and the kinds of those that are checked."""
    parameters = inspect.signature(function).parameters.values()
    kinds = {}
    for parameter in parameters:
        named = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and isinstance(parameter.annotation, str):
            # What a record holds as an array is given as anything that its constructor can make one of.
            stored = function.__name__ == "__init__"
            names = function.__globals__
            kind = _Kind(parameter.name, parameter.annotation, names, stored=stored)
            if parameter.default is None:
                kind.tests.append(_PLAIN["None"][1])
            if kind.checked and parameter.name not in _CHECKED_INSIDE:
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
        for name, value in zip(positional, args, strict=False):
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
