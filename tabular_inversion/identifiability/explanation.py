"""A verdict in words: because of what, two worlds as a story, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.class_tables import ENOUGH_GOALS
from tabular_inversion.identifiability.far_rows import farthest_row, goal_tests, have_same_values
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.records import Record

if TYPE_CHECKING:
    from tabular_inversion.mdp import MDP

_SHOWN = 6
_LONGEST = 12


@dataclass(frozen=True, eq=False)
class Explanation(Record):
    """A verdict in words.

    Attributes
    ----------
    headline : str
        Status, evidence and class.
    because : tuple of str
        Equations counted against unknowns, and what decided.
    story : tuple of str
        Two worlds that no goal tells apart; empty where there is no witness.
    next : tuple of str
        What would tell more.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, identify, solve
    >>> from tabular_inversion.environments import chain
    >>> explained = identify(solve(chain(4), Goals.generic(4, 1, seed=0)), Stochastic()).explain()
    >>> explained.because[0]
    '1 goal gives 1 equation, 2 with the sum, for 4 unknown probabilities'
    """

    headline: str
    because: tuple[str, ...]
    story: tuple[str, ...]
    next: tuple[str, ...]

    def _parts(self) -> list[tuple[str, tuple[str, ...]]]:
        parts = [("because", self.because), ("two worlds, one agent", self.story), ("what next", self.next)]
        return [(title, lines) for title, lines in parts if lines]

    @property
    def text(self) -> str:
        """All of it, a line for each sentence."""
        lines = [self.headline]
        for title, sentences in self._parts():
            lines += [f"{title}:", *(f"  {sentence}" for sentence in sentences)]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{escape(self.headline)}</strong></p>"]
        for title, sentences in self._parts():
            items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
            parts.append(f"<p>{title}</p><ul>{items}</ul>")
        return "".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as a JSON object."""
        return {
            "headline": self.headline,
            "because": list(self.because),
            "story": list(self.story),
            "next": list(self.next),
        }


def explanation_of(verdict: Any, world: MDP | None = None) -> Explanation:
    """Put a verdict into words; see `Verdict.explain`."""
    status = verdict.status.name
    headline = (
        f"{status} ({verdict.evidence.name.lower()} evidence, {verdict.scope} scope): {verdict.rows_identified} of "
        f"{verdict.rows} rows of the kernel are identified in class {verdict.kernel_class.name}"
    )
    story = () if verdict.witness is None else _story(verdict, world)
    return Explanation(headline, (_count(verdict), verdict.reason), story, _next(verdict))


def _count(verdict: Any) -> str:
    """Count equations against unknowns."""
    k = verdict.n_goals
    gives = f"{k} goals give {k} equations" if k > 1 else "1 goal gives 1 equation"
    if verdict.kernel_class.sums_to_one:
        gives += f", {k + 1} with the sum"
    return f"{gives}, for {_unknowns(verdict.kernel_class, verdict)}"


def _unknowns(kernel_class: KernelClass, verdict: Any) -> str:
    """Say what is unknown of a row, from what the class knows of all rows."""
    n, most = verdict.n_states, kernel_class.most(verdict.n_states)
    supports = kernel_class.known_supports(np.flatnonzero(verdict.question.available))
    if supports is not None:
        sizes = np.diff(supports.indptr)
        low, high = int(sizes.min()), int(sizes.max())
        return f"{high} unknown probabilities" if low == high else f"{low} to {high} unknown probabilities"
    if not kernel_class.sums_to_one:
        return f"{n} unknown numbers in each row of the kernel"
    if most == 1 < n:
        return f"one of {n} successors"
    return f"{most} unknown probabilities" + (f", at unknown places among {n}" if most < n else "")


def _naming(verdict: Any, world: MDP | None) -> Callable[[int], str]:
    names = world.state_names if world is not None else getattr(verdict.agent, "state_names", None)
    return (lambda s: str(s)) if names is None else (lambda s: str(names[s]))


def _action(verdict: Any, world: MDP | None) -> str:
    names = world.action_names if world is not None else getattr(verdict.agent, "action_names", None)
    action = verdict.witness.action
    return str(action) if names is None else str(names[action])


@dataclass(frozen=True, eq=False)
class Pair:
    """Two rows with the same values, the first the true one where it is known, and what things are called.

    Attributes
    ----------
    first, second : numpy.ndarray, shape (S,)
        The rows; far from each other, and with few entries where a linear program found such.
    label : str
        What the first is.
    state, action : str
        Where.
    name : callable
        What a state is called.
    tests : numpy.ndarray, shape (G, S), or None
        The goals; NaN where one has no equation.
    """

    first: NDArray[Any]
    second: NDArray[Any]
    label: str
    state: str
    action: str
    name: Callable[[int], str]
    tests: NDArray[Any] | None


def pair_of(verdict: Any, world: MDP | None) -> Pair:
    """Return the two rows of a witness as they are told."""
    witness, name = verdict.witness, _naming(verdict, world)
    tests = goal_tests(verdict.agent, witness)
    first, second, label = witness.first, witness.second, "in one world"
    if world is not None and verdict.scope == "instance":
        own = world.expectation(np.eye(world.n_states))[:, witness.state, witness.action]
        if own.shape == first.shape and have_same_values(tests, own, first):
            first, label = own, "in the true world"
    if tests is not None:
        second = farthest_row(tests, verdict.kernel_class, witness, first)
    if tests is not None and label == "in one world":
        first = farthest_row(tests, verdict.kernel_class, witness, second)
    return Pair(first, second, label, name(witness.state), _action(verdict, world), name, tests)


def _story(verdict: Any, world: MDP | None) -> tuple[str, ...]:
    """Tell the two rows of the witness, and what each goal thinks of them."""
    told = pair_of(verdict, world)
    lines = [f"take action {told.action} in state {told.state}"]
    lines += [
        f"{told.label} it leads to {_led(told.first, told.name)}",
        f"in another it leads to {_led(told.second, told.name)}",
    ]
    if told.tests is not None:
        lines.append(_common_values(verdict, told.tests @ told.second))
    moved = np.abs(told.first - told.second).sum() / 2
    lines.append(f"{_number(moved)} of the probability lies elsewhere, and no goal notices")
    return tuple(lines)


def _common_values(verdict: Any, values: NDArray[Any]) -> str:
    name = getattr(verdict.agent, "goal_name", str)  # exact goals have no names
    known = np.flatnonzero([value == value for value in values])
    told = [f"{name(int(g))}: {_number(values[g])}" for g in known[:_SHOWN]]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"the expected value of arriving is the same in both, for goal {', '.join(told)}{more}"


def _led(row: NDArray[Any], name: Callable[[int], str]) -> str:
    """Say where a row leads, the likeliest first."""
    places = np.flatnonzero(row != 0)
    order = places[np.argsort([-float(row[i]) for i in places], kind="stable")]
    told = [f"{name(int(i))} with {_number(row[i])}" for i in order[:_SHOWN]]
    more = f" and {len(order) - _SHOWN} more" if len(order) > _SHOWN else ""
    return ", ".join(told) + more


def _number(value: Any) -> str:
    """Write a float with four digits, a fraction as it is where it is short.

    Examples
    --------
    >>> from fractions import Fraction
    >>> _number(Fraction(1, 24)), _number(Fraction(10**20 + 1, 3 * 10**20)), _number(1 / 3)
    ('1/24', '0.333333...', '0.3333')
    """
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value) if len(str(value)) <= _LONGEST else f"{float(value):.6g}..."


def _next(verdict: Any) -> tuple[str, ...]:
    """Say what would tell more."""
    status, kernel_class = verdict.status.name, verdict.kernel_class
    if status == "IDENTIFIED":
        return (
            "invert(agent, kernel_class) gives the kernel, error_bound(agent, kernel_class, eps) what noise can do",
        )
    if status == "INCONSISTENT":
        return (
            "diagnose(agent, kernel_class) tries what would explain the values, and says which call to make instead",
        )
    advice = []
    if verdict.hint is not None:
        advice.append(verdict.hint.value)
    if status == "NOT_IDENTIFIED":
        advice += _more_goals(verdict)
        few = ENOUGH_GOALS.of(kernel_class)(kernel_class, verdict.n_states) == 1
        if (
            kernel_class.sums_to_one
            and not few
            and kernel_class.known_supports(np.flatnonzero(verdict.question.available)) is None
        ):
            advice.append("say which transitions are possible, if you know: Supported(mask) needs fewer goals")
        if verdict.agent is not None and verdict.scope == "instance":
            advice.append(
                "live with it: value_equivalence(agent, kernel_class).bounds() bounds every probability, and robust() "
                "plans with a guarantee in all worlds that remain"
            )
    return tuple(advice)


def _more_goals(verdict: Any) -> list[str]:
    """Say how many more goals are needed, at least, and how to find which."""
    kernel_class, n, k = verdict.kernel_class, verdict.n_states, verdict.n_goals
    needed = ENOUGH_GOALS.of(kernel_class)(kernel_class, n)
    which = "sufficiency.minimal(world, candidates, kernel_class) finds the smallest set"
    if k < needed:
        many = f"{needed - k} more goals" if needed - k > 1 else "1 more goal"
        return [f"give at least {many}: {needed} are needed to tell every member of the class apart; {which}"]
    return [
        f"give other goals: {k} would be enough in number, but these say the same things twice; {which}",
        "look at the discount: discounts.exceptional_discounts(world, goals) says whether only this one is to blame",
    ]
