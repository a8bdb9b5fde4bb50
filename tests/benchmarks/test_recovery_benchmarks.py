"""Recovery against LAPACK through scipy and numpy, on the same arrays in the same run."""

import numpy as np
import pytest
from scipy.linalg import lu_factor, lu_solve
from scipy.optimize import nnls
from scipy.sparse import csr_array

from tabular_inversion.recovery import closed_form, simplex_rows, supported_rows
from tabular_inversion.recovery.active_set import nonnegative_least_squares, simplex_active_set
from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.supported import restricted_spectrum

pytestmark = pytest.mark.benchmark


def square(n, m=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, n)) + 2 * np.sqrt(n) * np.eye(n), rng.standard_normal((n, n * m))


@pytest.mark.parametrize("n", [500, 1000, 2000])
def test_closed_form_against_lu(race, n):
    matrix, values = square(n)
    race(
        lambda: closed_form(matrix, values),
        lambda: lu_solve(lu_factor(matrix), values),
        limit=2.0,
        n=n,
        condition=closed_form(matrix, values).condition,
    )


@pytest.mark.parametrize("n", [500, 1000])
def test_closed_form_against_pinv(race, n):
    matrix, values = square(n)
    race(lambda: closed_form(matrix, values), lambda: np.linalg.pinv(matrix) @ values, n=n)


@pytest.mark.parametrize("n", [500, 1000])
def test_closed_form_against_lstsq(race, n):
    matrix, values = square(n)
    race(lambda: closed_form(matrix, values), lambda: np.linalg.lstsq(matrix, values), n=n)


@pytest.mark.parametrize(("n", "k", "rows"), [(20, 20, 400), (68, 68, 272), (300, 100, 200), (300, 300, 100)])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_the_active_set_method_against_scipy_row_by_row(race, n, k, rows, noise):
    """Why `active_set` is kept: a nearest column first and scipy's nnls for the others would be 160 lines shorter.

    Measured (one thread): 0.8 and 1.7 at n = k = 20, 0.2 and 0.9 at 68, 0.1 and 0.6 at (300, 100), 0.06 and 0.4 at 300,
    0.04 and 0.3 at 1000, without noise and with it; stacks of known supports 0.3 (3 states) and 1.2 (8 states).
    """
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((k, n))
    truth = np.zeros((rows, n))
    np.put_along_axis(truth, rng.random((rows, n)).argsort(axis=1)[:, :5], rng.dirichlet(np.ones(5), rows), axis=1)
    values = truth @ matrix.T + noise * rng.standard_normal((rows, k))
    system = affine_system(matrix[None])
    targets = values - system.centre
    race(
        lambda: simplex_active_set(system, targets),
        lambda: [nonnegative_least_squares(system.columns[0], target) for target in targets],
        limit=2.0 if n == 20 else 1.2,
        n=n,
        noise=noise,
    )


def test_supported_rows_against_a_loop_over_lstsq(race):
    rng = np.random.default_rng(0)
    n_rows, size, k, n, looped = 1_000_000, 3, 4, 50_000, 10_000
    matrix = rng.standard_normal((k, n))
    states = np.sort(rng.integers(0, n // size, (n_rows, size)) * size + np.arange(size), axis=1).astype(np.int32)
    indptr = np.arange(0, n_rows * size + 1, size)
    support = csr_array((np.ones(n_rows * size, bool), states.ravel(), indptr), shape=(n_rows, n))
    truth = rng.dirichlet(np.ones(size), n_rows)
    values = np.einsum("krs,rs->kr", matrix[:, states], truth)

    def loop():
        for row in range(looped):
            system = np.vstack([matrix[:, states[row]], np.ones(size)])
            np.linalg.lstsq(system, np.append(values[:, row], 1.0))

    found = supported_rows(matrix, values, support)
    error = float(np.abs(found.rows.data - truth.ravel()).max())
    race(
        lambda: supported_rows(matrix, values, support), loop, limit=1 / 20, rounds=3, per=(n_rows, looped), error=error
    )


def nnls_loop(matrix, values):
    ones = np.ones((1, matrix.shape[1]))
    for target in values.T:
        nnls(np.concatenate([matrix - target[:, None], ones]), np.append(np.zeros(len(matrix)), 1.0))


@pytest.mark.parametrize(("n", "k", "rows"), [(68, 68, 272), (68, 4, 272), (300, 300, 300), (1000, 1000, 60)])
def test_simplex_rows_of_noisy_values_against_a_loop_over_nnls(race, n, k, rows):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((k, n))
    truth = np.zeros((rows, n))
    truth[np.arange(rows)[:, None], rng.random((rows, n)).argsort(axis=1)[:, :5]] = rng.dirichlet(np.ones(5), rows)
    values = matrix @ truth.T + 1e-3 * rng.standard_normal((k, rows))
    race(lambda: simplex_rows(matrix, values), lambda: nnls_loop(matrix, values), rounds=3, n=n, goals=k)


def test_restricted_spectrum_against_a_loop_over_svd(race):
    rng = np.random.default_rng(0)
    n_rows, size, k, n, looped = 100_000, 3, 4, 50_000, 5_000
    matrix = rng.standard_normal((k, n))
    states = np.sort(rng.integers(0, n // size, (n_rows, size)) * size + np.arange(size), axis=1).astype(np.int32)
    support = csr_array((np.ones(states.size, bool), states.ravel(), np.arange(0, states.size + 1, size)), (n_rows, n))
    system = np.concatenate([matrix, np.ones((1, n))])

    def loop():
        for row in range(looped):
            np.linalg.svd(system[:, states[row]], compute_uv=False)

    race(lambda: restricted_spectrum(matrix, support), loop, rounds=3, per=(n_rows, looped))
