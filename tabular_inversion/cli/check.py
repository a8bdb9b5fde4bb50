"""What ``check`` does: certificate files are re-checked by code that shares nothing with what decided them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from tabular_inversion.checker import CertificateError, certificates_in
from tabular_inversion.checker import check as check_plainly
from tabular_inversion.cli.console import check_choice, say
from tabular_inversion.cli.plugs import plugged
from tabular_inversion.errors import MissingDependencyError

Checker = Literal["plain", "extracted", "both"]

Check = Callable[[dict[str, Any]], tuple[str, list[str]]]


def answer(files: list[Path], checker: str) -> dict[str, Any]:
    """Check every file, also where an earlier one does not hold.

    Raises
    ------
    SpecificationError
        If there is no such checker.
    MissingDependencyError
        If the one extracted from Coq is asked for and cannot be compiled here.
    """
    check_choice("--checker", checker, Checker)
    with ExitStack() as stack:
        check = _plain if checker == "plain" else _extracted(stack, both=checker == "both")
        return _checked(files, check)


def _checked(files: list[Path], check: Check) -> dict[str, Any]:
    found = []
    for file in files:
        lines: list[str] = []
        accepted: list[list[str]] = []
        problem = None
        try:
            for certificate in certificates_in(file):
                line, names = check(certificate)
                lines.append(line)
                accepted.append(names)
        except CertificateError as refused:
            lines, accepted, problem = [], [], str(refused)
        found.append(
            {"file": str(file), "holds": problem is None, "claims": lines, "checkers": accepted, "problem": problem}
        )
    return {"holds": all(one["holds"] for one in found), "files": found}


def _plain(certificate: dict[str, Any]) -> tuple[str, list[str]]:
    return check_plainly(certificate), ["plain"]


def _extracted(stack: ExitStack, *, both: bool) -> Check:
    """Compile the checker that is extracted from Coq, and return what asks it, after the plain one if that is meant."""
    module = plugged("check")
    if not module.available():
        raise MissingDependencyError(f"the checker extracted from Coq was {module.NOT_RUN}; or ask --checker plain.")
    program = stack.enter_context(module.compiled())

    def check(certificate: dict[str, Any]) -> tuple[str, list[str]]:
        line = check_plainly(certificate) if both else ""
        try:
            proved = module.run(program, certificate)
        except module.NotCoveredError as refused:
            if not both:
                raise
            return f"{line} ({refused})", ["plain"]
        return (f"{line} ({proved})" if both else proved), ["plain", "extracted"] if both else ["extracted"]

    return check


def show(found: dict[str, Any]) -> None:
    """Print a line for each claim, or what failed."""
    for one in found["files"]:
        for claim, names in zip(one["claims"], one["checkers"], strict=True):
            by = " and ".join(names)
            say(f"{one['file']}: ", ("holds", "bold green"), f", by the {by} checker: {claim}")
        if not one["holds"]:
            say(f"{one['file']}: ", ("does not hold", "bold red"), f": {one['problem']}")
