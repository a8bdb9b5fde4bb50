"""Forward values: against exact rational arithmetic, a second method, and laws."""

import tracemalloc
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.special import logsumexp

from tabular_inversion import MDP, AgentValues, Goals, policies
from tabular_inversion.bellman import bellman_residual, evaluate, solve, solve_soft
from tabular_inversion.errors import AgentValuesError, ConvergenceError, InputError, PolicyError, ShapeError

SEEDS = st.integers(0, 10**6)
DISCOUNTS = st.sampled_from([0.0, 0.25, 0.75, 0.9375, 0.998046875])  # dyadic: floats and rationals are equal


def dyadic_rows(rng, shape, denominator=16):
    """Draw distributions whose entries are multiples of a power of two, so that floats hold them exactly."""
    cuts = np.sort(rng.integers(0, denominator + 1, (*shape[:-1], shape[-1] - 1)), axis=-1)
    ends = np.broadcast_to([0], (*shape[:-1], 1)), np.broadcast_to([denominator], (*shape[:-1], 1))
    return np.diff(np.concatenate([ends[0], cuts, ends[1]], axis=-1), axis=-1) / denominator


def random_case(seed, discount, *, n_states=5, n_actions=3, n_goals=4, extras=True):
    """Draw a world with missing actions, and goals with rewards, continuations and action rewards: all dyadic."""
    rng = np.random.default_rng(seed)
    available = rng.random((n_states, n_actions)) < 0.7
    available[np.arange(n_states), rng.integers(0, n_actions, n_states)] = True
    kernel = dyadic_rows(rng, (n_states, n_actions, n_states)) * available[:, :, None]
    goals = Goals(
        rng.integers(-8, 9, (n_goals, n_states)) / 8,
        rng.choice([0.0, 0.5, 1.0], (n_goals, n_states), p=[0.2, 0.1, 0.7]),
        rng.integers(-8, 9, (n_goals, n_states, n_actions)) / 8 if extras else None,
    )
    return MDP(kernel, discount, available), goals


def random_policy(mdp, seed, n_goals=None):
    """Draw a dyadic policy over the available actions."""
    rng = np.random.default_rng(seed)
    shape = mdp.available.shape if n_goals is None else (n_goals, *mdp.available.shape)
    weights = rng.integers(0, 4, shape) * mdp.available
    first = np.eye(mdp.n_actions)[mdp.available.argmax(axis=1)]
    # Fill up to 16 at one available action.
    return (weights + (16 - weights.sum(axis=-1, keepdims=True)) * first) / 16


def rational(array):
    """Turn floats into exact rationals, entry by entry."""
    exact = [Fraction(float(x)) for x in np.ravel(array)]
    return np.array([fmpq(x.numerator, x.denominator) for x in exact], dtype=object).reshape(np.shape(array))


def exact_q(mdp, goals, policy):
    """Evaluate a policy (G, S, A) from V = P_pi (r + gamma c V) + rho_pi: Q as an object array of rationals."""
    kernel, rewards = rational(mdp.dense().kernel), rational(goals.rewards)
    factors = rational(goals.continuation) * rational(mdp.discount)
    extra = np.zeros((goals.n_goals, *mdp.available.shape)) if goals.action_rewards is None else goals.action_rewards
    extra, weights, n_states = rational(extra), rational(policy), mdp.n_states
    result = np.empty((goals.n_goals, *mdp.available.shape), dtype=object)
    for goal in range(goals.n_goals):
        chain = (weights[goal][:, :, None] * kernel).sum(axis=1)
        right = (weights[goal] * extra[goal]).sum(axis=1) + chain @ rewards[goal]
        matrix = rational(np.eye(n_states)) - chain * factors[goal]
        solution = fmpq_mat(matrix.tolist()).solve(fmpq_mat(n_states, 1, right.tolist()))
        v = np.array([solution[s, 0] for s in range(n_states)], dtype=object)
        result[goal] = extra[goal] + kernel @ (rewards[goal] + factors[goal] * v)
    return result


def exact_optimal_q(mdp, goals):
    """Howard's policy iteration in rational arithmetic; an action changes only if it is strictly better."""
    actions = np.broadcast_to(mdp.available.argmax(axis=1), (goals.n_goals, mdp.n_states)).copy()
    for _ in range(100):
        q = exact_q(mdp, goals, np.eye(mdp.n_actions)[actions])
        better = actions.copy()
        for (goal, state), action in np.ndenumerate(actions):
            for other in np.flatnonzero(mdp.available[state]):
                if q[goal, state, other] > q[goal, state, better[goal, state]]:
                    better[goal, state] = other
            if q[goal, state, better[goal, state]] == q[goal, state, action]:
                better[goal, state] = action
        if (better == actions).all():
            return q
        actions = better
    raise AssertionError


def assert_q_equals(agent, exact, *, tolerance=1e-13):
    """Compare Q with exact values where actions are available, relative to the scale of the values."""
    mask = np.broadcast_to(agent.available, agent.q.shape)
    values = np.vectorize(lambda x: float(Fraction(int(x.p), int(x.q))), otypes=[float])(exact)[mask]
    scale = max(1.0, np.abs(values).max())
    np.testing.assert_allclose(agent.q[mask], values, atol=tolerance * scale / (1 - agent.discount), rtol=0)
    assert np.isnan(agent.q[~mask]).all()


def sparse_case(seed, *, n_states=60, n_actions=3, branching=3, discount=0.9, n_goals=8):
    """Draw a world with at most `branching` successors a row, so few that it is stored sparsely, and goals."""
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, n_states, (n_states, n_actions, branching))
    kernel = np.zeros((n_states, n_actions, n_states))
    states, actions = np.ogrid[:n_states, :n_actions]
    np.add.at(
        kernel, (states[..., None], actions[..., None], columns), rng.dirichlet(np.ones(branching), columns.shape[:2])
    )
    rewards = rng.standard_normal((n_goals, n_states))
    return MDP(kernel, discount), Goals(rewards, rng.random((n_goals, n_states)) > 0.1)


@given(SEEDS, DISCOUNTS, st.booleans())
@settings(deadline=None, max_examples=25)
def test_evaluate_equals_exact_rationals(seed, discount, extras):
    mdp, goals = random_case(seed, discount, extras=extras)
    conditional = random_policy(mdp, seed, goals.n_goals)
    assert_q_equals(evaluate(mdp, goals, conditional), exact_q(mdp, goals, conditional))
    shared = random_policy(mdp, seed)
    exact = exact_q(mdp, goals, np.broadcast_to(shared, conditional.shape))
    for method in ["auto", "dense", "iterative"]:
        assert_q_equals(evaluate(mdp, goals, shared, method=method, tolerance=1e-13), exact)


@given(SEEDS, DISCOUNTS, st.booleans())
@settings(deadline=None, max_examples=25)
def test_solve_equals_exact_rationals(seed, discount, extras):
    mdp, goals = random_case(seed, discount, extras=extras)
    exact = exact_optimal_q(mdp, goals)
    agent = solve(mdp, goals)
    assert_q_equals(agent, exact)
    assert agent.operator == "max"
    assert agent.report.converged
    assert_q_equals(solve(mdp.sparse(), goals, method="iterative", tolerance=1e-13), exact)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("discount", [0.5, 0.95, 0.999])
def test_dense_and_sparse_agree(seed, discount):
    mdp, goals = sparse_case(seed, discount=discount)
    each = policies.random(mdp.available, seed=seed, n_goals=goals.n_goals)
    forwards = [
        lambda world, **how: evaluate(world, goals, each[0], **how),
        lambda world, **how: evaluate(world, goals, each, **how),
        lambda world, **how: solve(world, goals, **how),
        lambda world, **how: solve_soft(world, goals, 0.3, **how),
    ]
    for forward in forwards:
        dense = forward(mdp, method="dense", tolerance=1e-12)
        assert dense.report.method == "dense"
        scale = np.abs(dense.test_matrix).max()
        for method in ["sparse", "iterative"]:
            sparse = forward(mdp.sparse(), method=method, tolerance=1e-12)
            assert sparse.report.method == method
            np.testing.assert_allclose(sparse.q, dense.q, atol=1e-12 * scale, rtol=0)
        np.testing.assert_array_equal(forward(mdp).q, forward(mdp.sparse()).q)


def test_deterministic_worlds_agree_by_doubling():
    mdp, goals = sparse_case(5, branching=1)
    reference = solve(mdp, goals, method="dense")
    followed = solve(mdp, goals)
    assert followed.report.method == "doubling"
    np.testing.assert_allclose(followed.q, reference.q, atol=1e-13 * np.abs(reference.q).max())
    np.testing.assert_array_equal(solve(mdp, goals, method="doubling").q, followed.q)
    policy = policies.greedy(reference.q, mdp.available)
    evaluated = evaluate(mdp, goals, policy)
    assert evaluated.report.method == "doubling"
    np.testing.assert_allclose(evaluated.q, reference.q, atol=1e-13 * np.abs(reference.q).max())


@given(SEEDS, DISCOUNTS)
@settings(deadline=None, max_examples=20)
def test_the_report_bounds_the_residual(seed, discount):
    mdp, goals = random_case(seed, discount)
    agents = [
        evaluate(mdp, goals, random_policy(mdp, seed)),
        evaluate(mdp, goals, random_policy(mdp, seed, goals.n_goals)),
        solve(mdp, goals),
        solve_soft(mdp, goals, 0.5),
    ]
    for agent in agents:
        residual = bellman_residual(mdp, agent)
        assert np.array_equal(np.isnan(residual), np.broadcast_to(~mdp.available, residual.shape))
        scale = np.abs(agent.test_matrix).max() + 1.0
        assert np.nanmax(residual) <= agent.report.residual + 4e-16 * scale
        assert agent.report.residual <= 1e-10 * scale


@pytest.mark.parametrize("discount", [1 - 1e-6, 1 - 2.0**-30])
def test_discount_close_to_one(discount):
    mdp, goals = random_case(11, discount, extras=False)
    policy = random_policy(mdp, 11)
    indicators = Goals.indicator(mdp.n_states)
    for chosen in (goals, indicators, Goals(indicators.rewards)):
        agent = evaluate(mdp, chosen, policy)
        exact = exact_q(mdp, chosen, np.broadcast_to(policy, (len(chosen), *policy.shape)))
        assert_q_equals(agent, exact, tolerance=1e-16)
        assert_q_equals(solve(mdp, chosen), exact_optimal_q(mdp, chosen), tolerance=1e-16)


def test_woodbury_is_refined_where_it_cancels():
    mdp, _ = random_case(3, 1 - 2.0**-40, n_states=8, extras=False)
    goals = Goals.indicator(8)
    policy = policies.uniform(mdp.available)
    # The chain without termination has values of about 2^40, those of the goals are at most 1.
    agent = evaluate(mdp, goals, policy, tolerance=1e-13)
    assert agent.report.residual <= 1e-13
    assert agent.report.iterations > 1


def test_discount_zero_is_the_expected_reward():
    mdp, goals = random_case(0, 0.0)
    expected = np.where(mdp.available, mdp.expectation(goals.rewards) + goals.action_rewards, np.nan)
    for agent in (
        solve(mdp, goals),
        evaluate(mdp, goals, policies.uniform(mdp.available)),
        solve_soft(mdp, goals, 1.0),
    ):
        np.testing.assert_array_equal(agent.q, expected)


def test_one_state_and_one_action():
    mdp = MDP([[[1.0]]], 0.75)
    goals = Goals([[1.0], [1.0], [-2.0]], [[1.0], [0.0], [0.5]])
    expected = np.array([4.0, 1.0, -3.2])[:, None, None]
    for agent in (solve(mdp, goals), evaluate(mdp, goals, [[1.0]]), solve_soft(mdp, goals, 2.0)):
        np.testing.assert_allclose(agent.q, expected, rtol=1e-15)


def test_rewards_of_zero_give_values_of_zero():
    mdp, _ = random_case(4, 0.9375)
    goals = Goals(np.zeros((2, 5)))
    for agent in (solve(mdp, goals), evaluate(mdp, goals, policies.uniform(mdp.available), method="iterative")):
        assert not np.nan_to_num(agent.q).any()


def test_similarity_matrix_of_a_graph():
    """M[g, s] = gamma^d(g, s) on the complete bipartite graph K_{3,3}, whose moves all tie (X1)."""
    sides = np.repeat([0, 1], 3)
    neighbours = np.array([np.flatnonzero(sides != side) for side in sides])
    mdp = MDP(np.eye(6)[neighbours], 0.5)
    distance = np.where(sides[:, None] != sides, 1, 2) - 2 * np.eye(6)
    agent = solve(mdp, Goals.indicator(6))
    np.testing.assert_array_equal(agent.test_matrix, 0.5**distance)
    assert agent.report.iterations <= 1


@pytest.mark.parametrize("discount", [0.5, 0.99])
def test_actions_that_tie_do_not_send_the_policy_round(discount):
    mdp, goals = sparse_case(7, discount=discount)
    doubled = MDP(np.repeat(mdp.kernel, 2, axis=1)[:, ::-1], discount)
    agent = solve(doubled, goals, max_iterations=10)
    np.testing.assert_allclose(agent.v, solve(mdp, goals).v, atol=1e-12 * np.abs(agent.v).max())


def test_far_goals_take_few_policy_updates():
    """On a long chain, values would spread by one state for each update if they started at zero."""
    n_states = 300
    places = np.arange(n_states)
    steps = np.stack([np.maximum(places - 1, 0), np.minimum(places + 1, n_states - 1)], axis=1)
    agent = solve(MDP(np.eye(n_states)[steps], 0.99), Goals.indicator(n_states, [0, 299]))
    np.testing.assert_allclose(agent.test_matrix[0], 0.99**places, rtol=1e-12)
    assert agent.report.iterations <= 5


def brute_force(mdp, goals, value, sweeps):
    """Value iteration from zero, from the definition, with dense arrays."""
    kernel = mdp.dense().kernel
    v = np.zeros((goals.n_goals, mdp.n_states))
    for _ in range(sweeps):
        q = np.einsum("sat,gt->gsa", kernel, goals.rewards + mdp.discount * goals.continuation * v)
        q = q if goals.action_rewards is None else q + goals.action_rewards
        v = value(np.where(mdp.available, q, -np.inf))
    return np.where(mdp.available, q, np.nan)


@pytest.mark.parametrize("temperature", [0.01, 0.5, 20.0])
def test_soft_values_are_the_fixed_point(temperature):
    mdp, goals = random_case(1, 0.75)
    agent = solve_soft(mdp, goals, temperature)
    fixed = brute_force(mdp, goals, lambda q: temperature * logsumexp(q / temperature, axis=2), sweeps=200)
    np.testing.assert_allclose(agent.q, fixed, atol=1e-13 * np.nanmax(np.abs(fixed)))
    assert (agent.operator, agent.temperature) == ("softmax", temperature)


def test_soft_values_tend_to_the_optimal_ones():
    mdp, goals = random_case(2, 0.75)
    optimal = solve(mdp, goals)
    for temperature in [1e-2, 1e-4, 1e-8]:
        gain = solve_soft(mdp, goals, temperature).v - optimal.v
        assert gain.min() >= -1e-12
        assert gain.max() <= temperature * np.log(mdp.n_actions) / (1 - mdp.discount) + 1e-12


def test_value_iteration_agrees():
    mdp, goals = random_case(8, 0.75)
    np.testing.assert_allclose(
        solve(mdp, goals).q, brute_force(mdp, goals, lambda q: q.max(axis=2), sweeps=200), atol=1e-13
    )


@given(SEEDS)
@settings(deadline=None, max_examples=10)
def test_states_may_be_renamed(seed):
    mdp, goals = random_case(seed, 0.75)
    order = np.random.default_rng(seed).permutation(mdp.n_states)
    renamed = solve(mdp.permute_states(order), goals.permute_states(order))
    np.testing.assert_allclose(renamed.q, solve(mdp, goals).permute_states(order).q, atol=1e-13)


@given(SEEDS)
@settings(deadline=None, max_examples=10)
def test_goals_do_not_disturb_each_other_and_rewards_scale(seed):
    mdp, goals = random_case(seed, 0.75)
    together = solve(mdp, goals)
    np.testing.assert_allclose(solve(mdp, goals.select([2])).q, together.q[[2]], atol=1e-13)
    tiny = Goals(goals.rewards * 2.0**-60, goals.continuation, goals.action_rewards * 2.0**-60)
    alone = solve(mdp, tiny.join(goals)).q[:4] * 2.0**60  # LAPACK may sum in another order for more goals
    np.testing.assert_allclose(alone, together.q, atol=1e-13)


def test_many_goals_are_solved_in_runs(monkeypatch):
    mdp, goals = sparse_case(9, n_goals=30)
    together = solve(mdp, goals)
    monkeypatch.setattr("tabular_inversion.bellman.problem._CHUNK_BYTES", 1)
    monkeypatch.setattr("tabular_inversion.bellman.problem._DENSE_CHUNK_BYTES", 1)
    calls = []
    apart = solve(mdp, goals, progress=lambda *seen: calls.append(seen))
    np.testing.assert_allclose(apart.q, together.q, atol=1e-13 * np.abs(together.q).max())
    each = policies.random(mdp.available, seed=0, n_goals=30)
    np.testing.assert_allclose(
        evaluate(mdp, goals, each).q[[3]], evaluate(mdp, goals.select([3]), each[[3]]).q, atol=1e-13
    )
    done, totals = zip(*calls, strict=True)
    assert len(calls) >= 4
    assert list(done) == sorted(done)
    assert len(set(done)) >= 4
    assert done[-1] == 30
    assert set(totals) == {30}


def test_only_arrays_that_no_one_can_write_to_are_kept_without_a_copy():
    q = np.zeros((1, 2, 1))
    goals = Goals([[0.0, 1.0]])
    assert not np.shares_memory(AgentValues(q, goals, 0.5).q, q)
    view = q[:]
    view.flags.writeable = False
    assert not np.shares_memory(AgentValues(view, goals, 0.5).q, q)
    q.flags.writeable = False
    assert AgentValues(q, goals, 0.5).q is q


def test_a_solution_cut_short_is_refused():
    mdp, goals = sparse_case(0, n_states=100, discount=0.99, n_goals=5)
    agent = solve(mdp, goals)
    assert agent.report.iterations > 1
    with pytest.raises(ConvergenceError, match=r"miss the tolerance 1e-10 after 1 policy updates: .* or max_iter"):
        solve(mdp, goals, max_iterations=1)
    with pytest.raises(ConvergenceError, match="after 1 policy updates"):
        solve_soft(mdp, goals, 0.1, max_iterations=1)
    assert solve(mdp, goals, max_iterations=agent.report.iterations) == agent


def test_a_tolerance_below_rounding_is_refused():
    mdp, goals = sparse_case(0, discount=0.99)
    with pytest.raises(ConvergenceError, match=r"miss the tolerance 1e-18 after .* corrections in doubled precision"):
        evaluate(mdp, goals, policies.uniform(mdp.available), tolerance=1e-18)
    with pytest.raises(ConvergenceError, match=r"miss the tolerance 1e-18"):
        solve(mdp, goals, tolerance=1e-18)


def test_goals_on_other_states_are_refused():
    mdp, _ = random_case(0, 0.75)
    goals = Goals.indicator(4)
    for forward in (
        lambda: evaluate(mdp, goals, policies.uniform(mdp.available)),
        lambda: solve(mdp, goals),
        lambda: solve_soft(mdp, goals, 1.0),
    ):
        with pytest.raises(ShapeError, match="goals are on 4 states and the world has 5"):
            forward()


def test_what_does_not_fit_is_refused():
    mdp, goals = random_case(0, 0.75)
    with pytest.raises(ShapeError, match="action_rewards are for 2 actions and the world has 3"):
        solve(mdp, Goals(goals.rewards, action_rewards=goals.action_rewards[:, :, :2]))
    with pytest.raises(ShapeError):
        evaluate(mdp, goals, np.full((4, 3), 1 / 3))
    with pytest.raises(ShapeError):
        evaluate(mdp, goals, np.broadcast_to(policies.uniform(mdp.available), (3, 5, 3)))
    with pytest.raises(PolicyError, match="sum"):
        evaluate(mdp, goals, 0.5 * policies.uniform(mdp.available))
    with pytest.raises(PolicyError, match="unavailable"):
        evaluate(mdp, goals, np.full((5, 3), 1 / 3))
    with pytest.raises(InputError, match="method is 'quick'"):
        solve(mdp, goals, method="quick")
    with pytest.raises(InputError, match="max_iterations is 0"):
        solve(mdp, goals, max_iterations=0)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_tolerances_and_temperatures_are_positive(value):
    mdp, goals = random_case(0, 0.75)
    with pytest.raises(InputError, match="tolerance"):
        solve(mdp, goals, tolerance=value)
    with pytest.raises(InputError, match="tolerance"):
        evaluate(mdp, goals, policies.uniform(mdp.available), tolerance=value)
    with pytest.raises(InputError, match="temperature"):
        solve_soft(mdp, goals, value)


def test_the_residual_sees_one_wrong_value():
    mdp, goals = random_case(0, 0.75)
    agent = evaluate(mdp, goals, random_policy(mdp, 0))
    unused = np.argwhere(mdp.available & (agent.policy == 0))[0]  # V does not depend on it
    q = agent.q.copy()
    q[1, unused[0], unused[1]] += 0.125
    residual = bellman_residual(mdp, replace(agent, q=q))
    assert residual[1, unused[0], unused[1]] == pytest.approx(0.125, abs=1e-13)
    residual[1, unused[0], unused[1]] = 0.0
    assert np.nanmax(residual) < 1e-13


def test_the_residual_refuses_another_world():
    mdp, goals = random_case(0, 0.75)
    agent = solve(mdp, goals)
    with pytest.raises(AgentValuesError, match=r"discount 0\.75; expected 0\.5"):
        bellman_residual(mdp.with_discount(0.5), agent)
    with pytest.raises(ShapeError, match=r"\(5, 3\); expected \(1, 1\)"):
        bellman_residual(MDP([[[1.0]]], 0.75), agent)
    everything = AgentValues(np.nan_to_num(agent.q), goals, 0.75)
    with pytest.raises(AgentValuesError, match="available"):
        bellman_residual(mdp, everything)


@pytest.mark.slow
def test_large_sparse_worlds_stay_within_memory():
    """20,000 states: no square array (3.2 GB) may appear, and the residual is that of the values returned."""
    rng = np.random.default_rng(0)
    n_states, n_actions, branching = 20_000, 4, 5
    n_rows = n_states * n_actions
    rows = np.repeat(np.arange(n_rows), branching)
    weights = rng.dirichlet(np.ones(branching), n_rows).ravel()
    kernel = csr_array((weights, (rows, rng.integers(0, n_states, len(rows)))), (n_rows, n_states))
    mdp, goals = MDP(kernel, 0.95), Goals.indicator(n_states, rng.integers(0, n_states, 16))
    tracemalloc.start()
    try:
        agent = solve(mdp, goals)
        assert tracemalloc.get_traced_memory()[1] < 2**29
    finally:
        tracemalloc.stop()
    assert np.nanmax(bellman_residual(mdp, agent)) <= 1e-10
