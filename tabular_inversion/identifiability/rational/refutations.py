"""Witnesses in fractions: two rows of the class with the same values, made and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tabular_inversion import exact
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactAgentValues, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained


def check_rows_exactly(agent: ExactAgentValues, witness: Witness, kernel_class: KernelClass) -> None:
    """Check two rows in fractions: members of the class, different, equal values for every goal, as measured.

    Raises
    ------
    WitnessError
        Saying what fails.
    """
    where = f"witness for state {witness.state}, action {witness.action}"
    if any(row.shape != (agent.n_states,) or row.dtype != object for row in (witness.first, witness.second)):
        raise WitnessError(f"{where}: expected two rows of {agent.n_states} fractions.")
    for row in (witness.first, witness.second):
        number = witness.state * agent.n_actions + witness.action
        fault = EXACT_MEMBERS.of(kernel_class)(kernel_class, row, number)
        if fault:
            raise WitnessError(f"{where}: a row {fault}.")
    if (witness.first == witness.second).all():
        raise WitnessError(f"{where}: the two rows are equal.")
    if (agent.test_matrix @ (witness.first - witness.second) != 0).any() or witness.value_gap != 0:
        raise WitnessError(f"{where}: the values differ.")


def check_own_values_exactly(agent: ExactAgentValues, witness: Witness) -> None:
    """Check that the rows have the agent's own values at their place, as instance scope asks.

    Raises
    ------
    WitnessError
        If they have not.
    """
    row = int(np.searchsorted(agent.row_index, witness.state * agent.n_actions + witness.action))
    if (agent.test_matrix @ witness.first != agent.right_hand_sides[:, row]).any():
        raise WitnessError(
            f"witness for state {witness.state}, action {witness.action}: its rows have equal values, but not the "
            "agent's."
        )


def check_forward_exactly(agent: ExactAgentValues, kernel: FractionArray, witness: Witness) -> None:
    """Solve (or evaluate) the agent in both kernels, in fractions, and compare their Q-values for every goal.

    Parameters
    ----------
    agent : ExactAgentValues
        Goals, discount and policy.
    kernel : numpy.ndarray of Fraction, shape (S, A, S)
        A kernel with the agent's values; its row is replaced by each of the witness's rows in turn.
    witness : Witness
        Of instance scope.

    Raises
    ------
    WitnessError
        If any two of the three Q-functions differ.
    """
    for row in (witness.first, witness.second):
        changed = np.array(kernel)
        changed[witness.state, witness.action] = row
        world = ExactMDP(changed, agent.discount, agent.available)
        forward = (
            exact.solve(world, agent.goals)
            if agent.policy is None
            else exact.evaluate(world, agent.goals, agent.policy)
        )
        if not np.array_equal(forward.q, agent.q):
            raise WitnessError(f"witness for state {witness.state}, action {witness.action}: the Q-values differ.")


def _any_row(_class: KernelClass, _row: FractionArray, _number: int) -> str:
    return ""


def distribution_fault(_class: KernelClass, row: FractionArray, _number: int) -> str:
    """Say what keeps a row of fractions from being a distribution; nothing if it is one."""
    return "is no distribution" if (row < 0).any() or row.sum() != 1 else ""


def _supported(kernel_class: Supported, row: FractionArray, number: int) -> str:
    outside = ((row != 0) & ~kernel_class.known_supports([number]).toarray()[0]).any()
    return distribution_fault(kernel_class, row, number) or ("leaves the known support" if outside else "")


def _few_successors(kernel_class: Sparse | Deterministic, row: FractionArray, number: int) -> str:
    most = kernel_class.most(len(row))
    few = "" if (row > 0).sum() <= most else f"has more than {most} successor{'s' * (most > 1)}"
    return distribution_fault(kernel_class, row, number) or few


EXACT_MEMBERS: ClassTable[Callable[[Any, FractionArray, int], str]] = ClassTable(
    "membership in fractions",
    {
        Unconstrained: _any_row,
        Stochastic: distribution_fault,
        Supported: _supported,
        Sparse: _few_successors,
        Deterministic: _few_successors,
    },
)
"""By class, ``fault(kernel_class, row, number)``: what keeps row number s*A + a from the class, or nothing."""
