"""The ways in which an agent values states: by a policy, the best action, or a soft maximum."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from tabular_inversion._typing import BoolArray, FloatArray


def state_values(
    q: FloatArray, available: BoolArray, *, policy: FloatArray | None = None, temperature: float | None = None
) -> FloatArray:
    """Return V, the value of each state that follows from Q.

    Parameters
    ----------
    q : numpy.ndarray, shape (G, S, A)
        Values of actions; anything where the action is unavailable.
    available : numpy.ndarray of bool, shape (S, A)
        Which actions exist.
    policy : numpy.ndarray, shape (S, A) or (G, S, A), optional
        Then V = sum_a policy * Q.
    temperature : float, optional
        Then V = temperature * logsumexp(Q / temperature). With neither, V = max_a Q.

    Returns
    -------
    numpy.ndarray, shape (G, S)

    Examples
    --------
    >>> state_values(np.array([[[1.0, 3.0]]]), np.array([[True, True]]))
    array([[3.]])
    """
    ignored = 0.0 if policy is not None else -np.inf
    shown = q if available.all() else np.where(available, q, ignored)
    if policy is not None:
        result: FloatArray = np.einsum("...sa,gsa->gs" if policy.ndim == 2 else "gsa,gsa->gs", policy, shown)
        return result
    best = _largest_along_actions(shown)
    if temperature is None:
        return best
    with np.errstate(over="ignore"):  # a gap too large for a float means weight 0
        gaps = (shown - best[:, :, None]) / temperature
    return best + temperature * logsumexp(gaps, axis=2)


def _largest_along_actions(q: FloatArray) -> FloatArray:
    """Return ``q.max(axis=2)``; for the usual few actions, numpy is seven times faster one action at a time."""
    if q.shape[2] > 8:
        result: FloatArray = q.max(axis=2)
        return result
    largest = q[:, :, 0].copy()
    for action in range(1, q.shape[2]):
        np.maximum(largest, q[:, :, action], out=largest)
    return largest
