"""Rounded tables: what `normalised` changes, what it leaves alone, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from tabular_inversion import MDP, normalised, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import InputError, KernelError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.policies import random


@given(st.integers(0, 10**6), st.sampled_from([np.float32, np.float16]), st.booleans())
def test_a_table_that_went_through_another_float_type_becomes_a_world(seed: int, kind: Any, sparse: bool) -> None:
    world = random_mdp(5, 2, branching=3, discount=0.9, seed=seed)
    table = world.dense().kernel.astype(kind).astype(np.float64)
    within = 20 * float(np.finfo(kind).eps)
    given_table = csr_array(table.reshape(10, 5)) if sparse else table
    found = normalised(given_table, within=within)
    mdp = MDP(found.kernel, 0.9)
    assert mdp.is_sparse == sparse
    kernel = mdp.dense().kernel
    assert 0 <= found.largest_change == np.abs(kernel - table).max() <= within
    assert found.rows_changed == (kernel != table).any(axis=2).sum()
    assert found.negatives == 0
    assert solve(mdp, Goals.indicator(5)).report.converged


def test_rows_that_are_distributions_stay_to_the_last_bit() -> None:
    kernel = random_mdp(6, 3, discount=0.9, seed=1).dense().kernel
    found = normalised(kernel, within=1e-3)
    np.testing.assert_array_equal(found.kernel, kernel)
    assert (found.rows_changed, found.negatives, found.largest_change) == (0, 0, 0.0)
    assert not found.kernel.flags.writeable


def test_hardly_negative_entries_become_zero_and_empty_rows_stay() -> None:
    table = np.array([[[1.0 + 1e-9, -1e-9], [0.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]])
    for given_table in (table, csr_array(table.reshape(4, 2))):
        found = normalised(given_table, within=1e-8)
        rows = found.kernel if isinstance(found.kernel, np.ndarray) else found.kernel.toarray()
        np.testing.assert_array_equal(rows.reshape(4, 2), [[1.0, 0.0], [0.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
        assert (found.rows_changed, found.negatives) == (1, 1)
        assert "1 negative" in str(found)
    MDP(normalised(table, within=1e-8).kernel, 0.5, [[True, False], [True, True]])


def test_policies_are_normalised_too() -> None:
    policy = random(np.ones((4, 3), bool), seed=0, n_goals=2).astype(np.float32)
    assert normalised(policy, within=1e-6).kernel.shape == (2, 4, 3)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("row", "match"),
    [
        ([0.5, 0.49], r"state 1, action 0 sums to 0\.99.*expected 1 within 0\.001"),
        ([1.01, -0.01], r"state 1, action 0 has the entry -0\.01 .*the least allowed is -0\.001"),
        ([np.nan, 1.0], "entry nan"),
        ([np.inf, 0.0], "entry inf"),
    ],
)
def test_what_is_no_rounding_is_refused(row: Any, match: str, sparse: bool) -> None:
    table = np.array([[[1.0, 0.0]], [row]])
    with pytest.raises(KernelError, match=match):
        normalised(csr_array(table.reshape(2, 2)) if sparse else table, within=1e-3)


@pytest.mark.parametrize("within", [0.0, -1.0, 1.0, np.nan, "x", None])
def test_within_is_a_small_positive_number(within: Any) -> None:
    with pytest.raises(InputError, match="within is"):
        normalised([[1.0]], within=within)


@pytest.mark.parametrize("table", [1.0, np.zeros((0, 2)), csr_array((0, 2))])
def test_what_has_no_row_is_refused(table: Any) -> None:
    with pytest.raises(ShapeError):
        normalised(table, within=0.1)


def test_masked_entries_are_refused() -> None:
    with pytest.raises(KernelError, match="masked"):
        normalised(np.ma.array([[0.5, 0.5]], mask=[[True, False]]), within=0.1)
