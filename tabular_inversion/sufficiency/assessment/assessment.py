"""`assess`: one question about a goal set, one object that answers it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import check_class
from tabular_inversion.errors import InputError, KernelClassError, ShapeError
from tabular_inversion.exact import ExactMDP
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability import Scope, Status
from tabular_inversion.kernel_classes import KernelClass, Supported
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, promise
from tabular_inversion.sufficiency.assessment.judges import Case, Judgement, judge_all
from tabular_inversion.sufficiency.assessment.summary import merged, outside_of, predict, warnings_of
from tabular_inversion.sufficiency.question import ChosenGoals, read_goals
from tabular_inversion.sufficiency.scenarios import (
    FloatPolicy,
    Rows,
    agent_of,
    name_of_policy,
    read_rows,
    scenario_of,
    sets_of,
    widened,
    world_on,
)
from tabular_inversion.validation import finite_array

if TYPE_CHECKING:
    from tabular_inversion.sufficiency.assessment.next_goal import NextGoal
    from tabular_inversion.sufficiency.assessment.training import TrainingCheck
    from tabular_inversion.sufficiency.assessment.why import Explanation


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Assessment(Record):
    """What a goal set determines, how well, and by whose judgement.

    Attributes
    ----------
    case : Case
        World, goals, class, policy, scope and rows asked about.
    judgements : tuple of Judgement
        Of all judges, in order of cost, those that were not asked included.
    row_status : numpy.ndarray of int8, shape (S, A)
        A `Status` for each row by the strongest judge that decides it; -1 where it was not asked about.
    row_judge : numpy.ndarray of int8, shape (S, A)
        The number of that judge in `judgements`, -1 where none decides.
    predicted_error : numpy.ndarray, shape (S, A)
        The 2-norm error that no row exceeds with probability 0.95 at the noise asked about; NaN where it was not asked
        about, or is not predicted (`Sparse`).
    sigma_min : float
        The smallest singular value of any row's equations, each goal in its own units.
    noise : float
        Of the values.
    relative : bool
        Whether that is in units of each goal's largest value.
    warnings : tuple of str
        What a reader of the verdict alone would miss.

    Examples
    --------
    >>> from tabular_inversion.environments import four_rooms
    >>> world = four_rooms("windy")
    >>> found = assess(world, [0, 20, 40, 60], Supported.of(world))
    >>> found
    <Assessment IDENTIFIED by concrete, optimal agents, class supported: 272 of 272 rows>
    """

    case: Case
    judgements: tuple[Judgement, ...]
    row_status: NDArray[np.int8]
    row_judge: NDArray[np.int8]
    predicted_error: FloatArray
    sigma_min: float
    noise: float
    relative: bool
    warnings: tuple[str, ...]

    @property
    def status(self) -> Status:
        """Overall: IDENTIFIED only if every row asked about is."""
        return Status(int(self.row_status.max()))

    @property
    def verdict(self) -> Judgement:
        """The judgement of the strongest judge that decided a row, or of the strongest asked."""
        last = int(self.row_judge.max())
        return self.judgements[last if last >= 0 else max(i for i, j in enumerate(self.judgements) if j.was_asked)]

    @property
    def rows(self) -> int:
        """How many rows were asked about."""
        return int((self.row_status >= 0).sum())

    @property
    def rows_identified(self) -> int:
        """How many of them are identified."""
        return int((self.row_status == Status.IDENTIFIED).sum())

    @property
    def policy(self) -> str:
        """What the agents do, in words."""
        return name_of_policy(self.case.policy)

    @property
    def largest_error(self) -> float:
        """The largest predicted error of any row."""
        shown = self.predicted_error[~np.isnan(self.predicted_error)]
        return float(shown.max(initial=0.0)) if shown.size else float("nan")

    def __repr__(self) -> str:
        whose = f"{self.policy}, class {self.case.kernel_class.name}"
        counts = f"{self.rows_identified} of {self.rows} rows"
        return f"<Assessment {self.status.name} by {self.verdict.judge}, {whose}: {counts}>"

    @property
    def text(self) -> str:
        """The report: a line for each judge, the predicted error, and the warnings."""
        whose = f" [{self.policy}, class {self.case.kernel_class.name}]"
        unit = "of each goal's largest value" if self.relative else "in units of Q"
        error = f"predicted error at noise {self.noise:g} {unit}: at most {self.largest_error:.3g}"
        lines = [f"{self.status.name}: {self.rows_identified} of {self.rows} rows identified"]
        lines += [str(judgement) for judgement in self.judgements]
        lines.append(f"smallest singular value {self.sigma_min:.3g}; {error}")
        return "\n".join([line + whose for line in lines] + [f"warning: {words}" for words in self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "status": self.status.name,
            "judge": self.verdict.judge,
            "evidence": self.verdict.evidence,
            "about": self.verdict.about,
            "policy": self.policy,
            "class": self.case.kernel_class.name,
            "scope": self.case.scope,
            "n_goals": self.case.goals.n_goals,
            "rows": self.rows,
            "rows_identified": self.rows_identified,
            "sigma_min": self.sigma_min,
            "noise": self.noise,
            "relative": self.relative,
            "predicted_error": None if np.isnan(self.largest_error) else self.largest_error,
            "judgements": [str(judgement) for judgement in self.judgements],
            "warnings": list(self.warnings),
        }

    def why(self, state: int, action: int) -> tuple[Explanation, ...]:
        """Say why a row is not determined, in ways that can be checked again; see `Explanation`."""
        from tabular_inversion.sufficiency.assessment.why import explain

        return explain(self, state, action)

    def next_goal(self, candidates: Goals | ArrayLike | None = None) -> NextGoal:
        """Return the candidate that lowers the expected error most, by the criterion of `order_goals`.

        Parameters
        ----------
        candidates : Goals or array_like of int, optional
            Goals, or the states of indicator goals that end on arrival; every state when omitted.
        """
        from tabular_inversion.sufficiency.assessment.next_goal import find_next_goal

        return find_next_goal(self, candidates)

    def check(self, agent: AgentValues) -> TrainingCheck:
        """Return, after training, which goals' values are off by more than the noise, and which rows that loses."""
        from tabular_inversion.sufficiency.assessment.training import check_training

        return check_training(self, agent)

    @promise
    def verify(self) -> None:
        """Ask all judges again that were asked, re-check their proofs, and compare.

        Raises
        ------
        WitnessError
            Naming what does not survive.
        """
        from tabular_inversion.sufficiency.assessment.training import verify_assessment

        verify_assessment(self)


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
    asked = read_rows(rows, floats.available)
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
    outside = outside_of(case)
    status, judge = merged(case, judgements, outside)
    predicted, sigma = predict(case, noise)
    found = Assessment(case, judgements, status, judge, predicted, sigma, noise, relative, ())
    object.__setattr__(found, "warnings", warnings_of(found, outside))
    return found


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
