"""From the options of `minimal` to scenarios and a requirement, and the search for what meets it, in floats."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import GoalsError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.conditioning.spans import Scenario, spanned
from tabular_inversion.sufficiency.scenarios import (
    Rows,
    agent_of,
    drawn_world,
    name_of_policy,
    read_rows,
    scenario_of,
    sets_of,
    world_on,
)
from tabular_inversion.sufficiency.smallest.cover import cover
from tabular_inversion.sufficiency.smallest.requirements import Limits, Requirement
from tabular_inversion.sufficiency.smallest.result import Asked, InsufficientGoalsError, MinimalGoals, choose
from tabular_inversion.validation import check_indices

N_DRAWN = 16
"""How many worlds are drawn where probabilities are unknown."""


@dataclass(frozen=True, eq=False)
class Request:
    """The options of `minimal`, whose documentation describes them."""

    world: MDP | Supported
    candidates: Goals
    kernel_class: KernelClass
    policy: Any
    given: tuple[int, ...]
    forbidden: tuple[int, ...]
    costs: Sequence[float] | None
    spare: int
    rows: Rows
    coverage: float
    noise: float
    error: float | None
    relative: bool
    worlds: tuple[MDP, ...]
    policies: tuple[Any, ...]
    discounts: tuple[float, ...]
    generic: bool

    def __post_init__(self) -> None:
        self._check_numbers()
        if isinstance(self.world, Supported) and not (self.generic and self.discounts):
            raise InputError(
                "a support says nothing about probabilities: give generic=True and discounts, such as [0.9], or an MDP."
            )
        for world in self.worlds:
            if not isinstance(world, MDP) or world.available.shape != self.available.shape:
                raise ShapeError(f"worlds: expected MDPs with {self.available.shape} states and actions, as the first.")

    def _check_numbers(self) -> None:
        if type(self.spare) is not int or self.spare < 0:
            raise InputError(f"spare is {self.spare!r}; expected a whole number of at least 0.")
        if not 0 < self.coverage <= 1:
            raise InputError(f"coverage is {self.coverage}; expected a share of the rows above 0 and at most 1.")
        if not 0 <= self.noise < np.inf:
            raise InputError(f"noise is {self.noise}; expected a finite number of at least 0.")
        if self.error is not None and not (0 < self.error < np.inf and self.noise > 0):
            raise InputError(
                f"error is {self.error} at noise {self.noise}; expected both above 0: say how noisy values are."
            )

    @property
    def is_plain(self) -> bool:
        """Whether every row of one world is asked about, and the fewest goals."""
        more = (self.forbidden, self.worlds, self.policies, self.discounts, self.spare, self.noise, self.generic)
        drawn = isinstance(self.policy, str) and self.policy == "generic"
        return not (any(more) or self.costs is not None or self.rows is not None or self.coverage < 1 or drawn)

    @property
    def available(self) -> BoolArray:
        """Which rows exist, shape (S, A)."""
        if isinstance(self.world, MDP):
            return self.world.available
        support = self.world.support
        return np.asarray(np.diff(support.indptr) > 0).reshape(support.shape[1], -1)

    def prices(self) -> tuple[FloatArray, BoolArray]:
        """Return what candidates cost, and which may be chosen."""
        k = self.candidates.n_goals
        allowed = np.ones(k, bool)
        if len(self.forbidden):
            allowed[check_indices("forbidden", list(self.forbidden), k, GoalsError)] = False
        both = set(self.forbidden) & set(self.given)
        if both:
            raise GoalsError(f"goal {min(both)} is given and forbidden; leave it out of one of the two.")
        costs = np.ones(k) if self.costs is None else np.asarray(self.costs, float)
        if costs.shape != (k,) or not (np.isfinite(costs) & (costs > 0)).all():
            raise InputError(f"costs: expected a number above 0 for each of the {k} candidates.")
        return costs, allowed

    def scenarios(self) -> tuple[Scenario, ...]:
        """Solve every world, policy and discount for all candidates."""
        asked = read_rows(self.rows, self.available)
        self.kernel_class.check_fits(asked.size, len(asked))
        sets = sets_of(self.kernel_class, asked)
        result = []
        for (name, world), policy in product(self._worlds(), self.policies or (self.policy,)):
            for discount in self.discounts or (world.discount,):
                here = world if discount == world.discount else world.with_discount(discount)
                agent = agent_of(here, self.candidates, policy)
                words = f"{name}, {name_of_policy(policy)}, discount {here.discount:g}"
                result.append(scenario_of(agent, sets, relative=self.relative, name=words))
        return tuple(result)

    def _worlds(self) -> list[tuple[str, MDP]]:
        if isinstance(self.world, Supported):
            return [(f"drawn world {i}", world_on(self.world, self.discounts[0], i)) for i in range(N_DRAWN)]
        own = [("this world", self.world), *((f"world {i + 1}", world) for i, world in enumerate(self.worlds))]
        if self.generic:
            return [
                (f"{name} with drawn probabilities {i}", drawn_world(world, i))
                for name, world in own
                for i in range(N_DRAWN)
            ]
        return own


def found_in_floats(
    request: Request, *, end: float, progress: Callable[[int, int], None] | None = None
) -> MinimalGoals:
    """Search the smallest or cheapest set that meets a request; see `minimal`.

    Parameters
    ----------
    request : Request
        The options.
    end : float
        Of `time.monotonic`: from then on the best so far is returned.
    progress : callable, optional
        ``progress(bound, best)``.
    """
    costs, allowed = request.prices()
    k = request.candidates.n_goals
    given = sorted(set(check_indices("given", list(request.given), k, GoalsError).tolist())) if request.given else []
    limits = Limits(request.spare, request.coverage, request.noise, request.error)
    scenarios = request.scenarios()
    requirement = Requirement(scenarios, limits, allowed, costs, end)
    everything = np.flatnonzero(allowed).tolist()
    if not requirement.met(everything):
        raise _insufficient(request, scenarios, everything)
    asked = Asked(scenarios, limits, costs, allowed, request.candidates, ())
    left = max(end - time.monotonic(), 0.0)
    found = cover(requirement, given, seconds=left, prices=asked.prices, progress=progress)
    cuts = tuple((violation.outside, violation.at_least) for violation in found.violations)
    asked = Asked(scenarios, limits, costs, allowed, request.candidates, cuts)
    names = request.world.state_names if isinstance(request.world, MDP) else None
    goals = tuple(sorted(found.goals))
    result = MinimalGoals(
        goals, tuple(given), found.lower_bound, found.greedy_size, None, request.kernel_class, None, None, (), False,
        names, asked,
    )  # fmt: skip
    if not goals or time.monotonic() > end:
        return result
    best = choose(result, requirement.met, end=end)
    return MinimalGoals(
        best.goals, tuple(given), found.lower_bound, found.greedy_size, None, request.kernel_class, None, None,
        best.alternatives, best.proved, names, asked,
    )  # fmt: skip


def _insufficient(request: Request, scenarios: tuple[Scenario, ...], goals: list[int]) -> InsufficientGoalsError:
    """Say which rows stay unknown in which world, or that errors stay too large."""
    index = np.flatnonzero(read_rows(request.rows, request.available))
    n_actions = request.available.shape[1]
    for scenario in scenarios:
        missing = spanned(scenario, goals).missing
        bad = index[scenario.sets.of_rows((missing > 0).astype(float), 0.0) > 0]
        if bad.size:
            states = tuple(
                np.unique(np.concatenate([scenario.sets.states_of(int(i)) for i in np.flatnonzero(missing)[:50]]))
            )
            rows = tuple((int(row) // n_actions, int(row) % n_actions) for row in bad)
            places = ", ".join(map(str, rows[:3])) + (", ..." if len(rows) > 3 else "")
            return InsufficientGoalsError(
                f"all {len(goals)} candidates together leave {len(rows)} of {len(index)} rows unknown in "
                f"{scenario.name}, (state, action) = {places}; add candidates that pay in other states, or ask "
                "for less coverage.",
                rows,
                tuple(map(int, states)),
            )
    what = f"an error of {request.error:g} at noise {request.noise:g}" if request.error is not None else "the demand"
    spare = f" with {request.spare} to spare" if request.spare else ""
    return InsufficientGoalsError(
        f"all {len(goals)} candidates together do not reach {what}{spare}; add candidates, or ask for less.", (), ()
    )
