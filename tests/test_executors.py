"""Rows as work items: who decides them, in how many pieces, and which workers die on the way changes no answer."""

import os
import signal
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import issparse

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability import Verdict
from tabular_inversion.identifiability.pieces import grain
from tabular_inversion.inversion import Inversion
from tabular_inversion.parallel import WorkerPool, executor_of, run_pieces

CLASSES = {
    "unconstrained": lambda _: Unconstrained(),
    "stochastic": lambda _: Stochastic(),
    "supported": Supported.of,
    "sparse": lambda _: Sparse(2),
    "deterministic": lambda _: Deterministic(),
}


def case(name, n_goals, seed, noise=None):
    """Return an agent of more rows than one piece holds, on uneven scales, and the class to look in."""
    rng = np.random.default_rng(seed)
    branching = {"sparse": 2, "deterministic": 1}.get(name, 3)
    world = random_mdp(9, 3, branching=branching, discount=0.9, seed=seed)
    available = np.ones((9, 3), bool)
    available[rng.integers(9), 2] = False
    kernel = np.where(available[:, :, None], world.dense().kernel, 0.0)
    world = MDP(kernel, 0.9, available)
    rewards = rng.normal(size=(n_goals, 9)) * 2.0 ** rng.integers(-20, 20, (n_goals, 1))
    agent = solve(world, Goals(rewards))
    if noise is not None:
        agent = type(agent)(agent.q, agent.goals, agent.discount, available=available, noise=noise)
    return agent, CLASSES[name](world)


def same_kernels(first, second, identified):
    first, second = (each.toarray() if issparse(each) else each.reshape(-1, each.shape[-1]) for each in (first, second))
    np.testing.assert_allclose(first[identified.ravel()], second[identified.ravel()], atol=1e-7)


@pytest.mark.parametrize("name", CLASSES)
@settings(max_examples=6, deadline=None)
@given(n_goals=st.integers(1, 9), seed=st.integers(0, 10**6), workers=st.integers(1, 4))
def test_the_number_of_workers_changes_no_bit(name, n_goals, seed, workers):
    agent, kernel_class = case(name, n_goals, seed)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(workers) as several:
        for ask in (identify, invert):
            first, second = (ask(agent, kernel_class, executor=executor) for executor in (one, several))
            assert first == second
        assert identify(agent, kernel_class, scope="uniform", executor=one) == identify(
            agent, kernel_class, scope="uniform", executor=several
        )


@pytest.mark.parametrize("name", CLASSES)
@settings(max_examples=6, deadline=None)
@given(n_goals=st.integers(1, 9), seed=st.integers(0, 10**6), data=st.data())
def test_any_split_gives_the_same_statuses_evidence_and_rows(name, n_goals, seed, data):
    agent, kernel_class = case(name, n_goals, seed)
    whole = invert(agent, kernel_class)
    parts = np.array(data.draw(st.lists(st.integers(0, 2), min_size=26, max_size=26)))
    splits = [agent.row_index[parts == part] for part in range(3) if (parts == part).any()]
    pieces = [invert(agent, kernel_class, rows=rows) for rows in splits]
    joined = Inversion.merge(pieces)
    assert joined.decided.sum() == 26
    with ThreadPoolExecutor(2) as executor:
        for other in (joined, invert(agent, kernel_class, executor=executor)):
            np.testing.assert_array_equal(other.verdict.row_status, whole.verdict.row_status)
            np.testing.assert_array_equal(other.verdict.row_evidence, whole.verdict.row_evidence)
            assert (other.rank, other.verdict.rank) == (whole.rank, whole.verdict.rank)
            same_kernels(other.kernel, whole.kernel, whole.verdict.row_status == Status.IDENTIFIED)
    merged = Verdict.merge([identify(agent, kernel_class, rows=rows) for rows in splits])
    np.testing.assert_array_equal(merged.row_status, whole.verdict.row_status)


def test_a_verdict_of_many_hands_survives_its_own_check_and_says_where_rows_are_inconsistent():
    agent, kernel_class = case("stochastic", 9, 3)
    q = agent.q.copy()
    q[:, 4, 1] += 7.0 * np.nanmax(np.abs(q))
    wrong = type(agent)(q, agent.goals, agent.discount, available=agent.available)
    with ThreadPoolExecutor(2) as executor:
        verdict = identify(wrong, kernel_class, executor=executor)
    verdict.verify()
    assert verdict.row_status[4, 1] == Status.INCONSISTENT
    assert "state 4, action 1" in verdict.reason or verdict.status is Status.INCONSISTENT


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_noise_and_priors_reach_the_workers(noise):
    agent, kernel_class = case("stochastic", 9, 5, noise=noise)
    prior = None
    if not noise:
        prior = np.full((len(agent.row_index), 9), 1 / 9)
        prior[0] = np.eye(9)[0]
    with ThreadPoolExecutor(2) as executor:
        many = invert(agent, kernel_class, executor=executor, prior=prior)
    alone = invert(agent, kernel_class, prior=prior)
    np.testing.assert_array_equal(many.verdict.row_status, alone.verdict.row_status)
    np.testing.assert_allclose(many.kernel, alone.kernel, atol=1e-6)


def test_how_far_noisy_rows_are_drawn_to_a_prior_is_not_left_to_pieces():
    agent, kernel_class = case("stochastic", 9, 5, noise=1e-6)
    with ThreadPoolExecutor(1) as executor, pytest.raises(InputError, match="leave the executor out"):
        invert(agent, kernel_class, executor=executor, prior=np.full(9, 1 / 9))


def test_what_is_left_out_is_no_row_and_no_world():
    agent, kernel_class = case("stochastic", 9, 1)
    part = invert(agent, kernel_class, rows=[0, 1])
    assert np.isnan(part.kernel[1]).all()
    with pytest.raises(InputError, match="24 rows were left out"):
        part.to_mdp()
    with pytest.raises(InputError, match="two verdicts decided"):
        Inversion.merge([part, part])
    with pytest.raises(InputError, match="seconds and executor"):
        identify(agent, kernel_class, seconds=1.0, executor=ThreadPoolExecutor(1))
    with pytest.raises(InputError, match="executor is of type int"):
        identify(agent, kernel_class, executor=3)


@pytest.mark.parametrize("noise", [None, 1e-3])
def test_value_equivalence_takes_rows_and_workers(noise):
    agent, kernel_class = case("stochastic", 4, 2)
    whole = value_equivalence(agent, kernel_class, noise=noise)
    with ThreadPoolExecutor(2) as executor:
        many = value_equivalence(agent, kernel_class, noise=noise, executor=executor)
        for mine, theirs in zip(many.bounds(executor=executor), whole.bounds(), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-7)
    np.testing.assert_array_equal(many.dimension, whole.dimension)
    some = value_equivalence(agent, kernel_class, noise=noise, rows=agent.row_index[3:5])
    lower = some.bounds().lower.reshape(-1, 9)
    assert np.isfinite(lower[agent.row_index[3:5]]).all()
    assert np.isnan(np.delete(lower, agent.row_index[3:5], axis=0)).all()


# Workers that die.


def die_once(marker):
    """End this worker a moment after it has started, unless another one did so before."""
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return

    def end():
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=end, daemon=True).start()


def slowly(shared, piece):
    time.sleep(0.02)
    return float(shared["array"][piece])


def die_in(marker, piece):
    """Kill the worker that does piece 3, but for the last time."""
    if piece == 3 and os.getpid() != int(marker[1]):
        (Path(marker[0]) / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return piece * 2


@pytest.mark.slow
def test_a_killed_worker_of_somebodys_pool_loses_nothing(tmp_path):
    array = np.arange(40.0)
    ticks = []
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=die_once, initargs=(tmp_path / "died",))
    with pool:
        found = run_pieces(slowly, {"array": array}, range(40), pool, lambda done, total: ticks.append((done, total)))
    assert found == array.tolist()
    assert (tmp_path / "died").exists()
    assert ticks[-1] == (40, 40)
    assert [done for done, _ in ticks] == sorted(done for done, _ in ticks)


@pytest.mark.slow
def test_our_own_pool_is_replaced_and_a_deadly_piece_is_done_here(tmp_path):
    with WorkerPool(2) as pool:
        assert run_pieces(die_in, (str(tmp_path), os.getpid()), range(6), pool) == [0, 2, 4, 6, 8, 10]
    assert len(list(tmp_path.iterdir())) == 3  # three pools were tried


def test_a_killed_worker_changes_no_bit_of_a_verdict(tmp_path):
    agent, kernel_class = case("stochastic", 5, 8)
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=die_once, initargs=(tmp_path / "died",))
    with pool, ThreadPoolExecutor(1) as threads:
        assert identify(agent, kernel_class, executor=pool) == identify(agent, kernel_class, executor=threads)
        assert (tmp_path / "died").exists()


def fails(_shared, piece):
    raise ValueError(f"piece {piece} is wrong")


class Refusing(Executor):
    """An executor that is closed."""

    def submit(self, *_arguments, **_options):
        raise RuntimeError("cannot schedule new futures after shutdown")


def test_an_error_of_a_piece_is_raised_and_not_taken_for_a_lost_worker():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="is wrong"):
        run_pieces(fails, None, [1, 2], executor)
    with pytest.raises(RuntimeError, match="after shutdown"):
        run_pieces(fails, None, [1], Refusing())


def test_progress_is_told_while_nothing_comes_back():
    ticks = []
    with ThreadPoolExecutor(1) as executor:
        run_pieces(lambda _shared, piece: time.sleep(piece), None, [1.3], executor, lambda *each: ticks.append(each))
    assert ticks == [(0, 1), (1, 1)]


def test_executors_are_named_one_at_a_time():
    with pytest.raises(InputError, match="name one of them"), executor_of(2, "tcp://localhost:1"):
        pass
    with pytest.raises(InputError, match="workers is 0"), executor_of(0):
        pass


@settings(max_examples=200, deadline=None)
@given(n_rows=st.integers(1, 10**9))
def test_pieces_are_few_and_not_tiny(n_rows):
    assert 1 <= -(-n_rows // grain(n_rows)) <= 64
    assert grain(n_rows) >= min(n_rows, 16)


# A cluster.


def busy(shared, piece):
    time.sleep(0.1)
    return float(shared[piece])


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_midway_loses_nothing():
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    agent, kernel_class = case("stochastic", 5, 8)
    array = np.arange(40.0)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        with ThreadPoolExecutor(1) as threads:
            expected = invert(agent, kernel_class, executor=threads)
        assert invert(agent, kernel_class, executor=client) == expected
        assert invert(agent, kernel_class, executor=client.get_executor()) == expected
        victim = next(iter(cluster.workers.values())).pid
        killed = []

        def watch(done, _total):
            if done >= 5 and not killed:
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)

        assert run_pieces(busy, array, range(40), client, watch) == array.tolist()
        assert killed
        assert invert(agent, kernel_class, executor=client) == expected


@pytest.mark.slow
def test_no_scheduler_is_one_clear_line():
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with pytest.raises(InputError, match="no scheduler answers"), executor_of(None, "tcp://127.0.0.1:9"):
        pass
