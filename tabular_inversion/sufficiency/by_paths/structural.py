"""Sufficiency by paths and cuts alone (G1, G3): what the graph says, for almost every kernel on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tabular_inversion._typing import BoolArray, IntArray, SparseMask
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import GoalsError, InputError
from tabular_inversion.exact.finite_field import column_ranks
from tabular_inversion.exact.modular_elimination import MAX_WORK
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability.asked import Hint, Scope, VerdictQuestion
from tabular_inversion.identifiability.proofs import Proof
from tabular_inversion.identifiability.verdict import Status, Verdict
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kernel_rows import rows_times
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.agent_policies import Policy
from tabular_inversion.sufficiency.answer import Answer, verdict_of
from tabular_inversion.sufficiency.by_draws.draws import Chance
from tabular_inversion.sufficiency.by_draws.generic import Bad, all_subsets, decide
from tabular_inversion.sufficiency.by_draws.witnesses import drawn_witness
from tabular_inversion.sufficiency.by_paths.linkages import Cut, Linkage, Network
from tabular_inversion.sufficiency.proofs import CutProof, DrawProof, MatchingProof, PathsProof, SingleProof
from tabular_inversion.sufficiency.question import ChosenGoals, Question, read_question

if TYPE_CHECKING:
    import networkx as nx

MANY_SETS = 1000
"""From so many different sets of successors on, ranks modulo a prime settle what they can, and flows the rest."""

MAX_SUBSETS = 20_000
"""How many sets of 2N columns are tried for `Sparse`, with a flow each."""


@checked
def structural(
    world: MDP | nx.Graph[Any],
    goals: Goals | ChosenGoals | ArrayLike,
    kernel_class: KernelClass | None = None,
    *,
    policy: Policy = "optimal",
    settle: bool = False,
    seed: int = 0,
) -> Verdict:
    """Decide from the graph alone whether goals determine almost every kernel on it, by paths and cuts.

    Parameters
    ----------
    world : MDP or networkx.Graph
        Of an MDP the support of each row; of a graph its edges, u -> v where v can follow u (both ways if it is
        undirected), with one row for each node. Probabilities and discount are not looked at.
    goals : Goals or array_like of int
        Goals, or the states of indicator goals. Only where they pay counts: the verdict holds for almost all rewards
        there (for goals that pay in one state, for all). Episodes may end where their goal pays, and nowhere else.
    kernel_class : KernelClass, optional
        What is known of the rows; the support of `world` when omitted.
    policy : {"optimal", "generic", "uniform"} or array_like
        Paths prove independence for one action in each state, and for almost every unconditional policy: "generic", or
        bool (S, A) for those on some actions. For given probabilities (S, A) only cuts prove something, for optimal
        agents that choose nothing does: the other rows are UNDECIDED unless draws may `settle` them.
    settle : bool
        Whether to ask `generic` about the rows that paths and cuts leave undecided.
    seed : int
        Of the drawn world that a witness lives in, and of the draws that settle rows.

    Returns
    -------
    Verdict
        At uniform scope, at each discount above 0 for almost every kernel and policy (which ones are excepted depends
        on the discount). A row with N possible successors is IDENTIFIED if N vertex-disjoint paths lead from them to
        the goals, NOT_IDENTIFIED (under every kernel on the graph) if a cut leaves at most N - 2, and UNDECIDED if N -
        1 >= 1 remain: whether the row of ones, that probabilities sum to one, makes up for the last is no question of
        paths. ``proofs`` hold the paths and cuts; ``rank`` is that of
        M without the row of ones.

    Raises
    ------
    InputError
        Of the kind that fits: goals that are empty, outside the state space or out of reach, or that end episodes
        where they do not pay; a graph without edges; more sets of columns than can be tried.

    Notes
    -----
    Source: G1 and G3. The lower bound: let each state on a path go on along its path; then, for a small discount, one
    term of the minor's expansion outweighs all others. The upper bound: M factors through the values on a cut. Where
    rows are many, full rank at a draw modulo a prime takes the place of paths; see `linkage` for those of one row.

    Examples
    --------
    >>> import networkx as nx
    >>> verdict = structural(nx.star_graph(4), [1, 2])
    >>> verdict
    <Verdict NOT_IDENTIFIED, exact, uniform scope, the only policy: 4 of 5 rows identified>
    >>> verdict.proofs[0].text
    'all that goals say about 1 rows passes states [1, 2]'
    >>> structural(nx.star_graph(4), [1, 2, 3]).row(0, 0).name
    'UNDECIDED'
    >>> structural(nx.star_graph(4), [1, 2, 3], settle=True).row(0, 0).name
    'IDENTIFIED'
    """
    question = read_question(world, goals, kernel_class, policy)
    PATHS.of(question.kernel_class)
    return decide_structural(StructuralQuestion(question, settle, seed))


@dataclass(frozen=True, eq=False)
class StructuralQuestion(VerdictQuestion):
    """Whether goals determine almost every kernel on a graph, by paths and cuts.

    Attributes
    ----------
    graph : Question
        Graph, goals and class.
    settle : bool
        Whether draws decide the rows that paths and cuts leave undecided.
    seed : int
        Of all draws.
    """

    graph: Question
    settle: bool
    seed: int

    @property
    def policy(self) -> str:
        """What the agents do."""
        return self.graph.policy.name

    @property
    def kernel_class(self) -> KernelClass:
        """The class that rows are judged in."""
        return self.graph.kernel_class

    @property
    def scope(self) -> Scope:
        """Uniform: no row is given."""
        return "uniform"

    @property
    def available(self) -> BoolArray:
        """Which rows exist, shape (S, A)."""
        return self.graph.available

    @property
    def n_goals(self) -> int:
        """K."""
        return self.graph.goals.n_goals


def decide_structural(asked: StructuralQuestion) -> Verdict:
    """Return the verdict of `structural` on a question that was read."""
    question, seed = asked.graph, asked.seed
    _check_endings(question.goals)
    chance = Chance(question, generic_rewards=True)
    answer, bad = _for_the_policy(question, chance, seed)
    if asked.settle and (answer.codes == Status.UNDECIDED).any():
        answer, bad = _settled(answer, bad, chance, seed)
    witness = None if bad is None else drawn_witness(chance, *bad, seed)
    return verdict_of(asked, answer, witness, hint=Hint.WORLD if asked.settle else Hint.DRAWS)


def _for_the_policy(question: Question, chance: Chance, seed: int) -> tuple[Answer, Bad | None]:
    """Take from paths and cuts what they prove of the question's policy.

    Paths: one action in each state, or almost every unconditional policy. Cuts and single successors: every
    unconditional one. Goals with policies of their own: nothing (G1 and G3 are false of optimal agents).
    """
    weights = question.policy.weights
    if weights is None:
        return decide_by_paths(question, chance, seed)
    codes = np.full(len(question.row_index), Status.UNDECIDED, np.int8)
    reason = "paths prove independence for one action in each state, or almost every unconditional policy, and no other"
    if weights.ndim == 3:
        return Answer(codes, (), 0, reason), None
    found, bad = decide_by_paths(question, chance, seed)
    proofs = tuple(proof for proof in found.proofs if isinstance(proof, CutProof | SingleProof))
    for proof in proofs:
        codes[proof.rows] = found.codes[proof.rows]
    refuted = bad is not None and codes[np.searchsorted(question.row_index, bad[0])] == Status.NOT_IDENTIFIED
    return replace(found, codes=codes, proofs=proofs, reason=f"{found.reason}; {reason}"), bad if refuted else None


def _check_endings(goals: Goals) -> None:
    if goals.action_rewards is not None:
        raise InputError("goals with action_rewards are no question about the graph; ask `concrete`.")
    elsewhere = (goals.continuation != 1) & (goals.rewards == 0)
    if elsewhere.any():
        goal, state = np.argwhere(elsewhere)[0].tolist()
        raise GoalsError(
            f"goal {goal} ends episodes in state {state}, where it does not pay; paths cannot tell, ask `generic`."
        )


def decide_by_paths(question: Question, chance: Chance, seed: int) -> tuple[Answer, Bad | None]:
    """Return what paths and cuts say of each row, and a row that is not identified."""
    decide_class = PATHS.of(question.kernel_class)
    network = Network(question)
    everything = network.linkage(np.arange(question.n_states))
    return decide_class(Paths(question, network, everything, chance, seed))


@dataclass(frozen=True, eq=False)
class Paths:
    """What paths decide from: the question, its network, the most disjoint paths from all states, and draws."""

    question: Question
    network: Network
    everything: Linkage
    chance: Chance
    seed: int


def _settled(answer: Answer, bad: Bad | None, chance: Chance, seed: int) -> tuple[Answer, Bad | None]:
    """Take from random draws what paths and cuts leave open."""
    drawn, drawn_bad = decide(chance, 1, seed)
    left = answer.codes == Status.UNDECIDED
    codes = np.where(left, drawn.codes, answer.codes).astype(np.int8)
    settled = int((codes[left] != Status.UNDECIDED).sum())
    reason = f"{answer.reason}; draws modulo a prime settle {settled} of the {int(left.sum())} rows left"
    certain = (answer.codes == Status.NOT_IDENTIFIED).any()
    error = 0.0 if certain else drawn.error_probability
    proofs = (*answer.proofs, *drawn.proofs)
    return replace(answer, codes=codes, proofs=proofs, reason=reason, error_probability=error), bad or drawn_bad


def _supported(paths: Paths) -> tuple[Answer, Bad | None]:
    question, rank = paths.question, len(paths.everything)
    supports = question.row_supports
    sizes = np.diff(supports.indptr)
    ranks, proofs = _ranks(question, paths.network, paths.chance, supports, paths.seed)
    codes = np.full(len(sizes), Status.UNDECIDED, np.int8)
    codes[(ranks == sizes) | (sizes == 1)] = Status.IDENTIFIED
    codes[ranks + 2 <= sizes] = Status.NOT_IDENTIFIED
    single = np.flatnonzero((sizes == 1) & (ranks == 0))
    if single.size:
        proofs.append(SingleProof(single, sizes[single]))
    counts = [int((codes == status).sum()) for status in Status]
    reason = (
        f"of {len(sizes)} rows paths decide {counts[Status.IDENTIFIED]}, cuts {counts[Status.NOT_IDENTIFIED]}, "
        f"and {counts[Status.UNDECIDED]} need the row of ones"
    )
    wrong = np.flatnonzero(codes == Status.NOT_IDENTIFIED)
    bad = None
    if wrong.size:
        row = int(wrong[sizes[wrong].argmin()])
        bad = int(question.row_index[row]), supports[[row]].indices
    return Answer(codes, tuple(proofs), rank, reason), bad


def _ranks(
    question: Question, network: Network, chance: Chance, supports: SparseMask, seed: int
) -> tuple[IntArray, list[Proof]]:
    """Return the rank of each row's columns, or a bound on it where it is too small by two, and the proofs."""
    sets = np.split(supports.indices, supports.indptr[1:-1])
    keys = [tuple(np.sort(states).tolist()) for states in sets]
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    which = np.array([number[key] for key in keys])
    sizes = np.diff(supports.indptr)
    ranks, open_rows = np.zeros(len(sizes), np.intp), np.ones(len(sizes), bool)
    proofs: list[Proof] = []
    if len(number) > MANY_SETS and chance.levels.work <= MAX_WORK:
        ranks, proof = _independent(chance, supports, seed)
        open_rows = ranks < sizes
        proofs += [proof] if proof.rows.size else []
    while open_rows.any():  # one flow settles every row with the same successors, and those behind the same cut
        row = int(open_rows.argmax())
        found = network.linkage(sets[row])
        alike = np.flatnonzero(open_rows & (which == which[row]))
        ranks[alike] = len(found)
        if len(found) == sizes[row]:
            open_rows[alike] = False
            proofs.append(PathsProof(alike, found))
            continue
        # Behind the cut no rank is larger; that settles rows that are known to have it, and those too large by two.
        few = sizes >= len(found) + 2
        covered = open_rows & _behind(question, found.cut, supports) & (few | (ranks == len(found)))
        ranks[covered], open_rows[covered] = len(found), False
        proofs += _cut_proofs(question, found, sets, np.flatnonzero(covered & few))
    return ranks, proofs


def _independent(chance: Chance, supports: SparseMask, seed: int) -> tuple[IntArray, DrawProof]:
    """Return lower bounds of all ranks by one draw, and the proof for those that are full."""
    sizes = np.diff(supports.indptr)
    draw = chance.draw(np.random.default_rng(seed), ones=False, n_functions=int(sizes.max()))
    ranks = column_ranks(draw.functions, supports)
    rows = np.flatnonzero(ranks == sizes)
    return ranks, DrawProof(rows, chance, supports[rows], True, False, 0.0, seed + 1)


def _behind(question: Question, cut: Cut, supports: SparseMask) -> NDArray[np.bool_]:
    """Tell which rows have all of their successors behind a cut."""
    outside = (~cut.behind(question)).astype(float)
    return np.asarray(rows_times(supports.astype(np.float64), outside) == 0)


def _cut_proofs(question: Question, found: Linkage, sets: list[IntArray], rows: IntArray) -> list[Proof]:
    if rows.size == 0:
        return []
    return [CutProof(rows, question, tuple(sets[row] for row in rows), found.cut, 2)]


def _whole(paths: Paths) -> tuple[Answer, Bad | None]:
    """Decide classes whose rows may reach every state; there the row of ones always adds one, if one is missing."""
    question, everything = paths.question, paths.everything
    n, ones = question.n_states, int(question.kernel_class.sums_to_one)
    rows = np.arange(len(question.row_index))
    full = len(everything) + ones >= n
    reason = f"{len(everything)} of {n} states are joined to goals of their own by disjoint paths"
    codes = np.full(len(rows), Status.IDENTIFIED if full else Status.NOT_IDENTIFIED, np.int8)
    if full:
        return Answer(codes, (MatchingProof(rows, everything, ones),), len(everything), reason), None
    proof = CutProof(rows, question, (np.arange(n),), everything.cut, 1 + ones)
    return Answer(codes, (proof,), len(everything), reason), (int(question.row_index[0]), np.arange(n))


def _few_successors(paths: Paths) -> tuple[Answer, Bad | None]:
    """Decide by flows from every 2N states, and from every N + 1."""
    question, network, rank = paths.question, paths.network, len(paths.everything)
    size = question.kernel_class.most(question.n_states)
    n, rows = question.n_states, np.arange(len(question.row_index))
    largest, certain = min(2 * size, n), min(size + 1, n)
    codes = np.full(len(rows), Status.UNDECIDED, np.int8)
    linked = [network.linkage(states) for states in all_subsets(n, largest, MAX_SUBSETS)]
    worst = min(linked, key=len)
    if len(worst) == largest:
        codes[:] = Status.IDENTIFIED
        reason = f"disjoint paths lead to the goals from any {largest} states"
        return Answer(codes, tuple(PathsProof(rows, found) for found in linked), rank, reason), None
    reason = f"only {len(worst)} disjoint paths lead from states {worst.sources.tolist()} to the goals"
    # Of at most N + 1 dependent columns, each sign of the dependence, which sums to zero, has at most N.
    small = linked if certain == largest else [network.linkage(states) for states in all_subsets(n, certain)]
    found = min(small, key=len)
    if len(found) + 2 <= certain:
        codes[:] = Status.NOT_IDENTIFIED
        reason = f"only {len(found)} disjoint paths lead from states {found.sources.tolist()} to the goals"
        proof = CutProof(rows, question, (found.sources,), found.cut, 2)
        return Answer(codes, (proof,), rank, reason), (int(question.row_index[0]), found.sources)
    return Answer(codes, (), rank, reason), None


PATHS: ClassTable[Callable[[Paths], tuple[Answer, Bad | None]]] = ClassTable(
    "sufficiency by paths",
    {
        Unconstrained: _whole,
        Stochastic: _whole,
        Supported: _supported,
        Sparse: _few_successors,
        Deterministic: _few_successors,
    },
)
"""By class, ``decide(paths)``: what paths and cuts say of each row, and a row that is not identified."""
