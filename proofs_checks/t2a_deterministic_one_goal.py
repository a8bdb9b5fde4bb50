"""T2a: in a deterministic world one generic goal suffices, because the columns of M are then distinct."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks import instances
from proofs_checks.generic_minors import general_agent
from proofs_checks.instance import Instance
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
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
from tabular_inversion import Deterministic, Goals, bellman, environments, exact, identify, invert
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
For $i \neq j$, the matrices in $\mathbb R^{k\times n}$ whose columns $i$ and $j$ are equal form a linear subspace; it
is proper, because $k \ge 1$ leaves room for a matrix with different columns, and so it is null. There are finitely
many pairs of columns, and a finite union of null sets is null: almost every matrix has different columns. By L1 (c)
so has $M$, for almost every $R$, for the value of a fixed policy, for the maximum and for the soft maximum alike.

A row of the class `Deterministic` is a unit vector $e_i$, with the values $q = M e_i$, column $i$ of $M$. Hence
$E(q) = \{e_j : M e_j = M e_i\}$, which is $\{e_i\}$ for every $i$ if and only if no other column is equal to column
$i$. Conversely, if two columns are equal, a row that leads to one of the two states is not identified.

*At each discount almost every reward.* Fix a policy, a continuation and $0 \le \gamma < 1$. By L1, with one goal $m = N
r$, where $N = (I - \gamma D P_\pi)^{-1}$; columns $i$ and $j$ of $M$ agree where $r$ is at a right angle to the
difference of rows $i$ and $j$ of $N$. That difference is not zero, because $N$ is invertible: the rewards excepted are
$n(n-1)/2$ hyperplanes, in every world, at every discount and continuation. They move with the discount, so for *given*
rewards some discounts may be exceptional, for one fixed policy too: $0 \to 2$, $1 \to 1$, $2 \to 2$ with
$r = (0, 1, 3)$ has $m = (3/2, 3/2, 9/2)$ at $\gamma = 1/3$.

An optimal agent's test functions are those of one of finitely many deterministic policies.
"""

WORLD = "the world is deterministic"
CLASS = "rows are judged among deterministic ones"
GENERIC = "generic rewards (tested by: no two states pay alike for every goal)"


def is_deterministic(world: exact.ExactMDP) -> bool:
    """Tell whether every available row leads to one state for sure."""
    return bool(((world.kernel == 0) | (world.kernel == 1)).all())


def distinct_columns(matrix: FractionArray) -> bool:
    """Tell whether no two columns are equal."""
    return len({tuple(column) for column in matrix.T}) == len(matrix.T)


def draw(rng: np.random.Generator, size: int, *, n_goals: int | None = None) -> Instance:
    """Draw a deterministic world with 2 to `size` states, one or two generic goals that may end, some agent."""
    n, m = instances.sizes(rng, largest=size)
    k = int(rng.integers(1, 3)) if n_goals is None else n_goals
    goals = exact.ExactGoals(instances.generic_rewards(rng, k, n), rng.integers(0, 2, (k, n)).astype(object))
    policy = (None, instances.policy(rng, n, m), instances.policy(rng, n, m, n_goals=k))[rng.integers(3)]
    return Instance(instances.world(rng, n, m, branching=1), goals, policy, "deterministic")


def conclude(instance: Instance) -> Outcome:
    """Decide whether the columns of M differ, and the package's exact verdict on each row is that it is identified."""
    distinct = distinct_columns(instance.agent.test_matrix)
    verdict = identify(instance.agent, instance.row_class)
    holds = distinct and verdict.status is Status.IDENTIFIED
    return Outcome(holds, f"columns of M distinct: {distinct}; {verdict}")


def one_goal(kernel_class: str, **limits: Any) -> Callable[[], SearchStrategy[Instance]]:
    """Return a strategy of optimal agents with one goal that never ends, in worlds within limits."""

    def strategy() -> SearchStrategy[Instance]:
        from hypothesis import strategies as st

        from tabular_inversion.strategies import exact_goals, exact_mdps

        @st.composite
        def made(draw: st.DrawFn) -> Instance:
            half, whole = st.just(Fraction(1, 2)), st.integers(0, 3).map(Fraction)
            world = draw(exact_mdps(n_states=st.integers(2, 3), discounts=half, all_available=True, **limits))
            ever = st.just(Fraction(1))
            goals = draw(exact_goals(world.n_states, n_goals=1, rewards=whole, continuations=ever))
            return Instance(world, goals, None, kernel_class)

        return made()

    return strategy


HYPOTHESES = (
    Hypothesis(
        WORLD,
        lambda i: is_deterministic(i.world),
        one_goal("deterministic", n_actions=1, max_successors=2, max_weight=1),
    ),
    Hypothesis(
        CLASS, lambda i: i.kernel_class == "deterministic", one_goal("stochastic", n_actions=1, max_successors=1)
    ),
    Hypothesis(
        GENERIC, lambda i: distinct_columns(i.goals.rewards), one_goal("deterministic", n_actions=1, max_successors=1)
    ),
)


def deterministic_worlds(n_states: int, n_actions: int, discount: Fraction) -> Iterator[exact.ExactMDP]:
    """Return all deterministic worlds of a size, one after another."""
    unit = identity(n_states)
    for successors in product(range(n_states), repeat=n_states * n_actions):
        yield exact.ExactMDP(unit[list(successors)].reshape(n_states, n_actions, n_states), discount)


def check_all_worlds(rng: np.random.Generator, amount: int, *, generic: bool = True) -> Tally:
    """All deterministic worlds with n <= amount, m <= 2, all ways to end, optimal agents: columns differ.

    The package's exact verdict at uniform scope says the same of each world's goal that never ends.

    One reward and one discount are drawn for each world; that no other discount is different, as far as almost every
    reward goes, is what the check with symbols says.
    """
    tally = Tally()
    for n, m in product(range(1, amount + 1), (1, 2)):
        ends = np.array(list(product((0, 1), repeat=n)), dtype=object)
        for world in deterministic_worlds(n, m, instances.discount(rng)):
            reward = instances.generic_rewards(rng, 1, n) if generic else exact.fraction_array(np.ones((1, n), int))
            rows = exact.solve(world, exact.ExactGoals(reward.repeat(len(ends), axis=0), ends)).test_matrix
            bad = sum(not distinct_columns(row[None]) for row in rows)
            agent = exact.solve(world, exact.ExactGoals(reward))
            judged = identify(agent, Deterministic(), scope="uniform").status is Status.IDENTIFIED
            text = f"n={n}, m={m}, successors {world.kernel.argmax(axis=2).tolist()}: {bad} pieces; verdict {judged}"
            tally.add(bad == 0 and judged, 0.0, text)
    return tally


def check_differences_symbolically(_rng: np.random.Generator, amount: int, *, shared: bool = False) -> Tally:
    """For n <= amount and every closed loop, with symbols for r, C and gamma: no difference of columns is zero.

    It is zero at no single C and discount either: at the reward (I - discount D P) e_i, times det(I - discount D P),
    column i is that determinant, which is positive, and all others are 0.
    """
    tally = Tally()
    for n in range(1, amount + 1):
        symbols = symbol_arrays(r=(n,), C=(n,), gamma=())
        rewards = symbols["r"][:1].repeat(n) if shared else symbols["r"]
        continuation = symbols["C"] ** 0 if shared else symbols["C"]
        for successors in product(range(n), repeat=n):
            loop = identity(n)[list(successors)]
            system = identity(n) - continuation[:, None] * loop * symbols["gamma"]
            scaled_m = adjugate(system) @ rewards
            zero = [(i, j) for i, j in combinations(range(n), 2) if scaled_m[i] == scaled_m[j]]
            special = vanishes(adjugate(system) @ system - identity(n) * determinant(system))
            tally.add(not zero and special, 0.0, f"n={n}, successors {successors}: equal columns {zero}")
    return tally


def check_general_differences(_rng: np.random.Generator, largest: int) -> Tally:
    """For n = 2 up to `largest`, P, C, r and gamma all symbols: differences of columns of M are no zero polynomials.

    Times the determinant, which is positive for every kernel, the reward (I - discount D P) e_i gives column i the
    determinant and all others 0: in every world and policy, at every continuation and every discount in [0, 1).
    """
    tally = Tally()
    for n in range(2, largest + 1):
        [rewards], [system] = general_agent(1, n)
        scaled_m = adjugate(system) @ rewards
        zero = [(i, j) for i, j in combinations(range(n), 2) if scaled_m[i] == scaled_m[j]]
        special = vanishes(adjugate(system) @ system - identity(n) * determinant(system))
        tally.add(not zero and special, 0.0, f"n={n}: equal columns {zero}")
    return tally


def exceptional(discount: Fraction = Fraction(1, 3)) -> Instance:
    """Return 0 -> 2, 1 -> 1, 2 -> 2 with rewards 0, 1, 3, which differ: columns 0 and 1 of M agree at 1/3 alone."""
    world = exact.ExactMDP(identity(3)[[2, 1, 2]][:, None], discount)
    policy = exact.fraction_array(np.ones((3, 1), int))
    return Instance(world, exact.ExactGoals(np.array([[0, 1, 3]])), policy, "deterministic")


def given_rewards_have_exceptional_discounts() -> bool:
    """Tell whether the columns agree at 1/3, as they do not at 1/2, though all hypotheses that are tested hold."""
    at = exceptional()
    equal = at.agent.test_matrix[0].tolist() == [Fraction(3, 2), Fraction(3, 2), Fraction(9, 2)]
    return equal and all(h.holds(at) for h in HYPOTHESES) and conclude(exceptional(Fraction(1, 2))).holds


def _different_rewards(rng: np.random.Generator, size: int) -> Instance:
    """Draw an instance, and replace its goals by one with small rewards that differ."""
    drawn = draw(rng, size, n_goals=1)
    n, m = drawn.world.available.shape
    goals = exact.ExactGoals(rng.permutation(n + 1)[None, :n])
    return Instance(drawn.world, goals, instances.policy(rng, n, m), "deterministic")


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random deterministic worlds with 200 states: `invert` finds every successor from one goal."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(200, 3, branching=1, discount=0.9, seed=rng)
        result = invert(bellman.solve(mdp, Goals.generic(200, 1, seed=rng)), Deterministic())
        error = result.max_error(mdp)
        # Columns closer than floats resolve leave rows undecided: few may be, and none may be found not identified.
        rows = result.verdict.row_status
        known = bool(np.isin(rows, [Status.IDENTIFIED, Status.UNDECIDED]).all())
        fine = error == 0.0 and known and float((rows == Status.UNDECIDED).mean()) <= 0.1
        tally.add(fine, error, repr(result))
    return tally


def _indicator(rng: np.random.Generator, size: int) -> Instance:
    """Draw an instance and replace its goals by one indicator goal."""
    drawn = draw(rng, size, n_goals=1)
    return Instance(drawn.world, exact.ExactGoals(identity(drawn.world.n_states)[:1]), None, "deterministic")


STATEMENT = Statement(
    id="T2a",
    title="Deterministic world, one generic goal",
    latex=r"\text{at each } \gamma, C: \ k \ge 1 \text{ and almost every } R: \quad M e_i \ne M e_j \ (i \ne j), "
    r"\text{ so } P \text{ is identified among deterministic kernels}",
    plain="At each discount and continuation, for almost every reward the columns of M differ, so that comparing "
    "columns finds each successor. Which rewards are excepted depends on the discount: given rewards may fail at some "
    "discounts, for one fixed policy too.",
    source="Theorem 2 of arXiv 2606.21173, finite form",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational deterministic worlds with up to 6 states: exact verdicts",
              exact_check(draw, HYPOTHESES, conclude, size=6), (40, 400, 4000)),
        Check("symbolic", "all closed loops with n <= 3, symbols for r, C, gamma: no difference of columns vanishes, "
              "at no C and no discount in [0, 1)",
              check_differences_symbolically, (3, 3, 4)),
        Check("universal", "n = 2 and 3, all kernels, policies, continuations and discounts at once, as polynomials: "
              "no difference of columns vanishes for all rewards", check_general_differences, (3, 3, 3)),
        Check("exact", "all deterministic worlds with m <= 2, n <= 2 (quick) or 3, all ends, optimal agents, a drawn "
              "discount each: columns differ, and the verdict",
              check_all_worlds, (2, 3, 3)),
        Check("numeric", "random deterministic worlds with 200 states: every successor is found", check_numeric,
              (5, 20, 100)),
    ),
    counterexamples=(
        Counterexample(WORLD, "one goal, stochastic world: no column explains the values", stored("T2a", WORLD)),
        Counterexample(CLASS, "one generic goal, deterministic world judged among stochastic kernels: a middle "
                       "column is a mixture of the others (T2c)", stored("T2a", CLASS)),
        Counterexample(GENERIC, "the least world found in which two states pay alike", stored("T2a", GENERIC)),
        Counterexample("the rewards are generic at the discount asked", "rewards 0, 1, 3 at discount 1/3, one policy: "
                       "columns (3/2, 3/2, 9/2)", show=given_rewards_have_exceptional_discounts),
        Counterexample(GENERIC, "constant reward (rank 1): all columns of M are equal",
                       stored("T2a", "constant reward")),
        Counterexample(GENERIC, "symmetric rewards on a symmetric graph: a cycle of four states, optimal agent",
                       stored("T2a", "symmetric cycle")),
        Counterexample(GENERIC, "one indicator goal, deterministic world: the middle of a path (T2d)",
                       stored("T2a", "indicator goal")),
    ),
    mutations=(
        Mutation("an indicator goal in place of a generic one", exact_check(_indicator, (), conclude, size=6), 30),
        Mutation("for one fixed policy no discount is exceptional, if the given rewards differ",
                 first_failure(exact_check(_different_rewards, HYPOTHESES, conclude, size=5)), 400),
        Mutation("a constant reward in all worlds", partial(check_all_worlds, generic=False), 2),
        Mutation("a constant reward, in symbols", partial(check_differences_symbolically, shared=True), 2),
    ),
    api=("tabular_inversion.Deterministic", "tabular_inversion.identify", "tabular_inversion.invert"),
)  # fmt: skip
