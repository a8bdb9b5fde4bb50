"""The kept table: ours beside a baseline in the same run, as JSON and as a page of the documentation.

``python -m tests.benchmarks.table`` runs every entry, reports ratios that are more than 1.5 times the stored ones, and
writes both files; ``--check`` compares and writes nothing. Threads are pinned to one.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).parent
STORED = HERE / "table.json"
PAGE = HERE.parent.parent / "docs" / "benchmarks.md"
SLOWER = 1.5
"""A ratio that has grown by more than this factor is a regression."""


class Entry(NamedTuple):
    """Two ways to do one thing: what it is, what the baseline is, and how both are made ready to be timed."""

    name: str
    baseline: str
    prepare: Callable[[], tuple[Callable[[], object], Callable[[], object], tuple[float, float]]]


def sparse_grid(points: int) -> Any:
    from tabular_inversion.environments import MOUNTAIN_CAR

    world = MOUNTAIN_CAR.mdp(points)
    return world, MOUNTAIN_CAR.goals("position", world)


def against_newton(points: int) -> Any:
    from tabular_inversion import solve

    world, goals = sparse_grid(points)
    return lambda: solve(world, goals), lambda: solve(world, goals, method="iterative"), (1.0, 1.0)


def against_quantecon(points: int) -> Any:
    from tabular_inversion import solve
    from tests.benchmarks.test_bellman_benchmarks import quantecon_rival

    world, goals = sparse_grid(points)
    rival = quantecon_rival(world, goals, n_goals=1)
    return lambda: solve(world, goals), lambda: rival(0), (float(goals.n_goals), 1.0)


def against_triad(points: int) -> Any:
    """Bytes per second of one sweep, kernel and values read once, against a = b + 3 c on arrays beyond the caches."""
    from tabular_inversion.bellman import sweeps
    from tabular_inversion.bellman.problem import Problem

    world, goals = sparse_grid(points)
    part, rows = Problem.of(world, goals), world.rows
    rewards, factors = (np.ascontiguousarray(each.T) for each in (part.rewards, part.factors))
    m, changed = rewards.copy(), np.empty(goals.n_goals)
    fixed = (rows.indptr, rows.indices, rows.data, world.available, np.zeros((0, 0, 0)))
    one, two = (np.ones(2 * 10**7) for _ in range(2))
    result = np.empty_like(one)

    def triad() -> None:
        np.multiply(two, 3.0, out=result)
        np.add(one, result, out=result)

    swept = 12.0 * rows.nnz + 4.0 * m.nbytes
    return lambda: sweeps._kernel()(*fixed, rewards, factors, m, True, changed), triad, (swept, 5.0 * one.nbytes)


def proofs_of_rows(points: int) -> Any:
    import tempfile

    from tabular_inversion import Supported, identify, solve
    from tabular_inversion.streaming import invert_stream

    world, goals = sparse_grid(points)
    agent, known = solve(world, goals), Supported.of(world)
    noise = agent.report.goal_errors

    def stream() -> None:
        with tempfile.TemporaryDirectory() as folder:
            invert_stream(agent.q, goals, known, folder, discount=world.discount, noise=noise)

    return stream, lambda: identify(agent, known), (1.0, 1.0)


def against_lstsq(n_states: int) -> Any:
    from tabular_inversion import Goals, Unconstrained, invert, solve
    from tabular_inversion.environments import random_mdp

    world = random_mdp(n_states, 4, discount=0.95, seed=0).dense()
    agent = solve(world, Goals.generic(n_states, n_states, seed=0))
    matrix, values = agent.test_matrix, agent.right_hand_sides
    return lambda: invert(agent, Unconstrained()), lambda: np.linalg.lstsq(matrix, values), (1.0, 1.0)


ENTRIES = (
    Entry("solve, grid of 99,856 states, 4 goals", "Newton and BiCGSTAB (no numba)", lambda: against_newton(316)),
    Entry("solve, grid of 3,969 states, each goal", "QuantEcon, mpi", lambda: against_quantecon(63)),
    Entry(
        "solve, grid of 99,856 states, each goal",
        "QuantEcon, mpi",
        lambda: against_quantecon(316),
    ),
    Entry("one sweep, grid of 99,856 states, each byte", "STREAM triad in numpy", lambda: against_triad(316)),
    Entry("stream of 30,000 rows on known supports", "identify", lambda: proofs_of_rows(100)),
    Entry("invert, 400 states, all goals", "numpy.linalg.lstsq", lambda: against_lstsq(400)),
)


def measure(entries: Sequence[Entry], rounds: int = 3) -> dict[str, dict[str, Any]]:
    """Time each entry and its baseline in turns; what both do first, such as compiling, is not counted."""
    found = {}
    for entry in entries:
        ours, baseline, units = entry.prepare()
        times: tuple[list[float], list[float]] = ([], [])
        for each in range(rounds + 1):
            for run, kept in zip((ours, baseline), times, strict=True):
                start = time.perf_counter()
                run()
                if each:
                    kept.append(time.perf_counter() - start)
        seconds, beside = (median(kept) / unit for kept, unit in zip(times, units, strict=True))
        found[entry.name] = {
            "baseline": entry.baseline, "seconds": seconds, "baseline_seconds": beside, "ratio": seconds / beside,
        }  # fmt: skip
    return found


def regressions(found: Mapping[str, Mapping[str, Any]], stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say which ratios have grown by more than `SLOWER`; entries that are new have nothing to be compared with."""
    return [
        f"{name}: {each['ratio']:.3g} times {each['baseline']}, stored {stored[name]['ratio']:.3g}"
        for name, each in found.items()
        if name in stored and each["ratio"] > SLOWER * stored[name]["ratio"]
    ]


def machine() -> dict[str, Any]:
    """Name the machine, and how busy it was."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {"processor": model, "cores": os.cpu_count(), "load": round(load, 1), "python": platform.python_version()}


def page(found: Mapping[str, Mapping[str, Any]], where: Mapping[str, Any]) -> str:
    """Return the page of the documentation."""
    busy = f"load average at the end {where['load']:g}: beyond 1, other work ran beside it"
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m tests.benchmarks.table`: each line times ours and a baseline in turns, in the same run,",
        "on one thread, and states the ratio of the medians of three rounds; below 1 ours is faster. A ratio that has",
        f"grown by more than {SLOWER:g} times is a regression, which the command reports. Seconds depend on the",
        "machine, ratios much less.",
        "",
        f"Machine: {where['processor']}, {where['cores']} cores, Python {where['python']}; {busy}.",
        "",
        "| what | ours, s | baseline, s | ratio | baseline |",
        "|---|---|---|---|---|",
    ]
    for name, each in found.items():
        numbers = (each["seconds"], each["baseline_seconds"], each["ratio"])
        lines.append(f"| {name} | {' | '.join(f'{number:.3g}' for number in numbers)} | {each['baseline']} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table; 1 if something has become slower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the stored table, and write nothing")
    chosen = parser.parse_args(arguments)
    from threadpoolctl import threadpool_limits

    os.environ["OMP_NUM_THREADS"] = "1"
    with threadpool_limits(limits=1):
        found = measure(ENTRIES)
    stored = json.loads(STORED.read_text())["entries"] if STORED.exists() else {}
    slower = regressions(found, stored)
    for line in slower:
        print(f"slower: {line}", file=sys.stderr)
    where = machine()
    print(page(found, where))
    if not chosen.check:
        STORED.write_text(json.dumps({"machine": where, "entries": found}, indent=2) + "\n")
        PAGE.write_text(page(found, where))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
