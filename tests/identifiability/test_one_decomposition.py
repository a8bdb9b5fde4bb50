"""What is decomposed of an agent's test functions is decomposed once, for all questions; and for no other agent."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import lapack

from tabular_inversion import (
    MDP,
    Goals,
    Stochastic,
    Unconstrained,
    error_bound,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.error_bounds import amplification
from tabular_inversion.recovery.system import RowSystem

LARGE = 30
"""Matrices that are smaller, of one row's support or of a solver, are not those of the agent."""


@pytest.fixture
def decompositions(monkeypatch):
    """A list of what decomposes large matrices: every entry of numpy and LAPACK that the package uses."""
    found = []

    def counted(name, function):
        def call(matrix, *args, **options):
            shape = np.shape(matrix)
            if min(shape[-2:]) >= LARGE:
                found.append((name, shape))
            return function(matrix, *args, **options)

        return call

    names = ("svd", "pinv", "qr", "inv", "lstsq", "eigh", "solve", "cholesky")
    for module, each in [(np.linalg, name) for name in names] + [(lapack, "dgetrf"), (lapack, "sgetrf")]:
        monkeypatch.setattr(module, each, counted(each, getattr(module, each)))
    return found


def through_a_pickle(agent):
    return pickle.loads(pickle.dumps(agent))  # noqa: S301 - our own


def drawn(n, k, seed=0, spread=20):
    rng = np.random.default_rng(seed)
    world = MDP(rng.dirichlet(np.ones(n), (n, 2)), 0.9)
    return world, solve(world, Goals(rng.standard_normal((k, n)) * 2.0 ** rng.integers(-spread, spread + 1, (k, 1))))


@pytest.mark.parametrize(("k", "kernel_class"), [(40, Stochastic()), (39, Stochastic()), (40, Unconstrained())])
def test_four_questions_on_one_agent_share_one_decomposition(decompositions, k, kernel_class):
    world, agent = drawn(40, k)
    decompositions.clear()
    found = invert(agent, kernel_class)
    verdict = identify(agent, kernel_class)
    sets = value_equivalence(agent, kernel_class)
    bound = error_bound(agent, kernel_class, 1e-9)
    uniform = identify(agent, kernel_class, scope="uniform", rows=[0, 5])
    assert [name for name, _ in decompositions] == ["dgetrf"]
    assert found.rank == verdict.rank == uniform.rank == 40
    assert (sets.dimension == 0).all()
    assert found.max_error(world) < 1e-9
    assert np.isfinite(bound.overall)


def test_another_agent_and_another_noise_are_decomposed_anew(decompositions):
    _, agent = drawn(40, 40)
    decompositions.clear()
    sharp = identify(agent, Unconstrained(), scope="uniform")
    same = identify(replace(agent), Unconstrained(), scope="uniform")
    noisy = identify(agent, Unconstrained(), scope="uniform", noise=1e3)
    again = identify(agent, Unconstrained(), scope="uniform", noise=1e3)
    assert [name for name, _ in decompositions if name == "dgetrf"] == ["dgetrf"] * 3
    assert (sharp.row_status == same.row_status).all()
    assert sharp.status.name == "IDENTIFIED"
    assert noisy.status.name == again.status.name == "UNDECIDED"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, through_a_pickle])
def test_copies_and_pickles_hold_what_was_given_alone(copied):
    _, agent = drawn(6, 6)
    small = len(pickle.dumps(agent))
    identify(agent, Stochastic())
    assert agent.decompositions
    other = copied(agent)
    assert len(pickle.dumps(agent)) == small
    assert other == agent
    assert not other.decompositions
    assert other.test_matrix is not agent.test_matrix
    with pytest.raises(ValueError, match="read-only"):
        other.q[0, 0, 0] = 1.0


def test_levels_of_noise_do_not_pile_up():
    _, agent = drawn(4, 4)
    for exponent in range(40):
        RowSystem.of_agent(agent, sums_to_one=True, noise=2.0**-exponent).rank  # noqa: B018
    RowSystem.of_agent(agent, sums_to_one=True, noise=np.full(agent.q.shape, 0.5)).rank  # noqa: B018
    assert len(agent.decompositions) == 4


def test_noise_that_differs_in_one_entry_is_another_question():
    _, agent = drawn(4, 4)
    first, second = np.zeros(agent.q.shape), np.zeros(agent.q.shape)
    second[0, 0, 0] = 0.5
    systems = [RowSystem.of_agent(agent, sums_to_one=True, noise=each) for each in (first, second)]
    assert systems[0].kept is not systems[1].kept
    assert (systems[0].uncertainty != systems[1].uncertainty).any()


@pytest.mark.parametrize(("k", "kernel_class"), [(40, Stochastic()), (42, Stochastic()), (39, Stochastic()),
                                                 (40, Unconstrained())])  # fmt: skip
@pytest.mark.parametrize("norms", [(np.inf, np.inf), (np.inf, 2.0), (np.inf, 1.0), (1.0, 1.0)])
def test_error_bounds_from_the_factors_are_those_from_singular_values(monkeypatch, k, kernel_class, norms):
    _, agent = drawn(40, k, seed=k, spread=2)
    quick = error_bound(agent, kernel_class, 1e-12, norm=norms[0], noise_norm=norms[1]).overall
    monkeypatch.setattr(amplification, "_inverse", lambda *_: None)
    slow = error_bound(replace(agent), kernel_class, 1e-12, norm=norms[0], noise_norm=norms[1]).overall
    if np.isfinite(slow):
        assert slow * (1 - 1e-9) <= quick <= slow * (1 + 1e-6)
    assert np.isfinite(quick)
