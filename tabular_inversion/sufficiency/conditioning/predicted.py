"""Predicted errors: how far noise of a given size moves the rows that a goal set determines.

With A the equations of a row in an orthonormal basis of the differences of distributions, the recovered row is off by
x with ``(A + E) x = e``: e the error of the equations, at most (1 + discount) times that of the values, E that of M. So
``(I + A^+ E) x = A^+ e``, and ``E |A^+ e|^2 <= (1 + discount)^2 eps^2 t`` with ``t = trace (A^T A)^-1``, which falls
with every goal that is added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets

CONFIDENCE = 0.95
"""With this probability no row is further off than predicted."""

DIAMETER = float(np.sqrt(2.0))
"""The largest 2-norm distance between two distributions: what is predicted where a row is not determined."""

INDEPENDENT = 1e-9
"""An equation this small, relative to itself, after those before it is taken for one of them."""


@dataclass(frozen=True, eq=False)
class Conditioning(Record):
    """How well a goal set determines the sets of successors.

    Attributes
    ----------
    sigma : numpy.ndarray, shape (sets,)
        The smallest singular value of each set's equations; 0 where they are too few or dependent.
    trace : numpy.ndarray, shape (sets,)
        ``trace (A^T A)^-1``; infinity where the smallest singular value is 0.
    unknowns : numpy.ndarray of int, shape (sets,)
        d, the columns of A.
    """

    sigma: FloatArray
    trace: FloatArray
    unknowns: IntArray

    def predicted(self, sets: SuccessorSets, *, noise: float, discount: float) -> FloatArray:
        """Return the 2-norm error of each row that is not exceeded in any with probability 0.95, shape (rows,).

        Parameters
        ----------
        sets : SuccessorSets
            Of the rows.
        noise : float
            The standard deviation of the error of a value, or the most that it can be, in the units of the equations.
        discount : float
            Gamma.

        Notes
        -----
        ``z (1 + discount) noise sqrt(t) / (1 - discount noise sqrt(d t))``, never more than sqrt(2): z is the normal
        quantile at 0.95 for all rows together (Bonferroni), which also bounds sums of squares of unequal weight
        (Szekely and Bakirov 2003).
        """
        if noise == 0:
            per_set = np.where(np.isfinite(self.trace), 0.0, DIAMETER)
            return sets.of_rows(per_set, 0.0)
        return sets.of_rows(self.of_traces(self.trace, sets.n_rows, noise=noise, discount=discount), 0.0)

    def of_traces(self, trace: FloatArray, n_rows: int, *, noise: float, discount: float) -> FloatArray:
        """Return the predicted error for each trace."""
        z = float(norm.isf((1.0 - CONFIDENCE) / max(n_rows, 1) / 2.0))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            shrunk = 1.0 - discount * noise * np.sqrt(self.unknowns * trace)
            error = np.where(shrunk > 0, z * (1.0 + discount) * noise * np.sqrt(trace) / shrunk, DIAMETER)
        return np.asarray(np.minimum(np.nan_to_num(error, nan=DIAMETER, posinf=DIAMETER), DIAMETER))


def conditioning(matrix: FloatArray, sets: SuccessorSets) -> Conditioning:
    """Return the conditioning of all goals of a matrix on all sets.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M, each goal in units of its own noise.
    sets : SuccessorSets
        The sets.

    Examples
    --------
    >>> from tabular_inversion.kernel_classes import Stochastic
    >>> sets = SuccessorSets.of(Stochastic(), np.arange(2), 2)
    >>> found = conditioning(np.array([[0.0, 1.0]]), sets)
    >>> found.sigma.round(3), found.trace.round(3), found.unknowns
    (array([0.707]), array([2.]), array([1]))
    """
    needed = sets.needed
    sigma, trace = np.zeros(len(needed)), np.full(len(needed), np.inf)
    for part, equations in sets.equations(matrix):
        unknowns = equations.shape[2]
        if equations.shape[1] < unknowns:
            continue
        values = np.linalg.svd(equations, compute_uv=False)
        full = values[:, -1] > INDEPENDENT * 1e-3 * values[:, 0]
        sigma[part] = np.where(full, values[:, -1], 0.0)
        with np.errstate(divide="ignore"):
            trace[part] = np.where(full, (1.0 / np.where(full[:, None], values, 1.0) ** 2).sum(axis=1), np.inf)
    return Conditioning(sigma, trace, needed)


def scales_of(q: FloatArray, *, relative: bool) -> FloatArray:
    """Return the unit of each goal's noise: its largest value where noise is relative, else 1; shape (k,).

    Examples
    --------
    >>> scales_of(np.array([[[0.5]], [[-36.0]], [[0.0]]]), relative=True)
    array([ 0.5, 36. ,  1. ])
    """
    if not relative:
        return np.ones(len(q))
    largest = np.maximum(q.max(axis=(1, 2)), -q.min(axis=(1, 2)))
    return np.where(largest > 0, largest, 1.0)
