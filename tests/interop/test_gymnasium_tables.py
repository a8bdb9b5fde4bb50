"""Gymnasium's tables against gymnasium's own code, both ways."""

from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import registry
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from tabular_inversion import MDP, Goals
from tabular_inversion.bellman import solve
from tabular_inversion.environments import Environment, chain, random_mdp
from tabular_inversion.errors import (
    GoalsError,
    ShapeError,
)
from tabular_inversion.interop import from_gymnasium, to_gymnasium_table

TABULAR = [
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("FrozenLake-v1", {"map_name": "8x8", "is_slippery": False}),
    ("FrozenLake-v1", {"success_rate": 0.7, "reward_schedule": (5, -2, 0.1)}),
    ("FrozenLake8x8-v1", {}),
    ("CliffWalking-v1", {}),
    ("CliffWalkingSlippery-v1", {}),
    ("Taxi-v4", {}),
    ("Taxi-v4", {"is_rainy": True}),
]


def invented(table: Any, **attributes: Any) -> SimpleNamespace:
    """Return the least that an environment with a table is."""
    return SimpleNamespace(P=table, **attributes)


def optimal_values(table: Any, discount: float) -> np.ndarray:
    """Iterate gymnasium's own task on gymnasium's own table, transition by transition."""
    values = np.zeros(len(table))
    for _ in range(2000):
        new = np.array([
            max(sum(p * (r + discount * (not end) * values[t]) for p, t, r, end in outcomes)
                for outcomes in table[s].values())
            for s in range(len(table))
        ])  # fmt: skip
        if np.abs(new - values).max() < 1e-13:
            break
        values = new
    return values


def native_values(found: Environment) -> np.ndarray:
    """Return the optimal values of the native goal."""
    assert found.native_goals is not None
    return solve(found.mdp, found.native_goals).v[0]


@pytest.mark.parametrize(("name", "arguments"), TABULAR)
@pytest.mark.parametrize("terminal", ["absorb", "continue"])
def test_every_row_is_the_row_of_the_table(name: str, arguments: dict[str, Any], terminal: Any) -> None:
    table = gymnasium.make(name, **arguments).unwrapped.P  # type: ignore[attr-defined]
    found = from_gymnasium(name, discount=0.9, terminal=terminal, **arguments)
    assert found.name == name
    kernel = np.zeros(found.mdp.shape)
    means = np.zeros(found.mdp.shape[:2])
    ends = {int(t) for s in table for a in table[s] for p, t, _, end in table[s][a] if end and p > 0}
    for s in table:
        for a in table[s]:
            if terminal == "absorb" and s in ends:
                kernel[s, a, s] = 1.0
                continue
            for p, t, reward, _ in table[s][a]:
                kernel[s, a, t] += p
                means[s, a] += p * reward
    np.testing.assert_array_equal(found.mdp.dense().kernel, kernel)
    assert found.mdp.available.all()
    goals = found.native_goals
    assert goals is not None
    assert goals.action_rewards is not None
    assert goals.n_goals == 1
    np.testing.assert_array_equal(goals.rewards, 0.0)
    np.testing.assert_array_equal(goals.action_rewards[0], means)
    assert set(np.flatnonzero(goals.continuation[0] == 0)) == ends
    assert set(np.unique(goals.continuation)) == {0.0, 1.0}


def visited_by_episodes(environment: Any) -> set[int]:
    """Return the states in which gymnasium's episodes act, walking over the table from its starts."""
    table = environment.P
    found = {int(s) for s in np.flatnonzero(environment.initial_state_distrib)}
    waiting = list(found)
    while waiting:
        for outcomes in table[waiting.pop()].values():
            new = {int(t) for p, t, _, end in outcomes if p > 0 and not end} - found
            found |= new
            waiting += new
    return found


@pytest.mark.parametrize(("name", "arguments"), TABULAR)
@pytest.mark.parametrize("terminal", ["absorb", "continue"])
def test_the_native_goal_has_gymnasiums_values(name: str, arguments: dict[str, Any], terminal: Any) -> None:
    environment: Any = gymnasium.make(name, **arguments).unwrapped
    found = from_gymnasium(name, discount=0.9, terminal=terminal, **arguments)
    states = sorted(visited_by_episodes(environment))
    assert len(states) > 10
    expected = optimal_values(environment.P, 0.9)
    # The iteration on the table ends within 1e-13 / (1 - 0.9) of its limit, and values reach 100.
    np.testing.assert_allclose(native_values(found)[states], expected[states], rtol=1e-11, atol=1e-11)


def test_known_values() -> None:
    """The shortest way along the cliff has 13 steps of reward -1; the shortest over the dry lake has 6."""
    cliff = from_gymnasium("CliffWalking-v1", discount=0.9)
    np.testing.assert_allclose(native_values(cliff)[36], -(1 - 0.9**13) / 0.1, rtol=1e-12)
    lake = from_gymnasium("FrozenLake-v1", discount=0.9, is_slippery=False)
    np.testing.assert_allclose(native_values(lake)[0], 0.9**5, rtol=1e-12)


def test_taxi_enters_terminal_states_unflagged_only_outside_episodes() -> None:
    environment: Any = gymnasium.make("Taxi-v4").unwrapped
    table = environment.P
    outcomes = [(s, t, end) for s in table for a in table[s] for _, t, _, end in table[s][a]]
    ends = {t for _, t, end in outcomes if end}
    assert ends == {0, 85, 410, 475}
    assert ends == {t for _, t, end in outcomes if not end} & ends
    assert not visited_by_episodes(environment) & ends


def test_cliff_walking_absorbs_its_goal_and_continues_when_told() -> None:
    absorbed = from_gymnasium("CliffWalking-v1", discount=0.9)
    np.testing.assert_array_equal(absorbed.mdp.dense().kernel[47, :, 47], 1.0)
    assert absorbed.native_goals is not None
    assert absorbed.native_goals.action_rewards is not None
    np.testing.assert_array_equal(absorbed.native_goals.action_rewards[0, 47], 0.0)
    kept = from_gymnasium("CliffWalking-v1", discount=0.9, terminal="continue")
    assert kept.mdp.dense().kernel[47, 0, 35] == 1.0
    assert kept.mdp.dense().kernel[47, 3, 36] == 1.0  # left of the goal is the cliff, which leads to the start


def test_frozen_lake_absorbs_by_itself() -> None:
    first, second = (from_gymnasium("FrozenLake-v1", discount=0.9, terminal=way) for way in ("absorb", "continue"))
    assert first.mdp == second.mdp
    assert first.native_goals == second.native_goals


def test_duplicate_successors_are_summed() -> None:
    """In the corner of the lake, left slips up or down: two of three outcomes stay."""
    mdp = from_gymnasium("FrozenLake-v1", discount=0.9).mdp
    np.testing.assert_allclose(mdp.dense().kernel[0, 0, [0, 4]], [2 / 3, 1 / 3], rtol=1e-15)
    assert mdp.n_successors[0, 0] == 2


def test_all_tabular_environments_are_known() -> None:
    found = set()
    for name, spec in registry.items():
        if "toy_text" in str(spec.entry_point):
            environment = gymnasium.make(name)
            if isinstance(getattr(environment.unwrapped, "P", None), dict):
                found.add(name)
            environment.close()
    assert found >= {name for name, _ in TABULAR}
    for name in found:
        assert from_gymnasium(name, discount=0.9).native_goals is not None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what other environments warn of while they are made is not ours
def test_no_other_environment_has_a_table() -> None:
    tabular = set()
    for name, spec in registry.items():
        try:
            environment = gymnasium.make(name)
        except (ImportError, gymnasium.error.Error):
            continue
        if hasattr(environment.unwrapped, "P"):
            tabular.add((name, "toy_text" in str(spec.entry_point)))
        environment.close()
    assert tabular
    assert all(toy for _, toy in tabular)


@pytest.mark.parametrize(("name", "arguments"), TABULAR)
@pytest.mark.parametrize("terminal", ["absorb", "continue"])
def test_there_and_back(name: str, arguments: dict[str, Any], terminal: Any) -> None:
    environment = gymnasium.make(name, **arguments)
    first = from_gymnasium(environment, discount=0.9, terminal=terminal)
    environment.unwrapped.P = to_gymnasium_table(first.mdp, first.native_goals)  # type: ignore[attr-defined]
    second = from_gymnasium(environment, discount=0.9, terminal=terminal)
    assert second.mdp == first.mdp
    assert first.native_goals is not None
    assert second.native_goals is not None
    np.testing.assert_array_equal(second.native_goals.continuation, first.native_goals.continuation)
    # Means are formed again from shares of the same number.
    np.testing.assert_allclose(
        second.native_goals.action_rewards, first.native_goals.action_rewards, rtol=4 * np.finfo(float).eps
    )


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 8), m=st.integers(1, 3), seed=st.integers(0, 10_000))
def test_any_world_there_and_back(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((n, m)) < 0.6
    mask[np.arange(n), rng.integers(m, size=n)] = True
    mask[0, m - 1] = True  # the table cannot show an action that no state has
    mdp = MDP(random_mdp(n, m, seed=rng).kernel * mask[..., None], 0.9, mask)
    found = from_gymnasium(invented(to_gymnasium_table(mdp)), discount=0.9, terminal="continue")
    assert found.mdp == mdp


@pytest.mark.parametrize(
    ("name", "mdp"),
    [
        ("FrozenLake-v1", random_mdp(16, 4, seed=0)),
        ("FrozenLake-v1", random_mdp(16, 4, branching=3, seed=1)),
        ("CliffWalking-v1", random_mdp(48, 4, branching=2, seed=2)),
        ("Taxi-v4", random_mdp(500, 6, branching=3, seed=3)),
    ],
)
def test_gymnasiums_own_step_follows_the_table(name: str, mdp: MDP) -> None:
    """Roll out 12,000 steps by gymnasium's own `step`: only possible transitions, with their rewards and flags."""
    kernel = mdp.dense().kernel
    generic = Goals.generic(mdp.n_states, 2, seed=4)
    goals = Goals(generic.rewards, Goals.indicator(mdp.n_states, [3, 5]).continuation)
    environment: Any = gymnasium.make(name).unwrapped
    environment.P = to_gymnasium_table(mdp, goals, 1)
    environment.reset(seed=0)
    rng = np.random.default_rng(0)
    counts = np.zeros(kernel.shape[:2])
    total = 0.0
    for _ in range(12_000):
        s, action = int(environment.s), int(rng.integers(mdp.n_actions))
        t, reward, terminated, truncated, _ = environment.step(action)
        assert kernel[s, action, t] > 0
        assert reward == goals.rewards[1, t]
        assert terminated == (t == 5)
        assert not truncated
        counts[s, action] += 1
        total += reward
        if terminated:
            environment.s = int(rng.integers(mdp.n_states))
    # The sum of rewards is, given where steps were taken, a sum of independent variables: five standard deviations.
    means, squares = mdp.expectation([goals.rewards[1], goals.rewards[1] ** 2])
    deviation = np.sqrt((counts * (squares - means**2)).sum())
    assert abs(total - (counts * means).sum()) < 5 * deviation


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4", "CliffWalkingSlippery-v1"])
def test_the_rewritten_table_behaves_like_the_original(name: str) -> None:
    """The same draws of gymnasium's own sampler: on worlds without duplicates episodes are equal step by step."""
    original: Any = gymnasium.make(name).unwrapped
    found = from_gymnasium(name, discount=0.9, terminal="continue")
    rewritten: Any = gymnasium.make(name).unwrapped
    rewritten.P = to_gymnasium_table(found.mdp, found.native_goals)
    seen = {
        (s, a, t): sum(p for p, arrival, _, _ in original.P[s][a] if arrival == t)
        for s in original.P
        for a in original.P[s]
        for _, t, _, _ in original.P[s][a]
    }
    again = {(s, a, t): p for s in rewritten.P for a in rewritten.P[s] for p, t, _, _ in rewritten.P[s][a]}
    assert again.keys() == seen.keys()
    np.testing.assert_allclose([again[key] for key in seen], list(seen.values()), rtol=1e-15)
    if name == "Taxi-v4":
        for environment in (original, rewritten):
            environment.reset(seed=5)
            environment.action_space.seed(5)
        for _ in range(500):
            action = original.action_space.sample()
            assert original.step(action)[:2] == rewritten.step(action)[:2]


def test_tables_without_goals() -> None:
    assert to_gymnasium_table(chain(2)) == {
        0: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.0, False)]},
        1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.0, False)]},
    }


def test_tables_leave_out_unavailable_actions_and_zeros() -> None:
    mdp = MDP([[[1.0, 0.0], [0.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]], 0.9, np.array([[True, False], [True, True]]))
    table = to_gymnasium_table(mdp)
    assert table[0] == {0: [(1.0, 0, 0.0, False)]}
    assert list(table[1]) == [0, 1]
    assert table == to_gymnasium_table(mdp.sparse())
    stored_zeros = csr_array(([1.0, 0.0, 0.5, 0.5, 1.0], [0, 1, 0, 1, 1], [0, 2, 2, 4, 5]), shape=(4, 2))
    assert table == to_gymnasium_table(MDP(stored_zeros, 0.9, mdp.available))


def test_tables_hold_plain_numbers() -> None:
    outcome = to_gymnasium_table(chain(2), Goals.indicator(2))[0][0][0]
    assert [type(value) for value in outcome] == [float, int, float, bool]


def test_rewards_of_actions_are_added() -> None:
    goals = Goals([[0.0, 3.0]], action_rewards=[[[10.0, 20.0], [30.0, 40.0]]])
    table = to_gymnasium_table(chain(2), goals)
    assert table[0][1] == [(1.0, 1, 23.0, False)]
    assert table[1][0] == [(1.0, 0, 30.0, False)]


@pytest.mark.parametrize(
    ("goals", "goal", "error", "message"),
    [
        (Goals.indicator(3), 0, ShapeError, "on 3 states and the world has 2"),
        (Goals.indicator(2), 2, GoalsError, "goals contains 2"),
        (Goals([[0.0, 1.0]], [[1.0, 0.5]]), 0, GoalsError, "goal 0 has continuation 0.5 at state 1"),
        (Goals([[0.0, 1.0]], action_rewards=[[[1.0], [1.0]]]), 0, ShapeError, "for 1 actions and the world has 2"),
    ],
)
def test_bad_goals(goals: Goals, goal: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        to_gymnasium_table(chain(2), goals, goal)
