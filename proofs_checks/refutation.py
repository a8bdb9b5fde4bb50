"""What a search for a counterexample found: shrunk, saved as JSON, and re-checked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from proofs_checks.conjecture import Conjecture, ConjectureError, load_statements
from proofs_checks.instance import Instance
from proofs_checks.statement import Statement
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.storage import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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

    Examples
    --------
    >>> print(Refutation("guess", "One goal suffices.", None, seconds=60.0).text)
    guess: nothing found in 60 s; this does not say that it is true.
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
            size = f"{world.n_states} states, {world.n_actions} actions, {self.counterexample.goals.n_goals} goals"
            lines = [f"{self.statement_id}: REFUTED, exactly, by a world with {size}, discount {world.discount}."]
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
        if self.counterexample is not None and not refutes_of(statement, None)(self.counterexample):
            raise ConjectureError(f"{self.statement_id}: the counterexample does not refute the sentence.")
        for name, instance in self.without.items():
            if name not in {h.name for h in statement.hypotheses}:
                raise ConjectureError(f"{self.statement_id}: there is no hypothesis {name!r}.")
            if instance is not None and not refutes_of(statement, name)(instance):
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


def fits_of(statement: Statement, drops: str | None) -> Callable[[Instance], bool]:
    """Return whether an instance satisfies all hypotheses, or all but the one named."""

    def fits(instance: Instance) -> bool:
        return all(bool(h.holds(instance)) is (h.name != drops) for h in statement.hypotheses)

    return fits


def refutes_of(statement: Statement, drops: str | None) -> Callable[[Instance], bool]:
    """Return whether an instance satisfies the hypotheses, all or all but one, and the conclusion is false there."""
    fits = fits_of(statement, drops)

    def refutes(instance: Instance) -> bool:
        try:
            return fits(instance) and not statement.conclude(instance).holds
        except TabularInversionError:
            if drops is None:
                raise
            return False  # without a hypothesis the conclusion may have no meaning: that does not make it false

    return refutes
