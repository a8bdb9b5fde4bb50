"""T2d: states equally far from the one indicator goal have equal columns of M; only on paths are there none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.polynomials import identity
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from proofs_checks.t2a_deterministic_one_goal import is_deterministic
from tabular_inversion import Deterministic, Goals, bellman, environments, exact, identify
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
The world is a connected undirected graph, whose actions choose a neighbour (or stay, at a self-loop); the goal pays 1
on arrival in $g$, which may end the episode; $0 < \gamma < 1$; the agent is optimal. Let $d(s)$ be the distance from
$s$ to $g$.

*M is a function of the distance.* Put $m(g) = M_g$. The optimal $V(s)$ at $s \ne g$ is $\gamma^{d(s)-1} m(g)$:
nothing is paid before the first arrival in $g$, which takes at least $d(s)$ steps and happens after exactly so many
on a shortest path; from then on the arrival is worth $m(g) \ge 1$, whatever came before; and a later arrival is worth
less. So $M_s = \gamma V(s) = \gamma^{d(s)}\, m(g)$ for $s \neq g$, and for $s = g$ too. If arrival ends the episode,
$m(g) = 1$.

*Distinct columns mean distinct distances*, since $0 < \gamma < 1$ and $m(g) \geq 1$. On a path whose end is $g$ the
distances are $0, 1, \dots, n-1$. Conversely, let the distances be distinct. Every $s \ne g$ has a neighbour at
distance $d(s) - 1$, so the distances are $0, \dots, n-1$, and neighbours' distances differ by at most 1, here by
exactly 1. So the state at distance $d$ is joined to those at $d-1$ and $d+1$ and to no other: the graph is a path,
apart from self-loops, and $g$ is its end.

*FourRooms.* With 68 cells and a largest distance below 67 no goal has distinct distances: some two columns are equal,
whichever cell is the goal. The columns of $M$ are distinct if and only if `Deterministic` is uniformly identified
(T2a).
"""

SURE = "the world is deterministic"
BOTH_WAYS = "every edge can be walked both ways"
CONNECTED = "the graph is connected"
OPTIMAL = "the agent is optimal"
POSITIVE = "the discount is positive"
INDICATOR = "one indicator goal, ending on arrival or not"


def edges(world: exact.ExactMDP) -> Any:
    """Return which state can follow which, shape (S, S)."""
    return (world.kernel != 0).any(axis=1)


def is_indicator(goals: exact.ExactGoals) -> bool:
    """Tell whether there is one goal, which pays 1 in one state and ends there or nowhere."""
    rewards, continuation = goals.rewards, goals.continuation
    one = bool(len(rewards) == 1 and (rewards * rewards == rewards).all() and rewards.sum() == 1)
    return one and bool((continuation == 1).all() or (continuation == 1 - rewards).all())


def world_of(graph: nx.Graph[Any], discount: Fraction) -> exact.ExactMDP:
    """Return the package's world of a graph, with a rational discount."""
    world = exact.ExactMDP.from_float(environments.graph(graph))
    return exact.ExactMDP(world.kernel, discount, world.available)


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a path, cycle, grid or random connected graph of 3 to `size` nodes, and a goal, often an end of the path."""
    n = int(rng.integers(3, size + 1))
    tree = nx.random_labeled_tree(n, seed=int(rng.integers(2**31)))
    tree.add_edges_from(rng.integers(0, n, (int(rng.integers(3)), 2)).tolist())
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(2, (n + 1) // 2))
    graph = (nx.path_graph(n), nx.cycle_graph(n), grid, tree)[rng.integers(4)]
    states = graph.number_of_nodes()
    unit = identity(states)[[int(rng.integers(states) * rng.integers(2))]]
    goals = exact.ExactGoals(unit, 1 - unit * int(rng.integers(2)))
    return Instance(world_of(graph, Fraction(int(rng.integers(1, 20)), 20)), goals, None, "deterministic")


def conclude(instance: Instance, *, always: bool = False) -> Outcome:
    """Decide: M is gamma^d times its entry at the goal, and identified exactly is a path from its end alone.

    With `always` the claim is that one indicator goal identifies every such world.
    """
    adjacent = edges(instance.world)
    graph = nx.from_numpy_array(adjacent & ~np.eye(len(adjacent), dtype=bool), create_using=nx.DiGraph)
    goal = int((instance.goals.rewards[0] != 0).argmax())
    distances = nx.shortest_path_length(graph, target=goal)
    m = instance.agent.test_matrix[0]
    as_stated = all(m[s] == instance.world.discount**d * m[goal] for s, d in distances.items())
    degrees = sorted(degree for _, degree in graph.to_undirected().degree)
    path = nx.is_weakly_connected(graph) and degrees == [1, 1] + [2] * (len(m) - 2)
    end = path and graph.to_undirected().degree(goal) == 1
    identified = identify(instance.agent, Deterministic(), scope="uniform").status is Status.IDENTIFIED
    text = f"edges {sorted(graph.edges)}, goal {goal}: identified: {identified}, end of a path: {end}"
    return Outcome(as_stated and identified is (end or always), text)


def solves_at_every_discount(graph: nx.Graph[Any], goal: int) -> bool:
    """Tell whether gamma^d(s) m(goal) solves the optimality equation at each discount in (0, 1).

    Of the neighbours' values the one with the least exponent is the largest, whatever the discount; so exponents alone
    are compared. At the goal the equation gives m(goal) = 1, or 1 / (1 - gamma^c) with c the shortest way back.
    """
    distances = nx.shortest_path_length(graph, target=goal)
    return all(distances[s] == 1 + min(distances[t] for t in graph[s]) for s in graph if s != goal)


def small_worlds(
    *, directed: bool = False, noisy: bool = False, uniform: bool = False, discount: int | str = "1/2", most: int = 1
) -> Callable[[], SearchStrategy[Instance]]:
    """Return a strategy of graphs with three or four nodes; nodes without an edge get a self-loop."""

    def strategy() -> SearchStrategy[Instance]:
        from hypothesis import strategies as st

        @st.composite
        def made(draw: st.DrawFn) -> Instance:
            n = draw(st.integers(3, 4))
            drawn = np.array(draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n))).reshape(n, n)
            adjacent = np.triu(drawn, 1) | (np.tril(drawn, -1) if directed else np.triu(drawn, 1).T)
            adjacent[~adjacent.any(axis=1), ~adjacent.any(axis=1)] = True
            graph = nx.from_numpy_array(adjacent, create_using=nx.DiGraph)
            world = world_of(graph, exact.as_fraction(discount))
            if noisy:
                stay = identity(n)[:, None, :] * world.available[:, :, None]
                slips = exact.fraction_array([[[draw(st.integers(0, 1))]] for _ in range(n)]) / 2
                world = exact.ExactMDP(slips * stay + (1 - slips) * world.kernel, world.discount, world.available)
            pays = draw(st.lists(st.integers(0, most), min_size=n - 1, max_size=n - 1)) if most > 1 else [0] * (n - 1)
            rewards = exact.fraction_array([[1, *pays]])
            policy = world.available / world.available.sum(axis=1, keepdims=True).astype(object)
            taken = np.vectorize(Fraction, otypes=[object])(policy) if uniform else None
            return Instance(world, exact.ExactGoals(rewards), taken, "deterministic")

        return made()

    return strategy


HYPOTHESES = (
    Hypothesis(SURE, lambda i: is_deterministic(i.world), small_worlds(noisy=True)),
    Hypothesis(BOTH_WAYS, lambda i: bool((edges(i.world) == edges(i.world).T).all()), small_worlds(directed=True)),
    Hypothesis(
        CONNECTED, lambda i: bool(nx.is_strongly_connected(nx.DiGraph(edges(i.world).astype(int)))), small_worlds()
    ),
    Hypothesis(OPTIMAL, lambda i: i.policy is None, small_worlds(uniform=True)),
    Hypothesis(POSITIVE, lambda i: i.world.discount > 0, small_worlds(discount=0)),
    Hypothesis(INDICATOR, lambda i: is_indicator(i.goals), small_worlds(most=3)),
)


def check_all_graphs(rng: np.random.Generator, amount: int, *, always: bool = False) -> Tally:
    """All connected graphs with 2 to `amount` nodes (up to 7), every goal, ending or not: each discount in (0, 1).

    M is gamma^d, as exponents show for all discounts; then columns differ iff distances do, which no discount changes.
    The agent is solved and judged at one discount, which is drawn.
    """
    tally = Tally()
    for graph in nx.graph_atlas_g():
        n = graph.number_of_nodes()
        if not 2 <= n <= amount or not nx.is_connected(graph):
            continue
        world = world_of(graph, Fraction(int(rng.integers(1, 20)), 20))
        for goal in range(n):
            always_solved = solves_at_every_discount(graph, goal)
            unit = identity(n)[[goal]]
            for goals in (exact.ExactGoals(unit), exact.ExactGoals(unit, 1 - unit)):
                outcome = conclude(Instance(world, goals, None, "deterministic"), always=always)
                tally.add(outcome.holds and always_solved, 0.0, outcome.text)
    return tally


def check_four_rooms(_rng: np.random.Generator, amount: int) -> Tally:
    """Deterministic FourRooms, the first `amount` of its 68 cells as single indicator goals: none identifies it."""
    world = exact.ExactMDP.from_float(environments.four_rooms("deterministic"))
    unit = identity(world.n_states)[:amount]
    world = exact.ExactMDP(world.kernel, Fraction(9, 10), world.available)
    agent = exact.solve(world, exact.ExactGoals(unit, 1 - unit))
    tally = Tally()
    for goal, row in enumerate(agent.q):
        alone = exact.ExactGoals(unit[[goal]], 1 - unit[[goal]])
        single = exact.ExactAgentValues(row[None], alone, world.discount, None, world.available)
        verdict = identify(single, Deterministic(), scope="uniform")
        tally.add(verdict.status is Status.NOT_IDENTIFIED, 0.0, f"goal {goal}: {verdict}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Grids of 8 x 8 cells and more, one indicator goal in floats: never identified, and M is gamma^d."""
    tally = Tally()
    for _ in range(amount):
        grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(8, int(rng.integers(8, 13))))
        n = grid.number_of_nodes()
        goal = int(rng.integers(n))
        agent = bellman.solve(environments.graph(grid, discount=0.9), Goals.indicator(n, [goal]))
        distances = nx.shortest_path_length(grid, goal)
        expected = np.array([0.9 ** distances[s] for s in range(n)])
        error = float(np.abs(agent.test_matrix[0] - expected).max())
        status = identify(agent, Deterministic(), scope="uniform").status
        tally.add(status is not Status.IDENTIFIED and error < 1e-12, error, f"goal {goal}: {status.name}, {error:.1e}")
    return tally


STATEMENT = Statement(
    id="T2d",
    title="One indicator goal sees distances alone",
    latex=r"r = \mathbf 1_g:\ M_s = \gamma^{d(s,g)} M_g, \quad \text{and } M \text{ has distinct entries} \iff "
    r"\text{the graph is a path with end } g",
    plain="On an undirected graph, under one indicator goal, states equally far from the goal have equal columns of M. "
    "The goal identifies the world among deterministic ones only if the graph is a path and the goal its end. On "
    "deterministic FourRooms no single indicator goal works, whichever of the 68 cells it is.",
    source="ours, after Theorem 2 of arXiv 2606.21173",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "paths, cycles, grids and random graphs with up to 8 nodes: exact verdicts",
              exact_check(draw, HYPOTHESES, conclude, size=8), (20, 400, 4000)),
        Check("exact", "FourRooms, each of the 68 cells as the only goal: exact verdicts", check_four_rooms,
              (68, 68, 68)),
        Check("universal", "all connected graphs with up to 4 (quick), 6 or 7 nodes, every goal, all discounts by "
              "their exponents; the agent and the verdict at a drawn one",
              check_all_graphs, (4, 6, 7)),
        Check("numeric", "grids with 64 cells and more", check_numeric, (3, 20, 100)),
    ),
    counterexamples=(
        Counterexample(SURE, "moves that may fail: equally far, but not equally fast", stored("T2d", SURE)),
        Counterexample(BOTH_WAYS, "one-way edges: distinct distances without a path", stored("T2d", BOTH_WAYS)),
        Counterexample(CONNECTED, "one state out of reach: a column of zeros, different from all",
                       stored("T2d", CONNECTED)),
        Counterexample(OPTIMAL, "a random walk takes different times from states that are equally far",
                       stored("T2d", OPTIMAL)),
        Counterexample(POSITIVE, "discount 0: all states but the goal are alike, on a path too",
                       stored("T2d", POSITIVE)),
        Counterexample(INDICATOR, "other rewards identify a graph that is no path", stored("T2d", INDICATOR)),
    ),
    mutations=(
        Mutation("one indicator goal suffices in a deterministic world",
                 exact_check(draw, HYPOTHESES, partial(conclude, always=True), size=6), 20),
        Mutation("one indicator goal suffices on every graph", partial(check_all_graphs, always=True), 3),
    ),
    open_levels={
        "symbolic": "the discount enters as a power of the distance; the proof is for all discounts",
    },
    api=("tabular_inversion.environments.graph", "tabular_inversion.Goals.indicator", "tabular_inversion.identify"),
)  # fmt: skip
