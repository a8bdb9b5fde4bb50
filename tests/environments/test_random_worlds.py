"""Random worlds: shapes, distributions, distinct successors, repeatability."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import DiscountError, InputError


def test_dense_worlds_reach_every_state() -> None:
    mdp = random_mdp(6, 3, discount=0.5, seed=0)
    assert not mdp.is_sparse
    assert mdp.shape == (6, 3, 6)
    assert mdp.discount == 0.5
    assert (mdp.n_successors == 6).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 15), m=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_every_row_has_so_many_different_successors(data: st.DataObject, n: int, m: int, seed: int) -> None:
    branching = data.draw(st.integers(1, n))
    mdp = random_mdp(n, m, branching=branching, seed=seed)
    assert mdp.is_sparse
    assert mdp.kernel.nnz == n * m * branching
    np.testing.assert_array_equal(mdp.n_successors, branching)
    # Rounding of a sum of at most 15 numbers that add up to one.
    np.testing.assert_allclose(mdp.kernel.sum(axis=1), 1.0, rtol=0, atol=15 * np.finfo(float).eps)


def test_branching_one_is_deterministic() -> None:
    mdp = random_mdp(50, 3, branching=1, seed=2)
    assert mdp.is_deterministic
    np.testing.assert_array_equal(mdp.kernel.data, 1.0)


def test_successors_are_uniform_over_all_subsets() -> None:
    """Floyd's algorithm gives each 2-subset of 5 states the same chance: 20,000 rows, five standard deviations."""
    rows = random_mdp(5, 4000, branching=2, seed=3).sparse().kernel.indices.reshape(-1, 2)
    counts = np.array([(np.sort(rows, axis=1) == pair).all(axis=1).sum() for pair in combinations(range(5), 2)])
    deviation = np.sqrt(len(rows) * 0.1 * 0.9)
    np.testing.assert_allclose(counts, len(rows) / 10, atol=5 * deviation)


def test_probabilities_are_uniform_on_the_simplex() -> None:
    """On the simplex of three successors a probability has mean 1/3 and variance 1/18 (a Beta(1, 2) variable)."""
    first = random_mdp(3, 20_000, branching=3, seed=4).dense().kernel[..., 0].ravel()
    np.testing.assert_allclose(first.mean(), 1 / 3, atol=5 * np.sqrt(1 / 18 / first.size))
    np.testing.assert_allclose(first.var(), 1 / 18, rtol=0.03)


def test_large_sparse_worlds() -> None:
    mdp = random_mdp(20_000, 4, branching=5, seed=0)
    np.testing.assert_array_equal(mdp.n_successors, 5)


@pytest.mark.parametrize("branching", [None, 1, 4])
def test_seeds_repeat_exactly(branching: int | None) -> None:
    first = random_mdp(8, 2, branching=branching, seed=7)
    assert first == random_mdp(8, 2, branching=branching, seed=7)
    assert first == random_mdp(8, 2, branching=branching, seed=np.random.default_rng(7))
    assert first != random_mdp(8, 2, branching=branching, seed=8)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((0, 2), {}, "n_states is 0"),
        ((-3, 2), {}, "n_states is -3"),
        ((2.5, 2), {}, "n_states is 2.5"),
        ((3, 0), {}, "n_actions is 0"),
        ((3, True), {}, "n_actions is True"),
        ((3, 2), {"branching": 0}, "branching is 0; expected an integer of at least 1"),
        ((3, 2), {"branching": 4}, "branching is 4; a row has at most n_states = 3 successors"),
        ((3, 2), {"branching": "2"}, "branching is '2'"),
        ((3, 2), {"seed": "zero"}, "seed is 'zero'; expected an integer"),
        ((3, 2), {"seed": 1.0}, "seed is 1.0"),
        ((3, 2), {"seed": -1}, "seed is -1"),
        ((3, 2), {"seed": None}, "seed is None"),
        ((20_000, 4), {}, "more than 2 GiB; give branching=b"),
    ],
)
def test_bad_input(sizes: tuple[Any, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        random_mdp(*sizes, **{"seed": 0} | options)


def test_bad_discount() -> None:
    with pytest.raises(DiscountError):
        random_mdp(3, 2, seed=0, discount=-0.1)
