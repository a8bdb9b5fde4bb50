"""What a goal set must tell apart when rows have at most N successors and it is unknown which.

Two such rows differ by a vector with at most N positive and at most N negative entries whose sum is zero. A null vector
of [M;1] is a sum of circuits' vectors (a circuit is a minimal dependent set of columns) that agree with its signs, so
that only circuits of at most 2N columns matter: all of them are tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from math import comb

import numpy as np

from tabular_inversion._typing import IntArray
from tabular_inversion.errors import KernelClassError
from tabular_inversion.exact.linear_algebra import null_space
from tabular_inversion.exact.rationals import FractionArray, integer_rows
from tabular_inversion.sufficiency.smallest.spanning import Residues, Violation, inverses, word_primes

MAX_SETS = 150_000_000
"""So many sets of 2N columns are tried at most."""

_CHUNK_ENTRIES = 2**21
_AT_ONCE = 200  # violations returned together


class SparseRows:
    """The demand that no two rows with at most N successors have the same values.

    Parameters
    ----------
    matrix : numpy.ndarray of Fraction, shape (k, n)
        M, a row for each candidate goal.
    n_successors : int
        N, at least 2 and below n - 1: beyond, the demand is one of rank.

    Raises
    ------
    KernelClassError
        If there are too many sets of columns.

    Examples
    --------
    >>> from tabular_inversion.exact import fraction_array
    >>> moments = fraction_array([[x**power for x in range(5)] for power in (1, 2, 3)])
    >>> demand = SparseRows(moments, 2)
    >>> demand.violations([0, 1, 2]), demand.violations([0, 1])[0].states
    ([], array([0, 1, 2, 3]))
    """

    largest_gain = None
    """The differences of rows are too many to count, so that the greedy choice has no guarantee."""

    def __init__(self, matrix: FractionArray, n_successors: int) -> None:
        n, largest = matrix.shape[1], min(2 * n_successors, matrix.shape[1])
        if comb(n, largest) > MAX_SETS:
            raise KernelClassError(
                f"class sparse:{n_successors} on {n} states has {comb(n, largest)} sets of {largest} columns to try; "
                f"at most {MAX_SETS} are, as the question is coNP-hard in N: use supported (the support is known) or "
                "stochastic (any support)."
            )
        self._successors, self._largest = n_successors, largest
        self.floor = floor_of(n_successors, n)
        # A goal whose values are scaled sees the same differences, and integers multiply faster than fractions.
        self._integers = np.array([int(x) for x in integer_rows(matrix)[0].entries()], dtype=object).reshape(
            matrix.shape
        )
        self._prime = next(word_primes(2**20))
        self._inverses = _all_inverses(self._prime)
        self._residues: Residues = (self._integers % self._prime).astype(np.int64)

    def violations(self, goals: list[int]) -> list[Violation]:
        """Return the first sets of states on which two rows have the same values; none if the goals suffice."""
        for size in range(2, self._largest + 1):
            found = list(islice(self._seen_nowhere(goals, size), _AT_ONCE))
            if found:
                return found
        return []

    def completed(self, goals: list[int]) -> list[int]:
        """Add the goal that sees the most of the differences found, until none is found."""
        result = list(goals)
        while violations := self.violations(result):
            helpful = np.sum([violation.outside for violation in violations], axis=0)
            result.append(int(helpful.argmax()))
        return result

    def _seen_nowhere(self, goals: list[int], size: int) -> Iterator[Violation]:
        """Keep the circuits whose vector is a difference of two rows of the class, in fractions."""
        for states in self._dependent(goals, size):
            values = self._integers[:, states]
            basis = null_space(np.concatenate([np.ones((1, size), dtype=object), values[goals]]))
            if basis.shape[1] != 1 or (basis == 0).any():
                continue
            if max((basis > 0).sum(), (basis < 0).sum()) <= self._successors:
                vector = [int(x) for x in integer_rows(basis.T)[0].entries()]
                yield Violation(values @ np.array(vector, dtype=object) != 0, 1, states)

    def _dependent(self, goals: list[int], size: int) -> Iterator[IntArray]:
        """Yield sets of columns of [M;1] of which all but the last two are independent, and all may be dependent.

        Modulo a prime and after a projection to as many rows as columns, dependent columns remain dependent. Two
        columns are dependent on a prefix if they are parallel modulo it: two numbers each, whose quotients are equal.
        """
        n, prime = self._residues.shape[1], self._prime
        ones: Residues = np.ones((1, n), np.int64)
        table = np.concatenate([ones, self._residues[goals]])
        weights = np.random.default_rng(size).integers(0, prime, (size, len(table)))
        projected = weights @ table % prime
        for prefixes, tables in self._prefixes(projected[None], np.empty((1, 0), np.intp), size - 2):
            top, bottom = tables[:, 0], tables[:, 1]
            quotients = np.where(bottom == 0, prime, top * self._inverses[bottom] % prime)
            last = prefixes[:, -1:] if size > 2 else np.full((len(prefixes), 1), -1)
            skipped = (np.arange(n) <= last) | ((top == 0) & (bottom == 0))
            quotients = np.where(skipped, -1 - np.arange(n), quotients)
            repeated = np.flatnonzero((np.diff(np.sort(quotients, axis=1), axis=1) == 0).any(axis=1))
            for i in repeated.tolist():
                same = quotients[i][:, None] == quotients[i]
                for first, second in np.argwhere(np.triu(same, 1)):
                    yield np.concatenate([prefixes[i], [first, second]])

    def _prefixes(self, tables: Residues, prefixes: IntArray, size: int) -> Iterator[tuple[IntArray, Residues]]:
        """Yield independent prefixes of that size, in batches, with all columns modulo the span of each."""
        if size == 0:
            yield prefixes, tables
            return
        n = tables.shape[2]
        last = prefixes[:, -1:] if prefixes.shape[1] else np.full((len(prefixes), 1), -1)
        parents, columns = np.nonzero((np.arange(n) > last) & tables.any(axis=1))
        step = max(1, _CHUNK_ENTRIES // (tables.shape[1] * n))
        for start in range(0, len(parents), step):
            parent, column = parents[start : start + step], columns[start : start + step]
            children = self._quotient(tables[parent], column)
            yield from self._prefixes(children, np.column_stack([prefixes[parent], column]), size - 1)

    def _quotient(self, tables: Residues, columns: IntArray) -> Residues:
        """Eliminate one column, not zero, of each table (b, rows, n), and leave out the row that did it."""
        everyone = np.arange(len(tables))
        chosen = tables[everyone, :, columns]
        pivot = (chosen != 0).argmax(axis=1)
        leader = tables[everyone, pivot]
        factors = chosen * self._inverses[chosen[everyone, pivot]][:, None] % self._prime
        # The last row takes the place of the pivot's.
        tables[everyone, pivot], factors[everyone, pivot] = tables[:, -1], factors[:, -1]
        left: Residues = (tables[:, :-1] - factors[:, :-1, None] * leader[:, None, :]) % self._prime
        return left


def floor_of(n_successors: int, n_states: int) -> int:
    """Return how many goals rows with at most N successors need, whatever the goals: 2N - 1 where n > 2N.

    The theorem of van Kampen (1932) and Flores (1933): of 2N + 1 points in a space of 2N - 2 dimensions, here columns
    of M, two disjoint sets of N have convex hulls that meet. So two rows with N successors each have the same values.

    Examples
    --------
    >>> floor_of(2, 5), floor_of(2, 4)
    (3, 0)
    """
    return 2 * n_successors - 1 if n_states > 2 * n_successors else 0


@cache
def _all_inverses(prime: int) -> Residues:
    """Return the reciprocal of each residue, and 0 for 0: looked up faster than computed."""
    return inverses(np.arange(prime), prime)
