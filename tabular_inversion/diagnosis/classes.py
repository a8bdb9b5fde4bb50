"""Worlds outside the class that was given: a wider class, or entries that its support lacks."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import IntArray
from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.trials import Trial, nearest_rows
from tabular_inversion.kernel_classes import Stochastic, Supported, Unconstrained

_MOST_TRIALS = 200_000
_ROUNDS = 2
_SHOWN = 3


def wider_classes(case: Case) -> list[Trial]:
    """Look among all distributions, and among all vectors where these could fail to fit."""
    agent, trials = case.agent, []
    if case.kernel_class not in (Unconstrained(), Stochastic()):
        text = f"the rows are no members of class {case.kernel_class.name}, but distributions"
        trials.append(case.trial(text, "identify(agent, Stochastic())", kernel_class=Stochastic()))
    if case.kernel_class.sums_to_one and agent.n_goals > agent.n_states:
        text = "the rows are no distributions: they leak, or are weighed"
        trials.append(case.trial(text, "identify(agent, Unconstrained())", kernel_class=Unconstrained()))
    return trials


def wrong_support(case: Case) -> list[Trial]:
    """Look for successors that the support lacks, at most two for each row."""
    found = case.kernel_class
    if not isinstance(found, Supported):
        return []
    added: list[tuple[int, int]] = []
    for _ in range(_ROUNDS):
        bad = np.flatnonzero(~case.fit(case.trial("", "", kernel_class=found)).row_fits)
        if not bad.size or bad.size * case.agent.n_states > _MOST_TRIALS:
            break
        more = _best_additions(case, found, bad)
        added += more
        found = _with(found, more)
    if not added:
        return []
    agent, names = case.agent, case.agent.state_names
    places = [
        f"({agent.name_of(*divmod(row, agent.n_actions))}) -> {to if names is None else names[to]}" for row, to in added
    ]
    shown = ", ".join(places[:_SHOWN]) + (f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")
    text = f"the support lacks {len(added)} successor{'s' * (len(added) > 1)}: {shown}"
    return [case.trial(text, "identify(agent, Supported(support with these))", kernel_class=found)]


def _best_additions(case: Case, found: Supported, bad: IntArray) -> list[tuple[int, int]]:
    """Return for each row that is not explained the successor that brings it nearest to its values."""
    agent = case.agent
    n, numbers = agent.n_states, agent.row_index[bad]
    own = found.known_supports(numbers).toarray()
    wide = np.repeat(own, n, axis=0)  # row i, with state t added, is number i * n + t
    wide[np.arange(len(wide)), np.tile(np.arange(n), len(bad))] = True
    values = agent.right_hand_sides[:, bad].repeat(n, axis=1)
    everything = np.ones(values.shape, bool)
    rows = nearest_rows(agent.test_matrix, values, everything, Supported(csr_array(wide)), np.arange(len(wide)))
    misfit = np.linalg.norm(np.asarray(rows @ agent.test_matrix.T).T - values, axis=0)
    sizes = np.where(own, np.inf, misfit.reshape(len(bad), n))
    return [(int(row), int(to)) for row, to in zip(numbers, sizes.argmin(axis=1), strict=True)]


def _with(found: Supported, added: list[tuple[int, int]]) -> Supported:
    rows, columns = (np.array(part) for part in zip(*added, strict=True))
    extra = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=found.support.shape)
    return Supported(csr_array(found.support + extra))
