"""``tabular-inversion reproduce`` as a user meets it."""

import json
import sys
from importlib import import_module

import pytest

from tabular_inversion.cli import main
from tabular_inversion.cli import reproduce as command
from tabular_inversion.experiments.four_rooms_cases import EFFORTS, Effort
from tabular_inversion.experiments.run_folder import RunFolder


@pytest.fixture
def cli(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", "reproduce", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capsys.readouterr()

    return call


def test_it_prints_published_beside_ours_and_writes_the_folder(cli, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tabular_inversion.experiments.four_rooms.usable_cores", lambda: 1)
    monkeypatch.setattr(RunFolder, "figure", lambda *_: None)  # drawing takes longest, and is tested elsewhere
    monkeypatch.setitem(EFFORTS, "quick", Effort("quick", 1, (2_000,), (("teleport", 68),)))
    status, out, err = cli("fourrooms")
    assert status == 0
    assert "published" in out
    assert "teleport, 68 goals (stochastic): MSE after 0.002M steps" in out
    assert "report.html" in out
    assert "Knowledge:" in err
    results = json.loads((tmp_path / "fourrooms-quick" / "results.json").read_text())
    assert results["settings"]["seed"] == 0
    assert len([row for row in results["comparisons"] if row["published"] is not None]) == 2
    # Once more: everything is there, and nothing is trained again.
    monkeypatch.setattr("tabular_inversion.experiments.four_rooms_agents.QLearner.run", None)
    assert cli("fourrooms")[0] == 0


def test_grid_points_replace_the_effort(cli, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RunFolder, "figure", lambda *_: None)
    status, out, _ = cli("mountaincar", "--points", "16")
    assert status == 0
    assert "MountainCar: published and ours" in out
    assert json.loads((tmp_path / "mountaincar-16" / "results.json").read_text())["settings"]["points"] == 16


WRONG_CALLS = {
    "unknown experiment": ("fiverooms",),
    "no experiment": (),
    "unknown effort": ("fourrooms", "--effort", "heroic"),
    "negative seed": ("fourrooms", "--seed", "-1"),
    "grid points of an experiment without a grid": ("fourrooms", "--points", "40"),
    "too few grid points": ("mountaincar", "--points", "1"),
    "folder of a folder that does not exist": ("fourrooms", "--out", "nowhere/run"),
}


@pytest.mark.parametrize("arguments", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls_end_with_two_and_one_line(cli, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    assert err.startswith("error: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("library", "extra"), [("matplotlib", "plot"), ("jinja2", "report")])
def test_a_missing_library_is_said_before_anything_is_run(cli, monkeypatch, tmp_path, library, extra):
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == library else object())
    status, _, err = cli("fourrooms", "--out", tmp_path / "run")
    assert status == 2
    assert f"in a clone: pip install '.[{extra}]'" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module", command.EXPERIMENTS.values())
def test_every_experiment_that_is_offered_exists(module):
    assert callable(import_module(f"tabular_inversion.experiments.{module}").reproduce)
