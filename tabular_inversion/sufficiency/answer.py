"""From the codes of rows to a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.identifiability.rational.proofs import Proof
from tabular_inversion.identifiability.verdict import UNAVAILABLE, Evidence, Status, Verdict, overall
from tabular_inversion.sufficiency.proofs import WitnessProof
from tabular_inversion.sufficiency.question import Question


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found for the available rows of a question.

    Attributes
    ----------
    codes : numpy.ndarray of int8, shape (rows,)
        `Status` values.
    proofs : tuple of Proof
        Covering every row that was decided.
    rank : int
        Of the whole system.
    reason : str
        One sentence.
    error_probability : float
        A bound on the chance that draws misled.
    """

    codes: NDArray[np.int8]
    proofs: tuple[Proof, ...]
    rank: int
    reason: str
    error_probability: float = 0.0


def verdict_of(question: Question, answer: Answer, witness: WitnessProof | None) -> Verdict:
    """Return the verdict, at uniform scope, that an answer and its witness make."""
    codes = answer.codes
    evidence = np.where(codes == Status.UNDECIDED, Evidence.NUMERIC, Evidence.EXACT).astype(np.int8)
    row_status, row_evidence = (np.full(question.available.size, UNAVAILABLE, np.int8) for _ in range(2))
    row_status[question.row_index], row_evidence[question.row_index] = codes, evidence
    status, strength = overall(codes, evidence)
    return Verdict(
        status=status,
        evidence=strength,
        scope="uniform",
        kernel_class=question.kernel_class,
        row_status=row_status.reshape(question.available.shape),
        row_evidence=row_evidence.reshape(question.available.shape),
        rank=answer.rank,
        sigma_min=float("nan"),
        n_states=question.n_states,
        n_goals=question.goals.n_goals,
        witness=None if witness is None else witness.witness,
        reason=answer.reason,
        largest_residual=float("nan"),
        agent=None,
        proofs=answer.proofs if witness is None else (*answer.proofs, witness),
        error_probability=answer.error_probability,
    )
