"""Noise up to a bound never breaks it, noise at the bound does: T2b and T3d on random and on extremal instances."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    invert,
    policies,
    solve,
    solve_soft,
)
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.error_bounds import bounds as error_bounds
from tabular_inversion.error_bounds.bounds import error_bound, perturbation_constant, separation_radius
from tabular_inversion.error_bounds.norms import operator_norms
from tabular_inversion.error_bounds.tight_instances import (
    DECOY,
    START,
    TRUTH,
    lower_bound_instance,
    tight_matching_instance,
)
from tabular_inversion.errors import InputError, KernelClassError
from tabular_inversion.recovery import recover

NORMS = (1.0, 2.0, np.inf)
PAIRS = tuple(product(NORMS, NORMS))
OPERATORS = ("unconditional", "conditional", "choosing", "max", "softmax")
NOISES = ("normal", "signs", "one goal each", "all on one goal", "aligned")


def agent_of(operator, mdp, goals, rng):
    """The exact values of one kind of agent; "choosing" takes one action for each goal and state."""
    if operator == "max":
        return solve(mdp, goals)
    if operator == "softmax":
        return solve_soft(mdp, goals, float(rng.uniform(0.05, 1.0)))
    if operator == "unconditional":
        return evaluate(mdp, goals, policies.random(mdp.available, seed=rng))
    policy = policies.random(mdp.available, seed=rng, n_goals=goals.n_goals)
    return evaluate(mdp, goals, policies.greedy(policy, mdp.available) if operator == "choosing" else policy)


def goals_of(rng, n_states, n_goals):
    """Generic rewards, with episodes that end in some states, or fade."""
    rewards = rng.standard_normal((n_goals, n_states))
    return Goals(rewards, rng.choice([0.0, 1.0, 1.0, 1.0, float(rng.random())], rewards.shape))


def noise_of(kind, agent, norm, rng):
    """Noise of the shape of Q whose norm over goals is 1 for every (s, a)."""
    k, n, m = agent.q.shape
    if kind == "one goal each":
        # What attains the constant of an agent that tells goals apart: action a errs on goal a alone.
        noise = np.zeros((k, n, m))
        noise[np.arange(m) % k, :, np.arange(m)] = rng.choice([-1.0, 1.0])
    elif kind == "all on one goal":
        noise = np.zeros((k, n, m))
        noise[rng.integers(k)] = rng.choice([-1.0, 1.0], (n, 1))
    elif kind == "aligned":
        # A direction that the values barely see, with one sign in some states and the other in the rest, so that
        # what the right-hand side gains the columns lose.
        centred = agent.test_matrix - agent.test_matrix.mean(axis=1, keepdims=True)
        left = np.linalg.svd(centred if rng.random() < 0.7 else agent.test_matrix)[0]
        direction = left[:, rng.integers(min(k, n))]
        noise = np.multiply.outer(direction, rng.choice([-1.0, 1.0], n))[:, :, None].repeat(m, axis=2)
    else:
        noise = rng.standard_normal((k, n, m))
        noise = np.sign(noise) if kind == "signs" else noise
    return noise / np.linalg.norm(noise, ord=norm, axis=0)


def with_noise(agent, noise):
    return replace(agent, q=agent.q + noise, report=None)


def rows_of(agent, kernel_class, norm=np.inf):
    matched = {"norm": norm} if isinstance(kernel_class, Deterministic) else {}
    found = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index, **matched).rows
    return found if isinstance(found, np.ndarray) else found.toarray()


# The constant c


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("norm", NORMS)
def test_columns_move_by_at_most_the_constant(operator, norm):
    rng = np.random.default_rng([OPERATORS.index(operator), int(min(norm, 3))])
    nearest = 0.0
    for _ in range(30):
        n, m, k = (int(size) for size in rng.integers(1, 6, 3))
        mdp = random_mdp(n, m, discount=float(rng.uniform(0, 0.95)), seed=rng)
        agent = agent_of(operator, mdp, goals_of(rng, n, k), rng)
        constant = perturbation_constant(agent, norm=norm)
        assert constant <= min(m, k) ** (1.0 / norm) + 1e-12
        assert constant <= 1.0 or operator != "unconditional"
        for kind in NOISES:
            eps = 10.0 ** rng.uniform(-3, 1)
            moved = with_noise(agent, eps * noise_of(kind, agent, norm, rng)).test_matrix - agent.test_matrix
            largest = np.linalg.norm(moved, ord=norm, axis=0).max()
            # Values are of size up to 1e2, so rounding moves them by 1e-13 or so.
            assert largest <= agent.discount * constant * eps * (1 + 1e-12) + 1e-12
            nearest = max(nearest, largest / (agent.discount * constant * eps)) if constant > 0 else nearest
    assert nearest > 0.98  # not vacuous: some noise all but attains it


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("n_goals", "n_actions"), [(3, 3), (2, 4), (4, 2)])
def test_the_constant_of_optimal_agents_is_attained(norm, n_goals, n_actions):
    flat = AgentValues(np.zeros((n_goals, 2, n_actions)), Goals(np.zeros((n_goals, 2))), discount=0.5)
    noise = np.zeros_like(flat.q)
    pairs = np.arange(min(n_goals, n_actions))
    noise[pairs, :, pairs] = 1.0
    moved = np.linalg.norm(with_noise(flat, noise).test_matrix, ord=norm, axis=0)
    np.testing.assert_allclose(moved, 0.5 * perturbation_constant(flat, norm=norm), rtol=1e-15)
    np.testing.assert_allclose(perturbation_constant(flat, norm=norm), len(pairs) ** (1.0 / norm), rtol=1e-15)


def test_the_constant_in_the_1_norm_is_attained_by_every_policy():
    rng = np.random.default_rng(0)
    for _ in range(50):
        k, m = (int(size) for size in rng.integers(1, 5, 2))
        mdp = random_mdp(3, m, discount=0.5, seed=rng)
        agent = agent_of("conditional", mdp, goals_of(rng, 3, k), rng)
        noise = np.zeros_like(agent.q)
        best = (agent.goals.continuation[:, :, None] * agent.policy).argmax(axis=0)
        np.put_along_axis(noise, best[None], 1.0, axis=0)
        moved = np.abs(with_noise(agent, noise).test_matrix - agent.test_matrix).sum(axis=0).max()
        np.testing.assert_allclose(moved, 0.5 * perturbation_constant(agent, norm=1), atol=1e-13)


def test_the_constant_counts_what_can_err():
    values = np.zeros((3, 2, 4))
    assert perturbation_constant(AgentValues(values, Goals(np.zeros((3, 2))), discount=0.9), norm=1) == 3.0
    few = np.array([[True, False, False, False], [True, True, False, False]])
    masked = AgentValues(values, Goals(np.zeros((3, 2))), discount=0.9, available=few)
    assert perturbation_constant(masked, norm=1) == 2.0
    ending = Goals(np.zeros((3, 2)), np.array([[1.0, 0.0], [0.5, 0.0], [0.0, 1.0]]))
    assert perturbation_constant(AgentValues(values, ending, discount=0.9), norm=1) == 1.5
    same = np.tile([0.25, 0.75, 0.0, 0.0], (3, 2, 1))  # given for each goal, and yet the same for all
    assert perturbation_constant(AgentValues(values, Goals(np.zeros((3, 2))), 0.9, policy=same), norm=1) == 1.0
    over = Goals(np.zeros((3, 2)), np.zeros((3, 2)))
    assert [perturbation_constant(AgentValues(values, over, discount=0.9), norm=p) for p in NORMS] == [0.0] * 3


def test_a_policy_estimated_from_the_noise_breaks_the_constant():
    """The softmax-weighted mean of Q (no soft maximum) is steeper than the noise: its weights move as well."""
    clean, noise = np.array([[[0.0, 2.4]]]), np.array([[[-1e-3, 1e-3]]])
    values = []
    for q in (clean, clean + noise):
        policy = policies.softmax(q, np.ones((1, 2), bool), temperature=1.0)
        values.append(AgentValues(q, Goals([[0.0]]), discount=0.5, policy=policy).test_matrix.item())
    assert abs(values[1] - values[0]) > 1.15 * 0.5 * 1e-3


# T2b


def matching_failures(rng, worlds):
    """Look for rows that matching gets wrong with noise below the radius; return them, and how often it was tried."""
    failures, tried = [], 0
    for _ in range(worlds):
        n, m, k = int(rng.integers(2, 7)), int(rng.integers(1, 4)), int(rng.integers(1, 5))
        mdp = random_mdp(n, m, branching=1, discount=float(rng.uniform(0.3, 0.95)), seed=rng)
        agent = agent_of(OPERATORS[rng.integers(len(OPERATORS))], mdp, Goals.generic(n, k, seed=rng), rng)
        truth = mdp.dense().rows.argmax(axis=1)
        for norm in NORMS:
            radius = error_bounds.separation_radius(agent, norm=norm)
            noises = [noise_of(kind, agent, norm, rng) for kind in NOISES] + [against_matching(agent, truth, norm)]
            for noise in noises:
                # A priori: below the radius of the exact values.
                below = with_noise(agent, 0.999 * radius * noise)
                failures += [norm] * bool((rows_of(below, Deterministic(), norm).argmax(axis=1) != truth).any())
                # A posteriori: wherever the noisy values' own radius says so, whatever the exact values' says.
                eps = radius * rng.uniform(0.5, 1.5)
                noisy = with_noise(agent, eps * noise)
                if eps < error_bounds.separation_radius(noisy, norm=norm):
                    failures += [norm] * bool((rows_of(noisy, Deterministic(), norm).argmax(axis=1) != truth).any())
                    tried += 1
    return failures, tried


def against_matching(agent, truth, norm):
    """Push a row's values towards the column nearest to its own, and both columns the other way."""
    matrix, (_, n, m) = agent.test_matrix, agent.q.shape
    distance = np.linalg.norm(matrix[:, :, None] - matrix[:, None, :], ord=norm, axis=0)
    distance[np.diag_indices(n)] = np.inf
    rows = [row for row in range(n * m) if row // m not in (truth[row], distance[truth[row]].argmin())]
    if not rows:
        return np.zeros_like(agent.q)
    row = min(rows, key=lambda i: distance[truth[i]].min())
    right, wrong = truth[row], distance[truth[row]].argmin()
    direction = (matrix[:, wrong] - matrix[:, right]) / distance[right, wrong]
    noise = np.zeros_like(agent.q)
    noise[:, row // m, row % m] = direction
    noise[:, [right, wrong]] = -direction[:, None, None]
    return noise


def test_matching_is_right_below_the_radius():
    failures, tried = matching_failures(np.random.default_rng(1), 60)
    assert not failures
    assert tried > 200


@pytest.mark.parametrize("constant", [0.0, "half"])
def test_a_smaller_constant_is_caught(monkeypatch, constant):
    """The mutated statements (1 and 1 + discount * c / 2 for 1 + discount * c) have counterexamples."""
    true = perturbation_constant

    def smaller(agent, *, norm):
        return 0.0 if constant == 0.0 else true(agent, norm=norm) / 2.0

    monkeypatch.setattr(error_bounds, "perturbation_constant", smaller)
    failures, _ = matching_failures(np.random.default_rng(1), 60)
    assert failures


CASES = [
    case
    for case in product(NORMS, ("max", "conditional", "unconditional"), (1, 2, 3, 4), ("0", "1/2", "3/4", "9/10"))
    if case[0] != 2.0 or case[2] in (1, 4)
]


def power_sum(column, norm):
    """The p-th power of the norm, or the norm itself if p is infinite: a rational number."""
    return max(abs(x) for x in column) if norm == np.inf else sum(abs(x) ** int(norm) for x in column)


@pytest.mark.parametrize(("norm", "operator", "width", "discount"), CASES)
def test_matching_fails_at_the_radius_exactly(norm, operator, width, discount):
    found = tight_matching_instance(norm=norm, operator=operator, width=width, discount=discount)
    level = found.eps if norm == np.inf else found.eps ** int(norm)
    noise = found.noisy.q - found.exact.q
    sizes = {power_sum(noise[:, s, a], norm) for s in range(4) for a in range(width)}
    assert max(sizes) == level
    assert isinstance(level, Fraction)
    for agent in (found.exact, found.noisy):  # the radius is that of both, a priori and a posteriori
        matrix = agent.test_matrix
        least = min(power_sum(matrix[:, s] - matrix[:, t], norm) for s in range(4) for t in range(s))
        constant = 1 if operator == "unconditional" else found.radius
        bound = 2 * (1 + found.world.discount * constant) * found.radius
        assert least == (bound if norm == np.inf else bound ** int(norm))
    values, matrix = found.noisy.q[:, START, 0], found.noisy.test_matrix
    to = [power_sum(matrix[:, s] - values, norm) for s in range(4)]
    assert to[DECOY] == to[TRUTH] == min(to)
    assert found.world.kernel[START, 0, TRUTH] == 1


@pytest.mark.parametrize(("norm", "operator", "width", "discount"), CASES)
def test_the_package_fails_at_the_radius_and_beyond_but_not_below(norm, operator, width, discount):
    def matched(excess):
        found = tight_matching_instance(norm=norm, operator=operator, width=width, discount=discount, excess=excess)
        noisy = found.noisy.to_float()
        np.testing.assert_allclose(separation_radius(noisy, norm=norm), float(found.radius), rtol=1e-2)
        return rows_of(noisy, Deterministic(), norm)[START * width].argmax()

    assert matched("-1/1000") == TRUTH
    assert matched("1/1000") == DECOY
    if discount != "9/10":  # in dyadic numbers floats see the tie, and the first column wins
        assert matched(0) == DECOY


def test_a_constant_of_one_is_too_small_for_agents_that_tell_goals_apart():
    found = tight_matching_instance(norm=1, operator="max", width=3, excess="1/100")
    agent = found.exact.to_float()
    least = 2 * (1 + 0.5 * 3) * 3
    assert float(found.eps) < least / (2 * (1 + 0.5 * 1))  # the statement with c = 1 would call it safe
    assert rows_of(found.noisy.to_float(), Deterministic(), 1)[START * 3].argmax() == DECOY
    np.testing.assert_allclose(separation_radius(agent, norm=1), 3.0, rtol=1e-14)


@given(st.integers(0, 2**32 - 1), st.sampled_from(NORMS), st.sampled_from(OPERATORS), st.floats(0.01, 3.0))
@settings(max_examples=60, deadline=None)
def test_rows_said_to_be_certain_are_right(seed, norm, operator, share):
    """Row by row, beyond the radius too."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(6, 2, branching=1, discount=0.8, seed=rng)
    agent = agent_of(operator, mdp, Goals.generic(6, 2, seed=rng), rng)
    radius = separation_radius(agent, norm=norm)
    noisy = with_noise(agent, share * radius * noise_of("normal", agent, norm, rng))
    wrong = rows_of(noisy, Deterministic(), norm).argmax(axis=1) != mdp.dense().rows.argmax(axis=1)
    bound = error_bound(noisy, Deterministic(), share * radius, norm=1, noise_norm=norm)
    assert not (wrong & (bound.rows.ravel() == 0)).any()
    if share * radius < separation_radius(noisy, norm=norm):
        assert bound.overall == 0.0


# T3d


def excesses(rng, worlds, norms=PAIRS):
    """Return measured error / bound for every row of random worlds under random and aligned noise."""
    ratios = []
    for _ in range(worlds):
        n, m = int(rng.integers(2, 6)), int(rng.integers(1, 4))
        k = n + int(rng.integers(-1, 3))
        mdp = random_mdp(n, m, branching=int(rng.integers(1, n + 1)), discount=float(rng.uniform(0.1, 0.95)), seed=rng)
        agent = agent_of(OPERATORS[rng.integers(len(OPERATORS))], mdp, goals_of(rng, n, k), rng)
        classes = [Unconstrained(), Stochastic(), Supported.of(mdp)] + [Deterministic()] * mdp.is_deterministic
        for kind, (norm, noise_norm), kernel_class in product(NOISES, norms, classes):
            if rng.random() < 0.75:
                continue
            eps = 10.0 ** rng.uniform(-6, -1)
            noisy = with_noise(agent, eps * noise_of(kind, agent, noise_norm, rng))
            bound = error_bounds.error_bound(noisy, kernel_class, eps, norm=norm, noise_norm=noise_norm).rows.ravel()
            error = np.linalg.norm(rows_of(noisy, kernel_class, noise_norm) - mdp.dense().rows, ord=norm, axis=1)
            # Rounding moves the rows by about condition * 1e-16 / eps of the bound.
            ratios.append((error / (bound * (1 + 1e-6) + 1e-10)).max())
    return np.array(ratios)


def test_the_error_never_exceeds_the_bound():
    ratios = excesses(np.random.default_rng(2), 40)
    assert len(ratios) > 500
    assert ratios.max() <= 1.0


@pytest.mark.slow
def test_the_error_never_exceeds_the_bound_on_many_worlds():
    assert excesses(np.random.default_rng(3), 500).max() <= 1.0
    failures, _ = matching_failures(np.random.default_rng(3), 500)
    assert not failures


def test_a_bound_without_the_columns_noise_is_caught(monkeypatch):
    """The mutated statement, with 1 for 1 + discount * c, is violated somewhere in the same batch."""
    monkeypatch.setattr(error_bounds, "perturbation_constant", lambda *_, **__: 0.0)
    assert excesses(np.random.default_rng(2), 40, norms=[(2.0, 2.0), (np.inf, np.inf)]).max() > 1.0


@pytest.mark.parametrize("operator", ["policy", "max"])
@pytest.mark.parametrize("discount", ["0", "1/2", "9/10", "999/1000"])
@pytest.mark.parametrize("eps", ["1/8", "1/1000"])
def test_no_method_does_better_than_the_bound(operator, discount, eps):
    found = lower_bound_instance(eps, discount=discount, operator=operator)
    assert found.error == (1 + Fraction(discount)) * Fraction(eps)
    for agent in found.agents:
        assert np.abs(agent.q - found.shown.q).max() == found.eps
    rows = [world.kernel[0, 0] for world in found.worlds]
    assert np.abs(rows[0] - rows[1]).max() == 2 * found.error
    assert min(world.kernel.min() for world in found.worlds) >= 0
    shown = found.shown.to_float()
    classes = [Stochastic(), Unconstrained()] if operator == "policy" else [Stochastic()]
    for kernel_class in classes:
        bound = error_bound(shown, kernel_class, float(found.eps))
        np.testing.assert_allclose(bound.overall, float(found.error), rtol=1e-9)
    if operator == "max":  # action 1 is taken in all three worlds: the optimal agent is the one of the policy
        for agent in (*found.agents, found.shown):
            assert (agent.q[:, :, 1] >= agent.q[:, :, 0]).all()


@pytest.mark.parametrize("norm", NORMS)
def test_two_goals_attain_the_bound_in_every_norm(norm):
    found = lower_bound_instance("1/100")
    spread = 2.0 ** (1.0 / norm)  # noise in two goals, errors in two entries
    shown, eps, error = found.shown.to_float(), float(found.eps), float(found.error)
    bound = error_bound(shown, Unconstrained(), spread * eps, norm=norm)
    np.testing.assert_allclose(bound.overall, spread * error, rtol=1e-12)
    # Least squares goes through the 2-norm, which loses nothing from noise in each value, nor from the 2-norm itself.
    entrywise = error_bound(shown, Stochastic(), eps, norm=norm, noise_norm=np.inf)
    np.testing.assert_allclose(entrywise.overall, spread * error, rtol=1e-12)
    bound = error_bound(shown, Stochastic(), spread * eps, norm=norm)
    np.testing.assert_allclose(bound.overall, spread * error * (np.sqrt(2.0) if norm == 1.0 else 1.0), rtol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", [1, 2, 5])
def test_one_state_attains_the_unconstrained_bound_with_the_constant(norm, width):
    """Goal g takes action g; a last action, which no goal takes, errs the other way."""
    world = MDP(np.ones((1, width + 1, 1)), discount=0.75)
    policy = np.eye(width, width + 1)[:, None, :]
    agent = evaluate(world, Goals(np.ones((width, 1))), policy)
    noise = np.zeros_like(agent.q)
    noise[np.arange(width), 0, np.arange(width)] = -1.0
    noise[:, 0, width] = width ** (-1.0 / norm)
    noisy = with_noise(agent, 0.01 * noise)
    constant = perturbation_constant(noisy, norm=norm)
    np.testing.assert_allclose(constant, width ** (1.0 / norm), rtol=1e-14)
    error = np.abs(rows_of(noisy, Unconstrained())[-1] - 1.0).item()
    bound = error_bound(noisy, Unconstrained(), 0.01, norm=norm)
    np.testing.assert_allclose(error, bound.rows[0, -1], rtol=1e-10)


@pytest.mark.parametrize(
    ("norm", "rewards", "truth", "noise", "found", "wrong_bound"),
    [
        (np.inf, [[2, 1, -2], [-2, 0, -2], [2, 1, -2]], 1, [1, -1, 1], [2 / 3, 1 / 3, 0], 5 / 8),
        (1.0, [[2, -2, -2], [0, 0, -1], [2, -2, 0]], 2, [0, 0, -1], [0, 2 / 5, 3 / 5], 3 / 4),
    ],
)
def test_least_squares_contracts_in_the_2_norm_only(norm, rewards, truth, noise, found, wrong_bound):
    """The bound ||inverse||_p (1 + discount c) eps is false for the simplex and p = 1 or infinity (discount 0)."""
    matrix, unit = np.array(rewards, dtype=float), np.eye(3)
    mdp = MDP(np.tile(unit[truth], (3, 1, 1)), discount=0.0)
    agent = evaluate(mdp, Goals(matrix), np.ones((3, 1)))
    noisy = with_noise(agent, np.array(noise, dtype=float)[:, None, None])
    rows = rows_of(noisy, Stochastic())
    np.testing.assert_allclose(rows[0], found, atol=1e-12)
    inverse = np.linalg.pinv(matrix - matrix.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(np.linalg.norm(inverse, norm), wrong_bound, rtol=1e-12)
    error = np.linalg.norm(rows[0] - unit[truth], norm)
    assert error > 1.06 * wrong_bound
    assert error <= error_bound(noisy, Stochastic(), 1.0, norm=norm).overall


def test_the_bound_is_for_each_row_and_not_for_the_whole_matrix():
    """With the Frobenius or the spectral norm of Phat - P on the left, T3d is false: rows add up."""
    mdp = random_mdp(2, 10, discount=0.0, seed=0)
    agent = evaluate(mdp, Goals(np.eye(2)), np.full((2, 10), 0.1))
    noise = np.zeros_like(agent.q)
    noise[0] = 1e-3
    noisy = with_noise(agent, noise)
    difference = rows_of(noisy, Unconstrained()) - mdp.dense().rows
    bound = error_bound(noisy, Unconstrained(), 1e-3, norm=2)
    assert np.linalg.norm(difference, 2) > 4.0 * bound.overall
    assert np.linalg.norm(difference, axis=1).max() <= bound.overall * (1 + 1e-9)


# Laws, limits and bad input


def test_supported_rows_have_bounds_of_their_own():
    rooms = four_rooms("windy")
    agent = solve(rooms, Goals.generic(rooms.n_states, 4, seed=0))
    bound = error_bound(agent, Supported.of(rooms), 1e-4, norm=1)
    assert bound.rows.shape == (68, 4)
    sizes = rooms.n_successors
    assert (bound.rows[sizes == 1] == 0).all()
    assert len(np.unique(bound.rows[sizes > 1].round(12))) > 20
    # Fewer goals than a support needs leave the diameter; knowing the support never hurts.
    one = error_bound(agent.select_goals([0]), Supported.of(rooms), 1e-4, norm=1)
    assert (one.rows[sizes > 2] == 2.0).all()
    assert (bound.rows <= error_bound(agent, Stochastic(), 1e-4, norm=1).rows).all()


def test_restricted_bounds_agree_with_an_orthonormal_basis_row_by_row():
    mdp = random_mdp(7, 2, branching=3, discount=0.9, seed=4)
    agent = evaluate(mdp, Goals.generic(7, 4, seed=4), policies.uniform(mdp.available))
    found = error_bound(agent, Supported.of(mdp), 1e-6, norm=2).rows.ravel()
    for row, support in enumerate(mdp.dense().support.reshape(-1, 7)):
        differences = np.array([[1.0, 1.0], [-1.0, 1.0], [0.0, -2.0]]) / np.sqrt([2.0, 6.0])
        sigma = np.linalg.svd(agent.test_matrix[:, support] @ differences, compute_uv=False)[-1]
        np.testing.assert_allclose(found[row], 1.9e-6 / sigma, rtol=1e-9)


def test_bounds_scale_with_rewards_and_follow_permutations():
    mdp = random_mdp(5, 2, branching=1, discount=0.9, seed=1)
    agent = solve(mdp, Goals.generic(5, 5, seed=1))
    order = np.random.default_rng(0).permutation(5)
    for norm in NORMS:
        radius = separation_radius(agent, norm=norm)
        np.testing.assert_allclose(separation_radius(agent.permute_states(order), norm=norm), radius, rtol=1e-12)
        for size in (1e300, 1e-300):
            scaled = AgentValues(agent.q * size, Goals(agent.goals.rewards * size), 0.9)
            np.testing.assert_allclose(separation_radius(scaled, norm=norm) / size, radius, rtol=1e-12)
            for kernel_class in (Unconstrained(), Stochastic(), Supported.of(mdp), Deterministic()):
                one = error_bound(agent, kernel_class, 1e-3, norm=norm)
                other = error_bound(scaled, kernel_class, 1e-3 * size, norm=norm)
                np.testing.assert_allclose(other.rows, one.rows, rtol=1e-9)
                moved = error_bound(agent.permute_states(order), kernel_class, 1e-3, norm=norm)
                if not isinstance(kernel_class, Supported):
                    np.testing.assert_allclose(moved.rows, one.rows[order], rtol=1e-9)


def test_more_goals_widen_the_radius_in_the_infinity_norm():
    mdp = random_mdp(6, 2, branching=1, discount=0.9, seed=2)
    agent = solve(mdp, Goals.generic(6, 5, seed=2))
    radii = [separation_radius(agent.select_goals(np.arange(k))) for k in range(1, 6)]
    assert radii == sorted(radii)


def test_what_cannot_be_bounded_says_so():
    mdp = random_mdp(4, 2, discount=0.9, seed=0)
    agent = solve(mdp, Goals.generic(4, 2, seed=0))
    assert error_bound(agent, Unconstrained(), 0.0).overall == np.inf
    assert [error_bound(agent, Stochastic(), 0.0, norm=p).overall for p in NORMS] == [2.0, np.sqrt(2.0), 1.0]
    with pytest.raises(KernelClassError, match="Stochastic"):
        error_bound(agent, Sparse(2), 0.1)
    constant = solve(mdp, Goals(np.ones((4, 4))))
    assert error_bound(constant, Stochastic(), 1e-9, norm=1).overall == 2.0
    assert error_bound(constant, Deterministic(), 1e-9, norm=1).overall == 2.0
    assert separation_radius(constant) < 1e-14
    zero = solve(mdp, Goals(np.zeros((4, 4))))
    assert separation_radius(zero) == 0.0
    assert error_bound(zero, Unconstrained(), 0.0).overall == np.inf


def test_a_nearly_singular_matrix_gets_no_finite_promise():
    rewards = np.random.default_rng(0).standard_normal((4, 4))
    rewards[3] = rewards[2] + 1e-16
    agent = evaluate(random_mdp(4, 1, discount=0.0, seed=0), Goals(rewards), np.ones((4, 1)))
    assert error_bound(agent, Unconstrained(), 0.0).overall == np.inf


def test_one_state_is_always_known():
    agent = solve(MDP(np.ones((1, 2, 1)), discount=0.9), Goals([[1.0]]))
    assert separation_radius(agent) == np.inf
    assert [error_bound(agent, c, 5.0).overall for c in (Stochastic(), Deterministic())] == [0.0, 0.0]
    np.testing.assert_allclose(error_bound(agent, Unconstrained(), 0.1).overall, 1.9 * 0.1 / 10.0, rtol=1e-9)


def test_unavailable_actions_have_no_bound():
    available = np.array([[True, False], [True, True]])
    mdp = MDP([[[0.5, 0.5], [0.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]]], discount=0.5, available=available)
    agent = solve(mdp, Goals.generic(2, 2, seed=0))
    for kernel_class in (Unconstrained(), Stochastic(), Supported.of(mdp), Deterministic()):
        bound = error_bound(agent, kernel_class, 1e-3)
        np.testing.assert_array_equal(np.isnan(bound.rows), ~available)
        assert np.isfinite(bound.overall)


def test_action_rewards_change_no_bound():
    drawn, extra = Goals.generic(4, 4, seed=0), np.random.default_rng(0).standard_normal((4, 4, 2))
    agent = solve(random_mdp(4, 2, branching=1, discount=0.9, seed=0), Goals(drawn.rewards, action_rewards=extra))
    assert error_bound(agent, Deterministic(), 1e-9).overall == 0.0


def test_an_inversion_knows_its_bound():
    mdp = random_mdp(5, 2, discount=0.8, seed=3)
    noisy = solve(mdp, Goals.generic(5, 6, seed=3)).with_noise(1e-4, seed=0)
    result = invert(noisy, Stochastic(), noise=1e-4)
    bound = result.error_bound(1e-4)
    assert result.max_error(mdp) <= bound.overall < 0.5
    np.testing.assert_array_equal(bound.rows, error_bound(noisy, Stochastic(), 1e-4).rows)
    entrywise = result.error_bound(1e-4, norm=1, noise_norm=np.inf)
    assert np.abs(result.kernel - mdp.kernel).sum(axis=2).max() <= entrywise.overall


def test_a_deterministic_inversion_is_bounded_in_the_norm_it_matched_in():
    mdp = random_mdp(5, 2, branching=1, discount=0.8, seed=3)
    agent = solve(mdp, Goals.generic(5, 2, seed=3))
    result = invert(agent, Deterministic(), norm=1)
    assert result.error_bound(0.5 * separation_radius(agent, norm=1), norm=1).overall == 0.0
    with pytest.raises(InputError, match="norm"):
        result.error_bound(1e-9, norm=2)


@pytest.mark.parametrize("norm", [3, 0, -1, np.nan, "2"])
def test_unknown_norms(norm):
    agent = solve(random_mdp(3, 1, discount=0.5, seed=0), Goals.generic(3, 3, seed=0))
    for call in (
        lambda: perturbation_constant(agent, norm=norm),
        lambda: separation_radius(agent, norm=norm),
        lambda: error_bound(agent, Stochastic(), 0.1, norm=norm),
        lambda: error_bound(agent, Stochastic(), 0.1, noise_norm=norm),
        lambda: tight_matching_instance(norm=norm),
    ):
        with pytest.raises(InputError, match="norm"):
            call()


@pytest.mark.parametrize("eps", [-1.0, np.nan, np.inf])
def test_wrong_noise(eps):
    agent = solve(random_mdp(3, 1, discount=0.5, seed=0), Goals.generic(3, 3, seed=0))
    with pytest.raises(InputError, match="eps"):
        error_bound(agent, Stochastic(), eps)


@pytest.mark.parametrize(
    "options",
    [{"width": 0}, {"width": 2, "norm": 2}, {"operator": "greedy"}, {"excess": -2}, {"discount": 1}, {"discount": 0.5}],
)
def test_wrong_matching_instances(options):
    with pytest.raises(InputError):
        tight_matching_instance(**options)


@pytest.mark.parametrize("options", [{"eps": 0}, {"eps": "1/4"}, {"eps": "1/9", "operator": "softmax"}, {"eps": 0.1}])
def test_wrong_lower_bound_instances(options):
    with pytest.raises(InputError):
        lower_bound_instance(**options)


@pytest.mark.parametrize(("source", "target"), list(product(NORMS, NORMS)))
def test_operator_norms_against_trying_all_corners(source, target):
    rng = np.random.default_rng(0)
    stack = rng.standard_normal((20, 3, 4))
    bounds = operator_norms(stack, source, target)
    if source == 1.0:
        corners = np.eye(4)
    elif source == np.inf:
        corners = np.array(list(product([-1.0, 1.0], repeat=4)))
    else:
        corners = rng.standard_normal((20000, 4))
        corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    measured = np.linalg.norm(stack @ corners.T, ord=target, axis=1).max(axis=1)
    assert (measured <= bounds * (1 + 1e-12)).all()
    if source == 1.0 or target == np.inf or source == target == 2.0:  # those that are computed, not bounded
        np.testing.assert_allclose(measured, bounds, rtol=1e-12 if source != 2.0 else 2e-2)
    else:
        assert (bounds <= 2.0 * measured).all()
