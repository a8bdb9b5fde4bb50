"""Rows on small known supports, one after the other at the speed of compiled code, each with its proof (T5a).

With T the support of a row and t one of its states, the other probabilities x solve

    (M[:, T - t] - M[:, t]) x = q - M[:, t].

Elimination with complete pivoting picks |T| - 1 of the goals and inverts their equations A. If X is that inverse as
computed, and E bounds the error of A, then every matrix within E is regular if the rows of |1 - X A| + |X| E sum to rho
less than 1; then the row is the only one with its values, and the true x differs from a computed one by at most
max |X| (|b - A x| + errors of A and b) / (1 - rho). All rounding is counted in. Rows for which this does not come out,
or whose x is no distribution that explains all goals, are left to others: they are not called anything here.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray


class CertifiedRows(NamedTuple):
    """Rows that are proved to be identified, and those of which nothing is said.

    Attributes
    ----------
    weights : numpy.ndarray, shape (entries,)
        The probabilities, in the order of the supports; NaN where nothing is said.
    accuracy : numpy.ndarray, shape (rows,)
        How far each entry of a row is from the true one at most; infinite where nothing is said.
    """

    weights: FloatArray
    accuracy: FloatArray

    @property
    def proved(self) -> BoolArray:
        """Which rows are identified, shape (rows,)."""
        return np.isfinite(self.accuracy)


def certified_rows(
    test_matrix: FloatArray,
    test_error: FloatArray,
    values: FloatArray,
    value_error: FloatArray,
    supports: tuple[IntArray, IntArray],
) -> CertifiedRows:
    """Recover rows on known supports and prove that they are the only ones.

    Parameters
    ----------
    test_matrix, test_error : numpy.ndarray, shape (S, k)
        M and a bound on the error of its entries, goals side by side.
    values, value_error : numpy.ndarray, shape (rows, k)
        The right-hand sides and a bound on their error.
    supports : tuple of numpy.ndarray of int
        The parts indptr and indices of a CSR matrix (rows, S); indptr may start anywhere in the indices.

    Notes
    -----
    Compiled by numba; without it every row is left.

    Examples
    --------
    >>> tests = np.array([[0.0], [1.0]])
    >>> found = certified_rows(tests, 0 * tests, np.array([[0.25]]), np.zeros((1, 1)), (np.array([0, 2]), np.arange(2)))
    >>> found.weights.round(9), bool(found.proved[0])
    (array([0.75, 0.25]), True)
    """
    indptr, indices = supports
    first = int(indptr[0])
    weights = np.full(int(indptr[-1]) - first, np.nan)
    accuracy = np.full(len(values), np.inf)
    if can_certify():
        _kernel()(test_matrix, test_error, values, value_error, indptr, indices[first:], weights, accuracy)
    return CertifiedRows(weights, accuracy)


def can_certify() -> bool:
    """Tell whether numba is there to compile the loop."""
    return find_spec("numba") is not None


@cache
def _kernel() -> Any:
    """Compile the loop; what was compiled is kept on disk for later runs."""
    from tabular_inversion.recovery import compiled_rows

    return compiled_rows.loop
