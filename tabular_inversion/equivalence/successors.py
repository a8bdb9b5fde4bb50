"""Value-equivalence classes of `Deterministic`: the successors that have a row's values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise
from tabular_inversion.equivalence.interface import Interval, Norm, ValueEquivalence, check_norm
from tabular_inversion.equivalence.nearest import Divergence, check_divergence
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import Deterministic
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.equations import TINY, UNIT, rounding
from tabular_inversion.recovery.intervals import refusal
from tabular_inversion.recovery.system import RowSystem

_CHUNK = 2**22


@checked
@dataclass(frozen=True, eq=False, repr=False)
class SuccessorSets(ValueEquivalence):
    """Finitely many rows for each (s, a), the vertices of the simplex that have its values.

    Attributes
    ----------
    successors : numpy.ndarray of bool, shape (rows, S)
        Which states are candidates; at least one for each available row.
    """

    successors: BoolArray

    @property
    def dimension(self) -> IntArray:
        """0 for every available row: a finite set; count `candidates` to see which rows are identified."""
        return np.asarray(self._place(np.zeros(len(self.successors), np.intp), -1))

    @property
    def candidates(self) -> BoolArray:
        """Which successors have the row's values, shape (S, A, S); False where the action is unavailable."""
        return self._place_rows(self.successors.astype(float), 0.0) > 0

    def _bounds(self, rows: ArrayLike | None) -> Interval:
        asked = self._asked(rows)[:, :, None]
        only = self.successors & (self.successors.sum(axis=1, keepdims=True) == 1)
        ends = (self._place_rows(end.astype(float), np.nan) for end in (only, self.successors))
        return Interval(*(np.where(asked, end, np.nan) for end in ends))

    def diameter(self, norm: Norm = "max", *, seconds: float = 0.0) -> Interval:  # noqa: ARG002
        """Return 0 for one candidate; else 1 in the maximum norm and 2 in the L1 norm. Both ends are equal."""
        check_norm(norm)
        several = self.successors.sum(axis=1) > 1
        exact = self._place(several * (1.0 if norm == "max" else 2.0), np.nan)
        return Interval(exact, exact)

    def nearest(self, prior: ArrayLike, divergence: Divergence = "euclidean") -> FloatArray:
        """Return the candidate with the largest prior, which is the nearest in both divergences."""
        check_divergence(divergence)
        given = np.where(self.successors, self._prior(prior), -np.inf)
        if divergence == "kl" and not (given.max(axis=1) > 0).all():
            raise InputError("prior is 0 on every candidate of a row; the divergence needs a positive one.")
        return self._place_rows(np.eye(given.shape[1])[given.argmax(axis=1)], 0.0)

    def vertices(self, state: int, action: int) -> FloatArray:
        """Return the candidates of one row as distributions, shape (count, S)."""
        row = self._available_row(state, action)
        return np.asarray(np.eye(self.agent.n_states)[self.successors[row]])

    def sample(self, n_samples: int, *, seed: int | np.random.Generator, thinning: int | None = None) -> FloatArray:  # noqa: ARG002
        """Draw candidates uniformly and independently, shape (n_samples, S, A, S)."""
        if n_samples < 1:
            raise InputError(f"n_samples is {n_samples}; expected an integer of at least 1.")
        keys = np.random.default_rng(seed).random((n_samples, *self.successors.shape))
        drawn = np.where(self.successors, keys, -1.0).argmax(axis=2)
        return self._place_rows(np.eye(self.agent.n_states)[drawn], 0.0)

    def functional_bounds(self, weights: ArrayLike) -> Interval:
        """Return the least and largest weight of a candidate; see `ValueEquivalence`."""
        functions = self._weights(weights)[:, None, :]
        lower = np.where(self.successors, functions, np.inf).min(axis=2)
        upper = np.where(self.successors, functions, -np.inf).max(axis=2)
        ends = (self._place(end, np.nan) for end in (lower, upper))
        return Interval(*(end[0] if np.ndim(weights) == 1 else end for end in ends))

    def extreme_kernel(self, weights: ArrayLike, *, largest: bool) -> FloatArray:
        """Return the candidate with the largest or least weight in every row; see `ValueEquivalence`."""
        function = self._weights(weights)[0] * (1.0 if largest else -1.0)
        best = np.where(self.successors, function, -np.inf).argmax(axis=1)
        return self._place_rows(np.eye(self.agent.n_states)[best], 0.0)

    def determined_functionals(self, weights: ArrayLike) -> BoolArray:
        """Tell which weights are the same for all candidates of a row; see `ValueEquivalence`."""
        ends = self.functional_bounds(weights)
        return np.asarray((ends.lower == ends.upper) | ~self.agent.available)


def matching_successors(agent: AgentValues, noise: Noise) -> BoolArray:
    """Compare every column of M with the values of every row, shape (rows, S).

    A column is a candidate where it misses the values by no more than the uncertainty of both, noise included.

    Raises
    ------
    AgentValuesError
        If a row matches no column.
    """
    system = RowSystem.of_agent(agent, sums_to_one=True, noise=noise)
    k = agent.n_goals
    tests, doubt = system.matrix[:k], (1.0 + rounding(4)) * system.uncertainty[:k]
    values, own = system.values[:k], (1.0 + rounding(4)) * system.value_uncertainty[:k] + TINY
    matches = np.empty((values.shape[1], agent.n_states), bool)
    nearest, miss = np.empty(len(matches), np.intp), np.empty(len(matches))
    block = max(1, _CHUNK // tests.size)
    for start in range(0, len(matches), block):
        part = slice(start, start + block)
        gap = np.abs(tests[:, None, :] - values[:, part, None])
        limit = doubt[:, None, :] + own[:, part, None] + UNIT * gap
        matches[part] = (gap <= limit).all(axis=0)
        worst = (gap / limit).max(axis=0)
        nearest[part], miss[part] = worst.argmin(axis=1), worst.min(axis=1)
    empty = np.flatnonzero(~matches.any(axis=1))
    if empty.size:
        row = int(empty[miss[empty].argmax()])
        raise refusal(agent, Deterministic(), system, row, int(empty.size), np.eye(agent.n_states)[nearest[row]])
    return matches
