"""Average reward against the limit of discounts; lumped worlds against what may and may not be lumped."""

import numpy as np
import pytest

from proofs_checks import instances
from tabular_inversion import Status, Stochastic, exact, identify, invert
from tabular_inversion.errors import GoalsError, KernelError, PolicyError, ShapeError
from tabular_inversion.exact import ExactGoals, ExactMDP

SWAP = ExactMDP([[[0, 1]], [[1, 0]]], 0)
ONE = [[1], [1]]


def test_relative_values_are_the_limit_of_discounted_ones():
    rng = np.random.default_rng(0)
    for _ in range(30):
        n, m = instances.sizes(rng, largest=4)
        world = instances.world(rng, n, m)
        goals, policy = instances.generic_goals(rng, 2, n), instances.policy(rng, n, m)
        found = exact.average_reward(world, goals, policy)
        near = exact.evaluate(ExactMDP(world.kernel, "999999999/1000000000"), goals, policy)
        v = near.v.astype(float)
        np.testing.assert_allclose(v - v[:, :1], found.bias.astype(float), rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(v[:, 0] * 1e-9, found.gain.astype(float), rtol=1e-5, atol=1e-4)
        chain = (policy[:, :, None] * world.kernel).sum(axis=1)
        assert (found.bias + found.gain[:, None] == found.test_matrix @ chain.T).all()


def test_identify_and_invert_take_average_reward_agents():
    """Rank [M;1] = rank [R;1], and where it is full every row comes back."""
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(25):
        n, m = instances.sizes(rng, largest=5)
        world = instances.world(rng, n, m)
        goals, policy = (
            instances.generic_goals(rng, max(1, n - int(rng.integers(1, 3))), n),
            instances.policy(rng, n, m),
        )
        values = exact.average_reward(world, goals, policy)
        agent = values.agent_values()
        assert (agent.test_matrix == values.test_matrix).all()
        assert (agent.right_hand_sides == values.right_hand_sides[:, agent.row_index]).all()
        verdict = identify(agent, Stochastic(), scope="uniform")
        verdict.verify()
        ones = np.concatenate([goals.rewards, exact.fraction_array(np.ones((1, n), int))])
        enough = exact.rank(ones).rank == n
        seen.add(enough)
        assert (verdict.status is Status.IDENTIFIED) == enough
        if enough:
            found = invert(agent.to_float(), Stochastic())
            np.testing.assert_allclose(found.kernel, world.kernel.astype(float), atol=1e-6)
    assert seen == {True, False}
    gap = ExactMDP([[[0, 0], ["1/2", "1/2"]], [[1, 0], [0, 1]]], 0, [[False, True], [True, True]])
    agent = exact.average_reward(gap, ExactGoals([[0, 3]]), [[0, 1], [1, 0]]).agent_values()
    assert agent.available.tolist() == [[False, True], [True, True]]
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED


def test_unavailable_actions_have_no_value_and_wrong_questions_are_refused():
    world = ExactMDP([[[0, 1], [0, 0]], [[1, 0], [0, 1]]], 0, [[True, False], [True, True]])
    values = exact.average_reward(world, ExactGoals([[0, 1]]), [[1, 0], ["1/2", "1/2"]])
    assert values.q[0, 0, 1] == 0
    assert values.right_hand_sides.shape == (1, 4)
    with pytest.raises(GoalsError, match="may end"):
        exact.average_reward(SWAP, ExactGoals([[0, 1]], [[1, 0]]), ONE)
    with pytest.raises(ShapeError, match=r"\(S, A\)"):
        exact.average_reward(SWAP, ExactGoals([[0, 1]]), [ONE])
    with pytest.raises(KernelError, match="several recurrent classes"):
        exact.average_reward(ExactMDP([[[1, 0]], [[0, 1]]], 0), ExactGoals([[0, 1]]), ONE)
    with pytest.raises(PolicyError):
        exact.average_reward(SWAP, ExactGoals([[0, 1]]), [[1], [0]])


def test_lumping_refuses_what_is_not_lumpable():
    world = ExactMDP([[["1/2", "1/4", "1/4"]], [[1, 0, 0]], [[0, 1, 0]]], "1/2")
    with pytest.raises(KernelError, match="states 1 and 2 of block 1"):
        exact.lump(world, [0, 1, 1])
    assert exact.coarsest_lumpable(world, [0, 1, 1]).tolist() == [0, 1, 2]
    assert exact.coarsest_lumpable(world, [7, 7, 7]).tolist() == [0, 0, 0]
    missing = ExactMDP([[[1, 0], [0, 0]], [[1, 0], [1, 0]]], "1/2", [[True, False], [True, True]])
    with pytest.raises(KernelError):
        exact.lump(missing, [0, 0])
    assert exact.coarsest_lumpable(missing, [0, 0]).tolist() == [0, 1]
    for wrong in ([0, 1], [0, 2, 2], [-1, 0, 1], [0.0, 1.0, 1.0]):
        with pytest.raises(ShapeError, match="without a gap"):
            exact.lump(world, wrong)


def test_lumping_by_singletons_changes_nothing_and_twice_is_once():
    rng = np.random.default_rng(1)
    for _ in range(20):
        world = instances.world(rng, 4, 2, branching=1)
        assert exact.lump(world, range(4)) == world
        labels = exact.coarsest_lumpable(world, rng.integers(0, 2, 4))
        small = exact.lump(world, labels)
        again = exact.coarsest_lumpable(small, range(small.n_states))
        assert again.tolist() == list(range(small.n_states))
