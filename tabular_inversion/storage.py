"""Named arrays on disk: npz (never pickled) or JSON (for small ones), with a checksum that is always verified.

Both formats hold the same four things: a kind, a format version, metadata (a JSON object) and named arrays.
The SHA-256 digest covers all of them, so a truncated or altered file is refused. A file appears whole or not at
all: it is written beside its place and then moved there.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.errors import FileFormatError

FORMAT = "tabular-inversion"
VERSION = 1
_HEADER = "header"
_KINDS_OF_NUMBER = "fiub"  # float, signed, unsigned, bool: what JSON can carry exactly


def write(path: str | os.PathLike[str], kind: str, arrays: Mapping[str, NDArray[Any]], metadata: Any) -> Path:
    """Write named arrays and metadata to `path`, whose ending (.npz or .json) chooses the format.

    Parameters
    ----------
    path : path-like
        Where to write; an existing file is replaced in one step.
    kind : str
        What the file holds, for example ``"agent-values"``; `read` asks for the same word.
    arrays : mapping from str to numpy.ndarray
        Arrays of floats, integers or booleans.
    metadata : object
        Anything that JSON can hold.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    FileFormatError
        If the ending is neither .npz nor .json, or the folder does not exist.
    """
    target = Path(path)
    _check_ending(target)
    if not target.parent.is_dir():
        raise FileFormatError(f"cannot write {target}: the folder {target.parent} does not exist; create it first.")
    header = {"format": FORMAT, "kind": kind, "version": VERSION, "metadata": metadata}
    header["sha256"] = _digest(header, arrays)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if target.suffix == ".npz":
                packed = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
                np.savez_compressed(stream, allow_pickle=False, **{_HEADER: packed}, **arrays)
            else:
                document = header | {"arrays": {name: _to_json(array) for name, array in arrays.items()}}
                stream.write(json.dumps(document, allow_nan=False).encode())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, NDArray[Any]], Any]:
    """Read what `write` wrote: the arrays and the metadata.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, altered, of another kind, or of an unknown version.
    """
    source = Path(path)
    _check_ending(source)
    try:
        header, arrays = _read_npz(source) if source.suffix == ".npz" else _read_json(source)
    except FileNotFoundError as problem:
        raise FileFormatError(f"there is no file {source}; check the path.") from problem
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as problem:
        raise FileFormatError(f"{source} is truncated or no {FORMAT} file ({problem}); write it again.") from problem
    except Exception as problem:
        # zlib.error has no common base with the above, and numpy raises others for damaged headers.
        raise FileFormatError(f"{source} is damaged ({problem!r}); write it again.") from problem
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        found = f"{header.get('format')!r} version {header.get('version')!r}"
        raise FileFormatError(f"{source} says it is {found}; this package reads {FORMAT!r} version {VERSION}.")
    if header.get("kind") != kind:
        raise FileFormatError(f"{source} holds {header.get('kind')!r}, not {kind!r}; pass the right file.")
    stated = header.pop("sha256", None)
    if stated != _digest(header, arrays):
        raise FileFormatError(f"{source} was altered or damaged: its checksum does not match; write it again.")
    return arrays, header["metadata"]


def _check_ending(path: Path) -> None:
    if path.suffix not in {".npz", ".json"}:
        raise FileFormatError(f"{path} ends in {path.suffix!r}; use .npz, or .json for small arrays.")


def _digest(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    state = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        state.update(array.tobytes())
    return state.hexdigest()


def _read_npz(source: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    # numpy leaves a file open that is no archive, unless it is given an open one.
    with source.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(arrays.pop(_HEADER).tobytes())
    if not isinstance(header, dict):
        raise FileFormatError(f"{source} has no header; it was not written by this package.")
    return header, arrays


def _to_json(array: NDArray[Any]) -> dict[str, Any]:
    if array.dtype.kind not in _KINDS_OF_NUMBER:
        raise FileFormatError(f"an array of {array.dtype} cannot be written; use floats, integers or booleans.")
    data = array.ravel().tolist()
    if array.dtype.kind == "f":  # JSON has no NaN; it marks what an unavailable action has no value for
        data = [None if value != value else value for value in data]
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _read_json(source: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
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
