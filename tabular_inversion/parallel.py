"""Independent pieces of a job over any executor: who does them changes nothing, and a lost worker loses nothing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from functools import lru_cache
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from threading import Thread
from typing import Any, NamedTuple, TypeAlias

from tabular_inversion.errors import InputError, MissingDependencyError
from tabular_inversion.kinds import checked

Task: TypeAlias = "tuple[Callable[[Any], Any], Any]"
"""A function at the top level of a module, and its one argument."""

Pieces: TypeAlias = "Callable[[Any, Any], Any]"
"""A function at the top level of a module, of what all pieces share and of one piece."""

_TICK = 1.0
"""Seconds after which progress is told again though no piece has come back."""
_ATTEMPTS = 3
"""How often a piece is handed to an executor that loses its workers, before this process does it."""


@checked
def usable_cores() -> int:
    """Return how many cores this process may use, at least 1.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerPool(Executor):
    """Processes on this machine, replaced where one is killed; close it, or use it in ``with``.

    Parameters
    ----------
    workers : int
        How many, at least 1.

    Raises
    ------
    InputError
        If there are less than one.

    Examples
    --------
    >>> with WorkerPool(1) as pool:
    ...     pool.submit(abs, -2).result()
    2
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise InputError(f"workers is {workers}; expected an integer of at least 1.")
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._others = set(active_children())

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Hand in a call; a pool that broke is replaced first."""
        with interrupts_blocked():  # workers start here: Ctrl-C is for this process alone
            if self._pool is not None:
                with suppress(RuntimeError):  # BrokenProcessPool is one
                    return self._pool.submit(function, *arguments, **options)
            # Threads, of BLAS for example, do not survive a fork.
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=get_context("spawn"), initializer=end_with_parent
            )
            return self._pool.submit(function, *arguments, **options)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; what they are at is waited for, or broken off: it may take long."""
        if self._pool is not None:
            self._pool.shutdown(wait, cancel_futures=cancel_futures)
            self._pool = None
        if not wait:
            for worker in set(active_children()) - self._others:
                worker.terminate()


def run_pieces(
    function: Pieces,
    shared: Any,
    pieces: Sequence[Any],
    executor: Any = None,
    progress: Callable[[int, int], None] | None = None,
    sizes: Sequence[int] | None = None,
    on_result: Callable[[int, Any], None] | None = None,
) -> list[Any]:
    """Return ``function(shared, piece)`` for each piece, in their order, whoever did it.

    Parameters
    ----------
    function : callable
        At the top level of a module, without side effects: a piece whose worker was lost is done again.
    shared : object
        Sent once to each worker, which keeps a copy, and not with each piece: through shared memory for processes of
        this machine, scattered for dask.
    pieces : sequence
        Independent of each other.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Who does them; this process when omitted.
    progress : callable, optional
        ``progress(done, total)`` after each piece, and every second.
    sizes : sequence of int, optional
        What the pieces count for in `progress`; 1 each when omitted.
    on_result : callable, optional
        Called with the number of a piece and its result when it is done, in any order.

    Raises
    ------
    InputError
        If `executor` cannot be handed work.
    """
    found = _Results(len(pieces), progress, sizes, on_result)
    if executor is not None:
        with _sharing(shared, executor) as (submit, call, handle):
            for _ in range(_ATTEMPTS):
                _attempt(lambda i: submit(call, function, handle, pieces[i]), found)
                if not found.left:
                    break
    for place in sorted(found.left):
        found.add(place, function(shared, pieces[place]))
    return found.results


class _Results:
    """What has come back, what has not, and who is told."""

    def __init__(
        self,
        count: int,
        progress: Callable[[int, int], None] | None,
        sizes: Sequence[int] | None,
        on_result: Callable[[int, Any], None] | None,
    ) -> None:
        self.results: list[Any] = [None] * count
        self.left = set(range(count))
        self._sizes = [1] * count if sizes is None else list(sizes)
        self._progress, self._on_result, self._done = progress, on_result, 0

    def add(self, place: int, result: Any) -> None:
        self.results[place] = result
        self.left.discard(place)
        self._done += self._sizes[place]
        if self._on_result is not None:
            self._on_result(place, result)
        self.tick()

    def tick(self) -> None:
        if self._progress is not None:
            self._progress(self._done, sum(self._sizes))


def _attempt(submit: Callable[[int], Any], found: _Results) -> None:
    """Hand in the pieces that are left and take what comes back; pieces whose worker was lost stay left."""
    waiting: dict[Any, int] = {}
    try:
        for place in sorted(found.left):
            try:
                waiting[submit(place)] = place
            except BrokenExecutor:
                break
        while waiting:
            ready = wait(waiting, timeout=_TICK, return_when=FIRST_COMPLETED).done
            for future in ready:
                place = waiting.pop(future)
                try:
                    result = future.result()
                except BaseException as problem:
                    if not _is_loss(problem):
                        raise
                    continue
                found.add(place, result)
            if not ready:
                found.tick()
    except BaseException:
        for future in waiting:
            future.cancel()
        raise


def _is_loss(problem: BaseException) -> bool:
    """Tell whether an error says that a worker was lost, and not that a piece went wrong."""
    if isinstance(problem, BrokenExecutor | CancelledError):
        return True
    # dask raises its own, and is loaded where one comes from there.
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    lost: tuple[type[BaseException], ...] = (distributed.KilledWorker, distributed.client.FutureCancelledError)
    return isinstance(problem, lost)


@contextmanager
def _sharing(shared: Any, executor: Any) -> Iterator[tuple[Callable[..., Any], Any, Any]]:
    """Give what all pieces share to an executor; yields how to submit, what to call, and the handle to call it with."""
    if isinstance(executor, WorkerPool | ProcessPoolExecutor):
        block, handle = _write(shared)
        try:
            yield executor.submit, _call_with_memory, handle
        finally:
            block.close()
            block.unlink()
    elif hasattr(executor, "get_executor") and hasattr(executor, "scatter"):
        # Each worker holds it from the start, so that no loss of one takes it away from the others.
        handle = executor.scatter(shared, broadcast=True, hash=False)
        yield executor.get_executor(pure=False).submit, _call, handle
    elif isinstance(executor, Executor):
        yield executor.submit, _call, shared
    else:
        raise InputError(
            f"executor is of type {type(executor).__name__}; expected a concurrent.futures.Executor or a "
            "dask.distributed.Client."
        )


class _Handle(NamedTuple):
    """Where in this machine's memory the shared part is, written as the pool itself would send it, and its length."""

    name: str
    size: int


def _write(shared: Any) -> tuple[SharedMemory, _Handle]:
    text = ForkingPickler.dumps(shared)
    block = SharedMemory(create=True, size=text.nbytes)
    buffer: Any = block.buf
    buffer[: text.nbytes] = text
    return block, _Handle(block.name, text.nbytes)


@lru_cache(maxsize=1)
def _read(handle: _Handle) -> Any:
    """Return this worker's copy of the shared part, which serves all pieces that it does."""
    block = SharedMemory(name=handle.name)
    buffer: Any = block.buf
    try:
        return ForkingPickler.loads(buffer[: handle.size])
    finally:
        block.close()


def _call_with_memory(function: Pieces, handle: _Handle, piece: Any) -> Any:
    return function(_read(handle), piece)


def _call(function: Pieces, shared: Any, piece: Any) -> Any:
    return function(shared, piece)


@checked
@contextmanager
def executor_of(workers: int | None, cluster: str | None = None) -> Iterator[Any]:
    """Open an executor: some processes of this machine, or the workers of a dask cluster; None where neither is named.

    Parameters
    ----------
    workers : int, optional
        How many processes.
    cluster : str, optional
        The address of a dask scheduler, such as ``tcp://host:8786``.

    Raises
    ------
    InputError
        If both are given, there are less than one worker, or nobody answers at the address.
    MissingDependencyError
        If a cluster is named and dask.distributed is not installed.

    Examples
    --------
    >>> with executor_of(None) as executor:
    ...     executor is None
    True
    """
    if workers is not None and cluster is not None:
        raise InputError(f"workers is {workers} and cluster {cluster}; name one of them.")
    if cluster is not None:
        try:
            from distributed import Client
        except ImportError as problem:
            raise MissingDependencyError.of("a cluster needs", "distributed", "cluster") from problem
        try:
            connect: Any = Client
            client: Any = connect(cluster, timeout=10)
        except (OSError, ValueError) as problem:
            raise InputError(f"no scheduler answers at {cluster} ({problem}); start one: dask scheduler.") from problem
        with client:
            yield client
    elif workers is None:
        yield None
    else:
        pool = WorkerPool(workers)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


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
    with executor_of(None if workers == 1 else workers) as executor:
        return run_pieces(_do, None, tasks, executor, on_result=progress)


def _do(_shared: None, task: Task) -> Any:
    return task[0](task[1])


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Start processes that Ctrl-C, sent to all by a terminal, does not reach: their parent ends them, in silence."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which a new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """End this worker when the process that started it is killed: it would go on, beside a run that is started anew."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
