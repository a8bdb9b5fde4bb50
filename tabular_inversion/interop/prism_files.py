"""PRISM's explicit files: a .tra of transitions, with .lab of labels and .srew or .trew of rewards beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import FileFormatError, InputError
from tabular_inversion.goals import Goals
from tabular_inversion.interop.assembly import ROUNDED, Entries, assemble, refuse_ends, task_of
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
@dataclass(frozen=True, eq=False)
class PrismModel:
    """What a set of explicit files holds.

    Attributes
    ----------
    environment : Environment
        The world, and a native goal where there are rewards.
    labels : mapping from str to numpy.ndarray of bool, shape (S,)
        Which states carry each label.

    Examples
    --------
    >>> from tabular_inversion.environments import parse_environment
    >>> PrismModel(parse_environment("chain:3")).labels
    {}
    """

    environment: Environment
    labels: Mapping[str, BoolArray] = field(default_factory=dict)


@checked
def read_prism(
    path: str | os.PathLike[str],
    *,
    discount: float,
    within: float = ROUNDED,
    labels: str | os.PathLike[str] | None = None,
    state_rewards: str | os.PathLike[str] | None = None,
    transition_rewards: str | os.PathLike[str] | None = None,
) -> PrismModel:
    r"""Read an MDP from PRISM's explicit files.

    Parameters
    ----------
    path : path-like
        The .tra file: a header ``states choices transitions``, then lines ``state choice next probability [action]``.
        Probabilities may be decimals or fractions. A Markov chain (header of two numbers) has one action.
    discount : float
        In [0, 1]; PRISM has none.
    within : float
        Rows that miss one by more than rounding, and by no more than this, are divided by their sums
        (`tabular_inversion.normalised`); raise it for probabilities written with few digits.
    labels, state_rewards, transition_rewards : path-like, optional
        Files of labels (.lab), of rewards for being in a state (.srew), and for transitions (.trew). Files of the same
        name beside `path` are read when these are omitted.

    Returns
    -------
    PrismModel

    Raises
    ------
    FileFormatError
        If a file cannot be read; the message names the format, the line and what was expected.
    KernelError
        If a row is no distribution.

    Notes
    -----
    Rewards of states are paid for every action taken there, as PRISM accumulates them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "coin.tra"
    ...     _ = file.write_text("2 2 3\n0 0 0 1/2\n0 0 1 1/2\n1 0 1 1 stay\n")
    ...     model = read_prism(file, discount=0.9)
    >>> model.environment.mdp.toarray()[0, 0]
    array([0.5, 0.5])
    """
    source = Path(path)
    header, lines = _lines(source, "transitions (.tra)")
    if len(header) not in (2, 3):
        raise FileFormatError(
            f"{source}, line 1: PRISM's .tra begins with 'states choices transitions'; found {len(header)} words."
        )
    chain = len(header) == 2
    sizes = [_whole(source, 1, word, "a number in the header") for word in header]
    rows = [_transition(source, number, words, chain=chain) for number, words in lines]
    if len(rows) != sizes[-1]:
        raise FileFormatError(
            f"{source}: the header promises {sizes[-1]} transitions; found {len(rows)}. It may be cut."
        )
    n_states = sizes[0]
    choices = {(row[0], row[1]) for row in rows}
    if not chain and len(choices) != sizes[1]:
        raise FileFormatError(f"{source}: the header promises {sizes[1]} choices; found {len(choices)}.")
    for (number, _), (leaving, _, entering, _) in zip(lines, rows, strict=True):
        if max(leaving, entering) >= n_states:
            raise FileFormatError(
                f"{source}, line {number}: state {max(leaving, entering)}; the header promises {n_states}, from 0."
            )
    state, action, arrival = (np.array([row[i] for row in rows], dtype=np.intp) for i in range(3))
    probability = np.array([row[3] for row in rows])
    beside = {
        "labels": (labels, ".lab"),
        "state": (state_rewards, ".srew"),
        "transition": (transition_rewards, ".trew"),
    }
    files = {name: _beside(source, given, ending) for name, (given, ending) in beside.items()}
    n_actions = int(action.max(initial=0)) + 1
    reward = _rewards(files, n_states, state, action, arrival)
    entries = Entries(state, action, arrival, probability, reward)
    found = assemble(source.name, entries, discount=discount, within=within, n_states=n_states, n_actions=n_actions)
    return PrismModel(found, {} if files["labels"] is None else _labels(files["labels"], n_states))


def _beside(source: Path, given: str | os.PathLike[str] | None, ending: str) -> Path | None:
    if given is not None:
        return Path(given)
    neighbour = source.with_suffix(ending)
    return neighbour if source.suffix == ".tra" and neighbour.is_file() else None


def _lines(path: Path, what: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the numbered lines of words behind it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise FileFormatError(f"{path} cannot be read as a PRISM file of {what} ({problem}).") from problem
    numbered = [(i, line.split()) for i, line in enumerate(text.splitlines(), start=1)]
    kept = [(i, words) for i, words in numbered if words and not words[0].startswith("#")]
    if not kept:
        raise FileFormatError(f"{path} is empty; expected a PRISM file of {what}.")
    return kept[0][1], kept[1:]


def _whole(path: Path, line: int, word: str, what: str) -> int:
    if not (word.isascii() and word.isdecimal()):
        raise FileFormatError(f"{path}, line {line}: {word!r} is not {what}; PRISM's explicit files number from 0.")
    return int(word)


def _number(path: Path, line: int, word: str) -> float:
    try:
        return float(Fraction(word))
    except (ValueError, ZeroDivisionError) as problem:
        raise FileFormatError(f"{path}, line {line}: {word!r} is no number.") from problem


def _transition(path: Path, line: int, words: list[str], *, chain: bool) -> tuple[int, int, int, float]:
    expected = "state next probability" if chain else "state choice next probability [action]"
    if len(words) not in ((3,) if chain else (4, 5)):
        raise FileFormatError(f"{path}, line {line}: {len(words)} words; expected '{expected}'.")
    numbers = [_whole(path, line, word, "a state or choice") for word in words[: 2 if chain else 3]]
    state, choice, arrival = (numbers[0], 0, numbers[1]) if chain else numbers
    return state, choice, arrival, _number(path, line, words[2 if chain else 3])


def _rewards(
    files: Mapping[str, Path | None], n_states: int, state: IntArray, action: IntArray, arrival: IntArray
) -> FloatArray | None:
    """Return what each transition pays, or None where no file of rewards exists."""
    if files["state"] is None and files["transition"] is None:
        return None
    by_state = np.zeros(n_states)
    if files["state"] is not None:
        for line, words in _lines(files["state"], "state rewards (.srew)")[1]:
            if len(words) != 2 or _whole(files["state"], line, words[0], "a state") >= n_states:
                raise FileFormatError(
                    f"{files['state']}, line {line}: expected 'state reward' with a state below {n_states}."
                )
            by_state[int(words[0])] = _number(files["state"], line, words[1])
    paid: FloatArray = by_state[state]
    if files["transition"] is not None:
        path = files["transition"]
        extra: dict[tuple[int, ...], float] = {}
        for line, words in _lines(path, "transition rewards (.trew)")[1]:
            if len(words) != 4:
                raise FileFormatError(f"{path}, line {line}: {len(words)} words; expected 'state choice next reward'.")
            key = tuple(_whole(path, line, word, "a state or choice") for word in words[:3])
            extra[key] = _number(path, line, words[3])
        keys = list(zip(state.tolist(), action.tolist(), arrival.tolist(), strict=True))
        unknown = next((key for key in extra if key not in set(keys)), None)
        if unknown is not None:
            raise FileFormatError(f"{path}: a reward for {unknown}, which is no transition of the .tra file.")
        paid = paid + np.array([extra.get(key, 0.0) for key in keys])
    return paid


def _labels(path: Path, n_states: int) -> dict[str, BoolArray]:
    header, lines = _lines(path, "labels (.lab)")
    names: dict[int, str] = {}
    for word in header:
        number, _, name = word.partition("=")
        names[_whole(path, 1, number, "a number of a label")] = name.strip('"')
    found = {name: np.zeros(n_states, bool) for name in names.values()}
    for line, words in lines:
        state = _whole(path, line, words[0].rstrip(":"), "a state")
        carried = [_whole(path, line, word, "a number of a label") for word in words[1:]]
        if state >= n_states or any(number not in names for number in carried):
            raise FileFormatError(
                f"{path}, line {line}: expected 'state: labels', states below {n_states}, known labels."
            )
        for label in carried:
            found[names[label]][state] = True
    return found


@checked
def write_prism(
    mdp: MDP,
    path: str | os.PathLike[str],
    goals: Goals | None = None,
    goal: int = 0,
    *,
    labels: Mapping[str, BoolArray] | None = None,
) -> list[Path]:
    """Write PRISM's explicit files: `path` (.tra), and beside it .trew for a goal and .lab for labels.

    Parameters
    ----------
    mdp : MDP
        The world; choices of a state are numbered without gaps, so unavailable actions must come last.
    path : path-like
        Ends in ``.tra``.
    goals : Goals, optional
        Then rewards are written as (s, a) means; its continuation must be 1 everywhere.
    goal : int
        Which of the goals.
    labels : mapping from str to array of bool (S,), optional
        ``init`` is added at state 0 where it is missing.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    InputError
        If the path does not end in .tra, or an unavailable action comes before an available one.
    GoalsError
        If the goal ends episodes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_prism(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9), f"{folder}/a.tra")
    ...     print(Path(f"{folder}/a.tra").read_text())
    2 2 3
    0 0 0 0.5
    0 0 1 0.5
    1 0 1 1.0
    <BLANKLINE>
    """
    target = Path(path)
    if target.suffix != ".tra":
        raise InputError(f"{target} does not end in .tra; PRISM knows the file of transitions by that ending.")
    gaps = np.argwhere(np.diff(mdp.available.astype(int), axis=1) > 0)
    if len(gaps):
        raise InputError(
            f"state {mdp.state_name(int(gaps[0][0]))} lacks an action before one that it has; PRISM numbers choices "
            "without gaps: put unavailable actions last."
        )
    rows = csr_array(mdp.rows, copy=True)
    rows.eliminate_zeros()
    entries = rows.tocoo()
    states, actions = (part.tolist() for part in np.divmod(entries.row, mdp.n_actions))
    columns = entries.col.tolist()
    lines = [f"{s} {a} {t} {p!r}" for s, a, t, p in zip(states, actions, columns, entries.data.tolist(), strict=True)]
    texts = {target: [f"{mdp.n_states} {int(mdp.available.sum())} {len(lines)}", *lines]}
    if goals is not None:
        means, continuation = task_of(mdp, goals, goal)
        refuse_ends(continuation, mdp, "an explicit file of PRISM")
        paid = [(s, a, t, means[s, a].item()) for s, a, t in zip(states, actions, columns, strict=True) if means[s, a]]
        head = f"{mdp.n_states} {int(mdp.available.sum())} {len(paid)}"
        texts[target.with_suffix(".trew")] = [head, *(f"{s} {a} {t} {r!r}" for s, a, t, r in paid)]
    if labels is not None:
        known = {"init": np.arange(mdp.n_states) == 0, **labels}
        head = " ".join(f'{i}="{name}"' for i, name in enumerate(known))
        carried = [(s, [i for i, name in enumerate(known) if known[name][s]]) for s in range(mdp.n_states)]
        texts[target.with_suffix(".lab")] = [head, *(f"{s}: {' '.join(map(str, have))}" for s, have in carried if have)]
    for file, content in texts.items():
        file.write_text("\n".join(content) + "\n", encoding="utf-8")
    return list(texts)
