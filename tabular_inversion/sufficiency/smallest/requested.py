"""From the options of `minimal` to scenarios and a requirement, and the search for what meets it, in floats."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray
from tabular_inversion.errors import ConvergenceError, GoalsError, InputError, ShapeError, TabularInversionError
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.conditioning.spans import Scenario, spanned, surely_spanned
from tabular_inversion.sufficiency.conditioning.tables import SuccessorSets
from tabular_inversion.sufficiency.question import LIMIT_DENOMINATOR
from tabular_inversion.sufficiency.scenarios import (
    Rows,
    drawn_world,
    name_of_policy,
    read_region,
    sets_of,
    world_on,
)
from tabular_inversion.sufficiency.smallest.asked import Asked, InsufficientGoalsError
from tabular_inversion.sufficiency.smallest.cover import Cover, cover
from tabular_inversion.sufficiency.smallest.exact_agents import exact_agents
from tabular_inversion.sufficiency.smallest.option_proofs import prove_options
from tabular_inversion.sufficiency.smallest.requirements import Limits, Requirement
from tabular_inversion.sufficiency.smallest.result import MinimalGoals, choose
from tabular_inversion.sufficiency.smallest.solving import Solving
from tabular_inversion.validation import check_indices, finite_array

_SEARCH = 0.7  # of the time is for the search where errors are limited: bounds rise slowly, and other sets may do

N_DRAWN = 16
"""How many worlds are drawn where probabilities are unknown."""


_REMEDY = "add candidates that pay in other states, or ask for less coverage."


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
    radii: ArrayLike | None = None

    def __post_init__(self) -> None:
        self._check_numbers()
        if self.radii is not None and (isinstance(self.world, Supported) or self.worlds or self.generic):
            raise InputError("radii are about one kernel from counts; leave out worlds and generic, or the radii.")
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
        if self.radii is not None:
            return False
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

    @property
    def sets(self) -> SuccessorSets:
        """Of the rows asked about."""
        asked = read_region(self.rows, self.available)
        self.kernel_class.check_fits(asked.size, len(asked))
        return sets_of(self.kernel_class, asked)

    def cases(self) -> list[tuple[str, MDP, Any]]:
        """Return every world, policy and discount, with a name: in all combinations."""
        result = []
        for (name, world), policy in product(self._worlds(), self.policies or (self.policy,)):
            for discount in self.discounts or (world.discount,):
                here = world if discount == world.discount else world.with_discount(discount)
                result.append((f"{name}, {name_of_policy(policy)}, discount {here.discount:g}", here, policy))
        return result

    @property
    def solving(self) -> Solving:
        """What has to be solved."""
        near = None
        if self.radii is not None:
            near = finite_array("radii", self.radii, self.available.shape, "(S, A)", InputError)
            if (near < 0).any():
                raise InputError(f"radii holds {near.min()}; expected distances of at least 0, as from `kernel_radii`.")
        return Solving(self.cases(), self.candidates, self.sets, self.relative, near)

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


def found_with_options(
    request: Request,
    *,
    end: float,
    progress: Callable[[int, int], None] | None = None,
    limit_denominator: int | None = LIMIT_DENOMINATOR,
) -> MinimalGoals:
    """Search the smallest or cheapest set that meets a request in floats, then prove it in fractions; see `minimal`.

    Parameters
    ----------
    request : Request
        The options.
    end : float
        Of `time.monotonic`: from then on the best so far is returned.
    progress : callable, optional
        ``progress(bound, best)``.
    limit_denominator : int or None
        Of the fractions that floats stand for.
    """
    costs, allowed = request.prices()
    given = _given(request)
    solving = request.solving
    seconds = max(end - time.monotonic(), 0.0)
    limits = Limits(request.spare, request.coverage, request.noise, request.error, request.radii is not None)

    def demand(scenarios: tuple[Scenario, ...], unsolved: tuple[int, ...]) -> Requirement:
        looked_at = allowed.copy()
        looked_at[list(unsolved)] = False
        return Requirement(scenarios, limits, looked_at, costs, end)

    def enough(scenarios: tuple[Scenario, ...], unsolved: tuple[int, ...]) -> bool:
        requirement = demand(scenarios, unsolved)
        return requirement.met(np.flatnonzero(requirement.allowed).tolist())

    scenarios, unsolved = solving.run(given, allowed, seconds=seconds, end=end, enough=enough)
    requirement = demand(scenarios, unsolved)
    looked_at = requirement.allowed
    everything = np.flatnonzero(looked_at).tolist()
    if not requirement.met(everything):
        raise _not_enough(request, scenarios, everything, unsolved, seconds)
    asked = Asked(scenarios, limits, costs, looked_at, request.candidates, (), request.relative, unsolved)
    left = max(end - time.monotonic(), 0.0) * (1.0 if request.error is None else _SEARCH)
    found = cover(requirement, given, seconds=left, prices=asked.prices, progress=progress)
    if unsolved:  # sets with other candidates may be cheaper: no cut is about those
        found = replace(found, lower_bound=asked.counted(tuple(given)), violations=[])
    cuts = tuple((violation.outside, violation.at_least) for violation in found.violations)
    asked = replace(asked, cuts=cuts)
    names = request.world.state_names if isinstance(request.world, MDP) else None
    bound = max(min(asked.counted(tuple(given)), asked.prices.of(found.goals)), found.lower_bound)
    result = MinimalGoals(
        tuple(sorted(found.goals)), tuple(given), bound, found.greedy_size, None, request.kernel_class, None, None, (),
        False, names, asked, _notes(request, unsolved),
    )  # fmt: skip
    if request.error is not None and request.costs is None:
        result = _smaller(result, requirement, end)
    if result.goals and time.monotonic() <= end:
        best = choose(result, requirement.met, end=end)
        result = replace(
            result, goals=best.goals, alternatives=best.alternatives, best_conditioned=best.proved and not unsolved
        )
    return _proved(request, solving, result, found, limit_denominator, end)


def _smaller(found: MinimalGoals, requirement: Requirement, end: float) -> MinimalGoals:
    """Try the best conditioned sets with one goal less, as long as one of them has errors that are small enough."""
    while found.gap > 0 and len(found.added) > 0 and time.monotonic() < end:
        fewer = replace(found, goals=tuple(sorted((*found.given, *found.added[:-1]))))
        best = choose(fewer, requirement.met, end=end).goals
        if not requirement.met(list(best)):
            break
        found = replace(found, goals=best)
    return found


def _given(request: Request) -> list[int]:
    given = check_indices("given", list(request.given), request.candidates.n_goals, GoalsError) if request.given else ()
    return sorted({int(goal) for goal in given})


def _notes(request: Request, unsolved: tuple[int, ...]) -> tuple[str, ...]:
    if not unsolved:
        return ()
    k = request.candidates.n_goals
    words = f"{k - len(unsolved) - len(request.forbidden)} of {k} candidates were looked at in the time given"
    return (f"{words}: with others a set may be smaller, or conditioned better",)


def _proved(
    request: Request, solving: Solving, found: MinimalGoals, cover_found: Cover, limit_denominator: int | None,
    end: float,
) -> MinimalGoals:  # fmt: skip
    """Add a proof in fractions where there is time for one, and say why where there is none."""
    asked = found.asked
    assert asked is not None  # noqa: S101  it was set above
    if request.radii is not None:
        why = "for a region of kernels there is no proof in fractions: it is certified by bounds on errors"
        return replace(found, notes=(*found.notes, why))
    if asked.unsolved:
        return found
    cases = [(world, policy) for _, world, policy in solving.cases]
    agents, words = exact_agents(cases, request.candidates, limit_denominator, end=end)
    notes = (*found.notes, words) if words else found.notes
    if agents is None:
        return replace(found, notes=notes)
    proof = prove_options(asked, agents, cover_found, list(found.goals), list(found.given), end=end)
    if proof is None:
        notes = (*notes, "fractions do not confirm that the goals do what was asked: a rank or an error is too close")
    elif proof.tree is not None:
        asked = replace(asked, cuts=())
    return replace(found, proof=proof, notes=notes, asked=asked)


def _not_enough(
    request: Request, scenarios: tuple[Scenario, ...], goals: list[int], unsolved: tuple[int, ...], seconds: float
) -> TabularInversionError:
    if not unsolved:
        return _insufficient(request, scenarios, goals)
    k = request.candidates.n_goals
    return ConvergenceError(
        f"the {k - len(unsolved)} of {k} candidates that were solved within {seconds:.3g} seconds do not suffice "
        "together; give more seconds."
    )


def _insufficient(request: Request, scenarios: tuple[Scenario, ...], goals: list[int]) -> InsufficientGoalsError:
    """Say which rows stay unknown in which world, or that errors stay too large."""
    index = np.flatnonzero(read_region(request.rows, request.available))
    n_actions = request.available.shape[1]
    for scenario in scenarios:
        certain = request.radii is not None
        failing = ~surely_spanned(scenario, goals) if certain else spanned(scenario, goals).missing > 0
        bad = index[scenario.sets.of_rows(failing.astype(float), 0.0) > 0]
        if bad.size:
            states = tuple(
                np.unique(np.concatenate([scenario.sets.states_of(int(i)) for i in np.flatnonzero(failing)[:50]]))
            )
            rows = tuple((int(row) // n_actions, int(row) % n_actions) for row in bad)
            places = ", ".join(map(str, rows[:3])) + (", ..." if len(rows) > 3 else "")
            return InsufficientGoalsError(
                f"all {len(goals)} candidates together leave {len(rows)} of {len(index)} rows "
                f"{'uncertain in some kernel within the radii of' if certain else 'unknown in'} {scenario.name}, "
                f"(state, action) = {places}; " + ("count more transitions." if certain else _REMEDY),
                rows,
                tuple(map(int, states)),
            )
    what = f"an error of {request.error:g} at noise {request.noise:g}" if request.error is not None else "the demand"
    spare = f" with {request.spare} to spare" if request.spare else ""
    return InsufficientGoalsError(
        f"all {len(goals)} candidates together do not reach {what}{spare}; add candidates, or ask for less.", (), ()
    )
