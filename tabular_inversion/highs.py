"""The one place where HiGHS is called, for linear and for integer programs: it must not write where answers go.

HiGHS 1.12 writes to the standard output of C from some paths even when told to be silent (ERGO-Code/HiGHS 2783).
While a solver runs, the C library's stream is therefore another one. Python has its own way to file descriptor 1, so
what other threads print meanwhile arrives. Where the stream cannot be exchanged (neither glibc nor macOS), descriptor 1
itself is, and the output of other threads is lost for that time.

What a solver says is a claim; those who call these functions check it with the numbers given.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from scipy.optimize import OptimizeResult
from scipy.optimize import linprog as _linprog
from scipy.optimize import milp as _milp


def linear_program(costs: Any, **program: Any) -> OptimizeResult:
    """Solve a linear program by `scipy.optimize.linprog`, whose arguments these are, without a word.

    Examples
    --------
    >>> float(linear_program([1.0, 2.0], A_eq=[[1.0, 1.0]], b_eq=[1.0], method="highs").fun)
    1.0
    """
    with _SILENCE.kept():
        found: OptimizeResult = _linprog(costs, **program)
    return found


def integer_program(costs: Any, **program: Any) -> OptimizeResult:
    """Solve a mixed-integer program by `scipy.optimize.milp`, whose arguments these are, without a word.

    Examples
    --------
    >>> float(integer_program([-1.0], integrality=[1], bounds=(0.0, 2.5)).fun)
    -2.0
    """
    with _SILENCE.kept():
        return _milp(costs, **program)


class _Silence:
    """The output of C discarded, from the first of several threads that ask for it to the last."""

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._restore: Any = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        with self._lock:
            if self._users == 0:
                self._restore = _discard_output_of_c()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._restore()


_SILENCE = _Silence()
_STREAMS: dict[str, Any] = {}


def _discard_output_of_c() -> Any:
    """Send what C prints nowhere, and return what ends that."""
    name = "__stdoutp" if sys.platform == "darwin" else "stdout"
    if sys.platform != "darwin" and platform.libc_ver()[0] != "glibc":
        return _discard_descriptor()
    if not _STREAMS:
        library = ctypes.CDLL(None)
        library.fopen.restype = ctypes.c_void_p
        _STREAMS["variable"] = ctypes.c_void_p.in_dll(library, name)
        _STREAMS["sink"] = library.fopen(os.devnull.encode(), b"w")
    variable = _STREAMS["variable"]
    own, variable.value = variable.value, _STREAMS["sink"]

    def restore() -> None:
        variable.value = own

    return restore


def _discard_descriptor() -> Any:
    saved, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)

    def restore() -> None:
        if sys.platform != "win32":
            ctypes.CDLL(None).fflush(None)  # what C has kept in its buffer would come out later
        os.dup2(saved, 1)
        os.close(saved)

    return restore
