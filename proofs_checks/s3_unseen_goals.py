"""S3: what values for old goals say of a new one: functionals that are settled, and the range of optimal values."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import product
from math import prod
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
from tabular_inversion import Stochastic, exact, value_equivalence
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.planning import robust
from tabular_inversion.policies import deterministic

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Write $A$ for $M$ with a row of ones below it, and $F$ for the set of states that some member of $E(q)$ reaches.

(a) *Functionals.* By S2 (b) the affine hull of $E(q)$ is $\{p : Ap = (q,1),\ p = 0 \text{ off } F\}$. A linear
functional has one value on $E(q)$ iff it has one value on the affine hull, iff $w_F^\top v = 0$ for all $v$ with $A_F v
= 0$, iff $w_F$ lies in the row space of $A_F$. If some member is positive everywhere, for instance at uniform scope,
$F$ is everything: $w$ lies in the row space of $A$. If not, the condition on the whole of $A$ still suffices, but is
not necessary: with $M = (0, 1, 2)$ the row $e_0$ is identified, so that $w = e_1$ has one value, and $e_1$ is in no row
space of $A$. By S1 (a), for one row $p$ with support $T$ the condition is $w^\top v = 0$ for all $v$ with $Av = 0$ and
$v \ge 0$ off $T$: these are the multiples of differences $p' - p$.

(b) *A new goal* with rewards $r$ and continuation $C$. For each row let $E$ be its polytope. The operator
$(\underline{T} V)(s) = \max_a \min_{p \in E_{sa}} p^\top (r + \gamma C V)$ is monotone and a contraction by $\gamma$,
since each $p$ is a distribution. Let $\underline V$ be its fixed point. The minima are attained at extreme points, and
all of them together make one kernel $\underline P$, because the set is a product over rows: $\underline V$ solves the
optimality equation of $\underline P$. For every other $P$ in the set, $\underline T V \le T_P V$ for all $V$; iterating
from any $V$, $\underline V \le V^*_P$. So $\underline V = \min_P V^*_P$ for all states at once. With $\max_p$ in place
of $\min_p$, $\overline V = \max_P V^*_P$ in the same way. The true kernel is in the set (S2), so that $\underline V \le
V^* \le \overline V$.

(c) *The guarantee.* Let $\pi$ take an action that attains the maximum in $\underline T\, \underline V = \underline V$.
For every $P$ in the set $T^\pi_P \underline V \ge \underline V$, so that its value $V^\pi_P \ge \underline V$, with
equality in $\underline P$: no policy is guaranteed more.
"""

MEMBER = "the true rows belong to the class"
MOST_WORLDS = 128

Settled: TypeAlias = Callable[[FractionArray, FractionArray, FractionArray], bool]
"""``settled([M;1], w, points)``: whether w.p is identified, as a statement claims."""


def on_the_face(system: FractionArray, weights: FractionArray, points: FractionArray) -> bool:
    """S3 (a): w is in the row space of [M;1] on the states that members reach."""
    reached = np.flatnonzero((points > 0).any(axis=0))
    return everywhere(system[:, reached], weights[reached], points)


def everywhere(system: FractionArray, weights: FractionArray, _points: FractionArray) -> bool:
    """The wrong variant without faces: w is in the row space of the whole of [M;1]."""
    return exact.rank(np.concatenate([system, weights[None]])).rank == exact.rank(system).rank


def along_directions(system: FractionArray, weights: FractionArray, row: FractionArray) -> bool:
    """S3 (a) for one row: w.v = 0 for all v with [M;1] v = 0 that are nonnegative off the support of the row."""
    for sign in (1, -1):
        bounded = np.concatenate([system, sign * weights[None]])
        target = exact.fraction_array(np.array([0] * len(system) + [1]))
        free = row > 0  # v = x on states off the support, x - y on it, with x, y nonnegative
        table = np.concatenate([bounded, -bounded[:, free]], axis=1)
        if exact.find_nonnegative_solution(table, target).solution is not None:
            return False
    return True


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states whose values leave up to 128 corners open, and a new goal."""
    while True:
        n, m = instances.sizes(rng, largest=size)
        world = instances.world(rng, n, m, branching=int(rng.integers(1, n + 1)))
        goals = ExactGoals(rng.integers(-2, 3, (int(rng.integers(1, n)), n)))
        # Half of the new goals mix old values and a constant: settled, without being old goals.
        instance = Instance(world, goals, instances.policy(rng, n, m) if rng.integers(2) else None)
        mixed = rng.integers(-2, 3, goals.n_goals + 1) @ instance.system
        weights = mixed if rng.integers(2) else exact.fraction_array(rng.integers(-3, 4, n))
        extra = {"new rewards": weights, "new continuation": exact.fraction_array(rng.integers(0, 3, n)) / 2}
        if 1 < prod(len(equivalent_rows(instance, row)) for row in world.row_index.tolist()) <= MOST_WORLDS:
            return Instance(world, goals, instance.policy, "stochastic", extra)


def members(instance: Instance) -> list[FractionArray]:
    """Return the extreme points of each row's set; for the deterministic class its members."""
    points = [equivalent_rows(instance, row) for row in instance.world.row_index.tolist()]
    if instance.kernel_class == "deterministic":
        return [corners[(corners == 1).any(axis=1)] for corners in points]
    return points


def worlds(instance: Instance, points: list[FractionArray]) -> list[ExactMDP]:
    """Return the corners of the product: all worlds with one extreme point in each row."""
    found = []
    for choice in product(*points):
        rows = np.array(instance.world.rows)
        rows[instance.world.row_index] = np.array(choice)
        found.append(
            ExactMDP(rows.reshape(instance.world.kernel.shape), instance.world.discount, instance.world.available)
        )
    return found


def new_goal(instance: Instance) -> ExactGoals:
    """Return the goal that the agent never had."""
    rewards = instance.extra["new rewards"]
    return ExactGoals(rewards[None], instance.extra.get("new continuation", 0 * rewards + 1)[None])


def solved(instance: Instance, places: list[ExactMDP]) -> list[ExactAgentValues]:
    """Solve the new goal in all of the worlds."""
    return [exact.solve(place, new_goal(instance)) for place in places]


def conclude(instance: Instance, *, settled: Settled = on_the_face, guarantee: str = "worst") -> Outcome:
    """Functionals; ends that are attained in all states at once, enclose the truth, and are robust; a guarantee."""
    points = members(instance)
    if not all(len(corners) for corners in points):
        return Outcome(False, "a row has no member: the truth is not in the set")
    problems = []
    weights = instance.extra["new rewards"]
    for row, corners in zip(instance.world.row_index.tolist(), points, strict=True):
        one = len(set((corners @ weights).tolist())) == 1
        if instance.kernel_class == "stochastic" and one != settled(instance.system, weights, corners):
            problems.append(f"row {row}: one value {one}, claimed {not one}")
        p = instance.world.rows[row]
        if instance.kernel_class == "stochastic" and one != along_directions(instance.system, weights, p):
            problems.append(f"row {row}: one value {one}, directions say {not one}")
    places = worlds(instance, points)
    agents = solved(instance, places)
    values = np.array([agent.v[0] for agent in agents])
    truth = exact.solve(instance.world, new_goal(instance)).v[0]
    worst, best = (
        [i for i, v in enumerate(values) if (v == end).all()] for end in (values.min(axis=0), values.max(axis=0))
    )
    if not (worst and best):
        return Outcome(False, "no world is the worst, or the best, in all states")
    lower, upper = values[worst[0]], values[best[0]]
    if not ((lower <= truth).all() and (truth <= upper).all()):
        problems.append(f"the true values {truth.tolist()} are not between {lower.tolist()} and {upper.tolist()}")
    least = guaranteed(instance, points, lower)
    problems += [] if (least.max(axis=1) == lower).all() else ["the lower end is not max_a min_p"]
    # An optimal policy of some world with the values of the lower end is not enough: other rows may be better there.
    chosen = {"worst": least, "attaining": agents[worst[0]].q[0], "best": agents[best[0]].q[0]}[guarantee]
    policy = exact.fraction_array(deterministic(chosen.argmax(axis=1), instance.world.available).astype(int))
    short = [p for p in places if (exact.evaluate(p, new_goal(instance), policy).v[0] < lower).any()]
    problems += [f"the policy falls short in {len(short)} of {len(places)} worlds"] if short else []
    return Outcome(not problems, "; ".join(problems) or f"{len(places)} worlds")


def guaranteed(instance: Instance, points: list[FractionArray], values: FractionArray) -> FractionArray:
    """Return min_p p.(r + gamma C V) for each action, shape (S, A), over each whole polytope: minima are at corners."""
    goal = new_goal(instance)
    target = goal.rewards[0] + instance.world.discount * goal.continuation[0] * values
    least = np.full(instance.world.available.size, -np.inf, dtype=object)
    least[instance.world.row_index] = [(corners @ target).min() for corners in points]
    return least.reshape(instance.world.available.shape)


def check_robust(rng: np.random.Generator, amount: int, *, margin: float = 0.0) -> Tally:
    """`planning.robust` against all corners: its ends; its policy is worth at least its lower end in every corner."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 3)
        sets = value_equivalence(instance.agent.to_float(), Stochastic())
        found = robust(sets, new_goal(instance).to_float())
        places = worlds(instance, members(instance))
        values = to_floats(np.array([agent.v[0] for agent in solved(instance, places)]))
        policy = exact.fraction_array(found.policy.astype(int))
        worth = to_floats(np.array([exact.evaluate(place, new_goal(instance), policy).v[0] for place in places]))
        scale = max(float(np.ptp(values)), 1.0)
        errors = (found.lower - values.min(axis=0), found.upper - values.max(axis=0), worth.min(axis=0) - found.lower)
        error = max(float(abs(part).max()) for part in errors) / scale
        short = float((found.lower + margin * scale - worth).max()) / scale
        tally.add(
            error < 1e-7 and short < 1e-7, error, f"ends or guarantee differ by {error:.1e}, worth short {short:.1e}"
        )
    return tally


def check_functionals(rng: np.random.Generator, amount: int) -> Tally:
    """`determined_functionals` and `functional_bounds` in floats against all extreme points in fractions."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 4)
        weights = instance.extra["new rewards"]
        sets = value_equivalence(instance.agent.to_float(), Stochastic())
        ends, settled = sets.functional_bounds(to_floats(weights)), sets.determined_functionals(to_floats(weights))
        seen = [corners @ weights for corners in members(instance)]
        available = instance.world.available
        lower, upper = (to_floats(np.array([end(v) for v in seen], dtype=object)) for end in (min, max))
        error = float(max(abs(ends.lower[available] - lower).max(), abs(ends.upper[available] - upper).max()))
        same = bool((settled[available] == [len(set(v.tolist())) == 1 for v in seen]).all())
        tally.add(same and error < 1e-7, error, f"settled as in fractions: {same}; ends differ by {error:.1e}")
    return tally


def row_space_is_not_needed() -> bool:
    """Tell whether with M = (0, 1, 2) the identified row e_0 settles w = e_1, which is in no row space."""
    system, weights = exact.fraction_array([[0, 1, 2], [1, 1, 1]]), exact.fraction_array([0, 1, 0])
    corner, inside = exact.fraction_array([1, 0, 0]), exact.fraction_array(["1/3", "1/3", "1/3"])
    settled = along_directions(system, weights, corner) and not along_directions(system, weights, inside)
    return settled and not everywhere(system, weights, corner[None])


def coupled_rows_have_no_worst_world() -> bool:
    """Two kernels, not the product of their rows: neither is worst in all states, and the product's end is lower."""
    kernels = [[[[0, 0, 1, 0]], [[0, 0, 0, 1]], [[0, 0, 1, 0]], [[0, 0, 0, 1]]],
               [[[0, 0, 0, 1]], [[0, 0, 1, 0]], [[0, 0, 1, 0]], [[0, 0, 0, 1]]]]  # fmt: skip
    goal = ExactGoals(exact.fraction_array([[0, 0, 1, 0]]))
    values = [exact.solve(ExactMDP(exact.fraction_array(k), Fraction(1, 2)), goal).v[0] for k in kernels]
    least = np.minimum(*values)
    return not any((v == least).all() for v in values)


def worst_values_are_not_enough() -> bool:
    """A policy that is optimal in a world with the values of the lower end may still fall short in others."""
    instance = stored("S3", "two actions")()
    return conclude(instance).holds and not conclude(instance, guarantee="attaining").holds


def sure_of_themselves() -> SearchStrategy[Instance]:
    """Small worlds that are taken for deterministic, with a new goal."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=3, n_actions=1, discounts=half, max_weight=1, all_available=True))
        old, new = (exact.fraction_array(draw(st.permutations([0, 1, 2]))) for _ in range(2))
        return Instance(world, ExactGoals(old[None]), None, "deterministic", {"new rewards": new})

    return made()


HYPOTHESES = (
    Hypothesis(MEMBER, lambda i: bool(i.row_class.contains(i.world.to_float().toarray()[i.world.available]).all()),
               sure_of_themselves),
)  # fmt: skip

STATEMENT = Statement(
    id="S3",
    title="Unseen goals",
    latex=r"|\{w^\top p : p \in E(q)\}| = 1 \iff w_F \in \operatorname{row} \begin{bmatrix} M \\ \mathbf 1^\top "
    r"\end{bmatrix}_F; \quad \min_{P \in \prod E} V^*_P = \underline V, \ \underline V(s) = \max_a \min_{p \in E_{sa}} "
    r"p^\top (r + \gamma C \underline V), \quad \underline V \le V^* \le \overline V, \quad "
    r"V^\pi_P \ge \underline V \ \ \forall P \in \prod E",
    plain="A linear functional of a row has one value on all rows with the given values iff it is a combination of the "
    "test functions and a constant, on the states that some of those rows reach (on all states, where one of them is "
    "positive everywhere). For a new goal, the least and largest optimal values over all remaining worlds are each "
    "attained in one world for all states, enclose the true ones, and one policy is worth the least everywhere.",
    source="this package; robust planning after Iyengar (2005), Nilim and El Ghaoui (2005)",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with up to 3 states: functionals, and all corners of the product of polytopes",
              exact_check(draw, HYPOTHESES, conclude, size=3), (20, 200, 1500)),
        Check("numeric", "robust plans in floats against all corners in fractions", check_robust, (8, 80, 600)),
        Check("numeric", "functionals in floats against fractions", check_functionals, (15, 150, 1000)),
    ),
    counterexamples=(
        Counterexample(MEMBER, "a world that is taken for deterministic", stored("S3", MEMBER)),
        Counterexample("the row is positive everywhere, or all rows are asked", "M = (0, 1, 2), row e_0, w = e_1: "
                       "settled, and in no row space", show=row_space_is_not_needed),
        Counterexample("the set is a product over rows", "two kernels that swap the rows of two states: neither is the "
                       "worst in both states", show=coupled_rows_have_no_worst_world),
        Counterexample("the policy attains max_a min_p", "a policy that is optimal in one world with the values of the "
                       "lower end: another row of that world is not at its worst", show=worst_values_are_not_enough),
    ),
    mutations=(
        Mutation("w in the row space of the whole of [M;1], without faces",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, settled=everywhere), size=3)), 200),
        Mutation("the optimal policy of the best world is guaranteed the lower end",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, guarantee="best"), size=3)), 400),
        Mutation("the policy is worth 1 % more than the lower end", partial(check_robust, margin=0.01), 8),
    ),
    open_levels={
        "symbolic": "the statement is about ends of polytopes; no identity expresses it",
        "universal": "no enumeration or solver was run over all instances of a size; the proof covers all sizes",
    },
    api=("tabular_inversion.planning.robust", "tabular_inversion.value_equivalence"),
)  # fmt: skip
