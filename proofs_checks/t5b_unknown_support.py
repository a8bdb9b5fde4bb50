"""T5b: rows with at most N unknown successors: 2N - 1 generic goals serve all worlds, N goals serve a given one."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Goals, Sparse, bellman, environments, exact, identify, invert
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
The class holds the distributions with at most $N$ positive entries. Uniform scope asks whether $M$ tells any two of
them apart, instance scope whether it tells the rows of one given world from all others. In (a) and (c) the world, the
continuation and $0 \le \gamma < 1$ are arbitrary, and the agent is one of L1(c); (b) and (d) hold for every $M$
whatsoever.

*Null vectors.* Two different rows $p, p'$ of the class with the same values make a vector $v = p - p' \ne 0$ with $Mv =
0$, $\mathbf 1\cdot v = 0$, at most $N$ positive and at most $N$ negative entries. Conversely, such a $v$ makes two
rows: its positive part and its negative part, each over its sum (the sums are equal and positive).

(a) Let $k \ge \min(2N, n) - 1$. For a set $T$ of $\min(2N,n)$ states, the determinant of the first $|T| - 1$ rows of
$M_T$ with a row of ones below is a polynomial in the entries of $M$ that is not zero: with the unit vectors of all
states of $T$ but the last as rows it is 1. There are finitely many sets $T$; so by L1(c), for almost every $R$, any
$\min(2N,n)$ columns of $[M;\mathbf 1]$ are independent. A $v$ as above has at most that many nonzero entries, hence it
is zero.

(b) *With $k \le 2N-2$ goals and $n \ge 2N+1$ states the class is never uniformly identified, whatever $R$.* Keep $2N+1$
of the states. There $[M;\mathbf 1]$ has at most $2N-1$ rows, so that its null space contains two independent vectors
$u, w$. Let $v(\theta) = u\cos\theta + w\sin\theta$, which is never zero. Let $A$ be the set of angles at which more
than $N$ entries of $v(\theta)$ are positive, and $B$ that at which more than $N$ are negative. Both are open, because
entries are continuous; they are disjoint, because there are only $2N+1$ entries; and $B = A + \pi$, because $v(\theta +
\pi) = -v(\theta)$. If they covered the circle, neither could be empty, and a circle is no union of two disjoint open
sets that are not empty. So some $v(\theta)$ has at most $N$ positive and at most $N$ negative entries.

For $N = 2$ this says that among any five points of the plane there are four whose diagonals cross, if no three are on a
line (Klein): $p$ and $p'$ are the crossing point, once on each diagonal.

With $n = 2N$ it depends on $R$: almost every $M$ has one null vector, up to its length, and the question is whether it
has as many positive as negative entries. For $N = 2$: four points in convex position, or one in the triangle of the
others.

(c) *For a given world whose rows are in the class, $k \ge N$ goals identify every row at instance scope, for almost
every $R$.* Let $p$ be a row and $T'$ a set of $N$ states. The vectors $p' - p$, for all $p'$ on $T'$ with $\mathbf
1\cdot p' = 1$, lie in a linear space $W$ of dimension at most $N$: that of the $p'$ themselves has $N - 1$ free
coordinates, and the offset from $p$ adds one. A $k\times n$ matrix $X$ with $k\ge N$ is injective on $W$ for almost
every $X$: let the columns of $B$ be a basis of $W$; the determinant of the first $\dim W$ rows of $XB$ is a polynomial
in the entries of $X$, and not zero, because some $X$ takes this basis to unit vectors. There are finitely many pairs
$(p, T')$, and they do not depend on $R$; so by L1(c), for almost every $R$, $M$ is injective on all these spaces. If
then $Mp' = Mp$ for a row $p'$ of the class, which lies on some $T'$, then $p' - p$ is in $W$ and $p' = p$.

(d) *With $k \le N-1$ goals and $n \ge N+1$ states no row $p$ with $N$ positive entries is identified, whatever $R$.*
Let $T$ be its support and $c$ another state. The columns $T \cup \{c\}$ of $[M;\mathbf 1]$ are $N+1$ vectors with at
most $N$ entries; so there is a $v \ne 0$ on $T\cup\{c\}$ with $Mv = 0$ and $\mathbf 1\cdot v = 0$, and we may take $v_c
\ge 0$. Some entry of $v$ on $T$ is negative, because the sum is zero. Let $t > 0$ be the largest number with $p + tv
\ge 0$. Then $p' = p + tv$ is a distribution with the values of $p$; it is zero in some state of $T$, and so it has at
most $N$ positive entries. $\square$

*Remarks.* So there are two sharp numbers: $2N - 1$ goals where one $M$ is to serve all worlds, $N$ where the world is
given first and the rewards are drawn after it. The null set of (c) depends on the world: with $N \le k \le 2N-2$ each
$M$ has worlds, by (b), that it does not identify. (c) uses no sign: also among vectors with $N$ nonzero entries of sum
one, the row is the only one.
"""

UNKNOWN = "at most N successors"
GENERIC = "generic rewards (tested by: no reward repeats)"
ENOUGH = "k >= 2N - 1, or k >= n - 1"


def sparsity(instance: Instance) -> int:
    """N: that of the class, or of the world where the class has none."""
    rows = (instance.world.rows > 0).sum(axis=1)
    return instance.row_class.max_successors if isinstance(instance.row_class, Sparse) else int(rows.max())


def needed(instance: Instance) -> int:
    """How many goals serve all worlds."""
    return min(2 * sparsity(instance), instance.world.n_states) - 1


def draw(rng: np.random.Generator, size: int, *, missing: int = 0) -> Instance:
    """Draw a world with N = 1 to `size`, up to 2N + 2 states, just enough goals less `missing` ones, and any agent."""
    sparse = int(rng.integers(1, size + 1))
    n, m = int(rng.integers(sparse + 1, 2 * sparse + 3)), int(rng.integers(1, 3))
    k = max(min(2 * sparse, n) - 1 - missing, 1)
    return sparse_instance(rng, sparse, n, m, instances.generic_rewards(rng, k, n))


def sparse_instance(
    rng: np.random.Generator, sparse: int, n_states: int, n_actions: int, rewards: NDArray[np.object_]
) -> Instance:
    """Draw the rest: a world with `sparse` successors in each row, continuations, and any agent."""
    world = instances.world(rng, n_states, n_actions, branching=sparse)
    one = instances.policy(rng, n_states, n_actions)
    each = instances.policy(rng, n_states, n_actions, n_goals=len(rewards))
    goals = exact.ExactGoals(rewards, exact.fraction_array(rng.integers(0, 3, rewards.shape)) / 2)
    return Instance(world, goals, (None, one, each)[rng.integers(3)], f"sparse:{sparse}")


def any_rewards(rng: np.random.Generator, n_goals: int, n_states: int) -> NDArray[np.object_]:
    """Draw generic rewards, small integers, or indicators."""
    unit = np.eye(n_states, dtype=int)[:n_goals].astype(object)
    small = rng.integers(-2, 3, (n_goals, n_states)).astype(object)
    return (instances.generic_rewards(rng, n_goals, n_states), small, unit)[rng.integers(3)]


def conclude(instance: Instance) -> Outcome:
    """Every kernel of the class is identified."""
    verdict = identify(instance.agent, instance.row_class, scope="uniform")
    sizes = f"N={sparsity(instance)}, {instance.world.n_states} states, {instance.goals.n_goals} goals"
    return Outcome(verdict.status is Status.IDENTIFIED, f"{sizes}: {verdict!r}")


def small_worlds(*, n_states: int, n_goals: int, kernel_class: str, repeats: bool = False) -> SearchStrategy[Instance]:
    """Deterministic worlds with one action, whose rewards are small integers, all different or not."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    zero = st.just(exact.as_fraction(0))
    worlds = exact_mdps(n_states=n_states, n_actions=1, discounts=zero, max_successors=1, all_available=True)
    size = n_goals * n_states
    numbers = st.lists(st.integers(0, 12), min_size=size, max_size=size, unique=not repeats)
    goals = numbers.map(lambda row: exact.ExactGoals(np.array(row).reshape(n_goals, n_states)))
    return st.builds(Instance, worlds, goals, st.none(), st.just(kernel_class))


HYPOTHESES = (
    Hypothesis(UNKNOWN, lambda i: isinstance(i.row_class, Sparse),
               partial(small_worlds, n_states=3, n_goals=1, kernel_class="stochastic")),
    Hypothesis(GENERIC, lambda i: instances.all_different(i.goals.rewards),
               partial(small_worlds, n_states=2, n_goals=1, kernel_class="sparse:1", repeats=True)),
    Hypothesis(ENOUGH, lambda i: i.goals.n_goals >= needed(i),
               partial(small_worlds, n_states=5, n_goals=2, kernel_class="sparse:2")),
)  # fmt: skip
# The kind of agent is a convention of L1(c), and so are the discount and the continuation: any will do.


def check_columns(rng: np.random.Generator, amount: int) -> Tally:
    """Any min(2N, n) columns of [M;1] are independent."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 3)
        chosen = combinations(range(instance.world.n_states), needed(instance) + 1)
        ranks = [exact.rank(instance.system[:, columns]).rank for columns in chosen]
        tally.add(set(ranks) == {needed(instance) + 1}, 0.0, f"{needed(instance) + 1} columns have ranks {set(ranks)}")
    return tally


def check_tight(rng: np.random.Generator, amount: int, *, excess: int = 1) -> Tally:
    """2N + `excess` states and 2N - 2 goals with any rewards: two rows of the class have the same values."""
    tally = Tally()
    for _ in range(amount):
        sparse = int(rng.integers(2, 4))
        n = 2 * sparse + excess
        instance = sparse_instance(rng, sparse, n, 1, any_rewards(rng, 2 * sparse - 2, n))
        verdict = identify(instance.agent, instance.row_class, scope="uniform")
        tally.add(verdict.status is Status.NOT_IDENTIFIED, 0.0, f"N={sparse}, {n} states: {verdict!r}")
    return tally


def check_given_world(rng: np.random.Generator, amount: int, *, missing: int = 0) -> Tally:
    """N - `missing` generic goals at instance scope, in worlds with N successors: every row is identified."""
    tally = Tally()
    for _ in range(amount):
        sparse = int(rng.integers(1 + missing, 4))
        n = int(rng.integers(sparse + 1, 2 * sparse + 3))
        instance = sparse_instance(rng, sparse, n, 2, instances.generic_rewards(rng, sparse - missing, n))
        verdict = identify(instance.agent, instance.row_class)
        tally.add(verdict.status is Status.IDENTIFIED, 0.0, f"N={sparse}, {n} states: {verdict!r}")
    return tally


def check_given_world_tight(rng: np.random.Generator, amount: int) -> Tally:
    """N - 1 goals with any rewards at instance scope, in worlds with N successors: no row is identified."""
    tally = Tally()
    for _ in range(amount):
        sparse = int(rng.integers(2, 4))
        n = sparse + int(rng.integers(1, 4))
        instance = sparse_instance(rng, sparse, n, 2, any_rewards(rng, sparse - 1, n))
        verdict = identify(instance.agent, instance.row_class)
        holds = bool((verdict.row_status == Status.NOT_IDENTIFIED).all()) and verdict.witness is not None
        tally.add(holds, 0.0, f"N={sparse}, {n} states: {verdict!r}")
    return tally


class Orientations:
    """The patterns of signs, one sign for each triple of points, that points of the plane could have.

    Of all patterns those are kept that satisfy what the signed areas [abc] of triangles do, namely
    [bcd] - [acd] + [abd] - [abc] = 0 and [abc][ade] - [abd][ace] + [abe][acd] = 0: among the terms of each sum some are
    positive and some are negative. No three points are on a line: if three are, a null vector on these has the sum
    zero, and so at most two entries of each sign, which is what is to be shown.
    """

    def __init__(self, n_points: int) -> None:
        self.n_points = n_points
        self.triples = list(combinations(range(n_points), 3))
        patterns = np.arange(2 ** len(self.triples))[:, None] >> np.arange(len(self.triples))
        self.signs = 1 - 2 * (patterns & 1)
        sums = [self.dependency(four) for four in combinations(range(n_points), 4)]
        for a in range(n_points):
            for b, c, d, e in combinations([x for x in range(n_points) if x != a], 4):
                products = [((b, c), (d, e)), ((d, b), (c, e)), ((b, e), (c, d))]
                sums.append(np.stack([self.of(a, *first) * self.of(a, *second) for first, second in products]))
        self.signs = self.signs[np.all([np.abs(terms.sum(axis=0)) < len(terms) for terms in sums], axis=0)]

    def of(self, a: int, b: int, c: int) -> NDArray[np.int64]:
        """Return the sign of [abc] in each pattern."""
        swaps = (a > b) + (a > c) + (b > c)
        first, second, third = sorted((a, b, c))
        found: NDArray[np.int64] = (-1) ** swaps * self.signs[:, self.triples.index((first, second, third))]
        return found

    def dependency(self, four: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the signs of the vector v on four points with sum 0 and with v-weighted sum of the points 0."""
        a, b, c, d = four
        return np.stack([self.of(b, c, d), -self.of(a, c, d), self.of(a, b, d), -self.of(a, b, c)])


def check_convex_quadrilateral(_rng: np.random.Generator, n_points: int) -> Tally:
    """For every pattern of orientations some four points have crossing diagonals: v has two entries of each sign."""
    tally = Tally()
    patterns = Orientations(n_points)
    crossing = [np.abs(patterns.dependency(four).sum(axis=0)) == 0 for four in combinations(range(n_points), 4)]
    for signs, holds in zip(patterns.signs, np.any(crossing, axis=0), strict=True):
        tally.add(bool(holds), 0.0, f"no convex quadrilateral with the orientations {signs.tolist()}")
    return tally


def check_diagonals(rng: np.random.Generator, amount: int) -> Tally:
    """Five columns at random lattice points: their orientations are among the patterns, and two rows coincide there."""
    tally = Tally()
    known = {tuple(signs) for signs in Orientations(5).signs.tolist()}
    while tally.instances < amount:
        points = rng.integers(-20, 21, (2, 5))
        system = np.concatenate([points, np.ones((1, 5), int)]).astype(object)
        areas = [exact.determinant(system[:, triple]) for triple in combinations(range(5), 3)]
        signs = tuple((area > 0) - (area < 0) for area in areas)
        if 0 in signs:
            continue
        world = exact.ExactMDP(instances.world(rng, 5, 1, branching=2).kernel, exact.as_fraction(0))
        instance = Instance(world, exact.ExactGoals(points.astype(object)), None, "sparse:2")
        witness = identify(instance.agent, instance.row_class, scope="uniform").witness
        holds = witness is not None and set(np.count_nonzero([witness.first, witness.second], axis=1)) == {2}
        tally.add(holds and signs in known, 0.0, f"columns {points.T.tolist()}: {witness}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Worlds with 12 states and N = 2, three generic goals: the search over supports gives P back."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(12, 2, branching=2, discount=0.9, seed=rng)
        result = invert(bellman.solve(mdp, Goals.generic(12, 3, seed=rng)), Sparse(2))
        error = result.max_error(mdp)
        tally.add(error < 1e-9, error, repr(result))
    return tally


STATEMENT = Statement(
    id="T5b",
    title="Local worlds with unknown support",
    latex=r"\text{almost every } R: \quad k \ge 2N-1 \text{ identifies all } N\text{-sparse kernels}, "
    r"\quad k \ge N \text{ identifies a given one}",
    plain="Each row has at most N successors, it is not known which. (a) 2N - 1 generic goals tell any two such rows "
    "apart. (b) 2N - 2 goals never do if there are 2N + 1 states or more, whatever the rewards: (a) is tight "
    "for every N. (c) For a given world, "
    "N goals, drawn generically after it, identify its rows. (d) N - 1 goals, whatever they are, identify no row with "
    "N positive probabilities, if there are more than N states.",
    source="(a) and N = 2 of (b): Theorem 5 of arXiv 2606.21173, finite form; (b) to (d) are ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "(a) rational worlds, N = 1 to 3, any agent: every kernel of the class is identified",
              exact_check(draw, HYPOTHESES, conclude, size=3), (20, 200, 2000)),
        Check("exact", "(a) all sets of min(2N, n) columns of [M;1] are independent", check_columns, (20, 200, 2000)),
        Check("exact", "(b) 2N + 1 states, 2N - 2 goals, any rewards: two rows with the same values", check_tight,
              (20, 200, 2000)),
        Check("exact", "(c) N generic goals for a given world: its rows are identified", check_given_world,
              (10, 100, 1000)),
        Check("exact", "(d) N - 1 goals, any rewards: no row is identified", check_given_world_tight, (10, 100, 1000)),
        Check("universal", "(b) N = 2: all orientations of five points of the plane have a convex quadrilateral",
              check_convex_quadrilateral, (5, 5, 5)),
        Check("exact", "(b) N = 2: the diagonals that cross, as two rows with two successors each", check_diagonals,
              (20, 200, 2000)),
        Check("numeric", "random worlds with 12 states, N = 2, three goals: P comes back", check_numeric, (2, 20, 100)),
    ),
    counterexamples=(
        Counterexample(ENOUGH, "2N - 2 goals: N = 2, five states, two goals", stored("T5b", ENOUGH)),
        Counterexample(ENOUGH, "the same, no three columns on a line: the diagonals of four of them cross",
                       stored("T5b", "five points")),
        Counterexample(UNKNOWN, "N = 1, one goal, judged among rows with more successors", stored("T5b", UNKNOWN)),
        Counterexample(GENERIC, "rewards that repeat", stored("T5b", GENERIC)),
    ),
    mutations=(
        Mutation("2N - 2 goals in place of 2N - 1", exact_check(partial(draw, missing=1), (), conclude, size=3), 20),
        Mutation("(b) with 2N states in place of 2N + 1", partial(check_tight, excess=0), 20),
        Mutation("(c) with N - 1 goals", partial(check_given_world, missing=1), 5),
        Mutation("four points in place of five", check_convex_quadrilateral, 4),
    ),
    open_levels={
        "symbolic": "the determinants are those of T5a",
        "universal": "(a), (c) and (d) by proof alone; (b) by enumeration for N = 2, by proof for all N",
    },
    api=("tabular_inversion.identify", "tabular_inversion.Sparse"),
)  # fmt: skip
