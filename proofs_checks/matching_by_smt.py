"""T2b by an SMT solver: no counterexample with two states and at most two goals and actions, whatever the numbers.

The proof has two steps, and each is one query. The first is about one state: noise of norm at most 1 in the values of
each action moves C V by at most c (Lemma 2; noise of another size by scaling). The second is about two columns: if the
columns move by at most b, the row by at most eps, and the columns are more than 2 (eps + b) apart, the nearer column is
the true one; with b = gamma c eps that is T2b. Two columns are enough: a wrong match is nearer than the true one.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from proofs_checks.statement import Tally

SECONDS = 30
"""After which the solver gives up, and the check fails."""


def check_by_smt(_rng: np.random.Generator, amount: int, *, discounted: bool = True, constant: bool = True) -> Tally:
    """Ask for a counterexample to both steps, in the 1- and infinity-norm, with at most `amount` goals and actions.

    Without `discounted` the second step forgets that columns move; without `constant` the first says c = 1 throughout.
    """
    tally = Tally()
    for k, norm in product(range(1, amount + 1), (1, 0)):  # 0 stands for infinity
        for nearness in ("exact columns", "noisy columns"):
            _ask(tally, f"k={k}, norm {norm}, {nearness} apart", _wrong_match(k, norm, nearness, discounted))
        for m, operator in product(range(1, amount + 1), ("max", "unconditional", "conditional")):
            _ask(tally, f"k={k}, m={m}, norm {norm}, {operator}", _wide_move(k, m, norm, operator, constant))
    return tally


def _ask(tally: Tally, question: str, conditions: list[Any]) -> None:
    """Count a question as held if its conditions contradict each other.

    The solver reads them in a context of their own: else the model would depend on what was asked before.
    """
    import z3

    written = z3.Solver()
    written.add(*conditions)
    solver = z3.Solver(ctx=z3.Context())
    solver.from_string(written.sexpr())
    solver.set("timeout", 1000 * SECONDS)
    answer = solver.check()
    found = f" {solver.model()}".replace("\n", "") if answer == z3.sat else ""
    tally.add(answer == z3.unsat, 0.0, f"{question}: {answer}{found}")


def _wrong_match(k: int, norm: int, nearness: str, discounted: bool) -> list[Any]:
    """State that columns are apart by more than the threshold, and the wrong one is as near as the true one."""
    import z3

    true, wrong, moved, moved_wrong, row = (z3.RealVector(name, k) for name in ("t", "w", "dt", "dw", "e"))
    eps, bound = z3.Reals("eps b")
    noisy_true, noisy_wrong = _plus(true, moved), _plus(wrong, moved_wrong)
    pair = (true, wrong) if nearness == "exact columns" else (noisy_true, noisy_wrong)
    values = _plus(true, row)
    threshold = 2 * (eps + bound) if discounted else 2 * eps
    return [
        *(_length(column, norm) <= bound for column in (moved, moved_wrong)),
        _length(row, norm) <= eps,
        _length(_minus(*pair), norm) > threshold,
        _length(_minus(values, noisy_wrong), norm) <= _length(_minus(values, noisy_true), norm),
    ]


def _wide_move(k: int, m: int, norm: int, operator: str, constant: bool) -> list[Any]:
    """State that noise of norm 1 for each action moves C V of one state by more than c."""
    import z3

    noise = [z3.RealVector(f"E{a}", k) for a in range(m)]
    ends = z3.RealVector("C", k)
    conditions = [_length(errors, norm) <= 1 for errors in noise] + [z3.And(c >= 0, c <= 1) for c in ends]
    by_goal = list(zip(*noise, strict=True))
    moved = z3.RealVector("y", k)  # C_g times the move of V_g
    if operator == "max":
        values = [z3.RealVector(f"Q{g}", m) for g in range(k)]
        shifts = [_greatest(_plus(q, e)) - _greatest(q) for q, e in zip(values, by_goal, strict=True)]
        # A number between 0 and the shift is C times it for some C in [0, 1]: products are not needed.
        conditions += [
            z3.Or(z3.And(y >= 0, y <= x), z3.And(y >= x, y <= 0)) for y, x in zip(moved, shifts, strict=True)
        ]
        allowed: Any = min(m, k) if norm == 1 and constant else 1
        return [*conditions, _length(moved, norm) > allowed]
    policies = [z3.RealVector("pi" if operator == "unconditional" else f"pi{g}", m) for g in range(k)]
    conditions += [z3.And(*(p >= 0 for p in policy), z3.Sum(policy) == 1) for policy in policies]
    shifts = [z3.Sum([p * e for p, e in zip(*pair, strict=True)]) for pair in zip(policies, by_goal, strict=True)]
    conditions += [y == c * x for y, c, x in zip(moved, ends, shifts, strict=True)]
    weights = [[c * policy[a] for c, policy in zip(ends, policies, strict=True)] for a in range(m)]
    allowed = z3.Sum([_greatest(row) for row in weights]) if norm == 1 else _greatest(ends)
    return [*conditions, _length(moved, norm) > (allowed if constant else 1)]


def _length(vector: Any, norm: int) -> Any:
    import z3

    sizes = [z3.If(x >= 0, x, -x) for x in vector]
    return z3.Sum(sizes) if norm == 1 else _greatest(sizes)


def _greatest(numbers: Any) -> Any:
    import z3

    result = numbers[0]
    for number in numbers[1:]:
        result = z3.If(number > result, number, result)
    return result


def _plus(left: Any, right: Any) -> list[Any]:
    return [x + y for x, y in zip(left, right, strict=True)]


def _minus(left: Any, right: Any) -> list[Any]:
    return [x - y for x, y in zip(left, right, strict=True)]
