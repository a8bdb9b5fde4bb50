"""The question that `identify` answers: do these values determine the world, within a class of kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tabular_inversion._typing import IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise, is_noisy
from tabular_inversion.agent_values.parts import parts_of, read_rows
from tabular_inversion.agent_values.reading import check_noise
from tabular_inversion.class_tables import check_class
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.identifiability.asked import Hint, Scope, ValuesQuestion
from tabular_inversion.identifiability.decision import Decision
from tabular_inversion.identifiability.merging import left_open
from tabular_inversion.identifiability.patterns import settled
from tabular_inversion.identifiability.pieces import Judged, Ready, in_time, joined, ready
from tabular_inversion.identifiability.sharing import decide_elsewhere
from tabular_inversion.identifiability.verdict import Evidence, Status, Verdict
from tabular_inversion.identifiability.weighing import Decided, judged, stated_noise, weigh
from tabular_inversion.identifiability.witnesses import check_forward, check_own_values, check_rows, make_witness
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.recovery import Recovery
from tabular_inversion.recovery.system import RowSystem
from tabular_inversion.recovery.uncertainty import noise_of

if TYPE_CHECKING:
    from tabular_inversion.exact import ExactAgentValues


@checked
def identify(
    agent: AgentValues | ExactAgentValues,
    kernel_class: KernelClass,
    *,
    noise: float | ArrayLike | str | None = None,
    confidence: float | None = None,
    scope: Scope = "instance",
    exact: bool = False,
    rows: ArrayLike | None = None,
    seconds: float | None = None,
    executor: Any = None,
    progress: Callable[[int, int], None] | None = None,
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
    noise : float, array_like (G, S, A), "float32" or "float16", optional
        How far each Q-value may be from the truth, at least 0; what the agent says (`AgentValues.noise`) when omitted.
        If there is some, INCONSISTENT means that no row of the class comes
        near enough, IDENTIFIED that the true test functions have full rank whatever the noise was, and all that is not
        proved is UNDECIDED.
    confidence : float, optional
        Between 0 and 1: with what probability the noise bounds the errors of all values at once, where it comes from
        an ensemble or from counts (`tabular_inversion.ensembles`). What would be certified is then `statistical`, and
        `Verdict.error_probability` is the rest to 1.
    exact : bool
        Whether to take floats as the dyadic rationals that they are, and decide in rational arithmetic: for uniform
        scope. At instance scope floats are refused, since values that were rounded contradict every kernel.
    rows : array_like, optional
        The rows to decide, bool (S, A) or numbers s*A + a; all when omitted. The others stay UNDECIDED.
    seconds : float, optional
        How long to take: rows are decided piece by piece, the first piece in any case, and what is left when the time
        is over stays UNDECIDED, for lack of time. Verdicts on different rows are put together by `Verdict.merge`.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Who decides: rows are cut into at most 64 pieces for each group that shares its equations, by their number
        alone, and the verdict is what `Verdict.merge` makes of those on the pieces. It is the same, bit for bit,
        whoever does the work and how many they are; a worker that is lost costs time only. M is decomposed once.
    progress : callable, optional
        ``progress(done, total)`` after each piece; with an executor also every second.

    Returns
    -------
    Verdict
        CERTIFIED where a bound on all rounding (and on the noise) proves independence of columns, or where there are
        fewer equations than unknowns; NUMERIC otherwise: floats with stated tolerances. EXACT for exact values.
        STATISTICAL where a confidence was given and the noise decided (ST). From noisy values NOT_IDENTIFIED is
        claimed only where fewer equations than unknowns say so: a rank that values within the noise have not may be
        an accident that cannot be told from its absence.

    Raises
    ------
    InputError
        If the scope is unknown, the noise negative, a confidence not between 0 and 1 or given without noise, noise is
        given together with exact arithmetic, floats are to be taken as exact at instance scope, `rows`, `seconds`,
        `executor` or `progress` are asked of exact values, or `seconds` and `executor` together: what other processes
        are at is not broken off.
    AgentValuesError
        If the agent does not know the value of a state that matters.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve
    >>> mdp = MDP([[[0.5, 0.5]], [[0.25, 0.75]]], discount=0.9)
    >>> identify(solve(mdp, Goals.generic(2, 1, seed=0)), Stochastic())
    <Verdict IDENTIFIED, certified, instance scope, optimal agents: 2 of 2 rows identified>
    >>> constant = Goals([[1.0, 1.0]])
    >>> identify(solve(mdp, constant), Stochastic()).witness.distance > 0.1
    True
    """
    if scope not in get_args(Scope):
        raise InputError(f"scope is {scope!r}; expected 'instance' or 'uniform'.")
    check_class(kernel_class)
    if exact or not isinstance(agent, AgentValues):
        if confidence is not None:
            raise InputError(f"confidence is {confidence}, and exact values have no noise to be confident of; drop it.")
        if noise is not None and np.any(np.asarray(noise) != 0):
            raise InputError(f"noise is {noise}; exact values have none: leave it out, or use floats.")
        if not (rows is None and seconds is None and executor is None and progress is None):
            raise InputError(
                "rows, seconds, executor and progress are for values in floats; leave them out of exact questions."
            )
        return _identify_exactly(agent, kernel_class, scope)
    if seconds is not None and not seconds >= 0:
        raise InputError(f"seconds is {seconds}; expected a number of at least 0.")
    if seconds is not None and executor is not None:
        raise InputError("seconds and executor are given; leave one out, or ask for some rows at a time.")
    stated = noise_of(agent, None if noise is None else check_noise(noise, agent.q.shape, InputError))
    question = ValuesQuestion(agent, kernel_class, scope, stated, confidence=_read_confidence(confidence, stated))
    mask = None if rows is None else read_rows(rows, agent.available)
    noisy = with_noise(agent, stated)
    if executor is not None:
        return _by_executor(question, ready(noisy, kernel_class, mask), rows is None, executor, progress)
    if seconds is None and progress is None:
        first, left = settled(noisy, kernel_class, mask, scope, exactly=scope == "instance")
        pieces = [] if first is None else [first]
        if left is None or left.any():
            pieces += [judged(each, kernel_class, scope) for each in ready(noisy, kernel_class, left)]
        return decide(question, pieces, whole=rows is None)
    found = [
        decide(question, [judged(each, kernel_class, scope) for each in piece], whole=False)
        for piece in in_time(ready(noisy, kernel_class, mask), seconds, progress)
    ]
    return found[0] if len(found) == 1 else Verdict.merge(found)


def _read_confidence(confidence: float | None, noise: Noise) -> float | None:
    if confidence is None:
        return None
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence is {confidence}; expected a number between 0 and 1, such as 0.95.")
    if not is_noisy(noise):
        raise InputError(f"confidence is {confidence}, and no noise is stated that it could be about; give noise.")
    return float(confidence)


def _by_executor(
    question: ValuesQuestion,
    prepared: Sequence[Ready],
    whole: bool,
    executor: Any,
    progress: Callable[[int, int], None] | None,
) -> Verdict:
    found = decide_elsewhere(prepared, question, executor, progress)
    alone = len(found) == 1 and whole
    verdicts = [verdict_of(question, [one.decided], [one.system], whole=alone) for one in found]
    return verdicts[0] if len(verdicts) == 1 else Verdict.merge(verdicts)


def _identify_exactly(agent: AgentValues | ExactAgentValues, kernel_class: KernelClass, scope: Scope) -> Verdict:
    from tabular_inversion.exact import ExactAgentValues
    from tabular_inversion.identifiability.rational.judge_exactly import identify_exactly

    if not isinstance(agent, AgentValues):
        return identify_exactly(agent, kernel_class, scope)
    if scope == "instance":
        raise InputError(
            "floats that were rounded contradict every kernel where they are taken as exact; ask for scope='uniform', "
            "give exact values (exact.solve, ExactAgentValues.from_float), or leave out exact."
        )
    return identify_exactly(ExactAgentValues.from_float(agent), kernel_class, scope)


def with_noise(agent: AgentValues, noise: Noise) -> AgentValues:
    """Return the agent as one whose values have this noise."""
    return (
        agent if agent.noise is noise or (agent.noise is None and not is_noisy(noise)) else agent.seen_as(noise=noise)
    )


def decide(question: ValuesQuestion, pieces: Sequence[Judged], *, whole: bool = True) -> Verdict:
    """Turn recovered rows (instance scope) or their absence (uniform scope) into a verdict.

    Parameters
    ----------
    question : ValuesQuestion
        What was asked.
    pieces : sequence of Judged
        Rows, by the equations that they share, each with the noise of the question.
    whole : bool
        Whether these are all rows; the question then needs no list of them.
    """
    noise = stated_noise(question)
    decided = [weigh(one, question.kernel_class, noise) for one in pieces]
    agent: Any = question.agent
    sought = None
    if question.scope == "instance" and len(pieces) == 1 and whole and is_world(agent) and noise is None:
        sought = pieces[0].sought
    return verdict_of(question, decided, [one.ready.system for one in pieces], whole=whole, sought=sought)


def verdict_of(
    question: ValuesQuestion,
    pieces: Sequence[Decided],
    systems: Sequence[RowSystem],
    *,
    whole: bool,
    sought: Recovery | None = None,
) -> Verdict:
    """Return one verdict on rows that were decided, each piece with the equations that it shares."""
    agent: Any = question.agent
    decisions = [(one.places, one.decision) for one in pieces]
    decision = joined(decisions, len(agent.row_index), (Status.UNDECIDED, Evidence.NUMERIC))
    if len(pieces) > 1:
        text = f"in {len(pieces)} groups of rows that share their equations: {decision.reason}"
        decision = replace(decision, reason=text)
    decided = np.sort(np.concatenate([places for places, _ in decisions]))
    if not whole:
        question = replace(question, pieces=(agent.row_index[decided],))
    residual = float(np.fmax.reduce([float("nan"), *(one.residual for one in pieces)]))
    return _dress(question, decision, _Measured(systems, residual, sought, decided))


def is_world(agent: AgentValues) -> bool:
    """Tell whether the values are those of one agent in one world, which the forward code can compute again."""
    return (
        agent.is_complete and agent.own_v is None and agent.goal_discounts is None
        and agent.transition_rewards is None and agent.asked is None and not np.any(agent.test_noise)
    )  # fmt: skip


def _without_witness(
    codes: NDArray[np.int8], evidence: NDArray[np.int8], reason: str
) -> tuple[NDArray[np.int8], NDArray[np.int8], str]:
    """Leave rows undecided whose refutation nothing shows."""
    lost = codes == Status.NOT_IDENTIFIED
    codes = np.where(lost, Status.UNDECIDED, codes).astype(np.int8)
    evidence = np.where(lost, Evidence.NUMERIC, evidence).astype(np.int8)
    return codes, evidence, f"{reason}; no witness is at hand"


class _Measured(NamedTuple):
    """What a verdict states beside the decision: of which systems, the largest residual, the rows found, which ones."""

    systems: Sequence[RowSystem]
    residual: float
    sought: Recovery | None
    decided: IntArray


def _dress(question: ValuesQuestion, decision: Decision, measured: _Measured) -> Verdict:
    agent: Any = question.agent
    codes, evidence, witness, reason = decision.codes, decision.evidence, None, decision.reason
    quiet = not question.is_noisy
    if decision.pair is None and (codes == Status.NOT_IDENTIFIED).any():
        codes, evidence, reason = _without_witness(codes, evidence, reason)
    if decision.pair is not None:
        pair = decision.pair
        own = agent_of_row(agent, int(agent.row_index[pair.row]))
        witness = make_witness(own, int(agent.row_index[pair.row]), pair.first, pair.second)
        try:
            check_rows(own, witness, question.kernel_class)
            if question.scope == "instance" and quiet:
                check_own_values(own, witness, question.kernel_class)
            # Noisy values, or ones with inconsistent rows, are those of no kernel: there is nothing to replay.
            if measured.sought is not None and not (codes == Status.INCONSISTENT).any():
                kernel = measured.sought.kernel(agent.row_index, agent.available)
                check_forward(agent, kernel, witness, question.kernel_class)
        except WitnessError as problem:
            codes, evidence, reason = _without_witness(codes, evidence, f"{reason}; but {problem}")
            witness = None
    chance = 0.0
    if question.confidence is not None:
        doubtful = (evidence == Evidence.CERTIFIED) & ~_counted(question, measured, codes)
        evidence = np.where(doubtful, Evidence.STATISTICAL, evidence).astype(np.int8)
        chance = 1.0 - question.confidence if doubtful.any() else 0.0
        if chance:
            reason = f"{reason}; right with probability {question.confidence:g} at least, that of the noise"
    left = len(codes) - len(measured.decided)
    count = int((codes[measured.decided] == Status.UNDECIDED).sum())
    if count and quiet:
        reason = f"{reason}; floats leave {count} rows open: exact values would decide"
    hint = Hint.TIME if left else Hint.EXACT if quiet else Hint.LESS_NOISE
    return Verdict.of_rows(
        question,
        codes,
        evidence,
        rank=min(system.rank for system in measured.systems),
        sigma_min=min(system.sigma_min for system in measured.systems),
        witness=witness,
        reason=f"{reason}{left_open(left)}",
        largest_residual=measured.residual,
        error_probability=chance,
        hint=hint,
    )


def _counted(question: ValuesQuestion, measured: _Measured, codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Tell which rows are refuted whatever the noise: at uniform scope, where equations are fewer than unknowns."""
    few = all(system.has_fewer_equations for system in measured.systems)
    return np.asarray((codes == Status.NOT_IDENTIFIED) & (question.scope == "uniform") & few)


def agent_of_row(agent: AgentValues, row: int) -> AgentValues:
    """Return the agent seen through the goals that have an equation for a row, s*A + a; itself where all have."""
    if agent.is_complete and agent.transition_rewards is None:
        return agent
    mask = np.zeros(agent.available.shape, bool)
    mask.ravel()[row] = True
    return parts_of(agent, mask)[0].agent
