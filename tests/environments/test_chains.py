"""Chains and RiverSwim against their published probabilities."""

from typing import Any

import numpy as np
import pytest

from tabular_inversion.environments import chain, river_swim
from tabular_inversion.errors import DiscountError, InputError


def test_chain_moves_and_stays_at_the_ends() -> None:
    mdp = chain(4, discount=0.5)
    left = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    right = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
    np.testing.assert_array_equal(mdp.dense().kernel, np.stack([left, right], axis=1))
    assert mdp.is_sparse
    assert mdp.is_deterministic
    assert mdp.action_names == ("left", "right")
    assert mdp.discount == 0.5
    np.testing.assert_array_equal(mdp.coordinates, [[0], [1], [2], [3]])


def test_a_chain_of_one_state_stays() -> None:
    np.testing.assert_array_equal(chain(1).dense().kernel, np.ones((1, 2, 1)))


def test_river_swim_has_the_published_probabilities() -> None:
    """Strehl and Littman (2008): six states, left always succeeds, right as below."""
    kernel = river_swim().dense().kernel
    np.testing.assert_array_equal(kernel[:, 0], chain(6).dense().kernel[:, 0])
    expected = [
        [0.7, 0.3, 0.0, 0.0, 0.0, 0.0],
        [0.1, 0.6, 0.3, 0.0, 0.0, 0.0],
        [0.0, 0.1, 0.6, 0.3, 0.0, 0.0],
        [0.0, 0.0, 0.1, 0.6, 0.3, 0.0],
        [0.0, 0.0, 0.0, 0.1, 0.6, 0.3],
        [0.0, 0.0, 0.0, 0.0, 0.7, 0.3],
    ]
    np.testing.assert_array_equal(kernel[:, 1], expected)


def test_river_swim_stores_no_zeros() -> None:
    mdp = river_swim(5)
    assert (mdp.kernel.data > 0).all()
    np.testing.assert_array_equal(mdp.n_successors, [[1, 2], [1, 3], [1, 3], [1, 3], [1, 2]])


def test_river_swim_of_two_banks() -> None:
    np.testing.assert_array_equal(river_swim(2).dense().kernel[:, 1], [[0.7, 0.3], [0.7, 0.3]])


def test_a_long_chain_stays_sparse() -> None:
    mdp = chain(100_000)
    assert mdp.kernel.nnz == 200_000


@pytest.mark.parametrize("n", [0, -1, 2.0, "3", True, None])
def test_bad_sizes(n: Any) -> None:
    with pytest.raises(InputError, match=r"n is .*; expected an integer"):
        chain(n)
    with pytest.raises(InputError, match=r"n is .*; expected an integer"):
        river_swim(n)


def test_river_swim_needs_two_banks() -> None:
    with pytest.raises(InputError, match="n is 1; expected an integer"):
        river_swim(1)


def test_bad_discount() -> None:
    for build in (chain, river_swim):
        with pytest.raises(DiscountError):
            build(3, discount=1.5)
