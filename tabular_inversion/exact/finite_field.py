"""Arrays of numbers modulo the prime 2**61 - 1, and the ranks of many small matrices of them at once.

The prime is of Mersenne's form, so that a product of two residues is reduced by shifts within 64 bits.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from flint import nmod_mat
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tabular_inversion._typing import IntArray, SparseMask
from tabular_inversion.exact.modular import LARGEST_PRIME
from tabular_inversion.exact.rationals import as_fraction

Residues: TypeAlias = NDArray[np.uint64]
SparseResidues: TypeAlias = csr_array[np.uint64, tuple[int, int]]
"""An ndarray of uint64 whose entries are below the prime."""

PRIME = LARGEST_PRIME
"""The modulus, 2**61 - 1."""

_P = np.uint64(PRIME)
_BITS = np.uint64(61)
_HALF, _LOW = np.uint64(31), np.uint64(2**31 - 1)
_MIDDLE, _LOW_MIDDLE = np.uint64(30), np.uint64(2**30 - 1)
_BATCHED_SIZE = 24
_CHUNK_ENTRIES = 2**21


def reduced(values: NDArray[np.uint64]) -> Residues:
    """Reduce any 64-bit numbers modulo the prime."""
    folded = (values >> _BITS) + (values & _P)
    return np.where(folded >= _P, folded - _P, folded)


def times(left: Residues, right: Residues) -> Residues:
    """Multiply residues entry by entry, with broadcasting.

    Examples
    --------
    >>> times(np.array([PRIME - 1], np.uint64), np.array([PRIME - 1], np.uint64))
    array([1], dtype=uint64)
    """
    left_high, left_low = left >> _HALF, left & _LOW
    right_high, right_low = right >> _HALF, right & _LOW
    middle = left_low * right_high + left_high * right_low
    top = (left_high * right_high << np.uint64(1)) + (middle >> _MIDDLE)
    return reduced(top + ((middle & _LOW_MIDDLE) << _HALF) + left_low * right_low)


def plus(left: Residues, right: Residues) -> Residues:
    """Add residues entry by entry, with broadcasting."""
    return reduced(left + right)


def minus(left: Residues, right: Residues) -> Residues:
    """Subtract residues entry by entry, with broadcasting."""
    return reduced(left + (_P - right))


def sums(values: Residues, starts: IntArray) -> Residues:
    """Add up residues, along the first axis, over segments that begin at `starts`; no segment is empty."""
    low = np.add.reduceat(values & _LOW, starts, axis=0)
    high = np.add.reduceat(values >> _HALF, starts, axis=0)
    return plus(reduced(low), times(reduced(high), np.array(2**31, np.uint64)))


def inverses(values: Residues) -> Residues:
    """Return the reciprocals; raises `ZeroDivisionError` if one does not exist."""
    if not values.all():
        raise ZeroDivisionError("zero has no reciprocal modulo the prime")
    result, power, exponent = np.ones_like(values), values, PRIME - 2
    while exponent:
        if exponent & 1:
            result = times(result, power)
        power, exponent = times(power, power), exponent >> 1
    return result


def random_residues(shape: int | tuple[int, ...], rng: np.random.Generator) -> Residues:
    """Draw residues uniformly and independently."""
    return rng.integers(0, PRIME, size=shape, dtype=np.uint64)


def rational_residues(values: NDArray[Any]) -> Residues:
    """Return floats, as the dyadic rationals that they are, or fractions, modulo the prime.

    Examples
    --------
    >>> int(times(rational_residues(np.array([0.5])), np.uint64(2))[0])
    1
    """
    # Few different numbers fill most arrays: each is converted once.
    distinct, places = np.unique(values.ravel(), return_inverse=True)
    exact = [as_fraction(value, allow_float=True) for value in distinct.tolist()]
    found = [x.numerator % PRIME * pow(x.denominator, -1, PRIME) % PRIME for x in exact]
    return np.array(found, np.uint64)[places.ravel()].reshape(values.shape)


def product(left: Residues, right: Residues) -> Residues:
    """Multiply two matrices of residues, shapes (a, b) and (b, c)."""
    matrices = (to_flint(left), to_flint(right))
    return from_flint(matrices[0] * matrices[1])


def to_flint(matrix: Residues) -> nmod_mat:
    """Return a matrix of residues as a flint matrix."""
    rows, columns = matrix.shape
    return nmod_mat(rows, columns, matrix.ravel().tolist(), PRIME)


def from_flint(matrix: nmod_mat) -> Residues:
    """Return a flint matrix as an array of residues."""
    entries = np.array([int(x) for x in matrix.entries()], np.uint64)
    return entries.reshape(matrix.nrows(), matrix.ncols())


def column_ranks(matrix: Residues, supports: SparseMask) -> IntArray:
    """Return, for each row of `supports`, the rank of the columns of `matrix` that it names.

    Parameters
    ----------
    matrix : numpy.ndarray of residues, shape (equations, n)
        The columns.
    supports : bool csr_array, shape (rows, n)
        Sets of columns; equal ones are eliminated once, and sets of one size together.

    Returns
    -------
    numpy.ndarray of int, shape (rows,)

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> matrix = np.array([[1, 2, 3], [2, 4, 5]], np.uint64)
    >>> column_ranks(matrix, csr_array([[True, True, False], [True, False, True]]))
    array([1, 2])
    """
    ranks = np.zeros(supports.shape[0], np.intp)
    sizes = np.diff(supports.indptr)
    for size in np.unique(sizes[sizes > 0]).tolist():
        rows = np.flatnonzero(sizes == size)
        columns = np.sort(supports.indices[supports.indptr[rows][:, None] + np.arange(size)], axis=1)
        different, places = np.unique(columns, axis=0, return_inverse=True)
        ranks[rows] = subset_ranks(matrix, different)[places.ravel()]
    return ranks


def subset_ranks(matrix: Residues, columns: IntArray) -> IntArray:
    """Return the rank of ``matrix[:, T]`` for each row T of `columns`, shape (b, N)."""
    count, size = columns.shape
    if size > _BATCHED_SIZE:
        flat = (to_flint(matrix[:, chosen]).rank() for chosen in columns)
        return np.fromiter(flat, np.intp, count)
    step = max(1, _CHUNK_ENTRIES // (len(matrix) * size))
    parts = [_ranks(np.moveaxis(matrix[:, columns[i : i + step]], 1, 0)) for i in range(0, count, step)]
    return np.concatenate(parts)


def _ranks(stacked: Residues) -> IntArray:
    """Eliminate all matrices of a stack (b, equations, N) together, without division."""
    table = np.array(stacked)
    count, n_equations, size = table.shape
    everyone, found = np.arange(count), np.zeros(count, np.intp)
    for column in range(size):
        usable = (table[:, :, column] != 0) & (np.arange(n_equations) >= found[:, None])
        pivot, hit = usable.argmax(axis=1), usable.any(axis=1)
        place = np.where(hit, found, 0)
        pivot = np.where(hit, pivot, place)
        table[everyone, pivot], table[everyone, place] = table[everyone, place], table[everyone, pivot]
        # Columns on the left are not looked at again.
        below = ((np.arange(n_equations) > place[:, None]) & hit[:, None])[:, :, None]
        leader, rest = table[everyone, place][:, None, column:], table[:, :, column + 1 :]
        cleared = minus(times(rest, leader[:, :, :1]), times(table[:, :, [column]], leader[:, :, 1:]))
        table[:, :, column + 1 :] = np.where(below, cleared, rest)
        found += hit
    return found


def equal_columns(matrix: Residues) -> tuple[IntArray, IntArray]:
    """Return which group of equal columns each column belongs to, and the groups of more than one.

    Examples
    --------
    >>> equal_columns(np.array([[5, 7, 5]], np.uint64))
    (array([0, 1, 0]), array([0]))
    """
    _, groups, counts = np.unique(matrix, axis=1, return_inverse=True, return_counts=True)
    return groups.ravel(), np.flatnonzero(counts > 1)
