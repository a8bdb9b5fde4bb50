"""A row of the class with exactly the given values, or the proof that there is none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.exact import rank
from tabular_inversion.exact.linear_algebra import solve_linear
from tabular_inversion.exact.linear_programs import find_nonnegative_solution
from tabular_inversion.exact.rationals import FractionArray, matrix_from_flint, matrix_to_flint
from tabular_inversion.identifiability.rational.proofs import DimensionProof, EmptyProof, ValueProof
from tabular_inversion.identifiability.rational.system import ExactSystem
from tabular_inversion.identifiability.verdict import Status

_DENOMINATOR = 10**4
"""Probabilities recovered in floats are first guessed to be fractions with denominators up to this."""


def product(left: FractionArray, right: FractionArray) -> FractionArray:
    """Multiply two matrices of fractions."""
    result: FractionArray = matrix_from_flint(matrix_to_flint(left) * matrix_to_flint(right))
    return result


def stochastic_points(
    system: ExactSystem, guess: FloatArray
) -> tuple[FractionArray, NDArray[np.int8], list[ValueProof]]:
    """Find a distribution for each row, on its allowed states.

    Parameters
    ----------
    system : ExactSystem
        [M;1].
    guess : numpy.ndarray, shape (R, n)
        Rows recovered in floats: rounded to simple fractions and checked, so that most rows need no linear program.

    Returns
    -------
    points : numpy.ndarray of Fraction, shape (R, n)
        Zero where there is none.
    codes : numpy.ndarray of int8, shape (R,)
        INCONSISTENT where no distribution has the values, UNDECIDED (so far) elsewhere.
    proofs : list of ValueProof
        For the inconsistent rows.
    """
    points = np.array([Fraction(x).limit_denominator(_DENOMINATOR) for x in guess.ravel().tolist()], dtype=object)
    points = points.reshape(guess.shape)
    wrong = (product(system.matrix, points.T) != system.values).any(axis=0)
    wrong |= (points < 0).any(axis=1) | ((points != 0) & ~system.allowed).any(axis=1)
    codes = np.full(system.n_rows, Status.UNDECIDED, np.int8)
    proofs: list[ValueProof] = []
    for row in np.flatnonzero(wrong):  # one exact linear program each
        free = system.allowed[row]
        found = find_nonnegative_solution(system.matrix[:, free], system.values[:, row])
        points[row] = Fraction(0)
        if found.solution is None:
            codes[row] = Status.INCONSISTENT
            proofs.append(EmptyProof(np.array([row]), found))
        else:
            points[row, free] = found.solution
    return points, codes, proofs


def affine_points(system: ExactSystem) -> tuple[FractionArray, NDArray[np.int8], list[ValueProof]]:
    """Solve the equations without any sign: the unconstrained class. Returns as `stochastic_points`."""
    whole = rank(system.matrix)
    points = np.full((system.n_rows, system.n_states), Fraction(0), dtype=object)
    codes = np.full(system.n_rows, Status.UNDECIDED, np.int8)
    proofs: list[ValueProof] = []
    extended = rank(np.column_stack([system.matrix, system.values]))
    if extended.rank == whole.rank:
        points[:] = solve_linear(system.matrix, system.values).T
        return points, codes, proofs
    for row in range(system.n_rows):
        values = system.values[:, row]
        more = rank(np.column_stack([system.matrix, values]))
        if more.rank > whole.rank:
            codes[row] = Status.INCONSISTENT
            proofs.append(DimensionProof(np.array([row]), whole, more))
        else:
            points[row] = solve_linear(system.matrix, values[:, None])[:, 0]
    return points, codes, proofs
