"""Goal-conditioned Q-learning from interaction alone, in many copies of a world at once.

Every transition updates every goal (hindsight): the rewards and continuations of all goals are known functions of the
state arrived in. The behaviour follows one goal in each copy, greedily but for a share of random actions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from tabular_inversion import storage
from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import FileFormatError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.learning.simulator import Simulator
from tabular_inversion.validation import check_discount

KIND = "q-learner"
_TABLES = ("_values", "_shown", "_state_values", "_states", "_pursued", "_ages", "visits")


@checked
@dataclass(frozen=True)
class LearningSettings:
    """How a learner behaves and learns.

    Attributes
    ----------
    environments : int
        How many copies of the world are stepped at once.
    exploration : float
        The share of random actions, in [0, 1].
    episode_length : int
        Steps after which a copy starts anew, if its goal has not ended the episode before.
    step_scale : float, optional
        The n-th visit of a row moves its values by the share ``1 / (1 + step_scale * (n - 1))``. When omitted,
        ``1 - discount``: this rescaled linear step size forgets its start as fast as the discount allows, where 1 / n
        would need exp(1 / (1 - discount)) visits (Wainwright 2019). 0 replaces the values, which is right for
        deterministic worlds.
    averaging : float
        How strongly the values that the agent shows, an average over all steps, favour late ones: step t has a weight
        that grows like ``t ** averaging`` (Polyak and Ruppert; Shamir and Zhang 2013).

    Raises
    ------
    InputError
        If a number is out of its range.

    Examples
    --------
    >>> LearningSettings(step_scale=0.0).environments
    256
    """

    environments: int = 256
    exploration: float = 0.5
    episode_length: int = 100
    step_scale: float | None = None
    averaging: float = 3.0

    def __post_init__(self) -> None:
        for name in ("environments", "episode_length"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name} is {value!r}; expected an integer of at least 1.")
        for name, most in (("exploration", 1.0), ("step_scale", np.inf), ("averaging", np.inf)):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and 0.0 <= value <= most):
                raise InputError(f"{name} is {value}; expected a finite number from 0 to {most:g}.")


@checked
class QLearner:
    """A learner that sees transitions, and nothing else of its world.

    Parameters
    ----------
    simulator : Simulator
        What it acts in.
    goals : Goals
        What it learns, all at once; without action rewards.
    discount : float
        In [0, 1].
    settings : LearningSettings, optional
        How.
    seed : int
        The same seed learns the same values, however the steps are divided over calls of `run`.

    Attributes
    ----------
    steps : int
        Transitions seen so far.
    visits : numpy.ndarray of int, shape (S, A)
        How often each row was tried.

    Raises
    ------
    ShapeError
        If goals and world differ in their states.
    InputError
        If the goals have action rewards.
    DiscountError
        If the discount is outside [0, 1].

    Examples
    --------
    >>> from tabular_inversion import Deterministic, Goals, identify
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("deterministic")
    >>> learner = QLearner(Simulator(world), Goals.generic(68, 1, seed=0), world.discount, seed=0)
    >>> learner.run(100_000)
    >>> learner.steps, bool((learner.visits > 0).all())
    (100096, True)
    >>> learner.agent
    AgentValues(n_goals=1, n_states=68, n_actions=4, discount=0.99, operator='max')
    """

    def __init__(
        self,
        simulator: Simulator,
        goals: Goals,
        discount: float,
        *,
        settings: LearningSettings | None = None,
        seed: int = 0,
    ) -> None:
        if goals.n_states != simulator.n_states:
            raise ShapeError(f"the goals are on {goals.n_states} states and the world has {simulator.n_states}.")
        if goals.action_rewards is not None:
            raise InputError("the goals have action rewards; the learner is rewarded on arrival only: leave them out.")
        self.simulator = simulator
        self.goals = goals
        self.discount = check_discount(discount)
        self.settings = settings or LearningSettings()
        self.steps = 0
        self.visits: IntArray = np.zeros(simulator.available.shape, dtype=np.int64)
        self._rng = np.random.default_rng(seed)
        count, n_goals = self.settings.environments, goals.n_goals
        shape = (*simulator.available.shape, n_goals)
        # Goals last: one visit then changes a contiguous piece.
        self._values: FloatArray = np.where(simulator.available[:, :, None], np.zeros(shape), -np.inf)
        self._shown: FloatArray = self._values.copy()
        self._state_values: FloatArray = np.zeros((simulator.n_states, n_goals))
        self._states: IntArray = self._rng.integers(simulator.n_states, size=count)
        self._pursued: IntArray = self._rng.integers(n_goals, size=count)
        self._ages: IntArray = self._rng.integers(self.settings.episode_length, size=count)

    @property
    def agent(self) -> AgentValues:
        """What the learner shows: its averaged values, NaN where an action is unavailable, and the operator max."""
        shown = np.where(self.simulator.available[..., None], self._shown, np.nan)
        q = np.ascontiguousarray(np.moveaxis(shown, 2, 0))
        return AgentValues(q, self.goals, self.discount, available=self.simulator.available)

    def run(self, steps: int, *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        """Take at least so many more steps: a whole number of rounds, in each of which every copy takes one.

        Parameters
        ----------
        steps : int
            At least 1.
        progress : callable
            Called now and then with the steps done and the steps wanted.

        Raises
        ------
        InputError
            If `steps` is less than 1.
        """
        if steps < 1:
            raise InputError(f"steps is {steps}; expected an integer of at least 1.")
        rounds = -(-steps // self.settings.environments)
        for done in range(rounds):
            self._learn(*self._act())
            if done % 1024 == 0:
                progress(done * self.settings.environments, steps)
        progress(steps, steps)

    def _act(self) -> tuple[IntArray, IntArray, IntArray]:
        """Let every copy act once, and start anew where an episode ended."""
        states, settings, rng = self._states, self.settings, self._rng
        actions = self._values[states, :, self._pursued].argmax(axis=1)
        explores = np.flatnonzero(rng.random(len(states)) < settings.exploration)
        actions[explores] = self._random_actions(states[explores])
        arrived = self.simulator.step(states, actions, seed=rng)
        self._ages += 1
        ends = (self.goals.continuation[self._pursued, arrived] == 0) | (self._ages >= settings.episode_length)
        anew = np.flatnonzero(ends)
        self._states = arrived.copy()
        self._states[anew] = rng.integers(self.simulator.n_states, size=len(anew))
        self._pursued[anew] = rng.integers(self.goals.n_goals, size=len(anew))
        self._ages[anew] = 0
        return states, actions, arrived

    def _random_actions(self, states: IntArray) -> IntArray:
        """Draw available actions, all equally likely: the largest of as many random keys."""
        keys = self._rng.random((len(states), self.simulator.n_actions))
        return np.asarray(np.where(self.simulator.available[states], keys, -1.0).argmax(axis=1))

    def _learn(self, states: IntArray, actions: IntArray, arrived: IntArray) -> None:
        """Move the values of the rows visited towards the mean of what followed, for all goals."""
        follow = self.goals.rewards.T[arrived] + self.discount * (
            self.goals.continuation.T[arrived] * self._state_values[arrived]
        )
        rows = states * self.simulator.n_actions + actions
        order = np.argsort(rows, kind="stable")
        starts = np.flatnonzero(np.diff(rows[order], prepend=-1))
        visited = rows[order][starts]
        times = np.diff(starts, append=len(rows))
        mean = np.add.reduceat(follow[order], starts, axis=0) / times[:, None]
        visits, values = self.visits.reshape(-1), self._values.reshape(-1, self.goals.n_goals)
        visits[visited] += times
        # As many small steps towards one mean as there were visits.
        scale = 1.0 - self.discount if self.settings.step_scale is None else self.settings.step_scale
        share = 1.0 - (1.0 - 1.0 / (1.0 + scale * (visits[visited] - 1))) ** times
        values[visited] += share[:, None] * (mean - values[visited])
        changed = np.unique(visited // self.simulator.n_actions)
        self._state_values[changed] = self._values[changed].max(axis=1)
        self.steps += len(rows)
        power = self.settings.averaging
        weight = (1.0 + power) / (self.steps / len(rows) + power)
        with np.errstate(invalid="ignore"):  # unavailable actions stay at minus infinity
            self._shown += weight * np.where(np.isfinite(self._values), self._values - self._shown, 0.0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that is needed to go on later, to a ``.npz`` file, whole or not at all.

        Raises
        ------
        FileFormatError
            If the file cannot be written.
        """
        arrays = {name.strip("_"): getattr(self, name) for name in _TABLES}
        goals = {"rewards": self.goals.rewards, "continuation": self.goals.continuation}
        state = {
            "steps": self.steps,
            "discount": self.discount,
            "settings": asdict(self.settings),
            "generator": self._rng.bit_generator.state,
        }
        storage.write(path, KIND, arrays | goals, state)

    @classmethod
    def load(cls, path: str | os.PathLike[str], simulator: Simulator, goals: Goals) -> QLearner:
        """Read what `save` wrote; the learner then goes on as if it had never stopped.

        Parameters
        ----------
        path : path-like
            The file.
        simulator : Simulator
            The same world.
        goals : Goals
            The same goals.

        Raises
        ------
        FileFormatError
            If the file is damaged or of another kind, or belongs to other goals or another world.
        """
        arrays, state = storage.read(path, KIND)
        with storage.content_of(path):
            same = np.array_equal(arrays["rewards"], goals.rewards) and np.array_equal(
                arrays["continuation"], goals.continuation
            )
            if not same or arrays["visits"].shape != simulator.available.shape:
                raise FileFormatError(f"{path} belongs to other goals or another world; give those it was saved with.")
            learner = cls(simulator, goals, state["discount"], settings=LearningSettings(**state["settings"]))
            for name in _TABLES:
                setattr(learner, name, arrays[name.strip("_")])
            learner.steps = int(state["steps"])
            learner._rng.bit_generator.state = state["generator"]
        return learner


@checked
def learning_curve(
    learner: QLearner,
    steps: Sequence[int],
    measures: Mapping[str, Callable[[AgentValues], float]],
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, FloatArray]:
    """Let a learner go on, and measure what it shows on the way.

    Parameters
    ----------
    learner : QLearner
        New, or loaded; what it has done already counts.
    steps : sequence of int
        At which numbers of transitions to measure, ascending; those already passed are left out.
    measures : mapping of str to callable
        What to measure of the agent.
    checkpoint : path-like, optional
        Where to save the learner after each measurement.
    progress : callable
        Called with the steps done and the last number wanted.

    Returns
    -------
    dict of str to numpy.ndarray
        ``steps``, as they were, and a series for each measure.

    Raises
    ------
    InputError
        If the steps do not ascend.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import chain
    >>> world, goals = chain(4), Goals.indicator(4)
    >>> optimal = solve(world, goals).q
    >>> learner = QLearner(Simulator(world), goals, world.discount, seed=0)
    >>> curve = learning_curve(learner, [1000, 40_000], {"error": lambda agent: np.abs(agent.q - optimal).max()})
    >>> curve["steps"], bool(curve["error"][1] < curve["error"][0])
    (array([ 1024., 40192.]), True)
    """
    if any(later <= before for before, later in pairwise(steps)):
        raise InputError(f"steps are {list(steps)}; expected numbers that ascend.")
    rows: list[list[float]] = []
    for target in steps:
        if target <= learner.steps:
            continue
        before = learner.steps
        learner.run(target - before, progress=partial(_further, progress, before, steps[-1]))
        agent = learner.agent
        rows.append([float(learner.steps), *(measure(agent) for measure in measures.values())])
        if checkpoint is not None:
            learner.save(checkpoint)
    table = np.array(rows, dtype=float).reshape(len(rows), 1 + len(measures))
    return dict(zip(("steps", *measures), table.T, strict=True))


def _further(progress: Callable[[int, int], None], before: int, last: int, done: int, _total: int) -> None:
    progress(before + done, last)
