"""Random worlds on a graph, modulo the prime: what holds at one of them holds for almost all real ones.

Each minor of M is a quotient of polynomials in the weights of the kernel, the discount and the rewards. A minor that is
not zero at one draw modulo the prime is no zero polynomial, so that it vanishes for almost no kernel. One that is zero
at a draw is the zero polynomial, but for a chance of at most its degree divided by the prime (Schwartz and Zippel).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import IntArray, SparseMask
from tabular_inversion.exact.finite_field import (
    PRIME,
    Residues,
    SparseResidues,
    inverses,
    minus,
    product,
    random_residues,
    rational_residues,
    sums,
    times,
    to_flint,
)
from tabular_inversion.exact.modular_elimination import Levels, solve_sparse
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.by_draws.families import GoalFamily
from tabular_inversion.sufficiency.question import Question


@dataclass(frozen=True, eq=False)
class Draw:
    """Test functions of a drawn world, the row of ones last where it belongs, and the rank of the whole system."""

    functions: Residues
    rank: int

    @classmethod
    def of(cls, functions: Residues, system: Residues, ones: bool) -> Draw:
        """Append the row of ones, if wanted, and compute the rank of `system` with it."""
        if ones:
            one = np.ones((1, functions.shape[1]), np.uint64)
            functions, system = np.vstack([functions, one]), np.vstack([system, one])
        return cls(functions, int(to_flint(system).rank()))


@dataclass(frozen=True, eq=False)
class ModularWorld:
    """A world, policies and rewards modulo the prime.

    Attributes
    ----------
    question : Question
        Graph and goals.
    levels : Levels
        The order in which states are eliminated.
    one_system : bool
        Whether one linear system serves all goals.
    rows : csr_array of residues, shape (rows, S)
        The available rows of the kernel.
    policy : numpy.ndarray of residues, shape (S, A) or (G, S, A)
        Unconditional, or one for each goal.
    discount : numpy.ndarray of residues, shape (1,)
        Gamma.
    rewards : numpy.ndarray of residues, shape (G, S)
        R.
    """

    question: Question
    levels: Levels
    one_system: bool
    rows: SparseResidues
    policy: Residues
    discount: Residues
    rewards: Residues

    def draw(self, sketch: Residues, *, ones: bool) -> Draw:
        """Return combinations ``sketch @ M`` of the goals' test functions, modulo the prime."""
        if self.one_system:
            wanted = product(sketch, self.rewards)
            # [M;1] is [R;1] times an invertible matrix.
            return Draw.of(_resolve(self._chain(self.policy), self.discount, wanted, self.levels), self.rewards, ones)
        matrix = np.concatenate([self._goal(goal) for goal in range(len(self.rewards))])
        return Draw.of(product(sketch, matrix), matrix, ones)

    def _goal(self, goal: int) -> Residues:
        chain = self._chain(self.policy if self.policy.ndim == 2 else self.policy[goal])
        factors = times(self.discount, rational_residues(self.question.goals.continuation[goal]))
        return _resolve(chain, factors, self.rewards[[goal]], self.levels)

    def _chain(self, policy: Residues) -> SparseResidues:
        """Return the transition matrix (S, S) under a policy (S, A)."""
        index, n_actions = self.question.row_index, self.question.n_actions
        row_of_entry = np.repeat(np.arange(len(index)), np.diff(self.rows.indptr))
        values = times(self.rows.data, policy.ravel()[index][row_of_entry])
        return _summed(values, index[row_of_entry] // n_actions, self.rows.indices, self.question.n_states)


def one_system(question: Question, *, conditional: bool, generic_rewards: bool) -> bool:
    """Tell whether one linear system serves all goals, up to an invertible change that no rank notices.

    It does under an unconditional policy where episodes end, if at all, where the goal pays: m_g is then a multiple of
    the m_g of the goal that goes on, if it pays in one state, and that of other rewards on the same states in general.
    """
    ending, paying = question.goals.continuation != 1, question.goals.rewards != 0
    free = (paying.sum(axis=1) == 1) | generic_rewards
    simple = ~ending.any(axis=1) | (free & ~(ending & ~paying).any(axis=1))
    return not conditional and bool(simple.all())


class Drawable(Protocol):
    """What ranks are computed from: worlds drawn on a graph, or one world and combinations of its goals."""

    @property
    def question(self) -> Question:
        """Graph and goals."""

    def draw(self, rng: np.random.Generator, *, ones: bool, n_functions: int) -> Draw:
        """Return random combinations of the goals' test functions."""

    def error_probability(self, draws: int, sets: int) -> float:
        """Bound the chance that any of so many ranks is larger than the one found in so many draws."""


@dataclass(frozen=True, eq=False)
class Chance(Record):
    """Draws of the weights on a question's graph, of the discount and, where asked, of policy and rewards.

    Attributes
    ----------
    question : Question
        Graph and goals.
    generic_rewards : bool
        Whether the rewards are drawn wherever they are not zero.
    family : GoalFamily, optional
        Rewards are drawn in the span of this family instead.
    """

    question: Question
    generic_rewards: bool
    family: GoalFamily | None = None

    @cached_property
    def one_system(self) -> bool:
        """Whether one linear system serves all goals."""
        weights = self.question.policy.weights
        conditional = weights is not None and weights.ndim == 3
        return one_system(self.question, conditional=conditional, generic_rewards=self.generic_rewards)

    @cached_property
    def levels(self) -> Levels:
        """The order in which states are eliminated."""
        return Levels.of(self.question.edges)

    @property
    def degree(self) -> int:
        """A bound on the degree of every minor's numerator, drawn combinations of goals included, and denominator."""
        # A row of I - gamma P, cleared of denominators: m sums of weights, one of the policy's, and the discount.
        single = (self.question.n_actions + 2) * self.question.n_states
        k = self.question.goals.n_goals
        return (single if self.one_system else k * single) + 2 * (k + 1)

    def error_probability(self, draws: int, sets: int) -> float:
        """Bound the chance that any of so many ranks is larger than the one found in so many draws."""
        # Twice, because draws with a vanishing denominator are repeated: the chance is conditional on there being none.
        return min(1.0, sets * (2.0 * self.degree / PRIME) ** draws)

    def draw(self, rng: np.random.Generator, *, ones: bool, n_functions: int) -> Draw:
        """Draw a world, and return combinations of its test functions modulo the prime.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where draws come from.
        ones : bool
            Whether the row of ones belongs to the system.
        n_functions : int
            How many random combinations of the goals to return: enough for the ranks of as many columns, without a
            linear system for every goal.
        """
        rewards = rational_residues(self.question.goals.rewards)
        if self.family is not None:
            drawn = random_residues((len(rewards), len(self.family.span)), rng)
            rewards = product(drawn, rational_residues(self.family.span))
        elif self.generic_rewards:
            rewards = np.where(rewards != 0, random_residues(rewards.shape, rng), np.uint64(0))
        sketch = random_residues((n_functions, len(rewards)), rng)
        while True:  # a draw that makes a denominator vanish is repeated; it has next to no chance
            try:
                return self._world(rewards, rng).draw(sketch, ones=ones)
            except ZeroDivisionError:
                continue

    def _world(self, rewards: Residues, rng: np.random.Generator) -> ModularWorld:
        question = self.question
        rows = _stochastic(question.support[question.row_index], rng)
        weights = question.policy.weights
        policy: Residues
        if weights is None:
            policy = _stochastic(csr_array(question.chosen, shape=question.chosen.shape), rng).toarray()
        else:
            policy = rational_residues(weights)
        discount = random_residues(1, rng)
        return ModularWorld(question, self.levels, self.one_system, rows, policy, discount, rewards)


def _stochastic(pattern: SparseMask, rng: np.random.Generator) -> SparseResidues:
    """Draw a matrix on a pattern without empty rows, and divide each row by its sum."""
    values = random_residues(len(pattern.indices), rng)
    counts = np.diff(pattern.indptr)
    scale = np.repeat(inverses(sums(values, pattern.indptr[:-1])), counts)
    return csr_array((times(values, scale), pattern.indices, pattern.indptr), shape=pattern.shape)


def _summed(values: Residues, rows: IntArray, columns: IntArray, size: int) -> SparseResidues:
    """Return the square matrix with these entries, those at one place added up."""
    keys = rows.astype(np.int64) * size + columns
    order = np.argsort(keys, kind="stable")
    different, starts = np.unique(keys[order], return_index=True)
    return csr_array((sums(values[order], starts), np.divmod(different, size)), shape=(size, size))


def _resolve(chain: SparseResidues, factors: Residues, rewards: Residues, levels: Levels) -> Residues:
    """Return the rows m with ``m = r + factors * (chain @ m)`` (L1), shape of `rewards`."""
    n = chain.shape[0]
    rows = np.repeat(np.arange(n), np.diff(chain.indptr))
    negative = minus(np.zeros_like(chain.data), times(chain.data, np.broadcast_to(factors, n)[rows]))
    diagonal = np.arange(n)
    values = np.concatenate([negative, np.ones(n, np.uint64)])
    system = _summed(values, np.append(rows, diagonal), np.append(chain.indices, diagonal), n)
    return np.ascontiguousarray(solve_sparse(system, rewards.T, levels).T)
