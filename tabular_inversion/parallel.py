"""Do independent things over several processes; what comes out does not depend on how many there are."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Any, TypeAlias

from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked

Task: TypeAlias = "tuple[Callable[[Any], Any], Any]"
"""A function at the top level of a module, and its one argument."""


@checked
def usable_cores() -> int:
    """Return how many cores this process may use, at least 1.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@checked
def run_tasks(
    tasks: Sequence[Task], *, workers: int, progress: Callable[[int, Any], None] = lambda _place, _result: None
) -> list[Any]:
    """Return the results of tasks, in their order.

    Parameters
    ----------
    tasks : sequence of (function, argument)
        Independent of each other; with more than one worker both are sent to other processes.
    workers : int
        How many processes; 1 stays in this one.
    progress : callable
        Called with the number of each task and its result when it is done, in any order.

    Raises
    ------
    InputError
        If there are less than one worker.

    Examples
    --------
    >>> run_tasks([(abs, -1), (len, "ab")], workers=1)
    [1, 2]
    """
    if workers < 1:
        raise InputError(f"workers is {workers}; expected an integer of at least 1.")
    results: list[Any] = [None] * len(tasks)
    if workers == 1:
        for place, (function, argument) in enumerate(tasks):
            results[place] = function(argument)
            progress(place, results[place])
        return results
    with _pool(workers) as pool:
        with _deaf_to_interrupts():  # the workers start when the first task is handed in
            waiting: dict[Future[Any], int] = {
                pool.submit(function, argument): place for place, (function, argument) in enumerate(tasks)
            }
        for future in as_completed(waiting):
            place = waiting[future]
            results[place] = future.result()
            progress(place, results[place])
    return results


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool whose waiting tasks are dropped when something goes wrong, an interrupt for instance."""
    # Threads, of BLAS for example, do not survive a fork.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    others = set(active_children())
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(active_children()) - others:  # what they are at is not waited for, as it may take long
            worker.terminate()
        raise
    pool.shutdown()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C, sent to all by a terminal, does not reach: their parent ends them, in silence."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which a new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker when the process that started it is killed: it would go on, beside a run that is started anew."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
