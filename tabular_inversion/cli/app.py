"""The commands and their options; a command's own room is imported when it is called, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tabular_inversion.cli.names import EXPERIMENTS
from tabular_inversion.cli.options import (
    AsJson,
    CandidateText,
    Certificate,
    ClassText,
    Cluster,
    DiscountText,
    GoalsOrSome,
    GoalText,
    NoiseText,
    Picture,
    PolicyOrOwn,
    PolicyText,
    ReportFile,
    ReportPage,
    Workers,
    World,
    WorldOrValues,
    read_any_discount,
    read_discount,
    read_noise,
)
from tabular_inversion.cli.plugs import plugged
from tabular_inversion.errors import SpecificationError

app = typer.Typer(
    name="tabular-inversion",
    help="Do these Q-values determine the world, and can I prove it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print(found: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """Print an answer, all of it, before anything else is done with it."""
    from tabular_inversion.cli.console import print_json

    print_json(found) if as_json else show(found)
    sys.stdout.flush()


@app.command()
def verify(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Statements to check, or a file MY_STATEMENT.py; all if none."),
    ] = None,
    effort: Annotated[str, typer.Option(help="quick (under a minute), standard or full; of the statements.")] = "quick",
    seed: Annotated[int, typer.Option(help="Of every random instance.")] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Processes; no result depends on them.", show_default="all cores")
    ] = None,
    json_file: ReportFile = None,
    html_file: ReportPage = None,
) -> None:
    """Recover the worlds of public environments from Q-values alone, and check every statement."""
    command = plugged("verify")
    wanted = command.Request(tuple(ids or ()), effort, seed, workers)
    raise typer.Exit(command.run(wanted, json_file=json_file, html_file=html_file))


@app.command()
def refute(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file with a sentence of yours: a Conjecture.")],
    name: Annotated[str | None, typer.Option(help="Which one, if the file holds several.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to search, about.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Of every draw.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write what was found here, as JSON.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the counterexample here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Search for a counterexample of a sentence of yours, exactly; exit status 1 if it is refuted."""
    from tabular_inversion.cli.files import check_folder, check_picture, save_picture

    command = plugged("refute")
    check_picture(plot)
    check_folder(output)
    result = command.answer(file, name=name, seconds=seconds, seed=seed, workers=workers)
    _print(result.to_dict(), as_json, lambda _found: command.show(result))
    if output is not None:
        result.save(output)
    save_picture(result.plot, None if result.counterexample is None else plot)
    raise typer.Exit(0 if result.counterexample is None else 1)


@app.command()
def identify(
    environment: WorldOrValues,
    goals: GoalsOrSome = None,
    kernel_class: ClassText = "stochastic",
    scope: Annotated[str, typer.Option(help="instance (this agent's rows) or uniform (every member).")] = "instance",
    policy: PolicyOrOwn = None,
    discount: DiscountText = None,
    noise: NoiseText = None,
    exact: Annotated[bool, typer.Option("--exact", help="Decide in rational arithmetic, with proof.")] = False,
    plot: Picture = None,
    certificate: Certificate = None,
    workers: Workers = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Decide whether an agent's values determine the world, with a witness if they do not."""
    from tabular_inversion.cli import identify as command
    from tabular_inversion.cli.cases import Question
    from tabular_inversion.cli.files import check_folder, check_picture, save_certificate, save_picture
    from tabular_inversion.parallel import executor_of

    question = Question(environment, goals, kernel_class, policy, read_discount(discount))
    if certificate is not None and not exact:
        raise SpecificationError("--certificate needs --exact: floats prove nothing that integers could re-check.")
    check_picture(plot)
    check_folder(certificate)
    with executor_of(workers, cluster) as executor:
        found, draw, verdict = command.answer(question, scope, read_noise(noise), exact, executor)
    _print(found, as_json, command.show)
    save_certificate(verdict, certificate)
    save_picture(draw, plot)


@app.command()
def invert(
    environment: WorldOrValues,
    goals: GoalsOrSome = None,
    kernel_class: ClassText = "stochastic",
    policy: PolicyOrOwn = None,
    discount: DiscountText = None,
    noise: NoiseText = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="KERNEL.npz", help="Write the recovered world here.")
    ] = None,
    plot: Picture = None,
    workers: Workers = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Recover the kernel from an agent's values and compare it with the truth where that is known."""
    from tabular_inversion.cli import invert as command
    from tabular_inversion.cli.cases import Question
    from tabular_inversion.cli.files import check_picture, save_picture
    from tabular_inversion.parallel import executor_of

    question = Question(environment, goals, kernel_class, policy, read_discount(discount))
    command.check_output(output)
    check_picture(plot)
    with executor_of(workers, cluster) as executor:
        found, draw, result = command.answer(question, noise=read_noise(noise), executor=executor)
    _print(found, as_json, command.show)
    if output is not None:
        result.to_mdp().save(output)
    save_picture(draw, plot)


@app.command()
def bounds(
    environment: WorldOrValues,
    goals: GoalsOrSome = None,
    kernel_class: ClassText = "stochastic",
    policy: PolicyOrOwn = None,
    discount: DiscountText = None,
    noise: NoiseText = None,
    workers: Workers = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Bound every transition probability by what an agent's values leave open."""
    from tabular_inversion.cli import bounds as command
    from tabular_inversion.cli.cases import Question
    from tabular_inversion.parallel import executor_of

    question = Question(environment, goals, kernel_class, policy, read_discount(discount))
    with executor_of(workers, cluster) as executor:
        _print(command.answer(question, noise=read_noise(noise), executor=executor), as_json, command.show)


@app.command()
def plan(
    environment: WorldOrValues,
    to: Annotated[str, typer.Option("--for", metavar="GOALS", help="The goals to plan for, as --goals names them.")],
    goals: GoalsOrSome = None,
    kernel_class: ClassText = "stochastic",
    policy: PolicyOrOwn = None,
    discount: DiscountText = None,
    noise: NoiseText = None,
    as_json: AsJson = False,
) -> None:
    """Plan for other goals, with a guarantee in every world that an agent's values leave open."""
    from tabular_inversion.cli import plan as command
    from tabular_inversion.cli.cases import Question

    question = Question(environment, goals, kernel_class, policy, read_discount(discount))
    _print(command.answer(question, to, noise=read_noise(noise)), as_json, command.show)


@app.command()
def diagnose(
    environment: WorldOrValues,
    goals: GoalsOrSome = None,
    kernel_class: ClassText = "stochastic",
    policy: PolicyOrOwn = None,
    discount: DiscountText = None,
    noise: NoiseText = None,
    as_json: AsJson = False,
) -> None:
    """Say what would explain values that no kernel explains: eleven explanations, tried and ranked."""
    from tabular_inversion.cli import diagnose as command
    from tabular_inversion.cli.cases import Question

    question = Question(environment, goals, kernel_class, policy, read_discount(discount))
    _print(command.answer(question, noise=read_noise(noise)), as_json, command.show)


@app.command()
def discounts(
    environment: World,
    goals: GoalText = "indicator",
    policy: PolicyText = "optimal",
    discount: Annotated[
        str | None,
        typer.Option("--discount", help="Also say what the ranks are at this one, such as 1/2 or 'sqrt(1/2)'."),
    ] = None,
    witness: Annotated[
        bool, typer.Option("--witness", help="Also show two kernels with the same values at an exceptional discount.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw M's least singular value here.")
    ] = None,
    certificate: Certificate = None,
    as_json: AsJson = False,
) -> None:
    """Find the discounts at which goals that suffice elsewhere do not, exactly."""
    from tabular_inversion.cli import discounts as command
    from tabular_inversion.cli.files import check_folder, check_picture, save_certificate, save_picture

    question = command.DiscountQuestion(environment, goals, policy, read_any_discount(discount), witness)
    check_picture(plot)
    check_folder(certificate)
    found, draw, proved = command.answer(question)
    _print(found, as_json, command.show)
    save_certificate(proved, certificate)
    save_picture(draw, plot)


@app.command()
def atlas(
    nodes: Annotated[int, typer.Option(min=2, max=9, help="Of the graphs: all connected ones with so many.")] = 7,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the file is or goes.", show_default="atlas")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Time so many graphs alone, and write nothing.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the exceptional discounts of all small graphs to a file, or compute them again and compare."""
    from tabular_inversion.cli import atlas as command

    _print(command.answer(nodes, folder, workers, sample), as_json, command.show)


@app.command()
def goals(
    environment: WorldOrValues,
    sets: Annotated[
        list[str] | None, typer.Argument(metavar="[SET]...", help="With --compare: goal sets, such as indicator:3,17.")
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Compare the goal sets that follow, in a table.")] = False,
    noise: Annotated[
        float, typer.Option(help="With --compare: the errors of values, in units of each goal's largest value.")
    ] = 0.0,
    goals: Annotated[
        str | None,
        typer.Option(
            "--goals", help="Those you have, such as indicator:3,17; when omitted, all candidates are judged."
        ),
    ] = None,
    kernel_class: ClassText = "stochastic",
    rewards: CandidateText = None,
    policy: PolicyOrOwn = None,
    discount: DiscountText = None,
    seconds: Annotated[float, typer.Option(help="How long to look for a smaller set.")] = 60.0,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw goals, doors and unknown states here.")
    ] = None,
    certificate: Certificate = None,
    as_json: AsJson = False,
) -> None:
    """Decide whether goals determine the world before anyone trains, and find the smallest set that does."""
    from tabular_inversion.cli import goals as command
    from tabular_inversion.cli.files import check_folder, check_picture, save_certificate, save_picture

    given = (environment, goals, kernel_class, rewards, policy, read_discount(discount), seconds)
    check_picture(plot)
    check_folder(certificate)
    question = command.GoalsQuestion(*given)
    if compare:
        command.check_alone(question, certificate)
        listed, table = command.compare_sets(question, tuple(sets or ()), noise)
        _print(listed, as_json, lambda _: typer.echo(str(table)))
        save_picture(table.plot, plot)
        return
    if noise:
        raise SpecificationError(f"--noise is {noise:g}, and only --compare takes errors in; drop it, or compare sets.")
    if sets:
        raise SpecificationError(f"{sets[0]!r} follows the world; goals are given by --goals, or after --compare.")
    found, draw, proved = command.answer(question, None if as_json else command.show_verdict, drawn=plot is not None)
    _print(found, as_json, command.show)
    save_certificate(proved, certificate)
    save_picture(draw, plot)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Certificates that --certificate wrote.")],
    checker: Annotated[
        str, typer.Option("--checker", help="plain (Python's integers), extracted (from Coq, compiled now) or both.")
    ] = "plain",
    as_json: AsJson = False,
) -> None:
    """Check certificates of exact answers again, with plain integers and none of the code that decided them."""
    from tabular_inversion.cli import check as command

    _print(found := command.answer(files, checker), as_json, command.show)
    raise typer.Exit(0 if found["holds"] else 1)


@app.command()
def lab(
    statement: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The statement to open, such as X1.", show_default="X1")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the pages here, for any web server.")
    ] = None,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,
) -> None:
    """Open the laboratory: switch off one hypothesis of a theorem, and watch it fail."""
    command = plugged("lab")
    command.run(statement, out=out, show=show)


@app.command()
def exercise(
    statement: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The statement; with --leaderboard none means all.")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="ANSWER...", help="Files that the laboratory saved, or folders.")
    ] = None,
    ranked: Annotated[
        Path | None, typer.Option("--leaderboard", metavar="DIR", help="The smallest accepted answers of a folder.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one line for each answer, for a spreadsheet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Mark answers from the laboratory. Status: 0 all accepted, 1 some were not, 2 some could not be read."""
    command = plugged("exercise")
    if as_csv and as_json:
        raise SpecificationError("--csv and --json are two forms of one answer; choose one.")
    found = command.answer(statement, files or [], ranked)
    _print(found, as_json, command.print_csv if as_csv else command.show)
    raise typer.Exit(command.status(found))


@app.command()
def reproduce(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help=f"{', '.join(EXPERIMENTS)}.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to write; a run that was interrupted there goes on."),
    ] = None,
    effort: Annotated[str | None, typer.Option(help="quick, standard or full.", show_default="quick")] = None,
    seed: Annotated[int, typer.Option(help="The first seed; others follow it.")] = 0,
    points: Annotated[
        int | None, typer.Option("--points", "--grid", help="Points of each coordinate of mountaincar or reacher.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a published experiment and print its numbers beside ours; figures, data and a report go to a folder."""
    from tabular_inversion.cli import reproduce as command

    raise typer.Exit(command.run(experiment, out=out, effort=effort, seed=seed, points=points, as_json=as_json))
