"""UMB files through umbi, where its Python is: floats, exact rationals and intervals."""

from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import MDP
from tabular_inversion.environments import random_mdp
from tabular_inversion.equivalence import IntervalMDP
from tabular_inversion.errors import FileFormatError, InputError

pytest.importorskip("umbi.ats", reason="umbi needs Python 3.12")

from tabular_inversion.interop import read_umb, read_umb_exactly, write_umb


@pytest.mark.parametrize("seed", range(3))
def test_worlds_come_back(tmp_path, seed):
    world = random_mdp(6, 2, branching=3, seed=seed, discount=0.9)
    write_umb(world, tmp_path / "world.umb")
    assert read_umb(tmp_path / "world.umb", discount=0.9).mdp == world


def test_fractions_come_back_exactly(tmp_path):
    third = Fraction(1, 3)
    exact = np.array([[[third, 1 - third]], [[Fraction(0), Fraction(1)]]], dtype=object)
    world = MDP(exact.astype(float), discount=0.5)
    write_umb(world, tmp_path / "world.umb", exact=exact)
    assert (read_umb_exactly(tmp_path / "world.umb") == exact).all()


def test_intervals_are_written_and_not_taken_for_probabilities(tmp_path):
    low, high = np.array([[[0.25, 0.25]], [[0.0, 1.0]]]), np.array([[[0.75, 0.75]], [[0.0, 1.0]]])
    world = IntervalMDP(low, high, discount=0.5)
    write_umb(world, tmp_path / "world.umb")
    with pytest.raises(InputError, match="interval"):
        read_umb(tmp_path / "world.umb", discount=0.5)
    with pytest.raises(InputError, match="one kind of weight"):
        write_umb(world, tmp_path / "world.umb", exact=low.astype(object))


def test_what_is_no_umb_file_is_refused(tmp_path):
    (tmp_path / "world.umb").write_text("2 2 3")
    with pytest.raises(FileFormatError, match="cannot be read as a UMB file"):
        read_umb(tmp_path / "world.umb", discount=0.5)
