"""Pictures of goal sets: where the goals are, which states are doors, and where the dynamics stay unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.plotting.canvas import FLOOR, draw_polygons, matplotlib_module, places_of, prepared_axes, squares
from tabular_inversion.sufficiency import Assessment, Comparison, MinimalGoals
from tabular_inversion.validation import check_indices

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"unknown": "#e6862f", "doors": "#9ecae1", "goals": "#31a354"}
_DISC = 0.3 * np.stack([np.cos(np.linspace(0, 2 * np.pi, 24)), np.sin(np.linspace(0, 2 * np.pi, 24))], axis=1)
_EDGE = "#8a97a8"
_DOOR = "#3b7fc4"
_ARROW = "#5a2d0c"
_COLUMNS = 2  # maps side by side: more would be too small on a phone
_NODE = 0.7  # of a cell: nodes at unit distance, in any direction, do not touch


@checked
def plot_goals(
    mdp: MDP,
    goals: Sequence[int] | MinimalGoals = (),
    *,
    unknown: Sequence[int] = (),
    doors: Sequence[int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw where goals are, the doors between them, and the states whose dynamics they leave unknown.

    Parameters
    ----------
    mdp : MDP
        The world. States without coordinates are laid out as a graph, with a line for each transition.
    goals : sequence of int, or MinimalGoals
        States with a goal, or a set that `minimal` found: a green disc.
    unknown : sequence of int
        States with a row that is not identified: an orange cell.
    doors : sequence of int, optional
        Blue cells, for example the states of a cut. When omitted: the narrowest states (fewest neighbours) among
        those without which their neighbours are not connected within two steps.
    ax : matplotlib.axes.Axes, optional
        Where to draw; on a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Holds the collections with gid ``"cells"``, ``"doors"``, ``"unknown"`` and ``"goals"``, and, where states have
        no coordinates, ``"edges"``; those that are empty are left out of the legend.

    Raises
    ------
    InputError
        If a state does not exist, or coordinates are of more than two dimensions or shared by two states.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("windy")
    >>> axes = plot_goals(world, [0, 4], unknown=[67])
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['dynamics unknown (1)', 'doors (4)', 'goals (2)']
    """
    graph, laid_out = _neighbours(mdp), mdp.coordinates is None
    places = places_of(_layout(graph) if laid_out else mdp.coordinates)
    cells = places[:, None, :] + (_NODE if laid_out else 1.0) * squares(np.zeros((1, 2)))
    marked = {
        "doors": _doors(graph) if doors is None else _states("doors", doors, mdp),
        "unknown": _states("unknown", unknown, mdp),
        "goals": _states("goals", _paying(goals), mdp),
    }
    axes = prepared_axes(ax, places)
    if laid_out:
        ends = np.array(list(graph.edges), dtype=np.intp).reshape(-1, 2)
        lines = matplotlib_module("collections").LineCollection(places[ends], gid="edges", color=_EDGE, zorder=0.5)
        axes.add_collection(lines, autolim=False)
    draw_polygons(axes, "cells", cells, facecolor=FLOOR)
    for gid in ("doors", "unknown"):
        draw_polygons(axes, gid, cells[marked[gid]], facecolor=_COLOURS[gid])
    draw_polygons(axes, "goals", places[marked["goals"], None, :] + _DISC, facecolor=_COLOURS["goals"])
    _legend(axes, {gid: len(states) for gid, states in marked.items()})
    return axes


def _legend(axes: Axes, counts: dict[str, int]) -> None:
    words = {"unknown": "dynamics unknown", "doors": "doors", "goals": "goals"}
    patch = matplotlib_module("patches").Patch
    handles = [
        patch(color=_COLOURS[gid], label=f"{word} ({counts[gid]})") for gid, word in words.items() if counts[gid]
    ]
    if handles:
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(handles), frameon=False)


def _paying(goals: Sequence[int] | MinimalGoals) -> Sequence[int]:
    """Return the states where goals pay."""
    if not isinstance(goals, MinimalGoals):
        return goals
    return np.flatnonzero((goals.candidates.rewards[list(goals.goals)] != 0).any(axis=0)).tolist()


def _states(name: str, states: Sequence[int], mdp: MDP) -> IntArray:
    if len(states) == 0:
        return np.empty(0, np.intp)
    found: IntArray = check_indices(name, states, mdp.n_states, InputError)
    return np.unique(found)


def _neighbours(mdp: MDP) -> nx.Graph[Any]:
    """Return which states follow each other in one direction or the other, without loops."""
    import networkx as nx

    graph: nx.Graph[Any] = nx.Graph(mdp.to_networkx())
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


def _layout(graph: nx.Graph[Any]) -> FloatArray:
    import networkx as nx

    positions = nx.kamada_kawai_layout(graph)
    # Rounded, so that states on one line share it whatever the optimiser's last digits.
    return np.round(np.array([positions[state] for state in graph]), 6)


def _doors(graph: nx.Graph[Any]) -> IntArray:
    """Return the narrowest states among those without which their neighbours, within two steps, are not connected."""
    import networkx as nx

    found = set()
    for state in graph:
        around = nx.ego_graph(graph, state, radius=2, center=False)
        reached = nx.node_connected_component(around, next(iter(graph[state]))) if graph[state] else set()
        if not set(graph[state]) <= reached:
            found.add(state)
    degree = dict(graph.degree)
    # The cells in front of a door part the door from the room behind them: the door is narrower.
    narrow = (state for state in found if all(degree[state] <= degree[other] for other in found & set(graph[state])))
    return np.array(sorted(narrow), dtype=np.intp)


@checked
def plot_comparison(comparison: Comparison) -> Figure:
    """Draw a map for each goal set side by side: how many rows of each cell stay open, and which.

    Parameters
    ----------
    comparison : Comparison
        From `tabular_inversion.sufficiency.compare`.

    Returns
    -------
    matplotlib.figure.Figure
        An axes for each set, two in a line: cells are the darker the more of their rows are open, an arrow points to
        the mean place of the successors of each open row (gid ``"open"``), goals are green discs, and doors have blue
        frames.

    Raises
    ------
    InputError
        If coordinates are of more than two dimensions or shared by two states.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> from tabular_inversion.sufficiency import compare
    >>> figure = plot_comparison(compare({"one": [0], "corners": [0, 67]}, four_rooms("windy")))
    >>> [axes.get_title() for axes in figure.axes]
    ['one: 40 of 272 rows known', 'corners: 272 of 272 rows known']
    """
    sets = comparison.assessments
    matplotlib_module("pyplot")
    columns = min(len(sets), _COLUMNS)
    lines = -(-len(sets) // columns)
    size = (3.6 * columns, 3.8 * lines + 0.4)
    figure: Figure = matplotlib_module("figure").Figure(figsize=size, layout="constrained")
    places = figure.subplots(lines, columns, squeeze=False).ravel()
    for spare in places[len(sets) :]:
        spare.remove()
    for axes, (name, found) in zip(places, sets.items(), strict=False):  # the last line may have a place to spare
        _draw_assessment(axes, found)
        axes.set_title(f"{name}: {found.rows_identified} of {found.rows} rows known", fontsize=9)
    patch = matplotlib_module("patches").Patch
    figure.legend(
        handles=[
            patch(color=_COLOURS["goals"], label="goal"),
            patch(facecolor="none", edgecolor=_DOOR, linewidth=2, label="door"),
            patch(color=_COLOURS["unknown"], label="share of rows open, arrow: an open row"),
        ],
        loc="outside lower center", ncols=3 if columns > 1 else 1, frameon=False, fontsize=9,
    )  # fmt: skip
    return figure


def _draw_assessment(axes: Axes, found: Assessment) -> None:
    world = found.case.world
    graph, laid_out = _neighbours(world), world.coordinates is None
    places = places_of(_layout(graph) if laid_out else world.coordinates)
    cells = places[:, None, :] + (_NODE if laid_out else 1.0) * squares(np.zeros((1, 2)))
    prepared_axes(axes, places)
    draw_polygons(axes, "cells", cells, facecolor=FLOOR)
    opened = found.row_status > 0
    share = opened.sum(axis=1) / np.maximum((found.row_status >= 0).sum(axis=1), 1)
    for level in np.unique(share[share > 0]):
        draw_polygons(
            axes, "unknown", cells[share == level], facecolor=_COLOURS["unknown"], alpha=0.25 + 0.75 * float(level)
        )
    draw_polygons(axes, "doors", cells[_doors(graph)], facecolor="none", edgecolor=_DOOR, linewidth=2)
    states, actions = np.nonzero(opened)
    towards = np.asarray(world.sparse().rows[states * world.n_actions + actions] @ places) - places[states]
    length = np.linalg.norm(towards, axis=1, keepdims=True)
    towards = 0.4 * towards / np.where(length > 0, length, 1.0)
    if len(states):
        axes.quiver(
            *places[states].T, *towards.T, angles="xy", scale_units="xy", scale=1, width=0.007, gid="open", zorder=3,
            color=_ARROW, headwidth=3.2, headlength=3.2, headaxislength=3.0,
        )  # fmt: skip
    paid = np.flatnonzero((found.case.goals.rewards != 0).any(axis=0))
    draw_polygons(axes, "goals", places[paid, None, :] + _DISC, facecolor=_COLOURS["goals"])
