"""Whether what was changed is still true, found out by means that share nothing with the package's own checks."""

import re
from fractions import Fraction
from itertools import combinations, pairwise
from types import SimpleNamespace

import networkx as nx
import numpy as np
import sympy

from tabular_inversion import Deterministic, Sparse, Status, Supported, exact, identify
from tabular_inversion.discounts import certified_discounts, exceptional_discounts
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.identifiability import ValuesQuestion
from tabular_inversion.identifiability.rational.judge_exactly import exact_system
from tabular_inversion.identifiability.rational.proofs import EmptyProof, FaceProof, RankProof
from tabular_inversion.records import same
from tabular_inversion.sufficiency.by_draws.generic import GenericQuestion, decide_generic
from tabular_inversion.sufficiency.by_paths.structural import StructuralQuestion, decide_structural
from tabular_inversion.sufficiency.concrete import ModularQuestion, decide_modular


def is_true(kind, forged):
    """Tell whether an accepted forgery is a true result: of another question, or with another true certificate."""
    try:
        return verdict_is_true(forged) if kind.endswith("verdict") else ORACLES[kind](forged)
    except (AttributeError, IndexError, TypeError, ValueError):  # what is no result at all is not true
        return False


DECIMAL = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+e[-+]?\d+")


def verdict_is_true(forged):
    """Every field but certificates is that of its question's answer, floats up to rounding; certificates are true."""
    answer = answer_to(forged.question)
    if answer is None:
        return False
    exactly = ("row_status", "row_evidence", "rank", "error_probability", "hint")
    words = [DECIMAL.sub("", verdict.reason) for verdict in (forged, answer)]
    numbers = [list(map(float, DECIMAL.findall(verdict.reason))) for verdict in (forged, answer)]
    if not all(same(getattr(forged, name), getattr(answer, name)) for name in exactly) or words[0] != words[1]:
        return False
    if not np.allclose(*numbers, rtol=0.02, atol=1e-11):
        return False
    question = forged.question
    if not isinstance(question, ValuesQuestion):
        return same(forged.witness, answer.witness) and same(forged.proofs, answer.proofs)
    agent = question.agent
    scale = max(1.0, float(np.abs(agent.test_matrix.astype(float)).max()))
    close = np.isclose(forged.sigma_min, answer.sigma_min, rtol=0, atol=1e-11, equal_nan=True) and np.isclose(
        forged.largest_residual, answer.largest_residual, rtol=0, atol=1e-11 * scale, equal_nan=True
    )
    if not close or (forged.witness is None) != (answer.witness is None):
        return False
    return (forged.witness is None or witness_is_true(forged)) and proofs_are_true(forged, answer)


def witness_is_true(verdict):
    """Both rows are in the class, differ, have equal values, and at instance scope the agent's; in fractions."""
    question, shown = verdict.question, verdict.witness
    agent, kernel_class = question.agent, question.kernel_class
    exactly = isinstance(agent, ExactAgentValues)
    slack = 0 if exactly else Fraction(1, 10**8)
    convert = np.vectorize(Fraction, otypes=[object])
    matrix, rows = convert(agent.test_matrix), [convert(row) for row in (shown.first, shown.second)]
    size = max(1, abs(matrix).max())
    number = shown.state * agent.n_actions + shown.action
    for row in rows:
        if row.shape != (agent.n_states,):
            return False
        if kernel_class.sums_to_one and (row.min() < -slack or abs(row.sum() - 1) > slack):
            return False
        if isinstance(kernel_class, Sparse) and (row > slack).sum() > kernel_class.max_successors:
            return False
        if isinstance(kernel_class, Deterministic) and (row > slack).sum() != 1:
            return False
        if isinstance(kernel_class, Supported) and row[~kernel_class.support[[number]].toarray()[0]].any():
            return False
    equal = (abs(matrix @ (rows[0] - rows[1])) <= slack * size).all() and abs(rows[0] - rows[1]).sum() > slack / 100
    if question.scope == "uniform" or question.noise > 0:
        return bool(equal)
    place = int(np.searchsorted(agent.row_index, number))
    values = convert(agent.right_hand_sides[:, place])
    return bool(equal and (abs(matrix @ rows[0] - values) <= slack * size).all())


def proofs_are_true(verdict, answer):
    """Each proof of an exact verdict is of the kind and about the rows of the answer's, and its certificate holds."""
    if [type(p) for p in verdict.proofs] != [type(p) for p in answer.proofs]:
        return False
    if not same(tuple(p.rows for p in verdict.proofs), tuple(p.rows for p in answer.proofs)):
        return False
    question = verdict.question
    return all(same(p, q) or proof_is_true(p, question) for p, q in zip(verdict.proofs, answer.proofs, strict=True))


def proof_is_true(proof, question):
    system = exact_system(question.agent, question.kernel_class)
    matrix = system.matrix[:, system.allowed[proof.rows[0]]]
    if isinstance(proof, RankProof):
        return rank_is_true(SimpleNamespace(certificate=proof.rank, matrix=matrix)) and proof.rank.rank == len(matrix.T)
    if isinstance(proof, EmptyProof):
        right = system.values[:, proof.rows[0]]
        found = SimpleNamespace(certificate=proof.feasibility, matrix=matrix, right=right)
        return proof.feasibility.solution is None and feasibility_is_true(found)
    if isinstance(proof, FaceProof):
        found = SimpleNamespace(certificate=proof.recession, matrix=matrix, right=proof.off)
        return proof.recession.vector is None and recession_is_true(found)
    return False


def answer_to(question):
    """Decide again; what cannot be asked has no answer."""
    try:
        return _answer(question)
    except TabularInversionError:
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
    steps = all(edges[a, b] for path in found.paths for a, b in pairwise(path))
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
    zero = not (matrix @ vectors if found.side == "right" else vectors.T @ matrix).any()
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
