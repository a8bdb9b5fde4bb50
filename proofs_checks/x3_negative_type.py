"""X3: a finite metric has no exceptional discount in (0, 1) if and only if it is of negative type."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from flint import fmpz_poly

from proofs_checks.instance import Instance
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from proofs_checks.x1_graph_discounts import (
    GRAPHS,
    OTHERS,
    all_goals,
    are_edges,
    graphs_with,
    on_graph,
    small_worlds,
    walking_is_best,
    walks,
)
from tabular_inversion import Unconstrained, exact, identify
from tabular_inversion.discounts import exceptional_discounts, negative_type
from tabular_inversion.environments import four_rooms, graph
from tabular_inversion.exact.polynomials.matrices import rank_at, rank_drops
from tabular_inversion.exact.polynomials.roots import isolate
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from tabular_inversion.exact import ExactMDP

PROOF = r"""
Let $d$ be a metric on $n$ points (symmetric, $d_{ii} = 0$, $d_{ij} > 0$ otherwise; the triangle inequality is not
used), $D = (d_{ij})$ and $Z(\gamma) = (\gamma^{d_{ij}})$. By X1, $M = Z(\gamma)$ for optimal agents on a graph.

*(iii) implies (ii).* Let $x^\top D x \le 0$ for all $x$ with sum zero. For $y$ without an entry at 0 take
$x = y - (\sum y)\, e_0$: then $-x^\top D x = \sum_{ij} y_i y_j (d_{i0} + d_{j0} - d_{ij}) \ge 0$. So
$\tfrac12(d_{i0} + d_{j0} - d_{ij})$ is positive semidefinite, $u_i \cdot u_j$ for some vectors, with $u_0 = 0$, and
$|u_i - u_j|^2 = d_{ij}$ (Schoenberg). With $t = -\ln\gamma > 0$,

$$
\sum_{ij} c_i c_j\, \gamma^{d_{ij}} = \sum_{ij} c'_i c'_j\, e^{2t\, u_i \cdot u_j}
= \sum_{k \ge 0} \frac{(2t)^k}{k!} \Big| \sum_i c'_i\, u_i^{\otimes k} \Big|^2 \ge 0,
\qquad c'_i = c_i\, e^{-t |u_i|^2} .
$$

If this is zero, $\sum_i c'_i\, p(u_i) = 0$ for every polynomial $p$. The $u_i$ are distinct, since $d_{ij} > 0$; a
polynomial that is 1 at one of them and 0 at the others shows that $c' = 0$. So $Z(\gamma)$ is positive definite.

*(ii) implies (i)*, since the determinant of a positive definite matrix is positive. *(i) implies (ii):* as
$\gamma \to 0$, $Z \to I$. Eigenvalues are continuous in $\gamma$, and none is zero on $(0, 1)$: all stay positive.

*(ii) implies (iii), and the count.* Let $x$ have sum zero. As $t \to 0$,
$x^\top Z(e^{-t})\, x = (\sum x)^2 - t\, x^\top D x + O(t^2 |x|^2)$. If $D$ has $p$ positive eigenvalues on vectors
with sum zero, there are a subspace of dimension $p$ and $c > 0$ with $x^\top D x \ge c |x|^2$ on it. For small $t$
the form of $Z(e^{-t})$ is negative definite there, so that $Z$ has $p$ negative eigenvalues at least. With $p \geq 1$
(ii) fails. Near $\gamma = 0$ none is negative. The number of negative eigenvalues changes at roots of $\det Z$ alone,
and there by at most as many as vanish, the nullity. So the nullities at the roots in $(0, 1)$ add up to at least $p$.

*Parts.* Let a graph fall into $A$ and $B$ at the cut point $c$, so that $d(i, j) = d(i, c) + d(c, j)$ across it. Take
$\gamma^{d(i,c)}$ times row $c$ from each row $i$ of $B \setminus c$: entries in the columns of $A$ vanish, the others
become the Schur complement of $Z_B$ at $c$, where $Z$ has a 1. So $\det Z = \det Z_A \det Z_B$. Likewise in the basis
$e_v - e_{p(v)}$, where $p(v)$ lies in the same part as $v$, the form $-D$ vanishes between $A$ and $B$:
$D_{vw} - D_{v\,p(w)} - D_{p(v)\,w} + D_{p(v)\,p(w)} = 0$. So both the roots and the positive directions are those of
the parts.

*The inertia* of $-D$ on vectors with sum zero is that of the diagonal of any $L \operatorname{diag}(w) L^\top$ that
is equal to it, with independent columns of $L$ (Sylvester). This is what `negative_type` computes and `verify`
multiplies out. *Trees, cycles, grids, hypercubes and complete graphs* embed isometrically into $\ell_1$, as do all
their products, and $\ell_1$ distances are squared Euclidean ones (of indicator functions of half-lines): none has an
exceptional discount.
"""

EDGES = "sure moves along the edges of a connected undirected graph"
GOALS = "every state is a goal, which pays 1 on arrival and ends there"
OPTIMAL = "the agent is optimal for each goal"
TYPE = "the metric is of negative type"

FAMILIES: tuple[Callable[[int], nx.Graph[Any]], ...] = (
    nx.path_graph, nx.cycle_graph, nx.complete_graph, nx.star_graph,
    lambda n: nx.random_labeled_tree(n, seed=n), lambda n: nx.grid_2d_graph(2, n), lambda _n: nx.hypercube_graph(3),
    lambda n: nx.lollipop_graph(3, n),
)  # fmt: skip


def steps(world: ExactMDP) -> FractionArray:
    """Return the fewest sure moves both ways, added; -1 where there is no way."""
    there = walks(world)
    found: FractionArray = exact.fraction_array(np.where(np.isfinite(there + there.T), there + there.T, -1).astype(int))
    return found


def is_of_negative_type(world: ExactMDP) -> bool:
    """Tell whether the distances, both ways added, are of negative type."""
    both = steps(world)
    return bool((both >= 0).all()) and negative_type(both).holds


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a graph of one of the families, or any connected one of negative type, with up to about `size` nodes."""
    while True:
        n, kind = int(rng.integers(3, size + 1)), int(rng.integers(len(FAMILIES) + 4))
        network = nx.convert_node_labels_to_integers(FAMILIES[kind](n) if kind < len(FAMILIES) else connected(rng, n))
        instance = on_graph(network, Fraction(int(rng.choice([1, 25, 50, 80, 99])), 100))
        if is_of_negative_type(instance.world):
            return instance


def conclude(instance: Instance) -> Outcome:
    """M is symmetric and positive definite, by its leading minors; every kernel is identified."""
    matrix = instance.agent.test_matrix
    symmetric = bool((matrix == matrix.T).all())
    minors = [exact.determinant(matrix[:i, :i]) for i in range(1, len(matrix) + 1)]
    status = identify(instance.agent, Unconstrained(), scope="uniform").status
    text = f"M symmetric: {symmetric}, leading minors {[str(x) for x in minors]}; {status.name}"
    return Outcome(symmetric and all(x > 0 for x in minors) and status is Status.IDENTIFIED, text)


HYPOTHESES = (
    Hypothesis(EDGES, lambda i: are_edges(i.world) and bool((steps(i.world) >= 0).all()), partial(small_worlds, 1, 1)),
    Hypothesis(OTHERS, lambda i: walking_is_best(i.world)),
    Hypothesis(GOALS, lambda i: i.goals == all_goals(i.world.n_states), partial(small_worlds, 1, 1, plain=False)),
    Hypothesis(OPTIMAL, lambda i: i.policy is None, partial(small_worlds, 2, 1, policy=True)),
    Hypothesis(TYPE, lambda i: is_of_negative_type(i.world)),
)


def similarity_polynomials(distances: FractionArray) -> list[list[fmpz_poly]]:
    """Return gamma^d as polynomials."""
    return [[fmpz_poly([0] * int(d) + [1]) for d in row] for row in distances]


def nullities(distances: FractionArray) -> list[int]:
    """Return the nullity of gamma^d at each of its roots in (0, 1), all of which are isolated."""
    matrix = similarity_polynomials(distances)
    return [len(matrix) - rank_at(matrix, number) for number, _ in isolate(rank_drops(matrix, len(matrix)))]


def has_positive_signs(distances: FractionArray) -> bool:
    """Tell whether a vector of entries -1, 0 and 1 with sum zero is of positive type."""
    signs = np.array([x for x in product((-1, 0, 1), repeat=len(distances)) if sum(x) == 0])
    return bool(((signs @ distances) * signs).sum(axis=1).max() > 0)


def check_all_graphs(_rng: np.random.Generator, largest: int, *, signs: bool = False) -> Tally:
    """All connected graphs with 2 to `largest` nodes: a root if and only if a positive direction, and the count.

    With `signs` positive directions are sought among vectors of entries -1, 0 and 1 alone.
    """
    tally = Tally()
    for n in range(2, largest + 1):
        exceptional = 0
        for network in graphs_with(n):
            result = negative_type(graph(network))
            result.verify()
            found = nullities(result.distances)
            exceptional += bool(found)
            positive = has_positive_signs(result.distances) if signs else not result.holds
            holds = bool(found) is positive and sum(found) >= result.n_positive
            tally.add(holds, 0.0, f"{sorted(network.edges)}: nullities {found}, {result}")
        if exceptional != GRAPHS.get(n, exceptional):
            tally.failures.append(f"{exceptional} graphs with {n} nodes have an exceptional discount, not {GRAPHS[n]}")
    return tally


def check_any_distances(rng: np.random.Generator, amount: int) -> Tally:
    """Symmetric whole numbers, and squared distances of points: definite at 1/2 and near 1, or negative near 1."""
    tally = Tally()
    for i in range(amount):
        n = int(rng.integers(3, 7))
        points = np.unique(rng.integers(-2, 3, (n, 2)), axis=0)
        drawn = np.triu(rng.integers(1, 2 + i % 4, (n, n)), 1)
        given = ((points[:, None] - points[None]) ** 2).sum(axis=2) if i % 2 else drawn + drawn.T
        result = negative_type(exact.fraction_array(given))
        result.verify()
        near = Fraction(1) - Fraction(1, 10**9)
        values = [np.array([[g ** int(d) for d in row] for row in given], dtype=object) for g in (Fraction(1, 2), near)]
        if result.holds:
            minors = [exact.determinant(z[:j, :j]) for z in values for j in range(1, len(given) + 1)]
            tally.add(all(x > 0 for x in minors), 0.0, f"{given.tolist()}: minors at 1/2 and near 1")
        else:
            x = result.positive_vector
            tally.add(i % 2 == 0 and x.sum() == 0 and x @ values[1] @ x < 0, 0.0, f"{given.tolist()}: {x} near 1")
    return tally


def check_parts(rng: np.random.Generator, amount: int, *, overlap: int = 1) -> Tally:
    """Two graphs that share a point: det Z is the product, as polynomials, and positive directions add up."""
    tally = Tally()
    for _ in range(amount):
        pair = [connected(rng, int(rng.integers(3, 6))) for _ in range(2)]
        both = nx.disjoint_union(*pair)
        last, first = len(pair[0]) - 1, len(pair[0])
        whole = nx.contracted_nodes(both, last, first, self_loops=False) if overlap else both
        if not overlap:
            whole.add_edge(last, first)
        whole = nx.convert_node_labels_to_integers(whole)
        results = [negative_type(graph(network)) for network in (*pair, whole)]
        one, two, all_of_it = (rank_drops(similarity_polynomials(r.distances), len(r.distances)) for r in results)
        counts = [r.n_positive for r in results]
        holds = one * two == all_of_it and counts[0] + counts[1] == counts[2]
        tally.add(holds, 0.0, f"{sorted(whole.edges)}: positive directions {counts}, det Z {all_of_it}")
    return tally


def connected(rng: np.random.Generator, n: int) -> nx.Graph[Any]:
    """Draw a connected graph."""
    while True:
        network: nx.Graph[Any] = nx.gnp_random_graph(n, 0.6, seed=int(rng.integers(2**31)))
        if nx.is_connected(network):
            return network


def check_as_many_roots(_rng: np.random.Generator, _amount: int) -> Tally:
    """The variant that counts roots and not their nullities, on two K_{3,2} that share a point."""
    tally = Tally()
    for copies in (1, 2):
        whole = nx.complete_bipartite_graph(3, 2)
        for _ in range(copies - 1):
            whole = nx.contracted_nodes(nx.disjoint_union(whole, nx.complete_bipartite_graph(3, 2)), 4, 5)
        result = negative_type(graph(nx.convert_node_labels_to_integers(whole)))
        found = nullities(result.distances)
        tally.add(len(found) == result.n_positive, 0.0, f"{copies} K_3,2: nullities {found}, {result}")
    return tally


def check_four_rooms(_rng: np.random.Generator, amount: int) -> Tally:
    """Deterministic FourRooms: 4 positive directions; with `amount` 2 also its two roots, nullity 2 each."""
    tally = Tally()
    result = negative_type(four_rooms("deterministic"))
    result.verify()
    tally.add(result.n_positive == 4, 0.0, f"{result}")
    if amount > 1:
        found = exceptional_discounts(four_rooms("deterministic")).discounts
        tally.add([68 - x.rank for x in found] == [2, 2], 0.0, f"nullities {[68 - x.rank for x in found]}")
    return tally


STATEMENT = Statement(
    id="X3",
    title="Negative type decides exceptional discounts",
    latex=r"Z(\gamma) = (\gamma^{d_{ij}}): \quad \det Z \ne 0 \text{ on } (0,1) \iff Z \succ 0 \text{ on } (0,1) \iff "
    r"x^\top D x \le 0 \text{ for all } x \perp \mathbf 1; \qquad \sum_{\gamma^*} \operatorname{null} Z(\gamma^*) \ge "
    r"\#\{\lambda > 0 \text{ of } D \text{ on } \mathbf 1^\perp\}",
    plain="On an undirected graph where every state is a goal, no discount is exceptional if and only if the distances "
    "are of negative type: then all kernels are identified at every discount in (0, 1), since M is positive definite. "
    "If not, the nullities at the exceptional discounts add up to at least the number of positive directions of the "
    "distances. One exact elimination decides, without any root; it falls into parts at cut points. Trees, cycles, "
    "grids, hypercubes and complete graphs are of negative type; deterministic FourRooms has four positive directions.",
    source="this package; after Schoenberg (1938) and Meckes, Positive definite metric spaces (2013)",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("universal", "all connected graphs with 2 to 5 (quick), 6 or 7 nodes: a root in (0, 1) iff a positive "
              "direction, nullities at least as many", check_all_graphs, (5, 6, 7)),
        Check("exact", "graphs of negative type, discounts from 1/100 to 99/100: M is positive definite",
              exact_check(draw, HYPOTHESES, conclude, size=6), (15, 200, 2000)),
        Check("exact", "any distances: definite at 1/2 and near 1, or a vector of positive type near 1",
              check_any_distances, (40, 400, 4000)),
        Check("symbolic", "two graphs that share a point: det Z is the product as polynomials in the discount",
              check_parts, (10, 100, 1000)),
        Check("exact", "deterministic FourRooms: 4 positive directions, and (standard) two roots of nullity 2",
              check_four_rooms, (1, 2, 2)),
    ),
    counterexamples=(
        Counterexample(OTHERS, "a jump that may arrive sooner than walking does", stored("X1", OTHERS)),
        Counterexample(EDGES, "moves that cannot be taken back: M is not symmetric", stored("X3", EDGES)),
        Counterexample(GOALS, "other goals", stored("X3", GOALS)),
        Counterexample(OPTIMAL, "a policy that does not depend on the goal", stored("X3", OPTIMAL)),
        Counterexample(TYPE, "K_{3,3} at 1/2, whose distances are positive on (1, 1, 1, -1, -1, -1)",
                       stored("X1", "K_{3,3}")),
    ),
    mutations=(
        Mutation("vectors of entries -1, 0 and 1 decide the type", partial(check_all_graphs, signs=True), 5),
        Mutation("as many roots as positive directions, whatever their nullities", check_as_many_roots, 1),
        Mutation("det Z is the product for graphs joined by an edge, too", partial(check_parts, overlap=0), 3),
    ),
    api=("tabular_inversion.discounts.negative_type", "tabular_inversion.discounts.exceptional_discounts"),
)  # fmt: skip
