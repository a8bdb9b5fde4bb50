"""All kernels with an agent's values: against brute force, vertices, known truths, and laws."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar
from scipy.sparse import issparse

from tabular_inversion import (
    MDP,
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    evaluate,
    identify,
    invert,
    solve,
    solve_soft,
    strategies,
)
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.equivalence import value_equivalence
from tabular_inversion.errors import AgentValuesError, InputError, KernelClassError, KernelError, ShapeError
from tabular_inversion.identifiability import Status
from tabular_inversion.policies import uniform
from tabular_inversion.recovery import linear_programs
from tabular_inversion.recovery.equations import rounding
from tabular_inversion.recovery.system import RowSystem

LP = 1e-8
"""Sharp to HiGHS's tolerance of 1e-10, times the condition of a small basis."""


def agent_of(mdp, goals, operator="max"):
    if operator == "policy":
        return evaluate(mdp, goals, uniform(mdp.available))
    return solve(mdp, goals) if operator == "max" else solve_soft(mdp, goals, 0.5)


def at_the_limit(agent, noise, seed):
    """Return the agent with every Q-value wrong by `noise`, up or down, less what its solver and this sum round."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], agent.q.shape)
    return replace(agent, q=agent.q + (noise - rounded(agent)) * signs, report=None)


def rounded(agent):
    """Return how far the values of a solver may be off, and the sum with noise after it."""
    return agent.report.residual / (1.0 - agent.discount) + 4e-16 * np.abs(agent.q[np.isfinite(agent.q)]).max()


def one_row(tests, row):
    """Return a world whose row (0, 0) is `row`, and the agent that sees the test functions of it, at discount 0."""
    tests, row = np.atleast_2d(tests), np.asarray(row)
    kernel = np.zeros((len(row), 1, len(row)))
    kernel[:, 0, 0] = 1.0
    kernel[0, 0] = row
    mdp = MDP(kernel, discount=0.0)
    return mdp, solve(mdp, Goals(tests))


def extreme_by_brute_force(agent, row, weights, *, allowed=None, noise=0.0, signed=True):
    """Return the least and largest w.p of one row, by two linear programs written down plainly."""
    matrix, values = agent.test_matrix, agent.right_hand_sides[:, row]
    n = matrix.shape[1]
    free = np.ones(n, bool) if allowed is None else allowed
    bounds = [((0, None) if a else (0, 0)) if signed else (None, None) for a in free]
    total = {"A_eq": np.ones((1, n)), "b_eq": [1.0]} if signed else {"A_eq": None, "b_eq": None}
    slack = (1.0 + agent.discount) * noise
    if noise > 0:
        limits = {
            "A_ub": np.vstack([matrix, -matrix]), "b_ub": np.concatenate([values + slack, slack - values]), **total
        }  # fmt: skip
    else:
        limits = {"A_eq": np.vstack([matrix, np.ones(n)]), "b_eq": np.append(values, 1.0)}
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = [linprog(sign * np.asarray(weights), bounds=bounds, options=options, **limits) for sign in (1.0, -1.0)]
    assert all(result.status == 0 for result in found)
    return found[0].fun, -found[1].fun


def vertices_by_brute_force(matrix, values):
    """Return the vertices of {p >= 0 : matrix p = values} by least squares on every set of columns."""
    n, points = matrix.shape[1], []
    for size in range(1, n + 1):
        for columns in combinations(range(n), size):
            part = matrix[:, columns]
            if np.linalg.matrix_rank(part, tol=1e-9) < size:
                continue
            solved = np.linalg.lstsq(part, values, rcond=None)[0]
            if np.abs(part @ solved - values).max() < 1e-9 and (solved > 1e-9).all():
                points.append(np.zeros(n))
                points[-1][list(columns)] = solved
    return np.array(points)


@st.composite
def questions(draw):
    """A world, an agent in it, a class that holds the world, and the agent's noise."""
    mdp = draw(strategies.mdps(sparse=False))
    goals = draw(strategies.goals(mdp.n_states, n_actions=mdp.n_actions))
    agent = agent_of(mdp, goals, draw(st.sampled_from(["max", "policy", "softmax"])))
    kernel_class = draw(st.sampled_from([Stochastic(), Supported.of(mdp), Unconstrained()]))
    noise = draw(st.sampled_from([0.0, 0.0, 1e-6, 0.01, 0.5]))
    return mdp, at_the_limit(agent, noise, 0) if noise else agent, kernel_class, noise


@settings(max_examples=120, deadline=None)
@given(questions())
def test_the_truth_always_lies_inside(question):
    mdp, agent, kernel_class, noise = question
    sets = value_equivalence(agent, kernel_class, noise=noise)
    truth = np.where(mdp.available[:, :, None], mdp.kernel, np.nan)
    lower, upper = sets.bounds()
    assert not (lower > truth + LP).any()
    assert not (upper < truth - LP).any()
    assert (np.isnan(lower) == np.isnan(truth)).all()
    assert sets.contains(mdp).all()
    weights = np.random.default_rng(0).standard_normal((3, mdp.n_states))
    least, largest = sets.functional_bounds(weights)
    value = np.moveaxis(truth @ weights.T, 2, 0)
    assert not (least > value + LP).any()
    assert not (largest < value - LP).any()
    assert ((sets.dimension >= 0) == mdp.available).all()


@settings(max_examples=40, deadline=None)
@given(questions())
def test_answers_agree_with_each_other(question):
    mdp, agent, kernel_class, noise = question
    if isinstance(kernel_class, Unconstrained):
        return
    sets = value_equivalence(agent, kernel_class, noise=noise)
    lower, upper = sets.bounds()
    members = [sets.nearest(np.full(mdp.n_states, 1.0 / mdp.n_states)), *sets.sample(3, seed=1)]
    extremes = [sets.extreme_kernel(np.arange(mdp.n_states), largest=largest) for largest in (True, False)]
    members += [kernel.toarray().reshape(mdp.shape) if issparse(kernel) else kernel for kernel in extremes]
    shown = mdp.available
    # Sets as thin as 1e-6 are left by rounding: their members belong to ones that are a percent thicker.
    around = value_equivalence(agent, kernel_class, noise=1.01 * noise)
    for member in members:
        assert around.contains(member).all()
        assert (member[shown] >= lower[shown] - LP).all()
        assert (member[shown] <= upper[shown] + LP).all()
        assert not member[~shown].any()
    ends = sets.functional_bounds(np.arange(mdp.n_states))
    for member, end in zip(members[-2:], (ends.upper, ends.lower), strict=True):
        np.testing.assert_allclose((member @ np.arange(mdp.n_states))[shown], end[shown], atol=LP * mdp.n_states)
    widest = sets.diameter("max")
    np.testing.assert_allclose(widest.lower, (upper - lower).max(axis=2), atol=LP)
    for member in members[1:4]:
        assert (np.abs(member - members[0]).max(axis=2)[shown] <= widest.upper[shown] + LP).all()


def brute_force_case(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(2, 7)), int(rng.integers(1, 4))
    mdp = MDP(rng.dirichlet(np.ones(n), (n, 2)) if seed % 3 else rng.multinomial(4, np.ones(n) / n, (n, 2)) / 4, 0.9)
    goals = Goals(rng.standard_normal((k, n)), (rng.random((k, n)) < 0.8).astype(float))
    noise = [0.0, 0.0, 1e-3, 0.1][seed % 4]
    agent = agent_of(mdp, goals, ["max", "policy", "softmax"][seed % 3])
    agent = agent.with_noise(noise, seed=seed) if noise else agent
    return mdp, agent, Supported.of(mdp) if seed % 5 == 0 else Stochastic(), noise


def check_against_brute_force(seed):
    mdp, agent, kernel_class, noise = brute_force_case(seed)
    sets = value_equivalence(agent, kernel_class, noise=noise)
    lower, upper = sets.bounds()
    weights = np.random.default_rng(seed).standard_normal(mdp.n_states)
    functional = sets.functional_bounds(weights)
    for row in range(0, 2 * mdp.n_states, 3):
        state, action = divmod(row, 2)
        allowed = mdp.kernel[state, action] > 0 if isinstance(kernel_class, Supported) else None
        for entry in range(mdp.n_states):
            # Exact values leave scipy's program only its tolerance to find the truth in.
            least, largest = extreme_by_brute_force(
                agent, row, np.eye(mdp.n_states)[entry], allowed=allowed, noise=noise
            )
            np.testing.assert_allclose(lower[state, action, entry], least, atol=1e-6)
            np.testing.assert_allclose(upper[state, action, entry], largest, atol=1e-6)
        ends = extreme_by_brute_force(agent, row, weights, allowed=allowed, noise=noise)
        np.testing.assert_allclose([end[state, action] for end in functional], ends, atol=1e-6)


@pytest.mark.parametrize("seed", range(16))
def test_bounds_are_sharp(seed):
    check_against_brute_force(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(16, 400))
def test_bounds_are_sharp_on_many_worlds(seed):
    check_against_brute_force(seed)


@pytest.mark.parametrize("seed", range(12))
def test_vertices_give_dimension_bounds_and_diameters(seed):
    mdp, agent, _, _ = brute_force_case(4 * seed)
    sets = value_equivalence(agent, Stochastic())
    system = np.vstack([agent.test_matrix, np.ones(mdp.n_states)])
    for state in range(mdp.n_states):
        expected = vertices_by_brute_force(system, np.append(agent.q[:, state, 1], 1.0))
        found = sets.vertices(state, 1)
        assert len(found) == len(expected)
        gaps = np.abs(found[:, None] - expected[None]).max(axis=2)
        assert gaps.min(axis=0).max() < LP
        dimension = np.linalg.matrix_rank(expected - expected[0], tol=1e-7)
        assert sets.dimension[state, 1] == dimension
        np.testing.assert_allclose(sets.bounds().lower[state, 1], expected.min(axis=0), atol=LP)
        np.testing.assert_allclose(sets.bounds().upper[state, 1], expected.max(axis=0), atol=LP)
        farthest = np.abs(expected[:, None] - expected[None]).sum(axis=2).max()
        for end in sets.diameter("l1"):
            np.testing.assert_allclose(end[state, 1], farthest, atol=1e-6)


def test_a_vertex_more_or_less_would_show():
    _, agent = one_row([[0.0, 1.0, 2.0, 3.0]], [0.25, 0.25, 0.25, 0.25])
    expected = vertices_by_brute_force(np.vstack([agent.test_matrix, np.ones(4)]), np.array([1.5, 1.0]))
    found = value_equivalence(agent, Stochastic()).vertices(0, 0)
    assert len(found) == len(expected) == 4
    assert np.abs(found[:3, None] - expected[None]).max(axis=2).min(axis=0).max() > 0.1


def test_relaxed_sets_have_vertices_too():
    _, agent = one_row([[0.0, 1.0, 2.0]], [0.0, 1.0, 0.0])
    points = value_equivalence(agent, Stochastic(), noise=0.5).vertices(0, 0)
    # At discount 0 the constraint is |E[t] - 1| <= 1/2 in the triangle: a hexagon with a corner at the middle state.
    expected = {(0.5, 0.5, 0.0), (0.75, 0.0, 0.25), (0.25, 0.0, 0.75), (0.0, 0.5, 0.5), (0.0, 1.0, 0.0)}
    assert {tuple(point.round(6).tolist()) for point in points} == expected


def exact_solution(matrix, values, columns):
    """Return the fractions x with matrix x = values that are 0 off the columns; None unless there is just one."""
    n, size = len(matrix[0]), len(columns)
    augmented = [[*(row[j] for j in columns), value] for row, value in zip(matrix, values, strict=True)]
    reduced, rank = fmpq_mat(augmented).rref()
    if rank != size or any(reduced[i, i] != 1 for i in range(size)):
        return None
    point = [fmpq(0)] * n
    for place, column in enumerate(columns):
        point[column] = reduced[place, size]
    return point


def exact_vertices(matrix, values):
    """Return the vertices of {x >= 0 : matrix x = values} in fractions, by trying every set of columns."""
    found = set()
    for size in range(1, len(matrix) + 1):
        for columns in combinations(range(len(matrix[0])), size):
            point = exact_solution(matrix, values, columns)
            if point is not None and min(point) >= 0:
                found.add(tuple(point))
    return found


def exact_nearest(matrix, values, prior):
    """Return the nearest point of {x >= 0 : matrix x = values} in fractions: the best of all faces' projections."""
    n, best = len(prior), None
    for size in range(1, n + 1):
        for columns in combinations(range(n), size):
            reduced, rank = fmpq_mat(
                [[*(row[j] for j in columns), b] for row, b in zip(matrix, values, strict=True)]
            ).rref()
            system = [[reduced[e, j] for j in range(size)] for e in range(rank)]
            if not any(system[-1]):  # 0 = 1
                continue
            # x - prior = system' y on the columns, with system x = values: regular, as equations are independent.
            rows = [[fmpq(int(i == j)) for j in range(size)] + [-row[i] for row in system] for i in range(size)]
            rows += [row + [fmpq(0)] * rank for row in system]
            right = [*(prior[i] for i in columns), *(reduced[e, size] for e in range(rank))]
            solved = exact_solution(rows, right, range(size + rank))
            if min(solved[:size]) < 0:
                continue
            point = [fmpq(0)] * n
            for column, value in zip(columns, solved, strict=False):
                point[column] = value
            distance = sum((a - b) ** 2 for a, b in zip(point, prior, strict=True))
            best = (distance, point) if best is None or distance < best[0] else best
    return best[1]


@st.composite
def rational_rows(draw):
    """Rational test functions of n states, a rational row, a rational prior, and a noise."""
    n = draw(st.integers(2, 5))
    tests = draw(st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n), min_size=1, max_size=2))
    weights = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n).filter(any))
    prior = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    row, prior = ([fmpq(part, sum(parts)) for part in parts] for parts in (weights, prior))
    return tests, row, prior, draw(st.sampled_from([fmpq(0), fmpq(0), fmpq(1, 4), fmpq(2)]))


def floats(points):
    return np.array([[int(x.p) / int(x.q) for x in point] for point in points])


@settings(max_examples=80, deadline=None)
@given(rational_rows())
def test_polytopes_are_those_of_exact_fractions(case):
    tests, row, prior, noise = case
    n, k = len(row), len(tests)
    values = [sum(a * b for a, b in zip(test, row, strict=True)) for test in tests]
    matrix = [[fmpq(x) for x in test] for test in tests] + [[fmpq(1)] * n]
    right = [*values, fmpq(1)]
    if noise > 0:  # t.x - a = q - eps and a + b = 2 eps, with a, b >= 0
        slack = [[fmpq(int(i == j)) for j in range(k)] for i in range(k)]
        none = [fmpq(0)] * k
        matrix = [
            *([*test, *(-x for x in unit), *none] for test, unit in zip(matrix[:k], slack, strict=True)),
            [*matrix[k], *none, *none],
            *([fmpq(0)] * n + unit + unit for unit in slack),
        ]  # fmt: skip
        right = [*(value - noise for value in values), fmpq(1), *[2 * noise] * k]
    vertices = floats({point[:n] for point in exact_vertices(matrix, right)})
    _, agent = one_row(tests, floats([row])[0])
    sets = value_equivalence(agent, Stochastic(), noise=float(noise.p) / float(noise.q))
    dimension = np.linalg.matrix_rank(vertices - vertices[0], tol=1e-9)
    assert sets.dimension[0, 0] == dimension
    lower, upper = sets.bounds()
    np.testing.assert_allclose(lower[0, 0], vertices.min(axis=0), atol=LP)
    np.testing.assert_allclose(upper[0, 0], vertices.max(axis=0), atol=LP)
    gaps = np.abs(vertices[:, None] - vertices[None])
    np.testing.assert_allclose([end[0, 0] for end in sets.diameter("max")], gaps.max(), atol=LP)
    np.testing.assert_allclose([end[0, 0] for end in sets.diameter("l1")], gaps.sum(axis=2).max(), atol=1e-6)
    found = sets.vertices(0, 0)
    between = np.abs(found[:, None] - vertices[None]).max(axis=2)
    assert max(between.min(axis=0).max(), between.min(axis=1).max()) < LP
    if noise == 0:
        nearest = sets.nearest(floats([prior])[0])[0, 0]
        np.testing.assert_allclose(nearest, floats([exact_nearest(matrix, right, prior)])[0], atol=1e-10)
    for point in vertices:
        assert sets.contains(one_row(tests, point)[0])[0, 0]
        outside = point + 0.01 * (point - vertices.mean(axis=0))
        assert dimension == 0 or not sets.contains(np.tile(outside, (n, 1, 1)))[0, 0]


def test_the_oracle_in_fractions_is_right_where_the_answer_is_known():
    matrix, right = [[fmpq(x) for x in row] for row in ([0, 1, 2], [1, 1, 1])], [fmpq(1), fmpq(1)]
    assert exact_vertices(matrix, right) == {(0, 1, 0), (fmpq(1, 2), 0, fmpq(1, 2))}
    assert exact_nearest(matrix, right, [fmpq(2, 3), fmpq(1, 3), fmpq(0)]) == [fmpq(1, 3), fmpq(1, 3), fmpq(1, 3)]
    assert exact_nearest(matrix, right, [fmpq(0), fmpq(2), fmpq(0)]) == [0, 1, 0]


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_nearest_member_of_a_segment_in_both_divergences(noise):
    # Members of {p : p.(0, 1, 2) = m} are (1 - m/2 - x/2, x, m/2 - x/2): a search in x, and under noise in m.
    prior = np.array([0.7, 0.2, 0.1])
    _, agent = one_row([[0.0, 1.0, 2.0]], [0.25, 0.5, 0.25])
    sets = value_equivalence(agent, Stochastic(), noise=noise)
    distance = {"euclidean": lambda p: ((p - prior) ** 2).sum(), "kl": lambda p: (p * np.log(p / prior)).sum()}
    for divergence, measure in distance.items():

        def along(x, m, measure=measure):
            return measure(np.array([1.0 - m / 2 - x / 2, x, m / 2 - x / 2]))

        def best(m, along=along):
            return minimize_scalar(along, args=(m,), bounds=(1e-9, m - 1e-9), options={"xatol": 1e-12})

        # The prior's mean is 0.4, below all that the values allow: the nearest member has the least mean allowed.
        mean = 1.0 - noise
        assert best(mean).fun < best(mean + 1e-3).fun
        x = best(mean).x
        expected = [1.0 - mean / 2 - x / 2, x, mean / 2 - x / 2]
        np.testing.assert_allclose(sets.nearest(prior, divergence)[0, 0], expected, atol=1e-6)


def k33_with_a_noisy_action(discount):
    """The walk on K_{3,3}; action 3 stays with probability 1/2 and else goes anywhere."""
    kernel = np.zeros((6, 4, 6))
    for state in range(6):
        neighbours = range(3, 6) if state < 3 else range(3)
        for action, target in enumerate(neighbours):
            kernel[state, action, target] = 1.0
        kernel[state, 3] = 1.0 / 12.0
        kernel[state, 3, state] += 0.5
    return MDP(kernel, discount)


def test_k33_at_one_half_leaves_a_segment_of_known_length():
    mdp = k33_with_a_noisy_action(0.5)
    sets = value_equivalence(solve(mdp, Goals.indicator(6)), Stochastic())
    # The null vector (1, 1, 1, -1, -1, -1) may be added up to 1/12 either way.
    assert (sets.dimension[:, :3] == 0).all()
    assert (sets.dimension[:, 3] == 1).all()
    lower, upper = sets.bounds()
    np.testing.assert_allclose(lower[:, 3], np.eye(6) / 2, atol=LP)
    np.testing.assert_allclose(upper[:, 3], np.eye(6) / 2 + 1 / 6, atol=LP)
    np.testing.assert_allclose(sets.diameter("l1").lower[:, 3], 1.0, atol=LP)
    np.testing.assert_allclose(sets.diameter("l1").upper[:, 3], 1.0, atol=1e-6)
    left, right = np.array([4, 1, 1, 0, 0, 0]) / 6, np.array([3, 0, 0, 1, 1, 1]) / 6
    points = sets.vertices(0, 3)
    assert len(points) == 2
    np.testing.assert_allclose(points[points[:, 0].argsort()], [right, left], atol=LP)
    # The witness: another kernel, and the same optimal values of all six goals.
    moved = mdp.kernel.copy()
    moved[2, 3] += np.array([1, 1, 1, -1, -1, -1]) / 24
    assert sets.contains(moved).all()
    np.testing.assert_allclose(solve(MDP(moved, 0.5), Goals.indicator(6)).q, sets.agent.q, atol=1e-14)
    away = value_equivalence(solve(k33_with_a_noisy_action(0.45), Goals.indicator(6)), Stochastic())
    assert (away.dimension == 0).all()


@pytest.mark.parametrize(("variant", "n_goals"), [("windy", 1), ("windy", 3), ("deterministic", 2), ("teleport", 5)])
def test_dimension_zero_means_identified(variant, n_goals):
    mdp = four_rooms(variant)
    agent = solve(mdp, Goals.generic(68, n_goals, seed=0))
    for kernel_class in (Stochastic(), Supported.of(mdp)):
        verdict = identify(agent, kernel_class)
        points = value_equivalence(agent, kernel_class).dimension == 0
        assert points[verdict.row_status == Status.IDENTIFIED].all()
        assert not points[verdict.row_status == Status.NOT_IDENTIFIED].any()


def test_known_supports_leave_one_dimension_for_each_missing_goal():
    mdp = random_mdp(12, 2, branching=5, discount=0.9, seed=0)
    for n_goals in range(1, 6):
        agent = solve(mdp, Goals.generic(12, n_goals, seed=1))
        sets = value_equivalence(agent, Supported.of(mdp))
        assert (sets.dimension == max(0, 4 - n_goals)).all()
        assert (value_equivalence(agent, Stochastic()).dimension <= 11 - n_goals).all()


def test_no_linear_program_where_one_factorisation_settles_it(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a linear program was solved")

    mdp = random_mdp(8, 3, discount=0.9, seed=0)
    agent = replace(solve(mdp, Goals.generic(8, 8, seed=0)), report=None)  # as good as correctly rounded
    one_goal = solve(mdp, Goals.generic(8, 1, seed=0))
    monkeypatch.setattr(linear_programs, "linear_program", refuse)
    sets = value_equivalence(agent, Stochastic())
    np.testing.assert_allclose(sets.bounds().lower, mdp.kernel, atol=1e-12)
    np.testing.assert_allclose(sets.bounds().upper, mdp.kernel, atol=1e-12)
    assert sets.diameter("l1").upper.max() < 1e-11
    np.testing.assert_allclose(sets.extreme_kernel(np.arange(8), largest=True), mdp.kernel, atol=1e-12)
    with pytest.raises(AssertionError, match="linear program"):
        value_equivalence(one_goal, Stochastic()).bounds()


def test_rows_with_the_same_support_and_values_share_their_work():
    mdp = four_rooms("deterministic")
    sets = value_equivalence(solve(mdp, Goals.generic(68, 2, seed=0)), Stochastic())
    assert len(sets.polytopes.members) == 68
    mdp = four_rooms("teleport")
    sets = value_equivalence(solve(mdp, Goals.generic(68, 2, seed=0)), Supported.of(mdp))
    assert len(sets.polytopes.members) == 72  # 68 cells to step into, and 4 places to teleport from


def test_bounds_do_not_depend_on_the_unit_of_reward_or_the_order_of_states():
    mdp = random_mdp(6, 2, discount=0.9, seed=3)
    goals = Goals.generic(6, 2, seed=3)
    lower, upper = value_equivalence(solve(mdp, goals), Stochastic()).bounds()
    for scale in (1e300, 1e-280):  # below, what underflow may take counts
        scaled = solve(mdp, Goals(goals.rewards * scale))
        np.testing.assert_allclose(value_equivalence(scaled, Stochastic()).bounds(), (lower, upper), atol=LP)
    # The report of a solver is about all goals together, so it says nothing of the lesser one.
    mixed = replace(solve(mdp, Goals(goals.rewards * np.array([[1e200], [1e-200]]))), report=None)
    np.testing.assert_allclose(value_equivalence(mixed, Stochastic()).bounds(), (lower, upper), atol=LP)
    order = np.random.default_rng(0).permutation(6)
    moved = value_equivalence(solve(mdp, goals).permute_states(order), Stochastic()).bounds()
    np.testing.assert_allclose(moved.lower, lower[order][:, :, order], atol=LP)
    np.testing.assert_allclose(moved.upper, upper[order][:, :, order], atol=LP)


def test_more_goals_and_less_noise_never_widen_an_interval():
    mdp = random_mdp(7, 2, discount=0.9, seed=5)
    agent = solve(mdp, Goals.generic(7, 4, seed=5))
    by_goals = [value_equivalence(agent.select_goals(range(k)), Stochastic()).bounds().width for k in (1, 2, 3, 4)]
    by_noise = [value_equivalence(agent, Stochastic(), noise=eps).bounds().width for eps in (1.0, 1e-2, 1e-4, 0.0)]
    for wider, narrower in [*pairwise(by_goals), *pairwise(by_noise)]:
        assert (narrower <= wider + LP).all()


@pytest.mark.parametrize("operator", ["max", "policy", "softmax"])
def test_the_constant_of_the_noise_is_right_and_needed(operator):
    mdp = random_mdp(5, 2, discount=0.9, seed=7)
    agent = agent_of(mdp, Goals.generic(5, 2, seed=7), operator)
    eps, worst = 0.1, 0.0
    for seed in range(200):
        noisy = at_the_limit(agent, eps, seed)
        miss = np.abs(np.einsum("gt,sat->gsa", noisy.test_matrix, mdp.kernel) - noisy.q).max()
        worst = max(worst, miss)
    assert worst <= (1.0 + agent.discount) * eps + 1e-12
    assert worst > 1.2 * eps  # the noise of M counts
    # All values too high but one row's, which is too low: the constant is attained.
    shift = np.full(agent.q.shape, eps)
    shift[:, 2, 0] = -eps
    noisy = replace(agent, q=agent.q + shift, report=None)
    others = mdp.kernel[2, 0] * (np.arange(5) != 2)
    miss = np.abs(noisy.test_matrix @ mdp.kernel[2, 0] - noisy.q[:, 2, 0])
    assert (miss >= (1.0 + 0.9 * others.sum()) * eps - 1e-12).all()
    assert value_equivalence(noisy, Stochastic(), noise=eps).contains(mdp).all()
    assert not value_equivalence(noisy, Stochastic(), noise=0.6 * eps).contains(mdp).all()


def test_determined_functionals_are_those_without_width():
    mdp = random_mdp(8, 2, branching=4, discount=0.9, seed=2)
    agent = solve(mdp, Goals.generic(8, 2, seed=2))
    rng = np.random.default_rng(0)
    combination = rng.standard_normal(2) @ agent.test_matrix + 3.0
    weights = np.vstack([agent.test_matrix, combination, np.full(8, 5.0), np.zeros(8), rng.standard_normal((3, 8))])
    for kernel_class in (Stochastic(), Supported.of(mdp)):
        sets = value_equivalence(agent, kernel_class)
        determined = sets.determined_functionals(weights)
        assert determined[:5].all()
        assert not determined[5:].all()
        np.testing.assert_array_equal(determined, sets.functional_bounds(weights).width < 1e-7)
        assert sets.determined_functionals(weights[5]).shape == (8, 2)
        assert sets.determined_functionals(weights * 1e300)[:5].all()
    # M is what values of one step see: at discount 0, the goals themselves.
    still = solve(mdp.with_discount(0.0), Goals.generic(8, 2, seed=2))
    sets = value_equivalence(still, Stochastic())
    assert sets.determined_functionals(still.goals.rewards).all()
    assert not sets.determined_functionals(np.eye(8)).all(axis=(1, 2)).any()
    assert not value_equivalence(still, Stochastic(), noise=0.01).determined_functionals(still.goals.rewards).any()


def gradient(member, prior, divergence):
    return member - prior if divergence == "euclidean" else np.log(member / prior)


@pytest.mark.parametrize("divergence", ["euclidean", "kl"])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_nearest_member_satisfies_the_variational_inequality(divergence, noise):
    mdp = random_mdp(6, 2, discount=0.9, seed=4)
    agent = solve(mdp, Goals.generic(6, 2, seed=4)).with_noise(noise, seed=0)
    sets = value_equivalence(agent, Stochastic(), noise=noise)
    prior = np.random.default_rng(0).dirichlet(np.ones(6), (6, 2))
    nearest = sets.nearest(prior, divergence)
    assert sets.contains(nearest).all()
    downhill = gradient(np.maximum(nearest, 1e-300), prior, divergence)
    # It is the minimiser iff no member lies downhill; a member that is least along the gradient is the hardest test.
    for state in range(6):
        least = sets.functional_bounds(downhill[state, 0]).lower[state, 0]
        assert least >= nearest[state, 0] @ downhill[state, 0] - 1e-6
    off = sets.extreme_kernel(np.arange(6), largest=True)
    slope = gradient(np.maximum(off, 1e-12), prior, divergence)
    reach = [sets.functional_bounds(slope[s, 0]).lower[s, 0] - off[s, 0] @ slope[s, 0] for s in range(6)]
    assert min(reach) < -1e-3  # another member fails the test


def test_the_nearest_member_is_what_invert_returns():
    mdp = random_mdp(6, 2, branching=4, discount=0.9, seed=6)
    agent = solve(mdp, Goals.generic(6, 2, seed=6))
    prior = np.random.default_rng(1).dirichlet(np.ones(6))
    for kernel_class in (Stochastic(), Unconstrained()):
        found = value_equivalence(agent, kernel_class).nearest(prior)
        np.testing.assert_allclose(found, invert(agent, kernel_class, prior=prior).kernel, atol=1e-7)
    whole = np.broadcast_to(prior, (6, 2, 6))
    one, each = (value_equivalence(agent, Stochastic()).nearest(given) for given in (prior, whole))
    np.testing.assert_allclose(one, each, atol=1e-9)


def test_a_member_is_nearest_to_itself():
    mdp = random_mdp(5, 2, discount=0.9, seed=8)
    for noise in (0.0, 0.02):
        sets = value_equivalence(solve(mdp, Goals.generic(5, 2, seed=8)), Stochastic(), noise=noise)
        for divergence in ("euclidean", "kl"):
            np.testing.assert_allclose(sets.nearest(mdp.kernel, divergence), mdp.kernel, atol=1e-7)


def test_samples_of_a_segment_and_of_a_triangle_are_uniform():
    _, segment = one_row([[0.0, 1.0, 2.0]], [0.25, 0.5, 0.25])
    drawn = value_equivalence(segment, Stochastic()).sample(2000, seed=0)[:, 0, 0, 0]  # uniform on [0, 1/2]
    order = np.sort(drawn) / 0.5
    assert np.abs(order - (np.arange(2000) + 0.5) / 2000).max() < 1.63 / np.sqrt(2000)  # Kolmogorov-Smirnov, 1 %
    _, nothing = one_row([[1.0, 1.0, 1.0]], [0.2, 0.3, 0.5])
    drawn = value_equivalence(nothing, Stochastic()).sample(4000, seed=1)[:, 0, 0]
    # Dirichlet(1, 1, 1): mean 1/3, variance 1/18, covariance -1/36.
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), (np.eye(3) * 3 - 1) / 36, atol=0.008)


def test_samples_repeat_by_seed_and_rows_are_independent():
    sets = value_equivalence(solve(random_mdp(4, 2, seed=0), Goals([[1.0] * 4])), Stochastic())
    first, again, other = (sets.sample(50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    # All rows share one polytope here and must not share their samples.
    assert np.abs(np.corrcoef(first[:, :, :, 0].reshape(50, -1).T) - np.eye(8)).max() < 0.8
    assert sets.sample(2, seed=np.random.default_rng(0), thinning=3).shape == (2, 4, 2, 4)


def test_l1_diameters_are_bracketed_and_closed_on_request():
    mdp = random_mdp(20, 2, branching=6, discount=0.9, seed=0)
    crowd = value_equivalence(solve(mdp, Goals.generic(20, 5, seed=0)), Stochastic())
    lower, upper = crowd.diameter("l1")
    widest = crowd.diameter("max").upper
    assert (widest - LP <= lower).all()
    assert (lower <= upper + 1e-12).all()
    assert (upper <= 2.0 + 1e-9).all()
    samples = crowd.sample(30, seed=0)
    assert (np.abs(samples[:, None] - samples[None]).sum(axis=4).max(axis=(0, 1)) <= upper + LP).all()
    rng = np.random.default_rng(0)
    _, agent = one_row(rng.standard_normal((14, 18)), rng.dirichlet(np.ones(18)))
    sets = value_equivalence(agent, Stochastic())
    bracket, closed = (sets.diameter("l1", seconds=seconds) for seconds in (0.0, 20.0))
    assert bracket.lower[0, 0] < bracket.upper[0, 0] - 1e-3
    assert bracket.lower[0, 0] <= closed.lower[0, 0] + LP
    assert closed.upper[0, 0] <= bracket.upper[0, 0] + LP
    np.testing.assert_allclose(closed.upper, closed.lower, atol=1e-5)
    points = sets.vertices(0, 0)
    farthest = np.abs(points[:, None] - points[None]).sum(axis=2).max()
    np.testing.assert_allclose(closed.lower[0, 0], farthest, atol=1e-5)


def test_unconstrained_rows_are_affine_spaces():
    mdp = random_mdp(5, 2, discount=0.9, seed=9)
    agent = replace(solve(mdp, Goals.generic(5, 3, seed=9)), report=None)  # as good as correctly rounded
    sets = value_equivalence(agent, Unconstrained())
    assert (sets.dimension == 2).all()
    assert np.isinf(sets.bounds().upper).all()
    assert np.isinf(sets.diameter("l1").lower).all()
    least, largest = sets.functional_bounds(agent.test_matrix)
    np.testing.assert_allclose(least, agent.q, atol=1e-9)
    np.testing.assert_allclose(largest, agent.q, atol=1e-9)
    assert sets.determined_functionals(agent.test_matrix).all()
    assert not sets.determined_functionals(np.ones(5)).any()


@pytest.mark.parametrize("seed", range(9, 15))
def test_one_vector_is_known_to_what_the_data_and_the_evaluation_of_its_bound_round(seed):
    mdp = random_mdp(5, 2, discount=0.9, seed=seed)
    agent = solve(mdp, Goals.generic(5, 5, seed=seed))
    full, system = value_equivalence(agent, Unconstrained()), RowSystem.of_agent(agent, sums_to_one=False)
    assert (full.dimension == 0).all()
    lower, upper = (end.reshape(-1, 5).T for end in full.bounds())
    rows = mdp.kernel.reshape(-1, 5).T
    assert (lower <= rows).all()
    assert (upper >= rows).all()
    # M p = q within h, so p within |X| h for X the inverse. A bound takes 5 + 5 + 8 roundings to evaluate, and what its
    # multipliers leave of the entry comes of 6 more, on numbers as large as p may be, which is twice |X| |q| at most.
    inverse = np.abs(np.linalg.inv(system.matrix))
    reach = 2.0 * inverse @ (np.abs(system.values) + system.value_uncertainty)
    data = system.uncertainty @ np.abs(rows) + system.value_uncertainty
    evaluated = rounding(24) * (np.abs(system.matrix) @ reach + np.abs(system.values))
    level = 2.0 * 1.02 * (inverse @ (data + evaluated) + rounding(24) * reach)
    assert (upper - lower <= level).all()
    assert (full.diameter().upper <= level.max()).all()


@pytest.mark.parametrize("n_goals", [4, 6])
def test_unconstrained_rows_under_noise_are_bounded_sharply(n_goals):
    mdp = random_mdp(4, 1, discount=0.5, seed=1)
    agent = solve(mdp, Goals.generic(4, n_goals, seed=1)).with_noise(0.01, seed=1)
    sets = value_equivalence(agent, Unconstrained(), noise=0.01)
    lower, upper = sets.bounds()
    for row in range(4):
        for entry in range(4):
            ends = extreme_by_brute_force(agent, row, np.eye(4)[entry], noise=0.01, signed=False)
            np.testing.assert_allclose((lower[row, 0, entry], upper[row, 0, entry]), ends, atol=1e-7)
    assert (sets.dimension == 4).all()
    l1 = sets.diameter("l1")
    assert (l1.lower <= l1.upper + 1e-9).all()
    assert (l1.lower >= sets.diameter("max").lower - 1e-9).all()
    assert sets.contains(sets.nearest(mdp.kernel)).all()
    assert not sets.determined_functionals(np.eye(4)).any()
    assert sets.determined_functionals(np.zeros(4)).all()


def test_deterministic_rows_have_candidates():
    mdp = MDP(np.eye(5)[np.array([[1, 2], [3, 4], [0, 1], [2, 2], [4, 0]])], discount=0.9)
    sets = value_equivalence(solve(mdp, Goals.generic(5, 1, seed=0)), Deterministic())
    np.testing.assert_array_equal(sets.candidates, mdp.kernel > 0)
    np.testing.assert_array_equal(sets.bounds().lower, mdp.kernel)
    constant = value_equivalence(solve(mdp, Goals(np.ones((1, 5)))), Deterministic())
    assert constant.candidates.all()
    np.testing.assert_array_equal(constant.bounds().width, 1.0)
    np.testing.assert_array_equal(constant.diameter("l1").lower, 2.0)
    assert constant.contains(mdp).all()
    assert (constant.dimension == 0).all()
    np.testing.assert_array_equal(constant.vertices(0, 0), np.eye(5))
    drawn = constant.sample(500, seed=0)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.2, atol=0.1)
    prior = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
    for divergence in ("euclidean", "kl"):
        assert (constant.nearest(prior, divergence).argmax(axis=2) == 2).all()
    np.testing.assert_array_equal(constant.functional_bounds(prior).lower, 0.1)
    assert (constant.extreme_kernel(prior, largest=True).argmax(axis=2) == 2).all()
    assert constant.determined_functionals(np.ones(5)).all()
    assert not constant.determined_functionals(prior).any()
    with pytest.raises(InputError, match="prior is 0"):
        sets.nearest(np.eye(5)[0], "kl")


def test_noisy_deterministic_rows_keep_their_successor():
    mdp = four_rooms("deterministic")
    agent = solve(mdp, Goals.generic(68, 2, seed=0))
    counts = []
    for noise in (1e-6, 1.0, 30.0):
        sets = value_equivalence(at_the_limit(agent, noise, 1), Deterministic(), noise=noise)
        assert sets.contains(mdp).all()
        assert sets.candidates[mdp.kernel > 0].all()
        counts.append(int(sets.candidates.sum()))
    assert counts[0] == 272 < counts[1] < counts[2]


def test_sparse_rows_offer_membership_and_say_so():
    mdp = random_mdp(5, 2, branching=2, discount=0.9, seed=0)
    sets = value_equivalence(solve(mdp, Goals.generic(5, 2, seed=0)), Sparse(2))
    assert sets.contains(mdp).all()
    dense = random_mdp(5, 2, discount=0.9, seed=0)
    assert not sets.contains(dense).any()
    calls = [
        lambda: sets.dimension,
        lambda: sets.candidates,
        sets.bounds,
        sets.diameter,
        lambda: sets.nearest(np.ones(5) / 5),
        lambda: sets.vertices(0, 0),
        lambda: sets.sample(1, seed=0),
        lambda: sets.functional_bounds(np.ones(5)),
        lambda: sets.extreme_kernel(np.ones(5), largest=True),
        lambda: sets.determined_functionals(np.ones(5)),
    ]
    for call in calls:
        with pytest.raises(KernelClassError, match=r"sparse:2.*Stochastic"):
            call()


def test_what_makes_no_sense_is_refused():
    mdp = random_mdp(4, 2, discount=0.9, seed=0)
    agent = solve(mdp, Goals.generic(4, 2, seed=0))
    free, inside = value_equivalence(agent, Unconstrained()), value_equivalence(agent, Stochastic())
    for call in (
        lambda: free.vertices(0, 0),
        lambda: free.sample(1, seed=0),
        lambda: free.extreme_kernel(np.ones(4), largest=True),
        lambda: free.nearest(np.ones(4) / 4, "kl"),
    ):
        with pytest.raises(KernelClassError, match=r"unconstrained.*Stochastic"):
            call()
    with pytest.raises(KernelClassError, match="Deterministic"):
        _ = inside.candidates


def test_wrong_input_is_named():
    mdp = MDP([[[0.5, 0.5], [0.0, 0.0]], [[0.2, 0.8], [0.6, 0.4]]], 0.9, [[True, False], [True, True]])
    agent = solve(mdp, Goals([[1.0, 1.0]]))
    sets = value_equivalence(agent, Stochastic())
    wrong = [
        (InputError, "noise is -1", lambda: value_equivalence(agent, Stochastic(), noise=-1)),
        (InputError, "noise is nan", lambda: value_equivalence(agent, Stochastic(), noise=np.nan)),
        (InputError, "norm is 'l2'", lambda: sets.diameter("l2")),
        (InputError, "divergence is 'l1'", lambda: sets.nearest([0.5, 0.5], "l1")),
        (InputError, "positive prior", lambda: sets.nearest([0.0, 1.0], "kl")),
        (ShapeError, "prior", lambda: sets.nearest([0.5, 0.5, 0.0])),
        (InputError, "not finite", lambda: sets.nearest([np.nan, 1.0])),
        (ShapeError, "weights", lambda: sets.functional_bounds(np.ones((1, 3)))),
        (InputError, "not finite", lambda: sets.functional_bounds([np.inf, 1.0])),
        (InputError, "not available", lambda: sets.vertices(0, 1)),
        (ShapeError, "no state 5", lambda: sets.vertices(5, 0)),
        (InputError, "n_samples is 0", lambda: sets.sample(0, seed=0)),
        (InputError, "thinning 0", lambda: sets.sample(1, seed=0, thinning=0)),
        (ShapeError, "kernel", lambda: sets.contains(np.ones((3, 2, 3)))),
        (KernelError, "not finite", lambda: sets.contains(np.full((2, 2, 2), np.nan))),
        (KernelClassError, "support has shape", lambda: value_equivalence(agent, Supported(np.ones((3, 1, 3), bool)))),
        (KernelClassError, "action 0 is empty", lambda: value_equivalence(agent, Supported(np.zeros((2, 2, 2), bool)))),
    ]  # fmt: skip
    for error, text, call in wrong:
        with pytest.raises(error, match=text):
            call()
    crowd = value_equivalence(solve(random_mdp(40, 1, seed=0), Goals.generic(40, 9, seed=0)), Stochastic())
    with pytest.raises(InputError, match="bases"):
        crowd.vertices(0, 0)


def test_contains_sees_each_way_of_not_belonging():
    mdp = random_mdp(5, 2, branching=3, discount=0.9, seed=0).dense()
    agent = solve(mdp, Goals.generic(5, 1, seed=0))
    sets, known = value_equivalence(agent, Stochastic()), value_equivalence(agent, Supported.of(mdp))
    assert sets.contains(mdp.sparse()).all()
    moved = mdp.kernel.copy()
    moved[2, 1] = np.roll(moved[2, 1], 1)
    assert [tuple(place) for place in np.argwhere(~sets.contains(moved))] == [(2, 1)]
    longer = mdp.kernel.copy()
    longer[3, 0] *= 1.01
    assert not sets.contains(longer)[3, 0]
    elsewhere = sets.nearest(np.full(5, 0.2))  # has the values, and other successors
    assert sets.contains(elsewhere).all()
    assert not known.contains(elsewhere).all()


@pytest.mark.parametrize("kernel_class", [Stochastic(), Deterministic(), Supported(np.ones((5, 2, 5), bool))])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_contradictory_values_are_named_with_their_least_residual(kernel_class, noise):
    mdp = MDP(np.eye(5)[np.random.default_rng(0).integers(5, size=(5, 2))], discount=0.5)
    agent = solve(mdp, Goals.generic(5, 1, seed=0))
    q = agent.q.copy()
    q[:, 3, 1] = -60.0  # not the best action, so that M is as before
    least = 60.0 + agent.test_matrix.min()
    wrong = replace(agent, q=q, report=None)
    with pytest.raises(AgentValuesError, match=r"state 3, action 1 \(1 of 10 rows have none\)") as caught:
        value_equivalence(wrong, kernel_class, noise=noise)
    assert f"at best |M p - Q| is {least:.4g}, under goal 0" in str(caught.value)
    assert value_equivalence(wrong, kernel_class, noise=least).contains(mdp).mean() >= 0.9


def test_the_least_residual_is_the_least():
    # M = (0, 1) and q = 1.5: the nearest member is the second vertex, off by 0.5.
    agent = AgentValues([[[1.5], [0.0]]], Goals([[0.0, 1.0]]), discount=0.0)
    with pytest.raises(AgentValuesError, match=r"state 0, action 0 .* is 0\.5, under goal 0, where 1\.665e-16 would"):
        value_equivalence(agent, Stochastic())
    with pytest.raises(AgentValuesError, match=r"is 0\.5, under goal 0, where 0\.4 would"):
        value_equivalence(agent, Stochastic(), noise=0.4)
    assert value_equivalence(agent, Stochastic(), noise=0.5).bounds().lower[0, 0, 1] == pytest.approx(1.0)


def test_noise_and_wrong_supports_show_as_contradictions():
    mdp = random_mdp(5, 2, branching=2, discount=0.9, seed=0).dense()
    agent = solve(mdp, Goals.generic(5, 8, seed=0))
    with pytest.raises(AgentValuesError, match="state the noise"):
        value_equivalence(agent.with_noise(1e-3, seed=0), Stochastic())
    wrong = np.roll(mdp.kernel > 0, 1, axis=2)
    with pytest.raises(AgentValuesError, match="'supported'"):
        value_equivalence(agent, Supported(wrong))


@pytest.mark.parametrize("noise", [0.0, 1e-3])
@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained(), "supported"])
@pytest.mark.parametrize(
    ("rewards", "discount", "dimension"),
    [
        (np.zeros((1, 4)), 0.9, 3),
        (np.ones((1, 4)), 0.9, 3),
        ([[0.0] * 4, [1.0, 2.0, 3.0, 5.0]], 0.9, 2),
        ([[1.0, 2.0, 3.0, 5.0]] * 2, 0.9, 2),
        ([[1.0, 2.0, 3.0, 5.0]], 0.0, 2),
        ([[1.0, 2.0, 3.0, 5.0], [0.0, 1.0, 0.0, -1.0]], 1.0 - 1e-12, 3),
    ],
    ids=["zero M", "constant M", "zero row", "equal rows", "discount 0", "discount next to 1"],
)
def test_degenerate_goals_have_answers(rewards, discount, dimension, kernel_class, noise):
    mdp = random_mdp(4, 2, discount=discount, seed=0)
    agent = solve(mdp, Goals(rewards))
    kind = Supported.of(mdp) if kernel_class == "supported" else kernel_class
    sets = value_equivalence(agent, kind, noise=noise)
    lower, upper = sets.bounds()
    assert (lower <= mdp.kernel + LP).all()
    assert (upper >= mdp.kernel - LP).all()
    assert sets.contains(mdp).all()
    if isinstance(kind, Unconstrained):
        return
    assert (sets.dimension == (3 if noise > 0 else dimension)).all()
    for member in sets.sample(2, seed=0):
        assert sets.contains(member).all()


def test_one_state_has_one_kernel():
    for rewards in ([[1.0]], [[0.0]]):
        agent = solve(MDP([[[1.0], [1.0]]], discount=0.5), Goals(rewards))
        sets = value_equivalence(agent, Stochastic())
        np.testing.assert_array_equal(sets.bounds().lower, 1.0)
        np.testing.assert_array_equal(sets.dimension, 0)
        np.testing.assert_array_equal(sets.vertices(0, 1), [[1.0]])
        np.testing.assert_array_equal(sets.sample(1, seed=0), 1.0)
        np.testing.assert_array_equal(sets.diameter("l1").upper, 0.0)
        assert value_equivalence(agent, Deterministic()).candidates.all()
    assert (value_equivalence(agent, Unconstrained()).dimension == 1).all()


def test_an_equation_without_digits_is_an_interval():
    # At discount 1 - 1e-12 a constant of 1e12 leaves M with four digits: points would miss the truth.
    # The report bounds the values by the residual over 1e-12, and then nothing is known; digits are what this is about.
    mdp = random_mdp(4, 1, discount=1.0 - 1e-12, seed=1)
    agent = replace(solve(mdp, Goals.generic(4, 6, seed=1)), report=None)
    sets = value_equivalence(agent, Stochastic())
    lower, upper = sets.bounds()
    assert (lower <= mdp.kernel).all()
    assert (upper >= mdp.kernel).all()
    assert (upper - lower).max() < 0.5
    assert repr(sets).startswith("<DistributionSets of AgentValues")


def test_noise_at_its_limit_still_leaves_the_truth_inside():
    # Found by a property test: one entry alone decides, and misses its value by all that is allowed.
    kernel = np.zeros((3, 2, 3))
    kernel[:, :, 0] = 1.0
    kernel[0, 1] = [0.5, 0.0, 0.5]
    mdp = MDP(kernel, 2 / 3)
    clean = solve_soft(mdp, Goals([[0.0, 0.0, 0.0]], [[1.0, 1.0, 0.0]]), temperature=0.5)
    noise = np.array([[[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]]) * (1e-6 - rounded(clean))
    agent = replace(clean, q=clean.q + noise, report=None)
    assert value_equivalence(agent, Supported.of(mdp), noise=1e-6).contains(mdp).all()
