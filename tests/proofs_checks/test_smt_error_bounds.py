"""The questions to the SMT solver: true steps are proved, and false ones are refuted, not left open."""

import numpy as np
import pytest

from proofs_checks.matching_by_smt import check_by_smt
from proofs_checks.smt_error_bounds import contradictory, questions

pytest.importorskip("z3")


def test_each_step_is_proved():
    assert all(contradictory(assumptions) is True for _, assumptions in questions())


def test_assumptions_alone_can_be_satisfied():
    for _, assumptions in questions():
        assert contradictory(assumptions[:-1]) is False


def test_without_the_one_the_misfit_is_refuted():
    answers = {words: contradictory(assumptions) for words, assumptions in questions(own_part=0)}
    assert [words for words, answer in answers.items() if answer is False] == [
        words for words in answers if "misfit" in words
    ]


def test_a_counterexample_of_the_solver_does_not_depend_on_what_was_asked_before():
    rng = np.random.default_rng(0)
    first = check_by_smt(rng, 1, discounted=False).failures
    check_by_smt(rng, 1)
    assert first == check_by_smt(rng, 1, discounted=False).failures
    assert "sat [" in first[0]
