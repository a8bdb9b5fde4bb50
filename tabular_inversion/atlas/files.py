"""The files of the atlas: one line of JSON for each graph, compressed; written by a run that can be interrupted."""

from __future__ import annotations

import json
import lzma
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tabular_inversion.atlas.entries import AtlasEntry, atlas_entry
from tabular_inversion.atlas.graphs import check_complete, connected_graphs
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.kinds import checked
from tabular_inversion.parallel import run_tasks
from tabular_inversion.storage import whole_file

_AT_ONCE = 50
_KEYS = {"graph", "positive", "parents", "factor", "weights", "discounts"}


@checked
def write_atlas(
    n_nodes: int,
    folder: str | os.PathLike[str],
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Compute the atlas of all connected graphs with so many nodes, and write it, or check the file that is there.

    Parameters
    ----------
    n_nodes : int
        From 2 to 9.
    folder : str or path
        One that exists, where ``connected-N.jsonl.xz`` goes. A run that was interrupted there goes on: what is done
        stands in ``connected-N.part.jsonl``. If the finished file is there, its graphs are proved to be all, each is
        computed again, and every entry is compared.
    workers : int
        How many processes.
    progress : callable, optional
        Called as ``progress(done, total)`` with the number of graphs.

    Returns
    -------
    Path
        Of the finished file.

    Raises
    ------
    InputError
        If the graphs cannot be listed, there is no such folder, or the file is damaged.
    WitnessError
        If an entry of the file is not what was computed: the graph is named. Or if graphs are missing or there twice.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = write_atlas(4, folder)
    ...     again = write_atlas(4, folder)
    ...     file.name, again == file, len(read_atlas(file))
    ('connected-4.jsonl.xz', True, 6)
    """
    home = Path(folder)
    if not home.is_dir():
        raise InputError(f"folder is {str(folder)!r}, where there is no folder; make it first.")
    target, part = home / f"connected-{n_nodes}.jsonl.xz", home / f"connected-{n_nodes}.part.jsonl"
    stored = lines_of(target) if target.exists() else None
    graphs = connected_graphs(n_nodes) if stored is None else [_graph_of(line) for line in stored]
    check_complete(graphs, n_nodes)
    lines = _compute(graphs, part, workers, progress)
    if stored is not None:
        wrong = next((text for text, old in zip(graphs, stored, strict=True) if lines[text] != old), None)
        if wrong is not None:
            raise WitnessError(f"{target}: the entry of graph {wrong!r} is not what was computed.")
    else:
        with whole_file(target) as path:
            path.write_bytes(lzma.compress("".join(lines[text] + "\n" for text in graphs).encode("ascii"), preset=9))
    part.unlink()
    return target


@checked
def read_atlas(path: str | os.PathLike[str]) -> list[AtlasEntry]:
    """Return the entries of a file that `write_atlas` wrote, in its order.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     read_atlas(write_atlas(3, folder))
    [AtlasEntry('Bo', n_positive=0, discounts=[]), AtlasEntry('Bw', n_positive=0, discounts=[])]
    """
    return [AtlasEntry.from_dict(_stored(line)) for line in lines_of(Path(path))]


@checked
def atlas_counts(path: str | os.PathLike[str]) -> dict[str, int]:
    """Return how many graphs of each kind a file holds, from what it states.

    Returns
    -------
    dict
        "graphs"; of these "negative_type"; "exceptional" and "exceptional_with_ones", which have an exceptional
        discount for M and for [M;1]; "with_witness", for which two worlds are shown; "balanced", whose nullities add
        up to exactly the number of positive directions; "simple", where each multiplicity is the nullity.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     counts = atlas_counts(write_atlas(5, folder))
    >>> counts["graphs"], counts["exceptional"]
    (21, 2)
    """
    return count_lines(lines_of(Path(path)))


def count_lines(lines: Iterable[str]) -> dict[str, int]:
    """Return what `atlas_counts` does, of lines."""
    counts: Counter[str] = Counter()
    for line in lines:
        entry = _stored(line)
        found = entry["discounts"]
        counts["graphs"] += 1
        counts["negative_type"] += entry["positive"] == 0
        counts["exceptional"] += bool(found)
        counts["exceptional_with_ones"] += any(x["nullity_with_ones"] for x in found)
        counts["with_witness"] += any("witness" in x for x in found)
        counts["balanced"] += sum(x["nullity"] for x in found) == entry["positive"]
        counts["simple"] += all(x["nullity"] == x["multiplicity"] for x in found)
    return dict(counts)


def line_of(text: str) -> str:
    """Return the entry of a graph as one line of JSON."""
    return json.dumps(atlas_entry(text).to_dict(), separators=(",", ":"))


def lines_of(path: Path) -> list[str]:
    """Return the lines of a finished file."""
    try:
        return lzma.decompress(path.read_bytes()).decode("ascii").splitlines()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as problem:
        raise InputError(f"{path} cannot be read: {problem}; delete it to have it computed again.") from problem


def _stored(line: str) -> dict[str, Any]:
    """Return what a line holds; which keys an entry has is looked at, and what they hold is left to its reader."""
    try:
        entry = json.loads(line)
    except ValueError as problem:
        raise InputError(f"a line of the atlas cannot be read: {line[:60]!r}.") from problem
    if not isinstance(entry, dict) or not entry.keys() >= _KEYS:
        raise InputError(f"a line of the atlas holds no entry: {line[:60]!r}.")
    return entry


def _graph_of(line: str) -> str:
    return str(_stored(line)["graph"])


def _compute(
    graphs: Sequence[str], part: Path, workers: int, progress: Callable[[int, int], None] | None
) -> dict[str, str]:
    """Return the line of each graph; those that are done are taken from `part`, the others are added to it."""
    done = _finished(part, set(graphs))
    left = [text for text in graphs if text not in done]
    with part.open("a", encoding="ascii") as stream:

        def keep(_place: int, lines: list[str]) -> None:
            stream.write("".join(line + "\n" for line in lines))
            stream.flush()
            done.update({_graph_of(line): line for line in lines})
            if progress is not None:
                progress(len(done), len(graphs))

        tasks: list[Any] = [(_lines, left[start : start + _AT_ONCE]) for start in range(0, len(left), _AT_ONCE)]
        run_tasks(tasks, workers=workers, progress=keep)
    return done


def _finished(part: Path, graphs: set[str]) -> dict[str, str]:
    """Return the lines that an interrupted run has left, and drop the last one if it was cut short."""
    if not part.exists():
        return {}
    whole = [line for line in part.read_text(encoding="ascii").splitlines(keepends=True) if line.endswith("\n")]
    part.write_text("".join(whole), encoding="ascii")
    found = {_graph_of(line): line.rstrip("\n") for line in whole}
    return {text: line for text, line in found.items() if text in graphs}


def _lines(texts: Sequence[str]) -> list[str]:
    return [line_of(text) for text in texts]
