"""P1: one Gaussian goal makes the columns of M distinct; as many as states have rewards of full rank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from functools import partial
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.polynomials import identity
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from proofs_checks.stored import stored
from tabular_inversion import Deterministic, Goals, bellman, environments, exact, identify, policies
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
(a) *One goal.* By L1 $M = N r$ with $N = (I - \gamma D P_\pi)^{-1}$; for an optimal agent $\pi$ is one of finitely
many deterministic policies. Columns $i \neq j$ of $M$ agree iff
$\sum_s (N_{is} - N_{js})\, e^{-|\phi(s)-g|^2/2\sigma^2} = 0$. Multiply by $e^{|g|^2/2\sigma^2}$: the sum
$\sum_s b_s\, e^{\phi(s)\cdot g/\sigma^2}$ with $b_s = (N_{is} - N_{js})\, e^{-|\phi(s)|^2/2\sigma^2}$ is zero. Not
all $b_s$ vanish, because $N$ is invertible. Exponentials $g \mapsto e^{\phi(s)\cdot g/\sigma^2}$ with different
$\phi(s)$ are linearly independent (along a direction in which the numbers $\phi(s)\cdot h$ differ, the one with the
largest number outgrows the others). So the sum is an analytic function of $g$ that is not zero everywhere, and its
zeros are a null set. There are finitely many pairs and policies.

(b) *Rational data.* If $N$, $\phi$, $g$ and $\sigma^2$ are rational, more is true: it is enough that **no two states
are equally far from the centre**. By the theorem of Lindemann and Weierstrass, exponentials of different rational
(indeed algebraic) numbers are linearly independent over the rationals. So the sum is zero iff the coefficients
$N_{is} - N_{js}$ add up to zero within each set of states that are equally far from $g$; with distinct distances that
means that rows $i$ and $j$ of $N$ are equal, which they are not. This decides every rational instance, exactly.

(c) *As many goals as states.* $\det R$, with the centres $g_1, \dots, g_n$, is an analytic function of all of them.
It is not zero everywhere: divide row $i$ by $e^{-|g_i|^2/2\sigma^2}$ and column $s$ by $e^{-|\phi(s)|^2/2\sigma^2}$;
what is left is the matrix $e^{\phi(s)\cdot g_i/\sigma^2}$, and if it were singular for all centres, then, expanding
along the last row and by induction over $n$, some nontrivial combination of the independent exponentials would
vanish. So $R$ has full rank for almost every tuple of centres, and then so has $M$ under one policy and one
continuation (T3b). With $g_i = \phi(i)$, the Gaussian kernel matrix, $\det R > 0$.
"""

APART = "no two states are equally far from the centre (so for almost every centre, if the embedding is injective)"

# The real rewards of an instance are the exponentials of its rational ones: r = exp(-|phi(s) - g|^2 / 2 sigma^2).


def exponents(coordinates: FractionArray, centres: FractionArray, width_squared: Any) -> FractionArray:
    """Return -|phi(s) - g|^2 / (2 sigma^2) for each centre and state, in fractions, shape (G, S)."""
    squares = ((centres[:, None, :] - coordinates[None]) ** 2).sum(axis=2)
    result: FractionArray = -squares / (2 * width_squared)
    return result


def sums_of_exponentials_differ(coefficients: Iterable[Fraction], powers: Iterable[Fraction]) -> bool:
    """Decide whether sum c_s exp(x_s) is not zero, by Lindemann and Weierstrass.

    Examples
    --------
    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> sums_of_exponentials_differ([one, -one], [half, half]), sums_of_exponentials_differ([one, -one], [half, one])
    (False, True)
    """
    groups: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for coefficient, power in zip(coefficients, powers, strict=True):
        groups[power] += coefficient
    return any(total != 0 for total in groups.values())


def resolvent(instance: Instance) -> FractionArray:
    """Return N with m = N r for rewards r of the instance's one goal: the test matrix of all indicators, transposed."""
    n = instance.world.n_states
    every = exact.ExactGoals(exact.fraction_array(identity(n)), instance.goals.continuation.repeat(n, axis=0))
    return exact.evaluate(instance.world, every, instance.policy).test_matrix.T  # type: ignore[arg-type]


def instance_of(world: exact.ExactMDP, places: FractionArray, centre: FractionArray, width_squared: Any, ends: Any,
                policy: FractionArray) -> Instance:  # fmt: skip
    """Return the instance of one Gaussian goal."""
    powers = exponents(places, centre[None], width_squared)
    extra = {"coordinates": places, "centre": centre, "width squared": exact.fraction_array([width_squared])}
    return Instance(world, exact.ExactGoals(powers, ends), policy, "deterministic", extra)


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a deterministic world with 2 to `size` states in the plane, a centre, a continuation and a policy."""
    n, m = instances.sizes(rng, largest=size)
    places = exact.fraction_array(np.stack([rng.permutation(n), rng.integers(-5, 6, n)], axis=1))
    centre = instances.generic_rewards(rng, 1, 2)[0]
    ends = exact.fraction_array(rng.integers(0, 2, (1, n)))
    width_squared = Fraction(int(rng.integers(1, 9)), 4)
    world = instances.world(rng, n, m, branching=1)
    return instance_of(world, places, centre, width_squared, ends, instances.policy(rng, n, m))


def conclude(instance: Instance) -> Outcome:
    """Decide whether the columns of M, sums of exponentials with rational coefficients, are distinct."""
    powers = instance.goals.rewards[0]
    n_matrix = resolvent(instance)
    pairs = combinations(range(len(powers)), 2)
    equal = [(i, j) for i, j in pairs if not sums_of_exponentials_differ(n_matrix[i] - n_matrix[j], powers)]
    return Outcome(not equal, f"equal columns of M: {equal}")


def states_on_a_line() -> SearchStrategy[Instance]:
    """Draw deterministic worlds on a line with one action; the centre may be as far from one state as from another."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_mdps

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        world = draw(exact_mdps(n_states=st.integers(2, 3), n_actions=1, discounts=st.just(Fraction(1, 2)),
                                max_successors=1))  # fmt: skip
        n = world.n_states
        lattice = st.lists(st.integers(0, 3), min_size=n, max_size=n, unique=True)
        places = exact.fraction_array(draw(lattice))[:, None]
        centre = exact.fraction_array([draw(st.integers(0, 3))])
        ends = exact.fraction_array(np.ones((1, n), int))
        return instance_of(world, places, centre, 1, ends, exact.fraction_array([[1]] * n))

    return made()


HYPOTHESES = (Hypothesis(APART, lambda i: len(set(i.goals.rewards[0])) == i.world.n_states, states_on_a_line),)


def check_determinant(rng: np.random.Generator, amount: int, *, repeated: bool = False) -> Tally:
    """Rational centres, n = 2 to 4: det R, a sum of n! exponentials, is not zero."""
    tally = Tally()
    for i in range(amount):
        powers = _drawn_exponents(rng, 2 + i % 3, repeated=repeated)
        n = len(powers)
        terms = [(_sign(order), sum(powers[list(range(n)), list(order)])) for order in permutations(range(n))]
        holds = sums_of_exponentials_differ(*zip(*terms, strict=True))
        tally.add(holds, 0.0, f"n={n}: det R is zero")
    return tally


def check_balls(rng: np.random.Generator, amount: int, *, repeated: bool = False) -> Tally:
    """Sizes n = 5 to 12 in ball arithmetic of 300 bits, one rational policy: the ball of det M does not hold zero."""
    from flint import arb_mat, ctx, fmpq

    tally = Tally()
    for _ in range(amount):
        n = int(rng.integers(5, 13))
        powers = _drawn_exponents(rng, n, repeated=repeated)
        world = instances.world(rng, n, 2)
        indicators = exact.ExactGoals(exact.fraction_array(identity(n)))
        transposed = exact.evaluate(world, indicators, instances.policy(rng, n, 2)).test_matrix
        with ctx.workprec(300):
            rewards = arb_mat([[_ball(fmpq(x.numerator, x.denominator)).exp() for x in row] for row in powers])
            right = arb_mat([[_ball(fmpq(x.numerator, x.denominator)) for x in row] for row in transposed])
            determinant = (rewards * right).det()
        tally.add(not determinant.contains(0), 0.0, f"n={n}: det M is in {determinant}")
    return tally


def _ball(number: Any) -> Any:
    from flint import arb

    return arb(number)


def _drawn_exponents(rng: np.random.Generator, n: int, *, repeated: bool) -> FractionArray:
    """Draw n states on a grid in the plane and n centres near it; the first two centres alike if `repeated`."""
    places = exact.fraction_array(np.stack([rng.permutation(n), rng.integers(0, n, n)], axis=1))
    centres = exact.fraction_array(rng.integers(0, 1009 * n, (n, 2))) / 1009
    if repeated:
        centres[1] = centres[0]
    return exponents(places, centres, Fraction(1))


def _sign(order: tuple[int, ...]) -> Fraction:
    inversions = sum(a > b for a, b in combinations(order, 2))
    return Fraction((-1) ** inversions)


def check_numeric(rng: np.random.Generator, amount: int) -> Tally:
    """Deterministic worlds with 40 states in the plane, optimal agents in floats: one Gaussian goal identifies them."""
    tally = Tally()
    for _ in range(amount):
        mdp = environments.random_mdp(40, 3, branching=1, discount=0.9, seed=rng)
        places = rng.permutation(64)[:40, None] // np.array([8, 1]) % 8
        goals = Goals.gaussian(places, rng.uniform(0, 7, (1, 2)), width=3.0)
        agents = bellman.solve(mdp, goals), bellman.evaluate(mdp, goals, policies.random(mdp.available, seed=rng))
        rows = np.stack([identify(agent, Deterministic()).row_status for agent in agents])
        # Columns closer than floats resolve leave rows undecided: few may be, and none may be found not identified.
        undecided = float((rows == Status.UNDECIDED).mean())
        fine = bool(np.isin(rows, [Status.IDENTIFIED, Status.UNDECIDED]).all()) and undecided <= 0.1
        tally.add(fine, undecided, f"of {rows.size} rows {int((rows == Status.IDENTIFIED).sum())} are identified")
    return tally


def _between_two_states(rng: np.random.Generator, size: int) -> Instance:
    """Draw an instance and put its centre where two states are equally far, and make the two alike."""
    drawn = draw(rng, size)
    places = drawn.extra["coordinates"]
    kernel = drawn.world.kernel.copy()
    kernel[1] = kernel[0]
    world = exact.ExactMDP(kernel, drawn.world.discount)
    ends = exact.fraction_array(np.ones((1, world.n_states), int))
    policy = drawn.policy.copy()  # type: ignore[union-attr]
    policy[1] = policy[0]
    return instance_of(world, places, (places[0] + places[1]) / 2, Fraction(1), ends, policy)


STATEMENT = Statement(
    id="P1",
    title="Gaussian goals",
    latex=r"r_g(s) = e^{-|\phi(s)-g|^2/2\sigma^2}: \quad M e_i \ne M e_j \ (i \ne j) \text{ for almost every } g; "
    r"\quad \operatorname{rank} R = n \text{ for almost every } (g_1, \dots, g_n)",
    plain="With states at different places, one Gaussian goal makes the columns of M distinct for almost every centre; "
    "with rational data, for every centre from which no two states are equally far. As many Gaussian goals as states "
    "have rewards of full rank for almost all centres.",
    source="Proposition 1 of arXiv 2606.21173, finite form; the rational form is ours",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rational worlds, places, centres, widths: no two columns agree (Lindemann-Weierstrass)",
              exact_check(draw, HYPOTHESES, conclude, size=6), (40, 400, 4000)),
        Check("exact", "n = 2 to 4 rational centres: det R, a sum of exponentials, is not zero", check_determinant,
              (30, 300, 1000)),
        Check("certified", "n = 5 to 12 centres, one policy: a ball around det M excludes 0", check_balls,
              (10, 50, 200)),
        Check("numeric", "deterministic worlds with 40 states in the plane, optimal agents and random policies",
              check_numeric, (5, 50, 200)),
    ),
    counterexamples=(
        Counterexample(APART, "a centre as far from one state as from another", stored("P1", APART)),
        Counterexample(APART, "two states at one place: no centre tells them apart", stored("P1", "one place")),
    ),
    mutations=(
        Mutation("two states may be equally far from the centre",
                 exact_check(_between_two_states, (), conclude, size=5), 5),
        Mutation("two centres may agree", partial(check_determinant, repeated=True), 3),
        Mutation("two centres may agree, in balls", partial(check_balls, repeated=True), 2),
    ),
    open_levels={
        "symbolic": "sums of exponentials are compared for rational numbers; the proof is for almost all real ones",
        "universal": "centres are continuous; the proof covers all sizes",
    },
    api=("tabular_inversion.Goals.gaussian", "tabular_inversion.exact.evaluate"),
)  # fmt: skip
