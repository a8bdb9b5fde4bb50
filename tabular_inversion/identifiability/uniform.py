"""Uniform scope (T2a, T3a, T3b, T5a): whether every member of the class is determined by its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray, IntArray, SparseMask
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.sparse_rows import two_sparse_rows
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.recovery.column_matching import column_separation, matching_scale
from tabular_inversion.recovery.independence import independent_columns
from tabular_inversion.recovery.rank import RankStatus, split_into_rows
from tabular_inversion.recovery.system import RowSystem

COINCIDENCE = "numbers that coincide as given are taken to coincide in truth"
"""The assumption that a refutation in floats rests on: see `hides_nothing`."""


@dataclass(frozen=True)
class Answer:
    """One answer for all rows of a class that share their system.

    Attributes
    ----------
    status : Status
        Of every row.
    evidence : Evidence
        What it rests on.
    rows : tuple of two numpy.ndarray, shape (n,), or None
        Two members with the same values, where rows are not identified.
    reason : str
        One sentence.
    """

    status: Status
    evidence: Evidence
    rows: tuple[FloatArray, FloatArray] | None
    reason: str


def decide_uniform(system: RowSystem, kernel_class: KernelClass, row_index: IntArray) -> Decision:
    """Decide all rows of a class under one system.

    Parameters
    ----------
    system : RowSystem
        M or [M;1].
    kernel_class : KernelClass
        K.
    row_index : numpy.ndarray of int
        Numbers s*A + a of the available rows.
    """
    answer = UNIFORM.of(kernel_class)(system, kernel_class, row_index)
    if isinstance(answer, Decision):
        return answer
    n_rows = len(row_index)
    codes, evidence = (np.full(n_rows, code, np.int8) for code in (answer.status, answer.evidence))
    return Decision(codes, evidence, None if answer.rows is None else Pair(0, *answer.rows), answer.reason)


def _rank_text(system: RowSystem, what: str) -> str:
    return f"{what} has rank {system.rank} of {system.n_states} (n-th singular value {system.sigma_min:.2e})"


def full_rank(system: RowSystem, what: str) -> Answer:
    """Answer by the rank of the whole system, which is called `what`; whoever asks adds the two rows."""
    text = _rank_text(system, what)
    decision = system.rank_decision
    evidence = Evidence.CERTIFIED if decision.proved else Evidence.NUMERIC
    if decision.status is RankStatus.FULL:
        return Answer(Status.IDENTIFIED, evidence, None, text)
    if system.has_fewer_equations:
        text = f"{what} has {len(system.matrix)} equations, too few for {system.n_states} unknowns"
        return Answer(Status.NOT_IDENTIFIED, evidence, None, text)
    if decision.status is RankStatus.DEFICIENT:
        return Answer(Status.NOT_IDENTIFIED, evidence, None, f"{text}; {COINCIDENCE}")
    digits = int(np.ceil(16.0 - np.log10(max(system.sigma_min, 1e-16))))
    hint = f"too small for floats to decide; exact arithmetic would, or {digits} digits or more"
    return Answer(Status.UNDECIDED, Evidence.NUMERIC, None, f"{text}: {hint}")


def _unconstrained(system: RowSystem, _class: KernelClass, _row_index: IntArray) -> Answer:
    answer = full_rank(system, "M")
    if answer.status is not Status.NOT_IDENTIFIED:
        return answer
    middle = np.full(system.n_states, 1.0 / system.n_states)
    return replace(answer, rows=(middle, middle + system.null_basis[:, -1]))


def _stochastic(system: RowSystem, _class: KernelClass, _row_index: IntArray) -> Answer:
    answer = full_rank(system, "[M;1]")
    if answer.status is not Status.NOT_IDENTIFIED:
        return answer
    return replace(answer, rows=split_into_rows(system.null_basis[:, -1]))


def _deterministic(system: RowSystem, _class: KernelClass, _row_index: IntArray) -> Answer:
    codes, evidence, separation = column_codes(system)
    weakest = int(separation.argmin())
    status = Status(int(codes[weakest]))
    reason = f"the least distance between two columns of M is {float(separation[weakest]):.2e} times its uncertainty"
    if status is Status.NOT_IDENTIFIED:
        pair = equal_columns(system, weakest)
        return Answer(status, Evidence(int(evidence[weakest])), pair, f"two columns of M are equal; {COINCIDENCE}")
    if status is Status.UNDECIDED:
        reason = f"{reason}: too small for floats to decide; exact arithmetic would"
    return Answer(status, Evidence(int(evidence[weakest])), None, reason)


def column_codes(system: RowSystem) -> tuple[NDArray[np.int8], NDArray[np.int8], FloatArray]:
    """Decide for each column of M whether it differs from all others.

    Returns
    -------
    codes, evidence : numpy.ndarray of int8, shape (n,)
        `Status` (IDENTIFIED: it differs) and `Evidence`.
    separation : numpy.ndarray, shape (n,)
        The distance to the nearest other column; above 1 the two surely differ.
    """
    separation = column_separation(matching_scale(system)[0], np.inf)
    codes = np.full(len(separation), Status.UNDECIDED, np.int8)
    codes[separation > 1.0] = Status.IDENTIFIED
    exact = not system.matrix_error.any()
    if system.hides_nothing or exact:
        codes[repeated(system.test_matrix)[1] > 1] = Status.NOT_IDENTIFIED
    proved = (codes == Status.IDENTIFIED) | ((codes == Status.NOT_IDENTIFIED) & exact)
    return codes, np.where(proved & system.rigorous, Evidence.CERTIFIED, Evidence.NUMERIC).astype(np.int8), separation


def equal_columns(system: RowSystem, state: int) -> tuple[FloatArray, FloatArray]:
    """Return the vertices `state` and the first other state whose column is equal to its own."""
    same = (system.test_matrix == system.test_matrix[:, [state]]).all(axis=0)
    same[state] = False
    unit = np.eye(system.n_states)
    return unit[state], unit[int(same.argmax())]


def repeated(matrix: FloatArray) -> tuple[IntArray, IntArray]:
    """Return, for each column of a matrix, which class of equal columns it is in, and how many are in that.

    Examples
    --------
    >>> import numpy as np
    >>> repeated(np.array([[0.0, 1.0, 0.0]]))
    (array([0, 1, 0]), array([2, 1, 2]))
    """
    _, inverse, counts = np.unique(matrix, axis=1, return_inverse=True, return_counts=True)
    return inverse.ravel(), counts[inverse.ravel()]


def _supported(system: RowSystem, kernel_class: Supported, row_index: IntArray) -> Decision:
    """Rows with the same support share one rank; supports of one size are decomposed together."""
    support = kernel_class.known_supports(row_index)
    codes, evidence, deficient = restricted_codes(system, support)
    wrong = np.flatnonzero(codes == Status.NOT_IDENTIFIED)
    full = int((codes == Status.IDENTIFIED).sum())
    reason = f"[M;1] restricted to the known support has full column rank for {full} of {len(codes)} rows"
    if wrong.size == 0:
        return Decision(codes, evidence, None, reason)
    row = int(wrong[0])
    return Decision(codes, evidence, Pair(row, *split_into_rows(deficient(row))), reason)


def restricted_codes(
    system: RowSystem, support: SparseMask, *, chunk: int = 4096
) -> tuple[NDArray[np.int8], NDArray[np.int8], Callable[[int], FloatArray]]:
    """Decide whether the columns of each row's support are independent.

    Parameters
    ----------
    system : RowSystem
        With n unknowns.
    support : bool csr_array, shape (rows, n)
        No row empty.
    chunk : int
        How many supports are decomposed at once.

    Returns
    -------
    codes : numpy.ndarray of int8, shape (rows,)
        IDENTIFIED (independent), NOT_IDENTIFIED (dependent) or UNDECIDED.
    evidence : numpy.ndarray of int8, shape (rows,)
        CERTIFIED where a rigorous bound proves independence, or there are fewer equations than columns.
    null_vector : callable
        ``null_vector(row)`` is a vector (n,) on the support of a dependent row that the system maps to zero.
    """
    sizes = np.diff(support.indptr)
    codes, evidence = np.empty(len(sizes), np.int8), np.empty(len(sizes), np.int8)
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        columns = support.indices[support.indptr[rows][:, None] + np.arange(size)]
        different, inverse = np.unique(np.sort(columns, axis=1), axis=0, return_inverse=True)
        found = [
            _column_rank_codes(system, different[start : start + chunk]) for start in range(0, len(different), chunk)
        ]
        codes[rows] = np.concatenate([part[0] for part in found])[inverse.ravel()]
        evidence[rows] = np.concatenate([part[1] for part in found])[inverse.ravel()]

    def null_vector(row: int) -> FloatArray:
        states = support.indices[support.indptr[row] : support.indptr[row + 1]]
        vector = np.zeros(system.n_states)
        vector[states] = system.restrict(states).null_basis[:, -1]
        return vector

    return codes, evidence, null_vector


def _column_rank_codes(system: RowSystem, columns: IntArray) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Three-valued full-column-rank test of the columns T of the system for each row T of `columns`, shape (b, N)."""
    count, size = columns.shape
    if len(system.matrix) < size:
        return np.full(count, Status.NOT_IDENTIFIED, np.int8), np.full(count, Evidence.CERTIFIED, np.int8)
    parts = (np.moveaxis(part[:, columns], 0, 1) for part in (system.test_matrix, system.matrix_error))
    full = independent_columns(*parts, sums_to_one=system.sums_to_one)
    codes = np.where(full, Status.IDENTIFIED, Status.UNDECIDED).astype(np.int8)
    proved = full & system.rigorous
    for i in np.flatnonzero(~full):
        decision = system.restrict(columns[i]).rank_decision
        if decision.status is RankStatus.DEFICIENT:
            codes[i], proved[i] = Status.NOT_IDENTIFIED, decision.proved
    return codes, np.where(proved, Evidence.CERTIFIED, Evidence.NUMERIC).astype(np.int8)


def _sparse(system: RowSystem, kernel_class: Sparse, row_index: IntArray) -> Answer:
    """Look for two rows with at most N successors each and the same values (T5b)."""
    n_successors = kernel_class.most(system.n_states)
    if kernel_class.max_successors == 1:
        return _deterministic(system, kernel_class, row_index)
    if system.rank_decision.status is RankStatus.FULL or n_successors >= system.n_states:
        return _stochastic(system, kernel_class, row_index)
    return Answer(*two_sparse_rows(system, n_successors))


UNIFORM: ClassTable[Callable[[RowSystem, Any, IntArray], Answer | Decision]] = ClassTable(
    "the uniform question",
    {
        Unconstrained: _unconstrained,
        Stochastic: _stochastic,
        Supported: _supported,
        Sparse: _sparse,
        Deterministic: _deterministic,
    },
)
"""By class, ``decide(system, kernel_class, row_index)``: an `Answer` for all rows, or a `Decision` row by row."""
