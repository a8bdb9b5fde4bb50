"""The end of policy iteration: prove how far values are off, and go on in pairs of floats where that is too far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import SolverReport
from tabular_inversion.bellman.problem import Problem, missed, report_of
from tabular_inversion.bellman.refinement import DoubledProblem, refine, resolvent_bound
from tabular_inversion.bellman.value_bounds import aim_of, discount_bound, error_of_values, proves_policy
from tabular_inversion.linear_systems import ClosedLoops, LinearSolver, LinearSystems, Method, Transitions
from tabular_inversion.linear_systems.closed_loops import Policies
from tabular_inversion.linear_systems.doubled import Pair
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.policies import softmax, uniform

_FORCING = 1e-3
"""An iterative solver stops at this share of the change that it is to correct."""

_TIMES = 1e-3
"""The same for the times that bound a resolvent: they are checked, and a little more does not matter."""

_GAIN = 0.1
"""Actions that lengthen an episode by less are left out of account: they may shorten the slack to 1 - 0.1."""

_MOST_UPDATES = 100


@dataclass(frozen=True, eq=False)
class Settings:
    """What holds for every goal of one call."""

    transitions: Transitions
    temperature: float | None
    method: Method
    tolerance: float
    max_iterations: int


def finish(
    part: Problem, m: FloatArray, q: FloatArray, report: SolverReport, settings: Settings
) -> tuple[FloatArray, SolverReport]:
    """Return Q of some goals and the report, with the error of Q proved; or raise.

    Parameters
    ----------
    part : Problem
        The goals.
    m, q : numpy.ndarray, shapes (G, S) and (G, S, A)
        Where policy iteration in floats ended; `q` is written to.
    report : SolverReport
        Of that iteration.
    settings : Settings
        Of the call.

    Raises
    ------
    ConvergenceError
        If the error is not proved to be within the tolerance.
    """
    temperature, tolerance = settings.temperature, settings.tolerance
    aim = aim_of(part.world.discount, tolerance)
    scale = part.scale(m, temperature)
    residual = largest(part.change(q, m, temperature=temperature))
    factor = discount_bound(part)
    error = error_of_values(part, factor, residual, scale)
    missing = np.flatnonzero(~(error <= aim * scale))
    if missing.size:
        factor[missing] = np.minimum(factor[missing], _longest_times_bound(part.select(missing), settings))
        error = error_of_values(part, factor, residual, scale)
        missing = np.flatnonzero(~(error <= aim * scale))
    proved = [proves_policy(part.select(rest), q[rest], 2 * error[rest]) for rest in _others(missing, len(m))]
    steps = 0
    for goals in (missing[run] for run in part.select(missing).chunks()):
        doubled = DoubledProblem(part.select(goals), scale[goals], None, temperature)
        bound = np.minimum(factor[goals], doubled.discount_bound())
        found = refine(doubled, m[goals], bound, _Newton(doubled, settings), settings.max_iterations)
        q[goals], error[goals], residual[goals] = found.q, found.value_error, found.residual
        scale[goals] = doubled.part.scale(found.m, temperature)
        proved.append(found.policy_proved)
        steps = max(steps, found.iterations)
    if not (error <= tolerance * scale).all():
        after = f"{report.iterations} policy updates and {steps} corrections in doubled precision"
        raise missed(error, scale, tolerance, after)
    judged = None if temperature is not None else all(proved)
    return q, report_of(report.method, report.iterations + steps, residual, error, judged)


def _others(missing: IntArray, size: int) -> list[IntArray]:
    rest: IntArray = np.setdiff1d(np.arange(size), missing)
    return [rest] if rest.size else []


class _Newton:
    """Turns a change in pairs of floats into a correction, with the best actions of Q as pairs show them."""

    def __init__(self, doubled: DoubledProblem, settings: Settings) -> None:
        self._doubled, self._settings = doubled, settings
        self._actions: Policies | None = None
        self._solver: LinearSolver | None = None

    def __call__(self, change: FloatArray, q: Pair) -> tuple[FloatArray, BoolArray]:
        """Solve for the correction, and tell whose actions are new; the systems of old ones are factorised already."""
        policy = self._improved(q)
        new = np.ones(len(policy), bool)
        if self._actions is not None:
            new = (policy != self._actions).reshape(len(policy), -1).any(axis=1)
        if self._solver is None or new.any():
            loops = ClosedLoops(self._settings.transitions, policy)
            self._solver = LinearSolver(LinearSystems(loops, self._doubled.part.factors), self._settings.method)
            self._actions = policy
        judged = new if self._settings.temperature is None else np.zeros(len(policy), bool)
        return self._solver.solve(change, _FORCING * largest(change)), judged

    def _improved(self, q: Pair) -> Policies:
        doubled, temperature = self._doubled, self._settings.temperature
        if temperature is not None:
            best = doubled.best_values(q)
            gaps = q - Pair(best.high[:, :, None], best.low[:, :, None])
            shown = np.ldexp(gaps.high + gaps.low, doubled.exponents[:, None, None])
            return softmax(shown, doubled.part.world.available, temperature=temperature)
        best_actions = doubled.best_actions(q)
        if self._actions is None:
            return best_actions
        chosen, kept = (
            Pair(*(np.take_along_axis(x, actions[:, :, None], axis=2)[:, :, 0] for x in (q.high, q.low)))
            for actions in (best_actions, self._actions)
        )
        gain = chosen - kept
        return np.where(gain.high > 4 * doubled.error[:, None], best_actions, self._actions)


def _longest_times_bound(part: Problem, settings: Settings) -> FloatArray:
    """Return ``max w / min u`` for w the longest expected time to the end, where that is better than 1 - discount.

    It is found by policy iteration with reward 1, once for goals with the same continuation.
    """
    kinds, first, kind_of = np.unique(part.continuation, axis=0, return_index=True, return_inverse=True)
    continuation = part.continuation[first]
    ones = Problem(part.world, np.ones_like(kinds), continuation, None)
    available = part.world.available
    policy: Policies = uniform(available)
    loops = ClosedLoops.of_policy(settings.transitions, policy)
    actions: Policies | None = None
    times = np.ones_like(kinds)
    for _ in range(_MOST_UPDATES):
        solver = LinearSolver(LinearSystems(loops, ones.factors), settings.method)
        times = solver.solve(ones.rewards, np.full(len(kinds), _TIMES))
        q = np.where(available, ones.q_values(times), -np.inf)
        best = q.argmax(axis=2)
        if actions is not None:
            gain = np.take_along_axis(q, best[:, :, None], axis=2) - np.take_along_axis(q, actions[:, :, None], axis=2)
            best = np.where(gain[:, :, 0] > _GAIN, best, actions)
            if np.array_equal(best, actions):
                break
        actions = best
        loops = ClosedLoops(settings.transitions, actions)
    return resolvent_bound(ones, times, None)[kind_of.ravel()]
