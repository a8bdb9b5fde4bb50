"""The command ``discounts``: its answers, its picture, and wrong calls."""

import json
import sys
from fractions import Fraction
from functools import partial

import pytest

from tabular_inversion.cli import discounts, main
from tabular_inversion.discounts import LongDeterminantError, certified_discounts

KEYS = {"environment", "policy", "n_states", "n_goals", "evidence", "pieces", "discounts", "undecided"} | {
    "classes",
    "negative_type",
    "asked",
    "witness",
    "no_witness_because",
    "seconds",
}


@pytest.fixture
def cli(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", "discounts", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return call


def test_k33_is_exactly_one_half(cli):
    status, out, _ = cli("graph:K3,3", "--goals", "indicator", "--json")
    answer = json.loads(out)
    assert status == 0
    assert set(answer) == KEYS
    (found,) = answer["discounts"]
    assert (found["discount"], found["minimal_polynomial"], found["rank"]) == ("1/2", "2x - 1", 5)
    assert [entry["exceptional"] for entry in answer["classes"]] == [1, 1]
    assert all(entry["suffices_elsewhere"] for entry in answer["classes"])
    metric = answer["negative_type"]
    assert metric["positive"] == 1
    assert [float(Fraction(w)) < 0 for w in metric["weights"]].count(True) == 1
    assert len(metric["factor"]) == len(metric["parents"]) - 1 == 5


def test_an_irrational_discount_has_a_polynomial_and_an_interval(cli):
    _, out, _ = cli("graph:K3,2", "--json")
    (found,) = json.loads(out)["discounts"]
    assert found["discount"] is None
    assert (found["minimal_polynomial"], found["rank"], found["rank_with_ones"]) == ("2x^2 - 1", 4, 5)
    assert found["decimal"] == pytest.approx(0.5**0.5)


@pytest.mark.parametrize(
    ("text", "shown", "rank"),
    [
        ("sqrt(1/2)", "0.7071067812, root of 2x^2 - 1", 4),
        ("(1/2)**(1/2)", "0.7071067812, root of 2x^2 - 1", 4),
        ("(sqrt(5) - 1) / 2", "0.6180339887, root of x^2 + x - 1", 5),
        ("sqrt(1/4)", "1/2", 5),
    ],
)
def test_algebraic_discounts_are_understood(cli, text, shown, rank):
    _, out, _ = cli("graph:K3,2", "--discount", text, "--json")
    assert json.loads(out)["asked"] == {"discount": shown, "rank": rank, "rank_with_ones": 5}


@pytest.mark.parametrize(
    "text", ["sqrt(2)", "sqrt(-1)", "sqrt(x)", "2**(2**99)", "sqrt(1/0)", "__import__('os')**2", "sqrt("]
)
def test_what_is_no_algebraic_discount_is_one_clear_line(cli, text):
    status, out, err = cli("graph:K3,2", "--discount", text)
    assert (status, out) == (2, "")
    assert "discount is" in err
    assert "Traceback" not in err


def test_an_irrational_discount_is_refused_where_numbers_are_fractions(monkeypatch, capsys):
    for options in (["--exact"], []):
        monkeypatch.setattr(
            sys, "argv", ["tabular-inversion", "identify", "graph:K3,2", "--discount", "sqrt(1/2)", *options]
        )
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        assert "`tabular-inversion discounts ENV --discount 'sqrt(1/2)'`" in " ".join(capsys.readouterr().err.split())


def test_petersen_has_none(cli):
    status, out, _ = cli("graph:petersen")
    assert status == 0
    assert "no exceptional discount" in out
    assert "of negative type, which proves" in out
    assert "not of negative type: nullities add up to at least 1" in cli("graph:K3,2")[1]
    assert json.loads(cli("graph:K3", "--policy", "uniform", "--json")[1])["negative_type"] is None


def test_people_get_a_table_a_witness_and_a_picture(cli, tmp_path):
    picture = tmp_path / "curve.png"
    status, out, _ = cli("graph:K3,3", "--witness", "--discount", "1/2", "--plot", picture)
    assert status == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    for text in ("1/2", "13/24", "7/12", "rank [M;1] = 5", "noisy"):
        assert text in out


def test_uniform_policies_and_few_goals(cli):
    _, out, _ = cli("chain:4", "--policy", "uniform", "--goals", "indicator:0,1", "--json", "--discount", "0.5")
    answer = json.loads(out)
    assert answer["asked"] == {"discount": "1/2", "rank": 2, "rank_with_ones": 3}
    assert not any(entry["suffices_elsewhere"] for entry in answer["classes"])
    status, out, _ = cli("chain:4", "--policy", "uniform", "--goals", "indicator:0,1")
    assert (status, "do not suffice" in out) == (0, True)


def test_worlds_of_thirds_are_read_exactly(cli):
    status, out, _ = cli(
        "gym:FrozenLake-v1,is_slippery=true", "--goals", "indicator:1,5", "--policy", "uniform", "--json"
    )
    assert status == 0
    assert json.loads(out)["n_states"] == 16


@pytest.fixture
def long_determinants(monkeypatch):
    """Make every determinant too long for the exact way."""

    def refuse(*_, **__):
        raise LongDeterminantError("too long")

    monkeypatch.setattr(discounts, "exceptional_discounts", refuse)


@pytest.mark.usefixtures("long_determinants")
def test_determinants_that_are_too_long_are_replaced_by_certified_intervals(cli, tmp_path):
    picture = tmp_path / "curve.png"
    _, out, _ = cli("graph:K3,2", "--json", "--witness", "--plot", picture)
    answer = json.loads(out)
    assert set(answer) == KEYS
    assert (answer["evidence"], answer["undecided"], answer["witness"]) == ("certified", [], None)
    (found,) = answer["discounts"]
    assert (found["minimal_polynomial"], found["rank"], found["rank_with_ones"]) == (None, 4, 5)
    assert Fraction(found["interval"][0]) ** 2 < Fraction(1, 2) < Fraction(found["interval"][1]) ** 2
    assert picture.stat().st_size
    status, out, _ = cli("graph:K3,2")
    assert status == 0
    assert "certified by ball arithmetic" in out
    assert "the only one within" in out


@pytest.mark.usefixtures("long_determinants")
def test_what_is_undecided_is_said(cli, monkeypatch):
    few = partial(certified_discounts, max_intervals=3)
    monkeypatch.setattr(discounts, "certified_discounts", few)
    _, out, _ = cli("graph:K3,3")
    assert "nothing is proved from" in out
    assert "no exceptional discount elsewhere in (0, 1)" in out


@pytest.mark.slow
def test_windy_four_rooms_has_no_exceptional_discount(cli):
    status, out, _ = cli("fourrooms:windy", "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["evidence"], answer["discounts"], answer["undecided"]) == ("certified", [], [])


@pytest.mark.slow
def test_four_rooms(cli):
    status, out, _ = cli("fourrooms:deterministic", "--json")
    answer = json.loads(out)
    assert status == 0
    assert [round(found["decimal"], 6) for found in answer["discounts"]] == [0.812344, 0.899337]


WRONG_CALLS = {
    "goal outside": ("chain:4", "--goals", "indicator:9"),
    "graph without edges": ("graph:K1",),
    "empty edge list": ("graph:empty.txt",),
    "discount list": ("graph:K3,3", "--discount", "0.5,0.6"),
    "discount of one": ("graph:K3,3", "--discount", "1"),
    "unknown policy": ("graph:K3,3", "--policy", "greedy-ish"),
    "unknown environment": ("fiverooms",),
    "unknown graph": ("graph:nowhere",),
    "folder does not exist": ("graph:K3,3", "--plot", "nowhere/curve.png"),
    "no picture format": ("graph:K3,3", "--plot", "curve.xyz"),
    "no environment": (),
}


@pytest.mark.parametrize("arguments", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls_end_with_two_and_one_line(cli, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("# no edge\n")
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    assert err.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.txt"]
