"""Where output goes: answers to standard output, messages and progress to standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# A pipe or a file has no width of its own: give tables the room that they need.
ANSWERS = Console(width=None if sys.stdout.isatty() else 120)
MESSAGES = Console(stderr=True)


def print_json(answer: Any) -> None:
    """Print one JSON object on standard output. Numbers that JSON does not know become null."""
    sys.stdout.write(json.dumps(without_nan(answer), indent=2, allow_nan=False) + "\n")


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


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error if that is a terminal; yields ``advance(done, total)``."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=MESSAGES, transient=True, disable=not MESSAGES.is_terminal) as bars:
        task = bars.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield advance
