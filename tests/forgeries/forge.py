"""Single-field forgeries: change one leaf of a tree of dataclasses, tuples and arrays, and nothing else."""

from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from tabular_inversion.records import same


class Impostor:
    """An object that says of itself that it is verified, as no object of the package is asked."""

    def __init__(self, honest):
        self.rows = getattr(honest, "rows", None)
        self.text = "trust me"

    def verify(self, *_, **__):
        return True


@dataclass
class Forgery:
    """What was changed, where, and the object that came out; None if its constructor refused."""

    path: tuple
    how: str
    object: Any


def forgeries(honest, other, rng, count):
    """Draw forgeries of an honest object; `other` is another honest one of its class, to take fields from."""
    leaves = list(_leaves(honest, ()))
    wanted = rng.choice(len(leaves), size=min(count, len(leaves)), replace=False)
    for place in wanted:
        path, value = leaves[place]
        options = list(_changes(value, _at(other, path), rng))
        if not options:
            continue
        how, changed = options[rng.integers(len(options))]
        try:
            forged = _put(honest, path, changed)
        except Exception as problem:  # noqa: BLE001  whatever the constructor says, the object does not exist
            yield Forgery(path, f"{how}: {type(problem).__name__}", None)
            continue
        if not same(forged, honest):
            yield Forgery(path, how, forged)


def _leaves(value, path):
    """Yield every field, also within fields, with the way to it."""
    if path:
        yield path, value
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.init:
                yield from _leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, i))


def _at(value, path):
    for step in path:
        try:
            value = value[step] if isinstance(step, int) else getattr(value, step)
        except (AttributeError, IndexError, TypeError):
            return None
    return value


def _put(value, path, changed):
    if not path:
        return changed
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(value)
        items[step] = _put(items[step], rest, changed)
        return tuple(items)
    return replace(value, **{step: _put(getattr(value, step), rest, changed)})


def _changes(value, other, rng):  # noqa: C901  a table of types
    """Yield ways to change a value: (what was done, the new value)."""
    if other is not None and type(other) is type(value) and not same(other, value):
        yield "taken from another", other
    if value is not None and not isinstance(value, bool | int | float | str):
        yield "dropped", None
    if is_dataclass(value) and not isinstance(value, Enum | type):
        yield "impostor", Impostor(value)
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, Enum):
        yield "another code", rng.choice([member for member in type(value) if member is not value])
    elif isinstance(value, int):
        yield "nudged", value + 1
        yield "nudged", value - 1
    elif isinstance(value, float):
        yield "nudged", 0.5 if np.isnan(value) else value * 1.001 + 0.001
        yield "nudged", 0.0 if np.isnan(value) else -value - 1.0
    elif isinstance(value, Fraction):
        yield "nudged", value + Fraction(1, 1000)
        yield "nudged", -value - 1
    elif isinstance(value, str):
        yield "other words", value + ", surely"
        yield "fewer words", value.rpartition(" ")[0]
    elif isinstance(value, tuple):
        yield from _tuples(value, rng)
    elif isinstance(value, np.ndarray):
        yield from _arrays(value, rng)
    elif issparse(value):
        yield from _sparse(value, rng)


def _tuples(value, rng):
    if value:
        place = int(rng.integers(len(value)))
        yield "one dropped", value[:place] + value[place + 1 :]
        yield "one twice", (*value, value[place])
    if len(value) > 1 and not same(value[0], value[-1]):
        yield "turned round", value[::-1]


def _arrays(value, rng):
    if value.size:
        place = tuple(int(rng.integers(size)) for size in value.shape)
        changed = value.copy()
        entry = changed[place]
        if value.dtype == bool:
            changed[place] = not entry
        elif value.dtype == np.int8:
            changed[place] = rng.choice([code for code in range(-1, 4) if code != entry])
        elif value.dtype == object:
            changed[place] = Fraction(1, 7) if entry is None else entry + Fraction(1, 7)
        else:
            changed[place] = entry + 1 if value.dtype.kind in "iu" else np.nan_to_num(entry) * 1.01 + 0.01
        yield "one entry", changed
    if value.ndim and len(value) > 1:
        yield "one row fewer", value[:-1]
        if not same(value[0], value[-1]):
            swapped = value.copy()
            swapped[[0, -1]] = value[[-1, 0]]
            yield "two rows swapped", swapped


def _sparse(value, rng):
    table = value.toarray()
    place = tuple(int(rng.integers(size)) for size in table.shape)
    table[place] = not table[place] if table.dtype == bool else table[place] + 1
    yield "one entry", csr_array(table)
