"""Own arrays from .npy and .npz files: values, goals, masks. Every array of a file is used, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from tabular_inversion.errors import FileAccessError, FileFormatError
from tabular_inversion.goals import Goals

VALUES = {
    "q",
    "rewards",
    "continuation",
    "action_rewards",
    "discount",
    "policy",
    "temperature",
    "v",
    "available",
    "goal_names",
    "state_names",
    "action_names",
}
"""What a .npz of values may hold; q is needed."""
GOALS = {"rewards", "continuation", "action_rewards", "names"}
"""What a .npz of goals may hold; rewards are needed."""

_PACKAGE = "header"
"""In files that this package wrote."""


def is_own(text: str, needed: str) -> bool:
    """Tell whether a text names a .npy, or a .npz with an array of this name that this package did not write."""
    ending = Path(text).suffix
    if ending == ".npy":
        return True
    if ending != ".npz":
        return False
    with _open(text) as found:
        return needed in found.files and _PACKAGE not in found.files


def read_arrays(text: str, alone: str, known: set[str]) -> dict[str, Any]:
    """Return the arrays of a file by name; that of a .npy is called `alone`.

    Raises
    ------
    FileFormatError
        If an array is none of the known ones, or none is called `alone`.
    """
    found = _open(text)
    if isinstance(found, np.ndarray):
        return {alone: found}
    with found:
        unknown = sorted(set(found.files) - known)
        if unknown or alone not in found.files:
            what = f"no array {alone!r}" if alone not in found.files else f"an array {unknown[0]!r} that nothing reads"
            more = ", ".join(sorted(known - {alone})) or "nothing else"
            raise FileFormatError(f"{text} has {what}; expected {alone}, and perhaps {more}.")
        try:
            return {name: _plain(found[name]) for name in found.files}
        except ValueError as problem:
            raise FileFormatError(f"{text} holds objects, not numbers ({problem}); save plain arrays.") from problem


def goals_from(text: str) -> Goals:
    """Read goals from a .npz of rewards (G, S), continuation and names, or a .npy of rewards."""
    return Goals(**read_arrays(text, "rewards", GOALS))


def _open(text: str) -> Any:
    try:
        with Path(text).open("rb") as file:
            packed = file.read(2) == b"PK"
        if packed:
            ZipFile(text).close()  # numpy would leave a damaged archive open
        return np.load(text, allow_pickle=False)
    except FileNotFoundError as problem:
        raise FileAccessError(f"there is no file {text}; check the name.") from problem
    except (ValueError, OSError, EOFError, BadZipFile) as problem:
        raise FileFormatError(f"{text} cannot be read as a numpy array ({problem}); save it with numpy.") from problem


def _plain(array: Any) -> Any:
    """Return an array; a single number as a number, texts as a list."""
    if array.dtype.kind in "US":
        return [str(each) for each in array.ravel()]
    return array.item() if array.ndim == 0 else array
