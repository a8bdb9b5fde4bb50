"""Ranks, null spaces, solutions and determinants of rational matrices: exact, fast, and with their proofs.

Elimination modulo a prime of 61 bits takes a fraction of a second and proves that the rank is at least the number of
pivots that it finds. That the rank is no larger is proved by rational null vectors, multiplied out: short ones are read
off the elimination, long ones come from p-adic lifting.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod
from typing import Literal, get_args

import numpy as np
from flint import fmpq, fmpq_mat, fmpz, fmpz_mat, nmod_mat
from numpy.typing import ArrayLike

from tabular_inversion.errors import InputError, ShapeError, WitnessError
from tabular_inversion.exact.modular import pivot_columns, primes, reconstruct, reduce, residues
from tabular_inversion.exact.rationals import FractionArray, fraction_array, integer_rows, matrix_from_flint
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record

Side = Literal["right", "left"]
"""From which side null vectors meet a matrix."""


@checked
@dataclass(frozen=True, eq=False)
class ExactRank(Record):
    """The rank of a rational matrix, with what proves it.

    Attributes
    ----------
    rank : int
        The rank over the rationals.
    prime : int
        Modulo this prime, which divides no denominator, the rank is the same. So the true one is no smaller.
    null_vectors : numpy.ndarray of object, shape (columns, columns - rank) or (rows, rows - rank)
        The basis X in reduced form (see `null_space`) of ``matrix @ X = 0`` (side "right"), or of ``X.T @ matrix = 0``
        (side "left"). So the rank is no larger. It has no columns where the rank is full.
    side : {"right", "left"}
        From which side the null vectors meet the matrix; the shorter one where the rank is full.

    Examples
    --------
    >>> result = rank([[1, 2], [2, 4]])
    >>> result.rank
    1
    >>> result.verify([[1, 2], [2, 4]])
    >>> result.verify([[1, 2], [3, 4]])
    Traceback (most recent call last):
    tabular_inversion.errors.WitnessError: rank: it is 2 modulo the prime 2305843009213693951; 1 was stated.
    """

    rank: int
    prime: int
    null_vectors: FractionArray
    side: Side

    @property
    def proof(self) -> str:
        """What proves the rank, in words."""
        lower = f"rank {self.rank} modulo the prime {self.prime}"
        count = self.null_vectors.shape[1]
        return f"{lower}; {count} independent {self.side} null vectors" if count else f"full {lower}"

    def verify(self, matrix: ArrayLike) -> None:
        """Check both halves of the proof against `matrix`, from scratch.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        InputError, ShapeError
            If `matrix` is no rational matrix.
        """
        array = _read(matrix)
        try:
            found = residues(array, self.prime).rank()
        except (InputError, TypeError) as problem:
            raise WitnessError(f"prime: {problem}") from problem
        if found != self.rank:
            raise WitnessError(f"rank: it is {found} modulo the prime {self.prime}; {self.rank} was stated.")
        if self.side not in get_args(Side) or (found == min(array.shape) and self.side != _sides(array)[0]):
            raise WitnessError(f"side: null vectors do not belong on side {self.side!r} of a matrix of this rank.")
        _check_reduced_basis(array if self.side == "right" else array.T, found, self.null_vectors)


def _sides(array: FractionArray) -> list[Side]:
    """Return both sides, the one on which a matrix of full rank has no null vectors first."""
    return ["right", "left"] if len(array) >= array.shape[1] else ["left", "right"]


def _check_reduced_basis(array: FractionArray, rank: int, vectors: FractionArray) -> None:
    """Raise unless the vectors are the one basis in reduced form of those that a matrix of this rank sends to zero."""
    columns, nullity = array.shape[1], array.shape[1] - rank
    if not isinstance(vectors, np.ndarray) or vectors.shape != (columns, nullity):
        raise WitnessError(f"null_vectors: expected shape {(columns, nullity)}, got {np.shape(vectors)}.")
    if nullity == 0:
        return
    # In reduced form the last entries that are not zero are 1, move down, and stand alone in their rows: so the
    # vectors are independent, and no other basis has this form.
    ends = (columns - 1) - (vectors[::-1] != 0).argmax(axis=0)
    unit = np.array([[int(i == j) for j in range(nullity)] for i in range(nullity)], dtype=object)
    if (np.diff(ends) <= 0).any() or (vectors[ends] != unit).any():
        raise WitnessError("null_vectors: they are not in reduced form, so that their independence is not shown.")
    if not (integer_rows(array)[0] * integer_rows(vectors.T)[0].transpose()).is_zero():
        raise WitnessError("null_vectors: the matrix does not send them to zero.")


@checked
def rank(matrix: ArrayLike) -> ExactRank:
    """Return the rank of a rational matrix, proved.

    Parameters
    ----------
    matrix : array_like, shape (rows, columns)
        Rational entries as `as_fraction` reads them; arrays of integers are fastest.

    Returns
    -------
    ExactRank

    Raises
    ------
    InputError
        If an entry is no rational number (floats are refused: convert them by `fraction_array`).
    ShapeError
        If `matrix` has not two axes.

    Examples
    --------
    >>> result = rank([["1/3", "2/3"], [1, 2]])
    >>> result.rank, result.proof
    (1, 'rank 1 modulo the prime 2305843009213693951; 1 independent right null vectors')
    >>> rank([[1, 2], [3, 4]]).proof
    'full rank 2 modulo the prime 2305843009213693951'
    """
    array = _read(matrix)
    prime, reduced = reduce(array)
    count = reduced.rank()
    sides = _sides(array)
    if count == min(array.shape):
        return ExactRank(count, prime, np.empty((count, 0), dtype=object), sides[0])
    halves: list[tuple[fmpz_mat, list[int]]] = []
    for side in sides:
        integers = integer_rows(array if side == "right" else array.T)[0]
        found_pivots, found = _shortly(integers, prime)
        if found is not None:
            return ExactRank(count, prime, found.null_space, side)
        halves.append((integers, found_pivots))
    # The pivot columns of the transpose are independent rows: no further elimination is needed to lift.
    (integers, pivots), (_, rows) = halves
    lifted = _lifted(integers, prime, pivots, rows) or _eliminate(integers)
    return ExactRank(len(lifted.pivots), lifted.prime, lifted.null_space, sides[0])


@checked
def null_space(matrix: ArrayLike) -> FractionArray:
    """Return a basis of the vectors that a rational matrix sends to zero, verified and complete.

    Parameters
    ----------
    matrix : array_like, shape (rows, columns)
        Rational entries.

    Returns
    -------
    numpy.ndarray of object, shape (columns, columns - rank)
        A basis in its columns, in reduced form: the last entry of each that is not zero is 1, and the others are
        zero there. There is only one such basis.

    Raises
    ------
    InputError, ShapeError
        As `rank`.

    Examples
    --------
    >>> null_space([[1, 2, 3]]).astype(str)
    array([['-2', '-3'],
           ['1', '0'],
           ['0', '1']], dtype='<U2')
    """
    return _eliminate(integer_rows(matrix)[0]).null_space


@checked
def solve_linear(matrix: ArrayLike, right_hand_sides: ArrayLike) -> FractionArray:
    """Return a solution X of ``matrix @ X = right_hand_sides``, verified.

    Parameters
    ----------
    matrix : array_like, shape (rows, columns)
        Rational entries; any shape and rank.
    right_hand_sides : array_like, shape (rows,) or (rows, k)
        Rational entries.

    Returns
    -------
    numpy.ndarray of object, shape (columns,) or (columns, k)
        The solution whose entries at columns without pivot are zero. All others differ from it by vectors of
        `null_space`.

    Raises
    ------
    InputError
        If there is no solution, or an entry is no rational number.
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> solve_linear([[1, 2], [3, 4]], ["1/2", 1])
    array([Fraction(0, 1), Fraction(1, 4)], dtype=object)
    """
    left, right = fraction_array(matrix), fraction_array(right_hand_sides)
    if left.ndim != 2 or right.ndim not in {1, 2} or len(left) != len(right):
        raise ShapeError(
            f"the matrix has shape {left.shape} and the right-hand sides {right.shape}; expected (rows, columns) and "
            "(rows,) or (rows, k)."
        )
    targets = right if right.ndim == 2 else right[:, None]
    n_columns, k = left.shape[1], targets.shape[1]
    table = integer_rows(np.hstack([left, targets]))[0].tolist()
    everything, last = range(len(table)), range(n_columns, n_columns + k)
    found = _eliminate(_select(table, everything, range(n_columns)))
    rows = _independent_rows(table, found.pivots, found.prime)
    core = _solve_square(_select(table, rows, found.pivots), _select(table, rows, last))
    numerators, denominator = core.numer_denom()
    image = _select(table, everything, found.pivots) * numerators
    if image != denominator * _select(table, everything, last):
        raise InputError("the equations contradict each other: no vector solves them all; leave some out.")
    solution = np.full((n_columns, k), Fraction(0), dtype=object)
    solution[found.pivots] = matrix_from_flint(core)
    return solution.reshape(n_columns, *right.shape[1:])


@checked
def determinant(matrix: ArrayLike) -> Fraction:
    """Return the determinant of a square rational matrix.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    InputError
        If an entry is no rational number.

    Examples
    --------
    >>> determinant([["1/2", 1], [1, 4]])
    Fraction(1, 1)
    """
    integers, denominators = integer_rows(matrix)
    if integers.nrows() != integers.ncols():
        raise ShapeError(f"the matrix has shape ({integers.nrows()}, {integers.ncols()}); expected a square one.")
    return Fraction(int(integers.det()), prod(denominators))


@dataclass(frozen=True, eq=False)
class _Elimination:
    """Pivot columns modulo a prime, and a null space that was multiplied out: together they leave no doubt."""

    prime: int
    pivots: list[int]
    null_space: FractionArray


def _eliminate(integers: fmpz_mat) -> _Elimination:
    """Eliminate; a prime that hides a pivot (it divides a minor) is replaced by the next."""
    for prime in primes():
        pivots, found = _shortly(integers, prime)
        if found is None:
            found = _lifted(integers, prime, pivots, _independent_rows(integers.tolist(), pivots, prime))
        if found is not None:
            return found
    raise AssertionError  # unreachable: there are infinitely many primes, and only finitely many hide a pivot


def _shortly(integers: fmpz_mat, prime: int) -> tuple[list[int], _Elimination | None]:
    """Return the pivot columns modulo a prime, and the elimination if null vectors are short and no pivot is hidden."""
    reduced, rank = nmod_mat(integers, prime).rref()
    pivots = pivot_columns(reduced, rank)
    free = _others(integers, pivots)
    core = _short_core(reduced, rank, free, prime)
    basis = None if core is None else _multiplied_out(integers, pivots, free, core)
    return pivots, None if basis is None else _Elimination(prime, pivots, basis)


def _lifted(integers: fmpz_mat, prime: int, pivots: list[int], rows: list[int]) -> _Elimination | None:
    """Eliminate with null vectors of any length, from as many independent rows as pivots; None if a pivot is hidden."""
    table, free = integers.tolist(), _others(integers, pivots)
    core = _solve_square(_select(table, rows, pivots), -_select(table, rows, free))
    basis = _multiplied_out(integers, pivots, free, core)
    return None if basis is None else _Elimination(prime, pivots, basis)


def _others(integers: fmpz_mat, pivots: list[int]) -> list[int]:
    return sorted(set(range(integers.ncols())) - set(pivots))


def _short_core(reduced: nmod_mat, rank: int, free: list[int], prime: int) -> fmpq_mat | None:
    """Return the pivot entries of the null vectors if all are fractions that one prime determines, else None."""
    known = cache(lambda residue: reconstruct(residue, prime))
    entries = []
    for i in range(rank):
        for j in free:
            fraction = known(int(-reduced[i, j]))
            if fraction is None:
                return None
            entries.append(fmpq(*fraction))
    return fmpq_mat(rank, len(free), entries)


def _multiplied_out(integers: fmpz_mat, pivots: list[int], free: list[int], core: fmpq_mat) -> FractionArray | None:
    """Return the null vectors with `core` at the pivots, an identity elsewhere; None if they are not the basis."""
    numerators, denominator = core.numer_denom()
    table: list[list[fmpz | int]] = [[0] * len(free) for _ in range(integers.ncols())]
    for pivot, row in zip(pivots, numerators.tolist(), strict=True):
        table[pivot] = list(row)
    for j, column in enumerate(free):
        table[column][j] = denominator
    vectors = fmpz_mat(len(table), len(free), [entry for row in table for entry in row])
    if not (integers * vectors).is_zero():
        return None
    basis = np.full((integers.ncols(), len(free)), Fraction(0), dtype=object)
    basis[free, range(len(free))] = Fraction(1)
    basis[pivots] = matrix_from_flint(core)
    # A prime can also hide that a pivot lies further left; then a null vector goes on beyond its free column.
    beyond = np.arange(len(basis))[:, None] > np.array(free)
    return None if (basis != 0)[beyond].any() else basis


def _independent_rows(table: list[list[fmpz]], pivots: list[int], prime: int) -> list[int]:
    """Return as many rows as pivots, such that both together hold a square matrix invertible modulo the prime."""
    columns = nmod_mat(_select(table, range(len(table)), pivots), prime)
    return pivot_columns(*columns.transpose().rref())


def _solve_square(matrix: fmpz_mat, right_hand_sides: fmpz_mat) -> fmpq_mat:
    return matrix.solve(right_hand_sides)  # type: ignore[return-value]  # the stubs of flint know only its base class


def _select(table: list[list[fmpz]], rows: range | list[int], columns: range | list[int]) -> fmpz_mat:
    return fmpz_mat(len(rows), len(columns), [table[i][j] for i in rows for j in columns])


def _read(matrix: ArrayLike) -> FractionArray:
    array = matrix if isinstance(matrix, np.ndarray) and matrix.dtype.kind in "iu" else fraction_array(matrix)
    if array.ndim != 2:
        raise ShapeError(f"the matrix has shape {array.shape}; expected (rows, columns).")
    return array
