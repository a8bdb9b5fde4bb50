"""Kind: rewards that share a large constant, or a discount near 1, hide what tells states apart.

A constant added to a goal adds a multiple of 1 to M's row and to the values, so E(q) stays what it was. Where floats
have no digits left, the answer is UNDECIDED.
"""

from fractions import Fraction

import numpy as np
import pytest
from twins import assert_never_wrong, exact_rows, exact_status, float_world

from tabular_inversion import Deterministic, Sparse, Status, Stochastic, Supported, identify, invert, solve

WITHOUT_THE_THIRD = np.array([[[1, 1, 0]], [[1, 1, 1]], [[1, 1, 1]]], dtype=bool)
CLASSES = [Deterministic(), Stochastic(), Sparse(2), Supported(WITHOUT_THE_THIRD)]


@pytest.mark.parametrize("kernel_class", CLASSES, ids=lambda c: c.name)
@pytest.mark.parametrize("constant", [0.0, 1e8, 9e8, 1e12, 1e15])
def test_a_constant_hides_no_successor(constant, kernel_class):
    rewards = [[constant, constant + 2, constant + 3], [constant, constant + 1, constant + 2.5]]
    kernel = exact_rows([Fraction(0), Fraction(19, 20), Fraction(1, 20)])
    truth = exact_status(kernel, rewards, Fraction(1, 2), kernel_class)
    found = identify(solve(*float_world(kernel, rewards, 0.5)), kernel_class)
    assert_never_wrong(found.row_status, truth)
    if constant <= 9e8:
        assert found.row_status[0, 0] == truth[0, 0]  # the digits are there
    assert found.row_status[0, 0] != Status.IDENTIFIED or truth[0, 0] == Status.IDENTIFIED


@pytest.mark.parametrize("hidden", [0.05, 5e-4, 1e-6])
@pytest.mark.parametrize("discount", ["0.5", "0.999999", "0.9999999"])
@pytest.mark.parametrize("kernel_class", [Deterministic(), Stochastic(), Supported(WITHOUT_THE_THIRD)],
                         ids=lambda c: c.name)  # fmt: skip
def test_a_discount_near_one_hides_no_successor(kernel_class, discount, hidden):
    share = Fraction(str(hidden))
    kernel = exact_rows([Fraction(0), 1 - share, share])
    rewards = [[1, 1, 2]]
    truth = exact_status(kernel, rewards, Fraction(discount), kernel_class)
    found = identify(solve(*float_world(kernel, rewards, discount)), kernel_class)
    assert_never_wrong(found.row_status, truth)


def test_what_is_recovered_under_a_constant_is_right_to_the_digits_that_are_left():
    kernel = exact_rows([Fraction(0), Fraction(19, 20), Fraction(1, 20)])
    rewards = [[1e8, 1e8 + 2, 1e8 + 3], [1e8, 1e8 + 1, 1e8 + 2.5]]
    world, goals = float_world(kernel, rewards, 0.5)
    assert invert(solve(world, goals), Stochastic()).max_error(world) < 1e-6
