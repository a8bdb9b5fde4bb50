"""A sentence of a user's own: hypotheses as predicates and a conclusion, in a file; checked as the theory's are.

`tabular_inversion` decides nothing here: a conclusion is any function of an `Instance` that says yes or no.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.small_instances import FAMILIES
from proofs_checks.special_instances import draw_any
from proofs_checks.statement import Check, Hypothesis, Outcome, Run, Statement, Tally, exact_check
from tabular_inversion.errors import TabularInversionError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Predicate: TypeAlias = Callable[[Instance], bool]

TRIES = 2000
"""How many draws in a row may lack a hypothesis before a check gives up."""


class ConjectureError(TabularInversionError):
    """A conjecture, or the file that holds it, cannot be checked as it stands."""


@dataclass(frozen=True)
class Conjecture:
    """A sentence about worlds and agents, which may be false.

    Attributes
    ----------
    id : str
        A short name; that of no statement of the theory.
    plain : str
        The sentence in words.
    conclude : callable
        ``conclude(instance)`` says whether the conclusion is true there: a bool, or an `Outcome` with the numbers that
        decided. Exact functions of the package suit best: an `Instance` is rational.
    hypotheses : mapping of str to callable
        What is assumed: words, and the predicate of an `Instance`.
    draw : callable or hypothesis strategy, optional
        Where to look: ``draw(rng, size)`` returns an `Instance` with up to about `size` states; or a strategy of
        instances, for example made of those in `tabular_inversion.strategies`. Worlds of every kind when omitted.

    Examples
    --------
    >>> from tabular_inversion import Stochastic, identify
    >>> guess = Conjecture(
    ...     "guess",
    ...     "One goal identifies every world among stochastic kernels.",
    ...     conclude=lambda instance: identify(instance.agent, Stochastic()).status.name == "IDENTIFIED",
    ...     hypotheses={"one goal": lambda instance: instance.goals.n_goals == 1},
    ... )
    >>> guess.statement().id
    'guess'
    """

    id: str
    plain: str
    conclude: Callable[[Instance], Outcome | bool]
    hypotheses: Mapping[str, Predicate] = field(default_factory=lambda: MappingProxyType({}))
    draw: Callable[[np.random.Generator, int], Instance] | SearchStrategy[Instance] | None = None

    def statement(self) -> Statement:
        """Return the sentence as the theory's are kept, with checks on drawn and on small instances."""
        assumed = tuple(Hypothesis(name, _guarded(self, name, test)) for name, test in self.hypotheses.items())
        conclude = _concluding(self)
        draw = _drawing(self, assumed)
        return Statement(
            id=self.id,
            title=self.plain,
            latex="",
            plain=self.plain,
            source="a conjecture of a user's own",
            proof="",
            hypotheses=assumed,
            draw=draw,
            conclude=conclude,
            checks=(
                Check("exact", "drawn rational instances that satisfy the hypotheses",
                      exact_check(draw, assumed, conclude, size=4), (50, 500, 5000)),
                Check("exact", "small instances, one after another", _small(assumed, conclude), (300, 3000, 30000)),
            ),
            counterexamples=(),
            mutations=(),
            open_levels=dict.fromkeys(("symbolic", "universal"), "a conjecture is checked on instances"),
        )  # fmt: skip


def _guarded(conjecture: Conjecture, name: str, test: Predicate) -> Predicate:
    def holds(instance: Instance) -> bool:
        try:
            return bool(test(instance))
        except Exception as problem:
            raise _broken(conjecture, f"hypothesis {name!r}", problem, instance) from problem

    return holds


def _concluding(conjecture: Conjecture) -> Callable[[Instance], Outcome]:
    def conclude(instance: Instance) -> Outcome:
        try:
            found = conjecture.conclude(instance)
        except Exception as problem:
            raise _broken(conjecture, "the conclusion", problem, instance) from problem
        if isinstance(found, Outcome):
            return found
        if not isinstance(found, bool | np.bool_):
            raise ConjectureError(
                f"{conjecture.id}: the conclusion returned {type(found).__name__}; expected True, False or an Outcome."
            )
        return Outcome(bool(found), "the conclusion holds" if found else f"it fails on {instance.to_dict()}")

    return conclude


def _broken(conjecture: Conjecture, part: str, problem: Exception, instance: Instance) -> ConjectureError:
    return ConjectureError(
        f"{conjecture.id}: {part} raised {type(problem).__name__} ({problem}) on {instance.to_dict()}; make it answer, "
        "or add a hypothesis before it that leaves such instances out."
    )


def _drawing(conjecture: Conjecture, assumed: tuple[Hypothesis, ...]) -> Callable[[np.random.Generator, int], Instance]:
    """Return the draw of instances that satisfy all hypotheses."""
    given = conjecture.draw if conjecture.draw is not None else draw_any
    one = given if callable(given) else _sampling(given)

    def draw(rng: np.random.Generator, size: int) -> Instance:
        for _ in range(TRIES):
            instance = one(rng, size)
            if not isinstance(instance, Instance):
                raise ConjectureError(f"{conjecture.id}: draw gave {type(instance).__name__}; expected an Instance.")
            if all(h.holds(instance) for h in assumed):
                return instance
        missing = [h.name for h in assumed if not h.holds(instance)]
        raise ConjectureError(
            f"{conjecture.id}: none of {TRIES} draws in a row satisfied the hypotheses (the last lacks "
            f"{missing[0]!r}); give draw=, a function or a strategy of instances that do."
        )

    return draw


def _sampling(strategy: SearchStrategy[Instance]) -> Callable[[np.random.Generator, int], Instance]:
    """Return a draw from a strategy: hypothesis hands its examples out in batches."""
    waiting: list[Instance] = []

    def draw(rng: np.random.Generator, _size: int) -> Instance:
        if not waiting:
            waiting.extend(examples_of(strategy, int(rng.integers(2**31)), 50))
        if not waiting:
            raise ConjectureError("the strategy of instances is empty.")
        return waiting.pop()

    return draw


def examples_of(strategy: SearchStrategy[Any], seed: int, count: int) -> list[Any]:
    """Return up to so many examples of a strategy, the same ones for the same seed."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    found: list[Any] = []

    @seeded(seed)
    @settings(
        max_examples=count, database=None, deadline=None, derandomize=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


def _small(assumed: tuple[Hypothesis, ...], conclude: Callable[[Instance], Outcome]) -> Run:
    """Return the check of the first `amount` small instances of each family that satisfy the hypotheses."""

    def run(_rng: np.random.Generator, amount: int) -> Tally:
        tally = Tally()
        for family in FAMILIES:
            if tally.instances >= amount:
                break
            for instance in islice(family.instances(), amount):
                if all(h.holds(instance) for h in assumed):
                    outcome = conclude(instance)
                    tally.add(outcome.holds, outcome.error, outcome.text)
        return tally

    return run


def load_statements(path: str | os.PathLike[str]) -> tuple[Statement, ...]:
    """Run a Python file and return the sentences that stand at its top level.

    Parameters
    ----------
    path : path
        A file ending in ``.py`` with one `Conjecture` or `Statement` or more. It is executed.

    Raises
    ------
    ConjectureError
        If it cannot be read or run, holds no sentence, or two of one name.

    Examples
    --------
    >>> load_statements("nowhere.py")
    Traceback (most recent call last):
    proofs_checks.conjecture.ConjectureError: nowhere.py cannot be read: No such file or directory
    """
    module = _run_file(Path(path))
    values = [value for name, value in vars(module).items() if not name.startswith("_")]
    found = [value for value in values if isinstance(value, Conjecture | Statement)]
    unique = {id(value): value for value in found}.values()
    made = tuple(value.statement() if isinstance(value, Conjecture) else value for value in unique)
    names = [statement.id.lower() for statement in made]
    if not made:
        raise ConjectureError(f"{path} holds no Conjecture; write STATEMENT = Conjecture(id, plain, conclude, ...).")
    if len(set(names)) < len(names):
        raise ConjectureError(f"{path} holds two sentences called {max(names, key=names.count)!r}; rename one.")
    return made


def _run_file(path: Path) -> ModuleType:
    try:
        path.read_bytes()
    except OSError as problem:
        raise ConjectureError(f"{path} cannot be read: {problem.strerror}") from problem
    name = f"conjecture_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConjectureError(f"{path} is no Python file; its name ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and annotations of the file look it up
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        raise ConjectureError(f"{path} cannot be run: {type(problem).__name__}: {problem}") from problem
    return module
