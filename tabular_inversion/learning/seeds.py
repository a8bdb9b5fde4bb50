"""Many learners of one world at once, one for each seed: for studies of what varies from seed to seed."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.learning.fitted import fitted_values
from tabular_inversion.learning.simulator import Simulator
from tabular_inversion.policies import uniform
from tabular_inversion.validation import check_discount

Rule = Literal["q-learning", "sarsa", "fitted-q"]


@checked
class SeedBatch:
    """Learners that differ in their draws alone; each has data of its own.

    In a round every learner tries one action in every state, drawn uniformly, and updates all goals with what followed.

    Parameters
    ----------
    simulator : Simulator
        What they act in.
    goals : Goals
        What they learn; without action rewards.
    discount : float
        In [0, 1).
    rule : {"q-learning", "sarsa", "fitted-q"}
        Q-learning (optimal values), SARSA (values of the uniform policy that acts), or the fixed point of Q-iteration
        on all transitions so far (optimal values). The first two show averages of late values, as `QLearner` does.
    learners : int
        How many.
    seed : int or sequence of int
        Where the randomness comes from.

    Attributes
    ----------
    visits : numpy.ndarray of int, shape (learners, S, A)
        How often each row was tried.
    counts : numpy.ndarray of int, shape (learners, S, A, S)
        What followed.

    Raises
    ------
    InputError
        If a rule is unknown, goals have action rewards, or there is no learner.
    ShapeError
        If goals and world differ in their states.

    Examples
    --------
    >>> from tabular_inversion import Goals
    >>> from tabular_inversion.environments import river_swim
    >>> world = river_swim(3)
    >>> batch = SeedBatch(Simulator(world), Goals.indicator(3), 0.9, rule="sarsa", learners=4, seed=0)
    >>> batch.run(50)
    >>> len(batch.agents), int(batch.visits[0].sum())
    (4, 150)
    """

    def __init__(
        self,
        simulator: Simulator,
        goals: Goals,
        discount: float,
        *,
        rule: Rule = "q-learning",
        learners: int = 10,
        seed: int | list[int] = 0,
    ) -> None:
        if rule not in get_args(Rule):
            raise InputError(f"rule is {rule!r}; expected one of {', '.join(get_args(Rule))}.")
        if goals.n_states != simulator.n_states:
            raise ShapeError(f"the goals are on {goals.n_states} states and the world has {simulator.n_states}.")
        if goals.action_rewards is not None:
            raise InputError("the goals have action rewards; learners are rewarded on arrival only: leave them out.")
        if learners < 1:
            raise InputError(f"learners is {learners}; expected an integer of at least 1.")
        self.simulator, self.goals, self.rule = simulator, goals, rule
        self.discount = check_discount(discount)
        self.rounds = 0
        shape = (learners, *simulator.available.shape)
        self.visits: IntArray = np.zeros(shape, np.int64)
        self.counts: IntArray = np.zeros((*shape, simulator.n_states), np.int64)
        self._rng = np.random.default_rng(seed)
        values = np.zeros((*shape, goals.n_goals)) if rule != "fitted-q" else np.zeros(0)
        self._values: FloatArray = values
        self._shown: FloatArray = values.copy()

    def run(self, rounds: int) -> None:
        """Take so many rounds more.

        Parameters
        ----------
        rounds : int
            At least 1.
        """
        if rounds < 1:
            raise InputError(f"rounds is {rounds}; expected an integer of at least 1.")
        for _ in range(rounds):
            self._round()
        self.rounds += rounds

    def _actions(self) -> IntArray:
        """Draw an available action for each learner and state, all equally likely: the largest of random keys."""
        keys = self._rng.random(self.visits.shape)
        return np.asarray(np.where(self.simulator.available, keys, -1.0).argmax(axis=2))

    def _round(self) -> None:
        learners, n = self.visits.shape[:2]
        who, where = np.arange(learners)[:, None], np.arange(n)[None]
        actions = self._actions()
        states = np.broadcast_to(where, actions.shape)
        arrived = self.simulator.step(states.ravel(), actions.ravel(), seed=self._rng).reshape(actions.shape)
        self.visits[who, where, actions] += 1
        self.counts[who, where, actions, arrived] += 1
        if self.rule == "fitted-q":
            return
        if self.rule == "sarsa":
            follows = self._values[who, arrived, self._actions()[who, arrived]]
        else:
            values = np.where(self.simulator.available[:, :, None], self._values, -np.inf)
            follows = values.max(axis=2)[who, arrived]
        target = self.goals.rewards.T[arrived] + self.discount * self.goals.continuation.T[arrived] * follows
        times = self.visits[who, where, actions][:, :, None]
        own = self._values[who, where, actions]
        own = own + (target - own) / (1.0 + (1.0 - self.discount) * (times - 1.0))
        self._values[who, where, actions] = own
        shown = self._shown[who, where, actions]
        self._shown[who, where, actions] = shown + 4.0 / (times + 3.0) * (own - shown)

    @property
    def agents(self) -> list[AgentValues]:
        """What each learner shows."""
        available, policy = self.simulator.available, None
        if self.rule == "fitted-q":
            q = fitted_values(self.counts, self.goals, discount=self.discount, available=available)
        else:
            q = np.moveaxis(np.where(available[:, :, None], self._shown, np.nan), 3, 1)
            policy = uniform(available) if self.rule == "sarsa" else None
        return [AgentValues(own, self.goals, self.discount, policy, available=available) for own in q]
