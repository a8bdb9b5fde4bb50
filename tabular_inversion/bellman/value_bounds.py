"""From a Bellman residual to a bound on values.

Let T be the Bellman operator in M-space, T m = r + f V(rho + P m), with the policy given, with the maximum, or with
log-sum-exp. It is monotone, and T(m + w) <= T m + f max_a P_a w for w >= 0 (P_pi in place of the maximum where the
policy is given). So if w > 0 satisfies w - f max_a P_a w >= u > 0, the fixed point m* is near any m:

    |m* - m| <= max |T m - m| * max w / min u.

w = 1 gives the familiar residual / (1 - discount). Where episodes end, w = the longest expected time to the end is
sharper, and serves at discount 1 too. No solution has to be trusted: w is checked, not assumed.
"""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.bellman.problem import Problem
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.mdp import MDP

UNIT = float(np.finfo(np.float64).eps / 2)
"""The unit roundoff: by how much one operation on floats is wrong, relative to its result."""

_NEAR = 1e-6
_NEAR_AIM = 1e-14

_LEAST = float(np.finfo(np.float64).tiny)
_SAFETY = 1.01
"""For the second-order terms of rounding errors."""


def aim_of(discount: float, tolerance: float) -> float:
    """Return the relative error above which values are refined in pairs of floats: smaller near discount 1.

    Values there are large beside their differences, which are what a reader wants.
    """
    return tolerance if discount < 1.0 - _NEAR else min(tolerance, _NEAR_AIM)


def most_successors(world: MDP) -> int:
    """Return k, the number of positive entries of the longest row: how many terms an expectation sums."""
    return int(world.n_successors.max())


def rounding_of_change(part: Problem, scale: FloatArray) -> FloatArray:
    """Bound what rounding may hide in the change r + f V(Q) - m that `Problem.change` computes, for each goal.

    k terms for the expectation; the weights of A actions (or a logarithm and exponentials, each right to four units
    in the last place); and a product, two factors and three sums.
    """
    terms = most_successors(part.world) + 2 * part.world.n_actions + 16
    return _SAFETY * UNIT * terms * scale + terms * _LEAST * (scale > 0)


def rounding_of_values(part: Problem, scale: FloatArray) -> FloatArray:
    """Bound what rounding may hide in Q = rho + P m, for each goal."""
    terms = most_successors(part.world) + 2
    return _SAFETY * UNIT * terms * scale + terms * _LEAST * (scale > 0)


def largest_row_sum(world: MDP) -> float:
    """Bound the sums of rows, which a constructor lets differ from one by a little rounding."""
    return 1.0 + 2 * UNIT * (2 * most_successors(world) + 8)


def discount_bound(part: Problem) -> FloatArray:
    """Return 1 / (1 - discount) with rounding, for each goal: ``max w / min u`` of w = 1; infinite at discount 1."""
    left = 1.0 - part.factors.max(axis=1) * largest_row_sum(part.world) - 4 * UNIT
    return np.where(left > 0, 1.0 / np.where(left > 0, left, 1.0), np.inf)


def bound_of(part: Problem, times: FloatArray, policy: FloatArray | None) -> FloatArray:
    """Return ``max w / min u`` for given w, shape (G, S), with rounding; infinite where w proves nothing."""
    ones = Problem(part.world, np.zeros_like(times), part.continuation, None)
    with np.errstate(all="ignore"):
        image = ones.change(ones.q_values(times), times, policy=policy)
        slack = -image.max(axis=1) - rounding_of_change(ones, largest(times))
        proves = (times > 0).all(axis=1) & (slack > 0)
        return np.where(proves, largest(times) / np.where(proves, slack, 1.0), np.inf)


def error_of_values(part: Problem, factor: FloatArray, residual: FloatArray, scale: FloatArray) -> FloatArray:
    """Bound the error of Q = rho + P m for each goal, given ``max w / min u`` and the largest change of m."""
    with np.errstate(invalid="ignore"):
        error = factor * (residual + rounding_of_change(part, scale)) * largest_row_sum(part.world) * _SAFETY
    return np.where(np.isnan(error), np.inf, error) + rounding_of_values(part, scale)


def proves_policy(part: Problem, q: FloatArray, margin: FloatArray) -> bool:
    """Tell whether the first best action of Q is optimal in every state.

    It is where it leads by more than twice the error of Q (`margin`, for each goal), or where the actions that are
    nearer have the same row and the same reward. Other ties are not decided by floats.
    """
    available = part.world.available
    shown = q if available.all() else np.where(available, q, -np.inf)
    best = shown.argmax(axis=2)
    lead = np.take_along_axis(shown, best[:, :, None], axis=2) - shown
    near = ~(lead > margin[:, None, None])
    np.put_along_axis(near, best[:, :, None], False, axis=2)
    return not near.any() or _are_twins(part, near, best)


def _are_twins(part: Problem, near: BoolArray, best: FloatArray) -> bool:
    goals, states, actions = np.nonzero(near)
    others = best[goals, states]
    extra = part.action_rewards
    if extra is not None and (extra[goals, states, actions] != extra[goals, states, others]).any():
        return False
    n_actions = part.world.n_actions
    pairs = np.unique(np.stack([states * n_actions + actions, states * n_actions + others]), axis=1)
    rows = part.world.rows
    difference = rows[pairs[0]] - rows[pairs[1]]
    return not (difference.count_nonzero() if part.world.is_sparse else difference.any())
