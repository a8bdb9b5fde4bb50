"""CX: how hard the questions are: exact cover, spark, set cover and metric dimension inside them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations

import networkx as nx
import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.x3_negative_type import connected
from tabular_inversion import Deterministic, Sparse, Supported, exact, identify
from tabular_inversion.environments import exact_cover, graph, set_cover
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Status
from tabular_inversion.sufficiency import minimal

PROOF = r"""
(a) *One row in Sparse(N), N in the input, is coNP-complete.* "Not identified" has a short proof: the support of
another row, which a linear program completes. For hardness take triples of the elements $U = \{1, \dots, 3t\}$,
$\gamma = 0$, column 0 of $M = R$ equal to $\tfrac1t \mathbf 1_U$, a column $\mathbf 1_S$ for each triple, the row
$e_0$, $N = t$. Let $p \ne e_0$ be a row with the same values. Subtract what it has in column 0 and scale: weights
$w_S \ge 0$ with $\sum_S w_S \mathbf 1_S = \tfrac1t \mathbf 1_U$, whose sum is $3t \cdot \tfrac1t / 3 = 1$, on at most
$t$ triples. They cover $3t$ elements, so that there are $t$ of them, disjoint: an exact cover. Conversely an exact
cover with weights $1/t$ is such a row. Exact cover by 3-sets is NP-complete (Karp).

(b) *Uniformly in Sparse(N).* Let $\gamma = 0$, $M = R = \begin{bmatrix} A & 0 \\ I & I \end{bmatrix}$. Then $M v = 0$
for $v = (x, y)$ says $A x = 0$, $y = -x$, and the sum of $v$ is zero by itself. So $v$ has as many positive entries
as negative ones, the number of nonzero entries of $x$; it is a multiple of a difference of two $N$-sparse rows if and
only if this is at most $N$. (Positive and negative parts have the same sum; scale it to one.) So two $N$-sparse rows
agree if and only if $\operatorname{spark}(A) \le N$, which is NP-complete to decide (Khachiyan 1995; Tillmann and
Pfetsch 2014).

(c) *The smallest goal set in Supported is NP-hard.* For each element $e$ let one row have the support $\{x_e, y_e\}$;
in $x_e$ actions lead to $g_S$ for the sets $S \ni e$, all $g_S$ and $y_e$ stay; goal $S$ pays in $g_S$. For
$\gamma > 0$ an optimal agent has $M_S(x_e) > 0 = M_S(y_e)$ if $e \in S$, else both are 0. The rows with one successor
ask for nothing, a row on two states is identified if and only if some goal tells them apart: goals suffice if and
only if the sets cover. The smallest set is the smallest cover, with the same hardness of approximation (Feige 1998:
below $\ln |U|$).

(d) *Deterministic on graphs.* By X1 the columns of $M$ are $\gamma^{d(g, \cdot)}$; goals suffice (T2a) if and only if
no two states have the same distances to all of them: they resolve the graph, and the smallest set is a metric basis.
Metric dimension is NP-hard (Khuller, Raghavachari and Rosenfeld 1996).

(e) *What is polynomial:* verdicts by rank or by linear programs, in Unconstrained, Stochastic, Supported and
Deterministic; for each fixed $N$ the finitely many supports of size $N$ or circuits of size $2N$; the smallest goal
set for one demand, which is a matroid (G4).
"""

COVERED = "the sets are triples that hold every element"


def triples_of(instance: Instance) -> list[frozenset[int]]:
    """Return the triples of a world of `exact_cover`."""
    columns = instance.goals.rewards[:, 1:]
    return [frozenset(np.flatnonzero(column == 1).tolist()) for column in columns.T]


def has_exact_cover(triples: Sequence[frozenset[int]], n_elements: int) -> bool:
    """Tell by trying all choices whether some triples hold each element once."""
    return any(len(frozenset().union(*chosen)) == n_elements for chosen in combinations(set(triples), n_elements // 3))


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw 2 to `size` + 1 triples of six elements, or of nine, that hold every element."""
    while True:
        elements = 3 * int(rng.integers(2, 3 + (size > 4)))
        count = int(rng.integers(elements // 3, size + 2))
        triples = {frozenset(rng.choice(elements, 3, replace=False).tolist()) for _ in range(count)}
        if len(frozenset().union(*triples)) == elements:
            return Instance(*exact_cover(sorted(map(sorted, triples))), kernel_class=f"sparse:{elements // 3}")


def conclude(instance: Instance) -> Outcome:
    """The row is identified if and only if there is no exact cover."""
    triples, elements = triples_of(instance), instance.goals.n_goals
    verdict = identify(instance.agent, Sparse(elements // 3))
    cover = has_exact_cover(triples, elements)
    text = f"{[sorted(t) for t in triples]}: exact cover {cover}, {verdict.status.name}"
    return Outcome((verdict.status is Status.IDENTIFIED) is not cover, text)


def are_triples(instance: Instance) -> bool:
    """Tell whether each set has three elements and column 0 is 1/t."""
    rewards, triples = instance.goals.rewards, triples_of(instance)
    return all(len(t) == 3 for t in triples) and bool((rewards[:, 0] * len(rewards) == 3).all())


def not_held() -> Instance:
    """Two triples that share an element and leave one out, and a column 0 to match."""
    world, _ = exact_cover([[0, 1, 2], [3, 4, 5]])
    columns = exact.fraction_array([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0]])
    rewards = np.concatenate([columns.mean(axis=0, keepdims=True), columns]).T
    return Instance(world, ExactGoals(rewards), kernel_class="sparse:2")


HYPOTHESES = (Hypothesis(COVERED, are_triples),)


def spark(matrix: FractionArray) -> int:
    """Return the fewest dependent columns, by trying all sets; one more than there are if none depend."""
    n = int(matrix.shape[1])
    for size in range(1, n + 1):
        if any(exact.rank(matrix[:, list(c)]).rank < size for c in combinations(range(n), size)):
            return size
    return n + 1


def check_spark(rng: np.random.Generator, amount: int, *, late: int = 0) -> Tally:
    """(b) Small matrices A: Sparse(N) is uniformly identified iff spark A > N + `late`, with late = 0."""
    tally = Tally()
    for _ in range(amount):
        r, n = int(rng.integers(1, 3)), int(rng.integers(2, 4))
        a = exact.fraction_array(rng.integers(-1, 2, (r, n)))
        unit = exact.fraction_array(np.eye(n, dtype=int))
        rewards = np.concatenate([np.hstack([a, 0 * a]), np.hstack([unit, unit])])
        world = ExactMDP(np.eye(1, 2 * n, dtype=int).repeat(2 * n, axis=0)[:, None].astype(object), Fraction(0))
        agent = exact.solve(world, ExactGoals(rewards))
        for most in (1, 2):
            status = identify(agent, Sparse(most), scope="uniform").status
            holds = (status is Status.IDENTIFIED) is (spark(a) > most + late)
            tally.add(holds, 0.0, f"A = {a.astype(int).tolist()}, spark {spark(a)}, N = {most}: {status.name}")
    return tally


def smallest_cover(sets: Sequence[frozenset[int]], n_elements: int) -> int:
    """Return the size of the smallest cover, by trying all choices."""
    return next(
        size
        for size in range(1, len(sets) + 1)
        if any(len(frozenset().union(*chosen)) == n_elements for chosen in combinations(sets, size))
    )


def check_set_cover(rng: np.random.Generator, amount: int, *, disjoint: bool = False) -> Tally:
    """(c) The smallest goal set on the known support is the smallest cover; with `disjoint`, an exact one."""
    tally = Tally()
    while tally.instances < amount:
        e = int(rng.integers(2, 6))
        sets = list({frozenset(np.flatnonzero(rng.random(e) < 0.5).tolist()) for _ in range(int(rng.integers(2, 6)))})
        sets = [s for s in sets if s]
        if len(frozenset().union(*sets)) < e:
            continue
        world, goals = set_cover([sorted(s) for s in sets])
        found = minimal(world, goals, Supported.of(world.to_float())).size
        wanted = smallest_cover(sets, e)
        if disjoint:
            sizes = [len(c) for n in range(1, len(sets) + 1) for c in combinations(sets, n)
                     if sum(map(len, c)) == e == len(frozenset().union(*c))]  # fmt: skip
            wanted = min(sizes, default=len(sets))
        tally.add(found == wanted, 0.0, f"{[sorted(s) for s in sets]}: {found} goals, claimed {wanted}")
    return tally


def metric_dimension(network: nx.Graph[int]) -> int:
    """Return how many nodes resolve all others by distances, by trying all sets."""
    steps = nx.floyd_warshall_numpy(network)
    n = len(steps)
    return next(
        size
        for size in range(1, n + 1)
        if any(len(np.unique(steps[list(c)], axis=1).T) == n for c in combinations(range(n), size))
    )


def check_metric_dimension(rng: np.random.Generator, amount: int) -> Tally:
    """(d) Connected graphs with up to 7 nodes: the smallest set for Deterministic is a metric basis."""
    tally = Tally()
    for _ in range(amount):
        network = connected(rng, int(rng.integers(2, 8)))
        found = minimal(graph(network, discount=0.5), Goals.indicator(len(network)), Deterministic()).size
        wanted = metric_dimension(network)
        tally.add(found == wanted, 0.0, f"{sorted(network.edges)}: {found} goals, metric dimension {wanted}")
    return tally


def check_all_pairs_of_triples(_rng: np.random.Generator, _amount: int, *, fewer: int = 0) -> Tally:
    """(a) All sets of two or three triples of six elements, up to the first triple: identified iff no exact cover.

    With `fewer` the class has rows with so many successors less.
    """
    tally = Tally()
    others = [t for t in combinations(range(6), 3) if t != (0, 1, 2)]
    for count in (1, 2):
        for more in combinations(others, count):
            triples = [frozenset(t) for t in ((0, 1, 2), *more)]
            if len(frozenset().union(*triples)) < 6:
                continue
            world, goals = exact_cover([sorted(t) for t in triples])
            agent: ExactAgentValues = exact.solve(world, goals)
            status = identify(agent, Sparse(2 - fewer)).status
            cover = has_exact_cover(triples, 6)
            tally.add((status is Status.IDENTIFIED) is not cover, 0.0, f"{triples}: {cover}, {status.name}")
    return tally


STATEMENT = Statement(
    id="CX",
    title="How hard the questions are",
    latex=r"\{p_{e_0} \text{ identified in Sparse}(N)\},\ \{\text{Sparse}(N) \text{ uniformly}\} \in "
    r"\text{coNP-complete}; \quad "
    r"\min |S| \text{ in Supported} \ge \text{set cover}, \ \text{in Deterministic on graphs} = \text{metric "
    r"dimension}",
    plain="Whether one row is identified among rows with at most N successors is coNP-complete if N is part of "
    "the input, "
    "by exact cover; so is the uniform question, by the spark of a matrix. The smallest goal set on a known "
    "support is as "
    "hard as set cover, and for deterministic worlds on graphs it is the metric dimension. Verdicts in all other "
    "classes, "
    "for fixed N, and the smallest set for one demand are polynomial.",
    source="this package; after Karp (1972), Khachiyan (1995), Feige (1998), Khuller et al. (1996)",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "(a) triples of six or nine elements: identified iff no exact cover",
              exact_check(draw, HYPOTHESES, conclude, size=5), (20, 200, 2000)),
        Check("universal", "(a) all sets of up to three triples of six elements that hold them, one triple fixed",
              check_all_pairs_of_triples, (1, 1, 1)),
        Check("exact", "(b) small matrices: uniform in Sparse(N) iff the spark exceeds N", check_spark,
              (15, 150, 1500)),
        Check("exact", "(c) sets of up to five elements: the smallest goal set is the smallest cover", check_set_cover,
              (10, 100, 1000)),
        Check("exact", "(d) graphs with up to 7 nodes: metric dimension", check_metric_dimension, (8, 80, 800)),
    ),
    counterexamples=(
        Counterexample(COVERED, "an element that no triple holds, and a column 0 to match: no cover, not identified",
                       not_held),
    ),
    mutations=(
        Mutation("(a) one successor less", partial(check_all_pairs_of_triples, fewer=1), 1),
        Mutation("(b) the spark may be N", partial(check_spark, late=-1), 20),
        Mutation("(c) the cover has to be exact", partial(check_set_cover, disjoint=True), 40),
    ),
    open_levels={"symbolic": "the reductions are from finite sets to small numbers; there is nothing to vary"},
    api=("tabular_inversion.environments.exact_cover", "tabular_inversion.environments.set_cover",
         "tabular_inversion.sufficiency.minimal"),
)  # fmt: skip
