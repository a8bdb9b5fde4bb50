"""A user's own sentences: checked like the theory's, refuted where they are false, never called true."""

import json
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from proofs_checks import special_instances
from proofs_checks.commands.verify_report import Request, collect
from proofs_checks.conjecture import Conjecture, ConjectureError, load_statements
from proofs_checks.instance import Instance
from proofs_checks.refutation import Refutation, refutes_of, the_statement
from proofs_checks.refutation_search import STAGES, Part, any_instances, directed, refute
from proofs_checks.running import assemble
from proofs_checks.shrinking import shrink
from proofs_checks.small_instances import FAMILIES, Family
from proofs_checks.special_instances import SPECIAL, draw_any, rewards_of
from proofs_checks.statement import Outcome
from tabular_inversion import exact
from tabular_inversion.cli import app
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array

SIX = Path(__file__).parents[2] / "docs" / "examples" / "six_sentences.py"
TRUE = ("uniform-rank", "rank-of-rewards", "ending-indicators")
FALSE = ("paths-give-rank", "no-unlucky-discount", "all-goals-suffice")


def equal_columns(instance):
    columns = instance.agent.test_matrix.T.tolist()
    return len({tuple(column) for column in columns}) < len(columns)


DIFFER = Conjecture(
    "differ",
    "No two columns of M are equal.",
    conclude=lambda i: not equal_columns(i),
    hypotheses={"two states": lambda i: i.world.n_states == 2, "one goal": lambda i: i.goals.n_goals == 1},
)

HOLDS = Conjecture(
    "holds",
    "With one state M has one column.",
    conclude=lambda i: i.agent.test_matrix.shape[1] == 1,
    hypotheses={"one state": lambda i: i.world.n_states == 1, "a discount": lambda i: i.world.discount < 1},
)


def test_a_false_sentence_is_refuted_and_the_instance_is_simple():
    found = refute(DIFFER, seconds=20)
    found.verify(DIFFER)
    assert found.counterexample.world.n_states == 2
    assert found.counterexample.world.n_actions == 1
    assert equal_columns(found.counterexample)
    assert not found.counterexample.goals.rewards.any()
    assert "REFUTED" in found.text
    assert found.without == {}


def test_of_a_true_sentence_nothing_is_claimed_but_what_was_looked_at():
    found = refute(HOLDS, seconds=3)
    assert found.counterexample is None
    assert "does not say that it is true" in found.text
    assert set(found.tried) == set(STAGES)
    assert all(seen >= fit for seen, fit in found.tried.values())
    assert found.without["one state"].world.n_states == 2
    assert found.without["a discount"] is None
    assert "'one state': needed" in found.text
    assert "'a discount': not shown to be needed" in found.text
    found.verify(HOLDS)


@pytest.mark.parametrize("name", FALSE)
def test_directed_draws_refute_what_looks_true(name):
    statement = the_statement(SIX, name)
    part = Part(SIX, name, None, 1.0, 0, 0, 1, "")
    refutes = refutes_of(statement, None)
    found = next(instance for instance in islice(directed(part, statement, []), 4000) if refutes(instance))
    smaller = shrink(found, refutes, tries=60)
    assert refutes(smaller)
    assert smaller.world.n_states <= found.world.n_states


@pytest.mark.slow
@pytest.mark.parametrize("name", FALSE)
def test_false_sentences_are_refuted_within_a_minute(name):
    found = refute(SIX, name=name, seconds=60)
    assert found.counterexample is not None
    assert found.seconds < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUE)
def test_theorems_are_not(name):
    assert refute(SIX, name=name, seconds=60).counterexample is None


def test_the_result_is_saved_and_read_and_what_was_changed_is_caught(tmp_path):
    found = refute(DIFFER, seconds=20)
    found.save(tmp_path / "found.json")
    again = Refutation.load(tmp_path / "found.json")
    again.verify(DIFFER)
    assert again.to_dict() == found.to_dict()
    given = found.to_dict()
    given["counterexample"]["rewards"] = [["0", "1"]]
    with pytest.raises(ConjectureError, match="does not refute"):
        Refutation.from_dict(given).verify(DIFFER)
    with pytest.raises(ConjectureError, match="other words"):
        Refutation.from_dict(found.to_dict() | {"plain": "Columns differ."}).verify(DIFFER)
    with pytest.raises(ConjectureError, match="no refutation"):
        Refutation.from_dict({"format": "tabular-inversion refutation"})
    needed = refute(HOLDS, seconds=3).to_dict()
    needed["without"]["a discount"] = needed["without"]["one state"]
    with pytest.raises(ConjectureError, match="does not show it needed"):
        Refutation.from_dict(needed).verify(HOLDS)


def test_a_picture_of_the_counterexample():
    found = refute(DIFFER, seconds=20)
    titles = [axes.get_title() for axes in found.plot().axes]
    assert titles[0] == "P, action 0"
    assert any(title.startswith("M, discount") for title in titles)
    with pytest.raises(ConjectureError, match="nothing to draw"):
        Refutation("a", "b", None).plot()


@pytest.mark.parametrize("family", FAMILIES[:3], ids=lambda family: family.text)
def test_families_are_whole_whatever_the_number_of_parts(family):
    def key(instance):
        return json.dumps(instance.to_dict())

    once = {key(instance) for instance in family.instances()}
    parts = [key(instance) for part in range(3) for instance in family.instances(part=part, parts=3)]
    assert len(parts) == len(family)
    assert set(parts) == once
    assert once == {key(family.instance(number)) for number in range(len(family))}


def test_rows_of_a_family_are_all_distributions_of_small_integers():
    rows = Family(2, 1, 1, 2, 1).rows
    assert {tuple(map(str, row)) for row in rows} == {
        ("1", "0"), ("0", "1"), ("1/2", "1/2"), ("1/3", "2/3"), ("2/3", "1/3"),
    }  # fmt: skip


def test_rewards_that_make_m_do():
    rng = np.random.default_rng(5)
    for _ in range(60):
        world = special_instances.draw_world(rng, 4)
        policy = special_instances.draw_policy(rng, world, 2)
        m = fraction_array(rng.integers(-3, 4, (2, world.n_states)))
        ends = fraction_array(rng.integers(0, 2, m.shape))
        goals = ExactGoals(rewards_of(world, m, ends, policy), ends)
        assert (Instance(world, goals, policy).agent.test_matrix == m).all()


@pytest.mark.parametrize("draw", [*SPECIAL, draw_any])
def test_special_draws_reach_what_they_are_for(draw):
    rng = np.random.default_rng(2)
    drawn = [draw(rng, 4) for _ in range(40)]
    assert any(equal_columns(instance) for instance in drawn)
    assert len({instance.world.discount for instance in drawn}) > 3


def test_draws_of_any_kind_have_ties_masks_policies_and_unreached_states():
    rng = np.random.default_rng(0)
    drawn = [draw_any(rng, 4) for _ in range(300)]
    worlds = [instance.world for instance in drawn]
    assert any((~world.available).any() for world in worlds)
    assert any(w.n_actions > 1 and (w.kernel[:, 0] == w.kernel[:, 1]).all() for w in worlds)
    assert any((~world.support.any(axis=(0, 1))).any() for world in worlds)
    assert {0 if i.policy is None else i.policy.ndim for i in drawn} == {0, 2, 3}
    assert any(world.discount == 0 for world in worlds)
    assert any(world.discount == Fraction(99, 100) for world in worlds)


def test_shrinking_keeps_what_is_wanted_and_never_lengthens():
    rng = np.random.default_rng(8)
    for _ in range(5):
        big = next(i for i in iter(lambda: draw_any(rng, 5), None) if equal_columns(i) and i.goals.rewards.any())
        small = shrink(big, lambda i: equal_columns(i) and bool(i.goals.rewards.any()))
        assert equal_columns(small)
        assert small.goals.rewards.any()
        assert small.world.n_states <= min(3, big.world.n_states)
        assert small.world.n_actions == small.goals.n_goals == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "holds no Conjecture"),
        ("x = \n", "cannot be run: SyntaxError"),
        ("import nowhere_at_all\n", "cannot be run: ModuleNotFoundError"),
        (
            "from proofs_checks.conjecture import Conjecture as C; A = C('a', 'A.', bool); B = C('A', 'B.', bool)\n",
            "two sentences called 'a'",
        ),
    ],
)
def test_files_without_sentences_are_refused(text, said, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(ConjectureError, match=said):
        load_statements(file)


def test_what_cannot_be_checked_is_refused_in_one_line():
    with pytest.raises(ConjectureError, match="raised ZeroDivisionError"):
        refute(Conjecture("a", "A.", lambda _i: 1 / 0 > 0), seconds=1)
    with pytest.raises(ConjectureError, match="returned int; expected True, False or an Outcome"):
        refute(Conjecture("a", "A.", lambda _i: 1), seconds=1)
    with pytest.raises(ConjectureError, match="hypothesis 'odd' raised"):
        refute(Conjecture("a", "A.", lambda _i: True, {"odd": lambda i: i.nothing}), seconds=1)
    with pytest.raises(ConjectureError, match="seconds is -1"):
        refute(DIFFER, seconds=-1)
    with pytest.raises(ConjectureError, match="has 1: save it in a file"):
        refute(DIFFER, workers=2)
    with pytest.raises(ConjectureError, match="int is no sentence"):
        refute(3)
    with pytest.raises(ConjectureError, match="name one of them"):
        refute(SIX)
    impossible = Conjecture("a", "A.", lambda _i: True, {"no state": lambda i: i.world.n_states == 0})
    with pytest.raises(ConjectureError, match="none of 2000 draws"):
        impossible.statement().draw(np.random.default_rng(0), 3)


def test_draws_of_a_users_own():
    world = ExactMDP([[[1]]], "1/2")
    sure = Conjecture(
        "a", "A.", lambda _i: Outcome(True, "fine"), draw=lambda _rng, _size: Instance(world, ExactGoals([[1]]))
    )
    assert sure.statement().draw(np.random.default_rng(0), 3).world == world
    drawn = Conjecture("a", "A.", lambda _i: True, draw=any_instances()).statement()
    assert isinstance(drawn.draw(np.random.default_rng(0), 3), Instance)
    wrong = Conjecture("a", "A.", lambda _i: True, draw=lambda _rng, _size: 3)
    with pytest.raises(ConjectureError, match="draw gave int"):
        wrong.statement().draw(np.random.default_rng(0), 3)


def test_verify_runs_a_file_at_the_same_levels_with_the_same_report(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from proofs_checks.conjecture import Conjecture\n"
        "A = Conjecture('right', 'M has a column for each state.', lambda i: i.system.shape[1] == i.world.n_states)\n"
        "B = Conjecture('wrong', 'M has one column.', lambda i: i.system.shape[1] == 1)\n"
    )
    report = collect(Request(ids=(str(file),), workers=1))
    rows = {row["id"]: row for row in report["statements"]}
    assert set(rows) == {"right", "wrong"}
    assert rows["right"]["held"]
    assert [check["level"] for check in rows["right"]["evidence"]] == ["exact", "exact"]
    assert all(check["instances"] >= 50 for check in rows["right"]["evidence"])
    assert set(rows["right"]) == set(assemble(the_statement(SIX, TRUE[0]), [], "quick", {}))
    assert not rows["wrong"]["held"]
    assert report["worlds"] == []


def test_the_command_line(tmp_path, monkeypatch):
    file = tmp_path / "mine.py"
    file.write_text(
        "from proofs_checks.conjecture import Conjecture\n"
        "A = Conjecture('mine', 'M has one column.', lambda i: i.agent.test_matrix.shape[1] == 1)\n"
    )
    run = CliRunner().invoke
    said = run(
        app.app, ["refute", str(file), "--seconds", "20", "--workers", "1", "--json", "-o", str(tmp_path / "f.json")]
    )
    assert said.exit_code == 1
    found = Refutation.from_dict(json.loads(said.stdout))
    found.verify(file)
    assert Refutation.load(tmp_path / "f.json").to_dict() == found.to_dict()
    shown = run(app.app, ["refute", str(file), "--seconds", "20", "--workers", "1"])
    assert "mine: REFUTED" in shown.stdout
    assert "kernel: " in shown.stdout
    clash = tmp_path / "clash.py"
    clash.write_text(file.read_text().replace("'mine'", "'T2c'"))
    with pytest.raises(Exception, match="two statements are called 'T2c'"):
        Request(ids=(str(clash), "T2c")).chosen()


def test_rank_is_that_of_the_package():
    """The true sentences of the page fail where their conclusion is turned round: they are not empty."""
    statement = the_statement(SIX, "rank-of-rewards")
    instance = statement.draw(np.random.default_rng(0), 4)
    assert statement.conclude(instance).holds
    assert exact.rank(instance.agent.test_matrix).rank == exact.rank(instance.goals.rewards).rank
