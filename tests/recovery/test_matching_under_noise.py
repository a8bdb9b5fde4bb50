"""T2b: under noise below half the gap of M's columns the successor is the nearest column, in the units of Q."""

import numpy as np
import pytest

from tabular_inversion import Deterministic, Sparse
from tabular_inversion.recovery import recover


@pytest.mark.parametrize("kernel_class", [Deterministic(), Sparse(1)], ids=["deterministic", "sparse"])
def test_noise_below_the_separation_leaves_every_successor_right(kernel_class):
    # Goals in one power of two whose certainty differs: what is nearest in units of the uncertainty is another column.
    rng, hard = np.random.default_rng(3), 0
    for _ in range(400):
        matrix = rng.uniform(0.0, 1.0, (2, 3)) * np.array([[1.0], [0.5]])
        matrix[:, 2] = 1.9, rng.uniform(1.0, 1.9)
        gaps = np.abs(matrix[:, :, None] - matrix[:, None]).max(axis=0) + np.diag(np.full(3, np.inf))
        values = matrix + 0.49 * gaps.min() * rng.choice([-1.0, 1.0], matrix.shape)
        distances = np.abs(values[:, :, None] - matrix[:, None]) / np.abs(matrix).max(axis=1)[:, None, None]
        hard += int((distances.max(axis=0).argmin(axis=1) != np.arange(3)).any())
        found = recover(matrix, values, kernel_class, row_index=np.arange(3)).rows
        np.testing.assert_array_equal(found.toarray(), np.eye(3))
    assert hard > 20
