"""Rows as work items: cut by their number, decided by whoever is there, from equations that are sent once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values.parts import Part
from tabular_inversion.identifiability.asked import Scope, ValuesQuestion
from tabular_inversion.identifiability.pieces import Ready, RowNames, grain
from tabular_inversion.identifiability.weighing import Decided, judged, recovered, stated_noise, weigh
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.parallel import run_pieces
from tabular_inversion.recovery import Recovery
from tabular_inversion.recovery.system import RowSystem


class Options(NamedTuple):
    """What `invert` asks beside a verdict: which rows to prefer, and the norm to match columns in."""

    prior: ArrayLike | None
    norm: float


class Found(NamedTuple):
    """What came back of one piece: the decision, the rows where they were asked for, and the piece's equations."""

    decided: Decided
    rows: Recovery | None
    system: RowSystem


class _Shared(NamedTuple):
    """What all pieces have in common: the equations of each group of rows, without right-hand sides."""

    systems: list[RowSystem]
    kernel_class: KernelClass
    scope: Scope
    noise: str | None
    names: tuple[int, Sequence[str] | None, Sequence[str] | None]
    wanted: bool
    norm: float


class _Piece(NamedTuple):
    """Rows of one group: their numbers, right-hand sides and the errors of these; the prior, where each has its own."""

    group: int
    rows: IntArray
    values: FloatArray
    errors: FloatArray
    prior: ArrayLike | None


def decide_elsewhere(
    prepared: Sequence[Ready],
    question: ValuesQuestion,
    executor: Any,
    progress: Callable[[int, int], None] | None,
    options: Options | None = None,
) -> list[Found]:
    """Decide the rows piece by piece, and return the pieces in their order.

    Parameters
    ----------
    prepared : sequence of Ready
        The rows, by the equations that they share.
    question : ValuesQuestion
        What is asked of them.
    executor : concurrent.futures.Executor or dask.distributed.Client
        Who decides.
    progress : callable, optional
        ``progress(done, total)`` in rows.
    options : Options, optional
        Given where the recovered rows are asked for too.
    """
    agent: Any = question.agent
    step = grain(sum(len(each.part.places) for each in prepared))
    runs = [
        (group, np.arange(start, min(start + step, len(each.part.places))))
        for group, each in enumerate(prepared)
        for start in range(0, len(each.part.places), step)
    ]
    pieces = [_piece(prepared[group], group, run, options, len(agent.row_index)) for group, run in runs]
    shared = _Shared(
        [_template(each.system) for each in prepared],
        question.kernel_class,
        question.scope,
        stated_noise(question),
        (agent.n_actions, agent.state_names, agent.action_names),
        options is not None,
        np.inf if options is None else options.norm,
    )
    sizes = [len(run) for _, run in runs]
    answers = run_pieces(_decide, shared, pieces, executor, progress, sizes)
    found = []
    for (group, run), (decided, rows) in zip(runs, answers, strict=True):
        each = prepared[group]
        whole = len(run) == len(each.part.places)
        system = each.system if whole else each.system.select(run)
        found.append(Found(decided._replace(places=each.part.places[run]), rows, system))
    return found


def _piece(each: Ready, group: int, run: IntArray, options: Options | None, n_rows: int) -> _Piece:
    values, errors = each.system.right_hand_sides[:, run], each.system.right_hand_error[:, run]
    prior = None if options is None else prior_of(options.prior, each.part.places[run], n_rows)
    return _Piece(group, each.part.agent.row_index[run], values, errors, prior)


def prior_of(prior: ArrayLike | None, places: IntArray, n_rows: int) -> ArrayLike | None:
    """Return the prior of some rows; what is no row for each is left as it is, to be refused where it is read."""
    table = None if prior is None or isinstance(prior, str) else np.asarray(prior)
    return prior if table is None or table.ndim != 2 or len(table) != n_rows else table[places]


def _template(system: RowSystem) -> RowSystem:
    """Return the equations alone, with what is decided of them; what is not seen in the matrix is worked out first."""
    _ = system.rank, system.sigma_min
    bare = system.select(np.arange(0))
    known = {name: value for name, value in vars(bare).items() if name not in RowSystem.__dataclass_fields__}
    settled = replace(bare, tells_apart=_nothing_hidden if system.hides_nothing else _something_hidden)
    vars(settled).update(known)
    return settled


def _nothing_hidden() -> bool:
    return True


def _something_hidden() -> bool:
    return False


def _decide(shared: _Shared, piece: _Piece) -> tuple[Decided, Recovery | None]:
    """Decide one piece, in any process; places are those of the process that asked."""
    system = shared.systems[piece.group].with_values(piece.values, piece.errors)
    rows: Any = RowNames(piece.rows, *shared.names)
    each = Ready(Part(np.arange(len(piece.rows)), rows), system)
    if not shared.wanted:
        one = judged(each, shared.kernel_class, shared.scope)
        return weigh(one, shared.kernel_class, shared.noise), None
    one, best = recovered(each, shared.kernel_class, piece.prior, shared.norm)
    return weigh(one, shared.kernel_class, shared.noise), best
