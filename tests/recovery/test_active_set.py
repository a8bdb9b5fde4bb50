"""The batched active set: scipy's nnls row by row, the optimality conditions, and what happens when rounding wins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion.errors import ConvergenceError
from tabular_inversion.recovery import active_set
from tabular_inversion.recovery.active_set import nonnegative_least_squares, simplex_active_set
from tabular_inversion.recovery.affine_system import affine_system


def instance(n, k, rows=8, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((k, n))
    values = rng.dirichlet(np.full(n, 0.5), rows) @ matrix.T + noise * rng.standard_normal((rows, k))
    system = affine_system(matrix[None])
    return system, values - system.centre


def misfit(system, rows, targets):
    return np.linalg.norm(np.einsum("bkn,rn->rk", system.columns, rows) - targets, axis=1)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 10), st.integers(1, 10), st.integers(0, 10**6), st.sampled_from([0.0, 1e-10, 0.3, 10.0]))
def test_no_row_is_worse_than_nnls(n, k, seed, noise):
    system, targets = instance(n, k, seed=seed, noise=noise)
    rows = simplex_active_set(system, targets)
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-14)
    oracle = np.array([nonnegative_least_squares(system.columns[0], target) for target in targets])
    assert (misfit(system, rows, targets) <= misfit(system, oracle, targets) + 1e-12).all()


@pytest.mark.parametrize(("n", "k"), [(5, 9), (30, 30), (40, 6)])
def test_the_optimality_conditions_hold(n, k):
    system, targets = instance(n, k, rows=30)
    rows = simplex_active_set(system, targets)
    slope = (targets - rows @ system.columns[0].T) @ system.columns[0]
    level = (slope * rows).sum(axis=1, keepdims=True)
    assert (slope <= level + 1e-12).all()  # no column reduces the residual
    np.testing.assert_allclose(np.where(rows > 0, slope - level, 0.0), 0.0, atol=1e-12)


def test_one_system_for_all_rows_or_one_for_each():
    rng = np.random.default_rng(3)
    stack = rng.standard_normal((12, 4, 5))
    targets = rng.standard_normal((12, 4))
    together = simplex_active_set(affine_system(stack), targets)
    for matrix, target, row in zip(stack, targets, together, strict=True):
        alone = simplex_active_set(affine_system(matrix[None]), target[None])
        np.testing.assert_allclose(row, alone[0], atol=1e-13)


def test_chunks_do_not_show(monkeypatch):
    system, targets = instance(6, 4, rows=50)
    whole = simplex_active_set(system, targets)
    monkeypatch.setattr(active_set, "_CHUNK", 20)
    np.testing.assert_allclose(simplex_active_set(system, targets), whole, atol=1e-14)


@pytest.mark.parametrize("gap", [1e-3, 1e-7, 1e-11, 1e-14, 0.0])
def test_columns_that_nearly_agree(gap):
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((5, 9))
    matrix[:, 5:] = matrix[:, :4] + gap * rng.standard_normal((5, 4))
    system = affine_system(matrix[None])
    targets = rng.dirichlet(np.full(9, 0.3), 40) @ matrix.T + 0.1 * rng.standard_normal((40, 5)) - system.centre
    rows = simplex_active_set(system, targets)
    oracle = np.array([nonnegative_least_squares(system.columns[0], target) for target in targets])
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    assert (misfit(system, rows, targets) <= misfit(system, oracle, targets) + 1e-9).all()


def test_rows_that_do_not_settle_are_left_to_nnls(monkeypatch):
    system, targets = instance(6, 4)
    expected = simplex_active_set(system, targets)
    monkeypatch.setattr(active_set, "_search", lambda *_: (np.full((8, 6), np.nan), np.arange(8) % 2 == 7))
    np.testing.assert_allclose(simplex_active_set(system, targets), expected, atol=1e-12)


def test_a_row_that_nnls_gives_up_is_no_answer(monkeypatch):
    def gives_up(*_):
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr(active_set, "nnls", gives_up)
    with pytest.raises(ConvergenceError, match="3 unknowns and 2 goals"):
        nonnegative_least_squares(np.ones((2, 3)), np.zeros(2))
