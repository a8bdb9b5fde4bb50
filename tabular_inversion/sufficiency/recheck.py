"""The promise of `Verdict.verify` for verdicts before training: every field is found again, every proof re-checked."""

from __future__ import annotations

from typing import Any

from tabular_inversion.errors import WitnessError
from tabular_inversion.identifiability.asked import VerdictQuestion
from tabular_inversion.identifiability.recheck import check_proofs, decided_again
from tabular_inversion.identifiability.verdict import Verdict, check_verdict
from tabular_inversion.identifiability.verification import check_form, compare
from tabular_inversion.kinds import checked
from tabular_inversion.records import same
from tabular_inversion.sufficiency.by_draws.generic import GenericQuestion, decide_generic
from tabular_inversion.sufficiency.by_paths.structural import StructuralQuestion, decide_structural
from tabular_inversion.sufficiency.concrete import ModularQuestion, decide_modular


@checked
def verify(verdict: Verdict) -> None:
    """Decide the question of a verdict again and compare every field; the same as `Verdict.verify`.

    Raises
    ------
    WitnessError
        Naming the field that does not survive.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.sufficiency import structural
    >>> verify(structural(nx.star_graph(4), [1, 2, 3]))
    """
    verdict.verify()


@check_verdict.register
def _(question: StructuralQuestion, verdict: Verdict) -> None:
    _verify(question, verdict, decide_structural)


@check_verdict.register
def _(question: GenericQuestion, verdict: Verdict) -> None:
    _verify(question, verdict, decide_generic)


@check_verdict.register
def _(question: ModularQuestion, verdict: Verdict) -> None:
    _verify(question, verdict, decide_modular)


def _verify(question: VerdictQuestion, verdict: Verdict, decide: Any) -> None:
    """Decide again by the same draws, compare all, and re-check each proof, which draws anew.

    Draws are those of a seed, and flows and eliminations those of whole numbers: the second decision has the same
    proofs and witness, whatever the machine, but for the last digits of a witness in floats (above 100 states).
    """
    if type(question) not in (StructuralQuestion, GenericQuestion, ModularQuestion):
        raise WitnessError(f"question: nothing here decides a question of type {type(question).__name__} again.")
    check_form(verdict)
    again = decided_again(question, decide, question)
    compare(verdict, again)
    check_proofs(verdict, again)
    if not same(verdict.witness, again.witness):
        raise WitnessError("witness: its two rows are not those of the world that the seed draws.")
    for proof, expected in zip(verdict.proofs, again.proofs, strict=True):
        if not same(proof, expected):
            raise WitnessError(f"proofs: a {type(proof).__name__} is not that of the question.")
        proof.verify()  # type: ignore[attr-defined]
