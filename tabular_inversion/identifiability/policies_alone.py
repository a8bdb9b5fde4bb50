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
from tabular_inversion.errors import InputError, KernelError, ShapeError, WitnessError
from tabular_inversion.exact import ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.validation import exact_array
from tabular_inversion.identifiability.advantage_values import AdvantageValues
from tabular_inversion.identifiability.values_alone import other_world_with_hulls, same_hulls
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
    >>> goals = exact.ExactGoals([[0, 1], [2, 1]])
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
    """Whether what an agent shows without Q determines the world.

    Attributes
    ----------
    status : Status
        NOT_IDENTIFIED comes with `other`; UNDECIDED where no other world was found, and nothing proves that there is
        none.
    agent : AdvantageValues
        What is shown, in the true world.
    known : numpy.ndarray of bool, shape (S, A)
        The rows of the kernel that are known.
    dimension : int
        How many parameters are free round a world whose rows are positive everywhere: of the family of all ``P + t D``
        with the same advantages, or of the rows that move in hulls where V alone is shown.
    other : ExactMDP or None
        Another world that shows the same, with the same known rows.

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
    >>> verdict = identify_from_policies(AdvantageValues.of(world, exact.ExactGoals([[0, 1], [2, 1]])))
    >>> verdict
    <PoliciesVerdict: NOT_IDENTIFIED, 2 parameters free>
    >>> verdict.verify()
    """

    status: Status
    agent: AdvantageValues
    known: BoolArray
    dimension: int
    other: ExactMDP | None

    def __repr__(self) -> str:
        several = "s" * (self.dimension != 1)
        return f"<PoliciesVerdict: {self.status.name}, {self.dimension} parameter{several} free>"

    @property
    def family(self) -> FractionArray:
        """A basis of all D for which ``P + t D`` has the same advantages, shape (dimension, S, A, S).

        Raises
        ------
        InputError
            If V alone is shown: the worlds that have it are no linear family.
        """
        if self.agent.shows == "values":
            raise InputError("worlds with the same V are no linear family; `other` is one of them.")
        world = self.agent.world
        directions = np.full((self.dimension, world.available.size, world.n_states), Fraction(0), dtype=object)
        found = _family(world, self.agent.discounts, self.known)
        directions[:, world.row_index] = found.T.reshape(self.dimension, len(world.row_index), world.n_states)
        return directions.reshape(self.dimension, *world.kernel.shape)

    @promise
    def verify(self) -> None:
        """Decide again, and compare what both worlds show.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        agent, other = self.agent, self.other
        again = identify_from_policies(agent, known=self.known)
        for name in ("status", "dimension"):
            if getattr(again, name) != getattr(self, name):
                raise WitnessError(f"{name}: it is {getattr(again, name)!r}; {getattr(self, name)!r} was stated.")
        if (other is None) is (self.status is Status.NOT_IDENTIFIED):
            raise WitnessError(f"other: {self.status.name} does not go with {other!r}.")
        if other is None:
            return
        if other == agent.world or (other.rows != agent.world.rows)[self.known.ravel()].any():
            raise WitnessError("other: it is the same world, or differs in a known row.")
        if agent.shows == "values":
            if not same_hulls(agent.world, other):
                raise WitnessError("other: it shows other values of some reward.")
        elif not _in_family(agent, other):
            raise WitnessError("other: it has other advantages under some reward.")
        if agent.goals is not None and agent.shows != "soft policies":  # these follow from the advantages
            for discount, first, second in zip(agent.discounts, agent.shown(), agent.shown(other), strict=True):
                if (first != second).any():
                    raise WitnessError(f"other: it shows other {agent.shows} at discount {discount}.")


@checked
def identify_from_policies(agent: AdvantageValues, *, known: ArrayLike | None = None) -> PoliciesVerdict:
    """Decide exactly whether advantages, policies or V alone, at one or several discounts, determine the world.

    Parameters
    ----------
    agent : AdvantageValues
        What is shown, in the true world; at most some ten states, as everything is decided in fractions.
    known : array_like of bool, shape (S, A), optional
        Rows of the kernel that are known beforehand, such as those of an action that stays; none when omitted.

    Returns
    -------
    PoliciesVerdict
        Hard policies show no more than advantages, so that IDENTIFIED is never said of them; of soft ones and of V
        alone it is said where all rewards are shown.

    Raises
    ------
    ShapeError
        If `known` does not fit the world.

    Notes
    -----
    All worlds with these advantages are ``P + X - gamma P X`` if [M;1] has rank n: a linear family, in which one exact
    linear program looks for a world whose entries are probabilities. V of all rewards shows the hull of the rows of
    each state. Source: PA.

    Examples
    --------
    One known action in each state, here one that stays, determines the rest:

    >>> world = ExactMDP([[[1, 0], ["1/4", "3/4"]], [[0, 1], ["2/3", "1/3"]]], "1/2")
    >>> agent = AdvantageValues.of(world, exact.ExactGoals([[0, 1]]))
    >>> identify_from_policies(agent).status.name
    'NOT_IDENTIFIED'
    >>> identify_from_policies(agent, known=[[True, False], [True, False]])
    <PoliciesVerdict: IDENTIFIED, 0 parameters free>
    >>> values = AdvantageValues.of(world, shows="values")
    >>> identify_from_policies(values).other.kernel.astype(str).tolist()[0]
    [['1/4', '3/4'], ['1', '0']]
    """
    available = agent.world.available
    mask = np.zeros(available.shape, bool) if known is None else np.asarray(known)
    if mask.dtype != bool or mask.shape != available.shape:
        raise ShapeError(f"known has type {mask.dtype}, shape {mask.shape}; expected bool, {available.shape}.")
    if agent.shows == "values":
        dimension, other = other_world_with_hulls(agent.world, mask)
        proved = agent.goals is None
    else:
        directions = _family(agent.world, agent.discounts, mask)
        dimension, other = directions.shape[1], _other_world(agent.world, directions)
        proved = agent.shows != "hard policies" and (agent.goals is None or _spans(agent))
    status = Status.NOT_IDENTIFIED if other is not None else Status.IDENTIFIED if proved else Status.UNDECIDED
    return PoliciesVerdict(status, agent, mask, dimension, other)


def _spans(agent: AdvantageValues) -> bool:
    """Tell whether [M;1] is proved to have rank n at each discount; soft values are no fractions."""
    if agent.shows == "soft policies":
        return False
    n = agent.world.n_states
    ones = np.full((1, n), Fraction(1), dtype=object)
    matrices = (agent.agent(discount).test_matrix for discount in agent.discounts)
    return all(exact.rank(np.concatenate([matrix, ones])).rank == n for matrix in matrices)


def _in_family(agent: AdvantageValues, other: ExactMDP) -> bool:
    """Tell whether another world is ``P + X - gamma P X`` at each discount."""
    world = agent.world
    if (other.available != world.available).any() or other.kernel.shape != world.kernel.shape:
        return False
    directions = _family(world, agent.discounts, np.zeros(world.available.shape, bool))
    step = (other.rows - world.rows)[world.row_index].reshape(-1, 1)
    return bool(exact.rank(np.hstack([directions, step])).rank == exact.rank(directions).rank)


def _exact(world: MDP | ExactMDP) -> ExactMDP:
    return world if isinstance(world, ExactMDP) else ExactMDP.from_float(world)


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
