"""Large grids: rows from a stream, plans in what was recovered, and a run that goes on from its stages."""

import json

import pytest

from tabular_inversion.experiments import large_grids, mountain_car
from tabular_inversion.recovery.certified_rows import can_certify

pytest.importorskip("jinja2", reason="the extra report is not installed")


@pytest.mark.skipif(not can_certify(), reason="the extra scale is not installed")
def test_a_large_grid_is_recovered_row_by_row_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(large_grids, "LARGE", 100)
    steps = []
    folder = mountain_car.reproduce(tmp_path / "run", points=16, progress=lambda *each: steps.append(each))
    assert steps[-1] == (5, 5)
    results = json.loads((folder.path / "results.json").read_text())
    facts, rows = results["facts"], {row["what"]: row["ours"] for row in results["comparisons"]}
    assert facts["states"] == 256
    assert facts["share of rows identified, position goals"] > 0.9
    assert rows["model NMSE, position goals against the truth"] < 1e-4
    assert rows["model NMSE, position goals against the truth, identified rows"] < 1e-9
    again = mountain_car.reproduce(tmp_path / "run", points=16)
    assert json.loads((again.path / "results.json").read_text())["comparisons"] == results["comparisons"]
