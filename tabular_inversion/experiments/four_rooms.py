"""The FourRooms experiment: from interaction to recovered worlds and plans for unseen tasks, beside published ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tabular_inversion.experiments import four_rooms_published as published
from tabular_inversion.experiments.four_rooms_agents import run_agent
from tabular_inversion.experiments.four_rooms_cases import PENALTY, Case, Configuration, Effort, effort_named
from tabular_inversion.experiments.four_rooms_classes import run_classes
from tabular_inversion.experiments.four_rooms_figures import error_figure, return_figure, shown_of, trajectory_figure
from tabular_inversion.experiments.four_rooms_results import (
    Configured,
    class_columns,
    compare,
    error_columns,
    headline,
    unseen_columns,
)
from tabular_inversion.experiments.run_folder import RunFolder
from tabular_inversion.kinds import checked
from tabular_inversion.parallel import Task, run_tasks, usable_cores

DIFFERENCES = [
    " ".join(lines.split())
    for lines in (
        """Agent: tabular Q-learning in 256 copies of the world, every transition updating every goal, which shows a
        weighted average of its values. The published agents are Q-learners; the figures do not say more.""",
        """Step sizes: rescaled linear, 1 / (1 + (1 - discount) (n - 1)) at the n-th visit; in the deterministic
        variant each visit replaces the value.""",
        """Goals: rewards on arrival from independent standard normals, others for each seed, and no goal ends an
        episode. The published rewards are not known to us.""",
        """Estimator: least squares over the kernels of the class, and among equals the one nearest to uniform rows,
        solved to rounding; the published one is P-learning, which descends gradients.""",
        """The rows of the teleporting cells are themselves uniform on their successors. Where these are known, the
        preference for uniform rows is the truth, and the error is small even where values do not identify the kernel;
        what the values alone leave open is stated beside it.""",
        """Knowledge: what the published method is told of the kernel is not known to us, so its numbers stand beside
        all states of knowledge. In the deterministic variant its error goes to 0 with one goal, which no method can
        promise that takes every distribution for possible: the values of one goal leave most rows open there.""",
        f"""The discount, {published.DISCOUNT}, is inferred from published optimal values. Published errors are read
        off figures, to about 2 % of the axis.""",
        f"""Unseen tasks: arriving at the goal pays 1 and ends the episode, arriving in an unsafe cell costs
        {PENALTY:g} and does not end it; the published rewards are not known to us. With this penalty the optimal way
        goes around unsafe cells where there is one, and crosses one where there is none.""",
    )
]


@checked
def reproduce(
    folder_path: str | os.PathLike[str],
    *,
    effort: str | Effort = "quick",
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RunFolder:
    """Train agents in the three variants, recover their worlds, and plan unseen tasks in them.

    Parameters
    ----------
    folder_path : path-like
        Where to write. What an interrupted run with the same settings left there is used.
    effort : {"quick", "standard", "full"} or Effort
        2 seeds and 1 million steps, 5 seeds and 10 million, or 10 seeds and 10 million.
    seed : int
        The first seed; the others follow it.
    workers : int, optional
        How many processes; one for each core when omitted. The results do not depend on it.
    progress : callable
        Called with the number of finished agents and classes, and the number of all.

    Returns
    -------
    RunFolder
        With ``results.json``, ``report.html``, ``figures`` and ``data``.

    Raises
    ------
    InputError
        If the effort is unknown, the seed negative, or the folder belongs to other settings.

    Examples
    --------
    >>> import tempfile
    >>> tiny = Effort("tiny", 1, (1000,), (("deterministic", 1),))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = reproduce(f"{place}/run", effort=tiny, workers=1)
    ...     sorted(path.name for path in folder.path.iterdir())
    ['data', 'figures', 'report.html', 'results.json', 'settings.json', 'stages']
    """
    chosen = effort_named(effort)
    folder = RunFolder(folder_path, "FourRooms", _settings(chosen, seed))
    results = _run(folder, chosen, seed, usable_cores() if workers is None else workers, progress)
    folder.table("errors", error_columns(results))
    folder.table("unseen", unseen_columns(results))
    folder.table("classes", class_columns(results))
    _draw(folder, chosen, results)
    facts = {"source of the published numbers": published.SOURCE, **headline(results)}
    folder.finish(compare(results), differences=DIFFERENCES, facts=facts)
    return folder


def _settings(effort: Effort, seed: int) -> dict[str, Any]:
    configurations = ", ".join(f"{variant} {n_goals}" for variant, n_goals in effort.configurations)
    return {
        "effort": effort.name,
        "seed": seed,
        "seeds": effort.seeds,
        "steps": list(effort.steps),
        "variants and goals": configurations,
    }


def _run(
    folder: RunFolder, effort: Effort, seed: int, workers: int, progress: Callable[[int, int], None]
) -> dict[Configuration, Configured]:
    """Run all agents and classes, over processes, and put together what belongs together."""
    cases = {
        (variant, n_goals): tuple(Case(variant, n_goals, seed + i) for i in range(effort.seeds))
        for variant, n_goals in effort.configurations
    }
    # The longest first, so that no process is left with one at the end.
    ordered = sorted(cases, key=lambda configuration: -configuration[1])
    agents: list[Task] = [(run_agent, (folder, case, effort.steps)) for key in ordered for case in cases[key]]
    classes: list[Task] = [(run_classes, (folder, cases[key][0])) for key in ordered]
    tasks = agents + classes
    done = 0

    def advance(_place: int, _result: Any) -> None:
        nonlocal done
        done += 1
        progress(done, len(tasks))

    run_tasks(tasks, workers=min(workers, len(tasks)), progress=advance)
    # Read here what the processes have kept, so that this folder knows how long each stage took.
    found = [function(argument) for function, argument in tasks]
    trained, described = iter(found[: len(agents)]), iter(found[len(agents) :])
    together = {
        key: Configured(cases[key], tuple(next(trained) for _ in cases[key]), next(described), effort.steps)
        for key in ordered
    }
    return {key: together[key] for key in cases}


def _draw(folder: RunFolder, effort: Effort, results: dict[Configuration, Configured]) -> None:
    shown = {
        variant: shown_of([found for key, found in results.items() if key[0] == variant]) for variant, _ in results
    }
    chosen = "; ".join(f"{found.title} ({knowledge})" for found, knowledge in shown.values())
    captions = {
        "errors": f"""Mean squared error of the recovered kernel against environment steps, for {effort.seeds} seeds. A
            row of panels for each state of knowledge.""",
        "returns": f"""Two tasks that no agent saw: returns in the true world, from {published.STARTS[0]}, of plans made
            in the recovered world (dots, one for each seed), and of the plan with the best guarantee (diamonds). Bars:
            what the optimum is in any kernels with the exact values of the first seed's goals, cut off below -1.""",
        "trajectories": f"""Ways from the two published starts, with equal chances for both policies: {chosen}. Green:
            the goal; red: unsafe cells.""",
    }
    drawings = {"errors": error_figure, "returns": return_figure, "trajectories": trajectory_figure}
    for name, draw in drawings.items():
        folder.figure(name, draw(results), " ".join(captions[name].split()))
