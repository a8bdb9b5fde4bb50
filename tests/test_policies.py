"""Policies: distributions over available actions, whatever the Q-values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tabular_inversion import policies
from tabular_inversion.errors import PolicyError, ShapeError
from tabular_inversion.strategies import policies as drawn_policies

QUICK = settings(deadline=None, max_examples=60)
MASK = np.array([[True, False, True], [False, True, False]])
EXTREMES = st.one_of(st.floats(-10, 10), st.sampled_from([0.0, 1e300, -1e300, 1e-300, 1.7e308, -1.7e308]))
Q_VALUES = hnp.arrays(float, st.tuples(st.integers(1, 3), st.just(2), st.just(3)), elements=EXTREMES)


def assert_is_policy(policy: np.ndarray, shape: tuple[int, ...]) -> None:
    assert policy.shape == shape
    assert policies.check_policy(policy, MASK, shape[0] if len(shape) == 3 else 1) is not policy


def hidden(q: np.ndarray) -> np.ndarray:
    """Return Q as an agent shows it: NaN where the action is unavailable."""
    return np.where(MASK, q, np.nan)


@QUICK
@given(Q_VALUES, st.floats(0, 1), st.sampled_from([1e-300, 1e-3, 1.0, 1e3, 1e300]))
def test_every_maker_gives_a_policy(q: np.ndarray, epsilon: float, temperature: float) -> None:
    q = hidden(q)
    assert_is_policy(policies.uniform(MASK), MASK.shape)
    assert_is_policy(policies.greedy(q, MASK), q.shape)
    assert_is_policy(policies.epsilon_greedy(q, MASK, epsilon=epsilon), q.shape)
    assert_is_policy(policies.softmax(q, MASK, temperature=temperature), q.shape)
    assert_is_policy(policies.random(MASK, seed=0), MASK.shape)
    assert_is_policy(policies.random(MASK, seed=0, n_goals=len(q)), q.shape)


@QUICK
@given(Q_VALUES)
def test_greedy_takes_the_first_best_available_action(q: np.ndarray) -> None:
    q = hidden(q)
    chosen = policies.greedy(q, MASK).argmax(axis=2)
    best = np.nanmax(q, axis=2)
    for g, s in np.ndindex(chosen.shape):
        assert chosen[g, s] == next(a for a in range(3) if MASK[s, a] and q[g, s, a] == best[g, s])


def test_epsilon_greedy_lies_between_greedy_and_uniform() -> None:
    q = hidden(np.array([[[1.0, 9.0, 2.0], [0.0, 0.0, 0.0]]]))
    assert policies.epsilon_greedy(q, MASK, epsilon=0.0).tolist() == policies.greedy(q, MASK).tolist()
    assert policies.epsilon_greedy(q, MASK, epsilon=1.0).tolist() == [policies.uniform(MASK).tolist()]
    assert policies.epsilon_greedy(q, MASK, epsilon=0.5)[0, 0].tolist() == [0.25, 0.0, 0.75]
    for epsilon in (-0.1, 1.1, np.nan):
        with pytest.raises(PolicyError, match="epsilon"):
            policies.epsilon_greedy(q, MASK, epsilon=epsilon)


def test_softmax_by_hand_and_in_its_limits() -> None:
    q = hidden(np.array([[[0.0, 9.0, np.log(3.0)], [5.0, 5.0, 5.0]]]))
    np.testing.assert_allclose(policies.softmax(q, MASK, temperature=1.0)[0], [[0.25, 0, 0.75], [0, 1, 0]], rtol=1e-15)
    assert policies.softmax(q, MASK, temperature=1e-6).tolist() == policies.greedy(q, MASK).tolist()
    np.testing.assert_allclose(policies.softmax(q, MASK, temperature=1e9)[0], policies.uniform(MASK), atol=1e-8)
    shifted = policies.softmax(q + 1e3, MASK, temperature=1.0)
    np.testing.assert_allclose(shifted, policies.softmax(q, MASK, temperature=1.0), atol=1e-12)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf, "hot", None])
def test_temperatures_that_are_not_positive_are_refused(temperature: Any) -> None:
    with pytest.raises(PolicyError, match="temperature"):
        policies.softmax(np.zeros((1, 2, 3)), MASK, temperature=temperature)


def test_deterministic_policies() -> None:
    assert policies.deterministic([2, 1], MASK).tolist() == [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    assert policies.deterministic([[0, 1], [2, 1]], MASK).shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("actions", "error", "match"),
    [
        ([1, 1], PolicyError, "action 1 of state 0 is not available"),
        ([0, 3], PolicyError, "action 3 of state 1"),
        ([-1, 1], PolicyError, "action -1 of state 0"),
        ([[2, 1], [2, 0]], PolicyError, "action 0 of state 1"),
        ([0], ShapeError, "actions"),
        ([0, 1, 0], ShapeError, "actions"),
        (0, ShapeError, "actions"),
        ([0.0, 1.0], ShapeError, "actions"),
        ([True, True], ShapeError, "actions"),
        ([[0, 1], [0]], ShapeError, "actions"),
    ],
)
def test_actions_that_do_not_exist_are_refused(actions: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        policies.deterministic(actions, MASK)


def test_random_policies_repeat_with_their_seed() -> None:
    first = policies.random(MASK, seed=3, n_goals=2)
    np.testing.assert_array_equal(first, policies.random(MASK, seed=np.random.default_rng(3), n_goals=2))
    assert not np.array_equal(first, policies.random(MASK, seed=4, n_goals=2))


@QUICK
@given(st.data())
def test_policies_pass_the_check_unchanged(data: st.DataObject) -> None:
    n_goals = data.draw(st.sampled_from([None, 2]))
    policy = data.draw(drawn_policies(MASK, n_goals=n_goals))
    checked = policies.check_policy(policy, MASK, 2)
    np.testing.assert_array_equal(checked, policy)
    assert not checked.flags.writeable


@pytest.mark.parametrize(
    ("policy", "error", "match"),
    [
        ([[1.0, 0.0, 0.0]], ShapeError, r"policy has shape \(1, 3\)"),
        ([[1.0, 0.0], [0.0, 1.0]], ShapeError, "policy"),
        ([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], ShapeError, "policy"),
        (1.0, ShapeError, "policy"),
        ([[1.0, 0.0, 0.0], [0.0, 1.0]], PolicyError, "regular array"),
        ([[1.0, 0.0, 0.0], [0.0, np.nan, 0.0]], PolicyError, "not finite"),
        ([[1j, 0.0, 0.0], [0.0, 1.0, 0.0]], PolicyError, "complex"),
        ([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]], PolicyError, r"negative probability, -1\.0 at \(s, a\) = \(0, 2\)"),
        ([[0.5, 0.0, 0.4], [0.0, 1.0, 0.0]], PolicyError, r"sum 0\.9 at \(s\) = \(0,\)"),
        ([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]], PolicyError, r"unavailable action, 0\.5 at \(s, a\) = \(0, 1\)"),
        ([[[1.0, 0, 0], [0, 1.0, 0]], [[1.0, 0, 0], [0, 0.5, 0]]], PolicyError, r"at \(g, s\) = \(1, 1\)"),
    ],
)
def test_what_is_no_policy_is_refused(policy: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        policies.check_policy(policy, MASK, 2)
