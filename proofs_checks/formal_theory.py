"""What the Coq files of `formal/` state, read without Coq: their theorems, each with the sentence that it proves.

A statement's theorems stand in the file with its id, ``formal/T3a.v`` for T3a; their names begin with the id. The
comment before a theorem, ``(** ... *)``, is the sentence. What is called ``Lemma`` is a step on the way; it is not
counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tabular_inversion.errors import InputError

FOLDER = Path(__file__).parent / "formal"
"""Where the Coq files are."""

NOT_WRITTEN = "no machine-checked proof was written"
"""Why level `formal` is open for a statement without a file."""


@dataclass(frozen=True)
class Theorem:
    """A named theorem of a Coq file.

    Attributes
    ----------
    name : str
        As in the file, such as ``"T3a_sharp"``.
    sentence : str
        What it says, in words: the comment before it.
    context : str
        The variables and hypotheses of its section, in Coq; empty outside sections.
    text : str
        The theorem without its proof, in Coq.
    """

    name: str
    sentence: str
    context: str
    text: str


def formal_ids(folder: Path = FOLDER) -> tuple[str, ...]:
    """List the statements with a Coq file, in alphabetical order.

    Examples
    --------
    >>> "T3a" in formal_ids(), "Base" in formal_ids()
    (True, False)
    """
    return tuple(sorted(file.stem for file in folder.glob("*.v") if theorems(file.stem, folder)))


def theorems(statement_id: str, folder: Path = FOLDER) -> tuple[Theorem, ...]:
    """Return the theorems of a statement, in the order of its file; none if there is no file.

    Parameters
    ----------
    statement_id : str
        Such as ``"T3a"``.
    folder : Path
        Where the Coq files are.

    Raises
    ------
    InputError
        If a theorem's name does not begin with the id, or no sentence stands before it.

    Examples
    --------
    >>> [theorem.name for theorem in theorems("T5a")][0]
    'T5a_identified_iff_no_direction'
    >>> theorems("no such statement")
    ()
    """
    file = folder / f"{statement_id}.v"
    if not file.is_file():
        return ()
    text = file.read_text(encoding="utf-8")
    found = re.finditer(
        r"(?:\(\*\*(?P<words>(?:(?!\*\)).)*)\*\)\s*)?^Theorem (?P<name>\w+)", text, re.DOTALL | re.MULTILINE
    )
    return tuple(_theorem(text, match, statement_id) for match in found)


def _theorem(text: str, match: re.Match[str], statement_id: str) -> Theorem:
    name, words = match["name"], match["words"]
    if not name.startswith(f"{statement_id}_") or words is None:
        raise InputError(
            f"theorem {name} of {statement_id}.v: expected a name that begins with {statement_id}_ and, right before "
            "the theorem, its sentence as a comment (** ... *); add them, or call it Lemma."
        )
    start = text.index("Theorem", match.end("words"))
    end = re.compile(r"\.\s+Proof\.").search(text, start)
    if end is None:
        raise InputError(f"theorem {name} of {statement_id}.v has no Proof.; write one.")
    return Theorem(name, " ".join(words.split()), _context(text[:start]), text[start : end.start() + 1])


def _context(before: str) -> str:
    """Return what the section that is open at the end of a text assumes."""
    section = list(re.finditer(r"^(Section|End) \w+\.", before, re.MULTILINE))
    if not section or section[-1][1] == "End":
        return ""
    lines = re.findall(
        r"^(?:Variables?|Hypothes[ie]s|Let|Implicit Types) .*?\.(?=\s*$)", before[section[-1].end() :], re.MULTILINE
    )
    return "\n".join(lines)


def definitions(statement_id: str, folder: Path = FOLDER) -> str:
    """Return the definitions of a file, in Coq, each with the comment before it.

    Examples
    --------
    >>> "Definition distribution" in definitions("Base")
    True
    """
    text = (folder / f"{statement_id}.v").read_text(encoding="utf-8")
    pattern = r"(?:^\(\* (?:(?!\*\)).)*\*\)\s)?^Definition (?:(?!\.\s*$).)*\.\s*$"
    return "\n".join(match[0].rstrip() for match in re.finditer(pattern, text, re.DOTALL | re.MULTILINE))


def needs(text: str) -> tuple[str, ...]:
    """Return which of our own files a Coq file requires.

    Examples
    --------
    >>> needs("From TabularInversion Require Import Base L1.")
    ('Base', 'L1')
    """
    found = re.findall(r"^From TabularInversion Require Import ([\w ]+)\.", text, re.MULTILINE)
    return tuple(name for names in found for name in names.split())


def table(folder: Path = FOLDER) -> str:
    """Return the table of all theorems and their sentences, in Markdown; it stands in ``formal/README.md``."""
    lines = ["| theorem | sentence |", "|---|---|"]
    for name in formal_ids(folder):
        lines += [f"| `{t.name}` | {t.sentence.replace('|', chr(92) + '|')} |" for t in theorems(name, folder)]
    return "\n".join(lines)
