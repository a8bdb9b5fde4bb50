"""Agents that show less than Q: advantages, soft or hard policies, or V alone, at one or several discounts (PA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import bellman, exact
from tabular_inversion.errors import DiscountError, GoalsError, InputError, PolicyError, ShapeError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.validation import exact_discount, exact_policy
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record
from tabular_inversion.validation import check_positive

Shown: TypeAlias = Literal["advantages", "soft policies", "hard policies", "values"]
"""What an agent shows."""


@checked
@dataclass(frozen=True, eq=False, repr=False)
class AdvantageValues(Record):
    """What agents in a world show, where that is less than Q; `identify_from_policies` asks what it determines.

    Attributes
    ----------
    world : ExactMDP
        The true world.
    goals : ExactGoals or None
        G goals that never end; None stands for all rewards.
    shows : {"advantages", "soft policies", "hard policies", "values"}
        Q - V; the policies of maximum-entropy agents, which show as much; all optimal actions; or V alone.
    policy : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), or None
        What agents that show advantages do; None stands for optimal for each goal and discount.
    discounts : tuple of Fraction
        Those of the agents, in [0, 1).

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
    >>> agent = AdvantageValues.of(world, ExactGoals([[0, 1]]))
    >>> agent, agent.shown()[0].astype(str).tolist()
    (<AdvantageValues: advantages at discount 1/2, 1 goal>, [[['-6/25', '0'], ['0', '-8/25']]])
    """

    world: ExactMDP
    goals: ExactGoals | None
    shows: Shown
    policy: FractionArray | None
    discounts: tuple[Fraction, ...]

    def __repr__(self) -> str:
        several = "s" * (len(self.discounts) != 1)
        k = None if self.goals is None else self.goals.n_goals
        goals = "all rewards" if k is None else f"{k} goal{'s' * (k != 1)}"
        shown = ", ".join(str(x) for x in self.discounts)
        return f"<AdvantageValues: {self.shows} at discount{several} {shown}, {goals}>"

    @classmethod
    def of(
        cls,
        world: MDP | ExactMDP,
        goals: Goals | ExactGoals | None = None,
        shows: Shown = "advantages",
        *,
        policy: ArrayLike | None = None,
        discounts: Sequence[Fraction] | None = None,
    ) -> AdvantageValues:
        """Read what the constructor holds.

        Parameters
        ----------
        world : MDP or ExactMDP
            Floats are taken as the dyadic rationals that they are.
        goals : Goals or ExactGoals, optional
            Their rewards never end: C = 1. All rewards when omitted.
        shows : str
            See `AdvantageValues`.
        policy : array_like of rationals, shape (S, A) or (G, S, A), optional
            For agents that show advantages of a given policy.
        discounts : sequence of Fraction, optional
            The world's own when omitted.

        Raises
        ------
        InputError
            If `shows` is another word.
        GoalsError
            If a goal may end.
        DiscountError
            If there is no discount, or one is not in [0, 1).
        PolicyError, ShapeError
            If goals or the policy do not fit, or a policy is given to agents that choose themselves.

        Examples
        --------
        >>> still = ExactMDP([[[1, 0]], [[0, 1]]], "1/2")
        >>> AdvantageValues.of(still, shows="values", discounts=[Fraction(0), Fraction(1, 2)])
        <AdvantageValues: values at discounts 0, 1/2, all rewards>
        """
        given = world if isinstance(world, ExactMDP) else ExactMDP.from_float(world)
        asked = ExactGoals.from_float(goals) if isinstance(goals, Goals) else goals
        if shows not in get_args(Shown):
            raise InputError(f"shows is {shows!r}; expected {', '.join(map(repr, get_args(Shown)))}.")
        chosen = [given.discount] if discounts is None else [exact_discount(x) for x in discounts]
        if not chosen or max(chosen) == 1:
            raise DiscountError(f"discounts are {[str(x) for x in chosen]}; expected at least one, each in [0, 1).")
        if asked is not None and (asked.continuation != 1).any():
            raise GoalsError(
                "a goal may end; expected goals with continuation 1: endings show values, and not only policies."
            )
        if asked is not None and asked.n_states != given.n_states:
            raise ShapeError(f"goals are on {asked.n_states} states; expected {given.n_states}, as the world.")
        if policy is not None and shows != "advantages":
            raise PolicyError(f"a policy is given, and agents that show {shows} choose themselves; leave it out.")
        n_goals = 1 if asked is None else asked.n_goals
        weights = None if policy is None else exact_policy(policy, given.available, n_goals)
        return cls(given, asked, shows, weights, tuple(chosen))

    def agent(self, discount: Fraction, world: ExactMDP | None = None) -> ExactAgentValues:
        """Return the values of the agents at a discount, in this world or another one, hard for soft policies.

        Raises
        ------
        GoalsError
            If they have all rewards.

        Examples
        --------
        >>> still = ExactMDP([[[1, 0]], [[0, 1]]], "1/2")
        >>> AdvantageValues.of(still, ExactGoals([[0, 1]])).agent(Fraction(1, 2)).v.astype(str).tolist()
        [['0', '2']]
        """
        if self.goals is None:
            raise GoalsError("the agent has all rewards; give it goals to see what it shows.")
        given = self.world if world is None else world
        there = ExactMDP(given.kernel, discount, given.available)
        return exact.solve(there, self.goals) if self.policy is None else exact.evaluate(there, self.goals, self.policy)

    def shown(self, world: ExactMDP | None = None, temperature: float = 1.0) -> tuple[Any, ...]:
        """Return what is shown at each discount: an array each, zero or False where an action is unavailable.

        Parameters
        ----------
        world : ExactMDP, optional
            Another world in which the same agents are; the true one when omitted.
        temperature : float
            Of soft policies.

        Returns
        -------
        tuple of numpy.ndarray
            Advantages in fractions, optimal actions as bool, or soft policies as floats, shape (G, S, A); or values in
            fractions, shape (G, S).

        Raises
        ------
        GoalsError
            If they have all rewards.

        Examples
        --------
        >>> world = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
        >>> AdvantageValues.of(world, ExactGoals([[0, 1]]), "hard policies").shown()[0].tolist()
        [[[False, True], [True, False]]]
        """
        check_positive("temperature", temperature, InputError)
        return tuple(self._shown_at(discount, world, temperature) for discount in self.discounts)

    def _shown_at(self, discount: Fraction, world: ExactMDP | None, temperature: float) -> Any:
        agent = self.agent(discount, world)
        if self.shows == "values":
            return agent.v
        advantages = np.where(agent.available, np.where(agent.available, agent.q, 0) - agent.v[:, :, None], 0)
        if self.shows == "advantages":
            return advantages
        if self.shows == "hard policies":
            return (advantages == 0) & agent.available
        given = self.world if world is None else world
        there = ExactMDP(given.kernel, discount, given.available).to_float()
        soft = bellman.solve_soft(there, agent.goals.to_float(), temperature=temperature, tolerance=1e-12)
        return np.where(
            agent.available, np.exp((np.where(agent.available, soft.q, 0) - soft.v[:, :, None]) / temperature), 0
        )
