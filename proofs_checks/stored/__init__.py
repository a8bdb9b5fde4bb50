"""Counterexamples found by search or by hand, as JSON with fractions as texts: one file for each statement."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib import resources
from typing import Any

from proofs_checks.instance import Instance


def entries(statement_id: str) -> list[dict[str, Any]]:
    """Return what is stored for a statement: ``name``, ``found`` (how), and ``instance``.

    Examples
    --------
    >>> entries("no such statement")
    []
    """
    file = resources.files(__package__) / f"{statement_id}.json"
    return list(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else []


def stored(statement_id: str, name: str) -> Callable[[], Instance]:
    """Return what loads an entry; those that a search found have the name of the hypothesis that they lack.

    Examples
    --------
    >>> stored("T3b", "K_{3,3}")().world
    ExactMDP(n_states=6, n_actions=3, discount=1/2)
    """
    return partial(_load, statement_id, name)


def _load(statement_id: str, name: str) -> Instance:
    found = [entry for entry in entries(statement_id) if entry["name"] == name]
    if len(found) != 1:
        raise LookupError(f"{statement_id}.json has {len(found)} entries named {name!r}; expected one.")
    return Instance.from_dict(found[0]["instance"])
