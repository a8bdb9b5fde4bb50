"""Every counterexample that the theory promises is in the report of a quick run, and shown."""

import json

import pytest

from proofs_checks.commands.verify_report import Request, collect

PROMISED = [
    ("constant reward (rank 1)", "T2a", "constant reward (rank 1)"),
    ("constant reward (rank 1), among stochastic kernels", "T3a", "a constant reward: [M;1] has rank 1"),
    ("symmetric rewards on a symmetric graph", "T2a", "symmetric rewards on a symmetric graph"),
    ("one goal, stochastic world", "T2a", "one goal, stochastic world"),
    ("one indicator goal, deterministic world", "T2a", "one indicator goal, deterministic world"),
    ("one generic goal, deterministic world judged among stochastic kernels", "T2a",
     "one generic goal, deterministic world judged among stochastic kernels"),
    ("a goal no one can reach (a zero row)", "T3a", "a goal no one can reach"),
    ("a goal no one can reach, on a known support", "T5a", "a goal no one can reach"),
    ("a goal no one can reach, among goals of a graph", "G1", "a goal that no one can reach: a zero row"),
    ("N - 2 goals with known support", "T5a", "N - 2 goals"),
    ("2N - 2 goals with unknown support (N = 2)", "T5b", "2N - 2 goals: N = 2"),
    ("X1-witness", "X1", "X1-witness"),
    ("a single shared sample in P-learning", "T1", "a single shared sample in P-learning"),
    ("noise at the T2(b) threshold, infinity-norm", "T2b", "noise at the T2(b) threshold, infinity-norm"),
    ("noise at the T2(b) threshold, 1-norm", "T2b", "noise at the T2(b) threshold, 1-norm"),
    ("noise at the T2(b) threshold, 2-norm", "T2b", "noise at the T2(b) threshold, 2-norm"),
    ("near-singular M: a float rank is wrong, the exact one right", "S1",
     "numpy finds rank 2 of [M;1], which has rank 3"),
]  # fmt: skip


@pytest.fixture(scope="module")
def report():
    """The statements above as ``verify --effort quick --json`` prints them; checks and mutations are run elsewhere."""
    from proofs_checks import running

    ids = tuple(dict.fromkeys(name for _, name, _ in PROMISED))
    with pytest.MonkeyPatch.context() as patch:
        whole = running.jobs_of

        def replays(*arguments):
            return [job for job in whole(*arguments) if job.kind == "counterexamples"]

        patch.setattr("proofs_checks.commands.verify_report.jobs_of", replays)
        found = collect(Request(ids=ids, effort="quick", workers=1))
    return {row["id"]: row for row in json.loads(json.dumps(found))["statements"]}


@pytest.mark.parametrize(("promised", "name", "words"), PROMISED, ids=[f"{p[1]}: {p[0]}" for p in PROMISED])
def test_the_counterexample_is_shown(report, promised, name, words):
    [example] = [e for e in report[name]["counterexamples"] if words in e["text"]]
    assert example["shown"], promised


def test_the_exact_witness_is_the_one_that_is_promised(report):
    [example] = [e for e in report["X1"]["counterexamples"] if "X1-witness" in e["text"]]
    assert example["instance"]["discount"] == "1/2"
    assert example["instance"]["extra"]["step"] == ["-1/24"] * 3 + ["1/24"] * 3
    assert len(example["instance"]["rewards"]) == 6
