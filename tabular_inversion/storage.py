"""Named arrays on disk: npz (never pickled) or JSON (for small ones), with a checksum that is always verified.

Both formats hold the same four things: a kind, a format version, metadata (a JSON object) and named arrays.
The SHA-256 digest covers all of them, so a truncated or altered file is refused. A file appears whole or not at
all: it is written beside its place and then moved there. What a file says about its size is checked before memory is
taken for it.
"""

import errno
import hashlib
import json
import math
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.errors import FileAccessError, FileFormatError, FileKindError
from tabular_inversion.validation import shortened

FORMAT = "tabular-inversion"
VERSION = 1
MAX_BYTES = 2**31
"""How much memory the arrays of one file may take, unless the reader says otherwise (2 GiB)."""

_HEADER = "header"
_LONGEST_STEM = 40  # letters of a name, of at most four bytes each; file systems allow 255 bytes
_KINDS_OF_NUMBER = "fiub"  # float, signed, unsigned, bool: what JSON can carry exactly
_BYTES_PER_CHARACTER = 16
"""What a number in a JSON text may take once it is read: about 32 bytes for "0,"."""


def write(
    path: str | os.PathLike[str], kind: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
) -> Path:
    """Write named arrays and metadata to `path`, whose ending (.npz or .json) chooses the format.

    Parameters
    ----------
    path : path-like
        Where to write; an existing file is replaced in one step.
    kind : str
        What the file holds, for example ``"agent-values"``; `read` asks for the same word.
    arrays : mapping from str to numpy.ndarray
        Arrays of floats, integers or booleans; JSON holds NaN and finite numbers only.
    metadata : mapping
        Anything that a JSON object can hold.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    FileFormatError
        If the ending is neither .npz nor .json, or the format cannot hold the content.
    FileAccessError
        If the file cannot be written: no such folder, no permission, no space left.
    """
    target = _path_of(path)
    _check_ending(target)
    for name, array in arrays.items():
        if name == _HEADER or array.dtype.kind not in _KINDS_OF_NUMBER:
            raise FileFormatError(
                f"array {name!r} of {array.dtype} cannot be written; use numbers, and no {_HEADER!r}."
            )
    header = {"format": FORMAT, "kind": kind, "version": VERSION, "metadata": metadata}
    with whole_file(target) as place:
        try:
            header["sha256"] = _digest(header, arrays)
            with place.open("xb") as stream:
                (_write_npz if target.suffix == ".npz" else _write_json)(stream, header, arrays)
        except (TypeError, ValueError) as problem:
            raise FileFormatError(
                f"{target} cannot hold this content ({problem}); .npz holds any numbers."
            ) from problem
    return target


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a place to write to; what is there in the end becomes the file `path`, whole, or nothing does.

    Parameters
    ----------
    path : path-like
        The file to be; an existing one is replaced in one step. A device or a pipe is written to when all is there.

    Yields
    ------
    pathlib.Path
        A name that is free, with the same ending, beside the file.

    Raises
    ------
    FileAccessError
        If the folder does not exist or may not be written to, the disk is full, or the path is a folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "note.txt") as place:
    ...         _ = place.write_text("whole")
    ...     [file.name for file in Path(folder).iterdir()]
    ['note.txt']
    """
    try:
        target = Path(path).resolve()
        special = target.exists() and not target.is_file()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = Path(tempfile.gettempdir()) if special else target.parent
        # Opened by name, unlike tempfile's, so that the user's umask decides who may read the file.
        place = folder / f".{target.stem[:_LONGEST_STEM]}.{secrets.token_hex(8)}{target.suffix}"
        try:
            yield place
            if special:
                with place.open("rb") as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
            else:
                place.replace(target)
        finally:
            with suppress(OSError):  # the error that is on its way says more
                place.unlink(missing_ok=True)
    except FileAccessError:
        raise
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise FileAccessError(f"cannot write {path} ({why}); name a file in a folder with room for it.") from problem


def read(
    path: str | os.PathLike[str], kind: str, *, max_bytes: float = MAX_BYTES
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `write` wrote: the arrays and the metadata; either raises if asked for a name that it lacks.

    Parameters
    ----------
    path : path-like
        The file.
    kind : str
        What it must hold.
    max_bytes : float
        How much memory its arrays may take. A few megabytes can unpack to gigabytes: what the file says about its
        sizes is summed, and checked, before anything is unpacked.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, altered, of another kind, of an unknown version, or larger than allowed.
    FileAccessError
        If the file is there and cannot be read.
    """
    source = _path_of(path)
    _check_ending(source)
    try:
        reader = _read_npz if source.suffix == ".npz" else _read_json
        header, arrays = reader(source, max_bytes)
        _check_header(source, header, arrays, kind)
    except FileFormatError:
        raise
    except FileNotFoundError as problem:
        raise FileFormatError(f"there is no file {source}; check the path.") from problem
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise FileAccessError(f"cannot read {source} ({why}); name a file that you may read.") from problem
    except Exception as problem:
        # Damage shows as errors of zipfile, zlib, json and numpy, which have no other base in common.
        raise FileFormatError(f"{source} is truncated or no {FORMAT} file ({problem!r}); write it again.") from problem
    return _Named(source, arrays), _Named(source, header["metadata"])


@contextmanager
def content_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say of which file it was that its content, undamaged, was refused: raise `FileFormatError` in that case."""
    try:
        yield
    except FileFormatError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as problem:
        raise FileFormatError(f"{path} does not hold what its kind promises ({problem}); write it again.") from problem


class _Named(dict[str, Any]):
    """The content of a file, which says by its name what is missing."""

    def __init__(self, source: Path, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.source = source

    def __missing__(self, name: str) -> Any:
        raise FileFormatError(f"{self.source} holds no {name!r}; write it again.")


def _path_of(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike) or isinstance(path, bytes) or not os.fspath(path):
        raise FileFormatError(f"the path is {shortened(path)}; expected the name of a file, such as 'world.npz'.")
    return Path(path)


def _check_ending(path: Path) -> None:
    if path.suffix not in {".npz", ".json"}:
        raise FileFormatError(f"{path} ends in {path.suffix!r}; use .npz, or .json for small arrays.")


def _check_header(source: Path, header: dict[str, Any], arrays: Mapping[str, NDArray[Any]], kind: str) -> None:
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        found = f"{header.get('format')!r} version {header.get('version')!r}"
        raise FileFormatError(f"{source} says it is {found}; this package reads {FORMAT!r} version {VERSION}.")
    if header.get("kind") != kind:
        raise FileKindError(
            f"{source} holds {header.get('kind')!r}, not {kind!r}; pass the right file.", found=header.get("kind")
        )
    if not isinstance(header.get("metadata"), dict):
        raise FileFormatError(f"{source} holds no metadata; write it again.")
    stated = header.pop("sha256", None)
    if stated != _digest(header, arrays):
        raise FileFormatError(f"{source} was altered or damaged: its checksum does not match; write it again.")


def _digest(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    state = hashlib.sha256(json.dumps(header, sort_keys=True, allow_nan=False).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        if array.dtype.kind == "f":  # JSON keeps that an entry is NaN, not which of the many NaNs it is
            array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
        state.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        state.update(array.tobytes())
    return state.hexdigest()


def _read_npz(source: Path, max_bytes: float) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    with source.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise FileFormatError(f"{source} holds two arrays of one name; write it again.")
        _check_size(source, sum(member.file_size for member in members), max_bytes)
        arrays = {member.filename.removesuffix(".npy"): _read_member(source, archive, member) for member in members}
    header = json.loads(arrays.pop(_HEADER).tobytes())
    if not isinstance(header, dict):
        raise FileFormatError(f"{source} has no header; it was not written by this package.")
    return header, arrays


def _check_size(source: Path, size: int, max_bytes: float) -> None:
    if size > max_bytes:
        raise FileFormatError(
            f"{source} takes {size / 2**20:.0f} MiB of memory, above the limit of {max_bytes / 2**20:.0f} MiB; if you "
            "trust it, read it with a larger max_bytes."
        )


def _read_member(source: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, whose shape must be the one that its bytes have room for: numpy would believe any."""
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = readers[version](stream)
        promised = math.prod(shape) * dtype.itemsize
        held = member.file_size - stream.tell()
    if dtype.kind not in _KINDS_OF_NUMBER or min(shape, default=0) < 0 or promised != held:
        raise FileFormatError(
            f"{source}: array {member.filename!r} says that it is {dtype} of shape {shape}, {promised} bytes, and has "
            f"{held}; write it again."
        )
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _write_npz(stream: IO[bytes], header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    # Not numpy.savez: before 2.2 it takes allow_pickle=False for one more array, and without it writes pickles.
    packed = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in {_HEADER: packed, **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _write_json(stream: IO[bytes], header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    document = {**header, "arrays": {name: _to_json(array) for name, array in arrays.items()}}
    stream.write(json.dumps(document, allow_nan=False).encode())


def _to_json(array: NDArray[Any]) -> dict[str, Any]:
    data = array.ravel().tolist()
    if array.dtype.kind == "f":  # JSON has no NaN; it marks what an unavailable action has no value for
        data = [None if value != value else value for value in data]
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _read_json(source: Path, max_bytes: float) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    _check_size(source, source.stat().st_size * _BYTES_PER_CHARACTER, max_bytes)
    document = json.loads(source.read_bytes())
    if not isinstance(document, dict):
        raise FileFormatError(f"{source} holds no JSON object; it was not written by this package.")
    arrays = {}
    for name, stored in document.pop("arrays").items():
        dtype = np.dtype(stored["dtype"])
        if dtype.kind not in _KINDS_OF_NUMBER:
            raise FileFormatError(f"{source}: array {name!r} has type {dtype}; expected numbers.")
        data = [np.nan if value is None else value for value in stored["data"]]
        arrays[name] = np.array(data, dtype=dtype).reshape(stored["shape"])
    return document, arrays
