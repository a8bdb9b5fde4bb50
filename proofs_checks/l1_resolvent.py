"""L1: row g of M is the resolvent (I - gamma D_g P_g)^(-1) applied to the rewards r_g."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Goals, bellman, environments, exact, policies
from tabular_inversion.exact.rationals import FractionArray

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Here $D_g = \operatorname{diag}(C_g)$ and $P_g = \sum_a \pi_g(a\mid\cdot)\,P(\cdot\mid\cdot,a)$.

(a) By the Bellman equation $Q_g(s,a) = \sum_{s'} P(s'\mid s,a)\, m_g(s')$, hence $V_g = \sum_a \pi_g Q_g = P_g m_g$.
The definition of $M$ gives $m_g = r_g + \gamma D_g V_g = r_g + \gamma D_g P_g m_g$, which is
$(I - \gamma D_g P_g)\, m_g = r_g$. The entries of $C_g$ are at most one and the rows of $P_g$ sum to one, so that
$\|\gamma D_g P_g\|_\infty \le \gamma < 1$ and the matrix is invertible. For an optimal agent, let $\pi_g$ choose a
maximising action in each state: then $\max_a Q_g = \sum_a \pi_g Q_g$. A maximum-entropy agent has $V_g = \tau \log
\sum_a e^{Q_g/\tau} = \sum_a \pi_g Q_g + \tau H(\pi_g)$ with its policy $\pi_g \propto e^{Q_g/\tau}$ and entropies $H$:
its rewards gain a term, $(I - \gamma D_g P_g)\, m_g = r_g + \gamma\tau D_g H(\pi_g)$.

*The determinant is at least* $(1-\gamma)^n$: put $A = \gamma D_g P_g \ge 0$ and
$b_s = 1 - \sum_{t} A_{st} \ge 1 - \gamma$, so that the diagonal of $I - A$ is $b_s + \sum_{t\ne s} A_{st}$. Written
in the $b_s$ and the $A_{st}$ with $s \neq t$, $\det(I - A)$ is a sum of monomials with positive coefficients (one for
each rooted forest: the matrix-tree theorem), and one of them is $\prod_s b_s$.

(b) The matrix in (a) does not depend on $r_g$ if the policy does not, and an invertible matrix is a linear bijection.

(c) Let $T_g$ be the function with $V_g = T_g(Q_g)$. As $Q_g(s,a) = \sum_{s'} P(s'\mid s,a)\, m_g(s')$ is determined
by $m_g$, the rewards are a function of $M$:

$$
r_g = m_g - \gamma D_g\, T_g\bigl(P m_g\bigr) =: F_g(m_g) .
$$

$F_g$ is locally Lipschitz, because $T_g$ is and everything else is linear; so is $F = (F_1, \dots, F_k)$ on
$\mathbb R^{k\times n}$. Such a map takes null sets to null sets: a bounded set of volume 0 is covered by cubes of
total volume $\delta$; the image of a cube of side $\varepsilon$ fits into one of side $L\varepsilon$, so the image of
the set into cubes of total volume $L^{kn}\delta$; and countably many bounded sets cover everything. Let $B$ be the
null set of matrices without a property that almost every matrix has. If $M$ is in $B$, then $R = F(M)$ is in $F(B)$,
which is null. So $M$ has the property for almost every $R$. The value of a fixed policy, the maximum and the soft
maximum are all Lipschitz functions of $Q_g$.
"""

FIXED = "the policies do not follow the rewards"


def resolvent_defect(
    rewards: NDArray[Any], continuation: NDArray[Any], discounted_kernel: NDArray[Any], test_functions: NDArray[Any]
) -> NDArray[Any]:
    """Return (I - gamma D_g P_g) m_g - r_g for each goal: zero by L1.

    Parameters
    ----------
    rewards, continuation, test_functions : numpy.ndarray, shape (G, S)
        R, C and M; floats, Fractions or polynomials.
    discounted_kernel : numpy.ndarray, shape (G, S, S)
        gamma P_g, the kernel under each goal's policy.
    """
    expected = (discounted_kernel * test_functions[:, None, :]).sum(axis=2)
    defect: NDArray[Any] = test_functions - continuation * expected - rewards
    return defect


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states, two goals with policies of their own, and further rewards."""
    n, m = instances.sizes(rng, largest=size)
    halves = np.vectorize(lambda i: Fraction(int(i), 2), otypes=[object])(rng.integers(0, 3, (2, n)))
    goals = exact.ExactGoals(instances.generic_rewards(rng, 2, n), halves)
    policy = instances.policy(rng, n, m, n_goals=2)
    other = {"other_rewards": instances.generic_rewards(rng, 2, n)}
    return Instance(instances.world(rng, n, m), goals, policy, extra=other)


def conclude(instance: Instance, *, terminating: bool = True) -> Outcome:
    """Decide (a) the resolvent, (b) that M adds up when rewards do, and (c) that M determines R."""
    goals, agent = instance.goals, instance.agent
    m, continuation = agent.test_matrix, goals.continuation if terminating else goals.continuation**0
    discounted = instance.world.discount * _kernel_under_policy(instance)
    defect = np.abs(resolvent_defect(goals.rewards, continuation, discounted, m)).max()
    other = instance.extra["other_rewards"]
    summed = _with_rewards(instance, goals.rewards + other).agent.test_matrix
    gap = np.abs(summed - m - _with_rewards(instance, other).agent.test_matrix).max()
    returned = bool((rewards_from(instance, m) == goals.rewards).all())
    # One value operator, another M: the rewards that it stands for must have it, by the forward code.
    wanted = m + other
    again = bool((_with_rewards(instance, rewards_from(instance, wanted)).agent.test_matrix == wanted).all())
    text = f"defect {defect}, additive up to {gap}, R from M: {returned}, M from it: {again}"
    return Outcome(bool(defect == gap == 0) and returned and again, text, float(max(defect, gap)))


def rewards_from(instance: Instance, m: FractionArray, *, forget_ends: bool = False) -> FractionArray:
    """Return F(M) = M - gamma D T(P M) of the proof, from M alone: the policy's mean or the maximum, no rewards."""
    expected = _expectations(instance, m)
    if instance.policy is None:
        values = np.where(instance.world.available, expected, expected.min() - 1).max(axis=2)
    else:
        values = (instance.policy * expected).sum(axis=2)
    ways = instance.goals.continuation ** (0 if forget_ends else 1)
    rewards: FractionArray = m - instance.world.discount * ways * values
    return rewards


def check_any_matrix(rng: np.random.Generator, amount: int, *, forget_ends: bool = False) -> Tally:
    """(c) for given policies and optimal agents: a drawn matrix is the M of the rewards F(M), solved for anew."""
    tally = Tally()
    for _ in range(amount):
        drawn = draw(rng, 4)
        instance = Instance(drawn.world, drawn.goals, drawn.policy if rng.integers(2) else None)
        m = exact.fraction_array(rng.integers(-9, 10, drawn.goals.rewards.shape))
        found = _with_rewards(instance, rewards_from(instance, m, forget_ends=forget_ends)).agent.test_matrix
        agent = "an optimal agent" if instance.policy is None else "given policies"
        tally.add(bool((found == m).all()), 0.0, f"{agent}: the M of F(M) differs by {np.abs(found - m).max()}")
    return tally


def check_soft(rng: np.random.Generator, amount: int, *, entropy: bool = True) -> Tally:
    """Maximum-entropy agents, up to 8 states: (I - gamma D P) m = r + gamma tau D H, below 1e-9 of the largest value.

    Without `entropy` the rewards gain nothing, which is wrong.
    """
    tally = Tally()
    for _ in range(amount):
        n, m = int(rng.integers(2, 9)), int(rng.integers(1, 4))
        mdp = environments.random_mdp(n, m, discount=float(rng.uniform(0, 0.95)), seed=rng)
        goals = Goals(rng.standard_normal((3, n)), rng.choice([0.0, 0.5, 1.0], (3, n)))
        temperature = float(10 ** rng.uniform(-1, 1))
        agent = bellman.solve_soft(mdp, goals, temperature=temperature)
        policy = policies.softmax(agent.q, mdp.available, temperature=temperature)
        bonus = -(policy * np.log(np.maximum(policy, 1e-300))).sum(axis=2) * temperature * float(entropy)
        rewards = goals.rewards + mdp.discount * goals.continuation * bonus
        discounted = mdp.discount * np.einsum("gsa,sat->gst", policy, mdp.toarray())
        defect = resolvent_defect(rewards, goals.continuation, discounted, agent.test_matrix)
        worst = float(np.abs(defect).max() / max(np.abs(agent.test_matrix).max(), 1.0))
        tally.add(worst < 1e-9, worst, f"n={n}, m={m}, temperature {temperature:.2g}: defect {worst:.1e}")
    return tally


def _with_rewards(instance: Instance, rewards: FractionArray) -> Instance:
    return Instance(instance.world, exact.ExactGoals(rewards, instance.goals.continuation), instance.policy)


def _expectations(instance: Instance, m: FractionArray) -> FractionArray:
    """Return P m_g, shape (G, S, A)."""
    result: FractionArray = (instance.world.kernel[None] * m[:, None, None, :]).sum(axis=3)
    return result


def _kernel_under_policy(instance: Instance) -> FractionArray:
    """Return P_g, shape (G, S, S): of the given policy, or of one that is greedy in the exact values."""
    agent = instance.agent
    if agent.policy is None:
        best = np.where(agent.available, agent.q, -np.inf).argmax(axis=2)
        policy = np.eye(agent.n_actions, dtype=int)[best]
    else:
        policy = np.broadcast_to(agent.policy, agent.q.shape)
    result: FractionArray = (policy[:, :, :, None] * instance.world.kernel[None]).sum(axis=2)
    return result


def optimal_agents() -> SearchStrategy[Instance]:
    """Draw deterministic worlds with two states, optimal agents for one goal, and further rewards."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half, ever, whole = st.just(Fraction(1, 2)), st.just(Fraction(1)), st.integers(0, 2).map(Fraction)
        world = draw(exact_mdps(n_states=2, n_actions=2, discounts=half, max_successors=1, all_available=True))
        goals, other = (draw(exact_goals(2, n_goals=1, rewards=whole, continuations=ever)) for _ in range(2))
        return Instance(world, goals, extra={"other_rewards": other.rewards})

    return made()


HYPOTHESES = (Hypothesis(FIXED, lambda i: i.policy is not None, optimal_agents),)
# That 0 <= gamma < 1 and 0 <= C <= 1 is part of what a world and goals are: no instance can lack it.


def check_resolvent_symbolically(_rng: np.random.Generator, amount: int, *, terminating: bool = True) -> Tally:
    """For n <= amount and m <= 2, every entry a symbol: the resolvent is what Bellman's equation determines.

    With m = adj(A) r / det A, A = I - gamma D P_pi, and Q = P m: R + gamma C sum_a pi Q = m, times det A. Neither rows
    that sum to one nor a discount below one are used: it is an identity of polynomials.
    """
    tally = Tally()
    for n, m in [(n, m) for n in range(1, amount + 1) for m in (1, 2)]:
        symbols = symbol_arrays(P=(n, m, n), pi=(n, m), r=(n,), C=(n,), gamma=())
        kernel, policy, rewards, gamma = (symbols[name] for name in ("P", "pi", "r", "gamma"))
        continuation = symbols["C"] if terminating else symbols["C"] ** 0
        under_policy = (policy[:, :, None] * kernel).sum(axis=1)
        system = identity(n) - symbols["C"][:, None] * under_policy * gamma
        scale = determinant(system)
        scaled_m = adjugate(system) @ rewards
        scaled_v = (policy * (kernel @ scaled_m)).sum(axis=1)
        bellman_gap = rewards * scale + continuation * scaled_v * gamma - scaled_m
        discounted = under_policy[None] * gamma
        defect = resolvent_defect(rewards[None] * scale, continuation[None], discounted, scaled_m[None])
        holds = vanishes(bellman_gap) and vanishes(defect)
        tally.add(holds, 0.0, f"n={n}, m={m}: a difference of {len(defect[0, 0])} terms")
    return tally


def check_determinant_symbolically(_rng: np.random.Generator, amount: int, *, sign: int = 1) -> Tally:
    """For n <= amount: det(I - A), in slacks b_s and entries A_st, has positive coefficients, and 1 at prod b_s."""
    tally = Tally()
    for n in range(1, amount + 1):
        symbols = symbol_arrays(b=(n,), A=(n, n))
        slack, outside = symbols["b"], symbols["A"] * (1 - identity(n))
        system = np.diag(slack + sign * outside.sum(axis=1)) - outside
        expanded = determinant(system)
        coefficients = [coefficient for _, coefficient in expanded.terms()]
        positive = all(coefficient > 0 for coefficient in coefficients)
        leading = expanded.coeff(np.prod(slack))
        tally.add(positive and leading == 1, 0.0, f"n={n}: coefficients from {min(coefficients)}, leading {leading}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random worlds with 30 states and 12 goals: defect below 1e-10 of the largest value."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(30, 3, discount=float(rng.uniform(0.1, 0.99)), seed=rng)
        drawn = Goals.generic(30, 12, seed=rng)
        goals = Goals(drawn.rewards, rng.choice([0.0, 0.5, 1.0], drawn.rewards.shape))
        policy = policies.random(mdp.available, seed=rng, n_goals=12)
        m = bellman.evaluate(mdp, goals, policy).test_matrix
        under_policy = np.einsum("gsa,sat->gst", policy, mdp.toarray())
        gaps = resolvent_defect(goals.rewards, goals.continuation, mdp.discount * under_policy, m)
        worst = float(np.abs(gaps).max() / np.abs(m).max())
        tally.add(worst < 1e-10, worst, f"defect {worst:.1e}")
    return tally


def singular_without_discount() -> bool:
    """Tell whether I - P is singular for a stochastic P: rewards then do not determine test functions at gamma = 1."""
    kernel = exact.fraction_array([["1/2", "1/2"], ["1/3", "2/3"]])
    return exact.determinant(identity(2) - kernel) == 0


def _optimal(rng: np.random.Generator, size: int) -> Instance:
    drawn = draw(rng, size)
    return Instance(drawn.world, drawn.goals, extra=drawn.extra)


STATEMENT = Statement(
    id="L1",
    title="Resolvent form of the test functions",
    latex=r"m_g = (I - \gamma D_g P_g)^{-1} r_g, \qquad D_g = \operatorname{diag}(C_g), "
    r"\quad P_g = \textstyle\sum_a \pi_g P_a",
    plain="Each row of M solves a linear system in the goal's own rewards, to which a maximum-entropy agent adds the "
    "discounted entropies of its policy. For a fixed policy the map from rewards to "
    "test functions is a linear bijection. For any locally Lipschitz value operator M determines R, and what holds for "
    "almost every matrix holds for M for almost every R.",
    source="Lemma 1 of arXiv 2606.21173, finite form; the transfer to Lipschitz value operators is ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds, policies and continuations: resolvent, additivity, and R from M",
              exact_check(draw, HYPOTHESES, conclude, size=4), (30, 300, 3000)),
        Check("exact", "given policies and optimal agents: any matrix is the M of the rewards F(M)", check_any_matrix,
              (30, 300, 3000)),
        Check("symbolic", "n <= 3, m <= 2, all entries symbols, with ending: the resolvent solves Bellman's equation",
              check_resolvent_symbolically, (3, 3, 3)),
        Check("symbolic", "det(I - gamma D P) is a sum of nonnegative terms, one of them at least (1 - gamma)^n",
              check_determinant_symbolically, (2, 4, 5)),
        Check("numeric", "worlds with 30 states and 12 goals: the defect of the system", check_numeric, (10, 100, 500)),
        Check("numeric", "maximum-entropy agents: the system with their entropies", check_soft, (20, 200, 1000)),
    ),
    counterexamples=(
        Counterexample(FIXED, "an optimal agent: test functions do not add up when rewards do", stored("L1", FIXED)),
        Counterexample("the discount is below 1", "I - P is singular: the map from rewards is no bijection",
                       show=singular_without_discount),
    ),
    mutations=(
        Mutation("optimal agents add up too", exact_check(_optimal, (), conclude, size=4), 20),
        Mutation("C = 1 in the system, whatever it is",
                 exact_check(draw, HYPOTHESES, partial(conclude, terminating=False), size=4), 5),
        Mutation("R from M as if nothing ended", partial(check_any_matrix, forget_ends=True), 10),
        Mutation("maximum-entropy agents without their entropies", partial(check_soft, entropy=False), 10),
        Mutation("C = 1 in the symbolic system", partial(check_resolvent_symbolically, terminating=False), 2),
        Mutation("the off-diagonal entries enter the diagonal with the other sign",
                 partial(check_determinant_symbolically, sign=-1), 2),
    ),
    open_levels={
        "universal": "all entries are symbols at n <= 3, m <= 2; no enumeration adds to that",
    },
    api=("tabular_inversion.evaluate", "tabular_inversion.exact.evaluate", "tabular_inversion.AgentValues"),
)  # fmt: skip
