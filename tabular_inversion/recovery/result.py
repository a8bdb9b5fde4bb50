"""What every recovery method returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.kernel_rows import stacked_rows
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Recovery(Record):
    """Rows that explain the values as well as the class allows. Whether they are the only ones is `identify`'s part.

    Attributes
    ----------
    rows : numpy.ndarray or scipy.sparse.csr_array, shape (rows, S)
        One row for each available (s, a), in ascending order of s*A + a.
    residual : numpy.ndarray, shape (rows,)
        ``max_g |M p - q|`` of each row.
    rank : int
        Numerical rank of the system that was inverted: of M for the unconstrained class, of [M;1] for all others.
    condition : float
        Condition number of the systems solved, as each method documents it: an estimate for LU, and for classes of
        distributions the largest singular value of [M;1], to within sqrt 2, over the smallest that values can see.
    method : str
        How the rows were found.

    Examples
    --------
    >>> from tabular_inversion.recovery import simplex_rows
    >>> found = simplex_rows(np.eye(2), np.array([[0.25], [0.75]]))
    >>> found.kernel(np.array([1]), np.array([[False, True], [False, False]])).shape
    (2, 2, 2)
    """

    rows: Kernel
    residual: FloatArray
    rank: int
    condition: float
    method: str

    def kernel(self, row_index: IntArray, available: BoolArray) -> Kernel:
        """Put the rows in their places in a kernel, with zero rows for unavailable actions.

        Parameters
        ----------
        row_index : numpy.ndarray of int, shape (rows,)
            Numbers s*A + a of the rows.
        available : numpy.ndarray of bool, shape (S, A)
            Which actions exist.

        Returns
        -------
        numpy.ndarray (S, A, S) or scipy.sparse.csr_array (S*A, S)
            Of the form in which the rows are stored.
        """
        n_states = self.rows.shape[1]
        if issparse(self.rows):
            counts = np.zeros(available.size, dtype=self.rows.indptr.dtype)
            counts[row_index] = np.diff(self.rows.indptr)
            indptr = np.concatenate([[0], np.cumsum(counts)])
            return csr_array((self.rows.data, self.rows.indices, indptr), shape=(available.size, n_states))
        if len(row_index) == available.size:
            return self.rows.reshape(*available.shape, n_states)
        placed = np.zeros((available.size, n_states))
        placed[row_index] = self.rows
        return placed.reshape(*available.shape, n_states)


def together(parts: Sequence[Recovery], places: Sequence[IntArray]) -> Recovery:
    """Return rows found in parts in their own order.

    Parameters
    ----------
    parts : sequence of Recovery
        At least one.
    places : sequence of numpy.ndarray of int
        The numbers of each part's rows; each number from 0 once.
    """
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate(places))
    rows = [part.rows for part in parts]
    return Recovery(
        stacked_rows(rows, order),
        np.concatenate([part.residual for part in parts])[order],
        min(part.rank for part in parts),
        max(part.condition for part in parts),
        "; ".join(dict.fromkeys(part.method for part in parts)),
    )
