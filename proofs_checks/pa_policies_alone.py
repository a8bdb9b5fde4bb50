"""PA: what advantages and policies show of the world: the dual of reward shaping."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import bellman, exact
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import AdvantageValues, Status, identify_from_policies, reshape_world

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $P_a$ be the kernel of action $a$; where an action is unavailable read the equations row by row. An agent chooses
by an operator $V(s) = T_s(Q(s, \cdot))$ with $T_s(x + c) = T_s(x) + c$, such as the mean under a given policy, the
maximum, or $\tau \log \sum_a e^{x_a/\tau}$. All of these do not expand, so that Bellman's equation $Q_a = P_a m$,
$m = r + \gamma V$, has one solution. Goals never end ($C = 1$).

*(a) The family.* Let $X \mathbf 1 = 0$, and let $P'_a = P_a + X - \gamma P_a X$ be kernels. Then
$I - \gamma P'_a = (I - \gamma P_a)(I - \gamma X)$ for every choice of actions, and both kernels' factors are
invertible; so $I - \gamma X$ is. Put $Y = X (I - \gamma X)^{-1}$, so that $I + \gamma Y = (I - \gamma X)^{-1}$ and

$$
P'_a = (P_a + Y)(I - \gamma X) = (P_a + Y)(I + \gamma Y)^{-1}.
$$

With the solution $V$, $m$ of the first world put $V' = V + Y m$ and $m' = r + \gamma V' = (I + \gamma Y)\, m$. Then
$P'_a m' = (P_a + Y)\, m = Q_a + Y m$, to which $T$ assigns $V + Y m = V'$. So this is the solution in the second
world, and advantages $Q'_a - V' = Q_a - V$ agree, for every reward; with them the optimal policies, hard and soft.

*(b) The converse.* Let $P$ and $P'$ show the same advantages for goals with $\operatorname{rank}[M;\mathbf 1] = n$.
With $u_g = V'_g - V_g$ it says $P'_a (m_g + \gamma u_g) = P_a m_g + u_g$ for all $a$ and $g$. If
$\sum_g \alpha_g m_g = c\, \mathbf 1$, then $w = \sum_g \alpha_g u_g$ satisfies
$c\, \mathbf 1 + \gamma P'_a w = c\, \mathbf 1 + w$, so $w = \gamma P'_a w$ and $w = 0$. So $Y m_g = u_g$,
$Y \mathbf 1 = 0$ defines one matrix $Y$ on the span of all $m_g$ and $\mathbf 1$, which is everything, and
$P'_a (I + \gamma Y) = P_a + Y$. If $(I + \gamma Y) x = 0$, then $Y x = -x/\gamma$ and $P_a x = x / \gamma$, so
$x = 0$. So $X = Y (I + \gamma Y)^{-1}$ exists, $X \mathbf 1 = 0$, and $P'_a = P_a + X - \gamma P_a X$.

*(c) Dimension.* $X \mapsto (I - \gamma P_a) X$ is injective, and matrices with $X \mathbf 1 = 0$ have $n(n-1)$
parameters. Round a world with positive entries all small ones give kernels. So for $n \ge 2$ policies of all rewards
never identify such a world.

*(d) One known action*, in every state: $X = \gamma P_a X$ for its rows, so $X = 0$: the rest is identified.

*(e) Two discounts.* $P'_a - P_a = (I - \gamma_i P_a) X_i$ for $i = 1, 2$ and every $a$. Differences of two actions in
a state give $(P_a - P_b)(\gamma_1 X_1 - \gamma_2 X_2) = 0$. If these row differences span $\mathbf 1^\perp$, the
columns of $\gamma_1 X_1 - \gamma_2 X_2$ are constant: it is $\mathbf 1 c^\top$, with $c \cdot \mathbf 1 = 0$. Then
$X_1 - X_2 = P_a \mathbf 1 c^\top = \mathbf 1 c^\top$ too, so that
$(\gamma_1 - \gamma_2) X_2 = (1 - \gamma_1)\mathbf 1 c^\top$, and all is $P' = P + \mathbf 1 b^\top$ with a multiple
$b$ of $c$; these show the same advantages at every discount. If every state has a row with a zero there, $b \ge 0$,
and $b = 0$.

*(f) V alone.* Let agents be optimal and only $V$ seen. Each $m$ belongs to one reward, $r = m - \gamma \max_a P_a m$,
so that all rewards show $\max_a P(s,a)\, m$ for all $m$: the support function of $\operatorname{conv}\{P(s,a)\}_a$,
and exactly this hull. Soft values show $\sum_a e^{P(s,a) m/\tau}$ for all $m$; exponentials of different linear
functions are independent, so that the rows of each state are seen, but not their order.
"""

ENDLESS = "the goals never end: C = 1"
SPAN = "rank [M;1] = n"


def advantages(agent: ExactAgentValues) -> FractionArray:
    """Return Q - V."""
    return np.asarray(agent.q - agent.v[:, :, None])


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world, n - 1 or n goals that never end, a policy or none, and a small matrix X."""
    while True:
        n, m = int(rng.integers(2, min(size, 4) + 1)), int(rng.integers(1, 4))
        world = instances.world(rng, n, m)
        goals = instances.generic_goals(rng, n - int(rng.integers(2)), n)
        chosen = (None, instances.policy(rng, n, m))[rng.integers(2)]
        instance = Instance(world, goals, chosen, extra={"shift": small_shift(rng, world)})
        if spans(instance):
            return instance


def small_shift(rng: np.random.Generator, world: ExactMDP) -> FractionArray:
    """Draw X with rows that sum to zero, and zero where no row of the world leads."""
    reached = np.flatnonzero((world.kernel > 0).all(axis=(0, 1)))
    shift = np.zeros((world.n_states,) * 2, dtype=int)
    shift[:, reached] = rng.integers(-3, 4, (world.n_states, len(reached)))
    if len(reached):
        shift[:, reached[0]] -= shift.sum(axis=1)
    return exact.fraction_array(shift) / 2000


def spans(instance: Instance) -> bool:
    """Tell whether [M;1] has rank n."""
    return exact.rank(instance.system).rank == instance.world.n_states


def tangent_dimension(instance: Instance) -> int:
    """Return the dimension of all changes of the kernel that keep the advantages, to first order, by another way.

    Unknowns are changes D of the rows and u of the values: D m_g + gamma P u_g = u_g for each goal, and D 1 = 0.
    """
    world, matrix = instance.world, instance.agent.test_matrix
    n, k, rows = world.n_states, len(matrix), world.row_index
    states = np.eye(n, dtype=int)[rows // world.n_actions]
    unit = np.eye(len(rows), dtype=int)
    later = world.discount * world.rows[rows] - states
    equations = [np.hstack([np.kron(unit, np.ones((1, n), int)), np.zeros((len(rows), k * n), int)])]
    for goal in range(k):
        place = np.eye(1, k, goal, dtype=int)
        equations.append(np.hstack([np.kron(unit, matrix[goal][None]), np.kron(place, later)]))
    system = np.concatenate(equations).astype(object)
    return int(system.shape[1] - exact.rank(system).rank)


def conclude(instance: Instance) -> Outcome:
    """The reshaped world has the same advantages; n (n - 1) parameters are free, counted in two ways."""
    world, n = instance.world, instance.world.n_states
    other = reshape_world(world, instance.extra["shift"])
    again = Instance(other, instance.goals, instance.policy)
    same = bool((advantages(instance.agent) == advantages(again.agent)).all())
    free = tangent_dimension(instance)
    text = f"n = {n}, the same advantages: {same}, {free} parameters free"
    return Outcome(same and free == n * (n - 1), text)


def small(*, ends: bool) -> SearchStrategy[Instance]:
    """Worlds with two or three states, two actions and goals that may end, or do not span, with a fixed X."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        n = draw(st.integers(2, 3))
        world = draw(exact_mdps(n_states=n, n_actions=2, discounts=st.just(Fraction(1, 2)), max_weight=2,
                                all_available=True))  # fmt: skip
        ever = st.sampled_from([Fraction(0), Fraction(1)]) if ends else st.just(Fraction(1))
        goals = draw(exact_goals(n, n_goals=n - 1, rewards=st.integers(0, 3).map(Fraction), continuations=ever))
        inner = bool((world.kernel > 0).all())
        shift = exact.fraction_array(np.eye(n, dtype=int) - np.roll(np.eye(n, dtype=int), 1, axis=1))
        return Instance(world, goals, None, extra={"shift": shift * Fraction(int(inner), 100)})

    return made()


HYPOTHESES = (
    Hypothesis(ENDLESS, lambda i: bool((i.goals.continuation == 1).all()), partial(small, ends=True)),
    Hypothesis(SPAN, spans, partial(small, ends=False)),
)


def check_questions(rng: np.random.Generator, amount: int, *, discounts: int = 2) -> Tally:
    """Positive worlds: n(n - 1) free at one discount, n - 1 at two, none with a known action; with verified pairs."""
    tally = Tally()
    for _ in range(amount):
        n = int(rng.integers(2, 4))
        weights = rng.integers(1, 7, (n, n, n))
        world = ExactMDP(instances.fractions_of(weights), instances.discount(rng))
        goals = instances.generic_goals(rng, n, n)
        differences = np.concatenate([world.kernel[:, a] - world.kernel[:, 0] for a in range(1, n)])
        if exact.rank(differences).rank < n - 1:
            continue
        known = np.zeros((n, n), bool)
        known[range(n), rng.integers(0, n, n)] = True
        several = (world.discount, *(Fraction(1, 3 + j) for j in range(1, discounts)))
        alone = AdvantageValues.of(world, goals)
        found = [
            identify_from_policies(alone),
            identify_from_policies(AdvantageValues.of(world, goals, discounts=several)),
            identify_from_policies(alone, known=known),
        ]
        found[int(rng.integers(3))].verify()
        seen = [(v.dimension, v.status) for v in found]
        no, yes = Status.NOT_IDENTIFIED, Status.IDENTIFIED
        wanted = [(n * (n - 1), no), (n - 1, no), (0, yes)]
        tally.add(seen == wanted, 0.0, f"n = {n}: {seen}, not {wanted}")
    return tally


def check_zeros(rng: np.random.Generator, amount: int, *, second: bool = True) -> Tally:
    """Worlds where every state has a row with a zero there: two discounts identify; with `second` false one does."""
    tally = Tally()
    for _ in range(amount):
        n = 3
        weights = rng.integers(1, 7, (n, n, n))
        weights[0][range(n), range(n)] = 0
        world = ExactMDP(instances.fractions_of(weights), Fraction(int(rng.integers(1, 10)), 10))
        differences = np.concatenate([world.kernel[:, a] - world.kernel[:, 0] for a in range(1, n)])
        if exact.rank(differences).rank < n - 1:
            continue
        chosen = (world.discount, Fraction(0))[: 1 + second]
        agent = AdvantageValues.of(world, instances.generic_goals(rng, n, n), discounts=chosen)
        verdict = identify_from_policies(agent)
        tally.add(verdict.status is Status.IDENTIFIED, 0.0, f"at {[str(x) for x in chosen]}: {verdict}")
    return tally


def check_values_alone(rng: np.random.Generator, amount: int, *, shown: bool = True) -> Tally:
    """Every m belongs to one reward, with V = max_a P m; a mixture of two rows changes no V (with `shown`, or any)."""
    tally = Tally()
    for _ in range(amount):
        n = int(rng.integers(2, 5))
        world = instances.world(rng, n, 2)
        m = instances.generic_rewards(rng, 2, n)
        values = (m @ world.rows.T).reshape(2, n, 2).max(axis=2)
        goals = ExactGoals(m - world.discount * values)
        agent = exact.solve(world, goals)
        other = world.kernel.mean(axis=1, keepdims=True) if shown else np.roll(world.kernel, 1, axis=2)[:, :1]
        larger = ExactMDP(np.concatenate([world.kernel, other], axis=1), world.discount)
        same = (exact.solve(larger, goals).v == agent.v).all()
        tally.add(bool((agent.test_matrix == m).all() and same), 0.0, f"n = {n}: V with one more action: {same}")
    return tally


def check_symbolic(_rng: np.random.Generator, largest: int, *, discounted: bool = True) -> Tally:
    """(P + X - gamma P X) (I - gamma X)^-1 = P + Y with Y = X (I - gamma X)^-1, all entries symbols, times a det."""
    tally = Tally()
    for n in range(2, largest + 1):
        made = symbol_arrays(P=(n, n), X=(n, n), discount=())
        factor = identity(n) - made["X"] * made["discount"]
        other = made["P"] + made["X"] - made["P"] @ made["X"] * (made["discount"] if discounted else 1)
        defect = (other - made["X"]) @ adjugate(factor) - made["P"] * determinant(factor)
        tally.add(vanishes(defect), 0.0, f"n = {n}: {defect[0, 0]}")
    return tally


def check_soft(rng: np.random.Generator, amount: int) -> Tally:
    """Soft agents in floats: the advantages in the reshaped world are the same to rounding."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 4)
        if instance.world.discount > Fraction(9, 10):
            continue
        worlds = (instance.world, reshape_world(instance.world, instance.extra["shift"]))
        goals = ExactGoals(instance.goals.rewards / 500).to_float()
        agents = [bellman.solve_soft(world.to_float(), goals, temperature=0.7, tolerance=1e-12) for world in worlds]
        first, second = (agent.q - agent.v[:, :, None] for agent in agents)
        error = float(np.abs(first - second).max() / np.abs(agents[0].q).max())
        tally.add(error < 1e-9, error, f"soft advantages differ by {error:.1e}, relatively")
    return tally


STATEMENT = Statement(
    id="PA",
    title="What policies and advantages show",
    latex=r"C = 1: \ Q'_a - V' = Q_a - V \ \text{ for all rewards } \iff P'_a = P_a + X - \gamma P_a X = "
    r"(P_a + Y)(I + \gamma Y)^{-1}, \quad X\mathbf 1 = 0",
    plain="Two worlds show the same advantages under goals that never end and span with the constants if and only if "
    "they differ by P' = P + X - gamma P X with one matrix X whose rows sum to zero; then they do so under every "
    "reward, with the same optimal and soft policies. So policies alone, of all rewards, never identify a world with "
    "positive entries: n(n - 1) parameters are free. One known action in every state identifies the rest; a second "
    "discount leaves P + 1 c^T alone, if differences of rows span, and nothing if every state has a row with a zero "
    "there. The values V alone, of optimal agents, show the hull of each state's rows.",
    source="this package; the dual of Cao, Cohen and Szpruch (2021) and of Ng, Harada and Russell (1999)",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "(a)-(c) worlds with up to 4 states: the same advantages, and the dimension by linearisation",
              exact_check(draw, HYPOTHESES, conclude, size=4), (20, 200, 2000)),
        Check("exact", "(c)-(e) positive worlds: n(n - 1), n - 1 and 0 free parameters, with verified pairs",
              check_questions, (6, 60, 600)),
        Check("exact", "(e) zeros in every column: two discounts, one of them 0, identify", check_zeros, (8, 80, 800)),
        Check("exact", "(f) every m is that of one reward, and V sees hulls alone", check_values_alone,
              (20, 200, 2000)),
        Check("symbolic", "the two forms of the family agree, all entries symbols, n = 2 and 3", check_symbolic,
              (3, 3, 3)),
        Check("numeric", "(a) soft agents with up to 4 states", check_soft, (5, 50, 500)),
    ),
    counterexamples=(
        Counterexample(ENDLESS, "goals that end in some states", stored("PA", ENDLESS)),
        Counterexample(SPAN, "goals that do not span with the constants", stored("PA", SPAN)),
    ),
    mutations=(
        Mutation("P' = P + X - P X, without the discount", partial(check_symbolic, discounted=False), 2),
        Mutation("one discount leaves n - 1 parameters", partial(check_questions, discounts=1), 6),
        Mutation("one discount identifies worlds with zeros in every column", partial(check_zeros, second=False), 20),
        Mutation("any further action changes no V", partial(check_values_alone, shown=False), 10),
    ),
    open_levels={
        "universal": "worlds fill a continuum at every size; the linear form of the family is the proof",
    },
    api=("tabular_inversion.identifiability.reshape_world",
         "tabular_inversion.identifiability.identify_from_policies"),
)  # fmt: skip
