"""Exact values against their own equations, enumeration of policies, floats, and laws."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tabular_inversion import Goals, bellman, exact
from tabular_inversion.environments import four_rooms
from tabular_inversion.errors import AgentValuesError, ConvergenceError, InputError, PolicyError, ShapeError
from tabular_inversion.exact import (
    ExactAgentValues,
    ExactGoals,
    ExactMDP,
    bellman_residual,
    evaluate,
    fraction_array,
    modular_test_matrix,
    rank,
    solve,
)
from tabular_inversion.exact.modular import residues
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.policies import deterministic
from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

QUICK = settings(deadline=None, max_examples=30)
HALF = Fraction(1, 2)


@st.composite
def problems(draw: st.DrawFn, *, conditional: bool | None = None) -> tuple[ExactMDP, ExactGoals, FractionArray]:
    world = draw(exact_mdps(n_states=st.integers(1, 3), n_actions=st.integers(1, 2)))
    extra = draw(st.sampled_from([None, world.n_actions]))
    goals = draw(exact_goals(world.n_states, n_actions=extra))
    own = draw(st.booleans()) if conditional is None else conditional
    return world, goals, draw(exact_policies(world.available, n_goals=goals.n_goals if own else None))


def is_zero(values: FractionArray) -> bool:
    return not any(value for value in values.ravel() if value is not None)


@QUICK
@given(problems())
def test_values_satisfy_the_bellman_equation_exactly(problem: tuple[ExactMDP, ExactGoals, FractionArray]) -> None:
    world, goals, policy = problem
    agent = evaluate(world, goals, policy)
    assert agent.operator == "policy"
    assert is_zero(bellman_residual(world, agent))
    # The equation written out, entry by entry.
    extra = np.zeros(agent.q.shape, int) if goals.action_rewards is None else goals.action_rewards
    for g, s, a in zip(*np.nonzero(np.broadcast_to(world.available, agent.q.shape)), strict=True):
        arrival = goals.rewards[g] + world.discount * goals.continuation[g] * agent.v[g]
        assert agent.q[g, s, a] == extra[g, s, a] + (world.kernel[s, a] * arrival).sum()


@QUICK
@given(problems())
def test_values_agree_with_the_float_solver(problem: tuple[ExactMDP, ExactGoals, FractionArray]) -> None:
    world, goals, policy = problem
    # Values are below 3 * 200, at tolerance 1e-10; discount 99/100 may amplify the rounding of the kernel 100 times.
    found = bellman.evaluate(world.to_float(), goals.to_float(), to_floats(policy)).q
    expected = evaluate(world, goals, policy).to_float().q
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    best = bellman.solve(world.to_float(), goals.to_float()).q
    np.testing.assert_allclose(best, solve(world, goals).to_float().q, rtol=1e-9, atol=1e-9)


@QUICK
@given(problems())
def test_optimal_values_are_the_best_over_all_policies(problem: tuple[ExactMDP, ExactGoals, FractionArray]) -> None:
    world, goals, _ = problem
    agent = solve(world, goals)
    assert agent.operator == "max"
    assert is_zero(bellman_residual(world, agent))
    choices = product(*(np.flatnonzero(row).tolist() for row in world.available))
    values = [
        evaluate(world, goals, deterministic(np.array(actions), world.available).astype(int)).v for actions in choices
    ]
    assert np.array_equal(np.max(values, axis=0), agent.v)


@QUICK
@given(problems(conditional=True))
def test_each_goal_is_evaluated_on_its_own(problem: tuple[ExactMDP, ExactGoals, FractionArray]) -> None:
    world, goals, policy = problem
    together = evaluate(world, goals, policy)
    for g in range(goals.n_goals):
        alone = evaluate(world, goals.select([g]), policy[[g]])
        assert np.array_equal(alone.q[0], together.q[g])


@QUICK
@given(problems(conditional=False), st.fractions(-3, 3, max_denominator=5))
def test_values_are_linear_in_rewards(problem: tuple[ExactMDP, ExactGoals, FractionArray], factor: Fraction) -> None:
    world, goals, policy = problem
    assume(goals.n_goals > 1)
    same = ExactGoals(goals.rewards, np.repeat(goals.continuation[:1], goals.n_goals, axis=0))
    mixture = ExactGoals(same.rewards[:1] + factor * same.rewards[1:2], same.continuation[:1])
    m = evaluate(world, same, policy).test_matrix
    assert np.array_equal(evaluate(world, mixture, policy).test_matrix[0], m[0] + factor * m[1])


@QUICK
@given(problems(), st.randoms(use_true_random=False))
def test_renaming_states_renames_values(problem: tuple[ExactMDP, ExactGoals, FractionArray], random: object) -> None:
    world, goals, policy = problem
    order = list(range(world.n_states))
    random.shuffle(order)
    extra = None if goals.action_rewards is None else goals.action_rewards[:, order]
    renamed = ExactMDP(world.kernel[order][:, :, order], world.discount, world.available[order])
    renamed_goals = ExactGoals(goals.rewards[:, order], goals.continuation[:, order], extra)
    expected = evaluate(world, goals, policy)
    found = evaluate(renamed, renamed_goals, policy[..., order, :])
    assert np.array_equal(found.q, expected.q[:, order])
    assert np.array_equal(solve(renamed, renamed_goals).q, solve(world, goals).q[:, order])


@QUICK
@given(problems())
def test_the_modular_test_matrix_is_that_of_the_rationals(
    problem: tuple[ExactMDP, ExactGoals, FractionArray],
) -> None:
    world, goals, policy = problem
    agent = evaluate(world, goals, policy)
    for prime in (2**61 - 1, 1_000_003):
        found = modular_test_matrix(world, goals, policy, prime=prime)
        assert found == residues(agent.test_matrix, prime)
        assert found.rank() <= rank(agent.test_matrix).rank


def test_unlucky_primes_are_refused_in_words() -> None:
    world = ExactMDP([[["1/3", "2/3"]], [[1, 0]]], HALF)
    goals, policy = ExactGoals([[1, 0]]), [[1], [1]]
    with pytest.raises(InputError, match="divides a denominator"):
        modular_test_matrix(world, goals, policy, prime=3)
    singular = ExactMDP([[[1]]], "4/9")  # 1 - 4/9 = 5/9
    with pytest.raises(InputError, match="singular modulo 5"):
        modular_test_matrix(singular, ExactGoals([[1]]), [[1]], prime=5)
    with pytest.raises(InputError, match="no prime"):
        modular_test_matrix(world, goals, policy, prime=10)


def test_wrong_values_have_a_residual() -> None:
    world = ExactMDP([[[0, 1], [1, 0]], [[1, 0], [0, 0]]], HALF, [[True, True], [True, False]])
    agent = solve(world, ExactGoals([[0, 1]]))
    wrong_q = agent.q.copy()
    wrong_q[0, 0, 1] += Fraction(1, 10**50)
    wrong = ExactAgentValues(wrong_q, agent.goals, HALF, available=world.available)
    residual = bellman_residual(world, wrong)
    assert residual[0, 0, 1] == Fraction(1, 10**50)
    assert residual[0, 1, 1] is None


def test_a_suboptimal_agent_is_not_taken_for_an_optimal_one() -> None:
    world = ExactMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], HALF)
    goals = ExactGoals([[0, 1]])
    lazy = evaluate(world, goals, [[1, 0], [1, 0]])
    claimed = ExactAgentValues(lazy.q, goals, HALF)
    assert not is_zero(bellman_residual(world, claimed))


@pytest.mark.parametrize(
    "function", [lambda w, g: evaluate(w, g, [[1]]), solve, lambda w, g: modular_test_matrix(w, g, [[1]])]
)
def test_goals_that_do_not_fit_are_refused(function: object) -> None:
    world = ExactMDP([[[1]]], HALF)
    with pytest.raises(ShapeError, match="2 states; expected 1"):
        function(world, ExactGoals([[1, 2]]))
    with pytest.raises(ShapeError, match="2 actions; expected 1"):
        function(world, ExactGoals([[1]], action_rewards=[[[1, 2]]]))


def test_policies_and_agents_that_do_not_fit_are_refused() -> None:
    world, goals = ExactMDP([[[1], [1]]], HALF), ExactGoals([[1]])
    with pytest.raises(PolicyError, match="sum 2"):
        evaluate(world, goals, [[1, 1]])
    with pytest.raises(ShapeError, match="policy"):
        evaluate(world, goals, [[[1, 0]]] * 2)
    with pytest.raises(ShapeError, match="as the world"):
        bellman_residual(world, ExactAgentValues([[[1]]], goals, HALF))
    with pytest.raises(AgentValuesError, match="discount 0; expected 1/2"):
        bellman_residual(world, ExactAgentValues([[[1, 1]]], goals, 0))
    with pytest.raises(AgentValuesError, match="mask"):
        bellman_residual(world, ExactAgentValues([[[1, 1]]], goals, HALF, available=[[True, False]]))


@pytest.mark.parametrize(
    ("rewards", "discount"),
    [
        ([10**400, 0], HALF),
        ([Fraction(1, 10**400), 0], HALF),
        ([1, 0], 1 - Fraction(1, 10**12)),
        ([1, 0], 1 - Fraction(1, 10**40)),
        ([1, 1 + Fraction(1, 10**60)], Fraction(9, 10)),
    ],
    ids=["beyond floats", "below floats", "1 - 1e-12", "1 - 1e-40", "tie in floats"],
)
def test_where_floats_cannot_help_the_answer_is_still_exact(rewards: list[Fraction], discount: Fraction) -> None:
    swap_or_stay = ExactMDP([[[0, 1], [1, 0]], [[0, 1], [1, 0]]], discount)
    agent = solve(swap_or_stay, ExactGoals([rewards]))
    assert is_zero(bellman_residual(swap_or_stay, agent))
    assert agent.v.tolist() == [[max(rewards) / (1 - discount)] * 2]


def test_a_float_solver_that_gives_up_costs_only_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ExactMDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], HALF)
    goals = ExactGoals([[0, 1], [1, 0]])
    expected = solve(world, goals)

    def give_up(*_: object) -> None:
        raise ConvergenceError("not today")

    monkeypatch.setattr(bellman, "solve", give_up)
    assert solve(world, goals) == expected


@pytest.mark.parametrize("variant", ["deterministic", "windy", "teleport"])
def test_four_rooms_with_all_68_goals(variant: str) -> None:
    floats = four_rooms(variant, discount=0.99)
    world = ExactMDP.from_float(floats, limit_denominator=1000)
    goals = ExactGoals.from_float(Goals.indicator(68))
    agent = solve(world, goals)
    assert is_zero(bellman_residual(world, agent))
    result = rank(agent.test_matrix)
    assert result.rank == 68
    result.verify(agent.test_matrix)
    found = bellman.solve(floats, Goals.indicator(68)).test_matrix
    np.testing.assert_allclose(found, to_floats(agent.test_matrix), rtol=0, atol=1e-9)
    if variant == "deterministic":  # M[g, s] = gamma^d(g, s)
        powers = {Fraction(99, 100) ** d for d in range(30)}
        assert set(agent.test_matrix.ravel()) <= powers


def complete_bipartite(discount: Fraction) -> ExactMDP:
    """K_{3,3}: the action chooses a neighbour."""
    kernel = np.zeros((6, 3, 6), int)
    for s, a in product(range(6), range(3)):
        kernel[s, a, a + 3 if s < 3 else a] = 1
    return ExactMDP(kernel, discount)


@pytest.mark.parametrize("k", [2, 10, 30, 60])
def test_an_exceptional_discount_is_told_from_its_neighbours(k: int) -> None:
    goals = ExactGoals.from_float(Goals.indicator(6))
    ranks = [
        rank(solve(complete_bipartite(discount), goals).test_matrix).rank
        for discount in (HALF - Fraction(1, 2**k), HALF, HALF + Fraction(1, 2**k))
    ]
    assert ranks == [6, 5, 6]


def test_two_worlds_with_the_same_optimal_values_for_every_goal() -> None:
    """K_{3,3} at 1/2 with one noisy action: mass 1/24 moves from one side to the other, and no value changes."""
    plain = complete_bipartite(HALF)
    noisy = fraction_array(np.concatenate([plain.kernel, plain.kernel[:, :1]], axis=1))
    noisy[0, 3] = fraction_array(["7/12", *["1/12"] * 5])
    moved = noisy.copy()
    moved[0, 3] += fraction_array(["1/24"] * 3 + ["-1/24"] * 3)
    goals = ExactGoals.from_float(Goals.indicator(6))
    first, second = (solve(ExactMDP(kernel, HALF), goals) for kernel in (noisy, moved))
    assert not np.array_equal(noisy, moved)
    assert first == second


def test_dense_unconditional_policy_full_rank_by_a_prime() -> None:
    rng = np.random.default_rng(0)
    n, m = 60, 2
    weights = rng.integers(1, 10, (n, m, n)).astype(object)
    world = ExactMDP(weights * Fraction(1) / weights.sum(axis=2, keepdims=True), "99/100")
    rewards = fraction_array(rng.integers(-99, 100, (n, n))) / 7
    uniform = np.full((n, m), Fraction(1, m))
    assert modular_test_matrix(world, ExactGoals(rewards), uniform).rank() == n
    repeated = ExactGoals(np.concatenate([rewards[:-1], rewards[:1]]))
    assert modular_test_matrix(world, repeated, uniform).rank() == n - 1
    assert exact.rank(rewards).rank == n  # L1: under one policy, rank M = rank R
