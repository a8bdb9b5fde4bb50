"""What proves an exact answer; each proof carries all that its re-check needs, and re-checks from scratch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactRank
from tabular_inversion.exact.linear_algebra import solve_linear
from tabular_inversion.exact.linear_programs import Feasibility, Recession
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.rational.system import ExactSystem


@dataclass(frozen=True, eq=False)
class Proof(ABC):
    """Proof of the status of some rows.

    Attributes
    ----------
    rows : numpy.ndarray of int
        Positions, among the available rows, of those that the proof covers.
    """

    rows: IntArray

    @abstractmethod
    def verify(self) -> bool:
        """Re-check the proof from what it carries."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The proof in words."""


@dataclass(frozen=True, eq=False)
class ValueProof(Proof):
    """Proof about the rows of one agent's values, or of its test functions."""

    @abstractmethod
    def fits(self, system: ExactSystem, *, uniform: bool) -> bool:
        """Tell whether what the proof carries is that of its rows, and settles the question at this scope."""


def _same(first: FractionArray, second: FractionArray) -> bool:
    return first.shape == second.shape and bool((first == second).all())


def _same_columns(system: ExactSystem, rows: IntArray, matrix: FractionArray) -> bool:
    """Tell whether a matrix is the system's on the states that each of the rows may reach."""
    masks = np.unique(system.allowed[rows], axis=0)
    return len(masks) == 0 or (len(masks) == 1 and _same(matrix, system.matrix[:, masks[0]]))


@dataclass(frozen=True, eq=False)
class RankProof(ValueProof):
    """The system's columns are independent, so that at most one row has given values.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (equations, N)
        M or [M;1] on the states that the rows may reach.
    rank : ExactRank
        Equal to N.
    """

    matrix: FractionArray
    rank: ExactRank

    def verify(self) -> bool:
        """Re-check that the rank is N."""
        return self.rank.rank == self.matrix.shape[1] and self.rank.verify(self.matrix)

    def fits(self, system: ExactSystem, *, uniform: bool) -> bool:  # noqa: ARG002  independence settles both scopes
        """Tell whether the columns are those of the rows."""
        return _same_columns(system, self.rows, self.matrix)

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{self.matrix.shape[1]} columns are independent: {self.rank.proof}"


@dataclass(frozen=True, eq=False)
class FaceProof(ValueProof):
    """No direction leads from the row's face to another member (S1): the dual solution of the linear program.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (k + 1, N)
        [M;1] on the states that the rows may reach.
    off : numpy.ndarray of bool, shape (N,)
        The states that the rows do not reach.
    recession : Recession
        Holding a certificate.
    """

    matrix: FractionArray
    off: BoolArray
    recession: Recession

    def verify(self) -> bool:
        """Re-check the certificate."""
        return self.recession.vector is None and self.recession.verify(self.matrix, self.off)

    def fits(self, system: ExactSystem, *, uniform: bool) -> bool:
        """Tell whether the columns are those of the rows, and the values those of distributions on the face."""
        if uniform or not _same_columns(system, self.rows, self.matrix):
            return False
        try:
            weights = solve_linear(self.matrix[:, ~self.off], system.values[:, self.rows])
        except InputError:
            return False
        return bool((weights >= 0).all())

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"a functional is zero on the {int((~self.off).sum())} states reached and positive on all others"


@dataclass(frozen=True, eq=False)
class ColumnProof(ValueProof):
    """The successors' columns of M differ from all others.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (k, n)
        M.
    states : numpy.ndarray of int
        The successors whose columns are meant.
    """

    matrix: FractionArray
    states: IntArray

    def verify(self) -> bool:
        """Re-check each column against all."""
        equal = (self.matrix[:, self.states, None] == self.matrix[:, None, :]).all(axis=0)
        return bool((equal.sum(axis=1) == 1).all())

    def fits(self, system: ExactSystem, *, uniform: bool) -> bool:
        """Tell whether the matrix is M, and the columns are the values of the rows, or all there are."""
        if not _same(self.matrix, system.matrix):
            return False
        if uniform:
            return set(self.states.tolist()) == set(range(system.n_states))
        return _same(self.matrix[:, self.states], system.values[:, self.rows])

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{len(set(self.states.tolist()))} columns of M differ from all others"


@dataclass(frozen=True, eq=False)
class EmptyProof(ValueProof):
    """No stochastic row has these values: a Farkas certificate.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (k + 1, N)
        [M;1] on the states that the row may reach.
    values : numpy.ndarray of Fraction, shape (k + 1,)
        The row's right-hand side.
    feasibility : Feasibility
        Holding a certificate.
    """

    matrix: FractionArray
    values: FractionArray
    feasibility: Feasibility

    def verify(self) -> bool:
        """Re-check the certificate."""
        return self.feasibility.solution is None and self.feasibility.verify(self.matrix, self.values)

    def fits(self, system: ExactSystem, *, uniform: bool) -> bool:
        """Tell whether equations and values are those of the rows."""
        same = all(_same(self.values, system.values[:, row]) for row in self.rows)
        return not uniform and same and _same_columns(system, self.rows, self.matrix)

    @property
    def text(self) -> str:
        """The proof in words."""
        return "a functional is nonnegative on every row of the class and negative on the values"


@dataclass(frozen=True, eq=False)
class DimensionProof(ValueProof):
    """The equations of a row contradict each other: the right-hand side raises the rank.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (equations, n)
        M.
    values : numpy.ndarray of Fraction, shape (equations,)
        The row's right-hand side.
    ranks : tuple of ExactRank
        Of the matrix, and of the matrix with the right-hand side appended.
    """

    matrix: FractionArray
    values: FractionArray
    ranks: tuple[ExactRank, ExactRank]

    def verify(self) -> bool:
        """Re-check both ranks."""
        extended = np.column_stack([self.matrix, self.values])
        return (
            self.ranks[1].rank > self.ranks[0].rank
            and self.ranks[0].verify(self.matrix)
            and self.ranks[1].verify(extended)
        )

    def fits(self, system: ExactSystem, *, uniform: bool) -> bool:
        """Tell whether equations and values are those of the rows."""
        same = all(_same(self.values, system.values[:, row]) for row in self.rows)
        return not uniform and same and _same_columns(system, self.rows, self.matrix)

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"the right-hand side raises the rank from {self.ranks[0].rank} to {self.ranks[1].rank}"
