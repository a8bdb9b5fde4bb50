"""What an agent shows: V and M by hand, refusals, masks, laws and files."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from tabular_inversion import MDP, AgentValues, Goals, SolverReport, storage
from tabular_inversion.agent_values import state_values
from tabular_inversion.bellman import evaluate, solve, solve_soft
from tabular_inversion.errors import AgentValuesError, DiscountError, FileFormatError, PolicyError, ShapeError
from tabular_inversion.strategies import goals as drawn_goals
from tabular_inversion.strategies import mdps, policies

QUICK = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
GOALS = Goals([[1.0, 2.0]], [[1.0, 0.0]])
Q = [[[1.0, 3.0], [2.0, -1.0]]]
MASK = np.array([[True, True], [True, False]])


def agent(**changes: Any) -> AgentValues:
    fields: dict[str, Any] = {"q": Q, "goals": GOALS, "discount": 0.5}
    return AgentValues(**(fields | changes))


@st.composite
def agents(draw: st.DrawFn) -> AgentValues:
    """An agent of any operator, in a drawn world, with or without action rewards and names of goals."""
    mdp = draw(mdps())
    goals = draw(drawn_goals(mdp.n_states, n_actions=draw(st.sampled_from([None, mdp.n_actions]))))
    names = draw(st.sampled_from([None, [f"goal {g}" for g in range(len(goals))]]))
    goals = Goals(goals.rewards, goals.continuation, goals.action_rewards, names)
    operator = draw(st.sampled_from(["max", "softmax", "policy", "policies"]))
    if operator == "max":
        return solve(mdp, goals)
    if operator == "softmax":
        return solve_soft(mdp, goals, draw(st.sampled_from([0.5, 2.0])))
    return evaluate(mdp, goals, draw(policies(mdp.available, n_goals=len(goals) if operator == "policies" else None)))


def test_values_by_hand() -> None:
    assert agent().operator == "max"
    assert agent().v.tolist() == [[3.0, 2.0]]
    assert agent().test_matrix.tolist() == [[2.5, 2.0]]
    mixed = agent(policy=[[0.25, 0.75], [1.0, 0.0]])
    assert mixed.operator == "policy"
    assert mixed.v.tolist() == [[2.5, 2.0]]
    assert agent(policy=[[[0.25, 0.75], [1.0, 0.0]]]).v.tolist() == mixed.v.tolist()
    soft = agent(temperature=2.0)
    assert soft.operator == "softmax"
    np.testing.assert_allclose(soft.v, [[2 * logsumexp([0.5, 1.5]), 2 * logsumexp([1.0, -0.5])]], rtol=1e-15)
    assert repr(soft) == "AgentValues(n_goals=1, n_states=2, n_actions=2, discount=0.5, operator='softmax')"


def test_an_unavailable_action_counts_for_nothing() -> None:
    q = [[[1.0, 3.0], [2.0, 99.0]]]
    masked = agent(q=q, available=MASK)
    assert masked.v.tolist() == [[3.0, 2.0]]
    assert np.isnan(masked.q[0, 1, 1])
    assert masked.row_index.tolist() == [0, 1, 2]
    assert masked.right_hand_sides.tolist() == [[1.0, 3.0, 2.0]]
    for unknown in (np.nan, np.inf, -np.inf):
        assert agent(q=[[[1.0, 3.0], [2.0, unknown]]], available=MASK) == masked
    assert agent(q=q, available=MASK, policy=[[0.5, 0.5], [1.0, 0.0]]).v.tolist() == [[2.0, 2.0]]
    assert agent(q=q, available=MASK, temperature=1e-3).v[0, 1] == 2.0


def test_action_rewards_are_subtracted_from_the_right_hand_sides() -> None:
    goals = Goals([[1.0, 2.0]], None, [[[0.5, 1.0], [0.0, 0.0]]])
    assert agent(goals=goals).right_hand_sides.tolist() == [[0.5, 2.0, 2.0, -1.0]]
    assert agent(goals=goals, available=MASK).right_hand_sides.tolist() == [[0.5, 2.0, 2.0]]


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"q": [[1.0, 2.0]]}, ShapeError, r"q has shape \(1, 2\)"),
        ({"q": 1.0}, ShapeError, "q has shape"),
        ({"q": [[[], []]]}, ShapeError, "q has shape"),
        ({"q": [[[1.0], [1.0]]] * 2}, ShapeError, "q has shape"),
        ({"q": [[[1.0]]]}, ShapeError, "q has shape"),
        ({"q": [[[1.0, 2.0], [1.0]]]}, AgentValuesError, "regular array"),
        ({"q": [[[1.0, -np.inf], [0.0, 0.0]]]}, AgentValuesError, r"-inf at \(g, s, a\) = \(0, 0, 1\)"),
        ({"q": [[[1.0, np.inf], [0.0, 0.0]]]}, AgentValuesError, "not finite"),
        ({"q": [[[1.0, np.inf], [0.0, 0.0]]], "available": MASK}, AgentValuesError, "not finite"),
        ({"q": [[[np.nan, np.nan], [np.nan, np.nan]]]}, AgentValuesError, "no value at all"),
        ({"v": [[1.0, np.inf]]}, AgentValuesError, "v is not finite"),
        ({"v": [[1.0]]}, ShapeError, "v has shape"),
        ({"v": [[1.0, 0.0]], "temperature": 1.0}, AgentValuesError, "both temperature and v"),
        ({"noise": -1.0}, AgentValuesError, "noise is -1"),
        ({"noise": "float128"}, AgentValuesError, "noise is 'float128'"),
        ({"noise": [1.0]}, ShapeError, "noise has shape"),
        ({"test_noise": "float32"}, AgentValuesError, "test_noise is 'float32'"),
        ({"discount": [0.5, 0.25]}, ShapeError, "discount has shape"),
        ({"transition_rewards": np.zeros((1, 2, 2))}, ShapeError, "transition_rewards has shape"),
        ({"state_names": ["a", "a"]}, AgentValuesError, "state_names repeats 'a'"),
        ({"coordinates": [[0.0]]}, ShapeError, "coordinates has shape"),
        ({"q": [[[1j, 0.0], [0.0, 0.0]]]}, AgentValuesError, "complex"),
        ({"q": [[[1j, 0.0], [0.0, 0.0]]], "available": MASK}, AgentValuesError, "complex"),
        ({"q": [[["x", 0.0], [0.0, 0.0]]]}, AgentValuesError, "real numbers"),
        ({"q": [[["x", 0.0], [0.0, 0.0]]], "available": MASK}, AgentValuesError, "real numbers"),
        ({"discount": 1.5}, DiscountError, "discount"),
        ({"discount": -0.1}, DiscountError, "discount"),
        ({"discount": np.nan}, DiscountError, "discount"),
        ({"policy": [[1.0, 0.0]]}, ShapeError, "policy"),
        ({"policy": [[[1.0, 0.0], [1.0, 0.0]]] * 2}, ShapeError, "policy"),
        ({"policy": [[0.5, 0.4], [1.0, 0.0]]}, PolicyError, "sum"),
        ({"policy": [[1.0, 0.0], [0.5, 0.5]], "available": MASK}, PolicyError, "unavailable action"),
        ({"policy": [[1.0, 0.0], [1.0]]}, PolicyError, "regular array"),
        ({"policy": [[1.0, 0.0], [1.0, 0.0]], "temperature": 1.0}, AgentValuesError, "both policy and temperature"),
        ({"temperature": 0.0}, AgentValuesError, "temperature"),
        ({"temperature": -1.0}, AgentValuesError, "temperature"),
        ({"temperature": np.inf}, AgentValuesError, "temperature"),
        ({"temperature": "hot"}, AgentValuesError, "temperature"),
        ({"available": [[True, True]]}, ShapeError, "available"),
        ({"available": [[1, 1], [1, 0]]}, ShapeError, "available"),
        ({"available": [[True, True], [False, False]]}, AgentValuesError, "state 1 has no available action"),
        ({"goals": Goals([[1.0, 2.0]], None, [[[1.0], [1.0]]])}, ShapeError, "action_rewards"),
    ],
)
def test_what_no_agent_shows_is_refused(changes: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        agent(**changes)


@pytest.mark.parametrize("size", [1e300, 1e-300, 5e-324, -1e300])
@pytest.mark.parametrize("temperature", [1e-300, 1.0, 1e300])
def test_soft_values_of_extreme_size_are_finite(size: float, temperature: float) -> None:
    soft = agent(q=[[[size, -size], [size, size]]], temperature=temperature)
    with np.errstate(all="raise", under="ignore"):
        values = soft.v
    assert np.isfinite(values).all()
    assert (values >= np.abs(size) * np.array([1.0, np.sign(size)])).all()
    assert (values <= np.abs(size) + temperature * np.log(2) * (1 + 1e-15)).all()


@pytest.mark.parametrize("n_actions", [1, 2, 8, 9, 20])
def test_the_best_of_few_and_of_many_actions(n_actions: int) -> None:
    q = np.random.default_rng(0).standard_normal((2, 3, n_actions))
    best = state_values(q, np.ones((3, n_actions), bool))
    np.testing.assert_array_equal(best, np.max(q, axis=2))
    q[:, :, 0] = np.nan
    mask = np.ones((3, n_actions + 1), bool)
    mask[:, 0] = False
    wider = np.concatenate([q[:, :, :1], q], axis=2)
    wider[:, :, 1] = -1e300
    np.testing.assert_array_equal(state_values(wider, mask), wider[:, :, 1:].max(axis=2))


def test_soft_values_tend_to_the_best_value() -> None:
    np.testing.assert_allclose(agent(temperature=1e-9).v, agent().v, rtol=0, atol=1e-9)


def test_agents_are_read_only_and_do_not_share_memory() -> None:
    q = np.array(Q)
    shown = agent(q=q)
    q[:] = 9.0
    assert shown == agent()
    for array in (shown.q, shown.v, shown.test_matrix, shown.available):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        shown.discount = 0.1  # type: ignore[misc]


def test_equality() -> None:
    report = SolverReport("dense", 1, 0.0, converged=True)
    different = [
        {"q": [[[1.0, 3.0], [2.0, 0.0]]]},
        {"goals": Goals([[1.0, 2.0]])},
        {"discount": 0.4},
        {"policy": [[1.0, 0.0], [1.0, 0.0]]},
        {"temperature": 1.0},
        {"available": MASK},
        {"report": report},
    ]
    assert all(agent(**changes) != agent() for changes in different)
    assert all(agent(**changes) == agent(**changes) for changes in different)
    assert agent(policy=[[1.0, 0.0], [1.0, 0.0]]) != agent(policy=[[0.0, 1.0], [1.0, 0.0]])
    assert agent() != "agent"
    with pytest.raises(TypeError):
        hash(agent())


@QUICK
@given(agents())
def test_the_state_values_are_those_of_the_operator(shown: AgentValues) -> None:
    for g, s in np.ndindex(shown.v.shape):
        q = shown.q[g, s, shown.available[s]]
        if shown.policy is not None:
            policy = shown.policy if shown.policy.ndim == 2 else shown.policy[g]
            expected = policy[s, shown.available[s]] @ q
        else:
            expected = q.max() if shown.temperature is None else shown.temperature * logsumexp(q / shown.temperature)
        # A handful of roundings of values below 1000.
        assert abs(shown.v[g, s] - expected) <= 1e-11
    m = shown.goals.rewards + shown.discount * shown.goals.continuation * shown.v
    np.testing.assert_array_equal(shown.test_matrix, m)
    np.testing.assert_array_equal(
        state_values(shown.q, shown.available, policy=shown.policy, temperature=shown.temperature), shown.v
    )


@QUICK
@given(mdps(), st.data())
def test_every_available_row_satisfies_the_bellman_equation(mdp: MDP, data: st.DataObject) -> None:
    goals = data.draw(drawn_goals(mdp.n_states, n_actions=mdp.n_actions))
    shown = solve(mdp, goals)
    rows = mdp.dense().rows[shown.row_index]
    # The solver's tolerance: 1e-10 of values below 600.
    np.testing.assert_allclose(shown.test_matrix @ rows.T, shown.right_hand_sides, rtol=0, atol=1e-7)


@QUICK
@given(agents(), st.data())
def test_selecting_goals(shown: AgentValues, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, shown.n_goals - 1), min_size=1, max_size=3, unique=True))
    part = shown.select_goals(chosen)
    np.testing.assert_array_equal(part.q, shown.q[chosen])
    np.testing.assert_array_equal(part.test_matrix, shown.test_matrix[chosen])
    np.testing.assert_array_equal(part.right_hand_sides, shown.right_hand_sides[chosen])
    assert part.goals == shown.goals.select(chosen)
    assert shown.select_goals(range(shown.n_goals)) == shown


@QUICK
@given(agents(), st.data())
def test_renaming_states(shown: AgentValues, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(shown.n_states))))
    renamed = shown.permute_states(order)
    np.testing.assert_array_equal(renamed.q, shown.q[:, order])
    np.testing.assert_array_equal(renamed.test_matrix, shown.test_matrix[:, order])
    np.testing.assert_array_equal(renamed.available, shown.available[order])
    assert renamed.permute_states(np.argsort(order)) == shown


@pytest.mark.parametrize("order", [[0], [0, 0], [0, 2], [0, 1, 1], []])
def test_orders_that_are_no_permutation_are_refused(order: Any) -> None:
    with pytest.raises(ValueError, match="order"):
        agent().permute_states(order)


@pytest.mark.parametrize("chosen", [[1], [-1], [], [0.0], [True]])
def test_choices_of_goals_that_are_none_are_refused(chosen: Any) -> None:
    with pytest.raises(ValueError, match="goals"):
        agent().select_goals(chosen)


def test_noise_is_bounded_and_repeats_with_its_seed() -> None:
    noisy = agent(report=SolverReport("dense", 1, 0.0, converged=True)).with_noise(0.1, seed=5)
    gap = np.abs(noisy.q - agent().q)
    assert 0 < gap.max() <= 0.1
    assert noisy == agent().with_noise(0.1, seed=np.random.default_rng(5))
    assert noisy.report is None
    assert agent().with_noise(0.0, seed=5) == agent()


@QUICK
@given(shown=agents(), ending=st.sampled_from([".npz", ".json"]))
def test_agents_come_back_from_files_exactly(tmp_path: Path, shown: AgentValues, ending: str) -> None:
    path = tmp_path / f"agent{ending}"
    shown.save(path)
    found = AgentValues.load(path)
    assert found == shown
    assert found.q.tobytes() == shown.q.tobytes()
    assert (found.operator, found.report, found.goals.names) == (shown.operator, shown.report, shown.goals.names)


def test_numpy_scalars_are_saved(tmp_path: Path) -> None:
    shown = agent(discount=np.float32(0.5), temperature=np.float32(0.25))
    shown.save(tmp_path / "agent.json")
    assert AgentValues.load(tmp_path / "agent.json") == shown


@pytest.mark.parametrize("ending", [".npz", ".json"])
def test_damaged_agents_are_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"agent{ending}"
    agent().save(path)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with pytest.raises(FileFormatError, match="truncated"):
        AgentValues.load(path)
    path.write_bytes(pickle.dumps(Q))
    with pytest.raises(FileFormatError):
        AgentValues.load(path)
    MDP([[[1.0]]], 0.5).save(path)
    with pytest.raises(FileFormatError, match="holds 'mdp', not 'agent-values'"):
        AgentValues.load(path)
    path.unlink()
    with pytest.raises(FileFormatError, match="there is no file"):
        AgentValues.load(path)


def test_a_file_whose_content_is_no_agent_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    agent().save(path)
    content = storage.read(path, "agent-values")
    arrays = {name: np.ones((1, 1, 1)) if array.shape == (1, 2, 2) else array for name, array in content[0].items()}
    storage.write(path, "agent-values", arrays, content[1])
    with pytest.raises(FileFormatError, match=r"agent\.json does not hold what its kind promises.*q has shape"):
        AgentValues.load(path)
