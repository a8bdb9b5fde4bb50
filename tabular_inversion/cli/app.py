"""The commands, their arguments and their exit status."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from tabular_inversion.cli import discounts as discount_answers
from tabular_inversion.cli import goals as goal_answers
from tabular_inversion.cli import questions, verify_report
from tabular_inversion.cli import reproduce as experiments
from tabular_inversion.cli.console import MESSAGES, print_json
from tabular_inversion.errors import DiscountError, TabularInversionError
from tabular_inversion.identifiability import Scope

app = typer.Typer(
    name="tabular-inversion",
    help="Do these Q-values determine the world, and can I prove it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

World = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="fourrooms:windy, gym:Taxi-v4, chain:N, riverswim:N, random:n=20,m=3,branching=4,seed=0, graph:K3,3, "
        "graph:EDGES, or a .npz or .json file.",
    ),
]
GoalText = Annotated[
    str, typer.Option("--goals", help="indicator, indicator:3,17, generic:K[,seed=0] or gaussian:K[,seed=0].")
]
ClassText = Annotated[
    str, typer.Option("--class", help="unconstrained, stochastic, supported, sparse:N or deterministic.")
]
PolicyText = Annotated[str, typer.Option("--policy", help="optimal or uniform.")]
DiscountText = Annotated[
    str | None,
    typer.Option("--discount", help="A number in [0, 1], also as a fraction: 1/2. At 1, every episode must end."),
]
INTERRUPTED = 130
"""The exit status that shells give to a command ended by Ctrl-C."""

# Typer carries its own copy of click since 0.16: its exceptions are found through one that it exports.
UsageProblem: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]


def read_discount(text: str | None) -> Fraction | None:
    """Read a discount such as 0.99 or 1/2, exactly; None stays None.

    Examples
    --------
    >>> read_discount("0.99")
    Fraction(99, 100)
    """
    if text is None:
        return None
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError) as problem:
        raise DiscountError(f"discount is {text!r}; expected a number in [0, 1] such as 0.99 or 1/2.") from problem
    if not 0 <= value <= 1:
        raise DiscountError(f"discount is {text}; expected 0 <= discount <= 1.")
    return value


@app.command()
def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Statements to check; all if none.")
    ] = None,
    effort: Annotated[str, typer.Option(help="quick (under a minute), standard or full.")] = "quick",
    seed: Annotated[int, typer.Option(help="Of every random instance.")] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Processes; the results do not depend on them.", show_default="all cores")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="[FILE]", help="The report as JSON, on standard output if no FILE.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="The report as one self-contained page.")
    ] = None,
) -> None:
    """Recover the worlds of public environments from Q-values alone, and check every statement."""
    request = verify_report.Request(tuple(ids or ()), effort, seed, workers)  # type: ignore[arg-type]
    raise typer.Exit(verify_report.run(request, json_file=json_file, html_file=html_file))


@app.command()
def identify(
    environment: World,
    goals: GoalText = "indicator",
    kernel_class: ClassText = "stochastic",
    scope: Annotated[str, typer.Option(help="instance (this agent's rows) or uniform (every member).")] = "instance",
    policy: PolicyText = "optimal",
    discount: DiscountText = None,
    exact: Annotated[bool, typer.Option("--exact", help="Decide in rational arithmetic, with proof.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide whether an agent's values determine the world, with a witness if they do not."""
    chosen = questions.check_choice("scope", scope, Scope)
    question = questions.Question(environment, goals, kernel_class, policy, read_discount(discount))
    answer = questions.identify(question, chosen, exactly=exact)
    print_json(answer) if as_json else questions.show_verdict(answer)


@app.command()
def invert(
    environment: World,
    goals: GoalText = "indicator",
    kernel_class: ClassText = "stochastic",
    policy: PolicyText = "optimal",
    discount: DiscountText = None,
    noise: Annotated[float, typer.Option(help="How far each Q-value may be from the truth.")] = 0.0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="KERNEL.npz", help="Write the recovered world here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recover the kernel from an agent's values and compare it with the truth where that is known."""
    question = questions.Question(environment, goals, kernel_class, policy, read_discount(discount))
    answer = questions.invert(question, noise=noise, output=output)
    print_json(answer) if as_json else questions.show_inversion(answer)


@app.command()
def discounts(
    environment: World,
    goals: GoalText = "indicator",
    policy: PolicyText = "optimal",
    discount: Annotated[
        str | None, typer.Option("--discount", help="Also say what the ranks are at this one, such as 1/2.")
    ] = None,
    witness: Annotated[
        bool, typer.Option("--witness", help="Also show two kernels with the same values at an exceptional discount.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the smallest singular value of M here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the discounts at which goals that suffice elsewhere do not, exactly."""
    asked = read_discount(discount)
    question = discount_answers.DiscountQuestion(environment, goals, policy, asked, witness, plot)
    answer = discount_answers.find(question)
    print_json(answer) if as_json else discount_answers.show(answer)


@app.command()
def goals(
    environment: World,
    goals: Annotated[
        str | None,
        typer.Option(
            "--goals", help="Those you have, such as indicator:3,17; when omitted, all candidates are judged."
        ),
    ] = None,
    kernel_class: ClassText = "supported",
    rewards: Annotated[str, typer.Option(help="Of the candidates: indicator (each state) or generic.")] = "indicator",
    policy: PolicyText = "optimal",
    discount: DiscountText = None,
    seconds: Annotated[float, typer.Option(help="How long to look for a smaller set.")] = 60.0,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw goals, doors and unknown states here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide whether goals determine the world before anyone trains, and find the smallest set that does."""
    asked = read_discount(discount)
    question = goal_answers.GoalsQuestion(environment, goals, kernel_class, rewards, policy, asked, seconds, plot)
    answer = goal_answers.answer(question)
    print_json(answer) if as_json else goal_answers.show(answer)


@app.command()
def reproduce(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help=f"{', '.join(experiments.EXPERIMENTS)}.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to write; a run that was interrupted there goes on."),
    ] = None,
    effort: Annotated[str, typer.Option(help="quick, standard or full.")] = "quick",
    seed: Annotated[int, typer.Option(help="The first seed; others follow it.")] = 0,
    points: Annotated[
        int | None, typer.Option(help="Grid points along each coordinate of mountaincar or reacher, instead of effort.")
    ] = None,
) -> None:
    """Run a published experiment and print its numbers beside ours; figures, data and a report go to a folder."""
    raise typer.Exit(experiments.run(experiment, out=out, effort=effort, seed=seed, points=points))


def name_standard_output(arguments: list[str]) -> list[str]:
    """Give a ``--json`` of `verify` that names no file the name of standard output.

    Examples
    --------
    >>> name_standard_output(["verify", "--json", "--seed", "1"])
    ['verify', '--json=-', '--seed', '1']
    >>> name_standard_output(["verify", "--json", "report.json"])
    ['verify', '--json', 'report.json']
    """
    if arguments[:1] != ["verify"]:
        return arguments
    following = [*arguments[1:], "--"]
    bare = [a == "--json" and b.startswith("-") and b != "-" for a, b in zip(arguments, following, strict=True)]
    return ["--json=-" if alone else argument for argument, alone in zip(arguments, bare, strict=True)]


def _complain(message: str) -> None:
    MESSAGES.print(f"error: {message}", style="red", markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line: 0 asked and answered, 1 a statement failed, 2 a wrong call, in one clear line.

    Examples
    --------
    >>> import sys
    >>> from unittest.mock import patch
    >>> with patch.object(sys, "argv", ["tabular-inversion", "identify", "chain:3", "--goals", "vague"]):
    ...     main()
    Traceback (most recent call last):
    SystemExit: 2
    """
    try:
        status = app(args=name_standard_output(sys.argv[1:]), standalone_mode=False)
    except TabularInversionError as problem:
        _complain(str(problem))
        status = 2
    except UsageProblem as problem:
        _complain(problem.format_message())
        status = 2
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    if status == INTERRUPTED:  # Typer turns most interrupts into this status itself
        MESSAGES.print("interrupted", style="red")
    sys.exit(status if isinstance(status, int) else 0)
