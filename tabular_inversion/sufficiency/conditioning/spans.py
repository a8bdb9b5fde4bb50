"""What chosen goals span on each set of successors, in floats whose errors are bounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.predicted import INDEPENDENT
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets

_SURE = 8.0  # an equation must be so many times as large as its own error to count
_REWEIGHTED = 6  # times that equations are weighed anew
_CLEARLY = 0.99  # below 1 by more than rounding
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Scenario(Record):
    """One world with one policy: the test functions of all candidates there, and the rows asked about.

    Attributes
    ----------
    name : str
        Which world, policy and discount, for people.
    matrix : numpy.ndarray, shape (k, n)
        M, each goal in units of its own noise.
    error : numpy.ndarray, shape (k,)
        A bound on the error of each goal's entries of `matrix`, from the solver.
    sets : SuccessorSets
        Of the rows asked about.
    discount : float
        Gamma.
    """

    name: str
    matrix: FloatArray
    error: FloatArray
    sets: SuccessorSets
    discount: float

    @property
    def n_goals(self) -> int:
        """K."""
        return len(self.matrix)


@dataclass(frozen=True, eq=False)
class Spanned:
    """What chosen goals leave open.

    Attributes
    ----------
    missing : numpy.ndarray of int, shape (sets,)
        How many independent goals each set still asks for.
    outside : numpy.ndarray of bool, shape (sets, k)
        Which goals would be one.
    """

    missing: IntArray
    outside: BoolArray


def spanned(scenario: Scenario, goals: list[int]) -> Spanned:
    """Return what some goals span on each set: Gram-Schmidt with pivots, twice, all sets and candidates at once.

    Parameters
    ----------
    scenario : Scenario
        Where.
    goals : list of int
        Those chosen.

    Notes
    -----
    An equation counts as independent if what is left of it is larger than eight times the bound on its error, and
    than 1e-9 of itself. `certified_sets` proves independence; dependence in floats is no proof.
    """
    said = np.flatnonzero(scenario.matrix.any(axis=1))  # zeros, of candidates that nobody solved, are no equations
    chosen = np.isin(said, goals)
    missing = scenario.sets.needed
    outside = np.zeros((len(missing), scenario.n_goals), bool)
    for part, equations in scenario.sets.equations(scenario.matrix[said]):
        if equations.shape[2] == 1:
            tells = _tells_apart(equations, scenario.error[said])
            known: BoolArray = np.asarray(tells[:, chosen].any(axis=1))
            missing[part], outside[part, said] = ~known, tells & ~known[:, None]
            continue
        limit = _limits(equations, scenario.error[said])
        left, pivots = _basis(equations, limit, np.broadcast_to(chosen, limit.shape))
        missing[part] = (pivots < 0).sum(axis=1)
        helps = (np.linalg.norm(left, axis=2) > limit) & (missing[part] > 0)[:, None]
        outside[part, said] = helps
    return Spanned(missing, outside)


def after_failures(scenario: Scenario, goals: list[int], spare: int) -> tuple[BoolArray, BoolArray]:
    """Tell which sets some failures leave open, bool (sets,), and after which goals are left, bool (sets, k).

    Failures that leave a basis of goals alone do no harm, so that only those of a goal of the basis are looked at, and
    then of one of the next basis: as many bases as unknowns to the power of the failures, whatever the number of goals.

    Examples
    --------
    >>> from tabular_inversion.kernel_classes import Stochastic
    >>> sets = SuccessorSets.of(Stochastic(), np.arange(2), 2)
    >>> here = Scenario("here", np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.zeros(3), sets, 0.5)
    >>> after_failures(here, [0, 1, 2], 1)[0], after_failures(here, [0, 2], 1)
    (array([False]), (array([ True]), array([[False, False,  True]])))
    """
    chosen = np.zeros(scenario.n_goals, bool)
    chosen[goals] = True
    lost, left = np.zeros(scenario.sets.n_sets, bool), np.zeros((scenario.sets.n_sets, scenario.n_goals), bool)
    for part, equations in scenario.sets.equations(scenario.matrix):
        if equations.shape[2] == 1:
            tells = _tells_apart(equations, scenario.error)
            lost[part] = tells[:, chosen].sum(axis=1) <= spare
            left[part] = chosen & ~(tells & lost[part, None])
            continue
        limit = _limits(equations, scenario.error)
        lost[part], left[part] = _worst(equations, limit, np.tile(chosen, (len(limit), 1)), spare)
    return lost, left


def _worst(equations: FloatArray, limit: FloatArray, usable: BoolArray, spare: int) -> tuple[BoolArray, BoolArray]:
    pivots = _basis(equations, limit, usable)[1]
    lost: BoolArray = np.asarray((pivots < 0).any(axis=1))
    final = usable.copy()
    if spare == 0:
        return lost, final
    for place in range(pivots.shape[1]):
        which = np.flatnonzero(~lost)
        if which.size == 0:
            break
        fewer = usable[which]
        fewer[np.arange(len(which)), pivots[which, place]] = False
        worse, left = _worst(equations[which], limit[which], fewer, spare - 1)
        lost[which], final[which[worse]] = worse, left[worse]
    return lost, final


def _tells_apart(equations: FloatArray, error: FloatArray) -> BoolArray:
    """Return which goals surely determine sets of one unknown, (b, k): any equation that is not zero does."""
    return np.asarray(np.abs(equations[:, :, 0]) > _SURE * error * np.sqrt(2.0))


def _limits(equations: FloatArray, error: FloatArray) -> FloatArray:
    """Return above which size what is left of each equation counts, (b, k)."""
    sizes = np.linalg.norm(equations, axis=2)
    unsure = _SURE * error * np.sqrt(equations.shape[2] + 1.0)
    return np.asarray(np.maximum(np.where(sizes > unsure, INDEPENDENT * sizes, np.inf), unsure))


def _basis(equations: FloatArray, limit: FloatArray, usable: BoolArray) -> tuple[FloatArray, IntArray]:
    """Return what is left of all equations modulo a basis of the usable ones, and the basis, -1 where there is none.

    The basis starts with the equation that is largest in terms of its limit, and so on: (b, k, d) and (b, d).
    """
    count, goals, unknowns = equations.shape
    left, pivots = np.array(equations), np.full((count, unknowns), -1)
    if goals == 0:
        return left, pivots
    everyone = np.arange(count)
    for step in range(unknowns):
        lengths = np.linalg.norm(left, axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(usable & (lengths > limit), lengths / limit, 0.0)
        pivot = ratio.argmax(axis=1)
        new = ratio[everyone, pivot] > 0
        if not new.any():
            break
        pivots[new, step] = pivot[new]
        chosen = left[everyone, pivot]
        unit = np.where(new[:, None], chosen, 0.0) / np.where(new, lengths[everyone, pivot], 1.0)[:, None]
        for _ in range(2):
            left -= (left @ unit[:, :, None]) * unit[:, None, :]
    return left, pivots


def certified_sets(scenario: Scenario, goals: list[int]) -> BoolArray:
    """Tell for which sets the goals' equations are proved to have full rank, bool (sets,).

    Each equation is brought to unit size; then the smallest singular value has to exceed the bound on the error of all
    of them, and what rounding may hide in the decomposition.

    Examples
    --------
    >>> from tabular_inversion.kernel_classes import Stochastic
    >>> sets = SuccessorSets.of(Stochastic(), np.arange(2), 2)
    >>> certified_sets(Scenario("here", np.array([[0.0, 1.0]]), np.array([1e-12]), sets, 0.5), [0])
    array([ True])
    """
    matrix, error = scenario.matrix[goals], scenario.error[goals]
    proved: BoolArray = scenario.sets.needed == 0
    for part, equations in scenario.sets.equations(matrix):
        unknowns = equations.shape[2]
        if len(goals) < unknowns:
            continue
        sizes = np.linalg.norm(equations, axis=2)
        safe = np.where(sizes > 0, sizes, 1.0)
        entry = np.abs(matrix).max(axis=1, initial=0.0) * _ROUNDING
        relative = np.where(sizes > 0, (error + entry) * np.sqrt(unknowns + 1.0) / safe, 0.0)
        values = np.linalg.svd(equations / safe[:, :, None], compute_uv=False)
        lost = np.linalg.norm(relative, axis=1) + _ROUNDING * len(goals) * values[:, 0]
        proved[part] = values[:, -1] > lost
    return proved


def surely_spanned(scenario: Scenario, goals: list[int]) -> BoolArray:
    """Tell for which sets full rank is proved by all of the goals or by some of them, bool (sets,).

    Equations with large errors spoil what `certified_sets` proves of the others. With any L such that ``L A = I``, the
    true equations ``A + E`` have full rank if ``sum_i |L_i| e_i < 1``: then ``L (A + E) = I + L E`` is invertible. Each
    weighting of the equations gives an L, and more goals give more of them.
    """
    proved = certified_sets(scenario, goals)
    matrix = scenario.matrix[goals]
    bound = scenario.error[goals] + np.abs(matrix).max(axis=1, initial=0.0) * _ROUNDING
    for part, equations in scenario.sets.equations(matrix):
        unknowns = equations.shape[2]
        if len(goals) < unknowns or unknowns == 0:
            continue
        errors = bound * np.sqrt(unknowns + 1.0)
        weights = np.broadcast_to(1.0 / np.maximum(errors, 1e-300), equations.shape[:2])
        for _ in range(_REWEIGHTED):
            weighted = equations * weights[:, :, None]
            inverse = np.linalg.pinv(weighted) * weights[:, None, :]
            lengths = np.linalg.norm(inverse, axis=1)
            off = np.linalg.norm(inverse @ equations - np.eye(unknowns), axis=(1, 2))
            proved[part] |= (lengths * errors).sum(axis=1) + off < _CLEARLY
            # This L has the least sum of |L_i|^2 / w_i^2: towards the least sum of |L_i| e_i.
            least = 1e-12 * lengths.max(axis=1, keepdims=True)
            weights = np.sqrt(np.maximum(lengths, least) / np.maximum(errors, 1e-300))
    return proved
