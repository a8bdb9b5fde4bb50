"""Make an instance smaller and its fractions simpler, as long as it stays what it is wanted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import lcm
from typing import Any

import numpy as np

from proofs_checks.instance import Instance
from proofs_checks.special_instances import rewards_of
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray

Wanted = Callable[[Instance], bool]


def shrink(instance: Instance, wanted: Wanted, *, tries: int = 3000) -> Instance:
    """Return an instance that is wanted too and that no single step makes simpler.

    Parameters
    ----------
    instance : Instance
        Where to begin; it is wanted.
    wanted : callable
        Whether an instance does what this one does.
    tries : int
        How many simpler ones are tried in all.

    Notes
    -----
    Steps: leave out a state, an action or a goal; forget the policy, the mask or the continuation; a simpler discount;
    a row that is sure, or even on its support; entries of the rewards, or of M, that are small integers (then the
    rewards are those that make it so, which keeps columns equal or dependent). A step counts if it is shorter to read.
    Extra numbers stay as they are.

    Examples
    --------
    >>> from proofs_checks.special_instances import draw_plain
    >>> big = draw_plain(np.random.default_rng(1), 6)
    >>> shrink(big, lambda instance: True).world
    ExactMDP(n_states=1, n_actions=1, discount=0)
    """
    left, length, improved = tries, _length(instance), True
    while improved and left > 0:
        improved = False
        for simpler in _simpler(instance):
            left -= 1
            if left <= 0:
                break
            try:
                shorter = _length(simpler)
                good = shorter < length and wanted(simpler)
            except TabularInversionError:
                good = False
            if good:
                instance, length, improved = simpler, shorter, True
                break
    return instance


def _length(instance: Instance) -> tuple[int, int]:
    """Return how long an instance is to read: its size, then its numbers and those of M."""
    world, goals = instance.world, instance.goals
    numbers = [world.kernel, goals.rewards, instance.agent.test_matrix, np.array([world.discount], dtype=object)]
    numbers += [1 - goals.continuation, *(x for x in (instance.policy, goals.action_rewards) if x is not None)]
    total = sum(_cost(x) for part in numbers for x in part.ravel())
    return world.n_states * world.n_actions * goals.n_goals, total + int((~world.available).sum())


def _simpler(instance: Instance) -> Iterator[Instance]:
    """Yield instances one step simpler, the largest steps first; none that is no instance at all."""
    for make in (*_smaller(instance), *_plainer(instance)):
        try:
            yield make()
        except TabularInversionError:
            continue


def _smaller(instance: Instance) -> Iterator[Callable[[], Instance]]:
    world, goals = instance.world, instance.goals
    if not instance.extra:
        for s in range(world.n_states if world.n_states > 1 else 0):
            yield partial(_without_state, instance, s)
    for g in range(goals.n_goals if goals.n_goals > 1 else 0):
        yield partial(_without_goal, instance, g)
    for a in range(world.n_actions if world.n_actions > 1 else 0):
        yield partial(_without_action, instance, a)


def _plainer(instance: Instance) -> Iterator[Callable[[], Instance]]:
    world, goals = instance.world, instance.goals
    if instance.policy is not None:
        yield lambda: replace(instance, policy=None)
        if instance.policy.ndim == 3:
            yield partial(replace, instance, policy=instance.policy[0])
        even = _even(np.broadcast_to(world.available, instance.policy.shape))
        if not np.array_equal(even, instance.policy):
            yield lambda: replace(instance, policy=even)
    if goals.action_rewards is not None:
        yield lambda: _with_goals(instance, goals.rewards, goals.continuation, None)
    if (goals.continuation != 1).any():
        yield lambda: _with_goals(instance, goals.rewards, None, goals.action_rewards)
    for discount in (Fraction(0), Fraction(1, 2), Fraction(1, 3)):
        if discount != world.discount:
            yield partial(_with_discount, instance, discount)
            if goals.action_rewards is None:
                yield partial(_with_m, instance, instance.agent.test_matrix, discount)
    yield from _plainer_rows(instance)
    yield from _plainer_rewards(instance)
    if goals.action_rewards is None:
        yield from _plainer_m(instance)


def _plainer_rows(instance: Instance) -> Iterator[Callable[[], Instance]]:
    world = instance.world
    for s, a in np.argwhere(world.available).tolist():
        row = world.kernel[s, a]
        support = np.flatnonzero(row)
        choices = [np.eye(len(row), dtype=int)[t] for t in support] if len(support) > 1 else []
        choices.append(_even(row > 0))
        for choice in choices:
            if sum(map(_cost, choice)) < sum(map(_cost, row)):
                yield partial(_with_row, instance, s, a, choice)
                if instance.goals.action_rewards is None:
                    yield partial(_with_row_and_m, instance, s, a, choice)


def _plainer_m(instance: Instance) -> Iterator[Callable[[], Instance]]:
    m = instance.agent.test_matrix
    for value in dict.fromkeys(m.ravel()):
        for new in (Fraction(0), Fraction(1), Fraction(-1), Fraction(2), _rounded(value)):
            if _cost(new) < _cost(value):
                # Equal entries are changed together first: what is wrong may be that they are equal.
                yield partial(_with_m, instance, np.where(m == value, np.array(new, dtype=object), m))
    for place in np.ndindex(m.shape):
        for new in (Fraction(0), Fraction(1), Fraction(-1), Fraction(2), _rounded(m[place])):
            if _cost(new) < _cost(m[place]):
                yield partial(_with_m, instance, _put(m, place, new))


def _put(values: FractionArray, place: tuple[int, ...], value: Fraction) -> FractionArray:
    changed = values.copy()
    changed[place] = value
    return changed


def _with_m(instance: Instance, m: FractionArray, discount: Fraction | None = None) -> Instance:
    """Return the instance whose agent has this M, by other rewards."""
    world = instance.world if discount is None else ExactMDP(instance.world.kernel, discount, instance.world.available)
    rewards = rewards_of(world, m, instance.goals.continuation, instance.policy)
    return replace(instance, world=world, goals=ExactGoals(rewards, instance.goals.continuation))


def _plainer_rewards(instance: Instance) -> Iterator[Callable[[], Instance]]:
    goals = instance.goals
    for g, row in enumerate(goals.rewards):
        factor = lcm(*(x.denominator for x in row))
        if factor > 1 and goals.action_rewards is None:
            yield partial(_with_scaled_goal, instance, g, factor)
    for place in np.ndindex(goals.rewards.shape):
        old = goals.rewards[place]
        for new in (Fraction(0), Fraction(1), Fraction(-1), Fraction(2), _rounded(old)):
            if _cost(new) < _cost(old):
                yield partial(_with_reward, instance, place, new)


def _cost(x: Any) -> int:
    """Return how long a number is to read: 0 first, then small integers, then small denominators."""
    x = Fraction(x)
    return 0 if not x else 3 * abs(x.numerator) + 4 * (x.denominator - 1) + (x < 0)


def _rounded(x: Any) -> Fraction:
    return Fraction(round(Fraction(x)))


def _even(mask: Any) -> FractionArray:
    """Return even weights over what a mask allows, along the last axis."""
    counts = np.asarray(mask, dtype=int).sum(axis=-1, keepdims=True)
    found = np.empty(np.shape(mask), dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = Fraction(int(bool(np.asarray(mask)[place])), int(counts[(*place[:-1], 0)]))
    return found


def _with_row(instance: Instance, s: int, a: int, row: Any) -> Instance:
    kernel = instance.world.kernel.copy()
    kernel[s, a] = row
    return replace(instance, world=ExactMDP(kernel, instance.world.discount, instance.world.available))


def _with_row_and_m(instance: Instance, s: int, a: int, row: Any) -> Instance:
    """Return the instance with another row and the rewards that leave M as it was."""
    return _with_m(_with_row(instance, s, a, row), instance.agent.test_matrix)


def _with_discount(instance: Instance, discount: Fraction) -> Instance:
    world = instance.world
    return replace(instance, world=ExactMDP(world.kernel, discount, world.available))


def _with_reward(instance: Instance, place: tuple[int, ...], value: Fraction) -> Instance:
    return _with_goals(
        instance, _put(instance.goals.rewards, place, value), instance.goals.continuation, instance.goals.action_rewards
    )


def _with_scaled_goal(instance: Instance, g: int, factor: int) -> Instance:
    rewards = instance.goals.rewards.copy()
    rewards[g] = rewards[g] * factor
    return _with_goals(instance, rewards, instance.goals.continuation, None)


def _with_goals(instance: Instance, rewards: Any, continuation: Any, extra: Any) -> Instance:
    return replace(instance, goals=ExactGoals(rewards, continuation, extra))


def _without_goal(instance: Instance, g: int) -> Instance:
    kept = [i for i in range(instance.goals.n_goals) if i != g]
    policy = instance.policy
    if policy is not None and policy.ndim == 3:
        policy = policy[kept]
    return replace(instance, goals=instance.goals.select(kept), policy=policy)


def _without_action(instance: Instance, a: int) -> Instance:
    """Leave out an action that some state can do without; the policy's weight on it goes to the others."""
    world, goals, policy = instance.world, instance.goals, instance.policy
    kept = [i for i in range(world.n_actions) if i != a]
    if policy is not None:
        policy = _rescaled(policy[..., kept])
    extra = None if goals.action_rewards is None else goals.action_rewards[..., kept]
    smaller = ExactMDP(world.kernel[:, kept], world.discount, world.available[:, kept])
    return replace(instance, world=smaller, goals=ExactGoals(goals.rewards, goals.continuation, extra), policy=policy)


def _without_state(instance: Instance, s: int) -> Instance:
    """Leave out a state; rows that led there lead to the others instead, or stay, where there is none."""
    world, goals, policy = instance.world, instance.goals, instance.policy
    kept = [i for i in range(world.n_states) if i != s]
    kernel = world.kernel[kept][:, :, kept].copy()
    for place in np.argwhere(world.available[kept]).tolist():
        row = kernel[tuple(place)]
        if not any(row):
            row[place[0]] = Fraction(1)
    kernel = _rescaled(kernel * world.available[kept][:, :, None])
    extra = None if goals.action_rewards is None else goals.action_rewards[:, kept]
    return replace(
        instance,
        world=ExactMDP(kernel, world.discount, world.available[kept]),
        goals=ExactGoals(goals.rewards[:, kept], goals.continuation[:, kept], extra),
        policy=None if policy is None else policy[..., kept, :],
    )


def _rescaled(weights: FractionArray) -> FractionArray:
    """Divide by the sums along the last axis, where they are not zero."""
    sums = weights.sum(axis=-1, keepdims=True)
    return np.asarray(weights / (sums + (sums == 0)), dtype=object)
