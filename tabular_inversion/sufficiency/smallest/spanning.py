"""What a goal set must span: one system for each set of successors, reduced goal by goal modulo a prime.

The kernel of a row with successors T is identified uniformly iff the chosen goals span everything on T: the rank of
[M;1] restricted to T is |T|. Each goal adds one row to each of these systems, so that all of them are reduced together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.errors import InputError
from tabular_inversion.exact.modular import residues
from tabular_inversion.exact.rationals import FractionArray

MAX_ENTRIES = 50_000_000
"""Largest number of entries of all systems together: some gigabytes while they are reduced."""

Residues = NDArray[np.int64]
"""Numbers modulo a prime below 2**31, so that products of two fit into 64 bits."""


def word_primes(limit: int = 2**31) -> Iterator[int]:
    """Yield primes below a power of two, descending.

    Mersenne's are passed over: the powers of a discount 1/2 repeat after 31 steps modulo 2**31 - 1.

    Examples
    --------
    >>> 2**31 - next(word_primes()), 2**20 - next(word_primes(2**20))
    (19, 3)
    """
    return (number for number in range(limit - 3, limit // 2, -2) if fmpz(number).is_prime())


@dataclass
class Spans:
    """All systems, after some goals were chosen.

    Attributes
    ----------
    parts : list of numpy.ndarray of residues, each of shape (b, k, m)
        For supports of one size, the row that each of the k goals would add, reduced modulo the chosen ones: zero
        where it adds nothing.
    members : list of numpy.ndarray of int
        Which supports a part holds.
    missing : numpy.ndarray of int, shape (supports,)
        How many dimensions are not spanned yet.
    n_goals : int
        k.
    prime : int
        The modulus.
    """

    parts: list[Residues]
    members: list[IntArray]
    missing: IntArray
    n_goals: int
    prime: int

    @classmethod
    def start(cls, matrix: FractionArray, supports: BoolArray, *, sums_to_one: bool, prime: int) -> Spans:
        """Return the systems before any goal is chosen.

        Parameters
        ----------
        matrix : numpy.ndarray of Fraction, shape (k, n)
            M, a row for each candidate goal.
        supports : numpy.ndarray of bool, shape (b, n)
            No row empty.
        sums_to_one : bool
            Whether the row of ones belongs to each system.

        Raises
        ------
        InputError
            If the systems are too large, or the prime divides a denominator.
        """
        sizes = supports.sum(axis=1)
        entries = len(matrix) * int(sizes.sum())
        if entries > MAX_ENTRIES:
            raise InputError(
                f"{len(supports)} supports and {len(matrix)} candidates make systems of {entries} entries; expected at "
                f"most {MAX_ENTRIES}: leave candidates out."
            )
        table = np.array([int(x) for x in residues(matrix, prime).entries()], np.int64).reshape(matrix.shape)
        parts, members = [], []
        for size in np.unique(sizes):
            which = np.flatnonzero(sizes == size)
            columns = np.nonzero(supports[which])[1].reshape(-1, size)
            part = np.moveaxis(table[:, columns], 0, 1)
            if sums_to_one:
                part = (part[:, :, 1:] - part[:, :, :1]) % prime
            parts.append(np.ascontiguousarray(part))
            members.append(which)
        return cls(parts, members, sizes - int(sums_to_one), len(matrix), prime)

    def copy(self) -> Spans:
        """Return a copy to which goals can be added independently."""
        return Spans([part.copy() for part in self.parts], self.members, self.missing.copy(), self.n_goals, self.prime)

    def add(self, goal: int) -> None:
        """Choose one more goal."""
        for part, members in zip(self.parts, self.members, strict=True):
            row = part[:, goal]
            news = np.flatnonzero(row.any(axis=1))
            if news.size == 0:
                continue
            row = row[news]
            pivot = (row != 0).argmax(axis=1)
            scales = inverses(row[np.arange(len(news)), pivot], self.prime)
            factors = part[news, :, pivot] * scales[:, None] % self.prime
            part[news] = (part[news] - factors[:, :, None] * row[:, None, :]) % self.prime
            self.missing[members[news]] -= 1

    def extended(self, goals: IntArray | list[int]) -> Spans:
        """Return the systems after choosing these goals too."""
        result = self.copy()
        for goal in goals:
            result.add(int(goal))
        return result

    @property
    def outside(self) -> BoolArray:
        """Which goals would add a dimension to which system, bool (supports, k)."""
        result = np.zeros((len(self.missing), self.n_goals), bool)
        for part, members in zip(self.parts, self.members, strict=True):
            result[members] = part.any(axis=2)
        return result

    @property
    def gains(self) -> IntArray:
        """How many dimensions each goal would add in all systems together, shape (k,)."""
        result: IntArray = self.outside.sum(axis=0)
        return result


def inverses(values: Residues, prime: int) -> Residues:
    """Return the reciprocals modulo the prime: ``values ** (prime - 2)``, by Fermat."""
    result, power, exponent = np.ones_like(values), values, prime - 2
    while exponent:
        if exponent & 1:
            result = result * power % prime
        power, exponent = power * power % prime, exponent >> 1
    return result


@dataclass(frozen=True, eq=False)
class Violation:
    """A demand that a goal set does not meet.

    Attributes
    ----------
    outside : numpy.ndarray of bool, shape (k,)
        The goals that would help.
    at_least : int
        How many of those any sufficient set holds.
    states : numpy.ndarray of int
        The states on which something stays unknown.
    """

    outside: BoolArray
    at_least: int
    states: IntArray


class Spanning:
    """The demand that the chosen goals span everything on each of the given supports.

    Parameters
    ----------
    matrix : numpy.ndarray of Fraction, shape (k, n)
        M, a row for each candidate goal.
    supports : numpy.ndarray of bool, shape (b, n)
        From `SuccessorSets.masks`.
    sums_to_one : bool
        Whether rows of the kernel are known to sum to one.

    Examples
    --------
    >>> from tabular_inversion.exact import fraction_array
    >>> matrix = fraction_array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> demand = Spanning(matrix, np.ones((1, 3), bool), sums_to_one=True, prime=7)
    >>> demand.completed([]), [v.at_least for v in demand.violations([2])]
    ([0, 1], [1])
    """

    floor = 0
    """No number of goals is needed for reasons that no demand shows."""

    def __init__(self, matrix: FractionArray, supports: BoolArray, *, sums_to_one: bool, prime: int) -> None:
        self._supports = supports
        self._start = Spans.start(matrix, supports, sums_to_one=sums_to_one, prime=prime)

    @property
    def largest_gain(self) -> int | None:
        """In how many systems the most useful goal adds a dimension."""
        return int(self._start.gains.max(initial=0))

    def violations(self, goals: list[int]) -> list[Violation]:
        """Return a violation for each system that the goals leave incomplete; none if they suffice."""
        spans = self._start.extended(goals)
        outside = spans.outside
        return [
            Violation(outside[i], int(spans.missing[i]), np.flatnonzero(self._supports[i]))
            for i in np.flatnonzero(spans.missing)
        ]

    def completed(self, goals: list[int]) -> list[int]:
        """Add goals by the most dimensions gained until none gains any, then drop those that others make needless."""
        current, added = self._start.extended(goals), []
        while (gains := current.gains).any():
            added.append(int(gains.argmax()))
            current.add(added[-1])
        for goal in added[:-1]:
            fewer = [other for other in added if other != goal]
            if np.array_equal(self._start.extended(goals + fewer).missing, current.missing):
                added = fewer
        return goals + added
