"""T1: gradient descent on |M P - Q|^2 converges to M^+ Q + (I - M^+ M) P0, at the rate of the spectrum of M."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from proofs_checks import instances
from proofs_checks.statement import Check, Counterexample, Statement, Tally
from tabular_inversion import Goals, Unconstrained, bellman, environments, exact, invert
from tabular_inversion._typing import FloatArray
from tabular_inversion.recovery import recover


def descend(matrix: FloatArray, values: FloatArray, start: FloatArray, step: float, steps: int) -> FloatArray:
    """Take gradient steps on 1/2 |matrix @ p - values|^2; columns are rows of the kernel, shape (n, R)."""
    point = start
    for _ in range(steps):
        point = point - step * matrix.T @ (matrix @ point - values)
    return point


def check_rate(rng: np.random.Generator, instances_wanted: int, rate_scale: float = 1.0) -> Tally:
    """After t steps the distance to the closed form is at most rate^t times the first distance."""
    tally = Tally()
    for _ in range(instances_wanted):
        n, k = int(rng.integers(2, 7)), int(rng.integers(1, 7))
        mdp = environments.random_mdp(n, 2, discount=0.5, seed=rng)
        agent = bellman.evaluate(mdp, Goals.generic(n, k, seed=rng), np.full((n, 2), 0.5))
        m, q = agent.test_matrix, agent.right_hand_sides
        start = rng.standard_normal((n, q.shape[1]))
        limit = recover(m, q, Unconstrained(), row_index=agent.row_index, prior=start.T).rows.T
        sigma = np.linalg.svd(m, compute_uv=False)
        nonzero = sigma[sigma > 1e-10 * sigma[0]]
        step = 1.5 / nonzero[0] ** 2
        rate = rate_scale * np.abs(1.0 - step * nonzero**2).max()
        first = np.linalg.norm(start - limit)
        steps = 60
        last = np.linalg.norm(descend(m, q, start, step, steps) - limit)
        excess = float(last / first - rate**steps)
        tally.add(excess <= 1e-9, max(excess, 0.0), f"n={n}, k={k}: above the rate by {excess:.1e}")
    return tally


def check_fixed_point(rng: np.random.Generator, instances_wanted: int) -> Tally:
    """The closed form solves M p = q and differs from the prior only in the row space of M: rational oracle."""
    tally = Tally()
    for _ in range(instances_wanted):
        n, m = instances.sizes(rng, largest=4)
        k = int(rng.integers(1, n + 1))
        world = instances.world(rng, n, m)
        agent = exact.evaluate(world, instances.generic_goals(rng, k, n), instances.policy(rng, n, m))
        test, values = agent.test_matrix, agent.right_hand_sides
        prior = np.full((n, values.shape[1]), Fraction(1, n))
        gram = test @ test.T  # invertible: generic rewards, k <= n
        limit = prior + test.T @ exact.solve_linear(gram, values - test @ prior)
        solves = bool((test @ limit == values).all())
        found = invert(agent.to_float(), Unconstrained()).kernel.reshape(-1, n).T
        error = float(np.abs(found - limit.astype(np.float64)).max())
        scale = float(np.linalg.cond(test.astype(np.float64)))
        tally.add(solves and error <= 1e-12 * scale, error, f"n={n}, k={k}: float error {error:.1e}")
    return tally


def depends_on_prior() -> bool:
    """One goal, two states: two priors give two limits."""
    test, values = np.array([[1.0, 2.0]]), np.array([[1.5]])
    limits = [
        recover(test, values, Unconstrained(), row_index=np.array([0]), prior=np.array(p)).rows
        for p in ([[1.0, 0.0]], [[0.0, 1.0]])
    ]
    return bool(np.abs(limits[0] - limits[1]).max() > 0.1)


def leaves_the_simplex() -> bool:
    """One goal, three states, true row and prior both vertices: the limit has a row sum other than one."""
    test, truth = np.array([[0.0, 1.0, 3.0]]), np.array([0.0, 0.0, 1.0])
    prior = np.array([[1.0, 0.0, 0.0]])
    row = recover(test, test @ truth[:, None], Unconstrained(), row_index=np.array([0]), prior=prior).rows[0]
    return bool(abs(row.sum() - 1.0) > 0.1)


def diverges() -> bool:
    """A step above 2 / sigma_max^2 takes the iterates away."""
    test = np.array([[2.0, 0.0], [0.0, 1.0]])
    start = np.array([[1.0], [1.0]])
    return bool(np.abs(descend(test, test @ np.zeros((2, 1)), start, 0.51, 200)).max() > 10.0)


STATEMENT = Statement(
    id="T1",
    title="Closed form and P-learning limit",
    latex=r"P_\infty = M^+ Q + (I - M^+ M) P_0, \qquad \text{rate } \max_{\sigma_i > 0} |1 - \eta \sigma_i^2|",
    plain="Gradient descent on the squared Bellman error converges linearly to the solution nearest to where it "
    "started; it forgets the start iff M has rank n.",
    source="Theorem 1 of arXiv 2606.21173, finite form",
    hypotheses=("0 < eta < 2 / sigma_max(M)^2", "rank M = n (for independence of the prior)"),
    checks=(
        Check("exact", "the closed form against rational linear algebra", check_fixed_point, 30),
        Check("numeric", "the distance after 60 steps against the rate", check_rate, 40),
    ),
    counterexamples=(
        Counterexample("rank M = n", "one goal, two states: the limit depends on the prior", depends_on_prior),
        Counterexample(
            "1 in the row space or null space of M",
            "one goal, three states: the limit of a true row and a prior in the simplex has another row sum",
            leaves_the_simplex,
        ),
        Counterexample("eta < 2 / sigma_max^2", "a step of 0.51 where sigma_max = 2", diverges),
    ),
)
