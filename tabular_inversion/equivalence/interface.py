"""The face of all value-equivalence classes: which questions there are, and how answers are laid out."""
# ruff: noqa: ARG002 - the base class documents the arguments that its subclasses use

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import describe_noise, is_noisy
from tabular_inversion.agent_values.parts import read_rows
from tabular_inversion.equivalence.nearest import Divergence
from tabular_inversion.equivalence.sharing import bounds_elsewhere
from tabular_inversion.errors import InputError, KernelClassError, KernelError, ShapeError
from tabular_inversion.interval_mdp import IntervalMDP
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.recovery.intervals import Intervals
from tabular_inversion.recovery.system import RowSystem
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE, check_distributions, finite_array

Norm = Literal["max", "l1"]

_COMPUTED = 1e-11
"""How far a row that was computed may miss its values, in unit scale: what `nearest` stops at."""

DETERMINED = 1e-9
"""How far a functional may be from the span of the equations, relative to its size, to count as determined."""


@checked
class Interval(NamedTuple):
    """The two ends of a range, entry by entry.

    Attributes
    ----------
    lower, upper : numpy.ndarray
        Of one shape; NaN where the action is unavailable.

    Examples
    --------
    >>> Interval(np.array([0.25]), np.array([1.0])).width
    array([0.75])
    """

    lower: FloatArray
    upper: FloatArray

    @property
    def width(self) -> FloatArray:
        """``upper - lower``; infinite where an end is."""
        return self.upper - self.lower


@checked
@dataclass(frozen=True, eq=False, repr=False)
class ValueEquivalence:
    """All kernels of a class that give an agent its values: the product of E(q) over the rows (S2).

    For each available (s, a), ``E(q) = {p in K : M p = q}`` with q = Q(s, a, .) - rho(s, a, .). The rows are free of
    each other, since M is known. With noise, ``|Qhat - Q| <= eps`` in every entry, E(q) is the relaxed set
    ``{p in K : |Mhat p - qhat| <= (1 + discount) eps}``, which always contains the true row. Made by
    `value_equivalence`.

    Attributes
    ----------
    agent : AgentValues
        The values.
    kernel_class : KernelClass
        K.
    noise : float, numpy.ndarray (G, S, A) or str
        eps; at 0 the values are taken as exact up to rounding.

    Notes
    -----
    Which questions have an answer depends on the class. `Stochastic` and `Supported`: E(q) is a polytope, and all
    have. `Unconstrained`: an affine space, or a slab around one; it has no vertices and nothing to sample from.
    `Deterministic`: finitely many rows, listed by `candidates`. `Sparse`: a union of polytopes, for which `contains`
    alone is offered. What has no answer raises `KernelClassError`.

    Examples
    --------
    A walk on the complete bipartite graph K(3,3) at discount 1/2, with one action more that stays with probability 1/2
    and else goes anywhere. Although every state is a goal, the optimal values of all six leave that action open: mass
    may move between the two sides of the graph (X1).

    >>> import numpy as np
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve, value_equivalence
    >>> from tabular_inversion.environments import graph, named_graph
    >>> walk = graph(named_graph("K3,3"), discount=0.5).dense()
    >>> noisy = np.eye(6) / 2 + 1 / 12
    >>> world = MDP(np.concatenate([walk.kernel, noisy[:, None]], axis=1), discount=0.5)
    >>> sets = value_equivalence(solve(world, Goals.indicator(6)), Stochastic())
    >>> sets.dimension[0]
    array([0, 0, 0, 1])
    >>> (sets.vertices(0, 3) * 6).round(6) + 0.0
    array([[4., 1., 1., 0., 0., 0.],
           [3., 0., 0., 1., 1., 1.]])
    >>> sets.diameter("l1").lower[0].round(6)
    array([0., 0., 0., 1.])
    >>> other = sets.extreme_kernel([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], largest=True)
    >>> bool(sets.contains(other).all()), round(float(np.abs(other - world.kernel).max()), 6)
    (True, 0.083333)
    >>> bool(np.allclose(sets.nearest(other), other)), sets.sample(5, seed=0).shape
    (True, (5, 6, 4, 6))
    """

    agent: AgentValues
    kernel_class: KernelClass
    noise: float | FloatArray | str

    _remedy: ClassVar[str] = "for at most N successors E(q) is a union of polytopes; Stochastic() gives a set around it"

    def __repr__(self) -> str:
        stated = f"noise {describe_noise(self.noise)}"
        return f"<{type(self).__name__} of {self.agent!r} in class {self.kernel_class.name!r}, {stated}>"

    @property
    def dimension(self) -> IntArray:
        """Affine dimension of each E(q), shape (S, A): 0 where the row is identified, -1 where unavailable."""
        raise self._refusal("one dimension")

    @property
    def candidates(self) -> BoolArray:
        """For `Deterministic`: which successors have the row's values, shape (S, A, S)."""
        raise self._refusal("list of candidates")

    @property
    def asked_rows(self) -> BoolArray:
        """Which rows the sets are about, shape (S, A)."""
        return self._asked(None)

    def bounds(
        self,
        rows: ArrayLike | None = None,
        *,
        executor: Any = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Interval:
        """Return the least and the largest p(s') over E(q) for each entry, both of shape (S, A, S).

        Parameters
        ----------
        rows : array_like, optional
            The rows asked about, bool (S, A) or numbers s*A + a; all when omitted. Others get NaN.
        executor, progress : optional
            As for `identify`.

        Returns
        -------
        Interval
            No row with the values lies outside: each end is proved by multipliers evaluated outwards. Members come near
            both ends, up to what a linear program's tolerance (1e-10 in unit scale) and the uncertainty of the numbers
            amount to. For `Unconstrained` infinite where nothing holds an entry.
        """
        if executor is None and progress is None:
            return self._bounds(rows)
        return Interval(*bounds_elsewhere(self._pieces, self._asked(rows), executor, progress))

    def _bounds(self, rows: ArrayLike | None) -> Interval:
        raise self._refusal("bound on entries")

    def to_interval_mdp(self) -> IntervalMDP:
        """Return the world whose probabilities lie within `bounds`: it holds every kernel of this set, and more.

        Raises
        ------
        KernelClassError
            If rows need be no distributions.
        AgentValuesError
            If goals have several discounts.
        """
        if not self.kernel_class.sums_to_one:
            raise self._refusal("world of intervals")
        found, agent = self.bounds(), self.agent
        lower, upper = (np.where(agent.available[:, :, None], np.clip(end, 0.0, 1.0), 0.0) for end in found)
        return IntervalMDP(lower, upper, agent.one_discount, agent.available, agent.state_names, agent.action_names)

    @property
    def _pieces(self) -> tuple[ValueEquivalence, ...]:
        return (self,)

    def diameter(self, norm: Norm = "max", *, seconds: float = 0.0) -> Interval:
        """Return how far apart two members of E(q) can be, for each row, between two certified bounds.

        Parameters
        ----------
        norm : {"max", "l1"}
            The largest difference of entries, or the sum of all.
        seconds : float
            For "l1", where the exact answer is NP-hard in general: how long the integer program of each row may take
            to close the gap between the bounds. Rows with at most 16 entries are always closed.

        Returns
        -------
        Interval
            Both of shape (S, A). For "max" the ends are equal. For "l1" the lower end is a distance that two members
            have, the upper end follows from the bounds on entries or from the integer program.
        """
        raise self._refusal("diameter")

    def nearest(self, prior: ArrayLike, divergence: Divergence = "euclidean") -> FloatArray:
        """Return the member nearest to a prior kernel, shape (S, A, S); zero rows where unavailable.

        Parameters
        ----------
        prior : array_like, shape (S,) or (S, A, S)
            One row for all, or a kernel; distributions, or for `Unconstrained` any vectors.
        divergence : {"euclidean", "kl"}
            Squared distance, or ``sum p log(p / prior)``, for which the prior has to be positive on every state that
            a member can reach.
        """
        raise self._refusal("nearest member")

    def vertices(self, state: int, action: int) -> FloatArray:
        """Return the extreme points of one E(q), shape (count, S).

        Raises
        ------
        InputError
            If there are too many bases to try.
        """
        raise self._refusal("list of vertices")

    def sample(self, n_samples: int, *, seed: int | np.random.Generator, thinning: int | None = None) -> FloatArray:
        """Draw members, shape (n_samples, S, A, S); zero rows where unavailable.

        Parameters
        ----------
        n_samples : int
            At least 1.
        seed : int or numpy.random.Generator
            Where the randomness comes from.
        thinning : int, optional
            Steps between two samples; the largest dimension (at least 10) when omitted.

        Notes
        -----
        Every sample is a member, up to rounding; rows are independent. The chain of each, hit and run, has the uniform
        distribution on E(q) as its only stationary law; from a start at distance r from the boundary it comes near it
        within O*(d^2 (D/r)^2) steps (Lovasz and Vempala 2006), d the dimension and D the diameter. It starts from a
        central point and runs ten times `thinning` steps first. Samples that follow each other depend on each other.
        """
        raise self._refusal("way to sample")

    def functional_bounds(self, weights: ArrayLike) -> Interval:
        """Return the least and largest ``w.p`` over E(q) (S3).

        Parameters
        ----------
        weights : array_like, shape (S,) or (F, S)
            w.

        Returns
        -------
        Interval
            Both of shape (S, A) or (F, S, A).
        """
        raise self._refusal("bound on functionals")

    def extreme_kernel(self, weights: ArrayLike, *, largest: bool) -> Kernel:
        """Return a member in which every row makes ``w.p`` as large (or as small) as it gets.

        The shape is (S, A, S), or for `Supported` that of a csr_array (S*A, S): known supports may be of large worlds.

        Parameters
        ----------
        weights : array_like, shape (S,)
            w.
        largest : bool
            Whether the largest or the least value is asked for.
        """
        raise self._refusal("extreme kernel")

    def determined_functionals(self, weights: ArrayLike) -> BoolArray:
        """Tell which ``w.p`` have one value on E(q): w lies in the row space of [M;1] on the states in play (S3).

        Parameters
        ----------
        weights : array_like, shape (S,) or (F, S)
            w.

        Returns
        -------
        numpy.ndarray of bool, shape (S, A) or (F, S, A)
            True where the action is unavailable.
        """
        raise self._refusal("test of functionals")

    def contains(self, kernel: Kernel | MDP, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows of a kernel belong to E(q).

        Parameters
        ----------
        kernel : array_like (S, A, S), scipy sparse matrix (S*A, S) or MDP
            The kernel asked about.
        tolerance : float
            How far entries may be from the class.

        Returns
        -------
        numpy.ndarray of bool, shape (S, A)
            True where the action is unavailable. The values may be missed by the uncertainty of the numbers given, by
            what the noise allows, and by 1e-11 of what each goal's row of M varies by: rows are computed.
        """
        rows = self._rows_of(kernel)
        inside = self.kernel_class.contains(rows, tolerance=tolerance)
        support = self.kernel_class.known_supports(self.agent.row_index)
        if support is not None:
            outside = rows - rows * support
            inside = inside & (np.asarray(abs(outside).max(axis=1)).ravel() <= tolerance)
        known = Intervals.of(self._system, np.arange(len(rows)))
        miss = np.abs(known.tests @ rows.T - known.middle)
        inside = inside & (miss <= known.half_width + _COMPUTED).all(axis=0)
        return np.asarray(self._place(inside, True))

    @cached_property
    def _system(self) -> RowSystem:
        return RowSystem.of_agent(self.agent, sums_to_one=self.kernel_class.sums_to_one, noise=self.noise)

    @property
    def is_noisy(self) -> bool:
        """Whether values, or test functions, may be further from the truth than rounding."""
        return is_noisy(self.noise) or bool(np.any(np.asarray(self.agent.test_noise) > 0))

    def _asked(self, rows: ArrayLike | None) -> BoolArray:
        """Return which rows are asked about, shape (S, A)."""
        own = self.agent.available if self.agent.asked is None else self.agent.asked
        return own if rows is None else read_rows(rows, own)

    def _rows_of(self, kernel: Kernel | MDP) -> Any:
        """Return the available rows of a kernel, dense."""
        given: Any = kernel.kernel if isinstance(kernel, MDP) else kernel
        n_states, n_actions = self.agent.available.shape
        is_sparse = issparse(given)
        if is_sparse:
            given = given.toarray()
        elif np.ndim(given) == 3:
            given = np.reshape(given, (-1, np.shape(given)[2]))
        shape = (n_states * n_actions, n_states)
        rows = finite_array("kernel", given, shape, "(S*A, S)", KernelError)
        return rows[self.agent.row_index]

    def _weights(self, weights: ArrayLike) -> FloatArray:
        """Read functionals as (F, S)."""
        n_states = self.agent.n_states
        if np.ndim(weights) == 1:
            return finite_array("weights", weights, (n_states,), "(S,)", InputError)[None]
        return finite_array("weights", weights, (None, n_states), "(F, S)", InputError)

    def _prior(self, prior: ArrayLike) -> FloatArray:
        """Read a prior as one row (1, S) or a row for each available (s, a)."""
        shape = (*self.agent.available.shape, self.agent.n_states)
        if np.ndim(prior) == 1:
            rows = finite_array("prior", prior, shape[2:], "(S,)", InputError)[None]
        else:
            given = finite_array("prior", prior, shape, "(S, A, S)", InputError)
            rows = given.reshape(-1, shape[2])[self.agent.row_index]
        if self.kernel_class.sums_to_one:
            check_distributions("prior", rows, None, "(row, s)", InputError)
        return rows

    def _place(self, values: Any, filler: Any) -> Any:
        """Lay out values of available rows along the last axis as (..., S, A)."""
        whole = np.full((*values.shape[:-1], self.agent.available.size), filler, dtype=values.dtype)
        whole[..., self.agent.row_index] = values
        return whole.reshape(*values.shape[:-1], *self.agent.available.shape)

    def _place_rows(self, rows: FloatArray, filler: float) -> FloatArray:
        """Lay out rows (..., available, S) as (..., S, A, S)."""
        shape = (*rows.shape[:-2], *self.agent.available.shape, rows.shape[-1])
        whole = np.full((*rows.shape[:-2], self.agent.available.size, rows.shape[-1]), filler)
        whole[..., self.agent.row_index, :] = rows
        return whole.reshape(shape)

    def _available_row(self, state: int, action: int) -> int:
        """Return the number of (state, action) among the available rows, or raise."""
        n_states, n_actions = self.agent.available.shape
        if not (0 <= state < n_states and 0 <= action < n_actions):
            raise ShapeError(f"there is no state {state} with action {action}; there are {n_states} and {n_actions}.")
        if not self.agent.available[state, action]:
            raise InputError(f"action {action} of state {state} is not available; its row is in no set.")
        return int(np.searchsorted(self.agent.row_index, state * n_actions + action))

    def _refusal(self, what: str) -> KernelClassError:
        return KernelClassError(f"there is no {what} for rows of class {self.kernel_class.name!r}: {self._remedy}.")


def check_norm(norm: str) -> None:
    """Raise `InputError` unless `norm` names one that is known."""
    if norm not in get_args(Norm):
        raise InputError(f"norm is {norm!r}; expected 'max' or 'l1'.")
