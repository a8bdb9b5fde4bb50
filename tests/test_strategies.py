"""The public strategies: everything drawn is valid, options are honoured, and examples shrink to readable ones."""

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP, AgentValues, Goals
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP, bellman_residual, rank
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.policies import check_policy
from tabular_inversion.strategies import (
    CONTINUATIONS,
    DISCOUNTS,
    REWARDS,
    exact_goals,
    exact_mdps,
    exact_policies,
    exact_rank_deficient_agents,
    exact_stochastic_rows,
    goals,
    mdps,
    policies,
    rank_deficient_agents,
    stochastic_rows,
)

QUICK = settings(deadline=None, max_examples=40)
SHRINK = settings(database=None, derandomize=True, max_examples=200, suppress_health_check=list(HealthCheck))
ANY = settings(SHRINK, phases=[Phase.generate])
MASKS = [np.ones((1, 1), bool), np.array([[True, False], [True, True], [False, True]])]


def simplest(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool] = lambda _: True) -> Any:
    return find(strategy, condition, settings=SHRINK)


def texts(values: FractionArray) -> Any:
    return values.astype(str).tolist()


@QUICK
@given(st.data(), st.integers(1, 6), st.sampled_from([1, 4, 10**12]), st.sampled_from([None, 1, 2, 9]))
def test_rows_are_distributions(data: st.DataObject, size: int, weight: int, successors: int | None) -> None:
    row = data.draw(exact_stochastic_rows(size, max_weight=weight, max_successors=successors))
    assert row.shape == (size,)
    assert all(type(p) is Fraction for p in row)
    assert row.sum() == 1
    assert (row >= 0).all()
    assert (row > 0).sum() <= (successors or size)
    assert lcm(*(p.denominator for p in row)) <= weight * size * (successors or 1)


@QUICK
@given(st.data())
def test_float_rows_are_distributions(data: st.DataObject) -> None:
    row = data.draw(stochastic_rows(st.integers(1, 5)))
    assert row.dtype == np.float64
    assert abs(row.sum() - 1) < 1e-15 * len(row)
    assert (row >= 0).all()


@QUICK
@given(exact_mdps())
def test_exact_worlds_are_valid(world: ExactMDP) -> None:
    assert 1 <= world.n_states <= 4
    assert 1 <= world.n_actions <= 3
    assert ExactMDP(world.kernel, world.discount, world.available) == world


@QUICK
@given(st.data())
def test_options_of_worlds(data: st.DataObject) -> None:
    sparse = data.draw(st.booleans())
    mdp = data.draw(
        mdps(
            n_states=st.sampled_from([2, 5]),
            n_actions=2,
            discounts=st.just(Fraction(1, 4)),
            max_successors=1,
            all_available=True,
            sparse=sparse,
        )
    )
    assert isinstance(mdp, MDP)
    assert (mdp.n_states in {2, 5}, mdp.n_actions, mdp.discount, mdp.is_sparse) == (True, 2, 0.25, sparse)
    assert mdp.is_deterministic
    assert mdp.available.all()


@QUICK
@given(st.data())
def test_goals_are_valid(data: st.DataObject) -> None:
    n_actions = data.draw(st.sampled_from([None, 2]))
    drawn = data.draw(exact_goals(3, n_goals=st.integers(1, 2), n_actions=n_actions))
    assert isinstance(drawn, ExactGoals)
    assert (drawn.n_states, drawn.n_goals in {1, 2}) == (3, True)
    assert (drawn.action_rewards is None) == (n_actions is None)
    always = data.draw(goals(2, n_goals=2, continuations=st.just(Fraction(1)), rewards=st.just(Fraction(1, 2))))
    assert always == Goals([[0.5, 0.5], [0.5, 0.5]])


@QUICK
@given(st.data(), st.sampled_from(MASKS), st.sampled_from([None, 1, 2]))
def test_policies_are_valid(data: st.DataObject, available: np.ndarray, n_goals: int | None) -> None:
    policy = data.draw(exact_policies(available, n_goals=n_goals))
    assert (policy.sum(axis=-1) == 1).all()
    assert not (policy * ~available).any()
    floats = data.draw(policies(available, n_goals=n_goals))
    assert check_policy(floats, available, n_goals or 1).shape == policy.shape


@QUICK
@given(exact_rank_deficient_agents())
def test_rank_deficient_agents_are_rank_deficient(agent: ExactAgentValues) -> None:
    assert rank(agent.test_matrix).rank < agent.n_states


@QUICK
@given(rank_deficient_agents(n_states=3, n_actions=2, discounts=st.just(Fraction(1, 2))))
def test_options_of_rank_deficient_agents(agent: AgentValues) -> None:
    assert (agent.n_states, agent.n_actions, agent.discount) == (3, 2, 0.5)
    assert np.linalg.matrix_rank(agent.test_matrix, tol=1e-9) < 3


@pytest.mark.parametrize("construction", ["few goals", "repeated goals", "twin states"])
def test_each_construction_is_drawn(construction: str) -> None:
    def built_so(agent: ExactAgentValues) -> bool:
        m = agent.test_matrix
        repeats = agent.n_goals >= agent.n_states and len({tuple(row) for row in m}) < agent.n_states
        twins = agent.n_goals > agent.n_states and len({tuple(row) for row in m}) > agent.n_states - 1
        return {"few goals": agent.n_goals < agent.n_states, "repeated goals": repeats, "twin states": twins}[
            construction
        ]

    assert built_so(find(exact_rank_deficient_agents(), built_so, settings=ANY))


def test_the_simplest_examples() -> None:
    assert texts(simplest(exact_stochastic_rows(3))) == ["1", "0", "0"]
    world = simplest(exact_mdps())
    assert (texts(world.kernel), world.discount) == ([[["1"]]], 0)
    assert simplest(mdps()) == MDP([[[1.0]]], 0.0)
    assert simplest(exact_goals(2)) == ExactGoals([[0, 0]])
    assert simplest(goals(2)) == Goals([[0.0, 0.0]])
    assert texts(simplest(exact_policies(MASKS[1]))) == [["1", "0"], ["1", "0"], ["0", "1"]]
    assert simplest(policies(MASKS[0])).tolist() == [[1.0]]
    agent = simplest(exact_rank_deficient_agents())
    assert (agent.n_goals, agent.n_states, agent.n_actions, agent.discount) == (1, 2, 1, 0)


@pytest.mark.parametrize(
    ("strategy", "condition", "expected"),
    [
        (DISCOUNTS, lambda x: x > 0, Fraction(1, 2)),
        (DISCOUNTS, lambda x: x > Fraction(4, 5), Fraction(9, 10)),
        (REWARDS, lambda x: x != 0, Fraction(1)),
        (REWARDS, lambda x: x < 0, Fraction(-1)),
        (REWARDS, lambda x: x.denominator > 1, Fraction(1, 2)),
        (CONTINUATIONS, lambda x: x < 1, Fraction(0)),
    ],
)
def test_numbers_shrink_to_readable_ones(
    strategy: st.SearchStrategy[Fraction], condition: Callable[[Fraction], bool], expected: Fraction
) -> None:
    assert simplest(strategy, condition) == expected


def test_rows_shrink_to_readable_ones() -> None:
    assert texts(simplest(exact_stochastic_rows(3), lambda row: row[2] > 0)) == ["0", "0", "1"]
    assert texts(simplest(exact_stochastic_rows(2), lambda row: 0 < row[0] < 1)) == ["1/2", "1/2"]
    assert texts(simplest(exact_stochastic_rows(3), lambda row: (row > 0).all())) == ["1/3", "1/3", "1/3"]
    assert texts(simplest(exact_stochastic_rows(2), lambda row: row[0] > row[1] > 0)) == ["2/3", "1/3"]


def test_worlds_shrink_to_readable_ones() -> None:
    discounted = simplest(exact_mdps(), lambda world: world.discount > 0)
    assert (discounted.n_states, discounted.n_actions, discounted.discount) == (1, 1, Fraction(1, 2))
    masked = simplest(exact_mdps(), lambda world: not world.available.all())
    assert (masked.n_states, masked.n_actions) == (1, 2)
    stochastic = simplest(exact_mdps(), lambda world: ((world.kernel > 0) & (world.kernel < 1)).any())
    assert (stochastic.n_states, stochastic.n_actions, stochastic.discount) == (2, 1, 0)
    assert sorted(set(texts(stochastic.kernel.ravel()))) == ["0", "1", "1/2"]


def test_agents_shrink_to_readable_ones() -> None:
    agent = simplest(exact_rank_deficient_agents(), lambda agent: bool(agent.test_matrix.any()))
    assert (agent.n_goals, agent.n_states, agent.n_actions, agent.discount) == (1, 2, 1, 0)
    assert sorted(texts(agent.goals.rewards[0])) == ["0", "1"]


@QUICK
@given(exact_mdps(), st.data())
def test_what_is_drawn_fits_together(world: ExactMDP, data: st.DataObject) -> None:
    drawn = data.draw(exact_goals(world.n_states))
    floats = world.to_float()
    assert drawn.to_float().n_states == floats.n_states
    np.testing.assert_allclose(floats.kernel, to_floats(world.kernel), rtol=0, atol=0)


def test_agents_are_values_of_their_world() -> None:
    """A world of the right sizes has the drawn agent's values: one goal, one action, all by hand."""
    agent = simplest(exact_rank_deficient_agents(), lambda agent: bool(agent.test_matrix.any()))
    candidates = [[[[1, 0]], [[1, 0]]], [[[0, 1]], [[0, 1]]], [[[1, 0]], [[0, 1]]], [[[0, 1]], [[1, 0]]]]
    residuals = [bellman_residual(ExactMDP(kernel, agent.discount), agent) for kernel in candidates]
    assert any(not residual.any() for residual in residuals)


def test_the_package_itself_does_not_import_the_libraries_of_this_room() -> None:
    code = (
        "import sys, tabular_inversion; "
        "assert not {'hypothesis', 'flint', 'sympy'} & set(sys.modules); "
        "import tabular_inversion.exact; "
        "assert not {'hypothesis', 'sympy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
