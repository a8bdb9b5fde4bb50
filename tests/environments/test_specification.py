"""Texts that name environments and goals."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tabular_inversion import MDP, Goals, TabularInversionError
from tabular_inversion.environments import (
    Environment,
    chain,
    four_rooms,
    graph,
    mountain_car,
    parse_environment,
    parse_goals,
    random_mdp,
    reacher,
    river_swim,
)
from tabular_inversion.errors import (
    DiscountError,
    FileFormatError,
    GoalsError,
    InputError,
    MissingDependencyError,
    SpecificationError,
)
from tabular_inversion.interop import from_gymnasium


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fourrooms:deterministic", four_rooms()),
        ("fourrooms:windy", four_rooms("windy")),
        ("fourrooms:teleport", four_rooms("teleport")),
        ("chain:7", chain(7)),
        ("riverswim:6", river_swim(6)),
        ("random:n=20,m=3", random_mdp(20, 3, seed=0)),
        ("random:n=20,m=3,branching=4,seed=5", random_mdp(20, 3, branching=4, seed=5)),
        ("random:seed=5, m=3, n=20", random_mdp(20, 3, seed=5)),
        ("graph:K3,3", graph(nx.complete_bipartite_graph(3, 3))),
        ("graph:cycle:5", graph(nx.cycle_graph(5))),
        ("mountaincar:20", mountain_car(20)),
        ("reacher:4", reacher(4)),
    ],
)
def test_environments(text: str, expected: MDP) -> None:
    found = parse_environment(text)
    assert isinstance(found, Environment)
    assert found.name == text
    assert found.mdp == expected
    assert found.native_goals is None


def test_default_discounts() -> None:
    for text in ("fourrooms:windy", "mountaincar:3", "reacher:2"):
        assert parse_environment(text).mdp.discount == 0.99
    for text in ("chain:3", "riverswim:3", "random:n=3,m=2", "graph:petersen", "gym:FrozenLake-v1"):
        assert parse_environment(text).mdp.discount == 0.95
        assert parse_environment(text, discount=0.5).mdp.discount == 0.5
    assert parse_environment("fourrooms:windy", discount=0.0).mdp.discount == 0.0


def test_gymnasium_texts_pass_arguments() -> None:
    text = "gym:FrozenLake-v1,map_name=8x8,is_slippery=false,terminal=continue"
    found = parse_environment(text, discount=0.9)
    expected = from_gymnasium("FrozenLake-v1", discount=0.9, terminal="continue", map_name="8x8", is_slippery=False)
    assert found.name == text
    assert found.mdp == expected.mdp
    assert found.native_goals == expected.native_goals
    rainy = parse_environment("gym:Taxi-v4,is_rainy=True,rainy_probability=0.5").mdp
    # An open way is taken with 1/2; a blocked side stays (1/4 or, both sides, 1/2); a blocked way stays for certain.
    assert set(np.unique(rainy.kernel.data)) == {0.25, 0.5, 1.0}
    absorbed = parse_environment("gym:CliffWalking-v1").mdp
    assert absorbed != parse_environment("gym:CliffWalking-v1,terminal=continue").mdp


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_files(tmp_path: Path, ending: str) -> None:
    mdp = random_mdp(5, 2, branching=2, discount=0.8, seed=0)
    path = tmp_path / f"world.{ending}"
    mdp.save(path)
    assert parse_environment(str(path)).mdp == mdp
    assert parse_environment(str(path), discount=0.3).mdp == mdp.with_discount(0.3)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", SpecificationError, "unknown environment ''; expected fourrooms:deterministic|windy|teleport, gym:ID"),
        ("fourrooms", SpecificationError, "unknown environment"),
        ("pendulum:20", SpecificationError, "unknown environment 'pendulum:20'; expected .*chain:N.*reacher:N"),
        ("fourrooms:", SpecificationError, "names no FourRooms"),
        ("fourrooms:stormy", SpecificationError, "names no FourRooms"),
        ("chain:", SpecificationError, "not of the form chain:N"),
        ("chain:3,4", SpecificationError, "not of the form chain:N"),
        ("chain:n=3", SpecificationError, "unknown option 'n'"),
        ("chain:three", SpecificationError, "N is 'three'; expected a whole number"),
        ("chain:-3", SpecificationError, "N is '-3'"),
        ("chain:1.5", SpecificationError, "N is '1.5'"),
        ("chain:²", SpecificationError, "N is '²'"),
        ("chain:0", InputError, "n is 0; expected an integer of at least 1"),
        ("riverswim:1", InputError, "n is 1; expected an integer of at least 2"),
        ("mountaincar:", SpecificationError, "not of the form mountaincar:N"),
        ("mountaincar", SpecificationError, "unknown environment 'mountaincar'"),
        ("mountaincar:fast", SpecificationError, "N is 'fast'; expected a whole number"),
        ("mountaincar:20,method=cubic", SpecificationError, "unknown option 'method'"),
        ("mountaincar:1", InputError, "n is 1; expected an integer of at least 2"),
        ("mountaincar:9000", InputError, "at most 8192"),
        ("reacher:24,24,24,24", SpecificationError, "not of the form reacher:N"),
        ("reacher:0", InputError, "n is 0"),
        ("reacher:100", InputError, "100000000 states with 9 actions and 5 successors each"),
        ("random:", SpecificationError, "lacks n or m"),
        ("random:n=3", SpecificationError, "lacks n or m"),
        ("random:3,2", SpecificationError, "not of the form random"),
        ("random:n=3,m=2,seed=zero", SpecificationError, "seed is 'zero'"),
        ("random:n=3,m=2,seed=-1", SpecificationError, "seed is '-1'"),
        ("random:n=3,m=2,seed=0,seed=1", SpecificationError, "gives 'seed' twice"),
        ("random:n=3,m=2,width=1", SpecificationError, "unknown option 'width'"),
        ("random:n=0,m=2", InputError, "n_states is 0"),
        ("random:n=3,m=2,branching=4", InputError, "branching is 4"),
        ("random:n=90000,m=2", InputError, "more than 2 GiB"),
        ("graph:", SpecificationError, "names no graph and no file"),
        ("graph:path:1", InputError, "isolated"),
        ("gym:", SpecificationError, "not of the form gym:ID"),
        ("gym:is_slippery=false", SpecificationError, "not of the form gym:ID"),
        ("gym:FrozenLake-v1,Taxi-v4", SpecificationError, "not of the form gym:ID"),
        ("gym:FrozenLake-v1,terminal=stop", SpecificationError, "terminal is 'stop'"),
        ("gym:FrozenLake-v1,discount=0.5", SpecificationError, "give it separately"),
        ("gym:FrozenLake-v1,=1", SpecificationError, "gymnasium cannot make"),
        ("gym:FrozenLake-v1,id=1", SpecificationError, "gymnasium cannot make"),
        ("gym:NoSuchThing-v0", SpecificationError, "gymnasium cannot make 'NoSuchThing-v0'"),
        ("gym:CartPole-v1", InputError, "no transition table P"),
        ("no/such/world.npz", FileFormatError, "there is no file"),
        ("no/such/world.json", FileFormatError, "there is no file"),
    ],
)
def test_bad_environments(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message.replace("|", r"\|")):
        parse_environment(text)


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_damaged_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"world.{ending}"
    path.write_bytes(b"not a world")
    with pytest.raises(FileFormatError):
        parse_environment(str(path))
    chain(3).save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileFormatError):
        parse_environment(str(path))


def test_bad_discounts() -> None:
    for text in ("fourrooms:windy", "chain:3", "gym:FrozenLake-v1"):
        with pytest.raises(DiscountError):
            parse_environment(text, discount=1.5)


def test_indicator_goals() -> None:
    mdp = chain(4)
    assert parse_goals("indicator", mdp) == Goals.indicator(4)
    assert parse_goals("indicator:3,1", mdp) == Goals.indicator(4, [3, 1])
    assert parse_goals("indicator:2,terminating=false", mdp) == Goals.indicator(4, [2], terminating=False)
    assert parse_goals("indicator:terminating=false", mdp) == Goals.indicator(4, terminating=False)


def test_generic_goals() -> None:
    assert parse_goals("generic:3", chain(4)) == Goals.generic(4, 3, seed=0)
    assert parse_goals("generic:3,seed=9", chain(4)) == Goals.generic(4, 3, seed=9)


def test_gaussian_goals_stand_in_the_bounding_box() -> None:
    mdp = four_rooms()
    places = mdp.coordinates
    assert places is not None
    goals = parse_goals("gaussian:200,seed=3", mdp)
    assert goals == parse_goals("gaussian:200,seed=3", mdp)
    assert goals != parse_goals("gaussian:200,seed=4", mdp)
    width = float(np.sqrt(2))  # the box reaches from (1, 1) to (9, 9); an eighth of its diagonal
    assert goals == parse_goals(f"gaussian:200,seed=3,width={width!r}", mdp)
    # -2 width^2 log(reward) is the squared distance to the centre: linear in the centre after subtracting one state's.
    squared = -2 * width**2 * np.log(goals.rewards)
    system = 2 * (places[0] - places[1:])
    rights = squared[:, 1:] - squared[:, :1] - (places[1:] ** 2).sum(1) + (places[0] ** 2).sum()
    centres = np.linalg.lstsq(system, rights.T)[0].T
    assert ((centres > 1) & (centres < 9)).all()
    # A uniform centre has mean 5 and variance 64 / 12 in each coordinate: five standard errors.
    np.testing.assert_allclose(centres.mean(axis=0), 5.0, atol=5 * np.sqrt(64 / 12 / 200))
    assert pdist(goals.rewards.T).min() > 0


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", SpecificationError, "unknown goals ''; expected indicator"),
        ("indicators", SpecificationError, "unknown goals"),
        ("indicator:", SpecificationError, "names nothing behind the colon"),
        ("indicator:x", SpecificationError, "a goal state is 'x'"),
        ("indicator:1,,2", SpecificationError, "a goal state is ''"),
        ("indicator:-1", SpecificationError, "a goal state is '-1'"),
        ("indicator:1,seed=2", SpecificationError, "unknown option 'seed'"),
        ("indicator:1,terminating=maybe", SpecificationError, "terminating is 'maybe'"),
        ("indicator:4", GoalsError, "states contains 4; expected integers from 0 to 3"),
        ("generic", SpecificationError, "not of the form generic:K"),
        ("generic:", SpecificationError, "names nothing behind the colon"),
        ("generic:two", SpecificationError, "K is 'two'"),
        ("generic:2,seed=x", SpecificationError, "seed is 'x'"),
        ("generic:2,3", SpecificationError, "not of the form generic:K"),
        ("generic:0", GoalsError, "n_goals is 0"),
        ("gaussian:0", InputError, "centres"),
        ("gaussian:2,width=wide", SpecificationError, "width is 'wide'"),
        ("gaussian:2,width=0", GoalsError, "width is 0.0"),
        ("gaussian:2,width=nan", GoalsError, "width is nan"),
    ],
)
def test_bad_goals(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        parse_goals(text, chain(4))


def test_gaussian_goals_need_coordinates() -> None:
    with pytest.raises(SpecificationError, match="needs a world with coordinates; use generic:K"):
        parse_goals("gaussian:2", random_mdp(3, 2, seed=0))


def test_messages_are_one_line() -> None:
    for text in ("", "gym:CarRacing-v3", "gym:NoSuchThing-v0", "graph:", "random:n=0,m=1"):
        with pytest.raises(TabularInversionError) as caught:
            parse_environment(text)
        assert "\n" not in str(caught.value)


def test_gymnasium_missing(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingDependencyError, match=r"pip install gymnasium, or in a clone: pip install '\.\[gym\]'"):
        parse_environment("gym:FrozenLake-v1")


def test_import_is_light() -> None:
    code = "import sys, tabular_inversion.environments, tabular_inversion.interop; print(*sys.modules)"
    result = subprocess.run(  # our own interpreter and text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stdout.split()}
    assert "tabular_inversion" in loaded
    assert not loaded & {"networkx", "gymnasium", "sympy", "flint", "matplotlib"}
