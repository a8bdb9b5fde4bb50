"""Where output goes: answers to standard output, messages and progress to standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tabular_inversion.errors import SpecificationError

# A pipe or a file has no width of its own: give tables the room that they need.
ANSWERS = Console(width=None if sys.stdout.isatty() else 120)
MESSAGES = Console(stderr=True)

COLOURS = {"IDENTIFIED": "green", "NOT_IDENTIFIED": "yellow", "UNDECIDED": "cyan", "INCONSISTENT": "red"}
"""Of the status of a verdict."""

Policy = Literal["optimal", "uniform"]


def say(*parts: str | tuple[str, str]) -> None:
    """Print a line of the answer, word for word: each part is a text, or a text with its style.

    Names are anybody's: ``[red]`` or ``:x:`` in them is no markup.

    Examples
    --------
    >>> say(("IDENTIFIED", "bold green"), ": node [red] of :x:")
    IDENTIFIED: node [red] of :x:
    """
    ANSWERS.print(Text.assemble(*parts))


def cells(*texts: object) -> Iterable[Text]:
    """Return the cells of a row of a table, word for word as `say` prints them."""
    return [text if isinstance(text, Text) else Text(str(text)) for text in texts]


def print_json(answer: Any) -> None:
    """Print one JSON object on standard output. Numbers that JSON does not know become null."""
    sys.stdout.write(as_json(answer))


def as_json(answer: Any) -> str:
    """Return the text of one JSON object, in letters that every encoding has.

    Examples
    --------
    >>> print(as_json({"a": [1.0, float("nan")]}), end="")
    {
      "a": [
        1.0,
        null
      ]
    }
    """
    return json.dumps(without_nan(answer), indent=2, allow_nan=False) + "\n"


def without_nan(value: Any) -> Any:
    """Replace NaN and infinities, which JSON lacks, by None.

    Examples
    --------
    >>> without_nan({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def check_choice(name: str, value: str, options: Any) -> Any:
    """Return `value` if it is one of a Literal's words, or raise `SpecificationError`."""
    if value not in get_args(options):
        raise SpecificationError(f"{name} is {value!r}; expected {' or '.join(get_args(options))}.")
    return value


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error if that is a terminal; yields ``advance(done, total)``."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=MESSAGES, transient=True, disable=not MESSAGES.is_terminal) as bars:
        task = bars.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield advance
