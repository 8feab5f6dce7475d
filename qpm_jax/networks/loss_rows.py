"""Rows of the hinge losses, docs/networks.md (j)."""

import numpy as np

from qpm_jax.networks.columns import NetworkColumns
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.rows import Rows, make_rows


def loss_rows(problem: NetworkProblem, columns: NetworkColumns) -> Rows:
    """Rows ξ_i ≥ 1 + o_ic − o_iy for c ≠ y, or ξ_ib ≥ 1 ∓ o_ib.

    Args:
        problem: the problem.
        columns: its variables.
    """
    values, labels = columns.layers[-1].values, problem.labels
    if problem.label_encoding == "binary":
        signs = problem.codes[labels]
        return make_rows([(columns.losses, 1.0), (values, signs)], lower=1.0)
    instances, classes = values.shape
    places = np.arange(classes - 1) + (np.arange(classes - 1) >= labels[:, None])
    rivals = np.take_along_axis(values, places, axis=1)
    own = values[np.arange(instances), labels][:, None]
    return make_rows([(columns.losses, 1.0), (own, 1.0), (rivals, -1.0)], lower=1.0)
