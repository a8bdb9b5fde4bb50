"""Worlds from gymnasium environments that have a transition table.

Such an environment has an attribute ``P``, which maps state to action to a list of (probability, next_state, reward,
terminated). Its own ``step`` draws from that list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.environments._outcomes import Outcomes, read_outcomes
from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, KernelError, MissingDependencyError, SpecificationError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised

Terminal = Literal["absorb", "continue"]


@checked
def from_gymnasium(
    env_or_id: Any, /, *, discount: float, terminal: Terminal = "absorb", within: float = 1e-9, **make_kwargs: Any
) -> Environment:
    """Read the transition table of a gymnasium environment.

    Parameters
    ----------
    env_or_id : gymnasium.Env or str
        An environment whose ``unwrapped.P`` is a transition table (its wrappers are passed over), or its id, such as
        ``"FrozenLake-v1"``.
    discount : float
        In [0, 1]; gymnasium has none.
    terminal : {"absorb", "continue"}
        What happens in a state that some transition enters with ``terminated=True``. ``"absorb"``: each action stays
        there and pays nothing (FrozenLake's table already says so; CliffWalking's and Taxi's do not).
        ``"continue"``: the rows of the table are kept.
    within : float
        Rows of a table are sums of someone's products. Those that miss one by more than a few roundings, but by no
        more than this, are divided by their sums (`tabular_inversion.normalised`); others are refused.
    **make_kwargs
        Passed to ``gymnasium.make`` with an id, for example ``map_name="8x8"``.

    Returns
    -------
    Environment
        Named by the id; the world is sparse; gymnasium's own task is the one native goal, or None where no goal
        expresses it (see the notes).

    Raises
    ------
    SpecificationError
        If gymnasium cannot make the environment.
    InputError
        If the environment has no table, or one that its own steps do not follow, or if `terminal` is unknown.
    KernelError
        If the table is malformed, or with ``terminal="absorb"`` if an episode can go on in a terminal state.
    MissingDependencyError
        If gymnasium, or what the environment needs, is not installed.

    Notes
    -----
    Outcomes of one (state, action) with the same next state are summed. An action that is missing, or has no
    outcome, is unavailable.

    *Rewards.* The table pays for (s, a, s'). Only the mean under (s, a) matters to values, so the goal has
    ``action_rewards[0, s, a] = sum p * reward`` and no reward on arrival. Where the table's reward depends on s',
    these known means say something about the kernel by themselves.

    *Termination.* The goal has continuation 0 on arrival in a terminal state, 1 elsewhere. Gymnasium flags
    transitions and a goal flags states; the two agree unless a state is entered both with and without the flag by
    steps that an episode can take. Episodes begin where ``initial_state_distrib`` is positive (in any state that is
    not terminal, if the environment does not say) and end at the flag. Taxi enters its terminal states without the
    flag too, but only from states that no episode visits: the goal then describes every episode exactly, and counts
    those other arrivals as ends as well. Where an episode can go on in a terminal state, ``"absorb"`` is an error
    and ``"continue"`` gives no native goal.

    Examples
    --------
    >>> lake = from_gymnasium("FrozenLake-v1", discount=0.95, is_slippery=False)
    >>> lake.mdp
    MDP(n_states=16, n_actions=4, discount=0.95, sparse)
    >>> (lake.native_goals.continuation[0] == 0).nonzero()[0]
    array([ 5,  7, 11, 12, 15])
    >>> lake.native_goals.action_rewards[0, 14]
    array([0., 0., 1., 0.])
    """
    if terminal not in get_args(Terminal):
        raise InputError(f"terminal is {terminal!r}; expected one of {', '.join(get_args(Terminal))}.")
    if not isinstance(env_or_id, str):
        if make_kwargs:
            raise InputError(f"{', '.join(make_kwargs)} cannot be applied to an environment that exists; pass its id.")
        return _read_environment(env_or_id, discount, terminal, within)
    environment = _make(env_or_id, make_kwargs)
    try:
        return _read_environment(environment, discount, terminal, within)
    finally:
        environment.close()


def _make(name: str, make_kwargs: Mapping[str, Any]) -> Any:
    try:
        import gymnasium
    except ImportError as problem:
        raise MissingDependencyError.of("gym: environments need", "gymnasium", "gym") from problem
    try:
        return gymnasium.make(name, **make_kwargs)
    except (ImportError, gymnasium.error.DependencyNotInstalled) as problem:
        raise MissingDependencyError(
            f"gymnasium environment {name!r} needs more to be installed: {problem}"
        ) from problem
    except Exception as problem:
        # Constructors of environments are anyone's code and raise anything.
        raise SpecificationError(
            f"gymnasium cannot make {name!r} with arguments {dict(make_kwargs)} ({type(problem).__name__}: {problem}); "
            "check the id and its arguments."
        ) from problem


def _read_environment(environment: Any, discount: float, terminal: Terminal, within: float) -> Environment:
    inner = getattr(environment, "unwrapped", environment)
    table = getattr(inner, "P", None)
    if not isinstance(table, Mapping):
        raise InputError(
            f"{type(inner).__name__} has no transition table P; only tabular environments such as FrozenLake-v1, "
            "CliffWalking-v1 and Taxi-v4 have one."
        )
    if getattr(inner, "fickle_passenger", False):
        raise InputError("a fickle passenger changes its destination outside the table; use fickle_passenger=False.")
    outcomes = read_outcomes(table)
    terminal_states = outcomes.terminal
    start = np.asarray(getattr(inner, "initial_state_distrib", ~terminal_states)) > 0
    if start.shape != terminal_states.shape:
        raise InputError(f"initial_state_distrib has shape {start.shape}; expected ({outcomes.n_states},).")
    goes_on = np.flatnonzero(terminal_states & outcomes.acting(start))
    if terminal == "absorb":
        if goes_on.size:
            raise KernelError(
                f"an episode can go on in state {goes_on[0]}, which is also entered with terminated=True; making it "
                'absorbing would change the world: use terminal="continue".'
            )
        outcomes = outcomes.absorb(terminal_states)
    native = None if goes_on.size else _native_goals(outcomes, terminal_states)
    name = getattr(getattr(environment, "spec", None), "id", type(inner).__name__)
    world = _world(outcomes, discount, within)
    return Environment(name, replace(world, coordinates=_places(inner, outcomes.n_states)), native)


def _places(inner: Any, n_states: int) -> FloatArray | None:
    """Return (row, column) of each state where the environment has a map of them: FrozenLake's desc, a grid's shape."""
    drawn: Any = getattr(inner, "desc", ())
    shape = np.shape(drawn) if np.ndim(drawn) == 2 else tuple(np.ravel(getattr(inner, "shape", ())))
    if len(shape) != 2 or shape[0] * shape[1] != n_states:
        return None
    rows, columns = np.divmod(np.arange(n_states), int(shape[1]))
    return np.stack([rows, columns], axis=1).astype(float)


def _world(outcomes: Outcomes, discount: float, within: float) -> MDP:
    shape = (outcomes.n_states, outcomes.n_actions)
    n_rows = outcomes.n_states * outcomes.n_actions
    available = np.bincount(outcomes.row, minlength=n_rows).reshape(shape) > 0
    entries = (outcomes.probability, (outcomes.row, outcomes.arrival))
    rows = normalised(csr_array(entries, shape=(n_rows, outcomes.n_states)), within=within).kernel
    return MDP(rows, discount, available)


def _native_goals(outcomes: Outcomes, terminal_states: BoolArray) -> Goals:
    n, m = outcomes.n_states, outcomes.n_actions
    means = np.bincount(outcomes.row, weights=outcomes.probability * outcomes.reward, minlength=n * m)
    continuation = np.where(terminal_states, 0.0, 1.0)[None, :]
    return Goals(np.zeros((1, n)), continuation, means.astype(np.float64).reshape(1, n, m))
