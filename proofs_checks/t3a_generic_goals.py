"""T3a: n generic goals identify any kernel; n - 1 suffice for stochastic ones, n - 2 never do uniformly."""

from __future__ import annotations

import numpy as np

from proofs_checks import instances
from proofs_checks.statement import Check, Counterexample, Statement, Tally
from tabular_inversion import Goals, Stochastic, bellman, environments, exact, identify, invert
from tabular_inversion.identifiability import Status


def check_exact(rng: np.random.Generator, instances_wanted: int, missing: int = 1) -> Tally:
    """Optimal rational agents: rank M = n for k = n, rank [M;1] = n for k = n - 1, and below n for k = n - 2.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of instances.
    instances_wanted : int
        How many worlds.
    missing : int
        The statement says that n - 1 goals suffice; a test passes 2 here, and the check must fail.
    """
    tally = Tally()
    for _ in range(instances_wanted):
        n = int(rng.integers(3, 6))
        world = instances.world(rng, n, int(rng.integers(1, 4)))
        m = exact.solve(world, instances.generic_goals(rng, n, n)).test_matrix
        ones = np.full((1, n), m[0, 0] / m[0, 0])
        with_ones = [exact.rank(np.concatenate([m[: n - drop], ones])).rank for drop in (missing, 2)]
        ranks = (exact.rank(m).rank, *with_ones)
        holds = ranks[:2] == (n, n) and ranks[2] < n
        tally.add(holds, 0.0, f"n={n}: ranks {ranks}")
    return tally


def check_numeric(rng: np.random.Generator, instances_wanted: int) -> Tally:
    """Random worlds with 40 states and n - 1 goals: the kernel comes back, and one goal fewer has a witness."""
    tally = Tally()
    for _ in range(instances_wanted):
        mdp = environments.random_mdp(40, 2, discount=0.9, seed=rng)
        agent = bellman.solve(mdp, Goals.generic(40, 39, seed=rng))
        result = invert(agent, Stochastic())
        fewer = identify(agent.select_goals(np.arange(38)), Stochastic(), scope="uniform")
        # Errors grow with the condition of M; 1e-13 is the accuracy of the values.
        error = result.max_error(mdp) / result.condition
        fine = result.verdict.status is Status.IDENTIFIED and error < 1e-13 and fewer.status is Status.NOT_IDENTIFIED
        tally.add(fine, error, f"{result}, {fewer}")
    return tally


def two_goals_missing() -> bool:
    """A stochastic world with five states and three generic goals: a witness at uniform and at instance scope."""
    mdp = environments.random_mdp(5, 2, discount=0.9, seed=1)
    agent = bellman.solve(mdp, Goals.generic(5, 3, seed=1))
    verdicts = [identify(agent, Stochastic(), scope=scope) for scope in ("instance", "uniform")]
    return all(v.status is Status.NOT_IDENTIFIED and v.witness is not None for v in verdicts)


def equal_goals() -> bool:
    """N goals that are all the same: rank one."""
    mdp = environments.random_mdp(4, 2, discount=0.9, seed=2)
    goals = Goals(np.repeat(Goals.generic(4, 1, seed=2).rewards, 4, axis=0))
    return identify(bellman.solve(mdp, goals), Stochastic()).status is Status.NOT_IDENTIFIED


STATEMENT = Statement(
    id="T3a",
    title="Stochastic world, generic goals",
    latex=r"\text{almost every } R: \quad k \ge n \Rightarrow \operatorname{rank} M = n, \quad "
    r"k \ge n-1 \Rightarrow \operatorname{rank}[M;1] = n, \quad k \le n-2 \Rightarrow \operatorname{rank}[M;1] < n",
    plain="As many generic goals as states determine any kernel; one fewer determines any stochastic kernel; "
    "two fewer never do.",
    source="Theorem 3 of arXiv 2606.21173, finite form",
    hypotheses=("the rewards are generic", "k >= n - 1"),
    checks=(
        Check("exact", "optimal agents in rational worlds with 3 to 5 states", check_exact, 30),
        Check("numeric", "random worlds with 40 states and 39 goals", check_numeric, 5),
    ),
    counterexamples=(
        Counterexample("k >= n - 1", "five states, three generic goals: witness kernels", two_goals_missing),
        Counterexample("generic rewards", "n equal goals", equal_goals),
    ),
)
