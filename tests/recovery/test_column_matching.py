"""Column matching: brute force in each norm, the k-d tree against all distances, degenerate matrices."""

import numpy as np
import pytest

from tabular_inversion.errors import InputError
from tabular_inversion.recovery import column_matching, column_separation
from tabular_inversion.recovery import column_matching as matching_function
from tabular_inversion.recovery.column_matching import _METRICS

NORMS = [1, 2, np.inf]


@pytest.mark.parametrize("norm", NORMS)
def test_the_nearest_column_is_found(norm):
    rng = np.random.default_rng(0)
    matrix, values = rng.standard_normal((4, 30)), rng.standard_normal((4, 50))
    distance = np.linalg.norm(matrix[:, None, :] - values[:, :, None], ord=norm, axis=0)
    found = column_matching(matrix, values, norm=norm)
    np.testing.assert_array_equal(found.rows.toarray().argmax(axis=1), distance.argmin(axis=1))
    assert (found.rows.sum(axis=1) == 1).all()
    gap = np.abs(matrix @ found.rows.toarray().T - values).max(axis=0)
    np.testing.assert_allclose(found.residual, gap, atol=1e-15)


@pytest.mark.parametrize("norm", NORMS)
def test_separation_is_the_distance_to_the_nearest_other_column(norm):
    matrix = np.random.default_rng(1).standard_normal((3, 25))
    distance = np.linalg.norm(matrix[:, :, None] - matrix[:, None, :], ord=norm, axis=0)
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_allclose(column_separation(matrix, norm), distance.min(axis=1), rtol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_the_tree_for_large_worlds_finds_the_same(norm, monkeypatch):
    import sys

    module = sys.modules["tabular_inversion.recovery.column_matching"]
    rng = np.random.default_rng(2)
    matrix, values = rng.standard_normal((2, 200)), rng.standard_normal((2, 80))
    plain = column_matching(matrix, values, norm=norm), column_separation(matrix, norm)
    monkeypatch.setattr(module, "_TREE_STATES", 10)
    np.testing.assert_array_equal(column_matching(matrix, values, norm=norm).rows.toarray(), plain[0].rows.toarray())
    np.testing.assert_allclose(column_separation(matrix, norm), plain[1], rtol=1e-12)


def test_degenerate_matrices():
    assert column_separation(np.array([[1.0]])).tolist() == [np.inf]
    assert column_separation(np.zeros((2, 3))).tolist() == [0.0, 0.0, 0.0]
    assert column_matching(np.zeros((1, 3)), np.zeros((1, 2))).rows.toarray().argmax(axis=1).tolist() == [0, 0]


@pytest.mark.parametrize("norm", [0, 3, -np.inf])
def test_other_norms_are_refused(norm):
    with pytest.raises(InputError, match="norm"):
        column_separation(np.eye(2), norm)
    with pytest.raises(InputError, match="norm"):
        matching_function(np.eye(2), np.eye(2), norm=norm)
    assert set(_METRICS) == {1, 2, np.inf}


@pytest.mark.parametrize("n", [10, 5000])
def test_of_equal_columns_the_first_is_taken(n):
    matrix = np.repeat([[0.0, 1.0]], n // 2, axis=1).reshape(1, 2, n // 2).transpose(0, 2, 1).reshape(1, n)
    found = column_matching(matrix, np.array([[0.0, 1.0, 0.2]]))
    assert found.rows.indices.tolist() == [int((matrix[0] == v).argmax()) for v in (0.0, 1.0, 0.0)]


def test_the_rank_does_not_depend_on_the_unit_of_reward():
    matrix = np.random.default_rng(0).standard_normal((3, 4))
    assert [column_matching(s * matrix, s * matrix).rank for s in (1e-200, 1.0, 1e200)] == [4, 4, 4]
