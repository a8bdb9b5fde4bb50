"""The closed form (T1): the truth, numpy's pseudo-inverse, gradient descent, and the note on row sums."""

import numpy as np
import pytest

from tabular_inversion import MDP, Unconstrained, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import InputError
from tabular_inversion.goals import Goals
from tabular_inversion.recovery import closed_form, recover


def agent_values(n=8, k=8, seed=0):
    mdp = random_mdp(n, 2, discount=0.9, seed=seed)
    agent = solve(mdp, Goals.generic(n, k, seed=seed))
    return mdp, agent.test_matrix, agent.right_hand_sides


@pytest.mark.parametrize(("k", "method"), [(8, "LU"), (12, "SVD")])
def test_full_rank_forgets_the_prior(k, method):
    mdp, matrix, values = agent_values(k=k)
    found = closed_form(matrix, values, prior=np.full(8, 7.0))
    np.testing.assert_allclose(found.rows, mdp.rows, atol=1e-11)
    assert (found.rank, found.method) == (8, method)
    assert found.residual.max() < 1e-13


@pytest.mark.parametrize("k", [1, 3, 7])
def test_rank_deficient_rows_are_the_pseudo_inverse_formula(k):
    _, matrix, values = agent_values(k=k)
    prior = np.random.default_rng(0).standard_normal((16, 8))
    inverse = np.linalg.pinv(matrix)
    expected = inverse @ values + (np.eye(8) - inverse @ matrix) @ prior.T
    found = closed_form(matrix, values, prior=prior)
    np.testing.assert_allclose(found.rows, expected.T, atol=1e-11)
    assert found.rank == k


def test_gradient_descent_converges_to_it():
    rng = np.random.default_rng(1)  # well conditioned, so that 3000 steps suffice
    matrix, values, prior = (rng.standard_normal(shape) for shape in ((2, 4), (2, 8), (8, 4)))
    point, step = prior.T, 1.0 / np.linalg.norm(matrix, 2) ** 2
    for _ in range(3000):
        point = point - step * matrix.T @ (matrix @ point - values)
    np.testing.assert_allclose(closed_form(matrix, values, prior=prior).rows, point.T, atol=1e-9)


def test_a_singular_square_matrix_falls_back_to_singular_values():
    matrix = np.array([[1.0, 2.0], [2.0, 4.0]])
    found = closed_form(matrix, matrix @ np.array([[0.5], [0.5]]), prior=np.zeros(2))
    assert (found.method, found.rank) == ("SVD", 1)
    np.testing.assert_allclose(found.rows, [[0.3, 0.6]], atol=1e-14)
    zero = closed_form(np.zeros((2, 2)), np.zeros((2, 1)))
    np.testing.assert_array_equal(zero.rows, [[0.5, 0.5]])
    assert zero.rank == 0


@pytest.mark.parametrize("seed", range(5))
def test_row_sums_are_kept_iff_ones_is_in_the_row_space_or_the_null_space(seed):
    rng = np.random.default_rng(seed)
    truth, prior = rng.dirichlet(np.ones(4), 2)
    inside = np.vstack([rng.standard_normal(4), np.ones(4)])
    null = rng.standard_normal((2, 4))
    null -= null.mean(axis=1, keepdims=True)
    for matrix in (inside, null):
        row = closed_form(matrix, (matrix @ truth)[:, None], prior=prior).rows[0]
        assert abs(row.sum() - 1.0) < 1e-12
    outside = rng.standard_normal((2, 4))
    assert abs(closed_form(outside, (outside @ truth)[:, None], prior=prior).rows[0].sum() - 1.0) > 1e-6


@pytest.mark.parametrize("prior", [np.full(3, 0.5), np.full((2, 8), np.nan), np.full(8, np.inf)])
def test_wrong_priors(prior):
    _, matrix, values = agent_values()
    with pytest.raises(InputError):
        recover(matrix, values, Unconstrained(), row_index=np.arange(16), prior=prior)


def test_one_state():
    agent = solve(MDP([[[1.0]]], 0.5), Goals([[2.0]]))
    assert closed_form(agent.test_matrix, agent.right_hand_sides).rows.tolist() == [[1.0]]


def test_systems_larger_than_a_tile_are_put_together_right():
    rng = np.random.default_rng(0)
    matrix, values = rng.standard_normal((515, 515)) + 50 * np.eye(515), rng.standard_normal((515, 67))
    found = closed_form(matrix, values)
    np.testing.assert_allclose(found.rows, np.linalg.solve(matrix, values).T, atol=1e-12)
    np.testing.assert_allclose(found.residual, np.abs(matrix @ found.rows.T - values).max(axis=0), atol=1e-13)
    assert found.method == "LU"
