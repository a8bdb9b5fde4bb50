"""Words that the help of a command and the command itself share; nothing is imported for them."""

EFFORTS = ("quick", "standard", "full")

EXPERIMENTS = {
    "fourrooms": "four_rooms",
    "mountaincar": "mountain_car",
    "reacher": "reacher",
    "errors": "error_study",
    "coverage": "coverage",
}
"""Modules of `tabular_inversion.experiments`, loaded when they are asked for, each with a function `reproduce`."""

GRIDS = ("mountaincar", "reacher")
"""Experiments whose grids may have another number of points."""
