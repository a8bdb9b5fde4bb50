"""What sufficiency looks at: who can follow whom, which rows are asked about, what the goals pay where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, SparseMask
from tabular_inversion.class_tables import check_class
from tabular_inversion.errors import GoalsError, InputError, KernelClassError, KernelError
from tabular_inversion.exact import ExactMDP, fraction_array
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.kernel_rows import dense_rows, sparse_rows
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, read_only_rows
from tabular_inversion.sufficiency.agent_policies import AskedPolicy, Policy, read_policy
from tabular_inversion.validation import frozen_array

if TYPE_CHECKING:
    import networkx as nx

LIMIT_DENOMINATOR = 10_000
"""Probabilities and discounts in floats stand for fractions with denominators up to this, unless told otherwise."""

_EXACT_COST = 1e-6  # seconds for a goal in fractions, per state to the power 2.5: measured on mazes, with a margin
_DYADIC_COST = 20.0  # times as much where each number has 53 bits
_SAME = 1e-12  # between a float and its fraction: different fractions of small denominators are much further apart


@dataclass(frozen=True, eq=False)
class Question(Record):
    """Goals on a graph of possible transitions, and a kernel class.

    Attributes
    ----------
    support : bool csr_array, shape (S*A, S)
        Where each row may be positive; empty where the action is unavailable.
    available : numpy.ndarray of bool, shape (S, A)
        Which rows exist.
    policy : AskedPolicy
        What the agents do.
    goals : Goals
        What pays where.
    kernel_class : KernelClass
        The class that rows are judged in.
    """

    support: SparseMask
    available: BoolArray
    policy: AskedPolicy
    goals: Goals
    kernel_class: KernelClass

    def __post_init__(self) -> None:
        super().__post_init__()
        shapes = {"available": self.available, "chosen": self.chosen}
        for name, mask in shapes.items():
            if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != self.available.shape:
                raise InputError(f"{name}: expected a mask of actions, bool of shape {np.shape(self.available)}.")
        if not issparse(self.support) or self.support.shape != (self.available.size, self.n_states):
            raise InputError(f"support: expected a csr_array of shape {(self.available.size, self.n_states)}.")
        if not isinstance(self.goals, Goals) or not isinstance(self.kernel_class, KernelClass):
            raise InputError("goals or kernel_class: expected a `Goals` and a `KernelClass`.")
        if self.goals.n_states != self.n_states:
            raise GoalsError(f"goals are on {self.goals.n_states} states; expected {self.n_states}, as the graph.")

    @property
    def n_states(self) -> int:
        """N."""
        return int(self.available.shape[0])

    @property
    def n_actions(self) -> int:
        """m; 1 for a graph, whose rows are its nodes."""
        return int(self.available.shape[1])

    @property
    def chosen(self) -> BoolArray:
        """Which actions an unconditional policy takes, shape (S, A)."""
        return self.policy.chosen

    @cached_property
    def row_index(self) -> IntArray:
        """Numbers s*A + a of the available rows, ascending."""
        return frozen_array(np.flatnonzero(self.available), np.intp)

    @cached_property
    def row_supports(self) -> SparseMask:
        """For `Supported`: the states that each available row may reach, bool CSR (rows, S)."""
        supports = self.kernel_class.known_supports(self.row_index)
        if supports is None:
            raise KernelClassError(f"rows of class {self.kernel_class.name!r} have no known support.")
        return read_only_rows(supports)

    @cached_property
    def edges(self) -> SparseMask:
        """Who can follow whom under the policy, bool CSR (S, S)."""
        rows = np.flatnonzero(self.chosen)
        places = (np.ones(len(rows)), (rows // self.n_actions, rows))
        pick = csr_array(places, shape=(self.n_states, self.available.size))
        return read_only_rows(csr_array(pick @ self.support.astype(np.float64)).astype(np.bool_))

    @cached_property
    def pays(self) -> SparseMask:
        """Where each goal pays, bool CSR (G, S)."""
        return read_only_rows(csr_array(self.goals.rewards != 0, shape=self.goals.rewards.shape))


def read_question(
    world: MDP | nx.Graph[Any],
    goals: Goals | ChosenGoals | ArrayLike,
    kernel_class: KernelClass | None,
    policy: Policy,
    *,
    limit_denominator: int | None = LIMIT_DENOMINATOR,
) -> Question:
    """Read what the public functions take.

    Parameters
    ----------
    world : MDP or networkx.Graph
        Of a graph, the edges: u -> v where v can follow u (both ways if undirected), one row for each node.
    goals : Goals or array_like of int
        Goals, or the states of indicator goals that end on arrival.
    kernel_class : KernelClass or None
        None means `Supported` on the world's own support.
    policy : str or array_like
        See `tabular_inversion.sufficiency.agent_policies.Policy`.
    limit_denominator : int or None
        Floats of a policy stand for fractions with denominators up to this.

    Raises
    ------
    InputError
        Of the kind that fits.
    """
    if kernel_class is not None:
        check_class(kernel_class)
    support, available = _read_world(world)
    kernel_class = Supported(support) if kernel_class is None else kernel_class
    kernel_class.check_fits(*support.shape)
    read = read_goals(goals, available.shape[0])
    asked = read_policy(policy, world, read, available, limit_denominator=limit_denominator)
    question = Question(support, available, asked, read, kernel_class)
    _check_reachable(question)
    return question


def _read_world(world: MDP | nx.Graph[Any]) -> tuple[SparseMask, BoolArray]:
    if isinstance(world, MDP):
        return csr_array(world.sparse().support), world.available
    if not hasattr(world, "is_directed"):
        raise InputError(f"the world is a {type(world).__name__}; expected an MDP or a networkx graph.")
    import networkx as nx

    nodes = list(world)
    if world.number_of_edges() == 0:
        raise InputError(f"the graph has {len(nodes)} nodes and no edge; add an edge u -> v where v can follow u.")
    adjacency = csr_array(nx.to_scipy_sparse_array(world, nodelist=nodes, weight=None, format="csr"))
    stuck = np.flatnonzero(np.diff(adjacency.indptr) == 0)
    if stuck.size:
        node = nodes[int(stuck[0])]
        raise KernelError(f"node {node!r} leaves no edge, so nothing follows it; add a self-loop, edge (node, node).")
    return adjacency.astype(bool), np.ones((len(nodes), 1), bool)


class ChosenGoals(ABC):
    """A result that carries goals, such as `MinimalGoals`: every function takes it as it is."""

    @property
    @abstractmethod
    def chosen(self) -> Goals:
        """The goals of the set."""


def read_goals(goals: Goals | ChosenGoals | ArrayLike, n_states: int) -> Goals:
    """Return goals, those of a set that was found, or the indicator goals of states, after a check that they fit."""
    if isinstance(goals, ChosenGoals):
        goals = goals.chosen
    if not isinstance(goals, Goals):
        return Goals.indicator(n_states, goals)
    if goals.n_states != n_states:
        raise GoalsError(f"goals are on {goals.n_states} states; expected {n_states}, as the world.")
    return goals


def read_fractions(values: FloatArray, limit_denominator: int | None) -> FractionArray:
    """Return the fractions that floats stand for; raises `InputError` where one is too far from all that are allowed.

    Examples
    --------
    >>> [str(x) for x in read_fractions(np.array([1 / 3, 0.99]), 100)]
    ['1/3', '99/100']
    """
    fractions = fraction_array(values, allow_float=True, limit_denominator=limit_denominator)
    wrong = np.abs(to_floats(fractions) - values) > _SAME
    if wrong.any():
        raise InputError(
            f"the world's number {values[wrong][0]} is no fraction with a denominator of at most {limit_denominator}; "
            "give limit_denominator=None to take floats exactly as they are, or an ExactMDP."
        )
    return fractions


def read_exact_world(mdp: MDP | ExactMDP, limit_denominator: int | None) -> ExactMDP:
    """Return the world in fractions; one that is in fractions stays as it is.

    Floats that stand for no fractions with small denominators, such as drawn ones, are taken as the dyadic rationals
    that they are. Their rows sum to one up to rounding only: the largest entry of each takes up what is missing.

    Examples
    --------
    >>> drawn = MDP([[[0.1234567, 0.8765433]], [[0.0, 1.0]]], discount=0.9)
    >>> exact_world = read_exact_world(drawn, 100)
    >>> float(exact_world.kernel[0, 0, 0]), int(exact_world.kernel.sum())
    (0.1234567, 2)
    """
    if isinstance(mdp, ExactMDP):
        return mdp
    if stands_for_fractions(mdp, limit_denominator):
        return ExactMDP.from_float(mdp, limit_denominator=limit_denominator)
    kernel = np.array(fraction_array(mdp.toarray(), allow_float=True))
    rows = kernel.reshape(-1, mdp.n_states)
    largest = dense_rows(mdp.rows).argmax(axis=1)
    missing = mdp.available.ravel().astype(int) - rows.sum(axis=1)
    rows[np.arange(len(rows)), largest] += missing
    return ExactMDP(kernel, written(mdp.discount, limit_denominator), mdp.available)


def stands_for_fractions(mdp: MDP, limit_denominator: int | None) -> bool:
    """Tell whether the floats of a world stand for fractions with denominators up to the limit."""
    if limit_denominator is None:
        return False
    try:
        read_fractions(np.append(np.unique(mdp.sparse().kernel.data), mdp.discount), limit_denominator)
    except InputError:
        return False
    return True


def exact_seconds(n_states: int, n_goals: int, *, dyadic: bool = False) -> float:
    """Return about how long the values of goals take in fractions."""
    return float(_EXACT_COST * n_states**2.5 * n_goals * (_DYADIC_COST if dyadic else 1.0))


def is_normalised(mdp: MDP | ExactMDP, limit_denominator: int | None) -> bool:
    """Tell whether rows sum to exactly one as they are read, so that `read_exact_world` changes nothing.

    Examples
    --------
    >>> is_normalised(MDP([[[0.1, 0.9]], [[0.0, 1.0]]], discount=0.5), 100)
    True
    >>> is_normalised(MDP([[[0.1, 0.9 - 1e-16]], [[0.0, 1.0]]], discount=0.5), None)
    False
    """
    if isinstance(mdp, ExactMDP) or stands_for_fractions(mdp, limit_denominator):
        return True
    rows = sparse_rows(mdp.rows)[np.flatnonzero(mdp.available)]
    return all(
        sum(map(Fraction, rows.data[first:last].tolist())) == 1 for first, last in pairwise(rows.indptr.tolist())
    )


def written(discount: float, limit_denominator: int | None) -> Fraction:
    """Return the fraction that a discount is written as, 9/10 for 0.9; without a limit the dyadic one that it is."""
    return Fraction(discount) if limit_denominator is None else Fraction(repr(float(discount)))


def _check_reachable(question: Question) -> None:
    """Raise unless, for each goal, some row of the class may lead to a state where it pays."""
    supports = question.kernel_class.known_supports(question.row_index)
    entered = np.full(question.n_states, supports is None)
    if supports is not None:
        entered[supports.indices] = True
    paying = question.goals.rewards != 0
    idle = np.flatnonzero(~paying.any(axis=1))
    if idle.size:
        raise GoalsError(f"goal {idle[0]} pays nowhere; leave it out: it says nothing.")
    unreachable = np.flatnonzero(~(paying & entered).any(axis=1))
    if unreachable.size:
        goal = int(unreachable[0])
        state = int(np.flatnonzero(paying[goal])[0])
        raise GoalsError(
            f"goal {goal} pays only in states that no row leads to, such as state {state}; leave it out: nobody "
            "can reach it."
        )
