"""The checker of verdict certificates that is extracted from Coq: compiled here and now, in a temporary folder.

``formal/Checker.v`` proves what its answers mean, for every kind of proof that a verdict has. Trusted besides Coq: its
extraction, OCaml, Zarith, the reader ``formal/checker/main.ml``, and this module, which turns a certificate into
integer equations (with `tabular_inversion.checker.verdicts.Equations`) and asks for each row what is claimed of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from math import lcm
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from proofs_checks.formal_level import checker
from proofs_checks.formal_theory import FOLDER
from tabular_inversion.checker import check_form
from tabular_inversion.checker.errors import CertificateError, need
from tabular_inversion.checker.verdicts import ORDER, Equations

NOT_RUN = "not run: install coq, libcoq-mathcomp, ocaml-findlib and libzarith-ocaml-dev"
"""What is said where the checker cannot be compiled."""

Named = dict[str, Any]

NOT_COVERED = {
    "smallest set": "that the goals suffice is checked, the bound from below is not",
    "exceptional discount": "discounts at a root are not",
}
"""By claim, what of it the checker does not cover."""


def available() -> bool:
    """Tell whether Coq with MathComp, OCaml and Zarith are here."""
    find = shutil.which("ocamlfind")
    if checker() is None or find is None or shutil.which("ocamlopt") is None:
        return False
    return subprocess.run([find, "query", "zarith"], capture_output=True, check=False).returncode == 0  # noqa: S603


class NotCoveredError(CertificateError):
    """The extracted checker says nothing of such a claim."""


@contextmanager
def compiled() -> Iterator[Path]:
    """Extract and compile the checker in a temporary folder, and yield the path of the program."""
    with TemporaryDirectory(prefix="checker-") as name:
        work = Path(name)
        files = ("Base.v", "Checker.v", "checker/Extract.v", "checker/big.ml", "checker/main.ml")
        for file in files:
            shutil.copy(FOLDER / file, work)
        coq = [str(checker()), "-q", "-w", "none", "-Q", ".", "TabularInversion"]
        ocaml = [str(shutil.which("ocamlfind")), "ocamlopt", "-O3", "-w", "-a", "-package", "zarith", "-linkpkg"]
        build = [[*coq, file] for file in ("Base.v", "Checker.v", "Extract.v")]
        build.append([*ocaml, "big.ml", "checker.mli", "checker.ml", "main.ml", "-o", "check"])
        for command in build:
            subprocess.run(command, cwd=work, check=True, capture_output=True)  # noqa: S603
        yield work / "check"


def run(program: Path, certificate: Named) -> str:
    """Check a certificate with the extracted checker, and return one line that says what it covered.

    Raises
    ------
    NotCoveredError
        If the claim is none that it knows.
    CertificateError
        If it does not hold.
    """
    check_form(certificate)
    try:
        text, asked = questions(certificate)
    except CertificateError:
        raise
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError) as problem:
        raise CertificateError(f"the certificate is malformed ({type(problem).__name__}: {problem})") from problem
    room = os.environ | {"OCAMLRUNPARAM": "s=8M"}  # in the default room long integers are moved about too often
    ended = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=False, env=room)  # noqa: S603
    answers = ended.stdout.split()
    need(ended.returncode == 0 and len(answers) == 1 + len(asked), "the extracted checker could not read it")
    need(answers[0] == "1", "proofs: a left inverse inverts nothing")
    wrong = next((row for row, said in zip(asked, answers[1:], strict=True) if said != "1"), None)
    need(wrong is None, f"rows: state {wrong and wrong['state']}, action {wrong and wrong['action']} is not proved")
    missing = NOT_COVERED.get(certificate["claim"])
    return f"{len(asked)} rows by theorems of Checker.v" + (f"; {missing}" if missing else "")


def questions(certificate: Named) -> tuple[str, list[Named]]:
    """Write a certificate as the program reads it, and return the rows that it will answer for, in this order."""
    c, claim = certificate, certificate["claim"]
    if claim not in ("verdict", "smallest set"):
        raise NotCoveredError(f"claim: {NOT_COVERED.get(claim, 'it is unknown')} to the extracted checker")
    system = Equations(c, c["goals"] if claim == "smallest set" else None)
    instance = claim == "verdict" and c["scope"] == "instance"
    need(claim != "verdict" or c["scope"] in ("instance", "uniform"), "scope: neither instance nor uniform")
    statuses = [row["status"] for row in c["rows"]]
    need(claim == "smallest set" or c["status"] == max(statuses, key=ORDER.index), "status: the rows are another")
    need(claim == "verdict" or set(statuses) == {"IDENTIFIED"}, "goals: they do not suffice")
    places = [system.rows.index((row["state"], row["action"])) for row in c["rows"]]
    need(sorted(places) == list(range(len(system.rows))), "rows: some are missing, or twice the same")
    facts: list[Named] = []
    asked = [(i, row) for i, row in zip(places, c["rows"], strict=True) if row["status"] != "UNDECIDED"]
    lines = [_question(system, i, row, c["proofs"][row["proof"]], facts, instance) for i, row in asked]
    head = f"{len(system.columns[0])} {int(not system.given)} {system.most} {_table(system.columns)} {len(facts)}"
    return "\n".join([head, *(_fact(system, fact) for fact in facts), str(len(lines)), *lines]) + "\n", [
        row for _, row in asked
    ]


def _question(system: Equations, i: int, row: Named, proof: Named, facts: list[Named], instance: bool) -> str:
    allowed, side = _mask(system, system.allowed[i]), _list(system.sides[i])
    if row["status"] == "NOT_IDENTIFIED":
        need(proof["kind"] == "pair", f"kind: {proof['kind']!r} proves nothing here")
        pair = f"{_weights(system, proof['first'])} {_weights(system, proof['second'])}"
        return f"valued {allowed} {side} {pair}" if instance else f"pair {allowed} {pair}"
    tree = _tree(system, proof, facts, parts=1 if instance else 2)
    if row["status"] == "INCONSISTENT":
        need(instance, "rows: INCONSISTENT at uniform scope")
        return f"inconsistent {allowed} {side} {tree}"
    if instance:
        return f"identified {allowed} {side} {_weights(system, row['member'])} {tree}"
    return f"determined {allowed} {tree}"


def _tree(system: Equations, proof: Named, facts: list[Named], *, parts: int) -> str:
    kind = proof["kind"]
    if kind == "branch":
        need(proof["state"] >= 0 and proof["part"] in range(parts), "branch: it has no such state, or part")
        ends = (_tree(system, proof[name], facts, parts=parts) for name in ("without", "with"))
        return " ".join(["branch", str(proof["state"]), str(proof["part"]), *ends])
    if kind == "columns":
        return "columns"
    numbers = [int(x) for x in proof.get("dual", [])]
    need(len(numbers) in {len(system.columns[0]), 0 if kind == "unique" else -1}, "dual: its length")
    dual = _list(numbers)
    if kind != "unique":
        return f"{kind} {dual}"
    place = next((j for j, known in enumerate(facts) if known is proof), len(facts))
    if place == len(facts):
        facts.append(proof)
    return f"unique {place} {dual}"


def _fact(system: Equations, proof: Named) -> str:
    """Write that columns are independent; the checker takes them in the order of the states."""
    states, left = proof["states"], [[int(x) for x in row] for row in proof["matrix"]]
    need(len(set(states)) == len(states) == len(left), "denominator, or states")
    rows = [left[j] for j in sorted(range(len(states)), key=states.__getitem__)]
    need(all(len(row) == len(system.columns[0]) for row in rows), "matrix: shape")
    mask = _mask(system, set(states))
    return f"{mask} {int(proof.get('modulus', 0))} {int(proof['denominator'])} {_table(rows)}"


def _weights(system: Equations, weights: dict[str, str]) -> str:
    """Write a row as a denominator and integer weights of all states."""
    p = {int(s): Fraction(x) for s, x in weights.items()}
    need(set(p) <= set(range(system.n)), "a row of the class leads elsewhere")
    d = lcm(*(x.denominator for x in p.values()))
    return f"{d} {_list(int(p.get(s, Fraction(0)) * d) for s in range(system.n))}"


def _mask(system: Equations, states: set[int]) -> str:
    need(states <= set(range(system.n)), "states: one does not exist")
    return _list(int(s in states) for s in range(system.n))


def _list(values: Iterable[int]) -> str:
    found = list(values)
    return " ".join([str(len(found)), *map(hex, found)])  # read and written faster than decimals


def _table(rows: Sequence[Iterable[int]]) -> str:
    return " ".join([str(len(rows)), *map(_list, rows)])


__all__ = ["NOT_RUN", "CertificateError", "NotCoveredError", "available", "compiled", "questions", "run"]
