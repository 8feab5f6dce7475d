"""Rows of the hinge losses, docs/networks.md (j)."""

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.programs.rows import Rows, make_rows


def loss_rows(
    values: Int[np.ndarray, "N O"],
    losses: Int[np.ndarray, "N K"],
    labels: Int[np.ndarray, " N"],
    codes: Float[np.ndarray, "C O"] | None,
) -> Rows:
    """Rows ξ_i ≥ 1 + o_ic − o_iy for c ≠ y, or ξ_ib ≥ 1 ∓ o_ib.

    Args:
        values: o.
        losses: ξ; [N, 1] for "one_hot", [N, O] for "binary".
        labels: [N].
        codes: the classes' codes of ±1 for "binary", None for "one_hot".
    """
    if codes is not None:
        return make_rows([(losses, 1.0), (values, codes[labels])], lower=1.0)
    instances, classes = values.shape
    places = np.arange(classes - 1) + (np.arange(classes - 1) >= labels[:, None])
    rivals = np.take_along_axis(values, places, axis=1)
    own = values[np.arange(instances), labels][:, None]
    return make_rows([(losses, 1.0), (own, 1.0), (rivals, -1.0)], lower=1.0)
