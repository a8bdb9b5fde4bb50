"""How many discounts are needed: against the ranks of agents at drawn discounts."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from proofs_checks import instances
from tabular_inversion import MDP, Goals, Sparse, Stochastic, Unconstrained, exact
from tabular_inversion.errors import GoalsError, KernelClassError, PolicyError, ShapeError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.sufficiency import discounts_needed

CYCLE = ExactMDP([[[0, 1, 0]], [[0, 0, 1]], [[1, 0, 0]]], "1/2")
ONE = [[1], [1], [1]]


def test_so_many_discounts_suffice_and_one_less_does_not():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        n, m = instances.sizes(rng, largest=5)
        world = instances.world(rng, n, m, branching=1)
        policy = instances.policy(rng, n, m)
        goals = ExactGoals(exact.fraction_array(rng.integers(-1, 2, (int(rng.integers(1, 3)), n))))
        for kernel_class, ones in ((Unconstrained(), 0), (Stochastic(), 1)):
            found = discounts_needed(world, goals, kernel_class, policy=policy)
            found.verify()
            seen.add(found.count)
            rows = [np.full((ones, n), Fraction(1), dtype=object)]
            ranks = [exact.rank(rows[0]).rank if ones else 0]
            for place in rng.permutation(len(instances.DISCOUNTS))[:n]:
                there = ExactMDP(world.kernel, instances.DISCOUNTS[place])
                rows.append(exact.evaluate(there, goals, policy).test_matrix)
                ranks.append(exact.rank(np.concatenate(rows)).rank)
            assert found.count == (ranks.index(n) if n in ranks else None)
    assert {None, 1, 2} <= seen


def test_forged_answers_are_refused():
    found = discounts_needed(CYCLE, ExactGoals([[1, 0, 0]]), Stochastic(), policy=ONE)
    none = discounts_needed(CYCLE, ExactGoals([[1, 1, 1]]), Stochastic(), policy=ONE)
    for forged, field in (
        (replace(found, count=1), "count"),
        (replace(found, count=3), "unseen"),
        (replace(found, count=None), "unseen"),
        (replace(found, unseen=None), "unseen"),
        (replace(none, unseen=none.unseen * 0), "unseen"),
        (replace(none, count=2), "count"),
    ):
        with pytest.raises(WitnessError, match=field):
            forged.verify()


def test_floats_one_state_and_wrong_questions():
    mdp = MDP([[[0.0, 1.0]], [[1.0, 0.0]]], 0.5)
    assert discounts_needed(mdp, Goals([[0.0, 1.0]]), Stochastic(), policy=[[1], [1]]).count == 1
    alone = discounts_needed(ExactMDP([[[1]]], 0), ExactGoals([[1]]), Stochastic(), policy=[[1]])
    alone.verify()
    assert (alone.count, alone.unseen) == (0, None)
    goals = ExactGoals([[1, 0, 0]])
    with pytest.raises(GoalsError, match="may end"):
        discounts_needed(CYCLE, ExactGoals([[1, 0, 0]], [[0, 1, 1]]), Stochastic(), policy=ONE)
    with pytest.raises(ShapeError, match="2 states"):
        discounts_needed(CYCLE, ExactGoals([[1, 0]]), Stochastic(), policy=ONE)
    with pytest.raises(PolicyError, match="one for all goals"):
        discounts_needed(CYCLE, goals, Stochastic(), policy=[ONE])
    with pytest.raises(KernelClassError):
        discounts_needed(CYCLE, goals, ONE, Sparse(2))
