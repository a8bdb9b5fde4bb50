"""Constructors of worlds by name: from counts of transitions, and from environments without a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Self

from numpy.typing import ArrayLike

from tabular_inversion.kinds import checked
from tabular_inversion.observed.counts import Unvisited, frequencies
from tabular_inversion.observed.stepping import walk


@checked
class FromObservations:
    """What is made of a kernel, a discount, the available actions and names of states: a world."""

    @classmethod
    def from_counts(cls, counts: ArrayLike, *, discount: float, unvisited: Unvisited = "refuse") -> Self:
        """Return the world of relative frequencies.

        Parameters
        ----------
        counts : array_like, shape (S, A, S), or scipy sparse, shape (S*A, S)
            How often (s, a) led to t, at least 0.
        discount : float
            In [0, 1].
        unvisited : {"refuse", "unavailable"}
            What a row without any count is.

        Returns
        -------
        MDP
            Sparse. Frequencies are estimates: with N visits an entry p is off by about sqrt(p (1 - p) / N).

        Raises
        ------
        InputError
            If a count is negative or not finite, or a row has none and `unvisited` says to refuse it.
        ShapeError
            If the shape does not fit.

        Examples
        --------
        >>> from tabular_inversion import MDP
        >>> MDP.from_counts([[[3, 1]], [[0, 5]]], discount=0.9).dense().kernel[0]
        array([[0.75, 0.25]])
        """
        made: Any = cls
        world: Self = made(*_parts(counts, discount, unvisited))
        return world

    @classmethod
    def enumerate(
        cls,
        environment: Any,
        *,
        discount: float,
        key: Callable[[Any], Hashable] | None = None,
        samples: int = 1,
        max_states: int = 10_000,
        starts: int = 1,
        seed: int = 0,
    ) -> Self:
        """Read a small environment that has no table, by stepping copies of it from every state it can reach.

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
        MDP
            Sparse, the states in the order in which they were met, named by their labels; a terminal state stays.
            `interop.enumerate_environment` gives the task of the environment and the counts besides.

        Raises
        ------
        InputError
            If the action space is not discrete, a number is out of range, or there are more states than allowed.

        Examples
        --------
        >>> import gymnasium
        >>> from tabular_inversion import MDP
        >>> MDP.enumerate(gymnasium.make("FrozenLake-v1", is_slippery=False), discount=0.9)
        MDP(n_states=16, n_actions=4, discount=0.9, sparse)
        """
        found = walk(environment, key=key, samples=samples, max_states=max_states, starts=starts, seed=seed)
        made: Any = cls
        world: Self = made(*_parts(found.counts(staying=True), discount, "refuse"), found.names)
        return world


def _parts(counts: ArrayLike, discount: float, unvisited: Unvisited) -> tuple[Any, ...]:
    kernel, seen = frequencies(counts, unvisited)
    return kernel, discount, seen
