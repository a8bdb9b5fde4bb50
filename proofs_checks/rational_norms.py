"""Norms over goals and the threshold of T2b, in fractions: powers p where roots would be irrational."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.exact.rationals import FractionArray

NORMS = {0: np.inf, 1: 1.0, 2: 2.0}
"""How an instance names the norms: 0 is infinity."""


def power(differences: FractionArray, norm: int) -> FractionArray:
    """Return the norm over the first axis, to the power p where p is 1 or 2: rational in each case."""
    sizes = np.abs(differences)
    result: FractionArray = sizes.max(axis=0) if norm == 0 else (sizes**norm).sum(axis=0)
    return result


def constant_power(agent: ExactAgentValues, norm: int) -> Fraction:
    """Return c_p to the power p, or c for the infinity-norm, as Lemma 2 of the proof has it."""
    continuation = agent.goals.continuation
    if norm == 0:
        return Fraction(continuation.max())
    weights = continuation**norm
    if agent.policy is None:
        counts = np.minimum(agent.available.sum(axis=1), agent.n_goals)
        return Fraction(max(sum(sorted(row, reverse=True)[:c]) for row, c in zip(weights.T, counts, strict=True)))
    policy = np.broadcast_to(agent.policy, agent.q.shape)
    return Fraction((weights[:, :, None] * policy).max(axis=0).sum(axis=1).max())


def least_distance_power(matrix: FractionArray, norm: int) -> Fraction:
    """Return the least distance between two columns, as `power` measures it."""
    first, second = np.triu_indices(matrix.shape[1], 1)
    return Fraction(power(matrix[:, first] - matrix[:, second], norm).min())


def is_below(distance: Fraction, eps: Fraction, constant: Fraction, discount: Fraction, norm: int) -> bool:
    """Decide D > 2 (1 + gamma c) eps exactly, where the three numbers are powers as above."""
    if norm < 2:
        return distance > 2 * (1 + discount * constant) * eps
    # D^2 - 4 eps^2 (1 + gamma^2 c^2) > 8 gamma eps^2 c, where c is the root of a fraction: square once more.
    left, factor = distance - 4 * eps * (1 + discount**2 * constant), 8 * discount * eps
    return left > 0 and left**2 > factor**2 * constant
