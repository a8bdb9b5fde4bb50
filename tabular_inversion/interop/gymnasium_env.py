"""A world as an environment that gymnasium's own tools accept, and environments without a table, read by stepping."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, MissingDependencyError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import Entries, assemble
from tabular_inversion.interop.gymnasium_tables import to_gymnasium_table
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.observed.stepping import Walk, walk
from tabular_inversion.validation import check_distributions


@checked
def to_gymnasium(mdp: MDP, goals: Goals | None = None, goal: int = 0, *, start: ArrayLike | None = None) -> Any:
    """Return a world and one of its goals as a `gymnasium.Env` with observations and actions 0, 1, 2, ...

    Parameters
    ----------
    mdp : MDP
        The world.
    goals : Goals, optional
        Where rewards and ends come from; rewards are 0 and nothing ends when omitted.
    goal : int
        Which of the goals; its continuation is 0 or 1 everywhere.
    start : array_like, shape (S,), optional
        The distribution of the first state; uniform when omitted.

    Returns
    -------
    gymnasium.Env
        With the table ``P`` and ``initial_state_distrib``, so that `from_gymnasium` reads it back. A step that chooses
        an unavailable action raises; ``info["action_mask"]`` tells which are available.

    Raises
    ------
    MissingDependencyError
        If gymnasium is not installed.
    GoalsError, ShapeError
        If the goal does not fit, or ends in part.

    Examples
    --------
    >>> mdp = MDP([[[0.0, 1.0]], [[0.0, 1.0]]], discount=0.9)
    >>> environment = to_gymnasium(mdp, Goals.indicator(2, [1]), start=[1, 0])
    >>> environment.reset(seed=0)[0], environment.step(0)[:3]
    (0, (1, 1.0, True))
    """
    try:
        import gymnasium
    except ImportError as problem:
        raise MissingDependencyError("gymnasium is not installed; install it with: pip install gymnasium.") from problem
    table = to_gymnasium_table(mdp, goals, goal)
    first = np.full(mdp.n_states, 1.0 / mdp.n_states) if start is None else np.asarray(start, dtype=np.float64)
    if first.shape != (mdp.n_states,):
        raise ShapeError(f"start has shape {first.shape}; expected ({mdp.n_states},).")
    check_distributions("start", first[None], None, "(1, s)", InputError)
    mask = mdp.available.astype(np.int8)

    class World(gymnasium.Env[Any, Any]):
        """The environment; a class of its own so that gymnasium is needed only where it is asked for."""

        metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # gymnasium's own declaration

        def __init__(self) -> None:
            self.observation_space = gymnasium.spaces.Discrete(mdp.n_states)
            self.action_space = gymnasium.spaces.Discrete(mdp.n_actions)
            self.P = table
            self.initial_state_distrib = first
            self.state_names, self.action_names, self.coordinates = mdp.state_names, mdp.action_names, mdp.coordinates
            self.s = 0

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[int, dict[str, Any]]:
            super().reset(seed=seed, options=options)
            self.s = int(self.np_random.choice(mdp.n_states, p=first))
            return self.s, {"action_mask": mask[self.s].copy()}

        def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
            outcomes = self.P[self.s].get(int(action))
            if outcomes is None:
                raise InputError(f"action {action} is unavailable in state {mdp.state_name(self.s)}.")
            chosen = self.np_random.choice(len(outcomes), p=np.array([outcome[0] for outcome in outcomes]))
            p, self.s, reward, terminated = outcomes[int(chosen)]
            return self.s, reward, terminated, False, {"prob": p, "action_mask": mask[self.s].copy()}

    return World()


@checked
def enumerate_environment(
    environment: Any,
    *,
    discount: float,
    key: Callable[[Any], Hashable] | None = None,
    samples: int = 1,
    max_states: int = 10_000,
    starts: int = 1,
    seed: int = 0,
) -> tuple[Environment, FloatArray]:
    """Read a small environment that has no table, with its own task and the counts: `MDP.enumerate` gives the world.

    Parameters
    ----------
    environment : gymnasium.Env
        With a discrete action space, copyable by `copy.deepcopy`.
    discount : float
        In [0, 1].
    key : callable, optional
        Turns an observation into a hashable label of the state; by default numbers stay, arrays become tuples. The
        observation has to tell states apart: partial observations give a world that is not the environment's.
    samples : int
        How often each action is tried in each state. 1 is right for deterministic steps only; probabilities are
        relative frequencies, off by about ``sqrt(p (1 - p) / samples)``.
    max_states : int
        More states than this are refused.
    starts : int
        How many resets, with seeds `seed`, `seed + 1`, ...
    seed : int
        Of everything that is drawn.

    Returns
    -------
    environment : Environment
        The states in the order in which they were met, named by their labels; a terminal state stays.
    counts : numpy.ndarray, shape (S, A, S)
        What was seen, for `Supported.from_counts`.

    Raises
    ------
    InputError
        If the action space is not discrete, a number is out of range, or there are more states than allowed.

    Examples
    --------
    >>> import gymnasium
    >>> lake = gymnasium.make("FrozenLake-v1", is_slippery=False)
    >>> world, counts = enumerate_environment(lake, discount=0.9)
    >>> world.mdp.n_states, world.mdp.is_deterministic
    (16, True)
    """
    found = walk(environment, key=key, samples=samples, max_states=max_states, starts=starts, seed=seed)
    return _world(found, samples, discount), found.counts(staying=False)


def _world(found: Walk, samples: int, discount: float) -> Environment:
    n, n_actions = len(found.labels), found.n_actions
    state, action, arrival = found.steps
    # An end is read off the state, as goals do; the reward of an outcome is the mean over its samples.
    staying = np.repeat(np.array(sorted(found.ended), dtype=np.intp), n_actions)
    actions = np.arange(len(staying)) % n_actions
    entries = Entries(
        np.concatenate([state, staying]),
        np.concatenate([action, actions]),
        np.concatenate([arrival, staying]),
        np.concatenate([np.full(len(state), 1.0 / samples), np.ones(len(staying))]),
        np.concatenate([[each[3] for each in found.outcomes], np.zeros(len(staying))]),
        np.concatenate([[each[4] for each in found.outcomes], np.ones(len(staying), bool)]).astype(bool),
    )
    return assemble("enumerated", entries, discount=discount, n_states=n, n_actions=n_actions, state_names=found.names)
