"""The unified Markov binary format (UMB) through umbi, which needs Python 3.12: exact rationals, and intervals."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import FileFormatError, InputError, MissingDependencyError, ShapeError
from tabular_inversion.interop.assembly import Entries, assemble
from tabular_inversion.interval_mdp import IntervalMDP
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


def _umbi() -> Any:
    try:
        import umbi.ats
        import umbi.datatypes
    except (ImportError, SyntaxError) as problem:
        raise MissingDependencyError(
            "umbi is not installed; it needs Python 3.12 or later: pip install umbi."
        ) from problem
    return umbi


@checked
def read_umb(path: str | os.PathLike[str], *, discount: float, reward: str | None = None) -> Environment:
    """Read an MDP from a UMB file.

    Parameters
    ----------
    path : path-like
        The file.
    discount : float
        In [0, 1]; the format has none.
    reward : str, optional
        The name of a reward annotation of states or choices, for the native goal.

    Returns
    -------
    Environment
        Choice i of a state is action i. Rational probabilities are rounded to floats; `read_umb_exactly` keeps them.

    Raises
    ------
    FileFormatError
        If the file is no UMB file.
    InputError
        If the model is no MDP, has intervals, or no such annotation.
    MissingDependencyError
        If umbi is not installed.

    Examples
    --------
    >>> from tabular_inversion.errors import TabularInversionError
    >>> try:  # without umbi, or without the file, one clear line
    ...     read_umb("nowhere.umb", discount=0.9)
    ... except TabularInversionError as problem:
    ...     print("refused")
    refused
    """
    model = _read(path)
    state, action, arrival, weights = _branches(model)
    paid = None if reward is None else _means(model, reward)[_choices(model)]
    entries = Entries(state, action, arrival, np.array([float(p) for p in weights]), paid)
    n_actions = int(action.max(initial=0)) + 1
    return assemble(os.fspath(path), entries, discount=discount, n_states=model.num_states, n_actions=n_actions)


@checked
def read_umb_exactly(path: str | os.PathLike[str]) -> NDArray[np.object_]:
    """Return the kernel of a UMB file in fractions, shape (S, A, S); zero rows where a state has fewer choices.

    Raises
    ------
    FileFormatError, InputError, MissingDependencyError
        As `read_umb`.

    Examples
    --------
    >>> from tabular_inversion.errors import TabularInversionError
    >>> try:  # without umbi, or without the file, one clear line
    ...     read_umb_exactly("nowhere.umb")
    ... except TabularInversionError as problem:
    ...     print("refused")
    refused
    """
    model = _read(path)
    state, action, arrival, weights = _branches(model)
    kernel = np.full((model.num_states, int(action.max(initial=0)) + 1, model.num_states), Fraction(0), dtype=object)
    for s, a, t, p in zip(state, action, arrival, weights, strict=True):
        kernel[s, a, t] += Fraction(p)
    return kernel


def _read(path: str | os.PathLike[str]) -> Any:
    umbi = _umbi()
    try:
        model = umbi.ats.read(os.fspath(path))
    except Exception as problem:  # umbi's own errors have no common base
        raise FileFormatError(f"{os.fspath(path)} cannot be read as a UMB file ({problem}).") from problem
    if model.num_players > 1 or not model.has_branches:
        raise InputError(f"{os.fspath(path)} holds a model with {model.num_players} players; expected an MDP.")
    return model


def _branches(model: Any) -> tuple[Any, Any, Any, list[Any]]:
    """Return state, action, next state and probability of every branch."""
    columns: list[tuple[int, int, int]] = []
    weights: list[Any] = []
    for state in model.states:
        for action, choice in enumerate(model.get_state_choices(state)):
            for branch in model.get_choice_branches(choice):
                columns.append((state, action, model.branch_to_target[branch]))
                weights.append(model.branch_to_probability[branch])
    if weights and not isinstance(weights[0], int | float | Fraction):
        raise InputError("the file holds an interval model; a world has one probability for each branch.")
    return *(np.array([column[i] for column in columns], dtype=np.intp) for i in range(3)), weights  # type: ignore[return-value]


def _choices(model: Any) -> Any:
    """Return the number of the choice that each branch belongs to, in the order of `_branches`."""
    return np.array(
        [c for s in model.states for c in model.get_state_choices(s) for _ in model.get_choice_branches(c)],
        dtype=np.intp,
    )


def _means(model: Any, name: str) -> FloatArray:
    """Return what each choice pays."""
    known = list(model.reward_annotation_names)
    if name not in known:
        raise InputError(f"the file has no reward annotation {name!r}; it has {', '.join(known) or 'none'}.")
    annotation = model.get_reward_annotation(name)
    means = np.zeros(model.num_choices)
    if annotation.choice_values is not None:
        means += np.array([float(value) for value in annotation.choice_values])
    if annotation.state_values is not None:
        by_state = np.array([float(value) for value in annotation.state_values])
        means += by_state[np.array(model.choice_to_state)]
    return means


@checked
def write_umb(
    mdp: MDP | IntervalMDP,
    path: str | os.PathLike[str],
    *,
    exact: NDArray[np.object_] | None = None,
) -> None:
    """Write a world to a UMB file.

    Parameters
    ----------
    mdp : MDP or IntervalMDP
        The world, or one whose probabilities lie in intervals. State 0 is initial.
    path : path-like
        Where to write.
    exact : array of Fraction, shape (S, A, S), optional
        Written in place of the floats.

    Raises
    ------
    ShapeError
        If an array does not have the shape of the kernel.
    InputError
        If `exact` is given with intervals.
    MissingDependencyError
        If umbi is not installed.

    Examples
    --------
    >>> from tabular_inversion.errors import TabularInversionError
    >>> try:  # without umbi, or without the file, one clear line
    ...     write_umb(MDP([[[1.0]]], discount=0.5), "/nowhere/world.umb")
    ... except TabularInversionError as problem:
    ...     print("refused")
    refused
    """
    umbi = _umbi()
    if exact is not None and isinstance(mdp, IntervalMDP):
        raise InputError("exact is given with a world of intervals; a branch has one kind of weight.")
    kernel: Any = mdp.upper if isinstance(mdp, IntervalMDP) else mdp.dense().kernel
    if exact is not None and np.shape(exact) != kernel.shape:
        raise ShapeError(f"exact has shape {np.shape(exact)}; expected {kernel.shape}.")
    model = umbi.ats.SimpleAts()
    model.time = umbi.ats.TimeType.DISCRETE
    model.num_players = 1
    model.num_states = len(kernel)
    model.initial_states = [0]
    for state, action in np.argwhere(mdp.available).tolist():
        choice = model.new_choice(state=state)
        for target in np.flatnonzero(kernel[state, action] > 0).tolist():
            place = (state, action, target)
            if isinstance(mdp, IntervalMDP):
                weight = umbi.datatypes.Interval(float(mdp.lower[place]), float(mdp.upper[place]))
            else:
                weight = float(kernel[place]) if exact is None else Fraction(exact[place])
            model.new_choice_branch(choice=choice, target=target, prob=weight)
    model.validate()
    try:
        umbi.ats.write(model, os.fspath(path))
    except OSError as problem:
        raise FileFormatError(f"{os.fspath(path)} cannot be written ({problem}).") from problem
