"""A kernel in the form that suits it, with the figures on which the choice of a linear solver depends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from tabular_inversion._typing import FloatArray, Kernel, SparseMatrix
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

DENSE_BYTES = 2**29
"""No square matrix, and no kernel made dense here, takes more than this (512 MiB)."""

DENSITY_LIMIT = 0.1
"""Above this share of positive entries, dense products beat sparse ones."""


@checked
def suited_form(mdp: MDP) -> MDP:
    """Return the same world, with its kernel stored as its share of positive entries asks for.

    Examples
    --------
    >>> import numpy as np
    >>> suited_form(MDP(np.eye(20)[:, None, :], discount=0.9))
    MDP(n_states=20, n_actions=1, discount=0.9, sparse)
    """
    kernel = mdp.kernel
    entries = np.count_nonzero(kernel) if isinstance(kernel, np.ndarray) else kernel.nnz
    size = mdp.available.size * mdp.n_states
    if entries <= DENSITY_LIMIT * size:
        return mdp.sparse()
    return mdp.dense() if 8 * size <= DENSE_BYTES else mdp


@checked
@dataclass(frozen=True, eq=False)
class Transitions:
    """The rows of a kernel and what they cost to work with.

    Attributes
    ----------
    rows : numpy.ndarray or csr_array, shape (S*A, S)
        Row (s, a) is number s*A + a.
    n_states, n_actions : int
        n and m.

    Examples
    --------
    >>> line = MDP(csr_array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), discount=0.5)
    >>> figures = Transitions.of(line)
    >>> figures.is_deterministic, figures.lu_entries
    (True, 10.0)
    """

    rows: Kernel
    n_states: int
    n_actions: int

    @classmethod
    def of(cls, mdp: MDP) -> Transitions:
        """Take the rows of a world."""
        return cls(mdp.rows, mdp.n_states, mdp.n_actions)

    @property
    def is_sparse(self) -> bool:
        """Whether the rows are stored as a CSR matrix."""
        return not isinstance(self.rows, np.ndarray)

    @property
    def entries_per_row(self) -> float:
        """Stored entries for each row, on average."""
        rows = self.rows
        return float(self.n_states) if isinstance(rows, np.ndarray) else float(rows.nnz / rows.shape[0])

    @cached_property
    def is_deterministic(self) -> bool:
        """Whether every row stores at most one entry (asked of sparse rows only)."""
        return not isinstance(self.rows, np.ndarray) and bool(np.diff(self.rows.indptr).max() <= 1)

    @cached_property
    def _heights(self) -> FloatArray:
        rows = self.rows
        return np.full(1, np.inf) if isinstance(rows, np.ndarray) else _envelope_heights(rows, self.n_states)

    @property
    def lu_entries(self) -> float:
        """Entries of an LU factorisation of I - P_pi, for any policy, in reverse Cuthill-McKee order.

        Elimination fills the envelope of that order and nothing outside. Infinite for dense rows.
        """
        return float(2.0 * self._heights.sum())

    @property
    def lu_flops(self) -> float:
        """Operations of that factorisation."""
        return float(2.0 * (self._heights**2).sum())


def _envelope_heights(rows: SparseMatrix, n_states: int) -> FloatArray:
    """For each state, how far the envelope of the reordered, symmetrised pattern reaches back from its diagonal."""
    n_actions = rows.shape[0] // n_states
    # The rows of one state stand together, so every A-th pointer delimits the union of its actions.
    pattern = csr_array((rows.data, rows.indices, rows.indptr[::n_actions]), shape=(n_states, n_states))
    position = np.empty(n_states, dtype=np.intp)
    position[reverse_cuthill_mckee(pattern)] = np.arange(n_states)
    first, second = np.repeat(position, np.diff(pattern.indptr)), position[pattern.indices]
    reach = np.arange(n_states)
    np.minimum.at(reach, np.maximum(first, second), np.minimum(first, second))
    return np.asarray(np.arange(n_states) - reach + 1, dtype=np.float64)
