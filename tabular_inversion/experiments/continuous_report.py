"""What the reports on continuous systems share: numbers beside the published ones, and two figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.experiments.continuous_stages import Inverted
from tabular_inversion.experiments.published_tables import PublishedTable
from tabular_inversion.experiments.run_folder import Arrays, Comparison
from tabular_inversion.identifiability import Status
from tabular_inversion.plotting.canvas import matplotlib_module

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#1f5f99", "#d9822b", "#8a93a6"


def coarse_comparisons(
    coarse: Arrays, published: PublishedTable, titles: Mapping[str, str], agent: str
) -> list[Comparison]:
    """Take the agent stopped early whose Q-values are about as wrong as those of the published one.

    Parameters
    ----------
    coarse : mapping
        Of the stage `coarse_agents`.
    published : PublishedTable
        What to stand beside.
    titles : mapping from str to str
        What each unseen task is called.
    agent : str
        What the agent is called.
    """
    early = np.flatnonzero(coarse["stopped_early"])
    near = early[np.abs(np.log(coarse["q_nmse"][early] / published.q_nmse)).argmin()]
    stopped = f"value iteration stopped after {coarse['setting'][near]:.0f} sweeps, the nearest to the published error"
    rows = [
        Comparison(f"Q-value NMSE of a coarse {agent}", float(coarse["q_nmse"][near]), 0.0, published.q_nmse, stopped),
        Comparison("model NMSE from that agent", float(coarse["model_nmse"][near]), 0.0, published.model_nmse),
    ]
    if "returns" in coarse:
        for values, (task, title) in zip(coarse["returns"][near], titles.items(), strict=True):
            rows.append(_return(f"{title}: planned in that agent's world", values, published.unseen[task].from_model))
    return rows


def return_comparisons(
    unseen: Arrays, published: PublishedTable, titles: Mapping[str, str], worlds: Sequence[str]
) -> list[Comparison]:
    """Put returns of optimal plans, and of plans in recovered worlds, beside the published ones.

    Parameters
    ----------
    unseen : mapping
        Of the stage `plan_unseen`, the true world first.
    published : PublishedTable
        What to stand beside.
    titles : mapping from str to str
        What each unseen task is called.
    worlds : sequence of str
        What the other worlds were recovered from; the published one corresponds to the first.
    """
    rows = []
    for i, (task, title) in enumerate(titles.items()):
        table, returns = published.unseen[task], unseen["returns"][:, i]
        rows.append(_return(f"{title}: optimal", returns[0], table.optimal))
        for j, world in enumerate(worlds, start=1):
            beside = table.from_model if j == 1 else None
            rows.append(_return(f"{title}: planned in the world from {world} goals", returns[j], beside))
    return rows


def _return(what: str, values: FloatArray, published: tuple[float, float] | None) -> Comparison:
    mean, spread = float(values.mean()), float(values.std())
    if published is None:
        return Comparison(what, mean, spread)
    return Comparison(what, mean, spread, published[0], f"published spread {published[1]:g}")


def facts_of(task: str, inverted: Inverted, unseen: Arrays, robust: Arrays, names: Sequence[str], number: int) -> Any:
    """Collect what is known of one agent, and of plans in its world.

    Parameters
    ----------
    task : str
        What it was trained for.
    inverted : Inverted
        What the stages found.
    unseen, robust : mapping
        Of the stages `plan_unseen` and `robust_ranges`.
    names : sequence of str
        The unseen tasks.
    number : int
        Of its world among those of `unseen`.
    """
    counts = {
        "rows identified": int(inverted.identified.sum()),
        "rows shown not to be identified": int((inverted.status == Status.NOT_IDENTIFIED).sum()),
        "rows that floats do not decide": int((inverted.status == Status.UNDECIDED).sum()),
    }
    facts: dict[str, Any] = {f"{task} goals: {name}": value for name, value in {**counts, **inverted.facts}.items()}
    for i, name in enumerate(names):
        width = robust["upper"][i] - robust["lower"][i]
        shown = {
            "mean optimal value on the grid": unseen["value"][0, i],
            "mean value of the plan there": unseen["value"][number, i],
            "largest value that the plan loses in a state of the true grid": unseen["shortfall"][number, i],
            "largest error of a value that the recovered world promises": unseen["believed"][number, i],
            "largest width of the robust interval": width.max(),
            "mean width of the robust interval": width.mean(),
            "share of states with a width above 1e-6": (width > 1e-6).mean(),
            "how far the ends of the interval may be off": robust["error"][i],
        }
        facts |= {f"{task} goals, {name}: {what}": float(value) for what, value in shown.items()}
    return facts


def coarse_figure(coarse: Arrays, published: PublishedTable) -> Figure:
    """Draw the error of the recovered world against that of the agent's values."""
    drawn = figure(6.2, 4.2)
    axes = drawn.add_subplot()
    early = coarse["stopped_early"]
    for chosen, name, colour, mark in ((early, "stopped early", ORANGE, "o"), (~early, "noise", BLUE, "s")):
        if chosen.any():
            axes.loglog(coarse["q_nmse"][chosen], coarse["model_nmse"][chosen], mark + "-", color=colour, label=name)
    axes.axhline(float(coarse["prior_nmse"]), color=GREY, linestyle=":", label="cells known, no values")
    axes.loglog([published.q_nmse], [published.model_nmse], "*", color="black", markersize=12, label="published")
    axes.set(xlabel="NMSE of the Q-values", ylabel="NMSE of the recovered world")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    return drawn


def returns_figure(
    unseen: Arrays, published: PublishedTable, titles: Mapping[str, str], worlds: Sequence[str]
) -> Figure:
    """Draw mean returns with their spreads, ours beside the published."""
    drawn = figure(8.6, 3.6)
    panels = drawn.subplots(1, len(titles), sharey=True)
    for i, (axes, (task, title)) in enumerate(zip(panels, titles.items(), strict=True)):
        table, returns = published.unseen[task], unseen["returns"][:, i]
        names = ["optimal", *(f"from {world} goals" for world in worlds)]
        bars = [("optimal, published", *table.optimal, GREY), ("from model, published", *table.from_model, GREY)]
        bars += [
            (name, float(values.mean()), float(values.std()), BLUE) for name, values in zip(names, returns, strict=True)
        ]
        for place, (_, mean, spread, colour) in enumerate(bars):
            axes.errorbar([place], [mean], [spread], fmt="o", color=colour, capsize=3)
        axes.set_xticks(range(len(bars)), [bar[0] for bar in bars], rotation=40, fontsize=8, ha="right")
        axes.set_title(title, fontsize=10)
        axes.set_xlim(-0.5, len(bars) - 0.5)
        axes.grid(visible=True, axis="y", alpha=0.3)
    panels[0].set_ylabel("return")
    return drawn


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches."""
    made: Figure = matplotlib_module("figure").Figure(figsize=(width, height), layout="constrained")
    return made
