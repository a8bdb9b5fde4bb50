"""The figures of FourRooms: errors against steps, returns of unseen tasks, and trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import IntArray
from tabular_inversion.experiments import four_rooms_published as published
from tabular_inversion.experiments.four_rooms_cases import Case, Configuration, states_of
from tabular_inversion.experiments.four_rooms_results import Configured
from tabular_inversion.learning import Simulator
from tabular_inversion.plotting.canvas import FLOOR, draw_polygons, matplotlib_module, places_of, prepared_axes, squares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = Mapping[Configuration, Configured]
LEAST = 1e-9
"""Errors below this are drawn at it: an error of 0 has no place on a logarithmic axis."""

COLOURS = ("#1b6ca8", "#d95f02", "#2a9d5c", "#8e44ad")
_COLOUR_OF = {
    "deterministic": COLOURS[0],
    "successors known": COLOURS[0],
    "neighbours only": COLOURS[1],
    "stochastic": COLOURS[2],
}
_ROWS = (("deterministic", "successors known"), ("neighbours only",), ("stochastic",))
_HEADINGS = {
    "deterministic": "known: each move has one successor",
    "successors known": "known: the successors of each move",
    "neighbours only": "known: moves lead to neighbouring cells",
    "stochastic": "known: rows are distributions",
}
_WAYS: tuple[dict[str, Any], ...] = (
    {"color": "#222222", "linewidth": 3.6, "alpha": 0.35},
    {"color": COLOURS[0], "linewidth": 1.4},
)
LONGEST = 80
"""Steps after which a trajectory is cut off."""


def _variants(results: Results) -> dict[str, list[Configured]]:
    grouped: dict[str, list[Configured]] = {}
    for (variant, _), found in results.items():
        grouped.setdefault(variant, []).append(found)
    return grouped


def error_figure(results: Results) -> Figure:
    """Draw the errors against steps: a column for each variant, a row for each state of knowledge."""
    variants = _variants(results)
    figure: Figure = matplotlib_module("figure").Figure(figsize=(4.2 * len(variants) + 0.4, 9.6), layout="constrained")
    panels = figure.subplots(3, len(variants), sharex=True, sharey=True, squeeze=False)
    for column, (variant, group) in enumerate(variants.items()):
        for axes, names in zip(panels[:, column], _ROWS, strict=True):
            known = [name for name in names if name in group[0].first.knowledge]
            if known:
                _draw_errors(axes, group, known[0])
                axes.set_title(f"{variant}\n{_HEADINGS[known[0]]}", fontsize=10)
            else:
                axes.set_axis_off()
    _legend_below(
        figure,
        {"label": "published", "color": "#555555", "marker": "o", "markerfacecolor": "white", "linestyle": "none"},
        {"label": "from exact values, same estimator", "color": "#555555", "linestyle": ":"},
        {"label": "ours: mean, least and largest of the seeds", "color": "#555555"},
    )
    for axes in panels[:, 0]:
        axes.set_ylabel("mean squared error")
    for axes in panels[-1]:
        axes.set_xlabel("environment steps")
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=4, frameon=False)
    return figure


def _legend_below(figure: Figure, *entries: dict[str, Any]) -> None:
    lines = [matplotlib_module("lines").Line2D([], [], **entry) for entry in entries]
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), frameon=False, fontsize=9)


def _draw_errors(axes: Axes, group: Sequence[Configured], knowledge: str) -> None:
    for colour, found in zip(COLOURS, group, strict=False):
        errors = np.maximum(found.over_seeds(f"mse {knowledge}"), LEAST)
        label = found.title.partition(", ")[2]
        axes.plot(found.steps, errors.mean(axis=0), color=colour, label=label, linewidth=1.6)
        axes.fill_between(found.steps, errors.min(axis=0), errors.max(axis=0), color=colour, alpha=0.18, linewidth=0)
        exact = float(found.over_seeds(f"exact mse {knowledge}").mean())
        if exact > LEAST:
            axes.axhline(exact, color=colour, linewidth=0.9, linestyle=":")
        if found.published:
            theirs = np.maximum(list(found.published.values()), LEAST)
            axes.plot(list(found.published), theirs, "o--", color=colour, linewidth=0.6, mfc="white", markersize=6)
    axes.set(xscale="log", yscale="log", ylim=(LEAST / 2, 0.1))
    axes.axhspan(LEAST / 2, LEAST * 2, color="#e8ece9", zorder=0)
    axes.text(0.02, 0.02, "0, or below $10^{-9}$", transform=axes.transAxes, fontsize=8, color="#555555")
    axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)


def return_figure(results: Results) -> Figure:
    """Draw what plans in the recovered worlds are worth from the first start, and the range that exact values leave."""
    variants = _variants(results)
    figure: Figure = matplotlib_module("figure").Figure(figsize=(4.2 * len(variants) + 0.4, 6.4), layout="constrained")
    panels = figure.subplots(2, len(variants), squeeze=False)
    for column, (variant, group) in enumerate(variants.items()):
        for g, axes in enumerate(panels[:, column]):
            _draw_returns(axes, group, g)
            axes.set_title(f"{variant}, goal {group[0].first.unseen[g].goal}", fontsize=10)
            if column == 0:
                axes.set_ylabel(f"return from {published.STARTS[0]}")
    for axes in panels[-1]:
        axes.set_xlabel("goals trained for")
    _legend_below(
        figure,
        *({"label": f"{name}", "color": _COLOUR_OF[name], "linewidth": 4} for name in list(_COLOUR_OF)[1:]),
        {"label": "optimal", "color": "#222222", "linestyle": "--"},
        {"label": "plan in the recovered world", "color": "#555555", "marker": "o", "linestyle": "none"},
        {"label": "robust plan", "color": "#555555", "marker": "D", "markerfacecolor": "white", "linestyle": "none"},
    )
    return figure


def _draw_returns(axes: Axes, group: Sequence[Configured], g: int) -> None:
    start = states_of(group[0].first.world, published.STARTS[:1])[0]
    names = list(group[0].first.knowledge)
    for i, name in enumerate(names):
        at = np.arange(len(group)) + 0.24 * (i - (len(names) - 1) / 2)
        low, high, safe = (
            np.array([found.classes[f"{what} {name}"][g, start] for found in group])
            for what in ("lower", "upper", "guaranteed")
        )
        colour = _COLOUR_OF[name]
        axes.vlines(at, low, high, color=colour, linewidth=6, alpha=0.3)
        axes.plot(np.stack([at, at]), np.stack([low, high]), "_", color=colour, markersize=8)
        axes.plot(at - 0.06, safe, "D", color=colour, mfc="white", markersize=4.5)
        ours = np.stack([found.over_seeds(f"value {name}")[:, g, start] for found in group])
        axes.plot(np.broadcast_to(at[:, None] + 0.06, ours.shape), ours, "o", color=colour, markersize=4, alpha=0.7)
    axes.axhline(group[0].agents[0]["optimal"][g, start], color="#222222", linewidth=1, linestyle="--")
    axes.set_xticks(range(len(group)), [str(found.first.n_goals) for found in group])
    axes.set(xlim=(-0.6, len(group) - 0.4), ylim=(-1.05, 1.05))
    axes.grid(visible=True, axis="y", color="#e6e6e6", linewidth=0.6)


def trajectory_figure(results: Results) -> Figure:
    """Draw both unseen tasks for each variant: the optimal ways, and those planned in a recovered world."""
    variants = _variants(results)
    figure: Figure = matplotlib_module("figure").Figure(figsize=(3.9 * len(variants), 8.4), layout="constrained")
    panels = figure.subplots(2, len(variants), squeeze=False)
    for column, group in enumerate(variants.values()):
        found, knowledge = shown_of(group)
        for g, axes in enumerate(panels[:, column]):
            _draw_task(axes, found, knowledge, g)
    _legend_below(
        figure,
        *(
            {"label": label} | style
            for label, style in zip(("optimal", "planned in the recovered world"), _WAYS, strict=True)
        ),
    )
    return figure


def shown_of(group: Sequence[Configured]) -> tuple[Configured, str]:
    """Return what trajectories are drawn of: most is known, and the fewest goals with which that suffices."""
    knowledge = next(iter(group[0].first.knowledge))
    return next((found for found in group if found.identified(knowledge)), group[-1]), knowledge


def _draw_task(axes: Axes, found: Configured, knowledge: str, g: int) -> None:
    case, agent = found.first, found.agents[0]
    places = places_of(case.world.coordinates)
    prepared_axes(axes, places)
    draw_polygons(axes, "cells", squares(places), facecolor=FLOOR)
    task = case.unseen[g]
    draw_polygons(axes, "unsafe", squares(places[states_of(case.world, task.unsafe)]), facecolor="#f2b8b5")
    draw_polygons(axes, "goal", squares(places[states_of(case.world, (task.goal,))]), facecolor="#b7e1c4")
    for name, style in zip(("optimal policy", f"policy {knowledge}"), _WAYS, strict=True):
        for way in trajectories(case, agent[name][g], g):
            axes.plot(*places[way].T, **style)
    starts = states_of(case.world, published.STARTS)
    axes.plot(*places[starts].T, "o", color=COLOURS[0], markersize=6)
    ours, best = (agent[name][g, starts] for name in (f"value {knowledge}", "optimal"))
    texts = [
        f"from {cell}: {mine:.3f} of {most:.3f}" for cell, mine, most in zip(published.STARTS, ours, best, strict=True)
    ]
    axes.set_title("\n".join([f"{found.title} ({knowledge})", *texts]), fontsize=9)


def trajectories(case: Case, policy: IntArray, g: int) -> list[IntArray]:
    """Follow a policy from the drawn starts until its goal is reached; equal policies meet equal chances.

    Parameters
    ----------
    case : Case
        Where, and with which tasks.
    policy : numpy.ndarray of int, shape (S,)
        The action in each state.
    g : int
        Which unseen task.

    Returns
    -------
    list of numpy.ndarray of int
        The states of each trajectory, the start included.

    Examples
    --------
    >>> case = Case("deterministic", 1, 0)
    >>> down, right = np.full(68, 2), np.full(68, 1)
    >>> [len(way) for way in trajectories(case, down, 0)]
    [81, 81]
    """
    simulator, rng = Simulator(case.world), np.random.default_rng([case.seed, 2])
    ended = case.unseen_goals.continuation[g] == 0
    states = states_of(case.world, published.STARTS)
    seen = [states]
    for _ in range(LONGEST):
        arrived = simulator.step(states, policy[states], seed=rng)
        states = np.where(ended[states], states, arrived)
        seen.append(states)
    ways = np.stack(seen, axis=1)
    lengths = 1 + np.where(ended[ways].any(axis=1), ended[ways].argmax(axis=1), LONGEST)
    return [way[:length] for way, length in zip(ways, lengths, strict=True)]
