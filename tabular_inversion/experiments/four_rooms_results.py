"""The results of all agents together: means and spreads over seeds, beside the published numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.experiments import four_rooms_published as published
from tabular_inversion.experiments.four_rooms_cases import Case, Configuration, states_of
from tabular_inversion.experiments.run_folder import Arrays, Comparison

MILLION = 1_000_000
ROUNDING = 1e-20
"""A mean squared error that rounding alone can make; a published 0 means no more."""


@dataclass(frozen=True)
class Configured:
    """What was found for one variant and number of goals.

    Attributes
    ----------
    cases : tuple of Case
        One for each seed.
    agents : tuple of dict
        What `run_agent` returned for each.
    classes : dict
        What `run_classes` returned for the first.
    steps : tuple of int
        After how many steps the agents were measured.
    """

    cases: tuple[Case, ...]
    agents: tuple[Arrays, ...]
    classes: Arrays
    steps: tuple[int, ...]

    @property
    def first(self) -> Case:
        """The case with the first seed."""
        return self.cases[0]

    @property
    def title(self) -> str:
        """Variant and number of goals in words."""
        return f"{self.first.variant}, {self.first.n_goals} goal{'s' if self.first.n_goals > 1 else ''}"

    @property
    def published(self) -> Mapping[int, float]:
        """The published errors by steps; none for a number of goals that the paper does not have."""
        return published.MSE[self.first.variant].get(self.first.n_goals, {})

    def over_seeds(self, name: str) -> FloatArray:
        """Return an array of every agent, stacked along a first axis of seeds."""
        return np.stack([agent[name] for agent in self.agents])

    def identified(self, knowledge: str) -> bool:
        """Tell whether exact values determine every row."""
        return int(self.classes[f"rows {knowledge}"]) == int(self.first.world.available.sum())

    def shortfall(self, knowledge: str) -> FloatArray:
        """Return how much less than optimal the plans are worth, (seeds, tasks, S)."""
        return self.over_seeds("optimal") - self.over_seeds(f"value {knowledge}")


def compare(results: Mapping[Configuration, Configured]) -> list[Comparison]:
    """Return all errors at the end beside the published ones, then those before, then losses on the unseen tasks."""
    everything = [(found, name) for found in results.values() for name in found.first.knowledge]
    errors = [list(_errors(found, name)) for found, name in everything]
    before = [comparison for series in errors for comparison in series[:-1]]
    return [series[-1] for series in errors] + before + [_loss(found, name) for found, name in everything]


def _errors(found: Configured, knowledge: str) -> Iterator[Comparison]:
    """Yield the errors at every published number of steps that was measured, and at the last."""
    last = found.steps[-1]
    for steps in sorted({last, *found.published} & set(found.steps)):
        ours = found.over_seeds(f"mse {knowledge}")[:, found.steps.index(steps)]
        theirs, after = published_at(found, steps)
        other = "" if after in (steps, None) else f" (published: {after / MILLION:g}M)"
        what = f"{found.title} ({knowledge}): MSE after {steps / MILLION:g}M steps{other}"
        note = what_is_left(found, knowledge) if steps == last else ""
        yield Comparison(what, float(ours.mean()), float(ours.std()), theirs, note)


def published_at(found: Configured, steps: int) -> tuple[float | None, int | None]:
    """Return the published error after so many steps and these steps, or, where there is none, the last one."""
    if not found.published:
        return None, None
    after = steps if steps in found.published else max(found.published)
    return found.published[after], after


def what_is_left(found: Configured, knowledge: str) -> str:
    """Say what exact values leave open."""
    if found.identified(knowledge):
        return "Identified by exact values."
    rows, all_rows = int(found.classes[f"rows {knowledge}"]), int(found.first.world.available.sum())
    exact = float(np.mean(found.over_seeds(f"exact mse {knowledge}")))
    least, most = (float(found.classes[f"{word} mse {knowledge}"]) for word in ("attained", "largest"))
    return (
        f"Not identified: exact values determine {rows} of {all_rows} rows; this estimator has {exact:.2g} from them, "
        f"and kernels with the same values have errors up to at least {least:.2g} and at most {most:.2g}."
    )


def _loss(found: Configured, knowledge: str) -> Comparison:
    worst = found.shortfall(knowledge).max(axis=(1, 2))
    return Comparison(
        f"{found.title} ({knowledge}): largest loss of return on the unseen tasks over all starts",
        float(worst.mean()),
        float(worst.std()),
        note=_returns(found, knowledge),
    )


def _returns(found: Configured, knowledge: str) -> str:
    """Say what the plans are worth from the first drawn start, and what is certain to be possible."""
    start = states_of(found.first.world, published.STARTS[:1])[0]
    texts = []
    for g, task in enumerate(found.first.unseen):
        ours, best = (found.over_seeds(name)[:, g, start].mean() for name in (f"value {knowledge}", "optimal"))
        low, high = (found.classes[f"{end} {knowledge}"][g, start] for end in ("lower", "upper"))
        bounds = "" if found.identified(knowledge) else f", which exact values bound to [{low:.3f}, {high:.3f}]"
        texts.append(f"goal {task.goal}: {ours:.3f} of {best:.3f}{bounds}")
    return f"From {published.STARTS[0]} to {'; to '.join(texts)}."


def headline(results: Mapping[Configuration, Configured]) -> dict[str, str]:
    """Say how many errors are at or below the published ones, where exact values identify the kernel and elsewhere."""
    counts = {True: [0, 0], False: [0, 0]}
    for found in results.values():
        last = found.steps[-1]
        theirs, _ = published_at(found, last)
        for knowledge in found.first.knowledge if theirs is not None else ():
            reached = found.over_seeds(f"mse {knowledge}")[:, -1].mean() <= max(theirs or 0.0, ROUNDING)
            count = counts[found.identified(knowledge)]
            count[0] += bool(reached)
            count[1] += 1
    return {
        f"at or below the published error at the end, {where}": "{} of {}".format(*counts[identified])
        for identified, where in ((True, "where exact values identify the kernel"), (False, "elsewhere"))
    }


def error_columns(results: Mapping[Configuration, Configured]) -> dict[str, list[Any]]:
    """Return every measured error as the columns of a table, the published ones beside them."""
    rows = [
        (variant, n_goals, knowledge, case.seed, steps, error, found.published.get(steps, np.nan))
        for (variant, n_goals), found in results.items()
        for knowledge in found.first.knowledge
        for case, agent in zip(found.cases, found.agents, strict=True)
        for steps, error in zip(found.steps, agent[f"mse {knowledge}"].tolist(), strict=True)
    ]
    return _columns(("variant", "goals", "knowledge", "seed", "steps", "mse", "published"), rows)


def unseen_columns(results: Mapping[Configuration, Configured]) -> dict[str, list[Any]]:
    """Return the returns on the unseen tasks, from the drawn starts, as the columns of a table."""
    rows = []
    for (variant, n_goals), found in results.items():
        starts = states_of(found.first.world, published.STARTS)
        for knowledge in found.first.knowledge:
            for case, agent in zip(found.cases, found.agents, strict=True):
                for g, task in enumerate(found.first.unseen):
                    for cell, start in zip(published.STARTS, starts, strict=True):
                        place = f"({cell[0]},{cell[1]})"
                        values = (agent[f"value {knowledge}"][g, start], agent["optimal"][g, start])
                        rows.append(
                            (variant, n_goals, knowledge, case.seed, str(task.goal), place, *map(float, values))
                        )
    return _columns(("variant", "goals", "knowledge", "seed", "task", "start", "return", "optimal"), rows)


def class_columns(results: Mapping[Configuration, Configured]) -> dict[str, list[Any]]:
    """Return what exact values leave open as the columns of a table."""
    rows = [
        (
            variant,
            n_goals,
            knowledge,
            *(float(found.classes[f"{what} {knowledge}"]) for what in ("rows", "attained mse", "largest mse")),
            float(np.mean(found.over_seeds(f"exact mse {knowledge}"))),
        )
        for (variant, n_goals), found in results.items()
        for knowledge in found.first.knowledge
    ]
    names = ("variant", "goals", "knowledge", "rows identified", "attained mse", "largest mse", "mse from exact values")
    return _columns(names, rows)


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
