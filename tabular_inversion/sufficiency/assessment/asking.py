"""`assess`: one question about a goal set, one object that answers it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion.class_tables import check_class
from tabular_inversion.errors import InputError, KernelClassError, ShapeError
from tabular_inversion.exact import ExactMDP
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Scope
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.sufficiency.assessment.assessment import Assessment
from tabular_inversion.sufficiency.assessment.judges import Case, judge_all
from tabular_inversion.sufficiency.assessment.merging import merge
from tabular_inversion.sufficiency.question import ChosenGoals, read_goals
from tabular_inversion.sufficiency.scenarios import (
    FloatPolicy,
    Rows,
    agent_of,
    read_region,
    scenario_of,
    sets_of,
    widened,
    world_on,
)
from tabular_inversion.validation import finite_array


@checked
def assess(
    world: MDP | ExactMDP | Supported | ArrayLike,
    goals: Goals | ChosenGoals | ArrayLike,
    kernel_class: KernelClass | None = None,
    *,
    policy: FloatPolicy = "optimal",
    discount: float | None = None,
    noise: float = 0.0,
    relative: bool = True,
    rows: Rows = None,
    scope: Scope = "uniform",
    radii: ArrayLike | None = None,
    seconds: float = 60.0,
    progress: Callable[[int, int], None] | None = None,
) -> Assessment:
    """Judge a goal set before anyone trains: what it determines, how well at some noise, and by which proof.

    Parameters
    ----------
    world : MDP, ExactMDP, Supported or array_like of bool (S, A, S)
        The world; or which transitions are possible, if no probability is known: then `discount` is needed.
    goals : Goals, MinimalGoals or array_like of int
        Goals, a set that `minimal` found, or the states of indicator goals that end on arrival.
    kernel_class : KernelClass, optional
        What is known of the rows; the support of the world when omitted.
    policy : {"optimal", "uniform", "generic"} or array_like (S, A) or (G, S, A)
        What the agents do.
    discount : float, optional
        In place of the world's.
    noise : float
        The standard deviation of the errors of values, or the most that they can be.
    relative : bool
        Whether `noise` is in units of each goal's largest value, or of Q.
    rows : array_like, optional
        The region that matters: states, a mask (S,) or (S, A), or pairs (state, action); all rows when omitted.
    scope : {"uniform", "instance"}
        Whether every member of the class is to be determined, or this world's rows.
    radii : array_like, shape (S, A), optional
        Of a kernel from counts: how far the true rows may be from it, such as `kernel_radii`. A row is then IDENTIFIED
        if the goals determine it in every kernel within; what rounding or the radii leave open is UNDECIDED.
    seconds : float
        Judges that would take longer are not asked, and said not to have been.
    progress : callable, optional
        ``progress(judges asked, judges)``.

    Returns
    -------
    Assessment

    Raises
    ------
    InputError
        Of the kind that fits.

    Notes
    -----
    Judges in order of cost: `structural` (paths), `generic` (draws modulo a prime), this world in floats whose errors
    are bounded, and `concrete` (this world in fractions). Each row has the answer of the last of them that decides it.
    A world outside its class is no world that a verdict is about: its rows outside are INCONSISTENT. Source: G1 to G4.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("windy")
    >>> found = assess(world, [0, 67], Supported.of(world), noise=1e-5)
    >>> found.status.name, found.rows_identified, bool(found.largest_error > 0.1)
    ('IDENTIFIED', 272, True)
    """
    end = time.monotonic() + seconds
    floats, drawn = _read_world(world, discount)
    read = read_goals(goals, floats.n_states)
    kernel_class = Supported.of(floats) if kernel_class is None else kernel_class
    check_class(kernel_class)
    kernel_class.check_fits(*floats.sparse().rows.shape)
    if not 0 <= noise < np.inf or not seconds >= 0:
        raise InputError(f"noise is {noise} and seconds {seconds}; expected finite numbers of at least 0.")
    if scope not in ("uniform", "instance"):
        raise InputError(f"scope is {scope!r}; expected 'uniform' or 'instance'.")
    asked = read_region(rows, floats.available)
    agent = agent_of(floats, read, policy)
    try:
        sets = sets_of(kernel_class, asked)
    except KernelClassError:
        scenario = None
    else:
        scenario = scenario_of(agent, sets, relative=relative, name="this world")
    if radii is not None:
        if scenario is None or scope == "instance":
            raise InputError("radii are for classes with sets of successors, at uniform scope; leave them out.")
        near = finite_array("radii", radii, floats.available.shape, "(S, A)", InputError)
        scenario = widened(scenario, agent, near, relative=relative)
    case = Case(floats, drawn, read, kernel_class, policy, scope, asked, agent, scenario, radii is not None)
    judgements = judge_all(case, end=end, progress=progress)
    found = merge(case, judgements, noise)
    return Assessment(
        case, judgements, found.status, found.judge, found.predicted, found.sigma, noise, relative, found.warnings
    )


def _read_world(world: Any, discount: float | None) -> tuple[MDP, bool]:
    if isinstance(world, ExactMDP):
        world = world.to_float()
    if isinstance(world, MDP):
        return (world if discount is None else world.with_discount(discount)), False
    if not isinstance(world, Supported):
        given = np.asarray(world)
        if given.dtype != bool or given.ndim != 3:
            raise ShapeError(
                "world: expected an MDP, a Supported class, or bool (S, A, S): which transitions are possible."
            )
        world = Supported(given)
    if discount is None:
        raise InputError("a support says nothing about the discount; give one, such as discount=0.9.")
    return world_on(world, discount, 0), True
