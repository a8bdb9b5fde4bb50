"""The sampled gradient of P-learning (T1): enumerated over all samples, with symbols, and as the package samples it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from proofs_checks.polynomials import SymbolArray, identity, symbol_arrays
from proofs_checks.statement import Tally
from tabular_inversion import AgentValues, Goals
from tabular_inversion.learning import p_learning


def softmax_log_derivative(probabilities: SymbolArray, outcome: int) -> SymbolArray:
    """Return the derivatives of log p_j by the logits of a softmax row, which are [i = j] - p_i.

    Examples
    --------
    >>> softmax_log_derivative(symbol_arrays(p=(2,))["p"], 0)
    array([-p_0 + 1, -p_1], dtype=object)
    """
    derivative: SymbolArray = identity(len(probabilities))[outcome] - probabilities
    return derivative


def check_sampled_gradient(_rng: np.random.Generator, amount: int, *, shared: bool = False) -> Tally:
    """For 2 <= n <= amount and two goals: E[2 delta_1 delta_2 grad log p(s_2)] is the gradient of E_d[delta^2].

    Every pair of samples is enumerated, with symbols for the probabilities (the last is one less the others), for M,
    for q and for the weights d of the goals. With `shared`, s_1 is s_2, and the factor 2 is left out: an estimate of
    the gradient of E[delta^2 + Var(M)].
    """
    tally = Tally()
    for n in range(2, amount + 1):
        symbols = symbol_arrays(p=(n - 1,), M=(2, n), q=(2,), d=(2,))
        free = symbols["p"]
        p = np.append(free, 1 - free.sum())
        difference: Any = 0
        spread: Any = 0
        for matrix, value, weight in zip(symbols["M"], symbols["q"], symbols["d"], strict=True):
            delta = matrix - value
            mean = (p * delta).sum()
            slopes = [softmax_log_derivative(p, j) * p[j] for j in range(n)]
            mean_slope = sum(slopes[j] * matrix[j] for j in range(n))
            if shared:
                estimate = sum(slopes[j] * delta[j] ** 2 for j in range(n))
                square_slope = sum(slopes[j] * matrix[j] ** 2 for j in range(n))
                spread = spread + (square_slope - mean_slope * (p * matrix).sum() * 2) * weight
            else:
                pairs = product(range(n), repeat=2)
                estimate = sum(slopes[j] * (p[i] * delta[i] * delta[j] * 2) for i, j in pairs)
            difference = difference + (estimate - mean_slope * mean * 2) * weight
        explained = "the slope of the variance" if (difference == spread).all() else "something else"
        tally.add(bool((difference == 0).all()), 0.0, f"n={n}: the mean differs from the gradient by {explained}")
    return tally


def check_package_samples(rng: np.random.Generator, amount: int, *, shared: bool = False) -> Tally:
    """One sampled step of the package in 20,000 rows at a time: its mean is half the gradient, within 6 deviations.

    Each state has as many actions with the same values and the same start, so that a step is taken from as many
    independent samples. Changes of logits are read off the kernel: they sum to zero in each row. With `shared`, the
    claim is that the mean is that of one shared sample.
    """
    tally, step, n_rows = Tally(), 1e-6, 20_000
    for i in range(amount):
        n = 2 + i % 3
        matrix, start = rng.standard_normal((2, n)), rng.dirichlet(np.full(n, 3.0))
        values = matrix @ rng.dirichlet(np.full(n, 3.0))
        q = np.broadcast_to(values[:, None, None], (2, n, n_rows // n))
        agent = AgentValues(q, Goals(matrix), 0.0)  # at discount 0 the test matrix is the rewards
        prior = np.broadcast_to(start, (n, n_rows // n, n))
        learned = p_learning(agent, "sampled", prior=prior, step=step, iterations=1, tolerance=1e-300, seed=rng)
        logits = np.log(learned.kernel.reshape(-1, n) / start)
        estimates = -(logits - logits.mean(axis=1, keepdims=True)) / step
        deltas = matrix - values[:, None]
        centred = deltas - (deltas @ start)[:, None]
        expected = (start * (deltas @ start)[:, None] * centred).mean(axis=0)
        if shared:
            expected = (start * (deltas**2 - (deltas**2 @ start)[:, None])).mean(axis=0)
        deviation = estimates.std(axis=0) / np.sqrt(len(estimates))
        away = float(np.abs((estimates.mean(axis=0) - expected) / deviation).max())
        tally.add(away < 6.0, away, f"n={n}: the mean is {away:.1f} deviations away")
    return tally
