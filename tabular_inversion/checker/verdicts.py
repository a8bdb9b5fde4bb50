"""Checks certificates of verdicts with plain integers; shares no code with what decides, and needs no library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction as Q
from itertools import combinations
from math import lcm
from operator import mul
from typing import Any

ORDER = ("IDENTIFIED", "NOT_IDENTIFIED", "INCONSISTENT", "UNDECIDED")


class CertificateError(ValueError):
    """What does not hold, in one line."""


def verdict(c: dict[str, Any]) -> str:
    """Check the status of every row of an agent's values, and say what is proved."""
    system, instance, found = Equations(c), c["scope"] == "instance", {}
    need(instance or c["scope"] == "uniform", "scope: neither instance nor uniform")
    for row in c["rows"]:
        i, status = system.rows.index((row["state"], row["action"])), row["status"]
        proved = status if status == "UNDECIDED" else system.status(c["proofs"][row["proof"]], i, instance)
        need(i not in found and proved == status, f"rows: state {row['state']}, action {row['action']} is {proved}")
        found[i] = status
    need(len(found) == len(system.rows), f"rows: {len(system.rows)} exist, {len(found)} are here")
    worst = max(found.values(), key=ORDER.index)
    need(c["status"] == worst, f"status: the rows are {worst}")
    counts = ", ".join(f"{list(found.values()).count(s)} {s}" for s in ORDER if s in found.values())
    return f"{c['status']} among {c['class']['name']} kernels, {c['scope']} scope: {counts} of {len(found)} rows"


def need(holds: object, what: str) -> None:
    """Raise unless it holds."""
    if not holds:
        raise CertificateError(what)


def read(x: Any) -> Any:
    """Turn texts in nested lists into fractions."""
    return [read(y) for y in x] if isinstance(x, list) else None if x is None else Q(x)


def dot(first: Sequence[Any], second: Sequence[Any]) -> Any:
    """Multiply entry by entry, and add up."""
    return sum(map(mul, first, second))


class Equations:
    """M p = q, and 1.p = 1 for distributions, times common denominators; computed here from what the agent shows."""

    def __init__(self, c: dict[str, Any], goals: Sequence[int] | None = None) -> None:
        a, gamma, self.given = c["agent"], Q(c["agent"]["discount"]), c["class"]["name"] != "unconstrained"
        q, r, k, pi, rho = (read(a[name]) for name in ("q", "rewards", "continuation", "policy", "action_rewards"))
        free, self.checked, rows = a["available"], {}, []
        self.n, self.rows = len(free), [(s, x) for s, mask in enumerate(free) for x, on in enumerate(mask) if on]
        need(0 <= gamma <= 1 and len(q) == len(r) == len(k), "agent: discount, or the number of goals")
        for g in range(len(q)) if goals is None else goals:
            own = pi[g] if pi is not None and isinstance(pi[0][0], list) else pi
            need(own is None or all(sum(p) == 1 and min(p) >= 0 for p in own), "policy: no distribution")
            shown = [{x: q[g][s][x] for t, x in self.rows if t == s} for s in range(self.n)]
            v = [max(o.values()) if own is None else sum(own[s][x] * y for x, y in o.items()) for s, o in enumerate(shown)]
            left = [r[g][s] + gamma * k[g][s] * v[s] for s in range(self.n)]
            line = left + [q[g][s][x] - (rho[g][s][x] if rho else 0) for s, x in self.rows]
            scale = lcm(*(x.denominator for x in line))
            rows.append([int(x * scale) for x in line])
        rows += [[1] * (self.n + len(self.rows))] * self.given
        self.matrix, self.columns = [row[: self.n] for row in rows], list(zip(*rows, strict=True))[: self.n]
        self.sides = list(zip(*rows, strict=True))[self.n :]
        places = c["class"].get("support")
        self.allowed = [set(range(self.n)) if places is None else set(places[s][x]) for s, x in self.rows]
        self.most = {"deterministic": 1, "sparse": c["class"].get("successors")}.get(c["class"]["name"])

    def inverse(self, proof: dict[str, Any]) -> tuple[list[int], int, list[list[int]]]:
        """Check that columns are independent, by a left inverse with a common denominator."""
        if id(proof) not in self.checked:
            states, d, left = proof["states"], int(proof["denominator"]), [[int(x) for x in y] for y in proof["matrix"]]
            need(d and len(states) == len(left) and all(len(row) == len(self.matrix) for row in left), "matrix: shape")
            for i, row in enumerate(left):
                unit = all(dot(row, self.columns[s]) == d * (i == j) for j, s in enumerate(states))
                need(unit, f"matrix: row {i} is not one of a left inverse")
            self.checked[id(proof)] = states, d, left
        return self.checked[id(proof)]

    def member(self, weights: dict[str, str], i: int) -> tuple[dict[int, Q], list[Q]]:
        """Read a row of the class, and its values."""
        p = {int(s): Q(x) for s, x in weights.items() if Q(x)}
        need(set(p) <= self.allowed[i] and (not self.given or min(p.values()) > 0), "pair: not in the class")
        need(self.most is None or len(p) <= self.most, "pair: too many successors")
        return p, [sum(row[s] * x for s, x in p.items()) for row in self.matrix]

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

    def status(self, proof: dict[str, Any], i: int, instance: bool) -> str:
        """Return what a proof proves of row i."""
        kind, side, allowed = proof["kind"], self.sides[i], self.allowed[i]
        if kind == "unique":
            states, d, left = self.inverse(proof)
            if instance:
                p = [dot(row, side) for row in left]
                right = all(dot([row[s] for s in states], p) == d * y for row, y in zip(self.matrix, side, strict=True))
                need(right and (not self.given or all(x * d >= 0 for x in p)), "states: no row on them has the values")
                need(all(s in allowed for s, x in zip(states, p, strict=True) if x), "states: not in the class")
            off, y = allowed - set(states), [int(x) for x in proof.get("dual", [])]
            need(not off or instance, "states: a next state is missing")
            need(not off or all(dot(y, self.columns[s]) == 0 for s in states), "dual: not zero on the face")
            need(all(len(y) == len(side) and dot(y, self.columns[s]) > 0 for s in off), "dual: not positive off the face")
            return "IDENTIFIED"
        if kind == "pair":
            (p, one), (o, two) = (self.member(proof[name], i) for name in ("first", "second"))
            need(p != o and one == two and (not instance or one == list(side)), "pair: equal rows, or other values")
            return "NOT_IDENTIFIED"
        if kind == "farkas":
            y, signs = proof["dual"], [dot([int(x) for x in proof["dual"]], self.columns[s]) for s in allowed]
            need(instance and len(y) == len(side) and dot([int(x) for x in y], side) < 0, "dual: not below 0 on values")
            need(min(signs) >= 0 and (self.given or not any(signs)), "dual: negative on a column")
            return "INCONSISTENT"
        need(kind == "search" and self.most is not None, f"kind: {kind!r} proves nothing here")
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
        rows[j], rows[i] = [x / rows[i][j] for x in rows[i]], rows[j]
        rows = [r if k == j else [x - r[j] * y for x, y in zip(r, rows[j], strict=True)] for k, r in enumerate(rows)]
    return None if any(row[n] for row in rows[n:]) else [row[n] for row in rows[:n]]
