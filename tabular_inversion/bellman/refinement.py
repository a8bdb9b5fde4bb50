"""The last step near discount 1: the Bellman equation in pairs of floats.

There a residual of one rounding error, divided by 1 - discount, is no small error of values any more. Newton's
method goes on with residuals that are computed in pairs, and corrects M, itself a pair: each step gains as many
digits as a linear solver in floats has to give, about log10(1e16 (1 - discount)). Actions are compared in pairs too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import state_values
from tabular_inversion.bellman.problem import Problem
from tabular_inversion.bellman.value_bounds import UNIT, bound_of
from tabular_inversion.linear_systems.doubled import PAIR_ROUNDING, DoubledProduct, Pair
from tabular_inversion.linear_systems.systems import largest

_STALLS = 2
"""So many steps without half the error: no further step will bring it."""

_AIM = 2.0**-56
"""Relative to the scale of values; a float holds 2^-53."""


@dataclass(frozen=True, eq=False)
class Refined:
    """Values of some goals after refinement.

    Attributes
    ----------
    m : numpy.ndarray, shape (G, S)
        The functions whose expectation gives Q, rounded to floats.
    q : numpy.ndarray, shape (G, S, A)
        Rounded to floats. An action that is proved to be worse than the best is not stored as its equal.
    value_error : numpy.ndarray, shape (G,)
        A bound on the error of Q; infinite where nothing is proved.
    residual : numpy.ndarray, shape (G,)
        As in `SolverReport`.
    policy_proved : bool
        As in `SolverReport`.
    iterations : int
        Corrections made.
    """

    m: FloatArray
    q: FloatArray
    value_error: FloatArray
    residual: FloatArray
    policy_proved: bool
    iterations: int


class DoubledProblem:
    """The Bellman update of some goals in pairs, every goal divided by a power of two near the scale of its values."""

    def __init__(self, part: Problem, scale: FloatArray, policy: FloatArray | None, temperature: float | None) -> None:
        self.part = part
        self.policy = policy
        self.exponents = np.frexp(scale)[1]
        column = self.exponents[:, None]
        self.error = np.zeros(len(scale))
        self._product = DoubledProduct(part.world.rows)
        self._rewards = Pair.of(np.ldexp(part.rewards, -column))
        self._extra = None
        if part.action_rewards is not None:
            self._extra = Pair.of(np.ldexp(part.action_rewards, -column[:, :, None]))
        self._factors = Pair.of_product(part.world.discount, part.continuation)
        self.temperature = temperature
        self._temperature = None if temperature is None else np.ldexp(temperature, -column)

    def q_values(self, m: Pair) -> Pair:
        """Return Q = rho + P m, shape (G, S, A); `error` then bounds how much it may be wrong, for each goal."""
        self.error = self._rounding(m)
        q = self._product(m).reshape(*m.high.shape, self.part.world.n_actions)
        return q if self._extra is None else q + self._extra

    def change(self, m: Pair, q: Pair) -> FloatArray:
        """Return r + f V - m, wrong by no more than `error` and the rounding to floats."""
        left = self._rewards + self._factors * self._state_values(q) - m
        return left.high + left.low

    def _rounding(self, m: Pair) -> FloatArray:
        """Bound by how much Q, and a change, may be wrong, for each goal."""
        size = largest(m.high) + largest(self._rewards.high)
        if self._extra is not None:
            size = size + np.abs(self._extra.high).max(axis=(1, 2))
        error = (2 * self._product.error + (8 + 4 * self.part.world.n_actions) * PAIR_ROUNDING) * 4 * size
        if self._temperature is not None and self.part.world.n_actions > 1:
            error = error + (16 + 4 * self.part.world.n_actions) * UNIT * self._temperature[:, 0]
        return error

    def discount_bound(self) -> FloatArray:
        """Return 1 / (1 - discount), with the sums of rows as they are, for each goal; infinite where that is not."""
        sums = self._product(Pair.of(np.ones((1, self.part.world.n_states))))
        largest_sum = Pair.of(np.max(sums.high + np.abs(sums.low)) * np.ones(1) * (1 + UNIT))
        worst = np.argmax(self._factors.high, axis=1)[:, None]
        factors = Pair(*(np.take_along_axis(x, worst, axis=1)[:, 0] for x in (self._factors.high, self._factors.low)))
        gap = Pair.of(np.ones(len(worst))) - factors * largest_sum
        left = gap.high + gap.low - 2 * self._product.error
        return np.where(left > 0, 1.0 / np.where(left > 0, left, 1.0), np.inf) * (1 + 8 * UNIT)

    def _state_values(self, q: Pair) -> Pair:
        available = self.part.world.available
        if self.policy is not None:
            total = Pair.of(np.zeros(q.high.shape[:2]))
            for action in range(available.shape[1]):
                weights = self.policy[..., action] * available[:, action]
                total = total + q[:, :, action] * Pair.of(np.broadcast_to(weights, total.high.shape))
            return total
        best = self.best_values(q)
        if self._temperature is None:
            return best
        gaps = q - Pair(best.high[:, :, None], best.low[:, :, None])
        with np.errstate(over="ignore"):
            shown = np.where(available, (gaps.high + gaps.low) / self._temperature[:, :, None], -np.inf)
        return best + Pair.of(self._temperature * logsumexp(shown, axis=2))

    def best_values(self, q: Pair) -> Pair:
        """Return the maximum over available actions."""
        chosen = self.best_actions(q)[:, :, None]
        return Pair(*(np.take_along_axis(x, chosen, axis=2)[:, :, 0] for x in (q.high, q.low)))

    def best_actions(self, q: Pair) -> Any:
        """Return the first best available actions, shape (G, S)."""
        available = self.part.world.available
        high = np.where(available, q.high, -np.inf)
        low = np.where(high == high.max(axis=2, keepdims=True), q.low, -np.inf)
        return low.argmax(axis=2)


def resolvent_bound(part: Problem, times: FloatArray, policy: FloatArray | None) -> FloatArray:
    """Return ``max w / min u`` of the times w for each goal; where floats prove nothing, pairs of floats may.

    Times of 1e12 steps and more differ from their expected successors by less than rounding.
    """
    bound = bound_of(part, times, policy)
    goals = np.flatnonzero(np.isinf(bound) & np.isfinite(times).all(axis=1) & (times > 0).all(axis=1))
    if goals.size:
        own = policy if policy is None or policy.ndim == 2 else policy[goals]
        ones = Problem(part.world, np.zeros((len(goals), times.shape[1])), part.continuation[goals], None)
        doubled = DoubledProblem(ones, largest(times[goals]), own, None)
        w = Pair.of(np.ldexp(times[goals], -doubled.exponents[:, None]))
        slack = -doubled.change(w, doubled.q_values(w)).max(axis=1) * (1 - 4 * UNIT) - doubled.error
        bound[goals] = np.where(slack > 0, largest(w.high) / np.where(slack > 0, slack, 1.0) * (1 + 4 * UNIT), np.inf)
    return bound


def refine(
    doubled: DoubledProblem,
    m: FloatArray,
    factor: FloatArray,
    correct: Callable[[FloatArray, Pair], tuple[FloatArray, BoolArray]],
    max_iterations: int,
) -> Refined:
    """Correct M until its error is below what a float can hold, or stays.

    Parameters
    ----------
    doubled : DoubledProblem
        The equation.
    m : numpy.ndarray, shape (G, S)
        Where to start.
    factor : numpy.ndarray, shape (G,)
        ``max w / min u``, which bounds errors by changes.
    correct : callable
        From a change and Q, both scaled, to what Newton's method adds to M, and for which goals it took a new policy.
    max_iterations : int
        The most corrections.

    Returns
    -------
    Refined
    """
    column = doubled.exponents[:, None]
    current = Pair.of(np.ldexp(m, -column))
    best, least = current, np.full(len(m), np.inf)
    stalls, moved = np.zeros(len(m), int), np.ones(len(m), bool)
    for iteration in range(max_iterations + 1):
        q = doubled.q_values(current)
        change = doubled.change(current, q)
        with np.errstate(invalid="ignore"):
            error = factor * (largest(change) + doubled.error) * (1 + 8 * UNIT)
        error = np.where(np.isnan(error), np.inf, error)
        stalls = np.where((error > least / 2) & ~moved, stalls + 1, 0)
        better = error < least
        best = _choose(better, current, best)
        least = np.where(better, error, least)
        open_ = (
            (least > _AIM * largest(current.high))
            & (stalls < _STALLS)
            & np.isfinite(change).all(axis=1)
            & np.isfinite(factor)
        )
        if not open_.any() or iteration == max_iterations:
            break
        step, moved = correct(np.where(open_[:, None], change, 0.0), q)
        current = current + Pair.of(np.where(open_[:, None] & np.isfinite(step), step, 0.0))
    return _finish(doubled, best, least, iteration)


def _choose(rows: BoolArray, first: Pair, second: Pair) -> Pair:
    where = rows[:, None]
    return Pair(np.where(where, first.high, second.high), np.where(where, first.low, second.low))


def _finish(doubled: DoubledProblem, m: Pair, error: FloatArray, iterations: int) -> Refined:
    """Round Q to floats, so that what is proved worse stays worse, and say how far everything is off."""
    part, available = doubled.part, doubled.part.world.available
    q = doubled.q_values(m)
    exponents = doubled.exponents
    # Sums of rows exceed one by rounding only.
    q_error = error * (1 + 1e-9) + doubled.error
    values = np.where(available, q.high, 0.0)
    proved = False
    if doubled.policy is None:
        chosen = doubled.best_actions(q)[:, :, None]
        top = Pair(*(np.take_along_axis(x, chosen, axis=2) for x in (q.high, q.low)))
        gap = top - q
        worse = available & (gap.high + gap.low > 2 * q_error[:, None, None])
        values = np.where(worse & (values >= top.high), np.nextafter(top.high, -np.inf), values)
        rest = available & ~worse
        np.put_along_axis(rest, chosen, False, axis=2)
        proved = not rest.any()
    scale = largest(values.reshape(len(values), -1))
    rounding = 3 * UNIT * scale
    value_error = np.ldexp(q_error + rounding, exponents)
    shown = np.ldexp(values, exponents[:, None, None])
    own = part.rewards + part.factors * state_values(
        shown, available, policy=doubled.policy, temperature=doubled.temperature
    )
    difference = np.abs(own - np.ldexp(m.high, exponents[:, None])).max(axis=1)
    return Refined(
        np.ldexp(m.high, exponents[:, None]),
        shown,
        value_error,
        difference + np.ldexp(rounding, exponents),
        proved,
        iterations,
    )
