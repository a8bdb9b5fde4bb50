"""How far noise in the values can move the recovered kernel (T2b, T3d).

Throughout, noise means ``||Qhat(., s, a) - Q(., s, a)|| <= eps`` over the goals, for every available (s, a). It enters
twice: in the right-hand side of a row, and, multiplied by the discount, in the columns of the test matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.spatial.distance import cdist

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.parts import parts_of
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.error_bounds.amplification import amplification, on_supports, times
from tabular_inversion.error_bounds.norms import SIMPLEX_DIAMETER, check_norm
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.recovery.column_matching import column_separation
from tabular_inversion.recovery.spectrum import power_of_two_scale
from tabular_inversion.recovery.system import RowSystem, rounding_level

_METRIC: dict[float, Literal["cityblock", "euclidean", "chebyshev"]] = {
    1.0: "cityblock",
    2.0: "euclidean",
    float(np.inf): "chebyshev",
}
_BLOCK = 2**22


@checked
def perturbation_constant(agent: AgentValues, *, norm: float = np.inf) -> float:
    """Return c: noise of size eps in the values moves no column of M by more than ``discount * c * eps``.

    Parameters
    ----------
    agent : AgentValues
        Whose operator, policy, continuation and available actions matter; its values do not.
    norm : float
        1, 2 or infinity, over the goals.

    Returns
    -------
    float
        For a policy the p-th root of ``max_s sum_a max_g C[g,s]^p policy[g,s,a]``. For an optimal or max-entropy agent
        that of the largest sum, over states, of as many of the numbers ``C[g,s]^p`` as the state has actions. In the
        infinity-norm both are max C. Never above ``min(m, k)^(1/p)``, and never above 1 for an unconditional policy.

    Raises
    ------
    InputError
        If the norm is none of the three.

    Notes
    -----
    The least constant that depends on no values, for the norms 1 and infinity, for deterministic policies and for
    optimal agents; for max-entropy agents it is approached but not attained. A given policy is taken as exact: it must
    not have been estimated from the noisy values. Source: T2b.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import AgentValues, Goals
    >>> optimal = AgentValues(np.zeros((3, 2, 2)), Goals(np.eye(3, 2)), discount=0.5)
    >>> [perturbation_constant(optimal, norm=p) for p in (1, np.inf)]
    [2.0, 1.0]
    >>> shared = AgentValues(np.zeros((3, 2, 2)), Goals(np.eye(3, 2)), discount=0.5, policy=np.full((2, 2), 0.5))
    >>> perturbation_constant(shared, norm=1)
    1.0
    """
    p = check_norm("norm", norm)
    continuation = agent.goals.continuation
    if p == np.inf:
        return float(continuation.max())
    weights = continuation**p
    if agent.policy is None:
        largest_first = np.sort(weights, axis=0)[::-1]
        counts = np.minimum(agent.available.sum(axis=1), agent.n_goals)
        totals = largest_first.cumsum(axis=0)[counts - 1, np.arange(agent.n_states)]
    elif agent.policy.ndim == 2:
        totals = weights.max(axis=0)
    else:
        totals = (weights[:, :, None] * agent.policy).max(axis=0).sum(axis=1)
    return float(totals.max() ** (1.0 / p))


@checked
def separation_radius(agent: AgentValues, *, norm: float = np.inf) -> float:
    """Return the noise level below which matching columns recovers every row of every deterministic world.

    Parameters
    ----------
    agent : AgentValues
        Exact values: then the answer is about all noisy versions of them (a priori). Noisy values: then it is about
        the world they came from (a posteriori). The number is computed in the same way.
    norm : float
        1, 2 or infinity: the norm over goals of the noise, and in which columns are matched.

    Returns
    -------
    float
        ``D / (2 (1 + discount * c))``, with D the least distance between two columns of M and c the
        `perturbation_constant`. Matching is right for every eps strictly below it; infinity if there is one state.

    Raises
    ------
    InputError
        If the norm is none of the three.

    Notes
    -----
    No larger number has this property: `tight_matching_instance` fails with noise of exactly this size. For given
    noisy values a single row may be safe beyond it; `error_bound` decides row by row. Computed in floats, with a
    relative error of a few units of rounding. Source: T2b.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, solve
    >>> swap = MDP([[[0.0, 1.0]], [[1.0, 0.0]]], discount=0.5)
    >>> agent = solve(swap, Goals([[0.0, 3.0]]))
    >>> agent.test_matrix
    array([[2., 4.]])
    >>> round(separation_radius(agent), 12)
    0.666666666667
    """
    p = check_norm("norm", norm)
    if agent.n_states == 1:
        return float(np.inf)
    scale = power_of_two_scale(agent.test_matrix)
    least = float(column_separation(agent.test_matrix / scale, p).min())
    return scale * least / (2.0 * (1.0 + agent.discount * perturbation_constant(agent, norm=p)))


@checked
@dataclass(frozen=True, eq=False, repr=False)
class ErrorBound(Record):
    """Bounds on the distance of each recovered row from the true one.

    Attributes
    ----------
    rows : numpy.ndarray, shape (S, A)
        A bound on ``||Phat(s, a) - P(s, a)||``; infinity where there is none, NaN where the action is unavailable.
    eps : float
        The noise that was assumed.
    norm : float
        The norm over next states in which rows are compared.
    noise_norm : float
        The norm over goals in which the noise is at most `eps`.

    Examples
    --------
    >>> import numpy as np
    >>> ErrorBound(np.array([[0.25, np.nan]]), 0.1, 1.0, 1.0).overall
    0.25
    """

    rows: FloatArray
    eps: float
    norm: float
    noise_norm: float

    def __repr__(self) -> str:
        return f"<ErrorBound {self.overall:.3g} for all rows, noise {self.eps:g}>"

    @property
    def overall(self) -> float:
        """The bound that holds for all rows: the largest."""
        return float(np.nanmax(self.rows))


@checked
def error_bound(
    agent: AgentValues,
    kernel_class: KernelClass,
    eps: float,
    *,
    norm: float = np.inf,
    noise_norm: float | None = None,
) -> ErrorBound:
    """Bound the error of the rows that `recover` finds in noisy values.

    Parameters
    ----------
    agent : AgentValues
        The noisy values Qhat; the test matrix Mhat is built from them.
    kernel_class : KernelClass
        A class that holds the true kernel. `Unconstrained`: for ``Mhat^+ Qhat``. `Stochastic` and `Supported`: for
        least squares in the simplex. `Deterministic`: for matching columns in the noise norm.
    eps : float
        At least 0, in the units of Q.
    norm : float
        1, 2 or infinity: the norm over next states of the error of a row. 1 is twice the total variation.
    noise_norm : float, optional
        1, 2 or infinity: the norm over goals of the noise of a row; the same as `norm` when omitted. Noise of at most
        eps in each single value is ``noise_norm=numpy.inf``.

    Returns
    -------
    ErrorBound
        For distributions never above the diameter of the simplex (2, 1.414 or 1). For `Deterministic` each entry is 0
        or the diameter: 0 where one column alone is within reach of the row's values, so for all rows below the
        `separation_radius`. For `Unconstrained`, infinity where Mhat has not full column rank.

    Raises
    ------
    InputError
        If eps is negative or not finite, or a norm is none of the three.
    KernelClassError
        If the class is none of the four.

    Notes
    -----
    With c the `perturbation_constant`, the true row p satisfies ``||Qhat - Mhat p|| <= (1 + discount * c) eps``. That
    is multiplied by the norm of Mhat^+, or of the inverse of Mhat on vectors that sum to zero (on the support). Least
    squares contracts in the 2-norm only, so that the classes in the simplex go through it. Mhat counts as deficient
    at the rounding level. Source: T2b and T3d.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve
    >>> mdp = MDP([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]], discount=0.5)
    >>> noisy = solve(mdp, Goals([[1.0, 0.0], [0.0, 1.0]])).with_noise(1e-3, seed=0)
    >>> bound = error_bound(noisy, Stochastic(), 1e-3)
    >>> 0.0015 <= bound.overall < 0.003
    True
    """
    bounds = BOUNDS.of(kernel_class)
    target = check_norm("norm", norm)
    source = target if noise_norm is None else check_norm("noise_norm", noise_norm)
    if not (np.isfinite(eps) and eps >= 0):
        raise InputError(f"eps is {eps}; expected a finite number of at least 0.")
    rows = np.full(agent.available.size, np.nan)
    for _, part in parts_of(agent):
        # In units of the largest entry of M no intermediate result overflows.
        scale = power_of_two_scale(part.test_matrix)
        rows[part.row_index] = bounds(Noise(part, kernel_class, scale, float(eps) / scale, source, target))
    return ErrorBound(rows.reshape(agent.available.shape), float(eps), target, source)


def _misfit(agent: AgentValues, source: float, measure: float) -> float:
    """Bound ``||Qhat - Mhat p||`` in the norm `measure` of the true row p, for noise of size 1 in the norm `source`."""
    if source == np.inf and measure == 2.0:
        # Each value errs by 1 at most, and so does each V: cheaper than through the 2-norm of the noise.
        columns = np.linalg.norm(agent.goals.continuation, axis=0)
        return float(np.sqrt(agent.n_goals) + agent.discount * columns.max())
    return 1.0 + agent.discount * perturbation_constant(agent, norm=measure)


def _one_column_in_reach(matrix: FloatArray, values: FloatArray, reach: float, norm: float) -> BoolArray:
    """Tell for which rows, columns of `values` (k, rows), one column of M (k, n) alone is within `reach`."""
    limit = reach + rounding_level(matrix.shape) * (1.0 + reach)
    chunk = max(1, _BLOCK // matrix.shape[1])
    counts = [
        (cdist(values.T[start : start + chunk], matrix.T, _METRIC[norm]) <= limit).sum(axis=1)
        for start in range(0, values.shape[1], chunk)
    ]
    alone: BoolArray = np.concatenate(counts) == 1
    return alone


@dataclass(frozen=True, eq=False)
class Noise:
    """What a bound is computed from: an agent whose numbers are divided by a power of two, and its noise.

    Attributes
    ----------
    agent : AgentValues
        The values.
    kernel_class : KernelClass
        Where the rows come from.
    scale : float
        A power of two near the largest entry of M.
    level : float
        The noise, divided by that.
    source, target : float
        The norms of the noise and of the rows' error.
    """

    agent: AgentValues
    kernel_class: Any
    scale: float
    level: float
    source: float
    target: float

    @property
    def system(self) -> RowSystem:
        """The system that `identify` decides, with what was decomposed of it."""
        return RowSystem.of_agent(self.agent, sums_to_one=self.kernel_class.sums_to_one)

    @property
    def matrix(self) -> FloatArray:
        """M in units of the scale."""
        return self.agent.test_matrix / self.scale

    @property
    def misfit(self) -> float:
        """What a true row may miss, in the norm of the noise."""
        return self.level * _misfit(self.agent, self.source, self.source)

    @property
    def limit(self) -> float:
        """How far two distributions can be apart."""
        return SIMPLEX_DIAMETER[self.target]


def _vectors(noise: Noise) -> FloatArray:
    return times(amplification(noise.system, noise.scale, noise.source, noise.target), noise.misfit)


def _distributions(noise: Noise) -> FloatArray:
    support = noise.kernel_class.known_supports(noise.agent.row_index)
    if support is None:
        factors = amplification(noise.system, noise.scale, 2.0, noise.target)
    else:
        factors = on_supports(noise.matrix, support, noise.target)
    return np.minimum(times(factors, noise.level * _misfit(noise.agent, noise.source, 2.0)), noise.limit)


def _vertices(noise: Noise) -> FloatArray:
    values = noise.agent.right_hand_sides / noise.scale
    return np.where(_one_column_in_reach(noise.matrix, values, noise.misfit, noise.source), 0.0, noise.limit)


BOUNDS: ClassTable[Callable[[Noise], FloatArray]] = ClassTable(
    "an error bound",
    {Unconstrained: _vectors, Stochastic: _distributions, Supported: _distributions, Deterministic: _vertices},
)
"""By class, ``bounds(noise)``: how far each available row may be off, shape (rows,), or one for all."""
