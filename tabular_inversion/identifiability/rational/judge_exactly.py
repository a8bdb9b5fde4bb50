"""`identify` in rational arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import issparse

from tabular_inversion import exact
from tabular_inversion._typing import FloatArray
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.identifiability.asked import Hint, Scope, ValuesQuestion
from tabular_inversion.identifiability.consistency import Consistency
from tabular_inversion.identifiability.decision import Decision
from tabular_inversion.identifiability.rational.classes import (
    deterministic,
    stochastic_instance,
    stochastic_uniform,
    unconstrained,
)
from tabular_inversion.identifiability.rational.sparse import sparse_instance, sparse_uniform
from tabular_inversion.identifiability.rational.system import ExactSystem
from tabular_inversion.identifiability.verdict import Status, Verdict
from tabular_inversion.identifiability.witnesses import make_witness
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.recovery import recover
from tabular_inversion.recovery.system import RowSystem

Guess = Callable[[], FloatArray]


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
    if scope == "uniform":
        decision = EXACT_UNIFORM.of(kernel_class)(exact_system(agent, kernel_class), kernel_class)
    else:
        decide = EXACT_INSTANCE.of(kernel_class)
        decision = decide(exact_system(agent, kernel_class), kernel_class, partial(guessed_rows, agent, kernel_class))
    return _dress(agent, kernel_class, scope, decision)


def guessed_rows(agent: ExactAgentValues, kernel_class: KernelClass) -> FloatArray:
    """Recover rows in floats, shape (rows, S): near enough to guess fractions from, which are then checked."""
    floats = agent.to_float()
    found = recover(floats.test_matrix, floats.right_hand_sides, kernel_class, row_index=agent.row_index)
    rows: FloatArray = found.rows.toarray() if issparse(found.rows) else found.rows
    return rows


def exact_system(agent: ExactAgentValues, kernel_class: KernelClass) -> ExactSystem:
    """Return the equations that the rows of an agent satisfy within a class."""
    matrix, values = agent.test_matrix, agent.right_hand_sides
    if kernel_class.sums_to_one:
        one = exact.as_fraction(1)
        matrix = np.concatenate([matrix, np.full((1, agent.n_states), one, dtype=object)])
        values = np.concatenate([values, np.full((1, values.shape[1]), one, dtype=object)])
    support = kernel_class.known_supports(agent.row_index)
    allowed = np.ones((len(agent.row_index), agent.n_states), bool) if support is None else support.toarray()
    return ExactSystem(matrix, values, agent.row_index, allowed, kernel_class.most(agent.n_states))


def _dress(agent: ExactAgentValues, kernel_class: KernelClass, scope: Scope, decision: Decision) -> Verdict:
    codes, pair = decision.codes, decision.pair
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
        decision.evidence,
        rank=_rank(agent, kernel_class),
        sigma_min=scaled.sigma_min,
        witness=None if pair is None else make_witness(agent, int(agent.row_index[pair.row]), pair.first, pair.second),
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


def _vectors_uniform(system: ExactSystem, _class: KernelClass) -> Decision:
    return unconstrained(system, uniform=True)


def _vectors_instance(system: ExactSystem, _class: KernelClass, _guess: Guess) -> Decision:
    return unconstrained(system, uniform=False)


def _distributions_uniform(system: ExactSystem, _class: KernelClass) -> Decision:
    return stochastic_uniform(system)


def _distributions_instance(system: ExactSystem, _class: KernelClass, guess: Guess) -> Decision:
    return stochastic_instance(system, guess())


def _sparse_uniform(system: ExactSystem, _class: KernelClass) -> Decision:
    return sparse_uniform(system, system.max_successors)


def _sparse_instance(system: ExactSystem, _class: KernelClass, guess: Guess) -> Decision:
    return sparse_instance(system, system.max_successors, guess())


def _vertices_uniform(system: ExactSystem, _class: KernelClass) -> Decision:
    return deterministic(system, uniform=True)


def _vertices_instance(system: ExactSystem, _class: KernelClass, _guess: Guess) -> Decision:
    return deterministic(system, uniform=False)


EXACT_UNIFORM: ClassTable[Callable[[ExactSystem, Any], Decision]] = ClassTable(
    "the uniform question in fractions",
    {
        Unconstrained: _vectors_uniform,
        Stochastic: _distributions_uniform,
        Supported: _distributions_uniform,
        Sparse: _sparse_uniform,
        Deterministic: _vertices_uniform,
    },
)
"""By class, ``decide(system, kernel_class)``."""

EXACT_INSTANCE: ClassTable[Callable[[ExactSystem, Any, Guess], Decision]] = ClassTable(
    "the instance question in fractions",
    {
        Unconstrained: _vectors_instance,
        Stochastic: _distributions_instance,
        Supported: _distributions_instance,
        Sparse: _sparse_instance,
        Deterministic: _vertices_instance,
    },
)
"""By class, ``decide(system, kernel_class, guess)``, where ``guess()`` recovers rows in floats."""
