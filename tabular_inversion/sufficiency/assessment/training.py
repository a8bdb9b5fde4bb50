"""After training: which goals' values failed, and which rows that loses; and the re-check of an assessment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError, WitnessError
from tabular_inversion.identifiability import Status
from tabular_inversion.records import Record, same
from tabular_inversion.sufficiency.assessment.judges import judge_all
from tabular_inversion.sufficiency.assessment.summary import merged, outside_of, predict, warnings_of
from tabular_inversion.sufficiency.conditioning.predicted import scales_of
from tabular_inversion.sufficiency.conditioning.spans import spanned

_CERTAIN = 4.0  # standard deviations: of a normal error one in 16,000 is larger
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class TrainingCheck(Record):
    """How training went, beside the world that was assessed.

    Attributes
    ----------
    failed : tuple of int
        Goals whose values are off by more than five times the noise somewhere.
    error : numpy.ndarray, shape (k,)
        The largest error of each goal's values, in the units that noise has.
    rows_lost : tuple of (int, int)
        Rows that the other goals do not determine.

    Examples
    --------
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import chain
    >>> from tabular_inversion.sufficiency import assess
    >>> goals = Goals.indicator(4, [0, 1])
    >>> assess(chain(4), goals).check(solve(chain(4), goals)).failed
    ()
    """

    failed: tuple[int, ...]
    error: FloatArray
    rows_lost: tuple[tuple[int, int], ...]


def check_training(found: Any, agent: AgentValues) -> TrainingCheck:
    """Compare an agent's values with those of the assessed world; see `Assessment.check`."""
    case = found.case
    if case.drawn:
        raise AgentValuesError("only a support was assessed, which has no values to compare with; assess a world.")
    if agent.q.shape != case.agent.q.shape or agent.discount != case.agent.discount:
        raise AgentValuesError(
            f"the agent has values of shape {agent.q.shape} at discount {agent.discount}; expected "
            f"{case.agent.q.shape} at {case.agent.discount}, as assessed."
        )
    scale = scales_of(case.agent.q, relative=found.relative)
    error = np.abs(agent.q - case.agent.q)[:, case.agent.available].max(axis=1) / scale
    many = case.agent.available.sum()
    allowed = (_CERTAIN + np.sqrt(2 * np.log(many))) * found.noise + _ROUNDING
    failed = np.flatnonzero(error > allowed)
    kept = [g for g in range(case.goals.n_goals) if g not in failed]
    lost: list[tuple[int, int]] = []
    if len(failed) and case.scenario is not None:
        missing = spanned(case.scenario, kept).missing > 0
        bad = case.scenario.sets.of_rows(missing.astype(float), 0.0) > 0
        rows = np.argwhere(case.asked)[bad]
        before = found.row_status[tuple(rows.T)] == Status.IDENTIFIED
        lost = [(int(s), int(a)) for s, a in rows[before]]
    return TrainingCheck(tuple(failed.tolist()), error, tuple(lost))


def verify_assessment(found: Any) -> None:
    """Ask again and compare; see `Assessment.verify`."""
    answered = [stated for stated in found.judgements if stated.was_asked]
    again = judge_all(found.case, end=np.inf, only=[stated.judge for stated in answered])
    for stated, fresh in zip(answered, again, strict=True):
        if not np.array_equal(stated.codes, fresh.codes):
            raise WitnessError(f"judgements: {stated.judge} says something else when asked again.")
        if stated.verdict is not None:
            stated.verdict.verify()
    outside = outside_of(found.case)
    status, judge = merged(found.case, found.judgements, outside)
    predicted, sigma = predict(found.case, found.noise)
    expected = replace(found, row_status=status, row_judge=judge, predicted_error=predicted, sigma_min=sigma)
    for name in ("row_status", "row_judge"):
        if not same(getattr(found, name), getattr(expected, name)):
            raise WitnessError(f"{name}: it does not follow from the judgements.")
    if not np.allclose(found.predicted_error, predicted, rtol=1e-6, equal_nan=True):
        raise WitnessError("predicted_error: it is another one.")
    if not np.isclose(found.sigma_min, sigma, rtol=1e-6, equal_nan=True):
        raise WitnessError(f"sigma_min: it is {sigma}; {found.sigma_min} was stated.")
    if warnings_of(replace(found, warnings=()), outside) != found.warnings:
        raise WitnessError("warnings: they are others.")
