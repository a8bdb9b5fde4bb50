"""What proves a verdict before training; each proof re-checks from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.exact.finite_field import PRIME, column_ranks, equal_columns, subset_ranks
from tabular_inversion.identifiability.rational.identify import check_rows_exactly
from tabular_inversion.identifiability.rational.proofs import Proof
from tabular_inversion.identifiability.verdict import Witness, WitnessError
from tabular_inversion.identifiability.witnesses import check_rows
from tabular_inversion.sufficiency.by_draws.draws import Drawable
from tabular_inversion.sufficiency.by_paths.linkages import Cut, Linkage
from tabular_inversion.sufficiency.question import Question


@dataclass(frozen=True, eq=False)
class PathsProof(Proof):
    """Disjoint paths lead from the successors of the rows to as many goals, so that their columns are independent.

    Attributes
    ----------
    linkage : Linkage
        With a path for each successor.
    """

    linkage: Linkage

    def verify(self) -> bool:
        """Re-check paths and cut."""
        return len(self.linkage) == len(self.linkage.sources) and self.linkage.verify()

    @property
    def text(self) -> str:
        """The proof in words."""
        return self.linkage.text


@dataclass(frozen=True, eq=False)
class MatchingProof(Proof):
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

    def verify(self) -> bool:
        """Re-check paths and cut."""
        return len(self.linkage) + self.ones >= self.linkage.question.n_states and self.linkage.verify()

    @property
    def text(self) -> str:
        """The proof in words."""
        return self.linkage.text + (", and the row of ones makes up for one" if self.ones else "")


@dataclass(frozen=True, eq=False)
class CutProof(Proof):
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

    def verify(self) -> bool:
        """Re-check that the cut cuts, and that it is too small."""
        behind = self.cut.behind(self.question)
        return all(behind[states].all() and len(self.cut) + self.slack <= len(states) for states in self.sets)

    @property
    def text(self) -> str:
        """The proof in words."""
        parts = [f"states {self.cut.states.tolist()}"] if len(self.cut.states) else []
        parts += [f"goals {self.cut.goals.tolist()}"] if len(self.cut.goals) else []
        what = " and ".join(parts) if parts else "nothing: they reach no goal"
        return f"all that goals say about {len(self.rows)} rows passes {what}"


@dataclass(frozen=True, eq=False)
class SingleProof(Proof):
    """Rows with one possible successor: their sum determines them."""

    sizes: IntArray

    def verify(self) -> bool:
        """Re-check the sizes of the supports."""
        return bool((self.sizes == 1).all())

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{len(self.rows)} rows have one possible successor"


@dataclass(frozen=True, eq=False)
class CountProof(Proof):
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

    def verify(self) -> bool:
        """Compare the numbers."""
        return bool((self.sizes > self.n_equations).all())

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"{self.n_equations} equations are too few for {int(self.sizes.min())} unknowns"


@dataclass(frozen=True, eq=False)
class DrawProof(Proof):
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
    columns: Any
    full: bool
    ones: bool
    error_probability: float
    seed: int

    def verify(self) -> bool:
        """Draw again."""
        is_table = isinstance(self.columns, np.ndarray)
        sizes = np.full(len(self.columns), self.columns.shape[1]) if is_table else np.diff(self.columns.indptr)
        rng = np.random.default_rng(self.seed)
        draw = self.chance.draw(rng, ones=self.ones, n_functions=int(sizes.max(initial=1)))
        ranks = subset_ranks(draw.functions, self.columns) if is_table else column_ranks(draw.functions, self.columns)
        return bool((ranks == sizes).all() if self.full else (ranks < sizes).all())

    @property
    def text(self) -> str:
        """The proof in words."""
        sets = self.columns.shape[0]
        if self.full:
            return f"{sets} sets of columns are independent at a random draw modulo {PRIME}, hence almost everywhere"
        chance = f"{self.error_probability:.1e}"
        return f"{sets} sets of columns are dependent at draws modulo {PRIME}; wrong with probability <= {chance}"


@dataclass(frozen=True, eq=False)
class DistinctProof(Proof):
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

    def verify(self) -> bool:
        """Draw again."""
        draw = self.chance.draw(np.random.default_rng(self.seed), ones=False, n_functions=2)
        return equal_columns(draw.functions)[1].size == 0

    @property
    def text(self) -> str:
        """The proof in words."""
        return f"all columns of M differ at a random draw modulo {PRIME}, hence almost everywhere"


def measured(agent: AgentValues, state: int, action: int, first: FloatArray, second: FloatArray) -> Witness:
    """Return two rows as a witness whose gap is relative to the largest values in the states that they reach.

    Far from its goal an agent's values are small; relative to the largest of all, any two rows would seem to agree.
    """
    shown = agent.test_matrix[:, (first != 0) | (second != 0)]
    scale = np.maximum(np.abs(shown).max(axis=1), np.finfo(np.float64).tiny)
    gap = float((np.abs(agent.test_matrix @ (first - second)) / scale).max())
    return Witness(state, action, first, second, gap, float(np.abs(first - second).sum()))


@dataclass(frozen=True, eq=False)
class WitnessProof(Proof):
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

    agent: Any
    witness: Witness
    question: Question

    def verify(self) -> bool:
        """Re-check that both rows are in the class, differ, and have the same values."""
        shown, kernel_class = self.witness, self.question.kernel_class
        try:
            if shown.first.dtype == object:
                check_rows_exactly(self.agent, kernel_class, shown)
            else:
                check_rows(measured(self.agent, shown.state, shown.action, shown.first, shown.second), kernel_class)
        except WitnessError:
            return False
        return True

    @property
    def text(self) -> str:
        """The proof in words."""
        kind = "fractions" if self.witness.first.dtype == object else "floats"
        where = f"state {self.witness.state}, action {self.witness.action}"
        return f"two kernels that differ in the row of {where} have the same values at a drawn world, in {kind}"
