"""``tabular-inversion goals`` as a user meets it."""

import json
import sys

import pytest

from tabular_inversion.cli import main
from tabular_inversion.errors import WitnessError
from tabular_inversion.sufficiency import MinimalGoals


@pytest.fixture
def cli(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", "goals", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return call


VERDICT_KEYS = {"status", "evidence", "class", "rows", "rows_identified", "rank", "n_states", "n_goals", "reason"}
MINIMAL_KEYS = {"size", "goals", "states", "added", "lower_bound", "gap", "optimal", "evidence", "proof"}


def test_windy_four_rooms_needs_two_goals(cli):
    status, out, _ = cli("fourrooms:windy", "--class", "supported", "--json")
    answer = json.loads(out)
    assert (status, answer["status"], answer["rows_identified"], answer["unknown_states"]) == (0, "IDENTIFIED", 272, [])
    assert set(answer) >= VERDICT_KEYS
    assert set(answer["minimal"]) >= MINIMAL_KEYS
    assert (answer["minimal"]["size"], answer["minimal"]["optimal"], answer["minimal"]["evidence"]) == (
        2,
        True,
        "exact",
    )


def test_what_you_have_is_judged_and_completed(cli, tmp_path):
    picture = tmp_path / "rooms.png"
    arguments = (
        "fourrooms:teleport",
        "--goals",
        "indicator:3,17",
        "--class",
        "supported",
        "--seconds",
        "20",
        "--plot",
        picture,
        "--json",
    )
    status, out, _ = cli(*arguments)
    answer = json.loads(out)
    assert (status, answer["status"], answer["n_goals"], answer["rows_identified"]) == (0, "NOT_IDENTIFIED", 2, 256)
    assert answer["unknown_states"] == ["(4,4)", "(4,6)", "(6,4)", "(6,6)"]
    assert answer["witness"]["first"] != answer["witness"]["second"]
    found = answer["minimal"]
    assert {"(1,4)", "(3,2)"} <= set(found["goals"])
    assert len(found["added"]) == found["size"] - 2
    assert found["gap"] == found["size"] - found["lower_bound"] >= 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "size"), [("supported", 2), ("deterministic", 1), ("sparse:2", 3), ("stochastic", 5), ("unconstrained", 6)]
)
def test_generic_rewards_need_what_the_theory_says(cli, name, size):
    _, out, _ = cli("riverswim:6", "--class", name, "--rewards", "generic", "--policy", "uniform", "--json")
    answer = json.loads(out)
    assert (answer["minimal"]["size"], answer["minimal"]["gap"], answer["status"]) == (size, 0, "IDENTIFIED")
    assert answer["minimal"]["states"] == [None] * size


def test_a_graph_with_names(cli):
    _, out, _ = cli("graph:K3,3", "--class", "stochastic", "--discount", "1/3", "--json")
    answer = json.loads(out)
    assert (answer["discount"], answer["minimal"]["size"]) == ("1/3", 5)


def test_at_an_exceptional_discount_no_set_suffices_and_the_states_are_named(cli, tmp_path):
    picture = tmp_path / "graph.svg"
    status, out, _ = cli("graph:K3,3", "--class", "stochastic", "--discount", "1/2", "--plot", picture, "--json")
    answer = json.loads(out)
    assert (status, answer["status"], answer["minimal"]) == (0, "NOT_IDENTIFIED", None)
    assert answer["unknown_states"] == ["0", "1", "2", "3", "4", "5"]
    assert "18 of 18 rows unknown" in answer["no_minimal_because"]
    assert picture.stat().st_size > 0


def test_people_get_words(cli):
    status, out, _ = cli("chain:4", "--class", "stochastic", "--goals", "indicator:1")
    assert status == 0
    for words in ("NOT_IDENTIFIED", "smallest set", "to be added", "no fewer than 3"):
        assert words in out
    _, out, _ = cli("graph:K3,3", "--class", "stochastic", "--discount", "1/2")
    assert "dynamics unknown in 0, 1, 2, 3, 4, 5" in out


def test_what_a_verdict_leaves_undecided_the_search_may_decide(monkeypatch, cli):
    monkeypatch.setattr("tabular_inversion.identifiability.rational.sparse.MAX_SUPPORTS", 3)
    _, out, _ = cli("graph:cycle:7", "--class", "sparse:2", "--goals", "indicator:0,1,2,3,4,5", "--json")
    answer = json.loads(out)
    assert (answer["status"], answer["unknown_states"]) == ("IDENTIFIED", [])


def test_too_many_sets_of_columns_are_said_to_be_too_many(cli):
    _, out, _ = cli("fourrooms:teleport", "--class", "sparse:16", "--json")
    answer = json.loads(out)
    assert answer["minimal"] is None
    assert "sets of 32 columns" in answer["no_minimal_because"]


WRONG_CALLS = {
    "unknown environment": ("fiverooms:windy",),
    "goal outside": ("chain:4", "--goals", "indicator:9"),
    "unknown goals": ("chain:4", "--goals", "vague"),
    "graph without edges": ("graph:edges.txt",),
    "a lonely node": ("graph:K1",),
    "unknown class": ("chain:4", "--class", "markov"),
    "unknown rewards": ("chain:4", "--rewards", "kind"),
    "unknown policy": ("chain:4", "--policy", "greedy"),
    "discount of one": ("chain:4", "--discount", "1"),
    "discount list": ("chain:4", "--discount", "0.5,0.6"),
    "time that runs backwards": ("chain:4", "--seconds", "-3"),
    "unknown ending of the picture": ("chain:4", "--plot", "picture.txt2"),
    "folder does not exist": ("chain:4", "--plot", "nowhere/picture.png"),
    "no environment": (),
    "nothing to compare": ("chain:4", "--compare"),
    "sets without --compare": ("chain:4", "indicator:1"),
}


@pytest.mark.parametrize("arguments", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls_end_with_two_and_one_line(cli, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.txt").write_text("# nothing\n")
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    assert err.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["edges.txt"]


def test_a_proof_that_does_not_hold_is_no_answer(monkeypatch, cli):
    def refuse(_):
        raise WitnessError("goals: (0,) do not suffice.")

    monkeypatch.setattr(MinimalGoals, "verify", refuse)
    status, out, err = cli("chain:4")
    assert status == 2
    assert "IDENTIFIED" in out  # the verdict, which was re-checked, is there before the search begins
    assert "smallest set" not in out
    assert "do not suffice" in err


@pytest.mark.parametrize("name", ["random:n=20,m=3,branching=4,seed=0", "random:n=300,m=2,branching=3,seed=0"])
def test_drawn_worlds_in_floats_are_answered(cli, name):
    status, out, _ = cli(name, "--class", "supported", "--seconds", "5", "--json")
    answer = json.loads(out)
    assert (status, answer["status"]) == (0, "IDENTIFIED")
    assert 2 <= answer["minimal"]["size"] <= 5
    assert answer["minimal"]["evidence"] == ("exact" if "n=20" in name else "certified")


def test_goal_sets_are_compared_in_a_table(cli, tmp_path):
    sets = ("indicator:0,67", "indicator:0,20,40,60")
    status, out, _ = cli("fourrooms:windy", "--class", "supported", "--compare", *sets, "--noise", "1e-6")
    assert status == 0
    assert "272 of 272" in out
    assert all(name in out for name in sets)
    picture = tmp_path / "sets.png"
    status, out, _ = cli(
        "fourrooms:windy", "--class", "supported", "--compare", *sets, "--noise", "1e-6", "--plot", picture, "--json"
    )
    answer = json.loads(out)
    assert answer["best"] == "indicator:0,20,40,60"
    assert answer["sets"]["indicator:0,67"]["rows"] == 272
    assert picture.read_bytes().startswith(b"\x89PNG")
