"""A trained network as a Flax module, in double precision whatever JAX is set to.

Labels hang on which of two scores is larger. Single precision would answer differently
where they nearly tie, so the module computes as the host does.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.networks.network import ReLUNetwork


class DenseReLUNetwork(nn.Module):
    """Hidden ReLU layers, a readout, and every class's score.

    Attributes:
        widths: of the hidden layers and the readout.
        codes: C rows of O numbers: a class's score is its code times the outputs.
    """

    widths: Sequence[int]
    codes: Sequence[Sequence[float]]

    @nn.compact
    def __call__(self, features: Float[ArrayLike, "N F"]) -> Float[jax.Array, "N C"]:
        """Scores of every class.

        Args:
            features: [N, F].

        Returns:
            float64 [N, C]; the highest wins, of equal ones the first.
        """
        with jax.enable_x64(True):
            passing = jnp.asarray(features, jnp.float64)
            for layer, width in enumerate(self.widths):
                dense = nn.Dense(
                    width,
                    dtype=jnp.float64,
                    param_dtype=jnp.float64,
                    precision=jax.lax.Precision.HIGHEST,
                    name=f"layer_{layer}",
                )
                passing = dense(passing)
                if layer < len(self.widths) - 1:
                    passing = nn.relu(passing)
            return passing @ jnp.asarray(self.codes, jnp.float64).T


def to_flax(
    network: ReLUNetwork, codes: Float[np.ndarray, "C O"]
) -> tuple[DenseReLUNetwork, dict[str, Any]]:
    """A module and its variables; skipped layers are left out.

    Args:
        network: the network.
        codes: [C, O], from `labels.class_codes`.

    Returns:
        The module, and {"params": {"layer_0": {"kernel", "bias"}, …}} in float64.
    """
    stays = [*np.flatnonzero(~network.skipped).tolist(), len(network.skipped)]
    params = {
        f"layer_{place}": {
            "kernel": network.weights[layer].T.copy(),
            "bias": network.biases[layer].copy(),
        }
        for place, layer in enumerate(stays)
    }
    widths = tuple(len(network.biases[layer]) for layer in stays)
    module = DenseReLUNetwork(widths, tuple(tuple(row) for row in codes.tolist()))
    return module, {"params": params}
