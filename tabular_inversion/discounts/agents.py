"""What results about all discounts share: a world, its goals, and agents along the discount."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import helmert

from tabular_inversion import bellman, exact
from tabular_inversion._typing import FloatArray
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import DiscountError, ShapeError, TabularInversionError, WitnessError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.exact.validation import exact_policy
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass, Stochastic, Unconstrained
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, same
from tabular_inversion.validation import finite_array


@dataclass(frozen=True, eq=False, repr=False)
class AgentsAlongDiscounts(Record):
    """A world, its goals, and the agents on them at any discount.

    Attributes
    ----------
    mdp : ExactMDP
        The world, at discount 0: its own plays no part.
    goals : ExactGoals
        G goals on its states.
    policy : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), or None
        The agent's policy; None stands for optimal ones.
    """

    mdp: ExactMDP
    goals: ExactGoals
    policy: FractionArray | None

    def _check_world(self) -> None:
        """Raise unless the world, its goals and the policy fit together, and the world is at discount 0."""
        try:
            fitting = AgentsAlongDiscounts(*read_question(self.mdp, self.goals, self.policy))
        except (TabularInversionError, AttributeError, TypeError) as problem:
            raise WitnessError(f"mdp: world, goals and policy do not fit together ({problem}).") from problem
        if not same(AgentsAlongDiscounts(self.mdp, self.goals, self.policy), fitting):
            raise WitnessError(f"mdp: its discount is {self.mdp.discount}; 0 stands for all.")

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return self.mdp.n_states

    def agent(self, discount: Fraction) -> ExactAgentValues:
        """Return the agent at a rational discount, by the forward code."""
        world = ExactMDP(self.mdp.kernel, discount, self.mdp.available)
        if self.policy is None:
            return exact.solve(world, self.goals)
        return exact.evaluate(world, self.goals, self.policy)

    def ranks_at(self, discount: Fraction) -> tuple[int, int]:
        """Return the ranks of M and of [M;1] at a rational discount in [0, 1), proved, by the forward code."""
        matrix = self.agent(discount).test_matrix
        ones = np.full((1, self.n_states), Fraction(1), dtype=object)
        return exact.rank(matrix).rank, exact.rank(np.concatenate([matrix, ones])).rank

    def float_matrix(self, discount: float) -> FloatArray:
        """Return M at a discount in floats, by the forward code."""
        world, goals = self.mdp.to_float().with_discount(discount), self.goals.to_float()
        if self.policy is None:
            return bellman.solve(world, goals).test_matrix
        return bellman.evaluate(world, goals, to_floats(self.policy)).test_matrix

    def sigma_min(self, discounts: ArrayLike, kernel_class: KernelClass | None = None) -> FloatArray:
        """Return the smallest singular value of M along the discount, in floats, by the forward code.

        Parameters
        ----------
        discounts : array_like, shape (count,)
            In [0, 1).
        kernel_class : Unconstrained (the default) or Stochastic
            For the second, M acts on vectors whose sum is zero.

        Returns
        -------
        numpy.ndarray, shape (count,)

        Raises
        ------
        DiscountError
            If a discount is not in [0, 1).
        KernelClassError
            For any other class.

        Examples
        --------
        >>> import networkx as nx
        >>> from tabular_inversion.environments import graph
        >>> from tabular_inversion.discounts import exceptional_discounts
        >>> result = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)))
        >>> result.sigma_min([0.25, 0.5]).round(3)
        array([0.375, 0.   ])
        """
        points = finite_array("discounts", discounts, (None,), "(count,)", DiscountError)
        basis = helmert(self.n_states).T if counts_ones(kernel_class or Unconstrained()) else np.eye(self.n_states)
        result = np.empty(len(points))
        for i, point in enumerate(points.tolist()):
            values = np.linalg.svd(self.float_matrix(point) @ basis, compute_uv=False)
            result[i] = values[-1] if len(values) == basis.shape[1] else 0.0
        return result


def read_question(
    world: MDP | ExactMDP, goals: Goals | ExactGoals | None, policy: ArrayLike | None
) -> tuple[ExactMDP, ExactGoals, FractionArray | None]:
    """Return a world, its goals (all indicators when omitted) and a policy in rational numbers, checked."""
    given = world if isinstance(world, ExactMDP) else ExactMDP.from_float(world)
    mdp = ExactMDP(given.kernel, Fraction(0), given.available)
    chosen = Goals.indicator(mdp.n_states) if goals is None else goals
    exact_goals = chosen if isinstance(chosen, ExactGoals) else ExactGoals.from_float(chosen)
    if exact_goals.n_states != mdp.n_states:
        raise ShapeError(f"goals are on {exact_goals.n_states} states; expected {mdp.n_states}, as the world.")
    weights = None if policy is None else exact_policy(policy, mdp.available, exact_goals.n_goals)
    return mdp, exact_goals, weights


def counts_ones(kernel_class: KernelClass) -> bool:
    """Tell whether a class asks for the rank of [M;1], and not of M.

    Raises
    ------
    KernelClassError
        For a class that asks for neither.
    """
    return COUNTS_ONES.of(kernel_class)


COUNTS_ONES = ClassTable("the rank of the whole M", {Unconstrained: False, Stochastic: True})
"""By class, whether its question is the rank of [M;1], and not of M."""
