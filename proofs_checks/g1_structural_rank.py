"""G1: for almost every kernel on a graph the rank of columns of M is a number of vertex-disjoint paths to goals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from proofs_checks.digraphs import (
    LARGE,
    all_digraphs,
    generic_instance,
    goals_going_on_alike,
    no_repeats,
    random_edges,
    subsets,
    sure_actions,
    two_ways,
)
from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of
from proofs_checks.polynomials import determinant, identity, symbol_arrays
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
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.sufficiency import Linkage, linkage

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
One action in each state, or one unconditional policy, and one continuation $C > 0$. By T3b $M =
\operatorname{diag}(c)\, R_T\, N^\top$ with $c_g \ne 0$ and $N = (I - \gamma D P_\pi)^{-1} = \sum_t (\gamma D
P_\pi)^t$, whatever the continuation of a goal is in the state that it pays in, so also for goals that end there. So
the rank of the columns $X$ of $M$ is that of the matrix $N[X, T]$, whose entry $(x, t)$ is the sum of the weights of
all walks from $x$ to $t$, a walk weighing the product of $\gamma C_u P_{uv}$ over its steps.

*No more than paths.* By Menger's theorem the largest number $r$ of vertex-disjoint paths from $X$ to $T$ (a single
state may be a path) is the size of a smallest set $B$ that meets every path. Cut every walk from $x$ to $t$ at its
first visit to $B$: $N[X, T] = F[X, B]\, N[B, T]$, where $F$ sums over walks up to that visit. So the rank is at most
$|B| = r$, for every kernel on the graph, every policy and every discount.

*No less, generically, at each discount.* Fix $0 < \gamma < 1$. Choose disjoint paths from $x_1, \dots, x_r \in X$ to
$t_1, \dots, t_r \in T$. Let $P_0$ be a deterministic kernel on the graph in which each state on a path, but its last,
goes to the next one; other states go anywhere they may. Since paths share no state this is possible, and the walk from
$x_i$ runs along its path to $t_i$, after $\ell_i$ steps, before it meets any other $t_j$. So row $x_i$ of $N[X', T']$
is $w_i > 0$ times row $t_i$ of $N[T', T']$, where $X' = \{x_i\}$, $T' = \{t_i\}$ and $w_i$ is the weight of the path,
$\gamma^{\ell_i}$ if $C = 1$: $\det N[X', T'] = \prod_i w_i \cdot \det N[T', T']$. By Jacobi's identity $\det N[T', T']
= \det (I - \gamma D P_0)[U, U] / \det(I - \gamma D P_0)$ with $U$ the states outside $T'$; both are positive, because
$\gamma D P_0$ and its principal submatrices have row sums below 1. So the minor, a rational function of $P_\pi$ without
poles where $P_\pi$ is stochastic, is not zero at $P_0$, a point in the closure of the kernels $P_\pi$ on the graph,
which form a product of open simplices: it vanishes for almost none of them.

*Which policies.* $P_\pi(x, \cdot) = \sum_a \pi(a|x) P(x, a, \cdot)$ is polynomial in $\pi$ and $P$ together. Let both
vary: $P_0$ is a limit too, since a policy may become sure of an action on the path, and that action sure of its
successor. A *given* policy cannot, and for it the statement is false: two states with two sure actions, to 2 and to 3,
both even, have the same $P_\pi$ row for every kernel on the graph.

*Each discount, not every.* The null set of kernels depends on $\gamma$. A minor that is not the zero polynomial of
$\gamma$ may have roots in $(0, 1)$, and on some graphs it has them for an open set of kernels: states 0, 1 with
$0 \to 2$ ($a$), $0 \to 3$ ($b$), $1 \to 2$ ($c$), $1 \to 4$ ($d$), $4 \to 3$ have the minor
$\gamma^2 (\gamma a d - b c)$ times that of $N[T, T]$, which is zero at $\gamma = bc/(ad)$. So "for almost every kernel,
at every discount" is false. For each kernel with generic rank
at one discount there are finitely many exceptional ones: $\det (I - \gamma D P_\pi)$ times the minor is, by Jacobi, a
polynomial in $\gamma$ of degree at most $n - r$.

*The row of ones.* It adds 0 or 1 to the rank. $\mathbf 1^\top = (\mathbf 1 - \gamma C)^\top N^\top$, the
values of a goal that pays in every state; that goal's entries are walk weights to an extra sink that every state leads
to. So the rank with ones is at most the number of disjoint paths to $T$ and that sink, and may be less: the weights of
the walks to the sink are not free.
"""

GENERIC = "a generic kernel, the discount being fixed (tested by: no probability repeats, other than 0 and 1)"
DISCOUNT = "a discount above 0"
POLICY = "one unconditional policy"
CHOICES = "one action in each state, or a generic policy (tested by: no probability repeats, other than 0 and 1)"
GOALS = "goals that pay in one state each, and one continuation, nowhere 0, in all other states"

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
    """Draw a sparse world with 3 to `size` states, up to 3 actions, generic numbers, goals in reach, and columns X.

    `chance` is that of an edge of an action, besides one; drawn as well when omitted. The policy takes some actions,
    with generic probabilities.
    """
    while True:
        n, m = int(rng.integers(3, size + 1)), int(rng.integers(1, 4))
        density = float(rng.uniform(0, 0.5)) / m if chance is None else chance
        edges = np.array([random_edges(rng, n, density) for _ in range(m)]).transpose(1, 0, 2)
        taken = rng.random((n, m)) < 0.7
        taken[range(n), rng.integers(0, m, n)] = True
        kernel = fractions_of(np.where(edges, rng.integers(1, LARGE, edges.shape), 0))
        policy = fractions_of(np.where(taken, rng.integers(1, LARGE, (n, m)), 0))
        world = ExactMDP(kernel, Fraction(int(rng.integers(1, LARGE)), LARGE + 3))
        entered = np.flatnonzero((edges & taken[:, :, None]).any(axis=(0, 1)))
        targets = rng.choice(entered, int(rng.integers(1, len(entered) + 1)), replace=False)
        chosen = np.sort(rng.choice(n, int(rng.integers(1, n + 1)), replace=False)).tolist()
        instance = with_sources(Instance(world, goals_going_on_alike(rng, n, np.sort(targets)), policy), chosen)
        if is_generic(instance) and chooses(instance):
            return instance


def paths_of(instance: Instance, places: tuple[MDP, Goals] | None = None) -> Linkage:
    """Return the package's disjoint paths and cut, re-checked; `places` are the world and its goals in floats."""
    world, goals = (instance.world.to_float(), instance.goals.to_float()) if places is None else places
    given = instance.policy is not None and instance.policy.ndim == 2
    found = linkage(world, goals, sources=sources(instance), policy=taken(instance) if given else "generic")
    found.verify()
    return found


def taken(instance: Instance) -> BoolArray:
    """Return which actions the policy takes, all of them if they depend on the goal."""
    policy = instance.policy
    if policy is None or policy.ndim == 3:
        return instance.world.available
    return np.asarray(policy > 0, dtype=bool)


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
    edges = np.argwhere(((instance.world.kernel > 0) & taken(instance)[:, :, None]).any(axis=1))
    network.add_edges_from((int(u), int(v)) for u, v in edges)
    network.add_edges_from((state, n) for state in range(n + 1))
    targets = [*np.argwhere(instance.goals.rewards != 0)[:, 1].tolist(), n]
    most = len(linkage(network, targets, sources=chosen)) - without
    holds = added == most if always else added in {0, 1} and added <= most
    return Outcome(holds, f"rank {without}, the row of ones adds {added}, a sink adds {most}")


def check_all_digraphs(rng: np.random.Generator, amount: int, *, claim: Claim = disjoint_paths) -> Tally:
    """All digraphs on up to `amount` nodes, all targets that someone can reach, all X: a draw, a cut, and P_0.

    The draw is at one discount; at P_0 the minor is a polynomial that has no root in (0, 1), for all of them.
    """
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
                    found = paths_of(asked, places)
                    outcome = compare(matrix, found, asked, claim)
                    tally.add(
                        outcome.holds and sure_paths(found, edges),
                        0.0,
                        f"edges {np.argwhere(edges).tolist()}, goals {targets}: {outcome.text}",
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
    """Tell whether no probability of the kernel but 0 and 1 occurs twice."""
    return no_repeats(instance.world.kernel)


def chooses(instance: Instance) -> bool:
    """Tell whether no probability of the policy but 0 and 1 occurs twice; policies of each goal are not judged."""
    return instance.policy is None or instance.policy.ndim == 3 or no_repeats(instance.policy)


def pays_once(instance: Instance) -> bool:
    """Tell whether each goal pays in one state, and in each state the goals that do not pay there go on alike."""
    goals = instance.goals
    paid: BoolArray = np.asarray(goals.rewards != 0)
    elsewhere = [set(ways[~own].tolist()) for ways, own in zip(goals.continuation.T, paid.T, strict=True)]
    alike = all(len(ways) <= 1 and 0 not in ways for ways in elsewhere)
    return bool((paid.sum(axis=1) == 1).all()) and alike


def discount_after_kernel() -> bool:
    """Tell whether a kernel has rank 1 through two paths at one discount, and rank 2 at another."""
    rows = ["1/2", "1/4", "1/4"], ["1/12", "1/2", "5/12"]
    bad, usual = (with_sources(two_ways(*rows, discount), [0, 1]) for discount in (Fraction(1, 12), Fraction(1, 2)))
    ranks = [exact.rank(x.agent.test_matrix[:, [0, 1]]).rank for x in (bad, usual)]
    return ranks == [1, 2] and len(paths_of(bad)) == 2 and not conclude(bad).holds and conclude(usual).holds


def check_every_discount(rng: np.random.Generator, amount: int) -> Tally:
    """The wrong variant in which the discount is chosen after the kernel: generic kernels near that of `two_ways`."""
    tally = Tally()
    for _ in range(amount):
        near = np.array([[60, 30, 30], [10, 60, 50]]) * 10**5 + rng.integers(-(10**5), 10**5, (2, 3))
        (a, b, e), (c, d, f) = fractions_of(near)
        instance = with_sources(two_ways([a, b, e], [c, d, f], b * c / (a * d)), [0, 1])
        outcome = conclude(instance)
        tally.add(outcome.holds or not is_generic(instance), 0.0, f"discount {instance.world.discount}: {outcome.text}")
    return tally


def sure_paths(found: Linkage, edges: BoolArray) -> bool:
    """Tell whether the minor of N at P_0 is the power of the discount that the proof says times that of N[T', T'].

    As polynomials in the discount, by Jacobi's identity: times det(I - discount P_0), a minor of its inverse is one of
    I - discount P_0 itself, up to its sign.
    """
    discount, n = symbol_arrays(gamma=())["gamma"], len(edges)
    follows = edges.argmax(axis=1)
    for path in found.paths:
        follows[path[:-1]] = path[1:]
    system = identity(n) - identity(n)[follows] * discount
    starts, ends = (sorted(int(path[i]) for path in found.paths) for i in (0, -1))
    left, inside, rest = (np.setdiff1d(np.arange(n), x) for x in (ends, starts, ends))
    minor, principal = determinant(system[np.ix_(left, inside)]), determinant(system[np.ix_(rest, rest)])
    power = discount ** sum(len(path) - 1 for path in found.paths) * principal
    return bool(principal != 0) and (minor == power or minor == -power)


def _crossing(weights: list[int], discount: Fraction, ends: list[int], *, optimal: bool) -> Instance:
    """Return two states that go to two others, which stay; goals in the latter, X the former."""
    if optimal:
        rows, policy = exact.fraction_array(sure_actions(weights)), None
    else:
        table = np.array([[0, 0, *weights[:2]], [0, 0, *weights[2:]], [0, 0, 1, 0], [0, 0, 0, 1]])
        rows, policy = fractions_of(table[:, None]), exact.fraction_array(np.ones((4, 1), int))
    unit = exact.fraction_array(np.eye(4, dtype=int))[2:]
    continuation = np.array(ends, dtype=object).reshape(2, 4) + Fraction(0)
    return with_sources(Instance(ExactMDP(rows, discount), ExactGoals(unit, continuation), policy), [0, 1])


def _given_policy(weights: list[int]) -> Instance:
    instance = _crossing([2, 3, 2, 3], Fraction(1, 2), [1] * 8, optimal=True)
    policy = fractions_of(np.array([weights[:2], weights[2:], [1, 0], [1, 0]]))
    return with_sources(Instance(instance.world, instance.goals, policy), [0, 1])


def check_given_policy(rng: np.random.Generator, amount: int) -> Tally:
    """The wrong variant for a given policy: weights 1 to 3 on two sure actions of two states."""
    tally = Tally()
    for _ in range(amount):
        weights = rng.integers(1, 4, 4).tolist()
        instance = _given_policy(weights)
        outcome = conclude(instance)
        tally.add(outcome.holds, 0.0, f"policy with weights {weights}: {outcome.text}")
    return tally


def given_policies() -> SearchStrategy[Instance]:
    """States 0 and 1 with sure actions to 2 and to 3, all policies with small weights there."""
    from hypothesis import strategies as st

    return st.lists(st.integers(1, 3), min_size=4, max_size=4).map(_given_policy)


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
    Hypothesis(CHOICES, chooses, given_policies),
    Hypothesis(GOALS, pays_once, partial(_strategy, ends=True)),
)

STATEMENT = Statement(
    id="G1",
    title="Structural rank",
    latex=r"\pi_g = \pi, \ r_g = e_{t_g}: \quad "
    r"\operatorname{rank} M_X = \max \#\{\text{vertex-disjoint paths } X \to T\} "
    r"\quad \text{at each } \gamma \in (0,1), \text{ for almost every } (P, \pi) \text{ on the graph}",
    plain="With one action in each state, or one unconditional policy that is generic as well, at each fixed discount "
    "above 0 and for almost every kernel and policy on a graph (which ones depends on the discount), the rank of the "
    "columns X of M is the largest number of paths from X to the goals that share no state. All goals go on alike, but "
    "may end where they pay. The row of ones adds 0 or 1, and at most what an extra sink that every state leads to "
    "would add. For a given policy over several actions the number of paths is an upper bound, and no more.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("universal", "all digraphs with up to 2 (quick) or 3 nodes, all sets of goals that someone can reach, "
              "all X: the rank at a generic kernel, a cut of that size that bounds it for every kernel, and at a sure "
              "kernel the minor as a polynomial in the discount, which no discount in (0, 1) makes zero",
              check_all_digraphs, (2, 3, 3)),
        Check("exact", "random worlds with up to 8 states and 3 actions, generic policies: rank and paths",
              exact_check(draw, HYPOTHESES, conclude, size=8), (200, 1200, 5000)),
        Check("exact", "random worlds with up to 7 states and 3 actions: what the row of ones adds",
              exact_check(draw, HYPOTHESES, conclude_with_ones, size=7), (50, 400, 2000)),
    ),
    counterexamples=(
        Counterexample(GENERIC, "two states that go on in the same way: equal columns", stored("G1", GENERIC)),
        Counterexample(DISCOUNT, "discount 0: nothing is seen beyond a step", stored("G1", DISCOUNT)),
        Counterexample(POLICY, "optimal agents, who go another way for each goal", stored("G1", POLICY)),
        Counterexample(CHOICES, "an even policy over two sure actions: rank 1 through two paths, for every kernel on "
                       "the graph", stored("G1", CHOICES)),
        Counterexample("the discount is fixed before the kernel", "six states, rank 1 through two paths at 1/12: "
                       "'almost every kernel, every discount' is false", show=discount_after_kernel),
        Counterexample(GOALS, "goals that end elsewhere", stored("G1", GOALS)),
        Counterexample("paths that share no state", "two goals behind one door: rank 1", show=goals_behind_a_door),
        Counterexample("goals that can be reached", "a goal that no one can reach: a zero row", show=goal_out_of_reach),
    ),
    mutations=(
        Mutation("as many as there are goals and columns", partial(check_all_digraphs, claim=smaller_side), 2),
        Mutation("a given policy over several actions", first_failure(check_given_policy), 60),
        Mutation("for almost every kernel, at every discount", check_every_discount, 20),
        Mutation("the row of ones adds as much as a sink", first_failure(exact_check(
            partial(draw, chance=0.0), HYPOTHESES, partial(conclude_with_ones, always=True), size=7)), 400),
    ),
    open_levels={
        "symbolic": "a minor that is not zero at one rational kernel settles what a symbolic one would",
    },
    api=("tabular_inversion.sufficiency.linkage", "tabular_inversion.sufficiency.by_paths.structural"),
)  # fmt: skip
