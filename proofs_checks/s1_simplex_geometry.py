"""S1: which rows are the only distribution with their values: directions off a face, ranks, and corners of a hull."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import combinations, combinations_with_replacement, product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polytopes import equivalent_rows
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
from tabular_inversion import Stochastic, exact, identify
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Write $A = \begin{bmatrix} M \\ \mathbf 1^\top \end{bmatrix}$, and let $p$ be a distribution with support $T$ and
values $q = Mp$. Then $E(q) = \{p' \ge 0 : A p' = A p\}$, the intersection of the simplex with an affine space: a
polytope.

(a) If $p' \in E(q)$ is another member, $v = p' - p$ is not zero, $Av = 0$, and $v = p' \ge 0$ off $T$, where $p$
vanishes. Conversely let $v \ne 0$ with $Av = 0$ and $v \ge 0$ off $T$. For $0 < t \le \min_{i \in T} p_i / \max_i
|v_i|$ the vector $p + tv$ is nonnegative on $T$ and off it, sums to one because $\mathbf 1^\top v = 0$, and has the
values $q$: another member. So $p$ is identified iff there is no such $v$. Only $T$ enters the condition, not the
weights on it. *One linear program:* if the columns of $A$ on $T$ are dependent, there is such a $v$, supported on
$T$. If they are independent, $v$ is determined by its part off $T$, which is therefore not zero, and can be scaled to
sum to one there: $v$ exists iff $\{v : Av = 0,\ v_i \ge 0 \text{ and } \sum_i v_i = 1 \text{ off } T\}$ is not empty.

(b) If $\operatorname{rank} A = n$ there is no $v \ne 0$ with $Av = 0$, for any $T$. If $\operatorname{rank} A < n$,
there is one, and by (a) no row with full support is identified, for instance the uniform one: there is no condition
off $T$, which is everything.

(c) Let $p = e_s$, $T = \{s\}$. A vector as in (a) has $v_s = -\sum_{i \ne s} v_i < 0$, because $v_i \ge 0$ for $i \ne
s$ and not all vanish. Scaled to $v_s = -1$, the condition says $m_s = \sum_{i \ne s} v_i m_i$ with weights $v_i \ge
0$ that sum to one, where $m_i$ are the columns of $M$: column $s$ lies in the convex hull of the others. Its negation
is that $m_s$ is a corner of the hull of all columns and no other column equals it: a corner that is a convex
combination of other columns is equal to one of them.

(d) By (a) all rows with at most $N$ successors are identified iff for each $T$ with $|T| \le N$ the columns of $A$ on
$T$ are independent and no combination of them is a nonnegative one, not all weights zero, of the others. By Gordan's
theorem, for the other columns modulo the span of those on $T$, the latter says that some functional $u$ is zero on the
columns $T$ and positive on all others: the points $m_i$, $i \in T$, are the vertices of a simplex that is a face of the
hull and holds no other column. It is enough to ask this of $|T| = \min(N, n)$: faces of a simplex face are faces. If
all columns are corners of the hull and differ, this is the definition of an $N$-neighbourly polytope (Donoho and Tanner
2005). Without that, a neighbourly hull is not enough: the columns $0, 1/2, 1$ have a segment for their hull, whose
corners are faces, and the column $1/2$ is identified from neither.

*The moment curve.* Let $m_i = (x_i, x_i^2, \dots,
x_i^{2N})$ with different $x_i$. For $|T| \le N$ the polynomial $f(x) = \prod_{i \in T} (x - x_i)^2$ has degree at
most $2N$, so that $f(x_i) = u^\top (m_i, 1)$ for a vector $u$ of its coefficients; it vanishes at $x_i$, $i \in T$,
and is positive at every other point. If $Av = 0$ and $v \ge 0$ off $T$, then $0 = u^\top A v = \sum_{i \notin T}
f(x_i) v_i$ gives $v = 0$ off $T$, and then $v = 0$, because any $2N + 1$ columns of $A$ are independent
(Vandermonde). So $k = 2N$ goals do, for any number of states.

(e) *No fewer.* Let $k \le 2N - 1$ and $n \ge k + 2$, whatever $R$. By Radon's theorem some $k + 2$ columns, points of
$\mathbb R^k$, fall into two sets $I$, $J$ whose hulls meet: $\sum_I a_i m_i = \sum_J b_j m_j$ with positive weights
that sum to one on both sides. These are two distributions with the same values and no common state, and one of them has
at most $\lfloor (k+2)/2 \rfloor \le N$ successors: an $N$-sparse row that is not identified. So $2N$ is sharp, for some
$R$ and those nearby; it does not hold for almost every $R$.
"""

CLASS = "the row is known to be a distribution, and nothing else is known"

Condition: TypeAlias = Callable[[FractionArray, FractionArray], bool]
"""``condition([M;1], p)``: whether the row p is the only distribution with its values, as a statement claims."""


def no_direction(system: FractionArray, row: FractionArray) -> bool:
    """S1 (a): no v != 0 with [M;1] v = 0 that is nonnegative off the support."""
    return exact.find_recession_vector(system, row == 0).vector is None


def no_direction_on_support(system: FractionArray, row: FractionArray) -> bool:
    """The wrong variant in which v is nonnegative on the support, and free off it."""
    return exact.find_recession_vector(system, row > 0).vector is None


def full_rank(system: FractionArray, row: FractionArray) -> bool:
    """The wrong variant that asks every row for what only rows of full support need."""
    return exact.rank(system).rank == len(row)


def columns_differ(system: FractionArray, row: FractionArray) -> bool:
    """The wrong variant for deterministic rows: its column differs from all others, no more."""
    if (row == 1).sum() != 1:
        return no_direction(system, row)
    equal = (system == system[:, row == 1]).all(axis=0)
    return int(equal.sum()) == 1


def outside_hull(system: FractionArray, state: int) -> bool:
    """S1 (c): column `state` is no convex combination of the others."""
    others = np.arange(system.shape[1]) != state
    return exact.find_nonnegative_solution(system[:, others], system[:, state]).solution is None


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states and few successors, and small integer rewards, so that values coincide."""
    n, m = instances.sizes(rng, largest=size)
    world = instances.world(rng, n, m, branching=int(rng.integers(1, n + 1)))
    goals = exact.ExactGoals(rng.integers(-2, 3, (int(rng.integers(1, n + 1)), n)))
    return Instance(world, goals, instances.policy(rng, n, m) if rng.integers(2) else None)


def conclude(instance: Instance, *, condition: Condition = no_direction) -> Outcome:
    """Compare the condition, the verdict in the instance's class, and all extreme points of E(q), for each row."""
    verdict = identify(instance.agent, instance.row_class)
    wrong = []
    for row in instance.world.row_index.tolist():
        p = instance.world.rows[row]
        claimed = condition(instance.system, p)
        judged = verdict.row(*divmod(row, instance.world.n_actions)) is Status.IDENTIFIED
        counted = len(equivalent_rows(instance, row)) == 1
        corner = outside_hull(instance.system, int(np.argmax(p == 1))) if (p == 1).any() else counted
        if not claimed == judged == counted == corner:
            wrong.append(f"row {row}: condition {claimed}, verdict {judged}, one point {counted}, corner {corner}")
    return Outcome(not wrong, "; ".join(wrong) or f"{len(instance.world.row_index)} rows agree")


def conclude_uniformly(instance: Instance) -> Outcome:
    """Compare rank [M;1] = n, the verdict at uniform scope, and E(q) of the uniform row."""
    n = instance.world.n_states
    rank = exact.rank(instance.system).rank
    verdict = identify(instance.agent, Stochastic(), scope="uniform").status is Status.IDENTIFIED
    alone = no_direction(instance.system, np.full(n, Fraction(1, n), dtype=object))
    return Outcome((rank == n) == verdict == alone, f"rank {rank} of {n}, verdict {verdict}, uniform row {alone}")


def world_of_rows(rows: FractionArray) -> exact.ExactMDP:
    """Return the world at discount 0, where M = R, in which the actions of state 0 have these rows; others stay."""
    n = rows.shape[1]
    kernel = np.full((n, len(rows), n), Fraction(0), dtype=object)
    kernel[0] = rows
    kernel[range(1, n), 0, range(1, n)] = Fraction(1)
    available = np.zeros((n, len(rows)), bool)
    available[0], available[:, 0] = True, True
    return exact.ExactMDP(kernel, Fraction(0), available)


def uniform_on(supports: list[tuple[int, ...]], n: int) -> FractionArray:
    """Return the distributions that are uniform on sets of states."""
    weights = np.array([[int(i in support) for i in range(n)] for support in supports])
    return instances.fractions_of(weights)


def check_all_small(_rng: np.random.Generator, amount: int, *, condition: Condition = no_direction) -> Tally:
    """All M with three states, up to `amount` goals and entries -1, 0, 1, up to the order of goals: all supports.

    The first failure ends it.
    """
    supports = [t for size in (1, 2, 3) for t in combinations(range(3), size)]
    world = world_of_rows(uniform_on(supports, 3))
    tally = Tally()
    for n_goals in range(1, amount + 1):
        for rewards in combinations_with_replacement(product((-1, 0, 1), repeat=3), n_goals):
            instance = Instance(world, exact.ExactGoals(np.array(rewards)))
            for outcome in (conclude(instance, condition=condition), conclude_uniformly(instance)):
                tally.add(outcome.holds, outcome.error, f"M = {rewards}: {outcome.text}")
            if tally.failures:
                return tally
    return tally


def check_moment_curve(rng: np.random.Generator, amount: int, *, extra_goals: int = 0) -> Tally:
    """N = 1 .. `amount`, 2N + 2 states at drawn places, k = 2N: all rows with up to N successors are identified."""
    tally = Tally()
    for n_successors in range(1, amount + 1):
        n, k = 2 * n_successors + 2, 2 * n_successors + extra_goals
        places = rng.choice(np.arange(-9, 10), n, replace=False).tolist()
        moments = np.array([[Fraction(x, 2) ** power for x in places] for power in range(1, k + 1)], dtype=object)
        supports = [t for size in range(1, n_successors + 1) for t in combinations(range(n), size)]
        instance = Instance(world_of_rows(uniform_on(supports, n)), exact.ExactGoals(moments))
        verdict = identify(instance.agent, Stochastic())
        seen = int((verdict.row_status[0] == Status.IDENTIFIED).sum())
        text = f"N = {n_successors}, {k} goals, x = {places}: {seen} of {len(supports)} rows identified"
        tally.add(seen == len(supports), 0.0, text)
    return tally


def spans_face(system: FractionArray, chosen: tuple[int, ...], others: list[int]) -> bool:
    """S1 (d): the columns chosen are independent, and some functional is zero on them and positive on the others."""
    if exact.rank(system[:, chosen]).rank < len(chosen):
        return False
    # u = x - y and the excess z over 1 on the others, all of them nonnegative
    table = np.concatenate([system[:, chosen], system[:, others]], axis=1).T
    excess = np.concatenate([np.zeros((len(chosen), len(others)), int), -np.eye(len(others), dtype=int)])
    goal = exact.fraction_array(np.array([0] * len(chosen) + [1] * len(others)))
    equations = np.concatenate([table, -table, exact.fraction_array(excess)], axis=1)
    return exact.find_nonnegative_solution(equations, goal).solution is not None


def all_sparse_identified(rewards: FractionArray, size: int) -> bool:
    """Tell whether all rows with up to `size` successors are identified, by the package's verdicts."""
    n = rewards.shape[1]
    supports = [t for many in range(1, size + 1) for t in combinations(range(n), many)]
    instance = Instance(world_of_rows(uniform_on(supports, n)), exact.ExactGoals(rewards))
    statuses = identify(instance.agent, Stochastic()).row_status[0]
    return bool((statuses == Status.IDENTIFIED).all())


def check_faces(rng: np.random.Generator, amount: int, *, hull: bool = False) -> Tally:
    """N = 1 to 3, up to 4 goals, n up to 6: all N-sparse rows are identified iff all N columns span a face alone.

    Half of the columns are on a moment curve, so that both happen. With `hull` only corners of the hull are asked.
    """
    tally = Tally()
    for _ in range(amount):
        size, k = int(rng.integers(1, 4)), int(rng.integers(1, 5))
        n = int(rng.integers(max(size, 2), 7))
        rewards = exact.fraction_array(rng.integers(-3, 4, (k, n)))
        if rng.integers(2):
            places = rng.choice(np.arange(-5, 6), n, replace=False).astype(object)
            rewards = exact.fraction_array(places[None] ** np.arange(1, k + 1)[:, None])
        system = np.concatenate([rewards, exact.fraction_array(np.ones((1, n), int))])
        asked = [s for s in range(n) if outside_hull(system, s)] if hull else list(range(n))
        sets = combinations(asked, min(size, len(asked)))
        faces = all(spans_face(system, t, [s for s in asked if s not in t]) for t in sets)
        seen = all_sparse_identified(rewards, size)
        tally.add(faces == seen, 0.0, f"N={size}, columns {rewards.T.tolist()}: faces {faces}, identified {seen}")
    return tally


def check_converse(rng: np.random.Generator, amount: int, *, extra_goals: int = 0) -> Tally:
    """N = 1 to 3, k up to 2N - 1, n from k + 2: some N-sparse row is not identified, on moment curves either."""
    tally = Tally()
    for _ in range(amount):
        size = int(rng.integers(1, 4))
        k = int(rng.integers(1, 2 * size)) if extra_goals == 0 else 2 * size - 1 + extra_goals
        n = k + 2 + int(rng.integers(2)) * int(size < 3)
        places = rng.choice(np.arange(-9, 10), n, replace=False).astype(object)
        moments = exact.fraction_array(places[None] ** np.arange(1, k + 1)[:, None])
        rewards = moments if rng.integers(2) else exact.fraction_array(rng.integers(-9, 10, (k, n)))
        holds = not all_sparse_identified(rewards, size)
        tally.add(holds, 0.0, f"N={size}, k={k}, columns {rewards.T.tolist()}: all identified {not holds}")
    return tally


def corners_are_not_all_columns() -> bool:
    """Tell whether column 1/2 between 0 and 1 is lost though each corner of the hull is a face, at N = 1."""
    system = exact.fraction_array([["0", "1/2", "1"], ["1", "1", "1"]])
    corners = [spans_face(system, (0,), [2]), spans_face(system, (2,), [0])]
    return all(corners) and not spans_face(system, (1,), [0, 2]) and not all_sparse_identified(system[:1], 1)


def check_floats(rng: np.random.Generator, amount: int) -> Tally:
    """Verdicts in floats on the same kind of instances: never the opposite of the exact ones."""
    tally = Tally()
    opposite = {Status.IDENTIFIED: Status.NOT_IDENTIFIED, Status.NOT_IDENTIFIED: Status.IDENTIFIED}
    for _ in range(amount):
        instance = draw(rng, 7)
        proved = identify(instance.agent, Stochastic()).row_status.ravel()[instance.world.row_index]
        seen = identify(instance.agent.to_float(), Stochastic()).row_status.ravel()[instance.world.row_index]
        wrong = sum(opposite.get(Status(int(a))) == b for a, b in zip(proved, seen, strict=True))
        tally.add(wrong == 0, wrong, f"{wrong} of {len(seen)} rows judged the wrong way in floats")
    return tally


def nearly_singular() -> exact.ExactAgentValues:
    """Return two goals on three states whose columns differ by 2^-52: floats hold every entry exactly."""
    least = Fraction(1, 2**52)
    rewards = exact.fraction_array(np.array([[1, 1, 0], [1, 1 + least, 0]], dtype=object))
    world = world_of_rows(exact.fraction_array([["1/2", "1/4", "1/4"]]))
    return exact.solve(world, exact.ExactGoals(rewards))


def float_rank_is_wrong() -> bool:
    """Tell whether numpy's rank of [M;1] is too low where it is 3, and the package's float verdict does not follow."""
    agent = nearly_singular()
    system = np.vstack([agent.to_float().test_matrix, np.ones(3)])
    proved = identify(agent, Stochastic(), scope="uniform")
    proved.verify()
    seen = identify(agent.to_float(), Stochastic(), scope="uniform")
    wrong = int(np.linalg.matrix_rank(system)) == 2
    return wrong and proved.status is Status.IDENTIFIED and seen.status is not Status.NOT_IDENTIFIED


def other_classes() -> SearchStrategy[Instance]:
    """Worlds with three states and one goal, whose rows are known to be more than distributions."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=3, n_actions=1, discounts=half, max_weight=1, all_available=True))
        goals = exact.ExactGoals(np.array([draw(st.permutations([0, 1, 3]))]))
        return Instance(world, goals, None, "supported")

    return made()


HYPOTHESES = (Hypothesis(CLASS, lambda i: i.kernel_class == "stochastic", other_classes),)

STATEMENT = Statement(
    id="S1",
    title="Uniqueness inside the simplex",
    latex=r"p \text{ identified} \iff \nexists\, v \ne 0:\ Mv = 0,\ \mathbf 1^\top v = 0,\ v \ge 0 \text{ off } "
    r"\operatorname{supp} p; \quad "
    r"\text{all } p \iff \operatorname{rank} \begin{bmatrix} M \\ \mathbf 1^\top \end{bmatrix} = n; \quad "
    r"e_s \iff m_s \notin \operatorname{conv}\{m_i : i \ne s\}; \quad "
    r"\text{all } N\text{-sparse } p \iff \text{any } N \text{ columns span a simplex face without other columns} "
    r"\Leftarrow m_i = (x_i, \dots, x_i^{2N}); \quad \text{never if } k \le 2N - 1, \ n \ge k + 2",
    plain="A row is the only distribution with its values iff no direction leads from its face to another one, which "
    "one linear program decides. Every row is, iff [M;1] has rank n. A deterministic row is, iff its column of M is a "
    "corner of the hull of all columns and differs from the others. All rows with at most N successors are, iff any "
    "N columns are the vertices of a simplex that is a face of the hull and holds no other column; columns on the "
    "moment curve do that with 2N goals, and with fewer, on k + 2 states or more, no rewards do.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("universal", "all M with 3 states, entries -1, 0, 1 and 1 (quick) or up to 2 goals, all supports: "
              "condition, verdict and extreme points agree, for each row and uniformly", check_all_small, (1, 2, 2)),
        Check("exact", "rational worlds with up to 5 states: condition, verdict, extreme points and corners agree",
              exact_check(draw, HYPOTHESES, conclude, size=5), (25, 400, 3000)),
        Check("exact", "rational worlds with up to 6 states: uniformly iff rank [M;1] = n",
              exact_check(draw, HYPOTHESES, conclude_uniformly, size=6), (40, 400, 3000)),
        Check("exact", "columns on the moment curve, 2N + 2 states, k = 2N: all N-sparse rows", check_moment_curve,
              (2, 3, 4)),
        Check("exact", "N up to 3, up to 6 states and 4 goals: all N-sparse rows iff any N columns span a face, by a "
              "functional that separates it", check_faces, (25, 400, 3000)),
        Check("exact", "N up to 3, up to 2N - 1 goals, k + 2 states or more: some N-sparse row is lost", check_converse,
              (12, 200, 1000)),
        Check("numeric", "verdicts in floats are never the opposite", check_floats, (15, 200, 1000)),
    ),
    counterexamples=(
        Counterexample(CLASS, "another class: the support is known, so that a row is identified whose column lies "
                       "between the others",
                       stored("S1", CLASS)),
        Counterexample("every column is a corner", "columns 0, 1/2, 1: the hull is neighbourly at N = 1, and the row "
                       "of the middle column is not identified", show=corners_are_not_all_columns),
        Counterexample("exact arithmetic", "two columns that differ by 2^-52: numpy finds rank 2 of [M;1], which has "
                       "rank 3; the exact verdict proves it, and the one in floats does not say otherwise",
                       show=float_rank_is_wrong),
    ),
    mutations=(
        Mutation("nonnegative on the support in place of off it",
                 partial(check_all_small, condition=no_direction_on_support), 1),
        Mutation("rank [M;1] = n asked of every row", partial(check_all_small, condition=full_rank), 1),
        Mutation("a deterministic row needs a column that differs, no corner",
                 partial(check_all_small, condition=columns_differ), 1),
        Mutation("a neighbourly hull suffices, whatever columns lie in it",
                 first_failure(partial(check_faces, hull=True)), 200),
        Mutation("2N goals lose an N-sparse row, too", first_failure(partial(check_converse, extra_goals=1)),
                 100),
        Mutation("2N - 1 goals on the moment curve", partial(check_moment_curve, extra_goals=-1), 2),
    ),
    open_levels={
        "symbolic": "the statement is about signs; no identity expresses it",
    },
    api=("tabular_inversion.identify", "tabular_inversion.exact.find_recession_vector"),
)  # fmt: skip
