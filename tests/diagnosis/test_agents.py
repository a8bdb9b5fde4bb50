"""Agents that no code of ours made, whose right verdict is known."""

from collections.abc import Iterator

import numpy as np
import pytest

from tabular_inversion import AgentValues, Goals, Stochastic, Supported, identify
from tabular_inversion.diagnosis import diagnose
from tabular_inversion.identifiability import Status

SIDE, DISCOUNT = 3, 0.9
N, ACTIONS = SIDE * SIDE, 4
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
TABLE = np.array(
    [
        [min(max(s // SIDE + dy, 0), SIDE - 1) * SIDE + min(max(s % SIDE + dx, 0), SIDE - 1) for dy, dx in MOVES]
        for s in range(N)
    ]
)
"""The next state of a grid without obstacles: bumping into the border is staying."""
ENDING, GOING_ON = Goals.indicator(N), Goals.indicator(N, terminating=False)

Values = np.ndarray


def episodes(
    rng: np.random.Generator, *, stop_at_goal: bool, steps: int = 60_000
) -> Iterator[tuple[int, int, int, int]]:
    """Yield (goal, state, action, next state) of random episodes of at most 30 steps."""
    goal, state = 0, 0
    for step in range(steps):
        if step % 30 == 0 or (stop_at_goal and state == goal):
            goal, state = int(rng.integers(N)), int(rng.integers(N))
            while state == goal:
                state = int(rng.integers(N))
        action = int(rng.integers(ACTIONS))
        yield goal, state, action, int(TABLE[state, action])
        state = int(TABLE[state, action])


def q_learner(*, rate: float = 1.0, stop_at_goal: bool = True) -> Values:
    """Q-learning on the goal of each episode; in a world without chance the rate may be one."""
    q = np.zeros((N, N, ACTIONS))
    for goal, state, action, after in episodes(np.random.default_rng(0), stop_at_goal=stop_at_goal):
        aim = 1.0 if after == goal else DISCOUNT * q[goal, after].max()
        q[goal, state, action] += rate * (aim - q[goal, state, action])
    return q


def hindsight_learner() -> Values:
    """Relabel each step with every goal (HER with all states as goals achieved)."""
    q = np.zeros((N, N, ACTIONS))
    for _, state, action, after in episodes(np.random.default_rng(1), stop_at_goal=False, steps=15_000):
        aim = DISCOUNT * q[:, after].max(axis=1)
        aim[after] = 1.0
        q[:, state, action] = aim
    return q


def on_policy_learner(*, epsilon: float, expected: bool) -> Values:
    """SARSA, or expected SARSA, of an epsilon-greedy policy, from every state and action at once; goals end nothing."""
    rng = np.random.default_rng(2)
    arrived = np.arange(N)[:, None, None] == TABLE
    q = np.zeros((N, N, ACTIONS))
    for sweep in range(300 if expected else 10_000):
        rate = 1.0 if expected else 1.0 / (1.0 + sweep / 30.0)
        if expected:
            value = (1 - epsilon) * q.max(axis=2)[:, TABLE] + epsilon * q.mean(axis=2)[:, TABLE]
        else:
            explored = rng.random(q.shape) < epsilon
            chosen = np.where(explored, rng.integers(ACTIONS, size=q.shape), q.argmax(axis=2)[:, TABLE])
            value = np.take_along_axis(q[:, TABLE], chosen[..., None], axis=3)[..., 0]
        q = q + rate * (arrived + DISCOUNT * value - q)
    return q


def successor_representation() -> Values:
    """Q of every goal from the discounted visits of a uniformly random walk."""
    walk = np.zeros((N, N))
    for state, action in np.ndindex(N, ACTIONS):
        walk[state, TABLE[state, action]] += 1 / ACTIONS
    visits = np.linalg.inv(np.eye(N) - DISCOUNT * walk)
    return visits[TABLE].transpose(2, 0, 1).copy()


def truncated_learner(share: float) -> Values:
    """Learn from a buffer in which a share of all steps is marked as done because the time was up."""
    q = np.zeros((N, N, ACTIONS))
    for _ in range(400):
        q = (np.arange(N)[:, None, None] == TABLE) + DISCOUNT * (1 - share) * q.max(axis=2)[:, TABLE]
    return q


def best_of(q: Values, goals: Goals, **options: float) -> str | None:
    found = diagnose(AgentValues(q, goals, DISCOUNT), Stochastic(), **options)
    return found.best.text if found.best is not None else None


def test_a_q_learner_of_episodes_never_learns_what_to_do_at_its_goal() -> None:
    agent = AgentValues(q_learner(), ENDING, DISCOUNT)
    assert identify(agent, Stochastic()).status is Status.INCONSISTENT
    found = diagnose(agent, Stochastic())
    assert found.best is not None
    assert found.best.name == "untrained goal states"
    assert found.best.change == "AgentValues.episodic(q, goals, discount)"


def test_hindsight_learns_all_and_determines_the_world() -> None:
    agent = AgentValues(hindsight_learner(), ENDING, DISCOUNT)
    verdict = identify(agent, Stochastic())
    assert verdict.status is Status.IDENTIFIED
    assert diagnose(agent, Stochastic()).consistent


def test_expected_sarsa_shows_its_epsilon() -> None:
    text = best_of(on_policy_learner(epsilon=0.3, expected=True), GOING_ON)
    assert text == "states are valued by the epsilon-greedy policy with epsilon 0.3"


def test_sarsa_shows_its_epsilon_up_to_its_noise() -> None:
    q = on_policy_learner(epsilon=0.3, expected=False)
    settled = on_policy_learner(epsilon=0.3, expected=True)
    noise = float(np.abs(q - settled).max())
    found = diagnose(AgentValues(q, GOING_ON, DISCOUNT), Supported(np.eye(N)[TABLE]), noise=noise)
    assert not found.consistent
    fitting = {each.name: each.text for each in found.fitting}
    epsilon = float(fitting["another value operator"].rpartition(" ")[2])
    assert epsilon == pytest.approx(0.3, abs=0.1)


def test_a_successor_representation_is_that_of_a_policy() -> None:
    text = best_of(successor_representation(), GOING_ON)
    assert text == "states are valued by the epsilon-greedy policy with epsilon 1"


def test_truncation_learnt_as_termination_is_another_discount() -> None:
    text = best_of(truncated_learner(0.05), GOING_ON)
    assert text is not None
    assert text.startswith("the discount is 0.855, not 0.9 (or a share of 0.05 of steps")


def test_success_learnt_as_termination() -> None:
    text = best_of(hindsight_learner(), GOING_ON)
    assert text is not None
    assert "truncation taken for termination" in text


@pytest.mark.parametrize("iterations", [4, 12])
def test_pymdptoolbox_stopped_early(iterations: int) -> None:
    mdp = pytest.importorskip("mdptoolbox.mdp")
    kernel = np.eye(N)[TABLE]
    transitions = kernel.transpose(1, 0, 2)
    goals = Goals.indicator(N, [4], terminating=False).join(Goals.generic(N, 7, seed=0))
    q = np.zeros((len(goals), N, ACTIONS))
    last = []
    for goal, reward in enumerate(goals.rewards):
        paid = kernel @ reward
        run = mdp.ValueIteration(transitions, paid, DISCOUNT, epsilon=1e-12, max_iter=iterations)
        run.max_iter = iterations
        run.run()
        last.append(run.iter + 1)
        q[goal] = paid + DISCOUNT * kernel @ np.array(run.V)
    found = diagnose(AgentValues(q, goals, DISCOUNT), Supported(kernel + 0.25 * np.eye(N)[:, None, :]))
    assert found.best is not None
    assert found.best.name == "unconverged sweeps"
    few, many = min(last), max(last)
    assert (f"after {many} sweeps" if few == many else f"after {few} to {many} sweeps") in found.best.text
