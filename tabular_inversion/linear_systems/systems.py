"""The linear systems behind every evaluation of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.kernel_rows import rows_times
from tabular_inversion.kinds import checked
from tabular_inversion.linear_systems.closed_loops import ClosedLoops


@checked
@dataclass(frozen=True, eq=False)
class LinearSystems:
    """A_g x_g = b_g with A_g = I - diag(factors[g]) P_g, for each goal g.

    Attributes
    ----------
    loops : ClosedLoops
        The chains P_g, one for all goals or one for each.
    factors : numpy.ndarray, shape (G, S)
        discount * continuation, in [0, 1]: a test matrix M solves M_g = b_g + factors[g] * (P_g M_g).

    Examples
    --------
    >>> from tabular_inversion import MDP
    >>> from tabular_inversion.linear_systems import ClosedLoops, Transitions
    >>> loop = ClosedLoops.of_policy(Transitions.of(MDP([[[1.0]]], discount=0.5)), np.ones((1, 1)))
    >>> apply = LinearSystems(loop, np.full((1, 1), 0.5)).operator()
    >>> apply(np.array([[2.0]]))
    array([[1.]])
    """

    loops: ClosedLoops
    factors: FloatArray

    @property
    def n_goals(self) -> int:
        """The number G of goals."""
        return int(self.factors.shape[0])

    @property
    def n_states(self) -> int:
        """The number n of states."""
        return int(self.factors.shape[1])

    @property
    def is_shared(self) -> bool:
        """Whether one chain serves every goal."""
        return self.loops.n_loops == 1

    def select(self, goals: slice | IntArray) -> LinearSystems:
        """Return the systems of some goals."""
        return LinearSystems(self.loops.select(goals), self.factors[goals])

    def chunks(self, size: float) -> Iterator[slice]:
        """Cut the goals into runs of at most `size`, at least one."""
        step = int(min(max(1.0, size), self.n_goals))
        return (slice(start, start + step) for start in range(0, self.n_goals, step))

    def operator(self) -> Callable[[FloatArray], FloatArray]:
        """Return the map x -> (A_g x_g) for arrays (G, S)."""
        expect = self._expectation()

        def apply(x: FloatArray) -> FloatArray:
            image = expect(x)
            image *= self.factors
            return np.subtract(x, image, out=image)

        return apply

    def _expectation(self) -> Callable[[FloatArray], FloatArray]:
        """Return the map x -> (P_g x_g), which writes to a new array."""
        loops = self.loops
        if self.is_shared:
            matrix = loops.stacked
            if isinstance(matrix, np.ndarray):
                transposed = matrix.T
                return lambda x: x @ transposed
            return lambda x: rows_times(matrix, x.T).T
        if loops.transitions.is_sparse:
            blocks = loops.block_diagonal()
            return lambda x: rows_times(blocks, x.ravel()).reshape(x.shape)
        return self._expectation_from_all_rows

    def _expectation_from_all_rows(self, x: FloatArray) -> FloatArray:
        """Return P_g x_g by one matrix product with all rows, of which each policy takes its share."""
        transitions, policies = self.loops.transitions, self.loops.policies
        expected = np.asarray(x @ transitions.rows.T).reshape(*x.shape, transitions.n_actions)
        if self.loops.takes_one_action:
            return np.take_along_axis(expected, policies[:, :, None], axis=2)[:, :, 0]
        mixed: FloatArray = np.einsum("gsa,gsa->gs", expected, policies)
        return mixed


def largest(values: FloatArray) -> FloatArray:
    """Return the largest absolute entry of each row, without a copy of the array."""
    most: FloatArray = np.maximum(values.max(axis=1), -values.min(axis=1))
    return most
