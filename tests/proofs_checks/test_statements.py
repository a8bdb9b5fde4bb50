"""Every check holds, no check can hold on nothing, and every mutated statement is caught."""

from functools import partial

import numpy as np
import pytest

import proofs_checks
from proofs_checks import (
    l1_resolvent,
    t1_closed_form,
    t2a_deterministic_one_goal,
    t3a_generic_goals,
    t3b_spanning_rewards,
    t5a_known_support,
)
from proofs_checks.statement import Check, Counterexample, Statement, Tally, run_statement
from tabular_inversion import exact

STATEMENTS = {statement.id: statement for statement in proofs_checks.statements()}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_holds_with_evidence_and_counterexamples(name):
    report = run_statement(STATEMENTS[name], seed=1)
    assert report["held"], report
    assert "exact" in {check["level"] for check in report["evidence"]}
    assert all(check["instances"] > 0 for check in report["evidence"])
    assert report["counterexamples"]
    assert all(example["shown"] for example in report["counterexamples"])


def test_runs_repeat_exactly_and_depend_on_the_seed():
    runs = [run_statement(STATEMENTS["T1"], seed=seed)["evidence"][1]["worst"] for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    worst = [run_statement(STATEMENTS["L1"], seed=seed)["evidence"][1]["worst"] for seed in (3, 4)]
    assert worst[0] != worst[1]


def test_every_module_is_documented_in_the_registry():
    for module in proofs_checks.MODULES:
        assert f"``{module}``" in proofs_checks.__doc__


def test_mutated_l1_without_termination_is_caught(rng):
    def no_termination(rewards, continuation, discounted_kernel, test_functions):
        return l1_resolvent.resolvent_defect(rewards, continuation**0, discounted_kernel, test_functions)

    assert l1_resolvent.check_exact(rng, 10, no_termination).failures
    assert l1_resolvent.check_numeric(rng, 3, no_termination).failures


def test_mutated_t1_with_a_faster_rate_is_caught(rng):
    assert t1_closed_form.check_rate(rng, 40, rate_scale=0.9).failures


def test_mutated_t2a_with_an_indicator_goal_is_caught(rng):
    def indicator(rng, n):
        return exact.ExactGoals([[int(state == 0) for state in range(n)]])

    assert t2a_deterministic_one_goal.check_exact(rng, 30, indicator).failures


def test_mutated_t3a_with_one_goal_fewer_is_caught(rng):
    assert t3a_generic_goals.check_exact(rng, 3, missing=2).failures


def test_mutated_t3b_without_the_policy_hypothesis_is_caught(rng):
    failures = t3b_spanning_rewards.check_exact(rng, 1, lambda _, world, goals: exact.solve(world, goals)).failures
    assert failures
    assert "5" in failures[0]


def test_mutated_t5a_with_one_goal_fewer_is_caught(rng):
    assert t5a_known_support.check_exact(rng, 3, missing=2).failures


def toy(run, show=lambda: True):
    example = Counterexample("a hypothesis", "an instance", show)
    return Statement("X0", "toy", "", "", "", (), (Check("exact", "toy", run, 1),), (example,))


def test_no_statement_holds_on_zero_instances():
    assert not run_statement(toy(lambda _rng, _wanted: Tally()))["held"]


def test_a_failing_instance_or_a_counterexample_that_does_not_show_fails_the_statement():
    def run(holds, rng, wanted):
        tally = Tally()
        tally.add(holds, 0.0, "shown")
        return tally

    assert run_statement(toy(partial(run, True)))["held"]
    assert not run_statement(toy(partial(run, False)))["held"]
    assert not run_statement(toy(partial(run, True), show=lambda: False))["held"]


def test_effort_multiplies_instances():
    def run(rng, wanted):
        return Tally(instances=wanted)

    counts = [run_statement(toy(run), effort=e)["evidence"][0]["instances"] for e in ("quick", "standard", "full")]
    assert counts == [1, 10, 100]
