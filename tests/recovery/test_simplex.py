"""Least squares in the simplex: the truth, scipy's nnls, and a general-purpose optimiser as oracles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from tabular_inversion import Goals, solve
from tabular_inversion.environments import four_rooms
from tabular_inversion.recovery import simplex_rows


def by_nnls(matrix, target):
    system = np.vstack([matrix - target[:, None], np.ones(matrix.shape[1])])
    y = nnls(system, np.eye(len(system))[-1])[0]
    return y / y.sum()


@pytest.mark.parametrize("variant", ["windy", "teleport"])
def test_four_rooms_come_back(variant):
    mdp = four_rooms(variant)
    agent = solve(mdp, Goals.indicator(68))
    found = simplex_rows(agent.test_matrix, agent.right_hand_sides)
    np.testing.assert_allclose(found.rows, mdp.rows, atol=1e-8)
    assert found.rank == 68


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 3.0]))
def test_the_residual_is_that_of_nnls(n, k, seed, noise):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((k, n))
    truth = rng.dirichlet(np.full(n, 0.4), 6)
    values = matrix @ truth.T + noise * rng.standard_normal((k, 6))
    rows = simplex_rows(matrix, values).rows
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    for row, target in zip(rows, values.T, strict=True):
        ours, oracle = (np.linalg.norm(matrix @ p - target) for p in (row, by_nnls(matrix, target)))
        assert ours <= oracle + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_freedom_is_used_to_stay_near_the_prior(seed):
    rng = np.random.default_rng(seed)
    matrix, prior = rng.standard_normal((2, 6)), rng.dirichlet(np.ones(6), 4)
    truth = rng.dirichlet(np.full(6, 0.3), 4)
    rows = simplex_rows(matrix, matrix @ truth.T, prior=prior).rows
    np.testing.assert_allclose(matrix @ rows.T, matrix @ truth.T, atol=1e-9)
    system = np.vstack([matrix, np.ones(6)])
    for row, start, true in zip(rows, prior, truth, strict=True):
        best = minimize(
            lambda p, s=start: ((p - s) ** 2).sum(), true, jac=lambda p, s=start: 2 * (p - s), method="SLSQP",
            bounds=[(0, 1)] * 6,
            constraints={"type": "eq", "fun": lambda p, t=true: system @ (p - t), "jac": lambda _: system},
            options={"maxiter": 500, "ftol": 1e-14},
        )  # fmt: skip
        assert np.linalg.norm(row - start) <= np.linalg.norm(best.x - start) + 1e-6


def test_faces_and_vertices_come_back():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((6, 7))
    truth = np.concatenate([np.eye(7), 0.5 * (np.eye(7) + np.roll(np.eye(7), 1, axis=1))])
    np.testing.assert_allclose(simplex_rows(matrix, matrix @ truth.T).rows, truth, atol=1e-10)


def test_degenerate_matrices():
    np.testing.assert_allclose(simplex_rows(np.zeros((1, 3)), np.zeros((1, 2))).rows, 1 / 3)
    np.testing.assert_allclose(simplex_rows(np.ones((2, 3)), np.ones((2, 1))).rows, 1 / 3)
    assert simplex_rows(np.array([[5.0]]), np.array([[1.0]])).rows.tolist() == [[1.0]]
    twice = simplex_rows(np.array([[1.0, 1.0, 4.0]]), np.array([[1.0]])).rows
    np.testing.assert_allclose(twice, [[0.5, 0.5, 0.0]], atol=1e-9)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_the_unit_of_reward_does_not_matter(scale):
    rng = np.random.default_rng(1)
    matrix, truth = rng.standard_normal((4, 5)), rng.dirichlet(np.ones(5), 3)
    found = simplex_rows(matrix * scale, matrix @ truth.T * scale)
    np.testing.assert_allclose(found.rows, truth, atol=1e-12)


@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_an_ill_conditioned_world_loses_no_digits_of_its_values(noise):
    mdp = four_rooms("teleport", discount=0.99)
    agent = solve(mdp, Goals.indicator(68))
    exact = agent.right_hand_sides
    found = simplex_rows(agent.test_matrix, exact + noise * np.random.default_rng(0).standard_normal(exact.shape))
    assert found.condition > 1e7
    np.testing.assert_allclose(found.rows, mdp.rows, atol=1e-8)
    assert found.residual.max() < 10 * noise + 1e-14


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["deterministic", "windy", "teleport"])
@pytest.mark.parametrize("discount", [0.9, 0.99])
def test_no_row_of_four_rooms_is_worse_than_nnls(variant, discount):
    mdp = four_rooms(variant, discount=discount)
    rng = np.random.default_rng(0)
    for n_goals in (1, 2, 4, 10, 23, 40, 60, 66, 68):
        agent = solve(mdp, Goals.indicator(68, np.linspace(0, 67, n_goals).astype(int)))
        matrix = agent.test_matrix
        for noise in (0.0, 1e-15, 1e-12, 1e-8, 1e-3):
            values = agent.right_hand_sides + noise * rng.standard_normal(agent.right_hand_sides.shape)
            rows = simplex_rows(matrix, values).rows
            assert (rows >= 0).all()
            np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-11)
            for row, target in zip(rows, values.T, strict=True):
                ours, oracle = (np.linalg.norm(matrix @ p - target) for p in (row, by_nnls(matrix, target)))
                assert ours <= oracle + 1e-11
