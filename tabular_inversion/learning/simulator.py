"""Interaction: many copies of a world, stepped at once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
class Simulator:
    """A world that can be acted in but not looked into.

    Parameters
    ----------
    mdp : MDP
        The world, dense or sparse.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion.environments import chain
    >>> simulator = Simulator(chain(5))
    >>> simulator.step(np.array([0, 1]), np.array([1, 1]), seed=0)
    array([1, 2])
    """

    def __init__(self, mdp: MDP) -> None:
        self.n_states = mdp.n_states
        self.n_actions = mdp.n_actions
        self.available = mdp.available
        self._mdp = mdp

    @cached_property
    def _outcomes(self) -> tuple[IntArray, FloatArray]:
        """Successors of each row (S*A, N), and the probabilities of all up to each (S*A, N), padded with 1."""
        rows = sparse_rows(self._mdp.rows)
        rows.sort_indices()
        lengths = np.diff(rows.indptr)
        places = np.arange(rows.nnz) - np.repeat(rows.indptr[:-1], lengths)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        successors = np.zeros((len(lengths), max(1, int(lengths.max(initial=1)))), dtype=np.intp)
        shares = np.zeros(successors.shape)
        successors[owner, places] = rows.indices
        shares[owner, places] = rows.data
        below = np.cumsum(shares, axis=1)
        # Beyond the last outcome, and at it: rounding must not leave a gap below 1.
        below[np.arange(successors.shape[1]) >= lengths[:, None] - 1] = np.inf
        return successors, below

    def step(self, states: IntArray, actions: IntArray, *, seed: int | np.random.Generator) -> IntArray:
        """Return where each copy arrives.

        Parameters
        ----------
        states, actions : numpy.ndarray of int, shape (B,)
            Where each copy is, and what it does; the action must be available there.
        seed : int or numpy.random.Generator
            Where the randomness comes from.

        Returns
        -------
        numpy.ndarray of int, shape (B,)

        Raises
        ------
        InputError
            If an action is not available.
        """
        if not self.available[states, actions].all():
            copy = int(np.flatnonzero(~self.available[states, actions])[0])
            raise InputError(
                f"copy {copy} is in state {states[copy]} and takes action {actions[copy]}, which is not available."
            )
        successors, below = self._outcomes
        row = states * self.n_actions + actions
        drawn = np.random.default_rng(seed).random(len(row))
        return np.asarray(successors[row, (drawn[:, None] >= below[row]).sum(axis=1)])
