"""Rows under noise: least squares weighted by each equation's noise, drawn to a prior as far as the data ask for it.

Two sources of error, each with its own linear rule. Independent errors of the values: the ridge that is minimax among
linear rules over a ball round the prior (Donoho 1994, Annals of Statistics 22), its radius estimated from all rows
by marginal likelihood (empirical Bayes: Morris 1983, JASA 78). Transitions that were sampled: the average of row and
prior that Stein's rule gives (Efron and Morris 1973, JASA 68), its weight from the counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.simplex import solve_on_simplex

_NUMBERS = 2**21
"""In one stack, 16 MB."""
_SPREADS = np.logspace(-5.0, 0.5, 111)
"""Standard deviations of an entry about the prior among which the likelihood chooses."""
_FLOOR = 1e-6
"""Of the largest deviation: what an equation that is said to be exact is taken to err by."""


class Shrunk(NamedTuple):
    """Rows, and what share of each is the prior's.

    Attributes
    ----------
    rows : numpy.ndarray, shape (R, n)
        Members of the class.
    pull : numpy.ndarray, shape (R,)
        0 where the values decide alone, 1 where the prior does: one minus the degrees of freedom left, over n - 1.
    """

    rows: FloatArray
    pull: FloatArray


class Equations(NamedTuple):
    """M p = q with the noise of each equation.

    Attributes
    ----------
    tests : numpy.ndarray, shape (k, n)
        M.
    values : numpy.ndarray, shape (k, R)
        q.
    deviation : numpy.ndarray, shape (k, R)
        The standard deviation of ``M p - q`` at the true row.
    prior : numpy.ndarray, shape (R, n)
        P0, with no weight outside the support.
    support : numpy.ndarray of bool, shape (R, n)
        Where rows may be positive.
    distributions : bool
        Whether rows are non-negative and sum to one.
    """

    tests: FloatArray
    values: FloatArray
    deviation: FloatArray
    prior: FloatArray
    support: BoolArray
    distributions: bool

    def select(self, rows: IntArray) -> Equations:
        """Return the equations of some rows."""
        own = (self.values[:, rows], self.deviation[:, rows], self.prior[rows], self.support[rows])
        return Equations(self.tests, *own, self.distributions)


def shrunk_by_noise(equations: Equations) -> Shrunk:
    """Return the posterior mode of each row, whose entries lie about the prior with a spread that all rows share.

    Parameters
    ----------
    equations : Equations
        With positive deviations somewhere.

    Notes
    -----
    With W the reciprocal deviations and t the spread, the row minimises ``|W (M p - q)|^2 + |p - p0|^2 / t^2`` in the
    class. Among linear rules this is minimax over the ball of radius t round p0, in every direction that M sees.
    t maximises the likelihood of ``W (q - M p0)``, whose covariance is ``t^2 W M M^T W + 1``.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 3), bool)
    >>> given = Equations(np.eye(3), np.array([[0.5, 0.3, 0.2]]).T, np.full((3, 1), 1e-6), one / 3, one, True)
    >>> shrunk_by_noise(given).rows.round(4)
    array([[0.5, 0.3, 0.2]])
    >>> shrunk_by_noise(given._replace(deviation=np.full((3, 1), 10.0))).rows.round(4)
    array([[0.3333, 0.3333, 0.3333]])
    """
    largest = float(equations.deviation.max())
    given = equations._replace(deviation=np.maximum(equations.deviation, _FLOOR * largest))
    patterns, of_row, scale = _patterns(given)
    likelihood, parts = np.zeros(len(_SPREADS)), _chunks(given, patterns)
    for part in parts:
        chosen = np.flatnonzero((of_row >= part.start) & (of_row < part.stop))
        found = _spectra(given, patterns[part], of_row - part.start, scale, chosen)
        for i, each in enumerate(_SPREADS):
            variance = 1.0 + (each * found.singular) ** 2
            likelihood[i] -= 0.5 * float((np.log(variance) + found.seen**2 / variance).sum())
    spread = float(_SPREADS[likelihood.argmax()])
    rows, pull = given.prior.copy(), np.ones(len(given.prior))
    for part in parts:
        chosen = np.flatnonzero((of_row >= part.start) & (of_row < part.stop))
        found = _spectra(given, patterns[part], of_row - part.start, scale, chosen)
        share = (spread * found.singular) ** 2 / (1.0 + (spread * found.singular) ** 2)
        gain = share * np.divide(found.seen, found.singular, out=np.zeros_like(share), where=found.singular > 0)
        rows[chosen] += np.einsum("rd,rdn->rn", gain, found.right) if len(found.right) > 1 else gain @ found.right[0]
        free = np.maximum(given.support[chosen].sum(axis=1) - int(given.distributions), 1)
        pull[chosen] = 1.0 - share.sum(axis=1) / free
    if given.distributions:
        outside = np.flatnonzero(rows.min(axis=1) < 0.0)
        rows[outside] = _inside(given.select(outside), spread)
    return Shrunk(rows, np.clip(pull, 0.0, 1.0))


def sampling_error(rows: FloatArray, counts: FloatArray, prior: FloatArray) -> FloatArray:
    """Return the mean squared error of the frequencies of so many draws, ``(1 - |p|^2) / N``, shape (R,).

    Infinite where nothing was drawn. The row counts with one draw of the prior's more: a single one looks certain.
    """
    smoothed = (counts[:, None] * rows + prior) / (counts[:, None] + 1.0)
    left = np.maximum(1.0 - (smoothed**2).sum(axis=1), 0.0)
    return np.asarray(np.divide(left, counts, out=np.full(len(counts), np.inf), where=counts > 0))


def averaged(rows: FloatArray, error: FloatArray, prior: FloatArray, free: FloatArray) -> Shrunk:
    """Return averages of rows and prior, the prior's weight as large as the error of the rows asks for.

    Parameters
    ----------
    rows : numpy.ndarray, shape (R, n)
        Estimates.
    error : numpy.ndarray, shape (R,)
        Their mean squared errors v, summed over entries; infinite where nothing is known.
    prior : numpy.ndarray, shape (R, n)
        P0.
    free : numpy.ndarray, shape (R,)
        Degrees of freedom of each row: successors that are possible, less one.

    Notes
    -----
    Let T be the mean of ``|p - p0|^2`` over rows, estimated by what ``|phat - p0|^2`` exceeds v by. The average with
    weight ``v / (v + T)`` has the least expected error of all averages, and tends to the row as v does to 0. That T is
    estimated costs Stein's factor (D - 2) / D, D all degrees of freedom together: with two or fewer nothing is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.full((2, 2), 0.5)
    >>> averaged(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([1e-6, np.inf]), half, np.ones(2)).rows.round(4)
    array([[0.9, 0.1],
           [0.5, 0.5]])
    """
    known = np.isfinite(error)
    distance = ((rows - prior) ** 2).sum(axis=1)
    telling = known & (free > 0)
    between = max(0.0, float((distance - error)[telling].mean())) if telling.any() else 0.0
    total = np.where(known, error, 0.0) + between
    weight = np.divide(error, total, out=np.zeros(len(rows)), where=telling & (total > 0))
    together = float(free[telling].sum())
    weight *= max(0.0, together - 2.0) / together if together else 0.0
    weight[~known] = 1.0
    return Shrunk(rows + weight[:, None] * (prior - rows), weight)


class _Spectra(NamedTuple):
    """Whitened systems of some rows: what each direction of p shows, in units of its noise."""

    singular: FloatArray  # (R, d)
    seen: FloatArray  # (R, d)
    right: FloatArray  # (R, d, n), or (1, d, n)


def _patterns(given: Equations) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return the different pairs of relative weights and supports, (D, k + n), which each row has, and its unit."""
    unit = given.deviation.max(axis=0)
    weights = (unit / given.deviation).T
    keys = np.concatenate([weights, given.support], axis=1)
    patterns, of_row = np.unique(keys, axis=0, return_inverse=True)
    return patterns, of_row.ravel(), unit


def _chunks(given: Equations, patterns: FloatArray) -> list[slice]:
    step = max(1, _NUMBERS // given.tests.size)
    return [slice(start, min(start + step, len(patterns))) for start in range(0, len(patterns), step)]


def _spectra(given: Equations, patterns: FloatArray, of_row: IntArray, scale: FloatArray, chosen: IntArray) -> _Spectra:
    k = len(given.tests)
    weights, support = patterns[:, :k], patterns[:, k:] > 0
    columns = given.tests * support[:, None, :]
    if given.distributions:  # differences of distributions sum to zero
        columns = (columns - columns.sum(axis=2, keepdims=True) / support.sum(axis=1)[:, None, None]) * support[
            :, None, :
        ]
    left, singular, right = np.linalg.svd(weights[:, :, None] * columns, full_matrices=False)
    singular = np.where(singular > 1e-12 * singular[:, :1], singular, 0.0)
    own = of_row[chosen]
    gap = (given.values[:, chosen] - given.tests @ given.prior[chosen].T).T * weights[own] / scale[chosen, None]
    seen = gap @ left[0] if len(left) == 1 else np.einsum("rk,rkd->rd", gap, left[own])
    return _Spectra(singular[own] / scale[chosen, None], seen, right if len(right) == 1 else right[own])


def _inside(given: Equations, spread: float) -> FloatArray:
    """Return the minimisers over the simplex for rows whose minimiser on its hull has negative entries."""
    rows, sizes = np.zeros(given.prior.shape), given.support.sum(axis=1)
    shared = bool((given.deviation == given.deviation[:, :1]).all() and given.support.all())
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        states = np.nonzero(given.support[alike])[1].reshape(-1, size)
        step = len(alike) if shared else max(1, _NUMBERS // ((len(given.tests) + size) * size))
        for start in range(0, len(alike), step):
            part, own = alike[start : start + step], states[start : start + step]
            weight = 1.0 / given.deviation[:, part].T
            columns = np.moveaxis(given.tests[:, own[:1] if shared else own], 0, 1)
            columns = columns * (weight[:1] if shared else weight)[:, :, None] * spread
            one = np.broadcast_to(np.eye(size), (len(columns), size, size))
            start_at = np.take_along_axis(given.prior[part], own, axis=1)
            targets = np.concatenate([spread * weight * given.values[:, part].T, start_at], axis=1)
            matrix = np.concatenate([columns, one], axis=1)
            unit = np.abs(matrix).max(axis=(1, 2), keepdims=True)
            system = affine_system(matrix / unit)
            found = solve_on_simplex(system, targets / unit[:, :, 0] - system.centre, start_at)
            rows[part[:, None], own] = found
    return rows
