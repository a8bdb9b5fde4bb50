"""Marking of answers: an instance is to switch off one hypothesis, and the statement is to fail on it.

The predicates are those with which `tabular-inversion verify` judges the stored counterexamples.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proofs_checks import statements
from proofs_checks.instance import Instance
from proofs_checks.statement import Statement
from tabular_inversion.errors import InputError, TabularInversionError

LARGEST_FILE = 2**20
"""Bytes of an answer; the laboratory's are about a thousand times smaller."""

LARGEST_SIZE = 12
"""States, actions, goals: some conclusions try all sets of states."""

KEYS = (
    "kernel",
    "discount",
    "available",
    "rewards",
    "continuation",
    "action_rewards",
    "policy",
    "kernel_class",
    "extra",
)


class AnswerError(InputError):
    """What was handed in is no answer: it cannot be read, or is about something else."""


@dataclass(frozen=True)
class Mark:
    """What is said of an answer.

    Attributes
    ----------
    statement : str
        The id of the statement.
    drops : str
        The hypothesis that the answer was to switch off; empty if any would do.
    off : tuple of str
        The hypotheses that the instance lacks.
    fails : bool
        Whether the statement's conclusion fails on it.
    conclusion : str
        The numbers that decided.
    accepted : bool
        Whether just the one hypothesis is off and the conclusion fails.
    reason : str
        Why, in a sentence.
    size : tuple of int
        States, available state-action rows, goals, and letters of all numbers: smaller is more beautiful.
    """

    statement: str
    drops: str
    off: tuple[str, ...]
    fails: bool
    conclusion: str
    accepted: bool
    reason: str
    size: tuple[int, int, int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON takes them."""
        return asdict(self)


def mark(answer: Instance | Mapping[str, Any], statement_id: str | None = None, *, drops: str | None = None) -> Mark:
    """Mark an instance as a counterexample to a statement without one of its hypotheses.

    Parameters
    ----------
    answer : Instance, or mapping
        The instance, or what the laboratory hands in: ``statement``, ``drops``, ``name`` and ``instance``, the last as
        `Instance.to_dict` returns it.
    statement_id : str, optional
        Such as ``"X1"``; an answer that names another statement is refused. An `Instance` names none.
    drops : str, optional
        The name of the hypothesis to switch off; when omitted, the one that the answer names, or any.

    Returns
    -------
    Mark

    Raises
    ------
    AnswerError
        If the answer cannot be read, names no statement or no hypothesis of it, lacks numbers that the statement speaks
        of, or has more than 12 states, actions or goals.

    Examples
    --------
    >>> from proofs_checks.stored import stored
    >>> found = mark(stored("X1", "K_{3,3}")(), "X1")
    >>> found.accepted, found.off
    (True, ('the discount is no root of det gamma^d(i,j)',))
    >>> mark(stored("X1", "K_{3,3}")(), "X1", drops="the agent is optimal for each goal").reason
    'the lamp "the agent is optimal for each goal" is still on'
    """
    if isinstance(answer, Instance):
        instance, named, asked = answer, statement_id, drops
    else:
        given = read_answer(answer)
        instance, named, asked = given.instance, given.statement, drops or given.drops
        if statement_id is not None and named != statement_id:
            raise AnswerError(f"statement is {named!r}; expected an answer to {statement_id}.")
    statement = find(named)
    names = [hypothesis.name for hypothesis in statement.hypotheses]
    if asked and asked not in names:
        raise AnswerError(f"drops is {asked!r}; the hypotheses of {statement.id} are: {'; '.join(names)}.")
    return _judged(statement, instance, asked or "")


@dataclass(frozen=True)
class Answer:
    """What is handed in: the instance, to which statement, which hypothesis it drops, and whose it is."""

    statement: str
    drops: str
    name: str
    instance: Instance


def read_answer(given: object) -> Answer:
    """Read what the laboratory hands in, or raise `AnswerError` with what is wrong."""
    if not isinstance(given, Mapping):
        raise AnswerError("the answer is no JSON object; expected statement, drops, name and instance.")
    texts = {key: given.get(key, "") for key in ("statement", "drops", "name")}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    if wrong:
        raise AnswerError(f"{wrong[0]} is {given[wrong[0]]!r}; expected a text.")
    instance = given.get("instance")
    missing = [key for key in KEYS if not isinstance(instance, Mapping) or key not in instance]
    if not isinstance(instance, Mapping) or missing:
        raise AnswerError(f"instance has no {missing[0]!r}; hand in what the laboratory saved.")
    try:
        _check_size(instance)
        read = Instance.from_dict(instance)
        _ = read.row_class
    except AnswerError:
        raise
    except (
        TabularInversionError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        ArithmeticError,
    ) as problem:
        raise AnswerError(f"instance: {' '.join(str(problem).split()) or type(problem).__name__}") from problem
    return Answer(texts["statement"], texts["drops"], texts["name"], read)


def _check_size(instance: Mapping[str, Any]) -> None:
    largest = max(len(instance["kernel"]), len(instance["kernel"][0]), len(instance["rewards"]))
    if largest > LARGEST_SIZE:
        raise AnswerError(f"instance has {largest} states, actions or goals; expected at most {LARGEST_SIZE}.")


def find(statement_id: str | None) -> Statement:
    """Return a statement by its id, or raise `AnswerError`."""
    known = {statement.id: statement for statement in statements()}
    if statement_id not in known:
        raise AnswerError(f"statement is {statement_id!r}; expected one of {', '.join(known)}.")
    return known[statement_id]


def _judged(statement: Statement, instance: Instance, drops: str) -> Mark:
    try:
        off = tuple(h.name for h in statement.hypotheses if not h.holds(instance))
        outcome = statement.conclude(instance)
    except KeyError as problem:
        raise AnswerError(f"instance: extra has no {problem}, of which {statement.id} speaks.") from problem
    except (TabularInversionError, ValueError, TypeError, IndexError, AttributeError, ArithmeticError) as problem:
        said = " ".join(str(problem).split()) or type(problem).__name__
        raise AnswerError(f"instance: {statement.id} cannot speak of it: {said}") from problem
    others = [name for name in off if name != drops]
    if drops and drops not in off:
        reason = f'the lamp "{drops}" is still on'
    elif not off:
        reason = "all lamps are on"
    elif (drops and others) or len(off) > 1:
        reason = f'the lamp "{others[0] if drops else off[1]}" is off as well'
    elif outcome.holds:
        reason = "the statement still holds"
    else:
        reason = f'only "{off[0]}" is off, and the statement fails'
    accepted = not outcome.holds and statement.lacks_only(instance, drops or "".join(off[:1]))
    return Mark(statement.id, drops, off, not outcome.holds, outcome.text, accepted, reason, _size(instance))


def _size(instance: Instance) -> tuple[int, int, int, int]:
    world, goals = instance.world, instance.goals
    numbers = [
        world.discount,
        *world.rows[world.row_index].ravel(),
        *goals.rewards.ravel(),
        *goals.continuation.ravel(),
    ]
    letters = sum(len(str(number)) for number in numbers)
    return world.n_states, len(world.row_index), goals.n_goals, letters


@dataclass(frozen=True)
class Handed:
    """A file that was handed in, with its mark or the one line that says why it has none."""

    file: str
    name: str
    mark: Mark | None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON takes them."""
        return {
            "file": self.file,
            "name": self.name,
            "mark": self.mark and self.mark.to_dict(),
            "problem": self.problem,
        }


def mark_files(places: Iterable[Path], statement_id: str | None = None) -> list[Handed]:
    """Mark files, and all ``.json`` files of folders; one that is malformed does not stop the others.

    Parameters
    ----------
    places : iterable of pathlib.Path
        Files and folders.
    statement_id : str, optional
        Answers to other statements are refused.

    Returns
    -------
    list of Handed
        In the order given, those of a folder by name.

    Raises
    ------
    AnswerError
        If no statement has that id, or a folder holds no answers.
    """
    if statement_id is not None:
        find(statement_id)
    files: list[Path] = []
    for place in places:
        inside = sorted(place.glob("*.json")) if place.is_dir() else [place]
        if not inside:
            raise AnswerError(f"{place}: no .json files are in this folder.")
        files += inside
    return [_mark_file(file, statement_id) for file in files]


def _read(file: Path) -> Any:
    size = file.stat().st_size
    if size > LARGEST_FILE:
        raise AnswerError(f"the file has {size} bytes; expected at most {LARGEST_FILE}.")
    return json.loads(file.read_text(encoding="utf-8"))


def _mark_file(file: Path, statement_id: str | None) -> Handed:
    name = ""
    try:
        given = _read(file)
        name = str(given.get("name", ""))[:80] if isinstance(given, Mapping) else ""
        return Handed(str(file), name, mark(given, statement_id))
    except AnswerError as problem:
        said = str(problem)
    except OSError as problem:
        said = f"the file cannot be read ({problem.strerror or problem})."
    except (ValueError, RecursionError) as problem:
        said = f"the file is no JSON ({' '.join(str(problem).split())})."
    return Handed(str(file), name, None, said)


def leaderboard(handed: Iterable[Handed]) -> list[Handed]:
    """Return accepted answers, for each statement and hypothesis the smallest first: states, rows, goals, letters.

    Of one person the smallest answer to each hypothesis stays.
    """
    best: dict[tuple[str, str, str], Handed] = {}
    for one in handed:
        if one.mark is None or not one.mark.accepted:
            continue
        key = (one.mark.statement, one.mark.off[0], one.name or one.file)
        seen = best.get(key)
        if seen is None or seen.mark is None or one.mark.size < seen.mark.size:
            best[key] = one
    return [best[key] for key in sorted(best, key=lambda key: (key[0], key[1], _size_of(best[key]), key[2]))]


def _size_of(one: Handed) -> tuple[int, ...]:
    return () if one.mark is None else one.mark.size
