"""Goals: constructors, refusals, and the laws of selecting, joining and renaming."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import Goals
from tabular_inversion.errors import GoalsError, ShapeError
from tabular_inversion.strategies import goals as drawn_goals

QUICK = settings(deadline=None, max_examples=50)


def nothing(goal: int, state: int) -> float:
    return 0.0


def undefined(goal: int, state: int) -> float:
    return float("nan")


@st.composite
def named_goals(draw: st.DrawFn, n_states: int = 3) -> Goals:
    goals = draw(drawn_goals(n_states, n_actions=draw(st.sampled_from([None, 2]))))
    names = draw(st.sampled_from([None, [f"goal {g}" for g in range(goals.n_goals)]]))
    return Goals(goals.rewards, goals.continuation, goals.action_rewards, names)


def test_the_episode_goes_on_by_default() -> None:
    goals = Goals([[1.0, 2.0]])
    assert goals.continuation.tolist() == [[1.0, 1.0]]
    assert goals.action_rewards is None
    assert (len(goals), goals.n_goals, goals.n_states) == (1, 1, 2)
    assert repr(goals) == "Goals(n_goals=1, n_states=2)"


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([[np.nan]],), GoalsError, "rewards has 1 entries that are not finite"),
        (([[np.inf]],), GoalsError, "rewards"),
        (([[1j]],), GoalsError, "complex"),
        (([["x"]],), GoalsError, "real numbers"),
        (([[1.0], [1.0, 2.0]],), GoalsError, "regular"),
        (([],), ShapeError, "rewards"),
        (([[]],), ShapeError, "rewards"),
        (([1.0],), ShapeError, "rewards"),
        (([[1.0, 2.0]], [[1.0]]), ShapeError, "continuation"),
        (([[1.0, 2.0]], [[1.0, 1.5]]), GoalsError, r"found 1\.5 at \(g, s\) = \(0, 1\)"),
        (([[1.0, 2.0]], [[1.0, -1e-9]]), GoalsError, "continuation lies in"),
        (([[1.0, 2.0]], [[1.0, np.nan]]), GoalsError, "continuation has"),
        (([[1.0, 2.0]], None, [[[1.0]]]), ShapeError, "action_rewards"),
        (([[1.0]], None, [[[np.nan]]]), GoalsError, "action_rewards"),
        (([[1.0]], None, None, ["a", "b"]), GoalsError, "2 entries; expected 1"),
        (([[1.0], [2.0]], None, None, ["a", "a"]), GoalsError, "repeats 'a'"),
    ],
)
def test_goals_that_are_none_are_refused(arguments: tuple[Any, ...], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Goals(*arguments)


@pytest.mark.parametrize("size", [1e300, 1e-300, 5e-324])
def test_rewards_of_every_finite_size_are_taken(size: float) -> None:
    assert Goals([[size, -size]]).rewards.tolist() == [[size, -size]]


def test_goals_are_read_only_and_do_not_share_memory() -> None:
    rewards = np.array([[1.0, 2.0]])
    goals = Goals(rewards, rewards / 2, rewards[:, :, None])
    rewards[:] = 9.0
    assert goals == Goals([[1.0, 2.0]], [[0.5, 1.0]], [[[1.0], [2.0]]])
    for array in (goals.rewards, goals.continuation, goals.action_rewards):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_equality() -> None:
    goals = Goals([[1.0, 2.0]], [[1.0, 0.0]], [[[1.0], [2.0]]], ["a"])
    assert goals == Goals([[1.0, 2.0]], [[1.0, 0.0]], [[[1.0], [2.0]]], ["a"])
    assert goals != Goals([[1.0, 3.0]], [[1.0, 0.0]], [[[1.0], [2.0]]], ["a"])
    assert goals != Goals([[1.0, 2.0]], None, [[[1.0], [2.0]]], ["a"])
    assert goals != Goals([[1.0, 2.0]], [[1.0, 0.0]], None, ["a"])
    assert goals != Goals([[1.0, 2.0]], [[1.0, 0.0]], [[[1.0], [3.0]]], ["a"])
    assert goals != Goals([[1.0, 2.0]], [[1.0, 0.0]], [[[1.0], [2.0]]])
    assert goals != Goals([[1.0, 2.0]] * 2)
    assert goals != "goals"
    with pytest.raises(TypeError):
        hash(goals)


def test_same_continuation() -> None:
    assert Goals([[1.0], [2.0]]).same_continuation
    assert not Goals.indicator(2).same_continuation
    assert Goals.indicator(2, terminating=False).same_continuation


@QUICK
@given(named_goals(), st.data())
def test_selecting_and_joining(goals: Goals, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(goals) - 1), min_size=1, max_size=4, unique=True))
    part = goals.select(chosen)
    np.testing.assert_array_equal(part.rewards, goals.rewards[chosen])
    np.testing.assert_array_equal(part.continuation, goals.continuation[chosen])
    assert part.names == (None if goals.names is None else tuple(goals.names[g] for g in chosen))
    assert goals.select(range(len(goals))) == goals
    assert goals.select(0) == goals.select([0])
    if len(goals) > 1:
        assert goals.select([0]).join(goals.select(range(1, len(goals)))) == goals


@QUICK
@given(named_goals(), st.permutations(range(3)), st.permutations(range(3)))
def test_renaming_states(goals: Goals, order: list[int], second: list[int]) -> None:
    renamed = goals.permute_states(order)
    np.testing.assert_array_equal(renamed.rewards, goals.rewards[:, order])
    np.testing.assert_array_equal(renamed.continuation, goals.continuation[:, order])
    if goals.action_rewards is not None:
        np.testing.assert_array_equal(renamed.action_rewards, goals.action_rewards[:, order])
    assert renamed.names == goals.names
    assert renamed.permute_states(np.argsort(order)) == goals
    assert renamed.permute_states(second) == goals.permute_states(np.array(order)[second])


@pytest.mark.parametrize("order", [[0, 1], [0, 0, 1], [0, 1, 2, 0], [0, 1, 3], [0.0, 1.0, 2.0], []])
def test_orders_that_are_no_permutation_are_refused(order: Any) -> None:
    with pytest.raises(GoalsError):
        Goals.generic(3, 2, seed=0).permute_states(order)


@pytest.mark.parametrize("chosen", [[], [2], [-1], [0.0], [True, False], "x"])
def test_choices_of_goals_that_are_none_are_refused(chosen: Any) -> None:
    with pytest.raises(GoalsError):
        Goals.generic(3, 2, seed=0).select(chosen)


def test_joins_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="on 2 and on 3 states"):
        Goals([[1.0, 2.0]]).join(Goals([[1.0, 2.0, 3.0]]))
    with pytest.raises(GoalsError, match="action rewards"):
        Goals([[1.0]]).join(Goals([[1.0]], None, [[[1.0]]]))
    with pytest.raises(ShapeError, match="actions"):
        Goals([[1.0]], None, [[[1.0]]]).join(Goals([[1.0]], None, [[[1.0, 2.0]]]))
    with pytest.raises(GoalsError, match="repeats 'a'"):
        Goals([[1.0]], names=["a"]).join(Goals([[1.0]], names=["a"]))
    assert Goals([[1.0]], names=["a"]).join(Goals([[2.0]])).names is None


def test_indicators() -> None:
    goals = Goals.indicator(3)
    np.testing.assert_array_equal(goals.rewards, np.eye(3))
    np.testing.assert_array_equal(goals.continuation, 1 - np.eye(3))
    assert Goals.indicator(3, [2, 0], terminating=False) == Goals([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert Goals.indicator(3, 1) == Goals.indicator(3, [1])
    for states in ([3], [-1], [], [0.5]):
        with pytest.raises(GoalsError, match="states"):
            Goals.indicator(3, states)


@pytest.mark.parametrize("size", [0, -1])
def test_constructors_refuse_a_world_without_states(size: int) -> None:
    for make in (
        lambda: Goals.indicator(size),
        lambda: Goals.generic(size, 1, seed=0),
        lambda: Goals.from_function(nothing, size, 1),
    ):
        with pytest.raises((GoalsError, ShapeError)):
            make()


def test_generic_goals_repeat_with_their_seed() -> None:
    goals = Goals.generic(4, 3, seed=7)
    assert goals == Goals.generic(4, 3, seed=np.random.default_rng(7))
    assert goals != Goals.generic(4, 3, seed=8)
    assert np.linalg.matrix_rank(goals.rewards) == 3
    for count in (0, -1):
        with pytest.raises(GoalsError, match="n_goals"):
            Goals.generic(4, count, seed=0)


def test_gaussians_by_hand() -> None:
    goals = Goals.gaussian([[0.0, 0.0], [3.0, 4.0]], [[0.0, 0.0]], width=5.0)
    np.testing.assert_allclose(goals.rewards, [[1.0, np.exp(-0.5)]], rtol=1e-15)
    narrow = Goals.gaussian([[0.0], [1.0]], [[0.0]], width=1e-200)
    assert narrow.rewards.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("width", [0.0, -1.0, np.nan, np.inf, "x"])
def test_widths_that_are_not_positive_are_refused(width: Any) -> None:
    with pytest.raises(GoalsError, match="width"):
        Goals.gaussian([[0.0]], [[0.0]], width=width)


def test_balls_by_hand() -> None:
    places = [[0.0], [1.0], [2.0]]
    goals = Goals.ball(places, [[0.0], [2.0]], radius=1.0)
    assert goals.rewards.tolist() == [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    np.testing.assert_array_equal(goals.continuation, 1 - goals.rewards)
    assert Goals.ball(places, [[1.0]], radius=0.0, terminating=False) == Goals([[0.0, 1.0, 0.0]])
    with pytest.raises(GoalsError, match=r"goal 1 has no state within radius 0\.5"):
        Goals.ball(places, [[0.0], [9.0]], radius=0.5)
    for radius in (-1.0, np.nan):
        with pytest.raises(GoalsError, match="radius"):
            Goals.ball(places, [[0.0]], radius=radius)


@pytest.mark.parametrize("make", [lambda *p: Goals.gaussian(*p, width=1.0), lambda *p: Goals.ball(*p, radius=1.0)])
def test_places_that_do_not_fit_are_refused(make: Any) -> None:
    with pytest.raises(ShapeError, match="centres"):
        make([[0.0, 0.0]], [[0.0]])
    with pytest.raises(ShapeError, match="coordinates"):
        make([0.0], [[0.0]])
    with pytest.raises(GoalsError, match="centres has"):
        make([[0.0]], [[np.nan]])


def test_goals_from_a_function() -> None:
    goals = Goals.from_function(lambda g, t: 10.0 * g + t, 3, 2, names=["a", "b"])
    assert goals.rewards.tolist() == [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]
    assert goals.names == ("a", "b")
    with pytest.raises(ShapeError):
        Goals.from_function(nothing, 3, 0)
    with pytest.raises(GoalsError, match="not finite"):
        Goals.from_function(undefined, 1, 1)
