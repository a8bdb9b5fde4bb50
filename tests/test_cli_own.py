"""The command line on files of one's own: arrays that no code of this package wrote."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tabular_inversion import AgentValues, Goals, Supported, evaluate, policies, solve
from tabular_inversion.cli import main
from tabular_inversion.environments import chain, random_mdp
from tabular_inversion.interop import write_prism

WORLD = random_mdp(5, 2, branching=3, discount=0.9, seed=0)
GOALS = Goals.indicator(5)
AGENT = solve(WORLD, GOALS)


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
def files(tmp_path: Path) -> Path:
    np.save(tmp_path / "q.npy", AGENT.q)
    np.save(tmp_path / "q32.npy", AGENT.q.astype(np.float32))
    np.savez(tmp_path / "goals.npz", rewards=GOALS.rewards, continuation=GOALS.continuation, names=list("abcde"))
    np.savez(
        tmp_path / "q.npz",
        q=AGENT.q,
        rewards=GOALS.rewards,
        continuation=GOALS.continuation,
        goal_names=list("abcde"),
        discount=0.9,
        state_names=[f"room {s}" for s in range(5)],
    )
    np.save(tmp_path / "mask.npy", Supported.of(WORLD).support.toarray().reshape(5, 2, 5))
    WORLD.save(tmp_path / "world.npz")
    AGENT.save(tmp_path / "agent.npz")
    return tmp_path


@pytest.mark.parametrize("goals", ["goals.npz", "indicator"])
def test_a_table_and_its_goals(cli, files, goals):
    named = files / goals if goals.endswith("npz") else goals
    arguments = ("--goals", named, "--discount", "0.9", "--class", f"supported:{files / 'world.npz'}", "--json")
    status, out, _ = cli("identify", files / "q.npy", *arguments)
    answer = json.loads(out)
    assert (status, answer["status"]) == (0, "IDENTIFIED")
    assert answer["row_status"] == [["IDENTIFIED"] * 2] * 5
    assert answer["explanation"]["because"]
    assert answer["diagnosis"] is None


def test_a_mask_is_a_class_and_float32_a_noise(cli, files):
    arguments = ("--goals", "indicator", "--discount", "0.9", "--class", f"supported:{files / 'mask.npy'}", "--json")
    _, out, _ = cli("identify", files / "q32.npy", *arguments)
    assert json.loads(out)["status"] == "IDENTIFIED"
    _, out, _ = cli("identify", files / "q.npy", *arguments, "--noise", "float32")
    assert json.loads(out)["status"] == "IDENTIFIED"


def test_a_file_that_knows_its_goals_is_narrowed(cli, files):
    status, out, _ = cli("identify", files / "q.npz", "--goals", "b,d", "--json")
    answer = json.loads(out)
    assert (status, answer["status"], answer["n_goals"]) == (0, "NOT_IDENTIFIED", 2)
    assert answer["witness"]["state"].startswith("room ")
    assert any("room " in line for line in answer["explanation"]["story"])


def test_what_is_wrong_is_diagnosed(cli, files):
    arguments = (files / "q.npy", "--goals", files / "goals.npz", "--discount", "0.8")
    status, out, _ = cli("diagnose", *arguments, "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer["best"]["change"] == "AgentValues(q, goals, discount=0.9)"
    assert len(answer["explanations"]) == 11
    status, out, _ = cli("identify", *arguments)
    assert status == 0
    assert "INCONSISTENT" in out
    assert "diagnosis: the discount is 0.9, not 0.8" in out
    status, out, _ = cli("diagnose", *arguments)
    assert "the call to make" in out


def test_bounds_and_plans(cli, files):
    arguments = (files / "q.npz", "--goals", "a,c", "--class", f"supported:{files / 'world.npz'}")
    _, out, _ = cli("bounds", *arguments, "--json")
    answer = json.loads(out)
    assert len(answer["rows"]) == 10
    kernel = WORLD.dense().kernel
    for row in answer["rows"]:
        state, action = int(row["state"].split()[1]), int(row["action"])
        for name, (low, high) in row["bounds"].items():
            assert low - 1e-9 <= kernel[state, action, int(name.split()[1])] <= high + 1e-9
    _, out, _ = cli("plan", *arguments, "--for", "indicator:3", "--json")
    [plan] = json.loads(out)["plans"]
    truth = solve(WORLD, Goals.indicator(5, [3])).v[0]
    lower, upper = np.array(list(plan["lower"].values())), np.array(list(plan["upper"].values()))
    assert (lower <= truth + 1e-8).all()
    assert (truth <= upper + 1e-8).all()
    for command, more in (("bounds", ()), ("plan", ("--for", "indicator:3"))):
        status, out, _ = cli(command, *arguments, *more)
        assert status == 0
        assert "room 0" in out


def test_goals_of_an_agent(cli, files):
    arguments = ("--class", f"supported:{files / 'world.npz'}", "--json")
    status, out, _ = cli("goals", files / "agent.npz", *arguments)
    answer = json.loads(out)
    assert (status, answer["status"], answer["n_goals"]) == (0, "IDENTIFIED", 5)
    assert answer["minimal"]["size"] <= 3
    status, out, _ = cli("goals", files / "q.npz", "--goals", "c", *arguments)
    answer = json.loads(out)
    assert answer["goals"] == ["c"]
    assert "c" in answer["minimal"]["goals"]


def test_policies_and_state_values_in_files(cli, tmp_path):
    agent = evaluate(WORLD, GOALS, policies.uniform(WORLD.available))
    parts = {"q": agent.q, "rewards": GOALS.rewards, "continuation": GOALS.continuation, "discount": 0.9}
    for more in ({"policy": policies.uniform(WORLD.available)}, {"v": agent.v}):
        np.savez(tmp_path / "own.npz", **parts, **more)
        _, out, _ = cli("identify", tmp_path / "own.npz", "--json")
        assert json.loads(out)["status"] == identify_directly(agent)
    np.savez(tmp_path / "own.npz", **parts)
    _, out, _ = cli("identify", tmp_path / "own.npz", "--policy", "uniform", "--json")
    assert json.loads(out)["status"] == identify_directly(agent)


def identify_directly(agent: AgentValues) -> str:
    from tabular_inversion import Stochastic, identify

    return identify(agent, Stochastic()).status.name


def test_prism_files_are_worlds(cli, tmp_path):
    write_prism(chain(4), tmp_path / "chain.tra")
    status, out, _ = cli("identify", f"prism:{tmp_path / 'chain.tra'}", "--goals", "indicator", "--json")
    assert (status, json.loads(out)["n_states"]) == (0, 4)


def test_pictures(cli, files):
    for name, arguments in {
        "witness.png": ("identify", "chain:4", "--goals", "generic:1"),
        "bars.png": ("identify", files / "q.npz", "--goals", "a"),
        "recovery.png": ("invert", "fourrooms:deterministic", "--class", "deterministic"),
    }.items():
        status, _, err = cli(*arguments, "--plot", files / name)
        assert status == 0, err
        assert (files / name).read_bytes().startswith(b"\x89PNG")


WRONG = {
    "no discount": ("identify", "q.npy", "--goals", "indicator"),
    "no goals": ("identify", "q.npy", "--discount", "0.9"),
    "another discount": ("identify", "q.npz", "--discount", "0.5"),
    "another policy": ("identify", "q.npz", "--policy", "uniform", "--goals", "nobody"),
    "no such goal": ("identify", "q.npz", "--goals", "z"),
    "goals for values": ("identify", "goals.npz"),
    "values for goals": ("identify", "q.npy", "--goals", "q.npz", "--discount", "0.9"),
    "no file": ("identify", "nothing.npy", "--goals", "indicator", "--discount", "0.9"),
    "noise of another kind": ("identify", "q.npz", "--noise", "float8"),
    "nothing to draw": ("identify", "q.npz", "--plot", "picture.png"),
    "candidates of values": ("goals", "agent.npz", "--rewards", "generic", "--class", "stochastic"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_calls_get_one_line(cli, files, monkeypatch, name):
    monkeypatch.chdir(files)
    status, _, err = cli(*WRONG[name])
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
