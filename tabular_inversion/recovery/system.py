"""The one linear system that each row of a kernel satisfies: built, centred, scaled, decomposed, ranked only here."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise
from tabular_inversion.recovery.equations import (
    UNIT,
    Equations,
    Equilibrated,
    build_equations,
    contracts,
    contracts_at_half_precision,
    equilibrate,
    left_inverse,
    rescaled,
    subtract,
)
from tabular_inversion.recovery.factors import SMALL, Factors, factorise, one_norm
from tabular_inversion.recovery.independence import independent_columns
from tabular_inversion.recovery.kept import Kept
from tabular_inversion.recovery.least_singular import least_singular_value
from tabular_inversion.recovery.rank import RankDecision, RankStatus, exactly_dependent
from tabular_inversion.recovery.uncertainty import (
    GAP,
    goal_residuals,
    hides_nothing,
    matrix_uncertainty,
    noise_of,
    right_hand_side_uncertainty,
    value_noise,
)

UNCERTAIN = 1e-10
"""Singular values (relative to the largest) up to this are too small for a pseudo-inverse to keep."""

CONSISTENT = 1e-9
"""Largest ``|M p - q|`` of a row that explains exact values, relative to the size of the goal's row of M."""

LEAST_WEIGHT = 26
"""Binary orders of magnitude by which one equation may count less than another: half the digits of a float."""

_EPS = 2.0 * UNIT
_WELL_CONDITIONED = 2.0**14  # up to this, the inverse leaves residuals as small as the factors do, and is faster


def rounding_level(shape: tuple[int, ...]) -> float:
    """Return the relative size below which a singular value of a computed system is indistinguishable from zero."""
    return 8.0 * max(shape) * _EPS


def _nothing_hidden() -> bool:
    return True


def _hides_nothing_in(system: RowSystem) -> bool:
    return system.hides_nothing


@dataclass(frozen=True, eq=False)
class RowSystem:
    """``matrix @ p = values`` for every row p: M, or M centred with the row of ones below, each equation in unit scale.

    What is given is kept as it is, in the units of Q; all else follows from it once, when it is first asked for.

    Attributes
    ----------
    test_matrix : numpy.ndarray, shape (k, n)
        M.
    right_hand_sides : numpy.ndarray, shape (k, R)
        The values of M on each row.
    matrix_error : numpy.ndarray, shape (k, n)
        A bound on the error of each entry of M; zero where M is exact.
    right_hand_error : numpy.ndarray, shape (k, R)
        A bound on the error of each right-hand side.
    sums_to_one : bool
        Whether rows are distributions.
    rigorous : bool
        Whether the bounds are proved; no rigorous one is known for max-entropy agents.
    tells_apart : callable
        Returns `hides_nothing`; few decisions ask.
    residual : numpy.ndarray, shape (k,), optional
        A bound on ``|M p - q|`` of the true rows, for M and q as given, where their solver reports one.
    kept : dict
        What was decomposed and decided of the test functions so far, for all systems that share them.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import AgentValues, Goals
    >>> agent = AgentValues([[[1.0], [3.0]]], Goals([[2.0, 6.0]]), discount=0.0)
    >>> system = RowSystem.of_agent(agent, sums_to_one=True)
    >>> system.matrix
    array([[-0.5,  0. ],
           [ 1. ,  1. ]])
    >>> system.rank_decision.status.name, system.rank_decision.proved
    ('FULL', True)
    """

    test_matrix: FloatArray
    right_hand_sides: FloatArray
    matrix_error: FloatArray
    right_hand_error: FloatArray
    sums_to_one: bool
    rigorous: bool = True
    tells_apart: Callable[[], bool] = _nothing_hidden
    residual: FloatArray | None = None
    kept: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of_agent(cls, agent: AgentValues, *, sums_to_one: bool, noise: Noise | None = None) -> RowSystem:
        """Build the system of an agent; what was decomposed of its test functions before is not decomposed again.

        Parameters
        ----------
        agent : AgentValues
            The values.
        sums_to_one : bool
            `KernelClass.sums_to_one`.
        noise : float, numpy.ndarray (G, S, A) or str, optional
            How far each Q-value may be from the truth, beyond its rounding and what its solver reports;
            `AgentValues.noise` when omitted.
        """
        spread = value_noise(agent, noise)
        error = matrix_uncertainty(agent, spread)
        return cls(
            agent.test_matrix,
            agent.right_hand_sides,
            error,
            right_hand_side_uncertainty(agent, spread),
            sums_to_one,
            agent.temperature is None,
            partial(hides_nothing, agent, error),
            None if agent.report is None else goal_residuals(agent),
            agent.kept_for(sums_to_one=sums_to_one, noise=noise_of(agent, noise)),
        )

    @classmethod
    def of(cls, test_matrix: FloatArray, right_hand_sides: FloatArray, *, sums_to_one: bool) -> RowSystem:
        """Build the system of an M (k, n) and right-hand sides (k, R) that are correctly rounded, from anywhere."""
        errors = UNIT * np.abs(test_matrix), UNIT * np.abs(right_hand_sides)
        return cls(test_matrix, right_hand_sides, *errors, sums_to_one)

    @Kept
    def hides_nothing(self) -> bool:
        """Whether no two numbers of the data are so near each other that rounding could have hidden a difference.

        Then numbers that coincide are taken to coincide in truth.
        """
        return self.tells_apart()

    @property
    def n_states(self) -> int:
        """n, the number of unknowns of each row."""
        return int(self.test_matrix.shape[1])

    @Kept
    def equations(self) -> Equations:
        """The equations centred and scaled."""
        return build_equations(self.test_matrix, self.matrix_error, sums_to_one=self.sums_to_one)

    @property
    def matrix(self) -> FloatArray:
        """The test functions in unit scale, shape (k, n); with the row of ones last (k + 1, n) for distributions."""
        return self.equations.matrix

    @property
    def uncertainty(self) -> FloatArray:
        """A bound on the error of each entry of `matrix`, shape of `matrix`."""
        return self.equations.uncertainty

    @cached_property
    def values(self) -> FloatArray:
        """The right-hand sides in the scale of `matrix`, shape (k, R) or (k + 1, R)."""
        centred = self.right_hand_sides - self.equations.centre if self.sums_to_one else self.right_hand_sides
        return self.with_ones(rescaled(centred, self.equations.exponents), 1.0)

    @cached_property
    def value_uncertainty(self) -> FloatArray:
        """A bound on the error of each entry of `values`, shape of `values`."""
        error = self.right_hand_error
        if self.sums_to_one:
            error = error + subtract(self.right_hand_sides, self.equations.centre)[1]
        return self.with_ones(rescaled(error, self.equations.exponents), 0.0)

    def with_ones(self, array: FloatArray, filler: float) -> FloatArray:
        """Return an array of the goals' equations with what stands in the row of ones below, where there is one."""
        if not self.sums_to_one:
            return np.asarray(array)
        return np.concatenate([array, np.full((1, array.shape[1]), filler)])

    @Kept
    def given(self) -> FloatArray:
        """M, or [M;1], neither centred nor scaled."""
        return self.with_ones(self.test_matrix, 1.0)

    @property
    def has_fewer_equations(self) -> bool:
        """Whether there are fewer equations than unknowns: a null vector exists, whatever the rounding."""
        return len(self.test_matrix) + self.sums_to_one < self.n_states

    @Kept
    def equilibrated(self) -> Equilibrated:
        """The system with columns scaled too and equations weighed by their certainty: see `equilibrate`."""
        return equilibrate(self.equations)

    @Kept
    def factors(self) -> Factors | None:
        """Of `equilibrated`; None where no n of its equations are seen to be independent."""
        return factorise(self.equilibrated.matrix)

    @Kept
    def inverse(self) -> FloatArray | None:
        """A left inverse of `matrix`, to rounding, that looks at n equations only, shape (n, E); None as `factors`."""
        if self.factors is None:
            return None
        scaled = self.equilibrated
        inverse = rescaled(rescaled(self.factors.inverse, scaled.columns.T), scaled.rows.T)
        return inverse if np.isfinite(inverse).all() else None

    @Kept
    def rank_decision(self) -> RankDecision:
        """Whether the n columns are independent: FULL, DEFICIENT or UNKNOWN, and whether that is proved."""
        if self.has_fewer_equations:
            return RankDecision(RankStatus.DEFICIENT, proved=True)
        if self._proved_full():
            return RankDecision(RankStatus.FULL, proved=self.rigorous)
        if not self.matrix_error.any():
            known = RankStatus.DEFICIENT if exactly_dependent(self.given) else RankStatus.FULL
            return RankDecision(known, proved=True)
        if self._dependent():
            return RankDecision(RankStatus.DEFICIENT, proved=False)
        return RankDecision(RankStatus.UNKNOWN, proved=False)

    @Kept
    def equations_independent(self) -> bool:
        """Whether the k equations, without the sum to one, are surely independent, so that all values are attained."""
        if len(self.test_matrix) == self.n_states:
            return self.rank_decision.status is RankStatus.FULL
        return bool(independent_columns(self.test_matrix.T, self.matrix_error.T, sums_to_one=False))

    def _proved_full(self) -> bool:
        if self.n_states > SMALL and self.factors is not None:
            matrix, error, _, _ = self.equilibrated
            inverse = self.factors.inverse
            if contracts_at_half_precision(inverse, matrix, error) or contracts(inverse, matrix, error):
                return True
        return bool(independent_columns(self.test_matrix, self.matrix_error, sums_to_one=self.sums_to_one))

    def _dependent(self) -> bool:
        """Whether the given numbers are exactly dependent, and nothing in them is as small as rounding could hide."""
        if self._numerical_rank() == self.n_states:
            return False
        return self.trusts_coincidence and exactly_dependent(self.given)

    @Kept
    def trusts_coincidence(self) -> bool:
        """Whether nothing in the data, nor a combination of equations, is as small as what rounding could hide."""
        if not self.hides_nothing:
            return False
        singular, limit = self._weighed
        positive = singular[singular > limit]
        return bool(not positive.size or positive[-1] > GAP * np.linalg.norm(self.equilibrated.uncertainty))

    @Kept
    def right_inverse(self) -> FloatArray:
        """The pseudo-inverse of `matrix`, which is one from the right where the equations are independent."""
        return left_inverse(self.matrix)

    @Kept
    def singular_values(self) -> FloatArray:
        """The n singular values of `matrix`, descending; zero beyond the number of equations."""
        padded = np.zeros(self.n_states)
        padded[: min(self.matrix.shape)] = np.linalg.svd(self.matrix, compute_uv=False)
        return padded

    @Kept
    def _weighed(self) -> tuple[FloatArray, float]:
        """Singular values of `equilibrated`, and the level up to which they may be rounding or uncertainty."""
        matrix, error, _, _ = self.equilibrated
        singular = np.asarray(np.linalg.svd(matrix, compute_uv=False), np.float64)
        return singular, max(rounding_level(matrix.shape) * float(singular[0]), float(np.linalg.norm(error)))

    def _numerical_rank(self) -> int:
        singular, limit = self._weighed
        return int((singular > limit).sum())

    @Kept
    def rank(self) -> int:
        """N where that is decided; else how many singular values exceed rounding and uncertainty, n - 1 at most."""
        if self.rank_decision.status is RankStatus.FULL:
            return self.n_states
        return min(self._numerical_rank(), self.n_states - 1)

    @Kept
    def sigma_min(self) -> float:
        """The n-th singular value of `matrix`; 0 where there are fewer equations than unknowns."""
        if self.has_fewer_equations:
            return 0.0
        known = None
        if self.n_states > SMALL and self.rank_decision.status is RankStatus.FULL and self.inverse is not None:
            known = least_singular_value(self.matrix, self.inverse)
        return float(self.singular_values[-1]) if known is None else known

    @Kept
    def condition(self) -> float:
        """The largest singular value of `matrix` over the smallest of the first `rank`; 1 for a zero matrix."""
        least = self.singular_values[self.rank - 1] if self.rank else 0.0
        return float(self.singular_values[0] / least) if least > 0 else 1.0

    @Kept
    def condition_estimate(self) -> float:
        """The condition number in the 1-norm of the equations that `factors` takes, columns scaled."""
        if self.factors is None:
            return self.condition
        taken = self.equilibrated.matrix
        if len(taken) > self.n_states:
            taken = taken[np.sort(self.factors.order)]
        return one_norm(taken) * one_norm(self.factors.inverse)

    @Kept
    def null_basis(self) -> FloatArray:
        """Orthonormal vectors v with ``matrix @ v = 0``, as columns, shape (n, n - rank)."""
        # The full decomposition, n x n: only those who ask for a null space pay for it.
        vt = np.linalg.svd(self.matrix, full_matrices=True)[2]
        return np.ascontiguousarray(vt[self.rank :].T)

    @cached_property
    def in_one_unit(self) -> tuple[FloatArray, FloatArray, int]:
        """The test functions, centred for distributions, and their values in one unit for all goals, and its exponent.

        The equations are those of Q, with a constant subtracted, times a power of two: here misfits of different goals
        are measured against each other.
        """
        k, exponents = len(self.test_matrix), self.equations.exponents
        unit = int(exponents.min())
        tests, values = (rescaled(part[:k], unit - exponents) for part in (self.matrix, self.values))
        return tests, values, unit

    @cached_property
    def certainty(self) -> IntArray:
        """Powers of two that weigh the goals by what is sure of their equations, 0 for the surest, shape (k, 1)."""
        k = len(self.test_matrix)
        doubt = self.uncertainty[:k].max(axis=1) + self.value_uncertainty[:k].max(axis=1)
        exponents = np.frexp(np.maximum(doubt, self.n_states * UNIT))[1]
        return np.asarray(np.maximum(exponents.min() - exponents, -LEAST_WEIGHT)[:, None])

    @cached_property
    def weighed(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The test functions, their values and the bound on their error, each goal in units of its certainty."""
        k, weights = len(self.test_matrix), self.certainty
        tests, values, doubt = (rescaled(part[:k], weights) for part in (self.matrix, self.values, self.uncertainty))
        return tests, values, doubt

    def solve(self) -> FloatArray:
        """Return the solutions of a square system of full rank for every right-hand side, shape (R, n)."""
        scaled, factors = self.equilibrated, self.factors
        if factors is None or len(scaled.matrix) != self.n_states:
            raise np.linalg.LinAlgError("the system is singular or not square")
        if self.condition_estimate < _WELL_CONDITIONED and self.inverse is not None:
            return np.asarray(self.values.T @ self.inverse.T)
        solution = factors.solve(rescaled(self.values, scaled.rows))
        return np.ascontiguousarray(rescaled(solution, scaled.columns.T).T)

    def restrict(self, columns: IntArray) -> RowSystem:
        """Return the system whose unknowns are these states only, centred and scaled by what varies on them."""
        tests, error = self.test_matrix[:, columns], self.matrix_error[:, columns]
        # Whether rounding could hide anything is about the data, not about these columns.
        whole = partial(_hides_nothing_in, self)
        return replace(self, test_matrix=tests, matrix_error=error, tells_apart=whole, kept={})

    def select(self, rows: IntArray) -> RowSystem:
        """Return the system with the right-hand sides of these rows only; what was decided of the matrix is kept."""
        return self.with_values(self.right_hand_sides[:, rows], self.right_hand_error[:, rows])

    def with_values(self, values: FloatArray, error: FloatArray) -> RowSystem:
        """Return the system with other right-hand sides (k, R) and errors; what was decided of the matrix is kept."""
        return replace(self, right_hand_sides=values, right_hand_error=error)
