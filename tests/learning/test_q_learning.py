"""Learners against exact values, repeated, interrupted, and given nonsense."""

import numpy as np
import pytest

from tabular_inversion import MDP, Deterministic, Goals, Status, Stochastic, identify, invert, solve
from tabular_inversion.environments import chain, four_rooms, random_mdp
from tabular_inversion.errors import FileAccessError, FileFormatError, InputError, ShapeError
from tabular_inversion.learning import LearningSettings, QLearner, Simulator, learning_curve


def learner_of(mdp, goals, **kwargs):
    return QLearner(Simulator(mdp), goals, mdp.discount, **kwargs)


@pytest.mark.parametrize("sparse", [False, True])
def test_the_simulator_draws_from_the_kernel(sparse):
    mdp = random_mdp(5, 2, branching=3, seed=0)
    simulator = Simulator(mdp.sparse() if sparse else mdp)
    count = 20_000
    rng = np.random.default_rng(1)
    for state, action in [(0, 0), (3, 1)]:
        arrived = simulator.step(np.full(count, state), np.full(count, action), seed=rng)
        share = np.bincount(arrived, minlength=5) / count
        expected = mdp.dense().kernel[state, action]
        assert (share[expected == 0] == 0).all()
        # five standard deviations of a share
        np.testing.assert_allclose(share, expected, atol=5 * 0.5 / np.sqrt(count))


def test_the_simulator_refuses_actions_that_do_not_exist():
    kernel = np.zeros((2, 2, 2))
    kernel[:, 0, 1] = 1
    mdp = MDP(kernel, 0.5, np.array([[True, False], [True, False]]))
    with pytest.raises(InputError, match="copy 1 is in state 1 and takes action 1"):
        Simulator(mdp).step(np.array([0, 1]), np.array([0, 1]), seed=0)


def test_deterministic_worlds_are_learned_to_rounding_and_inverted_exactly():
    mdp = four_rooms("deterministic")
    goals = Goals.indicator(68)
    learner = learner_of(mdp, goals, settings=LearningSettings(step_scale=0.0, averaging=50.0))
    learner.run(400_000)
    np.testing.assert_allclose(learner.agent.q, solve(mdp, goals).q, atol=1e-9)
    assert invert(learner.agent, Stochastic()).max_error(mdp) < 1e-6


def test_one_generic_goal_gives_a_deterministic_world():
    mdp = four_rooms("deterministic")
    learner = learner_of(mdp, Goals.generic(68, 1, seed=0), settings=LearningSettings(step_scale=0.0, averaging=50.0))
    learner.run(800_000)
    assert invert(learner.agent, Deterministic()).max_error(mdp) == 0


def test_the_error_falls_with_the_steps_on_average_and_reaches_the_noise():
    mdp = random_mdp(6, 2, discount=0.8, seed=3)
    goals = Goals.indicator(6)
    optimal = solve(mdp, goals).q
    curves = [
        learning_curve(learner_of(mdp, goals, seed=seed), [5_000, 50_000, 500_000],
                       {"error": lambda agent: float(np.abs(agent.q - optimal).max())})
        for seed in range(3)
    ]  # fmt: skip
    error = np.mean([curve["error"] for curve in curves], axis=0)
    assert (np.diff(error) < 0).all()
    assert error[-1] < 0.01


def test_unavailable_actions_are_never_tried_and_shown_as_nan():
    mdp = random_mdp(5, 3, discount=0.7, seed=5)
    available = np.ones((5, 3), bool)
    available[1, 2] = available[4, :2] = False
    kernel = np.where(available[:, :, None], mdp.kernel, 0.0)
    world = MDP(kernel, 0.7, available)
    learner = learner_of(world, Goals.indicator(5), seed=1)
    learner.run(50_000)
    assert (learner.visits[~available] == 0).all()
    assert (learner.visits[available] > 0).all()
    np.testing.assert_array_equal(np.isnan(learner.agent.q), np.broadcast_to(~available, (5, 5, 3)))


def test_the_same_seed_learns_the_same_however_the_steps_are_divided():
    mdp, goals = chain(6), Goals.indicator(6)
    whole, parts, other = (learner_of(mdp, goals, seed=seed) for seed in (4, 4, 5))
    whole.run(25_600)
    for _ in range(10):
        parts.run(2560)
    other.run(25_600)
    np.testing.assert_array_equal(whole.agent.q, parts.agent.q)
    assert not np.array_equal(whole.agent.q, other.agent.q)


def test_a_stopped_learner_goes_on_as_if_it_had_not_stopped(tmp_path):
    mdp, goals = random_mdp(6, 2, discount=0.9, seed=0), Goals.indicator(6)
    file = tmp_path / "learner.npz"
    whole, first = learner_of(mdp, goals, seed=4), learner_of(mdp, goals, seed=4)
    measures = {"size": lambda agent: float(agent.q.sum())}
    expected = learning_curve(whole, [5_120, 10_240], measures)
    learning_curve(first, [5_120], measures, checkpoint=file)
    again = QLearner.load(file, Simulator(mdp), goals)
    rest = learning_curve(again, [5_120, 10_240], measures)
    assert rest["steps"].tolist() == [10_240]
    assert rest["size"][0] == expected["size"][1]
    np.testing.assert_array_equal(again.agent.q, whole.agent.q)
    np.testing.assert_array_equal(again.visits, whole.visits)


def test_checkpoints_of_others_and_damaged_ones_are_refused(tmp_path):
    mdp, goals = chain(4), Goals.indicator(4)
    file = tmp_path / "learner.npz"
    learner = learner_of(mdp, goals)
    learner.run(256)
    learner.save(file)
    with pytest.raises(FileFormatError, match="other goals"):
        QLearner.load(file, Simulator(mdp), Goals.indicator(4, terminating=False))
    with pytest.raises(FileFormatError, match="other goals or another world"):
        QLearner.load(file, Simulator(chain(5)), Goals.indicator(5))
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(FileFormatError):
        QLearner.load(file, Simulator(mdp), goals)
    with pytest.raises(FileAccessError, match="No such file"):
        learner.save(tmp_path / "nowhere" / "learner.npz")


def test_progress_ends_at_the_whole():
    seen = []
    learner_of(chain(3), Goals.indicator(3)).run(1000, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1000, 1000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"environments": 0}, "environments is 0"),
        ({"environments": 2.5}, "environments is 2.5"),
        ({"episode_length": -1}, "episode_length is -1"),
        ({"exploration": 1.5}, "exploration is 1.5"),
        ({"exploration": float("nan")}, "exploration is nan"),
        ({"step_scale": -1.0}, "step_scale is -1"),
        ({"averaging": float("inf")}, "averaging is inf"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        LearningSettings(**change)


def test_goals_and_steps_that_do_not_fit_are_refused():
    mdp = chain(4)
    with pytest.raises(ShapeError, match="3 states and the world has 4"):
        learner_of(mdp, Goals.indicator(3))
    with pytest.raises(InputError, match="action rewards"):
        learner_of(mdp, Goals(np.ones((1, 4)), action_rewards=np.ones((1, 4, 2))))
    with pytest.raises(InputError, match="steps is 0"):
        learner_of(mdp, Goals.indicator(4)).run(0)
    with pytest.raises(InputError, match="ascend"):
        learning_curve(learner_of(mdp, Goals.indicator(4)), [10, 10], {})
    with pytest.raises(InputError, match=r"discount is 1\.5"):
        QLearner(Simulator(mdp), Goals.indicator(4), 1.5)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "published"), [("windy", None), ("teleport", 0.00015)])
def test_ten_million_steps_beat_the_published_error(variant, published):
    mdp = four_rooms(variant)
    learner = learner_of(mdp, Goals.indicator(68), seed=0)
    learner.run(10_000_000)
    result = invert(learner.agent, Stochastic())
    assert result.mse(mdp) < (published or 1e-5)
    exact = solve(mdp, learner.goals)
    assert identify(exact, Stochastic()).status is Status.IDENTIFIED
