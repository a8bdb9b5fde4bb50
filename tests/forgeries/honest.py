"""Honest results of every type, drawn from hard cases: uneven scales, masks, ties, policies, discounts 0 and near 1."""

from dataclasses import dataclass
from fractions import Fraction

import networkx as nx
import numpy as np

from tabular_inversion import (
    Deterministic,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    exact,
    identify,
    invert,
)
from tabular_inversion.discounts import (
    certified_discounts,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.environments import graph
from tabular_inversion.errors import InputError, TabularInversionError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP, ExactRank, Feasibility, Recession
from tabular_inversion.exact.validation import exact_policy
from tabular_inversion.records import Record
from tabular_inversion.sufficiency import InsufficientGoalsError, generic, linkage, minimal, structural
from tabular_inversion.sufficiency.concrete import FixedWorld, ModularQuestion, decide_modular
from tabular_inversion.sufficiency.question import read_question

DISCOUNTS = (Fraction(0), Fraction(1, 2), Fraction(9, 10), Fraction(99, 100), 1 - Fraction(1, 10**6))


def world(rng, largest=5):
    """A world in fractions, some actions unavailable, some rows with few successors."""
    n, m = int(rng.integers(2, largest)), int(rng.integers(1, 4))
    weights = rng.integers(1, 6, (n, m, n))
    few = int(rng.integers(1, n + 1))
    weights = np.where(rng.random(weights.shape).argsort(axis=2).argsort(axis=2) < few, weights, 0)
    if rng.random() < 0.2:
        weights[0, 0] = weights[0, -1]
    available = rng.random((n, m)) < 0.8
    available[:, 0] = True
    weights = weights * available[:, :, None]
    kernel = [[[Fraction(int(w), max(1, int(row.sum()))) for w in row] for row in state] for state in weights]
    return ExactMDP(kernel, DISCOUNTS[rng.integers(len(DISCOUNTS))], available)


def goals_for(rng, n, k=None):
    """Goals in fractions, scaled unevenly, repeated, or ending episodes."""
    k = int(rng.integers(1, n + 2)) if k is None else k
    rewards = exact.fraction_array(rng.integers(-9, 10, (k, n)).astype(object))
    if rng.random() < 0.3 and k > 1:
        rewards[-1] = rewards[0]
    if rng.random() < 0.3:
        rewards = rewards * Fraction(2) ** int(rng.integers(-30, 31))
    ends = exact.fraction_array(rng.integers(0, 2, (k, n)).astype(object)) if rng.random() < 0.3 else None
    return ExactGoals(rewards, ends)


def class_for(rng, mdp):
    """Any kernel class, the deterministic one more often where the world is."""
    count = int((mdp.kernel != 0).sum(axis=2).max())
    classes = [
        Unconstrained(),
        Stochastic(),
        Supported(mdp.kernel != 0),
        Sparse(count),
        Sparse(1 + int(rng.integers(3))),
    ]
    if count == 1:
        classes.append(Deterministic())
    return classes[rng.integers(len(classes))]


def exact_agent(rng):
    mdp = world(rng)
    goals = goals_for(rng, mdp.n_states)
    if rng.random() < 0.6:
        return mdp, exact.solve(mdp, goals)
    counts = mdp.available.sum(axis=1, keepdims=True)
    policy = exact.fraction_array(mdp.available.astype(int)) / exact.fraction_array(counts)
    return mdp, exact.evaluate(mdp, goals, policy)


def scope_for(rng):
    return ("instance", "uniform")[rng.integers(2)]


def float_verdict(rng):
    mdp, agent = exact_agent(rng)
    noise = 0.0 if rng.random() < 0.7 else float(10.0 ** rng.integers(-12, -2))
    values = agent.to_float()
    if noise and rng.random() < 0.5:
        values = values.with_noise(noise, seed=int(rng.integers(1000)))
    kernel_class, scope = class_for(rng, mdp), scope_for(rng)
    if scope == "instance" and rng.random() < 0.3:
        takes = not isinstance(kernel_class, Deterministic | Sparse)
        prior = rng.dirichlet(np.ones(agent.n_states)) if takes and rng.random() < 0.5 else None
        norm = (1, 2, np.inf)[rng.integers(3)] if isinstance(kernel_class, Deterministic) else np.inf
        return invert(values, kernel_class, prior=prior, norm=norm, noise=noise).verdict
    return identify(values, kernel_class, scope=scope, noise=noise)


def exact_verdict(rng):
    mdp, agent = exact_agent(rng)
    if rng.random() < 0.2:  # contradictory values
        q = np.array(agent.q)
        q[0, 0, 0] = q[0, 0, 0] + 5
        agent = ExactAgentValues(q, agent.goals, agent.discount, agent.policy, agent.available)
    return identify(agent, class_for(rng, mdp), scope=scope_for(rng))


def digraph(rng):
    while True:
        n = int(rng.integers(3, 7))
        drawn = nx.gnp_random_graph(n, 0.5, seed=int(rng.integers(10**6)), directed=True)
        drawn.add_edges_from((s, (s + 1) % n) for s in range(n) if drawn.out_degree(s) == 0)
        return drawn


def graph_class(rng, n):
    classes = [None, None, Stochastic(), Unconstrained(), Deterministic(), Sparse(min(2, n - 1))]
    return classes[rng.integers(len(classes))]


def before_training(rng, decide):
    for _ in range(200):
        drawn = digraph(rng)
        n = len(drawn)
        entered = [s for s in range(n) if drawn.in_degree(s)]
        chosen = rng.choice(entered, size=int(rng.integers(1, len(entered) + 1)), replace=False)
        try:
            return decide(drawn, chosen.tolist(), graph_class(rng, n))
        except InputError as problem:
            refusal = problem
    raise refusal


def structural_verdict(rng):
    settle = bool(rng.integers(2))
    return before_training(rng, lambda g, t, c: structural(g, t, c, settle=settle, seed=int(rng.integers(99))))


def generic_verdict(rng):
    draws = int(rng.integers(1, 3))
    return before_training(rng, lambda g, t, c: generic(g, t, c, draws=draws, seed=int(rng.integers(99))))


def modular_verdict(rng):
    """As `concrete` decides in worlds of more than 200 states."""

    def decide(drawn, targets, kernel_class):
        mdp = graph(drawn, discount=0.5)
        n = mdp.n_states
        read = read_question(mdp, targets, kernel_class, "uniform")
        policy = exact_policy(
            exact.fraction_array(mdp.available.astype(int))
            / exact.fraction_array(mdp.available.sum(axis=1, keepdims=True)),
            mdp.available,
            len(targets),
        )
        assert n == read.n_states
        return decide_modular(ModularQuestion(FixedWorld(read, mdp, policy, 10_000), int(rng.integers(99))))

    for _ in range(200):
        try:
            return before_training(rng, decide)
        except TabularInversionError as problem:
            refusal = problem
    raise refusal


def found_linkage(rng):
    def decide(drawn, targets, _):
        sources = rng.choice(len(drawn), size=int(rng.integers(1, len(drawn))), replace=False)
        return linkage(drawn, targets, sources=sources.tolist())

    return before_training(rng, decide)


def minimal_goals(rng):
    while True:
        mdp = world(rng)
        n = mdp.n_states
        candidates = goals_for(rng, n, k=n + int(rng.integers(0, 3)))
        given = [int(rng.integers(candidates.n_goals))] if rng.random() < 0.3 else []
        try:
            return minimal(mdp, candidates, class_for(rng, mdp), given=given)
        except (InsufficientGoalsError, InputError):
            continue


def small_world(rng):
    if rng.random() < 0.5:
        drawn = (nx.complete_bipartite_graph(3, 3), nx.complete_bipartite_graph(3, 2), nx.cycle_graph(5))
        return graph(drawn[rng.integers(3)]), None
    mdp = world(rng, largest=4)
    return mdp, goals_for(rng, mdp.n_states)


def all_discounts(rng):
    mdp, goals = small_world(rng)
    policy = None
    if rng.random() < 0.3:
        counts = mdp.available.sum(axis=1, keepdims=True)
        policy = exact.fraction_array(mdp.available.astype(int)) / exact.fraction_array(counts)
    return exceptional_discounts(mdp, goals, policy=policy)


def balls(rng):
    while True:
        mdp, goals = small_world(rng)
        try:
            return certified_discounts(mdp, goals, max_intervals=60)
        except InputError:
            continue


SIX = [(0, 1), (0, 5), (1, 2), (1, 4), (2, 3), (2, 5), (3, 4), (4, 5)]


def pair(rng):
    """Of graphs that have one, at a rational or an irrational discount, under names drawn anew."""
    drawn = (nx.complete_bipartite_graph(3, 3), nx.complete_bipartite_graph(4, 4), nx.Graph(SIX))[rng.integers(3)]
    order = rng.permutation(len(drawn))
    result = exceptional_discounts(graph(nx.relabel_nodes(drawn, dict(enumerate(order.tolist())))))
    found = result.for_class(Stochastic())
    return indistinguishable_kernels(result, found[rng.integers(len(found))])


VERDICTS = {
    "float verdict": float_verdict,
    "exact verdict": exact_verdict,
    "structural verdict": structural_verdict,
    "generic verdict": generic_verdict,
    "modular verdict": modular_verdict,
}
RESULTS = VERDICTS | {
    "linkage": found_linkage,
    "minimal goals": minimal_goals,
    "exceptional discounts": all_discounts,
    "certified discounts": balls,
    "kernel pair": pair,
}


@dataclass(frozen=True, eq=False)
class Certified(Record):
    """A certificate beside the problem that it is about."""

    certificate: ExactRank | Feasibility | Recession
    matrix: np.ndarray
    right: np.ndarray | None = None

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.certificate, ExactRank | Feasibility | Recession) or not isinstance(
            self.matrix, np.ndarray
        ):
            raise TypeError("no certificate, or no problem")
        if isinstance(self.certificate, ExactRank) != (self.right is None):
            raise TypeError("no such problem")
        sizes = {"Feasibility": len(self.matrix), "Recession": self.matrix.shape[1]}
        if self.right is not None and len(self.right) != sizes[type(self.certificate).__name__]:
            raise TypeError("the problem does not fit")

    def verify(self):
        self.certificate.verify(*([self.matrix] if self.right is None else [self.matrix, self.right]))


def small_matrix(rng):
    rows, columns, wanted = (int(rng.integers(1, 5)) for _ in range(3))
    left, right = rng.integers(-3, 4, (rows, wanted)), rng.integers(-3, 4, (wanted, columns))
    return exact.fraction_array((left @ right).astype(object))


def proved_rank(rng):
    matrix = small_matrix(rng)
    return Certified(exact.rank(matrix), matrix)


def feasibility(rng):
    matrix = small_matrix(rng)
    right = exact.fraction_array(rng.integers(-2, 3, len(matrix)).astype(object))
    return Certified(exact.find_nonnegative_solution(matrix, right), matrix, right)


def recession(rng):
    matrix = small_matrix(rng)
    mask = rng.random(matrix.shape[1]) < 0.6
    return Certified(exact.find_recession_vector(matrix, mask), matrix, mask)


CERTIFICATES = {"rank": proved_rank, "feasibility": feasibility, "recession": recession}
