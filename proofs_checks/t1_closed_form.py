"""T1: gradient descent on |M P - Q|^2 converges to M^+ Q + (I - M^+ M) P0, at the rate of the spectrum of M."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import rel_entr

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.p_learning_samples import check_package_samples, check_sampled_gradient
from proofs_checks.polynomials import SymbolArray, adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import AgentValues, Goals, Unconstrained, bellman, environments, exact, invert, policies
from tabular_inversion._typing import FloatArray
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.kernel_rows import dense_rows
from tabular_inversion.learning import convergence_rate, p_learning
from tabular_inversion.recovery import recover

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

NEVER = 1e-300
"""A tolerance that no iteration meets: all steps are taken."""

PROOF = r"""
Row $(s,a)$ of the kernel is a column of $\mathbf P$; $f(\mathbf P) = \tfrac12\|M\mathbf P - \mathbf Q\|_F^2$,
$M \ne 0$, and the step is $0 < \eta < 2/\sigma_{\max}(M)^2$. The gradient is $M^\top(M\mathbf P - \mathbf Q)$, so
that $\mathbf P_{t+1} = \mathbf P_t - \eta M^\top (M \mathbf P_t - \mathbf Q)$. The matrix
$\mathbf P_\infty = M^+\mathbf Q + (I - M^+M)\mathbf P_0$ is a fixed point: because $M(I - M^+M) = 0$ and
$M^\top M M^+ = M^\top$, we have $M^\top M\mathbf P_\infty = M^\top\mathbf Q$. Subtract the two equations:
$\mathbf E_t = \mathbf P_t - \mathbf P_\infty$ satisfies $\mathbf E_{t+1} = (I - \eta M^\top M)\, \mathbf E_t$. It
starts at $\mathbf E_0 = M^+M\mathbf P_0 - M^+\mathbf Q$, whose columns lie in the row space of $M$, the range of
$M^+$. On the row space $I - \eta M^\top M$ has the eigenvalues $1 - \eta\sigma_i^2$ with $\sigma_i > 0$, and it maps
the row space to itself. So $\|\mathbf E_t\|_F \le \lambda^t\|\mathbf E_0\|_F$ with
$\lambda = \max_{\sigma_i>0}|1-\eta\sigma_i^2|$, and $\lambda < 1$ as $0 < \eta\sigma_i^2 < 2$.

(a) The minimisers of $f$ are the solutions of $M^\top M \mathbf X = M^\top \mathbf Q$: all
$\mathbf P_\infty + \mathbf Z$ with $M\mathbf Z = 0$. The columns of $\mathbf P_\infty - \mathbf P_0$ lie in the row
space, at a right angle to every such $\mathbf Z$, so that $\mathbf P_\infty$ is the nearest to $\mathbf P_0$. The
dependence on $\mathbf P_0$ is through $I - M^+M$, the projection onto the null space, which is zero if and only if
$\operatorname{rank} M = n$. Then $M^+M = I$ and $M^+ M\mathbf P = \mathbf P$.

(b) Let $\mathbf Q = M\mathbf P$, $\Pi = M^+M$, the orthogonal projection onto the row space, and $u = \Pi\mathbf 1$.
A column of $\mathbf P_\infty$ is $\Pi p + (I-\Pi) p_0$, where $p$ and $p_0$ are rows of the two kernels, and its sum
is $u\cdot p + (\mathbf 1 - u)\cdot p_0$. If it is one for all distributions, take $p = e_i$ and $p_0 = e_j$: then
$u_i + 1 - u_j = 1$, so all entries of $u$ are equal, $u = c\mathbf 1$. A projection satisfies $\Pi u = u$, hence
$c\,u = u$, and $c = 1$ or $u = 0$: either $\Pi\mathbf 1 = \mathbf 1$, and $\mathbf 1$ lies in the row space, or
$\Pi\mathbf 1 = 0$, and it lies in the null space. Conversely, with $u = \mathbf 1$ the sum is $\mathbf 1\cdot p = 1$,
and with $u = 0$ it is $\mathbf 1\cdot p_0 = 1$. For one pair this is no criterion: started at the true kernel, the
limit is that kernel, whatever $M$ is.

(c) Let $P_\theta$ be a positive kernel, smooth in $\theta$,
$\delta_\theta = \mathbb E_{s'\sim P_\theta(s,a)}[M_g(s')] - Q_g(s,a)$ and $L = \mathbb E_d[\delta_\theta^2]$ for a
distribution $d$ of $(g,s,a)$. For any function $h$ that does not depend on $\theta$,
$\nabla\mathbb E_{s'\sim P_\theta}[h(s')] = \mathbb E[h(s')\,\nabla\log P_\theta(s')]$. The agent's $M$ and $Q$ do not
depend on $\theta$, so $h = M_g - Q_g(s,a)$ gives
$\nabla\delta_\theta = \mathbb E[\delta_2 \nabla\log P_\theta(s'_2)]$ with $\delta_i = M_g(s'_i) - Q_g(s,a)$. If
$s'_1$ and $s'_2$ are independent,
$\mathbb E[\delta_1\,\delta_2\nabla\log P_\theta(s'_2)] = \mathbb E[\delta_1]\,\nabla\delta_\theta =
\delta_\theta\nabla\delta_\theta$,
half the gradient of $\delta_\theta^2$; then average over $d$. With one shared sample, $h = (M_g - Q_g(s,a))^2$ gives
$\mathbb E[\delta_1^2\nabla\log P_\theta(s'_1)] = \nabla\mathbb E[\delta_1^2]$, and
$\mathbb E[\delta_1^2] = \delta_\theta^2 + \operatorname{Var}(M_g)$: not half the gradient of $\delta_\theta^2$, nor
the whole, but that of another function, which charges for the spread of $M$ under the model.

(d) *Mirror descent* on one row: $p_{t+1}(i) \propto p_t(i)\, e^{-\eta\, [M^\top(M p_t - q)]_i}$ with $p_0 > 0$,
$E(q)$ not empty, $f(p) = \tfrac12|Mp - q|^2$, $\eta \le 1/L$, where $L$ is the largest squared norm of a centred
column of $M$. Let $D$ be the Kullback-Leibler divergence. For distributions
$|M(p - p')|^2 \le L \|p - p'\|_1^2 \le 2 L\, D(p\|p')$ (Pinsker), so
$f(p_{t+1}) \le f(p_t) + \nabla f(p_t) \cdot (p_{t+1} - p_t) + L D(p_{t+1}\|p_t)$. The step satisfies
$\eta \nabla f(p_t) \cdot (p_{t+1} - p) = D(p\|p_t) - D(p\|p_{t+1}) - D(p_{t+1}\|p_t)$ for every $p$. For $p \in E(q)$
convexity gives $0 = f(p) \ge f(p_t) + \nabla f(p_t)\cdot(p - p_t)$; together
$\eta f(p_{t+1}) \le D(p\|p_t) - D(p\|p_{t+1})$. So $f(p_t) \to 0$, and $D(p\|p_t)$ does not rise. Some subsequence
tends to a point $p_\infty \in E(q)$, along which $D(p_\infty\|p_t) \to 0$; as it does not rise, $p_t \to p_\infty$.

*Which member.* $\log p_t - \log p_0$ stays in the row space of $[M;\mathbf 1]$, so that
$(p - p_\infty) \cdot (\log p_t - \log p_0) = 0$ for every $p \in E(q)$. Were $p_\infty(i) = 0 < p(i)$ for some $i$,
the sum would tend to $-\infty$. So $p$ vanishes where $p_\infty$ does, and in the limit
$D(p\|p_0) = D(p\|p_\infty) + D(p_\infty\|p_0)$: the limit is the one member with the least divergence from $p_0$.
"""

RANK = "rank M = n (for a limit that forgets where it started)"
STEP = "the step is below 2 / sigma_max^2"
INDEPENDENT = "the two samples are independent"


def limit(matrix: FractionArray, values: FractionArray, start: FractionArray) -> FractionArray:
    """Return M^+ Q + (I - M^+ M) P0 in fractions; columns are rows of the kernel, and M P = Q has a solution.

    In the row space of M the limit agrees with any solution, and in the null space with the start.
    """
    null = exact.null_space(matrix)
    return exact.solve_linear(np.concatenate([matrix, null.T]), np.concatenate([values, null.T @ start]))


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states, as many generic goals, a policy, and two starts."""
    n, m = instances.sizes(rng, largest=size)
    starts = {"starts": instances.fractions_of(rng.integers(1, 7, (2, n * m, n)))}
    world, goals = instances.world(rng, n, m), instances.generic_goals(rng, n, n)
    return Instance(world, goals, instances.policy(rng, n, m), "unconstrained", starts)


def conclude(instance: Instance) -> Outcome:
    """Decide (a): both starts have one limit, the true kernel, and the package finds it in floats."""
    agent = instance.agent
    test, values, rows = agent.test_matrix, agent.right_hand_sides, agent.row_index
    limits = [limit(test, values, start.T[:, rows]) for start in instance.extra["starts"]]
    truth = instance.world.rows[rows].T
    gaps = [np.abs(found - truth).max() for found in limits]
    error = float(np.abs(_in_floats(test, values, None) - truth.astype(np.float64)).max())
    near = error <= 1e-12 * float(np.linalg.cond(test.astype(np.float64)))
    sums = [str(total) for total in limits[0].sum(axis=0)]
    holds = max(gaps) == 0 and near
    return Outcome(
        bool(holds), f"distances of the limits to the truth {[str(gap) for gap in gaps]}, row sums {sums}", error
    )


def _in_floats(matrix: FractionArray, values: FractionArray, start: FractionArray | None) -> FloatArray:
    """Return the package's closed form; columns are rows of the kernel."""
    prior = None if start is None else start.T.astype(np.float64)
    columns = np.arange(values.shape[1])
    test, right = matrix.astype(np.float64), values.astype(np.float64)
    return dense_rows(recover(test, right, Unconstrained(), row_index=columns, prior=prior).rows).T


def fewer_goals() -> SearchStrategy[Instance]:
    """Draw worlds with any goals and two starts that are kernels."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps, exact_stochastic_rows

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        world = draw(exact_mdps(n_states=st.integers(2, 3), n_actions=1, discounts=st.just(Fraction(1, 2))))
        n = world.n_states
        goals = exact.ExactGoals(np.array([draw(st.permutations(range(n)))]))
        starts = np.array([[draw(exact_stochastic_rows(n)) for _ in range(n)] for _ in range(2)])
        return Instance(world, goals, identity(1)[[0] * n], "unconstrained", {"starts": starts})

    return made()


def check_mirror(rng: np.random.Generator, amount: int, *, squares: bool = False) -> Tally:
    """(d) Two goals, three or four states: D(p||p_0) = D(p||p_inf) + D(p_inf||p_0) at the true rows p.

    With `squares` the claim is that the limit is the nearest member, by Pythagoras for squared distances.
    """
    tally = Tally()
    for _ in range(amount):
        n = int(rng.integers(3, 5))
        mdp = environments.random_mdp(n, 2, discount=0.5, seed=rng)
        agent = bellman.evaluate(mdp, Goals(rng.uniform(-1, 1, (n - 2, n))), policies.uniform(mdp.available))
        prior = rng.dirichlet(np.full(n, 3.0))
        found = p_learning(agent, "mirror", prior=prior, iterations=20_000, tolerance=1e-9)
        p, end = mdp.toarray(), found.kernel
        whole, parts = divergence(p, prior), divergence(p, end) + divergence(end, prior + 0 * end)
        if squares:
            whole = ((p - prior) ** 2).sum(axis=2)
            parts = ((p - end) ** 2).sum(axis=2) + ((end - prior) ** 2).sum(axis=2)
        error = float(np.abs(whole - parts).max())
        tally.add(found.converged and error < 1e-5, error, f"{found}: Pythagoras' identity is off by {error:.1e}")
    return tally


def divergence(p: FloatArray, other: FloatArray) -> FloatArray:
    """Return the Kullback-Leibler divergence along the last axis."""
    return np.asarray(rel_entr(p, other).sum(axis=-1))


HYPOTHESES = (Hypothesis(RANK, lambda i: exact.rank(i.agent.test_matrix).rank == i.world.n_states, fewer_goals),)


def check_row_sums(
    rng: np.random.Generator, amount: int, *, row_space_only: bool = False, one_pair: bool = False
) -> Tally:
    """Random small M of any rank: row sums are one for all pairs of vertices iff 1 is in the row or null space of M.

    The sum is affine in the truth and in the start, so that all pairs of vertices stand for all pairs of kernels. The
    package's closed form is compared in floats, with a tolerance of 1e-9.
    """
    tally = Tally()
    for i in range(amount):
        k, n = int(rng.integers(1, 4)), int(rng.integers(2, 5))
        matrix = exact.fraction_array(rng.integers(-2, 3, (k, n)))
        if i % 3 == 0:  # the last column makes the rows orthogonal to 1
            matrix[:, -1] = -matrix[:, :-1].sum(axis=1)
        elif i % 3 == 1:  # 1 is the sum of the rows
            matrix[-1] = 1 - matrix[:-1].sum(axis=0)
        pairs = np.array([[0, 1]] if one_pair else list(product(range(n), repeat=2)))
        truth, start = identity(n)[:, pairs[:, 0]], identity(n)[:, pairs[:, 1]]
        found = limit(matrix, matrix @ truth, exact.fraction_array(start))
        ones = np.ones((1, n), dtype=object)
        in_row_space = exact.rank(np.concatenate([matrix, ones])).rank == exact.rank(matrix).rank
        in_null_space = bool((matrix.sum(axis=1) == 0).all()) and not row_space_only
        sums_are_one = bool((found.sum(axis=0) == 1).all())
        error = float(np.abs(_in_floats(matrix, matrix @ truth, start) - found.astype(np.float64)).max())
        holds = sums_are_one is (in_row_space or in_null_space) and error < 1e-9
        text = f"M = {matrix.astype(str).tolist()}: sums are one: {sums_are_one}, in row space: {in_row_space}"
        tally.add(holds, error, text)
    return tally


def check_fixed_point_symbolically(_rng: np.random.Generator, amount: int, *, projected: bool = True) -> Tally:
    """Every M with k, n <= amount, every rank, all entries symbols: the closed form is where descent stays.

    A matrix of rank r is U W with U of shape (k, r) and W of shape (r, n), and then
    M^+ = W^T (W W^T)^-1 (U^T U)^-1 U^T. Everything is multiplied by the two determinants, which are not zero, so that
    the identities are of polynomials: the gradient vanishes at the limit, the limit differs from the start in the row
    space of W alone, and one step multiplies the distance to it by I - eta M^T M.
    """
    tally = Tally()
    for k, n in product(range(1, amount + 1), range(2, amount + 1)):
        for r in range(1, min(k, n) + 1):
            symbols = symbol_arrays(U=(k, r), W=(r, n), q=(k,), p=(n,), x=(n,), eta=())
            left = symbols["U"] if r < k else identity(k)  # then M = W itself
            defects = _fixed_point_defects(left, symbols, projected=projected)
            tally.add(all(map(vanishes, defects)), 0.0, f"k={k}, n={n}, rank {r}: the gradient is not zero")
    return tally


def _fixed_point_defects(left: SymbolArray, symbols: dict[str, SymbolArray], *, projected: bool) -> list[SymbolArray]:
    right, q, start, x = (symbols[name] for name in ("W", "q", "p", "x"))
    grams = left.T @ left, right @ right.T
    scale = determinant(grams[0]) * determinant(grams[1])
    matrix = left @ right
    coordinates = adjugate(grams[1]) @ adjugate(grams[0]) @ left.T @ (q - matrix @ start if projected else q)
    scaled_limit = start * scale + right.T @ coordinates
    gradient = matrix.T @ (matrix @ scaled_limit - q * scale)
    step = x - matrix.T @ (matrix @ x - q) * symbols["eta"]
    distance = x * scale - scaled_limit
    contraction = step * scale - scaled_limit - (distance - matrix.T @ (matrix @ distance) * symbols["eta"])
    return [gradient, contraction]


def check_rate(rng: np.random.Generator, amount: int, *, rate_scale: float = 1.0) -> Tally:
    """After 60 steps the distance to the package's closed form is at most rate^60 times the first distance."""
    tally = Tally()
    for _ in range(amount):
        n, k = int(rng.integers(2, 7)), int(rng.integers(1, 7))
        mdp = environments.random_mdp(n, 2, discount=0.5, seed=rng)
        agent = bellman.evaluate(mdp, Goals.generic(n, k, seed=rng), np.full((n, 2), 0.5))
        start = rng.standard_normal((n, 2, n))
        end = invert(agent, Unconstrained(), prior=start.reshape(-1, n)).toarray()
        step = 1.5 / float(np.linalg.norm(agent.test_matrix, 2)) ** 2
        rate = rate_scale * convergence_rate(agent.test_matrix, step)
        last = p_learning(agent, prior=start, step=step, iterations=60, tolerance=NEVER).kernel
        excess = float(np.linalg.norm(last - end) / np.linalg.norm(start - end) - rate**60)
        tally.add(excess <= 1e-9, max(excess, 0.0), f"n={n}, k={k}: above the rate by {excess:.1e}")
    return tally


def diverges() -> bool:
    """Tell whether a step of 2 / sigma_max^2 takes the iterates nowhere, and one above it away."""
    agent = AgentValues(np.zeros((2, 2, 1)), Goals(np.diag([2.0, 1.0])), 0.0)
    start = np.ones((2, 1, 2))
    ends = [np.abs(p_learning(agent, prior=start, step=step, iterations=200, tolerance=NEVER).kernel).max()
            for step in (0.5, 0.51)]  # fmt: skip
    return bool(ends[0] == 1.0 and ends[1] > 10.0)


def shared_sample_is_biased() -> bool:
    """Tell whether one sample used twice has another mean than the gradient, for two and for three states."""
    tally = check_sampled_gradient(np.random.default_rng(0), 3, shared=True)
    return len(tally.failures) == tally.instances


def _one_goal_fewer(rng: np.random.Generator, size: int) -> Instance:
    drawn = draw(rng, size)
    fewer = drawn.goals.select(range(drawn.world.n_states - 1))
    return Instance(drawn.world, fewer, drawn.policy, "unconstrained", drawn.extra)


STATEMENT = Statement(
    id="T1",
    title="Closed form and P-learning limit",
    latex=r"\mathbf P_\infty = M^+ \mathbf Q + (I - M^+ M)\, \mathbf P_0, \quad "
    r"\|\mathbf P_t - \mathbf P_\infty\| \le \lambda^t \|\mathbf P_0 - \mathbf P_\infty\|, \ "
    r"\lambda = \max_{\sigma_i > 0} |1 - \eta \sigma_i^2|",
    plain="Gradient descent on the squared Bellman error converges linearly to the solution nearest to its start; it "
    "forgets the start iff M has rank n. The limit has row sums one for every pair of kernels, the true one and the "
    "start, iff 1 lies in the row space or in the null space of M. Two independent samples give an unbiased gradient; "
    "one shared sample does not. Mirror descent inside the simplex ends at the member of E(q) with the least "
    "divergence from its start.",
    source="Theorem 1 of arXiv 2606.21173, finite form; the row sums are ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rank n: every start has the true kernel for its limit; the package's floats agree",
              exact_check(draw, HYPOTHESES, conclude, size=4), (30, 300, 2000)),
        Check("exact", "row sums are one for every pair of kernels iff 1 is in the row or the null space",
              check_row_sums, (60, 600, 6000)),
        Check("symbolic", "every M with k, n <= 3, every rank: fixed point and contraction",
              check_fixed_point_symbolically, (3, 3, 3)),
        Check("symbolic", "n = 2 and 3, two goals: two independent samples give the gradient", check_sampled_gradient,
              (3, 3, 4)),
        Check("numeric", "the distance after 60 steps against the rate", check_rate, (30, 300, 2000)),
        Check("numeric", "(d) mirror descent ends at the member of least divergence, by Pythagoras' identity",
              check_mirror, (5, 50, 300)),
        Check("numeric", "20,000 samples of the package's sampled step: the mean is the gradient, within 6 deviations",
              check_package_samples, (6, 60, 300)),
    ),
    counterexamples=(
        Counterexample(RANK, "fewer goals than states: the limit depends on the start", stored("T1", RANK)),
        Counterexample(RANK, "one goal, three states: from a kernel to a limit whose row sums are not one",
                       stored("T1", "leaves the simplex")),
        Counterexample(STEP, "sigma_max = 2: a step of 0.5 does not shrink the error, one of 0.51 diverges",
                       show=diverges),
        Counterexample(INDEPENDENT, "a single shared sample in P-learning: its mean is another gradient",
                       show=shared_sample_is_biased),
    ),
    mutations=(
        Mutation("n - 1 goals in place of n", exact_check(_one_goal_fewer, (), conclude, size=4), 5),
        Mutation("row sums are one only if 1 is in the row space", partial(check_row_sums, row_space_only=True), 30),
        Mutation("row sums of one pair of kernels decide it", partial(check_row_sums, one_pair=True), 60),
        Mutation("M^+ Q + P0, without the projection", partial(check_fixed_point_symbolically, projected=False), 2),
        Mutation("one shared sample in place of two", partial(check_sampled_gradient, shared=True), 2),
        Mutation("one shared sample in place of two, against the package's samples",
                 partial(check_package_samples, shared=True), 3),
        Mutation("(d) mirror descent ends at the nearest member", partial(check_mirror, squares=True), 5),
        Mutation("a rate that is 0.9 times as large", partial(check_rate, rate_scale=0.9), 40),
    ),
    open_levels={
        "universal": "symbols cover all M with k, n <= 3; the rate has roots in it and is left to the proof",
    },
    api=("tabular_inversion.Unconstrained", "tabular_inversion.invert", "tabular_inversion.learning.p_learning",
         "tabular_inversion.learning.convergence_rate"),
)  # fmt: skip
