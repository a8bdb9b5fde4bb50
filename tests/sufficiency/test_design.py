"""Goal orders: against brute force over the next goal, Monte Carlo, exact ranks, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from windy_grids import windy_grid

from tabular_inversion import Deterministic, Goals, Sparse, Stochastic, Supported, Unconstrained, solve, strategies
from tabular_inversion.environments import graph, named_graph, random_mdp
from tabular_inversion.errors import GoalsError, InputError, KernelClassError
from tabular_inversion.recovery.column_matching import column_separation
from tabular_inversion.sufficiency import minimal, order_goals


def differences(size: int) -> np.ndarray:
    """An orthonormal basis of the vectors that sum to zero, shape (size, size - 1)."""
    return np.linalg.svd(np.ones((1, size)))[2][1:].T


def row_supports(agent, kernel_class) -> list[np.ndarray]:
    if isinstance(kernel_class, Supported):
        rows = kernel_class.known_supports(agent.row_index).toarray()
        return [np.flatnonzero(row) for row in rows]
    return [np.arange(agent.n_states)] * len(agent.row_index)


def risk(agent, kernel_class, goals, noise: float) -> float:
    """The predicted error, row by row, from the inverse of the information matrix."""
    total, supports = 0.0, row_supports(agent, kernel_class)
    for states in supports:
        size = len(states)
        if size == 1:
            continue
        equations = agent.test_matrix[list(goals)][:, states] @ differences(size)
        information = equations.T @ equations / noise**2 + size * (size + 1) * np.eye(size - 1)
        total += np.trace(np.linalg.inv(information))
    return float(np.sqrt(total / len(supports)))


def worst_sigma(agent, kernel_class, goals) -> float:
    values = []
    for states in row_supports(agent, kernel_class):
        if len(states) > 1:
            sigma = np.linalg.svd(
                agent.test_matrix[list(goals)][:, states] @ differences(len(states)), compute_uv=False
            )
            values.append(sigma[-1] if len(sigma) == len(states) - 1 else 0.0)
    return min(values)


@pytest.fixture(scope="module")
def agent():
    return solve(random_mdp(6, 2, branching=3, discount=0.8, seed=1), Goals.generic(6, 7, seed=2))


@pytest.fixture(scope="module")
def supported():
    return Supported.of(random_mdp(6, 2, branching=3, discount=0.8, seed=1))


@pytest.mark.parametrize("name", ["supported", "stochastic"])
def test_each_goal_is_the_one_that_lowers_the_error_most(agent, supported, name):
    kernel_class = supported if name == "supported" else Stochastic()
    found = order_goals(agent, kernel_class, noise=0.05, relative=False)
    for step in range(7):
        before = found.order[:step].tolist()
        rest = [goal for goal in range(7) if goal not in before]
        best = min(risk(agent, kernel_class, [*before, goal], 0.05) for goal in rest)
        np.testing.assert_allclose(found.predicted_error[step + 1], best, rtol=1e-9)
    np.testing.assert_allclose(found.predicted_error[0], risk(agent, kernel_class, [], 0.05), rtol=1e-12)


@pytest.mark.parametrize("name", ["supported", "stochastic"])
def test_each_goal_has_the_best_worst_singular_value(agent, supported, name):
    kernel_class, d = (supported, 2) if name == "supported" else (Stochastic(), 5)
    found = order_goals(agent, kernel_class, criterion="sigma_min", relative=False)
    np.testing.assert_array_equal(found.rows_known, np.where(np.arange(8) < d, 0, 12))
    np.testing.assert_array_equal(found.sigma_min[:d], 0.0)
    for step in range(d - 1, 7):
        before = found.order[:step].tolist()
        rest = [goal for goal in range(7) if goal not in before]
        best = max(worst_sigma(agent, kernel_class, [*before, goal]) for goal in rest)
        np.testing.assert_allclose(found.sigma_min[step + 1], best, rtol=1e-9)


def test_deterministic_rows_are_as_good_as_their_nearest_columns(agent):
    found = order_goals(agent, Deterministic(), criterion="sigma_min", n_goals=3, relative=False)
    for step in range(1, 4):
        nearest = column_separation(agent.test_matrix[found.order[:step]], 2).min()
        np.testing.assert_allclose(found.sigma_min[step], nearest / np.sqrt(2), rtol=1e-12)
    np.testing.assert_array_equal(found.rows_known, [0, 15, 15, 15])


def test_the_predicted_error_is_the_error_of_the_best_affine_estimate(agent, supported):
    """Monte Carlo: rows uniform on the simplex, noise in each equation, and the least-squares fit of p on values."""
    rng = np.random.default_rng(0)
    found = order_goals(agent, supported, noise=0.1, n_goals=3, relative=False)
    states = row_supports(agent, supported)[0]
    rows = rng.dirichlet(np.ones(3), 200_000)
    values = rows @ agent.test_matrix[found.order][:, states].T + 0.1 * rng.standard_normal((200_000, 3))
    design = np.column_stack([values, np.ones(len(values))])
    fitted = design @ np.linalg.lstsq(design, rows)[0]
    own = Supported(np.broadcast_to(np.isin(np.arange(6), states), (6, 2, 6)))
    predicted = order_goals(
        agent.select_goals(found.order), own, noise=0.1, given=[0, 1, 2], relative=False
    ).predicted_error[-1]
    np.testing.assert_allclose(np.sqrt(((fitted - rows) ** 2).sum(axis=1).mean()), predicted, rtol=0.01)


def test_an_error_in_the_equations_moves_a_row_by_no_more_than_sigma_min_allows(agent, supported):
    found = order_goals(agent, supported, n_goals=4, relative=False)
    rng = np.random.default_rng(0)
    for states in row_supports(agent, supported):
        system = agent.test_matrix[found.order][:, states] @ differences(3)
        error = rng.standard_normal(4)
        moved = np.linalg.lstsq(system, error)[0]
        assert np.linalg.norm(moved) <= np.linalg.norm(error) / found.sigma_min[4] * (1 + 1e-12)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from(["error", "sigma_min"]))
def test_goals_never_hurt_and_order_does_not_depend_on_names(data, criterion):
    world = data.draw(strategies.mdps(n_states=4, n_actions=2))
    shown = solve(world, Goals.generic(4, 5, seed=data.draw(st.integers(0, 99))))
    found = order_goals(shown, Supported.of(world), criterion=criterion)
    assert sorted(found.order.tolist()) == list(range(5))
    assert (np.diff(found.predicted_error) <= 1e-12).all()
    assert (np.diff(found.rows_known) >= 0).all()
    finite = found.sigma_min[np.isfinite(found.sigma_min)]
    assert (np.diff(finite) >= -1e-9 * np.abs(finite).max(initial=0)).all()
    order = data.draw(st.permutations(range(4)))
    renamed = order_goals(shown.permute_states(order), Supported.of(world.permute_states(order)), criterion=criterion)
    np.testing.assert_allclose(renamed.predicted_error[-1], found.predicted_error[-1], rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(renamed.rows_known[-1], found.rows_known[-1])


def test_minimal_goals_make_all_rows_known():
    world = windy_grid(5)
    goals = Goals.indicator(25)
    smallest = minimal(world, goals, Supported.of(world))
    found = order_goals(solve(world, goals), Supported.of(world), given=smallest.goals, n_goals=smallest.size)
    assert found.rows_known[-1] == len(world.row_index) == 100
    assert found.rows_known[-2] < 100
    assert found.rows_known[0] == 0
    assert found.sigma_min[-1] > 0


def test_goals_given_come_first(agent, supported):
    found = order_goals(agent, supported, given=[4, 2], n_goals=4)
    assert found.order[:2].tolist() == [4, 2]
    assert len(set(found.order.tolist())) == 4
    assert "predicted error" in repr(found)


def test_rows_with_one_known_successor_need_nothing():
    world = graph(named_graph("K3"))
    found = order_goals(solve(world, Goals.generic(3, 2, seed=0)), Supported.of(world))
    np.testing.assert_array_equal(found.order, [0, 1])
    np.testing.assert_array_equal(found.predicted_error, 0.0)
    np.testing.assert_array_equal(found.rows_known, 6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"criterion": "best"}, InputError, "criterion is 'best'"),
        ({"noise": 0.0}, InputError, "noise"),
        ({"noise": float("nan")}, InputError, "noise"),
        ({"given": [7]}, GoalsError, "given"),
        ({"given": [1, 1]}, GoalsError, "twice"),
        ({"n_goals": 8}, GoalsError, "n_goals is 8"),
        ({"n_goals": 0}, GoalsError, "n_goals is 0"),
        ({"given": [1, 2], "n_goals": 1}, GoalsError, "expected 2 to 7"),
    ],
)
def test_wrong_calls_are_refused(agent, arguments, error, message):
    with pytest.raises(error, match=message):
        order_goals(agent, Stochastic(), **arguments)


@pytest.mark.parametrize("kernel_class", [Unconstrained(), Sparse(2), Deterministic()])
def test_classes_without_a_simplex_are_refused(agent, kernel_class):
    with pytest.raises(KernelClassError, match=r"cannot be ordered by error|an order of goals is not implemented"):
        order_goals(agent, kernel_class)
