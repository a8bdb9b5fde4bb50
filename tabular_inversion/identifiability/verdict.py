"""Verdicts: what was decided for each row and overall, with the proof or the witness."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.errors import TabularInversionError
from tabular_inversion.kernel_classes import KernelClass

Scope = Literal["instance", "uniform"]

UNAVAILABLE = -1
"""Marks the entries of `Verdict.row_status` that belong to unavailable actions."""


class Status(IntEnum):
    """The four answers, in the order in which they decide the overall status (the last one present wins).

    Examples
    --------
    >>> max(Status.IDENTIFIED, Status.NOT_IDENTIFIED).name
    'NOT_IDENTIFIED'
    """

    IDENTIFIED = 0
    UNDECIDED = 1
    NOT_IDENTIFIED = 2
    INCONSISTENT = 3


class Evidence(IntEnum):
    """How strong an answer is: floats with a tolerance, floats with a rigorous bound, rational arithmetic.

    Examples
    --------
    >>> Evidence.NUMERIC < Evidence.CERTIFIED < Evidence.EXACT
    True
    """

    NUMERIC = 0
    CERTIFIED = 1
    EXACT = 2


class WitnessError(TabularInversionError):
    """A witness or proof does not survive its re-check."""


@dataclass(frozen=True, eq=False)
class Witness:
    """Two different rows of the class that give every goal the same value at (state, action).

    Attributes
    ----------
    state, action : int
        The row. At uniform scope the two rows refute uniqueness for this row's class, not for this agent's own row.
    first, second : numpy.ndarray, shape (S,)
        The two rows: floats, or Fractions at exact evidence.
    value_gap : float
        ``max_g |M (first - second)|``, relative to the largest entry of M.
    distance : float
        ``sum |first - second|``.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, Stochastic, identify, solve
    >>> agent = solve(MDP([[[0.5, 0.5]], [[0.25, 0.75]]], discount=0.9), Goals([[0.0, 0.0]]))
    >>> witness = identify(agent, Stochastic(), scope="uniform").witness
    >>> sorted(witness.to_dict())
    ['action', 'distance', 'first', 'second', 'state', 'value_gap']
    """

    state: int
    action: int
    first: NDArray[Any]
    second: NDArray[Any]
    value_gap: float
    distance: float

    def to_dict(self) -> dict[str, Any]:
        """Return the nonzero entries of both rows by state: numbers, or texts such as "1/24" at exact evidence."""

        def entries(row: NDArray[Any]) -> dict[str, float | str]:
            places = np.flatnonzero(row != 0)
            return {str(i): str(row[i]) if row.dtype == object else float(row[i]) for i in places}

        return {
            "state": self.state,
            "action": self.action,
            "first": entries(self.first),
            "second": entries(self.second),
            "value_gap": self.value_gap,
            "distance": self.distance,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Verdict:
    """Whether values determine the kernel, for each row and overall.

    Attributes
    ----------
    status : Status
        Overall: IDENTIFIED only if every row is.
    evidence : Evidence
        How strong the overall answer is: for IDENTIFIED the weakest of all rows, otherwise the strongest among the
        rows that decided it.
    scope : {"instance", "uniform"}
        Whether the question is about this agent's own rows, or about every member of the class under these test
        functions.
    kernel_class : KernelClass
        The class the answer is relative to.
    row_status : numpy.ndarray of int8, shape (S, A)
        A `Status` for each row, -1 where the action is unavailable.
    row_evidence : numpy.ndarray of int8, shape (S, A)
        An `Evidence` for each row, -1 where the action is unavailable.
    rank : int
        Numerical rank of the system: of M for `Unconstrained`, of [M;1] otherwise.
    sigma_min : float
        The n-th singular value of that system (0 when it has fewer than n rows), after its rows were centred
        (where the class sums to one) and scaled to unit size; NaN where the verdict is about no single M.
    n_states, n_goals : int
        n and k.
    witness : Witness or None
        For a row that is not identified.
    reason : str
        One sentence: what decided.
    largest_residual : float
        ``max |M p - q|`` over rows, of the best rows in the class; NaN at uniform scope.
    agent : AgentValues, ExactAgentValues or None
        The values that the verdict is about; None where it is about almost all worlds on a graph.
    proofs : tuple
        At exact evidence: what proves the rows' status, each with ``rows``, ``text`` and ``verify()``.
    error_probability : float
        A bound on the chance that a random draw misled: 0 where nothing that was drawn could.
    noise : float
        How far the values were said to be from the truth, at most.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, identify, solve
    >>> from tabular_inversion.environments import chain
    >>> verdict = identify(solve(chain(3), Goals.generic(3, 2, seed=0)), Stochastic())
    >>> verdict.row(0, 0).name, verdict.rank
    ('IDENTIFIED', 3)
    >>> verdict.verify()
    >>> bool(verdict)
    Traceback (most recent call last):
    TypeError: a verdict is not true or false; compare verdict.status with Status.IDENTIFIED.
    """

    status: Status
    evidence: Evidence
    scope: Scope
    kernel_class: KernelClass
    row_status: NDArray[np.int8]
    row_evidence: NDArray[np.int8]
    rank: int
    sigma_min: float
    n_states: int
    n_goals: int
    witness: Witness | None
    reason: str
    largest_residual: float
    agent: Any
    proofs: tuple[Any, ...] = ()
    error_probability: float = 0.0
    noise: float = 0.0

    def __bool__(self) -> bool:
        """Refuse: a verdict has four values."""
        raise TypeError("a verdict is not true or false; compare verdict.status with Status.IDENTIFIED.")

    def __repr__(self) -> str:
        counts = f"{self.rows_identified} of {self.rows} rows identified"
        return f"<Verdict {self.status.name}, {self.evidence.name.lower()}, {self.scope} scope: {counts}>"

    @property
    def rows(self) -> int:
        """How many rows (s, a) are available."""
        return int((self.row_status != UNAVAILABLE).sum())

    @property
    def rows_identified(self) -> int:
        """How many of them are identified."""
        return int((self.row_status == Status.IDENTIFIED).sum())

    def row(self, state: int, action: int) -> Status | None:
        """Return the status of one row, None where the action is unavailable."""
        code = int(self.row_status[state, action])
        return None if code == UNAVAILABLE else Status(code)

    def verify(self) -> None:
        """Re-check the proofs or the witness from scratch.

        Verdicts with values decide the question again, floats with the states in another order, which sends every
        factorisation and search another way; each row must get the same status with no less evidence, and the witness
        is re-checked. Exact ones re-check each proof too, and that it is about these values. Verdicts without values
        re-check each proof.

        Raises
        ------
        WitnessError
            If anything does not survive.
        """
        if self.agent is None:
            _check_proofs(self)
            return
        from tabular_inversion.identifiability.identify import verify

        verify(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as the JSON object that ``tabular-inversion identify --json`` prints."""
        return {
            "status": self.status.name,
            "evidence": self.evidence.name.lower(),
            "scope": self.scope,
            "class": self.kernel_class.name,
            "rows": self.rows,
            "rows_identified": self.rows_identified,
            "rank": self.rank,
            "n_states": self.n_states,
            "n_goals": self.n_goals,
            "sigma_min": None if np.isnan(self.sigma_min) else self.sigma_min,
            "reason": self.reason,
            "error_probability": self.error_probability,
            "witness": None if self.witness is None else self.witness.to_dict(),
        }


def overall(codes: NDArray[np.int8], evidence: NDArray[np.int8]) -> tuple[Status, Evidence]:
    """Return the overall status of available rows, the worst of them, and its evidence."""
    status = Status(int(codes.max()))
    deciding = evidence[codes == status]
    return status, Evidence(int(deciding.min() if status is Status.IDENTIFIED else deciding.max()))


def _check_proofs(verdict: Verdict) -> None:
    """Raise `WitnessError` unless every proof holds, and together they cover every row that was decided."""
    index = np.flatnonzero(verdict.row_status != UNAVAILABLE)
    covered = np.zeros(len(index), bool)
    for proof in verdict.proofs:
        if not proof.verify():
            raise WitnessError(f"a proof does not hold: {proof.text}.")
        covered[proof.rows] = True
    codes = verdict.row_status.ravel()[index]
    bare = np.flatnonzero((codes != Status.UNDECIDED) & ~covered)
    if bare.size:
        state, action = divmod(int(index[bare[0]]), verdict.row_status.shape[1])
        raise WitnessError(f"no proof covers the row of state {state}, action {action}.")
    if (codes == Status.NOT_IDENTIFIED).any() and verdict.witness is None:
        raise WitnessError("a row is not identified, and there is no witness.")
