"""Checks certificates of smallest goal sets with plain integers: the set suffices, and no smaller one does."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction as Q
from math import ceil
from typing import Any

from tabular_inversion.checker.errors import need
from tabular_inversion.checker.verdicts import Equations, dot, read, solve


def smallest_set(c: dict[str, Any]) -> str:
    """Check that some goals suffice at uniform scope, and the bound from below on all sets with the given ones."""
    goals, given, every = c["goals"], c["given"], Equations(c)
    k = len(every.matrix) - every.given
    need(sorted(set(goals)) == goals and set(given) <= set(goals) <= set(range(k)), "goals: numbers, or given ones")
    enough = Equations(c, goals)
    for i in range(len(enough.rows)):
        proofs = c["proofs"]
        proved = any(p["kind"] == "search" or set(p["states"]) >= enough.allowed[i] for p in proofs)
        need(proved, f"proofs: none is about the next states of row {enough.rows[i]}")
    for proof in c["proofs"]:
        if proof["kind"] == "search":
            found = enough.status(proof, 0, False, {})
            need(found == "IDENTIFIED", "goals: two rows of the class have the same values")
        else:
            enough.independent(proof)
    cuts = [cut(every, read(vectors), k) for vectors in c["cuts"]]
    few = every.most
    floor = 2 * few - 1 if few is not None and every.n >= 2 * few + 1 else 0  # van Kampen and Flores (T5b)
    cuts.append((set(range(k)), floor))
    bound = len(given)
    if c["tree"] is not None:
        bound = max(bound, least(c["tree"], cuts, dict.fromkeys(given, 1), k))
    need(c["lower_bound"] <= bound, f"lower_bound: {bound} is proved, {c['lower_bound']} was stated")
    text = "no smaller set does" if bound >= len(goals) else f"at least {c['lower_bound']} are needed"
    return f"{len(goals)} goals suffice among {c['class']['name']} kernels, and {text}"


def cut(system: Equations, vectors: list[list[Q]], k: int) -> tuple[set[int], int]:
    """Return the goals that see any of these differences of rows: as many of them are needed as there are vectors."""
    need(all(len(v) == system.n and any(v) for v in vectors), "cuts: a vector has another length, or is zero")
    need(not system.given or not any(sum(v) for v in vectors), "cuts: a vector does not sum to zero")
    columns = [[*(v[s] for v in vectors), Q(0)] for s in range(system.n)]
    need(vectors and solve(columns) is not None, "cuts: the vectors depend on one another")
    used = {s for v in vectors for s, x in enumerate(v) if x}
    need(any(used <= allowed for allowed in system.allowed), "cuts: no two rows of the class differ by them")
    if system.most is not None:
        signs = [max(sum(x > 0 for x in v), sum(x < 0 for x in v)) for v in vectors]
        need(len(vectors) == 1 and max(signs) <= system.most, "cuts: rows of the class have fewer successors")
    return {g for g in range(k) if any(dot(system.matrix[g], v) for v in vectors)}, len(vectors)


def least(tree: dict[str, Any], cuts: Sequence[tuple[set[int], int]], state: dict[int, int], k: int) -> int:
    """Return the least size of a goal set that a tree of weights allows, exactly."""
    if "goal" in tree:
        goal = tree["goal"]
        need(goal in range(k) and goal not in state, "tree: it branches on a goal that is settled")
        branches = (("without", 0), ("chosen", 1))
        return min(least(tree[name], cuts, {**state, goal: value}, k) for name, value in branches)
    price, total = [Q(0)] * k, Q(0)
    for number, text in tree["weights"]:
        weight, (seen, needed) = Q(text), cuts[number]
        need(weight >= 0 and number >= 0, "tree: a weight is negative, or of no cut")
        total += weight * needed
        for goal in seen:
            price[goal] += weight
    # Any choice x has sum(price x) >= total; a goal adds at most max(price, 1) for each unit of size.
    fixed = sum((1 - price[goal] for goal, value in state.items() if value), Q(0))
    free = sum((max(price[goal] - 1, Q(0)) for goal in range(k) if goal not in state), Q(0))
    return ceil(total + fixed - free)
