"""ST: what noise of a known size and probability leaves of verdicts and accuracy."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from scipy.linalg import helmert

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.k1_discounts_for_goals import with_ones
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from proofs_checks.x1_graph_discounts import all_goals
from tabular_inversion import AgentValues, Goals, Stochastic, bellman, environments, exact, invert
from tabular_inversion.environments import graph
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $|\hat Q - Q| \le \varepsilon$ in every entry, with probability $1 - \delta$; all that follows holds on this
event. Let $\hat V = T(\hat Q)$ with an operator that does not expand in the maximum norm (the mean under a known
policy, the maximum, $\tau\log\sum e^{x/\tau}$), $\hat M = R + \gamma C \hat V$,
$J = I - \tfrac1n \mathbf 1\mathbf 1^\top$, and $\sigma(M)$ the $(n-1)$-th singular value of $MJ$, 0 if $k < n - 1$.
So $\sigma(M) > 0$ if and only if $\operatorname{rank}[M;\mathbf 1] = n$.

*(a) Verdicts.* $|\hat M - M| \le \gamma\varepsilon$ in each of the $nk$ entries, so that
$\|(\hat M - M) J\|_2 \le \|\hat M - M\|_F \le \sqrt{nk}\,\gamma\varepsilon$. By Weyl's inequality
$|\sigma(\hat M) - \sigma(M)| \le \sqrt{nk}\,\gamma\varepsilon$. If $\sigma(\hat M) > \sqrt{nk}\,\gamma\varepsilon$,
then $\sigma(M) > 0$: IDENTIFIED is right. If $\sigma(M) > 2\sqrt{nk}\,\gamma \varepsilon$, it is given.

*(b) Sharp for even n.* Let each state stay for sure, so that $Q_g(s) = m_g(s)$. Let $v \in \{1, -1\}^n$ have sum
zero, $k \ge n - 1$, and let $M$ have rows orthogonal to $v$ that add up to zero and span, with $\mathbf 1$, all that
is orthogonal to $v$: the kernel is not identified. The noise $\varepsilon\, v$ for every goal gives
$\hat M = M + \gamma\varepsilon\, \mathbf 1_k v^\top$ and
$\hat M^\top \hat M = M^\top M + k \gamma^2\varepsilon^2\, v v^\top$, since $\mathbf 1_k^\top M = 0$. On $v$ its
singular value is $\gamma \varepsilon\sqrt{k}\,|v| = \sqrt{nk}\,\gamma\varepsilon$, the smallest one once $M$ is large
elsewhere. So at equality IDENTIFIED would be wrong.

*(c) Accuracy.* A row of the truth satisfies $|\hat M p - \hat q| \le (1 + \gamma)\varepsilon$ for each goal,
$\|\hat M p - \hat q\|_2 \le \sqrt k\,(1+\gamma)\varepsilon$. The row $\hat p$ of least squares in the simplex is a
projection in the norm $\|\hat M J \cdot\|$, which does not expand distances (T3d):
$\|\hat p - p\|_2 \le \sqrt k\,(1 + \gamma)\,\varepsilon / \sigma(\hat M)$. So
$\varepsilon = \alpha\,\sigma(\hat M)/(\sqrt k\,(1+\gamma))$ suffices for accuracy $\alpha$.

*(d) One policy, one continuation.* With $N = (I - \gamma D P)^{-1}$, $M = R N^\top$, and
$(I - \gamma D P)\mathbf 1 = \mathbf 1 - \gamma C$ since $P \mathbf 1 = \mathbf 1$. So
$[M;\mathbf 1^\top] = [R; (\mathbf 1 - \gamma C)^\top]\, N^\top$, and the ranks agree: sufficiency is seen in the
rewards, without any values. For $C = 1$ the last row is a multiple of $\mathbf 1$.

*(e) Otherwise an accidental NOT_IDENTIFIED cannot be tested.* On $K_{3,3}$ at $\gamma = 1/2$ (X1) let every move fail
with probability $10^{-6}$. All values move by less than $5.1 \cdot 10^{-7}$, and the rank of $M$ from 5 to 6: any
noise, however small, leaves both possible.
"""

NOISE = "every value is known up to the bound"
KNOWN = "values follow from Q by an operator that does not expand"


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw agents whose goals span or do not, and noise at some part of the size that a verdict bears."""
    n, m = instances.sizes(rng, largest=size)
    k = int(rng.integers(1, n + 2))
    rewards = exact.fraction_array(rng.integers(-3, 4, (k, n)))
    if rng.integers(3) == 0:
        rewards[:, 0] = rewards[:, 1]
    world = instances.world(rng, n, m, branching=(None, 1)[rng.integers(2)])
    chosen = instances.policy(rng, n, m) if rng.integers(2) else None
    instance = Instance(world, ExactGoals(rewards), chosen)
    values = np.linalg.svd(instance.agent.test_matrix.astype(float) @ helmert(n).T, compute_uv=False)
    sigma = float(values[-1]) if len(values) == n - 1 else 1.0
    bound = Fraction(max(1, int(1000 * sigma / sqrt(n * k) / float(rng.choice([0.5, 1.5, 3.0])))), 1000)
    signs: FractionArray = exact.fraction_array(rng.integers(-2, 3, (k, n, m))) / 2
    return Instance(world, instance.goals, chosen, extra={"noise": signs * bound, "bound": np.array([bound])})


def estimate(instance: Instance) -> ExactAgentValues:
    """Return the agent as it is seen, with noise."""
    agent = instance.agent
    return ExactAgentValues(
        agent.q + instance.extra["noise"], agent.goals, agent.discount, agent.policy, agent.available
    )


def exceeds(matrix: FractionArray, square: Fraction) -> bool:
    """Tell whether the (n - 1)-th singular value of M J, squared, is larger than a number: exactly, by minors."""
    n = matrix.shape[1]
    basis = np.vstack([-np.ones((1, n - 1), int), np.eye(n - 1, dtype=int)]).astype(object) * Fraction(1)
    moved = matrix @ basis
    form = moved.T @ moved - square * (basis.T @ basis)
    return all(exact.determinant(form[:i, :i]) > 0 for i in range(1, n))


def conclude(instance: Instance, *, entries: bool = True) -> Outcome:
    """IDENTIFIED above the threshold is right, and is given above twice the threshold; M moves by gamma eps at most.

    Without `entries` the threshold is that of one entry, gamma eps.
    """
    truth, seen = instance.agent.test_matrix, estimate(instance).test_matrix
    bound, gamma = instance.extra["bound"][0], instance.world.discount
    square = (gamma * bound) ** 2 * (truth.size if entries else 1)
    right = exact.rank(with_ones(truth)).rank == truth.shape[1]
    said, owed = exceeds(seen, square), exceeds(truth, 4 * square)
    moved = abs(seen - truth).max() <= gamma * bound
    text = f"M moves within the bound: {moved}; said {said}, owed {owed}, right {right}"
    return Outcome(bool(moved) and (right or not said) and (said or not owed), text)


def loud() -> SearchStrategy[Instance]:
    """Two states that stay, one goal, and noise of up to two in place of one."""
    from hypothesis import strategies as st

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        world = ExactMDP(exact.fraction_array([[[1, 0]], [[0, 1]]]), Fraction(1, 2))
        goals = ExactGoals(exact.fraction_array([[draw(st.integers(0, 1)), draw(st.integers(0, 1))]]))
        noise = exact.fraction_array([[[draw(st.integers(-2, 2))], [draw(st.integers(-2, 2))]]])
        extra = {"noise": noise, "bound": np.array([Fraction(1)])}
        return Instance(world, goals, exact.fraction_array([[1], [1]]), extra=extra)

    return made()


HYPOTHESES = (Hypothesis(NOISE, lambda i: bool(abs(i.extra["noise"]).max() <= i.extra["bound"][0]), loud),)


def policy_from_values() -> bool:
    """Whether V moves by more than Q does if actions are taken in proportion to their own estimated values."""

    def value(q: FractionArray) -> Fraction:
        return Fraction((q * q).sum() / q.sum())

    q, noise = exact.fraction_array(["1/10", "1"]), exact.fraction_array(["-1/100", "1/100"])
    return bool(abs(value(q + noise) - value(q)) > Fraction(1, 100))


def check_sharp(rng: np.random.Generator, amount: int, *, factor: Fraction = Fraction(1)) -> Tally:
    """(b) The instance of the proof: sigma is the threshold, where the kernel is not identified.

    `factor` times the squared threshold is claimed to be safe; from 1 on it is.
    """
    tally = Tally()
    for _ in range(amount):
        n = 2 * int(rng.integers(1, 4))
        v = exact.fraction_array(rng.permutation(np.repeat([1, -1], n // 2)))
        free = exact.null_space(np.stack([v, v * 0 + 1])).T * 1000
        k = max(n - 1, 1) + int(rng.integers(2))
        rows = np.concatenate([free, np.zeros((k - len(free), n), dtype=object) + Fraction(0)])
        rows[-1] = -free.sum(axis=0) if len(free) else rows[-1]
        gamma, bound = Fraction(1, 2), Fraction(1, int(rng.integers(1, 10)))
        world = ExactMDP(np.eye(n, dtype=int)[:, None].astype(object), gamma)
        extra = {"noise": np.broadcast_to(bound * v[None, :, None], (k, n, 1)), "bound": np.array([bound])}
        policy = exact.fraction_array(np.ones((n, 1), int))
        instance = Instance(world, ExactGoals((1 - gamma) * rows), policy, extra=extra)
        square = gamma**2 * bound**2 * n * k
        seen = estimate(instance).test_matrix
        right = exact.rank(instance.system).rank == n
        equal = not exceeds(seen, square) and exceeds(seen, square * Fraction(999, 1000))
        safe = right or not exceeds(seen, square * factor)
        tally.add(equal and safe, 0.0, f"n = {n}, k = {k}: sigma is the threshold: {equal}; identified: {right}")
    return tally


def check_accuracy(rng: np.random.Generator, amount: int) -> Tally:
    """(c) Random worlds with 12 states: rows by least squares in the simplex, within the bound of the 2-norm."""
    tally = Tally()
    for _ in range(amount):
        n, k = 12, int(rng.integers(11, 20))
        mdp = environments.random_mdp(n, 2, discount=float(rng.choice([0.5, 0.9])), seed=rng)
        agent = bellman.solve(mdp, Goals.generic(n, k, seed=rng))
        bound = 10.0 ** -rng.integers(2, 6)
        noisy = AgentValues(agent.q + bound * rng.choice([-1, 1], agent.q.shape), agent.goals, mdp.discount)
        sigma = np.linalg.svd(noisy.test_matrix @ helmert(n).T, compute_uv=False)[n - 2]
        allowed = sqrt(k) * (1 + mdp.discount) * bound / sigma
        found = invert(noisy, Stochastic()).to_mdp().toarray()
        error = float(np.linalg.norm(found - mdp.toarray(), axis=2).max())
        tally.add(error <= allowed * (1 + 1e-6) + 1e-9, error / allowed, f"error {error:.1e}, allowed {allowed:.1e}")
    return tally


def check_ranks(rng: np.random.Generator, amount: int, *, plain: bool = False) -> Tally:
    """(d) One policy, one continuation: rank [M;1] = rank [R; 1 - gamma C]; with `plain`, rank [R; 1]."""
    tally = Tally()
    for _ in range(amount):
        n, m = instances.sizes(rng, largest=5)
        rewards = exact.fraction_array(rng.integers(-2, 3, (int(rng.integers(1, n + 1)), n)))
        c: FractionArray = exact.fraction_array(rng.integers(0, 3, n)) / 2
        world = instances.world(rng, n, m)
        if rng.integers(2):
            rewards[0] = 1 - world.discount * c
        goals = ExactGoals(rewards, np.broadcast_to(c, rewards.shape))
        instance = Instance(world, goals, instances.policy(rng, n, m))
        last = rewards[:1] * 0 + 1 if plain else (1 - world.discount * c)[None]
        pair = exact.rank(instance.system).rank, exact.rank(np.concatenate([rewards, last])).rank
        tally.add(pair[0] == pair[1], 0.0, f"ranks {pair}")
    return tally


def check_slip(_rng: np.random.Generator, _amount: int, *, slip: Fraction = Fraction(1, 10**6)) -> Tally:
    """(e) K_{3,3} at 1/2: moves fail with probability 1e-6, Q moves by less than 5.1e-7, the rank from 5 to 6."""
    world = exact.ExactMDP.from_float(graph(nx.complete_bipartite_graph(3, 3)))
    stay = np.eye(6, dtype=int)[:, None].astype(object)
    worlds = [ExactMDP((1 - x) * world.kernel + x * stay, Fraction(1, 2)) for x in (Fraction(0), slip)]
    first, second = (exact.solve(w, all_goals(6)) for w in worlds)
    moved = abs(first.q - second.q).max()
    pair = [exact.rank(agent.test_matrix).rank for agent in (first, second)]
    tally = Tally()
    tally.add(pair == [5, 6] and moved < Fraction(51, 10**8), 0.0, f"ranks {pair}, Q moves by {float(moved):.1e}")
    return tally


def check_symbolic(_rng: np.random.Generator, largest: int, *, constant: bool = False) -> Tally:
    """(d) (I - gamma D P)^-1 (1 - gamma C) = 1, all entries symbols, sums of P one; `constant`: of 1 - gamma."""
    tally = Tally()
    for n in range(2, largest + 1):
        made = symbol_arrays(P=(n, n), C=(n,), discount=())
        kernel = made["P"].copy()
        kernel[:, -1] = 1 - kernel[:, :-1].sum(axis=1)
        factor = identity(n) - (made["C"] * made["discount"])[:, None] * kernel
        right = identity(n).sum(axis=0) - (1 + 0 * made["C"] if constant else made["C"]) * made["discount"]
        defect = adjugate(factor) @ right - determinant(factor)
        tally.add(vanishes(defect), 0.0, f"n = {n}: {defect[0]}")
    return tally


STATEMENT = Statement(
    id="ST",
    title="Verdicts under noise of known probability",
    latex=r"|\hat Q - Q| \le \varepsilon: \quad \sigma_{n-1}(\hat M J) > \sqrt{nk}\,\gamma\varepsilon \Rightarrow "
    r"\operatorname{rank}[M;\mathbf 1] = n; \qquad \|\hat p - p\|_2 \le \sqrt k\,(1+\gamma)\,\varepsilon / "
    r"\sigma_{n-1}(\hat M J)",
    plain="If every value is known up to a bound with some probability, IDENTIFIED is right with this probability "
    "wherever the singular value of the estimated M on vectors with sum zero exceeds sqrt(nk) gamma times the bound, "
    "and is given wherever that of the true M exceeds twice this. The threshold is sharp for even n. Rows by least "
    "squares in the simplex are as accurate as stated. An accidental NOT_IDENTIFIED of optimal agents cannot be "
    "tested; for one policy and one continuation sufficiency is seen in the rewards: rank [M;1] = rank [R; 1 - "
    "gamma C].",
    source="this package; after Weyl's inequality",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "(a) agents with up to 5 states, spanning or not, noise round the threshold: never wrong, given "
              "above twice it", exact_check(draw, HYPOTHESES, conclude, size=5), (50, 500, 5000)),
        Check("exact", "(b) even n: at the threshold the kernel is not identified", check_sharp, (10, 50, 500)),
        Check("exact", "(d) one policy and one continuation: the rank is seen in the rewards", check_ranks,
              (40, 400, 4000)),
        Check("exact", "(e) K_{3,3} at 1/2: a slip of 1e-6 changes the rank", check_slip, (1, 1, 1)),
        Check("symbolic", "(d) all entries symbols, n = 2 and 3", check_symbolic, (3, 3, 3)),
        Check("numeric", "(c) 12 states: accuracy of least squares in the simplex", check_accuracy, (5, 50, 300)),
    ),
    counterexamples=(
        Counterexample(NOISE, "noise of twice the bound: IDENTIFIED is said and wrong", stored("ST", NOISE)),
        Counterexample(KNOWN, "a policy in proportion to the estimated values: V moves by more than Q",
                       show=policy_from_values),
    ),
    mutations=(
        Mutation("(a) the threshold gamma eps, as for one entry",
                 exact_check(draw, HYPOTHESES, partial(conclude, entries=False), size=5), 150),
        Mutation("(b) a threshold 1 % lower is safe", partial(check_sharp, factor=Fraction(98, 100)), 1),
        Mutation("(d) rank [M;1] = rank [R;1] for every continuation", partial(check_ranks, plain=True), 40),
        Mutation("(d) 1 - gamma in place of 1 - gamma C", partial(check_symbolic, constant=True), 2),
        Mutation("(e) a slip of 1e-3 moves Q by less than 5.1e-7", partial(check_slip, slip=Fraction(1, 1000)), 1),
    ),
    open_levels={"universal": "noise fills a continuum; the sharp instance is decided for each even n"},
    api=("tabular_inversion.identify", "tabular_inversion.invert", "tabular_inversion.exact.rank"),
)  # fmt: skip
