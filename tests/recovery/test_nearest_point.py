"""The nearest member to a prior: optimality by a second method, thin sets, and iterations cut short."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from tabular_inversion import Goals, solve
from tabular_inversion.environments import four_rooms
from tabular_inversion.recovery import nearest_point, simplex_rows
from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.nearest_point import nearest_with_same_values


def normal_cone_gap(system, point, prior):
    """Return the distance of prior - p from the normal cone at p of {p >= 0, V^T p = c}: 0 iff p is the nearest."""
    basis = system.basis[0]
    generators = np.hstack([basis, -basis, -np.eye(len(point))[:, point == 0.0]])
    return nnls(generators, prior - point)[1]


def members(n, k, seed, rows=5, spread=0.7):
    rng = np.random.default_rng(seed)
    system = affine_system(rng.standard_normal((1, k, n)))
    return system, rng.dirichlet(np.full(n, spread), rows), rng.dirichlet(np.ones(n), rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 10**6))
def test_no_member_is_nearer(n, k, seed):
    system, fitted, prior = members(n, k, seed)
    found = nearest_with_same_values(system, fitted, prior)
    assert (found >= 0).all()
    np.testing.assert_allclose(found @ system.basis[0], fitted @ system.basis[0], atol=1e-12)
    for point, start in zip(found, prior, strict=True):
        assert normal_cone_gap(system, np.where(point < 1e-12, 0.0, point), start) < 1e-7


def test_the_oracle_notices_a_point_that_is_not_the_nearest():
    system, fitted, prior = members(8, 2, seed=0)
    assert normal_cone_gap(system, fitted[0], prior[0]) > 1e-3


def test_a_member_is_its_own_nearest():
    system, fitted, _ = members(7, 2, seed=1)
    np.testing.assert_allclose(nearest_with_same_values(system, fitted, fitted), fitted, atol=1e-12)


def test_one_system_for_all_rows_or_one_for_each():
    rng = np.random.default_rng(2)
    stack, fitted, prior = rng.standard_normal((6, 2, 5)), *rng.dirichlet(np.ones(5), (2, 6))
    together = nearest_with_same_values(affine_system(stack), fitted, prior)
    for i, matrix in enumerate(stack):
        alone = nearest_with_same_values(affine_system(matrix[None]), fitted[[i]], prior[[i]])
        np.testing.assert_allclose(together[i], alone[0], atol=1e-10)


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_an_iteration_cut_short_still_returns_members(iterations, monkeypatch):
    monkeypatch.setattr(nearest_point, "_ITERATIONS", iterations)
    system, fitted, prior = members(9, 3, seed=4, rows=40, spread=0.2)
    found = nearest_with_same_values(system, fitted, prior)
    assert (found >= 0).all()
    np.testing.assert_allclose(found @ system.basis[0], fitted @ system.basis[0], atol=1e-10)


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-6])
@pytest.mark.parametrize("states", [[0, 40], list(range(0, 68, 7))], ids=["2 goals", "10 goals"])
def test_thin_value_equivalence_classes_of_four_rooms(states, noise):
    agent = solve(four_rooms("windy", discount=0.9), Goals.indicator(68, states))
    matrix = agent.test_matrix
    values = agent.right_hand_sides + noise * np.random.default_rng(0).standard_normal(agent.right_hand_sides.shape)
    rows = simplex_rows(matrix, values).rows
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-11)
    for row, target in zip(rows[::11], values.T[::11], strict=True):
        y = nnls(np.vstack([matrix - target[:, None], np.ones(68)]), np.eye(len(matrix) + 1)[-1])[0]
        oracle = np.linalg.norm(matrix @ (y / y.sum()) - target)
        assert np.linalg.norm(matrix @ row - target) <= oracle + 1e-11
