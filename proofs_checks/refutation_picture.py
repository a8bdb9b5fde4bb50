"""Draw a small instance in fractions: the kernel of each action, the rewards, M, and the policy if one is given."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks.instance import Instance
from tabular_inversion.plotting.canvas import matplotlib_module

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_instance(instance: Instance, title: str) -> Figure:
    """Return a figure with one table of fractions for each part of the instance.

    Parameters
    ----------
    instance : Instance
        Small; each number is written out.
    title : str
        Written above.
    """
    world, goals = instance.world, instance.goals
    tables: list[tuple[str, Any, str, str]] = [
        (f"P, action {a}", world.kernel[:, a], "from state", "to state") for a in range(world.n_actions)
    ]
    tables += [("rewards", goals.rewards, "goal", "state")]
    if (goals.continuation != 1).any():
        tables.append(("continuation", goals.continuation, "goal", "state"))
    tables.append((f"M, discount {world.discount}", instance.agent.test_matrix, "goal", "state"))
    if instance.policy is not None and instance.policy.ndim == 2:
        tables.append(("policy", instance.policy, "state", "action"))
    columns = min(3, len(tables))
    lines = -(-len(tables) // columns)
    size = (3.1 * columns, 2.6 * lines + 0.6)
    figure: Figure = matplotlib_module("figure").Figure(figsize=size, layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False)
    for ax in axes.ravel()[len(tables) :]:
        ax.set_axis_off()
    for ax, (name, values, row, column) in zip(axes.ravel(), tables, strict=False):
        _table(ax, name, values, row, column)
    figure.suptitle(fill(title, 30 * columns), fontsize=10)
    return figure


def _table(ax: Axes, name: str, values: Any, row: str, column: str) -> None:
    shades = np.abs(values.astype(float))
    ax.imshow(shades, cmap="Greys", vmin=0, vmax=max(2.5 * shades.max(), 1e-9), aspect="auto")
    for i, j in np.ndindex(values.shape):
        ax.text(j, i, str(values[i, j]), ha="center", va="center", fontsize=9, color="black")
    ax.set_title(name, fontsize=9)
    ax.set_xlabel(column, fontsize=8)
    ax.set_ylabel(row, fontsize=8)
    ax.set_xticks(range(values.shape[1]))
    ax.set_yticks(range(values.shape[0]))
    ax.tick_params(labelsize=8)
