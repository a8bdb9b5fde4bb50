"""Errors: one base, a subclass for each situation.

A message says what is wrong, where (state, action, goal), the value, the limit it breaks and the remedy.
Errors about input are also `ValueError`, so that ``except ValueError`` keeps working for numpy users.
"""

from __future__ import annotations


class TabularInversionError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(TabularInversionError, ValueError):
    """The input is not what the function's documentation asks for."""


class ShapeError(InputError):
    """An array has the wrong number of axes or the wrong size."""


class KernelError(InputError):
    """A transition kernel has a row that is not a distribution, or contradicts its mask of actions."""


class DiscountError(InputError):
    """A discount lies outside [0, 1) or is not a number."""


class GoalsError(InputError):
    """Goals are empty, not finite, out of range, or do not fit the state space."""


class PolicyError(InputError):
    """A policy has a row that is not a distribution over the available actions."""


class AgentValuesError(InputError):
    """Q-values are not finite or do not fit their goals, policy or value operator."""


class KernelClassError(InputError):
    """A kernel class is unknown, empty, or does not fit the state space."""


class SpecificationError(InputError):
    """A text that names an environment, a goal set or a kernel class cannot be understood."""


class FileFormatError(InputError):
    """A file is truncated, altered, of another kind, or written by an unknown version."""


class FileKindError(FileFormatError):
    """A file was written by this package and holds something else than was asked for.

    Attributes
    ----------
    found : object
        The kind that the file names, such as ``"mdp"``.
    """

    def __init__(self, message: str, *, found: object) -> None:
        super().__init__(message)
        self.found = found


class FileAccessError(TabularInversionError, OSError):
    """A file cannot be opened, read or written: no such folder, no permission, no space left."""


class ConvergenceError(TabularInversionError, RuntimeError):
    """An iteration stopped before it reached the accuracy that was asked for."""


class MissingDependencyError(TabularInversionError, ImportError):
    """An optional library is needed and not installed."""

    @classmethod
    def of(cls, purpose: str, library: str, extra: str) -> MissingDependencyError:
        """Return the error that names the library, and an install that works with and without a clone.

        Parameters
        ----------
        purpose : str
            What needs the library, with its verb, such as ``"pictures need"``.
        library : str
            Its name in the package index.
        extra : str
            The extra of this package that it belongs to.

        Examples
        --------
        >>> print(MissingDependencyError.of("pictures need", "matplotlib", "plot"))
        pictures need matplotlib, which is not installed; pip install matplotlib, or in a clone: pip install '.[plot]'.
        """
        return cls(
            f"{purpose} {library}, which is not installed; pip install {library}, or in a clone: "
            f"pip install '.[{extra}]'."
        )
