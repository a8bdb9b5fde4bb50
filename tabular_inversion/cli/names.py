"""Words that the help of a command and the command itself share; nothing is imported for them."""

EFFORTS = ("quick", "standard", "full")

EXPERIMENTS = {
    "fourrooms": "four_rooms",
    "mountaincar": "mountain_car",
    "reacher": "reacher",
    "errors": "error_study",
}
"""Modules of `tabular_inversion.experiments`, loaded when they are asked for, each with a function `reproduce`."""

GRIDS = ("mountaincar", "reacher")
"""Experiments whose grids may have another number of points."""


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
