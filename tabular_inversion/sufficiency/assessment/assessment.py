"""What is known of a goal set: the answer to `assess`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import WitnessError
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Status
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record, promise, same
from tabular_inversion.sufficiency.assessment.judges import Case, Judgement, judge_all
from tabular_inversion.sufficiency.assessment.merging import merge
from tabular_inversion.sufficiency.assessment.next_goal import NextGoal, find_next_goal
from tabular_inversion.sufficiency.assessment.training import TrainingCheck, check_training
from tabular_inversion.sufficiency.assessment.why import Explanation, explain
from tabular_inversion.sufficiency.scenarios import name_of_policy


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Assessment(Record):
    """What a goal set determines, how well, and by whose judgement.

    Attributes
    ----------
    case : Case
        World, goals, class, policy, scope and rows asked about.
    judgements : tuple of Judgement
        Of all judges, in order of cost, those that were not asked included.
    row_status : numpy.ndarray of int8, shape (S, A)
        A `Status` for each row by the strongest judge that decides it; -1 where it was not asked about.
    row_judge : numpy.ndarray of int8, shape (S, A)
        The number of that judge in `judgements`, -1 where none decides.
    predicted_error : numpy.ndarray, shape (S, A)
        The 2-norm error that no row exceeds with probability 0.95 at the noise asked about; NaN where it was not asked
        about, or is not predicted (`Sparse`).
    sigma_min : float
        The smallest singular value of any row's equations, each goal in its own units.
    noise : float
        Of the values.
    relative : bool
        Whether that is in units of each goal's largest value.
    warnings : tuple of str
        What a reader of the verdict alone would miss.

    Examples
    --------
    >>> from tabular_inversion import Supported
    >>> from tabular_inversion.environments import four_rooms
    >>> from tabular_inversion.sufficiency import assess
    >>> world = four_rooms("windy")
    >>> found = assess(world, [0, 20, 40, 60], Supported.of(world))
    >>> found
    <Assessment IDENTIFIED by concrete, optimal agents, class supported: 272 of 272 rows>
    """

    case: Case
    judgements: tuple[Judgement, ...]
    row_status: NDArray[np.int8]
    row_judge: NDArray[np.int8]
    predicted_error: FloatArray
    sigma_min: float
    noise: float
    relative: bool
    warnings: tuple[str, ...]

    @property
    def status(self) -> Status:
        """Overall: IDENTIFIED only if every row asked about is."""
        return Status(int(self.row_status.max()))

    @property
    def verdict(self) -> Judgement:
        """The judgement of the strongest judge that decided a row, or of the strongest asked."""
        last = int(self.row_judge.max())
        return self.judgements[last if last >= 0 else max(i for i, j in enumerate(self.judgements) if j.was_asked)]

    @property
    def rows(self) -> int:
        """How many rows were asked about."""
        return int((self.row_status >= 0).sum())

    @property
    def rows_identified(self) -> int:
        """How many of them are identified."""
        return int((self.row_status == Status.IDENTIFIED).sum())

    @property
    def policy(self) -> str:
        """What the agents do, in words."""
        return name_of_policy(self.case.policy)

    @property
    def largest_error(self) -> float:
        """The largest predicted error of any row."""
        shown = self.predicted_error[~np.isnan(self.predicted_error)]
        return float(shown.max(initial=0.0)) if shown.size else float("nan")

    def __repr__(self) -> str:
        whose = f"{self.policy}, class {self.case.kernel_class.name}"
        counts = f"{self.rows_identified} of {self.rows} rows"
        return f"<Assessment {self.status.name} by {self.verdict.judge}, {whose}: {counts}>"

    @property
    def text(self) -> str:
        """The report: a line for each judge, the predicted error, and the warnings."""
        whose = f" [{self.policy}, class {self.case.kernel_class.name}]"
        unit = "of each goal's largest value" if self.relative else "in units of Q"
        error = f"predicted error at noise {self.noise:g} {unit}: at most {self.largest_error:.3g}"
        lines = [f"{self.status.name}: {self.rows_identified} of {self.rows} rows identified"]
        lines += [str(judgement) for judgement in self.judgements]
        lines.append(f"smallest singular value {self.sigma_min:.3g}; {error}")
        return "\n".join([line + whose for line in lines] + [f"warning: {words}" for words in self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "status": self.status.name,
            "judge": self.verdict.judge,
            "evidence": self.verdict.evidence,
            "about": self.verdict.about,
            "policy": self.policy,
            "class": self.case.kernel_class.name,
            "scope": self.case.scope,
            "n_goals": self.case.goals.n_goals,
            "rows": self.rows,
            "rows_identified": self.rows_identified,
            "sigma_min": self.sigma_min,
            "noise": self.noise,
            "relative": self.relative,
            "predicted_error": None if np.isnan(self.largest_error) else self.largest_error,
            "judgements": [str(judgement) for judgement in self.judgements],
            "warnings": list(self.warnings),
        }

    def why(self, state: int, action: int) -> tuple[Explanation, ...]:
        """Say why a row is not determined, in ways that can be checked again; see `Explanation`."""
        n_states, n_actions = self.row_status.shape
        known = 0 <= state < n_states and 0 <= action < n_actions
        identified = known and self.row_status[state, action] == Status.IDENTIFIED
        judge = self.judgements[int(self.row_judge[state, action])].reason if identified else None
        return explain(self.case, judge, state, action)

    def next_goal(self, candidates: Goals | ArrayLike | None = None) -> NextGoal:
        """Return the candidate that lowers the expected error most, by the criterion of `order_goals`.

        Parameters
        ----------
        candidates : Goals or array_like of int, optional
            Goals, or the states of indicator goals that end on arrival; every state when omitted.
        """
        return find_next_goal(self.case, candidates, noise=self.noise, relative=self.relative)

    def check(self, agent: AgentValues) -> TrainingCheck:
        """Return, after training, which goals' values are off by more than the noise, and which rows that loses."""
        known = self.row_status == Status.IDENTIFIED
        return check_training(self.case, agent, known, noise=self.noise, relative=self.relative)

    @promise
    def verify(self) -> None:
        """Ask all judges again that were asked, re-check their proofs, and compare.

        Raises
        ------
        WitnessError
            Naming what does not survive.
        """
        answered = [stated for stated in self.judgements if stated.was_asked]
        again = judge_all(self.case, end=np.inf, only=[stated.judge for stated in answered])
        for stated, fresh in zip(answered, again, strict=True):
            if not np.array_equal(stated.codes, fresh.codes):
                raise WitnessError(f"judgements: {stated.judge} says something else when asked again.")
            if stated.verdict is not None:
                stated.verdict.verify()
        found = merge(self.case, self.judgements, self.noise)
        for name, expected in (("row_status", found.status), ("row_judge", found.judge), ("warnings", found.warnings)):
            if not same(getattr(self, name), expected):
                raise WitnessError(f"{name}: it does not follow from the judgements.")
        if not np.allclose(self.predicted_error, found.predicted, rtol=1e-6, equal_nan=True):
            raise WitnessError("predicted_error: it is another one.")
        if not np.isclose(self.sigma_min, found.sigma, rtol=1e-6, equal_nan=True):
            raise WitnessError(f"sigma_min: it is {found.sigma}; {self.sigma_min} was stated.")
