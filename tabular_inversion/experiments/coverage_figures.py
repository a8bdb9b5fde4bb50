"""Pictures of the coverage study: coverage against its nominal level, and errors of estimators against steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"q-learning": "C0", "sarsa": "C1", "fitted-q": "C2"}


def draw(
    means: dict[tuple[str, str], FloatArray],
    measures: tuple[str, ...],
    levels: tuple[float, ...],
    estimators: tuple[str, ...],
) -> Iterator[tuple[str, Figure, str]]:
    """Yield the name, the figure and the caption of each picture.

    Parameters
    ----------
    means : dict of (world, rule) to numpy.ndarray, shape (points, measures)
        What was measured.
    measures, levels, estimators : tuple
        Names of the columns, nominal levels, and names of estimators.

    Examples
    --------
    >>> columns = ("steps", "coverage 0.9", "bound T3d", "error, simplex")
    >>> table = np.array([[10.0, 0.8, 1.0, 0.1], [100.0, 0.9, 0.3, 0.03]])
    >>> [name for name, _, _ in draw({("chain", "sarsa"): table}, columns, (0.9,), ("simplex",))]
    ['coverage', 'estimators']
    """
    column = {name: place for place, name in enumerate(measures)}
    yield (
        "coverage",
        _coverage(means, column, levels),
        (
            "How often intervals from ensembles hold the true probability, for entries between 0 and 1 on known "
            "supports, at each nominal level (grey: within 2 points of it; dotted 50%, dashed 90%, solid 95%)."
        ),
    )
    yield (
        "estimators",
        _estimators(means, column, estimators),
        (
            "Root mean squared error of an entry of the kernel against training, for each estimator; dashed, the bound "
            "T3d on a whole row (2-norm) at the error that the values have. The ensemble sees ten agents, others one."
        ),
    )


def _coverage(means: dict[tuple[str, str], FloatArray], column: dict[str, int], levels: tuple[float, ...]) -> Figure:
    names = list(dict.fromkeys(world for world, _ in means))
    rules = list(dict.fromkeys(rule for _, rule in means))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(names), 3.4), layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names), sharey=True)), names, strict=True):
        for rule in rules:
            table = means[name, rule]
            for level, style in zip(levels, (":", "--", "-")[-len(levels) :], strict=True):
                label = rule if level == levels[-1] else None
                series = table[:, column[f"coverage {level:g}"]]
                axes.plot(table[:, column["steps"]], series, style, marker=".", color=_COLOURS[rule], label=label)
        for level in levels:
            axes.axhspan(level - 0.02, level + 0.02, color="0.85", zorder=0)
        axes.set(xscale="log", xlabel="transitions", title=name, ylim=(0.0, 1.02))
        _ticks(axes, table[:, column["steps"]])
        axes.set_yticks([0.0, *levels], [f"{100 * each:g}%" for each in (0.0, *levels)])
    figure.axes[0].set_ylabel("entries inside their interval")
    figure.axes[0].legend()
    return figure


def _estimators(
    means: dict[tuple[str, str], FloatArray], column: dict[str, int], estimators: tuple[str, ...]
) -> Figure:
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(world for world, _ in means))
    rules = list(dict.fromkeys(rule for _, rule in means))
    figure = Figure(figsize=(3.4 * len(names), 3.0 * len(rules)), layout="constrained")
    panels = np.reshape(figure.subplots(len(rules), len(names), sharex="col"), (len(rules), len(names)))
    for axes, (name, rule) in zip(panels.flat, ((name, rule) for rule in rules for name in names), strict=True):
        table = means[name, rule]
        steps = table[:, column["steps"]]
        for number, estimator in enumerate(estimators):
            axes.loglog(steps, table[:, column[f"error, {estimator}"]], ".-", color=f"C{number}", label=estimator)
        axes.loglog(steps, table[:, column["bound T3d"]], "k--", label="bound T3d (row)")
        axes.set_title(f"{name}, {rule}", fontsize="medium")
        _ticks(axes, steps)
    for axes in panels[-1]:
        axes.set_xlabel("transitions")
    for axes in panels[:, 0]:
        axes.set_ylabel("error of the kernel")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(estimators) + 1)
    return figure


def _ticks(axes: Any, steps: FloatArray) -> None:
    """Mark the numbers of steps that were measured, and no others: those of a logarithm overlap on a short axis."""
    axes.set_xticks(steps, [f"{each:,.0f}" for each in steps])
    axes.set_xticks([], minor=True)
