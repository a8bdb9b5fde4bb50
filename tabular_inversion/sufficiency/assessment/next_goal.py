"""What to train next: the goal that lowers the expected error most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion.errors import GoalsError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.assessment.judges import Case
from tabular_inversion.sufficiency.order import order_goals
from tabular_inversion.sufficiency.question import read_goals
from tabular_inversion.sufficiency.scenarios import agent_of

_LEAST_NOISE = 1e-6  # where none was asked about


@checked
@dataclass(frozen=True, eq=False)
class NextGoal(Record):
    """The candidate that gains most.

    Attributes
    ----------
    goal : int
        Its number among the candidates.
    state : int or None
        Where it pays, if in one state.
    name : str
        What it is called.
    rows_gained : int
        How many more rows have an equation for every unknown.
    error_before, error_after : float
        The expected error of a row, as `order_goals` predicts it.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> from tabular_inversion.sufficiency import assess
    >>> best = assess(four_rooms("windy"), [0], noise=1e-4).next_goal([5, 67])
    >>> best.name, best.error_after < best.error_before
    ('(1,7)', True)
    """

    goal: int
    state: int | None
    name: str
    rows_gained: int
    error_before: float
    error_after: float


def find_next_goal(case: Case, candidates: Goals | ArrayLike | None, *, noise: float, relative: bool) -> NextGoal:
    """Return the candidate that lowers the expected error most; see `Assessment.next_goal`."""
    if np.ndim(case.policy) == 3:  # a word has no axes
        raise GoalsError("with a policy for each goal, nothing says what agents of other goals would do.")
    pool = read_goals(np.arange(case.world.n_states) if candidates is None else candidates, case.world.n_states)
    own = Goals(case.goals.rewards, case.goals.continuation, case.goals.action_rewards)
    joined = own.join(Goals(pool.rewards, pool.continuation, pool.action_rewards))
    agent = agent_of(case.world, joined, case.policy)
    k = case.goals.n_goals
    order = order_goals(
        agent, case.kernel_class, noise=noise or _LEAST_NOISE, relative=relative, given=range(k),
        n_goals=k + 1,
    )  # fmt: skip
    goal = int(order.order[k]) - k
    paid = np.flatnonzero(pool.rewards[goal])
    state = int(paid[0]) if len(paid) == 1 else None
    own_name = None if pool.names is None else pool.names[goal]
    name = own_name or (f"goal {goal}" if state is None else case.world.state_name(state))
    known, error = order.rows_known, order.predicted_error
    return NextGoal(goal, state, name, int(known[k + 1] - known[k]), float(error[k]), float(error[k + 1]))
