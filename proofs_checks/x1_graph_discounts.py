"""X1: on a graph, optimal agents for all goals show powers of the discount, and some discounts hide worlds."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.csgraph import shortest_path

from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of
from proofs_checks.polytopes import with_row
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Stochastic, Unconstrained, exact, identify
from tabular_inversion._typing import FloatArray
from tabular_inversion.discounts import ExceptionalDiscounts, exceptional_discounts, indistinguishable_kernels
from tabular_inversion.environments import graph
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status
from tabular_inversion.policies import deterministic

if TYPE_CHECKING:
    import networkx as nx
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
*M is the similarity matrix.* Let goal $g$ pay 1 on arrival in $g$ and end there, and let $d$ be the graph distance.
From $s \ne g$ an agent that walks arrives after at least $d(s, g)$ moves, and a shortest path attains it: the optimal
value is $V_g(s) = \gamma^{d(s,g) - 1}$, because the $t$-th move is discounted by $\gamma^{t-1}$. So $M_{gs} = r_g(s) +
\gamma C_g(s) V_g(s) = \gamma^{d(s,g)}$ for $s \ne g$, and $M_{gg} = 1 + 0 = \gamma^0$. The graph is undirected, so that
$d(s, g) = d(g, s)$ and $M$ is symmetric. Actions that are never better than walking change nothing: $\gamma^{d - 1}$
still solves the optimality equation. (Where there is no path, read $\gamma^\infty = 0$.)

*Exceptional discounts.* $\det M(\gamma) = \det(\gamma^{d(i,j)})$ is a polynomial with integer coefficients and constant
term $\det I = 1$. So it is not zero, has finitely many roots, and $\operatorname{rank} M = n$ at all other discounts:
every kernel is identified, even without constraints. At a root in $(0, 1)$ some kernels are not.

*$K_{a,b}$.* Two states on one side have distance 2, on different sides 1. For vectors that sum to zero on one side and
vanish on the other, $M$ acts as $1 - \gamma^2 \ne 0$. On vectors that are constant, $x$ and $y$, on the sides, $M$ acts
as $\begin{bmatrix} 1 + (a-1)\gamma^2 & b\gamma \\ a\gamma & 1 + (b-1)\gamma^2 \end{bmatrix}$, with determinant $1 + (a
+ b - 2)\gamma^2 + (a-1)(b-1)\gamma^4 - ab\gamma^2 = (1 - \gamma^2)(1 - (a-1)(b-1)\gamma^2)$. So the only exceptional
discount is $1/\sqrt{(a-1)(b-1)}$, where this is less than 1.

*The witness.* For $K_{3,3}$ at $\gamma = 1/2$ the null vector is $v = (1,1,1,-1,-1,-1)$, which sums to zero. Give a
state one more action: stay with probability $1/2$, else go to a uniformly random state. No goal prefers it, so that $M$
is unchanged, and $p = (7, 1, 1, 1, 1, 1)/12$ and $p - v/24$ are two distributions with the same values. All optimal
Q-values agree, for all six goals. The walk itself, without that action, is not uniformly identified at $\gamma = 1/2$;
but each of its own rows is one neighbour, at which $v$ can have only one negative entry, and both $v$ and $-v$ have
three: by S1 the agent's own rows are identified.
"""

EDGES = "sure moves along the edges of an undirected graph"
OTHERS = "no other action is better than walking"
GOALS = "every state is a goal, which pays 1 on arrival and ends there"
OPTIMAL = "the agent is optimal for each goal"
DISCOUNT = "the discount is no root of det gamma^d(i,j)"
WITNESS = "X1-witness"

GRAPHS = {3: 0, 4: 0, 5: 2, 6: 27}
"""How many connected graphs with so many nodes have an exceptional discount; there are 2, 6, 21 and 112 of them."""

HIDING = 4
"""At how many of these discounts, each on a graph of its own, [M;1] loses rank as well."""


def walks(world: ExactMDP) -> FloatArray:
    """Return d[i, j], the fewest sure moves from i to j, infinite where there is no way."""
    sure = np.asarray((world.kernel == 1).any(axis=1))
    steps: FloatArray = shortest_path(sure.astype(float), unweighted=True)
    return steps


def similarity(world: ExactMDP) -> FractionArray:
    """Return gamma^d(i, j)."""
    powers = [world.discount**d for d in range(world.n_states)]
    steps = walks(world)
    entries = [powers[int(d)] if np.isfinite(d) else Fraction(0) for d in steps.ravel()]
    return np.array(entries, dtype=object).reshape(steps.shape)


def are_edges(world: ExactMDP) -> bool:
    """Tell whether each state has a sure move, and each sure move can be taken back."""
    sure = np.asarray((world.kernel == 1).any(axis=1))
    return bool(sure.any(axis=1).all() and (sure == sure.T).all())


def walking_is_best(world: ExactMDP) -> bool:
    """Tell whether no other action's value exceeds gamma^(d - 1), where walking is taken to be worth as much."""
    powers = similarity(world)
    other = world.available & ~np.asarray((world.kernel == 1).any(axis=2))
    gains = world.discount * np.tensordot(powers, world.kernel, (1, 2)) > powers[:, :, None]
    elsewhere = ~np.eye(world.n_states, dtype=bool)[:, :, None]
    return not bool((gains & elsewhere & other).any())


def all_goals(n_states: int) -> ExactGoals:
    """Return a goal for each state, which pays 1 on arrival and ends there."""
    unit = exact.fraction_array(np.eye(n_states, dtype=int))
    return ExactGoals(unit, 1 - unit)


def on_graph(network: nx.Graph[Any], discount: Fraction, *, noise: FractionArray | None = None) -> Instance:
    """Return optimal agents for all states of a graph; `noise`, (S, S), are the rows of one more action."""
    world = graph(network).dense()
    kernel, available = exact.fraction_array(world.toarray().astype(int)), world.available
    if noise is not None:
        kernel = np.concatenate([kernel, noise[:, None]], axis=1)
        available = np.concatenate([available, np.ones((len(noise), 1), bool)], axis=1)
    return Instance(ExactMDP(kernel, discount, available), all_goals(len(kernel)), None, "unconstrained")


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a connected graph with 2 to `size` nodes and a discount; half of the time with one more, lazy action."""
    import networkx as nx

    while True:
        n = int(rng.integers(2, size + 1))
        network = nx.gnp_random_graph(n, 0.5, seed=int(rng.integers(2**31)))
        if not nx.is_connected(network):
            continue
        reach = nx.to_numpy_array(network).astype(int) + np.eye(n, dtype=int)
        noise = fractions_of(reach * rng.integers(1, 7, (n, n))) if rng.integers(2) else None
        instance = on_graph(network, Fraction(int(rng.integers(1, 20)), 20), noise=noise)
        if exact.determinant(similarity(instance.world)) != 0:
            return instance


def conclude(instance: Instance) -> Outcome:
    """M is gamma^d(g, s), and every kernel is identified, without constraints."""
    same = bool((instance.agent.test_matrix == similarity(instance.world)).all())
    verdict = identify(instance.agent, Unconstrained(), scope="uniform")
    text = f"M = gamma^d: {same}; {verdict.status.name}, rank {verdict.rank} of {instance.world.n_states}"
    return Outcome(same and verdict.status is Status.IDENTIFIED, text)


def graphs_with(n_nodes: int) -> list[nx.Graph[Any]]:
    """Return all connected graphs with so many nodes, up to isomorphism."""
    import networkx as nx
    from networkx.generators.atlas import graph_atlas_g

    return [network for network in graph_atlas_g() if len(network) == n_nodes and nx.is_connected(network)]


def polynomials(instance: Instance) -> ExceptionalDiscounts:
    """Return M of a shortest-path policy as rational functions of the discount, by the resolvent of L1."""
    policy = deterministic(
        np.where(instance.world.available, instance.agent.q, -1).argmax(axis=2), instance.world.available
    )
    return exceptional_discounts(instance.world, instance.goals, policy=policy.astype(int))


def check_all_graphs(_rng: np.random.Generator, amount: int, *, longer: int = 0) -> Tally:
    """All connected graphs with 3 to `amount` nodes: M(gamma) = gamma^d as polynomials, and how many have a root."""
    tally = Tally()
    for n in range(3, amount + 1):
        exceptional = 0
        for network in graphs_with(n):
            instance = on_graph(network, Fraction(1, 2))
            steps = walks(instance.world).astype(int)
            bad = np.where(np.eye(n, dtype=bool), steps, steps + longer)
            found = polynomials(instance)
            rows = found.pieces[0].rows
            same = all(
                list(entry.coeffs()) == [0] * int(d) + list(row.denominator.coeffs())
                for row, line in zip(rows, bad, strict=True)
                for entry, d in zip(row.numerators, line, strict=True)
            )
            same &= bool((instance.agent.test_matrix == similarity(instance.world)).all())
            again = exceptional_discounts(instance.world, instance.goals)
            same &= [x.discount for x in again.discounts] == [x.discount for x in found.discounts]
            exceptional += bool(again.for_class(Unconstrained()))
            tally.add(same, 0.0, f"{sorted(network.edges)}: M is gamma^d, and both ways find the same roots: {same}")
        if n in GRAPHS and exceptional != GRAPHS[n]:
            tally.failures.append(f"{exceptional} graphs with {n} nodes have an exceptional discount, not {GRAPHS[n]}")
    return tally


def check_bipartite(_rng: np.random.Generator, amount: int, *, shift: int = 1) -> Tally:
    """K_{a,b}, a <= b <= `amount`: the minimal polynomial of the only root is that of 1/sqrt((a-1)(b-1))."""
    import networkx as nx

    tally = Tally()
    for b in range(1, amount + 1):
        for a in range(1, b + 1):
            square = (a - shift) * (b - shift)
            found = exceptional_discounts(graph(nx.complete_bipartite_graph(a, b))).for_class(Unconstrained())
            root = isqrt(max(square, 0))
            wanted = [(-1, root) if root * root == square else (-1, 0, square)] if square > 1 else []
            seen = [x.discount.minimal_polynomial for x in found]
            tally.add(seen == wanted, 0.0, f"K_{{{a},{b}}}: minimal polynomials {seen}, not {wanted}")
    return tally


def check_pairs(_rng: np.random.Generator, amount: int) -> Tally:
    """Wherever [M;1] loses rank, on graphs with 3 to `amount` nodes: two worlds with the same optimal Q-values."""
    tally = Tally()
    for n in range(3, amount + 1):
        for network in graphs_with(n):
            result = exceptional_discounts(graph(network))
            for found in result.for_class(Stochastic()):
                indistinguishable_kernels(result, found).verify()
                tally.add(True, 0.0, f"{sorted(network.edges)} at {found.discount}")
    if amount == max(GRAPHS) and tally.instances != HIDING:
        tally.failures.append(f"{tally.instances} graphs have such a pair, not {HIDING}")
    return tally


def check_witness(_rng: np.random.Generator, _amount: int, *, step: FractionArray | None = None) -> Tally:
    """The two worlds of X1-witness: different rows, equal optimal Q of all six goals; and the plain K_{3,3}."""
    instance = stored("X1", WITNESS)()
    first, goals, row = instance.world, instance.goals, instance.world.n_actions - 1
    moved = instance.extra["step"] if step is None else step
    second = with_row(first, row, first.rows[row] + moved)
    tally = Tally()
    seen = [exact.solve(world, goals) for world in (first, second)]
    same = np.array_equal(seen[0].q, seen[1].q)
    gaps = sorted(set((second.rows[row] - first.rows[row]).tolist()))
    text = f"the Q of 6 goals agree: {same}; the rows differ by {[str(x) for x in gaps]}"
    tally.add(same and gaps == [Fraction(-1, 24), Fraction(1, 24)], 0.0, text)
    verdict = identify(seen[0], Stochastic())
    verdict.verify()
    tally.add(verdict.status is Status.NOT_IDENTIFIED, 0.0, f"with the noisy action: {verdict.status.name}")
    plain = stored("X1", "K_{3,3}")().agent
    scopes = [identify(plain, Stochastic(), scope=scope).status for scope in ("uniform", "instance")]
    expected = [Status.NOT_IDENTIFIED, Status.IDENTIFIED]
    tally.add(scopes == expected, 0.0, f"the plain walk: {[status.name for status in scopes]}")
    return tally


def hides_a_row() -> bool:
    """Tell whether both worlds of X1-witness show the same optimal Q-values, in fractions."""
    return not check_witness(np.random.default_rng(0), 1).failures


def small_worlds(
    n_actions: int, max_successors: int, *, policy: bool = False, plain: bool = True
) -> SearchStrategy[Instance]:
    """Return a strategy of worlds with two or three states; unless `plain`, rewards of 0 or 1 that never end."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=st.integers(2, 3), n_actions=n_actions, discounts=half, max_weight=1,
                                max_successors=max_successors, all_available=True))  # fmt: skip
        n = world.n_states
        goals = all_goals(n) if plain else draw(exact_goals(n, n_goals=n, rewards=st.integers(0, 1).map(Fraction)))
        chosen = draw(exact_policies(world.available)) if policy else None
        return Instance(world, goals, chosen, "unconstrained")

    return made()


HYPOTHESES = (
    Hypothesis(EDGES, lambda i: are_edges(i.world), partial(small_worlds, 1, 1)),
    Hypothesis(OTHERS, lambda i: walking_is_best(i.world)),
    Hypothesis(GOALS, lambda i: i.goals == all_goals(i.world.n_states), partial(small_worlds, 1, 1, plain=False)),
    Hypothesis(OPTIMAL, lambda i: i.policy is None, partial(small_worlds, 2, 1, policy=True)),
    Hypothesis(DISCOUNT, lambda i: exact.determinant(similarity(i.world)) != 0),
)

STATEMENT = Statement(
    id="X1",
    title="Exceptional discounts of graphs",
    latex=r"M_{gs} = \gamma^{d(g,s)}, \quad \det(\gamma^{d(i,j)}) \ne 0 \Rightarrow \operatorname{rank} M = n; \quad "
    r"K_{a,b}: \ \gamma^* = \frac{1}{\sqrt{(a-1)(b-1)}}",
    plain="Where actions are moves along the edges of an undirected graph and every state is a goal, optimal agents "
    "show the discount to the power of the distance. So all worlds are told apart but at finitely many discounts: the "
    "roots of one integer polynomial. 29 of the 141 connected graphs on 3 to 6 nodes have one in (0, 1); at four of "
    "these even some distributions are not told apart. On K33, three against three, at 1/2 two worlds, with every "
    "state a goal, have exactly the same optimal agents.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("universal", "all connected graphs with 3 to 5 (quick), 6 or 7 nodes, every discount: M(gamma) = gamma^d "
              "as polynomials; roots in (0, 1) as algebraic numbers: on 2 graphs up to 5 nodes, on 29 up to 6",
              check_all_graphs, (5, 6, 7)),
        Check("exact", "graphs with up to 7 nodes, with lazy actions: M = gamma^d and rank n",
              exact_check(draw, HYPOTHESES, conclude, size=7), (25, 400, 4000)),
        Check("exact", "K_{a,b}: the minimal polynomial of 1/sqrt((a-1)(b-1))", check_bipartite, (5, 7, 10)),
        Check("exact", "X1-witness, and the plain K_{3,3}", check_witness, (1, 1, 1)),
        Check("exact", "two worlds with the same optimal Q wherever [M;1] loses rank, on these graphs",
              check_pairs, (6, 6, 6)),
    ),
    counterexamples=(
        Counterexample(EDGES, "a move that cannot be taken back", stored("X1", EDGES)),
        Counterexample(OTHERS, "a jump that may arrive sooner than walking does", stored("X1", OTHERS)),
        Counterexample(GOALS, "other goals", stored("X1", GOALS)),
        Counterexample(OPTIMAL, "a policy that does not depend on the goal", stored("X1", OPTIMAL)),
        Counterexample(DISCOUNT, "K_{3,3} at 1/2: rank 5", stored("X1", "K_{3,3}")),
        Counterexample(DISCOUNT, "X1-witness: K_{3,3} at 1/2 with a noisy action; mass 1/24 for each state moves from "
                       "one side to the other in one row, and the optimal Q of all six goals stays the same, exactly",
                       stored("X1", WITNESS), hides_a_row),
    ),
    mutations=(
        Mutation("M = gamma^(d + 1) off the diagonal", partial(check_all_graphs, longer=1), 3),
        Mutation("K_{a,b}: 1/sqrt(ab)", partial(check_bipartite, shift=0), 3),
        Mutation("mass that is not balanced over the sides",
                 partial(check_witness, step=np.array([-1, 1, 0, 0, 0, 0]) * Fraction(1, 24)), 1),
    ),
    open_levels={
        "symbolic": "the identity in the discount is checked for every graph, under universal; sizes are not symbols",
    },
    api=(
        "tabular_inversion.discounts.exceptional_discounts",
        "tabular_inversion.discounts.indistinguishable_kernels",
    ),
)  # fmt: skip
