"""`identify` in rational arithmetic, and the re-check of its answers."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from tabular_inversion import exact
from tabular_inversion._typing import FloatArray
from tabular_inversion.exact import ExactAgentValues, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.consistency import Consistency
from tabular_inversion.identifiability.rational.classes import (
    deterministic,
    stochastic_instance,
    stochastic_uniform,
    unconstrained,
)
from tabular_inversion.identifiability.rational.decision import ExactDecision, ExactPair
from tabular_inversion.identifiability.rational.sparse import sparse_instance, sparse_uniform
from tabular_inversion.identifiability.rational.system import ExactSystem
from tabular_inversion.identifiability.verdict import (
    UNAVAILABLE,
    Evidence,
    Scope,
    Status,
    Verdict,
    Witness,
    WitnessError,
    overall,
)
from tabular_inversion.identifiability.verification import compare
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
    system = _system(agent, kernel_class)
    guess = None
    if scope == "instance" and not isinstance(kernel_class, Unconstrained | Deterministic):
        floats = agent.to_float()
        found = recover(floats.test_matrix, floats.right_hand_sides, kernel_class, row_index=agent.row_index)
        guess = found.rows.toarray() if issparse(found.rows) else found.rows
    decision = _decide(system, kernel_class, scope, guess)
    return _dress(agent, kernel_class, scope, decision)


def _system(agent: ExactAgentValues, kernel_class: KernelClass) -> ExactSystem:
    matrix, values = agent.test_matrix, agent.right_hand_sides
    if kernel_class.sums_to_one and not isinstance(kernel_class, Deterministic):
        one = exact.as_fraction(1)
        matrix = np.concatenate([matrix, np.full((1, agent.n_states), one, dtype=object)])
        values = np.concatenate([values, np.full((1, values.shape[1]), one, dtype=object)])
    allowed = np.ones((len(agent.row_index), agent.n_states), bool)
    if isinstance(kernel_class, Supported):
        allowed = kernel_class.rows(agent.row_index).toarray()
    return ExactSystem(matrix, values, agent.row_index, allowed)


def _decide(system: ExactSystem, kernel_class: KernelClass, scope: Scope, guess: FloatArray | None) -> ExactDecision:
    if isinstance(kernel_class, Unconstrained):
        return unconstrained(system, uniform=scope == "uniform")
    if isinstance(kernel_class, Deterministic):
        return deterministic(system, uniform=scope == "uniform")
    if isinstance(kernel_class, Sparse):
        n_successors = kernel_class.max_successors
        return sparse_uniform(system, n_successors) if guess is None else sparse_instance(system, n_successors, guess)
    return stochastic_uniform(system) if guess is None else stochastic_instance(system, guess)


def _dress(agent: ExactAgentValues, kernel_class: KernelClass, scope: Scope, decision: ExactDecision) -> Verdict:
    codes = decision.codes
    evidence = np.where(codes == Status.UNDECIDED, Evidence.NUMERIC, Evidence.EXACT).astype(np.int8)
    row_status, row_evidence = (np.full(agent.available.size, UNAVAILABLE, np.int8) for _ in range(2))
    row_status[agent.row_index], row_evidence[agent.row_index] = codes, evidence
    status, strength = overall(codes, evidence)
    floats = agent.to_float()
    # In floats, for orientation only: the exact decision does not use them.
    residual, reason = float("nan") if scope == "uniform" else 0.0, decision.reason
    if (codes == Status.INCONSISTENT).any():
        found = recover(floats.test_matrix, floats.right_hand_sides, kernel_class, row_index=agent.row_index)
        missed = Consistency(codes == Status.INCONSISTENT, np.zeros(len(codes), bool), found.residual)
        residual, reason = float(missed.residuals.max()), f"{reason}; {missed.reason(floats)}"
    scaled = RowSystem.of(floats.test_matrix, floats.right_hand_sides, sums_to_one=kernel_class.sums_to_one)
    return Verdict(
        status=status,
        evidence=strength,
        scope=scope,
        kernel_class=kernel_class,
        row_status=row_status.reshape(agent.available.shape),
        row_evidence=row_evidence.reshape(agent.available.shape),
        rank=_rank(agent, kernel_class),
        sigma_min=scaled.sigma_min,
        n_states=agent.n_states,
        n_goals=agent.n_goals,
        witness=None if decision.pair is None else _witness(agent, decision.pair),
        reason=reason,
        largest_residual=residual,
        agent=agent,
        proofs=decision.proofs,
    )


def _rank(agent: ExactAgentValues, kernel_class: KernelClass) -> int:
    matrix = agent.test_matrix
    if kernel_class.sums_to_one:
        matrix = np.concatenate([matrix, np.full((1, agent.n_states), exact.as_fraction(1), dtype=object)])
    return exact.rank(matrix).rank


def _witness(agent: ExactAgentValues, pair: ExactPair) -> Witness:
    state, action = divmod(int(agent.row_index[pair.row]), agent.n_actions)
    difference = pair.first - pair.second
    gap = np.abs(agent.test_matrix @ difference).max()
    return Witness(state, action, pair.first, pair.second, float(gap), float(np.abs(difference).sum()))


def verify_exactly(verdict: Verdict) -> None:
    """Re-check an exact verdict from scratch: each proof, that proofs cover what they must, and the witness.

    Raises
    ------
    WitnessError
        Saying what fails.
    """
    agent: ExactAgentValues = verdict.agent
    system, uniform = _system(agent, verdict.kernel_class), verdict.scope == "uniform"
    covered = np.zeros(len(agent.row_index), bool)
    for proof in verdict.proofs:
        if not proof.verify():
            raise WitnessError(f"a proof does not hold: {proof.text}.")
        if not proof.fits(system, uniform=uniform):
            raise WitnessError(f"a proof is not about the rows that it names: {proof.text}.")
        covered[proof.rows] = True
    codes = verdict.row_status.ravel()[agent.row_index]
    bare = np.flatnonzero((codes == Status.IDENTIFIED) & ~covered)
    if bare.size:
        state, action = divmod(int(agent.row_index[bare[0]]), agent.n_actions)
        raise WitnessError(f"no proof covers the identified row of state {state}, action {action}.")
    compare(verdict, identify_exactly(agent, verdict.kernel_class, verdict.scope))
    if verdict.witness is not None:
        check_rows_exactly(agent, verdict.kernel_class, verdict.witness)
        row = verdict.witness.state * agent.n_actions + verdict.witness.action
        values = agent.right_hand_sides[:, int(np.searchsorted(agent.row_index, row))]
        if not uniform and (agent.test_matrix @ verdict.witness.first != values).any():
            raise WitnessError(
                f"witness for state {verdict.witness.state}, action {verdict.witness.action}: its rows have equal "
                "values, but not the agent's."
            )


def check_rows_exactly(agent: ExactAgentValues, kernel_class: KernelClass, witness: Witness) -> None:
    """Check two rows in fractions: members of the class, different, equal values for every goal.

    Raises
    ------
    WitnessError
        Saying what fails.
    """
    where = f"witness for state {witness.state}, action {witness.action}"
    for row in (witness.first, witness.second):
        if kernel_class.sums_to_one and ((row < 0).any() or row.sum() != 1):
            raise WitnessError(f"{where}: a row is no distribution.")
        if isinstance(kernel_class, Sparse) and (row > 0).sum() > kernel_class.max_successors:
            raise WitnessError(f"{where}: a row has more than {kernel_class.max_successors} successors.")
        if isinstance(kernel_class, Deterministic) and (row > 0).sum() != 1:
            raise WitnessError(f"{where}: a row is not deterministic.")
        if isinstance(kernel_class, Supported):
            number = witness.state * agent.n_actions + witness.action
            if ((row != 0) & ~kernel_class.support[[number]].toarray()[0]).any():
                raise WitnessError(f"{where}: a row leaves the known support.")
    if (witness.first == witness.second).all():
        raise WitnessError(f"{where}: the two rows are equal.")
    if (agent.test_matrix @ (witness.first - witness.second) != 0).any():
        raise WitnessError(f"{where}: the values differ.")


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
