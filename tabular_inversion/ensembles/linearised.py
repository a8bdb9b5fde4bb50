"""The least-squares kernel of mean values, and how it moves with each member, to first order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.parts import parts_of
from tabular_inversion.ensembles.ensemble import Ensemble
from tabular_inversion.kernel_classes import KernelClass

_NUMBERS = 2**21
"""In one stack, 16 MB."""
_SMALL = 1e-11
"""Of the largest singular value: what counts as zero."""
_SEEN = 1e-7
"""How far an entry may be from the span of the equations to count as determined."""
_ROUNDING = 64.0 * float(np.finfo(np.float64).eps)


class Equations(NamedTuple):
    """Rows that share their equations.

    Attributes
    ----------
    places : numpy.ndarray of int, shape (r,)
        Their numbers among the agent's rows.
    tests, values : numpy.ndarray, shapes (k, n) and (k, r)
        The mean M and q, or those of the original agent.
    weights : numpy.ndarray, shape (k,)
        By which each goal counts.
    """

    places: IntArray
    tests: FloatArray
    values: FloatArray
    weights: FloatArray


class Linearised(NamedTuple):
    """Least squares without signs for each row.

    Attributes
    ----------
    centre, error : numpy.ndarray, shape (rows, n)
        The estimate and its standard error.
    seen : numpy.ndarray of bool, shape (rows, n)
        Which entries the equations determine.
    support : numpy.ndarray of bool, shape (rows, n)
        Where rows may be positive.
    parts : list of Equations
        What was solved.
    """

    centre: FloatArray
    error: FloatArray
    seen: BoolArray
    support: BoolArray
    parts: list[Equations]


def linearised(ensemble: Ensemble, kernel_class: KernelClass) -> Linearised:
    """Return the estimate of an ensemble with its standard errors: see `invert_ensemble`.

    Parameters
    ----------
    ensemble : Ensemble
        The agents.
    kernel_class : KernelClass
        Of which supports, and the sum to one, are used.
    """
    agent = _common(ensemble)
    count, n = len(agent.row_index), agent.n_states
    known = kernel_class.known_supports(agent.row_index)
    support = np.ones((count, n), bool) if known is None else np.asarray(known.toarray() > 0)
    everyone = (*ensemble.members,) if ensemble.original is None else (*ensemble.members, ensemble.original)
    tests = np.stack([member.shared_tests for member in everyone])
    values = np.stack([member.right_hand_sides for member in everyone])
    centre, error = np.zeros((count, n)), np.zeros((count, n))
    seen, parts = np.zeros((count, n), bool), []
    for part in parts_of(agent):
        row = agent.row_index[part.places[0]]
        goals = np.flatnonzero(agent.known.reshape(agent.n_goals, -1)[:, row])
        own = _Part(tests[:, goals], values[:, goals][:, :, part.places], support[part.places])
        solved = own.solve(kernel_class.sums_to_one, shrinks=ensemble.shrinks, replicates=ensemble.original is not None)
        centre[part.places], error[part.places], seen[part.places], weights = solved
        parts.append(Equations(part.places, own.tests, own.values, weights))
    return Linearised(centre, error, seen, support, parts)


def _common(ensemble: Ensemble) -> AgentValues:
    """Return the agent with the equations that every member has."""
    from dataclasses import replace

    agent = ensemble.agent
    known = np.all([member.known for member in ensemble.members], axis=0) & agent.known
    return agent if (known == agent.known).all() else replace(agent, q=np.where(known, agent.q, np.nan))


class _Part:
    """Rows with the same equations: of each member, and in the mean (or of the original, which comes last)."""

    def __init__(self, tests: FloatArray, values: FloatArray, support: BoolArray) -> None:
        self.own_tests, self.own_values, self.support = tests, values, support

    def solve(
        self, sums_to_one: bool, *, shrinks: float, replicates: bool
    ) -> tuple[FloatArray, FloatArray, BoolArray, FloatArray]:
        """Return centre, standard error, what is determined, and the weights of goals."""
        self.tests, self.values = (
            (table[-1] if replicates else table.mean(axis=0)) for table in (self.own_tests, self.own_values)
        )
        if replicates:
            self.own_tests, self.own_values = self.own_tests[:-1], self.own_values[:-1]
        weights = np.ones(len(self.tests))
        for _ in range(2 if len(self.tests) else 1):
            centre, error, seen, missed = self._once(weights, sums_to_one, shrinks)
            spread = np.sqrt((missed**2).mean(axis=(0, 2)))  # of each goal, over members and rows
            if not (spread > 0).any():
                break
            weights = spread.max() / np.maximum(spread, 1e-3 * spread.max())
        return centre, error, seen, weights

    def _once(
        self, weights: FloatArray, sums_to_one: bool, shrinks: float
    ) -> tuple[FloatArray, FloatArray, BoolArray, FloatArray]:
        n_rows, n = self.support.shape
        centre, error = np.zeros((n_rows, n)), np.zeros((n_rows, n))
        seen = ~self.support & sums_to_one
        patterns, of_row = np.unique(self.support, axis=0, return_inverse=True)
        of_row, sizes = of_row.ravel(), patterns.sum(axis=1)
        solvers = []
        for size in np.unique(sizes):
            alike = np.flatnonzero(sizes == size)
            step = max(1, _NUMBERS // (int(size) * (len(self.tests) + 1)))
            for start in range(0, len(alike), step):
                kinds = alike[start : start + step]
                states = np.nonzero(patterns[kinds])[1].reshape(-1, size)
                inverse, determined = _inverses(self.tests, states, weights, sums_to_one)
                rows = np.flatnonzero(np.isin(of_row, kinds))
                kind = np.searchsorted(kinds, of_row[rows])
                begin = 1.0 / size if sums_to_one else 0.0
                gap = self.values[:, rows] - begin * self.tests[:, states[kind]].sum(axis=2)
                found = begin + _applied(inverse, kind, gap.T)
                centre[rows[:, None], states[kind]] = found
                seen[rows[:, None], states[kind]] = determined[kind]
                solvers.append((rows, states[kind], inverse, kind))
        missed = self.own_values - np.einsum("mkn,rn->mkr", self.own_tests, centre)
        varied = missed - missed.mean(axis=0)
        scale = np.abs(self.values).max() + np.abs(self.tests).max()
        for rows, states, inverse, kind in solvers:
            moved = np.stack([_applied(inverse, kind, own[:, rows].T) for own in varied])
            spread = shrinks * np.sqrt((moved**2).sum(axis=0) / (len(moved) - 1))
            deviation = np.hypot(spread, self._second_order(moved, rows, states, inverse, kind))
            rounding = _ROUNDING * (1.0 + np.abs(inverse).sum(axis=2) * scale)
            error[rows[:, None], states] = deviation + rounding[kind]
        return centre, error, np.asarray(seen, bool), missed

    def _second_order(
        self, moved: FloatArray, rows: IntArray, states: IntArray, inverse: FloatArray, kind: IntArray
    ) -> FloatArray:
        """Return the mean of what the first order leaves out, ``M^+ (M_i - M) M^+ r_i``, shape (r, size).

        An entry in which all members agree, such as a zero, has no first-order error, and yet this one.
        """
        mean = np.zeros(moved.shape[1:])
        whole = np.zeros((len(rows), self.support.shape[1]))
        for own, step in zip(self.own_tests - self.tests, moved, strict=True):
            whole[:] = 0.0
            np.put_along_axis(whole, states, step, axis=1)
            mean += _applied(inverse, kind, whole @ own.T) / len(moved)
        return np.abs(mean)


def _inverses(
    tests: FloatArray, states: IntArray, weights: FloatArray, sums_to_one: bool
) -> tuple[FloatArray, BoolArray]:
    """Return the weighted pseudo-inverses on some supports (b, size, k), and which entries they determine."""
    columns = np.moveaxis(tests[:, states], 0, 1) * weights[:, None]
    size = states.shape[1]
    if sums_to_one:
        columns = columns - columns.mean(axis=2, keepdims=True)
    if columns.shape[1] == 0:
        return np.zeros((len(states), size, 0)), np.full(states.shape, size == 1 and sums_to_one)
    left, singular, right = np.linalg.svd(columns, full_matrices=False)
    kept = singular > _SMALL * max(size, columns.shape[1]) * np.maximum(singular[:, :1], 1e-300)
    if sums_to_one:
        kept[:, size - 1 :] = False
    basis = right * kept[:, :, None]
    inverse = np.matmul(basis.transpose(0, 2, 1) * np.where(kept, 1.0 / np.where(kept, singular, 1.0), 0.0)[:, None],
                        left.transpose(0, 2, 1)) * weights  # fmt: skip
    own = (basis**2).sum(axis=1) + (1.0 / size if sums_to_one else 0.0)
    return inverse, own > 1.0 - _SEEN


def _applied(inverse: FloatArray, kind: IntArray, gap: FloatArray) -> FloatArray:
    """Multiply each gap (r, k) by the inverse of its kind, (r, size)."""
    if len(inverse) == 1:
        return np.asarray(gap @ inverse[0].T)
    return np.asarray(np.matmul(inverse[kind], gap[:, :, None])[:, :, 0])
