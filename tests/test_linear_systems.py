"""Linear systems of all goals: every way against one assembled system for each goal."""

import numpy as np
import pytest
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import bicgstab

from tabular_inversion import MDP, policies
from tabular_inversion.errors import ConvergenceError, InputError
from tabular_inversion.linear_systems import (
    METHODS,
    ClosedLoops,
    LinearSolver,
    LinearSystems,
    Transitions,
    choice,
    krylov,
    solver,
    suited_form,
    transitions,
)

N_STATES, N_ACTIONS, N_GOALS = 30, 3, 7
DISCOUNT = 0.9


def sparse_world(n_states=N_STATES, *, branching=2, n_actions=N_ACTIONS, discount=DISCOUNT, seed=0):
    """Draw a world of which each row reaches at most `branching` states, and in which some actions are missing."""
    rng = np.random.default_rng(seed)
    available = rng.random((n_states, n_actions)) < 0.8
    available[:, 0] = True
    n_rows = n_states * n_actions
    weights = rng.standard_exponential((n_rows, branching)) * available.reshape(-1, 1)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    rows = np.repeat(np.arange(n_rows), branching)
    kernel = csr_array((weights.ravel(), (rows, rng.integers(0, n_states, n_rows * branching))), (n_rows, n_states))
    kernel.sum_duplicates()
    kernel.eliminate_zeros()
    return MDP(kernel, discount, available)


def grid_world(side, *, discount=DISCOUNT):
    """Return a grid where each of four moves succeeds with probability 1/2 and turns left or right with 1/4 each."""
    n_states = side * side
    row, column = np.divmod(np.arange(n_states), side)
    neighbours = np.stack(
        [
            np.maximum(row - 1, 0) * side + column,
            row * side + np.minimum(column + 1, side - 1),
            np.minimum(row + 1, side - 1) * side + column,
            row * side + np.maximum(column - 1, 0),
        ],
        axis=1,
    )
    actions = np.arange(4)
    turns = np.stack([actions, (actions + 1) % 4, (actions - 1) % 4], axis=1)
    columns = neighbours[:, turns].ravel()
    rows = np.repeat(np.arange(n_states * 4), 3)
    probabilities = np.tile([0.5, 0.25, 0.25], n_states * 4)
    return MDP(csr_array((probabilities, (rows, columns)), (n_states * 4, n_states)), discount)


def continuations(kind, n_goals, n_states, rng):
    """Return continuations (G, S): the same for all, zero at one state or at many for each goal, or any number."""
    result = np.ones((n_goals, n_states))
    if kind == "one state":
        result[np.arange(n_goals), rng.permutation(n_states)[:n_goals]] = 0.0
    elif kind == "few states":
        result[:, 3] = 0.0
        for goal, count in enumerate(rng.integers(0, 4, n_goals)):
            result[goal, rng.permutation(n_states)[:count]] = rng.random(count)
    elif kind == "many states":
        result = np.where(rng.random((n_goals, n_states)) < 0.5, 0.0, 1.0)
        result[-1] = result[0]
    elif kind == "all differ":
        result = rng.random((n_goals, n_states))
    return result


def loops_of(world, kind, *, n_goals=N_GOALS, seed=1):
    form = Transitions.of(world)
    if kind.startswith("mixed"):
        policy = policies.random(world.available, seed=seed, n_goals=None if kind.endswith("shared") else n_goals)
        return ClosedLoops.of_policy(form, policy)
    values = np.random.default_rng(seed).random((1 if kind.endswith("shared") else n_goals, *world.available.shape))
    return ClosedLoops.of_policy(form, policies.greedy(values, world.available))


def assembled(systems):
    """Return I - diag(factors) P for each goal, (G, S, S), from the definition."""
    form = systems.loops.transitions
    kernel = form.rows if isinstance(form.rows, np.ndarray) else form.rows.toarray()
    kernel = kernel.reshape(form.n_states, form.n_actions, form.n_states)
    weights = systems.loops.policies
    if weights.ndim == 2:
        weights = np.eye(form.n_actions)[weights]
    chains = np.einsum("lsa,sat->lst", weights, kernel)
    return np.eye(form.n_states) - systems.factors[:, :, None] * chains


def right_hand_sides(kind, n_goals, n_states):
    if kind == "indicator":
        return np.eye(n_states)[np.random.default_rng(2).permutation(n_states)[:n_goals]]
    return np.random.default_rng(2).standard_normal((n_goals, n_states))


LOOPS = ["mixed, shared", "mixed, each", "actions, shared", "actions, each"]
CONTINUATIONS = ["equal", "one state", "few states", "many states", "all differ"]


@pytest.mark.parametrize("stored", ["dense", "sparse"])
@pytest.mark.parametrize("loops", LOOPS)
@pytest.mark.parametrize("continuation", CONTINUATIONS)
@pytest.mark.parametrize("rewards", ["indicator", "generic"])
def test_every_way_solves_the_assembled_systems(stored, loops, continuation, rewards):
    world = sparse_world()
    world = world.dense() if stored == "dense" else world
    factors = DISCOUNT * continuations(continuation, N_GOALS, N_STATES, np.random.default_rng(3))
    systems = LinearSystems(loops_of(world, loops), factors)
    rhs = right_hand_sides(rewards, N_GOALS, N_STATES)
    expected = np.linalg.solve(assembled(systems), rhs[:, :, None])[:, :, 0]
    for method in ["auto", "dense", "iterative"] + (["sparse"] if stored == "sparse" else []):
        found = LinearSolver(systems, method).solve(rhs, np.full(N_GOALS, 1e-14))
        np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0, err_msg=method)


@pytest.mark.parametrize("loops", ["actions, shared", "actions, each"])
@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99, 1 - 1e-9])
def test_doubling_solves_the_assembled_systems(loops, discount):
    world = sparse_world(branching=1)
    factors = discount * continuations("few states", N_GOALS, N_STATES, np.random.default_rng(3))
    systems = LinearSystems(loops_of(world, loops), factors)
    rhs = right_hand_sides("generic", N_GOALS, N_STATES)
    found = LinearSolver(systems, "doubling").solve(rhs, np.zeros(N_GOALS))
    residual = rhs - np.einsum("gst,gt->gs", assembled(systems), found)
    np.testing.assert_array_less(np.abs(residual), 1e-14 * max(1.0, np.abs(found).max()))
    assert choice.choose_way(systems) == "doubling"


def test_doubling_ends_where_a_row_sums_to_more_than_one():
    world = MDP(csr_array([[1 + 4e-16] + [0.0] * 19] * 20), 1 - 1e-12)
    systems = LinearSystems(ClosedLoops(Transitions.of(world), np.zeros((1, 20), int)), np.full((1, 20), 1 - 2.0**-53))
    with np.errstate(over="ignore", invalid="ignore"):
        found = LinearSolver(systems, "doubling").solve(np.ones((1, 20)), np.zeros(1))
    assert not found.max() < 1e9


@pytest.mark.parametrize("method", ["dense", "sparse"])
@pytest.mark.parametrize("each", [False, True])
def test_a_singular_system_is_named_in_one_line(method, each):
    world = MDP(csr_array(np.eye(20)), 1.0)
    loops = ClosedLoops(Transitions.of(world if method == "sparse" else world.dense()), np.zeros((1 + each, 20), int))
    with pytest.raises(ConvergenceError, match="singular to the precision of floats"):
        LinearSolver(LinearSystems(loops, np.ones((1 + each, 20))), method).solve(np.ones((1 + each, 20)), np.zeros(2))


def test_a_shared_policy_is_factorised_once(monkeypatch):
    systems = LinearSystems(
        loops_of(sparse_world().dense(), "mixed, shared"),
        DISCOUNT * continuations("one state", N_GOALS, N_STATES, np.random.default_rng(3)),
    )
    calls = []
    original = solver.factorise_dense
    monkeypatch.setattr(solver, "factorise_dense", lambda *given: calls.append(1) or original(*given))
    linear = LinearSolver(systems, "dense")
    for kind in ["indicator", "generic"]:
        linear.solve(right_hand_sides(kind, N_GOALS, N_STATES), np.zeros(N_GOALS))
    assert len(calls) == 1


def test_goals_are_grouped_by_equal_continuation_where_they_differ_much(monkeypatch):
    kinds = continuations("many states", 7, N_STATES, np.random.default_rng(3))  # the first and the last are equal
    systems = LinearSystems(loops_of(sparse_world().dense(), "mixed, shared"), DISCOUNT * np.tile(kinds, (2, 1)))
    calls = []
    original = solver.factorise_dense
    monkeypatch.setattr(solver, "factorise_dense", lambda *given: calls.append(1) or original(*given))
    rhs = right_hand_sides("generic", 14, N_STATES)
    found = LinearSolver(systems, "dense").solve(rhs, np.zeros(14))
    np.testing.assert_allclose(np.einsum("gst,gt->gs", assembled(systems), found), rhs, atol=1e-13)
    assert len(calls) == 6


def test_scipys_bicgstab_breaks_down_on_indicators_and_ours_does_not():
    world = sparse_world(1000, branching=5, discount=0.95)
    loops = loops_of(world, "actions, shared")
    rhs = np.eye(1000)[:40]
    matrix = eye_array(1000, format="csr") - 0.95 * loops.stacked
    failures = sum(bicgstab(matrix, row, rtol=1e-10)[1] != 0 for row in rhs)
    assert failures >= 10
    systems = LinearSystems(loops, np.full((40, 1000), 0.95))
    found, residuals = krylov.solve_by_bicgstab(systems, rhs, np.full(40, 1e-10))
    np.testing.assert_array_less(residuals, 1.01e-10)
    np.testing.assert_allclose(matrix @ found.T, rhs.T, atol=1.01e-10)


def test_bicgstab_leaves_goals_alone_that_need_nothing():
    systems = LinearSystems(loops_of(sparse_world(), "mixed, each"), np.full((N_GOALS, N_STATES), DISCOUNT))
    rhs = right_hand_sides("generic", N_GOALS, N_STATES)
    rhs[2] = 0.0
    found, residuals = krylov.solve_by_bicgstab(systems, rhs, np.full(N_GOALS, 1e-12))
    assert not found[2].any()
    np.testing.assert_array_less(residuals, 1.1e-12)


def test_bicgstab_ends_on_an_exact_half_step():
    systems = LinearSystems(loops_of(sparse_world(), "mixed, shared"), np.zeros((2, N_STATES)))
    rhs = right_hand_sides("generic", 2, N_STATES)
    found, residuals = krylov.solve_by_bicgstab(systems, rhs, np.zeros(2))
    np.testing.assert_array_equal(found, rhs)
    assert not residuals.any()


def test_goals_on_which_bicgstab_fails_are_solved_by_lu(monkeypatch):
    systems = LinearSystems(loops_of(sparse_world(), "mixed, each"), np.full((N_GOALS, N_STATES), DISCOUNT))
    rhs = right_hand_sides("generic", N_GOALS, N_STATES)
    rhs[0] = 0.0
    monkeypatch.setattr(krylov, "_MAX_ITERATIONS", 2)
    monkeypatch.setattr(solver, "choose_way", lambda _: "iterative")
    linear = LinearSolver(systems, "auto")
    found = linear.solve(rhs, np.full(N_GOALS, 1e-13))
    np.testing.assert_allclose(np.einsum("gst,gt->gs", assembled(systems), found), rhs, atol=1e-13)
    assert linear.method in ("iterative, dense", "iterative, sparse")
    with pytest.raises(ConvergenceError, match=r'BiCGSTAB failed on 6 of 7 goals .*choose method "auto"'):
        LinearSolver(systems, "iterative").solve(rhs, np.full(N_GOALS, 1e-13))
    monkeypatch.setattr(solver, "direct_way", lambda _: None)
    with pytest.raises(ConvergenceError, match="no factorisation fits into memory"):
        LinearSolver(systems, "auto").solve(rhs, np.full(N_GOALS, 1e-13))


@pytest.mark.parametrize("method", ["fast", "", None])
def test_an_unknown_method_is_refused(method):
    systems = LinearSystems(loops_of(sparse_world(), "mixed, shared"), np.zeros((1, N_STATES)))
    with pytest.raises(
        InputError, match=r"expected one of auto, doubling, dense, sparse, iterative|expected 'auto' or 'doubling'"
    ):
        LinearSolver(systems, method)


def test_a_method_that_does_not_suit_is_refused():
    factors = np.zeros((1, N_STATES))
    with pytest.raises(InputError, match="one successor"):
        LinearSolver(LinearSystems(loops_of(sparse_world(), "mixed, shared"), factors), "doubling")
    with pytest.raises(InputError, match="10 % positive"):
        LinearSolver(LinearSystems(loops_of(sparse_world().dense(), "mixed, shared"), factors), "sparse")


def chosen(world, kind, n_goals):
    factors = np.broadcast_to(world.discount, (n_goals, world.n_states))
    return choice.choose_way(LinearSystems(loops_of(world, kind, n_goals=n_goals), factors))


def test_the_choice_follows_structure_and_size():
    random = sparse_world(4000, branching=5, discount=0.95)
    assert chosen(random, "mixed, shared", 1) == "iterative"
    assert chosen(random, "actions, each", 16) == "iterative"
    assert chosen(random, "mixed, shared", 4000) == "dense"  # densified: one factorisation, many goals
    assert chosen(grid_world(60, discount=0.99), "mixed, shared", 16) == "sparse"
    assert chosen(grid_world(60, discount=0.9999), "mixed, each", 4) == "sparse"
    assert chosen(sparse_world(60), "mixed, each", 60) == "dense"
    assert chosen(sparse_world(500, branching=1), "actions, each", 10) == "doubling"


def test_no_square_array_beyond_the_limit(monkeypatch):
    world = sparse_world(400, branching=5)
    systems = LinearSystems(loops_of(world, "mixed, shared"), np.full((400, 400), DISCOUNT))
    assert choice.choose_way(systems) == "dense"
    monkeypatch.setattr(choice, "DENSE_BYTES", 8 * 400**2 - 1)
    assert choice.choose_way(systems) != "dense"
    monkeypatch.setattr(choice, "_SPARSE_LU_BYTES", 1)
    assert choice.choose_way(systems) == "iterative"
    assert choice.direct_way(systems) is None


def test_the_form_follows_the_share_of_positive_entries(monkeypatch):
    thin = sparse_world()
    assert suited_form(thin.dense()).is_sparse
    assert suited_form(thin) is thin
    thick = MDP(np.full((4, 2, 4), 0.25), 0.5)
    assert not suited_form(thick.sparse()).is_sparse
    assert suited_form(thick.sparse()) == thick
    monkeypatch.setattr(transitions, "DENSE_BYTES", 1)
    assert suited_form(thick.sparse()).is_sparse


def test_the_envelope_of_a_path_is_narrow_under_any_names():
    n_states = 200
    steps = np.minimum(np.arange(n_states) + 1, n_states - 1)
    kernel = csr_array((np.ones(n_states), (np.arange(n_states), steps)), (n_states, n_states))
    order = np.random.default_rng(0).permutation(n_states)
    figures = Transitions.of(MDP(kernel, 0.9).permute_states(order))
    assert figures.lu_entries == 2 * (1 + 2 * (n_states - 1))
    assert figures.lu_flops == 2 * (1 + 4 * (n_states - 1))
    assert figures.is_deterministic
    assert np.isinf(Transitions.of(MDP(np.full((4, 2, 4), 0.25), 0.5)).lu_flops)


def test_the_envelope_bounds_the_fill_of_elimination():
    world = sparse_world(branching=2)
    figures = Transitions.of(world)
    heights = transitions._envelope_heights(world.rows, N_STATES)
    pattern = np.asarray(world.dense().kernel.sum(axis=1) > 0)
    order = transitions.reverse_cuthill_mckee(csr_array(pattern.astype(float)))
    ordered = (pattern | pattern.T | np.eye(N_STATES, dtype=bool))[np.ix_(order, order)]
    first = ordered.argmax(axis=1)
    assert heights.sum() == (np.arange(N_STATES) - first + 1).sum()
    assert figures.lu_entries == 2 * heights.sum()


@pytest.mark.parametrize("stored", ["dense", "sparse"])
@pytest.mark.parametrize("loops", LOOPS)
def test_loops_are_the_chains_of_their_definition(stored, loops):
    world = sparse_world()
    world = world.dense() if stored == "dense" else world
    closed = loops_of(world, loops)
    systems = LinearSystems(closed, np.ones((closed.n_loops, N_STATES)))
    chains = np.eye(N_STATES) - assembled(systems)
    np.testing.assert_allclose(closed.dense(), chains, atol=1e-15)
    x = right_hand_sides("generic", closed.n_loops, N_STATES)
    np.testing.assert_allclose(systems.operator()(x), np.einsum("gst,gt->gs", assembled(systems), x), atol=1e-14)
    if stored == "sparse":
        blocks = closed.block_diagonal().toarray().reshape(closed.n_loops, N_STATES, closed.n_loops, N_STATES)
        places = np.arange(closed.n_loops)
        np.testing.assert_allclose(blocks[places, :, places], chains, atol=1e-15)
        assert np.abs(blocks).sum() == pytest.approx(chains.sum())


def test_a_policy_that_is_certain_up_to_rounding_keeps_its_probabilities():
    world = sparse_world(branching=1)
    weights = policies.greedy(np.zeros((1, *world.available.shape)), world.available)[0]
    assert ClosedLoops.of_policy(Transitions.of(world), weights).takes_one_action
    assert not ClosedLoops.of_policy(Transitions.of(world), weights * (1 - 1e-10)).takes_one_action


def test_methods_are_listed():
    assert METHODS == ("auto", "doubling", "dense", "sparse", "iterative")
