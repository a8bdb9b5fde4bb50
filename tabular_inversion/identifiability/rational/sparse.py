"""Exact decisions for `Sparse` (T5b): exhaustive where the number of supports allows, undecided beyond."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
from flint import nmod_mat

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.exact import rank
from tabular_inversion.exact.linear_algebra import null_space, solve_linear
from tabular_inversion.exact.modular import reduce
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.rational.arrays import split_exactly
from tabular_inversion.identifiability.rational.classes import stochastic_instance, stochastic_uniform
from tabular_inversion.identifiability.rational.proofs import ValueProof
from tabular_inversion.identifiability.rational.system import ExactSystem
from tabular_inversion.identifiability.verdict import Status

MAX_SUPPORTS = 50_000
"""Up to this many supports are tried, each in exact arithmetic."""


@dataclass(frozen=True, eq=False)
class SearchProof(ValueProof):
    """Every support of at most N states was tried: the re-check tries them again.

    It holds nothing, because nothing short is known that would prove it.
    """

    def verify(self, system: ExactSystem, *, uniform: bool) -> None:
        """Search again."""
        n_successors = system.max_successors
        if uniform:
            if _sparse_null_vector(system.matrix, n_successors) is not None:
                raise WitnessError(f"proofs: two rows of at most {n_successors} successors have the same values.")
            return
        for row in self.rows.tolist():
            own = other_row(system, n_successors, None, row)
            if own is None or other_row(system, n_successors, own, row) is not None:
                raise WitnessError(f"proofs: not exactly one row of at most {n_successors} successors has the values.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return "all supports of as many states as a row may have successors were tried"


def sparse_uniform(system: ExactSystem, n_successors: int) -> Decision:
    """Look for v != 0 with [M;1] v = 0 and at most N positive and N negative entries (T5b)."""
    whole = stochastic_uniform(system)
    if n_successors >= system.n_states or whole.codes[0] == Status.IDENTIFIED:
        return whole
    everything = np.arange(system.n_rows)
    tried = _count(system.n_states, min(2 * n_successors, system.n_states))
    if tried > MAX_SUPPORTS:
        reason = f"{whole.reason}; the {tried} sets of up to {2 * n_successors} columns are too many to try exactly"
        return Decision.proved(np.full(system.n_rows, Status.UNDECIDED, np.int8), (), None, reason)
    vector = _sparse_null_vector(system.matrix, n_successors)
    if vector is None:
        proof = SearchProof(everything)
        reason = f"no two rows with at most {n_successors} successors share their values: {tried} sets of columns tried"
        return Decision.proved(np.full(system.n_rows, Status.IDENTIFIED, np.int8), (proof,), None, reason)
    pair = Pair(0, *split_exactly(vector))
    reason = f"two rows with at most {n_successors} successors share their values"
    return Decision.proved(np.full(system.n_rows, Status.NOT_IDENTIFIED, np.int8), (), pair, reason)


def _count(n: int, largest: int) -> int:
    return sum(comb(n, size) for size in range(1, largest + 1))


def _sparse_null_vector(matrix: FractionArray, n_successors: int) -> FractionArray | None:
    """Try the circuits (minimal dependent sets of columns) of up to 2N columns.

    They suffice: a null vector is a sum of circuits' vectors that agree with its signs, entry by entry.
    """
    n = matrix.shape[1]
    for columns in _dependent(matrix, min(2 * n_successors, n)):
        basis = null_space(matrix[:, columns])
        if basis.shape[1] == 1 and max((basis > 0).sum(), (basis < 0).sum()) <= n_successors:
            vector = np.full(n, Fraction(0), dtype=object)
            vector[list(columns)] = basis[:, 0]
            return vector
    return None


def _dependent(matrix: FractionArray, largest: int) -> Iterator[tuple[int, ...]]:
    """Yield sets of columns that are dependent modulo a prime: among them all that are dependent."""
    residues = reduce(matrix)[1]
    table = np.array([[int(residues[i, j]) for j in range(residues.ncols())] for i in range(residues.nrows())], object)
    modulus = int(residues.modulus())
    for size in range(2, largest + 1):
        for columns in combinations(range(matrix.shape[1]), size):
            part = table[:, columns]
            if nmod_mat(len(part), size, part.ravel().tolist(), modulus).rank() < size:
                yield columns


def sparse_instance(system: ExactSystem, n_successors: int, guess: FloatArray) -> Decision:
    """Decide rows among all distributions first (unique there is unique here), then search the supports."""
    points = np.array([Fraction(x).limit_denominator(10**4) for x in guess.ravel().tolist()], dtype=object)
    points = points.reshape(guess.shape)
    among_all = stochastic_instance(system, guess)
    codes = among_all.codes.copy()
    known = (system.matrix @ points.T == system.values).all(axis=0) & ((points > 0).sum(axis=1) <= n_successors)
    left = np.flatnonzero((codes == Status.NOT_IDENTIFIED) | ((codes == Status.IDENTIFIED) & ~known))
    tried = _count(system.n_states, n_successors)
    proofs = list(among_all.proofs)
    if left.size and tried > MAX_SUPPORTS:
        codes[left] = Status.UNDECIDED
        reason = f"{among_all.reason}; {tried} supports are too many to try exactly for the {left.size} rows left"
        return Decision.proved(codes, proofs, None, reason)
    pair, unique = None, []
    for row in left:
        own = points[row] if known[row] else other_row(system, n_successors, None, int(row))
        if own is None:
            codes[row] = Status.INCONSISTENT
            continue
        other = other_row(system, n_successors, own, int(row))
        codes[row] = Status.IDENTIFIED if other is None else Status.NOT_IDENTIFIED
        points[row] = own
        if other is None:
            unique.append(int(row))
        elif pair is None:
            pair = Pair(int(row), own, other)
    if unique:
        proofs.append(SearchProof(np.array(unique, np.intp)))
    reason = f"{among_all.reason}; {tried} supports tried for {left.size} rows"
    return Decision.proved(codes, proofs, pair, reason)


def other_row(system: ExactSystem, n_successors: int, known: FractionArray | None, row: int) -> FractionArray | None:
    """Return a distribution on at most N states with the values of `row`, other than the known one.

    Only supports with independent columns need trying: every N-sparse solution set is spanned by those.
    """
    values = system.values[:, row]
    extended = np.column_stack([system.matrix, values])
    for size in range(1, min(n_successors, system.n_states) + 1):
        for columns in combinations(range(system.n_states), size):
            chosen = [*columns, system.n_states]
            if rank(extended[:, chosen]).rank > size or rank(system.matrix[:, columns]).rank < size:
                continue
            try:
                weights = solve_linear(system.matrix[:, columns], values)
            except InputError:
                continue
            point = np.full(system.n_states, Fraction(0), dtype=object)
            point[list(columns)] = weights
            if (weights >= 0).all() and (known is None or (point != known).any()):
                return point
    return None
