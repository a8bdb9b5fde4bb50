"""Pictures that commands write where ``--plot`` says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tabular_inversion.errors import FileFormatError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the ending names; raises `FileFormatError`."""
    try:
        figure.savefig(path)
    except (OSError, ValueError) as problem:
        raise FileFormatError(f"{path} cannot be written as a picture ({problem}).") from problem
