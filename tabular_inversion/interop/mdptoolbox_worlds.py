"""pymdptoolbox's matrices, both ways: one (S, S) matrix for each ACTION, dense, sparse or in a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array, csr_matrix, issparse, vstack

from tabular_inversion._typing import FloatArray
from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import ROUNDED, refuse_ends, task_of
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised


@checked
def from_mdptoolbox(transitions: Any, reward: Any = None, *, discount: float, within: float = ROUNDED) -> Environment:
    """Read the arguments that `mdptoolbox.mdp.MDP` and its solvers take.

    Parameters
    ----------
    transitions : array_like (A, S, S), or sequence of A matrices (S, S), dense or sparse
        Actions first; our own kernels have states first.
    reward : array_like (S,), (S, A) or (A, S, S), or sequence of A matrices (S, S), optional
        As in pymdptoolbox: for the state that is left, for the action, or for the transition.
    discount : float
        In [0, 1].
    within : float
        Rows that miss one by more than rounding, and by no more than this, are divided by their sums
        (`tabular_inversion.normalised`); raise it for probabilities written with few digits.

    Returns
    -------
    Environment
        The native goal pays the mean reward of each action; pymdptoolbox keeps nothing else either.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    KernelError
        If a row is no distribution.

    Examples
    --------
    >>> stay, move = np.eye(2), np.array([[0.1, 0.9], [1.0, 0.0]])
    >>> world = from_mdptoolbox([stay, move], np.array([[0.0, 1.0], [5.0, 2.0]]), discount=0.9)
    >>> world.mdp.toarray()[0, 1]
    array([0.1, 0.9])
    >>> world.native_goals.action_rewards[0]
    array([[0., 1.],
           [5., 2.]])
    """
    matrices = _matrices("transitions", transitions)
    m, n = len(matrices), matrices[0].shape[0]
    # Rows of the stack are (a, s); ours are (s, a).
    order = (np.arange(n)[:, None] + n * np.arange(m)).ravel()
    kernel = csr_array(vstack(matrices, format="csr"))[order]
    mdp = MDP(normalised(kernel, within=within).kernel, discount)
    if reward is None:
        return Environment("mdptoolbox", mdp)
    paid = _rewards(reward, matrices)
    return Environment("mdptoolbox", mdp, Goals(np.zeros((1, n)), action_rewards=paid[None]))


def _matrices(name: str, given: Any) -> list[Any]:
    """Return A sparse matrices of one square shape."""
    if isinstance(given, np.ndarray) and given.dtype != object and given.ndim != 3:
        raise ShapeError(f"{name} has shape {given.shape}; expected (A, S, S).")
    if issparse(given) or not isinstance(given, Sequence | np.ndarray):
        raise InputError(f"{name} is one {type(given).__name__}; expected (A, S, S), or a list of A matrices (S, S).")
    try:
        matrices = [csr_array(matrix, dtype=np.float64) for matrix in given]
    except (TypeError, ValueError) as problem:
        raise InputError(f"{name} cannot be read as matrices ({problem}); give A matrices (S, S).") from problem
    shapes = {matrix.shape for matrix in matrices}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2 or len(set(next(iter(shapes)))) != 1:
        shown = ", ".join(map(str, sorted(shapes))) or "none"
        raise ShapeError(f"{name} holds matrices of shapes {shown}; expected (S, S), one for each action.")
    return matrices


def _rewards(reward: Any, matrices: list[Any]) -> FloatArray:
    """Return mean rewards (S, A) of any of the four layouts."""
    m, n = len(matrices), matrices[0].shape[0]
    listed = (
        isinstance(reward, list | tuple) and len(reward) == m and all(np.ndim(r) == 2 or issparse(r) for r in reward)
    )
    if listed or (isinstance(reward, np.ndarray) and (reward.ndim == 3 or reward.dtype == object)):
        paid = _matrices("reward", reward)
        if len(paid) != m or paid[0].shape != (n, n):
            raise ShapeError(f"reward holds {len(paid)} matrices {paid[0].shape}; expected {m} of shape {(n, n)}.")
        means = [np.asarray(p.multiply(r).sum(axis=1)).ravel() for p, r in zip(matrices, paid, strict=True)]
        return np.stack(means, axis=1)
    array = np.asarray(reward, dtype=np.float64)
    if array.shape == (n, m):
        return array
    if array.shape == (n,):
        return np.repeat(array[:, None], m, axis=1)
    raise ShapeError(f"reward has shape {array.shape}; expected ({n},), ({n}, {m}) or ({m}, {n}, {n}).")


@checked
def to_mdptoolbox(mdp: MDP, goals: Goals | None = None, goal: int = 0) -> tuple[Any, FloatArray]:
    """Return (transitions, reward) as pymdptoolbox's solvers take them.

    Parameters
    ----------
    mdp : MDP
        The world, every action available.
    goals : Goals, optional
        Rewards are 0 when omitted.
    goal : int
        Which of the goals; its continuation must be 1 everywhere.

    Returns
    -------
    transitions : numpy.ndarray (A, S, S), or list of A csr_matrix (S, S) for a sparse world
    reward : numpy.ndarray (S, A)

    Raises
    ------
    InputError
        If an action is unavailable: pymdptoolbox has none that are.
    GoalsError
        If the goal ends episodes.

    Examples
    --------
    >>> transitions, reward = to_mdptoolbox(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9), Goals([[0.0, 1.0]]))
    >>> transitions.shape, reward.ravel()
    ((1, 2, 2), array([0.5, 1. ]))
    """
    missing = np.argwhere(~mdp.available)
    if len(missing):
        state, action = missing[0].tolist()
        raise InputError(
            f"action {action} is unavailable in state {mdp.state_name(state)}, and pymdptoolbox has no such actions: "
            "give it a row first."
        )
    reward, continuation = task_of(mdp, goals, goal)
    refuse_ends(continuation, mdp, "pymdptoolbox")
    if isinstance(mdp.kernel, np.ndarray):
        return np.ascontiguousarray(np.moveaxis(mdp.kernel, 1, 0)), reward
    return [csr_matrix(mdp.rows[action :: mdp.n_actions]) for action in range(mdp.n_actions)], reward
