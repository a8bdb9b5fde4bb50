"""What a re-check of a verdict compares: every field of the claim with those of the same question, decided again."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import numpy as np

from tabular_inversion.errors import WitnessError
from tabular_inversion.identifiability.asked import Hint
from tabular_inversion.identifiability.verdict import UNAVAILABLE, Evidence, Status, Verdict
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.records import same

ROUNDINGS = 64
"""So many times the unit of rounding, for each row and column, may a measured float differ when it is found again."""

_DECIMAL = re.compile(r"-?\d*\.?\d+e[-+]?\d+|-?\d+\.\d+|\bnan\b|\binf\b")
_NOISE = 1e-12
"""Decimals in a reason that are both smaller may be rounding alone: they are of systems scaled to unit size."""


def check_form(verdict: Verdict) -> None:
    """Raise `WitnessError` unless every field is of its type and shape, and the codes are those of rows that exist."""
    kinds: dict[str, Any] = {
        "row_status": np.ndarray, "row_evidence": np.ndarray, "rank": int, "sigma_min": float, "reason": str,
        "witness": Witness | None, "largest_residual": float, "proofs": tuple, "error_probability": float,
        "hint": Hint | None,
    }  # fmt: skip
    for name, kind in kinds.items():
        if not isinstance(getattr(verdict, name), kind):
            raise WitnessError(f"{name}: expected {kind}, got {type(getattr(verdict, name)).__name__}.")
    available = verdict.question.available
    for name, codes in (("row_status", Status), ("row_evidence", Evidence)):
        table = getattr(verdict, name)
        if table.shape != available.shape or table.dtype != np.int8:
            raise WitnessError(f"{name}: expected int8 of shape {available.shape}, got {table.dtype} {table.shape}.")
        if not np.isin(table[available], list(codes)).all() or (table[~available] != UNAVAILABLE).any():
            raise WitnessError(f"{name}: expected a code for each available row, and {UNAVAILABLE} elsewhere.")


def compare(verdict: Verdict, again: Verdict, *, scale: float = 0.0) -> None:
    """Raise unless a verdict says what the same question, decided again, says; proofs and witness are not looked at.

    Parameters
    ----------
    verdict : Verdict
        The claim, which has passed `check_form`.
    again : Verdict
        The second decision.
    scale : float
        The size of values and test functions, of which `largest_residual` is a difference.

    Raises
    ------
    WitnessError
        Naming the field.
    """
    for name in ("row_status", "row_evidence"):
        wrong = getattr(verdict, name) != getattr(again, name)
        if wrong.any():
            state, action = np.argwhere(wrong)[0].tolist()
            raise WitnessError(
                f"{name}: that of state {state}, action {action} is not found again when the question is decided anew."
            )
    size = ROUNDINGS * np.finfo(float).eps * (verdict.n_states + verdict.n_goals)
    for name, width in (("sigma_min", size), ("largest_residual", size * scale), ("error_probability", 0.0)):
        claimed, found = getattr(verdict, name), getattr(again, name)
        if not (same(claimed, found) or abs(claimed - found) <= width):
            raise WitnessError(f"{name}: it is {found}; {claimed} was stated.")
    if not _same_text(verdict.reason, again.reason):
        raise WitnessError(f"reason: what decides is {again.reason!r}.")
    for field in fields(Verdict):
        if field.name in {"rank", "hint"} and getattr(verdict, field.name) != getattr(again, field.name):
            raise WitnessError(
                f"{field.name}: it is {getattr(again, field.name)}; {getattr(verdict, field.name)} was stated."
            )
    check_place(verdict, again)


def check_place(verdict: Verdict, again: Verdict) -> None:
    """Raise unless there is a witness where there should be one, for the row that it should be for."""
    shown, expected = verdict.witness, again.witness
    if (shown is None) != (expected is None):
        raise WitnessError("witness: a row is not identified, and there is no witness; or none is, and there is one.")
    if shown is not None and expected is not None and (shown.state, shown.action) != (expected.state, expected.action):
        raise WitnessError(
            f"witness: expected one for state {expected.state}, action {expected.action}; it is for state "
            f"{shown.state}, action {shown.action}."
        )


def _same_text(claimed: str, found: str) -> bool:
    """Tell whether two reasons say the same in the same words; decimals may differ by one in the last digit shown."""
    if _DECIMAL.sub("#", claimed) != _DECIMAL.sub("#", found):
        return False
    pairs = zip(_DECIMAL.findall(claimed), _DECIMAL.findall(found), strict=True)
    return all(x == y or abs(float(x) - float(y)) <= max(min(_last_digit(x), _last_digit(y)), _NOISE) for x, y in pairs)


def _last_digit(number: str) -> float:
    """Return what one in the last digit shown is worth: 0.01 for "1.25", 1e-5 for "2e-05"."""
    mantissa, _, exponent = number.partition("e")
    return 1.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def check_no_contradiction(verdict: Verdict, again: Verdict, order: Any) -> None:
    """Raise if a row that both decide differs; state ``order[i]`` of the verdict is state i of the other one."""
    claimed, found = verdict.row_status[order], again.row_status
    wrong = (claimed != found) & (claimed != Status.UNDECIDED) & (found != Status.UNDECIDED)
    if wrong.any():
        state, action = np.argwhere(wrong)[0].tolist()
        raise WitnessError(
            f"row_status: with the states in another order, that of state {int(order[state])}, action {action} is "
            f"{Status(int(found[state, action])).name}; use exact values."
        )
