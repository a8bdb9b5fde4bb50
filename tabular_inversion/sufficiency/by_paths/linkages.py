"""Vertex-disjoint paths from states to goals, and the cut of the same size that proves that there are no more.

With one action in each state, or a generic unconditional policy: at each discount above 0, for almost every kernel on a
graph and almost every size of the rewards, the rank of the columns X of M is the largest number of paths from X to the
goals that share no state (G1). A cut bounds that rank for every kernel and policy, not only for almost every one (G3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from tabular_inversion._typing import BoolArray, IntArray, SparseMask, SparseMatrix
from tabular_inversion.errors import InputError, PolicyError, WitnessError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, promise
from tabular_inversion.sufficiency.agent_policies import Policy
from tabular_inversion.sufficiency.question import ChosenGoals, Question, read_question
from tabular_inversion.validation import check_indices

if TYPE_CHECKING:
    import networkx as nx


@checked
@dataclass(frozen=True, eq=False)
class Cut(Record):
    """States and goals that every path from some states to the goals meets.

    Attributes
    ----------
    states : numpy.ndarray of int
        The bottleneck.
    goals : numpy.ndarray of int
        Goals that count themselves, because paths reach them in more states than one.

    Examples
    --------
    >>> import networkx as nx
    >>> cut = linkage(nx.path_graph(5), [3, 4], sources=[0, 1]).cut
    >>> len(cut), cut.states
    (1, array([3]))
    """

    states: IntArray
    goals: IntArray

    def __len__(self) -> int:
        return len(self.states) + len(self.goals)

    def behind(self, question: Question) -> BoolArray:
        """Tell which states reach no goal without meeting the cut; those of the cut itself are among them."""
        wanted = np.ones(question.goals.n_goals, bool)
        wanted[self.goals] = False
        paying = np.zeros(question.n_states, bool)
        paying[question.pays[wanted].indices] = True
        paying[self.states] = False
        return ~_can_reach(question.edges, paying, self.states)


@checked
@dataclass(frozen=True, eq=False)
class Linkage(Record):
    """As many vertex-disjoint paths as there can be, and a cut of that size (Menger).

    Attributes
    ----------
    question : Question
        Graph and goals.
    sources : numpy.ndarray of int
        X, where paths may begin.
    paths : tuple of numpy.ndarray of int
        The states of each path, from its source to the state where its goal pays; a path may be a single state.
    goals : numpy.ndarray of int
        The goal of each path.
    cut : Cut
        As many states and goals as there are paths.

    Examples
    --------
    >>> import networkx as nx
    >>> found = linkage(nx.path_graph(5), [3, 4], sources=[0, 1])
    >>> len(found), [path.tolist() for path in found.paths], found.cut.states.tolist()
    (1, [[1, 2, 3]], [3])
    """

    question: Question
    sources: IntArray
    paths: tuple[IntArray, ...]
    goals: IntArray
    cut: Cut

    def __len__(self) -> int:
        return len(self.paths)

    @promise
    def verify(self) -> None:
        """Re-check from scratch that the paths are paths, that they share nothing, and that the cut cuts.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        states, goals = np.arange(self.question.n_states), np.arange(self.question.goals.n_goals)
        for name, values, range_ in (
            ("sources", self.sources, states),
            ("goals", self.goals, goals),
            ("cut", self.cut.states, states),
            ("cut", self.cut.goals, goals),
            *(("paths", path, states) for path in self.paths),
        ):
            if values.dtype.kind != "i" or not np.isin(values, range_).all() or len(np.unique(values)) < len(values):
                raise WitnessError(f"{name}: expected different numbers from 0 to {len(range_) - 1}.")
        if len(self.paths) != len(self.cut):
            raise WitnessError(f"cut: it has {len(self.cut)} states and goals, and there are {len(self.paths)} paths.")
        if not self._paths_hold():
            raise WitnessError("paths: they do not lead from the sources to goals of their own without meeting.")
        if not self._cut_holds():
            raise WitnessError("cut: a source reaches a goal past it.")

    def _paths_hold(self) -> bool:
        if not self.paths:
            return len(self.goals) == 0
        if any(len(path) == 0 for path in self.paths):
            return False
        visited = np.concatenate(self.paths)
        ends = [path[-1] for path in self.paths]
        steps = [step for path in self.paths for step in zip(path[:-1].tolist(), path[1:].tolist(), strict=True)]
        return (
            len(np.unique(visited)) == len(visited)
            and len(np.unique(self.goals)) == len(self.goals) == len(self.paths)
            and bool(np.isin([path[0] for path in self.paths], self.sources).all())
            and all(self.question.edges[step] for step in steps)
            and bool((self.question.goals.rewards[self.goals, ends] != 0).all())
        )

    def _cut_holds(self) -> bool:
        return bool(self.cut.behind(self.question)[self.sources].all())

    @property
    def text(self) -> str:
        """The linkage in words."""
        many = f"{len(self)} vertex-disjoint paths lead from {len(self.sources)} states to the goals"
        if len(self) == len(self.sources):
            return many
        parts = [f"states {self.cut.states.tolist()}"] if len(self.cut.states) else []
        parts += [f"goals {self.cut.goals.tolist()}"] if len(self.cut.goals) else []
        return f"{many}, and no more: every path meets {' or '.join(parts) or 'nothing, as there is none'}"


@checked
def linkage(
    world: MDP | nx.Graph[Any],
    goals: Goals | ChosenGoals | ArrayLike,
    *,
    sources: ArrayLike,
    policy: Policy = "generic",
) -> Linkage:
    """Return the most vertex-disjoint paths from some states to goals, with the bottleneck that allows no more.

    Parameters
    ----------
    world : MDP or networkx.Graph
        As `structural`.
    goals : Goals or array_like of int
        As `structural`.
    sources : array_like of int
        The states X, for example the successors of one row.
    policy : "generic", or array_like, shape (S, A)
        Which actions lead on: all, or those of the policy.

    Returns
    -------
    Linkage

    Raises
    ------
    InputError
        As `structural`; also if the sources are no states.

    Notes
    -----
    Source: G1 and G3. One maximum flow with unit capacities on the states.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> rooms = four_rooms()
    >>> found = linkage(rooms, [67, 66, 65], sources=[0, 1, 2])
    >>> len(found), [rooms.state_name(s) for s in found.cut.states]
    (2, ['(6,8)', '(7,6)'])
    >>> found.verify()
    """
    question = read_question(world, goals, None, policy)
    if question.policy.weights is not None and question.policy.weights.ndim == 3:
        raise PolicyError("paths are those of one policy for all goals; expected 'generic', or shape (S, A).")
    return Network(question).linkage(check_indices("sources", sources, question.n_states, InputError))


@dataclass(frozen=True, eq=False)
class Network:
    """The flow network of a question: state s enters at node 2s and leaves at 2s + 1; then goals, source and sink."""

    question: Question

    @cached_property
    def _capacities(self) -> tuple[Any, Any, Any]:
        """Return the CSR arrays without the edges of the source, whose row is the last."""
        question, n, k = self.question, self.question.n_states, self.question.goals.n_goals
        edges, pays = question.edges.tocoo(), question.pays.tocoo()
        states, goals, sink = np.arange(n), 2 * n + np.arange(k), 2 * n + k
        tails = np.concatenate([2 * states, 2 * edges.row + 1, 2 * pays.col + 1, goals])
        heads = np.concatenate([2 * states + 1, 2 * edges.col, 2 * n + pays.row, np.full(k, sink)])
        # Only states and goals may be saturated, so that every smallest cut consists of them.
        sizes = np.concatenate([np.ones(n), np.full(len(edges.row) + len(pays.row), n), np.ones(k)])
        network = csr_array((sizes.astype(np.int32), (tails, heads)), shape=(sink + 2, sink + 2))
        return network.data, network.indices, network.indptr

    def linkage(self, sources: IntArray) -> Linkage:
        """Return the largest linkage from these states, with the smallest cut that is nearest to the goals."""
        data, indices, indptr = self._capacities
        size, n = len(indptr) - 1, self.question.n_states
        start = np.unique(sources)
        ends = indptr.copy()
        ends[-1] += len(start)
        arrays = (np.append(data, np.full(len(start), n, np.int32)), np.append(indices, (2 * start).astype(np.int32)))
        network = csr_array((*arrays, ends.astype(np.int32)), shape=(size, size))
        flow = maximum_flow(network, size - 1, size - 2).flow
        return Linkage(self.question, start, *self._paths(flow), self._cut(network, flow))

    def _paths(self, flow: SparseMatrix) -> tuple[tuple[IntArray, ...], IntArray]:
        n, source = self.question.n_states, flow.shape[0] - 1
        positive = flow.tocoo()
        used = positive.data > 0
        following: dict[int, int] = dict(zip(positive.row[used].tolist(), positive.col[used].tolist(), strict=True))
        paths, goals = [], []
        for node in positive.col[used & (positive.row == source)].tolist():
            path, place = [], int(node)
            while place < 2 * n:
                if place % 2 == 0:
                    path.append(place // 2)
                place = following[place]
            paths.append(np.array(path, np.intp))
            goals.append(place - 2 * n)
        return tuple(paths), np.array(goals, np.intp)

    def _cut(self, network: SparseMatrix, flow: SparseMatrix) -> Cut:
        n, k, sink = self.question.n_states, self.question.goals.n_goals, flow.shape[0] - 2
        residual = csr_array(network - flow)
        residual.data = (residual.data > 0).astype(np.int8)
        residual.eliminate_zeros()
        reaching = np.zeros(flow.shape[0], bool)
        reaching[breadth_first_order(csr_array(residual.T), sink, return_predecessors=False)] = True
        states = np.flatnonzero(~reaching[: 2 * n : 2] & reaching[1 : 2 * n : 2])
        goals = np.flatnonzero(~reaching[2 * n : 2 * n + k])
        # A goal that pays in one state is cut off by that state, which says more.
        pays = self.question.pays
        alone = np.diff(pays.indptr)[goals] == 1
        return Cut(np.sort(np.append(states, pays.indices[pays.indptr[goals[alone]]])), goals[~alone])


def _can_reach(edges: SparseMask, wanted: BoolArray, removed: IntArray) -> BoolArray:
    """Tell which states reach a wanted one (those count themselves) without entering a removed one."""
    n = edges.shape[0]
    kept = np.ones(n)
    kept[removed] = 0.0
    backwards = edges.T.tocoo()
    alive = (kept[backwards.row] * kept[backwards.col]) > 0
    goals = np.flatnonzero(wanted)
    tails = np.concatenate([backwards.row[alive], np.full(len(goals), n)])
    heads = np.concatenate([backwards.col[alive], goals])
    graph = csr_array((np.ones(len(tails)), (tails, heads)), shape=(n + 1, n + 1))
    reached = np.zeros(n + 1, bool)
    reached[breadth_first_order(graph, n, return_predecessors=False)] = True
    return reached[:n]
