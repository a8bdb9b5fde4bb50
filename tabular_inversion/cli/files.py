"""Files that commands write: pictures where ``--plot`` says, reports, worlds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabular_inversion import storage
from tabular_inversion.errors import FileAccessError, FileFormatError


def check_picture(path: Path | None) -> None:
    """Refuse a place where no picture can be written, before the work: raises `FileFormatError` and the like."""
    if path is None:
        return
    from tabular_inversion.plotting.canvas import matplotlib_module

    endings = matplotlib_module("backend_bases").FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in endings:
        raise FileFormatError(f"{path} ends in no kind of picture; use one of {', '.join(sorted(endings))}.")
    check_folder(path)


def check_folder(path: Path | None) -> None:
    """Refuse a file in a folder that does not exist, before the work; raises `FileAccessError`."""
    if path is not None and not path.absolute().parent.is_dir():
        raise FileAccessError(f"cannot write {path}: its folder does not exist; create it first.")


def save_picture(draw: Callable[[], Any], path: Path | None) -> None:
    """Draw a figure and write it, whole or not at all, in the format that the ending names; nothing without a path."""
    if path is None:
        return
    figure = draw()
    with storage.whole_file(path) as place:
        figure.savefig(place)


def save_certificate(result: Any, path: Path | None) -> None:
    """Write the certificate of an exact answer, whole or not at all; nothing without a path."""
    if path is None:
        return
    from tabular_inversion.certificates import write_certificate

    write_certificate(result, path)


def save_text(text: str, path: Path) -> None:
    """Write a text, whole or not at all."""
    with storage.whole_file(path) as place:
        place.write_text(text, encoding="utf-8", errors="backslashreplace")
