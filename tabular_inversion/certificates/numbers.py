"""Fractions as texts, and left inverses in integers with one denominator."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from flint import fmpz_mat, nmod_mat

from tabular_inversion._typing import IntArray
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.exact.modular import pivot_columns
from tabular_inversion.exact.rationals import FractionArray

_PRIME = 2**61 - 1
"""Modulo this prime independent equations are found; a prime that hides some is never used, because it is checked."""

READABLE = 12
"""Up to so many states the left inverse is one in integers, with a common denominator."""


def texts(values: Any) -> Any:
    """Turn an array of fractions into nested lists of texts; None stays.

    Examples
    --------
    >>> texts(np.array([Fraction(1, 2), None], dtype=object))
    ['1/2', None]
    """
    if isinstance(values, np.ndarray):
        return [texts(value) for value in values.tolist()] if values.ndim < 2 else [texts(part) for part in values]
    if isinstance(values, list):
        return [texts(value) for value in values]
    return None if values is None else str(values)


def scales(agent: ExactAgentValues, goals: Sequence[int] | None = None) -> list[int]:
    """Return the least common denominator of each goal's equation: the checker multiplies by the same."""
    matrix, values = agent.test_matrix, agent.right_hand_sides
    chosen = range(agent.n_goals) if goals is None else goals
    return [lcm(*(x.denominator for part in (matrix[g], values[g]) for x in part.tolist())) for g in chosen]


def integer_equations(matrix: FractionArray, scale: Sequence[int], *, ones: bool) -> list[list[int]]:
    """Return equations (k, n) times their scales, and a row of ones last."""
    rows = [[int(x * factor) for x in row] for row, factor in zip(matrix.tolist(), scale, strict=True)]
    return [*rows, [1] * matrix.shape[1]] if ones else rows


def left_inverse(equations: list[list[int]], states: IntArray) -> dict[str, Any]:
    """Return the fields of a proof that the columns on these states are independent.

    Parameters
    ----------
    equations : list of list of int
        The rows of the system.
    states : numpy.ndarray of int, shape (t,)
        Columns that are independent.

    Returns
    -------
    dict
        ``states``, ``denominator`` d and ``matrix`` L in integers: L times the columns is d times the identity.
        With more than `READABLE` states it is so modulo a prime, ``modulus``: as good a proof, and far shorter.

    Examples
    --------
    >>> left_inverse([[2, 0], [0, 4], [1, 1]], np.array([0, 1]))
    {'states': [0, 1], 'denominator': '4', 'matrix': [['2', '0', '0'], ['0', '1', '0']]}
    """
    places = states.tolist()
    columns = [[row[s] for s in places] for row in equations]
    size = len(places)
    residues = nmod_mat(len(columns), size, [x % _PRIME for row in columns for x in row], _PRIME)
    rows = pivot_columns(*residues.transpose().rref())
    matrix = [["0"] * len(equations) for _ in places]
    found = {"states": places, "denominator": "1", "matrix": matrix}
    if size > READABLE:
        numerators: Any = nmod_mat(size, size, [x % _PRIME for i in rows for x in columns[i]], _PRIME).inv()
        found["modulus"] = str(_PRIME)
    else:
        inverse: Any = fmpz_mat(size, size, [x for i in rows for x in columns[i]]).inv()
        numerators, denominator = inverse.numer_denom()
        found["denominator"] = str(denominator)
    for i in range(size):
        for j, row in enumerate(rows):
            matrix[i][row] = str(numerators[i, j])
    return found


def integer_functional(functional: FractionArray, scale: Sequence[int]) -> list[str]:
    """Return a functional on the equations as one on the scaled ones, in integers of the same signs.

    Examples
    --------
    >>> integer_functional(np.array([Fraction(1, 2), Fraction(1)]), [4, 1])
    ['1', '8']
    """
    shared = [y / factor for y, factor in zip(functional.tolist(), scale, strict=True)]
    common = lcm(*(y.denominator for y in shared))
    return [str(int(y * common)) for y in shared]


def sparse(row: FractionArray) -> dict[str, str]:
    """Return the entries of a row that are not zero, by state."""
    return {str(s): str(Fraction(x)) for s, x in enumerate(row.tolist()) if x}


def shown(agent: ExactAgentValues) -> dict[str, Any]:
    """Return all that the agent shows, as texts."""
    extra = agent.goals.action_rewards
    return {
        "q": texts(agent.q),
        "rewards": texts(agent.goals.rewards),
        "continuation": texts(agent.goals.continuation),
        "action_rewards": None if extra is None else texts(extra),
        "discount": str(agent.discount),
        "policy": None if agent.policy is None else texts(agent.policy),
        "available": agent.available.tolist(),
    }
