"""Planning for goals that the agent never had: in one kernel, or in all kernels that its values leave open (S3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, diags_array

from tabular_inversion._typing import BoolArray, FloatArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.equivalence import ValueEquivalence
from tabular_inversion.errors import (
    ConvergenceError,
    DiscountError,
    GoalsError,
    InputError,
    KernelClassError,
    ShapeError,
)
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_rows import dense_rows, sparse_rows
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised
from tabular_inversion.policies import greedy
from tabular_inversion.records import Record
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE, check_positive, frozen_array

_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)

__all__ = ["Plan", "RobustPlan", "determined_goals", "plan", "robust"]


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Plan(Record):
    """Optimal behaviour for goals in one world.

    Attributes
    ----------
    world : MDP
        Where the plan is optimal.
    agent : AgentValues
        Q-values of all goals, with operator ``"max"`` and a solver's report.

    Examples
    --------
    A plan made in a wrong world falls short in the true one:

    >>> from tabular_inversion import Goals, MDP
    >>> believed = MDP([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], discount=0.5)
    >>> true = MDP([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]]], discount=0.5)
    >>> found = plan(believed, Goals([[0.0, 1.0]]))
    >>> found.values[0], found.values_in(true)[0].round(4)
    (array([2., 2.]), array([1.3333, 2.    ]))
    """

    world: MDP
    agent: AgentValues

    def __repr__(self) -> str:
        return f"<Plan for {self.agent.n_goals} goals in {self.world!r}>"

    @property
    def values(self) -> FloatArray:
        """The optimal value of each state under each goal, shape (G, S)."""
        return self.agent.v

    @cached_property
    def policy(self) -> FloatArray:
        """The greedy policy of each goal, which attains these values, shape (G, S, A)."""
        return frozen_array(greedy(self.agent.q, self.agent.available))

    def values_in(self, world: MDP) -> FloatArray:
        """Return what the policies are worth in another world, for example the true one, shape (G, S).

        Raises
        ------
        ShapeError
            If the worlds differ in their states or actions.
        """
        if not np.array_equal(world.available, self.world.available):
            raise ShapeError("the worlds differ in their states or available actions; a policy fits one of them only.")
        return evaluate(world, self.agent.goals, self.policy).v


@checked
def plan(
    world: MDP | Kernel, goals: Goals, *, discount: float | None = None, available: ArrayLike | None = None
) -> Plan:
    """Find optimal values and policies for goals, old or new, in one kernel.

    Parameters
    ----------
    world : MDP, or array_like (S, A, S), or scipy sparse matrix (S*A, S)
        Where to plan: a world, or a kernel such as `invert` returns.
    goals : Goals
        G goals on its states; they need not be those that the kernel was inverted from.
    discount : float, optional
        In [0, 1]. For a kernel it is needed; for a world it replaces the world's own.
    available : array_like of bool, shape (S, A), optional
        For a kernel: which actions exist.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If a kernel comes without a discount, or a world with a mask; `KernelError` if a row is no distribution.
    ConvergenceError
        If policy iteration does not reach its tolerance.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP
    >>> world = MDP([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], discount=0.5)
    >>> found = plan(world, Goals.indicator(2, [1]))
    >>> found.values
    array([[1., 1.]])
    >>> found.policy[0]
    array([[0., 1.],
           [1., 0.]])
    """
    if isinstance(world, MDP):
        if available is not None:
            raise InputError("available is given beside an MDP, which has its own; give it with a bare kernel only.")
        place = world if discount is None else world.with_discount(discount)
    elif discount is None:
        raise InputError("a bare kernel has no discount; give discount=, a number in [0, 1].")
    else:
        place = MDP(world, discount, available)  # type: ignore[arg-type]
    return Plan(place, solve(place, goals))


@checked
@dataclass(frozen=True, eq=False, repr=False)
class RobustPlan(Record):
    """The range of optimal values for a goal over all kernels that remain possible, and a policy with a guarantee.

    Attributes
    ----------
    goals : Goals
        The one goal.
    lower, upper : numpy.ndarray, shape (S,)
        Least and largest optimal value of each state over all kernels of the set, moved outwards by `error`, so that
        the true values lie between. Both are attained in all states at once, up to that error: `plan` finds them in
        `lower_world` and in `upper_world`.
    policy : numpy.ndarray, shape (S, A)
        Deterministic; worth at least `lower` in every kernel of the set, and that up to `error` in `lower_world`.
    lower_world, upper_world : MDP
        Members of the set.
    error : float
        The larger of the two moves: what one more step could still gain at most, proved from the numbers given, and
        the solver's residual, over 1 - discount.
    iterations : int
        Changes of the kernel, of both sides together.

    Examples
    --------
    Values for one goal leave the successors of state 0 open, and yet single out its safe action for another goal.

    >>> from tabular_inversion import Goals, MDP, Stochastic, solve, value_equivalence
    >>> kernel = [[[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]], [[0.0, 0.0, 1.0]] * 2, [[0.0, 0.0, 1.0]] * 2]
    >>> agent = solve(MDP(kernel, discount=0.0), Goals([[0.0, 1.0, 2.0]]))
    >>> found = robust(value_equivalence(agent, Stochastic()), Goals([[0.0, 1.0, 1.0]]))
    >>> found
    <RobustPlan over 3 states: largest gap 0.25, 0 iterations>
    >>> found.lower.round(6), found.upper.round(6), found.policy[0]
    (array([0.75, 1.  , 1.  ]), array([1., 1., 1.]), array([0., 1.]))
    """

    goals: Goals
    lower: FloatArray
    upper: FloatArray
    policy: FloatArray
    lower_world: MDP
    upper_world: MDP
    error: float
    iterations: int

    def __repr__(self) -> str:
        gap = float((self.upper - self.lower).max())
        return f"<RobustPlan over {len(self.lower)} states: largest gap {gap:.3g}, {self.iterations} iterations>"

    @property
    def gap(self) -> FloatArray:
        """``upper - lower``, shape (S,): 0 where the values settle what the goal is worth."""
        return self.upper - self.lower


@checked
def robust(sets: ValueEquivalence, goal: Goals, *, tolerance: float = 1e-9, max_iterations: int = 200) -> RobustPlan:
    """Plan for a goal with nothing but an agent's values for other goals (S3).

    Parameters
    ----------
    sets : ValueEquivalence
        All kernels that the values leave open; `Stochastic`, `Supported` or `Deterministic`.
    goal : Goals
        One goal, with its own rewards, continuation and action rewards. The discount is the agent's.
    tolerance : float
        Where to stop: the largest one-step improvement left, relative to the range of the goal's values.
    max_iterations : int
        The most changes of the kernel allowed on each side.

    Returns
    -------
    RobustPlan
        The true optimal values lie between its ends whenever the true kernel is in the set.

    Raises
    ------
    ConvergenceError
        If the tolerance is missed after `max_iterations`.
    GoalsError
        If there is not exactly one goal.
    ShapeError
        If the goal is on other states or actions than the agent.
    InputError
        If the tolerance is not positive, or `max_iterations` negative.
    KernelClassError
        If the class bounds no kernel (`Unconstrained`) or has no extremes to offer (`Sparse`).

    Notes
    -----
    The set is a product over rows, so one kernel is worst (best) for all states at once, and the value solves
    ``V(s) = max_a min_p p.m`` (or max) with m = R + discount C V. Start with any kernel; find its optimal policy by
    policy iteration; let every row move to the member that is worst (best) for the values found; repeat. Values
    change in one direction only, as in policy iteration for robust MDPs (Iyengar 2005, Nilim and El Ghaoui 2005), and
    at the end the kernel is one in which the forward code gives just these values. Under noise the rows of the true
    kernel depend on each other through the errors of M; the product of the relaxed sets ignores that, so its ends are
    attained in the set but may be wider than what noise of that size can do. A row moves only where it gains
    more than the tolerance, so that rounding in linear programs sets off no cycle.

    Examples
    --------
    One goal leaves open how the first state reaches the others; another goal's value there has a range.

    >>> import numpy as np
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve, value_equivalence
    >>> kernel = np.array([[[0.0, 0.5, 0.5]], [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]])
    >>> agent = solve(MDP(kernel, discount=0.5), Goals([[1.0, 0.0, 2.0]]))
    >>> found = robust(value_equivalence(agent, Stochastic()), Goals([[0.0, 1.0, 0.0]]))
    >>> (found.lower.round(4) + 0.0).tolist(), (found.upper.round(4) + 0.0).tolist()
    ([0.0, 2.0, 0.0], [1.0, 2.0, 0.0])
    """
    if goal.n_goals != 1:
        raise GoalsError(f"robust planning is for one goal at a time; got {goal.n_goals}, choose with goals.select.")
    if goal.n_states != sets.agent.n_states:
        raise ShapeError(f"the goal is on {goal.n_states} states and the agent on {sets.agent.n_states}.")
    check_positive("tolerance", tolerance, InputError)
    if max_iterations < 0:
        raise InputError(f"max_iterations is {max_iterations}; expected an integer of at least 0.")
    worst = _strategy_iteration(sets, goal, tolerance, max_iterations, largest=False)
    best = _strategy_iteration(sets, goal, tolerance, max_iterations, largest=True)
    return RobustPlan(
        goals=goal,
        lower=frozen_array(worst.agent.v[0] - worst.error),
        upper=frozen_array(best.agent.v[0] + best.error),
        policy=frozen_array(greedy(worst.agent.q, sets.agent.available)[0]),
        lower_world=worst.world,
        upper_world=best.world,
        error=max(worst.error, best.error),
        iterations=worst.iterations + best.iterations,
    )


@checked
def determined_goals(sets: ValueEquivalence, goals: Goals) -> BoolArray:
    """Tell for which goals, old or new, the optimal Q-values are the same in every kernel that remains possible (S3).

    Parameters
    ----------
    sets : ValueEquivalence
        All kernels that the values leave open; `Stochastic`, `Supported` or `Deterministic`.
    goals : Goals
        G goals. The discount is the agent's.

    Returns
    -------
    numpy.ndarray of bool, shape (G,)

    Raises
    ------
    KernelClassError
        If the class is `Unconstrained` or `Sparse`.
    ShapeError
        If the goals are on other states or actions than the agent.

    Notes
    -----
    Let m = R + discount C V with the optimal V of any one member. If every row has one value of ``p.m`` on E(q), then V
    solves the Bellman equation of all members, so their Q-values are equal; and if these are equal, so is ``p.m``. No
    linear program is needed. Where only some Q-values differ, `robust` tells whether optimal values do.

    Examples
    --------
    Half of the agent's own goal is determined, a goal for the first state is not.

    >>> from tabular_inversion import Goals, MDP, Stochastic, solve, value_equivalence
    >>> kernel = [[[0.0, 0.5, 0.5]], [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]]
    >>> agent = solve(MDP(kernel, discount=0.5), Goals([[1.0, 0.0, 2.0]]))
    >>> determined_goals(value_equivalence(agent, Stochastic()), Goals([[0.5, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    array([ True, False])
    """
    agent = sets.agent
    if goals.n_states != agent.n_states:
        raise ShapeError(f"the goals are on {goals.n_states} states and the agent on {agent.n_states}.")
    if not sets.kernel_class.sums_to_one:
        raise KernelClassError(
            "members of class 'unconstrained' are no kernels, so no goal has values in them; choose Stochastic()."
        )
    member = sets.nearest(np.full(agent.n_states, 1.0 / agent.n_states))
    solved = solve(_world_of(member, agent), goals)
    return np.asarray(sets.determined_functionals(solved.test_matrix).all(axis=(1, 2)))


def _world_of(member: Kernel, agent: AgentValues) -> MDP:
    """Return a member as a world: solvers of linear programs leave sums of rows as far from one as they may err."""
    return MDP(normalised(member, within=MEMBERSHIP_TOLERANCE).kernel, agent.one_discount, agent.available)


@dataclass(frozen=True, eq=False)
class _Side:
    """Where one side ended: the extreme kernel, optimal values in it, and how far these may be from the exact end."""

    world: MDP
    agent: AgentValues
    error: float
    iterations: int


def _strategy_iteration(
    sets: ValueEquivalence, goal: Goals, tolerance: float, max_iterations: int, *, largest: bool
) -> _Side:
    """Alternate between an optimal policy of the kernel and the extreme kernel of its values."""
    agent = sets.agent
    if agent.one_discount == 1.0:
        raise DiscountError(
            "discount is 1: a member of the set may hold episodes that never end, in which goals have no finite "
            "values; plan robustly from values with a discount below 1."
        )
    kernel = sets.extreme_kernel(goal.rewards[0], largest=largest)
    for iteration in range(max_iterations + 1):
        world = _world_of(kernel, agent)
        solved = solve(world, goal)
        m = solved.test_matrix[0]
        moved = sets.extreme_kernel(m, largest=largest)
        # Rows sum to one: centring m keeps the digits that its differences have.
        gain = (moved - kernel) @ (m - m.mean()) * (1.0 if largest else -1.0)
        improvement, scale = max(0.0, float(gain.max())), float(np.ptp(m))
        if improvement <= tolerance * scale:
            residual = solved.report.residual  # type: ignore[union-attr]  # solve always reports
            left = max(improvement, _proved_gain(sets, kernel, m, largest=largest))
            return _Side(world, solved, (left + residual) / (1.0 - agent.discount), iteration)
        kernel = _exchange(kernel, moved, gain > tolerance * scale)
    raise ConvergenceError(
        f"robust planning still gains {improvement / scale:.3g} of the range of values in one step, after "
        f"{max_iterations} changes of the kernel; raise max_iterations, or the tolerance {tolerance:g}."
    )


def _proved_gain(sets: ValueEquivalence, kernel: Kernel, m: FloatArray, *, largest: bool) -> float:
    """Bound what any kernel of the set still gains in one step, whatever the solver of `extreme_kernel` erred by."""
    ends = sets.functional_bounds(m)
    centred = m - m.mean()
    rounded = _ROUNDING * len(m) * float(np.abs(m).max())
    own = (kernel @ centred).reshape(sets.agent.available.shape) + m.mean()
    gain = (ends.upper - own if largest else own - ends.lower)[sets.agent.available]
    return max(0.0, float(gain.max()) + rounded)


def _exchange(kernel: Kernel, moved: Kernel, chosen: BoolArray) -> Kernel:
    """Return a kernel with some of its rows replaced by those of another one; both dense, or both CSR."""
    if isinstance(kernel, np.ndarray):
        return np.where(chosen[:, :, None], dense_rows(moved), kernel)
    weights = chosen.astype(np.float64)
    return csr_array(diags_array(weights) @ sparse_rows(moved) + diags_array(1.0 - weights) @ kernel)
