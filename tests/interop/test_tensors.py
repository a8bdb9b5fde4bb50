"""Arrays of other packages, through the array interface of numpy: their float type is remembered."""

from typing import Any

import numpy as np
import pytest

from tabular_inversion import MDP, AgentValues, Goals, Status, Stochastic, identify, solve

WORLD = MDP([[[0.5, 0.5, 0.0]], [[0.0, 0.25, 0.75]], [[0.3, 0.0, 0.7]]], discount=0.9)
AGENT = solve(WORLD, Goals.generic(3, 3, seed=0))


class Tensor:
    """What torch and jax show of an array: no list, no ndarray, but an array when asked."""

    def __init__(self, values: Any, kind: str) -> None:
        self._values = np.asarray(values, kind)
        self.dtype, self.shape, self.ndim = f"torch.{kind}", self._values.shape, self._values.ndim

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._values.astype(dtype or self._values.dtype)


@pytest.mark.parametrize("kind", ["float64", "float32", "float16"])
def test_what_has_an_array_is_one(kind: str) -> None:
    agent = AgentValues(Tensor(AGENT.q, kind), Goals(Tensor(AGENT.goals.rewards, "float64")), 0.9)  # type: ignore[arg-type]
    assert agent.noise == (None if kind == "float64" else kind)
    np.testing.assert_array_equal(agent.q, AGENT.q.astype(kind).astype(float))
    assert identify(agent, Stochastic()).status is not Status.INCONSISTENT
    assert MDP(Tensor(WORLD.kernel, "float64"), 0.9) == WORLD  # type: ignore[arg-type]


def test_tensors_of_torch() -> None:
    torch = pytest.importorskip("torch")
    agent = AgentValues(torch.tensor(AGENT.q).float(), AGENT.goals, 0.9)
    assert agent.noise == "float32"
    assert identify(agent, Stochastic()).status is not Status.INCONSISTENT


def test_arrays_of_jax() -> None:
    numpy = pytest.importorskip("jax.numpy")
    agent = AgentValues(numpy.asarray(AGENT.q), AGENT.goals, 0.9)
    assert agent.noise == "float32"
    assert identify(agent, Stochastic()).status is not Status.INCONSISTENT
