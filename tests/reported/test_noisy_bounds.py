"""Kind: bounds under noise exclude the truth, or end in an error of numpy.

The truth is in E(q) whenever the values are off by no more than what was said: no bound may leave it out.
"""

from fractions import Fraction

import numpy as np
import pytest
from twins import exact_agent, exact_rows, float_world

from tabular_inversion import (
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    identify,
    robust,
    solve,
    value_equivalence,
)
from tabular_inversion.exact.rationals import to_floats

CYCLE = exact_rows([0, 1, 0], [0, 0, 1], [1, 0, 0])


def moved(agent, noise, rng):
    """Return the agent's values, rounded and then moved by less than the noise, up or down."""
    q = to_floats(agent.q)
    slack = 4e-16 * np.abs(q).max()
    rewards = to_floats(agent.goals.rewards)
    return AgentValues(
        q + max(noise - slack, 0.0) * rng.choice([-1.0, 1.0], q.shape), Goals(rewards), float(agent.discount)
    )


def assert_inside(agent, kernel_class, noise, kernel):
    sets = value_equivalence(agent, kernel_class, noise=noise)
    assert sets.contains(to_floats(kernel)).all()
    lower, upper = sets.bounds()
    for state, action, successor in np.ndindex(kernel.shape):
        low, high = lower[state, action, successor], upper[state, action, successor]
        assert low == -np.inf or Fraction(low) <= kernel[state, action, successor]
        assert high == np.inf or Fraction(high) >= kernel[state, action, successor]
    return sets


@pytest.mark.parametrize("noise", [1e-8, 1e-7, 1e-6, 5e-6])
@pytest.mark.parametrize("n_states", [3, 5])
def test_a_sure_cycle_at_discount_one_half(n_states, noise):
    cycle = np.roll(exact_rows([1] + [0] * (n_states - 1)), 0)
    cycle[:, 0] = np.roll(np.eye(n_states, dtype=int), 1, axis=1) * Fraction(1)
    rng = np.random.default_rng(n_states)
    target = Goals(rng.integers(-4, 5, (1, n_states)).astype(float))
    truth = solve(float_world(cycle, target.rewards, 0.5)[0], target).v
    for _ in range(4):
        rewards = rng.integers(-4, 5, (n_states - (n_states == 5), n_states))
        sets = assert_inside(moved(exact_agent(cycle, rewards, Fraction(1, 2)), noise, rng), Stochastic(), noise, cycle)
        plan = robust(sets, target)
        assert (plan.lower <= truth).all()
        assert (plan.upper >= truth).all()


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
def test_a_world_that_the_solver_called_empty(noise):
    """Rewards a million apart, one goal that pays nothing, values off by 1e-6."""
    kernel = exact_rows(["1/5", "3/10", "1/2"], ["1/2", "1/2", "0"], ["0", "0", "1"])
    rng = np.random.default_rng(0)
    agent = moved(exact_agent(kernel, [[10**6, -2, 1], [0, 0, 0]], Fraction(9, 10)), noise, rng)
    stated = max(noise, 4e-16 * np.abs(agent.q).max())
    assert_inside(agent, Stochastic(), stated, kernel)
    status = identify(agent, Stochastic(), noise=stated).row_status
    assert not (status == 3).any()


@pytest.mark.parametrize("discount", ["0.9", "0.9999", "0.999999"])
@pytest.mark.parametrize("noise", [1e-12, 1e-9, 1e-6])
def test_any_vectors_under_noise_near_discount_one(noise, discount):
    kernel = exact_rows(["1/2", "1/2"], ["1/4", "3/4"])
    rng = np.random.default_rng(1)
    agent = exact_agent(kernel, [[100, 100], [104, 100]], Fraction(discount))
    stated = max(noise, 8e-16 * float(abs(agent.q).max()))
    assert_inside(moved(agent, stated, rng), Unconstrained(), stated, kernel)


@pytest.mark.parametrize("seed", range(12))
def test_the_truth_is_never_called_inconsistent_on_uneven_scales(seed):
    rng = np.random.default_rng([4, seed])
    n = 3
    weights = rng.integers(0, 4, (n, n))
    weights[np.arange(n), rng.integers(0, n, n)] += 1
    kernel = exact_rows(*[[Fraction(int(w), int(row.sum())) for w in row] for row in weights])
    rewards = rng.integers(-3, 4, (2, n)) * np.array([[10 ** int(rng.integers(0, 7))], [1]])
    noise = 10.0 ** -int(rng.integers(1, 10))
    agent = moved(exact_agent(kernel, rewards, Fraction(9, 10)), noise, rng)
    stated = max(noise, 4e-16 * np.abs(agent.q).max())
    mask = kernel != 0
    for kernel_class in (Stochastic(), Supported(mask), Sparse(n), Unconstrained()):
        assert not (identify(agent, kernel_class, noise=stated).row_status == 3).any()
        if not isinstance(kernel_class, Sparse):
            assert_inside(agent, kernel_class, stated, kernel)
    if (mask.sum(axis=2) == 1).all():
        assert not (identify(agent, Deterministic(), noise=stated).row_status == 3).any()


def test_a_noise_that_is_too_small_does_exclude_the_truth():
    """The tests above can fail: values that are off by more than was said leave the truth outside."""
    rng = np.random.default_rng(0)
    agent = moved(exact_agent(CYCLE, [[0, 1, 3]], Fraction(0)), 1e-2, rng)
    with pytest.raises(AssertionError):
        assert_inside(agent, Unconstrained(), 1e-4, CYCLE)
