"""What ``atlas`` does between reading the texts and printing the answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tabular_inversion.atlas import atlas_counts, connected_graphs, write_atlas
from tabular_inversion.atlas.files import count_lines, line_of
from tabular_inversion.cli.console import progress, say
from tabular_inversion.errors import SpecificationError
from tabular_inversion.parallel import usable_cores


def answer(nodes: int, folder: Path | None, workers: int | None, sample: int | None) -> dict[str, Any]:
    """Write or check the atlas of all connected graphs with so many nodes, or time a sample of it."""
    if sample is not None:
        if folder is not None or workers is not None:
            raise SpecificationError("--sample writes nothing and uses one process; drop --folder and --workers.")
        return _timed(nodes, sample)
    home = Path("atlas") if folder is None else folder
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SpecificationError(f"--folder is {str(home)!r}, and cannot be made: {problem.strerror}.") from problem
    known = (home / f"connected-{nodes}.jsonl.xz").exists()
    start = time.perf_counter()
    with progress(f"connected graphs with {nodes} nodes") as advance:
        file = write_atlas(nodes, home, workers=workers or usable_cores(), progress=advance)
    return {
        "nodes": nodes,
        **atlas_counts(file),
        "file": str(file),
        "bytes": file.stat().st_size,
        "compared": known,
        "seconds": time.perf_counter() - start,
    }


def _timed(nodes: int, sample: int) -> dict[str, Any]:
    if sample < 1:
        raise SpecificationError(f"--sample is {sample}; expected at least 1.")
    graphs = connected_graphs(nodes)
    chosen = [graphs[i * len(graphs) // sample] for i in range(min(sample, len(graphs)))]
    start = time.perf_counter()
    found = count_lines([line_of(text) for text in chosen])
    seconds = time.perf_counter() - start
    whole = seconds * len(graphs) / len(chosen)
    return {"nodes": nodes, "of": len(graphs), **found, "seconds": seconds, "extrapolated_seconds": whole}


def show(found: dict[str, Any]) -> None:
    """Print the counts for people."""
    of = f" of {found['of']}" if "of" in found else ""
    say(
        f"{found['graphs']}{of} connected graphs with {found['nodes']} nodes: {found['negative_type']} of negative "
        "type; "
        f"{found['exceptional']} have an exceptional discount for all kernels, {found['exceptional_with_ones']} for "
        f"stochastic ones ({found['with_witness']} with two worlds that no agent tells apart)"
    )
    if "of" in found:
        say(f"{found['seconds']:.1f} s; all of them, extrapolated: about {found['extrapolated_seconds']:.0f} s")
        return
    done = "is what was computed again" if found["compared"] else "was written"
    say(f"{found['file']} ({found['bytes']} bytes) {done}, in {found['seconds']:.1f} s")
