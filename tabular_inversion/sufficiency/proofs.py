"""What proves a verdict before training; each proof re-checks from scratch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular_inversion._typing import IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.exact.finite_field import PRIME, column_ranks, equal_columns, subset_ranks
from tabular_inversion.identifiability.proofs import Proof
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.identifiability.witnesses import check_rows
from tabular_inversion.sufficiency.by_draws.draws import Drawable
from tabular_inversion.sufficiency.by_paths.linkages import Cut, Linkage
from tabular_inversion.sufficiency.question import Question


@dataclass(frozen=True, eq=False)
class GraphProof(Proof):
    """Proof about almost every world on a graph, or about one world modulo a prime."""

    @abstractmethod
    def verify(self) -> None:
        """Re-check the proof from what it carries.

        Raises
        ------
        WitnessError
            Naming what fails.
        """


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise WitnessError(problem)


@dataclass(frozen=True, eq=False)
class PathsProof(GraphProof):
    """Disjoint paths lead from the successors of the rows to as many goals, so that their columns are independent.

    Attributes
    ----------
    linkage : Linkage
        With a path for each successor.
    """

    linkage: Linkage

    def verify(self) -> None:
        """Re-check paths and cut."""
        _require(len(self.linkage) == len(self.linkage.sources), "linkage: a successor of the rows has no path.")
        self.linkage.verify()

    @property
    def text(self) -> str:
        """The proof in words."""
        return self.linkage.text


@dataclass(frozen=True, eq=False)
class MatchingProof(GraphProof):
    """All states but one at most are joined to goals, so that M, or [M;1] with a row of ones, has full rank.

    [M;1] is [R;1] times an invertible matrix, and [R;1] has full rank for almost all rewards if R lacks one column.

    Attributes
    ----------
    linkage : Linkage
        From all states.
    ones : int
        1 if the row of ones belongs to the system, else 0.
    """

    linkage: Linkage
    ones: int

    def verify(self) -> None:
        """Re-check paths and cut."""
        needed = self.linkage.question.n_states - self.ones
        _require(len(self.linkage) >= needed, f"linkage: {len(self.linkage)} states have paths; {needed} are needed.")
        self.linkage.verify()

    @property
    def text(self) -> str:
        """The proof in words."""
        return self.linkage.text + (", and the row of ones makes up for one" if self.ones else "")


@dataclass(frozen=True, eq=False)
class CutProof(GraphProof):
    """Every path from the successors of the rows to the goals meets a cut, which is too small.

    Attributes
    ----------
    question : Question
        Graph, goals and class.
    sets : tuple of numpy.ndarray of int
        The columns asked about, a set for each row; one set for all rows if there is only one.
    cut : Cut
        States and goals.
    slack : int
        2 where the rows sum to one, otherwise 1: a set of N columns needs a cut of at most N minus this.
    """

    question: Question
    sets: tuple[IntArray, ...]
    cut: Cut
    slack: int

    def verify(self) -> None:
        """Re-check that the cut cuts, and that it is too small."""
        behind = self.cut.behind(self.question)
        _require(all(behind[states].all() for states in self.sets), "cut: a goal is reached past it.")
        most = max(map(len, self.sets)) if self.sets else 0
        few = all(len(self.cut) + self.slack <= len(states) for states in self.sets)
        _require(few, f"cut: {len(self.cut)} states and goals are too many for sets of up to {most} columns.")

    @property
    def text(self) -> str:
        """The proof in words."""
        parts = [f"states {self.cut.states.tolist()}"] if len(self.cut.states) else []
        parts += [f"goals {self.cut.goals.tolist()}"] if len(self.cut.goals) else []
        what = " and ".join(parts) if parts else "nothing: they reach no goal"
        return f"all that goals say about {len(self.rows)} rows passes {what}"


@dataclass(frozen=True, eq=False)
class SingleProof(GraphProof):
    """Rows with one possible successor: their sum determines them."""

    sizes: IntArray

    def verify(self) -> None:
        """Re-check the sizes of the supports."""
        _require(bool((self.sizes == 1).all()), "sizes: a row has more than one successor.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{len(self.rows)} rows have one possible successor"


@dataclass(frozen=True, eq=False)
class CountProof(GraphProof):
    """There are fewer equations than unknowns.

    Attributes
    ----------
    n_equations : int
        Goals, and the row of ones where it belongs to the system.
    sizes : numpy.ndarray of int
        The number of unknowns of each row.
    """

    n_equations: int
    sizes: IntArray

    def verify(self) -> None:
        """Compare the numbers."""
        enough = bool((self.sizes > self.n_equations).all())
        _require(enough, f"sizes: {self.n_equations} equations are enough for {int(self.sizes.min())} unknowns.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{self.n_equations} equations are too few for {int(self.sizes.min())} unknowns"


@dataclass(frozen=True, eq=False)
class DrawProof(GraphProof):
    """Ranks of sets of columns at random draws modulo the prime.

    Attributes
    ----------
    chance : Drawable
        What is drawn.
    columns : object
        A bool csr_array, a set of columns in each row; or an integer array (b, N) of sets of one size.
    full : bool
        Whether each set is claimed to be independent (one draw proves it), or dependent (a draw makes it likely).
    ones : bool
        Whether the row of ones belongs to the system.
    error_probability : float
        A bound on the chance that dependence was found where there is none: 0 if independence is claimed.
    seed : int
        Of the draws that the re-check makes, other ones than those that decided.
    """

    chance: Drawable
    columns: Any  # an IntArray or a csr_array, which has no types
    full: bool
    ones: bool
    error_probability: float
    seed: int

    def verify(self) -> None:
        """Draw again."""
        is_table = isinstance(self.columns, np.ndarray)
        sizes = np.full(len(self.columns), self.columns.shape[1]) if is_table else np.diff(self.columns.indptr)
        rng = np.random.default_rng(self.seed)
        draw = self.chance.draw(rng, ones=self.ones, n_functions=int(sizes.max(initial=1)))
        ranks = subset_ranks(draw.functions, self.columns) if is_table else column_ranks(draw.functions, self.columns)
        wrong = (ranks != sizes) if self.full else (ranks >= sizes)
        what = "dependent at another draw" if self.full else "independent at another draw"
        _require(not wrong.any(), f"columns: {int(wrong.sum())} of {len(sizes)} sets of columns are {what}.")

    @property
    def text(self) -> str:
        """The proof in words."""
        sets = self.columns.shape[0]
        if self.full:
            return f"{sets} sets of columns are independent at a random draw modulo {PRIME}, hence almost everywhere"
        chance = f"{self.error_probability:.1e}"
        return f"{sets} sets of columns are dependent at draws modulo {PRIME}; wrong with probability <= {chance}"


@dataclass(frozen=True, eq=False)
class DistinctProof(GraphProof):
    """All columns of M differ at a random draw, hence almost everywhere.

    Attributes
    ----------
    chance : Drawable
        What is drawn.
    seed : int
        Of the draw that the re-check makes.
    """

    chance: Drawable
    seed: int

    def verify(self) -> None:
        """Draw again."""
        draw = self.chance.draw(np.random.default_rng(self.seed), ones=False, n_functions=2)
        _require(equal_columns(draw.functions)[1].size == 0, "chance: two columns of M are equal at another draw.")

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"all columns of M differ at a random draw modulo {PRIME}, hence almost everywhere"


@dataclass(frozen=True, eq=False)
class WitnessProof(GraphProof):
    """Two rows of the class with the same values for every goal, at one drawn world.

    Attributes
    ----------
    agent : AgentValues or ExactAgentValues
        The values in the drawn world: fractions where it is small, floats elsewhere.
    witness : Witness
        The two rows.
    question : Question
        Whose class is meant.
    """

    agent: AgentValues | ExactAgentValues
    witness: Witness
    question: Question

    def verify(self) -> None:
        """Re-check that both rows are in the class, differ, and have the same values."""
        check_rows(self.agent, self.witness, self.question.kernel_class)

    @property
    def text(self) -> str:
        """The proof in words."""
        kind = "fractions" if self.witness.first.dtype == object else "floats"
        where = f"state {self.witness.state}, action {self.witness.action}"
        return f"two kernels that differ in the row of {where} have the same values at a drawn world, in {kind}"
