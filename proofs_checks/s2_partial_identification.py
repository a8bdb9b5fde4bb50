"""S2: what the values leave open: a polytope for each row, its ends, its dimension, pairs of worlds, and noise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polytopes import equivalent_rows, q_in, with_row
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
from tabular_inversion import Stochastic, exact, identify, value_equivalence
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Write $A$ for $M$ with a row of ones below it, and $E(q) = \{p \ge 0 : Ap = (q, 1)\}$.

(a) *Same values, all rows at once.* Let each row of $P'$ lie in $E(Q(s,a,\cdot))$ of its own. Then $Q_g(s,a) =
P'(s,a)^\top m_g$ for every goal, with $m_g = r_g + \gamma C_g V_g$ built from the same $Q$. So $Q_g$ solves the Bellman
equation in $P'$, of the policy or of the maximum, which has one solution because its right-hand side is a contraction:
$Q_g$ is what the agent shows in $P'$. Conversely the rows of every kernel in which the agent shows $Q$ satisfy these
equations. So the kernels with the agent's values are the product of the $E(q)$ over rows, and two kernels that differ
in one row, by two points of its $E(q)$, are a witness.

(b) *Ends and dimension.* $E(q)$ is bounded, hence the convex hull of its extreme points, finitely many. A linear
function takes its least and largest value at one of them; so do the entries $p_{s'}$, and the largest difference of an
entry between two members is the difference of its ends. The sum of absolute differences is convex in each member: its
largest value is attained at a pair of extreme points. Let $F$ be the set of states that some member reaches. A mean of
members is positive on all of $F$, and every small $v$ with $Av = 0$ that vanishes off $F$ leads from there to another
member; no member leaves $F$. So the affine hull of $E(q)$ has dimension $|F| - \operatorname{rank} A_F$, with the
columns of $A$ on $F$. (It may be less than $n - \operatorname{rank} A$.)

(c) *Noise.* Let $|\hat Q - Q| \le \varepsilon$ in every entry. $V$ is a maximum or an average of $Q$ over actions, so
$|\hat V - V| \le \varepsilon$, and $|\hat M - M| = \gamma\, C\, |\hat V - V| \le \gamma \varepsilon$ since $0 \le C \le
1$. The true row $p$ is a distribution with $Mp = q$, so that $|\hat M p - \hat q| \le |(\hat M - M) p| + |q - \hat q|
\le (1 + \gamma)\varepsilon$ for every goal. The constant is the least one: one goal, $\hat Q$ too high by $\varepsilon$
for the best actions and too low by $\varepsilon$ for another action, gives equality for the row of that action.
"""

MEMBER = "the true rows belong to the class"
NOISE = "no Q-value errs by more than eps"

Dimension = Callable[[FractionArray, FractionArray], int]
"""``dimension([M;1], F)``: the dimension of E(q) as a statement claims, F a mask of the states that members reach."""


def on_the_face(system: FractionArray, reached: FractionArray) -> int:
    """S2 (b): |F| - rank of the columns on F."""
    return int(reached.sum()) - exact.rank(system[:, reached]).rank


def everywhere(system: FractionArray, reached: FractionArray) -> int:
    """The wrong variant without faces: n - rank."""
    return len(reached) - exact.rank(system).rank


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world with 2 to `size` states, a few goals with small integer rewards, and noise of size eps or less."""
    n, m = instances.sizes(rng, largest=size)
    sure = bool(rng.integers(4) == 0)
    world = instances.world(rng, n, m, branching=1 if sure else int(rng.integers(1, n + 1)))
    goals = exact.ExactGoals(rng.integers(-2, 3, (int(rng.integers(1, n)), n)))
    policy = instances.policy(rng, n, m) if rng.integers(2) else None
    kernel_class = "deterministic" if sure else "stochastic"
    bound = Fraction(1, int(rng.integers(5, 20)))
    noise = exact.fraction_array(rng.integers(-1, 2, (goals.n_goals, n, m))) * bound
    return Instance(world, goals, policy, kernel_class, {"noise": noise, "eps": np.array([bound], dtype=object)})


def members(instance: Instance, row: int) -> FractionArray:
    """Return the extreme points of E(q) in the instance's class; for deterministic rows all of its members."""
    points = equivalent_rows(instance, row)
    return points[(points == 1).any(axis=1)] if instance.kernel_class == "deterministic" else points


def belongs(instance: Instance, points: FractionArray, truth: FractionArray) -> bool:
    """Tell whether the true row is a member, or a mixture of the extreme points."""
    if instance.kernel_class == "deterministic":
        return bool((points == truth).all(axis=1).any())
    mixture = np.concatenate([points.T, 0 * points.T[:1] + 1])
    return exact.find_nonnegative_solution(mixture, [*truth, 1]).solution is not None


def noisy(instance: Instance) -> ExactAgentValues:
    """Return the agent that is seen: Q with the noise."""
    agent = instance.agent
    q = np.where(agent.available, agent.q, 0) + instance.extra["noise"]
    return ExactAgentValues(q, agent.goals, agent.discount, agent.policy, agent.available)


def miss(instance: Instance) -> Fraction:
    """Return the largest |Mhat p - qhat| of the true rows."""
    seen = noisy(instance)
    truth = instance.world.rows[instance.world.row_index]
    return Fraction(abs(seen.test_matrix @ truth.T - seen.right_hand_sides).max())


def conclude(instance: Instance, *, dimension: Dimension = on_the_face, allowed: Fraction | None = None) -> Outcome:
    """Members give the same Q, all at once; the truth is one; the dimension; a witness; the relaxed set."""
    world, problems = instance.world, []
    first, last = world, world
    several = False
    for row in world.row_index.tolist():
        points = members(instance, row)
        if not len(points) or not belongs(instance, points, world.rows[row]):
            return Outcome(False, f"row {row}: the truth is not among {len(points)} members")
        first, last = with_row(first, row, points[0]), with_row(last, row, points[-1])
        several = several or len(points) > 1
        spread = exact.rank(points - points[:1]).rank
        claimed = dimension(instance.system, np.asarray((points > 0).any(axis=0)))
        if instance.kernel_class == "stochastic" and spread != claimed:
            problems.append(f"row {row}: dimension {spread}, claimed {claimed}")
    if not all(np.array_equal(q_in(instance, other), instance.agent.q) for other in (first, last)):
        problems.append("members do not give the same Q")
    problems += _witness_problems(instance, several)
    factor = 1 + world.discount if allowed is None else allowed
    largest = miss(instance)
    if largest > factor * instance.extra["eps"][0]:
        problems.append(f"the truth misses by {largest}, {factor} eps is {factor * instance.extra['eps'][0]}")
    return Outcome(not problems, "; ".join(problems) or f"{len(world.row_index)} rows hold")


def _witness_problems(instance: Instance, several: bool) -> list[str]:
    """Compare the witness of the exact verdict with the forward code: both worlds show the same Q, in fractions."""
    verdict = identify(instance.agent, instance.row_class)
    verdict.verify()
    if (verdict.status is Status.NOT_IDENTIFIED) != several:
        return [f"the verdict is {verdict.status.name}, and rows with several members exist: {several}"]
    if verdict.witness is None:
        return []
    witness = verdict.witness
    row = witness.state * instance.world.n_actions + witness.action
    worlds = [with_row(instance.world, row, member) for member in (witness.first, witness.second)]
    same = all(np.array_equal(q_in(instance, world), instance.agent.q) for world in worlds)
    return [] if same and worlds[0] != worlds[1] else ["the witness is no pair of worlds with the same Q"]


def check_floats(rng: np.random.Generator, amount: int) -> Tally:
    """Ends, dimension, extreme points and diameters of `value_equivalence` in floats, against those in fractions."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 4)
        agent = instance.agent.to_float()
        sets = value_equivalence(agent, Stochastic())
        lower, upper = sets.bounds()
        diameters = [sets.diameter("max").lower, sets.diameter("l1").lower, sets.diameter("l1").upper]
        errors, counts = [0.0], True
        for row in instance.world.row_index.tolist():
            state, action = divmod(row, instance.world.n_actions)
            points = to_floats(equivalent_rows(instance, row))
            errors += [abs(lower[state, action] - points.min(axis=0)).max()]
            errors += [abs(upper[state, action] - points.max(axis=0)).max()]
            gaps = abs(points[:, None] - points[None, :]).reshape(-1, points.shape[1])
            wanted = (gaps.max(), gaps.sum(axis=1).max(), gaps.sum(axis=1).max())
            errors += [abs(d[state, action] - want) for d, want in zip(diameters, wanted, strict=True)]
            counts &= len(sets.vertices(state, action)) == len(points)
            counts &= int(sets.dimension[state, action]) == int(np.linalg.matrix_rank(points - points[:1], tol=1e-9))
        error = float(max(errors))
        tally.add(counts and error < 1e-7, error, f"ends differ by {error:.1e}; counts agree: {counts}")
    return tally


def check_noisy_floats(rng: np.random.Generator, amount: int, *, share: float = 1.0) -> Tally:
    """The relaxed set of `value_equivalence` contains the true kernel; its ends enclose it."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 6)
        eps = share * float(instance.extra["eps"][0])
        try:
            sets = value_equivalence(noisy(instance).to_float(), Stochastic(), noise=eps)
        except ValueError as problem:  # no row explains the values
            tally.add(False, 1.0, str(problem))
            continue
        kernel = instance.world.to_float().toarray()
        lower, upper = sets.bounds()
        outside = float(np.nanmax(np.maximum(lower - kernel, kernel - upper)))
        inside = bool(sets.contains(instance.world.to_float()).all())
        tally.add(inside and outside < 1e-7, max(outside, 0.0), f"inside: {inside}, outside its ends by {outside:.1e}")
    return tally


def worst_noise(discount: Fraction) -> Instance:
    """Return one state with two actions: the better one is seen too high, the other too low."""
    world = exact.ExactMDP(exact.fraction_array([[[1], [1]]]), discount)
    goals = exact.ExactGoals(exact.fraction_array([[0]]), action_rewards=exact.fraction_array([[[1, 0]]]))
    extra = {"noise": exact.fraction_array([[["1/4", "-1/4"]]]), "eps": exact.fraction_array(["1/4"])}
    return Instance(world, goals, None, "stochastic", extra)


def check_tight(_rng: np.random.Generator, amount: int, *, allowed: Fraction | None = None) -> Tally:
    """The worst noise at `amount` discounts: the truth misses by (1 + gamma) eps exactly."""
    tally = Tally()
    for i in range(amount):
        instance = worst_noise(Fraction(i, amount))
        missed = miss(instance)
        most = (1 + instance.world.discount if allowed is None else allowed) * instance.extra["eps"][0]
        text = f"at discount {instance.world.discount} the truth misses by {missed}; {most} was claimed"
        tally.add(missed == most, float(abs(missed - most)), text)
    return tally


def larger_noise() -> SearchStrategy[Instance]:
    """Small worlds whose values err by more than the bound says."""
    return _small_worlds("stochastic")


def sure_of_themselves() -> SearchStrategy[Instance]:
    """Small worlds that are taken for deterministic."""
    return _small_worlds("deterministic")


def _small_worlds(kernel_class: str) -> SearchStrategy[Instance]:
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half = st.just(Fraction(1, 2))
        world = draw(exact_mdps(n_states=2, n_actions=1, discounts=half, max_weight=1, all_available=True))
        goals = exact.ExactGoals(np.array([[0, draw(st.integers(1, 3))]]))
        noise = draw(st.lists(st.integers(-3, 3).map(Fraction), min_size=world.n_states, max_size=world.n_states))
        extra = {"noise": np.array(noise, dtype=object).reshape(1, -1, 1), "eps": exact.fraction_array([1])}
        return Instance(world, goals, None, kernel_class, extra)

    return made()


HYPOTHESES = (
    Hypothesis(MEMBER, lambda i: i.kernel_class == "stochastic" or bool((i.world.rows.max(axis=1) != 1).sum() == 0),
               sure_of_themselves),
    Hypothesis(NOISE, lambda i: bool(abs(i.extra["noise"]).max() <= i.extra["eps"][0]), larger_noise),
)  # fmt: skip

STATEMENT = Statement(
    id="S2",
    title="Partial identification",
    latex=r"\{P' : Q' = Q\} = \prod_{s,a} E(q_{sa}), \quad \dim E(q) = |F| - \operatorname{rank} \begin{bmatrix} M \\ "
    r"\mathbf 1^\top \end{bmatrix}_F, \quad \|\hat Q - Q\|_\infty \le \varepsilon \Rightarrow "
    r"\|\hat M p - \hat q\|_\infty \le (1 + \gamma)\,\varepsilon",
    plain="The worlds with an agent's values are a product of polytopes, one for each row; the ends of entries and the "
    "diameters are attained at extreme points, and two members of one row are two worlds with the same Q for every "
    "goal. If values err by at most eps, the rows that miss their values by at most (1 + gamma) eps include the true "
    "one.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds with up to 4 states: members show the same Q, dimensions, witnesses, noise",
              exact_check(draw, HYPOTHESES, conclude, size=4), (20, 250, 2000)),
        Check("exact", "(1 + gamma) eps is attained, at several discounts", check_tight, (10, 50, 200)),
        Check("numeric", "ends, dimensions, points, diameters in floats against fractions", check_floats,
              (12, 150, 1000)),
        Check("numeric", "noisy values in floats: the set holds the true kernel", check_noisy_floats,
              (15, 150, 1000)),
    ),
    counterexamples=(
        Counterexample(MEMBER, "a world that is taken for deterministic: no member", stored("S2", MEMBER)),
        Counterexample(NOISE, "a value that errs by more than eps", stored("S2", NOISE)),
    ),
    mutations=(
        Mutation("eps in place of (1 + gamma) eps", partial(check_tight, allowed=Fraction(1)), 5),
        Mutation("the truth misses by eps at most",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, allowed=Fraction(1)), size=4)), 100),
        Mutation("dimension n - rank, without faces",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, dimension=everywhere), size=4)), 400),
        Mutation("the set of noise eps / 4", partial(check_noisy_floats, share=0.25), 10),
    ),
    open_levels={
        "symbolic": "the statement is about signs and ends of polytopes; no identity expresses it",
        "universal": "no enumeration or solver was run over all instances of a size; the proof covers all sizes",
    },
    api=("tabular_inversion.value_equivalence", "tabular_inversion.identify"),
)  # fmt: skip
