"""G4: the smallest goal sets: a matroid for one demand, a cover of matroids for several."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations

import numpy as np

from proofs_checks import instances
from proofs_checks.instance import Instance
from proofs_checks.k1_discounts_for_goals import with_ones
from proofs_checks.statement import Check, Counterexample, Hypothesis, Mutation, Outcome, Statement, Tally, exact_check
from tabular_inversion import Stochastic, exact, identify
from tabular_inversion.environments import set_cover
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status
from tabular_inversion.sufficiency import minimal

PROOF = r"""
Row $g$ of $M$ depends on goal $g$ alone. A *demand* is a set $T$ of states; goals $S$ meet it if
$\operatorname{rank}[M_{S,T}; \mathbf 1] = |T|$. Uniformly in Stochastic the one demand is $T$ = all states; in
Supported each support is a demand (T5a).

*(a) One demand.* In the space of functions on $T$ modulo constants, goal $g$ is the vector $M_{g,T}$. $S$ meets the
demand if and only if its vectors span this space, of dimension $|T| - 1$. So smallest sets are bases: all sets that
no goal can be left out of have $|T| - 1$ goals, and whoever adds goals one by one, each that raises the rank, ends
with a smallest one (a linear matroid). With weights, the greedy choice is the cheapest basis.

*(b) Several demands.* $f(S) = \sum_T (\operatorname{rank}[M_{S,T};\mathbf 1] - 1)$ is a sum of rank functions: whole
numbers, never falling, submodular; $S$ suffices if and only if $f(S)$ is the sum $F$ of all $|T| - 1$. Let the greedy
choice take $s_1, s_2, \dots$, each with the largest gain. One goal gains at most 1 in each demand, so at most $D$,
the number of demands where it gains anything. *Wolsey's bound:* greedy takes at most
$H(D) = 1 + \tfrac12 + \dots + \tfrac1D$ times as many goals as the best set $S^*$. Charge the goals of greedy to the
units of $f$ gained: a step with gain $\delta$ charges $1/\delta$ to each of its $\delta$ units. Fix $o \in S^*$, and
let $a_i(o)$ be what $o$ would gain after $i$ steps; it falls from at most $D$ to 0, and step $i+1$ has a gain of at
least $a_i(o)$. What remains after $i$ steps is at most $\sum_{o} a_i(o)$, as $f$ is submodular and $S^*$ suffices. So
the number of steps, $\sum_i \big(\rho_i - \rho_{i+1}\big)/\delta_{i+1}$ with $\rho_i$ what remains, is by Abel
summation (the gains $\delta$ do not rise) $\rho_0/\delta_1 + \sum_{i \ge 1} \rho_i\,(1/\delta_{i+1} - 1/\delta_i)$,
at most the sum over $o$ of the same expression in $a_i(o)$, which is
$\sum_i (a_i(o) - a_{i+1}(o))/\delta_{i+1} \le \sum_i (a_i(o) - a_{i+1}(o))/a_i(o) \le H(a_0(o)) \leq H(D)$.

*(c) The integer program.* $S$ suffices if and only if for each demand and each set $A$ of goals that is closed (holds
every goal in its span there) with rank short of $|T| - 1$ by $\delta$, at least $\delta$ goals of $S$ lie outside
$A$. Necessary: each goal outside adds at most one to the rank. Sufficient: take for $A$ the span of $S$. `minimal`
adds violated constraints of this kind until the optimum meets all demands, so that the optimum of the relaxed
program, a lower bound, is attained.

*At instance scope it is no matroid:* $M$ with rows $(0,1,0), (0,0,1), (0,1,1)$ and the row $e_0$, which is extreme:
goal 3 alone identifies it (a row with value 0 there has nothing in states 1 and 2), while goals 1 and 2 do only
together. There it is a set cover (CX).
"""

ENOUGH = "all candidates together suffice"
UNIFORM = "the question is uniform, or supports are known"


def demands_of(instance: Instance) -> list[tuple[int, ...]]:
    """Return the sets of states that the kernel class asks about."""
    if instance.kernel_class == "stochastic":
        return [tuple(range(instance.world.n_states))]
    return sorted({tuple(np.flatnonzero(row).tolist()) for row in instance.world.rows[instance.world.row_index]})


def reached(matrix: FractionArray, goals: Iterable[int], demand: tuple[int, ...]) -> int:
    """Return rank [M;1] - 1 of some goals on the states of a demand."""
    return exact.rank(with_ones(matrix[list(goals)][:, list(demand)])).rank - 1


def suffices(instance: Instance, goals: Iterable[int]) -> bool:
    """Tell whether goals meet all demands."""
    chosen = list(goals)
    return all(reached(instance.agent.test_matrix, chosen, d) == len(d) - 1 for d in demands_of(instance))


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a world whose rows have few successors or all, and up to six goals that suffice, most of them special."""
    while True:
        n, m = int(rng.integers(2, min(size, 5) + 1)), int(rng.integers(1, 3))
        kind = ("stochastic", "supported")[rng.integers(2)]
        world = instances.world(rng, n, m, branching=int(rng.integers(1, n + 1)))
        rewards = exact.fraction_array(rng.integers(0, 2, (int(rng.integers(n, 7)), n)))
        chosen = instances.policy(rng, n, m) if rng.integers(2) else None
        instance = Instance(world, ExactGoals(rewards), chosen, kind)
        if suffices(instance, range(len(rewards))):
            return instance


def by_greed(instance: Instance) -> list[int]:
    """Return the goals of the greedy choice."""
    matrix, demands = instance.agent.test_matrix, demands_of(instance)
    chosen: list[int] = []
    while not suffices(instance, chosen):
        gains = [sum(reached(matrix, [*chosen, g], d) for d in demands) for g in range(len(matrix))]
        chosen.append(int(np.argmax(gains)))
    return chosen


def conclude(instance: Instance) -> Outcome:
    """The package's smallest set is the smallest by trial, greedy is within its guarantee, and best for one demand."""
    if not suffices(instance, range(instance.goals.n_goals)):
        return Outcome(False, "all candidates together do not suffice")
    row_class = instance.row_class
    policy = "optimal" if instance.policy is None else instance.policy
    try:
        found = minimal(instance.world, instance.goals, row_class, policy=policy)
    except InputError as problem:
        return Outcome(False, str(problem))
    k = instance.goals.n_goals
    wanted = next(s for s in range(k + 1) if any(suffices(instance, c) for c in combinations(range(k), s)))
    greedy = len(by_greed(instance))
    demands = [d for d in demands_of(instance) if len(d) > 1]
    harmonic = sum((Fraction(1, i) for i in range(1, len(demands) + 1)), Fraction(0))
    bounded = greedy <= harmonic * wanted and (len(demands) != 1 or greedy == wanted == len(demands[0]) - 1)
    text = f"{len(demands)} demands: smallest {found.size}, by trial {wanted}, greedy {greedy}"
    return Outcome(found.size == wanted and found.optimal and suffices(instance, found.goals) and bounded, text)


def useless_goals() -> Instance:
    """Two states and one goal that pays alike in both."""
    world = ExactMDP(exact.fraction_array([[["1/2", "1/2"]], [["1/3", "2/3"]]]), Fraction(1, 2))
    return Instance(world, ExactGoals(exact.fraction_array([[1, 1]])), exact.fraction_array([[1], [1]]))


def extreme_row() -> bool:
    """Whether goal 3 alone identifies the row e_0, which goals 1 and 2 do only together, at instance scope."""
    world = ExactMDP(np.eye(1, 3, dtype=int).repeat(3, axis=0)[:, None].astype(object), Fraction(0))
    rewards = exact.fraction_array([[0, 1, 0], [0, 0, 1], [0, 1, 1]])
    verdicts = [
        identify(exact.solve(world, ExactGoals(rewards[list(goals)])), Stochastic()).status is Status.IDENTIFIED
        for goals in ((2,), (0,), (1,), (0, 1))
    ]
    return verdicts == [True, False, False, True]


HYPOTHESES = (Hypothesis(ENOUGH, lambda i: suffices(i, range(i.goals.n_goals))),)


def check_matroid(rng: np.random.Generator, amount: int) -> Tally:
    """(a) One demand: all sets that no goal can be left out of have the same size."""
    tally = Tally()
    while tally.instances < amount:
        instance = draw(rng, 5)
        if len([d for d in demands_of(instance) if len(d) > 1]) == 1:
            sizes = without_spare(instance)
            tally.add(
                len(sizes) == 1, 0.0, f"{demands_of(instance)}: sizes {sorted(sizes)} of sets without a spare goal"
            )
    return tally


def without_spare(instance: Instance) -> set[int]:
    """Return the sizes of all sufficient sets that no goal can be left out of."""
    k = instance.goals.n_goals
    good = [set(c) for s in range(k + 1) for c in combinations(range(k), s) if suffices(instance, c)]
    return {len(s) for s in good if not any(t < s for t in good)}


def check_several(_rng: np.random.Generator, _amount: int) -> Tally:
    """The variant of (a) with several demands: one set of three elements, or a pair and the third."""
    sizes = without_spare(Instance(*set_cover([[0, 1, 2], [0, 1], [2]]), kernel_class="supported"))
    return Tally(1, 0.0, [] if len(sizes) == 1 else [f"sets without a spare goal have {sorted(sizes)} goals"])


def check_submodular(rng: np.random.Generator, amount: int) -> Tally:
    """(b) The gain of a goal does not rise as others are added, in all pairs of sets."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 4)
        matrix, demands, k = instance.agent.test_matrix, demands_of(instance), instance.goals.n_goals
        sets = [frozenset(c) for s in range(min(k, 4) + 1) for c in combinations(range(min(k, 4)), s)]
        f = {s: sum(reached(matrix, s, d) for d in demands) for s in sets}
        worst = min(f[s] + f[t] - f[s | t] - f[s & t] for s in sets for t in sets)
        tally.add(worst >= 0, 0.0, f"{k} goals, {len(demands)} demands: {worst}")
    return tally


def check_greedy(_rng: np.random.Generator, _amount: int) -> Tally:
    """The variant that greedy is optimal for several demands: a set of four of six elements, and two of three."""
    instance = Instance(*set_cover([[0, 1, 2, 3], [0, 2, 4], [1, 3, 5]]), kernel_class="supported")
    greedy, found = by_greed(instance), minimal(instance.world, instance.goals, instance.row_class)
    text = f"greedy takes {greedy}, and {found.goals} suffice"
    return Tally(1, 0.0, [] if len(greedy) == found.size else [text])


STATEMENT = Statement(
    id="G4",
    title="Smallest goal sets",
    latex=r"f(S) = \sum_T (\operatorname{rank}[M_{S,T};\mathbf 1] - 1): \quad \text{one } T: \ \min|S| = |T| - 1 "
    r"= |S_{greedy}|; \qquad "
    r"|S_{greedy}| \le \Big(1 + \tfrac12 + \dots + \tfrac1D\Big) \min |S|",
    plain="At uniform scope, or on known supports, each support asks for goals that span on it modulo constants. "
    "For one "
    "such demand the useful goals form a matroid, and adding goals that raise the rank is optimal. For several, the "
    "greedy choice takes at most a harmonic number times as many goals as the best set, which an integer program "
    "finds. "
    "At instance scope among distributions it is no matroid.",
    source="this package; (b) after Wolsey (1982)",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "worlds with up to 5 states and 6 goals: smallest sets by the package and by trial, and greedy",
              exact_check(draw, HYPOTHESES, conclude, size=5), (15, 150, 1500)),
        Check("exact", "(a) one demand: all sets without a spare goal have one size", check_matroid, (8, 80, 800)),
        Check("exact", "(b) the sum of ranks is submodular, on all pairs of sets of 4 goals", check_submodular,
              (5, 50, 500)),
    ),
    counterexamples=(
        Counterexample(ENOUGH, "one goal that pays alike everywhere: no set suffices", useless_goals),
        Counterexample(UNIFORM, "one row at instance scope: one goal suffices, two others only together",
                       show=extreme_row),
    ),
    mutations=(
        Mutation("(a) for several demands, too", check_several, 1),
        Mutation("(b) greedy is optimal for several demands", check_greedy, 1),
    ),
    open_levels={
        "symbolic": "ranks of sums are no identities; the proof is combinatorial",
        "universal": "goals fill a continuum; all subsets of drawn ones are tried",
    },
    api=("tabular_inversion.sufficiency.minimal", "tabular_inversion.exact.rank"),
)  # fmt: skip
