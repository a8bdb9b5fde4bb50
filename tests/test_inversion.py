"""`invert` end to end: the known kernel comes back from values alone."""

import numpy as np
import pytest

from tabular_inversion import (
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    evaluate,
    invert,
    solve,
    solve_soft,
)
from tabular_inversion.environments import chain, four_rooms, graph, named_graph, random_mdp
from tabular_inversion.errors import InputError, KernelError, ShapeError
from tabular_inversion.identifiability import Status
from tabular_inversion.policies import uniform


@pytest.mark.parametrize(
    ("variant", "goals", "kernel_class"),
    [
        ("deterministic", 1, Deterministic()),
        ("windy", 2, "supported"),
        ("teleport", 15, "supported"),
        ("windy", 68, Unconstrained()),
        ("teleport", 67, Stochastic()),
    ],
)
def test_four_rooms_come_back(variant, goals, kernel_class):
    mdp = four_rooms(variant)
    agent = solve(mdp, Goals.generic(68, goals, seed=0))
    result = invert(agent, Supported.of(mdp) if kernel_class == "supported" else kernel_class)
    assert result.verdict.status is Status.IDENTIFIED
    assert result.max_error(mdp) < 1e-8
    assert result.mse(mdp) <= result.max_error(mdp) ** 2
    assert np.nanmax(result.residual) < 1e-10


def test_all_ways_of_valuing_states_are_inverted():
    mdp = random_mdp(6, 3, discount=0.9, seed=0)
    goals = Goals.generic(6, 6, seed=0)
    for agent in (solve(mdp, goals), evaluate(mdp, goals, uniform(mdp.available)), solve_soft(mdp, goals, 0.3)):
        assert invert(agent, Stochastic()).max_error(mdp) < 1e-10


def test_action_rewards_are_subtracted():
    mdp = random_mdp(5, 2, discount=0.9, seed=1)
    drawn = Goals.generic(5, 5, seed=1)
    extra = np.random.default_rng(1).standard_normal((5, 5, 2))
    agent = solve(mdp, Goals(drawn.rewards, action_rewards=extra))
    assert invert(agent, Stochastic()).max_error(mdp) < 1e-10
    # Forgetting them must show: the values then contradict every kernel.
    forgetful = AgentValues(agent.q, drawn, agent.discount)
    assert invert(forgetful, Stochastic()).verdict.status is Status.INCONSISTENT


def test_masks_survive():
    mdp = graph(named_graph("petersen"), discount=0.5)
    result = invert(solve(mdp, Goals.generic(10, 10, seed=0)), Stochastic())
    assert result.max_error(mdp) < 1e-10
    assert result.to_mdp().available.sum() == mdp.available.sum()
    path = graph(named_graph("path:4"), discount=0.5)
    result = invert(solve(path, Goals.generic(4, 4, seed=0)), Unconstrained())
    assert np.isnan(result.residual[~path.available]).all()
    assert (result.kernel[~path.available] == 0).all()
    assert result.max_error(path) < 1e-10


def test_sparse_supports_are_found():
    mdp = random_mdp(8, 2, branching=2, discount=0.9, seed=2)
    result = invert(solve(mdp, Goals.generic(8, 3, seed=2)), Sparse(2))
    assert result.max_error(mdp) < 1e-9


def test_the_prior_decides_what_values_leave_open():
    mdp = random_mdp(5, 1, discount=0.9, seed=3)
    agent = solve(mdp, Goals.generic(5, 2, seed=3))
    near = invert(agent, Stochastic(), prior=mdp.kernel.reshape(5, 5))
    assert near.max_error(mdp) < 1e-8
    assert near.verdict.status is Status.NOT_IDENTIFIED
    assert invert(agent, Stochastic()).max_error(mdp) > 1e-3


def test_scaling_rewards_changes_nothing():
    mdp = random_mdp(6, 2, discount=0.9, seed=4)
    goals = Goals.generic(6, 4, seed=4)
    one = invert(solve(mdp, goals), Stochastic())
    other = invert(solve(mdp, Goals(goals.rewards * 1e6)), Stochastic())
    np.testing.assert_array_equal(one.verdict.row_status, other.verdict.row_status)
    np.testing.assert_allclose(one.kernel, other.kernel, atol=1e-8)


def test_permuting_states_permutes_the_kernel():
    mdp = random_mdp(6, 2, discount=0.9, seed=5)
    agent = solve(mdp, Goals.generic(6, 5, seed=5))
    order = np.random.default_rng(0).permutation(6)
    result = invert(agent.permute_states(order), Stochastic())
    assert result.max_error(mdp.permute_states(order)) < 1e-9


def test_only_kernels_become_worlds():
    mdp = random_mdp(5, 1, discount=0.9, seed=6)
    agent = solve(mdp, Goals.generic(5, 1, seed=6))
    with pytest.raises(KernelError):
        invert(agent, Unconstrained(), prior=np.zeros(5)).to_mdp()
    assert invert(agent, Stochastic()).to_mdp().n_states == 5


def test_a_truth_of_another_shape_is_refused():
    result = invert(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic())
    with pytest.raises(ShapeError):
        result.max_error(chain(4))


@pytest.mark.parametrize(
    "options", [{"prior": [1.0, np.nan, 0.0]}, {"prior": [0.5, 0.5]}, {"prior": [2.0, -1.0, 0.0]}, {"noise": -1.0}]
)
def test_wrong_options(options):
    with pytest.raises(InputError):
        invert(solve(chain(3), Goals.generic(3, 1, seed=0)), Stochastic(), **options)


def test_repr_says_how_and_whether():
    result = invert(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic())
    assert "IDENTIFIED" in repr(result)
