"""BQ: of a world that can be lumped, agents with lumped goals show the quotient, and nothing else."""

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
from tabular_inversion._typing import IntArray
from tabular_inversion.errors import KernelError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $b(s)$ be the block of $s$, and $\bar P(B' | B, a) = \sum_{t \in B'} P(s, a, t)$, the same for all $s \in B$ (the
partition is lumpable). Rewards, continuation and policy are constant on blocks, in the second case for each goal.

*M is that of the quotient.* Let $\bar m$ be the row of the quotient's test matrix for a goal, $\bar V$ its values.
Put $V(s) = \bar V(b(s))$, $m(s) = \bar m(b(s)) = r(s) + \gamma C(s) V(s)$. Then for every row
$P(s, a)\, m = \sum_{B'} \bar P(B' | b(s), a)\, \bar m(B') = \bar Q(b(s), a)$. The policy's mean, the maximum and the
soft maximum over $a$ give $\bar V(b(s)) = V(s)$: so $V$ solves Bellman's equation, whose solution is unique. If no
policy is given, optimal ones are found in the quotient.

*What is seen.* By this $M p = \bar M \bar p$ with $\bar p(B) = \sum_{t \in B} p(t)$: the values of a row depend on
the probabilities of blocks alone, and inside a block any split has the same values. These probabilities are seen, for
all rows, if and only if $\bar M \bar v = 0$, $\mathbf 1 \cdot \bar v = 0$ have no solution but 0, that is
$\operatorname{rank} [\bar M;\mathbf 1]$ is the number of blocks; and this is $\operatorname{rank}[M;\mathbf 1]$, as
columns of $M$ are copied.

*The coarsest partition.* Split blocks whose states lead to the blocks differently until there are none. Any lumpable
partition that refines the first one refines each step: states of one of its blocks lead to its blocks alike, hence to
unions of these. So the result is the coarsest.
"""

LUMPABLE = "the partition is lumpable"
GOALS = "goals are constant on the blocks"
POLICY = "the policy is constant on the blocks, or optimal"


def labels_of(instance: Instance) -> IntArray:
    """Return the number of each state's block."""
    return np.array([int(x) for x in instance.extra["blocks"]])


def constant(values: FractionArray, labels: IntArray, axis: int) -> bool:
    """Tell whether an array is constant on the blocks along one axis."""
    first = np.unique(labels, return_index=True)[1]
    return bool((values == np.take(values, first[labels], axis=axis)).all())


def is_lumpable(instance: Instance) -> bool:
    """Tell whether the package lumps the world."""
    try:
        exact.lump(instance.world, labels_of(instance))
    except KernelError:
        return False
    return True


def split(rng: np.random.Generator, quotient: ExactMDP, labels: IntArray) -> ExactMDP:
    """Draw a world whose quotient is given: each block's probability is split among its states, row by row."""
    n, m = len(labels), quotient.n_actions
    kernel = np.zeros((n, m, n), dtype=object)
    for block in range(quotient.n_states):
        members = np.flatnonzero(labels == block)
        weights = rng.integers(0, 4, (n, m, len(members)))
        weights[..., 0] += weights.sum(axis=2) == 0
        kernel[:, :, members] = instances.fractions_of(weights) * quotient.kernel[labels][:, :, [block]]
    return ExactMDP(kernel, quotient.discount, quotient.available[labels])


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a quotient with 2 to `size` - 1 blocks, split at random, with goals that may end and a policy or none."""
    blocks, m = instances.sizes(rng, largest=max(2, size - 1))
    quotient = instances.world(rng, blocks, m)
    labels = np.concatenate([np.arange(blocks), rng.integers(0, blocks, 2)])
    k = int(rng.integers(1, blocks + 1))
    goals = ExactGoals(
        instances.generic_rewards(rng, k, blocks)[:, labels],
        exact.fraction_array(rng.integers(0, 3, (k, blocks)))[:, labels] / 2,
    )
    kind = int(rng.integers(3))
    chosen = None if kind == 0 else instances.policy(rng, blocks, m, n_goals=k if kind == 1 else None)
    spread = None if chosen is None else chosen[..., labels, :]
    return Instance(split(rng, quotient, labels), goals, spread, extra={"blocks": exact.fraction_array(labels)})


def quotient_of(instance: Instance) -> Instance:
    """Return the aggregated world with its goals and policy."""
    labels = labels_of(instance)
    first = np.unique(labels, return_index=True)[1]
    world = exact.lump(instance.world, labels)
    goals = ExactGoals(instance.goals.rewards[:, first], instance.goals.continuation[:, first])
    return Instance(world, goals, None if instance.policy is None else instance.policy[..., first, :])


def conclude(instance: Instance, *, whole: bool = False) -> Outcome:
    """M is that of the quotient, and of a row the blocks' probabilities are seen iff rank [Mbar;1] is their number.

    With `whole` the claim is that the rank is the number of states.
    """
    labels = labels_of(instance)
    if not constant(instance.goals.rewards, labels, 1) or not is_lumpable(instance):
        merged = constant(instance.agent.test_matrix, labels, 1)
        return Outcome(merged, f"columns of M agree in the blocks: {merged}")
    small = quotient_of(instance)
    same = bool((instance.agent.test_matrix == small.agent.test_matrix[:, labels]).all())
    rank, bar = exact.rank(instance.system).rank, exact.rank(small.system).rank
    # What is seen of blocks: the rows of their indicators that lie in the row space of [M;1].
    indicators = exact.fraction_array((labels[None] == np.arange(labels.max() + 1)[:, None]).astype(int))
    seen = exact.rank(np.concatenate([instance.system, indicators])).rank == rank
    wanted = bar == (len(labels) if whole else labels.max() + 1)
    text = f"M is the quotient's: {same}; ranks {rank} and {bar}, {labels.max() + 1} blocks; blocks are seen: {seen}"
    return Outcome(same and rank == bar and seen is bool(wanted), text)


def small_worlds(*, lumpable: bool = True, goals_too: bool = True, policy_too: bool = True) -> SearchStrategy[Instance]:
    """Three states, the last two in one block, with one goal and a policy; what is not said may differ inside it."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        half, ever, paid = st.just(Fraction(1, 2)), st.just(Fraction(1)), st.integers(0, 2).map(Fraction)
        world = draw(exact_mdps(n_states=3, n_actions=2, discounts=half, max_successors=1, all_available=True))
        kernel = world.kernel.copy()
        kernel[2] = kernel[2] if not lumpable else kernel[1]
        rewards = draw(exact_goals(3, n_goals=1, rewards=paid, continuations=ever)).rewards.copy()
        rewards[:, 2] = rewards[:, 2] if not goals_too else rewards[:, 1]
        chosen = draw(exact_policies(world.available)).copy()
        chosen[2] = chosen[2] if not policy_too else chosen[1]
        extra = {"blocks": exact.fraction_array([0, 1, 1])}
        return Instance(ExactMDP(kernel, Fraction(1, 2)), ExactGoals(rewards), chosen, extra=extra)

    return made()


def goals_fit(instance: Instance) -> bool:
    """Tell whether rewards and continuation are constant on the blocks."""
    labels = labels_of(instance)
    return constant(instance.goals.rewards, labels, 1) and constant(instance.goals.continuation, labels, 1)


HYPOTHESES = (
    Hypothesis(LUMPABLE, is_lumpable, partial(small_worlds, lumpable=False)),
    Hypothesis(GOALS, goals_fit, partial(small_worlds, goals_too=False)),
    Hypothesis(POLICY, lambda i: i.policy is None or constant(i.policy, labels_of(i), i.policy.ndim - 2),
               partial(small_worlds, policy_too=False)),
)  # fmt: skip


def check_coarsest(rng: np.random.Generator, amount: int, *, steps: bool = True) -> Tally:
    """The coarsest lumpable partition, against all partitions of up to 5 states; without `steps`, the given one."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 4)
        world = instance.world
        n = world.n_states
        given = np.unique(rng.integers(0, 2, n), return_inverse=True)[1]
        found = exact.coarsest_lumpable(world, given) if steps else given
        good = [p for p in partitions(n) if refines(p, given) and is_lumpable(_with(instance, p))]
        fewest = min(max(p) for p in good) + 1
        holds = found.max() + 1 == fewest and refines(found, given) and is_lumpable(_with(instance, found))
        holds = holds and all(refines(p, found) for p in good)
        tally.add(bool(holds), 0.0, f"{given.tolist()} refined to {found.tolist()}; {fewest} blocks are the fewest")
    return tally


def _with(instance: Instance, labels: IntArray) -> Instance:
    return Instance(instance.world, instance.goals, instance.policy, extra={"blocks": exact.fraction_array(labels)})


def partitions(n: int) -> list[IntArray]:
    """Return all partitions of n states, as restricted growth strings."""
    found = [[0]]
    for _ in range(n - 1):
        found = [[*p, x] for p in found for x in range(max(p) + 2)]
    return [np.array(p) for p in found]


def refines(fine: IntArray, coarse: IntArray) -> bool:
    """Tell whether each block of the first lies in one of the second."""
    pairs = set(zip(fine.tolist(), coarse.tolist(), strict=True))
    return len(pairs) == len(set(fine.tolist()))


def check_symbolic(_rng: np.random.Generator, _amount: int, *, lumped: bool = True) -> Tally:
    """Three states in two blocks under a policy, all entries symbols: the lifted M solves Bellman's equation.

    Without `lumped`, the third state has transitions of its own.
    """
    made = symbol_arrays(p=(2, 2), split=(3, 2), own=(2,), r=(2,), discount=())
    labels, bar = [0, 1, 1], made["p"]
    unit = identity(2)
    lifted = adjugate(unit - bar * made["discount"]) @ made["r"]
    below = determinant(unit - bar * made["discount"])
    tally = Tally()
    for s in range(3):
        row = made["own"] if s == 2 and not lumped else bar[labels[s]]
        # the second block's probability is split in any way: x and row - x
        kernel = [row[0], made["split"][s, 0], row[1] - made["split"][s, 0]]
        next_value = sum(p * lifted[labels[t]] for t, p in enumerate(kernel))
        defect = lifted[labels[s]] - made["r"][labels[s]] * below - made["discount"] * next_value
        tally.add(vanishes(defect), 0.0, f"state {s}: {defect}")
    return tally


STATEMENT = Statement(
    id="BQ",
    title="Quotients: what is seen of aggregated worlds",
    latex=r"M_{gs} = \bar M_{g\,b(s)}, \quad Mp = \bar M \bar p, \ \bar p(B) = \sum_{t \in B} p(t); \qquad "
    r"\bar p \text{ is seen uniformly} \iff \operatorname{rank}[\bar M;\mathbf 1] = \#\text{blocks}",
    plain="If the states fall into blocks between which the world moves by itself, and goals, continuation and "
    "policies "
    "do not differ inside blocks, then agents show the quotient world: of a row only the probabilities of blocks, and "
    "those uniformly if and only if [M;1] of the quotient has as many independent rows as there are blocks. Refinement "
    "finds the coarsest such partition.",
    source="this package; after Kemeny and Snell, Finite Markov chains (1960)",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "quotients with up to 5 blocks, split at random: M, ranks, and what is seen of blocks",
              exact_check(draw, HYPOTHESES, conclude, size=6), (40, 400, 4000)),
        Check("exact", "the coarsest lumpable partition, against all partitions of up to 5 states", check_coarsest,
              (15, 150, 1500)),
        Check("symbolic", "three states in two blocks: the lifted values solve Bellman's equation", check_symbolic,
              (1, 1, 1)),
    ),
    counterexamples=(
        Counterexample(LUMPABLE, "two states of a block that lead elsewhere", stored("BQ", LUMPABLE)),
        Counterexample(GOALS, "a reward that differs inside a block", stored("BQ", GOALS)),
        Counterexample(POLICY, "a policy that differs inside a block", stored("BQ", POLICY)),
    ),
    mutations=(
        Mutation("blocks are seen iff the rank is the number of states",
                 exact_check(draw, HYPOTHESES, partial(conclude, whole=True), size=4), 10),
        Mutation("the given partition is lumpable", partial(check_coarsest, steps=False), 15),
        Mutation("transitions that differ inside a block", partial(check_symbolic, lumped=False), 1),
    ),
    open_levels={"universal": "worlds fill a continuum; all partitions of drawn ones are tried"},
    api=("tabular_inversion.exact.lump", "tabular_inversion.exact.coarsest_lumpable"),
)  # fmt: skip
