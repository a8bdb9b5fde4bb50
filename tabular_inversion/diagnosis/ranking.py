"""`diagnose`: try what is known to make values inconsistent, and rank it by what it leaves unexplained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise
from tabular_inversion.agent_values.reading import check_noise
from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.classes import wider_classes, wrong_support
from tabular_inversion.diagnosis.operators import other_discounts, other_operators
from tabular_inversion.diagnosis.order import permuted_goals, transposed
from tabular_inversion.diagnosis.report import Diagnosis, Explanation
from tabular_inversion.diagnosis.rewards import goal_states_untrained, other_continuation, reward_on_leaving
from tabular_inversion.diagnosis.rounding import find_rounding, rounded_values
from tabular_inversion.diagnosis.sweeps import unconverged_sweeps
from tabular_inversion.diagnosis.trials import Trial
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.by_class import METHODS
from tabular_inversion.recovery.uncertainty import value_noise

EXPLANATIONS: tuple[tuple[str, Callable[[Case], Iterable[Trial]], str], ...] = (
    ("rounding", rounded_values, "the values are no short decimals or floats of another type"),
    ("untrained goal states", goal_states_untrained, "no goal ends the episode on arrival"),
    ("another discount", other_discounts, "the one given is the best"),
    ("another value operator", other_operators, "every operator gives the same state values"),
    ("reward on leaving", reward_on_leaving, "there is no reward"),
    ("another continuation", other_continuation, "no other end of episodes is suggested by the goals"),
    ("wrong support", wrong_support, "no support was given, or it lacks nothing"),
    ("a wider class", wider_classes, "no wider class could fail to fit"),
    ("Q transposed", transposed, "the axes of Q have different lengths"),
    ("goals permuted", permuted_goals, "the given order of goals is the best, or there is one goal"),
    ("unconverged sweeps", unconverged_sweeps, "no sweep comes near the values"),
)
"""What is tried, the most common first: a name, the readings of the values, and why there may be none."""

_NEAR = 100.0
"""How many times what values may be off a reading has to change them to be another one, where they fit as they are."""

_WEAKER = {rounded_values, goal_states_untrained, wider_classes, wrong_support}
"""Readings that ask less of the values: where these fit as they are, such a reading fits as well and says nothing."""


@checked
def diagnose(agent: AgentValues, kernel_class: KernelClass, *, noise: Noise | None = None) -> Diagnosis:
    """Say what would explain values that no kernel of a class explains.

    Parameters
    ----------
    agent : AgentValues
        The values, as you would give them to `identify`.
    kernel_class : KernelClass
        Where rows are sought.
    noise : float, numpy.ndarray (G, S, A), "float32" or "float16", optional
        How far each Q-value may be from the truth, at least 0; what the agent says of its values when omitted. The
        rounding that values have is allowed for besides, if it is not itself the explanation.

    Returns
    -------
    Diagnosis
        Each explanation with the largest ``|M p - q|`` that it leaves, in the units of Q, and with the call to make.

    Raises
    ------
    InputError
        If the noise is negative or not finite, or the class does not fit the agent.

    Notes
    -----
    An explanation fits if for every row the nearest member of the class misses the values, in the 2-norm over goals,
    by no more than values could that are 1e-9 (relative to the goal) and the noise from the truth. So the right
    explanation is never ruled out; a wrong one may fit where there are few goals, and the diagnosis says so. Nothing
    here is proved: an explanation that fits is a question to the person who made the values.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, evaluate, policies
    >>> from tabular_inversion.environments import random_mdp
    >>> world = random_mdp(5, 3, discount=0.9, seed=0)
    >>> agent = evaluate(world, Goals.generic(5, 8, seed=0), policies.uniform(world.available))
    >>> found = diagnose(AgentValues(agent.q, agent.goals, agent.discount), Stochastic())
    >>> print(found.best.text)
    states are valued by the epsilon-greedy policy with epsilon 1
    """
    METHODS.of(kernel_class)
    bare = replace(agent, report=None)
    stated = value_noise(bare, None if noise is None else check_noise(noise, agent.q.shape, InputError))
    case = Case(bare, kernel_class, stated.max(axis=(1, 2)))
    found = list(_explanations(case))
    return Diagnosis(
        agent=agent,
        kernel_class=kernel_class,
        residual=case.plain.residual,
        consistent=case.plain.fits,
        explanations=tuple(sorted(found, key=_rank)),
        silent=case.is_silent,
        free=int(case.free.min()),
    )


def _explanations(case: Case) -> Iterator[Explanation]:
    """Try all; the rounding of values is allowed for in the others unless it explains them alone."""
    for name, readings, nothing in EXPLANATIONS:
        if case.plain.fits and readings in _WEAKER:
            yield _untried(name, "the values fit without it")
            continue
        explanation = _tried(case, name, readings(case), nothing)
        if readings is rounded_values and not explanation.fits:
            rounding = find_rounding(case.agent)
            if rounding is not None:
                case = replace(case, noise=case.noise + rounding.noise)
        yield explanation


def _tried(case: Case, name: str, trials: Iterable[Trial], nothing: str) -> Explanation:
    """Return the explanation by the first reading that fits, or else by the one that leaves the least."""
    best: Explanation | None = None
    for trial in trials:
        if _says_the_same(case, trial):
            continue
        found = case.fit(trial)
        if best is None or found.fits or found.residual < best.residual:
            best = Explanation(
                name, trial.text, trial.change, found.residual, found.fits, trial.agent, trial.kernel_class
            )
        if found.fits:
            break
    return best or _untried(name, nothing)


def _untried(name: str, why: str) -> Explanation:
    return Explanation(name, f"nothing to try: {why}", "", float("nan"), False)


def _says_the_same(case: Case, trial: Trial) -> bool:
    """Whether a reading changes the equations by no more than values of that kind may be off."""
    given, read = case.agent, trial.agent
    if trial.noise is not None or trial.kernel_class is not case.kernel_class:
        return False
    if not np.array_equal(given.known, read.known):
        return False
    allowed = case.allowed[:, None] * (_NEAR if case.plain.fits else 1.0)
    tests = (np.abs(read.test_matrix - given.test_matrix) <= allowed).all()
    moved = np.nan_to_num(read.right_hand_sides - given.right_hand_sides)
    return bool(tests and (np.abs(moved) <= allowed).all())


def _rank(explanation: Explanation) -> tuple[bool, bool, float]:
    return (not explanation.fits, not explanation.tried, 0.0 if explanation.fits else explanation.residual)
