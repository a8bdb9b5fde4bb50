"""P-learning against its closed forms: T1's limit and rate, the Bregman projection, and an unbiased gradient."""

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    Goals,
    Stochastic,
    Unconstrained,
    evaluate,
    invert,
    policies,
    solve,
    value_equivalence,
)
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import InputError
from tabular_inversion.learning import convergence_rate, p_learning
from tabular_inversion.learning.p_learning import _sampled
from tabular_inversion.recovery import recover


def agent_of(n=5, k=5, *, m=2, discount=0.5, seed=0):
    mdp = random_mdp(n, m, discount=discount, seed=seed)
    return mdp, evaluate(mdp, Goals.generic(n, k, seed=seed), policies.uniform(mdp.available))


@pytest.mark.parametrize("k", [2, 5])
def test_gradient_descent_ends_where_t1_says(k):
    mdp, agent = agent_of(k=k)
    prior = np.random.default_rng(1).dirichlet(np.ones(5), (5, 2))
    learned = p_learning(agent, prior=prior, iterations=500_000, tolerance=1e-11)
    limit = recover(
        agent.test_matrix, agent.right_hand_sides, Unconstrained(), row_index=agent.row_index,
        prior=prior.reshape(-1, 5),
    ).rows  # fmt: skip
    assert learned.converged
    np.testing.assert_allclose(learned.kernel.reshape(-1, 5), limit, atol=1e-8)
    assert (np.abs(learned.kernel - mdp.kernel).max() < 1e-8) == (k == 5)


def test_the_distance_falls_no_slower_than_the_rate_and_the_rate_is_attained():
    _, agent = agent_of(k=3)
    limit = invert(agent, Unconstrained()).kernel
    distances = []
    for steps in (0, 600, 601):
        kernel = np.full((5, 2, 5), 0.2) if steps == 0 else p_learning(
            agent, iterations=steps, tolerance=1e-300).kernel  # fmt: skip
        distances.append(np.linalg.norm(kernel - limit))
    rate = convergence_rate(agent.test_matrix, 1.0 / np.linalg.norm(agent.test_matrix, 2) ** 2)
    assert distances[1] <= rate**600 * distances[0] * (1 + 1e-9)
    # late steps move along the slowest direction alone
    np.testing.assert_allclose(distances[2] / distances[1], rate, rtol=1e-4)


def test_mirror_descent_stays_in_the_simplex_and_ends_at_the_least_divergence():
    mdp, agent = agent_of(n=4, k=2)
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    learned = p_learning(agent, "mirror", prior=prior, iterations=400_000, tolerance=1e-10)
    nearest = value_equivalence(agent, Stochastic()).nearest(prior, "kl")
    assert learned.converged
    assert (learned.kernel >= 0).all()
    np.testing.assert_allclose(learned.kernel.sum(axis=2), 1, atol=1e-12)
    np.testing.assert_allclose(learned.kernel, nearest, atol=1e-6)
    assert np.abs(learned.kernel - mdp.kernel).max() > 0.01, "two goals do not determine this world"


def test_two_samples_give_the_gradient_on_average():
    mdp, agent = agent_of(n=3, k=1, m=1)
    matrix = agent.test_matrix - agent.test_matrix.mean()
    values = agent.right_hand_sides - agent.test_matrix.mean()
    copies = 400_000
    start = np.tile(np.array([[0.2], [0.3], [0.5]]), copies)
    advance = _sampled(matrix, np.tile(values[:, :1], copies), start, 1e-3, np.random.default_rng(0))
    moved = np.log(advance(start, 0)) - np.log(start)
    centred = moved - moved.mean(axis=0)
    point = start[:, 0]
    gap = float(matrix[0] @ point - values[0, 0])
    gradient = gap * point * (matrix[0] - matrix[0] @ point)
    expected = -1e-3 * (gradient - gradient.mean())
    error = centred.std(axis=1) / np.sqrt(copies)
    assert (np.abs(centred.mean(axis=1) - expected) < 5 * error).all()
    assert (np.abs(expected) > 20 * error).any(), "the test could not tell the gradient from zero"
    assert mdp.n_states == 3


def test_sampled_gradients_approach_an_identified_world():
    mdp = random_mdp(4, 1, discount=0.3, seed=2)
    agent = solve(mdp, Goals.indicator(4))  # well-conditioned: other goals take far longer
    learned = p_learning(agent, "sampled", step=0.2, iterations=100_000, seed=0)
    assert np.linalg.norm(learned.kernel - mdp.kernel) < 0.2 * np.linalg.norm(0.25 - mdp.kernel)
    assert learned.residuals[-1] < 0.3 * learned.residuals[0]
    assert not learned.converged
    again, other = (p_learning(agent, "sampled", iterations=500, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.kernel, p_learning(agent, "sampled", iterations=500, seed=0).kernel)
    assert not np.array_equal(again.kernel, other.kernel)


@pytest.mark.parametrize("method", ["gradient", "mirror", "sampled"])
def test_unavailable_actions_and_constant_goals(method):
    kernel = random_mdp(3, 2, seed=0).kernel.copy()
    available = np.array([[True, True], [True, False], [True, True]])
    kernel[1, 1] = 0
    agent = solve(MDP(kernel, 0.5, available), Goals(np.ones((1, 3))))
    learned = p_learning(agent, method, iterations=10)
    assert (learned.kernel[1, 1] == 0).all()
    np.testing.assert_allclose(learned.kernel[available].sum(axis=1), 1, atol=1e-12)
    assert learned.converged, "every kernel has these values"


def test_a_step_that_is_too_long_is_reported_and_not_hidden():
    _, agent = agent_of()
    largest = np.linalg.norm(agent.test_matrix, 2)
    assert convergence_rate(agent.test_matrix, 2.1 / largest**2) > 1
    learned = p_learning(agent, step=2.1 / largest**2, iterations=2000)
    assert not learned.converged
    assert learned.residual > learned.residuals[0]
    assert "not converged" in repr(learned)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "newton"}, "method is 'newton'"),
        ({"iterations": 0}, "iterations is 0"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"step": -1.0}, "step"),
        ({"step": float("nan")}, "step"),
        ({"prior": [0.5, 0.5]}, "prior has shape"),
        ({"prior": [np.nan] * 5}, "not finite"),
        ({"method": "mirror", "prior": [0, 0.25, 0.25, 0.25, 0.25]}, "next state 0"),
    ],
)
def test_bad_input(arguments, message):
    _, agent = agent_of()
    with pytest.raises(InputError, match=message):
        p_learning(agent, **arguments)


def test_the_rate_of_nothing_and_of_nonsense():
    assert convergence_rate(np.zeros((2, 3)), 1.0) == 0.0
    with pytest.raises(InputError, match="step"):
        convergence_rate(np.eye(2), 0.0)
    with pytest.raises(InputError, match="not finite"):
        convergence_rate([[np.inf]], 1.0)
