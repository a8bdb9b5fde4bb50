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
    """How strong an answer is: floats with a tolerance, right with a stated probability, rigorous floats, fractions.

    STATISTICAL is CERTIFIED but for the noise, which was bounded with less than certainty
    (`Verdict.error_probability`).

    Examples
    --------
    >>> Evidence.NUMERIC < Evidence.STATISTICAL < Evidence.CERTIFIED < Evidence.EXACT
    True
    """

    NUMERIC = 0
    STATISTICAL = 1
    CERTIFIED = 2
    EXACT = 3
