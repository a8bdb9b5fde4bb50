"""The options of the commands, and how their texts are read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabular_inversion.errors import DiscountError, InputError

if TYPE_CHECKING:  # --help loads no room
    from tabular_inversion.exact.polynomials.roots import AlgebraicNumber

_SMALLEST_EXPONENT = -400
"""Of a discount: below lies nothing that a float tells from 0, and writing it out as a fraction may take for ever."""

World = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="fourrooms:windy, gym:Taxi-v4, chain:N, riverswim:N, random:n=20,m=3,branching=4,seed=0, graph:K3,3, "
        "graph:EDGES, prism:FILE.tra, umb:FILE, or a .npz or .json file of a world.",
    ),
]
WorldOrValues = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="fourrooms:windy, gym:Taxi-v4, chain:N, riverswim:N, random:n=20,m=3,branching=4,seed=0, graph:K3,3, "
        "graph:EDGES, prism:FILE.tra, umb:FILE, or a .npz or .json file of a world, or of an agent's values; or your "
        "own Q[goal, state, action] as .npy, or as q in a .npz.",
    ),
]
ReportFile = Annotated[
    Path | None, typer.Option("--json", metavar="[FILE]", help="The report as JSON, on standard output if no FILE.")
]
ReportPage = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="The report as one self-contained page.")
]
GoalText = Annotated[
    str,
    typer.Option(
        "--goals",
        help="indicator, indicator:3,17 (numbers or names of states), generic:K[,seed=0] or gaussian:K[,seed=0].",
    ),
]
GoalsOrSome = Annotated[
    str | None,
    typer.Option(
        "--goals",
        help="indicator, indicator:3,17 (numbers or names of states), generic:K[,seed=0] or gaussian:K[,seed=0]; or a "
        ".npz of rewards[goal, state] and continuation. Of an agent's values: which of its goals to look at, also by "
        "their names.",
        show_default="indicator, or all of the agent's",
    ),
]
ClassText = Annotated[
    str,
    typer.Option(
        "--class",
        help="unconstrained, stochastic, supported (supported:ENV or a .npy of a mask), sparse:N or deterministic.",
    ),
]
PolicyText = Annotated[str, typer.Option("--policy", help="optimal or uniform.")]
PolicyOrOwn = Annotated[
    str | None,
    typer.Option("--policy", help="optimal or uniform.", show_default="optimal, or the agent's"),
]
DiscountText = Annotated[
    str | None,
    typer.Option("--discount", help="A number in [0, 1], also as a fraction: 1/2. At 1, every episode must end."),
]
NoiseText = Annotated[
    str | None,
    typer.Option("--noise", metavar="EPS|float32", help="How far each Q-value may be from the truth, in units of Q."),
]
CandidateText = Annotated[
    str | None,
    typer.Option(
        "--rewards",
        help="Of the candidates: indicator (each state) or generic.",
        show_default="indicator, or the agent's",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Do the rows in so many processes.", show_default="one"),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="Do the rows on a dask cluster, such as tcp://host:8786."),
]
Picture = Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw the answer here.")]
Certificate = Annotated[
    Path | None,
    typer.Option(
        "--certificate", metavar="FILE", help="Write what proves the exact answer here, for `tabular-inversion check`."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]


def read_discount(text: str | None) -> Fraction | None:
    """Read a discount such as 0.99 or 1/2, exactly; None stays None.

    Raises
    ------
    DiscountError
        If it is no number in [0, 1]; or if it is irrational, which neither a float nor a fraction is.

    Examples
    --------
    >>> read_discount("0.99")
    Fraction(99, 100)
    """
    number = read_any_discount(text)
    if number is not None and not isinstance(number, Fraction):
        raise DiscountError(
            f"discount is {text}, which no float or fraction is; `tabular-inversion discounts ENV --discount '{text}'` "
            f"says exactly whether the goals suffice there, and {float(number):.10g} is near it."
        )
    return number


def read_any_discount(text: str | None) -> Fraction | AlgebraicNumber | None:
    """Read a discount that may be irrational too, such as sqrt(1/2).

    Examples
    --------
    >>> read_any_discount("sqrt(1/2)").minimal_polynomial
    (-1, 0, 2)
    """
    if text is None:
        return None
    if "sqrt" in text or "**" in text:
        from tabular_inversion.exact.polynomials.reading import read_algebraic

        found = read_algebraic(text)
        return found if found.value is None else found.value
    try:
        value = Fraction(text) if "/" in text else _decimal(text)
    except (ValueError, ZeroDivisionError, InvalidOperation, OverflowError) as problem:
        raise DiscountError(
            f"discount is {text[:40]!r}; expected a number in [0, 1] such as 0.99 or 1/2; for `discounts` also with "
            "roots: sqrt(1/2)."
        ) from problem
    if not 0 <= value <= 1:
        raise DiscountError(f"discount is {text[:40]}; expected 0 <= discount <= 1.")
    return value


def _decimal(text: str) -> Fraction:
    value = Decimal(text)
    if value.is_finite() and (value == 0 or _SMALLEST_EXPONENT < value.adjusted() < 1):
        return Fraction(value)
    raise ValueError("out of range")


def read_noise(text: str | None) -> float | str | None:
    """Read a noise: a number of at least 0, or the float type that rounded the values; None stays None.

    Examples
    --------
    >>> read_noise("1e-3"), read_noise("float32")
    (0.001, 'float32')
    """
    if text is None or text in {"float32", "float16"}:
        return text
    try:
        value = float(text)
    except ValueError as problem:
        raise InputError(f"noise is {text[:40]!r}; expected a number of at least 0, float32 or float16.") from problem
    if not 0 <= value < float("inf"):
        raise InputError(f"noise is {text[:40]}; expected a finite number of at least 0.")
    return value
