"""What ``check`` does: certificate files are re-checked by code that shares nothing with what decided them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tabular_inversion.checker import CertificateError, check_file
from tabular_inversion.cli.console import say


def answer(files: list[Path]) -> dict[str, Any]:
    """Check every file, also where an earlier one does not hold."""
    found = []
    for file in files:
        try:
            lines = check_file(file)
        except CertificateError as problem:
            found.append({"file": str(file), "holds": False, "claims": [], "problem": str(problem)})
        else:
            found.append({"file": str(file), "holds": True, "claims": lines, "problem": None})
    return {"holds": all(one["holds"] for one in found), "files": found}


def show(found: dict[str, Any]) -> None:
    """Print a line for each claim, or what failed."""
    for one in found["files"]:
        for claim in one["claims"]:
            say(f"{one['file']}: ", ("holds", "bold green"), f": {claim}")
        if not one["holds"]:
            say(f"{one['file']}: ", ("does not hold", "bold red"), f": {one['problem']}")
