"""A kernel class of one's own, in one file: rows with no entry above 9/10."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from tabular_inversion import KernelClass, Stochastic
from tabular_inversion.errors import KernelClassError
from tabular_inversion.exact import null_space, rank
from tabular_inversion.identifiability import Status
from tabular_inversion.identifiability.consistency import CONSISTENCY
from tabular_inversion.identifiability.decision import Decision, Pair
from tabular_inversion.identifiability.instance import INSTANCE
from tabular_inversion.identifiability.rational.judge_exactly import EXACT_UNIFORM
from tabular_inversion.identifiability.rational.proofs import RankProof
from tabular_inversion.identifiability.rational.refutations import EXACT_MEMBERS, distribution_fault
from tabular_inversion.identifiability.recheck import RENAMED
from tabular_inversion.identifiability.uniform import UNIFORM, Answer, decide_uniform, full_rank
from tabular_inversion.kernel_classes import are_distributions
from tabular_inversion.recovery import Recovery, simplex_rows
from tabular_inversion.recovery.by_class import METHODS, Method, Wanted
from tabular_inversion.recovery.misfits import misfits
from tabular_inversion.recovery.residual import largest_residual


# -- the class --
@dataclass(frozen=True)
class Bounded(KernelClass):
    """Distributions with no entry above a limit."""

    limit: Fraction = Fraction(9, 10)

    @property
    def name(self) -> str:
        return "bounded"

    def contains(self, rows: Any, *, tolerance: float = 1e-9) -> Any:
        return are_distributions(rows, tolerance) & (rows.max(axis=1) <= float(self.limit) + tolerance)

    def check_fits(self, n_rows: int, n_states: int) -> None:  # noqa: ARG002
        if self.limit * n_states <= 1:
            raise KernelClassError(f"limit is {self.limit}; on {n_states} states it has to be above 1/{n_states}.")


# -- recovery --
def recover_bounded(wanted: Wanted) -> Recovery:
    """Take the nearest distribution; where that has too large an entry, the nearest vector between the bounds."""
    limit = float(wanted.kernel_class.limit)
    wanted.kernel_class.check_fits(0, wanted.system.n_states)
    rows = np.array(simplex_rows(wanted.tests, wanted.values, uncertainty=wanted.doubt).rows)
    ones = np.abs(wanted.tests).max()
    equations = np.concatenate([wanted.tests, np.full((1, rows.shape[1]), ones)])
    for row in np.flatnonzero(~wanted.kernel_class.contains(rows)):
        values = np.append(wanted.values[:, row], ones)
        rows[row] = lsq_linear(equations, values, (0.0, limit), method="bvls", tol=1e-15).x
    residual = largest_residual(wanted.tests, rows, wanted.values)
    return Recovery(rows, residual, wanted.system.rank, np.nan, "bounded least squares")


# -- the uniform question --
def two_members(vector: Any, limit: Any) -> tuple[Any, Any]:
    """Go from the uniform row along a vector whose entries sum to zero, as far as both bounds allow."""
    middle = limit / limit / len(vector)
    step = min((limit - middle) / vector.max(), middle / -vector.min())
    return middle + step * vector, middle + 0 * vector


def decide_bounded(system: Any, kernel_class: Bounded, _row_index: Any) -> Answer:
    """The class has a member inside both bounds, so that [M;1] has to have full rank, as for all distributions."""
    kernel_class.check_fits(0, system.n_states)
    answer = full_rank(system, "[M;1]")
    if answer.status is not Status.NOT_IDENTIFIED:
        return answer
    return replace(answer, rows=two_members(system.null_basis[:, -1], float(kernel_class.limit)))


# -- the instance question: what full rank does not settle stays undecided --
def decide_rows(system: Any, kernel_class: Bounded, row_index: Any, _rows: Any) -> Decision:
    found = decide_uniform(system, kernel_class, row_index)
    known = found.codes == Status.IDENTIFIED
    codes = np.where(known, found.codes, Status.UNDECIDED).astype(np.int8)
    return Decision(codes, np.where(known, found.evidence, 0).astype(np.int8), None, found.reason)


def explained(system: Any, _class: Bounded, row_index: Any, rows: Any) -> tuple[Any, Any]:
    """What no distribution explains, no bounded one does; another row that misses its values proves nothing."""
    impossible, _ = CONSISTENCY.of(Stochastic())(system, Stochastic(), row_index, rows)
    misfit, within = misfits(system, rows)
    return impossible, (np.abs(misfit) > within).any(axis=0) & ~impossible


# -- the exact decision --
def decide_exactly(system: Any, kernel_class: Bounded) -> Decision:
    kernel_class.check_fits(0, system.n_states)
    found, rows = rank(system.matrix), np.arange(system.n_rows)
    reason = f"[M;1] has rank {found.rank} of {system.n_states}"
    if found.rank == system.n_states:
        codes = np.full(len(rows), Status.IDENTIFIED, np.int8)
        return Decision.proved(codes, (RankProof(rows, found),), None, reason)
    pair = Pair(0, *two_members(null_space(system.matrix)[:, 0], kernel_class.limit))
    return Decision.proved(np.full(len(rows), Status.NOT_IDENTIFIED, np.int8), (), pair, reason)


def fault(kernel_class: Bounded, row: Any, number: int) -> str:
    above = f"has an entry above {kernel_class.limit}" if row.max() > kernel_class.limit else ""
    return distribution_fault(kernel_class, row, number) or above


# -- the registrations --
TABLES = (METHODS, UNIFORM, INSTANCE, CONSISTENCY, RENAMED, EXACT_UNIFORM, EXACT_MEMBERS)


def register() -> None:
    METHODS.register(Bounded, Method(recover_bounded))
    UNIFORM.register(Bounded, decide_bounded)
    INSTANCE.register(Bounded, decide_rows)
    CONSISTENCY.register(Bounded, explained)
    RENAMED.register(Bounded, lambda kernel_class, _agent, _order: kernel_class)
    EXACT_UNIFORM.register(Bounded, decide_exactly)
    EXACT_MEMBERS.register(Bounded, fault)
