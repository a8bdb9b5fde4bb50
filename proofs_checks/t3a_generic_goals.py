"""T3a: n generic goals identify any kernel, n - 1 any stochastic one; n - 2 leave every row with n successors open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.generic_minors import check_minor
from proofs_checks.instance import Instance
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Goals, Stochastic, bellman, environments, exact, identify, invert
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
For (a) and (b) the world, the continuation and $0 \le \gamma < 1$ are arbitrary, and the agent is one of L1(c):
optimal, of a given policy, or maximum-entropy. (c) and (d) hold for every $M$ whatsoever.

(a) The determinant of the first $n$ rows of a $k\times n$ matrix is a polynomial in its entries, and not the zero
polynomial, as the identity matrix shows. So it is nonzero for almost every matrix, and by L1(c) for $M$ for almost
every $R$. If $\operatorname{rank} M = n$, then $Mp = q$ has at most one solution. If $k < n$, then $Mv = 0$ for some
$v\neq0$, and $p + v$ has the values of $p$.

For given policies one can say which $R$ make the identity matrix: with $r_g = (I - \gamma D_g P_g)\,e_g$, L1(a) gives
$m_g = e_g$. So $\det M$, a polynomial in the entries of $R$ that is linear in each $r_g$, takes the value 1, in every
world. The common denominator of its coefficients, $\prod_g \det(I - \gamma D_g P_g)$, is positive: for $0 \le t \le 1$
the matrix $I - t\gamma D_g P_g$ is invertible, so that its determinant keeps the sign that it has at $t = 0$, where it
is 1.

(b) The determinant of the first $n-1$ rows of a $k\times n$ matrix with a row of ones below is a polynomial in its
entries. It is not the zero polynomial: with the rows $e_1, \dots, e_{n-1}$ it is 1. Conclude as in (a); two members of
`Stochastic` with the same values solve the same system $[M;\mathbf 1]\,p = [q;1]$, whose solution is unique.

(c) If the rank is $n$, conclude as in (b). If it is less, there is a $v \neq 0$ with $Mv = 0$ and $\mathbf 1\cdot v =
0$. Then $p = \mathbf 1/n$ and $p + \varepsilon v$ with small $\varepsilon > 0$ are both in the simplex and have the
same values.

(d) Let $n \ge k + 2$, and let $T$, with $|T| \ge k+1$, be the states where $p$ is positive. If the columns $T$ of
$[M;\mathbf 1]$ are dependent, as they are if $|T| \ge k + 2$, there is a $v \ne 0$, zero outside $T$, with $Mv = 0$ and
$\mathbf 1\cdot v = 0$. Otherwise there are $k + 1$ of them, and they are a basis; $n \ge k + 2$ leaves a state $j
\notin T$, whose column is a combination of them: there is a $v$ with $Mv = 0$, $\mathbf 1\cdot v = 0$, $v_j = 1$, and
$0$ in all other states outside $T$. In both cases $p + \varepsilon v$ with small $\varepsilon > 0$ is in the simplex
and has the values of $p$.

*Sharp.* Let $x_1 < \dots < x_n$ and let the columns of $M$ be $(x_i, x_i^2, \dots, x_i^k)$; the rewards that make them
so are $r_g = (I - \gamma D_g P_g) m_g$. The polynomial $f(x) = \prod_{i \le k} (x - x_i)$ is a combination of the rows
of $[M;\mathbf 1]$, vanishes at the first $k$ states and is positive at all others. If $p$ has these $k$ as its support
and $p'$ its values, then $\sum_i f(x_i) p'_i = \sum_i f(x_i) p_i = 0$, so that $p'$ has its support there, too; and
these columns of $[M;\mathbf 1]$ are independent (Vandermonde). So $p$ is identified, with $k$ positive entries, for
every $n$. It stays so for all rewards nearby: the $k$ columns span a facet of the hull. $\square$

*Remarks.* A row with zeros can be identified with fewer goals, if $p + \varepsilon v$ leaves the simplex for every such
$v$; that is why there are two scopes. If $n = k+1$ all rows are identified by (b) for almost every $R$, those with $k +
1$ positive entries among them: $n \ge k + 2$ is needed. Almost every $R$ is not enough for $k$ positive entries: which
$k$ columns span a facet depends on $R$, and a row on others is not identified.
"""

GENERIC = "generic rewards (tested by: no reward repeats)"
ENOUGH = "k >= n - 1 for stochastic kernels, k >= n for all"


def enough(instance: Instance) -> bool:
    """Tell whether there are as many goals as the class needs."""
    return instance.goals.n_goals >= instance.world.n_states - (instance.kernel_class == "stochastic")


def any_policy(rng: np.random.Generator, n_goals: int, n_states: int, n_actions: int) -> np.ndarray | None:
    """Draw no policy (an optimal agent), one for all goals, or one for each."""
    kind = rng.integers(3)
    return None if kind == 0 else instances.policy(rng, n_states, n_actions, n_goals=(None, n_goals)[kind - 1])


def any_continuation(rng: np.random.Generator, n_goals: int, n_states: int) -> np.ndarray:
    """Draw continuations 0, 1/2 and 1."""
    return exact.fraction_array(rng.integers(0, 3, (n_goals, n_states))) / 2


def draw(rng: np.random.Generator, size: int, *, missing: int = 0) -> Instance:
    """Draw a world with 2 to `size` states, just enough generic goals less `missing` ones, and any agent and class."""
    n, m = instances.sizes(rng, largest=size)
    kernel_class = ("stochastic", "unconstrained")[rng.integers(2)]
    k = max(n - (kernel_class == "stochastic") - missing, 1)
    goals = exact.ExactGoals(instances.generic_rewards(rng, k, n), any_continuation(rng, k, n))
    return Instance(instances.world(rng, n, m), goals, any_policy(rng, k, n, m), kernel_class)


def conclude(instance: Instance) -> Outcome:
    """Every kernel of the class is identified: one solution of M p = q, or of [M;1] p = [q;1]."""
    verdict = identify(instance.agent, instance.row_class, scope="uniform")
    sizes = f"{instance.world.n_states} states, {instance.goals.n_goals} goals"
    return Outcome(verdict.status is Status.IDENTIFIED, f"{sizes}: {verdict!r}")


def rewards_that_repeat() -> SearchStrategy[Instance]:
    """Worlds with two states and one goal."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    always = st.just(exact.as_fraction(1))
    worlds = exact_mdps(n_states=2, n_actions=1, discounts=st.just(exact.as_fraction("1/2")), all_available=True)
    goals = exact_goals(2, n_goals=1, continuations=always, rewards=st.integers(1, 3).map(exact.as_fraction))
    return st.builds(Instance, worlds, goals)


def two_goals_missing() -> SearchStrategy[Instance]:
    """Worlds with three states and one goal, whose rewards do not repeat."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    worlds = exact_mdps(n_states=3, n_actions=1, discounts=st.just(exact.as_fraction("1/2")), all_available=True)
    return st.builds(Instance, worlds, st.permutations([0, 1, 3]).map(lambda row: exact.ExactGoals(np.array([row]))))


HYPOTHESES = (
    Hypothesis(GENERIC, lambda i: instances.all_different(i.goals.rewards), rewards_that_repeat),
    Hypothesis(ENOUGH, enough, two_goals_missing),
)
# The kind of agent is a convention of L1(c), and so are the world, the discount and the continuation: any will do.


def check_symbolic(_rng: np.random.Generator, largest: int) -> Tally:
    """The determinants of M and of [M;1] for n = 2 up to `largest`, all entries symbols, a policy for each goal."""
    tally = Tally()
    for n in range(2, largest + 1):
        for ones in (False, True):
            holds, text = check_minor(n, list(range(n)), ones=ones)
            tally.add(holds, 0.0, f"n={n}, row of ones {ones}: {text}")
    return tally


def check_negative(rng: np.random.Generator, amount: int, *, excess: int = 1, spare: int = 1) -> Tally:
    """Rows with k + `excess` positive entries or more, n >= k + 1 + `spare`, any rewards: none is identified."""
    tally = Tally()
    for _ in range(amount):
        k = int(rng.integers(1, 4))
        n = k + 1 + spare + int(rng.integers(2))
        successors = min(k + excess + int(rng.integers(2)) * int(excess > 0), n)
        rewards = (instances.generic_rewards(rng, k, n), np.eye(n, dtype=int)[:k].astype(object),
                   exact.fraction_array(rng.integers(-2, 3, (k, n))))[rng.integers(3)]  # fmt: skip
        goals = exact.ExactGoals(rewards, any_continuation(rng, k, n))
        instance = Instance(instances.world(rng, n, 2, branching=successors), goals, any_policy(rng, k, n, 2))
        verdict = identify(instance.agent, Stochastic())
        holds = bool((verdict.row_status == Status.NOT_IDENTIFIED).all()) and verdict.witness is not None
        tally.add(holds, 0.0, f"n={n}, k={k}, {successors} successors: {verdict!r}")
    return tally


def check_attained(rng: np.random.Generator, amount: int, *, skip: int = 0) -> Tally:
    """Columns on the moment curve, n >= k + 2: rows on the first k states are identified, with any given policies.

    `skip` leaves out the first states, which is no facet any more: a wrong variant.
    """
    tally = Tally()
    for _ in range(amount):
        k = int(rng.integers(1, 5))
        n = k + 2 + int(rng.integers(3))
        places = np.sort(rng.choice(np.arange(-9, 10), n, replace=False))
        moments = exact.fraction_array(places[None].astype(object) ** np.arange(1, k + 1)[:, None])
        weights = np.zeros((n, 2, n), int)
        weights[:, :, skip : skip + k] = rng.integers(1, 7, (n, 2, k))
        world = exact.ExactMDP(instances.fractions_of(weights), instances.discount(rng))
        policy = instances.policy(rng, n, 2, n_goals=k)
        ways = any_continuation(rng, k, n)
        later = world.discount * ways * np.einsum("gsa,sat,gt->gs", policy, world.kernel, moments)
        instance = Instance(world, exact.ExactGoals(moments - later, ways), policy)
        verdict = identify(instance.agent, Stochastic())
        made = instance.agent.test_matrix.tolist() == moments.tolist()
        tally.add(made and verdict.status is Status.IDENTIFIED, 0.0, f"n={n}, k={k}, x={places}: {verdict!r}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random worlds with 40 states and n - 1 goals: the kernel comes back, and one goal fewer has a witness."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(40, 2, discount=0.9, seed=rng)
        agent = bellman.solve(mdp, Goals.generic(40, 39, seed=rng))
        result = invert(agent, Stochastic())
        fewer = identify(agent.select_goals(np.arange(38)), Stochastic(), scope="uniform")
        # Errors grow with the condition of M; 1e-13 is the accuracy of the values.
        error = result.max_error(mdp) / result.condition
        fine = result.verdict.status is Status.IDENTIFIED and error < 1e-13 and fewer.status is Status.NOT_IDENTIFIED
        tally.add(fine, error, f"{result}, {fewer}")
    return tally


STATEMENT = Statement(
    id="T3a",
    title="Stochastic world, generic goals",
    latex=r"\text{almost every } R: \quad k \ge n \Rightarrow \operatorname{rank} M = n, \quad "
    r"k \ge n-1 \Rightarrow \operatorname{rank}[M;\mathbf 1] = n; \qquad "
    r"\text{every } R,\ n \ge k + 2: \quad |\operatorname{supp} P(s,a)| \ge k+1 \Rightarrow |E(Q(s,a))| = \infty",
    plain="(a) As many generic goals as states determine any kernel; fewer never do. (b) One goal fewer determines any "
    "stochastic kernel. (c) Whatever the goals, all stochastic kernels are identified if and only if M with a row of "
    "ones has rank n. (d) With k goals, whatever they are, and at least k + 2 states no row with k + 1 or more "
    "positive probabilities is identified among stochastic kernels; rows with k are, for some rewards and all nearby.",
    source="Theorem 3 of arXiv 2606.21173, finite form; (c) and (d) are ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with up to 5 states, any agent: every kernel of the class is identified",
              exact_check(draw, HYPOTHESES, conclude, size=5), (40, 400, 4000)),
        Check("exact", "rows with k + 1 positive entries or more, n >= k + 2, any goals: two stochastic rows with the "
              "same values", check_negative, (20, 200, 2000)),
        Check("exact", "rows with k positive entries on a facet, k + 2 to k + 4 states, given policies: identified",
              check_attained, (20, 200, 2000)),
        Check("symbolic", "det M and det [M;1] as polynomials in R, all entries symbols, n = 2 and 3: not 0 anywhere",
              check_symbolic, (3, 3, 3)),
        Check("numeric", "random worlds with 40 states and 39 goals: P comes back", check_numeric, (5, 20, 100)),
    ),
    counterexamples=(
        Counterexample(GENERIC, "a constant reward: [M;1] has rank 1", stored("T3a", GENERIC)),
        Counterexample(GENERIC, "a goal no one can reach, as no state counts as its arrival: a zero row of M",
                       stored("T3a", "a zero row")),
        Counterexample(ENOUGH, "n - 2 goals: three states and one goal", stored("T3a", ENOUGH)),
    ),
    mutations=(
        Mutation("one goal fewer", exact_check(partial(draw, missing=1), (), conclude, size=5), 20),
        Mutation("k positive entries suffice to be lost", partial(check_negative, excess=0), 20),
        Mutation("n = k + 1 suffices for k + 1 positive entries to be lost", partial(check_negative, spare=0), 20),
        Mutation("any k positive entries are identified", partial(check_attained, skip=1), 20),
    ),
    open_levels={
        "universal": "the proof covers all sizes; the symbolic check covers all worlds at n = 2 and 3",
    },
    api=("tabular_inversion.identify", "tabular_inversion.exact.rank"),
)  # fmt: skip
