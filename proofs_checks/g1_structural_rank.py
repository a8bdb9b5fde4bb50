"""G1: for almost every kernel on a graph the rank of columns of M is a number of vertex-disjoint paths to goals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from proofs_checks.digraphs import all_digraphs, generic_instance, random_edges, subsets
from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of
from proofs_checks.statement import (
    Check,
    Counterexample,
    Hypothesis,
    Mutation,
    Outcome,
    Statement,
    Tally,
    exact_check,
    first_failure,
)
from proofs_checks.stored import stored
from tabular_inversion import MDP, Goals, exact
from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import GoalsError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.sufficiency import Linkage, linkage

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
One unconditional policy, and goals that pay in one state each and end there or never. By T3b $M =
\operatorname{diag}(c)\, R_T\, N^\top$ with $c_g \ne 0$ and $N = (I - \gamma P_\pi)^{-1} = \sum_t (\gamma P_\pi)^t$. So
the rank of the columns $X$ of $M$ is that of the matrix $N[X, T]$, whose entry $(x, t)$ is the sum of the weights of
all walks from $x$ to $t$, a walk weighing the product of $\gamma P_{uv}$ over its steps.

*No more than paths.* By Menger's theorem the largest number $r$ of vertex-disjoint paths from $X$ to $T$ (a single
state may be a path) is the size of a smallest set $B$ that meets every path. Cut every walk from $x$ to $t$ at its
first visit to $B$: $N[X, T] = F[X, B]\, N[B, T]$, where $F$ sums over walks up to that visit. So the rank is at most
$|B| = r$, for every kernel on the graph.

*No less, generically.* Choose disjoint paths from $x_1, \dots, x_r \in X$ to $t_1, \dots, t_r \in T$. Let $P_0$ be a
deterministic kernel on the graph in which each state on a path, but its last, goes to the next one; other states go
anywhere they may. Since paths share no state this is possible, and the walk from $x_i$ runs along its path to $t_i$,
after $\ell_i$ steps, before it meets any other $t_j$. So $N_{x_i t_i} = \gamma^{\ell_i}(1 + O(\gamma))$ and $N_{x_i
t_j} = \gamma^{\ell_i} O(\gamma)$ for $j \ne i$: the matrix $N[\{x_i\}, \{t_j\}]$ is
$\operatorname{diag}(\gamma^{\ell_i})(I + O(\gamma))$, and its determinant is not zero for small $\gamma > 0$. This
minor is a rational function of $P$ and $\gamma$, without poles where $P$ is stochastic and $0 \le \gamma < 1$. It is
not zero at $P_0$, a point in the closure of the kernels on the graph, which form a product of open simplices: so it
vanishes for almost no kernel and discount.

*The row of ones.* It adds 0 or 1 to the rank. By T3b $\mathbf 1^\top = (1 - \gamma)\, \mathbf 1^\top N^\top$, the
values of a goal that pays in every state; that goal's entries are walk weights to an extra sink that every state leads
to. So the rank with ones is at most the number of disjoint paths to $T$ and that sink, and may be less: the weights of
the walks to the sink are not free.
"""

GENERIC = "a generic kernel (necessary: no probability repeats, other than 0 and 1)"
DISCOUNT = "a generic discount (necessary: it is not 0)"
POLICY = "one unconditional policy"
GOALS = "goals that pay in one state each and end there or never"

Claim: TypeAlias = Callable[[Linkage, Instance], int]
"""``claim(paths, instance)``: the rank of the columns X of M, as a statement claims."""


def disjoint_paths(found: Linkage, _instance: Instance) -> int:
    """G1: as many as there are vertex-disjoint paths."""
    return len(found)


def smaller_side(found: Linkage, instance: Instance) -> int:
    """The wrong variant that counts states and goals, and no paths."""
    return min(len(found.sources), instance.goals.n_goals)


def sources(instance: Instance) -> list[int]:
    """Return X."""
    return [int(x) for x in instance.extra["X"]]


def with_sources(instance: Instance, chosen: list[int]) -> Instance:
    """Return the instance that asks about the columns X."""
    extra = {"X": exact.fraction_array(np.array(chosen))}
    return Instance(instance.world, instance.goals, instance.policy, instance.kernel_class, extra)


def draw(rng: np.random.Generator, size: int, *, chance: float | None = None) -> Instance:
    """Draw a sparse digraph with 3 to `size` states, generic weights, goals that someone can reach, and columns X.

    `chance` is that of an edge, besides one from each state; drawn as well when omitted.
    """
    while True:
        n = int(rng.integers(3, size + 1))
        edges = random_edges(rng, n, float(rng.uniform(0.1, 0.5)) if chance is None else chance)
        entered = np.flatnonzero(edges.any(axis=0))
        targets = np.sort(rng.choice(entered, int(rng.integers(1, len(entered) + 1)), replace=False)).tolist()
        chosen = np.sort(rng.choice(n, int(rng.integers(1, n + 1)), replace=False)).tolist()
        instance = with_sources(generic_instance(rng, edges, targets, ending=bool(rng.integers(2))), chosen)
        if is_generic(instance):
            return instance


def paths_of(instance: Instance, places: tuple[MDP, Goals] | None = None) -> Linkage:
    """Return the package's disjoint paths and cut, re-checked; `places` are the world and its goals in floats."""
    world, goals = (instance.world.to_float(), instance.goals.to_float()) if places is None else places
    policy = None if instance.policy is None or instance.policy.ndim == 3 else to_floats(instance.policy)
    found = linkage(world, goals, sources=sources(instance), policy="generic" if policy is None else policy)
    found.verify()
    return found


def compare(matrix: FractionArray, found: Linkage, instance: Instance, claim: Claim) -> Outcome:
    """Compare the rank of the columns X of M with the claim."""
    rank = exact.rank(matrix[:, found.sources]).rank
    claimed = claim(found, instance)
    return Outcome(rank == claimed, f"rank {rank}, claimed {claimed}; {found.text}")


def conclude(instance: Instance, *, claim: Claim = disjoint_paths) -> Outcome:
    """Compare the rank of the columns X of M with the number of paths."""
    return compare(instance.agent.test_matrix, paths_of(instance), instance, claim)


def conclude_with_ones(instance: Instance, *, always: bool = False) -> Outcome:
    """The row of ones adds 0 or 1, and at most what an extra sink does; `always` as much, which is wrong."""
    import networkx as nx

    chosen, n = sources(instance), instance.world.n_states
    without = exact.rank(instance.agent.test_matrix[:, chosen]).rank
    added = exact.rank(instance.system[:, chosen]).rank - without
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(range(n + 1))
    edges = np.argwhere((instance.world.kernel > 0).any(axis=1))
    network.add_edges_from((int(u), int(v)) for u, v in edges)
    network.add_edges_from((state, n) for state in range(n + 1))
    targets = [*np.argwhere(instance.goals.rewards != 0)[:, 1].tolist(), n]
    most = len(linkage(network, targets, sources=chosen)) - without
    holds = added == most if always else added in {0, 1} and added <= most
    return Outcome(holds, f"rank {without}, the row of ones adds {added}, a sink adds {most}")


def check_all_digraphs(rng: np.random.Generator, amount: int, *, claim: Claim = disjoint_paths) -> Tally:
    """All digraphs on up to `amount` nodes, all targets that someone can reach, all X: a draw, and a cut."""
    tally = Tally()
    for n in range(1, amount + 1):
        for edges in all_digraphs(n):
            entered = set(np.flatnonzero(edges.any(axis=0)).tolist())
            for targets in subsets(n):
                if not entered.issuperset(targets):
                    continue
                instance = generic_instance(rng, edges, targets, ending=bool(rng.integers(2)))
                matrix, places = instance.agent.test_matrix, (instance.world.to_float(), instance.goals.to_float())
                for chosen in subsets(n):
                    asked = with_sources(instance, chosen)
                    outcome = compare(matrix, paths_of(asked, places), asked, claim)
                    tally.add(
                        outcome.holds, 0.0, f"edges {np.argwhere(edges).tolist()}, goals {targets}: {outcome.text}"
                    )
    return tally


def goals_behind_a_door() -> bool:
    """Tell whether two goals behind one door tell two states apart: with generic numbers they do not."""
    edges = np.eye(5, k=1, dtype=bool) | np.eye(5, k=-1, dtype=bool)
    instance = with_sources(generic_instance(np.random.default_rng(0), edges, [3, 4], ending=True), [0, 1])
    return conclude(instance).holds and exact.rank(instance.agent.test_matrix[:, [0, 1]]).rank == 1


def goal_out_of_reach() -> bool:
    """Tell whether a goal that nobody can reach is a zero row at all other states, and is refused as a question."""
    edges = np.array([[False, True, False], [True, False, False], [True, False, False]])
    instance = generic_instance(np.random.default_rng(0), edges, [2], ending=True)
    try:
        paths_of(with_sources(instance, [0, 1]))
    except GoalsError:
        return not instance.agent.test_matrix[0, :2].any()
    return False


def is_generic(instance: Instance) -> bool:
    """Tell whether no probability but 0 and 1 occurs twice."""
    values = [p for p in instance.world.kernel.ravel() if p not in {0, 1}]
    return len(values) == len(set(values))


def pays_once(instance: Instance) -> bool:
    """Tell whether each goal pays in one state, and ends there or never."""
    goals = instance.goals
    paid: BoolArray = np.asarray(goals.rewards != 0)
    return bool((paid.sum(axis=1) == 1).all() and ((goals.continuation == 1) | paid).all())


def _crossing(weights: list[int], discount: Fraction, ends: list[int], *, optimal: bool) -> Instance:
    """Return two states that go to two others, which stay; goals in the latter, X the former."""
    if optimal:
        kernel = np.zeros((4, 2, 4), int)
        kernel[:, :, :] = np.eye(4, dtype=int)[:, None]
        kernel[[0, 0, 1, 1], [0, 1, 0, 1]] = np.eye(4, dtype=int)[weights]
        rows = exact.fraction_array(kernel)
    else:
        table = np.array([[0, 0, *weights[:2]], [0, 0, *weights[2:]], [0, 0, 1, 0], [0, 0, 0, 1]])
        rows = fractions_of(table[:, None])
    unit = exact.fraction_array(np.eye(4, dtype=int))[2:]
    continuation = np.array(ends, dtype=object).reshape(2, 4) + Fraction(0)
    policy = None if optimal else exact.fraction_array(np.ones((4, 1), int))
    instance = Instance(ExactMDP(rows, discount), ExactGoals(unit, continuation), policy)
    return with_sources(instance, [0, 1])


def _strategy(
    *, even: bool = False, still: bool = False, ends: bool = False, optimal: bool = False
) -> SearchStrategy[Instance]:
    from hypothesis import strategies as st

    weights = st.integers(0, 3) if optimal else st.integers(1, 3 if even else 9)
    forever = st.just([1] * 8)
    return st.builds(
        partial(_crossing, optimal=optimal),
        st.lists(weights, min_size=4, max_size=4),
        st.just(Fraction(0) if still else Fraction(1, 2)),
        st.lists(st.integers(0, 1), min_size=8, max_size=8) if ends else forever,
    )


HYPOTHESES = (
    Hypothesis(GENERIC, is_generic, partial(_strategy, even=True)),
    Hypothesis(DISCOUNT, lambda i: i.world.discount > 0, partial(_strategy, still=True)),
    Hypothesis(POLICY, lambda i: i.policy is not None and i.policy.ndim == 2, partial(_strategy, optimal=True)),
    Hypothesis(GOALS, pays_once, partial(_strategy, ends=True)),
)

STATEMENT = Statement(
    id="G1",
    title="Structural rank",
    latex=r"\pi_g = \pi, \ r_g = e_{t_g}: \quad "
    r"\operatorname{rank} M_X = \max \#\{\text{vertex-disjoint paths } X \to T\} "
    r"\quad \text{for almost every } P \text{ on the graph and } \gamma",
    plain="Under one unconditional policy, for almost every kernel on a graph and almost every discount, the rank of "
    "the columns X of M is the largest number of paths from X to the goals that share no state. The row of ones adds "
    "0 or 1, and at most what an extra sink that every state leads to would add.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("universal", "all digraphs with up to 2 (quick) or 3 nodes, all sets of goals that someone can reach, "
              "all X: the rank at a generic kernel, and a cut of that size that bounds it for every kernel",
              check_all_digraphs, (2, 3, 3)),
        Check("exact", "random digraphs with up to 8 states: rank and paths",
              exact_check(draw, HYPOTHESES, conclude, size=8), (200, 1200, 5000)),
        Check("exact", "random digraphs with up to 7 states: what the row of ones adds",
              exact_check(draw, HYPOTHESES, conclude_with_ones, size=7), (50, 400, 2000)),
    ),
    counterexamples=(
        Counterexample(GENERIC, "two states that go on in the same way: equal columns", stored("G1", GENERIC)),
        Counterexample(DISCOUNT, "discount 0: nothing is seen beyond a step", stored("G1", DISCOUNT)),
        Counterexample(POLICY, "optimal agents, who go another way for each goal", stored("G1", POLICY)),
        Counterexample(GOALS, "goals that end elsewhere", stored("G1", GOALS)),
        Counterexample("paths that share no state", "two goals behind one door: rank 1", show=goals_behind_a_door),
        Counterexample("goals that can be reached", "a goal that no one can reach: a zero row", show=goal_out_of_reach),
    ),
    mutations=(
        Mutation("as many as there are goals and columns", partial(check_all_digraphs, claim=smaller_side), 2),
        Mutation("the row of ones adds as much as a sink", first_failure(exact_check(
            partial(draw, chance=0.0), HYPOTHESES, partial(conclude_with_ones, always=True), size=7)), 400),
    ),
    open_levels={
        "symbolic": "a minor that is not zero at one rational kernel settles what a symbolic one would",
    },
    api=("tabular_inversion.sufficiency.linkage", "tabular_inversion.sufficiency.by_paths.structural"),
)  # fmt: skip
