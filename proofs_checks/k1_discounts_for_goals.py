"""K1: several discounts, or horizons, of one reward do what several goals do, up to the reward's Krylov space."""

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
from tabular_inversion import exact
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $P$ be the kernel under the policy, $C = 1$, $K = \operatorname{span}\{P^t r : t \ge 0\}$ and $d = \dim K$. By L1
the agent with discount $\gamma$ shows $m_\gamma = (I - \gamma P)^{-1} r$. On $K$ the vector $r$ is cyclic: a
polynomial $p$ of degree below $d$ with $p(P)\, r = 0$ is zero.

*M.* All $m_\gamma$ lie in $K$, so the rank is at most $d$. Let $J \le d$ different discounts satisfy
$\sum_i c_i m_{\gamma_i} = 0$. Multiply by $\prod_j (I - \gamma_j P)$: then $p(P)\, r = 0$ with
$p(x) = \sum_i c_i \prod_{j \ne i} (1 - \gamma_j x)$ of degree at most $J - 1 < d$, so $p = 0$. At $x = 1/\gamma_i$
all terms but one vanish, so $c_i = 0$ for each $\gamma_i \neq 0$, and then for $\gamma_i = 0$ too. So the first $d$
discounts are independent: $\operatorname{rank} M = \min(J, d)$.

*[M;1].* If $\mathbf 1 \notin K$, the row of ones adds one. Let $\mathbf 1 \in K$, and $\mu$ the minimal polynomial of
$P$ on $K$, of degree $d$. As $P \mathbf 1 = \mathbf 1$, $\mu(x) = (x - 1)\,\nu(x)$, and eigenvectors of 1 in the
cyclic space $K$ are the multiples of $\nu(P)\, r$; so $\mathbf 1 = \nu(P)\, r$ up to a factor. Let $J \le d - 1$ and
$\sum_i c_i m_{\gamma_i} + c\, \mathbf 1 = 0$. Multiply as before, where $\mathbf 1$ is multiplied by
$\prod_j (1 - \gamma_j) \ne 0$: $p + c' \nu = 0$ with $\deg p \le J - 1 < d - 1 = \deg \nu$, so $c' = 0$ and $p = 0$.
So the rank is $\min(J + 1, d)$.

*Horizons.* With $h$ steps to go $m^{(h)} = \sum_{t < h} (\gamma P)^t r$. For $0 < \gamma \le 1$, horizons
$1, \dots, J$ span what $r, \dots, P^{J-1} r$ span, polynomials of degree below $J$ in $P$ times $r$; the same
argument.

*Several rewards.* The polynomials $\prod_{j \ne i}(1 - \gamma_j x)$, $i \le J$, are a basis of those of degree below
$J$ (as just seen), so that $J$ discounts of $k$ rewards show $\prod_j (I - \gamma_j P)^{-1}$ times the span of all
$P^t r_g$, $t < J$: whichever the discounts are, $\operatorname{rank} M$ is that of the blocks
$R, R P^\top, \dots, R (P^\top)^{J-1}$; and as the factor multiplies $\mathbf 1$ by a number that is not zero,
$\operatorname{rank}[M;\mathbf 1]$ is that of these blocks and $\mathbf 1$. This is what `discounts_needed` counts.

*What suffices.* So $n$ discounts identify without constraints if and only if $d = n$; $n - 1$ discounts (or more)
identify all stochastic kernels if and only if $K + \operatorname{span} \mathbf 1 = \mathbb R^n$. With $k$ rewards and
$n$ discounts each, what is seen spans $\sum_g K_g$, everything if and only if $(P, R^\top)$ is controllable, that is
(Popov, Belevitch, Hautus) if $\operatorname{rank}[\lambda I - P, R^\top] = n$ for all complex $\lambda$: otherwise
there is a left eigenvector orthogonal to all rewards, and conversely the vectors orthogonal to all $P^t R^\top$ form
a space that $P^\top$ maps into itself, and so hold an eigenvector. For stochastic kernels add the column $\mathbf 1$;
since $(\lambda I - P)\mathbf 1 = (\lambda - 1)\mathbf 1$ it changes the rank at $\lambda = 1$ alone.
"""

POLICY = "one unconditional policy"
ENDLESS = "the goal never ends: C = 1"
DIFFERENT = "the discounts differ"


def chain(instance: Instance) -> FractionArray:
    """Return P under the policy; under the uniform one where agents are optimal."""
    mdp, chosen = instance.world, instance.policy
    if chosen is None or chosen.ndim == 3:
        counts = mdp.available.sum(axis=1, keepdims=True).astype(object)
        chosen = np.vectorize(Fraction, otypes=[object])(mdp.available.astype(int), counts)
    return np.asarray((chosen[:, :, None] * mdp.kernel).sum(axis=1))


def krylov(matrix: FractionArray, vectors: FractionArray) -> FractionArray:
    """Return the rows ``vectors, P vectors, ...`` that span all P^t r, shape (n * vectors, n)."""
    rows = [vectors]
    for _ in range(len(matrix) - 1):
        rows.append(rows[-1] @ matrix.T)
    return np.concatenate(rows)


def with_ones(rows: FractionArray) -> FractionArray:
    """Return a matrix with a row of ones below it."""
    return np.concatenate([rows, np.full((1, rows.shape[1]), Fraction(1), dtype=object)])


def ranks(rows: FractionArray) -> tuple[int, int]:
    """Return the ranks of a matrix without and with a row of ones."""
    return exact.rank(rows).rank, exact.rank(with_ones(rows)).rank


def seen(instance: Instance) -> FractionArray:
    """Return M of all discounts, one row for each and goal."""
    world, rows = instance.world, []
    for discount in instance.extra["discounts"]:
        there = ExactMDP(world.kernel, discount, world.available)
        rows.append(Instance(there, instance.goals, instance.policy).agent.test_matrix)
    return np.concatenate(rows)


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world, often one that moves by cycles or not at all, a reward, a policy, and different discounts."""
    n, m = instances.sizes(rng, largest=size)
    world = instances.world(rng, n, m, branching=(None, 1, 2)[rng.integers(3)] if n > 1 else None)
    rewards = exact.fraction_array(rng.integers(-2, 3, (1, n)))
    if rng.integers(4) == 0:
        world = ExactMDP(np.eye(n, dtype=int)[rng.permutation(n)][:, None].astype(object), world.discount)
        m = 1
    chosen = rng.choice(len(instances.DISCOUNTS), int(rng.integers(1, n + 2)), replace=False)
    extra = {"discounts": np.array([instances.DISCOUNTS[i] for i in chosen], dtype=object)}
    return Instance(world, ExactGoals(rewards), instances.policy(rng, n, m), extra=extra)


def claimed(count: int, rows: FractionArray, *, ones: bool = True) -> tuple[int, int]:
    """Return the ranks of M and [M;1] that are claimed for so many discounts; without `ones`, 1 always adds one."""
    d, d_ones = ranks(rows)
    return min(count, d), min(count, d) + 1 if d_ones > d or not ones else min(count + 1, d)


def conclude(instance: Instance, *, ones: bool = True) -> Outcome:
    """Compare the ranks of M and [M;1] with those claimed."""
    found = ranks(seen(instance))
    wanted = claimed(len(instance.extra["discounts"]), krylov(chain(instance), instance.goals.rewards), ones=ones)
    return Outcome(found == wanted, f"{len(instance.extra['discounts'])} discounts: ranks {found}, claimed {wanted}")


def small(*, optimal: bool = False, ends: bool = False, repeated: bool = False) -> SearchStrategy[Instance]:
    """Worlds with two or three states and one goal at two discounts, which lack what is said."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        n = draw(st.integers(2, 3))
        half = st.just(Fraction(1, 2))
        world = draw(
            exact_mdps(n_states=n, n_actions=1 + optimal, discounts=half, max_successors=1, all_available=True)
        )
        ever = st.sampled_from([Fraction(0), Fraction(1)]) if ends else st.just(Fraction(1))
        goals = draw(exact_goals(n, n_goals=1, rewards=st.integers(0, 2).map(Fraction), continuations=ever))
        chosen = None if optimal else draw(exact_policies(world.available))
        pair = ["1/2", "1/2"] if repeated else ["0", "1/2"]
        return Instance(world, goals, chosen, extra={"discounts": exact.fraction_array(pair)})

    return made()


def different(instance: Instance) -> bool:
    """Tell whether no discount occurs twice."""
    return instances.all_different(instance.extra["discounts"])


HYPOTHESES = (
    Hypothesis(POLICY, lambda i: i.policy is not None and i.policy.ndim == 2, partial(small, optimal=True)),
    Hypothesis(ENDLESS, lambda i: bool((i.goals.continuation == 1).all()), partial(small, ends=True)),
    Hypothesis(DIFFERENT, different, partial(small, repeated=True)),
)


def check_horizons(rng: np.random.Generator, amount: int, *, discount: int | None = None) -> Tally:
    """Horizons 1 .. J in place of discounts, 0 < gamma <= 1: the same ranks. With `discount`, at that one."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 5)
        matrix, reward = chain(instance), instance.goals.rewards
        gamma = Fraction(int(rng.integers(1, 11)), 10) if discount is None else Fraction(discount)
        rows = [reward]
        for _ in range(int(rng.integers(0, len(matrix) + 1))):
            rows.append(reward + gamma * rows[-1] @ matrix.T)
        found, wanted = ranks(np.concatenate(rows)), claimed(len(rows), krylov(matrix, reward))
        tally.add(found == wanted, 0.0, f"horizons to {len(rows)} at {gamma}: ranks {found}, claimed {wanted}")
    return tally


def check_controllability(rng: np.random.Generator, amount: int, *, real: bool = False) -> Tally:
    """K rewards at n discounts: everything is seen iff Hautus' rank is n at each eigenvalue (or `real` one) of P."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 5)
        matrix = chain(instance)
        n = len(matrix)
        goals = ExactGoals(exact.fraction_array(rng.integers(0, 2, (int(rng.integers(1, 3)), n))))
        extra = {"discounts": np.array(instances.DISCOUNTS[:n], dtype=object)}
        full = [rank == n for rank in ranks(seen(Instance(instance.world, goals, instance.policy, extra=extra)))]
        values = np.linalg.eigvals(matrix.astype(float))
        some = values[np.abs(values.imag) < 1e-9] if real else values
        columns = goals.rewards.T.astype(float)
        claims = []
        for more in (columns, np.hstack([columns, np.ones((n, 1))])):
            least = [np.linalg.svd(np.hstack([x * np.eye(n) - matrix.astype(float), more]))[1][-1] for x in some]
            claims.append(min(least) > 1e-6)
        tally.add(full == claims, 0.0, f"n = {n}, {goals.n_goals} rewards: seen {full}, by Hautus {claims}")
    return tally


def check_symbolic(_rng: np.random.Generator, _amount: int, *, swapped: bool = False) -> Tally:
    """N = 2, all entries symbols: det [m_1, m_2] is (gamma_2 - gamma_1) det [r, P r] over two determinants."""
    made = symbol_arrays(P=(2, 2), r=(2,), discount=(2,))
    rows = [adjugate(identity(2) - made["P"] * x) @ made["r"] for x in made["discount"]]
    factor = made["discount"][1] - made["discount"][0] * (-1 if swapped else 1)
    defect = determinant(np.array(rows)) - factor * determinant(np.array([made["r"], made["P"] @ made["r"]]))
    tally = Tally()
    tally.add(vanishes(defect), 0.0, f"{defect}")
    return tally


STATEMENT = Statement(
    id="K1",
    title="Discounts or horizons in place of goals",
    latex=r"d = \dim \operatorname{span}\{P^t r\}: \quad \operatorname{rank} M = \min(J, d), \quad "
    r"\operatorname{rank}[M;\mathbf 1] = \begin{cases}\min(J+1, d) & \mathbf 1 \in \operatorname{span}\{P^t r\}\\ "
    r"\min(J, d) + 1 & \text{otherwise}\end{cases}",
    plain="One reward under one policy, valued at J different discounts or at horizons 1 to J, shows as much as "
    "J goals "
    "do, up to the dimension d of the span of r, P r, P^2 r, ... So n discounts identify every kernel if and only if r "
    "is cyclic, and n - 1 discounts all stochastic ones if and only if that span and the constants are everything. "
    "With several rewards this is controllability, which Hautus' test decides at the complex eigenvalues of P.",
    source="this package; after Kalman, and Popov, Belevitch and Hautus",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "worlds with up to 6 states, cycles and P = I among them: both ranks at drawn discounts",
              exact_check(draw, HYPOTHESES, conclude, size=6), (60, 600, 6000)),
        Check("exact", "horizons 1 to J, discount up to 1: both ranks", check_horizons, (60, 600, 6000)),
        Check("numeric", "one or two rewards at n discounts, and Hautus' test in floats", check_controllability,
              (30, 300, 3000)),
        Check("symbolic", "n = 2, two discounts: the determinant, all entries symbols", check_symbolic, (1, 1, 1)),
    ),
    counterexamples=(
        Counterexample(POLICY, "an agent that acts otherwise at the other discount", stored("K1", POLICY)),
        Counterexample(ENDLESS, "a goal that ends in a state", stored("K1", ENDLESS)),
        Counterexample(DIFFERENT, "one discount twice", stored("K1", DIFFERENT)),
    ),
    mutations=(
        Mutation("a row of ones always adds one", exact_check(draw, HYPOTHESES, partial(conclude, ones=False), size=4),
                 40),
        Mutation("horizons at discount 0 do as well", partial(check_horizons, discount=0), 20),
        Mutation("Hautus' test at real eigenvalues alone", partial(check_controllability, real=True), 80),
        Mutation("gamma_2 + gamma_1 in the determinant", partial(check_symbolic, swapped=True), 1),
    ),
    open_levels={"universal": "the proof is for all sizes; worlds fill a continuum"},
    api=("tabular_inversion.sufficiency.discounts_needed", "tabular_inversion.exact.evaluate"),
)  # fmt: skip
