"""Tables and calls that are unusual or wrong: what `from_gymnasium` does with terminal states, gaps and bad input."""

import sys
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

from tabular_inversion.errors import (
    DiscountError,
    InputError,
    KernelError,
    MissingDependencyError,
    SpecificationError,
)
from tabular_inversion.interop import from_gymnasium


def invented(table: Any, **attributes: Any) -> SimpleNamespace:
    """Return the least that an environment with a table is."""
    return SimpleNamespace(P=table, **attributes)


STAY = [(1.0, 0, 0.0, False)]
MIXED = {
    0: {0: [(0.5, 1, 1.0, True), (0.5, 1, 1.0, False)]},
    1: {0: [(1.0, 0, 0.0, False)]},
}
"""A state that an episode enters with and without the flag."""


def test_a_state_that_ends_some_episodes_only() -> None:
    with pytest.raises(KernelError, match=r"go on in state 1, which is also entered.*terminal=\"continue\""):
        from_gymnasium(invented(MIXED), discount=0.9)
    kept = from_gymnasium(invented(MIXED), discount=0.9, terminal="continue")
    assert kept.native_goals is None
    np.testing.assert_array_equal(kept.mdp.dense().kernel, [[[0, 1]], [[1, 0]]])


def test_starts_decide_what_episodes_visit() -> None:
    """State 2 enters the terminal state 1 without the flag, but no episode begins in 2 or comes there."""
    table = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 2, 0.0, False)]}, 2: {0: [(1.0, 1, 0.0, False)]}}
    found = from_gymnasium(invented(table, initial_state_distrib=np.array([1.0, 0.0, 0.0])), discount=0.9)
    assert found.native_goals is not None
    np.testing.assert_array_equal(found.native_goals.continuation, [[1.0, 0.0, 1.0]])
    with pytest.raises(KernelError, match="an episode can go on in state 1"):
        from_gymnasium(invented(table), discount=0.9)
    with pytest.raises(KernelError, match="an episode can go on in state 1"):
        from_gymnasium(invented(table, initial_state_distrib=np.array([0.5, 0.5, 0.0])), discount=0.9)


def test_missing_actions_are_unavailable() -> None:
    table = {0: {1: STAY}, 1: {0: [(1.0, 0, 2.0, False)], 1: []}}
    found = from_gymnasium(invented(table), discount=0.9)
    np.testing.assert_array_equal(found.mdp.available, [[False, True], [True, False]])


def test_a_terminal_state_without_actions_can_absorb() -> None:
    table: Any = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {}}
    np.testing.assert_array_equal(from_gymnasium(invented(table), discount=0.9).mdp.dense().kernel[1], [[0, 1]])
    with pytest.raises(KernelError, match="state 1 has no available action"):
        from_gymnasium(invented(table), discount=0.9, terminal="continue")


def test_flags_of_numpy_and_impossible_outcomes() -> None:
    table = {0: {0: [(np.float32(1.0), np.int64(0), np.float64(2.0), np.False_), (0.0, 1, 9.0, True)]}, 1: {0: STAY}}
    found = from_gymnasium(invented(table), discount=0.9)
    assert found.native_goals is not None
    np.testing.assert_array_equal(found.native_goals.continuation, 1.0)
    assert found.mdp.kernel.nnz == 2
    assert found.name == "SimpleNamespace"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "states are none; expected 0, 1, 2"),
        ({1: {0: STAY}}, "states are 1; expected 0, 1, 2"),
        ({"a": {0: STAY}}, "states are 'a'"),
        ({0: STAY}, "table of state 0 cannot be read"),
        ({0: {0: 3}}, "table of state 0 cannot be read"),
        ({0: {0: [(1.0, 0, 0.0)]}}, "table of state 0 cannot be read"),
        ({0: {0: [(1.0, 0.5, 0.0, False)]}}, "table of state 0 cannot be read"),
        ({0: {0.5: STAY}}, "table of state 0 cannot be read"),
        ({0: {0: [(1.0, 0, 0.0, "False")]}}, "terminated is 'False'"),
        ({0: {0: [("half", 0, 0.0, False)]}}, "table of state 0 cannot be read"),
        ({0: {}}, "has no outcome"),
        ({0: {0: []}}, "has no outcome"),
        ({0: {0: [(1.0, 1, 0.0, False)]}}, r"state 0, action 0 has the outcome \(1.0, 1, 0.0, False\)"),
        ({0: {0: [(1.0, -1, 0.0, False)]}}, "next state from 0 to 0"),
        ({0: {-1: STAY}}, "actions numbered from 0"),
        ({0: {0: [(1.0, 0, float("nan"), False)]}}, "a finite reward"),
        ({0: {0: [(float("nan"), 0, 0.0, False)]}}, r"a probability in \[0, 1\]"),
        ({0: {0: [(1.5, 0, 0.0, False), (-0.5, 0, 0.0, False)]}}, r"has the outcome \(1.5"),
        ({0: {0: [(0.5, 0, 0.0, False)]}}, "state 0, action 0 sums to 0.5"),
    ],
)
def test_malformed_tables(table: Any, message: str) -> None:
    with pytest.raises(KernelError, match=message):
        from_gymnasium(invented(table), discount=0.9)


def test_starts_of_another_size() -> None:
    with pytest.raises(InputError, match=r"initial_state_distrib has shape \(2,\); expected \(1,\)"):
        from_gymnasium(invented({0: {0: STAY}}, initial_state_distrib=np.ones(2)), discount=0.9)


def test_environments_without_a_table() -> None:
    for name in ("CartPole-v1", "Blackjack-v1"):
        with pytest.raises(InputError, match="has no transition table P; only tabular environments"):
            from_gymnasium(name, discount=0.9)


def test_a_fickle_passenger_is_not_in_the_table() -> None:
    with pytest.raises(InputError, match="use fickle_passenger=False"):
        from_gymnasium("Taxi-v4", discount=0.9, fickle_passenger=True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("NoSuchThing-v0", {}),
        ("FrozenLake-v99", {}),
        ("not an id", {}),
        ("nowhere/Thing-v0", {}),
        ("no_such_module:Thing-v0", {}),
        ("FrozenLake-v1", {"colour": "blue"}),
        ("FrozenLake-v1", {"map_name": "9x9"}),
    ],
)
def test_environments_that_gymnasium_cannot_make(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises((SpecificationError, MissingDependencyError), match=name):
        from_gymnasium(name, discount=0.9, **arguments)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # gymnasium warns of Taxi-v3 before it refuses it
def test_the_old_taxi_names_the_new_one() -> None:
    with pytest.raises(SpecificationError, match="Taxi-v4"):
        from_gymnasium("Taxi-v3", discount=0.9)


def test_other_bad_calls() -> None:
    with pytest.raises(InputError, match="terminal is 'stop'; expected one of absorb, continue"):
        from_gymnasium("FrozenLake-v1", discount=0.9, terminal="stop")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="map_name cannot be applied to an environment that exists"):
        from_gymnasium(gymnasium.make("FrozenLake-v1"), discount=0.9, map_name="8x8")
    with pytest.raises(DiscountError):
        from_gymnasium("FrozenLake-v1", discount=1.5)


def test_gymnasium_missing(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingDependencyError, match=r"pip install gymnasium, or in a clone: pip install '\.\[gym\]'"):
        from_gymnasium("FrozenLake-v1", discount=0.9)
    assert from_gymnasium(invented({0: {0: STAY}}), discount=0.9).mdp.n_states == 1
