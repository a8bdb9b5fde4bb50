"""The command line: ``tabular-inversion verify | identify | invert | goals | discounts``."""

from tabular_inversion.cli.app import main

__all__ = ["main"]
