"""Search for a counterexample of a sentence: small instances, hypothesis' draws, and directed draws, in fractions.

What is found is shrunk, and proves that the sentence is false. What is not found proves nothing, and says so.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from proofs_checks.conjecture import Conjecture, ConjectureError, examples_of, load_statements
from proofs_checks.instance import Instance
from proofs_checks.shrinking import shrink
from proofs_checks.small_instances import FAMILIES
from proofs_checks.special_instances import SPECIAL, draw_any
from proofs_checks.statement import InstanceError, Statement
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.parallel import Task, run_tasks, usable_cores
from tabular_inversion.storage import whole_file

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from matplotlib.figure import Figure

STAGES = ("small", "drawn", "directed")
"""All small instances, family by family; what hypothesis draws; instances built to be special."""

SHARES = (0.25, 0.25, 0.5)
"""How much of the time each stage has."""

SIZE = 4
"""Up to about how many states instances have that are drawn."""

Sentence: TypeAlias = "Statement | Conjecture | str | os.PathLike[str]"


@dataclass(frozen=True)
class Refutation:
    """What a search found.

    Attributes
    ----------
    statement_id, plain : str
        Of which sentence.
    counterexample : Instance or None
        Satisfies every hypothesis, and the conclusion is false there; None if none was found.
    without : mapping of str to (Instance or None)
        For each hypothesis an instance that lacks it alone and on which the conclusion is false, or None if none was
        found. Empty if the sentence is false anyway.
    tried : mapping of str to (int, int)
        For each stage how many instances were looked at, and how many of them satisfied all hypotheses.
    finished : tuple of str
        The families of small instances all of whose members were looked at.
    seconds : float
        How long the search took.
    seed : int
        Of every draw.
    """

    statement_id: str
    plain: str
    counterexample: Instance | None
    without: Mapping[str, Instance | None] = field(default_factory=lambda: MappingProxyType({}))
    tried: Mapping[str, tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    finished: tuple[str, ...] = ()
    seconds: float = 0.0
    seed: int = 0

    def __repr__(self) -> str:
        found = "REFUTED" if self.counterexample is not None else "nothing found"
        return f"Refutation({self.statement_id}: {found})"

    @property
    def text(self) -> str:
        """The result in words, a line for each thing that was found or looked at."""
        looked = sum(looked for looked, _ in self.tried.values())
        if self.counterexample is not None:
            world = self.counterexample.world
            lines = [
                f"{self.statement_id}: REFUTED, exactly, by a world with {world.n_states} states, {world.n_actions} "
                f"actions, {self.counterexample.goals.n_goals} goals, discount {world.discount}."
            ]
        else:
            lines = [f"{self.statement_id}: nothing found in {self.seconds:.0f} s; this does not say that it is true."]
        for stage, (seen, fit) in self.tried.items():
            lines.append(f"  {stage}: {seen} instances, {fit} of them satisfy the hypotheses")
        if looked and self.counterexample is None:
            covered = "; ".join(self.finished) or "none"
            lines.append(f"  families looked at whole: {covered}")
        for name, instance in self.without.items():
            said = "needed: without it the sentence is false" if instance is not None else "not shown to be needed"
            lines.append(f"  hypothesis {name!r}: {said}")
        return "\n".join(lines)

    def verify(self, sentence: Sentence) -> None:
        """Check every instance again against the sentence.

        Raises
        ------
        ConjectureError
            If one does not do what is claimed of it, or the sentence is another one.
        """
        statement = the_statement(sentence, self.statement_id)
        if statement.plain != self.plain:
            raise ConjectureError(f"{self.statement_id}: the sentence has other words now; search again.")
        if self.counterexample is not None and not _refutes(statement, None)(self.counterexample):
            raise ConjectureError(f"{self.statement_id}: the counterexample does not refute the sentence.")
        for name, instance in self.without.items():
            if name not in {h.name for h in statement.hypotheses}:
                raise ConjectureError(f"{self.statement_id}: there is no hypothesis {name!r}.")
            if instance is not None and not _refutes(statement, name)(instance):
                raise ConjectureError(f"{self.statement_id}: the instance without {name!r} does not show it needed.")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, fractions as texts."""
        return {
            "format": "tabular-inversion refutation",
            "version": 1,
            "statement": self.statement_id,
            "plain": self.plain,
            "counterexample": _dict(self.counterexample),
            "without": {name: _dict(instance) for name, instance in self.without.items()},
            "tried": {stage: list(counts) for stage, counts in self.tried.items()},
            "finished": list(self.finished),
            "seconds": self.seconds,
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Refutation:
        """Read what `to_dict` returned; nothing in it is believed before `verify`.

        Raises
        ------
        ConjectureError
            If it is no refutation.
        """
        try:
            if (given["format"], given["version"]) != ("tabular-inversion refutation", 1):
                raise ConjectureError("this is no refutation of version 1.")
            return cls(
                given["statement"],
                given["plain"],
                _instance(given["counterexample"]),
                {name: _instance(found) for name, found in given["without"].items()},
                {stage: (int(seen), int(fit)) for stage, (seen, fit) in given["tried"].items()},
                tuple(given["finished"]),
                float(given["seconds"]),
                int(given["seed"]),
            )
        except (LookupError, TypeError, ValueError, AttributeError) as problem:
            raise ConjectureError(f"this is no refutation ({type(problem).__name__}: {problem}).") from problem

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON, whole or not at all; raises `FileAccessError`."""
        with whole_file(Path(path)) as place:
            place.write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Refutation:
        """Read what `save` wrote."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except OSError as problem:
            raise ConjectureError(f"{path} cannot be read: {problem.strerror}.") from problem
        except ValueError as problem:
            raise ConjectureError(f"{path} is no JSON file ({problem}).") from problem

    def plot(self) -> Figure:
        """Draw the counterexample: a panel for each action, with the probabilities, and M below.

        Raises
        ------
        ConjectureError
            If there is none.
        """
        if self.counterexample is None:
            raise ConjectureError(f"{self.statement_id}: no counterexample was found; there is nothing to draw.")
        from proofs_checks.refutation_picture import draw_instance

        return draw_instance(self.counterexample, self.plain)


def _dict(instance: Instance | None) -> dict[str, Any] | None:
    return None if instance is None else instance.to_dict()


def _instance(given: Mapping[str, Any] | None) -> Instance | None:
    return None if given is None else Instance.from_dict(given)


def the_statement(sentence: Sentence, name: str | None = None) -> Statement:
    """Return the statement that is meant: itself, a conjecture's, or that of a file.

    Raises
    ------
    ConjectureError
        If a file holds several sentences and none of this name, or the argument is no sentence.
    """
    if isinstance(sentence, Statement):
        return sentence
    if isinstance(sentence, Conjecture):
        return sentence.statement()
    if not isinstance(sentence, str | os.PathLike):
        raise ConjectureError(
            f"{type(sentence).__name__} is no sentence; expected a Conjecture, a Statement or the path of a .py file."
        )
    found = load_statements(sentence)
    if name is None and len(found) == 1:
        return found[0]
    for statement in found:
        if statement.id == name:
            return statement
    options = ", ".join(statement.id for statement in found)
    raise ConjectureError(f"{os.fspath(sentence)} holds {options}; name one of them.")


@dataclass(frozen=True)
class Part:
    """One process' share of a search; everything in it can be sent to another process if the sentence is a path."""

    sentence: Sentence
    name: str
    drops: str | None
    seconds: float
    seed: int
    place: int
    parts: int
    stop: str


def refute(
    sentence: Sentence,
    *,
    name: str | None = None,
    seconds: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Refutation:
    """Search for a counterexample of a sentence, then, if there is none, for one without each hypothesis.

    Parameters
    ----------
    sentence : Conjecture, Statement or path
        What may be false; of a file the sentence called `name`.
    name : str, optional
        Needed if the file holds several.
    seconds : float
        For everything, about; half of it goes to the sentence itself.
    seed : int
        The instances that are looked at, and their order, depend on it alone; how many there are depends on the time.
    workers : int, optional
        Processes. All cores for a file; an object of this session cannot leave it, so it has 1.
    progress : callable
        Called with a line for each part of the search that begins.

    Returns
    -------
    Refutation
        Re-checked.

    Raises
    ------
    ConjectureError
        If the sentence cannot be checked: see its message.

    Examples
    --------
    >>> from tabular_inversion import Deterministic, identify
    >>> guess = Conjecture(
    ...     "guess", "One goal identifies every world among deterministic kernels.",
    ...     conclude=lambda i: identify(i.agent, Deterministic(), scope="uniform").status.name == "IDENTIFIED",
    ...     hypotheses={"one goal": lambda i: i.goals.n_goals == 1},
    ... )
    >>> found = refute(guess, seconds=10)
    >>> found.counterexample.world, found.counterexample.goals.rewards.tolist()
    (ExactMDP(n_states=2, n_actions=1, discount=0), [[Fraction(0, 1), Fraction(0, 1)]])
    """
    statement = the_statement(sentence, name)
    is_file = not isinstance(sentence, Statement | Conjecture)
    if not (isinstance(seconds, int | float) and 0 < seconds < float("inf")):
        raise ConjectureError(f"seconds is {seconds!r}; expected a positive number.")
    count = (usable_cores() if is_file else 1) if workers is None else workers
    if count != 1 and not is_file:
        raise ConjectureError(
            f"workers is {count}; a sentence of this session has 1: save it in a file, give its path."
        )
    start = time.monotonic()
    begun = Part(sentence if is_file else statement, statement.id, None, seconds / 2, seed, 0, count, "")
    progress(f"{statement.id}: searching, {seconds / 2:.0f} s")
    found, tried, finished = _search(begun, statement)
    without: dict[str, Instance | None] = {}
    if found is None:
        share = (seconds - (time.monotonic() - start)) / max(1, len(statement.hypotheses))
        for hypothesis in statement.hypotheses:
            progress(f"{statement.id}: without {hypothesis.name!r}, {share:.0f} s")
            without[hypothesis.name] = _search(replace(begun, drops=hypothesis.name, seconds=share), statement)[0]
    taken = time.monotonic() - start
    result = Refutation(statement.id, statement.plain, found, without, tried, finished, taken, seed)
    result.verify(statement)
    return result


def _search(part: Part, statement: Statement) -> tuple[Instance | None, dict[str, tuple[int, int]], tuple[str, ...]]:
    """Search in all processes; the smallest of what they find is shrunk."""
    with TemporaryDirectory(prefix="refute-") as folder:
        parts = [replace(part, place=place, stop=os.path.join(folder, "found")) for place in range(part.parts)]
        tasks: list[Task] = [(search_part, one) for one in parts]
        reports = run_tasks(tasks, workers=part.parts)
    tried = {stage: (0, 0) for stage in STAGES}
    for report in reports:
        for stage, (seen, fit) in report["tried"].items():
            tried[stage] = (tried[stage][0] + seen, tried[stage][1] + fit)
    finished = tuple(text for text in reports[0]["finished"] if all(text in report["finished"] for report in reports))
    found = [Instance.from_dict(report["found"]) for report in reports if report["found"] is not None]
    if not found:
        return None, tried, finished
    smallest = min(found, key=lambda i: (i.world.n_states * i.world.n_actions * i.goals.n_goals, len(str(i.to_dict()))))
    return shrink(smallest, _refutes(statement, part.drops)), tried, finished


def search_part(part: Part) -> dict[str, Any]:
    """Search in this process until the time is over, or something is found, here or elsewhere."""
    statement = the_statement(part.sentence, part.name)
    refutes, fits = _refutes(statement, part.drops), _fits(statement, part.drops)
    tried: dict[str, tuple[int, int]] = {}
    finished: list[str] = []
    for stage, share in zip(STAGES, SHARES, strict=True):
        seen = fit = 0
        end = time.monotonic() + share * part.seconds
        for instance in _STREAMS[stage](part, statement, finished):
            if time.monotonic() > end or os.path.exists(part.stop):
                break
            seen += 1
            if not fits(instance):
                continue
            fit += 1
            if refutes(instance):
                Path(part.stop).touch()
                return {"found": instance.to_dict(), "tried": tried | {stage: (seen, fit)}, "finished": finished}
        tried[stage] = (seen, fit)
    return {"found": None, "tried": tried, "finished": finished}


def _fits(statement: Statement, drops: str | None) -> Callable[[Instance], bool]:
    """Return whether an instance satisfies all hypotheses, or all but the one named."""

    def fits(instance: Instance) -> bool:
        return all(bool(h.holds(instance)) is (h.name != drops) for h in statement.hypotheses)

    return fits


def _refutes(statement: Statement, drops: str | None) -> Callable[[Instance], bool]:
    """Return whether an instance satisfies the hypotheses, all or all but one, and the conclusion is false there."""
    fits = _fits(statement, drops)

    def refutes(instance: Instance) -> bool:
        try:
            return fits(instance) and not statement.conclude(instance).holds
        except TabularInversionError:
            if drops is None:
                raise
            return False  # without a hypothesis the conclusion may have no meaning: that does not make it false

    return refutes


def _small(part: Part, _statement: Statement, finished: list[str]) -> Iterator[Instance]:
    for family in FAMILIES:
        yield from family.instances(part=part.place, parts=part.parts)
        finished.append(family.text)


def _drawn(part: Part, _statement: Statement, _finished: list[str]) -> Iterator[Instance]:
    strategy, seed = any_instances(), np.random.default_rng([part.seed, part.place, 1])
    while True:
        yield from examples_of(strategy, int(seed.integers(2**31)), 60)


def _directed(part: Part, statement: Statement, _finished: list[str]) -> Iterator[Instance]:
    """Take turns between special instances, the sentence's own draws, and these under another policy or discount."""
    rng = np.random.default_rng([part.seed, part.place, 2])
    draws: Sequence[Callable[[np.random.Generator, int], Instance]] = (*SPECIAL, draw_any, _own(statement))
    while True:
        yield draws[rng.integers(len(draws))](rng, int(rng.integers(2, SIZE + 1)))


def _own(statement: Statement) -> Callable[[np.random.Generator, int], Instance]:
    """Return the draw of the sentence; special instances where it refuses or does not find any."""

    def draw(rng: np.random.Generator, size: int) -> Instance:
        try:
            return statement.draw(rng, max(3, size))
        except (ConjectureError, InstanceError):
            return draw_any(rng, size)

    return draw


def any_instances() -> SearchStrategy[Instance]:
    """Return hypothesis' strategy of instances: worlds, goals and policies of `tabular_inversion.strategies`."""
    from hypothesis import strategies as st

    from tabular_inversion.strategies import exact_goals, exact_mdps, exact_policies

    @st.composite
    def made(draw: st.DrawFn) -> Instance:
        world = draw(exact_mdps(max_successors=draw(st.sampled_from([None, 1, 2]))))
        goals = draw(exact_goals(world.n_states))
        kind = draw(st.sampled_from(["optimal", "one", "each"]))
        if kind == "optimal":
            return Instance(world, goals)
        return Instance(
            world, goals, draw(exact_policies(world.available, n_goals=goals.n_goals if kind == "each" else None))
        )

    return made()


_STREAMS: dict[str, Callable[[Part, Statement, list[str]], Iterator[Instance]]] = {
    "small": _small,
    "drawn": _drawn,
    "directed": _directed,
}
