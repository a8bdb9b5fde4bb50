"""T5a: rows with N known possible successors are identified by N - 1 generic goals, and never by N - 2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain, combinations, permutations, product
from typing import TYPE_CHECKING

import numpy as np
from flint import nmod_mat
from scipy.sparse import csr_array

from proofs_checks import instances
from proofs_checks.generic_minors import check_minor
from proofs_checks.instance import Instance
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Goals, Supported, bellman, environments, exact, identify, invert
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Each available row $(s,a)$ has a known set $T = T_{sa}$ of at most $N \ge 1$ possible successors. $M_T$ are the columns
$T$ of $M$. The world, the continuation and $0 \le \gamma < 1$ are arbitrary, and the agent is one of L1(c). A member of
the class has no mass outside $T$; on $T$ it is a vector $p_T \ge 0$ with $\mathbf 1\cdot p_T = 1$ and $M_T\, p_T = q$.

(b) If $\operatorname{rank}\,[M_T;\mathbf 1] = |T|$, the system $[M_T;\mathbf 1]\,p_T = [q;1]$ has at most one solution.
If it is less, there is a $v\neq0$ on $T$ with $M_T v = 0$ and $\mathbf 1\cdot v = 0$; then the uniform distribution on
$T$ and the same plus $\varepsilon v$, with small $\varepsilon > 0$, have the same values.

(a) For one row, the determinant of the first $|T|-1$ rows of $M_T$ with a row of ones below is a polynomial in the
entries of $M$. There are enough rows, because $k \ge N-1 \ge |T|-1$. The polynomial is not zero: if the rows of $M$ are
the unit vectors of all states of $T$ but the last, it is 1. So it vanishes on a null set only. There are finitely many
rows, and a union of finitely many null sets is null: by L1(c), for almost every $R$ none of these determinants
vanishes. Conclude by (b). With $|T| = 1$ there is nothing to show.

(c) Let $T$ now be the states where $p$ is positive and $|T| \ge k + 2$. $[M_T;\mathbf 1]$ has $k + 1 < |T|$ rows, hence
a $v$ as in (b), and $p_T + \varepsilon v$ is positive for small $\varepsilon > 0$. $\square$

*Remarks.* No number in (a) depends on $n$. Nothing is said of how the sets $T_{sa}$ overlap: the null set depends on
them, its being null does not. In fact almost every $R$ serves all sets of at most $N$ states at once, since these are
finitely many too.
"""

KNOWN = "the support is known"
GENERIC = "generic rewards (tested by: no reward repeats)"
ENOUGH = "k >= N - 1"


def largest_support(instance: Instance) -> int:
    """N, the largest number of successors of a row."""
    return int((instance.world.rows > 0).sum(axis=1).max())


def draw(rng: np.random.Generator, size: int, *, missing: int = 1) -> Instance:
    """Draw a world with N = 2 to `size` successors, up to two states more, N - `missing` goals, and any agent."""
    branching = int(rng.integers(2, size + 1))
    n, m = branching + int(rng.integers(3)), int(rng.integers(1, 4))
    k = max(branching - missing, 1)
    continuation = exact.fraction_array(rng.integers(0, 3, (k, n))) / 2
    policy = (None, instances.policy(rng, n, m), instances.policy(rng, n, m, n_goals=k))[rng.integers(3)]
    goals = exact.ExactGoals(instances.generic_rewards(rng, k, n), continuation)
    return Instance(instances.world(rng, n, m, branching=branching), goals, policy, "supported")


def conclude(instance: Instance) -> Outcome:
    """Every kernel of the class is identified."""
    verdict = identify(instance.agent, instance.row_class, scope="uniform")
    sizes = f"N={largest_support(instance)}, {instance.goals.n_goals} goals"
    return Outcome(verdict.status is Status.IDENTIFIED, f"{sizes}: {verdict!r}")


def small_worlds(*, n_states: int, successors: int, repeats: bool, kernel_class: str) -> SearchStrategy[Instance]:
    """Worlds with one action and one goal, whose rewards repeat or not."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    zero, half, one = map(exact.as_fraction, ("0", "1/2", "1"))
    worlds = exact_mdps(
        n_states=n_states,
        n_actions=1,
        discounts=st.just(half),
        max_weight=1,
        max_successors=successors,
        all_available=True,
    )
    goals = st.permutations([0, 1, 3, 7][:n_states]).map(lambda row: exact.ExactGoals(np.array([row])))
    if repeats:
        goals = exact_goals(n_states, n_goals=1, rewards=st.sampled_from([one, zero]), continuations=st.just(one))
    return st.builds(Instance, worlds, goals, st.none(), st.just(kernel_class))


HYPOTHESES = (
    Hypothesis(KNOWN, lambda i: i.kernel_class == "supported",
               partial(small_worlds, n_states=3, successors=2, repeats=False, kernel_class="stochastic")),
    Hypothesis(GENERIC, lambda i: instances.all_different(i.goals.rewards),
               partial(small_worlds, n_states=3, successors=2, repeats=True, kernel_class="supported")),
    Hypothesis(ENOUGH, lambda i: i.goals.n_goals >= largest_support(i) - 1,
               partial(small_worlds, n_states=3, successors=3, repeats=False, kernel_class="supported")),
)  # fmt: skip
# The kind of agent is a convention of L1(c), and so are the discount and the continuation: any will do.


def check_negative(rng: np.random.Generator, amount: int, *, excess: int = 2) -> Tally:
    """With k = |T| - `excess` goals and any rewards, indicators too: at instance scope no row is identified."""
    tally = Tally()
    for _ in range(amount):
        k = int(rng.integers(1, 4))
        n = k + excess + int(rng.integers(3))
        rewards = instances.generic_rewards(rng, k, n) if rng.integers(2) else np.eye(n, dtype=int)[:k].astype(object)
        instance = Instance(
            instances.world(rng, n, 2, branching=k + excess), exact.ExactGoals(rewards), None, "supported"
        )
        verdict = identify(instance.agent, instance.row_class)
        holds = bool((verdict.row_status == Status.NOT_IDENTIFIED).all()) and verdict.witness is not None
        tally.add(holds, 0.0, f"n={n}, k={k}: {verdict!r}")
    return tally


def check_symbolic(_rng: np.random.Generator, largest: int) -> Tally:
    """The determinants of [M_T;1] for all T of up to 3 states, n = 2 up to `largest`, all entries symbols."""
    tally = Tally()
    for n in range(2, largest + 1):
        for support in subsets(n, range(2, min(n, 3) + 1)):
            holds, text = check_minor(n, list(support), ones=True)
            tally.add(holds, 0.0, f"n={n}, T={support}: {text}")
    return tally


def subsets(n_states: int, sizes: range) -> Iterator[tuple[int, ...]]:
    """All sets of states with one of the sizes."""
    return chain.from_iterable(combinations(range(n_states), size) for size in sizes)


def support_graphs(n_states: int) -> Iterator[np.ndarray]:
    """Adjacency matrices of all directed graphs in which every state has a successor, up to the names of the states."""
    supports = subsets(n_states, range(1, n_states + 1))
    rows = [np.isin(np.arange(n_states), chosen) for chosen in supports]
    powers = 2 ** np.arange(n_states**2)
    orders = np.array(list(permutations(range(n_states))))
    for chosen in product(rows, repeat=n_states):
        graph = np.array(chosen)
        codes = graph[orders[:, :, None], orders[:, None, :]].reshape(len(orders), -1) @ powers
        if codes[0] == codes.min():
            yield graph


def check_universal(rng: np.random.Generator, largest: int, *, missing: int = 1) -> Tally:
    """All supports of worlds with up to `largest` states: on every set of N states, [M;1] has rank N with N - 1 goals.

    Weights, discount and rewards are drawn at random and the ranks are taken modulo a prime of 61 bits. Full rank at
    one draw proves it for almost every draw; that it holds in every world is what the check with symbols adds.
    """
    tally = Tally()
    for n in range(2, largest + 1):
        for graph in support_graphs(n):
            weights = rng.integers(1, 10**6, (n, 1, n)) * graph[:, None, :]
            world = exact.ExactMDP(instances.fractions_of(weights), instances.discount(rng))
            goals = instances.generic_goals(rng, n - 1, n)
            matrix = exact.modular_test_matrix(world, goals, [[1]] * n)
            wrong = [found for found in ranks_on_supports(matrix, n, missing) if not found[2]]
            tally.add(not wrong, 0.0, f"{graph.astype(int).tolist()}: {wrong[:1]}")
    return tally


def ranks_on_supports(matrix: nmod_mat, n_states: int, missing: int) -> Iterator[tuple[tuple[int, ...], int, bool]]:
    """For each set T of N states: T, the rank of N - `missing` rows of M and the ones on T, and whether that is right.

    With N - 2 goals the rank has to be below N too.
    """
    table, prime = matrix.tolist(), matrix.modulus()
    for support in subsets(n_states, range(2, n_states + 1)):
        rows = [[row[state] for state in support] for row in table]
        ranks = [
            nmod_mat([*rows[: max(len(support) - fewer, 0)], [1] * len(support)], prime).rank()
            for fewer in (missing, 2)
        ]
        yield support, ranks[0], ranks[0] == len(support) and ranks[1] < len(support)


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Sparse worlds with 300 states and N = 4: three generic goals give back all rows."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(300, 2, branching=4, discount=0.9, seed=rng)
        agent = bellman.solve(mdp, Goals.generic(300, 3, seed=rng))
        result = invert(agent, Supported.of(mdp))
        error = result.max_error(mdp) / result.condition
        fine = error < 1e-12 and result.verdict.status in {Status.IDENTIFIED, Status.UNDECIDED}
        tally.add(fine, error, repr(result))
    return tally


def wrong_support() -> bool:
    """A support that misses a successor: no row on it explains the values, in exact arithmetic."""
    rng = np.random.default_rng(0)
    world = instances.world(rng, 5, 1, branching=3)
    agent = exact.solve(world, instances.generic_goals(rng, 3, 5))
    rows = (world.rows > 0).astype(bool)
    rows[0, np.flatnonzero(rows[0])[0]] = False
    return identify(agent, Supported(csr_array(rows))).row(0, 0) is Status.INCONSISTENT


STATEMENT = Statement(
    id="T5a",
    title="Local worlds with known support",
    latex=r"|T_{sa}| \le N \text{ known}, \ k \ge N-1, \text{ almost every } R: \ "
    r"\operatorname{rank}[M_T;\mathbf 1] = |T|; "
    r"\qquad \text{every } R: \ |\operatorname{supp} P(s,a)| \ge k + 2 \Rightarrow |E(Q(s,a))| = \infty",
    plain="If each row is known to reach at most N given states, N - 1 generic goals determine it, however large the "
    "world. All rows on a set of states are determined if and only if the columns of M there, with a row of ones, are "
    "independent. N - 2 goals, whatever they are, determine no row with N positive probabilities.",
    source="Theorem 5 of arXiv 2606.21173, finite form",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with N = 2 to 4, any agent: every kernel on the support is identified",
              exact_check(draw, HYPOTHESES, conclude, size=4), (40, 400, 4000)),
        Check("exact", "k = |T| - 2, any goals: no row is identified", check_negative, (20, 200, 2000)),
        Check("symbolic", "det [M_T;1] as a polynomial in R, all entries symbols, |T| = 2 and 3: not zero anywhere",
              check_symbolic, (3, 4, 4)),
        Check("universal", "all supports with n <= 3 (quick) or 4, up to the names of the states, one generic draw "
              "each: [M_T;1] has rank |T| for all T with |T| - 1 goals, and less with |T| - 2",
              check_universal, (3, 4, 4)),
        Check("numeric", "sparse worlds with 300 states and N = 4: P comes back", check_numeric, (3, 20, 100)),
    ),
    counterexamples=(
        Counterexample(ENOUGH, "N - 2 goals: N = 3 known successors and one goal", stored("T5a", ENOUGH)),
        Counterexample(KNOWN, "N = 2, one goal, support unknown: two rows with the same values", stored("T5a", KNOWN)),
        Counterexample(KNOWN, "a wrong support, which misses a successor: no row fits the values", show=wrong_support),
        Counterexample(GENERIC, "a reward that does not tell the successors apart", stored("T5a", GENERIC)),
        Counterexample(GENERIC, "a goal no one can reach: on every support its row of M is zero",
                       stored("T5a", "a goal no one can reach")),
    ),
    mutations=(
        Mutation("N - 2 goals in place of N - 1", exact_check(partial(draw, missing=2), (), conclude, size=4), 20),
        Mutation("N - 1 goals, too, determine no row", partial(check_negative, excess=1), 5),
        Mutation("N - 2 goals in place of N - 1, on all supports", partial(check_universal, missing=2), 2),
    ),
    api=("tabular_inversion.identify", "tabular_inversion.Supported", "tabular_inversion.exact.modular_test_matrix"),
)  # fmt: skip
