"""Constructors and forward functions, each argument in turn of every wrong kind: one error of ours, in one line."""

import datetime
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabular_inversion import (
    MDP,
    AgentValues,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    bellman_residual,
    evaluate,
    exact,
    normalised,
    policies,
    solve,
    solve_soft,
    storage,
)
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.kernel_classes import parse_kernel_class

KERNEL = [[[0.5, 0.5]], [[0.0, 1.0]]]
WORLD, GOALS = MDP(KERNEL, 0.9), Goals([[0.0, 1.0]])
AGENT, POLICY, MASK = solve(WORLD, GOALS), policies.uniform(WORLD.available), WORLD.available
EXACT_WORLD, EXACT_GOALS = ExactMDP([[[0, 1]], [[1, 0]]], "1/2"), ExactGoals([[0, 1]])
EXACT_AGENT = exact.solve(EXACT_WORLD, EXACT_GOALS)


class Stubborn:
    """Refuses to be an array."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("no")


KINDS = [
    *(None, 0, 1, -1, 1.5, np.nan, np.inf, True, "x", b"x", "", [], {}, (), object(), Stubborn(), 1j, 10**400),
    *(np.array([]), np.array(1.0), np.array(["a"]), np.array([None]), np.zeros((2, 2)), np.zeros((2, 2, 2, 2))),
    *([[1, 2], [3]], [[["a"]]], [None], [np.nan], [[object()]], np.array([[1, 2]], dtype=object), np.array([True])),
    *(datetime.date(2020, 1, 1), np.datetime64("2020-01-01"), np.ma.masked, range(3), {1, 2}, Path("x"), slice(1)),
    *(np.ma.array([[0.5, 0.5]], mask=[[1, 0]]), csr_array((2, 2)), np.float32(1), "1/2", float, Ellipsis),
    *(WORLD, GOALS, AGENT, EXACT_WORLD, EXACT_GOALS, EXACT_AGENT, MDP, Goals, Stochastic, Stochastic()),
]

CALLS = {
    "MDP kernel": lambda x: MDP(x, 0.9),
    "MDP discount": lambda x: MDP(KERNEL, x),
    "MDP available": lambda x: MDP(KERNEL, 0.9, x),
    "MDP state_names": lambda x: MDP(KERNEL, 0.9, None, x),
    "MDP action_names": lambda x: MDP(KERNEL, 0.9, None, None, x),
    "MDP coordinates": lambda x: MDP(KERNEL, 0.9, coordinates=x),
    "MDP.with_discount": WORLD.with_discount,
    "MDP.expectation": WORLD.expectation,
    "MDP.permute_states": WORLD.permute_states,
    "MDP.save": WORLD.save,
    "MDP.load": MDP.load,
    "Goals rewards": Goals,
    "Goals continuation": lambda x: Goals([[0.0, 1.0]], x),
    "Goals action_rewards": lambda x: Goals([[0.0, 1.0]], None, x),
    "Goals names": lambda x: Goals([[0.0, 1.0]], names=x),
    "Goals.select": GOALS.select,
    "Goals.join": GOALS.join,
    "Goals.indicator n": Goals.indicator,
    "Goals.indicator states": lambda x: Goals.indicator(3, x),
    "Goals.indicator terminating": lambda x: Goals.indicator(3, terminating=x),
    "Goals.generic n": lambda x: Goals.generic(x, 1, seed=0),
    "Goals.generic k": lambda x: Goals.generic(3, x, seed=0),
    "Goals.generic seed": lambda x: Goals.generic(3, 1, seed=x),
    "Goals.gaussian": lambda x: Goals.gaussian(x, [[0.0]], width=1),
    "Goals.gaussian width": lambda x: Goals.gaussian([[0.0]], [[0.0]], width=x),
    "Goals.ball": lambda x: Goals.ball([[0.0]], x, radius=1),
    "Goals.from_function n": lambda x: Goals.from_function(lambda _g, _t: 1.0, x, 1),
    "AgentValues q": lambda x: AgentValues(x, GOALS, 0.9),
    "AgentValues goals": lambda x: AgentValues(AGENT.q, x, 0.9),
    "AgentValues discount": lambda x: AgentValues(AGENT.q, GOALS, x),
    "AgentValues policy": lambda x: AgentValues(AGENT.q, GOALS, 0.9, x),
    "AgentValues temperature": lambda x: AgentValues(AGENT.q, GOALS, 0.9, None, x),
    "AgentValues available": lambda x: AgentValues(AGENT.q, GOALS, 0.9, available=x),
    "AgentValues report": lambda x: AgentValues(AGENT.q, GOALS, 0.9, report=x),
    "AgentValues.select_goals": AGENT.select_goals,
    "AgentValues.permute_states": AGENT.permute_states,
    "AgentValues.with_noise": lambda x: AGENT.with_noise(x, seed=0),
    "AgentValues.with_noise seed": lambda x: AGENT.with_noise(0.1, seed=x),
    "AgentValues.load": AgentValues.load,
    "Supported": Supported,
    "Supported.of": Supported.of,
    "Supported.known_supports": Supported.of(WORLD).known_supports,
    "Sparse": Sparse,
    "Sparse.contains": Sparse(1).contains,
    "Stochastic.contains tolerance": lambda x: Stochastic().contains(np.eye(2), tolerance=x),
    "parse_kernel_class": parse_kernel_class,
    "normalised": lambda x: normalised(x, within=0.1),
    "normalised within": lambda x: normalised(np.eye(2), within=x),
    "policies.uniform": policies.uniform,
    "policies.greedy q": lambda x: policies.greedy(x, MASK),
    "policies.greedy available": lambda x: policies.greedy(AGENT.q, x),
    "policies.epsilon_greedy": lambda x: policies.epsilon_greedy(AGENT.q, MASK, epsilon=x),
    "policies.softmax q": lambda x: policies.softmax(x, MASK, temperature=1),
    "policies.softmax temperature": lambda x: policies.softmax(AGENT.q, MASK, temperature=x),
    "policies.deterministic": lambda x: policies.deterministic(x, MASK),
    "policies.random seed": lambda x: policies.random(MASK, seed=x),
    "policies.random n_goals": lambda x: policies.random(MASK, seed=0, n_goals=x),
    "solve mdp": lambda x: solve(x, GOALS),
    "solve goals": lambda x: solve(WORLD, x),
    "solve method": lambda x: solve(WORLD, GOALS, method=x),
    "solve tolerance": lambda x: solve(WORLD, GOALS, tolerance=x),
    "solve max_iterations": lambda x: solve(WORLD, GOALS, max_iterations=x),
    "solve_soft mdp": lambda x: solve_soft(x, GOALS, 1.0),
    "solve_soft temperature": lambda x: solve_soft(WORLD, GOALS, x),
    "evaluate mdp": lambda x: evaluate(x, GOALS, POLICY),
    "evaluate goals": lambda x: evaluate(WORLD, x, POLICY),
    "evaluate policy": lambda x: evaluate(WORLD, GOALS, x),
    "bellman_residual mdp": lambda x: bellman_residual(x, AGENT),
    "bellman_residual agent": lambda x: bellman_residual(WORLD, x),
    "ExactMDP kernel": lambda x: ExactMDP(x, "1/2"),
    "ExactMDP discount": lambda x: ExactMDP([[[1]]], x),
    "ExactMDP.from_float": ExactMDP.from_float,
    "ExactMDP.from_float limit": lambda x: ExactMDP.from_float(WORLD, limit_denominator=x),
    "ExactGoals": ExactGoals,
    "ExactGoals.from_float": ExactGoals.from_float,
    "exact.solve mdp": lambda x: exact.solve(x, EXACT_GOALS),
    "exact.solve goals": lambda x: exact.solve(EXACT_WORLD, x),
    "exact.evaluate policy": lambda x: exact.evaluate(EXACT_WORLD, EXACT_GOALS, x),
    "exact.bellman_residual": lambda x: exact.bellman_residual(x, EXACT_AGENT),
    "exact.modular_test_matrix prime": lambda x: exact.modular_test_matrix(
        EXACT_WORLD, EXACT_GOALS, [[1], [1]], prime=x
    ),
    "storage.read": lambda x: storage.read(x, "thing"),
    "storage.write": lambda x: storage.write(x, "thing", {}, {}),
}


def complaint(call: Any, argument: Any) -> str:
    try:
        call(argument)
    except TabularInversionError as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_kind_is_one_error_of_ours_in_one_line(name: str, tmp_path: Path) -> None:
    before, refused = Path.cwd(), 0
    os.chdir(tmp_path)
    try:
        for kind in KINDS:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                message = complaint(CALLS[name], kind)
            refused += bool(message)
            assert "\n" not in message
            assert len(message) < 500
    finally:
        os.chdir(before)
    assert refused >= 20
    assert list(tmp_path.iterdir()) == []


def test_supports_of_numbers_that_are_none_are_refused() -> None:
    for wrong in (np.nan, -1.0):
        for form in (np.full((1, 1, 1), wrong), csr_array([[wrong]])):
            with pytest.raises(TabularInversionError, match="support holds"):
                Supported(form)


def test_values_that_are_missing_are_refused_where_they_count() -> None:
    with pytest.raises(TabularInversionError, match=r"q is NaN at \(0, 0, 0\)"):
        policies.greedy(np.array([[[np.nan, 1.0]]]), np.array([[True, True]]))
    assert policies.greedy(np.array([[[np.nan, 1.0]]]), np.array([[False, True]])).tolist() == [[[0.0, 1.0]]]
    with pytest.raises(TabularInversionError, match="functions has 1 entries that are not finite"):
        WORLD.expectation([[np.nan, 1.0]])


def test_supports_are_equal_if_they_allow_the_same() -> None:
    first, second = Supported.of(WORLD), Supported.of(WORLD.sparse())
    assert first == second == Supported(np.array(KERNEL) > 0)
    assert hash(first) == hash(second)
    assert first != Supported(np.ones((2, 1, 2), bool))
    assert first != Stochastic()
    assert len({first, second, Sparse(2), Sparse(2), Sparse(10**30)}) == 3
    assert Sparse(10**30).contains(np.full((1, 3), 1 / 3)).tolist() == [True]
    assert Sparse(10**30).most(3) == 3
