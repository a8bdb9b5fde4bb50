"""What ``refute`` does: searches for a counterexample of a user's own sentence, and shows it."""

from __future__ import annotations

from pathlib import Path

from proofs_checks import Refutation
from proofs_checks import refute as search
from tabular_inversion.cli.console import MESSAGES, say
from tabular_inversion.parallel import usable_cores


def answer(file: Path, *, name: str | None, seconds: float, seed: int, workers: int | None) -> Refutation:
    """Search, with a line that says where, while it runs, if standard error is a terminal."""
    processes = workers or usable_cores()
    with MESSAGES.status("reading") as status:
        return search(file, name=name, seconds=seconds, seed=seed, workers=processes, progress=status.update)


def show(found: Refutation) -> None:
    """Print the result, then the counterexample as JSON takes it."""
    head, _, rest = found.text.partition("\n")
    say((head, "bold red" if found.counterexample is not None else "bold"), f"\n{rest}")
    if found.counterexample is not None:
        for part, value in found.counterexample.to_dict().items():
            if value not in (None, {}):
                say(f"  {part}: {value}")
