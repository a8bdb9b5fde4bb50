"""What proves that columns are independent, and what measures by how much, are caught where they would be wrong."""

import numpy as np
import pytest

from tabular_inversion.recovery.equations import contracts, contracts_at_half_precision
from tabular_inversion.recovery.factors import factorise
from tabular_inversion.recovery.least_singular import least_singular_value


def regular(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, n)) + 2 * np.sqrt(n) * np.eye(n)


def test_half_precision_proves_what_double_precision_does():
    matrix = regular()
    inverse = np.linalg.inv(matrix)
    assert contracts_at_half_precision(inverse, matrix, np.zeros_like(matrix))
    assert contracts(inverse, matrix, np.zeros_like(matrix))


@pytest.mark.parametrize("wrong", ["singular", "uncertain", "another inverse", "too large", "not a number"])
def test_half_precision_proves_nothing_that_is_wrong(wrong):
    matrix = regular()
    inverse, doubt = np.linalg.inv(matrix), np.zeros_like(matrix)
    if wrong == "singular":
        matrix[:, 1] = matrix[:, 0]
    elif wrong == "uncertain":
        doubt += 1.0 / np.abs(inverse).sum(axis=1).max()  # a matrix within it is singular, by norms
    elif wrong == "another inverse":
        inverse = np.linalg.inv(regular(seed=1))
    elif wrong == "too large":
        matrix, inverse = matrix * 2.0**61, inverse * 2.0**-61
    else:
        inverse[3, 4] = np.nan
    assert not contracts_at_half_precision(inverse, matrix, doubt)


@pytest.mark.parametrize("seed", range(20))
def test_half_precision_never_proves_more_than_double(seed):
    """Matrices that come nearer and nearer to a singular one, with an uncertainty that grows."""
    rng = np.random.default_rng(seed)
    matrix = regular(seed=seed)
    matrix[:, 1] = matrix[:, 0] + 2.0 ** -int(rng.integers(0, 50)) * matrix[:, 1]
    doubt = 2.0 ** -int(rng.integers(0, 50)) * np.abs(matrix)
    inverse = np.linalg.inv(matrix)
    singular = np.linalg.svd(matrix, compute_uv=False)[-1]
    if contracts_at_half_precision(inverse, matrix, doubt):
        assert contracts(inverse, matrix, doubt)
        assert singular > 0


@pytest.mark.parametrize("extra", [0, 1, 4])
def test_the_least_singular_value_to_some_six_digits(extra):
    matrix = np.concatenate([regular(), np.random.default_rng(2).standard_normal((extra, 40))])
    inverse = factorise(matrix).inverse
    expected = np.linalg.svd(matrix, compute_uv=False)[-1]
    assert least_singular_value(matrix, inverse) == pytest.approx(expected, rel=2e-6)


def test_the_least_singular_value_of_another_inverse_is_not_taken_for_it():
    """The helper believes its inverse: one of another matrix gives another number, and one that is no inverse none."""
    matrix = regular()
    wrong = least_singular_value(matrix, np.linalg.inv(2.0 * matrix))
    assert wrong != pytest.approx(np.linalg.svd(matrix, compute_uv=False)[-1], rel=0.1)
    assert least_singular_value(matrix, np.full((40, 40), 1e16)) is None
    many = np.concatenate([matrix, matrix])
    assert least_singular_value(many, factorise(many).inverse) is None  # too many equations beyond n
