"""Value-equivalence classes of agents whose rows have different equations: one set for each group of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.equivalence.interface import Interval, Norm, ValueEquivalence
from tabular_inversion.equivalence.nearest import Divergence
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE, check_seed


@checked
@dataclass(frozen=True, eq=False, repr=False)
class JoinedSets(ValueEquivalence):
    """The sets of rows with different equations, laid out as those of one agent.

    Attributes
    ----------
    parts : tuple of ValueEquivalence
        Each about the rows ``part.agent.asked``.
    """

    parts: tuple[ValueEquivalence, ...]

    @property
    def dimension(self) -> IntArray:
        """Affine dimension of each E(q), shape (S, A); see `ValueEquivalence`."""
        return np.asarray(self._of_rows(lambda part: part.dimension))

    @property
    def candidates(self) -> BoolArray:
        """Which successors have the row's values, shape (S, A, S)."""
        return np.asarray(self._of_rows(lambda part: part.candidates, last=1))

    def _bounds(self, rows: ArrayLike | None) -> Interval:
        asked = self._asked(rows)
        chosen = [part for part in self.parts if (part._asked(None) & asked).any()]
        found = [part._bounds(part._asked(None) & asked) for part in chosen]
        return Interval(*(self._laid_out([ends[side] for ends in found], chosen, 1) for side in range(2)))

    @property
    def _pieces(self) -> tuple[ValueEquivalence, ...]:
        return self.parts

    def diameter(self, norm: Norm = "max", *, seconds: float = 0.0) -> Interval:
        """Return bounds on how far apart two members can be; see `ValueEquivalence`."""
        return self._intervals(lambda part: part.diameter(norm, seconds=seconds))

    def nearest(self, prior: ArrayLike, divergence: Divergence = "euclidean") -> FloatArray:
        """Return the member nearest to a prior; see `ValueEquivalence`."""
        return np.asarray(self._of_rows(lambda part: part.nearest(prior, divergence), last=1))

    def vertices(self, state: int, action: int) -> FloatArray:
        """Return the extreme points of one E(q); see `ValueEquivalence`."""
        self._available_row(state, action)
        return next(part for part in self.parts if part._asked(None)[state, action]).vertices(state, action)

    def sample(self, n_samples: int, *, seed: int | np.random.Generator, thinning: int | None = None) -> FloatArray:
        """Draw members by hit and run; see `ValueEquivalence`."""
        drawn = check_seed(seed, InputError)
        return np.asarray(self._of_rows(lambda part: part.sample(n_samples, seed=drawn, thinning=thinning), last=1))

    def functional_bounds(self, weights: ArrayLike) -> Interval:
        """Return the least and largest w.p; see `ValueEquivalence`."""
        return self._intervals(lambda part: part.functional_bounds(weights))

    def extreme_kernel(self, weights: ArrayLike, *, largest: bool) -> Kernel:
        """Return a member that is extreme in every row; see `ValueEquivalence`."""
        found = [part.extreme_kernel(weights, largest=largest) for part in self.parts]
        # Rows of other parts are zero.
        return sum(found[1:], start=found[0]) if issparse(found[0]) else self._laid_out(found, self.parts, 1)

    def determined_functionals(self, weights: ArrayLike) -> BoolArray:
        """Tell which w.p have one value; see `ValueEquivalence`."""
        return np.asarray(self._of_rows(lambda part: part.determined_functionals(weights)))

    def contains(self, kernel: Kernel | MDP, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows of a kernel belong to E(q); see `ValueEquivalence`."""
        return np.asarray(self._of_rows(lambda part: part.contains(kernel, tolerance=tolerance)))

    def _intervals(self, ask: Callable[[ValueEquivalence], Interval]) -> Interval:
        found = [ask(part) for part in self.parts]
        return Interval(*(self._laid_out([ends[side] for ends in found], self.parts, 0) for side in range(2)))

    def _of_rows(self, ask: Callable[[ValueEquivalence], Any], last: int = 0) -> Any:
        """Ask each part, and take the rows that it is about; `last` axes stand behind that of the actions."""
        return self._laid_out([ask(part) for part in self.parts], self.parts, last)

    def _laid_out(self, answers: Any, parts: Any, last: int) -> Any:
        whole = np.array(answers[0])
        for answer, part in zip(answers[1:], parts[1:], strict=True):
            place = (..., part._asked(None), *(slice(None),) * last)
            whole[place] = np.asarray(answer)[place]
        return whole
