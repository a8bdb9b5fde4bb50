"""T2a: in a deterministic world one generic goal suffices, because the columns of M are then distinct."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import networkx as nx
import numpy as np

from proofs_checks import instances
from proofs_checks.statement import Check, Counterexample, Statement, Tally
from tabular_inversion import Deterministic, Goals, Stochastic, bellman, environments, exact, identify, invert
from tabular_inversion.identifiability import Status

DrawGoals = Callable[[np.random.Generator, int], exact.ExactGoals]


def one_generic_goal(rng: np.random.Generator, n_states: int) -> exact.ExactGoals:
    """Draw the goal that the statement speaks of."""
    return instances.generic_goals(rng, 1, n_states)


def check_exact(rng: np.random.Generator, instances_wanted: int, draw: DrawGoals = one_generic_goal) -> Tally:
    """Rational deterministic worlds, optimal agents: no two columns of M are equal, and the successors come back."""
    tally = Tally()
    for _ in range(instances_wanted):
        n, m = instances.sizes(rng, largest=6)
        world = instances.world(rng, n, m, branching=1)
        agent = exact.solve(world, draw(rng, n))
        columns = {tuple(column) for column in agent.test_matrix.T}
        matches = (agent.right_hand_sides.T[:, None, :] == agent.test_matrix.T[None]).all(axis=2)
        recovered = bool((matches == (world.kernel.reshape(-1, n) == 1)).all())
        tally.add(len(columns) == n and recovered, 0.0, f"n={n}: only {len(columns)} different columns of M")
    return tally


def check_numeric(rng: np.random.Generator, instances_wanted: int) -> Tally:
    """Random deterministic worlds with 200 states: `invert` finds every successor from one goal."""
    tally = Tally()
    for _ in range(instances_wanted):
        mdp = environments.random_mdp(200, 3, branching=1, discount=0.9, seed=rng)
        result = invert(bellman.solve(mdp, Goals.generic(200, 1, seed=rng)), Deterministic())
        error = result.max_error(mdp)
        # Columns closer than floats resolve leave rows undecided; none may be found not identified.
        fine = error == 0.0 and result.verdict.status in {Status.IDENTIFIED, Status.UNDECIDED}
        tally.add(fine, error, repr(result))
    return tally


def constant_reward() -> bool:
    """All rewards equal: all columns of M are equal."""
    mdp = environments.chain(4)
    verdict = identify(bellman.solve(mdp, Goals(np.ones((1, 4)))), Deterministic())
    return verdict.status is Status.NOT_IDENTIFIED and verdict.rank == 1


def symmetric_rewards() -> bool:
    """A cycle of four states, reward on one of them: its two neighbours have equal columns."""
    world = environments.graph(nx.cycle_graph(4), discount=0.5)
    verdict = identify(bellman.solve(world, Goals.indicator(4, [0])), Deterministic())
    return verdict.status is Status.NOT_IDENTIFIED


def one_indicator_goal() -> bool:
    """No single indicator goal works on deterministic FourRooms, whichever of the 68 states it is (T2d)."""
    mdp = environments.four_rooms("deterministic")
    agent = bellman.solve(mdp, Goals.indicator(mdp.n_states))
    verdicts = [identify(agent.select_goals([g]), Deterministic(), scope="uniform") for g in range(mdp.n_states)]
    return all(verdict.status is Status.NOT_IDENTIFIED for verdict in verdicts)


def stochastic_world() -> bool:
    """One generic goal, a stochastic world with four states: another kernel has the same values."""
    mdp = environments.random_mdp(4, 2, discount=0.9, seed=0)
    verdict = identify(bellman.solve(mdp, Goals.generic(4, 1, seed=0)), Stochastic())
    return verdict.status is Status.NOT_IDENTIFIED and verdict.witness is not None


def judged_among_stochastic() -> bool:
    """A deterministic world judged among stochastic kernels: the middle column is a mixture of the others (T2c)."""
    stay = np.eye(3, dtype=int)[:, None, :]
    agent = exact.solve(exact.ExactMDP(stay, Fraction(1, 2)), exact.ExactGoals(np.array([[0, 1, 2]]))).to_float()
    verdicts = identify(agent, Stochastic()), identify(agent, Deterministic())
    return verdicts[0].row(1, 0) is Status.NOT_IDENTIFIED and verdicts[1].status is Status.IDENTIFIED


STATEMENT = Statement(
    id="T2a",
    title="Deterministic world, one generic goal",
    latex=r"k \ge 1 \text{ and almost every } R: \quad M e_i \ne M e_j \ (i \ne j), "
    r"\text{ so } P \text{ is identified among deterministic kernels}",
    plain="For almost every reward the columns of M differ, so that each successor can be read off by "
    "comparing columns.",
    source="Theorem 2 of arXiv 2606.21173, finite form",
    hypotheses=("the world is deterministic", "the rewards are generic"),
    checks=(
        Check("exact", "rational deterministic worlds with up to 6 states", check_exact, 60),
        Check("numeric", "random deterministic worlds with 200 states", check_numeric, 10),
    ),
    counterexamples=(
        Counterexample("generic rewards", "a constant reward: M has rank one", constant_reward),
        Counterexample("generic rewards", "a reward that a symmetry of the graph preserves", symmetric_rewards),
        Counterexample("generic rewards", "one indicator goal on deterministic FourRooms (T2d)", one_indicator_goal),
        Counterexample("the world is deterministic", "one generic goal, a stochastic world", stochastic_world),
        Counterexample(
            "the class is deterministic",
            "a deterministic world judged among stochastic kernels (T2c)",
            judged_among_stochastic,
        ),
    ),
)
