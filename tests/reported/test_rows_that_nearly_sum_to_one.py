"""Kind: a world is accepted whose rows do not sum to one, and then its own values contradict it.

What is accepted is consistent with itself; everything else is refused, and the remedy that is named works.
"""

from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Status, Stochastic, TabularInversionError, identify, normalised, solve


@pytest.mark.parametrize("off", [9e-10, -9e-10, 1e-12, 1e-6])
@pytest.mark.parametrize("discount", [0.5, 1.0 - 1e-10])
def test_a_row_that_is_off_is_refused_with_a_remedy_that_works(off, discount):
    table = np.array([[[0.5 + off, 0.5]], [[0.25, 0.75]]])
    with pytest.raises(TabularInversionError, match=r"normalised\(kernel, within=") as caught:
        MDP(table, discount)
    within = float(str(caught.value).partition("within=")[2].partition(")")[0])
    world = MDP(normalised(table, within=within).kernel, discount)
    agent = solve(world, Goals([[1.0, 0.0]]))
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED
    largest = Fraction(1) / (1 - Fraction(discount))
    assert all(0 <= Fraction(value) <= largest * (1 + Fraction(1, 10**9)) for value in agent.v.flat)


def test_one_state_near_discount_one_has_no_negative_value():
    """1 + 9e-10 with discount 1 - 1e-10 had the value -1.25e9, and was said to have converged."""
    with pytest.raises(TabularInversionError, match="normalised"):
        MDP([[[1.0 + 9e-10]]], 1.0 - 1e-10)
    agent = solve(MDP([[[1.0]]], 1.0 - 1e-10), Goals([[1.0]]))
    truth = 1 / (1 - Fraction(1.0 - 1e-10))
    assert abs(Fraction(agent.v[0, 0]) - truth) <= Fraction(agent.report.value_error)
    assert agent.report.value_error < 1e-5 * float(truth)


@pytest.mark.parametrize("seed", range(8))
def test_every_world_that_is_accepted_explains_its_own_values(seed):
    rng = np.random.default_rng(seed)
    accepted = 0
    for _ in range(30):
        n = int(rng.integers(2, 5))
        table = rng.dirichlet(np.ones(n), (n, 1)) * (
            1.0 + rng.choice([0.0, 1e-16, 1e-15, 1e-13, 1e-9]) * rng.standard_normal()
        )
        try:
            world = MDP(table, float(rng.choice([0.0, 0.9, 0.999, 1 - 1e-6])))
        except TabularInversionError:
            continue
        accepted += 1
        status = identify(solve(world, Goals.generic(n, n, seed=seed)), Stochastic()).row_status
        assert not (status == Status.INCONSISTENT).any()
    assert accepted > 3
