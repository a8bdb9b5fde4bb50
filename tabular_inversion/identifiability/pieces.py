"""Rows decided in pieces: by what their equations have in common, by what was asked, and by the time there was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import NamedTuple

import numpy as np

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.parts import Part, parts_of
from tabular_inversion.identifiability.decision import Decision, Pair, joined_reasons
from tabular_inversion.identifiability.merging import row_text
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.system import RowSystem

_FIRST = 64
"""Rows decided before the clock is looked at for the first time."""
_LEAST_PIECE, _MOST_PIECES = 16, 64
"""Into how many pieces rows are cut for an executor, and how small these get."""
_LONG = 0.25
"""Part of the time that is left which the next piece may take."""


class Ready(NamedTuple):
    """Rows that share their equations, with these equations.

    Attributes
    ----------
    part : Part
        Which rows of the agent, and the agent that they are rows of.
    system : RowSystem
        With a right-hand side for each.
    """

    part: Part
    system: RowSystem

    def select(self, places: IntArray) -> Ready:
        """Return some of the rows, by their numbers among these; what was decided of the system is kept."""
        rows = np.zeros(self.part.agent.available.size, bool)
        rows[self.part.agent.row_index[places]] = True
        agent = replace(self.part.agent, asked=rows.reshape(self.part.agent.available.shape))
        return Ready(Part(self.part.places[places], agent), self.system.select(places))


class Judged(NamedTuple):
    """Rows that share their equations, and those of the class that were recovered for them.

    Attributes
    ----------
    ready : Ready
        The rows and their system.
    sought : Recovery or None
        By `seek_rows`: what is decided depends on no unit. None for uniform scope.
    recovery : Recovery or None
        The rows of `recover_rows`, whose residuals are those of the best rows in the units of Q.
    """

    ready: Ready
    sought: Recovery | None
    recovery: Recovery | None


class RowNames(NamedTuple):
    """What a decision needs of an agent: which rows its equations are about, and what they are called.

    Attributes
    ----------
    row_index : numpy.ndarray of int, shape (rows,)
        Numbers s*A + a.
    n_actions : int
        A.
    state_names, action_names : sequence of str or None
        As `AgentValues` has them.
    """

    row_index: IntArray
    n_actions: int
    state_names: Sequence[str] | None
    action_names: Sequence[str] | None

    def name_of(self, state: int, action: int) -> str:
        """Say which row is meant."""
        return row_text(self, state, action)


def grain(n_rows: int) -> int:
    """Return into pieces of how many rows a question is cut: by its size alone, so that no answer depends on who helps.

    Examples
    --------
    >>> grain(10), grain(6400), grain(6401)
    (10, 100, 101)
    """
    return max(min(n_rows, _LEAST_PIECE), -(-n_rows // _MOST_PIECES))


def ready(agent: AgentValues, kernel_class: KernelClass, rows: BoolArray | None = None) -> list[Ready]:
    """Split the rows of an agent, or those asked for, by their equations, and build these."""
    return [
        Ready(part, RowSystem.of_agent(part.agent, sums_to_one=kernel_class.sums_to_one))
        for part in parts_of(agent, rows)
    ]


def in_time(
    prepared: Sequence[Ready], seconds: float | None, progress: Callable[[int, int], None] | None
) -> Iterator[list[Ready]]:
    """Yield the rows in pieces until the time is over; all at once where nobody looks at the clock or the progress.

    The first piece is yielded in any case. Pieces grow while they take little of the time that is left.
    """
    total = sum(len(each.part.places) for each in prepared)
    if seconds is None and progress is None:
        yield list(prepared)
        return
    started, done, size = monotonic(), 0, _FIRST
    for each in prepared:
        count, at = len(each.part.places), 0
        if count > size:
            _ = each.system.rank, each.system.sigma_min  # once for all pieces
        while at < count:
            left = np.inf if seconds is None else seconds - (monotonic() - started)
            if done and left <= 0:
                return
            before = monotonic()
            end = min(count, at + size)
            yield [each if (at, end) == (0, count) else each.select(np.arange(at, end))]
            took = monotonic() - before
            done, at = done + end - at, end
            if progress is not None:
                progress(done, total)
            size = max(1, size * 2 if took < _LONG * min(left, 4.0) else size // 2)


def joined(decisions: Sequence[tuple[IntArray, Decision]], n_rows: int, filler: tuple[int, int]) -> Decision:
    """Put decisions about some rows each together; rows of none get the filler, a status and its evidence."""
    codes, evidence = (np.full(n_rows, code, np.int8) for code in filler)
    pair: Pair | None = None
    for places, decision in decisions:
        codes[places], evidence[places] = decision.codes, decision.evidence
        found = decision.pair
        if found is not None and (pair is None or places[found.row] < pair.row):
            pair = replace(found, row=int(places[found.row]))
    return Decision(codes, evidence, pair, joined_reasons([decision.reason for _, decision in decisions]))
