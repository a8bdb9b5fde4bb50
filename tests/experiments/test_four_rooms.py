"""FourRooms end to end at a tiny size: what is written, that it repeats, and that an interrupted run goes on."""

import csv
import json

import numpy as np
import pytest

from tabular_inversion import Stochastic, invert, solve, storage, value_equivalence
from tabular_inversion.environments import four_rooms
from tabular_inversion.errors import InputError
from tabular_inversion.experiments import four_rooms_published as published
from tabular_inversion.experiments.four_rooms import reproduce
from tabular_inversion.experiments.four_rooms_agents import Q_ERROR, mse, recovered_world
from tabular_inversion.experiments.four_rooms_cases import Case, Effort, states_of, unseen_goals
from tabular_inversion.experiments.four_rooms_classes import largest_mse
from tabular_inversion.experiments.four_rooms_figures import trajectories
from tabular_inversion.experiments.four_rooms_published import UnseenTask
from tabular_inversion.experiments.run_folder import RunFolder
from tabular_inversion.learning import QLearner, Simulator
from tabular_inversion.planning import plan

TINY = Effort("tiny", 2, (3_000, 6_000), (("deterministic", 1), ("teleport", 68)))
# With so many goals hardly anything is left open, which makes this the quickest.
LEAN = Effort("lean", 2, (1_000, 2_000), (("deterministic", 68), ("teleport", 68)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return reproduce(tmp_path_factory.mktemp("runs") / "whole", effort=TINY, workers=1).path


@pytest.fixture
def without_figures(monkeypatch):
    """Drawing takes longest, and no number depends on it."""
    monkeypatch.setattr(RunFolder, "figure", lambda *_: None)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "figure", lambda *_: None)
        return data_of(reproduce(tmp_path_factory.mktemp("runs") / "unbroken", effort=LEAN, workers=1).path)


def data_of(path):
    """Return everything that was measured: tables as bytes, and results without times and memory."""
    tables = {file.name: file.read_bytes() for file in (path / "data").glob("*.csv")}
    results = json.loads((path / "results.json").read_text())
    stages = {file.name: storage.read(file, "experiment-stage")[0] for file in (path / "stages").glob("*.npz")}
    arrays = {(stage, key): values.tobytes() for stage, found in stages.items() for key, values in found.items()}
    return tables, {key: results[key] for key in ("comparisons", "differences", "facts", "settings")}, arrays


def test_a_run_writes_everything(finished):
    results = json.loads((finished / "results.json").read_text())
    assert (finished / "report.html").stat().st_size > 10_000
    assert {file.stem for file in (finished / "figures").glob("*.png")} == {"errors", "returns", "trajectories"}
    rows = [row for row in results["comparisons"] if "deterministic, 1 goal (deterministic): MSE" in row["what"]]
    assert [row["published"] for row in rows] == [0.0]
    assert rows[0]["what"].endswith("MSE after 0.006M steps (published: 8M)")
    with (finished / "data" / "errors.csv").open() as stream:
        table = list(csv.DictReader(stream))
    # 2 seeds, 2 measurements, and 3 + 2 states of knowledge
    assert len(table) == 2 * 2 * (3 + 2)
    assert {row["published"] for row in table} == {"nan"}
    assert results["facts"]["at or below the published error at the end, where exact values identify the kernel"] == (
        "0 of 3"
    )
    assert sum("Not identified" in row["note"] for row in results["comparisons"]) == 2
    assert not list((finished / "stages").glob("*.checkpoint.npz"))
    assert set(results["seconds"]) == {"this run", *(file.stem for file in (finished / "stages").iterdir())}


def test_errors_in_the_table_are_those_of_the_agents(finished):
    kept = storage.read(finished / "stages" / f"{Case('teleport', 68, 1).name}.npz", "experiment-stage")[0]
    with (finished / "data" / "errors.csv").open() as stream:
        rows = [
            float(row["mse"])
            for row in csv.DictReader(stream)
            if (row["variant"], row["seed"], row["knowledge"]) == ("teleport", "1", "stochastic")
        ]
    np.testing.assert_array_equal(rows, kept["mse stochastic"])


def test_the_last_error_is_that_of_a_learner_trained_at_once(finished):
    case = Case("teleport", 68, 0)
    kept = storage.read(finished / "stages" / f"{case.name}.npz", "experiment-stage")[0]
    learner = QLearner(Simulator(case.world), case.goals, 0.99, seed=0)
    learner.run(int(kept["steps"][-1]))
    for name, kernel_class in case.knowledge.items():
        np.testing.assert_allclose(
            invert(learner.agent, kernel_class).mse(case.world), kept[f"mse {name}"][-1], rtol=1e-9
        )
    assert kept[Q_ERROR][-1] == np.abs(learner.agent.q - solve(case.world, case.goals).q).max()


@pytest.mark.parametrize("saves", [1, 6])
def test_an_interrupted_run_goes_on_to_the_same_results(unbroken, without_figures, tmp_path, monkeypatch, saves):
    save, run, made, trained = QLearner.save, QLearner.run, [], []

    def interrupted(self, path):
        if len(made) == saves:
            raise KeyboardInterrupt
        made.append(path)
        save(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(QLearner, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reproduce(tmp_path / "run", effort=LEAN, workers=1)
    assert not (tmp_path / "run" / "results.json").exists()
    monkeypatch.setattr(QLearner, "run", lambda self, steps, **rest: trained.append(steps) or run(self, steps, **rest))
    assert data_of(reproduce(tmp_path / "run", effort=LEAN, workers=1).path) == unbroken
    assert len(trained) == 8 - saves, "measurements that were kept are made again"


def test_several_processes_give_the_same_results(unbroken, without_figures, tmp_path):
    assert data_of(reproduce(tmp_path / "run", effort=LEAN, workers=2).path) == unbroken


def test_other_settings_and_wrong_calls_are_refused(finished, tmp_path):
    with pytest.raises(InputError, match="other settings"):
        reproduce(finished, effort=TINY, seed=1)
    with pytest.raises(InputError, match="expected one of quick, standard, full"):
        reproduce(tmp_path / "run", effort="heroic")
    with pytest.raises(InputError, match="at least 0"):
        reproduce(tmp_path / "run", seed=-1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("variant", published.MSE)
def test_published_cells_are_free_and_unsafe_ones_are_what_the_paper_names(variant):
    world = four_rooms(variant)
    doors = {(3, 5), (7, 5), (5, 3), (5, 8)}
    teleporters = {(4, 4), (4, 6), (6, 4), (6, 6)}
    for task in published.UNSEEN[variant]:
        cells = (task.goal, *task.unsafe, *published.STARTS)
        named = [world.state_name(state) for state in states_of(world, cells)]
        assert named == [f"({row},{column})" for row, column in cells]
        assert set(task.unsafe) <= doors or set(task.unsafe) == teleporters
    with pytest.raises(InputError, match="wall"):
        states_of(world, ((5, 5),))


def test_optimal_ways_avoid_unsafe_cells_where_they_can():
    case = Case("deterministic", 1, 0)
    best = plan(case.world, case.unseen_goals)
    lengths = []
    for g, task in enumerate(case.unseen):
        unsafe = states_of(case.world, task.unsafe)
        for way in trajectories(case, best.policy[g].argmax(axis=1), g):
            assert way[-1] == states_of(case.world, (task.goal,))[0]
            lengths.append((len(way) - 1, int(np.isin(way, unsafe).sum())))
    # To (9,1) from (1,1) around three rooms; to (9,9) from (1,1) both doors are unsafe, and one is crossed.
    assert lengths == [(22, 0), (3, 0), (16, 1), (9, 0)]


def test_the_return_of_a_way_is_its_discounted_rewards():
    case = Case("deterministic", 1, 0)
    best = plan(case.world, case.unseen_goals)
    for g in range(2):
        for way in trajectories(case, best.policy[g].argmax(axis=1), g):
            rewards = case.unseen_goals.rewards[g, way[1:]]
            total = (0.99 ** np.arange(len(rewards)) * rewards).sum()
            np.testing.assert_allclose(total, best.values[g, way[0]], atol=1e-12)


def test_a_task_on_a_wall_is_refused():
    with pytest.raises(InputError, match="wall or outside"):
        unseen_goals(four_rooms(), (UnseenTask((0, 0), ()),))


@pytest.mark.parametrize("variant", published.MSE)
def test_every_state_of_knowledge_is_true_of_its_variant(variant):
    case = Case(variant, 2, 0)
    for name, kernel_class in case.knowledge.items():
        assert value_equivalence(solve(case.world, case.goals), kernel_class).contains(case.world).all(), name


def test_the_largest_error_bounds_members_and_is_zero_when_identified():
    case = Case("windy", 4, 0)
    agent = solve(case.world, case.goals)
    sets = value_equivalence(agent, case.knowledge["successors known"])
    assert largest_mse(sets, case.world) < 1e-20
    few = solve(case.world, case.goals.select([0]))
    sets = value_equivalence(few, case.knowledge["neighbours only"])
    bound = largest_mse(sets, case.world)
    members = [*sets.sample(3, seed=0), recovered_world(few, case.knowledge["neighbours only"]).kernel]
    errors = [float(((member - case.world.kernel) ** 2).mean()) for member in members]
    assert 0 < max(errors) < bound
    assert mse(case.world, four_rooms("deterministic")) > 0


def test_more_goals_of_a_seed_contain_the_fewer():
    np.testing.assert_array_equal(Case("windy", 4, 3).goals.rewards[:2], Case("windy", 2, 3).goals.rewards)
    assert not np.array_equal(Case("windy", 2, 0).goals.rewards, Case("windy", 2, 1).goals.rewards)
    assert list(Case("teleport", 5, 0).knowledge.values())[-1] == Stochastic()
