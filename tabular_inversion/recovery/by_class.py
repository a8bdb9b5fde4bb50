"""Which method finds the rows of each kernel class, and which options it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import InputError, KernelClassError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.recovery.closed_form import only_distributions, only_rows, unconstrained_rows
from tabular_inversion.recovery.column_matching import column_matching, matched, two_nearest, value_scale
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.simplex import factored_for_simplex, simplex_rows
from tabular_inversion.recovery.sparse_support import sparse_rows
from tabular_inversion.recovery.supported import supported_rows
from tabular_inversion.recovery.system import RowSystem

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a method is given.

    Attributes
    ----------
    system : RowSystem
        Of the agent and the class, as it was scaled.
    weights : numpy.ndarray of int, shape (k, 1)
        The powers of two by which the equations of the system were multiplied.
    tests, values, doubt : numpy.ndarray, shapes (k, n), (k, R), (k, n)
        M, the right-hand sides, and how far M may be off, with these weights.
    kernel_class : KernelClass
        Where to look.
    row_index : numpy.ndarray of int, shape (R,)
        Numbers s*A + a of the rows.
    prior : numpy.ndarray, shape (n,) or (R, n), or None
        Which rows to prefer.
    norm : float
        In which columns are compared.
    progress : callable or None
        ``progress(done, total)``.
    """

    system: RowSystem
    weights: IntArray
    tests: FloatArray
    values: FloatArray
    doubt: FloatArray
    kernel_class: Any
    row_index: IntArray
    prior: FloatArray | None = None
    norm: float = np.inf
    progress: Callable[[int, int], None] | None = None

    def once(self, name: str, decompose: Callable[[], T]) -> T:
        """Return a decomposition of `tests`, kept for all systems that share them: the latest two of a name."""
        known: dict[bytes, T] = self.system.kept.setdefault(name, {})
        weights = self.weights.astype(np.int64).tobytes()
        found = known.pop(weights) if weights in known else decompose()
        for oldest in list(known)[:-1]:
            known.pop(oldest, None)
        known[weights] = found
        return found


@dataclass(frozen=True)
class Method:
    """How the rows of a class are found.

    Attributes
    ----------
    find : callable
        ``find(wanted)`` returns a `Recovery` whose rows are members of the class.
    exact : callable, optional
        The same for values that some member explains, whose equations each stand in their own unit; `find` if omitted.
    direct : callable, optional
        ``direct(system)`` returns the only rows that there are, with their rank, where one decomposition gives them.
    takes : frozenset of str
        Which of "prior" and "norm" it uses; the others are refused.
    by_rank : bool
        Whether independent columns settle a row, and rows that lack equations may be found by those that others have.
    """

    find: Callable[[Wanted], Recovery]
    takes: frozenset[str] = frozenset()
    exact: Callable[[Wanted], Recovery] | None = None
    direct: Callable[[RowSystem], Recovery | None] | None = None
    by_rank: bool = False

    @property
    def seek(self) -> Callable[[Wanted], Recovery]:
        """What finds rows that explain their values."""
        return self.find if self.exact is None else self.exact


def check_options(kernel_class: KernelClass, *, prior: Any, norm: float) -> None:
    """Raise `InputError` for an option that recovery in this class has no use for.

    Parameters
    ----------
    kernel_class : KernelClass
        Of which there is a method.
    prior : array_like or None
        Of use where values leave freedom to choose the nearest row.
    norm : float
        Of use where columns are matched; infinity says nothing.

    Examples
    --------
    >>> check_options(Deterministic(), prior=None, norm=2.0)
    """
    name, takes = type(kernel_class).__name__, METHODS.of(kernel_class).takes
    if norm != np.inf and "norm" not in takes:
        raise InputError(
            f"norm is {norm}, which {name} has no use for: only Deterministic matches columns; leave it out."
        )
    if prior is not None and "prior" not in takes:
        raise InputError(f"a prior is given, which {name} has no use for: no row is averaged there; leave it out.")


def _unconstrained(wanted: Wanted) -> Recovery:
    return unconstrained_rows(wanted.system, wanted.tests, wanted.values, prior=wanted.prior, once=wanted.once)


def _stochastic(wanted: Wanted) -> Recovery:
    factored = wanted.once("affine", lambda: factored_for_simplex(wanted.tests, wanted.doubt))
    return simplex_rows(wanted.tests, wanted.values, prior=wanted.prior, factored=factored)


def _supported(wanted: Wanted) -> Recovery:
    rows, n_states = wanted.kernel_class.support.shape
    expected = wanted.system.n_states
    if n_states != expected or wanted.row_index.max() >= rows:
        raise KernelClassError(
            f"the support has shape {(rows, n_states)}; expected rows up to {int(wanted.row_index.max())} and "
            f"{expected} states, like the agent."
        )
    support = wanted.kernel_class.known_supports(wanted.row_index)
    return supported_rows(wanted.tests, wanted.values, support, prior=wanted.prior, uncertainty=wanted.doubt)


def _sparse(wanted: Wanted) -> Recovery:
    if wanted.kernel_class.max_successors == 1:
        return column_matching(wanted.tests, wanted.values)
    return sparse_rows(wanted.tests, wanted.values, wanted.kernel_class.max_successors, progress=wanted.progress)


def _explaining_vertices(wanted: Wanted) -> Recovery:
    """Columns nearest to the values in units of their uncertainty."""
    return matched(two_nearest(*value_scale(wanted.system))[0], wanted.system.n_states)


def _explaining_sparse(wanted: Wanted) -> Recovery:
    return _explaining_vertices(wanted) if wanted.kernel_class.max_successors == 1 else _sparse(wanted)


def _deterministic(wanted: Wanted) -> Recovery:
    return column_matching(wanted.tests, wanted.values, norm=wanted.norm)


METHODS = ClassTable(
    "recovery",
    {
        Unconstrained: Method(_unconstrained, frozenset({"prior"}), direct=only_rows, by_rank=True),
        Stochastic: Method(_stochastic, frozenset({"prior"}), direct=only_distributions, by_rank=True),
        Supported: Method(_supported, frozenset({"prior"}), by_rank=True),
        Sparse: Method(_sparse, exact=_explaining_sparse),
        Deterministic: Method(_deterministic, frozenset({"norm"}), _explaining_vertices),
    },
)
"""By class, the `Method` that finds its rows."""
