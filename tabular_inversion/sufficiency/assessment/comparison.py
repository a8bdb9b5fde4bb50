"""Goal sets side by side: a table for a paper, a page or a program, and maps."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tabular_inversion.errors import GoalsError, InputError
from tabular_inversion.exact import ExactMDP
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.assessment.asking import assess
from tabular_inversion.sufficiency.assessment.assessment import Assessment
from tabular_inversion.sufficiency.scenarios import FloatPolicy, Rows

COLUMNS = ("set", "goals", "rows known", "sigma_min", "predicted error", "proof")
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    letter: "\\" + letter for letter in "&%$#_{}"
}


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Record):
    """Assessments of several goal sets in one world.

    Attributes
    ----------
    assessments : dict of str to Assessment
        By the name of the set, in the order given.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("windy")
    >>> table = compare({"corners": [0, 67], "one": [0]}, world, eps=1e-6)
    >>> print(table)
    set      goals  rows known  sigma_min  predicted error  proof
    corners  2      272 of 272  9.96e-05   0.0758           concrete, exact
    one      1      40 of 272   0          1.41             concrete, exact
    """

    assessments: dict[str, Assessment]

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                name,
                str(found.case.goals.n_goals),
                f"{found.rows_identified} of {found.rows}",
                f"{found.sigma_min:.3g}",
                f"{found.largest_error:.3g}",
                f"{found.verdict.judge}, {found.verdict.evidence}",
            )
            for name, found in self.assessments.items()
        ]

    def __str__(self) -> str:
        lines = [COLUMNS, *self._cells()]
        widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
        padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
        return "\n".join(line.rstrip() for line in padded)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.assessments)} goal sets: {', '.join(self.assessments)}>"

    @property
    def best(self) -> str:
        """The name of the set that leaves the fewest rows open and, of such, predicts the smallest error."""

        def rank(name: str) -> tuple[int, float, float]:
            found = self.assessments[name]
            return (-found.rows_identified, found.largest_error, -found.sigma_min)

        return min(self.assessments, key=rank)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return each set's report as a JSON object, by name."""
        return {name: found.to_dict() for name, found in self.assessments.items()}

    def to_latex(self) -> str:
        """Return the table for a paper, in the rules of booktabs."""
        lines = [" & ".join(map(_escaped, line)) + r" \\" for line in (COLUMNS, *self._cells())]
        body = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
        return "\n".join([r"\begin{tabular}{lrrrrl}", *body, r"\end{tabular}"])

    def to_html(self) -> str:
        """Return the table for a page."""

        def row(tag: str, cells: tuple[str, ...]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "\n".join(row("td", cells) for cells in self._cells())
        return f"<table>\n<thead>{row('th', COLUMNS)}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def _repr_html_(self) -> str:
        return self.to_html()

    def plot(self) -> Any:
        """Draw a map for each set side by side; see `tabular_inversion.plotting.plot_comparison`."""
        # Pictures are a later room, which is loaded when one is asked for.
        return import_module("tabular_inversion.plotting").plot_comparison(self)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


@checked
def compare(
    goal_sets: Mapping[str, Any],
    world: MDP | ExactMDP | Supported,
    kernel_class: KernelClass | None = None,
    *,
    eps: float = 0.0,
    relative: bool = True,
    policy: FloatPolicy = "optimal",
    discount: float | None = None,
    rows: Rows = None,
    seconds: float = 60.0,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Assess several goal sets in one world.

    Parameters
    ----------
    goal_sets : dict
        By name: `Goals`, a set that `minimal` found, or the states of indicator goals.
    world, kernel_class, policy, discount, rows
        As for `assess`.
    eps : float
        The noise of values.
    relative : bool
        Whether that is in units of each goal's largest value, or of Q.
    seconds : float
        For all sets together.
    progress : callable, optional
        ``progress(sets assessed, sets)``.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        Of the kind that fits.

    Examples
    --------
    >>> from tabular_inversion.environments import chain
    >>> compare({"ends": [0, 3], "middle": [1]}, chain(4)).best
    'ends'
    """
    if not isinstance(goal_sets, Mapping) or not goal_sets:
        raise GoalsError('goal_sets: expected a dict from names to goals, such as {"corners": [0, 8]}.')
    if not all(isinstance(name, str) for name in goal_sets):
        raise GoalsError("goal_sets: expected texts as names.")
    if not seconds >= 0:
        raise InputError(f"seconds is {seconds}; expected at least 0.")
    end, found = time.monotonic() + seconds, {}
    for number, (name, goals) in enumerate(goal_sets.items()):
        share = max(end - time.monotonic(), 0.0) / (len(goal_sets) - number)
        found[name] = assess(
            world, goals, kernel_class, policy=policy, discount=discount, noise=eps, relative=relative, rows=rows,
            seconds=share,
        )  # fmt: skip
        if progress is not None:
            progress(number + 1, len(goal_sets))
    return Comparison(found)
