"""Numbers as unevaluated sums of two floats, and matrix products that are exact to that precision.

A residual b - A x tells how good x is only if it is computed more exactly than x itself is stored. Sums and products
of pairs follow Dekker (1971) and Knuth. A product with a matrix cuts both factors into slices of so few bits that
BLAS makes no rounding error at all (Ozaki, Ogita, Oishi, Rump 2012): it costs some twenty ordinary products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray, Kernel

_BITS = 100
"""What a product keeps, relative to the largest entry of each vector."""

_SPLIT = float(2**27 + 1)
_PRECISION = 53
_MOST_SLICES = 16
PAIR_ROUNDING = 2.0**-100
"""More than one sum or product of pairs is wrong by, relative to the larger of its operands or to its result."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The number ``high + low`` in each place; `high` is the float nearest to it.

    Examples
    --------
    >>> third = Pair.of(np.array([1.0])) + Pair.of(np.array([2.0**-80]))
    >>> float(third.high[0]), float(third.low[0] * 2**80)
    (1.0, 1.0)
    """

    high: FloatArray
    low: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Pair:
        """Return floats as pairs."""
        return cls(values, np.zeros_like(values))

    @classmethod
    def of_product(cls, first: Any, second: Any) -> Pair:
        """Return the exact products of floats."""
        high = np.asarray(first * second)
        first_high, first_low = _halves(np.asarray(first))
        second_high, second_low = _halves(np.asarray(second))
        low = ((first_high * second_high - high) + first_high * second_low + first_low * second_high) + (
            first_low * second_low
        )
        return cls(high, low)

    def __neg__(self) -> Pair:
        return Pair(-self.high, -self.low)

    def __add__(self, other: Pair) -> Pair:
        high, error = _two_sum(self.high, other.high)
        low, rest = _two_sum(self.low, other.low)
        high, error = _fast_two_sum(high, error + low)
        return Pair(*_fast_two_sum(high, error + rest))

    def __sub__(self, other: Pair) -> Pair:
        return self + (-other)

    def __mul__(self, other: Pair) -> Pair:
        exact = Pair.of_product(self.high, other.high)
        return Pair(*_fast_two_sum(exact.high, exact.low + (self.high * other.low + self.low * other.high)))

    def __getitem__(self, index: Any) -> Pair:
        return Pair(self.high[index], self.low[index])

    def reshape(self, *shape: int) -> Pair:
        """Return the same numbers in another shape."""
        return Pair(self.high.reshape(shape), self.low.reshape(shape))

    def scaled(self, exponents: Any) -> Pair:
        """Return the numbers times powers of two."""
        return Pair(np.ldexp(self.high, exponents), np.ldexp(self.low, exponents))


def _two_sum(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    total = first + second
    shown = total - first
    return total, (first - (total - shown)) + (second - shown)


def _fast_two_sum(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the same, where the first operand is the larger one."""
    total = first + second
    return total, second - (total - first)


def _halves(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    spread = _SPLIT * values
    high = spread - (spread - values)
    return high, values - high


class DoubledProduct:
    """The map x -> x P^T of pairs (G, S) to pairs (G, rows), for rows of probabilities.

    Parameters
    ----------
    rows : numpy.ndarray or csr_array, shape (rows, S)
        Entries in [0, 2).

    Examples
    --------
    >>> tiny = np.array([[1.0, 2.0**-70]])
    >>> found = DoubledProduct(np.array([[0.5, 0.5]]))(Pair.of(tiny))
    >>> float(found.high[0, 0]), float(found.low[0, 0] * 2**71)
    (0.5, 1.0)
    """

    def __init__(self, rows: Kernel) -> None:
        self._rows = rows
        counts = np.count_nonzero(rows, axis=1) if isinstance(rows, np.ndarray) else np.diff(rows.indptr)
        terms = max(2, int(counts.max(initial=0)))
        # A sum of so many products of two slices, on a whole diagonal of slices, fits into the 53 bits of a float.
        self._bits = (_PRECISION - 1 - (_MOST_SLICES * terms).bit_length()) // 2
        self._slices = -(-(_BITS + 2 + terms.bit_length()) // self._bits)
        left_out = 2.0 * terms * self._slices * 2.0 ** (-self._slices * self._bits)
        self.error = left_out + self._slices * PAIR_ROUNDING
        """By how much an entry may be wrong, relative to twice the largest entry of its vector."""

    def __call__(self, vectors: Pair) -> Pair:
        """Multiply each vector by all rows."""
        sizes = np.abs(vectors.high).max(axis=1, keepdims=True)
        exponents = np.frexp(sizes)[1]
        parts = list(self._cut(vectors.scaled(-exponents)))
        diagonals: list[Any] = [0.0] * self._slices
        for place, piece in enumerate(self._pieces_of_rows()):
            for other, part in enumerate(parts[: self._slices - place]):
                diagonals[place + other] += part @ piece.T if isinstance(piece, np.ndarray) else (piece @ part.T).T
        total = Pair.of(diagonals.pop())
        while diagonals:
            total = Pair.of(diagonals.pop()) + total
        return total.scaled(exponents)

    def _cut(self, rest: Pair) -> Iterator[FloatArray]:
        for place in range(1, self._slices + 1):
            part = np.ldexp(np.rint(np.ldexp(rest.high, place * self._bits)), -place * self._bits)
            yield part
            rest = Pair(*_two_sum(rest.high - part, rest.low))

    def _pieces_of_rows(self) -> Iterator[Kernel]:
        rows = self._rows
        rest: FloatArray = rows if isinstance(rows, np.ndarray) else np.asarray(rows.data)
        for place in range(1, self._slices + 1):
            piece = np.ldexp(np.rint(np.ldexp(rest, place * self._bits)), -place * self._bits)
            rest = rest - piece
            yield (
                piece
                if isinstance(rows, np.ndarray)
                else csr_array((piece, rows.indices, rows.indptr), shape=rows.shape)
            )
            if not rest.any():
                return
