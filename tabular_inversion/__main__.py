"""``python -m tabular_inversion``: the command line."""

from tabular_inversion.cli import main

if __name__ == "__main__":
    main()
