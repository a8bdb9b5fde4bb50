"""Checks certificates of exceptional discounts with plain integers: at the root of a polynomial, columns depend."""

from __future__ import annotations

from fractions import Fraction as Q
from typing import Any

from tabular_inversion.checker.errors import need
from tabular_inversion.checker.verdicts import read


def exceptional_discount(c: dict[str, Any]) -> str:
    """Check that M solves the agents' Bellman equations at the root, and that a vector shows its columns dependent."""
    m, (low, high), w, chosen = read(c["polynomial"]), read(c["interval"]), c["world"], read(c["policy"])
    kernel, rewards, ends, rho = (read(w[name]) for name in ("kernel", "rewards", "continuation", "action_rewards"))
    at = [sum(a * x**i for i, a in enumerate(m)) for x in (low, high)]
    need(len(m) > 1 and m[-1] and 0 <= low <= high < 1 and at[0] * at[1] <= 0, "interval: it holds no root")

    def rest(*terms: Any) -> list[Q]:
        """Add up products of polynomials, and return the rest on division by m."""
        p = [Q(0)] * max(len(m), *(len(a) + len(b) for a, b in terms))
        for a, b in terms:
            for i, j in ((i, j) for i in range(len(a)) for j in range(len(b))):
                p[i + j] += a[i] * b[j]
        while len(p) >= len(m):
            factor = p.pop() / m[-1]
            first = len(p) - len(m) + 1
            p[first:] = [x - factor * y for x, y in zip(p[first:], m[:-1], strict=True)]
        return p

    test, vector = [[rest(([1], p)) for p in row] for row in read(c["test_functions"])], read(c["vector"])
    need(len(test) == len(rewards) and all(len(row) == len(kernel) for row in test), "test_functions: shape")
    for g, row in enumerate(test):
        policy = chosen[g] if isinstance(chosen[0][0], list) else chosen
        need(len(policy) == len(kernel), "policy: shape")
        for s, probabilities in enumerate(policy):
            acts = [a for a, on in enumerate(w["available"][s]) if on]
            need(all(sum(kernel[s][a]) == 1 and min(kernel[s][a]) >= 0 for a in acts), "kernel: no distribution")
            total = sum(probabilities[a] for a in acts)
            need(total == sum(probabilities) == 1 and min(probabilities) >= 0, "policy: no distribution")
            paid = rho[g][s] if rho else [0] * len(probabilities)
            q = {a: rest(([paid[a]], [1]), *zip([[x] for x in kernel[s][a]], row, strict=True)) for a in acts}
            v = rest(*(([probabilities[a]], q[a]) for a in acts))
            value = rest(([rewards[g][s]], [1]), ([0, ends[g][s]], v))
            need(value == row[s], f"test_functions: goal {g}, state {s} is not r + gamma C V")
            gains = [rest(([1], v), ([-1], q[a])) for a in acts if c["optimal"]]
            signs = (sum(min(x * low**i, x * high**i) for i, x in enumerate(p)) >= 0 for p in gains)
            need(all(signs), f"policy: not optimal for goal {g} in state {s}, or not clearly on the interval")
    need(len(vector) == len(kernel) and ["1"] in c["vector"], "vector: expected one entry that is 1")
    for g, row in enumerate([*test, [[Q(1)]] * len(kernel)] if c["with_ones"] else test):
        need(not any(rest(*zip(row, vector, strict=True))), f"vector: goal {g} sees it")
    what = "[M;1]" if c["with_ones"] else "M"
    return f"at the root {float(low):.10g} of the polynomial the columns of {what} are dependent"
