"""Rows that were recovered, weighed: what their values and the numbers' uncertainty decide, in any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import describe_noise
from tabular_inversion.identifiability.asked import Scope, ValuesQuestion
from tabular_inversion.identifiability.consistency import Consistency, consistency
from tabular_inversion.identifiability.decision import Decision
from tabular_inversion.identifiability.instance import decide_instance
from tabular_inversion.identifiability.pieces import Judged, Ready, RowNames
from tabular_inversion.identifiability.uniform import decide_uniform
from tabular_inversion.identifiability.verdict import Evidence, Status
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.recovery import Recovery, recover_rows, seek_rows
from tabular_inversion.recovery.system import RowSystem


def judged(each: Ready, kernel_class: KernelClass, scope: Scope) -> Judged:
    """Recover the rows, where the question is about them."""
    if scope == "uniform":
        return Judged(each, None, None)
    row_index = each.part.agent.row_index
    sought = seek_rows(each.system, kernel_class, row_index=row_index)
    return Judged(each, sought, recover_rows(each.system, kernel_class, row_index=row_index, sought=sought))


def recovered(
    each: Ready,
    kernel_class: KernelClass,
    prior: ArrayLike | None,
    norm: float,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Judged, Recovery]:
    """Recover rows for a verdict, which depends on no prior and no norm, and those that these prefer."""
    index = each.part.agent.row_index
    sought = seek_rows(each.system, kernel_class, row_index=index, progress=progress)
    plain = recover_rows(each.system, kernel_class, row_index=index, sought=sought)
    best = plain
    if prior is not None or norm != np.inf:
        best = recover_rows(each.system, kernel_class, row_index=index, prior=prior, norm=norm, progress=progress)
    return Judged(each, sought, plain), best


class Decided(NamedTuple):
    """Which rows of the agent, what was decided of them, and the largest residual of a recovered row; else NaN."""

    places: IntArray
    decision: Decision
    residual: float


def stated_noise(question: ValuesQuestion) -> str | None:
    """Return the noise in words; None where there is none."""
    return describe_noise(question.noise) if question.is_noisy else None


def weigh(one: Judged, kernel_class: KernelClass, noise: str | None) -> Decided:
    """Decide rows that were recovered, or, at uniform scope, were not, where `noise` is what was stated."""
    own, system = one.ready.part.agent, one.ready.system
    if one.sought is None or one.recovery is None:
        found = decide_uniform(system, kernel_class, own.row_index)
        return Decided(one.ready.part.places, _only_proofs(found, noise), float("nan"))
    explained = consistency(system, kernel_class, own.row_index, one.sought.rows, one.recovery.residual)
    decision = _decide_consistent(own, kernel_class, system, one.sought.rows, explained, noise)
    return Decided(one.ready.part.places, decision, float(explained.residuals.max()))


def _decide_consistent(
    agent: AgentValues | RowNames,
    kernel_class: KernelClass,
    system: RowSystem,
    rows: Kernel,
    explained: Consistency,
    noise: str | None,
) -> Decision:
    """Decide the rows that the class can explain; the others are inconsistent."""
    kept = explained.possible
    if len(kept) == len(explained.residuals):
        decision = _only_proofs(decide_instance(system, kernel_class, agent.row_index, rows), noise)
    else:
        codes = np.full(len(explained.residuals), Status.INCONSISTENT, np.int8)
        strength = Evidence.CERTIFIED if system.rigorous else Evidence.NUMERIC
        evidence, pair, reason = np.full(len(codes), strength, np.int8), None, explained.reason(agent)
        if kept.size:
            part = system.select(kept)
            found = _only_proofs(decide_instance(part, kernel_class, agent.row_index[kept], rows[kept]), noise)
            codes[kept], evidence[kept], pair = found.codes, found.evidence, found.pair
            pair = None if pair is None else replace(pair, row=int(kept[pair.row]))
        decision = Decision(codes, evidence, pair, reason)
    if not explained.unknown.any():
        return decision
    codes = np.where(explained.unknown, Status.UNDECIDED, decision.codes).astype(np.int8)
    count = int(explained.unknown.sum())
    reason = f"{decision.reason}; whether the class explains {count} rows is open: their noise would decide, if stated"
    return _undecided(replace(decision, codes=codes, reason=reason))


def _only_proofs(decision: Decision, noise: str | None) -> Decision:
    """Under noise, what is read off the values at hand says little of the true ones: leave only what is proved."""
    bare = (decision.evidence == Evidence.NUMERIC) & (decision.codes != Status.UNDECIDED)
    codes = np.where(bare, Status.UNDECIDED, decision.codes).astype(np.int8)
    count = int((codes == Status.UNDECIDED).sum())
    if noise is None or not count:
        return decision
    # K(3,3) at discount 1/2 (ST): what lowers the rank there is gone in values as near as one likes.
    open_end = "less would where rows are identified; that one is not cannot be told from noisy values"
    reason = f"{decision.reason}; under noise of {noise} this proves nothing for {count} rows: {open_end}"
    return _undecided(replace(decision, codes=codes, reason=reason))


def _undecided(decision: Decision) -> Decision:
    """Take evidence, and a pair, from rows that are undecided."""
    evidence = np.where(decision.codes == Status.UNDECIDED, Evidence.NUMERIC, decision.evidence).astype(np.int8)
    pair = decision.pair
    kept = pair if pair is not None and decision.codes[pair.row] == Status.NOT_IDENTIFIED else None
    return replace(decision, evidence=evidence, pair=kept)
