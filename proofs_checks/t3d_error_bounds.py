"""T3d: an error bound for each recovered row, with a constant, 1 + discount c, that no method improves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.binding_worlds import binding_world, column_constant, shifts
from proofs_checks.exact_least_squares import length, nearest_in_simplex, positive_definite, pseudo_inverse, root
from proofs_checks.instance import Instance
from proofs_checks.smt_error_bounds import contradictory, questions
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Goals, Stochastic, Unconstrained, bellman, environments, exact, invert
from tabular_inversion.error_bounds.tight_instances import lower_bound_instance
from tabular_inversion.exact.rationals import FractionArray

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
$Q$ are an agent's exact values in the world $P$, whose rows are distributions, and $\hat Q$ are other numbers, with
noise $E_g(s,a) = \hat Q_g(s,a) - Q_g(s,a)$, $\|E(s,a)\|_p \le \varepsilon$ in every available row, the norm being over
the $k$ goals. From $\hat Q$ the same operator makes $\hat V$ and $\hat M = R + \gamma\, C\odot\hat V$. $M_t$ is column
$t$ of $M$, $q$ and $\hat q$ are the values of a row, less action rewards.

*Lemma 1 (averaging).* Let $V_g(s) = T(Q_g(s,\cdot))$ with a given policy, the maximum, the soft maximum, or any $T$
that is monotone with $T(x + c\mathbf 1) = T(x) + c$. Then $\hat V_g(s) - V_g(s) = \sum_a w_g(a|s)\, E_g(s,a)$ with
distributions $w_g(\cdot|s)$. For a given policy, which is linear, $w = \pi$. Otherwise $x + \min e \le x + e \le x +
\max e$ gives $\min e \le T(x+e) - T(x) \le \max e$, and every number in between is a weighted mean of the entries of
$e$.

*Lemma 2 (columns).* $\|\hat M_s - M_s\|_p \le \gamma c_p\,\varepsilon$, where $c_\infty = \max C$ and, for $p<\infty$,
$c_p^p$ is the largest over states of $\sum_a \max_g C_g(s)^p\,\pi_g(a|s)$ for a given policy, and of the sum of the
$\min(m,k)$ largest $C_g(s)^p$ for any agent of Lemma 1. For $p = \infty$ this is Lemma 1. For $p<\infty$, as $|x|^p$ is
convex,

$$
\sum_g C_g^p\,\Bigl|\sum_a w_g(a) E_g(a)\Bigr|^p
\le \sum_a \sum_g C_g^p\, w_g(a)\, |E_g(a)|^p
\le \varepsilon^p \sum_a \max_g C_g^p\, w_g(a) .
$$

With $w = \pi$ this is the first claim. For any $w$ let $g(a)$ be a goal at which the maximum for $a$ is attained; the
last sum is $\sum_g \lambda_g C_g^p$ with $\lambda_g = \sum_{a: g(a)=g} w_g(a) \in [0,1]$ and $\sum_g\lambda_g \le m$,
largest if the $\min(m,k)$ largest $C_g^p$ have $\lambda_g = 1$. So $c_p \le 1$ for an unconditional policy, and $c_p
\le \min(m,k)^{1/p}$ always.

*Lemma 3 (misfit of the truth).* Every row $x = P(\cdot|s,a)$ has $\|\hat q - \hat M x\|_p \le \beta := (1+\gamma
c_p)\,\varepsilon$. For $\hat q - \hat M x = E(s,a) - \sum_t x_t(\hat M_t - M_t)$, where the last term is a weighted
mean of vectors of Lemma 2, because $x$ is a distribution.

(a) *Closed form.* Let $\operatorname{rank}\hat M = n$. Then $\hat M^+\hat M = I$, and $\hat P(s,a) = \hat M^+\hat q$
has $\hat P(s,a) - P(s,a) = \hat M^+(\hat q - \hat M P(s,a))$. By Lemma 3 its norm is at most $\|\hat M^+\|_{p\to
p}\,\beta$.

(b) *Least squares in the simplex, 2-norm.* Let $\hat x$ minimise $\|\hat Mx - \hat q\|_2$ over distributions, $J = I -
\mathbf 1\mathbf 1^\top/n$, and let $\sigma = \min\{\|\hat Mv\|_2 : \mathbf 1\cdot v = 0, \|v\|_2 = 1\}$ be positive.
The set $\{\hat My\}$, $y$ a distribution, is convex and compact; $\hat M\hat x$ is its point nearest to $\hat q$, and
$\hat Mx$ is its own nearest point. Going to the nearest point of a convex set increases no distance in the 2-norm:
$\|\hat M\hat x - \hat Mx\|_2 \le \|\hat q - \hat Mx\|_2 \le \beta$. The entries of $\hat x - x$ sum to zero, so the
left side is at least $\sigma\|\hat x - x\|_2$. Hence $\|\hat x - x\|_2 \le \beta/\sigma = \|(\hat
MJ)^+\|_{2\to2}\,\beta$.

(c) *No method is better.* $k + 1$ states that are all alike, $C = 1$, goal $g \ge 1$ pays 1 in state $g$, actions $0,
\dots, k$, and goal $g$ takes action $g$, whose base row is positive everywhere and favours state $g$, so that an
optimal agent takes it, too. World $\theta \in \{-1, 0, 1\}$ adds $\theta d_a$ to the rows of action $a$: for $h \ge 1$
let $d_g[h] = (1-\gamma)\varepsilon$ if $h = g$ and $-\gamma\varepsilon$ if not, $d_0[h] = -k^{-1/p}(1 + \gamma
k^{1/p})\,\varepsilon$, and entry 0 such that sums vanish. Then $V_g$ moves by $\theta\varepsilon$, $Q_g(\cdot, g)$ by
$\theta\varepsilon$, $Q_g(\cdot, h)$ by $0$ for other $h \ge 1$, and $Q_g(\cdot, 0)$ by $-\theta k^{-1/p}\varepsilon$:
the vectors over goals have norm $\varepsilon$ in every row, so that world 0's values are within $\varepsilon$ of those
of both others. Its rows of action 0 lie in the middle between theirs, which are $2\|d_0\|_p$ apart: whatever kernel a
method makes of these values, it is $\|d_0\|_p$ away from one of the two. Here $c_p = k^{1/p}$ and $d_0 = -(1+\gamma
c_p)\,\varepsilon\, (RJ)^+ u$ with $u = k^{-1/p}\mathbf 1$, $\|u\|_p = 1$; $(RJ)^+ w = (-\sum w, w)$ on the simplex is
longest at $u$ among vectors of its norm; and $\hat MJ = RJ$. So $\|d_0\|_p = \|(\hat MJ)^+\|_{p\to p}\,(1+\gamma
c_p)\,\varepsilon$: for $p = 2$ the bound (b) is the least that any method has, $c_2$ included, and for $p = 1$ and
$\infty$ no method has less than this.

*The closed form* attains (a). For $p = \infty$: two states, two actions, goals $R = I$, $C = 1$, and the policy that
always takes action 1. World $\theta$ has the rows $P(\cdot|\cdot,1) = (\tfrac12 + \theta(1-\gamma)\varepsilon, \tfrac12
- \theta(1-\gamma)\varepsilon)$ and $P(\cdot|\cdot,0) = (\tfrac14 - \theta(1+\gamma)\varepsilon, \tfrac34 +
\theta(1+\gamma)\varepsilon)$, distributions if $\varepsilon\le\tfrac18$; as above, world 0's values are within
$\varepsilon$ of the others', whose rows of action 0 are $2(1+\gamma)\varepsilon$ apart in each entry. There $\hat M = I
+ v\mathbf 1\mathbf 1^\top$, $v = \gamma/(2(1-\gamma))$, and $\hat M^{-1} = I - \tfrac\gamma2\mathbf 1\mathbf 1^\top$
has norm 1, so that (a) says $(1+\gamma)\varepsilon$. For $c_p$: one state, $k$ goals of reward 1, $C=1$, $k+1$ actions,
goal $g$ takes action $g$; $Q = V = 1/(1-\gamma) =: x$, $c_p = k^{1/p}$. Let action $a\le k$ err by $-\varepsilon$ on
goal $a$ alone, and action $k+1$ by $\varepsilon k^{-1/p}$ on all goals. Every $V$ falls by $\varepsilon$, $\hat M =
y\mathbf 1$ with $y = x - \gamma\varepsilon$, $\|\hat M^+\| = k^{-1/p}/y$, and the row of action $k+1$ is wrong by
$(k^{-1/p}+\gamma)\,\varepsilon/y = \|\hat M^+\|(1+\gamma k^{1/p})\,\varepsilon$. (With one state every other method
knows the row; this binds the closed form alone.) $\square$

*What would be false.* (1) The same with the norm of the whole matrix, Frobenius or spectral, on the left: equal errors
in $N$ rows have $\sqrt N$ times the norm of one. (2) The analogue of (b) with $\|(\hat MJ)^+\|_{p\to p}$ for $p = 1$ or
$p = \infty$: going to the nearest point can increase these distances. With integer matrices, and $\gamma = 0$: an error
of $\tfrac45$ where it says $\tfrac34$, and of $\tfrac23$ where it says $\tfrac58$. (3) A truth that is no distribution:
in Lemma 3 the columns' noise would be multiplied by $\|x\|_1$. (4) A policy that was itself estimated from $\hat Q$,
unless $V$ is still a function of Lemma 1.
"""

RANK = "Mhat has rank n (in the simplex: [Mhat;1])"
WITHIN = "noise of at most eps in every row"
KNOWN = "the policy is known, or optimal"
METHOD = "closed form, or least squares in the simplex and the 2-norm"
# That the truth is a distribution is part of what an Instance is. `extra` holds the noise, shape (G, S, A), eps, one
# over the norm (1, 1/2 or 0), and `estimated`, a policy that the noisy agent is taken to have.


def shown(instance: Instance) -> exact.ExactAgentValues:
    """The noisy agent, from which Mhat is made."""
    agent = instance.agent
    policy = instance.extra.get("estimated", agent.policy)
    return exact.ExactAgentValues(agent.q + instance.extra["noise"], agent.goals, agent.discount, policy)


def given(instance: Instance, name: str) -> Fraction:
    """A number among the extras."""
    number: Fraction = instance.extra[name].item()
    return number


def errors(instance: Instance) -> Iterator[FractionArray]:
    """The recovered row less the true one, for each row."""
    agent = shown(instance)
    matrix, closed = agent.test_matrix, instance.kernel_class == "unconstrained"
    inverse = pseudo_inverse(matrix) if closed else None
    for values, truth in zip(agent.right_hand_sides.T, instance.world.rows, strict=True):
        yield (nearest_in_simplex(matrix, values) if inverse is None else inverse @ values) - truth


def conclude(instance: Instance, *, own: int = 1, share: Fraction = Fraction(1)) -> Outcome:
    """Every row: |error| <= |Mhat^+| (own + share discount c) eps, or with Mhat J in the simplex; own = share = 1."""
    over = given(instance, "one over the norm")
    beta = (own + share * instance.world.discount * column_constant(instance)) * given(instance, "eps")
    matrix, n = shown(instance).test_matrix, instance.world.n_states
    basis = exact.fraction_array(np.eye(n, dtype=int))
    if instance.kernel_class == "stochastic":
        basis = basis[:, :-1] - basis[:, -1:]
    inverse = basis @ pseudo_inverse(matrix @ basis)
    norm = abs(inverse).sum(axis=0 if over == 1 else 1).max()
    for error in errors(instance):
        size = length(error[:, None], over).item()
        if over != Fraction(1, 2):
            holds, text = size <= norm * beta, f"error {size}, bound {norm * beta}"
        else:
            # The bound is beta over the least singular value, on the vectors that matter.
            gram = size * (matrix @ basis).T @ (matrix @ basis) - beta**2 * basis.T @ basis
            holds, text = size == 0 or not positive_definite(gram), f"squared error {size}, misfit {beta}"
        if not holds:
            return Outcome(False, text)
    return Outcome(True, f"all rows within the bound, misfit {beta}")


def full_rank(instance: Instance) -> bool:
    """Tell whether Mhat determines rows."""
    matrix = shown(instance).test_matrix
    if instance.kernel_class == "stochastic":
        matrix = matrix - matrix[:, -1:]
        return exact.rank(matrix).rank == instance.world.n_states - 1
    return exact.rank(matrix).rank == instance.world.n_states


def within(instance: Instance) -> bool:
    """Tell whether the noise is at most eps in every row."""
    over, eps = given(instance, "one over the norm"), given(instance, "eps")
    return bool(length(instance.extra["noise"], over).max() <= (eps**2 if over == Fraction(1, 2) else eps))


def with_noise(instance: Instance, noise: FractionArray, over: Fraction, *, eps: Fraction | None = None) -> Instance:
    """Add noise to an instance; eps is what it takes."""
    least = Fraction(length(noise, over).max())
    if over == Fraction(1, 2):
        least = root(least) if root(least) ** 2 == least else root(least) + Fraction(1, 10**15)
    numbers = {"eps": least if eps is None else eps, "one over the norm": over}
    extra = {"noise": noise} | {name: np.array([number], dtype=object) for name, number in numbers.items()}
    return Instance(instance.world, instance.goals, instance.policy, instance.kernel_class, extra)


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states, n goals, any agent, and noise, often as large in all its entries."""
    n, m = instances.sizes(rng, largest=size)
    over = (Fraction(0), Fraction(1, 2), Fraction(1))[rng.integers(3)]
    kernel_class = "stochastic" if over == Fraction(1, 2) and rng.integers(2) else "unconstrained"
    rewards = rng.integers(-5, 6, (n, n)).astype(object)
    goals = exact.ExactGoals(rewards, exact.fraction_array(rng.integers(0, 3, (n, n))) / 2)
    policy = (None, instances.policy(rng, n, m), instances.policy(rng, n, m, n_goals=n))[rng.integers(3)]
    noise = exact.fraction_array(rng.choice([-1, 1, int(rng.integers(-1, 2))], (n, n, m))) / int(rng.integers(1, 50))
    world = instances.world(rng, n, m, branching=(None, 1)[rng.integers(2)])
    drawn = with_noise(Instance(world, goals, policy, kernel_class), noise, over)
    return drawn if full_rank(drawn) else draw(rng, size)


def one_state(*, changes: str) -> SearchStrategy[Instance]:
    """Worlds with one state, one goal and one action, and noise; "rank" or "eps" says what is wrong."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    numbers = st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2)])
    rewards = st.just(Fraction(1)) if changes == "eps" else numbers

    def made(world: exact.ExactMDP, reward: Fraction, noise: Fraction, eps: Fraction) -> Instance:
        goals = exact.ExactGoals(np.array([[reward]]))
        table = np.array([[[noise]]])
        instance = Instance(world, goals, None, "unconstrained")
        return with_noise(instance, table, Fraction(0), eps=eps if changes == "eps" else None)

    worlds = exact_mdps(n_states=1, n_actions=1, discounts=st.just(Fraction(1, 2)), all_available=True)
    return st.builds(made, worlds, rewards, numbers, st.just(Fraction(1, 8)))


HYPOTHESES = (
    Hypothesis(RANK, full_rank, partial(one_state, changes="rank")),
    Hypothesis(WITHIN, within, partial(one_state, changes="eps")),
    Hypothesis(KNOWN, lambda i: "estimated" not in i.extra),
    Hypothesis(METHOD, lambda i: i.kernel_class == "unconstrained" or given(i, "one over the norm") == Fraction(1, 2)),
)


def check_attained(_rng: np.random.Generator, amount: int, *, own: int = 1) -> Tally:
    """The lower-bound worlds and the worlds with one state: the bound holds, and with a smaller constant it would not.

    In the lower-bound worlds noisy values are within eps of those of both, and the rows 2 (1 + discount) eps apart.
    """
    tally = Tally()
    for i in range(1, amount + 1):
        discount, eps = Fraction(i - 1, amount), Fraction(1, 8 * i)
        found = lower_bound_instance(eps, discount=discount)
        apart = abs(found.worlds[0].kernel - found.worlds[1].kernel)[:, 0]
        tally.add(set(apart.ravel()) == {2 * (1 + discount) * eps}, 0.0, f"rows {apart[0, 0]} apart at {discount}")
        for world, agent in zip(found.worlds, found.agents, strict=True):
            exactly = Instance(world, agent.goals, agent.policy, "unconstrained")
            tight(tally, with_noise(exactly, found.shown.q - agent.q, Fraction(0)), own)
        for k, over, part in ((3, Fraction(0), 1), (3, Fraction(1), 3), (4, Fraction(1, 2), 2)):
            tight(tally, one_state_many_goals(k, discount, over, eps, eps / part), own)
    return tally


def tight(tally: Tally, instance: Instance, own: int) -> None:
    """Count an instance on which the bound should hold, and fail with a thousandth less."""
    outcome = conclude(instance, own=own)
    less = conclude(instance, own=own, share=Fraction(999, 1000)) if instance.world.discount else Outcome(False, "")
    tally.add(outcome.holds and not less.holds, 0.0, outcome.text)


def one_state_many_goals(k: int, discount: Fraction, over: Fraction, eps: Fraction, last: Fraction) -> Instance:
    """One state and k + 1 actions, of which goal g takes action g, with the noise of (c) in the proof."""
    world = exact.ExactMDP(exact.fraction_array(np.ones((1, k + 1, 1), int)), discount)
    policy = exact.fraction_array(np.eye(k, k + 1, dtype=int)[:, None, :])
    goals = exact.ExactGoals(exact.fraction_array(np.ones((k, 1), int)))
    noise = -eps * policy
    noise[:, :, k] = last
    return with_noise(Instance(world, goals, policy, "unconstrained"), noise, over)


def check_binding(_rng: np.random.Generator, amount: int, *, forget: bool = False) -> Tally:
    """The worlds of (c), k up to `amount`, three norms and discounts, given policies and optimal agents.

    Values of world 0 are within eps of those of both others, between whose rows its own are the middle, and as far from
    them as the bound says, which would be false with a thousandth less. `forget` claims it with 1 in place of c.
    """
    tally = Tally()
    for k in range(1, amount + 1):
        discounts = [Fraction(0), Fraction(1, 2), Fraction(9, 10)] if k < 3 or amount >= 9 else [Fraction(1, 2)]
        for over in [Fraction(0), Fraction(1), *([Fraction(1, 2)] if k in {1, 4, 9} else [])]:
            for discount, optimal in product(discounts, (False, True)):
                shown, eps = binding_world(k, discount, over, optimal=optimal)
                for theta in (-1, 1):
                    world, _ = binding_world(k, discount, over, theta=theta, optimal=optimal)
                    noisy = with_noise(world, shown.agent.q - world.agent.q, over, eps=eps)
                    if forget:
                        outcome = conclude(noisy, share=1 / column_constant(noisy))
                        tally.add(outcome.holds, 0.0, f"k={k}: {outcome.text}")
                        continue
                    gap = theta * shifts(k, discount, eps, over)
                    fits = within(noisy) and bool((world.world.kernel - shown.world.kernel == gap).all())
                    tally.add(fits, 0.0, f"k={k}, discount {discount}: not within {eps}, or not the middle")
                    if theta == 1:  # the other is its mirror image
                        tight(tally, noisy, 1)
    return tally


def check_constant_one(_rng: np.random.Generator, amount: int) -> Tally:
    """The variant with (1 + 0 discount) eps, on the lower-bound worlds."""
    tally = Tally()
    for i in range(amount):
        found = lower_bound_instance("1/100", discount=Fraction(i + 1, amount + 1))
        exactly = Instance(found.worlds[0], found.agents[0].goals, found.agents[0].policy, "unconstrained")
        noisy = with_noise(exactly, found.shown.q - found.agents[0].q, Fraction(0))
        outcome = conclude(noisy, share=Fraction(0))
        tally.add(outcome.holds, 0.0, outcome.text)
    return tally


def check_universal(_rng: np.random.Generator, seconds: int, *, own: int = 1) -> Tally:
    """Every step after Lemma 1 at n = 2 and k <= 2, as questions to z3: the negations are unsatisfiable."""
    tally = Tally()
    for words, assumptions in questions(own):
        answer = contradictory(assumptions, seconds=seconds)
        tally.add(answer is True, 0.0, f"{'no answer' if answer is None else 'a counterexample'}: {words}")
    return tally


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Worlds with 20 states, the three norms and two classes: `error_bound` holds for what `invert` finds."""
    tally = Tally()
    for i in range(amount):
        mdp = environments.random_mdp(20, 2, discount=0.9, seed=rng)
        noise, norm = 1e-6, (1.0, 2.0, np.inf)[i % 3]
        agent = bellman.solve(mdp, Goals.generic(20, 24, seed=rng)).with_noise(noise, seed=rng)
        for kernel_class in (Unconstrained(), Stochastic()):
            result = invert(agent, kernel_class, noise=noise)
            bound = result.error_bound(noise, norm=norm, noise_norm=np.inf).rows
            gaps = np.linalg.norm(result.toarray() - mdp.toarray(), norm, axis=2) - bound
            tally.add(
                bool((gaps <= 0).all()), max(float(gaps.max()), 0.0), f"norm {norm}: {result}, excess {gaps.max()}"
            )
    return tally


def whole_matrix() -> bool:
    """Two goals R = I, discount 0, ten actions: the same noise in all rows, and the Frobenius norm of all rows."""
    kernel = np.broadcast_to(exact.fraction_array([1, 0]), (2, 10, 2))
    instance = Instance(
        exact.ExactMDP(kernel, Fraction(0)), exact.ExactGoals(exact.fraction_array(np.eye(2, dtype=int)))
    )
    noise = np.zeros((2, 2, 10), dtype=object) + Fraction(0)
    noise[0] = Fraction(1, 100)
    noisy = with_noise(replace(instance, kernel_class="unconstrained"), noise, Fraction(1, 2))
    squares = sum(length(error, Fraction(1, 2)) for error in errors(noisy))
    return conclude(noisy).holds and bool(squares > given(noisy, "eps") ** 2)


STATEMENT = Statement(
    id="T3d",
    title="Stochastic rows under noise",
    latex=r"\|\hat P(s,a) - P(s,a)\|_p \le \|\hat M^+\|_{p\to p}\,(1+\gamma c_p)\,\varepsilon, \qquad "
    r"\|\hat P(s,a) - P(s,a)\|_2 \le \frac{(1+\gamma c_2)\,\varepsilon}{\sigma_{\min}(\hat M|_{\mathbf 1^\perp})} "
    r"\text{ in the simplex}",
    plain="If each row of values is wrong by at most eps, then each row recovered by the closed form is wrong by at "
    "most (1 + discount c) eps times the norm of the pseudo-inverse of Mhat; in the 2-norm, least squares in the "
    "simplex does it with the least singular value on vectors whose sum is zero. c is 1 in the infinity-norm and for "
    "one policy for all goals, and min(m, k)^(1/p) at most. No method has a smaller bound in the simplex, c "
    "included. Bounds are for each row.",
    source="Theorem 3 of arXiv 2606.21173, finite form; the constants c_p and the lower bound are ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with 2 or 3 states, any agent, norms 1, 2 and infinity: every row is within",
              exact_check(draw, HYPOTHESES, conclude, size=3), (40, 400, 4000)),
        Check("exact", "the bounds are attained, and two worlds fit the same noisy values", check_attained,
              (3, 20, 100)),
        Check("exact", "k + 1 states and k goals, p = 1, 2 and infinity, given policies and optimal agents: two worlds "
              "fit the same noisy values, twice the bound apart, with c = k^(1/p)", check_binding, (3, 9, 9)),
        Check("universal", "n = 2, k <= 2: the negation of each step after Lemma 1 is unsatisfiable", check_universal,
              (60, 60, 600), needs="z3"),
        Check("numeric", "worlds with 20 states: error_bound holds for what invert finds", check_numeric, (6, 60, 300)),
    ),
    counterexamples=(
        Counterexample(RANK, "Mhat is zero: the closed form returns zero", stored("T3d", RANK)),
        Counterexample(WITHIN, "noise above eps", stored("T3d", WITHIN)),
        Counterexample(KNOWN, "a policy estimated from the noisy values", stored("T3d", KNOWN)),
        Counterexample(METHOD, "simplex, norm 1: an error of 4/5 above 3/4", stored("T3d", "simplex, norm 1")),
        Counterexample(METHOD, "simplex, norm infinity: an error of 2/3 above 5/8", stored("T3d", "simplex, norm inf")),
        Counterexample("the norm of each row", "the Frobenius norm of twenty equal errors", show=whole_matrix),
    ),
    mutations=(
        Mutation("the constant 1 in place of 1 + discount", check_constant_one, 1),
        Mutation("c = 1 for policies of each goal", partial(check_binding, forget=True), 2),
        Mutation("discount c in place of 1 + discount c, at the tight worlds", partial(check_attained, own=0), 2),
        Mutation("discount c in place of 1 + discount c, for z3", partial(check_universal, own=0), 5,
                 needs="z3"),
    ),
    open_levels={
        "symbolic": "an inequality is no identity; the SMT solver covers it at fixed size",
        "universal": "not asked of the solver: Lemma 1, Lemma 2 for a policy of each goal in the 2-norm, and n above 2",
    },
    api=("tabular_inversion.error_bounds.bounds.error_bound",
         "tabular_inversion.error_bounds.tight_instances.lower_bound_instance"),
)  # fmt: skip
