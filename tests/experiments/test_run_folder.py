"""Folders of runs: stages are kept, other settings refused, and the report holds everything."""

import csv
import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from tabular_inversion.errors import FileFormatError, InputError
from tabular_inversion.experiments import run_folder
from tabular_inversion.experiments.run_folder import Comparison, RunFolder


def drawing(value):
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([0, value])
    return figure


def test_a_stage_is_computed_once_and_survives_the_process(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.linspace(0, 1, 5), "n": 3}

    first = RunFolder(tmp_path / "run", "demo", {"seed": 0}).stage("a", compute)
    again = RunFolder(tmp_path / "run", "demo", {"seed": 0}).stage("a", compute)
    assert calls == [1]
    np.testing.assert_array_equal(first["x"], again["x"])
    assert int(again["n"]) == 3


def test_the_memory_of_a_stage_counts_in_the_run_that_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "peak_memory", lambda: 7 * 2**40)
    RunFolder(tmp_path / "run", "demo", {}).stage("a", lambda: {"x": np.arange(3)})
    monkeypatch.setattr(run_folder, "peak_memory", lambda: 2**20)
    folder = RunFolder(tmp_path / "run", "demo", {})
    folder.stage("a", lambda: {"x": np.arange(3)})
    folder.finish([], differences=[], facts={})
    assert json.loads((tmp_path / "run" / "results.json").read_text())["peak_memory_bytes"] == 7 * 2**40


def test_a_stage_that_fails_leaves_nothing_behind(tmp_path):
    folder = RunFolder(tmp_path / "run", "demo", {})

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.stage("a", interrupted)
    assert list(folder.stages.iterdir()) == []


def test_other_settings_and_bad_places_are_refused(tmp_path):
    RunFolder(tmp_path / "run", "demo", {"seed": 0})
    with pytest.raises(InputError, match="other settings"):
        RunFolder(tmp_path / "run", "demo", {"seed": 1})
    with pytest.raises(InputError, match="parent folder does not exist"):
        RunFolder(tmp_path / "no" / "run", "demo", {})
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="it is a file"):
        RunFolder(tmp_path / "file", "demo", {})
    assert not (tmp_path / "no").exists()


def test_a_damaged_stage_names_its_file(tmp_path):
    folder = RunFolder(tmp_path / "run", "demo", {})
    folder.stage("a", lambda: {"x": np.arange(100)})
    file = folder.stages / "a.npz"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(FileFormatError, match=r"Delete .*a\.npz"):
        folder.stage("a", lambda: {"x": np.arange(100)})


def test_results_figures_and_tables_are_written(tmp_path):
    folder = RunFolder(tmp_path / "run", "demo", {"effort": "quick"})
    folder.stage("learning", lambda: {"x": np.arange(3)})
    folder.table("curve", {"steps": [1, 2], "name": ["a", "b"], "mse": np.array([0.5, 0.25])})
    for i in (1, 2):
        folder.figure(f"figure{i}", drawing(i), f"caption {i} < 3")
    rows = [Comparison("windy, 4 goals", 1e-5, 1e-6, 1.26e-3, "supports known"), Comparison("new", 2.0)]
    report = folder.finish(rows, differences=["tables, no networks"], facts={"rank": 68})
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [row["published"] for row in results["comparisons"]] == [1.26e-3, None]
    assert results["settings"] == {"effort": "quick"}
    assert results["peak_memory_bytes"] > 2**20
    assert set(results["seconds"]) == {"this run", "learning"}
    with (tmp_path / "run" / "data" / "curve.csv").open() as stream:
        assert list(csv.reader(stream)) == [["steps", "name", "mse"], ["1", "a", "0.5"], ["2", "b", "0.25"]]
    for i in (1, 2):
        for ending in ("png", "svg"):
            assert (tmp_path / "run" / "figures" / f"figure{i}.{ending}").stat().st_size > 500
    page = report.read_text()
    for text in ("windy, 4 goals", "0.00126", "1e-05", "supports known", "tables, no networks", "caption 2 &lt; 3"):
        assert text in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "two figures share an id"
    assert "<script" not in page
    assert "src=" not in page


def test_tables_with_ragged_columns_are_refused(tmp_path):
    with pytest.raises(InputError, match="different lengths"):
        RunFolder(tmp_path / "run", "demo", {}).table("t", {"a": [1], "b": [1, 2]})
