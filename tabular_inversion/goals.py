"""Goals (P1, T2d): what each pays on arrival in a state, and whether the episode goes on from there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import GoalsError, ShapeError
from tabular_inversion.kinds import checked
from tabular_inversion.record_files import load_record, save_record
from tabular_inversion.records import ReadOnly, same_if_given
from tabular_inversion.validation import (
    check_indices,
    check_kind,
    check_names,
    check_order,
    check_positive,
    check_seed,
    check_size,
    finite_array,
    locate,
    shortened,
)


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Goals(ReadOnly):
    """Rewards R and continuation C of G goals.

    Parameters
    ----------
    rewards : array_like, shape (G, S)
        R[g, t], the reward on ARRIVAL in state t under goal g; finite.
    continuation : array_like, shape (G, S), optional
        C[g, t] in [0, 1]: 0 where arriving in t ends the episode for goal g. 1 everywhere when omitted.
    action_rewards : array_like, shape (G, S, A), optional
        A further reward rho[g, s, a] for taking action a in s; none when omitted. The Bellman equation is then
        ``M P(s, a) = Q(s, a, .) - rho(s, a, .)``, with M built from the whole Q.
    names : sequence of str, optional
        A name for each goal.

    Raises
    ------
    GoalsError
        If a number is not finite, or a continuation lies outside [0, 1].
    ShapeError
        If shapes do not fit or there is no goal.

    Examples
    --------
    >>> goals = Goals.indicator(3, [2])
    >>> goals.rewards
    array([[0., 0., 1.]])
    >>> goals.continuation
    array([[1., 1., 0.]])
    >>> Goals.generic(3, 2, seed=0)
    Goals(n_goals=2, n_states=3)
    """

    rewards: FloatArray
    continuation: FloatArray = None  # type: ignore[assignment]  # filled in by __post_init__
    action_rewards: FloatArray | None = None
    names: tuple[str, ...] | None = None

    if TYPE_CHECKING:  # what the constructor takes is more than what the fields hold

        def __init__(
            self,
            rewards: ArrayLike,
            continuation: ArrayLike | None = None,
            action_rewards: ArrayLike | None = None,
            names: Sequence[str] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        rewards = finite_array("rewards", self.rewards, (None, None), "(G, S)", GoalsError)
        given = np.ones_like(rewards) if self.continuation is None else self.continuation
        continuation = finite_array("continuation", given, rewards.shape, "(G, S)", GoalsError)
        outside = (continuation < 0) | (continuation > 1)
        if outside.any():
            raise GoalsError(f"continuation lies in [0, 1]; found {locate(outside, continuation, '(g, s)')}.")
        extra = self.action_rewards
        if extra is not None:
            extra = finite_array("action_rewards", extra, (*rewards.shape, None), "(G, S, A)", GoalsError)
        object.__setattr__(self, "rewards", rewards)
        object.__setattr__(self, "continuation", continuation)
        object.__setattr__(self, "action_rewards", extra)
        object.__setattr__(self, "names", check_names("goal names", self.names, rewards.shape[0], GoalsError))

    def __repr__(self) -> str:
        return f"Goals(n_goals={self.n_goals}, n_states={self.n_states})"

    def __len__(self) -> int:
        return self.n_goals

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Goals):
            return NotImplemented
        return (
            np.array_equal(self.rewards, other.rewards)
            and np.array_equal(self.continuation, other.continuation)
            and same_if_given(self.action_rewards, other.action_rewards)
            and self.names == other.names
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as lists, as JSON takes them.

        Examples
        --------
        >>> Goals.indicator(2, [1]).to_dict()["continuation"]
        [[1.0, 0.0]]
        """
        extra = None if self.action_rewards is None else self.action_rewards.tolist()
        found = {"rewards": self.rewards.tolist(), "continuation": self.continuation.tolist()}
        return found | {"action_rewards": extra, "names": None if self.names is None else list(self.names)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the goals to a .npz or .json file, exactly.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "goals.json"
        ...     Goals.generic(3, 2, seed=0).save(path)
        ...     Goals.load(path) == Goals.generic(3, 2, seed=0)
        True
        """
        save_record(path, "goals", self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Goals:
        """Read what `save` wrote; raises `FileFormatError` if it is damaged or holds something else."""
        return load_record(path, "goals", cls)

    @property
    def n_goals(self) -> int:
        """k, the number of goals."""
        return int(self.rewards.shape[0])

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.rewards.shape[1])

    @property
    def same_continuation(self) -> bool:
        """Whether every goal has the same continuation."""
        return bool((self.continuation == self.continuation[0]).all())

    def select(self, goals: ArrayLike) -> Goals:
        """Return the goals with these numbers, in this order."""
        chosen = check_indices("goals", goals, self.n_goals, GoalsError)
        extra = None if self.action_rewards is None else self.action_rewards[chosen]
        names = None if self.names is None else tuple(self.names[g] for g in chosen)
        return Goals(self.rewards[chosen], self.continuation[chosen], extra, names)

    def permute_states(self, order: ArrayLike) -> Goals:
        """Rename states as `MDP.permute_states` does: state i of the result is state ``order[i]`` of this one.

        Raises
        ------
        GoalsError
            If `order` does not list each state exactly once.
        """
        new = check_order(order, self.n_states, GoalsError)
        extra = None if self.action_rewards is None else self.action_rewards[:, new]
        return Goals(self.rewards[:, new], self.continuation[:, new], extra, self.names)

    def join(self, other: Goals) -> Goals:
        """Return these goals followed by the `other` ones (names are kept if both sides have them).

        Raises
        ------
        ShapeError
            If the two are on different numbers of states or actions.
        GoalsError
            If only one side has action rewards, or a name occurs on both sides.
        """
        check_kind("other", other, Goals, GoalsError, "join takes goals on the same states")
        if other.n_states != self.n_states:
            raise ShapeError(f"cannot join goals on {self.n_states} and on {other.n_states} states.")
        extras = (self.action_rewards, other.action_rewards)
        if (extras[0] is None) != (extras[1] is None):
            raise GoalsError("cannot join goals with and without action rewards; give zeros to the latter.")
        extra = None
        if extras[0] is not None and extras[1] is not None:
            if extras[0].shape[2] != extras[1].shape[2]:
                raise ShapeError(f"cannot join goals on {extras[0].shape[2]} and on {extras[1].shape[2]} actions.")
            extra = np.concatenate([extras[0], extras[1]])
        names = None if self.names is None or other.names is None else self.names + other.names
        rewards = np.concatenate([self.rewards, other.rewards])
        return Goals(rewards, np.concatenate([self.continuation, other.continuation]), extra, names)

    @classmethod
    def indicator(cls, n_states: int, states: ArrayLike | None = None, *, terminating: bool = True) -> Goals:
        """Reward 1 on arrival in one state, a goal for each state named.

        Parameters
        ----------
        n_states : int
            n.
        states : array_like of int, optional
            The goal states; all n when omitted.
        terminating : bool
            Whether arriving ends the episode (the default, as in the paper's experiments).

        Returns
        -------
        Goals

        Raises
        ------
        GoalsError
            If a state lies outside ``range(n_states)``.
        """
        check_size("n_states", n_states, GoalsError)
        if not isinstance(terminating, bool | np.bool_):
            raise GoalsError(f"terminating is {shortened(terminating)}; expected True or False.")
        targets = check_indices("states", np.arange(n_states) if states is None else states, n_states, GoalsError)
        rewards = np.zeros((len(targets), n_states))
        rewards[np.arange(len(targets)), targets] = 1.0
        return cls(rewards, 1.0 - rewards if terminating else np.ones_like(rewards))

    @classmethod
    def generic(cls, n_states: int, n_goals: int, *, seed: int | np.random.Generator) -> Goals:
        """Draw rewards from independent standard normals: "almost every R" in the theorems.

        Examples
        --------
        >>> Goals.generic(2, 1, seed=0).rewards.round(3)
        array([[ 0.126, -0.132]])
        """
        shape = (check_size("n_goals", n_goals, GoalsError), check_size("n_states", n_states, GoalsError))
        return cls(check_seed(seed, GoalsError).standard_normal(shape))

    @classmethod
    def gaussian(cls, coordinates: ArrayLike, centres: ArrayLike, *, width: float) -> Goals:
        """Reward ``exp(-|phi(t) - c|^2 / (2 width^2))`` on arrival in t, for each centre c (Proposition P1).

        Parameters
        ----------
        coordinates : array_like, shape (S, d)
            phi, where the states lie.
        centres : array_like, shape (G, d)
            The centres of the goals.
        width : float
            sigma, positive.

        Raises
        ------
        GoalsError
            If the width is not positive, or a coordinate is not finite.
        ShapeError
            If the centres have another number of coordinates than the states.
        """
        places = finite_array("coordinates", coordinates, (None, None), "(S, d)", GoalsError)
        middles = finite_array("centres", centres, (None, places.shape[1]), "(G, d)", GoalsError)
        scale = check_positive("width", width, GoalsError)
        with np.errstate(over="ignore"):  # a distance too large for a float means reward 0
            squared = (((middles[:, None, :] - places[None, :, :]) / scale) ** 2).sum(axis=2)
        return cls(np.exp(-squared / 2.0))

    @classmethod
    def ball(cls, coordinates: ArrayLike, centres: ArrayLike, *, radius: float, terminating: bool = True) -> Goals:
        """Reward 1 on arrival within `radius` (Euclidean, inclusive, at least 0) of each centre.

        Raises
        ------
        GoalsError
            If the radius is negative, a ball holds no state, or a coordinate is not finite.
        ShapeError
            If the centres have another number of coordinates than the states.
        """
        places = finite_array("coordinates", coordinates, (None, None), "(S, d)", GoalsError)
        middles = finite_array("centres", centres, (None, places.shape[1]), "(G, d)", GoalsError)
        if not (isinstance(radius, int | float | np.number) and 0 <= radius < np.inf):
            raise GoalsError(f"radius is {shortened(radius)}; expected a number of at least 0.")
        inside = ((middles[:, None, :] - places[None, :, :]) ** 2).sum(axis=2) <= float(radius) ** 2
        empty = np.flatnonzero(~inside.any(axis=1))
        if empty.size:
            raise GoalsError(f"goal {empty[0]} has no state within radius {radius} of its centre; widen the radius.")
        return cls(inside, ~inside if terminating else None)

    @classmethod
    def from_function(
        cls,
        reward: Callable[[int, int], float],
        n_states: int,
        n_goals: int,
        *,
        names: Sequence[str] | None = None,
    ) -> Goals:
        """Tabulate ``reward(g, t)`` for each goal g and each state t of arrival.

        Examples
        --------
        >>> Goals.from_function(lambda g, t: float(g == t), 2, 2).rewards
        array([[1., 0.],
               [0., 1.]])
        """
        if not callable(reward):
            raise GoalsError(f"reward is of type {type(reward).__name__}; expected a function of (goal, state).")
        check_size("n_goals", n_goals, ShapeError)
        check_size("n_states", n_states, ShapeError)
        table = [[reward(g, t) for t in range(n_states)] for g in range(n_goals)]
        return cls(table, names=names)
