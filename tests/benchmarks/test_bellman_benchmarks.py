"""How fast `evaluate` and `solve` are, beside LAPACK, scipy's bicgstab, QuantEcon and mdpsolver."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_matrix, eye_array, hstack, vstack
from scipy.sparse.linalg import bicgstab

from tabular_inversion import Goals, policies
from tabular_inversion.bellman import bellman_residual, evaluate, solve
from tabular_inversion.environments import four_rooms, parse_environment, random_mdp

pytestmark = pytest.mark.benchmark


def closed_loop(mdp, policy):
    """Return the sparse chain (S, S) of a policy."""
    weights = csr_matrix(policy.reshape(1, -1)).T
    rows = mdp.rows.multiply(weights.toarray()).tocsr()
    gather = np.repeat(np.arange(mdp.n_states), mdp.n_actions)
    sums = csr_matrix((np.ones(len(gather)), (gather, np.arange(len(gather)))))
    return csr_matrix(sums @ rows)


def quantecon_model(mdp, goals, goal):
    """Build QuantEcon's model of one goal.

    Where episodes end, a further state, which stays for ever and pays nothing, ends them. Elsewhere there is none:
    it would keep QuantEcon's bound on the error, a span over all states, from shrinking.
    """
    from quantecon.markov import DiscreteDP

    kernel = csr_matrix(mdp.sparse().rows)
    rewards = kernel @ goals.rewards[goal]
    states, actions = np.divmod(np.arange(kernel.shape[0] + 1), mdp.n_actions)
    if goals.continuation[goal].all():
        return DiscreteDP(rewards, kernel, mdp.discount, states[:-1], actions[:-1])
    going = csr_matrix(kernel.multiply(goals.continuation[goal]))
    ends = csr_matrix(np.maximum(1.0 - going.sum(axis=1), 0.0))
    stay = csr_matrix(([1.0], ([0], [mdp.n_states])), (1, mdp.n_states + 1))
    kernel = vstack([hstack([going, ends]), stay], "csr")
    return DiscreteDP(np.append(rewards, 0.0), kernel, mdp.discount, states, actions)


def quantecon_rival(mdp, goals, *, method="mpi", n_goals=4):
    """Build the models beforehand; a run solves one goal."""
    models = [quantecon_model(mdp, goals, goal) for goal in range(n_goals)]
    return lambda goal: models[goal].solve(method=method, epsilon=1e-10, max_iter=10_000).v[: mdp.n_states]


def largest_residual(mdp, agent):
    """Return the Bellman residual relative to the scale of the values."""
    return float(np.nanmax(bellman_residual(mdp, agent)) / np.abs(agent.test_matrix).max())


@pytest.fixture(scope="module")
def sparse_world():
    return random_mdp(4000, 4, branching=5, discount=0.95, seed=0)


@pytest.mark.parametrize("kind", ["generic", "terminating"])
def test_evaluate_dense_for_1000_goals(race, kind):
    n = 1000
    mdp = random_mdp(n, 4, discount=0.95, seed=0).dense()
    goals = Goals.generic(n, n, seed=0) if kind == "generic" else Goals.indicator(n)
    policy = policies.random(mdp.available, seed=0)

    def one_factorisation():
        chain = np.einsum("sa,sat->st", policy, mdp.kernel)
        solved = lu_solve(lu_factor(np.eye(n) - mdp.discount * chain), goals.rewards.T)
        return solved.T @ mdp.rows.T

    residual = largest_residual(mdp, evaluate(mdp, goals, policy))
    assert residual < 1e-10
    race(lambda: evaluate(mdp, goals, policy), one_factorisation, limit=1.5, rounds=7, kind=kind, residual=residual)


@pytest.mark.parametrize("variant", ["deterministic", "windy", "teleport"])
def test_solve_four_rooms_for_68_goals(race, variant):
    mdp = four_rooms(variant)
    goals = Goals.indicator(mdp.n_states)
    residual = largest_residual(mdp, solve(mdp, goals))
    assert residual < 1e-10
    rival = quantecon_rival(mdp, goals, method="pi")
    np.testing.assert_allclose(rival(0), solve(mdp, goals).v[0], atol=1e-9)
    race(
        lambda: solve(mdp, goals),
        lambda: [rival(goal) for goal in range(4)],
        per=(68, 4),
        variant=variant,
        residual=residual,
        seconds_hoped_for_all=0.3,
    )


def test_solve_taxi_for_500_goals(race):
    mdp = parse_environment("gym:Taxi-v4", discount=0.99).mdp
    goals = Goals.indicator(mdp.n_states)
    residual = largest_residual(mdp, solve(mdp, goals))
    assert residual < 1e-10
    rival = quantecon_rival(mdp, goals)
    np.testing.assert_allclose(rival(0), solve(mdp, goals).v[0], atol=1e-9)
    race(
        lambda: solve(mdp, goals),
        lambda: [rival(goal) for goal in range(4)],
        per=(mdp.n_states, 4),
        rounds=3,
        residual=residual,
        seconds_hoped_for_all=3,
    )


@pytest.mark.parametrize("n_goals", [1, 16, 64])
def test_evaluate_sparse_for_each_goal(race, sparse_world, n_goals):
    mdp = sparse_world
    goals = Goals.indicator(mdp.n_states, np.arange(n_goals), terminating=False)
    policy = policies.random(mdp.available, seed=0)
    matrix = eye_array(mdp.n_states, format="csr") - mdp.discount * closed_loop(mdp, policy)
    start = np.random.default_rng(0).standard_normal(mdp.n_states)

    def scipys_bicgstab():
        solutions = [bicgstab(matrix, row, x0=start, rtol=1e-10) for row in goals.rewards[:8]]
        assert not any(info for _, info in solutions)

    residual = largest_residual(mdp, evaluate(mdp, goals, policy))
    assert residual < 1e-10
    per = (n_goals, min(n_goals, 8))
    race(lambda: evaluate(mdp, goals, policy), scipys_bicgstab, limit=3, per=per, residual=residual, rounds=9)


@pytest.mark.parametrize("terminating", [False, True])
def test_evaluate_sparse_for_4000_goals(race, sparse_world, terminating):
    mdp = sparse_world
    goals = Goals.indicator(mdp.n_states, terminating=terminating)
    policy = policies.random(mdp.available, seed=0)
    chain = closed_loop(mdp, policy)

    def densified():
        matrix = np.eye(mdp.n_states) - mdp.discount * chain.toarray()
        return mdp.rows @ lu_solve(lu_factor(matrix), goals.rewards.T)

    agent = evaluate(mdp, goals, policy)
    facts = {"terminating": terminating, "method": agent.report.method, "residual": agent.report.residual}
    race(lambda: evaluate(mdp, goals, policy), densified, limit=1, rounds=3, **facts)


@pytest.mark.parametrize("kind", ["indicator", "generic"])
@pytest.mark.parametrize("rival", ["quantecon", "mdpsolver"])
def test_solve_sparse_for_each_goal(race, sparse_world, kind, rival):
    mdp, n_goals, n_rival = sparse_world, 32, 4
    states = np.random.default_rng(1).integers(0, mdp.n_states, n_goals)
    indicators = Goals.indicator(mdp.n_states, states, terminating=False)
    goals = indicators if kind == "indicator" else Goals.generic(mdp.n_states, n_goals, seed=1)
    residual = largest_residual(mdp, solve(mdp, goals))
    assert residual < 1e-10
    run = quantecon_rival(mdp, goals) if rival == "quantecon" else mdpsolver_rival(mdp, goals)
    found = run(0)
    np.testing.assert_allclose(found, solve(mdp, goals.select([0])).v[0], atol=1e-9 * np.abs(found).max())
    race(
        lambda: solve(mdp, goals),
        lambda: [run(goal) for goal in range(n_rival)],
        limit=2 if rival == "quantecon" else None,
        per=(n_goals, n_rival),
        kind=kind,
        residual=residual,
    )


def mdpsolver_rival(mdp, goals):
    """Build mdpsolver's models once; a run solves one goal, on one thread, with its fastest settings."""
    import mdpsolver

    rows = [slice(*pair) for pair in pairwise(mdp.rows.indptr)]
    by_state = [rows[first : first + mdp.n_actions] for first in range(0, len(rows), mdp.n_actions)]
    probabilities = [[mdp.rows.data[row].tolist() for row in state] for state in by_state]
    columns = [[mdp.rows.indices[row].tolist() for row in state] for state in by_state]
    models = []
    for goal in range(4):
        model = mdpsolver.model()
        rewards = (mdp.rows @ goals.rewards[goal]).reshape(-1, mdp.n_actions).tolist()
        model.mdp(discount=mdp.discount, rewards=rewards, tranMatProbs=probabilities, tranMatColumns=columns)
        models.append(model)

    # Told where to start, since a model that has been solved would otherwise start from its solution.
    start = {"initPolicy": [0] * mdp.n_states, "initValueVector": [0.0] * mdp.n_states}

    def run(goal):
        models[goal].solve(algorithm="mpi", tolerance=1e-10, parIterLim=20, parallel=False, **start)
        return np.array(models[goal].getValueVector())

    return run


def test_solve_20000_states_for_16_goals(race):
    mdp = random_mdp(20_000, 4, branching=5, discount=0.95, seed=0)
    goals = Goals.indicator(mdp.n_states, np.arange(16))
    tracemalloc.start()
    agent = solve(mdp, goals)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    residual = largest_residual(mdp, agent)
    assert residual < 1e-10
    rival = quantecon_rival(mdp, goals, n_goals=2)
    race(
        lambda: solve(mdp, goals),
        lambda: [rival(goal) for goal in range(2)],
        per=(16, 2),
        rounds=3,
        residual=residual,
        peak_mebibytes=peak / 2**20,
        seconds_hoped_for_all=60,
    )
