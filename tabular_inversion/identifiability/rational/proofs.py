"""What proves an exact answer; each proof re-checks from scratch against the equations of its rows."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.exact import ExactRank
from tabular_inversion.exact.linear_algebra import solve_linear
from tabular_inversion.exact.linear_programs import Feasibility, Recession
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.proofs import Proof
from tabular_inversion.identifiability.rational.system import ExactSystem


@dataclass(frozen=True, eq=False)
class ValueProof(Proof):
    """Proof about the rows of one agent's values, or of its test functions.

    It holds no equations: they are those of the agent, so that it can be about no others.
    """

    @abstractmethod
    def verify(self, system: ExactSystem, *, uniform: bool) -> None:
        """Re-check that the proof holds for the equations of its rows, and settles the question at this scope.

        Raises
        ------
        WitnessError
            Naming what fails.
        """

    def columns(self, system: ExactSystem) -> FractionArray:
        """Return the equations on the states that all of the rows may reach; they must be the same states."""
        masks = np.unique(system.allowed[self.rows], axis=0)
        if len(masks) != 1:
            raise WitnessError(f"rows: a proof is about {len(masks)} different sets of next states; expected one.")
        columns: FractionArray = system.matrix[:, masks[0]]
        return columns

    def only_row(self, system: ExactSystem) -> FractionArray:
        """Return the right-hand side of the one row that the proof is about."""
        if len(self.rows) != 1:
            raise WitnessError(f"rows: a proof of contradiction is about one row, not {len(self.rows)}.")
        values: FractionArray = system.values[:, self.rows[0]]
        return values


@dataclass(frozen=True, eq=False)
class RankProof(ValueProof):
    """The system's columns are independent, so that at most one row has given values.

    Attributes
    ----------
    rank : ExactRank
        Of M or [M;1] on the states that the rows may reach: as many as these.
    """

    rank: ExactRank

    def verify(self, system: ExactSystem, *, uniform: bool) -> None:  # noqa: ARG002  independence settles both scopes
        """Re-check the rank, and that it is full."""
        matrix = self.columns(system)
        self.rank.verify(matrix)
        if self.rank.rank != matrix.shape[1]:
            raise WitnessError(f"rank: {self.rank.rank} of {matrix.shape[1]} columns are independent; all should be.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{self.rank.rank} columns are independent: {self.rank.proof}"


@dataclass(frozen=True, eq=False)
class FaceProof(ValueProof):
    """No direction leads from the row's face to another member (S1): the dual solution of the linear program.

    Attributes
    ----------
    off : numpy.ndarray of bool, shape (N,)
        Of the N states that the rows may reach, those that they do not reach.
    recession : Recession
        Holding a certificate.
    """

    off: BoolArray
    recession: Recession

    def verify(self, system: ExactSystem, *, uniform: bool) -> None:
        """Re-check the certificate, and that the values are those of distributions inside the face."""
        if uniform:
            raise WitnessError("proofs: a face says nothing about rows elsewhere, which uniform scope asks about.")
        matrix = self.columns(system)
        if self.off.shape != matrix.shape[1:] or self.off.dtype != bool:
            raise WitnessError(f"off: expected bool of shape {matrix.shape[1:]}, got {self.off.shape}.")
        if self.recession.vector is not None:
            raise WitnessError("recession: there is a direction that leads off the face.")
        self.recession.verify(matrix, self.off)
        try:
            weights = solve_linear(matrix[:, ~self.off], system.values[:, self.rows])
        except InputError as problem:
            raise WitnessError("off: the rows do not lie on this face.") from problem
        if not (weights > 0).all():
            raise WitnessError("off: the rows do not lie inside this face.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"a functional is zero on the {int((~self.off).sum())} states reached and positive on all others"


@dataclass(frozen=True, eq=False)
class ColumnProof(ValueProof):
    """The successors' columns of M differ from all others.

    Attributes
    ----------
    states : numpy.ndarray of int
        The successors whose columns are meant: one for each row, or all states at uniform scope.
    """

    states: IntArray

    def verify(self, system: ExactSystem, *, uniform: bool) -> None:
        """Re-check each column against all, and that they are the values of the rows, or all there are."""
        expected = np.arange(system.n_states) if uniform else self.states
        valid = self.states.dtype.kind == "i" and bool(((self.states >= 0) & (self.states < system.n_states)).all())
        if (
            not valid
            or not np.array_equal(self.states, expected)
            or not (uniform or len(self.states) == len(self.rows))
        ):
            raise WitnessError("states: expected the successor of each row, or every state once at uniform scope.")
        shown = system.matrix[:, self.states]
        equal = (shown[:, :, None] == system.matrix[:, None, :]).all(axis=0)
        if not (equal.sum(axis=1) == 1).all():
            raise WitnessError("states: a column of M is equal to another one.")
        if not uniform and (shown != system.values[:, self.rows]).any():
            raise WitnessError("states: a column of M does not have the values of its row.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{len(set(self.states.tolist()))} columns of M differ from all others"


@dataclass(frozen=True, eq=False)
class EmptyProof(ValueProof):
    """No stochastic row has these values: a Farkas certificate.

    Attributes
    ----------
    feasibility : Feasibility
        Holding a certificate for [M;1] on the states that the row may reach.
    """

    feasibility: Feasibility

    def verify(self, system: ExactSystem, *, uniform: bool) -> None:
        """Re-check the certificate."""
        if uniform or self.feasibility.solution is not None:
            raise WitnessError("feasibility: expected a certificate that no row has the values, at instance scope.")
        self.feasibility.verify(self.columns(system), self.only_row(system))

    @property
    def text(self) -> str:
        """The proof in words."""
        return "a functional is nonnegative on every row of the class and negative on the values"


@dataclass(frozen=True, eq=False)
class DimensionProof(ValueProof):
    """The equations of a row contradict each other: the right-hand side raises the rank.

    Attributes
    ----------
    without, extended : ExactRank
        Of the equations' left-hand sides, and of these with the right-hand side appended.
    """

    without: ExactRank
    extended: ExactRank

    def verify(self, system: ExactSystem, *, uniform: bool) -> None:
        """Re-check both ranks."""
        if uniform or self.extended.rank <= self.without.rank:
            raise WitnessError("extended: the right-hand side does not raise the rank, or no row is asked about.")
        matrix = self.columns(system)
        self.without.verify(matrix)
        self.extended.verify(np.column_stack([matrix, self.only_row(system)]))

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"the right-hand side raises the rank from {self.without.rank} to {self.extended.rank}"
