"""T2b: in a deterministic world the nearest column is the true one if Delta > 2 (1 + gamma c_p) eps."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import product
from math import isqrt
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.matching_by_smt import check_by_smt
from proofs_checks.rational_norms import NORMS, constant_power, is_below, least_distance_power, power
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from proofs_checks.t2a_deterministic_one_goal import is_deterministic
from tabular_inversion import AgentValues, Deterministic, Goals, bellman, environments, exact, invert, policies
from tabular_inversion.error_bounds import perturbation_constant, separation_radius
from tabular_inversion.error_bounds.tight_instances import START, TRUTH, MatchingOperator, tight_matching_instance
from tabular_inversion.exact import ExactAgentValues

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
$Q$ are an agent's exact values in the world $P$, whose rows are distributions. $\hat Q$ are other numbers, with noise

$$
E_g(s,a) = \hat Q_g(s,a) - Q_g(s,a), \qquad \|E(s,a)\|_p \le \varepsilon \quad\text{for every available } (s,a),
$$

the norm being taken over the $k$ goals, $1 \le p \le \infty$. From $\hat Q$ the same operator makes $\hat V$, and
$\hat M = R + \gamma\, C \odot \hat V$. Column $t$ of $M$ is $M_t \in \mathbb R^k$; the values of row $(s,a)$ are
$q = Q(s,a) - \rho(s,a)$ and $\hat q = \hat Q(s,a) - \rho(s,a)$. $R$, $C$, $\rho$, $\gamma$ and a given policy are
known without error. A state has $m_s \le m$ available actions.

**Lemma 1 (averaging).** *Let $V_g(s) = T(Q_g(s,\cdot))$ with a given policy, the maximum, the soft maximum, or any
$T$ that is monotone and satisfies $T(x + c\mathbf 1) = T(x) + c$. Then there are distributions $w_g(\cdot\mid s)$
over the available actions with*

$$
\hat V_g(s) - V_g(s) = \sum_a w_g(a\mid s)\,E_g(s,a) .
$$

*For a given policy, $w = \pi$.*

*Proof.* A policy: $V$ is linear in $Q$. Otherwise let $x = Q_g(s,\cdot)$ and $e = E_g(s,\cdot)$. As
$x + \min e \le x + e \le x + \max e$, entry by entry, the two properties give $\min e \le T(x+e) - T(x) \le \max e$;
and every number between the least and the largest of the $e(a)$ is a weighted mean of them. $\square$

**Lemma 2 (columns).** *$\|\hat M_s - M_s\|_p \le \gamma\, c_p(s)\, \varepsilon$ with $c_\infty(s) = \max_g C_g(s)$
and, for $p < \infty$,*

$$
c_p(s)^p = \sum_a \max_g\, C_g(s)^p\, \pi_g(a\mid s) \quad\text{for a given policy},
\qquad
c_p(s)^p = \text{the sum of the } \min(m_s, k) \text{ largest of the } C_g(s)^p \quad\text{for any agent of Lemma 1}.
$$

*Let $c_p = \max_s c_p(s)$. Then $c_\infty \le 1$; $c_p \le 1$ for an unconditional policy; and
$c_p \le \min(m,k)^{1/p}$ always.*

*Proof.* Goal $g$ of the difference is $\gamma\, C_g(s)\,(\hat V_g(s) - V_g(s))$. For $p = \infty$, Lemma 1 bounds it
by $\gamma\, C_g(s)\, \varepsilon$. Let $p < \infty$. As $|x|^p$ is convex and $w_g$ a distribution,

$$
\sum_g C_g^p\,\Bigl|\sum_a w_g(a) E_g(a)\Bigr|^p
\;\le\; \sum_g \sum_a C_g^p\, w_g(a)\, |E_g(a)|^p
\;\le\; \sum_a \Bigl(\max_g C_g^p\, w_g(a)\Bigr) \sum_g |E_g(a)|^p
\;\le\; \varepsilon^p \sum_a \max_g C_g^p\, w_g(a) .
$$

With $w = \pi$ this is the first claim. For any $w$, let $g(a)$ be a goal at which the maximum for $a$ is attained.
The last sum is $\sum_g \lambda_g C_g^p$ with $\lambda_g = \sum_{a : g(a) = g} w_g(a)$. Here $0 \le \lambda_g \le 1$,
because $w_g$ is a distribution, and $\sum_g \lambda_g \le m_s$, because each action is counted once with a weight of
at most 1. Under these constraints, and with $k$ terms, the sum is largest if the $\min(m_s,k)$ largest $C_g^p$ have
$\lambda_g = 1$ and the others 0: the second claim. For an unconditional policy
$\sum_a \max_g C_g^p\,\pi(a) = \max_g C_g^p \le 1$; the rest follows from $C \le 1$. $\square$

**These constants are right.** In each case some noise attains $c_p(s)$:

- $p = \infty$: the noise $\varepsilon$ in every value of $s$ for a goal of largest $C_g(s)$ moves its $V$ by
  $\varepsilon$, for every operator;
- $p = 1$ and a given policy: for each action, put $\varepsilon$ on a goal that maximises $C_g\,\pi_g(a)$; then
  $\sum_g C_g \sum_a \pi_g(a) E_g(a) = \varepsilon\, c_1(s)$;
- any $p$ and a policy that is deterministic at $s$: for each action that some goal takes, put $\varepsilon$ on one
  goal of largest $C_g$ among those that take it; each such goal's $V$ moves by $\varepsilon$, and no other's;
- any $p$ and an unconditional policy: $\varepsilon$ on one goal of largest $C_g(s)$, for all actions;
- any $p$ and an optimal agent whose actions are all worth the same at $s$: put $+\varepsilon$ on one of the
  $\min(m_s,k)$ goals of largest $C_g(s)$ for each action, a different goal for each.

A policy that is stochastic and goal-conditioned can have a smaller constant for $1 < p < \infty$. For a
maximum-entropy agent the constant is approached, as $w_g(a) \to 1$ where values are far apart compared with $\tau$;
it is not attained if $p < \infty$, $m_s \ge 2$ and the second largest $C_g(s)$ is positive, since all $w_g(a) < 1$. If
only one $C_g(s)$ is positive, noise $\varepsilon$ on that goal for all actions attains it.

**Lemma 3 (misfit of the truth).** *For every available row $p = P(\cdot\mid s,a)$,*

$$
\|\hat q - \hat M p\|_p \;\le\; \beta_p := (1 + \gamma c_p)\,\varepsilon .
$$

*Proof.* $Mp = q$ gives $\hat q - \hat M p = E(s,a) - (\hat M - M)\,p = E(s,a) - \sum_t p_t\,(\hat M_t - M_t)$. The
first term has norm at most $\varepsilon$. The second is a weighted mean of vectors of norm at most
$\gamma c_p \varepsilon$ by Lemma 2, because $p$ is a distribution. $\square$

**The statement.** Let $\Delta = \min_{t \ne t'} \|M_t - M_{t'}\|_p$ and
$\hat\Delta = \min_{t\neq t'} \|\hat M_t - \hat M_{t'}\|_p$, and let the world be deterministic.

**(a)** A priori: if $\Delta > 2(1+\gamma c_p)\,\varepsilon$, matching is right in every row.

**(b)** A posteriori: if $\hat\Delta > 2(1+\gamma c_p)\,\varepsilon$, matching is right in every row.

**(c)** Row by row: the true column is among those with $\|\hat M_t - \hat q\|_p \le (1+\gamma c_p)\,\varepsilon$. If
there is only one, matching is right in this row. Under (b) there is only one for every row.

**(d)** For every $p$ in $\{1,2,\infty\}$, every $0 \le \gamma < 1$, and optimal agents as well as both kinds of
policies, (a) and (b) are false with $\ge$ in place of $>$.

*Proof.* Let $t$ be the true successor, so that $q = M_t$, and let $t' \neq t$.

(c) $\|\hat M_t - \hat q\|_p \le \beta_p$ is Lemma 3 with $p = e_t$. If no other column is as near as $\beta_p$, then
$t$ is the nearest. Under (b),
$\|\hat M_{t'} - \hat q\|_p \ge \hat\Delta - \|\hat M_t - \hat q\|_p > 2\beta_p - \beta_p$.

(b) follows from (c).

(a) Here the column of $t'$ is compared with the exact one of $t$:

$$
\|\hat M_{t'} - \hat q\|_p \ge \|M_{t'} - M_t\|_p - \|\hat M_{t'} - M_{t'}\|_p - \|E(s,a)\|_p
\ge \Delta - \gamma c_p \varepsilon - \varepsilon > \beta_p,
$$

while $\|\hat M_t - \hat q\|_p \le \beta_p$. (Going through (b) would lose:
$\hat\Delta \ge \Delta - 2\gamma c_p\varepsilon$ only.)

(d) `tight_matching_instance`. Let $w \ge 1$ be the number of goals and of actions, $r = w^{1/p}$, and $c = r$ for an
optimal agent and for the policy by which goal $g$ takes action $g$; $c = 1$ for the policy that takes action 0 for
all goals. Put $\delta = 2(1+\gamma c)$ and $\varepsilon = r$. Four states, all actions alike, $C = 1$, and the same
rewards for each goal:

| state | leads to | reward on arrival | $M_g$ |
|---|---|---|---|
| decoy | sink | $-\delta$ | $\mu - \delta$ |
| truth | sink | $0$ | $\mu$, where $\mu = 2\delta\gamma/(1-\gamma)$ |
| start | truth | $6\delta$ | $6\delta + \gamma\mu = \mu + (6 - 2\gamma)\,\delta$ |
| sink | sink | $2\delta$ | $2\delta/(1-\gamma) = \mu + 2\delta$ |

The columns are multiples of $\mathbf 1$; the nearest two are those of decoy and truth, and
$\Delta = \delta r = 2(1+\gamma c)\,\varepsilon$. The noise:

- at decoy and at truth, for an optimal agent and for the conditional policy: action $a$ errs by $+\varepsilon$ on
  goal $a$ alone. Then every goal's $V$ rises by $\varepsilon = c\varepsilon/r$. For the unconditional policy: every
  value errs by $+\varepsilon/r$, and $V$ rises by $\varepsilon/r = c\varepsilon/r$. Either way
  $\|E(s,a)\|_p = \varepsilon$, and both columns rise by $(\gamma c\,\varepsilon/r)\,\mathbf 1$;
- in row (start, 0): every goal errs by $-\varepsilon/r$, of norm $\varepsilon$. No other value errs.

Now $\hat q - \hat M_{\text{truth}} = -(1+\gamma c)(\varepsilon/r)\,\mathbf 1$, of norm $(1+\gamma c)\,\varepsilon$,
and $\hat q - \hat M_{\text{decoy}} = \bigl(\delta - (1+\gamma c)\,\varepsilon/r\bigr)\mathbf 1$, of norm
$\Delta - (1+\gamma c)\,\varepsilon = (1+\gamma c)\,\varepsilon$. The two columns are equally near, and the values do
not say which is meant; matching takes the first, which is the wrong one. $\hat\Delta = \Delta$: the two columns moved
alike, and all other distances were at least $2\delta r$ and change by $\gamma(1+c)\,\varepsilon \le \delta r$ at
most. With any more noise of this shape the wrong column is the nearer one. $\square$

**One value function.** With $k = 1$, $C = 1$ and a constant reward, columns are $\gamma$ times as far apart as values:
if values are at least $\delta$ apart, (a) asks for $\varepsilon < \gamma\delta / (2(1+\gamma)) = \delta / (2/\gamma +
2)$, the threshold of Adamczyk (arXiv 2501.09081, 2025).
"""

SURE = "the world is deterministic"
BELOW = "the columns are more than 2 (1 + gamma c_p) eps apart"
KNOWN = "the policy is exact, not estimated from noisy values"


# An instance carries `noise`, shape (G, S, A), and the `norm` over goals: 1, 2, or 0 for infinity.
def norm_of(instance: Instance) -> int:
    """Return 1, 2, or 0 for infinity."""
    return int(instance.extra["norm"].item())


def noise_is_below(instance: Instance) -> bool:
    """Decide the hypothesis of (a), exactly."""
    agent, norm = instance.agent, norm_of(instance)
    eps = Fraction(power(instance.extra["noise"], norm)[agent.available].max())
    distance = least_distance_power(agent.test_matrix, norm)
    return is_below(distance, eps, constant_power(agent, norm), agent.discount, norm)


def noisy(instance: Instance) -> ExactAgentValues:
    """Return the values with the noise added."""
    agent = instance.agent
    q = np.where(agent.available, agent.q, 0) + instance.extra["noise"]
    return ExactAgentValues(q, agent.goals, agent.discount, agent.policy, agent.available)


def conclude(instance: Instance) -> Outcome:
    """Decide in fractions that the true column is the nearest in each row; the package finds it in floats."""
    norm, shown = norm_of(instance), noisy(instance)
    distances = power(shown.test_matrix[:, None, :] - shown.right_hand_sides[:, :, None], norm)  # (rows, S)
    truth = instance.world.rows[shown.row_index]
    rivals = np.where(truth == 1, np.inf, distances).min(axis=1)
    margins = rivals - np.where(truth == 1, distances, np.inf).min(axis=1)
    margin = margins.min() if is_deterministic(instance.world) else -1
    found = invert(shown.to_float(), Deterministic(), norm=NORMS[norm]).to_mdp().toarray()
    same = bool((found == instance.world.kernel.astype(float))[shown.available].all())
    constant = float(constant_power(shown, norm)) ** (1.0 if norm == 0 else 1.0 / norm)
    agrees = abs(constant - perturbation_constant(shown.to_float(), norm=NORMS[norm])) < 1e-12
    text = (
        f"norm {NORMS[norm]}: least margin {float(margin):.3g}, found by the package: {same}, same constant: {agrees}"
    )
    return Outcome(bool(margin > 0) and same and agrees, text)


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a deterministic world with 2 to `size` states, goals, an agent, and noise of 1/2 to 99/100 of the radius."""
    n, m = instances.sizes(rng, largest=size)
    k, norm = int(rng.integers(1, 4)), int(rng.integers(3))
    ends = exact.fraction_array(rng.integers(0, 3, (k, n))) / 2
    goals = exact.ExactGoals(instances.generic_rewards(rng, k, n), ends)
    policy = (None, instances.policy(rng, n, m), instances.policy(rng, n, m, n_goals=k))[rng.integers(3)]
    world = instances.world(rng, n, m, branching=1)
    calm = Instance(world, goals, policy, "deterministic")
    radius = separation_radius(calm.agent.to_float(), norm=NORMS[norm])
    eps = Fraction(radius * float(rng.choice([0.5, 0.9, 0.99])))
    direction = exact.fraction_array(rng.integers(-3, 4, (k, n, m)))
    sizes = power(direction, norm)
    if norm == 2:  # a rational number that is no smaller than the root
        sizes = np.vectorize(lambda x: Fraction(isqrt(int(x) * 10**12) + 1, 10**6), otypes=[object])(sizes)
    noise = direction * eps / np.where(sizes == 0, 1, sizes)
    extra = {"noise": noise, "norm": exact.fraction_array([norm])}
    return Instance(world, goals, policy, "deterministic", extra)


def loud_or_random(*, max_successors: int, loudest: int) -> SearchStrategy[Instance]:
    """Draw optimal agents with one goal in worlds with two states and one action, and noise up to `loudest`."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=2, n_actions=1, discounts=half, max_successors=max_successors, max_weight=1))
        goals = exact.ExactGoals(exact.fraction_array([[0, draw(st.integers(1, 4))]]))
        numbers = draw(st.lists(st.integers(-loudest, loudest), min_size=2, max_size=2))
        extra = {"noise": exact.fraction_array([[[x] for x in numbers]]), "norm": exact.fraction_array([0])}
        return Instance(world, goals, None, "deterministic", extra)

    return made()


def at_the_threshold(*, norm: int, width: int) -> Instance:
    """Return the package's world and noise for which D = 2 (1 + gamma c_p) eps."""
    found = tight_matching_instance(norm=NORMS[norm], width=width)
    extra = {"noise": found.noisy.q - found.exact.q, "norm": exact.fraction_array([norm])}
    return Instance(found.world, found.exact.goals, found.exact.policy, "deterministic", extra)


HYPOTHESES = (
    Hypothesis(SURE, lambda i: is_deterministic(i.world), partial(loud_or_random, max_successors=2, loudest=0)),
    Hypothesis(BELOW, noise_is_below, partial(loud_or_random, max_successors=1, loudest=3)),
)


def check_tight(_rng: np.random.Generator, amount: int, *, discounted: bool = True) -> Tally:
    """The tight worlds in all norms, for all operators, width 1 to `amount`: right below the threshold, not at it.

    Without `discounted` the claim is that noise just below D / 2 is harmless: 1 in place of 1 + gamma c.
    """
    tally = Tally()
    for norm, width, operator, gamma in product(
        NORMS, range(1, amount + 1), get_args(MatchingOperator), ("0", "1/2", "9/10")
    ):
        if norm == 2 and isqrt(width) ** 2 != width:
            continue
        root = {0: 1, 1: width, 2: isqrt(width)}[norm]
        factor = 1 + Fraction(gamma) * (1 if operator == "unconditional" else root)
        for excess in ("-1/1000", "0", "1/1000"):
            share = (1 + Fraction(excess)) * (1 if discounted else factor) - 1
            world: Any = tight_matching_instance(
                norm=NORMS[norm],
                width=width,
                operator=operator,
                discount=gamma,
                excess=share,
            )
            extra = {"noise": world.noisy.q - world.exact.q, "norm": exact.fraction_array([norm])}
            case = Instance(world.world, world.exact.goals, world.exact.policy, "deterministic", extra)
            right = _true_column_is_nearer(case)
            text = f"norm {NORMS[norm]}, width {width}, {operator}, gamma {gamma}, excess {excess}: right: {right}"
            tally.add(right is excess.startswith("-"), 0.0, text)
    return tally


def _true_column_is_nearer(case: Instance) -> bool:
    """Compare in fractions, for the one row (START, 0) of a tight world; ties count as wrong."""
    shown, norm = noisy(case), norm_of(case)
    distances = power(shown.test_matrix - shown.q[:, START, 0][:, None], norm)
    return bool(distances[TRUTH] < np.delete(distances, TRUTH).min())


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Random deterministic worlds with 60 states, three goals, noise of 0.99 of the radius: `invert` is right."""
    tally = Tally()
    for i in range(amount):
        mdp = environments.random_mdp(60, 3, branching=1, discount=0.9, seed=rng)
        agent = bellman.solve(mdp, Goals.generic(60, 3, seed=rng))
        norm = NORMS[i % 3]
        noise = rng.standard_normal(agent.q.shape)
        noise *= 0.99 * separation_radius(agent, norm=norm) / np.linalg.norm(noise, norm, axis=0)
        result = invert(AgentValues(agent.q + noise, agent.goals, 0.9), Deterministic(), norm=norm)
        error = result.max_error(mdp)
        tally.add(error == 0.0, error, repr(result))
    return tally


def estimated_policy_moves_too_far() -> bool:
    """Tell whether the mean of Q under its own softmax moves by more than the noise, although c = 1."""

    def mean_under_softmax(q: Any) -> float:
        policy = policies.softmax(q, np.ones((1, 2), bool), temperature=1.0)
        return float(AgentValues(q, Goals([[0.0]]), discount=0.5, policy=policy).v.item())

    clean, noise = np.array([[[0.0, 2.4]]]), 1e-3 * np.array([[[-1.0, 1.0]]])
    return mean_under_softmax(clean + noise) - mean_under_softmax(clean) > 1.1e-3


def soft_constant_is_attained() -> bool:
    """Tell whether a soft agent's column moves by the whole constant iff one of two goals ends."""
    shift = 0.25
    shares = []
    for second in (0.0, 1.0):
        goals = Goals(np.zeros((2, 1)), np.array([[1.0], [second]]))
        q = np.array([[[0.0, 1.0]], [[1.0, 0.0]]])
        noise = np.array([[[shift, 0.0]], [[0.0, shift]]]) if second else np.array([[[shift, shift]], [[0.0, 0.0]]])
        before, after = (AgentValues(x, goals, 0.5, temperature=1.0).test_matrix for x in (q, q + noise))
        shares.append(float(np.abs(after - before).sum()) / (0.5 * (1.0 + second) * shift))
    return abs(shares[0] - 1) < 1e-12 and shares[1] < 0.9


STATEMENT = Statement(
    id="T2b",
    title="Matching columns under noise",
    latex=r"\Delta = \min_{t\ne t'}\|M_t - M_{t'}\|_p > 2(1+\gamma c_p)\,\varepsilon \ \Rightarrow\ "
    r"\operatorname{argmin}_t \|\hat M_t - \hat q\|_p \text{ is right}, \quad "
    r"c_p^p = \max_s \textstyle\sum_a \max_g C_{gs}^p\, \pi_g(a\mid s) \le \min(m,k)",
    plain="In a deterministic world noisy values still show each successor, as the nearest column, while the noise is "
    "below the separation radius Delta / (2 (1 + gamma c_p)); noise of exactly that size can fail, in the norms 1, 2 "
    "and infinity. For optimal agents c_p^p is the largest sum over states of min(m, k) of the C^p; c_inf = max C.",
    source="Theorem 2 of arXiv 2606.21173, finite form; the constants c_p and their tightness are ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds, noise of up to 0.99 of the radius, three norms, three kinds of agents",
              exact_check(draw, HYPOTHESES, conclude, size=5), (30, 300, 3000)),
        Check("exact", "tight worlds: right just below the threshold, wrong at it and above", check_tight, (2, 4, 9)),
        Check("universal", "two columns, k, m <= 2, norms 1 and infinity: no counterexample (SMT)", check_by_smt,
              (2, 2, 2), needs="z3"),
        Check("numeric", "random worlds with 60 states, noise of 0.99 of the radius", check_numeric, (6, 30, 150)),
    ),
    counterexamples=(
        Counterexample(SURE, "a random row, no noise: it is no column", stored("T2b", SURE)),
        Counterexample(BELOW, "more noise than the columns are apart", stored("T2b", BELOW)),
        *(Counterexample(BELOW, f"noise at the T2(b) threshold, {name}-norm: the wrong column is as near",
                         partial(at_the_threshold, norm=norm, width=width))
          for norm, name, width in ((0, "infinity", 1), (1, "1", 3), (2, "2", 4))),
        Counterexample(KNOWN, "a softmax policy of the noisy values: V moves by 1.2 times the noise, although c = 1",
                       show=estimated_policy_moves_too_far),
        Counterexample("a maximum-entropy agent with two goals that go on", "if one of two goals ends, its constant is "
                       "attained", show=soft_constant_is_attained),
    ),
    mutations=(
        Mutation("1 in place of 1 + gamma c", partial(check_tight, discounted=False), 1),
        Mutation("1 in place of 1 + gamma, asked of the solver", partial(check_by_smt, discounted=False), 1,
                 needs="z3"),
        Mutation("c = 1 in the 1-norm for every agent, asked of the solver", partial(check_by_smt, constant=False), 2,
                 needs="z3"),
    ),
    open_levels={
        "symbolic": "an inequality is no identity; the SMT solver covers it at fixed size",
    },
    api=("tabular_inversion.Deterministic", "tabular_inversion.error_bounds.separation_radius",
         "tabular_inversion.error_bounds.perturbation_constant"),
)  # fmt: skip
