"""Where things are drawn: cells around the states, on axes with rows going down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import InputError, MissingDependencyError
from tabular_inversion.validation import finite_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOOR = "#f7f7f5"
"""The colour of cells that say nothing."""

_WALL, _GRID = "#4a5568", "#e0e0dc"


def matplotlib_module(module: str) -> Any:
    """Import a module of matplotlib, or say which extra to install."""
    import importlib

    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as problem:
        raise MissingDependencyError.of("pictures need", "matplotlib", "plot") from problem


def places_of(coordinates: ArrayLike | None) -> FloatArray:
    """Return where to draw each state, (S, 2) as (right, down), in units of one cell."""
    if coordinates is None:
        raise InputError("there are no coordinates to draw states at; give an array (S, 1) or (S, 2).")
    given = finite_array("coordinates", coordinates, (None, None), "(S, d)", InputError)
    if given.shape[1] > 2:
        raise InputError(f"coordinates have {given.shape[1]} dimensions; a picture needs 1 or 2: choose two.")
    rows_columns = given if given.shape[1] == 2 else np.concatenate([np.zeros_like(given), given], axis=1)
    if len(np.unique(rows_columns, axis=0)) < len(rows_columns):
        raise InputError("two states have the same coordinates; move one, so that both can be seen.")
    cells = [_cell_size(rows_columns, axis) for axis in (0, 1)]
    return (rows_columns / cells)[:, ::-1]


def _cell_size(places: FloatArray, axis: int) -> float:
    """Return the smallest step along an axis of a grid; where no two states share a line, the least distance."""
    along, across = places[:, axis], places[:, 1 - axis]
    order = np.lexsort((along, across))
    steps = np.diff(along[order])[np.diff(across[order]) == 0]
    if steps.size:
        return float(steps.min())
    if len(places) == 1:
        return 1.0
    return float(np.asarray(cKDTree(places).query(places, k=2)[0])[:, 1].min())


def prepared_axes(ax: Axes | None, places: FloatArray) -> Axes:
    """Return axes of square cells around the states, with rows going down and no ticks."""
    axes: Axes = (
        matplotlib_module("figure").Figure(figsize=(5.0, 5.0), layout="constrained").add_subplot() if ax is None else ax
    )
    (left, top), (right, bottom) = places.min(axis=0) - 1.0, places.max(axis=0) + 1.0
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[], facecolor=_WALL)
    axes.spines[:].set_visible(False)
    return axes


def draw_polygons(axes: Axes, gid: str, polygons: FloatArray, **style: Any) -> Any:
    """Add polygons (count, points, 2) as one collection."""
    line: dict[str, Any] = {"linewidth": 0.4, "edgecolor": _GRID} if gid == "cells" else {"linewidth": 0.0}
    collection = matplotlib_module("collections").PolyCollection(polygons, gid=gid, **(line | style))
    return axes.add_collection(collection, autolim=False)


def squares(places: FloatArray) -> FloatArray:
    """Return the unit cell around each place, (count, 4, 2)."""
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    result: FloatArray = places[:, None, :] + corners
    return result
