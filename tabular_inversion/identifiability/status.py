"""The four answers, and how strong one is."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The four answers, in the order in which they decide the overall status (the last one present wins).

    Examples
    --------
    >>> max(Status.IDENTIFIED, Status.NOT_IDENTIFIED).name
    'NOT_IDENTIFIED'
    """

    IDENTIFIED = 0
    UNDECIDED = 1
    NOT_IDENTIFIED = 2
    INCONSISTENT = 3


class Evidence(IntEnum):
    """How strong an answer is: floats with a tolerance, floats with a rigorous bound, rational arithmetic.

    Examples
    --------
    >>> Evidence.NUMERIC < Evidence.CERTIFIED < Evidence.EXACT
    True
    """

    NUMERIC = 0
    CERTIFIED = 1
    EXACT = 2
