"""Level formal: claimed only where Coq accepted, here and now; false variants, axioms and gaps are refused."""

import json
import shutil
from dataclasses import replace

import pytest

import proofs_checks
from proofs_checks import formal_level, formal_theory
from proofs_checks.commands import verify_report
from proofs_checks.commands.verify_report import Request, collect
from proofs_checks.formal_level import NOT_RUN, check_theory, checker, closed_theorems
from proofs_checks.formal_theory import FOLDER, NOT_WRITTEN, formal_ids, needs, table, theorems
from proofs_checks.running import run_statements
from proofs_checks.statement import Statement
from tabular_inversion.errors import InputError

STATEMENTS = {statement.id: statement for statement in proofs_checks.statements()}
FORMAL = sorted(set(formal_ids()) & set(STATEMENTS))
coq_needed = pytest.mark.skipif(checker() is None, reason=f"level formal {NOT_RUN}")


def test_at_least_twelve_statements_have_theorems_with_sentences():
    assert len(FORMAL) >= 12
    for name in formal_ids():
        for theorem in theorems(name):
            assert theorem.sentence.endswith(".")
            assert theorem.text.startswith(f"Theorem {theorem.name}")
            assert "Proof" not in theorem.text


def test_the_readme_maps_each_theorem_to_its_sentence():
    assert table() in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_no_file_admits_or_assumes():
    for file in FOLDER.glob("*.v"):
        text = file.read_text(encoding="utf-8")
        for word in ("Admitted", "admit", "Axiom", "Parameter", "Conjecture", "bypass_check"):
            assert word not in text, (file.name, word)
        assert all((FOLDER / f"{other}.v").is_file() for other in needs(text))


def test_a_theorem_needs_its_sentence_and_its_name(tmp_path):
    (tmp_path / "T9.v").write_text("Theorem T9_a : True.\nProof. exact I. Qed.\n")
    with pytest.raises(InputError, match=r"T9_a of T9\.v: expected a name"):
        theorems("T9", tmp_path)
    (tmp_path / "T9.v").write_text("(** True. *)\nTheorem other : True.\nProof. exact I. Qed.\n")
    with pytest.raises(InputError, match=r"begins with T9_"):
        theorems("T9", tmp_path)


def test_only_closed_theorems_count():
    printed = "x a\nClosed under the global context\nx b\nAxioms:\nb : False\ny c\nClosed under the global context\n"
    assert closed_theorems(printed, "x") == {"a"}


def level_formal(report):
    return [entry for entry in report["evidence"] if entry["level"] == "formal"]


@pytest.fixture
def light():
    """A statement with a single quick check, so that full effort costs Coq alone."""

    def statement(name: str) -> Statement:
        known = STATEMENTS[name]
        checks = tuple(replace(check, amounts=(1, 1, 1)) for check in known.checks if check.level == "exact")[:1]
        return replace(known, checks=checks, counterexamples=(), mutations=())

    return statement


def test_quick_effort_never_claims_it_and_says_how_to_run_it(light):
    [report] = run_statements([light("T5a")])
    assert not level_formal(report)
    assert report["left_out"][-1].endswith("theorems in formal/T5a.v, run by --effort full")
    assert "formal" not in report["open_levels"]


def test_without_coq_it_is_not_claimed_and_the_remedy_is_named(light, monkeypatch):
    monkeypatch.setattr(formal_level.shutil, "which", lambda _name: None)
    [report] = run_statements([light("T5a")], effort="full")
    assert report["held"]
    assert not level_formal(report)
    assert NOT_RUN in report["left_out"][-1]
    assert check_theory(["T5a"]) == {}


def test_a_statement_without_a_file_says_so(light):
    [report] = run_statements([light("G3")])
    assert report["open_levels"]["formal"] == NOT_WRITTEN


@coq_needed
def test_with_coq_full_effort_shows_the_theorems(light, capfd):
    [report] = run_statements([light("T5a")], effort="full")
    [entry] = level_formal(report)
    assert report["held"]
    assert entry["instances"] == len(theorems("T5a"))
    assert [theorem["name"] for theorem in entry["theorems"]] == [theorem.name for theorem in theorems("T5a")]
    assert all(theorem["accepted"] for theorem in entry["theorems"])
    assert entry["seconds"] > 0
    json.dumps(entry)
    printed = capfd.readouterr()
    assert "coqc T5a" in printed.err
    assert not printed.out


FALSE = {
    "T3a_sharp": (
        "(k < #|support p|)%N -> (k + 2 <= n)%N -> ~ identified",
        "(k < #|support p|)%N -> (k + 1 <= n)%N -> ~ identified",
    ),
    "L1_resolvent_invertible": ("(gamma1 : gamma < 1) (C01", "(gamma1 : gamma <= 1) (C01"),
    "S1_moment_curve_identifies": (
        "'M[F]_(2 * N, n) := \\matrix_(j, i) x i ^+ j.+1",
        "'M[F]_(2 * N, n) := \\matrix_(j, i) x i ^+ j",
    ),
    "T5b_sparse_rows_identified": ("(#|support v| <= 2 * N)%N ->", "(#|support v| < 2 * N)%N ->"),
    "Checker_unique": ("[&& negb (divides p d), as_long", "[&& as_long"),
    "Checker_identified": ("(~~ w || (~~ free && Z.ltb 0 x))", "(~~ w || ~~ free)"),
    "Checker_inconsistent": ("(Z.leb 0 x && (~~ free || Z.eqb x 0))", "(~~ free || Z.eqb x 0)"),
    "Checker_determined": ("[&& ~~ free, Nat.eqb most 1 & distinct columns]", "~~ free && distinct columns"),
    "Checker_pair": ("& has (fun x => negb (Z.eqb (Z.mul x.1 d') (Z.mul x.2 d))) (zip w w')", "& has predT (zip w w')"),
}
"""Theorems and what makes each false: n = k + 1; discount one; a constant among the moments; 2N - 1 columns; and
checkers that leave out the denominator, the sign of a dual off the face or on columns, the number of successors, a
difference.
"""

QUICK = ("T5b_sparse_rows_identified", "Checker_inconsistent")


@coq_needed
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FALSE]
)
def test_false_variants_are_refused(name, tmp_path):
    statement_id = name.partition("_")[0]
    folder = shutil.copytree(FOLDER, tmp_path / "formal")
    file = folder / f"{statement_id}.v"
    right, wrong = FALSE[name]
    assert file.read_text(encoding="utf-8").count(right) == 1
    file.write_text(file.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    entry = check_theory([statement_id], folder=folder)[statement_id]
    assert not entry["held"]
    assert entry["instances"] == 0
    assert entry["failures"][0].startswith(f"{statement_id}.v: File")


@coq_needed
@pytest.mark.parametrize("gap", ["Admitted", "axiom"])
def test_gaps_are_refused(gap, tmp_path):
    claim = "(** One is two. *)\nTheorem T9_a : 1 = 2.\nProof. "
    text = claim + "Admitted.\n" if gap == "Admitted" else "Axiom h : 1 = 2.\n" + claim + "exact h. Qed.\n"
    (tmp_path / "T9.v").write_text(text + "(** True. *)\nTheorem T9_b : True.\nProof. exact I. Qed.\n")
    entry = check_theory(["T9"], folder=tmp_path)["T9"]
    assert not entry["held"]
    assert entry["instances"] == 1
    assert entry["failures"] == ["T9_a rests on an axiom"]


@coq_needed
def test_a_file_whose_base_is_refused_is_refused(tmp_path):
    (tmp_path / "Base.v").write_text("Definition x : nat := true.\n")
    text = "From TabularInversion Require Import Base.\n(** True. *)\nTheorem T9_a : True.\nProof. exact I. Qed.\n"
    (tmp_path / "T9.v").write_text(text)
    entry = check_theory(["T9"], folder=tmp_path)["T9"]
    assert entry["failures"] == ["T9.v: a file that it needs was refused"]


@coq_needed
@pytest.mark.slow
def test_the_whole_theory_is_accepted_within_four_minutes():
    entries = check_theory(formal_ids(), workers=2)
    assert [name for name, entry in entries.items() if not entry["held"]] == []
    assert sum(entry["seconds"] for entry in entries.values()) < 240


def test_verify_passes_on_what_coq_said(monkeypatch):
    refused = {
        "level": "formal",
        "title": "",
        "instances": 0,
        "held": False,
        "failures": ["T5a.v: File"],
        "seconds": 1.0,
    }

    def said(ids, effort, *, workers):
        assert (ids, effort) == (["T5a"], "quick")
        return {"T5a": refused}

    monkeypatch.setattr(verify_report, "formal_evidence", said)
    report = collect(Request(ids=("T5a",), workers=1))
    [row] = report["statements"]
    assert level_formal(row) == [refused]
    assert not row["held"]
    assert report["summary"]["failed"] == 1
    assert verify_report.failures_of(row)[0] == "formal: T5a.v: File"


def test_the_report_for_people_names_the_remedy(monkeypatch, capsys):
    monkeypatch.setattr(formal_level.shutil, "which", lambda _name: None)
    report = collect(Request(ids=("T2c",), workers=1))
    verify_report.show(report | {"effort": "full"})
    assert NOT_RUN in " ".join(capsys.readouterr().out.split())


def test_formal_folder_is_beside_the_module():
    assert formal_theory.FOLDER.is_dir()
