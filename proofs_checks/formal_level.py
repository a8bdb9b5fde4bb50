"""Level `formal`: run Coq, here and now, on the theorems of `formal/`.

Nothing is remembered between runs: every file is copied into a temporary folder and compiled there, and Coq is asked
for each theorem whether anything was assumed (``Print Assumptions``). A theorem counts only if its file compiles and it
is "Closed under the global context", without axioms and without ``Admitted``.

``python -m proofs_checks.formal_level`` runs the whole theory and prints a line for each theorem.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from proofs_checks.formal_theory import FOLDER, formal_ids, needs, theorems
from tabular_inversion.parallel import usable_cores

NOT_RUN = "not run: install coq and libcoq-mathcomp"
"""What is said where there is no checker."""

LONGEST_FILE = 240
"""Seconds after which a file counts as refused."""

Progress = Callable[[str, float], None]


class Compiled(NamedTuple):
    """What Coq said of one file.

    Attributes
    ----------
    output, error : str
        What was printed; the error is empty if the file was accepted.
    seconds : float
        How long it took.
    """

    output: str
    error: str
    seconds: float


def checker() -> str | None:
    """Return the path of ``coqc`` if it is there and finds MathComp, else None."""
    command = shutil.which("coqc")
    if command is None:
        return None
    where = subprocess.run([command, "-where"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return command if (Path(where) / "user-contrib" / "mathcomp" / "algebra").is_dir() else None


def why_not_run(effort: str) -> str | None:
    """Say why an effort leaves this level out, or None if it does not.

    Examples
    --------
    >>> why_not_run("quick")
    'run by --effort full'
    """
    if effort != "full":
        return "run by --effort full"
    return None if checker() is not None else NOT_RUN


def formal_evidence(ids: Iterable[str], effort: str, *, workers: int = 1) -> dict[str, dict[str, Any]]:
    """Return what Coq says of the statements that have a file: nothing unless the effort is full and Coq is here.

    Progress goes to standard error, a line for each file.

    Parameters
    ----------
    ids : iterable of str
        Statements; those without a file are passed over.
    effort : {"quick", "standard", "full"}
        Only "full" runs Coq.
    workers : int
        How many files are compiled at a time.

    Returns
    -------
    dict of str to dict
        See `check_theory`.
    """
    wanted = [name for name in formal_ids() if name in set(ids)]
    if not wanted or why_not_run(effort) is not None:
        return {}

    def progress(name: str, seconds: float) -> None:
        print(f"coqc {name}: {seconds:.1f} s", file=sys.stderr, flush=True)

    return check_theory(wanted, workers=workers, progress=progress)


def check_theory(
    ids: Sequence[str], *, folder: Path = FOLDER, workers: int = 1, progress: Progress = lambda _name, _seconds: None
) -> dict[str, dict[str, Any]]:
    """Compile the files of statements and ask Coq what each theorem assumes.

    Parameters
    ----------
    ids : sequence of str
        Names of files of `folder`.
    folder : Path
        Where the ``.v`` files are; nothing is written there.
    workers : int
        How many files are compiled at a time.
    progress : callable
        ``progress(name, seconds)`` after each file.

    Returns
    -------
    dict of str to dict
        An entry of ``evidence`` for each id: ``instances`` counts the theorems that Coq accepted, ``theorems`` names
        each one (name, sentence, accepted), ``failures`` says in a line what was refused. Empty without Coq.
    """
    command = checker()
    if command is None:
        return {}
    mark = token_hex(8)
    with TemporaryDirectory(prefix="formal-") as work, ThreadPoolExecutor(max(1, workers)) as pool:
        sources = {name: (folder / f"{name}.v").read_text(encoding="utf-8") for name in _in_order(ids, folder)}
        sources |= {name: sources[name] + _questions(name, folder, mark) for name in ids}
        done: dict[str, Future[Compiled]] = {}
        # Submitted so that a file comes after those it needs: one that waits never blocks what it waits for.
        for name, text in sources.items():
            waits = [done[other] for other in needs(text)]
            done[name] = pool.submit(_compile, command, Path(work), name, text, waits, progress)
        results = {name: future.result() for name, future in done.items()}
    return {name: _entry(name, folder, results[name], mark) for name in ids}


def _in_order(ids: Iterable[str], folder: Path) -> list[str]:
    """List files and all that they need, each after those it needs."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for other in needs((folder / f"{name}.v").read_text(encoding="utf-8")):
                visit(other)
            order.append(name)

    for name in ids:
        visit(name)
    return order


def _questions(name: str, folder: Path, mark: str) -> str:
    """Return what is added to a file; the random mark tells our answers from what the file itself prints."""
    return "".join(
        f'\nGoal True. idtac "{mark} {theorem.name}". Abort.\nPrint Assumptions {theorem.name}.\n'
        for theorem in theorems(name, folder)
    )


def _compile(
    command: str, work: Path, name: str, text: str, waits: Sequence[Future[Compiled]], progress: Progress
) -> Compiled:
    if any(other.result().error for other in waits):
        return Compiled("", "a file that it needs was refused", 0.0)
    file = work / f"{name}.v"
    file.write_text(text, encoding="utf-8")
    start = time.perf_counter()
    try:
        ended = subprocess.run(  # noqa: S603
            [command, "-q", "-w", "none", "-Q", ".", "TabularInversion", file.name],
            cwd=work, capture_output=True, text=True, check=False, timeout=LONGEST_FILE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Compiled("", f"not accepted within {LONGEST_FILE} s", float(LONGEST_FILE))
    seconds = time.perf_counter() - start
    progress(name, seconds)
    error = "" if ended.returncode == 0 else " ".join(ended.stderr.split()) or f"exit status {ended.returncode}"
    return Compiled(ended.stdout, error, seconds)


def closed_theorems(output: str, mark: str) -> set[str]:
    r"""Return the theorems that Coq found to be without assumptions, from what it printed.

    Examples
    --------
    >>> closed_theorems("# a\nClosed under the global context\n# b\nAxioms:\nb : False\n", "#")
    {'a'}
    """
    answers = re.split(rf"^{mark} (\w+)$", output, flags=re.MULTILINE)[1:]
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return {name for name, answer in pairs if answer.strip() == "Closed under the global context"}


def _entry(name: str, folder: Path, file: Compiled, mark: str) -> dict[str, Any]:
    known = theorems(name, folder)
    closed = set() if file.error else closed_theorems(file.output, mark)
    failures = [f"{name}.v: {file.error}"] if file.error else []
    if not failures:
        failures = [f"{theorem.name} rests on an axiom" for theorem in known if theorem.name not in closed]
    return {
        "level": "formal",
        "title": "Coq accepted, without axioms: " + ", ".join(t.name for t in known if t.name in closed),
        "amount": len(known),
        "instances": len(closed),
        "held": bool(known) and not failures,
        "worst": 0.0,
        "failures": [" ".join(line.split()) for line in failures],
        "seconds": file.seconds,
        "theorems": [{"name": t.name, "sentence": t.sentence, "accepted": t.name in closed} for t in known],
    }


def main() -> int:
    """Run the whole theory, print a line for each theorem, return 1 if one was refused; or say that Coq is missing."""
    if checker() is None:
        print(f"level formal {NOT_RUN}")
        return 0
    entries = check_theory(formal_ids(), workers=usable_cores())
    for entry in entries.values():
        for theorem in entry["theorems"]:
            print(f"{'closed, no axioms' if theorem['accepted'] else 'REFUSED':<18} {theorem['name']}")
        for failure in entry["failures"]:
            print(failure, file=sys.stderr)
    accepted = sum(entry["instances"] for entry in entries.values())
    refused = sum(not entry["held"] for entry in entries.values())
    print(f"{accepted} theorems of {len(entries)} statements accepted by Coq, {refused} files refused")
    return 0 if all(entry["held"] for entry in entries.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
