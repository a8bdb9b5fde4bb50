"""Pictures of kernels, values and recoveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array, issparse

from tabular_inversion._typing import BoolArray, FloatArray, Kernel, SparseMatrix
from tabular_inversion.errors import InputError, KernelError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.plotting.canvas import FLOOR, draw_polygons, matplotlib_module, places_of, prepared_axes, squares
from tabular_inversion.validation import finite_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

    from tabular_inversion.inversion import Inversion

LEAST_DRAWN = 1e-3
"""Kernel entries smaller than this (absolute) are too small to see and are not drawn."""

_OUTSIDE = "#d62728"
_INK = ("#a6c8e0", "#2b7bba", "#08306b")
_ARROW_BEHIND_TIP = np.array([1.0, 0.45, 0.45, 0.0, 0.45, 0.45, 1.0])  # 1 stands for the tail, wherever that is
_ARROW_ASIDE = np.array([0.10, 0.10, 0.28, 0.0, -0.28, -0.10, -0.10])
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 24)), np.sin(np.linspace(0, 2 * np.pi, 24))], axis=1)
_LONGEST_ARROW, _LARGEST_DOT, _NEAR = 0.48, 0.17, 1.5  # in cells
_ERROR_SCALE = (1e-16, 1.0)


@checked
def plot_kernel(
    kernel: MDP | Kernel, coordinates: ArrayLike | None = None, *, action: int = 0, ax: Axes | None = None
) -> Axes:
    """Draw where one action leads from each state.

    Arrows to neighbouring cells stay inside their own cell, with an area proportional to the probability; arrows to
    cells further away go all the way, the fainter the less likely. Staying is a dot. Entries outside [0, 1], which
    only the unconstrained class gives, are red.

    Parameters
    ----------
    kernel : MDP, or array_like (S, A, S), or scipy sparse matrix (S*A, S)
        What to draw; rows need not be distributions.
    coordinates : array_like, shape (S, 1) or (S, 2), optional
        Where each state lies, (row, column); those of the `MDP` when omitted.
    action : int
        Which action, from 0 to A - 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; on a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Holds the collections with gid ``"cells"``, ``"arrows"`` and ``"dots"``; the last two carry probabilities.

    Raises
    ------
    KernelError
        If the kernel does not fit the coordinates, or there is no such action.
    InputError
        If coordinates are missing, not finite, of more than two dimensions, or shared by two states.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from tabular_inversion import MDP
    >>> mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9, coordinates=[[0, 0], [0, 1]])
    >>> arrows, = plot_kernel(mdp, action=0).findobj(lambda artist: artist.get_gid() == "arrows")
    >>> arrows.get_array().tolist()
    [0.5]
    """
    if isinstance(kernel, MDP):
        coordinates = kernel.coordinates if coordinates is None else coordinates
        kernel = kernel.kernel
    places = places_of(coordinates)
    entries = _entries(kernel, action, len(places))
    axes = prepared_axes(ax, places)
    draw_polygons(axes, "cells", squares(places), facecolor=FLOOR)
    here, there = places[entries.row], places[entries.col]
    stays = entries.row == entries.col
    dots = here[stays, None, :] + _sizes(entries.data[stays], _LARGEST_DOT) * _CIRCLE
    ink: dict[str, Any] = {"cmap": _ink(), "clim": (-LEAST_DRAWN, 1.0 + LEAST_DRAWN)}
    draw_polygons(axes, "dots", dots, array=entries.data[stays], **ink)
    moves = ~stays
    shapes, is_near = _arrows(here[moves], there[moves], entries.data[moves])
    opacity = np.where(is_near, 1.0, np.sqrt(np.clip(np.abs(entries.data[moves]), 0.0, 1.0)))
    draw_polygons(axes, "arrows", shapes, array=entries.data[moves], alpha=opacity if opacity.size else None, **ink)
    return axes


@checked
def plot_values(
    values: ArrayLike,
    coordinates: ArrayLike | None,
    *,
    label: str = "value",
    cmap: str | Colormap = "viridis",
    norm: Normalize | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a number for each state as a colour, with a colour bar.

    Parameters
    ----------
    values : array_like, shape (S,)
        Finite numbers, for example ``agent.v[g]``.
    coordinates : array_like, shape (S, 1) or (S, 2)
        Where each state lies, (row, column).
    label : str
        What the colour bar is named.
    cmap, norm : optional
        Colours and their scale, as matplotlib takes them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; on a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Holds the collection with gid ``"cells"``, which carries the values.

    Raises
    ------
    InputError
        If a number is not finite, or the coordinates are unfit, as for `plot_kernel`.
    ShapeError
        If there is not one value for each state.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> axes = plot_values([0.0, 2.0], [[0, 0], [0, 1]], label="V")
    >>> [bar.get_xlabel() for bar in axes.figure.axes if bar is not axes]
    ['V']
    """
    places = places_of(coordinates)
    numbers = finite_array("values", values, (len(places),), "(S,)", InputError)
    axes = prepared_axes(ax, places)
    cells = draw_polygons(axes, "cells", squares(places), array=numbers, cmap=cmap, norm=norm)
    axes.figure.colorbar(cells, ax=axes, label=label, location="bottom", shrink=0.8, pad=0.02, aspect=30)
    return axes


@checked
def plot_error(mdp: MDP, inversion: Inversion, *, ax: Axes | None = None) -> Axes:
    """Draw how far a recovered kernel is from the truth: ``max over a, t of |recovered - true|`` in each state.

    Parameters
    ----------
    mdp : MDP
        The truth, with coordinates.
    inversion : Inversion
        What `tabular_inversion.invert` returned for an agent in this world.
    ax : matplotlib.axes.Axes, optional
        Where to draw; on a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        As for `plot_values`; the scale is logarithmic and always goes from 1e-16 (rounding, and less) to 1.

    Raises
    ------
    KernelError, InputError, MissingDependencyError
        As for `plot_kernel`.

    Examples
    --------
    >>> from tabular_inversion import MDP, Goals, Stochastic, invert, solve
    >>> mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.5, coordinates=[[0, 0], [0, 1]])
    >>> axes = plot_error(mdp, invert(solve(mdp, Goals([[0.0, 1.0]])), Stochastic()))
    >>> cells, = axes.findobj(lambda artist: artist.get_gid() == "cells")
    >>> bool(cells.get_array().max() < 1e-12)
    True
    """
    gap: SparseMatrix = abs(csr_array(mdp.rows) - csr_array(_matrix(inversion.kernel, mdp.n_states)))
    largest = gap.max(axis=1).toarray().reshape(mdp.available.shape).max(axis=1)
    return plot_values(
        largest.clip(*_ERROR_SCALE),
        mdp.coordinates,
        label="largest error in a probability",
        cmap="YlOrRd",
        norm=matplotlib_module("colors").LogNorm(*_ERROR_SCALE),
        ax=ax,
    )


@checked
def plot_recovery(mdp: MDP, inversion: Inversion, *, action: int = 0) -> Figure:
    """Draw the true kernel, the recovered one, and how far apart they are in each state.

    Parameters
    ----------
    mdp : MDP
        The truth, with coordinates.
    inversion : Inversion
        What `tabular_inversion.invert` returned for an agent in this world.
    action : int
        Whose arrows to draw, see `plot_kernel`; the error is over all actions, see `plot_error`.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels.

    Raises
    ------
    KernelError, InputError, MissingDependencyError
        As for `plot_kernel`.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, invert, solve
    >>> from tabular_inversion.environments import four_rooms
    >>> mdp = four_rooms("windy", discount=0.9)
    >>> agent = solve(mdp, Goals.indicator(mdp.n_states))
    >>> figure = plot_recovery(mdp, invert(agent, Stochastic()), action=1)
    >>> [axes.get_title() for axes in figure.axes[:3]]
    ['true kernel, action right', 'recovered: IDENTIFIED', 'error']
    """
    figure: Figure = matplotlib_module("figure").Figure(figsize=(11.0, 4.2), layout="constrained")
    truth, recovered, error = figure.subplots(1, 3)
    plot_kernel(mdp, action=action, ax=truth)
    plot_kernel(inversion.kernel, mdp.coordinates, action=action, ax=recovered)
    plot_error(mdp, inversion, ax=error)
    name = str(action) if mdp.action_names is None else mdp.action_names[action]
    truth.set_title(f"true kernel, action {name}")
    recovered.set_title(f"recovered: {inversion.verdict.status.name.replace('_', ' ')}")
    error.set_title("error")
    return figure


def _matrix(kernel: Any, n_states: int) -> Any:
    """Return a kernel (S, A, S) or (S*A, S) as a matrix (S*A, S)."""
    rows: Any = kernel if issparse(kernel) else np.asarray(kernel, dtype=np.float64)
    if rows.ndim == 3 and rows.shape[0] == rows.shape[2]:
        rows = rows.reshape(-1, rows.shape[2])
    if rows.ndim != 2 or rows.shape[1] != n_states or rows.shape[0] % n_states:
        raise KernelError(f"the kernel has shape {kernel.shape}; expected (S, A, S) or (S*A, S) with S = {n_states}.")
    return rows


def _entries(kernel: Any, action: int, n_states: int) -> Any:
    """Return the entries of one action that are large enough to see, as a coo_array (S, S)."""
    rows = _matrix(kernel, n_states)
    n_actions = rows.shape[0] // n_states
    if not 0 <= action < n_actions:
        raise KernelError(f"action is {action}; expected a number from 0 to {n_actions - 1}.")
    entries = coo_array(rows[action::n_actions])
    if not np.isfinite(entries.data).all():
        raise KernelError("the kernel has entries that are not finite; replace them.")
    seen = np.abs(entries.data) >= LEAST_DRAWN
    return coo_array((entries.data[seen], (entries.row[seen], entries.col[seen])), shape=entries.shape)


def _sizes(probabilities: FloatArray, largest: float) -> FloatArray:
    """Return lengths (count, 1, 1) whose squares are proportional to the probabilities."""
    return largest * np.sqrt(np.minimum(np.abs(probabilities), 1.0))[:, None, None]


def _arrows(here: FloatArray, there: FloatArray, probabilities: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return arrows (count, 7, 2), and which of them stay inside their cell because they lead to a neighbour."""
    move = there - here
    distance = np.linalg.norm(move, axis=1)[:, None, None]
    ahead = move[:, None, :] / distance
    aside = ahead[..., ::-1] * (-1.0, 1.0)
    size = _sizes(probabilities, _LONGEST_ARROW)
    is_near = distance <= _NEAR
    length = np.where(is_near, size, distance)
    behind, across = _ARROW_BEHIND_TIP[:, None], _ARROW_ASIDE[:, None]
    along = np.where(behind == 1.0, 0.0, length - size * behind)
    return here[:, None, :] + along * ahead + size * across * aside, is_near.ravel()


def _ink() -> Any:
    """Return the colours of probabilities: darker is more likely, and red is no probability."""
    ink = matplotlib_module("colors").LinearSegmentedColormap.from_list("probability", _INK)
    return ink.with_extremes(under=_OUTSIDE, over=_OUTSIDE)
