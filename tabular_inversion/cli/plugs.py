"""Commands that other packages bring: found by name among the entry points `tabular_inversion.commands`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from tabular_inversion.errors import MissingDependencyError

GROUP = "tabular_inversion.commands"


def plugged(command: str) -> Any:
    """Return the module that serves a command.

    Raises
    ------
    MissingDependencyError
        If no installed distribution brings it.

    Examples
    --------
    >>> plugged("verify").__name__
    'proofs_checks.commands.verify_report'
    >>> plugged("dance")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    tabular_inversion.errors.MissingDependencyError: no installed package brings the command 'dance'; ...
    """
    found = [point for point in entry_points(group=GROUP) if point.name == command]
    if not found:
        raise MissingDependencyError(
            f"no installed package brings the command {command!r}; install tabular-inversion itself, with "
            "`pip install .`: its folder alone on the path names no commands."
        )
    return found[0].load()
