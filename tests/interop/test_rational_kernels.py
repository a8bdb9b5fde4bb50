"""Exact fractions of stored floats: rows that sum to exactly one, or an error."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP
from tabular_inversion.environments import four_rooms, parse_environment, random_mdp, river_swim
from tabular_inversion.errors import InputError, KernelError
from tabular_inversion.interop import exact_kernel


def world(*rows: list[float]) -> MDP:
    """Return a world of one action with these rows."""
    return MDP([[row] for row in rows], discount=0.5)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("gym:FrozenLake-v1", {"0", "1/3", "2/3", "1"}),
        ("gym:FrozenLake-v1,is_slippery=false", {"0", "1"}),
        ("gym:FrozenLake-v1,success_rate=0.7", {"0", "3/20", "7/10", "17/20", "1"}),
        ("gym:CliffWalkingSlippery-v1", {"0", "1/3", "2/3", "1"}),
        ("gym:Taxi-v4,is_rainy=true", {"0", "1/10", "1/5", "4/5", "1"}),
        ("fourrooms:windy", {"0", "1/4", "1/2", "3/4"}),
        ("fourrooms:teleport", {"0", "1/16", "1"}),
        ("riverswim:6", {"0", "1/10", "3/10", "3/5", "7/10", "1"}),
        ("graph:petersen", {"0", "1"}),
    ],
)
def test_fractions_of_known_worlds(text: str, values: set[str]) -> None:
    mdp = parse_environment(text).mdp
    kernel = exact_kernel(mdp)
    assert kernel.shape == mdp.shape
    assert {str(fraction) for fraction in kernel.ravel()} == values
    assert all(type(fraction) is Fraction for fraction in kernel.ravel()[:50])
    assert set(kernel[mdp.available].sum(axis=1)) == {Fraction(1)}
    np.testing.assert_allclose(kernel.astype(float), mdp.dense().kernel, rtol=0, atol=1e-15)


def test_frozen_lake_is_not_stored_exactly() -> None:
    """Why a tolerance is needed: the table holds 0.33333333333333337, which is not the float nearest to 1/3."""
    mdp = parse_environment("gym:FrozenLake-v1").mdp
    assert 0.33333333333333337 in mdp.kernel.data
    assert float(Fraction(1, 3)) != 0.33333333333333337
    with pytest.raises(KernelError, match="not within 0 of a positive fraction"):
        exact_kernel(mdp, tolerance=0.0)


def test_dense_and_sparse_agree_and_zeros_are_passed_over() -> None:
    mdp = four_rooms("windy")
    assert (exact_kernel(mdp) == exact_kernel(mdp.sparse())).all()
    assert exact_kernel(mdp, tolerance=0.0)[0, 0, 0] == Fraction(3, 4)


def test_unavailable_rows_are_zero() -> None:
    kernel = exact_kernel(parse_environment("graph:path:3").mdp)
    assert list(kernel[0, 1]) == [0, 0, 0]
    assert all(type(fraction) is Fraction for fraction in kernel.ravel())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any), min_size=3, max_size=3))
def test_fractions_survive_their_floats(weights: list[list[int]]) -> None:
    exact = [[Fraction(w, sum(row)) for w in row] for row in weights]
    kernel = exact_kernel(world(*[[float(p) for p in row] for row in exact]))
    assert kernel[:, 0].tolist() == exact


def test_numbers_that_are_no_such_fractions() -> None:
    with pytest.raises(KernelError, match=r"state 0, action 0, next state 0 is .* denominator up to 10000"):
        exact_kernel(random_mdp(4, 2, seed=0))
    with pytest.raises(KernelError, match="state 1, action 0, next state 0"):
        exact_kernel(world([0.5, 0.5], [1 / 12_343, 12_342 / 12_343]))
    assert exact_kernel(world([0.5, 0.5], [1 / 12_343, 12_342 / 12_343]), max_denominator=20_000)[1, 0, 0] == Fraction(
        1, 12_343
    )


def test_a_successor_is_never_lost() -> None:
    with pytest.raises(KernelError, match="next state 1 is 1e-16, not within 1e-15 of a positive fraction"):
        exact_kernel(world([1.0, 1e-16], [0.0, 1.0]))


def test_rows_must_sum_to_exactly_one() -> None:
    """The float row sums to one within the tolerance of a world, and its fractions do not."""
    almost = [1 / 21_999_999, 21_999_999 / 22_000_000]
    with pytest.raises(
        KernelError, match=r"fractions of state 1, action 0 sum to 483999978000001/483999978000000, not to 1"
    ):
        exact_kernel(world([1.0, 0.0], almost), max_denominator=22_000_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_denominator": 0}, "max_denominator is 0"),
        ({"max_denominator": 2.5}, "max_denominator is 2.5"),
        ({"max_denominator": True}, "max_denominator is True"),
        ({"tolerance": -1e-16}, "tolerance is -1e-16"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"tolerance": float("inf")}, "tolerance is inf"),
        ({"tolerance": 0.5e-8}, "below 5e-09"),
        ({"max_denominator": 10**8}, "so that at most one fraction"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        exact_kernel(river_swim(), **options)
