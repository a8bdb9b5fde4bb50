"""Discount 1: the graph's answer against all policies one by one, and values against fractions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from test_bellman import exact_optimal_q

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Stochastic,
    Supported,
    Unconstrained,
    exact,
    identify,
    invert,
    policies,
)
from tabular_inversion.bellman import evaluate, solve, solve_soft
from tabular_inversion.bellman.termination import check_ends
from tabular_inversion.errors import DiscountError, TabularInversionError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP

SEEDS = st.integers(0, 10**6)


def drawn(seed):
    """Draw a dyadic world with few successors, and goals that end here and there, surely or only with some luck."""
    rng = np.random.default_rng(seed)
    n_states, n_actions, n_goals = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    kernel = np.zeros((n_states, n_actions, n_states))
    states, actions = np.ogrid[:n_states, :n_actions]
    for weight in (0.75, 0.25):
        np.add.at(kernel, (states, actions, rng.integers(0, n_states, (n_states, n_actions))), weight)
    available = rng.random((n_states, n_actions)) < 0.7
    available[:, 0] = True
    shape = (n_goals, n_states)
    goals = Goals(rng.integers(-8, 9, shape) / 8, rng.choice([0.0, 0.5, 1.0], shape, p=[0.4, 0.1, 0.5]))
    mdp = MDP(kernel * available[:, :, None], 1.0, available)
    return (mdp.sparse() if seed % 2 else mdp), goals, rng


def ends_under(mdp, continuation, policy):
    """Follow the graph of one policy backwards from where episodes may end."""
    steps = (mdp.dense().kernel * policy[:, :, None]).sum(axis=1) > 0
    ends = continuation < 1
    for _ in range(mdp.n_states):
        ends = ends | (steps @ ends)
    return bool(ends.all())


def every_policy(mdp):
    choices = [np.flatnonzero(row) for row in mdp.available]
    return (np.eye(mdp.n_actions)[list(actions)] for actions in itertools.product(*choices))


def refuses(call):
    try:
        call()
    except DiscountError:
        return True
    return False


@given(SEEDS)
@settings(deadline=None, max_examples=150)
def test_the_graph_knows_what_all_policies_show(seed):
    mdp, goals, rng = drawn(seed)
    endless = not all(ends_under(mdp, c, policy) for c in goals.continuation for policy in every_policy(mdp))
    assert refuses(lambda: solve(mdp, goals)) == endless
    assert refuses(lambda: solve_soft(mdp, goals, 0.5)) == endless
    assert refuses(lambda: exact.solve(ExactMDP.from_float(mdp), ExactGoals.from_float(goals))) == endless
    shared = next(every_policy(mdp)) if rng.random() < 0.5 else policies.uniform(mdp.available)
    endless = not all(ends_under(mdp, c, shared) for c in goals.continuation)
    assert refuses(lambda: evaluate(mdp, goals, shared)) == endless
    each = np.stack([next(every_policy(mdp)), policies.uniform(mdp.available)])[rng.integers(0, 2, len(goals))]
    endless = not all(ends_under(mdp, c, p) for c, p in zip(goals.continuation, each, strict=True))
    assert refuses(lambda: evaluate(mdp, goals, each)) == endless


@given(SEEDS)
@settings(deadline=None, max_examples=150)
def test_undiscounted_values_equal_fractions(seed):
    mdp, goals, _ = drawn(seed)
    if refuses(lambda: check_ends(mdp, goals)):
        return
    agent, right = solve(mdp, goals), exact_optimal_q(mdp, goals)
    for place in np.argwhere(np.broadcast_to(mdp.available, agent.q.shape)):
        number = right[tuple(place)]
        error = abs(Fraction(float(agent.q[tuple(place)])) - Fraction(int(number.p), int(number.q)))
        assert error <= Fraction(agent.report.value_error)
    assert agent.report.value_error <= 1e-13 * max(1.0, np.nanmax(np.abs(agent.q)))
    again = exact.solve(ExactMDP.from_float(mdp), ExactGoals.from_float(goals))
    floats = np.vectorize(lambda x: int(x.p) / int(x.q), otypes=[float])(right)
    np.testing.assert_array_equal(again.to_float().q, np.where(mdp.available, floats, np.nan))


def walk(n_states):
    """Return a walk that goes right with probability 1/2 or 3/4, and left otherwise, up to an end on each side."""
    kernel = np.zeros((n_states, 2, n_states))
    for action, right in enumerate([0.5, 0.75]):
        for state in range(1, n_states - 1):
            kernel[state, action, [state - 1, state + 1]] = 1 - right, right
    kernel[[0, -1], :, [0, -1]] = 1.0
    return MDP(kernel, 1.0)


def ends_of(n_states, n_goals):
    continuation = np.ones((n_goals, n_states))
    continuation[:, [0, -1]] = 0.0
    return continuation


def test_the_gamblers_ruin():
    """By the fair coin the chance to end on the right is s / (n - 1): the text-book's undiscounted problem."""
    mdp = walk(9)
    goal = Goals([[0.0] * 8 + [1.0]], ends_of(9, 1))
    fair = evaluate(mdp, goal, np.tile([1.0, 0.0], (9, 1)))
    np.testing.assert_allclose(fair.v[0, 1:-1], np.arange(1, 8) / 8, rtol=1e-14)
    assert (solve(mdp, goal).q[0, 1:-1].argmax(axis=1) == 1).all()


@pytest.mark.parametrize("kernel_class", [Unconstrained(), Stochastic(), Deterministic(), "supported"])
def test_undiscounted_values_are_inverted(kernel_class):
    mdp = walk(5)
    if isinstance(kernel_class, Deterministic):
        mdp = MDP(np.eye(5)[[[0, 0], [2, 3], [3, 4], [4, 4], [4, 4]]], 1.0)
    known = Supported.of(mdp) if kernel_class == "supported" else kernel_class
    rng = np.random.default_rng(0)
    agent = solve(mdp, Goals(rng.standard_normal((5, 5)), ends_of(5, 5)))
    assert agent.discount == 1.0
    assert identify(agent, known).status.name == "IDENTIFIED"
    assert invert(agent, known).max_error(mdp) < 1e-12
    few = identify(agent.select_goals([0]), Stochastic())
    assert few.status.name == "NOT_IDENTIFIED"
    few.verify()
    agent = solve(walk(5), Goals(np.eye(5), ends_of(5, 5)))
    np.testing.assert_array_equal(ExactAgentValues.from_float(agent).to_float().test_matrix, agent.test_matrix)


def test_a_long_chain_of_removals_is_quick():
    n_states = 3000
    steps = csr_array((np.ones(n_states), np.minimum(np.arange(n_states) + 1, n_states - 1), np.arange(n_states + 1)))
    mdp = MDP(steps, 1.0)
    goals = Goals(np.ones((1, n_states)), (np.arange(n_states) < n_states - 1)[None].astype(float))
    np.testing.assert_allclose(solve(mdp, goals).v[0, :-1], np.arange(n_states - 1, 0, -1), rtol=1e-14)


def test_the_message_names_goal_state_and_remedy():
    mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], 1.0, state_names=["hall", "bath"])
    goals = Goals([[0.0, 1.0]], names=["wash"])
    with pytest.raises(DiscountError, match=r"under goal 'wash', an episode in state hall may .* discount below 1\.$"):
        solve(mdp, goals)
    assert issubclass(DiscountError, TabularInversionError)
