"""After training: which goals' values failed, and which rows that loses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.assessment.judges import Case
from tabular_inversion.sufficiency.conditioning.predicted import scales_of
from tabular_inversion.sufficiency.conditioning.spans import spanned

_CERTAIN = 4.0  # standard deviations: of a normal error one in 16,000 is larger
_ROUNDING = 1e-9


@checked
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
    >>> from tabular_inversion import solve
    >>> from tabular_inversion.environments import chain
    >>> from tabular_inversion.goals import Goals
    >>> from tabular_inversion.sufficiency import assess
    >>> found = assess(chain(4), Goals.indicator(4, [0, 3]))
    >>> found.check(solve(chain(4), Goals.indicator(4, [0, 3]))).failed
    ()
    """

    failed: tuple[int, ...]
    error: FloatArray
    rows_lost: tuple[tuple[int, int], ...]


def check_training(case: Case, agent: AgentValues, known: BoolArray, *, noise: float, relative: bool) -> TrainingCheck:
    """Compare an agent's values with those of the assessed world; see `Assessment.check`."""
    if case.drawn:
        raise AgentValuesError("only a support was assessed, which has no values to compare with; assess a world.")
    if agent.q.shape != case.agent.q.shape or agent.discount != case.agent.discount:
        raise AgentValuesError(
            f"the agent has values of shape {agent.q.shape} at discount {agent.discount}; expected "
            f"{case.agent.q.shape} at {case.agent.discount}, as assessed."
        )
    scale = scales_of(case.agent.q, relative=relative)
    error = np.abs(agent.q - case.agent.q)[:, case.agent.available].max(axis=1) / scale
    many = case.agent.available.sum()
    allowed = (_CERTAIN + np.sqrt(2 * np.log(many))) * noise + _ROUNDING
    failed = np.flatnonzero(error > allowed)
    kept = [g for g in range(case.goals.n_goals) if g not in failed]
    lost: list[tuple[int, int]] = []
    if len(failed) and case.scenario is not None:
        missing = spanned(case.scenario, kept).missing > 0
        bad = case.scenario.sets.of_rows(missing.astype(float), 0.0) > 0
        rows = np.argwhere(case.asked)[bad]
        lost = [(int(s), int(a)) for s, a in rows[known[tuple(rows.T)]]]
    return TrainingCheck(tuple(failed.tolist()), error, tuple(lost))
