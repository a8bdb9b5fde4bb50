"""The MountainCar experiment end to end at a tiny size, and that an interrupted run ends as an unbroken one."""

import json

import numpy as np
import pytest

from tabular_inversion import solve, storage
from tabular_inversion.errors import InputError
from tabular_inversion.experiments import continuous, continuous_stages, mountain_car
from tabular_inversion.experiments.run_folder import KIND

POINTS = 18


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "unbroken"
    told = []
    folder = mountain_car.reproduce(path, points=POINTS, seed=3, progress=lambda *done: told.append(done))
    assert folder.path == path
    assert (path / "report.html").is_file()
    assert told == [(i, 10) for i in range(1, 11)]
    return path


def results_of(path):
    return json.loads((path / "results.json").read_text(encoding="utf-8"))


def stage_of(path, name):
    return storage.read(path / "stages" / f"{name}.npz", KIND)[0]


def test_every_published_number_is_there_once_beside_ours(unbroken):
    rows = results_of(unbroken)["comparisons"]
    shown = {row["what"]: row["published"] for row in rows}
    assert len(shown) == len(rows)
    expected = [0.00017, 0.0072, 0.0073, 0.1, 0.0067, 0.436, 0.357, 0.377, 0.308, 0.625, 0.591]
    assert set(expected) <= {number for number in shown.values() if number is not None}
    assert all(np.isfinite(row["ours"]) for row in rows)


def test_identified_rows_are_recovered_and_the_others_lie_on_the_known_cells(unbroken):
    rows = {row["what"]: row["ours"] for row in results_of(unbroken)["comparisons"]}
    for task in ("position", "velocity"):
        assert rows[f"model NMSE, {task} goals against the truth, identified rows"] < 1e-8
        assert (
            rows[f"model NMSE, {task} goals against the truth"] < rows["model NMSE of known cells without any values"]
        )


def test_plans_in_the_recovered_worlds_are_as_good_as_optimal_ones(unbroken):
    planned = stage_of(unbroken, "unseen")
    assert planned["returns"].shape == (3, 3, 512)
    assert planned["shortfall"][0].max() < 1e-8  # the true world against itself
    found = planned["returns"].mean(axis=2)
    np.testing.assert_allclose(found[1:], np.broadcast_to(found[0], (2, 3)), atol=0.02)


def test_robust_intervals_hold_the_optimal_values(unbroken):
    world = mountain_car.MOUNTAIN_CAR.mdp(POINTS)
    for i, task in enumerate(mountain_car.STUDY.unseen):
        best = solve(world, mountain_car.MOUNTAIN_CAR.goals(task, world)).v[0]
        for trained in mountain_car.STUDY.training:
            ranges = stage_of(unbroken, f"robust-{trained}")
            slack = 1e-7 + ranges["error"][i]
            assert (ranges["lower"][i] <= best + slack).all()
            assert (ranges["upper"][i] >= best - slack).all()


def test_worse_agents_give_worse_worlds(unbroken):
    coarse = stage_of(unbroken, "coarse")
    early = coarse["stopped_early"]
    assert coarse["q_nmse"][early].argmin() == early.sum() - 1
    assert (np.diff(coarse["q_nmse"][~early]) > 0).all()
    assert coarse["variation"][~early][-1] > 10 * coarse["variation"][~early][0]


def test_figures_and_data_are_written(unbroken):
    for name in ("identified", "motion", "coarse", "unseen", "robust"):
        for ending in ("png", "svg"):
            assert (unbroken / "figures" / f"{name}.{ending}").stat().st_size > 1000
    for name in ("states", "coarse", "returns"):
        assert (unbroken / "data" / f"{name}.csv").is_file()


def test_an_interrupted_run_goes_on_to_the_same_results(unbroken, tmp_path, monkeypatch):
    path = tmp_path / "resumed"

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(continuous, "plan_unseen", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mountain_car.reproduce(path, points=POINTS, seed=3)
    assert not (path / "results.json").exists()
    kept = {file.name for file in (path / "stages").iterdir()}
    assert "inversion-velocity.npz" in kept
    assert "unseen.npz" not in kept
    with monkeypatch.context() as patch:
        # What was finished is read: neither an agent nor its rows are computed again.
        patch.setattr(continuous_stages, "solve_task", interrupted)
        patch.setattr(continuous_stages, "judge_rows", interrupted)
        patch.setattr(continuous, "coarse_agents", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mountain_car.reproduce(path, points=POINTS, seed=3)
    assert (path / "stages" / "unseen.npz").is_file()
    mountain_car.reproduce(path, points=POINTS, seed=3)
    first, second = results_of(unbroken), results_of(path)
    assert first["comparisons"] == second["comparisons"]
    assert first["facts"] == second["facts"]


def test_other_efforts_seeds_and_settings_are_refused(unbroken, tmp_path):
    with pytest.raises(InputError, match="seed"):
        mountain_car.reproduce(tmp_path / "run", points=POINTS, seed=-1)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="quick, standard, full"):
        mountain_car.reproduce(unbroken, effort="huge")
    with pytest.raises(InputError, match="other settings"):
        mountain_car.reproduce(unbroken, points=POINTS, seed=4)
