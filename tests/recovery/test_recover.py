"""What holds for every kernel class: the truth, laws of permutation and scale, more goals, and refused input."""

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from tabular_inversion import Deterministic, Goals, Sparse, Stochastic, Supported, Unconstrained, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import InputError, KernelClassError, ShapeError
from tabular_inversion.recovery import recover

N_STATES = 7


def world(seed, branching=None):
    return random_mdp(N_STATES, 2, branching=branching, discount=0.9, seed=seed)


def dense(rows):
    return rows.toarray() if issparse(rows) else rows


def case(name, seed):
    """Return a world of the class, with goals enough to identify it (T1, T2, T3, T5)."""
    branching, n_goals = {
        "unconstrained": (None, 7),
        "stochastic": (None, 6),
        "supported": (3, 3),
        "sparse": (2, 4),
        "deterministic": (1, 1),
    }[name]
    mdp = world(seed, branching)
    agent = solve(mdp, Goals.generic(N_STATES, n_goals, seed=seed))
    kernel_class = {
        "unconstrained": Unconstrained(),
        "stochastic": Stochastic(),
        "supported": Supported.of(mdp),
        "sparse": Sparse(2),
        "deterministic": Deterministic(),
    }[name]
    return mdp, agent, kernel_class


CLASSES = ["unconstrained", "stochastic", "supported", "sparse", "deterministic"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CLASSES)
def test_the_true_kernel_comes_back(name, seed):
    mdp, agent, kernel_class = case(name, seed)
    found = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index)
    np.testing.assert_allclose(dense(found.rows), dense(mdp.rows), atol=1e-9)
    assert found.residual.max() < 1e-12
    assert kernel_class.contains(found.rows).all()
    assert found.condition >= 1.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CLASSES)
def test_renaming_states_renames_rows(name, seed):
    mdp, agent, kernel_class = case(name, seed)
    order = np.random.default_rng(seed).permutation(N_STATES)
    renamed = agent.permute_states(order)
    classes = Supported.of(mdp.permute_states(order)) if name == "supported" else kernel_class
    first = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index)
    second = recover(renamed.test_matrix, renamed.right_hand_sides, classes, row_index=renamed.row_index)
    expected = dense(first.rows).reshape(N_STATES, 2, N_STATES)[order][:, :, order]
    np.testing.assert_allclose(dense(second.rows).reshape(expected.shape), expected, atol=1e-9)
    assert first.rank == second.rank


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("factor", [2.0**40, 3.7, 1e-9])
@pytest.mark.parametrize("name", CLASSES)
def test_the_unit_of_reward_changes_no_row(name, factor, noise):
    _, agent, kernel_class = case(name, 0)
    values = agent.right_hand_sides
    values = values + noise * np.random.default_rng(0).standard_normal(values.shape)
    first = recover(agent.test_matrix, values, kernel_class, row_index=agent.row_index)
    second = recover(factor * agent.test_matrix, factor * values, kernel_class, row_index=agent.row_index)
    np.testing.assert_allclose(dense(second.rows), dense(first.rows), atol=1e-9)
    np.testing.assert_allclose(second.residual, factor * first.residual, rtol=1e-6, atol=factor * 1e-12)
    assert first.rank == second.rank


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "unconstrained"])
def test_a_constant_added_to_a_goal_changes_no_distribution(name):
    _, agent, kernel_class = case(name, 1)
    shift = 3.0 * np.arange(1, agent.n_goals + 1)[:, None]
    noisy = agent.right_hand_sides + 0.1 * np.random.default_rng(1).standard_normal(agent.right_hand_sides.shape)
    first = recover(agent.test_matrix, noisy, kernel_class, row_index=agent.row_index)
    second = recover(agent.test_matrix + shift, noisy + shift, kernel_class, row_index=agent.row_index)
    np.testing.assert_allclose(dense(second.rows), dense(first.rows), atol=1e-9)


@pytest.mark.parametrize("kernel_class", [Unconstrained(), Stochastic(), Sparse(2), Deterministic()])
def test_another_goal_never_loses_rank(kernel_class):
    agent = solve(world(0), Goals.generic(N_STATES, 9, seed=0))
    ranks = [
        recover(agent.test_matrix[:k], agent.right_hand_sides[:k], kernel_class, row_index=agent.row_index).rank
        for k in range(1, 10)
    ]
    assert ranks == sorted(ranks)
    assert ranks[-1] == N_STATES
    repeated = np.repeat(agent.test_matrix[:3], 2, axis=0), np.repeat(agent.right_hand_sides[:3], 2, axis=0)
    assert recover(*repeated, kernel_class, row_index=agent.row_index).rank == ranks[2]


@pytest.mark.parametrize("name", ["stochastic", "supported", "sparse", "deterministic"])
def test_values_no_row_explains_leave_a_residual(name):
    _, agent, kernel_class = case(name, 2)
    outside = np.tile(agent.test_matrix.max(axis=1)[:, None] + 1.0, (1, len(agent.row_index)))
    found = recover(agent.test_matrix, outside, kernel_class, row_index=agent.row_index)
    assert (found.residual >= 1.0 - 1e-12).all()  # each goal's best column falls short by at least one


@pytest.mark.parametrize(
    "kernel_class", [Stochastic(), Supported(np.ones((1, 2, 1), bool)), Sparse(1), Deterministic()]
)
def test_one_state_has_one_row(kernel_class):
    found = recover(np.array([[3.0]]), np.array([[3.0, 1.0]]), kernel_class, row_index=np.arange(2))
    np.testing.assert_array_equal(dense(found.rows), [[1.0], [1.0]])
    np.testing.assert_allclose(found.residual, [0.0, 2.0])
    assert found.rank == 1


@pytest.mark.parametrize(
    ("matrix", "values", "row_index"),
    [
        (np.ones((2, 3)), np.ones((3, 4)), np.arange(4)),
        (np.ones((2, 3)), np.ones((2, 4)), np.arange(3)),
        (np.ones(3), np.ones((1, 4)), np.arange(4)),
        (np.ones((0, 3)), np.ones((0, 4)), np.arange(4)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(matrix, values, row_index):
    with pytest.raises(ShapeError, match="shapes"):
        recover(matrix, values, Stochastic(), row_index=row_index)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kernel_class", [Unconstrained(), Stochastic(), Deterministic()])
def test_numbers_that_are_not_finite_are_refused_with_their_place(bad, kernel_class):
    matrix, values = np.eye(2), np.eye(2)
    matrix[1, 0] = bad
    with pytest.raises(InputError, match=r"matrix is not finite, (nan|inf) at \(g, s\) = \(1, 0\)"):
        recover(matrix, values, kernel_class, row_index=np.arange(2))
    with pytest.raises(InputError, match="values"):
        recover(values, matrix, kernel_class, row_index=np.arange(2))


@pytest.mark.parametrize("prior", [[0.5, 0.6], [1.5, -0.5], [np.nan, 1.0], [1.0], [[1.0, 0.0]]])
def test_priors_that_are_no_distributions_are_refused(prior):
    with pytest.raises(InputError, match="prior"):
        recover(np.eye(2), np.eye(2), Stochastic(), row_index=np.arange(2), prior=prior)


def test_classes_of_other_worlds_are_refused():
    with pytest.raises(KernelClassError):
        recover(np.eye(2), np.eye(2), Supported(csr_array(np.ones((3, 3)))), row_index=np.arange(2))
