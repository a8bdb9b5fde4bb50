"""Whether what was changed is still true, found out by means that share nothing with the package's own checks."""

from fractions import Fraction
from itertools import combinations

import networkx as nx
import numpy as np
import sympy

from tabular_inversion import Status, Supported, exact, identify
from tabular_inversion.discounts import certified_discounts, exceptional_discounts
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.identifiability import ValuesQuestion
from tabular_inversion.records import same
from tabular_inversion.sufficiency.by_draws.generic import GenericQuestion, decide_generic
from tabular_inversion.sufficiency.by_paths.structural import StructuralQuestion, decide_structural
from tabular_inversion.sufficiency.concrete import ModularQuestion, decide_modular


def is_true(kind, path, forged):
    """Tell whether an accepted forgery is a true result: of another question, or with another true certificate."""
    if kind.endswith("verdict"):
        return path[0] == "question" and same(forged, answer_to(forged.question))
    return ORACLES[kind](forged)


def answer_to(question):
    """Decide again; what cannot be asked has no answer."""
    try:
        return _answer(question)
    except (TabularInversionError, AttributeError, TypeError):
        return None


def _answer(question):
    if isinstance(question, ValuesQuestion):
        return identify(question.agent, question.kernel_class, scope=question.scope, noise=question.noise)
    decide = {
        StructuralQuestion: decide_structural,
        GenericQuestion: decide_generic,
        ModularQuestion: decide_modular,
    }
    return decide[type(question)](question)


def linkage_is_true(found):
    """As many disjoint paths as networkx finds, each of them a path, and a cut of that size that separates."""
    question = found.question
    edges, pays = question.edges.toarray(), question.goals.rewards != 0
    flow = nx.DiGraph()
    for s in range(len(edges)):
        flow.add_edge(("in", s), ("out", s), capacity=1)
        for t in np.flatnonzero(edges[s]).tolist():
            flow.add_edge(("out", s), ("in", t), capacity=1)
        for g in np.flatnonzero(pays[:, s]).tolist():
            flow.add_edge(("out", s), ("goal", g), capacity=1)
    for s in found.sources.tolist():
        flow.add_edge("source", ("in", s))
    for g in range(len(pays)):
        flow.add_edge(("goal", g), "sink", capacity=1)
    value = nx.maximum_flow_value(flow, "source", "sink")
    steps = all(edges[a, b] for path in found.paths for a, b in zip(path[:-1], path[1:], strict=True))
    ends = all(pays[g, path[-1]] for g, path in zip(found.goals, found.paths, strict=True))
    visited = [int(s) for path in found.paths for s in path]
    starts = {int(path[0]) for path in found.paths} <= set(found.sources.tolist())
    alone = len(set(visited)) == len(visited) and len(set(found.goals.tolist())) == len(found.goals)
    for s in found.cut.states.tolist():
        flow.remove_edge(("in", s), ("out", s))
    for g in found.cut.goals.tolist():
        flow.remove_edge(("goal", g), "sink")
    separated = nx.maximum_flow_value(flow, "source", "sink") == 0
    return value == len(found.paths) == len(found.cut) and steps and ends and starts and alone and separated


def minimality_is_true(found):
    """The goals suffice, and no smaller set with the given ones does: every such set is tried."""
    everything = set(range(found.agent.n_goals))
    smaller = (
        {*found.given, *chosen}
        for size in range(found.lower_bound - len(found.given))
        for chosen in combinations(sorted(everything - set(found.given)), size)
    )
    enough = suffices(found.agent, sorted(found.goals), found.kernel_class)
    return enough and not any(suffices(found.agent, sorted(chosen), found.kernel_class) for chosen in smaller)


def suffices(agent, goals, kernel_class):
    if not goals:
        sizes = kernel_class.sizes[agent.row_index] if isinstance(kernel_class, Supported) else [agent.n_states]
        return bool(np.max(sizes) == 1 and kernel_class.sums_to_one)
    policy = agent.policy if agent.policy is None or agent.policy.ndim == 2 else agent.policy[goals]
    part = ExactAgentValues(agent.q[goals], agent.goals.select(goals), agent.discount, policy, agent.available)
    return identify(part, kernel_class, scope="uniform").status is Status.IDENTIFIED


def rank_is_true(stated):
    found, matrix = stated.certificate, stated.matrix
    shown = sympy.Matrix([[sympy.Rational(x.numerator, x.denominator) for x in row] for row in matrix.tolist()])
    vectors = found.null_vectors
    if found.side == "right":
        zero = not (matrix @ vectors).any()
    else:
        zero = not (vectors.T @ matrix).any()
    return bool(shown.rank() == found.rank and zero and sympy.isprime(found.prime))


def feasibility_is_true(stated):
    found, matrix, right = stated.certificate, stated.matrix, stated.right
    if found.solution is not None:
        x = found.solution.tolist()
        met = all(sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0)) == b
                  for row, b in zip(matrix.tolist(), right.tolist(), strict=True))  # fmt: skip
        return found.certificate is None and met and min(x, default=0) >= 0
    y = found.certificate.tolist()
    columns = [sum((a * b for a, b in zip(y, column, strict=True)), Fraction(0)) for column in matrix.T.tolist()]
    return min(columns, default=0) >= 0 and sum(a * b for a, b in zip(y, right.tolist(), strict=True)) < 0


def recession_is_true(stated):
    found, matrix, mask = stated.certificate, stated.matrix, stated.right
    if found.vector is not None:
        v = found.vector
        return found.certificate is None and bool(v.any() and not (matrix @ v).any() and (v[mask] >= 0).all())
    image = found.certificate @ matrix
    free = matrix[:, ~mask]
    independent = free.shape[1] == 0 or exact.rank(free).rank == free.shape[1]
    return bool((image[mask] > 0).all() and not image[~mask].any() and independent)


def discounts_are_true(result):
    return same(result, exceptional_discounts(result.mdp, result.goals, policy=result.policy))


def balls_are_true(result):
    return same(result, certified_discounts(result.mdp, result.goals, policy=result.policy,
                                            max_intervals=result.max_intervals))  # fmt: skip


def pair_is_true(_):
    return False  # another pair is not the one that is made


ORACLES = {
    "linkage": linkage_is_true,
    "minimal goals": minimality_is_true,
    "exceptional discounts": discounts_are_true,
    "certified discounts": balls_are_true,
    "kernel pair": pair_is_true,
    "rank": rank_is_true,
    "feasibility": feasibility_is_true,
    "recession": recession_is_true,
}
