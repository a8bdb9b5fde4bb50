"""Pairs of floats, and exact products, against fractions."""

import operator
from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabular_inversion.linear_systems import doubled
from tabular_inversion.linear_systems.doubled import PAIR_ROUNDING, DoubledProduct, Pair


def exact(pair, place):
    return Fraction(float(pair.high[place])) + Fraction(float(pair.low[place]))


def drawn_pair(rng, shape):
    high = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
    return Pair.of(high) + Pair.of(high * 2.0**-55 * rng.standard_normal(shape))


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul])
def test_sums_and_products_of_pairs(operation):
    rng = np.random.default_rng(0)
    first, second = drawn_pair(rng, 2000), drawn_pair(rng, 2000)
    second.high[:500], second.low[:500] = -first.high[:500], first.low[:500]  # they cancel
    found = operation(first, second)
    for place in range(2000):
        a, b = exact(first, place), exact(second, place)
        right = operation(a, b)
        size = abs(right) if operation is operator.mul else max(abs(a), abs(b))
        assert abs(exact(found, place) - right) <= Fraction(PAIR_ROUNDING) * size


@pytest.mark.parametrize("stored", [np.asarray, csr_array])
def test_products_are_exact_within_their_bound(stored):
    rng = np.random.default_rng(1)
    for _ in range(20):
        n_states = int(rng.integers(1, 40))
        rows = rng.standard_exponential((5, n_states)) ** 6
        rows[rng.random(rows.shape) < 0.3] = 0.0
        rows /= rows.sum(axis=1, keepdims=True) + 1e-300
        vectors = drawn_pair(rng, (3, n_states))
        product = DoubledProduct(stored(rows))
        found = product(vectors)
        assert product.error < 1e-28
        for goal in range(3):
            largest = 2 * Fraction(float(np.abs(vectors.high[goal]).max()))
            for row in range(5):
                right = sum(Fraction(float(rows[row, s])) * exact(vectors, (goal, s)) for s in range(n_states))
                assert abs(exact(found, (goal, row)) - right) <= Fraction(product.error) * largest


def test_the_bound_would_see_one_slice_too_few(monkeypatch):
    rows, vectors = np.full((1, 3), 1 / 3), Pair.of(np.array([[1.0, 2.0**-60, 1 / 3]]))
    right = sum(Fraction(1 / 3) * exact(vectors, (0, s)) for s in range(3))
    limit = Fraction(DoubledProduct(rows).error) * 2
    assert abs(exact(DoubledProduct(rows)(vectors), (0, 0)) - right) <= limit
    monkeypatch.setattr(doubled, "_BITS", 60)
    assert abs(exact(DoubledProduct(rows)(vectors), (0, 0)) - right) > limit
