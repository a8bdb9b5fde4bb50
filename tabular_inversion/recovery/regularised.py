"""Estimates under noise for the rows of an agent: which equations err how much, and what the class allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import is_noisy
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kernel_rows import dense_rows
from tabular_inversion.recovery import recover
from tabular_inversion.recovery.equations import largest
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.shrinkage import Equations, averaged, sampling_error, shrunk_by_noise
from tabular_inversion.recovery.uncertainty import noise_of, value_noise
from tabular_inversion.validation import finite_array

_DRAWN_ROWS = 200
_MOST_DRAWS = 8


def check_counts(weights: ArrayLike, agent: AgentValues) -> FloatArray:
    """Return numbers of transitions, one for each available row, from a table (S, A).

    Raises
    ------
    InputError
        If one is negative or not finite, or the shape is another.
    """
    table = finite_array("weights", weights, agent.available.shape, "(S, A)", InputError)
    if (table < 0).any():
        state, action = np.argwhere(table < 0)[0].tolist()
        raise InputError(
            f"weights is {table[state, action]:g} at {agent.name_of(state, action)}; expected numbers of transitions "
            "of at least 0."
        )
    return np.asarray(table.ravel()[agent.row_index], float)


def regularised_rows(
    agent: AgentValues,
    tests: FloatArray,
    kernel_class: KernelClass,
    found: Recovery,
    *,
    prior: FloatArray | None,
    counts: FloatArray | None,
) -> tuple[Recovery, FloatArray]:
    """Return the rows drawn to the prior as far as their noise asks for it, and by how much, in [0, 1].

    Parameters
    ----------
    agent : AgentValues
        Whose rows share their equations; its noise is taken as the standard deviation of each value.
    tests : numpy.ndarray, shape (k, n)
        M.
    kernel_class : KernelClass
        Convex: one whose method takes a prior.
    found : Recovery
        Least squares.
    prior : numpy.ndarray, shape (n,) or (rows, n), optional
        P0; uniform on each row's support when omitted.
    counts : numpy.ndarray, shape (rows,), optional
        Transitions behind each row.

    Notes
    -----
    The noise of an equation is that of its value and of the test function in it, as independent errors: a value's
    times ``sqrt(1 + w^2)``, w the largest discount * continuation of the goal. The simplex alone holds rows of few
    successors better than many a prior: so rows are drawn only where that pays on values drawn anew from the least
    squares and the noise (parametric bootstrap, always the same draws).
    """
    count, n = len(agent.row_index), agent.n_states
    known = kernel_class.known_supports(agent.row_index)
    support = np.ones((count, n), bool) if known is None else np.asarray(known.toarray() > 0)
    start = prior_on(support, prior, sums_to_one=kernel_class.sums_to_one)
    rows = dense_rows(found.rows)
    pull, method = np.zeros(count), found.method
    if is_noisy(noise_of(agent)):
        spread = value_noise(agent)
        spread = np.broadcast_to(spread, agent.q.shape).reshape(agent.n_goals, -1)[:, agent.row_index]
        deviation = spread * np.sqrt(1.0 + agent.weights.max(axis=1) ** 2)[:, None]
        equations = Equations(tests, agent.right_hand_sides, deviation, start, support, kernel_class.sums_to_one)
        if _helps(equations, kernel_class, agent, rows):
            rows, pull = shrunk_by_noise(equations)
            method = "least squares weighted by noise, drawn to the prior"
    if counts is not None:
        drawn = averaged(rows, sampling_error(rows, counts, start), start, support.sum(axis=1) - 1.0)
        rows, pull = drawn.rows, 1.0 - (1.0 - pull) * (1.0 - drawn.pull)
        method = f"{method}, averaged with the prior by counts"
    missed = largest(tests @ rows.T - agent.right_hand_sides, 0)[0]
    kept = csr_array(rows) if issparse(found.rows) else rows
    return replace(found, rows=kept, residual=missed, method=method), pull


def _helps(equations: Equations, kernel_class: KernelClass, agent: AgentValues, rows: FloatArray) -> bool:
    """Tell whether rows drawn to the prior have less error than least squares where the truth is `rows`."""
    rng = np.random.default_rng(0)
    error = np.zeros(2)
    for _ in range(min(_MOST_DRAWS, -(-_DRAWN_ROWS // len(rows)))):
        values = equations.tests @ rows.T + equations.deviation * rng.standard_normal(equations.deviation.shape)
        plain = dense_rows(recover(equations.tests, values, kernel_class, row_index=agent.row_index).rows)
        drawn = shrunk_by_noise(equations._replace(values=values)).rows
        error += ((plain - rows) ** 2).sum(), ((drawn - rows) ** 2).sum()
    return bool(error[1] < error[0])


def prior_on(support: BoolArray, prior: FloatArray | None, *, sums_to_one: bool) -> FloatArray:
    """Return the prior of each row, a distribution on its support; uniform where none is given or it has no weight.

    Parameters
    ----------
    support : numpy.ndarray of bool, shape (R, n)
        Where rows may be positive.
    prior : numpy.ndarray, shape (n,) or (R, n), or None
        P0.
    sums_to_one : bool
        Whether rows are distributions.
    """
    start = support / support.sum(axis=1, keepdims=True)
    if prior is None:
        return np.asarray(start)
    given = np.broadcast_to(prior, support.shape) * support
    if not sums_to_one:
        return np.asarray(given)
    total = given.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, given / np.where(total > 0, total, 1.0), start))
