"""Goals that are drawn from a family with few parameters, such as Gaussians with random centres (AG)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from flint import fmpq_mat
from numpy.typing import ArrayLike

from tabular_inversion import exact
from tabular_inversion._typing import IntArray
from tabular_inversion.errors import GoalsError
from tabular_inversion.exact.rationals import FractionArray, fraction_array, integer_rows
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.validation import finite_array

_LARGEST = 2**40  # what floats still add up exactly, with small weights, over some thousand rewards
_LARGEST_WEIGHT = 9


@checked
@dataclass(frozen=True, eq=False, repr=False)
class GoalFamily(Record):
    """Goals whose parameters are drawn independently, from laws with a density, in one analytic family of rewards.

    `generic` says of such goals what holds for almost every draw. Only the space that the rewards span matters: what
    almost all rewards in it have, almost all members of the family have. Goals never end: C = 1.

    Attributes
    ----------
    n_goals : int
        How many goals are drawn.
    span : numpy.ndarray of int, shape (d, n)
        Independent rewards that span the same space as the family.
    name : str
        What answers call it.

    Notes
    -----
    The family has to be analytic on a connected domain. Indicators of balls round a random centre are not: there are
    finitely many of them, so that with a positive chance all goals agree, and say what one says. Source: AG, P1.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> from tabular_inversion.sufficiency import generic
    >>> rooms = four_rooms("windy")
    >>> generic(rooms, GoalFamily.gaussian(rooms.coordinates, n_goals=3))
    <Verdict IDENTIFIED, exact, uniform scope, optimal agents: 272 of 272 rows identified>
    """

    n_goals: int
    span: IntArray
    name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_goals < 1:
            raise GoalsError(f"n_goals is {self.n_goals}; expected at least 1.")
        if self.span.ndim != 2 or not self.span.size or exact.rank(self.span).rank < len(self.span):
            raise GoalsError(f"span has shape {self.span.shape}; expected (d, n), independent rewards.")

    def __repr__(self) -> str:
        return f"GoalFamily(n_goals={self.n_goals}, {self.name}, dimension {len(self.span)} of {self.n_states})"

    @property
    def n_states(self) -> int:
        """N."""
        return int(self.span.shape[1])

    @property
    def is_spanning(self) -> bool:
        """Whether the rewards span all of R^n: then they are as good as rewards without any form."""
        return len(self.span) == self.n_states

    @classmethod
    def gaussian(cls, coordinates: ArrayLike, n_goals: int) -> GoalFamily:
        """Return Gaussians of any one width with random centres: ``r(s) = exp(-|x_s - c|^2 / 2 width^2)``.

        Parameters
        ----------
        coordinates : array_like of float, shape (S, d)
            Where states lie; all different.
        n_goals : int
            How many centres are drawn.

        Raises
        ------
        GoalsError
            If two states lie at one place: no such goal tells them apart.

        Examples
        --------
        >>> GoalFamily.gaussian([[0.0], [1.0], [2.5]], n_goals=2)
        GoalFamily(n_goals=2, Gaussians with random centres, dimension 3 of 3)
        """
        points = finite_array("coordinates", coordinates, (None, None), "(S, d)", GoalsError)
        _, first, places = np.unique(points, axis=0, return_index=True, return_inverse=True)
        twins = np.flatnonzero(first[places.ravel()] != np.arange(len(points)))
        if twins.size:
            pair = int(first[places.ravel()[twins[0]]]), int(twins[0])
            raise GoalsError(
                f"states {pair[0]} and {pair[1]} lie at one place, {points[pair[0]].tolist()}: no Gaussian goal tells "
                "them apart."
            )
        return cls(n_goals, np.eye(len(points), dtype=int), "Gaussians with random centres")

    @classmethod
    def parametric(
        cls, rewards: Callable[[Fraction], Any], parameters: Sequence[Fraction], n_goals: int, name: str = "a family"
    ) -> GoalFamily:
        """Return a family with one parameter, from its rewards at some parameters, in fractions.

        Parameters
        ----------
        rewards : callable
            Takes a parameter, and returns the rational rewards of the states, shape (S,).
        parameters : sequence of Fraction
            In the domain. The family is taken to span what its rewards there span: give more than there are states.
        n_goals : int
            How many parameters are drawn.
        name : str
            What answers call it.

        Raises
        ------
        GoalsError
            If rewards at different parameters have different shapes, are all zero, or are no rational numbers.

        Examples
        --------
        >>> GoalFamily.parametric(lambda x: [1, x, x**2], [Fraction(i) for i in range(4)], n_goals=2, name="powers")
        GoalFamily(n_goals=2, powers, dimension 3 of 3)
        """
        try:
            rows = [fraction_array(rewards(parameter)).ravel() for parameter in parameters]
        except (TypeError, ValueError, ArithmeticError) as problem:
            raise GoalsError(f"rewards: {' '.join(str(problem).split())}") from problem
        if len({len(row) for row in rows}) != 1:
            raise GoalsError(f"rewards have lengths {sorted({len(row) for row in rows})}; expected one, of all states.")
        return cls(n_goals, _basis(np.stack(rows)), name)

    def drawn(self, rng: np.random.Generator) -> Goals:
        """Return goals with rewards drawn in the span: small combinations of its basis.

        Examples
        --------
        >>> GoalFamily.gaussian([[0.0], [1.0]], n_goals=2).drawn(np.random.default_rng(0)).rewards.shape
        (2, 2)
        """
        weights = rng.integers(1, _LARGEST_WEIGHT + 1, (self.n_goals, len(self.span)))
        return Goals((weights @ self.span).astype(float))


def _basis(rows: FractionArray) -> IntArray:
    """Return a basis of the span of some rows, in short whole numbers."""
    reduced, rank = fmpq_mat(integer_rows(rows)[0]).rref()
    if rank == rows.shape[1]:
        return np.eye(rank, dtype=int)
    numbers = reduced.tolist()[:rank]
    scales = [lcm(*(int(x.q) for x in row)) for row in numbers]
    whole = [[int(x * scale) for x in row] for row, scale in zip(numbers, scales, strict=True)]
    if max((abs(x) for row in whole for x in row), default=0) > _LARGEST:
        raise GoalsError("rewards span a space without short vectors; give parameters with smaller denominators.")
    return np.array(whole, dtype=int).reshape(rank, rows.shape[1])
