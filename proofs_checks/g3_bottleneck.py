"""G3: goals behind a cut of B states add at most |B| to the rank; under policies of their own they can add more."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from proofs_checks.digraphs import random_edges
from proofs_checks.instance import Instance
from proofs_checks.instances import discount, fractions_of, policy
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
from tabular_inversion import Supported, exact, identify
from tabular_inversion._typing import BoolArray
from tabular_inversion.environments import four_rooms
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.identifiability import Status
from tabular_inversion.sufficiency import linkage, structural

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROOF = r"""
Let $U$ be the set of states that can be reached from $X$ without meeting $B$, with $X \setminus B$ itself in it. By
hypothesis no goal pays in $U$, and the continuation on $U$ is that of all goals, $D$. For $x \in U$ every successor
lies in $U \cup B$, so that by L1 $m_g(U) = \gamma D_U \left( P_{UU}\, m_g(U) + P_{UB}\, m_g(B) \right)$, and $m_g(U) =
F\, m_g(B)$ with $F = (I - \gamma D_U P_{UU})^{-1} \gamma D_U P_{UB}$, one matrix for all goals, because one policy
serves all. On $X \cap B$ let $F$ be the identity. So the columns $X$ of $M$ are $M_X = M_B F_X^\top$, and
$\operatorname{rank} M_X \le |B|$. Nothing here is generic: the bound holds for every kernel, discount and rewards.

*One continuation.* If goals end in different states on the way, $F$ depends on the goal. On the chain $0 \to 1 \to 2
\to 3$, where 3 stays, let two goals pay in 3 and one of them end in 0, $C_2(0) = 0$: through the one door 3 the columns
0 and 1 have rank 2. A goal that pays on the way is a goal inside, however small the reward.

*Rooms.* Let a row have its $N$ successors $X$ in a room with doors $B$. Goals outside add at most $|B|$ to the rank of
$M_X$, goals inside at most one each, the row of ones one more. So with fewer than $N - |B| - 1$ goals inside it is not
identified, whatever there is outside.

*Policies of their own.* With one door and goals that pay nothing negative, $m_g(U) = F_\pi m_g(B)$ is largest for the
same policy whatever the goal, the one that reaches the door soonest: the bound holds for optimal agents, too. With two
doors it does not: a state that may go to either shows the maximum of two values, which is no linear function of them.
"""

POLICY = "one unconditional policy"
CUT = "every path from X to where a goal pays meets B"
CONTINUATION = "one continuation for all goals, in the states before B"

Bound: TypeAlias = Callable[[Instance], int]
"""``bound(instance)``: the largest rank of the columns X, as a statement claims."""


def size_of_cut(instance: Instance) -> int:
    """G3: |B|."""
    return len(instance.extra["B"])


def one_less(instance: Instance) -> int:
    """The wrong variant with one state less."""
    return len(instance.extra["B"]) - 1


def states(instance: Instance, name: str) -> list[int]:
    """Return X or B."""
    return [int(x) for x in instance.extra[name]]


def before_the_cut(instance: Instance) -> BoolArray:
    """Return which states can be reached from X without meeting B, those of X among them."""
    edges = np.asarray((instance.world.kernel > 0).any(axis=1))
    if instance.policy is not None and instance.policy.ndim == 2:
        edges = np.asarray(((instance.world.kernel > 0) & (instance.policy > 0)[:, :, None]).any(axis=1))
    cut = np.isin(np.arange(len(edges)), states(instance, "B"))
    reached: BoolArray = np.isin(np.arange(len(edges)), states(instance, "X")) & ~cut
    for _ in range(len(edges)):
        reached = (reached | edges[reached].any(axis=0)) & ~cut
    return reached


def cuts(instance: Instance) -> bool:
    """Tell whether no goal pays in a state that can be reached from X without meeting B."""
    return not bool((instance.goals.rewards[:, before_the_cut(instance)] != 0).any())


def goes_on_alike(instance: Instance) -> bool:
    """Tell whether all goals have the same continuation there."""
    inside = instance.goals.continuation[:, before_the_cut(instance)]
    return bool((inside == inside[:1]).all())


def draw(rng: np.random.Generator, size: int) -> Instance:
    """Draw a room with up to `size` states, one or two doors, and goals outside; small weights, nothing generic."""
    inside, doors, outside = int(rng.integers(2, size)), int(rng.integers(1, 3)), int(rng.integers(1, 4))
    n, m = inside + doors + outside, int(rng.integers(1, 3))
    room, cut = np.arange(n) < inside, list(range(inside, inside + doors))
    edges = random_edges(rng, n, 0.4) | (np.arange(n)[:, None] == np.array([*cut, *[n] * (n - doors)])[None])
    edges[:inside, inside + doors :] = False
    edges[:inside, inside] = True
    weights = np.where(edges[:, None], rng.integers(1, 4, (n, m, n)), 0)
    world = ExactMDP(fractions_of(weights), discount(rng))
    rewards = np.where(room, 0, rng.integers(-3, 4, (n, n)))
    continuation = np.where(room, rng.integers(0, 2, n), rng.integers(0, 2, (n, n)))
    goals = ExactGoals(exact.fraction_array(rewards), exact.fraction_array(continuation))
    extra = {"X": exact.fraction_array(np.arange(inside)), "B": exact.fraction_array(np.array(cut))}
    return Instance(world, goals, policy(rng, n, m), "supported", extra)


def conclude(instance: Instance, *, bound: Bound = size_of_cut) -> Outcome:
    """The columns X of M have rank |B| at most."""
    rank = exact.rank(instance.agent.test_matrix[:, states(instance, "X")]).rank
    return Outcome(
        rank <= bound(instance), f"rank {rank} of {len(instance.extra['X'])} columns, bound {bound(instance)}"
    )


def check_linkages(rng: np.random.Generator, amount: int) -> Tally:
    """The package's own cut of each drawn room is no larger than the doors, and bounds the rank at any kernel."""
    tally = Tally()
    for _ in range(amount):
        instance = draw(rng, 6)
        paying = np.flatnonzero(
            (instance.goals.rewards != 0).any(axis=0) & (instance.world.kernel > 0).any(axis=(0, 1))
        )
        if not paying.size:
            continue
        found = linkage(instance.world.to_float(), paying, sources=states(instance, "X"))
        found.verify()
        tally.add(len(found) <= size_of_cut(instance), 0.0, found.text)
    return tally


def check_four_rooms(rng: np.random.Generator, amount: int, *, generic: bool = False) -> Tally:
    """Teleport FourRooms: 20 random indicator goals leave all rows with 16 successors open, 15 generic goals none.

    Agents are optimal, in fractions, at discount 9/10; for unconditional policies paths and cuts prove the first half,
    for almost every kernel on the support. `generic` claims that generic goals leave them open as well, which is wrong.
    """
    floats = four_rooms("teleport")
    world = ExactMDP(ExactMDP.from_float(floats.with_discount(0.5)).kernel, Fraction(9, 10))
    kernel_class = Supported(floats.sparse().support)
    wide = floats.n_successors.reshape(floats.available.shape) == 16
    tally = Tally()
    for _ in range(amount):
        places = np.sort(rng.choice(world.n_states, 20, replace=False))
        unit = exact.fraction_array(np.eye(world.n_states, dtype=int))[places]
        numbers = ExactGoals(exact.fraction_array(rng.integers(-99, 100, (15, world.n_states))))
        verdicts = [identify(exact.solve(world, goals), kernel_class, scope="uniform")
                    for goals in (ExactGoals(unit, 1 - unit), numbers)]  # fmt: skip
        few, many = (int((v.row_status[wide] == Status.NOT_IDENTIFIED).sum()) for v in verdicts)
        proved = int((structural(floats, places, policy="generic").row_status[wide] == Status.NOT_IDENTIFIED).sum())
        total = int(wide.sum())
        text = f"of {total} rows {few} open for 20 indicator goals ({proved} for any one policy), {many} for 15 generic"
        tally.add(few == proved == total and many == (total if generic else 0), 0.0, text)
    return tally


def chain(*, ends: bool) -> Instance:
    """Return 0 -> 1 -> 2 -> 3, two goals in 3 of which one may end in 0, X = {0, 1} and the door 3."""
    kernel = exact.fraction_array(np.eye(4, dtype=int)[[1, 2, 3, 3]][:, None])
    continuation = np.ones((2, 4), int)
    continuation[1, 0] = 1 - ends
    goals = ExactGoals(np.eye(4, dtype=int)[[3, 3]], exact.fraction_array(continuation))
    extra = {"X": exact.fraction_array(np.array([0, 1])), "B": exact.fraction_array(np.array([3]))}
    alone = exact.fraction_array(np.ones((4, 1), int))
    return Instance(ExactMDP(kernel, Fraction(1, 2)), goals, alone, "supported", extra)


def chain_has_rank_two() -> bool:
    """Tell whether the chain has rank 2 through one door where a goal ends in 0, and rank 1 where none does."""
    return not conclude(chain(ends=True)).holds and conclude(chain(ends=False)).holds


def draw_loosely(rng: np.random.Generator, size: int, *, own_ends: bool) -> Instance:
    """Draw a room as `draw` and let goals end in different states of it, or pay a little in it."""
    given = draw(rng, size)
    goals, inside = given.goals, before_the_cut(given)
    loose = exact.fraction_array(np.where(inside, rng.integers(0, 2, goals.rewards.shape), 0))
    kept = np.where(inside, 1, goals.continuation) * 1
    rewards, continuation = (goals.rewards, kept * (1 - loose)) if own_ends else (goals.rewards + loose, kept)
    return Instance(given.world, ExactGoals(rewards, continuation), given.policy, given.kernel_class, given.extra)


def _rooms(*, own: bool = False, gap: bool = False, ends: bool = False) -> SearchStrategy[Instance]:
    """Three states inside, two doors that lead to themselves, three goals that pay at the doors (`gap`: or inside)."""
    from hypothesis import strategies as st

    door = st.sampled_from([3, 4])

    def made(moves: list[int], rewards: list[int], endings: list[int]) -> Instance:
        kernel = np.zeros((5, 2, 5), int)
        kernel[np.repeat(np.arange(5), 2), np.tile([0, 1], 5), [*moves, 3, 3, 4, 4]] = 1
        table = np.array(rewards).reshape(3, 5)
        table[:, : 0 if gap else 3] = 0
        continuation = np.array(endings).reshape(3, 5) if ends else np.ones((3, 5), int)
        continuation[:, 3:] = 1
        chosen = None if own else fractions_of(np.ones((5, 2), int))
        extra = {"X": exact.fraction_array(np.arange(3)), "B": exact.fraction_array(np.array([3, 4]))}
        world = ExactMDP(exact.fraction_array(kernel), Fraction(1, 2))
        goals = ExactGoals(exact.fraction_array(table), exact.fraction_array(continuation))
        return Instance(world, goals, chosen, "supported", extra)

    bits = st.lists(st.integers(0, 1), min_size=15, max_size=15)
    return st.builds(made, st.lists(door, min_size=6, max_size=6), bits, bits if ends else st.just([1] * 15))


HYPOTHESES = (
    Hypothesis(POLICY, lambda i: i.policy is not None and i.policy.ndim == 2, partial(_rooms, own=True)),
    Hypothesis(CUT, cuts, partial(_rooms, gap=True)),
    Hypothesis(CONTINUATION, goes_on_alike, partial(_rooms, ends=True)),
)

STATEMENT = Statement(
    id="G3",
    title="Bottlenecks",
    latex=r"\pi_g = \pi, \ C_g = C \text{ and } r_g = 0 \text{ before } B, \ "
    r"\text{every path from } X \text{ to where a goal pays meets } B: \quad "
    r"M_X = M_B F^\top, \quad \operatorname{rank} M_X \le |B|",
    plain="If every path from the states X to the goals passes a set B of states, and before B no goal pays and all "
    "go on alike, then under one unconditional policy the goals say of X at most as much as |B| goals could: goals "
    "outside a room, which neither pay nor end in it, say at most as much about its inside as the room has doors. This "
    "holds for every kernel, not only for almost every one.",
    source="this package",
    proof=PROOF,
    hypotheses=HYPOTHESES,
    draw=draw,
    conclude=conclude,
    checks=(
        Check("exact", "rooms with up to 6 states, small weights, all kinds of goals outside: rank at most |B|",
              exact_check(draw, HYPOTHESES, conclude, size=7), (60, 600, 5000)),
        Check("exact", "the package's cuts of such rooms", check_linkages, (60, 400, 3000)),
        Check("exact", "teleport FourRooms, optimal agents: rows with 16 successors stay open for 20 random indicator "
              "goals, and 15 generic goals settle them", check_four_rooms, (1, 5, 20)),
    ),
    counterexamples=(
        Counterexample(POLICY, "optimal agents, two doors: three goals outside tell three states inside apart",
                       stored("G3", POLICY)),
        Counterexample(CUT, "goals inside the room", stored("G3", CUT)),
        Counterexample(CONTINUATION, "goals that end inside the room", stored("G3", CONTINUATION)),
        Counterexample("one continuation for all goals that pay outside", "a chain of four states, two goals at its "
                       "end, one of which ends in state 0: rank 2 through one door", show=chain_has_rank_two),
    ),
    mutations=(
        Mutation("|B| - 1",
                 first_failure(exact_check(draw, HYPOTHESES, partial(conclude, bound=one_less), size=7)), 50),
        Mutation("goals outside may end where they like", first_failure(exact_check(
            partial(draw_loosely, own_ends=True), (), conclude, size=6)), 200),
        Mutation("goals outside may pay inside as well", first_failure(exact_check(
            partial(draw_loosely, own_ends=False), (), conclude, size=6)), 200),
        Mutation("15 generic goals leave the rows open, too", partial(check_four_rooms, generic=True), 1),
    ),
    open_levels={
        "symbolic": "no check with symbols was written; the proof is the factorisation itself",
        "universal": "no enumeration was run over all instances of a size; the proof covers all kernels and sizes",
    },
    api=("tabular_inversion.sufficiency.linkage", "tabular_inversion.sufficiency.by_paths.structural"),
)  # fmt: skip
