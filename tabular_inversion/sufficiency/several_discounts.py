"""How many discounts of the same rewards identify a world, under one policy: controllability, in fractions (K1)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import exact
from tabular_inversion.discounts.agents import counts_ones
from tabular_inversion.errors import GoalsError, PolicyError, ShapeError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.validation import exact_policy
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, promise
from tabular_inversion.sufficiency.hautus import HautusVector, hautus_vector


@checked
@dataclass(frozen=True, eq=False, repr=False)
class DiscountsNeeded(Record):
    """How many different discounts of each reward identify every kernel of a class, whichever they are.

    Attributes
    ----------
    count : int or None
        The least number; None if no number suffices.
    chain : numpy.ndarray of Fraction, shape (S, S)
        P under the policy.
    rewards : numpy.ndarray of Fraction, shape (G, S)
        R, of goals that never end.
    ones : bool
        Whether rows are known to sum to one.
    unseen : numpy.ndarray of Fraction, shape (S,), or None
        A vector that may be added to any row without a change of any value at any discount (where `count` is None), or
        at ``count - 1`` discounts of one's choice; None where ``count`` is 0.
    eigenvector : HautusVector or None
        Where `count` is None: one that no reward sees, so that (P, R^T) is not controllable.

    Examples
    --------
    >>> from tabular_inversion import Stochastic
    >>> cycle = ExactMDP([[[0, 1, 0]], [[0, 0, 1]], [[1, 0, 0]]], "1/2")
    >>> discounts_needed(cycle, ExactGoals([[1, 0, 0]]), Stochastic(), policy=[[1], [1], [1]])
    <DiscountsNeeded: 2 discounts of 1 reward>
    >>> discounts_needed(cycle, ExactGoals([[1, 1, 1]]), Stochastic(), policy=[[1], [1], [1]])
    <DiscountsNeeded: no number of discounts suffices>
    """

    count: int | None
    chain: FractionArray
    rewards: FractionArray
    ones: bool
    unseen: FractionArray | None
    eigenvector: HautusVector | None

    def __repr__(self) -> str:
        if self.count is None:
            return "<DiscountsNeeded: no number of discounts suffices>"
        several = "s" * (len(self.rewards) != 1)
        return (
            f"<DiscountsNeeded: {self.count} discount{'s' * (self.count != 1)} of {len(self.rewards)} reward{several}>"
        )

    @promise
    def verify(self) -> None:
        """Compute the ranks again.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        n = len(self.chain)
        if (self.eigenvector is None) is (self.count is None):
            raise WitnessError(f"eigenvector: {self.eigenvector!r} does not go with count {self.count}.")
        if self.eigenvector is not None:
            self.eigenvector.verify(self.chain, self._seen(1))
        if self.count is not None and exact.rank(self._seen(self.count)).rank < n:
            raise WitnessError(f"count: {self.count} discounts do not show everything.")
        before = n if self.count is None else self.count - 1
        if (self.unseen is None) is not (before < 0):
            raise WitnessError(f"unseen: {self.unseen} does not go with count {self.count}.")
        if self.unseen is None:
            return
        if not self.unseen.any() or (self._seen(before) @ self.unseen != 0).any():
            raise WitnessError(f"unseen: the vector is seen at {before} discounts, or zero.")

    def _seen(self, count: int) -> FractionArray:
        """Return rows that span what so many discounts show: R, R P^T, ..., and 1 where it is known."""
        return _krylov(self.chain, self.rewards, count, ones=self.ones)


@checked
def discounts_needed(
    world: MDP | ExactMDP, goals: Goals | ExactGoals, kernel_class: KernelClass, *, policy: ArrayLike
) -> DiscountsNeeded:
    """Decide how many discounts of the same rewards identify every kernel of a class.

    Parameters
    ----------
    world : MDP or ExactMDP
        Its discount plays no part. Floats are taken as the dyadic rationals that they are.
    goals : Goals or ExactGoals
        Their rewards never end: C = 1.
    kernel_class : Unconstrained or Stochastic
        For the first the question is rank M = n, for the second rank [M;1] = n.
    policy : array_like of rationals, shape (S, A)
        One policy for all goals and discounts.

    Returns
    -------
    DiscountsNeeded
        Any so many different discounts in [0, 1) do; horizons 1, 2, ... do as well.

    Raises
    ------
    GoalsError
        If a goal may end.
    PolicyError, ShapeError
        If the policy is not one for all goals, or does not fit.
    KernelClassError
        For any other class.

    Notes
    -----
    J discounts show an invertible image of R, R P^T, ..., J blocks; that all of them together have rank n is
    controllability of (P, R^T): ``[lambda I - P, R^T]`` has rank n at each complex lambda. Source: K1.

    Examples
    --------
    >>> from tabular_inversion import Unconstrained
    >>> still = ExactMDP([[[1, 0]], [[0, 1]]], "1/2")
    >>> found = discounts_needed(still, ExactGoals([[0, 1]]), Unconstrained(), policy=[[1], [1]])
    >>> found.count, found.unseen.astype(str).tolist()
    (None, ['1', '0'])
    """
    given = world if isinstance(world, ExactMDP) else ExactMDP.from_float(world)
    asked = goals if isinstance(goals, ExactGoals) else ExactGoals.from_float(goals)
    if (asked.continuation != 1).any():
        raise GoalsError("a goal may end; expected goals with continuation 1.")
    if asked.n_states != given.n_states:
        raise ShapeError(f"goals are on {asked.n_states} states; expected {given.n_states}, as the world.")
    weights = exact_policy(policy, given.available, asked.n_goals)
    if weights.ndim != 2:
        raise PolicyError(f"policy has shape {weights.shape}; expected (S, A), one for all goals.")
    chain = np.asarray((weights[:, :, None] * given.kernel).sum(axis=1))
    ones = counts_ones(kernel_class)
    unseen = None
    for count in range(given.n_states + 1):
        left = exact.null_space(_krylov(chain, asked.rewards, count, ones=ones))
        if left.shape[1] == 0:
            return DiscountsNeeded(count, chain, asked.rewards, ones, unseen, None)
        unseen = left[:, 0]
    vector = hautus_vector(chain, _krylov(chain, asked.rewards, 1, ones=ones))
    return DiscountsNeeded(None, chain, asked.rewards, ones, unseen, vector)


def _krylov(chain: FractionArray, rewards: FractionArray, count: int, *, ones: bool) -> FractionArray:
    rows = [np.full((int(ones), len(chain)), Fraction(1), dtype=object)]
    block = rewards
    for _ in range(count):
        rows.append(block)
        block = block @ chain.T
    return np.concatenate(rows)
