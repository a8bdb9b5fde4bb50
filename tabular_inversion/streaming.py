"""Rows by the billion: values are read from a file in blocks, and what is recovered is written to files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray, IntArray, SparseMask, SparseMatrix
from tabular_inversion.agent_values.parts import Part
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability.pieces import Ready, RowNames
from tabular_inversion.identifiability.status import Status
from tabular_inversion.identifiability.weighing import recovered, weigh
from tabular_inversion.kernel_classes import Supported
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.certified_rows import certified_rows
from tabular_inversion.recovery.equations import TINY, UNIT, rounding
from tabular_inversion.recovery.system import RowSystem
from tabular_inversion.storage import whole_file
from tabular_inversion.validation import check_discount

_BLOCK_BYTES = 2**26
"""Of the values that are read at a time."""
_UNSEEN = -128
"""Stands in the status of a row that no run has come to."""


@checked
@dataclass(frozen=True)
class StreamedInversion:
    """What `invert_stream` wrote, as arrays that stay on disk.

    Attributes
    ----------
    folder : pathlib.Path
        With ``weights.npy``, ``status.npy`` and ``accuracy.npy``.
    seconds : float
        What this run took; blocks of an earlier one are not counted.
    bytes_read : int
        Of values, in this run.

    Examples
    --------
    See `invert_stream`.
    """

    folder: Path
    seconds: float
    bytes_read: int

    @cached_property
    def status(self) -> Any:
        """The `Status` of each row, shape (S, A), int8; UNDECIDED also where no proof was tried."""
        return np.load(self.folder / "status.npy", mmap_mode="r")

    @cached_property
    def weights(self) -> Any:
        """The probabilities, in the order of the support's entries, shape (entries,)."""
        return np.load(self.folder / "weights.npy", mmap_mode="r")

    @cached_property
    def accuracy(self) -> Any:
        """How far each row may be from the true one, in float32, shape (S, A); infinite where no bound is known."""
        return np.load(self.folder / "accuracy.npy", mmap_mode="r")

    @property
    def identified(self) -> float:
        """The share of rows that are proved to be the only ones with their values."""
        return float((self.status == Status.IDENTIFIED).mean())

    def kernel(self, support: SparseMask) -> SparseMatrix:
        """Return the rows on their support as a csr_array (S*A, S) whose numbers stay on disk."""
        return type(support)((self.weights, support.indices, support.indptr), shape=support.shape)


@checked
def invert_stream(
    q: ArrayLike | str | os.PathLike[str],
    goals: Goals,
    kernel_class: Supported,
    folder: str | os.PathLike[str],
    *,
    discount: float,
    noise: ArrayLike = 0.0,
    decide_rest: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> StreamedInversion:
    """Recover and judge rows on known supports from values that need not fit into memory.

    Parameters
    ----------
    q : array_like, shape (G, S, A), or path of a .npy
        Values of optimal agents, all actions available. A file is mapped and read twice, in blocks of 64 MiB.
    goals : Goals
        G goals without rewards of actions.
    kernel_class : Supported
        What is known: the supports, which stay in memory.
    folder : path-like
        Where to write. A run that was interrupted goes on where it was.
    discount : float
        In [0, 1).
    noise : array_like, scalar or (G,)
        How far each Q-value may be from the truth beyond its rounding, such as `SolverReport.goal_errors`.
    decide_rest : bool
        Whether rows without a compiled proof are decided too, which takes linear programs, about a hundredth of a
        second for each row; else they are recovered, and stay UNDECIDED.
    progress : callable, optional
        ``progress(done, total)`` in rows, after each block.

    Returns
    -------
    StreamedInversion

    Raises
    ------
    ShapeError
        If the sizes do not fit each other.
    InputError
        If the folder holds another question, or goals have rewards of actions.

    Notes
    -----
    Rows for which compiled code (extra ``scale``) finds a proof are IDENTIFIED with certified evidence (T5a); the
    others are decided by what `identify` uses. Beside the support, memory is needed for M and bounds on its errors,
    twice 2 G S floats, and for a block.

    Examples
    --------
    >>> import tempfile
    >>> from tabular_inversion import Goals, Supported, solve
    >>> from tabular_inversion.environments import random_mdp
    >>> world, goals = random_mdp(6, 2, branching=2, discount=0.9, seed=0).sparse(), Goals.generic(6, 3, seed=0)
    >>> agent = solve(world, goals)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = invert_stream(agent.q, goals, Supported.of(world), folder, discount=world.discount, noise=1e-12)
    ...     kernel = found.kernel(Supported.of(world).support)
    ...     found.identified, bool(abs(kernel - world.rows).max() < 1e-9)
    (1.0, True)
    """
    values = np.load(q, mmap_mode="r") if isinstance(q, str | os.PathLike) else np.asarray(q)
    shape = (goals.n_goals, goals.n_states)
    if values.ndim != 3 or values.shape[:2] != shape or goals.action_rewards is not None:
        raise ShapeError(f"q has shape {values.shape}; expected (G, S, A) = {(*shape, 'any')} and no action_rewards.")
    kernel_class.check_fits(values.shape[1] * values.shape[2], values.shape[1])
    asked = (check_discount(discount), np.asarray(noise, np.float64), decide_rest)
    stream = _Stream(values, goals, kernel_class, *asked)
    return stream.run(Path(folder), progress)


class _Stream:
    """Values on their way from a file to rows."""

    def __init__(
        self,
        values: Any,
        goals: Goals,
        kernel_class: Supported,
        discount: float,
        noise: FloatArray,
        decide_rest: bool,
    ) -> None:
        self._values, self._goals, self._class, self._discount = values, goals, kernel_class, discount
        self._decide_rest = decide_rest
        # A float of fewer digits than float64 was rounded to them.
        self._unit = max(UNIT, float(np.finfo(values.dtype).eps) / 2.0)
        self._noise = np.broadcast_to(noise, (goals.n_goals,))
        per_state = values.shape[0] * values.shape[2] * values.dtype.itemsize
        step = max(1, _BLOCK_BYTES // per_state)
        self._blocks = [slice(at, min(at + step, goals.n_states)) for at in range(0, goals.n_states, step)]
        self._bytes = 0

    def run(self, folder: Path, progress: Callable[[int, int], None] | None) -> StreamedInversion:
        started = perf_counter()
        folder.mkdir(parents=True, exist_ok=True)
        self._claim(folder / "question.txt")
        _, n_states, n_actions = self._values.shape
        entries = self._class.support.nnz
        status = _open(folder / "status.npy", (n_states, n_actions), np.int8, _UNSEEN)
        weights = _open(folder / "weights.npy", (entries,), np.float64, 0.0)
        accuracy = _open(folder / "accuracy.npy", (n_states, n_actions), np.float32, np.inf)
        for block in self._blocks:
            if (status[block] == _UNSEEN).any():
                rows = slice(block.start * n_actions, block.stop * n_actions)
                codes, found, bounds = self._block(block, rows)
                ends = self._class.support.indptr[[rows.start, rows.stop]]
                weights[ends[0] : ends[1]] = found
                accuracy[block] = np.nextafter(bounds, np.inf, dtype=np.float32).reshape(-1, n_actions)
                weights.flush()
                accuracy.flush()
                status[block] = codes.reshape(-1, n_actions)  # last: what is marked as seen is there
            if progress is not None:
                progress(block.stop * n_actions, n_states * n_actions)
        status.flush()
        return StreamedInversion(folder, perf_counter() - started, self._bytes)

    def _claim(self, path: Path) -> None:
        """Write down what is asked, or raise `InputError` where something else was asked before."""
        support = self._class.support
        digest = sha256()
        for part in (*self._tests, support.indptr, support.indices, self._goals.rewards, self._goals.continuation):
            digest.update(np.ascontiguousarray(part).view(np.uint8).data)
        asked = (
            f"{self._values.shape} {self._values.dtype} {self._discount!r} {self._decide_rest} {digest.hexdigest()}\n"
        )
        if path.exists() and path.read_text(encoding="utf-8") != asked:
            raise InputError(f"{path.parent} holds the rows of other values or goals; choose another folder.")
        with whole_file(path) as place:
            place.write_text(asked, encoding="utf-8")

    def _read(self, block: slice) -> FloatArray:
        part = np.asarray(self._values[:, block], np.float64)
        self._bytes += part.size * self._values.dtype.itemsize
        return part

    @cached_property
    def _tests(self) -> tuple[FloatArray, FloatArray]:
        """M and a bound on its errors, both (S, G): goals side by side, so that a state is one read."""
        tests, errors = (np.empty((self._goals.n_states, self._goals.n_goals)) for _ in range(2))
        for block in self._blocks:
            v = self._read(block).max(axis=2)
            factors = self._discount * self._goals.continuation[:, block]
            size = np.abs(v)
            doubt = (1.01 * self._unit + rounding(4)) * size + 1.01 * self._noise[:, None] + TINY
            m = self._goals.rewards[:, block] + factors * v
            tests[block] = m.T
            errors[block] = np.where(factors > 0, factors * doubt + rounding(2) * np.abs(m), 0.0).T
        return tests, errors

    def _block(self, block: slice, rows: slice) -> tuple[Any, FloatArray, FloatArray]:
        """Return status, weights and accuracy of the rows of some states."""
        values = self._read(block).reshape(self._goals.n_goals, -1)
        errors = self._unit * np.abs(values) + self._noise[:, None]
        support = self._class.support
        indptr = support.indptr[rows.start : rows.stop + 1]
        tests, test_errors = self._tests
        args = (np.ascontiguousarray(values.T), np.ascontiguousarray(errors.T))
        found = certified_rows(tests, test_errors, *args, (indptr, support.indices))
        codes = np.where(found.proved, Status.IDENTIFIED, Status.UNDECIDED).astype(np.int8)
        left = np.flatnonzero(~found.proved)
        if left.size:
            self._decide(left, rows.start, values[:, left], errors[:, left], codes, found.weights, indptr)
        return codes, found.weights, found.accuracy

    @cached_property
    def _system(self) -> RowSystem:
        tests, errors = self._tests
        none = np.empty((tests.shape[1], 0))
        return RowSystem(tests.T.copy(), none, errors.T.copy(), none, True, tells_apart=_unknown)

    def _decide(
        self,
        left: IntArray,
        first: int,
        values: FloatArray,
        errors: FloatArray,
        codes: Any,
        weights: FloatArray,
        indptr: IntArray,
    ) -> None:
        """Decide rows that have no proof yet, by what `identify` uses, and write what is found in their places."""
        system = self._system.with_values(values, errors)
        names: Any = RowNames(first + left, self._values.shape[2], None, None)
        judged, best = recovered(Ready(Part(np.arange(len(left)), names), system), self._class, None, np.inf)
        if self._decide_rest:
            codes[left] = weigh(judged, self._class, None).decision.codes
        rows: Any = best.rows
        for place, row in enumerate(left):  # few: their supports have different sizes
            start, end = indptr[row] - indptr[0], indptr[row + 1] - indptr[0]
            own = self._class.support.indices[indptr[row] : indptr[row + 1]]
            weights[start:end] = np.asarray(rows[[place]].toarray())[0, own]


def _unknown() -> bool:
    """Do not take near numbers for equal ones: what lies between is not known here."""
    return False


def _open(path: Path, shape: tuple[int, ...], kind: Any, filler: float) -> Any:
    """Map a file for writing; a new one is filled before it gets its name."""
    if not path.exists():
        with whole_file(path) as place:
            whole = np.lib.format.open_memmap(place, mode="w+", dtype=kind, shape=shape)
            whole[...] = filler
            whole.flush()
    return np.load(path, mmap_mode="r+")
