"""Fitted Q: the values of the worlds that counted transitions describe, for many tables of counts at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import DiscountError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.validation import check_discount, locate

_REACHED = 1e-13
"""How far values may be from the fixed point, relative to their size."""


@checked
def fitted_values(
    counts: ArrayLike,
    goals: Goals,
    *,
    policy: ArrayLike | None = None,
    discount: float,
    available: ArrayLike | None = None,
) -> FloatArray:
    """Return the values of the empirical worlds: what Q-iteration, fitted to all transitions at once, converges to.

    Parameters
    ----------
    counts : array_like, shape (B, S, A, S)
        How often each successor followed, in B data sets.
    goals : Goals
        G goals.
    discount : float
        In [0, 1).
    policy : array_like, shape (S, A), optional
        Whose values; the optimal ones when omitted.
    available : array_like of bool, shape (S, A), optional
        Which actions exist; all when omitted.

    Returns
    -------
    numpy.ndarray, shape (B, G, S, A)
        NaN where an action is not available.

    Raises
    ------
    InputError
        If an available action was never tried in a data set, or a count is negative.
    ShapeError, DiscountError
        As the names say; discount 1 has no rate at which iterations converge.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[[[1, 1]], [[0, 4]]]])
    >>> fitted_values(counts, Goals.indicator(2, [1]), discount=0.5)[0, 0].round(4)
    array([[0.6667],
           [1.    ]])
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim != 4 or table.shape[1] != table.shape[3] or table.shape[1] != goals.n_states:
        raise ShapeError(f"counts has shape {table.shape}; expected (B, S, A, S) with {goals.n_states} states.")
    gamma = check_discount(discount)
    if gamma == 1.0:
        raise DiscountError("discount is 1; fitted values need one below 1.")
    shown = np.ones(table.shape[1:3], bool) if available is None else np.asarray(available, bool)
    kernel = _frequencies(table, shown)
    return _fixed_point(kernel, goals, gamma, shown, None if policy is None else np.asarray(policy, float))


def _frequencies(table: FloatArray, available: BoolArray) -> FloatArray:
    if (table < 0).any():
        raise InputError(f"counts is negative, {locate(table < 0, table, '(b, s, a, t)')}; count from 0.")
    total = table.sum(axis=3)
    never = (total == 0) & available
    if never.any():
        batch, state, action = np.argwhere(never)[0].tolist()
        raise InputError(
            f"action {action} of state {state} was never tried in data set {batch}; gather more, or mark it as "
            "unavailable."
        )
    return np.asarray(table / np.where(total > 0, total, 1.0)[..., None])


def _fixed_point(
    kernel: FloatArray, goals: Goals, discount: float, available: BoolArray, policy: FloatArray | None
) -> FloatArray:
    batches, n, m, _ = kernel.shape
    rows = kernel.reshape(batches, n * m, n)
    own = None if goals.action_rewards is None else np.moveaxis(goals.action_rewards, 0, 2).reshape(n * m, -1)
    v = np.zeros((batches, n, goals.n_goals))
    size = max(float(np.abs(goals.rewards).max()), 1e-300) / (1.0 - discount)
    # Each step gains a factor of the discount at least.
    steps = 1 if discount == 0 else int(np.ceil(np.log(_REACHED) / np.log(discount))) + 1
    for _ in range(steps + 1):
        q = rows @ (goals.rewards.T + discount * goals.continuation.T * v)
        q = (q if own is None else q + own).reshape(batches, n, m, -1)
        hidden = np.where(available[:, :, None], q, -np.inf)
        new = (
            hidden.max(axis=2)
            if policy is None
            else (policy[:, :, None] * np.where(available[:, :, None], q, 0)).sum(axis=2)
        )
        change, v = float(np.abs(new - v).max()), new
        if change <= _REACHED * size:
            break
    return np.ascontiguousarray(np.moveaxis(np.where(available[:, :, None], q, np.nan), 3, 1))
