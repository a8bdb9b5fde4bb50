"""The system's scaling changes no null space, and its rank decisions know what they do not know."""

import numpy as np
import pytest

from tabular_inversion.recovery.system import RowSystem, split_into_rows


def build(matrix, sums_to_one=True, truth=None):
    matrix = np.asarray(matrix, dtype=float)
    n = matrix.shape[1]
    rows = np.full((1, n), 1.0 / n) if truth is None else truth
    return RowSystem.of(matrix, matrix @ rows.T, sums_to_one=sums_to_one)


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1.0, 1e20, 1e300])
@pytest.mark.parametrize("sums_to_one", [True, False])
def test_scaling_rewards_changes_no_verdict(scale, sums_to_one):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((5, 5))
    assert build(matrix * scale, sums_to_one).rank == 5
    assert build(matrix * scale, sums_to_one).surely_full
    matrix[4] = matrix[0]
    matrix[3] = matrix[1]
    assert build(matrix * scale, sums_to_one).surely_deficient


def test_one_tiny_goal_among_large_ones_counts():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((4, 4)) * np.array([[1e8], [1.0], [1e-8], [1e-200]])
    assert build(matrix, sums_to_one=False).surely_full


def test_true_rows_satisfy_the_scaled_system():
    rng = np.random.default_rng(2)
    truth = rng.dirichlet(np.ones(6), size=7)
    system = build(rng.standard_normal((3, 6)) + 50.0, truth=truth)
    np.testing.assert_allclose(system.matrix @ truth.T, system.values, atol=1e-13)


def test_a_constant_goal_is_not_mistaken_for_information():
    # gamma near 1: a constant reward of 1 gives V = 1e6, with rounding noise that must not count as a direction.
    noise = 1e6 * np.finfo(float).eps * np.array([[1.0, -1.0, 2.0, 0.0]])
    system = build(1e6 + noise)
    assert system.rank == 1
    assert system.surely_deficient
    assert not system.surely_full


def test_a_goal_that_lost_its_digits_proves_nothing():
    base = np.array([[0.0, 1.0, 0.0], [1e9, 1e9 + 1.0, 1e9 - 3.0]])
    system = build(base)
    assert list(system.trusted) == [True, False, True]
    assert not system.surely_full


@pytest.mark.parametrize("gap", [1e-11, 1e-12, 1e-13])
def test_between_the_thresholds_nothing_is_decided(gap):
    system = build([[1.0, 0.0], [1.0, gap]], sums_to_one=False)
    assert not system.surely_full
    assert not system.surely_deficient


def test_null_basis_is_orthonormal_and_null():
    rng = np.random.default_rng(3)
    system = build(rng.standard_normal((2, 6)))
    basis = system.null_basis
    assert basis.shape == (6, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(system.matrix @ basis, 0.0, atol=1e-13)


def test_split_into_rows_gives_two_distributions():
    vector = np.array([0.5, -0.25, 0.0, -0.25])
    first, second = split_into_rows(vector)
    np.testing.assert_array_equal(first, [1.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(second, [0.0, 0.5, 0.0, 0.5])
