"""Ranks, null spaces and smallest singular values: numpy row by row, exact ranks, and graded matrices."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.elimination import affine_weights
from tabular_inversion.recovery.spectrum import (
    append_ones,
    null_space,
    numerical_rank,
    power_of_two_scale,
    rank_tolerance,
    singular_values,
)
from tabular_inversion.recovery.supported import restricted_spectrum


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 9), (9, 2), (5, 6)])
def test_singular_values_are_those_of_numpy(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(singular_values(matrix), np.linalg.svd(matrix, compute_uv=False), rtol=1e-13)


@pytest.mark.parametrize("rank", [0, 1, 3, 5])
def test_rank_and_null_space_of_products_of_integers(rank):
    rng = np.random.default_rng(rank)  # an integer product has the rank of its factors, exactly
    matrix = (rng.integers(-3, 4, (6, rank)) @ rng.integers(-3, 4, (rank, 5))).astype(float)
    assert numerical_rank(matrix) == rank
    empty = null_space(matrix)
    assert empty.shape == (5, 5 - rank)
    np.testing.assert_allclose(matrix @ empty, 0.0, atol=1e-12)
    np.testing.assert_allclose(empty.T @ empty, np.eye(5 - rank), atol=1e-14)


def test_the_tolerance_is_the_stated_one():
    level = rank_tolerance((2, 2), 1.0)
    assert level == 2 * np.finfo(float).eps
    assert numerical_rank(np.diag([1.0, 4 * level])) == 2
    assert numerical_rank(np.diag([1.0, 0.25 * level])) == 1


@pytest.mark.parametrize("value", [1e-300, 0.75, 1.0, 3.0, 1e300])
def test_scaling_brings_the_largest_entry_near_one(value):
    scale = power_of_two_scale(np.array([[0.0, -value]]))
    assert 1.0 <= value / scale < 2.0
    assert np.frexp(scale)[0] == 0.5
    assert power_of_two_scale(np.zeros((1, 2))) == 1.0


@pytest.mark.parametrize(("n", "k"), [(6, 2), (6, 5), (6, 9), (1, 3), (2, 2)])
def test_the_affine_rank_is_that_of_the_matrix_with_ones(n, k):
    rng = np.random.default_rng(n * k)
    for matrix in (rng.standard_normal((k, n)), np.ones((k, n)), np.zeros((k, n)), 100 + rng.standard_normal((k, n))):
        system = affine_system(matrix[None])
        assert system.rank[0] == numerical_rank(append_ones(matrix))
        basis = system.basis[0][:, np.linalg.norm(system.basis[0], axis=0) > 0]
        assert basis.shape[1] == system.rank[0]
        np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-13)


def test_directions_of_small_singular_values_still_sum_to_zero():
    rng = np.random.default_rng(1)
    left, right = (np.linalg.qr(rng.standard_normal((8, 8)))[0] for _ in range(2))
    system = affine_system((left * np.geomspace(1, 1e-9, 8) @ right)[None])
    np.testing.assert_allclose(system.basis[0][:, 1:].sum(axis=0), 0.0, atol=1e-15)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_restricted_spectrum_is_that_of_each_row(size):
    rng = np.random.default_rng(size)
    matrix = rng.standard_normal((4, 12))
    matrix[:, 7] = matrix[:, 3]  # supports with both are rank deficient
    support = np.zeros((40, 12), bool)
    support[np.arange(40)[:, None], rng.random((40, 12)).argsort(axis=1)[:, :size]] = True
    support[-1] = support[0]
    if size > 1:
        support[1] = np.isin(np.arange(12), [3, 7, 0, 1, 2, 4, 5, 6, 8][:size])
    rank, smallest = restricted_spectrum(matrix, csr_array(support))
    for row, found, least in zip(support, rank, smallest, strict=True):
        restricted = append_ones(matrix)[:, row]
        assert found == np.linalg.matrix_rank(restricted)
        expected = np.linalg.svd(restricted, compute_uv=False)[-1] if size <= 5 else 0.0
        np.testing.assert_allclose(least, expected, atol=1e-14)
    if size > 1:
        assert (rank < size).any()


@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("spread", [1.0, 1e-6])
def test_elimination_is_as_accurate_as_lapack(size, spread):
    rng = np.random.default_rng(size)
    columns = rng.standard_normal((size, 9, 50))
    columns[1:] = columns[0] + spread * columns[1:]
    values = rng.standard_normal((9, 50))
    weights, inverse = affine_weights(columns, values)
    rounding = 4 * np.finfo(float).eps * np.abs(weights).sum(axis=0)
    assert (np.abs(weights.sum(axis=0) - 1.0) <= rounding).all()
    for i in range(50):
        directions = columns[1:, :, i].T - columns[:1, :, i].T
        expected = np.linalg.lstsq(directions, values[:, i] - columns[0, :, i])[0]
        np.testing.assert_allclose(weights[1:, i], expected, rtol=1e-7)
        triangle = np.linalg.qr(directions, mode="r")
        np.testing.assert_allclose(inverse[i], np.linalg.norm(np.linalg.inv(triangle)), rtol=1e-7)
        centred = columns[:, :, i].T - columns[:, :, i].mean(axis=0)[:, None]
        least = np.linalg.svd(centred, compute_uv=False)[size - 2]
        assert 1.0 / (np.sqrt(size) * inverse[i]) <= least * (1 + 1e-9)


def test_elimination_flags_equal_columns():
    columns = np.ones((3, 4, 2))
    columns[1, :, 0], columns[2, :, 0] = np.arange(4), [0.0, 0.0, 1.0, 0.0]
    _, inverse = affine_weights(columns, np.ones((4, 2)))
    assert np.isfinite(inverse[0])
    assert not np.isfinite(inverse[1])
