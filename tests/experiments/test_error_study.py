"""The error study: bounds hold, the radius is safe, and a run goes on where it stopped."""

import json

import numpy as np
import pytest

from tabular_inversion.errors import InputError
from tabular_inversion.experiments import error_study

SEEN = []
"""What the whole run told of its progress."""


@pytest.fixture(scope="module", autouse=True)
def tiny():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(error_study, "EFFORTS", {"quick": (2, 5)})
        patch.setattr(error_study, "LEVELS", np.array([1e-6, 1e-3]))
        yield


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """Run the study once, without a break."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    return error_study.reproduce(path, progress=lambda done, total: SEEN.append((done, total)))


def read(folder):
    with np.load(folder / "data" / "noise.npz") as file:
        return {name: file[name] for name in ("eps", "measured", "bound", "sigma")}


def test_measured_errors_stay_below_their_bounds(whole):
    results = json.loads((whole.path / "results.json").read_text())
    assert results["facts"]["measured errors above their bound"] == 0
    numbers = {row["what"]: row["ours"] for row in results["comparisons"]}
    assert numbers["smallest bound / measured error"] >= 1
    assert numbers["rows matched wrongly below the radius"] == 0
    data = read(whole.path)
    assert (data["measured"] > 0).all()
    small, large = (data["measured"][data["eps"] == eps].mean() for eps in (1e-6, 1e-3))
    assert 100 < large / small < 10_000, "the error is of the order of the noise"
    for name in ("figures/errors.png", "figures/errors.svg", "report.html", "data/matching.csv"):
        assert (whole.path / name).stat().st_size > 200
    assert SEEN[-1] == (4, 4)


def test_a_run_that_was_killed_ends_like_one_that_was_not(whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(error_study, "_match", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            error_study.reproduce(tmp_path / "killed")
    assert not (tmp_path / "killed" / "results.json").exists()
    again = error_study.reproduce(tmp_path / "killed")
    for name in ("noise", "goals", "discount", "matching"):
        csv = f"data/{name}.csv"
        assert (again.path / csv).read_bytes() == (whole.path / csv).read_bytes()


def test_beyond_the_radius_rows_do_go_wrong():
    table = error_study._match(2, [0])["table"]
    assert (table[table[:, 1] < 1, 2] == 0).all()
    assert (table[table[:, 1] > 8, 2] > 0).any(), "noise that never matters would prove nothing"


def test_a_folder_of_another_seed_is_refused(whole):
    with pytest.raises(InputError, match="other settings"):
        error_study.reproduce(whole.path, seed=1)
