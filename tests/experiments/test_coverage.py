"""The coverage study at a tiny size: what it finds, that it goes on where it stopped, that it sees narrow intervals."""

import json

import numpy as np
import pytest

from tabular_inversion.ensembles import EnsembleInversion
from tabular_inversion.environments import river_swim
from tabular_inversion.experiments import coverage


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(coverage, "EFFORTS", {"quick": 40})
    monkeypatch.setattr(coverage, "BATCH", 20)
    monkeypatch.setattr(coverage, "COMPARED", 1)
    monkeypatch.setattr(coverage, "worlds", lambda: {"RiverSwim": (lambda: river_swim(4), (30, 90))})


def read(folder):
    with np.load(folder.path / "data" / "coverage.npz") as file:
        return {name: file[name] for name in coverage.MEASURES}


@pytest.mark.usefixtures("tiny")
def test_a_run_measures_resumes_and_reports(tmp_path, monkeypatch):
    whole = coverage.reproduce(tmp_path / "whole")
    table = read(whole)
    assert len(table["steps"]) == 3 * 2 * 2
    assert 0.7 < table["coverage 0.9"].mean() < 1.0
    assert (table["coverage 0.5"] <= table["coverage 0.95"]).all()
    assert (table["error, ensemble"] < table["error, simplex"]).mean() > 0.9
    assert (table["error, drawn to prior"] < 1.1 * table["error, simplex"]).all()
    assert (table["error, simplex"] < table["bound T3d"]).all()
    results = json.loads((whole.path / "results.json").read_text())
    assert results["facts"] == {"seeds": 40, "ensembles of": 10}
    for name in ("figures/coverage.png", "figures/estimators.svg", "report.html"):
        assert (whole.path / name).stat().st_size > 200

    measure, calls = coverage.measure, []

    def stops(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(coverage, "measure", stops)
    with pytest.raises(KeyboardInterrupt):
        coverage.reproduce(tmp_path / "killed")
    again = read(coverage.reproduce(tmp_path / "killed"))
    assert len(calls) == 7, "three stages were kept, the fourth was begun twice"
    for name, column in table.items():
        np.testing.assert_array_equal(again[name], column)


def test_intervals_that_are_too_narrow_are_seen(monkeypatch):
    right = coverage.measure(lambda: river_swim(4), "fitted-q", (300,), 60, [0])["table"][0]
    interval = EnsembleInversion.interval
    monkeypatch.setattr(EnsembleInversion, "interval", lambda self, level: interval(self, 0.4 * level))
    narrow = coverage.measure(lambda: river_swim(4), "fitted-q", (300,), 60, [0])["table"][0]
    place = coverage.MEASURES.index("coverage 0.95")
    assert right[place] > 0.85
    assert narrow[place] < 0.7
