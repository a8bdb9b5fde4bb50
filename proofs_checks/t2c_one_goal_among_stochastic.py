"""T2c: among stochastic kernels one goal identifies a row iff it leads for sure to an extreme column of M."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polynomials import symbol_arrays
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from proofs_checks.t2a_deterministic_one_goal import distinct_columns
from tabular_inversion import Goals, Stochastic, bellman, environments, exact, identify
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
With one goal, $M$ is a row of $n$ different numbers; let $t_-$ and $t_+$ be the states where it is least and
greatest. Let $p$ be a row of the kernel and $q = Mp$ its value, a weighted mean of the entries of $M$.

If $p = e_{t_-}$, then $q$ is the least entry. A weighted mean is equal to the least entry only if all weight is on
entries of that size, and there is one: $p$ is the only distribution with this value. The same for $t_+$.

Otherwise $M_{t_-} < q < M_{t_+}$. Put $w = (q - M_{t_-})/(M_{t_+} - M_{t_-})$. The distribution
$(1-w)\, e_{t_-} + w\, e_{t_+}$ has the value $q$; if it is not $p$, then $p$ is not identified. If it is $p$, take a
third state $t$, which exists as $n \ge 3$. With $v = e_t - (1-u)\, e_{t_-} - u\, e_{t_+}$ and
$u = (M_t - M_{t_-})/(M_{t_+}-M_{t_-})$ we have $Mv = 0$, $\mathbf 1\cdot v = 0$, and $v_t = 1 > 0$ where $p_t = 0$,
while $p$ is positive at $t_-$ and $t_+$. So $p + \varepsilon v$ is another distribution of the same value for small
$\varepsilon > 0$.

So one goal never suffices uniformly when $n \ge 3$; of $n$ deterministic rows with different successors it identifies
two. With $n = 2$ the matrix $[M;\mathbf 1]$ is invertible, and every row is identified. For $k$ goals the extreme
columns are the vertices of the convex hull of the columns (S1).
"""

THREE = "three states or more"
ONE = "one goal"
DISTINCT = "the columns of M differ (so for almost every reward)"


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 3 to `size` states, deterministic or with up to two successors, and one generic goal."""
    n, m = int(rng.integers(3, size + 1)), int(rng.integers(1, 4))
    world = instances.world(rng, n, m, branching=int(rng.integers(1, 3)))
    return Instance(world, instances.generic_goals(rng, 1, n), (None, instances.policy(rng, n, m))[rng.integers(2)])


def conclude(instance: Instance, *, extremes: bool = True) -> Outcome:
    """Decide row by row: the package's exact verdict is IDENTIFIED iff the row leads for sure to an extreme of M.

    With `extremes` false the claim is that every deterministic row is identified.
    """
    m = instance.agent.test_matrix[0]
    rows = instance.world.kernel.reshape(-1, len(m))
    sure = (rows == 1).any(axis=1)
    column = rows.argmax(axis=1)
    extreme = (m[column] == m.min()) | (m[column] == m.max()) | (not extremes)
    claimed = (sure & extreme).reshape(instance.world.available.shape)
    verdict = identify(instance.agent, Stochastic())
    found = verdict.row_status == Status.IDENTIFIED
    wrong = np.argwhere((found != claimed) & instance.world.available)
    return Outcome(len(wrong) == 0, f"M = {[str(x) for x in m]}, {verdict}; rows that are otherwise {wrong.tolist()}")


def optimal_agents(n_states: int, n_goals: int) -> Callable[[], SearchStrategy[Instance]]:
    """Return a strategy of optimal agents with goals that end everywhere, so that M is R."""

    def strategy() -> SearchStrategy[Instance]:
        from hypothesis import strategies as st

        from tabular_inversion.strategies import exact_goals, exact_mdps

        @st.composite
        def made(draw: st.DrawFn) -> Instance:
            half, whole, never = st.just(Fraction(1, 2)), st.integers(0, 2).map(Fraction), st.just(Fraction(0))
            world = draw(exact_mdps(n_states=n_states, n_actions=1, discounts=half, max_successors=2, max_weight=1))
            goals = exact_goals(n_states, n_goals=n_goals, rewards=whole, continuations=never)
            return Instance(world, draw(goals.filter(lambda g: len(set(g.rewards[0])) > 1)))

        return made()

    return strategy


HYPOTHESES = (
    Hypothesis(THREE, lambda i: i.world.n_states >= 3, optimal_agents(2, 1)),
    Hypothesis(ONE, lambda i: i.goals.n_goals == 1, optimal_agents(3, 2)),
    Hypothesis(DISTINCT, lambda i: distinct_columns(i.agent.test_matrix), optimal_agents(3, 1)),
)


def check_all_orders(_rng: np.random.Generator, amount: int, *, extremes: bool = True) -> Tally:
    """All orders of the entries of M for 3 <= n <= amount, all deterministic rows at once: two are identified.

    Which deterministic rows are identified depends on the order alone: M = 1, 2, 4, 8, ... stand for all numbers.
    """
    tally = Tally()
    for n in range(3, amount + 1):
        kernel = np.broadcast_to(np.eye(n, dtype=int), (n, n, n)).astype(object)  # action a leads to state a
        world = exact.ExactMDP(kernel, Fraction(1, 2))
        for order in permutations(2**i for i in range(n)):
            goals = exact.ExactGoals(exact.fraction_array([order]), exact.fraction_array([[0] * n]))
            outcome = conclude(Instance(world, goals), extremes=extremes)
            tally.add(outcome.holds, 0.0, outcome.text)
    return tally


def check_directions_symbolically(_rng: np.random.Generator, amount: int, *, position: int = 1) -> Tally:
    """For 3 <= n <= amount and M ascending by positive gaps: columns between the ends are mixtures of the ends.

    The entries of M are m and m plus sums of gaps, all symbols. The direction w e_first + w' e_last - (w + w') e_i
    leaves M p and the sum of p unchanged; w and w' are sums of gaps with positive coefficients, so that it leads from
    e_i into the simplex, whatever the numbers.
    """
    tally = Tally()
    for n in range(3, amount + 1):
        symbols = symbol_arrays(m=(), gap=(n - 1,))
        m = np.array([symbols["m"] + symbols["gap"][:i].sum() for i in range(n)], dtype=object)
        for i in range(position, n - 1):
            first, last = m[-1] - m[i], m[i] - m[0]
            change = m[0] * first + m[-1] * last - m[i] * (first + last)
            inward = all(weight != 0 and all(c > 0 for c in weight.coeffs()) for weight in (first, last))
            tally.add(change == 0 and inward, 0.0, f"n={n}, column {i}: weights {first} and {last}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random deterministic worlds with 60 states: identified are the rows that lead to the least or the greatest M."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(60, 3, branching=1, discount=0.9, seed=rng)
        agent = bellman.solve(mdp, Goals.generic(60, 1, seed=rng))
        verdict = identify(agent, Stochastic())
        m, successors = agent.test_matrix[0], mdp.toarray().argmax(axis=2)
        claimed = (successors == m.argmin()) | (successors == m.argmax())
        status, ordered = verdict.row_status, np.sort(m)
        # Where the next column is all but the same, floats may leave a row open; they never say the contrary.
        close = min(ordered[1] - ordered[0], ordered[-1] - ordered[-2]) < 0.01 * (ordered[-1] - ordered[0])
        otherwise = np.where(claimed, status == Status.NOT_IDENTIFIED, status == Status.IDENTIFIED)
        wrong = int((otherwise | (claimed & (status != Status.IDENTIFIED) & (not close))).sum())
        tally.add(wrong == 0, wrong, f"{wrong} rows otherwise; {verdict}")
    return tally


STATEMENT = Statement(
    id="T2c",
    title="One goal among stochastic kernels",
    latex=r"k = 1,\ n \ge 3,\ M_i \ne M_j: \quad |E(Mp)| = 1 \iff p = e_t \text{ with } M_t \in \{\min M, \max M\}",
    plain="One goal, judged among stochastic kernels, identifies exactly the rows that lead for sure to the state with "
    "the least or the greatest entry of M; every other row of every world, deterministic or not, is left open.",
    source="ours, after Theorem 2 of arXiv 2606.21173",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with 3 to 6 states, deterministic and stochastic rows: exact verdicts",
              exact_check(draw, HYPOTHESES, conclude, size=6), (25, 250, 2500)),
        Check("symbolic", "n <= 5 (quick) or more: every column between the ends is a mixture of the ends",
              check_directions_symbolically, (5, 8, 12)),
        Check("universal", "all orders of the entries of M for n <= 4 (quick) or 5, all deterministic rows",
              check_all_orders, (4, 5, 5)),
        Check("numeric", "random deterministic worlds with 60 states", check_numeric, (5, 20, 100)),
    ),
    counterexamples=(
        Counterexample(THREE, "two states: [M;1] is invertible, every row is identified", stored("T2c", THREE)),
        Counterexample(ONE, "two goals, three states: the columns are corners of a triangle", stored("T2c", ONE)),
        Counterexample(DISTINCT, "two states with the least entry: neither is identified", stored("T2c", DISTINCT)),
    ),
    mutations=(
        Mutation("every deterministic row is identified, in a world judged among stochastic kernels",
                 exact_check(draw, HYPOTHESES, partial(conclude, extremes=False), size=5), 10),
        Mutation("every deterministic row is identified, for all orders", partial(check_all_orders, extremes=False), 3),
        Mutation("the least column is a mixture too", partial(check_directions_symbolically, position=0), 3),
    ),
    api=("tabular_inversion.Stochastic", "tabular_inversion.identify"),
)  # fmt: skip
