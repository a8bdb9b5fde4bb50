"""Checks certificates of smallest goal sets with plain integers: the set suffices, and no smaller one does."""

from __future__ import annotations

from fractions import Fraction as Q
from math import ceil

from tabular_inversion.checker.errors import need
from tabular_inversion.checker.verdicts import Equations, Named, dot, read


def smallest_set(c: Named) -> str:
    """Check that some goals suffice at uniform scope, and the bound from below on all sets with the given ones."""
    goals, given, every = c["goals"], c["given"], Equations(c)
    need(sorted(set(goals)) == goals and set(given) <= set(goals) <= set(range(every.k)), "goals: the numbers of some")
    need({*Equations(c, goals).claims(c, False).values()} == {"IDENTIFIED"}, "goals: they do not suffice")
    floor = 2 * every.most - 1 if every.n > 2 * every.most else 0  # van Kampen and Flores (T5b)
    cuts = [*(cut(every, read(vectors)) for vectors in c["cuts"]), (set(range(every.k)), floor)]
    bound = max(len(given), 0 if c["tree"] is None else least(c["tree"], cuts, dict.fromkeys(given, 1), every.k))
    need(c["lower_bound"] <= bound, f"lower_bound: {bound} is proved, {c['lower_bound']} was stated")
    text = "no smaller set does" if bound >= len(goals) else f"at least {c['lower_bound']} are needed"
    return f"{len(goals)} goals suffice among {c['class']['name']} kernels, and {text}"


def least(tree: Named, cuts: list[tuple[set[int], int]], settled: dict[int, int], k: int) -> int:
    """Return the size that a tree of weights on cuts shows that no choice of goals falls below."""
    if "goal" in tree:
        need(tree["goal"] in range(k) and tree["goal"] not in settled, "tree: it branches on a goal that is settled")
        return min(least(tree[x], cuts, {**settled, tree["goal"]: j}, k) for j, x in enumerate(("without", "chosen")))
    need(all(number >= 0 <= Q(x) for number, x in tree["weights"]), "tree: a weight is negative, or of no cut")
    weights = [(Q(weight), *cuts[number]) for number, weight in tree["weights"]]
    price = [sum((weight for weight, seen, _ in weights if goal in seen), Q(0)) for goal in range(k)]
    total = sum((weight * needed for weight, _, needed in weights), Q(0))
    # Any choice x has sum(price x) >= total; a goal adds at most max(price, 1) for each unit of size.
    fixed = sum((1 - price[goal] for goal, chosen in settled.items() if chosen), Q(0))
    free = sum((max(price[goal] - 1, Q(0)) for goal in range(k) if goal not in settled), Q(0))
    return ceil(total + fixed - free)


def cut(system: Equations, vectors: list[list[Q]]) -> tuple[set[int], int]:
    """Return the goals that see any of these differences of rows: as many are needed as there are vectors."""
    used = [{s for s, x in enumerate(v) if x} for v in vectors]
    need(all(len(v) == system.n for v in vectors), "cuts: a vector has another length")
    need(len(set(map(max, used))) == len(vectors), "cuts: the last states of the vectors are not different")
    need(not system.given or not any(map(sum, vectors)), "cuts: a vector does not sum to zero")
    few = all(max(sum(x > 0 for x in v), sum(x < 0 for x in v)) <= system.most for v in vectors)
    need(few and (system.most == system.n or len(vectors) == 1), "cuts: rows of the class have fewer successors")
    need(
        any(set().union(*used) <= allowed for allowed in system.allowed),
        "cuts: no two rows of the class differ by them",
    )
    sees = [[dot(v, [column[g] for column in system.columns]) for v in vectors] for g in range(system.k)]
    return {g for g in range(system.k) if any(sees[g])}, len(vectors)
