"""Deterministic systems with continuous states: their box, their actions, their tasks and where episodes start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.environments._checks import check_count, random_generator
from tabular_inversion.environments.continuous_grids import Step, interpolated_mdp
from tabular_inversion.environments.interpolation import Grid, Interpolation
from tabular_inversion.errors import GoalsError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.validation import check_discount, finite_array

_SLACK = 1e-9
"""Added to radii, so that rounding does not decide on a grid point that lies on the border."""


@checked
@dataclass(frozen=True)
class Task:
    """Some goals of a system: reward 1 on arrival in a region, where the episode ends.

    Attributes
    ----------
    names : tuple of str
        A name for each of G goals.
    reached : callable
        From points (B, d) to a bool array (G, B): whether the point lies in the region of the goal.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion.environments import MOUNTAIN_CAR
    >>> MOUNTAIN_CAR.tasks["fast"].reached(np.array([[0.0, 0.06], [0.0, 0.0]]))
    array([[ True, False]])
    """

    names: tuple[str, ...]
    reached: Callable[[FloatArray], BoolArray]


@checked
@dataclass(frozen=True)
class ContinuousSystem:
    """A deterministic system x' = f(x, a) in a box.

    Attributes
    ----------
    name : str
        Its name.
    grid : callable
        From n to the grid with n points for each axis.
    step : callable
        ``step(points, action)``, as for `interpolated_mdp`.
    action_names : tuple of str
        A name for each action.
    tasks : mapping from str to Task
        What can be asked of it.
    draw : callable
        From a numpy Generator and a count to that many random starts, shape (count, d).

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion.environments import REACHER
    >>> sorted(REACHER.tasks)
    ['angle', 'far', 'position', 'velocity']
    >>> REACHER.starts(512, seed=0).shape
    (512, 4)
    >>> arm = REACHER.mdp(12)
    >>> goals = REACHER.goals("position", arm)
    >>> goals
    Goals(n_goals=4, n_states=20736)
    >>> REACHER.returns("position", goals.rewards[:, :, None] * np.ones(9), REACHER.starts(3, seed=0)).shape
    (4, 3)
    """

    name: str
    grid: Callable[[int], Grid]
    step: Step
    action_names: tuple[str, ...]
    tasks: Mapping[str, Task]
    draw: Callable[[np.random.Generator, int], FloatArray]

    def mdp(self, n: int, *, discount: float = 0.99, method: Interpolation = "kuhn") -> MDP:
        """Return the world on the grid with n points for each axis; see `interpolated_mdp`."""
        grid, names = self.grid(check_count("n", n, least=2)), self.action_names
        return interpolated_mdp(self.step, grid, len(names), discount=discount, method=method, action_names=names)

    def goals(self, task: str, mdp: MDP) -> Goals:
        """Return the goals of a task on the states of a world that has this system's coordinates.

        Raises
        ------
        InputError
            If there is no such task, or the world has other coordinates.
        GoalsError
            If a region holds no state.
        """
        chosen = self._task(task)
        places, dimension = mdp.coordinates, len(self.grid(2).axes)
        if places is None or places.shape[1] != dimension:
            raise InputError(f"the world does not have the {dimension} coordinates of {self.name}; build it by `mdp`.")
        inside = chosen.reached(places)
        empty = np.flatnonzero(~inside.any(axis=1))
        if empty.size:
            raise GoalsError(f"no state lies in the region of goal {chosen.names[empty[0]]!r}; give a finer grid.")
        return Goals(inside.astype(np.float64), (~inside).astype(np.float64), names=chosen.names)

    def starts(self, count: int, *, seed: int | np.random.Generator) -> FloatArray:
        """Draw points at which episodes start, shape (count, d)."""
        return self.draw(random_generator(seed), check_count("count", count, least=1))

    def returns(
        self, task: str, q: ArrayLike, starts: ArrayLike, *, discount: float = 0.99, steps: int = 200
    ) -> FloatArray:
        """Run the system itself, off the grid, by the actions that are best in interpolated Q-values.

        Parameters
        ----------
        task : str
            One of `tasks`.
        q : array_like, shape (G, S, A)
            For each goal of the task, Q-values on a grid of this system, such as ``solve(mdp, goals).q``.
        starts : array_like, shape (B, d)
            Where episodes start.
        discount : float
            In [0, 1].
        steps : int
            The longest episode, at least 1.

        Returns
        -------
        numpy.ndarray, shape (G, B)
            ``discount ** t`` where the goal's region is entered by step number t, counted from 0; else 0.

        Raises
        ------
        InputError
            If there is no such task, a number is not finite or out of range, or an episode leaves the grid by an axis
            that refuses it.
        ShapeError
            If the Q-values are on no grid of this system, or for other goals or actions than its own.
        """
        chosen, rate, last = self._task(task), check_discount(discount), check_count("steps", steps, least=1)
        shape = (len(chosen.names), None, len(self.action_names))
        values = finite_array("q", q, shape, "(G, S, A)", InputError)
        dimension = len(self.grid(2).axes)
        grid = self.grid(max(2, round(values.shape[1] ** (1 / dimension))))
        if grid.n_states != values.shape[1]:
            raise ShapeError(f"q is on {values.shape[1]} states; a grid of {self.name} has n^{dimension}.")
        first = finite_array("starts", starts, (None, dimension), "(B, d)", InputError)
        return self._run(chosen, values, first, grid, np.power(rate, np.arange(last, dtype=np.float64)))

    def _run(self, task: Task, q: FloatArray, starts: FloatArray, grid: Grid, rewards: FloatArray) -> FloatArray:
        """Run all episodes of all goals side by side; those that have arrived are no longer counted."""
        n_goals, count = len(q), len(starts)
        goals, points = np.repeat(np.arange(n_goals), count), np.tile(starts, (n_goals, 1))
        found, going = np.zeros((n_goals, count)), np.ones((n_goals, count), bool)
        for reward in rewards:
            wrong = grid.refused(points)
            if wrong is not None:
                raise InputError(f"{self.name} leaves its grid: {wrong[1]}.")
            states, weights = grid.corners(points, "kuhn")
            best = np.einsum("bn,bna->ba", weights, q[goals[:, None], states]).argmax(axis=1)
            for action in np.unique(best).tolist():
                points[best == action] = self.step(points[best == action], action)
            inside = task.reached(points).reshape(n_goals, n_goals, count)
            arrived = inside[np.arange(n_goals), np.arange(n_goals)] & going
            found[arrived] = reward
            going &= ~arrived
            if not going.any():
                break
        return found

    def _task(self, name: str) -> Task:
        if name not in self.tasks:
            raise InputError(f"task is {name!r}; {self.name} has {', '.join(self.tasks)}.")
        return self.tasks[name]


def within(features: FloatArray, centres: FloatArray, radius: float) -> BoolArray:
    """Tell which features (B, k) are at most `radius` away from each centre (G, k); bool, shape (G, B)."""
    squared = ((centres[:, None, :] - features[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(squared <= (radius + _SLACK) ** 2)
