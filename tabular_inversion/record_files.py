"""Records on disk: any tree of known dataclasses, arrays and exact numbers, written and read back exactly.

Nothing is executed on reading: a file names classes, and only those of a fixed table are made, by their own
constructors, which check what they are given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tabular_inversion import storage
from tabular_inversion.errors import FileFormatError

_Expected = TypeVar("_Expected")
Arrays = dict[str, NDArray[Any]]

_ROOMS = {
    "agent_values": ("AgentValues", "SolverReport"),
    "goals": ("Goals",),
    "mdp": ("MDP",),
    "inversion": ("Inversion",),
    "kernel_classes": ("Deterministic", "Sparse", "Stochastic", "Supported", "Unconstrained"),
    "exact.model": ("ExactGoals", "ExactMDP"),
    "exact.agent_values": ("ExactAgentValues",),
    "exact.linear_algebra": ("ExactRank",),
    "exact.linear_programs": ("Feasibility", "Recession"),
    "identifiability.asked": ("Hint", "ValuesQuestion"),
    "identifiability.verdict": ("Verdict", "Witness"),
    "identifiability.rational.proofs": ("ColumnProof", "DimensionProof", "EmptyProof", "FaceProof", "RankProof"),
    "identifiability.rational.sparse": ("SearchProof",),
    "sufficiency.agent_policies": ("AskedPolicy",),
    "sufficiency.question": ("Question",),
    "sufficiency.proofs": (
        "CountProof", "CutProof", "DistinctProof", "DrawProof", "MatchingProof", "PathsProof", "SingleProof",
        "WitnessProof",
    ),
    "sufficiency.by_draws.draws": ("Chance",),
    "sufficiency.by_draws.families": ("GoalFamily",),
    "sufficiency.by_draws.generic": ("GenericQuestion",),
    "sufficiency.by_paths.linkages": ("Cut", "Linkage"),
    "sufficiency.by_paths.structural": ("StructuralQuestion",),
    "sufficiency.concrete": ("FixedWorld", "ModularQuestion"),
}  # fmt: skip
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
"""What files may name. Nothing here imports these rooms: one is imported when a file asks for it."""


def save_record(path: str | os.PathLike[str], kind: str, record: Any) -> None:
    """Write a record to a .npz or .json file.

    Parameters
    ----------
    path : path-like
        Where to write.
    kind : str
        What the file holds; `load_record` asks for the same word.
    record : dataclass
        Of numbers, texts, None, fractions, enumerations, arrays (of fractions, too), csr_arrays, dataclasses, and
        tuples of such.

    Raises
    ------
    FileFormatError
        If something else is in it, or the file cannot be written.
    """
    arrays: Arrays = {}
    tree = _encode(record, arrays)
    storage.write(path, kind, arrays, {"record": tree})


def load_record(
    path: str | os.PathLike[str], kind: str, expected: type[_Expected], *, max_bytes: float = storage.MAX_BYTES
) -> _Expected:
    """Read what `save_record` wrote.

    Parameters
    ----------
    path : path-like
        The file.
    kind : str
        What it should hold.
    expected : type
        The class of the record.
    max_bytes : float
        How much memory its arrays may take.

    Raises
    ------
    FileFormatError
        If the file is damaged, names a class that is not in the table, or holds what a class refuses.
    """
    arrays, metadata = storage.read(path, kind, max_bytes=max_bytes)
    with storage.content_of(path):
        found = _decode(metadata["record"], arrays)
    if not isinstance(found, expected):
        raise FileFormatError(f"{path} holds a {type(found).__name__}, no {expected.__name__}; pass the right file.")
    return found


def _class_of(name: str) -> Any:
    if name not in _ROOM_OF:
        raise FileFormatError(f"the file names {name!r}, which no file of this package holds; write it again.")
    return getattr(import_module(f"tabular_inversion.{_ROOM_OF[name]}"), name)


def _encode(value: Any, arrays: Arrays) -> Any:
    """Return a tree for JSON; arrays of numbers go beside it."""
    if value is None or isinstance(value, bool | str) or (isinstance(value, int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Enum):
        return {"enum": type(value).__name__, "value": value.name}
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, arrays) for item in value]}
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return {"objects": [_encode(item, arrays) for item in value.ravel().tolist()], "shape": list(value.shape)}
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, csr_array):
        parts = [_encode(np.asarray(part), arrays) for part in (value.data, value.indices, value.indptr)]
        return {"csr": parts, "shape": list(value.shape)}
    if is_dataclass(value) and not isinstance(value, type):
        entries = {field.name: _encode(getattr(value, field.name), arrays) for field in fields(value) if field.init}
        return {"class": type(value).__name__, "fields": entries}
    raise FileFormatError(f"a {type(value).__name__} cannot be written to a file.")


def _decode(tree: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "float" in tree:
        return float.fromhex(tree["float"])
    if "fraction" in tree:
        return Fraction(tree["fraction"])
    if "tuple" in tree:
        return tuple(_decode(item, arrays) for item in tree["tuple"])
    if "array" in tree:
        return arrays[tree["array"]]
    if "objects" in tree:
        flat = np.empty(len(tree["objects"]), dtype=object)
        flat[:] = [_decode(item, arrays) for item in tree["objects"]]
        return flat.reshape(tree["shape"])
    if "csr" in tree:
        parts = tuple(_decode(part, arrays) for part in tree["csr"])
        return csr_array(parts, shape=tuple(tree["shape"]))
    if "enum" in tree:
        return _class_of(tree["enum"])[tree["value"]]
    return _class_of(tree["class"])(**{key: _decode(value, arrays) for key, value in tree["fields"].items()})
