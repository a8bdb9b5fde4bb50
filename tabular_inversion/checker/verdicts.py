"""Checks certificates of verdicts with plain integers; shares no code with what decides, and needs no library."""

from __future__ import annotations

from fractions import Fraction as Q
from math import lcm
from operator import mul
from typing import Any

from tabular_inversion.checker.errors import need

ORDER = ("IDENTIFIED", "NOT_IDENTIFIED", "INCONSISTENT", "UNDECIDED")
Named = dict[str, Any]


def verdict(c: Named) -> str:
    """Check the status of every row of an agent's values."""
    need(c["scope"] in ("instance", "uniform"), "scope: neither instance nor uniform")
    found = list(Equations(c).claims(c, c["scope"] == "instance").values())
    worst = max(found, key=ORDER.index)
    need(c["status"] == worst, f"status: the rows are {worst}")
    counts = ", ".join(f"{found.count(s)} {s}" for s in ORDER if s in found)
    return f"{worst} among {c['class']['name']} kernels, {c['scope']} scope: {counts} of {len(found)} rows"


def read(x: Any) -> Any:
    """Turn texts in nested lists into fractions."""
    return [read(y) for y in x] if isinstance(x, list) else None if x is None else Q(x)


def dot(first: Any, second: Any) -> Any:
    """Multiply and add up."""
    need(len(first) == len(second), "a row, policy or functional has another length")
    return sum(map(mul, first, second))


class Equations:
    """M p = q, and 1.p = 1 for distributions, times common denominators; computed here from what the agent shows."""

    def __init__(self, c: Named, goals: list[int] | None = None) -> None:
        a, gamma, kind = c["agent"], Q(c["agent"]["discount"]), c["class"]["name"]
        q, r, k, pi, rho = (read(a[part]) for part in ("q", "rewards", "continuation", "policy", "action_rewards"))
        acts = [[x for x, on in enumerate(mask) if on] for mask in a["available"]]
        self.rows = [(s, x) for s, xs in enumerate(acts) for x in xs]
        self.given, self.n, self.k, lines = kind != "unconstrained", len(acts), len(q if goals is None else goals), []
        need(len(q) == len(r) == len(k) and all(0 <= x <= 1 for row in [[gamma], *k] for x in row), "agent: range")
        for g in range(len(q)) if goals is None else goals:
            own = pi[g] if pi and isinstance(pi[0][0], list) else pi
            for s, xs in enumerate(acts if own else ()):
                need(min(own[s]) >= 0 and sum(own[s]) == 1 == sum(own[s][x] for x in xs), "policy: no distribution")
            parts = [[q[g][s][x] for x in xs] for s, xs in enumerate(acts)]
            v = [dot([own[s][x] for x in acts[s]], part) if own else max(part) for s, part in enumerate(parts)]
            line = [r[g][s] + gamma * k[g][s] * v[s] for s in range(self.n)]
            line += [q[g][s][x] - (rho[g][s][x] if rho else 0) for s, x in self.rows]
            scale = lcm(*(x.denominator for x in line))
            lines.append([x.numerator * (scale // x.denominator) for x in line])
        table = list(zip(*lines, *[[1] * (self.n + len(self.rows))] * self.given, strict=True))
        self.columns, self.sides, self.checked, every = table[: self.n], table[self.n :], set[int](), set(range(self.n))
        few = {"deterministic": 1, "sparse": c["class"].get("successors")}
        self.most = (few | dict.fromkeys(("unconstrained", "stochastic", "supported"), self.n))[kind]
        self.allowed = [set(c["class"]["support"][s][x]) if kind == "supported" else every for s, x in self.rows]
        need(set().union(*self.allowed) <= every, "class: a state of its support does not exist")

    def independent(self, proof: Named) -> set[int]:
        """Check that columns are independent: L A = d I, in integers or modulo p (then det L A is not zero either)."""
        states, p, d = proof["states"], int(proof.get("modulus", 0)), int(proof["denominator"])
        if id(proof) not in self.checked:
            left = [[int(x) for x in y] for y in proof["matrix"]]
            need((d % p if p else d) and len(left) == len(set(states)) == len(states), "denominator, or states")
            columns = [[x % p for x in self.columns[s]] if p else self.columns[s] for s in states]
            for i, row in enumerate(left):
                unit = (dot(row, column) - d * (i == j) for j, column in enumerate(columns))
                need(not any(x % p if p else x for x in unit), f"matrix: row {i} inverts nothing")
            self.checked.add(id(proof))
        return set(states)

    def member(self, weights: dict[str, str], i: int) -> tuple[dict[int, Q], list[Q]]:
        """Read a row of the class, and its values."""
        p = {int(s): Q(x) for s, x in weights.items() if Q(x)}
        need(set(p) <= self.allowed[i] and len(p) <= self.most, "a row of the class leads elsewhere")
        need(not self.given or (min(p.values()) > 0 and sum(p.values()) == 1), "a row of the class is no distribution")
        d = lcm(*(x.denominator for x in p.values()))
        whole = [(self.columns[s], int(x * d)) for s, x in p.items()]
        return p, [Q(sum(column[g] * x for column, x in whole), d) for g in range(self.k + self.given)]

    def status(self, proof: Named, i: int, instance: bool, row: Named) -> str:
        """Return what a proof shows of row i."""
        side, states = self.sides[i], self.allowed[i]
        if proof["kind"] == "pair":
            (p, one), (o, two) = (self.member(proof[name], i) for name in ("first", "second"))
            need(p != o and one == two and (not instance or one == list(side)), "pair: equal rows, or other values")
            return "NOT_IDENTIFIED"
        if not instance:
            self.search(proof, self.no_difference, [states, states], [set(), set()])
            return "IDENTIFIED"
        known, values = self.member(row["member"], i) if "member" in row else (None, list(side))
        need(values == list(side), "member: other values")
        self.search(proof, lambda *leaf: self.no_row_but(known, side, *leaf), [states], [set()])
        return "INCONSISTENT" if known is None else "IDENTIFIED"

    def search(self, proof: Named, leaf: Any, within: list[set[int]], reached: list[set[int]]) -> Any:
        """Follow a tree: a row, or a part of a difference of rows (0 positive, 1 negative), reaches a state or not."""
        if proof["kind"] != "branch":
            return leaf(proof, *within)
        s, part = proof["state"], proof["part"]
        need(s in range(self.n) and part in range(len(within)), "branch: it has no such state, or part")
        self.search(proof["without"], leaf, [x - {s} if j == part else x for j, x in enumerate(within)], reached)
        reached = [x | {s} if j == part else x for j, x in enumerate(reached)]
        left = [x if j == part else x - {s} for j, x in enumerate(within)]
        left[part] = reached[part] if len(reached[part]) >= self.most else left[part]
        return self.search(proof["with"], leaf, left, reached)

    def no_row_but(self, p: Any, side: Any, proof: Named, within: set[int]) -> None:
        """Check that no row within states has these values, or none but p."""
        y, kind = [int(x) for x in proof.get("dual", [])], proof["kind"]
        face = self.independent(proof) if kind == "unique" else set()
        if kind == "columns":
            within = {s for s in within if self.columns[s] == side} - set(p or ())
            need(self.given and self.most == 1 and not within, "columns: another one is equal to the values")
        elif kind == "unique":
            need(p is not None and set(p) <= face, "unique: the row leads elsewhere")
            need(within <= face or (self.given and y), "unique: a next state is missing")
        else:
            need(kind == "farkas" and dot(y, side) < 0, "dual: not below 0 on the values")
        signs = [dot(y, self.columns[s]) for s in within - face]
        need(not y or not any(dot(y, self.columns[s]) for s in face), "dual: not zero on the face")
        need(all(x > 0 if face else x >= 0 if self.given else not x for x in signs), "dual: its sign on a column")

    def no_difference(self, proof: Named, positive: set[int], negative: set[int]) -> None:
        """Check that no two rows with the same values differ by a vector with such signs."""
        y, kind = [int(x) for x in proof.get("dual", [])], proof["kind"]
        if kind == "unique":
            need(positive | negative <= self.independent(proof), "unique: a next state is missing")
        elif kind == "columns":
            need(self.given and self.most == 1 and len(set(self.columns)) == self.n, "columns: two are equal")
        else:
            need(kind == "apart" and self.given, f"kind: {kind!r} proves nothing here")
            need(all(dot(y, self.columns[s]) > 0 for s in positive), "dual: not above 0 on a column")
            need(all(dot(y, self.columns[s]) <= 0 for s in negative), "dual: above 0 on a column")

    def claims(self, c: Named, instance: bool) -> dict[int, str]:
        """Check what is said of each row."""
        found: dict[int, str] = {}
        for row in c["rows"]:
            i, status = self.rows.index((row["state"], row["action"])), row["status"]
            shown = status if status == "UNDECIDED" else self.status(c["proofs"][row["proof"]], i, instance, row)
            need(i not in found and shown == status, f"rows: state {row['state']}, action {row['action']} is {shown}")
            found[i] = status
        need(len(found) == len(self.rows), f"rows: {len(self.rows)} exist, {len(found)} are here")
        return found
