"""Checks certificates of exceptional discounts with plain integers: at the root of a polynomial, columns depend."""

from __future__ import annotations

from fractions import Fraction as Q
from typing import Any

from tabular_inversion.checker.errors import need
from tabular_inversion.checker.verdicts import read

Poly = list[Q]


class Field:
    """Numbers as polynomials in a root of m, which lies between two fractions."""

    def __init__(self, coefficients: list[Q], lower: Q, upper: Q) -> None:
        self.m, self.lower, self.upper = coefficients, lower, upper
        need(len(self.m) > 1 and self.m[-1], "polynomial: it has no root")
        ends = [self.at(self.m, x) for x in (lower, upper)]
        exact = lower == upper and not ends[0]
        need(0 <= lower <= upper <= 1 and (exact or ends[0] * ends[1] < 0), "interval: it holds no root")

    @staticmethod
    def at(p: Poly, x: Q) -> Q:
        """Evaluate."""
        value = Q(0)
        for coefficient in reversed(p):
            value = value * x + coefficient
        return value

    def reduce(self, p: Poly) -> Poly:
        """Divide by m, and return the rest, without leading zeros."""
        p = list(p)
        while len(p) >= len(self.m):
            factor, shift = p[-1] / self.m[-1], len(p) - len(self.m)
            for i, x in enumerate(self.m):
                p[shift + i] -= factor * x
            p.pop()
        while p and not p[-1]:
            p.pop()
        return p

    def product(self, a: Poly, b: Poly) -> Poly:
        """Multiply."""
        found = [Q(0)] * (len(a) + len(b))
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                found[i + j] += x * y
        return self.reduce(found)

    def combination(self, weights: list[Q], terms: list[Poly], start: Q = Q(0)) -> Poly:
        """Add up terms times numbers, and a number."""
        found = [start] + [Q(0)] * max((len(p) for p in terms), default=0)
        for weight, p in zip(weights, terms, strict=True):
            for i, x in enumerate(p):
                found[i] += weight * x
        return self.reduce(found)

    def is_nonnegative(self, p: Poly) -> bool:
        """Tell the sign at the root, by halving the interval until it is clear."""
        for _ in range(400):
            if not p or self.lower == self.upper:
                return not p or self.at(p, self.lower) >= 0
            low, high, a, b = Q(0), Q(0), Q(1), Q(1)
            for x in p:  # powers of a number in [lower, upper] within [0, 1]
                low, high = low + min(x * a, x * b), high + max(x * a, x * b)
                a, b = a * self.lower, b * self.upper
            if low >= 0 or high < 0:
                return low >= 0
            middle = (self.lower + self.upper) / 2
            sign = self.at(self.m, middle)
            if not sign:
                self.lower = self.upper = middle
            elif (sign > 0) == (self.at(self.m, self.lower) > 0):
                self.lower = middle
            else:
                self.upper = middle
        return False


def exceptional_discount(c: dict[str, Any]) -> str:
    """Check that M solves the agents' Bellman equations at the root, and that a vector shows its columns dependent."""
    root = Field(read(c["polynomial"]), *(Q(x) for x in c["interval"]))
    w, kernel, chosen = c["world"], read(c["world"]["kernel"]), read(c["policy"])
    rewards, ends, rho = (read(w[name]) for name in ("rewards", "continuation", "action_rewards"))
    n, test = len(kernel), [[root.reduce(p) for p in row] for row in read(c["test_functions"])]
    need(len(test) == len(rewards) and all(len(row) == n for row in test), "test_functions: shape")
    for g, row in enumerate(test):
        policy = chosen[g] if isinstance(chosen[0][0], list) else chosen
        for s in range(n):
            open_ = [a for a, on in enumerate(w["available"][s]) if on]
            need(all(sum(kernel[s][a]) == 1 and min(kernel[s][a]) >= 0 for a in open_), "kernel: no distribution")
            total = sum(policy[s][a] for a in open_)
            need(total == sum(policy[s]) == 1 and min(policy[s]) >= 0, "policy: no distribution")
            q = {a: root.combination(kernel[s][a], row, rho[g][s][a] if rho else Q(0)) for a in open_}
            v = root.combination([policy[s][a] for a in open_], [q[a] for a in open_])
            value = root.combination([ends[g][s]], [root.product([Q(0), Q(1)], v)], rewards[g][s])
            need(value == row[s], f"test_functions: goal {g}, state {s} is not r + gamma C V")
            gains = [root.combination([Q(1), Q(-1)], [v, q[a]]) for a in open_]
            best = not c["optimal"] or all(map(root.is_nonnegative, gains))
            need(best, f"policy: not optimal for goal {g} in state {s}")
    vector = [root.reduce(p) for p in read(c["vector"])]
    need(len(vector) == n and [Q(1)] in vector, "vector: expected one entry that is 1")
    for g, row in enumerate([*test, [[Q(1)]] * n] if c["with_ones"] else test):
        total = root.combination([Q(1)] * n, [root.product(p, v) for p, v in zip(row, vector, strict=True)])
        need(not total, f"vector: goal {g} sees it")
    what = "[M;1]" if c["with_ones"] else "M"
    return f"at a root of the polynomial in [{root.lower}, {root.upper}] the columns of {what} are dependent"
