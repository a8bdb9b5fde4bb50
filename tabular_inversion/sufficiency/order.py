"""In which order to train goals, so that the error of what is recovered falls fastest: experimental design.

Under noise each goal is one noisy equation for every row. The rows of a class are recovered on their sets of
successors T, and a distribution on T lies in a simplex: before any goal it is known up to the spread of that simplex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import GoalsError, InputError, KernelClassError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Stochastic, Supported
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.predicted import scales_of
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.validation import check_indices, check_positive

Criterion = Literal["error", "sigma_min"]

_INDEPENDENT = 1e-9  # an equation this small (relative) after the ones before it is taken for one of them


@checked
@dataclass(frozen=True, eq=False, repr=False)
class GoalOrder(Record):
    """Goals in the order in which they help most.

    Attributes
    ----------
    order : numpy.ndarray of int, shape (j,)
        Numbers of goals; those given come first, in the order given.
    predicted_error : numpy.ndarray, shape (j + 1,)
        After 0, 1, ..., j goals, the expected error ``sqrt(mean over rows of E |p_hat - p|^2)`` of the best estimate
        that is affine in the values, for rows drawn uniformly from the simplex on their successors.
    sigma_min : numpy.ndarray, shape (j + 1,)
        After 0, 1, ..., j goals, the smallest singular value that M has on any row's differences of distributions: an
        error of size e in the equations moves no row by more than e / sigma_min. 0 as long as some row is unknown.
    rows_known : numpy.ndarray of int, shape (j + 1,)
        After 0, 1, ..., j goals, how many rows have an independent equation for every unknown (of `Deterministic`: how
        many pairs of states are told apart).
    criterion : {"error", "sigma_min"}
        What the order was chosen by.

    Examples
    --------
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("windy", discount=0.9)
    >>> found = order_goals(solve(world, Goals.indicator(68)), Supported.of(world), n_goals=3)
    >>> len(found.order), bool((np.diff(found.predicted_error) < 0).all())
    (3, True)
    """

    order: IntArray
    predicted_error: FloatArray
    sigma_min: FloatArray
    rows_known: IntArray
    criterion: Criterion

    def __repr__(self) -> str:
        first = ", ".join(map(str, self.order[:5].tolist())) + (", ..." if len(self.order) > 5 else "")
        return f"<GoalOrder {first}: predicted error {self.predicted_error[0]:.3g} to {self.predicted_error[-1]:.3g}>"


@dataclass
class _Systems:
    """The unknowns of rows with equally many successors, after some goals.

    Attributes
    ----------
    equations : numpy.ndarray, shape (b, k, d)
        For each set T of successors, what each goal says about the d = |T| - 1 unknowns, in an orthonormal basis.
    counts : numpy.ndarray of int, shape (b,)
        How many rows of the world have this set of successors.
    noise : float
        The standard deviation of the error in each equation.
    left : numpy.ndarray, shape (b, k, d)
        The equations, made orthogonal to those of the goals chosen.
    seen : numpy.ndarray, shape (b, d, d)
        Triangles with the singular values of the chosen equations.
    precision : numpy.ndarray, shape (b, d, d)
        Triangles R with ``inverse(R^T R)`` the covariance of what is not known yet.
    ranks : numpy.ndarray of int, shape (b,)
        How many of the chosen equations are independent.
    """

    equations: FloatArray
    counts: IntArray
    noise: float
    left: FloatArray
    seen: FloatArray
    precision: FloatArray
    ranks: IntArray

    @classmethod
    def start(cls, equations: FloatArray, counts: IntArray, noise: float) -> _Systems:
        """Begin with the uniform distribution on the simplex of N = d + 1 states: its variance is 1 / (N (N + 1))."""
        b, _, d = equations.shape
        prior = np.tile(np.sqrt((d + 1.0) * (d + 2.0)) * np.eye(d), (b, 1, 1))
        return cls(equations, counts, noise, equations, np.zeros((b, d, d)), prior, np.zeros(b, np.intp))

    @property
    def squared_error(self) -> float:
        """The expected squared error of all its rows together."""
        return float(self.counts @ (np.linalg.inv(self.precision) ** 2).sum(axis=(1, 2)))

    @property
    def sigma_min(self) -> float:
        """The smallest singular value of the chosen equations in any row; 0 while one has too few."""
        if (self.ranks < self.equations.shape[2]).any():
            return 0.0
        return float(np.linalg.svd(self.seen, compute_uv=False)[:, -1].min())

    @property
    def rows_known(self) -> int:
        """How many rows have an independent equation for every unknown."""
        return int(self.counts[self.ranks == self.equations.shape[2]].sum())

    def error_gains(self) -> FloatArray:
        """Return by how much each goal would lower the squared error, shape (k,)."""
        scaled = np.linalg.solve(self.precision.mT, self.equations.mT / self.noise)
        moved = np.linalg.solve(self.precision, scaled)
        result: FloatArray = self.counts @ ((moved**2).sum(axis=1) / (1.0 + (scaled**2).sum(axis=1)))
        return result

    def news(self) -> BoolArray:
        """Return for which rows each goal would be one more independent equation, bool (b, k)."""
        sizes = np.linalg.norm(self.equations, axis=2)
        result: BoolArray = np.linalg.norm(self.left, axis=2) > _INDEPENDENT * sizes
        return result

    def sigmas(self) -> FloatArray:
        """Return the smallest singular value on what the rows see after each further goal, worst row, shape (k,)."""
        b, k, d = self.equations.shape
        stacked = np.concatenate(
            [np.broadcast_to(self.seen[:, None], (b, k, d, d)), self.equations[:, :, None]], axis=2
        )
        sigma = np.linalg.svd(stacked, compute_uv=False)
        rank = self.ranks[:, None] + self.news()
        least = np.take_along_axis(sigma, np.maximum(rank - 1, 0)[:, :, None], axis=2)[:, :, 0]
        result: FloatArray = np.where(rank > 0, least, 0.0).min(axis=0)
        return result

    def add(self, goal: int) -> None:
        """Choose a goal."""
        equation = self.equations[:, [goal]]
        self.precision = _appended(self.precision, equation / self.noise)
        self.seen = _appended(self.seen, equation)
        new = self.news()[:, goal]
        direction = np.where(new[:, None], self.left[:, goal], 0.0)
        unit = direction / np.where(new, np.linalg.norm(direction, axis=1), 1.0)[:, None]
        self.left = self.left - (self.left @ unit[:, :, None]) * unit[:, None, :]
        self.left[:, goal] = 0.0
        self.ranks = self.ranks + new


def _appended(triangles: FloatArray, rows: FloatArray) -> FloatArray:
    """Return triangles (b, d, d) with the same singular values as the given ones with a row more each."""
    return np.asarray(np.linalg.qr(np.concatenate([triangles, rows], axis=1), mode="r"))


@checked
def order_goals(
    agent: AgentValues,
    kernel_class: KernelClass,
    *,
    criterion: Criterion = "error",
    noise: float = 1e-3,
    relative: bool = True,
    given: Sequence[int] = (),
    n_goals: int | None = None,
) -> GoalOrder:
    """Order goals greedily by how much each helps to recover the rows, and predict the error after each.

    Parameters
    ----------
    agent : AgentValues
        Of the candidate goals, in the world that is planned for; its M is all that is used.
    kernel_class : KernelClass
        `Supported`: each row on its own successors. `Stochastic`: each row on all states. `Deterministic`, for
        ``criterion="sigma_min"`` only: each pair of states, so that sigma_min is the least distance between two
        columns of M over sqrt(2).
    criterion : {"error", "sigma_min"}
        ``"error"``: the next goal is the one that lowers the expected squared error most (A-optimality).
        ``"sigma_min"``: the next goal is an independent equation for as many rows as possible and, among such goals,
        the one with the largest worst singular value on what the equations see (E-optimality).
    noise : float
        The standard deviation of the error in each equation ``M p = q``; errors of different goals are taken as
        uncorrelated. Values with errors of standard deviation s have about ``s * sqrt(1 + discount^2 |p|^2)``.
    relative : bool
        Whether `noise` is in units of each goal's largest value, as where all goals are learned equally well, or of Q.
        Singular values are in the same units.
    given : sequence of int
        Goals that are there already.
    n_goals : int, optional
        How many to order, those given included; all when omitted.

    Returns
    -------
    GoalOrder

    Raises
    ------
    KernelClassError
        If the class is another one: without a simplex on known successors there is no error to predict.
    GoalsError
        If a given goal does not exist, or occurs twice, or `n_goals` is out of range.
    InputError
        If the noise is not positive, or the criterion is unknown.

    Notes
    -----
    The estimate is the best linear one, with the uniform distribution on the simplex as prior: its covariance is that
    of a Gaussian with the same moments. So the error is finite before a row is identified, and falls with every goal.
    Source: G4.

    Examples
    --------
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import chain
    >>> agent = solve(chain(4), Goals.generic(4, 6, seed=0))
    >>> found = order_goals(agent, Stochastic(), noise=0.01, criterion="sigma_min")
    >>> found.rows_known
    array([0, 0, 0, 8, 8, 8, 8])
    """
    rules = ORDERED.of(kernel_class)
    if criterion not in get_args(Criterion):
        raise InputError(f"criterion is {criterion!r}; expected {' or '.join(get_args(Criterion))}.")
    scale = check_positive("noise", noise, InputError)
    if criterion not in rules.criteria:
        raise KernelClassError(
            f"goals cannot be ordered by {criterion} in class {kernel_class.name!r}; use {' or '.join(rules.criteria)}."
        )
    units = scales_of(agent.q, relative=relative)
    systems = _systems(agent, kernel_class, scale, units)
    order = _read_given(given, agent.n_goals)
    wanted = agent.n_goals if n_goals is None else n_goals
    if not max(len(order), 1) <= wanted <= agent.n_goals:
        raise GoalsError(f"n_goals is {n_goals}; expected {max(len(order), 1)} to {agent.n_goals}.")
    remaining = np.ones(agent.n_goals, bool)
    history = [_state(systems)]
    for step in range(wanted):
        if step == len(order):
            order.append(_next(systems, remaining, criterion))
        remaining[order[step]] = False
        for system in systems:
            system.add(order[step])
        history.append(_state(systems))
    squared, sigma, known = (np.array(column) for column in zip(*history, strict=True))
    total = sum(int(system.counts.sum()) for system in systems)
    rows = len(agent.row_index)
    always = rows - total if rules.by_row else 0
    return GoalOrder(np.array(order, np.intp), np.sqrt(squared / rows), sigma, known + always, criterion)


@dataclass(frozen=True)
class OrderRules:
    """How goals are ordered for a class: by which criteria, and whether its sets of successors are those of rows."""

    criteria: tuple[Criterion, ...]
    by_row: bool


ORDERED = ClassTable(
    "an order of goals",
    {
        Stochastic: OrderRules(("error", "sigma_min"), by_row=True),
        Supported: OrderRules(("error", "sigma_min"), by_row=True),
        Deterministic: OrderRules(("sigma_min",), by_row=False),
    },
)
"""By class, its `OrderRules`."""


def _systems(agent: AgentValues, kernel_class: KernelClass, noise: float, units: FloatArray) -> list[_Systems]:
    """Return the equations for each set of two or more successors, those of one size together."""
    sets = SuccessorSets.of(kernel_class, agent.row_index, agent.n_states)
    matrix = agent.test_matrix / units[:, None]
    if sets.set_of_row is None:
        counts = np.ones(sets.n_sets, np.intp)
    else:
        counts = np.bincount(sets.set_of_row[sets.set_of_row >= 0], minlength=sets.n_sets)
    # In blocks, and not all sets of one size at once: what is computed for a block is as large as a few of them.
    return [_Systems.start(equations, counts[part], noise) for part, equations in sets.equations(matrix)]


def _state(systems: list[_Systems]) -> tuple[float, float, int]:
    """Return squared error, smallest singular value and number of known rows, of all systems."""
    return (
        sum(system.squared_error for system in systems),
        min((system.sigma_min for system in systems), default=np.inf),
        sum(system.rows_known for system in systems),
    )


def _next(systems: list[_Systems], remaining: BoolArray, criterion: Criterion) -> int:
    """Return the goal that helps most among those that remain, the first of equals."""
    left = np.flatnonzero(remaining)
    if not systems:
        return int(left[0])
    if criterion == "error":
        return int(left[np.sum([system.error_gains() for system in systems], axis=0)[left].argmax()])
    news = np.sum([system.counts @ system.news() for system in systems], axis=0)[left]
    best = left[news == news.max()]
    return int(best[np.min([system.sigmas() for system in systems], axis=0)[best].argmax()])


def _read_given(given: Sequence[int], n_goals: int) -> list[int]:
    order: list[int] = [] if len(given) == 0 else check_indices("given", given, n_goals, GoalsError).tolist()
    if len(set(order)) < len(order):
        raise GoalsError(f"given is {list(given)}; it names a goal twice: give each once.")
    return order
