"""Rows from files in blocks: the answers of memory, proofs that exact arithmetic confirms, and runs that go on."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP, AgentValues, Goals, Status, Supported, identify, solve, streaming
from tabular_inversion.environments import MOUNTAIN_CAR
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.recovery.certified_rows import can_certify, certified_rows
from tabular_inversion.streaming import invert_stream

compiled = pytest.mark.skipif(not can_certify(), reason="the extra scale is not installed")


def local_world(rng, n_states, n_actions, size):
    """Return a world of rows with at most `size` successors, with rare probabilities, and their supports."""
    kernel = np.zeros((n_states, n_actions, n_states))
    for row in kernel.reshape(-1, n_states):
        states = rng.choice(n_states, int(rng.integers(1, size + 1)), replace=False)
        weights = 2.0 ** -rng.integers(0, 12, len(states)).astype(float)
        row[states] = weights / weights.sum()
    return MDP(kernel, float(rng.choice([0.0, 0.5, 0.9, 0.99]))).sparse()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_goals=st.integers(1, 6), size=st.integers(1, 5), block=st.integers(1, 4000))
def test_a_stream_decides_what_identify_decides(tmp_path_factory, seed, n_goals, size, block):
    rng = np.random.default_rng(seed)
    world = local_world(rng, 8, 3, size)
    goals = Goals(rng.normal(size=(n_goals, 8)) * 2.0 ** rng.integers(-9, 9, (n_goals, 1)))
    agent, kernel_class = solve(world, goals), Supported.of(world)
    noise = np.array(agent.report.goal_errors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_BLOCK_BYTES", block)
        found = invert_stream(
            agent.q, goals, kernel_class, tmp_path_factory.mktemp("stream"), discount=world.discount, noise=noise
        )
    verdict = identify(agent, kernel_class)
    stated = found.status == Status.IDENTIFIED
    assert (verdict.row_status[stated] != Status.NOT_IDENTIFIED).all()
    missed = (verdict.row_status == Status.IDENTIFIED) & ~stated
    assert not missed.any()
    error = abs(found.kernel(kernel_class.support) - world.rows).max(axis=1).toarray().reshape(8, 3)
    assert (error <= np.where(stated, found.accuracy, 2.0)).all()


def exact_rank(rows):
    """Return the rank of rows of fractions."""
    rows, rank = [list(row) for row in rows], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / rows[rank][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


@compiled
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n_goals=st.integers(1, 5), small=st.integers(0, 60), error=st.sampled_from([0, -50]))
def test_what_is_proved_is_true_in_fractions(seed, n_goals, small, error):
    """M is singular up to 2^-small, and may be wrong by 2^error: no proof where a singular M is that near."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, n_goals + 2))
    tests = rng.integers(-8, 9, (size, n_goals)).astype(float) * 2.0 ** rng.integers(-30, 30, n_goals)
    if size > 2:  # the last state is an average of two others, but for a little
        tests[-1] = (tests[0] + tests[1]) / 2 + 2.0**-small * tests[-1]
    row = rng.integers(1, 8, size).astype(float)
    row = row / 2.0 ** np.ceil(np.log2(row.sum()))
    row[0] += 1.0 - row.sum()
    exact = [[Fraction(x) for x in state] for state in tests.tolist()]
    values = [sum(Fraction(p) * state[g] for p, state in zip(row.tolist(), exact, strict=True)) for g in range(n_goals)]
    bound = np.abs(tests).max(axis=0)
    doubts = np.full(tests.shape, 2.0**error if error else 0.0) * bound
    given_values = np.array([[float(value) for value in values]])
    found = certified_rows(
        tests, doubts, given_values, np.abs(given_values) * 2.0**-52, (np.array([0, size]), np.arange(size))
    )
    whole = [[*state, Fraction(1)] for state in exact]
    if found.proved[0]:
        assert exact_rank(whole) == size
        assert np.abs(found.weights - row).max() <= found.accuracy[0]
        if size > 2:  # no singular M lies within the errors
            shift = np.abs(tests[-1] - (tests[0] + tests[1]) / 2)
            assert (shift > doubts[-1]).any()


@compiled
def test_wrong_rows_are_left_and_not_called_identified():
    tests = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    shape = (np.array([0, 3]), np.arange(3))
    right = certified_rows(tests, 0 * tests, np.array([[0.25, 0.25]]), np.full((1, 2), 1e-15), shape)
    assert right.proved[0]
    outside = certified_rows(tests, 0 * tests, np.array([[0.75, 0.75]]), np.full((1, 2), 1e-15), shape)
    assert not outside.proved[0]
    # A third goal that no distribution explains together with the first two.
    more = np.column_stack([tests, [0.0, 1.0, 1.0]])
    args = np.full((1, 3), 1e-15), shape
    assert not certified_rows(more, 0 * more, np.array([[0.25, 0.25, 0.75]]), *args).proved[0]
    assert certified_rows(more, 0 * more, np.array([[0.25, 0.25, 0.5]]), *args).proved[0]
    # Equal columns, errors that hide a difference, and too few goals.
    assert not certified_rows(tests[[0, 1, 1]], 0 * tests, np.array([[0.25, 0.0]]), np.zeros((1, 2)), shape).proved[0]
    assert not certified_rows(tests, 0 * tests + 0.6, np.array([[0.25, 0.25]]), np.zeros((1, 2)), shape).proved[0]
    one = tests[:, :1].copy()
    assert not certified_rows(one, 0 * one, np.array([[0.25]]), np.zeros((1, 1)), shape).proved[0]


def test_a_run_that_was_interrupted_goes_on_from_a_file(tmp_path, monkeypatch):
    world = MOUNTAIN_CAR.mdp(20)
    goals, kernel_class = MOUNTAIN_CAR.goals("position", world), Supported.of(world)
    agent = solve(world, goals)
    np.save(tmp_path / "q.npy", agent.q)
    monkeypatch.setattr(streaming, "_BLOCK_BYTES", 2**12)
    asked = {"discount": world.discount, "noise": agent.report.goal_errors}

    def stop(done, _total):
        if done > 500:
            raise KeyboardInterrupt

    whole = invert_stream(tmp_path / "q.npy", goals, kernel_class, tmp_path / "whole", **asked)
    with pytest.raises(KeyboardInterrupt):
        invert_stream(tmp_path / "q.npy", goals, kernel_class, tmp_path / "part", progress=stop, **asked)
    again = invert_stream(tmp_path / "q.npy", goals, kernel_class, tmp_path / "part", **asked)
    assert again.bytes_read < whole.bytes_read
    for name in ("status", "weights", "accuracy"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    np.testing.assert_array_equal(
        whole.status == Status.IDENTIFIED, identify(agent, kernel_class).row_status == Status.IDENTIFIED
    )
    left = invert_stream(tmp_path / "q.npy", goals, kernel_class, tmp_path / "left", decide_rest=False, **asked)
    np.testing.assert_array_equal(left.weights, whole.weights)
    assert set(np.unique(left.status)) <= {int(Status.IDENTIFIED), int(Status.UNDECIDED)}
    with pytest.raises(InputError, match="other values or goals"):
        invert_stream(agent.q + 1e-3, goals, kernel_class, tmp_path / "part", **asked)
    with pytest.raises(ShapeError, match="q has shape"):
        invert_stream(agent.q[:1], goals, kernel_class, tmp_path / "other", **asked)


def test_float32_values_are_as_wrong_as_they_are(tmp_path):
    world = MOUNTAIN_CAR.mdp(20)
    goals, kernel_class = MOUNTAIN_CAR.goals("position", world), Supported.of(world)
    agent = solve(world, goals)
    q = agent.q.astype(np.float32)
    found = invert_stream(q, goals, kernel_class, tmp_path, discount=world.discount, noise=1e-9)
    error = abs(found.kernel(kernel_class.support) - world.rows).max(axis=1).toarray().reshape(found.status.shape)
    sure = (found.status == Status.IDENTIFIED) & np.isfinite(found.accuracy)
    assert sure.any()
    assert (error[sure] <= found.accuracy[sure]).all()
    noisy = identify(AgentValues(q, goals, world.discount, noise="float32"), kernel_class)
    assert not (noisy.row_status[sure] == Status.NOT_IDENTIFIED).any()
