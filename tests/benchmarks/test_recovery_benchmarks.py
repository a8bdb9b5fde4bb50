"""Recovery against LAPACK through scipy and numpy, on the same arrays in the same run."""

import numpy as np
import pytest
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array

from tabular_inversion.recovery import closed_form, supported_rows

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
