"""What every proof of a verdict has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from tabular_inversion._typing import IntArray
from tabular_inversion.records import Record


@dataclass(frozen=True, eq=False)
class Proof(Record, ABC):
    """Proof of the status of some rows.

    Attributes
    ----------
    rows : numpy.ndarray of int
        Positions, among the available rows, of those that the proof covers.
    """

    rows: IntArray

    @property
    @abstractmethod
    def text(self) -> str:
        """The proof in words."""
