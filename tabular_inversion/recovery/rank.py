"""A three-valued answer to whether columns are independent."""

from dataclasses import dataclass
from enum import Enum


class RankStatus(Enum):
    """FULL: the columns are independent. DEFICIENT: they are not. UNKNOWN: floats do not settle it."""

    FULL = "full"
    DEFICIENT = "deficient"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RankDecision:
    """Whether the columns of a system are independent, for all numbers within its uncertainty.

    Attributes
    ----------
    status : RankStatus
        The answer.
    proved : bool
        Whether it rests on rigorous bounds alone: FULL by a left inverse that contracts, DEFICIENT because there are
        fewer equations than unknowns, or because the numbers are exact and dependent. Otherwise it rests on the
        assumption that numbers which coincide as given, where nothing near them differs, coincide in truth.

    Examples
    --------
    >>> RankDecision(RankStatus.FULL, proved=True).status.name
    'FULL'
    """

    status: RankStatus
    proved: bool
