"""Sets of rows made by whoever is there, a piece of the rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from tabular_inversion._typing import BoolArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise
from tabular_inversion.agent_values.parts import Part
from tabular_inversion.equivalence.interface import ValueEquivalence
from tabular_inversion.identifiability.pieces import grain
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.parallel import run_pieces

_GIVEN = ("agent", "kernel_class", "noise")


class _Shared(NamedTuple):
    """The agents of groups of rows with their noise, the class, and how sets of it are made."""

    agents: list[tuple[AgentValues, Noise]]
    kernel_class: KernelClass
    make: Callable[[AgentValues, KernelClass, Noise], ValueEquivalence]


def made_elsewhere(
    parts: Sequence[Part],
    noises: Sequence[Noise],
    kernel_class: KernelClass,
    make: Callable[[AgentValues, KernelClass, Noise], ValueEquivalence],
    executor: Any,
    progress: Callable[[int, int], None] | None,
) -> list[ValueEquivalence]:
    """Return the sets of each piece of the rows; into which pieces these are cut depends on their number alone."""
    step = grain(sum(len(part.places) for part in parts))
    pieces, sizes = [], []
    for group, part in enumerate(parts):
        index = part.agent.row_index
        for start in range(0, len(index), step):
            mask = np.zeros(part.agent.available.size, bool)
            mask[index[start : start + step]] = True
            pieces.append((group, mask.reshape(part.agent.available.shape)))
            sizes.append(int(mask.sum()))
    agents = [(part.agent, noise) for part, noise in zip(parts, noises, strict=True)]
    found = run_pieces(_make, _Shared(agents, kernel_class, make), pieces, executor, progress, sizes)
    # The values are here already: what comes back leaves them out.
    return [
        kind(replace(agents[group][0], asked=rows), kernel_class, agents[group][1], **own)
        for (group, rows), (kind, own) in zip(pieces, found, strict=True)
    ]


def _make(shared: _Shared, piece: tuple[int, BoolArray]) -> tuple[type[ValueEquivalence], dict[str, Any]]:
    agent, noise = shared.agents[piece[0]]
    sets = shared.make(replace(agent, asked=piece[1]), shared.kernel_class, noise)
    return type(sets), {each.name: getattr(sets, each.name) for each in fields(sets) if each.name not in _GIVEN}
