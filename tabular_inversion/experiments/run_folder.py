"""The folder of one run: stages that are kept and resumed, figures, data, results beside the published ones."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion import storage
from tabular_inversion.errors import FileAccessError, FileFormatError, InputError, MissingDependencyError
from tabular_inversion.kinds import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "experiment-stage"
Arrays = dict[str, NDArray[Any]]


@checked
@dataclass(frozen=True)
class Comparison:
    """One number of ours beside the published one.

    Attributes
    ----------
    what : str
        What was measured, such as ``"windy, 4 goals, MSE at 10 million steps"``.
    ours : float
        Our number: a mean where there are several seeds.
    spread : float
        The standard deviation over seeds; 0 for one.
    published : float, optional
        The paper's number; None where it has none.
    note : str
        What has to be known to compare them.

    Examples
    --------
    >>> Comparison("windy, 2 goals, MSE", 5e-5, 1e-6, 2.4e-3).published
    0.0024
    """

    what: str
    ours: float
    spread: float = 0.0
    published: float | None = None
    note: str = ""


@checked
class RunFolder:
    """Where a run writes; a stage that was finished before is read and not computed again.

    Parameters
    ----------
    path : path-like
        The folder; it is made if its parent exists.
    experiment : str
        Its name.
    settings : mapping
        Everything that the numbers depend on, as JSON takes it: effort, seeds, sizes. A folder of other settings is
        refused.

    Raises
    ------
    InputError
        If the parent does not exist, the path is a file, or the folder belongs to other settings.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = RunFolder(f"{place}/run", "demonstration", {"seed": 0})
    ...     first = folder.stage("numbers", lambda: {"x": np.arange(3)})
    ...     again = folder.stage("numbers", lambda: {"x": np.zeros(3)})
    >>> again["x"]
    array([0, 1, 2])
    """

    def __init__(self, path: str | os.PathLike[str], experiment: str, settings: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.experiment = experiment
        self.settings = dict(settings)
        self._start = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self._peak = 0
        self._figures: list[tuple[str, str]] = []
        if not self.path.absolute().parent.is_dir():
            raise InputError(f"cannot write to {self.path}: its parent folder does not exist; create it first.")
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"cannot write to {self.path}: it is a file; name a folder.")
        _make(self.stages)
        self._claim()

    @property
    def stages(self) -> Path:
        """Where finished stages and checkpoints are kept."""
        return self.path / "stages"

    def _claim(self) -> None:
        """Write the settings, or compare them with those of an earlier run here."""
        file = self.path / "settings.json"
        wanted = {"experiment": self.experiment, "settings": self.settings}
        if file.is_file():
            try:
                found = dict(json.loads(file.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as problem:
                raise FileFormatError(
                    f"{file} is damaged ({problem}), and with it what the stages belong to; choose another folder."
                ) from problem
            if found != json.loads(json.dumps(wanted)):
                raise InputError(
                    f"{self.path} holds a run of {found.get('experiment')} with other settings "
                    f"({found.get('settings')}); choose another folder, or the same settings to go on."
                )
        else:
            _write_text(file, json.dumps(wanted, indent=2) + "\n")

    def stage(self, name: str, compute: Callable[[], Mapping[str, NDArray[Any]]]) -> Arrays:
        """Return the arrays of a stage: those of an earlier run, or computed now and kept.

        Parameters
        ----------
        name : str
            Of the stage; a word that can be a file name.
        compute : callable
            Returns named arrays; it must not depend on anything but the settings.

        Raises
        ------
        FileFormatError
            If what an earlier run left is damaged: delete the file named to compute the stage again.
        """
        file = self.stages / f"{name}.npz"
        if not file.is_file():
            start = time.perf_counter()
            arrays = {key: np.asarray(values) for key, values in compute().items()}
            measured = {"stage": name, "seconds": time.perf_counter() - start, "peak_memory_bytes": peak_memory()}
            storage.write(file, KIND, arrays, measured)
        try:
            arrays, facts = storage.read(file, KIND)
        except FileFormatError as problem:
            raise FileFormatError(f"{problem} Delete {file} to compute this stage again.") from problem
        self._seconds[name] = float(facts["seconds"])
        self._peak = max(self._peak, int(facts["peak_memory_bytes"]))
        return dict(arrays)

    def checkpoint(self, name: str) -> Path:
        """Return where something inside a stage may keep its own state; it is not part of the results."""
        return self.stages / f"{name}.checkpoint.npz"

    def table(self, name: str, columns: Mapping[str, NDArray[Any] | Sequence[Any]]) -> None:
        """Write columns of equal length as ``data/name.csv``, and those of numbers as ``data/name.npz`` too."""
        data = self.path / "data"
        _make(data)
        arrays = {key: np.asarray(values) for key, values in columns.items()}
        if len({len(values) for values in arrays.values()}) > 1:
            lengths = {key: len(values) for key, values in arrays.items()}
            raise InputError(f"the columns of table {name!r} have different lengths: {lengths}.")
        with (
            storage.whole_file(data / f"{name}.csv") as place,
            place.open("x", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.writer(stream)
            writer.writerow(arrays)
            writer.writerows(zip(*(values.tolist() for values in arrays.values()), strict=True))
        numbers = {key: values for key, values in arrays.items() if values.dtype.kind in "fiub"}
        storage.write(data / f"{name}.npz", "experiment-table", numbers, {"table": name})

    def figure(self, name: str, figure: Figure, caption: str) -> None:
        """Write a figure as PNG and SVG, and put it into the report with its caption."""
        figures = self.path / "figures"
        _make(figures)
        for ending in ("png", "svg"):
            with storage.whole_file(figures / f"{name}.{ending}") as place:
                figure.savefig(place, dpi=150)
        self._figures.append((name, caption))

    def finish(
        self, comparisons: Sequence[Comparison], *, differences: Sequence[str], facts: Mapping[str, Any]
    ) -> Path:
        """Write ``results.json`` and ``report.html``.

        Parameters
        ----------
        comparisons : sequence of Comparison
            Our numbers, beside the published ones where there are any.
        differences : sequence of str
            Where our agent, reward or estimator differs from the published one, a sentence each.
        facts : mapping
            Further numbers, as JSON takes them.

        Returns
        -------
        pathlib.Path
            The report.

        Raises
        ------
        MissingDependencyError
            If Jinja2 is not installed.
        """
        results = {
            "experiment": self.experiment,
            "settings": self.settings,
            "comparisons": [asdict(comparison) for comparison in comparisons],
            "differences": list(differences),
            "facts": dict(facts),
            "seconds": {"this run": time.perf_counter() - self._start, **self._seconds},
            "peak_memory_bytes": max(self._peak, peak_memory()),  # of the stages kept from earlier runs too
            "versions": versions(),
        }
        report = self.path / "report.html"
        page = self._render(results)
        _write_text(self.path / "results.json", json.dumps(results, indent=2) + "\n")
        _write_text(report, page)
        return report

    def _render(self, results: Mapping[str, Any]) -> str:
        try:
            from jinja2 import Environment, PackageLoader, StrictUndefined
        except ImportError as missing:
            raise MissingDependencyError.of("the report needs", "jinja2", "report") from missing
        environment = Environment(
            loader=PackageLoader("tabular_inversion.experiments", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        pictures = [(name, caption, self._inline(name)) for name, caption in self._figures]
        return environment.get_template("report.html.jinja").render(results=results, pictures=pictures)

    def _inline(self, name: str) -> str:
        """Return a figure as SVG to put into the page, its ids made unlike those of the other figures."""
        text = (self.path / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        mark = hashlib.sha256(name.encode()).hexdigest()[:8]
        text = text[text.index("<svg") :]
        for attribute in ('id="', 'href="#', "url(#"):
            text = text.replace(attribute, f"{attribute}{mark}-")
        return text


def _write_text(file: Path, text: str) -> None:
    with storage.whole_file(file) as place:
        place.write_text(text, encoding="utf-8")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        why = problem.strerror
        raise FileAccessError(f"cannot make the folder {folder} ({why}); choose another place.") from problem


def peak_memory() -> int:
    """Return the largest memory that this process, or one that it started and that has ended, has had, in bytes.

    Examples
    --------
    >>> peak_memory() > 2**20
    True
    """
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return int(largest if sys.platform == "darwin" else largest * 1024)


def versions() -> dict[str, str]:
    """Return the versions that the numbers were made with.

    Examples
    --------
    >>> sorted(versions())
    ['numpy', 'python', 'scipy', 'tabular-inversion']
    """
    found = {name: version(name) for name in ("tabular-inversion", "numpy", "scipy")}
    return found | {"python": platform.python_version()}
