"""No public function answers a wrong kind of argument with a raw error or a leaked warning."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from kinds_table import call_of, cases, outcome, public, wrong_kinds

from tabular_inversion import kinds
from tabular_inversion.errors import InputError

KINDS = ("None", "a string", "a class", "a negative")
# Not yet checked: arrays of a wrong number of axes in what recovery takes, tables and models of other packages.
OPEN = ("recovery.", "interop.", "Simulator.step", "Supported.rows", "Grid.corners", "learning_curve", "p_learning")


def _leaks(kinds: tuple[str, ...]) -> list[str]:
    wrong = wrong_kinds()
    found = []
    for name, function, given in cases():
        if any(part in name for part in OPEN):
            continue
        for parameter in set(given) - {"temperature", "width"}:
            for kind in kinds:
                leaked = outcome(function, {**given, parameter: wrong[kind]})
                if leaked:
                    found.append(f"{name}({parameter}={kind}): {leaked}")
    return found


def test_wrong_kinds_are_refused_in_one_line():
    assert _leaks(KINDS) == []


@pytest.mark.slow
def test_all_wrong_kinds_are_refused_in_one_line():
    assert _leaks(tuple(wrong_kinds())) == []


def test_most_public_names_have_a_good_call():
    callable_names = [name for name, thing in public().items() if call_of(name, thing) is not None]
    assert len(callable_names) >= 175


def test_a_raw_error_is_seen():
    assert outcome(lambda x: x.nothing, {"x": 1}).startswith("AttributeError")


def test_what_can_be_gone_through_once_is_not_used_up_and_a_wrong_entry_is_named() -> None:
    def listed(numbers: Iterable[int]) -> list[int]:
        return list(numbers)

    checked = kinds.checked(listed)
    assert checked(number for number in (1, 2)) == [1, 2]
    with pytest.raises(InputError, match=r"^numbers\[1\] is 'two'; expected an integer\.$"):
        checked([1, "two"])
