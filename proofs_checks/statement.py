"""What a statement is here: words, hypotheses, checks at several levels, and a counterexample for each hypothesis.

A check draws instances from its own seed, calls the package's own code on each, and reports every instance on which
the statement fails. The seed of a check depends on the run's seed, the statement and the check's place alone, so that
the result does not depend on what else runs, or where.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Level = Literal["numeric", "certified", "exact", "symbolic", "universal", "formal"]
Effort = Literal["quick", "standard", "full"]

EFFORTS: dict[Effort, int] = {"quick": 1, "standard": 10, "full": 100}
"""How many times the quick number of instances a check draws."""


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
        ``run(rng, instances)`` returns a `Tally`.
    quick : int
        How many instances the quick effort draws; the other efforts draw 10 and 100 times as many.
    """

    level: Level
    title: str
    run: Callable[[np.random.Generator, int], Tally]
    quick: int


@dataclass(frozen=True)
class Counterexample:
    """What goes wrong when a hypothesis is dropped.

    Attributes
    ----------
    drops : str
        The hypothesis.
    text : str
        The instance, in words.
    show : callable
        Builds the instance with the package's own code and returns whether the conclusion fails on it.
    """

    drops: str
    text: str
    show: Callable[[], bool]


@dataclass(frozen=True)
class Statement:
    """A statement of the theory and what speaks for it.

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
    hypotheses : tuple of str
        What is assumed.
    checks : tuple of Check
        Never empty.
    counterexamples : tuple of Counterexample
        Why hypotheses are needed.
    """

    id: str
    title: str
    latex: str
    plain: str
    source: str
    hypotheses: tuple[str, ...]
    checks: tuple[Check, ...]
    counterexamples: tuple[Counterexample, ...]


def check_generator(statement: Statement, place: int, seed: int) -> np.random.Generator:
    """Return the random generator of check number `place` of a statement."""
    return np.random.default_rng([seed, zlib.crc32(statement.id.encode()), place])


def run_statement(
    statement: Statement, *, effort: Effort = "quick", seed: int = 0, progress: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Run all checks and counterexamples of a statement.

    Parameters
    ----------
    statement : Statement
        What to check.
    effort : {"quick", "standard", "full"}
        How many instances.
    seed : int
        Of every random instance.
    progress : callable
        Called after each check.

    Returns
    -------
    dict
        ``id``, ``title``, ``source``, ``held``, ``evidence`` (level, title, instances, held, worst, seconds, failures)
        and ``counterexamples`` (drops, text, shown). A check on no instances does not hold.
    """
    evidence = []
    for place, check in enumerate(statement.checks):
        start = time.perf_counter()
        tally = check.run(check_generator(statement, place, seed), check.quick * EFFORTS[effort])
        evidence.append(
            {
                "level": check.level,
                "title": check.title,
                "instances": tally.instances,
                "held": tally.instances > 0 and not tally.failures,
                "worst": tally.worst,
                "seconds": time.perf_counter() - start,
                "failures": tally.failures[:5],
            }
        )
        progress()
    shown = [{"drops": c.drops, "text": c.text, "shown": bool(c.show())} for c in statement.counterexamples]
    return {
        "id": statement.id,
        "title": statement.title,
        "source": statement.source,
        "held": all(e["held"] for e in evidence) and all(c["shown"] for c in shown),
        "evidence": evidence,
        "counterexamples": shown,
    }
