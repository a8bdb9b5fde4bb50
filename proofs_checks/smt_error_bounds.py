"""The steps of the error bounds at n = 2 and k <= 2, as questions to an SMT solver.

Can a step fail? Each question lists what is assumed and the negation of what is claimed, over all real numbers; a step
is proved at this size if the solver finds them contradictory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def total(numbers: Any, norm: str) -> Any:
    """Return the norm of some expressions; its square for the 2-norm."""
    import z3

    if norm == "2":
        return sum(number * number for number in numbers)
    sizes = [z3.If(number >= 0, number, -number) for number in numbers]
    if norm == "1":
        return sum(sizes)
    first, *rest = sizes
    for size in rest:
        first = z3.If(first >= size, first, size)
    return first


def questions(own_part: int = 1) -> Iterator[tuple[str, list[Any]]]:
    """Yield each step in words, and assumptions that contradict each other if it is true.

    The noise is 1 (everything scales with it), and in the 2-norm two vectors are given by their squared lengths and
    their product, which satisfy the inequality of Cauchy and Schwarz.

    Parameters
    ----------
    own_part : int
        The 1 in the constant 1 + discount c; with 0 the bounds are false.
    """
    yield from averaging()
    yield from misfit(own_part)
    yield from closed_form()
    yield from least_squares()


def averaging() -> Iterator[tuple[str, list[Any]]]:
    """Lemma 2 with two goals and two actions: how far noise moves a column; and means of two columns, for Lemma 3."""
    import z3

    weights, continuation = z3.Reals("w0 w1"), z3.Reals("c0 c1")
    noise = [z3.Reals(f"e{g}0 e{g}1") for g in range(2)]
    within = [z3.And(x >= 0, x <= 1) for x in [*weights, *continuation]]
    for norm, one_policy, constant in (("inf", False, 1), ("1", False, 2), ("1", True, 1)):
        used = [weights[0], weights[0]] if one_policy else weights
        moved = [c * (w * e[0] + (1 - w) * e[1]) for c, w, e in zip(continuation, used, noise, strict=True)]
        bounded = [total([noise[0][a], noise[1][a]], norm) <= 1 for a in range(2)]
        agent = "one policy" if one_policy else "any agent"
        words = f"norm {norm}, {agent}: a column of M moves by {constant} discount eps"
        yield words, [*within, *bounded, total(moved, norm) > constant]
    w, (first, product, second) = weights[0], z3.Reals("first product second")
    square = w * w * first + 2 * w * (1 - w) * product + (1 - w) * (1 - w) * second
    bounded = [first >= 0, first <= 1, second >= 0, second <= 1, product * product <= first * second]
    yield "norm 2, one policy: a column of M moves by discount eps", [*within[:1], *bounded, square > 1]


def misfit(own_part: int) -> Iterator[tuple[str, list[Any]]]:
    """Lemma 3 with two goals: noise of 1 in the values less discount times that of c in the columns' mean."""
    import z3

    gamma, c = z3.Reals("gamma c")
    noise, mean = z3.Reals("e0 e1"), z3.Reals("z0 z1")
    within = [gamma >= 0, gamma < 1, c >= 0]
    for norm in ("1", "inf"):
        rest = total([e - gamma * z for e, z in zip(noise, mean, strict=True)], norm)
        bounded = [total(noise, norm) <= 1, total(mean, norm) <= c]
        yield f"norm {norm}: misfit (1 + discount c) eps", [*within, *bounded, rest > own_part + gamma * c]
    own, product, other = z3.Reals("own product other")
    square = own - 2 * gamma * product + gamma * gamma * other
    bounded = [own >= 0, own <= 1, other >= 0, other <= c * c, product * product <= own * other]
    claim = square > (own_part + gamma * c) * (own_part + gamma * c)
    yield "norm 2: misfit (1 + discount c) eps", [*within, *bounded, claim]


def closed_form() -> Iterator[tuple[str, list[Any]]]:
    """Two states and two goals, M d = r: |d| <= |M^-1| |r|. By Cramer's rule det(M) d = adj(M) r."""
    import z3

    a, b, c, d, x, y, r, s, size = z3.Reals("a b c d x y r s size")
    first, second = a * x + b * y, c * x + d * y
    cramer = [d * first - b * second == (a * d - b * c) * x, a * second - c * first == (a * d - b * c) * y]
    yield "adj(M) M d = det(M) d", [z3.Not(z3.And(*cramer))]
    for norm, lines in {"1": ((d, c), (b, a)), "inf": ((d, b), (c, a))}.items():
        # The norm of adj(M): the largest sum of absolute values in a column, or in a row.
        bounds = [total(line, "1") <= size for line in lines]
        claim = total([d * r - b * s, a * s - c * r], norm) > size
        yield f"norm {norm}: |adj(M) r| <= |adj(M)| |r|", [total([r, s], norm) <= 1, *bounds, claim]
    # With M^T M less its least eigenvalue on the diagonal: (a, b; b, d) has no negative eigenvalue.
    claim = a * x * x + 2 * b * x * y + d * y * y < 0
    yield "norm 2: |M d| is at least sigma |d|", [a >= 0, d >= 0, a * d >= b * b, claim]


def least_squares() -> Iterator[tuple[str, list[Any]]]:
    """The nearest point of a segment, two states with one and with two goals: its distance from the true row."""
    import z3

    p, x = z3.Reals("p x")
    for k in (1, 2):
        across, rest = z3.Reals(" ".join(f"u{g}" for g in range(k))), z3.Reals(" ".join(f"r{g}" for g in range(k)))
        length = total(across, "2")
        # The noisy values are at p + r on the line through the columns; t is where the nearest point of the line is.
        slope = sum(u * r for u, r in zip(across, rest, strict=True))
        best = [x == 0, x == 1, (x - p) * length == slope]
        side = (z3.And(p * length + slope <= 0, best[0]), z3.And(p * length + slope >= length, best[1]),
                z3.And(p * length + slope >= 0, p * length + slope <= length, best[2]))  # fmt: skip
        yield f"{k} goals: the nearest point of the simplex is within |r| over the least singular value", [
            length > 0, p >= 0, p <= 1, z3.Or(*side), (x - p) * (x - p) * length > total(rest, "2")
        ]  # fmt: skip


def contradictory(assumptions: list[Any], *, seconds: int = 60) -> bool | None:
    """Tell whether no real numbers satisfy all assumptions; None if the solver does not find out in time."""
    import z3

    solver = z3.Solver()
    solver.set("timeout", 1000 * seconds)
    solver.add(*assumptions)
    answer = solver.check()
    return None if answer == z3.unknown else bool(answer == z3.unsat)
