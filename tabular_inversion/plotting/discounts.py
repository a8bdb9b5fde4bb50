"""Pictures of how much goals see of a world, along the discount."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tabular_inversion.discounts import CertifiedDiscount, CertifiedDiscounts, ExceptionalDiscount, ExceptionalDiscounts
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import KernelClass, Unconstrained
from tabular_inversion.kinds import checked
from tabular_inversion.plotting.canvas import matplotlib_module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FLOOR = 1e-17
_CLOSE = 10.0 ** -np.arange(1.5, 9.0, 0.5)  # of the way to the neighbouring root: the curve falls steeply there


@checked
def plot_discounts(
    result: ExceptionalDiscounts | CertifiedDiscounts,
    *,
    kernel_class: KernelClass | None = None,
    points: int = 200,
    ax: Axes | None = None,
) -> Axes:
    """Draw the smallest singular value of M along the discount, with the exceptional discounts marked.

    Parameters
    ----------
    result : ExceptionalDiscounts or CertifiedDiscounts
        What `exceptional_discounts` or `certified_discounts` of `tabular_inversion.sufficiency` returned.
    kernel_class : Unconstrained (the default) or Stochastic
        Whether M acts on all vectors, or on those whose sum is zero.
    points : int
        How many discounts are spread over [0, 1), at least 2; more are drawn close to each exact one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; on a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Holds a line with gid ``"sigma_min"``, and one with gid ``"exceptional"`` for each exact discount.

    Raises
    ------
    InputError
        If there are fewer than two points.
    KernelClassError
        For any other class.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> from tabular_inversion.discounts import exceptional_discounts
    >>> axes = plot_discounts(exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3))), points=20)
    >>> [line.get_label() for line in axes.lines if line.get_gid() == "exceptional"]
    ['1/2']
    """
    if points < 2:
        raise InputError(f"points is {points}; expected at least 2.")
    chosen = Unconstrained() if kernel_class is None else kernel_class
    marked: tuple[ExceptionalDiscount | CertifiedDiscount, ...] = result.for_class(chosen)
    roots = np.array([float(found) for found in marked])
    near = [root + side * share * _CLOSE for root in roots for side, share in ((-1, root), (1, 1 - root))]
    grid = np.unique(np.concatenate([np.linspace(0.0, 1.0, points, endpoint=False), roots, *near]))
    if ax is None:
        ax = matplotlib_module("figure").Figure(figsize=(7.0, 3.6), layout="constrained").add_subplot()
    axes: Axes = ax
    values = result.sigma_min(grid, chosen)
    axes.semilogy(grid, values.clip(min=_FLOOR), gid="sigma_min", color="#2b7bba")
    for found, root in zip(marked, roots.tolist(), strict=True):
        axes.axvline(root, gid="exceptional", color="#d62728", linewidth=0.8, linestyle="--", label=found.label)
        above = axes.get_xaxis_transform()
        axes.text(root, 1.02, found.label, transform=above, ha="center", va="bottom", fontsize="small", color="#d62728")
    axes.set(xlabel="discount", ylabel="smallest singular value of M", xlim=(0.0, 1.0))
    return axes
