"""What ``discounts`` does between reading the texts and printing the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

from tabular_inversion.cli.cases import check_size, exact_uniform, read_goals, read_world
from tabular_inversion.cli.console import ANSWERS, COLOURS, Policy, cells, check_choice, progress, say
from tabular_inversion.discounts import (
    CertifiedDiscounts,
    ExceptionalDiscounts,
    LongDeterminantError,
    certified_discounts,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.errors import DiscountError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber
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
    discount: Fraction | AlgebraicNumber | None
    witness: bool


def answer(question: DiscountQuestion) -> tuple[dict[str, Any], Callable[[], Any], Any]:
    """Answer ``tabular-inversion discounts``, say how to draw it, and what proves it; all is re-checked before."""
    chosen: Policy = check_choice("policy", question.policy, Policy)
    world = read_world(question.environment).mdp
    named = read_goals(question.goals, world)
    check_size(len(named), world)
    goals = ExactGoals.from_float(named)
    mdp = ExactMDP(exact_kernel(world), Fraction(0), world.available)
    start = time.perf_counter()
    with progress("looking at every discount") as advance:
        policy = exact_uniform(mdp.available) if chosen == "uniform" else None
        result = _all_discounts(mdp, goals, policy, advance)
    seconds = time.perf_counter() - start
    result.verify()
    found = {"environment": question.environment, "policy": chosen} | result.to_dict()
    found["classes"] = [_about(result, kernel_class) for kernel_class in CLASSES]
    metric = result.negative_type if isinstance(result, ExceptionalDiscounts) else None
    found["negative_type"] = None if metric is None else metric.to_dict()
    found["asked"] = None if question.discount is None else _asked(result, question.discount)
    found["witness"], found["no_witness_because"] = _witness(result) if question.witness else (None, None)
    return found | {"seconds": seconds}, partial(_draw, result), result


def _all_discounts(
    mdp: ExactMDP, goals: ExactGoals, policy: FractionArray | None, advance: Callable[[int, int], None]
) -> ExceptionalDiscounts | CertifiedDiscounts:
    """Return exact numbers where the determinants are short enough, else intervals proved by ball arithmetic."""
    try:
        return exceptional_discounts(mdp, goals, policy=policy, progress=advance)
    except LongDeterminantError:
        return certified_discounts(mdp, goals, policy=policy, progress=advance)


def _about(result: ExceptionalDiscounts | CertifiedDiscounts, kernel_class: KernelClass) -> dict[str, Any]:
    exceptional = result.for_class(kernel_class)
    return {
        "class": kernel_class.name,
        "suffices_elsewhere": result.suffices_elsewhere(kernel_class),
        "exceptional": len(exceptional),
    }


def _asked(result: ExceptionalDiscounts | CertifiedDiscounts, discount: Fraction | AlgebraicNumber) -> dict[str, Any]:
    if isinstance(discount, Fraction):
        rank, rank_with_ones = result.ranks_at(discount)
    elif isinstance(result, ExceptionalDiscounts):
        rank, rank_with_ones = result.ranks_at_irrational(discount)
    else:
        raise DiscountError(
            f"discount is {discount}, and the determinants of this world are too long to be computed exactly; ask "
            "about a fraction, or a smaller world."
        )
    return {"discount": str(discount), "rank": rank, "rank_with_ones": rank_with_ones}


def _witness(result: ExceptionalDiscounts | CertifiedDiscounts) -> tuple[dict[str, Any] | None, str | None]:
    """Return two kernels with the same values at the first discount that has such a pair, or why there are none."""
    if isinstance(result, CertifiedDiscounts):
        return None, "no discount is known exactly, and two kernels with the same values are built in fractions"
    found = result.for_class(Stochastic())
    if not found:
        return None, "there is no exceptional discount for stochastic kernels"
    pair = indistinguishable_kernels(result, found[0])
    pair.verify()
    rows = {
        name: {str(s): str(row[s]) for s in np.flatnonzero(row)}
        for name, row in (("first", pair.first), ("second", pair.second))
    }
    where: dict[str, Any] = {"discount": str(pair.discount), "state": pair.state, "action": pair.action}
    return where | {"added": pair.added} | rows, None


def _draw(result: ExceptionalDiscounts | CertifiedDiscounts) -> Any:
    from tabular_inversion.plotting import plot_discounts

    return plot_discounts(result).figure


def show(found: dict[str, Any]) -> None:
    """Print the exceptional discounts for people."""
    for entry in found["classes"]:
        status = Status.IDENTIFIED if entry["suffices_elsewhere"] else Status.NOT_IDENTIFIED
        words = "suffice" if entry["suffices_elsewhere"] else "do not suffice"
        where = "at every other discount" if entry["suffices_elsewhere"] else "in general"
        say(
            (entry["class"], f"bold {COLOURS[status.name]}"),
            f": {found['n_goals']} goals, policy {found['policy']}, {words} for all kernels on {found['n_states']} "
            f"states {where}; exceptional discounts: {entry['exceptional']}",
        )
    if found["evidence"] == "certified":
        say("certified by ball arithmetic: the determinants are too long to be computed exactly")
        _show_undecided(found["undecided"])
    _show_table(found)
    _show_type(found["negative_type"])
    if found["asked"] is not None:
        asked = found["asked"]
        say(f"at {asked['discount']}: rank M = {asked['rank']}, rank [M;1] = {asked['rank_with_ones']}")
    if found["witness"] is not None:
        _show_witness(found["witness"])
    elif found["no_witness_because"] is not None:
        say(f"no witness: {found['no_witness_because']}")


def _show_undecided(intervals: list[list[str]]) -> None:
    for lower, upper in intervals:
        ends = (float(Fraction(lower)), float(Fraction(upper)))
        say(f"nothing is proved from {ends[0]:.10g} to {ends[1]:.10g}")


def _show_table(answer: dict[str, Any]) -> None:
    if not answer["discounts"]:
        say(f"no exceptional discount {'elsewhere ' if answer['undecided'] else ''}in (0, 1)")
        return
    table = Table(title="exceptional discounts in (0, 1)")
    for column in ("discount", "exactly", "multiplicity", "rank M", "rank [M;1]"):
        table.add_column(column, justify="left" if column == "exactly" else "right", overflow="fold")
    for found in answer["discounts"]:
        ranks = (str(found[key] or "?") for key in ("multiplicity", "rank", "rank_with_ones"))
        table.add_row(*cells(f"{found['decimal']:.10f}", _known(found), *ranks))
    ANSWERS.print(table)


def _show_type(metric: dict[str, Any] | None) -> None:
    """Say what the inertia of the distances proves (X3)."""
    if metric is None:
        return
    if metric["positive"]:
        least = f"nullities add up to at least {metric['positive']}, the number of positive directions of the distances"
        say(f"the distances are not of negative type: {least}")
    else:
        say("the distances are of negative type, which proves that there is none")


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
        table.add_row(*cells(state, entry, witness["second"][state]))
    ANSWERS.print(table)
