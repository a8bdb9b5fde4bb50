"""The command line as a user meets it: answers, JSON, files, and one clear line for every wrong call."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proofs_checks.commands import verify_report
from tabular_inversion import MDP, AgentValues, Goals, solve
from tabular_inversion.cli import main
from tabular_inversion.environments import chain, random_mdp


def call(monkeypatch, capsys, *arguments):
    """Run the command in this process; return its status, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["tabular-inversion", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    captured = capsys.readouterr()
    return stop.value.code, captured.out, captured.err


@pytest.fixture
def cli(monkeypatch, capsys):
    return lambda *arguments: call(monkeypatch, capsys, *arguments)


IDENTIFY_KEYS = {"status", "evidence", "rows", "rows_identified", "rank", "n_states", "n_goals", "sigma_min", "witness"}
INVERT_KEYS = {"status", "accuracy", "max_error", "mse", "max_residual", "condition", "seconds"}


def test_taxi_is_recovered_on_its_support(cli):
    status, out, _ = cli("invert", "gym:Taxi-v4", "--goals", "indicator", "--class", "supported", "--json")
    answer = json.loads(out)
    assert status == 0
    assert set(answer) >= INVERT_KEYS
    assert answer["status"] == "IDENTIFIED"
    assert answer["max_error"] <= answer["accuracy"] < 1e-8


def test_teleport_is_recovered(cli):
    arguments = ("--goals", "indicator", "--class", "stochastic", "--discount", "0.99", "--json")
    status, out, _ = cli("invert", "fourrooms:teleport", *arguments)
    assert status == 0
    assert json.loads(out)["max_error"] < 1e-8


def test_windy_with_one_goal_is_not_identified(cli):
    status, out, err = cli("identify", "fourrooms:windy", "--goals", "generic:1", "--class", "stochastic", "--json")
    answer = json.loads(out)
    assert (status, answer["status"], err) == (0, "NOT_IDENTIFIED", err)
    assert set(answer) >= IDENTIFY_KEYS
    assert answer["witness"]["first"] != answer["witness"]["second"]


@pytest.mark.parametrize(("scope", "status"), [("uniform", "NOT_IDENTIFIED"), ("instance", "IDENTIFIED")])
@pytest.mark.parametrize("discount", ["0.5", "1/2"])
def test_k33_at_one_half(cli, scope, status, discount):
    arguments = ("--goals", "indicator", "--discount", discount, "--class", "stochastic", "--scope", scope, "--json")
    code, out, _ = cli("identify", "graph:K3,3", *arguments)
    answer = json.loads(out)
    assert (code, answer["status"], answer["rank"], answer["n_states"]) == (0, status, 5, 6)


def test_people_get_words(cli):
    status, out, _ = cli("identify", "chain:4", "--goals", "generic:1", "--policy", "uniform")
    assert status == 0
    assert "NOT_IDENTIFIED" in out
    assert "two worlds, one agent" in out
    status, out, _ = cli("invert", "chain:4", "--goals", "generic:4,seed=1", "--class", "unconstrained")
    assert status == 0
    assert "IDENTIFIED" in out


def test_saved_values_are_inverted_and_the_world_is_written(cli, tmp_path):
    mdp = random_mdp(5, 2, discount=0.9, seed=0)
    solve(mdp, Goals.generic(5, 5, seed=0)).save(tmp_path / "agent.npz")
    world = tmp_path / "world.npz"
    status, out, _ = cli("invert", tmp_path / "agent.npz", "--class", "stochastic", "-o", world, "--json")
    assert status == 0
    assert json.loads(out)["max_error"] is None
    assert abs(MDP.load(world).kernel - mdp.kernel).max() < 1e-10
    # The file written is a world that the command line takes.
    status, out, _ = cli("identify", world, "--goals", "indicator", "--json")
    assert (status, json.loads(out)["n_goals"]) == (0, 5)


def test_noise_is_allowed_for(cli, tmp_path):
    agent = solve(chain(4), Goals.generic(4, 6, seed=0)).with_noise(1e-4, seed=0)
    agent.save(tmp_path / "noisy.json")
    _, out, _ = cli("invert", tmp_path / "noisy.json", "--json")
    assert json.loads(out)["status"] == "INCONSISTENT"
    _, out, _ = cli("invert", tmp_path / "noisy.json", "--noise", "1e-4", "--json")
    assert json.loads(out)["status"] == "IDENTIFIED"


WRONG_CALLS = {
    "unknown environment": ("identify", "fiverooms:windy"),
    "unknown gymnasium id": ("identify", "gym:NoSuchEnv-v0"),
    "environment without a table": ("identify", "gym:CartPole-v1"),
    "unknown goals": ("identify", "chain:4", "--goals", "vague:3"),
    "goal outside": ("identify", "chain:4", "--goals", "indicator:9"),
    "no goals": ("identify", "chain:4", "--goals", "generic:0"),
    "unknown class": ("identify", "chain:4", "--class", "markov"),
    "sparse without number": ("invert", "chain:4", "--class", "sparse:0"),
    "unknown scope": ("identify", "chain:4", "--scope", "global"),
    "unknown policy": ("identify", "chain:4", "--policy", "greedy-ish"),
    "discount of one": ("identify", "chain:4", "--discount", "1"),
    "discount no number": ("identify", "chain:4", "--discount", "high"),
    "discount by zero": ("identify", "chain:4", "--discount", "1/0"),
    "negative noise": ("invert", "chain:4", "--noise", "-1"),
    "noise no number": ("invert", "chain:4", "--noise", "much"),
    "missing file": ("invert", "nowhere.npz"),
    "folder does not exist": ("invert", "chain:4", "--goals", "generic:4", "-o", "nowhere/kernel.npz"),
    "unconstrained world written": (
        "invert",
        "chain:4",
        "--goals",
        "generic:1",
        "--class",
        "unconstrained",
        "-o",
        "w.npz",
    ),
    "no environment": ("identify",),
    "unknown option": ("identify", "chain:4", "--colour"),
    "unknown command": ("prove",),
    "unknown statement": ("verify", "T99"),
    "unknown effort": ("verify", "--effort", "heroic"),
    "report folder does not exist": ("verify", "L1", "--json", "nowhere/report.json"),
    "page folder does not exist": ("verify", "L1", "--html", "nowhere/report.html"),
    "no workers": ("verify", "L1", "--workers", "0"),
    "negative seed": ("verify", "L1", "--seed", "-1"),
}


@pytest.mark.parametrize("arguments", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls_end_with_two_and_one_line(cli, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = cli(*arguments)
    assert status == 2
    # An answer is printed before it is written: what cannot be written is said afterwards.
    assert out == "" or "-o" in arguments
    assert len(err.strip().splitlines()) == 1, err
    assert err.startswith("error: ")
    assert not list(tmp_path.iterdir())


def test_verify_writes_the_report_that_is_documented(cli, tmp_path):
    path = tmp_path / "report.json"
    status, out, _ = cli("verify", "p1", "ST", "--seed", "3", "--json", path)
    report = json.loads(path.read_text())
    assert status == 0
    assert "Statements checked" in out
    assert [s["id"] for s in report["statements"]] == ["P1", "ST"]
    assert report["summary"]["held"] == report["summary"]["statements"] == 2
    assert report["summary"]["failed"] == 0
    for statement in report["statements"]:
        assert {"id", "title", "source", "evidence", "counterexamples"} <= set(statement)
        for check in statement["evidence"]:
            assert {"level", "instances", "held", "worst", "seconds"} <= set(check)
        assert all({"drops", "shown"} <= set(example) for example in statement["counterexamples"])


def test_verify_prints_json_alone_on_standard_output(cli):
    for arguments in (("P1", "--json", "-"), ("--json", "--seed", "1", "P1")):
        status, out, _ = cli("verify", *arguments)
        assert status == 0
        assert json.loads(out)["summary"]["statements"] == 1


def test_verify_writes_a_page(cli, tmp_path):
    path = tmp_path / "report.html"
    status, out, _ = cli("verify", "P1", "--html", path)
    assert status == 0
    assert "Statements checked" in out
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert 'id="P1"' in page


def test_verify_names_what_failed(cli, monkeypatch):
    import dataclasses

    from proofs_checks.statement import Check, Mutation, Tally
    from proofs_checks.t3b_spanning_rewards import STATEMENT

    wrong = dataclasses.replace(
        STATEMENT,
        checks=(
            Check("exact", "fails", lambda _rng, _amount: Tally(1, 0.0, ["rank is 5"]), (1, 1, 1)),
            Check("numeric", "nothing", lambda _rng, _amount: Tally(), (1, 1, 1)),
        ),
        counterexamples=(dataclasses.replace(STATEMENT.counterexamples[0], drops=STATEMENT.hypotheses[1].name),),
        mutations=(Mutation("true after all", lambda _rng, _amount: Tally(1), 1),),
    )
    monkeypatch.setattr(verify_report, "statements", lambda: (wrong,))
    monkeypatch.setattr("proofs_checks.statements", lambda: (wrong,))
    status, out, err = cli("verify", "T3b", "--workers", "1")
    assert status == 1
    assert "1 failed" in out
    for line in ("exact: rank is 5", "nothing: no instances", "counterexample not shown", "not caught: true after all"):
        assert line in err


def test_verify_fails_when_a_world_is_not_what_was_expected(cli, monkeypatch):
    from proofs_checks.worlds import WorldCase

    monkeypatch.setattr(verify_report, "CASES", (WorldCase("chain:4", "generic:1", "stochastic"),))
    status, out, _ = cli("verify", "worlds", "--workers", "1")
    assert status == 1
    assert "1 failed" in out


def test_an_interrupted_run_says_so(cli, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_report, "run", interrupt)
    status, _, err = cli("verify")
    assert status == 130
    assert "interrupted" in err


def test_the_installed_command_and_python_m_answer():
    for command in ([Path(sys.executable).with_name("tabular-inversion")], [sys.executable, "-m", "tabular_inversion"]):
        done = subprocess.run(
            [*command, "identify", "chain:3", "--goals", "generic:3", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["status"] == "IDENTIFIED"


def test_values_of_another_kind_of_file_are_refused(cli, tmp_path):
    path = tmp_path / "agent.npz"
    solve(chain(3), Goals.generic(3, 3, seed=0)).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    status, _, err = cli("invert", path)
    assert (status, err.count("\n")) == (2, 1)
    with pytest.raises(ValueError, match=r"truncated|damaged"):
        AgentValues.load(path)


def test_without_coq_the_extracted_checker_is_refused_with_its_remedy(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, err = cli("check", str(tmp_path / "any.json"), "--checker", "both")
    assert (status, err.count("\n")) == (2, 1)
    assert "install coq, libcoq-mathcomp, ocaml-findlib and libzarith-ocaml-dev" in err


def test_certificates_are_written_and_checked(cli, tmp_path):
    place = tmp_path / "k33.json"
    exactly = ("graph:K3,3", "--discount", "1/2", "--exact", "--scope", "uniform")
    status, out, _ = cli("identify", *exactly, "--certificate", str(place), "--json")
    assert (status, json.loads(out)["status"]) == (0, "NOT_IDENTIFIED")
    root, few = tmp_path / "root.json", tmp_path / "few.json"
    assert cli("discounts", "graph:K3,2", "--certificate", str(root))[0] == 0
    assert cli("goals", "chain:4", "--class", "stochastic", "--certificate", str(few))[0] == 0
    status, out, _ = cli("check", str(place), str(root), str(few))
    assert status == 0
    assert out.count("holds") == 3
    assert cli("check", str(place), "--checker", "some")[0] == 2
    content = json.loads(place.read_text())
    content["rows"][0]["status"] = "IDENTIFIED"
    place.write_text(json.dumps(content))
    status, out, _ = cli("check", str(root), str(place), "--json")
    answer = json.loads(out)
    assert status == 1
    assert [one["holds"] for one in answer["files"]] == [True, False]
    assert "digest" in answer["files"][1]["problem"]
    status, _, err = cli("identify", "chain:3", "--certificate", str(tmp_path / "none.json"))
    assert (status, "--exact" in err) == (2, True)
    assert not (tmp_path / "none.json").exists()


@pytest.mark.slow
def test_rows_over_processes_give_the_answer_of_one(cli):
    words = ["random:n=9,m=3,branching=3,seed=0", "--goals", "generic:5,seed=1", "--json"]
    for command in ("identify", "invert"):
        alone, many = (json.loads(cli(command, *words, *more)[1]) for more in ((), ("--workers", "2")))
        for key in ("status", "row_status", "rank"):
            assert alone[key] == many[key]
    one, two = (json.loads(cli("bounds", *words, *more)[1]) for more in ((), ("--workers", "2")))
    assert one["widest"] == pytest.approx(two["widest"], abs=1e-7)


def test_workers_are_refused_where_they_would_do_nothing(cli):
    status, out, err = cli("identify", "chain:3", "--exact", "--scope", "uniform", "--workers", "2")
    assert (status, out) == (2, "")
    assert "leave out --workers" in err
