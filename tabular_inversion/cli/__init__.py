"""The command line: ``tabular-inversion verify | identify | invert | goals | discounts | reproduce``."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line on `sys.argv`, and exit as `tabular_inversion.cli.process` says.

    Examples
    --------
    >>> from unittest.mock import patch
    >>> with patch.object(sys, "argv", ["tabular-inversion", "identify", "chain:3", "--goals", "vague"]):
    ...     main()
    Traceback (most recent call last):
    SystemExit: 2
    """
    try:
        # Imported here, so that Ctrl-C meets a handler from the first import on.
        from tabular_inversion.cli.process import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        status = 130
    # An interrupt that leaves code run from a text, as that of a dataclass is, is remembered whoever catches it, and
    # `python -m` ends by the signal instead of with our status; it is forgotten where the next such code starts.
    eval("0")  # noqa: S307
    sys.exit(status)
