"""What advantages and policies show of the world, without the values (PA): the dual of reward shaping.

Worlds ``P'(s, a) = P(s, a) + X(s) - gamma P(s, a) X``, with one matrix X whose rows sum to zero, have the same
advantages as P under every reward that never ends, so the same policies, hard and soft; and no others have (PA).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import exact
from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import DiscountError, GoalsError, KernelError, ShapeError, WitnessError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.validation import exact_array, exact_discount, exact_policy
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability.verdict import Status
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, promise
from tabular_inversion.validation import locate


@checked
def reshape_world(world: MDP | ExactMDP, shift: ArrayLike) -> ExactMDP:
    """Return the world ``P'(s, a) = P(s, a) + X(s) - gamma P(s, a) X``, which has the same advantages.

    Parameters
    ----------
    world : MDP or ExactMDP
        Its discount is the agent's. Floats are taken as the dyadic rationals that they are.
    shift : array_like of rationals, shape (S, S)
        X; its rows sum to zero. With ``Y = X (I - gamma X)^-1``, P' is ``(P + Y) (I + gamma Y)^-1`` for each action.

    Returns
    -------
    ExactMDP
        With the same actions and discount. For each goal that never ends, and each policy or way to choose actions by
        advantages, Q' is Q plus a function of the state.

    Raises
    ------
    KernelError
        If an entry is no rational number, a row of X does not sum to zero, or P' has a negative entry.
    ShapeError
        If the shape does not fit.

    Notes
    -----
    Reward shaping adds to the reward what no policy sees; this adds to the kernel what no policy sees. Source: PA;
    compare Cao, Cohen and Szpruch (2021), Ng, Harada and Russell (1999).

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
    >>> other = reshape_world(world, [["1/8", "-1/8"], [0, 0]])
    >>> goals = ExactGoals([[0, 1], [2, 1]])
    >>> first, second = exact.solve(world, goals), exact.solve(other, goals)
    >>> bool((first.q - first.v[:, :, None] == second.q - second.v[:, :, None]).all()), world == other
    (True, False)
    """
    given = _exact(world)
    n = given.n_states
    shifts = exact_array("shift", shift, (n, n), "(S, S)", KernelError)
    sums = shifts.sum(axis=1)
    if (sums != 0).any():
        raise KernelError(f"the rows of shift sum to zero; found {locate(sums != 0, sums, '(s)')}.")
    moved = given.kernel + (shifts[:, None] - given.discount * (given.kernel @ shifts)) * given.available[..., None]
    if (moved < 0).any():
        raise KernelError(
            f"the shift leads out of the simplex: {locate(moved < 0, moved, '(s, a, t)')}; scale it down."
        )
    return ExactMDP(moved, given.discount, given.available)


@checked
@dataclass(frozen=True, eq=False, repr=False)
class PoliciesVerdict(Record):
    """Whether advantages alone determine the world.

    Attributes
    ----------
    status : Status
        NOT_IDENTIFIED comes with `other`; UNDECIDED where the goals do not span and no other world was found.
    world : ExactMDP
        The world that was asked about.
    goals : ExactGoals
        G goals that never end.
    policy : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), or None
        The agents' policy; None stands for optimal ones.
    discounts : tuple of Fraction
        Those of the agents.
    known : numpy.ndarray of bool, shape (S, A)
        The rows of the kernel that are known.
    dimension : int
        Of the family of all ``P + t D`` with the same advantages, signs of entries apart: exactly so many parameters
        are free round a world whose rows are positive everywhere.
    other : ExactMDP or None
        Another world with the same advantages for each goal and discount, and the same known rows.

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
    >>> verdict = identify_from_policies(world, ExactGoals([[0, 1], [2, 1]]))
    >>> verdict
    <PoliciesVerdict: NOT_IDENTIFIED, 2 parameters free>
    >>> verdict.verify()
    """

    status: Status
    world: ExactMDP
    goals: ExactGoals
    policy: FractionArray | None
    discounts: tuple[Fraction, ...]
    known: BoolArray
    dimension: int
    other: ExactMDP | None

    def __repr__(self) -> str:
        return f"<PoliciesVerdict: {self.status.name}, {self.dimension} parameters free>"

    @promise
    def verify(self) -> None:
        """Decide again, and evaluate both worlds anew.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        again = identify_from_policies(
            self.world, self.goals, policy=self.policy, discounts=self.discounts, known=self.known
        )
        for name in ("status", "dimension"):
            if getattr(again, name) != getattr(self, name):
                raise WitnessError(f"{name}: it is {getattr(again, name)!r}; {getattr(self, name)!r} was stated.")
        if (self.other is None) is (self.status is Status.NOT_IDENTIFIED):
            raise WitnessError(f"other: {self.status.name} does not go with {self.other!r}.")
        if self.other is None:
            return
        if self.other == self.world or (self.other.rows != self.world.rows)[self.known.ravel()].any():
            raise WitnessError("other: it is the same world, or differs in a known row.")
        for discount in self.discounts:
            pair = [_agent(world, self.goals, self.policy, discount) for world in (self.world, self.other)]
            if (_advantages(pair[0]) != _advantages(pair[1])).any():
                raise WitnessError(f"other: it has other advantages at discount {discount}.")


@checked
def identify_from_policies(
    world: MDP | ExactMDP,
    goals: Goals | ExactGoals,
    *,
    policy: ArrayLike | None = None,
    discounts: Sequence[Fraction] | None = None,
    known: ArrayLike | None = None,
) -> PoliciesVerdict:
    """Decide exactly whether the advantages of agents, at one or several discounts, determine their world.

    Parameters
    ----------
    world : MDP or ExactMDP
        The true world; at most some ten states, as everything is decided in fractions.
    goals : Goals or ExactGoals
        Their rewards never end: C = 1.
    policy : array_like of rationals, shape (S, A) or (G, S, A), optional
        What the agents do; optimal for each goal and discount when omitted.
    discounts : sequence of Fraction, optional
        The agents' discounts, in [0, 1); the world's own when omitted.
    known : array_like of bool, shape (S, A), optional
        Rows of the kernel that are known beforehand, such as those of an action that stays; none when omitted.

    Returns
    -------
    PoliciesVerdict
        IDENTIFIED means: from advantages, as soft policies show them. Hard policies show less.

    Raises
    ------
    GoalsError
        If a goal may end.
    DiscountError
        If there is no discount, or one is not in [0, 1).
    PolicyError, ShapeError
        If the policy or `known` does not fit the world.

    Notes
    -----
    All worlds with these advantages are ``P + X - gamma P X`` if [M;1] has rank n: a linear family, in which one exact
    linear program looks for a world whose entries are probabilities. Source: PA.

    Examples
    --------
    One known action in each state, here one that stays, determines the rest:

    >>> world = ExactMDP([[[1, 0], ["1/4", "3/4"]], [[0, 1], ["2/3", "1/3"]]], "1/2")
    >>> identify_from_policies(world, ExactGoals([[0, 1]])).status.name
    'NOT_IDENTIFIED'
    >>> identify_from_policies(world, ExactGoals([[0, 1]]), known=[[True, False], [True, False]])
    <PoliciesVerdict: IDENTIFIED, 0 parameters free>
    """
    given, asked = _exact(world), goals if isinstance(goals, ExactGoals) else ExactGoals.from_float(goals)
    if (asked.continuation != 1).any():
        raise GoalsError(
            "a goal may end; expected goals with continuation 1: endings show values, and not only policies."
        )
    if asked.n_states != given.n_states:
        raise ShapeError(f"goals are on {asked.n_states} states; expected {given.n_states}, as the world.")
    chosen = [given.discount] if discounts is None else [exact_discount(x) for x in discounts]
    if not chosen or max(chosen) == 1:
        raise DiscountError(f"discounts are {[str(x) for x in chosen]}; expected at least one, each in [0, 1).")
    mask = np.zeros(given.available.shape, bool) if known is None else np.asarray(known)
    if mask.dtype != bool or mask.shape != given.available.shape:
        raise ShapeError(f"known has type {mask.dtype}, shape {mask.shape}; expected bool, {given.available.shape}.")
    weights = None if policy is None else exact_policy(policy, given.available, asked.n_goals)
    directions = _family(given, chosen, mask)
    other = _other_world(given, directions)
    spans = all(_spans(_agent(given, asked, weights, discount)) for discount in chosen)
    status = Status.NOT_IDENTIFIED if other is not None else Status.IDENTIFIED if spans else Status.UNDECIDED
    return PoliciesVerdict(status, given, asked, weights, tuple(chosen), mask, directions.shape[1], other)


def _exact(world: MDP | ExactMDP) -> ExactMDP:
    return world if isinstance(world, ExactMDP) else ExactMDP.from_float(world)


def _agent(world: ExactMDP, goals: ExactGoals, policy: FractionArray | None, discount: Fraction) -> ExactAgentValues:
    there = ExactMDP(world.kernel, discount, world.available)
    return exact.solve(there, goals) if policy is None else exact.evaluate(there, goals, policy)


def _advantages(agent: ExactAgentValues) -> FractionArray:
    """Return Q - V, zero where an action is unavailable."""
    return np.where(agent.available, np.where(agent.available, agent.q, 0) - agent.v[:, :, None], 0)


def _spans(agent: ExactAgentValues) -> bool:
    """Tell whether [M;1] has rank n."""
    matrix = agent.test_matrix
    ones = np.full((1, matrix.shape[1]), Fraction(1), dtype=object)
    return bool(exact.rank(np.concatenate([matrix, ones])).rank == matrix.shape[1])


def _family(world: ExactMDP, discounts: Sequence[Fraction], known: BoolArray) -> FractionArray:
    """Return a basis, in columns, of all directions D = X - gamma P X of available rows, the same at each discount."""
    n, rows = world.n_states, world.row_index
    one_each = np.repeat(np.eye(n, dtype=int), world.n_actions, axis=0)[rows]
    free = exact.fraction_array(np.vstack([np.eye(n - 1, dtype=int), -np.ones((1, n - 1), int)]))  # rows sum to zero
    maps = [np.kron(one_each - discount * world.rows[rows], free) for discount in discounts]
    count = maps[0].shape[1]
    zero = 0 * maps[0]
    equations = [
        np.hstack([maps[0], *(-m if j == i else zero for j in range(1, len(maps)))])
        for i, m in enumerate(maps[1:], start=1)
    ]
    fixed = np.repeat(known.ravel()[rows], n)
    equations.append(np.hstack([maps[0][fixed], *(zero[fixed] for _ in maps[1:])]))
    system = np.concatenate(equations)
    shifts = exact.null_space(system) if len(system) else exact.fraction_array(np.eye(count, dtype=int))
    return np.asarray(maps[0] @ shifts[:count])


def _other_world(world: ExactMDP, directions: FractionArray) -> ExactMDP | None:
    """Return another world in the family, half as far from this one as its probabilities allow, or None."""
    if directions.shape[1] == 0:
        return None
    rows = world.row_index
    inside = world.rows[rows].ravel()
    tight, count = directions[inside == 0], directions.shape[1]
    weights = exact.fraction_array(np.eye(1, count, dtype=int)[0])
    if len(tight):
        slack = np.hstack([tight, -exact.fraction_array(np.eye(len(tight), dtype=int))])
        vector = exact.find_recession_vector(slack, np.arange(slack.shape[1]) >= count).vector
        if vector is None:
            return None
        weights = vector[:count]
    step = directions @ weights
    limits = [p / -d for p, d in zip(inside, step, strict=True) if d < 0]
    moved = world.rows.copy()
    moved[rows] += (step * min(limits) / 2).reshape(len(rows), -1)
    return ExactMDP(moved.reshape(world.kernel.shape), world.discount, world.available)
