"""Timings: every benchmark races its baseline in the same run, round by round, with BLAS threads pinned.

Run with ``python -m pytest -m benchmark tests/benchmarks``; `BENCHMARK_BLAS_THREADS` overrides the one thread.
"""

import os
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

BLAS_THREADS = int(os.environ.get("BENCHMARK_BLAS_THREADS", "1"))


@pytest.fixture(autouse=True)
def pinned_blas_threads() -> Iterator[None]:
    with threadpool_limits(limits=BLAS_THREADS):
        yield


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


@pytest.fixture(params=["baseline", "ours"])
def race(request: pytest.FixtureRequest, benchmark: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Time ours or the baseline, two rows of one group; before each round of ours, a round of the baseline.

    ``race(ours, baseline, limit=1.5, rounds=5, per=(16, 4))`` divides the seconds of ours by 16 and those of the
    baseline by 4 (say, goals solved) before their medians are compared; `limit` is the largest ratio hoped for,
    recorded beside the ratio found. Nothing is asserted about time.
    """

    def run(
        ours: Callable[[], object],
        baseline: Callable[[], object],
        *,
        limit: float | None = None,
        rounds: int = 5,
        per: tuple[int, int] = (1, 1),
        **facts: Any,
    ) -> None:
        benchmark.group = request.node.originalname
        benchmark.extra_info.update(facts, blas_threads=BLAS_THREADS, units=per)
        if request.param == "baseline":
            benchmark.pedantic(baseline, rounds=rounds, warmup_rounds=1)
            return
        ours()
        times: list[float] = []
        benchmark.pedantic(ours, setup=lambda: times.append(seconds(baseline)), rounds=rounds)
        found = benchmark.stats.stats.median / per[0]
        ratio = found / (median(times) / per[1])
        benchmark.extra_info.update(ratio=ratio, limit=limit, baseline_seconds=median(times) / per[1])
        with capsys.disabled():
            hoped = "" if limit is None else f" (hoped for: at most {limit:g})"
            print(f"\n{benchmark.group}: {found:.4g} s each, {ratio:.3g} x baseline{hoped}, {facts}")

    return run
