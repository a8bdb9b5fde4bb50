"""Questions of linear programming, answered in rational numbers: a verified vector or a verified certificate.

HiGHS finds in floats which entries of the answer are zero; python-flint then solves for the others exactly, and the
result is checked. Only where that check fails does the simplex method in fractions decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import InputError, ShapeError, WitnessError
from tabular_inversion.exact.linear_algebra import null_space, solve_linear
from tabular_inversion.exact.rationals import FractionArray, fraction_array, to_floats
from tabular_inversion.exact.simplex import phase_one
from tabular_inversion.highs import linear_program
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record

_NEARLY_ZERO = 1e-8
"""Floats below this share of the largest are taken for zero: a guess, which exact arithmetic then checks."""

_DENOMINATOR = 10**6
"""Coordinates that may be chosen freely are rounded to fractions with denominators up to this."""


@checked
@dataclass(frozen=True, eq=False)
class Feasibility(Record):
    """Either a solution of ``matrix @ x = right_hand_side, x >= 0``, or a proof that there is none.

    Attributes
    ----------
    solution : numpy.ndarray of object, shape (columns,), or None
        x >= 0 that satisfies the equations exactly.
    certificate : numpy.ndarray of object, shape (rows,), or None
        y with ``y @ matrix >= 0`` and ``y @ right_hand_side < 0``: no x >= 0 can satisfy the equations (Farkas).

    Examples
    --------
    >>> found = find_nonnegative_solution([[1, 2]], [1])
    >>> found.verify([[1, 2]], [1])
    >>> found.verify([[1, 2]], [2])
    Traceback (most recent call last):
    tabular_inversion.errors.WitnessError: solution: it does not satisfy the equations with entries of at least 0.
    """

    solution: FractionArray | None
    certificate: FractionArray | None

    def verify(self, matrix: ArrayLike, right_hand_side: ArrayLike) -> None:
        """Check the solution or the certificate against the problem, from scratch.

        Raises
        ------
        WitnessError
            Naming the field that does not hold; also if there is not exactly one of the two.
        InputError, ShapeError
            As `find_nonnegative_solution`.
        """
        left, right = _read_system(matrix, right_hand_side)
        _check_one_of("solution", self.solution, self.certificate)
        if self.solution is not None and not _solves(left, right, self.solution):
            raise WitnessError("solution: it does not satisfy the equations with entries of at least 0.")
        if self.certificate is not None and not _refutes(left, right, self.certificate):
            raise WitnessError("certificate: it does not show that the equations have no solution of at least 0.")


@checked
@dataclass(frozen=True, eq=False)
class Recession(Record):
    """Either a direction in which a polyhedron goes on, or a proof that there is none.

    Attributes
    ----------
    vector : numpy.ndarray of object, shape (columns,), or None
        v != 0 with ``matrix @ v = 0`` and v >= 0 where that was asked.
    certificate : numpy.ndarray of object, shape (rows,), or None
        u such that ``u @ matrix`` is positive where v >= 0 was asked and zero at the other columns, which are
        independent. So ``0 = u @ matrix @ v`` is a sum of nonnegative terms: v vanishes where it is asked to be
        nonnegative, and then, by independence, everywhere.

    Examples
    --------
    >>> found = find_recession_vector([[1, 1]], [True, True])
    >>> found.vector is None
    True
    >>> found.verify([[1, 1]], [True, True])
    """

    vector: FractionArray | None
    certificate: FractionArray | None

    def verify(self, matrix: ArrayLike, nonnegative: ArrayLike) -> None:
        """Check the vector or the certificate against the problem, from scratch.

        Raises
        ------
        WitnessError
            Naming the field that does not hold; also if there is not exactly one of the two.
        InputError, ShapeError
            As `find_recession_vector`.
        """
        system, mask = _read_cone(matrix, nonnegative)
        _check_one_of("vector", self.vector, self.certificate)
        if self.vector is not None and not _recedes(system, mask, self.vector):
            raise WitnessError("vector: it is zero, changes the equations, or is negative where it may not be.")
        if self.certificate is not None and not _bounds(system, mask, self.certificate):
            raise WitnessError("certificate: it does not show that no direction leads on.")


@checked
def find_nonnegative_solution(matrix: ArrayLike, right_hand_side: ArrayLike) -> Feasibility:
    """Find x >= 0 with ``matrix @ x = right_hand_side``, or prove that there is none.

    Parameters
    ----------
    matrix : array_like of rationals, shape (rows, columns)
        Any rank; the rows may depend on each other.
    right_hand_side : array_like of rationals, shape (rows,)
        What the rows amount to.

    Returns
    -------
    Feasibility
        Verified exactly, whichever it holds.

    Raises
    ------
    InputError
        If an entry is no rational number.
    ShapeError
        If the shapes do not fit.

    Notes
    -----
    Source: Farkas' lemma.

    Examples
    --------
    >>> find_nonnegative_solution([[1, 1], [1, -1]], [1, "1/3"]).solution
    array([Fraction(2, 3), Fraction(1, 3)], dtype=object)
    >>> [str(y) for y in find_nonnegative_solution([[1, 1], [1, -1]], [1, 2]).certificate]
    ['1/2', '-1/2']
    """
    left, right = _read_system(matrix, right_hand_side)
    # Scaled to entries of at most 1, exactly, no row overflows the floats or drowns another.
    scale = np.abs(np.hstack([left, right[:, None]])).max(axis=1, initial=Fraction(0))
    scale[scale == 0] = Fraction(1)
    scaled, target = left / scale[:, None], right / scale
    if left.size:
        solution = _guess_solution(scaled, target)
        if solution is not None and _solves(left, right, solution):
            return Feasibility(solution, None)
        certificate = _guess_certificate(scaled, target)
        if certificate is not None and _refutes(left, right, certificate / scale):
            return Feasibility(None, certificate / scale)
    feasible, vector = phase_one(scaled, target)
    return Feasibility(vector, None) if feasible else Feasibility(None, vector / scale)


@checked
def find_recession_vector(matrix: ArrayLike, nonnegative: ArrayLike) -> Recession:
    """Find v != 0 with ``matrix @ v = 0`` and v >= 0 at given columns, or prove that there is none.

    Parameters
    ----------
    matrix : array_like of rationals, shape (rows, columns)
        The equations. For a row of a kernel among all stochastic ones: [M;1], the test matrix over a row of ones.
    nonnegative : array_like of bool, shape (columns,)
        Where v must not be negative. For a row of a kernel: off its support.

    Returns
    -------
    Recession
        Verified exactly, whichever it holds.

    Raises
    ------
    InputError
        If an entry is no rational number.
    ShapeError
        If the shapes do not fit, or `nonnegative` is not of type bool.

    Notes
    -----
    A row p with M p = q is the only stochastic row with these values iff no such v exists: p + t v is another for
    small t > 0. Source: S1, by Gordan's theorem.

    Examples
    --------
    The midpoint of three points on a line is a mixture of the outer two; an outer point is no mixture.

    >>> points = [[0, 1, 2], [1, 1, 1]]
    >>> [str(v) for v in find_recession_vector(points, [True, False, True]).vector]
    ['1/2', '-1', '1/2']
    >>> [str(u) for u in find_recession_vector(points, [False, True, True]).certificate]
    ['1', '0']
    """
    system, mask = _read_cone(matrix, nonnegative)
    vector = np.full(len(mask), Fraction(0), dtype=object)
    free = system[:, ~mask]
    dependence = null_space(free)
    if dependence.shape[1]:
        vector[~mask] = dependence[:, 0]
        return Recession(vector, None)
    # Combinations of the equations in which the free entries do not occur, for the others alone.
    eliminators = null_space(free.T)
    reduced = eliminators.T @ system[:, mask]
    scaled = np.vstack([reduced, np.full((1, int(mask.sum())), Fraction(1), dtype=object)])
    found = find_nonnegative_solution(scaled, [0] * len(reduced) + [1])
    if found.solution is not None:
        vector[mask] = found.solution
        vector[~mask] = solve_linear(free, -(system[:, mask] @ found.solution))
        return Recession(vector, None)
    certificate: Any = found.certificate
    return Recession(None, eliminators @ certificate[:-1] / -certificate[-1])


def _read_system(matrix: ArrayLike, right_hand_side: ArrayLike) -> tuple[FractionArray, FractionArray]:
    left, right = fraction_array(matrix), fraction_array(right_hand_side)
    if left.ndim != 2 or right.shape != left.shape[:1]:
        raise ShapeError(
            f"the matrix has shape {left.shape} and the right-hand side {right.shape}; expected (rows, columns) and "
            "(rows,)."
        )
    return left, right


def _read_cone(matrix: ArrayLike, nonnegative: ArrayLike) -> tuple[FractionArray, BoolArray]:
    system, mask = fraction_array(matrix), np.asarray(nonnegative)
    if system.ndim != 2 or mask.shape != system.shape[1:] or mask.dtype != bool:
        raise ShapeError(
            f"the matrix has shape {system.shape} and nonnegative is {mask.dtype} of shape {mask.shape}; expected "
            "(rows, columns) and bool (columns,)."
        )
    return system, mask


def _solves(matrix: FractionArray, right_hand_side: FractionArray, x: FractionArray) -> bool:
    return bool(x.shape == matrix.shape[1:] and (x >= 0).all() and (matrix @ x == right_hand_side).all())


def _refutes(matrix: FractionArray, right_hand_side: FractionArray, y: FractionArray) -> bool:
    return bool(y.shape == right_hand_side.shape and (y @ matrix >= 0).all() and y @ right_hand_side < 0)


def _check_one_of(name: str, found: FractionArray | None, certificate: FractionArray | None) -> None:
    if (found is None) == (certificate is None):
        count = "neither" if found is None else "both"
        raise WitnessError(f"certificate: of {name} and certificate there is {count}; expected one.")


def _recedes(system: FractionArray, mask: BoolArray, v: FractionArray) -> bool:
    return bool(v.shape == mask.shape and (v != 0).any() and (system @ v == 0).all() and (v[mask] >= 0).all())


def _bounds(system: FractionArray, mask: BoolArray, u: FractionArray) -> bool:
    if u.shape != system.shape[:1] or null_space(system[:, ~mask]).shape[1]:
        return False
    image = u @ system
    return bool((image[mask] > 0).all() and (image[~mask] == 0).all())


def _guess_solution(matrix: FractionArray, right_hand_side: FractionArray) -> FractionArray | None:
    """Solve exactly for the entries that are positive in a vertex that floats find."""
    x = _optimum(np.zeros(matrix.shape[1]), A_eq=to_floats(matrix), b_eq=to_floats(right_hand_side))
    if x is None:
        return None
    support = np.flatnonzero(x > _NEARLY_ZERO * x.max())
    solution = np.full(len(x), Fraction(0), dtype=object)
    try:
        solution[support] = solve_linear(matrix[:, support], right_hand_side)
    except InputError:  # the floats took a small entry for zero
        return None
    return solution


def _guess_certificate(matrix: FractionArray, right_hand_side: FractionArray) -> FractionArray | None:
    """Solve exactly for a certificate that is zero at the columns where that of floats is, and elsewhere near it."""
    left, right = to_floats(matrix), to_floats(right_hand_side)
    inequalities = {"A_ub": -left.T, "b_ub": np.zeros(left.shape[1]), "A_eq": right[None], "b_eq": [-1.0]}
    y = _optimum(left.sum(axis=1), bounds=(None, None), **inequalities)
    if y is None:
        return None
    y /= np.abs(y).max()
    zero = y @ left <= _NEARLY_ZERO  # entries of at most 1 on both sides
    basis = null_space(matrix[:, zero].T)
    if not basis.shape[1]:
        return None
    # In reduced form the last entry of each column that is not zero is 1, and stands alone in its row.
    coordinates = (len(basis) - 1) - (basis[::-1] != 0).argmax(axis=0)
    return basis @ fraction_array(y[coordinates], allow_float=True, limit_denominator=_DENOMINATOR)


def _optimum(costs: FloatArray, **program: Any) -> FloatArray | None:
    result = linear_program(costs, method="highs", **program)
    return result.x if result.status == 0 else None
