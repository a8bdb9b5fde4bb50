"""The nearest member where goals depend: against the projection by trying all supports, from exact equations."""

from itertools import combinations

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Stochastic, Supported, evaluate, invert, value_equivalence
from tabular_inversion.exact.linear_algebra import solve_linear
from tabular_inversion.exact.rationals import fraction_array, to_floats
from tabular_inversion.policies import uniform
from tabular_inversion.recovery import simplex_rows
from tabular_inversion.recovery.affine_system import affine_system
from tabular_inversion.recovery.system import RowSystem

N = 5


def exact_tests(kernel, rewards, discount):
    """Return R + discount v in fractions, for one action."""
    p, r, discount = (fraction_array(part, allow_float=True) for part in (kernel[:, 0], rewards, discount))
    eye = fraction_array(np.eye(N, dtype=int))
    p = p / p.sum(axis=1, keepdims=True)
    return np.array([row + discount * solve_linear(eye - discount * p, p @ row) for row in r]), p


def nearest_by_brute_force(equations, values, prior, allowed):
    """Return the point of {p >= 0 : equations p = values} nearest to the prior, by projecting on every support."""
    best, found, least = np.inf, None, 1.0
    for size in range(1, N + 1):
        for states in combinations(np.flatnonzero(allowed), size):
            part, own = equations[:, states], np.zeros(N)
            own[list(states)] = prior[list(states)] + np.linalg.pinv(part, 1e-10) @ (
                values - part @ prior[list(states)]
            )
            fits = np.abs(equations @ own - values).max() < 1e-10 and own.min() >= -1e-12
            if fits and ((own - prior) ** 2).sum() < best:
                best, found = ((own - prior) ** 2).sum(), own
                sigma = np.linalg.svd(part, compute_uv=False)
                least = sigma[sigma > 1e-10 * sigma[0]].min()
    return found, least


def dependent_case(seed):
    """Draw R3 = R1 + R2 exactly, at discount 99/100, under one policy."""
    rng = np.random.default_rng(seed)
    first = rng.integers(-128, 129, (2, N)) / 64.0 * (2.0 ** rng.integers(-4, 5, (2, 1)) if seed % 2 else 1.0)
    weights = rng.integers(1, 9, (N, 1, N)) * (rng.random((N, 1, N)) < 0.8 if seed % 3 else 1)
    weights[:, :, 0] += 1
    mdp = MDP(weights / weights.sum(axis=2, keepdims=True), 0.99)
    agent = evaluate(mdp, Goals(np.concatenate([first, first.sum(axis=0, keepdims=True)])), uniform(mdp.available))
    tests, p = exact_tests(weights, first, 0.99)
    equations = to_floats(np.concatenate([tests - tests[:, :1], fraction_array(np.ones((1, N), int))]))
    values = to_floats(np.concatenate([(p @ tests.T).T - tests[:, :1], fraction_array(np.ones((1, N), int))]))
    return mdp, agent, equations, values, rng


@pytest.mark.parametrize("kind", ["stochastic", "supported"])
@pytest.mark.parametrize("seed", range(6))
def test_members_and_recoveries_are_nearest_where_goals_depend(seed, kind):
    mdp, agent, equations, values, rng = dependent_case(seed)
    kernel_class = Stochastic() if kind == "stochastic" else Supported.of(mdp)
    sets, system = value_equivalence(agent, kernel_class), RowSystem.of_agent(agent, sums_to_one=True)
    data = np.linalg.norm(system.uncertainty) + np.linalg.norm(system.value_uncertainty, axis=0).max()
    # Equations in the scale of the system: what data of that uncertainty can move, with 8 roundings of each number.
    unit = np.ldexp(1.0, system.equations.exponents[:2])
    equations[:2], values[:2] = equations[:2] * unit, values[:2] * unit
    members = sets.sample(4, seed=0)
    for prior in rng.dirichlet(np.ones(N), 20 if seed < 2 else 4):
        allowed = np.ones((N, N), bool) if kind == "stochastic" else mdp.kernel[:, 0] > 0
        shown = np.where(allowed, prior, 0.0)
        prior_rows = (shown / shown.sum(axis=1, keepdims=True))[:, None, :]
        nearest = sets.nearest(prior_rows)
        found = invert(agent, kernel_class, prior=prior_rows[:, 0]).kernel
        found = found if isinstance(found, np.ndarray) else found.toarray().reshape(N, 1, N)
        assert sets.contains(nearest).all()
        assert sets.contains(found).all()
        for state in range(N):
            truth, least = nearest_by_brute_force(equations, values[:, state], prior_rows[state, 0], allowed[state])
            level = 8.0 * data / least
            assert np.abs(nearest[state, 0] - truth).max() <= level, (seed, state)
            assert np.abs(found[state, 0] - truth).max() <= level, (seed, state)
        for member in members:  # the sphere through a nearest point has the set on its other side
            assert (((nearest - prior_rows) * (member - nearest)).sum(axis=2) >= -1e-9).all()


def test_a_direction_of_the_uncertainty_holds_no_row_and_a_proved_one_does():
    rng = np.random.default_rng(0)
    first = rng.standard_normal((2, N))
    matrix = np.concatenate([first, first.sum(axis=0, keepdims=True)])
    wrong = matrix + 1e-12 * rng.choice([-1.0, 1.0], matrix.shape)
    doubt = np.full(matrix.shape, 1e-12)
    assert affine_system(wrong[None]).rank == 4  # what the noise says
    assert affine_system(wrong[None], doubt[None]).rank == 3
    assert affine_system(wrong[None], 1e-4 * doubt[None]).rank == 4
    truth, prior = rng.dirichlet(np.ones(N)), rng.dirichlet(np.ones(N))
    values = (matrix @ truth)[:, None]
    known = simplex_rows(matrix[:2], values[:2], prior=prior).rows
    told = simplex_rows(wrong, values, prior=prior, uncertainty=doubt).rows
    np.testing.assert_allclose(told, known, atol=1e-10)
    assert np.abs(simplex_rows(wrong, values, prior=prior).rows - known).max() > 1e-3
    # One function is known to 1e-3, the other to rounding: the columns are independent, so all of it counts.
    columns, own = np.array([[[1.0, 0.0, 0.0], [0.0, 1e-4, 0.0]]]), np.array([[[1e-3] * 3, [0.0] * 3]])
    assert affine_system(columns, own).rank == 3
