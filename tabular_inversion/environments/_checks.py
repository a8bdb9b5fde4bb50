"""Checks that the constructors of worlds share: counts and seeds."""

from typing import Any

import numpy as np

from tabular_inversion.errors import InputError

MOST_STATES = 2**24
"""Of a sparse world: its arrays take a few GiB; beyond that it is refused before they are allocated."""


def check_count(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """Return `value` as an integer from `least` to `most`, or raise `InputError`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name} is {value!r}; expected an integer of at least {least}.")
    if most is not None and value > most:
        raise InputError(f"{name} is {value}; expected an integer of at most {most}, for which there is memory.")
    return int(value)


def random_generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return the generator that `seed` means, or raise `InputError`: no seed means no repeatable result."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed is {seed!r}; expected an integer of at least 0 or a numpy Generator.")
    return np.random.default_rng(seed)
