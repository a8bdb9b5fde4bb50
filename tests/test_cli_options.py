"""Every option of every command, on every kind of input: its value changes the answer, or the call is refused.

The table below names, for each option, two values that must not give the same answer. Where an option does not apply to
an input (a discount for values that exist already), the call ends with 2 and one line; nothing is dropped silently.
"""

import json
import sys

import numpy as np
import pytest
from typer.main import get_command

from tabular_inversion import Goals, solve
from tabular_inversion.cli import main
from tabular_inversion.cli.app import app
from tabular_inversion.environments import parse_environment

TEXT = "riverswim:4"
GRAPH = "graph:K3,3"
MISSING = None
"""In place of a value: the option is left out."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """One world in every form that someone may hand in."""
    folder = tmp_path_factory.mktemp("inputs")
    world = parse_environment(TEXT).mdp
    agent = solve(world, Goals.generic(4, 4, seed=0))
    for ending in ("npz", "json"):
        world.save(folder / f"world.{ending}")
        agent.save(folder / f"values.{ending}")
    np.save(folder / "q.npy", agent.q)
    np.savez(folder / "bare.npz", q=agent.q)
    (folder / "list.json").write_text(json.dumps(agent.q.tolist()))
    (folder / "edges").write_text("0 1\n1 2\n2 3\n3 0\n0 2\n")
    parse_environment(GRAPH).mdp.save(folder / "graph.json")
    return folder


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path, inputs):
    """Run a command in a folder of its own; return its status, its answer without times, and what it wrote."""
    calls = iter(range(99))

    def call(*arguments):
        folder = tmp_path / str(next(calls))
        folder.mkdir()
        monkeypatch.chdir(folder)
        shown = [word.replace("@", f"{inputs}/") for word in map(str, arguments) if word is not MISSING]
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", *shown])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        if stop.value.code == 2:
            lines = captured.err.splitlines()
            assert len(lines) == 1, lines
            assert lines[0].startswith("error: ")
            assert not captured.out
            assert not list(folder.iterdir())
            return 2, lines[0], []
        answer = captured.out
        if answer.startswith("{"):
            answer = {key: value for key, value in json.loads(answer).items() if key != "seconds"}
        return stop.value.code, answer, sorted(path.name for path in folder.iterdir())

    return call


WORLDS = {"text": TEXT, "world.npz": "@world.npz", "world.json": "@world.json"}
VALUES = {"values.npz": "@values.npz", "values.json": "@values.json"}
GRAPHS = {"text": GRAPH, "file": "@graph.json"}

# (command, option): the two values, on worlds and on values of an agent; `MISSING` leaves the option out.
JUDGED = {
    "--goals": (("generic:1", "generic:3"), ("0", "0,1")),
    "--class": (("stochastic", "unconstrained"), ("stochastic", "unconstrained")),
    "--policy": (("optimal", "uniform"), ("optimal", "uniform")),
    "--discount": (("0.5", "0.9"), ("0.5", "0.9")),
    "--noise": (("0", "10"), ("0", "10")),
    "--json": ((MISSING, True), (MISSING, True)),
}
TABLE = {
    "identify": JUDGED
    | {
        "--scope": (("instance", "uniform"), ("instance", "uniform")),
        "--exact": ((MISSING, True), (MISSING, True)),
        "--certificate": ((MISSING, "proof.json"), (MISSING, "proof.json")),
        "--plot": ((MISSING, "picture.svg"), (MISSING, "picture.svg")),
    },
    "bounds": JUDGED,
    "diagnose": JUDGED,
    "plan": JUDGED | {"--for": (("generic:1", "indicator:0"), ("generic:1", "indicator:0"))},
    "invert": JUDGED
    | {
        "--output": ((MISSING, "kernel.npz"), (MISSING, "kernel.npz")),
        "--plot": ((MISSING, "picture.svg"), (MISSING, "picture.svg")),
    },
    "discounts": {
        "--goals": (("indicator", "indicator:0,1"), ("0", "0,1")),
        "--policy": (("optimal", "uniform"), ("optimal", "uniform")),
        "--discount": (("1/2", "1/3"), ("1/2", "1/3")),
        "--witness": ((MISSING, True), (MISSING, True)),
        "--plot": ((MISSING, "picture.svg"), (MISSING, "picture.svg")),
        "--certificate": ((MISSING, "proof.json"), (MISSING, "proof.json")),
        "--json": ((MISSING, True), (MISSING, True)),
    },
    "goals": {
        "--goals": (("indicator:0", "indicator:0,1"), ("0", "0,1")),
        "--class": (("stochastic", "deterministic"), ("stochastic", "deterministic")),
        "--rewards": (("indicator", "generic"), ("indicator", "generic")),
        "--policy": (("optimal", "uniform"), ("optimal", "uniform")),
        "--discount": (("1/2", "1/3"), ("1/2", "1/3")),
        "--seconds": (("1", "-1"), ("1", "-1")),
        "--compare": ((MISSING, True), (MISSING, True)),
        "--noise": (("0", "0.1"), ("0", "0.1")),
        "--plot": ((MISSING, "picture.svg"), (MISSING, "picture.svg")),
        "--certificate": ((MISSING, "proof.json"), (MISSING, "proof.json")),
        "--json": ((MISSING, True), (MISSING, True)),
    },
}
TABLE = {command: options for command, options in TABLE.items() if command in get_command(app).commands}
NEEDED = {"plan": ("--for", "generic:1")}
"""Options that a command does not do without."""
WANTS_EXACT = {("identify", "--certificate")}


def spoken(command, source, option, value):
    """Return the words of a call with an option, or without it."""
    words = [command, source]
    if option != NEEDED.get(command, (option,))[0]:
        words += NEEDED[command]
    if value is MISSING:
        return words + (["--json"] if option != "--json" else [])
    words += [option] if value is True else [option, value]
    words += ["--exact"] if (command, option) in WANTS_EXACT else []
    return words + (["--json"] if option != "--json" else [])


CHANGES_NOTHING = {"--workers", "--cluster"}
"""Who does the work: `test_executors` holds that the answer does not depend on it."""

# It draws two worlds, where there are two: tests/test_cli_own.py holds that it does, and that it refuses otherwise.
ELSEWHERE = {("identify", "--plot")}

CASES = [
    (command, option, kind, source, values)
    for command, options in TABLE.items()
    for option, (for_worlds, for_values) in options.items()
    if (command, option) not in ELSEWHERE
    for kind, source, values in [
        *((kind, source, for_worlds) for kind, source in (GRAPHS if command == "discounts" else WORLDS).items()),
        *((kind, source, for_values) for kind, source in VALUES.items()),
    ]
]


@pytest.mark.parametrize(
    ("command", "option", "kind", "source", "values"), CASES, ids=[f"{c[0]} {c[1]} {c[2]}" for c in CASES]
)
def test_an_option_is_honoured_or_refused(cli, command, option, kind, source, values):
    first, second = (cli(*spoken(command, source, option, value)) for value in values)
    refused = kind in VALUES and 2 in (first[0], second[0])
    assert refused or first[0] == 0
    assert refused or first != second, f"{option} was dropped"


def test_the_table_has_every_option_of_every_command_on_a_world_or_values():
    """A new option has to be put into the table."""
    for name, command in get_command(app).commands.items():
        options = {option.opts[-1] for option in command.params if option.opts[-1].startswith("--")} - CHANGES_NOTHING
        if "environment" in {option.name for option in command.params}:
            assert options == set(TABLE[name]), name


@pytest.mark.parametrize("command", TABLE)
@pytest.mark.parametrize("source", ["@q.npy", "@bare.npz", "@list.json", "@edges", "@nowhere.npz", "graph:@nowhere"])
def test_what_is_neither_a_world_nor_values_is_refused(cli, command, source):
    assert cli(command, source, *NEEDED.get(command, ()), "--json")[0] == 2


@pytest.mark.parametrize("command", ["discounts"])
@pytest.mark.parametrize("source", VALUES.values())
def test_values_are_no_world(cli, command, source):
    """What asks about a world that is known does not take an agent's values for one."""
    status, error, _ = cli(command, source, "--json")
    assert status == 2
    assert "agent" in error or "values" in error


CONTRADICTIONS = {
    "exact and noise": ("identify", TEXT, "--exact", "--noise", "0.1"),
    "a certificate of floats": ("identify", TEXT, "--certificate", "proof.json"),
    "the support of nothing": ("identify", "@values.npz", "--class", "supported"),
    "the support of another world": ("identify", "@values.npz", "--class", "supported:chain:5"),
    "another policy": ("invert", "@values.json", "--policy", "uniform"),
    "another discount": ("invert", "@values.json", "--discount", "0.25"),
    "goals that the agent had not": ("identify", "@values.npz", "--goals", "indicator:1"),
    "a goal that is not there": ("identify", "@values.npz", "--goals", "7"),
    "bumps without places": ("identify", "@values.npz", "--goals", "gaussian:2"),
    "an array's kernel": ("invert", TEXT, "--output", "kernel.npy"),
    "goals beside compared sets": ("goals", TEXT, "indicator:0", "indicator:1", "--compare", "--goals", "indicator:0"),
    "rewards beside compared sets": ("goals", TEXT, "indicator:0", "indicator:1", "--compare", "--rewards", "generic"),
    "a certificate of a comparison": ("goals", TEXT, "indicator:0", "indicator:1", "--compare", "--certificate", "a"),
    "errors where nothing is compared": ("goals", TEXT, "--noise", "0.1"),
    "points of rooms": ("reproduce", "fourrooms", "--points", "4"),
    "points of a study": ("reproduce", "errors", "--points", "4"),
    "points and effort": ("reproduce", "mountaincar", "--points", "4", "--effort", "quick"),
    "a negative seed of rooms": ("reproduce", "fourrooms", "--seed", "-1"),
    "a negative seed of a car": ("reproduce", "mountaincar", "--seed", "-1"),
    "a negative seed of an arm": ("reproduce", "reacher", "--seed", "-1"),
    "a negative seed of a study": ("reproduce", "errors", "--seed", "-1"),
    "a negative seed of statements": ("verify", "T3b", "--seed", "-1"),
    "no such experiment": ("reproduce", "fiverooms"),
    "no statement": ("verify", "T99"),
    "no effort": ("verify", "T3b", "--effort", "much"),
    "no processes": ("verify", "T3b", "--workers", "0"),
}


@pytest.mark.parametrize("arguments", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_options_that_contradict_the_input_or_each_other_are_refused(cli, arguments):
    assert cli(*arguments)[0] == 2


@pytest.mark.parametrize("source", ["@world.json", "@values.npz", "@nowhere.json"])
def test_what_is_no_certificate_does_not_hold(cli, source):
    status, answer, _ = cli("check", source, "--json")
    assert (status, answer["holds"]) == (1, False)
    assert cli("check", source)[0] == 1


@pytest.mark.parametrize(
    ("option", "values"),
    [
        pytest.param("--seed", ("0", "1"), marks=pytest.mark.slow),
        pytest.param("--effort", ("quick", "standard"), marks=pytest.mark.slow),
        ("--json", (MISSING, True)),
    ],
)
def test_options_of_verify_show(cli, option, values):
    found = []
    for value in values:
        words = [] if value is MISSING else [option] if value is True else [option, value]
        words += [] if option == "--json" else ["--json"]
        found.append(cli("verify", "T3b", "--workers", "1", *words))
        assert found[-1][0] == 0
    assert json.dumps(found[0], default=str) != json.dumps(found[1], default=str)
