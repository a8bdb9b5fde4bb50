"""Checks certificates of verdicts with plain integers; shares no code with what decides, and needs no library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction as Q
from itertools import combinations
from math import lcm
from operator import mul
from typing import Any

from tabular_inversion.checker.errors import need

ORDER = ("IDENTIFIED", "NOT_IDENTIFIED", "INCONSISTENT", "UNDECIDED")


def verdict(c: dict[str, Any]) -> str:
    """Check the status of every row of an agent's values, and say what is proved."""
    system, instance, found = Equations(c), c["scope"] == "instance", {}
    need(instance or c["scope"] == "uniform", "scope: neither instance nor uniform")
    for row in c["rows"]:
        i, status = system.rows.index((row["state"], row["action"])), row["status"]
        proved = status if status == "UNDECIDED" else system.status(c["proofs"][row["proof"]], i, instance, row)
        need(i not in found and proved == status, f"rows: state {row['state']}, action {row['action']} is {proved}")
        found[i] = status
    need(len(found) == len(system.rows), f"rows: {len(system.rows)} exist, {len(found)} are here")
    worst = max(found.values(), key=ORDER.index)
    need(c["status"] == worst, f"status: the rows are {worst}")
    counts = ", ".join(f"{list(found.values()).count(s)} {s}" for s in ORDER if s in found.values())
    return f"{worst} among {c['class']['name']} kernels, {c['scope']} scope: {counts} of {len(found)} rows"


def read(x: Any) -> Any:
    """Turn texts in nested lists into fractions."""
    return [read(y) for y in x] if isinstance(x, list) else None if x is None else Q(x)


def dot(first: Sequence[Any], second: Sequence[Any]) -> Any:
    """Multiply and add up."""
    return sum(map(mul, first, second))


class Equations:
    """M p = q, and 1.p = 1 for distributions, times common denominators; computed here from what the agent shows."""

    def __init__(self, c: dict[str, Any], goals: Sequence[int] | None = None) -> None:
        a, gamma, self.given = c["agent"], Q(c["agent"]["discount"]), c["class"]["name"] != "unconstrained"
        q, r, k, pi, rho = (read(a[name]) for name in ("q", "rewards", "continuation", "policy", "action_rewards"))
        free, self.checked, rows = a["available"], set[int](), []
        self.n, self.rows = len(free), [(s, x) for s, mask in enumerate(free) for x, on in enumerate(mask) if on]
        need(len(q) == len(r) == len(k) and all(0 <= x <= 1 for row in [[gamma], *k] for x in row), "agent: range")
        for g in range(len(q)) if goals is None else goals:
            own = pi[g] if pi is not None and isinstance(pi[0][0], list) else pi
            parts = [[(x, q[g][s][x]) for x, on in enumerate(mask) if on] for s, mask in enumerate(free)]
            chances = [(p, sum(p[x] for x, _ in part)) for p, part in zip(own or [], parts, strict=bool(own))]
            need(all(min(p) >= 0 and sum(p) == 1 == total for p, total in chances), "policy: no distribution")
            largest = [max(y for _, y in part) for part in parts]
            v = [sum(own[s][x] * y for x, y in part) for s, part in enumerate(parts)] if own else largest
            left = [r[g][s] + gamma * k[g][s] * v[s] for s in range(self.n)]
            line = left + [q[g][s][x] - (rho[g][s][x] if rho else 0) for s, x in self.rows]
            scale = lcm(*(x.denominator for x in line))
            rows.append([int(x * scale) for x in line])
        rows += [[1] * (self.n + len(self.rows))] * self.given
        self.matrix, self.columns = [row[: self.n] for row in rows], list(zip(*rows, strict=True))[: self.n]
        self.sides = list(zip(*rows, strict=True))[self.n :]
        kind, places = c["class"]["name"], c["class"]["support"] if c["class"]["name"] == "supported" else None
        self.allowed = [set(range(self.n)) if places is None else set(places[s][x]) for s, x in self.rows]
        few = dict.fromkeys(("unconstrained", "stochastic", "supported")) | {"sparse": c["class"].get("successors")}
        self.most: Any = (few | {"deterministic": 1})[kind]

    def independent(self, proof: dict[str, Any]) -> list[int]:
        """Check that columns are independent: L A = d I, in integers or modulo p (then det L A is not zero either)."""
        states, p, d = proof["states"], int(proof.get("modulus", 0)), int(proof["denominator"])
        if id(proof) not in self.checked:
            left, count = [[int(x) for x in y] for y in proof["matrix"]], len(self.matrix)
            need((d % p if p else d) and len(left) == len(set(states)) == len(states), "denominator, or states")
            columns = [[x % p for x in self.columns[s]] if p else self.columns[s] for s in states]
            for i, row in enumerate(left):
                unit = ((dot(row, column) - d * (i == j)) for j, column in enumerate(columns))
                need(len(row) == count and not any(x % p if p else x for x in unit), f"matrix: row {i} inverts nothing")
            self.checked.add(id(proof))
        return list(states)

    def member(self, weights: dict[str, str], i: int) -> tuple[dict[int, Q], list[Q]]:
        """Read a row of the class, and its values."""
        p = {int(s): Q(x) for s, x in weights.items() if Q(x)}
        need(set(p) <= self.allowed[i] and (not self.given or min(p.values()) > 0), "pair: not in the class")
        need(self.most is None or len(p) <= self.most, "pair: too many successors")
        d = lcm(*(x.denominator for x in p.values()))
        whole = [(s, int(x * d)) for s, x in p.items()]
        return p, [Q(sum(row[s] * x for s, x in whole), d) for row in self.matrix]

    def search(self, side: Sequence[int]) -> list[Any]:
        """Find the rows of few successors with these values, on independent columns."""
        if self.most == 1:
            return [s for s in range(self.n) if self.columns[s] == tuple(side)]
        sets = (t for size in range(1, self.most + 1) for t in combinations(range(self.n), size))
        solved = ((t, solve([[*(self.columns[s][g] for s in t), y] for g, y in enumerate(side)])) for t in sets)
        return list({tuple((s, x) for s, x in zip(t, p, strict=True) if x) for t, p in solved if p and min(p) >= 0})

    def circuits(self) -> Iterator[Any]:
        """Find minimal dependencies with few entries of either sign: two rows of few successors differ by one."""
        if self.most == 1:
            yield from [(True,)] * (len(set(self.columns)) < self.n)
            return
        for t in (t for size in range(2, 2 * self.most + 1) for t in combinations(range(self.n), size)):
            p = solve([[*(self.columns[s][g] for s in t[1:]), -self.columns[t[0]][g]] for g in range(len(self.matrix))])
            if p and all(p) and max(1 + sum(x > 0 for x in p), sum(x < 0 for x in p)) <= self.most:
                yield t

    def status(self, proof: dict[str, Any], i: int, instance: bool, row: dict[str, Any]) -> str:
        """Return what a proof proves of row i."""
        kind, side, allowed = proof["kind"], self.sides[i], self.allowed[i]
        if kind == "unique":
            states = self.independent(proof)
            if instance:
                p, values = self.member(row["member"], i)
                need(values == list(side) and set(p) <= set(states), "member: other values, or states")
            off, y = allowed - set(states), [int(x) for x in proof.get("dual", [])]
            need(not off or (instance and y), "states: a next state is missing")
            need(not off or not any(dot(y, self.columns[s]) for s in states), "dual: not zero on the face")
            need(all(len(y) == len(side) and dot(y, self.columns[s]) > 0 for s in off), "dual: not positive beyond")
            return "IDENTIFIED"
        if kind == "pair":
            (p, one), (o, two) = (self.member(proof[name], i) for name in ("first", "second"))
            need(p != o and one == two and (not instance or one == list(side)), "pair: equal rows, or other values")
            return "NOT_IDENTIFIED"
        if kind == "farkas":
            y = [int(x) for x in proof["dual"]]
            signs = [dot(y, self.columns[s]) for s in allowed]
            need(instance and len(y) == len(side) and dot(y, side) < 0, "dual: not below 0 on the values")
            need(min(signs) >= 0 and (self.given or not any(signs)), "dual: negative on a column")
            return "INCONSISTENT"
        need(kind == "search" and (self.most or 0) > 0, f"kind: {kind!r} proves nothing here")
        if instance:
            return ("INCONSISTENT", "IDENTIFIED", "NOT_IDENTIFIED")[min(2, len(self.search(side)))]
        return "NOT_IDENTIFIED" if any(self.circuits()) else "IDENTIFIED"


def solve(table: list[list[Any]]) -> list[Q] | None:
    """Return the only solution of equations, right-hand sides last; None if there is none, or another one."""
    rows, n = [[Q(x) for x in row] for row in table], len(table[0]) - 1
    for j in range(n):
        i = next((i for i in range(j, len(rows)) if rows[i][j]), None)
        if i is None:
            return None
        pivot = rows.pop(i)
        rows.insert(j, [x / pivot[j] for x in pivot])
        rows = [r if k == j else [x - r[j] * y for x, y in zip(r, rows[j], strict=True)] for k, r in enumerate(rows)]
    return None if any(row[n] for row in rows[n:]) else [row[n] for row in rows[:n]]
