"""Goals of few parameters (AG): verdicts for almost every draw against members in fractions, and sharp numbers."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from tabular_inversion import Deterministic, Sparse, Stochastic, Unconstrained, exact
from tabular_inversion.environments import chain, random_mdp
from tabular_inversion.errors import GoalsError, InputError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.identifiability import Status, Verdict
from tabular_inversion.sufficiency import GoalFamily, generic

KINDS = {
    "powers": lambda x, n: [x**s for s in range(n)],
    "bumps": lambda x, n: [1 / (1 + (s - x) ** 2) for s in range(n)],
    "mirrored": lambda x, n: [x ** min(s, n - 1 - s) for s in range(n)],
    "multiples": lambda x, n: [x * (s + 1) for s in range(n)],
    "planes": lambda x, n: [x + s for s in range(n)],
}


def family(kind, n, k):
    points = [Fraction(i, 7) for i in range(1, n + 4)]
    return GoalFamily.parametric(lambda x: KINDS[kind](x, n), points, k, name=kind)


def members(rng, kind, n, k):
    """Goals at parameters drawn with long denominators: almost every draw is meant."""
    parameters = [Fraction(int(x), 10**9 + 7) for x in rng.integers(1, 3 * 10**9, k)]
    return ExactGoals(exact.fraction_array([[Fraction(x) for x in KINDS[kind](p, n)] for p in parameters]))


def drawn_world(rng, world):
    """A kernel drawn on the support of a world, and an unconditional policy."""
    support = world.dense().kernel > 0
    weights = exact.fraction_array(np.where(support, rng.integers(1, 10**6, support.shape), 0).astype(object))
    kernel = weights / np.maximum(weights.sum(axis=2, keepdims=True), 1)
    share = exact.fraction_array(rng.integers(1, 10**6, world.available.shape).astype(object)) * world.available
    return ExactMDP(kernel, Fraction(int(rng.integers(1, 10**6)), 10**6), world.available), share / share.sum(
        axis=1, keepdims=True
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_verdicts_are_those_of_members_in_drawn_worlds(kind, seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(3, 7)), int(rng.integers(1, 6))
    world = random_mdp(n, 2, branching=int(rng.integers(1, min(n, 4) + 1)), seed=seed)
    agents = []
    for _ in range(2):
        there, policy = drawn_world(rng, world)
        agents.append(exact.evaluate(there, members(rng, kind, n, k), policy).test_matrix)
    ones = [np.concatenate([m, np.full((1, n), Fraction(1), dtype=object)]) for m in agents]
    asked = {"policy": "generic", "seed": seed}
    for kernel_class, matrices in ((Unconstrained(), agents), (Stochastic(), ones)):
        verdict = generic(world, family(kind, n, k), kernel_class, **asked)
        ranks = {exact.rank(matrix).rank for matrix in matrices}
        assert ranks == {verdict.rank}
        assert (verdict.status is Status.IDENTIFIED) == (verdict.rank == n)
        verdict.verify()
    verdict = generic(world, family(kind, n, k), **asked)
    kernel = world.dense().kernel
    for (s, a), status in zip(np.argwhere(world.available), verdict.row_status[world.available], strict=True):
        columns = np.flatnonzero(kernel[s, a])
        full = {exact.rank(matrix[:, columns]).rank == len(columns) for matrix in ones}
        assert full == {status == Status.IDENTIFIED}
    verdict.verify()
    distinct = {len({tuple(c) for c in matrix.T.tolist()}) == n for matrix in agents}
    assert distinct == {generic(world, family(kind, n, k), Deterministic(), **asked).status is Status.IDENTIFIED}


def test_sharp_numbers_of_gaussians_for_optimal_agents():
    world, places = random_mdp(12, 2, branching=3, seed=0), np.arange(12.0)[:, None]
    cases = {None: (2, 1), Stochastic(): (11, 10), Unconstrained(): (12, 11), Deterministic(): (1, None)}
    for kernel_class, (enough, few) in cases.items():
        assert generic(world, GoalFamily.gaussian(places, enough), kernel_class).status is Status.IDENTIFIED
        if few is not None:
            less = generic(world, GoalFamily.gaussian(places, few), kernel_class)
            assert less.status is Status.NOT_IDENTIFIED
            less.verify()
    for k, status in ((3, Status.IDENTIFIED), (1, Status.NOT_IDENTIFIED)):
        assert generic(world, GoalFamily.gaussian(places, k), Sparse(2)).status is status


def test_what_lies_at_one_place_or_spans_too_little_is_refused():
    for wrong in ([[0.0], [0.0]], [[np.nan]], [0.0, 1.0], [], [["a"]], None):
        with pytest.raises(InputError):
            GoalFamily.gaussian(wrong, 1)
    with pytest.raises(InputError, match="states 0 and 2 lie at one place"):
        GoalFamily.gaussian([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]], 1)
    points = [Fraction(1), Fraction(2)]
    for rewards in (lambda x: [0 * x, 0], lambda x: [0.5, x], lambda x: [1] * int(x), lambda x: x / 0):
        with pytest.raises(GoalsError):
            GoalFamily.parametric(rewards, points, 1)
    for n_goals in (0, -1):
        with pytest.raises(GoalsError):
            GoalFamily.gaussian([[0.0], [1.0]], n_goals)
    with pytest.raises(GoalsError):
        GoalFamily.parametric(lambda x: [1, x], [], 1)
    with pytest.raises(GoalsError, match="independent"):
        GoalFamily(1, np.array([[1, 2], [2, 4]]), "dependent")
    world = chain(5)
    with pytest.raises(GoalsError, match="does not span"):
        generic(world, family("mirrored", 5, 2))
    with pytest.raises(InputError, match="drop one"):
        generic(world, family("powers", 5, 2), rewards="generic")
    with pytest.raises(GoalsError, match="states"):
        generic(world, family("powers", 4, 2), policy="generic")


def test_a_verdict_about_a_family_is_saved(tmp_path):
    for verdict in (
        generic(nx.star_graph(4), family("mirrored", 5, 2), policy="generic"),
        generic(nx.star_graph(4), family("powers", 5, 4), policy="generic"),
    ):
        verdict.save(tmp_path / "verdict.npz")
        again = Verdict.load(tmp_path / "verdict.npz")
        assert again == verdict
        again.verify()
