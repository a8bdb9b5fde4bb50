"""Sufficiency for this very kernel (T3c): the agent's exact values, or ranks modulo a prime."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion import exact
from tabular_inversion._typing import BoolArray, IntArray, SparseMatrix
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.errors import InputError, KernelError, PolicyError
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array
from tabular_inversion.exact.finite_field import PRIME, Residues, minus, plus, random_residues, rational_residues, sums
from tabular_inversion.exact.modular_elimination import Levels
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Hint, Scope, Status, Verdict, identify
from tabular_inversion.identifiability.asked import VerdictQuestion
from tabular_inversion.identifiability.proofs import Proof
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kernel_rows import sparse_rows
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.agent_policies import Policy
from tabular_inversion.sufficiency.answer import Answer, verdict_of
from tabular_inversion.sufficiency.by_draws.draws import Chance, Draw, ModularWorld, one_system
from tabular_inversion.sufficiency.by_draws.generic import Bad, decide
from tabular_inversion.sufficiency.by_draws.witnesses import float_witness
from tabular_inversion.sufficiency.by_paths.structural import decide_by_paths
from tabular_inversion.sufficiency.proofs import CountProof, CutProof
from tabular_inversion.sufficiency.question import (
    LIMIT_DENOMINATOR,
    ChosenGoals,
    Question,
    read_exact_world,
    read_fractions,
    read_goals,
    read_question,
    stands_for_fractions,
    written,
)

MAX_EXACT_STATES = 200
"""Larger worlds are judged modulo a prime."""


@checked
def concrete(
    mdp: MDP | ExactMDP,
    goals: Goals | ChosenGoals | ArrayLike,
    kernel_class: KernelClass | None = None,
    *,
    policy: Policy = "optimal",
    scope: Scope = "uniform",
    limit_denominator: int | None = LIMIT_DENOMINATOR,
    seed: int = 0,
) -> Verdict:
    """Decide exactly whether goals determine the kernel of this very world.

    Parameters
    ----------
    mdp : MDP or ExactMDP
        The world.
    goals : Goals or array_like of int
        Goals, or the states of indicator goals that end on arrival.
    kernel_class : KernelClass, optional
        What is known of the rows; the support of `mdp` when omitted.
    policy : {"optimal", "uniform"} or array_like (S, A) or (G, S, A)
        What the agents do.
    scope : {"uniform", "instance"}
        Whether every member of the class is to be determined under the agent's test functions, or this world's rows.
    limit_denominator : int or None
        Floats in world and policy stand for the nearest fractions with denominators up to this: 0.99 for 99/100, and
        1/3 for itself. A world whose floats are far from all of those, and with None any world, is taken as the dyadic
        rationals that it is, the largest entry of each row taking up what rounding left of one.
    seed : int
        Of the random combinations of goals that ranks modulo a prime are computed from.

    Returns
    -------
    Verdict
        That of `identify` for the exact values, up to 200 states. Beyond: IDENTIFIED where columns are independent
        modulo 2^61 - 1, which proves it; NOT_IDENTIFIED where there are fewer equations than unknowns; UNDECIDED
        where columns are dependent modulo the prime, which does not prove that they are.

    Raises
    ------
    InputError
        Of the kind that fits: goals that are empty, outside the state space or out of reach, floats that are far from
        all fractions allowed, rows that do not sum to exactly one, or instance scope for a large world.

    Notes
    -----
    Source: L1 and T3. Optimal policies are found by exact policy iteration; beyond 200 states in floats, and where
    those do not prove them, because of ties, the verdict says that it is about this policy.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion import Stochastic
    >>> from tabular_inversion.environments import graph
    >>> bipartite = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    >>> verdict = concrete(bipartite, range(6), Stochastic())
    >>> verdict.status.name, verdict.rank
    ('NOT_IDENTIFIED', 5)
    """
    if not isinstance(mdp, MDP | ExactMDP):
        raise InputError(f"the world is a {type(mdp).__name__}; expected an MDP: its probabilities matter here.")
    floats = mdp if isinstance(mdp, MDP) else mdp.to_float()
    read = read_goals(goals, floats.n_states)
    if (isinstance(policy, str) and policy == "generic") or np.asarray(policy).dtype == bool:
        raise PolicyError("almost every policy is no question about one world; give the agents' own, or ask `generic`.")
    if floats.n_states > MAX_EXACT_STATES:
        if scope != "uniform":
            raise InputError(f"at {floats.n_states} states only uniform scope is decided (limit {MAX_EXACT_STATES}).")
        question = read_question(floats, read, kernel_class, policy, limit_denominator=limit_denominator)
        question = _named_honestly(question, floats, policy)
        weights = _weights(question)
        return decide_modular(ModularQuestion(FixedWorld(question, floats, weights, limit_denominator), seed))
    world = read_exact_world(mdp, limit_denominator)
    exact_goals = ExactGoals.from_float(read)
    if isinstance(policy, str) and policy == "optimal":
        question = read_question(floats, read, kernel_class, "generic")  # optimal actions are found in fractions
        agent = exact.solve(world, exact_goals)
    else:
        question = read_question(floats, read, kernel_class, policy, limit_denominator=limit_denominator)
        agent = exact.evaluate(world, exact_goals, _weights(question))
    return identify(agent, question.kernel_class, scope=scope)


def _weights(question: Question) -> FractionArray:
    """Return the probabilities of the policy."""
    weights = question.policy.weights
    return fraction_array(question.chosen.astype(int)) if weights is None else weights


def _named_honestly(question: Question, world: MDP, policy: Policy) -> Question:
    """Say that ties are broken as floats do, where nothing proves which actions are optimal.

    The verdict is exact for agents with this very policy; if the ties are true, its values are the optimal ones.
    """
    if not isinstance(policy, str) or policy != "optimal":
        return question
    report: Any = solve(world, question.goals).report
    if report.policy_proved:
        return question
    asked = replace(question.policy, name="optimal agents, as floats find them up to ties")
    return replace(question, policy=asked)


@dataclass(frozen=True, eq=False)
class FixedWorld(Record):
    """One world modulo the prime, of which only the combinations of its goals are drawn."""

    question: Question
    mdp: MDP
    policy: FractionArray
    limit_denominator: int | None

    @cached_property
    def world(self) -> ModularWorld:
        """The world's numbers modulo the prime."""
        question = self.question
        rows = sparse_rows(self.mdp.rows)[question.row_index]
        rows.eliminate_zeros()
        exactly = stands_for_fractions(self.mdp, self.limit_denominator)
        values = self._residues(rows.data, self.limit_denominator if exactly else None)
        starts = rows.indptr[:-1].astype(np.intp)
        missing = minus(np.ones(len(starts), np.uint64), sums(values, starts))
        if not exactly:  # dyadic rationals: the largest entry takes up the rounding, as in `read_exact_world`
            places = _largest_places(rows)
            values[places] = plus(values[places], missing)
        elif missing.any():
            wrong = np.flatnonzero(missing)
            state, action = divmod(int(question.row_index[wrong[0]]), question.n_actions)
            raise KernelError(
                f"kernel row of state {state}, action {action} does not sum to exactly one ({wrong.size} such rows); "
                "give a limit_denominator with which floats are read as the fractions they stand for."
            )
        one = one_system(question, conditional=self.policy.ndim == 3, generic_rewards=False)
        kernel = csr_array((values, rows.indices, rows.indptr), shape=rows.shape)
        discount = read_fractions(np.array([self.mdp.discount]), self.limit_denominator if exactly else None)
        if not exactly:
            discount = np.array([written(self.mdp.discount, self.limit_denominator)], dtype=object)
        rewards = rational_residues(question.goals.rewards)
        levels = Levels.of(question.edges)
        return ModularWorld(
            question, levels, one, kernel, rational_residues(self.policy), rational_residues(discount), rewards
        )

    def _residues(self, values: Any, limit_denominator: int | None) -> Residues:
        different, places = np.unique(values, return_inverse=True)
        return rational_residues(read_fractions(different, limit_denominator))[places.ravel()]

    def draw(self, rng: np.random.Generator, *, ones: bool, n_functions: int) -> Draw:
        """Return random combinations of the goals' test functions."""
        sketch = random_residues((n_functions, self.question.goals.n_goals), rng)
        try:
            return self.world.draw(sketch, ones=ones)
        except ZeroDivisionError as problem:
            raise InputError(f"the world's linear system is singular modulo {PRIME}; change the discount.") from problem

    def error_probability(self, draws: int, sets: int) -> float:  # noqa: ARG002
        """One: a rank modulo one prime says nothing about dependence."""
        return 1.0


def _largest_places(rows: SparseMatrix) -> IntArray:
    """Return where in `rows.data` the largest entry of each row stands."""
    counts = np.diff(rows.indptr)
    order = np.lexsort((-rows.data, np.repeat(np.arange(len(counts)), counts)))
    return np.asarray(order[rows.indptr[:-1]])


@dataclass(frozen=True, eq=False)
class ModularQuestion(VerdictQuestion):
    """Whether goals determine every member of the class in one world, by ranks modulo a prime.

    Attributes
    ----------
    world : FixedWorld
        The world, its goals and the class.
    seed : int
        Of the combinations of goals.
    """

    world: FixedWorld
    seed: int

    @property
    def policy(self) -> str:
        """What the agents do."""
        return self.world.question.policy.name

    @property
    def kernel_class(self) -> KernelClass:
        """The class that rows are judged in."""
        return self.world.question.kernel_class

    @property
    def scope(self) -> Scope:
        """Uniform: larger worlds are judged at no other."""
        return "uniform"

    @property
    def available(self) -> BoolArray:
        """Which rows exist, shape (S, A)."""
        return self.world.question.available

    @property
    def n_goals(self) -> int:
        """K."""
        return self.world.question.goals.n_goals


def decide_modular(asked: ModularQuestion) -> Verdict:
    """Take independence from ranks modulo the prime, and dependence from cuts, or else from counts."""
    world, seed = asked.world, asked.seed
    question = world.question
    found, _ = decide(world, 1, seed)
    full = found.codes == Status.IDENTIFIED
    proofs = [proof for proof in found.proofs if full[proof.rows].all()]
    codes = np.where(full, Status.IDENTIFIED, Status.UNDECIDED).astype(np.int8)
    bad = None
    if not full.all():
        dependent, bad = _dependent(world, found, seed)
        proofs += dependent
        for proof in dependent:
            codes[proof.rows] = Status.NOT_IDENTIFIED
    counts = [int((codes == status).sum()) for status in Status]
    reason = f"in this world, {counts[Status.IDENTIFIED]} of {len(codes)} rows have independent columns"
    if counts[Status.UNDECIDED]:
        reason += f"; {counts[Status.UNDECIDED]} have dependent ones modulo {PRIME}, which does not prove that they are"
    witness = None
    if bad is not None:
        values = evaluate(world.mdp, question.goals, world.policy.astype(np.float64))
        witness = float_witness(question, values, *bad)
    return verdict_of(asked, Answer(codes, tuple(proofs), found.rank, reason), witness, hint=Hint.EXACT)


def _dependent(world: FixedWorld, found: Answer, seed: int) -> tuple[list[Proof], Bad | None]:
    """Return proofs that rows are not identified, and one of those rows with its states."""
    question = world.question
    # Cuts decide rows with one set of successors each, known or all; of few successors there are many sets.
    single_sets = question.kernel_class.most(question.n_states) == question.n_states
    if world.policy.ndim == 2 and world.world.one_system and single_sets:
        cuts, bad = decide_by_paths(question, Chance(question, generic_rewards=True), seed)
        return [proof for proof in cuts.proofs if isinstance(proof, CutProof)], bad
    proofs: list[Proof] = [proof for proof in found.proofs if isinstance(proof, CountProof)]
    if not proofs:
        return [], None
    row = int(proofs[0].rows[0])
    number = int(question.row_index[row])
    supports = question.kernel_class.known_supports([number])
    return proofs, (number, np.arange(question.n_states) if supports is None else supports.indices)
