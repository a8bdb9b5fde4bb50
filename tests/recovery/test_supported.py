"""Rows on known supports: the truth, scipy's nnls, and LAPACK's lstsq as oracles."""

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import csr_array

from tabular_inversion import KernelClass, Supported, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import KernelClassError
from tabular_inversion.goals import Goals
from tabular_inversion.recovery import recover, supported_rows


def instance(n=30, k=5, size=3, rows=40, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((k, n))
    states = np.sort(rng.random((rows, n)).argsort(axis=1)[:, :size], axis=1)
    truth = np.zeros((rows, n))
    truth[np.arange(rows)[:, None], states] = rng.dirichlet(np.ones(size), rows)
    support = np.zeros((rows, n), bool)
    support[np.arange(rows)[:, None], states] = True
    values = matrix @ truth.T + noise * rng.standard_normal((k, rows))
    return matrix, values, csr_array(support), truth


def by_nnls(matrix, values, support):
    """Minimise |M p - q| on each support: nnls of [M - q; 1] y = [0; 1], normalised."""
    rows = np.zeros(support.shape)
    for i, target in enumerate(values.T):
        states = support[[i]].indices
        system = np.vstack([matrix[:, states] - target[:, None], np.ones(len(states))])
        y = nnls(system, np.eye(len(system))[-1])[0]
        rows[i, states] = y / y.sum()
    return rows


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 9, 12])
def test_the_truth_comes_back(size):
    matrix, values, support, truth = instance(k=12, size=size)
    found = supported_rows(matrix, values, support)
    np.testing.assert_allclose(found.rows.toarray(), truth, atol=1e-11)
    assert found.residual.max() < 1e-13
    assert 1.0 <= found.condition < 1e4


@pytest.mark.parametrize("size", [2, 3, 6, 10])
def test_noisy_values_agree_with_nnls(size):
    matrix, values, support, _ = instance(k=12, size=size, noise=0.5)
    found = supported_rows(matrix, values, support).rows.toarray()
    np.testing.assert_allclose(found, by_nnls(matrix, values, support), atol=1e-9)
    assert (found == 0).any()  # faces were reached


def test_mixed_sizes_keep_their_places():
    mdp = random_mdp(20, 3, branching=4, discount=0.9, seed=0)
    support = mdp.support.toarray()
    support[::3] |= np.random.default_rng(0).random(support[::3].shape) < 0.2
    agent = solve(mdp, Goals.generic(20, 15, seed=0))
    found = supported_rows(agent.test_matrix, agent.right_hand_sides, csr_array(support))
    np.testing.assert_allclose(found.rows.toarray(), mdp.rows.toarray(), atol=1e-9)


@pytest.mark.parametrize("size", [3, 9])
def test_what_values_leave_open_is_taken_from_the_prior(size):
    matrix, values, support, truth = instance(k=1, size=size)
    uniform = supported_rows(matrix, values, support).rows.toarray()
    assert supported_rows(matrix, values, support).residual.max() < 1e-12
    assert np.abs(uniform - truth).max() > 0.01
    told = supported_rows(matrix, values, support, prior=truth).rows.toarray()
    np.testing.assert_allclose(told, truth, atol=1e-8)
    # Nearest to uniform: no other member is nearer; the truth is one.
    middle = support.toarray() / size
    assert (np.linalg.norm(uniform - middle, axis=1) <= np.linalg.norm(truth - middle, axis=1) + 1e-9).all()


def test_equal_columns_share_their_weight():
    matrix = np.array([[1.0, 1.0, 3.0], [0.0, 0.0, 1.0]])
    support = csr_array(np.array([[True, True, True]]))
    found = supported_rows(matrix, matrix @ [[0.1], [0.5], [0.4]], support)
    np.testing.assert_allclose(found.rows.toarray(), [[0.3, 0.3, 0.4]], atol=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_unit_of_reward_does_not_matter(scale):
    matrix, values, support, truth = instance()
    found = supported_rows(matrix * scale, values * scale, support)
    np.testing.assert_allclose(found.rows.toarray(), truth, atol=1e-11)


def test_an_empty_support_is_named():
    support = np.ones((2, 1, 2), bool)
    support[1, 0] = False
    with pytest.raises(KernelClassError, match="state 1, action 0"):
        recover(np.eye(2), np.eye(2), Supported(support), row_index=np.arange(2))


def test_a_support_of_another_world_is_refused():
    with pytest.raises(KernelClassError, match="like the agent"):
        recover(np.eye(3), np.eye(3), Supported(np.ones((2, 1, 2), bool)), row_index=np.arange(3))
    assert issubclass(Supported, KernelClass)


def test_the_support_given_is_left_as_it_was():
    matrix, values, support, _ = instance(noise=0.5)
    before = support.toarray()
    supported_rows(matrix, values, support)
    np.testing.assert_array_equal(support.toarray(), before)
    assert support.nnz == before.sum()


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("gap", [1e-8, 1e-12, 1e-15, 1e-16])
def test_columns_equal_but_for_rounding_give_distributions(gap, size):
    rng = np.random.default_rng(0)
    matrix = rng.random((4, 6))
    matrix[:, 1] = matrix[:, 0] + gap * rng.standard_normal(4)
    truth = np.zeros((300, 6))
    truth[:, :size] = rng.dirichlet(np.ones(size), 300)
    support = csr_array(np.tile(np.arange(6) < size, (300, 1)))
    values = matrix @ truth.T + 1e-16 * rng.standard_normal((4, 300))
    found = supported_rows(matrix, values, support)
    rows = found.rows.toarray()
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    assert found.residual.max() < 1e-13


def test_the_prior_of_each_row_goes_to_that_row():
    matrix, values, support, truth = instance(k=1, size=3, rows=20)
    order = np.random.default_rng(0).permutation(20)
    told = supported_rows(matrix, values[:, order], support[order], prior=truth[order]).rows.toarray()
    np.testing.assert_allclose(told, truth[order], atol=1e-8)
