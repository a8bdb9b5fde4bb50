"""AR: without a discount, gains and relative values show what goals show modulo constants."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.k1_discounts_for_goals import chain, with_ones
from proofs_checks.polynomials import identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import exact
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactGoals, ExactMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $P$ be the kernel under the policy, with one recurrent class. For each goal Poisson's equation
$h + \bar r\,\mathbf 1 = P (r + h)$ has a solution, unique up to constants in $h$, since the eigenvalue 1 of $P$ is
simple: $I - P$ has rank $n - 1$, its image does not hold $\mathbf 1$ (the stationary distribution $\mu$ satisfies
$\mu (I - P) = 0$, $\mu \mathbf 1 = 1$). Put $m = r + h$; then $Q(s, a) = P(s, a)\, m - \bar r$, and
$P m = h + \bar r\, \mathbf 1 = m - r + \bar r\, \mathbf 1$, that is $(I - P)\, m = r - \bar r\, \mathbf 1$.

*(a) Ranks.* $P$ maps $\mathbf 1$ to itself and so acts on $\mathbb R^n / \mathbf 1$, where $I - P$ is invertible, the
eigenvalue 1 being simple. Modulo $\mathbf 1$ we have $m_g = (I - P)^{-1} r_g$ for all goals, an invertible image of
the rewards. So $\operatorname{rank}[M;\mathbf 1] = \operatorname{rank}[R;\mathbf 1]$. The choice of the constant in
$h$ changes nothing here.

*(b) Gains seen.* $M\, P(s,a) = Q(s,a) + \bar r$ is known for every row, beside its sum. So all stochastic kernels are
identified if and only if $\operatorname{rank}[R;\mathbf 1] = n$: $n - 1$ goals that span modulo constants suffice.

*(c) Gains hidden.* Let $c \cdot \mathbf 1 = 0$ and $P'(s,a) = P(s,a) + c$ for all rows. Then
$P'(s,a)\, m - (\bar r + c \cdot m) = P(s,a)\, m - \bar r$: the same $h$ solves Poisson's equation with gain
$\bar r + c \cdot m$, and the same $Q$ is seen. Conversely, if $\operatorname{rank}[M;\mathbf 1] = n$ and another
kernel shows the same $Q$, then $(P'(s,a) - P(s,a))\, m_g$ is the difference of the gains, one number for each goal
whatever $(s,a)$, and so is its sum, 0: the difference of the rows is one vector $c$.

*(d) An unknown cost* $\rho(s,a)$ that all goals share (here or with a discount) adds an unknown to each row:
$M p + \rho\, \mathbf 1 = q$, $\mathbf 1 \cdot p = 1$. Every row is identified with its cost if and only if
$\begin{bmatrix} M & \mathbf 1 \\ \mathbf 1^\top & 0 \end{bmatrix}$ has rank $n + 1$. It has $k + 1$ rows, so
$k \ge n$ goals are needed; and for $k = n$ its determinant is $-\mathbf 1^\top \operatorname{adj}(M)\, \mathbf 1$,
which is not the zero polynomial in $M$: generic goals suffice then. That is one more than the $n - 1$ of T3a.
"""

ONE_CLASS = "one recurrent class under the policy"
POLICY = "one unconditional policy"
SPAN = "the rewards span with the constants: rank [R;1] = n"


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with one recurrent class, a policy, and n - 1 or n goals that span with the constants."""
    while True:
        n, m = instances.sizes(rng, largest=size)
        world = instances.world(rng, n, m, branching=(None, 2)[rng.integers(2)])
        goals = instances.generic_goals(rng, n - int(rng.integers(2)), n)
        instance = Instance(world, goals, instances.policy(rng, n, m))
        if all(h.holds(instance) for h in HYPOTHESES):
            return instance


def has_one_class(instance: Instance) -> bool:
    """Tell whether 1 is a simple eigenvalue of P."""
    matrix = chain(instance)
    unit = exact.fraction_array(np.eye(len(matrix), dtype=int))
    return exact.rank(unit - matrix).rank == len(matrix) - 1


def conclude(instance: Instance, *, with_gains: bool = True) -> Outcome:
    """Rank [M;1] = rank [R;1], and every row comes back from Q and the gains (or, wrongly, from Q alone)."""
    if instance.policy is None or instance.policy.ndim == 3 or not has_one_class(instance):
        return _by_goal(instance)
    world, goals = instance.world, instance.goals
    values = exact.average_reward(world, goals, np.asarray(instance.policy))
    system = with_ones(values.test_matrix)
    found, wanted = exact.rank(system).rank, exact.rank(with_ones(goals.rewards)).rank
    right = values.right_hand_sides if with_gains else values.q.reshape(goals.n_goals, -1)
    known = np.concatenate([right, np.full((1, right.shape[1]), Fraction(1), dtype=object)])
    try:
        rows = exact.solve_linear(system, known).T
    except InputError:
        return Outcome(False, "no rows have these values")
    same = bool((rows == world.rows).all()) and found == world.n_states
    return Outcome(same and found == wanted, f"rank [M;1] {found}, rank [R;1] {wanted}; the rows come back: {same}")


def _by_goal(instance: Instance) -> Outcome:
    """What goals show whose policies differ, or whose gain depends on the start: ranks goal by goal, if any."""
    goals, world, rows = instance.goals, instance.world, []
    for goal in range(goals.n_goals):
        if instance.policy is None or instance.policy.ndim == 2:
            return Outcome(False, "the gain depends on the start")
        alone = Instance(world, goals.select([goal]), instance.policy[goal])
        rows.append(exact.average_reward(world, alone.goals, np.asarray(alone.policy)).test_matrix)
    found, n = exact.rank(with_ones(np.concatenate(rows))).rank, world.n_states
    return Outcome(found == n, f"rank [M;1] {found} of {n}, each goal by its own policy")


def short_of_goals() -> SearchStrategy[Instance]:
    """Worlds with two or three states and fewer goals than span."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        world = draw(exact_mdps(n_states=st.integers(2, 3), n_actions=1, discounts=st.just(Fraction(1, 2)),
                                all_available=True))  # fmt: skip
        ever, paid = st.just(Fraction(1)), st.integers(0, 2).map(Fraction)
        goals = draw(exact_goals(world.n_states, n_goals=1, rewards=paid, continuations=ever))
        return Instance(world, goals, draw(exact_policies(world.available)))

    return made()


def two_classes() -> Instance:
    """Two states that never change: no single gain."""
    world = ExactMDP(exact.fraction_array([[[1, 0]], [[0, 1]]]), Fraction(1, 2))
    return Instance(world, ExactGoals(exact.fraction_array([[0, 1]])), exact.fraction_array([[1], [1]]))


def own_policies() -> Instance:
    """Three states, two actions, two goals, each with a policy of its own: M = R + h loses rank modulo constants."""
    to, swap = [[1, 0, 0], [1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    world = ExactMDP(np.array([to, swap]).transpose(1, 0, 2).astype(object), Fraction(1, 2))
    policy = np.zeros((2, 3, 2), dtype=int)
    policy[..., 1] = 1
    policy[1, :2, 1], policy[1, :2, 0] = 0, 1
    return Instance(world, ExactGoals(exact.fraction_array([[0, 1, 0], [0, 1, -1]])), exact.fraction_array(policy))


HYPOTHESES = (
    Hypothesis(POLICY, lambda i: i.policy is not None and i.policy.ndim == 2),
    Hypothesis(ONE_CLASS, lambda i: i.policy is not None and (i.policy.ndim == 3 or has_one_class(i))),
    Hypothesis(SPAN, lambda i: exact.rank(with_ones(i.goals.rewards)).rank == i.world.n_states, short_of_goals),
)


def check_hidden_gains(rng: np.random.Generator, amount: int, *, everywhere: bool = True) -> Tally:
    """(c) P + 1 c^T has the same h and Q for all goals; a change of one row alone (not `everywhere`) has not."""
    tally = Tally()
    while tally.instances < amount:
        instance = draw(rng, 5)
        world, n = instance.world, instance.world.n_states
        positive = np.flatnonzero((world.kernel > 0).all(axis=(0, 1)))
        if len(positive) < 2:
            continue
        change = np.zeros((n, world.n_actions, n), dtype=object)
        rows = slice(None) if everywhere else slice(0, 1)
        change[rows, :, positive[0]], change[rows, :, positive[1]] = Fraction(1, 100), Fraction(-1, 100)
        other = ExactMDP(world.kernel + change, world.discount)
        first, second = (exact.average_reward(w, instance.goals, np.asarray(instance.policy)) for w in (world, other))
        same = bool((first.q == second.q).all() and (first.bias == second.bias).all())
        tally.add(same, 0.0, f"n = {n}: the same relative Q in both worlds: {same}")
    return tally


def check_costs(rng: np.random.Generator, amount: int, *, more: int = 1) -> Tally:
    """(d) k generic goals and a common unknown cost: identified iff k >= n - 1 + `more`, with more = 1."""
    tally = Tally()
    for _ in range(amount):
        n, m = instances.sizes(rng, largest=5)
        k = int(rng.integers(max(1, n - 2), n + 2))
        instance = Instance(instances.world(rng, n, m), instances.generic_goals(rng, k, n), instances.policy(rng, n, m))
        matrix = with_ones(instance.agent.test_matrix)
        cost = np.array([[Fraction(int(i < k))] for i in range(k + 1)], dtype=object)
        full = exact.rank(np.hstack([matrix, cost])).rank == n + 1
        tally.add(full is (k >= n - 1 + more), 0.0, f"{k} goals, {n} states: rows and costs identified: {full}")
    return tally


def check_symbolic(_rng: np.random.Generator, largest: int, *, sign: int = 1) -> Tally:
    """(c) h solves Poisson's equation in P + 1 c^T with the gain raised by c m, all entries symbols, to `largest`."""
    tally = Tally()
    for n in range(2, largest + 1):
        made = symbol_arrays(P=(n, n), r=(n,), h=(n,), gain=(), c=(n,))
        m, c = made["r"] + made["h"], made["c"] - made["c"].sum() / n
        first = made["P"] @ m - made["h"] - made["gain"]
        other = made["P"] + np.outer(identity(n).sum(axis=0), c)
        second = other @ m - made["h"] - (made["gain"] + sign * (c * m).sum())
        tally.add(vanishes(first - second), 0.0, f"n = {n}: {(first - second)[0]}")
    return tally


STATEMENT = Statement(
    id="AR",
    title="Average reward",
    latex=r"h + \bar r\,\mathbf 1 = P(r + h), \ m = r + h: \quad (I - P)\,m = r - \bar r\,\mathbf 1, \qquad "
    r"\operatorname{rank}[M;\mathbf 1] = \operatorname{rank}[R;\mathbf 1]",
    plain="Agents without a discount, under one policy with one recurrent class, show relative values h and "
    "gains. With "
    "the gains seen, n - 1 goals that span modulo constants identify all stochastic kernels. With hidden gains "
    "P + 1 c^T shows the same. An unknown cost of actions that all goals share costs exactly one generic goal more.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "worlds with up to 6 states: rank [M;1] = rank [R;1], and every row comes back",
              exact_check(draw, HYPOTHESES, conclude, size=6), (30, 300, 3000)),
        Check("exact", "(c) hidden gains: P + 1 c^T has the same relative Q", check_hidden_gains, (20, 200, 2000)),
        Check("exact", "(d) a cost that all goals share: n generic goals, and no fewer", check_costs, (30, 300, 3000)),
        Check("symbolic", "(c) Poisson's equation in P + 1 c^T, all entries symbols", check_symbolic, (3, 4, 4)),
    ),
    counterexamples=(
        Counterexample(POLICY, "two goals with policies of their own", own_policies),
        Counterexample(ONE_CLASS, "two states that never change: the gain depends on the start", two_classes),
        Counterexample(SPAN, "goals that do not span with the constants", stored("AR", SPAN)),
    ),
    mutations=(
        Mutation("rows come back without the gains",
                 exact_check(draw, HYPOTHESES, partial(conclude, with_gains=False), size=4), 10),
        Mutation("(c) a change of one row alone", partial(check_hidden_gains, everywhere=False), 5),
        Mutation("(d) n - 1 goals suffice", partial(check_costs, more=0), 20),
        Mutation("(c) the gain falls by c m", partial(check_symbolic, sign=-1), 2),
    ),
    open_levels={"universal": "the proof is for all sizes; worlds fill a continuum"},
    api=("tabular_inversion.exact.average_reward", "tabular_inversion.exact.solve_linear"),
)  # fmt: skip
