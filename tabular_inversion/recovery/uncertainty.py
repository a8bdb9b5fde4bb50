"""How far the numbers of an agent may be from those they stand for.

Rewards, continuation, discount and policy are given exactly as they are. Each Q-value is the true one correctly
rounded; or that one moved by at most the noise, or by what the report of its solver admits, and rounded again.
"""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise, rounding_of
from tabular_inversion.recovery.equations import TINY, UNIT, rounding

_FUNCTIONS = 16.0
"""Units of rounding that an exponential or a logarithm is taken to err by; no standard guarantees it."""

GAP = 2.0**20
"""Two numbers of the data that differ by less than this many times their uncertainty may hide a coincidence."""


def value_noise(agent: AgentValues, noise: Noise | None = None) -> FloatArray:
    """Return how far each Q-value may be from the truth, beyond the rounding of correct ones: (G, 1, 1) or (G, S, A).

    Parameters
    ----------
    agent : AgentValues
        The values. Those of a solver err by what its report says.
    noise : float, numpy.ndarray (G, S, A) or str, optional
        What the user says of them; `AgentValues.noise` when omitted.
    """
    report = agent.report
    if report is None:
        known = np.zeros(1)
    elif report.goal_errors is not None:
        known = np.array(report.goal_errors)
    else:  # a Bellman residual r bounds the error of the values by r / (1 - discount)
        known = goal_residuals(agent) / (1.0 - agent.discount) if agent.discount < 1.0 else np.zeros(1)
    stated = noise_of(agent, noise)
    size = rounding_of(agent.q, stated) if isinstance(stated, str) else np.asarray(stated, dtype=float)
    known = np.where(np.isfinite(known), known, 0.0)[:, None, None]
    reached = np.maximum(size, known)
    return np.broadcast_to(reached, (agent.n_goals, *reached.shape[1:]))


def state_noise(agent: AgentValues, spread: FloatArray) -> FloatArray:
    """Return how far each state value may be from the truth if each Q-value is so far from it, (G, 1) or (G, S).

    Maxima, soft maxima and averages over actions move by no more than the largest of what they are taken over.
    """
    if isinstance(agent.noise, str) and agent.own_v is not None:
        return rounding_of(agent.own_v, agent.noise)
    if spread.shape[1] == 1:
        return spread[:, :, 0]
    shown = np.where(agent.available, spread, 0.0)
    if agent.policy is not None:
        return np.asarray((agent.policy * shown).sum(axis=2) * (1.0 + rounding(agent.n_actions + 2)))
    return np.asarray(shown.max(axis=2))


def noise_of(agent: AgentValues, noise: Noise | None = None) -> Noise:
    """Return the noise that is meant: as said, or else as the agent says, or else none."""
    if noise is not None:
        return noise
    return 0.0 if agent.noise is None else agent.noise


def goal_residuals(agent: AgentValues) -> FloatArray:
    """Return each goal's bound on ``|M P - (Q - rho)|`` but for the rounding of the expectation itself, shape (G,).

    Infinite where no solver reports one. Adding rho and subtracting it again are the roundings beside the residual.
    """
    report = agent.report
    if report is None or not np.isfinite(report.residual):
        return np.full(agent.n_goals, np.inf)
    residuals = (report.residual,) if report.goal_residuals is None else report.goal_residuals
    extra = agent.goals.action_rewards
    added: FloatArray | float = 0.0 if extra is None else rounding(4) * np.abs(extra).max(axis=(1, 2))
    return np.broadcast_to(np.abs(residuals) + added, (agent.n_goals,))


def matrix_uncertainty(agent: AgentValues, spread: FloatArray | None = None) -> FloatArray:
    """Bound how far each entry of the computed M may be from that of the true values, shape (G, S).

    Parameters
    ----------
    agent : AgentValues
        The numbers.
    spread : numpy.ndarray, shape (G, 1, 1) or (G, S, A), optional
        How far each Q-value may be from the truth: `value_noise`; zero when omitted.

    Notes
    -----
    Zero where discount * continuation is: there M is the reward. For max-entropy agents the bound takes the
    exponentials and logarithms of the machine to be good to 16 units of rounding, so it proves nothing.
    """
    noise = np.zeros((1, 1)) if spread is None else state_noise(agent, spread)
    weight = agent.weights
    some = weight > 0
    everywhere = bool(some.all())
    size: FloatArray = np.abs(agent.v if everywhere else np.where(some, agent.v, 0.0))
    error: FloatArray | None = None  # where each value is one correctly rounded Q-value
    if agent.policy is not None:  # a dot product over m actions
        filled = np.abs(np.where(agent.known, agent.q, 0.0))
        policy = agent.policy if agent.policy.ndim == 3 else agent.policy[None]
        error = rounding(agent.n_actions + 4) * (policy * filled).sum(axis=2)
    elif agent.temperature is not None:
        error = _FUNCTIONS * (agent.n_actions + 4) * UNIT * (size + agent.temperature)
    # In place: M is the largest array there is, and this is a bound on each of its entries.
    margin = 1.01 + rounding(4)
    bound = np.multiply(size, rounding(3) + (margin * _roundings(noise) if error is None else 0.0), out=size)
    if error is not None:
        bound += margin * error
    bound += (1.0 + rounding(4)) * np.asarray(noise)
    bound *= weight
    whole = np.abs(agent.test_matrix)
    whole *= rounding(1)
    bound += whole
    bound += TINY
    if not everywhere:
        bound[~np.broadcast_to(some, bound.shape)] = 0.0
    return bound if np.ndim(agent.test_noise) == 0 and agent.test_noise == 0 else bound + agent.test_noise


def right_hand_side_uncertainty(agent: AgentValues, spread: FloatArray | None = None) -> FloatArray:
    """Bound how far each right-hand side may be from the true one, shape (G, rows)."""
    noise = np.zeros((1, 1)) if spread is None else spread.reshape(len(spread), -1)
    if noise.shape[1] > 1:
        noise = agent.of_rows(noise)
    shown = agent.of_rows(agent.q.reshape(agent.n_goals, -1))
    error: FloatArray = np.abs(shown)
    error *= _roundings(noise)
    error += noise
    if agent.goals.action_rewards is not None:
        error = error + rounding(1) * np.abs(agent.right_hand_sides)
    return error


def _roundings(noise: FloatArray | float) -> FloatArray:
    """Return the relative error of values rounded once; twice where noise was added to rounded ones."""
    return np.where(np.asarray(noise) > 0.0, rounding(2), UNIT)


def hides_nothing(agent: AgentValues, uncertainty: FloatArray) -> bool:
    """Tell whether no two numbers in the data are so near each other that rounding could have hidden a difference.

    Parameters
    ----------
    agent : AgentValues
        The numbers.
    uncertainty : numpy.ndarray, shape (G, S)
        That of M.

    Notes
    -----
    Rewards, and entries of M, of one goal are equal or differ by at least 2^20 times the uncertainty of the goal's M
    over 1 - discount (near discount 1, what differs between states is that part of their values);
    so do the sizes of rewards of different goals in one state, each goal in the unit of its largest. Probabilities of
    the policy, continuation and discount are zero, or at least 2^20 units of rounding.
    """
    level = GAP * uncertainty.max(axis=1, keepdims=True)
    if not level.any():
        return True
    if agent.discount < 1.0:
        level = level / (1.0 - agent.discount)
    for table in (agent.goals.rewards, agent.test_matrix):
        gaps = np.diff(np.sort(table, axis=1), axis=1)
        if ((gaps > 0) & (gaps < level)).any():
            return False
    size = np.abs(agent.goals.rewards)
    exponents = -np.frexp(size.max(axis=1, keepdims=True))[1]
    # Sizes just below a power of two are near ones just above it: each goal is put on either side.
    both = np.concatenate([np.ldexp(size, exponents), np.ldexp(size, exponents + 1)])
    gaps = np.diff(np.sort(both, axis=0), axis=0)
    if ((gaps > 0) & (gaps < np.ldexp(level, exponents + 1).max())).any():
        return False
    weights = [agent.goals.continuation, np.unique(agent.discounts)]
    if agent.policy is not None:
        weights.append(agent.policy)
    return not any(((part > 0) & (part < GAP * 2.0 * UNIT)).any() for part in weights)
