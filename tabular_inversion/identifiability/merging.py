"""The question that verdicts on different rows of the same values answer together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tabular_inversion.errors import InputError
from tabular_inversion.identifiability.asked import ValuesQuestion, VerdictQuestion
from tabular_inversion.records import same


def left_open(count: int) -> str:
    """Say how many rows were not looked at; nothing where none was left."""
    return f"; {count} rows were not looked at: more time would decide" if count else ""


def merged_question(questions: Sequence[VerdictQuestion]) -> ValuesQuestion:
    """Return the question about all rows that these are about; raises `InputError`, see `Verdict.merge`."""
    own = [each for each in questions if type(each) is ValuesQuestion]
    if not own or len(own) != len(questions):
        raise InputError("merge takes verdicts of identify, at least one; give those of one agent's rows.")
    for each in own[1:]:
        if not same(replace(each, pieces=()), replace(own[0], pieces=())):
            raise InputError("two verdicts are about different values, classes, scopes or noise; merge parts of one.")
    if len(own) == 1:
        return own[0]
    pieces = tuple(piece for each in own for piece in (each.pieces or (np.flatnonzero(each.available),)))
    rows, counts = np.unique(np.concatenate(pieces), return_counts=True)
    if (counts > 1).any():
        state, action = divmod(int(rows[counts > 1][0]), own[0].available.shape[1])
        raise InputError(
            f"two verdicts decided {row_text(own[0].agent, state, action)}; merge verdicts on different rows."
        )
    return replace(own[0], pieces=pieces)


def names_of(agent: Any) -> tuple[Sequence[str] | None, Sequence[str] | None]:
    """Return what the states and the actions of an agent are called; None where they have no names."""
    return getattr(agent, "state_names", None), getattr(agent, "action_names", None)


def row_text(agent: Any, state: int, action: int) -> str:
    """Say which row is meant: by names where its agent has any."""
    states, actions = names_of(agent)
    return f"state {states[state] if states else state}, action {actions[action] if actions else action}"
