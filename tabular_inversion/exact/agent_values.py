"""What an agent shows, in rational numbers: the exact twin of `AgentValues`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import is_noisy
from tabular_inversion.errors import AgentValuesError, ShapeError
from tabular_inversion.exact.model import ExactGoals
from tabular_inversion.exact.rationals import FractionArray, fraction_array, object_array, to_floats
from tabular_inversion.exact.validation import exact_array, exact_discount, exact_policy, without_unavailable
from tabular_inversion.kinds import checked
from tabular_inversion.records import ReadOnly, same_if_given
from tabular_inversion.validation import check_available, frozen_array


@checked
@dataclass(frozen=True, eq=False, repr=False)
class ExactAgentValues(ReadOnly):
    """The Q-values of a goal-conditioned agent in rational numbers.

    Parameters
    ----------
    q : array_like of rationals, shape (G, S, A)
        Q[g, s, a]. Entries of unavailable actions are ignored and stored as None.
    goals : ExactGoals
        Rewards and continuation of the G goals.
    discount : Fraction, int or str
        In [0, 1].
    policy : array_like of rationals, shape (S, A) or (G, S, A), optional
        The agent's policy; then V = sum_a policy * Q. Without it the agent is optimal: V = max_a Q.
    available : array_like of bool, shape (S, A), optional
        Which actions exist; all when omitted.

    Raises
    ------
    AgentValuesError
        If a value is no rational number.
    ShapeError, DiscountError, PolicyError
        As the names say.

    Examples
    --------
    >>> agent = ExactAgentValues([[["1/3", 0], [2, 3]]], ExactGoals([[0, 1]]), discount="1/2")
    >>> agent.test_matrix
    array([[Fraction(1, 6), Fraction(5, 2)]], dtype=object)
    """

    q: FractionArray
    goals: ExactGoals
    discount: Fraction
    policy: FractionArray | None = None
    available: BoolArray = None  # type: ignore[assignment]  # filled in by __post_init__

    def __post_init__(self) -> None:
        given = object_array(self.q)
        shape = given.shape
        expected = (self.goals.n_goals, self.goals.n_states)
        if len(shape) != 3 or shape[:2] != expected or shape[2] == 0:
            raise ShapeError(f"q has shape {shape}; expected (G, S, A) = ({expected[0]}, {expected[1]}, any).")
        available = check_available(self.available, shape[1:], AgentValuesError)
        extra = self.goals.action_rewards
        if extra is not None and extra.shape != shape:
            raise ShapeError(f"the goals' action_rewards have shape {extra.shape}; expected that of q, {shape}.")
        q = exact_array("q", np.where(available, given, 0), shape, "(g, s, a)", AgentValuesError)
        policy = None if self.policy is None else exact_policy(self.policy, available, expected[0])
        object.__setattr__(self, "q", frozen_array(without_unavailable(q, available), object))
        object.__setattr__(self, "discount", exact_discount(self.discount))
        object.__setattr__(self, "policy", policy)
        object.__setattr__(self, "available", available)

    def __repr__(self) -> str:
        sizes = f"n_goals={self.n_goals}, n_states={self.n_states}, n_actions={self.n_actions}"
        return f"ExactAgentValues({sizes}, discount={self.discount}, operator={self.operator!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactAgentValues):
            return NotImplemented
        return (
            np.array_equal(self.q, other.q)
            and self.goals == other.goals
            and self.discount == other.discount
            and same_if_given(self.policy, other.policy)
            and np.array_equal(self.available, other.available)
        )

    @property
    def n_goals(self) -> int:
        """k, the number of goals."""
        return int(self.q.shape[0])

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.q.shape[1])

    @property
    def n_actions(self) -> int:
        """m, the number of actions."""
        return int(self.q.shape[2])

    @property
    def operator(self) -> Literal["policy", "max"]:
        """How V follows from Q: ``"policy"`` or ``"max"``."""
        return "max" if self.policy is None else "policy"

    @cached_property
    def v(self) -> FractionArray:
        """V[g, s], the agent's own state values of Q, shape (G, S)."""
        if self.policy is None:
            # Fractions compare exactly with minus infinity, and every state has an action above it.
            values = np.where(self.available, self.q, -np.inf).max(axis=2)
        else:
            values = (self.policy * np.where(self.available, self.q, 0)).sum(axis=2)
        result: FractionArray = frozen_array(values, object)
        return result

    @cached_property
    def test_matrix(self) -> FractionArray:
        """M = R + discount * C * V, the Bellman test functions, shape (G, S)."""
        functions: FractionArray = frozen_array(
            self.goals.rewards + self.discount * self.goals.continuation * self.v, object
        )
        return functions

    @cached_property
    def row_index(self) -> IntArray:
        """Numbers s*A + a of the rows of available actions, ascending, shape (rows,)."""
        return np.flatnonzero(self.available)

    @cached_property
    def right_hand_sides(self) -> FractionArray:
        """Q - rho at available rows, shape (G, rows): column i belongs to row ``row_index[i]``."""
        values: Any = self.q.reshape(self.n_goals, -1)[:, self.row_index]
        extra = self.goals.action_rewards
        shift = 0 if extra is None else extra.reshape(self.n_goals, -1)[:, self.row_index]
        result: FractionArray = frozen_array(values - shift, object)
        return result

    def to_float(self) -> AgentValues:
        """Return the float twin: each number rounded to the nearest float."""
        policy = None if self.policy is None else to_floats(self.policy)
        q = to_floats(np.where(self.available, self.q, np.nan))
        return AgentValues(q, self.goals.to_float(), float(self.discount), policy, available=self.available)

    @classmethod
    def from_float(cls, agent: AgentValues, *, limit_denominator: int | None = None) -> ExactAgentValues:
        """Return the agent whose Q-values are the given floats, as the dyadic rationals that they are.

        Parameters
        ----------
        agent : AgentValues
            Of operator "policy" or "max".
        limit_denominator : int, optional
            Replace the numbers of the goals, the discount and the policy by the nearest fractions whose denominator
            is at most this. Q-values stay as they are: they are what the agent shows.

        Raises
        ------
        AgentValuesError
            If the agent has a temperature: the exponential of a rational number is irrational. If it shows what exact
            values cannot: state values of its own, missing values, several discounts, rewards of transitions, noise.
        PolicyError
            If the rows of the policy do not sum to exactly one: floats that stand for 1/3 do not.
        InputError
            If the limit is not positive.

        Examples
        --------
        >>> from tabular_inversion import Goals
        >>> agent = AgentValues([[[0.5, 0.25]]], Goals([[1.0]]), discount=0.5)
        >>> ExactAgentValues.from_float(agent).test_matrix
        array([[Fraction(5, 4)]], dtype=object)
        """
        if agent.temperature is not None:
            raise AgentValuesError(
                f"the agent has temperature {agent.temperature}, whose state values are irrational; use floats."
            )
        own = {
            "state values of its own": agent.own_v is not None,
            "missing values": not agent.is_complete,
            "several discounts": np.ptp(agent.discounts) > 0,
            "rewards of transitions": agent.transition_rewards is not None,
            "noise": (agent.noise is not None and is_noisy(agent.noise)) or bool(np.any(agent.test_noise)),
        }
        for what in (what for what, there in own.items() if there):
            raise AgentValuesError(f"the agent has {what}, which exact values do not know; use floats.")
        read = partial(fraction_array, allow_float=True, limit_denominator=limit_denominator)
        discount, policy = read(np.asarray(agent.discount)), None if agent.policy is None else read(agent.policy)
        q = fraction_array(np.where(agent.available, agent.q, 0.0), allow_float=True)
        goals = ExactGoals.from_float(agent.goals, limit_denominator=limit_denominator)
        return cls(q, goals, discount.item(), policy, agent.available)
