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


def sees_no_eigenvector(found):
    """The rank test in floats, at each of the eigenvalues, which are all that matter."""
    chain, rewards = (x.astype(float) for x in (found.chain, found.rewards))
    n = len(chain)
    for value in found.eigenvector.eigenvalues:
        blocks = [value * np.eye(n) - chain, rewards.T] + [np.ones((n, 1))] * found.ones
        assert np.linalg.svd(np.hstack(blocks), compute_uv=False)[-1] < 1e-9
        vector = np.polynomial.polynomial.polyval(value, found.eigenvector.coefficients.astype(float).T)
        np.testing.assert_allclose(vector @ chain, value * vector, atol=1e-9)
        assert np.abs(vector).max() > 1e-9


def test_a_complex_eigenvalue_decides():
    """Real eigenvalues are not enough: a cycle of three and one constant reward (K1)."""
    for ones in (Unconstrained(), Stochastic()):
        found = discounts_needed(CYCLE, ExactGoals([[1, 1, 1]]), ones, policy=ONE)
        found.verify()
        assert found.eigenvector.minimal_polynomial == (1, 1, 1)
        sees_no_eigenvector(found)


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
            if found.count is None:
                sees_no_eigenvector(found)
    assert {None, 1, 2} <= seen


def test_forged_answers_are_refused():
    found = discounts_needed(CYCLE, ExactGoals([[1, 0, 0]]), Stochastic(), policy=ONE)
    none = discounts_needed(CYCLE, ExactGoals([[1, 1, 1]]), Stochastic(), policy=ONE)
    vector = none.eigenvector.coefficients
    for forged, field in (
        (replace(found, count=1), "count"),
        (replace(found, count=3), "unseen"),
        (replace(found, count=None), "eigenvector"),
        (replace(found, count=None, eigenvector=none.eigenvector), "coefficients"),
        (replace(found, unseen=None), "unseen"),
        (replace(none, unseen=none.unseen * 0), "unseen"),
        (replace(none, count=2), "eigenvector"),
        (replace(none, eigenvector=None), "eigenvector"),
        (replace(found, eigenvector=none.eigenvector), "eigenvector"),
        (replace(none, eigenvector=replace(none.eigenvector, minimal_polynomial=(-1, 1))), "coefficients"),
        (replace(none, eigenvector=replace(none.eigenvector, minimal_polynomial=(-1, 0, 0, 1))), "minimal_polynomial"),
        (replace(none, eigenvector=replace(none.eigenvector, minimal_polynomial=(1, -1, 1))), "coefficients"),
        (replace(none, eigenvector=replace(none.eigenvector, coefficients=0 * vector)), "coefficients"),
        (replace(none, eigenvector=replace(none.eigenvector, coefficients=vector + 1)), "coefficients"),
        (replace(none, eigenvector=replace(none.eigenvector, coefficients=vector[::-1])), "coefficients"),
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
        discounts_needed(CYCLE, goals, Sparse(2), policy=ONE)
