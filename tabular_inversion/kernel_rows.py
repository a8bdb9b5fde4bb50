"""One meaning of asking a kernel for a row, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from tabular_inversion._typing import FloatArray, Kernel
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
        kernel: Any = self.kernel
        n_states = kernel.shape[-1]
        n_actions = kernel.shape[0] // n_states if issparse(kernel) else kernel.shape[1]
        if not (0 <= state < n_states and 0 <= action < n_actions):
            raise InputError(f"there is no state {state} with action {action}; there are {n_states} and {n_actions}.")
        found = (
            kernel[[state * n_actions + action]].toarray()[0] if issparse(kernel) else np.array(kernel[state, action])
        )
        return np.asarray(found)
