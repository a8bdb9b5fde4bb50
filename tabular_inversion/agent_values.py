"""What an agent shows: Q-values, the way it values states, goals and discount. Never the kernel."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from tabular_inversion import storage
from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.errors import AgentValuesError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.policies import check_policy
from tabular_inversion.validation import (
    check_available,
    check_discount,
    check_kind,
    check_positive,
    check_seed,
    finite_array,
    frozen_array,
    real_array,
    shape_of,
)

Operator = Literal["policy", "max", "softmax"]


@checked
@dataclass(frozen=True)
class SolverReport:
    """How values were computed: a method, how many iterations, and the Bellman residual that was reached.

    Attributes
    ----------
    method : str
        The linear solvers used, or the origin of the values.
    iterations : int
        Policy updates; for a given policy the linear solves: 1, and 1 more for each refinement.
    residual : float
        A bound on ``|Q - (rho + M P)|`` over all goals and available rows: the largest difference between M, built
        from Q, and the functions whose expectation gave Q.
    converged : bool
        Whether each goal's error is within the tolerance asked for, relative to its scale ``max |M| + max |rho|``.
    goal_errors : tuple of float, length G, optional
        For each goal a bound on ``|Q - Q*|`` over all available rows, rounding included: Q* are the values of the
        world, the goals, the policy and the discount as stored, taken as exact numbers. None: nothing is known.
    goal_residuals : tuple of float, length G, optional
        `residual` for each goal.
    policy_proved : bool, optional
        For optimal values: whether the first best action of Q is proved to be optimal for every goal in every state,
        because it leads by more than the errors, or the actions beside it have the same row and reward. False does
        not say that it is wrong: of most ties only fractions can tell. None: no question of optimal actions.

    Examples
    --------
    >>> SolverReport("dense", iterations=3, residual=1e-14, converged=True, goal_errors=(1e-15, 2e-15)).value_error
    2e-15
    """

    method: str
    iterations: int
    residual: float
    converged: bool
    goal_errors: tuple[float, ...] | None = None
    goal_residuals: tuple[float, ...] | None = None
    policy_proved: bool | None = None

    def __post_init__(self) -> None:
        for name in ("goal_errors", "goal_residuals"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, tuple(map(float, given)))

    @property
    def value_error(self) -> float | None:
        """The largest of `goal_errors`: a bound on ``|Q - Q*|`` over all goals; None where nothing is known."""
        return None if self.goal_errors is None else max(self.goal_errors)

    def select_goals(self, goals: IntArray) -> SolverReport:
        """Return what the report says of the goals with these numbers."""
        errors, residuals = (
            None if each is None else tuple(each[goal] for goal in goals)
            for each in (self.goal_errors, self.goal_residuals)
        )
        largest = self.residual if residuals is None else max(residuals)
        return replace(self, residual=largest, goal_errors=errors, goal_residuals=residuals)


def state_values(
    q: FloatArray, available: BoolArray, *, policy: FloatArray | None = None, temperature: float | None = None
) -> FloatArray:
    """Return V, the value of each state that follows from Q.

    Parameters
    ----------
    q : numpy.ndarray, shape (G, S, A)
        Values of actions; anything where the action is unavailable.
    available : numpy.ndarray of bool, shape (S, A)
        Which actions exist.
    policy : numpy.ndarray, shape (S, A) or (G, S, A), optional
        Then V = sum_a policy * Q.
    temperature : float, optional
        Then V = temperature * logsumexp(Q / temperature). With neither, V = max_a Q.

    Returns
    -------
    numpy.ndarray, shape (G, S)

    Examples
    --------
    >>> state_values(np.array([[[1.0, 3.0]]]), np.array([[True, True]]))
    array([[3.]])
    """
    ignored = 0.0 if policy is not None else -np.inf
    shown = q if available.all() else np.where(available, q, ignored)
    if policy is not None:
        return np.einsum("...sa,gsa->gs" if policy.ndim == 2 else "gsa,gsa->gs", policy, shown)  # type: ignore[no-any-return]
    best = _largest_along_actions(shown)
    if temperature is None:
        return best
    with np.errstate(over="ignore"):  # a gap too large for a float means weight 0
        gaps = (shown - best[:, :, None]) / temperature
    return best + temperature * logsumexp(gaps, axis=2)  # type: ignore[no-any-return]


def _largest_along_actions(q: FloatArray) -> FloatArray:
    """Return ``q.max(axis=2)``; for the usual few actions, numpy is seven times faster one action at a time."""
    if q.shape[2] > 8:
        return q.max(axis=2)  # type: ignore[no-any-return]
    largest = q[:, :, 0].copy()
    for action in range(1, q.shape[2]):
        np.maximum(largest, q[:, :, action], out=largest)
    return largest


@checked
@dataclass(frozen=True, eq=False, repr=False)
class AgentValues:
    """The Q-values of a goal-conditioned agent, and all that the inverse problem may look at.

    Parameters
    ----------
    q : array_like, shape (G, S, A)
        Q[g, s, a]; finite where the action is available. Entries of unavailable actions are ignored and stored
        as NaN.
    goals : Goals
        Rewards and continuation of the G goals.
    discount : float
        In [0, 1].
    policy : array_like, shape (S, A) or (G, S, A), optional
        The agent's policy; then V = sum_a policy * Q.
    temperature : float, optional
        For a max-entropy agent; then V = temperature * logsumexp(Q / temperature). Without `policy` and
        `temperature` the agent is optimal: V = max_a Q.
    available : array_like of bool, shape (S, A), optional
        Which actions exist; all when omitted.
    report : SolverReport, optional
        How the values were computed.

    Raises
    ------
    AgentValuesError
        If a value is not finite, or both a policy and a temperature are given.
    ShapeError, DiscountError, PolicyError
        As the names say.

    Notes
    -----
    The state values are those of Q itself, so the test matrix M = R + discount * C * V needs no kernel, and
    every available row satisfies ``M P(s, a) = Q(s, a, .) - rho(s, a, .)``. Source: the docs, Notation.

    Examples
    --------
    >>> goals = Goals([[0.0, 1.0]])
    >>> agent = AgentValues([[[1.0, 0.0], [2.0, 3.0]]], goals, discount=0.5)
    >>> agent.v
    array([[1., 3.]])
    >>> agent.test_matrix
    array([[0.5, 2.5]])
    """

    q: FloatArray
    goals: Goals
    discount: float
    policy: FloatArray | None = None
    temperature: float | None = None
    available: BoolArray = None  # type: ignore[assignment]  # filled in by __post_init__
    report: SolverReport | None = None

    def __post_init__(self) -> None:
        check_kind("goals", self.goals, Goals, AgentValuesError, "build them with Goals(rewards)")
        if self.report is not None:
            check_kind("report", self.report, SolverReport, AgentValuesError, "leave it out")
        shape = shape_of("q", self.q, AgentValuesError)
        expected = (self.goals.n_goals, self.goals.n_states)
        if len(shape) != 3 or shape[:2] != expected or shape[2] == 0:
            raise ShapeError(f"q has shape {shape}; expected (G, S, A) = ({expected[0]}, {expected[1]}, any).")
        mask = check_available(self.available, shape[1:], AgentValuesError)
        extra = self.goals.action_rewards
        if extra is not None and extra.shape != shape:
            raise ShapeError(f"the goals' action_rewards have shape {extra.shape}; expected that of q, {shape}.")
        # Large arrays: with all actions available, the one copy that finite_array makes is enough.
        masked = not mask.all()
        shown = np.where(mask, real_array("q", self.q, "(g, s, a)", AgentValuesError), 0.0) if masked else self.q
        q = finite_array("q", shown, (*expected, None), "(g, s, a)", AgentValuesError)
        for each in () if self.report is None else (self.report.goal_errors, self.report.goal_residuals):
            if each is not None and len(each) != expected[0]:
                raise ShapeError(f"the report speaks of {len(each)} goals; expected {expected[0]}, as many as q has.")
        if self.policy is not None and self.temperature is not None:
            raise AgentValuesError("both policy and temperature are given; an agent values states one way.")
        if self.temperature is not None:
            object.__setattr__(self, "temperature", check_positive("temperature", self.temperature, AgentValuesError))
        policy = None if self.policy is None else check_policy(self.policy, mask, expected[0])
        object.__setattr__(self, "q", frozen_array(np.where(mask, q, np.nan)) if masked else q)
        object.__setattr__(self, "discount", check_discount(self.discount))
        object.__setattr__(self, "policy", policy)
        object.__setattr__(self, "available", mask)

    def __repr__(self) -> str:
        sizes = f"n_goals={self.n_goals}, n_states={self.n_states}, n_actions={self.n_actions}"
        return f"AgentValues({sizes}, discount={self.discount:g}, operator={self.operator!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AgentValues):
            return NotImplemented
        policies = (self.policy, other.policy)
        return (
            np.array_equal(self.q, other.q, equal_nan=True)
            and self.goals == other.goals
            and (self.discount, self.temperature, self.report) == (other.discount, other.temperature, other.report)
            and (policies[0] is None) == (policies[1] is None)
            and (policies[0] is None or np.array_equal(policies[0], policies[1]))  # type: ignore[arg-type]
            and np.array_equal(self.available, other.available)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    @property
    def n_goals(self) -> int:
        """k, the number of goals."""
        return int(self.q.shape[0])

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.q.shape[1])

    @property
    def n_actions(self) -> int:
        """m, the number of actions."""
        return int(self.q.shape[2])

    @property
    def operator(self) -> Operator:
        """How V follows from Q: ``"policy"``, ``"max"`` or ``"softmax"``."""
        if self.policy is not None:
            return "policy"
        return "max" if self.temperature is None else "softmax"

    @cached_property
    def v(self) -> FloatArray:
        """V[g, s], the agent's own state values of Q, shape (G, S)."""
        return frozen_array(  # type: ignore[no-any-return]
            state_values(self.q, self.available, policy=self.policy, temperature=self.temperature)
        )

    @cached_property
    def test_matrix(self) -> FloatArray:
        """M = R + discount * C * V, the Bellman test functions, shape (G, S)."""
        return frozen_array(  # type: ignore[no-any-return]
            self.goals.rewards + self.discount * self.goals.continuation * self.v
        )

    @cached_property
    def row_index(self) -> IntArray:
        """Numbers s*A + a of the rows of available actions, ascending, shape (rows,)."""
        return np.flatnonzero(self.available)

    @cached_property
    def right_hand_sides(self) -> FloatArray:
        """Q - rho at available rows, shape (G, rows): column i belongs to row ``row_index[i]``."""
        values = self.q if self.goals.action_rewards is None else self.q - self.goals.action_rewards
        flat = values.reshape(self.n_goals, -1)
        return flat if self.available.all() else np.ascontiguousarray(flat[:, self.row_index])

    def select_goals(self, goals: ArrayLike) -> AgentValues:
        """Return the same agent, seen through the goals with these numbers only."""
        chosen = self.goals.select(goals)
        index = np.atleast_1d(np.asarray(goals))
        policy = self.policy[index] if self.policy is not None and self.policy.ndim == 3 else self.policy
        report = None if self.report is None else self.report.select_goals(index)
        return replace(self, q=self.q[index], goals=chosen, policy=policy, report=report)

    def permute_states(self, order: ArrayLike) -> AgentValues:
        """Rename states as `MDP.permute_states` does."""
        goals = self.goals.permute_states(order)
        new = np.asarray(order)
        policy = None if self.policy is None else self.policy[..., new, :]
        return replace(self, q=self.q[:, new], goals=goals, policy=policy, available=self.available[new])

    def with_noise(self, scale: float, *, seed: int | np.random.Generator) -> AgentValues:
        """Return the same agent with noise drawn uniformly from [-scale, scale] added to each Q-value."""
        size = (
            0.0 if isinstance(scale, int | float) and scale == 0 else check_positive("scale", scale, AgentValuesError)
        )
        noise = check_seed(seed, AgentValuesError).uniform(-size, size, self.q.shape)
        return replace(self, q=self.q + noise, report=None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write these values to a .npz or .json file, exactly.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> agent = AgentValues([[[1.0, 0.0]]], Goals([[1.0]]), discount=0.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "agent.json"
        ...     agent.save(path)
        ...     AgentValues.load(path) == agent
        True
        """
        arrays = {"q": self.q, "rewards": self.goals.rewards, "continuation": self.goals.continuation}
        optional = {"policy": self.policy, "action_rewards": self.goals.action_rewards}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        metadata = {
            "discount": self.discount,
            "temperature": self.temperature,
            "goal_names": self.goals.names,
            "report": None if self.report is None else asdict(self.report),
        }
        storage.write(path, "agent-values", {**arrays, "available": self.available}, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: float = storage.MAX_BYTES) -> AgentValues:
        """Read values written by `save`, whose arrays take no more memory than `max_bytes`.

        Raises
        ------
        FileFormatError
            If the file is missing, truncated, altered, or larger than allowed.
        FileAccessError
            If it cannot be read.
        """
        arrays, metadata = storage.read(path, "agent-values", max_bytes=max_bytes)
        with storage.content_of(path):
            extra, names = arrays.get("action_rewards"), metadata["goal_names"]
            goals = Goals(arrays["rewards"], arrays["continuation"], extra, names)
            report: Any = metadata["report"]
            return cls(
                arrays["q"],
                goals,
                metadata["discount"],
                arrays.get("policy"),
                metadata["temperature"],
                arrays["available"],
                None if report is None else SolverReport(**report),
            )
