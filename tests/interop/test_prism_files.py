"""PRISM's explicit files: what is written comes back, what is wrong is named with its line."""

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import FileFormatError, GoalsError, InputError, KernelError
from tabular_inversion.interop import read_prism, write_prism

DIE = """\
3 4 6
0 0 1 0.5 toss
0 0 2 0.5 toss
0 1 0 1 wait
1 0 0 1/3
1 0 1 2/3
2 0 2 1
"""


def written(folder, text, name="model.tra"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_comes_back(tmp_path, seed):
    world = random_mdp(6, 2, branching=3, seed=seed, discount=0.9)
    goals = Goals(np.random.default_rng(seed).normal(size=(1, 6)))
    files = write_prism(world, tmp_path / "world.tra", goals, labels={"goal": np.arange(6) == 5})
    assert [file.suffix for file in files] == [".tra", ".trew", ".lab"]
    model = read_prism(tmp_path / "world.tra", discount=0.9)
    assert model.environment.mdp == world
    assert set(model.labels) == {"init", "goal"}
    assert model.labels["goal"].nonzero()[0].tolist() == [5]
    found = model.environment
    np.testing.assert_allclose(solve(found.mdp, found.native_goals).v, solve(world, goals).v, atol=1e-10)


def test_action_names_fractions_and_choices_are_read(tmp_path):
    path = written(tmp_path, DIE)
    written(tmp_path, "3 1\n1 2.5\n", "model.srew")
    found = read_prism(path, discount=0.5).environment
    np.testing.assert_array_equal(found.mdp.available, [[True, True], [True, False], [True, False]])
    np.testing.assert_array_equal(found.mdp.dense().kernel[1, 0], [1 / 3, 2 / 3, 0])
    assert found.native_goals.action_rewards[0].tolist() == [[0.0, 0.0], [2.5, 0.0], [0.0, 0.0]]


def test_a_markov_chain_has_one_action(tmp_path):
    found = read_prism(written(tmp_path, "2 3\n0 0 0.25\n0 1 0.75\n1 1 1\n"), discount=0.9).environment
    assert found.mdp == MDP([[[0.25, 0.75]], [[0.0, 1.0]]], discount=0.9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("0 1\n1 2\n", "line 2: 2 words; expected 'state next probability'"),
        ("a b c\n", "line 1: 'a' is not a number in the header"),
        ("2 2 2\n0 0 1 1\n1 0 2 1\n", "line 3: state 2; the header promises 2"),
        ("2 2 3\n0 0 1 1\n1 0 1 1\n", "promises 3 transitions; found 2. It may be cut"),
        ("2 2 2\n0 0 1 1\n1 0 1\n", "line 3: 3 words"),
        ("2 2 2\n0 0 1 half\n1 0 1 1\n", "line 2: 'half' is no number"),
        ("2 3 2\n0 0 1 1\n1 0 1 1\n", "promises 3 choices; found 2"),
        ("2 2 2\n0 0 -1 1\n1 0 1 1\n", "line 2: '-1' is not a state"),
        ("2 1 2 3 4\n", "begins with 'states choices transitions'"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(FileFormatError, match=message):
        read_prism(written(tmp_path, text), discount=0.9)


def test_rows_that_are_no_distributions_and_files_that_are_missing_are_refused(tmp_path):
    with pytest.raises(KernelError, match=r"state 0, action 0 sums to 0\.5"):
        read_prism(written(tmp_path, "1 1 1\n0 0 0 0.5\n"), discount=0.9)
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_prism(tmp_path / "none.tra", discount=0.9)
    written(tmp_path, "3 4 1\n2 0 0 5\n", "model.trew")
    path = written(tmp_path, DIE)
    with pytest.raises(FileFormatError, match="no transition of the"):
        read_prism(path, discount=0.9)


def test_what_prism_cannot_say_is_refused(tmp_path):
    world = MDP([[[0.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], 0.9, [[False, True], [True, True]])
    with pytest.raises(InputError, match="state 0 lacks an action before"):
        write_prism(world, tmp_path / "a.tra")
    with pytest.raises(InputError, match=r"does not end in \.tra"):
        write_prism(world, tmp_path / "a.txt")
    chain = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)
    with pytest.raises(GoalsError, match="ends at state 1"):
        write_prism(chain, tmp_path / "a.tra", Goals.indicator(2, [1]))
    assert not list(tmp_path.iterdir())
