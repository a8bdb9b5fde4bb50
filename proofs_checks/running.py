"""Run statements, over as many processes as there are: the results do not depend on how many."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from proofs_checks.formal_level import formal_evidence, why_not_run
from proofs_checks.formal_theory import NOT_WRITTEN, theorems
from proofs_checks.statement import Check, Effort, Statement, Tally
from tabular_inversion.parallel import Task, run_tasks

KEPT_FAILURES = 5
"""How many failing instances a report names."""

LONGEST = 120
"""How many characters a report gives to each; a polynomial can have thousands."""

Kind = Literal["checks", "counterexamples", "mutations"]


@dataclass(frozen=True)
class Job:
    """One check, counterexample or mutation of one statement: what a process is given to do.

    Attributes
    ----------
    statement_id : str
        Whose.
    kind : {"checks", "counterexamples", "mutations"}
        Which of the statement's lists.
    place : int
        Its number there.
    effort : {"quick", "standard", "full"}
        How much.
    seed : int
        Of every random instance.
    file : str, optional
        The Python file that holds the statement, if it is none of the theory's.
    """

    statement_id: str
    kind: Kind
    place: int
    effort: Effort
    seed: int
    file: str | None = None


def jobs_of(statement: Statement, effort: Effort, seed: int, file: str | None = None) -> list[Job]:
    """List everything there is to do for a statement; checks that this effort leaves out are not listed."""
    kinds: tuple[Kind, ...] = ("checks", "counterexamples", "mutations")
    places = [(kind, i) for kind in kinds for i in range(len(getattr(statement, kind)))]
    jobs = [Job(statement.id, kind, i, effort, seed, file) for kind, i in places]
    return [job for job in jobs if _to_do(statement, job)]


def _to_do(statement: Statement, job: Job) -> bool:
    if job.kind == "checks":
        return _wanted(statement.checks[job.place], job.effort)
    return job.kind != "mutations" or _present(statement.mutations[job.place].needs)


def _wanted(check: Check, effort: Effort) -> bool:
    return check.amount(effort) > 0 and _present(check.needs)


def _present(module: str | None) -> bool:
    return module is None or find_spec(module) is not None


def job_generator(job: Job) -> np.random.Generator:
    """Return the random generator of a job; it depends on the seed, the statement, the kind and the place alone."""
    return np.random.default_rng([job.seed, zlib.crc32(f"{job.statement_id} {job.kind}".encode()), job.place])


def run_job(job: Job, statement: Statement | None = None) -> dict[str, Any]:
    """Do one thing and return what the report says of it.

    Parameters
    ----------
    job : Job
        What to do.
    statement : Statement, optional
        Looked up in its file, or in the registry, when omitted.
    """
    if statement is None:
        from proofs_checks import statements
        from proofs_checks.conjecture import load_statements

        known = statements() if job.file is None else load_statements(job.file)
        statement = next(one for one in known if one.id == job.statement_id)
    start = time.perf_counter()
    report = _REPORTS[job.kind](statement, job)
    return report | {"seconds": time.perf_counter() - start}


def shorten(text: str) -> str:
    """Return a text on one line, cut to `LONGEST` characters.

    Examples
    --------
    >>> shorten("rank 1"), len(shorten("x + " * 1000))
    ('rank 1', 120)
    """
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _run_check(statement: Statement, job: Job) -> dict[str, Any]:
    check = statement.checks[job.place]
    tally = check.run(job_generator(job), check.amount(job.effort))
    return {
        "level": check.level,
        "title": check.title,
        "amount": check.amount(job.effort),
        "instances": tally.instances,
        "held": tally.instances > 0 and not tally.failures,
        "worst": tally.worst,
        "failures": [shorten(text) for text in tally.failures[:KEPT_FAILURES]],
    }


def _replay(statement: Statement, job: Job) -> dict[str, Any]:
    example = statement.counterexamples[job.place]
    return {
        "drops": example.drops,
        "text": example.text,
        "shown": bool(statement.refuted_by(example)),
        "instance": None if example.instance is None else example.instance().to_dict(),
    }


def _mutate(statement: Statement, job: Job) -> dict[str, Any]:
    mutation = statement.mutations[job.place]
    tally: Tally = mutation.run(job_generator(job), mutation.amount)
    return {"changes": mutation.changes, "caught": bool(tally.failures), "by": shorten((tally.failures or [""])[0])}


_REPORTS: dict[Kind, Callable[[Statement, Job], dict[str, Any]]] = {
    "checks": _run_check,
    "counterexamples": _replay,
    "mutations": _mutate,
}


def run_statements(
    statements: Sequence[Statement], *, effort: Effort = "quick", seed: int = 0, workers: int = 1
) -> list[dict[str, Any]]:
    """Run all checks, counterexamples and mutations of statements.

    Parameters
    ----------
    statements : sequence of Statement
        From the registry, if there is more than one worker.
    effort : {"quick", "standard", "full"}
        How much.
    seed : int
        Of every random instance.
    workers : int
        How many processes; 1 stays in this one. The results are the same.

    Returns
    -------
    list of dict
        See `assemble`.

    Examples
    --------
    >>> from proofs_checks.t3b_spanning_rewards import STATEMENT
    >>> [report] = run_statements([STATEMENT])
    >>> report["held"], {entry["level"] for entry in report["evidence"]} >= {"exact", "numeric"}
    (True, True)
    """
    jobs = [job for statement in statements for job in jobs_of(statement, effort, seed)]
    by_id = {statement.id: statement for statement in statements}
    tasks: list[Task] = [(run_job, job) for job in jobs]
    if workers == 1:
        tasks = [(lambda job: run_job(job, by_id[job.statement_id]), job) for job in jobs]
    done = list(zip(jobs, run_tasks(tasks, workers=workers), strict=True))
    formal = formal_evidence(by_id, effort, workers=workers)
    return [assemble(statement, done, effort, formal) for statement in statements]


def assemble(
    statement: Statement,
    done: Sequence[tuple[Job, dict[str, Any]]],
    effort: Effort,
    formal: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    """Put the reports of a statement's jobs together.

    Parameters
    ----------
    statement : Statement
        Which one; jobs of others are passed over.
    done : sequence of (Job, dict)
        What `run_job` returned for each.
    effort : {"quick", "standard", "full"}
        What was asked for.
    formal : mapping of str to dict
        What Coq said just now of each statement; see `formal_evidence`.

    Returns
    -------
    dict
        ``id``, ``title``, ``source``, ``held``, ``evidence`` (level, title, amount, instances, held, worst, failures,
        seconds), ``counterexamples`` (drops, text, shown, instance, seconds), ``mutations`` (changes, caught, by,
        seconds), ``open_levels`` (level: reason) and ``left_out`` (checks of other efforts, or whose extra is missing).
        A check on no instances does not hold, and a statement without a check that was run does not either.
    """
    parts: dict[Kind, list[dict[str, Any]]] = {
        kind: [report for job, report in done if job.statement_id == statement.id and job.kind == kind]
        for kind in _REPORTS
    }
    parts["checks"] += [formal[statement.id]] if statement.id in formal else []
    held = (
        bool(parts["checks"])
        and all(entry["held"] for entry in parts["checks"])
        and all(entry["shown"] for entry in parts["counterexamples"])
        and all(entry["caught"] for entry in parts["mutations"])
    )
    return {
        "id": statement.id,
        "title": statement.title,
        "source": statement.source,
        "held": held,
        "evidence": parts["checks"],
        "counterexamples": parts["counterexamples"],
        "mutations": parts["mutations"],
        "open_levels": dict(statement.open_levels) | ({} if theorems(statement.id) else {"formal": NOT_WRITTEN}),
        "left_out": [f"{c.level}: {c.title}" for c in statement.checks if not _wanted(c, effort)]
        + _formal_left_out(statement.id, effort, formal),
    }


def _formal_left_out(statement_id: str, effort: Effort, formal: Mapping[str, dict[str, Any]]) -> list[str]:
    count = len(theorems(statement_id))
    if not count or statement_id in formal:
        return []
    return [f"formal: {count} theorem{'s' * (count > 1)} in formal/{statement_id}.v, {why_not_run(effort)}"]
