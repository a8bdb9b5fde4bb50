"""Missing equations: rows that know different goals, settled together from one decomposition of all equations.

Of each pattern of missing goals only what changes is computed. With X a left inverse of the whole system A, W an
orthonormal basis of the combinations of equations that vanish, and D the equations that a pattern lacks, a left inverse
of the others is ``X + Z W^T`` where that vanishes at D: all that is needed follows from the rows of X and W at D.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.parts import Part
from tabular_inversion.identifiability.asked import Scope
from tabular_inversion.identifiability.pieces import Judged, Ready
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kernel_rows import dense_rows
from tabular_inversion.recovery import seek_rows, summing_to_one
from tabular_inversion.recovery.by_class import METHODS
from tabular_inversion.recovery.equations import CONTRACTS, rescaled, rounding
from tabular_inversion.recovery.likely_supports import guessed_supports, rows_on_supports
from tabular_inversion.recovery.misfits import SOLVED, misfits
from tabular_inversion.recovery.rank import RankDecision, RankStatus
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.system import RowSystem

_NUMBERS = 2**21
"""In one block, 16 MB."""
_LARGEST = 2**24
"""Numbers in a square matrix of as many rows as there are equations."""
_RESOLVED = 1e-6
"""Missing equations that leave less than this of every vanishing combination are left to the general way."""


class _Whole(NamedTuple):
    """Of the system A (E, n): a left inverse X (n, E), W (E, d) with ``W^T A`` about 0, and singular vectors.

    `fine` is W again, in the longest floats that the machine has: values that are implied by others are to be as good
    as values that are given, and a combination of equations vanishes in floats only up to the size of the largest.
    """

    inverse: FloatArray
    null: FloatArray
    fine: NDArray[np.longdouble]
    left: FloatArray
    singular: FloatArray

    @classmethod
    def of(cls, matrix: FloatArray) -> _Whole | None:
        n = matrix.shape[1]
        left, singular, right = np.linalg.svd(matrix)
        if not singular[-1] > 0:
            return None
        inverse, null = right.T @ (left[:, :n] / singular).T, left[:, n:]
        fine = null.astype(np.longdouble)
        fine -= inverse.T @ np.asarray(matrix.T.astype(np.longdouble) @ fine, np.float64)
        return cls(inverse, null, fine, left[:, :n], singular)


class _Lacking(NamedTuple):
    """Patterns that lack equally many equations.

    Attributes
    ----------
    number : numpy.ndarray of int, shape (P,)
        Which patterns they are.
    equations : numpy.ndarray of int, shape (P, m)
        What each lacks.
    fill : numpy.ndarray, shape (P, m, d)
        Times the vanishing combinations of the known values, the missing ones.
    """

    number: IntArray
    equations: IntArray
    fill: FloatArray


@dataclass(frozen=True, eq=False)
class _Gaps:
    """Which values rows lack, and what the others imply for them.

    Attributes
    ----------
    whole : _Whole
        The system.
    known : numpy.ndarray of bool, shape (k, R)
        The values that are there.
    pattern : numpy.ndarray of int, shape (R,)
        The pattern of each row.
    lacking : sequence of _Lacking
        The patterns.
    """

    whole: _Whole
    known: BoolArray
    pattern: IntArray
    lacking: Sequence[_Lacking]

    def implied(self, values: FloatArray) -> FloatArray:
        """Return what least squares puts for the missing ones of the values (E, R), zero for others, shape (k, R)."""
        k = len(self.known)
        given = np.concatenate([np.where(self.known, values[:k], 0.0), values[k:]])
        vanishing = np.asarray(self.whole.fine.T @ given, np.float64)
        result = np.zeros(self.known.shape)
        for each in self.lacking:
            place = np.full(int(max(each.number.max(), self.pattern.max())) + 1, -1)
            place[each.number] = np.arange(len(each.number))
            rows = np.flatnonzero(place[self.pattern] >= 0)
            size = each.equations.shape[1]
            step = max(1, _NUMBERS // max(1, size * len(vanishing)))
            for start in range(0, len(rows) if size else 0, step):
                part = rows[start : start + step]
                own = place[self.pattern[part]]
                filling = np.matmul(each.fill[own], vanishing.T[part][:, :, None])[:, :, 0]
                result[each.equations[own], part[:, None]] = -filling
        return result


def settled(
    agent: AgentValues, kernel_class: KernelClass, rows: BoolArray | None, scope: Scope, *, exactly: bool = False
) -> tuple[Judged | None, BoolArray | None]:
    """Judge the rows of an agent that lacks equations which are still proved to be the only ones, all together.

    Parameters
    ----------
    agent : AgentValues
        With its noise.
    kernel_class : KernelClass
        K.
    rows : numpy.ndarray of bool, shape (S, A), optional
        The rows asked about; all when omitted.
    scope : {"instance", "uniform"}
        Of the question.
    exactly : bool
        Whether rows that have their values only within the noise are left to the general way: others may be nearer.

    Returns
    -------
    judged : Judged or None
        The rows that were settled, with the system of all goals: what they lack is what the rows found would have.
    left : numpy.ndarray of bool, shape (S, A), or None
        The other rows; `rows` itself where none was settled.
    """
    k, ranked = agent.n_goals, METHODS.of(kernel_class).by_rank
    spare = k + kernel_class.sums_to_one - agent.n_states
    if agent.is_complete or not ranked or agent.transition_rewards is not None or spare < 1 or k * k > _LARGEST:
        return None, rows
    asked = agent if rows is None else replace(agent, asked=rows)
    known = np.asarray(agent.known.reshape(k, -1)[:, asked.row_index], bool)
    system = _without_gaps(RowSystem.of_agent(asked, sums_to_one=kernel_class.sums_to_one), known)
    whole = _Whole.of(system.matrix)
    patterns, where = _different(known)
    lacking = [] if whole is None else list(_by_size(whole, ~patterns))
    if whole is None or not lacking:
        return None, rows
    proved = _independent(system, whole, lacking, patterns.shape[1])
    places = np.flatnonzero(proved[where])
    if not places.size:
        return None, rows
    known, pattern = known[:, places], where[places]
    system = replace(system, kept={
        **system.kept,
        "rank_decision": RankDecision(RankStatus.FULL, proved=system.rigorous),
        "rank": agent.n_states,
        "sigma_min": _least_singular(whole, lacking, np.unique(pattern)),
    })  # fmt: skip
    system = system.select(places)
    if scope == "uniform":
        return _judged(agent, asked, places, system, None)
    index, gaps = asked.row_index[places], _Gaps(whole, known, pattern, lacking)
    system, sought = _sought(system, kernel_class, index, gaps)
    missed, allowed = misfits(system, sought.rows)
    missed[~known] = 0.0
    good = (np.abs(missed) <= allowed).all(axis=0)
    if exactly:
        good &= (np.abs(missed) <= rounding(int(SOLVED) * sum(system.matrix.shape))).all(axis=0)
    chosen = np.flatnonzero(good)
    if not chosen.size:
        return None, rows
    sizes = rescaled(np.abs(missed), -system.equations.exponents).max(axis=0)
    found = replace(sought, rows=sought.rows[chosen], residual=sizes[chosen])
    return _judged(agent, asked, places[chosen], _as_found(system, known, sought.rows).select(chosen), found)


def _sought(
    system: RowSystem, kernel_class: KernelClass, row_index: IntArray, gaps: _Gaps
) -> tuple[RowSystem, Recovery]:
    """Return rows, and the system with values in place of those that are missing.

    Rows of few successors are found by the known values alone. For the others what these imply is put in their place:
    it is less certain than what is given, and least squares over the simplex take it for as certain.
    """
    k, whole = len(gaps.known), gaps.whole
    values = system.values.copy()
    values[:k] = np.where(gaps.known, values[:k], gaps.implied(values))
    found = _on_supports(system, kernel_class, row_index, values, gaps)
    shown = rescaled(values[:k], -system.equations.exponents) + system.equations.centre
    system = _replaced(system, right_hand_sides=np.where(gaps.known, system.right_hand_sides, shown))
    left = np.flatnonzero(~found.any(axis=1))
    condition, method = float(whole.singular[0] / whole.singular[-1]), "least squares on supports"
    if left.size:
        sought = seek_rows(system.select(left), kernel_class, row_index=row_index[left])
        found[left] = dense_rows(sought.rows)
        condition, method = sought.condition, sought.method
    rows = found if kernel_class.known_supports(row_index) is None else csr_array(found)
    return system, Recovery(rows, np.zeros(len(found)), system.n_states, condition, method)


def _on_supports(
    system: RowSystem, kernel_class: KernelClass, row_index: IntArray, values: FloatArray, gaps: _Gaps
) -> FloatArray:
    """Return rows with few successors that have the values which are known; zeros where there are none."""
    k = len(gaps.known)
    if not kernel_class.sums_to_one:
        return np.zeros((len(row_index), system.n_states))
    known = np.concatenate([gaps.known, np.ones((1, len(row_index)), bool)])
    support = kernel_class.known_supports(row_index)
    if support is None:
        support = csr_array(guessed_supports((gaps.whole.inverse @ values).T))
    rows = np.asarray(summing_to_one(rows_on_supports(system.matrix, values, known, support)))
    missed, allowed = misfits(system, rows)
    rows[((np.abs(missed) > allowed) & known[:k]).any(axis=0)] = 0.0
    return rows


def _different(columns: BoolArray) -> tuple[BoolArray, IntArray]:
    """Return the different columns of a table, and which of them each is."""
    packed = np.ascontiguousarray(np.packbits(columns, axis=0).T)
    texts = packed.view([("", np.void, packed.shape[1])]).ravel()
    _, first, where = np.unique(texts, return_index=True, return_inverse=True)
    return columns[:, first], where.ravel()


def _judged(
    agent: AgentValues, asked: AgentValues, places: IntArray, system: RowSystem, found: Recovery | None
) -> tuple[Judged, BoolArray]:
    """Return the rows at these places with what was found, and a mask of the others that were asked about."""
    index = asked.row_index[places]
    mine, left = np.zeros((2, agent.available.size), bool)
    mine[index] = left[asked.row_index] = True
    shape = agent.available.shape
    part = Part(np.searchsorted(agent.row_index, index), replace(agent, asked=mine.reshape(shape)))
    return Judged(Ready(part, system), found, found), (left & ~mine).reshape(shape)


def _without_gaps(system: RowSystem, known: BoolArray) -> RowSystem:
    """Return the system with zeros for values that are missing, as uncertain as any of their goal."""
    error = np.where(known, system.right_hand_error, 0.0)
    error = np.where(known, error, error.max(axis=1, keepdims=True))
    return replace(system, right_hand_sides=np.where(known, system.right_hand_sides, 0.0), right_hand_error=error)


def _as_found(system: RowSystem, known: BoolArray, rows: Kernel) -> RowSystem:
    """Return the system with what the rows found have as the values that are missing: they cannot contradict them."""
    tests = system.test_matrix
    seen = np.asarray(rows @ tests.T).T
    doubt = rounding(system.n_states + 8) * np.abs(tests).max(axis=1, keepdims=True)
    return _replaced(
        system,
        right_hand_sides=np.where(known, system.right_hand_sides, seen),
        right_hand_error=np.where(known, system.right_hand_error, system.right_hand_error + doubt),
        residual=None,
    )


def _by_size(whole: _Whole, absent: BoolArray) -> Iterator[_Lacking]:
    """Yield the patterns, shape (k, P), that leave as many combinations as they lack equations, by how many that is."""
    counts = absent.sum(axis=0)
    for size in np.unique(counts[counts <= whole.null.shape[1]]).tolist():
        number = np.flatnonzero(counts == size)
        equations = np.nonzero(absent[:, number].T)[1].reshape(len(number), size)
        seen = whole.null[equations]
        inner = seen @ seen.transpose(0, 2, 1)
        clear = np.linalg.eigvalsh(inner)[:, 0] > _RESOLVED**2 if size else np.ones(len(number), bool)
        if clear.any():
            yield _Lacking(number[clear], equations[clear], np.linalg.solve(inner[clear], seen[clear]))


def _independent(system: RowSystem, whole: _Whole, lacking: list[_Lacking], count: int) -> BoolArray:
    """Prove for which patterns the columns of what they know are independent, whatever the uncertainty, shape (P,).

    With ``F = X_D + Z W_D^T``, which vanishes but for rounding, ``X + Z W^T`` without its columns D is a left inverse
    of the known equations but for ``|X A - I| + |Z| |W^T A| + |F| |A_D|``, whose row sums bound a norm.
    """
    matrix, doubt = system.matrix, system.uncertainty
    inverse, null = whole.inverse, whole.null
    n_equations, n = matrix.shape
    slack = rounding(n_equations + 4)
    error = doubt.sum(axis=1) + slack * np.abs(matrix).sum(axis=1)
    size = np.abs(matrix).sum(axis=1) + doubt.sum(axis=1)
    near = np.abs(inverse @ matrix - np.eye(n)).sum(axis=1) + np.abs(inverse) @ error + slack
    vanishing = np.abs(null.T @ matrix).sum(axis=1) + np.abs(null).T @ error
    margin, proved = 1.0 + rounding(2 * (n_equations + n) + 16), np.zeros(count, bool)
    for each in lacking:
        step = max(1, _NUMBERS // (n * max(null.shape[1], 1)))
        for start in range(0, len(each.number), step):
            part = slice(start, start + step)
            own, seen = inverse.T[each.equations[part]], null[each.equations[part]]
            change = -each.fill[part].transpose(0, 2, 1) @ own
            left = np.abs(own + seen @ change)
            left += rounding(null.shape[1] + 4) * (np.abs(own) + np.abs(seen) @ np.abs(change))
            moved = vanishing @ np.abs(change) + np.matmul(size[each.equations[part]][:, None], left)[:, 0]
            proved[each.number[part]] = margin * (near + moved).max(axis=1) < CONTRACTS
    return proved


def _least_singular(whole: _Whole, lacking: list[_Lacking], patterns: IntArray) -> float:
    """Return the least of the n-th singular values of what these patterns know.

    ``A_p^T A_p = V S (I - U_D^T U_D) S V^T``, and ``(I - U_D^T U_D)^-1 = I + U_D^T (W_D W_D^T)^-1 U_D``: the largest
    eigenvalue of the inverse is sought for the patterns whose trace allows for a larger one than was found.
    """
    wanted = np.zeros(max(int(each.number.max()) for each in lacking) + 1, bool)
    wanted[patterns] = True
    largest = float(whole.singular[-1]) ** -2.0
    scaled = whole.left / whole.singular
    for each in lacking:
        chosen = np.flatnonzero(wanted[each.number])
        lost = scaled[each.equations[chosen]]
        seen = whole.null[each.equations[chosen]]
        inner = np.linalg.solve(seen @ seen.transpose(0, 2, 1), lost)
        bound = float(whole.singular[-1]) ** -2.0 + (lost * inner).sum(axis=(1, 2))
        for i in np.argsort(-bound):
            if bound[i] <= largest * (1.0 + 1e-9):
                break
            product = np.diag(whole.singular**-2.0) + lost[i].T @ inner[i]
            last = len(product) - 1
            largest = max(largest, float(eigh(product, eigvals_only=True, subset_by_index=[last, last])[0]))
    return float(largest**-0.5)


def _replaced(system: RowSystem, **values: Any) -> RowSystem:
    """Return the system with other values; what was decided of its matrix is kept."""
    return replace(system, **values)
