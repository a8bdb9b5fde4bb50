"""The Reacher experiment end to end at a tiny size, and that an interrupted run ends as an unbroken one."""

import json

import numpy as np
import pytest

from tabular_inversion import solve, storage
from tabular_inversion.errors import GoalsError, InputError
from tabular_inversion.experiments import continuous, continuous_stages, reacher
from tabular_inversion.experiments.run_folder import KIND
from tabular_inversion.identifiability import Status

POINTS = (12, 2)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "unbroken"
    told = []
    folder = reacher.reproduce(path, points=POINTS, seed=3, progress=lambda *done: told.append(done))
    assert folder.path == path
    assert (path / "report.html").is_file()
    assert told == [(i, 6) for i in range(1, 7)]
    return path


def results_of(path):
    return json.loads((path / "results.json").read_text(encoding="utf-8"))


def stage_of(path, name):
    return storage.read(path / "stages" / f"{name}.npz", KIND)[0]


def test_every_published_number_is_there_beside_ours(unbroken):
    rows = results_of(unbroken)["comparisons"]
    shown = {row["what"]: row["published"] for row in rows}
    assert len(shown) == len(rows)
    expected = [0.57, 0.00012, 0.712, 0.708, 0.679, 0.673, 0.652, 0.647]
    assert set(expected) <= {number for number in shown.values() if number is not None}
    assert all(np.isfinite(row["ours"]) for row in rows)


def test_identified_rows_are_recovered_and_the_world_beats_the_one_without_values(unbroken):
    results = results_of(unbroken)
    rows = {row["what"]: row["ours"] for row in results["comparisons"]}
    assert rows["model NMSE, position goals against the truth, identified rows"] < 1e-8
    assert rows["model NMSE, position goals against the truth"] < rows["model NMSE of known cells without any values"]
    assert results["facts"]["rows"] == 12**2 * 2**2 * 9
    assert results["facts"]["position goals: rows identified"] > 0.9 * results["facts"]["rows"]


def test_robust_intervals_hold_the_optimal_values_and_those_of_plans(unbroken):
    ranges = stage_of(unbroken, "robust-position")
    arm, _ = reacher.on_grid(POINTS)
    world = arm.mdp(POINTS[0])
    for i, task in enumerate(reacher.STUDY.unseen):
        best = solve(world, arm.goals(task, world)).v[0]
        slack = 1e-7 + ranges["error"][i]
        assert (ranges["lower"][i] <= best + slack).all()
        assert (ranges["upper"][i] >= best - slack).all()


def test_plans_in_the_recovered_world_lose_at_most_the_width_of_the_interval(unbroken):
    planned, ranges = stage_of(unbroken, "unseen"), stage_of(unbroken, "robust-position")
    widths = (ranges["upper"] - ranges["lower"]).max(axis=1)
    assert planned["shortfall"][0].max() < 1e-8
    assert (planned["believed"][1] <= widths + ranges["error"] + 1e-7).all()
    assert (planned["value"][1] <= planned["value"][0] + 1e-8).all()


def test_figures_and_data_are_written(unbroken):
    for name in ("identified", "coarse", "unseen", "robust"):
        for ending in ("png", "svg"):
            assert (unbroken / "figures" / f"{name}.{ending}").stat().st_size > 1000
    for name in ("open_rows", "coarse", "returns", "robust"):
        assert (unbroken / "data" / f"{name}.csv").is_file()


def test_an_interrupted_run_goes_on_to_the_same_results(unbroken, tmp_path, monkeypatch):
    path = tmp_path / "resumed"

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(continuous, "plan_unseen", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reacher.reproduce(path, points=POINTS, seed=3)
    assert not (path / "results.json").exists()
    assert {file.stem for file in (path / "stages").iterdir()} == {
        "agent-position",
        "inversion-position",
        "identifiability-position",
    }
    with monkeypatch.context() as patch:
        patch.setattr(continuous_stages, "solve_task", interrupted)
        reacher.reproduce(path, points=POINTS, seed=3)
    first, second = results_of(unbroken), results_of(path)
    assert first["comparisons"] == second["comparisons"]
    assert first["facts"] == second["facts"]


def test_grids_that_miss_a_goal_and_unknown_efforts_are_refused(unbroken, tmp_path):
    with pytest.raises(GoalsError, match="finer grid"):
        reacher.reproduce(tmp_path / "run", points=(8, 3))
    with pytest.raises(InputError, match="quick, standard, full"):
        reacher.reproduce(unbroken, effort="huge")
    with pytest.raises(InputError, match="other settings"):
        reacher.reproduce(unbroken, points=POINTS, seed=4)


def test_rows_with_two_pairs_of_mirrored_successors_stay_open(unbroken):
    """Reflection in the line through two opposite goals, with the joints swapped, exchanges the other two goals.

    The values of a state and of its image differ along (0, 1, 0, -1) or (1, 0, -1, 0) alone, so two such pairs among
    the successors of a row make four columns dependent.
    """
    arm, _ = reacher.on_grid(POINTS)
    world, grid = arm.mdp(POINTS[0]), arm.grid(POINTS[0])
    steps = np.rint((grid.coordinates - grid.coordinates[0]) / [axis.spacing for axis in grid.axes]).astype(int)
    mirrored = np.zeros(world.available.size, bool)
    turn, fastest = POINTS[0], POINTS[1] - 1
    for shift in (0, turn // 2):  # about the horizontal line, and about the vertical one
        first, second = (np.mod(shift - steps[:, i], turn) for i in (1, 0))
        image = np.ravel_multi_index((first, second, fastest - steps[:, 3], fastest - steps[:, 2]), grid.shape)
        rows = world.kernel
        owners = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        support = set(zip(owners.tolist(), rows.indices.tolist(), strict=True))
        moved = image[rows.indices] != rows.indices
        paired = [pair in support for pair in zip(owners.tolist(), image[rows.indices].tolist(), strict=True)]
        mirrored |= np.bincount(owners, weights=moved & paired, minlength=rows.shape[0]) >= 4
    status = stage_of(unbroken, "identifiability-position")["status"].ravel()
    assert mirrored.sum() == 48
    assert (status[mirrored] != Status.IDENTIFIED).all()
