"""Axes in another order: Q transposed, or goals that belong to other values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from scipy.optimize import linear_sum_assignment

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.trials import Trial

_ROUNDS = 6
_MOST_NUMBERS = 2**27
_PATIENT = 0.999
"""The largest weight of what comes later in a guessed world, which may have no end."""
_AXES = ("goals", "states", "actions")


def transposed(case: Case) -> list[Trial]:
    """Read Q with its axes in another order, where the shape allows it."""
    agent = case.agent
    trials = []
    for order in list(permutations(range(3)))[1:]:
        q = agent.q.transpose(order)
        if (
            q.shape != agent.q.shape
            or np.array_equal(q, agent.q, equal_nan=True)
            or np.isnan(q[:, agent.available]).any()
        ):
            continue
        text = f"Q is transposed: its axes are {', '.join(_AXES[order.index(axis)] for axis in range(3))}"
        trials.append(case.trial(text, f"AgentValues(q.transpose{order}, goals, discount)", q=q))
    return trials


def permuted_goals(case: Case) -> list[Trial]:
    """Give each goal's rewards to the values that they explain best, in turn with the kernel, from several starts."""
    agent = case.agent
    if agent.n_goals == 1:
        return []
    own = np.arange(agent.n_goals)
    if agent.goals.rewards.size * agent.n_states > _MOST_NUMBERS:
        return []
    starts = [_alike(agent.v, _guessed_values(case)), _alike(agent.v, agent.goals.rewards), own[::-1]]
    starts += [own, np.roll(own, 1), np.roll(own, -1)]
    found = [(np.inf, own)]
    for start in starts:
        found.append(_settled(case, start, case.some_rows))
        if found[-1][0] <= 1e-3 * case.fit(_with_order(case, own), case.some_rows).size:
            break
    best = min(found, key=lambda each: each[0])[1]
    # A few rows may not tell apart the goals that they never reach: all of them do.
    best = _settled(case, best, np.arange(len(agent.row_index)))[1]
    return [] if np.array_equal(best, own) else [_with_order(case, best)]


def _with_order(case: Case, order: IntArray) -> Trial:
    moved = np.flatnonzero(order != np.arange(len(order)))
    name = case.agent.name_of_goal
    example = ", ".join(f"the values of {name(int(g))} are those of {name(int(order[g]))}" for g in moved[:2])
    text = f"goals are permuted: {len(moved)} of {len(order)} are in other places; {example}"
    shown = order.tolist() if len(order) <= 12 else f"[{', '.join(map(str, order[:6]))}, ...]"
    return case.trial(text, f"AgentValues(q, goals.select({shown}), discount)", goals=case.agent.goals.select(order))


def _alike(v: FloatArray, templates: FloatArray) -> IntArray:
    """Match each goal's values with the template that they correlate with, one to one."""

    def centred(table: FloatArray) -> FloatArray:
        moved = table - table.mean(axis=1, keepdims=True)
        size = np.linalg.norm(moved, axis=1, keepdims=True)
        return np.asarray(moved / np.where(size > 0, size, 1.0))

    return np.asarray(linear_sum_assignment(-centred(v) @ centred(templates).T)[1])


def _guessed_values(case: Case) -> FloatArray:
    """Return values of each goal in a guessed world, shape (G, S), that does not depend on the order of goals.

    Every state leads to those whose values are alike for all goals: in most worlds these are near.
    """
    agent = case.agent
    goals, shape = agent.goals, agent.v / np.maximum(np.abs(agent.v).max(axis=1, keepdims=True), 1e-300)
    size = (shape * shape).sum(axis=0)
    away = np.maximum(size[:, None] + size[None] - 2.0 * shape.T @ shape, 0.0)
    np.fill_diagonal(away, np.inf)
    width = np.median(away.min(axis=1))
    near = np.exp(-away / (2.0 * width)) if width > 0 else (away == 0).astype(float)
    kernel = near / np.maximum(near.sum(axis=1, keepdims=True), 1e-300)
    later = kernel[None] * np.minimum(agent.weights, _PATIENT)[:, None, :]
    shown = np.linalg.solve(np.eye(agent.n_states) - later, (kernel @ goals.rewards.T).T[:, :, None])
    return np.asarray(shown[:, :, 0])


def _settled(case: Case, order: IntArray, rows: IntArray) -> tuple[float, IntArray]:
    """Alternate between rows for an order of goals and the best order for rows, while that gets better."""
    agent = case.agent
    goals, v, values = agent.goals, agent.v, agent.q.reshape(agent.n_goals, -1)[:, agent.row_index[rows]]
    extra = None if goals.action_rewards is None else goals.action_rewards.reshape(agent.n_goals, -1)
    best = (np.inf, order)
    for _ in range(_ROUNDS):
        found = case.fit(_with_order(case, order), rows)
        if found.size >= best[0]:
            break
        best = (found.size, order)
        if found.fits:
            break
        dense = np.asarray(found.rows.toarray() if hasattr(found.rows, "toarray") else found.rows)
        own = goals.rewards @ dense.T
        if extra is not None:
            own = own + extra[:, agent.row_index[rows]]
        later = np.einsum("rs,qs,is->qri", agent.weights, v, dense, optimize=True)
        cost = np.abs(own[None] + later - values[:, None]).sum(axis=2)
        order = np.asarray(linear_sum_assignment(cost)[1])
    return best
