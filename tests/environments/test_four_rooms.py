"""FourRooms against its published rules, by rows worked out by hand, and by the layout's symmetry."""

from typing import Any

import numpy as np
import pytest

from tabular_inversion import MDP
from tabular_inversion.environments import four_rooms
from tabular_inversion.errors import DiscountError, InputError

VARIANTS = ("deterministic", "windy", "teleport")
UP, RIGHT, DOWN, LEFT = range(4)


def row(mdp: MDP, cell: tuple[int, int], action: int) -> dict[tuple[int, int], float]:
    """Return one row as a dictionary from cell to probability."""
    assert mdp.coordinates is not None
    cells = [tuple(int(x) for x in place) for place in mdp.coordinates]
    probabilities = mdp.kernel[cells.index(cell), action]
    return {cells[t]: float(probabilities[t]) for t in np.flatnonzero(probabilities)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_facts_of_every_variant(variant: Any) -> None:
    mdp = four_rooms(variant)
    assert mdp.shape == (68, 4, 68)
    assert mdp.discount == 0.99
    assert mdp.action_names == ("up", "right", "down", "left")
    assert mdp.available.all()
    np.testing.assert_array_equal(mdp.kernel.sum(axis=2), 1.0)  # halves, quarters and sixteenths add exactly
    assert mdp.state_names is not None
    assert mdp.coordinates is not None
    assert mdp.state_names == tuple(f"({int(r)},{int(c)})" for r, c in mdp.coordinates)


def test_free_cells_are_four_rooms_and_four_doors() -> None:
    places = four_rooms().coordinates
    assert places is not None
    free = {(int(r), int(c)) for r, c in places}
    rooms = {(r, c) for r in (1, 2, 3, 4, 6, 7, 8, 9) for c in (1, 2, 3, 4, 6, 7, 8, 9)}
    assert free == rooms | {(3, 5), (7, 5), (5, 3), (5, 8)}
    assert [tuple(place) for place in places.tolist()] == sorted(free)


@pytest.mark.parametrize(
    ("cell", "action", "arrival"),
    [
        ((1, 1), UP, (1, 1)),
        ((1, 1), RIGHT, (1, 2)),
        ((1, 1), DOWN, (2, 1)),
        ((1, 1), LEFT, (1, 1)),
        ((3, 4), RIGHT, (3, 5)),
        ((2, 4), RIGHT, (2, 4)),
        ((3, 5), UP, (3, 5)),
        ((3, 5), RIGHT, (3, 6)),
        ((5, 8), DOWN, (6, 8)),
        ((4, 3), DOWN, (5, 3)),
        ((9, 9), DOWN, (9, 9)),
        ((4, 4), DOWN, (4, 4)),
    ],
)
def test_deterministic_rows(cell: tuple[int, int], action: int, arrival: tuple[int, int]) -> None:
    assert row(four_rooms(), cell, action) == {arrival: 1.0}


@pytest.mark.parametrize(
    ("cell", "action", "expected"),
    [
        ((2, 2), UP, {(1, 2): 0.5, (2, 1): 0.25, (2, 3): 0.25}),
        ((2, 2), LEFT, {(2, 1): 0.5, (1, 2): 0.25, (3, 2): 0.25}),
        ((1, 1), UP, {(1, 1): 0.75, (1, 2): 0.25}),
        ((1, 1), RIGHT, {(1, 2): 0.5, (1, 1): 0.25, (2, 1): 0.25}),
        ((1, 1), LEFT, {(1, 1): 0.75, (2, 1): 0.25}),
        ((3, 5), RIGHT, {(3, 6): 0.5, (3, 5): 0.5}),
        ((3, 5), UP, {(3, 5): 0.5, (3, 4): 0.25, (3, 6): 0.25}),
        ((5, 8), LEFT, {(5, 8): 0.5, (4, 8): 0.25, (6, 8): 0.25}),
    ],
)
def test_windy_rows(cell: tuple[int, int], action: int, expected: dict[tuple[int, int], float]) -> None:
    assert row(four_rooms("windy"), cell, action) == expected


@pytest.mark.parametrize(
    ("cell", "rows", "columns"),
    [
        ((4, 4), range(6, 10), range(6, 10)),
        ((4, 6), range(6, 10), range(1, 5)),
        ((6, 4), range(1, 5), range(6, 10)),
        ((6, 6), range(1, 5), range(1, 5)),
    ],
)
@pytest.mark.parametrize("action", range(4))
def test_teleport_goes_to_the_opposite_room(cell: tuple[int, int], rows: range, columns: range, action: int) -> None:
    assert row(four_rooms("teleport"), cell, action) == {(r, c): 1 / 16 for r in rows for c in columns}


def test_teleport_is_deterministic_elsewhere() -> None:
    plain, teleport = four_rooms(), four_rooms("teleport")
    differs = (plain.kernel != teleport.kernel).any(axis=(1, 2))
    assert {plain.state_name(int(s)) for s in np.flatnonzero(differs)} == {"(4,4)", "(4,6)", "(6,4)", "(6,6)"}
    assert four_rooms().is_deterministic
    assert not teleport.is_deterministic


def reflect(mdp: MDP, place: tuple[int, int], exchange: list[int]) -> np.ndarray:
    """Reflect the grid (row or column k becomes 10 - k where `place` says so) and exchange the actions."""
    assert mdp.coordinates is not None
    cells = [tuple(cell) for cell in mdp.coordinates.astype(int).tolist()]
    mirrored = [tuple(10 - x if flip else x for x, flip in zip(cell, place, strict=True)) for cell in cells]
    order = [cells.index(cell) if cell in cells else -1 for cell in mirrored]
    if -1 in order:
        return np.zeros(0)
    return np.asarray(mdp.permute_states(order).kernel[:, exchange])


@pytest.mark.parametrize("variant", VARIANTS)
def test_mirroring_up_and_down_changes_nothing(variant: Any) -> None:
    mdp = four_rooms(variant)
    np.testing.assert_array_equal(reflect(mdp, (1, 0), [DOWN, RIGHT, UP, LEFT]), mdp.kernel)


def test_mirroring_left_and_right_is_no_symmetry_of_the_doors() -> None:
    assert reflect(four_rooms(), (0, 1), [UP, LEFT, DOWN, RIGHT]).size == 0


def test_bad_input() -> None:
    with pytest.raises(InputError, match="'stormy'; expected one of deterministic, windy, teleport"):
        four_rooms("stormy")  # type: ignore[arg-type]
    with pytest.raises(DiscountError):
        four_rooms(discount=1.5)
