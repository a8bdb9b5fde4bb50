"""One run of the command line as a process: its streams, what Ctrl-C does, and its exit status."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

from tabular_inversion.errors import FileAccessError, TabularInversionError

ANSWERED = 0
WRONG = 2
"""The call or its input is wrong, or its answer cannot be written."""
INTERRUPTED = 130
"""What shells give to a command ended by Ctrl-C."""
CLOSED = 141
"""What shells give to a command whose reader has gone, as in ``... | head``."""

_PATIENCE = 2.0
"""Seconds that a library's own code, which does not see Ctrl-C, is given to come back."""


class ReaderGoneError(Exception):
    """Nobody reads standard output any more."""


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status: 0 answered, 1 a statement failed, 2 a wrong call, in one clear line.

    Parameters
    ----------
    arguments : list of str
        The words behind the name of the program.

    Returns
    -------
    int
        130 after Ctrl-C, 141 where the reader of standard output has gone.
    """
    _open_standard_error()
    with ExitStack() as stack, _Interrupts() as interrupts:
        try:
            own = stack.enter_context(_standard_streams())
            interrupts.keep = own
            status = _call(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            status = INTERRUPTED
        except ReaderGoneError:
            status = CLOSED
        except Exception as problem:  # noqa: BLE001
            # A library may turn an interrupt into an error of its own.
            status = INTERRUPTED if interrupts.seen else _explained(problem)
        if status == INTERRUPTED or interrupts.seen:
            status = INTERRUPTED
            _say("interrupted")
    return status


def _call(arguments: list[str]) -> int:
    """Hand the words to Typer, and turn what is wrong with them into an error of ours."""
    import typer

    from tabular_inversion.cli.app import app
    from tabular_inversion.cli.names import name_standard_output

    # Typer carries its own copy of click in later versions: its exceptions are found through one that it exports.
    usage: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    try:
        status = app(args=name_standard_output(arguments), standalone_mode=False)
    except usage as problem:
        raise _UsageError(" ".join(problem.format_message().split())) from problem
    except typer.Abort as problem:
        raise KeyboardInterrupt from problem
    return status if isinstance(status, int) else ANSWERED


class _UsageError(TabularInversionError):
    """The words of a call cannot be understood."""


def _explained(problem: Exception) -> int:
    """Say in one line what went wrong, or raise what nobody foresaw."""
    if isinstance(problem, TabularInversionError):
        _say(f"error: {problem}")
    elif isinstance(problem, MemoryError):
        _say(f"error: there is not enough memory ({problem or 'none left'}); ask for fewer goals or a smaller world.")
    elif isinstance(problem, OSError):
        _say(f"error: {problem.filename or 'a file'} cannot be used ({problem.strerror or problem}); check it.")
    else:
        raise problem
    return WRONG


def _say(line: str) -> None:
    """Print a line on standard error, red on a terminal; where that is full or closed nothing can be said."""
    from rich.console import Console
    from rich.text import Text

    with suppress(OSError):
        Console(stderr=True).print(Text(" ".join(line.splitlines()), style="red"), soft_wrap=True)


def _open_standard_error() -> None:
    """Send messages nowhere where standard error is closed, by ``2>&-``, before anything else gets its number."""
    if sys.stderr is None:
        sink = os.open(os.devnull, os.O_WRONLY)
        if sink != 2:
            os.dup2(sink, 2)
            os.close(sink)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="utf-8", write_through=True)


@contextmanager
def _standard_streams() -> Iterator[bool]:
    """Keep standard output for answers alone; yields whether this process has one of its own, as a command has.

    Whatever else is written to file descriptor 1, such as what a solver prints from C, goes to standard error.
    """
    if sys.stdout is None:  # closed by ``>&-``: a file opened later would get its number
        raise FileAccessError("standard output is closed; send it to a file or to /dev/null.")
    if not _is_descriptor(sys.stdout, 1):  # replaced by who called us
        yield False
        return
    before = sys.stdout
    before.flush()
    answers = _Answers(os.dup(1))
    os.dup2(2, 1)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(answers),
        encoding=before.encoding,
        errors="backslashreplace",  # a name that the terminal has no letters for is shown, not a reason to stop
        line_buffering=answers.isatty(),
    )
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # numpy's are addressed to programmers
        yield True


def _is_descriptor(stream: Any, number: int) -> bool:
    try:
        return stream is not None and stream.fileno() == number
    except (OSError, ValueError):
        return False


class _Answers(io.FileIO):
    """Standard output; the first failure is raised as what it is, and what follows is dropped."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w")
        self._failed = False

    def write(self, data: Any, /) -> int:
        """Write bytes."""
        if self._failed:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as problem:
            self._failed = True
            if problem.errno == errno.EPIPE:
                raise ReaderGoneError from problem
            raise FileAccessError(
                f"the answer cannot be written to standard output ({problem.strerror}); send it elsewhere."
            ) from problem


class _Interrupts:
    """Notice Ctrl-C, and end the process when a library's own code does not come back from it.

    Attributes
    ----------
    seen : bool
        Whether there was one. It may have been swallowed, or turned into another error, on its way.
    keep : bool
        Whether the process is ours and ends after this run: a second Ctrl-C then does not disturb its end.
    """

    def __init__(self) -> None:
        self.seen = False
        self.keep = False
        self._before: Any = None
        self._pipe: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if ours and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._notice)
            self._watch()
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            return
        signal.signal(signal.SIGINT, signal.SIG_IGN if self.keep and self.seen else self._before)
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            os.write(self._pipe[1], b"\0")  # the watcher's work is done

    def _notice(self, *_: object) -> None:
        self.seen = True
        raise KeyboardInterrupt

    def _watch(self) -> None:
        """Start a thread that hears of signals at once, also while the main thread is in foreign code."""
        reading, writing = self._pipe = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

        def wait() -> None:
            while byte := os.read(reading, 1):
                if byte == b"\0":
                    break
                if byte == bytes([signal.SIGINT]):
                    time.sleep(_PATIENCE)
                    if self.keep and not self.seen:
                        os.write(2, b"interrupted\n")
                        os._exit(INTERRUPTED)
            os.close(reading)
            os.close(writing)

        threading.Thread(target=wait, name="interrupts", daemon=True).start()
