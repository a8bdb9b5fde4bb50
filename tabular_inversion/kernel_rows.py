"""One meaning of asking a kernel for a row, dense or sparse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array, vstack

from tabular_inversion._typing import FloatArray, IntArray, Kernel, SparseMatrix
from tabular_inversion.errors import InputError


class KernelRows:
    """What has a `kernel`, dense (S, A, S) or sparse (S*A, S): rows by state and action."""

    kernel: Kernel

    def row(self, state: int, action: int) -> FloatArray:
        """Return the row of a state and an action, dense, shape (S,), whichever way the kernel is stored.

        Raises
        ------
        InputError
            If there is no such state or action.

        Examples
        --------
        >>> from tabular_inversion import MDP
        >>> world = MDP([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]], discount=0.9)
        >>> world.row(0, 1), world.sparse().row(0, 1)
        (array([1., 0.]), array([1., 0.]))
        """
        kernel = self.kernel
        n_states = kernel.shape[-1]
        n_actions = kernel.shape[1] if isinstance(kernel, np.ndarray) else kernel.shape[0] // n_states
        if not (0 <= state < n_states and 0 <= action < n_actions):
            raise InputError(f"there is no state {state} with action {action}; there are {n_states} and {n_actions}.")
        if isinstance(kernel, np.ndarray):
            return np.array(kernel[state, action])
        return np.asarray(kernel[[state * n_actions + action]].toarray()[0])

    def toarray(self) -> FloatArray:
        """Return the kernel as an array (S, A, S), whichever way it is stored: itself where it is dense already.

        Examples
        --------
        >>> from tabular_inversion import MDP
        >>> world = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)
        >>> world.sparse().toarray()
        array([[[0.5, 0.5]],
        <BLANKLINE>
               [[0. , 1. ]]])
        """
        n_states = self.kernel.shape[-1]
        return dense_rows(self.kernel).reshape(n_states, -1, n_states)


def dense_rows(rows: Kernel) -> FloatArray:
    """Return rows as a numpy array: themselves where they are one."""
    return rows if isinstance(rows, np.ndarray) else rows.toarray()


def sparse_rows(rows: Kernel) -> SparseMatrix:
    """Return a matrix of rows as a csr_array: itself where it is one."""
    return rows if isinstance(rows, csr_array) else csr_array(rows)


def absolute(rows: Kernel) -> Kernel:
    """Return the entries without their signs."""
    return np.abs(rows) if isinstance(rows, np.ndarray) else abs(rows)


def rows_times(rows: Kernel, functions: FloatArray) -> FloatArray:
    """Return ``rows @ functions``, an array whichever way the rows are stored."""
    return np.asarray(rows @ functions)


def stacked_rows(parts: Sequence[Kernel], order: IntArray) -> Kernel:
    """Return rows, which are all dense or all CSR, one below the other, in another order."""
    dense = [part for part in parts if isinstance(part, np.ndarray)]
    if len(dense) == len(parts):
        return np.asarray(np.concatenate(dense)[order])
    return csr_array(vstack([csr_array(part) for part in parts], format="csr")[order])
