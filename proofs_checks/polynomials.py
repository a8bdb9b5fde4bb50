"""Arrays whose entries are symbols of one polynomial ring: what holds for them holds for all numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

SymbolArray = NDArray[np.object_]
"""Entries are polynomials with rational coefficients."""


def symbol_arrays(**shapes: Sequence[int]) -> dict[str, SymbolArray]:
    """Return arrays of these names and shapes, with a different symbol in each entry, all of one ring.

    Examples
    --------
    >>> arrays = symbol_arrays(p=(2,), gamma=())
    >>> arrays["p"], arrays["gamma"] * arrays["p"][0] - arrays["p"][0] * arrays["gamma"]
    (array([p_0, p_1], dtype=object), 0)
    """
    from sympy import QQ
    from sympy.polys.rings import ring

    names = [f"{name}_{i}" for name, shape in shapes.items() for i in range(prod(shape))]
    symbols = list(ring(names, QQ)[1:])
    arrays: dict[str, SymbolArray] = {}
    for name, shape in shapes.items():
        array = np.empty(prod(shape), dtype=object)
        array[:] = [symbols.pop(0) for _ in range(array.size)]
        arrays[name] = array.reshape(tuple(shape)) if shape else array[0]
    return arrays


def determinant(matrix: SymbolArray) -> Any:
    """Expand along the first row: no division, so that polynomials stay polynomials.

    Examples
    --------
    >>> a = symbol_arrays(a=(2, 2))["a"]
    >>> determinant(a)
    a_0*a_3 - a_1*a_2
    """
    if len(matrix) == 0:
        return 1
    return sum((-1) ** j * matrix[0, j] * determinant(_minor(matrix, 0, j)) for j in range(len(matrix)))


def adjugate(matrix: SymbolArray) -> SymbolArray:
    """Return the matrix whose product with `matrix` is the determinant times the identity.

    Examples
    --------
    >>> a = symbol_arrays(a=(2, 2))["a"]
    >>> (adjugate(a) @ a)[0]
    array([a_0*a_3 - a_1*a_2, 0], dtype=object)
    """
    result = np.empty(matrix.shape, dtype=object)
    for i, j in np.ndindex(matrix.shape):
        result[j, i] = (-1) ** (i + j) * determinant(_minor(matrix, i, j))
    return result


def _minor(matrix: SymbolArray, row: int, column: int) -> SymbolArray:
    return np.delete(np.delete(matrix, row, axis=0), column, axis=1)


def identity(size: int) -> SymbolArray:
    """Return the identity matrix of Python integers, which combine with the symbols of any ring."""
    return np.eye(size, dtype=int).astype(object)


def vanishes(array: Any) -> bool:
    """Tell whether every entry is the zero polynomial."""
    return all(entry == 0 for entry in np.ravel(np.asarray(array, dtype=object)))
