"""What a statement is here: words, hypotheses, a proof, checks at several levels, and what breaks without a hypothesis.

A check draws instances from its own seed, calls the package's own code on each, and reports every instance on which
the statement fails. The seed of a check depends on the run's seed, the statement and the check's place alone, so that
the result does not depend on what else runs, or where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from proofs_checks.instance import Instance
from tabular_inversion.errors import TabularInversionError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Level = Literal["numeric", "certified", "exact", "symbolic", "universal", "formal"]
Effort = Literal["quick", "standard", "full"]

LEVELS: tuple[Level, ...] = ("numeric", "certified", "exact", "symbolic", "universal", "formal")
"""From the weakest evidence to the strongest."""

EFFORTS: tuple[Effort, ...] = ("quick", "standard", "full")
"""In the order of `Check.amounts`."""


class InstanceError(TabularInversionError):
    """A generator drew an instance that does not satisfy the hypotheses of its statement."""


class Outcome(NamedTuple):
    """What a conclusion says of one instance.

    Attributes
    ----------
    holds : bool
        Whether it is true there.
    text : str
        The numbers that decided, for a reader.
    error : float
        The largest violation or error measured; 0 for exact comparisons.
    """

    holds: bool
    text: str
    error: float = 0.0


@dataclass
class Tally:
    """What a check found so far.

    Attributes
    ----------
    instances : int
        How many instances were tried.
    worst : float
        The largest violation or error measured, in the check's own units (0 for exact checks that hold).
    failures : list of str
        One line for each instance on which the statement failed.
    """

    instances: int = 0
    worst: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, holds: bool, error: float, description: str) -> None:
        """Count one instance; its description is kept if the statement fails on it."""
        self.instances += 1
        self.worst = max(self.worst, float(error))
        if not holds:
            self.failures.append(description)


Run: TypeAlias = Callable[[np.random.Generator, int], Tally]
"""``run(rng, amount)`` tries instances and returns what it found."""


@dataclass(frozen=True)
class Check:
    """One way to test a statement, at one evidence level.

    Attributes
    ----------
    level : str
        The evidence level that the check reaches when it holds.
    title : str
        What is drawn and compared.
    run : callable
        ``run(rng, amount)`` returns a `Tally`.
    amounts : tuple of int
        What the quick, standard and full efforts pass as `amount`: a number of random instances, or the largest size
        of an enumeration. 0 leaves the check out.
    needs : str, optional
        The module of an extra without which the check is left out, such as "z3".
    """

    level: Level
    title: str
    run: Run
    amounts: tuple[int, int, int]
    needs: str | None = None

    def amount(self, effort: Effort) -> int:
        """Return how much this effort asks for."""
        return self.amounts[EFFORTS.index(effort)]


@dataclass(frozen=True)
class Hypothesis:
    """One assumption of a statement, as a predicate.

    Attributes
    ----------
    name : str
        A few words.
    holds : callable
        Whether an instance satisfies it. For "almost every" hypotheses, which are about laws and not about numbers,
        the predicate is a necessary condition, which the name gives after "tested by": instances that satisfy it may
        still be exceptional.
    violations : callable, optional
        Returns a hypothesis strategy of instances among which those that lack this assumption are searched.
    """

    name: str
    holds: Callable[[Instance], bool]
    violations: Callable[[], SearchStrategy[Instance]] | None = None


@dataclass(frozen=True)
class Counterexample:
    """What goes wrong when a hypothesis is dropped.

    Attributes
    ----------
    drops : str
        The name of the hypothesis, or words for one that no `Instance` can express.
    text : str
        The instance, in words.
    instance : callable, optional
        Builds or loads the instance; it satisfies all hypotheses but the one that is dropped, and the conclusion fails.
    show : callable, optional
        Builds what an `Instance` cannot express, with the package's own code, and returns whether the conclusion fails.
    """

    drops: str
    text: str
    instance: Callable[[], Instance] | None = None
    show: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Mutation:
    """A wrong variant of the statement, which its own check has to refute.

    Attributes
    ----------
    changes : str
        What is wrong, such as "N - 2 goals in place of N - 1".
    run : callable
        The check of the variant.
    amount : int
        Enough for it to fail.
    needs : str, optional
        As for a `Check`: without that module the mutation is left out.
    """

    changes: str
    run: Run
    amount: int
    needs: str | None = None


@dataclass(frozen=True)
class Statement:
    r"""A statement of the theory and what speaks for it.

    Attributes
    ----------
    id : str
        Its name in the notation of the docs, such as ``"T3a"``.
    title : str
        A few words.
    latex, plain : str
        The statement in symbols and in words.
    source : str
        Where it comes from.
    proof : str
        In full, in Markdown with ``$...$``.
    hypotheses : tuple of Hypothesis
        What is assumed.
    draw : callable
        ``draw(rng, size)`` returns a random instance with about `size` states that satisfies all hypotheses.
    conclude : callable
        Decides the conclusion on an instance, in exact arithmetic.
    checks : tuple of Check
        Never empty.
    counterexamples : tuple of Counterexample
        Why hypotheses are needed.
    mutations : tuple of Mutation
        Wrong variants; never empty.
    open_levels : mapping of str to str
        Why a level is not reached.
    api : tuple of str
        The functions of the package that the statement is about, by their full names.
    """

    id: str
    title: str
    latex: str
    plain: str
    source: str
    proof: str
    hypotheses: tuple[Hypothesis, ...]
    draw: Callable[[np.random.Generator, int], Instance]
    conclude: Callable[[Instance], Outcome]
    checks: tuple[Check, ...]
    counterexamples: tuple[Counterexample, ...]
    mutations: tuple[Mutation, ...]
    open_levels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    api: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What counterexamples drop that no predicate of instances expresses."""
        names = {hypothesis.name for hypothesis in self.hypotheses}
        return tuple(dict.fromkeys(c.drops for c in self.counterexamples if c.drops not in names))

    def lacks_only(self, instance: Instance, drops: str) -> bool:
        """Tell whether an instance satisfies every hypothesis but the one named."""
        return all(h.holds(instance) is (h.name != drops) for h in self.hypotheses)

    def refuted_by(self, counterexample: Counterexample) -> bool:
        """Tell whether a counterexample does what it says."""
        shown = counterexample.show is None or counterexample.show()
        if counterexample.instance is None:
            return counterexample.show is not None and shown
        instance = counterexample.instance()
        return shown and self.lacks_only(instance, counterexample.drops) and not self.conclude(instance).holds


def exact_check(
    draw: Callable[[np.random.Generator, int], Instance],
    hypotheses: tuple[Hypothesis, ...],
    conclude: Callable[[Instance], Outcome],
    *,
    size: int,
) -> Run:
    """Return the check that draws instances with about `size` states and decides the conclusion on each, exactly.

    Raises
    ------
    InstanceError
        When run, if an instance does not satisfy a hypothesis: the check would then be about something else.
    """

    def run(rng: np.random.Generator, amount: int) -> Tally:
        tally = Tally()
        for _ in range(amount):
            instance = draw(rng, size)
            missing = [h.name for h in hypotheses if not h.holds(instance)]
            if missing:
                raise InstanceError(f"an instance was drawn that lacks {missing[0]!r}: {instance.to_dict()}")
            outcome = conclude(instance)
            tally.add(outcome.holds, outcome.error, outcome.text)
        return tally

    return run


def first_failure(run: Run) -> Run:
    """Return the check that tries one instance after another and stops at the first on which `run` fails.

    For mutations, whose wrong claims may hold on most instances: the amount is where it gives up.

    Examples
    --------
    >>> def tails(rng, amount):
    ...     tally = Tally()
    ...     tally.add(bool(rng.integers(2)), 0.0, "tails")
    ...     return tally
    >>> first_failure(tails)(np.random.default_rng(0), 100).failures
    ['tails']
    """

    def stopped(rng: np.random.Generator, amount: int) -> Tally:
        tally = Tally()
        for _ in range(amount):
            found = run(rng, 1)
            for failure in found.failures[:1]:
                tally.add(False, found.worst, failure)
                return tally
            tally.add(True, found.worst, "")
        return tally

    return stopped
