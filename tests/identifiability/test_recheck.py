"""Re-checking: what it compares, what it refuses to know, and residuals in the units of Q."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import AgentValues, Goals, Status, Stochastic, Unconstrained, exact, identify, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.exact import ExactAgentValues, ExactGoals
from tabular_inversion.identifiability import ValuesQuestion, recheck
from tabular_inversion.identifiability import verify as check_again
from tabular_inversion.identifiability.verification import _same_text


def agent_of(goals=4, n=4):
    return solve(random_mdp(n, 2, seed=0), Goals.generic(n, goals, seed=0))


@pytest.mark.parametrize("unit", [1.0, 2.0**-40, 2.0**40])
def test_the_largest_residual_is_in_the_units_of_q(unit):
    """One goal at discount 0 pays 0 or 1 unit: a value of 3 units is 2 away from every distribution's."""
    goals = Goals([[0.0, unit]])
    agent = AgentValues([[[3.0 * unit], [0.5 * unit]]], goals, discount=0.0)
    verdict = identify(agent, Stochastic())
    assert verdict.row(0, 0) is Status.INCONSISTENT
    assert verdict.largest_residual == pytest.approx(2.0 * unit)
    exactly = identify(ExactAgentValues.from_float(agent), Stochastic())
    assert exactly.row(0, 0) is Status.INCONSISTENT
    assert exactly.largest_residual == pytest.approx(2.0 * unit)
    for found in (verdict, exactly):
        found.verify()
        with pytest.raises(WitnessError, match="largest_residual"):
            replace(found, largest_residual=2.0 * unit * 1.001).verify()


def test_no_residual_is_claimed_where_none_is_asked_for():
    assert np.isnan(identify(agent_of(), Stochastic(), scope="uniform").largest_residual)


@dataclass(frozen=True, eq=False)
class EasyQuestion(ValuesQuestion):
    """A question of somebody else's, which nothing here decides."""


def test_a_question_of_an_unknown_type_is_refused():
    verdict = identify(agent_of(), Stochastic())
    asked = verdict.question
    with pytest.raises(WitnessError, match="question: nothing here decides a question of type EasyQuestion"):
        replace(verdict, question=EasyQuestion(asked.agent, asked.kernel_class, asked.scope)).verify()
    with pytest.raises(InputError, match="question is None"):
        replace(verdict, question=None)


def test_the_function_and_the_method_are_one():
    verdict = identify(agent_of(), Stochastic())
    check_again(verdict)
    with pytest.raises(WitnessError, match="rank"):
        check_again(replace(verdict, rank=3))


def test_a_decider_that_depends_on_the_order_of_states_is_noticed(monkeypatch):
    verdict = identify(agent_of(), Stochastic())
    asked = []

    def fickle(agent, kernel_class, **options):
        found = identify(agent, kernel_class, **options)
        asked.append(agent)
        if len(asked) == 1:
            return found
        return replace(found, row_status=np.full_like(found.row_status, Status.NOT_IDENTIFIED))

    monkeypatch.setattr(recheck, "identify", fickle)
    with pytest.raises(WitnessError, match="with the states in another order"):
        verdict.verify()
    np.testing.assert_array_equal(asked[1].q, asked[0].q[:, ::-1])


@pytest.mark.parametrize(
    ("claimed", "found", "same"),
    [
        ("sigma 1.25e-01", "sigma 1.25e-01", True),
        ("sigma 1.25e-01", "sigma 1.26e-01", True),
        ("sigma 1.25e-01", "sigma 1.27e-01", False),
        ("sigma 1.25e-01", "sigma 1.25e-02", False),
        ("sigma 3.1e-16", "sigma 0.0", True),
        ("sigma 3.1e-16", "sigma 4.4e-17", True),
        ("noise of 1e-12", "noise of 0.001", False),
        ("rank 3 of 4", "rank 4 of 4", False),
        ("rank 3", "rank 3, surely", False),
        ("-1.5", "1.5", False),
    ],
)
def test_reasons_are_the_same_up_to_the_last_digit(claimed, found, same):
    assert _same_text(claimed, found) == same


def test_exact_and_float_questions_are_not_exchanged():
    """Floats taken as fractions are another question: its verdict carries the fractions."""
    agent = agent_of()
    verdict = identify(agent, Unconstrained(), scope="uniform", exact=True)
    assert isinstance(verdict.agent, ExactAgentValues)
    verdict.verify()
    with pytest.raises(WitnessError):
        replace(verdict, question=replace(verdict.question, agent=agent)).verify()
    with pytest.raises(WitnessError, match="noise"):
        replace(verdict, question=replace(verdict.question, noise=0.1)).verify()


def test_verdicts_are_equal_where_everything_is():
    goals = ExactGoals([[0, 1, Fraction(1, 3)], [1, 0, 2]])
    world = exact.ExactMDP([[["1/2", "1/2", 0]], [[0, 1, 0]], [["1/3", "1/3", "1/3"]]], "9/10")
    first, second = (identify(exact.solve(world, goals), Stochastic()) for _ in range(2))
    assert first == second
    assert first.witness == second.witness
    assert first.proofs == second.proofs
    assert first != identify(exact.solve(world, goals), Stochastic(), scope="uniform")
    assert first != replace(first, rank=first.rank + 1)
