"""The checker of verdict certificates that is extracted from Coq: compiled here and now, in a temporary folder.

``formal/Checker.v`` proves what its functions decide. Trusted besides Coq: its extraction, OCaml, Zarith, the reader
``formal/checker/main.ml``, and this module, which turns a certificate into integer equations (with
`tabular_inversion.checker.verdicts.Equations`) and decides which claims a row needs and which states its class allows.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import lcm
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from proofs_checks.formal_level import checker
from proofs_checks.formal_theory import FOLDER
from tabular_inversion.checker.errors import CertificateError, need
from tabular_inversion.checker.verdicts import ORDER, Equations

NOT_RUN = "not run: install coq, libcoq-mathcomp, ocaml-findlib and libzarith-ocaml-dev"
"""What is said where the checker cannot be compiled."""

PROVED = {"unique": "IDENTIFIED", "pair": "NOT_IDENTIFIED", "farkas": "INCONSISTENT"}
"""What each kind of proof proves."""


def available() -> bool:
    """Tell whether Coq with MathComp, OCaml and Zarith are here."""
    find = shutil.which("ocamlfind")
    if checker() is None or find is None or shutil.which("ocamlopt") is None:
        return False
    return subprocess.run([find, "query", "zarith"], capture_output=True, check=False).returncode == 0  # noqa: S603


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


def is_covered(certificate: dict[str, Any]) -> bool:
    """Tell whether the extracted checker knows all proofs: no search, and no face of a larger class."""
    proofs = certificate["proofs"]
    return certificate["claim"] == "verdict" and all(p["kind"] in PROVED and _is_whole(p) for p in proofs)


def run(program: Path, certificate: dict[str, Any]) -> None:
    """Check a certificate with the extracted checker.

    Raises
    ------
    CertificateError
        If it does not hold.
    """
    text = "\n".join(tasks(certificate)) + "\n"
    ended = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=False)  # noqa: S603
    answers = ended.stdout.split()
    need(ended.returncode == 0 and len(answers) == text.count("\n"), "the extracted checker could not read it")
    need(set(answers) <= {"1"}, f"task {answers.index('0') if '0' in answers else 0} does not hold")


def tasks(certificate: dict[str, Any]) -> Iterator[str]:
    """Write a certificate as tasks, one per line: a word, then integers, each list after its length."""
    c, system, found = certificate, Equations(certificate), {}
    instance = c["scope"] == "instance"
    need(instance or c["scope"] == "uniform", "scope: neither instance nor uniform")
    written: set[int] = set()
    for row in c["rows"]:
        i = system.rows.index((row["state"], row["action"]))
        need(i not in found, "rows: twice the same")
        found[i] = row["status"]
        if row["status"] == "UNDECIDED":
            continue
        proof = c["proofs"][row["proof"]]
        need(PROVED.get(proof["kind"]) == row["status"], f"rows: a proof of kind {proof['kind']} shows something else")
        yield from _row_tasks(system, i, proof, row, instance, written)
    need(len(found) == len(system.rows), "rows: some are missing")
    need(c["status"] == max(found.values(), key=ORDER.index), "status: the rows are another")


def _row_tasks(
    system: Equations, i: int, proof: dict[str, Any], row: dict[str, Any], instance: bool, written: set[int]
) -> Iterator[str]:
    k, n, free, side = len(system.matrix), system.n, int(not system.given), list(system.sides[i])
    if proof["kind"] == "unique":
        states = proof["states"]
        need(system.allowed[i] <= set(states) and len(set(states)) == len(states), "states: a next state is missing")
        if id(proof) not in written:
            written.add(id(proof))
            rows, columns = [[int(x) for x in y] for y in proof["matrix"]], [system.columns[s] for s in states]
            need(all(len(y) == k for y in rows), "matrix: shape")
            head = f"unique {k} {int(proof.get('modulus', 0))} {int(proof['denominator'])}"
            yield f"{head} {_table(rows)} {_table(columns)}"
        if instance:
            d, weights = _member(system, row["member"], i)
            yield f"member {n} {free} {d} {_list(weights)} {_table(system.matrix)} {_list(side)}"
    elif proof["kind"] == "pair":
        (d, first), (e, second) = (_member(system, proof[name], i) for name in ("first", "second"))
        yield f"pair {n} {free} {_table(system.matrix)} {d} {_list(first)} {e} {_list(second)}"
        if instance:
            yield f"member {n} {free} {d} {_list(first)} {_table(system.matrix)} {_list(side)}"
    else:
        y = [int(x) for x in proof["dual"]]
        need(instance and len(y) == k, "dual: shape, or scope")
        columns = [system.columns[s] for s in sorted(system.allowed[i])]
        yield f"farkas {k} {free} {_list(y)} {_table(columns)} {_list(side)}"


def _member(system: Equations, weights: dict[str, str], i: int) -> tuple[int, list[int]]:
    """Return a row as a denominator and integer weights of all states, if the class allows these next states."""
    p = {int(s): Fraction(x) for s, x in weights.items() if Fraction(x)}
    need(set(p) <= system.allowed[i] and (system.most is None or len(p) <= system.most), "pair: not in the class")
    d = lcm(*(x.denominator for x in p.values()))
    return d, [int(p.get(s, Fraction(0)) * d) for s in range(system.n)]


def _is_whole(proof: dict[str, Any]) -> bool:
    return proof["kind"] != "unique" or "dual" not in proof


def _list(values: Iterable[int]) -> str:
    found = list(values)
    return " ".join(map(str, [len(found), *found]))


def _table(rows: Iterable[Iterable[int]]) -> str:
    found = [_list(row) for row in rows]
    return " ".join([str(len(found)), *found])


__all__ = ["NOT_RUN", "CertificateError", "available", "compiled", "is_covered", "run", "tasks"]
