"""What ``lab`` does: the laboratory's pages are written to a folder and opened in a browser."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path

from proofs_checks.laboratory import write_laboratory
from proofs_checks.marking import find
from tabular_inversion.cli.console import say


def run(statement_id: str | None, *, out: Path | None, show: bool) -> None:
    """Write the pages, say where they are, and open them if asked."""
    asked = "" if statement_id is None else f"?id={find(statement_id).id}"
    folder = Path(tempfile.gettempdir()) / "tabular-inversion-laboratory" if out is None else out
    address = write_laboratory(folder).resolve().as_uri() + asked
    say(address)
    if show:
        webbrowser.open(address)
