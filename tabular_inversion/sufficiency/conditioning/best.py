"""Among goal sets that cost the same, the one whose worst row is conditioned best."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, islice
from math import comb

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.records import Record
from tabular_inversion.sufficiency.conditioning.predicted import conditioning
from tabular_inversion.sufficiency.conditioning.spans import Scenario

MAX_WORK = 3e8
"""All sets are compared if that takes at most so many multiplications; else goals are exchanged one by one."""

N_ALTERNATIVES = 4
"""How many other sets are kept."""

_CHUNK = 2**21  # entries of equations at a time
_STEP = 2e6  # rows times goals times sets of goals
_MAX_CHECKS = 2000  # sets whose demand is checked, best conditioned first
_MAX_ROUNDS = 30
_BETTER = 1.0 + 1e-6  # Gram matrices give squares of singular values: smaller gains are rounding


@dataclass(frozen=True, eq=False)
class BestSet(Record):
    """The best conditioned set found.

    Attributes
    ----------
    goals : tuple of int
        The set, ascending.
    alternatives : tuple of tuple of int
        The next best sets, best first.
    proved : bool
        Whether all sets of that price were compared.
    """

    goals: tuple[int, ...]
    alternatives: tuple[tuple[int, ...], ...]
    proved: bool


@dataclass(frozen=True, eq=False)
class Contest:
    """What sets compete in.

    Attributes
    ----------
    scenarios : tuple of Scenario
        The worst row of all of them counts.
    coverage : float
        The share of rows that count, in each scenario: the best ones.
    given : tuple of int
        Goals in every set.
    free : tuple of int
        Goals to choose from.
    price : callable
        What a list of goals costs.
    met : callable
        Whether a list of goals meets the demand.
    end : float
        Of `time.monotonic`: until when to look.
    """

    scenarios: tuple[Scenario, ...]
    coverage: float
    given: tuple[int, ...]
    free: tuple[int, ...]
    price: Callable[[list[int]], float]
    met: Callable[[list[int]], bool]
    end: float

    def sigmas(self, sets: IntArray) -> FloatArray:
        """Return the worst smallest singular value of each set of goals, (B, s) to (B,)."""
        result: FloatArray = np.min([_sigmas(scenario, sets, self.coverage) for scenario in self.scenarios], axis=0)
        return result

    def sigma(self, goals: tuple[int, ...] | list[int]) -> float:
        """Return the worst smallest singular value of one set, by decompositions and not by Gram matrices."""
        found = []
        for scenario in self.scenarios:
            values = conditioning(scenario.matrix[list(goals)], scenario.sets).sigma
            found.append(_counted(scenario, values[None], self.coverage)[0])
        return float(min(found))


def best_conditioned(contest: Contest, start: list[int]) -> BestSet:
    """Return the best conditioned set among those that cost at most as much as one that meets the demand."""
    price = contest.price(start) * (1.0 + 1e-12)
    start_set = tuple(sorted(start))
    rows = sum(len(s.sets.needed) for s in contest.scenarios)
    left = price - contest.price(list(contest.given))
    free = tuple(goal for goal in contest.free if contest.price([goal]) <= left)
    prices = sorted(contest.price([goal]) for goal in free)
    unequal = len(set(prices)) > 1
    most = int((np.cumsum(prices) <= left).sum())
    sizes = range(most + 1) if unequal else [len(start) - len(contest.given)]
    count = sum(comb(len(free), size) for size in sizes)
    unknowns = max((int(s.sets.needed.max(initial=1)) for s in contest.scenarios), default=1)
    each = len(start) * unknowns**2 + (20 * unknowns**3 if unknowns > 2 else 0)
    if rows == 0 or count == 0:
        return BestSet(start_set, (), True)
    if count * rows * each > MAX_WORK:
        return BestSet(_exchanged(contest, start, price), (), False)
    sets = [
        contest.given + chosen
        for chosen in chain.from_iterable(combinations(free, size) for size in sizes)
        if contest.price(list(contest.given + chosen)) <= price
    ]
    ranked = _ranked(contest, sets)
    if ranked is None:
        return BestSet(start_set, (), False)
    passing, complete = [], True
    for number, goals in enumerate(ranked):
        if number >= _MAX_CHECKS or time.monotonic() > contest.end:
            complete = False
            break
        if contest.met(list(goals)):
            passing.append(tuple(sorted(goals)))
        if len(passing) > N_ALTERNATIVES:
            break
    if not passing:
        return BestSet(start_set, (), False)
    passing.sort(key=lambda goals: (-contest.sigma(goals), goals))
    return BestSet(passing[0], tuple(passing[1:]), complete or bool(passing))


def _ranked(contest: Contest, sets: list[tuple[int, ...]]) -> Iterator[tuple[int, ...]] | None:
    """Return the sets by falling conditioning; None if time ran out."""
    sigmas = np.zeros(len(sets))
    lengths = np.array([len(goals) for goals in sets])
    rows = sum(s.sets.n_sets for s in contest.scenarios)
    for size in np.unique(lengths):
        which = np.flatnonzero(lengths == size)
        # No step may take much longer than a part of a second: time is looked at in between.
        step = int(np.clip(_STEP // max(rows * size, 1), 1, 2**12))
        for start in range(0, len(which), step):
            if time.monotonic() > contest.end:
                return None
            part = which[start : start + step]
            sigmas[part] = contest.sigmas(np.array([sets[i] for i in part], np.intp).reshape(len(part), size))
    return (sets[i] for i in np.argsort(-sigmas, kind="stable").tolist())


def _exchanged(contest: Contest, start: list[int], price: float) -> tuple[int, ...]:
    """Exchange one goal at a time for the better, until that helps no more."""
    current, best = sorted(start), contest.sigma(start)
    for _ in range(_MAX_ROUNDS):
        swaps = [
            [*(g for g in current if g != old), new]
            for old in current
            if old not in contest.given
            for new in contest.free
            if new not in current
        ]
        swaps = [goals for goals in swaps if contest.price(goals) <= price]
        if not swaps or time.monotonic() > contest.end:
            break
        ranked = _ranked(contest, [tuple(goals) for goals in swaps])
        if ranked is None:
            break
        found = None
        for goals in islice(ranked, 5):
            if contest.sigma(goals) <= best * _BETTER:
                break
            if contest.met(list(goals)):
                found = goals
                break
        if found is None:
            break
        current, best = sorted(found), contest.sigma(found)
    return tuple(current)


def _sigmas(scenario: Scenario, sets: IntArray, coverage: float) -> FloatArray:
    used = np.unique(sets)
    sets = np.searchsorted(used, sets)
    n_sets, worst = len(scenario.sets.needed), np.full(len(sets), np.inf)
    values = np.empty((len(sets), n_sets)) if coverage < 1 else None
    for part, equations in scenario.sets.equations(scenario.matrix[used]):
        step = max(1, _CHUNK // max(1, equations.shape[0] * sets.shape[1] * equations.shape[2]))
        for start in range(0, len(sets), step):
            chosen = equations[:, sets[start : start + step]]  # (b, B, s, d)
            least = _least(chosen).T
            if values is None:
                worst[start : start + step] = np.minimum(worst[start : start + step], least.min(axis=1))
            else:
                values[start : start + step, part] = least
    return worst if values is None else _counted(scenario, values, coverage)


def _least(equations: FloatArray) -> FloatArray:
    """Return the smallest singular value of each (s, d) block; 0 where it has fewer rows than columns."""
    rows, unknowns = equations.shape[-2:]
    if rows < unknowns:
        return np.zeros(equations.shape[:-2])
    gram = equations.mT @ equations
    if unknowns == 1:
        return np.sqrt(gram[..., 0, 0])
    if unknowns == 2:
        half = (gram[..., 0, 0] + gram[..., 1, 1]) / 2.0
        apart = np.hypot((gram[..., 0, 0] - gram[..., 1, 1]) / 2.0, gram[..., 0, 1])
        determinant = gram[..., 0, 0] * gram[..., 1, 1] - gram[..., 0, 1] ** 2
        largest = half + apart
        least = np.where(largest > 0, np.maximum(determinant, 0.0) / np.where(largest > 0, largest, 1.0), 0.0)
        return np.sqrt(least)
    result: FloatArray = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[..., 0], 0.0))
    return result


def _counted(scenario: Scenario, values: FloatArray, coverage: float) -> FloatArray:
    """Return the worst value of the best rows, which are the share that counts; (B, sets) to (B,)."""
    sets = scenario.sets
    if values.shape[1] == 0:
        return np.full(len(values), np.inf)
    if coverage >= 1 or sets.set_of_row is None:
        result: FloatArray = values.min(axis=1)
        return result
    rows = np.bincount(sets.set_of_row[sets.set_of_row >= 0], minlength=values.shape[1])
    left_out = int(np.floor((1.0 - coverage) * sets.n_rows + 1e-9))
    order = np.argsort(values, axis=1)
    counts = np.cumsum(rows[order], axis=1)
    first = (counts > left_out).argmax(axis=1)
    found = np.take_along_axis(values, np.take_along_axis(order, first[:, None], axis=1), axis=1)[:, 0]
    return np.where(counts[:, -1] > left_out, found, np.inf)
