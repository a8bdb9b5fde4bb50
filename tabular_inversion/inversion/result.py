"""What `invert` returns: a kernel with its residuals, its accuracy and its verdict."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.error_bounds.bounds import ErrorBound, error_bound
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.identifiability.accuracy import entry_errors
from tabular_inversion.identifiability.judge import with_noise
from tabular_inversion.identifiability.pieces import ready
from tabular_inversion.identifiability.verdict import Status, Verdict
from tabular_inversion.kernel_rows import KernelRows
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised
from tabular_inversion.record_files import load_record, save_record
from tabular_inversion.records import Record, sealed
from tabular_inversion.recovery.by_class import METHODS
from tabular_inversion.recovery.result import Recovery, together
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Inversion(KernelRows, Record):
    """A kernel recovered from values.

    Attributes
    ----------
    kernel : numpy.ndarray (S, A, S) or scipy.sparse.csr_array (S*A, S)
        The recovered kernel; sparse for `Supported`. Rows of unavailable actions are zero.
    residual : numpy.ndarray, shape (S, A)
        ``max_g |M P(s,a) - Q(s,a)|`` of each row, in the units of Q; NaN where the action is unavailable.
    rank : int
        Numerical rank of the system inverted: of M for `Unconstrained`, of [M;1] otherwise.
    condition : float
        Largest condition number among the systems solved.
    method : str
        How the rows were found.
    verdict : Verdict
        Whether the kernel is the only one of the class with these values.
    agent : AgentValues
        The values that were inverted.
    matching_norm : float
        For `Deterministic`: the norm over goals in which columns were matched.
    pull : numpy.ndarray, shape (S, A), or None
        What share of each row is the prior's, from 0 to 1, where noise or counts asked for one (NaN where the action is
        unavailable); None for plain least squares.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, invert, solve
    >>> from tabular_inversion.environments import chain
    >>> invert(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic()).to_mdp()
    MDP(n_states=3, n_actions=2, discount=0.95, dense)
    """

    kernel: Kernel
    residual: FloatArray
    rank: int
    condition: float
    method: str
    verdict: Verdict
    agent: AgentValues
    matching_norm: float
    pull: FloatArray | None = None

    def __repr__(self) -> str:
        worst = float(np.nanmax(self.residual))
        return f"<Inversion by {self.method}: {self.verdict.status.name}, largest residual {worst:.1e}>"

    @cached_property
    def accuracy(self) -> FloatArray:
        """How far the entries of each row of `kernel` are from the true ones, at most, shape (S, A).

        The truth is a kernel of the class with these values, each correctly rounded, or within the noise that was
        stated. The bound takes in all rounding, and the weight that a numeric verdict takes as zero; for max-entropy
        agents it rests on the machine's exponentials. Values may single out one kernel and still leave few digits of
        it: then this number is large. Infinite where the row is not identified or no bound is known, NaN where the
        action is unavailable.

        Examples
        --------
        >>> from tabular_inversion import Goals, Stochastic, invert, solve
        >>> from tabular_inversion.environments import chain
        >>> bool(invert(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic()).accuracy.max() < 1e-12)
        True
        """
        agent, verdict = self.agent, self.verdict
        rows = self.kernel.reshape(-1, agent.n_states) if isinstance(self.kernel, np.ndarray) else self.kernel
        bound = np.where(agent.available, np.inf, np.nan).ravel()
        kernel_class, identified = verdict.kernel_class, verdict.row_status.ravel() == Status.IDENTIFIED
        for part, system in ready(with_noise(agent, verdict.noise), kernel_class):
            index = part.agent.row_index
            known = np.flatnonzero(identified[index])
            if known.size:
                bound[index[known]] = entry_errors(system, kernel_class, index, rows[index], known)
        return bound.reshape(agent.available.shape)

    def to_dict(self) -> dict[str, Any]:
        """Return how the kernel was found and the verdict, as JSON takes them; `save` writes everything."""
        worst = float(np.nanmax(self.residual))
        found = {"method": self.method, "rank": self.rank, "condition": self.condition, "max_residual": worst}
        return found | {"verdict": self.verdict.to_dict()}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result with its agent and verdict to a .npz or .json file, exactly.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from tabular_inversion import Goals, Stochastic, invert, solve
        >>> from tabular_inversion.environments import chain
        >>> result = invert(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "inversion.npz"
        ...     result.save(path)
        ...     Inversion.load(path) == result
        True
        """
        save_record(path, "inversion", self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Inversion:
        """Read what `save` wrote; raises `FileFormatError` if it is damaged or holds something else."""
        return load_record(path, "inversion", cls)

    @classmethod
    def merge(cls, parts: Sequence[Inversion]) -> Inversion:
        """Return one result from several on different rows of the same values, class and noise.

        Raises
        ------
        InputError
            If there is none, two are about different questions or norms, or two have the same row.

        Examples
        --------
        >>> from tabular_inversion import Goals, Stochastic, invert, solve
        >>> from tabular_inversion.environments import chain
        >>> agent = solve(chain(3), Goals.generic(3, 3, seed=0))
        >>> parts = [invert(agent, Stochastic(), rows=rows) for rows in ([0, 3, 4], [1, 2, 5])]
        >>> Inversion.merge(parts).verdict
        <Verdict IDENTIFIED, certified, instance scope, optimal agents: 6 of 6 rows identified>
        """
        verdict = Verdict.merge([part.verdict for part in parts])
        if len({part.matching_norm for part in parts}) > 1:
            raise InputError("two results matched columns in different norms; merge those of one.")
        agent, found = parts[0].agent, []
        for part in parts:
            own = part.decided.ravel()
            rows: Any = part.kernel if issparse(part.kernel) else part.kernel.reshape(own.size, -1)
            recovery = Recovery(rows[own], part.residual.ravel()[own], part.rank, part.condition, part.method)
            found.append((np.searchsorted(agent.row_index, np.flatnonzero(own)), recovery))
        return inversion_of(agent, found, verdict, parts[0].matching_norm)

    @property
    def decided(self) -> BoolArray:
        """Which rows were asked for, shape (S, A)."""
        question: Any = self.verdict.question
        return np.asarray(question.decided)

    def _check_whole(self) -> None:
        left = int((self.agent.available & ~self.decided).sum())
        if left:
            raise InputError(f"{left} rows were left out of this result; merge it with one on them.")

    def to_mdp(self, *, prune: float = 1e-12) -> MDP:
        """Return the recovered kernel as a world with the agent's names, its rows `normalised` within 1e-9.

        Parameters
        ----------
        prune : float
            Entries up to this are dust that a computation left: they are set to zero before rows are normalised.

        Raises
        ------
        InputError
            If `prune` is negative, or 1e-9 or more: that would be no dust; or if rows were left out.
        KernelError
            If a row is further from a distribution than that.
        AgentValuesError
            If goals have several discounts.
        """
        if not 0.0 <= prune < MEMBERSHIP_TOLERANCE:
            raise InputError(f"prune is {prune}; expected at least 0 and less than {MEMBERSHIP_TOLERANCE:g}.")
        self._check_whole()
        rows = normalised(pruned(self.kernel, prune), within=MEMBERSHIP_TOLERANCE).kernel
        agent = self.agent
        names = (agent.state_names, agent.action_names, agent.coordinates)
        return MDP(rows, agent.one_discount, agent.available, *names)

    def _difference(self, truth: MDP) -> Any:
        self._check_whole()
        if not np.array_equal(truth.available, self.agent.available):
            raise ShapeError("the true world has other states or actions than the recovered one; compare equals.")
        sparse = issparse(self.kernel) or truth.is_sparse
        own = csr_array(self.kernel.reshape(truth.rows.shape)) if sparse else self.kernel.reshape(truth.rows.shape)
        return abs(own - (csr_array(truth.rows) if sparse else truth.rows))

    def max_error(self, truth: MDP) -> float:
        """Return the largest ``|recovered - true|`` over all entries."""
        return float(self._difference(truth).max())

    def mse(self, truth: MDP) -> float:
        """Return the mean of (recovered - true)^2 over all (s, a, s') of available actions."""
        difference = self._difference(truth)
        return float((difference * difference).sum() / (self.agent.available.sum() * truth.n_states))

    def error_bound(self, eps: float, *, norm: float = np.inf, noise_norm: float | None = None) -> ErrorBound:
        """Bound the distance of each row from the true one if the agent's values have noise of at most `eps`.

        Parameters
        ----------
        eps, norm, noise_norm
            As for `tabular_inversion.error_bounds.error_bound`.

        Raises
        ------
        InputError
            If a number is out of range, or, for `Deterministic`, columns were matched in another norm than the
            noise's; or rows were drawn to a prior: the bound is about least squares.
        KernelClassError
            For `Sparse`.
        """
        if self.pull is not None:
            raise InputError(
                "rows were drawn to a prior, and T3d bounds least squares; invert without prior or weights."
            )
        noise_in = norm if noise_norm is None else noise_norm
        matched = "norm" in METHODS.of(self.verdict.kernel_class).takes
        if matched and noise_in != self.matching_norm:
            raise InputError(
                f"noise is measured in norm {noise_in}, and columns were matched in norm {self.matching_norm}; "
                "invert with that norm, or give this noise_norm."
            )
        return error_bound(self.agent, self.verdict.kernel_class, eps, norm=norm, noise_norm=noise_norm)


def pruned(kernel: Kernel, least: float) -> Kernel:
    """Return a kernel without its entries between 0 and `least`."""
    if isinstance(kernel, np.ndarray):
        return np.where((kernel > 0) & (kernel <= least), 0.0, kernel)
    kept = csr_array(kernel, copy=True)
    kept.data[(kept.data > 0) & (kept.data <= least)] = 0.0
    kept.eliminate_zeros()
    return kept


def inversion_of(
    agent: AgentValues,
    found: Sequence[tuple[IntArray, Recovery]],
    verdict: Verdict,
    norm: float,
    pull: FloatArray | None = None,
) -> Inversion:
    """Lay out rows with their places among those of the agent."""
    rows = together([each for _, each in found], [places for places, _ in found])
    index = agent.row_index[np.sort(np.concatenate([places for places, _ in found]))]
    residual = np.full(agent.available.size, np.nan)
    residual[index] = rows.residual
    kernel = rows.kernel(index, agent.available)
    if len(index) < agent.available.sum() and not issparse(kernel):
        left = agent.available.copy()
        left.ravel()[index] = False
        kernel[left] = np.nan
    return Inversion(
        kernel=sealed(kernel),
        residual=sealed(residual.reshape(agent.available.shape)),
        rank=rows.rank,
        condition=rows.condition,
        method=rows.method,
        verdict=verdict,
        agent=agent,
        matching_norm=norm,
        pull=pull,
    )
