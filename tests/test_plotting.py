"""Pictures: what the artists hold, not merely that something was drawn."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_rgba
from matplotlib.figure import Figure

from tabular_inversion import MDP, Goals, Inversion, Stochastic, invert, solve
from tabular_inversion.environments import four_rooms, graph, named_graph
from tabular_inversion.errors import InputError, KernelError, MissingDependencyError, ShapeError
from tabular_inversion.plotting import LEAST_DRAWN, plot_error, plot_goals, plot_kernel, plot_recovery, plot_values

UP, RIGHT = 0, 1


def drawn(axes: Any, gid: str) -> Any:
    """Find the one collection of this name."""
    (found,) = axes.findobj(lambda artist: artist.get_gid() == gid)
    return found


def polygons(axes: Any, gid: str) -> np.ndarray:
    """Return the polygons of a collection, closing point left out, (count, points, 2)."""
    return np.array([path.vertices[:-1] for path in drawn(axes, gid).get_paths()])


def areas(shapes: np.ndarray) -> np.ndarray:
    """Return the area of each polygon (the shoelace formula, from its own centre to lose no digits)."""
    x, y = np.moveaxis(shapes - shapes.mean(axis=1, keepdims=True), 2, 0)
    return np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2.0


@pytest.fixture(scope="module")
def windy() -> MDP:
    return four_rooms("windy", discount=0.9)


@pytest.fixture(scope="module")
def inversion(windy: MDP) -> Inversion:
    return invert(solve(windy, Goals.indicator(windy.n_states)), Stochastic())


def test_each_move_is_an_arrow_and_each_stay_a_dot(windy: MDP) -> None:
    axes = plot_kernel(windy, action=RIGHT)
    kernel = windy.kernel[:, RIGHT]
    states, arrivals = np.nonzero(kernel)
    moves = states != arrivals
    np.testing.assert_array_equal(drawn(axes, "arrows").get_array(), kernel[states, arrivals][moves])
    np.testing.assert_array_equal(drawn(axes, "dots").get_array(), kernel[states, arrivals][~moves])
    np.testing.assert_allclose(
        polygons(axes, "dots").mean(axis=1), windy.coordinates[states[~moves]][:, ::-1], atol=0.02
    )
    assert len(polygons(axes, "cells")) == 68


def test_arrows_start_in_their_cell_and_point_to_where_they_lead(windy: MDP) -> None:
    kernel = windy.kernel[:, RIGHT]
    states, arrivals = np.nonzero(kernel * (1 - np.eye(68)))
    shapes = polygons(plot_kernel(windy, action=RIGHT), "arrows")
    tails, tips = shapes[:, [0, -1]].mean(axis=1), shapes[:, 3]
    np.testing.assert_allclose(tails, windy.coordinates[states][:, ::-1], atol=1e-12)
    step = (windy.coordinates[arrivals] - windy.coordinates[states])[:, ::-1]
    length = 0.48 * np.sqrt(kernel[states, arrivals])[:, None]  # stays inside its cell, which ends at 0.5
    np.testing.assert_allclose(tips - tails, length * step, atol=1e-12)


def test_areas_of_arrows_and_dots_are_proportional_to_probabilities(windy: MDP) -> None:
    axes = plot_kernel(windy, action=UP)
    for gid in ("arrows", "dots"):
        ratios = areas(polygons(axes, gid)) / drawn(axes, gid).get_array()
        assert len(set(drawn(axes, gid).get_array().tolist())) > 1
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-12)


def test_arrows_to_far_states_go_all_the_way() -> None:
    world = four_rooms("teleport")
    teleporter = world.state_names.index("(4,4)")  # type: ignore[union-attr]
    axes = plot_kernel(world, action=RIGHT)
    shapes = polygons(axes, "arrows")[drawn(axes, "arrows").get_array() == 1 / 16]
    mine = np.isclose(shapes[:, [0, -1]].mean(axis=1), [4.0, 4.0]).all(axis=1)
    tips = {tuple(tip) for tip in shapes[mine, 3].round(9).tolist()}
    targets = world.coordinates[world.kernel[teleporter, RIGHT] > 0]  # type: ignore[index]
    assert tips == {(column, row) for row, column in targets.tolist()}


def test_rows_go_down_and_the_grid_is_square(windy: MDP) -> None:
    axes = plot_kernel(windy)
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    assert (left, right, bottom, top) == (0.0, 10.0, 10.0, 0.0)
    assert axes.get_aspect() == 1.0


def test_sparse_dense_and_bare_kernels_look_the_same(windy: MDP) -> None:
    expected = polygons(plot_kernel(windy, action=UP), "arrows")
    for kernel in (windy.sparse(), windy.kernel, windy.sparse().kernel):
        shapes = polygons(plot_kernel(kernel, windy.coordinates, action=UP), "arrows")
        np.testing.assert_array_equal(shapes, expected)


def test_what_is_no_probability_is_red_and_what_is_tiny_is_left_out() -> None:
    kernel = np.array([[[0.0, 1.3]], [[-0.3, 1.3]], [[0.5 * LEAST_DRAWN, 1.0 + 1e-9]]])
    kernel = np.pad(kernel, ((0, 0), (0, 0), (0, 1)))
    axes = plot_kernel(kernel, [[0], [1], [2]])
    arrows, dots = drawn(axes, "arrows"), drawn(axes, "dots")
    np.testing.assert_array_equal(arrows.get_array(), [1.3, -0.3, 1.0 + 1e-9])
    np.testing.assert_array_equal(dots.get_array(), [1.3])
    red = np.array([tuple(color) == to_rgba("#d62728") for color in arrows.to_rgba(arrows.get_array())])
    np.testing.assert_array_equal(red, [True, True, False])


def test_cells_follow_the_grid_whatever_its_steps() -> None:
    coordinates = [[row * 0.1, column * 5.0] for row in range(3) for column in range(2)]
    corners = polygons(plot_values(np.arange(6.0), coordinates), "cells")
    np.testing.assert_allclose(corners.mean(axis=1)[:, 1], [0, 0, 1, 1, 2, 2], atol=1e-12)
    np.testing.assert_allclose(corners.mean(axis=1)[:, 0], [0, 1, 0, 1, 0, 1], atol=1e-12)
    np.testing.assert_allclose(areas(corners), 1.0, rtol=1e-12)


def test_states_on_no_grid_do_not_overlap() -> None:
    angles = 2 * np.pi * np.arange(7) / 7 + 0.1
    corners = polygons(plot_values(angles, np.stack([np.cos(angles), np.sin(angles)], axis=1)), "cells")
    centres = corners.mean(axis=1)
    gaps = np.linalg.norm(centres[:, None] - centres[None], axis=2) + 9.0 * np.eye(7)
    np.testing.assert_allclose(gaps.min(), 1.0, rtol=1e-12)


def test_values_are_the_colours_of_their_cells(windy: MDP, inversion: Inversion) -> None:
    values = np.linspace(-1.0, 1.0, 68)
    axes = plot_values(values, windy.coordinates, label="V")
    np.testing.assert_array_equal(drawn(axes, "cells").get_array(), values)
    np.testing.assert_allclose(polygons(axes, "cells").mean(axis=1), windy.coordinates[:, ::-1], atol=1e-12)
    assert [bar.get_xlabel() for bar in axes.figure.axes if bar is not axes] == ["V"]


def test_one_state_can_be_drawn() -> None:
    axes = plot_kernel(MDP([[[1.0]]], discount=0.5, coordinates=[[3.0, 4.0]]))
    assert len(polygons(axes, "dots")) == 1
    assert len(drawn(axes, "arrows").get_paths()) == 0


def test_the_error_is_the_largest_of_each_state(windy: MDP, inversion: Inversion) -> None:
    wrong = np.array(inversion.kernel)
    wrong[5, 2, 7] += 0.25
    wrong[9, 0, :2] += [0.01, -0.02]
    axes = plot_error(windy, replace(inversion, kernel=wrong))
    errors = drawn(axes, "cells").get_array()
    expected = np.zeros(68)
    expected[[5, 9]] = 0.25, 0.02
    np.testing.assert_allclose(errors, expected, atol=1e-10)
    assert errors.min() >= 1e-16
    norm = drawn(axes, "cells").norm
    assert isinstance(norm, LogNorm)
    assert (norm.vmin, norm.vmax) == (1e-16, 1.0)


def test_a_recovery_shows_the_truth_the_recovered_kernel_and_the_error(windy: MDP, inversion: Inversion) -> None:
    wrong = np.array(inversion.kernel)
    wrong[0, UP], wrong[3, RIGHT] = np.eye(68)[1], np.eye(68)[3]
    figure = plot_recovery(windy, replace(inversion, kernel=wrong), action=RIGHT)
    truth, recovered, error = figure.axes[:3]
    assert truth.get_title() == "true kernel, action right"
    assert recovered.get_title() == "recovered: IDENTIFIED"
    np.testing.assert_array_equal(
        drawn(truth, "arrows").get_array(), drawn(plot_kernel(windy, action=RIGHT), "arrows").get_array()
    )
    expected = plot_kernel(wrong, windy.coordinates, action=RIGHT)
    for gid in ("arrows", "dots"):
        np.testing.assert_array_equal(drawn(recovered, gid).get_array(), drawn(expected, gid).get_array())
        assert not np.array_equal(drawn(recovered, gid).get_array(), drawn(truth, gid).get_array())
    assert set(np.flatnonzero(drawn(error, "cells").get_array() > 0.1)) == {0, 3}


def test_given_axes_are_used_and_the_figure_can_be_saved(windy: MDP, tmp_path: Any) -> None:
    figure = Figure()
    axes = figure.subplots(1, 2)
    assert plot_kernel(windy, ax=axes[0]) is axes[0]
    assert plot_values(np.zeros(68), windy.coordinates, ax=axes[1]) is axes[1]
    figure.savefig(tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes().startswith(b"\x89PNG")


def test_pyplot_is_never_loaded() -> None:
    code = (
        "import sys; from tabular_inversion import MDP; from tabular_inversion.plotting import plot_kernel; "
        "plot_kernel(MDP([[[1.0]]], 0.5, coordinates=[[0.0]])).figure.canvas.draw(); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, windy: MDP) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        MissingDependencyError, match=r"pip install matplotlib, or in a clone: pip install '\.\[plot\]'"
    ):
        plot_kernel(windy)


@pytest.mark.parametrize(
    ("coordinates", "message"),
    [
        (None, "no coordinates"),
        ([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "3 dimensions"),
        ([[0.0, 1.0], [0.0, 1.0]], "same coordinates"),
        ([[0.0, np.nan], [0.0, 1.0]], "not finite"),
        ([0.0, 1.0], "shape"),
    ],
)
def test_unfit_coordinates_are_refused(coordinates: Any, message: str) -> None:
    mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)
    with pytest.raises(InputError, match=message):
        plot_kernel(mdp, coordinates)
    with pytest.raises(InputError, match=message):
        plot_values([0.0, 1.0], coordinates)


@pytest.mark.parametrize("action", [-1, 4])
def test_an_action_that_does_not_exist_is_refused(windy: MDP, action: int) -> None:
    with pytest.raises(KernelError, match=f"action is {action}; expected a number from 0 to 3"):
        plot_kernel(windy, action=action)


@pytest.mark.parametrize("shape", [(3, 4), (67, 4, 67), (68, 4, 67), (68,)])
def test_kernels_of_another_shape_are_refused(windy: MDP, shape: tuple[int, ...]) -> None:
    with pytest.raises(KernelError, match="expected"):
        plot_kernel(np.zeros(shape), windy.coordinates)


def test_kernels_that_are_not_finite_are_refused() -> None:
    with pytest.raises(KernelError, match="not finite"):
        plot_kernel(np.array([[[np.nan]]]), [[0.0]])


def test_unfit_values_are_refused(windy: MDP) -> None:
    with pytest.raises(ShapeError, match="values"):
        plot_values(np.zeros(67), windy.coordinates)
    with pytest.raises(InputError, match="not finite"):
        plot_values(np.full(68, np.inf), windy.coordinates)


DOORS = ["(3,5)", "(5,3)", "(5,8)", "(7,5)"]


def test_goals_doors_and_unknown_states_are_where_they_should_be(windy: MDP) -> None:
    axes = plot_goals(windy, [0, 67, 0], unknown=[5, 9])
    doors = [windy.state_names.index(name) for name in DOORS]  # type: ignore[union-attr]
    for gid, states in {"doors": doors, "unknown": [5, 9], "goals": [0, 67]}.items():
        centres = polygons(axes, gid).mean(axis=1)
        np.testing.assert_allclose(centres, windy.coordinates[states][:, ::-1], atol=0.02)  # type: ignore[index]
    assert len(polygons(axes, "cells")) == 68
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["dynamics unknown (2)", "doors (4)", "goals (2)"]


@pytest.mark.parametrize(
    ("name", "doors"),
    [("path:5", 3), ("K3,3", 0), ("petersen", 0), ("grid:3x4", 0), ("cycle:8", 8)],
)
def test_doors_part_what_is_around_them(name: str, doors: int) -> None:
    axes = plot_goals(graph(named_graph(name)), [0])
    assert len(drawn(axes, "doors").get_paths()) == doors


def test_doors_can_be_given(windy: MDP) -> None:
    assert len(polygons(plot_goals(windy, doors=[1, 2]), "doors")) == 2
    assert plot_goals(windy, doors=[]).get_legend() is None


def test_a_graph_without_coordinates_is_laid_out_with_its_edges(tmp_path: Any) -> None:
    axes = plot_goals(graph(named_graph("petersen")), [3], unknown=[1])
    lines = drawn(axes, "edges").get_segments()
    assert len(lines) == 15
    cells = polygons(axes, "cells")
    apart = (np.abs(cells.mean(axis=1)[:, None] - cells.mean(axis=1)) + 9.0 * np.eye(10)[:, :, None]).max(axis=2)
    assert apart.min() >= np.ptp(cells[0], axis=0).max()
    axes.figure.savefig(tmp_path / "graph.png")
    lonely = plot_goals(MDP([[[1.0]]], discount=0.5), [0])
    assert len(drawn(lonely, "edges").get_segments()) == 0


@pytest.mark.parametrize("argument", ["goals", "unknown", "doors"])
def test_states_that_do_not_exist_are_refused(windy: MDP, argument: str) -> None:
    with pytest.raises(InputError, match=f"{argument} contains 68"):
        plot_goals(windy, **{argument: [0, 68]})
