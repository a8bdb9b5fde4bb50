"""From the answers of all judges to one for each row, with the error predicted for it and what a reader would miss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.identifiability import Status
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.sufficiency.assessment.judges import Case, Judgement
from tabular_inversion.sufficiency.assessment.why import explain
from tabular_inversion.sufficiency.conditioning.predicted import DIAMETER, conditioning

ROUGH = 0.1
"""A row whose predicted error is larger than this is named in a warning: IDENTIFIED says little there."""


def outside_class(case: Case) -> BoolArray:
    """Tell which rows of the world do not belong to the class, bool (S, A)."""
    world = case.world.sparse()
    supports = case.kernel_class.known_supports(world.row_index)
    if supports is not None:
        wrong = np.zeros(world.available.size, bool)
        entries = (sparse_rows(world.rows)[world.row_index] > 0).astype(np.int8)
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


@dataclass(frozen=True, eq=False)
class Merged:
    """What was found for each row.

    Attributes
    ----------
    status, judge : numpy.ndarray of int8, shape (S, A)
        By the strongest judge that decides a row, and which that is.
    predicted : numpy.ndarray, shape (S, A)
        The predicted error.
    sigma : float
        The smallest singular value.
    warnings : tuple of str
        What a reader of the verdict alone would miss.
    """

    status: NDArray[np.int8]
    judge: NDArray[np.int8]
    predicted: FloatArray
    sigma: float
    warnings: tuple[str, ...]


def merge(case: Case, judgements: tuple[Judgement, ...], noise: float) -> Merged:
    """Return one answer for each row."""
    outside = outside_class(case)
    status, judge = merged(case, judgements, outside)
    predicted, sigma = predict(case, noise)
    words = [
        *_about_class(case, outside),
        *_about_symmetry(case, judgements, status, outside),
        *_about_noise(status, predicted, noise),
        *_about_spare(case),
    ]
    return Merged(status, judge, predicted, sigma, tuple(words))


def _about_class(case: Case, outside: BoolArray) -> list[str]:
    if not outside.any():
        return []
    state, action = np.argwhere(outside)[0].tolist()
    return [
        (
            f"the world is outside class {case.kernel_class.name}: {int(outside.sum())} rows, such as state "
            f"{case.world.state_name(state)}, action {action}, are no members; nothing said of them is about this world"
        )
    ]


def _about_symmetry(
    case: Case, judgements: tuple[Judgement, ...], status: NDArray[np.int8], outside: BoolArray
) -> list[str]:
    """Say where almost every kernel on the support is determined and this one is not, and why."""
    drawn = next((judgement for judgement in judgements if judgement.judge == "generic"), None)
    if drawn is None or not drawn.was_asked or case.drawn:
        return []
    less = (drawn.codes == Status.IDENTIFIED) & (status > Status.IDENTIFIED) & ~outside
    if not less.any():
        return []
    state, action = np.argwhere(less)[0].tolist()
    reasons = explain(case, None, state, action)
    return [
        (
            f"{int(less.sum())} rows are determined for almost every kernel on the support and not here, such as "
            f"state {case.world.state_name(state)}, action {action}: "
            f"{reasons[0].text if reasons else 'this world is exceptional'}"
        )
    ]


def _about_noise(status: NDArray[np.int8], predicted: FloatArray, noise: float) -> list[str]:
    rough = (status == Status.IDENTIFIED) & (predicted > ROUGH)
    if noise == 0 or not rough.any():
        return []
    largest = float(predicted[rough].max())
    top = "" if largest < DIAMETER else " (that is, anything)"
    return [
        (
            f"{int(rough.sum())} rows are IDENTIFIED and may be off by more than {ROUGH} at this noise, up to "
            f"{largest:.2g}{top}"
        )
    ]


def _about_spare(case: Case) -> list[str]:
    if case.scenario is None or case.kernel_class.known_supports(np.empty(0, np.intp)) is None:
        return []
    tight = case.scenario.sets.of_rows((case.scenario.sets.needed == case.goals.n_goals).astype(float), 0.0) > 0
    if not tight.any():
        return []
    return [
        (
            f"{int(tight.sum())} rows have no equation to spare: an edge that the support misses would go unseen; ask "
            "`minimal` for spare=1"
        )
    ]
