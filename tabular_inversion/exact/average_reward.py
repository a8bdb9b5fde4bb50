"""Agents without a discount: gain, relative values and what they show of the world, in fractions (AR)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import GoalsError, KernelError, ShapeError
from tabular_inversion.exact.agent_values import ExactAgentValues
from tabular_inversion.exact.linear_algebra import rank, solve_linear
from tabular_inversion.exact.model import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.validation import exact_policy
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record


@checked
@dataclass(frozen=True, eq=False)
class AverageRewardValues(Record):
    """What agents show that maximise nothing but follow a policy for ever, relative to their gain.

    Attributes
    ----------
    goals : ExactGoals
        G goals that never end.
    gain : numpy.ndarray of Fraction, shape (G,)
        The reward per step, in the long run.
    bias : numpy.ndarray of Fraction, shape (G, S)
        h, relative values: 0 in the first state.
    q : numpy.ndarray of Fraction, shape (G, S, A)
        ``Q[g, s, a] = P(s, a) (r_g + h_g) - gain_g``; zero where an action is unavailable.
    policy : numpy.ndarray of Fraction, shape (S, A)
        What the agents do.
    available : numpy.ndarray of bool, shape (S, A)
        Which actions exist.

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/2"]], [[1, 0]]], discount=0)
    >>> values = average_reward(world, ExactGoals([[0, 3]]), [[1], [1]])
    >>> str(values.gain[0]), values.bias.astype(str).tolist(), values.q.ravel().astype(str).tolist()
    ('1', [['0', '-1']], ['0', '-1'])
    """

    goals: ExactGoals
    gain: FractionArray
    bias: FractionArray
    q: FractionArray
    policy: FractionArray
    available: BoolArray

    @property
    def test_matrix(self) -> FractionArray:
        """M = R + h, shape (G, S): ``M p = Q[:, s, a] + gain`` for the row p of (s, a)."""
        return np.asarray(self.goals.rewards + self.bias)

    @property
    def right_hand_sides(self) -> FractionArray:
        """What M p is, shape (G, S * A), where the gains are seen too."""
        return np.asarray((self.q + self.gain[:, None, None]).reshape(len(self.q), -1))

    def agent_values(self) -> ExactAgentValues:
        """Return an agent of discount 0 with these test functions and expectations, for `identify` and `invert`.

        Its rewards are M, its Q-values ``Q + gain``: the same equations for each row. The gains are taken as seen.

        Examples
        --------
        >>> from tabular_inversion import Stochastic, identify, invert
        >>> world = ExactMDP([[["1/2", "1/2"]], [[1, 0]]], discount=0)
        >>> agent = average_reward(world, ExactGoals([[0, 3]]), [[1], [1]]).agent_values()
        >>> identify(agent, Stochastic(), scope="uniform")
        <Verdict IDENTIFIED, exact, uniform scope, a given policy: 2 of 2 rows identified>
        >>> invert(agent.to_float(), Stochastic()).kernel.round(9).tolist()
        [[[0.5, 0.5]], [[1.0, 0.0]]]
        """
        q = self.q + self.gain[:, None, None]
        return ExactAgentValues(q, ExactGoals(self.test_matrix), Fraction(0), self.policy, self.available)


@checked
def average_reward(mdp: ExactMDP, goals: ExactGoals, policy: ArrayLike) -> AverageRewardValues:
    """Return gain and relative values of one policy, for goals that never end.

    Parameters
    ----------
    mdp : ExactMDP
        Its discount plays no part.
    goals : ExactGoals
        G goals on its states, with continuation 1.
    policy : array_like of rationals, shape (S, A)
        One policy for all goals, under which the world has one recurrent class.

    Returns
    -------
    AverageRewardValues

    Raises
    ------
    GoalsError
        If a goal may end.
    KernelError
        If the policy has several recurrent classes: then the gain depends on where one starts.
    PolicyError, ShapeError
        If the policy does not fit the world.

    Notes
    -----
    Poisson's equation ``h + gain = P (r + h)`` with h = 0 in the first state. Source: AR.

    Examples
    --------
    >>> swap = ExactMDP([[[0, 1]], [[1, 0]]], discount=0)
    >>> average_reward(swap, ExactGoals([[0, 1], [1, 1]]), [[1], [1]]).gain.astype(str).tolist()
    ['1/2', '1']
    """
    if (goals.continuation != 1).any():
        raise GoalsError("a goal may end; without a discount, goals go on for ever: continuation 1.")
    weights = exact_policy(policy, mdp.available, goals.n_goals)
    if weights.ndim != 2:
        raise ShapeError(f"policy has shape {weights.shape}; expected (S, A), one for all goals.")
    chain = (weights[..., None] * mdp.kernel).sum(axis=-2)
    n = mdp.n_states
    # Unknown are the gain, in the place of h[0] = 0, and the other entries of h.
    system = np.array([[Fraction(int(i == j)) for j in range(n)] for i in range(n)], dtype=object) - chain
    system[:, 0] = Fraction(1)
    if rank(system).rank < n:
        raise KernelError("the policy has several recurrent classes, so that the gain depends on the start; change it.")
    found = solve_linear(system, chain @ goals.rewards.T).T
    gain, bias = found[:, 0].copy(), found.copy()
    bias[:, 0] = Fraction(0)
    q = ((goals.rewards + bias) @ mdp.rows.T).reshape(goals.n_goals, n, -1) - gain[:, None, None]
    return AverageRewardValues(goals, gain, bias, q * mdp.available, weights, mdp.available)
