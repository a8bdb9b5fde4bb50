"""Missing equations: rows settled together say what each group of rows says on its own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    AgentValues,
    Goals,
    KernelClass,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    identify,
    invert,
    solve,
)
from tabular_inversion.exact import fraction_array, rank
from tabular_inversion.identifiability import judge
from tabular_inversion.identifiability.patterns import settled


def world_of(rng: np.random.Generator, n: int, m: int) -> MDP:
    """Draw a world with few successors, rare ones among them, and actions that are not everywhere."""
    kernel = np.zeros((n, m, n))
    for state in range(n):
        for action in range(m):
            after = rng.choice(n, size=rng.integers(1, min(n, 4) + 1), replace=False)
            weights = rng.dirichlet(np.ones(len(after)))
            if len(after) > 1 and rng.random() < 0.2:
                weights[0] = 1e-7
            kernel[state, action, after] = weights / weights.sum()
    available = rng.random((n, m)) < 0.9
    available[:, 0] = True
    kernel[~available] = 0.0
    return MDP(kernel, float(rng.choice([0.0, 0.5, 0.9, 0.99])), available)


def with_gaps(rng: np.random.Generator, agent: AgentValues, share: float) -> AgentValues:
    """Return the agent without some of its equations, but with the state values that it had."""
    q = np.where(rng.random(agent.q.shape) < share, np.nan, agent.q)
    return AgentValues(q, agent.goals, agent.discount, available=agent.available, v=agent.v)


def one_by_one(agent: AgentValues, kernel_class: KernelClass, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    """Decide each pattern on its own."""
    with monkeypatch.context() as patch:
        patch.setattr(judge, "settled", lambda _agent, _class, rows, _scope, **_options: (None, rows))
        return identify(agent, kernel_class, **options)


@pytest.mark.parametrize("seed", range(14))
@pytest.mark.parametrize("scope", ["instance", "uniform"])
def test_together_and_one_by_one_agree(seed: int, scope: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 9)), int(rng.integers(1, 4))
    world = world_of(rng, n, m)
    k = n + int(rng.integers(0, 4))
    goals = Goals(np.ldexp(rng.normal(size=(k, n)), rng.integers(-20, 20, size=(k, 1))), rng.integers(0, 2, (k, n)))
    agent = with_gaps(rng, solve(world, goals), float(rng.choice([0.02, 0.1, 0.3])))
    for kernel_class in (Stochastic(), Supported.of(world), Unconstrained()):
        found = identify(agent, kernel_class, scope=scope)
        alone = one_by_one(agent, kernel_class, monkeypatch, scope=scope)
        # Either may leave to exact arithmetic what the other one proves; neither may contradict it.
        both = (found.row_status != Status.UNDECIDED) & (alone.row_status != Status.UNDECIDED)
        assert (found.row_status == alone.row_status)[both].all()
        assert (found.row_status == Status.UNDECIDED).sum() <= (alone.row_status == Status.UNDECIDED).sum()
        assert found.rank == alone.rank
        np.testing.assert_allclose(found.sigma_min, alone.sigma_min, rtol=1e-5, atol=1e-12)
        if scope == "instance":
            found.verify()


@pytest.mark.parametrize("seed", range(12))
def test_what_is_settled_has_full_rank_in_fractions_and_the_true_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = world_of(rng, 6, 2)
    agent = with_gaps(rng, solve(world, Goals.indicator(6)), 0.05)
    judged, left = settled(agent, Stochastic(), None, "instance")
    assert judged is not None
    assert left is not None
    assert judged.sought is not None
    places = judged.ready.part.agent.row_index
    assert not left.ravel()[places].any()
    assert (left.ravel() | np.isin(np.arange(12), places))[agent.available.ravel()].all()
    matrix = np.vstack([agent.test_matrix, np.ones(6)])
    least = np.inf
    for number, row in enumerate(places):
        known = np.append(agent.known.reshape(6, -1)[:, row], True)
        assert rank(fraction_array(matrix[known], allow_float=True)).rank == 6
        np.testing.assert_allclose(judged.sought.rows[number], world.kernel.reshape(-1, 6)[row], atol=1e-9)
        scaled = judged.ready.system.matrix[known]
        least = min(least, float(np.linalg.svd(scaled, compute_uv=False)[5]))
    np.testing.assert_allclose(judged.ready.system.sigma_min, least, rtol=1e-6)


def test_a_wrong_value_that_is_known_is_not_explained() -> None:
    rng = np.random.default_rng(5)
    world = world_of(rng, 6, 2)
    agent = AgentValues.episodic(solve(world, Goals.indicator(6)).q, Goals.indicator(6), world.discount,
                                 available=world.available)  # fmt: skip
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED
    q = agent.q.copy()
    q[0, 3, 0] += 0.125
    verdict = identify(AgentValues(q, agent.goals, agent.discount, v=agent.v, available=agent.available), Stochastic())
    assert verdict.row_status[3, 0] == Status.INCONSISTENT
    assert (np.delete(verdict.row_status, 3, axis=0)[np.delete(world.available, 3, axis=0)] == Status.IDENTIFIED).all()


@pytest.mark.parametrize("noise", [0.0, 1e-6, "float32"])
def test_the_kernel_is_the_one_that_each_group_gives(noise: float | str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    world = world_of(rng, 7, 3)
    agent = replace(with_gaps(rng, solve(world, Goals.generic(7, 9, seed=1)), 0.1), noise=noise)
    if noise:
        agent = replace(agent, q=agent.q + rng.uniform(-1e-9, 1e-9, agent.q.shape))
    found = invert(agent, Stochastic())
    monkeypatch.setattr("tabular_inversion.inversion.inverting.settled", lambda *_args, **_options: (None, None))
    alone = invert(agent, Stochastic())
    np.testing.assert_allclose(found.kernel, alone.kernel, atol=1e-9 if not noise else 1e-12)
    assert found.verdict.status is alone.verdict.status
    assert found.max_error(world) <= (1e-9 if not noise else 1e-5)
