"""Compiled sweeps: they agree with exact arithmetic and with the way without numba, and prove nothing by themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP, Goals, solve
from tabular_inversion.bellman import policy_iteration, sweeps
from tabular_inversion.environments import MOUNTAIN_CAR, chain
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact import solve as solve_exactly

pytest.importorskip("numba", reason="the extra scale is not installed")


def local_world(rng, discount, *, n_states=7, n_actions=3):
    """Return a sparse world whose rows lead nearby, with masks, self-loops, rare probabilities and uneven goals."""
    kernel = np.zeros((n_states, n_actions, n_states))
    for state, action in np.ndindex(n_states, n_actions):
        reach = rng.integers(max(0, state - 2), min(n_states, state + 3), 3)
        rare = 2.0 ** -int(rng.integers(2, 12))
        np.add.at(kernel[state, action], reach, [1.0 - 2.0 * rare, rare, rare])
    available = rng.random((n_states, n_actions)) < 0.8
    available[:, 0] = True
    kernel[~available] = 0.0
    n_goals = int(rng.integers(1, 6))
    rewards = np.round(8 * rng.normal(size=(n_goals, n_states))) / 8 * 2.0 ** rng.integers(-9, 10, (n_goals, 1))
    continuation = np.where(rng.random(rewards.shape) < 0.3, 0.0, 1.0)
    extra = np.round(4 * rng.normal(size=(n_goals, n_states, n_actions))) / 4 if rng.random() < 0.5 else None
    return MDP(kernel, discount, available).sparse(), Goals(rewards, continuation, extra)


@pytest.fixture
def small_worlds_too(monkeypatch):
    monkeypatch.setattr(sweeps, "_LEAST_STATES", 1)
    monkeypatch.setattr(sweeps, "_LOCAL", 1.0)
    # Small worlds are solved densely, however they are given.
    monkeypatch.setattr(policy_iteration, "suited_form", lambda world: world)


@pytest.mark.usefixtures("small_worlds_too")
@pytest.mark.parametrize("discount", [0.0, 0.5, 0.96875, 0.999])
def test_swept_values_are_those_of_fractions(discount, monkeypatch):
    calls = []
    monkeypatch.setattr(policy_iteration, "swept", lambda *each: calls.append(each) or sweeps.swept(*each))
    for seed in range(8):
        world, goals = local_world(np.random.default_rng(seed), discount)
        agent = solve(world, goals)
        assert len(calls) == seed + 1
        exact = solve_exactly(ExactMDP.from_float(world), ExactGoals.from_float(goals))
        truth = np.array(exact.q, dtype=float)
        error = np.abs(agent.q - truth)[:, world.available].max(axis=1)
        assert (error <= np.array(agent.report.goal_errors) + 1e-15 * np.nanmax(np.abs(truth))).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), discount=st.sampled_from([0.0, 0.3, 0.9, 0.99]), size=st.integers(2, 60))
def test_both_ways_agree_however_many_goals_are_swept_together(seed, discount, size):
    world, goals = local_world(np.random.default_rng(seed), discount, n_states=size)
    part = sweeps.Problem.of(world, goals)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps, "_WORTH", np.inf)  # to the end, however long it takes
        patch.setattr(sweeps, "_MOST_SWEEPS", 10**5)
        found = sweeps.swept(part, 1e-14)
        alone = np.concatenate([sweeps.swept(part.select(slice(g, g + 1)), 1e-14) for g in range(goals.n_goals)])
    other = solve(world, goals, method="dense").test_matrix
    scale = np.abs(other).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, other / scale, atol=1e-9)
    np.testing.assert_allclose(found / scale, alone / scale, atol=1e-10)


@pytest.mark.usefixtures("small_worlds_too")
@pytest.mark.parametrize("wrong", [0.0, 1e9, -1e9])
def test_wrong_sweeps_are_mended_and_never_believed(monkeypatch, wrong):
    world, goals = local_world(np.random.default_rng(3), 0.9)
    truth = solve(world, goals, method="dense")
    monkeypatch.setattr(policy_iteration, "swept", lambda part, *_: np.full_like(part.rewards, wrong))
    agent = solve(world, goals)
    np.testing.assert_allclose(agent.q[:, world.available], truth.q[:, world.available], rtol=1e-9, atol=1e-9)


def test_without_numba_or_locality_nothing_is_swept(monkeypatch):
    grid = MOUNTAIN_CAR.mdp(150)
    goals = MOUNTAIN_CAR.goals("position", grid)
    part = sweeps.Problem.of(grid, goals)
    assert sweeps.can_sweep(part)
    order = np.random.default_rng(0).permutation(grid.n_states)
    mixed = sweeps.Problem.of(grid.permute_states(order), goals)
    assert not sweeps.can_sweep(mixed)
    assert not sweeps.can_sweep(sweeps.Problem.of(chain(5).sparse(), Goals.indicator(5)))
    monkeypatch.setattr(sweeps, "find_spec", lambda _: None)
    assert not sweeps.can_sweep(part)


def test_progress_is_told_before_goals_are_done(monkeypatch):
    grid = MOUNTAIN_CAR.mdp(150)
    ticks = []
    agent = solve(grid, MOUNTAIN_CAR.goals("position", grid), progress=lambda *each: ticks.append(each))
    assert agent.report.method == "sweeps"
    assert ticks[0] == (0, 4)
    assert ticks[-1] == (4, 4)
