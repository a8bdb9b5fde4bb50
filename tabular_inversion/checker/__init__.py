"""Checks certificate files of exact answers: plain integers, no library, and no code of what decides.

One file for each claim: verdicts in 150 lines, and smallest goal sets and exceptional discounts in 60 each.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from tabular_inversion.checker.discounts import exceptional_discount
from tabular_inversion.checker.errors import CertificateError, need
from tabular_inversion.checker.goal_sets import smallest_set
from tabular_inversion.checker.verdicts import verdict

FORMAT, VERSION = "tabular-inversion certificate", 1

__all__ = ["CertificateError", "certificates_in", "check", "check_file", "check_form"]


def check(certificate: dict[str, Any]) -> str:
    """Return one line that says what a certificate proves.

    Raises
    ------
    CertificateError
        If it does not hold; the message names what.

    Examples
    --------
    >>> check({})
    Traceback (most recent call last):
    tabular_inversion.checker.errors.CertificateError: format: this is no certificate of version 1
    """
    check_form(certificate)
    claims = {"verdict": verdict, "smallest set": smallest_set, "exceptional discount": exceptional_discount}
    try:
        return claims[certificate["claim"]](certificate)
    except CertificateError:
        raise
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError) as problem:
        raise CertificateError(f"the certificate is malformed ({type(problem).__name__}: {problem})") from problem


def check_form(certificate: dict[str, Any]) -> None:
    """Check that this is a certificate, and that its content is the one that was written.

    Raises
    ------
    CertificateError
        If not.

    Examples
    --------
    >>> check_form({"format": "tabular-inversion certificate", "version": 1})
    Traceback (most recent call last):
    tabular_inversion.checker.errors.CertificateError: digest: the content was changed
    """
    known = isinstance(certificate, dict) and (certificate.get("format"), certificate.get("version")) == (
        FORMAT,
        VERSION,
    )
    need(known, f"format: this is no certificate of version {VERSION}")
    content = {name: part for name, part in certificate.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    need(certificate.get("digest") == hashlib.sha256(text.encode()).hexdigest(), "digest: the content was changed")


def check_file(path: str | os.PathLike[str]) -> list[str]:
    """Read a file of one certificate, or of several, and return a line for each that says what it proves.

    Raises
    ------
    CertificateError
        If the file cannot be read, or one of them does not hold.

    Examples
    --------
    >>> check_file("nowhere.json")
    Traceback (most recent call last):
    tabular_inversion.checker.errors.CertificateError: nowhere.json cannot be read: No such file or directory
    """
    return [check(certificate) for certificate in certificates_in(path)]


def certificates_in(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read a file of one certificate, or of several.

    Raises
    ------
    CertificateError
        If the file cannot be read, or holds none.

    Examples
    --------
    >>> certificates_in("nowhere.json")
    Traceback (most recent call last):
    tabular_inversion.checker.errors.CertificateError: nowhere.json cannot be read: No such file or directory
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise CertificateError(f"{os.fspath(path)} cannot be read: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise CertificateError(f"{os.fspath(path)} is no JSON file ({problem})") from problem
    if found == []:
        raise CertificateError(f"{os.fspath(path)} holds no certificate")
    return found if isinstance(found, list) else [found]
