"""P-learning as an algorithm: gradient descent, mirror descent and sampled gradients on the Bellman error (T1).

All rows are learned at once: rows of the kernel are columns of a matrix p, shape (S, rows), and the loss of each is
``1/2 |M p - q|^2`` over the goals. `tabular_inversion.invert` solves the same equations in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.validation import check_positive, finite_array

Method = Literal["gradient", "mirror", "sampled"]

RECORDS = 200
"""How many times, at most, the residual is noted on the way."""


@checked
@dataclass(frozen=True, eq=False, repr=False)
class PLearning:
    """Where P-learning ended.

    Attributes
    ----------
    kernel : numpy.ndarray, shape (S, A, S)
        The learned kernel; zero rows where an action is unavailable.
    method : {"gradient", "mirror", "sampled"}
        How it was learned.
    step : float
        The step size.
    iterations : int
        Steps taken.
    converged : bool
        Whether the residual is within the tolerance.
    residual : float
        ``max |M p - q|`` at the end, over rows and goals.
    at, residuals : numpy.ndarray, shape (records,)
        Residuals on the way, and after which steps they were taken.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, solve
    >>> agent = solve(MDP([[[0.25, 0.75]], [[0.5, 0.5]]], discount=0.0), Goals.indicator(2))
    >>> learned = p_learning(agent, step=0.5)
    >>> learned.converged, learned.kernel.round(6).tolist()
    (True, [[[0.25, 0.75]], [[0.5, 0.5]]])
    """

    kernel: FloatArray
    method: Method
    step: float
    iterations: int
    converged: bool
    residual: float
    at: FloatArray
    residuals: FloatArray

    def __repr__(self) -> str:
        ended = "converged" if self.converged else "not converged"
        return f"<PLearning by {self.method}: {ended} after {self.iterations} steps, residual {self.residual:.2g}>"


@checked
def convergence_rate(matrix: ArrayLike, step: float) -> float:
    """Return the factor by which gradient descent shrinks the distance to its limit in each step, at worst (T1).

    Parameters
    ----------
    matrix : array_like, shape (G, S)
        M.
    step : float
        The step size; below ``2 / sigma_max(M)^2`` the factor is below 1.

    Returns
    -------
    float
        ``max |1 - step * sigma_i^2|`` over the nonzero singular values; 0 if there are none.

    Raises
    ------
    InputError
        If the matrix is not finite, or the step not positive.

    Examples
    --------
    >>> convergence_rate([[2.0, 0.0], [0.0, 1.0]], 0.25)
    0.75
    """
    given = finite_array("matrix", matrix, (None, None), "(G, S)", InputError)
    check_positive("step", step, InputError)
    sigma = np.linalg.svd(given, compute_uv=False)
    nonzero = sigma[sigma > max(given.shape) * np.finfo(float).eps * sigma[0]]
    return float(np.abs(1.0 - step * nonzero**2).max(initial=0.0))


@checked
def p_learning(
    agent: AgentValues,
    method: Method = "gradient",
    *,
    prior: ArrayLike | None = None,
    step: float | None = None,
    iterations: int = 10_000,
    tolerance: float = 1e-8,
    seed: int | np.random.Generator = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PLearning:
    r"""Learn a kernel from an agent's values step by step (T1).

    Parameters
    ----------
    agent : AgentValues
        Values with their goals, discount and policy; never the kernel.
    method : {"gradient", "mirror", "sampled"}
        ``"gradient"``: ``p <- p - step * M^T (M p - q)``. Its limit is the point nearest to the prior with the least
        residual, a kernel or not. ``"mirror"``: ``p <- p * exp(-step * M^T (M p - q))``, normalised; stays in the
        simplex, and tends to the member of E(q) with the least Kullback-Leibler divergence from the prior.
        ``"sampled"``: rows are softmax functions of logits, and the gradient is estimated from two independent next
        states drawn from the model, under one goal drawn for each row.
    prior : array_like, shape (S,) or (S, A, S), optional
        Where to start, positive except for ``"gradient"``; uniform when omitted.
    step : float, optional
        The step size. When omitted ``1 / sigma_max(M)^2``; for ``"mirror"`` one over the largest squared column norm
        of the centred M; for ``"sampled"`` one over the largest squared entry of the centred M, falling like
        ``1 / sqrt(1 + t / 1000)``.
    iterations : int
        The most steps.
    tolerance : float
        Stop when ``max |M p - q|`` is at most this times the largest entry of the centred M (or of M for "gradient").
    seed : int or numpy.random.Generator
        For ``"sampled"``.
    progress : callable
        Called now and then with the steps done and the most steps.

    Returns
    -------
    PLearning

    Raises
    ------
    InputError
        If the method is unknown, a number is out of range, or a prior is not positive where it has to be.

    Notes
    -----
    The closed form costs one factorisation of M; gradient descent needs about ``cond(M)^2`` steps for each digit, and
    mirror descent and sampling far more. They are worth it where M is too large to factor, or where only samples of
    it are at hand. A single shared sample in place of two is biased towards rows that avoid noise.

    Examples
    --------
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import random_mdp
    >>> world = random_mdp(4, 2, discount=0.5, seed=0)
    >>> agent = solve(world, Goals.indicator(4))
    >>> learned = p_learning(agent, iterations=100_000)
    >>> learned.converged, bool(np.abs(learned.kernel - world.kernel).max() < 1e-6)
    (True, True)
    """
    if method not in get_args(Method):
        raise InputError(f"method is {method!r}; expected one of {', '.join(get_args(Method))}.")
    if isinstance(iterations, bool) or not isinstance(iterations, int | np.integer) or iterations < 1:
        raise InputError(f"iterations is {iterations!r}; expected an integer of at least 1.")
    check_positive("tolerance", tolerance, InputError)
    matrix, values = agent.test_matrix, agent.right_hand_sides
    if method != "gradient":
        # Rows sum to one: a constant may be taken off each goal, and then less cancels.
        centre = matrix.mean(axis=1, keepdims=True)
        matrix, values = matrix - centre, values - centre
    size = float(np.abs(matrix).max())
    size = size if size > 0 else 1.0
    start = _start(agent, prior, positive=method != "gradient")
    chosen = _default_step(method, matrix) if step is None else check_positive("step", step, InputError)
    advance = _ADVANCES[method](matrix, values, start, chosen, np.random.default_rng(seed))
    every = max(1, iterations // RECORDS)
    at: list[float] = []
    residuals: list[float] = []
    point, done = start, 0
    while True:
        if done % every == 0 or done == iterations:
            at.append(float(done))
            residuals.append(float(np.abs(matrix @ point - values).max()))
            progress(done, iterations)
            if residuals[-1] <= tolerance * size or done == iterations or not np.isfinite(residuals[-1]):
                break
        point = advance(point, done)
        done += 1
    return PLearning(
        kernel=_place(agent, point),
        method=method,
        step=chosen,
        iterations=done,
        converged=bool(residuals[-1] <= tolerance * size),
        residual=residuals[-1],
        at=np.array(at),
        residuals=np.array(residuals),
    )


def _start(agent: AgentValues, prior: ArrayLike | None, *, positive: bool) -> FloatArray:
    """Return where each row starts, shape (S, rows)."""
    n, shape = agent.n_states, (*agent.available.shape, agent.n_states)
    if prior is None:
        rows = np.full((len(agent.row_index), n), 1.0 / n)
    elif np.ndim(prior) == 1:
        row = finite_array("prior", prior, (n,), "(S,)", InputError)
        rows = np.broadcast_to(row, (len(agent.row_index), n))
    else:
        rows = finite_array("prior", prior, shape, "(S, A, S)", InputError).reshape(-1, n)[agent.row_index]
    if positive and not (rows > 0).all():
        row, state = np.argwhere(rows <= 0)[0]
        raise InputError(
            f"prior is {rows[row, state]} at next state {state}; mirror descent and softmax rows start inside the "
            "simplex: give positive probabilities."
        )
    return np.array(rows.T)


def _default_step(method: Method, matrix: FloatArray) -> float:
    if method == "gradient":
        largest = float(np.linalg.norm(matrix, 2)) ** 2
    elif method == "mirror":
        largest = float((matrix**2).sum(axis=0).max())
    else:
        largest = float((matrix**2).max())
    return 1.0 / largest if largest > 0 else 1.0


Advance = Callable[[FloatArray, int], FloatArray]


def _gradient(
    matrix: FloatArray, values: FloatArray, _start: FloatArray, step: float, _rng: np.random.Generator
) -> Advance:
    return lambda point, _t: point - step * (matrix.T @ (matrix @ point - values))


def _mirror(
    matrix: FloatArray, values: FloatArray, start: FloatArray, step: float, _rng: np.random.Generator
) -> Advance:
    # In logits: an entry that is nearly 0 keeps its digits, and can come back.
    logits = np.log(start)

    def advance(point: FloatArray, _t: int) -> FloatArray:
        nonlocal logits
        logits = logits - step * (matrix.T @ (matrix @ point - values))
        return _softmax(logits)

    return advance


def _sampled(
    matrix: FloatArray, values: FloatArray, start: FloatArray, step: float, rng: np.random.Generator
) -> Advance:
    logits = np.log(start)
    rows = np.arange(start.shape[1])

    def advance(point: FloatArray, t: int) -> FloatArray:
        goals = rng.integers(len(matrix), size=len(rows))
        below = np.cumsum(point, axis=0)
        below[-1] = np.inf
        first, second = (np.asarray((rng.random(len(rows)) >= below).sum(axis=0)) for _ in range(2))
        gaps = [matrix[goals, drawn] - values[goals, rows] for drawn in (first, second)]
        # d/dlogits log p(second) = e_second - p
        weight = step / np.sqrt(1.0 + t / 1000.0) * gaps[0] * gaps[1]
        logits[:] += weight * point
        logits[second, rows] -= weight
        return _softmax(logits)

    return advance


_ADVANCES: dict[Method, Callable[[FloatArray, FloatArray, FloatArray, float, np.random.Generator], Advance]] = {
    "gradient": _gradient,
    "mirror": _mirror,
    "sampled": _sampled,
}


def _softmax(logits: FloatArray) -> FloatArray:
    """Return distributions along the first axis; subtracts the largest logit in place, which changes nothing."""
    logits -= logits.max(axis=0)
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(axis=0))


def _place(agent: AgentValues, point: FloatArray) -> FloatArray:
    kernel = np.zeros((agent.available.size, agent.n_states))
    kernel[agent.row_index] = point.T
    return kernel.reshape(*agent.available.shape, agent.n_states)
