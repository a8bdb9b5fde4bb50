"""Values of sweeps that were stopped before they had settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import NoConvergence, newton_krylov

from tabular_inversion._typing import FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import state_values
from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.operators import other_discounts
from tabular_inversion.diagnosis.trials import Trial
from tabular_inversion.recovery.system import CONSISTENT

_LATEST = 2000
"""Sweeps after which values count as settled."""
_DIVERGED = 1e100
"""Values above grow without end: the rows fitted are no distributions."""
_solve: Callable[..., NDArray[Any]] = newton_krylov  # the stubs want a function of vectors whose values are numbers
_STEPS = 8
_INNER = 15
_ROUNDS = 2
_PROMISING = 1.0
"""How near, in units of the misfit of the values as they are, sweeps have to come to be worth a search."""

_LARGE, _CLEAR = 200_000, 0.5
"""In worlds with more values times states the search takes minutes: it is made if sweeps explain half as they are."""


def unconverged_sweeps(case: Case) -> Iterator[Trial]:
    """Read the values as those of the j-th sweep of value iteration from zero, made with the state values before it.

    Notes
    -----
    What sweeps are short of looks at first like a smaller discount: sweeps with the kernel of the best one, or with
    that of the values as they are, tell which of them came nearest. If it is no further from the values than these are
    from their own equations, Newton's method seeks the state values that give back, by a kernel and as many sweeps,
    themselves.
    """
    starts = [case.plain.rows, *(case.fit(trial).rows for trial in other_discounts(case))]
    large = case.plain.misfit.size * case.agent.n_states > _LARGE
    for together in (True, False):  # as many sweeps for all goals, or for each goal its own
        nearest = min((_nearest_sweep(case, rows, together) for rows in starts), key=lambda found: found.away.max())
        for _ in range(1 if together else _ROUNDS):
            if nearest.away.max() > _PROMISING * case.plain.residual:
                break
            begun = _stopped(case, nearest.numbers, nearest.before)
            if large and case.fit(begun).size > _CLEAR * case.plain.size:
                yield begun
                break
            trial = _stopped(case, nearest.numbers, _settled(case, nearest))
            yield trial
            nearest = _nearest_sweep(case, case.fit(trial).rows, together)


@dataclass(frozen=True, eq=False)
class _Sweep:
    """The sweep of each goal that comes nearest to its values, the state values before it, and how near it comes."""

    numbers: IntArray
    before: FloatArray
    away: FloatArray


def _stopped(case: Case, numbers: IntArray, before: FloatArray) -> Trial:
    low, high = int(numbers.min()), int(numbers.max())
    how_many = f"{high} sweeps" if low == high else f"{low} to {high} sweeps, goal by goal"
    text = f"value iteration from zero was stopped after {how_many}: Q came from the state values before the last"
    return case.trial(text, "AgentValues(q, goals, discount, v=v_before_the_last_sweep)", v=before)


def _nearest_sweep(case: Case, rows: Kernel, together: bool) -> _Sweep:
    """Return the sweeps with a kernel that come nearest to the values."""
    before = np.zeros_like(case.agent.v)
    best = _Sweep(np.zeros(len(before), int), before.copy(), np.full(len(before), np.inf))
    aim = case.agent.right_hand_sides
    for number in range(1, _LATEST + 1):
        shown, after = _sweep(case, rows, before)
        away = np.abs(shown - aim).max(axis=1)
        if together:
            away = np.full(len(away), away.max())
        nearer = away < best.away
        best.numbers[nearer], best.before[nearer], best.away[nearer] = number, before[nearer], away[nearer]
        if not np.abs(after).max(initial=0.0) < _DIVERGED:
            break  # rows that are no distributions let the values grow: later sweeps are further away
        if np.abs(after - before).max() <= CONSISTENT * np.abs(after).max(initial=0.0):
            break
        before = after
    return best


def _settled(case: Case, nearest: _Sweep) -> FloatArray:
    """Return state values that come out of as many sweeps with the kernel that they themselves explain Q by."""
    shape, numbers = nearest.before.shape, nearest.numbers

    def change(flat: FloatArray) -> FloatArray:
        v = flat.reshape(shape)
        rows = case.fit(_stopped(case, numbers, v)).rows
        again = np.zeros(shape)
        for number in range(1, int(numbers.max())):
            again = np.where((number < numbers)[:, None], _sweep(case, rows, again)[1], again)
        return np.asarray((again - v).ravel())

    limit = 1e-2 * CONSISTENT * float(np.abs(case.agent.v).max())
    start = nearest.before.ravel()
    if numbers.max() == 1 or np.abs(change(start)).max() <= limit:
        return nearest.before
    try:
        found = _solve(change, start, f_tol=limit, maxiter=_STEPS, inner_maxiter=_INNER)
    except (NoConvergence, ValueError) as problem:  # the last point may still be near enough: it is judged as all are
        found = problem.args[0] if isinstance(problem, NoConvergence) else start
    return np.asarray(found, np.float64).reshape(shape)


def _sweep(case: Case, rows: Kernel, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``M P`` for the state values v, shape (G, rows), and the state values after this sweep."""
    agent = case.agent
    shown = np.asarray(rows @ (agent.goals.rewards + agent.weights * v).T).T
    q = np.zeros((agent.n_goals, agent.available.size))
    extra = agent.q.reshape(q.shape)[:, agent.row_index] - agent.right_hand_sides  # rewards of actions
    q[:, agent.row_index] = shown + extra
    table = q.reshape(agent.q.shape)
    return shown, state_values(table, agent.available, policy=agent.policy, temperature=agent.temperature)
