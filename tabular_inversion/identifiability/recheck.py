"""The promise of `Verdict.verify`: the question is decided again, and every field of the verdict compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tabular_inversion._typing import IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import TabularInversionError, WitnessError
from tabular_inversion.identifiability.asked import ValuesQuestion, VerdictQuestion
from tabular_inversion.identifiability.judge import agent_of_row, identify
from tabular_inversion.identifiability.verdict import Evidence, Status, Verdict, check_verdict
from tabular_inversion.identifiability.verification import check_form, check_no_contradiction, compare
from tabular_inversion.identifiability.witnesses import check_own_values, check_rows
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import checked
from tabular_inversion.records import same


@checked
def verify(verdict: Verdict) -> None:
    """Decide the question of a verdict again and compare every field; the same as `Verdict.verify`.

    Raises
    ------
    WitnessError
        Naming the field that does not survive.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from tabular_inversion import Goals, Stochastic, identify, solve
    >>> from tabular_inversion.environments import chain
    >>> verdict = identify(solve(chain(3), Goals.generic(3, 2, seed=0)), Stochastic())
    >>> verify(verdict)
    >>> verify(replace(verdict, rank=2))
    Traceback (most recent call last):
    tabular_inversion.errors.WitnessError: rank: it is 3; 2 was stated.
    """
    verdict.verify()


@check_verdict.register
def _(question: ValuesQuestion, verdict: Verdict) -> None:
    if type(question) is not ValuesQuestion:
        raise WitnessError(f"question: nothing here decides a question of type {type(question).__name__} again.")
    check_form(verdict)
    again = decided_again(question, decide_question, question)
    if not same(question, again.question):
        raise WitnessError("question: what was decided is not what is asked; give the agent that `identify` took.")
    agent = question.agent
    if verdict.witness is not None:
        row_number = verdict.witness.state * agent.n_actions + verdict.witness.action
        own = agent_of_row(agent, row_number) if isinstance(agent, AgentValues) else agent
        check_rows(own, verdict.witness, question.kernel_class)
        if question.scope == "instance" and not question.is_noisy:
            check_own_values(own, verdict.witness, question.kernel_class)
    if isinstance(agent, AgentValues):
        _verify_floats(question, agent, verdict, again)
    else:
        _verify_fractions(question, agent, verdict, again)


def decided_again(question: VerdictQuestion, decide: Any, *arguments: Any, **options: Any) -> Verdict:
    """Return a second decision; a question that cannot be asked is a forged one."""
    try:
        verdict: Verdict = decide(*arguments, **options)
    except TabularInversionError as problem:
        raise WitnessError(f"question: {type(question).__name__} cannot be decided: {problem}") from problem
    return verdict


def _verify_floats(question: ValuesQuestion, agent: AgentValues, verdict: Verdict, again: Verdict) -> None:
    scale = float(np.nanmax(np.abs(agent.q)) + np.abs(agent.shared_tests).max())
    compare(verdict, again, scale=scale)
    if verdict.proofs:
        raise WitnessError("proofs: floats have none.")
    order = np.arange(agent.n_states)[::-1]
    moved = _permuted(question.kernel_class, agent, order)
    other = decide_question(_question_moved(question, agent, moved, order))
    check_no_contradiction(verdict, other, order)


def decide_question(question: ValuesQuestion) -> Verdict:
    """Decide a question in the pieces in which it was decided."""
    if not question.pieces:
        return identify(question.agent, question.kernel_class, scope=question.scope, noise=question.noise)
    return Verdict.merge([
        identify(question.agent, question.kernel_class, scope=question.scope, noise=question.noise, rows=piece)
        for piece in question.pieces
    ])  # fmt: skip


def _question_moved(
    question: ValuesQuestion, agent: AgentValues, kernel_class: KernelClass, order: IntArray
) -> ValuesQuestion:
    """Return the question with the states in another order; orders are their own inverses here."""
    noise = question.noise[:, order] if isinstance(question.noise, np.ndarray) else question.noise
    pieces = tuple(
        np.sort(order[piece // agent.n_actions] * agent.n_actions + piece % agent.n_actions)
        for piece in question.pieces
    )
    return ValuesQuestion(agent.permute_states(order), kernel_class, question.scope, noise, pieces)


def _permuted(kernel_class: KernelClass, agent: AgentValues, order: IntArray) -> KernelClass:
    return RENAMED.of(kernel_class)(kernel_class, agent, order)


def _same(kernel_class: KernelClass, _agent: AgentValues, _order: IntArray) -> KernelClass:
    return kernel_class


def _moved(kernel_class: Supported, agent: AgentValues, order: IntArray) -> KernelClass:
    rows = (order[:, None] * agent.n_actions + np.arange(agent.n_actions)).ravel()
    return Supported(kernel_class.support[rows][:, order])


RENAMED: ClassTable[Callable[[Any, AgentValues, IntArray], KernelClass]] = ClassTable(
    "the renaming of states",
    {Unconstrained: _same, Stochastic: _same, Supported: _moved, Sparse: _same, Deterministic: _same},
)
"""By class, ``renamed(kernel_class, agent, order)``: what the class is when state ``order[i]`` is called i."""


def _verify_fractions(question: ValuesQuestion, agent: Any, verdict: Verdict, again: Verdict) -> None:
    # Loaded late, as python-flint is: whoever has exact values has it already.
    from tabular_inversion.identifiability.rational.judge_exactly import exact_system

    floats = agent.to_float()
    compare(verdict, again, scale=float(np.nanmax(np.abs(floats.q)) + np.abs(floats.test_matrix).max()))
    check_proofs(verdict, again)
    system = exact_system(agent, question.kernel_class)
    for proof in verdict.proofs:
        proof.verify(system, uniform=question.scope == "uniform")  # type: ignore[attr-defined]


def check_proofs(verdict: Verdict, again: Verdict) -> None:
    """Raise unless the proofs are of the kinds, and about the rows, that the question asks for.

    Known kinds only: they are those that the deciders make, compared by their exact types, so that no object with a
    `verify` method of its own can take a proof's place.
    """
    if len(verdict.proofs) != len(again.proofs):
        raise WitnessError(f"proofs: {len(again.proofs)} are needed, so that each decided row has its own; "
                           f"there are {len(verdict.proofs)}.")  # fmt: skip
    for proof, expected in zip(verdict.proofs, again.proofs, strict=True):
        if type(proof) is not type(expected):
            raise WitnessError(f"proofs: expected {type(expected).__name__}, got {type(proof).__name__}.")
        if not same(proof.rows, expected.rows):
            raise WitnessError(f"proofs: a {type(proof).__name__} is not about the rows that it should cover.")
    covered = np.zeros(int(again.rows), bool)
    for proof in verdict.proofs:
        covered[proof.rows] = True
    identified = verdict.row_status[verdict.question.available] == Status.IDENTIFIED
    if verdict.evidence is Evidence.EXACT and (identified & ~covered).any():
        raise WitnessError(f"proofs: none covers the identified row number {int((identified & ~covered).argmax())}.")
