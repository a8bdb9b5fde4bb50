"""Exact worlds, goals and agents: what constructors refuse, and agreement with the float twins."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP, AgentValues, Goals
from tabular_inversion.errors import (
    AgentValuesError,
    DiscountError,
    GoalsError,
    InputError,
    KernelError,
    PolicyError,
    ShapeError,
)
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP, fraction_array
from tabular_inversion.exact.rationals import to_floats
from tabular_inversion.strategies import (
    exact_goals,
    exact_mdps,
    exact_policies,
    exact_rank_deficient_agents,
    mdps,
    rank_deficient_agents,
)

HALF = Fraction(1, 2)
TWO_STATES = [[["1/3", "2/3"]], [[0, 1]]]
QUICK = settings(deadline=None, max_examples=30)


def test_a_world_reads_every_notation_alike() -> None:
    third = sympy.Rational(1, 3)
    world = ExactMDP([[[third, 1 - third]], [[0, "1.0"]]], discount=sympy.Rational(1, 2))
    assert world == ExactMDP(TWO_STATES, "0.5")
    assert (world.n_states, world.n_actions, world.discount) == (2, 1, HALF)
    assert repr(world) == "ExactMDP(n_states=2, n_actions=1, discount=1/2)"
    assert world.rows.tolist() == [[Fraction(1, 3), Fraction(2, 3)], [0, 1]]


@pytest.mark.parametrize(
    ("kernel", "match"),
    [
        ([[[0.5, 0.5]], [[0, 1]]], r"kernel.*entry \(0, 0, 0\).*allow_float"),
        ([[["1/2", "1/3"]], [[0, 1]]], r"sum 5/6 at \(s, a\) = \(0, 0\)"),
        ([[["1/2", "0.5000000000000000001"]], [[0, 1]]], "does not sum to exactly 1"),
        ([[["3/2", "-1/2"]], [[0, 1]]], r"negative probability, -1/2 at \(s, a, t\) = \(0, 0, 1\)"),
        ([[["x", 0]], [[0, 1]]], "no rational number"),
        ([[[1, 0]], [[0]]], "regular array"),
    ],
)
def test_kernels_that_are_none_are_refused(kernel: object, match: str) -> None:
    with pytest.raises(KernelError, match=match):
        ExactMDP(kernel, HALF)


@pytest.mark.parametrize("kernel", [1, [1], [[1]], [[[1, 0]]], [[[]]], np.zeros((0, 1, 0), int), [[[[1]]]]])
def test_kernels_of_the_wrong_shape_are_refused(kernel: object) -> None:
    with pytest.raises(ShapeError, match="expected"):
        ExactMDP(kernel, HALF)


@pytest.mark.parametrize("discount", ["1001/1000", -1, "1.0000001", "-1/7", 0.5, None, "a half", float("nan")])
def test_discounts_outside_the_range_are_refused(discount: object) -> None:
    with pytest.raises(DiscountError):
        ExactMDP([[[1]]], discount)


def test_a_discount_just_below_one_is_taken() -> None:
    assert ExactMDP([[[1]]], 1 - Fraction(1, 10**30)).discount < 1


def test_masks() -> None:
    kernel = [[[1], [0]]]
    world = ExactMDP(kernel, 0, [[True, False]])
    assert world.row_index.tolist() == [0]
    with pytest.raises(KernelError, match=r"exactly 1: sum 0 at \(s, a\) = \(0, 1\)"):
        ExactMDP(kernel, 0)
    with pytest.raises(KernelError, match=r"exactly 0: sum 1 at \(s, a\) = \(0, 1\)"):
        ExactMDP([[[1], [1]]], 0, [[True, False]])
    with pytest.raises(KernelError, match="state 0 has no available action"):
        ExactMDP([[[0], [0]]], 0, [[False, False]])
    for mask in ([[1, 0]], [[True]], [[True], [False]], True, [[True, False], [True]]):
        with pytest.raises(ShapeError, match="available"):
            ExactMDP(kernel, 0, mask)


def test_worlds_are_read_only_and_do_not_share_memory() -> None:
    kernel = fraction_array(TWO_STATES)
    world = ExactMDP(kernel, HALF)
    kernel[0, 0, 0] = Fraction(9)
    assert world.kernel[0, 0, 0] == Fraction(1, 3)
    with pytest.raises(ValueError, match="read-only"):
        world.kernel[0, 0, 0] = 0
    with pytest.raises(AttributeError):
        world.discount = 0


def test_equality_and_no_hash() -> None:
    goals = ExactGoals([[1, 2]])
    agent = ExactAgentValues([[[1], [2]]], goals, 0)
    for value in (ExactMDP(TWO_STATES, HALF), goals, agent):
        assert value != "something else"
        assert value == value
        with pytest.raises(TypeError):
            hash(value)
    assert ExactMDP(TWO_STATES, HALF) != ExactMDP(TWO_STATES, 0)
    assert ExactMDP([[[1], [0]]], 0, [[True, False]]) != ExactMDP([[[0], [1]]], 0, [[False, True]])
    assert goals != ExactGoals([[1, 3]])
    assert goals != ExactGoals([[1, 2]], [[1, 0]])
    assert goals != ExactGoals([[1, 2]], action_rewards=[[[0], [0]]])
    assert agent != ExactAgentValues([[[1], [2]]], goals, 0, [[1], [1]])
    assert agent != ExactAgentValues([[[1], [3]]], goals, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([[0.5]],), GoalsError, "allow_float"),
        (([[1, None]],), GoalsError, "no rational number"),
        (([1],), ShapeError, "rewards"),
        (([],), ShapeError, "rewards"),
        (([[]],), ShapeError, "rewards"),
        (([[1, 2]], [[1]]), ShapeError, "continuation"),
        (([[1, 2]], [[1, "3/2"]]), GoalsError, r"continuation lies in \[0, 1\]; found 3/2 at \(g, s\) = \(0, 1\)"),
        (([[1, 2]], [[1, -1]]), GoalsError, "found -1"),
        (([[1, 2]], None, [[[1]]]), ShapeError, "action_rewards"),
        (([[1]], None, [[["nan"]]]), GoalsError, "action_rewards"),
    ],
)
def test_goals_that_are_none_are_refused(arguments: tuple[object, ...], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ExactGoals(*arguments)


def test_goals_are_selected_in_order() -> None:
    goals = ExactGoals([[1], [2], [3]], [[0], [1], ["1/2"]], [[[7]], [[8]], [[9]]])
    assert repr(goals) == "ExactGoals(n_goals=3, n_states=1)"
    assert goals.select([2, 0]) == ExactGoals([[3], [1]], [["1/2"], [0]], [[[9]], [[7]]])
    for wrong in ([3], [-1], [], [0.5], [True]):
        with pytest.raises(GoalsError):
            goals.select(wrong)


GOALS = ExactGoals([[1, 2]])
VALUES = [[["1/2", 1], [0, 3]]]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([[1, 2]], GOALS, 0), ShapeError, "q has shape"),
        (([[[1, 2]]], GOALS, 0), ShapeError, "q has shape"),
        (([[[], []]], GOALS, 0), ShapeError, "q has shape"),
        (([[[0.5, 1], [0, 3]]], GOALS, 0), AgentValuesError, r"entry \(0, 0, 0\)"),
        (([[[None, 1], [0, 3]]], GOALS, 0), AgentValuesError, "no rational number"),
        ((VALUES, GOALS, 2), DiscountError, "discount"),
        ((VALUES, GOALS, 0, [[1, 1], [1, 0]]), PolicyError, r"exactly 1: sum 2 at \(s\) = \(0,\)"),
        ((VALUES, GOALS, 0, [[1, 0], [2, -1]]), PolicyError, "negative"),
        ((VALUES, GOALS, 0, [[0.5, 0.5], [1, 0]]), PolicyError, "allow_float"),
        ((VALUES, GOALS, 0, [[1, 0]]), ShapeError, "policy"),
        ((VALUES, GOALS, 0, [[[1, 0], [1, 0]]] * 2), ShapeError, "policy"),
        ((VALUES, GOALS, 0, [[1, 0], [0, 1]], [[True, False], [True, False]]), PolicyError, "unavailable action, 1 at"),
        ((VALUES, GOALS, 0, None, [[True, True], [False, False]]), AgentValuesError, "state 1"),
        ((VALUES, GOALS, 0, None, [[True]]), ShapeError, "available"),
        ((VALUES, ExactGoals([[1, 2]], action_rewards=[[[1], [1]]]), 0), ShapeError, "action_rewards"),
    ],
)
def test_agents_that_are_none_are_refused(arguments: tuple[object, ...], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ExactAgentValues(*arguments)


def test_an_agent_by_hand() -> None:
    goals = ExactGoals([[1, 2]], [[1, 0]], [[[1, 0], [0, 2]]])
    mask = [[True, True], [True, False]]
    optimal = ExactAgentValues([[["1/2", 1], [5, "ignored"]]], goals, HALF, available=mask)
    assert optimal.operator == "max"
    assert optimal.v.tolist() == [[1, 5]]
    assert optimal.test_matrix.tolist() == [[Fraction(3, 2), 2]]
    assert optimal.q[0, 1, 1] is None
    assert optimal.row_index.tolist() == [0, 1, 2]
    assert optimal.right_hand_sides.tolist() == [[-HALF, 1, 5]]
    mixed = ExactAgentValues(optimal.q, goals, HALF, [["1/3", "2/3"], [1, 0]], mask)
    assert mixed.operator == "policy"
    assert mixed.v.tolist() == [[Fraction(5, 6), 5]]
    assert repr(mixed) == "ExactAgentValues(n_goals=1, n_states=2, n_actions=2, discount=1/2, operator='policy')"


@QUICK
@given(st.data())
def test_an_agent_agrees_with_its_float_twin(data: st.DataObject) -> None:
    agent = data.draw(exact_rank_deficient_agents())
    twin = agent.to_float()
    assert (twin.operator, twin.n_goals, twin.n_states, twin.n_actions) == (
        agent.operator,
        agent.n_goals,
        agent.n_states,
        agent.n_actions,
    )
    np.testing.assert_array_equal(twin.row_index, agent.row_index)
    np.testing.assert_array_equal(np.isnan(twin.q), np.broadcast_to(~agent.available, twin.q.shape))
    # Values below 1000 and a handful of roundings.
    for name in ("v", "test_matrix", "right_hand_sides"):
        np.testing.assert_allclose(getattr(twin, name), to_floats(getattr(agent, name)), rtol=0, atol=1e-11)


@QUICK
@given(exact_mdps(discounts=st.sampled_from([Fraction(0), Fraction(9, 10), Fraction(99, 100)])))
def test_worlds_come_back_from_floats(world: ExactMDP) -> None:
    twin = world.to_float()
    assert isinstance(twin, MDP)
    # The weights are at most 4, so that denominators are at most 16.
    assert ExactMDP.from_float(twin, limit_denominator=100) == world
    assert ExactMDP.from_float(twin.sparse(), limit_denominator=100) == world


@QUICK
@given(mdps(n_states=3, n_actions=2))
def test_the_dyadic_reading_is_exact_or_refused(mdp: MDP) -> None:
    rows = fraction_array(mdp.dense().kernel, allow_float=True)
    if np.array_equal(rows.sum(axis=2), mdp.available.astype(int)):
        assert ExactMDP.from_float(mdp).to_float().dense() == mdp.dense()
    else:
        with pytest.raises(KernelError, match="limit_denominator"):
            ExactMDP.from_float(mdp)


def test_a_float_world_of_thirds_needs_the_limit() -> None:
    mdp = MDP(np.full((3, 1, 3), 1 / 3), 0.9)
    with pytest.raises(KernelError, match=r"exactly 1.*limit_denominator"):
        ExactMDP.from_float(mdp)
    assert ExactMDP.from_float(mdp, limit_denominator=10).discount == Fraction(9, 10)
    with pytest.raises(InputError, match="limit_denominator is 0"):
        ExactMDP.from_float(mdp, limit_denominator=0)


@QUICK
@given(st.data())
def test_goals_come_back_from_floats(data: st.DataObject) -> None:
    n_actions = data.draw(st.sampled_from([None, 2]))
    goals = data.draw(exact_goals(3, n_actions=n_actions))
    twin = goals.to_float()
    assert ExactGoals.from_float(twin, limit_denominator=10) == goals
    assert ExactGoals.from_float(twin).to_float() == twin


@QUICK
@given(rank_deficient_agents())
def test_agents_keep_their_float_values_exactly(agent: AgentValues) -> None:
    exact_agent = ExactAgentValues.from_float(agent, limit_denominator=100)
    back = exact_agent.to_float()
    np.testing.assert_array_equal(back.q, agent.q)
    np.testing.assert_allclose(back.test_matrix, agent.test_matrix, rtol=0, atol=1e-11)


def test_an_agent_with_thirds_in_its_policy_needs_the_limit() -> None:
    agent = AgentValues([[[1.0, 2.0, 3.0]]], Goals([[0.0]]), 0.5, policy=[[0.1, 0.2, 0.7]])
    with pytest.raises(PolicyError, match="limit_denominator"):
        ExactAgentValues.from_float(agent)
    assert ExactAgentValues.from_float(agent, limit_denominator=10).v.item() == Fraction(13, 5)


def test_a_soft_agent_has_no_exact_twin() -> None:
    agent = AgentValues([[[1.0]]], Goals([[0.0]]), 0.5, temperature=1.0)
    with pytest.raises(AgentValuesError, match="irrational"):
        ExactAgentValues.from_float(agent)


@QUICK
@given(st.data())
def test_policies_round_to_policies(data: st.DataObject) -> None:
    world = data.draw(exact_mdps())
    policy = data.draw(exact_policies(world.available))
    agent = AgentValues(
        np.zeros((1, world.n_states, world.n_actions)),
        Goals(np.zeros((1, world.n_states))),
        0.0,
        policy=to_floats(policy),
        available=world.available,
    )
    assert ExactAgentValues.from_float(agent, limit_denominator=100).policy.tolist() == policy.tolist()
