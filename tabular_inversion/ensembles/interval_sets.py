"""All kernels within given intervals: what a robust plan takes where probabilities are known up to confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.equivalence.interface import Interval, ValueEquivalence
from tabular_inversion.equivalence.nearest import Divergence
from tabular_inversion.errors import InputError, KernelClassError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE

_STEPS = 200
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)


@checked
@dataclass(frozen=True, eq=False, repr=False)
class IntervalSets(ValueEquivalence):
    """Distributions between two bounds, for each row: a product of boxes, each cut with the simplex.

    It answers the questions of `ValueEquivalence` that planning asks, in closed form: an extreme row fills up its
    intervals in the order of the weights (interval MDPs: Givan, Leach and Dean 2000). Made by
    `EnsembleInversion.sets`.

    Attributes
    ----------
    lower, upper : numpy.ndarray, shape (rows, S)
        Bounds, for each available row.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, robust, solve
    >>> from tabular_inversion.environments import river_swim
    >>> world = river_swim(3).dense()
    >>> rows = world.kernel.reshape(-1, 3)
    >>> low, high = np.clip(rows - 0.05, 0, 1), np.clip(rows + 0.05, 0, 1)
    >>> sets = IntervalSets.of(solve(world, Goals.indicator(3)), Stochastic(), low, high)
    >>> found = robust(sets, Goals.indicator(3, [2]))
    >>> true = solve(world, Goals.indicator(3, [2])).v[0]
    >>> bool((found.lower <= true).all() and (true <= found.upper).all())
    True
    """

    lower: FloatArray
    upper: FloatArray

    @classmethod
    def of(cls, agent: AgentValues, kernel_class: KernelClass, lower: FloatArray, upper: FloatArray) -> IntervalSets:
        """Return the set between bounds for the rows of an agent.

        Parameters
        ----------
        agent : AgentValues
            Whose rows these are.
        kernel_class : KernelClass
            One of distributions that can be averaged.
        lower, upper : numpy.ndarray, shape (rows, S)
            Bounds.

        Raises
        ------
        KernelClassError
            If the class has no such set.
        InputError
            If no distribution lies between the bounds of a row.
        """
        if not kernel_class.sums_to_one:
            raise KernelClassError(f"rows of class {kernel_class.name!r} are no distributions; use Stochastic().")
        known = kernel_class.known_supports(agent.row_index)
        if known is not None:
            upper = upper * (known.toarray() > 0)
            lower = np.minimum(lower, upper)
        slack = _ROUNDING * lower.shape[1]
        empty = (lower.sum(axis=1) > 1.0 + slack) | (upper.sum(axis=1) < 1.0 - slack) | (lower > upper).any(axis=1)
        if empty.any():
            state, action = divmod(int(agent.row_index[np.flatnonzero(empty)[0]]), agent.n_actions)
            raise InputError(
                f"no distribution lies within the intervals of {agent.name_of(state, action)}; ask for a higher level, "
                "or a larger class."
            )
        return cls(agent, kernel_class, 0.0, lower, upper)

    def __repr__(self) -> str:
        width = float((self.upper - self.lower).max())
        return f"<IntervalSets of {self.agent!r} in class {self.kernel_class.name!r}: widest interval {width:.3g}>"

    @property
    def dimension(self) -> IntArray:
        """Affine dimension of each set, shape (S, A): how many entries are open, less one; -1 where unavailable."""
        count = ((self.upper - self.lower) > 0).sum(axis=1)
        return np.asarray(self._place(np.maximum(count - 1, 0), -1))

    def _bounds(self, rows: ArrayLike | None) -> Interval:
        # The intervals, cut to what the sum to one leaves.
        asked = self._asked(rows).ravel()[self.agent.row_index]
        low = np.maximum(self.lower, 1.0 - (self.upper.sum(axis=1, keepdims=True) - self.upper))
        high = np.minimum(self.upper, 1.0 - (self.lower.sum(axis=1, keepdims=True) - self.lower))
        low, high = (np.where(asked[:, None], end, np.nan) for end in (low, high))
        return Interval(self._place_rows(low, np.nan), self._place_rows(high, np.nan))

    def _extreme(self, weights: FloatArray, *, largest: bool) -> FloatArray:
        """Return the extreme rows for one w: intervals are filled up in the order of the weights, shape (rows, S)."""
        order = np.argsort(-weights if largest else weights, kind="stable")
        room = (self.upper - self.lower)[:, order]
        left = 1.0 - self.lower.sum(axis=1, keepdims=True)
        before = np.cumsum(room, axis=1) - room
        filled = np.clip(left - before, 0.0, room)
        rows = np.empty_like(room)
        rows[:, order] = self.lower[:, order] + filled
        return rows

    def extreme_kernel(self, weights: ArrayLike, *, largest: bool) -> Kernel:
        """Return a member in which every row makes ``w.p`` as large (or as small) as it gets, shape (S, A, S)."""
        given = self._weights(weights)
        if len(given) != 1:
            raise InputError(f"an extreme kernel is for one functional; got {len(given)}.")
        return self._place_rows(self._extreme(given[0], largest=largest), 0.0)

    def functional_bounds(self, weights: ArrayLike) -> Interval:
        """Return the least and largest ``w.p`` of each row, shape (S, A) or (F, S, A), rounded outwards."""
        given = self._weights(weights)
        ends = []
        for sign, largest in ((-1.0, False), (1.0, True)):
            found = np.stack([self._extreme(w, largest=largest) @ (w - w.mean()) + w.mean() for w in given])
            slack = _ROUNDING * given.shape[1] * np.abs(given).max(axis=1, keepdims=True)
            ends.append(self._place(found + sign * slack, np.nan))
        return Interval(*(end[0] if np.ndim(weights) == 1 else end for end in ends))

    def nearest(self, prior: ArrayLike, divergence: Divergence = "euclidean") -> FloatArray:
        """Return the member nearest to a prior kernel (Euclidean), shape (S, A, S); zero rows where unavailable."""
        if divergence != "euclidean":
            raise InputError(f"divergence is {divergence!r}; intervals offer 'euclidean'.")
        start = np.broadcast_to(self._prior(prior), self.lower.shape)
        low, high = (self.lower - start).min(axis=1), (self.upper - start).max(axis=1)
        for _ in range(_STEPS):  # the shift that makes clipped rows sum to one, by bisection
            middle = 0.5 * (low + high)
            above = np.clip(start + middle[:, None], self.lower, self.upper).sum(axis=1) > 1.0
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return self._place_rows(np.clip(start + low[:, None], self.lower, self.upper), 0.0)

    def determined_functionals(self, weights: ArrayLike) -> BoolArray:
        """Tell which ``w.p`` have one value on the set: those whose two bounds are equal up to rounding."""
        ends = self.functional_bounds(weights)
        size = np.abs(self._weights(weights)).max(axis=1)
        level = 64.0 * _ROUNDING * self.agent.n_states * (size[0] if np.ndim(weights) == 1 else size[:, None, None])
        return np.asarray((ends.width <= level) | ~self.agent.available)

    def contains(self, kernel: Kernel | MDP, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows of a kernel lie within the intervals, shape (S, A); True where unavailable."""
        rows = self._rows_of(kernel)
        inside = ((rows >= self.lower - tolerance) & (rows <= self.upper + tolerance)).all(axis=1)
        inside &= np.abs(rows.sum(axis=1) - 1.0) <= tolerance * rows.shape[1]
        return np.asarray(self._place(inside, True))
