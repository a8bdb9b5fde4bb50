"""What an agent shows: Q-values, the way it values states, goals and discount. Never the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import storage
from tabular_inversion._typing import BoolArray, FloatArray, SparseMatrix
from tabular_inversion.agent_values import changes
from tabular_inversion.agent_values.derived import Derived
from tabular_inversion.agent_values.noise import Noise
from tabular_inversion.agent_values.operators import state_values
from tabular_inversion.agent_values.reading import (
    TransitionRewards,
    check_beside,
    check_one_way,
    optional,
    read_asked,
    read_coordinates,
    read_discounts,
    read_noise,
    read_own_values,
    read_q,
    read_shape,
    read_temperature,
    read_test_noise,
    read_transition_rewards,
)
from tabular_inversion.agent_values.report import SolverReport
from tabular_inversion.errors import AgentValuesError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.policies import check_policy
from tabular_inversion.record_files import load_record, save_record
from tabular_inversion.records import ReadOnly, same
from tabular_inversion.validation import (
    check_available,
    check_names,
    check_positive,
    check_seed,
    frozen_array,
)

Operator = Literal["policy", "max", "softmax", "given"]


@checked
@dataclass(frozen=True, eq=False, repr=False, init=False)
class AgentValues(ReadOnly, Derived):
    """The Q-values of a goal-conditioned agent, and all that the inverse problem may look at.

    Parameters
    ----------
    q : array_like, shape (G, S, A)
        Q[g, s, a]. NaN where the agent has no value: an untrained row, an untried action, a state never visited. Row
        (s, a) then has no equation from goal g. Entries of unavailable actions are ignored and stored as NaN.
    goals : Goals
        Rewards and continuation of the G goals.
    discount : float or array_like, shape (G,)
        In [0, 1]; one for each goal where they differ.
    policy : array_like, shape (S, A) or (G, S, A), optional
        The agent's policy; then V = sum_a policy * Q.
    temperature : float, optional
        For a max-entropy agent; then V = temperature * logsumexp(Q / temperature). Without `policy`, `temperature` and
        `v` the agent is optimal: V = max_a Q.
    available : array_like of bool, shape (S, A), optional
        Which actions exist; all when omitted.
    report : SolverReport, optional
        How the values were computed.
    v : array_like, shape (G, S), optional
        The agent's own state values, where they do not follow from Q: those of a target network, of another horizon,
        of the sweep before. NaN where unknown.
    noise : float, array_like (G, S, A), "float32" or "float16", optional
        How far each Q-value may be from the truth, in the units of Q; state values given apart may be as far. It is
        what `identify` and its sisters assume unless told otherwise. An array q of a shorter float type is taken to be
        rounded to it.
    test_noise : float or array_like (G, S), optional
        How far each test function may be from the truth, beside what noise in Q does to it.
    transition_rewards : array_like (G, S, A, S), list of G sparse matrices (S*A, S), or function, optional
        Rewards r(g, s, a, t) of arriving in t from s by a, beside those of `goals`; a function is called once, with
        arrays of indices that broadcast to (G, S, A, S). Each row then has test functions of its own.
    state_names, action_names : sequence of str, optional
        One name for each, all different.
    coordinates : array_like, shape (S, d), optional
        Where states lie.
    own_v, goal_discounts, asked
        What `v` and `discount` were given as and which rows are looked at, by which `dataclasses.replace` makes an
        agent like this one: leave out.

    Attributes
    ----------
    discount : float
        The largest discount.
    goal_discounts : numpy.ndarray, shape (G,), or None
        The discount of each goal, where they were given one by one.
    own_v : numpy.ndarray, shape (G, S), or None
        The state values that were given apart from Q.
    asked : numpy.ndarray of bool, shape (S, A), or None
        The rows that are looked at, where not all are.

    Raises
    ------
    AgentValuesError
        If a value is infinite, or the agent values states in more than one way.
    ShapeError, DiscountError, PolicyError
        As the names say.

    Notes
    -----
    The test matrix M = R + discount * C * V needs no kernel, and every available row satisfies
    ``M P(s, a) = Q(s, a, .) - rho(s, a, .)`` under each goal whose value it knows. Source: the docs, Notation.

    Examples
    --------
    >>> goals = Goals([[0.0, 1.0]])
    >>> agent = AgentValues([[[1.0, 0.0], [2.0, 3.0]]], goals, discount=0.5)
    >>> agent.v
    array([[1., 3.]])
    >>> agent.test_matrix
    array([[0.5, 2.5]])
    >>> AgentValues([[[1.0, 0.0], [2.0, np.nan]]], goals, discount=0.5, v=[[1.0, 2.5]]).test_matrix
    array([[0.5 , 2.25]])
    """

    q: FloatArray
    goals: Goals
    discount: float
    policy: FloatArray | None
    temperature: float | None
    available: BoolArray
    report: SolverReport | None
    own_v: FloatArray | None
    noise: Noise | None
    test_noise: float | FloatArray
    goal_discounts: FloatArray | None
    transition_rewards: TransitionRewards | None
    state_names: tuple[str, ...] | None
    action_names: tuple[str, ...] | None
    coordinates: FloatArray | None
    asked: BoolArray | None

    def __init__(
        self,
        q: ArrayLike,
        goals: Goals,
        discount: float | ArrayLike,
        policy: ArrayLike | None = None,
        temperature: float | None = None,
        available: ArrayLike | None = None,
        report: SolverReport | None = None,
        *,
        v: ArrayLike | None = None,
        noise: float | ArrayLike | str | None = None,
        test_noise: float | ArrayLike = 0.0,
        transition_rewards: ArrayLike | Sequence[SparseMatrix] | Callable[..., ArrayLike] | None = None,
        state_names: Sequence[str] | None = None,
        action_names: Sequence[str] | None = None,
        coordinates: ArrayLike | None = None,
        own_v: ArrayLike | None = None,
        goal_discounts: ArrayLike | None = None,
        asked: BoolArray | None = None,
    ) -> None:
        shape = read_shape(q, goals)
        expected = (shape[0], shape[1])
        mask = check_available(available, (shape[1], shape[2]), AgentValuesError)
        check_beside(goals, report, shape)
        own = own_v if v is None else v
        check_one_way(policy=policy, temperature=temperature, v=own)
        largest, several = read_discounts(discount, goal_discounts, expected[0])
        read: dict[str, Any] = {
            "q": read_q(q, shape, mask),
            "goals": goals,
            "discount": largest,
            "policy": optional(check_policy, policy, mask, expected[0]),
            "temperature": optional(read_temperature, temperature),
            "available": mask,
            "report": report,
            "own_v": optional(read_own_values, own, expected),
            "noise": read_noise(noise, q, shape),
            "test_noise": read_test_noise(test_noise, expected),
            "goal_discounts": several,
            "transition_rewards": optional(read_transition_rewards, transition_rewards, shape),
            "state_names": check_names("state_names", state_names, shape[1], AgentValuesError),
            "action_names": check_names("action_names", action_names, shape[2], AgentValuesError),
            "coordinates": optional(read_coordinates, coordinates, shape[1]),
            "asked": optional(read_asked, asked, mask),
        }
        vars(self).update(read)

    def __getstate__(self) -> dict[str, Any]:
        """Return what was given, for copies and pickles: what follows from it is computed again."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def __repr__(self) -> str:
        sizes = f"n_goals={self.n_goals}, n_states={self.n_states}, n_actions={self.n_actions}"
        return f"AgentValues({sizes}, discount={self.discount:g}, operator={self.operator!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AgentValues):
            return NotImplemented
        return all(same(getattr(self, each.name), getattr(other, each.name)) for each in fields(self))

    @property
    def operator(self) -> Operator:
        """How V follows from Q: ``"policy"``, ``"max"`` or ``"softmax"``; ``"given"`` where it does not."""
        if self.own_v is not None:
            return "given"
        if self.policy is not None:
            return "policy"
        return "max" if self.temperature is None else "softmax"

    @cached_property
    def v(self) -> FloatArray:
        """V[g, s], the agent's own state values, shape (G, S); NaN where they follow from values that are missing."""
        if self.own_v is not None:
            return self.own_v
        q = self.q
        if self.policy is not None and not self.is_complete:
            q = np.where(self.policy > 0, q, 0.0)  # what a policy never does, it need not know
        return frozen_array(state_values(q, self.available, policy=self.policy, temperature=self.temperature))

    @cached_property
    def test_matrix(self) -> FloatArray:
        """M = R + discount * C * V, the Bellman test functions, shape (G, S).

        Raises
        ------
        AgentValuesError
            If a state value is missing where an episode goes on, or each row has test functions of its own.
        """
        if self.transition_rewards is not None:
            raise AgentValuesError(
                "with transition_rewards each row has test functions of its own; ask for those of one row with "
                "tests_of(state, action)."
            )
        return self.shared_tests

    def seen_as(self, **changes: Any) -> AgentValues:
        """Return the agent with another `noise`, or other rows `asked`: it shares test functions and decompositions."""
        other = replace(self, **changes)
        known = ("v", "weights", "shared_tests", "test_matrix", "known", "is_complete")
        vars(other).update({name: vars(self)[name] for name in known if name in vars(self)})
        vars(other)["decompositions"] = self.decompositions
        return other

    def select_goals(self, goals: ArrayLike) -> AgentValues:
        """Return the same agent, seen through the goals with these numbers only."""
        self.goals.select(goals)  # refuses numbers that are none
        return replace(self, **changes.of_goals(self, np.atleast_1d(np.asarray(goals))))

    def permute_states(self, order: ArrayLike) -> AgentValues:
        """Rename states as `MDP.permute_states` does."""
        self.goals.permute_states(order)  # refuses what is no order
        return replace(self, **changes.of_order(self, np.asarray(order)))

    def with_noise(self, scale: float, *, seed: int | np.random.Generator) -> AgentValues:
        """Return the same agent with noise drawn uniformly from [-scale, scale] added to each Q-value."""
        size = (
            0.0 if isinstance(scale, int | float) and scale == 0 else check_positive("scale", scale, AgentValuesError)
        )
        noise = check_seed(seed, AgentValuesError).uniform(-size, size, self.q.shape)
        return replace(self, q=self.q + noise, report=None)

    @classmethod
    def episodic(cls, q: ArrayLike, goals: Goals, discount: float | ArrayLike, **options: Any) -> AgentValues:
        """Return the values of an agent whose episodes end at its goals: rows it never trained have no equation.

        Parameters
        ----------
        q : array_like, shape (G, S, A)
            What was learned. Whatever stands at ``q[g, s, :]`` is not looked at where goal g ends on arrival in s
            (continuation 0): no episode of g ever acts there.
        goals, discount
            As for the constructor.
        **options
            The other arguments of the constructor.

        Raises
        ------
        AgentValuesError
            If no goal ends anywhere: then nothing is left out, and the constructor is what was meant.

        Examples
        --------
        >>> goals = Goals.indicator(2)
        >>> AgentValues.episodic([[[0.0], [1.0]], [[1.0], [0.0]]], goals, 0.9).known[:, :, 0]
        array([[False,  True],
               [ True, False]])
        """
        ended = goals.continuation == 0
        if not ended.any():
            raise AgentValuesError("no goal ends an episode: its continuation is 0 nowhere; use AgentValues(...).")
        table = np.asarray(q)
        kind = table.dtype if table.dtype.kind == "f" else np.dtype(np.float64)
        if table.ndim != 3 or table.shape[:2] != ended.shape:
            raise ShapeError(f"q has shape {table.shape}; expected (G, S, A) = {ended.shape} and any.")
        return cls(np.where(ended[:, :, None], kind.type(np.nan), table), goals, discount, **options)

    @classmethod
    def from_system(
        cls,
        test_matrix: ArrayLike,
        q: ArrayLike,
        *,
        noise: float | ArrayLike | str | None = None,
        test_noise: float | ArrayLike = 0.0,
        **options: Any,
    ) -> AgentValues:
        """Return any pair of test functions and values as those of an agent, ``M P(s, a) = Q(s, a, .)``.

        Parameters
        ----------
        test_matrix : array_like, shape (G, S)
            M, taken as exact but for `test_noise`.
        q : array_like, shape (G, S, A)
            The expectation of each test function after each action; NaN where unknown.
        noise, test_noise
            How far the values and the test functions may be from the truth.
        **options
            `available`, names and coordinates, as for the constructor.

        Examples
        --------
        >>> agent = AgentValues.from_system([[0.0, 1.0]], [[[0.25], [0.5]]])
        >>> agent.test_matrix.tolist(), agent.right_hand_sides.tolist()
        ([[0.0, 1.0]], [[0.25, 0.5]])
        """
        return cls(q, Goals(test_matrix), 0.0, noise=noise, test_noise=test_noise, **options)

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
        save_record(path, "agent-values", self)

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
        return load_record(path, "agent-values", cls, max_bytes=max_bytes)
