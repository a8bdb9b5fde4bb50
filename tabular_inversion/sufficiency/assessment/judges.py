"""The judges of a goal set, in order of cost: paths, draws, this world in bounded floats, this world in fractions."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.exact.modular_elimination import MAX_WORK, Levels
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Scope, Status, Verdict, identify
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.by_draws.generic import generic
from tabular_inversion.sufficiency.by_paths.structural import structural
from tabular_inversion.sufficiency.concrete import MAX_EXACT_STATES, concrete
from tabular_inversion.sufficiency.conditioning.spans import Scenario, certified_sets
from tabular_inversion.sufficiency.question import (
    LIMIT_DENOMINATOR,
    exact_seconds,
    is_normalised,
    read_question,
    stands_for_fractions,
)
from tabular_inversion.sufficiency.scenarios import FloatPolicy

_MODULAR_COST = 4e-8  # seconds for an elementary step of an elimination modulo the prime
_MOST_FLOWS = 2000  # states: beyond, a flow for each set of successors takes minutes


@dataclass(frozen=True, eq=False)
class Judgement(Record):
    """What one judge says.

    Attributes
    ----------
    judge : str
        ``"structural"``, ``"generic"``, ``"concrete in floats"`` or ``"concrete"``.
    about : str
        What it quantifies over.
    codes : numpy.ndarray of int8, shape (S, A)
        A `Status` for each row, -1 where it was not asked about.
    evidence : str
        How strong that is.
    reason : str
        One sentence: what decided, or why it was not asked.
    seconds : float
        How long it took.
    verdict : Verdict or None
        With proofs and witness, where the judge makes one.
    """

    judge: str
    about: str
    codes: NDArray[np.int8]
    evidence: str
    reason: str
    seconds: float
    verdict: Verdict | None

    @property
    def rows_identified(self) -> int:
        """How many rows it found identified."""
        return int((self.codes == Status.IDENTIFIED).sum())

    @property
    def was_asked(self) -> bool:
        """Whether it answered."""
        return self.evidence != "none"

    def __str__(self) -> str:
        rows = int((self.codes >= 0).sum())
        if not self.was_asked:
            return f"{self.judge}: not asked, {self.reason}"
        return f"{self.judge} ({self.evidence}), for {self.about}: {self.rows_identified} of {rows} rows identified"


@dataclass(frozen=True, eq=False)
class Case:
    """What all judges look at.

    Attributes
    ----------
    world : MDP
        The world; one that was drawn where only a support is known.
    drawn : bool
        Whether it was drawn.
    goals, kernel_class, policy, scope, asked
        The question.
    agent : AgentValues
        In floats, with a bound on their error.
    scenario : Scenario or None
        The same for sets of successors; None for `Sparse`.
    near : bool
        Whether all kernels near this one are meant.
    """

    world: MDP
    drawn: bool
    goals: Goals
    kernel_class: KernelClass
    policy: FloatPolicy
    scope: Scope
    asked: BoolArray
    agent: AgentValues
    scenario: Scenario | None
    near: bool = False


def judge_all(
    case: Case,
    *,
    end: float,
    progress: Callable[[int, int], None] | None = None,
    only: Collection[str] = ("structural", "generic", "concrete in floats", "concrete"),
) -> tuple[Judgement, ...]:
    """Ask one judge after the other, as long as there is time for what it will probably take."""
    known = dict(zip(ORDER, (_structural, _generic, _floats, _concrete), strict=True))
    wanted = [name for name in ("concrete in floats", "structural", "generic", "concrete") if name in only]
    judges = [known[name] for name in wanted if name != "concrete" or not (case.drawn or case.near)]
    found = []
    for number, judge in enumerate(judges):
        start = time.monotonic()
        judgement = judge(case, end - start)
        found.append(judgement)
        if progress is not None:
            progress(number + 1, len(judges))
    return tuple(sorted(found, key=lambda j: ORDER.index(j.judge)))


ORDER = ("structural", "generic", "concrete in floats", "concrete")


def _open(case: Case) -> NDArray[np.int8]:
    return np.where(case.asked, Status.UNDECIDED, -1).astype(np.int8)


def _skipped(case: Case, judge: str, about: str, reason: str) -> Judgement:
    return Judgement(judge, about, _open(case), "none", reason, 0.0, None)


def _run(case: Case, judge: str, about: str, ask: Callable[[], Verdict]) -> Judgement:
    start = time.monotonic()
    try:
        verdict = ask()
    except TabularInversionError as problem:
        return _skipped(case, judge, about, str(problem))
    codes = np.where(case.asked, verdict.row_status, -1).astype(np.int8)
    evidence = verdict.evidence.name.lower()
    if verdict.error_probability:
        evidence += f" but for a chance of {verdict.error_probability:.0e}"
    return Judgement(judge, about, codes, evidence, verdict.reason, time.monotonic() - start, verdict)


def _floats(case: Case, seconds: float) -> Judgement:  # noqa: ARG001  always affordable
    """Certify ranks by bounds on all errors of floats; where there are too few equations nothing has to be computed."""
    about = "a drawn world on this support" if case.drawn else "this world"
    about = "every kernel within the radii of this one" if case.near else about
    if case.scope == "instance" or case.scenario is None:
        return _run(
            case, "concrete in floats", about, lambda: identify(case.agent, case.kernel_class, scope=case.scope)
        )
    start = time.monotonic()
    sets, k = case.scenario.sets, case.goals.n_goals
    proved = sets.of_rows((~certified_sets(case.scenario, list(range(k)))).astype(float), 0.0) == 0
    few = sets.of_rows((sets.needed > k).astype(float), 0.0) > 0
    if sets.set_of_row is None:  # pairs of states: one that is not told apart says so by a difference of zero
        few[:] = False
    codes = _open(case)
    codes[case.asked] = np.where(proved, Status.IDENTIFIED, np.where(few, Status.NOT_IDENTIFIED, Status.UNDECIDED))
    reason = f"bounds on all rounding errors prove {int(proved.sum())} rows, and counting refutes {int(few.sum())}"
    return Judgement("concrete in floats", about, codes, "certified", reason, time.monotonic() - start, None)


def _structural(case: Case, seconds: float) -> Judgement:
    about = "almost every kernel on this support"
    if isinstance(case.policy, str) and case.policy == "optimal" and case.world.available.sum(axis=1).max() > 1:
        reason = "paths decide nothing about agents with a policy for each goal (G1 is about unconditional ones)"
        return _skipped(case, "structural", about, reason)
    if case.world.n_states > _MOST_FLOWS or seconds <= 0:
        return _skipped(case, "structural", about, "flows on so many states take longer than there is time")
    return _run(
        case, "structural", about, lambda: structural(case.world, case.goals, case.kernel_class, policy=case.policy)
    )


def _generic(case: Case, seconds: float) -> Judgement:
    about = "almost every kernel on this support and almost every discount"
    if isinstance(case.policy, str) and case.policy == "optimal":
        about += " whose agents act as in this world"
    try:
        question = read_question(case.world, case.goals, case.kernel_class, case.policy)
    except TabularInversionError as problem:
        return _skipped(case, "generic", about, str(problem))
    weights = question.policy.weights
    systems = case.goals.n_goals if weights is not None and weights.ndim == 3 else 1
    work = Levels.of(question.edges).work
    if work > MAX_WORK or work * systems * _MODULAR_COST > seconds:
        return _skipped(case, "generic", about, "eliminations modulo a prime would take longer than there is time")
    return _run(case, "generic", about, lambda: generic(case.world, case.goals, case.kernel_class, policy=case.policy))


def _concrete(case: Case, seconds: float) -> Judgement:
    n, k = case.world.n_states, case.goals.n_goals
    about = "this world"
    if isinstance(case.policy, str) and case.policy == "generic":
        return _skipped(case, "concrete", about, "almost every policy is no question about one world")
    cost = exact_seconds(n, k, dyadic=not stands_for_fractions(case.world, LIMIT_DENOMINATOR))
    if n > MAX_EXACT_STATES or cost > seconds:
        return _skipped(case, "concrete", about, f"fractions for {k} goals on {n} states would take too long")
    if 1 < case.kernel_class.most(n) < n and seconds < 1:
        return _skipped(case, "concrete", about, "the search for sparse rows would take too long")
    if not is_normalised(case.world, LIMIT_DENOMINATOR):
        about += ", its floats taken as dyadic rationals and each row normalised exactly"
    return _run(
        case, "concrete", about,
        lambda: concrete(case.world, case.goals, case.kernel_class, policy=case.policy, scope=case.scope),
    )  # fmt: skip
