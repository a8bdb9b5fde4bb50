"""Two worlds, one agent, in a picture."""

import numpy as np
import pytest

from tabular_inversion import Goals, Stochastic, identify, solve
from tabular_inversion.environments import chain, four_rooms
from tabular_inversion.errors import InputError
from tabular_inversion.plotting import plot_witness


def test_cells_carry_the_two_rows() -> None:
    world = four_rooms("windy")
    verdict = identify(solve(world, Goals.indicator(68, [0])), Stochastic())
    figure = plot_witness(verdict, world)
    shown = [np.asarray(cells.get_array()) for cells in figure.findobj(lambda artist: artist.get_gid() == "cells")]
    assert len(shown) == 2
    assert verdict.witness is not None
    np.testing.assert_allclose(shown[0], world.dense().kernel[verdict.witness.state, verdict.witness.action])
    assert np.abs(shown[0] - shown[1]).sum() > 0.1
    assert shown[1].sum() == pytest.approx(1.0)


def test_without_places_there_are_bars() -> None:
    from dataclasses import replace

    world = replace(chain(4), coordinates=None)
    verdict = identify(solve(world, Goals.generic(4, 1, seed=0)), Stochastic())
    figure = plot_witness(verdict)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert sum(heights) == pytest.approx(2.0)


def test_no_witness_no_picture() -> None:
    verdict = identify(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic())
    with pytest.raises(InputError, match="no witness"):
        plot_witness(verdict)
