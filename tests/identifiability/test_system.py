"""The one row system: its scaling changes no null space, its bounds hold, and its rank knows what it does not know."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import AgentValues, Goals, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.recovery.equations import build_equations, contracts
from tabular_inversion.recovery.independence import independent_columns
from tabular_inversion.recovery.rank import RankStatus, split_into_rows
from tabular_inversion.recovery.system import RowSystem


def build(matrix, sums_to_one=True, truth=None):
    matrix = np.asarray(matrix, dtype=float)
    n = matrix.shape[1]
    rows = np.full((1, n), 1.0 / n) if truth is None else truth
    return RowSystem.of(matrix, matrix @ rows.T, sums_to_one=sums_to_one)


def exact(system):
    """The same system of numbers that are exact."""
    return replace(system, matrix_error=np.zeros_like(system.matrix_error))


def status(system):
    return system.rank_decision.status


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-60, 1.0, 2.0**60, 2.0**1000])
@pytest.mark.parametrize("sums_to_one", [True, False])
def test_scaling_rewards_changes_no_verdict(scale, sums_to_one):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((5, 5))
    assert build(matrix * scale, sums_to_one).rank == 5
    assert status(build(matrix * scale, sums_to_one)) is RankStatus.FULL
    matrix[4] = matrix[0]
    matrix[3] = matrix[1]
    assert status(build(matrix * scale, sums_to_one)) is RankStatus.DEFICIENT


@pytest.mark.parametrize("sums_to_one", [True, False])
def test_a_power_of_two_for_each_goal_and_for_each_state_changes_no_rank_decision(sums_to_one):
    rng = np.random.default_rng(1)
    for _ in range(40):
        matrix = rng.standard_normal((4, 4)) * 2.0 ** rng.integers(-60, 61, (4, 1))
        assert status(build(matrix, sums_to_one)) is RankStatus.FULL
        if not sums_to_one:  # the row of ones has its own unit for each state
            assert status(build(matrix * 2.0 ** rng.integers(-60, 61, 4), sums_to_one)) is RankStatus.FULL


def test_one_row_with_entries_of_very_different_size_keeps_them_all():
    """Row scaling alone does not cure this: the small entries are the only ones that tell three states apart."""
    matrix = np.array([[1.0, 2.0, 3.0, 2.0**60], [3.0, 1.0, 2.0, -(2.0**60)], [0.0, 0.0, 0.0, 1.0]])
    assert status(build(matrix)) is RankStatus.FULL
    assert build(matrix).rank_decision.proved


def test_small_entries_beside_a_large_one_that_rounding_may_move_prove_nothing():
    """Adding ``a = x[3] / x[1]`` to one of the ones makes x a null vector, and a is far below their rounding."""
    matrix = np.array([[1.0, 2.0, 3.0, 1e12], [2.0**-30, 2.0**-29, 5 * 2.0**-31, 2.0**40], [1.0, 1.0, 1.0, 2.0]])
    assert status(build(matrix)) is RankStatus.UNKNOWN
    assert status(exact(build(matrix))) is RankStatus.FULL


def test_true_rows_satisfy_the_scaled_system():
    rng = np.random.default_rng(2)
    truth = rng.dirichlet(np.ones(6), size=7)
    system = build(rng.standard_normal((3, 6)) + 50.0, truth=truth)
    np.testing.assert_allclose(system.matrix @ truth.T, system.values, atol=1e-13)


def test_the_bounds_hold_against_fractions():
    """Each entry of the scaled system, and each value, is within its bound of the exact one."""
    rng = np.random.default_rng(3)
    for trial in range(60):
        mdp = random_mdp(4, 2, branching=2, seed=trial, discount=float(rng.choice([0.0, 0.5, 0.999])))
        rewards = rng.integers(-9, 9, (3, 4)) * 2.0 ** rng.integers(-40, 41, (3, 1)) + 2.0 ** rng.integers(
            0, 48, (3, 1)
        )
        true = solve(mdp, Goals(rewards))
        eps = float(2.0 ** rng.integers(-50, -10))
        agent = replace(true, q=true.q + rng.uniform(-eps, eps, true.q.shape), report=None)
        system = RowSystem.of_agent(agent, sums_to_one=True, noise=eps)
        k, exponents = 3, system.equations.exponents.ravel()
        for g in range(k):
            factor, centre = Fraction(2) ** int(exponents[g]), Fraction(float(system.equations.centre[g, 0]))
            value = [max(map(Fraction, map(float, true.q[g, s]))) for s in range(4)]
            exactly = [Fraction(float(rewards[g, s])) + Fraction(mdp.discount) * value[s] for s in range(4)]
            for s in range(4):
                gap = abs((exactly[s] - centre) * factor - Fraction(float(system.matrix[g, s])))
                assert gap <= Fraction(float(system.uncertainty[g, s]))
            for row in range(8):
                shown = Fraction(float(true.q[g].ravel()[row]))
                gap = abs((shown - centre) * factor - Fraction(float(system.values[g, row])))
                assert gap <= Fraction(float(system.value_uncertainty[g, row]))


def test_without_continuation_the_test_functions_are_exact():
    agent = AgentValues([[[1.0], [3.0]]], Goals([[2.0, 6.0]]), discount=0.0)
    assert not RowSystem.of_agent(agent, sums_to_one=True).uncertainty.any()


def test_a_constant_goal_is_not_mistaken_for_information():
    # gamma near 1: a constant reward of 1 gives V = 1e6, with rounding noise that must not count as a direction.
    noise = 1e6 * np.finfo(float).eps * np.array([[1.0, -1.0, 2.0, 0.0]])
    system = build(1e6 + noise)
    assert system.rank < 4
    assert status(system) is RankStatus.DEFICIENT
    three = build(np.concatenate([1e6 + noise, np.eye(4)[:2]]))
    assert status(replace(three, matrix_error=8.0 * three.matrix_error)) is not RankStatus.FULL


def test_a_constant_hides_no_more_than_its_rounding():
    base = np.array([[0.0, 1.0, 0.0], [2.0**30, 2.0**30 + 1.0, 2.0**30 - 3.0]])
    assert status(build(base)) is RankStatus.FULL
    lost = np.array([[0.0, 1.0, 0.0], [2.0**53, 2.0**53 + 2.0, 2.0**53 + 2.0]])
    assert status(build(lost)) is RankStatus.UNKNOWN


def test_what_rounding_could_have_made_is_not_decided():
    gap = 2.0**-52
    assert status(build([[1.0, 0.0], [1.0, gap]], sums_to_one=False)) is RankStatus.FULL  # one unit of the second state
    assert status(build([[1.0, 1.0], [1.0, 1.0 + gap]], sums_to_one=False)) is RankStatus.UNKNOWN
    assert status(exact(build([[1.0, 1.0], [1.0, 1.0 + gap]], sums_to_one=False))) is RankStatus.FULL


def test_a_coincidence_counts_only_where_nothing_near_it_differs():
    matrix = np.array([[1.0, 1.0, 2.0], [3.0, 3.0, 5.0]])
    assert status(build(matrix)) is RankStatus.DEFICIENT
    assert not build(matrix).rank_decision.proved
    assert exact(build(matrix)).rank_decision.proved
    assert status(replace(build(matrix), tells_apart=lambda: False)) is RankStatus.UNKNOWN


def test_a_left_inverse_of_another_matrix_proves_nothing():
    """The checker must refuse a wrong inverse, and an uncertainty that a singular matrix is within."""
    matrix = np.array([[2.0, 0.0], [0.0, 4.0]])
    nothing = np.zeros((2, 2))
    assert contracts(np.diag([0.5, 0.25]), matrix, nothing)
    assert not contracts(np.eye(2), matrix, nothing)
    assert not contracts(np.zeros((2, 2)), matrix, nothing)
    assert not contracts(np.diag([0.5, 0.25]), matrix, np.diag([2.0, 0.0]))


def test_independence_is_never_claimed_of_dependent_columns():
    """Exactly dependent columns, moved by no more than the stated uncertainty."""
    rng = np.random.default_rng(4)
    claimed = 0
    for _ in range(400):
        n = int(rng.integers(2, 6))
        matrix = rng.integers(-9, 10, (n, n)) * 2.0 ** rng.integers(-20, 21, (n, 1))
        matrix[:, 0] = matrix[:, 1:] @ rng.integers(-2, 3, n - 1)
        doubt = np.abs(matrix) * 2.0 ** -float(rng.integers(10, 53))
        moved = matrix + doubt * rng.uniform(-1, 1, matrix.shape)
        claimed += bool(independent_columns(moved, doubt + np.spacing(np.abs(matrix)), sums_to_one=False))
    assert claimed == 0


def test_a_stack_is_decided_like_its_members():
    rng = np.random.default_rng(5)
    matrices = rng.integers(-2, 3, (200, 3, 3)).astype(float)
    doubt = np.spacing(np.abs(matrices))
    together = independent_columns(matrices, doubt, sums_to_one=True)
    alone = [bool(independent_columns(*pair, sums_to_one=True)) for pair in zip(matrices, doubt, strict=True)]
    assert together.tolist() == alone
    assert 0 < sum(alone) < 200


def test_centring_rounds_nothing_that_is_not_accounted_for():
    equations = build_equations(np.array([[1e8, 1e8 + 2.0, 1e8 + 3.0]]), np.zeros((1, 3)), sums_to_one=True)
    np.testing.assert_array_equal(equations.matrix[0], [-0.5, 0.0, 0.25])
    assert not equations.uncertainty.any()


def test_null_basis_is_orthonormal_and_null():
    rng = np.random.default_rng(6)
    system = build(rng.standard_normal((2, 6)))
    basis = system.null_basis
    assert basis.shape == (6, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(system.matrix @ basis, 0.0, atol=1e-13)


def test_selected_rows_share_the_decomposition():
    system = build(np.random.default_rng(7).standard_normal((40, 40)), truth=np.eye(40))
    assert system.rank == 40
    part = system.select(np.array([3, 5]))
    assert part.rank_decision is system.rank_decision
    np.testing.assert_array_equal(part.values, system.values[:, [3, 5]])


def test_split_into_rows_gives_two_distributions():
    vector = np.array([0.5, -0.25, 0.0, -0.25])
    first, second = split_into_rows(vector)
    np.testing.assert_array_equal(first, [1.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(second, [0.0, 0.5, 0.0, 0.5])
