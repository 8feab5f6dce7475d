"""A convolutional network as a Flax module, in double precision whatever JAX is set to.

As `flax_network` for dense ones: labels hang on which of two scores is larger.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.networks.conv_network import ConvNetwork


class ConvReLUNetwork(nn.Module):
    """A convolution, ReLU, pooling, a readout, and every class's score.

    Attributes:
        channels: C.
        filter_size: k.
        window: side of a pooling window.
        pooling: "max" or "average".
        codes: a class's code in each row: its score is the code times the outputs.
    """

    channels: int
    filter_size: int
    window: int
    pooling: str
    codes: Sequence[Sequence[float]]

    @nn.compact
    def __call__(
        self, images: Float[ArrayLike, "N H W D"]
    ) -> Float[jax.Array, "N classes"]:
        """Scores of every class.

        Args:
            images: [N, H, W, D].

        Returns:
            float64 [N, classes]; the highest wins, of equal ones the first.
        """
        exact: Any = {
            "dtype": jnp.float64,
            "param_dtype": jnp.float64,
            "precision": jax.lax.Precision.HIGHEST,
        }
        with jax.enable_x64(True):
            size, side = (self.filter_size,) * 2, (self.window,) * 2
            maps = nn.Conv(
                self.channels, size, padding="SAME", name="convolution", **exact
            )(jnp.asarray(images, jnp.float64))
            pool = nn.max_pool if self.pooling == "max" else nn.avg_pool
            inputs = pool(nn.relu(maps), side, side)
            flat = inputs.reshape(len(inputs), -1)
            outputs = nn.Dense(len(self.codes[0]), name="readout", **exact)(flat)
            return outputs @ jnp.asarray(self.codes, jnp.float64).T


def conv_to_flax(
    network: ConvNetwork, codes: Float[np.ndarray, "classes O"]
) -> tuple[ConvReLUNetwork, dict[str, Any]]:
    """A module and its variables.

    Args:
        network: the network.
        codes: [classes, O], from `labels.class_codes`.

    Returns:
        The module, and {"params": {"convolution": …, "readout": …}} in float64.
    """
    flat = network.readout.reshape(len(network.readout), -1)
    params = {
        "convolution": {
            "kernel": np.moveaxis(network.filters, 0, -1).copy(),
            "bias": network.filter_biases.copy(),
        },
        "readout": {"kernel": flat.T.copy(), "bias": network.readout_biases.copy()},
    }
    module = ConvReLUNetwork(
        len(network.filters),
        network.filters.shape[1],
        network.window,
        network.pooling,
        tuple(tuple(row) for row in codes.tolist()),
    )
    return module, {"params": params}
