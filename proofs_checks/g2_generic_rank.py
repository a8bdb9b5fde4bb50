"""G2: one draw modulo a prime proves full rank for almost every kernel; a deficit is wrong with a known chance."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import nmod_mat

from proofs_checks.digraphs import LARGE, generic_instance, random_edges
from proofs_checks.instance import Instance
from proofs_checks.instances import fractions_of
from proofs_checks.statement import (
    Check,
    Counterexample,
    Hypothesis,
    Mutation,
    Outcome,
    Statement,
    Tally,
    exact_check,
)
from proofs_checks.stored import stored
from tabular_inversion import exact
from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.modular import LARGEST_PRIME
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status
from tabular_inversion.sufficiency import generic

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Write the kernel on the support as $P_{uv} = w_{uv} / s_u$, $s_u = \sum_v w_{uv}$, with free weights $w$. By L1 every
entry of $M$ is a quotient of polynomials with integer coefficients in $w$, $\gamma$ and, where they are drawn, the
policy and the rewards; so is every minor of $[M;1]$, and its denominator is a product of the $s_u$ and of $\det(I -
\gamma D_g P)$.

*Full rank is proved.* Let a minor be not zero modulo $p$ at one draw at which its denominator is not zero either. Then
its numerator is not the zero polynomial modulo $p$, so not over the integers. A polynomial that is not zero vanishes on
a set of measure zero: the rank is at least the size of this minor for almost every kernel, discount (and rewards). The
prime plays no part, and may be small.

*A deficit is likely.* Let the generic rank of some columns be $r$, and $f$ the numerator of a minor of size $r$ that is
not the zero polynomial. If it is not zero modulo $p$ either, a draw, uniform and independent in $\mathrm{GF}(p)$, makes
it vanish with a chance of at most $\deg f / p$ (Schwartz 1980, Zippel 1979), and $\deg f / (p - 1)$ if zero is left
out. A draw at which a denominator vanishes is repeated, which a polynomial $h$, their product, makes happen with a
chance of at most $\deg h/(p-1)$; so among the draws that count the chance is at most $\deg f/(p - 1 - \deg h)$. For one
unconditional policy and indicator goals minors of size $r$ are, up to factors that do not vanish, minors of size $n -
r$ of $(I - \gamma P)$, by T3b and Jacobi's identity, and so have degree at most $2n$ in $w$ and $\gamma$ after row $u$
is multiplied by $s_u$; with the row of ones they are sums of such minors.

*The content.* That $f$ does not vanish modulo $p$ is a hypothesis: $p$ must not divide all of its coefficients. It
holds for all but finitely many primes. For minors of $M$ with indicator goals it always holds: for disjoint paths a
coefficient is 1 or $-1$, see G1. With given rewards it can fail, rewards that $p$ divides being zero modulo $p$. For
minors with the row of ones it is assumed, not proved; ranks modulo $2^{61} - 1$ and over the
rationals agree on all digraphs drawn below.
"""

PRIME = "a large prime: above 2^31"
GENERIC = "a drawn kernel (tested by: no probability repeats, other than 0 and 1)"
DENOMINATORS = "the prime divides no denominator"


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a sparse digraph with 3 to `size` states, generic weights, and goals that someone can reach."""
    while True:
        n = int(rng.integers(3, size + 1))
        edges = random_edges(rng, n, float(rng.uniform(0.1, 0.5)))
        entered = np.flatnonzero(edges.any(axis=0))
        targets = np.sort(rng.choice(entered, int(rng.integers(1, len(entered) + 1)), replace=False)).tolist()
        instance = with_prime(generic_instance(rng, edges, targets, ending=bool(rng.integers(2))), LARGEST_PRIME)
        if is_generic(instance):
            return instance


def with_prime(instance: Instance, prime: int) -> Instance:
    """Return the instance with its prime."""
    extra = {"prime": np.array([Fraction(prime)], dtype=object)}
    return Instance(instance.world, instance.goals, instance.policy, "supported", extra)


def weights_of(instance: Instance) -> FractionArray:
    """Return the one policy: each state has one action."""
    return exact.fraction_array(np.ones(instance.world.available.shape, int))


def modular_ranks(instance: Instance) -> list[int]:
    """Return the rank of [M;1] modulo the prime on the successors of each row, by the modular forward code."""
    prime = int(instance.extra["prime"][0])
    matrix = exact.modular_test_matrix(instance.world, instance.goals, weights_of(instance), prime=prime)
    table: list[list[Any]] = [*matrix.tolist(), [1] * instance.world.n_states]
    ranks = []
    for row in instance.world.rows:
        columns = np.flatnonzero(row > 0).tolist()
        ranks.append(
            int(nmod_mat(len(table), len(columns), [int(line[j]) for line in table for j in columns], prime).rank())
        )
    return ranks


def conclude(instance: Instance) -> Outcome:
    """Full rank modulo the prime is full over the rationals, and generically; a deficit is one there, too."""
    verdict = generic(instance.world.to_float(), instance.goals.to_float())
    try:
        ranks = modular_ranks(instance)
    except InputError as refusal:
        return Outcome(False, str(refusal))
    problems = []
    for row, (rank, status) in enumerate(zip(ranks, verdict.row_status.ravel(), strict=True)):
        columns = np.flatnonzero(instance.world.rows[row] > 0)
        full, over_rationals = rank == len(columns), exact.rank(instance.system[:, columns]).rank
        identified = status == Status.IDENTIFIED
        if rank != over_rationals or full != identified or (full and over_rationals < len(columns)):
            problems.append(f"row {row}: rank {rank} modulo the prime, {over_rationals} over the rationals, "
                            f"{len(columns)} successors, generically {Status(int(status)).name}")  # fmt: skip
    return Outcome(not problems, "; ".join(problems) or f"{len(ranks)} rows agree")


def modular_draw(
    rng: np.random.Generator, edges: BoolArray, targets: list[int], prime: int, *, pays: int = 1
) -> Instance:
    """Draw weights and discount whose residues modulo a small prime are uniform and not zero."""
    n = len(edges)
    weights = np.where(edges, rng.integers(1, prime, (n, n)), 0)
    discount = Fraction(int(rng.integers(1, prime)), LARGE + 3)
    world = ExactMDP(fractions_of(weights[:, None]), discount)
    unit = exact.fraction_array(np.eye(n, dtype=int))[targets]
    return with_prime(
        Instance(world, ExactGoals(pays * unit, 1 - unit), exact.fraction_array(np.ones((n, 1), int))), prime
    )


def prime_divides_rewards(prime: int = LARGEST_PRIME) -> bool:
    """Tell whether a reward that the prime divides makes a deficit at every draw, where the rank is full."""
    drawn = generic_instance(np.random.default_rng(0), RING, [0, 2], ending=True)
    multiplied = ExactGoals(prime * drawn.goals.rewards, drawn.goals.continuation)
    plain, scaled = (
        with_prime(Instance(drawn.world, goals, drawn.policy), prime) for goals in (drawn.goals, multiplied)
    )
    full = exact.rank(scaled.system).rank == exact.rank(plain.system).rank
    return full and set(modular_ranks(scaled)) == {1} and min(modular_ranks(plain)) > 1


def check_small_primes(rng: np.random.Generator, amount: int, *, share: float = 1.0, content: int = 0) -> Tally:
    """On a few digraphs, `amount` draws modulo 31 and 101: full rank is always right; deficits are rare enough.

    The share of draws in which a row's columns, of generic full rank, have a deficit is at most 2n / (p - 1), and four
    standard deviations more by chance; draws at which a denominator vanishes count as draws. `share` multiplies the
    bound; with `content` 1 the prime divides all rewards, which the statement excludes.
    """
    tally = Tally()
    for prime, edges, targets in ((31, TWO_DOORS, [2, 3]), (101, TWO_DOORS, [2, 3]), (31, RING, [0, 2])):
        n = len(edges)
        question = generic_instance(rng, edges, targets, ending=True)
        verdict = generic(question.world.to_float(), question.goals.to_float())
        sizes = edges.sum(axis=1)
        identified = verdict.row_status.ravel() == Status.IDENTIFIED
        wrong, deficits = 0, np.zeros(n)
        for _ in range(amount):
            try:
                full = np.array(modular_ranks(modular_draw(rng, edges, targets, prime, pays=prime**content))) == sizes
            except InputError:  # a denominator vanishes modulo the prime
                continue
            wrong += int((full & ~identified).sum())
            deficits += identified & ~full
        bound = share * min(1.0, 2 * n / (prime - 1))
        seen = float(deficits.max()) / amount
        slack = 4 * sqrt(max(bound * (1 - bound), 0.0) / amount)
        text = f"modulo {prime}: {wrong} wrong proofs; deficits in a share of {seen:.4f}, bound {bound:.4f}"
        tally.add(wrong == 0 and seen <= bound + slack, max(seen - bound, 0.0), text)
    return tally


TWO_DOORS = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 1], [1, 1, 0, 1]], dtype=bool)
RING = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 1], [1, 1, 0, 0, 0]], dtype=bool)


def is_generic(instance: Instance) -> bool:
    """Tell whether no probability but 0 and 1 occurs twice."""
    values = [p for p in instance.world.kernel.ravel() if p not in {0, 1}]
    return len(values) == len(set(values))


def _crossing(start: list[int], ends: list[int], prime: int) -> Instance:
    """Return a state that goes to two others, which go to two goals; the goals stay."""
    table = np.array([[0, *start, 0, 0], [0, 0, 0, *ends[:2]], [0, 0, 0, *ends[2:]], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
    world = ExactMDP(fractions_of(table[:, None]), Fraction(1, 2))
    unit = exact.fraction_array(np.eye(5, dtype=int))[3:]
    return with_prime(Instance(world, ExactGoals(unit), exact.fraction_array(np.ones((5, 1), int))), prime)


def _strategy(*, largest: int, prime: int, start: list[int] | None = None) -> SearchStrategy[Instance]:
    from hypothesis import strategies as st

    weight = st.integers(1, largest)
    first = st.lists(weight, min_size=2, max_size=2) if start is None else st.just(start)
    return st.builds(partial(_crossing, prime=prime), first, st.lists(weight, min_size=4, max_size=4))


def is_defined(instance: Instance) -> bool:
    """Tell whether M exists modulo the prime."""
    try:
        modular_ranks(instance)
    except InputError:
        return False
    return True


HYPOTHESES = (
    Hypothesis(GENERIC, is_generic, partial(_strategy, largest=3, prime=LARGEST_PRIME)),
    Hypothesis(PRIME, lambda i: i.extra["prime"][0] > 2**31, partial(_strategy, largest=9, prime=11)),
    Hypothesis(DENOMINATORS, is_defined,
               partial(_strategy, largest=4, prime=LARGEST_PRIME, start=[1, LARGEST_PRIME - 1])),
)  # fmt: skip

STATEMENT = Statement(
    id="G2",
    title="Generic rank",
    latex=r"\operatorname{rank}_{\mathrm{GF}(p)} [M;1]_X = |X| \text{ at one draw} \Rightarrow "
    r"\operatorname{rank} [M;1]_X = |X| \text{ for almost every } P, \gamma; \quad "
    r"p \nmid f: \ \Pr[\text{deficit} \mid \text{generically full}] \le \frac{\deg f}{p - 1 - \deg h}",
    plain="Weights on the support and the discount are drawn modulo a prime. Full rank at one draw proves full rank "
    "for almost every kernel and discount. If the prime does not divide all coefficients of a minor that is not zero, "
    "a deficit is wrong with a chance of at most the degree of that minor over the prime (less one, and less the "
    "degree of the denominators, at whose zeros draws are repeated).",
    source="this package, by the lemma of Schwartz and Zippel",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "random digraphs with up to 7 states: ranks modulo 2^61 - 1, over the rationals and "
              "generically agree", exact_check(draw, HYPOTHESES, conclude, size=7), (60, 600, 4000)),
        Check("numeric", "small primes: full rank is never wrong; deficits within the bound", check_small_primes,
              (100, 1000, 5000)),
    ),
    counterexamples=(
        Counterexample(GENERIC, "probabilities that repeat: a deficit although the generic rank is full",
                       stored("G2", GENERIC)),
        Counterexample(PRIME, "modulo 11 different probabilities are equal", stored("G2", PRIME)),
        Counterexample(DENOMINATORS, "a probability with the denominator 2^61 - 1: refused, another prime is needed",
                       stored("G2", DENOMINATORS)),
        Counterexample("the prime divides not all coefficients of the minor", "rewards of 2^61 - 1: a deficit at every "
                       "draw", show=prime_divides_rewards),
    ),
    mutations=(
        Mutation("a deficit is a proof, too: none occurs where the rank is generically full",
                 partial(check_small_primes, share=0.0), 200),
        Mutation("the bound holds whatever the prime divides", partial(check_small_primes, content=1), 20),
    ),
    open_levels={
        "symbolic": "a draw modulo a prime takes the place of symbols; that is the statement",
        "universal": "the bound is about a law of draws; the proof covers all graphs",
    },
    api=("tabular_inversion.sufficiency.by_draws.generic", "tabular_inversion.exact.modular_test_matrix"),
)  # fmt: skip
