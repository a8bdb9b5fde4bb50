"""Verdicts: what was decided for each row and overall, with the proof or the witness."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.identifiability.asked import Hint, Scope, ValuesQuestion, VerdictQuestion
from tabular_inversion.identifiability.decision import joined_reasons
from tabular_inversion.identifiability.explanation import Explanation, explanation_of
from tabular_inversion.identifiability.limits import NoiseLimits, extreme, finite, limits_of
from tabular_inversion.identifiability.merging import left_open, merged_question, names_of
from tabular_inversion.identifiability.status import Evidence as Evidence
from tabular_inversion.identifiability.status import Status as Status
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.record_files import load_record, save_record
from tabular_inversion.records import Record, promise

if TYPE_CHECKING:
    from tabular_inversion.agent_values import AgentValues
    from tabular_inversion.exact import ExactAgentValues
    from tabular_inversion.identifiability.proofs import Proof
    from tabular_inversion.mdp import MDP

UNAVAILABLE = -1
"""Marks the entries of `Verdict.row_status` that belong to unavailable actions."""


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Verdict(Record):
    """Whether values determine the kernel, for each row and overall.

    Attributes
    ----------
    question : VerdictQuestion
        What was asked: values, kernel class, scope and noise; or a graph, goals and draws.
    row_status : numpy.ndarray of int8, shape (S, A)
        A `Status` for each row, -1 where the action is unavailable.
    row_evidence : numpy.ndarray of int8, shape (S, A)
        An `Evidence` for each row, -1 where the action is unavailable.
    rank : int
        Rank of the system: of M for `Unconstrained`, of [M;1] otherwise.
    sigma_min : float
        The n-th singular value of that system (0 when it has fewer than n rows), after its rows were centred
        (where the class sums to one) and scaled to unit size; NaN where the verdict is about no single M.
    witness : Witness or None
        For a row that is not identified.
    reason : str
        One sentence: what decided.
    largest_residual : float
        ``max |M p - q|`` over rows and goals, of the best rows in the class, in the units of Q; NaN at uniform scope.
    proofs : tuple of Proof
        At exact evidence: what proves the rows' status.
    error_probability : float
        A bound on the chance that a random draw misled: 0 where nothing that was drawn could.
    hint : Hint or None
        What would decide the rows that are open; None where none is.

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

    question: VerdictQuestion
    row_status: NDArray[np.int8]
    row_evidence: NDArray[np.int8]
    rank: int
    sigma_min: float
    witness: Witness | None
    reason: str
    largest_residual: float
    proofs: tuple[Proof, ...] = ()
    error_probability: float = 0.0
    hint: Hint | None = None

    @classmethod
    def of_rows(
        cls,
        question: VerdictQuestion,
        codes: NDArray[np.int8],
        evidence: NDArray[np.int8],
        *,
        rank: int,
        reason: str,
        sigma_min: float = float("nan"),
        largest_residual: float = float("nan"),
        witness: Witness | None = None,
        proofs: tuple[Proof, ...] = (),
        error_probability: float = 0.0,
        hint: Hint | None = None,
    ) -> Verdict:
        """Return the verdict on a question from the codes of its available rows, in ascending order of s*A + a.

        Parameters
        ----------
        question : VerdictQuestion
            What was asked.
        codes, evidence : numpy.ndarray of int8, shape (rows,)
            A `Status` and an `Evidence` for each available row.
        rank, reason, sigma_min, largest_residual, witness, proofs, error_probability
            As the attributes.
        hint : Hint, optional
            What would decide rows that are open; left out where none is.
        """
        row_status, row_evidence = (np.full(question.available.shape, UNAVAILABLE, np.int8) for _ in range(2))
        row_status[question.available], row_evidence[question.available] = codes, evidence
        return cls(
            question=question,
            row_status=row_status,
            row_evidence=row_evidence,
            rank=int(rank),
            sigma_min=float(sigma_min),
            witness=witness,
            reason=reason,
            largest_residual=float(largest_residual),
            proofs=tuple(proofs),
            error_probability=float(error_probability),
            hint=hint if (codes == Status.UNDECIDED).any() else None,
        )

    def __bool__(self) -> bool:
        """Refuse: a verdict has four values."""
        raise TypeError("a verdict is not true or false; compare verdict.status with Status.IDENTIFIED.")

    def __repr__(self) -> str:
        asked = f"{self.scope} scope, {self.question.policy}"
        counts = f"{self.rows_identified} of {self.rows} rows identified"
        return f"<Verdict {self.status.name}, {self.evidence.name.lower()}, {asked}: {counts}>"

    @cached_property
    def _overall(self) -> tuple[Status, Evidence]:
        available = self.row_status != UNAVAILABLE
        return overall(self.row_status[available], self.row_evidence[available])

    @property
    def status(self) -> Status:
        """Overall: IDENTIFIED only if every row is."""
        return self._overall[0]

    @property
    def evidence(self) -> Evidence:
        """How strong the overall answer is: for IDENTIFIED the weakest of all rows, else the strongest that decided."""
        return self._overall[1]

    @property
    def scope(self) -> Scope:
        """Whether the answer is about an agent's own rows, or about every member of the class."""
        return self.question.scope

    @property
    def kernel_class(self) -> KernelClass:
        """The class the answer is relative to."""
        return self.question.kernel_class

    @property
    def agent(self) -> AgentValues | ExactAgentValues | None:
        """The values that the answer is about; None where it is about almost all worlds on a graph."""
        return self.question.agent if isinstance(self.question, ValuesQuestion) else None

    @property
    def noise(self) -> float | FloatArray | str:
        """How far the values were said to be from the truth: a number, one for each value, or a float type."""
        return self.question.noise if isinstance(self.question, ValuesQuestion) else 0.0

    @cached_property
    def _limits(self) -> NoiseLimits:
        return limits_of(self.question)

    @property
    def row_least_noise(self) -> FloatArray:
        """`least_noise` of each row, shape (S, A)."""
        return self._limits.least

    @property
    def row_largest_noise(self) -> FloatArray:
        """For each row a noise level up to which it is certified to be the only one, shape (S, A)."""
        return self._limits.largest

    @property
    def least_noise(self) -> float:
        """A noise level, in the units of Q, below which no kernel of the class has the values; 0 if none is proved.

        The misfit of least squares separates values and class. NaN at uniform scope and for `Unconstrained`.
        """
        return extreme(self._limits.least, np.max)

    @property
    def largest_noise(self) -> float:
        """A noise level, in the units of Q, up to which IDENTIFIED is certified for every row decided; 0 if none is.

        The least singular value of M on vectors that sum to zero (on known supports) over the Frobenius norm of
        discount * C; for `Deterministic`, the distance to the second nearest column. Infinite where noise does not
        enter M, NaN before training. Source: ST, T3d.
        """
        return extreme(self._limits.largest, np.min)

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.row_status.shape[0])

    @property
    def n_goals(self) -> int:
        """k, the number of goals."""
        return self.question.n_goals

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
        n_states, n_actions = self.row_status.shape
        if not (0 <= state < n_states and 0 <= action < n_actions):
            raise InputError(f"there is no state {state} with action {action}; there are {n_states} and {n_actions}.")
        code = int(self.row_status[state, action])
        return None if code == UNAVAILABLE else Status(code)

    @classmethod
    def merge(cls, parts: Sequence[Verdict]) -> Verdict:
        """Return one verdict from several on different rows of the same values, class, scope and noise.

        Raises
        ------
        InputError
            If there is none, two are about different questions, or two decided the same row.

        Examples
        --------
        >>> from tabular_inversion import Goals, Stochastic, identify, solve
        >>> from tabular_inversion.environments import chain
        >>> agent = solve(chain(3), Goals.generic(3, 2, seed=0))
        >>> parts = [identify(agent, Stochastic(), rows=rows) for rows in ([0, 1], [2, 3, 4, 5])]
        >>> parts[0]
        <Verdict UNDECIDED, numeric, instance scope, optimal agents: 2 of 6 rows identified>
        >>> Verdict.merge(parts)
        <Verdict IDENTIFIED, certified, instance scope, optimal agents: 6 of 6 rows identified>
        """
        questions = [part.question for part in parts]
        question = merged_question(questions)
        available = question.available
        codes, evidence = (np.zeros(available.shape, np.int8) for _ in range(2))
        codes[:] = Status.UNDECIDED
        for part in parts:
            own = part.question.decided  # type: ignore[attr-defined]
            codes[own], evidence[own] = part.row_status[own], part.row_evidence[own]
        shown = [part.witness for part in parts if part.witness is not None]
        left = int((available & ~question.decided).sum())
        reasons = [
            part.reason.removesuffix(left_open(int((available & ~part.question.decided).sum())))  # type: ignore[attr-defined]
            for part in parts
        ]
        hints = [part.hint for part in parts if part.hint not in (None, Hint.TIME)]
        return cls.of_rows(
            question, codes[available], evidence[available], rank=min(part.rank for part in parts),
            sigma_min=min(part.sigma_min for part in parts),
            largest_residual=float(np.fmax.reduce([part.largest_residual for part in parts])),
            witness=min(shown, key=lambda found: (found.state, found.action), default=None),
            reason=joined_reasons(reasons) + left_open(left),
            error_probability=max(part.error_probability for part in parts),  # of one event: noise beyond its bound
            hint=Hint.TIME if left else hints[0] if hints else None,
        )  # fmt: skip

    @promise
    def verify(self) -> None:
        """Decide the question again and compare every field; re-check each proof and the witness from scratch.

        Verdicts on values in floats are decided twice: as they are, which must give every field again, and with the
        states in another order, which sends every factorisation and search another way and may contradict no row.
        The numbers in `reason` count up to their second digit, `sigma_min` and `largest_residual` up to rounding.

        Raises
        ------
        WitnessError
            Naming the field that does not survive.
        """
        check_verdict(self.question, self)

    def explain(self, world: MDP | None = None) -> Explanation:
        """Say in words why, tell the witness as a story, and what to do next.

        Parameters
        ----------
        world : MDP, optional
            The true one where it is known: it gives names, and the true row of the story.

        Returns
        -------
        Explanation
            Printed as text; a notebook shows it formatted.

        Examples
        --------
        >>> from tabular_inversion import Goals, Stochastic, identify, solve
        >>> from tabular_inversion.environments import chain
        >>> world = chain(4)
        >>> print(identify(solve(world, Goals.generic(4, 1, seed=0)), Stochastic()).explain(world).story[0])
        take action right in state 0
        """
        return explanation_of(self, world)

    def _repr_html_(self) -> str:
        return self.explain()._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as the JSON object that ``tabular-inversion identify --json`` prints."""
        return {
            "status": self.status.name,
            "evidence": self.evidence.name.lower(),
            "scope": self.scope,
            "policy": self.question.policy,
            "class": self.kernel_class.name,
            "rows": self.rows,
            "rows_identified": self.rows_identified,
            "rank": self.rank,
            "n_states": self.n_states,
            "n_goals": self.n_goals,
            "sigma_min": None if np.isnan(self.sigma_min) else self.sigma_min,
            "reason": self.reason,
            "hint": None if self.hint is None else self.hint.value,
            "largest_residual": None if np.isnan(self.largest_residual) else self.largest_residual,
            "least_noise": finite(self.least_noise),
            "largest_noise": finite(self.largest_noise),
            "error_probability": self.error_probability,
            "witness": None if self.witness is None else self.witness.to_dict(*names_of(self.agent)),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the verdict with its question, proofs and witness to a .npz or .json file, exactly.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from tabular_inversion import Goals, Stochastic, identify, solve
        >>> from tabular_inversion.environments import chain
        >>> verdict = identify(solve(chain(3), Goals.generic(3, 1, seed=0)), Stochastic())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "verdict.json"
        ...     verdict.save(path)
        ...     loaded = Verdict.load(path)
        >>> loaded == verdict
        True
        >>> loaded.verify()
        """
        save_record(path, "verdict", self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Verdict:
        """Read a verdict written by `save`; what it says is only a claim until it is verified.

        Raises
        ------
        FileFormatError
            If the file is missing, truncated or altered, or holds something else.
        """
        return load_record(path, "verdict", cls)


def overall(codes: NDArray[np.int8], evidence: NDArray[np.int8]) -> tuple[Status, Evidence]:
    """Return the overall status of available rows, the worst of them, and its evidence."""
    status = Status(int(codes.max()))
    deciding = evidence[codes == status]
    return status, Evidence(int(deciding.min() if status is Status.IDENTIFIED else deciding.max()))


@singledispatch
def check_verdict(question: object, verdict: Verdict) -> None:  # noqa: ARG001
    """Do what `Verdict.verify` promises; each kind of question registers its own way to decide again.

    Raises
    ------
    WitnessError
        If a field does not survive, or nothing here can decide a question of this type.
    """
    raise WitnessError(f"question: nothing here decides a question of type {type(question).__name__} again.")
