"""The Markov chains that remain once policies act, without ever writing all of them out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray, IntArray, Kernel, SparseMatrix
from tabular_inversion.kernel_rows import dense_rows, sparse_rows
from tabular_inversion.kinds import checked
from tabular_inversion.linear_systems.transitions import Transitions

Policies: TypeAlias = Any
"""Actions, an integer array (L, S), or probabilities of actions, an array (L, S, A)."""


@checked
@dataclass(frozen=True, eq=False)
class ClosedLoops:
    """P_l[s, t] = sum_a policy[l, s, a] kernel[s, a, t] for each loop l: one that all goals share, or one for each.

    Attributes
    ----------
    transitions : Transitions
        The kernel.
    policies : numpy.ndarray, shape (L, S) of int or (L, S, A) of float
        The actions taken, where policies are deterministic, or the probabilities of actions.

    Examples
    --------
    >>> from tabular_inversion import MDP
    >>> mdp = MDP([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], discount=0.5)
    >>> ClosedLoops.of_policy(Transitions.of(mdp), np.full((2, 2), 0.5)).dense()
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """

    transitions: Transitions
    policies: Policies

    @classmethod
    def of_policy(cls, transitions: Transitions, policy: FloatArray) -> ClosedLoops:
        """Close the loop by a policy, shape (S, A) or (G, S, A); deterministic ones are stored as actions."""
        weights = policy.reshape(-1, transitions.n_states, transitions.n_actions)
        if np.count_nonzero(weights) == weights.size // transitions.n_actions and weights.max(axis=2).min() == 1.0:
            return cls(transitions, weights.argmax(axis=2))
        return cls(transitions, weights)

    @property
    def n_loops(self) -> int:
        """L: 1 if all goals share the loop."""
        return len(self.policies)

    @property
    def takes_one_action(self) -> bool:
        """Whether policies are stored as actions."""
        return bool(self.policies.ndim == 2)

    @property
    def is_deterministic(self) -> bool:
        """Whether every state of every loop has one successor."""
        return self.transitions.is_deterministic and self.takes_one_action

    @property
    def entries_per_state(self) -> float:
        """Successors of a state, on average, at most."""
        return self.transitions.entries_per_row * (1 if self.takes_one_action else self.transitions.n_actions)

    def select(self, goals: slice | IntArray) -> ClosedLoops:
        """Return the loops of some goals; a shared loop serves any of them."""
        return self if self.n_loops == 1 else ClosedLoops(self.transitions, self.policies[goals])

    def row_numbers(self) -> IntArray:
        """Return the number, in the kernel, of the row that each state of a deterministic loop follows, (L, S)."""
        first_rows = np.arange(self.transitions.n_states) * self.transitions.n_actions
        return np.asarray(first_rows + self.policies, dtype=np.intp)

    @cached_property
    def stacked(self) -> Kernel:
        """Return all loops, one below the other: ndarray or csr_array (L*S, S), as the kernel is stored."""
        rows, n_states, n_actions = self.transitions.rows, self.transitions.n_states, self.transitions.n_actions
        if self.takes_one_action:
            return rows[self.row_numbers().ravel()]
        policy = self.policies
        if not isinstance(rows, np.ndarray):
            columns = np.tile(np.arange(rows.shape[0]), self.n_loops)
            pointers = np.arange(0, policy.size + 1, n_actions)
            shares = csr_array((policy.ravel(), columns, pointers), shape=(len(pointers) - 1, rows.shape[0]))
            return csr_array(shares @ rows)
        mixed: FloatArray = policy.transpose(1, 0, 2) @ rows.reshape(n_states, n_actions, n_states)
        return mixed.transpose(1, 0, 2).reshape(-1, n_states)

    def dense(self) -> FloatArray:
        """Return all loops as one array (L, S, S)."""
        n_states = self.transitions.n_states
        return dense_rows(self.stacked).reshape(-1, n_states, n_states)

    def block_diagonal(self) -> SparseMatrix:
        """Return all loops of a sparse kernel on the diagonal of one csr_array (L*S, L*S)."""
        matrix, n_states = sparse_rows(self.stacked), self.transitions.n_states
        size = matrix.shape[0]
        index = np.int64 if size > np.iinfo(np.int32).max else np.int32
        starts: IntArray = np.arange(0, size, n_states, dtype=index)
        offsets = np.repeat(starts, np.diff(matrix.indptr[::n_states]))
        return csr_array((matrix.data, matrix.indices + offsets, matrix.indptr), shape=(size, size))
