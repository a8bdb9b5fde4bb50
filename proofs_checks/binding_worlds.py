"""Three worlds that no method tells apart from noisy values, as far apart as the error bound says, c_p included."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from proofs_checks.exact_least_squares import root
from proofs_checks.instance import Instance
from tabular_inversion import exact
from tabular_inversion.exact.rationals import FractionArray


def constant(n_goals: int, over: Fraction) -> Fraction:
    """Return c = k^(1/p); for p = 2 the number of goals k is a square.

    Examples
    --------
    >>> [str(constant(4, Fraction(over))) for over in ("0", "1/2", "1")]
    ['1', '2', '4']
    """
    return Fraction(1) if over == 0 else Fraction(n_goals) if over == 1 else root(Fraction(n_goals))


def shifts(n_goals: int, discount: Fraction, eps: Fraction, over: Fraction) -> FractionArray:
    """Return d_a for each action, shape (k + 1, k + 1): how far the rows of world 1 are from those of world 0."""
    d = np.full((n_goals + 1, n_goals + 1), -discount * eps, dtype=object)
    d[range(n_goals + 1), range(n_goals + 1)] = (1 - discount) * eps
    c = constant(n_goals, over)
    d[0] = -eps / c * (1 + discount * c)
    d[:, 0] = -d[:, 1:].sum(axis=1)
    return d


def binding_world(
    n_goals: int, discount: Fraction, over: Fraction, *, theta: int = 0, optimal: bool = False
) -> tuple[Instance, Fraction]:
    """Return world theta in {-1, 0, 1}, with goals that pay in states 1 to k, and eps.

    Parameters
    ----------
    n_goals : int
        k; there are k + 1 states, all alike, and k + 1 actions.
    discount : Fraction
        In [0, 1).
    over : Fraction
        One over p: 0, 1/2 or 1.
    theta : int
        Which world.
    optimal : bool
        Whether agents are optimal; if not, goal g is given the policy that takes action g, which is optimal, too.

    Examples
    --------
    >>> worlds = [binding_world(1, Fraction(1, 2), Fraction(1), theta=t)[0] for t in (0, 1)]
    >>> (worlds[1].agent.q - worlds[0].agent.q)[0, 0].tolist(), binding_world(1, Fraction(1, 2), Fraction(1))[1]
    ([Fraction(-1, 32), Fraction(1, 32)], Fraction(1, 32))
    """
    n = n_goals + 1
    eps = Fraction(1, 8 * n * n)
    rows = np.eye(n, dtype=int).astype(object) / Fraction(2) + Fraction(1, 2 * n)
    rows[0] = Fraction(1, n)
    rows = rows + theta * shifts(n_goals, discount, eps, over)
    world = exact.ExactMDP(np.broadcast_to(rows, (n, n, n)), discount)
    unit = exact.fraction_array(np.eye(n, dtype=int))[1:]
    policy = None if optimal else np.repeat(unit[:, None, :], n, axis=1)
    return Instance(world, exact.ExactGoals(unit), policy, "stochastic"), eps


def column_constant(instance: Instance) -> Fraction:
    """The number c of Lemma 2, rounded down if irrational, which makes the bound sharper than it needs to be."""
    continuation, over = instance.goals.continuation, instance.extra["one over the norm"].item()
    if over == 0:
        return Fraction(continuation.max())
    weights = continuation ** int(1 / over)
    policy = instance.agent.policy
    if policy is None:
        totals = np.sort(weights, axis=0)[::-1][: instance.world.n_actions].sum(axis=0)
    else:
        totals = (weights[:, :, None] * policy).max(axis=0).sum(axis=-1)
    return Fraction(totals.max()) if over == 1 else root(Fraction(totals.max()))
