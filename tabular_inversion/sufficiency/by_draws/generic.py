"""Sufficiency for almost every kernel on a graph (G2), by exact ranks at random draws modulo a prime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import GoalsError, InputError, KernelClassError
from tabular_inversion.exact.finite_field import column_ranks, equal_columns, subset_ranks
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability.asked import Hint, Scope, VerdictQuestion
from tabular_inversion.identifiability.proofs import Proof
from tabular_inversion.identifiability.verdict import Status, Verdict
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.agent_policies import Policy
from tabular_inversion.sufficiency.answer import Answer, verdict_of
from tabular_inversion.sufficiency.by_draws.draws import Chance, Drawable
from tabular_inversion.sufficiency.by_draws.families import GoalFamily
from tabular_inversion.sufficiency.by_draws.witnesses import drawn_witness
from tabular_inversion.sufficiency.proofs import CountProof, DistinctProof, DrawProof
from tabular_inversion.sufficiency.question import ChosenGoals, Question, read_question

if TYPE_CHECKING:
    import networkx as nx

Rewards = Literal["given", "generic"]

MAX_SUBSETS = 1_000_000
"""How many sets of 2N columns are tried for `Sparse`."""


@checked
def generic(
    world: MDP | nx.Graph[Any],
    goals: Goals | GoalFamily | ChosenGoals | ArrayLike,
    kernel_class: KernelClass | None = None,
    *,
    policy: Policy = "optimal",
    rewards: Rewards = "given",
    draws: int = 1,
    seed: int = 0,
) -> Verdict:
    """Decide whether goals determine almost every kernel on a graph.

    Parameters
    ----------
    world : MDP or networkx.Graph
        Of an MDP the support of each row; of a graph its edges, u -> v where v can follow u (both ways if it is
        undirected), with one row for each node. Probabilities and discount are not looked at.
    goals : Goals, GoalFamily or array_like of int
        Goals, or the states of indicator goals that end on arrival; or a family, such as Gaussians: then the verdict is
        also about almost every draw of its members. Optimal agents then need a family that spans R^n.
    kernel_class : KernelClass, optional
        What is known of the rows; the support of `world` when omitted.
    policy : {"optimal", "generic", "uniform"} or array_like
        "optimal": goal-conditioned policies that are optimal in `world`, an MDP, as floats find them; the verdict is
        then about almost every kernel on the support whose agents act so. "generic", or bool (S, A): unconditional, and
        almost every one on all actions, or on those given, is meant: its probabilities are drawn, too. "uniform", or
        probabilities (S, A) or (G, S, A): kept as they are, and only kernels are drawn.
    rewards : {"given", "generic"}
        Whether rewards are kept, or drawn wherever they are not zero.
    draws : int
        How many worlds are drawn; more make a wrong NOT_IDENTIFIED less likely still.
    seed : int
        Of the draws.

    Returns
    -------
    Verdict
        At uniform scope, for almost every kernel at almost every discount. IDENTIFIED is proved. NOT_IDENTIFIED holds
        but for the chance `error_probability`, and carries two kernels with the same values at one drawn world, exactly
        where it has at most 100 states. For `Sparse` with N of at least 2, UNDECIDED where columns are dependent and
        the signs of the dependence, which vary from kernel to kernel, matter. ``rank`` is that of M, or of [M;1] for
        classes that sum to one.

    Raises
    ------
    InputError
        Of the kind that fits: goals that are empty, outside the state space or out of reach, a graph without edges,
        a policy that does not fit, more sets of columns than can be tried.

    Notes
    -----
    Source: G2. One sparse linear system modulo 2^61 - 1 gives as many random combinations of all goals as a row has
    successors, and those have the ranks that matter.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> verdict = generic(four_rooms("windy"), [0, 20, 40, 60])
    >>> verdict
    <Verdict IDENTIFIED, exact, uniform scope, optimal agents: 272 of 272 rows identified>
    >>> alone = generic(four_rooms("windy"), [0])
    >>> alone.rows_identified, alone.witness.value_gap
    (40, 0.0)
    """
    if rewards not in {"given", "generic"}:
        raise InputError(f"rewards is {rewards!r}; expected 'given' or 'generic'.")
    if draws < 1:
        raise InputError(f"draws is {draws}; expected at least 1.")
    if isinstance(goals, GoalFamily):
        chance = _of_family(world, goals, kernel_class, policy, rewards, seed)
    else:
        chance = Chance(read_question(world, goals, kernel_class, policy), rewards == "generic")
    return decide_generic(GenericQuestion(chance, draws, seed))


def _of_family(
    world: Any, family: GoalFamily, kernel_class: KernelClass | None, policy: Policy, rewards: Rewards, seed: int
) -> Chance:
    """Read a question about a family; where agents are optimal for goals, these are members of its span."""
    if rewards != "given":
        raise InputError("rewards is 'generic', and a family says which rewards are drawn; drop one of them.")
    question = read_question(world, family.drawn(np.random.default_rng(seed)), kernel_class, policy)
    weights = question.policy.weights
    if isinstance(policy, str) and weights is not None and weights.ndim == 3 and not family.is_spanning:
        raise GoalsError(
            f"{family!r} does not span: what optimal agents do varies with the goals, and no draw speaks for all; "
            "give policy='generic', or probabilities."
        )
    return Chance(question, False, family)


@dataclass(frozen=True, eq=False)
class GenericQuestion(VerdictQuestion):
    """Whether goals determine almost every kernel on a graph, by draws in a finite field.

    Attributes
    ----------
    chance : Chance
        Graph, goals and class, and what is drawn.
    draws : int
        How many worlds are drawn.
    seed : int
        Of the draws.
    """

    chance: Chance
    draws: int
    seed: int

    @property
    def policy(self) -> str:
        """What the agents do."""
        return self.chance.question.policy.name

    @property
    def kernel_class(self) -> KernelClass:
        """The class that rows are judged in."""
        return self.chance.question.kernel_class

    @property
    def scope(self) -> Scope:
        """Uniform: no row is given."""
        return "uniform"

    @property
    def available(self) -> BoolArray:
        """Which rows exist, shape (S, A)."""
        return self.chance.question.available

    @property
    def n_goals(self) -> int:
        """K."""
        return self.chance.question.goals.n_goals


def decide_generic(asked: GenericQuestion) -> Verdict:
    """Return the verdict of `generic` on a question that was read."""
    answer, bad = decide(asked.chance, asked.draws, asked.seed)
    witness = None if bad is None else drawn_witness(asked.chance, *bad, asked.seed)
    return verdict_of(asked, answer, witness, hint=Hint.WORLD)


Bad = tuple[int, IntArray]
"""The number s*A + a of a row that is not identified, and states with dependent columns."""


def decide(chance: Drawable, draws: int, seed: int) -> tuple[Answer, Bad | None]:
    """Return what draws say of each row, and a row that is not identified."""
    decide_class = DRAWS.of(chance.question.kernel_class)
    if chance.question.goals.action_rewards is not None:
        raise InputError("goals with action_rewards are no question about the graph; ask `concrete`.")
    return decide_class(chance, draws, seed)


def _supported(chance: Drawable, draws: int, seed: int) -> tuple[Answer, Bad | None]:
    question = chance.question
    supports = question.row_supports
    sizes = np.diff(supports.indptr)
    rng, ranks, rank = np.random.default_rng(seed), np.zeros(len(sizes), np.intp), 0
    for _ in range(draws):
        draw = chance.draw(rng, ones=True, n_functions=int(min(sizes.max(), question.goals.n_goals)))
        ranks, rank = np.maximum(ranks, column_ranks(draw.functions, supports)), max(rank, draw.rank)
    full, few = ranks == sizes, sizes > question.goals.n_goals + 1
    codes = np.where(full, Status.IDENTIFIED, Status.NOT_IDENTIFIED).astype(np.int8)
    likely = np.flatnonzero(~full & ~few)
    error = chance.error_probability(draws, len(sizes))
    proofs: list[Proof] = []
    if full.any():
        rows = np.flatnonzero(full)
        proofs.append(DrawProof(rows, chance, supports[rows], True, True, 0.0, seed + 1))
    if few.any():
        proofs.append(CountProof(np.flatnonzero(few), question.goals.n_goals + 1, sizes[few]))
    if likely.size:
        proofs.append(DrawProof(likely, chance, supports[likely], False, True, error, seed + 1))
    reason = (
        f"for almost every kernel on the support, [M;1] has independent columns on the states of {int(full.sum())} of "
        f"{len(sizes)} rows"
    )
    wrong = np.flatnonzero(~full)
    bad = None
    if wrong.size:
        row = int(wrong[sizes[wrong].argmin()])
        bad = int(question.row_index[row]), supports[[row]].indices
    return Answer(codes, tuple(proofs), rank, reason, error if likely.size and not few.any() else 0.0), bad


def _whole(chance: Drawable, draws: int, seed: int) -> tuple[Answer, Bad | None]:
    """Decide classes whose rows may reach every state: by the rank of all columns."""
    question = chance.question
    n, ones = question.n_states, question.kernel_class.sums_to_one
    n_equations = question.goals.n_goals + int(ones)
    rng = np.random.default_rng(seed)
    # The rank of the system alone is wanted, and no combination of goals.
    rank = max(chance.draw(rng, ones=ones, n_functions=1).rank for _ in range(draws if n_equations >= n else 1))
    few, full = n_equations < n, rank == n
    everything = np.array([np.arange(n)])
    error = 0.0 if few or full else chance.error_probability(draws, 1)
    rows = np.arange(len(question.row_index))
    name = "[M;1]" if ones else "M"
    proof = (
        CountProof(rows, n_equations, np.array([n]))
        if few
        else DrawProof(rows, chance, everything, full, ones, error, seed + 1)
    )
    reason = f"for almost every kernel on the support, {name} has rank {rank} of {n}"
    status = Status.IDENTIFIED if full else Status.NOT_IDENTIFIED
    answer = _same_for_all(question, status, (proof,), rank, reason, error)
    return answer, None if full else (int(question.row_index[0]), np.arange(n))


def _deterministic(chance: Drawable, draws: int, seed: int) -> tuple[Answer, Bad | None]:
    question = chance.question
    rng, rows = np.random.default_rng(seed), np.arange(len(question.row_index))
    drawn = [chance.draw(rng, ones=True, n_functions=2) for _ in range(draws)]
    functions, rank = np.concatenate([draw.functions for draw in drawn]), max(draw.rank for draw in drawn)
    groups, shared = equal_columns(functions)
    reason = f"for almost every kernel on the support, M has {groups.max() + 1} different columns among {len(groups)}"
    if not shared.size:
        proof: Proof = DistinctProof(rows, chance, seed + 1)
        return _same_for_all(question, Status.IDENTIFIED, (proof,), rank, reason, 0.0), None
    pair = np.flatnonzero(groups == shared[0])[:2]
    error = chance.error_probability(draws, comb(len(groups), 2))
    proof = DrawProof(rows, chance, pair[None], False, True, error, seed + 1)
    answer = _same_for_all(question, Status.NOT_IDENTIFIED, (proof,), rank, reason, error)
    return answer, (int(question.row_index[0]), pair)


def _sparse(chance: Drawable, draws: int, seed: int) -> tuple[Answer, Bad | None]:
    """Decide whether any two rows of at most N successors differ in their values (T5b)."""
    question = chance.question
    size = question.kernel_class.most(question.n_states)
    if size == 1:
        return _deterministic(chance, draws, seed)
    n, rows = question.n_states, np.arange(len(question.row_index))
    largest, certain = min(2 * size, n), min(size + 1, n)
    best, worst, rank = all_subsets(n, largest), all_subsets(n, certain), 0
    independent, dependent = np.zeros(len(best), bool), np.ones(len(worst), bool)
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        draw = chance.draw(rng, ones=True, n_functions=largest)
        independent |= subset_ranks(draw.functions, best) == largest
        dependent &= subset_ranks(draw.functions, worst) < certain
        rank = max(rank, draw.rank)
    error = chance.error_probability(draws, len(worst))
    where = "for almost every kernel on the support"
    if independent.all():
        proof = DrawProof(rows, chance, best, True, True, 0.0, seed + 1)
        reason = f"{where}, any {largest} columns of [M;1] are independent"
        return _same_for_all(question, Status.IDENTIFIED, (proof,), rank, reason, 0.0), None
    if dependent.any():
        # At most N + 1 columns: each sign of a dependence that sums to zero has at most N entries.
        chosen = worst[[int(dependent.argmax())]]
        proof = DrawProof(rows, chance, chosen, False, True, error, seed + 1)
        reason = f"{where}, two rows on the states {chosen[0].tolist()} share their values"
        answer = _same_for_all(question, Status.NOT_IDENTIFIED, (proof,), rank, reason, error)
        return answer, (int(question.row_index[0]), chosen[0])
    reason = (
        f"{where}, {int((~independent).sum())} sets of {largest} columns of [M;1] are dependent, none of {certain}: "
        "the signs of the dependence decide, and they vary from kernel to kernel"
    )
    return _same_for_all(question, Status.UNDECIDED, (), rank, reason, 0.0), None


DRAWS: ClassTable[Callable[[Drawable, int, int], tuple[Answer, Bad | None]]] = ClassTable(
    "sufficiency by draws",
    {
        Unconstrained: _whole,
        Stochastic: _whole,
        Supported: _supported,
        Sparse: _sparse,
        Deterministic: _deterministic,
    },
)
"""By class, ``decide(chance, draws, seed)``: what draws say of each row, and a row that is not identified."""


def all_subsets(n_states: int, size: int, limit: int = MAX_SUBSETS) -> IntArray:
    """Return every set of `size` states, shape (b, size); raises `KernelClassError` if they are too many."""
    count = comb(n_states, size)
    if count > limit:
        raise KernelClassError(
            f"{count} sets of {size} among {n_states} states are too many to try (limit {limit}); ask for fewer "
            "successors, or for a known support."
        )
    return np.array(list(combinations(range(n_states), size)), np.intp)


def _same_for_all(
    question: Question, status: Status, proofs: tuple[Proof, ...], rank: int, reason: str, error: float
) -> Answer:
    codes: NDArray[np.int8] = np.full(len(question.row_index), status, np.int8)
    return Answer(codes, proofs, rank, reason, error)
