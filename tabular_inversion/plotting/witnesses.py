"""Two worlds, one agent: where the two rows of a witness lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability import Verdict
from tabular_inversion.identifiability.explanation import pair_of
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.plotting.canvas import draw_polygons, matplotlib_module, places_of, prepared_axes, squares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HERE, _BARS = "#d62728", ("#08306b", "#e6842a")
_MOST_BARS = 24


@checked
def plot_witness(verdict: Verdict, world: MDP | None = None) -> Figure:
    """Draw two worlds that no goal tells apart: where one action of one state leads in each.

    On a grid, the darker a cell, the likelier it comes next; the state itself is framed in red. Without coordinates,
    bars stand side by side for each next state.

    Parameters
    ----------
    verdict : Verdict
        One with a witness.
    world : MDP, optional
        The true one where it is known: it gives names, places, and the first row where that is true.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes hold a collection with gid ``"cells"`` for each row, or bars.

    Raises
    ------
    InputError
        If the verdict has no witness.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, identify, solve
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("windy")
    >>> verdict = identify(solve(world, Goals.indicator(68, [0])), Stochastic())
    >>> [axes.get_title() for axes in plot_witness(verdict, world).axes[:2]]
    ['in the true world', 'in another world']
    """
    if verdict.witness is None:
        raise InputError(f"the verdict is {verdict.status.name} and has no witness: there are no two worlds to draw.")
    told = pair_of(verdict, world)
    rows = (np.asarray(told.first, float), np.asarray(told.second, float))
    titles = (told.label, "in another world")
    coordinates = world.coordinates if world is not None else getattr(verdict.agent, "coordinates", None)
    figure: Figure = matplotlib_module("figure").Figure(figsize=(9.0, 5.0), layout="constrained")
    figure.suptitle(f"action {told.action} in state {told.state}: {verdict.n_goals} goals see no difference")
    if coordinates is None or coordinates.shape[1] > 2:
        _draw_bars(figure.add_subplot(), rows, titles, told.name)
    else:
        _draw_grids(figure, places_of(coordinates), rows, titles, verdict.witness.state)
    return figure


def _draw_grids(figure: Figure, places: FloatArray, rows: Any, titles: Any, state: int) -> None:
    for number, (row, title) in enumerate(zip(rows, titles, strict=True)):
        axes = prepared_axes(figure.add_subplot(1, 2, number + 1), places)
        cells = draw_polygons(axes, "cells", squares(places), array=row, cmap="Blues", clim=(0.0, 1.0))
        own = squares(places[[state]])
        draw_polygons(axes, "state", own, facecolor="none").set(edgecolor=_HERE, linewidth=2.0)
        axes.set_title(title)
    figure.colorbar(cells, ax=figure.axes, label="probability of coming next", location="bottom", shrink=0.5)


def _draw_bars(axes: Axes, rows: Any, titles: Any, name: Callable[[int], str]) -> None:
    size = np.maximum(*np.abs(rows))
    shown = np.sort(np.argsort(-size, kind="stable")[: min(_MOST_BARS, np.count_nonzero(size))])
    place = np.arange(len(shown))
    for number, (row, title) in enumerate(zip(rows, titles, strict=True)):
        axes.bar(place + 0.4 * number - 0.2, row[shown], width=0.4, label=title, color=_BARS[number])
    axes.set_xticks(place, [name(int(i)) for i in shown], rotation=45 if len(shown) > 8 else 0)
    axes.set_ylabel("probability of coming next")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
