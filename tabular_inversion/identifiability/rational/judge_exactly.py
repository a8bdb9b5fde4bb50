"""`identify` in rational arithmetic."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from tabular_inversion import exact
from tabular_inversion._typing import FloatArray
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.identifiability.asked import Hint, Scope, ValuesQuestion
from tabular_inversion.identifiability.consistency import Consistency
from tabular_inversion.identifiability.rational.classes import (
    deterministic,
    stochastic_instance,
    stochastic_uniform,
    unconstrained,
)
from tabular_inversion.identifiability.rational.decision import ExactDecision
from tabular_inversion.identifiability.rational.refutations import make_exact_witness
from tabular_inversion.identifiability.rational.sparse import sparse_instance, sparse_uniform
from tabular_inversion.identifiability.rational.system import ExactSystem
from tabular_inversion.identifiability.verdict import Evidence, Status, Verdict
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Supported, Unconstrained
from tabular_inversion.recovery import recover
from tabular_inversion.recovery.system import RowSystem


def identify_exactly(agent: ExactAgentValues, kernel_class: KernelClass, scope: Scope) -> Verdict:
    """Decide in rational arithmetic; see `identify`.

    Parameters
    ----------
    agent : ExactAgentValues
        Values in fractions.
    kernel_class : KernelClass
        The class.
    scope : {"instance", "uniform"}
        The question.
    """
    system = exact_system(agent, kernel_class)
    guess = None
    if scope == "instance" and not isinstance(kernel_class, Unconstrained | Deterministic):
        floats = agent.to_float()
        found = recover(floats.test_matrix, floats.right_hand_sides, kernel_class, row_index=agent.row_index)
        guess = found.rows.toarray() if issparse(found.rows) else found.rows
    decision = _decide(system, kernel_class, scope, guess)
    return _dress(agent, kernel_class, scope, decision)


def exact_system(agent: ExactAgentValues, kernel_class: KernelClass) -> ExactSystem:
    """Return the equations that the rows of an agent satisfy within a class."""
    matrix, values = agent.test_matrix, agent.right_hand_sides
    if kernel_class.sums_to_one and not isinstance(kernel_class, Deterministic):
        one = exact.as_fraction(1)
        matrix = np.concatenate([matrix, np.full((1, agent.n_states), one, dtype=object)])
        values = np.concatenate([values, np.full((1, values.shape[1]), one, dtype=object)])
    allowed = np.ones((len(agent.row_index), agent.n_states), bool)
    if isinstance(kernel_class, Supported):
        allowed = kernel_class.rows(agent.row_index).toarray()
    most = kernel_class.max_successors if isinstance(kernel_class, Sparse) else agent.n_states
    return ExactSystem(matrix, values, agent.row_index, allowed, most)


def _decide(system: ExactSystem, kernel_class: KernelClass, scope: Scope, guess: FloatArray | None) -> ExactDecision:
    if isinstance(kernel_class, Unconstrained):
        return unconstrained(system, uniform=scope == "uniform")
    if isinstance(kernel_class, Deterministic):
        return deterministic(system, uniform=scope == "uniform")
    if isinstance(kernel_class, Sparse):
        n_successors = kernel_class.most(system.matrix.shape[1])
        return sparse_uniform(system, n_successors) if guess is None else sparse_instance(system, n_successors, guess)
    return stochastic_uniform(system) if guess is None else stochastic_instance(system, guess)


def _dress(agent: ExactAgentValues, kernel_class: KernelClass, scope: Scope, decision: ExactDecision) -> Verdict:
    codes = decision.codes
    evidence = np.where(codes == Status.UNDECIDED, Evidence.NUMERIC, Evidence.EXACT).astype(np.int8)
    floats = agent.to_float()
    # In floats, for orientation only: the exact decision does not use them.
    residual, reason = float("nan") if scope == "uniform" else 0.0, decision.reason
    if (codes == Status.INCONSISTENT).any():
        found = recover(floats.test_matrix, floats.right_hand_sides, kernel_class, row_index=agent.row_index)
        missed = Consistency(codes == Status.INCONSISTENT, np.zeros(len(codes), bool), found.residual)
        residual, reason = float(missed.residuals.max()), f"{reason}; {missed.reason(floats)}"
    scaled = RowSystem.of(floats.test_matrix, floats.right_hand_sides, sums_to_one=kernel_class.sums_to_one)
    return Verdict.of_rows(
        ValuesQuestion(agent, kernel_class, scope),
        codes,
        evidence,
        rank=_rank(agent, kernel_class),
        sigma_min=scaled.sigma_min,
        witness=None if decision.pair is None else make_exact_witness(agent, decision.pair),
        reason=reason,
        largest_residual=residual,
        proofs=decision.proofs,
        hint=Hint.KNOWN_SUPPORT,
    )


def _rank(agent: ExactAgentValues, kernel_class: KernelClass) -> int:
    matrix = agent.test_matrix
    if kernel_class.sums_to_one:
        matrix = np.concatenate([matrix, np.full((1, agent.n_states), exact.as_fraction(1), dtype=object)])
    return exact.rank(matrix).rank
