"""What follows from judgements: the status of each row, its predicted error, and what a reader should be told."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.identifiability import Status
from tabular_inversion.sufficiency.assessment.judges import Case, Judgement
from tabular_inversion.sufficiency.conditioning.predicted import DIAMETER, conditioning

ROUGH = 0.1
"""A row whose predicted error is larger than this is named in a warning: IDENTIFIED says little there."""


def outside_of(case: Case) -> BoolArray:
    """Tell which rows of the world do not belong to the class, bool (S, A)."""
    world = case.world.sparse()
    supports = case.kernel_class.known_supports(world.row_index)
    if supports is not None:
        wrong = np.zeros(world.available.size, bool)
        entries = (world.rows[world.row_index] > 0).astype(np.int8)
        wrong[world.row_index] = np.asarray((entries - entries.multiply(supports)).sum(axis=1)).ravel() > 0
    else:
        wrong = np.zeros(case.asked.size, bool)
        index = np.flatnonzero(world.available)
        wrong[index] = ~case.kernel_class.contains(world.rows[index])
    return wrong.reshape(case.asked.shape) & case.asked


def merged(
    case: Case, judgements: tuple[Judgement, ...], outside: BoolArray
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Take for each row the answer of the last judge that decides it."""
    status = np.where(case.asked, Status.UNDECIDED, -1).astype(np.int8)
    judge = np.full(status.shape, -1, np.int8)
    for number, judgement in enumerate(judgements):
        decided = (judgement.codes >= 0) & (judgement.codes != Status.UNDECIDED)
        status[decided], judge[decided] = judgement.codes[decided], number
    if not case.drawn:  # what holds for almost every kernel need not hold here: only this world's judges say so
        here = [n for n, j in enumerate(judgements) if j.judge.startswith("concrete") and j.was_asked]
        if here:
            lost = (status == Status.IDENTIFIED) & ~np.isin(judge, here)
            status[lost], judge[lost] = Status.UNDECIDED, -1
    status[outside] = Status.INCONSISTENT
    return status, judge


def predict(case: Case, noise: float) -> tuple[FloatArray, float]:
    """Return the predicted error of each row, and the smallest singular value of all."""
    errors = np.full(case.asked.shape, np.nan)
    if case.scenario is None:
        return errors, float("nan")
    found = conditioning(case.scenario.matrix, case.scenario.sets)
    errors[case.asked] = found.predicted(case.scenario.sets, noise=noise, discount=case.world.discount)
    return errors, float(found.sigma.min(initial=np.inf))


def warnings_of(found: Any, outside: BoolArray) -> tuple[str, ...]:
    """Return what a reader of the verdict alone would miss."""
    case, words = found.case, []
    name = case.world.state_name
    if outside.any():
        state, action = np.argwhere(outside)[0].tolist()
        words.append(
            f"the world is outside class {case.kernel_class.name}: {int(outside.sum())} rows, such as state "
            f"{name(state)}, action {action}, are no members; nothing said of them is about this world"
        )
    by_name = {judgement.judge: judgement for judgement in found.judgements}
    drawn = by_name.get("generic")
    if drawn is not None and drawn.was_asked and not case.drawn:
        less = (drawn.codes == Status.IDENTIFIED) & (found.row_status > Status.IDENTIFIED) & ~outside
        if less.any():
            state, action = np.argwhere(less)[0].tolist()
            reason = found.why(state, action)
            words.append(
                f"{int(less.sum())} rows are determined for almost every kernel on the support and not here, such as "
                f"state {name(state)}, action {action}: {reason[0].text if reason else 'this world is exceptional'}"
            )
    if found.noise > 0:
        rough = (found.row_status == Status.IDENTIFIED) & (found.predicted_error > ROUGH)
        if rough.any():
            top = "" if found.largest_error < DIAMETER else " (that is, anything)"
            words.append(
                f"{int(rough.sum())} rows are IDENTIFIED and may be off by more than {ROUGH} at this noise, up to "
                f"{found.largest_error:.2g}{top}"
            )
    if case.scenario is not None and case.kernel_class.known_supports(case.world.row_index) is not None:
        tight = case.scenario.sets.of_rows((case.scenario.sets.needed == case.goals.n_goals).astype(float), 0.0) > 0
        if tight.any():
            words.append(
                f"{int(tight.sum())} rows have no equation to spare: an edge that the support misses would go unseen; "
                "ask `minimal` for spare=1"
            )
    return tuple(words)
