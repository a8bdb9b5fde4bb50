"""Search for a counterexample of a sentence: small instances, hypothesis' draws, and directed draws, in fractions.

What is found is shrunk, and proves that the sentence is false. What is not found proves nothing, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks.conjecture import Conjecture, ConjectureError, examples_of
from proofs_checks.instance import Instance
from proofs_checks.refutation import Refutation, Sentence, fits_of, refutes_of, the_statement
from proofs_checks.shrinking import shrink
from proofs_checks.small_instances import FAMILIES
from proofs_checks.special_instances import SPECIAL, draw_any
from proofs_checks.statement import InstanceError, Statement
from tabular_inversion.parallel import Task, run_tasks

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

STAGES = ("small", "drawn", "directed")
"""All small instances, family by family; what hypothesis draws; instances built to be special."""

SHARES = (0.25, 0.25, 0.5)
"""How much of the time each stage has."""

SIZE = 4
"""Up to about how many states instances have that are drawn."""


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
    workers: int = 1,
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
    workers : int
        Processes; more than one only for a file, as an object of this session cannot leave it. The command takes all
        cores.
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
    if workers != 1 and not is_file:
        raise ConjectureError(
            f"workers is {workers}; a sentence of this session has 1: save it in a file, give its path."
        )
    start = time.monotonic()
    begun = Part(sentence if is_file else statement, statement.id, None, seconds / 2, seed, 0, workers, "")
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
        parts = [replace(part, place=place, stop=str(Path(folder) / "found")) for place in range(part.parts)]
        tasks: list[Task] = [(search_part, one) for one in parts]
        reports = run_tasks(tasks, workers=part.parts)
    tried = dict.fromkeys(STAGES, (0, 0))
    for report in reports:
        for stage, (seen, fit) in report["tried"].items():
            tried[stage] = (tried[stage][0] + seen, tried[stage][1] + fit)
    finished = tuple(text for text in reports[0]["finished"] if all(text in report["finished"] for report in reports))
    found = [Instance.from_dict(report["found"]) for report in reports if report["found"] is not None]
    if not found:
        return None, tried, finished
    smallest = min(found, key=lambda i: (i.world.n_states * i.world.n_actions * i.goals.n_goals, len(str(i.to_dict()))))
    return shrink(smallest, refutes_of(statement, part.drops)), tried, finished


def search_part(part: Part) -> dict[str, Any]:
    """Search in this process until the time is over, or something is found, here or elsewhere."""
    statement = the_statement(part.sentence, part.name)
    refutes, fits = refutes_of(statement, part.drops), fits_of(statement, part.drops)
    tried: dict[str, tuple[int, int]] = {}
    finished: list[str] = []
    for stage, share in zip(STAGES, SHARES, strict=True):
        seen = fit = 0
        end = time.monotonic() + share * part.seconds
        for instance in _STREAMS[stage](part, statement, finished):
            if time.monotonic() > end or Path(part.stop).exists():
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


def _small(part: Part, _statement: Statement, finished: list[str]) -> Iterator[Instance]:
    for family in FAMILIES:
        yield from family.instances(part=part.place, parts=part.parts)
        finished.append(family.text)


def _drawn(part: Part, _statement: Statement, _finished: list[str]) -> Iterator[Instance]:
    strategy, seed = any_instances(), np.random.default_rng([part.seed, part.place, 1])
    while True:
        yield from examples_of(strategy, int(seed.integers(2**31)), 60)


def directed(part: Part, statement: Statement, _finished: list[str]) -> Iterator[Instance]:
    """Take turns between special instances, the sentence's own draws, and these under another policy or discount."""
    rng = np.random.default_rng([part.seed, part.place, 2])
    draws: Sequence[Callable[[np.random.Generator, int], Instance]] = (*SPECIAL, draw_any, _own(statement))
    while True:
        yield draws[int(rng.integers(len(draws)))](rng, int(rng.integers(2, SIZE + 1)))


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
    "directed": directed,
}
