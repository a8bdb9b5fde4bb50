"""Kind: `verify()` passes what it should refuse, or refuses what is honest.

Each forgery below was accepted once; the campaign over all fields of all results is in tests/forgeries.
"""

from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    TabularInversionError,
    Unconstrained,
    exact,
    identify,
    solve,
)
from tabular_inversion.discounts import exceptional_discounts
from tabular_inversion.environments import chain, graph, random_mdp
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.sufficiency import generic, minimal, structural

K33 = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
EXACTLY = exact.solve(ExactMDP.from_float(K33), ExactGoals.from_float(Goals.indicator(6)))


class Yes:
    """Says of itself that it is verified."""

    def verify(self, *_arguments, **_options):
        return True


def refuted():
    return identify(EXACTLY, Stochastic(), scope="uniform")


def all_identified(verdict):
    return replace(verdict, row_status=np.zeros_like(verdict.row_status))


def two_equal_rows(verdict):
    return replace(verdict, witness=replace(verdict.witness, second=verdict.witness.first))


def without_agent(verdict):
    other = identify(exact.solve(ExactMDP.from_float(K33), ExactGoals.from_float(Goals.indicator(6))), Stochastic())
    return replace(verdict, question=replace(verdict.question, agent=None), proofs=other.proofs)


FORGERIES = {
    "structural, all identified": lambda: all_identified(structural(chain(4), [0], Stochastic())),
    "generic, all identified": lambda: all_identified(generic(chain(4), [0], Stochastic())),
    "refuted, all identified": lambda: all_identified(refuted()),
    "anything as a proof": lambda: replace(refuted(), proofs=(Yes(),)),
    "two equal rows": lambda: two_equal_rows(refuted()),
    "proofs of another question, and no agent": lambda: without_agent(refuted()),
    "another rank": lambda: replace(refuted(), rank=6),
    "another scope": lambda: replace(refuted(), question=replace(refuted().question, scope="instance")),
    "another class": lambda: replace(refuted(), question=replace(refuted().question, kernel_class=Unconstrained())),
    "a smaller set": lambda: replace(minimal(chain(4), Goals.indicator(4), Stochastic()), goals=(0,)),
    "a higher bound": lambda: replace(minimal(chain(4), Goals.indicator(4), Stochastic()), lower_bound=9),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_is_refused(forge):
    with pytest.raises(TabularInversionError) as caught:
        forge().verify()
    assert "\n" not in str(caught.value)


def test_ranks_and_multiplicities_of_discounts_that_were_changed_by_hand_are_refused():
    honest = exceptional_discounts(K33)
    honest.verify()
    found = honest.discounts[0]
    for field in ("rank", "rank_with_ones", "multiplicity"):
        changed = replace(found, **{field: getattr(found, field) + 1})
        with pytest.raises(TabularInversionError):
            replace(honest, discounts=(changed, *honest.discounts[1:])).verify()


@pytest.mark.parametrize("seed", range(12))
def test_honest_refutations_are_not_refused(seed):
    """Refutations of ordinary worlds, uneven in scale, with rare successors and masks."""
    rng = np.random.default_rng([31, seed])
    n, m = int(rng.integers(2, 7)), int(rng.integers(1, 3))
    kernel = rng.dirichlet(np.full(n, 0.3), (n, m)) * 10.0 ** -rng.integers(0, 6, (n, m, n)).astype(float)
    kernel /= kernel.sum(axis=2, keepdims=True)
    rewards = rng.standard_normal((int(rng.integers(1, n)), n)) * 10.0 ** rng.integers(-6, 7, (1, n))
    world = MDP(kernel, float(rng.choice([0.0, 0.5, 0.99, 1 - 1e-6])))
    agent = solve(world, Goals(rewards))
    for kernel_class in (Unconstrained(), Stochastic(), Sparse(2), Supported(world.kernel > 0), Deterministic()):
        for scope in ("instance", "uniform"):
            identify(agent, kernel_class, scope=scope).verify()


def test_an_exact_refutation_is_not_refused():
    verdict = refuted()
    assert verdict.status is Status.NOT_IDENTIFIED
    verdict.verify()
    assert verdict.witness is not None
    assert Fraction(verdict.witness.value_gap) == 0
    identify(solve(random_mdp(5, 2, seed=1), Goals.generic(5, 2, seed=0)), Stochastic()).verify()
