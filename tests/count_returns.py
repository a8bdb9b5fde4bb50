"""Count how often the way of one call comes back to a module that it had left: how straight the path is.

``python tests/count_returns.py`` prints the figure for `identify` and `invert` on a small agent. Each entry into a
module of the package is a step; a step into a module that an earlier step had entered, and that is not on the stack of
calls any more, is a return. Helpers of the ground floor (validation, typing, errors) are asked from everywhere and are
not counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

GROUND = ("tabular_inversion.errors", "tabular_inversion._typing", "tabular_inversion.validation")


def count_returns(call: Callable[[], Any]) -> int:
    """Return how often `call` enters a module of the package again after all its frames had been left.

    Examples
    --------
    >>> count_returns(lambda: None)
    0
    """
    active: list[str] = []
    left: set[str] = set()
    returns = 0

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal returns
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("tabular_inversion") or name.startswith(GROUND):
            return
        if event == "call":
            if name in left and name not in active:
                returns += 1
            active.append(name)
        elif event == "return" and name in active:
            active.reverse()
            active.remove(name)
            active.reverse()
            if name not in active:
                left.add(name)

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return returns


def main() -> None:
    """Print the figures."""
    from tabular_inversion import (
        Deterministic,
        Goals,
        Sparse,
        Stochastic,
        Supported,
        Unconstrained,
        identify,
        invert,
        solve,
    )
    from tabular_inversion.environments import random_mdp

    world = random_mdp(6, 2, branching=3, discount=0.9, seed=0)
    agent = solve(world, Goals.generic(6, 3, seed=1))
    for kernel_class in (Unconstrained(), Stochastic(), Supported.of(world), Sparse(3), Deterministic()):
        for ask in (identify, invert):
            ask(agent, kernel_class)  # what is computed once and kept is not part of the way
            figure = count_returns(lambda ask=ask, kernel_class=kernel_class: ask(agent, kernel_class))
            print(f"{ask.__name__:9} {kernel_class.name:14} {figure}")


if __name__ == "__main__":
    main()
