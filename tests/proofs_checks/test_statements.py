"""Every check holds, no check can hold on nothing, every wrong variant is caught, and every hypothesis is needed."""

import dataclasses
import re
import sys

import numpy as np
import pytest

import proofs_checks
from proofs_checks.instance import Instance
from proofs_checks.running import LONGEST, run_statements
from proofs_checks.search import find_counterexample, main, search_all
from proofs_checks.statement import (
    EFFORTS,
    LEVELS,
    Check,
    Counterexample,
    Hypothesis,
    InstanceError,
    Mutation,
    Outcome,
    Statement,
    Tally,
    exact_check,
)
from proofs_checks.stored import entries, stored
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.parallel import run_tasks

STATEMENTS = {statement.id: statement for statement in proofs_checks.statements()}
STRONG = set(LEVELS[LEVELS.index("exact") :])


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_holds_with_evidence_counterexamples_and_wrong_variants(name):
    [report] = run_statements([STATEMENTS[name]], seed=1)
    assert report["held"], report
    assert STRONG & {check["level"] for check in report["evidence"]}
    assert all(check["instances"] > 0 for check in report["evidence"])
    assert all(example["shown"] for example in report["counterexamples"])
    assert report["mutations"]
    assert all(mutation["caught"] and mutation["by"] for mutation in report["mutations"])
    assert all(len(mutation["by"]) <= LONGEST for mutation in report["mutations"])


@pytest.mark.parametrize("name", STATEMENTS)
def test_drawn_instances_satisfy_the_hypotheses_at_every_size(name):
    statement = STATEMENTS[name]
    for size in (3, 4, 5):
        instance = statement.draw(np.random.default_rng(size), size)
        assert [h.name for h in statement.hypotheses if not h.holds(instance)] == []
        assert statement.conclude(instance).holds


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_level_is_reached_or_open_with_a_reason(name):
    statement = STATEMENTS[name]
    reached = {check.level for check in statement.checks}
    assert reached <= set(LEVELS)
    assert set(statement.open_levels) <= set(LEVELS)
    assert all(statement.open_levels.values())
    assert "formal" not in reached | set(statement.open_levels)  # its files say it; see test_formal.py
    assert set(LEVELS) - {"numeric", "certified", "formal"} <= reached | set(statement.open_levels)


@pytest.mark.parametrize("name", STATEMENTS)
def test_words_are_there(name):
    statement = STATEMENTS[name]
    for text in (statement.title, statement.latex, statement.plain, statement.source, statement.proof):
        assert text.strip()
    assert statement.hypotheses
    assert {hypothesis.name for hypothesis in statement.hypotheses} <= {c.drops for c in statement.counterexamples}


LONG_SEARCHES = {
    "AG", "BQ", "K1", "PA", "T1", "T2c", "T2d", "T3a", "T3b", "T3c", "T5a", "T5b", "X2",
}  # fmt: skip
"""Statements whose counterexamples take seconds to find: their searches are run with -m slow, their finds are always
shown to be counterexamples."""


@pytest.mark.parametrize(("name", "drops"), [
    pytest.param(s.id, h.name, marks=[pytest.mark.slow] if s.id in LONG_SEARCHES else [])
    for s in STATEMENTS.values() for h in s.hypotheses if h.violations is not None
])  # fmt: skip
def test_the_search_finds_what_is_stored(name, drops):
    found = find_counterexample(STATEMENTS[name], drops)
    assert found is not None
    assert found.to_dict() == stored(name, drops)().to_dict()
    assert found.world.n_states <= 6


def test_stored_files_belong_to_statements_and_hold_texts_not_floats():
    from importlib import resources

    files = [file for file in resources.files("proofs_checks.stored").iterdir() if file.name.endswith(".json")]
    assert {file.name.removesuffix(".json") for file in files} <= set(STATEMENTS)
    for file in files:
        assert not re.search(r"\d\.\d", file.read_text()), f"{file.name} holds a decimal number"
    assert entries("T0") == []
    with pytest.raises(LookupError, match="0 entries"):
        stored("T3b", "no such name")()


def test_the_registry_says_what_is_reached():
    text = proofs_checks.__doc__
    for module, statement in zip(proofs_checks.MODULES, STATEMENTS.values(), strict=True):
        [line] = [line for line in text.splitlines() if f"``{module}``" in line]
        reached = {check.level for check in statement.checks}
        assert line.split()[0] == statement.id
        assert line.rstrip().endswith(", ".join(level for level in LEVELS if level in reached))


def test_runs_repeat_exactly_depend_on_the_seed_and_not_on_the_workers():
    def strip(reports):
        return [
            {key: [{k: v for k, v in part.items() if k != "seconds"} for part in report[key]]
             for key in ("evidence", "counterexamples", "mutations")}
            for report in reports
        ]  # fmt: skip

    chosen = [STATEMENTS["ST"], STATEMENTS["P1"]]
    once, two = (run_statements(chosen, seed=3, workers=w) for w in (1, 2))
    assert strip(once) == strip(two)
    assert strip(run_statements(chosen[1:], seed=4)) != strip(once[1:])


GOOD = Tally(1, 0.0, [])
BAD = Tally(1, 1.0, ["an instance"])
WORLD = Instance(ExactMDP([[["1"]]], "1/2"), ExactGoals([[1]]))
EVERY = Hypothesis("there is a goal", lambda i: i.goals.n_goals > 0)
SMALL = Hypothesis("the reward is at most 1", lambda i: bool((i.goals.rewards <= 1).all()))
LARGE = Instance(WORLD.world, ExactGoals([[2]]))


def toy(**changes):
    """A statement about nothing: rewards are at most 1."""
    parts = {
        "id": "X0", "title": "toy", "latex": "x", "plain": "x", "source": "x", "proof": "x",
        "hypotheses": (EVERY, SMALL), "draw": lambda _rng, _size: WORLD,
        "conclude": lambda i: Outcome(bool((i.goals.rewards <= 1).all()), "reward"),
        "checks": (Check("exact", "toy", lambda _rng, _amount: GOOD, (1, 1, 1)),),
        "counterexamples": (Counterexample(SMALL.name, "two", lambda: LARGE),),
        "mutations": (Mutation("wrong", lambda _rng, _amount: BAD, 1),),
    }  # fmt: skip
    return Statement(**(parts | changes))


def held(**changes):
    return run_statements([toy(**changes)])[0]["held"]


def test_long_failures_are_cut_in_the_report():
    dump = Tally(1, 1.0, ["x_0*y_0 +\n" * 1000])
    [report] = run_statements([toy(checks=check(dump), mutations=(Mutation("wrong", lambda _rng, _amount: dump, 1),))])
    for text in (report["evidence"][0]["failures"][0], report["mutations"][0]["by"]):
        assert len(text) <= LONGEST
        assert text.startswith("x_0*y_0 + x_0*y_0 +")
        assert text.endswith("…")


def test_what_counterexamples_drop_in_words_alone_is_listed():
    assert STATEMENTS["T1"].words == ("the step is below 2 / sigma_max^2", "the two samples are independent")
    assert STATEMENTS["T3c"].words == ()


def check(tally):
    return (Check("exact", "toy", lambda _rng, _amount: tally, (1, 1, 1)),)


def test_what_makes_a_statement_hold_or_fail():
    assert held()
    assert not held(checks=check(BAD))
    assert not held(checks=check(Tally())), "zero instances are no evidence"
    assert not held(checks=())
    assert not held(checks=(dataclasses.replace(check(GOOD)[0], amounts=(0, 1, 1)),)), "left out at this effort"
    assert not held(mutations=(Mutation("right", lambda _rng, _amount: GOOD, 1),)), "a wrong variant that passes"


def test_what_makes_a_counterexample_count():
    def example(instance=None, show=None, drops=SMALL.name):
        return (Counterexample(drops, "x", None if instance is None else lambda: instance, show),)

    assert held(counterexamples=example(LARGE))
    assert held(counterexamples=example(show=lambda: True, drops="words"))
    assert not held(counterexamples=example(show=lambda: False))
    assert not held(counterexamples=example()), "nothing is shown"
    assert not held(counterexamples=example(WORLD)), "the hypothesis is not dropped"
    assert not held(counterexamples=example(LARGE, drops=EVERY.name)), "another hypothesis is dropped"
    assert not held(counterexamples=example(LARGE), conclude=lambda _i: Outcome(True, "")), "the conclusion holds"
    assert not held(counterexamples=example(LARGE, show=lambda: False))


def test_effort_chooses_the_amount_and_missing_extras_leave_a_check_out():
    seen = []

    def run(_rng, amount):
        seen.append(amount)
        return GOOD

    for effort in EFFORTS:
        run_statements([toy(checks=(Check("exact", "toy", run, (1, 2, 3)),))], effort=effort)
    assert seen == [1, 2, 3]
    absent = dataclasses.replace(check(GOOD)[0], needs="no_such_module")
    [report] = run_statements([toy(checks=(absent, *check(GOOD)))])
    assert report["left_out"] == ["exact: toy"]
    assert len(report["evidence"]) == 1


def test_a_draw_without_its_hypotheses_is_an_error_and_not_evidence():
    run = exact_check(lambda _rng, _size: LARGE, (SMALL,), lambda _i: Outcome(True, ""), size=3)
    with pytest.raises(InstanceError, match="at most 1"):
        run(np.random.default_rng(0), 1)


def test_searching_without_an_aim_or_in_vain(tmp_path):
    with pytest.raises(LookupError, match="no searchable hypothesis"):
        find_counterexample(toy(), EVERY.name)
    from hypothesis import strategies as st

    vain = dataclasses.replace(SMALL, violations=lambda: st.just(WORLD))
    assert find_counterexample(toy(hypotheses=(EVERY, vain)), SMALL.name, max_examples=5) is None
    with pytest.raises(LookupError, match="found no counterexample"):
        search_all(toy(hypotheses=(EVERY, vain)))
    aimed = dataclasses.replace(SMALL, violations=lambda: st.sampled_from([WORLD, LARGE]))
    [entry] = search_all(toy(hypotheses=(EVERY, aimed)))
    assert Instance.from_dict(entry["instance"]).goals == LARGE.goals
    with pytest.raises(SystemExit, match="unknown statement X0"):
        main(["X0"])


def test_an_instance_survives_json():
    instance = stored("T3b", "K_{3,3}")()
    again = Instance.from_dict(instance.to_dict())
    assert again.to_dict() == instance.to_dict()
    assert again.agent == instance.agent
    assert again.row_class == instance.row_class


def test_the_number_of_workers_is_checked():
    with pytest.raises(InputError, match="workers is 0"):
        run_tasks([], workers=0)


@pytest.mark.parametrize("name", ["T2b", "T3d"])
def test_without_the_solver_its_checks_are_left_out_and_the_rest_holds(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)  # then it can be neither found nor imported
    [report] = run_statements([STATEMENTS[name]])
    assert report["held"]
    assert any(line.startswith("universal") for line in report["left_out"])
    assert "universal" not in {check["level"] for check in report["evidence"]}
