"""Seeded random instances with small rational numbers, and their float twins."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.exact import ExactGoals, ExactMDP

DISCOUNTS = (Fraction(0), *(Fraction(i, 10) for i in range(1, 10)), Fraction(99, 100))
"""Among them 0, where M = R, and one near 1."""


def discount(rng: np.random.Generator) -> Fraction:
    """Draw one of `DISCOUNTS`."""
    return DISCOUNTS[rng.integers(len(DISCOUNTS))]


def fractions_of(weights: NDArray[Any]) -> NDArray[np.object_]:
    """Turn nonnegative integer weights, last axis not all zero, into distributions of Fractions."""
    totals = weights.sum(axis=-1)
    result = np.empty(weights.shape, dtype=object)
    for place in np.ndindex(weights.shape):
        result[place] = Fraction(int(weights[place]), int(totals[place[:-1]]))
    return result


def world(rng: np.random.Generator, n_states: int, n_actions: int, *, branching: int | None = None) -> ExactMDP:
    """Draw a rational world; each row reaches `branching` states (all when omitted) with weights from 1 to 6.

    Where all may be reached one world in four has a state that nothing reaches; with several actions in one in four two
    are alike, so that optimal ones tie.
    """
    weights = rng.integers(1, 7, (n_states, n_actions, n_states))
    if branching is not None:
        ranks = rng.random(weights.shape).argsort(axis=2).argsort(axis=2)
        weights = np.where(ranks < branching, weights, 0)
    elif n_states > 1 and rng.random() < 0.25:
        weights[:, :, rng.integers(n_states)] = 0
    if n_actions > 1 and rng.random() < 0.25:
        weights[:, 1] = weights[:, 0]
    return ExactMDP(fractions_of(weights), discount(rng))


def generic_rewards(rng: np.random.Generator, n_goals: int, n_states: int) -> NDArray[np.object_]:
    """Draw rewards i / 1009 with different i in -10^6 .. 10^6: special positions have probability about 1e-6."""
    numerators = rng.choice(2 * 10**6 + 1, (n_goals, n_states), replace=False) - 10**6
    result = np.empty(numerators.shape, dtype=object)
    for place in np.ndindex(numerators.shape):
        result[place] = Fraction(int(numerators[place]), 1009)
    return result


def generic_goals(rng: np.random.Generator, n_goals: int, n_states: int) -> ExactGoals:
    """Draw goals with generic rational rewards that never end an episode."""
    return ExactGoals(generic_rewards(rng, n_goals, n_states))


def policy(
    rng: np.random.Generator, n_states: int, n_actions: int, *, n_goals: int | None = None
) -> NDArray[np.object_]:
    """Draw a rational policy: (S, A), or (G, S, A) with `n_goals`; some actions are never taken."""
    shape = (n_states, n_actions) if n_goals is None else (n_goals, n_states, n_actions)
    weights = rng.integers(0, 4, shape)
    weights[..., -1] += weights.sum(axis=-1) == 0
    return fractions_of(weights)


def sizes(rng: np.random.Generator, *, largest: int) -> tuple[int, int]:
    """Draw a number of states from 2 to `largest` and of actions from 1 to 3."""
    return int(rng.integers(2, largest + 1)), int(rng.integers(1, 4))


def all_different(values: NDArray[Any]) -> bool:
    """Tell whether no number occurs twice, as is so for almost every array."""
    return len(set(values.ravel().tolist())) == values.size
