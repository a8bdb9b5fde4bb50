"""Certificate files of exact answers, which `tabular_inversion.checker` re-checks with none of the code that decides.

A file is JSON: one certificate, or a list of them; numbers are texts such as ``"1/3"``. The docs describe the format.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from tabular_inversion.certificates.discounts import discount_certificates
from tabular_inversion.certificates.goal_sets import goal_set_certificate
from tabular_inversion.certificates.verdicts import verdict_certificate
from tabular_inversion.discounts.exceptional import ExceptionalDiscounts
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability.verdict import Verdict
from tabular_inversion.kinds import checked
from tabular_inversion.storage import whole_file
from tabular_inversion.sufficiency.smallest.result import MinimalGoals

__all__ = ["certificates_of", "write_certificate"]


@checked
def certificates_of(result: Verdict | MinimalGoals | ExceptionalDiscounts) -> list[dict[str, Any]]:
    """Return the certificates of an exact answer, ready for JSON.

    Parameters
    ----------
    result : Verdict, MinimalGoals or ExceptionalDiscounts
        The first at exact evidence, about values; one certificate, and of discounts one for each.

    Raises
    ------
    InputError
        If the answer is of another kind, or of weaker evidence than exact.

    Examples
    --------
    >>> from tabular_inversion import exact, Stochastic, identify
    >>> world = exact.ExactMDP([[["1/2", "1/2"]], [[0, 1]]], discount="1/2")
    >>> from tabular_inversion.checker import check
    >>> [certificate] = certificates_of(identify(exact.solve(world, exact.ExactGoals([[0, 1]])), Stochastic()))
    >>> check(certificate)
    'IDENTIFIED among stochastic kernels, instance scope: 2 IDENTIFIED of 2 rows'
    """
    if isinstance(result, Verdict):
        return [signed(verdict_certificate(result))]
    if isinstance(result, MinimalGoals):
        return [signed(goal_set_certificate(result))]
    if isinstance(result, ExceptionalDiscounts):
        return [signed(certificate) for certificate in discount_certificates(result)]
    raise InputError(
        f"{type(result).__name__} has no certificate; expected a Verdict, MinimalGoals or ExceptionalDiscounts."
    )


def signed(certificate: dict[str, Any]) -> dict[str, Any]:
    """Return the certificate with the digest of its content, by which the checker sees a damaged file."""
    content = {name: part for name, part in certificate.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content | {"digest": hashlib.sha256(text.encode()).hexdigest()}


@checked
def write_certificate(result: Verdict | MinimalGoals | ExceptionalDiscounts, path: str | os.PathLike[str]) -> None:
    """Write the certificates of an exact answer to a file, whole or not at all.

    Raises
    ------
    InputError
        As `certificates_of`.
    FileFormatError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tabular_inversion import exact, Deterministic, identify
    >>> from tabular_inversion.checker import check_file
    >>> world = exact.ExactMDP([[[0, 1]], [[1, 0]]], discount="1/2")
    >>> verdict = identify(exact.solve(world, exact.ExactGoals([[0, 1]])), Deterministic())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_certificate(verdict, f"{folder}/a.json")
    ...     check_file(f"{folder}/a.json")
    ['IDENTIFIED among deterministic kernels, instance scope: 2 IDENTIFIED of 2 rows']
    """
    found = certificates_of(result)
    with whole_file(path) as place:
        place.write_text(json.dumps(found[0] if len(found) == 1 else found) + "\n", encoding="utf-8")
