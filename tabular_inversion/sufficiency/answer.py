"""From the codes of rows to a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.identifiability.asked import Hint, VerdictQuestion
from tabular_inversion.identifiability.proofs import Proof
from tabular_inversion.identifiability.verdict import Evidence, Status, Verdict
from tabular_inversion.sufficiency.proofs import WitnessProof


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


def verdict_of(
    asked: VerdictQuestion, answer: Answer, witness: WitnessProof | None, *, hint: Hint | None = None
) -> Verdict:
    """Return the verdict, at uniform scope, that an answer and its witness make."""
    codes = answer.codes
    return Verdict.of_rows(
        asked,
        codes,
        np.where(codes == Status.UNDECIDED, Evidence.NUMERIC, Evidence.EXACT).astype(np.int8),
        rank=answer.rank,
        reason=answer.reason,
        witness=None if witness is None else witness.witness,
        proofs=answer.proofs if witness is None else (*answer.proofs, witness),
        error_probability=answer.error_probability,
        hint=hint,
    )
