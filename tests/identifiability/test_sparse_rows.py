"""Rows with few successors: an integer program is a witness that is cross-examined, never a judge."""

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Sparse, identify, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.identifiability import Status, sparse_rows


def one_row(rewards, row):
    kernel = np.zeros((len(row), 1, len(row)))
    kernel[:, 0, 0] = 1.0
    kernel[0, 0] = row
    return solve(MDP(kernel, 0.0), Goals(rewards))


@pytest.mark.parametrize("exponent", range(10, 41, 2))
def test_a_rare_successor_that_another_could_replace_is_never_identified(exponent):
    # (1 - 2e) e1 + 2e e3 has the same value: NOT_IDENTIFIED in fractions for every e.
    e = 2.0**-exponent
    status = identify(one_row([[1.0, 0.0, 0.5]], [1.0 - e, e, 0.0]), Sparse(2)).row_status[0, 0]
    assert status in (Status.NOT_IDENTIFIED, Status.UNDECIDED)
    if exponent <= 16:
        assert status == Status.NOT_IDENTIFIED


def test_enumeration_proves_that_there_is_no_other_row():
    world = random_mdp(7, 2, branching=2, seed=1, discount=0.9)
    verdict = identify(solve(world, Goals.generic(7, 4, seed=1)), Sparse(2))
    assert (verdict.row_status == Status.IDENTIFIED).all()
    refuted = identify(solve(world, Goals.generic(7, 1, seed=1)), Sparse(2))
    assert (refuted.row_status == Status.NOT_IDENTIFIED).all()


@pytest.mark.parametrize("answer", ["nothing", "nonsense"])
def test_what_an_integer_program_says_alone_decides_nothing(answer, monkeypatch):
    class Claim:
        status, x = (2, None) if answer == "nothing" else (0, np.full(14, 0.5))

    monkeypatch.setattr(sparse_rows, "MAX_SUPPORTS", 0)
    monkeypatch.setattr(sparse_rows, "integer_program", lambda *_, **__: Claim)
    agent = solve(random_mdp(7, 2, branching=2, seed=1, discount=0.9), Goals.generic(7, 1, seed=1))
    status = identify(agent, Sparse(2)).row_status
    assert (status == Status.UNDECIDED).all()


def test_an_integer_program_may_find_another_row(monkeypatch):
    monkeypatch.setattr(sparse_rows, "MAX_SUPPORTS", 0)
    verdict = identify(one_row([[1.0, 0.0, 0.5]], [0.5, 0.5, 0.0]), Sparse(2))
    assert verdict.row_status[0, 0] == Status.NOT_IDENTIFIED
