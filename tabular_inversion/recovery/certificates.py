"""Rigorous bounds in floating point: proofs that a rank is full, or that columns differ, despite every rounding.

An approximate inverse X of A proves that A has full column rank if ||X A - I|| < 1 in an operator norm. The product is
computed in floats, so its rounding is bounded (Higham, Accuracy and Stability of Numerical Algorithms, section 3.5) and
added, together with the uncertainty of A itself; nothing is assumed of how X was found.
"""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues

UNIT = float(np.finfo(np.float64).eps) / 2.0
"""u, the unit roundoff."""

TINY = float(np.finfo(np.float64).tiny)
"""Added wherever a product may have underflowed: relative bounds say nothing there."""


def rounding(count: int) -> float:
    """Return Higham's gamma_n = n u / (1 - n u), with a margin for evaluating the bound itself in floats."""
    return 1.01 * count * UNIT / (1.0 - count * UNIT)


def matrix_uncertainty(agent: AgentValues, noise: float = 0.0) -> FloatArray | None:
    """Bound how far each entry of the computed M may be from the one that the agent's numbers define.

    Parameters
    ----------
    agent : AgentValues
        The numbers, each taken to be the true one correctly rounded.
    noise : float
        How far each Q-value may be from the truth; then the bound is for the true M.

    Returns
    -------
    numpy.ndarray, shape (G, S), or None
        None for a max-entropy agent: no rigorous bound of its logarithms and exponentials is known here.
    """
    if agent.temperature is not None:
        return None
    value_error = UNIT * np.abs(agent.v)
    if agent.policy is not None:
        # A dot product over m actions.
        filled = np.abs(np.where(agent.available, agent.q, 0.0))
        value_error = rounding(agent.n_actions + 4) * (agent.policy * filled).sum(axis=2)
    weight = agent.discount * agent.goals.continuation
    size = np.abs(agent.goals.rewards) + weight * (np.abs(agent.v) + value_error)
    uncertainty: FloatArray = rounding(8) * size + 1.01 * weight * (value_error + noise) + TINY
    return uncertainty


def proves_full_column_rank(matrices: FloatArray, uncertainty: FloatArray) -> BoolArray:
    """Tell for which matrices every matrix within the uncertainty has independent columns.

    Parameters
    ----------
    matrices : numpy.ndarray, shape (..., equations, N)
        A.
    uncertainty : numpy.ndarray, broadcastable to `matrices`
        Bound on each entry's error, at least 0.

    Returns
    -------
    numpy.ndarray of bool, shape (...)
        True is a proof; False says nothing.

    Examples
    --------
    >>> proves_full_column_rank(np.eye(2), np.full((2, 2), 0.1))
    array(True)
    >>> proves_full_column_rank(np.eye(2), np.full((2, 2), 0.6))
    array(False)
    """
    n_equations, n_unknowns = matrices.shape[-2:]
    if n_equations < n_unknowns or not np.isfinite(matrices).all():
        return np.zeros(matrices.shape[:-2], bool)
    inverse = np.linalg.pinv(matrices)
    size = np.abs(inverse)
    gap = np.abs(inverse @ matrices - np.eye(n_unknowns))
    product = size @ np.abs(matrices)
    slack = rounding(n_equations + 4) * (product + 1.0) + 1.01 * (size @ np.broadcast_to(uncertainty, matrices.shape))
    total = ((gap + slack) * (1.0 + rounding(n_unknowns + 4)) + n_equations * TINY).sum(axis=-1).max(axis=-1)
    return np.asarray(total < 0.99)


def proves_distinct(separation: FloatArray, uncertainty: FloatArray) -> BoolArray:
    """Tell which columns surely differ from all others, given their computed least distance in the maximum norm.

    Parameters
    ----------
    separation : numpy.ndarray, shape (n,)
        Computed distance from each column to its nearest other column.
    uncertainty : numpy.ndarray, shape (equations, n)
        Bound on the error of each entry of the matrix.
    """
    return np.asarray(separation * (1.0 - rounding(4)) > 2.02 * float(uncertainty.max(initial=0.0)))
