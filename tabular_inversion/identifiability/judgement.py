"""The question that `identify` answers: do these values determine the world, within a class of kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability.certificates import matrix_uncertainty
from tabular_inversion.identifiability.decision import Decision
from tabular_inversion.identifiability.instance import decide_instance, worst_residual
from tabular_inversion.identifiability.system import RowSystem
from tabular_inversion.identifiability.uniform import decide_uniform
from tabular_inversion.identifiability.verdict import (
    UNAVAILABLE,
    Evidence,
    Scope,
    Status,
    Verdict,
    WitnessError,
    overall,
)
from tabular_inversion.identifiability.witnesses import check_forward, check_rows, make_witness
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.recovery import Recovery, recover

if TYPE_CHECKING:
    from tabular_inversion.exact import ExactAgentValues

CONSISTENT = 1e-9
"""Largest ``|M p - q|`` of a row that explains exact values, relative to the size of the goal's row of M."""


def identify(
    agent: AgentValues | ExactAgentValues,
    kernel_class: KernelClass,
    *,
    scope: Scope = "instance",
    noise: float = 0.0,
    exact: bool = False,
) -> Verdict:
    """Decide whether the values determine each row of the kernel within a class.

    Parameters
    ----------
    agent : AgentValues or ExactAgentValues
        Values shown by an agent; its kernel is not looked at, nor known. Exact ones are judged exactly.
    kernel_class : KernelClass
        What is known of the kernel.
    scope : {"instance", "uniform"}
        "instance" asks whether this agent's rows are the only members of the class with their values (S1);
        "uniform" whether every member of the class is determined under these test functions.
    noise : float
        How far each Q-value may be from the truth, at least 0; used to tell inconsistent values from noisy ones.
    exact : bool
        Whether to take floats as the dyadic rationals that they are, and decide in rational arithmetic. Values that
        were rounded then contradict every kernel at instance scope, so this is mostly for uniform scope.

    Returns
    -------
    Verdict
        CERTIFIED where a bound on all rounding (and on the noise) proves independence of columns, or where there are
        fewer equations than unknowns; NUMERIC otherwise: floats with stated tolerances. EXACT for exact values.

    Raises
    ------
    InputError
        If the scope is unknown, the noise negative, or noise is given together with exact arithmetic.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve
    >>> mdp = MDP([[[0.5, 0.5]], [[0.25, 0.75]]], discount=0.9)
    >>> identify(solve(mdp, Goals.generic(2, 1, seed=0)), Stochastic())
    <Verdict IDENTIFIED, certified, instance scope: 2 of 2 rows identified>
    >>> constant = Goals([[1.0, 1.0]])
    >>> identify(solve(mdp, constant), Stochastic()).witness.distance > 0.1
    True
    """
    if scope not in get_args(Scope):
        raise InputError(f"scope is {scope!r}; expected 'instance' or 'uniform'.")
    if exact or not isinstance(agent, AgentValues):
        from tabular_inversion.exact import ExactAgentValues
        from tabular_inversion.identifiability.rational.judgement import identify_exactly

        if noise != 0:
            raise InputError(f"noise is {noise}; exact values have none: leave it out, or use floats.")
        values = ExactAgentValues.from_float(agent) if isinstance(agent, AgentValues) else agent
        return identify_exactly(values, kernel_class, scope)
    recovery = None
    if scope == "instance":
        recovery = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index)
    return decide(agent, kernel_class, recovery, noise=noise)


def decide(agent: AgentValues, kernel_class: KernelClass, recovery: Recovery | None, *, noise: float) -> Verdict:
    """Turn recovered rows (instance scope) or their absence (uniform scope) into a verdict.

    Parameters
    ----------
    agent : AgentValues
        The values.
    kernel_class : KernelClass
        The class that the rows were recovered in.
    recovery : Recovery or None
        One row for each available (s, a), or None for uniform scope.
    noise : float
        How far each Q-value may be from the truth.
    """
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(f"noise is {noise}; expected a finite number of at least 0.")
    system = RowSystem.of(
        agent.test_matrix,
        agent.right_hand_sides,
        sums_to_one=kernel_class.sums_to_one,
        uncertainty=matrix_uncertainty(agent, noise),
    )
    scope: Scope = "uniform" if recovery is None else "instance"
    residual = float("nan")
    if recovery is None:
        decision = decide_uniform(system, kernel_class, agent.row_index)
    else:
        residuals = worst_residual(agent.test_matrix, agent.right_hand_sides, recovery.rows)
        residual = float(residuals.max())
        decision = decide_instance(system, kernel_class, agent.row_index, recovery.rows)
        decision = _mark_inconsistent(agent, decision, residuals, noise)
    kernel = None if recovery is None else recovery.kernel(agent.row_index, agent.available)
    return _dress(agent, kernel_class, system, scope, residual, decision, kernel, noise)


def _mark_inconsistent(agent: AgentValues, decision: Decision, residuals: FloatArray, noise: float) -> Decision:
    """Rows that no member of the class explains, to rounding and to the noise allowed (M errs by gamma * noise)."""
    sizes = np.abs(agent.test_matrix).max(axis=1)
    allowed = (1.0 + agent.discount) * noise / float(sizes[sizes > 0].min(initial=np.inf))
    wrong = np.flatnonzero(residuals > CONSISTENT + allowed)
    if wrong.size == 0:
        return decision
    codes, evidence = decision.codes.copy(), decision.evidence.copy()
    codes[wrong], evidence[wrong] = Status.INCONSISTENT, Evidence.NUMERIC
    worst = int(residuals.argmax())
    state, action = divmod(int(agent.row_index[worst]), agent.n_actions)
    reason = (
        f"no member of the class explains {wrong.size} of {len(residuals)} rows; the worst is state {state}, "
        f"action {action}, with |M p - Q| = {residuals[worst]:.3g} at best, relative to the size of M"
    )
    pair = decision.pair
    kept = pair if pair is not None and codes[pair.row] == Status.NOT_IDENTIFIED else None
    return Decision(codes, evidence, kept, reason)


def verify(verdict: Verdict) -> None:
    """Do what `Verdict.verify` promises."""
    if verdict.evidence is Evidence.EXACT or not isinstance(verdict.agent, AgentValues):
        from tabular_inversion.identifiability.rational.judgement import verify_exactly

        verify_exactly(verdict)
        return
    agent, kernel_class = verdict.agent, verdict.kernel_class
    if verdict.witness is not None:
        row = verdict.witness.state * agent.n_actions + verdict.witness.action
        check_rows(make_witness(agent, row, verdict.witness.first, verdict.witness.second), kernel_class)
    order = np.arange(agent.n_states)[::-1]
    again = identify(agent.permute_states(order), _permuted(kernel_class, agent, order), scope=verdict.scope)
    opposite = {int(Status.IDENTIFIED), int(Status.NOT_IDENTIFIED)}
    for first, second in zip(verdict.row_status[order].ravel(), again.row_status.ravel(), strict=True):
        if {int(first), int(second)} == opposite:
            raise WitnessError("a row is identified in one order of the states and not in another; use exact values.")


def _permuted(kernel_class: KernelClass, agent: AgentValues, order: IntArray) -> KernelClass:
    if not isinstance(kernel_class, Supported):
        return kernel_class
    rows = (order[:, None] * agent.n_actions + np.arange(agent.n_actions)).ravel()
    return Supported(kernel_class.support[rows][:, order])


def _dress(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    scope: Scope,
    residual: float,
    decision: Decision,
    kernel: Kernel | None,
    noise: float,
) -> Verdict:
    codes, evidence, witness, reason = decision.codes, decision.evidence, None, decision.reason
    if decision.pair is not None:
        pair = decision.pair
        witness = make_witness(agent, int(agent.row_index[pair.row]), pair.first, pair.second)
        try:
            check_rows(witness, kernel_class)
            # Noisy values, or ones with inconsistent rows, are those of no kernel: there is nothing to replay.
            if kernel is not None and noise == 0 and not (codes == Status.INCONSISTENT).any():
                check_forward(agent, kernel, witness, kernel_class)
        except WitnessError as problem:
            codes = np.where(codes == Status.NOT_IDENTIFIED, Status.UNDECIDED, codes).astype(np.int8)
            witness, reason = None, f"{reason}; but {problem}"
    row_status, row_evidence = (np.full(agent.available.size, UNAVAILABLE, np.int8) for _ in range(2))
    row_status[agent.row_index], row_evidence[agent.row_index] = codes, evidence
    status, strength = overall(codes, evidence)
    return Verdict(
        status=status,
        evidence=strength,
        scope=scope,
        kernel_class=kernel_class,
        row_status=row_status.reshape(agent.available.shape),
        row_evidence=row_evidence.reshape(agent.available.shape),
        rank=system.rank,
        sigma_min=system.sigma_min,
        n_states=agent.n_states,
        n_goals=agent.n_goals,
        witness=witness,
        reason=reason,
        largest_residual=residual,
        agent=agent,
    )
