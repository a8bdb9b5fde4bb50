"""How far each Q-value may be from the truth, in the units of Q: a number, one for each value, or a float type."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray

Noise = float | FloatArray | str
"""A bound on ``|Qhat - Q|``: a number, an array (G, S, A), or "float32" or "float16", the type that rounded Q."""


def float_name(dtype: Any) -> str | None:
    """Return the name of a float type of fewer digits than float64, else None; also for types of other packages.

    Examples
    --------
    >>> float_name(np.dtype("float32")), float_name("torch.float16"), float_name(np.dtype("float64"))
    ('float32', 'float16', None)
    """
    name = str(dtype).rpartition(".")[2]
    return name if name in {"float16", "float32"} else None


def rounding_of(values: FloatArray, name: str) -> FloatArray:
    """Bound how far numbers that were rounded to a float type are from what was rounded; 0 where nothing is known.

    Parameters
    ----------
    values : numpy.ndarray
        What is left after rounding.
    name : {"float16", "float32"}
        The type.

    Examples
    --------
    >>> bool(rounding_of(np.array([1.0]), "float32")[0] == 2.0**-24 + 2.0**-150)
    True
    """
    kind = np.finfo(name)
    # Half a unit in the last place: at most u |rounded|, and beside the subnormal numbers half of the least of them.
    unit = float(kind.eps) / 2.0
    bound: FloatArray = np.nan_to_num(np.abs(values), nan=0.0) * unit + float(kind.smallest_subnormal) / 2.0
    return bound


def is_noisy(noise: Noise) -> bool:
    """Tell whether the noise is more than zero somewhere."""
    return isinstance(noise, str) or bool(np.any(np.asarray(noise) > 0))


def describe_noise(noise: Noise) -> str:
    """Say in a few words how large the noise is."""
    if isinstance(noise, str):
        return f"the rounding of {noise}"
    return f"{noise:g}" if isinstance(noise, float | int) else f"up to {float(np.max(noise)):g}"
