"""Why a row is not determined: too few goals, goals that say nothing, a bottleneck, a symmetry, a discount."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.assessment.judges import Case
from tabular_inversion.sufficiency.assessment.symmetries import SECONDS, Symmetry, find_symmetry
from tabular_inversion.sufficiency.by_paths.linkages import linkage
from tabular_inversion.sufficiency.conditioning.spans import spanned
from tabular_inversion.sufficiency.conditioning.tables import SetsOfOneSize, SuccessorSets
from tabular_inversion.sufficiency.scenarios import agent_of, policy_is, scenario_of

Kind = Literal["identified", "counting", "silent goals", "cut", "symmetry", "discount", "dependence"]

_NEARBY = (0.97, 0.93)  # times the discount: others at which the row may be determined
_SAME = 1e-9


@checked
@dataclass(frozen=True, eq=False)
class Explanation(Record):
    """One reason, which `check` re-checks from scratch.

    Attributes
    ----------
    kind : str
        ``"identified"``, ``"counting"`` (fewer goals than unknowns), ``"silent goals"`` (their values are the same in
        all states that the row may lead to), ``"cut"`` (all paths to the goals pass fewer states than there are
        unknowns), ``"symmetry"`` (an automorphism of the world that keeps every goal takes a successor to another),
        ``"discount"`` (at another one the row is determined) or ``"dependence"`` (a null vector, for no other reason).
    text : str
        In words.
    successors : numpy.ndarray of int
        The states that the row may lead to.
    states : numpy.ndarray of int
        The cut; or the successor that is moved, and where to.
    goals : numpy.ndarray of int
        The silent goals.
    symmetry : Symmetry or None
        The automorphism.
    vector : numpy.ndarray, shape (S,), or None
        A difference of two rows that no goal sees.
    discount : float or None
        One at which the row is determined.
    case : Case
        What was assessed.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> from tabular_inversion.sufficiency import assess
    >>> found = assess(four_rooms("windy"), [0])
    >>> reason = found.why(30, 0)[0]
    >>> print(reason)
    1 goal, 2 unknowns: 1 more is needed, whichever it is
    >>> reason.check()
    """

    kind: Kind
    text: str
    successors: IntArray
    states: IntArray
    goals: IntArray
    symmetry: Symmetry | None
    vector: FloatArray | None
    discount: float | None
    case: Case

    def check(self) -> None:
        """Re-check the reason.

        Raises
        ------
        WitnessError
            If it is none.
        """
        case, successors = self.case, self.successors
        matrix = case.agent.test_matrix
        size = np.abs(matrix).max(axis=1, initial=0.0) + 1e-300
        if self.kind == "counting":
            holds = case.goals.n_goals < len(successors) - 1
        elif self.kind == "silent goals":
            spread = np.ptp(matrix[np.ix_(self.goals, successors)], axis=1)
            holds = bool((spread <= _SAME * size[self.goals]).all())
        elif self.kind == "cut":
            found = linkage(case.world, case.goals, sources=successors.tolist())
            found.cut.behind(found.question)  # raises where it cuts nothing
            holds = same_states(found.cut.states, self.states) and len(found) < len(successors) - 1
        elif self.kind == "symmetry":
            assert self.symmetry is not None  # noqa: S101  of this kind
            self.symmetry.check(case.world, case.goals)
            first, second = (int(state) for state in self.states)
            moved = int(self.symmetry.image[first]) == second != first
            holds = moved and first in successors and second in successors and self._blind(first, second)
        elif self.kind == "discount":
            assert self.discount is not None  # noqa: S101  of this kind
            holds = _missing_at(case, successors, self.discount) == 0 < _missing_at(case, successors, None)
        elif self.kind == "dependence":
            assert self.vector is not None  # noqa: S101  of this kind
            seen = np.abs(matrix @ self.vector) <= 1e-7 * size * np.abs(self.vector).sum()
            off = np.setdiff1d(np.flatnonzero(self.vector), successors)
            holds = bool(seen.all()) and off.size == 0 and bool(np.abs(self.vector).max() > 0)
        else:
            holds = _missing_at(case, successors, None) == 0
        if not holds:
            raise WitnessError(f"kind: {self.kind} is no reason here.")

    def _blind(self, first: int, second: int) -> bool:
        """Tell whether no goal tells two states apart."""
        matrix = self.case.agent.test_matrix
        size = np.abs(matrix).max(axis=1, initial=0.0) + 1e-300
        return bool((np.abs(matrix[:, first] - matrix[:, second]) <= _SAME * size).all())

    def __str__(self) -> str:
        return self.text


def same_states(first: IntArray, second: IntArray) -> bool:
    """Tell whether two lists hold the same states."""
    return bool(np.array_equal(np.sort(first), np.sort(second)))


def explain(case: Case, identified_by: str | None, state: int, action: int) -> tuple[Explanation, ...]:
    """Return the reasons why a row is not determined, the most telling first; see `Assessment.why`.

    Raises
    ------
    InputError
        If the row was not asked about.
    """
    shape = case.asked.shape
    if not (0 <= state < shape[0] and 0 <= action < shape[1]) or not case.asked[state, action]:
        raise InputError(f"state {state}, action {action} was not asked about; name a row that was.")
    successors = _successors(case, state * shape[1] + action)
    name = case.world.state_name
    if identified_by is not None:
        return (_explanation(case, "identified", f"it is identified: {identified_by}", successors),)
    unknowns = len(successors) - 1
    if case.scenario is not None and _missing_at(case, successors, None) == 0:
        return ()
    reasons = [
        *_counting(case, successors, unknowns),
        *_silent(case, successors),
        *_cut(case, successors, unknowns),
        *_symmetry(case, successors),
    ]
    if not reasons:
        reasons += _discount(case, successors)
    if not reasons:
        vector = _null_vector(case, successors)
        if vector is not None:
            used = ", ".join(name(int(t)) for t in np.flatnonzero(vector)[:8])
            words = f"no goal sees a shift of probability among {used}"
            reasons.append(_explanation(case, "dependence", words, successors, vector=vector))
    return tuple(reasons)


def _explanation(
    case: Case,
    kind: Kind,
    text: str,
    successors: IntArray,
    *,
    states: object = (),
    goals: object = (),
    symmetry: Symmetry | None = None,
    vector: FloatArray | None = None,
    discount: float | None = None,
) -> Explanation:
    listed = (np.asarray(states, np.intp), np.asarray(goals, np.intp))
    return Explanation(kind, text, successors, *listed, symmetry, vector, discount, case)


def _successors(case: Case, row: int) -> IntArray:
    support = case.kernel_class.known_supports([row])
    return np.arange(case.world.n_states) if support is None else np.sort(support.indices).astype(np.intp)


def _counting(case: Case, successors: IntArray, unknowns: int) -> list[Explanation]:
    k = case.goals.n_goals
    if k >= unknowns:
        return []
    more = unknowns - k
    needed = "1 more is needed, whichever it is" if more == 1 else f"{more} more are needed, whichever they are"
    words = f"{k} goal{'s' * (k != 1)}, {unknowns} unknowns: {needed}"
    return [_explanation(case, "counting", words, successors)]


def _silent(case: Case, successors: IntArray) -> list[Explanation]:
    """Find goals whose test function is the same in all successors: nothing about them depends on the row."""
    matrix = case.agent.test_matrix
    size = np.abs(matrix).max(axis=1) + 1e-300
    silent = np.flatnonzero(np.ptp(matrix[:, successors], axis=1) <= _SAME * size)
    if silent.size == 0:
        return []
    never = np.abs(case.agent.q[silent]).max(axis=(1, 2)) == 0
    words = ", ".join(_goal_name(case, int(g)) for g in silent[:5]) + (", ..." if len(silent) > 5 else "")
    why = (
        "no agent ever reaches" if never.all() else "all successors are equally far from, or it is out of their reach:"
    )
    return [
        _explanation(
            case, "silent goals", f"goals that say nothing here, which {why} {words}", successors, goals=silent
        )
    ]


def _goal_name(case: Case, goal: int) -> str:
    if case.goals.names is not None:
        return case.goals.names[goal]
    paid = np.flatnonzero(case.goals.rewards[goal])
    return case.world.state_name(int(paid[0])) if len(paid) == 1 else f"goal {goal}"


def _cut(case: Case, successors: IntArray, unknowns: int) -> list[Explanation]:
    """Find a bottleneck of states between the successors and the goals: for one unconditional policy (G3).

    For optimal agents the argument holds piece by piece: goals that are served by one common choice of optimal actions
    behind the cut contribute at most as many dimensions as the cut has states.
    """
    found = linkage(case.world, case.goals, sources=successors.tolist())
    cut = found.cut
    behind = cut.behind(found.question)
    paid = np.flatnonzero((case.goals.rewards != 0).any(axis=0))
    bottleneck = not np.isin(cut.states, paid).all() and not same_states(cut.states, successors)
    real = len(cut.states) > 0 and bottleneck and len(cut.goals) == 0
    if not real or len(found) >= unknowns:
        return []
    names = ", ".join(case.world.state_name(int(s)) for s in cut.states)
    if case.agent.policy is None:
        pieces = _pieces(case, behind)
        if pieces * len(cut.states) >= unknowns:
            return []
        way = f" ({pieces} common choice{'s' * (pieces != 1)} of optimal actions behind it)"
    elif case.agent.policy.ndim == 3:
        return []
    else:
        way = ""
    words = f"all paths to the goals pass {names}{way}: too few states for {unknowns} unknowns"
    return [_explanation(case, "cut", words, successors, states=cut.states)]


def _pieces(case: Case, behind: object) -> int:
    """Return into how many groups of goals with a common optimal action in each state behind a cut the goals fall."""
    q = np.where(case.world.available, case.agent.q, -np.inf)
    best = q.max(axis=2, keepdims=True)
    optimal = (q >= best - 1e-9 * np.maximum(np.abs(best), 1e-12))[:, np.asarray(behind)]
    groups: list[np.ndarray] = []
    for goal in optimal:
        for number, common in enumerate(groups):
            if (common & goal).any(axis=1).all():
                groups[number] = common & goal
                break
        else:
            groups.append(goal)
    return len(groups)


def _symmetry(case: Case, successors: IntArray) -> list[Explanation]:
    """Find an automorphism that takes a successor to another one with the same test functions, whatever else it moves.

    For a given policy it has to keep that too, which is not looked at: then nothing is found.
    """
    if case.agent.policy is not None and not policy_is(case.policy, "uniform"):
        return []
    matrix = case.agent.test_matrix[:, successors]
    size = np.abs(case.agent.test_matrix).max(axis=1)[:, None] + 1e-300
    end = time.monotonic() + SECONDS
    for i in range(len(successors)):
        alike = np.flatnonzero((np.abs(matrix - matrix[:, [i]]) <= _SAME * size).all(axis=0))
        targets = successors[alike[alike > i]].tolist()
        left = end - time.monotonic()
        if not targets or left <= 0:
            continue
        first = int(successors[i])
        symmetry = find_symmetry(case.world, case.goals, first, targets, seconds=left)
        if symmetry is not None:
            moved = symmetry.moved(case.world.state_name, first)
            words = f"{moved}: a symmetry of the world that keeps every goal"
            states = [first, int(symmetry.image[first])]
            return [_explanation(case, "symmetry", words, successors, states=states, symmetry=symmetry)]
    return []


def _missing_at(case: Case, successors: IntArray, discount: float | None) -> int:
    """Return how many dimensions the goals leave open on the successors, at the discount asked about or another."""
    agent = case.agent
    if discount is not None:
        agent = agent_of(case.world.with_discount(discount), case.goals, case.policy)
    ones = case.kernel_class.sums_to_one
    if len(successors) <= int(ones):
        return 0
    sets = SuccessorSets((SetsOfOneSize(successors[None], 0),), np.zeros(1, np.intp), 1, ones)
    scenario = scenario_of(agent, sets, relative=True, name="here")
    return int(spanned(scenario, list(range(case.goals.n_goals))).missing[0])


def _discount(case: Case, successors: IntArray) -> list[Explanation]:
    for factor in _NEARBY:
        other = round(case.world.discount * factor, 6)
        if 0 < other < 1 and _missing_at(case, successors, other) == 0 < _missing_at(case, successors, None):
            words = f"discount {case.world.discount:g} is exceptional: at {other:g} the row is determined"
            return [_explanation(case, "discount", words, successors, discount=other)]
    return []


def _null_vector(case: Case, successors: IntArray) -> FloatArray | None:
    """Return a difference of two rows that no goal sees, largest entry 1; None where floats find none."""
    matrix = case.agent.test_matrix[:, successors]
    size = np.abs(case.agent.test_matrix).max(axis=1)[:, None] + 1e-300
    system = matrix / size
    if case.kernel_class.sums_to_one:
        system = np.vstack([system, np.ones((1, len(successors)))])
    values, vectors = np.linalg.svd(system, full_matrices=True)[1:]
    if len(values) == len(successors) and values[-1] > 1e-9 * values[0]:
        return None
    vector = np.zeros(case.world.n_states)
    vector[successors] = vectors[-1] / np.abs(vectors[-1]).max()
    vector[np.abs(vector) < 1e-9] = 0.0
    return vector
