"""What a diagnosis says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.records import Record


@dataclass(frozen=True, eq=False)
class Explanation(Record):
    """One story of why values fit no kernel, with the call that would take it into account.

    Attributes
    ----------
    name : str
        Which of the stories.
    text : str
        The story, with its numbers.
    change : str
        The call to make in place of yours; empty where the story was not tried.
    residual : float
        ``max |M p - q|`` over goals and rows, of the nearest rows, in the units of Q; NaN where it was not tried.
    fits : bool
        Whether the class explains every row, if the story is true.
    agent : AgentValues or None
        The values as the story reads them, to be judged again; None where it was not tried.
    kernel_class : KernelClass or None
        Where it looks for rows.

    Examples
    --------
    >>> Explanation("discount", "the discount is 0.9", "AgentValues(q, goals, discount=0.9)", 0.0, True).fits
    True
    """

    name: str
    text: str
    change: str
    residual: float
    fits: bool
    agent: AgentValues | None = None
    kernel_class: KernelClass | None = None

    @property
    def tried(self) -> bool:
        """Whether the story could be about these values at all."""
        return not np.isnan(self.residual)

    def to_dict(self) -> dict[str, Any]:
        """Return the story as a JSON object; the residual is null where it was not tried."""
        residual = self.residual if self.tried else None
        return {
            "name": self.name,
            "text": self.text,
            "change": self.change,
            "residual": residual,
            "fits": self.fits,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis(Record):
    """Why values are inconsistent, or whether other stories would be consistent with them as well.

    Attributes
    ----------
    agent : AgentValues
        The values.
    kernel_class : KernelClass
        Where rows were sought.
    residual : float
        ``max |M p - q|`` of the values as they were given, in the units of Q.
    consistent : bool
        Whether the class explains them so.
    explanations : tuple of Explanation
        All stories: those that fit, the most common first; then by their residual; those that were not tried last.
    silent : bool
        Whether no row has more equations than free probabilities: then wrong stories may fit as well as the right one.
    free : int
        The least number of probabilities that are free in a row before any value is seen.

    Examples
    --------
    >>> from tabular_inversion import AgentValues, Goals, Stochastic, solve
    >>> from tabular_inversion.diagnosis import diagnose
    >>> from tabular_inversion.environments import four_rooms
    >>> agent = solve(four_rooms("windy"), Goals.indicator(68))
    >>> found = diagnose(AgentValues(agent.q, agent.goals, discount=0.9), Stochastic())
    >>> found.best.name, found.best.change
    ('another discount', 'AgentValues(q, goals, discount=0.99)')
    """

    agent: AgentValues
    kernel_class: KernelClass
    residual: float
    consistent: bool
    explanations: tuple[Explanation, ...]
    silent: bool
    free: int

    def __repr__(self) -> str:
        return f"<Diagnosis: {self.line}>"

    def __str__(self) -> str:
        return self.text

    @property
    def fitting(self) -> tuple[Explanation, ...]:
        """The stories that fit."""
        return tuple(each for each in self.explanations if each.fits)

    @property
    def best(self) -> Explanation | None:
        """The most common story that fits values which do not fit as they are; None if there is none."""
        return self.fitting[0] if self.fitting and not self.consistent else None

    @property
    def line(self) -> str:
        """The diagnosis in one line."""
        others = len(self.fitting) - (self.best is not None)
        more = f"; {others} other explanation{'s' * (others > 1)} would fit too" if others else ""
        if self.consistent:
            return f"the values fit as they are, within {self.residual:.2g}{more}"
        if self.best is None:
            tried = [each for each in self.explanations if each.tried]
            nearest = min(tried, key=lambda each: each.residual)
            return (
                f"none of {len(self.explanations)} explanations fits; smallest residual {nearest.residual:.3g} "
                f"({nearest.name}; {self.residual:.3g} as given)"
            )
        return f"{self.best.text} (residual {self.best.residual:.2g}, {self.residual:.2g} as given){more}"

    @property
    def doubt(self) -> str:
        """What the values are too few to tell; empty where they are enough."""
        if not self.silent:
            return ""
        count = self.agent.n_goals
        many = f"{count} goals give {count} equations" if count > 1 else "1 goal gives 1 equation"
        return (
            f"{many} for {self.free} or more free probabilities in each row: a wrong explanation may fit silently, so "
            "nothing can be ruled out because another explanation fits. More goals, or a known support, would tell."
        )

    @property
    def text(self) -> str:
        """The diagnosis in full: a line for each explanation, the change of the call below those that fit."""
        lines = [self.line, *([self.doubt] if self.silent else [])]
        for each in self.explanations:
            if not each.tried:
                lines.append(f"  {'-':>8}  {each.name}: {each.text}")
                continue
            lines.append(f"  {each.residual:8.2g}  {each.name}: {each.text}{' - fits' * each.fits}")
            if each.fits:
                lines.append(f"            change: {each.change}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as the JSON object that ``tabular-inversion diagnose --json`` prints."""
        return {
            "consistent": self.consistent,
            "residual": self.residual,
            "class": self.kernel_class.name,
            "n_states": self.agent.n_states,
            "n_goals": self.agent.n_goals,
            "line": self.line,
            "silent": self.silent,
            "doubt": self.doubt or None,
            "best": None if self.best is None else self.best.to_dict(),
            "explanations": [each.to_dict() for each in self.explanations],
        }
