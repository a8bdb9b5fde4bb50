"""Environments and goal sets as texts, the way the command line names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np

from tabular_inversion.environments._texts import Text
from tabular_inversion.environments.chains import chain, river_swim
from tabular_inversion.environments.environment import Environment
from tabular_inversion.environments.graphs import NAMED_GRAPHS, graph, named_graph
from tabular_inversion.environments.gymnasium_worlds import Terminal, from_gymnasium
from tabular_inversion.environments.mountain_car import mountain_car
from tabular_inversion.environments.random_worlds import random_mdp
from tabular_inversion.environments.reacher import reacher
from tabular_inversion.environments.rooms import Variant, four_rooms
from tabular_inversion.errors import SpecificationError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

_VARIANTS = "|".join(get_args(Variant))
_GYM = "gym:ID[,terminal=absorb|continue][,KEY=VALUE...]"
_RANDOM = "random:n=N,m=M[,branching=B][,seed=S]"
ENVIRONMENT_FORMS = (
    f"fourrooms:{_VARIANTS}, {_GYM}, chain:N, riverswim:N, {_RANDOM}, graph:G with G one of {NAMED_GRAPHS}, "
    "mountaincar:N, reacher:N; or a .npz or .json file of a world"
)
"""The texts that `parse_environment` reads."""

_INDICATOR = "indicator[:S1,S2,...][,terminating=true|false]"
_GENERIC = "generic:K[,seed=S]"
_GAUSSIAN = "gaussian:K[,seed=S][,width=W]"
GOAL_FORMS = f"{_INDICATOR}, {_GENERIC}, {_GAUSSIAN}"
"""The texts that `parse_goals` reads."""

_GOAL_WORDS = {"indicator", "generic", "gaussian"}

_TRUTH = {"true": True, "false": False}
_DEFAULT_WIDTH = 1 / 8
_MOST_REWARDS = 2**27
"""1 GiB of float64."""
_SHOWN = 5


@checked
def parse_environment(text: str, *, discount: float | None = None) -> Environment:
    """Return the environment that a text names.

    Parameters
    ----------
    text : str
        ``fourrooms:deterministic|windy|teleport``; ``gym:ID`` with optional ``terminal=absorb|continue`` and
        keyword arguments of the environment, such as ``gym:FrozenLake-v1,map_name=8x8,is_slippery=false``;
        ``chain:N``; ``riverswim:N``; ``random:n=N,m=M`` with optional ``branching=B`` and ``seed=S`` (0 when
        omitted); ``graph:G`` with what `named_graph` reads; ``mountaincar:N`` and ``reacher:N``, with N grid points for
        each coordinate; or a .npz or .json file written by `MDP.save`.
    discount : float, optional
        In [0, 1]. When omitted: the file's own, 0.99 for FourRooms, MountainCar and Reacher, 0.95 otherwise.

    Returns
    -------
    Environment

    Raises
    ------
    SpecificationError
        If the text has none of these forms.
    InputError, FileFormatError, MissingDependencyError
        If what it names cannot be built or read.

    Examples
    --------
    >>> parse_environment("fourrooms:windy").mdp
    MDP(n_states=68, n_actions=4, discount=0.99, dense)
    >>> parse_environment("random:n=20,m=3,branching=4,seed=0", discount=0.5).mdp
    MDP(n_states=20, n_actions=3, discount=0.5, sparse)
    """
    word, colon, rest = text.partition(":")
    if colon and word in _ENVIRONMENTS:
        default = 0.99 if word in _PATIENT else 0.95
        return _ENVIRONMENTS[word](text, rest, default if discount is None else discount)
    if text.endswith((".npz", ".json")):
        mdp = MDP.load(text)
        return Environment(text, mdp if discount is None else mdp.with_discount(discount))
    raise SpecificationError(f"unknown environment {text!r}; expected {ENVIRONMENT_FORMS}.")


def _four_rooms(text: str, rest: str, discount: float) -> Environment:
    if rest not in get_args(Variant):
        raise SpecificationError(f"{text!r} names no FourRooms; expected fourrooms:{_VARIANTS}.")
    return Environment(text, four_rooms(cast("Variant", rest), discount=discount))


def _gymnasium(text: str, rest: str, discount: float) -> Environment:
    parts = Text(text, rest)
    parts.check(_GYM, items=1, options=parts.options)
    if "discount" in parts.options:
        raise SpecificationError(
            f"{text!r}: the discount is no argument of a gymnasium environment; give it separately."
        )
    terminal = parts.options.pop("terminal", "absorb")
    if terminal not in get_args(Terminal):
        raise SpecificationError(f"{text!r}: terminal is {terminal!r}; expected absorb or continue.")
    arguments: dict[str, Any] = {key: _value(value) for key, value in parts.options.items()}
    kept = cast("Terminal", terminal)
    return replace(from_gymnasium(parts.items[0], discount=discount, terminal=kept, **arguments), name=text)


def _value(text: str) -> bool | int | float | str:
    """Read a keyword argument: a truth value, a number, or else the text itself."""
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _sized(build: Callable[..., MDP], word: str) -> Callable[[str, str, float], Environment]:
    def read(text: str, rest: str, discount: float) -> Environment:
        parts = Text(text, rest)
        parts.check(f"{word}:N", items=1, options=())
        return Environment(text, build(parts.whole_number("N", parts.items[0]), discount=discount))

    return read


def _random(text: str, rest: str, discount: float) -> Environment:
    parts = Text(text, rest)
    parts.check(_RANDOM, items=0, options=("n", "m", "branching", "seed"))
    if not {"n", "m"} <= parts.options.keys():
        raise SpecificationError(f"{text!r} lacks n or m; expected {_RANDOM}.")
    sizes = {key: parts.whole_number(key, value) for key, value in parts.options.items()}
    branching, seed = sizes.get("branching"), sizes.get("seed", 0)
    return Environment(text, random_mdp(sizes["n"], sizes["m"], branching=branching, discount=discount, seed=seed))


def _graph(text: str, rest: str, discount: float) -> Environment:
    return Environment(text, graph(named_graph(rest), discount=discount))


_ENVIRONMENTS: dict[str, Callable[[str, str, float], Environment]] = {
    "fourrooms": _four_rooms,
    "gym": _gymnasium,
    "chain": _sized(chain, "chain"),
    "riverswim": _sized(river_swim, "riverswim"),
    "random": _random,
    "graph": _graph,
    "mountaincar": _sized(mountain_car, "mountaincar"),
    "reacher": _sized(reacher, "reacher"),
}
_PATIENT = {"fourrooms", "mountaincar", "reacher"}
"""Worlds whose published experiments have the discount 0.99."""


@checked
def parse_goals(text: str, mdp: MDP) -> Goals:
    """Return the goals that a text names, on the states of a world.

    Parameters
    ----------
    text : str
        ``indicator`` (every state is a goal) or ``indicator:3,17``, each ending on arrival unless
        ``terminating=false`` follows; states by their names, or by their numbers unless some name is a number too;
        ``generic:K`` (standard normal rewards); or ``gaussian:K``, Gaussian bumps around K centres drawn uniformly in
        the bounding box of the coordinates. The last two take ``seed=S`` (0 when omitted), and ``gaussian`` takes
        ``width=W`` (an eighth of the diagonal of the bounding box when omitted).
    mdp : MDP
        The world.

    Returns
    -------
    Goals

    Raises
    ------
    SpecificationError
        If the text has none of these forms, or Gaussian goals are asked on a world without coordinates.
    GoalsError
        If a goal state does not exist, or there is no goal.

    Examples
    --------
    >>> from tabular_inversion.environments import chain
    >>> parse_goals("indicator:0,2", chain(3)).rewards
    array([[1., 0., 0.],
           [0., 0., 1.]])
    >>> parse_goals("gaussian:4,seed=1", chain(9))
    Goals(n_goals=4, n_states=9)
    """
    word, colon, rest = text.partition(":")
    if word == "gaussian" and (rest or not colon):
        return _gaussian(Text(text, rest), mdp)
    return goals_on(text, mdp.n_states, mdp.state_names)


def goals_on(text: str, n_states: int, names: Sequence[str] | None = None) -> Goals:
    """Return what `parse_goals` does for a number of states that may have names; Gaussian goals need a world."""
    word, colon, rest = text.partition(":")
    if colon and not rest:
        raise SpecificationError(f"{text!r} names nothing behind the colon; expected {GOAL_FORMS}.")
    if word == "indicator":
        return _indicator(text, rest, n_states, names)
    if word == "generic":
        parts = Text(text, rest)
        parts.check(_GENERIC, items=1, options=("seed",))
        size = parts.whole_number("K", parts.items[0])
        _check_table(text, size, n_states)
        return Goals.generic(n_states, size, seed=parts.whole_option("seed", 0))
    raise SpecificationError(f"unknown goals {text!r}; expected {GOAL_FORMS}.")


def _indicator(text: str, rest: str, n_states: int, names: Sequence[str] | None) -> Goals:
    named, options = _goal_states(text, rest, names)
    parts = Text(text, ",".join(options))
    parts.check(_INDICATOR, items=None, options=("terminating",))
    terminating = parts.options.get("terminating", "true").lower()
    if terminating not in _TRUTH:
        raise SpecificationError(f"{parts.whole!r}: terminating is {terminating!r}; expected true or false.")
    _check_table(text, len(named) or n_states, n_states)
    return Goals.indicator(n_states, named or None, terminating=_TRUTH[terminating])


def _goal_states(text: str, rest: str, names: Sequence[str] | None) -> tuple[list[int], list[str]]:
    """Return the states that a list names, by name or number, and the parts of the list that are options."""
    known = {name: number for number, name in enumerate(names or ())}
    by_number = not any(name.isdecimal() for name in known)
    pieces, states, options = rest.split(",") if rest else [], [], []
    at = 0
    while at < len(pieces):
        # A name may have commas of its own, such as (1,9).
        ends = (end for end in range(len(pieces), at, -1) if ",".join(pieces[at:end]).strip() in known)
        end = next(ends, None)
        piece = pieces[at].strip()
        if end is not None:
            states.append(known[",".join(pieces[at:end]).strip()])
        elif "=" in piece:
            options.append(piece)
        elif by_number and (piece.isdecimal() or not known):
            states.append(Text(text, "").whole_number("a goal state", piece))
        else:
            rest_of = ",".join(pieces[at:]).strip()
            shown = ", ".join(list(known)[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
            raise SpecificationError(f"{text!r}: no state is named {rest_of!r}; expected some of {shown}.")
        at = end or at + 1
    return states, options


def _check_table(text: str, n_goals: int, n_states: int) -> None:
    """Refuse a table of rewards that would not fit into a usual memory before it is made."""
    if n_goals * n_states > _MOST_REWARDS:
        raise SpecificationError(
            f"{text!r} on {n_states} states is a table of {n_goals} x {n_states} rewards, more than 1 GiB; "
            "choose fewer goals or a smaller world."
        )


def select_goals(text: str, goals: Goals, state_names: Sequence[str] | None = None) -> list[int]:
    """Return which of some goals a text means.

    Parameters
    ----------
    text : str
        Names of goals, or their numbers where they have no names, separated by commas; or what `parse_goals` reads:
        then each goal that it stands for must be among these, with equal rewards and continuation.
    goals : Goals
        To select from.
    state_names : sequence of str, optional
        By which ``indicator:`` may name states.

    Returns
    -------
    list of int

    Raises
    ------
    SpecificationError
        If the text means a goal that is not among these.

    Examples
    --------
    >>> select_goals("indicator:2", Goals.indicator(3))
    [2]
    """
    forms = f"expected names or numbers of its goals, {_INDICATOR} or {_GENERIC}"
    word = text.partition(":")[0]
    if goals.names is not None and (word not in _GOAL_WORDS or text in goals.names):
        chosen, options = _goal_states(text, text, goals.names)
        if options:
            raise SpecificationError(f"{text!r}: no goal is named {options[0]!r}; {forms}.")
        return _known_numbers(text, chosen, goals)
    if word not in _GOAL_WORDS:
        return _known_numbers(text, [Text(text, "").whole_number("a goal", part) for part in text.split(",")], goals)
    if word == "gaussian":
        raise SpecificationError(f"{text!r} needs coordinates of states, which values do not have; {forms}.")
    wanted = goals_on(text, goals.n_states, state_names)
    same = (wanted.rewards[:, None] == goals.rewards).all(axis=2)
    found = same & (wanted.continuation[:, None] == goals.continuation).all(axis=2)
    missing = np.flatnonzero(~found.any(axis=1))
    if missing.size:
        hint = "one pays the same and ends elsewhere" if same[missing[0]].any() else "none pays the same"
        raise SpecificationError(f"{text!r}: goal {missing[0]} of these is none of the agent's {len(goals)}: {hint}.")
    chosen_goals: list[int] = found.argmax(axis=1).tolist()
    return chosen_goals


def _known_numbers(text: str, numbers: list[int], goals: Goals) -> list[int]:
    outside = [number for number in numbers if number >= len(goals)]
    if outside:
        raise SpecificationError(f"{text!r}: there is no goal {outside[0]}; the agent has {len(goals)}.")
    return numbers


def _gaussian(parts: Text, mdp: MDP) -> Goals:
    parts.check(_GAUSSIAN, items=1, options=("seed", "width"))
    size = parts.whole_number("K", parts.items[0])
    if mdp.coordinates is None:
        raise SpecificationError(f"{parts.whole!r} needs a world with coordinates; use generic:K instead.")
    _check_table(parts.whole, size * mdp.coordinates.shape[1], mdp.n_states)
    low, high = mdp.coordinates.min(axis=0), mdp.coordinates.max(axis=0)
    text = parts.options.get("width")
    try:
        width = _DEFAULT_WIDTH * float(np.linalg.norm(high - low)) if text is None else float(text)
    except ValueError as problem:
        raise SpecificationError(f"{parts.whole!r}: width is {text!r}; expected a positive number.") from problem
    rng = np.random.default_rng(parts.whole_option("seed", 0))
    return Goals.gaussian(mdp.coordinates, rng.uniform(low, high, size=(size, len(low))), width=width)
