"""Policies as arrays: (S, A) for an unconditional policy, (G, S, A) for a goal-conditioned one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax as _softmax

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import PolicyError, ShapeError
from tabular_inversion.kinds import checked
from tabular_inversion.validation import (
    check_available,
    check_distributions,
    check_positive,
    check_seed,
    check_size,
    finite_array,
    real_array,
    refuse_masked,
    shape_of,
    shortened,
)


@checked
def check_policy(policy: ArrayLike, available: BoolArray, n_goals: int) -> FloatArray:
    """Return `policy` as a read-only array, or raise.

    Parameters
    ----------
    policy : array_like, shape (S, A) or (G, S, A)
        Probabilities of actions.
    available : numpy.ndarray of bool, shape (S, A)
        Actions that exist.
    n_goals : int
        G.

    Returns
    -------
    numpy.ndarray, shape (S, A) or (G, S, A)

    Raises
    ------
    PolicyError
        If a row is no distribution over the available actions.
    ShapeError
        If the shape is neither (S, A) nor (G, S, A).
    """
    if len(shape_of("policy", policy, PolicyError)) == 3:
        shape: tuple[int, ...] = (n_goals, *available.shape)
        axes = "(g, s, a)"
    else:
        shape, axes = available.shape, "(s, a)"
    array = finite_array("policy", policy, shape, axes, PolicyError)
    check_distributions("policy", array, available, axes, PolicyError)
    return array


@checked
def uniform(available: BoolArray) -> FloatArray:
    """Return the policy that chooses evenly among the available actions, shape (S, A).

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.array([[True, True], [True, False]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    mask = _mask(available)
    result: FloatArray = mask / mask.sum(axis=1, keepdims=True)
    return result


@checked
def greedy(q: FloatArray, available: BoolArray) -> FloatArray:
    """Return the policy that takes the first best available action, shape of `q`: (G, S, A)."""
    best = _shown(q, available).argmax(axis=-1)
    result: FloatArray = np.eye(q.shape[-1])[best]
    return result


@checked
def epsilon_greedy(q: FloatArray, available: BoolArray, *, epsilon: float) -> FloatArray:
    """Mix the greedy policy with the uniform one, which gets weight `epsilon` in [0, 1]; shape of `q`."""
    if not (isinstance(epsilon, int | float | np.number) and 0.0 <= epsilon <= 1.0):
        raise PolicyError(f"epsilon is {shortened(epsilon)}; expected a number in [0, 1].")
    return (1.0 - epsilon) * greedy(q, available) + epsilon * uniform(available)


@checked
def softmax(q: FloatArray, available: BoolArray, *, temperature: float) -> FloatArray:
    """Return probabilities proportional to exp(q / temperature) over the available actions; shape of `q`."""
    scale = check_positive("temperature", temperature, PolicyError)
    shown = _shown(q, available)
    with np.errstate(over="ignore"):  # a gap too large for a float means probability 0
        gaps = (shown - shown.max(axis=-1, keepdims=True)) / scale
    result: FloatArray = _softmax(gaps, axis=-1)
    return result


@checked
def deterministic(actions: ArrayLike, available: BoolArray) -> FloatArray:
    """Return the policy that takes ``actions[..., s]`` in state s; shape ``actions.shape + (A,)``.

    Raises
    ------
    PolicyError
        If an action does not exist or is not available in its state.
    ShapeError
        If `actions` are no integers (..., S).
    """
    available = _mask(available)
    refuse_masked("actions", actions, PolicyError)
    shape_of("actions", actions, ShapeError)
    chosen = np.asarray(actions)
    if chosen.shape[-1:] != available.shape[:1] or not np.issubdtype(chosen.dtype, np.integer):
        raise ShapeError(
            f"actions is {chosen.dtype} of shape {chosen.shape}; expected integers (..., {len(available)})."
        )
    states = np.broadcast_to(np.arange(len(available)), chosen.shape)
    wrong = (chosen < 0) | (chosen >= available.shape[1])
    wrong |= ~available[states, np.where(wrong, 0, chosen)]
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0].tolist())
        raise PolicyError(f"action {chosen[place]} of state {place[-1]} is not available; choose one that is.")
    result: FloatArray = np.eye(available.shape[1])[chosen]
    return result


@checked
def random(available: BoolArray, *, seed: int | np.random.Generator, n_goals: int | None = None) -> FloatArray:
    """Draw each row uniformly from the simplex over its available actions: (S, A), or (G, S, A) with `n_goals`."""
    rng = check_seed(seed, PolicyError)
    available = _mask(available)
    shape = available.shape if n_goals is None else (check_size("n_goals", n_goals, PolicyError), *available.shape)
    weights = rng.standard_exponential(shape) * available
    result: FloatArray = weights / weights.sum(axis=-1, keepdims=True)
    return result


def _mask(available: BoolArray) -> BoolArray:
    """Return a mask of actions (S, A), checked."""
    shape = shape_of("available", available, PolicyError)
    if len(shape) != 2 or 0 in shape:
        raise ShapeError(f"available has shape {shape}; expected bool (S, A), no axis empty.")
    return check_available(available, shape, PolicyError)


def _shown(q: FloatArray, available: BoolArray) -> FloatArray:
    """Return Q with minus infinity where an action is unavailable; raises where an available one has no value."""
    mask = _mask(available)
    values = real_array("q", q, "(..., S, A)", PolicyError)
    if values.shape[-2:] != mask.shape:
        raise ShapeError(f"q has shape {values.shape}; expected (..., S, A) = (..., {mask.shape[0]}, {mask.shape[1]}).")
    missing = np.isnan(values) & mask
    if missing.any():
        place = tuple(np.argwhere(missing)[0].tolist())
        raise PolicyError(f"q is NaN at {place}, an available action; give it a value, or mark it as unavailable.")
    return np.where(mask, values, -np.inf)
