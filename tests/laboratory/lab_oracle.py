"""What the package answers on drawn instances: the cases against which the laboratory's JavaScript core is compared."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proofs_checks import instances, statements
from proofs_checks.instance import Instance
from proofs_checks.statement import Statement
from tabular_inversion import exact, identify
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.identifiability import Status
from tabular_inversion.kernel_classes import parse_kernel_class

STORED = Path(__file__).parent / "cases.jsonl.gz"

CLASSES = ("unconstrained", "stochastic", "supported", "sparse:1", "sparse:2", "deterministic")
SCOPES = ("instance", "uniform")
GAMMAS = tuple(Fraction(x) for x in ("0", "1/3", "1/2", "9/10", "99/100"))
DRAWN = {
    "L1": 3,
    "T1": 3,
    "T2b": 3,
    "T3d": 3,
    "P1": 3,
    "S1": 4,
    "S2": 3,
    "S3": 2,
    "G1": 5,
    "G2": 5,
    "X1": 5,
    "X3": 5,
    "PA": 3,
}
"""How large an instance is drawn, for statements where 4 would take long or say little."""


def small_world(rng: np.random.Generator) -> Instance:
    """Draw a world with ties, masks, states without rewards, discount 0, and agents of all three kinds."""
    n, m, k = (int(rng.integers(low, high)) for low, high in ((2, 6), (1, 3), (1, 6)))
    weights = rng.integers(0, 3, (n, m, n)) * (rng.random((n, m, n)) < rng.choice([0.3, 1.0]))
    np.put_along_axis(weights, rng.integers(0, n, (n, m, 1)), 1, axis=2)
    if rng.random() < 0.3:
        weights = (weights == weights.max(axis=2, keepdims=True)).cumsum(axis=2) == 1
    available = rng.random((n, m)) < 0.8
    available[range(n), rng.integers(0, m, n)] = True
    kernel = instances.fractions_of(weights.astype(int))
    kernel[~available] = Fraction(0)
    world = ExactMDP(kernel, GAMMAS[rng.integers(len(GAMMAS))], available)
    rewards = instances.generic_rewards(rng, k, n) if rng.random() < 0.3 else rng.integers(-1, 3, (k, n))
    ends = exact.fraction_array(rng.integers(0, 3, (k, n))) / 2 if rng.random() < 0.5 else None
    own = (None, (n, m), (k, n, m))[rng.integers(3)]
    policy = None
    if own is not None:
        drawn = rng.integers(0, 4, own) * available
        drawn[..., range(n), available.argmax(axis=1)] += 1
        policy = instances.fractions_of(drawn)
    return Instance(world, ExactGoals(rewards, ends), policy)


def verdict_cases(rng: np.random.Generator, n_worlds: int) -> Iterator[dict[str, Any]]:
    """Yield worlds with the answers of `identify` in every class and both scopes."""
    for _ in range(n_worlds):
        instance = small_world(rng)
        yield {"instance": instance.to_dict(), "answers": [answer(instance, c, s) for c in CLASSES for s in SCOPES]}


def answer(instance: Instance, kernel_class: str, scope: str) -> dict[str, Any]:
    """Return status, statuses of rows, and ranks."""
    found = identify(
        instance.agent,
        parse_kernel_class(kernel_class, instance.world.to_float()),
        scope=scope,  # type: ignore[arg-type]
    )
    rows = [Status(int(x)).name for x in found.row_status[instance.world.available]]
    ranks = {"M": exact.rank(instance.agent.test_matrix).rank, "ones": exact.rank(instance.system).rank}
    return {"class": kernel_class, "scope": scope, "status": found.status.name, "rows": rows, "ranks": ranks}


def lamp_cases(rng: np.random.Generator, n_drawn: int, n_changed: int) -> Iterator[dict[str, Any]]:
    """Yield instances of every statement with its lamps and conclusion: drawn, stored, and changed ones."""
    for statement in statements():
        stored = [c.instance() for c in statement.counterexamples if c.instance is not None]
        drawn = [statement.draw(rng, DRAWN.get(statement.id, 4)) for _ in range(n_drawn)]
        starts = [*stored, *drawn[:3]]
        changed = [change(rng, starts[rng.integers(len(starts))]) for _ in range(n_changed)]
        for instance in (*stored, *drawn, *changed):
            if small_enough(statement, instance):
                case = lamp_case(statement, instance)
                if case is not None:
                    yield case


def small_enough(statement: Statement, instance: Instance) -> bool:
    """Leave out what takes seconds here: products over all worlds, and polynomials of larger worlds."""
    rows = len(instance.world.row_index)
    if statement.id == "G4" and instance.kernel_class not in {"stochastic", "supported"}:
        return False  # its smallest set is that of the class, of which the statement does not speak
    if statement.id == "CX" and instance.world.n_states > 7:
        return False
    return not (statement.id == "S3" and rows > 4) and not (statement.id in {"T3c", "X2"} and rows > 20)


def lamp_case(statement: Statement, instance: Instance | None) -> dict[str, Any] | None:
    """Return what the predicates and the conclusion say; None where the package refuses the instance."""
    if instance is None:
        return None
    try:
        lamps = [bool(h.holds(instance)) for h in statement.hypotheses]
        holds = bool(statement.conclude(instance).holds)
    except (TabularInversionError, ValueError, IndexError, TypeError, KeyError):
        return None  # a policy with another shape, say, that the statement cannot speak of
    return {"id": statement.id, "instance": instance.to_dict(), "lamps": lamps, "holds": holds}


def change(rng: np.random.Generator, given: Instance) -> Instance | None:
    """Change one thing, or two: a row, rewards, ends, the policy, the discount, or the class."""
    instance = given
    for _ in range(int(rng.integers(1, 3))):
        name = rng.choice(["row", "reward", "end", "policy", "discount", "class", "same rewards"])
        instance = CHANGES[str(name)](rng, instance)
    return instance


def _row(rng: np.random.Generator, i: Instance) -> Instance:
    kernel, n = np.array(i.world.kernel), i.world.n_states
    s, a = np.argwhere(i.world.available)[rng.integers(i.world.available.sum())]
    weights = rng.integers(0, 3, n) * int(rng.integers(2))
    weights[rng.integers(n)] += 1
    kernel[s, a] = instances.fractions_of(weights)
    return replace(i, world=ExactMDP(kernel, i.world.discount, i.world.available))


def _reward(rng: np.random.Generator, i: Instance) -> Instance:
    rewards = np.array(i.goals.rewards)
    rewards[rng.integers(len(rewards)), rng.integers(rewards.shape[1])] = Fraction(int(rng.integers(-1, 3)))
    return replace(i, goals=ExactGoals(rewards, i.goals.continuation, i.goals.action_rewards))


def _same_rewards(rng: np.random.Generator, i: Instance) -> Instance:
    rewards = np.array(i.goals.rewards)
    first, second = rng.integers(rewards.shape[1], size=2)
    rewards[:, first] = rewards[:, second]
    return replace(i, goals=ExactGoals(rewards, i.goals.continuation, i.goals.action_rewards))


def _end(rng: np.random.Generator, i: Instance) -> Instance:
    ends = np.array(i.goals.continuation)
    ends[rng.integers(len(ends)), rng.integers(ends.shape[1])] = Fraction(int(rng.integers(3)), 2)
    return replace(i, goals=ExactGoals(i.goals.rewards, ends, i.goals.action_rewards))


def _policy(rng: np.random.Generator, i: Instance) -> Instance:
    own = (i.world.available.shape, (i.goals.n_goals, *i.world.available.shape))[rng.integers(2)]
    weights = (rng.integers(0, 3, own) + 1) * i.world.available
    return replace(i, policy=None if rng.random() < 0.4 else instances.fractions_of(weights))


def _discount(rng: np.random.Generator, i: Instance) -> Instance:
    world = ExactMDP(i.world.kernel, GAMMAS[rng.integers(4)], i.world.available)
    return replace(i, world=world)


def _class(rng: np.random.Generator, i: Instance) -> Instance:
    return replace(i, kernel_class=str(rng.choice(CLASSES)))


CHANGES = {
    "row": _row, "reward": _reward, "end": _end, "policy": _policy, "discount": _discount, "class": _class,
    "same rewards": _same_rewards,
}  # fmt: skip


def write_cases(file: Path) -> None:
    """Write the stored cases: run this file after a change of a statement's hypotheses or conclusion."""
    rng = np.random.default_rng(1)
    cases = [*verdict_cases(rng, 115), *lamp_cases(rng, 8, 20)]
    text = "".join(json.dumps(case) + "\n" for case in cases)
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    write_cases(STORED)
