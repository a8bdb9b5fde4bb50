"""What a re-check of a verdict compares, in floats and in fractions alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tabular_inversion.identifiability.verdict import UNAVAILABLE, Status, Verdict, WitnessError, overall

if TYPE_CHECKING:
    from tabular_inversion._typing import IntArray


def compare(verdict: Verdict, again: Verdict, order: IntArray | None = None) -> None:
    """Raise unless a verdict claims no more than the same question, decided again, and says so consistently.

    Parameters
    ----------
    verdict : Verdict
        The claim.
    again : Verdict
        The second decision.
    order : numpy.ndarray of int, shape (S,), optional
        State ``order[i]`` of the claim is state i of the second decision.

    Raises
    ------
    WitnessError
        If a row's status differs (unless the claim is UNDECIDED), its evidence is weaker the second time, the overall
        status does not follow from the rows, or there is no witness for a row that is not identified.
    """
    states = np.arange(verdict.n_states) if order is None else order
    claimed, strength = verdict.row_status[states], verdict.row_evidence[states]
    changed = (claimed != again.row_status) & (claimed != Status.UNDECIDED)
    weaker = (strength > again.row_evidence) & (claimed != Status.UNDECIDED)
    for wrong, what in ((changed, "status"), (weaker, "evidence")):
        if wrong.any():
            state, action = np.argwhere(wrong)[0]
            raise WitnessError(
                f"the {what} of state {int(states[state])}, action {int(action)} is not found again when the question "
                "is decided anew; use exact values."
            )
    available = verdict.row_status != UNAVAILABLE
    if (verdict.status, verdict.evidence) != overall(verdict.row_status[available], verdict.row_evidence[available]):
        raise WitnessError(f"the rows do not amount to {verdict.status.name}, {verdict.evidence.name.lower()}.")
    witness = verdict.witness
    if (verdict.row_status == Status.NOT_IDENTIFIED).any() and witness is None:
        raise WitnessError("a row is not identified, and there is no witness.")
    if witness is not None and verdict.row_status[witness.state, witness.action] != Status.NOT_IDENTIFIED:
        raise WitnessError(
            f"there is a witness for state {witness.state}, action {witness.action}, whose row is not called "
            "NOT_IDENTIFIED."
        )
