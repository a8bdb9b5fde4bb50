"""The question that `identify` answers: do these values determine the world, within a class of kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import check_known
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.identifiability.asked import Hint, Scope, ValuesQuestion
from tabular_inversion.identifiability.consistency import Consistency, consistency
from tabular_inversion.identifiability.decision import Decision
from tabular_inversion.identifiability.instance import decide_instance
from tabular_inversion.identifiability.uniform import decide_uniform
from tabular_inversion.identifiability.verdict import Evidence, Status, Verdict
from tabular_inversion.identifiability.witnesses import check_forward, check_own_values, check_rows, make_witness
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.recovery import Recovery, recover_rows, seek_rows
from tabular_inversion.recovery.system import RowSystem

if TYPE_CHECKING:
    from tabular_inversion.exact import ExactAgentValues


@checked
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
        How far each Q-value may be from the truth, at least 0. Then INCONSISTENT means that no row of the class comes
        near enough, IDENTIFIED that the true test functions have full rank whatever the noise was, and all that is not
        proved is UNDECIDED.
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
    check_known(kernel_class, "identification")
    if exact or not isinstance(agent, AgentValues):
        from tabular_inversion.exact import ExactAgentValues
        from tabular_inversion.identifiability.rational.judge_exactly import identify_exactly

        if noise != 0:
            raise InputError(f"noise is {noise}; exact values have none: leave it out, or use floats.")
        values = ExactAgentValues.from_float(agent) if isinstance(agent, AgentValues) else agent
        return identify_exactly(values, kernel_class, scope)
    system = RowSystem.of_agent(agent, sums_to_one=kernel_class.sums_to_one, noise=check_noise(noise))
    sought = recovery = None
    if scope == "instance":
        sought = seek_rows(system, kernel_class, row_index=agent.row_index)
        recovery = recover_rows(system, kernel_class, row_index=agent.row_index, sought=sought)
    return decide(agent, kernel_class, system, sought, recovery, noise=noise)


def check_noise(noise: float) -> float:
    """Return the noise, or raise `InputError` unless it is finite and at least 0."""
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(f"noise is {noise}; expected a finite number of at least 0.")
    return noise


def decide(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    sought: Recovery | None,
    recovery: Recovery | None,
    *,
    noise: float,
) -> Verdict:
    """Turn recovered rows (instance scope) or their absence (uniform scope) into a verdict.

    Parameters
    ----------
    agent : AgentValues
        The values.
    kernel_class : KernelClass
        The class that the rows were recovered in.
    system : RowSystem
        Of the agent, this class and this noise.
    sought : Recovery or None
        One row for each available (s, a), by `seek_rows`: what is decided depends on no unit. None for uniform scope.
    recovery : Recovery or None
        The rows of `recover_rows`, whose residuals are those of the best rows in the units of Q.
    noise : float
        How far each Q-value may be from the truth.
    """
    if sought is None or recovery is None:
        decision = _only_proofs(decide_uniform(system, kernel_class, agent.row_index), noise)
        return _dress(agent, kernel_class, system, "uniform", float("nan"), decision, None, noise)
    explained = consistency(system, kernel_class, agent.row_index, sought.rows, recovery.residual)
    decision = _decide_consistent(agent, kernel_class, system, sought.rows, explained, noise)
    residual = float(explained.residuals.max())
    return _dress(agent, kernel_class, system, "instance", residual, decision, sought, noise)


def _decide_consistent(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    rows: Kernel,
    explained: Consistency,
    noise: float,
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


def _only_proofs(decision: Decision, noise: float) -> Decision:
    """Under noise, what is read off the values at hand says little of the true ones: leave only what is proved."""
    bare = (decision.evidence == Evidence.NUMERIC) & (decision.codes != Status.UNDECIDED)
    codes = np.where(bare, Status.UNDECIDED, decision.codes).astype(np.int8)
    count = int((codes == Status.UNDECIDED).sum())
    if noise == 0 or not count:
        return decision
    reason = f"{decision.reason}; under noise of {noise:g} this proves nothing for {count} rows: less would"
    return _undecided(replace(decision, codes=codes, reason=reason))


def _undecided(decision: Decision) -> Decision:
    """Take evidence, and a pair, from rows that are undecided."""
    evidence = np.where(decision.codes == Status.UNDECIDED, Evidence.NUMERIC, decision.evidence).astype(np.int8)
    pair = decision.pair
    kept = pair if pair is not None and decision.codes[pair.row] == Status.NOT_IDENTIFIED else None
    return replace(decision, evidence=evidence, pair=kept)


def _without_witness(
    codes: NDArray[np.int8], evidence: NDArray[np.int8], reason: str
) -> tuple[NDArray[np.int8], NDArray[np.int8], str]:
    """Leave rows undecided whose refutation nothing shows."""
    lost = codes == Status.NOT_IDENTIFIED
    codes = np.where(lost, Status.UNDECIDED, codes).astype(np.int8)
    evidence = np.where(lost, Evidence.NUMERIC, evidence).astype(np.int8)
    return codes, evidence, f"{reason}; no witness is at hand"


def _dress(
    agent: AgentValues,
    kernel_class: KernelClass,
    system: RowSystem,
    scope: Scope,
    residual: float,
    decision: Decision,
    sought: Recovery | None,
    noise: float,
) -> Verdict:
    codes, evidence, witness, reason = decision.codes, decision.evidence, None, decision.reason
    if decision.pair is None and (codes == Status.NOT_IDENTIFIED).any():
        codes, evidence, reason = _without_witness(codes, evidence, reason)
    if decision.pair is not None:
        pair = decision.pair
        witness = make_witness(agent, int(agent.row_index[pair.row]), pair.first, pair.second)
        try:
            check_rows(agent, witness, kernel_class)
            if scope == "instance" and noise == 0:
                check_own_values(agent, witness, kernel_class)
            # Noisy values, or ones with inconsistent rows, are those of no kernel: there is nothing to replay.
            if sought is not None and noise == 0 and not (codes == Status.INCONSISTENT).any():
                check_forward(agent, sought.kernel(agent.row_index, agent.available), witness, kernel_class)
        except WitnessError as problem:
            codes, evidence, reason = _without_witness(codes, evidence, f"{reason}; but {problem}")
            witness = None
    if (codes == Status.UNDECIDED).any() and noise == 0:
        reason = f"{reason}; floats leave {int((codes == Status.UNDECIDED).sum())} rows open: exact values would decide"
    return Verdict.of_rows(
        ValuesQuestion(agent, kernel_class, scope, noise),
        codes,
        evidence,
        rank=system.rank,
        sigma_min=system.sigma_min,
        witness=witness,
        reason=reason,
        largest_residual=residual,
        hint=Hint.EXACT if noise == 0 else Hint.LESS_NOISE,
    )
