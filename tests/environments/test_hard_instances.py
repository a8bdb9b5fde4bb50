"""The worlds of the reductions: refused where they are no instances of the problem."""

import pytest

from tabular_inversion import Supported
from tabular_inversion.environments import exact_cover, set_cover
from tabular_inversion.errors import InputError
from tabular_inversion.sufficiency import minimal


@pytest.mark.parametrize("sets", [[], [[0, 1]], [[0, 1, 3]], [[0, 1, 2], [2, 3, 4]], [[1, 2, 3]]])
def test_only_triples_of_all_elements_make_a_world(sets):
    with pytest.raises(InputError, match="triples"):
        exact_cover(sets)


@pytest.mark.parametrize("sets", [[], [[]], [[1]], [[0, 2]]])
def test_only_sets_of_all_elements_make_a_world(sets):
    with pytest.raises(InputError, match="sets of all"):
        set_cover(sets)


def test_elements_in_three_sets_need_one_goal_not_two():
    world, goals = set_cover([[0, 1], [0], [0]])
    assert minimal(world, goals, Supported.of(world.to_float())).goals == (0,)
    assert world.available.sum(axis=1).tolist() == [1, 1, 3, 1, 1, 1, 1, 1, 1]
