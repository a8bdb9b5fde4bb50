"""Worlds and goals in rational numbers: the exact twins of `MDP` and `Goals`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.errors import GoalsError, KernelError, ShapeError
from tabular_inversion.exact.rationals import FractionArray, fraction_array, to_floats
from tabular_inversion.exact.validation import check_exact_distributions, exact_array, exact_discount
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import ReadOnly, same_if_given
from tabular_inversion.validation import check_available, check_indices, check_kind, frozen_array, locate


@checked
@dataclass(frozen=True, eq=False, repr=False)
class ExactMDP(ReadOnly):
    """A finite Markov decision process whose probabilities and discount are rational numbers.

    Parameters
    ----------
    kernel : array_like of rationals, shape (S, A, S)
        ``kernel[s, a, t]`` is the probability of arriving in t from s by action a: fractions, integers or texts such
        as "1/3"; no floats (see `from_float`). Rows of available actions sum to exactly one, the others are zero.
    discount : Fraction, int or str
        In [0, 1]. At 1, values exist for goals that end every episode, whatever the policy; `solve` checks that.
    available : array_like of bool, shape (S, A), optional
        Which actions exist in which states; all when omitted. Each state needs at least one.

    Raises
    ------
    KernelError
        If an entry is no rational number, a row is no distribution, or contradicts the mask.
    ShapeError
        If the shapes do not fit.
    DiscountError
        If the discount is no rational number in [0, 1].

    Notes
    -----
    Names and coordinates of states belong to the float twin. Source: the docs, Notation.

    Examples
    --------
    >>> mdp = ExactMDP([[["1/3", "2/3"]], [[0, 1]]], discount="9/10")
    >>> mdp
    ExactMDP(n_states=2, n_actions=1, discount=9/10)
    >>> mdp.to_float().kernel[0]
    array([[0.33333333, 0.66666667]])
    """

    kernel: FractionArray
    discount: Fraction
    available: BoolArray = None  # type: ignore[assignment]  # filled in by __post_init__

    def __post_init__(self) -> None:
        kernel = exact_array("kernel", self.kernel, (None, None, None), "(S, A, S)", KernelError)
        n_states, n_actions, n_successors = kernel.shape
        if n_states != n_successors:
            raise ShapeError(f"kernel has shape {kernel.shape}; expected (S, A, S) with the same S at both ends.")
        available = check_available(self.available, (n_states, n_actions), KernelError)
        check_exact_distributions("kernel", kernel, available.astype(int), "(s, a, t)", KernelError)
        object.__setattr__(self, "kernel", kernel)
        object.__setattr__(self, "discount", exact_discount(self.discount))
        object.__setattr__(self, "available", available)

    def __repr__(self) -> str:
        return f"ExactMDP(n_states={self.n_states}, n_actions={self.n_actions}, discount={self.discount})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactMDP):
            return NotImplemented
        return (
            self.discount == other.discount
            and np.array_equal(self.available, other.available)
            and np.array_equal(self.kernel, other.kernel)
        )

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.kernel.shape[0])

    @property
    def n_actions(self) -> int:
        """m, the number of actions."""
        return int(self.kernel.shape[1])

    @property
    def rows(self) -> FractionArray:
        """The kernel as a matrix (S*A, S); row (s, a) is s*A + a."""
        return self.kernel.reshape(-1, self.n_states)

    @cached_property
    def support(self) -> BoolArray:
        """Where the kernel is positive, shape (S, A, S)."""
        return frozen_array(self.kernel > 0, bool)

    @cached_property
    def row_index(self) -> IntArray:
        """Numbers s*A + a of the rows of available actions, ascending."""
        return np.flatnonzero(self.available)

    def to_float(self) -> MDP:
        """Return the float twin: each number rounded to the nearest float."""
        return MDP(to_floats(self.kernel), float(self.discount), self.available)

    @classmethod
    def from_float(cls, mdp: MDP, *, limit_denominator: int | None = None) -> ExactMDP:
        """Return the world that the floats are, or the nearest with small denominators.

        Parameters
        ----------
        mdp : MDP
            Dense or sparse.
        limit_denominator : int, optional
            Replace each number, the discount too, by the nearest fraction whose denominator is at most this. When
            omitted, each float is taken as the dyadic rational that it is.

        Raises
        ------
        KernelError
            If the rows do not sum to exactly one: floats that stand for 1/3 do not.
        InputError
            If the limit is not positive.

        Examples
        --------
        >>> thirds = MDP([[[1 / 3, 2 / 3]], [[0.0, 1.0]]], discount=0.9)
        >>> ExactMDP.from_float(thirds, limit_denominator=10)
        ExactMDP(n_states=2, n_actions=1, discount=9/10)
        """
        check_kind("mdp", mdp, MDP, KernelError, "ExactMDP.from_float takes a world in floats")
        kernel, discount = (
            fraction_array(values, allow_float=True, limit_denominator=limit_denominator)
            for values in (mdp.toarray(), np.array(mdp.discount))
        )
        return cls(kernel, discount.item(), mdp.available)


@checked
@dataclass(frozen=True, eq=False, repr=False)
class ExactGoals(ReadOnly):
    """Rewards R and continuation C of G goals, in rational numbers.

    Parameters
    ----------
    rewards : array_like of rationals, shape (G, S)
        R[g, t], the reward on ARRIVAL in state t under goal g.
    continuation : array_like of rationals, shape (G, S), optional
        C[g, t] in [0, 1]: 0 where arriving in t ends the episode for goal g. 1 everywhere when omitted.
    action_rewards : array_like of rationals, shape (G, S, A), optional
        A further reward rho[g, s, a] for taking action a in s; none when omitted.

    Raises
    ------
    GoalsError
        If an entry is no rational number, or a continuation lies outside [0, 1].
    ShapeError
        If shapes do not fit or there is no goal.

    Examples
    --------
    >>> ExactGoals([["1/2", 0, 1]])
    ExactGoals(n_goals=1, n_states=3)
    >>> ExactGoals.from_float(Goals.indicator(2)).continuation.astype(int)
    array([[0, 1],
           [1, 0]])
    """

    rewards: FractionArray
    continuation: FractionArray = None  # type: ignore[assignment]  # filled in by __post_init__
    action_rewards: FractionArray | None = None

    if TYPE_CHECKING:  # what the constructor takes is more than what the fields hold

        def __init__(
            self, rewards: ArrayLike, continuation: ArrayLike | None = None, action_rewards: ArrayLike | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        rewards = exact_array("rewards", self.rewards, (None, None), "(G, S)", GoalsError)
        given = np.ones(rewards.shape, int) if self.continuation is None else self.continuation
        continuation = exact_array("continuation", given, rewards.shape, "(G, S)", GoalsError)
        outside = (continuation < 0) | (continuation > 1)
        if outside.any():
            raise GoalsError(f"continuation lies in [0, 1]; found {locate(outside, continuation, '(g, s)')}.")
        extra = self.action_rewards
        if extra is not None:
            extra = exact_array("action_rewards", extra, (*rewards.shape, None), "(G, S, A)", GoalsError)
        object.__setattr__(self, "rewards", rewards)
        object.__setattr__(self, "continuation", continuation)
        object.__setattr__(self, "action_rewards", extra)

    def __repr__(self) -> str:
        return f"ExactGoals(n_goals={self.n_goals}, n_states={self.n_states})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactGoals):
            return NotImplemented
        return (
            np.array_equal(self.rewards, other.rewards)
            and np.array_equal(self.continuation, other.continuation)
            and same_if_given(self.action_rewards, other.action_rewards)
        )

    @property
    def n_goals(self) -> int:
        """k, the number of goals."""
        return int(self.rewards.shape[0])

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.rewards.shape[1])

    def select(self, goals: ArrayLike) -> ExactGoals:
        """Return the goals with these numbers, in this order."""
        chosen = check_indices("goals", goals, self.n_goals, GoalsError)
        extra = None if self.action_rewards is None else self.action_rewards[chosen]
        return ExactGoals(self.rewards[chosen], self.continuation[chosen], extra)

    def to_float(self) -> Goals:
        """Return the float twin: each number rounded to the nearest float."""
        extra = None if self.action_rewards is None else to_floats(self.action_rewards)
        return Goals(to_floats(self.rewards), to_floats(self.continuation), extra)

    @classmethod
    def from_float(cls, goals: Goals, *, limit_denominator: int | None = None) -> ExactGoals:
        """Return the goals that the floats are, or the nearest with small denominators; see `ExactMDP.from_float`."""
        check_kind("goals", goals, Goals, GoalsError, "ExactGoals.from_float takes goals in floats")
        read = partial(fraction_array, allow_float=True, limit_denominator=limit_denominator)
        extra = None if goals.action_rewards is None else read(goals.action_rewards)
        return cls(read(goals.rewards), read(goals.continuation), extra)
