"""Do intervals hold the truth as often as they say? Learned agents, many seeds, every estimator beside the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.ensembles import invert_ensemble
from tabular_inversion.environments import four_rooms, parse_environment, random_mdp, river_swim
from tabular_inversion.error_bounds.bounds import error_bound
from tabular_inversion.experiments.coverage_figures import draw
from tabular_inversion.experiments.run_folder import Comparison, RunFolder
from tabular_inversion.goals import Goals
from tabular_inversion.inversion import invert
from tabular_inversion.kernel_classes import Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import checked
from tabular_inversion.learning import SeedBatch, Simulator, p_learning
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import uniform
from tabular_inversion.recovery import recover

if TYPE_CHECKING:
    from tabular_inversion.learning.seeds import Rule

EFFORTS = {"quick": 50, "standard": 200, "full": 1000}
"""Seeds of each world and rule."""

DISCOUNT = 0.9
LEVELS = (0.5, 0.9, 0.95)
MEMBERS = 10
"""Seeds in an ensemble."""
BATCH = 50
"""Seeds that learn together: one stage of the run."""
COMPARED = 3
"""Seeds of each batch on which the estimators for one agent are compared."""
RULES: tuple[Rule, ...] = ("q-learning", "sarsa", "fitted-q")
ESTIMATORS = ("closed form", "simplex", "early stopped", "mirror", "drawn to prior", "ensemble")
MEASURES = (
    "rounds", "steps", *(f"coverage {level:g}" for level in LEVELS), "coverage 0.95, all entries",
    *(f"width {level:g}" for level in LEVELS), "error of Q", "bound T3d", *(f"error, {name}" for name in ESTIMATORS),
)  # fmt: skip
"""Columns: means over the ensembles, or the compared seeds, of a batch; errors are root mean squares of entries."""


def worlds() -> dict[str, tuple[Callable[[], MDP], tuple[int, ...]]]:
    """Return the worlds by name, and after how many rounds to measure: in a round every state is acted in once.

    Examples
    --------
    >>> sorted(worlds())
    ['FourRooms', 'FrozenLake', 'RiverSwim', 'random']
    """
    return {
        "RiverSwim": (lambda: river_swim(6), (100, 400, 1600)),
        "FrozenLake": (lambda: parse_environment("gym:FrozenLake-v1").mdp, (100, 400, 1600)),
        "FourRooms": (lambda: four_rooms("windy"), (100, 400)),
        "random": (lambda: random_mdp(12, 2, branching=4, seed=0), (100, 400, 1600)),
    }


@checked
def reproduce(
    path: str | os.PathLike[str],
    *,
    effort: str = "quick",
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RunFolder:
    """Train agents, invert them, and count how often intervals hold the true probabilities.

    Parameters
    ----------
    path : path-like
        The folder to write; a run that was interrupted there goes on.
    effort : {"quick", "standard", "full"}
        50, 200 or 1,000 seeds of each world and learning rule.
    seed : int
        Of all draws.
    progress : callable
        Called with the stages done and their number.

    Returns
    -------
    RunFolder
        With ``results.json``, ``report.html``, ``figures/`` and ``data/coverage.csv``.

    Examples
    --------
    >>> EFFORTS["full"], MEMBERS
    (1000, 10)
    """
    folder = RunFolder(path, "coverage", {"effort": effort, "seed": seed})
    chosen, batches = worlds(), EFFORTS[effort] // min(BATCH, EFFORTS[effort])
    total, rows = len(chosen) * len(RULES) * batches + 1, list[tuple[str, str, FloatArray]]()
    for place, (name, (make, rounds)) in enumerate(chosen.items()):
        for number, rule in enumerate(RULES):
            for batch in range(batches):
                progress(len(rows), total)
                draws = [seed, place, number, batch]
                compute = partial(measure, make, rule, rounds, min(BATCH, EFFORTS[effort]), draws)
                rows.append((name, rule, folder.stage(f"{name}-{rule}-{batch}", compute)["table"]))
    table = {column: np.concatenate([own[:, i] for _, _, own in rows]) for i, column in enumerate(MEASURES)}
    names: dict[str, Any] = {
        "world": [name for name, _, own in rows for _ in own],
        "rule": [rule for _, rule, own in rows for _ in own],
    }
    means = averaged_over_batches(rows)
    folder.table("coverage", names | table)
    for name, figure, caption in draw(means, MEASURES, LEVELS, ESTIMATORS):
        folder.figure(name, figure, caption)
    folder.finish(
        _comparisons(means), differences=_differences(means), facts={"seeds": EFFORTS[effort], "ensembles of": MEMBERS}
    )
    progress(total, total)
    return folder


def averaged_over_batches(rows: list[tuple[str, str, FloatArray]]) -> dict[tuple[str, str], FloatArray]:
    """Return the mean table (points, measures) of each world and rule."""
    found: dict[tuple[str, str], list[FloatArray]] = {}
    for name, rule, table in rows:
        found.setdefault((name, rule), []).append(table)
    return {key: np.mean(tables, axis=0) for key, tables in found.items()}


def measure(
    make: Callable[[], MDP], rule: Rule, rounds: tuple[int, ...], seeds: int, draws: list[int]
) -> dict[str, FloatArray]:
    """Return a row of `MEASURES` for each number of rounds.

    Parameters
    ----------
    make : callable
        Returns the world.
    rule : str
        Of `SeedBatch`.
    rounds : tuple of int
        When to measure, ascending.
    seeds : int
        How many agents.
    draws : list of int
        Where the randomness comes from.

    Examples
    --------
    >>> measure(lambda: river_swim(3), "fitted-q", (50,), 20, [0])["table"].shape == (1, len(MEASURES))
    True
    """
    world = make().dense().with_discount(DISCOUNT)
    goals = Goals.indicator(world.n_states)
    exact = evaluate(world, goals, uniform(world.available)) if rule == "sarsa" else solve(world, goals)
    batch = SeedBatch(Simulator(world), goals, DISCOUNT, rule=rule, learners=seeds, seed=draws)
    rows = []
    for target in rounds:
        batch.run(target - batch.rounds)
        agents = batch.agents
        covered, pooled = _coverage(agents, world)
        error, bound = _errors_of_values(agents[:COMPARED], exact)
        single = np.mean(
            [_estimates(agent, visits, world) for agent, visits in zip(agents[:COMPARED], batch.visits, strict=False)],
            axis=0,
        )
        rows.append([target, target * world.n_states, *covered, error, bound, *np.sqrt(single), np.sqrt(pooled)])
    return {"table": np.array(rows, dtype=float)}


def _coverage(agents: list[AgentValues], world: MDP) -> tuple[FloatArray, float]:
    """Return coverages, that of all entries, and widths, over ensembles; and the squared error of their kernels."""
    known, truth, table, pooled = Supported.of(world), world.toarray(), [], []
    open_entries = (truth > 0.0) & (truth < 1.0)
    for start in range(0, len(agents) - MEMBERS + 1, MEMBERS):
        members = agents[start : start + MEMBERS]
        found, free = invert_ensemble(members, known), invert_ensemble(members, Stochastic())
        ends = [found.interval(level) for level in LEVELS]
        inside = [((low <= truth) & (truth <= high))[open_entries].mean() for low, high in ends]
        low, high = free.interval(0.95)
        everywhere = ((low <= truth) & (truth <= high))[world.available].mean()
        widths = [float((end.upper - end.lower)[open_entries].mean()) for end in ends]
        table.append([*inside, everywhere, *widths])
        pooled.append(float(((free.kernel - truth) ** 2).mean()))
    return np.mean(table, axis=0), float(np.mean(pooled))


def _errors_of_values(agents: list[AgentValues], exact: AgentValues) -> tuple[float, float]:
    """Return the largest error of the values, and the bound T3d on a row in the 2-norm that goes with it, as means."""
    errors = [float(np.nanmax(np.abs(agent.q - exact.q))) for agent in agents]
    bounds = [
        float(error_bound(agent, Stochastic(), error, norm=2, noise_norm=np.inf).overall)
        for agent, error in zip(agents, errors, strict=True)
    ]
    return float(np.mean(errors)), float(np.mean(bounds))


def _estimates(agent: AgentValues, visits: FloatArray, world: MDP) -> list[float]:
    """Return the mean squared error of each estimator that sees one agent."""

    def plain(kernel_class: Any) -> FloatArray:
        found = recover(agent.test_matrix, agent.right_hand_sides, kernel_class, row_index=agent.row_index)
        return np.asarray(found.kernel(agent.row_index, agent.available))

    kernels = [
        plain(Unconstrained()),
        plain(Stochastic()),
        p_learning(agent, iterations=200).kernel,
        p_learning(agent, "mirror", iterations=200).kernel,
        invert(agent, Stochastic(), weights=visits).kernel,
    ]
    return [float(((kernel - world.kernel) ** 2).mean()) for kernel in kernels]


def _comparisons(means: dict[tuple[str, str], FloatArray]) -> list[Comparison]:
    rows = []
    for (name, rule), table in means.items():
        last = dict(zip(MEASURES, table[-1], strict=True))
        rows += [
            Comparison(f"{name}, {rule}: coverage at {level:g}", float(last[f"coverage {level:g}"]), published=None)
            for level in LEVELS
        ]
        ratio = last["error, drawn to prior"] / last["error, simplex"]
        rows.append(Comparison(f"{name}, {rule}: error drawn to prior / simplex", float(ratio)))
    return rows


def _differences(means: dict[tuple[str, str], FloatArray]) -> list[str]:
    """Say where coverage is off, and why."""
    told = [
        "Every state is acted in once in a round, by a uniform action; published agents follow their own policies.",
        "Coverage is of entries strictly between 0 and 1, on known supports. Entries that are 0 or 1 hardly vary.",
        "Widths are in data/coverage.csv; nothing published is set beside them: worlds and data sizes differ.",
    ]
    for (name, rule), table in means.items():
        last = dict(zip(MEASURES, table[-1], strict=True))
        off = max((last[f"coverage {level:g}"] - level for level in LEVELS), key=abs)
        if abs(off) > 0.02:
            why = "few ensembles" if rule == "fitted-q" else "few ensembles, or a bias that all learners share"
            told.append(f"{name}, {rule}: coverage off by {100 * off:+.1f} points at {last['steps']:.0f} steps: {why}.")
    return told
