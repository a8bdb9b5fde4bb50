"""The search for few successors: brute force, both search methods against each other, and the truth."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import nnls

from tabular_inversion.errors import ConvergenceError
from tabular_inversion.recovery import sparse_rows, sparse_support


def instance(n=8, k=5, size=2, rows=12, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((k, n))
    truth = np.zeros((rows, n))
    for row in truth:
        row[rng.permutation(n)[:size]] = rng.dirichlet(np.ones(size))
    return matrix, matrix @ truth.T + noise * rng.standard_normal((k, rows)), truth


def brute_force(matrix, target, size):
    best = np.inf
    for states in combinations(range(matrix.shape[1]), size):
        system = np.vstack([matrix[:, states] - target[:, None], np.ones(size)])
        y = nnls(system, np.eye(len(system))[-1])[0]
        best = min(best, float(np.linalg.norm(matrix[:, states] @ (y / y.sum()) - target)))
    return best


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_truth_comes_back(size):
    matrix, values, truth = instance(k=2 * size + 1, size=size)
    found = sparse_rows(matrix, values, size)
    np.testing.assert_allclose(found.rows.toarray(), truth, atol=1e-10)
    assert "supports tried" in found.method


@pytest.mark.parametrize("size", [1, 2, 3])
def test_noisy_values_get_the_least_residual(size):
    matrix, values, _ = instance(size=size, noise=0.3)
    rows = sparse_rows(matrix, values, size).rows.toarray()
    assert ((rows > 0).sum(axis=1) <= size).all()
    for row, target in zip(rows, values.T, strict=True):
        assert np.linalg.norm(matrix @ row - target) <= brute_force(matrix, target, size) + 1e-9


def test_integer_programs_find_the_same_rows(monkeypatch):
    matrix, values, truth = instance(n=10, k=5, size=2, rows=6)
    monkeypatch.setattr(sparse_support, "MAX_SUPPORTS", 3)
    calls = []
    found = sparse_rows(matrix, values, 2, progress=lambda done, total: calls.append((done, total)))
    assert "HiGHS" in found.method
    np.testing.assert_allclose(found.rows.toarray(), truth, atol=1e-9)
    assert calls[-1] == (6, 6)


def test_a_program_that_is_not_solved_is_no_answer(monkeypatch):
    class Stopped:
        status, message, x = 1, "time limit reached.", np.zeros(17)

    monkeypatch.setattr(sparse_support, "MAX_SUPPORTS", 3)
    monkeypatch.setattr(sparse_support, "integer_program", lambda *_, **__: Stopped)
    matrix, values, _ = instance()
    with pytest.raises(ConvergenceError, match="row 0"):
        sparse_rows(matrix, values, 2)


def test_a_light_state_of_a_program_belongs_to_the_support(monkeypatch):
    class Answer:  # HiGHS says 1e-12; the values, which are exact, say 0.25
        status, message, x = 0, "", np.array([1.0 - 1e-12, 1e-12, 0.0, 1.0, 1.0, 0.0, 0.0])

    monkeypatch.setattr(sparse_support, "MAX_SUPPORTS", 0)
    monkeypatch.setattr(sparse_support, "integer_program", lambda *_, **__: Answer)
    found = sparse_rows(np.array([[0.0, 1.0, 2.0]]), np.array([[0.25]]), 2).rows.toarray()
    np.testing.assert_allclose(found, [[0.75, 0.25, 0.0]], atol=1e-15)


def test_more_successors_than_states_are_all_of_them():
    matrix, values, truth = instance(n=3, k=4, size=2)
    np.testing.assert_allclose(sparse_rows(matrix, values, 9).rows.toarray(), truth, atol=1e-9)


def test_equal_values_are_searched_once_and_equal_columns_do_no_harm():
    matrix = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 5.0]])
    values = np.repeat(matrix @ [[0.25], [0.0], [0.75]], 4, axis=1)
    rows = sparse_rows(matrix, values, 2).rows.toarray()
    np.testing.assert_allclose(matrix @ rows.T, values, atol=1e-12)
    assert ((rows > 0).sum(axis=1) <= 2).all()


@pytest.mark.parametrize("noise", [0.0, 1e-7, 0.01])
def test_integer_programs_keep_to_the_number_of_successors(noise, monkeypatch, capfd):
    # Noise of 1e-7 is where HiGHS leaves weights above zero whose switches are off, to its tolerance.
    matrix, values, truth = instance(n=12, k=4, size=3, rows=3, seed=15, noise=noise)
    by_enumeration = sparse_rows(matrix, values, 3)
    monkeypatch.setattr(sparse_support, "MAX_SUPPORTS", 0)
    found = sparse_rows(matrix, values, 3)
    assert (np.diff(found.rows.indptr) <= 3).all()
    np.testing.assert_allclose(found.rows.sum(axis=1), 1.0, atol=1e-12)
    # Both are least, one in the maximum norm and the other in the 2-norm: they differ by the norms' ratio at most.
    assert (found.residual <= 2.0 * by_enumeration.residual + 2e-6).all()
    if noise == 0.0:
        np.testing.assert_allclose(found.rows.toarray(), truth, atol=1e-9)
    assert capfd.readouterr().out == ""


def test_fewer_successors_win_ties():
    matrix = np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]])  # the middle column is the mean of the others
    rows = sparse_rows(matrix, matrix[:, [1]], 2).rows.toarray()
    np.testing.assert_array_equal(rows, [[0.0, 1.0, 0.0]])
