"""What ``discounts`` does between reading the texts and printing the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from tabular_inversion.cli.console import ANSWERS, progress
from tabular_inversion.cli.pictures import save_picture
from tabular_inversion.cli.questions import COLOURS
from tabular_inversion.discounts import (
    CertifiedDiscounts,
    ExceptionalDiscounts,
    LongDeterminantError,
    certified_discounts,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.environments import parse_environment, parse_goals
from tabular_inversion.errors import SpecificationError
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability import Status
from tabular_inversion.interop import exact_kernel
from tabular_inversion.kernel_classes import KernelClass, Stochastic, Unconstrained

CLASSES: tuple[KernelClass, ...] = (Unconstrained(), Stochastic())


@dataclass(frozen=True)
class DiscountQuestion:
    """The texts of a call."""

    environment: str
    goals: str
    policy: str
    discount: Fraction | None
    witness: bool
    plot: Path | None


def find(question: DiscountQuestion) -> dict[str, Any]:
    """Answer ``tabular-inversion discounts``; everything is re-checked before it is shown."""
    if question.policy not in {"optimal", "uniform"}:
        raise SpecificationError(f"policy is {question.policy!r}; expected optimal or uniform.")
    world = parse_environment(question.environment).mdp
    goals = ExactGoals.from_float(parse_goals(question.goals, world))
    mdp = ExactMDP(exact_kernel(world), 0, world.available)  # type: ignore[arg-type]
    start = time.perf_counter()
    with progress("looking at every discount") as advance:
        policy = _uniform(mdp) if question.policy == "uniform" else None
        result = _all_discounts(mdp, goals, policy, advance)
    seconds = time.perf_counter() - start
    result.verify()
    answer = {"environment": question.environment, "policy": question.policy} | result.to_dict()
    answer["classes"] = [_about(result, kernel_class) for kernel_class in CLASSES]
    answer["asked"] = None if question.discount is None else _asked(result, question.discount)
    answer["witness"] = _witness(result) if question.witness else None
    if question.plot is not None:
        _draw(result, question.plot)
    return answer | {"seconds": seconds}


def _all_discounts(
    mdp: ExactMDP, goals: ExactGoals, policy: FractionArray | None, advance: Callable[[int, int], None]
) -> ExceptionalDiscounts | CertifiedDiscounts:
    """Return exact numbers where the determinants are short enough, else intervals proved by ball arithmetic."""
    try:
        return exceptional_discounts(mdp, goals, policy=policy, progress=advance)
    except LongDeterminantError:
        return certified_discounts(mdp, goals, policy=policy, progress=advance)


def _uniform(mdp: ExactMDP) -> FractionArray:
    weights = fraction_array(mdp.available.astype(int))
    return weights / weights.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def _about(result: ExceptionalDiscounts | CertifiedDiscounts, kernel_class: KernelClass) -> dict[str, Any]:
    exceptional = result.for_class(kernel_class)
    return {
        "class": kernel_class.name,
        "suffices_elsewhere": result.suffices_elsewhere(kernel_class),
        "exceptional": len(exceptional),
    }


def _asked(result: ExceptionalDiscounts | CertifiedDiscounts, discount: Fraction) -> dict[str, Any]:
    rank, rank_with_ones = result.ranks_at(discount)
    return {"discount": str(discount), "rank": rank, "rank_with_ones": rank_with_ones}


def _witness(result: ExceptionalDiscounts | CertifiedDiscounts) -> dict[str, Any] | None:
    """Return two kernels with the same values at the first discount that has such a pair and is known exactly."""
    if isinstance(result, CertifiedDiscounts):
        return None
    found = result.for_class(Stochastic())
    if not found:
        return None
    pair = indistinguishable_kernels(result, found[0])
    pair.verify()
    rows = {
        name: {str(s): str(row[s]) for s in np.flatnonzero(row)}
        for name, row in (("first", pair.first), ("second", pair.second))
    }
    return {"discount": str(pair.discount), "state": pair.state, "action": pair.action, "added": pair.added} | rows


def _draw(result: ExceptionalDiscounts | CertifiedDiscounts, path: Path) -> None:
    from tabular_inversion.plotting import plot_discounts

    figure: Any = plot_discounts(result).figure
    save_picture(figure, path)


def show(answer: dict[str, Any]) -> None:
    """Print the exceptional discounts for people."""
    for entry in answer["classes"]:
        status = Status.IDENTIFIED if entry["suffices_elsewhere"] else Status.NOT_IDENTIFIED
        words = "suffice" if entry["suffices_elsewhere"] else "do not suffice"
        where = "at every other discount" if entry["suffices_elsewhere"] else "in general"
        ANSWERS.print(
            f"[bold {COLOURS[status.name]}]{entry['class']}[/]: {answer['n_goals']} goals {words} for all kernels on "
            f"{answer['n_states']} states {where}; exceptional discounts: {entry['exceptional']}",
            highlight=False,
        )
    if answer["evidence"] == "certified":
        ANSWERS.print("certified by ball arithmetic: the determinants are too long to be computed exactly")
        _show_undecided(answer["undecided"])
    _show_table(answer)
    if answer["asked"] is not None:
        asked = answer["asked"]
        ANSWERS.print(
            f"at {asked['discount']}: rank M = {asked['rank']}, rank [M;1] = {asked['rank_with_ones']}", highlight=False
        )
    if answer["witness"] is not None:
        _show_witness(answer["witness"])


def _show_undecided(intervals: list[list[str]]) -> None:
    for lower, upper in intervals:
        ends = (float(Fraction(lower)), float(Fraction(upper)))
        ANSWERS.print(f"nothing is proved from {ends[0]:.10g} to {ends[1]:.10g}", highlight=False)


def _show_table(answer: dict[str, Any]) -> None:
    if not answer["discounts"]:
        where = "elsewhere in (0, 1)" if answer["undecided"] else "in (0, 1)"
        ANSWERS.print(f"no exceptional discount {where}", highlight=False)
        return
    table = Table(title="exceptional discounts in (0, 1)")
    for column in ("discount", "exactly", "multiplicity", "rank M", "rank [M;1]"):
        table.add_column(column, justify="left" if column == "exactly" else "right", overflow="fold")
    for found in answer["discounts"]:
        ranks = (str(found[key] or "?") for key in ("multiplicity", "rank", "rank_with_ones"))
        table.add_row(f"{found['decimal']:.10f}", _known(found), *ranks)
    ANSWERS.print(table)


def _known(found: dict[str, Any]) -> str:
    """Say how a discount is known: as a fraction, by its minimal polynomial, or by an interval."""
    if found["minimal_polynomial"] is None:
        lower, upper = map(Fraction, found["interval"])
        return f"the only one within {float(upper - lower) / 2:.1g}"
    return found["discount"] or f"root of {found['minimal_polynomial']}"


def _show_witness(witness: dict[str, Any]) -> None:
    kind = "a further, noisy action" if witness["added"] else f"action {witness['action']}"
    table = Table(title=f"two rows with the same values: state {witness['state']}, {kind}")
    for column in ("next state", "first", "second"):
        table.add_column(column, justify="right")
    for state, entry in witness["first"].items():
        table.add_row(state, entry, witness["second"][state])
    ANSWERS.print(table)
