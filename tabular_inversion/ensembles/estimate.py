"""`invert_ensemble`: a kernel with standard errors, from how far the members are from explaining it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.ensembles.ensemble import Ensemble, ensemble_of
from tabular_inversion.ensembles.interval_sets import IntervalSets
from tabular_inversion.ensembles.linearised import Linearised, linearised
from tabular_inversion.equivalence.interface import Interval
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised
from tabular_inversion.records import Record, sealed
from tabular_inversion.recovery import recover
from tabular_inversion.recovery.by_class import METHODS
from tabular_inversion.recovery.regularised import prior_on
from tabular_inversion.recovery.shrinkage import averaged
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE, check_distributions, finite_array

Joint = Literal["entry", "row", "kernel"]


@checked
@dataclass(frozen=True, eq=False, repr=False)
class EnsembleInversion(Record):
    """A kernel with standard errors, and what they say of each probability.

    Attributes
    ----------
    ensemble : Ensemble
        The agents.
    kernel_class : KernelClass
        What is known of the kernel.
    kernel : numpy.ndarray, shape (S, A, S)
        Weighted least squares in the class from the mean values, drawn to the prior if one was given; zero rows where
        the action is unavailable.
    centre : numpy.ndarray, shape (S, A, S)
        The same without signs: least squares among rows that sum to one on their supports. Intervals lie round it,
        since it has no bias at the boundary of the simplex. NaN where unavailable.
    error : numpy.ndarray, shape (S, A, S)
        Standard errors of `centre`.
    determined : numpy.ndarray of bool, shape (S, A, S)
        Which entries the equations see; nothing is said of the others but that they are probabilities.
    pull : numpy.ndarray, shape (S, A)
        What share of each row of `kernel` is the prior's.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, solve
    >>> from tabular_inversion.environments import river_swim
    >>> world = river_swim(4).dense()
    >>> exact = solve(world, Goals.indicator(4))
    >>> found = invert_ensemble([exact.with_noise(1e-3, seed=seed) for seed in range(10)], Stochastic())
    >>> found
    <EnsembleInversion of 10 agents, class 'stochastic': largest standard error 0.0034>
    >>> lower, upper = found.interval(0.99, joint="kernel")
    >>> bool(((lower <= world.kernel) & (world.kernel <= upper)).all())
    True
    """

    ensemble: Ensemble
    kernel_class: KernelClass
    kernel: FloatArray
    centre: FloatArray
    error: FloatArray
    determined: BoolArray
    pull: FloatArray

    def __repr__(self) -> str:
        largest = float(np.nanmax(np.where(self.determined, self.error, np.nan))) if self.determined.any() else np.nan
        return (
            f"<EnsembleInversion of {len(self.ensemble.members)} agents, class {self.kernel_class.name!r}: largest "
            f"standard error {largest:.2g}>"
        )

    def interval(self, level: float = 0.95, *, joint: Joint = "entry") -> Interval:
        """Return an interval for each probability, both ends of shape (S, A, S); NaN where unavailable.

        Parameters
        ----------
        level : float
            With what probability it holds, between 0 and 1.
        joint : {"entry", "row", "kernel"}
            Whether each entry by itself is held with this probability, or all entries of a row, or of all rows, at
            once (Bonferroni).

        Returns
        -------
        Interval
            Student's t round `centre`, cut to [0, 1] for distributions; all of [0, 1] (the line for `Unconstrained`)
            where the entry is not determined.

        Raises
        ------
        InputError
            If a level is not between 0 and 1, or `joint` is unknown.

        Notes
        -----
        Right for errors of mean zero, near to normal, that differ from member to member; see `Ensemble` for those
        that do not. ``tabular-inversion reproduce coverage`` measures it.
        """
        if joint not in get_args(Joint):
            raise InputError(f"joint is {joint!r}; expected 'entry', 'row' or 'kernel'.")
        shown = self.determined & (self.error > 0)
        counts = {"entry": np.ones(self.pull.shape, int), "row": shown.sum(axis=2)}
        counts["kernel"] = np.full(self.pull.shape, shown.sum())
        different, where = np.unique(counts[joint], return_inverse=True)
        factor = np.array([self.ensemble.quantile(level, int(count)) for count in different])
        half = factor[where.reshape(self.pull.shape)][:, :, None] * self.error
        lower = np.where(self.determined, self.centre - half, -np.inf)
        upper = np.where(self.determined, self.centre + half, np.inf)
        if self.kernel_class.sums_to_one:
            lower, upper = np.clip(lower, 0.0, 1.0), np.clip(upper, 0.0, 1.0)
        gone = ~self.ensemble.agent.available
        lower[gone], upper[gone] = np.nan, np.nan
        return Interval(lower, upper)

    def sets(self, level: float = 0.95, *, joint: Joint = "kernel") -> IntervalSets:
        """Return all kernels within the intervals: the hull of the confidence set, which `robust` plans over.

        Parameters
        ----------
        level, joint
            As for `interval`; a robust plan's guarantee holds with probability `level` for "kernel".

        Raises
        ------
        InputError
            If no distribution lies within the intervals of a row: members contradict the class.
        """
        lower, upper = self.interval(level, joint=joint)
        rows = self.ensemble.agent.row_index
        n = lower.shape[2]
        return IntervalSets.of(
            self.ensemble.agent, self.kernel_class, lower.reshape(-1, n)[rows], upper.reshape(-1, n)[rows]
        )

    def contains(self, kernel: ArrayLike | MDP, level: float = 0.95, *, joint: Joint = "row") -> BoolArray:
        """Tell which rows of a kernel lie within the intervals, shape (S, A); True where the action is unavailable."""
        given = kernel.dense().kernel if isinstance(kernel, MDP) else kernel
        rows = finite_array("kernel", given, self.kernel.shape, "(S, A, S)", InputError)
        lower, upper = self.interval(level, joint=joint)
        inside = ((lower <= rows) & (rows <= upper)).all(axis=2)
        return np.asarray(inside | ~self.ensemble.agent.available)

    def to_mdp(self) -> MDP:
        """Return the estimate as a world with the agents' names."""
        agent = self.ensemble.agent
        rows = normalised(self.kernel, within=MEMBERSHIP_TOLERANCE).kernel
        return MDP(rows, agent.one_discount, agent.available, agent.state_names, agent.action_names, agent.coordinates)


@checked
def invert_ensemble(
    agents: Sequence[AgentValues] | Ensemble, kernel_class: KernelClass, *, prior: ArrayLike | None = None
) -> EnsembleInversion:
    """Read one kernel out of several agents that learned the same, with a standard error for each probability.

    Parameters
    ----------
    agents : Ensemble, or sequence of AgentValues
        At least two.
    kernel_class : KernelClass
        `Unconstrained`, `Stochastic` or `Supported`: classes in which rows can be averaged.
    prior : array_like, shape (S,) or (S, A, S), optional
        A kernel to which rows are drawn as far as their errors ask for it (Stein's average).

    Returns
    -------
    EnsembleInversion

    Raises
    ------
    InputError
        If there are fewer than two agents, the class averages no rows, or the prior is no kernel.
    AgentValuesError
        If members differ in more than their values.

    Notes
    -----
    The estimate solves ``M p = q`` for the mean M and q in least squares, each goal weighted by how far the members
    miss its equations. Member i misses them by ``r_i = q_i - M_i p``, and to first order its own kernel differs by
    ``M^+ r_i``: the standard error is that of the mean of these, with the mean of the second order beside it. Errors
    that M and q share, as those of learned values do, cancel in r_i as they do in the estimate, and nothing is assumed
    of how goals and states depend on each other.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, solve
    >>> from tabular_inversion.environments import river_swim
    >>> world = river_swim(4)
    >>> members = [solve(world, Goals.indicator(4)).with_noise(1e-3, seed=seed) for seed in range(10)]
    >>> invert_ensemble(members, Stochastic()).kernel[1, 1].round(2)
    array([0.1, 0.6, 0.3, 0. ])
    """
    ensemble = ensemble_of(agents)
    if "prior" not in METHODS.of(kernel_class).takes:
        raise InputError(f"class {kernel_class.name!r} has no averages of rows; use Stochastic() or Supported.")
    agent = ensemble.agent
    found = linearised(ensemble, kernel_class)
    rows, pull = _in_class(found, agent, kernel_class), np.zeros(len(agent.row_index))
    if prior is not None:
        start = _prior(prior, found, agent, kernel_class)
        drawn = averaged(
            rows, np.where(found.seen, found.error**2, 0.0).sum(axis=1), start, found.support.sum(axis=1) - 1.0
        )
        rows, pull = drawn.rows, drawn.pull
    n, shape = agent.n_states, agent.available.shape

    def placed(values: FloatArray, filler: float) -> FloatArray:
        whole = np.full((agent.available.size, *values.shape[1:]), filler)
        whole[agent.row_index] = values
        return whole.reshape(*shape, *values.shape[1:])

    return EnsembleInversion(
        ensemble=ensemble,
        kernel_class=kernel_class,
        kernel=sealed(placed(rows, 0.0)),
        centre=sealed(placed(found.centre, np.nan)),
        error=sealed(placed(found.error, np.nan)),
        determined=sealed(placed(found.seen.astype(float), 0.0).reshape(*shape, n) > 0),
        pull=sealed(placed(pull[:, None], np.nan)[:, :, 0]),
    )


def _in_class(found: Linearised, agent: AgentValues, kernel_class: KernelClass) -> FloatArray:
    """Return the weighted least squares in the class, shape (rows, S)."""
    rows = np.empty(found.centre.shape)
    for part in found.parts:
        own: Any = recover(
            part.tests * part.weights[:, None],
            part.values * part.weights[:, None],
            kernel_class,
            row_index=agent.row_index[part.places],
        ).rows
        rows[part.places] = own.toarray() if issparse(own) else own
    return rows


def _prior(prior: ArrayLike, found: Linearised, agent: AgentValues, kernel_class: KernelClass) -> FloatArray:
    n = agent.n_states
    if np.ndim(prior) == 1:
        given = finite_array("prior", prior, (n,), "(S,)", InputError)[None]
    else:
        table = finite_array("prior", prior, (*agent.available.shape, n), "(S, A, S)", InputError)
        given = table.reshape(-1, n)[agent.row_index]
    if kernel_class.sums_to_one:
        check_distributions("prior", given, None, "(row, s)", InputError)
    return prior_on(found.support, given, sums_to_one=kernel_class.sums_to_one)
