"""Exact least squares against floats, and against the package's own least squares in the simplex."""

import numpy as np
import pytest

from proofs_checks.exact_least_squares import nearest_in_simplex, positive_definite, pseudo_inverse, root
from tabular_inversion import exact
from tabular_inversion.kernel_classes import Stochastic
from tabular_inversion.recovery import recover


@pytest.mark.parametrize("shape", [(1, 3), (3, 3), (4, 2), (2, 4)])
def test_pseudo_inverse_agrees_with_floats_also_where_rank_is_low(shape):
    rng = np.random.default_rng(0)
    for columns in (shape[1], 1):
        matrix = rng.integers(-3, 4, (shape[0], columns)) @ rng.integers(-3, 4, (columns, shape[1]))
        found = pseudo_inverse(exact.fraction_array(matrix)).astype(float)
        np.testing.assert_allclose(found, np.linalg.pinv(matrix), atol=1e-12)
    assert (pseudo_inverse(exact.fraction_array(np.zeros(shape, int))) == 0).all()


def test_nearest_point_of_the_simplex_agrees_with_the_package():
    rng = np.random.default_rng(1)
    for _ in range(20):
        matrix, values = rng.integers(-5, 6, (3, 3)), rng.integers(-5, 6, 3)
        found = nearest_in_simplex(exact.fraction_array(matrix), exact.fraction_array(values)).astype(float)
        rows = recover(matrix.astype(float), values[:, None].astype(float), Stochastic(), row_index=np.array([0])).rows
        residuals = [np.linalg.norm(matrix @ row - values) for row in (found, np.asarray(rows)[0])]
        np.testing.assert_allclose(*residuals, rtol=1e-9, atol=1e-9)
        assert found.min() >= 0
        np.testing.assert_allclose(found.sum(), 1)


def test_roots_are_exact_or_below():
    assert root(exact.as_fraction("9/4")) == exact.as_fraction("3/2")
    for number in map(exact.as_fraction, ("2", "1/3", "99/100")):
        assert root(number) ** 2 < number < (root(number) + exact.as_fraction("1/1000000000000000")) ** 2


def test_definiteness_is_told_by_minors():
    assert positive_definite(exact.fraction_array([[2, 1], [1, 2]]))
    assert not positive_definite(exact.fraction_array([[1, 2], [2, 1]]))
    assert not positive_definite(exact.fraction_array([[-1]]))
