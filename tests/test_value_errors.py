"""The error that a solver's report states, against fractions: rare events, many scales, discounts up to 1."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from test_bellman import exact_optimal_q, exact_q

from tabular_inversion import MDP, Goals, policies
from tabular_inversion.bellman import bellman_residual, evaluate, solve, solve_soft, value_bounds
from tabular_inversion.errors import ConvergenceError, DiscountError, KernelError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact import solve as exact_solve
from tabular_inversion.linear_systems import doubled


def hard_case(rng, discount):
    """Draw a world with rare successors and missing actions, and goals of very different scales and continuations."""
    n_states, n_actions, n_goals = int(rng.integers(1, 6)), int(rng.integers(1, 4)), 3
    kernel = rng.standard_exponential((n_states, n_actions, n_states)) ** rng.integers(1, 6)
    kernel[rng.random(kernel.shape) < 0.6] = 0
    states, actions = np.ogrid[:n_states, :n_actions]
    kernel[states, actions, rng.integers(0, n_states, (n_states, n_actions))] += rng.choice([1e-9, 0.1, 1.0])
    kernel /= kernel.sum(axis=2, keepdims=True)
    available = rng.random((n_states, n_actions)) < 0.8
    available[:, 0] = True
    rewards = rng.standard_normal((n_goals, n_states)) * 10.0 ** rng.integers(-8, 8, (n_goals, 1))
    if rng.random() < 0.3:
        rewards = np.round(rewards) + 1e6
    shape = (n_goals, n_states)
    continuation = np.ones(shape) if rng.random() < 0.5 else rng.choice([0, 0.3, 0.9999, 1.0], shape)
    extra = rng.standard_normal((*shape, n_actions)) if rng.random() < 0.3 else None
    return MDP(kernel * available[:, :, None], discount, available), Goals(rewards, continuation, extra)


def fraction(number):
    return Fraction(int(number.p), int(number.q))


def check(agent, exact):
    """Compare each value with its fraction, and return the largest error relative to the largest value of its goal."""
    worst, shown = 0.0, np.argwhere(agent.available)
    for goal in range(agent.n_goals):
        right = [fraction(exact[goal, s, a]) for s, a in shown]
        errors = [abs(Fraction(float(agent.q[goal, s, a])) - r) for (s, a), r in zip(shown, right, strict=True)]
        assert max(errors) <= Fraction(agent.report.value_error)
        worst = max(worst, float(max(errors) / max(*map(abs, right), Fraction(1, 10**300))))
        for state in range(agent.n_states if agent.report.policy_proved else 0):
            actions = np.flatnonzero(agent.available[state])
            first_best = actions[np.argmax(agent.q[goal, state, actions])]
            best = max(fraction(exact[goal, state, a]) for a in actions)
            assert fraction(exact[goal, state, first_best]) == best
    return worst


def campaign(seed, count, exponents):
    rng = np.random.default_rng(seed)
    judged = []
    for _ in range(count):
        discount = 1.0 - 10.0 ** -float(rng.choice(exponents))
        mdp, goals = hard_case(rng, discount)
        mdp = mdp.sparse() if rng.random() < 0.3 else mdp
        each = policies.random(mdp.available, seed=rng, n_goals=goals.n_goals)
        worst = [
            check(evaluate(mdp, goals, each), exact_q(mdp, goals, each)),
            check(evaluate(mdp, goals, each[0]), exact_q(mdp, goals, np.broadcast_to(each[0], each.shape))),
        ]
        agent = solve(mdp, goals)
        worst.append(check(agent, exact_optimal_q(mdp, goals)))
        assert agent.report.converged
        judged.append(agent.report.policy_proved)
        if discount > 1 - 1e-6:
            assert max(worst) < 2e-14
    return judged


def test_stated_errors_hold_and_near_discount_one_values_are_right_to_the_last_digits():
    judged = campaign(0, 250, range(16))
    assert sum(judged) > 125


@pytest.mark.slow
def test_stated_errors_hold_in_a_long_campaign():
    campaign(1, 20_000, range(16))


def test_the_campaign_sees_a_stated_error_that_is_too_small(monkeypatch):
    monkeypatch.setattr(value_bounds, "rounding_of_change", lambda *_: 0.0)
    monkeypatch.setattr(value_bounds, "rounding_of_values", lambda *_: 0.0)
    monkeypatch.setattr(value_bounds, "_NEAR", 0.0)
    with pytest.raises(AssertionError):
        campaign(0, 250, range(12))


def test_one_state_and_rows_that_sum_to_more_than_one():
    """One state, one reward: V = 1 / (1 - discount). Rows that sum to 1 + 9e-10 made it negative."""
    for discount in [0.0, 0.5, 1 - 1e-10, 1 - 1e-15]:
        agent = solve(MDP([[[1.0]]], discount), Goals([[1.0]]))
        right = 1 / (1 - Fraction(discount))
        assert abs(Fraction(float(agent.v[0, 0])) - right) <= Fraction(agent.report.value_error) <= right / 10**12
    with pytest.raises(KernelError, match="normalised"):
        MDP([[[1 + 9e-10]]], 1 - 1e-10)


def test_rows_that_sum_to_more_than_one_over_the_discount_have_no_values():
    world = MDP([[[1 + 4e-16]]], 1 - 2.0**-53)
    for forward in (lambda: solve(world, Goals([[1.0]])), lambda: evaluate(world, Goals([[1.0]]), [[1.0]])):
        with pytest.raises(ConvergenceError, match=r"tolerance|singular"):
            forward()


def test_the_best_action_is_found_where_values_are_large_beside_what_it_gains():
    """Action 1 pays a part in a thousand less, and at 1 - 1e-10 that is a part in 1e13 of the values."""
    kernel = np.array([[[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0.75, 0.25]]])
    goals = Goals([[1.0, 2.0]], action_rewards=[[[0.0, -1e-3], [-1e-3, 0.0]]])
    for power in [10, 20, 30, 33, 40]:
        mdp = MDP(kernel, 1 - 2.0**-power)
        agent = solve(mdp, goals)
        exact = exact_solve(ExactMDP.from_float(mdp), ExactGoals.from_float(goals))
        best = [max(range(2), key=lambda a, s=s: exact.q[0, s, a]) for s in range(2)]
        assert agent.report.policy_proved
        assert agent.q[0].argmax(axis=1).tolist() == best


def test_ties_are_proved_for_twins_and_left_open_otherwise():
    twins = MDP([[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [1.0, 0.0]]], 0.9)
    assert solve(twins, Goals([[1.0, 0.0]])).report.policy_proved
    paid = Goals([[1.0, 0.0]], action_rewards=[[[0.0, 1e-17], [0.0, 0.0]]])
    assert not solve(twins, paid).report.policy_proved
    symmetric = MDP(np.array([[[0, 1, 0, 0], [0, 0, 1, 0]], *[[[0, 0, 0, 1]] * 2] * 3], float), 0.9)
    assert not solve(symmetric, Goals.indicator(4, [3])).report.policy_proved
    assert evaluate(twins, Goals([[1.0, 0.0]]), policies.uniform(twins.available)).report.policy_proved is None


@pytest.mark.parametrize("power", [1, 10, 34, 44])
def test_soft_values_against_eighty_digits(power):
    """Newton's method in 80 digits, from the definition."""
    rng = np.random.default_rng(power)
    kernel = np.round(rng.dirichlet(np.ones(3), (3, 2)) * 64) / 64
    kernel[:, :, 0] += 1 - kernel.sum(axis=2)
    rewards, temperature, discount = rng.standard_normal((1, 3)), 0.3, 1 - 2.0**-power
    agent = solve_soft(MDP(kernel, discount), Goals(rewards), temperature)
    with mpmath.workdps(80):
        p = [[[mpmath.mpf(float(x)) for x in row] for row in state] for state in kernel]
        r, t, d = [mpmath.mpf(float(x)) for x in rewards[0]], mpmath.mpf(temperature), mpmath.mpf(discount)
        m = mpmath.matrix([mpmath.mpf(float(x)) for x in agent.test_matrix[0]])
        for _ in range(12):
            q = [[sum(p[s][a][u] * m[u] for u in range(3)) for a in range(2)] for s in range(3)]
            v = [max(row) + t * mpmath.log(sum(mpmath.exp((x - max(row)) / t) for x in row)) for row in q]
            weights = [[mpmath.exp((x - v[s]) / t) for x in q[s]] for s in range(3)]
            matrix = mpmath.matrix(3, 3)
            for s in range(3):
                for u in range(3):
                    matrix[s, u] = (s == u) - d * sum(weights[s][a] * p[s][a][u] for a in range(2))
            m = m + mpmath.lu_solve(matrix, mpmath.matrix([r[s] + d * v[s] - m[s] for s in range(3)]))
        error = max(abs(mpmath.mpf(float(agent.q[0, s, a])) - q[s][a]) for s in range(3) for a in range(2))
        size = max(abs(x) for row in q for x in row)
        assert error <= agent.report.value_error
        assert error <= size * mpmath.mpf(2e-15 if power > 20 else 1e-10)


@pytest.mark.parametrize("method", ["dense", "sparse", "iterative"])
def test_every_method_is_refined(method):
    rng = np.random.default_rng(5)
    kernel = np.zeros((40, 2, 40))
    states, actions = np.ogrid[:40, :2]
    for weight in (0.75, 0.25):
        np.add.at(kernel, (states, actions, rng.integers(0, 40, (40, 2))), weight)
    mdp = MDP(kernel, 1 - 2.0**-40)
    mdp = mdp.dense() if method == "dense" else mdp.sparse()
    goals = Goals(rng.integers(-8, 8, (2, 40)) / 8)
    policy = policies.uniform(mdp.available)
    agent = evaluate(mdp, goals, policy, method=method)
    assert check(agent, exact_q(mdp, goals, np.broadcast_to(policy, (2, *policy.shape)))) < 1e-15
    best = solve(mdp, goals, method=method)
    assert best.report.value_error <= 1e-15 * np.abs(best.q).max()
    assert np.nanmax(bellman_residual(mdp, best)) <= best.report.residual + 4e-16 * np.abs(best.q).max()


def test_pairs_are_used_only_where_floats_do_not_suffice(monkeypatch):
    calls = []
    original = doubled.DoubledProduct.__call__
    monkeypatch.setattr(doubled.DoubledProduct, "__call__", lambda *given: calls.append(1) or original(*given))
    mdp = MDP(np.random.default_rng(0).dirichlet(np.ones(20), (20, 3)), 0.99)
    solve(mdp, Goals.indicator(20))
    evaluate(mdp, Goals.indicator(20), policies.uniform(mdp.available))
    assert not calls
    solve(mdp.with_discount(1 - 1e-9), Goals(np.eye(20)))
    assert calls


def test_discount_one_needs_an_end():
    stay_or_go = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    mdp = MDP(stay_or_go, 1.0, state_names=["start", "end"])
    with pytest.raises(DiscountError, match=r"under goal 0, an episode in state start may go on for ever by some"):
        solve(mdp, Goals.indicator(2, [1]))
    agent = evaluate(mdp, Goals.indicator(2, [1]), policies.uniform(mdp.available))
    assert agent.v[0, 0] == 1.0
