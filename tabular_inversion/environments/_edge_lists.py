"""Files of edges: read as networkx writes them, and refused with the number of the line that is no edge."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabular_inversion.errors import FileAccessError, FileFormatError

if TYPE_CHECKING:
    import networkx as nx

_NAME = re.compile(r"[\w()][\w.+@/'~()\-]*( [\w.+@/'~()\-]+)*")
"""Of a node: what no other format uses as its punctuation."""
_HEADS = {frozenset(pair) for pair in (("source", "target"), ("from", "to"), ("src", "dst"), ("node1", "node2"),
                                       ("start", "end"), ("u", "v"), ("head", "tail"))}  # fmt: skip
_OTHER_FORMATS = {".tra": "PRISM's transitions (interop.read_prism)", ".lab": "PRISM's labels",
                  ".sta": "PRISM's states", ".mtx": "a Matrix Market file", ".dot": "a DOT file", ".gml": "a GML file",
                  ".graphml": "a GraphML file", ".json": "a JSON file"}  # fmt: skip
_CLOSE = 1e-6


@dataclass(frozen=True)
class _Line:
    """A line with an edge: its number in the file, the two names, and what stands behind them."""

    number: int
    names: tuple[str, str]
    rest: str

    @property
    def weight(self) -> float | None:
        """The one number behind the names, where that is what stands there."""
        try:
            return float(self.rest)
        except ValueError:
            return None


def read_edges(path: Path, *, directed: bool) -> nx.Graph[Any]:
    """Return the graph of an edge-list file; a `FileFormatError` names the first line that is none."""
    import networkx as nx

    if path.suffix.lower() in _OTHER_FORMATS:
        raise FileFormatError(
            f"{path} is no edge list by its ending, which is that of {_OTHER_FORMATS[path.suffix.lower()]}; "
            "write two node names on each line, or rename it."
        )
    lines = _lines(path)
    if not lines:
        raise FileFormatError(f"{path} is no edge list: it holds no edge; write two node names on each line.")
    _check_columns(path, lines)
    _check_names(path, lines)
    _check_weights(path, lines)
    names = list(dict.fromkeys(name for line in lines for name in line.names))
    if all(name.isdecimal() for name in names):
        names.sort(key=int)
    result: nx.Graph[Any] = nx.DiGraph() if directed else nx.Graph()
    result.add_nodes_from(names)
    result.add_edges_from(line.names for line in lines)
    return result


def _refuse(path: Path, number: int, what: str, remedy: str = "write two node names on each line") -> FileFormatError:
    return FileFormatError(f"{path} is no edge list: line {number} {what}; {remedy}.")


def _lines(path: Path) -> list[_Line]:
    """Split the file into edges, leaving out blank lines, comments and a byte order mark at its beginning."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FileFormatError(f"{path} cannot be read as text ({problem}); give an edge list in UTF-8.") from problem
    except OSError as problem:
        raise FileAccessError(f"{path} cannot be read ({problem.strerror}); check its permissions.") from problem
    # Lines as editors count them: str.splitlines also ends one at characters that are no end of line to them.
    numbered = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.split("\n"), start=1)]
    filled = [(number, line) for number, line in numbered if line]
    commas = bool(filled) and "," in filled[0][1].partition("{")[0]
    return [_split(path, number, line, commas) for number, line in filled]


def _split(path: Path, number: int, line: str, commas: bool) -> _Line:
    before, brace, after = line.partition("{")
    if ("," in before) != commas:
        kinds = ("a comma", "blanks") if not commas else ("blanks", "a comma")
        raise _refuse(path, number, f"is separated by {kinds[0]} and the first one by {kinds[1]}", "use one of them")
    words = [word.strip() for word in before.split(",")] if commas else before.split()
    if commas and brace and not words[-1]:
        words.pop()
    if not all(words):
        raise _refuse(path, number, "has an empty column")
    if len(words) < 2:
        raise _refuse(path, number, "has one name only")
    if len(words) + bool(brace) > 3:
        raise _refuse(path, number, f"has {len(words) + bool(brace)} columns")
    return _Line(number, (words[0], words[1]), brace + after if brace else "".join(words[2:]))


def _check_columns(path: Path, lines: list[_Line]) -> None:
    """Behind the names stands nothing or a dictionary; or one number, but then on every line, as networkx has it."""
    weighted = bool(lines[0].rest) and not lines[0].rest.startswith("{")
    for line in lines:
        if weighted != (bool(line.rest) and not line.rest.startswith("{")):
            first = f"line {lines[0].number} has {3 if weighted else 2}"
            raise _refuse(path, line.number, f"has {2 if weighted else 3} columns and {first}")
        if weighted and line.weight is None:
            raise _refuse(path, line.number, f"has {line.rest!r} behind the names, which is no number")
        if line.rest.startswith("{"):
            try:
                held = ast.literal_eval(line.rest)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                held = None
            if not isinstance(held, dict):
                raise _refuse(path, line.number, f"has {line.rest[:40]!r} behind the names, which is no dictionary")


def _check_names(path: Path, lines: list[_Line]) -> None:
    for line in lines:
        for name in line.names:
            whole = name.isprintable() and name.count("(") == name.count(")")
            if not (whole and _NAME.fullmatch(name)):
                raise _refuse(path, line.number, f"has the node {name!r}", "names are letters, digits and ()._-+/@'~")
            if re.fullmatch(r"[+-]?\d*\.\d*(e[+-]?\d+)?|[+-]?\d+e[+-]?\d+", name, re.IGNORECASE):
                raise _refuse(path, line.number, f"has the node {name}, which is a fraction as in a matrix of numbers")
    first, later = lines[0], {name for line in lines[1:] for name in line.names}
    numbers = bool(later) and all(name.isdecimal() for name in later)
    named = not any(name.isdecimal() for name in first.names)
    known = frozenset(name.lower() for name in first.names) in _HEADS
    if named and (numbers or (known and later and not later & set(first.names))):
        raise _refuse(path, first.number, f"reads {' '.join(first.names)!r}, a head and no edge", "begin it with #")


def _check_weights(path: Path, lines: list[_Line]) -> None:
    """Refuse a third column that is more than a weight: nodes of an adjacency list, or a chain's probabilities."""
    weights = [line.weight for line in lines if line.rest and not line.rest.startswith("{")]
    if not weights:
        return
    names = {name for line in lines for name in line.names}
    if all(line.rest in names for line in lines):
        raise _refuse(
            path, lines[0].number, f"has {lines[0].rest} behind the names, which may be a weight or a third node",
            "leave the weights out, or write them with a decimal point",
        )  # fmt: skip
    totals: dict[str, float] = {}
    for line in lines:
        totals[line.names[0]] = totals.get(line.names[0], 0.0) + float(line.rest)
    if min(map(float, (line.rest for line in lines))) < 1 and all(abs(t - 1) < _CLOSE for t in totals.values()):
        raise _refuse(
            path, lines[0].number, "begins a table of probabilities: the weights of each node sum to 1",
            "a graph's actions are sure; give such a world as an MDP",
        )  # fmt: skip
