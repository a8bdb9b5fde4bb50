"""Marking: stored counterexamples are accepted, and everything that is no counterexample says why not."""

import json
import sys

import pytest

from proofs_checks import mark, statements
from proofs_checks.laboratory import first_instance
from proofs_checks.marking import AnswerError, leaderboard, mark_files
from proofs_checks.stored import stored
from proofs_checks.x1_graph_discounts import DISCOUNT, EDGES, OPTIMAL, STATEMENT
from tabular_inversion.cli import main


def handed_in(instance, *, statement="X1", drops="", name="Ada"):
    return {"statement": statement, "drops": drops, "name": name, "instance": instance.to_dict()}


def test_every_stored_counterexample_is_accepted_for_its_own_lamp_alone():
    for statement in statements():
        names = [h.name for h in statement.hypotheses]
        for example in statement.counterexamples:
            if example.instance is None or example.drops not in names:
                continue
            instance = example.instance()
            found = mark(handed_in(instance, statement=statement.id, drops=example.drops))
            assert found.accepted, (statement.id, example.text)
            assert found.off == (example.drops,)


def test_worlds_where_a_statement_holds_are_not_accepted():
    for statement in statements():
        found = mark(first_instance(statement), statement.id)
        assert (found.accepted, found.fails, found.reason) == (False, False, "all lamps are on")


@pytest.mark.parametrize(
    ("name", "drops", "reason"),
    [
        ("K_{3,3}", DISCOUNT, f'only "{DISCOUNT}" is off, and the statement fails'),
        ("K_{3,3}", OPTIMAL, f'the lamp "{OPTIMAL}" is still on'),
        ("X1-witness", "", f'only "{DISCOUNT}" is off, and the statement fails'),
    ],
)
def test_a_mark_says_why(name, drops, reason):
    assert mark(handed_in(stored("X1", name)(), drops=drops)).reason == reason


def test_two_lamps_off_are_not_accepted():
    given = handed_in(stored("X1", EDGES)(), drops=EDGES)
    given["instance"]["policy"] = [["1"], ["1"]]
    found = mark(given)
    assert (found.accepted, found.fails, found.reason) == (False, True, f'the lamp "{OPTIMAL}" is off as well')


def broken(**changes):
    given = handed_in(stored("X1", "K_{3,3}")())
    return given | {"instance": given["instance"] | changes}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no JSON object"),
        ({"statement": 3}, "statement is 3; expected a text"),
        ({"statement": "X1"}, "instance has no 'kernel'"),
        (broken() | {"statement": "T3a"}, "statement is 'T3a'; expected an answer to X1"),
        (broken() | {"drops": "luck"}, "drops is 'luck'"),
        (broken(kernel=3), "instance: "),
        (broken(kernel=[[["1/2", "1/3"]], [["1", "0"]]]), "instance: "),
        (broken(discount="2"), "instance: "),
        (broken(kernel_class="any"), "instance: "),
        (broken(rewards=[["0"] * 6] * 13), "13 states, actions or goals"),
        (broken(extra=None), "instance: "),
    ],
)
def test_what_is_no_answer_is_refused_in_one_line(given, said):
    with pytest.raises(AnswerError, match=r"^[^\n]*$") as refused:
        mark(given, "X1")
    assert said in str(refused.value)


def test_an_unknown_statement_is_named_with_those_that_are_known():
    with pytest.raises(AnswerError, match="statement is 'Z9'; expected one of L1, T1"):
        mark(broken() | {"statement": "Z9"})


def test_numbers_that_a_statement_speaks_of_are_asked_for():
    instance = stored("X1", "K_{3,3}")().to_dict()
    with pytest.raises(AnswerError, match="extra has no 'norm', of which T2b speaks"):
        mark({"statement": "T2b", "drops": "", "name": "", "instance": instance | {"kernel_class": "deterministic"}})


@pytest.fixture
def cli(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return call


@pytest.fixture
def folder(tmp_path):
    """Forty answers to X1, three of them malformed: what a lecturer has on her desk."""
    right, wrong = stored("X1", "K_{3,3}")(), first_instance(STATEMENT)
    larger = stored("X1", "X1-witness")()
    for i in range(37):
        instance = (right, larger, wrong)[i % 3]
        (tmp_path / f"{i:02}.json").write_text(json.dumps(handed_in(instance, drops=DISCOUNT, name=f"student {i}")))
    (tmp_path / "37.json").write_text("{")
    (tmp_path / "38.json").write_text(json.dumps(handed_in(right) | {"drops": "=luck"}))
    (tmp_path / "39.json").write_bytes(b"\xff\xfe")
    return tmp_path


def test_a_lecturer_marks_a_folder_of_forty(cli, folder):
    status, out, err = cli("exercise", "X1", folder, "--json")
    found = json.loads(out)
    assert (status, err) == (2, "")
    assert found["summary"] == {"answers": 40, "accepted": 25, "malformed": 3}
    problems = [one["problem"] for one in found["answers"] if one["problem"]]
    assert len(problems) == 3
    assert all("\n" not in line for line in problems)
    few = [folder / f"{name}.json" for name in ("00", "02", "38")]
    status, out, _ = cli("exercise", "X1", *few, "--csv")
    lines = out.splitlines()
    assert (status, len(lines), lines[0]) == (2, 4, "file,name,statement,drops,accepted,off,fails,reason")
    assert "drops is '=luck'" in lines[3]
    status, out, _ = cli("exercise", "X1", folder)
    assert "25 of 40 accepted, 3 malformed" in out
    assert sum(line.startswith(("37.json:", "38.json:", "39.json:")) for line in out.splitlines()) == 3


def test_the_status_tells_accepted_from_refused(cli, folder, tmp_path):
    assert cli("exercise", "X1", folder / "00.json", folder / "01.json")[0] == 0
    assert cli("exercise", "X1", folder / "00.json", folder / "02.json")[0] == 1
    for arguments in (
        ("X9", folder),
        ("X1",),
        ("X1", folder, "--json", "--csv"),
        ("X1", folder, "--leaderboard", folder),
    ):
        status, out, err = cli("exercise", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
    (tmp_path / "empty").mkdir()
    assert "no .json files" in cli("exercise", "X1", tmp_path / "empty")[2]


def test_the_leaderboard_puts_the_smallest_first_and_each_person_once(cli, folder):
    marked = mark_files([folder])
    ranked = leaderboard(marked)
    sizes = [one.mark.size for one in ranked]
    assert len(ranked) == 25
    assert sizes == sorted(sizes)
    assert (sizes[0][1], sizes[-1][1]) == (18, 24)
    twice = leaderboard([*marked, *marked])
    assert [one.name for one in twice] == [one.name for one in ranked]
    status, out, _ = cli("exercise", "--leaderboard", folder, "--json")
    assert (status, len(json.loads(out)["leaderboard"])) == (2, 25)


def test_the_laboratory_is_written_for_any_web_server(cli, tmp_path):
    status, out, _ = cli("lab", "S1", "--out", tmp_path / "lab", "--no-open")
    assert (status, out.strip()) == (0, f"{(tmp_path / 'lab' / 'index.html').as_uri()}?id=S1")
    text = (tmp_path / "lab" / "data.js").read_text()
    known = json.loads(text.removeprefix("globalThis.LABORATORY = ").rstrip(";\n"))["statements"]
    assert [one["id"] for one in known] == [statement.id for statement in statements()]
    assert cli("lab", "Z9", "--no-open")[0] == 2
    (tmp_path / "file").write_text("")
    assert "cannot be written" in cli("lab", "--out", tmp_path / "file", "--no-open")[2]
